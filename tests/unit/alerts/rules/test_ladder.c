/* test_ladder.c - a ladder against a plain list of edges: what a move passes, in which order,
 * however the edges came. */
#include "alerts/rules/ladder.h"

#include "core/err.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RULES = 3000 };

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

/* The plain list: each rule has one edge, or none. */
static struct {
    bool there;
    struct edge e;
} plain[RULES];

static bool plain_dead(const void *ctx, const struct ladder *l, const struct edge *e)
{
    (void)ctx;
    (void)l;
    return !plain[e->rule].there || plain[e->rule].e.key != e->key;
}

static int by_order(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->rule > y->rule) - (x->rule < y->rule);
}

/* Edges between the old and the new value, in order, or against it on the way down. */
static size_t plain_passed(int64_t from, int64_t to, struct edge *out)
{
    static struct edge all[RULES];
    size_t n = 0, k = 0;
    for (size_t i = 0; i < RULES; i++)
        if (plain[i].there) all[n++] = plain[i].e;
    qsort(all, n, sizeof *all, by_order);
    for (size_t i = 0; i < n; i++) {
        const struct edge e = all[to >= from ? i : n - 1 - i];
        if (to >= from ? from < e.key && e.key <= to : to < e.key && e.key <= from) out[k++] = e;
    }
    return k;
}

static void put(struct ladder *l, uint32_t rule, int64_t key)
{
    if (plain[rule].there && plain[rule].e.key != key) l->dead++;
    plain[rule].there = true;
    plain[rule].e = (struct edge){ key, rule, 0 };
    assert_true(ladder_reserve(l, 1));
    ladder_add(l, plain[rule].e);
}

static void move_and_compare(struct ladder *l, bool *known, int64_t key, int step)
{
    static struct edge want[RULES];
    const size_t n = *known ? plain_passed(l->last, key, want) : 0;
    size_t got = 0;
    const bool rises = key > l->last;
    if (ladder_unsettled(l)) ladder_settle(l, plain_dead, NULL);
    ladder_move(l, key, 0);
    bool up;
    for (const struct edge *e; (e = ladder_pass(l, &up));) {
        if (plain_dead(NULL, l, e)) continue;
        if (got == n || e->key != want[got].key || e->rule != want[got].rule || up != rises)
            fail_msg("step %d: passed %" PRId64 "/%u as number %zu of %zu", step, e->key, e->rule,
                     got, n);
        got++;
    }
    assert_int_equal(got, n);
    *known = true;
}

static void a_move_passes_what_lies_between(void **state)
{
    (void)state;
    for (uint64_t start = 1; start <= 20; start++) {
        struct ladder l = { 0 };
        bool known = false;
        seed = start * 7919;
        memset(plain, 0, sizeof plain);
        const uint32_t keys = start % 2 ? 40 : 4000, busy = start == 20 ? 6000
                                                            : start % 3 ? 3
                                                                        : 200;
        for (int step = 0; step < 800; step++) {
            for (uint32_t i = upto(busy); i; i--) put(&l, upto(RULES), upto(keys));
            for (uint32_t i = upto(busy); i; i--) {
                const uint32_t rule = upto(RULES);
                l.dead += plain[rule].there;
                plain[rule].there = false;
            }
            move_and_compare(&l, &known, (int64_t)upto(keys + 2) - 1, step);
        }
        assert_true(l.n < 3 * RULES); /* what was left behind has gone */
        ladder_empty(&l);
    }
}

/* The first value stands where it stands, and is news to those who wait; so is the first after
 * a dark time. */
static void a_value_after_none_is_told(void **state)
{
    (void)state;
    struct ladder l = { 0 };
    bool up;
    assert_true(ladder_reserve(&l, 1));
    ladder_add(&l, (struct edge){ 10, 0, EDGE_ABOVE });
    ladder_settle(&l, plain_dead, NULL);
    assert_true(ladder_move(&l, 12, 0));
    assert_null(ladder_pass(&l, &up));
    assert_false(ladder_move(&l, 9, 0));
    assert_non_null(ladder_pass(&l, &up));
    assert_false(up);
    assert_null(ladder_pass(&l, &up));
    l.usable = false;
    assert_true(
        ladder_move(&l, 10, 0)); /* and the edge between then and now is passed all the same */
    assert_non_null(ladder_pass(&l, &up));
    assert_true(up);
    ladder_empty(&l);
    assert_true(l.has_value && l.last == 10 && l.n == 0);
}

static void an_edge_says_what_it_is(void **state)
{
    (void)state;
    const struct edge e = { 7, 3, 4 * 5 + EDGE_CLEARS + EDGE_ABOVE }, f = { 7, 3, 4 * 2 };
    assert_int_equal(edge_term(&e), 5);
    assert_true(edge_clears(&e) && edge_above(&e));
    assert_int_equal(edge_term(&f), 2);
    assert_false(edge_clears(&f) || edge_above(&f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_passes_what_lies_between),
        cmocka_unit_test(a_value_after_none_is_told),
        cmocka_unit_test(an_edge_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
