#include "store/fetch.h"

#include "core/buf.h"

#include <assert.h>
#include <stdio.h>

/* The answer that is on its way, into the hands of whose it is. Whether it is a good one is looked at when it is wanted. */
static void take_in(struct db *d)
{
    struct fetch *f = d->asked;
    if (!f) return;
    assert(!f->answer);
    f->answer = PQgetResult(d->conn);
    for (PGresult *more; (more = PQgetResult(d->conn));) PQclear(more); /* ends the statement */
    d->asked = NULL;
}

void db_settle(struct db *d)
{
    if (d->asked) take_in(d);
}

static enum err ask(struct fetch *f, struct why *why)
{
    db_settle(f->db);
    if (!PQsendQueryParams(f->db->conn, f->sql, 0, NULL, NULL, NULL, NULL, 1))
        return db_check(f->db, NULL, why);
    f->db->asked = f;
    return ERR_OK;
}

enum err fetch_open(struct fetch *f, struct db *d, const char *select, int rows, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    *f = (struct fetch){ .db = d };
    const unsigned no = ++d->cursors;
    buf_printf(&sql, "DECLARE rows_%u NO SCROLL CURSOR FOR %s", no, select);
    snprintf(f->sql, sizeof f->sql, "FETCH %d FROM rows_%u", rows, no);
    enum err e =
        buf_ok(&sql) ? db_script(d, sql.data, why) : err_set(why, ERR_NOMEM, "out of memory");
    f->open = !e;
    return e;
}

enum err fetch_page(struct fetch *f, const PGresult **page, struct why *why)
{
    *page = NULL;
    if (f->ended) return ERR_OK;
    PQclear(f->page);
    f->page = NULL;
    enum err e = f->answer || f->db->asked == f ? ERR_OK : ask(f, why);
    if (e) return e;
    if (f->db->asked == f) take_in(f->db);
    PGresult *r = f->answer;
    f->answer = NULL;
    if (PQresultStatus(r) != PGRES_TUPLES_OK) return db_check(f->db, r, why);
    f->page = r;
    f->ended = PQntuples(r) == 0;
    if (f->ended) return ERR_OK;
    *page = r;
    return ask(f, why);
}

void fetch_close(struct fetch *f)
{
    if (!f->open) return;
    if (f->db->asked == f) take_in(f->db);
    PQclear(f->answer);
    PQclear(f->page);
    *f = (struct fetch){ 0 };
}
