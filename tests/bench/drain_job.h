/* drain_job.h - the drain job's ticks and rules, from a seed: 500 symbols of one index walk at random, 1,000 rules look at
 * the index's five measures and 200 at each price. The thresholds span what the first million ticks do.
 *
 * The very numbers of the peers' generator, so that the fires of both can be held against each other: price_fires and
 * index_fires of `gen answer N`. Sums are integers: a cap is shares * cents < 2^27, all caps squared < 2^63. */
#ifndef TOCSIN_TESTS_BENCH_DRAIN_JOB_H
#define TOCSIN_TESTS_BENCH_DRAIN_JOB_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { SYMBOLS = 500, RULES_A_SYMBOL = 200, MEASURES = 5, RULES_A_MEASURE = 200, TOP = 10 };

static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}
static uint64_t next_random(uint64_t *seed) { return mix((*seed)++); }
static double next_unit(uint64_t *seed) { return (double)(next_random(seed) >> 11) * 0x1p-53; }

/* ---- the ticks ---- */
struct walker {
    int64_t shares, first_cents, held, cents;
};
struct world {
    uint64_t seed;
    int64_t ticks;
    struct walker of[SYMBOLS];
};
struct job_tick {
    int symbol, size;
    int64_t cents, event_ns;
};

static void world_begin(struct world *w)
{
    *w = (struct world){ .seed = 20261122 };
    for (int i = 0; i < SYMBOLS; i++) {
        int64_t cents = 5000 + (int64_t)(next_random(&w->seed) % 45000);
        w->of[i] = (struct walker){ 1 + 9990 / (10 + i), cents, 1000000000000 / cents, cents };
    }
}

static struct job_tick world_tick(struct world *w)
{
    struct job_tick t = { .symbol = (int)(next_random(&w->seed) % SYMBOLS) };
    struct walker *s = &w->of[t.symbol];
    const int64_t step = s->first_cents / 2000;
    s->cents += (int64_t)(next_random(&w->seed) % (uint64_t)(2 * step + 1)) - step;
    if (s->cents < s->first_cents / 2) s->cents = s->first_cents / 2;
    if (s->cents > s->first_cents * 2) s->cents = s->first_cents * 2;
    t.cents = s->cents;
    t.size = 1 + (int)(next_random(&w->seed) % 900);
    t.event_ns = 1700000000000000000 + w->ticks++ * 100000
                 + (int64_t)(next_random(&w->seed) % 100000); /* never late */
    return t;
}

/* ---- the five measures, for the rules' thresholds ---- */
struct sums {
    int64_t total, squares, equal;
    int64_t cap[SYMBOLS];
    int order[SYMBOLS], place[SYMBOLS]; /* by cap, largest first */
    double first_total, first_equal;
};

static void sums_place(struct sums *m, int symbol, int at)
{
    m->order[at] = symbol;
    m->place[symbol] = at;
}

static void sums_begin(struct sums *m, const struct world *w)
{
    *m = (struct sums){ 0 };
    for (int i = 0; i < SYMBOLS; i++) {
        const int64_t cap = m->cap[i] = w->of[i].shares * w->of[i].cents;
        m->total += cap;
        m->squares += cap * cap;
        m->equal += w->of[i].held * w->of[i].cents;
        int at = i;
        for (; at > 0 && m->cap[m->order[at - 1]] < cap; at--) sums_place(m, m->order[at - 1], at);
        sums_place(m, i, at);
    }
    m->first_total = (double)m->total;
    m->first_equal = (double)m->equal;
}

static void sums_move(struct sums *m, const struct walker *s, int symbol, int64_t cents)
{
    const int64_t was = m->cap[symbol], cap = s->shares * cents;
    m->total += cap - was;
    m->squares += cap * cap - was * was;
    m->equal += s->held * (cents - was / s->shares);
    m->cap[symbol] = cap;
    int at = m->place[symbol];
    for (; at > 0 && m->cap[m->order[at - 1]] < cap; at--) sums_place(m, m->order[at - 1], at);
    for (; at < SYMBOLS - 1 && m->cap[m->order[at + 1]] > cap; at++)
        sums_place(m, m->order[at + 1], at);
    sums_place(m, symbol, at);
}

static void sums_values(const struct sums *m, double v[MEASURES])
{
    const double total = (double)m->total;
    int64_t top = 0;
    for (int i = 0; i < TOP; i++) top += m->cap[m->order[i]];
    v[0] = 1000.0 * total / m->first_total;
    v[1] = 1000.0 * (double)m->equal / m->first_equal;
    v[2] = v[0] - v[1];
    v[3] = 10000.0 * (double)m->squares / (total * total);
    v[4] = 100.0 * (double)top / total;
}

/* What the first million ticks do, per measure: [lo, hi]. */
static void job_spans(double lo[MEASURES], double hi[MEASURES])
{
    static struct world w;
    static struct sums m;
    double v[MEASURES];
    world_begin(&w);
    sums_begin(&m, &w);
    sums_values(&m, v);
    memcpy(lo, v, sizeof v);
    memcpy(hi, v, sizeof v);
    for (int i = 0; i < 1000000; i++) {
        const struct job_tick t = world_tick(&w);
        sums_move(&m, &w.of[t.symbol], t.symbol, t.cents);
        sums_values(&m, v);
        for (int k = 0; k < MEASURES; k++) {
            if (v[k] < lo[k]) lo[k] = v[k];
            if (v[k] > hi[k]) hi[k] = v[k];
        }
    }
}

/* ---- the rules ---- */
struct job_rule {
    bool price; /* else of a measure */
    int target; /* symbol or measure */
    bool above;
    double threshold, clear; /* of a price: cents */
};

/* Calls make(ctx, number, rule) for every rule in order, prices first. */
static void job_rules(void (*make)(void *ctx, int number, const struct job_rule *r), void *ctx)
{
    static struct world w;
    double lo[MEASURES], hi[MEASURES];
    uint64_t seed = 777;
    int number = 0;
    job_spans(lo, hi);
    world_begin(&w);
    for (int i = 0; i < SYMBOLS * RULES_A_SYMBOL; i++) {
        const double cents = (double)w.of[i / RULES_A_SYMBOL].first_cents;
        const double at = (double)(int64_t)(cents * (0.97 + 0.06 * next_unit(&seed)));
        const double gap = (double)(1 + (int64_t)(cents * (0.002 + 0.008 * next_unit(&seed))));
        const bool above = next_random(&seed) & 1;
        make(
            ctx, number++,
            &(struct job_rule){ true, i / RULES_A_SYMBOL, above, at, above ? at - gap : at + gap });
    }
    for (int i = 0; i < MEASURES * RULES_A_MEASURE; i++) {
        const int k = i / RULES_A_MEASURE;
        const double span = hi[k] - lo[k], at = lo[k] + span * next_unit(&seed);
        const double gap = span * (0.02 + 0.08 * next_unit(&seed));
        const bool above = next_random(&seed) & 1;
        make(ctx, number++, &(struct job_rule){ false, k, above, at, above ? at - gap : at + gap });
    }
}
#endif
