/* C11 threads by way of pthreads, for ThreadSanitizer builds only: TSan knows the pthread calls and not glibc's C11 ones, which
 * Debian's librdkafka uses; a thread it did not see start crashes in the first malloc. glibc's mtx_t and cnd_t are pthread
 * objects in another coat. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct start { thrd_start_t f; void *arg; };

static void *run(void *p)
{
    struct start s = *(struct start *)p;
    free(p);
    return (void *)(intptr_t)s.f(s.arg);
}

int thrd_create(thrd_t *t, thrd_start_t f, void *arg)
{
    struct start *s = malloc(sizeof *s);
    if (!s) return thrd_nomem;
    *s = (struct start){ f, arg };
    if (pthread_create(t, NULL, run, s) == 0) return thrd_success;
    free(s);
    return thrd_error;
}

int thrd_join(thrd_t t, int *res)
{
    void *r;
    if (pthread_join(t, &r)) return thrd_error;
    if (res) *res = (int)(intptr_t)r;
    return thrd_success;
}

int thrd_detach(thrd_t t) { return pthread_detach(t) ? thrd_error : thrd_success; }

int mtx_init(mtx_t *m, int type)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    int e = pthread_mutex_init((pthread_mutex_t *)m, &a);
    pthread_mutexattr_destroy(&a);
    return e ? thrd_error : thrd_success;
}

void mtx_destroy(mtx_t *m) { pthread_mutex_destroy((pthread_mutex_t *)m); }
int mtx_lock(mtx_t *m) { return pthread_mutex_lock((pthread_mutex_t *)m) ? thrd_error : thrd_success; }
int mtx_unlock(mtx_t *m) { return pthread_mutex_unlock((pthread_mutex_t *)m) ? thrd_error : thrd_success; }

int mtx_trylock(mtx_t *m)
{
    int e = pthread_mutex_trylock((pthread_mutex_t *)m);
    return e == EBUSY ? thrd_busy : e ? thrd_error : thrd_success;
}

int cnd_init(cnd_t *c) { return pthread_cond_init((pthread_cond_t *)c, NULL) ? thrd_error : thrd_success; }
void cnd_destroy(cnd_t *c) { pthread_cond_destroy((pthread_cond_t *)c); }
int cnd_signal(cnd_t *c) { return pthread_cond_signal((pthread_cond_t *)c) ? thrd_error : thrd_success; }
int cnd_broadcast(cnd_t *c) { return pthread_cond_broadcast((pthread_cond_t *)c) ? thrd_error : thrd_success; }
int cnd_wait(cnd_t *c, mtx_t *m) { return pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m) ? thrd_error : thrd_success; }

int cnd_timedwait(cnd_t *c, mtx_t *m, const struct timespec *until)
{
    int e = pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until);
    return e == ETIMEDOUT ? thrd_timedout : e ? thrd_error : thrd_success;
}
