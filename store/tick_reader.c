/* tick_reader.c - rows and chunks merged by seq.
 *
 * Chunks are read in the order of their first_seq. Those of one turn may overlap, when it had ticks of two days; those of two
 * turns do not. Chunk A has 41 to 4136, B, of the day before, 44 and 97, C 5000 to 9095:
 *
 *     A is opened, and 41 and 42 are given away; B begins at 44: it is opened before 44 would be A's
 *     43 of A, 44 of B, 45 to 96 of A, 97 of B, which is over and closed; A to its end
 *     C
 *
 * So in memory are one turn's ticks, and mostly one chunk's. A row, of which there is a cursor too, is one more that stands
 * somewhere. As long as one open chunk is alone before everything else its ticks are given away without any comparison. */
#include "store/tick_reader.h"

#include "core/vec.h"
#include "store/chunk.h"
#include "store/fetch.h"
#include "store/row_cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 16 }; /* chunks: some 2.5 MB when they are full, and as much is on its way */

struct open_chunk {
    struct tick_row *rows; /* CHUNK_MAX of them, kept while it is spare */
    size_t n, at;
};

struct tick_reader {
    uint64_t after, upto;
    /* The chunks that are stored, a page at a time: `page_at` is the one to be opened next. */
    struct fetch pages;
    const PGresult *page; /* NULL: there is none, or the first has not been fetched */
    int page_at;
    uint64_t next_first; /* of that one; UINT64_MAX: there is none */
    /* open[0 .. n) have ticks to give; the rest, up to `made`, are spare. */
    struct open_chunk *open;
    size_t n, made, cap;
    size_t from;    /* the chunk that ticks are given from, until it stands at `until` or beyond */
    uint64_t until; /* where another one or a row is next */
    struct row_cursor *cursor;
    struct tick_row row; /* where the cursor stands */
    bool more_rows;
    bool row_given; /* the cursor is to be moved before its row is looked at */
};

/* ---- chunks ---- */
static enum err declare(struct tick_reader *t, struct db *d, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    const uint64_t from = t->after > CHUNK_SPAN ? t->after - CHUNK_SPAN : 0;
    buf_puts(&sql, "SELECT ");
    chunk_columns(&sql);
    buf_printf(&sql,
               " FROM tocsin.tick_chunk WHERE first_seq > %" PRIu64 " AND first_seq <= %" PRIu64
               " AND last_seq > %" PRIu64 " ORDER BY first_seq",
               from, t->upto, t->after);
    return buf_ok(&sql) ? fetch_open(&t->pages, d, sql.data, PAGE, why)
                        : err_set(why, ERR_NOMEM, "out of memory");
}

/* Looks where the next chunk begins, and turns the page for it. */
static enum err look_ahead(struct tick_reader *t, struct why *why)
{
    enum err e = ERR_OK;
    if (!t->page || t->page_at == PQntuples(t->page)) {
        e = fetch_page(&t->pages, &t->page, why);
        t->page_at = 0;
    }
    t->next_first = t->page ? chunk_first_seq(t->page, t->page_at) : UINT64_MAX;
    return e;
}

/* One to read the next into: its room is kept from an earlier one. NULL: out of memory. */
static struct open_chunk *spare(struct tick_reader *t)
{
    if (t->n < t->made) return &t->open[t->n];
    if (!VEC_GROW(&t->open, &t->cap, t->n + 1)) return NULL;
    struct open_chunk *c = &t->open[t->n];
    *c = (struct open_chunk){ .rows = calloc(CHUNK_MAX, sizeof *c->rows) };
    if (!c->rows) return NULL;
    t->made++;
    return c;
}

static enum err open_next(struct tick_reader *t, struct why *why)
{
    struct open_chunk *c = spare(t);
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = chunk_unpack(t->page, t->page_at++, c->rows, &c->n, why);
    if (e) return e;
    for (c->at = 0; c->at < c->n && c->rows[c->at].seq <= t->after;) c->at++;
    if (c->at < c->n && c->rows[c->at].seq <= t->upto) t->n++;
    return look_ahead(t, why);
}

static uint64_t stands_at(const struct open_chunk *c) { return c->rows[c->at].seq; }

/* Chunks that are over become spare. */
static void close_ended(struct tick_reader *t)
{
    for (size_t i = t->n; i-- > 0;) {
        struct open_chunk *c = &t->open[i];
        if (c->at < c->n && stands_at(c) <= t->upto) continue;
        struct open_chunk ended = *c;
        *c = t->open[--t->n];
        t->open[t->n] = ended;
    }
}

/* A scan: there is one, or those of the days of one turn. */
static size_t lowest(const struct tick_reader *t)
{
    size_t best = 0;
    for (size_t i = 1; i < t->n; i++)
        if (stands_at(&t->open[i]) < stands_at(&t->open[best])) best = i;
    return best;
}

/* ---- both ---- */
/* UINT64_MAX, behind everything, when there is no more row. */
static uint64_t row_stands_at(const struct tick_reader *t)
{
    return t->more_rows ? t->row.seq : UINT64_MAX;
}

/* Chooses the chunk whose tick is next, and how far it is alone. Of a seq that is there twice both are given away, for verify
 * to find. */
static enum err choose(struct tick_reader *t, struct why *why)
{
    close_ended(t);
    for (;;) {
        const uint64_t first = t->n ? stands_at(&t->open[lowest(t)]) : UINT64_MAX;
        if (t->next_first == UINT64_MAX || t->next_first > first
            || (!t->n && t->next_first > row_stands_at(t)))
            break;
        enum err e = open_next(t, why);
        if (e) return e;
    }
    t->from = lowest(t);
    t->until = t->next_first < row_stands_at(t) ? t->next_first : row_stands_at(t);
    for (size_t i = 0; i < t->n; i++)
        if (i != t->from && stands_at(&t->open[i]) < t->until) t->until = stands_at(&t->open[i]);
    if (t->until > t->upto) t->until = t->upto == UINT64_MAX ? UINT64_MAX : t->upto + 1;
    return ERR_OK;
}

/* As long as what was chosen last holds. */
static bool may_go_on(const struct tick_reader *t)
{
    return t->n && t->open[t->from].at < t->open[t->from].n
           && stands_at(&t->open[t->from]) < t->until;
}

enum err tick_reader_next(struct tick_reader *t, const struct tick_row **out, struct why *why)
{
    enum err e = ERR_OK;
    *out = NULL;
    if (!may_go_on(t)) {
        if (t->row_given) e = row_cursor_next(t->cursor, &t->row, &t->more_rows, why);
        t->row_given = false;
        if (!e) e = choose(t, why);
        if (e) return e;
    }
    const uint64_t row = row_stands_at(t);
    if (t->n && stands_at(&t->open[t->from]) <= row) {
        struct open_chunk *c = &t->open[t->from];
        *out = &c->rows[c->at++];
    } else if (t->more_rows) {
        t->row_given = true;
        *out = &t->row;
    }
    return ERR_OK;
}

enum err tick_reader_open(struct db *d, uint64_t after, uint64_t upto, struct tick_reader **out,
                          struct why *why)
{
    struct tick_reader *t = calloc(1, sizeof *t);
    if (!t) return err_set(why, ERR_NOMEM, "out of memory");
    t->after = after;
    t->upto = upto > INT64_MAX ? INT64_MAX : upto;
    t->row_given = true;
    enum err e = row_cursor_open_range(d, &tick_row, after, upto, &t->cursor, why);
    if (!e) e = declare(t, d, why);
    if (!e) e = look_ahead(t, why);
    if (e) tick_reader_close(t);
    else *out = t;
    return e;
}

void tick_reader_close(struct tick_reader *t)
{
    if (!t) return;
    row_cursor_close(t->cursor);
    for (size_t i = 0; i < t->made; i++) free(t->open[i].rows);
    free(t->open);
    fetch_close(&t->pages);
    free(t);
}
