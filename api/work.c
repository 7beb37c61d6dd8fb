#include "api/work.h"

#include "core/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct work *work;
    pthread_t thread;
    struct reader *db;
};
struct work {
    struct queue *queue;
    int started;
    struct worker workers[WORKERS];
};

static void *serve(void *arg)
{
    struct worker *me = arg;
    for (;;) {
        struct job *j = queue_pop(me->work->queue, -1);
        if (j) j->run(j, me->db);
        else if (queue_closed(me->work->queue)) return NULL;
    }
}

enum err work_new(const char *conninfo, int threads, struct work **out, struct why *why)
{
    struct work *w = calloc(1, sizeof *w);
    if (!w || queue_new(WORK_QUEUE, &w->queue)) {
        free(w);
        return err_set(why, ERR_NOMEM, "out of memory");
    }
    if (threads > WORKERS) threads = WORKERS;
    for (; w->started < threads; w->started++) {
        struct worker *one = &w->workers[w->started];
        one->work = w;
        one->db = reader_new(conninfo, "tocsin api");
        if (!one->db || pthread_create(&one->thread, NULL, serve, one) != 0) {
            reader_free(one->db);
            work_stop(w);
            work_free(w);
            return err_set(why, ERR_NOMEM, "cannot start an API worker");
        }
    }
    *out = w;
    return ERR_OK;
}

enum err work_push(struct work *w, struct job *j) { return queue_push(w->queue, j, 0); }

void work_stop(struct work *w)
{
    queue_close(w->queue);
    for (int i = 0; i < w->started; i++) {
        pthread_join(w->workers[i].thread, NULL);
        reader_free(w->workers[i].db);
    }
    w->started = 0;
}

void work_free(struct work *w)
{
    if (!w) return;
    queue_free(w->queue);
    free(w);
}
