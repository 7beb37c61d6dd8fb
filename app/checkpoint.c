#include "app/checkpoint.h"

#include "core/log.h"
#include "core/when.h"

#include <inttypes.h>

/* The one that the wish is for, or the next that fits it and is whole. */
static enum err load(struct db *d, struct step *s, struct snapshot_wish *wish,
                     struct snapshot_found *found, struct why *why)
{
    struct snapshots *kept;
    enum err e = snapshots_new(&kept);
    if (e) return err_set(why, e, "out of memory");
    do {
        AUTO_BUF struct buf state = { 0 };
        e = snapshots_read(kept, d, wish, found, &state, why);
        if (!e && found->seq) e = step_load(s, state.data, state.len, why);
        if (e == ERR_INVALID) {
            log_warn("checkpoint not readable; taking another", "seq", LOG_I64(found->seq),
                     "reason", why->text);
            if (wish->oldest_from) wish->oldest_from = found->seq + 1;
            else wish->before = found->seq;
        }
    } while (e == ERR_INVALID);
    snapshots_free(kept);
    return e;
}

/* What can be said to somebody who asked for what is gone: when what is there begins. */
static enum err gone(struct db *d, struct step *s, const struct beginning *b, struct why *why)
{
    struct snapshot_wish wish = { STEP_STATE_VERSION, UINT64_MAX, INT64_MAX, b->retained.ticks };
    struct snapshot_found found;
    char text[WHEN_TEXT_MAX];
    enum err e = load(d, s, &wish, &found, why);
    if (e) return e;
    if (!found.seq)
        return err_set(
            why, ERR_NOT_FOUND,
            "records up to %" PRIu64
            " are no longer all there (tocsin.retained), and no checkpoint behind them can be read",
            b->retained.ticks);
    when_format(found.event_ns, text);
    return err_set(why, ERR_NOT_FOUND,
                   "records up to %" PRIu64
                   " are no longer all there (tocsin.retained): give a --from of %s or later",
                   b->retained.ticks, text);
}

enum err checkpoint_begin(struct db *d, struct step *s, int64_t from_ns, struct beginning *out,
                          struct why *why)
{
    struct snapshot_found found = { 0 };
    *out = (struct beginning){ 0 };
    enum err e = retention_done(d, &out->retained, why);
    struct snapshot_wish wish = { .version = STEP_STATE_VERSION,
                                  .before = UINT64_MAX,
                                  .until_ns = from_ns == INT64_MIN ? INT64_MAX : from_ns,
                                  .oldest_from = from_ns == INT64_MIN ? out->retained.ticks : 0 };
    if (!e && (from_ns != INT64_MIN || out->retained.ticks)) e = load(d, s, &wish, &found, why);
    if (e) return e;
    if (found.seq < out->retained.ticks) return gone(d, s, out, why);
    out->seq = found.seq;
    out->event_ns = found.event_ns;
    return ERR_OK;
}
