#include "analytics/snapshot.h"

#include "analytics/engine_state.h"
#include "analytics/series.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- taken from the engine ---- */
static int by_tenant_and_text(const void *a, const void *b)
{
    const struct snapshot_row *x = a, *y = b;
    int c = memcmp(x->tenant.b, y->tenant.b, 16);
    return c ? c : strcmp(x->measure, y->measure);
}
static int by_index_name(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_index *)a)->name,
                  ((const struct snapshot_index *)b)->name);
}

/* The line of a company that is worth most stands for it. */
static const struct line *largest_line(const struct market *m, const struct universe *u,
                                       uint32_t slot)
{
    const struct line *big = NULL;
    for (uint32_t l = u->first_line; l != NONE; l = m->store.lines[l].next_of_universe)
        if (m->store.lines[l].slot == slot && (!big || m->store.lines[l].value > big->value))
            big = &m->store.lines[l];
    return big;
}

static void picture_index(const struct market *m, const struct universe *u,
                          struct snapshot_index *out)
{
    const struct order *o = universe_kept(u, &aggregate_order);
    memcpy(out->name, u->name, sizeof u->name);
    out->members_n = u->issuers_n;
    for (size_t j = 0; j < o->n && out->top_n < ARRAY_LEN(out->top); j++) {
        const struct slot *k = &m->store.slots[o->slots[j]];
        if (k->value == 0) break;
        const struct instrument *i = &m->instruments[largest_line(m, u, o->slots[j])->instrument];
        struct snapshot_member *x = &out->top[out->top_n++];
        memcpy(x->symbol, i->symbol.s, sizeof x->symbol);
        memcpy(x->issuer, m->issuers[k->issuer].key, sizeof x->issuer);
        memcpy(x->name, m->issuers[k->issuer].name, sizeof x->name);
        x->price_e8 = i->price_e8;
        x->weight = (double)k->value / (double)u->total;
    }
}

static void picture_series(const struct market *m, struct snapshot *s)
{
    for (uint32_t i = 0; i < m->series_n; i++) {
        const struct series *x = &m->series[i];
        if (!x->live) continue;
        char *text = s->text + s->rows_n * MEASURE_TEXT_MAX;
        memcpy(text, x->text, MEASURE_TEXT_MAX);
        s->rows[s->rows_n++] = (struct snapshot_row){ x->tenant, text, x->unit, x->kind->version,
                                                      series_reading(m, i) };
    }
    qsort(s->rows, s->rows_n, sizeof *s->rows, by_tenant_and_text);
}

struct snapshot *engine_snapshot(const struct engine *e)
{
    const struct market *m = &e->market;
    struct snapshot *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->references = 1;
    s->seq = m->seq;
    s->event_ns = m->now_ns;
    s->rows = calloc(m->series_n + 1, sizeof *s->rows);
    s->indexes = calloc(m->universes_n + 1, sizeof *s->indexes);
    s->text = malloc(m->series_n * MEASURE_TEXT_MAX + 1);
    if (!s->rows || !s->indexes || !s->text) {
        snapshot_release(s);
        return NULL;
    }
    picture_series(m, s);
    for (size_t i = 0; i < m->universes_n; i++)
        if (!m->universes[i].book) picture_index(m, &m->universes[i], &s->indexes[s->indexes_n++]);
    qsort(s->indexes, s->indexes_n, sizeof *s->indexes, by_index_name);
    return s;
}
