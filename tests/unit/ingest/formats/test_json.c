/* test_json.c - what is a message and what is none. Each message goes through the fast path and
 * through the DOM decoder, which must say the same; numbers were worked out by hand from the
 * text. */
#include "core/json.h"
#include "core/utf8.h"
#include "ingest/formats/json.h"
#include "tests/fuzz/record_same.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define E8 100000000ll
static struct arena arena;
static struct why why;

/* Both decoders; the record and the detail are the fast path's. */
static enum err decode_n(const char *bytes, size_t n, struct record *out)
{
    const struct record untouched = { .kind = RECORD_KIND_COUNT };
    struct record dom = untouched;
    struct why why_dom = { .text = "" };
    *out = untouched;
    why = (struct why){ .text = "" };
    arena_clear(&arena);
    char *exact =
        malloc(n ? n : 1); /* a block of the very size, so that a sanitizer sees a step beyond */
    assert_non_null(exact);
    if (n) memcpy(exact, bytes, n);
    enum err e = record_decode(exact, n, &arena, out, &why),
             e_dom = record_decode_dom(exact, n, &arena, &dom, &why_dom);
    free(exact); /* nothing in a record points at the message */
    if (e != e_dom || strcmp(why.text, why_dom.text) != 0)
        fail_msg("%.*s: fast %s \"%s\", DOM %s \"%s\"", (int)n, bytes, err_name(e), why.text,
                 err_name(e_dom), why_dom.text);
    if (e ? !record_says_whose(out) || !record_says_whose(&dom) : !record_same(out, &dom))
        fail_msg("%.*s: records differ", (int)n, bytes);
    if (e && (!why.text[0] || !utf8_valid(why.text, strlen(why.text))))
        fail_msg("%.*s: no detail", (int)n, bytes);
    return e;
}

static enum err decode(const char *text, struct record *out)
{
    return decode_n(text, strlen(text), out);
}

static struct record accepted(const char *text)
{
    struct record r;
    if (decode(text, &r)) fail_msg("%s: refused: %s", text, why.text);
    return r;
}

PRINTF_LIKE(1, 2) static const char *made(const char *fmt, ...)
{
    static char text[4096];
    va_list ap;
    va_start(ap, fmt);
    assert_in_range(vsnprintf(text, sizeof text, fmt, ap), 0, (int)sizeof text - 1);
    va_end(ap);
    return text;
}

#define assert_symbol(symbol, text)                                                                \
    assert_memory_equal((symbol).s, ((char[SYMBOL_MAX + 1]){ text }), SYMBOL_MAX + 1)
#define assert_str(str, text)                                                                      \
    do {                                                                                           \
        assert_int_equal((str).n, strlen(text));                                                   \
        assert_memory_equal((str).p, text, (str).n);                                               \
    } while (0)

/* ---- ticks ---- */

static void trade_and_close_are_read(void **state)
{
    (void)state;
    struct record r = accepted(
        "{\"kind\":\"trade\",\"symbol\":\"SYM0001\",\"price\":\"145.06\",\"size\":100,\"ts\":1700000000000000000}");
    assert_int_equal(r.kind, RECORD_TRADE);
    assert_int_equal(r.event_ns, 1700000000000000000);
    assert_symbol(r.u.trade.symbol, "SYM0001");
    assert_int_equal(r.u.trade.price_e8, 14506000000);
    assert_int_equal(r.u.trade.size_e8, 100 * E8);
    assert_int_equal(r.message.n, 0);
    assert_int_equal(r.seq, 0);
    assert_int_equal(r.source_id, 0);

    r = accepted(
        "{\"kind\":\"close\",\"symbol\":\"AAPL\",\"price\":\"159.54\",\"date\":\"2018-02-07\",\"ts\":1518037200000000000}");
    assert_int_equal(r.kind, RECORD_CLOSE);
    assert_int_equal(r.event_ns, 1518037200000000000);
    assert_symbol(r.u.close.symbol, "AAPL");
    assert_int_equal(r.u.close.price_e8, 15954000000);
    assert_int_equal(r.u.close.day, 17569); /* date -d 2018-02-07 +%s is 17569 * 86400 */
    assert_int_equal(r.message.n, 0);

    r = accepted(
        "{\"kind\":\"trade\",\"symbol\":\"AAPL\",\"price\":1,\"ts\":\"2018-02-07T22:00:00.5+01:00\"}");
    assert_int_equal(r.event_ns, 1518037200500000000);

    r = accepted(
        "{\"kind\":\"trade\",\"symbol\":\"ABCDEFGHIJKLMNO\",\"price\":1,\"ts\":9223372036854775807}");
    assert_symbol(r.u.trade.symbol, "ABCDEFGHIJKLMNO");
    assert_int_equal(r.event_ns, INT64_MAX);
    assert_int_equal(r.u.trade.size_e8, 0);
}

/* The same number as a string and as a bare JSON number; -1 is "refused". */
static void numbers_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t size_e8;
        bool string_only;
    } rows[] = {
        { "0", 0, false },
        { "-0", 0, false },
        { "-0.0e5", 0, false },
        { "0.00000001", 1, false },
        { "0.000000010", 1, false },
        { "0.000000001", -1, false },
        { "1e-8", 1, false },
        { "1E-9", -1, false },
        { "10e-9", 1, false },
        { "145.06", 14506000000, false },
        { "1.4506E+2", 14506000000, false },
        { "0.1", 10000000, false },
        { "0.3", 30000000, false },
        { "1.00000000000000000000000000000000", E8, false },
        { "1.00000000000000000000000000000001", -1, false },
        { "12345678.12345678", 1234567812345678, false },
        { "12345678901.12345678", 1234567890112345678,
          false },                                        /* 19 digits; a double has under 16 */
        { "90071992.54740993", 9007199254740993, false }, /* 2^53 + 1 at 1e-8 */
        { "9007199254740993", -1, false }, /* 2^53 + 1: above the bound, not rounded into it */
        { "9999999999", 999999999900000000, false },   /* the scanner's widest */
        { "10000000000", 1000000000000000000, false }, /* one more digit: the DOM decoder's */
        { "90000000000", 9000000000000000000, false },
        { "90000000000.00000001", -1, false },
        { "92233720368.54775807", -1, false }, /* all of int64 */
        { "9223372036854775808", -1, false },  /* 2^63 */
        { "18446744073709551616", -1, false }, /* 2^64 */
        { "1e308", -1, false },
        { "1e309", -1, false },
        { "1e-400", -1, false },
        { "1e99999999999999999999", -1, false },
        { "-1", -1, false },
        { "+1", -1, false },
        { "01", -1, false },
        { "00", -1, false },
        { "-", -1, false },
        { ".5", -1, false },
        { "5.", -1, false },
        { "1e", -1, false },
        { "1e+", -1, false },
        { "0x10", -1, false },
        { "1_000", -1, false },
        { "1,5", -1, false },
        { "NaN", -1, false },
        { "Infinity", -1, false },
        { "-Infinity", -1, false },
        { "1 ", -1, true },
        { " 1", -1, true },
        { "", -1, false },
        { "1.5.5", -1, false },
        { "\xD9\xA1", -1, false }, /* ARABIC-INDIC DIGIT ONE */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int quoted = rows[i].string_only; quoted <= 1; quoted++) {
            const char *q = quoted ? "\"" : "";
            struct record r;
            enum err e = decode(
                made(
                    "{\"kind\":\"trade\",\"symbol\":\"X\",\"price\":1,\"size\":%s%s%s,\"ts\":1518037200000000001}",
                    q, rows[i].text, q),
                &r);
            if (e ? rows[i].size_e8 >= 0 : rows[i].size_e8 != r.u.trade.size_e8)
                fail_msg("size %s%s%s: %s, %" PRId64, q, rows[i].text, q, err_name(e),
                         e ? 0 : r.u.trade.size_e8);
        }
    }
}

static void price_has_bounds(void **state)
{
    (void)state;
    const int64_t REFUSED = INT64_MIN;
    const struct {
        const char *price;
        int64_t e8;
    } rows[] = {
        { "0", 0 }, /* whether the instrument may have such a price is the engine's to say */
        { "0.00000000", 0 },
        { "-0", 0 },
        { "-0.00000001", -1 },
        { "-37.63", -3763000000 },
        { "-90000000", -9000000000000000 },
        { "-90000000.00000001", REFUSED },
        { "0.00000001", 1 },
        { "90000000", 9000000000000000 },
        { "90000000.00000001", REFUSED },
        { "90000001", REFUSED },
        { "null", REFUSED },
        { "true", REFUSED },
        { "[1]", REFUSED },
        { "{\"price\":1}", REFUSED },
        { "\"\"", REFUSED },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record r;
        enum err e = decode(
            made(
                "{\"kind\":\"close\",\"symbol\":\"X\",\"price\":%s,\"date\":\"2018-02-07\",\"ts\":1518037200000000001}",
                rows[i].price),
            &r);
        if (e ? rows[i].e8 != REFUSED || !strstr(why.text, "\"price\"")
              : rows[i].e8 != r.u.close.price_e8)
            fail_msg("price %s: %s", rows[i].price, why.text);
    }
    struct record r;
    decode("{\"kind\":\"trade\",\"symbol\":\"X\",\"price\":-90000001,\"ts\":1518037200000000001}",
           &r);
    assert_string_equal(why.text,
                        "field \"price\" must be from -90000000 to 90000000, is -90000001");
}

static void swap(int *a, int *b)
{
    int was = *a;
    *a = *b;
    *b = was;
}

/* Heap's algorithm over the five fields, each order with and without blanks: one record. */
static void order_and_blanks_do_not_matter(void **state)
{
    (void)state;
    static const char *const fields[] = { "\"kind\"%s:%s\"trade\"", "\"symbol\"%s:%s\"A/B\"",
                                          "\"price\"%s:%s1.5", "\"size\"%s:%s\"2\"",
                                          "\"ts\"%s:%s1518037200000000007" };
    const struct record want = accepted(
        "{\"kind\":\"trade\",\"symbol\":\"A/B\",\"price\":\"1.50\",\"size\":2.0,\"ts\":1518037200000000007}");
    int order[] = { 0, 1, 2, 3, 4 }, turn[5] = { 0 }, seen = 0;
    for (int i = 0;;) {
        for (int blanks = 0; blanks < 2; blanks++) {
            char text[400] = "";
            size_t n = 0;
            const char *b = blanks ? " \t\r\n" : "";
            for (int k = 0; k < 5; k++) {
                char field[60];
                const char *f = fields[order[k]], *colon = strstr(f, "%s:%s");
                snprintf(field, sizeof field, "%.*s%s:%s%s", (int)(colon - f), f, b, b, colon + 5);
                n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s%s%s", k ? "," : b,
                                      k ? "" : "{", b, field, b);
            }
            n += (size_t)snprintf(text + n, sizeof text - n, "}%s", b);
            struct record r = accepted(text);
            assert_true(record_same(&r, &want));
        }
        seen++;
        while (i < 5 && turn[i] >= i) turn[i++] = 0;
        if (i == 5) break;
        swap(&order[i % 2 ? turn[i] : 0], &order[i]);
        turn[i]++;
        i = 0;
    }
    assert_int_equal(seen, 120);
}

/* What only the DOM decoder understands is understood: keys and values with escapes, a number
 * beside nested look-alikes. */
static void odd_spellings_reach_the_dom_decoder(void **state)
{
    (void)state;
    struct record r = accepted(
        "{\"k\\u0069nd\":\"tr\\u0061de\",\"symbol\":\"\\u0041\\/B\",\"pr\\u0069ce\":145.0600000000,\"s\\u0069ze\":1e2,\"ts\":1518037200000000001}");
    assert_symbol(r.u.trade.symbol, "A/B");
    assert_int_equal(r.u.trade.price_e8, 14506000000);
    assert_int_equal(r.u.trade.size_e8, 100 * E8);

    r = accepted(
        "{\"name\":\"\\\"base\\\":5,{[\\\\\",\"kind\":\"index\",\"base\" :\n1234.5 ,\"index\":\"I\",\"ts\":1518037200000000001}");
    assert_int_equal(r.u.index.base_e8, 123450000000);
    assert_str(r.u.index.name, "\"base\":5,{[\\");

    r = accepted(
        "{\"kind\":\"trade\",\"symbol\":\"X\",\"size\":null,\"price\":3,\"ts\":1518037200000000001}"); /* null: as if it were not there */
    assert_int_equal(r.u.trade.size_e8, 0);
}

/* ---- the other kinds ---- */

static void other_kinds_are_read(void **state)
{
    (void)state;
    struct record r = accepted("{\"kind\":\"clock\",\"ts\":1518037200000000005}");
    assert_int_equal(r.kind, RECORD_CLOCK);
    assert_int_equal(r.u.clock.session_end, NO_DAY);
    r = accepted("{\"kind\":\"clock\",\"ts\":1518037200000000005,\"session_end\":\"1969-12-31\"}");
    assert_int_equal(r.u.clock.session_end, -1);

    r = accepted(
        "{\"kind\":\"issuer\",\"issuer\":\"APPLE\",\"name\":\"Apple Inc.\",\"sector\":\"Technology\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_ISSUER);
    assert_str(r.u.issuer.issuer, "APPLE");
    assert_str(r.u.issuer.name, "Apple Inc.");
    assert_str(r.u.issuer.sector, "Technology");
    r = accepted("{\"kind\":\"issuer\",\"issuer\":\"A\",\"ts\":1518037200000000001}");
    assert_str(r.u.issuer.name, "");
    assert_str(r.u.issuer.sector, "");

    r = accepted(
        "{\"kind\":\"instrument\",\"symbol\":\"AAPL\",\"issuer\":\"APPLE\",\"name\":\"Caf\xC3\xA9\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_INSTRUMENT);
    assert_symbol(r.u.instrument.symbol, "AAPL");
    assert_str(r.u.instrument.issuer, "APPLE");
    assert_str(r.u.instrument.name, "Caf\xC3\xA9");

    r = accepted(
        "{\"kind\":\"shares\",\"symbol\":\"AAPL\",\"shares\":5109000000,\"float\":\"0.99\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_SHARES);
    assert_int_equal(r.u.shares.shares, 5109000000);
    assert_int_equal(r.u.shares.float_e8, 99000000);
    r = accepted(
        "{\"kind\":\"shares\",\"symbol\":\"AAPL\",\"shares\":4398046511104,\"ts\":1518037200000000001}");
    assert_int_equal(r.u.shares.shares, 4398046511104); /* 2^42 */
    assert_int_equal(r.u.shares.float_e8, E8);

    r = accepted(
        "{\"kind\":\"index\",\"index\":\"SP500\",\"name\":\"Five hundred\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_INDEX);
    assert_str(r.u.index.index, "SP500");
    assert_str(r.u.index.name, "Five hundred");
    assert_int_equal(r.u.index.base_e8, 1000 * E8);

    r = accepted(
        "{\"kind\":\"membership\",\"index\":\"SP500\",\"symbol\":\"AAPL\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_MEMBERSHIP);
    assert_str(r.u.membership.index, "SP500");
    assert_symbol(r.u.membership.symbol, "AAPL");
    assert_true(r.u.membership.member);
    assert_int_equal(r.u.membership.shares, 0);
    r = accepted(
        "{\"kind\":\"membership\",\"index\":\"SP500\",\"symbol\":\"AAPL\",\"member\":false,\"shares\":123,\"ts\":1518037200000000001}");
    assert_false(r.u.membership.member);
    assert_int_equal(r.u.membership.shares, 123);

    r = accepted(
        "{\"kind\":\"article\",\"id\":\"n-1\",\"headline\":\"Up \\ud83d\\udcc8\",\"body\":\"a\\nb\",\"source\":\"wire\","
        "\"symbols\":[\"AAPL\",\"MSFT\",\"AAPL\",\"MSFT\",\"B\"],\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_ARTICLE);
    assert_str(r.u.article.id, "n-1");
    assert_str(r.u.article.headline, "Up \xF0\x9F\x93\x88");
    assert_str(r.u.article.body, "a\nb");
    assert_str(r.u.article.source, "wire");
    assert_int_equal(r.u.article.symbols_n, 3); /* a tag that comes twice counts once */
    assert_symbol(r.u.article.symbols[0], "AAPL");
    assert_symbol(r.u.article.symbols[1], "MSFT");
    assert_symbol(r.u.article.symbols[2], "B");
    r = accepted(
        "{\"kind\":\"article\",\"id\":\"n\",\"headline\":\"h\",\"symbols\":[],\"ts\":1518037200000000001}");
    assert_int_equal(r.u.article.symbols_n, 0);
    assert_str(r.u.article.body, "");

    r = accepted(
        "{\"kind\":\"exposure\",\"issuer\":\"APPLE\",\"theme\":\"AI\",\"value\":\"0.4\",\"source\":\"10-K\","
        "\"effective_from\":\"2026-01-01\",\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_EXPOSURE);
    assert_str(r.u.exposure.issuer, "APPLE");
    assert_str(r.u.exposure.theme, "AI");
    assert_str(r.u.exposure.source, "10-K");
    assert_int_equal(r.u.exposure.value_e8, 40000000);
    assert_int_equal(r.u.exposure.effective_day, 20454);
    r = accepted(
        "{\"kind\":\"exposure\",\"issuer\":\"APPLE\",\"theme\":\"AI\",\"value\":0,\"ts\":1518220799999999999}");
    assert_int_equal(r.u.exposure.value_e8, 0);
    assert_int_equal(r.u.exposure.effective_day,
                     17571); /* one ns before 2018-02-10, which is 17572 */

    r = accepted(
        "{\"kind\":\"position\",\"tenant\":\"7C0A6AE1-54c1-4b8e-9d2f-0123456789ab\",\"book\":\"growth\",\"symbol\":\"AAPL\","
        "\"quantity\":-100.5,\"ts\":1518037200000000001}");
    assert_int_equal(r.kind, RECORD_POSITION);
    char tenant[UUID_TEXT];
    uuid_format(r.u.position.tenant, tenant);
    assert_string_equal(tenant, "7c0a6ae1-54c1-4b8e-9d2f-0123456789ab");
    assert_str(r.u.position.book, "growth");
    assert_symbol(r.u.position.symbol, "AAPL");
    assert_int_equal(r.u.position.quantity_e8, -10050000000);
}

/* For every field of text: the longest and the shortest that is taken, and one byte beyond each. */
static void text_has_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *head, *field, *tail;
        size_t min, max;
    } rows[] = {
        { "{\"kind\":\"trade\",\"symbol\":\"", "symbol",
          "\",\"price\":1,\"ts\":1518037200000000001}", 1, 15 },
        { "{\"kind\":\"issuer\",\"issuer\":\"", "issuer", "\",\"ts\":1518037200000000001}", 1, 63 },
        { "{\"kind\":\"issuer\",\"issuer\":\"A\",\"ts\":1518037200000000001,\"name\":\"", "name",
          "\"}", 0, 200 },
        { "{\"kind\":\"issuer\",\"issuer\":\"A\",\"ts\":1518037200000000001,\"sector\":\"",
          "sector", "\"}", 0, 200 },
        { "{\"kind\":\"instrument\",\"symbol\":\"A\",\"ts\":1518037200000000001,\"issuer\":\"",
          "issuer", "\"}", 1, 63 },
        { "{\"kind\":\"instrument\",\"symbol\":\"A\",\"issuer\":\"A\",\"ts\":1518037200000000001,\"name\":\"",
          "name", "\"}", 0, 200 },
        { "{\"kind\":\"index\",\"ts\":1518037200000000001,\"index\":\"", "index", "\"}", 1, 31 },
        { "{\"kind\":\"index\",\"ts\":1518037200000000001,\"index\":\"A\",\"name\":\"", "name",
          "\"}", 0, 200 },
        { "{\"kind\":\"membership\",\"ts\":1518037200000000001,\"symbol\":\"A\",\"index\":\"",
          "index", "\"}", 1, 31 },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"headline\":\"A\",\"id\":\"", "id",
          "\"}", 1, 128 },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"id\":\"A\",\"headline\":\"",
          "headline", "\"}", 1, 1000 },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"id\":\"A\",\"headline\":\"h\",\"body\":\"",
          "body", "\"}", 0, 100000 },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"id\":\"A\",\"headline\":\"h\",\"source\":\"",
          "source", "\"}", 0, 100 },
        { "{\"kind\":\"exposure\",\"ts\":1518037200000000001,\"theme\":\"A\",\"value\":1,\"issuer\":\"",
          "issuer", "\"}", 1, 63 },
        { "{\"kind\":\"exposure\",\"ts\":1518037200000000001,\"issuer\":\"A\",\"value\":1,\"theme\":\"",
          "theme", "\"}", 1, 31 },
        { "{\"kind\":\"exposure\",\"ts\":1518037200000000001,\"issuer\":\"A\",\"theme\":\"A\",\"value\":1,\"source\":\"",
          "source", "\"}", 0, 100 },
        { "{\"kind\":\"position\",\"ts\":1518037200000000001,\"tenant\":\"7c0a6ae1-54c1-4b8e-9d2f-0123456789ab\",\"symbol\":\"A\",\"quantity\":1,\"book\":\"",
          "book", "\"}", 1, 31 },
    };
    static char text[101000];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const size_t sizes[] = { rows[i].min, rows[i].max, rows[i].max + 1, rows[i].min - 1 };
        for (size_t k = 0; k < (rows[i].min ? 4 : 3); k++) {
            size_t head = strlen(rows[i].head), n = head + sizes[k];
            memcpy(text, rows[i].head, head);
            memset(text + head, 'a', sizes[k]);
            strcpy(text + n, rows[i].tail);
            struct record r;
            enum err e = decode(text, &r);
            if (k < 2 ? e != ERR_OK : e != ERR_INVALID || !strstr(why.text, rows[i].field))
                fail_msg("%s, %zu bytes: %s", rows[i].head, sizes[k], why.text);
        }
    }
}

static void refused_with_a_reason(void **state)
{
    (void)state;
#define TS ",\"ts\":1518037200000000001}"
#define POSITION "{\"kind\":\"position\",\"book\":\"g\",\"symbol\":\"A\",\"quantity\":1,\"tenant\":"
    static const struct {
        const char *text;
        enum err err;
        const char *reason;
    } rows[] = {
        { "", ERR_SYNTAX, "empty message" },
        { " ", ERR_SYNTAX, "not valid JSON" },
        { "{}", ERR_INVALID, "field \"kind\" is missing" },
        { "[]", ERR_INVALID, "expected a JSON object" },
        { "\"trade\"", ERR_INVALID, "expected a JSON object" },
        { "{\"kind\":5" TS, ERR_INVALID, "field \"kind\" must be a string" },
        { "{\"kind\":\"quote\"" TS, ERR_UNKNOWN_KIND, "unknown kind \"quote\"" },
        { "{\"kind\":\"\"" TS, ERR_UNKNOWN_KIND, "unknown kind \"\"" },
        { "{\"kind\":\"TRADE\"" TS, ERR_UNKNOWN_KIND, "unknown kind" },
        { "{\"kind\":\"trades\"" TS, ERR_UNKNOWN_KIND, "unknown kind" },
        { "{\"kind\":\"rule_put\"" TS, ERR_UNKNOWN_KIND, "unknown kind \"rule_put\"" },
        { "{\"kind\":\"clock\"}", ERR_INVALID, "field \"ts\" is missing" },
        { "{\"kind\":\"clock\",\"ts\":-1}", ERR_INVALID,
          "field \"ts\": -1 is no time in nanoseconds since 1970 (it lies before 1971)" },
        { "{\"kind\":\"clock\",\"ts\":1577977300}", ERR_INVALID,
          "field \"ts\": 1577977300 looks like seconds: send nanoseconds since 1970, or RFC 3339" },
        { "{\"kind\":\"clock\",\"ts\":1577977300000}", ERR_INVALID, "looks like milliseconds" },
        { "{\"kind\":\"clock\",\"ts\":1577977300000000}", ERR_INVALID, "looks like microseconds" },
        { "{\"kind\":\"clock\",\"ts\":\"1577977300000\"}", ERR_INVALID, "looks like milliseconds" },
        { "{\"kind\":\"clock\",\"ts\":\"yesterday\"}", ERR_INVALID,
          "field \"ts\": expected RFC 3339 time" },
        { "{\"kind\":\"clock\",\"ts\":\"2020-01-02T15:01:40\"}", ERR_INVALID,
          "expected RFC 3339 time" },
        { "{\"kind\":\"clock\",\"ts\":9223372036854775808}", ERR_SYNTAX, "too big integer" },
        { "{\"kind\":\"clock\",\"ts\":1.0}", ERR_INVALID,
          "field \"ts\" must be integer nanoseconds since 1970" },
        { "{\"kind\":\"clock\",\"ts\":\"1\"}", ERR_INVALID,
          "field \"ts\": 1 is no time in nanoseconds" },
        { "{\"kind\":\"clock\",\"session_end\":\"2018-2-7\"" TS, ERR_INVALID,
          "field \"session_end\": expected a date as YYYY-MM-DD" },
        { "{\"kind\":\"clock\",\"session_end\":\"2018-02-07T00:00:00Z\"" TS, ERR_INVALID,
          "field \"session_end\": expected a date as YYYY-MM-DD" },
        { "{\"kind\":\"clock\",\"session_end\":\"\"" TS, ERR_INVALID,
          "field \"session_end\" must have 1 to 40 bytes" },
        { "{\"kind\":\"clock\",\"session_end\":\"2018-02-29\"" TS, ERR_INVALID,
          "field \"session_end\": no such date" },
        { "{\"kind\":\"clock\",\"extra\":1" TS, ERR_INVALID, "unknown field \"extra\"" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001,\"ts\":1518037200000000001}", ERR_SYNTAX,
          "duplicate object key" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001,\"t\\u0073\":1}", ERR_SYNTAX,
          "duplicate object key" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001}}", ERR_SYNTAX, "not valid JSON" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001}{}", ERR_SYNTAX, "not valid JSON" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001,}", ERR_SYNTAX, "not valid JSON" },
        { "{\"kind\":\"clock\",\"ts\":1518037200000000001}\x01", ERR_SYNTAX, "not valid JSON" },
        { "\xEF\xBB\xBF{\"kind\":\"clock\",\"ts\":1518037200000000001}", ERR_SYNTAX,
          "not valid JSON" },
        { "{\"kind\":\"trade\",\"price\":1" TS, ERR_INVALID, "field \"symbol\" is missing" },
        { "{\"kind\":\"trade\",\"symbol\":5,\"price\":1" TS, ERR_INVALID,
          "field \"symbol\" needs 1 to 15 characters" },
        { "{\"kind\":\"trade\",\"symbol\":\"A B\",\"price\":1" TS, ERR_INVALID,
          "field \"symbol\" needs" },
        { "{\"kind\":\"trade\",\"symbol\":\"\xC3\x84\",\"price\":1" TS, ERR_INVALID,
          "field \"symbol\" needs" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\"" TS, ERR_INVALID, "field \"price\" is missing" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"date\":\"2018-02-07\"" TS,
          ERR_INVALID, "unknown field \"date\"" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":\"1.000000001\"" TS, ERR_INVALID,
          "field \"price\": finer than 1e-8" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1.000000001" TS, ERR_INVALID,
          "field \"price\": finer than 1e-8" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"size\":90000000001" TS, ERR_INVALID,
          "field \"size\" must be from 0 to 90000000000" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"price\":1" TS, ERR_SYNTAX,
          "duplicate object key" },
        { "{\"kind\":\"trade\",\"x\":{\"price\":7,\"a\":[1,{\"b\":\"]}\"}]},\"symbol\":\"A\",\"price\":1.5" TS,
          ERR_INVALID, "unknown field \"x\"" },
        { "{\"kind\":\"close\",\"symbol\":\"A\",\"price\":1" TS, ERR_INVALID,
          "field \"date\" is missing" },
        { "{\"kind\":\"close\",\"symbol\":\"A\",\"price\":1,\"size\":1,\"date\":\"2018-02-07\"" TS,
          ERR_INVALID, "unknown field \"size\"" },
        { "{\"kind\":\"close\",\"symbol\":\"A\",\"price\":1,\"date\":\"2018-13-01\"" TS,
          ERR_INVALID, "field \"date\": no such date" },
        { "{\"kind\":\"issuer\",\"issuer\":\"A\xC0\xAF\"" TS, ERR_SYNTAX,
          "unable to decode byte 0xc0" },
        { "{\"kind\":\"issuer\",\"issuer\":\"A\\u0000B\"" TS, ERR_SYNTAX,
          "\\u0000 is not allowed" },
        { "{\"kind\":\"issuer\",\"issuer\":\"A\\ud800\"" TS, ERR_SYNTAX, "invalid Unicode" },
        { "{\"kind\":\"shares\",\"symbol\":\"A\",\"shares\":0" TS, ERR_INVALID,
          "field \"shares\" must be from 1 to 4398046511104" },
        { "{\"kind\":\"shares\",\"symbol\":\"A\",\"shares\":4398046511105" TS, ERR_INVALID,
          "field \"shares\" must be from 1" },
        { "{\"kind\":\"shares\",\"symbol\":\"A\",\"shares\":1.5" TS, ERR_INVALID,
          "field \"shares\" must be an integer" },
        { "{\"kind\":\"shares\",\"symbol\":\"A\",\"shares\":1,\"float\":0" TS, ERR_INVALID,
          "field \"float\" must be from 0.00000001 to 1" },
        { "{\"kind\":\"shares\",\"symbol\":\"A\",\"shares\":1,\"float\":1.00000001" TS, ERR_INVALID,
          "field \"float\" must be" },
        { "{\"kind\":\"index\",\"index\":\"S&P\"" TS, ERR_INVALID, "field \"index\" may hold" },
        { "{\"kind\":\"index\",\"index\":\"a:b\"" TS, ERR_INVALID, "field \"index\" may hold" },
        { "{\"kind\":\"index\",\"index\":\"A\",\"base\":0" TS, ERR_INVALID,
          "field \"base\" must be from" },
        { "{\"kind\":\"membership\",\"index\":\"A\",\"symbol\":\"A\",\"member\":1" TS, ERR_INVALID,
          "field \"member\" must be true or false" },
        { "{\"kind\":\"membership\",\"index\":\"A\",\"symbol\":\"A\",\"shares\":0" TS, ERR_INVALID,
          "field \"shares\" must be from 1" },
        { "{\"kind\":\"article\",\"id\":\"a\",\"headline\":\"h\",\"symbols\":\"A\"" TS, ERR_INVALID,
          "field \"symbols\" must be an array of at most 64" },
        { "{\"kind\":\"article\",\"id\":\"a\",\"headline\":\"h\",\"symbols\":[\"A\",\"\"]" TS,
          ERR_INVALID, "field \"symbols\" needs" },
        { "{\"kind\":\"article\",\"id\":\"a\",\"headline\":\"h\",\"symbols\":[null]" TS,
          ERR_INVALID, "field \"symbols\" needs" },
        { "{\"kind\":\"exposure\",\"issuer\":\"A\",\"theme\":\"T\",\"value\":1.00000001" TS,
          ERR_INVALID, "field \"value\" must be from 0 to 1" },
        { "{\"kind\":\"exposure\",\"issuer\":\"A\",\"theme\":\"T\",\"value\":-0.1" TS, ERR_INVALID,
          "field \"value\" must be from 0 to 1" },
        { "{\"kind\":\"exposure\",\"issuer\":\"A\",\"theme\":\"T\"" TS, ERR_INVALID,
          "field \"value\" is missing" },
        { POSITION "\"x\"" TS, ERR_INVALID, "field \"tenant\" must have 36 to 36 bytes" },
        { POSITION "\"7c0a6ae1+54c1-4b8e-9d2f-0123456789ab\"" TS, ERR_INVALID,
          "field \"tenant\" must be a UUID" },
        { POSITION "\"00000000-0000-0000-0000-000000000000\"" TS, ERR_INVALID,
          "field \"tenant\" must be a UUID" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record r;
        enum err e = decode(rows[i].text, &r);
        if (e != rows[i].err || !strstr(why.text, rows[i].reason))
            fail_msg("%s: %s: %s", rows[i].text, err_name(e), why.text);
    }
#undef TS
#undef POSITION
}

/* A detail quotes the message; cut inside a character, it is still text that a database takes. */
static void a_detail_cut_inside_a_character_is_mended(void **state)
{
    (void)state;
    struct record r;
    char a[61];
    memset(a, 'a', 60);
    a[59] = '\0';
    assert_int_equal(
        decode(made("{\"kind\":\"clock\",\"%s\xC3\xA9\":1,\"ts\":1518037200000000001}", a), &r),
        ERR_INVALID);
    assert_string_equal(why.text, made("unknown field \"%s?\"", a));
}

static void article_has_at_most_64_tags(void **state)
{
    (void)state;
    for (int n = 64; n <= 65; n++) {
        char tags[1000] = "";
        for (int i = 0; i < n; i++)
            snprintf(tags + strlen(tags), sizeof tags - strlen(tags), "%s\"T%d\"", i ? "," : "", i);
        struct record r;
        enum err e = decode(
            made(
                "{\"kind\":\"article\",\"id\":\"a\",\"headline\":\"h\",\"symbols\":[%s],\"ts\":1518037200000000001}",
                tags),
            &r);
        if (n == 64) {
            assert_int_equal(e, ERR_OK);
            assert_int_equal(r.u.article.symbols_n, 64);
        } else assert_int_equal(e, ERR_INVALID);
    }
}

static void message_has_at_most_a_mebibyte(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "{\"kind\":\"clock\",\"ts\":1518037200000000001}",
        "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"ts\":1518037200000000001}"
    };
    char *text = malloc(MESSAGE_MAX + 1);
    assert_non_null(text);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct record r;
        memset(text, ' ', MESSAGE_MAX + 1);
        memcpy(text, messages[i], strlen(messages[i]));
        assert_int_equal(decode_n(text, MESSAGE_MAX, &r), ERR_OK);
        assert_int_equal(decode_n(text, MESSAGE_MAX + 1, &r), ERR_TOO_LARGE);
        assert_string_equal(why.text, "message of 1048577 bytes, at most 1048576 are taken");
    }
    free(text);
}

static void nothing_at_all_is_a_message_too(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(record_decode(NULL, 0, &arena, &r, NULL),
                     ERR_SYNTAX); /* a Kafka message without value */
    assert_int_equal(decode_n("\0", 1, &r), ERR_SYNTAX);
    assert_int_equal(decode_n("{\"kind\":\"clock\",\"ts\":1518037200000000001}\0", 24, &r),
                     ERR_SYNTAX);
}

/* ---- the two decoders, held against each other ---- */

static const char *const ticks[] = {
    "{\"kind\":\"trade\",\"symbol\":\"SYM0001\",\"price\":\"145.06\",\"size\":100,\"ts\":1700000000000000000}",
    "{\"kind\":\"close\", \"symbol\":\"AAPL\" ,\"price\":159.54,\"date\":\"2018-02-07\",\"ts\":1518037200000000000}",
};

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ticks); i++)
        for (size_t n = 0; n < strlen(ticks[i]); n++) {
            struct record r;
            assert_int_equal(decode_n(ticks[i], n, &r), ERR_SYNTAX);
        }
}

/* Every byte of a tick replaced by, and every gap filled with, each of 256 bytes: decode_n()
 * fails when the two disagree. */
static void every_single_change_gets_one_verdict(void **state)
{
    (void)state;
    int taken = 0;
    for (size_t i = 0; i < ARRAY_LEN(ticks); i++) {
        size_t n = strlen(ticks[i]);
        char text[200];
        for (size_t at = 0; at < n; at++)
            for (int c = 0; c < 256; c++) {
                struct record r;
                memcpy(text, ticks[i], n);
                text[at] = (char)c;
                taken += decode_n(text, n, &r) == ERR_OK;
                memmove(text + at + 1, ticks[i] + at, n - at);
                taken += decode_n(text, n + 1, &r) == ERR_OK;
            }
    }
    assert_in_range(taken, 1000,
                    20000); /* other digits, letters and blanks are fine; most bytes are not */
}

/* What the service tells itself is not for messages. */
static void only_kinds_of_feeds_are_messages(void **state)
{
    (void)state;
    for (int k = 1; k < RECORD_KIND_COUNT; k++) {
        const enum record_kind kind = (enum record_kind)k;
        struct record r;
        enum err e = decode(made("{\"kind\":\"%s\",\"ts\":-1}", record_kind_name(kind)), &r);
        assert_int_equal(e, record_origin(kind) == ORIGIN_FEED ? ERR_INVALID : ERR_UNKNOWN_KIND);
    }
}

/* ---- JSONTestSuite (Nicolas Seriot), "Parsing JSON is a Minefield" ---- */

enum { SUITE_MAX = 400 };
static struct {
    char name[256];
    char *bytes;
    size_t n;
} suite[SUITE_MAX];
static size_t suite_n;

static void suite_add(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    assert_in_range(suite_n, 0, SUITE_MAX - 1);
    snprintf(suite[suite_n].name, sizeof suite[0].name, "%s", name);
    suite[suite_n].bytes = malloc(n + 1);
    suite[suite_n].n = n;
    assert_non_null(suite[suite_n].bytes);
    assert_int_equal(fread(suite[suite_n].bytes, 1, n, f), n);
    fclose(f);
    suite_n++;
}

static void suite_load(void)
{
    const char *shared = getenv("TOCSIN_SHARED");
    if (suite_n) return;
    char folder[2048];
    snprintf(folder, sizeof folder, "%s/data/json/test_parsing", shared ? shared : "");
    DIR *d = shared ? opendir(folder) : NULL;
    if (!d) {
        print_message(
            "skipped: TOCSIN_SHARED names no folder with JSONTestSuite in data/json/test_parsing\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') suite_add(folder, e->d_name);
    closedir(d);
    assert_int_equal(suite_n, 318);
}

/* The strict loader: all 188 n_ refused, and of the 95 y_ only what our policy refuses:
 * duplicates and NUL. */
static void suite_against_the_strict_loader(void **state)
{
    (void)state;
    static const char *const policy[] = { "y_object_duplicated_key.json",
                                          "y_object_duplicated_key_and_value.json",
                                          "y_object_escaped_null_in_key.json",
                                          "y_string_null_escape.json" };
    suite_load();
    int refused = 0, taken = 0, by_policy = 0;
    for (size_t i = 0; i < suite_n; i++) {
        AUTO_JSON json_t *j = NULL;
        bool ok = json_load_strict(suite[i].bytes, suite[i].n, &j, &why) == ERR_OK;
        bool ours = false;
        for (size_t k = 0; k < ARRAY_LEN(policy); k++)
            ours |= strcmp(policy[k], suite[i].name) == 0;
        if (suite[i].name[0] == 'n' ? ok : suite[i].name[0] == 'y' && ok == ours)
            fail_msg("%s: %s", suite[i].name, ok ? "taken" : why.text);
        refused += suite[i].name[0] == 'n' && !ok;
        taken += suite[i].name[0] == 'y' && ok;
        by_policy += ours;
    }
    assert_int_equal(refused, 188);
    assert_int_equal(taken, 91);
    assert_int_equal(by_policy, 4);
}

/* No file of the suite is a record, neither alone nor as the value of any field; decode_n()
 * compares the two decoders. */
static void suite_as_messages(void **state)
{
    (void)state;
    static const struct {
        const char *head, *tail;
    } places[] = {
        { "", "" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"ts\":1518037200000000001,\"x\":",
          "}" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"ts\":1518037200000000001,\"price\":", "}" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"ts\":1518037200000000001,\"price\":1,\"size\":",
          "}" },
        { "{\"kind\":\"trade\",\"price\":1,\"ts\":1518037200000000001,\"symbol\":", "}" },
        { "{\"symbol\":\"A\",\"price\":1,\"ts\":1518037200000000001,\"kind\":", "}" },
        { "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"ts\":", "}" },
        { "{\"kind\":\"close\",\"symbol\":\"A\",\"price\":1,\"ts\":1518037200000000001,\"date\":",
          "}" },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"id\":\"i\",\"headline\":\"h\",\"body\":",
          "}" },
        { "{\"kind\":\"article\",\"ts\":1518037200000000001,\"id\":\"i\",\"headline\":\"h\",\"symbols\":",
          "}" },
    };
    suite_load();
    int taken = 0;
    for (size_t p = 0; p < ARRAY_LEN(places); p++)
        for (size_t i = 0; i < suite_n; i++) {
            size_t head = strlen(places[p].head), tail = strlen(places[p].tail),
                   n = head + suite[i].n + tail;
            char *text = malloc(n + 1);
            assert_non_null(text);
            memcpy(text, places[p].head, head);
            memcpy(text + head, suite[i].bytes, suite[i].n);
            memcpy(text + head + suite[i].n, places[p].tail, tail);
            struct record r;
            bool ok = decode_n(text, n, &r) == ERR_OK;
            if (ok && (suite[i].name[0] == 'n' || p < 2))
                fail_msg("%s taken after %s", suite[i].name, places[p].head);
            taken += ok;
            free(text);
        }
    assert_in_range(
        taken, 5,
        100); /* bare scalars of y_ files where the field takes them, [] and ["A"] as symbols */
}

/* What stands in the brackets of the n_number_ files is no price and no size, neither bare nor as
 * a string. */
static void suite_numbers_are_no_decimals(void **state)
{
    (void)state;
    suite_load();
    int seen = 0;
    for (size_t i = 0; i < suite_n; i++) {
        if (strncmp(suite[i].name, "n_number", 8) != 0 || suite[i].bytes[0] != '['
            || suite[i].n < 3)
            continue;
        size_t inner = suite[i].n - 1;
        while (inner > 1 && suite[i].bytes[inner] != ']') inner--;
        if (inner <= 1) continue;
        for (int quoted = 0; quoted < 2; quoted++) {
            const char *q = quoted ? "\"" : "";
            struct record r;
            enum err e = decode(
                made(
                    "{\"kind\":\"trade\",\"symbol\":\"A\",\"price\":1,\"ts\":1518037200000000001,\"size\":%s%.*s%s}",
                    q, (int)inner - 1, suite[i].bytes + 1, q),
                &r);
            if (!e) fail_msg("%s taken as a size", suite[i].name);
        }
        seen++;
    }
    assert_in_range(seen, 40, 60);
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    for (size_t i = 0; i < suite_n; i++) free(suite[i].bytes);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trade_and_close_are_read),
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(price_has_bounds),
        cmocka_unit_test(order_and_blanks_do_not_matter),
        cmocka_unit_test(odd_spellings_reach_the_dom_decoder),
        cmocka_unit_test(other_kinds_are_read),
        cmocka_unit_test(text_has_bounds),
        cmocka_unit_test(refused_with_a_reason),
        cmocka_unit_test(a_detail_cut_inside_a_character_is_mended),
        cmocka_unit_test(article_has_at_most_64_tags),
        cmocka_unit_test(message_has_at_most_a_mebibyte),
        cmocka_unit_test(nothing_at_all_is_a_message_too),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(every_single_change_gets_one_verdict),
        cmocka_unit_test(only_kinds_of_feeds_are_messages),
        cmocka_unit_test(suite_against_the_strict_loader),
        cmocka_unit_test(suite_as_messages),
        cmocka_unit_test(suite_numbers_are_no_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
