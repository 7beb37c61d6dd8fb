/* by_instrument.c - chunks in the order of seq are unpacked, sorted and packed again here and not in the server, which with
 * the same work as SQL took three to four times as long and could not be given rests.
 *
 * Of the quarter of an hour from 10:00, with chunk A from 09:59:58 to 10:00:02 and B from there on:
 *
 *     A is unpacked, its trades from 10:00 on are kept; B, and each that begins before 10:15, likewise; then the rows of the few
 *     sorted by instrument, time and seq: 7 has 900, 8 has 5000
 *     INSERT of 900 of 7, of 4096 of 8, of 904 of 8, a rest after each */
#include "store/by_instrument.h"

#include "core/vec.h"
#include "core/when.h"
#include "ingest/stored.h"
#include "store/chunk.h"
#include "store/fetch.h"
#include "store/table.h"
#include "store/trade_chunk.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PAGE = 4 }; /* chunks: between two pages there is a rest */

void stretch_rows_text(const struct stretch *s, struct buf *out)
{
    buf_printf(out,
               " FROM tocsin.tick_row WHERE event_ns >= %" PRId64 " AND event_ns < %" PRId64
               " AND seq <= %" PRId64,
               s->from_ns, s->to_ns, s->upto_seq);
}

/* Those of its day alone can have a tick of it. */
static void chunks_text(const struct stretch *s, struct buf *out)
{
    buf_printf(out,
               " FROM tocsin.tick_chunk WHERE from_ns >= %" PRId64 " AND from_ns < %" PRId64
               " AND to_ns >= %" PRId64 " AND first_seq <= %" PRId64,
               (int64_t)(day_of_ns(s->from_ns) * NS_PER_DAY), s->to_ns, s->from_ns, s->upto_seq);
}

enum err stretch_ticks(struct db *d, const struct stretch *s, int64_t *n, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    AUTO_PGRESULT PGresult *r = NULL;
    buf_puts(&sql, "SELECT (SELECT count(*)");
    stretch_rows_text(s, &sql);
    buf_printf(&sql,
               ") + (SELECT coalesce(sum(ticks * ((least(to_ns, %" PRId64
               ") - greatest(from_ns, %" PRId64
               ") + 1)::float8 / (to_ns - from_ns + 1))), 0)::bigint",
               s->to_ns - 1, s->from_ns);
    chunks_text(s, &sql);
    buf_puts(&sql, ")");
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_query(d, sql.data, 0, NULL, &r, why);
    if (!e) *n = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    return e;
}

enum err by_instrument_prepare(struct db *d, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    trade_chunk_insert_text(&sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    return db_check(d, PQprepare(d->conn, "trade_chunk", sql.data, TRADE_CHUNK_COLUMNS, NULL), why);
}

struct copying {
    struct db *db;
    const struct stretch *stretch;
    struct pace *pace;
    struct tick_row *trades;
    size_t n, cap;
    struct params params;
};

static enum err rest(const struct copying *x, struct why *why)
{
    return pace_rest(x->pace) ? ERR_OK : err_set(why, ERR_STOPPING, "the service is stopping");
}

/* ---- in ---- */
static enum err keep(struct copying *x, const struct tick_row *ticks, size_t n, struct why *why)
{
    const struct stretch *s = x->stretch;
    if (!VEC_GROW(&x->trades, &x->cap, x->n + n)) return err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (tick_is_trade(&ticks[i]) && ticks[i].event_ns >= s->from_ns
            && ticks[i].event_ns < s->to_ns && ticks[i].seq <= (uint64_t)s->upto_seq)
            x->trades[x->n++] = ticks[i];
    return ERR_OK;
}

static enum err take_page(struct copying *x, const PGresult *page, struct why *why)
{
    struct tick_row ticks[CHUNK_MAX];
    enum err e = ERR_OK;
    for (int i = 0; i < PQntuples(page) && !e; i++) {
        size_t n = 0;
        e = chunk_unpack(page, i, ticks, &n, why);
        if (!e) e = keep(x, ticks, n, why);
    }
    return e;
}

static enum err take_chunks(struct copying *x, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    struct fetch pages;
    const PGresult *page = NULL;
    buf_puts(&sql, "SELECT ");
    chunk_columns(&sql);
    chunks_text(x->stretch, &sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = fetch_open(&pages, x->db, sql.data, PAGE, why);
    do {
        if (!e) e = fetch_page(&pages, &page, why);
        if (!e && page) e = take_page(x, page, why);
        if (!e) e = rest(x, why);
    } while (!e && page);
    fetch_close(&pages);
    return e;
}

/* Fewer than make a chunk. */
static enum err take_rows(struct copying *x, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    AUTO_PGRESULT PGresult *r = NULL;
    buf_puts(&sql, "SELECT ");
    table_columns(&tick_row, &sql);
    stretch_rows_text(x->stretch, &sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_query_binary(x->db, sql.data, 0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        struct tick_row row;
        e = wire_get(&tick_row, r, i, &row, why);
        if (!e) e = keep(x, &row, 1, why);
    }
    return e;
}

/* ---- out ---- */
static int by_instrument_and_time(const void *a, const void *b)
{
    const struct tick_row *x = a, *y = b;
    if (x->instrument_id != y->instrument_id) return x->instrument_id < y->instrument_id ? -1 : 1;
    if (x->event_ns != y->event_ns) return x->event_ns < y->event_ns ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The next chunk's: as many as are of one instrument. */
static size_t cut(const struct tick_row *trades, size_t n)
{
    size_t k = 1;
    while (k < n && k < TRADE_CHUNK_MAX && trades[k].instrument_id == trades[0].instrument_id) k++;
    return k;
}

static enum err write_chunks(struct copying *x, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t at = 0, n; at < x->n && !e; at += n) {
        n = cut(x->trades + at, x->n - at);
        if (!trade_chunk_pack(&x->params, x->trades + at, n, (uint64_t)x->stretch->upto_seq))
            return err_set(why, ERR_NOMEM, "out of memory");
        e = db_check(x->db,
                     PQexecPrepared(x->db->conn, "trade_chunk", TRADE_CHUNK_COLUMNS,
                                    x->params.values, x->params.lengths, x->params.formats, 0),
                     why);
        if (!e) e = rest(x, why);
    }
    return e;
}

enum err by_instrument_write(struct db *d, const struct stretch *s, struct pace *pace,
                             int64_t *trades, struct why *why)
{
    struct copying x = { .db = d, .stretch = s, .pace = pace };
    enum err e = take_chunks(&x, why);
    if (!e) e = take_rows(&x, why);
    if (!e && x.n) qsort(x.trades, x.n, sizeof *x.trades, by_instrument_and_time);
    if (!e) e = write_chunks(&x, why);
    *trades = (int64_t)x.n;
    free(x.trades);
    params_release(&x.params);
    return e;
}
