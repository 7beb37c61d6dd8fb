/* test_closes.c - late trades, official closes, sessions whose end is late or never said; by hand, and any order against the sorted one. */
#include "analytics/series.h"

#include "core/when.h"
#include "tests/unit/analytics/told.h"

#include <math.h>
#include <stdio.h>

enum { DAY0 = 19730 }; /* 2024-01-08, a Monday */

static int64_t at(int day, int hour, int second)
{
    return (DAY0 + day) * NS_PER_DAY + (hour * 3600ll + second) * NS_PER_S;
}
static void trade(const char *s, double price, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_TRADE, .event_ns = ns, .u.trade = { symbol(s), llround(price * E8), 0 } });
}
static void official(const char *s, double price, int day, int64_t ns)
{
    ok((struct record){ .kind = RECORD_CLOSE,
                        .event_ns = ns,
                        .u.close = { symbol(s), llround(price * E8), DAY0 + day } });
}
static void end(int day, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = ns, .u.clock = { .session_end = DAY0 + day } });
}

static uint32_t configured(const char *text)
{
    const uint32_t no = track(text);
    if (series_configure(engine_market(e), no)) fail_msg("%s", text);
    return no;
}
static double value(const char *text) { return engine_reading(e, configured(text)).value; }
static void is(const char *text, double want)
{
    double v = value(text);
    if (!(fabs(v - want) <= 1e-12 * (1 + fabs(want))))
        fail_msg("%s is %.17g, wanted %.17g", text, v, want);
}
/* Equal weights are whole units: a ten millionth of a per cent at these prices. */
static void is_about(const char *text, double want)
{
    double v = value(text);
    if (!(fabs(v - want) <= 1e-6)) fail_msg("%s is %.17g, wanted %.17g", text, v, want);
}

/* A and B of two companies in X, 100 shares each. */
static int two_stocks(void **state)
{
    (void)state;
    assert_int_equal(engine_new(&e), ERR_OK);
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str_of("X"), .name = str_of(""), .base_e8 = 1000ll * E8 } });
    for (int i = 0; i < 2; i++) {
        const char *s = i ? "B" : "A";
        ok((struct record){
            .kind = RECORD_INSTRUMENT,
            .u.instrument = { .symbol = symbol(s), .issuer = str_of(s), .name = str_of("") } });
        ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol(s), 100, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str_of("X"), symbol(s), true, 0 } });
    }
    return 0;
}
static int done(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

/* ---- late trades ---- */

/* A trade reported twelve minutes late: 20.50 stands, with its own time; equal times go by arrival. */
static void a_late_trade_moves_nothing(void **state)
{
    (void)state;
    uint32_t last = configured("last(A)");
    engine_watch(e, last, 1);
    trade("A", 20.50, at(0, 14, 720));
    assert_int_equal(engine_output(e)->trade, TRADE_REGULAR);
    trade("A", 20.25, at(0, 14, 0));
    assert_int_equal(engine_output(e)->trade, TRADE_LATE);
    assert_int_equal(engine_output(e)->moved_n, 0);
    is("last(A)", 20.50);
    assert_int_equal(engine_reading(e, last).event_ns, at(0, 14, 720));
    trade("B", 5, at(0, 14, 60)); /* late is by instrument */
    assert_int_equal(engine_output(e)->trade, TRADE_REGULAR);
    trade("A", 20.75, at(0, 14, 720));
    assert_int_equal(engine_output(e)->trade, TRADE_REGULAR);
    is("last(A)", 20.75);
}

/* ---- official closes ---- */

/* As told at the head of closes.h. */
static void an_official_close_waits_for_the_end(void **state)
{
    (void)state;
    trade("A", 100, at(0, 14, 0)), trade("B", 50, at(0, 14, 0)), end(0, at(0, 21, 60));
    trade("A", 101, at(1, 20, 0));
    official("A", 101.2, 1, at(1, 21, 5));
    is("last(A)", 101);
    is("ret(A, window=1d)", 100 * (101 / 100.0 - 1));
    trade("A", 100.9, at(1, 21, 9));
    end(1, at(1, 21, 60));
    is("last(A)", 100.9);
    is("ret(A, window=1d)", 100 * (101.2 / 100 - 1));
    double spread = value("spread(X, window=1d, kind=arith, ew=daily)");
    is_about("spread(X, window=1d, kind=arith, ew=daily)",
             100 * (151.2 / 150 - 1) - 100 * (0.012 / 2));
    trade("A", 202, at(1, 23, 0)); /* the session's own numbers stay until the next begins */
    is("ret(A, window=1d)", 100 * (101.2 / 100 - 1));
    is("spread(X, window=1d, kind=arith, ew=daily)", spread);
    trade("A", 104, at(2, 14, 0));
    is("ret(A, window=1d)", 100 * (104 / 101.2 - 1));
    official("A", 101.3, 1, at(2, 14, 5));
    assert_true(engine_output(e)->corrects);
    is("last(A)", 104);
    is("ret(A, window=1d)", 100 * (104 / 101.3 - 1));
}

/* Closes alone: last and levels stand when the session has ended, all at once. */
static void closes_of_a_session_settle_together(void **state)
{
    (void)state;
    uint32_t top = configured("top_weight(X, n=1)");
    engine_watch(e, top, 1);
    official("A", 100, 0, at(0, 21, 0));
    official("B", 50, 0, at(0, 21, 0));
    assert_int_equal(engine_output(e)->moved_n, 0);
    assert_int_equal(engine_reading(e, top).status, READING_NO_DATA);
    end(0, at(0, 21, 1));
    assert_int_equal(engine_output(e)->moved_n, 1);
    is("top_weight(X, n=1)", 100 * 100.0 / 150);
    is("level(X)", 1000);
    is("last(A)", 100);
    assert_int_equal(engine_reading(e, configured("last(A)")).event_ns, at(0, 21, 0));
}

/* The newest close of an ended session, before the next has begun, is the newest price too. */
static void a_close_just_after_the_end_is_last_as_well(void **state)
{
    (void)state;
    trade("A", 100, at(0, 14, 0)), trade("B", 50, at(0, 14, 0)), end(0, at(0, 21, 60));
    official("A", 102, 0, at(0, 21, 90));
    is("last(A)", 102);
    trade("A", 103, at(0, 22, 0));
    official("A", 101, 0, at(0, 21, 95)); /* once more, older than the trade */
    is("last(A)", 103);
    trade("A", 111.1, at(1, 14, 0));
    is("ret(A, window=1d)", 10);
}

/* ---- ends ---- */

/* New York after hours in UTC: Thursday's last trade comes at 00:30 on Friday, before Thursday's closes and end. The numbers of a feed without it. */
static void an_end_after_the_next_sessions_first_trade_is_not_dropped(void **state)
{
    (void)state;
    static const double a[] = { 100, 110, 121 };
    for (int d = 0; d < 3; d++) {
        official("A", a[d], d, at(d, 21, 0)), official("B", 50, d, at(d, 21, 0));
        end(d, at(d, 21, 1));
    }
    trade("A", 130, at(3, 15, 0));
    trade("A", 133.5, at(4, 0, 1800));
    official("A", 133.1, 3, at(4, 1, 900)), official("B", 50, 3, at(4, 1, 900));
    end(3, at(4, 1, 901));
    is("ret(A, window=1d)", 100 * (133.5 / 133.1 - 1));
    official("A", 146.41, 4, at(4, 21, 0)), official("B", 50, 4, at(4, 21, 0));
    end(4, at(4, 21, 1));
    is("ret(A, window=1d)", 100 * (146.41 / 133.1 - 1));
    is("spread(X, window=1d, kind=ratio)", value("level(X)") / value("ew_level(X)"));
    is_about("spread(X, window=1d, kind=arith, ew=daily)",
             100 * ((146.41 + 50) / (133.1 + 50) - 1) - 100 * (0.1 / 2));
}

/* Trades alone: a session has ended when the next begins. */
static void a_session_that_nobody_ends_ends_with_the_next(void **state)
{
    (void)state;
    for (int d = 0; d < 4; d++) trade("A", 100 + d, at(d, 15, 0)), trade("B", 50, at(d, 15, 0));
    is("ret(A, window=1d)", 100 * (103 / 102.0 - 1));
    is("level(X)", 1000 * 153.0 / 150);
    is("spread(X, window=1d, kind=arith, ew=daily)",
       value("spread(X, window=1d, kind=arith, ew=daily)"));
    is_about("spread(X, window=1d, kind=arith, ew=daily)",
             100 * (153 / 152.0 - 1) - 100 * (1 / 102.0) / 2);
}

static enum err try_it(struct record r)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, NULL);
}

/* B has closes alone, and they come when A has begun the next day: they are B's newest prices all the same. */
static void closes_alone_are_prices_however_late(void **state)
{
    (void)state;
    trade("A", 100, at(0, 15, 0));
    trade("A", 101, at(1, 0, 10));
    official("B", 50, 0, at(1, 1, 0));
    is("last(B)", 50);
    trade("A", 102, at(2, 0, 10));
    official("B", 55, 1, at(2, 1, 0));
    is("last(B)", 55);
    is("ret(B, window=1d)", 0); /* nothing yet of the session in progress */
    official("B", 51, 0, at(2, 2, 0));
    is("last(B)", 55); /* a correction of an older session */
}

/* Who leaves or comes between an end and the next begin: the level stays, weights are made equal at what stands. */
static void members_that_change_after_hours_move_no_level(void **state)
{
    (void)state;
    trade("A", 100, at(0, 14, 0)), trade("B", 50, at(0, 14, 0)), end(0, at(0, 21, 60));
    trade("B", 5, at(0, 22, 0));
    is_about("ew_level(X, ew=daily)", 550);
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str_of("X"), symbol("B"), false, 0 } });
    trade("A", 100, at(1, 14, 0));
    is_about("ew_level(X, ew=daily)", 550);
    trade("A", 200, at(1, 15, 0));
    is_about("ew_level(X, ew=daily)", 1100);
}

/* C has a smaller number than its closes' order would give: it enters after those that count have settled. */
static void who_is_first_priced_by_a_close_enters_at_the_weights_of_that_end(void **state)
{
    (void)state;
    trade("A", 100, at(0, 14, 0)), end(0, at(0, 21, 60)); /* B has no price yet: half covered */
    trade("B", 50, at(1, 14, 0)), end(1, at(1, 21, 60));
    is("level(X)", 1000);
    ok((struct record){
        .kind = RECORD_INSTRUMENT,
        .u.instrument = { .symbol = symbol("C"), .issuer = str_of("C"), .name = str_of("") } });
    ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol("C"), 100000, E8, NO_DAY } });
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str_of("X"), symbol("C"), true, 0 } });
    official("C", 70, 2, at(2, 21, 0)), official("A", 200, 2, at(2, 21, 0));
    official("B", 50, 2, at(2, 21, 0)), end(2, at(2, 21, 60));
    is("level(X)", 1000 * 250.0 / 150);
    is_about("ew_level(X, ew=held)", 1500);
}

static void what_is_no_session_is_refused(void **state)
{
    (void)state;
    trade("A", 100, at(0, 14, 0)), trade("B", 50, at(0, 14, 0)), end(0, at(0, 21, 60));
    trade("A", 101, at(2, 14, 0));
    const struct record saturday = { .kind = RECORD_CLOSE,
                                     .event_ns = at(2, 15, 0),
                                     .u.close = { symbol("A"), 55ll * E8, DAY0 + 1 } };
    assert_int_equal(try_it(saturday), ERR_INVALID);
    const struct record its_end = { .kind = RECORD_CLOCK,
                                    .event_ns = at(2, 15, 1),
                                    .u.clock = { .session_end = DAY0 + 1 } };
    assert_int_equal(try_it(its_end), ERR_INVALID);
    is("ret(A, window=1d)", 1);
    end(0, at(2, 15, 2)); /* said once more */
}

/* A waiting close counts when shares come. */
static void a_waiting_close_has_to_fit_too(void **state)
{
    (void)state;
    trade("A", 1, at(0, 14, 0));
    official("A", 80000000, 0, at(0, 21, 0));
    assert_int_equal(
        try_it((struct record){ .kind = RECORD_SHARES,
                                .u.shares = { symbol("A"), INT64_C(1) << 42, E8, NO_DAY } }),
        ERR_INVALID);
}

/* ---- any order ---- */

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

enum { SESSIONS = 14, LINES = 5 };
struct told {
    double ret[4], spread[3], level;
};

static void look(struct told *out)
{
    static const char *const rets[] = { "ret(S0, window=1d)", "ret(S1, window=5d)",
                                        "ret(S2, window=all)", "ret(S3, window=5d)" };
    static const char *const spreads[] = { "spread(Y, window=1d, kind=arith, ew=held)",
                                           "spread(Y, window=5d, kind=geom, ew=held)",
                                           "spread(Y, window=5d, kind=arith, ew=held, by=line)" };
    for (int i = 0; i < 4; i++) out->ret[i] = value(rets[i]);
    for (int i = 0; i < 3; i++) out->spread[i] = value(spreads[i]);
    out->level = value("level(Y)");
}

static int64_t price_of[SESSIONS][LINES], close_of[SESSIONS][LINES];

/* The same sessions; `late`: some closes come up to nine sessions after their own, which then ended with something else. */
static void run(bool late, struct told *out)
{
    char names[LINES][4];
    assert_int_equal(engine_new(&e), ERR_OK);
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str_of("Y"), .name = str_of(""), .base_e8 = 1000ll * E8 } });
    for (int i = 0; i < LINES; i++) {
        snprintf(names[i], sizeof names[i], "S%d", i);
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(names[i]),
                                              .issuer = str_of(names[i]),
                                              .name = str_of("") } });
        ok((struct record){ .kind = RECORD_SHARES,
                            .u.shares = { symbol(names[i]), 100 + 10 * i, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str_of("Y"), symbol(names[i]), true, 0 } });
    }
    int due[SESSIONS][LINES], wrong[SESSIONS][LINES];
    for (int d = 0; d < SESSIONS; d++)
        for (int i = 0; i < LINES; i++) { /* the first session sets the base, the last is of now */
            bool is_late = late && d > 0 && d < SESSIONS - 1 && upto(3) == 0;
            due[d][i] = is_late ? d + 1 + (int)upto(9) : d;
            if (due[d][i] > SESSIONS - 1) due[d][i] = SESSIONS - 1;
            wrong[d][i] = (int)upto(2); /* nothing came, or another close */
        }
    for (int d = 0; d < SESSIONS; d++) {
        for (int i = 0; i < LINES; i++) trade(names[i], (double)price_of[d][i] / E8, at(d, 15, i));
        for (int was = 0; was < d; was++)
            for (int i = 0; i < LINES; i++)
                if (due[was][i] == d)
                    official(names[i], (double)close_of[was][i] / E8, was, at(d, 16, 0));
        for (int i = 0; i < LINES; i++) {
            if (due[d][i] == d) official(names[i], (double)close_of[d][i] / E8, d, at(d, 21, 0));
            else if (wrong[d][i])
                official(names[i], (double)(close_of[d][i] + E8) / E8, d, at(d, 21, 0));
        }
        end(d, at(d, 21, 1));
    }
    look(out);
    engine_free(e);
}

static void corrected_closes_are_as_if_they_had_been_right(void **state)
{
    (void)state;
    for (uint64_t s = 1; s <= 1000; s++) {
        struct told right, corrected;
        seed = s * 0x9E3779B97F4A7C15u;
        for (int d = 0; d < SESSIONS; d++)
            for (int i = 0; i < LINES; i++) {
                price_of[d][i] = (int64_t)(50 + upto(100)) * E8 + upto(100) * (E8 / 100);
                close_of[d][i] = price_of[d][i] + (int64_t)upto(200) * (E8 / 100);
            }
        run(false, &right);
        run(true, &corrected);
        if (memcmp(&right, &corrected, sizeof right) != 0)
            fail_msg("seed %d: ret %.17g %.17g, spread %.17g %.17g, level %.17g %.17g", (int)s,
                     right.ret[1], corrected.ret[1], right.spread[1], corrected.spread[1],
                     right.level, corrected.level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_late_trade_moves_nothing, two_stocks, done),
        cmocka_unit_test_setup_teardown(an_official_close_waits_for_the_end, two_stocks, done),
        cmocka_unit_test_setup_teardown(closes_of_a_session_settle_together, two_stocks, done),
        cmocka_unit_test_setup_teardown(a_close_just_after_the_end_is_last_as_well, two_stocks,
                                        done),
        cmocka_unit_test_setup_teardown(an_end_after_the_next_sessions_first_trade_is_not_dropped,
                                        two_stocks, done),
        cmocka_unit_test_setup_teardown(a_session_that_nobody_ends_ends_with_the_next, two_stocks,
                                        done),
        cmocka_unit_test_setup_teardown(closes_alone_are_prices_however_late, two_stocks, done),
        cmocka_unit_test_setup_teardown(members_that_change_after_hours_move_no_level, two_stocks,
                                        done),
        cmocka_unit_test_setup_teardown(
            who_is_first_priced_by_a_close_enters_at_the_weights_of_that_end, two_stocks, done),
        cmocka_unit_test_setup_teardown(what_is_no_session_is_refused, two_stocks, done),
        cmocka_unit_test_setup_teardown(a_waiting_close_has_to_fit_too, two_stocks, done),
        cmocka_unit_test(corrected_closes_are_as_if_they_had_been_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
