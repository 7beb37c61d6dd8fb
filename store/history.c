/* history.c - the ticks (tick_reader.c) and a cursor over the events, merged by seq: whichever stands
 * at the lower one is next.
 *
 * Ticks 41, 42, 44 and events 43, 45:
 *
 *     call   ticks at  events at   gives away         before it is given, moved on
 *     1      41        43          tick 41            both: nothing has been read
 *     2      42        43          tick 42            ticks
 *     3      44        43          event 43           ticks
 *     4      44        45          tick 44            events
 *     5      -         45          event 45           ticks, which are at their end
 *     6      -         -           no more            events
 *
 * The one whose row was given away moves at the next call and not before: the payload of an event
 * lives in the cursor's page. A seq that is missing is passed over here; app/recover.c, which
 * counts, stops at it. */
#include "store/history.h"

#include "ingest/stored.h"
#include "store/pg.h"
#include "store/row_cursor.h"
#include "store/tick_reader.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct history {
    struct db *db;
    struct tick_reader *ticks;
    struct row_cursor *events;
    const struct tick_row *tick; /* where each stands, while it has more; NULL: no more */
    struct event_row event;
    bool more_events;
    enum {
        TOOK_BOTH,
        TOOK_TICK,
        TOOK_EVENT
    } took; /* what the last call gave away: to be moved on from. BOTH: there was no call yet */
    /* By instrument id, read once at the opening. That is early enough: an instrument is stored in
     * the transaction of its first record, and all is read in one view. An id that is not used has
     * an empty symbol. */
    struct symbol *symbols;
    int32_t symbols_n;
    /* What they were called before: by instrument, and then by time. */
    struct former {
        int32_t instrument;
        uint64_t until_seq;
        struct symbol symbol;
    } *former;
    int former_n;
};

/* ---- symbols ---- */
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

static enum err load_former(struct history *h, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(h->db,
                          "SELECT instrument_id, until_seq, symbol FROM tocsin.symbol"
                          " WHERE until_seq < 9223372036854775807"
                          " ORDER BY instrument_id, until_seq, from_seq",
                          0, NULL, &r, why);
    if (e) return e;
    const int n = PQntuples(r);
    h->former = calloc((size_t)n + 1, sizeof *h->former);
    if (!h->former) return err_set(why, ERR_NOMEM, "out of memory");
    for (h->former_n = 0; h->former_n < n; h->former_n++) {
        const int i = h->former_n;
        struct former *f = &h->former[i];
        f->instrument = atoi(PQgetvalue(r, i, 0));
        f->until_seq = strtoull(PQgetvalue(r, i, 1), NULL, 10);
        memcpy(f->symbol.s, PQgetvalue(r, i, 2), strnlen(PQgetvalue(r, i, 2), SYMBOL_MAX));
    }
    return ERR_OK;
}

/* Renames are few: a database without one has nothing to look through. */
static const struct symbol *symbol_at(const struct history *h, int32_t instrument, uint64_t seq)
{
    if (instrument < 0 || instrument >= h->symbols_n) return NULL;
    for (int i = 0; i < h->former_n; i++)
        if (h->former[i].instrument == instrument && seq < h->former[i].until_seq)
            return &h->former[i].symbol;
    return &h->symbols[instrument];
}

const char *history_symbol(const struct history *h, int32_t instrument, uint64_t seq)
{
    const struct symbol *s = symbol_at(h, instrument, seq);
    return s ? s->s : "";
}

const char *history_called(const struct history *h, const char *symbol, uint64_t seq)
{
    int32_t found = -1;
    uint64_t until = 0;
    for (int i = 0; i < h->former_n; i++)
        if (strcmp(h->former[i].symbol.s, symbol) == 0 && h->former[i].until_seq > until) {
            found = h->former[i].instrument;
            until = h->former[i].until_seq;
        }
    for (int32_t i = 0; i < h->symbols_n; i++)
        if (strcmp(h->symbols[i].s, symbol) == 0) found = i;
    return history_symbol(h, found, seq);
}

bool history_begins(const struct history *h, const char *symbol, size_t from)
{
    for (size_t i = from; i < (size_t)h->symbols_n; i++)
        if (strcmp(symbol_at(h, (int32_t)i, 0)->s, symbol) == 0) return true;
    return false;
}

/* ---- records ---- */
/* One view from first to last, while a service may go on writing. A replay of a year takes its
 * time, between two pages too: the session's timeouts, which are for a service, do not hold for it.
 * Ticks that are rows have no index that gives them by seq, only the BRIN that finds a range of it,
 * so they are sorted: in this much memory, else on disk. */
static const char BEGIN[] =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;"
    " SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL work_mem = '64MB'";

enum err history_open(struct db *d, uint64_t after, uint64_t upto, struct history **out,
                      struct why *why)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h) return err_set(why, ERR_NOMEM, "out of memory");
    h->db = d;
    enum err e = db_script(d, BEGIN, why);
    if (!e) e = tick_reader_open(d, after, upto, &h->ticks, why);
    if (!e) e = row_cursor_open_range(d, &event_row, after, upto, &h->events, why);
    if (!e) e = load_symbols(h, why);
    if (!e) e = load_former(h, why);
    if (e) history_close(h);
    else *out = h;
    return e;
}

void history_close(struct history *h)
{
    if (!h) return;
    tick_reader_close(h->ticks);
    row_cursor_close(h->events);
    if (h->db->conn && PQtransactionStatus(h->db->conn) != PQTRANS_IDLE)
        (void)!db_script(h->db, "ROLLBACK", NULL);
    free(h->symbols);
    free(h->former);
    free(h);
}

static enum err move_on(struct history *h, struct why *why)
{
    enum err e = ERR_OK;
    if (h->took != TOOK_EVENT) e = tick_reader_next(h->ticks, &h->tick, why);
    if (!e && h->took != TOOK_TICK) e = row_cursor_next(h->events, &h->event, &h->more_events, why);
    return e;
}

static enum err take_tick(struct history *h, struct stored *out, struct why *why)
{
    const struct tick_row *t = h->tick;
    h->took = TOOK_TICK;
    const struct symbol *symbol = symbol_at(h, t->instrument_id, t->seq);
    if (!symbol || !symbol->s[0])
        return err_set(why, ERR_DB, "tick %" PRIu64 " names instrument %d, which is not stored",
                       t->seq, t->instrument_id);
    *out = (struct stored){ .record = record_of_tick(t, symbol) };
    return ERR_OK;
}

static enum err take_event(struct history *h, struct stored *out)
{
    h->took = TOOK_EVENT;
    *out = (struct stored){ .record = record_of_event(&h->event),
                            .is_event = true,
                            .tenant = h->event.tenant_id,
                            .payload = h->event.payload };
    return ERR_OK;
}

enum err history_next(struct history *h, struct stored *out, bool *more, struct why *why)
{
    enum err e = move_on(h, why);
    if (e) return e;
    *more = h->tick || h->more_events;
    if (!*more) return ERR_OK;
    const bool tick = h->tick && (!h->more_events || h->tick->seq < h->event.seq);
    return tick ? take_tick(h, out, why) : take_event(h, out);
}

/* ---- where to begin ---- */
enum err history_last_seq(struct db *d, uint64_t *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT last_seq FROM tocsin.shard WHERE shard_id = 0", 0, NULL, &r, why);
    if (e) return e;
    if (PQntuples(r) != 1) return err_set(why, ERR_CONFLICT, "tocsin.shard has lost its row");
    *out = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
    return ERR_OK;
}

static enum err next_source_id(struct db *d, int32_t *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e =
        db_query(d, "SELECT coalesce(max(source_id), 0) + 1 FROM tocsin.source", 0, NULL, &r, why);
    if (!e) *out = atoi(PQgetvalue(r, 0, 0));
    return e;
}

static enum err newest_lives(struct db *d, PGresult **out, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    buf_puts(&sql, "SELECT DISTINCT ON (topic, part) ");
    table_columns(&source_life_row, &sql);
    buf_puts(&sql, " FROM tocsin.source ORDER BY topic, part, source_epoch DESC");
    return buf_ok(&sql) ? db_query_binary(d, sql.data, 0, NULL, out, why)
                        : err_set(why, ERR_NOMEM, "out of memory");
}

enum err history_sources(struct db *d, struct arena *arena, struct source_life **out, size_t *n,
                         int32_t *next_id, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = newest_lives(d, &r, why);
    if (!e) e = next_source_id(d, next_id, why);
    if (e) return e;
    *n = (size_t)PQntuples(r);
    struct source_life *lives = arena_alloc(arena, (*n + 1) * sizeof *lives);
    if (!lives) return err_set(why, ERR_NOMEM, "out of memory");
    for (int i = 0; i < (int)*n && !e; i++) {
        struct source_life life;
        e = wire_get(&source_life_row, r, i, &life, why);
        if (!e && !row_copy(&source_life_row, &life, arena, &lives[i]))
            e = err_set(why, ERR_NOMEM, "out of memory");
    }
    if (!e) *out = lives;
    return e;
}
