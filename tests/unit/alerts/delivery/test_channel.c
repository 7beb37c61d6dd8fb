/* Kinds of channel as data: each that is listed is whole, and values come back as they were
 * given. */
#include "alerts/delivery/channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- the kinds there are ---- */

static bool is_name(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n < 32 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

static void every_kind_is_whole(void **state)
{
    (void)state;
    static const char *const files[] = {
#define CHANNEL(name) #name,
#include "alerts/delivery/channels.def"
#undef CHANNEL
    };
    assert_int_equal(ARRAY_LEN(files), CHANNEL_KINDS);
    for (size_t i = 0; i < CHANNEL_KINDS; i++) {
        const struct channel_kind *k = channel_kinds[i];
        assert_string_equal(k->name, files[i]);
        assert_ptr_equal(channel_kind_find(k->name), k); /* and so no name is there twice */
        assert_true(is_name(k->name));
        assert_true(k->help && k->check && k->open && k->send && k->close);
    }
    assert_null(channel_kind_find("pigeon"));
    assert_null(channel_kind_find(""));
    assert_null(channel_kind_find("webhoo"));
    assert_null(channel_kind_find("webhook2"));
}

static void every_setting_is_described(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "id", "kind", "enabled", "disabled_reason", "failing_since", "created_at", "deleted"
    };
    for (size_t i = 0; i < CHANNEL_KINDS; i++)
        for (const struct setting *s = channel_kinds[i]->settings; s->name; s++) {
            assert_true(is_name(s->name) && s->help && s->help[0]);
            assert_true(s->own || s->example);
            assert_true(!s->own || s->secret);
            assert_true(!s->secret || s->type == SETTING_TEXT);
            assert_true(s->type != SETTING_CHOICE || (s->choices && s->choices->n > 0));
            assert_true(s->type != SETTING_TEXT || (s->max > 0 && s->min <= s->max));
            for (size_t t = 0; t < ARRAY_LEN(taken); t++) /* fields of the channel itself */
                assert_string_not_equal(s->name, taken[t]);
            for (const struct setting *u = channel_kinds[i]->settings; u < s; u++)
                assert_string_not_equal(u->name, s->name);
        }
}

/* ---- values, with a kind that has one of each type ---- */

#define SPEEDS(X) X(SPEED_SLOW, "slow") X(SPEED_FAST, "fast")
enum speed { SPEEDS(NAMES_VALUE) };
NAMES(speed, SPEEDS);

static const struct channel_kind pigeon = {
    .name = "pigeon",
    .settings = {
        { .name = "loft", .type = SETTING_TEXT, .required = true, .min = 2, .max = 8 },
        { .name = "weight_g", .type = SETTING_NUMBER, .min = 100, .max = 900, .missing = 300 },
        { .name = "ringed", .type = SETTING_FLAG, .missing = 1 },
        { .name = "speed", .type = SETTING_CHOICE, .choices = &speed_names, .missing = SPEED_FAST },
        { .name = "call", .type = SETTING_TEXT, .secret = true, .min = 1, .max = 20 },
        { .name = "call_old", .type = SETTING_TEXT, .secret = true, .own = true, .max = 20 },
    },
};
enum { LOFT, WEIGHT_G, RINGED, SPEED, CALL, CALL_OLD };

static enum err take(const char *json, struct channel_values *out, struct why *why)
{
    AUTO_JSON json_t *body = NULL;
    assert_int_equal(json_load_strict(json, strlen(json), &body, why), ERR_OK);
    struct json_fields f = json_fields_begin(body, why);
    json_want_string(&f, "kind", 1, 20, JSON_REQUIRED);
    channel_values_take(&pigeon, &f, out);
    return json_fields_end(&f);
}

static const char *written(const struct channel_values *v, enum values_part part, struct buf *out)
{
    struct json_writer w = json_write(out);
    buf_clear(out);
    json_put_object(&w, NULL);
    channel_values_write(v, part, &w);
    json_put_end(&w);
    assert_true(json_write_done(&w));
    return out->data;
}

static void values_are_split_stored_and_come_back(void **state)
{
    (void)state;
    struct channel_values v, again;
    struct why why = { .text = "" };
    AUTO_BUF struct buf open = { 0 }, secret = { 0 }, made = { 0 };
    assert_int_equal(take("{\"speed\":\"slow\",\"call\":\"coo \\\"coo\\\"\",\"kind\":\"pigeon\","
                          "\"ringed\":false,\"weight_g\":450,\"loft\":\"attic\"}",
                          &v, &why),
                     ERR_OK);
    assert_int_equal(channel_values_set(&v, CALL_OLD, "caw"), ERR_OK);
    assert_string_equal(
        written(&v, VALUES_OPEN, &open),
        "{\"loft\":\"attic\",\"weight_g\":450,\"ringed\":false,\"speed\":\"slow\"}");
    assert_string_equal(written(&v, VALUES_SECRET, &secret),
                        "{\"call\":\"coo \\\"coo\\\"\",\"call_old\":\"caw\"}");
    assert_string_equal(written(&v, VALUES_MADE, &made), "{\"call\":\"coo \\\"coo\\\"\"}");

    assert_int_equal(channel_values_load(&pigeon, open.data, secret.data, &again, &why), ERR_OK);
    assert_string_equal(again.at[LOFT].text, "attic");
    assert_int_equal(again.at[WEIGHT_G].number, 450);
    assert_int_equal(again.at[RINGED].number, 0);
    assert_int_equal(again.at[SPEED].number, SPEED_SLOW);
    assert_string_equal(again.at[SPEED].text, "slow");
    assert_string_equal(again.at[CALL].text, "coo \"coo\"");
    assert_string_equal(again.at[CALL_OLD].text, "caw");
    channel_values_release(&v);
    channel_values_release(&again);
}

static void what_is_left_out_has_its_usual_value_and_is_not_stored(void **state)
{
    (void)state;
    struct channel_values v;
    AUTO_BUF struct buf text = { 0 };
    assert_int_equal(take("{\"kind\":\"pigeon\",\"loft\":\"roof\",\"call\":null}", &v, NULL),
                     ERR_OK);
    assert_int_equal(v.at[WEIGHT_G].number, 300);
    assert_int_equal(v.at[RINGED].number, 1);
    assert_string_equal(v.at[SPEED].text, "fast");
    assert_null(v.at[CALL].text);
    assert_string_equal(written(&v, VALUES_OPEN, &text), "{\"loft\":\"roof\"}");
    assert_string_equal(written(&v, VALUES_SECRET, &text), "{}");
    channel_values_release(&v);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } rows[] = {
        { "{\"kind\":\"pigeon\"}", "field \"loft\" is missing" },
        { "{\"kind\":\"pigeon\",\"loft\":null}", "field \"loft\" is missing" },
        { "{\"kind\":\"pigeon\",\"loft\":\"a\"}", "field \"loft\" must have 2 to 8 bytes, has 1" },
        { "{\"kind\":\"pigeon\",\"loft\":[]}", "field \"loft\" must be a string" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"weight_g\":99}",
          "field \"weight_g\" must be from 100 to 900" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"weight_g\":\"300\"}",
          "field \"weight_g\" must be an integer" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"ringed\":1}",
          "field \"ringed\" must be true or false" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"speed\":\"Slow\"}",
          "field \"speed\" must be one of slow, fast" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"call_old\":\"x\"}",
          "unknown field \"call_old\"" },
        { "{\"kind\":\"pigeon\",\"loft\":\"roof\",\"wings\":2}", "unknown field \"wings\"" },
        { "[]", "expected a JSON object" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct channel_values v;
        struct why why = { .text = "" };
        assert_int_equal(take(rows[i].json, &v, &why), ERR_INVALID);
        assert_string_equal(why.text, rows[i].says);
        channel_values_release(&v);
    }
}

/* A later program may know other settings than the one that stored them. */
static void stored_values_need_not_all_be_known(void **state)
{
    (void)state;
    struct channel_values v;
    struct why why = { .text = "" };
    assert_int_equal(channel_values_load(&pigeon, "{\"loft\":\"roof\",\"colour\":\"grey\"}",
                                         "{\"name\":\"x\"}", &v, &why),
                     ERR_OK);
    assert_string_equal(v.at[LOFT].text, "roof");
    channel_values_release(&v);

    static const struct {
        const char *settings, *secrets, *says;
    } rows[] = {
        { "{}", "{}", "field \"loft\" is missing" },
        { "{\"loft\":\"much too long\"}", "{}", "field \"loft\" must have 2 to 8 bytes, has 13" },
        { "{\"loft\":\"roof\"}", "{\"call\":\"\"}",
          "field \"call\" must have 1 to 20 bytes, has 0" },
        { "null", "{}", "expected a JSON object" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(channel_values_load(&pigeon, rows[i].settings, rows[i].secrets, &v, &why),
                         ERR_INVALID);
        assert_string_equal(why.text, rows[i].says);
        channel_values_release(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_whole),
        cmocka_unit_test(every_setting_is_described),
        cmocka_unit_test(values_are_split_stored_and_come_back),
        cmocka_unit_test(what_is_left_out_has_its_usual_value_and_is_not_stored),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(stored_values_need_not_all_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
