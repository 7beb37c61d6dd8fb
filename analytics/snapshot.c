#include "analytics/snapshot.h"

#include <assert.h>
#include <stdlib.h>

struct snapshot *snapshot_retain(struct snapshot *s)
{
    int before = atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
    assert(before > 0); /* only who holds one may hand out another */
    (void)before;
    return s;
}

void snapshot_release(struct snapshot *s)
{
    if (!s) return;
    int before = atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1) return;
    free(s->rows);
    free(s->indexes);
    free(s->text);
    free(s);
}

static const struct snapshot_row *find(const struct snapshot *s, struct uuid tenant,
                                       const char *measure)
{
    size_t low = 0, high = s->rows_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct snapshot_row *r = &s->rows[mid];
        int c = memcmp(r->tenant.b, tenant.b, sizeof tenant.b);
        if (c == 0) c = strcmp(r->measure, measure);
        if (c == 0) return r;
        if (c < 0) low = mid + 1;
        else high = mid;
    }
    return NULL;
}

const struct snapshot_row *snapshot_find(const struct snapshot *s, struct uuid tenant,
                                         const char *measure)
{
    const struct snapshot_row *own = uuid_is_none(tenant) ? NULL : find(s, tenant, measure);
    return own ? own : find(s, (struct uuid){ 0 }, measure);
}
