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
 * Where the whole effect of what was taken so far has been written, the batch may be cut, for a
 * commit that turned out too large:
 *
 *     seq 41, cut, seq 42, alert, alert, cut     cuts: (41, source 3 at 101), (42, source 3 at 102)
 *
 * A part is a slice of each run: of ticks and events by their seq, of others by the number of cuts
 * that were before them, kept beside each row. It borrows the rows and has the position of its own
 * last cut.
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

struct cut {
    uint64_t seq; /* of the last record before it */
    int64_t next_offset;
    int32_t source_id;     /* 0: no source has moved */
    uint32_t rows, alerts; /* before it */
};

struct write_batch {
    bool borrowed; /* a part: but for the marks the rows are another's */
    struct row_runs tables[TABLE_COUNT];
    struct facts facts[TABLE_COUNT]; /* of the tables, for as long as the batch lives */
    /* Texts of the rows: copied, because what the engine and the ingest batch hold is theirs again
     * at the next record. They stay where they are while the runs grow and move. */
    struct arena arena;
    size_t bytes;   /* of the rows and their texts */
    size_t records; /* ticks and events */
    size_t rows;    /* of all tables */
    struct cut *cuts;
    size_t cuts_n, cuts_cap;
    uint64_t last_seq; /* what the fence moves to; 0: the batch holds no record */
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
    write_batch_clear(b);
    for (int t = 0; t < TABLE_COUNT; t++) {
        for (size_t i = 0; i < b->tables[t].cap; i++) {
            free(b->tables[t].runs[i].rows);
            free(b->tables[t].runs[i].cut);
        }
        free(b->tables[t].runs);
    }
    free(b->cuts);
    arena_release(&b->arena);
    free(b);
}

/* What a part has borrowed is forgotten, and never freed or written to. */
static void give_back(struct write_batch *b)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        for (size_t i = 0; t != TABLE_source_mark_row && i < b->tables[t].n; i++)
            b->tables[t].runs[i] = (struct row_run){ 0 };
    b->borrowed = false;
}

void write_batch_clear(struct write_batch *b)
{
    if (b->borrowed) give_back(b);
    for (int t = 0; t < TABLE_COUNT; t++) {
        struct row_runs *rr = &b->tables[t];
        for (size_t i = 0; i < rr->n; i++) rr->runs[i].n = 0;
        rr->n = rr->last = rr->rows = 0;
    }
    arena_clear(&b->arena);
    b->bytes = b->records = b->rows = b->cuts_n = 0;
    b->last_seq = 0;
    b->failed = false;
}

/* A run is as long as the longest there was, for each of the turns that go round, and the arena has
 * every chunk that one turn has needed. While there is load they are needed again with the next
 * turn; afterwards nobody would ever give them back. */
void write_batch_relax(struct write_batch *b)
{
    assert(b->rows == 0 && !b->borrowed);
    for (int t = 0; t < TABLE_COUNT; t++)
        for (size_t i = 0; i < b->tables[t].cap; i++) {
            struct row_run *run = &b->tables[t].runs[i];
            free(run->rows);
            free(run->cut);
            *run = (struct row_run){ 0 };
        }
    free(b->cuts);
    b->cuts = NULL;
    b->cuts_n = b->cuts_cap = 0; /* between no rows there is nothing to cut */
    arena_trim(&b->arena);
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
    if (!b->facts[id].seq) {
        if (!VEC_GROW(&run->cut, &run->cut_cap, run->n + 1)) return NULL;
        run->cut[run->n] = (uint32_t)b->cuts_n;
    }
    rr->rows++;
    b->rows++;
    b->bytes += t->row->size;
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
    if (f->texts) b->bytes += row_text_bytes(type, row);
    else memcpy(to, row, type->size);
    if (f->seq) {
        b->last_seq = *(const uint64_t *)row_field(f->seq, row);
        b->records++;
    }
}

void write_cut(struct write_batch *b, int32_t source_id, int64_t next_offset)
{
    if (!VEC_GROW(&b->cuts, &b->cuts_cap, b->cuts_n + 1)) {
        b->failed = true;
        return;
    }
    b->cuts[b->cuts_n++] = (struct cut){ .seq = b->last_seq,
                                         .next_offset = next_offset,
                                         .source_id = source_id,
                                         .rows = (uint32_t)b->rows,
                                         .alerts = (uint32_t)b->tables[TABLE_alert_row].rows };
}

void write_batch_spoil(struct write_batch *b) { b->failed = true; }

/* ---- looking ---- */
bool write_batch_ok(const struct write_batch *b) { return !b->failed; }

bool write_batch_empty(const struct write_batch *b) { return !b->failed && b->rows == 0; }

size_t write_batch_rows(const struct write_batch *b) { return b->records; }
uint64_t write_batch_last_seq(const struct write_batch *b) { return b->last_seq; }

size_t write_batch_bytes(const struct write_batch *b) { return b->bytes; }

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

/* ---- cutting ---- */
size_t write_batch_cuts(const struct write_batch *b) { return b->cuts_n; }

size_t write_batch_weight(const struct write_batch *b, size_t fan_out)
{
    return b->rows + b->tables[TABLE_alert_row].rows * fan_out;
}

static size_t weight_at(const struct write_batch *b, size_t cuts, size_t fan_out)
{
    const struct cut *c = cuts ? &b->cuts[cuts - 1] : NULL;
    return c ? c->rows + (size_t)c->alerts * fan_out : 0;
}

size_t write_batch_reach(const struct write_batch *b, size_t from, size_t weight, size_t fan_out)
{
    const size_t begin = weight_at(b, from, fan_out);
    size_t low = from + 1, high = b->cuts_n; /* low: within, or the one there must be */
    if (low >= high || write_batch_weight(b, fan_out) - begin <= weight) return high;
    while (low < high) {
        const size_t mid = (low + high + 1) / 2;
        if (weight_at(b, mid, fan_out) - begin <= weight) low = mid;
        else high = mid - 1;
    }
    return low;
}

/* How many rows of a run were written before so many cuts. */
static size_t rows_before(const struct write_batch *b, enum table_id id, const struct row_run *run,
                          size_t cuts)
{
    const struct column *seq = b->facts[id].seq;
    const uint64_t last = cuts ? b->cuts[cuts - 1].seq : 0;
    size_t low = 0, high = run->n;
    if (cuts == 0) return 0;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        const void *row = (const char *)run->rows + mid * tables[id].row->size;
        if (seq ? *(const uint64_t *)row_field(seq, row) <= last : run->cut[mid] < cuts)
            low = mid + 1;
        else high = mid;
    }
    return low;
}

static void borrow_table(const struct write_batch *whole, enum table_id id, size_t from, size_t to,
                         struct write_batch *part)
{
    const struct row_runs *rr = &whole->tables[id];
    for (size_t i = 0; i < rr->n; i++) {
        const struct row_run *run = &rr->runs[i];
        const size_t begin = rows_before(whole, id, run, from),
                     end = to == whole->cuts_n ? run->n : rows_before(whole, id, run, to);
        struct row_run *slice = begin < end ? new_run(&part->tables[id], run->day) : NULL;
        if (begin == end) continue;
        if (!slice) {
            part->failed = true;
            return;
        }
        *slice = (struct row_run){ .day = run->day,
                                   .rows = (char *)run->rows + begin * tables[id].row->size,
                                   .n = end - begin };
        part->tables[id].rows += slice->n;
        part->rows += slice->n;
        part->bytes += slice->n * tables[id].row->size;
    }
}

/* Where each source stands at the part's end; the position of the message before it is not known
 * by its hash there. */
static void marks_of_part(const struct write_batch *whole, size_t from, size_t to,
                          struct write_batch *part)
{
    for (size_t i = from; i < to; i++) {
        const struct cut *c = &whole->cuts[i];
        const struct source_mark stands = { c->source_id, c->next_offset, 0 };
        if (c->source_id) write_row(part, &source_mark_row, &stands);
    }
}

void write_batch_part(const struct write_batch *whole, size_t from, size_t to,
                      struct write_batch *part)
{
    const bool last = to == whole->cuts_n;
    write_batch_clear(part);
    part->failed = whole->failed;
    const struct row_runs *marks = &whole->tables[TABLE_source_mark_row];
    for (size_t i = 0; last && marks->n && i < marks->runs[0].n; i++)
        write_row(part, &source_mark_row, (struct source_mark *)marks->runs[0].rows + i);
    if (!last) marks_of_part(whole, from, to, part);
    part->borrowed = true;
    for (enum table_id id = 0; id < TABLE_COUNT; id++)
        if (id != TABLE_source_mark_row) borrow_table(whole, id, from, to, part);
    const uint64_t before = from ? whole->cuts[from - 1].seq : 0,
                   upto = last ? whole->last_seq : whole->cuts[to - 1].seq;
    part->last_seq = upto > before ? upto : 0;
    part->records = part->tables[TABLE_tick_row].rows + part->tables[TABLE_event_row].rows;
}
