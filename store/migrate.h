/* migrate.h - brings a database to the schema this program was built with. Forward only, one transaction a file. */
#ifndef TOCSIN_STORE_MIGRATE_H
#define TOCSIN_STORE_MIGRATE_H
#include "core/err.h"

#include <stdbool.h>

/* *applied: how many files were run now. Two at once are safe: the second waits (advisory lock), then has nothing to do.
 * ERR_CONFLICT when the database is newer than this program. */
MUST_USE enum err migrate_run(const char *conninfo, int *applied, struct why *why);
/* Is everything that the schema has packed by lz4 so? False: this server has none, and packs with its own pglz. */
MUST_USE enum err migrate_packs_lz4(const char *conninfo, bool *lz4, struct why *why);
#endif
