/* The examples at the heads of lexicon.c and of the files of lexicon/, stage by stage: what stands
 * there in words and numbers is worked out by hand from the rules and the weights of lexicon.def. */
#include "analytics/news/scorers/lexicon/glyph.h"
#include "analytics/news/scorers/lexicon/owners.h"
#include "analytics/news/scorers/lexicon/tone.h"

#include "core/err.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const char EXAMPLE[] = "Profit rose but costs at Apple hurt";
static const struct str nothing = { "", 0 };

static bool close_to(double a, double b) { return fabs(a - b) < 1e-12; }

static const struct word *find(const char *text)
{
    return word_find(EDITION_NOW, text, strlen(text), word_hash(text, strlen(text)));
}

/* The first sentence of a text. */
static struct reader read_first(const char *text, struct sentence *s)
{
    struct reader r = { text, (uint32_t)strlen(text), 0, NULL };
    assert_true(sentence_read(&r, s));
    return r;
}

static void assert_token(const struct sentence *s, int i, const char *norm)
{
    char got[WORD_BYTES_MAX + 1] = "";
    assert_true(i < s->n);
    memcpy(got, s->norm + s->t[i].at, s->t[i].n);
    assert_string_equal(got, norm);
}

static void words_and_phrases(void **state)
{
    (void)state;
    assert_int_equal(find("rises")->kind, WORD_MOVE);
    assert_true(close_to(find("rises")->weight, 0.75) && close_to(find("rises")->alone, 0.50));
    assert_int_equal(find("record")->kind, WORD_SCALE);
    assert_int_equal(find("record")->words_max, 2);
    assert_int_equal(find("record high")->kind, WORD_TONE);
    assert_int_equal(find("edged")->kind, WORD_PREFIX);
    assert_int_equal(find("edged")->words_max, 2);
    assert_null(find("record high in"));
    assert_null(find("nobody"));
    assert_null(find(""));
    assert_int_equal(word_hash_more(word_hash("record", 6), " high", 5),
                     word_hash("record high", 11));
    assert_true(word_in("|a|bc|", "bc", 2));
    assert_false(word_in("|a|bc|", "b", 1));
    assert_false(word_in("|a|bc|", "", 0));
}

static void glyphs(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum glyph_class class;
        uint8_t n;
        char plain;
    } cases[] = {
        { "\xC3\x84", GLYPH_LETTER, 2, 'a' },
        { "N", GLYPH_LETTER, 1, 'n' },
        { "\xE2\x80\x99", GLYPH_APOSTROPHE, 3, 0 },
        { "\xE3\x80\x82", GLYPH_STOP, 3, 0 },
        { "\xE2\x80\x94", GLYPH_BREAK, 3, 0 },
        { "\xC2\xA0", GLYPH_SPACE, 2, 0 },
        { "\xFF", GLYPH_LETTER, 1, '\xFF' },
        { "\xC3", GLYPH_LETTER, 1, '\xC3' },
        { "%", GLYPH_OTHER, 1, '%' },
        { "", GLYPH_OTHER, 1, 0 },
        { "7", GLYPH_DIGIT, 1, '7' },
        { "\t", GLYPH_SPACE, 1, '\t' },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = strlen(cases[i].bytes);
        struct glyph g = glyph_at(cases[i].bytes, n ? (uint32_t)n : 1);
        if (g.class != cases[i].class || g.bytes != cases[i].n) fail_msg("row %zu", i);
        if (cases[i].plain && g.plain != cases[i].plain) fail_msg("row %zu: plain", i);
    }
}

static void a_text_becomes_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *norm;
        uint16_t flags;
        double number;
    } want[] = {
        { "profit", HAS_CAPITAL | HAS_LOWER, 0 },
        { "rose", HAS_LOWER, 0 },
        { "12.5", HAS_CAPITAL | IS_NUMBER | IS_PERCENT, 12.5 },
        { "to", HAS_LOWER | AFTER_COMMA | AFTER_GAP, 0 },
        { "eur", HAS_CAPITAL, 0 },
        { "3", HAS_CAPITAL | IS_NUMBER, 3e6 },
        { "mn", HAS_LOWER, 0 },
    };
    struct sentence s = { .edition = EDITION_NOW };
    read_first("Profit rose 12.5%, to EUR 3 mn.", &s);
    assert_int_equal(s.n, ARRAY_LEN(want));
    for (int i = 0; i < s.n; i++) {
        assert_token(&s, i, want[i].norm);
        assert_int_equal(s.t[i].flags, want[i].flags);
        assert_true(close_to(s.t[i].number, want[i].number));
    }
}

static void characters_and_their_neighbours(void **state)
{
    (void)state;
    static const char *const want[] = { "mr", "wu", "at&t", "paid", "1,250.5m", "i", "e", "much" };
    struct sentence s = { .edition = EDITION_NOW };
    struct reader r = read_first("Mr. Wu's AT&T paid 1,250.5m, i.e. much. Next.", &s);
    assert_int_equal(s.n, ARRAY_LEN(want));
    for (int i = 0; i < s.n; i++) assert_token(&s, i, want[i]);
    assert_true(close_to(s.t[4].number, 1.2505e9));
    assert_true(s.t[5].flags & AFTER_COMMA);
    assert_true(sentence_read(&r, &s));
    assert_int_equal(s.n, 1);
    assert_false(sentence_read(&r, &s));
}

/* The tone of the words that have one, in order; 0 ends them. */
static void assert_tones(const char *text, const double *want)
{
    struct sentence s = { .edition = EDITION_NOW };
    read_first(text, &s);
    tone_read(&s);
    for (int i = 0; i < s.n; i++)
        if (s.t[i].tone != 0 && !close_to(s.t[i].tone, *want++))
            fail_msg("%s: token %d has %+.4f", text, i, s.t[i].tone);
    if (*want != 0) fail_msg("%s: no word with %+.4f", text, *want);
}

static void tones(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want[4];
    } cases[] = {
        { EXAMPLE, { 0.75 * 0.8, -0.45 * 1.2 } },
        { "Profit rose", { 0.75 } },
        { "Costs rose", { -0.75 } },
        { "Profit rose, up 5 %", { 0.75, 0.4 * 0.65 } },
        { "Lower costs", { 0.65 } },
        { "Swung to a loss", { -0.80 } },
        { "Profit 5 mn versus 3 mn", { 0.50 } },
        { "Profit 5 mn versus 3%", { 0 } },
        { "Profit 5 mn versus a loss of 9 mn", { 0.80 } },
        { "Fell", { -0.50 } },
        { "Eased the crisis", { 0.6 * 0.50 } },
        { "Record high in May", { 0.75 } },
        { "Although demand was weak, profit rose", { 0.6 * -0.55, 0.75 } },
        { "Profit may rise", { 0.70 * 0.75 } },
        { "Profit rose sharply", { 1.30 * 0.75 } },
        { "Profit did not rise", { -0.6 * 0.75 } },
        { "Fails to win approval", { -0.6 * 0.55, -0.6 * 0.55 } },
        { "Buy Infosys", { 0.50 } },
        { "Wants to buy Infosys", { 0 } },
        { "The profit and loss account", { 0 } },
        /* the second edition's */
        { "Approval is in doubt", { -0.45 } },
        { "Approval is not in doubt", { 0.55, -0.6 * -0.45 } },
        { "Stocks fall from a record high", { -0.75, 0.25 * 0.75 } },
        { "Profit booking at record high", { -0.55, 0.25 * 0.75 } },
        { "Shares at record high", { 0.75 } },
        { "Not the worst quarter", { 0 } },
        { "Narrower loss", { 0.65 } },
        { "Shares slip ahead of the budget", { -0.80 } },
        { "Snaps 6-day winning streak", { -0.65 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) assert_tones(cases[i].text, cases[i].want);
}

static void clauses(void **state)
{
    (void)state;
    static const uint8_t clause[] = { 0, 0, 1, 1, 1, 1, 1 };
    struct sentence s = { .edition = EDITION_NOW };
    read_first(EXAMPLE, &s);
    tone_read(&s);
    assert_int_equal(s.n, ARRAY_LEN(clause));
    for (int i = 0; i < s.n; i++) assert_int_equal(s.t[i].clause, clause[i]);
    assert_true(close_to(s.factor[0], 0.8) && close_to(s.factor[1], 1.2));
}

static void names_become_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name, *forms[3];
    } cases[] = {
        { "Micron Technology, Inc.", { "micron" } },
        { "Bank of America Corp.", { "bank of america" } },
        { "Keurig Dr Pepper Inc.", { "keurig dr pepper", "keurig" } },
        { "The Walt Disney Company", { "walt disney", "disney" } },
        { "Alphabet Inc Class A", { "alphabet" } },
        { "General Group", { "general group" } },
        { "eBay Inc.", { "ebay" } },
        { "", { NULL } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct sentiment_target t = { .symbol = str_of("XNAS:X"), .issuer = str_of(cases[i].name) };
        struct company c;
        struct sentence scratch = { .edition = EDITION_NOW };
        company_init(&c, &t, &scratch);
        assert_true(str_is(c.symbol, "X"));
        int n = 0;
        for (; cases[i].forms[n]; n++) {
            assert_true(n < c.forms_n);
            assert_string_equal(c.form[n].text, cases[i].forms[n]);
        }
        assert_int_equal(c.forms_n, n);
    }
}

static struct sentiment_target named(const char *symbol, const char *name)
{
    return (struct sentiment_target){ .symbol = str_of(symbol), .issuer = str_of(name) };
}

static void lists_are_one_breath(void **state)
{
    (void)state;
    static struct subjects a;
    const struct sentiment_target two[] = { named("AAPL", "Apple Inc."),
                                            named("INTC", "Intel Corp.") };
    struct sentence s = { .edition = EDITION_NOW };
    subjects_init(&a, two, 2, &s);
    struct reader r = read_first("Apple, Intel and AMD rallied on Monday", &s);
    assert_int_equal(mentions_find(&a, &r, &s, true), 3);
    tone_read(&s);
    assert_int_equal(s.t[0].about, 1);
    assert_int_equal(s.t[1].about, 2);
    assert_int_equal(s.t[4].segment, 1);
    mentions_join_lists(&s);
    assert_int_equal(s.t[0].about, 3);
    assert_int_equal(s.t[1].about, 3);
    assert_int_equal(s.t[2].about, 0);
    assert_int_equal(s.t[4].segment, 0);
    assert_int_equal(a.of[1].mentions, 1);
    assert_int_equal(a.of[1].first_at, 7);
}

static void whose_tone_it_is(void **state)
{
    (void)state;
    static struct subjects a;
    const struct sentiment_target apple = named("AAPL", "Apple Inc.");
    struct sentence s = { .edition = EDITION_NOW };
    subjects_init(&a, &apple, 1, &s);
    struct reader r = read_first(EXAMPLE, &s);
    uint64_t who = mentions_find(&a, &r, &s, true);
    tone_read(&s);
    owners_share_out(&a, &s, who, 1, true);
    assert_int_equal(who, 1);
    assert_true(close_to(a.of[0].evidence.head_good, 0.75 * 0.60));
    assert_true(close_to(a.of[0].evidence.head_bad, 0.54));

    read_first("Demand was weak", &s); /* names nobody: goes on about Apple */
    tone_read(&s);
    owners_share_out(&a, &s, 0, 1, false);
    assert_true(close_to(a.of[0].evidence.body_bad, 0.4 * 0.55));
    assert_true(close_to(a.of[0].evidence.body_sentences, 0.4));
}

static void evidence_becomes_masses(void **state)
{
    (void)state;
    struct evidence head = { 0 }, body = { 0 };
    evidence_add_sentence(&head, 1, true);
    evidence_add_tone(&head, 0.60, 1, true);
    evidence_add_tone(&head, -0.54, 1, true);
    struct sentiment m = evidence_masses(&head);
    assert_true(close_to(m.positive, 0.60 / 2.14) && close_to(m.negative, 0.54 / 2.14));
    assert_int_equal(m.label, SENTIMENT_MIXED);

    evidence_add_sentence(&body, 1, false);
    evidence_add_tone(&body, 0.60, 1, false);
    assert_true(close_to(evidence_masses(&body).positive, 0.60 / 1.60));
    evidence_add_sentence(&body, 1 / 1.1, false);
    assert_true(close_to(evidence_masses(&body).positive, 0.60 / (1.10 + 0.5 * (1 + 1 / 1.1))));
}

/* The example from end to end, by the scorer itself. */
static void the_whole_way(void **state)
{
    (void)state;
    const struct sentiment_target apple = named("AAPL", "Apple Inc.");
    struct sentiment whole;
    struct sentiment_ticker of_apple;
    sentiment_score(str_of(EXAMPLE), nothing, &whole);
    sentiment_score_targets(str_of(EXAMPLE), nothing, &apple, 1, &of_apple);
    assert_true(close_to(whole.score, 0.60 / 2.14 - 0.54 / 2.14));
    assert_true(close_to(of_apple.tone.positive, 0.45 / 1.99));
    assert_true(close_to(of_apple.tone.negative, 0.54 / 1.99));
    assert_int_equal(of_apple.mentions, 1);
    assert_true(close_to(of_apple.relevance, 0.45 + 0.25 * (1 - 25.0 / 36) + 0.30));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_phrases),
        cmocka_unit_test(glyphs),
        cmocka_unit_test(a_text_becomes_tokens),
        cmocka_unit_test(characters_and_their_neighbours),
        cmocka_unit_test(tones),
        cmocka_unit_test(clauses),
        cmocka_unit_test(names_become_forms),
        cmocka_unit_test(lists_are_one_breath),
        cmocka_unit_test(whose_tone_it_is),
        cmocka_unit_test(evidence_becomes_masses),
        cmocka_unit_test(the_whole_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
