/* queue.h - a bounded hand-over of pointers between threads: many producers, many consumers.
 *
 * A full queue is an answer, not an accident: push says so and keeps nothing. What travels is a batch, never a record,
 * so a lock and a condition cost nothing that matters, and a sleeper is woken once a batch. */
#ifndef TOCSIN_CORE_QUEUE_H
#define TOCSIN_CORE_QUEUE_H
#include "core/err.h"

#include <stdint.h>

struct queue;

MUST_USE enum err queue_new(size_t capacity, struct queue **out);
void queue_free(struct queue *q); /* NULL is fine; what is still inside is not freed */

/* ERR_FULL after timeout_ms (0: at once, negative: wait for ever); ERR_STOPPING after queue_close. */
MUST_USE enum err queue_push(struct queue *q, void *item, int64_t timeout_ms);
/* NULL after timeout_ms without an item, or when closed and empty. */
void *queue_pop(struct queue *q, int64_t timeout_ms);
size_t queue_len(struct queue *q);
bool queue_closed(struct queue *q);
/* Wakes everybody; items inside can still be popped. */
void queue_close(struct queue *q);
/* Ends one wait without an item: that pop returns NULL early. With nobody waiting the next pop takes it; kicks do not add up. */
void queue_kick(struct queue *q);
#endif
