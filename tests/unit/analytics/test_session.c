/* test_session.c - where windows over sessions and months start, against days counted by hand. */
#include "analytics/session.h"

#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int32_t kept[7];
static const struct days days = { kept, sizeof *kept, ARRAY_LEN(kept) };

static int fill(void **state)
{
    static const struct civil dates[ARRAY_LEN(kept)] = { { 2022, 12, 30 }, { 2023, 9, 1 },
                                                         { 2023, 11, 30 }, { 2023, 12, 29 },
                                                         { 2024, 2, 28 },  { 2024, 2, 29 },
                                                         { 2024, 3, 1 } };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        kept[i] = day_from_civil(dates[i].year, dates[i].month, dates[i].day);
    return 0;
}

static void no_window_starts_before_the_first_session(void **state)
{
    const struct venue v = { .day = NO_DAY };
    (void)state;
    for (int w = 0; window_names[w]; w++)
        if (window_start(&v, (enum window_choice)w, &days) != -1)
            fail_msg("%s starts somewhere", window_names[w]);
}

/* Monday, 4 March 2024, in session; and the Friday before, after its end. */
static void windows_start_where_the_calendar_says(void **state)
{
    static const struct {
        enum window_choice window;
        long monday, friday;
    } starts[] = {
        { WINDOW_1D, 6, 5 },    { WINDOW_5D, 2, 1 },     { WINDOW_20D, -1, -1 },
        { WINDOW_60D, -1, -1 }, { WINDOW_3MO, 2, 2 },    { WINDOW_6MO, 1, 1 },
        { WINDOW_12MO, 0, 0 },  { WINDOW_18MO, -1, -1 }, { WINDOW_36MO, -1, -1 },
        { WINDOW_YTD, 3, 3 },   { WINDOW_ALL, 0, 0 },
    };
    const struct days none = { kept, sizeof *kept, 0 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        const enum window_choice w = starts[i].window;
        const struct venue monday = { .day = day_from_civil(2024, 3, 4), .in_session = true },
                           friday = { .day = kept[6] };
        const long a = window_start(&monday, w, &days), b = window_start(&friday, w, &days);
        if (a != starts[i].monday || b != starts[i].friday)
            fail_msg("%s: %ld and %ld, wanted %ld and %ld", window_names[w], a, b, starts[i].monday,
                     starts[i].friday);
        assert_int_equal(window_start(&monday, w, &none), -1);
    }
    assert_null(window_names[ARRAY_LEN(starts)]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_starts_before_the_first_session),
        cmocka_unit_test(windows_start_where_the_calendar_says),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
