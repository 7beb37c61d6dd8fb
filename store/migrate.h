/* migrate.h - brings a database to the schema this program was built with. Forward only, one transaction a file. */
#ifndef TOCSIN_STORE_MIGRATE_H
#define TOCSIN_STORE_MIGRATE_H
#include "core/err.h"

/* *applied: how many files were run now. Two at once are safe: the second waits (advisory lock), then has nothing to do.
 * ERR_CONFLICT when the database is newer than this program. */
MUST_USE enum err migrate_run(const char *conninfo, int *applied, struct why *why);
#endif
