/* test_formats.c - the list of formats: each is found by its name, and a name that is none says
 * which there are. */
#include "ingest/formats/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void formats_are_found_by_name(void **state)
{
    (void)state;
    const struct format *json, *first, *none;
    struct why why;
    assert_int_equal(format_find("json", &json, &why), ERR_OK);
    assert_string_equal(json->name, "json");
    assert_int_equal(format_find(NULL, &first, &why), ERR_OK);
    assert_ptr_equal(first, json);
    static const char *const names[] = { "", "JSON", "jso", "json ", "avro" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(format_find(names[i], &none, &why), ERR_INVALID);
        assert_null(none);
        assert_non_null(strstr(why.text, "is none of: json"));
    }
}

struct tray {
    struct record records[2];
    size_t n;
    bool full;
};

static struct record *next_place(void *ctx)
{
    struct tray *t = ctx;
    return t->full ? NULL : &t->records[t->n++];
}

static enum err work(struct tray *t, struct arena *arena, const char *text)
{
    const struct intake to = { arena, next_place, t };
    const struct format *json;
    struct why why;
    assert_int_equal(format_find("json", &json, &why), ERR_OK);
    return json->work(NULL, text, strlen(text), &to, &why);
}

static void json_is_one_record_a_message(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct tray t = { 0 };
    assert_int_equal(work(&t, &arena, "{\"kind\":\"clock\",\"ts\":1518037200000000007}"), ERR_OK);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.records[0].kind, RECORD_CLOCK);
    assert_int_equal(t.records[0].event_ns, 1518037200000000007);
    assert_int_equal(work(&t, &arena, "{\"kind\":\"clock\"}"), ERR_INVALID);
    t.full = true;
    assert_int_equal(work(&t, &arena, "{\"kind\":\"clock\",\"ts\":1518037200000000007}"),
                     ERR_NOMEM);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_found_by_name),
        cmocka_unit_test(json_is_one_record_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
