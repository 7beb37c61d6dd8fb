/* row_cursor.h - the rows of one table in their order, a page at a time. The session must be inside a transaction, so that what
 * is read is one view. Thread: the session's. */
#ifndef TOCSIN_STORE_ROW_CURSOR_H
#define TOCSIN_STORE_ROW_CURSOR_H
#include "store/db.h"
#include "store/table.h"

struct row_cursor;

/* Every row, ordered by table_order(). */
MUST_USE enum err row_cursor_open(struct db *d, const struct row_type *type,
                                  struct row_cursor **out, struct why *why);
/* The same of a table with a seq: after < seq <= upto. */
MUST_USE enum err row_cursor_open_range(struct db *d, const struct row_type *type, uint64_t after,
                                        uint64_t upto, struct row_cursor **out, struct why *why);
/* The next row into *out, whose texts live until the next call; *more false when there is none. ERR_INVALID: a row with a text
 * that is none of its enum's; it is passed over, and the call after this one gives the next. */
MUST_USE enum err row_cursor_next(struct row_cursor *c, void *out, bool *more, struct why *why);
void row_cursor_close(struct row_cursor *c); /* NULL is fine */
#endif
