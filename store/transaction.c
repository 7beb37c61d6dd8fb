/* transaction.c - how a batch travels.
 *
 * Few rows, the usual case, are one round trip: everything below goes out in one pipeline before the first answer is read. Say
 * a batch holds ticks 41 and 42, a reading at 43 (a clock record) and one alert, and the shard stands at epoch 7, commit 12,
 * seq 40:
 *
 *     BEGIN
 *     SELECT tocsin.advance(7, 12, 40, 43)             the fence: raises TF001 unless the shard is at 7, 12, 40
 *     INSERT INTO tocsin.tick_row ... [{"seq":41,..},{"seq":42,..}]
 *     INSERT INTO tocsin.event ... [{"seq":43,..}]
 *     INSERT INTO tocsin.reading ... [{"seq":43,..}]
 *     INSERT INTO tocsin.alert ... [{"seq":42,..}]
 *     INSERT INTO tocsin.outbox ... [{"seq":42,..}]    the same array: a row for each channel of the alert's tenant
 *     COMMIT
 *
 * 50,000 ticks of one day are chunks of 4,096 (chunk.h), each an INSERT with its arrays as binary parameters: PostgreSQL stores
 * the first while the next is being packed, and the turn is still one round trip.
 *
 * More than BULK_MIN rows of a table go by COPY, which cannot be part of a pipeline and so comes first, between a BEGIN of its
 * own and the pipeline. 3,000 alerts are a COPY into pg_temp.alert_in, from where the pipeline inserts them; 500 ticks of 100 days
 * of one month, too few of each day for a chunk, go straight into tocsin.tick_201802. The fence still stands before COMMIT.
 *
 * If the answer to COMMIT is lost, tocsin.shard says commit 12 (it is not in) or 13 (it is): writer_recover looks. */
#include "store/transaction.h"

#include "store/chunk.h"
#include "store/copy.h"
#include "store/pg.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- statements ---- */
static const char ADVANCE[] = "SELECT tocsin.advance($1, $2, $3, $4)";

/* What each alert owes: a row a channel, in the transaction of the alert itself. */
#define OWED                                                                                       \
    "INSERT INTO tocsin.outbox (tenant_id, alert_id, channel_id, stream_no)"                       \
    " SELECT a.tenant_id, a.alert_id, c.channel_id, a.stream_no FROM "
#define TO_CHANNELS                                                                                \
    " JOIN tocsin.channel c USING (tenant_id) WHERE c.enabled AND NOT c.deleted"                   \
    " ORDER BY a.tenant_id, a.stream_no"
static const char OWE_JSON[] = OWED
    "pg_catalog.json_to_recordset($1) AS a(tenant_id uuid, alert_id uuid, stream_no bigint)" TO_CHANNELS;
static const char OWE_STAGED[] = OWED "pg_temp.alert_in a" TO_CHANNELS;

static enum err prepare(struct db *db, const char *name, const char *sql, int params,
                        struct why *why)
{
    return db_check(db, PQprepare(db->conn, name, sql, params, NULL), why);
}

static void statement_name(enum table_id id, bool staged, char out[24])
{
    snprintf(out, 24, "%s%d", staged ? "staged" : "json", (int)id);
}

static enum err prepare_table(struct db *db, enum table_id id, struct why *why)
{
    const struct table *t = &tables[id];
    AUTO_BUF struct buf sql = { 0 };
    char name[24];
    table_write_json(t, &sql);
    if (!buf_ok(&sql)) return err_set(why, ERR_NOMEM, "out of memory");
    statement_name(id, false, name);
    return prepare(db, name, sql.data, 1, why);
}

/* Its staging table, and the statements that read it. */
static enum err make_stage(struct db *db, enum table_id id, struct why *why)
{
    const struct table *t = &tables[id];
    AUTO_BUF struct buf make = { 0 };
    AUTO_BUF struct buf write = { 0 };
    char name[24];
    table_make_stage(t, &make);
    table_write_staged(t, &write);
    if (!buf_ok(&make) || !buf_ok(&write)) return err_set(why, ERR_NOMEM, "out of memory");
    statement_name(id, true, name);
    enum err e = db_script(db, make.data, why);
    if (!e) e = prepare(db, name, write.data, 0, why);
    if (!e && id == TABLE_alert_row) e = prepare(db, "owe_staged", OWE_STAGED, 0, why);
    return e;
}

static enum err prepare_chunks(struct db *db, struct why *why)
{
    AUTO_BUF struct buf sql = { 0 };
    chunk_insert_text(&sql);
    return buf_ok(&sql) ? prepare(db, "chunk", sql.data, CHUNK_COLUMNS, why)
                        : err_set(why, ERR_NOMEM, "out of memory");
}

enum err transaction_prepare(struct db *db, struct stages *stages, struct why *why)
{
    *stages = (struct stages){ 0 };
    enum err e = prepare(db, "advance", ADVANCE, 4, why);
    if (!e) e = prepare_chunks(db, why);
    for (enum table_id id = 0; id < TABLE_COUNT && !e; id++) e = prepare_table(db, id, why);
    if (!e) e = prepare(db, "owe_json", OWE_JSON, 1, why);
    return e;
}

/* ---- one batch on its way ---- */
enum { JSON_MAX = 512 << 10 }; /* bytes of a statement, and one row more */

struct transaction {
    struct db *db;
    const struct fence *fence; /* read only: the writer moves it, when it knows how this ended */
    const struct partitions *parts; /* every day of the batch is in it */
    const struct write_batch *batch;
    /* The JSON of the table being sent; libpq has its own copy once a statement is sent. */
    struct buf *scratch;
    struct params chunk; /* the one being sent, likewise */
    /* Statements sent so far, and which of them is the outbox's (-1: none). Answers come in the
     * order of the statements and do not say whose they are, so the one with the number of
     * deliveries is found by counting. */
    int sent, owed_at;
};

/* Enough ticks of one day are no rows but chunks. */
static bool in_chunks(enum table_id id, const struct row_run *run)
{
    return id == TABLE_tick_row && run->n >= CHUNK_MIN;
}

/* How many travel as rows. */
static size_t rows_of(const struct transaction *x, enum table_id id)
{
    size_t n, rows = write_batch_count(x->batch, id);
    const struct row_run *runs = write_batch_runs(x->batch, id, &n);
    for (size_t i = 0; i < n && id == TABLE_tick_row; i++)
        if (in_chunks(id, &runs[i])) rows -= runs[i].n;
    return rows;
}

static bool in_bulk(const struct transaction *x, enum table_id id)
{
    return tables[id].bulk != BULK_JSON && rows_of(x, id) > BULK_MIN;
}

static bool any_in_bulk(const struct transaction *x)
{
    for (enum table_id id = 0; id < TABLE_COUNT; id++)
        if (in_bulk(x, id)) return true;
    return false;
}

/* ---- COPY, before the pipeline ---- */
/* The runs that go where runs[first] goes. `out` has room for all of them; 0: an earlier one took this one along. */
static size_t runs_together(const struct transaction *x, enum table_id id,
                            const struct row_run *runs, size_t n, size_t first,
                            const struct row_run **out)
{
    const char *partition = partitions_name(x->parts, id, runs[first].day);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (in_chunks(id, &runs[i])
            || strcmp(partitions_name(x->parts, id, runs[i].day), partition) != 0)
            continue;
        if (i < first) return 0;
        out[k++] = &runs[i];
    }
    return k;
}

static enum err copy_partitions(struct transaction *x, enum table_id id, struct why *why)
{
    size_t n;
    const struct row_run *runs = write_batch_runs(x->batch, id, &n);
    const struct row_run **together = calloc(n + 1, sizeof *together);
    enum err e = together ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n && !e; i++) {
        size_t k = in_chunks(id, &runs[i]) ? 0 : runs_together(x, id, runs, n, i, together);
        char table[64];
        snprintf(table, sizeof table, "tocsin.%s", partitions_name(x->parts, id, runs[i].day));
        if (k) e = copy_rows(x->db, table, tables[id].row, together, k, why);
    }
    free(together);
    return e;
}

static enum err copy_to_stage(struct transaction *x, enum table_id id, struct why *why)
{
    size_t n;
    const struct row_run *runs = write_batch_runs(x->batch, id, &n);
    const struct row_run **all = calloc(n + 1, sizeof *all);
    if (!all) return err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) all[i] = &runs[i];
    char table[64];
    snprintf(table, sizeof table, "pg_temp.%s_in", tables[id].name);
    enum err e = copy_rows(x->db, table, tables[id].row, all, n, why);
    free(all);
    return e;
}

static enum err make_stages(struct transaction *x, struct stages *stages, struct why *why)
{
    enum err e = ERR_OK;
    for (enum table_id id = 0; id < TABLE_COUNT && !e; id++) {
        if (tables[id].bulk != BULK_STAGED || stages->made[id] || !in_bulk(x, id)) continue;
        e = make_stage(x->db, id, why);
        stages->made[id] = !e;
    }
    return e;
}

static enum err copy_bulk(struct transaction *x, struct why *why)
{
    enum err e = db_script(x->db, "BEGIN", why);
    for (enum table_id id = 0; id < TABLE_COUNT && !e; id++)
        if (in_bulk(x, id))
            e = tables[id].bulk == BULK_COPY ? copy_partitions(x, id, why)
                                             : copy_to_stage(x, id, why);
    return e;
}

/* ---- the pipeline ---- */
static bool send(struct transaction *x, const char *sql)
{
    x->sent++;
    return PQsendQueryParams(x->db->conn, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

static bool send_prepared(struct transaction *x, const char *name, int n, const char *const *params)
{
    x->sent++;
    return PQsendQueryPrepared(x->db->conn, name, n, params, NULL, NULL, 0) == 1;
}

/* A batch without records (marks, dead letters) leaves last_seq where it is. */
static bool send_advance(struct transaction *x)
{
    char epoch[24], commits[24], from[24], to[24];
    const uint64_t last = write_batch_last_seq(x->batch);
    snprintf(epoch, sizeof epoch, "%" PRId64, x->fence->epoch);
    snprintf(commits, sizeof commits, "%" PRId64, x->fence->commits);
    snprintf(from, sizeof from, "%" PRIu64, x->fence->last_seq);
    snprintf(to, sizeof to, "%" PRIu64, last ? last : x->fence->last_seq);
    return send_prepared(x, "advance", 4, (const char *const[]){ epoch, commits, from, to });
}

/* How far a table has gone: its rows are a statement, or several where they are large, for libpq's
 * buffer grows to the largest one and never shrinks:
 *
 *     40 dead letters of 64 KiB are 128 KiB of hex each
 *     four are past JSON_MAX      INSERT INTO tocsin.dead_letter ... [{..},{..},{..},{..}]
 *     the next four               another ...
 *     COMMIT                      the ten statements are in, or none of them
 *
 * A row is never divided. The buffer is then about as large as the largest row and JSON_MAX. */
struct progress {
    size_t run, row;
    bool done;
};

/* false: so many bytes are full before the last row. */
static bool put_rows(struct transaction *x, enum table_id id, struct progress *at, size_t most,
                     struct json_writer *w)
{
    size_t n;
    const struct row_run *runs = write_batch_runs(x->batch, id, &n);
    const struct row_type *type = tables[id].row;
    for (; at->run < n; at->run++, at->row = 0)
        for (; at->row < runs[at->run].n && !in_chunks(id, &runs[at->run]); at->row++) {
            if (x->scratch->len >= most) return false;
            row_json(w, NULL, type, (const char *)runs[at->run].rows + at->row * type->size);
        }
    return true;
}

/* The next rows of a table as one JSON array, in the scratch. Alerts are one statement, whatever
 * their size: their deliveries go with them. */
static bool as_json(struct transaction *x, enum table_id id, struct progress *at)
{
    buf_clear(x->scratch);
    struct json_writer w = json_write(x->scratch);
    json_put_array(&w, NULL);
    at->done = put_rows(x, id, at, id == TABLE_alert_row ? SIZE_MAX : JSON_MAX, &w);
    json_put_end(&w);
    return json_write_done(&w);
}

/* An alert and what it owes are two statements on the same rows. */
static bool send_owed(struct transaction *x, bool staged)
{
    x->owed_at = x->sent;
    if (staged) return send_prepared(x, "owe_staged", 0, NULL);
    return send_prepared(x, "owe_json", 1, (const char *const[]){ x->scratch->data });
}

/* libpq has its own copy of a chunk once it is sent. */
static bool send_chunks_of(struct transaction *x, const struct row_run *run)
{
    const struct tick_row *rows = run->rows;
    bool ok = true;
    for (size_t at = 0, n; at < run->n && ok; at += n) {
        n = chunk_cut(rows + at, run->n - at);
        x->sent++;
        ok = chunk_pack(&x->chunk, rows + at, n)
             && PQsendQueryPrepared(x->db->conn, "chunk", CHUNK_COLUMNS, x->chunk.values,
                                    x->chunk.lengths, x->chunk.formats, 0)
                    == 1;
    }
    return ok;
}

static bool send_chunks(struct transaction *x)
{
    size_t n;
    const struct row_run *runs = write_batch_runs(x->batch, TABLE_tick_row, &n);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++)
        if (in_chunks(TABLE_tick_row, &runs[i])) ok = send_chunks_of(x, &runs[i]);
    return ok;
}

static bool send_table(struct transaction *x, enum table_id id)
{
    char name[24];
    if (id == TABLE_tick_row && !send_chunks(x)) return false;
    if (rows_of(x, id) == 0) return true;
    const bool bulk = in_bulk(x, id);
    if (bulk && tables[id].bulk == BULK_COPY) return true; /* it is there already */
    statement_name(id, bulk, name);
    struct progress at = { .done = bulk };
    bool ok = true;
    do {
        ok = bulk || as_json(x, id, &at);
        const char *const params[] = { bulk ? NULL : x->scratch->data };
        ok = ok && send_prepared(x, name, bulk ? 0 : 1, params);
    } while (ok && !at.done);
    return ok && (id != TABLE_alert_row || send_owed(x, bulk));
}

/* The fence first: a writer that comes too late is refused before the rows that follow are looked
 * at. */
static bool send_all(struct transaction *x, bool begin)
{
    bool ok = (!begin || send(x, "BEGIN")) && send_advance(x);
    for (enum table_id id = 0; id < TABLE_COUNT && ok; id++) ok = send_table(x, id);
    return ok && send(x, "COMMIT") && PQpipelineSync(x->db->conn) == 1;
}

struct answers {
    int at;
    bool committed;
    int64_t owed;
    enum err err; /* the first failure */
};

static void take_answer(struct transaction *x, PGresult *r, struct answers *a, struct why *why)
{
    struct why mine;
    const bool fine = PQresultStatus(r) == PGRES_COMMAND_OK;
    if (fine && strcmp(PQcmdStatus(r), "COMMIT") == 0) a->committed = true;
    if (fine && a->at == x->owed_at) a->owed = atoll(PQcmdTuples(r));
    a->at++;
    enum err e = db_check(x->db, r, &mine);
    if (!e || a->err) return;
    a->err = e;
    if (why) *why = mine;
}

/* Reads every answer up to the sync. After a failure the rest are PIPELINE_ABORTED. */
static enum err read_all(struct transaction *x, int64_t *owed, struct why *why)
{
    struct answers a = { 0 };
    for (;;) {
        PGresult *r = PQgetResult(x->db->conn);
        if (!r && PQstatus(x->db->conn) == CONNECTION_OK) continue; /* between two statements */
        if (!r)
            return a.err ? a.err
                         : err_set(why, ERR_DB_LOST,
                                   "08006: connection lost before the commit was answered");
        const ExecStatusType s = PQresultStatus(r);
        if (s == PGRES_PIPELINE_SYNC || s == PGRES_PIPELINE_ABORTED) {
            PQclear(r);
            if (s == PGRES_PIPELINE_SYNC) break;
        } else take_answer(x, r, &a, why);
    }
    *owed = a.owed;
    if (!a.err && !a.committed)
        return err_set(why, ERR_DB, "XX000: the transaction did not commit");
    return a.err;
}

static enum err pipeline(struct transaction *x, bool begin, int64_t *owed, struct why *why)
{
    PGconn *conn = x->db->conn;
    if (PQenterPipelineMode(conn) != 1)
        return err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(conn));
    enum err e = send_all(x, begin) ? read_all(x, owed, why)
                 : buf_ok(x->scratch) && buf_ok(&x->chunk.bytes)
                     ? err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(conn))
                     : err_set(why, ERR_NOMEM, "out of memory");
    if (PQstatus(conn) == CONNECTION_OK) PQexitPipelineMode(conn);
    return e;
}

enum err transaction_run(struct db *db, const struct fence *fence, const struct partitions *parts,
                         struct stages *stages, const struct write_batch *b, int64_t *owed,
                         struct why *why)
{
    AUTO_BUF struct buf scratch = { 0 };
    struct transaction x = {
        .db = db, .fence = fence, .parts = parts, .batch = b, .scratch = &scratch, .owed_at = -1
    };
    const bool bulk = any_in_bulk(&x);
    *owed = 0;
    enum err e = bulk ? make_stages(&x, stages, why) : ERR_OK;
    if (!e && bulk) e = copy_bulk(&x, why);
    if (!e) e = pipeline(&x, !bulk, owed, why);
    params_release(&x.chunk);
    if (!e) return ERR_OK;
    if (why && strncmp(why->text, "TF001", 5) == 0) return ERR_FENCED;
    const bool well =
        PQstatus(db->conn) == CONNECTION_OK && db_script(db, "ROLLBACK", NULL) == ERR_OK;
    return well || e == ERR_NOMEM ? e : ERR_DB_LOST;
}
