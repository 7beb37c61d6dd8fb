/* outbox.c - leases, claims and marks. A row's life, with the columns that change:
 *
 *     made      status waiting, attempts 0, next_attempt now       in its alert's transaction
 *     claimed   lease_until now + 30 s                             sent by a worker
 *     marked    waiting, attempts 1, next_attempt now + 5 s,       the receiver answered 500;
 *               last_status 500, lease_until null                  channel.failing_since is now
 *     claimed   ...                                                5 s later
 *     marked    delivered, attempts 2, finished_at now             failing_since is null again
 *
 * A process that dies while it holds a lease leaves the row waiting: the next start takes all
 * leases back. A mark that comes twice, or after somebody else's, finds no waiting row and
 * changes nothing. What waits for a channel that is off or deleted is swept to failed. */
#include "store/outbox.h"

#include "core/when.h"
#include "store/claim.h"
#include "store/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SWEEP_S = 30 }; /* between two sweeps */

struct outbox {
    struct db db;
    const struct seal_keys *keys; /* NULL: none */
    int64_t swept_ns;             /* monotonic; 0: not yet */
};

enum err outbox_new(const char *conninfo, const struct seal_keys *keys, struct outbox **out)
{
    struct outbox *o = calloc(1, sizeof *o);
    if (!o) return ERR_NOMEM;
    int n = snprintf(o->db.conninfo, sizeof o->db.conninfo, "%s", conninfo);
    if (n < 0 || (size_t)n >= sizeof o->db.conninfo) {
        free(o);
        return ERR_TOO_LARGE;
    }
    o->keys = keys;
    snprintf(o->db.role, sizeof o->db.role, "tocsin_engine");
    snprintf(o->db.name, sizeof o->db.name, "tocsin outbox");
    *out = o;
    return ERR_OK;
}

void outbox_free(struct outbox *o)
{
    if (!o) return;
    db_close(&o->db);
    free(o);
}

/* ---- the session ---- */

/* Again is harmless: a finished row stays as it is. The channel is written only when its
 * failing_since begins or ends; `failed` is about the alert (too large) or ends with the channel
 * disabled, and changes nothing there. */
static const char sql_mark[] =
    "WITH done AS ("
    "  UPDATE tocsin.outbox SET status = $4::text, attempts = greatest(attempts, $5::integer),"
    "         lease_until = NULL, last_status = $7::integer, last_error = $8::text,"
    "         next_attempt = CASE WHEN $4 = 'waiting'"
    "           THEN now() + $6::bigint * interval '1 millisecond' ELSE next_attempt END,"
    "         finished_at = CASE WHEN $4 = 'waiting' THEN NULL ELSE now() END"
    "   WHERE tenant_id = $1::uuid AND alert_id = $2::uuid AND channel_id = $3::uuid"
    "     AND status = 'waiting')"
    " UPDATE tocsin.channel"
    "    SET failing_since = CASE WHEN $4 = 'delivered' THEN NULL ELSE now() END"
    "  WHERE tenant_id = $1::uuid AND channel_id = $3::uuid AND $4 <> 'failed'"
    "    AND (failing_since IS NULL) = ($4 <> 'delivered')";

/* Drops the session: the server rolls back whatever was open. Failures are rare enough for that
 * to be the simplest way. */
static enum err failed(struct outbox *o, enum err e)
{
    db_close(&o->db);
    return e;
}

/* The statements of every delivery: planning a claim costs more than running it. */
static enum err prepare(struct outbox *o, struct why *why)
{
    AUTO_BUF struct buf claim = { 0 };
    claim_sql(&claim);
    if (!buf_ok(&claim)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_check(&o->db, PQprepare(o->db.conn, "claim", claim.data, 0, NULL), why);
    return e ? e : db_check(&o->db, PQprepare(o->db.conn, "mark", sql_mark, 0, NULL), why);
}

/* A usable session outside any transaction. */
static enum err connect_if_needed(struct outbox *o, struct why *why)
{
    if (o->db.conn && PQstatus(o->db.conn) == CONNECTION_OK
        && PQtransactionStatus(o->db.conn) == PQTRANS_IDLE)
        return ERR_OK;
    enum err e = db_reopen(&o->db, why);
    if (!e) e = prepare(o, why);
    return e ? failed(o, e) : ERR_OK;
}

/* The result is in the binary format. */
static enum err run_prepared(struct outbox *o, const char *name, int n, const char *const *params,
                             PGresult **out, struct why *why)
{
    PGresult *r = PQexecPrepared(o->db.conn, name, n, params, NULL, NULL, 1);
    ExecStatusType s = PQresultStatus(r); /* of NULL: a fatal error */
    if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK) return db_check(&o->db, r, why);
    *out = r;
    return ERR_OK;
}

/* ---- leases ---- */

enum err outbox_release_all(struct outbox *o, struct why *why)
{
    enum err e = connect_if_needed(o, why);
    if (!e)
        e = db_exec(&o->db,
                    "UPDATE tocsin.outbox SET lease_until = NULL WHERE lease_until IS NOT NULL", 0,
                    NULL, why);
    return e ? failed(o, e) : ERR_OK;
}

/* The lock: two processes, one of them about to learn that it has been fenced, never lease two
 * deliveries of one channel. Losing a claim in a crash is harmless, so its commit does not wait
 * for the disk. */
#define BEGIN_CLAIM                                                                                \
    "BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_catalog.pg_advisory_xact_lock(7310314)"

/* Not what is being sent: its mark says how that went. */
static const char sql_sweep[] =
    "UPDATE tocsin.outbox o SET status = 'failed', finished_at = now(), lease_until = NULL,"
    "       last_error = coalesce(c.disabled_reason, 'channel disabled or deleted')"
    "  FROM tocsin.channel c"
    " WHERE o.status = 'waiting' AND c.tenant_id = o.tenant_id AND c.channel_id = o.channel_id"
    "   AND (c.deleted OR NOT c.enabled)"
    "   AND (o.lease_until IS NULL OR o.lease_until <= now())";

static const char sql_next_due[] =
    "SELECT ceil(1000 * extract(epoch FROM next_attempt - now()))::bigint FROM tocsin.outbox"
    " WHERE status = 'waiting' AND next_attempt > now() ORDER BY next_attempt LIMIT 1";

/* Now and then: such rows are few, and nobody waits for them. */
static enum err sweep(struct outbox *o, struct why *why)
{
    int64_t now = mono_ns();
    if (o->swept_ns && now - o->swept_ns < SWEEP_S * NS_PER_S) return ERR_OK;
    enum err e = db_exec(&o->db, sql_sweep, 0, NULL, why);
    if (!e) o->swept_ns = now;
    return e;
}

/* Milliseconds until something becomes due; -1: nothing waits for its time. */
static enum err next_due(struct outbox *o, int64_t *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(&o->db, sql_next_due, 0, NULL, &r, why);
    if (!e) *out = PQntuples(r) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : -1;
    return e;
}

/* "{uuid,uuid}" */
static void uuid_array(const struct uuid *ids, size_t n, struct buf *out)
{
    buf_puts(out, "{");
    for (size_t i = 0; i < n; i++) {
        char id[UUID_TEXT];
        uuid_format(ids[i], id);
        buf_printf(out, "%s%s", i ? "," : "", id);
    }
    buf_puts(out, "}");
}

/* Inside the transaction. On failure the rows in *rows, if any, are still the caller's to clear. */
static enum err claim_rows(struct outbox *o, const char *busy, size_t max, PGresult **rows,
                           int64_t *due_ms, struct why *why)
{
    char limit[24], lease[24];
    snprintf(limit, sizeof limit, "%zu", max);
    snprintf(lease, sizeof lease, "%d", DELIVERY_LEASE_S);
    const char *const params[] = { busy, limit, lease };
    enum err e = sweep(o, why);
    if (!e) e = run_prepared(o, "claim", 3, params, rows, why);
    if (!e) e = next_due(o, due_ms, why);
    return e;
}

enum err outbox_claim(struct outbox *o, const struct uuid *busy, size_t busy_n,
                      struct delivery *out, size_t max, size_t *out_n, int64_t *next_due_ms,
                      struct why *why)
{
    AUTO_BUF struct buf array = { 0 };
    uuid_array(busy, busy_n, &array);
    if (!buf_ok(&array)) return err_set(why, ERR_NOMEM, "out of memory");

    AUTO_PGRESULT PGresult *rows = NULL;
    int64_t due_ms = -1;
    enum err e = connect_if_needed(o, why);
    if (!e) e = db_script(&o->db, BEGIN_CLAIM, why);
    if (!e) e = claim_rows(o, array.data, max, &rows, &due_ms, why);
    size_t n = 0;
    for (int i = 0; !e && i < PQntuples(rows); i++) {
        e = claim_read(o->keys, rows, i, &out[n], why);
        if (!e) n++;
    }
    if (!e) e = db_script(&o->db, "COMMIT", why); /* nothing is handed out that is not leased */
    if (e) {
        while (n > 0) delivery_release(&out[--n]);
        return failed(o, e);
    }
    *out_n = n;
    *next_due_ms = due_ms;
    return ERR_OK;
}

/* ---- marks ---- */

static const char *const status_names[] = {
    [DELIVERY_WAITING] = "waiting",
    [DELIVERY_DELIVERED] = "delivered",
    [DELIVERY_FAILED] = "failed",
    [DELIVERY_EXPIRED] = "expired",
};

static const char sql_unlease[] =
    "UPDATE tocsin.outbox SET lease_until = NULL WHERE tenant_id = $1::uuid"
    "   AND alert_id = $2::uuid AND channel_id = $3::uuid AND status = 'waiting'";

/* The reason of the one is the error of all that waits. */
static const char sql_disable[] =
    "WITH off AS ("
    "  UPDATE tocsin.channel SET enabled = false, disabled_reason = $3"
    "   WHERE tenant_id = $1::uuid AND channel_id = $2::uuid AND enabled)"
    " UPDATE tocsin.outbox"
    "    SET status = 'failed', finished_at = now(), lease_until = NULL, last_error = $3"
    "  WHERE tenant_id = $1::uuid AND channel_id = $2::uuid AND status = 'waiting'";

/* The database's own words for what became of it. */
static enum err store_mark(struct outbox *o, const struct delivery_mark *m, const char *const *ids,
                           struct why *why)
{
    char attempt[16], delay[24], code[16];
    snprintf(attempt, sizeof attempt, "%d", m->attempt);
    snprintf(delay, sizeof delay, "%" PRId64, m->delay_ms);
    snprintf(code, sizeof code, "%d", m->code);
    const char *const params[] = { ids[0],
                                   ids[1],
                                   ids[2],
                                   status_names[m->status],
                                   attempt,
                                   delay,
                                   m->code ? code : NULL,
                                   m->error[0] ? m->error : NULL };
    AUTO_PGRESULT PGresult *r = NULL;
    return run_prepared(o, "mark", 8, params, &r, why);
}

static enum err mark_one(struct outbox *o, const struct delivery_mark *m, struct why *why)
{
    char tenant[UUID_TEXT], alert[UUID_TEXT], channel[UUID_TEXT];
    const char *const ids[] = { tenant, alert, channel };
    uuid_format(m->tenant, tenant);
    uuid_format(m->alert, alert);
    uuid_format(m->channel, channel);
    if (m->attempt == 0) return db_exec(&o->db, sql_unlease, 3, ids, why);
    enum err e = store_mark(o, m, ids, why);
    if (e || !m->disable) return e;
    const char *const off[] = { tenant, channel, m->disable };
    return db_exec(&o->db, sql_disable, 3, off, why);
}

enum err outbox_mark(struct outbox *o, const struct delivery_mark *marks, size_t n, struct why *why)
{
    enum err e = connect_if_needed(o, why);
    if (!e) e = db_script(&o->db, "BEGIN", why);
    for (size_t i = 0; !e && i < n; i++) e = mark_one(o, &marks[i], why);
    if (!e) e = db_script(&o->db, "COMMIT", why);
    return e ? failed(o, e) : ERR_OK;
}

/* ---- as the dispatcher calls it ---- */

static enum err call_release_all(void *ctx, struct why *why)
{
    return outbox_release_all(ctx, why);
}
static enum err call_claim(void *ctx, const struct uuid *busy, size_t busy_n, struct delivery *out,
                           size_t max, size_t *out_n, int64_t *next_due_ms, struct why *why)
{
    return outbox_claim(ctx, busy, busy_n, out, max, out_n, next_due_ms, why);
}
static enum err call_mark(void *ctx, const struct delivery_mark *marks, size_t n, struct why *why)
{
    return outbox_mark(ctx, marks, n, why);
}

struct outbox_calls outbox_calls(struct outbox *o)
{
    return (struct outbox_calls){
        .ctx = o, .release_all = call_release_all, .claim = call_claim, .mark = call_mark
    };
}
