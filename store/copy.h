/* copy.h - rows into one table by COPY BINARY: packed and sent in pieces, so that PostgreSQL stores the first while the next are
 * packed. Thread: the session's. */
#ifndef TOCSIN_STORE_COPY_H
#define TOCSIN_STORE_COPY_H
#include "store/db.h"
#include "store/write_batch.h"

/* `table` with its schema; inside a transaction of the caller's, which after a failure is to be rolled back. */
MUST_USE enum err copy_rows(struct db *db, const char *table, const struct row_type *type,
                            const struct row_run *const *runs, size_t n, struct why *why);
#endif
