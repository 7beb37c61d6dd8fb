#include "core/pace.h"

#include "core/when.h"

#include <time.h>

static const int64_t SLICE_NS = 50 * NS_PER_MS; /* so soon is it heard that it is to stop */

static bool stops(const struct pace *p) { return p->stop && atomic_load(p->stop); }

void pace_begin(struct pace *p) { p->since_ns = mono_ns(); }

bool pace_rest(struct pace *p)
{
    const int64_t now = mono_ns(), until = now + p->rests * (now - p->since_ns);
    for (int64_t left; (left = until - mono_ns()) > 0 && !stops(p);)
        nanosleep(&(struct timespec){ 0, left < SLICE_NS ? left : SLICE_NS }, NULL);
    pace_begin(p);
    return !stops(p);
}
