/* test_series.c - the graph of measures of measures: its order, who is read and how often, what travels up, who is dropped. */
#include "analytics/engine.h"
#include "analytics/series.h"

#include "core/when.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000, T0_DAY = 20000 };
static const struct uuid NOBODY;

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}

static void ok(struct engine *e, struct record r)
{
    struct why why = { 0 };
    r.seq = engine_seq(e) + 1;
    if (engine_apply(e, &r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}
static int64_t at(int day, int seconds)
{
    return (T0_DAY + day) * NS_PER_DAY + (14 * 3600 + seconds) * NS_PER_S;
}
static void trade(struct engine *e, const char *s, double price, int64_t ns)
{
    ok(e, (struct record){ .kind = RECORD_TRADE,
                           .event_ns = ns,
                           .u.trade = { symbol(s), llround(price * E8), 0 } });
}
static void end_session(struct engine *e, int day)
{
    ok(e, (struct record){ .kind = RECORD_CLOCK,
                           .event_ns = at(day, 7 * 3600),
                           .u.clock = { .session_end = T0_DAY + day } });
}
static void settings(struct engine *e, int64_t stale_ns, bool drop)
{
    ok(e, (struct record){ .kind = RECORD_SETTINGS,
                           .u.settings = { .stale_after_ns = stale_ns,
                                           .sample_ns = 0,
                                           .coverage_gate_e8 = 95000000,
                                           .drop_unasked = drop,
                                           .meaning = MEANING_NOW } });
}

static struct engine *two_stocks(void)
{
    struct engine *e;
    assert_int_equal(engine_new(&e), ERR_OK);
    ok(e, (struct record){
              .kind = RECORD_INDEX,
              .u.index = { .index = str_of("X"), .name = str_of(""), .base_e8 = 1000ll * E8 } });
    for (int i = 0; i < 2; i++) {
        const char *s = i ? "B" : "A";
        ok(e,
           (struct record){
               .kind = RECORD_INSTRUMENT,
               .u.instrument = { .symbol = symbol(s), .issuer = str_of(s), .name = str_of("") } });
        ok(e, (struct record){ .kind = RECORD_SHARES, .u.shares = { symbol(s), 100, E8, NO_DAY } });
        ok(e, (struct record){ .kind = RECORD_MEMBERSHIP,
                               .u.membership = { str_of("X"), symbol(s), true, 0 } });
    }
    return e;
}

static uint32_t track(struct engine *e, const char *text)
{
    struct measure m;
    struct why why = { 0 };
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why) || engine_track(e, NOBODY, &m, &no, &why))
        fail_msg("%s: %s", text, why.text);
    return no;
}
/* As a rule does: asks, and looks at every move. */
static uint32_t rule_on(struct engine *e, const char *text)
{
    uint32_t no = track(e, text);
    assert_int_equal(engine_ask(e, no, 1), ERR_OK);
    engine_watch(e, no, 1);
    return no;
}
static void rule_goes(struct engine *e, uint32_t no)
{
    engine_watch(e, no, -1);
    assert_int_equal(engine_ask(e, no, -1), ERR_OK);
}
static double value(struct engine *e, uint32_t no)
{
    struct reading r = engine_reading(e, no);
    if (r.status != READING_OK)
        fail_msg("%s is %s", engine_series_facts(e, no).text, reading_status_name(r.status));
    return r.value;
}
static void moved(struct engine *e, const uint32_t *want, size_t n)
{
    const struct engine_output *o = engine_output(e);
    assert_int_equal(o->moved_n, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(o->moved[i], want[i]);
}

/* The example at the head of series.c, with a second instrument that must move nothing. */
static void a_move_goes_up_the_graph_in_order(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    settings(e, 0, true);
    uint32_t top = rule_on(e, "max(change(last(A), over=5m), over=2d)");
    uint32_t mid = track(e, "change(last(A), over=5m)"), last = track(e, "last(A)");
    assert_true(last < mid && mid < top); /* what it is taken of was there first */
    engine_watch(e, last, 1);             /* a rule looks at it too, one that asked before */
    trade(e, "A", 100, at(0, 0));
    moved(e, (uint32_t[]){ last, top },
          2); /* nobody looks at the one between, which is computed all the same */
    assert_int_equal(engine_reading(e, mid).status, READING_NO_HISTORY);
    trade(e, "A", 103, at(0, 301));
    assert_true(value(e, mid) == 3);
    assert_int_equal(engine_reading(e, top).status,
                     READING_NO_HISTORY); /* two sessions are asked for */
    trade(e, "B", 55, at(0, 302));
    moved(e, NULL, 0);
    end_session(e, 0);
    trade(e, "A", 104, at(1, 0));
    trade(e, "A", 102, at(1, 301));
    assert_true(value(e, mid) == -2);
    assert_true(value(e, top) == 3); /* yesterday's */
    engine_free(e);
}

/* Once a record, however many look; and not at all when nobody does. A kind of our own counts. */
static int reads;
static void counted(const struct market *m, const struct series *s, struct reading *out)
{
    (void)s;
    reads++;
    *out = (struct reading){
        .value = reads, .coverage = 1, .event_ns = m->now_ns, .status = READING_OK
    };
    reading_finish(m, 0, out);
}

static void read_at_most_once_a_record(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    settings(e, 0, true);
    uint32_t base = track(e, "last(A)");
    struct measure_kind kind = *engine_market(e)->series[base].kind;
    kind.read = counted;
    engine_market(e)->series[base].kind = &kind;
    trade(e, "A", 100, at(0, 0));
    assert_int_equal(reads, 0); /* nobody looks */
    rule_on(e, "max(last(A))");
    rule_on(e, "min(last(A))");
    rule_on(e, "avg(last(A), over=2d)");
    rule_on(e, "change(max(last(A)), over=1h)");
    reads = 0;
    for (int i = 1; i <= 50; i++) {
        trade(e, "A", 100 + i, at(0, i));
        for (uint32_t s = 0; s < engine_series_count(e); s++)
            engine_reading(e, s), engine_reading(e, s);
        assert_int_equal(reads, i);
    }
    trade(e, "B", 7, at(0, 60));
    assert_int_equal(reads, 50); /* not its record: read when somebody asks, then once */
    engine_reading(e, base), engine_reading(e, base);
    assert_int_equal(reads, 51);
    engine_market(e)->series[base].kind = &(struct measure_kind){ .read = counted };
    engine_free(e);
}

static void stale_and_coverage_travel_up(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    uint32_t top = track(e, "max(avg(hhi(X), over=1d), over=1d)"), hhi = track(e, "hhi(X)");
    assert_int_equal(engine_reading(e, top).status, READING_NO_DATA);
    trade(e, "A", 100, at(0, 0));
    assert_int_equal(engine_reading(e, top).status, READING_LOW_COVERAGE);
    assert_true(engine_reading(e, top).coverage == 0.5);
    trade(e, "B", 100, at(0, 1));
    assert_true(value(e, top) == 5000 && engine_reading(e, top).coverage == 1);
    assert_true(engine_reading(e, top).event_ns == at(0, 1));
    settings(e, 60 * NS_PER_S, false);
    ok(e, (struct record){
              .kind = RECORD_CLOCK, .event_ns = at(0, 62), .u.clock = { .session_end = NO_DAY } });
    assert_int_equal(engine_reading(e, hhi).status, READING_STALE);
    assert_int_equal(engine_reading(e, top).status, READING_STALE);
    assert_true(engine_reading(e, top).value == 5000);
    assert_true(engine_reading(e, top).staleness_ns == engine_reading(e, hhi).staleness_ns);
    engine_free(e);
}

/* A window moves on with the clock although its subject stands still. */
static void time_alone_moves_a_window(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    uint32_t top = rule_on(e, "max(last(A), over=1m)");
    trade(e, "A", 100, at(0, 0));
    trade(e, "A", 90, at(0, 30));
    ok(e, (struct record){
              .kind = RECORD_CLOCK, .event_ns = at(0, 70), .u.clock = { .session_end = NO_DAY } });
    moved(e, (uint32_t[]){ top }, 1);
    assert_true(value(e, top) == 100); /* it stood until 30 s */
    ok(e, (struct record){
              .kind = RECORD_CLOCK, .event_ns = at(0, 91), .u.clock = { .session_end = NO_DAY } });
    assert_true(value(e, top) == 90);
    engine_free(e);
}

/* Dropped with the last that asks, what it was taken of with it; the number stays its own; the configured ones stay. */
static void nobody_asks_nobody_computes(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    uint32_t before = track(e, "ret(B)");
    assert_true(
        engine_series_facts(e, before).live); /* until it is said that unasked ones go, they stay */
    settings(e, 0, true);
    assert_false(engine_series_facts(e, before).live);
    assert_true(engine_series_facts(e, track(e, "hhi(X)")).live
                && engine_series_facts(e, track(e, "hhi(X)")).configured);
    uint32_t top = rule_on(e, "max(change(last(A)), over=2d)"),
             second = rule_on(e, "change(last(A))");
    uint32_t last = track(e, "last(A)");
    assert_int_equal(top, rule_on(e, "max(change(last(A)), over=2d)"));
    rule_goes(e, top);
    assert_true(engine_series_facts(e, top).live);
    rule_goes(e, top);
    assert_false(engine_series_facts(e, top).live);
    assert_true(engine_series_facts(e, second).live && engine_series_facts(e, last).live);
    rule_goes(e, second);
    assert_false(engine_series_facts(e, second).live || engine_series_facts(e, last).live);
    trade(e, "A", 100, at(0, 0));
    moved(e, NULL, 0);
    assert_int_equal(rule_on(e, "max(change(last(A)), over=2d)"), top);
    assert_true(engine_series_facts(e, last).live);
    trade(e, "A", 101, at(0, 1));
    moved(e, (uint32_t[]){ top }, 1);
    engine_free(e);
}

/* A book at the bottom makes all of it its owner's. */
static void a_measure_of_a_book_is_the_tenants(void **state)
{
    (void)state;
    struct engine *e = two_stocks();
    struct uuid tenant = { { 9 } };
    struct measure m;
    struct why why;
    uint32_t no;
    const char *text = "max(change(ai_exposure(book:g)), over=2d)";
    assert_int_equal(measure_parse(text, strlen(text), &m, NULL), ERR_OK);
    assert_true(measure_is_book(&m));
    assert_int_equal(engine_can_track(e, NOBODY, &m, &why), ERR_INVALID);
    assert_int_equal(engine_track(e, tenant, &m, &no, NULL), ERR_OK);
    assert_true(uuid_equal(engine_series_facts(e, no).tenant, tenant));
    assert_int_not_equal(engine_find_series(e, tenant, "ai_exposure(book:g)"), SERIES_NONE);
    assert_int_equal(engine_find_series(e, NOBODY, "ai_exposure(book:g)"), SERIES_NONE);
    const char *unknown = "max(last(NOPE))";
    assert_int_equal(measure_parse(unknown, strlen(unknown), &m, NULL), ERR_OK);
    assert_int_equal(engine_can_track(e, NOBODY, &m, &why), ERR_UNKNOWN_SYMBOL);
    engine_free(e);
}

/* One that is old and no number would stand in windows as if it were one. */
static void what_is_no_number_is_no_data_however_old(void **state)
{
    (void)state;
    struct venue utc_days = { .day = NO_DAY };
    const struct market m = {
        .now_ns = 100, .venues = &utc_days, .venues_n = 1, .settings = { .stale_after_ns = 10 }
    };
    static const struct {
        double value;
        int64_t at;
        enum reading_status status;
    } cases[] = { { 1, 95, READING_OK },
                  { 1, 5, READING_STALE },
                  { INFINITY, 95, READING_NO_DATA },
                  { NAN, 5, READING_NO_DATA } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reading r = { .value = cases[i].value,
                             .event_ns = cases[i].at,
                             .status = READING_OK };
        reading_finish(&m, 0, &r);
        assert_int_equal(r.status, cases[i].status);
        assert_int_equal(isnan(r.value), !reading_has_value(r.status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_goes_up_the_graph_in_order),
        cmocka_unit_test(read_at_most_once_a_record),
        cmocka_unit_test(stale_and_coverage_travel_up),
        cmocka_unit_test(time_alone_moves_a_window),
        cmocka_unit_test(nobody_asks_nobody_computes),
        cmocka_unit_test(a_measure_of_a_book_is_the_tenants),
        cmocka_unit_test(what_is_no_number_is_no_data_however_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
