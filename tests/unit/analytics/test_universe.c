/* test_universe.c - concentration against worked examples, and levels that only prices move. */
#include "analytics/market.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { USD = 100000000 };

struct world {
    struct universe_store store;
    struct universe index;
};

static void begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->index.base = 1000;
    w->index.first_line = w->index.first_slot = w->index.first_series = NONE;
    assert_int_equal(universe_keep_standard(&w->store, &w->index), ERR_OK);
    assert_int_equal(universe_ask(&w->store, &w->index, &aggregate_squares_by_issuer), ERR_OK);
    assert_int_equal(universe_ask(&w->store, &w->index, &aggregate_squares_by_line), ERR_OK);
}

static void end(struct world *w)
{
    free(w->store.lines);
    free(w->store.slots);
    free(w->store.divisors.of);
    universe_release(&w->index);
}

static uint32_t add(struct world *w, uint32_t issuer, int64_t shares, int64_t price_e8)
{
    uint32_t line;
    assert_int_equal(
        universe_add_line(&w->store, &w->index, 0, (uint32_t)w->store.lines_n, issuer, 0, &line),
        ERR_OK);
    universe_set_shares(&w->store, &w->index, line, shares);
    universe_set_price(&w->store, &w->index, line, price_e8, 1);
    return line;
}

/* All sums are those of the prices now, asked for or not. */
static const struct universe *fresh(struct world *w)
{
    equal_weight_refresh(&w->store, &w->index);
    return &w->index;
}

static const struct order *order_of(const struct world *w)
{
    return universe_kept(&w->index, &aggregate_order);
}

/* A measure of the index, by the formulas of measures/. */
static double value(const struct world *w, const char *text)
{
    struct measure x;
    struct universe universe = w->index;
    const struct market m = { .universes = &universe, .universes_n = 1, .store = w->store };
    assert_int_equal(measure_parse(text, strlen(text), &x, NULL), ERR_OK);
    const struct series s = { .kind = x.kind, .args = x.args };
    struct reading r;
    x.kind->read(&m, &s, &r);
    return r.value;
}

static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * fabs(want))) fail_msg("%.17g, wanted %.17g", got, want);
}

/* 500 equal stocks: HHI 10,000/500 = 20. */
static void equal_stocks(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    for (uint32_t i = 0; i < 500; i++) add(&w, i, 1000, 100ll * USD);
    assert_true(value(&w, "hhi(X)") == 20);
    assert_true(value(&w, "hhi(X, by=line)") == 20);
    assert_true(value(&w, "effective_number(X)") == 500);
    near(value(&w, "top_weight(X, n=10)"), 2, 1e-15);
    near(value(&w, "top_weight(X, by=line, n=50)"), 10, 1e-15);
    assert_true(w.index.valued_n == w.index.lines_n && w.index.carried == w.index.total);
    end(&w);
}

static void ranks(const struct world *w, const char *text, double want)
{
    const double got = value(w, text);
    if (got != want) fail_msg("%s: %.17g, wanted %.17g", text, got, want);
}

/* The sums of rounded terms are those by hand but for the last digits; alpha=2 and inf are fractions, and exact. */
static void four_companies_by_entropy(void **state)
{
    (void)state;
    static const int64_t shares[] = { 15, 50, 10, 25 };
    static const struct aggregate_kind *const kinds[] = {
        &aggregate_order_by_line, &aggregate_log_by_issuer, &aggregate_log_by_line,
        &aggregate_root_by_line,  &aggregate_power_by_line,
    };
    struct world w;
    begin(&w);
    for (uint32_t i = 0; i < ARRAY_LEN(shares); i++) add(&w, i, shares[i], 1ll * USD);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        assert_int_equal(universe_ask(&w.store, &w.index, kinds[i]), ERR_OK);
    near(value(&w, "entropy(X)"), 1.2079736875922321, 1e-14);
    near(value(&w, "theil(X, by=line)"), 0.17832067352765857, 1e-13);
    near(value(&w, "hannah_kay(X)"), 3.3466963249472342, 1e-14);
    near(value(&w, "hannah_kay(X, by=line, alpha=0.5)"), 3.650518009107569, 1e-13);
    near(value(&w, "hannah_kay(X, by=line, alpha=1.5)"), 3.096628730641287, 1e-13);
    ranks(&w, "hannah_kay(X, alpha=2)", 10000.0 / 3450);
    ranks(&w, "hannah_kay(X, by=line, alpha=inf)", 2);
    for (uint32_t l = 0; l < 4; l++) universe_set_shares(&w.store, &w.index, l, 1000000007);
    near(value(&w, "entropy(X)"), 1.3862943611198906, 1e-14);
    assert_true(value(&w, "theil(X, by=line)") < 1e-14);
    near(value(&w, "hannah_kay(X, by=line, alpha=1.5)"), 4, 1e-14);
    for (uint32_t l = 1; l < 4; l++) universe_remove_line(&w.store, &w.index, l);
    ranks(&w, "entropy(X)", 0);
    ranks(&w, "theil(X, by=line)", 0);
    ranks(&w, "hannah_kay(X)", 1);
    end(&w);
}

/* 50, 25, 15 and 10 of 100: R = 1 * 50 + 2 * 25 + 3 * 15 + 4 * 10 = 185. Then the first company's 50 are lines of 30 and 20. */
static void four_companies_by_rank(void **state)
{
    (void)state;
    static const int64_t shares[] = { 15, 50, 10, 25 };
    static const struct {
        const char *name, *more;
        double want;
    } rows[] = {
        { "adjusted_hhi", "", 1.38 },  { "normalised_hhi", "", 0.095 / 0.75 },
        { "gini", "", 0.325 },         { "hall_tideman", "", 100.0 / 270 },
        { "names_to", "", 1 },         { "names_to", ", p=51", 2 },
        { "names_to", ", p=75", 2 },   { "names_to", ", p=100", 4 },
        { "tail_equivalence", "", 3 },
    };
    struct world w;
    begin(&w);
    for (uint32_t i = 0; i < ARRAY_LEN(shares); i++) add(&w, i, shares[i], 1ll * USD);
    assert_int_equal(universe_ask(&w.store, &w.index, &aggregate_order_by_line), ERR_OK);
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        char text[60];
        snprintf(text, sizeof text, "%s(X%s%s)", rows[i / 2].name, i % 2 ? ", by=line" : "",
                 rows[i / 2].more);
        ranks(&w, text, rows[i / 2].want);
    }
    universe_set_shares(&w.store, &w.index, 1, 30);
    add(&w, 1, 20, 1ll * USD);
    ranks(&w, "gini(X)", 0.325);
    ranks(&w, "names_to(X, p=75)", 2);
    ranks(&w, "gini(X, by=line)", 0.2); /* 30, 25, 20, 15, 10: (6 * 100 - 2 * 250) / 500 */
    ranks(&w, "names_to(X, by=line, p=75)", 3);
    ranks(&w, "tail_equivalence(X, by=line)", 2);
    end(&w);
}

/* Five at 10 % and 495 at 0.1 %: 5 * 0.1^2 + 495 * 0.001^2 = 0.050495, so 504.95. Those weights are 99.5 % of a whole: by themselves
 * they give 504.95 / 0.995^2; with 5,000 names of 0.0001 % beside them, too small for the printed digits, 504.95. */
static void five_giants(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    for (uint32_t i = 0; i < 500; i++) add(&w, i, i < 5 ? 100000 : 1000, 100ll * USD);
    near(value(&w, "hhi(X)"), 504.95 / (0.995 * 0.995), 1e-14);
    near(value(&w, "effective_number(X)"), 10000 / (504.95 / (0.995 * 0.995)), 1e-14);
    near(value(&w, "top_weight(X, n=5)"), 100 * 50 / 99.5, 1e-14);
    for (uint32_t i = 500; i < 5500; i++) add(&w, i, 1, 100ll * USD);
    char printed[32];
    snprintf(printed, sizeof printed, "%.2f", value(&w, "hhi(X)"));
    assert_string_equal(printed, "504.95");
    near(value(&w, "top_weight(X, n=5)"), 50, 1e-14);
    near(value(&w, "top_weight(X, by=line, n=6)"), 50.1, 1e-14);
    end(&w);
}

/* Two lines of one company are one weight by issuer: 30 % + 20 % beside 50 % is 5000, by line 3800. */
static void share_classes_add_up(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    add(&w, 7, 300, 10ll * USD);
    add(&w, 7, 100, 20ll * USD);
    add(&w, 3, 500, 10ll * USD);
    near(value(&w, "hhi(X)"), 5000, 1e-14);
    near(value(&w, "hhi(X, by=line)"), 3800, 1e-14);
    near(value(&w, "top_weight(X, n=1)"), 50, 1e-14);
    near(value(&w, "top_weight(X, by=line, n=2)"), 80, 1e-14);
    assert_int_equal(w.store.slots[order_of(&w)->who[0]].issuer, 3); /* ties go by issuer number */
    assert_int_equal(w.index.issuers_n, 2);
    end(&w);
}

static void values_are_floored_in_128_bits(void **state)
{
    (void)state;
    uint64_t seed = 20180207;
    for (int i = 0; i < 1000000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t price = (int64_t)(seed >> 11) % 9000000000000000 + 1;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        int64_t shares = (int64_t)(seed >> (21 + (seed >> 3) % 40)) + 1;
        if (!value_fits(price, shares)) continue;
        assert_true((i128)line_value(price, shares) == (i128)price * shares / 1000000);
    }
    assert_true(value_fits(9000000000000000, 8000000));
    assert_false(value_fits(9000000000000000, 9000000));
}

static void levels_follow_prices_only(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    uint32_t a = add(&w, 1, 1000, 100ll * USD), b = add(&w, 2, 3000, 100ll * USD);
    universe_start(&w.store, &w.index);
    near(universe_level(&w.index), 1000, 1e-15);
    universe_set_price(&w.store, &w.index, a, 110ll * USD, 2);
    near(universe_level(&w.index), 1025, 1e-14); /* a quarter of it rose by 10 % */
    near(equal_weight_level(fresh(&w), ew_variant(EW_QUARTERLY, BY_ISSUER)), 1050, 1e-9);
    universe_set_shares(&w.store, &w.index, b, 9000);
    near(universe_level(&w.index), 1025, 1e-14);
    uint32_t c = add(&w, 3, 500, 7ll * USD);
    near(universe_level(&w.index), 1025, 1e-14);
    near(equal_weight_level(fresh(&w), ew_variant(EW_HELD, BY_LINE)), 1050, 1e-9);
    universe_remove_line(&w.store, &w.index, a);
    near(universe_level(&w.index), 1025, 1e-14);
    near(equal_weight_level(fresh(&w), ew_variant(EW_HELD, BY_LINE)), 1050, 1e-9);
    universe_set_price(&w.store, &w.index, c, 14ll * USD, 3); /* b: 900,000, c: 3,500 -> 7,000 */
    near(universe_level(&w.index), 1025 * 907000.0 / 903500, 1e-14);
    end(&w);
}

/* EW by issuer: a company's weight stays with its other line when one of them goes. */
static void a_company_keeps_its_equal_weight(void **state)
{
    (void)state;
    struct world w;
    int held = ew_variant(EW_HELD, BY_ISSUER);
    begin(&w);
    uint32_t a = add(&w, 1, 1000, 100ll * USD), other = add(&w, 2, 1000, 50ll * USD);
    universe_start(&w.store, &w.index);
    uint32_t b =
        add(&w, 1, 1000, 200ll * USD); /* a second line: no weight of its own until a rebalance */
    near(equal_weight_level(fresh(&w), held), 1000, 1e-9);
    universe_remove_line(&w.store, &w.index, a);
    near(equal_weight_level(fresh(&w), held), 1000, 1e-9);
    universe_set_price(&w.store, &w.index, b, 400ll * USD, 2); /* one of two companies doubles */
    near(equal_weight_level(fresh(&w), held), 1500, 1e-9);
    universe_remove_line(&w.store, &w.index, other);
    near(equal_weight_level(fresh(&w), held), 1500, 1e-9);
    universe_set_price(&w.store, &w.index, b, 200ll * USD, 3);
    near(equal_weight_level(fresh(&w), held), 750, 1e-9);
    end(&w);
}

/* The only company's second line outlives the first: the level goes on, it does not become 0/0 for ever. */
static void the_last_company_changes_its_line(void **state)
{
    (void)state;
    struct world w;
    int k = ew_variant(EW_QUARTERLY, BY_ISSUER);
    begin(&w);
    uint32_t a = add(&w, 1, 1000, 100ll * USD);
    universe_start(&w.store, &w.index);
    uint32_t b = add(&w, 1, 10, 30ll * USD);
    universe_remove_line(&w.store, &w.index, a);
    near(equal_weight_level(fresh(&w), k), 1000, 1e-9);
    universe_set_price(&w.store, &w.index, b, 60ll * USD, 2);
    near(equal_weight_level(fresh(&w), k), 2000, 1e-9);
    near(universe_level(&w.index), 2000, 1e-12);
    universe_rebalance(&w.store, &w.index, EW_QUARTERLY, false);
    near(equal_weight_level(fresh(&w), k), 2000, 1e-9);
    end(&w);
}

/* An index without its last member waits for a new start. */
static void an_emptied_index_waits(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    uint32_t a = add(&w, 1, 1000, 100ll * USD);
    universe_start(&w.store, &w.index);
    assert_true(w.index.based);
    universe_remove_line(&w.store, &w.index, a);
    assert_false(w.index.based);
    assert_int_equal(w.index.valued_n, 0);
    assert_true(w.index.total == 0);
    end(&w);
}

/* Members worth less than a cent have no weight: the levels do not become 0/0 for ever when they are all there is. */
static void worthless_members_do_not_poison(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    uint32_t a = add(&w, 1, 1, 400000), b = add(&w, 2, 1000, 100ll * USD);
    universe_start(&w.store, &w.index);
    universe_remove_line(&w.store, &w.index, b); /* what is left is worth 0.4 cents */
    universe_set_price(&w.store, &w.index, a, 100ll * USD, 2);
    if (!w.index.based) universe_start(&w.store, &w.index);
    assert_true(isfinite(universe_level(&w.index)) && universe_level(&w.index) > 0);
    universe_set_price(&w.store, &w.index, a, 200ll * USD, 3);
    near(universe_level(&w.index), 2000, 1e-12);
    end(&w);
}

/* At a rebalance each company has 1/N again, split among its lines, and no level jumps. */
static void rebalances_restore_equal_weights(void **state)
{
    (void)state;
    struct world w;
    int k = ew_variant(EW_MONTHLY, BY_ISSUER), line = ew_variant(EW_MONTHLY, BY_LINE),
        held = ew_variant(EW_HELD, BY_ISSUER);
    begin(&w);
    uint32_t a = add(&w, 1, 1, 100ll * USD);
    add(&w, 2, 1, 100ll * USD);
    add(&w, 2, 1, 100ll * USD);
    universe_start(&w.store, &w.index);
    universe_set_price(&w.store, &w.index, a, 200ll * USD, 2);
    near(equal_weight_level(fresh(&w), k), 1500,
         1e-9); /* a is one company of two, one line of three */
    near(equal_weight_level(fresh(&w), line), 4000.0 / 3, 1e-9);
    universe_rebalance(&w.store, &w.index, EW_MONTHLY, false);
    near(equal_weight_level(fresh(&w), k), 1500, 1e-12);
    universe_set_price(&w.store, &w.index, a, 100ll * USD, 3);
    near(equal_weight_level(fresh(&w), k), 1125, 1e-9); /* 1500 * (1/2 + 1/2 * 1/2) */
    near(equal_weight_level(fresh(&w), line), 4000.0 / 3 * 5 / 6, 1e-9);
    near(equal_weight_level(fresh(&w), held), 1000, 1e-9);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stocks),
        cmocka_unit_test(five_giants),
        cmocka_unit_test(four_companies_by_rank),
        cmocka_unit_test(four_companies_by_entropy),
        cmocka_unit_test(share_classes_add_up),
        cmocka_unit_test(values_are_floored_in_128_bits),
        cmocka_unit_test(levels_follow_prices_only),
        cmocka_unit_test(a_company_keeps_its_equal_weight),
        cmocka_unit_test(the_last_company_changes_its_line),
        cmocka_unit_test(an_emptied_index_waits),
        cmocka_unit_test(worthless_members_do_not_poison),
        cmocka_unit_test(rebalances_restore_equal_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
