/* scratch_db.h - a database of the test's own on the server of TOCSIN_TEST_DATABASE (a conninfo whose user may create databases),
 * migrated, and dropped at the end. For one test program each: everything is static. */
#ifndef TOCSIN_TESTS_SCRATCH_DB_H
#define TOCSIN_TESTS_SCRATCH_DB_H
#include "store/pg.h"
#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch_name[64], conninfo[900];
static struct db scratch_admin, root; /* root: in the test's database, no SET ROLE */

/* False: there is no server, and there is nothing to test. */
static bool scratch_open(const char *what)
{
    const char *server = getenv("TOCSIN_TEST_DATABASE");
    struct why why = { .text = "" };
    char text[200];
    int applied;
    if (!server) {
        puts("TOCSIN_TEST_DATABASE is not set: skipped");
        return false;
    }
    snprintf(scratch_name, sizeof scratch_name, "tocsin_%s_%d", what, (int)getpid());
    snprintf(conninfo, sizeof conninfo, "%s dbname=%s", server, scratch_name);
    snprintf(text, sizeof text, "CREATE DATABASE %s", scratch_name);
    if (db_open(server, NULL, "test", &scratch_admin, &why) || db_script(&scratch_admin, text, &why)
        || migrate_run(conninfo, &applied, &why) || db_open(conninfo, NULL, "test", &root, &why)) {
        fprintf(stderr, "cannot make the test's database: %s\n", why.text);
        exit(1);
    }
    return true;
}

static void scratch_close(void)
{
    struct why why = { .text = "" };
    char text[200];
    db_close(&root);
    snprintf(text, sizeof text, "DROP DATABASE %s WITH (FORCE)", scratch_name);
    if (db_script(&scratch_admin, text, &why)) fprintf(stderr, "%s\n", why.text);
    db_close(&scratch_admin);
}

static void sql(const char *text)
{
    struct why why = { .text = "" };
    if (db_script(&root, text, &why)) fail_msg("%s: %s", text, why.text);
}

__attribute__((unused)) static int64_t number(const char *text)
{
    struct why why = { .text = "" };
    AUTO_PGRESULT PGresult *r = NULL;
    if (db_query(&root, text, 0, NULL, &r, &why)) fail_msg("%s: %s", text, why.text);
    return PQntuples(r) && !PQgetisnull(r, 0, 0) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : -1;
}
#endif
