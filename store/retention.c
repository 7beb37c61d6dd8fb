/* retention.c - what goes and what may not.
 *
 * Ticks are kept 30 days, the newest snapshot is of 3 March 2026, and a checkpoint was kept on each day:
 *
 *     tick_20260131   up to record 800,000    the checkpoint of 3 March stands at 2,400,000: goes
 *     tick_202512     up to record 2,500,000, because late ticks came today: refused, until the next checkpoint
 *
 * Whether the checkpoint can be read is looked at once, before the first partition goes. */
#include "store/retention.h"

#include "core/when.h"
#include "store/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_AT_ONCE = 10000 };

/* One go over all that may be old. What is told goes to whoever asked: the log of a service, or the
 * terminal of tocsin retain. */
struct run {
    struct db *d;
    int version;
    bool dry;
    void (*each)(void *ctx, const struct retention_item *item);
    void *ctx;
    int64_t now_ns;      /* of the newest snapshot */
    uint64_t checkpoint; /* record of the newest kept one; 0: there is none */
    bool looked;         /* at whether it can be read */
    char damage[300];    /* why it cannot */
};

static enum err find_checkpoint(struct run *r, struct why *why)
{
    AUTO_PGRESULT PGresult *x = NULL;
    enum err e =
        db_query(r->d,
                 "SELECT coalesce(max(event_ns), 0), coalesce(max(seq) FILTER (WHERE kept), 0)"
                 " FROM tocsin.snapshot WHERE shard_id = 0 AND state IS NULL",
                 0, NULL, &x, why);
    if (e) return e;
    r->now_ns = strtoll(PQgetvalue(x, 0, 0), NULL, 10);
    r->checkpoint = strtoull(PQgetvalue(x, 0, 1), NULL, 10);
    return ERR_OK;
}

/* Once: a state of half a gigabyte takes its second. */
static enum err look_at_checkpoint(struct run *r, struct why *why)
{
    struct snapshots *s;
    AUTO_BUF struct buf state = { 0 };
    struct snapshot_found found;
    const struct snapshot_wish wish = { .version = r->version,
                                        .before = r->checkpoint + 1,
                                        .until_ns = INT64_MAX };
    if (r->looked || !r->checkpoint) return ERR_OK;
    enum err e = snapshots_new(&s);
    if (e) return err_set(why, e, "out of memory");
    e = snapshots_read(s, r->d, &wish, &found, &state, why);
    snapshots_free(s);
    if (e == ERR_INVALID)
        snprintf(r->damage, sizeof r->damage, "the newest checkpoint is damaged: %.200s",
                 why->text);
    else if (!e && found.seq != r->checkpoint)
        snprintf(r->damage, sizeof r->damage, "the newest checkpoint is another program's");
    r->looked = true;
    return e == ERR_INVALID ? ERR_OK : e;
}

/* Why the partition stays; false: it may go. */
static bool is_needed(const struct run *r, uint64_t last_seq, char why[400])
{
    if (!r->checkpoint)
        return snprintf(why, 400,
                        "no checkpoint is kept (engine.checkpoint_days), and without one"
                        " every replay begins at the first record")
               > 0;
    if (r->damage[0]) return snprintf(why, 400, "%s", r->damage) > 0;
    if (last_seq > r->checkpoint)
        return snprintf(why, 400,
                        "it holds record %" PRIu64
                        ", and the newest checkpoint is of record %" PRIu64
                        ": a replay from there needs it",
                        last_seq, r->checkpoint)
               > 0;
    return false;
}

/* A transaction of its own, which takes no longer than the lock on the parent is had: whoever reads
 * the table for long keeps it, and the next run comes back. The function looks once more, under that
 * lock, whether the checkpoint still covers what is in it: a late tick may have come since. */
static enum err drop(struct run *r, const char *kind, const char *part, const char *until,
                     const char *last, struct why *why)
{
    enum err e = db_script(
        r->d, "BEGIN; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = 0", why);
    if (!e)
        e = db_exec(r->d, "SELECT tocsin.drop_partition($1, $2, $3, $4)", 4,
                    (const char *const[]){ kind, part, until, last }, why);
    if (!e) return db_script(r->d, "COMMIT", why);
    if (r->d->conn && PQtransactionStatus(r->d->conn) != PQTRANS_IDLE)
        (void)!db_script(r->d, "ROLLBACK", NULL);
    return e;
}

/* Which are old is asked without a time limit: the greatest seq of a partition of millions of rows
 * takes its seconds, and nobody waits for them. */
static enum err partitions_go(struct run *r, const char *kind, int64_t days, struct why *why)
{
    char before[24], needed[400];
    AUTO_PGRESULT PGresult *x = NULL;
    const int64_t today = day_of_ns(r->now_ns);
    if (!days || !r->now_ns) return ERR_OK;
    snprintf(before, sizeof before, "%" PRId64, (int64_t)((today - days) * NS_PER_DAY));
    enum err e = db_script(r->d, "SET statement_timeout = 0", why);
    if (!e)
        e = db_query(r->d,
                     "SELECT part, until_ns, last_seq, bytes FROM tocsin.old_partitions($1, $2)"
                     " ORDER BY until_ns, part",
                     2, (const char *const[]){ kind, before }, &x, why);
    for (int i = 0; !e && i < PQntuples(x); i++) {
        struct retention_item item = { .what = PQgetvalue(x, i, 0),
                                       .rows = -1,
                                       .bytes = strtoll(PQgetvalue(x, i, 3), NULL, 10),
                                       .last_seq = strtoull(PQgetvalue(x, i, 2), NULL, 10) };
        e = look_at_checkpoint(r, why);
        if (e) break;
        if (is_needed(r, item.last_seq, needed)) item.refused = needed;
        else if (!r->dry) {
            struct why mine = { 0 };
            enum err f = drop(r, kind, item.what, PQgetvalue(x, i, 1), PQgetvalue(x, i, 2), &mine);
            if (f == ERR_DB_LOST) {
                *why = mine;
                return f;
            }
            if (f) { /* locked by a long reader, or late rows came: the next run sees */
                snprintf(needed, sizeof needed, "%.300s", mine.text);
                item.refused = needed;
            }
        }
        r->each(r->ctx, &item);
    }
    return e;
}

/* Rows go some thousands at a time, each a transaction: nobody waits for them. */
static enum err rows_go(struct run *r, const char *what, const char *count, const char *remove,
                        int64_t days, struct why *why)
{
    char text[24];
    int64_t rows = 0, gone = 0;
    if (!days) return ERR_OK;
    snprintf(text, sizeof text, "%" PRId64, days);
    const char *const of[] = { text };
    AUTO_PGRESULT PGresult *x = NULL;
    enum err e = db_query(r->d, count, 1, of, &x, why);
    if (!e) rows = strtoll(PQgetvalue(x, 0, 0), NULL, 10);
    if (e || !rows) return e;
    while (!e && !r->dry && gone < rows) {
        PGresult *done = NULL;
        e = db_query(r->d, remove, 1, of, &done, why);
        const int64_t n = e ? 0 : strtoll(PQcmdTuples(done), NULL, 10);
        PQclear(done);
        if (n == 0) break;
        gone += n;
    }
    const struct retention_item item = { .what = what, .rows = r->dry ? rows : gone, .bytes = -1 };
    if (!e) r->each(r->ctx, &item);
    return e;
}

#define DEAD_OLD "refused_at < pg_catalog.now() - $1::int * interval '1 day'"
#define DONE_OLD                                                                                   \
    "status <> 'waiting' AND finished_at < pg_catalog.now() - $1::int * interval '1 day'"
#define AT_ONCE " LIMIT 10000)"

static enum err dead_letters_go(struct run *r, int64_t days, struct why *why)
{
    return rows_go(r, "dead letters", "SELECT count(*) FROM tocsin.dead_letter WHERE " DEAD_OLD,
                   "DELETE FROM tocsin.dead_letter WHERE dead_letter_id IN"
                   " (SELECT dead_letter_id FROM tocsin.dead_letter WHERE " DEAD_OLD AT_ONCE,
                   days, why);
}

static enum err deliveries_go(struct run *r, int64_t days, struct why *why)
{
    return rows_go(
        r, "deliveries", "SELECT count(*) FROM tocsin.outbox WHERE " DONE_OLD,
        "DELETE FROM tocsin.outbox WHERE (tenant_id, alert_id, channel_id) IN"
        " (SELECT tenant_id, alert_id, channel_id FROM tocsin.outbox WHERE " DONE_OLD AT_ONCE,
        days, why);
}

/* They are no longer kept, and go as the next snapshot is written. The newest
 * stays: what was dropped leans on it. */
static enum err checkpoints_go(struct run *r, int64_t days, struct why *why)
{
    char before[24];
    AUTO_PGRESULT PGresult *x = NULL;
    if (!days || !r->now_ns) return ERR_OK;
    snprintf(before, sizeof before, "%" PRId64,
             (int64_t)((day_of_ns(r->now_ns) - days) * NS_PER_DAY));
    static const char which[] =
        " WHERE shard_id = 0 AND kept AND event_ns < $1::bigint AND seq <>"
        " (SELECT max(seq) FROM tocsin.snapshot WHERE shard_id = 0 AND kept)";
    AUTO_BUF struct buf sql = { 0 };
    buf_printf(&sql, "%s%s",
               r->dry ? "SELECT FROM tocsin.snapshot" : "UPDATE tocsin.snapshot SET kept = false",
               which);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_query(r->d, sql.data, 1, (const char *const[]){ before }, &x, why);
    const int64_t n = e ? 0 : strtoll(PQcmdTuples(x), NULL, 10);
    if (n)
        r->each(r->ctx, &(struct retention_item){ .what = "checkpoints", .rows = n, .bytes = -1 });
    return e;
}

enum err retention_run(struct db *d, const struct retention *k, int version, bool dry,
                       void (*each)(void *ctx, const struct retention_item *item), void *ctx,
                       struct why *why)
{
    struct run r = { .d = d, .version = version, .dry = dry, .each = each, .ctx = ctx };
    enum err e = find_checkpoint(&r, why);
    if (!e) e = partitions_go(&r, "tick", k->ticks, why);
    if (!e) e = partitions_go(&r, "reading", k->readings, why);
    if (!e) e = dead_letters_go(&r, k->dead_letters, why);
    if (!e) e = deliveries_go(&r, k->deliveries, why);
    return e ? e : checkpoints_go(&r, k->checkpoints, why);
}

enum err retention_done(struct db *d, struct retained *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    *out = (struct retained){ 0 };
    enum err e = db_query(d, "SELECT kind, upto_seq FROM tocsin.retained", 0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++)
        *(strcmp(PQgetvalue(r, i, 0), "tick") == 0 ? &out->ticks : &out->readings) =
            strtoull(PQgetvalue(r, i, 1), NULL, 10);
    return e;
}
