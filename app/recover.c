#include "app/recover.h"

#include "core/arena.h"
#include "core/log.h"
#include "core/when.h"
#include "ingest/formats/json.h"

#include <inttypes.h>

enum err replay_stored(struct history *h, struct step *s, bool (*each)(void *ctx, struct record *r),
                       void *ctx, struct why *why)
{
    struct arena arena = { 0 };
    enum err e = ERR_OK;
    for (;;) {
        struct stored st;
        struct record r;
        bool more;
        e = history_next(h, &st, &more, why);
        if (e || !more) break;
        arena_clear(&arena);
        if (st.is_event) {
            e = record_from_stored(&st.record, st.tenant, st.payload.p, st.payload.n, &arena, &r,
                                   why);
            if (e) break;
        } else r = st.record;
        uint64_t stored_seq = r.seq;
        if (each && !each(ctx, &r)) continue;
        e = step_apply(s, &r, why);
        if (e) {
            err_set(why, e, "record %" PRIu64 " does not apply: %.300s", stored_seq,
                    why ? why->text : "");
            break;
        }
        if (!each && r.seq != stored_seq) {
            e = err_set(why, ERR_DB, "record %" PRIu64 " is missing", r.seq);
            break;
        }
    }
    arena_release(&arena);
    return e;
}

enum err recover_state(const char *conninfo, struct step *s, struct why *why)
{
    struct db d;
    int64_t began = mono_ns();
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin recovery", &d, why);
    if (e) return e;
    AUTO_BUF struct buf state = { 0 };
    uint64_t from = 0;
    e = history_snapshot(&d, STEP_STATE_VERSION, &from, &state, why);
    if (!e && from) {
        e = step_load(s, state.data, state.len, why);
        if (e == ERR_INVALID) { /* from another build: slower, but the records are all there */
            log_warn("snapshot not readable; replaying everything", "reason", why->text);
            from = 0;
            e = ERR_OK;
        }
    }
    buf_release(&state);
    step_hear(s, &step_deaf);
    struct history *h = NULL;
    if (!e) e = history_open(&d, from, UINT64_MAX, &h, why);
    if (!e) e = replay_stored(h, s, NULL, NULL, why);
    history_close(h);
    db_close(&d);
    s->series_told = engine_series_count(s->engine);
    if (!e)
        log_info("state recovered", "snapshot_seq", LOG_I64(from), "seq",
                 LOG_I64(engine_seq(s->engine)), "rules", LOG_I64(rule_set_size(s->rules)), "ms",
                 LOG_I64((mono_ns() - began) / NS_PER_MS));
    return e;
}
