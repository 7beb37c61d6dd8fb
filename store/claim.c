/* claim.c - the claim as SQL, in the four steps that claim.h walks through, and its rows as
 * deliveries.
 *
 * It is one statement, and so one round trip, however many channels wait; and a row brings all that
 * sending takes (settings, secrets, the alert), so that nothing is asked for between the lease and
 * the receiver. */
#include "store/claim.h"

#include "core/row.h"
#include "store/channel_secrets.h"
#include "store/table.h"
#include "store/wire.h"

struct claim {
#define COLUMN ROW_FIELD
#include "store/claim.def"
};
static const struct column claim_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct claim, type, name)
#include "store/claim.def"
};
static const struct row_type claim_row = ROW_TYPE("claim", struct claim, claim_columns);

/* ---- the statement ---- */

static const char sql_head[] =
    ", head AS ("
    "  SELECT d.tenant_id, d.channel_id, d.alert_id, c.kind, c.settings, c.failing_since,"
    "         c.secrets, " SQL_PLAIN_SECRETS " AS plain"
    "    FROM owed JOIN tocsin.channel c USING (tenant_id, channel_id), LATERAL ("
    "      SELECT o.tenant_id, o.channel_id, o.alert_id, o.next_attempt FROM tocsin.outbox o"
    "       WHERE o.tenant_id = c.tenant_id AND o.channel_id = c.channel_id"
    "         AND o.status = 'waiting' AND o.next_attempt <= now()"
    "       ORDER BY o.stream_no LIMIT 1) d"
    "   WHERE c.enabled AND NOT c.deleted AND c.channel_id <> ALL ($1::uuid[])"
    "     AND NOT EXISTS (SELECT FROM held h WHERE h.tenant_id = c.tenant_id"
    "                        AND h.channel_id = c.channel_id)"
    "   ORDER BY d.next_attempt, d.tenant_id, d.channel_id LIMIT $2::bigint"
    ")";

/* Whoever locks a row first has it; a claim that meets one locked leaves it. */
static const char sql_leased[] =
    ", taken AS ("
    "  SELECT o.tenant_id, o.alert_id, o.channel_id FROM tocsin.outbox o"
    "    JOIN head USING (tenant_id, alert_id, channel_id) FOR UPDATE OF o SKIP LOCKED"
    "), leased AS ("
    "  UPDATE tocsin.outbox o SET lease_until = now() + $3::bigint * interval '1 second'"
    "    FROM taken t WHERE o.tenant_id = t.tenant_id AND o.alert_id = t.alert_id"
    "     AND o.channel_id = t.channel_id AND o.status = 'waiting'"
    "  RETURNING o.tenant_id, o.alert_id, o.channel_id, o.attempts"
    ")";

/* As claim.def, then the alert's columns, whose names are theirs alone or the same thing. */
static const char sql_rows[] =
    " SELECT l.tenant_id, l.alert_id, l.channel_id, h.kind, h.settings::text,"
    "        coalesce(h.plain::text, '{}'), h.secrets, l.attempts,"
    "        greatest(0, extract(epoch FROM now() - h.failing_since))::bigint, ";
static const char sql_from[] =
    "   FROM leased l JOIN head h USING (tenant_id, alert_id, channel_id)"
    "   JOIN tocsin.alert a USING (tenant_id, alert_id)";

void claim_sql(struct buf *out)
{
    buf_puts(out, SQL_OWED_CHANNELS);
    buf_puts(out, sql_head);
    buf_puts(out, sql_leased);
    buf_puts(out, sql_rows);
    table_columns(&alert_row, out);
    buf_puts(out, sql_from);
}

/* ---- a row of it ---- */

static const char *kept(struct delivery *d, const char *text)
{
    return arena_copy(&d->memory, text, strlen(text));
}

static bool read_secrets(const struct seal_keys *keys, const struct claim *c, struct delivery *d)
{
    struct why closed = { .text = "" };
    if (!c->sealed.p) {
        d->secrets = arena_copy(&d->memory, c->plain, strlen(c->plain));
        return d->secrets;
    }
    if (channel_secrets_open(keys, c->tenant_id, c->channel_id, c->sealed, &d->memory, &d->secrets,
                             &closed))
        d->problem = kept(d, closed.text);
    return d->secrets || d->problem;
}

/* Its texts move from the result into the delivery. One that cannot be read has its ids alone. */
static bool read_alert(const struct claim *c, const PGresult *r, int i, struct delivery *d)
{
    struct alert a;
    struct why why = { .text = "" };
    if (!wire_get_at(&alert_row, r, i, (int)claim_row.columns_n, &a, &why))
        return row_copy(&alert_row, &a, &d->memory, &d->alert);
    d->alert = (struct alert){ .tenant_id = c->tenant_id, .alert_id = c->alert_id };
    d->unreadable = kept(d, why.text);
    return d->unreadable;
}

enum err claim_read(const struct seal_keys *keys, const PGresult *r, int i, struct delivery *out,
                    struct why *why)
{
    struct claim c;
    enum err e = wire_get_at(&claim_row, r, i, 0, &c, why);
    if (e) return e;
    struct delivery d = { .channel = c.channel_id,
                          .attempt = c.attempts + 1,
                          .failing_s = c.failing_s };
    d.kind = kept(&d, c.kind);
    d.settings = kept(&d, c.settings);
    if (d.kind && d.settings && read_secrets(keys, &c, &d) && read_alert(&c, r, i, &d)) {
        *out = d;
        return ERR_OK;
    }
    delivery_release(&d);
    return err_set(why, ERR_NOMEM, "out of memory");
}
