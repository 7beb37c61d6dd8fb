/* ebb.h - when memory goes back after a flood. What a thread has taken for something large is kept, because the next may be as
 * large; when none has come for a while it goes back, and again some times, for what other threads still held has been freed
 * by then.
 *
 *     ebb_flood     12:00:00   something large has been by
 *     ebb_flood     12:00:04   and again
 *     ebb_due       12:00:14   now; and at :24, :34 ... six times
 *
 * All zero: nothing large has been by. Thread: whose it is; ebb_trim: any. */
#ifndef TOCSIN_APP_THREADS_EBB_H
#define TOCSIN_APP_THREADS_EBB_H
#include "core/when.h"

#include <malloc.h>
#include <stdbool.h>

enum { EBB_MS = 10000, EBB_TIMES = 6 /* by then every turn and batch has been by */ };

struct ebb {
    int64_t due_ns; /* mono_ns() */
    int left;       /* so many times */
};

static inline void ebb_flood(struct ebb *x)
{
    *x = (struct ebb){ mono_ns() + EBB_MS * NS_PER_MS, EBB_TIMES };
}

/* Once each time. */
static inline bool ebb_due(struct ebb *x)
{
    if (x->left == 0 || mono_ns() < x->due_ns) return false;
    x->due_ns = mono_ns() + EBB_MS * NS_PER_MS;
    x->left--;
    return true;
}

/* What has been freed goes back to the machine. */
static inline void ebb_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
#endif
