/* test_quality.c - what is flagged and what is not, by hand; each number follows from the bounds in quality.h. */
#include "analytics/engine.h"
#include "analytics/quality.h"
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

enum { E8 = 100000000, DAY0 = 19730 }; /* 2024-01-08, a Monday */
static struct engine *e;

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static int64_t at(int day, int hour)
{
    return (DAY0 + day) * NS_PER_DAY + hour * 3600ll * NS_PER_S;
}

/* What was flagged by the record: "shares_jump A 100 200", a line a flag; a price or cap with what it needs of decimals. */
static const char *said(void)
{
    static char text[1000];
    const struct engine_output *o = engine_output(e);
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < o->flags_n; i++) {
        const struct quality_flag *f = &o->flags[i];
        const struct instrument_facts x = engine_instrument_facts(e, (int32_t)f->instrument);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %s %.10g %.10g", n ? "; " : "",
                              names_text(&quality_reason_names, (int)f->reason), x.symbol,
                              f->before, f->after);
    }
    return text;
}
static const char *ok(struct record r)
{
    struct why why = { 0 };
    r.seq = engine_seq(e) + 1;
    if (engine_apply(e, &r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
    return said();
}
static const char *shares(const char *s, int64_t n, int64_t ns)
{
    return ok((struct record){ .kind = RECORD_SHARES,
                               .event_ns = ns,
                               .u.shares = { .symbol = symbol(s), .shares = n, .float_e8 = E8 } });
}
static const char *trade(const char *s, double price, int64_t ns)
{
    return ok((struct record){
        .kind = RECORD_TRADE, .event_ns = ns, .u.trade = { symbol(s), llround(price * E8), 0 } });
}
static const char *official(const char *s, double price, int day, int64_t ns)
{
    return ok((struct record){ .kind = RECORD_CLOSE,
                               .event_ns = ns,
                               .u.close = { symbol(s), llround(price * E8), DAY0 + day } });
}
static const char *end(int day, int64_t ns)
{
    return ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = ns, .u.clock = { .session_end = DAY0 + day } });
}
static void instrument(const char *s, const char *issuer)
{
    ok((struct record){ .kind = RECORD_INSTRUMENT,
                        .u.instrument = { .symbol = symbol(s), .issuer = str(issuer) } });
}
static void member(const char *s)
{
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str("X"), symbol(s), true, 0 } });
}
static void settings(enum meaning meaning)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .coverage_gate_e8 = 95000000, .meaning = meaning } });
}

/* A of an issuer of its own, B and C of one. 100 shares each of A and B, 50 of C. */
static int three(void **state)
{
    (void)state;
    assert_int_equal(engine_new(&e), ERR_OK);
    settings(MEANING_NOW);
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str("X"), .name = str("X"), .base_e8 = 1000ll * E8 } });
    instrument("A", "ACO");
    instrument("B", "BCO");
    instrument("C", "BCO");
    shares("A", 100, 0);
    shares("B", 100, 0);
    shares("C", 50, 0);
    member("A");
    member("B");
    member("C");
    return 0;
}
static int stop(void **state)
{
    (void)state;
    engine_free(e);
    e = NULL;
    return 0;
}

static void share_counts(void **state)
{
    (void)state;
    assert_string_equal(shares("A", 149, 1), "");
    assert_string_equal(shares("A", 100, 2), ""); /* 1.49 down */
    assert_string_equal(shares("A", 150, 3), "shares_jump A 100 150");
    assert_string_equal(shares("A", 100, 4), "shares_jump A 150 100");
    assert_string_equal(shares("A", 401, 5), "shares_jump A 100 401");
    settings(MEANING_FIRST);
    assert_string_equal(shares("A", 100, 6), "");
}

/* 2 % on either side of a ratio, exactly at the bound and one hundredth beyond it. */
static void prices_that_split(void **state)
{
    (void)state;
    static const struct {
        double from, to;
        const char *said;
    } moves[] = {
        { 100, 204, "split_like_price A 100 204" },
        { 100, 204.01, "" },
        { 100, 196, "split_like_price A 100 196" },
        { 100, 195.99, "" },
        { 102, 50, "split_like_price A 102 50" },
        { 102.01, 50, "" },
        { 300, 100, "split_like_price A 300 100" },
        { 100, 400, "split_like_price A 100 400" },
        { 100, 20, "split_like_price A 100 20" },
        { 10, 101, "split_like_price A 10 101" },
        { 200, 10, "split_like_price A 200 10" },
        { 100, 600, "" },
        { 100, 170, "" }, /* a jump, and no split */
        { 100, 149, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        stop(state);
        three(state);
        trade("A", moves[i].from, at(0, 15));
        const char *got = trade("A", moves[i].to, at(0, 16));
        if (strcmp(got, moves[i].said) != 0) fail_msg("move %zu: %s", i, got);
    }
}

/* 100 shares at 100 are worth 10,000; at 170 they are 17,000. */
static void a_cap_that_comes_back(void **state)
{
    (void)state;
    trade("A", 100, at(0, 15));
    assert_string_equal(trade("A", 170, at(0, 16)), "");
    assert_string_equal(trade("A", 104, at(0, 17)), "cap_spike A 17000 10400");
    assert_string_equal(trade("A", 170, at(0, 18)), "");
    assert_string_equal(trade("A", 94, at(0, 19)), ""); /* more than 5 % below 104 */
    assert_string_equal(trade("A", 160, at(0, 20)), "");
    assert_string_equal(trade("A", 94, at(9, 20)), /* back, but more than a week later */
                        "no_close B nan nan; no_close C nan nan");
}

/* B is worth 100 times its price, C 50 times. */
static void one_cap_twice(void **state)
{
    (void)state;
    trade("B", 10, at(0, 15));
    trade("C", 20.3, at(0, 15)); /* 1,000 and 1,015 */
    assert_string_equal(end(0, at(0, 21)), "no_close A nan nan");
    trade("C", 20.1, at(1, 15)); /* 1,005 */
    assert_string_equal(end(1, at(1, 21)),
                        "no_close A nan nan; no_close B 10 nan; same_cap C 1000 1005");
    trade("B", 10.01, at(2, 15)); /* said once, while it is so */
    trade("A", 5, at(2, 15));
    trade("C", 20, at(2, 15));
    assert_string_equal(end(2, at(2, 21)), "");
    assert_string_equal(shares("C", 60, at(2, 22)), "");
    assert_string_equal(shares("C", 50, at(2, 23)), "same_cap C 1001 1000");
    trade("A", 5, at(3, 15));
    trade("B", 10, at(3, 15));
    trade("C", 21, at(3, 15)); /* 5 % apart, and near again */
    assert_string_equal(end(3, at(3, 21)), "");
    trade("A", 5, at(4, 15));
    trade("B", 10, at(4, 15));
    trade("C", 20.02, at(4, 15));
    assert_string_equal(end(4, at(4, 21)), "");
}

static void closes(void **state)
{
    (void)state;
    trade("A", 100, at(0, 15));
    trade("A", 103, at(0, 16));
    trade("A", 99, at(0, 17));
    trade("A", 104, at(0, 16)); /* late, and was paid */
    trade("B", 10, at(0, 17));
    trade("C", 30, at(0, 17));
    official("A", 104.01, 0, at(0, 21));
    official("B", 10, 0, at(0, 21));
    assert_string_equal(end(0, at(0, 22)), "close_outside_range A 104 104.01; no_close C nan nan");
    assert_string_equal(official("A", 104, 0, at(0, 23)), ""); /* corrected */
    assert_string_equal(official("A", 98.99, 0, at(0, 23)), "close_outside_range A 99 98.99");
    assert_string_equal(official("C", 30, 1, at(1, 21)), ""); /* not traded that day: no range */
    assert_string_equal(end(1, at(1, 22)), "no_close A 98.99 nan; no_close B 10 nan");
}

static const char *state_of(size_t i);
static void a_late_close_takes_its_flag_back(void **state)
{
    (void)state;
    trade("A", 100, at(0, 15));
    trade("B", 10, at(0, 15));
    trade("C", 30, at(0, 15));
    official("A", 100, 0, at(0, 21));
    assert_string_equal(end(0, at(0, 22)), "no_close B nan nan; no_close C nan nan");
    official("A", 101, 1, at(1, 21));
    official("C", 31, 1, at(1, 21));
    assert_string_equal(end(1, at(1, 22)), "no_close B 10 nan");
    assert_string_equal(official("C", 30, 0, at(1, 23)), "no_close C nan 30");
    assert_string_equal(state_of(0), "withdrawn");
    assert_int_equal(engine_output(e)->flags[0].no, 2);
    assert_int_equal(engine_output(e)->flags[0].event_ns, at(0, 22));
    assert_string_equal(
        engine_output(e)->flags[0].detail,
        "the session 2024-01-08 had ended without a close of C, which has come since");
    assert_string_equal(official("C", 30.5, 0, at(1, 23)),
                        "close_outside_range C 30 30.5"); /* nothing was missing */
    assert_string_equal(official("C", 31.5, 1, at(1, 23)), "");
    assert_string_equal(official("B", 10, 1, at(1, 23)), "no_close B nan 10");
    assert_int_equal(engine_output(e)->flags[0].no, 3);
    /* It lasts over a snapshot. */
    struct buf b = { 0 };
    size_t used;
    engine_save(e, &b);
    engine_free(e);
    assert_int_equal(engine_load(b.data, b.len, &e, &used, NULL), ERR_OK);
    buf_release(&b);
    assert_string_equal(official("B", 10.1, 0, at(1, 23)),
                        "close_outside_range B 10 10.1; no_close B nan 10.1");
}

/* 20,000 are kept: the two of the 10,001st session find no room, and the older half goes. */
static void of_very_many_the_newer_are_kept(void **state)
{
    (void)state;
    trade("A", 100, at(0, 15));
    trade("B", 10, at(0, 15));
    trade("C", 30, at(0, 15));
    for (int day = 0; day < 10001; day++) {
        official("A", 100, day, at(day, 21));
        end(day, at(day, 22));
    }
    assert_int_equal(engine_market(e)->missing_n, 10002);
    assert_string_equal(official("B", 10, 0, at(10001, 2)), ""); /* forgotten: flagged for good */
    assert_string_equal(official("B", 10, 10000, at(10001, 2)), "no_close B nan 10");
}

static void a_flag_says_it_in_words(void **state)
{
    (void)state;
    shares("A", 400, 1);
    const struct engine_output *o = engine_output(e);
    assert_int_equal(o->flags_n, 1);
    assert_string_equal(o->flags[0].detail,
                        "the shares of A went from 100 to 400, and no corporate action says so");
    assert_int_equal(o->flags[0].no, 1);
    trade("A", 100, at(0, 15));
    trade("A", 25, at(0, 16));
    assert_string_equal(engine_output(e)->flags[0].detail,
                        "the price of A went from 100 to 25, about 1/4, and no split is known");
    assert_int_equal(engine_output(e)->flags[0].no, 2);
}

/* ---- counts that are held ---- */
static void hold(void)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .coverage_gate_e8 = 95000000,
                                        .meaning = MEANING_NOW,
                                        .hold_shares = true } });
    trade("A", 40, at(0, 15)); /* 4,000; B 3,500; C 2,500: of 10,000 */
    trade("B", 35, at(0, 15));
    trade("C", 50, at(0, 15));
    end(0, at(0, 21));
}
static const char *state_of(size_t i)
{
    const struct engine_output *o = engine_output(e);
    assert_true(i < o->flags_n);
    return names_text(&quality_state_names, (int)o->flags[i].state);
}
static double level(void)
{
    struct measure m;
    uint32_t no = SERIES_NONE;
    assert_int_equal(measure_parse("level(X)", 8, &m, NULL), ERR_OK);
    assert_int_equal(engine_track(e, (struct uuid){ { 0 } }, &m, &no, NULL), ERR_OK);
    return engine_reading(e, no).value;
}
static int64_t count_of(const char *s)
{
    const struct symbol x = symbol(s);
    return engine_market(e)->instruments[engine_instrument(e, &x)].shares;
}
static void split(const char *s, int64_t to, int64_t from, int day, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_SPLIT,
        .event_ns = ns,
        .u.split = { .symbol = symbol(s), .to = to, .from = from, .day = DAY0 + day } });
}
static enum err release(uint64_t no)
{
    struct record r = { .kind = RECORD_QUALITY_RELEASE,
                        .seq = engine_seq(e) + 1,
                        .u.release = { quality_id(no) } };
    return engine_apply(e, &r, NULL);
}

/* 4 for 1 that nobody says: the count on Monday evening, the price on Tuesday, 5 % up: 4,200 of 10,200. */
static void the_price_confirms(void **state)
{
    (void)state;
    hold();
    shares("A", 400, at(0, 22));
    assert_string_equal(state_of(0), "held");
    assert_int_equal(count_of("A"), 100);
    trade("A", 40.4, at(0, 23)); /* not yet */
    assert_int_equal(engine_output(e)->flags_n, 0);
    assert_int_equal(count_of("A"), 100);
    trade("A", 10.5, at(1, 15));
    assert_int_equal(engine_output(e)->flags_n, 1);
    assert_string_equal(state_of(0), "confirmed_by_price");
    assert_int_equal(engine_output(e)->flags[0].no, 1);
    assert_int_equal(count_of("A"), 400);
    assert_true(fabs(level() - 1020) < 1e-9);
    split("A", 4, 1, 1, at(1, 16)); /* said after all: nothing happens twice */
    assert_int_equal(count_of("A"), 400);
    assert_true(fabs(level() - 1020) < 1e-9);
}

/* The price first: its level had fallen by three quarters of A, and comes right with the count. */
static void the_price_came_first(void **state)
{
    (void)state;
    hold();
    assert_string_equal(trade("A", 10.5, at(1, 15)), "");
    assert_true(fabs(level() - 705) < 1e-9);
    shares("A", 400, at(1, 16));
    assert_string_equal(state_of(0), "confirmed_by_price");
    assert_int_equal(count_of("A"), 400);
    assert_true(fabs(level() - 1020) < 1e-9);
}

static void within_ten_per_cent(void **state)
{
    (void)state;
    static const struct {
        double price;
        int64_t count;
    } moves[] = { { 22, 200 }, { 22.01, 100 }, { 18, 200 }, { 17.99, 100 } };
    for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
        stop(state);
        three(state);
        hold();
        shares("A", 200, at(0, 22));
        trade("A", moves[i].price, at(1, 15));
        if (count_of("A") != moves[i].count) fail_msg("move %zu: %d", i, (int)count_of("A"));
    }
}

static void an_action_confirms(void **state)
{
    (void)state;
    hold();
    shares("A", 404, at(0, 22)); /* a split of 4 for 1, and an issue of 4 */
    assert_string_equal(state_of(0), "held");
    split("A", 4, 1, 1, at(0, 23)); /* of tomorrow: it waits */
    assert_int_equal(count_of("A"), 100);
    trade("A", 10, at(1, 15));
    assert_string_equal(state_of(0), "confirmed_by_action");
    assert_int_equal(count_of("A"), 404);
    assert_true(fabs(level() - 1000) < 1e-9);
}

static void of_a_session(const char *s, int64_t n, int day, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_SHARES,
        .event_ns = ns,
        .u.shares = { .symbol = symbol(s), .shares = n, .float_e8 = E8, .day = DAY0 + day } });
}

/* A count of a session to come is looked at when that opens, one of a session of the past at once. */
static void counts_with_a_date(void **state)
{
    (void)state;
    hold();
    of_a_session("A", 300, 1, at(0, 22));
    assert_int_equal(engine_output(e)->flags_n, 0);
    trade("B", 35, at(1, 15)); /* the venue's session opens */
    assert_string_equal(state_of(0), "held");
    assert_int_equal(engine_output(e)->flags[0].seq, engine_seq(e));
    assert_int_equal(engine_output(e)->flags[0].event_ns, at(1, 15));
    assert_int_equal(count_of("A"), 100);
    of_a_session("B", 200, -30, at(1, 16));
    assert_string_equal(state_of(0), "held");
    assert_int_equal(count_of("B"), 100);
    settings(MEANING_NOW); /* quality.shares = take: flagged, and it counts */
    of_a_session("C", 150, 2, at(1, 17));
    assert_non_null(strstr(trade("A", 40, at(2, 15)), "shares_jump C 50 150"));
    assert_int_equal(count_of("C"), 150);
}

/* Beside a split of its session it is the count after that, in whatever order they are said. */
static void counts_with_a_split(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        stop(state);
        three(state);
        hold();
        if (first) split("A", 4, 1, 1, at(0, 22));
        of_a_session("A", 404, 1, at(0, 22));
        if (!first) split("A", 4, 1, 1, at(0, 22));
        assert_string_equal(trade("A", 10, at(1, 15)), "");
        assert_int_equal(count_of("A"), 404);
        assert_true(fabs(level() - 1000) < 1e-9);
    }
}

/* The price had moved before the open: the count that waited is the split that nobody said. */
static void a_dated_count_after_its_price(void **state)
{
    (void)state;
    hold();
    of_a_session("A", 400, 1, at(0, 22));
    trade("A", 10.5, at(0, 23)); /* Monday's session has ended: its close stays 40 */
    trade("B", 35, at(1, 15));
    assert_string_equal(state_of(0), "confirmed_by_price");
    assert_int_equal(count_of("A"), 400);
    assert_true(fabs(level() - 1020) < 1e-9);
}

static void a_person_confirms(void **state)
{
    (void)state;
    hold();
    shares("A", 300, at(0, 22));
    assert_int_equal(release(2), ERR_NOT_FOUND);
    assert_int_equal(release(1), ERR_OK);
    assert_string_equal(state_of(0), "released");
    assert_int_equal(count_of("A"), 300);
    assert_true(fabs(level() - 1000) < 1e-9); /* an issue at the price of now */
    assert_int_equal(release(1), ERR_NOT_FOUND);
}

static void another_count_comes(void **state)
{
    (void)state;
    hold();
    shares("A", 400, at(0, 22));
    shares("A", 400, at(0, 22)); /* the same: it is held still */
    assert_int_equal(engine_output(e)->flags_n, 0);
    shares("A", 800, at(0, 22));
    assert_int_equal(engine_output(e)->flags_n, 2);
    assert_string_equal(state_of(0), "superseded");
    assert_string_equal(state_of(1), "held");
    shares("A", 101, at(0, 23)); /* that one was right all along */
    assert_string_equal(state_of(0), "superseded");
    assert_int_equal(engine_output(e)->flags_n, 1);
    assert_int_equal(count_of("A"), 101);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, three, stop)
int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(share_counts),
        WITH(prices_that_split),
        WITH(a_cap_that_comes_back),
        WITH(the_price_confirms),
        WITH(the_price_came_first),
        WITH(within_ten_per_cent),
        WITH(counts_with_a_date),
        WITH(counts_with_a_split),
        WITH(a_dated_count_after_its_price),
        WITH(a_late_close_takes_its_flag_back),
        WITH(of_very_many_the_newer_are_kept),
        WITH(an_action_confirms),
        WITH(a_person_confirms),
        WITH(another_count_comes),
        WITH(one_cap_twice),
        WITH(closes),
        WITH(a_flag_says_it_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
