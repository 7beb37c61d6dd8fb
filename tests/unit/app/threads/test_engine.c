/* test_engine.c - the engine's loop in a thread of its own, the test as ingest, writer and API:
 * when turns come, what is in them, and how it ends. Waits have a deadline of a minute. */
#include "tests/unit/app/threads/loop.h"

enum { LONG_MS = 60000 };

static pthread_t thread;

static int begin_thread(void **state)
{
    if (begin(state)) return -1;
    return pthread_create(&thread, NULL, engine_main, &loop) ? -1 : 0;
}

static void bring(struct record r)
{
    struct ingest_batch *b = queue_pop(pipeline.spare_batches, LONG_MS);
    assert_non_null(b);
    assert_int_equal(b->records_n, 0);
    add(b, r);
    assert_int_equal(queue_push(pipeline.ingested, b, LONG_MS), ERR_OK);
}
static struct turn *next_turn(void)
{
    struct turn *t = queue_pop(pipeline.turns, LONG_MS);
    assert_non_null(t);
    return t;
}
static void give_back(struct turn *t)
{
    turn_answer(t, ERR_OK);
    turn_clear(t);
    assert_int_equal(queue_push(pipeline.spare_turns, t, 0), ERR_OK);
    queue_kick(pipeline.ingested);
}
/* The end: what is left is committed until the engine closes the turns. Returns the last seq of the
 * snapshots it had. */
static uint64_t stop_engine(void)
{
    uint64_t saved = 0;
    atomic_store(&pipeline.stopping, true);
    queue_close(pipeline.ingested);
    for (struct turn *t; (t = queue_pop(pipeline.turns, LONG_MS)) != NULL;) {
        const struct state_snapshot s = write_batch_snapshot(t->batch);
        if (s.seq) saved = s.seq;
        give_back(t);
    }
    assert_true(queue_closed(pipeline.turns));
    pthread_join(thread, NULL);
    return saved;
}

static void an_idle_writer_gets_a_turn_at_once(void **state)
{
    (void)state;
    bring(stock("A"));
    struct turn *t = next_turn();
    assert_int_equal(write_batch_last_seq(t->batch), 1);
    assert_non_null(t->picture);
    give_back(t);
    assert_int_equal(stop_engine(), 1);
}

/* Batches grow with the load by themselves: what comes while one turn is out is in the next. */
static void a_busy_writer_gets_all_of_it_in_one(void **state)
{
    (void)state;
    bring(stock("A"));
    struct turn *t = next_turn();
    atomic_store(&pipeline.writer_busy, true); /* as the writer does, with t in hand */
    enum { MORE = 20 };
    for (int i = 1; i <= MORE; i++) bring(trade("A", i, T0 + i));
    atomic_store(&pipeline.writer_busy, false);
    uint64_t last = write_batch_last_seq(t->batch);
    give_back(t);
    int turns = 0;
    while (last < 1 + MORE) {
        t = next_turn();
        if (!write_batch_empty(t->batch)) { /* else a picture alone */
            assert_true(write_batch_last_seq(t->batch) > last);
            last = write_batch_last_seq(t->batch);
            turns++;
        }
        give_back(t);
    }
    assert_int_equal(last, 1 + MORE);
    /* at most four batches are on their way when the flag falls: the others came in one turn */
    assert_true(turns <= 5);
    assert_int_equal(stop_engine(), 1 + MORE);
}

/* An API thread's; *arg becomes what it is answered. */
static void *ask_create(void *arg)
{
    static const char definition[] = "{\"rule\":\"last(A) > 1\"}";
    const struct rule_request r = { .tenant = tenant(1),
                                    .rule = rule_id(1),
                                    .change = RULE_CREATE,
                                    .definition = definition,
                                    .definition_n = strlen(definition) };
    struct command *c = command_rule_change(&r);
    enum err *e = arg;
    *e = c ? command_ask(c, pipeline.commands, pipeline.ingested, LONG_MS, NULL) : ERR_NOMEM;
    if (c) command_drop(c);
    return NULL;
}

static void a_change_is_answered_with_its_turn(void **state)
{
    (void)state;
    enum err e = ERR_IO;
    pthread_t asker;
    bring(stock("A"));
    give_back(next_turn());
    assert_int_equal(pthread_create(&asker, NULL, ask_create, &e), 0);
    struct turn *t = next_turn();
    while (!t->waiting_n) { /* turns with a picture alone may come before */
        give_back(t);
        t = next_turn();
    }
    assert_int_equal(write_batch_last_seq(t->batch), 2);
    assert_non_null(t->picture); /* they see what they did */
    assert_false(t->waiting[0]->done);
    give_back(t);
    pthread_join(asker, NULL);
    assert_int_equal(e, ERR_OK);
    stop_engine();
    ask_create(&e); /* nobody answers any more: told at once */
    assert_int_equal(e, ERR_STOPPING);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin_thread, end)
    const struct CMUnitTest tests[] = {
        STORY(an_idle_writer_gets_a_turn_at_once),
        STORY(a_busy_writer_gets_all_of_it_in_one),
        STORY(a_change_is_answered_with_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
