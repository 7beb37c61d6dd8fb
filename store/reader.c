/* reader.c - a tenant's question as a transaction of its own.
 *
 * GET /v1/rules?limit=2 with a key of tenant 0b54...:
 *
 *     BEGIN READ ONLY
 *     SELECT set_config('tocsin.tenant', '0b54...', true)
 *     SELECT ... FROM tocsin.rule r WHERE NOT r.deleted ...
 *     COMMIT
 *
 * `true`: the setting ends with the transaction, and nothing of it is left for the next request on
 * the session.
 *
 * Row-level security adds tenant_id = 0b54... to every table that is a tenant's, whatever the
 * statement forgot. Without a tenant the setting is empty and no such row is seen at all: finding a
 * key, which comes before a tenant is known, goes through a function of the database that runs as
 * tocsin_engine and gives the row of one id.
 *
 * When PostgreSQL restarts the question in hand fails, the session is opened again and the question
 * asked once more. While it does not come back, one question in half a second pays for an attempt;
 * the others are told at once. */
#include "store/reader.h"

#include "core/when.h"
#include "store/pg.h"
#include "store/table.h"
#include "store/wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum mode { READ, WRITE, ALERTS };

static const struct {
    enum mode mode;
    int params;
    const char *sql;
} queries[QUERY_COUNT] = {
#define QUERY(id, mode, params, sql) [QUERY_##id] = { mode, params, sql },
#include "store/queries.def"
#undef QUERY
};

#define REOPEN_PAUSE_NS                                                                            \
    (500 * NS_PER_MS) /* a dead database costs a request this little, not a connect timeout each */

struct reader {
    /* Idle between two calls; closed after a failure that may have left it in a transaction. */
    struct db db;
    char *conninfo;
    const char *name;  /* a literal */
    bool opened;       /* db knows conninfo and role: to be opened again, not for the first time */
    int64_t failed_ns; /* monotonic: of the newest attempt to connect that failed; 0: none did */
};

struct reader *reader_new(const char *conninfo, const char *name)
{
    struct reader *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->conninfo = strdup(conninfo); /* whole: db_open says when it is too long */
    r->name = name;
    if (r->conninfo) return r;
    free(r);
    return NULL;
}

void reader_free(struct reader *r)
{
    if (!r) return;
    db_close(&r->db);
    free(r->conninfo);
    free(r);
}

/* Not once somebody else has got through: who is told that the service is ready finds it so. */
static bool is_pausing(const struct reader *r)
{
    return r->failed_ns && mono_ns() < r->failed_ns + REOPEN_PAUSE_NS
           && db_opened_ns() < r->failed_ns;
}

static enum err ensure_open(struct reader *r, struct why *why)
{
    if (r->db.conn && PQstatus(r->db.conn) == CONNECTION_OK) return ERR_OK;
    if (is_pausing(r))
        return err_set(why, ERR_DB_LOST,
                       "08001: not connected to PostgreSQL, trying again shortly");
    enum err e = r->opened ? db_reopen(&r->db, why)
                           : db_open(r->conninfo, "tocsin_api", r->name, &r->db, why);
    r->opened = true;
    /* shorter than what the caller of the API waits */
    if (!e)
        e = db_script(
            &r->db,
            "SET statement_timeout = '8s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '15s'",
            why);
    if (e) {
        db_close(&r->db);
        r->failed_ns = mono_ns();
    }
    return e;
}

/* The rows of an alert are read by its description, in binary. */
static enum err query_alerts(struct reader *r, enum query q, const char *const *params,
                             PGresult **out, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    buf_puts(&sql, "SELECT ");
    table_columns(&alert_row, &sql);
    buf_printf(&sql, " FROM tocsin.alert %s", queries[q].sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    return db_query_binary(&r->db, sql.data, queries[q].params, params, out, why);
}

/* One transaction; on failure it is rolled back, and the session closed where that fails too. */
static enum err transaction(struct reader *r, struct uuid tenant, enum query q,
                            const char *const *params, PGresult **out, struct why *why)
{
    char text[UUID_TEXT] = "";
    if (!uuid_is_none(tenant)) uuid_format(tenant, text);
    const char *set = text;
    enum err e = db_script(&r->db, queries[q].mode == WRITE ? "BEGIN" : "BEGIN READ ONLY", why);
    if (!e) e = db_exec(&r->db, "SELECT set_config('tocsin.tenant', $1, true)", 1, &set, why);
    if (!e)
        e = queries[q].mode == ALERTS
                ? query_alerts(r, q, params, out, why)
                : db_query(&r->db, queries[q].sql, queries[q].params, params, out, why);
    if (!e) e = db_script(&r->db, "COMMIT", why);
    if (!e) return ERR_OK;
    PQclear(*out);
    *out = NULL;
    if (e == ERR_DB_LOST || db_script(&r->db, "ROLLBACK", NULL) != ERR_OK) db_close(&r->db);
    return e;
}

/* Tried twice: reads change nothing, and every write here says the same when it is said again. But
 * not after 57014, the statement's timeout: a question that has taken 8 s would take them again. */
static enum err run(struct reader *r, struct uuid tenant, enum query q, const char *const *params,
                    PGresult **out, struct why *why)
{
    enum err e = ERR_DB_LOST;
    *out = NULL;
    for (int i = 0; i < 2; i++) {
        e = ensure_open(r, why);
        if (!e) e = transaction(r, tenant, q, params, out, why);
        if (e != ERR_DB_LOST
            && !(e == ERR_DB && why && db_retryable(why) && strncmp(why->text, "57014", 5) != 0))
            break;
    }
    return e;
}

enum { COLUMNS_MAX = 20 };

enum err reader_rows(struct reader *r, struct uuid tenant, enum query q, const char *const *params,
                     void (*fn)(void *ctx, const char *const *columns), void *ctx, struct why *why)
{
    AUTO_PGRESULT PGresult *res = NULL;
    enum err e = run(r, tenant, q, params, &res, why);
    if (e) return e;
    const int columns_n = PQnfields(res);
    const char *columns[COLUMNS_MAX] = { 0 };
    assert(columns_n <= COLUMNS_MAX); /* the queries are ours: queries.def */
    for (int i = 0; i < PQntuples(res); i++) {
        for (int c = 0; c < columns_n; c++)
            columns[c] = PQgetisnull(res, i, c) ? NULL : PQgetvalue(res, i, c);
        fn(ctx, columns);
    }
    return ERR_OK;
}

enum err reader_text(struct reader *r, struct uuid tenant, enum query q, const char *const *params,
                     struct buf *out, struct why *why)
{
    AUTO_PGRESULT PGresult *res = NULL;
    enum err e = run(r, tenant, q, params, &res, why);
    if (e) return e;
    if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0))
        return err_set(why, ERR_NOT_FOUND, "no such thing");
    buf_put(out, PQgetvalue(res, 0, 0), (size_t)PQgetlength(res, 0, 0));
    return buf_ok(out) ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

enum err reader_alerts(struct reader *r, struct uuid tenant, enum query q,
                       const char *const *params, void (*fn)(void *ctx, const struct alert *a),
                       void *ctx, struct why *why)
{
    AUTO_PGRESULT PGresult *res = NULL;
    assert(queries[q].mode == ALERTS);
    enum err e = run(r, tenant, q, params, &res, why);
    for (int i = 0; !e && i < PQntuples(res); i++) {
        struct alert a;
        e = wire_get(&alert_row, res, i, &a, why);
        if (!e) fn(ctx, &a);
        else if (e == ERR_INVALID)
            e = ERR_DB; /* it is the database that is wrong, not the caller */
    }
    return e;
}

static int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

enum err reader_find_key(struct reader *r, const char *key_id, const uint8_t sha[SHA256_SIZE],
                         struct uuid *out_tenant, struct why *why)
{
    AUTO_PGRESULT PGresult *res = NULL;
    enum err e = run(r, (struct uuid){ 0 }, QUERY_FIND_KEY, &key_id, &res, why);
    if (e) return e;
    bool known = PQntuples(res) == 1 && PQgetlength(res, 0, 1) == 2 * SHA256_SIZE;
    static const char nothing[2 * SHA256_SIZE + 1] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    const char *hex = known ? PQgetvalue(res, 0, 1) : nothing;
    uint8_t want[SHA256_SIZE];
    for (int i = 0; i < SHA256_SIZE; i++)
        want[i] = (uint8_t)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
    bool same = digest_equal(want, sha, SHA256_SIZE);
    if (!known || !same)
        return err_set(why, ERR_UNAUTHORIZED, "unknown, expired or revoked API key");
    return uuid_parse(PQgetvalue(res, 0, 0), UUID_TEXT - 1, out_tenant)
               ? err_set(why, ERR_INTERNAL, "tenant id is no uuid")
               : ERR_OK;
}

struct dead_rows {
    const char *const *ids;
    size_t n;
    bool *dead;
};

static void one_dead(void *ctx, const char *const *c)
{
    const struct dead_rows *rows = ctx;
    for (size_t i = 0; i < rows->n; i++)
        if (strcmp(rows->ids[i], c[0]) == 0) rows->dead[i] = true;
}

enum err reader_dead_keys(struct reader *r, const char *const *ids, size_t n, bool *dead,
                          struct why *why)
{
    AUTO_BUF struct buf list = { 0 };
    for (size_t i = 0; i < n; i++) {
        dead[i] = false;
        buf_puts(&list, i ? "," : "");
        buf_puts(&list, ids[i]);
    }
    if (!buf_ok(&list)) return err_set(why, ERR_NOMEM, "out of memory");
    if (n == 0) return ERR_OK;
    struct dead_rows rows = { ids, n, dead };
    const char *param = list.data;
    return reader_rows(r, (struct uuid){ 0 }, QUERY_DEAD_KEYS, &param, one_dead, &rows, why);
}
