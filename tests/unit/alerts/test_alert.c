/* The one JSON text of an alert: field by field, and stable byte for byte, since a signature covers it. */
#include "alerts/alert.h"
#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct alert sample(void)
{
    struct alert a = {
        .stream_no = 7,
        .seq = 1234,
        .event_ns = 1518037200000000000,
        .rule_no = 9,
        .rule_version = 2,
        .state = ALERT_FIRING,
        .severity = SEVERITY_WARNING,
        .value = 181.2,
        .rule_name = "HHI high",
        .rule_text = "hhi(DEMO) >= 180",
        .measure = "hhi(DEMO)",
        .unit = "points",
        .inputs = "{\"top\":[{\"symbol\":\"AAPL\",\"weight\":0.07}]}",
        .episode = { { 0xE0, 1 } },
        .reason = ALERT_MET,
        .since_ns = 1518037199500000000,
        .previous = 179.5,
        .op = OP_GE,
        .threshold = 180,
        .clear = 175,
        .hold_s = 30,
        .definition = "{\"measure\":\"hhi\",\"of\":\"DEMO\"}",
    };
    for (size_t i = 0; i < 16; i++)
        a.alert_id.b[i] = (uint8_t)(0xA0 + i), a.rule_id.b[i] = (uint8_t)i;
    return a;
}

static void the_text_is_exactly_this(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = { 0 };
    struct alert a = sample();
    alert_render(&a, NULL, &out);
    assert_true(buf_ok(&out));
    assert_string_equal(
        out.data,
        "{\"type\":\"alert.firing\",\"id\":\"a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf\",\"stream_no\":7,\"seq\":1234,\"time\":\"2018-02-07T21:00:00Z\","
        "\"rule\":{\"id\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\",\"version\":2,\"name\":\"HHI high\",\"text\":\"hhi(DEMO) >= 180\"},"
        "\"severity\":\"warning\",\"state\":\"firing\",\"reason\":\"met\",\"episode\":\"e0010000-0000-0000-0000-000000000000\","
        "\"since\":\"2018-02-07T20:59:59.500Z\",\"measure\":\"hhi(DEMO)\",\"definition\":{\"measure\":\"hhi\",\"of\":\"DEMO\"},"
        "\"condition\":{\"op\":\">=\",\"threshold\":180,\"clear\":175,\"hold_s\":30,\"hold_in\":\"clock\",\"at\":\"trade\"},\"value\":181.2,\"previous\":179.5,\"unit\":\"points\","
        "\"inputs\":{\"top\":[{\"symbol\":\"AAPL\",\"weight\":0.07}]},"
        "\"summary\":\"HHI high: hhi(DEMO) is 181.2 points, at or above 180 for 30 s; it was 179.5 points\",\"link\":null}");
}

static void a_link_leads_to_the_alert_on_the_page(void **state)
{
    (void)state;
    static const struct {
        const char *page, *link;
    } rows[] = {
        { "https://a.example",
          "\"link\":\"https://a.example/#alert=a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf\"" },
        { "https://a.example/x/",
          "\"link\":\"https://a.example/x/#alert=a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf\"" },
        { "", "\"link\":null" },
    };
    struct alert a = sample();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf out = { 0 };
        alert_render(&a, rows[i].page, &out);
        assert_non_null(strstr(out.data, rows[i].link));
    }
}

/* A sentence says what is true: digits are left out only where that leaves the number on its side of the threshold. */
static void the_sentence_is_for_a_person(void **state)
{
    (void)state;
    static const struct {
        enum alert_reason reason;
        enum rule_op op;
        double threshold, value, previous;
        int64_t hold_s;
        const char *name, *unit, *says;
    } rows[] = {
        { ALERT_MET, OP_GE, 180, 207.289019356889, 179.94, 0, "High", "0-10000",
          "High: hhi(DEMO) is 207.289, at or above 180; it was 179.94" },
        { ALERT_MET, OP_GT, 2.5, 2.50000001, NAN, 0, "", "%",
          "hhi(DEMO) is 2.50000001 %, above 2.5" },
        { ALERT_MET, OP_LT, 100, 99.99999999, 100, 5, "", "USD",
          "hhi(DEMO) is 99.99999999 USD, below 100 for 5 s; it was 100 USD" },
        { ALERT_MET, OP_LE, 12345678, 12345677.25, 12345680, 0, "", "USD",
          "hhi(DEMO) is 12345677.25 USD, at or below 12345678; it was 12345680 USD" },
        { ALERT_CLEARED, OP_GE, 180, 174, 181, 9, "High", "",
          "High: resolved: hhi(DEMO) is 174, no longer at or above 180; it was 181" },
        { ALERT_CHANGED, OP_GE, 190, 181, NAN, 0, "", "",
          "resolved, the rule was changed: hhi(DEMO) is 181, no longer at or above 190" },
        { ALERT_DISABLED, OP_GE, 180, 181, NAN, 0, "", "",
          "resolved, the rule was disabled: hhi(DEMO) is 181, at or above 180" },
        { ALERT_DELETED, OP_GE, 180, NAN, NAN, 0, "", "",
          "resolved, the rule was deleted: hhi(DEMO) is unknown" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf out = { 0 };
        struct alert a = sample();
        a.reason = rows[i].reason;
        a.op = rows[i].op;
        a.threshold = rows[i].threshold;
        a.value = rows[i].value;
        a.previous = rows[i].previous;
        a.hold_s = rows[i].hold_s;
        a.rule_name = rows[i].name;
        a.unit = rows[i].unit;
        alert_summary(&a, &out);
        assert_string_equal(out.data, rows[i].says);
    }
}

/* What the measure says of itself comes first, of a firing alone. */
static void a_measure_that_says_it_is_heard(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = { 0 };
    struct alert a = sample();
    a.rule_name = "";
    a.inputs =
        "{\"of\":\"hhi(DEMO)\",\"says\":\"DEMO's concentration (HHI) is 91.2, the highest since 24 March 2000, when it was 92\"}";
    a.measure = "highest_since(hhi(DEMO), unit=years)";
    a.unit = "years";
    a.value = 20.125;
    a.op = OP_GT;
    a.threshold = 20;
    a.previous = NAN;
    a.hold_s = 0;
    alert_summary(&a, &out);
    assert_string_equal(
        out.data,
        "DEMO's concentration (HHI) is 91.2, the highest since 24 March 2000, when it was 92: "
        "highest_since(hhi(DEMO), unit=years) is 20.125 years, above 20");
    a.reason = ALERT_CLEARED;
    a.value = 1.5;
    buf_clear(&out);
    alert_summary(&a, &out);
    assert_string_equal(out.data, "resolved: highest_since(hhi(DEMO), unit=years) is 1.5 years, "
                                  "no longer above 20");
    a.reason = ALERT_MET;
    a.inputs = "{\"says\":"; /* cut, or not a text: as if it said nothing */
    buf_clear(&out);
    alert_summary(&a, &out);
    assert_string_equal(out.data,
                        "highest_since(hhi(DEMO), unit=years) is 1.5 years, no longer above 20");
}

static void hostile_names_stay_inside_their_strings(void **state)
{
    (void)state;
    static const char *const names[] = { "\"},\"id\":\"",
                                         "line\nbreak\r\n\tand tab",
                                         "back\\slash",
                                         "\x01\x1f\x7f",
                                         "\xC3\xA9\xF0\x9F\x94\x94",
                                         "</script>",
                                         "" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO_BUF struct buf out = { 0 };
        AUTO_JSON json_t *j = NULL;
        struct alert a = sample();
        a.rule_name = names[i];
        a.unit = names[i];
        a.state = ALERT_RESOLVED;
        a.severity = SEVERITY_CRITICAL;
        alert_render(&a, NULL, &out);
        assert_int_equal(json_load_strict(out.data, out.len, &j, NULL), ERR_OK);
        assert_string_equal(json_string_value(json_object_get(json_object_get(j, "rule"), "name")),
                            names[i]);
        assert_string_equal(json_string_value(json_object_get(j, "unit")), names[i]);
        assert_string_equal(json_string_value(json_object_get(j, "type")), "alert.resolved");
        assert_string_equal(json_string_value(json_object_get(j, "state")), "resolved");
        assert_string_equal(json_string_value(json_object_get(j, "severity")), "critical");
        assert_int_equal(json_object_size(j), 20);
        assert_null(
            memchr(out.data, '\n', out.len)); /* one line: it is also the data of a stream event */
    }
}

/* What a program before schema 5 stored says what it knows, and null of the rest. */
static void an_older_alert_says_null_of_what_it_does_not_know(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = { 0 };
    struct alert a = sample();
    a.episode = (struct uuid){ { 0 } };
    a.since_ns = 0;
    a.previous = NAN;
    alert_render(&a, NULL, &out);
    assert_non_null(strstr(out.data, "\"reason\":\"met\",\"episode\":null,\"since\":null,"));
    assert_non_null(strstr(out.data, "\"previous\":null,"));
    for (size_t i = 0; i < alert_row.columns_n; i++) {
        const struct column *c = &alert_row.columns[i];
        static const char *const news[] = { "episode",    "reason",    "since_ns", "previous",
                                            "op",         "threshold", "clear",    "hold_s",
                                            "definition", "inputs",    "looks_at", "hold_in" };
        bool newer = false;
        for (size_t k = 0; k < ARRAY_LEN(news); k++) newer |= strcmp(c->name, news[k]) == 0;
        assert_int_equal(alert_has_column(&a, c), !newer);
        a.episode.b[0] = 1;
        assert_true(alert_has_column(&a, c));
        a.episode.b[0] = 0;
    }
}

static void numbers_read_back_the_same(void **state)
{
    (void)state;
    static const double values[] = {
        0, -0.0, 0.1, 1e-300, 1.7976931348623157e308, 123456789.123456789, -2.5, 1.0 / 3
    };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        AUTO_BUF struct buf out = { 0 };
        AUTO_JSON json_t *j = NULL;
        struct alert a = sample();
        a.value = values[i];
        a.stream_no = INT64_MAX;
        alert_render(&a, NULL, &out);
        assert_int_equal(json_load_strict(out.data, out.len, &j, NULL), ERR_OK);
        assert_true(json_number_value(json_object_get(j, "value")) == values[i]);
        assert_true(json_integer_value(json_object_get(j, "stream_no")) == INT64_MAX);
    }
    AUTO_BUF struct buf out = { 0 };
    struct alert a = sample();
    a.value = NAN;
    alert_render(&a, NULL, &out);
    assert_non_null(strstr(out.data, "\"value\":null,"));
}

static void names_of_states_and_severities(void **state)
{
    (void)state;
    assert_string_equal(alert_state_name(ALERT_FIRING), "firing");
    assert_string_equal(alert_state_name(ALERT_RESOLVED), "resolved");
    assert_string_equal(severity_name(SEVERITY_INFO), "info");
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
    assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_exactly_this),
        cmocka_unit_test(a_measure_that_says_it_is_heard),
        cmocka_unit_test(hostile_names_stay_inside_their_strings),
        cmocka_unit_test(a_link_leads_to_the_alert_on_the_page),
        cmocka_unit_test(the_sentence_is_for_a_person),
        cmocka_unit_test(an_older_alert_says_null_of_what_it_does_not_know),
        cmocka_unit_test(numbers_read_back_the_same),
        cmocka_unit_test(names_of_states_and_severities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
