/* test_issuers.c - companies that are called otherwise, merge, or give a line away: what is counted by company, what stays, what is refused. */
#include "analytics/issuers.h"

#include "core/when.h"
#include "tests/unit/analytics/told.h"

#include <math.h>
#include <stdio.h>

enum { DAY0 = 19562 }; /* 2023-07-24, a Monday */

static int64_t on(int day) { return (DAY0 + day) * NS_PER_DAY + 15 * 3600 * NS_PER_S; }

static void refused(struct record r, const char *text) { refused_as(r, ERR_INVALID, text); }

static struct record issuer(const char *key, const char *name)
{
    return (struct record){ .kind = RECORD_ISSUER, .u.issuer = { str(key), str(name), str("") } };
}
static struct record instrument(const char *s, const char *of)
{
    return (struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(s), .issuer = str(of) } };
}
static struct record numbered(const char *s, const char *of, const char *isin)
{
    struct record r = instrument(s, of);
    r.u.instrument.isin = str(isin);
    return r;
}
static struct record named(const char *s, const char *of, const char *name)
{
    struct record r = instrument(s, of);
    r.u.instrument.name = str(name);
    return r;
}
static struct record becomes(const char *from, const char *to, int effective, int day)
{
    return (struct record){ .kind = RECORD_ISSUER_RENAME,
                            .event_ns = on(day),
                            .u.issuer_rename = { str(from), str(to), DAY0 + effective, str("") } };
}
static struct record trade(const char *s, int64_t price, int day)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = on(day),
                            .u.trade = { symbol(s), price * E8, 0 } };
}
static struct record end(int day)
{
    return (struct record){ .kind = RECORD_CLOCK,
                            .event_ns = on(day) + NS_PER_S,
                            .u.clock = { .session_end = DAY0 + day } };
}
static struct record member(const char *s, bool in)
{
    return (struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str("X"), symbol(s), in, 0 } };
}
static struct record exposure(const char *of, int64_t value_e8)
{
    return (struct record){ .kind = RECORD_EXPOSURE,
                            .u.exposure = { .issuer = str(of),
                                            .theme = str("AI"),
                                            .value_e8 = value_e8,
                                            .effective_day = DAY0 - 9 } };
}
static struct record article(const char *id, const char *headline, struct symbol *tags, uint32_t n,
                             int day)
{
    return (struct record){
        .kind = RECORD_ARTICLE,
        .event_ns = on(day),
        .u.article = { .id = str(id), .headline = str(headline), .symbols = tags, .symbols_n = n }
    };
}

/* Equal weights have whole units, of which a price like 30 leaves a part of 3e8 over. */
static void is(const char *text, double want)
{
    const struct reading r = engine_reading(e, track(text));
    const double within = strncmp(text, "ew_", 3) == 0 ? 1e-9 : 1e-12;
    if (r.status != READING_OK || !(fabs(r.value - want) <= within * fabs(want)))
        fail_msg("%s is %.17g (status %d), not %.17g", text, r.value, (int)r.status, want);
}
static const char *issuer_of(const char *s)
{
    const struct symbol x = symbol(s);
    return engine_instrument_facts(e, engine_instrument(e, &x)).issuer;
}

/* X of A, B, C and D, a company each, 100 shares, at 30, 40, 20 and 10: a session has ended. HHI is 900 + 1600 + 400 + 100 = 3000. */
static int begin(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *issuer;
        int64_t price;
    } names[] = {
        { "A", "CO A", 30 }, { "B", "CO B", 40 }, { "C", "CO C", 20 }, { "D", "CO D", 10 }
    };
    if (engine_new(&e)) return -1;
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str("X"), .base_e8 = 1000ll * E8 } });
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ok(instrument(names[i].symbol, names[i].issuer));
        ok((struct record){
            .kind = RECORD_SHARES,
            .u.shares = { .symbol = symbol(names[i].symbol), .shares = 100, .float_e8 = E8 } });
        ok(member(names[i].symbol, true));
        ok(trade(names[i].symbol, names[i].price, -1));
    }
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
/* A is B's from Monday on: 70^2 + 20^2 + 10^2 = 5400, by line as before; nothing else has moved, and no divisor. */
static void two_companies_become_one(void **state)
{
    (void)state;
    is("hhi(X)", 3000);
    is("top_weight(X, n=1)", 40);
    ok(becomes("CO A", "CO B", 0, 0));
    assert_int_equal(engine_output(e)->divisors_n, 0);
    assert_string_equal(issuer_of("A"), "CO B");
    for (int loaded = 0; loaded < 2; loaded++) {
        is("hhi(X)", 5400);
        is("hhi(X, by=line)", 3000);
        is("top_weight(X, n=1)", 70);
        is("top_weight(X, n=2)", 90);
        is("top_weight(X, n=2, by=line)", 70);
        is("level(X)", 1000);
        is("ew_level(X, ew=held)", 1000);
        reload();
    }
    /* A doubles: 130 of it, of which 100 are CO B's. Equal weights go on with the units that they had: a quarter of them doubled. */
    ok(trade("A", 60, 0));
    is("hhi(X)", 1e4 * (100 * 100 + 20 * 20 + 10 * 10) / (130. * 130));
    is("level(X)", 1300);
    is("ew_level(X, ew=held)", 1250);
    ok(end(0));
    /* Made equal at Friday's close already, of three names: CO B's third is shared out between A and B, and a sixth has doubled. */
    is("ew_level(X, ew=daily)", 1000 * 7. / 6);
    is("ew_level(X, ew=daily, by=line)", 1250);
    ok(end(0));
    ok(trade("A", 90, 1));
    is("ew_level(X, ew=daily)", 1000 * 7. / 6 * (1 + 0.5 / 6));
}

/* A key that nobody has: number and all that is its own stay, both keys mean it. */
static void a_company_is_called_otherwise(void **state)
{
    (void)state;
    const struct str old = str("CO A"), new = str("NEW A");
    const uint32_t was = market_find_issuer(engine_market(e), old);
    ok(issuer("CO A", "Aardvark Inc."));
    ok(becomes("CO A", "NEW A", 0, 0));
    for (int loaded = 0; loaded < 2; loaded++) {
        const struct market *m = engine_market(e);
        assert_int_equal(market_find_issuer(m, old), was);
        assert_int_equal(market_find_issuer(m, new), was);
        assert_string_equal(m->issuers[was].key, "NEW A");
        assert_string_equal(m->issuers[was].name, "Aardvark Inc.");
        is("hhi(X)", 3000);
        reload();
    }
    ok(exposure("CO A", E8 / 2)); /* a feed that has not heard of it */
    is("ai_exposure(X)", 0.15);
    ok(instrument("A", "CO A"));
    ok(instrument("A", "NEW A"));
    ok(instrument("E", "CO A"));
    assert_string_equal(issuer_of("E"), "NEW A");
    assert_int_equal(engine_instrument_count(e), 5);
    /* A name under the old key is that of before, and one that was never named is called by its key. */
    ok(issuer("CO A", "Ant Inc."));
    assert_string_equal(engine_market(e)->issuers[was].name, "Aardvark Inc.");
    ok(becomes("CO B", "NEW B", 0, 0));
    assert_string_equal(
        engine_market(e)->issuers[market_find_issuer(engine_market(e), str("CO B"))].name, "NEW B");
}

static void it_goes_back_on_a_later_day(void **state)
{
    (void)state;
    ok(becomes("CO A", "NEW A", 0, 0));
    refused(
        becomes("NEW A", "CO A", 0, 0),
        "a circle: \"NEW A\" was \"CO A\" until 2023-07-24, and may be again on a later day only");
    refused(becomes("CO A", "CO C", 1, 1), "issuer \"CO A\" is \"NEW A\" since 2023-07-24");
    ok(becomes("NEW A", "CO A", 1, 1));
    assert_string_equal(issuer_of("A"), "CO A");
    is("hhi(X)", 3000);
    refused(becomes("NEW A", "CO C", 2, 2), "issuer \"NEW A\" is \"CO A\" since 2023-07-25");
    reload();
    ok(becomes("CO A", "CO C", 2, 2)); /* and all of its keys mean CO C */
    assert_int_equal(market_find_issuer(engine_market(e), str("NEW A")),
                     market_find_issuer(engine_market(e), str("CO C")));
    is("hhi(X)", 50 * 50 + 40 * 40 + 10 * 10);
    ok(becomes("CO C", "CO A", 3, 3)); /* the whole of it under the other's key */
    assert_string_equal(issuer_of("C"), "CO A");
    is("hhi(X)", 50 * 50 + 40 * 40 + 10 * 10);
    reload();
}

static void what_is_refused(void **state)
{
    (void)state;
    refused(becomes("NOBODY", "CO B", 0, 0), "issuer \"NOBODY\" is named by no record yet");
    refused(becomes("CO A", "CO A", 0, 0), "issuer \"CO A\" is renamed to itself");
    refused(
        becomes("CO A", "CO B", 2, 0),
        "effective 2023-07-26 is more than a day after ts: send the issuer_rename when its day has come");
    ok(becomes("CO A", "CO B", 1, 0));
    refused(becomes("CO A", "CO B", 1, 1), "issuer \"CO A\" is \"CO B\" since 2023-07-25");
    refused(
        becomes("CO B", "CO A", 1, 1),
        "a circle: \"CO B\" was \"CO A\" until 2023-07-25, and may be again on a later day only");
    refused(becomes("CO B", "CO B", 2, 2), "issuer \"CO B\" is renamed to itself");
}

/* A and B are of one company from Monday on. What was written of either before is of both, as had it been so always. */
static void what_was_written_goes_with_it(void **state)
{
    (void)state;
    struct symbol a = symbol("A"), b = symbol("B");
    static const char *const texts[] = { "Aardvark profit surges", "Badger profit plunges",
                                         "Aardvark sales rose" };
    double sentiment[2];
    double count[2];
    for (int merged = 0; merged < 2; merged++) {
        over(NULL);
        begin(NULL);
        ok(named("A", merged ? "CO B" : "CO A", "Aardvark"));
        ok(named("B", "CO B", "Badger"));
        ok(article("n-1", texts[0], &a, 1, -20)); /* in the sums for good when the last comes */
        ok(article("n-2", texts[1], &b, 1, -1));
        ok(article("n-3", texts[0], &a, 1, -1));
        if (!merged) ok(becomes("CO A", "CO B", 0, 0));
        ok(article("n-4", texts[2], &a, 1, 0));
        reload();
        const struct issuer *x =
            &engine_market(e)->issuers[market_find_issuer(engine_market(e), str("CO B"))];
        sentiment[merged] = engine_reading(e, track("sentiment(B)")).value;
        count[merged] = news_effective_count(x);
        ok((struct record){ .kind = RECORD_RETRACTION, /* what may be taken back still may */
                            .event_ns = on(0),
                            .u.retraction = { str("n-3"), str("") } });
        ok((struct record){ .kind = RECORD_RETRACTION,
                            .event_ns = on(0),
                            .u.retraction = { str("n-4"), str("") } });
        assert_true(engine_reading(e, track("sentiment(A)")).value < 0);
    }
    assert_true(count[0] > 2.5);
    assert_true(fabs(sentiment[0] - sentiment[1]) < 1e-15 && fabs(count[0] - count[1]) < 1e-12);
}

static void an_article_on_both_counts_once(void **state)
{
    (void)state;
    struct symbol both[] = { symbol("A"), symbol("B") };
    ok(named("A", "CO A", "Aardvark"));
    ok(named("B", "CO B", "Badger"));
    ok(article("n-1", "Aardvark and Badger profits surge", both, 2, -1));
    ok(becomes("CO A", "CO B", 0, 0));
    const struct market *m = engine_market(e);
    assert_true(fabs(news_effective_count(&m->issuers[market_find_issuer(m, str("CO B"))]) - 1)
                < 1e-12);
    ok(article("n-1", "Aardvark and Badger profits plunge", both, 2, 0));
    assert_true(fabs(news_effective_count(&m->issuers[market_find_issuer(m, str("CO B"))]) - 1)
                < 1e-12);
    assert_true(engine_reading(e, track("sentiment(A)")).value < 0);
}

/* Only the company had a name; who writes it as it was still means it. */
static void old_names_are_still_read(void **state)
{
    (void)state;
    struct symbol a = symbol("A");
    ok(issuer("CO A", "Aardvark Inc."));
    ok(issuer("CO B", "Badger Corp."));
    ok(becomes("CO A", "CO B", 0, 0));
    ok(becomes("CO B", "NEW B", 1, 1));
    ok(issuer("NEW B", "Beetle plc"));
    static const char *const texts[] = { "Aardvark profit surges", "Badger profit surges",
                                         "Beetle profit surges", "Cricket profit surges" };
    for (int i = 0; i < 4; i++) {
        char id[2] = { (char)('a' + i), '\0' };
        ok(article(id, texts[i], &a, 1, 1));
        assert_true((engine_output(e)->reading.tickers[0].reading.relevance > 0) == (i < 3));
        reload();
    }
}

/* What is known of a company stands when another joins it; of one of which nothing is known it is what was known of the other. */
static void exposures_go_with_it(void **state)
{
    (void)state;
    ok(exposure("CO A", E8));
    ok(exposure("CO B", E8 / 10));
    is("ai_exposure(X)", 0.34);
    ok(becomes("CO A", "CO B", 0, 0));
    is("ai_exposure(X)", 0.07);
    ok(becomes("CO B", "CO C", 0, 0));
    is("ai_exposure(X)", 0.09);
}

/* A goes to CO B by its instrument record, while it is in X; then back out of it, which leaves CO B with B alone. */
static void a_member_changes_its_company(void **state)
{
    (void)state;
    ok(numbered("A", "CO A", "US30303M1027"));
    ok(instrument("A", "CO B"));
    assert_int_equal(engine_output(e)->divisors_n, 0);
    assert_int_equal(engine_instrument_count(e), 4);
    is("hhi(X)", 5400);
    is("level(X)", 1000);
    reload();
    refused(
        numbered("A", "CO D", "US0378331005"),
        "symbol A is in an index as a line of issuer \"CO B\"; end its memberships before it moves to another");
    ok(numbered("A", "CO E", "US30303M1027"));
    is("hhi(X)", 3000);
    is("level(X)", 1000);
    is("ew_level(X, ew=held)", 1000);
    /* CO B kept the two quarters that A and B had, A entered at a third of all. Of the 4/3 there are now 1/4 of A, and it doubles. */
    ok(trade("A", 60, 0));
    is("ew_level(X, ew=held)", 1250);
    is("ew_level(X, ew=held, by=line)", 1250);
    /* Out of the index it is still itself, by its number; without one the symbol would go to another instrument. */
    ok(member("A", false));
    ok(numbered("A", "CO D", "US30303M1027"));
    assert_int_equal(engine_instrument_count(e), 4);
    ok(instrument("A", "CO C"));
    assert_int_equal(engine_instrument_count(e), 5);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, over)
    const struct CMUnitTest tests[] = {
        STORY(two_companies_become_one),      STORY(a_company_is_called_otherwise),
        STORY(it_goes_back_on_a_later_day),   STORY(what_is_refused),
        STORY(what_was_written_goes_with_it), STORY(an_article_on_both_counts_once),
        STORY(old_names_are_still_read),      STORY(exposures_go_with_it),
        STORY(a_member_changes_its_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
