/* test_work.c - lanes take turns, none has every thread, a full one says so, and what was taken runs before the end. */
#include "api/work.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ROUNDS = 3,
    JOBS = ROUNDS * WORK_QUEUE + 8,
    HELD = 9 /* a lane whose jobs run until the end */
};

struct task {
    struct job job;
    int no;
};
static struct task tasks[JOBS];
static int made;

/* Who runs waits here until it is let go; the order in which they began is kept. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static bool open_gate;
static int begun[JOBS], begun_n, let;

static void run(struct job *j, struct reader *db)
{
    (void)db;
    pthread_mutex_lock(&lock);
    begun[begun_n++] = ((struct task *)j)->no;
    pthread_cond_broadcast(&moved);
    while (!open_gate && (let == 0 || j->lane.b[0] == HELD)) pthread_cond_wait(&moved, &lock);
    if (!open_gate) let--;
    pthread_mutex_unlock(&lock);
}

static enum err push_of(struct work *w, struct uuid lane)
{
    tasks[made] = (struct task){ { .run = run, .lane = lane }, made };
    return work_push(w, &tasks[made++].job);
}
/* Of all lanes the last bytes are the same: that does not make one of them. */
static enum err push(struct work *w, uint8_t lane)
{
    return push_of(w, (struct uuid){ .b = { [0] = lane, [15] = 7 } });
}

static void wait_begun(int n)
{
    pthread_mutex_lock(&lock);
    while (begun_n < n) pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}
static void let_one(void)
{
    pthread_mutex_lock(&lock);
    let++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}
static void let_all(void)
{
    pthread_mutex_lock(&lock);
    open_gate = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static struct work *begin(int threads)
{
    struct work *w;
    struct why why = { 0 };
    made = begun_n = let = 0;
    open_gate = false;
    assert_int_equal(work_new("", threads, &w, &why), ERR_OK);
    return w;
}
static void end(struct work *w)
{
    let_all();
    work_stop(w);
    assert_int_equal(begun_n, made);
    assert_int_equal(push(w, 0), ERR_STOPPING);
    work_free(w);
}

/* Lane 1 is there first, with many; lane 2's one job finds a thread at once. */
static void no_lane_has_every_thread(void **state)
{
    (void)state;
    struct work *w = begin(3);
    for (int i = 0; i < 50; i++) assert_int_equal(push(w, 1), ERR_OK);
    wait_begun(2);
    assert_int_equal(push(w, 2), ERR_OK); /* job 50 */
    wait_begun(3);
    assert_int_equal(begun[2], 50);
    end(w);
}

/* One thread is held by lane 9 all the time, so the other serves the lanes alone. */
static void lanes_take_turns(void **state)
{
    (void)state;
    struct work *w = begin(2);
    static const uint8_t lanes[] = { 1, 1, 1, 2, 2, 3 }; /* jobs 1 to 6 */
    static const int order[] = { 0, 1, 2, 4, 6, 3, 5 };
    assert_int_equal(push(w, HELD), ERR_OK);
    wait_begun(1);
    for (size_t i = 0; i < sizeof lanes; i++) {
        assert_int_equal(push(w, lanes[i]), ERR_OK);
        wait_begun(2);
    }
    for (int n = 3; n <= 7; n++) {
        let_one();
        wait_begun(n);
    }
    for (int i = 0; i < 7; i++) assert_int_equal(begun[i], order[i]);
    end(w);
}

static void a_full_lane_says_so_and_others_go_on(void **state)
{
    (void)state;
    struct work *w = begin(2);
    assert_int_equal(push(w, 1), ERR_OK);
    wait_begun(1);
    for (int i = 0; i < WORK_LANE_MAX; i++) assert_int_equal(push(w, 1), ERR_OK);
    assert_int_equal(push(w, 1), ERR_LIMIT);
    made--;
    assert_int_equal(push(w, 2), ERR_OK);
    for (int lane = 3; lane < 7; lane++)
        for (int i = 0; i < WORK_LANE_MAX && made < WORK_QUEUE; i++) (void)!push(w, (uint8_t)lane);
    enum err e = ERR_OK;
    for (int i = 0; i < 5 && !e; i++) e = push(w, 200);
    made--;
    assert_int_equal(e, ERR_FULL);
    end(w);
}

/* More lanes than there is room for at once, each there while it has a job. */
static void lanes_come_and_go(void **state)
{
    (void)state;
    struct work *w = begin(3);
    for (int n = 0; n < ROUNDS * WORK_QUEUE; n++) {
        struct uuid lane = { { 0 } };
        memcpy(lane.b + 4, &n, sizeof n);
        assert_int_equal(push_of(w, lane), ERR_OK);
        if (made % WORK_QUEUE != 0) continue;
        for (int i = 0; i < WORK_QUEUE; i++) let_one();
        wait_begun(made);
    }
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_lane_has_every_thread),
                                        cmocka_unit_test(lanes_take_turns),
                                        cmocka_unit_test(lanes_come_and_go),
                                        cmocka_unit_test(a_full_lane_says_so_and_others_go_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
