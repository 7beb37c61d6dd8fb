/* db.h - one PostgreSQL session and the few ways this project talks through it. Thread: one at a time.
 *
 * Only parameters and prepared texts; search_path is empty, so every name is qualified. Timeouts are set at connect
 * (statement 30 s, lock 10 s, idle in transaction 60 s). Session roles: tocsin_engine or tocsin_api. */
#ifndef TOCSIN_STORE_DB_H
#define TOCSIN_STORE_DB_H
#include "core/err.h"

#include <libpq-fe.h>
#include <stdint.h>

struct db {
    PGconn *conn;
    char conninfo[1024];
    char role[64], name[64];
};

static inline void pgresult_end(PGresult **r) { PQclear(*r); }
#define AUTO_PGRESULT __attribute__((cleanup(pgresult_end)))

/* Is this a connection string at all? Connects to nothing. */
MUST_USE enum err db_conninfo_check(const char *conninfo, struct why *why);

/* `role` NULL: no SET ROLE (migrations). `name` is the application_name. ERR_DB_LOST when there is no server. */
MUST_USE enum err db_open(const char *conninfo, const char *role, const char *name, struct db *out,
                          struct why *why);
void db_close(struct db *d); /* fine on a zeroed or closed one */
MUST_USE enum err db_reopen(struct db *d,
                            struct why *why); /* closes and opens again with the same arguments */

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
/* ERR_DB retryable as a whole transaction? 40001 40P01 55P03 57P01 53xxx 08xxx. */
bool db_retryable(const struct why *why);
#endif
