/* chunk.c - from rows to arrays and back.
 *
 * Three trades, 10:00:00.000000001, .5 and 1 s later, of instruments 7, 3, 7, prices 10.00, 10.02 and 9.98:
 *
 *     from_ns 10:00:00.000000001   event_unit 1            event      {0, 499999999, 999999999}
 *     price_base 998000000         price_unit 1000000      price      {2, 4, 0}
 *     size_base 100000000          size_unit 1             size       null: all are one share
 *     first_seq 41, last_seq 43                            seq        null: 41, 42, 43
 *     run_at {0}                                           run_kpos   {kpos of the first}: the others followed it
 *     kind_from, kind_to -2147483648                       kind       null
 *
 * The unit of a column is the greatest power of ten that its distances from the base are multiples of; it is looked for only
 * when they are too great without. A column whose distances are too great with it is stored whole, as x_wide, and has neither
 * base nor unit.
 *
 * The checksum is of the rows as they are in memory, so that it covers what is stored and what is made of it on both ways. */
#include "store/chunk.h"

#include "core/when.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <string.h>

enum {
    UNIT_MAX = 1000000000,
};

/* The columns, in the order of the table. */
enum {
    AT_FIRST_SEQ,
    AT_LAST_SEQ,
    AT_TICKS,
    AT_FROM_NS,
    AT_TO_NS,
    AT_KIND_FROM,
    AT_KIND_TO,
    AT_CHECKSUM,
    AT_EVENT_UNIT,
    AT_RECEIVED_BASE,
    AT_RECEIVED_UNIT,
    AT_PRICE_BASE,
    AT_PRICE_UNIT,
    AT_SIZE_BASE,
    AT_SIZE_UNIT,
    AT_SEQ,
    AT_INSTRUMENT,
    AT_KIND,
    AT_EVENT,
    AT_RECEIVED,
    AT_PRICE,
    AT_SIZE,
    AT_EVENT_WIDE,
    AT_RECEIVED_WIDE,
    AT_PRICE_WIDE,
    AT_SIZE_WIDE,
    AT_RUN_AT,
    AT_RUN_KPOS,
};
static const char *const names[CHUNK_COLUMNS] = {
    "first_seq",  "last_seq",  "ticks",      "from_ns",       "to_ns",         "kind_from",
    "kind_to",    "checksum",  "event_unit", "received_base", "received_unit", "price_base",
    "price_unit", "size_base", "size_unit",  "seq",           "instrument",    "kind",
    "event",      "received",  "price",      "size",          "event_wide",    "received_wide",
    "price_wide", "size_wide", "run_at",     "run_kpos",
};
static_assert(AT_RUN_KPOS + 1 == CHUNK_COLUMNS, "a name a column");

/* The four columns that are stored as distances. */
static const struct scaled {
    size_t offset; /* in struct tick_row */
    int base, unit, narrow, wide;
} scaled[] = {
    { offsetof(struct tick_row, event_ns), AT_FROM_NS, AT_EVENT_UNIT, AT_EVENT, AT_EVENT_WIDE },
    { offsetof(struct tick_row, received_ms), AT_RECEIVED_BASE, AT_RECEIVED_UNIT, AT_RECEIVED,
      AT_RECEIVED_WIDE },
    { offsetof(struct tick_row, price_e8), AT_PRICE_BASE, AT_PRICE_UNIT, AT_PRICE, AT_PRICE_WIDE },
    { offsetof(struct tick_row, size_e8), AT_SIZE_BASE, AT_SIZE_UNIT, AT_SIZE, AT_SIZE_WIDE },
};

static int64_t whole(const struct tick_row *row, size_t offset)
{
    int64_t v;
    memcpy(&v, (const char *)row + offset, sizeof v);
    return v;
}

/* What is stored is compared with it: it may never change. */
static int64_t checksum(const struct tick_row *rows, size_t n)
{
    static_assert(sizeof(struct tick_row) == 56, "no gaps, eight columns");
    const unsigned char *p = (const unsigned char *)rows;
    uint64_t h = 0x9E3779B97F4A7C15u ^ n;
    for (size_t i = 0; i < n * sizeof *rows; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, 8);
        h = (h ^ v) * 0xBF58476D1CE4E5B9u;
        h ^= h >> 32;
    }
    return (int64_t)h;
}

/* ---- out ---- */
size_t chunk_cut(const struct tick_row *rows, size_t n)
{
    assert(n > 0);
    if (n > CHUNK_MAX) n = CHUNK_MAX;
    if (rows[n - 1].seq - rows[0].seq < CHUNK_SPAN) return n;
    size_t k = 1;
    while (rows[k].seq - rows[0].seq < CHUNK_SPAN) k++;
    return k;
}

/* Mostly found at the first rows: prices are in cents or hundredths of them. */
static uint64_t unit_of(const struct tick_row *rows, size_t n, size_t offset, int64_t base)
{
    uint64_t unit = UNIT_MAX;
    for (size_t i = 0; i < n && unit > 1; i++)
        while (((uint64_t)whole(&rows[i], offset) - (uint64_t)base) % unit) unit /= 10;
    return unit;
}

struct range {
    int64_t low, high;
};
/* Asked when packing, and again of what came back. */
static struct range range_of(const struct tick_row *rows, size_t n, size_t offset)
{
    struct range r = { INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < n; i++) {
        const int64_t v = whole(&rows[i], offset);
        if (v < r.low) r.low = v;
        if (v > r.high) r.high = v;
    }
    return r;
}

/* Distances from the base in units; that they fit is_wide has said. */
static void put_narrow(struct params *p, int at, const struct tick_row *rows, size_t n,
                       size_t offset, int64_t base, uint64_t unit)
{
    char *to = params_array(p, at, OID_INT4, n);
    for (size_t i = 0; to && i < n; i++) {
        const uint64_t distance = (uint64_t)whole(&rows[i], offset) - (uint64_t)base;
        to = params_element32(to, (int32_t)(unit == 1 ? distance : distance / unit));
    }
}

static void put_wide(struct params *p, int at, const struct tick_row *rows, size_t n, size_t offset)
{
    char *to = params_array(p, at, OID_INT8, n);
    for (size_t i = 0; to && i < n; i++) to = params_element64(to, whole(&rows[i], offset));
}

struct packing { /* what of a column is decided before anything is put */
    int64_t base;
    uint64_t unit, span; /* span: high - low */
};

static struct packing packing_of(const struct tick_row *rows, size_t n, size_t offset)
{
    const struct range r = range_of(rows, n, offset);
    struct packing k = { r.low, 1, (uint64_t)r.high - (uint64_t)r.low };
    if (k.span > INT32_MAX) k.unit = unit_of(rows, n, offset, r.low);
    return k;
}

static bool is_wide(const struct packing *k) { return k->span / k->unit > INT32_MAX; }

/* Closes of several sessions, or trades of several places, in one chunk; mostly it is neither. */
static void put_kinds(struct params *p, const struct tick_row *rows, size_t n, int32_t low,
                      int32_t high)
{
    if (low == high) return;
    char *to = params_array(p, AT_KIND, OID_INT4, n);
    for (size_t i = 0; to && i < n; i++) to = params_element32(to, rows[i].day_or_kind);
}

/* Dense, unless a record of another kind lies between. */
static void put_seqs(struct params *p, const struct tick_row *rows, size_t n)
{
    if (rows[n - 1].seq - rows[0].seq == n - 1) return;
    char *to = params_array(p, AT_SEQ, OID_INT4, n);
    for (size_t i = 0; to && i < n; i++)
        to = params_element32(to, (int32_t)(rows[i].seq - rows[0].seq));
}

static void put_instruments(struct params *p, const struct tick_row *rows, size_t n)
{
    char *to = params_array(p, AT_INSTRUMENT, OID_INT4, n);
    for (size_t i = 0; to && i < n; i++) to = params_element32(to, rows[i].instrument_id);
}

static bool begins_run(const struct tick_row *rows, size_t i)
{
    return i == 0 || rows[i - 1].kpos == INT64_MAX || rows[i].kpos != rows[i - 1].kpos + 1;
}

/* A fetch brings a partition's messages one behind the other, so that a chunk has a few runs: a
 * hundredth of what a place of its own for each tick would be. */
static void put_runs(struct params *p, const struct tick_row *rows, size_t n)
{
    size_t runs = 0;
    for (size_t i = 0; i < n; i++) runs += begins_run(rows, i);
    char *to = params_array(p, AT_RUN_AT, OID_INT4, runs);
    for (size_t i = 0; to && i < n; i++)
        if (begins_run(rows, i)) to = params_element32(to, (int32_t)i);
    to = params_array(p, AT_RUN_KPOS, OID_INT8, runs);
    for (size_t i = 0; to && i < n; i++)
        if (begins_run(rows, i)) to = params_element64(to, rows[i].kpos);
}

/* What queries go by without unpacking anything. */
static void put_head(struct params *p, const struct tick_row *rows, size_t n, int32_t *low,
                     int32_t *high)
{
    const struct range when = range_of(rows, n, offsetof(struct tick_row, event_ns));
    *low = INT32_MAX, *high = INT32_MIN;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].day_or_kind < *low) *low = rows[i].day_or_kind;
        if (rows[i].day_or_kind > *high) *high = rows[i].day_or_kind;
    }
    params_i64(p, AT_FIRST_SEQ, (int64_t)rows[0].seq);
    params_i64(p, AT_LAST_SEQ, (int64_t)rows[n - 1].seq);
    params_i32(p, AT_TICKS, (int32_t)n);
    params_i64(p, AT_FROM_NS, when.low);
    params_i64(p, AT_TO_NS, when.high);
    params_i32(p, AT_KIND_FROM, *low);
    params_i32(p, AT_KIND_TO, *high);
    params_i64(p, AT_CHECKSUM, checksum(rows, n));
}

bool chunk_pack(struct params *p, const struct tick_row *rows, size_t n)
{
    assert(n > 0 && n <= CHUNK_MAX && rows[n - 1].seq - rows[0].seq < CHUNK_SPAN);
    struct packing k[ARRAY_LEN(scaled)];
    int32_t low, high;
    params_begin(p, CHUNK_COLUMNS);
    put_head(p, rows, n, &low, &high);
    for (size_t i = 0; i < ARRAY_LEN(scaled); i++) {
        k[i] = packing_of(rows, n, scaled[i].offset);
        if (scaled[i].base != AT_FROM_NS)
            params_i64(p, scaled[i].base, is_wide(&k[i]) ? 0 : k[i].base);
        params_i64(p, scaled[i].unit, is_wide(&k[i]) ? 1 : (int64_t)k[i].unit);
    }
    put_seqs(p, rows, n);
    put_instruments(p, rows, n);
    put_kinds(p, rows, n, low, high);
    for (size_t i = 0; i < ARRAY_LEN(scaled); i++)
        if (k[i].span && !is_wide(&k[i]))
            put_narrow(p, scaled[i].narrow, rows, n, scaled[i].offset, k[i].base, k[i].unit);
    for (size_t i = 0; i < ARRAY_LEN(scaled); i++)
        if (is_wide(&k[i])) put_wide(p, scaled[i].wide, rows, n, scaled[i].offset);
    put_runs(p, rows, n);
    return params_end(p);
}

/* ---- statements ---- */
void chunk_columns(struct buf *out)
{
    for (int i = 0; i < CHUNK_COLUMNS; i++) buf_printf(out, "%s%s", i ? ", " : "", names[i]);
}

void chunk_insert_text(struct buf *out)
{
    buf_puts(out, "INSERT INTO tocsin.tick_chunk (");
    chunk_columns(out);
    buf_puts(out, ") VALUES (");
    for (int i = 0; i < CHUNK_COLUMNS; i++) buf_printf(out, "%s$%d", i ? ", " : "", i + 1);
    buf_puts(out, ")");
}

/* ---- in ---- */
static int64_t get64(const char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return (int64_t)be64toh(x);
}
static int32_t get32(const char *p)
{
    uint32_t x;
    memcpy(&x, p, 4);
    return (int32_t)be32toh(x);
}

struct elements { /* of an array, each behind its length; p NULL: the column is null */
    const char *p;
    size_t n;
};

static int64_t element64(struct elements a, size_t i) { return get64(a.p + i * 12 + 4); }
static int32_t element32(struct elements a, size_t i) { return get32(a.p + i * 8 + 4); }

/* False: no array of that type without nulls. */
static bool take_array(const PGresult *r, int row, int at, uint32_t oid, struct elements *out)
{
    *out = (struct elements){ NULL, 0 };
    if (PQgetisnull(r, row, at)) return true;
    const char *p = PQgetvalue(r, row, at);
    const size_t len = (size_t)PQgetlength(r, row, at), width = oid == OID_INT8 ? 8 : 4;
    if (len < ARRAY_HEAD || get32(p) != 1 || get32(p + 4) != 0 || get32(p + 8) != (int32_t)oid)
        return false;
    out->n = (size_t)get32(p + 12);
    out->p = p + ARRAY_HEAD;
    if (len != ARRAY_HEAD + out->n * (4 + width)) return false;
    for (size_t i = 0; i < out->n; i++)
        if (get32(out->p + i * (4 + width)) != (int32_t)width) return false;
    return true;
}

/* One whose elements are the ticks', or null. */
static bool take_ticks(const PGresult *r, int row, int at, uint32_t oid, size_t n,
                       struct elements *out)
{
    return take_array(r, row, at, oid, out) && (!out->p || out->n == n);
}

static int64_t head64(const PGresult *r, int row, int at) { return get64(PQgetvalue(r, row, at)); }
static int32_t head32(const PGresult *r, int row, int at) { return get32(PQgetvalue(r, row, at)); }

/* Sums wrap around, as distances do: the checksum tells whether it was right. */
static bool take_scaled(const PGresult *r, int row, const struct scaled *s, struct tick_row *out,
                        size_t n)
{
    struct elements narrow, wide;
    const uint64_t base = (uint64_t)head64(r, row, s->base),
                   unit = (uint64_t)head64(r, row, s->unit);
    if (!take_ticks(r, row, s->narrow, OID_INT4, n, &narrow)
        || !take_ticks(r, row, s->wide, OID_INT8, n, &wide))
        return false;
    for (size_t i = 0; i < n; i++) {
        const uint64_t v = wide.p     ? (uint64_t)element64(wide, i)
                           : narrow.p ? base + unit * (uint64_t)(int64_t)element32(narrow, i)
                                      : base;
        memcpy((char *)&out[i] + s->offset, &v, sizeof v);
    }
    return true;
}

/* The place of each tick is one behind that of the tick before it, unless a run begins there. */
static bool take_runs(const PGresult *r, int row, struct tick_row *out, size_t n)
{
    struct elements at, kpos;
    if (!take_array(r, row, AT_RUN_AT, OID_INT4, &at)
        || !take_array(r, row, AT_RUN_KPOS, OID_INT8, &kpos) || !at.p || at.n != kpos.n || !at.n
        || element32(at, 0) != 0)
        return false;
    uint64_t next = 0;
    for (size_t i = 0, run = 0; i < n; i++, next++) {
        if (run < at.n && (size_t)element32(at, run) == i) next = (uint64_t)element64(kpos, run++);
        out[i].kpos = (int64_t)next;
    }
    return true;
}

static bool take_rest(const PGresult *r, int row, struct tick_row *out, size_t n)
{
    struct elements seq, instrument, kind;
    const uint64_t first = (uint64_t)head64(r, row, AT_FIRST_SEQ);
    const int32_t kind_from = head32(r, row, AT_KIND_FROM);
    if (!take_ticks(r, row, AT_SEQ, OID_INT4, n, &seq)
        || !take_ticks(r, row, AT_INSTRUMENT, OID_INT4, n, &instrument) || !instrument.p
        || !take_ticks(r, row, AT_KIND, OID_INT4, n, &kind))
        return false;
    for (size_t i = 0; i < n; i++) {
        out[i].seq = first + (seq.p ? (uint64_t)element32(seq, i) : i);
        out[i].instrument_id = element32(instrument, i);
        out[i].day_or_kind = kind.p ? element32(kind, i) : kind_from;
    }
    return true;
}

/* No column before the arrays may be null: then somebody has altered the table. */
static bool has_head(const PGresult *r, int row)
{
    for (int i = 0; i < AT_SEQ; i++) {
        const int width = i == AT_TICKS || i == AT_KIND_FROM || i == AT_KIND_TO ? 4 : 8;
        if (PQgetisnull(r, row, i) || PQgetlength(r, row, i) != width) return false;
    }
    return true;
}

/* What the columns beside the arrays say is what the ticks say: queries go by them. */
static bool head_is_theirs(const PGresult *r, int row, const struct tick_row *rows, size_t n)
{
    const struct range when = range_of(rows, n, offsetof(struct tick_row, event_ns));
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].day_or_kind < low) low = rows[i].day_or_kind;
        if (rows[i].day_or_kind > high) high = rows[i].day_or_kind;
        if (i && rows[i].seq <= rows[i - 1].seq) return false;
    }
    return head64(r, row, AT_LAST_SEQ) == (int64_t)rows[n - 1].seq
           && head64(r, row, AT_FROM_NS) == when.low && head64(r, row, AT_TO_NS) == when.high
           && head32(r, row, AT_KIND_FROM) == low && head32(r, row, AT_KIND_TO) == high;
}

static enum err damaged(const PGresult *r, int row, const char *what, struct why *why)
{
    return err_set(why, ERR_DB,
                   "tocsin.tick_chunk: the chunk with first_seq %" PRId64 " is damaged: %s",
                   PQgetisnull(r, row, AT_FIRST_SEQ) ? 0 : head64(r, row, AT_FIRST_SEQ), what);
}

uint64_t chunk_first_seq(const PGresult *r, int i)
{
    const bool there = !PQgetisnull(r, i, AT_FIRST_SEQ) && PQgetlength(r, i, AT_FIRST_SEQ) == 8;
    return there ? (uint64_t)head64(r, i, AT_FIRST_SEQ) : 0;
}

enum err chunk_unpack(const PGresult *r, int i, struct tick_row *out, size_t *n, struct why *why)
{
    if (PQnfields(r) != CHUNK_COLUMNS || !has_head(r, i))
        return err_set(why, ERR_DB, "tocsin.tick_chunk has other columns than this program knows");
    const int32_t ticks = head32(r, i, AT_TICKS);
    if (ticks < 1 || ticks > CHUNK_MAX) return damaged(r, i, "no such number of ticks", why);
    *n = (size_t)ticks;
    bool ok = take_rest(r, i, out, *n) && take_runs(r, i, out, *n);
    for (size_t k = 0; k < ARRAY_LEN(scaled) && ok; k++)
        ok = take_scaled(r, i, &scaled[k], out, *n);
    if (!ok) return damaged(r, i, "an array has not as many elements as there are ticks", why);
    if (checksum(out, *n) != head64(r, i, AT_CHECKSUM))
        return damaged(r, i, "its ticks are not those of its checksum", why);
    if (!head_is_theirs(r, i, out, *n))
        return damaged(r, i, "its range is not that of its ticks", why);
    return ERR_OK;
}
