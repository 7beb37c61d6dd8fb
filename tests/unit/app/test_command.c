/* test_command.c - an asker and an answerer: who is told what, and that whoever lets go last frees
 * it (the sanitizers look). */
#include "app/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LONG_MS = 60000 };

static struct queue *commands, *sleeper;

static int begin(void **state)
{
    (void)state;
    return queue_new(1, &commands) || queue_new(1, &sleeper) ? -1 : 0;
}
static int end(void **state)
{
    (void)state;
    queue_free(commands);
    queue_free(sleeper);
    return 0;
}

static struct command *ask_for(const char *definition)
{
    const struct rule_request r = { .tenant = { { 1 } },
                                    .rule = { { 2 } },
                                    .change = RULE_CREATE,
                                    .definition = definition,
                                    .definition_n = strlen(definition) };
    struct command *c = command_rule_change(&r);
    assert_non_null(c);
    return c;
}

static void a_change_is_read_by_who_asks(void **state)
{
    (void)state;
    struct command *c = ask_for("{\"rule\":\"last( A ) > 1\"}");
    assert_int_equal(c->kind, COMMAND_RULE_CHANGE);
    assert_int_equal(c->draft_err, ERR_OK);
    assert_string_equal(c->draft.d.text, "last(A) > 1");
    command_drop(c);
    c = ask_for("{\"rule\":\"last(A) > x\"}"); /* wrong, and to be told by who knows the rules */
    assert_int_equal(c->draft_err, ERR_SYNTAX);
    assert_int_equal(c->draft_why.at, 11);
    command_drop(c);
    const struct rule_request gone = { .change = RULE_DELETE, .rule = { { 2 } } };
    c = command_rule_change(&gone);
    assert_non_null(c);
    assert_int_equal(c->draft_err, ERR_OK);
    command_drop(c);
    const struct rule_request bare = { .change = RULE_REPLACE }; /* an empty body */
    c = command_rule_change(&bare);
    assert_non_null(c);
    assert_int_equal(c->draft_err, ERR_SYNTAX);
    command_drop(c);
}

static void *answer_next(void *arg)
{
    const struct why *why = arg;
    struct command *c = queue_pop(commands, LONG_MS);
    if (!c) return NULL;
    c->state = "firing";
    command_answer(c, why->text[0] ? ERR_LIMIT : ERR_OK, why);
    return arg;
}

static void the_asker_hears_the_answer(void **state)
{
    (void)state;
    struct why no = { .text = "too many", .at = 3 }, yes = { .text = "" }, heard = { 0 };
    const struct {
        struct why *said;
        enum err e;
    } rows[] = { { &yes, ERR_OK }, { &no, ERR_LIMIT } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        pthread_t answerer;
        void *answered;
        assert_int_equal(pthread_create(&answerer, NULL, answer_next, rows[i].said), 0);
        struct command *c = ask_for("{\"rule\":\"last(A) > 1\"}");
        assert_int_equal(command_ask(c, commands, sleeper, LONG_MS, &heard), rows[i].e);
        assert_string_equal(heard.text, rows[i].said->text);
        assert_int_equal(heard.at, rows[i].said->at);
        assert_string_equal(c->state, "firing");
        command_drop(c);
        pthread_join(answerer, &answered);
        assert_non_null(answered);
    }
}

/* Who stops waiting leaves it to the answerer, who may still do it. */
static void an_asker_that_went_leaves_nothing_behind(void **state)
{
    (void)state;
    struct why why = { 0 };
    struct command *c = ask_for("{\"rule\":\"last(A) > 1\"}");
    assert_int_equal(command_ask(c, commands, sleeper, 1, &why), ERR_SLOW);
    assert_non_null(strstr(why.text, "Idempotency-Key"));
    command_drop(c);
    c = queue_pop(commands, 0);
    assert_non_null(c);
    assert_string_equal(c->draft.d.text, "last(A) > 1");
    command_answer(c, ERR_OK, NULL);
}

static void what_is_not_taken_is_still_the_askers(void **state)
{
    (void)state;
    struct why why = { 0 };
    struct command *first = ask_for("{\"rule\":\"last(A) > 1\"}"),
                   *c = ask_for("{\"rule\":\"last(A) > 2\"}");
    assert_int_equal(queue_push(commands, first, 0), ERR_OK);
    assert_int_equal(command_ask(c, commands, sleeper, LONG_MS, &why), ERR_FULL);
    assert_ptr_equal(queue_pop(commands, 0), first);
    queue_close(commands);
    assert_int_equal(command_ask(c, commands, sleeper, LONG_MS, &why), ERR_STOPPING);
    assert_null(queue_pop(commands, 0));
    command_drop(first);
    command_drop(c);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_change_is_read_by_who_asks),
        STORY(the_asker_hears_the_answer),
        STORY(an_asker_that_went_leaves_nothing_behind),
        STORY(what_is_not_taken_is_still_the_askers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
