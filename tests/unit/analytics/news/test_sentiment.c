/* What the scorer must read correctly, as sentences anybody can judge. Numbers are those of the label rule's definition;
 * everything else is a sign or an order, so that a better lexicon keeps this file. */
#include "analytics/news/sentiment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct str nothing = { "", 0 };

static struct sentiment score(const char *headline)
{
    struct sentiment s;
    sentiment_score(str_of(headline), nothing, &s);
    return s;
}

static struct sentiment_target target(const char *symbol, const char *name)
{
    return (struct sentiment_target){ .symbol = str_of(symbol), .issuer = str_of(name) };
}

static struct sentiment_ticker about(const char *headline, const char *symbol, const char *name)
{
    struct sentiment_target t = target(symbol, name);
    struct sentiment_ticker out;
    sentiment_score_targets(str_of(headline), nothing, &t, 1, &out);
    return out;
}

static void label_rule(void **state)
{
    (void)state;
    static const struct {
        double positive, negative;
        enum sentiment_label want;
    } cases[] = {
        { 0.30, 0.45, SENTIMENT_MIXED },    { 0.45, 0.30, SENTIMENT_MIXED },
        { 0.20, 0.20, SENTIMENT_MIXED },    { 0.19, 0.45, SENTIMENT_NEGATIVE },
        { 0.20, 0.60, SENTIMENT_NEGATIVE }, { 0.60, 0.20, SENTIMENT_POSITIVE },
        { 0.15, 0.00, SENTIMENT_POSITIVE }, { 0.14, 0.00, SENTIMENT_NEUTRAL },
        { 0.00, 0.15, SENTIMENT_NEGATIVE }, { 0.00, 0.14, SENTIMENT_NEUTRAL },
        { 0.19, 0.19, SENTIMENT_NEUTRAL },  { 0.00, 0.00, SENTIMENT_NEUTRAL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (sentiment_label_of(cases[i].positive, cases[i].negative) != cases[i].want)
            fail_msg("row %zu", i);

    assert_string_equal(sentiment_label_name(SENTIMENT_MIXED), "mixed");
    assert_string_equal(sentiment_label_name(SENTIMENT_NEUTRAL), "neutral");
    assert_string_equal(sentiment_band_name(-0.35), "bearish");
    assert_string_equal(sentiment_band_name(-0.15), "somewhat_bearish");
    assert_string_equal(sentiment_band_name(0.149), "neutral");
    assert_string_equal(sentiment_band_name(0.349), "somewhat_bullish");
    assert_string_equal(sentiment_band_name(0.35), "bullish");
}

static void headlines(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sentiment_label want;
    } cases[] = {
        { "Quarterly profit rose 12 percent", SENTIMENT_POSITIVE },
        { "Quarterly loss rose 12 percent", SENTIMENT_NEGATIVE },
        { "Quarterly loss narrowed", SENTIMENT_POSITIVE },
        { "Margins narrowed", SENTIMENT_NEGATIVE },
        { "Airline cuts costs", SENTIMENT_POSITIVE },
        { "Airline cuts dividend", SENTIMENT_NEGATIVE },
        { "Fuel costs fell", SENTIMENT_POSITIVE },
        { "Lower costs at the refinery", SENTIMENT_POSITIVE },
        { "Lower sales at the refinery", SENTIMENT_NEGATIVE },
        { "Less loss than a year ago", SENTIMENT_POSITIVE },
        { "Retailer swung to a loss", SENTIMENT_NEGATIVE },
        { "Retailer swung to a profit", SENTIMENT_POSITIVE },
        { "Operating profit was 5.1 mn euros, compared with a loss of 2.0 mn", SENTIMENT_POSITIVE },
        { "Net loss was 2.0 mn euros, compared with a profit of 5.1 mn", SENTIMENT_NEGATIVE },
        { "Operating profit totalled EUR 13.1 mn compared to EUR 8.7 mn in 2007",
          SENTIMENT_POSITIVE },
        { "Operating profit totalled EUR 900 mn compared to EUR 1.2 bn in 2007",
          SENTIMENT_NEGATIVE },
        { "Operating profit totalled 900m compared to 1.2bn in 2007", SENTIMENT_NEGATIVE },
        { "The profit and loss account is on page 3", SENTIMENT_NEUTRAL },
        { "The shares did not rise", SENTIMENT_NEGATIVE },
        { "The deal isn\xE2\x80\x99t profitable", SENTIMENT_NEGATIVE },
        { "Drugmaker fails to win approval", SENTIMENT_NEGATIVE },
        { "Upgrade eased fears of a default", SENTIMENT_POSITIVE },
        { "Bank settles with no admission of wrongdoing", SENTIMENT_POSITIVE },
        { "Sales rose strongly but profit plunged", SENTIMENT_MIXED },
        { "The company will hold its annual meeting in Oslo on 3 March", SENTIMENT_NEUTRAL },
        { "Oil prices rose", SENTIMENT_NEUTRAL },
        { "Best Buy opens a store", SENTIMENT_NEUTRAL },
        { "Net sales were EUR 5 mn in 2009 and the report covers 2008", SENTIMENT_NEUTRAL },
        { "", SENTIMENT_NEUTRAL },
        { " ... ,;: \n\n", SENTIMENT_NEUTRAL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentiment s = score(cases[i].text);
        if (s.label != cases[i].want)
            fail_msg("%s: %s %+.3f (+%.3f -%.3f)", cases[i].text, sentiment_label_name(s.label),
                     s.score, s.positive, s.negative);
    }
}

static void stronger_words_weigh_more(void **state)
{
    (void)state;
    static const struct {
        const char *less, *more;
    } cases[] = {
        { "Profit rose slightly", "Profit rose" },
        { "Profit rose", "Profit rose sharply" },
        { "Profit may rise", "Profit rises" },
        { "Profit plunged", "Profit fell" },
        { "Demand was weak and a store opened", "Although demand was weak, a store opened" },
        { "Profit rose, costs rose", "Costs rose, but profit rose" },
        { "Although demand was weak, profit rose but debt rose", "Demand was strong, profit rose" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!(score(cases[i].less).score < score(cases[i].more).score))
            fail_msg("%s / %s", cases[i].less, cases[i].more);
}

static void masses_sum_to_one(void **state)
{
    (void)state;
    static const char *const texts[] = { "", "Profit rose",
                                         "Sales soar but losses mount, plunge, crash and fraud",
                                         "neutral" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct sentiment s = score(texts[i]);
        assert_true(fabs(s.positive + s.neutral + s.negative - 1) < 1e-12);
        assert_true(s.positive >= 0 && s.neutral >= 0 && s.negative >= 0);
        assert_true(s.score == s.positive - s.negative);
    }
}

static void the_body_counts_less_than_the_headline(void **state)
{
    (void)state;
    struct sentiment s, longer;
    sentiment_score(str_of("Profit rose"), str_of("The dispute hurt results. Demand is weak."), &s);
    assert_true(s.score < score("Profit rose").score);
    assert_true(s.positive > 0.20 && s.negative > 0.10);
    sentiment_score(str_of("Profit rose"), str_of("They met."), &s);
    assert_true(fabs(s.score - 0.6 * score("Profit rose").score) < 1e-12);
    sentiment_score(str_of("Results"), str_of("Profit rose sharply."), &s);
    assert_int_equal(s.label, SENTIMENT_POSITIVE);
    sentiment_score(
        str_of("Results"),
        str_of("Profit rose sharply. It is so. It is there. It was here. They met. We went."),
        &longer);
    assert_true(longer.score < s.score);
}

static void each_company_has_its_own_score(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sentiment_label apple, intel;
    } cases[] = {
        { "Apple soars while Intel slumps", SENTIMENT_POSITIVE, SENTIMENT_NEGATIVE },
        { "Apple up, Intel down", SENTIMENT_POSITIVE, SENTIMENT_NEGATIVE },
        { "Apple beats Intel", SENTIMENT_POSITIVE, SENTIMENT_NEGATIVE },
        { "Intel loses ground to Apple", SENTIMENT_POSITIVE, SENTIMENT_NEGATIVE },
        { "Apple and Intel rally", SENTIMENT_POSITIVE, SENTIMENT_POSITIVE },
        { "Apple, Intel slump", SENTIMENT_NEGATIVE, SENTIMENT_NEGATIVE },
        { "Apple downgrades Intel", SENTIMENT_NEUTRAL, SENTIMENT_NEGATIVE },
        { "Apple names a director; Intel profit fell", SENTIMENT_NEUTRAL, SENTIMENT_NEGATIVE },
        { "Intel wins contract but Apple warns of weak demand", SENTIMENT_NEGATIVE,
          SENTIMENT_POSITIVE },
        { "$AAPL jumps as $INTC sinks", SENTIMENT_POSITIVE, SENTIMENT_NEGATIVE },
    };
    const struct sentiment_target two[] = { target("AAPL", "Apple Inc."),
                                            target("INTC", "Intel Corporation") };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentiment_ticker got[2];
        sentiment_score_targets(str_of(cases[i].text), nothing, two, 2, got);
        if (got[0].tone.label != cases[i].apple || got[1].tone.label != cases[i].intel)
            fail_msg("%s: Apple %+.3f Intel %+.3f", cases[i].text, got[0].tone.score,
                     got[1].tone.score);
    }
}

/* The same when only one of them is tagged: the other's clause is not ours. */
static void an_untagged_company_keeps_its_tone(void **state)
{
    (void)state;
    assert_int_equal(about("Apple soars while Intel slumps", "AAPL", "Apple Inc.").tone.label,
                     SENTIMENT_POSITIVE);
    assert_int_equal(about("Apple soars while Intel slumps", "INTC", "Intel Corp").tone.label,
                     SENTIMENT_NEGATIVE);
    assert_int_equal(about("Apple soars, Tesla slumps", "AAPL", "Apple Inc.").tone.label,
                     SENTIMENT_POSITIVE);
    assert_int_equal(about("Apple shares rose, but profit fell", "AAPL", "Apple Inc.").tone.label,
                     SENTIMENT_MIXED);
}

static void mentions(void **state)
{
    (void)state;
    static const struct {
        const char *text, *symbol, *name;
        uint32_t want;
    } cases[] = {
        { "Apple rises", "AAPL", "Apple Inc.", 1 },
        { "apple harvest rises", "AAPL", "Apple Inc.", 0 },
        { "APPLE rises", "AAPL", "Apple Inc.", 1 },
        { "Pineapple and Apples", "AAPL", "Apple Inc.", 0 },
        { "Apple's profit", "AAPL", "Apple Inc.", 1 },
        { "Apple\xE2\x80\x99s profit", "AAPL", "Apple Inc.", 1 },
        { "AAPL rises", "AAPL", "", 1 },
        { "aapl rises", "AAPL", "", 0 },
        { "XAAPL AAPLX", "AAPL", "", 0 },
        { "Apple (AAPL) rises", "AAPL", "Apple Inc.", 2 },
        { "F rises", "F", "", 0 },
        { "$F rises", "F", "", 1 },
        { "Carmaker (F) rises", "F", "", 1 },
        { "Carmaker (NYSE: F) rises", "F", "", 1 },
        { "Note: F rises", "F", "", 0 },
        { "IT SPENDING IS UP", "IT", "Gartner Inc", 0 },
        { "ALL EYES ON CAT FOOD", "CAT", "Caterpillar", 0 },
        { "CAT shares rise", "CAT", "Caterpillar", 1 },
        { "BRK.B rises", "BRK.B", "", 1 },
        { "BRK.B rises", "BRK", "", 0 },
        { "Bank of America gains", "BAC", "Bank of America Corp", 1 },
        { "The bank of the river in America", "BAC", "Bank of America Corp", 0 },
        { "Micron sinks", "MU", "Micron Technology, Inc.", 1 },
        { "Disney sinks", "DIS", "The Walt Disney Company", 1 },
        { "Boeing sinks", "BA", "The Boeing Company", 1 },
        { "Electric cars", "GE", "General Electric Co.", 0 },
        { "General gloom", "GE", "General Electric Co.", 0 },
        { "Johnson & Johnson", "JNJ", "Johnson & Johnson", 1 },
        { "AT&T cuts", "T", "AT&T Inc.", 1 },
        { "3M cuts", "MMM", "3M Company", 1 },
        { "Nestl\xC3\xA9 and NESTL\xC3\x89 and Nestle", "NESN", "Nestl\xC3\xA9 S.A.", 3 },
        { "eBay and EBay", "EBAY", "eBay Inc.", 2 },
        { "Alphabet", "GOOGL", "Alphabet Inc Class A", 1 },
        { "AAPL", "XNAS:AAPL", "", 1 },
        { "Anything", "", "", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentiment_ticker got = about(cases[i].text, cases[i].symbol, cases[i].name);
        if (got.mentions != cases[i].want)
            fail_msg("%s / %s: %u mentions", cases[i].text, cases[i].symbol, got.mentions);
        if ((got.relevance > 0) != (got.mentions > 0))
            fail_msg("%s: relevance %f", cases[i].text, got.relevance);
    }
}

/* Names as they are filed, and headlines with the whole of them: what a mention's endings mean otherwise ("holdings" may be
 * cut, "target" raised) says nothing there, so each scores as a name of one plain word does. */
static void a_mention_covers_its_endings(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Nielsen Holdings",
        "Norwegian Cruise Line Holdings",
        "Laboratory Corp. of America Holding",
        "Target Corp.",
        "Best Buy Co. Inc.",
        "Gap Inc.",
        "Dollar Tree",
        "Progressive Corp.",
        "Under Armour Class A",
        "Northern Trust Corp.",
        "Equity Residential",
        "Tiffany & Co.",
        "Lilly (Eli) & Co.",
        "Grainger (W.W.) Inc.",
        "Coca-Cola Company (The)",
        "Alphabet Inc. (Class A)",
        "Yum! Brands Inc",
        "Public Serv. Enterprise Inc.",
        ("Brown\xE2\x80\x93"
         "Forman"),
        "Volkswagen AG",
        "LVMH SE",
        "Toyota Motor Corp.",
        "Fortune Brands Home & Security",
        "Advance Auto Parts",
        "Cut & Go Group plc",
        "Growth Holdings N.V.",
        "Not Bad Ltd",
    };
    static const char *const headlines[] = { "slides", "surges", "shares plunge after weak outlook",
                                             "profit rises, beats estimates" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t k = 0; k < ARRAY_LEN(headlines); k++) {
            char text[200], plain[200];
            snprintf(text, sizeof text, "%s %s", names[i], headlines[k]);
            snprintf(plain, sizeof plain, "Xqzcorp %s", headlines[k]);
            const struct sentiment_ticker got = about(text, "XQZA", names[i]),
                                          want = about(plain, "XQZA", "Xqzcorp");
            assert_true(fabs(want.tone.score) > 0.3 && (want.tone.score > 0) == (k % 2 == 1));
            if (got.tone.score != want.tone.score || got.relevance != 1)
                fail_msg("%s: %+.3f, relevance %f", text, got.tone.score, got.relevance);
        }
    /* nor where the name on file is shorter than the one in the text */
    assert_true(about("Nielsen Holdings slides", "NLSN", "Nielsen").tone.score
                == about("Nielsen slides", "NLSN", "Nielsen").tone.score);
    /* what is quoted is no ending, and small letters are none */
    assert_true(about("Apple stock falls", "AAPL", "Apple Inc. Common Stock").tone.score
                == about("Apple stock falls", "AAPL", "Apple").tone.score);
    assert_int_equal(about("Apple holdings cut", "AAPL", "Apple Holdings").mentions, 1);
}

/* A name says nothing in the article's own score either. */
static void a_name_is_silent_in_the_whole(void **state)
{
    (void)state;
    const struct sentiment_target t = target("BBY", "Best Buy Co. Inc.");
    struct sentiment whole;
    struct sentiment_ticker of;
    sentiment_read(scorer_in_use(), str_of("Best Buy Co. slides"), nothing, &t, 1, &whole, &of);
    assert_true(whole.score == score("Xqzcorp slides").score && of.tone.score == whole.score);
}

/* Two lines of one company are read as one; two companies are not. */
static void lines_of_one_company(void **state)
{
    (void)state;
    struct sentiment_target lines[] = { target("GOOGL", "Alphabet Inc Class A"),
                                        target("GOOG", "Alphabet Inc Class C") };
    struct sentiment_ticker one, both[2];
    lines[0].company = lines[1].company = 7;
    static const char *const texts[] = { "Alphabet profit surges", "GOOGL and GOOG profit surges",
                                         "Alphabet (GOOGL, GOOG) slides" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        sentiment_score_targets(str_of(texts[i]), nothing, lines, 2, both);
        assert_true(both[0].relevance == 1 && both[1].relevance == 1);
        assert_true(both[0].tone.score == both[1].tone.score
                    && both[0].mentions == both[1].mentions);
        if (i == 0) {
            sentiment_score_targets(str_of(texts[i]), nothing, lines, 1, &one);
            assert_true(one.tone.score == both[0].tone.score);
        }
    }
    lines[1].company = 8;
    sentiment_score_targets(str_of("GOOGL and GOOG profit surges"), nothing, lines, 2, both);
    assert_true(both[0].relevance < 1);
}

/* The scorer that was stays: what it scored is replayed by it. Its numbers are worked out by hand in
 * test_lexicon.c: hurt -0.54 and 3/4 of rose +0.60. */
static void the_first_version_is_still_here(void **state)
{
    (void)state;
    const struct scorer *first = scorer_find("tocsin-lexicon", 1);
    struct sentiment_target t = target("AAPL", "Apple Inc."),
                            n = target("NLSN", "Nielsen Holdings");
    struct sentiment whole;
    struct sentiment_ticker of;
    assert_non_null(first);
    assert_null(scorer_find("tocsin-lexicon", 99));
    assert_null(scorer_find("nobody", 1));
    assert_ptr_equal(scorer_find("tocsin-lexicon", scorer_in_use()->version), scorer_in_use());
    first->read(str_of("Profit rose but costs at Apple hurt"), nothing, &t, 1, &whole, &of);
    assert_true(fabs(whole.score - (0.60 / 2.14 - 0.54 / 2.14)) < 1e-12);
    assert_true(fabs(of.tone.positive - 0.45 / 1.99) < 1e-12);
    first->read(str_of("Nielsen Holdings slides"), nothing, &n, 1, NULL, &of);
    assert_true(of.tone.score == 0); /* its fault, and its word for what was stored */
}

static void relevance(void **state)
{
    (void)state;
    const struct sentiment_target three[] = { target("AAPL", "Apple Inc."),
                                              target("INTC", "Intel Corp"),
                                              target("IBM", "IBM Corp") };
    struct sentiment_ticker got[3];
    sentiment_score_targets(str_of("Apple soars to record"),
                            str_of("Analysts cheered. Apple may buy chips. Intel was also named."),
                            three, 3, got);
    assert_true(got[0].relevance > got[1].relevance && got[0].relevance <= 1);
    assert_true(got[1].relevance > 0 && got[1].tone.label == SENTIMENT_NEUTRAL);
    assert_true(got[2].relevance == 0 && got[2].tone.score == 0
                && got[2].tone.neutral == 1); /* a tag without a mention */
    assert_true(about("Apple", "AAPL", "Apple").relevance == 1);

    const struct sentiment_target classes[] = { target("GOOGL", "Alphabet Inc Class A"),
                                                target("GOOG", "Alphabet Inc Class C") };
    sentiment_score_targets(str_of("Alphabet soars"), nothing, classes, 2, got);
    assert_true(got[0].relevance == 1 && got[1].relevance == 1
                && got[0].tone.score == got[1].tone.score && got[0].tone.score > 0.3);
}

static void the_body_speaks_of_whom_it_named_last(void **state)
{
    (void)state;
    struct sentiment_target t = target("NOK", "Nokia Oyj");
    struct sentiment_ticker got, far;
    sentiment_score_targets(
        str_of("Results day"),
        str_of("Nokia reported on Tuesday. Profit plunged and the outlook was weak."), &t, 1, &got);
    assert_true(got.tone.score < 0);
    sentiment_score_targets(nothing, str_of("Nokia rose\xE3\x80\x82 They met\xE3\x80\x82"), &t, 1,
                            &far);
    assert_true(far.tone.score > 0 && far.mentions == 1);
    sentiment_score_targets(
        str_of("Results day"),
        str_of("Nokia reported. It met. We met. They met. Profit plunged and demand was weak."), &t,
        1, &far);
    assert_true(far.tone.score == 0);
}

/* The largest body of each kind that is worst for some part, and bytes that are no UTF-8. */
static void any_bytes_and_any_length(void **state)
{
    (void)state;
    static const char *const units[] = { "rose ",        "not ", "profit ",  "compared with 5 ",
                                         "Apple, ",      "a.",   "\xE2\x80", "\xFF",
                                         "\xC3",         "x",    "1,",       "but ",
                                         "52 week ",     "$",    "'",        "n't ",
                                         "\xE3\x80\x82", "A&",   "Bank of " };
    enum { N = 100000 };
    struct sentiment_target many[ARTICLE_SYMBOLS_MAX];
    struct sentiment_ticker got[ARTICLE_SYMBOLS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] =
            i % 2 ? target("AAPL", "Apple Inc.") : target("BAC", "Bank of Bank of Bank of America");
    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        size_t unit_n = strlen(units[u]);
        char *body =
            malloc(N); /* exactly as long as said, so that a sanitizer sees one byte too many */
        assert_non_null(body);
        for (size_t i = 0; i < N; i++) body[i] = units[u][i % unit_n];
        struct sentiment a, b;
        sentiment_score((struct str){ body, 1000 }, (struct str){ body, N }, &a);
        sentiment_score((struct str){ body, 1000 }, (struct str){ body, N }, &b);
        assert_memory_equal(&a.score, &b.score, sizeof a.score);
        assert_true(isfinite(a.score) && a.score >= -1 && a.score <= 1);
        sentiment_score_targets((struct str){ body, 1000 }, (struct str){ body, N }, many,
                                ARRAY_LEN(many), got);
        for (size_t i = 0; i < ARRAY_LEN(many); i++)
            assert_true(got[i].relevance >= 0 && got[i].relevance <= 1
                        && isfinite(got[i].tone.score));
        free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_rule),
        cmocka_unit_test(headlines),
        cmocka_unit_test(stronger_words_weigh_more),
        cmocka_unit_test(masses_sum_to_one),
        cmocka_unit_test(the_body_counts_less_than_the_headline),
        cmocka_unit_test(each_company_has_its_own_score),
        cmocka_unit_test(an_untagged_company_keeps_its_tone),
        cmocka_unit_test(mentions),
        cmocka_unit_test(a_mention_covers_its_endings),
        cmocka_unit_test(a_name_is_silent_in_the_whole),
        cmocka_unit_test(lines_of_one_company),
        cmocka_unit_test(the_first_version_is_still_here),
        cmocka_unit_test(relevance),
        cmocka_unit_test(the_body_speaks_of_whom_it_named_last),
        cmocka_unit_test(any_bytes_and_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
