/* test_names.c - an enum's texts: each value has one, and a text that is nobody's is an error that says what would have been one. */
#include "core/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COLOURS(X) X(RED, "red") X(GREEN, "green") X(BLUE, "blue")
enum colour { COLOURS(NAMES_VALUE) };
NAMES(colour, COLOURS);

static void every_value_goes_there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = { [RED] = "red", [GREEN] = "green", [BLUE] = "blue" };
    assert_int_equal(colour_names.n, ARRAY_LEN(texts));
    for (int i = 0; i < colour_names.n; i++) {
        int back = -1;
        assert_string_equal(names_text(&colour_names, i), texts[i]);
        assert_int_equal(names_value(&colour_names, texts[i], strlen(texts[i]), &back, NULL),
                         ERR_OK);
        assert_int_equal(back, i);
    }
}

static void a_text_of_nobody_is_an_error(void **state)
{
    (void)state;
    static const char *const wrong[] = { "", "re", "redd", "Red", " red", "purple" };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct why why = { 0 };
        int out = 77;
        assert_int_equal(names_value(&colour_names, wrong[i], strlen(wrong[i]), &out, &why),
                         ERR_INVALID);
        assert_int_equal(out, 77);
    }
    struct why why = { 0 };
    int out;
    assert_int_equal(names_value(&colour_names, "purple", 6, &out, &why), ERR_INVALID);
    assert_string_equal(why.text, "colour 'purple' is none of red, green, blue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_goes_there_and_back),
        cmocka_unit_test(a_text_of_nobody_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
