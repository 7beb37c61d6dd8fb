/* row_cursor.c - the pages of a server-side cursor, as structs.
 *
 * 25,000 rows are four pages: 10,000, 10,000, 5,000 and an empty one. So memory holds two pages of each open cursor, however
 * long the table is. libpq's single-row mode would hold less, but takes the session for itself: here history has two cursors
 * open on one session, and verify one more for each table that it compares. */
#include "store/row_cursor.h"

#include "store/fetch.h"
#include "store/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 10000 }; /* rows */

struct row_cursor {
    const struct row_type *type;
    struct fetch pages;
    /* The texts of the row that was given away last live in it: it goes when the next is fetched. */
    const PGresult *page;
    int at; /* the next row of it */
    bool ended;
};

static enum err begin(struct db *d, const struct row_type *type, const char *where,
                      struct row_cursor **out, struct why *why)
{
    const struct table *t = &tables[table_of(type)];
    AUTO_BUF struct buf sql = { 0 };
    struct row_cursor *c = calloc(1, sizeof *c);
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    c->type = type;
    buf_puts(&sql, "SELECT ");
    table_columns(type, &sql);
    buf_printf(&sql, " FROM tocsin.%s%s ORDER BY ", t->name, where);
    table_order_text(t, &sql);
    enum err e = buf_ok(&sql) ? fetch_open(&c->pages, d, sql.data, PAGE, why)
                              : err_set(why, ERR_NOMEM, "out of memory");
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
    c->at = 0;
    enum err e = fetch_page(&c->pages, &c->page, why);
    c->ended = !e && !c->page;
    return e;
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
    fetch_close(&c->pages);
    free(c);
}
