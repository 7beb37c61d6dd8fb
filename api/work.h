/* work.h - the threads that may wait for the database or the engine, so that libmicrohttpd's never do. Each has a session of
 * its own. A full queue is an answer: the request is told 503.
 *
 * Fair between lanes, of which a tenant has one: the next job is of the next lane that has any, in turn, and no lane has every
 * thread. So who asks much, or slowly, makes others wait for one job and not for all of its own. A lane is there while it has jobs. */
#ifndef TOCSIN_API_WORK_H
#define TOCSIN_API_WORK_H
#include "core/uuid.h"
#include "store/reader.h"

enum { WORKERS = 7, WORK_QUEUE = 1024, WORK_LANE_MAX = WORK_QUEUE / 4 };

struct job {
    void (*run)(struct job *j, struct reader *db);
    struct uuid lane; /* whose it is */
    struct job *next; /* work.c's */
}; /* the first member of what is queued */
struct work;

/* `threads`: at least 2, at most WORKERS. */
MUST_USE enum err work_new(const char *conninfo, int threads, struct work **out, struct why *why);
/* ERR_FULL, ERR_LIMIT when it is its lane that has WORK_LANE_MAX waiting, or ERR_STOPPING: `j` was not taken. */
MUST_USE enum err work_push(struct work *w, struct job *j);
/* Runs what is queued, then joins. Later pushes say ERR_STOPPING. */
void work_stop(struct work *w);
void work_free(struct work *w); /* NULL is fine; stopped before */
#endif
