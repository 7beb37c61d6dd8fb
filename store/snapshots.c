/* snapshots.c - which pages are new, and one transaction that writes them.
 *
 * The state of a service with 500 instruments has some 30 parts and 60 pages. Ten seconds of trades later it comes as an image:
 *
 *     plan       every page's checksum against that of the page at its place before: 14 differ, and get numbers 61 to 74
 *     COPY       the 14 into snapshot_page
 *     INSERT     the snapshot, and a row of snapshot_part a part: heads, numbers, checksums
 *     DELETE     the snapshot before the last one, and its pages that neither of its neighbours names
 *     COMMIT     what was planned is what the next one is held against
 *
 * A page is told from another by 64 bits of its bytes, in which every change of a single word shows, and any other with all but
 * certainty. Reading is the same backwards: the parts' rows, then their pages one behind the other. */
#include "store/snapshots.h"

#include "core/map.h"
#include "core/row.h"
#include "core/vec.h"
#include "core/when.h"
#include "store/copy.h"
#include "store/pg.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a page that is stored: enough to tell whether the one that now stands at its
 * place is another, and to name it in the next snapshot if it is not. The bytes are forgotten. */
struct known_page {
    uint64_t id, sum;
};
struct known_part {
    char name[64];
    struct known_page *pages;
    uint32_t *lengths; /* of the pages, in bytes */
    size_t n;
    uint64_t head; /* what its head comes to; 0: of one that was written */
};
struct known {
    uint64_t seq; /* of the snapshot; 0: none */
    struct known_part *parts;
    size_t n, cap;
};

struct snapshots {
    struct known has;  /* in the database, as far as we know */
    struct known next; /* being written */
    uint64_t last_id;  /* of a page */
    int64_t epoch;     /* of the shard when it was read */
};

void state_snapshot_free(struct state_snapshot *x)
{
    if (!x) return;
    state_image_release(&x->image);
    free(x);
}

static void known_release(struct known *k)
{
    for (size_t i = 0; i < k->n; i++) {
        free(k->parts[i].pages);
        free(k->parts[i].lengths);
    }
    free(k->parts);
    *k = (struct known){ 0 };
}

enum err snapshots_new(struct snapshots **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? ERR_OK : ERR_NOMEM;
}

void snapshots_free(struct snapshots *s)
{
    if (!s) return;
    known_release(&s->has);
    known_release(&s->next);
    free(s);
}

void snapshots_forget(struct snapshots *s) { known_release(&s->has); }

static struct known_part *add_part(struct known *k, const char *name, size_t pages)
{
    struct known_page *room = calloc(pages + 1, sizeof *room);
    uint32_t *lengths = calloc(pages + 1, sizeof *lengths);
    if (!room || !lengths || !VEC_GROW(&k->parts, &k->cap, k->n + 1)) {
        free(room);
        free(lengths);
        return NULL;
    }
    struct known_part *p = &k->parts[k->n++];
    *p = (struct known_part){ .pages = room, .lengths = lengths, .n = pages };
    const int n = snprintf(p->name, sizeof p->name, "%s", name);
    assert(n > 0 && (size_t)n < sizeof p->name); /* ours */
    return p;
}

static const struct known_part *find_part(const struct known *k, const char *name)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->parts[i].name, name) == 0) return &k->parts[i];
    return NULL;
}

/* A head as it was read is the head as it would be written: the same fields, in the same order, and as many rows. */
bool snapshots_have(const struct snapshots *s, const struct state_image *image)
{
    for (size_t i = 0; i < image->parts_n; i++) {
        const struct state_image_part *p = &image->parts[i];
        const struct known_part *had = find_part(&s->has, p->name);
        bool any = false, all = had && had->n == p->pages_n
                                && had->head == map_hash(image->bytes.data + p->head_at, p->head_n);
        for (size_t k = 0; k < p->pages_n; k++) {
            any |= p->pages[k].same;
            all &= p->pages[k].same && all && had->lengths[k] == p->pages[k].n;
        }
        if (any && !all) return false;
    }
    return true;
}

/* Of a row of snapshot_part, whose columns are all that it stands for. */
static uint64_t part_sum(size_t no, const char *name, const char *head, size_t head_n,
                         const struct known_page *pages, size_t n)
{
    const uint64_t of[] = { no, map_hash(name, strlen(name)), map_hash(head, head_n),
                            map_hash(pages, n * sizeof *pages) };
    return map_hash(of, sizeof of);
}

/* ---- writing: the plan ---- */
struct page_row {
    uint64_t page_id;
    const char *part;
    int32_t page;
    struct str bytes;
};
static const struct column page_columns[] = { ROW_COLUMN(struct page_row, U64, page_id) ROW_COLUMN(
    struct page_row, TEXT, part) ROW_COLUMN(struct page_row, I32, page)
                                                  ROW_COLUMN(struct page_row, BYTES, bytes) };
static const struct row_type page_row_type =
    ROW_TYPE("snapshot_page", struct page_row, page_columns);

/* Rows point into the image, which outlives them: nothing is copied before COPY packs it. */
struct plan {
    struct page_row *rows;
    size_t n, cap;
    struct snapshot_written w;
};

static bool plan_part(struct snapshots *s, const struct state_image *m,
                      const struct state_image_part *from, uint64_t *last_id, struct plan *plan)
{
    const struct known_part *had = find_part(&s->has, from->name);
    struct known_part *to = add_part(&s->next, from->name, from->pages_n);
    size_t at = from->at;
    if (!to) return false;
    for (size_t i = 0; i < from->pages_n; i++) {
        const struct known_page *was = had && i < had->n ? &had->pages[i] : NULL;
        const char *bytes = m->bytes.data + at;
        const uint32_t n = from->pages[i].n;
        plan->w.all_pages++;
        plan->w.all_bytes += n;
        to->lengths[i] = n;
        if (from->pages[i].same) {
            assert(was && had->lengths[i] == n); /* it goes on from what is stored: plan_all */
            to->pages[i] = *was;
            continue;
        }
        at += n;
        const uint64_t sum = map_hash(bytes, n);
        if (was && was->sum == sum) {
            to->pages[i] = *was;
            continue;
        }
        to->pages[i] = (struct known_page){ ++*last_id, sum };
        if (!VEC_GROW(&plan->rows, &plan->cap, plan->n + 1)) return false;
        plan->rows[plan->n++] = (struct page_row){ *last_id, from->name, (int32_t)i, { bytes, n } };
        plan->w.bytes += n;
    }
    return true;
}

/* The same image gets the same numbers, however often it is tried. */
static enum err plan_all(struct snapshots *s, const struct state_snapshot *x, struct plan *plan,
                         struct why *why)
{
    uint64_t last_id = s->last_id;
    if (x->image.since && x->image.since != s->has.seq)
        return err_set(why, ERR_INVALID,
                       "the state goes on from that of record %" PRIu64
                       ", and what is stored is that of %" PRIu64,
                       x->image.since, s->has.seq);
    known_release(&s->next);
    s->next.seq = x->seq;
    for (size_t i = 0; i < x->image.parts_n; i++)
        if (!plan_part(s, &x->image, &x->image.parts[i], &last_id, plan))
            return err_set(why, ERR_NOMEM, "out of memory");
    plan->w.pages = plan->n;
    return ERR_OK;
}

/* ---- writing: the transaction ---- */
static const char BEGIN[] =
    "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

static enum err copy_pages(struct db *d, const struct plan *plan, struct why *why)
{
    const struct row_run run = { .rows = plan->rows, .n = plan->n };
    const struct row_run *const runs[] = { &run };
    return plan->n ? copy_rows(d, "tocsin.snapshot_page", &page_row_type, runs, 1, why) : ERR_OK;
}

/* The first of its period of event time is kept. */
static const char KEEP[] =
    "INSERT INTO tocsin.snapshot (shard_id, seq, version, event_ns, kept) SELECT 0, $1::bigint, $2::integer, $3::bigint,"
    " $4::bigint > 0 AND NOT EXISTS (SELECT FROM tocsin.snapshot WHERE shard_id = 0 AND kept"
    " AND event_ns / greatest($4::bigint, 1) >= $3::bigint / greatest($4::bigint, 1)) RETURNING kept";

static enum err write_snapshot_row(struct db *d, const struct state_snapshot *x, int keep_days,
                                   bool *kept, struct why *why)
{
    char seq[24], version[16], event_ns[24], period[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(seq, sizeof seq, "%" PRIu64, x->seq);
    snprintf(version, sizeof version, "%d", x->version);
    snprintf(event_ns, sizeof event_ns, "%" PRId64, x->event_ns);
    snprintf(period, sizeof period, "%" PRId64, (int64_t)(keep_days * NS_PER_DAY));
    enum err e =
        db_query(d, KEEP, 4, (const char *const[]){ seq, version, event_ns, period }, &r, why);
    if (!e) *kept = PQgetvalue(r, 0, 0)[0] == 't';
    return e;
}

static void put_array(struct buf *out, const struct known_part *p, bool sums)
{
    buf_clear(out);
    buf_puts(out, "{");
    for (size_t i = 0; i < p->n; i++)
        buf_printf(out, "%s%" PRId64, i ? "," : "",
                   (int64_t)(sums ? p->pages[i].sum : p->pages[i].id));
    buf_puts(out, "}");
}

static enum err write_part(struct db *d, const struct state_snapshot *x, size_t no,
                           const struct known_part *p, struct why *why)
{
    static const char sql[] =
        "INSERT INTO tocsin.snapshot_part (shard_id, seq, no, part, head, pages, sums, checksum)"
        " VALUES (0, $1, $2, $3, $4, $5, $6, $7)";
    const struct state_image_part *from = &x->image.parts[no];
    const char *head = x->image.bytes.data + from->head_at;
    AUTO_BUF struct buf pages = { 0 }, sums = { 0 };
    char seq[24], number[24], sum[24];
    put_array(&pages, p, false);
    put_array(&sums, p, true);
    if (!buf_ok(&pages) || !buf_ok(&sums)) return err_set(why, ERR_NOMEM, "out of memory");
    snprintf(seq, sizeof seq, "%" PRIu64, x->seq);
    snprintf(number, sizeof number, "%zu", no);
    snprintf(sum, sizeof sum, "%" PRId64,
             (int64_t)part_sum(no, p->name, head, from->head_n, p->pages, p->n));
    const char *const values[] = { seq, number, p->name, head, pages.data, sums.data, sum };
    const int lengths[] = { 0, 0, 0, (int)from->head_n, 0, 0, 0 },
              formats[] = { 0, 0, 0, 1, 0, 0, 0 };
    return db_check(d, PQexecParams(d->conn, sql, 7, NULL, values, lengths, formats, 0), why);
}

/* Those between what was gone on from and this one could not be read, and nothing
 * goes on from them. They go first: dropped behind them, the one that was gone on
 * from would be held against one that is not its successor. What one of them names
 * may be wrong, so what is left is what nothing names. */
static const char DROP_DAMAGED[] =
    "DELETE FROM tocsin.snapshot WHERE shard_id = 0 AND $1::bigint > 0 AND seq > $1::bigint AND seq < $2::bigint";
static const char DROP_UNNAMED[] =
    "DELETE FROM tocsin.snapshot_page WHERE page_id NOT IN (SELECT unnest(pages) FROM tocsin.snapshot_part)";

static enum err drop_damaged(struct snapshots *s, struct db *d, uint64_t seq, struct why *why)
{
    char base[24], now[24];
    snprintf(base, sizeof base, "%" PRIu64, s->has.seq);
    snprintf(now, sizeof now, "%" PRIu64, seq);
    const char *const values[] = { base, now };
    PGresult *r = PQexecParams(d->conn, DROP_DAMAGED, 2, NULL, values, NULL, NULL, 0);
    const bool any = r && PQcmdTuples(r)[0] > '0';
    enum err e = db_check(d, r, why);
    return e || !any ? e : db_exec(d, DROP_UNNAMED, 0, NULL, why);
}

/* Those beyond the two newest that nobody keeps. */
static const char GOING[] =
    "SELECT seq FROM tocsin.snapshot WHERE shard_id = 0 AND NOT kept AND seq NOT IN"
    " (SELECT seq FROM tocsin.snapshot WHERE shard_id = 0 ORDER BY seq DESC LIMIT 2) ORDER BY seq";
#define PAGES_OF "SELECT unnest(pages) FROM tocsin.snapshot_part WHERE shard_id = 0 AND seq = "
static const char DROP_PAGES[] =
    "DELETE FROM tocsin.snapshot_page WHERE page_id IN (" PAGES_OF "$1"
    " EXCEPT " PAGES_OF "(SELECT max(seq) FROM tocsin.snapshot WHERE shard_id = 0 AND seq < $1)"
    " EXCEPT " PAGES_OF "(SELECT min(seq) FROM tocsin.snapshot WHERE shard_id = 0 AND seq > $1))";
static const char DROP_SNAPSHOT[] = "DELETE FROM tocsin.snapshot WHERE shard_id = 0 AND seq = $1";

static enum err drop_old(struct db *d, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d, GOING, 0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        const char *const one[] = { PQgetvalue(r, i, 0) };
        e = db_exec(d, DROP_PAGES, 1, one, why);
        if (!e) e = db_exec(d, DROP_SNAPSHOT, 1, one, why);
    }
    return e;
}

static enum err check_epoch(const struct snapshots *s, struct db *d, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d, "SELECT epoch FROM tocsin.shard WHERE shard_id = 0", 0, NULL, &r, why);
    if (e) return e;
    if (PQntuples(r) != 1 || strtoll(PQgetvalue(r, 0, 0), NULL, 10) != s->epoch)
        return err_set(why, ERR_FENCED, "another instance has taken the shard");
    return ERR_OK;
}

/* All of it or nothing: a kill between any two statements leaves the snapshots that there were. The
 * new one is written first and the old ones dropped behind it, because which pages are still needed
 * is seen from the snapshots on both sides of the one that goes. */
static enum err transact(struct snapshots *s, struct db *d, const struct state_snapshot *x,
                         int keep_days, struct plan *plan, struct why *why)
{
    enum err e = db_script(d, BEGIN, why);
    if (!e) e = check_epoch(s, d, why);
    if (!e) e = copy_pages(d, plan, why);
    if (!e) e = write_snapshot_row(d, x, keep_days, &plan->w.kept, why);
    for (size_t i = 0; i < s->next.n && !e; i++) e = write_part(d, x, i, &s->next.parts[i], why);
    if (!e) e = drop_damaged(s, d, x->seq, why);
    if (!e) e = drop_old(d, why);
    return e ? e : db_script(d, "COMMIT", why);
}

/* A commit whose answer was lost may be in all the same. */
static enum err is_in(struct db *d, uint64_t seq, bool *in, struct why *why)
{
    char text[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(text, sizeof text, "%" PRIu64, seq);
    enum err e = db_query(d, "SELECT FROM tocsin.snapshot WHERE shard_id = 0 AND seq = $1", 1,
                          (const char *const[]){ text }, &r, why);
    *in = !e && PQntuples(r) > 0;
    return e;
}

/* Not in the middle of anything: what an interrupted COPY left behind is never reasoned about. */
static bool is_well(const struct db *d)
{
    return d->conn && PQstatus(d->conn) == CONNECTION_OK
           && PQtransactionStatus(d->conn) == PQTRANS_IDLE;
}

/* What was planned is what is stored. */
static void move_on(struct snapshots *s)
{
    for (size_t i = 0; i < s->next.n; i++)
        for (size_t k = 0; k < s->next.parts[i].n; k++)
            if (s->next.parts[i].pages[k].id > s->last_id)
                s->last_id = s->next.parts[i].pages[k].id;
    known_release(&s->has);
    s->has = s->next;
    s->next = (struct known){ 0 };
}

enum err snapshots_write(struct snapshots *s, struct db *d, const struct state_snapshot *x,
                         int keep_days, struct snapshot_written *out, struct why *why)
{
    struct plan plan = { 0 };
    bool in = false;
    const bool again = s->next.seq == x->seq && x->seq;
    enum err e = is_well(d) ? ERR_OK : db_reopen(d, why);
    if (!e) e = plan_all(s, x, &plan, why);
    if (!e && again) e = is_in(d, x->seq, &in, why);
    if (!e && !in) e = transact(s, d, x, keep_days, &plan, why);
    *out = plan.w;
    free(plan.rows);
    if (!e) move_on(s);
    else if (d->conn && PQtransactionStatus(d->conn) != PQTRANS_IDLE)
        (void)!db_script(d, "ROLLBACK", NULL);
    return e;
}

/* ---- reading ---- */
/* A bigint[] as PostgreSQL sends it: dimensions, nulls?, type, then of the one
 * dimension its length and first index, then each element behind its length. */
static bool read_array(const PGresult *r, int row, int column, uint64_t **out, size_t *n)
{
    const char *p = PQgetvalue(r, row, column);
    const size_t bytes = (size_t)PQgetlength(r, row, column);
    uint32_t head[5] = { 0 };
    enum { HEAD = 20, ELEMENT = 12 };
    memcpy(head, p, bytes < HEAD ? 12 : HEAD);
    *n = be32toh(head[0]) == 0 ? 0 : be32toh(head[3]);
    *out = calloc(*n + 1, sizeof **out);
    if (!*out || (*n && bytes != HEAD + *n * ELEMENT)) return false;
    for (size_t i = 0; i < *n; i++) {
        uint64_t v;
        memcpy(&v, p + HEAD + i * ELEMENT + 4, sizeof v);
        (*out)[i] = be64toh(v);
    }
    return true;
}

static uint64_t read_u64(const PGresult *r, int row, int column)
{
    uint64_t v;
    memcpy(&v, PQgetvalue(r, row, column), sizeof v);
    return be64toh(v);
}

/* The numbers and checksums of a row of snapshot_part, if it is as it was written. */
static enum err read_known(struct known *k, const PGresult *r, int row, struct why *why)
{
    uint64_t *ids = NULL, *sums = NULL;
    size_t n = 0, sums_n = 0;
    const char *name = PQgetvalue(r, row, 0);
    struct known_part *p = NULL;
    bool ok = strlen(name) < sizeof p->name && read_array(r, row, 2, &ids, &n)
              && read_array(r, row, 3, &sums, &sums_n) && n == sums_n;
    if (ok) p = add_part(k, name, n);
    for (size_t i = 0; p && i < n; i++) p->pages[i] = (struct known_page){ ids[i], sums[i] };
    if (p) p->head = map_hash(PQgetvalue(r, row, 1), (size_t)PQgetlength(r, row, 1));
    free(ids);
    free(sums);
    ok = p
         && read_u64(r, row, 4)
                == part_sum((size_t)row, name, PQgetvalue(r, row, 1),
                            (size_t)PQgetlength(r, row, 1), p->pages, p->n);
    return ok ? ERR_OK
              : err_set(why, ERR_INVALID, "part \"%.60s\" of snapshot %" PRIu64 " was altered",
                        name, k->seq);
}

/* The page that was asked for, as it was written. */
static enum err take_page(const struct known *k, struct known_part *p, size_t i, const PGresult *r,
                          struct buf *state, struct why *why)
{
    const bool there = !PQgetisnull(r, 0, 0);
    const char *bytes = PQgetvalue(r, 0, 0);
    const size_t n = (size_t)PQgetlength(r, 0, 0);
    if (!there || map_hash(bytes, n) != p->pages[i].sum)
        return err_set(why, ERR_INVALID,
                       "page %zu of part \"%s\" of snapshot %" PRIu64 " (page_id %" PRIu64 ") %s",
                       i, p->name, k->seq, p->pages[i].id,
                       there ? "was cut or altered" : "is gone");
    p->lengths[i] = (uint32_t)n;
    buf_put(state, bytes, n);
    return ERR_OK;
}

/* What is left of an answer that is of no use any more. */
static void drain(struct db *d)
{
    for (PGresult *r; (r = PQgetResult(d->conn));) PQclear(r);
}

/* A row at a time: the server reads and unpacks the next pages while we look through these, and nothing is there twice. */
static enum err ask_for_pages(struct db *d, const char *seq, struct why *why)
{
    static const char sql[] =
        "SELECT p.bytes FROM tocsin.snapshot_part s, unnest(s.pages) WITH ORDINALITY AS u(id, n)"
        " LEFT JOIN tocsin.snapshot_page p ON p.page_id = u.id"
        " WHERE s.shard_id = 0 AND s.seq = $1 ORDER BY s.no, u.n";
    if (PQsendQueryParams(d->conn, sql, 1, NULL, &seq, NULL, NULL, 1)
        && PQsetSingleRowMode(d->conn))
        return ERR_OK;
    return db_check(d, NULL, why);
}

static enum err next_page(struct db *d, const struct known *k, struct known_part *p, size_t i,
                          struct buf *state, struct why *why)
{
    AUTO_PGRESULT PGresult *r = PQgetResult(d->conn);
    if (PQresultStatus(r) == PGRES_SINGLE_TUPLE) return take_page(k, p, i, r, state, why);
    if (PQresultStatus(r) == PGRES_TUPLES_OK) return err_set(why, ERR_DB, "pages do not add up");
    PGresult *failed = r;
    r = NULL;
    return db_check(d, failed, why);
}

/* The last part is named "end" and has no pages: without it the rows of snapshot_part are not all
 * there, and what has been read so far would look like a whole state that is short. */
static enum err read_parts(struct snapshots *s, struct db *d, struct buf *state, struct why *why)
{
    static const char sql[] = "SELECT part, head, pages, sums, checksum FROM tocsin.snapshot_part"
                              " WHERE shard_id = 0 AND seq = $1 ORDER BY no";
    char seq[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(seq, sizeof seq, "%" PRIu64, s->has.seq);
    enum err e = db_query_binary(d, sql, 1, (const char *const[]){ seq }, &r, why);
    const int n = e ? 0 : PQntuples(r);
    if (!e && (n == 0 || strcmp(PQgetvalue(r, n - 1, 0), "end") != 0))
        e = err_set(why, ERR_INVALID, "snapshot %" PRIu64 " has lost parts", s->has.seq);
    for (int i = 0; i < n && !e; i++) e = read_known(&s->has, r, i, why);
    if (!e) e = ask_for_pages(d, seq, why);
    for (int i = 0; i < n && !e; i++) {
        struct known_part *p = &s->has.parts[i];
        buf_put(state, PQgetvalue(r, i, 1), (size_t)PQgetlength(r, i, 1));
        for (size_t k = 0; k < p->n && !e; k++) e = next_page(d, &s->has, p, k, state, why);
    }
    drain(d);
    if (!e && !buf_ok(state)) e = err_set(why, ERR_NOMEM, "out of memory");
    return e;
}

/* A name for the one row: where the order of pages ends, and who owns the shard. */
static enum err read_place(struct snapshots *s, struct db *d, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d,
                          "SELECT (SELECT coalesce(max(page_id), 0) FROM tocsin.snapshot_page),"
                          " (SELECT epoch FROM tocsin.shard WHERE shard_id = 0)",
                          0, NULL, &r, why);
    if (e) return e;
    s->last_id = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
    s->epoch = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
    return ERR_OK;
}

static enum err read_whole(struct db *d, uint64_t seq, struct buf *state, struct why *why)
{
    char text[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(text, sizeof text, "%" PRIu64, seq);
    enum err e =
        db_query_binary(d, "SELECT state FROM tocsin.snapshot WHERE shard_id = 0 AND seq = $1", 1,
                        (const char *const[]){ text }, &r, why);
    if (e || PQntuples(r) == 0) return e;
    buf_put(state, PQgetvalue(r, 0, 0), (size_t)PQgetlength(r, 0, 0));
    return buf_ok(state) ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err find(struct db *d, const struct snapshot_wish *w, struct snapshot_found *out,
                     struct why *why)
{
    static const char sql[] =
        "SELECT s.seq, s.state IS NOT NULL, coalesce(event_ns, 0) FROM tocsin.snapshot s"
        " WHERE shard_id = 0 AND version = $1 AND s.seq < $2::bigint"
        " AND ($3::bigint = 9223372036854775807 OR event_ns <= $3::bigint)"
        " AND ($4::bigint = 0 OR s.seq >= $4::bigint AND event_ns IS NOT NULL)"
        " ORDER BY CASE WHEN $4::bigint = 0 THEN -s.seq ELSE s.seq END LIMIT 1";
    char version[16], before[24], until[24], from[24];
    AUTO_PGRESULT PGresult *r = NULL;
    snprintf(version, sizeof version, "%d", w->version);
    snprintf(before, sizeof before, "%" PRIu64, w->before < INT64_MAX ? w->before : INT64_MAX);
    snprintf(until, sizeof until, "%" PRId64, w->until_ns);
    snprintf(from, sizeof from, "%" PRIu64, w->oldest_from);
    enum err e =
        db_query(d, sql, 4, (const char *const[]){ version, before, until, from }, &r, why);
    if (e || PQntuples(r) == 0) return e;
    out->seq = strtoull(PQgetvalue(r, 0, 0), NULL, 10);
    out->whole = PQgetvalue(r, 0, 1)[0] == 't';
    out->event_ns = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
    return ERR_OK;
}

static enum err read_found(struct snapshots *s, struct db *d, const struct snapshot_wish *w,
                           struct snapshot_found *out, struct buf *state, struct why *why)
{
    enum err e = read_place(s, d, why);
    if (!e) e = find(d, w, out, why);
    s->has.seq = out->seq;
    if (e || out->seq == 0) return e;
    return out->whole ? read_whole(d, out->seq, state, why) : read_parts(s, d, state, why);
}

/* One view: a service that runs drops snapshots meanwhile. */
enum err snapshots_read(struct snapshots *s, struct db *d, const struct snapshot_wish *w,
                        struct snapshot_found *out, struct buf *state, struct why *why)
{
    known_release(&s->has);
    *out = (struct snapshot_found){ 0 };
    enum err e = db_script(d,
                           "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                           " SET LOCAL statement_timeout = 0",
                           why);
    if (!e) e = read_found(s, d, w, out, state, why);
    enum err f = db_script(d, "ROLLBACK", e ? NULL : why);
    if (!e) e = f;
    if (e) known_release(&s->has);
    return e;
}
