#include "store/outbox.h"

#include "core/when.h"
#include "store/channel_secrets.h"
#include "store/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SWEEP_S = 30 };

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

/* ---- the statements of every delivery, prepared: planning the claim costs more than running it
 * ---- */

/* owed: the channels that are owed something, one index probe each, so a long queue of one costs
 * the others nothing. head: of each channel that is free, the first delivery that is due; the
 * one due longest goes first. */
static const char sql_claim[] =
    "WITH RECURSIVE owed AS ("
    "  (SELECT tenant_id, channel_id FROM tocsin.outbox WHERE status = 'waiting' ORDER BY tenant_id, channel_id LIMIT 1)"
    "  UNION ALL"
    "  SELECT n.tenant_id, n.channel_id FROM owed, LATERAL ("
    "    SELECT o.tenant_id, o.channel_id FROM tocsin.outbox o"
    "     WHERE o.status = 'waiting' AND (o.tenant_id, o.channel_id) > (owed.tenant_id, owed.channel_id)"
    "     ORDER BY o.tenant_id, o.channel_id LIMIT 1) n"
    "), held AS MATERIALIZED ("
    "  SELECT tenant_id, channel_id FROM tocsin.outbox WHERE status = 'waiting' AND lease_until > now()"
    "), head AS ("
    "  SELECT d.tenant_id, d.channel_id, d.alert_id, c.kind, c.settings, " SQL_PLAIN_SECRETS(
        "c") " AS plain, c.secrets, c.failing_since"
             "    FROM owed JOIN tocsin.channel c USING (tenant_id, channel_id), LATERAL ("
             "      SELECT o.tenant_id, o.channel_id, o.alert_id, o.next_attempt FROM tocsin.outbox o"
             "       WHERE o.tenant_id = c.tenant_id AND o.channel_id = c.channel_id AND o.status = 'waiting' AND o.next_attempt <= now()"
             "       ORDER BY o.stream_no LIMIT 1) d"
             "   WHERE c.enabled AND NOT c.deleted AND c.channel_id <> ALL ($1::uuid[])"
             "     AND NOT EXISTS (SELECT FROM held h WHERE h.tenant_id = c.tenant_id AND h.channel_id = c.channel_id)"
             "   ORDER BY d.next_attempt, d.tenant_id, d.channel_id LIMIT $2::bigint"
             "), taken AS ("
             "  SELECT o.tenant_id, o.alert_id, o.channel_id FROM tocsin.outbox o JOIN head USING (tenant_id, alert_id, channel_id)"
             "   FOR UPDATE OF o SKIP LOCKED"
             "), leased AS ("
             "  UPDATE tocsin.outbox o SET lease_until = now() + $3::bigint * interval '1 second' FROM taken t"
             "   WHERE o.tenant_id = t.tenant_id AND o.alert_id = t.alert_id AND o.channel_id = t.channel_id AND o.status = 'waiting'"
             "  RETURNING o.tenant_id, o.alert_id, o.channel_id, o.attempts"
             ")"
             " SELECT a.tenant_id, a.alert_id, l.channel_id, a.rule_id, a.stream_no, a.seq, a.event_ns, a.rule_no, a.rule_version, a.state,"
             "        a.severity, a.value, a.rule_name, a.rule_text, a.measure, a.unit, a.inputs, l.attempts,"
             "        h.kind, h.settings, h.plain, encode(h.secrets, 'hex'),"
             "        greatest(0, extract(epoch FROM now() - h.failing_since))::bigint"
             "   FROM leased l JOIN head h USING (tenant_id, alert_id, channel_id) JOIN tocsin.alert a USING (tenant_id, alert_id)";
enum {
    C_TENANT,
    C_ALERT,
    C_CHANNEL,
    C_RULE,
    C_STREAM_NO,
    C_SEQ,
    C_EVENT_NS,
    C_RULE_NO,
    C_RULE_VERSION,
    C_STATE,
    C_SEVERITY,
    C_VALUE,
    C_RULE_NAME,
    C_RULE_TEXT,
    C_MEASURE,
    C_UNIT,
    C_INPUTS,
    C_ATTEMPTS,
    C_KIND,
    C_SETTINGS,
    C_PLAIN,
    C_SEALED,
    C_FAILING_S
};

/* Again is harmless: a finished row stays as it is. The channel is written only when its
 * failing_since begins or ends; `failed` is about the alert (too large) or ends with the channel
 * disabled, and changes nothing there. */
static const char sql_mark[] =
    "WITH done AS ("
    "  UPDATE tocsin.outbox SET status = $4::text, attempts = greatest(attempts, $5::integer), lease_until = NULL,"
    "         last_status = $7::integer, last_error = $8::text,"
    "         next_attempt = CASE WHEN $4 = 'waiting' THEN now() + $6::bigint * interval '1 millisecond' ELSE next_attempt END,"
    "         finished_at = CASE WHEN $4 = 'waiting' THEN NULL ELSE now() END"
    "   WHERE tenant_id = $1::uuid AND alert_id = $2::uuid AND channel_id = $3::uuid AND status = 'waiting')"
    " UPDATE tocsin.channel SET failing_since = CASE WHEN $4 = 'delivered' THEN NULL ELSE now() END"
    "  WHERE tenant_id = $1::uuid AND channel_id = $3::uuid AND (failing_since IS NULL) = ($4 <> 'delivered') AND $4 <> 'failed'";

static const struct {
    const char *name, *sql;
} prepared[] = { { "claim", sql_claim }, { "mark", sql_mark } };

/* ---- the session ---- */

/* Drops the session: the server rolls back whatever was open. Failures are rare enough for that
 * to be the simplest way. */
static enum err failed(struct outbox *o, enum err e)
{
    db_close(&o->db);
    return e;
}

/* A usable session outside any transaction. */
static enum err connect_if_needed(struct outbox *o, struct why *why)
{
    if (o->db.conn && PQstatus(o->db.conn) == CONNECTION_OK
        && PQtransactionStatus(o->db.conn) == PQTRANS_IDLE)
        return ERR_OK;
    enum err e = db_reopen(&o->db, why);
    for (size_t i = 0; !e && i < ARRAY_LEN(prepared); i++)
        e = db_check(&o->db, PQprepare(o->db.conn, prepared[i].name, prepared[i].sql, 0, NULL),
                     why);
    return e ? failed(o, e) : ERR_OK;
}

static enum err run_prepared(struct outbox *o, const char *name, int n, const char *const *params,
                             PGresult **out, struct why *why)
{
    PGresult *r = PQexecPrepared(o->db.conn, name, n, params, NULL, NULL, 0);
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

#define BEGIN_CLAIM                                                                                \
    "BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_catalog.pg_advisory_xact_lock(7310314)"

static const char sql_sweep[] =
    "UPDATE tocsin.outbox o SET status = 'failed', finished_at = now(), lease_until = NULL,"
    "       last_error = coalesce(c.disabled_reason, 'channel disabled or deleted')"
    "  FROM tocsin.channel c"
    " WHERE o.status = 'waiting' AND c.tenant_id = o.tenant_id AND c.channel_id = o.channel_id AND (c.deleted OR NOT c.enabled)"
    "   AND (o.lease_until IS NULL OR o.lease_until <= now())";

static const char sql_next_due[] =
    "SELECT ceil(1000 * extract(epoch FROM next_attempt - now()))::bigint FROM tocsin.outbox"
    " WHERE status = 'waiting' AND next_attempt > now() ORDER BY next_attempt LIMIT 1";

static enum err uuid_field(const PGresult *r, int row, int col, struct uuid *out)
{
    return uuid_parse(PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col), out);
}
static int64_t int_field(const PGresult *r, int row, int col)
{
    return strtoll(PQgetvalue(r, row, col), NULL, 10);
}
static char *text_field(const PGresult *r, int row, int col, struct arena *a)
{
    return arena_copy(a, PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col));
}

/* A text that this program does not know is an error: never another one's value. */
static enum err enum_field(const PGresult *r, int row, int col, const struct names *names, int *out,
                           struct why *why)
{
    enum err e =
        names_value(names, PQgetvalue(r, row, col), (size_t)PQgetlength(r, row, col), out, why);
    return e ? ERR_INTERNAL : ERR_OK;
}

static enum err read_ids(const PGresult *r, int row, struct delivery *d, struct why *why)
{
    if (uuid_field(r, row, C_TENANT, &d->alert.tenant_id)
        || uuid_field(r, row, C_ALERT, &d->alert.alert_id)
        || uuid_field(r, row, C_RULE, &d->alert.rule_id)
        || uuid_field(r, row, C_CHANNEL, &d->channel))
        return err_set(why, ERR_INTERNAL, "an id in the outbox cannot be read");
    return ERR_OK;
}

static enum err read_texts(const PGresult *r, int row, struct delivery *d, struct why *why)
{
    struct alert *a = &d->alert;
    const struct {
        int col;
        const char **to;
    } texts[] = {
        { C_KIND, &d->kind },       { C_SETTINGS, &d->settings },   { C_RULE_NAME, &a->rule_name },
        { C_MEASURE, &a->measure }, { C_RULE_TEXT, &a->rule_text }, { C_UNIT, &a->unit },
        { C_INPUTS, &a->inputs },
    };
    bool ok = true;
    for (size_t i = 0; ok && i < ARRAY_LEN(texts); i++)
        ok = (*texts[i].to = text_field(r, row, texts[i].col, &d->memory)) != NULL;
    return ok ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err read_numbers(const PGresult *r, int row, struct delivery *d, struct why *why)
{
    struct alert *a = &d->alert;
    a->stream_no = (uint64_t)int_field(r, row, C_STREAM_NO);
    a->seq = (uint64_t)int_field(r, row, C_SEQ);
    a->event_ns = int_field(r, row, C_EVENT_NS);
    a->rule_no = (uint64_t)int_field(r, row, C_RULE_NO);
    a->rule_version = (int32_t)int_field(r, row, C_RULE_VERSION);
    /* PostgreSQL prints the digits that give the same double back. */
    a->value = strtod(PQgetvalue(r, row, C_VALUE), NULL);
    d->attempt = (int)int_field(r, row, C_ATTEMPTS) + 1;
    d->failing_s = int_field(r, row, C_FAILING_S);
    int state = 0, severity = 0;
    enum err e = enum_field(r, row, C_STATE, &alert_state_names, &state, why);
    if (!e) e = enum_field(r, row, C_SEVERITY, &severity_names, &severity, why);
    a->state = (enum alert_state)state;
    a->severity = (enum severity)severity;
    return e;
}

/* Secrets that do not open are this channel's problem alone: the delivery says so, and waits. */
static enum err read_secrets(const struct outbox *o, const PGresult *r, int row, struct delivery *d,
                             struct why *why)
{
    struct why closed = { .text = "" };
    if (PQgetisnull(r, row, C_SEALED)) {
        bool none = PQgetisnull(r, row, C_PLAIN);
        d->secrets =
            none ? arena_copy(&d->memory, "{}", 2) : text_field(r, row, C_PLAIN, &d->memory);
    } else if (channel_secrets_open(
                   o->keys, d->alert.tenant_id, d->channel, PQgetvalue(r, row, C_SEALED),
                   (size_t)PQgetlength(r, row, C_SEALED), &d->memory, &d->secrets, &closed)) {
        d->problem = arena_copy(&d->memory, closed.text, strlen(closed.text));
    }
    return d->secrets || d->problem ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err delivery_from_row(const struct outbox *o, const PGresult *r, int row,
                                  struct delivery *out, struct why *why)
{
    struct delivery d = { .attempt = 0 };
    enum err e = read_ids(r, row, &d, why);
    if (!e) e = read_numbers(r, row, &d, why);
    if (!e) e = read_texts(r, row, &d, why);
    if (!e) e = read_secrets(o, r, row, &d, why);
    if (e) delivery_release(&d);
    else *out = d;
    return e;
}

static enum err sweep(struct outbox *o, struct why *why)
{
    int64_t now = mono_ns();
    if (o->swept_ns && now - o->swept_ns < SWEEP_S * NS_PER_S) return ERR_OK;
    enum err e = db_exec(&o->db, sql_sweep, 0, NULL, why);
    if (!e) o->swept_ns = now;
    return e;
}

static enum err next_due(struct outbox *o, int64_t *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(&o->db, sql_next_due, 0, NULL, &r, why);
    if (!e) *out = PQntuples(r) ? int_field(r, 0, 0) : -1;
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
        e = delivery_from_row(o, rows, i, &out[n], why);
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
    "UPDATE tocsin.outbox SET lease_until = NULL"
    " WHERE tenant_id = $1::uuid AND alert_id = $2::uuid AND channel_id = $3::uuid AND status = 'waiting'";

static const char sql_disable[] =
    "WITH off AS ("
    "  UPDATE tocsin.channel SET enabled = false, disabled_reason = $3 WHERE tenant_id = $1::uuid AND channel_id = $2::uuid AND enabled)"
    " UPDATE tocsin.outbox SET status = 'failed', finished_at = now(), lease_until = NULL, last_error = $3"
    "  WHERE tenant_id = $1::uuid AND channel_id = $2::uuid AND status = 'waiting'";

static enum err mark_one(struct outbox *o, const struct delivery_mark *m, struct why *why)
{
    char tenant[UUID_TEXT], alert[UUID_TEXT], channel[UUID_TEXT], attempt[16], delay[24], code[16];
    uuid_format(m->tenant, tenant);
    uuid_format(m->alert, alert);
    uuid_format(m->channel, channel);
    if (m->attempt == 0)
        return db_exec(&o->db, sql_unlease, 3, (const char *const[]){ tenant, alert, channel },
                       why);

    snprintf(attempt, sizeof attempt, "%d", m->attempt);
    snprintf(delay, sizeof delay, "%" PRId64, m->delay_ms);
    snprintf(code, sizeof code, "%d", m->code);
    const char *const params[] = { tenant,
                                   alert,
                                   channel,
                                   status_names[m->status],
                                   attempt,
                                   delay,
                                   m->code ? code : NULL,
                                   m->error[0] ? m->error : NULL };
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = run_prepared(o, "mark", 8, params, &r, why);
    if (!e && m->disable)
        e = db_exec(&o->db, sql_disable, 3, (const char *const[]){ tenant, channel, m->disable },
                    why);
    return e;
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
