/* row_cursor.c - a server-side cursor, read in pages.
 *
 * 25,000 rows are four calls of FETCH 10000: 10,000, 10,000, 5,000 and 0, which says that it is
 * over. So memory holds one page of each open cursor, however long the table is. libpq's single-row
 * mode would hold less, but takes the session for itself: here history has two cursors open on one
 * session, and verify one more for each table that it compares. */
#include "store/row_cursor.h"

#include "store/pg.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 10000 }; /* rows */

struct row_cursor {
    struct db *db;
    const struct row_type *type;
    /* "FETCH 10000 FROM rows_2": names are counted up in the session and never used again. */
    char fetch[60];
    /* The texts of the row that was given away last live in it: it goes when the next is fetched. */
    PGresult *page;
    int at;     /* the next row of it */
    bool ended; /* an empty page has come */
};

static enum err declare(struct row_cursor *c, const char *where, struct why *why)
{
    const struct table *t = &tables[table_of(c->type)];
    AUTO_BUF struct buf sql = { 0 };
    const unsigned no = ++c->db->cursors;
    buf_printf(&sql, "DECLARE rows_%u NO SCROLL CURSOR FOR SELECT ", no);
    table_columns(c->type, &sql);
    buf_printf(&sql, " FROM tocsin.%s%s ORDER BY ", t->name, where);
    table_order_text(t, &sql);
    snprintf(c->fetch, sizeof c->fetch, "FETCH %d FROM rows_%u", PAGE, no);
    return buf_ok(&sql) ? db_script(c->db, sql.data, why)
                        : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err begin(struct db *d, const struct row_type *type, const char *where,
                      struct row_cursor **out, struct why *why)
{
    struct row_cursor *c = calloc(1, sizeof *c);
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    c->db = d;
    c->type = type;
    enum err e = declare(c, where, why);
    if (e) row_cursor_close(c);
    else *out = c;
    return e;
}

enum err row_cursor_open(struct db *d, const struct row_type *type, struct row_cursor **out,
                         struct why *why)
{
    return begin(d, type, "", out, why);
}

enum err row_cursor_open_range(struct db *d, const struct row_type *type, uint64_t after,
                               uint64_t upto, struct row_cursor **out, struct why *why)
{
    char where[100];
    if (upto > INT64_MAX) upto = INT64_MAX;
    snprintf(where, sizeof where, " WHERE seq > %" PRIu64 " AND seq <= %" PRIu64, after, upto);
    return begin(d, type, where, out, why);
}

static enum err turn_page(struct row_cursor *c, struct why *why)
{
    if (c->ended || (c->page && c->at < PQntuples(c->page))) return ERR_OK;
    PQclear(c->page);
    c->page = NULL;
    enum err e = db_query_binary(c->db, c->fetch, 0, NULL, &c->page, why);
    if (e) return e;
    c->at = 0;
    c->ended = PQntuples(c->page) == 0;
    return ERR_OK;
}

enum err row_cursor_next(struct row_cursor *c, void *out, bool *more, struct why *why)
{
    enum err e = turn_page(c, why);
    if (e) return e;
    *more = !c->ended;
    return c->ended ? ERR_OK : wire_get(c->type, c->page, c->at++, out, why);
}

void row_cursor_close(struct row_cursor *c)
{
    if (!c) return;
    PQclear(c->page);
    free(c);
}
