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
    alert_render(&a, &out);
    assert_true(buf_ok(&out));
    assert_string_equal(
        out.data,
        "{\"type\":\"alert.firing\",\"id\":\"a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf\",\"stream_no\":7,\"seq\":1234,\"time\":\"2018-02-07T21:00:00Z\","
        "\"rule\":{\"id\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\",\"version\":2,\"name\":\"HHI high\",\"text\":\"hhi(DEMO) >= 180\"},"
        "\"severity\":\"warning\",\"state\":\"firing\",\"reason\":\"met\",\"episode\":\"e0010000-0000-0000-0000-000000000000\","
        "\"since\":\"2018-02-07T20:59:59.500Z\",\"measure\":\"hhi(DEMO)\",\"value\":181.2,\"previous\":179.5,\"unit\":\"points\","
        "\"inputs\":{\"top\":[{\"symbol\":\"AAPL\",\"weight\":0.07}]}}");
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
        alert_render(&a, &out);
        assert_int_equal(json_load_strict(out.data, out.len, &j, NULL), ERR_OK);
        assert_string_equal(json_string_value(json_object_get(json_object_get(j, "rule"), "name")),
                            names[i]);
        assert_string_equal(json_string_value(json_object_get(j, "unit")), names[i]);
        assert_string_equal(json_string_value(json_object_get(j, "type")), "alert.resolved");
        assert_string_equal(json_string_value(json_object_get(j, "state")), "resolved");
        assert_string_equal(json_string_value(json_object_get(j, "severity")), "critical");
        assert_int_equal(json_object_size(j), 16);
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
    alert_render(&a, &out);
    assert_non_null(strstr(out.data, "\"reason\":\"met\",\"episode\":null,\"since\":null,"));
    assert_non_null(strstr(out.data, "\"previous\":null,"));
    for (size_t i = 0; i < alert_row.columns_n; i++) {
        const struct column *c = &alert_row.columns[i];
        static const char *const news[] = { "episode", "reason", "since_ns", "previous" };
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
        alert_render(&a, &out);
        assert_int_equal(json_load_strict(out.data, out.len, &j, NULL), ERR_OK);
        assert_true(json_number_value(json_object_get(j, "value")) == values[i]);
        assert_true(json_integer_value(json_object_get(j, "stream_no")) == INT64_MAX);
    }
    AUTO_BUF struct buf out = { 0 };
    struct alert a = sample();
    a.value = NAN;
    alert_render(&a, &out);
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
        cmocka_unit_test(hostile_names_stay_inside_their_strings),
        cmocka_unit_test(an_older_alert_says_null_of_what_it_does_not_know),
        cmocka_unit_test(numbers_read_back_the_same),
        cmocka_unit_test(names_of_states_and_severities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
