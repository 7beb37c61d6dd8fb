/* test_chunk.c - ticks in chunks: on a real PostgreSQL they come back as they were written, by the program and by SQL; and a chunk
 * of which anything was altered is refused by name. */
#include "scratch_db.h"

#include "core/when.h"
#include "ingest/record.h"
#include "store/chunk.h"
#include "store/tick_reader.h"
#include "store/writer.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

enum { TICKS_MAX = 3 * CHUNK_MAX };
static const int64_t T0 = INT64_C(1770130800) * NS_PER_S; /* 2026-02-03 */
static struct tick_row written[TICKS_MAX];
static struct writer *writer;
static struct write_batch *batch;
static uint64_t seq; /* last given */
static uint64_t seed;

static uint64_t any(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static uint64_t upto(uint64_t n) { return (any() >> 11) % n; }

/* What a stream may be like. */
enum shape { PLAIN, CLOSES, ODD, EXTREME, TWO_DAYS, SHAPES };

static struct tick_row make(enum shape shape, size_t i)
{
    struct tick_row t = { .seq = ++seq,
                          .event_ns = T0 + (int64_t)i * 100000,
                          .received_ms = T0 / NS_PER_MS + (int64_t)i / 10,
                          .kpos = INT64_C(3) << 40 | (int64_t)i,
                          .price_e8 = (int64_t)(10000 + upto(50000)) * 1000000,
                          .size_e8 = (int64_t)(1 + upto(900)) * 100000000,
                          .instrument_id = (int32_t)upto(500),
                          .day_or_kind = NO_DAY };
    switch (shape) {
    case PLAIN:
    case SHAPES: break;
    case CLOSES: t.size_e8 = 0, t.day_or_kind = 20487 + (int32_t)(i / 500), t.event_ns = T0; break;
    case ODD: /* gaps, places in Kafka that jump, nanoseconds over an hour, prices below zero */
        seq += upto(4), t.seq = ++seq;
        t.event_ns = T0 + (int64_t)upto(UINT64_C(3600000000000));
        t.kpos = (int64_t)upto(16) << 40 | (int64_t)upto(1000);
        t.price_e8 = (int64_t)upto(UINT64_C(1) << 40) - (INT64_C(1) << 39);
        t.day_or_kind = NO_DAY + (int32_t)upto(3);
        break;
    case EXTREME:
        t.received_ms = i % 2 ? INT64_MIN : INT64_MAX;
        t.kpos = (int64_t)any();
        t.price_e8 = (int64_t)any();
        t.size_e8 = i % 3 ? 0 : INT64_MAX;
        t.instrument_id = i % 2 ? INT32_MAX : 0;
        t.day_or_kind = (int32_t)any();
        break;
    case TWO_DAYS: t.event_ns = T0 - upto(2) * NS_PER_DAY + (int64_t)i; break;
    }
    return t;
}

static void write_ticks(enum shape shape, size_t n)
{
    struct why why = { .text = "" };
    int64_t owed;
    sql("TRUNCATE tocsin.tick_row, tocsin.tick_chunk");
    for (size_t i = 0; i < n; i++) {
        written[i] = make(shape, i);
        write_row(batch, &tick_row, &written[i]);
    }
    if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
    write_batch_clear(batch);
}

static void differs(void *ctx, const struct column *c, const void *a, const void *b)
{
    char x[60], y[60];
    row_text(c, a, x, sizeof x);
    row_text(c, b, y, sizeof y);
    fail_msg("tick %zu, %s: written %s, read %s", *(size_t *)ctx, c->name, x, y);
}

static void compare(size_t i, const struct tick_row *t)
{
    row_compare(&tick_row, &written[i], t, differs, &i);
}

/* As a replay reads them: those with after < seq <= upto. */
static void read_back(size_t n, uint64_t after, uint64_t to)
{
    struct why why = { .text = "" };
    struct tick_reader *t;
    const struct tick_row *row;
    sql("BEGIN");
    if (tick_reader_open(&root, after, to, &t, &why)) fail_msg("%s", why.text);
    for (size_t i = 0; i < n; i++) {
        if (written[i].seq <= after || written[i].seq > to) continue;
        if (tick_reader_next(t, &row, &why)) fail_msg("%s", why.text);
        assert_non_null(row);
        compare(i, row);
    }
    assert_int_equal(tick_reader_next(t, &row, &why), ERR_OK);
    assert_null(row);
    tick_reader_close(t);
    sql("ROLLBACK");
}

static void read_by_sql(size_t n)
{
    AUTO_BUF struct buf q = { 0 };
    buf_puts(&q, "SELECT ");
    table_columns(&tick_row, &q);
    buf_puts(&q, " FROM tocsin.tick ORDER BY seq");
    AUTO_PGRESULT PGresult *r = NULL;
    struct why why = { .text = "" };
    if (db_query(&root, q.data, 0, NULL, &r, &why)) fail_msg("%s", why.text);
    assert_int_equal(PQntuples(r), n);
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < (int)tick_row.columns_n; k++) {
            char text[60];
            row_text(&tick_row.columns[k], &written[i], text, sizeof text);
            assert_string_equal(PQgetvalue(r, (int)i, k), text);
        }
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, CHUNK_MIN - 1, CHUNK_MIN, 1000, TICKS_MAX };
    for (int shape = 0; shape < SHAPES; shape++)
        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            const size_t n = sizes[k];
            seed = 0x9E3779B97F4A7C15ull * (k + 1) + (uint64_t)shape;
            printf("shape %d, %zu ticks, seed %" PRIu64 "\n", shape, n, seed);
            write_ticks((enum shape)shape, n);
            assert_int_equal(number("SELECT sum(ticks) FROM tocsin.tick_chunk") > 0,
                             n >= (shape == TWO_DAYS ? 1000 : CHUNK_MIN));
            read_back(n, 0, UINT64_MAX);
            read_by_sql(n);
            read_back(n, written[n / 2].seq, UINT64_MAX);
            read_back(n, written[n / 3].seq, written[n / 2].seq);
            read_back(n, written[n / 2].seq - 1, written[n / 2].seq - 1);
            read_back(n, written[n / 3].seq, written[n / 3].seq + 1);
            read_back(n, written[n - 1].seq, UINT64_MAX);
        }
}

/* Rows and chunks of several turns, ticks of two days among each other. */
static void rows_and_chunks_are_one_order(void **state)
{
    (void)state;
    size_t n = 0;
    struct why why = { .text = "" };
    int64_t owed;
    seed = 4711;
    sql("TRUNCATE tocsin.tick_row, tocsin.tick_chunk");
    while (n < 5000) {
        const size_t turn = upto(3) ? upto(20) + 1 : upto(900) + 1;
        const enum shape shape = (enum shape)upto(SHAPES);
        for (size_t i = 0; i < turn; i++, n++) {
            written[n] = make(shape, i);
            write_row(batch, &tick_row, &written[n]);
        }
        if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
        write_batch_clear(batch);
    }
    assert_true(number("SELECT count(*) FROM tocsin.tick_row") > 50);
    assert_true(number("SELECT count(*) FROM tocsin.tick_chunk") > 10);
    read_back(n, 0, UINT64_MAX);
    read_by_sql(n);
    for (int i = 0; i < 20; i++) {
        const uint64_t a = written[upto(n)].seq, b = written[upto(n)].seq;
        read_back(n, a < b ? a : b, a < b ? b : a);
    }
}

static void a_chunk_ends_where_its_span_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < 10; i++)
        written[i] = (struct tick_row){ .seq = 5 + i * (CHUNK_SPAN / 4) };
    assert_int_equal(chunk_cut(written, 10), 4);
    assert_int_equal(chunk_cut(written, 4), 4);
    assert_int_equal(chunk_cut(written, 1), 1);
    written[1].seq = 5 + CHUNK_SPAN;
    assert_int_equal(chunk_cut(written, 2), 1);
    for (size_t i = 0; i < TICKS_MAX; i++) written[i].seq = i + 1;
    assert_int_equal(chunk_cut(written, TICKS_MAX), CHUNK_MAX);
}

/* An hour of prices in cents, ns that are whole microseconds: what is narrow in the schema's words. */
static void what_fits_is_stored_narrow(void **state)
{
    (void)state;
    seed = 5;
    write_ticks(PLAIN, 1000);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.tick_chunk WHERE price_unit = 1000000 AND size_unit = 100000000"
            " AND kind IS NULL AND seq IS NULL AND run_at = '{0}' AND num_nulls(event_wide,"
            " received_wide, price_wide, size_wide) = 4"),
        1);
    write_ticks(CLOSES, 1000);
    assert_int_equal(number("SELECT count(*) FROM tocsin.tick_chunk WHERE size IS NULL"
                            " AND event IS NULL AND kind IS NOT NULL AND kind_from = 20487"
                            " AND kind_to = 20488"),
                     1);
}

static void what_is_altered_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const altered[] = {
        "last_seq = last_seq + 1",
        "ticks = ticks - 1",
        "ticks = 0",
        "ticks = 1000000",
        "from_ns = from_ns - 1",
        "to_ns = to_ns + 1",
        "kind_from = kind_from + 1",
        "kind_to = kind_to + 1",
        "checksum = checksum + 1",
        "event_unit = 10",
        "received_base = received_base + 1",
        "received_unit = 2",
        "price_base = price_base + 1",
        "price_unit = price_unit * 10",
        "size_base = 0",
        "size_unit = size_unit * 10",
        "seq[7] = seq[7] + 1",
        "seq = NULL",
        "instrument[7] = instrument[7] + 1",
        "instrument[7] = NULL",
        "instrument = '{}'",
        "instrument = instrument[2:]",
        "kind[7] = 20000",
        "kind = NULL",
        "event[7] = event[7] + 1",
        "event = NULL",
        "event = ARRAY[event, event]",
        "received[7] = received[7] + 1",
        "price[7] = price[7] + 1",
        "price = price[:998]",
        "size[7] = size[7] + 1",
        "event_wide = ARRAY[1]",
        "price_wide = price::bigint[]",
        "run_at[2] = run_at[2] + 1",
        "run_at[1] = 1",
        "run_at = '{}'",
        "run_kpos[2] = run_kpos[2] + 1",
    };
    struct tick_reader *t;
    const struct tick_row *row;
    char text[200], name[100];
    seed = 6;
    write_ticks(PLAIN, 5);
    for (size_t i = 0; i < 1000; i++) { /* with a gap, a second kind and a second run */
        written[i] = make(PLAIN, i);
        if (i > 500) written[i].seq = ++seq, written[i].kpos += 9, written[i].day_or_kind++;
        write_row(batch, &tick_row, &written[i]);
    }
    struct why why = { .text = "" };
    int64_t owed;
    assert_int_equal(writer_commit(writer, batch, &owed, &why), ERR_OK);
    write_batch_clear(batch);
    snprintf(name, sizeof name,
             "the chunk with first_seq %" PRIu64 " is damaged: ", written[0].seq);
    for (size_t i = 0; i < ARRAY_LEN(altered); i++) {
        snprintf(text, sizeof text, "BEGIN; UPDATE tocsin.tick_chunk SET %s", altered[i]);
        sql(text);
        enum err e = tick_reader_open(&root, 0, UINT64_MAX, &t, &why);
        for (row = written; !e && row;) e = tick_reader_next(t, &row, &why);
        if (e != ERR_DB || !strstr(why.text, name))
            fail_msg("%s: %s", altered[i], e ? why.text : "was not found");
        tick_reader_close(t);
        sql("ROLLBACK");
    }
    read_back(0, written[999].seq, UINT64_MAX);
}

int main(void)
{
    struct why why = { .text = "" };
    uint64_t last;
    if (!scratch_open("chunk")) return 0;
    if (write_batch_new(&batch) || writer_open(conninfo, &writer, &last, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(rows_and_chunks_are_one_order),
        cmocka_unit_test(a_chunk_ends_where_its_span_does),
        cmocka_unit_test(what_fits_is_stored_narrow),
        cmocka_unit_test(what_is_altered_is_refused_by_name),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    write_batch_free(batch);
    writer_close(writer);
    scratch_close();
    return failed;
}
