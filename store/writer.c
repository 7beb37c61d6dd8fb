/* writer.c - the fence, and what a lost answer means.
 *
 * tocsin.shard is one row. Instance A opens the shard, commits, loses an answer, and is fenced by B:
 *
 *                                      epoch commits last_seq
 *     A opens                            7      12      40     A keeps (7, 12, 40) as its fence
 *     A commits records 41 to 43         7      13      43     the fence moves along
 *     A commits dead letters alone       7      14      43     no record; commits moves all the same
 *     A commits record 44, no answer     ?       ?       ?     A connects again and looks:
 *         either                         7      14      43     not in: the same batch once more
 *         or                             7      15      44     in: the fence moves along
 *     B opens                            8      15      44
 *     A commits record 45                                      TF001: A is fenced, and ends
 *
 * That is why commits is counted: last_seq alone would not tell whether the dead letters are in,
 * and they would be written twice. A COMMIT that is still on its way while A looks is not doubled
 * either: the batch that is sent again waits for the row's lock, finds commits at 15 and is
 * refused. A then ends, and its next start begins where the row says. */
#include "store/writer.h"

#include "store/pg.h"
#include "store/schema_files.h"
#include "store/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    /* Opened by writer_open. Once a commit has failed it is used by nobody but
     * writer_recover, which looks whether it is idle and else opens another: what
     * an interrupted pipeline left behind is never reasoned about. */
    struct db db;
    /* As the shard's row stood when this writer last knew: set by writer_open,
     * moved by moved_on() alone, when a batch is known to be in. */
    struct fence fence;
    /* Days for which a partition is known to be there. Forgotten with the session:
     * whoever broke it may have dropped one. */
    struct partitions partitions;
    struct stages stages; /* the session's */
    int64_t statement_ms,
        said_ms; /* how long one may take; what the session has been told. 0: db.c's */
};

/* With fsync or full_page_writes off a power cut takes back what has been told to
 * a receiver as committed; and a schema of another version would fail in the
 * middle of the first batch, if at all. */
static enum err check_server(struct writer *w, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(
        &w->db,
        "SELECT pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes'),"
        " (SELECT coalesce(max(version), 0) FROM tocsin.schema_version)",
        0, NULL, &r, why);
    if (e)
        return strstr(why->text, "42P01") || strstr(why->text, "3F000")
                   ? err_set(why, ERR_CONFLICT,
                             "the database has no Tocsin schema; run: tocsin migrate")
                   : e;
    if (strcmp(PQgetvalue(r, 0, 0), "on") != 0 || strcmp(PQgetvalue(r, 0, 1), "on") != 0)
        return err_set(
            why, ERR_CONFLICT,
            "PostgreSQL runs with fsync=%s and full_page_writes=%s; both must be on, or committed alerts can be lost",
            PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
    int have = atoi(PQgetvalue(r, 0, 2)), want = schema_files[schema_files_n - 1].version;
    if (have != want)
        return err_set(
            why, ERR_CONFLICT,
            "the database has schema version %d, this program needs %d; run: tocsin migrate", have,
            want);
    return ERR_OK;
}

enum err writer_open(const char *conninfo, struct writer **out, uint64_t *last_seq, struct why *why)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin writer", &w->db, why);
    if (!e) e = check_server(w, why);
    AUTO_PGRESULT PGresult *r = NULL;
    if (!e)
        e = db_query(
            &w->db,
            "UPDATE tocsin.shard SET epoch = epoch + 1, taken_at = pg_catalog.now() WHERE shard_id = 0 RETURNING epoch, last_seq, commits",
            0, NULL, &r, why);
    if (!e && PQntuples(r) != 1) e = err_set(why, ERR_CONFLICT, "tocsin.shard has lost its row");
    if (!e) e = transaction_prepare(&w->db, &w->stages, why);
    if (e) {
        writer_close(w);
        return e;
    }
    w->fence = (struct fence){ .epoch = strtoll(PQgetvalue(r, 0, 0), NULL, 10),
                               .last_seq = strtoull(PQgetvalue(r, 0, 1), NULL, 10),
                               .commits = strtoll(PQgetvalue(r, 0, 2), NULL, 10) };
    *last_seq = w->fence.last_seq;
    *out = w;
    return ERR_OK;
}

void writer_close(struct writer *w)
{
    if (!w) return;
    db_close(&w->db);
    partitions_release(&w->partitions);
    free(w);
}

int64_t writer_epoch(const struct writer *w) { return w->fence.epoch; }

/* The batch is in: the shard's row has moved so. */
static void moved_on(struct writer *w, const struct write_batch *b)
{
    w->fence.commits++;
    if (write_batch_last_seq(b)) w->fence.last_seq = write_batch_last_seq(b);
}

void writer_allow(struct writer *w, int64_t statement_ms) { w->statement_ms = statement_ms; }

static enum err tell_session(struct writer *w, struct why *why)
{
    char sql[80];
    if (w->said_ms == w->statement_ms) return ERR_OK;
    snprintf(sql, sizeof sql, "SET statement_timeout = %" PRId64, w->statement_ms);
    enum err e = db_script(&w->db, sql, why);
    if (!e) w->said_ms = w->statement_ms;
    return e;
}

/* Retention has dropped a partition that this session takes to be there, and a
 * late row of it came: it is made anew. */
static bool lacks_partition(enum err e, const struct why *why)
{
    return e == ERR_DB
           && (strncmp(why->text, "42P01", 5) == 0
               || strncmp(why->text, "23514: no partition", 19) == 0);
}

static enum err run(struct writer *w, const struct write_batch *b, int64_t *owed, struct why *why)
{
    enum err e = partitions_ensure(&w->partitions, &w->db, b, why);
    return e ? e : transaction_run(&w->db, &w->fence, &w->partitions, &w->stages, b, owed, why);
}

enum err writer_commit(struct writer *w, const struct write_batch *b, int64_t *owed,
                       struct why *why)
{
    *owed = 0;
    if (!write_batch_ok(b)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = tell_session(w, why);
    if (!e) e = run(w, b, owed, why);
    if (lacks_partition(e, why)) {
        partitions_forget(&w->partitions);
        e = run(w, b, owed, why);
    }
    if (!e) moved_on(w, b);
    return e;
}

/* A session in any other state than idle is not worth reasoning about. */
static bool session_is_well(const struct db *db)
{
    return db->conn && PQstatus(db->conn) == CONNECTION_OK
           && PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF
           && PQtransactionStatus(db->conn) == PQTRANS_IDLE;
}

static enum err session_renew(struct writer *w, struct why *why)
{
    enum err e = db_reopen(&w->db, why);
    if (e) return e;
    w->said_ms = 0;
    e = transaction_prepare(&w->db, &w->stages, why);
    if (e) db_close(&w->db); /* else the next look takes it for a session that is prepared */
    else partitions_forget(&w->partitions);
    return e;
}

enum err writer_recover(struct writer *w, const struct write_batch *b, bool *committed,
                        struct why *why)
{
    *committed = false;
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = session_is_well(&w->db) ? ERR_OK : session_renew(w, why);
    if (!e)
        e = db_query(&w->db, "SELECT epoch, commits FROM tocsin.shard WHERE shard_id = 0", 0, NULL,
                     &r, why);
    if (e) return e;
    if (PQntuples(r) != 1) return err_set(why, ERR_FENCED, "tocsin.shard has lost its row");
    if (strtoll(PQgetvalue(r, 0, 0), NULL, 10) != w->fence.epoch)
        return err_set(why, ERR_FENCED, "another instance has taken the shard");
    const int64_t stands = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
    *committed = stands == w->fence.commits + 1;
    if (*committed) moved_on(w, b);
    else if (stands != w->fence.commits)
        return err_set(why, ERR_FENCED, "another writer has committed to the shard");
    return ERR_OK;
}
