/* api_login.c - a second login, because the first cannot give anything up for good: whatever SET ROLE
 * took from a session, RESET ROLE gives back.
 *
 *     tocsin migrate    as tocsin (CREATEROLE), in the database with oid 16391:
 *                       CREATE ROLE tocsin_api_16391 LOGIN PASSWORD 'SCRAM-SHA-256$...'
 *                       GRANT tocsin_api TO tocsin_api_16391
 *                       its password into tocsin.api_login, which tocsin_engine alone reads
 *     tocsin serve      as tocsin: reads the password of the row whose oid is this database's
 *                       conninfo = host=... dbname=... user=tocsin_api_16391 password=...
 *                       tries it, and whether it can become tocsin_engine
 *
 * A dump brings the row of the database that it was made of: another oid, so it is not taken, and
 * the next migrate makes a login for this one. A role that was dropped or may not log in any more is
 * made or mended the same way. */
#include "store/api_login.h"

#include "core/digest.h"
#include "store/pg.h"

#include <stdio.h>
#include <string.h>

enum { SECRET_BYTES = 32, SECRET_TEXT = 2 * SECRET_BYTES + 1 };

/* ---- making it ---- */
static const char STANDS[] =
    "SELECT 'tocsin_api_' || d.oid, r.rolname IS NOT NULL,"
    "       coalesce(r.rolcanlogin AND NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, 'tocsin_api', 'MEMBER')"
    "                AND l.role IS NOT NULL, false)"
    "  FROM pg_catalog.pg_database d"
    "  LEFT JOIN pg_catalog.pg_roles r ON r.rolname = 'tocsin_api_' || d.oid"
    "  LEFT JOIN tocsin.api_login l ON l.database = d.oid AND l.role = 'tocsin_api_' || d.oid"
    " WHERE d.datname = pg_catalog.current_database()";

static void random_hex(char out[SECRET_TEXT])
{
    uint8_t bytes[SECRET_BYTES];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
}

/* The server gets a SCRAM verifier, so that the password is in no statement and in no log of it. `role` needs no quotes: it is
 * "tocsin_api_" and digits. A verifier has none either. */
static enum err set_password(struct db *d, const char *role, bool there, const char *password,
                             struct why *why)
{
    char sql[512];
    char *verifier = PQencryptPasswordConn(d->conn, password, role, "scram-sha-256");
    if (!verifier) return err_set(why, ERR_DB, "XX000: %s", PQerrorMessage(d->conn));
    snprintf(sql, sizeof sql, "%s ROLE %s LOGIN PASSWORD '%s'", there ? "ALTER" : "CREATE", role,
             verifier);
    PQfreemem(verifier);
    enum err e = db_script(d, sql, why);
    snprintf(sql, sizeof sql, "GRANT tocsin_api TO %s", role);
    return e ? e : db_script(d, sql, why);
}

static enum err make(struct db *d, const char *role, bool there, struct why *why)
{
    char password[SECRET_TEXT];
    random_hex(password);
    const char *const row[] = { role, password };
    enum err e = set_password(d, role, there, password, why);
    if (!e)
        e = db_exec(d,
                    "INSERT INTO tocsin.api_login (database, role, password)"
                    " SELECT d.oid, $1, $2 FROM pg_catalog.pg_database d"
                    "  WHERE d.datname = pg_catalog.current_database()"
                    " ON CONFLICT (database) DO UPDATE SET role = excluded.role,"
                    "    password = excluded.password, made_at = pg_catalog.now()",
                    2, row, why);
    explicit_bzero(password, sizeof password);
    return e;
}

/* Where not everybody may connect. */
static enum err let_connect(struct db *d, const char *role, struct why *why)
{
    char sql[300];
    snprintf(
        sql, sizeof sql,
        "DO $$ BEGIN IF NOT pg_catalog.has_database_privilege('%s', pg_catalog.current_database(),"
        " 'CONNECT') THEN EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %%I TO %s',"
        " pg_catalog.current_database()); END IF; END $$",
        role, role);
    return db_script(d, sql, why);
}

static enum err make_in(struct db *d, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d, STANDS, 0, NULL, &r, why);
    if (e) return e;
    const char *role = PQgetvalue(r, 0, 0);
    const bool there = PQgetvalue(r, 0, 1)[0] == 't', whole = PQgetvalue(r, 0, 2)[0] == 't';
    if (!whole) e = make(d, role, there, why);
    return e ? e : let_connect(d, role, why);
}

enum err api_login_make(const char *conninfo, struct why *why)
{
    struct db d;
    enum err e = db_open(conninfo, NULL, "tocsin migrate", &d, why);
    if (e) return e;
    e = db_script(&d, "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(8246327)", why);
    if (!e) e = make_in(&d, why);
    if (!e) e = db_script(&d, "COMMIT", why);
    db_close(&d);
    if (e && strncmp(why->text, "42501", 5) == 0)
        return err_set(why, ERR_FORBIDDEN, "this user may not make the role: %s", why->text);
    return e;
}

/* ---- logging in with it ---- */
/* libpq takes 'quoted' values with backslashes before quotes and backslashes. */
static void put_pair(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s%s='", out->len ? " " : "", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\') buf_put(out, "\\", 1);
        buf_put(out, p, 1);
    }
    buf_puts(out, "'");
}

/* A URI or a list of pairs, it comes out as pairs. What proves who the old user is goes with it. */
static enum err replace_user(const char *conninfo, const char *user, const char *password,
                             struct buf *out, struct why *why)
{
    static const char *const his[] = { "user", "password", "passfile", "sslpassword" };
    char *text = NULL;
    PQconninfoOption *o = PQconninfoParse(conninfo, &text);
    if (!o) {
        enum err e = err_set(why, ERR_INVALID, "%.200s", text ? text : "out of memory");
        PQfreemem(text);
        return e;
    }
    for (const PQconninfoOption *p = o; p->keyword; p++) {
        bool keep = p->val != NULL;
        for (size_t i = 0; i < ARRAY_LEN(his); i++) keep = keep && strcmp(p->keyword, his[i]) != 0;
        if (keep) put_pair(out, p->keyword, p->val);
    }
    PQconninfoFree(o);
    put_pair(out, "user", user);
    put_pair(out, "password", password);
    return buf_ok(out) ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

enum err api_login_check(const char *conninfo, struct why *why)
{
    struct db d;
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_open(conninfo, "tocsin_api", "tocsin start", &d, why);
    if (!e)
        e = db_query(&d, "SELECT pg_catalog.pg_has_role(session_user, 'tocsin_engine', 'MEMBER')",
                     0, NULL, &r, why);
    db_close(&d);
    if (!e && PQgetvalue(r, 0, 0)[0] == 't')
        return err_set(why, ERR_FORBIDDEN, "its user can become tocsin_engine");
    return e;
}

static enum err read_login(const char *conninfo, PGresult **out, struct why *why)
{
    struct db d;
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin start", &d, why);
    if (!e)
        e = db_query(
            &d,
            "SELECT l.role, l.password FROM tocsin.api_login l JOIN pg_catalog.pg_database d"
            "    ON d.oid = l.database WHERE d.datname = pg_catalog.current_database()",
            0, NULL, out, why);
    db_close(&d);
    if (!e && PQntuples(*out) == 0)
        return err_set(why, ERR_NOT_FOUND, "none was made; run: tocsin migrate");
    return e;
}

enum err api_login_find(const char *conninfo, struct buf *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = read_login(conninfo, &r, why);
    if (!e) e = replace_user(conninfo, PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1), out, why);
    return e ? e : api_login_check(out->data, why);
}

enum err login_is_above_rows(const char *conninfo, bool *out, struct why *why)
{
    struct db d;
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_open(conninfo, NULL, "tocsin start", &d, why);
    if (!e)
        e = db_query(&d,
                     "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles"
                     " WHERE rolname = session_user",
                     0, NULL, &r, why);
    db_close(&d);
    if (!e) *out = PQgetvalue(r, 0, 0)[0] == 't';
    return e;
}
