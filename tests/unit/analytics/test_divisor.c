/* test_divisor.c - the ledger of an index's divisor, by hand: each change with its cause, and nothing else in it. */
#include "analytics/engine.h"
#include "analytics/market.h"

#include "core/when.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000, DAY0 = 19737 }; /* Monday 2024-01-15 */
static struct engine *e;
static char said[1000]; /* what the ledger has said since it was looked at last */
static double last;     /* the divisor by it */

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static int64_t at(int day, int hour)
{
    return (DAY0 + day) * NS_PER_DAY + hour * 3600ll * NS_PER_S;
}

/* "special_dividend A day 1, 70 to 64; " */
static void write_down(const struct divisor_change *c)
{
    const struct market *m = engine_market(e);
    const size_t n = strlen(said);
    snprintf(said + n, sizeof said - n, "%s%s %s day %d, %.10g to %.10g", n ? "; " : "",
             names_text(&divisor_reason_names, (int)c->cause.reason),
             c->instrument == NONE ? "-" : m->instruments[c->instrument].symbol.s,
             c->cause.day - DAY0, c->before, c->after);
    if (!isnan(last)) assert_true(fabs(c->before / last - 1) < 1e-14);
    last = c->after;
}
static void ok(struct record r)
{
    struct why why = { 0 };
    r.seq = engine_seq(e) + 1;
    if (engine_apply(e, &r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
    const struct engine_output *o = engine_output(e);
    for (size_t i = 0; i < o->divisors_n; i++) write_down(&o->divisors[i]);
}
static void says(const char *want)
{
    assert_string_equal(said, want);
    said[0] = '\0';
}
static void closes(int day, int64_t a, int64_t b)
{
    if (a)
        ok((struct record){ .kind = RECORD_CLOSE,
                            .event_ns = at(day, 21),
                            .u.close = { symbol("A"), a * E8, DAY0 + day } });
    if (b)
        ok((struct record){ .kind = RECORD_CLOSE,
                            .event_ns = at(day, 21),
                            .u.close = { symbol("B"), b * E8, DAY0 + day } });
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = at(day, 22), .u.clock = { .session_end = DAY0 + day } });
}
static void shares(const char *s, int64_t n, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_SHARES, .event_ns = ns, .u.shares = { symbol(s), n, E8, NO_DAY } });
}
static void membership(const char *s, bool member, int64_t ns)
{
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .event_ns = ns,
                        .u.membership = { str_of("X"), symbol(s), member, 0 } });
}
static void split(const char *s, int to, int from, int day, int64_t ns)
{
    ok((struct record){ .kind = RECORD_SPLIT,
                        .event_ns = ns,
                        .u.split = { symbol(s), to, from, DAY0 + day, NO_DAY, { 0 } } });
}

/* X of A, 300 at 100, and B, 400 at 100: 70,000.00 at a level of 1000 when Monday has ended. */
static int begin(void **state)
{
    (void)state;
    if (engine_new(&e)) return 1;
    engine_market(e)->settings.meaning = MEANING_NOW;
    said[0] = '\0';
    last = (double)NAN;
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str_of("X"), .base_e8 = 1000ll * E8 } });
    static const char *const names[] = { "A", "B", "C" };
    for (int i = 0; i < 3; i++)
        ok((struct record){
            .kind = RECORD_INSTRUMENT,
            .u.instrument = { .symbol = symbol(names[i]), .issuer = str_of(names[i]) } });
    shares("A", 300, 0);
    shares("B", 400, 0);
    membership("A", true, 0);
    membership("B", true, 0);
    closes(0, 100, 100);
    return 0;
}
static int end(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

static void it_starts_and_prices_do_not_move_it(void **state)
{
    (void)state;
    says("start - day 0, nan to 70");
    closes(1, 120, 90);
    says("");
}

static void members_and_share_counts(void **state)
{
    (void)state;
    says("start - day 0, nan to 70");
    membership("A", true, at(1, 10)); /* said again */
    shares("A", 300, at(1, 10));
    says("");
    shares("A", 400, at(1, 10)); /* 80,000 at 1000 */
    says("shares A day 0, 70 to 80");
    shares("C", 100, at(1, 11));
    membership("C", true, at(1, 11));
    says(""); /* it counts with its first price */
    ok((struct record){
        .kind = RECORD_TRADE, .event_ns = at(1, 15), .u.trade = { symbol("C"), 50ll * E8, 0 } });
    says("membership C day 1, 80 to 85");
    membership("B", false, at(1, 16)); /* 40,000 goes */
    says("membership B day 1, 85 to 45");
    membership("A", false, at(1, 16));
    membership("C", false, at(1, 16));
    says("membership A day 1, 45 to 5; membership C day 1, 5 to nan");
}

static void corporate_actions(void **state)
{
    (void)state;
    says("start - day 0, nan to 70");
    split("A", 2, 1, 1, at(0, 23)); /* known in time: it changes no market value */
    ok((struct record){
        .kind = RECORD_DIVIDEND,
        .event_ns = at(0, 23),
        .u.dividend = { symbol("B"), 10ll * E8, true, DAY0 + 1, NO_DAY, { 0 }, { 0 } } });
    says("");
    closes(1, 50, 90); /* 4,000 of 70,000 were paid at the open */
    says("special_dividend B day 1, 70 to 66");
    ok((struct record){ .kind = RECORD_SPIN_OFF,
                        .event_ns = at(2, 10),
                        .u.spin_off = { .parent = symbol("B"),
                                        .child = symbol("C"),
                                        .to = 1,
                                        .from = 2,
                                        .value_e8 = 30ll * E8,
                                        .day = DAY0 + 2,
                                        .announced = NO_DAY } });
    closes(2, 50, 75); /* 400 times 15 */
    says("spin_off B day 2, 66 to 60");
    ok((struct record){
        .kind = RECORD_DIVIDEND,
        .event_ns = at(2, 23),
        .u.dividend = { symbol("A"), 5ll * E8, false, DAY0 + 3, NO_DAY, { 0 }, { 0 } } });
    closes(3, 45, 75);
    says(""); /* price returns fall by it */
    ok((struct record){
        .kind = RECORD_MERGER,
        .event_ns = at(3, 23),
        .u.delisting = {
            .symbol = symbol("A"), .price_e8 = 60ll * E8, .day = DAY0 + 4, .announced = NO_DAY } });
    closes(4, 0, 75); /* 600 at 60 in 66,000 at 1100: of a divisor of 60, 30,000 stay */
    says("merger A day 4, 60 to 27.27272727");
    ok((struct record){
        .kind = RECORD_DELISTING,
        .event_ns = at(5, 23),
        .u.delisting = { .symbol = symbol("B"), .day = DAY0 + 4, .announced = NO_DAY } });
    says("delisting B day 4, 27.27272727 to nan");
}

/* Its count comes the day before, and is taken for an issue; the split takes that back. */
static void a_count_before_its_split(void **state)
{
    (void)state;
    says("start - day 0, nan to 70");
    shares("A", 600, at(0, 23));
    says("shares A day 0, 70 to 100");
    closes(1, 50, 100);
    split("A", 2, 1, 1, at(1, 23));
    says("split A day 1, 100 to 70");
}

/* Two sessions late: meanwhile B has issued 100 shares, over a level of 55,000 / 70,000 of what it was. Its divisor is then 65,000 by
 * 785.714; had the split been known, it would have been 80,000 by 1000. */
static void a_split_that_comes_late(void **state)
{
    (void)state;
    says("start - day 0, nan to 70");
    closes(1, 50, 100);
    shares("B", 500, at(1, 23));
    says("shares B day 1, 70 to 82.72727273");
    closes(2, 50, 100);
    split("A", 2, 1, 1, at(2, 23));
    says("split A day 1, 82.72727273 to 80");
}

static void before_the_second_meaning_there_was_none(void **state)
{
    (void)state;
    said[0] = '\0';
    engine_market(e)->settings.meaning = MEANING_FIRST;
    shares("A", 400, at(1, 10));
    says("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_starts_and_prices_do_not_move_it, begin, end),
        cmocka_unit_test_setup_teardown(members_and_share_counts, begin, end),
        cmocka_unit_test_setup_teardown(corporate_actions, begin, end),
        cmocka_unit_test_setup_teardown(a_count_before_its_split, begin, end),
        cmocka_unit_test_setup_teardown(a_split_that_comes_late, begin, end),
        cmocka_unit_test_setup_teardown(before_the_second_meaning_there_was_none, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
