/* test_aggregate.c - one loop for all aggregates: incremental = afresh = merged from shards, to the bit. */
#include "analytics/universe.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* `whole` has all members, the two shards share them out by company; every change is made in the whole and in one shard. */
enum { WHOLE, SHARD_A, SHARD_B, UNIVERSES, LINES = 60, COMPANIES = 25, USD = 100000000 };

struct world {
    struct universe_store store;
    struct universe universes[UNIVERSES];
    uint32_t lines[LINES][UNIVERSES]; /* NONE: not in that one */
    uint32_t companies[LINES];        /* of now: a shard has those of one parity */
};

static uint64_t seed = 0x9E3779B97F4A7C15ull;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static uint32_t company_of(uint32_t line) { return line % COMPANIES; }
static bool is_in(uint32_t line, int universe)
{
    return universe == WHOLE || universe == (company_of(line) % 2 ? SHARD_A : SHARD_B);
}

static void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    for (uint32_t u = 0; u < UNIVERSES; u++) {
        struct universe *x = &w->universes[u];
        x->base = 1000;
        x->first_line = x->first_slot = x->first_series = NONE;
        assert_int_equal(universe_keep_standard(&w->store, x), ERR_OK);
        for (size_t k = 0; k < aggregate_kinds_n; k++)
            assert_int_equal(universe_ask(&w->store, x, aggregate_kinds[k]), ERR_OK);
        for (int k = 0; k < EW_VARIANTS; k += 3) equal_weight_ask(&w->store, x, k, 1);
    }
    for (uint32_t l = 0; l < LINES; l++) w->companies[l] = company_of(l);
    for (uint32_t l = 0; l < LINES; l++)
        for (uint32_t u = 0; u < UNIVERSES; u++) {
            w->lines[l][u] = NONE;
            if (is_in(l, (int)u))
                assert_int_equal(universe_add_line(&w->store, &w->universes[u], u, l, company_of(l),
                                                   0, &w->lines[l][u]),
                                 ERR_OK);
        }
}

static void end(struct world *w)
{
    for (int u = 0; u < UNIVERSES; u++) universe_release(&w->universes[u]);
    free(w->store.lines);
    free(w->store.slots);
    free(w->store.divisors.of);
}

static void change(struct world *w, uint32_t l,
                   void (*f)(struct universe_store *, struct universe *, uint32_t, int64_t),
                   int64_t v)
{
    for (int u = 0; u < UNIVERSES; u++)
        if (w->lines[l][u] != NONE) f(&w->store, &w->universes[u], w->lines[l][u], v);
}

static void set_price(struct universe_store *s, struct universe *u, uint32_t line, int64_t v)
{
    universe_set_price(s, u, line, v, 1);
}
static void set_shares(struct universe_store *s, struct universe *u, uint32_t line, int64_t v)
{
    universe_set_shares(s, u, line, v);
}
static void leave_or_join(struct universe_store *s, struct universe *u, uint32_t line, int64_t join)
{
    const struct line *l = &s->lines[line];
    if (!join && l->active) universe_remove_line(s, u, line);
    if (join && !l->active) {
        assert_int_equal(universe_rejoin(s, u, line, s->slots[l->slot].issuer, l->price_e8),
                         ERR_OK);
        universe_set_shares(s, u, line, 1 + l->instrument);
    }
}

/* Another company of the same shard, which perhaps has no line of late. */
static uint32_t other_company(const struct world *w, uint32_t l)
{
    const uint32_t c = w->companies[l] + 2 * (1 + upto(COMPANIES / 2));
    return c < COMPANIES ? c : w->companies[l] % 2;
}

static void give_line(struct world *w, uint32_t l, uint32_t company)
{
    for (int u = 0; u < UNIVERSES; u++)
        if (w->lines[l][u] != NONE)
            assert_int_equal(
                universe_give_line(&w->store, &w->universes[u], w->lines[l][u], company), ERR_OK);
    w->companies[l] = company;
}

static void merge_companies(struct world *w, uint32_t from, uint32_t to)
{
    for (int u = 0; u < UNIVERSES; u++)
        if (u == WHOLE || (from % 2 ? SHARD_A : SHARD_B) == u)
            assert_int_equal(universe_merge_companies(&w->store, &w->universes[u], from, to),
                             ERR_OK);
    for (int l = 0; l < LINES; l++)
        if (w->companies[l] == from) w->companies[l] = to;
}

/* The sum by company from nothing but lines and who has them. */
static void same_by_hand(const struct world *w, int step)
{
    i128 values[COMPANIES] = { 0 }, sum = 0;
    uint32_t lines[COMPANIES] = { 0 }, names = 0;
    for (int l = 0; l < LINES; l++) {
        const struct line *x = &w->store.lines[w->lines[l][WHOLE]];
        values[w->companies[l]] += x->value;
        lines[w->companies[l]] += x->valued;
    }
    for (int c = 0; c < COMPANIES; c++) {
        sum += values[c] * values[c];
        names += lines[c] > 0;
    }
    const struct squares *q = universe_kept(&w->universes[WHOLE], &aggregate_squares_by_issuer);
    if (q->sum != sum || w->universes[WHOLE].issuers_n != names)
        fail_msg("step %d: companies are not what their lines make", step);
}

/* Whoever goes to whom: levels stay, to the last bits of a chain where one was needed, and the divisor is the same. */
static void change_company(struct world *w, int step)
{
    struct universe *u = &w->universes[WHOLE];
    const uint32_t l = upto(LINES), to = other_company(w, l);
    double before[EW_VARIANTS];
    const double level = universe_level(u);
    const i128 ref = u->total_ref, total = u->total;
    equal_weight_refresh(&w->store, u);
    for (int k = 0; k < EW_VARIANTS; k++) before[k] = equal_weight_level(u, k);
    if (upto(2)) give_line(w, l, to);
    else merge_companies(w, w->companies[l], to);
    equal_weight_refresh(&w->store, u);
    assert_true(ref == u->total_ref && total == u->total);
    if (!u->based) return;
    assert_true(level == universe_level(u));
    for (int k = 0; k < EW_VARIANTS; k++)
        if (!(fabs(equal_weight_level(u, k) - before[k]) <= 1e-12 * fabs(before[k])))
            fail_msg("step %d: equal weights %d go from %.17g to %.17g", step, k, before[k],
                     equal_weight_level(u, k));
}

static void random_change(struct world *w, int step)
{
    uint32_t l = upto(LINES), op = upto(100);
    if (op < 2) change_company(w, step);
    else if (op < 85) change(w, l, set_price, 1 + (int64_t)upto(1000) * USD / 7);
    else if (op < 93) change(w, l, set_shares, upto(2000));
    else change(w, l, leave_or_join, upto(3) != 0);
}

/* Members that come into a running index take the average weight of all of it, which a shard does not know: shards restore
 * their weights together with the whole, as a rebalance does. */
static void rebalance(struct world *w)
{
    for (int u = 0; u < UNIVERSES; u++)
        for (int k = 0; k < EW_VARIANTS; k++)
            equal_weight_restore(&w->store, &w->universes[u], k, 1000);
}

static void same_afresh(const struct world *w, const struct universe *u,
                        const struct aggregate_kind *kind, int step)
{
    void *afresh = calloc(1, kind->size);
    struct universe_store copy =
        w->store; /* ranks are written by a rebuild of the order: on a copy */
    copy.slots = malloc((w->store.slots_n + 1) * sizeof *copy.slots);
    memcpy(copy.slots, w->store.slots, w->store.slots_n * sizeof *copy.slots);
    assert_int_equal(kind->rebuild(&copy, u, afresh), ERR_OK);
    if (!kind->equal(&w->store, universe_kept(u, kind), afresh))
        fail_msg("step %d: %s is not what it is afresh", step, kind->name);
    if (kind->release) kind->release(afresh);
    free(afresh);
    free(copy.slots);
}

static void same_merged(const struct world *w, const struct aggregate_kind *kind, int step)
{
    void *merged = calloc(1, kind->size); /* of nothing, then of both */
    for (int u = SHARD_A; u <= SHARD_B; u++)
        assert_int_equal(kind->merge(&w->store, merged, universe_kept(&w->universes[u], kind)),
                         ERR_OK);
    if (!kind->equal(&w->store, universe_kept(&w->universes[WHOLE], kind), merged))
        fail_msg("step %d: %s is not what its shards make", step, kind->name);
    if (kind->release) kind->release(merged);
    free(merged);
}

static void incremental_afresh_and_merged_are_the_same_bits(void **state)
{
    (void)state;
    static struct world w;
    printf("seed %" PRIu64 "\n", seed);
    begin(&w);
    for (int step = 0; step < 20000; step++) {
        random_change(&w, step);
        if (step == 2000)
            for (int u = 0; u < UNIVERSES; u++) universe_start(&w.store, &w.universes[u]);
        if (step % 50) continue;
        same_by_hand(&w, step);
        for (int u = 0; u < UNIVERSES; u++) equal_weight_refresh(&w.store, &w.universes[u]);
        for (size_t k = 0; k < aggregate_kinds_n; k++)
            for (int u = 0; u < UNIVERSES; u++)
                same_afresh(&w, &w.universes[u], aggregate_kinds[k], step);
        rebalance(&w);
        for (size_t k = 0; k < aggregate_kinds_n; k++) same_merged(&w, aggregate_kinds[k], step);
    }
    end(&w);
}

/* Kept from the first asker to the last, whoever else comes and goes; a late one finds what an early one would have. */
static void kept_as_long_as_somebody_asks(void **state)
{
    (void)state;
    static struct world w;
    begin(&w);
    struct universe *u = &w.universes[WHOLE];
    uint32_t kept = u->kept_n;
    assert_int_equal(kept, aggregate_kinds_n);
    assert_int_equal(universe_ask(&w.store, u, &aggregate_squares_by_line), ERR_OK);
    universe_leave(u, &aggregate_squares_by_line);
    assert_int_equal(u->kept_n, kept);
    universe_leave(u, &aggregate_squares_by_line);
    assert_int_equal(u->kept_n, kept - 1);
    for (int i = 0; i < 500; i++) random_change(&w, i);
    assert_int_equal(universe_ask(&w.store, u, &aggregate_squares_by_line), ERR_OK);
    same_afresh(&w, u, &aggregate_squares_by_line, 0);
    for (size_t k = 0; k < aggregate_kinds_n; k++)
        assert_ptr_equal(u->kept[k].kind, aggregate_kinds[k]); /* in their fixed order */
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incremental_afresh_and_merged_are_the_same_bits),
        cmocka_unit_test(kept_as_long_as_somebody_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
