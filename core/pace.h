/* pace.h - work in the background at a part of a core: after each bit of it a rest some times as long, so that whoever is
 * waited for finds a core. {0}: without rests. Thread: its own; `stop` is any thread's. */
#ifndef TOCSIN_CORE_PACE_H
#define TOCSIN_CORE_PACE_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pace {
    int rests;               /* for each ms of work so many of rest; 0: none */
    const atomic_bool *stop; /* NULL: nobody stops it */
    int64_t since_ns;        /* the work began; set by pace_begin and each rest */
};

void pace_begin(struct pace *p);
/* False: it is to stop. */
bool pace_rest(struct pace *p);
#endif
