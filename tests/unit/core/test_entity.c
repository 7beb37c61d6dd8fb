/* HTML's character references: those of the standard, and what only looks like one. */
#include "core/entity.h"
#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void assert_decoded(const char *text, const char *want)
{
    struct buf scratch = { 0 };
    const struct str got = entities_decode(str_of(text), &scratch);
    if (got.n != strlen(want) || memcmp(got.p, want, got.n) != 0)
        fail_msg("\"%s\" is \"%.*s\", not \"%s\"", text, (int)got.n, got.p, want);
    buf_release(&scratch);
}

/* What each stands for is from the HTML standard, 13.5 and 13.2.5.80. */
static void references(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "AT&amp;T", "AT&T" },
        { "McDonald&#39;s", "McDonald's" },
        { "isn&#x2019;t &#X2019;", "isn\xE2\x80\x99t \xE2\x80\x99" },
        { "&rsquo;&nbsp;&ndash;&AMP;&lt;&gt;&quot;&apos;",
          "\xE2\x80\x99\xC2\xA0\xE2\x80\x93&<>\"'" },
        { "&zwnj;", "\xE2\x80\x8C" },            /* the last of the names in order */
        { "&AElig;", "\xC3\x86" },               /* the first */
        { "&nGt;", "\xE2\x89\xAB\xE2\x83\x92" }, /* two characters */
        { "&CounterClockwiseContourIntegral;", "\xE2\x88\xB3" },
        { "&#128512;", "\xF0\x9F\x98\x80" },
        { "&#x10FFFF;", "\xF4\x8F\xBF\xBF" },
        { "&#146;&#x80;&#151;", "\xE2\x80\x99\xE2\x82\xAC\xE2\x80\x94" }, /* Windows-1252's */
        { "&#9;&#10;&#0000000065;", "\t\nA" },
        { "&amp;lt; &amp;#39;", "&lt; &#39;" }, /* once */
        { "&&amp;&", "&&&" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) assert_decoded(cases[i].text, cases[i].want);
}

static void what_is_none_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "plain",
        "R&D",
        "AT&T cuts",
        "&",
        "&;",
        "a&",
        "&amp",
        "&copy 2024",
        "&copyshop;",
        "&bogus;",
        "&#;",
        "&#x;",
        "&#xZZ;",
        "&#12",
        "&#x2019",
        "&#-1;",
        "&# 39;",
        "& amp;",
        "&am p;",
        "&#0;",
        "&#1;",
        "&#127;",
        "&#129;",
        "&#xD800;",
        "&#xDFFF;",
        "&#x110000;",
        "&#99999999999999999999;",
        "&AMp;",
        "&#39:",
        "&#x27",
        "\xFF&\xFF;",
        "&\xC3\xA9;",
        "&CounterClockwiseContourIntegralX;",
        "&CounterClockwiseContourIntegra;",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct buf scratch = { 0 };
        const struct str text = str_of(texts[i]), got = entities_decode(text, &scratch);
        if (got.p != text.p || got.n != text.n)
            fail_msg("\"%s\" became \"%.*s\"", texts[i], (int)got.n, got.p);
        buf_release(&scratch);
    }
}

static void every_name_is_found_and_is_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } all[] = {
#define ENTITY(name, text) { name, text },
#include "core/entities.def"
    };
    assert_int_equal(ARRAY_LEN(all), 2125); /* of entities.json's 2,231, those with a semicolon */
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        char reference[64];
        assert_true(i == 0 || strcmp(all[i - 1].name, all[i].name) < 0);
        assert_true(utf8_valid(all[i].text, strlen(all[i].text)));
        snprintf(reference, sizeof reference, "&%s;", all[i].name);
        assert_decoded(reference, all[i].text);
        assert_true(strlen(all[i].text) * 5 <= strlen(reference) * 6);
    }
}

/* Long texts of the kind that is worst take time in proportion. */
static void long_texts(void **state)
{
    (void)state;
    static const char *const units[] = {
        "&", "&#", "&amp;", "&#1", "&CounterClockwiseContourIntegral", "&nGt;"
    };
    enum { N = 100000 };
    for (size_t u = 0; u < ARRAY_LEN(units); u++) {
        char *text = malloc(N); /* exactly as long as said, for the sanitizer */
        struct buf scratch = { 0 };
        assert_non_null(text);
        for (size_t i = 0; i < N; i++) text[i] = units[u][i % strlen(units[u])];
        const struct str got = entities_decode((struct str){ text, N }, &scratch);
        assert_true(got.n <= N / 5 * 6);
        free(text);
        buf_release(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references),
        cmocka_unit_test(what_is_none_stays),
        cmocka_unit_test(every_name_is_found_and_is_utf8),
        cmocka_unit_test(long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
