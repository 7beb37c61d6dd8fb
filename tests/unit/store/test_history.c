/* test_history.c - what is stored, read back: the one order, where to begin, the API's alerts, and what commands ask. On a real
 * PostgreSQL. */
#include "scratch_db.h"

#include "analytics/rows.h"
#include "core/arena.h"
#include "core/when.h"
#include "ingest/stored.h"
#include "store/history.h"
#include "store/questions.h"
#include "store/reader.h"
#include "store/row_cursor.h"
#include "store/writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { RECORDS = 25000 }; /* more than two pages of a cursor */
static struct writer *writer;
static struct write_batch *batch;
static const struct uuid tenant = { { 1 } };
static const int64_t T0 = INT64_C(1770130800) * NS_PER_S; /* 2026-02-03 */

static void commit(void)
{
    struct why why = { .text = "" };
    int64_t owed;
    if (writer_commit(writer, batch, &owed, &why)) fail_msg("%s", why.text);
    write_batch_clear(batch);
}

static bool is_event(uint64_t seq) { return seq % 7 == 3; }

/* Ticks of two instruments, closes among them, and every seventh record an event. */
static void write_record(uint64_t seq)
{
    char payload[40];
    if (is_event(seq)) {
        int n = snprintf(payload, sizeof payload, "{\"n\":%" PRIu64 "}", seq);
        write_row(batch, &event_row,
                  &(struct event_row){ .seq = seq,
                                       .event_ns = T0 + (int64_t)seq,
                                       .received_ms = 5,
                                       .kpos = INT64_C(3) << 40 | (int64_t)seq,
                                       .kind = RECORD_POSITION,
                                       .tenant_id = seq % 2 ? tenant : (struct uuid){ { 0 } },
                                       .payload = { payload, (uint32_t)n } });
    } else
        write_row(batch, &tick_row,
                  &(struct tick_row){ .seq = seq,
                                      .event_ns = T0 + (int64_t)seq,
                                      .received_ms = 6,
                                      .kpos = INT64_C(2) << 40 | (int64_t)seq,
                                      .price_e8 = (int64_t)seq * 100,
                                      .size_e8 = seq % 5 ? 7 : 0,
                                      .instrument_id = (int32_t)(seq % 2),
                                      .day_or_kind = seq % 5 ? NO_DAY : 20487 });
    if (!is_event(seq) && seq % 5 == 0)
        write_row(batch, &close_row,
                  &(struct close_row){ .seq = seq,
                                       .instrument_id = (int32_t)(seq % 2),
                                       .session = 20487,
                                       .price_e8 = (int64_t)seq * 100 });
}

static int fill(void **state)
{
    (void)state;
    sql("INSERT INTO tocsin.tenant (tenant_id, name) VALUES ('01000000-0000-0000-0000-000000000000', 'owner')");
    write_row(batch, &instrument_row, &(struct instrument_row){ 0, "EVEN", "e", "", "", "", "" });
    write_row(batch, &instrument_row, &(struct instrument_row){ 1, "ODD", "o", "", "", "", "" });
    for (uint64_t seq = 1; seq <= RECORDS; seq++) write_record(seq);
    commit();
    return 0;
}

static void look_at(const struct stored *st, uint64_t seq)
{
    const struct record *r = &st->record;
    char payload[40];
    assert_int_equal(r->seq, seq);
    assert_int_equal(st->is_event, is_event(seq));
    assert_int_equal(r->event_ns, T0 + (int64_t)seq);
    assert_int_equal(r->offset, seq);
    assert_int_equal(r->source_id, is_event(seq) ? 3 : 2);
    if (is_event(seq)) {
        int n = snprintf(payload, sizeof payload, "{\"n\":%" PRIu64 "}", seq);
        assert_int_equal(r->kind, RECORD_POSITION);
        assert_true(uuid_equal(st->tenant, seq % 2 ? tenant : (struct uuid){ { 0 } }));
        assert_int_equal(st->payload.n, n);
        assert_memory_equal(st->payload.p, payload, n);
        return;
    }
    assert_int_equal(r->kind, seq % 5 ? RECORD_TRADE : RECORD_CLOSE);
    assert_string_equal(r->u.symbol.s, seq % 2 ? "ODD" : "EVEN");
    if (seq % 5) assert_true(r->u.trade.price_e8 == (int64_t)seq * 100 && r->u.trade.size_e8 == 7);
    else assert_true(r->u.close.price_e8 == (int64_t)seq * 100 && r->u.close.day == 20487);
}

static void the_order_is_one(void **state)
{
    (void)state;
    static const struct {
        uint64_t after, upto, first, last;
    } ranges[] = { { 0, UINT64_MAX, 1, RECORDS },
                   { 0, 1, 1, 1 },
                   { 2, 3, 3, 3 },
                   { 9999, 10005, 10000, 10005 },
                   { RECORDS, UINT64_MAX, 1, 0 },
                   { 17, 17, 1, 0 } };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        struct why why = { .text = "" };
        struct history *h;
        struct stored st;
        bool more = true;
        if (history_open(&root, ranges[i].after, ranges[i].upto, &h, &why))
            fail_msg("%s", why.text);
        assert_string_equal(history_symbol(h, 1, 1), "ODD");
        assert_string_equal(history_symbol(h, 2, 1), "");
        assert_string_equal(history_symbol(h, -1, 1), "");
        for (uint64_t seq = ranges[i].first; seq <= ranges[i].last; seq++) {
            if (history_next(h, &st, &more, &why)) fail_msg("%s", why.text);
            assert_true(more);
            look_at(&st, seq);
        }
        assert_int_equal(history_next(h, &st, &more, &why), ERR_OK);
        assert_false(more);
        history_close(h);
        assert_int_equal(number("SELECT 1"), 1); /* the session is well */
    }
}

/* A tick comes back under the symbol that its instrument had then. */
static void a_symbol_is_that_of_the_record(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct history *h;
    struct stored st;
    bool more = true;
    sql("INSERT INTO tocsin.symbol (instrument_id, from_seq, until_seq, symbol, from_day, until_day) VALUES"
        " (0, 0, 9223372036854775807, 'EVEN', -2147483648, 2147483647), (1, 0, 100, 'WAS', -2147483648, 5),"
        " (1, 100, 104, 'THEN', 5, 6), (1, 104, 9223372036854775807, 'ODD', 6, 2147483647)");
    assert_int_equal(history_open(&root, 90, 110, &h, &why), ERR_OK);
    static const struct {
        uint64_t seq;
        const char *symbol;
    } rows[] = { { 1, "WAS" }, { 99, "WAS" }, { 100, "THEN" }, { 103, "THEN" }, { 104, "ODD" } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(history_symbol(h, 1, rows[i].seq), rows[i].symbol);
        assert_string_equal(history_called(h, "ODD", rows[i].seq), rows[i].symbol);
        assert_string_equal(history_called(h, "WAS", rows[i].seq), rows[i].symbol);
        assert_string_equal(history_symbol(h, 0, rows[i].seq), "EVEN");
    }
    assert_string_equal(history_called(h, "NEVER", 99), "");
    assert_true(history_begins(h, "EVEN", 0));
    assert_true(history_begins(h, "WAS", 0));
    assert_true(history_begins(h, "WAS", 1));
    assert_false(history_begins(h, "WAS", 2));
    assert_false(history_begins(h, "ODD", 0)); /* it came to be called so */
    assert_false(history_begins(h, "EVEN", 1));
    for (uint64_t seq = 91; seq <= 110; seq++) {
        assert_int_equal(history_next(h, &st, &more, &why), ERR_OK);
        if (is_event(seq) || seq % 2 == 0) continue;
        assert_string_equal(st.record.u.symbol.s, seq < 100 ? "WAS" : seq < 104 ? "THEN" : "ODD");
    }
    history_close(h);
    assert_int_equal(
        number("SELECT count(*) FROM market.symbol WHERE symbol = 'WAS' AND symbol_now = 'ODD'"
               " AND valid_from IS NULL AND valid_until = '1970-01-06'"),
        1);
    assert_int_equal(number("SELECT tocsin.instrument_at('THEN', '1970-01-06')"), 1);
    assert_int_equal(number("SELECT count(tocsin.instrument_at('THEN', '1970-01-07'))"), 0);
    sql("TRUNCATE tocsin.symbol");
}

static void a_tick_of_nothing_is_an_error(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct history *h;
    struct stored st;
    bool more;
    sql("BEGIN; UPDATE tocsin.instrument SET instrument_id = 8 WHERE instrument_id = 1; COMMIT");
    assert_int_equal(history_open(&root, 0, UINT64_MAX, &h, &why), ERR_OK);
    assert_int_equal(history_next(h, &st, &more, &why), ERR_DB);
    assert_string_equal(why.text, "tick 1 names instrument 1, which is not stored");
    history_close(h);
    sql("UPDATE tocsin.instrument SET instrument_id = 1 WHERE instrument_id = 8");
}

static void a_cursor_passes_over_what_it_cannot_read(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct row_cursor *c;
    struct article_score_row row;
    bool more;
    sql("INSERT INTO tocsin.article_score SELECT n, 'id' || n, 0, '', '', 0, 0, 0, 0, CASE n WHEN 2 THEN 'splendid' ELSE 'mixed' END, '[]', '' FROM generate_series(1, 3) n");
    sql("BEGIN");
    assert_int_equal(row_cursor_open(&root, &article_score_row, &c, &why), ERR_OK);
    assert_int_equal(row_cursor_next(c, &row, &more, &why), ERR_OK);
    assert_true(more && row.seq == 1 && row.label == SENTIMENT_MIXED
                && strcmp(row.tickers, "[]") == 0);
    assert_int_equal(row_cursor_next(c, &row, &more, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "article_score.label: sentiment_label 'splendid'"));
    assert_int_equal(row_cursor_next(c, &row, &more, &why), ERR_OK);
    assert_true(more && row.seq == 3);
    assert_int_equal(row_cursor_next(c, &row, &more, &why), ERR_OK);
    assert_false(more);
    row_cursor_close(c);
    sql("COMMIT; TRUNCATE tocsin.article_score");
}

static void a_service_begins_where_one_ended(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct arena arena = { 0 };
    struct source_life *lives;
    uint64_t seq;
    size_t n;
    int32_t next;
    assert_int_equal(history_last_seq(&root, &seq, &why), ERR_OK);
    assert_int_equal(seq, RECORDS);
    assert_int_equal(history_sources(&root, &arena, &lives, &n, &next, &why), ERR_OK);
    assert_true(n == 0 && next == 1);

    struct source_life life = {
        .source_id = 1, .cluster_id = "c", .topic = "t", .source_epoch = 1, .reason = "first seen"
    };
    write_row(batch, &source_life_row, &life);
    life.source_id = 5, life.source_epoch = 2, life.next_offset = INT64_MAX,
    life.fingerprint = INT64_MIN;
    write_row(batch, &source_life_row, &life);
    commit();
    assert_int_equal(history_sources(&root, &arena, &lives, &n, &next, &why), ERR_OK);
    assert_true(n == 1 && next == 6);
    assert_true(lives[0].source_id == 5 && lives[0].source_epoch == 2);
    assert_true(lives[0].next_offset == INT64_MAX && lives[0].fingerprint == INT64_MIN);
    assert_string_equal(lives[0].topic, "t");
    int64_t position;
    sql("UPDATE tocsin.source SET next_offset = 40 + source_id");
    assert_int_equal(ask_topic_position(&root, "t", &position, &why), ERR_OK);
    assert_int_equal(position, 86);
    assert_int_equal(ask_topic_position(&root, "none", &position, &why), ERR_OK);
    assert_int_equal(position, 0);
    arena_release(&arena);
}

/* ---- what the API reads ---- */
struct seen {
    int n;
    struct alert last;
    struct arena arena;
};
static void see(void *ctx, const struct alert *a)
{
    struct seen *s = ctx;
    s->n++;
    assert_true(row_copy(&alert_row, a, &s->arena, &s->last));
}
static void differ(void *ctx, const struct column *c, const void *a, const void *b)
{
    (void)ctx, (void)a, (void)b;
    fail_msg("%s differs", c->name);
}

static void the_api_reads_its_own_tenants_alerts(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct seen s = { 0 };
    struct alert a = { .tenant_id = tenant,
                       .alert_id = { { 7 } },
                       .rule_id = { { 8 } },
                       .seq = 3,
                       .event_ns = -1,
                       .state = ALERT_RESOLVED,
                       .rule_version = 2,
                       .rule_no = 4,
                       .rule_name = "\xC3\xA4",
                       .rule_text = "hhi(X) > 1",
                       .severity = SEVERITY_CRITICAL,
                       .measure = "hhi(X)",
                       .unit = "0-10000",
                       .value = 1.0 / 3,
                       .inputs = "{\"a\":1}",
                       .definition = "" };
    for (a.stream_no = 1; a.stream_no <= 3; a.stream_no++) {
        a.alert_id.b[15] = (uint8_t)a.stream_no;
        write_row(batch, &alert_row, &a);
    }
    commit();
    struct reader *r = reader_new(conninfo, "test");
    const char *const all[] = { "10", NULL, NULL, NULL }, *const after[] = { "2", "10" };
    assert_int_equal(reader_alerts(r, tenant, QUERY_ALERTS_AFTER, after, see, &s, &why), ERR_OK);
    assert_int_equal(s.n, 1);
    a.stream_no = 3;
    row_compare(&alert_row, &a, &s.last, differ, NULL);
    assert_int_equal(reader_alerts(r, tenant, QUERY_ALERTS, all, see, &s, &why), ERR_OK);
    assert_true(s.n == 4 && s.last.stream_no == 1);
    assert_int_equal(reader_alerts(r, (struct uuid){ { 2 } }, QUERY_ALERTS, all, see, &s, &why),
                     ERR_OK);
    assert_int_equal(s.n, 4);
    sql("UPDATE tocsin.alert SET severity = 'dire' WHERE stream_no = 2");
    assert_int_equal(reader_alerts(r, tenant, QUERY_ALERTS, all, see, &s, &why), ERR_DB);
    assert_non_null(
        strstr(why.text, "alert.severity: severity 'dire' is none of info, warning, critical"));
    arena_release(&s.arena);
    reader_free(r);
}

/* A reader that could not connect pauses, so that a dead database is cheap; somebody else who gets
 * through ends that: a service that says it is ready is. */
static void a_pause_ends_when_somebody_gets_through(void **state)
{
    (void)state;
    struct why why = { 0 };
    char text[200];
    AUTO_BUF struct buf newest = { 0 };
    struct db other;
    struct reader *r = reader_new(conninfo, "test");
    assert_int_equal(reader_text(r, tenant, QUERY_ALERT_NEWEST, NULL, &newest, &why), ERR_OK);
    snprintf(text, sizeof text, "ALTER DATABASE %s ALLOW_CONNECTIONS false", scratch_name);
    assert_int_equal(db_script(&scratch_admin, text, &why), ERR_OK);
    sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(reader_text(r, tenant, QUERY_ALERT_NEWEST, NULL, &newest, &why), ERR_DB_LOST);
    snprintf(text, sizeof text, "ALTER DATABASE %s ALLOW_CONNECTIONS true", scratch_name);
    assert_int_equal(db_script(&scratch_admin, text, &why), ERR_OK);
    if (db_open(conninfo, NULL, "test", &other, &why)) fail_msg("%s", why.text);
    db_close(&other);
    assert_int_equal(reader_text(r, tenant, QUERY_ALERT_NEWEST, NULL, &newest, &why), ERR_OK);
    reader_free(r);
}

/* ---- what commands ask ---- */
struct prices {
    int64_t even, odd;
};
static void price(void *ctx, const char *symbol, int64_t price_e8)
{
    struct prices *p = ctx;
    *(strcmp(symbol, "ODD") == 0 ? &p->odd : &p->even) = price_e8;
}

static enum err on_close(void *ctx, int32_t instrument, int32_t day, int64_t price_e8)
{
    int64_t *n = ctx;
    assert_true(instrument >= 0 && day >= 20487 && price_e8 > 0);
    ++*n;
    return ERR_OK;
}

static enum err on_symbol(void *ctx, const struct stored_symbol *s)
{
    int64_t *n = ctx;
    assert_true(s->symbol[0] && s->from_day < s->until_day && s->from_seq < s->until_seq);
    ++*n;
    return ERR_OK;
}

static enum err on_event(void *ctx, const struct stored_event *e)
{
    int64_t *n = ctx;
    assert_true(e->seq > 0 && e->kind == RECORD_POSITION);
    assert_true(e->event_ns >= T0 && e->text.n > 0);
    ++*n;
    return ERR_OK;
}

static void commands_are_answered(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    char backend[BACKEND_TEXT];
    struct uuid id;
    double value;
    size_t n;
    int64_t traded;
    struct prices p = { 0 };
    assert_int_equal(ask_writer(&root, backend, &why), ERR_OK);
    assert_int_equal(
        atoi(backend),
        number(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'tocsin writer' AND datname = current_database()"));
    int64_t seen = 0;
    assert_int_equal(ask_closes(&root, 20487, on_close, &seen, &why), ERR_OK);
    assert_int_equal(seen, number("SELECT count(*) FROM tocsin.tick WHERE day_or_kind >= 20487"));
    assert_true(seen > 0);
    seen = 0;
    assert_int_equal(ask_closes(&root, 20488, on_close, &seen, &why), ERR_OK);
    assert_int_equal(seen, 0);
    number("INSERT INTO tocsin.symbol VALUES (990, 0, 7, 'WAS', -2147483648, 20000), (990, 7,"
           " 9223372036854775807, 'IS', 20000, 2147483647) RETURNING 1");
    assert_int_equal(ask_symbols(&root, on_symbol, &seen, &why), ERR_OK);
    assert_int_equal(seen, number("SELECT count(*) FROM tocsin.symbol"));
    number("DELETE FROM tocsin.symbol WHERE instrument_id = 990 RETURNING 1");
    seen = 0;
    static const enum record_kind kinds[] = { RECORD_CLOCK, RECORD_POSITION };
    assert_int_equal(ask_events(&root, kinds, 2, T0, "", on_event, &seen, &why), ERR_OK);
    assert_int_equal(seen, number("SELECT count(*) FROM tocsin.event WHERE kind = 11"));
    assert_true(seen > 0);
    seen = 0;
    assert_int_equal(ask_events(&root, kinds, 1, T0, "", on_event, &seen, &why), ERR_OK);
    assert_int_equal(ask_events(&root, kinds, 2, T0, "nothing holds this", on_event, &seen, &why),
                     ERR_OK);
    assert_int_equal(ask_events(&root, kinds, 2, INT64_MAX, "", on_event, &seen, &why), ERR_OK);
    assert_int_equal(seen, 0);
    assert_int_equal(ask_tenant(&root, "owner", &id, &why), ERR_OK);
    assert_true(uuid_equal(id, tenant));
    assert_int_equal(ask_tenant(&root, "nobody", &id, &why), ERR_NOT_FOUND);

    write_row(
        batch, &series_row,
        &(struct series_row){ .series_id = 0, .measure = "hhi(X)", .unit = "", .version = 1 });
    for (int64_t i = 0; i < 4; i++)
        write_row(batch, &reading_row,
                  &(struct reading_row){ .seq = (uint64_t)i,
                                         .event_ns = T0 + i,
                                         .value = i < 3 ? 1.5 * (double)i : NAN });
    commit();
    assert_int_equal(ask_newest_value(&root, "hhi(X)", T0, &value, &why), ERR_OK);
    assert_true(value == 3);
    assert_int_equal(ask_newest_value(&root, "hhi(X)", T0 + 3, &value, &why), ERR_OK);
    assert_true(isnan(value));

    assert_int_equal(ask_last_prices(&root, 0, price, &p, &n, &traded, &why), ERR_OK);
    assert_int_equal(n, 2);
    assert_int_equal(p.odd, 2499900);
    assert_int_equal(p.even, 2499800); /* record 25000 is an event */
    assert_int_equal(traded, T0 + 24999);
    assert_int_equal(ask_last_prices(&root, RECORDS - 1, price, &p, &n, &traded, &why), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(traded, -1);
    assert_int_equal(make_database(&root, scratch_name, &why), ERR_OK); /* there already */
}

int main(void)
{
    struct why why = { .text = "" };
    uint64_t seq;
    if (!scratch_open("history")) return 0;
    if (write_batch_new(&batch) || writer_open(conninfo, &writer, &seq, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_one),
        cmocka_unit_test(a_symbol_is_that_of_the_record),
        cmocka_unit_test(a_tick_of_nothing_is_an_error),
        cmocka_unit_test(a_cursor_passes_over_what_it_cannot_read),
        cmocka_unit_test(a_service_begins_where_one_ended),
        cmocka_unit_test(the_api_reads_its_own_tenants_alerts),
        cmocka_unit_test(commands_are_answered),
        cmocka_unit_test(a_pause_ends_when_somebody_gets_through),
    };
    int failed = cmocka_run_group_tests(tests, fill, NULL);
    write_batch_free(batch);
    writer_close(writer);
    scratch_close();
    return failed;
}
