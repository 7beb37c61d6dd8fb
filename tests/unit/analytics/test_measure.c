/* test_measure.c - every name, parameter, default and canonical form, and the character every kind of mistake points at. */
#include "analytics/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err parse(const char *text, struct measure *out, struct why *why)
{
    size_t n = strlen(text);
    char *exact = malloc(n ? n : 1); /* no NUL behind it: a step beyond is seen */
    assert_non_null(exact);
    memcpy(exact, text, n);
    enum err e = measure_parse(exact, n, out, why);
    free(exact);
    return e;
}

/* metrics.md and measures.def: what each text means, once canonical. */
static void texts_have_one_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *given, *canonical, *unit;
    } rows[] = {
        { "last(AAPL)", NULL, "USD" },
        { "ret(AAPL)", NULL, "%" },
        { "ret(AAPL, window=1d)", "ret(AAPL)", "%" },
        { "ret(AAPL, window=60d)", NULL, "%" },
        { "level(SP500)", NULL, "points" },
        { "ew_level(SP500)", NULL, "points" },
        { "ew_level(SP500, ew=monthly, by=line)", NULL, "points" },
        { "ew_level(SP500,by=line,ew=third_friday)", "ew_level(SP500, ew=third_friday, by=line)",
          "points" },
        { "spread(SP500)", NULL, "%" },
        { "spread(SP500, by=issuer, ew=quarterly, window=60d, kind=geom)", "spread(SP500)", "%" },
        { "spread(SP500, window=ytd, kind=ratio)", "spread(SP500, kind=ratio, window=ytd)",
          "ratio" },
        { "spread(SP500, kind=points)", NULL, "points" },
        { "spread(SP500, kind=arith)", NULL, "%" },
        { "spread(SP500, kind=log, window=all)", NULL, "%" },
        { "spread(SP500, kind=ann, window=36mo)", NULL, "%" },
        { "hhi(SP500)", NULL, "0-10000" },
        { "hhi(SP500, by=line)", NULL, "0-10000" },
        { "effective_number(SP500, by=issuer)", "effective_number(SP500)", "names" },
        { "top_weight(SP500, n=10)", "top_weight(SP500)", "%" },
        { "top_weight(SP500, n=1, by=line)", "top_weight(SP500, by=line, n=1)", "%" },
        { "top_weight(SP500, n=50)", NULL, "%" },
        { "sentiment(BRK.B)", NULL, "-1..1" },
        { "ai_sentiment(SP500)", NULL, "-1..1" },
        { "ai_sentiment(book:growth)", NULL, "-1..1" },
        { "ai_exposure(book:growth-2.b_c)", NULL, "0..1" },
        { "  hhi ( SP500 ,  by = line )  ", "hhi(SP500, by=line)", "0-10000" },
        { "last(BTC/USD)", NULL, "USD" },
        { "last(XNAS:AAPL)", NULL, "USD" },
        { "change(last(AAPL))", NULL, "USD" },
        { "change( last( AAPL ) , over=1d, unit=absolute)", "change(last(AAPL))", "USD" },
        { "change(last(AAPL), over=60s, unit=pct)", "change(last(AAPL), over=1m, unit=pct)", "%" },
        { "change(spread(SP500, kind=ratio), over=90s)", NULL, "ratio" },
        { "max(change(last(NVDA), over=5m), over=20d)", "max(change(last(NVDA), over=5m))", "USD" },
        { "min(hhi(SP500), over=1260d)", NULL, "0-10000" },
        { "avg(ai_exposure(book:growth), over=24h)", NULL, "0..1" },
        { "avg(last(A), over=3600s)", "avg(last(A), over=1h)", "USD" },
        { "max(max(max(max(max(max(last(A)))))))", NULL, "USD" },
        { "last(ABCDEFGHIJKLMNO)", NULL, "USD" },                    /* 15 bytes */
        { "hhi(ABCDEFGHIJABCDEFGHIJABCDEFGHIJA)", NULL, "0-10000" }, /* 31 bytes */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct measure m, again;
        struct why why = { 0 };
        char text[MEASURE_TEXT_MAX], twice[MEASURE_TEXT_MAX];
        const char *want = rows[i].canonical ? rows[i].canonical : rows[i].given;
        if (parse(rows[i].given, &m, &why)) fail_msg("%s: %s", rows[i].given, why.text);
        assert_int_equal(measure_format(&m, text), strlen(want));
        assert_string_equal(text, want);
        assert_string_equal(measure_unit(&m), rows[i].unit);
        assert_int_equal(measure_version(&m), m.kind->version);
        assert_int_equal(parse(text, &again, NULL), ERR_OK);
        measure_format(&again, twice);
        assert_string_equal(twice, text);
    }
}

/* A parameter's value as its text, whatever number stands for it. */
static const char *arg(const struct measure *m, const char *name)
{
    static char text[PARAM_TEXT_MAX];
    for (int i = 0; i < ARGS_MAX && m->kind->params[i].type != PARAM_NONE; i++)
        if (strcmp(m->kind->params[i].name, name) == 0) {
            param_format(&m->kind->params[i], m->args.v[i], text);
            return text;
        }
    fail_msg("%s has no parameter %s", m->kind->name, name);
    return NULL;
}

static void parameters_have_their_defaults(void **state)
{
    (void)state;
    struct measure m;
    assert_int_equal(parse("spread(X)", &m, NULL), ERR_OK);
    assert_string_equal(m.kind->name, "spread");
    assert_string_equal(m.subject, "X");
    assert_string_equal(arg(&m, "kind"), "geom");
    assert_string_equal(arg(&m, "window"), "60d");
    assert_string_equal(arg(&m, "ew"), "quarterly");
    assert_string_equal(arg(&m, "by"), "issuer");
    assert_int_equal(parse("ret(X)", &m, NULL), ERR_OK);
    assert_string_equal(arg(&m, "window"), "1d");
    assert_int_equal(parse("top_weight(X)", &m, NULL), ERR_OK);
    assert_string_equal(arg(&m, "n"), "10");
    assert_int_equal(m.subject_type, SUBJECT_INDEX);
    assert_false(measure_is_price(&m));
    assert_int_equal(parse("last(X)", &m, NULL), ERR_OK);
    assert_true(measure_is_price(&m));
    assert_int_equal(m.subject_type, SUBJECT_INSTRUMENT);
    assert_int_equal(parse("ai_exposure(X)", &m, NULL), ERR_OK);
    assert_int_equal(m.subject_type, SUBJECT_INDEX);
    assert_int_equal(parse("ai_exposure(book:X)", &m, NULL), ERR_OK);
    assert_int_equal(m.subject_type, SUBJECT_BOOK);
    assert_int_equal(parse("change(last(X))", &m, NULL), ERR_OK);
    assert_int_equal(m.subject_type, SUBJECT_SERIES);
    assert_string_equal(arg(&m, "over"), "1d");
    assert_string_equal(arg(&m, "unit"), "absolute");
}

/* All choices of all parameters, in the canonical order, for the one measure that takes most. */
static void every_choice_reads_back(void **state)
{
    (void)state;
    static const char *const kinds[] = { "geom", "arith", "log", "ann", "ratio", "points" };
    static const char *const windows[] = { "1d",   "5d",   "20d",  "60d", "3mo", "6mo",
                                           "12mo", "18mo", "36mo", "ytd", "all" };
    static const char *const ews[] = { "quarterly", "monthly", "daily", "held", "third_friday" };
    static const char *const bys[] = { "issuer", "line" };
    char text[MEASURE_TEXT_MAX], canonical[MEASURE_TEXT_MAX];
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (size_t w = 0; w < ARRAY_LEN(windows); w++)
            for (size_t e = 0; e < ARRAY_LEN(ews); e++)
                for (size_t b = 0; b < ARRAY_LEN(bys); b++) {
                    struct measure m, again;
                    snprintf(text, sizeof text, "spread(S, by=%s, ew=%s, window=%s, kind=%s)",
                             bys[b], ews[e], windows[w], kinds[k]);
                    assert_int_equal(parse(text, &m, NULL), ERR_OK);
                    assert_string_equal(arg(&m, "kind"), kinds[k]);
                    assert_string_equal(arg(&m, "window"), windows[w]);
                    assert_string_equal(arg(&m, "ew"), ews[e]);
                    assert_string_equal(arg(&m, "by"), bys[b]);
                    measure_format(&m, canonical);
                    assert_int_equal(strstr(canonical, "kind=") != NULL, k != 0);
                    assert_int_equal(strstr(canonical, "window=") != NULL, w != 3);
                    assert_int_equal(strstr(canonical, "ew=") != NULL, e != 0);
                    assert_int_equal(strstr(canonical, "by=") != NULL, b != 0);
                    assert_int_equal(parse(canonical, &again, NULL), ERR_OK);
                    assert_memory_equal(&again, &m, sizeof m);
                }
}

static void mistakes_point_at_their_character(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err e;
        int at;
        const char *says;
    } rows[] = {
        { "", ERR_SYNTAX, 1, "expected a measure" },
        { "   ", ERR_SYNTAX, 4, "expected a measure" },
        { "(SP500)", ERR_SYNTAX, 1, "expected a measure" },
        { "hh(SP500)", ERR_UNKNOWN_MEASURE, 1, "\"hh\": did you mean hhi?" },
        { " HHI(SP500)", ERR_UNKNOWN_MEASURE, 2, "\"HHI\": did you mean hhi?" },
        { "topweight(SP500)", ERR_UNKNOWN_MEASURE, 1, "did you mean top_weight?" },
        { "price(AAPL)", ERR_UNKNOWN_MEASURE, 1, "\"price\": there are last, ret, level, " },
        { "hhi", ERR_SYNTAX, 4, "'('" },
        { "hhi SP500", ERR_SYNTAX, 5, "'S'" },
        { "hhi()", ERR_INVALID, 5, "an index: name it, as in hhi(SP500)" },
        { "hhi(", ERR_INVALID, 5, "an index: name it, as in hhi(SP500)" },
        { "last()", ERR_INVALID, 6, "a symbol: name it, as in last(AAPL)" },
        { "max( , over=5m)", ERR_INVALID, 6, "name it, as in max(last(AAPL))" },
        { "last(ABCDEFGHIJKLMNOP)", ERR_INVALID, 6, "at most 15" },                /* 16 bytes */
        { "hhi(ABCDEFGHIJABCDEFGHIJABCDEFGHIJAB)", ERR_INVALID, 5, "at most 31" }, /* 32 bytes */
        { "hhi(A/B)", ERR_INVALID, 5, "no '/'" },
        { "hhi(book:growth)", ERR_INVALID, 5,
          "an index, not on a book; on a book are ai_sentiment and ai_exposure" },
        { "ai_sentiment(book:)", ERR_INVALID, 14, "book:NAME" },
        { "ai_sentiment(book:a:b)", ERR_INVALID, 14, "book:NAME" },
        { "ai_sentiment(book:ABCDEFGHIJABCDEFGHIJABCDEFGHIJAB)", ERR_INVALID, 14, "book:NAME" },
        { "hhi(SP500", ERR_SYNTAX, 10, "the end" },
        { "hhi(SP500 x)", ERR_SYNTAX, 11, "expected ',' or ')', found 'x'" },
        { "hhi(SP500,)", ERR_INVALID, 11, "by" },
        { "hhi(SP500, )", ERR_INVALID, 12, "by" },
        { "hhi(SP500, n=3)", ERR_INVALID, 12, "by" },
        { "last(AAPL, by=line)", ERR_INVALID, 12, "no parameters" },
        { "spread(SP500, n=3)", ERR_INVALID, 15, "takes the parameters kind, window, ew, by" },
        { "spread(SP500, 60d)", ERR_INVALID, 15,
          "written NAME=VALUE: spread takes kind, window, ew, by" },
        { "spread(SP500, windw=60d)", ERR_INVALID, 15,
          "no parameter \"windw\": did you mean window?" },
        { "hhi(SP500, by)", ERR_SYNTAX, 14, "'='" },
        { "hhi(SP500, by line)", ERR_SYNTAX, 15, "'='" },
        { "hhi(SP500, by=)", ERR_INVALID, 15, "issuer, line" },
        { "hhi(SP500, by=name)", ERR_INVALID, 15, "issuer, line" },
        { "hhi(SP500, by=line, by=line)", ERR_INVALID, 21, "twice" },
        { "hhi(SP500, by=issuer, by=line)", ERR_INVALID, 23, "twice" },
        { "spread(SP500, window=2d)", ERR_INVALID, 22,
          "1d, 5d, 20d, 60d, 3mo, 6mo, 12mo, 18mo, 36mo, ytd, all" },
        { "spread(SP500, kind=Geom)", ERR_INVALID, 20, "geom, arith, log, ann, ratio, points" },
        { "ew_level(SP500, ew=yearly)", ERR_INVALID, 20,
          "quarterly, monthly, daily, held, third_friday" },
        { "top_weight(SP500, n=0)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=51)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=05)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=-1)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=1.5)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=99999999999999999999)", ERR_INVALID, 21, "1 to 50" },
        { "top_weight(SP500, n=)", ERR_INVALID, 21, "1 to 50" },
        { "hhi(SP500))", ERR_SYNTAX, 11, "nothing" },
        { "hhi(SP500) x", ERR_SYNTAX, 12, "nothing" },
        { "hhi\t(SP500)", ERR_SYNTAX, 4, "'('" },
        { "max(AAPL)", ERR_INVALID, 5, "another measure" },
        { "hhi(last(AAPL))", ERR_INVALID, 5, "an index, not on another measure" },
        { "max(last(AAPL)", ERR_SYNTAX, 15, "the end" },
        { "max(lasst(AAPL))", ERR_UNKNOWN_MEASURE, 5, "\"lasst\": did you mean last?" },
        { "max(hhi(A/B))", ERR_INVALID, 9, "an index" },
        { "max(last(AAPL, n=1))", ERR_INVALID, 16, "no parameters" },
        { "max(last(AAPL), over=0d)", ERR_INVALID, 22, "1d to 1260d" },
        { "max(last(AAPL), over=1261d)", ERR_INVALID, 22, "longer is not kept" },
        { "max(last(AAPL), over=169h)", ERR_INVALID, 22, "longer is not kept" },
        { "max(last(AAPL), over=5)", ERR_INVALID, 22, "90s, 5m, 2h" },
        { "max(last(AAPL), over=5mo)", ERR_INVALID, 22, "90s, 5m, 2h" },
        { "max(last(AAPL), over=)", ERR_INVALID, 22, "90s, 5m, 2h" },
        { "max(last(AAPL), unit=pct)", ERR_INVALID, 17, "over" },
        { "change(last(AAPL), unit=bps)", ERR_INVALID, 25, "absolute, pct" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct measure m;
        memset(&m, 0x5A, sizeof m);
        struct measure was = m;
        struct why why = { 0 };
        enum err e = parse(rows[i].text, &m, &why);
        if (e != rows[i].e || why.at != rows[i].at || !strstr(why.text, rows[i].says))
            fail_msg("\"%s\": %s at %d: %s; wanted %s at %d, saying %s", rows[i].text, err_name(e),
                     why.at, why.text, err_name(rows[i].e), rows[i].at, rows[i].says);
        assert_memory_equal(&m, &was, sizeof m); /* outputs change only on success */
        assert_int_equal(parse(rows[i].text, &m, NULL), e);
    }
}

/* A NUL or a byte of no charset is a mistake like any other, and the detail stays valid text. */
static void strange_bytes_are_refused(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                    || c == '.' || c == '-' || c == '_' || c == ' ';
        char text[] = "hhi(SP?)";
        text[6] = (char)c;
        struct measure m;
        struct why why = { 0 };
        enum err e = measure_parse(text, 8, &m, &why);
        if ((e == ERR_OK) != fine && c != ')') fail_msg("byte %d: %s", c, err_name(e));
    }
}

/* As deep as its text has room, and not a call deeper: the error points at the call that is too many. */
static void nesting_ends_where_the_text_does(void **state)
{
    (void)state;
    char text[400] = "last(A)", outer[500];
    struct measure m;
    struct why why;
    int depth = 1;
    for (; strlen(text) + 5 + SYMBOL_SUBJECT_MAX - 1 < MEASURE_TEXT_MAX; depth++) {
        snprintf(outer, sizeof outer, "min(%s)", text);
        strcpy(text, outer);
        if (parse(text, &m, &why)) fail_msg("depth %d: %s", depth, why.text);
    }
    snprintf(outer, sizeof outer, "  max(%s)", text);
    assert_int_equal(parse(outer, &m, &why), ERR_INVALID);
    assert_int_equal(why.at, 3);
    assert_non_null(strstr(why.text, "nested too deep"));
    assert_true(depth > 25);
}

/* Whatever is nested as deep as it goes on a symbol of one letter fits with one of fifteen, and reads back. */
static void a_symbol_is_exchanged_at_the_bottom(void **state)
{
    (void)state;
    static const struct {
        const char *text, *symbol, *renamed;
    } rows[] = {
        { "last(FB)", "META", "last(META)" },
        { "max(change(last(FB), over=5m))", "METAPLATFORMS01",
          "max(change(last(METAPLATFORMS01), over=5m))" },
        { "max(change(last(METAPLATFORMS01), over=5m))", "F", "max(change(last(F), over=5m))" },
        { "max(change(ret(FB, window=20d), over=5m))", "X",
          "max(change(ret(X, window=20d), over=5m))" },
    };
    struct measure m;
    struct why why;
    char text[MEASURE_TEXT_MAX], symbol[SYMBOL_SUBJECT_MAX + 1];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (parse(rows[i].text, &m, &why)) fail_msg("%s: %s", rows[i].text, why.text);
        measure_set_symbol(&m, rows[i].symbol);
        measure_format(&m, text);
        assert_string_equal(text, rows[i].renamed);
        struct measure again;
        assert_int_equal(parse(text, &again, &why), ERR_OK);
        assert_memory_equal(again.subject, m.subject, sizeof m.subject);
        assert_true(measure_symbol(&m, symbol));
        assert_string_equal(symbol, rows[i].symbol);
    }
    assert_int_equal(parse("max(hhi(SP500))", &m, &why), ERR_OK);
    assert_false(measure_symbol(&m, symbol));
    char deep[400] = "last(A)", outer[500];
    while (!parse(deep, &m, &why)) {
        snprintf(outer, sizeof outer, "min(%s)", deep);
        strcpy(deep, outer);
    }
    deep[strlen(deep) - 1] = '\0'; /* the last that was taken */
    assert_int_equal(parse(deep + strlen("min("), &m, &why), ERR_OK);
    measure_set_symbol(&m, "FIFTEENLETTERS5");
    assert_int_equal(measure_format(&m, text),
                     MEASURE_TEXT_MAX - 1 - (MEASURE_TEXT_MAX - 1 - 21) % 5);
    assert_int_equal(parse(text, &m, &why), ERR_OK);
}

static void the_reference_names_every_measure(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    measures_reference(&b);
    static const char *const has[] = { "`last(AAPL)`",
                                       "`ret(AAPL)`",
                                       "`level(SP500)`",
                                       "`ew_level(SP500)`",
                                       "`spread(SP500)`",
                                       "`hhi(SP500)`",
                                       "`effective_number(SP500)`",
                                       "`top_weight(SP500)`",
                                       "`sentiment(AAPL)`",
                                       "`ai_sentiment(SP500)`",
                                       "`ai_exposure(SP500)`",
                                       "`n`: 10, 1 to 50",
                                       "`window`: 1d, 5d",
                                       "`window`: 60d, 1d",
                                       "book:growth" };
    for (size_t i = 0; i < ARRAY_LEN(has); i++)
        if (!strstr(b.data, has[i])) fail_msg("the reference lacks %s", has[i]);
    for (size_t i = 0; i < measure_kinds_n; i++)
        if (!strstr(b.data, measure_kinds[i]->name))
            fail_msg("the reference lacks %s", measure_kinds[i]->name);
}

/* Nothing left to know from elsewhere: every parameter, of the measure inside too. */
static void a_definition_spells_everything_out(void **state)
{
    (void)state;
    static const struct {
        const char *text, *definition;
    } rows[] = {
        { "last(AAPL)", "{\"measure\":\"last\",\"of\":\"AAPL\",\"version\":1,\"parameters\":{}}" },
        { "spread(SP500)", "\"of\":\"SP500\",\"version\":2,\"parameters\":{\"kind\":\"geom\","
                           "\"window\":\"60d\",\"ew\":\"quarterly\",\"by\":\"issuer\"}}" },
        { "max(change(last(AAPL), over=5m), over=20d)",
          "\"of\":{\"measure\":\"change\",\"of\":{\"measure\":\"last\",\"of\":\"AAPL\",\"version\":1,"
          "\"parameters\":{}},\"version\":1,\"parameters\":{\"over\":\"5m\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct measure m;
        AUTO_BUF struct buf b = { 0 };
        assert_int_equal(parse(rows[i].text, &m, NULL), ERR_OK);
        struct json_writer w = json_write(&b);
        measure_definition(&m, &w, NULL);
        assert_true(json_write_done(&w));
        if (!strstr(b.data, rows[i].definition)) fail_msg("%s: %s", rows[i].text, b.data);
    }
}

/* From the definitions in metrics.md: weights are above 0 and add up to 1, prices and levels are above 0. */
static void a_measure_says_its_range(void **state)
{
    (void)state;
    static const struct {
        const char *text, *range, *negative; /* NULL: the same */
    } rows[] = {
        { "last(A)", "above 0 and at most 90000000", "at least -90000000 and at most 90000000" },
        { "ret(A)", "above -100", "any number" },
        { "level(X)", "above 0", NULL },
        { "ew_level(X, ew=daily)", "above 0", NULL },
        { "spread(X)", "above -100", NULL },
        { "spread(X, kind=arith)", "any number", NULL },
        { "spread(X, kind=log)", "any number", NULL },
        { "spread(X, kind=ann)", "any number", NULL },
        { "spread(X, kind=points)", "any number", NULL },
        { "spread(X, kind=ratio)", "above 0", NULL },
        { "hhi(X)", "above 0 and at most 10000", NULL },
        { "effective_number(X)", "at least 1", NULL },
        { "top_weight(X, n=3)", "above 0 and at most 100", NULL },
        { "sentiment(A)", "above -1 and below 1", NULL },
        { "ai_sentiment(X)", "above -1 and below 1", NULL },
        { "ai_exposure(X)", "at least 0 and at most 1", NULL },
        { "change(last(A))", "above -90000000 and below 90000000",
          "at least -180000000 and at most 180000000" },
        { "change(last(A), unit=pct)", "above -100", "any number" },
        { "change(ai_exposure(X))", "at least -1 and at most 1", NULL },
        { "change(ai_exposure(X), unit=pct)", "at least -100", NULL },
        { "change(sentiment(A))", "above -2 and below 2", NULL },
        { "change(sentiment(A), unit=pct)", "any number", NULL },
        { "change(level(X))", "any number", NULL },
        { "change(spread(X), unit=pct)", "any number", NULL },
        { "max(hhi(X))", "above 0 and at most 10000", NULL },
        { "min(change(top_weight(X)), over=5m)", "above -100 and below 100", NULL },
        { "avg(ret(A))", "above -100", "any number" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int negative = 0; negative < 2; negative++) {
            struct measure m;
            AUTO_BUF struct buf b = { 0 };
            assert_int_equal(parse(rows[i].text, &m, NULL), ERR_OK);
            const struct range r = measure_range(&m, negative);
            range_text(&r, &b);
            assert_string_equal(b.data,
                                negative && rows[i].negative ? rows[i].negative : rows[i].range);
        }
}

/* As a sentence calls it: with each parameter in words, and as it is written where a kind has no phrase. */
static void a_measure_has_a_phrase(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "top_weight(SP500, n=5)", "SP500's weight of the top 5" },
        { "hhi(SP500)", "SP500's concentration (HHI)" },
        { "spread(SP500, window=36mo)",
          "SP500's spread of cap-weighted over equal-weighted returns, 36 months, geometric," },
        { "names_to(SP500)", "SP500's number of names to 50 % of the weight" },
        { "last(AAPL)", "AAPL's price" },
        { "max(last(AAPL), over=5d)", "max(last(AAPL), over=5d)" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct measure m;
        AUTO_BUF struct buf b = { 0 };
        assert_int_equal(parse(rows[i][0], &m, NULL), ERR_OK);
        measure_phrase(&m, &b);
        assert_string_equal(b.data, rows[i][1]);
    }
    for (size_t i = 0; i < measure_kinds_n; i++) /* no {name} that no parameter has is left */
        if (measure_kinds[i]->phrase) {
            char text[MEASURE_TEXT_MAX];
            struct measure m;
            AUTO_BUF struct buf b = { 0 };
            snprintf(text, sizeof text, "%s(%s)", measure_kinds[i]->name,
                     measure_example(measure_kinds[i]));
            assert_int_equal(parse(text, &m, NULL), ERR_OK);
            measure_phrase(&m, &b);
            if (strchr(b.data, '{')) fail_msg("%s", b.data);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_have_one_canonical_form),
        cmocka_unit_test(parameters_have_their_defaults),
        cmocka_unit_test(every_choice_reads_back),
        cmocka_unit_test(mistakes_point_at_their_character),
        cmocka_unit_test(strange_bytes_are_refused),
        cmocka_unit_test(nesting_ends_where_the_text_does),
        cmocka_unit_test(a_definition_spells_everything_out),
        cmocka_unit_test(a_measure_says_its_range),
        cmocka_unit_test(a_measure_has_a_phrase),
        cmocka_unit_test(a_symbol_is_exchanged_at_the_bottom),
        cmocka_unit_test(the_reference_names_every_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
