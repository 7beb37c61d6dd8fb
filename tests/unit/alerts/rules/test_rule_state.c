/* test_rule_state.c - every phase, under every truth, before and at every time that matters. */
#include "alerts/rules/rule_state.h"

#include "core/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define U TRUTH_UNKNOWN
#define C TRUTH_CLEAR
#define B TRUTH_BETWEEN
#define H TRUTH_HOLDS

static void check(const char *what, struct rule_step got, enum rule_phase phase, bool dark,
                  int64_t due, int64_t quiet, enum rule_outcome outcome)
{
    if (got.next.phase != phase || got.next.dark != dark || got.next.due_ns != due
        || got.next.quiet_until_ns != quiet || got.outcome != outcome)
        fail_msg("%s: %s%s due %d quiet %d outcome %d; wanted %s%s due %d quiet %d outcome %d",
                 what, rule_phase_names.texts[got.next.phase], got.next.dark ? " dark" : "",
                 (int)got.next.due_ns, (int)got.next.quiet_until_ns, got.outcome,
                 rule_phase_names.texts[phase], dark ? " dark" : "", (int)due, (int)quiet, outcome);
}

/* hold 5, cooldown 20, looked at at 100. A pending rule's due lies at 103 (not yet) or 100
 * (now); quiet ends at 90 (over), or later than the hold would. */
static void every_phase_under_every_truth(void **state)
{
    (void)state;
    static const struct {
        enum rule_phase phase;
        int64_t due, quiet;
        enum truth truth;
        enum rule_phase to;
        int64_t to_due, to_quiet;
        enum rule_outcome outcome;
    } rows[] = {
        { RULE_NEW, 0, 90, U, RULE_NEW, 0, 90, RULE_QUIET },
        { RULE_NEW, 0, 90, C, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_NEW, 0, 90, B, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_NEW, 0, 90, H, RULE_PENDING, 105, 90, RULE_QUIET },
        { RULE_NEW, 0, 110, H, RULE_PENDING, 110, 110, RULE_QUIET }, /* a change amid a cooldown */

        { RULE_OK, 0, 90, U, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_OK, 0, 90, C, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_OK, 0, 90, B, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_OK, 0, 90, H, RULE_PENDING, 105, 90, RULE_QUIET },
        { RULE_OK, 0, 104, H, RULE_PENDING, 105, 104, RULE_QUIET },
        { RULE_OK, 0, 110, H, RULE_PENDING, 110, 110, RULE_QUIET },

        { RULE_PENDING, 103, 90, U, RULE_PENDING, 103, 90, RULE_QUIET },
        { RULE_PENDING, 103, 90, C, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_PENDING, 103, 90, B, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_PENDING, 103, 90, H, RULE_PENDING, 103, 90, RULE_QUIET },
        { RULE_PENDING, 100, 90, U, RULE_PENDING, 100, 90, RULE_QUIET }, /* due, in the dark */
        { RULE_PENDING, 100, 90, C, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_PENDING, 100, 90, B, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_PENDING, 100, 90, H, RULE_FIRING, 0, 120, RULE_FIRES },
        { RULE_PENDING, 60, 90, H, RULE_FIRING, 0, 120, RULE_FIRES }, /* came due in the dark */

        { RULE_FIRING, 0, 110, U, RULE_FIRING, 0, 110, RULE_QUIET },
        { RULE_FIRING, 0, 110, C, RULE_OK, 0, 110, RULE_RESOLVES },
        { RULE_FIRING, 0, 110, B, RULE_FIRING, 0, 110, RULE_QUIET },
        { RULE_FIRING, 0, 90, H, RULE_FIRING, 0, 90, RULE_QUIET },

        { RULE_DISARMED, 0, 90, U, RULE_DISARMED, 0, 90, RULE_QUIET },
        { RULE_DISARMED, 0, 90, C, RULE_OK, 0, 90, RULE_QUIET },
        { RULE_DISARMED, 0, 90, B, RULE_DISARMED, 0, 90, RULE_QUIET },
        { RULE_DISARMED, 0, 90, H, RULE_DISARMED, 0, 90, RULE_QUIET },

        { RULE_REVIEW, 0, 110, U, RULE_REVIEW, 0, 110, RULE_QUIET },
        { RULE_REVIEW, 0, 110, C, RULE_OK, 0, 110, RULE_RESOLVES },
        { RULE_REVIEW, 0, 110, B, RULE_OK, 0, 110, RULE_RESOLVES },
        { RULE_REVIEW, 0, 110, H, RULE_FIRING, 0, 110, RULE_QUIET },
    };
    bool seen[RULE_PHASE_COUNT][TRUTH_COUNT] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int dark = 0; dark < 2; dark++) {
            const struct rule_clocks clocks = { .hold_ns = 5, .cooldown_ns = 20 };
            const struct rule_state s = {
                rows[i].phase, dark, false, rows[i].due, rows[i].quiet, 0
            };
            char what[32];
            snprintf(what, sizeof what, "row %zu", i);
            seen[rows[i].phase][rows[i].truth] = true;
            check(what, rule_state_step(&clocks, s, rows[i].truth, 100), rows[i].to,
                  rows[i].truth == U, rows[i].to_due, rows[i].to_quiet, rows[i].outcome);
        }
    for (int p = 0; p < RULE_PHASE_COUNT; p++)
        for (int t = 0; t < TRUTH_COUNT; t++)
            if (!seen[p][t]) fail_msg("%s under truth %d has no row", rule_phase_names.texts[p], t);
}

/* Neither hold nor cooldown left: it fires where it stands. on_create=wait: a new rule waits
 * for the condition to clear. */
static void it_fires_at_once_or_waits(void **state)
{
    (void)state;
    const struct rule_clocks none = { 0 }, wait = { .wait = true }, cool = { .cooldown_ns = 20 };
    const struct rule_state fresh = { 0 }, ok = { .phase = RULE_OK },
                            cooled = { .phase = RULE_OK, .quiet_until_ns = 100 };
    check("new", rule_state_step(&none, fresh, H, 100), RULE_FIRING, false, 0, 100, RULE_FIRES);
    check("ok", rule_state_step(&none, ok, H, 100), RULE_FIRING, false, 0, 100, RULE_FIRES);
    check("cooldown over", rule_state_step(&cool, cooled, H, 100), RULE_FIRING, false, 0, 120,
          RULE_FIRES);
    check("a moment before", rule_state_step(&cool, cooled, H, 99), RULE_PENDING, false, 100, 100,
          RULE_QUIET);
    check("wait", rule_state_step(&wait, fresh, H, 100), RULE_DISARMED, false, 0, 0, RULE_QUIET);
    check("wait, clear", rule_state_step(&wait, fresh, C, 100), RULE_OK, false, 0, 0, RULE_QUIET);
    check("wait, later", rule_state_step(&wait, ok, H, 100), RULE_FIRING, false, 0, 100,
          RULE_FIRES);
}

/* Since when the condition of an episode has been true: from the moment it came true, through
 * hold and firing, to the end. */
static void it_knows_since_when(void **state)
{
    (void)state;
    const struct rule_clocks clocks = { .hold_ns = 5 };
    struct rule_step step = rule_state_step(&clocks, (struct rule_state){ 0 }, H, 100);
    assert_int_equal(step.next.since_ns, 100);
    step = rule_state_step(&clocks, step.next, H, 106);
    assert_int_equal(step.outcome, RULE_FIRES);
    assert_int_equal(step.next.since_ns, 100);
    step = rule_state_step(&clocks, step.next, B, 108);
    assert_int_equal(step.next.since_ns, 100);
    step = rule_state_step(&clocks, step.next, C, 109);
    assert_int_equal(step.outcome, RULE_RESOLVES);
    assert_int_equal(step.next.since_ns, 0);
    step = rule_state_step(&clocks, step.next, H, 120);
    assert_int_equal(step.next.since_ns, 120);
    step = rule_state_step(&clocks, step.next, B, 121);
    assert_int_equal(step.next.since_ns, 0);
}

/* What a change leaves of each phase, by whether the condition is the same; hold 50 from now on. */
static void a_change_leaves_what_still_stands(void **state)
{
    (void)state;
    static const struct {
        struct rule_state was;
        bool same;
        struct rule_state is;
    } rows[] = {
        { { RULE_NEW, true, false, 0, 90, 0 }, true, { RULE_NEW, true, false, 0, 90, 0 } },
        { { RULE_NEW, true, false, 0, 90, 0 }, false, { RULE_NEW, false, false, 0, 90, 0 } },
        { { RULE_OK, false, false, 0, 90, 0 }, true, { RULE_OK, false, false, 0, 90, 0 } },
        { { RULE_OK, false, false, 0, 90, 0 }, false, { RULE_NEW, false, false, 0, 90, 0 } },
        { { RULE_PENDING, false, false, 105, 90, 100 },
          true,
          { RULE_PENDING, false, false, 150, 90, 100 } },
        { { RULE_PENDING, false, false, 170, 170, 100 },
          true,
          { RULE_PENDING, false, false, 170, 170, 100 } },
        { { RULE_PENDING, false, false, 105, 90, 100 },
          false,
          { RULE_NEW, false, false, 0, 90, 0 } },
        { { RULE_PENDING, true, true, 105, 90, 100 },
          true,
          { RULE_PENDING, true, false, 150, 90, 100 } },
        { { RULE_FIRING, false, false, 0, 120, 100 },
          true,
          { RULE_FIRING, false, false, 0, 120, 100 } },
        { { RULE_FIRING, false, false, 0, 120, 100 },
          false,
          { RULE_REVIEW, false, false, 0, 120, 100 } },
        { { RULE_DISARMED, false, false, 0, 90, 0 },
          true,
          { RULE_DISARMED, false, false, 0, 90, 0 } },
        { { RULE_DISARMED, false, false, 0, 90, 0 }, false, { RULE_NEW, false, false, 0, 90, 0 } },
        { { RULE_REVIEW, true, false, 0, 120, 100 },
          true,
          { RULE_REVIEW, true, false, 0, 120, 100 } },
        { { RULE_REVIEW, true, false, 0, 120, 100 },
          false,
          { RULE_REVIEW, true, false, 0, 120, 100 } },
    };
    const struct rule_clocks clocks = { .hold_ns = 50, .cooldown_ns = 7 };
    unsigned seen[2] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct rule_state is = rule_state_amend(&clocks, rows[i].was, rows[i].same);
        const struct rule_state *want = &rows[i].is;
        seen[rows[i].same] |= 1u << rows[i].was.phase;
        if (is.phase != want->phase || is.dark != want->dark || is.overdue != want->overdue
            || is.due_ns != want->due_ns || is.quiet_until_ns != want->quiet_until_ns
            || is.since_ns != want->since_ns)
            fail_msg("row %zu: %s due %d since %d", i, rule_phase_names.texts[is.phase],
                     (int)is.due_ns, (int)is.since_ns);
        assert_int_equal(rule_state_is_open(&is),
                         is.phase == RULE_FIRING || is.phase == RULE_REVIEW);
    }
    assert_int_equal(seen[0], (1u << RULE_PHASE_COUNT) - 1);
    assert_int_equal(seen[1], (1u << RULE_PHASE_COUNT) - 1);
}

/* A hold or a cooldown near the end of time ends there, and not in the past. */
static void the_end_of_time_is_as_late_as_it_gets(void **state)
{
    (void)state;
    const struct rule_clocks clocks = { .hold_ns = 1000, .cooldown_ns = 1000 };
    const int64_t now = INT64_MAX - 5;
    const struct rule_state ok = { .phase = RULE_OK };
    struct rule_step step = rule_state_step(&clocks, ok, H, now);
    assert_int_equal(step.next.phase, RULE_PENDING);
    assert_true(step.next.due_ns == INT64_MAX);
    step = rule_state_step(&clocks, step.next, H, INT64_MAX);
    assert_int_equal(step.outcome, RULE_FIRES);
    assert_true(step.next.quiet_until_ns == INT64_MAX);
}

/* A phase that does not mind what was passed would not have moved on: for every move of one
 * term from truth to truth. */
static void what_a_phase_does_not_mind_changes_nothing(void **state)
{
    (void)state;
    const struct rule_clocks clocks = { .hold_ns = 5 };
    for (int p = RULE_OK; p < RULE_PHASE_COUNT; p++)
        for (int from = C; from <= H; from++)
            for (int to = C; to <= H; to++) {
                const unsigned passed = (to == H && from != H ? PASSED_IN : 0)
                                        | (from == H && to != H ? PASSED_OUT : 0)
                                        | (to == C && from != C ? PASSED_CLEAR : 0);
                struct rule_state s = { .phase = (enum rule_phase)p, .due_ns = 103 };
                struct rule_step was = rule_state_step(&clocks, s, (enum truth)from, 100);
                if (was.next.phase != s.phase) continue; /* it does not stand there under `from` */
                struct rule_step is = rule_state_step(&clocks, s, (enum truth)to, 100);
                if (!(rule_phase_minds[p] & passed) && is.next.phase != s.phase)
                    fail_msg("%s, truth %d to %d: is not minded, and ends the phase",
                             rule_phase_names.texts[p], from, to);
            }
}

static void phases_have_their_texts(void **state)
{
    (void)state;
    static const enum rule_status shown[] = { RULE_IS_OK,     RULE_IS_OK,      RULE_IS_PENDING,
                                              RULE_IS_FIRING, RULE_IS_WAITING, RULE_IS_FIRING };
    static const char *const saved[] = { "new", "ok", "pending", "firing", "disarmed", "review" };
    assert_int_equal(ARRAY_LEN(shown), RULE_PHASE_COUNT);
    for (int p = 0; p < RULE_PHASE_COUNT; p++) {
        assert_int_equal(rule_phase_status((enum rule_phase)p), shown[p]);
        assert_string_equal(rule_phase_names.texts[p], saved[p]);
    }
    assert_int_equal(rule_phase_names.n, RULE_PHASE_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_under_every_truth),
        cmocka_unit_test(it_fires_at_once_or_waits),
        cmocka_unit_test(it_knows_since_when),
        cmocka_unit_test(a_change_leaves_what_still_stands),
        cmocka_unit_test(the_end_of_time_is_as_late_as_it_gets),
        cmocka_unit_test(what_a_phase_does_not_mind_changes_nothing),
        cmocka_unit_test(phases_have_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
