/* pg.h - how the files of this folder talk through a session; nobody else sees libpq. Thread: the session's.
 *
 * Only parameters and prepared texts. */
#ifndef TOCSIN_STORE_PG_H
#define TOCSIN_STORE_PG_H
#include "store/db.h"

#include <libpq-fe.h>

static inline void pgresult_end(PGresult **r) { PQclear(*r); }
#define AUTO_PGRESULT __attribute__((cleanup(pgresult_end)))

/* Text parameters (NULL is SQL null), text results. *out is the caller's (PQclear), NULL on failure.
 * ERR_DB_LOST when the connection is gone, else ERR_DB; the SQLSTATE leads the detail: "40001: could not serialize ...". */
MUST_USE enum err db_query(struct db *d, const char *sql, int n, const char *const *params,
                           PGresult **out, struct why *why);
/* The same when the rows do not matter. */
MUST_USE enum err db_exec(struct db *d, const char *sql, int n, const char *const *params,
                          struct why *why);
/* Several statements without parameters in one call (migrations, BEGIN). */
MUST_USE enum err db_script(struct db *d, const char *sql, struct why *why);
/* For what the caller did through d->conn itself: classifies and clears `r`. */
MUST_USE enum err db_check(struct db *d, PGresult *r, struct why *why);
/* The same with binary results. */
MUST_USE enum err db_query_binary(struct db *d, const char *sql, int n, const char *const *params,
                                  PGresult **out, struct why *why);
/* A page of a cursor that is on its way (fetch.h) is taken in: before anything else is asked. */
void db_settle(struct db *d);
#endif
