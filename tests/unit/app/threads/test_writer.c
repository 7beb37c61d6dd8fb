/* test_writer.c - the writer's thread on a real PostgreSQL, the test as engine: nobody is told of
 * what is not committed, a broken connection costs nothing, a fenced writer ends the service. */
#include "tests/unit/app/threads/loop.h"
#include "tests/unit/store/scratch_db.h"

#include "app/recover.h"
#include "core/metrics.h"

enum { LONG_MS = 60000 };

static pthread_t thread;
static bool joined;

static void join_writer(void)
{
    if (!joined) {
        queue_close(pipeline.turns);
        pthread_join(thread, NULL);
    }
    joined = true;
}

/* As a start of the service does it, in the database that the tests before have left. */
static int begin_writer(void **state)
{
    uint64_t last_seq;
    struct why why = { 0 };
    if (begin(state) || writer_open(conninfo, &pipeline.writer, &last_seq, &why)
        || recover_state(conninfo, &loop.step, pipeline.snapshots, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return -1;
    }
    engine_loop_recovered(&loop);
    joined = pthread_create(&thread, NULL, writer_main, &pipeline) != 0;
    return joined ? -1 : 0;
}
static int end_writer(void **state)
{
    join_writer();
    writer_close(pipeline.writer);
    return end(state);
}

/* Hands over a turn with one record, at which somebody waits; the command is the test's to drop. */
static struct command *hand_over_record(void)
{
    struct command *c = command_rule_states(tenant(1), NULL, 0);
    struct record r = step_clock(&loop.step, engine_now_ns(loop.step.engine) + NS_PER_S);
    assert_non_null(c);
    c->holders = 2;
    engine_loop_apply_own(&loop, &r, "test");
    assert_int_equal(turn_reserve(loop.turn), ERR_OK);
    turn_wait(loop.turn, c);
    loop.turn->picture = step_picture(&loop.step);
    assert_int_equal(queue_push(pipeline.turns, loop.turn, LONG_MS), ERR_OK);
    loop.turn = queue_pop(pipeline.spare_turns, LONG_MS);
    assert_non_null(loop.turn);
    return c;
}
static enum err answer_to(struct command *c)
{
    enum err e = ERR_IO; /* not answered */
    const int64_t deadline = mono_ns() + LONG_MS * NS_PER_MS;
    const struct timespec t = { deadline / NS_PER_S, deadline % NS_PER_S };
    pthread_mutex_lock(&c->lock);
    while (!c->done && pthread_cond_timedwait(&c->answered, &c->lock, &t) == 0) {}
    if (c->done) e = c->err;
    pthread_mutex_unlock(&c->lock);
    command_drop(c);
    return e;
}
static int64_t stored(void) { return number("SELECT count(*) FROM tocsin.event"); }

static void who_waits_is_told_once_it_is_committed(void **state)
{
    (void)state;
    assert_int_equal(stored(), 0);
    assert_int_equal(answer_to(hand_over_record()), ERR_OK);
    assert_int_equal(stored(), 1);
    struct picture *shown = pipeline_picture(&pipeline);
    assert_non_null(shown);
    picture_release(shown);
    assert_int_equal(answer_to(hand_over_record()), ERR_OK);
    assert_int_equal(stored(), 2);
    assert_int_equal(number("SELECT last_seq FROM tocsin.shard"), 2);
}

static void a_broken_connection_costs_nothing(void **state)
{
    (void)state;
    const int64_t before = stored(), retries = metric_get(METRIC_COMMIT_RETRIES);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    assert_int_equal(answer_to(hand_over_record()), ERR_OK);
    assert_int_equal(stored(), before + 1);
    assert_int_equal(metric_get(METRIC_COMMIT_RETRIES), retries + 1);
    assert_null(atomic_load(&pipeline.writer_trouble));
}

/* The engine closes the turns right behind its last one. */
static void the_last_turn_is_committed(void **state)
{
    (void)state;
    const int64_t before = stored();
    struct command *c = hand_over_record();
    join_writer();
    assert_int_equal(answer_to(c), ERR_OK);
    assert_int_equal(stored(), before + 1);
}

static void a_fenced_writer_commits_nothing_more(void **state)
{
    (void)state;
    struct writer *other;
    uint64_t last_seq;
    struct why why = { 0 };
    const int64_t before = stored();
    assert_int_equal(writer_open(conninfo, &other, &last_seq, &why), ERR_OK);
    assert_int_equal(answer_to(hand_over_record()), ERR_STOPPING);
    assert_int_equal(answer_to(hand_over_record()), ERR_STOPPING);
    join_writer();
    assert_true(gave_up());
    assert_int_equal(atomic_load(&pipeline.exit_code), EXIT_FENCED);
    assert_int_equal(stored(), before);
    assert_null(pipeline_picture(&pipeline));
    writer_close(other);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin_writer, end_writer)
    const struct CMUnitTest tests[] = {
        STORY(who_waits_is_told_once_it_is_committed),
        STORY(a_broken_connection_costs_nothing),
        STORY(the_last_turn_is_committed),
        STORY(a_fenced_writer_commits_nothing_more),
    };
    if (!scratch_open("app_writer")) return 0;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    return failed;
}
