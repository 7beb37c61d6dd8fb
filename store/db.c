/* db.c - a session, and what its failures mean.
 *
 * Every failure ends as one of two errors, its SQLSTATE first in the detail:
 *
 *     a constraint is broken        ERR_DB        "23505: duplicate key value ..."
 *     the statement took too long   ERR_DB        "57014: canceling statement ..."
 *     the server was shut down      ERR_DB_LOST   "57P01: terminating connection ..."
 *     the network is gone           ERR_DB_LOST   "08006: server closed the connection ..."
 *
 * After ERR_DB_LOST nobody knows whether the statement in hand took effect. Who wrote has to look
 * (writer_recover). */
#include "store/db.h"

#include "core/when.h"
#include "store/pg.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static _Atomic int64_t opened_ns;

int64_t db_opened_ns(void) { return atomic_load(&opened_ns); }

enum err db_conninfo_check(const char *conninfo, struct why *why)
{
    char *text = NULL;
    PQconninfoOption *o = PQconninfoParse(conninfo, &text);
    enum err e = strlen(conninfo) > CONNINFO_MAX
                     ? err_set(why, ERR_TOO_LARGE, "longer than %d bytes", CONNINFO_MAX)
                 : o ? ERR_OK
                     : err_set(why, ERR_INVALID, "%.200s", text ? text : "out of memory");
    if (why && e) why->text[strcspn(why->text, "\n")] = '\0';
    PQconninfoFree(o);
    PQfreemem(text);
    return e;
}

enum err db_open(const char *conninfo, const char *role, const char *name, struct db *out,
                 struct why *why)
{
    struct db d = { 0 };
    *out = d;
    if (strlen(conninfo) >= sizeof d.conninfo)
        return err_set(why, ERR_TOO_LARGE, "the connection string is longer than %zu bytes",
                       sizeof d.conninfo - 1);
    assert((!role || strlen(role) < sizeof d.role) && strlen(name) < sizeof d.name); /* literals */
    snprintf(d.conninfo, sizeof d.conninfo, "%s", conninfo);
    snprintf(d.role, sizeof d.role, "%s", role ? role : "");
    snprintf(d.name, sizeof d.name, "%s", name);
    *out = d;
    return db_reopen(out, why);
}

void db_close(struct db *d)
{
    PQfinish(d->conn);
    d->conn = NULL;
}

/* A server that is gone without a word (its machine lost power) is noticed within 10 s of sending,
 * and by a session at rest within 5 + 3 * 2 s, by the kernel's probes. By default it would be a
 * quarter of an hour, and two hours. What `options` set stands before what the server, the database
 * or the role has. */
enum err db_reopen(struct db *d, struct why *why)
{
    db_close(d);
    static const char *const keys[] = { "dbname",
                                        "application_name",
                                        "options",
                                        "connect_timeout",
                                        "tcp_user_timeout",
                                        "keepalives",
                                        "keepalives_idle",
                                        "keepalives_interval",
                                        "keepalives_count",
                                        "client_encoding",
                                        NULL };
    const char *const values[] = {
        d->conninfo,
        d->name,
        "-c search_path= -c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        " -c synchronous_commit=on -c client_min_messages=warning",
        "5",
        "10000",
        "1",
        "5",
        "2",
        "3",
        "UTF8",
        NULL
    };
    d->conn = PQconnectdbParams(keys, values, 1);
    if (!d->conn) return err_set(why, ERR_NOMEM, "out of memory");
    if (PQstatus(d->conn) != CONNECTION_OK) {
        char text[300];
        snprintf(text, sizeof text, "%s", PQerrorMessage(d->conn));
        text[strcspn(text, "\n")] = '\0';
        db_close(d);
        return err_set(why, ERR_DB_LOST, "cannot connect to PostgreSQL: %s", text);
    }
    atomic_store(&opened_ns, mono_ns());
    if (!d->role[0]) return ERR_OK;
    char *quoted = PQescapeIdentifier(d->conn, d->role, strlen(d->role));
    if (!quoted) return err_set(why, ERR_NOMEM, "out of memory");
    char sql[160];
    snprintf(sql, sizeof sql, "SET ROLE %s", quoted);
    PQfreemem(quoted);
    enum err e = db_script(d, sql, why);
    if (e) db_close(d);
    return e;
}

enum err db_check(struct db *d, PGresult *r, struct why *why)
{
    ExecStatusType s = r ? PQresultStatus(r) : PGRES_FATAL_ERROR;
    if (s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_COPY_IN
        || s == PGRES_SINGLE_TUPLE) {
        PQclear(r);
        return ERR_OK;
    }
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    enum err e = PQstatus(d->conn) == CONNECTION_OK ? ERR_DB : ERR_DB_LOST;
    char line[300];
    snprintf(line, sizeof line, "%s", text ? text : PQerrorMessage(d->conn));
    line[strcspn(line, "\n")] = '\0';
    bool bare = state
                && (strcmp(state, "42P01") == 0
                    || strcmp(state, "3F000") == 0); /* no such table, no such schema */
    err_set(why, e, "%s: %s%s", state ? state : "08006", line,
            bare ? "; is it there? run: tocsin migrate" : "");
    PQclear(r);
    return e;
}

static enum err query(struct db *d, const char *sql, int n, const char *const *params, int format,
                      PGresult **out, struct why *why)
{
    *out = NULL;
    if (!d->conn) return err_set(why, ERR_DB_LOST, "08003: not connected to PostgreSQL");
    db_settle(d);
    PGresult *r = PQexecParams(d->conn, sql, n, NULL, params, NULL, NULL, format);
    ExecStatusType s = r ? PQresultStatus(r) : PGRES_FATAL_ERROR;
    if (s != PGRES_TUPLES_OK && s != PGRES_COMMAND_OK) return db_check(d, r, why);
    *out = r;
    return ERR_OK;
}

enum err db_query(struct db *d, const char *sql, int n, const char *const *params, PGresult **out,
                  struct why *why)
{
    return query(d, sql, n, params, 0, out, why);
}

enum err db_query_binary(struct db *d, const char *sql, int n, const char *const *params,
                         PGresult **out, struct why *why)
{
    return query(d, sql, n, params, 1, out, why);
}

enum err db_exec(struct db *d, const char *sql, int n, const char *const *params, struct why *why)
{
    PGresult *r;
    enum err e = db_query(d, sql, n, params, &r, why);
    PQclear(r);
    return e;
}

enum err db_script(struct db *d, const char *sql, struct why *why)
{
    if (!d->conn) return err_set(why, ERR_DB_LOST, "08003: not connected to PostgreSQL");
    db_settle(d);
    return db_check(d, PQexec(d->conn, sql), why);
}

const char *db_trouble(enum err e, const struct why *why)
{
    static const struct {
        const char *state, *text; /* a code, or the beginning of one: the first that fits */
    } troubles[] = {
        { "53100", "disk full" },
        { "53200", "the server is out of memory" },
        { "53300", "too many connections" },
        { "53", "too few resources" },
        { "55P03", "a lock that another session holds" },
        { "57014", "timeout: no answer in time" },
        { "57P", "gone: shut down, crashed or starting" },
        { "25006", "read-only: a standby, or set so" },
        { "40", "conflict with another session" },
        { "42501", "permission denied" },
        { "28", "login refused" },
        { "23", "a row that the schema refuses" },
        { "58", "input or output failed at the server" },
        { "XX", "the server found its data damaged" },
    };
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
        if (strncmp(why->text, troubles[i].state, strlen(troubles[i].state)) == 0)
            return troubles[i].text;
    return e == ERR_DB_LOST ? "gone: not reachable" : err_text(e);
}

/* What another attempt at the whole transaction may mend, by class and code (the manual's appendix
 * "PostgreSQL Error Codes"):
 *
 *     40001 40P01         serialization, deadlock: somebody else was first
 *     55P03 57014         a lock or the statement took longer than we wait
 *     57P01 57P02 57P03   shut down, crashed, starting up
 *     25006               read-only: for a moment after a failover
 *     08... 53...         the connection; too few resources (disk full, too many connections) */
bool db_retryable(const struct why *why)
{
    static const char *const exact[] = { "40001", "40P01", "55P03", "57P01",
                                         "57P02", "57P03", "57014", "25006" };
    if (strncmp(why->text, "08", 2) == 0 || strncmp(why->text, "53", 2) == 0) return true;
    for (size_t i = 0; i < ARRAY_LEN(exact); i++)
        if (strncmp(why->text, exact[i], 5) == 0) return true;
    return false;
}
