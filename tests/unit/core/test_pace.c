#include "core/pace.h"

#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void work_for(int64_t ns)
{
    for (const int64_t until = mono_ns() + ns; mono_ns() < until;) {}
}

static void it_rests_so_many_times_as_long(void **state)
{
    (void)state;
    struct pace p = { .rests = 3 };
    const int64_t began = mono_ns();
    pace_begin(&p);
    for (int i = 0; i < 3; i++) {
        work_for(2 * NS_PER_MS);
        assert_true(pace_rest(&p));
    }
    assert_true(mono_ns() - began
                >= 24 * NS_PER_MS); /* 6 of work, 18 of rest, or more on a loaded machine */
}

static void without_rests_it_goes_on(void **state)
{
    (void)state;
    struct pace p = { 0 };
    p.since_ns = INT64_MIN / 2; /* of ages ago, which would be a rest of ages */
    assert_true(pace_rest(&p));
    assert_true(p.since_ns > 0);
}

static void told_to_stop_it_does_not_rest(void **state)
{
    (void)state;
    atomic_bool stop = true;
    struct pace p = { .rests = 1000, .stop = &stop };
    pace_begin(&p);
    p.since_ns -= NS_PER_DAY;
    assert_false(pace_rest(&p));
    atomic_store(&stop, false);
    pace_begin(&p);
    assert_true(pace_rest(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rests_so_many_times_as_long),
        cmocka_unit_test(without_rests_it_goes_on),
        cmocka_unit_test(told_to_stop_it_does_not_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
