#include "store/questions.h"

#include "core/buf.h"
#include "core/when.h"
#include "store/pg.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* By the name under which the writer connects (writer_open): a service that waits leaves no other
 * trace in the database. */
enum err ask_writer(struct db *d, char backend[BACKEND_TEXT], struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT pid FROM pg_catalog.pg_stat_activity"
                          " WHERE datname = pg_catalog.current_database()"
                          " AND application_name = 'tocsin writer'",
                          0, NULL, &r, why);
    if (e) return e;
    snprintf(backend, BACKEND_TEXT, "%s", PQntuples(r) ? PQgetvalue(r, 0, 0) : "");
    return ERR_OK;
}

enum err ask_events(struct db *d, const enum record_kind *kinds, size_t n, int64_t since_ns,
                    const char *part, enum err (*fn)(void *ctx, const struct stored_event *e),
                    void *ctx, struct why *why)
{
    AUTO_BUF struct buf list = { 0 };
    for (size_t i = 0; i < n; i++) buf_printf(&list, "%c%d", i ? ',' : '{', (int)kinds[i]);
    buf_puts(&list, "}");
    if (!buf_ok(&list)) return err_set(why, ERR_NOMEM, "out of memory");
    char since[24];
    snprintf(since, sizeof since, "%" PRId64, since_ns);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT kind, event_ns, payload, seq FROM tocsin.event"
                          " WHERE kind = ANY ($1::smallint[]) AND event_ns >= $2"
                          " AND strpos(payload, $3) > 0 ORDER BY seq",
                          3, (const char *const[]){ list.data, since, part }, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        const struct stored_event x = {
            .seq = strtoull(PQgetvalue(r, i, 3), NULL, 10),
            .kind = (enum record_kind)strtol(PQgetvalue(r, i, 0), NULL, 10),
            .event_ns = strtoll(PQgetvalue(r, i, 1), NULL, 10),
            .text = { PQgetvalue(r, i, 2), (uint32_t)PQgetlength(r, i, 2) },
        };
        e = fn(ctx, &x);
    }
    return e;
}

enum err ask_closes(struct db *d, int32_t since_day,
                    enum err (*fn)(void *ctx, int32_t instrument, int32_t day, int64_t price_e8),
                    void *ctx, struct why *why)
{
    char since[16];
    snprintf(since, sizeof since, "%" PRId32, since_day);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT instrument_id, session, price_e8 FROM tocsin.close"
                          " WHERE session >= $1 ORDER BY seq",
                          1, (const char *const[]){ since }, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++)
        e = fn(ctx, (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10),
               (int32_t)strtol(PQgetvalue(r, i, 1), NULL, 10),
               strtoll(PQgetvalue(r, i, 2), NULL, 10));
    return e;
}

enum err ask_symbols(struct db *d, enum err (*fn)(void *ctx, const struct stored_symbol *s),
                     void *ctx, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT instrument_id, symbol, from_day, until_day, from_seq, until_seq"
                          " FROM tocsin.symbol ORDER BY instrument_id, from_seq",
                          0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        const struct stored_symbol s = {
            .instrument = (int32_t)strtol(PQgetvalue(r, i, 0), NULL, 10),
            .symbol = PQgetvalue(r, i, 1),
            .from_day = (int32_t)strtol(PQgetvalue(r, i, 2), NULL, 10),
            .until_day = (int32_t)strtol(PQgetvalue(r, i, 3), NULL, 10),
            .from_seq = strtoull(PQgetvalue(r, i, 4), NULL, 10),
            .until_seq = strtoull(PQgetvalue(r, i, 5), NULL, 10),
        };
        e = fn(ctx, &s);
    }
    return e;
}

enum err make_database(struct db *d, const char *name, struct why *why)
{
    char sql[100];
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", 1, &name, &r, why);
    if (e || PQntuples(r) > 0) return e;
    const int n = snprintf(sql, sizeof sql, "CREATE DATABASE %s", name);
    assert(n > 0 && (size_t)n < sizeof sql); /* a literal of ours */
    return db_exec(d, sql, 0, NULL, why);
}

static enum err make_login_in(struct db *d, const char *name, struct why *why)
{
    char sql[200];
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", 1, &name, &r, why);
    if (!e && PQntuples(r) == 0) {
        snprintf(sql, sizeof sql, "CREATE ROLE %s LOGIN", name);
        e = db_exec(d, sql, 0, NULL, why);
    }
    snprintf(sql, sizeof sql, "GRANT tocsin_engine, tocsin_api TO %s", name);
    return e ? e : db_exec(d, sql, 0, NULL, why);
}

enum err make_login(const char *conninfo, const char *name, struct why *why)
{
    struct db d;
    enum err e = db_open(conninfo, NULL, "tocsin demo", &d, why);
    if (!e) e = make_login_in(&d, name, why);
    db_close(&d);
    return e;
}

enum err ask_tenant(struct db *d, const char *name, struct uuid *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT tenant_id FROM tocsin.tenant WHERE name = $1", 1, &name, &r, why);
    if (e) return e;
    if (PQntuples(r) != 1) return err_set(why, ERR_NOT_FOUND, "no tenant %s", name);
    return uuid_parse(PQgetvalue(r, 0, 0), UUID_TEXT - 1, out);
}

/* A topic that was made anew begins a second life at offset 0: 260 messages read in the first and
 * 40 in the second are 300. */
enum err ask_topic_position(struct db *d, const char *topic, int64_t *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT coalesce(sum(next_offset), 0) FROM tocsin.source WHERE topic = $1", 1,
                 &topic, &r, why);
    if (!e) *out = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    return e;
}

enum err ask_newest_value(struct db *d, const char *measure, int64_t since_ns, double *out,
                          struct why *why)
{
    char since[24];
    snprintf(since, sizeof since, "%" PRId64, since_ns);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT r.value FROM tocsin.reading r JOIN tocsin.series s"
                          " USING (series_id) WHERE s.measure = $1 AND s.tenant_id IS NULL"
                          " AND r.value IS NOT NULL AND r.event_ns >= $2::bigint"
                          " ORDER BY r.seq DESC LIMIT 1",
                          2, (const char *const[]){ measure, since }, &r, why);
    if (!e) *out = PQntuples(r) ? strtod(PQgetvalue(r, 0, 0), NULL) : NAN;
    return e;
}

/* One statement for both answers: the newest tick of each instrument, and beside every row the
 * newest event time of all trades, which are the ticks whose day_or_kind is the smallest integer.
 * */
enum err ask_last_prices(struct db *d, uint64_t after,
                         void (*fn)(void *ctx, const char *symbol, int64_t price_e8), void *ctx,
                         size_t *n, int64_t *traded_ns, struct why *why)
{
    char from[24];
    const char *const params[] = { from };
    snprintf(from, sizeof from, "%" PRIu64, after);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT DISTINCT ON (t.instrument_id) i.symbol, t.price_e8,"
                          " max(t.event_ns) FILTER (WHERE t.day_or_kind <= -2147483646) OVER ()"
                          " FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id)"
                          " WHERE t.seq > $1::bigint ORDER BY t.instrument_id, t.seq DESC",
                          1, params, &r, why);
    if (e) return e;
    *n = (size_t)PQntuples(r);
    *traded_ns = *n && !PQgetisnull(r, 0, 2) ? strtoll(PQgetvalue(r, 0, 2), NULL, 10) : -1;
    for (int i = 0; i < PQntuples(r); i++)
        fn(ctx, PQgetvalue(r, i, 0), strtoll(PQgetvalue(r, i, 1), NULL, 10));
    return ERR_OK;
}
