/* test_obey.c - what a tenant's change is answered, in which order it is refused, and that what
 * changed something waits for the commit. */
#include "tests/unit/app/threads/loop.h"

static int begin_stock(void **state)
{
    struct ingest_batch *b;
    if (begin(state) || ingest_batch_new(&b)) return -1;
    add(b, stock("A"));
    add(b, trade("A", 50, T0));
    engine_loop_apply(&loop, b);
    const int refused = (int)b->dead_n;
    ingest_batch_free(b);
    return refused;
}

struct answer {
    bool waits; /* in the turn */
    enum err e;
    const char *state;
    char text[sizeof(((struct why *)0)->text)];
};

/* Asks as command_ask does, but looks instead of waiting. */
static struct answer ask_over(enum rule_change change, int who, int id, const char *definition,
                              const char *standing)
{
    const struct rule_request r = { .standing = standing,
                                    .tenant = tenant(who),
                                    .rule = rule_id(id),
                                    .change = change,
                                    .definition = definition,
                                    .definition_n = definition ? strlen(definition) : 0 };
    struct command *c = command_rule_change(&r);
    assert_non_null(c);
    c->holders = 2;
    const size_t before = loop.turn->waiting_n;
    engine_loop_obey(&loop, c);
    struct answer a = { .waits = loop.turn->waiting_n > before, .state = c->state };
    assert_int_equal(a.waits, !c->done); /* the one or the other */
    a.e = c->err;
    memcpy(a.text, c->why.text, sizeof a.text);
    command_drop(c);
    return a;
}

static struct answer ask(enum rule_change change, int who, int id, const char *definition)
{
    return ask_over(change, who, id, definition, NULL);
}

#define ABOVE(x) "{\"rule\":\"last(A) > " #x "\"}"
#define WRONG "{\"rule\":\"nonsense\"}"

static void a_change_waits_for_the_commit(void **state)
{
    (void)state;
    const uint64_t before = engine_seq(loop.step.engine);
    struct answer a = ask(RULE_CREATE, 1, 1, ABOVE(40));
    assert_true(a.waits);
    assert_string_equal(a.state, "firing");
    a = ask(RULE_REPLACE, 1, 1, ABOVE(60));
    assert_true(a.waits);
    assert_string_equal(a.state, "ok");
    a = ask(RULE_DELETE, 1, 1, NULL);
    assert_true(a.waits);
    assert_null(a.state);
    assert_int_equal(engine_seq(loop.step.engine), before + 3);
    assert_int_equal(loop.turn->waiting_n, 3);
}

/* What comes to the definition that stands is answered like a change and is none, however it is
 * spelled; any difference is one. */
static void a_change_to_what_is_so_already_is_none(void **state)
{
    (void)state;
#define STANDS                                                                                                             \
    "{\"name\":\"\",\"rule\":\"last(A) >= 60\",\"measure\":\"last(A)\",\"op\":\">=\",\"threshold\":\"60\",\"clear\":null," \
    "\"hold_s\":0,\"cooldown_s\":0,\"severity\":\"warning\",\"on_create\":\"fire\",\"enabled\":true}"
    static const struct {
        const char *definition;
        bool same;
    } rows[] = {
        { "{\"rule\":\"last(A) >= 60\"}", true },
        { "{\"rule\":\"last( A )>=60 \",\"clear\":null}", true },
        { "{\"rule\":\"last(A) >= 60\",\"severity\":\"warning\",\"at\":\"trade\"}", true },
        { "{\"rule\":\"last(A) >= 60\",\"at\":\"close\"}", false },
        { "{\"rule\":\"last(A) >= 60\",\"on_create\":\"wait\"}", false },
        { "{\"rule\":\"last(A) >= 60\",\"name\":\"n\"}", false },
        { "{\"rule\":\"last(A) > 60\"}", false },
    };
    assert_true(ask(RULE_CREATE, 1, 1, "{\"rule\":\"last(A) >= 60\"}").waits);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint64_t before = engine_seq(loop.step.engine);
        const struct answer a = ask_over(RULE_REPLACE, 1, 1, rows[i].definition, STANDS);
        if (!a.waits || !a.state || (engine_seq(loop.step.engine) == before) != rows[i].same)
            fail_msg("row %zu: %s", i, rows[i].definition);
    }
}

/* Not there, there already, too many, and only then what is wrong with the definition; none of
 * them uses a seq. engine.rules_max is 3 here. */
static void refusals_have_an_order(void **state)
{
    (void)state;
    assert_true(ask(RULE_CREATE, 1, 1, ABOVE(60)).waits);
    assert_true(ask(RULE_CREATE, 1, 2, ABOVE(60)).waits);
    assert_true(ask(RULE_CREATE, 1, 3, ABOVE(60)).waits);
    assert_true(ask(RULE_DELETE, 1, 3, NULL).waits);
    const uint64_t before = engine_seq(loop.step.engine);
    static const struct {
        enum rule_change change;
        int who, id;
        const char *definition;
        enum err e;
        const char *state;
    } rows[] = {
        { RULE_REPLACE, 1, 9, WRONG, ERR_NOT_FOUND, NULL },
        { RULE_REPLACE, 2, 1, WRONG, ERR_NOT_FOUND, NULL }, /* another tenant's */
        { RULE_REPLACE, 1, 3, WRONG, ERR_NOT_FOUND, NULL }, /* deleted */
        { RULE_DELETE, 1, 3, NULL, ERR_NOT_FOUND, NULL },
        { RULE_DELETE, 2, 1, NULL, ERR_NOT_FOUND, NULL },
        { RULE_CREATE, 1, 3, WRONG, ERR_NOT_FOUND, NULL },
        { RULE_CREATE, 1, 1, WRONG, ERR_CONFLICT, "ok" },
        { RULE_CREATE, 1, 9, WRONG, ERR_SYNTAX, NULL },
        { RULE_REPLACE, 1, 1, WRONG, ERR_SYNTAX, "ok" },
        { RULE_CREATE, 1, 9, "{\"rule\":\"last(B) > 1\"}", ERR_UNKNOWN_SYMBOL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct answer a = ask(rows[i].change, rows[i].who, rows[i].id, rows[i].definition);
        if (a.waits || a.e != rows[i].e || !a.text[0] || !a.state != !rows[i].state)
            fail_msg("row %zu: %s: %s", i, err_name(a.e), a.text);
    }
    assert_int_equal(engine_seq(loop.step.engine), before);
    assert_true(ask(RULE_CREATE, 1, 4, ABOVE(60)).waits);
    assert_int_equal(ask(RULE_CREATE, 1, 5, WRONG).e, ERR_LIMIT);
    assert_true(ask(RULE_CREATE, 2, 5, ABOVE(60)).waits); /* each tenant has its own three */
}

/* Ids of deleted rules are remembered: ten times as many as there may be. */
static void rules_ever_made_have_a_limit_too(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        assert_true(ask(RULE_CREATE, 1, i, ABOVE(60)).waits);
        assert_true(ask(RULE_DELETE, 1, i, NULL).waits);
    }
    const struct answer a = ask(RULE_CREATE, 1, 30, ABOVE(60));
    assert_int_equal(a.e, ERR_LIMIT);
    assert_non_null(strstr(a.text, "30 rules"));
}

static void states_are_told_at_once(void **state)
{
    (void)state;
    assert_true(ask(RULE_CREATE, 1, 1, ABOVE(60)).waits);
    assert_true(ask(RULE_CREATE, 1, 2, ABOVE(40)).waits);
    assert_true(ask(RULE_CREATE, 1, 3, ABOVE(40)).waits);
    assert_true(ask(RULE_DELETE, 1, 3, NULL).waits);
    const struct uuid ids[] = { rule_id(2), rule_id(9), rule_id(1), rule_id(3) };
    struct command *c = command_rule_states(tenant(1), ids, ARRAY_LEN(ids));
    assert_non_null(c);
    c->holders = 2;
    engine_loop_obey(&loop, c);
    assert_true(c->done);
    assert_int_equal(c->err, ERR_OK);
    assert_string_equal(c->states[0], "firing");
    assert_null(c->states[1]);
    assert_string_equal(c->states[2], "ok");
    assert_null(c->states[3]);
    command_drop(c);
    c = command_rule_states(tenant(2), ids, ARRAY_LEN(ids)); /* another tenant sees none of them */
    assert_non_null(c);
    c->holders = 2;
    engine_loop_obey(&loop, c);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) assert_null(c->states[i]);
    command_drop(c);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin_stock, end)
    const struct CMUnitTest tests[] = {
        STORY(a_change_waits_for_the_commit), STORY(a_change_to_what_is_so_already_is_none),
        STORY(refusals_have_an_order),        STORY(rules_ever_made_have_a_limit_too),
        STORY(states_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
