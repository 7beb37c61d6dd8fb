/* test_writer.c - rows of every table on a real PostgreSQL: whichever way they travel, what is read back is what was written. */
#include "scratch_db.h"

#include "analytics/rows.h"
#include "core/when.h"
#include "ingest/stored.h"
#include "store/wire.h"
#include "store/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

static struct writer *writer;
static struct write_batch *batch;
static uint64_t seq; /* last given */

/* ---- random rows ---- */
static uint64_t seed;
static uint64_t any(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static uint32_t upto(uint32_t n) { return (uint32_t)(any() >> 11) % n; }

static const char *any_text(void)
{
    static const char *const texts[] = { "",
                                         "plain",
                                         "\"quoted\" \\ back \x01\x1f\x7f",
                                         "\xC3\xA9\xF0\x9F\x94\x94 \xE2\x80\xA8",
                                         "line\nbreak\r\n\ttab",
                                         "'); DROP TABLE tocsin.tick; --",
                                         "{\"a\":1}",
                                         "null",
                                         "\\N",
                                         "\\x41" };
    return texts[upto(ARRAY_LEN(texts))];
}

static const char *any_json(void)
{
    static const char *const texts[] = { "{}", "[]", "\"\xC3\xA9\\\"\\u0001\"", "-0.1e-7",
                                         "{\"b\":[1,2.5,{\"\":null}],\"a\":true}" };
    return texts[upto(ARRAY_LEN(texts))];
}

static double any_double(void)
{
    static const double odd[] = { 0,
                                  -0.0,
                                  1,
                                  -1,
                                  0.1,
                                  5e-324,
                                  1.7976931348623157e308,
                                  NAN,
                                  INFINITY,
                                  -INFINITY,
                                  1.0 / 3,
                                  2.2250738585072014e-308 };
    if (upto(2)) return odd[upto(ARRAY_LEN(odd))];
    double d;
    const uint64_t bits = any();
    memcpy(&d, &bits, sizeof d);
    return d;
}

static int64_t any_whole(int bits)
{
    const int64_t most = (int64_t)(UINT64_MAX >> (65 - bits)), least = -most - 1;
    const int64_t odd[] = { 0, 1, -1, most, least, most / 7, least / 7 };
    return odd[upto(ARRAY_LEN(odd))];
}

static struct uuid uuid_of(uint8_t a, int i)
{
    return (struct uuid){ { a, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i } };
}

static void any_field(const struct column *c, void *row)
{
    static const char bytes[] = "\0\xFF\x5C\x27 bytes";
    void *p = (char *)row + c->offset;
    const int64_t v64 = any_whole(64), positive = v64 & INT64_MAX;
    const int32_t v32 = (int32_t)any_whole(32), positive32 = v32 & INT32_MAX,
                  choice = c->names ? (int32_t)upto((uint32_t)c->names->n) : 0;
    const int16_t v16 = (int16_t)any_whole(16);
    const bool yes = upto(2);
    const double d = any_double();
    const char *s = c->type == COLUMN_JSON ? any_json() : any_text();
    const struct str str = { s, (uint32_t)strlen(s) },
                     raw = upto(3) ? (struct str){ bytes, upto(sizeof bytes) } : (struct str){ 0 };
    const struct uuid id = upto(3) ? uuid_of(9, (int)upto(1000)) : (struct uuid){ { 0 } };
    switch (c->type) {
    case COLUMN_I64: memcpy(p, &v64, sizeof v64); break;
    case COLUMN_U64: memcpy(p, &positive, sizeof positive); break;
    case COLUMN_I32: memcpy(p, &v32, sizeof v32); break;
    case COLUMN_U32: memcpy(p, &positive32, sizeof positive32); break;
    case COLUMN_I16: memcpy(p, &v16, sizeof v16); break;
    case COLUMN_BOOL: memcpy(p, &yes, sizeof yes); break;
    case COLUMN_F64: memcpy(p, &d, sizeof d); break;
    case COLUMN_UUID: memcpy(p, &id, sizeof id); break;
    case COLUMN_TEXT:
    case COLUMN_JSON: memcpy(p, &s, sizeof s); break;
    case COLUMN_STR: memcpy(p, &str, sizeof str); break;
    case COLUMN_BYTES: memcpy(p, &raw, sizeof raw); break;
    case COLUMN_ENUM: memcpy(p, &choice, sizeof choice); break;
    }
}

/* ---- random, but for what must be unique, be there, or not be null ---- */
union any_row {
    struct source_life source_life;
    struct data_gap data_gap;
    struct dead_letter dead_letter;
    struct tick_row tick;
    struct close_row close;
    struct event_row event;
    struct instrument_row instrument;
    struct quality_row quality;
    struct symbol_row symbol;
    struct divisor_row divisor;
    struct action_note_row action;
    struct series_row series;
    struct series_viewer_row series_viewer;
    struct reading_row reading;
    struct article_score_row article_score;
    struct retraction_row retraction;
    struct rule_row rule;
    struct rule_version_row rule_version;
    struct alert alert;
};
static const struct uuid owner = { { 1 } };
enum { ROWS_MAX = 150 };
static union any_row rows[ROWS_MAX];
static char names[ROWS_MAX][24];

static int64_t some_day(void)
{
    static const int32_t days[] = { 0, 17000, 17001, 19754, 20487 }; /* two of them in one month */
    return days[upto(ARRAY_LEN(days))] * NS_PER_DAY + upto(1000000000);
}

static double some_finite(double d) { return isfinite(d) ? d : 0.1; }

static void make_row(enum table_id id, int i)
{
    union any_row *r = &rows[i];
    memset(r, 0, sizeof *r);
    for (size_t k = 0; k < tables[id].row->columns_n; k++)
        any_field(&tables[id].row->columns[k], r);
    snprintf(names[i], sizeof names[i], "name %d", i);
    switch (id) {
    case TABLE_source_life_row:
        r->source_life.source_id = i + 1, r->source_life.topic = names[i];
        break;
    case TABLE_data_gap_row: r->data_gap.source_id = i; break;
    case TABLE_dead_letter_row: r->dead_letter.source_id = i; break;
    case TABLE_tick_row: r->tick.seq = ++seq, r->tick.event_ns = some_day(); break;
    case TABLE_close_row: r->close.instrument_id = i / 9, r->close.session = i; break;
    case TABLE_event_row: r->event.seq = ++seq; break;
    case TABLE_instrument_row:
        r->instrument.instrument_id = i, r->instrument.symbol = names[i];
        break;
    case TABLE_quality_row:
        r->quality.quality_no = (uint64_t)i, r->quality.quality_id = uuid_of(4, i);
        break;
    case TABLE_symbol_row: r->symbol.instrument_id = i, r->symbol.symbol = names[i]; break;
    case TABLE_divisor_row:
        r->divisor.seq = r->divisor.divisor_no = (uint64_t)i, r->divisor.index_name = names[i];
        break;
    case TABLE_action_note_row: r->action.action_no = (uint64_t)i; break;
    case TABLE_series_row: r->series.series_id = (uint32_t)i, r->series.measure = names[i]; break;
    case TABLE_series_viewer_row:
        r->series_viewer.tenant_id = owner, r->series_viewer.series_id = (uint32_t)i;
        break;
    case TABLE_reading_row:
        r->reading.seq = (uint64_t)i / 3, r->reading.series_id = (uint32_t)i % 3;
        r->reading.event_ns = some_day();
        break;
    case TABLE_article_score_row:
        r->article_score.seq = (uint64_t)i;
        r->article_score.positive = some_finite(r->article_score.positive);
        r->article_score.neutral = some_finite(r->article_score.neutral);
        r->article_score.negative = some_finite(r->article_score.negative);
        r->article_score.score = some_finite(r->article_score.score);
        break;
    case TABLE_retraction_row: r->retraction.seq = (uint64_t)i; break;
    case TABLE_rule_row: r->rule.tenant_id = owner, r->rule.rule_id = uuid_of(2, i); break;
    case TABLE_rule_version_row:
        r->rule_version.tenant_id = owner, r->rule_version.rule_id = uuid_of(2, i / 2);
        r->rule_version.version = 1 + i % 2;
        break;
    case TABLE_alert_row:
        r->alert.tenant_id = owner, r->alert.stream_no = (uint64_t)i + 1;
        r->alert.alert_id = uuid_of(3, i), r->alert.rule_id = uuid_of(2, i);
        r->alert.value = some_finite(r->alert.value);
        break;
    case TABLE_source_mark_row:
    case TABLE_COUNT: fail_msg("not made here");
    }
}

static void commit(void)
{
    struct why why = { .text = "" };
    int64_t owed;
    if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
    write_batch_clear(batch);
}

/* What has all rows of a table: ticks are in two. */
static const char *all_of(enum table_id id)
{
    return id == TABLE_tick_row ? "tick" : tables[id].name;
}

static PGresult *stored(enum table_id id)
{
    AUTO_BUF struct buf q = { 0 };
    buf_puts(&q, "SELECT ");
    table_columns(tables[id].row, &q);
    buf_printf(&q, " FROM tocsin.%s ORDER BY %s", all_of(id), tables[id].key);
    PGresult *r = PQexecParams(root.conn, q.data, 0, NULL, NULL, NULL, NULL, 1);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) fail_msg("%s: %s", q.data, PQerrorMessage(root.conn));
    return r;
}

static void complain(void *ctx, const struct column *c, const void *a, const void *b)
{
    char x[200], y[200];
    row_text(c, a, x, sizeof x);
    row_text(c, b, y, sizeof y);
    fail_msg("row %d, %s: written %s, read %s", *(int *)ctx, c->name, x, y);
}

static void compare_stored(enum table_id id, int n)
{
    AUTO_PGRESULT PGresult *r = stored(id);
    assert_int_equal(PQntuples(r), n);
    for (int i = 0; i < n; i++) {
        union any_row back;
        struct why why = { .text = "" };
        if (wire_get(tables[id].row, r, i, &back, &why)) fail_msg("%s", why.text);
        row_compare(tables[id].row, &rows[i], &back, complain, &i);
    }
}

static void written_either_way_a_row_reads_back(void **state)
{
    (void)state;
    static const int sizes[] = { 1, BULK_MIN, BULK_MIN + 1, ROWS_MAX };
    for (enum table_id id = 0; id < TABLE_COUNT; id++)
        for (size_t k = 0; k < ARRAY_LEN(sizes) && id != TABLE_source_mark_row; k++) {
            char text[100];
            seed = 0x9E3779B97F4A7C15ull * (k + 1) + id;
            printf("%s, %d rows, seed %" PRIu64 "\n", tables[id].name, sizes[k], seed);
            snprintf(text, sizeof text, "TRUNCATE tocsin.%s CASCADE", tables[id].name);
            sql(text);
            sql("TRUNCATE tocsin.tick_chunk");
            for (int i = 0; i < sizes[k]; i++) {
                make_row(id, i);
                write_row(batch, tables[id].row, &rows[i]);
            }
            assert_true(write_batch_ok(batch));
            assert_int_equal(write_batch_count(batch, id), sizes[k]);
            commit();
            compare_stored(id, sizes[k]);
        }
}

/* All tables at once, some by COPY and some as JSON, in one transaction. */
static void a_batch_is_one_transaction(void **state)
{
    (void)state;
    seed = 7;
    sql("TRUNCATE tocsin.tick_row, tocsin.tick_chunk, tocsin.event, tocsin.alert, tocsin.reading; UPDATE tocsin.shard SET last_seq = last_seq");
    const int64_t commits = number("SELECT commits FROM tocsin.shard");
    for (int i = 0; i < ROWS_MAX; i++)
        make_row(TABLE_alert_row, i), write_row(batch, &alert_row, &rows[i]);
    for (int i = 0; i < 5; i++) make_row(TABLE_tick_row, i), write_row(batch, &tick_row, &rows[i]);
    for (int i = 0; i < ROWS_MAX; i++)
        make_row(TABLE_event_row, i), write_row(batch, &event_row, &rows[i]);
    size_t n;
    assert_int_equal(write_batch_alerts(batch, &n)[7].stream_no, 8);
    assert_int_equal(n, ROWS_MAX);
    assert_int_equal(write_batch_rows(batch), 5 + ROWS_MAX);
    assert_int_equal(write_batch_last_seq(batch), seq);
    commit();
    assert_true(write_batch_empty(batch));
    compare_stored(TABLE_event_row, ROWS_MAX);
    assert_int_equal(number("SELECT count(*) FROM tocsin.alert"), ROWS_MAX);
    assert_int_equal(number("SELECT count(*) FROM tocsin.tick"), 5);
    assert_int_equal(number("SELECT commits FROM tocsin.shard"), commits + 1);
    assert_int_equal(number("SELECT last_seq FROM tocsin.shard"), seq);
}

/* Rows that stand: of several of one key the last one counts, in a batch and over batches. */
static void what_stands_is_replaced(void **state)
{
    (void)state;
    sql("TRUNCATE tocsin.instrument, tocsin.source, tocsin.rule CASCADE");
    struct instrument_row a = { 5, "AAA", "first", "n", "", "", "" },
                          b = { 6, "BBB", "b", "b", "XNYS", "US0378331005", "BBG000B9XRY4" };
    write_row(batch, &instrument_row, &a);
    write_row(batch, &instrument_row, &b);
    a.issuer = "second";
    write_row(batch, &instrument_row, &a);
    commit();
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.instrument WHERE (instrument_id, symbol, issuer) IN ((5, 'AAA', 'second'), (6, 'BBB', 'b'))"),
        2);
    a.issuer = "third";
    write_row(batch, &instrument_row, &a);
    commit();
    assert_int_equal(
        number("SELECT count(*) FROM tocsin.instrument WHERE issuer IN ('third', 'b')"), 2);
    a.symbol = "BBB", b.symbol = "AAA"; /* exchanged: for a row's time both have one */
    write_row(batch, &instrument_row, &a);
    write_row(batch, &instrument_row, &b);
    commit();
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.instrument WHERE (instrument_id, symbol) IN ((5, 'BBB'), (6, 'AAA'))"),
        2);

    struct rule_row r = { .tenant_id = owner,
                          .rule_id = uuid_of(2, 1),
                          .version = 1,
                          .seq = 1,
                          .definition = "{\"v\":1}" };
    write_row(batch, &rule_row, &r);
    commit();
    sql("UPDATE tocsin.rule SET created_at = '2020-01-01', updated_at = '2020-01-01'");
    r.version = 2, r.seq = 2, r.definition = "{\"v\":2}";
    write_row(batch, &rule_row, &r);
    r.version = 3, r.seq = 3, r.definition = "{\"v\":3}", r.deleted = true;
    write_row(batch, &rule_row, &r);
    commit();
    assert_int_equal(
        number(
            "SELECT version FROM tocsin.rule WHERE deleted AND seq = 3 AND definition = '{\"v\":3}' AND created_at = '2020-01-01' AND updated_at > '2021-01-01'"),
        3);

    struct source_life l = { .source_id = 4,
                             .cluster_id = "c",
                             .topic = "t",
                             .part = 0,
                             .source_epoch = 1,
                             .reason = "first seen" };
    write_row(batch, &source_life_row, &l);
    l.source_id = 5, l.part = 1;
    write_row(batch, &source_life_row, &l);
    for (int64_t i = 1; i <= 3; i++) {
        write_row(batch, &source_mark_row, &(struct source_mark){ 4, 10 * i, -i });
        write_row(batch, &source_mark_row, &(struct source_mark){ 5, 100 * i, i });
    }
    size_t n;
    assert_int_equal(write_batch_marks(batch, &n)[1].next_offset, 300);
    assert_int_equal(n, 2);
    commit();
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.source WHERE (source_id, next_offset, fingerprint) IN ((4, 30, -3), (5, 300, 3))"),
        2);
}

static void an_alert_owes_each_channel_of_its_tenant(void **state)
{
    (void)state;
    sql("TRUNCATE tocsin.alert, tocsin.outbox, tocsin.channel;"
        "INSERT INTO tocsin.channel (tenant_id, channel_id, kind, settings, enabled)"
        " SELECT '01000000-0000-0000-0000-000000000000', gen_random_uuid(), 'webhook', '{}', n < 3 FROM generate_series(1, 3) n");
    for (int k = 0; k < 2; k++) {
        const int many = k ? ROWS_MAX : 7;
        struct why why = { .text = "" };
        int64_t owed = -1;
        sql("TRUNCATE tocsin.alert, tocsin.outbox");
        for (int i = 0; i < many; i++)
            make_row(TABLE_alert_row, i), write_row(batch, &alert_row, &rows[i]);
        if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
        write_batch_clear(batch);
        assert_int_equal(owed, 2 * many);
        assert_int_equal(
            number(
                "SELECT count(*) FROM tocsin.outbox o JOIN tocsin.alert a USING (tenant_id, alert_id, stream_no)"),
            2 * many);
    }
}

/* What stood when a cut was made. */
struct stand {
    uint64_t seq;
    int64_t next[2];
    int n[TABLE_COUNT];
};
enum { CUTS_MAX = 1000, FIRST_SOURCE = 4 };

/* Rows of some tables in random order, with random cuts; returns how many. */
static size_t write_at_random(struct stand stands[CUTS_MAX])
{
    static const enum table_id some[] = { TABLE_tick_row, TABLE_event_row, TABLE_alert_row,
                                          TABLE_dead_letter_row, TABLE_instrument_row };
    struct stand now = { .seq = seq };
    size_t cuts = 0;
    stands[0] = now;
    while (now.n[TABLE_event_row] < ROWS_MAX || cuts == 0) {
        const enum table_id id = some[upto(ARRAY_LEN(some))];
        if (now.n[id] < ROWS_MAX) {
            make_row(id, now.n[id]);
            write_row(batch, tables[id].row, &rows[now.n[id]++]);
        }
        if (upto(3) || cuts + 1 == CUTS_MAX) continue;
        const uint32_t which = upto(3), moves = which < 2;
        if (moves) now.next[which] += 1 + upto(5);
        write_cut(batch, moves ? FIRST_SOURCE + (int32_t)which : 0, moves ? now.next[which] : 0);
        now.seq = seq;
        stands[++cuts] = now;
    }
    for (int32_t i = 0; i < 2; i++)
        write_row(batch, &source_mark_row,
                  &(struct source_mark){ FIRST_SOURCE + i, now.next[i], 77 });
    write_cut(batch, 0, 0); /* as the engine does: nothing lies behind the last */
    now.seq = seq;
    stands[++cuts] = now;
    stands[cuts].n[TABLE_event_row] = ROWS_MAX;
    return cuts;
}

static void check_stand(const struct stand *s)
{
    char q[300];
    assert_int_equal(number("SELECT last_seq FROM tocsin.shard"), s->seq);
    for (int i = 0; i < 2; i++) {
        snprintf(q, sizeof q, "SELECT next_offset FROM tocsin.source WHERE source_id = %d",
                 FIRST_SOURCE + i);
        assert_int_equal(number(q), s->next[i]);
    }
    for (enum table_id id = 0; id < TABLE_COUNT; id++) {
        if (!s->n[id]) continue;
        snprintf(q, sizeof q, "SELECT count(*) FROM tocsin.%s", all_of(id));
        assert_int_equal(number(q), s->n[id]);
    }
}

/* Against the rows as they lie in the batch, which were written in the order of their keys. */
static void check_rows(enum table_id id)
{
    size_t n;
    const struct row_run *runs = write_batch_runs(batch, id, &n);
    AUTO_PGRESULT PGresult *r = stored(id);
    assert_int_equal(n, 1);
    assert_int_equal(PQntuples(r), runs[0].n);
    for (int i = 0; i < PQntuples(r); i++) {
        union any_row back;
        struct why why = { .text = "" };
        const size_t size = tables[id].row->size;
        if (wire_get(tables[id].row, r, i, &back, &why)) fail_msg("%s", why.text);
        row_compare(tables[id].row, (const char *)runs[0].rows + (size_t)i * size, &back, complain,
                    &i);
    }
}

/* Cut at random places and committed in parts of random weight, the rows are the same; and behind
 * each part a source and the order stand where its last cut says. */
static void cut_anywhere_it_is_the_same(void **state)
{
    (void)state;
    static struct stand stands[CUTS_MAX + 1];
    struct write_batch *part;
    assert_int_equal(write_batch_new(&part), ERR_OK);
    for (uint64_t k = 1; k <= 6; k++) {
        seed = 0x9E3779B97F4A7C15ull * k;
        printf("seed %" PRIu64 "\n", seed);
        sql("TRUNCATE tocsin.event, tocsin.tick_row, tocsin.tick_chunk, tocsin.alert, tocsin.outbox, tocsin.dead_letter, tocsin.instrument, tocsin.source CASCADE;"
            "INSERT INTO tocsin.source (source_id, cluster_id, topic, part, source_epoch, next_offset, fingerprint, reason)"
            " VALUES (4, 'c', 't', 0, 1, 0, 0, ''), (5, 'c', 't', 1, 1, 0, 0, '')");
        const size_t cuts = write_at_random(stands);
        size_t parts = 0;
        assert_int_equal(write_batch_cuts(batch), cuts);
        for (size_t at = 0, to; at < cuts; at = to, parts++) {
            struct why why = { .text = "" };
            int64_t owed;
            const size_t most = 1 + upto(k % 2 ? 200 : 5), fan_out = upto(3);
            to = write_batch_reach(batch, at, most, fan_out);
            write_batch_part(batch, at, to, part);
            assert_true(to == at + 1 || write_batch_weight(part, fan_out) <= most + 2); /* marks */
            if (writer_commit(writer, part, &owed, &why)) fail_msg("%s", why.text);
            check_stand(&stands[to]);
        }
        assert_true(parts > 1);
        check_rows(TABLE_event_row);
        check_rows(TABLE_alert_row);
        check_rows(TABLE_dead_letter_row);
        check_rows(TABLE_instrument_row);
        assert_int_equal(number("SELECT count(*) FROM tocsin.source WHERE fingerprint = 77"), 2);
        write_batch_clear(part);
        write_batch_clear(batch);
    }
    write_batch_free(part);
}

/* A session that is lost is made anew, and what was not committed is committed once. */
static void a_lost_session_loses_nothing_and_doubles_nothing(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    int64_t owed;
    bool committed;
    seed = 11;
    for (int k = 0; k < 2; k++) {
        const int many = k ? ROWS_MAX : 3;
        sql("TRUNCATE tocsin.event; SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'tocsin writer'");
        for (int i = 0; i < many; i++)
            make_row(TABLE_event_row, i), write_row(batch, &event_row, &rows[i]);
        assert_int_equal(writer_commit(writer, batch, &owed, &why), ERR_DB_LOST);
        assert_int_equal(writer_recover(writer, batch, &committed, &why), ERR_OK);
        assert_false(committed);
        commit();
        compare_stored(TABLE_event_row, many);
    }
    /* as if the answer to the COMMIT had been lost */
    make_row(TABLE_event_row, 0), write_row(batch, &event_row, &rows[0]);
    char text[200];
    snprintf(text, sizeof text,
             "UPDATE tocsin.shard SET commits = commits + 1, last_seq = %" PRIu64, seq);
    sql(text);
    assert_int_equal(writer_recover(writer, batch, &committed, &why), ERR_OK);
    assert_true(committed);
    write_batch_clear(batch);
    make_row(TABLE_event_row, 0), write_row(batch, &event_row, &rows[0]);
    commit();
}

/* A batch that fails leaves nothing and the session well. */
static void a_refused_batch_leaves_nothing(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    int64_t owed;
    for (int k = 0; k < 2; k++) {
        sql("TRUNCATE tocsin.event, tocsin.tick_row, tocsin.tick_chunk");
        const int many = k ? ROWS_MAX : 3;
        const uint64_t before = seq;
        for (int i = 0; i < many; i++)
            make_row(TABLE_tick_row, i), write_row(batch, &tick_row, &rows[i]);
        make_row(TABLE_event_row, 0);
        write_row(batch, &event_row, &rows[0]);
        write_row(batch, &event_row, &rows[0]); /* the same seq twice */
        assert_int_equal(writer_commit(writer, batch, &owed, &why), ERR_DB);
        assert_memory_equal(why.text, "23505", 5);
        write_batch_clear(batch);
        seq = before;
        assert_int_equal(number("SELECT count(*) FROM tocsin.tick"), 0);
        make_row(TABLE_event_row, 0);
        write_row(batch, &event_row, &rows[0]);
        commit();
    }
    write_batch_spoil(batch);
    assert_false(write_batch_ok(batch) || write_batch_empty(batch));
    assert_int_equal(writer_commit(writer, batch, &owed, &why), ERR_NOMEM);
    write_batch_clear(batch);
}

static void a_second_writer_fences_the_first(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct writer *second;
    uint64_t last;
    int64_t owed;
    bool committed;
    assert_int_equal(writer_open(conninfo, &second, &last, &why), ERR_OK);
    assert_int_equal(last, seq);
    for (int k = 0; k < 2; k++) {
        const uint64_t before = seq;
        for (int i = 0; i < (k ? ROWS_MAX : 3); i++)
            make_row(TABLE_tick_row, i), write_row(batch, &tick_row, &rows[i]);
        assert_int_equal(writer_commit(writer, batch, &owed, &why), ERR_FENCED);
        assert_int_equal(writer_recover(writer, batch, &committed, &why), ERR_FENCED);
        write_batch_clear(batch);
        seq = before;
    }
    writer_close(writer);
    writer = second;
    make_row(TABLE_tick_row, 0), write_row(batch, &tick_row, &rows[0]);
    commit();
}

/* What is stored may have been put there by anybody: a text that is no status is no other status. */
static void a_text_of_no_enum_is_an_error(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    union any_row back;
    sql("TRUNCATE tocsin.article_score; INSERT INTO tocsin.article_score VALUES (1, '', 0, '', '', 0, 0, 0, 0, 'splendid', '[]', '')");
    AUTO_PGRESULT PGresult *r = stored(TABLE_article_score_row);
    assert_int_equal(wire_get(&article_score_row, r, 0, &back, &why), ERR_INVALID);
    assert_string_equal(
        why.text,
        "article_score.label: sentiment_label 'splendid' is none of neutral, positive, negative, mixed");
    assert_int_equal(wire_get(&alert_row, r, 0, &back, &why), ERR_DB);
    sql("TRUNCATE tocsin.article_score");
}

int main(void)
{
    struct why why = { .text = "" };
    if (!scratch_open("writer")) return 0;
    if (write_batch_new(&batch) || writer_open(conninfo, &writer, &seq, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    sql("INSERT INTO tocsin.tenant (tenant_id, name) VALUES ('01000000-0000-0000-0000-000000000000', 'owner')");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_either_way_a_row_reads_back),
        cmocka_unit_test(a_batch_is_one_transaction),
        cmocka_unit_test(what_stands_is_replaced),
        cmocka_unit_test(an_alert_owes_each_channel_of_its_tenant),
        cmocka_unit_test(cut_anywhere_it_is_the_same),
        cmocka_unit_test(a_lost_session_loses_nothing_and_doubles_nothing),
        cmocka_unit_test(a_refused_batch_leaves_nothing),
        cmocka_unit_test(a_second_writer_fences_the_first),
        cmocka_unit_test(a_text_of_no_enum_is_an_error),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    write_batch_free(batch);
    writer_close(writer);
    scratch_close();
    return failed;
}
