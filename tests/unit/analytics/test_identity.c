/* test_identity.c - an instrument under several symbols: what goes on, what is refused and why, and that a saved state knows it all. */
#include "analytics/identity.h"

#include "core/when.h"
#include "tests/unit/analytics/told.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { DAY0 = 19152 }; /* 2022-06-09, a Thursday */

static int64_t on(int day) { return (DAY0 + day) * NS_PER_DAY + 15 * 3600 * NS_PER_S; }

static struct record instrument(const char *s, const char *issuer, int day)
{
    return (struct record){ .kind = RECORD_INSTRUMENT,
                            .event_ns = on(day),
                            .u.instrument = { .symbol = symbol(s), .issuer = str(issuer) } };
}
static struct record rename_to(const char *from, const char *to, int effective, int day)
{
    return (struct record){ .kind = RECORD_RENAME,
                            .event_ns = on(day),
                            .u.rename = { symbol(from), symbol(to), DAY0 + effective, str("") } };
}
static struct record trade(const char *s, double price, int day)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = on(day),
                            .u.trade = { symbol(s), llround(price * E8), 0 } };
}
static struct record end(int day)
{
    return (struct record){ .kind = RECORD_CLOCK,
                            .event_ns = on(day) + NS_PER_S,
                            .u.clock = { .session_end = DAY0 + day } };
}

static const char *text_of(uint32_t series) { return engine_series_facts(e, series).text; }
static double value(uint32_t series) { return engine_reading(e, series).value; }

/* FB of META with 100 shares in X, at 200 on the day before the first; its session has ended. */
static int begin(void **state)
{
    (void)state;
    if (engine_new(&e)) return -1;
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str("X"), .base_e8 = 1000ll * E8 } });
    ok(instrument("FB", "META", -9));
    ok((struct record){ .kind = RECORD_SHARES,
                        .u.shares = { .symbol = symbol("FB"), .shares = 100, .float_e8 = E8 } });
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str("X"), symbol("FB"), true, 0 } });
    ok(trade("FB", 200, -1));
    ok(end(-1));
    return 0;
}
static int over(void **state)
{
    (void)state;
    engine_free(e);
    e = NULL;
    return 0;
}

/* ---- stories ---- */
static void everything_goes_on_under_the_new_symbol(void **state)
{
    (void)state;
    const uint32_t last = track("last(FB)"), ret = track("ret(FB)"),
                   top = track("max(change(last(FB), over=5m))"), hhi = track("hhi(X)");
    ok(rename_to("FB", "META", 0, 0));
    size_t n;
    const uint32_t *renamed = engine_renamed(e, &n);
    assert_int_equal(n, 4); /* with change(last(FB)), which top is taken of */
    assert_int_equal(renamed[0], last);
    assert_string_equal(text_of(last), "last(META)");
    assert_string_equal(text_of(ret), "ret(META)");
    assert_string_equal(text_of(top), "max(change(last(META), over=5m))");
    assert_string_equal(text_of(hhi), "hhi(X)");
    for (int loaded = 0; loaded < 2; loaded++) {
        assert_int_equal(track("last(META)"), last);
        assert_int_equal(track("max(change(last(META), over=5m))"), top);
        assert_int_equal(engine_find_series(e, NOBODY, "last(FB)"), SERIES_NONE);
        ok(trade("META", 220 + loaded, 0));
        assert_true(value(last) == 220 + loaded);
        assert_true(fabs(value(ret) - (10 + loaded / 2.)) < 1e-12); /* from 200, when it was FB */
        assert_true(value(track("level(X)")) == 1100 + 5 * loaded);
        reload();
    }
    assert_int_equal(engine_instrument_count(e), 1);
}

static void an_old_symbol_says_what_became_of_it(void **state)
{
    (void)state;
    ok(rename_to("FB", "META", -1, 0));
    refused_as(trade("FB", 1, 0), ERR_UNKNOWN_SYMBOL, "symbol FB is META since 2022-06-08");
    refused_as(instrument("FB", "META", 0), ERR_INVALID,
               "symbol FB of issuer \"META\" is META since 2022-06-08");
    struct measure m;
    struct why why;
    assert_int_equal(measure_parse("last(FB)", 8, &m, NULL), ERR_OK);
    assert_int_equal(engine_can_track(e, NOBODY, &m, &why), ERR_UNKNOWN_SYMBOL);
    assert_string_equal(why.text, "symbol FB is META since 2022-06-08");
    ok(rename_to("META", "MVRS", 3, 3));
    reload();
    refused_as(trade("FB", 1, 3), ERR_UNKNOWN_SYMBOL, "symbol FB is MVRS since 2022-06-12");
    refused_as(trade("META", 1, 3), ERR_UNKNOWN_SYMBOL, "symbol META is MVRS since 2022-06-12");
}

static void a_symbol_that_is_free_is_anothers(void **state)
{
    (void)state;
    const uint32_t old = track("last(FB)");
    ok(rename_to("FB", "META", 0, 0));
    ok(instrument("FB", "FIRST BANK", 5));
    assert_int_equal(engine_instrument_count(e), 2);
    const uint32_t young = track("last(FB)");
    assert_int_not_equal(old, young);
    assert_int_equal(engine_reading(e, young).status, READING_NO_DATA);
    assert_string_equal(text_of(old), "last(META)");
    ok(trade("FB", 12, 5));
    assert_true(value(young) == 12 && value(old) == 200);
    reload();
    struct dated_symbol has[2];
    assert_int_equal(engine_symbols(e, 1, has), 1);
    assert_int_equal(has[0].from_day, DAY0);
    assert_int_equal(engine_symbols(e, 0, has), 2);
    assert_string_equal(has[0].symbol.s, "FB");
    assert_int_equal(has[0].from_day, NO_DAY);
    assert_int_equal(has[0].until_day, DAY0);
    assert_string_equal(has[1].symbol.s, "META");
    assert_int_equal(has[1].until_day, DAY_OPEN);
    assert_true(has[0].until_seq == has[1].from_seq && has[1].until_seq == INT64_MAX);
}

static void what_cannot_be_renamed_says_why(void **state)
{
    (void)state;
    ok(instrument("GOOG", "ALPHABET", 0));
    refused_as(rename_to("FBX", "META", 0, 0), ERR_UNKNOWN_SYMBOL,
               "symbol FBX has no instrument record yet");
    refused_as(rename_to("FB", "FB", 0, 0), ERR_INVALID, "FB is renamed to itself");
    refused_as(rename_to("FB", "GOOG", 0, 0), ERR_INVALID,
               "FB cannot become GOOG, which is in use by an instrument of issuer \"ALPHABET\"");
    refused_as(
        rename_to("FB", "META", 2, 0), ERR_INVALID,
        "effective 2022-06-11 is more than a day after ts: send the rename when its day has come");
    ok(rename_to("FB", "META", 0, 0));
    refused_as(rename_to("FB", "META", 0, 0), ERR_UNKNOWN_SYMBOL,
               "symbol FB is META since 2022-06-09");
    refused_as(rename_to("META", "FB", 0, 0), ERR_INVALID,
               "a circle: META was FB until 2022-06-09, and may be again on a later day only");
    refused_as(rename_to("META", "MVRS", -1, 0), ERR_INVALID,
               "effective is before META itself began on 2022-06-09");
    ok(rename_to("META", "FB", 1, 1));
    refused_as(trade("META", 1, 1), ERR_UNKNOWN_SYMBOL, "symbol META is FB since 2022-06-10");
    ok(trade("FB", 201, 1));
    reload();
}

static struct record alias(const char *a, const char *of)
{
    return (struct record){ .kind = RECORD_ALIAS, .u.alias = { symbol(a), symbol(of) } };
}
static struct record member(bool in, int day)
{
    return (struct record){ .kind = RECORD_MEMBERSHIP,
                            .event_ns = on(day),
                            .u.membership = { str("X"), symbol("FB"), in, 0 } };
}

/* FB leaves its index, and the symbol goes to a bank: another instrument. The first keeps all that was its own, and has ended. */
static void a_symbol_goes_to_another_company(void **state)
{
    (void)state;
    const uint32_t last = track("last(FB)"), top = track("max(ret(FB))"), level = track("level(X)");
    struct record meta = instrument("FB", "META", 0), bank = instrument("FB", "FIRST BANK", 0);
    meta.u.instrument.isin = str("US30303M1027");
    bank.u.instrument.isin = str("US0378331005");
    ok(meta);
    refused_as(
        bank, ERR_INVALID,
        "symbol FB is in an index as a line of issuer \"META\"; end its memberships before it moves to another");
    ok(member(false, 0));
    ok(instrument("FB", "FIRST BANK", 0));
    assert_int_equal(engine_instrument_count(e), 2);
    assert_string_equal(text_of(last), "last(FB:20220609)");
    assert_string_equal(text_of(top), "max(ret(FB:20220609))");
    for (int loaded = 0; loaded < 2; loaded++) {
        assert_int_equal(engine_reading(e, last).status, READING_ENDED);
        assert_int_equal(engine_reading(e, top).status, READING_ENDED);
        assert_int_equal(engine_reading(e, track("ret(FB)")).status, READING_NO_DATA);
        assert_int_equal(engine_reading(e, level).status, READING_NO_DATA); /* nobody is in it */
        reload();
    }
    ok(trade("FB", 12, 0));
    assert_true(value(track("last(FB)")) == 12);
    refused_as(instrument("FB", "META", 0), ERR_INVALID,
               "symbol FB of issuer \"META\" is FB:20220609 since 2022-06-09");
    ok(instrument("FB", "SECOND BANK", 0)); /* the same day: that name is in use */
    assert_string_equal(engine_instrument_facts(e, 1).symbol, "FB:1");
    ok(instrument("FB", "THIRD BANK", 1)); /* the second had no history: it was a slip */
    assert_int_equal(engine_instrument_count(e), 3);
    assert_string_equal(engine_instrument_facts(e, 2).issuer, "THIRD BANK");
    struct dated_symbol has[2];
    assert_int_equal(engine_symbols(e, 0, has), 2);
    assert_true(has[0].until_day == DAY0 && has[1].from_day == DAY0);
    reload();
}

static void before_the_second_meaning_the_company_changed(void **state)
{
    (void)state;
    engine_market(e)->settings.meaning = MEANING_FIRST;
    ok(member(false, 0));
    ok(instrument("FB", "FIRST BANK", 0));
    assert_int_equal(engine_instrument_count(e), 1);
    assert_string_equal(engine_instrument_facts(e, 0).issuer, "FIRST BANK");
}

static void other_spellings_mean_the_symbol(void **state)
{
    (void)state;
    const uint32_t last = track("last(FB)");
    refused_as(trade("FB-US", 1, 0), ERR_UNKNOWN_SYMBOL,
               "symbol FB-US has no instrument record yet");
    ok(alias("FB-US", "FB"));
    ok(alias("FB/US", "FB"));
    for (int loaded = 0; loaded < 2; loaded++) {
        ok(trade("FB-US", 210 + loaded, 0));
        assert_true(value(last) == 210 + loaded);
        assert_int_equal(track("last(FB/US)"), last);
        assert_int_equal(track("max(last(FB-US))"), track("max(last(FB))"));
        ok(instrument("FB-US", "META", 0));
        assert_int_equal(engine_instrument_count(e), 1);
        reload();
    }
    refused_as(alias("FB", "X"), ERR_INVALID, "FB is the symbol of an instrument, and no alias");
    refused_as(alias("F", "FB-US"), ERR_INVALID, "FB-US is an alias itself, of FB");
    ok(alias("LATER.A", "LATER"));
    refused_as(alias("LATER", "L"), ERR_INVALID, "LATER has aliases itself: point them at L first");
    refused_as(trade("LATER.A", 1, 0), ERR_UNKNOWN_SYMBOL,
               "symbol LATER.A is an alias of LATER, which has no instrument record yet");
    refused_as(rename_to("FB", "FB-US", 0, 0), ERR_INVALID,
               "FB cannot become FB-US, which is an alias of FB");
    ok(member(false, 0));
    refused_as(
        instrument("FB-US", "BANK", 0), ERR_INVALID,
        "FB-US is an alias of FB, of issuer \"META\"; take it back before it is another's symbol");
    ok(instrument("LATER.A", "LATER CO", 0));
    assert_string_equal(engine_instrument_facts(e, 1).symbol, "LATER");
    /* A spelling is of the symbol, and of nothing when that is nobody's. */
    ok(rename_to("FB-US", "META", 0, 0));
    refused_as(trade("FB-US", 1, 0), ERR_UNKNOWN_SYMBOL, "symbol FB is META since 2022-06-09");
    ok(alias("FB-US", "META"));
    refused_as(alias("FB", "META"), ERR_INVALID, "FB has aliases itself: point them at META first");
    ok(alias("FB/US", "FB/US"));
    ok(alias("FB", "META")); /* for a feed that will never hear of it */
    ok(trade("FB", 300, 0));
    ok(trade("FB-US", 301, 0));
    assert_true(value(last) == 301);
    ok(alias("FB", "FB"));
    refused_as(trade("FB", 1, 0), ERR_UNKNOWN_SYMBOL, "symbol FB is META since 2022-06-09");
    ok(instrument("FB", "BANK", 0));
    ok(trade("FB", 5, 0));
    assert_int_equal(engine_instrument_count(e), 3);
    reload();
}

/* Two companies exchange symbols on one day, over a third; each series goes with its company. */
static void symbols_are_exchanged(void **state)
{
    (void)state;
    ok(instrument("AB", "OTHER", 0));
    ok(trade("AB", 7, 0));
    const uint32_t fb = track("last(FB)"), ab = track("last(AB)");
    ok(rename_to("FB", "TMP", 0, 0));
    ok(rename_to("AB", "FB", 0, 0));
    ok(rename_to("TMP", "AB", 0, 0));
    assert_string_equal(text_of(fb), "last(AB)");
    assert_string_equal(text_of(ab), "last(FB)");
    assert_int_equal(track("last(AB)"), fb);
    assert_int_equal(track("last(FB)"), ab);
    assert_true(value(fb) == 200 && value(ab) == 7);
    refused_as(trade("TMP", 1, 0), ERR_UNKNOWN_SYMBOL, "symbol TMP is AB since 2022-06-09");
    reload();
}

/* A thousand random renames, against a list of who is called what. */
static void any_renames_leave_each_series_its_own(void **state)
{
    (void)state;
    enum { N = 12, NAMES = 20 };
    uint64_t seed = 20221130;
    int name_of[N], day = 1;
    uint32_t last[N], peak[N];
    char text[64];
    printf("seed %" PRIu64 "\n", seed);
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "N%d", i);
        ok(instrument(text, text, 0));
        ok(trade(text, i + 1, 0));
        snprintf(text, sizeof text, "last(N%d)", i);
        last[i] = track(text);
        snprintf(text, sizeof text, "max(last(N%d))", i);
        peak[i] = track(text);
        name_of[i] = i;
    }
    for (int step = 0; step < 1000; step++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        const int who = (int)((seed >> 20) % N), to = (int)((seed >> 40) % NAMES);
        bool free_name = true;
        for (int i = 0; i < N; i++) free_name &= name_of[i] != to;
        char from[16], name[16];
        snprintf(from, sizeof from, "N%d", name_of[who]);
        snprintf(name, sizeof name, "N%d", to);
        struct why why = { 0 };
        const enum err got = apply(rename_to(from, name, day, day), &why);
        if (got && free_name) fail_msg("%s to %s: %s", from, name, why.text);
        assert_int_equal(got, free_name ? ERR_OK : ERR_INVALID);
        if (free_name) name_of[who] = to, day++;
        if (step % 250 == 249) reload();
    }
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, "last(N%d)", name_of[i]);
        assert_int_equal(track(text), last[i]);
        assert_true(value(last[i]) == i + 1);
        snprintf(text, sizeof text, "max(last(N%d))", name_of[i]);
        assert_int_equal(track(text), peak[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, over)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_goes_on_under_the_new_symbol),
        TEST(an_old_symbol_says_what_became_of_it),
        TEST(a_symbol_that_is_free_is_anothers),
        TEST(what_cannot_be_renamed_says_why),
        TEST(a_symbol_goes_to_another_company),
        TEST(before_the_second_meaning_the_company_changed),
        TEST(other_spellings_mean_the_symbol),
        TEST(symbols_are_exchanged),
        TEST(any_renames_leave_each_series_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
