/* test_simulation.c - the demo's market: the same from the same seed, plausible, and telling the story it is there for. */
#include "app/demo/simulation.h"
#include "analytics/news/sentiment.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { YEAR = 260 };

static struct simulation *new_or_fail(uint64_t seed)
{
    struct simulation *s = NULL;
    assert_int_equal(simulation_new(seed, &s), ERR_OK);
    return s;
}

static void same_seed_same_market(void **state)
{
    (void)state;
    struct simulation *a = new_or_fail(7), *b = new_or_fail(7), *c = new_or_fail(8);
    size_t differs = 0;
    for (int i = 0; i < 2000; i++) {
        struct sim_tick x = simulation_tick(a, 1e-4), y = simulation_tick(b, 1e-4),
                        z = simulation_tick(c, 1e-4);
        assert_int_equal(x.stock, y.stock);
        assert_int_equal(x.price_e8, y.price_e8);
        assert_int_equal(x.size_e8, y.size_e8);
        differs += x.price_e8 != z.price_e8;
        if (i % 100) continue;
        struct sim_article m, n;
        simulation_article(a, &m);
        simulation_article(b, &n);
        assert_string_equal(m.headline, n.headline);
    }
    assert_true(differs > 1900);
    simulation_free(a);
    simulation_free(b);
    simulation_free(c);
}

/* Symbols and names are unique and fit the formats; three issuers have two lines; the first lines are as many as the issuers. */
static void the_market_is_well_formed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct simulation *s = new_or_fail(seed);
        size_t n = simulation_stocks(s), first = 0;
        assert_int_equal(n, SIMULATION_ISSUERS + 3);
        for (size_t i = 0; i < n; i++) {
            const struct sim_stock *k = simulation_stock(s, i);
            struct symbol parsed;
            first += k->first_line;
            assert_int_equal(symbol_from(k->symbol.s, strlen(k->symbol.s), &parsed), ERR_OK);
            assert_true(k->shares > 0 && k->shares < 1ll << 42);
            assert_true(k->exposure_e8 >= 0 && k->exposure_e8 <= 100000000 && k->float_e8 > 0
                        && k->float_e8 <= 100000000);
            assert_int_equal(simulation_price_e8(s, i) % 1000000, 0);
            for (size_t j = 0; j < i; j++) {
                const struct sim_stock *o = simulation_stock(s, j);
                assert_string_not_equal(k->symbol.s, o->symbol.s);
                assert_int_equal(strcmp(k->name, o->name) == 0, strcmp(k->issuer, o->issuer) == 0);
            }
        }
        assert_int_equal(first, SIMULATION_ISSUERS);
        simulation_free(s);
    }
}

/* Over a year concentration rises and the cap-weighted market beats the equal-weighted one, whatever the seed; not in a straight line. */
static void concentration_builds_up(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct simulation *s = new_or_fail(seed);
        size_t n = simulation_stocks(s);
        double before[SIMULATION_ISSUERS + 3], cap_before = 0, cap = 0, equal = 0,
                                               hhi = simulation_hhi(s), last = hhi,
                                               top = simulation_top_weight(s, 10);
        int down = 0;
        for (size_t i = 0; i < n; i++) {
            before[i] = (double)simulation_price_e8(s, i);
            cap_before += before[i] * (double)simulation_stock(s, i)->shares;
        }
        for (int day = 0; day < YEAR; day++) {
            simulation_session(s);
            double now = simulation_hhi(s);
            down += now < last;
            last = now;
        }
        for (size_t i = 0; i < n; i++) {
            double p = (double)simulation_price_e8(s, i);
            cap += p * (double)simulation_stock(s, i)->shares;
            equal += p / before[i] / (double)n;
        }
        if (last < hhi * 1.2) fail_msg("seed %d: hhi %.1f to %.1f", (int)seed, hhi, last);
        if (simulation_top_weight(s, 10) < top + 3)
            fail_msg("seed %d: top ten %.1f to %.1f", (int)seed, top, simulation_top_weight(s, 10));
        if (cap / cap_before < equal)
            fail_msg("seed %d: cap-weighted %.3f, equal-weighted %.3f", (int)seed, cap / cap_before,
                     equal);
        assert_in_range(down, YEAR / 5, YEAR * 3 / 5);
        simulation_free(s);
    }
}

static void a_price_given_is_gone_on_from(void **state)
{
    (void)state;
    struct simulation *s = new_or_fail(3);
    for (int i = 0; i < 50; i++) simulation_session(s);
    simulation_set_price(s, 11, 12345000000);
    assert_int_equal(simulation_price_e8(s, 11), 12345000000);
    for (int i = 0; i < 500; i++) simulation_tick(s, 1e-6);
    assert_true(llabs(simulation_price_e8(s, 11) - 12345000000) < 12345000000 / 100);
    simulation_free(s);
}

/* Left alone for a simulated fortnight of live trading the market stays a market. */
static void it_stays_sane_when_left_running(void **state)
{
    (void)state;
    struct simulation *s = new_or_fail(2);
    for (int day = 0; day < 3000; day++) simulation_session(s);
    assert_true(simulation_hhi(s) < 3000);
    for (size_t i = 0; i < simulation_stocks(s); i++)
        assert_in_range(simulation_price_e8(s, i), 50000000, 10000000000000);
    simulation_free(s);
}

/* A headline's tone is the one the service's own scorer hears, for the company it is about. */
static void headlines_say_what_they_mean(void **state)
{
    (void)state;
    struct simulation *s = new_or_fail(5);
    int right = 0, wrong = 0, silent = 0, tones[3] = { 0 };
    for (int i = 0; i < 600; i++) {
        struct sim_article a;
        struct sentiment_target target;
        struct sentiment_ticker said;
        const char *name = "";
        if (i % 5 == 0) simulation_session(s);
        simulation_article(s, &a);
        tones[a.tone + 1]++;
        assert_in_range(a.symbols_n, 1, SIMULATION_ARTICLE_SYMBOLS);
        assert_null(strchr(a.headline, '$'));
        for (size_t k = 0; k < simulation_stocks(s); k++)
            if (strcmp(simulation_stock(s, k)->symbol.s, a.symbols[0].s) == 0)
                name = simulation_stock(s, k)->name;
        target =
            (struct sentiment_target){ .symbol = str_of(a.symbols[0].s), .issuer = str_of(name) };
        sentiment_score_targets((struct str){ a.headline, (uint32_t)strlen(a.headline) },
                                (struct str){ "", 0 }, &target, 1, &said);
        if (a.tone == 0) continue;
        if (said.tone.score * a.tone > 0.15) right++;
        else if (said.tone.score * a.tone < -0.15) wrong++;
        else silent++;
    }
    if (right < 95 * (right + wrong + silent) / 100)
        fail_msg("%d heard right, %d wrong, %d not", right, wrong, silent);
    for (int t = 0; t < 3; t++) assert_true(tones[t] > 20);
    simulation_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_market),
        cmocka_unit_test(the_market_is_well_formed),
        cmocka_unit_test(concentration_builds_up),
        cmocka_unit_test(a_price_given_is_gone_on_from),
        cmocka_unit_test(it_stays_sane_when_left_running),
        cmocka_unit_test(headlines_say_what_they_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
