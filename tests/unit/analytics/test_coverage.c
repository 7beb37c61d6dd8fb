/* test_coverage.c - how much of an index is priced: a day by hand, and random records against the definition, over a restart. */
#include "analytics/coverage.h"
#include "analytics/series.h"
#include "core/when.h"
#include "tests/unit/analytics/told.h"

#include <math.h>
#include <stdio.h>

enum { DAY0 = 19730 }; /* 2024-01-08, a Monday */
#define MINUTE (60 * NS_PER_S)

static int64_t at(int day, int hour, int second)
{
    return (DAY0 + day) * NS_PER_DAY + (hour * 3600ll + second) * NS_PER_S;
}
static void settings(int64_t stale_ns, enum meaning meaning)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .stale_after_ns = stale_ns,
                                        .coverage_gate_e8 = 95000000,
                                        .meaning = meaning } });
}
static void instrument(const char *s, int64_t shares)
{
    ok((struct record){ .kind = RECORD_INSTRUMENT,
                        .u.instrument = { .symbol = symbol(s), .issuer = str(s) } });
    ok((struct record){ .kind = RECORD_SHARES,
                        .u.shares = { .symbol = symbol(s), .shares = shares, .float_e8 = E8 } });
}
static void member(const char *s, int64_t ns)
{
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .event_ns = ns,
                        .u.membership = { str("X"), symbol(s), true, 0 } });
}
static void trade(const char *s, int64_t dollars, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_TRADE, .event_ns = ns, .u.trade = { symbol(s), dollars * E8, 0 } });
}
static void official(const char *s, int64_t dollars, int day, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_CLOSE, .event_ns = ns, .u.close = { symbol(s), dollars * E8, DAY0 + day } });
}
static void pass(int64_t ns)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = ns, .u.clock = { .session_end = NO_DAY } });
}
static void end(int day, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = ns, .u.clock = { .session_end = DAY0 + day } });
}
static struct reading hhi(void)
{
    struct measure m;
    uint32_t no = SERIES_NONE;
    assert_int_equal(measure_parse("hhi(X)", 6, &m, NULL), ERR_OK);
    assert_int_equal(engine_track(e, (struct uuid){ { 0 } }, &m, &no, NULL), ERR_OK);
    return engine_reading(e, no);
}
static void is(double coverage, enum reading_status status)
{
    const struct reading r = hhi();
    if (r.coverage != coverage && !(isnan(r.coverage) && isnan(coverage)))
        fail_msg("coverage %.17g, wanted %.17g", r.coverage, coverage);
    if (r.status != status) fail_msg("status %s", reading_status_name(r.status));
}

/* A of 60, B of 30, C of 10 per cent of X. */
static int three_members(void **state)
{
    (void)state;
    assert_int_equal(engine_new(&e), ERR_OK);
    settings(MINUTE, MEANING_NOW);
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str("X"), .name = str("X"), .base_e8 = 1000ll * E8 } });
    instrument("A", 600);
    instrument("B", 300);
    instrument("C", 100);
    member("A", 0);
    member("B", 0);
    member("C", 0);
    return 0;
}
static int stop(void **state)
{
    (void)state;
    engine_free(e);
    e = NULL;
    return 0;
}

static void day_one(void)
{
    trade("A", 10, at(0, 15, 0));
    trade("B", 10, at(0, 15, 1));
    trade("C", 10, at(0, 15, 2));
    end(0, at(0, 15, 3));
}

/* Between two records the bound runs out as well: a hold that comes due then sees what a clock record would have. */
static void it_is_known_between_two_records(void **state)
{
    (void)state;
    day_one();
    trade("A", 10, at(1, 15, 0));
    trade("B", 10, at(1, 15, 1));
    is(1, READING_OK);
    const int64_t now = engine_stand_at(e, at(1, 15, 60) - 1);
    is(1, READING_OK);
    engine_stand_at(e, at(1, 15, 60));
    is(0.9, READING_LOW_COVERAGE);
    engine_stand_at(e, now);
    is(1, READING_OK);
    pass(at(1, 15, 60));
    is(0.9, READING_LOW_COVERAGE);
}

/* A member that has not traded yet is of now in the first minute of a session, and carried from then on. */
static void a_missing_member_lowers_it(void **state)
{
    (void)state;
    day_one();
    is(1, READING_OK);
    trade("A", 10, at(1, 15, 0));
    is(1, READING_OK);
    trade("B", 10, at(1, 15, 59));
    is(1, READING_OK);
    pass(at(1, 15, 60));
    is(0.9, READING_LOW_COVERAGE);
    trade("A", 20, at(1, 15, 61)); /* A is 12,000, B 3,000, C at its last price 1,000 */
    is(15 / 16.0, READING_LOW_COVERAGE);
    trade("C", 10, at(1, 15, 62));
    is(1, READING_OK);
    end(1, at(1, 15, 63));
    is(1, READING_OK);
}

/* Closes are prices of their session; what has none is not covered when it ends, however short it was. */
static void a_close_covers(void **state)
{
    (void)state;
    day_one();
    official("A", 10, 1, at(1, 15, 0));
    official("B", 10, 1, at(1, 15, 0));
    end(1, at(1, 15, 1));
    is(0.9, READING_LOW_COVERAGE);
    official("C", 10, 1, at(1, 15, 2)); /* late, but of this session */
    is(1, READING_OK);
}

static void no_bound_carries_for_ever(void **state)
{
    (void)state;
    settings(0, MEANING_NOW);
    day_one();
    trade("A", 10, at(1, 15, 0));
    pass(at(1, 20, 0));
    is(1, READING_OK);
    settings(MINUTE, MEANING_NOW);
    pass(at(1, 20, 1));
    is(0.6, READING_LOW_COVERAGE);
    settings(0, MEANING_NOW);
    is(1, READING_OK);
}

/* One that waits for a fresh price weighs what it last was worth; of one that never had a price nobody knows. */
static void what_does_not_count_yet_weighs(void **state)
{
    (void)state;
    settings(0, MEANING_NOW);
    instrument("D", 500);
    instrument("N", 1);
    trade("D", 2, at(-7, 15, 0));
    day_one();
    member("D", at(0, 16, 0)); /* 1,000 of 11,000, a week old */
    is(10 / 11.0, READING_LOW_COVERAGE);
    member("N", at(0, 16, 0));
    is(NAN, READING_UNKNOWN_COVERAGE);
    trade("N", 1, at(0, 16, 1)); /* 10,001 of 11,001 */
    is(10001 / 11001.0, READING_LOW_COVERAGE);
    trade("D", 2, at(0, 16, 2));
    is(1, READING_OK);
}

static void before_it_was_a_count(void **state)
{
    (void)state;
    settings(MINUTE, MEANING_FIRST);
    trade("A", 10, at(0, 15, 0));
    trade("B", 10, at(0, 15, 1));
    is(2 / 3.0, READING_LOW_COVERAGE);
    trade("C", 10, at(0, 15, 2));
    trade("A", 10, at(1, 15, 0));
    pass(at(1, 15, 1));
    assert_true(hhi().coverage == 1);
}

/* ---- random records ---- */
enum { NAMES_N = 12, STEPS = 20000 };
static uint64_t seed_now;
static unsigned upto(unsigned n)
{
    seed_now = seed_now * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed_now >> 33) % n);
}

/* From the definition alone: what counts, what it is worth, and of which session its price is. */
static double by_definition(void)
{
    const struct market *m = engine_market(e);
    const struct universe *u = &m->universes[0];
    int64_t fresh = 0, all = 0;
    bool unknown = false;
    for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
        const struct line *l = &m->store.lines[no];
        const struct instrument *x = &m->instruments[l->instrument];
        if (!l->active) continue;
        const int64_t worth = (int64_t)((i128)x->price_e8 * x->shares / 1000000);
        if (x->price_e8 == 0) unknown = true;
        all += worth;
        if (l->valued && x->price_day >= m->venues[u->venue].fresh_day) fresh += worth;
    }
    if (u->valued_n == 0) return 0;
    return unknown ? (double)NAN : (double)fresh / (double)all;
}

static void restart(void)
{
    AUTO_BUF struct buf b = { 0 };
    size_t used;
    struct engine *back;
    engine_save(e, &b);
    assert_int_equal(engine_load(b.data, b.len, &back, &used, NULL), ERR_OK);
    engine_free(e);
    e = back;
}

static void random_record(int64_t *ns)
{
    char s[8];
    snprintf(s, sizeof s, "N%u", upto(NAMES_N));
    const int day = (int)(*ns / NS_PER_DAY) - DAY0;
    switch (upto(40)) {
    case 0: *ns += (int64_t)(1 + upto(3)) * NS_PER_DAY / 2; break;
    case 1: end(day, *ns); break;
    case 2: settings(upto(2) ? (int64_t)upto(90) * NS_PER_S : 0, MEANING_NOW); break;
    case 3:
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .event_ns = *ns,
                            .u.membership = { str("X"), symbol(s), upto(3) > 0, 0 } });
        break;
    case 4:
        ok((struct record){
            .kind = RECORD_SHARES,
            .event_ns = *ns,
            .u.shares = { .symbol = symbol(s), .shares = 1 + upto(1000), .float_e8 = E8 } });
        break;
    case 5: official(s, 1 + upto(50), day, *ns); break;
    case 6: restart(); break;
    case 7: pass(*ns); break;
    default: trade(s, 1 + upto(50), *ns);
    }
    *ns += (int64_t)(1 + upto(20)) * NS_PER_S;
}

static void random_records_by_the_definition(void **state)
{
    (void)state;
    const char *given = getenv("TOCSIN_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : 2024;
    print_message("# seed %llu\n", (unsigned long long)seed);
    seed_now = seed;
    for (int i = 0; i < NAMES_N; i++) {
        char s[8];
        snprintf(s, sizeof s, "N%d", i);
        instrument(s, 1 + upto(1000));
        if (i % 4) member(s, 0);
    }
    int64_t ns = at(0, 9, 0);
    for (const char *x = "ABC"; *x; x++) trade((char[]){ *x, '\0' }, 1, ns);
    int known = 0, low = 0;
    for (int i = 0; i < STEPS; i++) {
        random_record(&ns);
        const double want = by_definition(), got = hhi().coverage;
        if (got != want && !(isnan(got) && isnan(want)))
            fail_msg("seed %llu, step %d: %.17g, wanted %.17g", (unsigned long long)seed, i, got,
                     want);
        known += !isnan(want);
        low += want < 1;
    }
    assert_true(known > STEPS / 2 && low > STEPS / 20);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, three_members, stop)
int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(a_missing_member_lowers_it),
        WITH(a_close_covers),
        WITH(no_bound_carries_for_ever),
        WITH(what_does_not_count_yet_weighs),
        WITH(before_it_was_a_count),
        WITH(it_is_known_between_two_records),
        WITH(random_records_by_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
