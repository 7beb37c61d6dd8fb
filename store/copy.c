/* copy.c - one COPY from its first byte to its answers.
 *
 * 50,000 ticks of 90 bytes each: 667 of them are a piece of 60,030, so 75 pieces go out, and
 * PostgreSQL stores the first while the tenth is being packed. What is wrong is told in one of
 * three places:
 *
 *     COPY itself      no such table, no right: answered at once, before any row
 *     a piece          the connection is gone
 *     the end          a row that the table does not take; with the answers, after the last one
 *
 * What goes wrong on this side (no memory) ends the COPY with a text instead of with success: the
 * server then fails it, and the transaction around it can only be rolled back. Half a COPY never
 * looks like a whole one. */
#include "store/copy.h"

#include "store/pg.h"
#include "store/wire.h"

enum { PIECE = 60000 }; /* bytes: libpq copies what it cannot send at once */

/* Sends what is packed, once it is a piece. */
static enum err put_piece(struct db *db, struct buf *packed, size_t at_least, struct why *why)
{
    if (!buf_ok(packed)) return err_set(why, ERR_NOMEM, "out of memory");
    if (packed->len < at_least) return ERR_OK;
    if (PQputCopyData(db->conn, packed->data, (int)packed->len) != 1)
        return db_check(db, PQgetResult(db->conn), why)
                   ? ERR_DB_LOST
                   : err_set(why, ERR_DB_LOST, "08006: COPY broke off");
    buf_clear(packed);
    return ERR_OK;
}

static enum err put_run(struct db *db, const struct row_type *type, const struct row_run *run,
                        struct buf *packed, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < run->n && !e; i++) {
        wire_put(type, (const char *)run->rows + i * type->size, packed);
        e = put_piece(db, packed, PIECE, why);
    }
    return e;
}

/* Every answer to a COPY; keeps the first error. */
static enum err answers(struct db *db, enum err e, struct why *why)
{
    for (PGresult *r; (r = PQgetResult(db->conn)) != NULL;) {
        struct why mine;
        enum err f = db_check(db, r, &mine);
        if (f && !e) {
            e = f;
            if (why) *why = mine;
        }
        if (PQstatus(db->conn) != CONNECTION_OK) break;
    }
    return e;
}

static enum err begin(struct db *db, const char *table, const struct row_type *type,
                      struct buf *sql, struct why *why)
{
    buf_printf(sql, "COPY %s (", table);
    table_columns(type, sql);
    buf_puts(sql, ") FROM STDIN (FORMAT binary)");
    return buf_ok(sql) ? db_script(db, sql->data, why) : err_set(why, ERR_NOMEM, "out of memory");
}

enum err copy_rows(struct db *db, const char *table, const struct row_type *type,
                   const struct row_run *const *runs, size_t n, struct why *why)
{
    AUTO_BUF struct buf packed = { 0 };
    enum err e = begin(db, table, type, &packed, why);
    if (e) return e;
    buf_clear(&packed);
    wire_begin(&packed);
    for (size_t i = 0; i < n && !e; i++) e = put_run(db, type, runs[i], &packed, why);
    wire_end(&packed);
    if (!e) e = put_piece(db, &packed, 0, why);
    if (PQputCopyEnd(db->conn, e ? "given up" : NULL) != 1 && !e)
        e = err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(db->conn));
    return answers(db, e, why);
}
