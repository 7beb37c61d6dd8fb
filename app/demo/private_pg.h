/* private_pg.h - a PostgreSQL cluster of this process's own, in one folder, reached through a Unix socket only.
 *
 * The server's programs are the newest of /usr/lib/postgresql. initdb and the server refuse to run as root: then both run as user
 * postgres, who owns the cluster's folder. The cluster is made under another name and renamed, so an interrupted initdb leaves
 * nothing half-made in use. The server is told by the kernel to shut down when the thread that opened it dies.
 *
 * Call it with SIGINT, SIGTERM and SIGHUP blocked in all threads: they are looked for while waiting. Thread: the one that opened it. */
#ifndef TOCSIN_APP_DEMO_PRIVATE_PG_H
#define TOCSIN_APP_DEMO_PRIVATE_PG_H
#include "core/err.h"

struct private_pg;

/* `folder` exists and belongs to the caller; the cluster becomes folder/pg and its log folder/pg.log. Waits until it accepts
 * connections. ERR_CONFLICT: a server is running in that folder; ERR_NOT_FOUND: PostgreSQL is not installed; ERR_STOPPING: SIGINT or
 * SIGTERM came meanwhile. `why` says what the user can do. */
MUST_USE enum err private_pg_open(const char *folder, struct private_pg **out, struct why *why);

/* libpq's connection string of a database; `user` NULL: as the cluster's superuser. */
void private_pg_conninfo(const struct private_pg *pg, const char *user, const char *database,
                         char *out, size_t cap);

/* As root: from here on this process is the user whom the server runs as, for good, and the named
 * files of `folder` are his; it can still end the server. Otherwise nothing. No other thread runs
 * yet. ERR_IO. */
MUST_USE enum err private_pg_become_user(const struct private_pg *pg, const char *folder,
                                         const char *const *files, size_t files_n, struct why *why);

/* The folder of psql and the other programs. */
const char *private_pg_programs(const struct private_pg *pg);

/* Fast shutdown, at most 7 s, then harder; a signal meanwhile means harder at once. NULL is fine. */
void private_pg_close(struct private_pg *pg);

/* Sleeps; true when SIGINT or SIGTERM came (it is consumed). */
bool interrupted_within(int ms);
#endif
