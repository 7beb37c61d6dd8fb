#include "core/queue.h"

#include "core/when.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    size_t head, len, cap;
    unsigned kicks;
    bool closed;
    void *items[];
};

enum err queue_new(size_t capacity, struct queue **out)
{
    struct queue *q = calloc(1, sizeof *q + capacity * sizeof(void *));
    if (!q) return ERR_NOMEM;
    q->cap = capacity;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_empty, &mono);
    pthread_cond_init(&q->not_full, &mono);
    pthread_condattr_destroy(&mono);
    *out = q;
    return ERR_OK;
}

void queue_free(struct queue *q)
{
    if (!q) return;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->not_empty);
    pthread_cond_destroy(&q->not_full);
    free(q);
}

/* false when the deadline has passed; a negative timeout has none */
static bool wait_until(pthread_cond_t *c, pthread_mutex_t *m, int64_t deadline_ns, bool forever)
{
    if (forever) return pthread_cond_wait(c, m) == 0;
    struct timespec t = { deadline_ns / NS_PER_S, deadline_ns % NS_PER_S };
    return pthread_cond_timedwait(c, m, &t) == 0;
}

enum err queue_push(struct queue *q, void *item, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms > 0 ? mono_ns() + timeout_ms * NS_PER_MS : 0;
    pthread_mutex_lock(&q->lock);
    bool waiting = timeout_ms != 0;
    while (q->len == q->cap && !q->closed && waiting)
        waiting = wait_until(&q->not_full, &q->lock, deadline, timeout_ms < 0);
    enum err e = q->closed ? ERR_STOPPING : q->len == q->cap ? ERR_FULL : ERR_OK;
    if (!e) {
        q->items[(q->head + q->len++) % q->cap] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return e;
}

void *queue_pop(struct queue *q, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms > 0 ? mono_ns() + timeout_ms * NS_PER_MS : 0;
    pthread_mutex_lock(&q->lock);
    bool waiting = timeout_ms != 0;
    while (q->len == 0 && !q->closed && !q->kicks && waiting)
        waiting = wait_until(&q->not_empty, &q->lock, deadline, timeout_ms < 0);
    q->kicks = 0;
    void *item = NULL;
    if (q->len) {
        item = q->items[q->head];
        q->head = (q->head + 1) % q->cap;
        q->len--;
        pthread_cond_signal(&q->not_full);
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

size_t queue_len(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->len;
    pthread_mutex_unlock(&q->lock);
    return n;
}

bool queue_closed(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->not_full);
    pthread_mutex_unlock(&q->lock);
}

void queue_kick(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->kicks = 1;
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}
