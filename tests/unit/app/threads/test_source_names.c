/* test_source_names.c - a source_id's topic and partition, the newest that was said. */
#include "app/threads/source_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_newest_of_an_id_is_found(void **state)
{
    (void)state;
    struct source_names s = { 0 };
    char longest[TOPIC_NAME_MAX + 1] = { 0 };
    memset(longest, 'x', TOPIC_NAME_MAX);
    assert_null(source_names_find(&s, 1));
    for (int32_t i = 1; i <= 50; i++)
        assert_int_equal(
            source_names_add(
                &s, &(struct source_life){ .source_id = i, .part = i * 2, .topic = "ticks" }),
            ERR_OK);
    assert_int_equal(
        source_names_add(&s, &(struct source_life){ .source_id = 7, .part = 1, .topic = longest }),
        ERR_OK);
    assert_int_equal(source_names_find(&s, 50)->part, 100);
    assert_string_equal(source_names_find(&s, 50)->topic, "ticks");
    assert_int_equal(source_names_find(&s, 7)->part, 1);
    assert_string_equal(source_names_find(&s, 7)->topic, longest);
    assert_null(source_names_find(&s, 51));
    source_names_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_newest_of_an_id_is_found) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
