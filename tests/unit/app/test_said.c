/* test_said.c - what verify says of rows that were stored and rows that a replay says, line by line. On a real PostgreSQL, since
 * the stored ones come from there, in its order. */
#include "../store/scratch_db.h"

#include "alerts/alert.h"
#include "analytics/rows.h"
#include "app/said.h"
#include "core/map.h"
#include "core/when.h"
#include "ingest/batch.h"
#include "ingest/stored.h"
#include "store/table.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const struct uuid T1 = { { 1 } }, T2 = { { 2 } }, R1 = { { 0xA1 } }, R2 = { { 0xA2 } };
static const int64_t NS = INT64_C(1770130800) * NS_PER_S; /* 2026-02-03 */

/* ---- what is stored ---- */
static void store(const struct row_type *type, const void *row)
{
    AUTO_BUF struct buf statement = { 0 }, json = { 0 };
    struct why why = { .text = "" };
    struct json_writer w = json_write(&json);
    json_put_array(&w, NULL);
    row_json(&w, NULL, type, row);
    json_put_end(&w);
    assert_true(json_write_done(&w));
    table_write_json(&tables[table_of(type)], &statement);
    if (db_exec(&root, statement.data, 1, (const char *const[]){ json.data }, &why))
        fail_msg("%s", why.text);
}

static int nothing_stored(void **state)
{
    (void)state;
    sql("TRUNCATE tocsin.event, tocsin.series, tocsin.series_viewer, tocsin.reading, tocsin.article_score, tocsin.rule_version, tocsin.rule,"
        " tocsin.instrument, tocsin.alert CASCADE");
    return 0;
}

static struct reading_row reading(uint64_t seq, uint32_t series, double value)
{
    return (struct reading_row){ .seq = seq,
                                 .event_ns = NS,
                                 .series_id = series,
                                 .value = value,
                                 .coverage = 1,
                                 .status = READING_OK };
}

static struct series_row series(uint32_t no, const char *measure, int version)
{
    return (struct series_row){
        .series_id = no, .measure = measure, .unit = "%", .version = version, .configured = true
    };
}

static struct event_row event(uint64_t seq, int kind, const char *payload)
{
    return (struct event_row){
        .seq = seq, .event_ns = NS, .kind = (int16_t)kind, .payload = str_of(payload)
    };
}

static struct article_score_row score(uint64_t seq, const char *headline)
{
    return (struct article_score_row){ .seq = seq,
                                       .article_id = str_of("id"),
                                       .event_ns = NS,
                                       .headline = str_of(headline),
                                       .source = str_of(""),
                                       .label = SENTIMENT_MIXED,
                                       .tickers = "[]",
                                       .scorer = "s 1" };
}

/* ---- what the replay says, and what is printed ---- */
static struct said said;
static char *printed;
static size_t printed_n;
static bool begun;
static FILE *shown; /* while what is printed is caught: where it went */

static void show_again(void)
{
    if (!shown) return;
    fclose(stdout);
    stdout = shown;
    shown = NULL;
}

static int tidy(void **state)
{
    (void)state;
    show_again();
    free(printed);
    printed = NULL;
    said_close(&said);
    said = (struct said){ 0 };
    if (begun) sql("ROLLBACK");
    begun = false;
    return 0;
}

static void begin(void)
{
    struct why why = { .text = "" };
    tidy(NULL);
    sql("BEGIN");
    begun = true;
    assert_int_equal(said_open(&said, &root, 0, 0, &why), ERR_OK);
    shown = stdout;
    stdout = open_memstream(&printed, &printed_n);
}

#define SAY(type, ...) said_row(&said, &type##_row, (struct type##_row[]){ __VA_ARGS__ })
#define STORE(type, ...) store(&type##_row, (struct type##_row[]){ __VA_ARGS__ })

/* The record is over, and the next one's rows may come. */
static void over(void) { said_settle(&said); }

/* The end of the replay at record `seq`: exactly these lines have been printed. */
static void end_is(uint64_t seq, int64_t differing, const char *lines)
{
    said_end(&said, &root, seq);
    show_again();
    if (said.err || said.differing != differing || strcmp(printed, lines) != 0)
        fail_msg("%s, %d differing:\n%swanted %d:\n%s", err_name(said.err), (int)said.differing,
                 printed, (int)differing, lines);
}

/* ---- rows that are read along ---- */
static void the_same_rows_do_not_differ(void **state)
{
    (void)state;
    STORE(event, event(1, RECORD_CLOCK, "{}"));
    STORE(reading, reading(1, 0, 1.5));
    STORE(reading, reading(1, 1, NAN));
    STORE(reading, reading(2, 0, 2.5));
    STORE(series, series(0, "hhi(X)", 1));
    begin();
    SAY(series, series(0, "hhi(X)", 1));
    SAY(event, event(1, RECORD_CLOCK, "{}"));
    SAY(reading, reading(1, 0, 1.5));
    SAY(reading, reading(1, 1, NAN));
    over();
    assert_int_equal(said.tables[TABLE_reading_row].compared, 2);
    SAY(reading, reading(2, 0, 2.5));
    over();
    over();
    assert_int_equal(said.tables[TABLE_event_row].compared, 1);
    assert_int_equal(said.tables[TABLE_reading_row].compared, 3);
    assert_int_equal(said.tables[TABLE_series_row].compared, 0); /* it may be said again */
    assert_int_equal(said.values, event_row.columns_n + 3 * reading_row.columns_n);
    end_is(2, 0, "");
    assert_int_equal(said.tables[TABLE_series_row].compared, 1);
    assert_int_equal(said.values,
                     event_row.columns_n + 3 * reading_row.columns_n + series_row.columns_n);
}

static void each_column_that_differs_is_a_line(void **state)
{
    (void)state;
    STORE(reading, reading(7, 3, 1.5));
    begin();
    struct reading_row r = reading(7, 3, 1.25);
    r.status = READING_STALE;
    r.tenant_id = T1;
    said_row(&said, &reading_row, &r);
    over();
    end_is(7, 3,
           "seq 7: reading.tenant_id: stored null, now 01000000-0000-0000-0000-000000000000\n"
           "seq 7: reading.value: stored 1.5, now 1.25\n"
           "seq 7: reading.status: stored ok, now stale\n");
}

/* Older programs stored messages as they came; what else an event says is compared. */
static void an_events_payload_is_not_compared(void **state)
{
    (void)state;
    STORE(event, event(1, RECORD_POSITION, "{ \"as\": \"it came\" }"));
    STORE(article_score, score(2, "as it came"));
    begin();
    SAY(event, event(1, RECORD_CLOCK, "{}"));
    over();
    SAY(article_score, score(2, "otherwise"));
    over();
    char lines[300];
    snprintf(lines, sizeof lines,
             "seq 1: event.kind: stored %d, now %d\n"
             "seq 2: article_score.headline: stored as it came, now otherwise\n",
             RECORD_POSITION, RECORD_CLOCK);
    end_is(2, 2, lines);
}

/* A record's rows may be said in any order; the stored ones come by seq and then by key, of which each column counts. */
static void the_order_within_a_record_is_the_keys(void **state)
{
    (void)state;
    static const struct {
        struct uuid tenant, rule;
        int version;
    } in_order[] = {
        { { { 1 } }, { { 0xA1 } }, 1 },
        { { { 1 } }, { { 0xA1 } }, 2 },
        { { { 1 } }, { { 0xA2 } }, 1 },
        { { { 2 } }, { { 0xA1 } }, 1 },
    };
    struct rule_version_row rows[ARRAY_LEN(in_order)];
    for (size_t i = 0; i < ARRAY_LEN(in_order); i++) {
        rows[i] = (struct rule_version_row){ .tenant_id = in_order[i].tenant,
                                             .rule_id = in_order[i].rule,
                                             .version = in_order[i].version,
                                             .seq = 5,
                                             .definition = "{}" };
        store(&rule_version_row, &rows[i]);
    }
    for (uint32_t i = 0; i < 12; i++) STORE(reading, reading(5, i, i));
    begin();
    for (size_t i = ARRAY_LEN(in_order); i-- > 0;) said_row(&said, &rule_version_row, &rows[i]);
    for (uint32_t i = 12; i-- > 0;) SAY(reading, reading(5, i, i));
    over();
    end_is(5, 0, "");
    begin();
    for (size_t i = 0; i < ARRAY_LEN(in_order); i++)
        said_row(&said, &rule_version_row, &rows[i ^ 1]);
    for (uint32_t i = 0; i < 12; i++) SAY(reading, reading(5, i ^ 1, i ^ 1));
    over();
    end_is(5, 0, "");
}

/* The caller's row and its texts are its own again at once. */
static void what_is_said_is_kept(void **state)
{
    (void)state;
    STORE(article_score, score(1, "first"));
    STORE(series, series(0, "hhi(X)", 1));
    char text[10] = "first", measure[10] = "hhi(X)";
    begin();
    struct article_score_row a = score(1, text);
    struct series_row s = series(0, measure, 1);
    said_row(&said, &article_score_row, &a);
    said_row(&said, &series_row, &s);
    memset(text, 'x', sizeof text - 1);
    memset(measure, 'x', sizeof measure - 1);
    a.seq = s.series_id = 99;
    over();
    end_is(1, 0, "");
}

static void a_row_too_few_or_too_many_is_a_difference(void **state)
{
    (void)state;
    STORE(reading, reading(1, 0, 1));
    STORE(article_score, score(3, "a"));
    STORE(article_score, score(4, "b"));
    begin();
    SAY(reading, reading(1, 0, 1));
    SAY(reading, reading(1, 1, 1));
    over();
    SAY(reading, reading(2, 0, 1));
    over();
    end_is(2, 4,
           "seq 1: reading: stored nothing, now a row\n"
           "seq 2: reading: stored nothing, now a row\n"
           "seq 3: article_score: stored a row, now nothing\n"
           "seq 4: article_score: stored a row, now nothing\n");
    /* as many rows as were said are taken, one for one */
    begin();
    SAY(article_score, score(3, "a"));
    over();
    end_is(3, 2,
           "seq 1: reading: stored a row, now nothing\n"
           "seq 4: article_score: stored a row, now nothing\n");
}

/* Passed over as one difference: the rows around it are compared with their own partners, also behind the replay's end. */
static void a_stored_row_that_cannot_be_read_is_one_difference(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 5; seq++) STORE(article_score, score(seq, "h"));
    sql("UPDATE tocsin.article_score SET label = 'splendid' WHERE seq IN (2, 4)");
    begin();
    for (uint64_t seq = 1; seq <= 3; seq++) {
        SAY(article_score, score(seq, "h"));
        over();
    }
    assert_int_equal(said.tables[TABLE_article_score_row].compared, 2);
#define BAD                                                                                        \
    "article_score.label: sentiment_label 'splendid' is none of neutral, positive, negative, mixed: stored that, now another\n"
    end_is(3, 3, "seq 2: " BAD "seq 0: " BAD "seq 5: article_score: stored a row, now nothing\n");
}

static void all_are_counted_and_the_first_printed(void **state)
{
    (void)state;
    AUTO_BUF struct buf lines = { 0 };
    begin();
    for (uint32_t i = 0; i < SAID_SHOWN + 5; i++) SAY(reading, reading(1, i, i));
    over();
    for (int i = 0; i < SAID_SHOWN; i++)
        buf_puts(&lines, "seq 1: reading: stored nothing, now a row\n");
    end_is(1, SAID_SHOWN + 5, lines.data);
}

/* Values of an earlier version of a measure stay as they were said, whatever this program makes of them; those of a later one
 * do not, and neither does what else a row says. */
static void what_an_earlier_version_said_is_its_own(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct reading_row r = reading(seq, 0, 1);
        r.measure_version = 2;
        store(&reading_row, &r);
    }
    STORE(series, series(0, "hhi(X)", 2));
    STORE(series, series(1, "hhi(Y)", 2));
    begin();
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct reading_row r = reading(seq, 0, 5);
        r.measure_version = (int32_t)(4 - seq);
        r.coverage = 0.5;
        said_row(&said, &reading_row, &r);
        over();
    }
    assert_int_equal(said.earlier, 1);
    SAY(series, series(0, "hhi(X)", 3));
    SAY(series, series(1, "hhi(Y)", 1));
    end_is(3, 7,
           "seq 1: reading.coverage: stored 1, now 0.5\n"
           "seq 2: reading.value: stored 1, now 5\n"
           "seq 2: reading.coverage: stored 1, now 0.5\n"
           "seq 3: reading.value: stored 1, now 5\n"
           "seq 3: reading.coverage: stored 1, now 0.5\n"
           "seq 3: reading.measure_version: stored 2, now 1\n"
           "seq 3: series.version of 1: stored 2, now 1\n");
    assert_int_equal(said.earlier, 1); /* readings alone are counted */
}

/* One that was made before alerts had episodes has none of the columns that came with them. */
static void an_older_alert_is_compared_as_far_as_it_goes(void **state)
{
    (void)state;
    struct alert a = { .tenant_id = T1,
                       .alert_id = R1,
                       .rule_id = R1,
                       .rule_version = 1,
                       .rule_name = "n",
                       .rule_text = "t",
                       .measure = "m",
                       .unit = "u",
                       .inputs = "{}",
                       .definition = "{}",
                       .previous = NAN };
    for (uint64_t n = 1; n <= 2; n++) {
        a.stream_no = a.seq = n;
        a.alert_id.b[15] = (uint8_t)n;
        a.episode.b[0] = (uint8_t)(n - 1);
        store(&alert_row, &a);
    }
    begin();
    for (uint64_t n = 1; n <= 2; n++) {
        a.stream_no = a.seq = n;
        a.alert_id.b[15] = (uint8_t)n;
        a.episode.b[0] = 1;
        a.since_ns = 7;
        a.unit = "v";
        said_row(&said, &alert_row, &a);
        over();
    }
    end_is(2, 3,
           "seq 1: alert.unit: stored u, now v\n"
           "seq 2: alert.unit: stored u, now v\n"
           "seq 2: alert.since_ns: stored 0, now 7\n");
}

/* ---- rows that stand ---- */
static void the_last_that_was_said_stands(void **state)
{
    (void)state;
    STORE(series, series(0, "hhi(X)", 3));
    STORE(series, series(1, "hhi(Y)", 5));
    begin();
    SAY(series, series(0, "hhi(X)", 1));
    over();
    SAY(series, series(1, "hhi(Y)", 4));
    over();
    SAY(series, series(0, "hhi(X)", 2));
    SAY(series, series(0, "hhi(X)", 3));
    over();
    SAY(series, series(1, "hhi(Y)", 5));
    over();
    end_is(9, 0, "");
    begin();
    SAY(series, series(1, "hhi(Y)", 5));
    SAY(series, series(0, "hhi(X)", 3));
    SAY(series, series(0, "hhi(X)", 2));
    over();
    end_is(9, 1, "seq 9: series.version of 0: stored 3, now 2\n");
}

static void each_column_of_a_key_tells_rows_apart(void **state)
{
    (void)state;
    const struct series_viewer_row all[] = { { T1, 1 }, { T1, 2 }, { T2, 1 }, { T2, 2 } };
    for (size_t i = 0; i < ARRAY_LEN(all); i++) store(&series_viewer_row, &all[i]);
    begin();
    for (size_t i = ARRAY_LEN(all); i-- > 0;) said_row(&said, &series_viewer_row, &all[i]);
    end_is(1, 0, "");
    assert_int_equal(said.tables[TABLE_series_viewer_row].compared, 4);
}

/* Stored 1 2 4 6: partners by their keys, the rest on either side is missing on the other, up to both ends. */
static void what_stands_is_matched_by_its_key(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t no = (const uint32_t[]){ 6, 2, 1, 4 }[i];
        STORE(series, series(no, names[no], 2));
    }
    begin();
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t no = (const uint32_t[]){ 9, 4, 2, 3 }[i];
        SAY(series, series(no, names[no], no == 4 ? 1 : 2));
    }
    over();
    end_is(8, 5,
           "seq 8: series of 1: stored a row, now nothing\n"
           "seq 8: series of 3: stored nothing, now a row\n"
           "seq 8: series.version of 4: stored 2, now 1\n"
           "seq 8: series of 6: stored a row, now nothing\n"
           "seq 8: series of 9: stored nothing, now a row\n");
    assert_int_equal(said.tables[TABLE_series_row].compared, 2);
    begin();
    SAY(series, series(1, names[1], 2));
    SAY(series, series(2, names[2], 2));
    end_is(8, 2,
           "seq 8: series of 4: stored a row, now nothing\n"
           "seq 8: series of 6: stored a row, now nothing\n");
}

/* Two numbers whose texts have one hash, found among the first that there are. */
struct hashed {
    uint32_t hash, number;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static struct hashed *two_of_one_hash(void)
{
    enum { MANY = 400000 };
    static struct hashed all[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        char text[20];
        const int n = snprintf(text, sizeof text, "%u", i);
        all[i] = (struct hashed){ (uint32_t)map_hash(text, (size_t)n), i };
    }
    qsort(all, MANY, sizeof *all, by_hash);
    for (uint32_t i = 1; i < MANY; i++)
        if (all[i - 1].hash == all[i].hash) return &all[i - 1];
    fail_msg("no two numbers below %d have one hash", MANY);
    return NULL;
}

static void a_hash_is_not_a_key(void **state)
{
    (void)state;
    const struct hashed *two = two_of_one_hash();
    for (int i = 0; i < 2; i++) {
        STORE(series, series(two[i].number, i ? "hhi(X)" : "hhi(Y)", 1));
        STORE(series_viewer, { T1, two[i].number });
    }
    begin();
    for (int i = 0; i < 2; i++) {
        SAY(series, series(two[i].number, i ? "hhi(X)" : "hhi(Y)", 1));
        SAY(series_viewer, { T1, two[i].number });
    }
    end_is(1, 0, "");
}

static void a_row_is_named_by_its_whole_key(void **state)
{
    (void)state;
    begin();
    SAY(series_viewer, { T1, 7 });
    SAY(rule, { .tenant_id = T1, .rule_id = R1, .definition = "{}" });
    end_is(
        4, 2,
        "seq 4: series_viewer of 01000000-0000-0000-0000-000000000000 7: stored nothing, now a row\n"
        "seq 4: rule of 01000000-0000-0000-0000-000000000000 a1000000-0000-0000-0000-000000000000: stored nothing, now a row\n");
}

static void a_rule_that_stands_is_compared_as_json(void **state)
{
    (void)state;
    struct rule_row r = {
        .tenant_id = T1, .rule_id = R1, .version = 1, .seq = 3, .definition = "{\"a\":1,\"b\":[]}"
    };
    store(&rule_row, &r);
    r.rule_id = R2;
    store(&rule_row, &r);
    begin();
    r.definition = "{\"a\":2,\"b\":[]}";
    said_row(&said, &rule_row, &r);
    r.rule_id = R1;
    r.definition = "{ \"b\": [], \"a\": 1 }";
    said_row(&said, &rule_row, &r);
    end_is(
        3, 1,
        "seq 3: rule.definition of 01000000-0000-0000-0000-000000000000 a2000000-0000-0000-0000-000000000000:"
        " stored {\"a\": 1, \"b\": []}, now {\"a\":2,\"b\":[]}\n");
}

/* ---- what is not compared, and what ends it ---- */
static void what_is_replayed_or_never_said_is_not_compared(void **state)
{
    (void)state;
    begin();
    SAY(tick, { .seq = 1, .event_ns = NS });
    said_row(
        &said, &source_life_row,
        &(struct source_life){ .source_id = 1, .cluster_id = "c", .topic = "t", .reason = "r" });
    over();
    end_is(1, 0, "");
}

/* Reading breaks off: the first reason is kept, and nothing is called missing or another's. */
static void fails(const char *first)
{
    assert_int_equal(said.err, ERR_DB);
    if (!strstr(said.why.text, first)) fail_msg("%s", said.why.text);
    SAY(series, series(0, "hhi(X)", 2));
    SAY(reading, reading(2, 0, 2));
    assert_int_equal(said.tables[TABLE_reading_row].n + said.tables[TABLE_series_row].n, 0);
    over();
    said_end(&said, &root, 2);
    show_again();
    assert_string_equal(printed, "");
    if (!strstr(said.why.text, first)) fail_msg("%s", said.why.text);
    assert_true(said.err == ERR_DB && said.differing == 0 && said.values == 0);
}

static void after_a_failure_nothing_is_compared(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        STORE(reading, reading(seq, 0, 1));
        STORE(event, event(seq, RECORD_CLOCK, "{}"));
    }
    STORE(series, series(0, "hhi(X)", 1));
    begin();
    sql("CLOSE ALL"); /* and then the transaction is broken, which is another reason */
    SAY(event, event(1, RECORD_CLOCK, "{}"));
    SAY(reading, reading(1, 0, 2));
    SAY(reading, reading(1, 1, 2));
    over();
    fails("does not exist");

    begin();
    SAY(reading, reading(1, 0, 2));
    SAY(reading, reading(1, 1, 2));
    sql("CLOSE ALL");
    over();
    fails("does not exist");
}

/* The same behind the replay's end: of what is read along, and of what stands. */
static void a_failure_at_the_end_is_one_too(void **state)
{
    (void)state;
    STORE(series, series(0, "hhi(X)", 1));
    begin();
    sql("CLOSE ALL");
    said_end(&said, &root, 2);
    fails("does not exist");

    begin();
    sql("ALTER TABLE tocsin.series RENAME TO kept; CREATE VIEW tocsin.series AS"
        " SELECT series_id, tenant_id, measure, unit, 1 / (version - version) AS version, configured FROM tocsin.kept");
    SAY(series, series(0, "hhi(X)", 1));
    SAY(rule, { .tenant_id = T1, .rule_id = R1, .definition = "{}" });
    said_end(&said, &root, 2);
    assert_int_equal(said.err, ERR_DB);
    show_again();
    assert_string_equal(printed, "");
    if (!strstr(said.why.text, "division by zero")) fail_msg("%s", said.why.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_rows_do_not_differ, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(each_column_that_differs_is_a_line, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(an_events_payload_is_not_compared, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(the_order_within_a_record_is_the_keys, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(what_is_said_is_kept, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(a_row_too_few_or_too_many_is_a_difference, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(a_stored_row_that_cannot_be_read_is_one_difference,
                                        nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(all_are_counted_and_the_first_printed, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(what_an_earlier_version_said_is_its_own, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(an_older_alert_is_compared_as_far_as_it_goes,
                                        nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(the_last_that_was_said_stands, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(each_column_of_a_key_tells_rows_apart, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(what_stands_is_matched_by_its_key, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(a_hash_is_not_a_key, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(a_row_is_named_by_its_whole_key, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(a_rule_that_stands_is_compared_as_json, nothing_stored,
                                        tidy),
        cmocka_unit_test_setup_teardown(what_is_replayed_or_never_said_is_not_compared,
                                        nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(after_a_failure_nothing_is_compared, nothing_stored, tidy),
        cmocka_unit_test_setup_teardown(a_failure_at_the_end_is_one_too, nothing_stored, tidy),
    };
    if (!scratch_open("said")) return 0;
    sql("SELECT tocsin.ensure_partition('reading', '2026-02-03');"
        "INSERT INTO tocsin.tenant (tenant_id, name) VALUES ('01000000-0000-0000-0000-000000000000', 'one'),"
        " ('02000000-0000-0000-0000-000000000000', 'two')");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    return failed;
}
