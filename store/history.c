#include "store/history.h"

#include "core/arena.h"
#include "ingest/batch.h"
#include "ingest/stored.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 10000 };

struct pages {
    const char *fetch;
    PGresult *page;
    int at;
    bool ended;
};

struct history {
    struct db *db;
    struct pages ticks, events;
    struct symbol *symbols; /* by instrument id */
    int32_t symbols_n;
};

static int64_t get64(const PGresult *r, int row, int col)
{
    uint64_t v;
    memcpy(&v, PQgetvalue(r, row, col), 8);
    return (int64_t)be64toh(v);
}
static int32_t get32(const PGresult *r, int row, int col)
{
    uint32_t v;
    memcpy(&v, PQgetvalue(r, row, col), 4);
    return (int32_t)be32toh(v);
}
static int16_t get16(const PGresult *r, int row, int col)
{
    uint16_t v;
    memcpy(&v, PQgetvalue(r, row, col), 2);
    return (int16_t)be16toh(v);
}

static enum err turn(struct db *d, struct pages *p, struct why *why)
{
    if (p->ended || (p->page && p->at < PQntuples(p->page))) return ERR_OK;
    PQclear(p->page);
    p->page = PQexecParams(d->conn, p->fetch, 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(p->page) != PGRES_TUPLES_OK) {
        enum err e = db_check(d, p->page, why);
        p->page = NULL;
        return e ? e : ERR_DB;
    }
    p->at = 0;
    p->ended = PQntuples(p->page) == 0;
    return ERR_OK;
}

static enum err load_symbols(struct history *h, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(
        h->db, "SELECT instrument_id, symbol FROM tocsin.instrument ORDER BY instrument_id", 0,
        NULL, &r, why);
    if (e) return e;
    int n = PQntuples(r);
    h->symbols_n = n ? atoi(PQgetvalue(r, n - 1, 0)) + 1 : 0;
    h->symbols = calloc((size_t)h->symbols_n + 1, sizeof *h->symbols);
    if (!h->symbols) return err_set(why, ERR_NOMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        struct symbol *s = &h->symbols[atoi(PQgetvalue(r, i, 0))];
        memcpy(s->s, PQgetvalue(r, i, 1), strnlen(PQgetvalue(r, i, 1), SYMBOL_MAX));
    }
    return ERR_OK;
}

const char *history_symbol(const struct history *h, int32_t instrument)
{
    return instrument >= 0 && instrument < h->symbols_n ? h->symbols[instrument].s : "";
}

enum err history_open(struct db *d, uint64_t after, uint64_t upto, struct history **out,
                      struct why *why)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) return err_set(why, ERR_NOMEM, "out of memory");
    h->db = d;
    h->ticks.fetch = "FETCH 10000 FROM tick_page";
    h->events.fetch = "FETCH 10000 FROM event_page";
    char sql[900];
    if (upto > INT64_MAX) upto = INT64_MAX;
    snprintf(
        sql, sizeof sql,
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL work_mem = '64MB';"
        "DECLARE tick_page NO SCROLL CURSOR FOR SELECT seq, event_ns, received_ms, kpos, price_e8, size_e8, instrument_id, day_or_kind FROM tocsin.tick"
        " WHERE seq > %" PRIu64 " AND seq <= %" PRIu64 " ORDER BY seq;"
        "DECLARE event_page NO SCROLL CURSOR FOR SELECT seq, event_ns, received_ms, kpos, kind, tenant_id, payload FROM tocsin.event"
        " WHERE seq > %" PRIu64 " AND seq <= %" PRIu64 " ORDER BY seq",
        after, upto, after, upto);
    enum err e = db_script(d, sql, why);
    if (!e) e = load_symbols(h, why);
    if (e) {
        history_close(h);
        return e;
    }
    *out = h;
    return ERR_OK;
}

void history_close(struct history *h)
{
    if (!h) return;
    PQclear(h->ticks.page);
    PQclear(h->events.page);
    if (h->db->conn && PQtransactionStatus(h->db->conn) != PQTRANS_IDLE)
        (void)!db_script(h->db, "ROLLBACK", NULL);
    free(h->symbols);
    free(h);
}

enum err history_next(struct history *h, struct stored *out, bool *more, struct why *why)
{
    enum err e = turn(h->db, &h->ticks, why);
    if (!e) e = turn(h->db, &h->events, why);
    if (e) return e;
    *more = !h->ticks.ended || !h->events.ended;
    if (!*more) return ERR_OK;
    bool tick =
        h->events.ended
        || (!h->ticks.ended
            && get64(h->ticks.page, h->ticks.at, 0) < get64(h->events.page, h->events.at, 0));
    *out = (struct stored){ .is_event = !tick };
    if (tick) {
        const PGresult *p = h->ticks.page;
        int i = h->ticks.at++;
        const struct tick_row t = { .seq = (uint64_t)get64(p, i, 0),
                                    .event_ns = get64(p, i, 1),
                                    .received_ms = get64(p, i, 2),
                                    .kpos = get64(p, i, 3),
                                    .price_e8 = get64(p, i, 4),
                                    .size_e8 = get64(p, i, 5),
                                    .instrument_id = get32(p, i, 6),
                                    .day_or_kind = get32(p, i, 7) };
        if (!history_symbol(h, t.instrument_id)[0])
            return err_set(why, ERR_DB, "tick %" PRIu64 " names instrument %d, which is not stored",
                           t.seq, t.instrument_id);
        out->record = record_of_tick(&t, &h->symbols[t.instrument_id]);
        return ERR_OK;
    }
    const PGresult *p = h->events.page;
    int i = h->events.at++;
    struct event_row row = { .seq = (uint64_t)get64(p, i, 0),
                             .event_ns = get64(p, i, 1),
                             .received_ms = get64(p, i, 2),
                             .kpos = get64(p, i, 3),
                             .kind = get16(p, i, 4) };
    out->record = record_of_event(&row);
    if (!PQgetisnull(p, i, 5)) memcpy(out->tenant.b, PQgetvalue(p, i, 5), 16);
    out->payload = (struct str){ PQgetvalue(p, i, 6), (uint32_t)PQgetlength(p, i, 6) };
    return ERR_OK;
}

/* ---- any ordered query ---- */
enum err row_cursor_open(struct db *d, const char *name, const char *sql, struct row_cursor *out,
                         struct why *why)
{
    *out = (struct row_cursor){ .db = d };
    snprintf(out->name, sizeof out->name, "%s", name);
    char text[1200];
    snprintf(text, sizeof text, "DECLARE %s NO SCROLL CURSOR FOR %s", name, sql);
    return db_script(d, text, why);
}

const PGresult *row_cursor_next(struct row_cursor *c, int *row, enum err *e, struct why *why)
{
    *e = ERR_OK;
    if (c->ended) return NULL;
    if (!c->page || c->at == PQntuples(c->page)) {
        char text[80];
        snprintf(text, sizeof text, "FETCH %d FROM %s", PAGE, c->name);
        PQclear(c->page);
        c->page = NULL;
        *e = db_query(c->db, text, 0, NULL, &c->page, why);
        c->at = 0;
        c->ended = *e || PQntuples(c->page) == 0;
        if (c->ended) return NULL;
    }
    *row = c->at++;
    return c->page;
}

void row_cursor_close(struct row_cursor *c)
{
    PQclear(c->page);
    c->page = NULL;
}

/* ---- where to begin ---- */
enum err history_snapshot(struct db *d, int version, uint64_t *seq, const void **state, size_t *n,
                          PGresult **holder, struct why *why)
{
    char v[16];
    snprintf(v, sizeof v, "%d", version);
    *seq = 0;
    *state = NULL;
    *n = 0;
    PGresult *r = PQexecParams(
        d->conn,
        "SELECT seq, state FROM tocsin.snapshot WHERE shard_id = 0 AND version = $1 ORDER BY seq DESC LIMIT 1",
        1, NULL, (const char *const[]){ v }, NULL, NULL, 1);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        enum err e = db_check(d, r, why);
        return e ? e : ERR_DB;
    }
    *holder = r;
    if (PQntuples(r) == 0) return ERR_OK;
    *seq = (uint64_t)get64(r, 0, 0);
    *state = PQgetvalue(r, 0, 1);
    *n = (size_t)PQgetlength(r, 0, 1);
    return ERR_OK;
}

enum err history_sources(struct db *d, struct arena *arena, struct source_life **out, size_t *n,
                         int32_t *next_id, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL, *top = NULL;
    enum err e = db_query(
        d,
        "SELECT DISTINCT ON (topic, part) source_id, part, source_epoch, cluster_id, topic, reason, next_offset, fingerprint"
        " FROM tocsin.source ORDER BY topic, part, source_epoch DESC",
        0, NULL, &r, why);
    if (!e)
        e = db_query(d, "SELECT coalesce(max(source_id), 0) + 1 FROM tocsin.source", 0, NULL, &top,
                     why);
    if (e) return e;
    *n = (size_t)PQntuples(r);
    *next_id = atoi(PQgetvalue(top, 0, 0));
    struct source_life *l = arena_alloc(arena, (*n + 1) * sizeof *l);
    if (!l) return err_set(why, ERR_NOMEM, "out of memory");
    for (int i = 0; i < (int)*n; i++) {
        const char *text[3];
        for (int k = 0; k < 3; k++) {
            text[k] = arena_copy(arena, PQgetvalue(r, i, 3 + k), (size_t)PQgetlength(r, i, 3 + k));
            if (!text[k]) return err_set(why, ERR_NOMEM, "out of memory");
        }
        l[i] = (struct source_life){ .source_id = atoi(PQgetvalue(r, i, 0)),
                                     .part = atoi(PQgetvalue(r, i, 1)),
                                     .source_epoch = atoi(PQgetvalue(r, i, 2)),
                                     .cluster_id = text[0],
                                     .topic = text[1],
                                     .reason = text[2],
                                     .next_offset = strtoll(PQgetvalue(r, i, 6), NULL, 10),
                                     .fingerprint = strtoll(PQgetvalue(r, i, 7), NULL, 10) };
    }
    *out = l;
    return ERR_OK;
}
