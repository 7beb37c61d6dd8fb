/* test_json_write.c - what is written has its commas and ends, and a foreign reader (jansson) takes it. */
#include "core/json.h"
#include "core/json_write.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_kind_of_value_in_objects_and_arrays(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct json_writer w = json_write(&b);
    json_put_object(&w, NULL);
    json_put_text(&w, "text", "a\"b\n");
    json_put_text(&w, "none", NULL);
    json_put_int(&w, "int", INT64_MIN);
    json_put_array(&w, "list");
    json_put_uint(&w, NULL, UINT64_MAX);
    json_put_object(&w, NULL);
    json_put_end(&w);
    json_put_array(&w, NULL);
    json_put_end(&w);
    json_put_bool(&w, NULL, true);
    json_put_end(&w);
    json_put_real(&w, "real", 0.1);
    json_put_real(&w, "nan", NAN);
    json_put_uuid(&w, "nobody", (struct uuid){ { 0 } });
    json_put_uuid(&w, "id", (struct uuid){ { 0x7f, [15] = 0x11 } });
    json_put_time(&w, "at", 1518037200000000000);
    json_put_date(&w, "day", 17569);
    json_put_decimal(&w, "price", 17250000000);
    assert_false(json_write_done(&w));
    json_put_raw(&w, "raw", "{\"x\":1}", 7);
    json_put_end(&w);
    assert_true(json_write_done(&w));
    assert_string_equal(
        b.data,
        "{\"text\":\"a\\\"b\\n\",\"none\":null,\"int\":-9223372036854775808,"
        "\"list\":[18446744073709551615,{},[],true],\"real\":0.1,\"nan\":null,\"nobody\":null,"
        "\"id\":\"7f000000-0000-0000-0000-000000000011\",\"at\":\"2018-02-07T21:00:00Z\","
        "\"day\":\"2018-02-07\",\"price\":\"172.5\",\"raw\":{\"x\":1}}");
}

/* Random trees of objects and arrays: strict JSON each, with as many members as were put. */
static void random_trees_read_back(void **state)
{
    (void)state;
    srand(7);
    for (int tree = 0; tree < 500; tree++) {
        AUTO_BUF struct buf b = { 0 };
        struct json_writer w = json_write(&b);
        int kinds[JSON_WRITE_DEPTH], depth = 0, put = 0;
        json_put_array(&w, NULL);
        kinds[depth++] = 1;
        for (int i = 0; i < 60; i++) {
            char key[12];
            snprintf(key, sizeof key, "k%d", i);
            const char *k = kinds[depth - 1] ? NULL : key;
            int what = rand() % 5;
            put += depth == 1 && what != 4;
            if (what == 0 && depth < 20) json_put_object(&w, k), kinds[depth++] = 0;
            else if (what == 1 && depth < 20) json_put_array(&w, k), kinds[depth++] = 1;
            else if (what == 4 && depth > 1) json_put_end(&w), depth--;
            else if (what == 4) put += 1, json_put_null(&w, k);
            else json_put_int(&w, k, i);
        }
        for (; depth > 0; depth--) json_put_end(&w);
        assert_true(json_write_done(&w));
        AUTO_JSON json_t *j = NULL;
        assert_int_equal(json_load_strict(b.data, b.len, &j, NULL), ERR_OK);
        assert_int_equal(json_array_size(j), put);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_in_objects_and_arrays),
        cmocka_unit_test(random_trees_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
