/* watch.c - questions that are not waited for.
 *
 * A server that is stopped or whose machine hangs keeps the connection open and says nothing: PQexec
 * would sit there until the kernel gives the peer up. So a question is sent, the socket is polled for
 * WATCH_ANSWER_MS, and what has not answered by then is gone; the session with it, since its answer
 * may still come. */
#include "store/watch.h"

#include "core/when.h"
#include "store/claim.h"
#include "store/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct watch {
    struct db db;
    bool opened; /* db knows conninfo and role */
    char *conninfo;
};

enum err watch_new(const char *conninfo, struct watch **out)
{
    struct watch *w = calloc(1, sizeof *w);
    if (w) w->conninfo = strdup(conninfo);
    if (!w || !w->conninfo) {
        free(w);
        return ERR_NOMEM;
    }
    *out = w;
    return ERR_OK;
}

void watch_free(struct watch *w)
{
    if (!w) return;
    db_close(&w->db);
    free(w->conninfo);
    free(w);
}

/* The server's own limits are shorter than ours, so that what it can say of a lock or of itself comes
 * in its own words. */
static enum err connect_if_needed(struct watch *w, struct why *why)
{
    if (w->db.conn && PQstatus(w->db.conn) == CONNECTION_OK) return ERR_OK;
    enum err e = w->opened ? db_reopen(&w->db, why)
                           : db_open(w->conninfo, "tocsin_engine", "tocsin watch", &w->db, why);
    w->opened = true;
    if (!e) e = db_script(&w->db, "SET statement_timeout = '2s'; SET lock_timeout = '1s'", why);
    return e;
}

/* false: there is none by then. */
static bool has_answer(struct db *d)
{
    const int64_t until = mono_ns() + WATCH_ANSWER_MS * NS_PER_MS;
    while (PQisBusy(d->conn)) {
        const int64_t left_ms = (until - mono_ns()) / NS_PER_MS;
        struct pollfd p = { .fd = PQsocket(d->conn), .events = POLLIN };
        if (left_ms <= 0) return false;
        if (poll(&p, 1, (int)left_ms) < 0 && errno != EINTR) return false;
        if (!PQconsumeInput(d->conn)) return true; /* gone: the result says so */
    }
    return true;
}

/* PQexec would wait for a server that holds the connection and says nothing. */
static enum err ask(struct watch *w, const char *sql, PGresult **out, struct why *why)
{
    enum err e = connect_if_needed(w, why);
    if (e) return e;
    struct db *d = &w->db;
    if (!PQsendQueryParams(d->conn, sql, 0, NULL, NULL, NULL, NULL, 0))
        e = err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(d->conn));
    else if (!has_answer(d))
        e = err_set(why, ERR_DB_LOST, "57014: no answer within %d ms", WATCH_ANSWER_MS);
    PGresult *r = e ? NULL : PQgetResult(d->conn);
    if (!e && PQresultStatus(r) != PGRES_TUPLES_OK) e = db_check(d, r, why);
    else if (!e) *out = r;
    if (e) db_close(d);
    else
        for (PGresult *rest; (rest = PQgetResult(d->conn)) != NULL;) PQclear(rest);
    return e;
}

enum err watch_shard(struct watch *w, int64_t *epoch, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = ask(w, "SELECT epoch FROM tocsin.shard WHERE shard_id = 0", &r, why);
    if (e) return e;
    if (PQntuples(r) != 1) return err_set(why, ERR_FENCED, "tocsin.shard has lost its row");
    *epoch = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    return ERR_OK;
}

static const char OLDEST[] = SQL_OWED_CHANNELS
    ", due AS ("
    "  SELECT d.next_attempt FROM owed JOIN tocsin.channel c USING (tenant_id, channel_id), LATERAL ("
    "      SELECT o.next_attempt FROM tocsin.outbox o"
    "       WHERE o.tenant_id = c.tenant_id AND o.channel_id = c.channel_id"
    "         AND o.status = 'waiting' AND o.next_attempt <= now()"
    "       ORDER BY o.stream_no LIMIT 1) d"
    "   WHERE c.enabled AND NOT c.deleted"
    "     AND NOT EXISTS (SELECT FROM held h WHERE h.tenant_id = c.tenant_id"
    "                        AND h.channel_id = c.channel_id)"
    ")"
    " SELECT coalesce(ceil(1000 * extract(epoch FROM now() - min(next_attempt))), 0)::bigint FROM due";

enum err watch_owed(struct watch *w, int64_t *oldest_ms, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = ask(w, OLDEST, &r, why);
    if (!e) *oldest_ms = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    return e;
}
