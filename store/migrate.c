/* migrate.c - from the version that is there to the newest, a file a step.
 *
 * A database at version 2, a program with files up to 4: 003 and its row of schema_version are one
 * transaction, 004 and its row the next. If 004 fails the database is at 3, whole, and the next run
 * goes on from there. Two runs at once: the second waits for the advisory lock, which is the
 * session's and so outlives the transactions, then finds version 4 and does nothing.
 *
 * There are no steps back: an older program refuses the database (writer_open), and a backup is
 * what undoes a migration. */
#include "store/migrate.h"

#include "store/pg.h"
#include "store/schema_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err version_of(struct db *d, int *out, struct why *why)
{
    AUTO_PGRESULT PGresult *there = NULL, *r = NULL;
    *out = 0;
    enum err e = db_query(d, "SELECT pg_catalog.to_regclass('tocsin.schema_version') IS NOT NULL",
                          0, NULL, &there, why);
    if (e || PQgetvalue(there, 0, 0)[0] != 't') return e;
    e = db_query(d, "SELECT coalesce(max(version), 0) FROM tocsin.schema_version", 0, NULL, &r,
                 why);
    if (!e) *out = atoi(PQgetvalue(r, 0, 0));
    return e;
}

static enum err run_file(struct db *d, const struct schema_file *f, struct why *why)
{
    char version[16];
    snprintf(version, sizeof version, "%d", f->version);
    enum err e = db_script(d, "BEGIN", why);
    if (!e) e = db_script(d, f->sql, why);
    if (!e)
        e = db_exec(d, "INSERT INTO tocsin.schema_version (version, name) VALUES ($1, $2)", 2,
                    (const char *const[]){ version, f->name }, why);
    if (!e) return db_script(d, "COMMIT", why);
    struct why first = *why;
    (void)!db_script(d, "ROLLBACK", NULL);
    return err_set(why, e, "%s: %.340s", f->name, first.text);
}

enum err migrate_run(const char *conninfo, int *applied, struct why *why)
{
    struct db d;
    int have = 0;
    *applied = 0;
    enum err e = db_open(conninfo, NULL, "tocsin migrate", &d, why);
    if (e) return e;
    e = db_script(&d, "SELECT pg_catalog.pg_advisory_lock(8246327)",
                  why); /* any number, as long as nobody else here uses it */
    if (!e) e = version_of(&d, &have, why);
    int newest = schema_files[schema_files_n - 1].version;
    if (!e && have > newest)
        e = err_set(
            why, ERR_CONFLICT,
            "the database has schema version %d, this program knows up to %d; use a newer program",
            have, newest);
    for (size_t i = 0; i < schema_files_n && !e; i++) {
        if (schema_files[i].version <= have) continue;
        e = run_file(&d, &schema_files[i], why);
        *applied += !e;
    }
    db_close(&d);
    return e;
}

enum err migrate_packs_lz4(const char *conninfo, bool *lz4, struct why *why)
{
    struct db d;
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin start", &d, why);
    if (!e)
        e = db_query(&d,
                     "SELECT bool_and(a.attcompression = 'l') FROM pg_catalog.pg_attribute a"
                     " WHERE (a.attrelid, a.attname) IN (('tocsin.tick_chunk'::regclass, 'price'),"
                     " ('tocsin.trade_chunk'::regclass, 'price'),"
                     " ('tocsin.snapshot_page'::regclass, 'bytes'))",
                     0, NULL, &r, why);
    if (!e) *lz4 = strcmp(PQgetvalue(r, 0, 0), "t") == 0;
    db_close(&d);
    return e;
}
