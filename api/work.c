/* work.c - lanes with jobs in a ring. Three threads, lane a has jobs 1 to 9, then b gets one:
 *
 *     a: 1 2 3 4 ...            two threads take a's 1 and 2; the third takes none of a's, which would then have them all
 *     a: 3 4 5 ...   b: 1       the third takes b's at once
 *     thread 1 is free          a's 3; a goes behind whoever has jobs by then */
#include "api/work.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct work *work;
    pthread_t thread;
    struct reader *db;
};
struct lane {
    struct uuid id;
    struct lane *link; /* of its bucket, or of the unused ones */
    struct job *first, *last;
    struct lane *next; /* of the ring */
    size_t n;
    int running;
};
/* Each has a job that waits or runs. */
enum { LANES = WORK_QUEUE + WORKERS, BUCKETS = 256 };
struct work {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool closed;
    struct lane lanes[LANES];
    struct lane *buckets[BUCKETS], *unused;
    struct lane *ring, *ring_end; /* lanes with jobs, the next to be served first */
    size_t queued;
    int started, threads;
    struct worker workers[WORKERS];
};

/* ---- lanes; all under the lock ---- */
static struct lane **bucket_of(struct work *w, struct uuid id)
{
    return &w->buckets[(id.b[14] ^ id.b[15]) % BUCKETS];
}

/* The lane of that id, for a job. */
static struct lane *lane_of(struct work *w, struct uuid id)
{
    struct lane **bucket = bucket_of(w, id);
    for (struct lane *l = *bucket; l; l = l->link)
        if (uuid_equal(l->id, id)) return l;
    struct lane *l = w->unused;
    assert(l); /* LANES are enough */
    w->unused = l->link;
    *l = (struct lane){ .id = id, .link = *bucket };
    return *bucket = l;
}

/* Without jobs it is no lane any more. */
static void lane_leave(struct work *w, struct lane *l)
{
    if (l->n || l->running) return;
    struct lane **at = bucket_of(w, l->id);
    while (*at != l) at = &(*at)->link;
    *at = l->link;
    l->link = w->unused;
    w->unused = l;
}

/* ---- the ring; all under the lock ---- */
static void ring_append(struct work *w, struct lane *l)
{
    l->next = NULL;
    if (w->ring) w->ring_end->next = l;
    else w->ring = l;
    w->ring_end = l;
}

/* The first lane that may have one more thread, taken out of the ring; NULL: there is none. */
static struct lane *ring_take(struct work *w)
{
    struct lane *before = NULL, *l = w->ring;
    const int most = w->closed ? w->threads : w->threads - 1;
    while (l && l->running >= most) {
        before = l;
        l = l->next;
    }
    if (!l) return NULL;
    if (before) before->next = l->next;
    else w->ring = l->next;
    if (w->ring_end == l) w->ring_end = before;
    return l;
}

static struct job *lane_pop(struct work *w, struct lane *l)
{
    struct job *j = l->first;
    l->first = j->next;
    l->n--;
    l->running++;
    w->queued--;
    if (l->first) ring_append(w, l);
    return j;
}

/* ---- a thread ---- */
/* NULL: it is over. */
static struct job *next_job(struct work *w, struct lane **of)
{
    struct job *j = NULL;
    pthread_mutex_lock(&w->lock);
    while (!(*of = ring_take(w)) && !(w->closed && w->queued == 0))
        pthread_cond_wait(&w->wake, &w->lock);
    if (*of) j = lane_pop(w, *of);
    pthread_mutex_unlock(&w->lock);
    return j;
}

static void done_with(struct work *w, struct lane *l)
{
    pthread_mutex_lock(&w->lock);
    l->running--;
    lane_leave(w, l);
    pthread_cond_broadcast(
        &w->wake); /* its lane may have one more now, and who waits for the end looks */
    pthread_mutex_unlock(&w->lock);
}

static void *serve(void *arg)
{
    struct worker *me = arg;
    struct lane *of;
    for (struct job *j; (j = next_job(me->work, &of)) != NULL;) {
        j->run(j, me->db);
        done_with(me->work, of);
    }
    return NULL;
}

/* ---- all of it ---- */
enum err work_new(const char *conninfo, int threads, struct work **out, struct why *why)
{
    assert(threads >= 2 && threads <= WORKERS);
    struct work *w = calloc(1, sizeof *w);
    if (!w) return err_set(why, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->threads = threads;
    for (size_t i = 0; i < LANES; i++) {
        w->lanes[i].link = w->unused;
        w->unused = &w->lanes[i];
    }
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

static enum err push(struct work *w, struct job *j)
{
    if (w->closed) return ERR_STOPPING;
    if (w->queued >= WORK_QUEUE) return ERR_FULL;
    struct lane *l = lane_of(w, j->lane);
    if (l->n >= WORK_LANE_MAX) return ERR_LIMIT; /* it has jobs, so it stays */
    j->next = NULL;
    if (l->first) l->last->next = j;
    else {
        l->first = j;
        ring_append(w, l);
    }
    l->last = j;
    l->n++;
    w->queued++;
    pthread_cond_signal(&w->wake);
    return ERR_OK;
}

enum err work_push(struct work *w, struct job *j)
{
    pthread_mutex_lock(&w->lock);
    enum err e = push(w, j);
    pthread_mutex_unlock(&w->lock);
    return e;
}

void work_stop(struct work *w)
{
    pthread_mutex_lock(&w->lock);
    w->closed = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->started; i++) {
        pthread_join(w->workers[i].thread, NULL);
        reader_free(w->workers[i].db);
    }
    w->started = 0;
}

void work_free(struct work *w)
{
    if (!w) return;
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
