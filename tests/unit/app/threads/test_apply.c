/* test_apply.c - a batch of Kafka's through the loop: what is applied, what becomes a dead letter
 * and why, and that one bad record costs no other. */
#include "tests/unit/app/threads/loop.h"

static struct ingest_batch *batch;

static int begin_batch(void **state) { return begin(state) || ingest_batch_new(&batch) ? -1 : 0; }
static int end_batch(void **state)
{
    ingest_batch_free(batch);
    return end(state);
}

static void what_is_refused_is_kept_with_its_place(void **state)
{
    (void)state;
    struct source_life *life = ingest_batch_life(batch);
    assert_non_null(life);
    *life = (struct source_life){
        .source_id = 7, .cluster_id = "c", .topic = "ticks", .part = 3, .reason = "first seen"
    };
    add(batch, stock("A"));
    add(batch, trade("NOBODY", 1, T0));
    add(batch, trade("A", 50, T0));
    batch->records[1].message = str("{\"as it came\"}");
    engine_loop_apply(&loop, batch);
    assert_int_equal(engine_seq(loop.step.engine), 2); /* the refused one uses no seq */
    assert_int_equal(write_batch_rows(loop.turn->batch), 2);
    assert_int_equal(batch->dead_n, 1);
    const struct dead_letter *d = &batch->dead[0];
    assert_string_equal(d->topic, "ticks");
    assert_int_equal(d->part, 3);
    assert_int_equal(d->source_id, 7);
    assert_int_equal(d->kafka_offset, 2);
    assert_int_equal(d->reason, ERR_UNKNOWN_SYMBOL);
    assert_non_null(strstr(d->detail, "NOBODY"));
    assert_int_equal(d->message.n, 14);
}

/* At most 5,000 ms, as by default, ahead of when the message was sent, and of our own clock; a
 * session's date at most the day after its event time. */
static void what_lies_ahead_is_set_aside(void **state)
{
    (void)state;
    const int64_t day = 86400000, never = 9000 * day;
    static const int32_t ahead_max_ms = 5000;
    const struct {
        int64_t event_ms, sent_ms, session_days; /* from T0 */
        enum err err;
    } rows[] = {
        { 0, 0, 0, ERR_OK },
        { ahead_max_ms, 0, 0, ERR_OK },
        { ahead_max_ms + 1, 0, 0, ERR_AHEAD },
        { 23 * 3600000, 0, 1, ERR_AHEAD }, /* one symbol's clock is 23 hours ahead */
        { 2 * day, 2 * day - 1, 2, ERR_OK },
        { 0, 0, 1, ERR_OK },
        { 0, 0, 2, ERR_INVALID },
        { never, never, 9000, ERR_AHEAD }, /* the producer's clock is wrong as well */
    };
    assert_int_equal(loop.p->c->ingest_ahead_max_ms, ahead_max_ms);
    add(batch, stock("A"));
    engine_loop_apply(&loop, batch);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ingest_batch_clear(batch);
        struct record r = { .kind = RECORD_CLOCK, .event_ns = T0 + rows[i].event_ms * NS_PER_MS };
        r.u.clock.session_end = day_of_ns(T0) + (int32_t)rows[i].session_days;
        add(batch, r);
        batch->records[0].received_ms = T0 / NS_PER_MS + rows[i].sent_ms;
        engine_loop_apply(&loop, batch);
        if ((batch->dead_n ? batch->dead[0].reason : ERR_OK) != rows[i].err)
            fail_msg("row %zu: %s", i, batch->dead_n ? batch->dead[0].detail : "was taken");
    }
}

static void positions_go_with_what_they_stand_for(void **state)
{
    (void)state;
    size_t n;
    add(batch, stock("A"));
    struct source_mark *m = ingest_batch_mark(batch, 7);
    assert_non_null(m);
    m->next_offset = 99;
    engine_loop_apply(&loop, batch);
    const struct source_mark *marks = write_batch_marks(loop.turn->batch, &n);
    assert_int_equal(n, 1);
    assert_int_equal(marks[0].next_offset, 99);
}

static void a_record_of_our_own_that_is_refused_ends_the_service(void **state)
{
    (void)state;
    struct record r = trade("NOBODY", 1, T0);
    engine_loop_apply_own(&loop, &r, "test");
    assert_true(gave_up());
    assert_int_equal(atomic_load(&pipeline.exit_code), EXIT_BROKEN);
    r = step_clock(&loop.step, T0);
    engine_loop_apply_own(&loop, &r, "test");
    assert_false(gave_up());
    assert_int_equal(engine_seq(loop.step.engine), 1);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin_batch, end_batch)
    const struct CMUnitTest tests[] = {
        STORY(what_is_refused_is_kept_with_its_place),
        STORY(what_lies_ahead_is_set_aside),
        STORY(positions_go_with_what_they_stand_for),
        STORY(a_record_of_our_own_that_is_refused_ends_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
