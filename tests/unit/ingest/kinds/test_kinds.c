/* test_kinds.c - every kind of record through its canonical JSON: what is written reads back as
 * the very record, and so does what older programs stored. The canonical texts here were written
 * by hand. */
#include "ingest/kinds/kind.h"

#include "ingest/formats/json.h"
#include "ingest/symbol.h"
#include "tests/fuzz/record_same.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct why why;

#define TENANT "7c0a6ae1-54c1-4b8e-9d2f-0123456789ab"
#define RULE "0b7f1a52-54c1-4b8e-9d2f-0123456789ab"

static struct uuid uuid_of(const char *text)
{
    struct uuid u;
    assert_int_equal(uuid_parse(text, strlen(text), &u), ERR_OK);
    return u;
}

static enum err restore(enum record_kind kind, const char *text, struct record *out)
{
    const struct record row = { .seq = 7,
                                .event_ns = 1518037200000000005,
                                .received_ms = 6,
                                .offset = 8,
                                .source_id = 9,
                                .kind = kind };
    why = (struct why){ .text = "" };
    return record_from_stored(&row, uuid_of(TENANT), text, strlen(text), &arena, out, &why);
}

/* ---- canonical texts ---- */

static const struct {
    enum record_kind kind;
    const char *said, *canonical;
} texts[] = {
    { RECORD_TRADE,
      "{\"price\":1.725e2,\"symbol\":\"AAPL\",\"ts\":1518037200000000005,\"kind\":\"trade\"}",
      "{\"kind\":\"trade\",\"ts\":1518037200000000005,\"symbol\":\"AAPL\",\"price\":\"172.5\",\"size\":\"0\"}" },
    { RECORD_CLOSE,
      "{ \"kind\":\"close\",\"symbol\":\"B/C\",\"price\":\"159.540\",\"date\":\"2018-02-07\",\"ts\":1518037200000000005}",
      "{\"kind\":\"close\",\"ts\":1518037200000000005,\"symbol\":\"B/C\",\"price\":\"159.54\",\"date\":\"2018-02-07\"}" },
    { RECORD_CLOCK, "{\"kind\":\"clock\",\"ts\":1518037200000000005,\"session_end\":null}",
      "{\"kind\":\"clock\",\"ts\":1518037200000000005,\"presumed\":false}" },
    { RECORD_CLOCK,
      "{\"kind\":\"clock\",\"session_end\":\"2018-02-07\",\"ts\":1518037200000000005}",
      "{\"kind\":\"clock\",\"ts\":1518037200000000005,\"session_end\":\"2018-02-07\",\"presumed\":false}" },
    { RECORD_ISSUER,
      "{\"kind\":\"issuer\",\"name\":\"\",\"issuer\":\"A \\u0022B\\u0022\",\"ts\":1518037200000000005}",
      "{\"kind\":\"issuer\",\"ts\":1518037200000000005,\"issuer\":\"A \\\"B\\\"\"}" },
    { RECORD_INSTRUMENT,
      "{\"kind\":\"instrument\",\"issuer\":\"I\",\"name\":\"Caf\\u00e9\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"instrument\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"issuer\":\"I\",\"name\":\"Caf\xC3\xA9\"}" },
    { RECORD_INSTRUMENT,
      "{\"kind\":\"instrument\",\"negative_prices\":true,\"issuer\":\"I\",\"symbol\":\"CL\",\"ts\":1518037200000000005}",
      "{\"kind\":\"instrument\",\"ts\":1518037200000000005,\"symbol\":\"CL\",\"issuer\":\"I\",\"negative_prices\":true}" },
    { RECORD_INSTRUMENT,
      "{\"kind\":\"instrument\",\"negative_prices\":false,\"issuer\":\"I\",\"symbol\":\"CL\",\"ts\":1518037200000000005}",
      "{\"kind\":\"instrument\",\"ts\":1518037200000000005,\"symbol\":\"CL\",\"issuer\":\"I\",\"negative_prices\":false}" },
    { RECORD_INSTRUMENT,
      "{\"kind\":\"instrument\",\"figi\":\"BBG000B9XRY4\",\"isin\":\"US0378331005\",\"issuer\":\"APPLE\",\"symbol\":\"AAPL\",\"ts\":1518037200000000005}",
      "{\"kind\":\"instrument\",\"ts\":1518037200000000005,\"symbol\":\"AAPL\",\"issuer\":\"APPLE\",\"isin\":\"US0378331005\",\"figi\":\"BBG000B9XRY4\"}" },
    { RECORD_ALIAS,
      "{\"kind\":\"alias\",\"symbol\":\"BRK.B\",\"alias\":\"BRK/B\",\"ts\":1518037200000000005}",
      "{\"kind\":\"alias\",\"ts\":1518037200000000005,\"alias\":\"BRK/B\",\"symbol\":\"BRK.B\"}" },
    { RECORD_RENAME,
      "{\"kind\":\"rename\",\"to\":\"META\",\"symbol\":\"FB\",\"ts\":1518037200000000005}",
      "{\"kind\":\"rename\",\"ts\":1518037200000000005,\"symbol\":\"FB\",\"to\":\"META\",\"effective\":\"2018-02-07\"}" },
    { RECORD_INDEX,
      "{\"kind\":\"index\",\"spin_offs\":\"close\",\"index\":\"X\",\"ts\":1518037200000000005}",
      "{\"kind\":\"index\",\"ts\":1518037200000000005,\"index\":\"X\",\"base\":\"1000\",\"spin_offs\":\"close\"}" },
    { RECORD_ISSUER_RENAME,
      "{\"kind\":\"issuer_rename\",\"to\":\"X CORP\",\"issuer\":\"TWITTER\",\"ts\":1518037200000000005}",
      "{\"kind\":\"issuer_rename\",\"ts\":1518037200000000005,\"issuer\":\"TWITTER\",\"to\":\"X CORP\",\"effective\":\"2018-02-07\"}" },
    { RECORD_SHARES,
      "{\"kind\":\"shares\",\"shares\":4398046511104,\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"shares\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"shares\":4398046511104,\"float\":\"1\"}" },
    { RECORD_SHARES,
      "{\"kind\":\"shares\",\"shares\":5,\"float\":0.5,\"effective\":\"2020-08-31\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"shares\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"shares\":5,\"float\":\"0.5\",\"effective\":\"2020-08-31\"}" },
    { RECORD_SPLIT,
      "{\"kind\":\"split\",\"old\":1,\"new\":4,\"effective\":\"2020-08-31\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"split\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"new\":4,\"old\":1,\"effective\":\"2020-08-31\"}" },
    { RECORD_SPLIT,
      "{\"kind\":\"split\",\"old\":1000000,\"new\":1,\"effective\":\"2020-08-31\",\"announced\":\"2020-07-30\",\"source\":\"s\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"split\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"new\":1,\"old\":1000000,\"effective\":\"2020-08-31\",\"announced\":\"2020-07-30\",\"source\":\"s\"}" },
    { RECORD_DIVIDEND,
      "{\"kind\":\"dividend\",\"ex\":\"2018-02-09\",\"amount\":0.63,\"symbol\":\"A\",\"currency\":\"USD\",\"ts\":1518037200000000005}",
      "{\"kind\":\"dividend\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"amount\":\"0.63\",\"ex\":\"2018-02-09\",\"special\":false,\"currency\":\"USD\"}" },
    { RECORD_SPIN_OFF,
      "{\"kind\":\"spin_off\",\"effective\":\"2015-07-20\",\"new\":1,\"old\":2,\"parent\":\"A\",\"child\":\"B\",\"ts\":1518037200000000005}",
      "{\"kind\":\"spin_off\",\"ts\":1518037200000000005,\"parent\":\"A\",\"child\":\"B\",\"new\":1,\"old\":2,\"effective\":\"2015-07-20\",\"value\":\"0\"}" },
    { RECORD_MERGER,
      "{\"kind\":\"merger\",\"effective\":\"2018-06-07\",\"price\":128,\"acquirer\":\"BAYN\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"merger\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"effective\":\"2018-06-07\",\"price\":\"128\",\"acquirer\":\"BAYN\"}" },
    { RECORD_DELISTING,
      "{\"kind\":\"delisting\",\"effective\":\"2018-06-07\",\"symbol\":\"A\",\"ts\":1518037200000000005}",
      "{\"kind\":\"delisting\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"effective\":\"2018-06-07\",\"price\":\"0\"}" },
    { RECORD_INDEX, "{\"kind\":\"index\",\"index\":\"SP500\",\"ts\":1518037200000000005}",
      "{\"kind\":\"index\",\"ts\":1518037200000000005,\"index\":\"SP500\",\"base\":\"1000\"}" },
    { RECORD_MEMBERSHIP,
      "{\"kind\":\"membership\",\"symbol\":\"A\",\"index\":\"X\",\"ts\":1518037200000000005}",
      "{\"kind\":\"membership\",\"ts\":1518037200000000005,\"index\":\"X\",\"symbol\":\"A\",\"member\":true}" },
    { RECORD_MEMBERSHIP,
      "{\"kind\":\"membership\",\"symbol\":\"A\",\"index\":\"X\",\"ts\":1518037200000000005,\"member\":false,\"shares\":1}",
      "{\"kind\":\"membership\",\"ts\":1518037200000000005,\"index\":\"X\",\"symbol\":\"A\",\"member\":false,\"shares\":1}" },
    { RECORD_ARTICLE,
      "{\"kind\":\"article\",\"symbols\":[\"B\",\"A\",\"B\"],\"headline\":\"a\\nb\",\"id\":\"n\",\"ts\":1518037200000000005}",
      "{\"kind\":\"article\",\"ts\":1518037200000000005,\"id\":\"n\",\"headline\":\"a\\nb\",\"symbols\":[\"B\",\"A\"]}" },
    { RECORD_EXPOSURE, /* 86400 s later it would be the second day */
      "{\"kind\":\"exposure\",\"value\":0.40,\"theme\":\"AI\",\"issuer\":\"I\",\"ts\":1518037200000000005}",
      "{\"kind\":\"exposure\",\"ts\":1518037200000000005,\"issuer\":\"I\",\"theme\":\"AI\",\"value\":\"0.4\",\"effective_from\":\"2018-02-07\"}" },
    { RECORD_POSITION,
      "{\"kind\":\"position\",\"tenant\":\"7C0A6AE1-54C1-4B8E-9D2F-0123456789AB\",\"book\":\"b\",\"symbol\":\"A\",\"quantity\":-25.5,\"ts\":1518037200000000005}",
      "{\"kind\":\"position\",\"ts\":1518037200000000005,\"tenant\":\"" TENANT
      "\",\"book\":\"b\",\"symbol\":\"A\",\"quantity\":\"-25.5\"}" },
    /* as the service stored its own before it wrote canonical texts */
    { RECORD_RULE_PUT,
      "{\"rule_id\":\"" RULE "\",\"definition\":{\"rule\":\"hhi(X) > 90\", \"hold_s\":1}}",
      "{\"kind\":\"rule_put\",\"ts\":1518037200000000005,\"tenant\":\"" TENANT
      "\",\"rule_id\":\"" RULE
      "\",\"definition\":{\"rule\":\"hhi(X) > 90\", \"hold_s\":1},\"ends\":false}" },
    { RECORD_RULE_DELETE, "{\"rule_id\":\"" RULE "\"}",
      "{\"kind\":\"rule_delete\",\"ts\":1518037200000000005,\"tenant\":\"" TENANT
      "\",\"rule_id\":\"" RULE "\",\"ends\":false}" },
    { RECORD_TRACK, "{\"measure\":\"ew_level(X, ew=daily)\"}",
      "{\"kind\":\"track\",\"ts\":1518037200000000005,\"measure\":\"ew_level(X, ew=daily)\"}" },
    { RECORD_HISTORY,
      "{\"kind\":\"history\",\"measure\":\"hhi(X)\",\"text\":\"2000-03-24,91.2\",\"ts\":1518037200000000005}",
      "{\"kind\":\"history\",\"ts\":1518037200000000005,\"measure\":\"hhi(X)\",\"text\":\"2000-03-24,91.2\"}" },
    { RECORD_CALENDAR, "{\"kind\":\"calendar\",\"text\":\"calendar,X\",\"ts\":1518037200000000005}",
      "{\"kind\":\"calendar\",\"ts\":1518037200000000005,\"text\":\"calendar,X\"}" },
    { RECORD_RETRACTION,
      "{\"kind\":\"retraction\",\"source\":\"w\",\"id\":\"n\",\"ts\":1518037200000000005}",
      "{\"kind\":\"retraction\",\"ts\":1518037200000000005,\"id\":\"n\",\"source\":\"w\"}" },
    { RECORD_QUALITY_RELEASE, "{\"quality_id\":\"" RULE "\"}",
      "{\"kind\":\"quality_release\",\"ts\":1518037200000000005,\"quality_id\":\"" RULE "\"}" },
    { RECORD_REFUSAL, "{\"reason\":\"field \\\"price\\\"\",\"symbol\":\"A\"}",
      "{\"kind\":\"refusal\",\"ts\":1518037200000000005,\"symbol\":\"A\",\"reason\":\"field \\\"price\\\"\"}" },
    { RECORD_BURST, "{\"of\":41}", "{\"kind\":\"burst\",\"ts\":1518037200000000005,\"of\":41}" },
    { RECORD_SETTINGS,
      "{\"stale_after_ns\":5000000000,\"sample_ns\":7,\"coverage_gate_e8\":95000000}",
      "{\"kind\":\"settings\",\"ts\":1518037200000000005,\"stale_after_ns\":5000000000,\"sample_ns\":7,\"coverage_gate_e8\":95000000,\"drop_unasked\":false,\"meaning\":0,\"session_grace_ns\":0,\"hold_shares\":false,\"burst_alerts\":0,\"readings_on_change\":false}" },
};

/* Numbers as their registries give them; and with one digit or two letters exchanged. */
static void numbers_have_a_check_digit(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value, *says;
    } rows[] = {
        { "isin", "US0378331005", NULL },
        { "isin", "US30303M1027", NULL },
        { "isin", "US02079K3059", NULL },
        { "isin", "GB0002634946", NULL },
        { "isin", "AU0000XVGZA3", NULL },
        { "isin", "JP3633400001", NULL },
        { "figi", "BBG000B9XRY4", NULL },
        { "figi", "BBG000BLNNH6", NULL },
        { "figi", "BBG009S39JX6", NULL },
        { "isin", "US0378331006", "field \"isin\": the check digit of US037833100 is 5, not 6" },
        { "isin", "US0373831005", "the check digit of US037383100 is " },
        { "isin", "US037833100", "needs 12 characters" },
        { "isin", "us0378331005", "needs 12 characters: two letters" },
        { "isin", "0S0378331005", "needs 12 characters" },
        { "isin", "US03783310AB", "needs 12 characters" },
        { "figi", "BBG000B9XRY5", "field \"figi\": the check digit of BBG000B9XRY is 4, not 5" },
        { "figi", "BBG000B9XYR4", "the check digit of BBG000B9XYR is " },
        { "figi", "BBG000A9XRY4", "needs 12 characters: consonants" },
        { "figi", "GBG000B9XRY4", "needs 12 characters" },
        { "figi", "BBX000B9XRY4", "needs 12 characters" },
        { "figi", "BBG000B9XRYX", "needs 12 characters" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[200];
        struct record r;
        snprintf(text, sizeof text,
                 "{\"kind\":\"instrument\",\"symbol\":\"A\",\"issuer\":\"I\",\"%s\":\"%s\"}",
                 rows[i].field, rows[i].value);
        const enum err e = restore(RECORD_INSTRUMENT, text, &r);
        if ((e != ERR_OK) != (rows[i].says != NULL)) fail_msg("%s: %s", rows[i].value, why.text);
        if (rows[i].says && !strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].value, why.text);
    }
}

static void a_record_is_written_in_one_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct record said, canonical;
        AUTO_BUF struct buf b = { 0 };
        if (restore(texts[i].kind, texts[i].said, &said))
            fail_msg("%s: %s", texts[i].said, why.text);
        record_write(&said, &b);
        assert_true(buf_ok(&b));
        assert_string_equal(b.data, texts[i].canonical);
        if (restore(texts[i].kind, b.data, &canonical)) fail_msg("%s: %s", b.data, why.text);
        assert_true(record_same(&said, &canonical));
    }
    arena_clear(&arena);
}

static void every_kind_is_among_them(void **state)
{
    (void)state;
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        size_t i = 0;
        while (i < ARRAY_LEN(texts) && texts[i].kind != k) i++;
        if (i == ARRAY_LEN(texts)) fail_msg("no canonical text of %s here", record_kind_name(k));
        assert_non_null(record_type(k)->about);
    }
}

/* The page of messages has what a feed may say, every field of it, and nothing else. */
static void the_page_has_every_kind_of_a_feed(void **state)
{
    (void)state;
    AUTO_BUF struct buf page = { 0 };
    kinds_reference(&page);
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
        const struct record_type *t = record_type(k);
        char text[80];
        snprintf(text, sizeof text, "\n| `%s` | %s | `", record_kind_name(k), t->about);
        const char *row = strstr(page.data, text);
        assert_int_equal(row != NULL, record_origin(k) == ORIGIN_FEED);
        for (unsigned i = 0; row && i < t->fields_n; i++) {
            snprintf(text, sizeof text, "`%s`: ", t->fields[i].name);
            const char *field = strstr(row, text);
            assert_true(field && field < strchr(row + 1, '\n'));
        }
    }
}

/* What a feed says is the same record, whichever of the two ways it is read. */
static void a_message_reads_as_what_is_stored_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct record message, stored;
        if (record_origin(texts[i].kind) != ORIGIN_FEED) continue;
        assert_int_equal(
            record_decode(texts[i].said, strlen(texts[i].said), &arena, &message, &why), ERR_OK);
        assert_int_equal(restore(texts[i].kind, texts[i].canonical, &stored), ERR_OK);
        assert_int_equal(stored.seq, 7);
        assert_int_equal(stored.received_ms, 6);
        assert_int_equal(stored.offset, 8);
        assert_int_equal(stored.source_id, 9);
        message.seq = 7;
        message.received_ms = 6;
        message.offset = 8;
        message.source_id = 9;
        assert_true(record_same(&message, &stored));
    }
    arena_clear(&arena);
}

/* ---- the row beside the text ---- */

static void the_row_has_the_time_and_the_text_the_owner(void **state)
{
    (void)state;
    struct record r;
    assert_int_equal(restore(RECORD_CLOCK, "{\"kind\":\"clock\",\"ts\":1}", &r), ERR_OK);
    assert_int_equal(r.event_ns, 1518037200000000005);
    const char *other = "{\"tenant\":\"" RULE "\",\"rule_id\":\"" TENANT "\"}";
    assert_int_equal(restore(RECORD_RULE_DELETE, other, &r), ERR_OK);
    assert_true(uuid_equal(r.u.rule.tenant, uuid_of(RULE)));
    assert_true(uuid_equal(r.u.rule.rule, uuid_of(TENANT)));
    arena_clear(&arena);
}

static void what_does_not_fit_its_row_is_refused(void **state)
{
    (void)state;
    static const struct {
        int kind;
        const char *text;
        enum err err;
        const char *reason;
    } rows[] = {
        { RECORD_SHARES, "{\"kind\":\"clock\",\"ts\":5}", ERR_INVALID,
          "stored as kind shares, reads as kind clock" },
        { RECORD_TRADE, "{\"kind\":\"clock\",\"ts\":5}", ERR_INVALID, "reads as kind clock" },
        { RECORD_CLOCK, "{\"kind\":7}", ERR_INVALID, "field \"kind\" must be a string" },
        { RECORD_KIND_COUNT, "{}", ERR_UNKNOWN_KIND, "which this program does not know" },
        { -1, "{}", ERR_UNKNOWN_KIND, "stored as kind -1" },
        { RECORD_CLOCK, "", ERR_SYNTAX, "not valid JSON" },
        { RECORD_CLOCK, "[]", ERR_INVALID, "expected a JSON object" },
        { RECORD_CLOCK, "{\"ts\":\"5\"}", ERR_INVALID, "field \"ts\" must be an integer" },
        { RECORD_CLOCK, "{\"oops\":1}", ERR_INVALID, "unknown field \"oops\"" },
        { RECORD_RULE_PUT, "{}", ERR_INVALID, "field \"rule_id\" is missing" },
        { RECORD_RULE_PUT, "{\"rule_id\":\"x\"}", ERR_INVALID, "field \"rule_id\" must have 36" },
        { RECORD_RULE_PUT, "{\"rule_id\":\"" RULE "\"}", ERR_INVALID,
          "field \"definition\" is missing" },
        { RECORD_RULE_PUT, "{\"rule_id\":\"" RULE "\",\"definition\":\"{}\"}", ERR_INVALID,
          "field \"definition\" must be an object" },
        { RECORD_SPLIT, "{\"symbol\":\"A\",\"new\":0,\"old\":1,\"effective\":\"2020-08-31\"}",
          ERR_INVALID, "field \"new\" must be from 1 to 1000000" },
        { RECORD_SPLIT, "{\"symbol\":\"A\",\"new\":4,\"old\":1}", ERR_INVALID,
          "field \"effective\" is missing" },
        { RECORD_MERGER, "{\"symbol\":\"A\",\"effective\":\"2018-06-07\",\"new\":0}", ERR_INVALID,
          "field \"new\" must be from 1" },
        { RECORD_DIVIDEND, "{\"symbol\":\"A\",\"amount\":0,\"ex\":\"2018-06-07\"}", ERR_INVALID,
          "field \"amount\" must be from 0.00000001" },
        { RECORD_TRACK, "{}", ERR_INVALID, "field \"measure\" is missing" },
        { RECORD_SETTINGS, "{\"sample_ns\":-1}", ERR_INVALID,
          "field \"sample_ns\" must be from 0" },
        { RECORD_SETTINGS, "{\"coverage_gate_e8\":100000001}", ERR_INVALID,
          "must be from 0 to 100000000" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record r = { .seq = 1 };
        enum err e = restore((enum record_kind)rows[i].kind, rows[i].text, &r);
        if (e != rows[i].err || !strstr(why.text, rows[i].reason))
            fail_msg("%s: %s: %s", rows[i].text, err_name(e), why.text);
        assert_int_equal(r.seq, 1); /* untouched */
    }
    arena_clear(&arena);
}

/* ---- any record at all ---- */

static uint64_t seed;
static uint64_t chance(void) /* xorshift64 */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* The ends of the range often, else anything in it. */
static int64_t number_between(int64_t min, int64_t max)
{
    const uint64_t width = (uint64_t)max - (uint64_t)min, pick = chance() % 6;
    if (pick == 0) return min;
    if (pick == 1) return max;
    const uint64_t step = chance() >> chance() % 63;
    return (int64_t)((uint64_t)min + (width == UINT64_MAX ? step : step % (width + 1)));
}

static struct str text_between(int64_t min, int64_t max)
{
    static const char *const pieces[] = {
        "a",      "Z",    "\"",       "\\", "/", "\n",           " ",
        "\x01",   "\x7F", "\xC3\xA9", "{",  ",", "\xE2\x80\xA8", "\xF0\x9F\x93\x88",
        "\\u0000"
    };
    const size_t want = (size_t)number_between(min, max < 300 ? max : 300);
    char text[400];
    size_t n = 0;
    while (n < want) {
        const char *p = pieces[chance() % ARRAY_LEN(pieces)];
        if (n + strlen(p) > want) p = "x";
        memcpy(text + n, p, strlen(p));
        n += strlen(p);
    }
    return (struct str){ arena_copy(&arena, text, n), (uint32_t)n };
}

static struct str name_up_to(int64_t max)
{
    static const char letters[] = "ABZabz019.-_";
    char text[64];
    size_t n = (size_t)number_between(1, max);
    for (size_t i = 0; i < n; i++) text[i] = letters[chance() % (sizeof letters - 1)];
    return (struct str){ arena_copy(&arena, text, n), (uint32_t)n };
}

static struct symbol any_symbol(void)
{
    struct symbol s;
    const struct str name = name_up_to(SYMBOL_MAX);
    assert_int_equal(symbol_from(name.p, name.n, &s), ERR_OK);
    return s;
}

static struct uuid any_uuid(void)
{
    return uuid_derive((struct uuid){ { 1 } }, chance(), chance());
}

/* Values as its type and bounds allow. False: of a type that its kind made for itself. */
static bool put_value(const struct record_field *d, struct record *r)
{
    char *at = (char *)r + d->at;
    if (d->type == &field_text) *(struct str *)at = text_between(d->min, d->max);
    else if (d->type == &field_name) *(struct str *)at = name_up_to(d->max);
    else if (d->type == &field_symbol) *(struct symbol *)at = any_symbol();
    else if (d->type == &field_decimal) *(int64_t *)at = number_between(d->min, d->max);
    else if (d->type == &field_integer)
        *(int64_t *)at = chance() % 4 || d->missing == FIELD_REQUIRED
                             ? number_between(d->min, d->max)
                             : d->missing;
    else if (d->type == &field_flag) *(bool *)at = chance() % 2;
    else if (d->type == &field_day) /* 1700-01-01 to 2261-12-31 */
        *(int32_t *)at = d->missing == NO_DAY && chance() % 3 == 0
                             ? NO_DAY
                             : (int32_t)number_between(-98615, 106650);
    else if (d->type == &field_uuid || d->type == &field_tenant) *(struct uuid *)at = any_uuid();
    else return false;
    return true;
}

static void put_odd_value(struct record *r)
{
    static const char *const definitions[] = { "{}", "{\"rule\":\"a > 1\"}",
                                               "{\"a\":[1,{\"b\":\"}\"}]}" };
    if (r->kind == RECORD_RULE_PUT) {
        const char *d = definitions[chance() % ARRAY_LEN(definitions)];
        r->u.rule.definition = (struct str){ d, (uint32_t)strlen(d) };
    }
    if (r->kind == RECORD_ARTICLE) {
        struct symbol *tags = arena_alloc(&arena, ARTICLE_SYMBOLS_MAX * sizeof *tags);
        const uint32_t n = (uint32_t)number_between(0, ARTICLE_SYMBOLS_MAX);
        for (uint32_t i = 0; i < n; i++) {
            char text[16]; /* all different: a repetition would count once */
            snprintf(text, sizeof text, "T%" PRIu32, i * 7);
            assert_int_equal(symbol_from(text, strlen(text), &tags[i]), ERR_OK);
        }
        r->u.article.symbols = tags;
        r->u.article.symbols_n = n;
    }
}

static void whatever_is_written_reads_back(void **state)
{
    (void)state;
    seed = 0x9E3779B97F4A7C15u;
    for (int turn = 0; turn < 2000; turn++)
        for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++) {
            struct record r = { .kind = k, .event_ns = number_between(0, INT64_MAX) }, row = r,
                          back;
            const struct record_type *t = record_type(k);
            AUTO_BUF struct buf once = { 0 }, twice = { 0 };
            for (unsigned i = 0; i < t->fields_n; i++)
                if (!put_value(&t->fields[i], &r)) put_odd_value(&r);
            record_write(&r, &once);
            const struct uuid owner = record_owner(&r) ? *record_owner(&r) : (struct uuid){ { 0 } };
            if (record_from_stored(&row, owner, once.data, once.len, &arena, &back, &why))
                fail_msg("%s: %s", once.data, why.text);
            if (!record_same(&r, &back)) fail_msg("%s: another record", once.data);
            record_write(&back, &twice);
            assert_string_equal(once.data, twice.data);
            arena_clear(&arena);
        }
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_written_in_one_way),
        cmocka_unit_test(numbers_have_a_check_digit),
        cmocka_unit_test(every_kind_is_among_them),
        cmocka_unit_test(the_page_has_every_kind_of_a_feed),
        cmocka_unit_test(a_message_reads_as_what_is_stored_of_it),
        cmocka_unit_test(the_row_has_the_time_and_the_text_the_owner),
        cmocka_unit_test(what_does_not_fit_its_row_is_refused),
        cmocka_unit_test(whatever_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
