/* test_turn.c - what waits in a turn is answered once, and a turn comes back empty. */
#include "app/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct command *asked(void)
{
    struct command *c = command_rule_states((struct uuid){ { 1 } }, NULL, 0);
    assert_non_null(c);
    c->holders = 2; /* as command_ask does */
    return c;
}

static void everybody_who_waits_is_told_once(void **state)
{
    (void)state;
    struct turn *t;
    struct command *waiting[100];
    assert_int_equal(turn_new(&t), ERR_OK);
    assert_true(turn_idle(t));
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        waiting[i] = asked();
        assert_int_equal(turn_reserve(t), ERR_OK);
        turn_wait(t, waiting[i]);
    }
    assert_false(turn_idle(t));
    turn_answer(t, ERR_STOPPING);
    turn_answer(t, ERR_OK); /* nobody is left */
    assert_true(turn_idle(t));
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        assert_true(waiting[i]->done);
        assert_int_equal(waiting[i]->err, ERR_STOPPING);
        command_drop(waiting[i]);
    }
    turn_free(t);
}

static void a_cleared_turn_has_nothing_to_commit(void **state)
{
    (void)state;
    struct turn *t;
    assert_int_equal(turn_new(&t), ERR_OK);
    t->snapshot = calloc(1, sizeof *t->snapshot);
    assert_non_null(t->snapshot);
    assert_false(turn_idle(t));
    turn_clear(t);
    assert_true(turn_idle(t));
    assert_true(write_batch_ok(t->batch));
    turn_free(t);
    turn_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_who_waits_is_told_once),
        cmocka_unit_test(a_cleared_turn_has_nothing_to_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
