/* test_sights.c - who sees what, and when that begins and ends. */
#include "alerts/rules/sights.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_series_is_seen_while_a_rule_is_about_it(void **state)
{
    (void)state;
    struct sights s = { 0 };
    static const struct {
        uint32_t tenant, series;
        int by, says;
        bool first, other; /* seen by tenant 0, by tenant 1, afterwards: series 4 */
    } steps[] = {
        { 0, 4, +1, +1, true, false }, { 0, 4, +1, 0, true, false },  { 1, 4, +1, +1, true, true },
        { 0, 4, -2, -1, false, true }, { 0, 9, +3, +1, false, true }, { 0, 4, +1, +1, true, true },
        { 1, 4, -1, -1, true, false }, { 0, 4, 0, 0, true, false },
    };
    assert_false(sights_has(&s, 0, 4));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_true(sights_reserve(&s, steps[i].tenant, steps[i].series));
        assert_int_equal(sights_change(&s, steps[i].tenant, steps[i].series, steps[i].by),
                         steps[i].says);
        assert_int_equal(sights_has(&s, 0, 4), steps[i].first);
        assert_int_equal(sights_has(&s, 1, 4), steps[i].other);
    }
    assert_int_equal(s.n, 3); /* pairs, each once */
    assert_false(sights_has(&s, 4, 0));
    sights_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_series_is_seen_while_a_rule_is_about_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
