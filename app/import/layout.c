#include "app/import/layout.h"

#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "store/db.h"

#include <stdlib.h>
#include <time.h>

enum { BATCH_RECORDS = 50000, BATCH_SESSIONS = 50, COMMIT_TRIES = 20 };

static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    struct layout *l = ctx;
    write_row(l->batches[l->n - 1], type, row);
}

enum err layout_next(struct layout *l, struct why *why)
{
    if (l->n && write_batch_rows(l->batches[l->n - 1]) < BATCH_RECORDS
        && l->sessions < BATCH_SESSIONS)
        return ERR_OK;
    if (l->n && !write_batch_ok(l->batches[l->n - 1]))
        return err_set(why, ERR_NOMEM, "out of memory");
    if (!VEC_GROW(&l->batches, &l->cap, l->n + 1)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = write_batch_new(&l->batches[l->n]);
    if (e) return err_set(why, e, "out of memory");
    l->n++;
    l->sessions = 0;
    return ERR_OK;
}

enum err layout_apply_record(struct layout *l, struct record *r, struct why *why)
{
    r->received_ms = wall_ns() / NS_PER_MS;
    if (r->event_ns / NS_PER_MS > r->received_ms + NS_PER_DAY / NS_PER_MS)
        return err_set(why, ERR_INVALID, "is in the future: event time only goes forward");
    if (l->calendar) step_name_calendar(r, l->calendar);
    const enum err e = step_apply(&l->step, r, why);
    l->records += !e;
    l->sessions += !e && r->kind == RECORD_CLOCK;
    return e;
}

enum err layout_apply(struct layout *l, const char *p, size_t n, struct why *why)
{
    struct record r;
    arena_clear(&l->arena);
    const enum err e = record_decode(p, n, &l->arena, &r, why);
    return e ? e : layout_apply_record(l, &r, why);
}

/* What is said now, of whenever it was. */
static struct record said_now(const struct layout *l, enum record_kind kind)
{
    const int64_t now = engine_now_ns(l->step.engine);
    return (struct record){ .kind = kind,
                            .event_ns = now > DAY_1971 * NS_PER_DAY ? now : DAY_1971 * NS_PER_DAY,
                            .received_ms = wall_ns() / NS_PER_MS };
}

enum err layout_history(struct layout *l, struct str measure, struct str source, struct str text,
                        bool *same, struct why *why)
{
    *same = engine_has_history(l->step.engine, measure, source, text);
    if (*same) return ERR_OK;
    struct record r = said_now(l, RECORD_HISTORY);
    r.u.history.measure = measure;
    r.u.history.source = source;
    r.u.history.text = text;
    enum err e = step_apply(&l->step, &r, why);
    l->records += !e;
    return e;
}

enum err layout_calendar(struct layout *l, struct str text, bool *same, struct buf *problems,
                         struct why *why)
{
    enum err e = engine_has_calendar(l->step.engine, text, same, problems, why);
    if (e || *same) return e;
    struct record r = said_now(l, RECORD_CALENDAR);
    r.u.calendar.text = text;
    e = step_apply(&l->step, &r, why);
    l->records += !e;
    return e;
}

enum err layout_settings(struct layout *l, const struct config *c)
{
    const struct market_settings have = engine_settings(l->step.engine), want = config_market(c);
    if (config_market_same(&have, &want)) return ERR_OK;
    struct record r = step_settings(&l->step, &want);
    return step_apply(&l->step, &r, NULL);
}

/* ---- into the database ---- */
static enum err commit_one(struct writer *w, const struct write_batch *b, struct why *why)
{
    int64_t owed;
    enum err e = writer_commit(w, b, &owed, why);
    for (int i = 0; e && i < COMMIT_TRIES; i++) {
        bool committed = false;
        if (e == ERR_FENCED || e == ERR_NOMEM || (e == ERR_DB && !db_retryable(why))) return e;
        nanosleep(&(struct timespec){ 0, 500000000 }, NULL);
        e = writer_recover(w, b, &committed, why);
        if (!e && committed) return ERR_OK;
        if (!e) e = writer_commit(w, b, &owed, why);
    }
    return e;
}

enum err layout_commit(struct layout *l, struct writer *w, struct why *why)
{
    for (size_t i = 0; i < l->n; i++)
        if (!write_batch_ok(l->batches[i])) return err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < l->n; i++) {
        enum err e = commit_one(w, l->batches[i], why);
        if (e) return e;
        write_batch_free(l->batches[i]);
        l->batches[i] = NULL;
    }
    return ERR_OK;
}

enum err layout_snapshot(struct layout *l, const struct config *c, struct why *why)
{
    struct db d;
    struct state_snapshot x = { .seq = engine_seq(l->step.engine),
                                .event_ns = engine_now_ns(l->step.engine),
                                .version = STEP_STATE_VERSION };
    struct snapshot_written written;
    enum err e = step_image(&l->step, &x.image)
                     ? db_open(c->database_conninfo, "tocsin_engine", "tocsin import", &d, why)
                     : err_set(why, ERR_NOMEM, "out of memory");
    if (!e) {
        e = snapshots_write(l->snapshots, &d, &x, (int)c->engine_checkpoint_days, &written, why);
        db_close(&d);
    }
    state_image_release(&x.image);
    return e;
}

void layout_release(struct layout *l)
{
    snapshots_free(l->snapshots);
    for (size_t i = 0; i < l->n; i++) write_batch_free(l->batches[i]);
    free(l->batches);
    arena_release(&l->arena);
    step_release(&l->step);
}

void layout_hear(struct layout *l)
{
    step_hear(&l->step, &(struct step_sink){ .ctx = l, .row = on_row });
}
