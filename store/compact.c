/* compact.c - a quarter of an hour of a day that is over, or a day of a month of long ago, in one transaction; where that is more
 * than half a million ticks, a half, a quarter, an eighth of it:
 *
 *     the partition's row of tocsin.tick_day, locked: two who do the same do it one after the other
 *     its ticks that are rows, in the order of their seq, into chunks; then they are deleted. As many must go as came
 *     its trades, out of the chunks, by instrument (by_instrument.c)
 *     tick_day.done_ns moves to the piece's end. At that of the partition the copy is complete, and from then on it is read
 *
 * Ticks of greater seq than tick_day.upto_seq are none of its business: what comes late for a day that is over stays as it came.
 * Readers see a tick once throughout: the row goes and its chunk comes in the same instant. */
#include "store/compact.h"

#include "core/when.h"
#include "store/by_instrument.h"
#include "store/chunk.h"
#include "store/table.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At 500 trades a second 450,000 ticks: one instrument's hour is a few chunks. */
static const int64_t PIECE_NS = 900 * NS_PER_S, PIECE_LEAST_NS = NS_PER_S;
enum { PIECE_TICKS = 500000 }; /* are in memory at once: 28 MB */

/* What one transaction is about. Its ticks are all of one UTC day, as those of a chunk have to be. */
struct piece {
    int64_t day_ns, end_ns; /* of the partition */
    struct stretch of;
};

/* A partition that has to be made waits behind a reader for no longer than this: those who write would wait behind it. */
enum err compact_prepare(struct db *d, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    chunk_insert_text(&sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_script(
        d, "SET lock_timeout = '500ms'; SET statement_timeout = 0; SET work_mem = '32MB'", why);
    if (!e) e = db_check(d, PQprepare(d->conn, "chunk", sql.data, CHUNK_COLUMNS, NULL), why);
    return e ? e : by_instrument_prepare(d, why);
}

static int64_t whole(const PGresult *r, int column)
{
    return strtoll(PQgetvalue(r, 0, column), NULL, 10);
}

/* Halved until it has no more ticks than a piece may; to the end of its UTC day at most. */
static enum err choose_end(struct db *d, struct piece *p, struct why *why)
{
    int64_t step = p->end_ns - p->day_ns > NS_PER_DAY ? NS_PER_DAY : PIECE_NS, ticks = 0;
    struct stretch *s = &p->of;
    const int64_t midnight = (day_of_ns(s->from_ns) + INT64_C(1)) * NS_PER_DAY,
                  last = midnight < p->end_ns ? midnight : p->end_ns;
    for (;; step /= 2) {
        s->to_ns = last - s->from_ns < step ? last : s->from_ns + step;
        enum err e = stretch_ticks(d, s, &ticks, why);
        if (e || ticks <= PIECE_TICKS || s->to_ns - s->from_ns <= PIECE_LEAST_NS) return e;
    }
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
                         .of = { .from_ns = whole(r, 3), .upto_seq = whole(r, 2) } };
    return choose_end(d, p, why);
}

/* ---- rows into chunks ---- */
struct fold {
    struct db *db;
    struct pace *pace;
    struct tick_row rows[2 * CHUNK_MAX]; /* read and not in a chunk yet */
    size_t n;
    int64_t folded;
    struct params params;
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
    return pace_rest(f->pace) ? ERR_OK : err_set(why, ERR_STOPPING, "the service is stopping");
}

/* Less than a chunk is left of the page before, so that there is room for one. */
static enum err take_page(struct fold *f, const PGresult *page, struct why *why)
{
    enum err e = ERR_OK;
    for (int i = 0; i < PQntuples(page) && !e; i++)
        e = wire_get(&tick_row, page, i, &f->rows[f->n++], why);
    return e;
}

static enum err open_rows(struct db *d, const struct piece *p, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    buf_puts(&sql, "DECLARE few NO SCROLL CURSOR FOR SELECT ");
    table_columns(&tick_row, &sql);
    stretch_rows_text(&p->of, &sql);
    buf_puts(&sql, " ORDER BY seq");
    return buf_ok(&sql) ? db_script(d, sql.data, why) : err_set(why, ERR_NOMEM, "out of memory");
}

/* Fewer than came: another compactor was quicker, and its chunks are there. The transaction must not be. */
static enum err delete_rows(struct fold *f, const struct piece *p, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    AUTO_PGRESULT PGresult *r = NULL;
    buf_puts(&sql, "DELETE");
    stretch_rows_text(&p->of, &sql);
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
    if (PQntuples(r) == 1 && whole(r, 0) == p->of.from_ns) return ERR_OK;
    return err_set(why, ERR_DB, "40001: somebody else has written that piece by instrument");
}

/* The copy of the piece and that it is there, in one. */
static enum err copy(struct fold *f, const struct piece *p, int64_t *trades, struct why *why)
{
    char to[24], day[24], written[24];
    enum err e = by_instrument_write(f->db, &p->of, f->pace, trades, why);
    if (e) return e;
    snprintf(to, sizeof to, "%" PRId64, p->of.to_ns);
    snprintf(day, sizeof day, "%" PRId64, p->day_ns);
    snprintf(written, sizeof written, "%" PRId64, *trades);
    return db_exec(
        f->db, "UPDATE tocsin.tick_day SET done_ns = $2, trades = trades + $3 WHERE from_ns = $1",
        3, (const char *const[]){ day, to, written }, why);
}

/* All of it or nothing. */
static enum err do_piece(struct fold *f, const struct piece *p, struct compacted *out,
                         struct why *why)
{
    enum err e = db_script(f->db, "BEGIN", why);
    if (!e) e = lock_day(f->db, p, why);
    if (!e) e = fold_rows(f, p, why);
    if (!e) e = copy(f, p, &out->trades, why);
    if (!e) e = db_script(f->db, "COMMIT", why);
    if (e && f->db->conn) (void)!db_script(f->db, "ROLLBACK", NULL);
    return e;
}

enum err compact_piece(struct db *d, int64_t over_ns, struct pace *pace, struct compacted *out,
                       struct why *why)
{
    struct piece p = { 0 };
    *out = (struct compacted){ 0 };
    pace_begin(pace);
    enum err e = next_piece(d, over_ns, &p, &out->more, why);
    if (e || !out->more) return e;
    struct fold *f = calloc(1, sizeof *f);
    if (!f) return err_set(why, ERR_NOMEM, "out of memory");
    f->db = d;
    f->pace = pace;
    e = do_piece(f, &p, out, why);
    out->from_ns = p.day_ns;
    out->folded = f->folded;
    out->day_done = !e && p.of.to_ns == p.end_ns;
    params_release(&f->params);
    free(f);
    if (!e && !pace_rest(pace)) return err_set(why, ERR_STOPPING, "the service is stopping");
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
