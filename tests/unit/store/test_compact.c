/* test_compact.c - the copy by instrument says what the ticks say, whatever they are like; and a piece is bounded by its ticks, and
 * not by the time they are of. */
#include "scratch_db.h"

#include "core/when.h"
#include "ingest/record.h"
#include "store/compact.h"
#include "store/trade_chunk.h"
#include "store/writer.h"

#include <inttypes.h>
#include <stdint.h>

enum { INSTRUMENTS = 50, TICKS = 20000, DENSE = 1200000, PIECE_MAX = 500000 };
static const int64_t T0 = INT64_C(1770130800) * NS_PER_S; /* 2026-02-03, 15:00 */
static struct writer *writer;
static struct write_batch *batch;
static struct db compactor;
static uint64_t seq, seed;

static uint64_t any(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static uint64_t upto(uint64_t n) { return (any() >> 11) % n; }

enum shape { PLAIN, ODD, EXTREME, SHAPES };

static struct tick_row make(enum shape shape, int64_t at_ns)
{
    seq++;
    struct tick_row t = { .seq = seq,
                          .event_ns = at_ns,
                          .received_ms = at_ns / NS_PER_MS,
                          .kpos = INT64_C(3) << 40 | (int64_t)seq,
                          .price_e8 = (int64_t)(10000 + upto(50000)) * 1000000,
                          .size_e8 = (int64_t)(1 + upto(900)) * 100000000,
                          .instrument_id = (int32_t)upto(INSTRUMENTS),
                          .day_or_kind = NO_DAY };
    if (shape == ODD) { /* closes among them, times out of order, prices below zero */
        t.event_ns = T0 + (int64_t)upto(UINT64_C(3600000000000));
        t.price_e8 = (int64_t)upto(UINT64_C(1) << 40) - (INT64_C(1) << 39);
        t.day_or_kind = NO_DAY + (int32_t)upto(5);
    }
    if (shape == EXTREME) {
        t.event_ns = T0 + (int64_t)upto(UINT64_C(18000000000000));
        t.price_e8 = (int64_t)any();
        t.size_e8 = upto(3) ? 0 : INT64_MAX;
        if (upto(100) == 0) seq += UINT64_C(3000000000); /* farther apart than an integer tells */
    }
    return t;
}

static void commit(void)
{
    struct why why = { .text = "" };
    int64_t owed;
    if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
    write_batch_clear(batch);
}

static void begin_anew(void)
{
    sql("TRUNCATE tocsin.tick_row, tocsin.tick_chunk, tocsin.tick_day, tocsin.trade_chunk");
}

/* All of it; the largest piece and how many there were of any ticks. */
static void compact_all(int64_t *most, int *pieces)
{
    struct compacted done = { .more = true };
    struct pace pace = { 0 };
    *most = *pieces = 0;
    while (done.more) {
        struct why why = { .text = "" };
        if (compact_piece(&compactor, T0 + 30 * NS_PER_DAY, &pace, &done, &why))
            fail_msg("%s", why.text);
        if (done.trades > *most) *most = done.trades;
        *pieces += done.trades > 0;
    }
}

static const char TICKS_TEXT[] =
    "SELECT t.seq, t.event_ns, i.symbol, t.price_e8, t.size_e8, t.day_or_kind AS kind"
    " FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id)"
    " WHERE t.day_or_kind <= -2147483646";
static const char COPY_TEXT[] =
    "SELECT seq, event_ns, symbol, price_e8, size_e8, kind FROM tocsin.trade";

static void the_copy_says_what_the_ticks_say(void)
{
    AUTO_BUF struct buf q = { 0 };
    buf_printf(&q,
               "SELECT count(*) FROM ((%s EXCEPT ALL %s) UNION ALL (%s EXCEPT ALL %s)) differing",
               TICKS_TEXT, COPY_TEXT, COPY_TEXT, TICKS_TEXT);
    assert_int_equal(number(q.data), 0);
    assert_int_equal(number("SELECT sum(trades) FROM tocsin.trade_chunk"),
                     number("SELECT count(*) FROM tocsin.tick WHERE day_or_kind <= -2147483646"));
    assert_int_equal(number("SELECT max(trades) FROM tocsin.trade_chunk") <= TRADE_CHUNK_MAX, 1);
    assert_int_equal(number("SELECT count(*) FROM tocsin.damaged_copies(0)"), 0);
}

static void whatever_they_are_like(void **state)
{
    (void)state;
    for (int shape = 0; shape < SHAPES; shape++) {
        int64_t most;
        int pieces;
        seed = 0x9E3779B97F4A7C15ull + (uint64_t)shape;
        printf("shape %d, seed %" PRIu64 "\n", shape, seed);
        begin_anew();
        for (int i = 0; i < TICKS; i++) {
            const struct tick_row t = make((enum shape)shape, T0 + i * 100 * NS_PER_MS);
            write_row(batch, &tick_row, &t);
            if (upto(200) == 0) commit(); /* chunks, and few that are rows */
        }
        commit();
        assert_true(number("SELECT count(*) FROM tocsin.tick_row") > 10);
        compact_all(&most, &pieces);
        assert_true(pieces >= 1);
        the_copy_says_what_the_ticks_say();
    }
}

/* 1.2 million within a quarter of an hour. */
static void a_piece_is_bounded_by_its_ticks(void **state)
{
    (void)state;
    int64_t most;
    int pieces;
    seed = 7;
    begin_anew();
    for (int i = 0; i < DENSE; i++) {
        const struct tick_row t = make(PLAIN, T0 + i * (800 * NS_PER_S / DENSE));
        write_row(batch, &tick_row, &t);
        if (i % 50000 == 49999) commit();
    }
    compact_all(&most, &pieces);
    assert_true(most <= PIECE_MAX && most > PIECE_MAX / 4);
    assert_true(pieces >= DENSE / PIECE_MAX + 1 && pieces <= 8);
    assert_int_equal(number("SELECT sum(trades) FROM tocsin.trade_chunk"), DENSE);
}

/* Told to stop it leaves nothing behind, and the next call does it. */
static void one_that_is_stopped_is_done_later(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct compacted done;
    atomic_bool stop = true;
    struct pace pace = { .rests = 3, .stop = &stop };
    int64_t most;
    int pieces;
    seed = 8;
    begin_anew();
    for (int i = 0; i < TICKS; i++) {
        const struct tick_row t = make(PLAIN, T0 + i * NS_PER_MS);
        write_row(batch, &tick_row, &t);
    }
    commit();
    assert_int_equal(compact_piece(&compactor, T0 + 30 * NS_PER_DAY, &pace, &done, &why),
                     ERR_STOPPING);
    assert_int_equal(number("SELECT max(done_ns) - max(from_ns) FROM tocsin.tick_day"), 0);
    assert_int_equal(number("SELECT count(*) FROM tocsin.trade_chunk"), 0);
    atomic_store(&stop, false);
    pace.rests = 0;
    compact_all(&most, &pieces);
    the_copy_says_what_the_ticks_say();
}

int main(void)
{
    struct why why = { .text = "" };
    uint64_t last;
    if (!scratch_open("compact")) return 0;
    if (write_batch_new(&batch) || writer_open(conninfo, &writer, &last, &why)
        || db_open(conninfo, "tocsin_engine", "compactor", &compactor, &why)
        || compact_prepare(&compactor, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    sql("INSERT INTO tocsin.instrument SELECT n, 'S' || n, '', '' FROM generate_series(0, 49) n");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_they_are_like),
        cmocka_unit_test(a_piece_is_bounded_by_its_ticks),
        cmocka_unit_test(one_that_is_stopped_is_done_later),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    db_close(&compactor);
    write_batch_free(batch);
    writer_close(writer);
    scratch_close();
    return failed;
}
