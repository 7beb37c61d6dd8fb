/* compact.c - a quarter of an hour of a day that is over, or a day of a month of long ago, in one transaction:
 *
 *     the partition's row of tocsin.tick_day, locked: two who do the same do it one after the other
 *     its ticks that are rows, in the order of their seq, into chunks; then they are deleted. As many must go as came
 *     tocsin.compact_trades: its trades, out of the chunks, by instrument
 *     tick_day.done_ns moves to the piece's end. At that of the partition the copy is complete, and from then on it is read
 *
 * Ticks of greater seq than tick_day.upto_seq are none of its business: what comes late for a day that is over stays as it came.
 * Readers see a tick once throughout: the row goes and its chunk comes in the same instant. */
#include "store/compact.h"

#include "core/when.h"
#include "store/chunk.h"
#include "store/table.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At 500 trades a second 450,000 ticks: a second or two of work, and one instrument's hour is a few chunks. */
static const int64_t PIECE_NS = 900 * NS_PER_S;

/* What one transaction is about. Its ticks are all of one UTC day, as those of a chunk have to be. */
struct piece {
    int64_t day_ns, end_ns; /* of the partition */
    int64_t from_ns, to_ns;
    int64_t upto_seq;
};

/* A partition that has to be made waits behind a reader for no longer than this: those who write would wait behind it. */
enum err compact_prepare(struct db *d, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    chunk_insert_text(&sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_script(
        d, "SET lock_timeout = '500ms'; SET statement_timeout = 0; SET work_mem = '32MB'", why);
    return e ? e : db_check(d, PQprepare(d->conn, "chunk", sql.data, CHUNK_COLUMNS, NULL), why);
}

static int64_t whole(const PGresult *r, int column)
{
    return strtoll(PQgetvalue(r, 0, column), NULL, 10);
}

/* Where the day in hand goes on, or the first of the next one. */
static enum err next_piece(struct db *d, int64_t over_ns, struct piece *p, bool *more,
                           struct why *why)
{
    char over[WHEN_TEXT_MAX];
    AUTO_PGRESULT PGresult *r = NULL;
    when_format(over_ns, over);
    enum err e =
        db_query(d, "SELECT from_ns, to_ns, upto_seq, done_ns FROM tocsin.compact_next($1)", 1,
                 (const char *const[]){ over }, &r, why);
    if (e) return e;
    *more = PQntuples(r) == 1;
    if (!*more) return ERR_OK;
    *p = (struct piece){ .day_ns = whole(r, 0),
                         .end_ns = whole(r, 1),
                         .upto_seq = whole(r, 2),
                         .from_ns = whole(r, 3) };
    const int64_t step = p->end_ns - p->day_ns > NS_PER_DAY ? NS_PER_DAY : PIECE_NS;
    p->to_ns = p->end_ns - p->from_ns < step ? p->end_ns : p->from_ns + step;
    return ERR_OK;
}

/* ---- rows into chunks ---- */
struct fold {
    struct db *db;
    struct tick_row rows[2 * CHUNK_MAX]; /* read and not in a chunk yet */
    size_t n;
    int64_t folded;
    struct chunk_params params;
};

/* The first rows that are there become a chunk; the rest moves up. */
static enum err put_chunk(struct fold *f, struct why *why)
{
    const size_t n = chunk_cut(f->rows, f->n);
    if (!chunk_pack(&f->params, f->rows, n)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_check(f->db,
                          PQexecPrepared(f->db->conn, "chunk", CHUNK_COLUMNS, f->params.values,
                                         f->params.lengths, f->params.formats, 0),
                          why);
    if (e) return e;
    f->folded += (int64_t)n;
    f->n -= n;
    memmove(f->rows, f->rows + n, f->n * sizeof *f->rows);
    return ERR_OK;
}

/* Less than a chunk is left of the page before, so that there is room for one. */
static enum err take_page(struct fold *f, const PGresult *page, struct why *why)
{
    enum err e = ERR_OK;
    for (int i = 0; i < PQntuples(page) && !e; i++)
        e = wire_get(&tick_row, page, i, &f->rows[f->n++], why);
    return e;
}

/* The same of what is read and of what is deleted. */
static void rows_text(const struct piece *p, struct buf *out)
{
    buf_printf(out,
               " FROM tocsin.tick_row WHERE event_ns >= %" PRId64 " AND event_ns < %" PRId64
               " AND seq <= %" PRId64,
               p->from_ns, p->to_ns, p->upto_seq);
}

static enum err open_rows(struct db *d, const struct piece *p, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    buf_puts(&sql, "DECLARE few NO SCROLL CURSOR FOR SELECT ");
    table_columns(&tick_row, &sql);
    rows_text(p, &sql);
    buf_puts(&sql, " ORDER BY seq");
    return buf_ok(&sql) ? db_script(d, sql.data, why) : err_set(why, ERR_NOMEM, "out of memory");
}

/* Fewer than came: another compactor was quicker, and its chunks are there. The transaction must not be. */
static enum err delete_rows(struct fold *f, const struct piece *p, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    AUTO_PGRESULT PGresult *r = NULL;
    buf_puts(&sql, "DELETE");
    rows_text(p, &sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_query(f->db, sql.data, 0, NULL, &r, why);
    if (e || atoll(PQcmdTuples(r)) == f->folded) return e;
    return err_set(why, ERR_DB,
                   "40001: %s ticks are there, %" PRId64 " were: somebody else is at them",
                   PQcmdTuples(r), f->folded);
}

/* Too few for a chunk stay what they are. */
static enum err fold_rows(struct fold *f, const struct piece *p, struct why *why)
{
    enum err e = open_rows(f->db, p, why);
    for (bool ended = false; !e && !ended;) {
        char fetch[40];
        AUTO_PGRESULT PGresult *page = NULL;
        snprintf(fetch, sizeof fetch, "FETCH %d FROM few", CHUNK_MAX);
        e = db_query_binary(f->db, fetch, 0, NULL, &page, why);
        if (!e) e = take_page(f, page, why);
        if (e) break;
        ended = PQntuples(page) == 0;
        if (ended && !f->folded && f->n < CHUNK_MIN) return db_script(f->db, "CLOSE few", why);
        while (!e && f->n && (ended || f->n >= CHUNK_MAX)) e = put_chunk(f, why);
    }
    if (!e) e = db_script(f->db, "CLOSE few", why);
    return e ? e : delete_rows(f, p, why);
}

/* ---- one piece ---- */
/* Held to the end of the transaction. */
static enum err lock_day(struct db *d, const struct piece *p, struct why *why)
{
    char day[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(day, sizeof day, "%" PRId64, p->day_ns);
    enum err e = db_query(d, "SELECT done_ns FROM tocsin.tick_day WHERE from_ns = $1 FOR UPDATE", 1,
                          (const char *const[]){ day }, &r, why);
    if (e) return e;
    if (PQntuples(r) == 1 && whole(r, 0) == p->from_ns) return ERR_OK;
    return err_set(why, ERR_DB, "40001: somebody else has written that piece by instrument");
}

/* The copy of the piece and that it is there, in one. */
static enum err by_instrument(struct db *d, const struct piece *p, int64_t *trades, struct why *why)
{
    char from[24], to[24], upto[24], day[24], written[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(from, sizeof from, "%" PRId64, p->from_ns);
    snprintf(to, sizeof to, "%" PRId64, p->to_ns);
    snprintf(upto, sizeof upto, "%" PRId64, p->upto_seq);
    snprintf(day, sizeof day, "%" PRId64, p->day_ns);
    enum err e = db_query(d, "SELECT tocsin.compact_trades($1, $2, $3)", 3,
                          (const char *const[]){ from, to, upto }, &r, why);
    if (e) return e;
    *trades = whole(r, 0);
    snprintf(written, sizeof written, "%" PRId64, *trades);
    return db_exec(
        d, "UPDATE tocsin.tick_day SET done_ns = $2, trades = trades + $3 WHERE from_ns = $1", 3,
        (const char *const[]){ day, to, written }, why);
}

/* All of it or nothing. */
static enum err do_piece(struct fold *f, const struct piece *p, struct compacted *out,
                         struct why *why)
{
    enum err e = db_script(f->db, "BEGIN", why);
    if (!e) e = lock_day(f->db, p, why);
    if (!e) e = fold_rows(f, p, why);
    if (!e) e = by_instrument(f->db, p, &out->trades, why);
    if (!e) e = db_script(f->db, "COMMIT", why);
    if (e && f->db->conn) (void)!db_script(f->db, "ROLLBACK", NULL);
    return e;
}

enum err compact_piece(struct db *d, int64_t over_ns, struct compacted *out, struct why *why)
{
    struct piece p = { 0 };
    *out = (struct compacted){ 0 };
    enum err e = next_piece(d, over_ns, &p, &out->more, why);
    if (e || !out->more) return e;
    struct fold *f = calloc(1, sizeof *f);
    if (!f) return err_set(why, ERR_NOMEM, "out of memory");
    f->db = d;
    e = do_piece(f, &p, out, why);
    out->from_ns = p.day_ns;
    out->folded = f->folded;
    out->day_done = !e && p.to_ns == p.end_ns;
    chunk_params_release(&f->params);
    free(f);
    return e;
}

enum err compact_look(struct db *d, uint64_t after,
                      void (*each)(void *ctx, uint64_t seq, const char *what, const char *stored,
                                   const char *now),
                      void *ctx, struct why *why)
{
    char text[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(text, sizeof text, "%" PRIu64, after);
    enum err e = db_query(d, "SELECT upto_seq, what, stored, now FROM tocsin.damaged_copies($1)", 1,
                          (const char *const[]){ text }, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++)
        each(ctx, strtoull(PQgetvalue(r, i, 0), NULL, 10), PQgetvalue(r, i, 1),
             PQgetisnull(r, i, 2) ? "nothing" : PQgetvalue(r, i, 2), PQgetvalue(r, i, 3));
    return e;
}
