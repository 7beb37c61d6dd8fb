/* db.h - one PostgreSQL session, for whoever hands it to the calls of this folder. Thread: one at a time.
 *
 * search_path is empty, so every name is qualified. Timeouts are set at connect (statement 30 s, lock 10 s, idle in
 * transaction 60 s). Session roles: tocsin_engine or tocsin_api. */
#ifndef TOCSIN_STORE_DB_H
#define TOCSIN_STORE_DB_H
#include "core/err.h"

#include <stdint.h>

enum { CONNINFO_MAX = 1023 }; /* bytes of a connection string that is configured */
struct pg_conn; /* libpq's; store/pg.h is how the files of this folder talk through it */
struct db {
    struct pg_conn *conn;
    char conninfo[2
                  * (CONNINFO_MAX + 1)]; /* with other quotes, and another user, it may be longer */
    char role[64], name[64];
    unsigned cursors;    /* opened so far: names them */
    struct fetch *asked; /* the cursor whose next page is on its way (fetch.h); NULL: nothing is */
};

/* Is this a connection string at all? Connects to nothing. */
MUST_USE enum err db_conninfo_check(const char *conninfo, struct why *why);

/* `role` NULL: no SET ROLE (migrations). `name` is the application_name. ERR_DB_LOST when there is no server. */
MUST_USE enum err db_open(const char *conninfo, const char *role, const char *name, struct db *out,
                          struct why *why);
void db_close(struct db *d); /* fine on a zeroed or closed one */
MUST_USE enum err db_reopen(struct db *d,
                            struct why *why); /* closes and opens again with the same arguments */

/* When a session of this process was last opened, by mono_ns(); 0: never. Any thread. */
int64_t db_opened_ns(void);

/* What stands in the way, for people: "disk full", "a lock", "not reachable" ...; a literal that names no
 * host and no object. `why` is that of a failed call. */
const char *db_trouble(enum err e, const struct why *why);

/* ERR_DB retryable as a whole transaction? 40001 40P01 55P03 57P01 53xxx 08xxx. */
bool db_retryable(const struct why *why);
#endif
