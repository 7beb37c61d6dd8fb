/* test_pipeline.c - what lies in the pipeline at the start, who hears of its end, and the picture
 * that others see. */
#include "tests/unit/app/threads/loop.h"

static size_t drained(struct queue *q, struct queue *into)
{
    size_t n = 0;
    for (void *x; (x = queue_pop(q, 0)) != NULL; n++)
        assert_int_equal(queue_push(into, x, 0), ERR_OK);
    return n;
}

/* Four batches and three turns go round; the loop has one turn in hand. */
static void everything_that_goes_round_is_there(void **state)
{
    (void)state;
    struct queue *aside;
    assert_int_equal(queue_new(16, &aside), ERR_OK);
    assert_int_equal(drained(pipeline.spare_batches, aside), 4);
    assert_int_equal(drained(aside, pipeline.spare_batches), 4);
    assert_non_null(loop.turn);
    assert_int_equal(drained(pipeline.spare_turns, aside), 2);
    assert_int_equal(drained(aside, pipeline.spare_turns), 2);
    assert_int_equal(
        queue_len(pipeline.turns) + queue_len(pipeline.ingested) + queue_len(pipeline.commands), 0);
    queue_free(aside);
}

static void the_first_code_is_the_one(void **state)
{
    (void)state;
    pipeline_give_up(&pipeline, EXIT_UNAVAILABLE);
    assert_true(gave_up());
    pipeline_give_up(&pipeline, EXIT_BROKEN);
    assert_true(gave_up());
    assert_int_equal(atomic_load(&pipeline.exit_code), EXIT_UNAVAILABLE);
}

static void a_picture_lives_while_somebody_looks(void **state)
{
    (void)state;
    assert_null(pipeline_picture(&pipeline));
    struct picture *first = step_picture(&loop.step);
    assert_non_null(first);
    pipeline_show(&pipeline, first);
    struct picture *seen = pipeline_picture(&pipeline);
    assert_ptr_equal(seen, first);
    pipeline_show(&pipeline, NULL);
    assert_null(pipeline_picture(&pipeline));
    picture_release(seen); /* the sanitizers look */
}

static void who_still_asks_is_told_of_the_end(void **state)
{
    (void)state;
    struct pipeline other;
    struct command *c = command_rule_states(tenant(1), NULL, 0);
    assert_non_null(c);
    assert_int_equal(pipeline_init(&other, &config), ERR_OK);
    c->holders = 2;
    assert_int_equal(queue_push(other.commands, c, 0), ERR_OK);
    pipeline_release(&other);
    assert_true(c->done);
    assert_int_equal(c->err, ERR_STOPPING);
    command_drop(c);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(everything_that_goes_round_is_there),
        STORY(the_first_code_is_the_one),
        STORY(a_picture_lives_while_somebody_looks),
        STORY(who_still_asks_is_told_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
