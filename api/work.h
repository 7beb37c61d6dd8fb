/* work.h - the threads that may wait for the database or the engine, so that libmicrohttpd's never do. Each has a session of
 * its own. A full queue is an answer: the request is told 503. */
#ifndef TOCSIN_API_WORK_H
#define TOCSIN_API_WORK_H
#include "store/reader.h"

enum { WORKERS = 6, WORK_QUEUE = 1024 };

struct job {
    void (*run)(struct job *j, struct reader *db);
}; /* the first member of what is queued */
struct work;

MUST_USE enum err work_new(const char *conninfo, int threads, struct work **out, struct why *why);
/* ERR_FULL or ERR_STOPPING: `j` was not taken. */
MUST_USE enum err work_push(struct work *w, struct job *j);
/* Runs what is queued, then joins. Later pushes say ERR_STOPPING. */
void work_stop(struct work *w);
void work_free(struct work *w); /* NULL is fine; stopped before */
#endif
