/* test_engine.c - the engine's loop in a thread of its own, the test as ingest, writer and API:
 * when turns come, what is in them, and how it ends. Waits have a deadline of a minute. */
#include "core/arena.h"
#include "core/json_write.h"
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
        if (t->snapshot) saved = t->snapshot->seq;
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

/* ---- cut anywhere ---- */
enum { ROUNDS = 40, PER_ROUND = 30 };

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

/* As the source hands it over: each message with its record, or without one, and where it ends. */
static void say_message(struct ingest_batch *b, const struct record *r, int64_t offset)
{
    struct ingest_message *m = ingest_batch_message(b);
    assert_non_null(m);
    if (r) {
        struct record *to = ingest_batch_record(b);
        assert_non_null(to);
        *to = *r;
        to->source_id = 7;
        to->offset = offset;
        to->received_ms = r->event_ns / NS_PER_MS;
        to->message = str("{}");
    } else {
        struct dead_letter *d = ingest_batch_dead(b);
        assert_non_null(d);
        *d = (struct dead_letter){ .topic = "t",
                                   .source_id = 7,
                                   .kafka_offset = offset,
                                   .reason = ERR_SYNTAX,
                                   .detail = "no message" };
    }
    *m = (struct ingest_message){ .source_id = 7,
                                  .records_end = (uint32_t)b->records_n,
                                  .dead_end = (uint32_t)b->dead_n,
                                  .next_offset = offset + 1,
                                  .fingerprint = offset + 1 };
}

static struct record any_record(int64_t offset)
{
    const char *names[] = { "A", "B", "NOBODY" };
    return trade(names[upto(20) ? upto(2) : 2], 90 + upto(20), T0 + offset * NS_PER_MS);
}

/* The rows of each table, one turn after the other; and that a position is never ahead of, nor
 * behind, what is in. */
struct collected {
    struct buf rows[TABLE_COUNT];
    int64_t next;
    size_t turns, most;
};

static void collect(struct collected *c, const struct write_batch *b)
{
    size_t n;
    for (enum table_id id = 0; id < TABLE_COUNT; id++) {
        const struct row_run *runs = write_batch_runs(b, id, &n);
        for (size_t i = 0; i < n && id != TABLE_source_mark_row; i++)
            for (size_t k = 0; k < runs[i].n; k++) {
                struct json_writer w = json_write(&c->rows[id]);
                row_json(&w, NULL, tables[id].row,
                         (const char *)runs[i].rows + k * tables[id].row->size);
                buf_puts(&c->rows[id], "\n");
            }
    }
    const struct source_mark *marks = write_batch_marks(b, &n);
    for (size_t i = 0; i < n; i++) {
        assert_true(marks[i].next_offset >= c->next);
        assert_true(marks[i].fingerprint == marks[i].next_offset); /* as say_message made it */
        c->next = marks[i].next_offset;
    }
    c->turns += !write_batch_empty(b);
    if (write_batch_weight(b, 0) > c->most) c->most = write_batch_weight(b, 0);
    size_t ticks = 0, dead = 0;
    for (const char *p = c->rows[TABLE_tick_row].data; p && (p = strchr(p, '\n')); p++) ticks++;
    for (const char *p = c->rows[TABLE_dead_letter_row].data; p && (p = strchr(p, '\n')); p++)
        dead++;
    if (c->next) assert_int_equal(ticks + dead, c->next - 2); /* two were instruments */
}

static void *bring_all(void *arg)
{
    (void)arg;
    int64_t offset = 2;
    for (int i = 0; i < ROUNDS; i++) {
        struct ingest_batch *b = queue_pop(pipeline.spare_batches, LONG_MS);
        assert_non_null(b);
        for (int k = 0; k < PER_ROUND; k++, offset++) {
            const struct record r = any_record(offset);
            say_message(b, upto(10) ? &r : NULL, offset);
        }
        *ingest_batch_mark(b, 7) = (struct source_mark){ 7, offset, offset };
        assert_int_equal(queue_push(pipeline.ingested, b, LONG_MS), ERR_OK);
    }
    return NULL;
}

/* All rows of a run whose turns are full at so many rows. */
static void run_of(long turn_rows, uint64_t from, struct collected *c)
{
    struct arena arena = { 0 };
    pthread_t ingest;
    *c = (struct collected){ 0 };
    seed = from;
    config.engine_turn_rows = turn_rows;
    struct record names[] = { stock("A"), stock("B") };
    struct why why = { 0 };
    for (int i = 0; i < 2; i++) assert_int_equal(step_apply(&loop.step, &names[i], &why), ERR_OK);
    for (int i = 0; i < 40; i++) {
        char text[80];
        struct record r;
        struct rule_draft draft;
        snprintf(text, sizeof text, "{\"rule\":\"last(%c) >= %d\"}", "AB"[i % 2], 91 + i / 2 % 18);
        assert_int_equal(rule_draft_read(text, strlen(text), &draft, &why), ERR_OK);
        assert_int_equal(step_rule_put(&loop.step, tenant(1), rule_id(i), &draft, &arena, &r, &why),
                         ERR_OK);
        assert_int_equal(step_apply_put(&loop.step, &r, &draft, &why), ERR_OK);
    }
    write_batch_clear(loop.turn->batch); /* what made them is not looked at: it has our own clock */
    assert_int_equal(pthread_create(&thread, NULL, engine_main, &loop), 0);
    assert_int_equal(pthread_create(&ingest, NULL, bring_all, NULL), 0);
    for (const int64_t last = 2 + ROUNDS * PER_ROUND; c->next < last;) {
        struct turn *t = next_turn();
        collect(c, t->batch);
        give_back(t);
    }
    pthread_join(ingest, NULL);
    stop_engine();
    arena_release(&arena);
}

/* The clock of our own in records of refusals (received_ms) is not what is compared here: a refused
 * record's event has the message's. */
static void cut_anywhere_a_turn_has_the_same_rows(void **state)
{
    static const long sizes[] = { 1, 2, 7, 50, 400 };
    struct collected whole;
    run_of(100000, 77, &whole);
    printf("%zu turns\n", whole.turns);
    assert_true(whole.rows[TABLE_alert_row].len > 10000 && whole.rows[TABLE_dead_letter_row].len);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct collected cut;
        assert_int_equal(end(state), 0);
        assert_int_equal(begin(state), 0);
        run_of(sizes[i], 77, &cut);
        printf("%ld rows: %zu turns, the largest has %zu\n", sizes[i], cut.turns, cut.most);
        assert_true(cut.turns > whole.turns || sizes[i] > 100);
        assert_true(cut.most <= (size_t)sizes[i] + 60); /* of one message, and the marks */
        for (enum table_id id = 0; id < TABLE_COUNT; id++) {
            assert_int_equal(cut.rows[id].len, whole.rows[id].len);
            if (cut.rows[id].len)
                assert_memory_equal(cut.rows[id].data, whole.rows[id].data, cut.rows[id].len);
            buf_release(&cut.rows[id]);
        }
    }
    for (enum table_id id = 0; id < TABLE_COUNT; id++) buf_release(&whole.rows[id]);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin_thread, end)
    const struct CMUnitTest tests[] = {
        STORY(an_idle_writer_gets_a_turn_at_once),
        STORY(a_busy_writer_gets_all_of_it_in_one),
        STORY(a_change_is_answered_with_its_turn),
        cmocka_unit_test_setup_teardown(cut_anywhere_a_turn_has_the_same_rows, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
