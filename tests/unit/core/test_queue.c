/* test_queue.c - nothing lost, nothing twice, order kept; and every way to stop waiting. Threads are joined, never timed. */
#include "core/queue.h"
#include "core/when.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct queue *made(size_t capacity)
{
    struct queue *q;
    assert_int_equal(queue_new(capacity, &q), ERR_OK);
    return q;
}

static void *item(uintptr_t n) { return (void *)n; }

static void first_in_first_out_and_full_is_an_answer(void **state)
{
    (void)state;
    struct queue *q = made(3);
    assert_null(queue_pop(q, 0));
    for (uintptr_t turn = 0; turn < 10; turn++) { /* the ring goes round */
        for (uintptr_t i = 1; i <= 3; i++)
            assert_int_equal(queue_push(q, item(turn * 10 + i), 0), ERR_OK);
        assert_int_equal(queue_push(q, item(99), 0), ERR_FULL);
        assert_int_equal(queue_push(q, item(99), 1), ERR_FULL);
        assert_int_equal(queue_len(q), 3);
        for (uintptr_t i = 1; i <= 3; i++) assert_ptr_equal(queue_pop(q, 0), item(turn * 10 + i));
        assert_null(queue_pop(q, 1));
    }
    queue_free(q);
    queue_free(NULL);
}

static void closing_refuses_the_new_and_hands_out_the_old(void **state)
{
    (void)state;
    struct queue *q = made(2);
    assert_int_equal(queue_push(q, item(1), 0), ERR_OK);
    assert_false(queue_closed(q));
    queue_close(q);
    assert_true(queue_closed(q));
    assert_int_equal(queue_push(q, item(2), -1), ERR_STOPPING);
    assert_ptr_equal(queue_pop(q, -1), item(1));
    assert_null(queue_pop(q, -1)); /* for ever, and yet at once */
    queue_free(q);
}

static void a_kick_ends_one_wait_early(void **state)
{
    (void)state;
    struct queue *q = made(2);
    queue_kick(q); /* before the wait: not lost */
    assert_null(queue_pop(q, -1));
    queue_kick(q);
    assert_int_equal(queue_push(q, item(1), 0), ERR_OK);
    assert_ptr_equal(queue_pop(q, -1), item(1));
    int64_t before = mono_ns();
    assert_null(queue_pop(q, 5)); /* that kick is used up: this one waits */
    assert_true(mono_ns() - before >= 5 * NS_PER_MS);
    queue_free(q);
}

static void *pop_for_ever(void *q) { return queue_pop(q, -1); }
static void *push_for_ever(void *q) { return item((uintptr_t)queue_push(q, item(7), -1)); }

static void *joined(pthread_t t)
{
    void *result;
    assert_int_equal(pthread_join(t, &result), 0);
    return result;
}

static void sleepers_wake(void **state)
{
    (void)state;
    pthread_t t, u;
    struct queue *q = made(1);
    assert_int_equal(pthread_create(&t, NULL, pop_for_ever, q), 0);
    assert_int_equal(queue_push(q, item(5), 0), ERR_OK);
    assert_ptr_equal(joined(t), item(5));

    assert_int_equal(queue_push(q, item(6), 0), ERR_OK);
    assert_int_equal(pthread_create(&t, NULL, push_for_ever, q), 0);
    assert_ptr_equal(queue_pop(q, -1), item(6));
    assert_ptr_equal(joined(t), item(ERR_OK));
    assert_ptr_equal(queue_pop(q, 0), item(7));

    assert_int_equal(pthread_create(&t, NULL, pop_for_ever, q), 0);
    queue_kick(q);
    assert_null(joined(t));

    assert_int_equal(pthread_create(&t, NULL, pop_for_ever, q), 0);
    assert_int_equal(pthread_create(&u, NULL, pop_for_ever, q), 0);
    queue_close(q);
    assert_null(joined(t));
    assert_null(joined(u));
    queue_free(q);
}

/* Several producers and consumers over a small queue: each number arrives once, those of one producer in order. */
enum { THREADS = 4, EACH = 50000 };
static struct queue *shared;
static uint8_t arrived[THREADS][EACH];

static void *produce(void *arg)
{
    uintptr_t me = (uintptr_t)arg;
    for (uintptr_t i = 0; i < EACH; i++)
        if (queue_push(shared, item(me * EACH + i + 1), -1)) return item(1);
    return NULL;
}

static void *consume(void *arg)
{
    (void)arg;
    uintptr_t last[THREADS] = { 0 };
    for (void *got; (got = queue_pop(shared, -1));) {
        uintptr_t n = (uintptr_t)got - 1, from = n / EACH, i = n % EACH;
        if (i + 1 <= last[from]) return item(1); /* out of order */
        last[from] = i + 1;
        __atomic_fetch_add(&arrived[from][i], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void many_to_many(void **state)
{
    (void)state;
    pthread_t producers[THREADS], consumers[THREADS];
    shared = made(7);
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&producers[i], NULL, produce, item(i)), 0);
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) assert_null(joined(producers[i]));
    queue_close(shared);
    for (int i = 0; i < THREADS; i++) assert_null(joined(consumers[i]));
    for (int p = 0; p < THREADS; p++)
        for (int i = 0; i < EACH; i++) assert_int_equal(arrived[p][i], 1);
    assert_int_equal(queue_len(shared), 0);
    queue_free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_and_full_is_an_answer),
        cmocka_unit_test(closing_refuses_the_new_and_hands_out_the_old),
        cmocka_unit_test(a_kick_ends_one_wait_early),
        cmocka_unit_test(sleepers_wake),
        cmocka_unit_test(many_to_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
