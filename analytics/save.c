/* save.c - the engine's state as bytes and back: every array written whole, maps rebuilt. */
#include "analytics/state.h"

#include <stdlib.h>
#include <string.h>

static const char MAGIC[8] = "TOCSENG1";

static void put_array(struct buf *out, const void *p, size_t n, size_t size)
{
    uint64_t count = n;
    buf_put(out, &count, sizeof count);
    if (n) buf_put(out, p, n * size);
}
#define PUT(out, array, n) put_array(out, array, n, sizeof *(array))

struct reader {
    const char *p;
    size_t n, at;
    bool bad;
};

static void get(struct reader *r, void *out, size_t n)
{
    if (r->bad || r->n - r->at < n) {
        r->bad = true;
        return;
    }
    memcpy(out, r->p + r->at, n);
    r->at += n;
}

static void *get_array(struct reader *r, size_t *n, size_t *cap, size_t size)
{
    uint64_t count = 0;
    get(r, &count, sizeof count);
    if (r->bad || count > (r->n - r->at) / size) {
        r->bad = true;
        return NULL;
    }
    *n = *cap = (size_t)count;
    if (!count) return NULL;
    void *p = malloc(*n * size);
    if (!p) {
        r->bad = true;
        *n = *cap = 0;
        return NULL;
    }
    get(r, p, *n * size);
    return p;
}
#define GET(r, e, name)                                                                            \
    ((e)->name = get_array(r, &(e)->name##_n, &(e)->name##_cap, sizeof *(e)->name))

struct scalars {
    char magic[8];
    struct engine_settings settings;
    double gate;
    int64_t now_ns, sampled_ns;
    uint64_t seq;
    int32_t session_day, in_session;
};

void engine_save(const struct engine *e, struct buf *out)
{
    struct scalars s = { .settings = e->settings,
                         .gate = e->gate,
                         .now_ns = e->now_ns,
                         .sampled_ns = e->sampled_ns,
                         .seq = e->seq,
                         .session_day = e->session_day,
                         .in_session = e->in_session };
    memcpy(s.magic, MAGIC, sizeof MAGIC);
    buf_put(out, &s, sizeof s);
    PUT(out, e->instruments, e->instruments_n);
    PUT(out, e->issuers, e->issuers_n);
    uint64_t indexes = e->indexes_n;
    buf_put(out, &indexes, sizeof indexes);
    for (size_t i = 0; i < e->indexes_n; i++) { /* without what is true of this process only */
        struct index x;
        memcpy(&x, &e->indexes[i], sizeof x);
        x.order = NULL;
        x.days = NULL;
        x.order_cap = x.slots_n;
        x.days_cap = x.days_n;
        buf_put(out, &x, sizeof x);
    }
    for (size_t i = 0; i < e->indexes_n; i++) {
        PUT(out, e->indexes[i].order, e->indexes[i].slots_n);
        PUT(out, e->indexes[i].days, e->indexes[i].days_n);
    }
    PUT(out, e->store.lines, e->store.lines_n);
    PUT(out, e->store.slots, e->store.slots_n);
    PUT(out, e->closes, e->closes_n);
    PUT(out, e->series, e->series_n);
    PUT(out, e->exposures, e->exposures_n);
    PUT(out, e->books, e->books_n);
    PUT(out, e->positions, e->positions_n);
}

static bool rebuild_maps(struct engine *e)
{
    bool ok = true;
    for (size_t i = 0; i < e->instruments_n; i++)
        ok &= map_add(&e->by_symbol,
                      map_hash(e->instruments[i].symbol.s, sizeof e->instruments[i].symbol.s),
                      (uint32_t)i);
    for (size_t i = 0; i < e->issuers_n; i++)
        ok &= map_add(&e->by_issuer, map_hash(e->issuers[i].key, strlen(e->issuers[i].key)),
                      (uint32_t)i);
    for (size_t i = 0; i < e->series_n; i++)
        ok &= map_add(&e->by_series,
                      map_hash(e->series[i].text, strlen(e->series[i].text))
                          ^ map_hash(e->series[i].tenant.b, 16),
                      (uint32_t)i);
    e->moved_cap = 2 * (e->series_n + 1);
    e->moved = malloc(e->moved_cap * sizeof *e->moved);
    return ok && e->moved;
}

enum err engine_load(const void *p, size_t n, struct engine **out, size_t *used, struct why *why)
{
    struct engine *e;
    enum err err = engine_new(&e);
    if (err) return err;
    struct reader r = { .p = p, .n = n };
    struct scalars s = { 0 };
    get(&r, &s, sizeof s);
    if (r.bad || memcmp(s.magic, MAGIC, sizeof MAGIC) != 0) {
        engine_free(e);
        return err_set(why, ERR_INVALID, "not an engine state of this version");
    }
    e->settings = s.settings;
    e->gate = s.gate;
    e->now_ns = s.now_ns;
    e->sampled_ns = s.sampled_ns;
    e->seq = s.seq;
    e->session_day = s.session_day;
    e->in_session = s.in_session != 0;
    GET(&r, e, instruments);
    GET(&r, e, issuers);
    GET(&r, e, indexes);
    for (size_t i = 0; i < e->indexes_n; i++) { /* the saved pointers mean nothing here */
        e->indexes[i].order = NULL;
        e->indexes[i].days = NULL;
    }
    for (size_t i = 0; i < e->indexes_n; i++) {
        struct index *x = &e->indexes[i];
        size_t order_n = 0;
        x->order_cap = x->days_n = x->days_cap = 0;
        x->order = get_array(&r, &order_n, &x->order_cap, sizeof *x->order);
        GET(&r, x, days);
        if (order_n != x->slots_n) r.bad = true;
    }
    GET(&r, &e->store, lines);
    GET(&r, &e->store, slots);
    GET(&r, e, closes);
    GET(&r, e, series);
    GET(&r, e, exposures);
    GET(&r, e, books);
    GET(&r, e, positions);
    if (r.bad || !rebuild_maps(e)) {
        engine_free(e);
        return err_set(why, ERR_INVALID, "engine state is cut short");
    }
    *used = r.at;
    *out = e;
    return ERR_OK;
}
