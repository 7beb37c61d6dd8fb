/* test_term.c - a term's truth on either side of its levels, and what several terms make. */
#include "alerts/rules/term.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const enum truth U = TRUTH_UNKNOWN, C = TRUTH_CLEAR, B = TRUTH_BETWEEN, H = TRUTH_HOLDS;

static void a_term_has_three_zones(void **state)
{
    (void)state;
    const struct term up = { .enter = 100, .clear = 98, .above = true },
                      down = { .enter = 95, .clear = 97 },
                      sharp = { .enter = 100, .clear = 100, .above = true },
                      sharp_down = { .enter = 100, .clear = 100 };
    const struct {
        const struct term *t;
        int64_t key;
        enum truth want;
    } rows[] = {
        { &up, 97, C },          { &up, 98, B },        { &up, 99, B },
        { &up, 100, H },         { &up, 101, H },       { &down, 94, H },
        { &down, 95, B },        { &down, 96, B },      { &down, 97, C },
        { &sharp, 99, C },       { &sharp, 100, H },    { &sharp_down, 99, H },
        { &sharp_down, 100, C }, { &up, INT64_MIN, C }, { &up, INT64_MAX, H },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (term_truth(rows[i].t, rows[i].key) != rows[i].want) fail_msg("row %zu", i);
}

/* Written again from the words: could it still hold, could it still be clear, whatever the
 * unknown ones turn out to be? */
static enum truth slow(const enum truth *t, uint32_t n, uint32_t need)
{
    bool may[TRUTH_COUNT] = { 0 };
    uint32_t ways = 1;
    for (uint32_t i = 0; i < n; i++)
        if (t[i] == U) ways *= 3;
    for (uint32_t way = 0; way < ways; way++) {
        uint32_t hold = 0, not_clear = 0, rest = way;
        for (uint32_t i = 0; i < n; i++) {
            enum truth x = t[i];
            if (x == U) {
                x = (enum truth)(C + rest % 3);
                rest /= 3;
            }
            hold += x == H;
            not_clear += x != C;
        }
        may[hold >= need ? H : not_clear < need ? C : B] = true;
    }
    return may[C] + may[B] + may[H] > 1 ? U : may[H] ? H : may[C] ? C : B;
}

static void terms_are_counted(void **state)
{
    (void)state;
    for (uint32_t n = 1; n <= 5; n++) {
        uint32_t cases = 1;
        for (uint32_t i = 0; i < n; i++) cases *= TRUTH_COUNT;
        for (uint32_t c = 0; c < cases; c++)
            for (uint32_t need = 1; need <= n; need++) {
                enum truth t[5];
                uint32_t counts[TRUTH_COUNT] = { 0 }, rest = c;
                for (uint32_t i = 0; i < n; i++, rest /= TRUTH_COUNT)
                    counts[t[i] = (enum truth)(rest % TRUTH_COUNT)]++;
                if (terms_truth(counts, need) != slow(t, n, need))
                    fail_msg("%u terms, case %u, need %u: %d, wanted %d", n, c, need,
                             terms_truth(counts, need), slow(t, n, need));
                if (need == n) assert_int_equal(terms_truth(counts, 0), slow(t, n, need));
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_term_has_three_zones),
        cmocka_unit_test(terms_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
