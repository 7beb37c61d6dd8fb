/* test_err.c - reasons: what a foreign text brings along, and a reason that is added to. */
#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_reason_can_be_added_to(void **state)
{
    (void)state;
    struct why why = { 0 };
    assert_int_equal(err_at(&why, 7, ERR_INVALID, "no measure \"%s\"", "hih"), ERR_INVALID);
    assert_int_equal(why.at, 7);
    assert_int_equal(err_set(&why, ERR_DB, "record %d does not apply: %s", 58, why.text), ERR_DB);
    assert_string_equal(why.text, "record 58 does not apply: no measure \"hih\"");
    assert_int_equal(why.at, 0);
    assert_int_equal(err_set(NULL, ERR_DB, "%s", "nobody asks"), ERR_DB);
}

static void a_reason_is_cut_and_stays_text(void **state)
{
    (void)state;
    struct why why;
    char longer[2 * sizeof why.text];
    for (size_t i = 0; i + 2 < sizeof longer; i += 2) memcpy(longer + i, "\xC3\xA9", 3);
    for (int shift = 0; shift < 2; shift++) {
        assert_int_equal(err_set(&why, ERR_SYNTAX, "%.*s%s", shift, "x", longer), ERR_SYNTAX);
        assert_int_equal(strlen(why.text), sizeof why.text - 1);
        assert_true(strchr("\xA9?", why.text[sizeof why.text - 2]) != NULL);
    }
    assert_int_equal(err_set(&why, ERR_SYNTAX, "%s", "\xFF\x80 b"), ERR_SYNTAX);
    assert_string_equal(why.text, "?? b");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_reason_can_be_added_to),
                                        cmocka_unit_test(a_reason_is_cut_and_stays_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
