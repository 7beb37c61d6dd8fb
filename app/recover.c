#include "app/recover.h"

#include "core/arena.h"
#include "core/log.h"
#include "core/when.h"
#include "ingest/formats/json.h"

#include <inttypes.h>

static bool is_of_rules(enum record_kind kind)
{
    return kind == RECORD_RULE_PUT || kind == RECORD_RULE_DELETE || kind == RECORD_BURST;
}

/* `arena` holds what of an event's payload the record points to. */
static enum err read_stored(const struct stored *st, struct arena *arena, struct record *out,
                            struct why *why)
{
    *out = st->record;
    if (!st->is_event) return ERR_OK;
    arena_clear(arena);
    return record_from_stored(&st->record, st->tenant, st->payload.p, st->payload.n, arena, out,
                              why);
}

static enum err apply_stored(struct step *s, struct record *r, bool dense, struct why *why)
{
    const uint64_t seq = r->seq;
    enum err e = step_apply(s, r, why);
    if (e)
        return err_set(why, e, "record %" PRIu64 " does not apply: %.300s", seq,
                       why ? why->text : "");
    return !dense || r->seq == seq ? ERR_OK
                                   : err_set(why, ERR_DB, "record %" PRIu64 " is missing", r->seq);
}

enum err replay_stored(struct history *h, struct step *s, const struct replay *x, struct why *why)
{
    struct arena arena = { 0 };
    struct stored st;
    struct record r;
    bool more;
    enum err e;
    while (!(e = history_next(h, &st, &more, why)) && more) {
        if (!x->rules && is_of_rules(st.record.kind)) continue;
        e = read_stored(&st, &arena, &r, why);
        if (e || (x->each && !x->each(x->ctx, &r))) break;
        e = apply_stored(s, &r, !x->each, why);
        if (e) break;
    }
    arena_release(&arena);
    return e;
}

/* What a program with the same fields wrote need not be written again. */
static enum err know_pages(struct step *s, const struct snapshots *kept, uint64_t seq,
                           struct why *why)
{
    struct state_image known = { 0 };
    const bool ok = step_image_known(s, seq, &known);
    if (ok && !snapshots_have(kept, &known)) step_image_anew(s);
    state_image_release(&known);
    return ok ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

/* The newest snapshot that is whole and can be read; *from 0: there is none. */
static enum err load_snapshot(struct db *d, struct step *s, struct snapshots *kept, uint64_t *from,
                              struct why *why)
{
    struct snapshot_wish wish = { .version = STEP_STATE_VERSION,
                                  .before = UINT64_MAX,
                                  .until_ns = INT64_MAX };
    for (;;) {
        AUTO_BUF struct buf state = { 0 };
        struct snapshot_found found;
        enum err e = snapshots_read(kept, d, &wish, &found, &state, why);
        *from = found.seq;
        if (!e && found.seq) e = step_load(s, state.data, state.len, why);
        if (!e && found.seq && !found.whole) e = know_pages(s, kept, found.seq, why);
        if (e != ERR_INVALID) return e;
        /* Damaged, or from another build: slower, but the records are all there. */
        log_warn("snapshot not readable; taking the one before", "seq", LOG_I64(found.seq),
                 "reason", why->text);
        snapshots_forget(kept);
        wish.before = found.seq;
    }
}

enum err recover_state(const char *conninfo, struct step *s, struct snapshots *kept,
                       struct why *why)
{
    struct db d;
    const int64_t began = mono_ns();
    uint64_t from = 0;
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin recovery", &d, why);
    if (e) return e;
    e = load_snapshot(&d, s, kept, &from, why);
    step_hear(s, &step_deaf);
    struct history *h = NULL;
    if (!e) e = history_open(&d, from, UINT64_MAX, &h, why);
    s->piecewise = true; /* as it is stored, and no further */
    if (!e) e = replay_stored(h, s, &(struct replay){ .rules = true }, why);
    s->piecewise = false;
    history_close(h);
    db_close(&d);
    s->series_told = engine_series_count(s->engine);
    if (!e)
        log_info("state recovered", "snapshot_seq", LOG_I64(from), "seq",
                 LOG_I64(engine_seq(s->engine)), "rules", LOG_I64(rule_set_size(s->rules)), "ms",
                 LOG_I64((mono_ns() - began) / NS_PER_MS));
    return e;
}
