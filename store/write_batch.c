/* write_batch.c - rows on their way to one transaction, by table and day.
 *
 * Five rows are written:                                 and lie so:
 *
 *     tick         seq 41, 2 Feb 23:59:59.9              tick         run 2 Feb: 41, 43
 *     tick         seq 42, 3 Feb 00:00:00.1                           run 3 Feb: 42
 *     tick         seq 43, 2 Feb 23:59:59.8, late
 *     source_mark  source 3, next 101                    source_mark  run: source 3, next 102
 *     source_mark  source 3, next 102
 *
 * A run by day is what COPY takes straight into one partition. Late ticks find their run by a scan:
 * a batch spans a day or two. The second mark moves the first one (WAY_UPDATE): an UPDATE from a
 * list in which a row has two successors takes either.
 *
 * The engine's thread fills a batch and hands it over; the writer's thread commits it, clears it
 * and gives it back. Clearing keeps runs and arena, so that after the first few batches nothing
 * here asks for memory. */
#include "store/write_batch.h"

#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <string.h>

struct row_runs {
    struct row_run *runs; /* those beyond n are empty, and keep their memory */
    size_t n, cap, last;  /* last: the run written to most recently */
    size_t rows;
};

/* What is asked of every row, looked up once. */
struct facts {
    const struct column *seq, *event_ns; /* NULL where nobody asks */
    bool texts;                          /* has a column with a text */
};

struct write_batch {
    struct row_runs tables[TABLE_COUNT];
    struct facts facts[TABLE_COUNT]; /* of the tables, for as long as the batch lives */
    /* Texts of the rows: copied, because what the engine and the ingest batch hold is theirs again
     * at the next record. They stay where they are while the runs grow and move. */
    struct arena arena;
    size_t text_bytes;   /* of the texts */
    size_t records;      /* ticks and events: what a full batch is measured by */
    uint64_t last_seq;   /* what the fence moves to; 0: the batch holds no record */
    struct buf snapshot; /* the last that was written: an older state is worth nothing beside it */
    uint64_t snapshot_seq;
    int snapshot_version;
    /* A row could not be copied, or the step broke off within a record. What is here is then not
     * the whole effect of its records, and committing it would lose the rest: only
     * write_batch_clear takes it back. */
    bool failed;
};

static bool is_text(enum column_type t)
{
    return t == COLUMN_TEXT || t == COLUMN_STR || t == COLUMN_BYTES || t == COLUMN_JSON;
}

static struct facts facts_of(enum table_id id)
{
    const struct row_type *row = tables[id].row;
    struct facts f = { 0 };
    if (id == TABLE_tick_row || id == TABLE_event_row) f.seq = row_column(row, "seq");
    if (tables[id].days == TABLE_DAYS) f.event_ns = row_column(row, "event_ns");
    for (size_t i = 0; i < row->columns_n; i++) f.texts |= is_text(row->columns[i].type);
    return f;
}

enum err write_batch_new(struct write_batch **out)
{
    struct write_batch *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    for (int t = 0; t < TABLE_COUNT; t++) b->facts[t] = facts_of((enum table_id)t);
    *out = b;
    return ERR_OK;
}

void write_batch_free(struct write_batch *b)
{
    if (!b) return;
    for (int t = 0; t < TABLE_COUNT; t++) {
        for (size_t i = 0; i < b->tables[t].cap; i++) free(b->tables[t].runs[i].rows);
        free(b->tables[t].runs);
    }
    buf_release(&b->snapshot);
    arena_release(&b->arena);
    free(b);
}

void write_batch_clear(struct write_batch *b)
{
    for (int t = 0; t < TABLE_COUNT; t++) {
        struct row_runs *rr = &b->tables[t];
        for (size_t i = 0; i < rr->n; i++) rr->runs[i].n = 0;
        rr->n = rr->last = rr->rows = 0;
    }
    arena_clear(&b->arena);
    buf_clear(&b->snapshot);
    b->text_bytes = b->records = 0;
    b->last_seq = b->snapshot_seq = 0;
    b->failed = false;
}

/* ---- filling ---- */
static struct row_run *new_run(struct row_runs *rr, int32_t day)
{
    size_t had = rr->cap;
    if (!VEC_GROW(&rr->runs, &rr->cap, rr->n + 1)) return NULL;
    if (rr->cap > had) memset(rr->runs + had, 0, (rr->cap - had) * sizeof *rr->runs);
    rr->last = rr->n++;
    rr->runs[rr->last].day = day;
    return &rr->runs[rr->last];
}

static struct row_run *run_of_day(struct row_runs *rr, int32_t day)
{
    if (rr->last < rr->n && rr->runs[rr->last].day == day) return &rr->runs[rr->last];
    for (size_t i = 0; i < rr->n; i++)
        if (rr->runs[i].day == day) {
            rr->last = i;
            return &rr->runs[i];
        }
    return new_run(rr, day);
}

/* The run of a row; NULL: out of memory. Nearly always the one written to last, which costs no division. */
static struct row_run *run_of_row(struct row_runs *rr, const struct column *event_ns,
                                  const void *row)
{
    if (!event_ns) return run_of_day(rr, 0);
    const int64_t ns = *(const int64_t *)row_field(event_ns, row);
    if (rr->last < rr->n) {
        const int64_t begin = rr->runs[rr->last].day * NS_PER_DAY;
        if (ns >= begin && ns < begin + NS_PER_DAY) return &rr->runs[rr->last];
    }
    return run_of_day(rr, day_of_ns(ns));
}

/* The row that this one moves; NULL when it is the first of its key. There are a handful: a scan is enough. */
static void *moved_row(const struct table *t, const struct row_run *run, const void *row)
{
    const struct column *key[TABLE_KEY_MAX];
    size_t n = table_key(t, key);
    assert(n == 1);
    for (size_t i = 0; i < run->n; i++) {
        void *had = (char *)run->rows + i * t->row->size;
        if (row_order(key[0], had, row) == 0) return had;
    }
    return NULL;
}

/* Where the row belongs. NULL: out of memory. */
static void *place_of(struct write_batch *b, enum table_id id, const void *row)
{
    const struct table *t = &tables[id];
    struct row_runs *rr = &b->tables[id];
    struct row_run *run = run_of_row(rr, b->facts[id].event_ns, row);
    if (!run) return NULL;
    void *had = t->way == WAY_UPDATE ? moved_row(t, run, row) : NULL;
    if (had) return had;
    if (!vec_grow(&run->rows, &run->cap, run->n + 1, t->row->size)) return NULL;
    rr->rows++;
    return (char *)run->rows + run->n++ * t->row->size;
}

void write_row(struct write_batch *b, const struct row_type *type, const void *row)
{
    const enum table_id id = table_of(type);
    const struct facts *f = &b->facts[id];
    void *to = place_of(b, id, row);
    if (!to || (f->texts && !row_copy(type, row, &b->arena, to))) {
        b->failed = true;
        return;
    }
    if (f->texts) b->text_bytes += row_text_bytes(type, row);
    else memcpy(to, row, type->size);
    if (f->seq) {
        b->last_seq = *(const uint64_t *)row_field(f->seq, row);
        b->records++;
    }
}

void write_ingest(struct write_batch *b, const struct ingest_batch *in)
{
    for (size_t i = 0; i < in->lives_n; i++) write_row(b, &source_life_row, &in->lives[i]);
    for (size_t i = 0; i < in->gaps_n; i++) write_row(b, &data_gap_row, &in->gaps[i]);
    for (size_t i = 0; i < in->dead_n; i++) write_row(b, &dead_letter_row, &in->dead[i]);
    for (size_t i = 0; i < in->marks_n; i++) write_row(b, &source_mark_row, &in->marks[i]);
}

void write_snapshot(struct write_batch *b, uint64_t seq, int version, const void *state, size_t n)
{
    buf_clear(&b->snapshot);
    buf_put(&b->snapshot, state, n);
    b->snapshot_seq = seq;
    b->snapshot_version = version;
}

void write_batch_spoil(struct write_batch *b) { b->failed = true; }

/* ---- looking ---- */
bool write_batch_ok(const struct write_batch *b) { return !b->failed && buf_ok(&b->snapshot); }

bool write_batch_empty(const struct write_batch *b)
{
    size_t rows = 0;
    for (int t = 0; t < TABLE_COUNT; t++) rows += b->tables[t].rows;
    return !b->failed && rows == 0 && !b->snapshot_seq;
}

size_t write_batch_rows(const struct write_batch *b) { return b->records; }
uint64_t write_batch_last_seq(const struct write_batch *b) { return b->last_seq; }

size_t write_batch_bytes(const struct write_batch *b)
{
    size_t n = b->text_bytes + b->snapshot.len;
    for (int t = 0; t < TABLE_COUNT; t++) n += b->tables[t].rows * tables[t].row->size;
    return n;
}

static const void *only_run(const struct write_batch *b, enum table_id id, size_t *n)
{
    const struct row_runs *rr = &b->tables[id];
    *n = rr->n ? rr->runs[0].n : 0;
    return rr->n ? rr->runs[0].rows : NULL;
}

const struct alert *write_batch_alerts(const struct write_batch *b, size_t *n)
{
    return only_run(b, TABLE_alert_row, n);
}

const struct source_mark *write_batch_marks(const struct write_batch *b, size_t *n)
{
    return only_run(b, TABLE_source_mark_row, n);
}

size_t write_batch_count(const struct write_batch *b, enum table_id id)
{
    return b->tables[id].rows;
}

const struct row_run *write_batch_runs(const struct write_batch *b, enum table_id id, size_t *n)
{
    *n = b->tables[id].n;
    return b->tables[id].runs;
}

struct state_snapshot write_batch_snapshot(const struct write_batch *b)
{
    return (struct state_snapshot){ b->snapshot_seq, b->snapshot_version, b->snapshot.data,
                                    b->snapshot.len };
}
