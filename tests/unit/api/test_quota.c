/* test_quota.c - a second's worth at once, then as time passes; what is held is given back; tenants do not see each other's. */
#include "api/quota.h"

#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct quotas *quotas;
static const struct uuid A = { { 1 } },
                         B = { { 2 } }; /* of one bucket: their last bytes are the same */
static const int64_t T = 1000 * NS_PER_S;

static int begin(void **state)
{
    (void)state;
    const struct quota_limits limits = {
        .requests_s = 10, .changes_s = 0, .connections = 2, .streams = 1
    };
    return quotas_new(&limits, &quotas);
}
static int end(void **state)
{
    (void)state;
    quotas_free(quotas);
    return 0;
}

static enum err take(struct uuid tenant, enum quota what, int64_t now_ns)
{
    struct why why = { 0 };
    enum err e = quota_take(quotas, tenant, what, now_ns, &why);
    if (e) assert_non_null(strstr(why.text, "(api.tenant_")); /* it names the setting */
    return e;
}

/* 10 a second: ten at once, and from then on one every tenth of a second, however they are asked for. */
static void a_rate_is_a_seconds_worth(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) assert_int_equal(take(A, QUOTA_REQUEST, T), ERR_OK);
    for (int i = 0; i < 100; i++) assert_int_equal(take(A, QUOTA_REQUEST, T), ERR_LIMIT);
    assert_int_equal(take(B, QUOTA_REQUEST, T), ERR_OK); /* its own */
    assert_int_equal(take(A, QUOTA_REQUEST, T + 99 * NS_PER_MS), ERR_LIMIT);
    assert_int_equal(take(A, QUOTA_REQUEST, T + 100 * NS_PER_MS), ERR_OK);
    assert_int_equal(take(A, QUOTA_REQUEST, T + 100 * NS_PER_MS), ERR_LIMIT);
    int taken = 0;
    for (int ms = 101; ms <= 10100; ms++)
        taken += take(A, QUOTA_REQUEST, T + ms * NS_PER_MS) == ERR_OK;
    assert_int_equal(taken, 100); /* in ten seconds */
    taken = 0;
    for (int i = 0; i < 100; i++) taken += take(A, QUOTA_REQUEST, T + 3600 * NS_PER_S) == ERR_OK;
    assert_int_equal(taken, 10); /* an hour's rest is no hour's worth */
}

static void what_is_held_is_given_back(void **state)
{
    (void)state;
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_CONNECTION, T + 3600 * NS_PER_S), ERR_LIMIT);
    assert_int_equal(take(B, QUOTA_CONNECTION, T), ERR_OK);
    quota_give(quotas, A, QUOTA_CONNECTION);
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_LIMIT);
}

static void zero_is_no_limit(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) assert_int_equal(take(A, QUOTA_CHANGE, T), ERR_OK);
}

/* A lower limit takes nothing away that is held, and lets nothing in until it is kept to; a higher one counts at once. */
static void limits_change_while_it_runs(void **state)
{
    (void)state;
    struct quota_limits now = { .requests_s = 100, .connections = 1, .streams = 3 };
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(take(A, QUOTA_REQUEST, T), ERR_OK); /* half a second */
    quotas_set(quotas, &now);
    quota_give(quotas, A, QUOTA_CONNECTION);
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_LIMIT);
    quota_give(quotas, A, QUOTA_CONNECTION);
    assert_int_equal(take(A, QUOTA_CONNECTION, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_OK);
    assert_int_equal(take(A, QUOTA_STREAM, T), ERR_LIMIT);
    int taken = 0;
    for (int i = 0; i < 100; i++) taken += take(A, QUOTA_REQUEST, T) == ERR_OK;
    assert_int_equal(taken, 50); /* of the second's 100, the other half */
    now.streams = 0;
    quotas_set(quotas, &now);
    for (int i = 0; i < 1000; i++) assert_int_equal(take(A, QUOTA_STREAM, T), ERR_OK);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = { STORY(a_rate_is_a_seconds_worth),
                                        STORY(what_is_held_is_given_back), STORY(zero_is_no_limit),
                                        STORY(limits_change_while_it_runs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
