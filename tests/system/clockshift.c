/* clockshift.c - preloaded into a program under test: its wall clock is the machine's plus the seconds that the file $CLOCKSHIFT says
 * at the moment; its monotonic clock is the machine's. What waits until a time of the wall clock waits as long as that clock says it is. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 32, WALL_S = 1000000000 }; /* more seconds: of the wall clock */

/* The file is looked at through one mapping: whoever changes it writes all ROOM bytes in place. */
static long shift(void)
{
    static _Atomic(const char *) text;
    const char *p = atomic_load(&text);
    if (!p) {
        const char *path = getenv("CLOCKSHIFT");
        const int fd = path ? open(path, O_RDONLY) : -1;
        p = fd < 0 ? "0" : mmap(NULL, ROOM, PROT_READ, MAP_SHARED, fd, 0);
        if (fd >= 0) close(fd);
        atomic_store(&text, p);
    }
    return strtol(p, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
    const int r = (int)syscall(SYS_clock_gettime, clock, t);
    if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) t->tv_sec += shift();
    return r;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    *t = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *t, int base)
{
    return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

static struct timespec real(const struct timespec *until)
{
    struct timespec t = *until;
    if (t.tv_sec > WALL_S) t.tv_sec -= shift();
    return t;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
int pthread_cond_timedwait(pthread_cond_t *restrict c, pthread_mutex_t *restrict m,
                           const struct timespec *restrict until)
{
    const struct timespec t = real(until);
    return NEXT(pthread_cond_timedwait)(c, m, &t);
}
int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
    const struct timespec t = real(until);
    return NEXT(cnd_timedwait)(c, m, &t);
}
int pthread_timedjoin_np(pthread_t thread, void **out, const struct timespec *until)
{
    const struct timespec t = real(until);
    return NEXT(pthread_timedjoin_np)(thread, out, &t);
}
