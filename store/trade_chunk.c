/* trade_chunk.c - three trades of instrument 7, whose day is in the copy up to seq 9000, 10.00, 10.02 and 9.98 of 1, 2 and 1:
 *
 *     instrument_id 7, from_ns 10:00:00, to_ns 10:00:01, upto_seq 9000, trades 3
 *     seq_base 41                        seq    {0, 2, 1}          41, 43, 42: what came later happened earlier
 *     event_unit 1000000                 event  {0, 500, 1000}     ms behind from_ns
 *     price_unit 1000000                 price  {1000, 1002, 998}  cents
 *     size_unit 100000000                size   {1, 2, 1}
 *     kind null                          all of them were regular
 *
 * A unit is the greatest of its column's three that all values are multiples of. What does not fit an integer so is stored whole,
 * as x_wide. */
#include "store/trade_chunk.h"

#include <assert.h>
#include <string.h>

/* The columns, in the order of the table. */
enum {
    AT_INSTRUMENT_ID,
    AT_FROM_NS,
    AT_TO_NS,
    AT_UPTO_SEQ,
    AT_TRADES,
    AT_SEQ_BASE,
    AT_EVENT_UNIT,
    AT_PRICE_UNIT,
    AT_SIZE_UNIT,
    AT_SEQ,
    AT_SEQ_WIDE,
    AT_EVENT,
    AT_EVENT_WIDE,
    AT_PRICE,
    AT_PRICE_WIDE,
    AT_SIZE,
    AT_SIZE_WIDE,
    AT_KIND,
};
static_assert(AT_KIND + 1 == TRADE_CHUNK_COLUMNS, "a name a column");

void trade_chunk_insert_text(struct buf *out)
{
    buf_puts(
        out,
        "INSERT INTO tocsin.trade_chunk (instrument_id, from_ns, to_ns, upto_seq, trades,"
        " seq_base, event_unit, price_unit, size_unit, seq, seq_wide, event, event_wide, price,"
        " price_wide, size, size_wide, kind, checksum) VALUES (");
    for (int i = 1; i <= TRADE_CHUNK_COLUMNS; i++) buf_printf(out, "$%d, ", i);
    buf_puts(out, "tocsin.trade_chunk_sum(");
    for (int i = 1; i <= TRADE_CHUNK_COLUMNS; i++) buf_printf(out, "%s$%d", i > 1 ? ", " : "", i);
    buf_puts(out, "))");
}

enum { UNITS = 3 };
/* The four columns of numbers. Three have units; two are counted from where they begin, the others from 0. */
static const struct numbers {
    size_t offset; /* in struct tick_row */
    int64_t units[UNITS];
    int unit, narrow; /* wide: the column behind narrow; unit -1: it has none */
    bool from_lowest;
} numbers[] = {
    { offsetof(struct tick_row, seq), { 1, 1, 1 }, -1, AT_SEQ, true },
    { offsetof(struct tick_row, event_ns), { 1000000, 1000, 1 }, AT_EVENT_UNIT, AT_EVENT, true },
    { offsetof(struct tick_row, price_e8), { 1000000, 10000, 1 }, AT_PRICE_UNIT, AT_PRICE, false },
    { offsetof(struct tick_row, size_e8), { 100000000, 10000, 1 }, AT_SIZE_UNIT, AT_SIZE, false },
};

static int64_t number(const struct tick_row *row, size_t offset)
{
    int64_t v;
    memcpy(&v, (const char *)row + offset, sizeof v);
    return v;
}

struct scale {
    int64_t low, high, base, unit;
};

static struct scale scale_of(const struct numbers *c, const struct tick_row *trades, size_t n)
{
    struct scale s = { .low = INT64_MAX, .high = INT64_MIN };
    size_t unit = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t v = number(&trades[i], c->offset);
        if (v < s.low) s.low = v;
        if (v > s.high) s.high = v;
        while (v % c->units[unit]) unit++;
    }
    s.base = c->from_lowest ? s.low : 0;
    s.unit = c->units[unit];
    return s;
}

static bool is_narrow(const struct scale *s)
{
    return (s->low - s->base) / s->unit >= -INT32_MAX && (s->high - s->base) / s->unit <= INT32_MAX;
}

static void put_numbers(struct params *p, const struct numbers *c, const struct scale *s,
                        const struct tick_row *trades, size_t n)
{
    const bool narrow = is_narrow(s);
    char *to = params_array(p, c->narrow + !narrow, narrow ? OID_INT4 : OID_INT8, n);
    for (size_t i = 0; to && i < n; i++) {
        const int64_t v = number(&trades[i], c->offset);
        to = narrow ? params_element32(to, (int32_t)((v - s->base) / s->unit))
                    : params_element64(to, v);
    }
}

static void put_kinds(struct params *p, const struct tick_row *trades, size_t n)
{
    size_t regular = 0;
    while (regular < n && trades[regular].day_or_kind == NO_DAY) regular++;
    char *to = regular < n ? params_array(p, AT_KIND, OID_INT4, n) : NULL;
    for (size_t i = 0; to && i < n; i++) to = params_element32(to, trades[i].day_or_kind);
}

bool trade_chunk_pack(struct params *p, const struct tick_row *trades, size_t n, uint64_t upto)
{
    assert(n > 0 && n <= TRADE_CHUNK_MAX);
    struct scale s[ARRAY_LEN(numbers)];
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) s[i] = scale_of(&numbers[i], trades, n);
    params_begin(p, TRADE_CHUNK_COLUMNS);
    params_i32(p, AT_INSTRUMENT_ID, trades[0].instrument_id);
    params_i64(p, AT_FROM_NS, trades[0].event_ns);
    params_i64(p, AT_TO_NS, trades[n - 1].event_ns);
    params_i64(p, AT_UPTO_SEQ, (int64_t)upto);
    params_i32(p, AT_TRADES, (int32_t)n);
    params_i64(p, AT_SEQ_BASE, s[0].base);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i].unit >= 0) params_i64(p, numbers[i].unit, s[i].unit);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) put_numbers(p, &numbers[i], &s[i], trades, n);
    put_kinds(p, trades, n);
    return params_end(p);
}
