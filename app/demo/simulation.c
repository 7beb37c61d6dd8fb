/* simulation.c - random numbers, time and prices; the head of simulation_inside.h says what a price
 * is made of. A trade: time passes and the factors with it, then one stock moves on its own as
 * well, and what it stands at is the trade's price.
 *
 *     dt = 0.0004 sessions since the last trade of anything
 *     market += 0.0003 * dt + 0.007 * sqrt(dt) * normal          about +-0.00014
 *     the stock, untraded for 0.05 sessions, vol 0.015:
 *     own    += 0.015 * (sqrt(0.05) * normal - 0.5 * 0.015 * 0.05)   about +-0.0034, a third of a %
 *
 * The last term keeps the mean of the price, and not of its logarithm, where it was. */
#include "app/demo/simulation_inside.h"
#include "core/maths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Per session. Three in a hundred sessions a build-up ends in a pullback of five or so; over the
 * long run the factor gains. The build-up's drift fades as the leaders near CROWDED of the market,
 * so that a demo left running for days stays sane. */
#define MARKET_DRIFT 0.0003
#define MARKET_VOL 0.007
#define AI_DRIFT_BUILDING 0.0085
#define AI_DRIFT_PULLBACK -0.0075
#define PULLBACK_BEGINS 0.035 /* chance a session */
#define PULLBACK_ENDS 0.20
#define CROWDED 0.55
/* Flutter comes and is gone again within half a minute of live time: what makes alerts resolve. */
#define FLUTTER_VOL 0.004 /* of the AI factor */
#define FLUTTER_SESSIONS 0.08
#define TREND_SESSIONS 0.5 /* memory of the average that news compares a price with */
#define PRICE_MIN 0.5
#define PRICE_MAX 100000.0

/* ---- random numbers: splitmix64 seeds xoshiro256** ---- */
static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void simulation_reseed(struct simulation *s, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        s->random[i] = z ^ (z >> 31);
    }
    s->has_spare = false;
}

uint64_t sim_next(struct simulation *s)
{
    uint64_t *r = s->random, out = rotate(r[1] * 5, 7) * 9, t = r[1] << 17;
    r[2] ^= r[0];
    r[3] ^= r[1];
    r[1] ^= r[2];
    r[0] ^= r[3];
    r[2] ^= t;
    r[3] = rotate(r[3], 45);
    return out;
}

double sim_uniform(struct simulation *s) { return ((double)(sim_next(s) >> 11) + 0.5) * 0x1p-53; }

size_t sim_below(struct simulation *s, size_t n) { return (size_t)(sim_uniform(s) * (double)n); }

/* Box and Muller: two at a time, of which the second waits in `spare`. */
double sim_normal(struct simulation *s)
{
    if (s->has_spare) {
        s->has_spare = false;
        return s->spare;
    }
    double r = sqrt(-2 * maths_log(sim_uniform(s))), angle = 6.283185307179586 * sim_uniform(s);
    s->spare = r * sin(angle);
    s->has_spare = true;
    return r * cos(angle);
}

/* ---- prices ---- */
double sim_log_factors(const struct simulation *s, const struct motion *m)
{
    return m->beta * s->market + m->gamma * (s->ai + s->flutter);
}

static double price_of(const struct simulation *s, size_t i)
{
    double p = maths_exp(s->motion[i].own + sim_log_factors(s, &s->motion[i]));
    return p < PRICE_MIN ? PRICE_MIN : p > PRICE_MAX ? PRICE_MAX : p;
}

int64_t simulation_price_e8(const struct simulation *s, size_t i)
{
    return (int64_t)llround(price_of(s, i) * 100) * 1000000;
}

void simulation_set_price(struct simulation *s, size_t i, int64_t price_e8)
{
    struct motion *m = &s->motion[i];
    double level = maths_log((double)price_e8 / 1e8);
    m->own = level - sim_log_factors(s, m);
    m->trend = level;
    m->moved_at = s->now;
}

static double value_of(const struct simulation *s, size_t i)
{
    return price_of(s, i) * (double)s->stocks[i].shares * (double)s->stocks[i].float_e8;
}

/* The leaders are those whom the AI factor moves strongly. */
static double crowding(const struct simulation *s)
{
    double all = 0, lead = 0;
    for (size_t i = 0; i < s->n; i++) {
        double v = value_of(s, i);
        all += v;
        if (s->motion[i].gamma > 0.5) lead += v;
    }
    return lead / all;
}

/* dt sessions pass: the factors move, and with them all prices. */
static void advance(struct simulation *s, double dt)
{
    enum { LOOK_EVERY = 2000 }; /* trades: the sum goes over all stocks */
    s->now += dt;
    if (dt > 0.5 || ++s->crowding_age >= LOOK_EVERY) {
        s->crowding = crowding(s);
        s->crowding_age = 0;
    }
    double room = 1 - s->crowding / CROWDED, root = sqrt(dt);
    if (sim_uniform(s) < (s->pullback ? PULLBACK_ENDS : PULLBACK_BEGINS) * dt)
        s->pullback = !s->pullback;
    s->market += MARKET_DRIFT * dt + MARKET_VOL * root * sim_normal(s);
    s->ai += (s->pullback ? AI_DRIFT_PULLBACK : AI_DRIFT_BUILDING * room) * dt
             + SIM_AI_VOL * root * sim_normal(s);
    double keeps = maths_exp(-dt / FLUTTER_SESSIONS);
    s->flutter = s->flutter * keeps + FLUTTER_VOL * sqrt(1 - keeps * keeps) * sim_normal(s);
}

/* One stock catches up with the time since its last trade. */
static void move(struct simulation *s, size_t i)
{
    struct motion *m = &s->motion[i];
    double dt = s->now - m->moved_at, level = m->own + sim_log_factors(s, m);
    m->trend += (level - m->trend) * (1 - maths_exp(-dt / TREND_SESSIONS));
    m->own += m->vol * (sqrt(dt) * sim_normal(s) - 0.5 * m->vol * dt);
    m->moved_at = s->now;
}

void simulation_open(struct simulation *s)
{
    s->pullback = false;
    s->flutter = 0;
}

void simulation_session(struct simulation *s)
{
    advance(s, 1);
    for (size_t i = 0; i < s->n; i++) move(s, i);
}

/* The first whose running sum of appetites is not below a random part of the whole. */
size_t sim_pick_by_size(struct simulation *s)
{
    double at = sim_uniform(s) * s->appetite_sum[s->n - 1];
    size_t lo = 0, hi = s->n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->appetite_sum[mid] < at) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

struct sim_tick simulation_tick(struct simulation *s, double dt_sessions)
{
    advance(s, dt_sessions);
    size_t i = sim_next(s) & 1 ? sim_below(s, s->n) : sim_pick_by_size(s);
    move(s, i);
    double lots = maths_exp(1.2 + 1.1 * sim_normal(s));
    return (struct sim_tick){ i, simulation_price_e8(s, i),
                              (int64_t)(lots < 1 ? 1 : lots) * 100 * 100000000 };
}

/* ---- its life ---- */
enum err simulation_new(uint64_t seed, struct simulation **out)
{
    struct simulation *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    simulation_reseed(s, seed);
    sim_list_companies(s);
    s->crowding = crowding(s);
    *out = s;
    return ERR_OK;
}

void simulation_free(struct simulation *s) { free(s); }
size_t simulation_stocks(const struct simulation *s) { return s->n; }
const struct sim_stock *simulation_stock(const struct simulation *s, size_t i)
{
    return &s->stocks[i];
}

/* ---- looking at it ---- */
static size_t issuer_values(const struct simulation *s, double out[ISSUERS])
{
    memset(out, 0, ISSUERS * sizeof *out);
    for (size_t i = 0; i < s->n; i++) out[s->motion[i].issuer] += value_of(s, i);
    return ISSUERS;
}

double simulation_hhi(const struct simulation *s)
{
    double v[ISSUERS], sum = 0, squares = 0;
    size_t n = issuer_values(s, v);
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        squares += v[i] * v[i];
    }
    return 1e4 * squares / (sum * sum);
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

double simulation_top_weight(const struct simulation *s, int n)
{
    double v[ISSUERS], sum = 0, top = 0;
    size_t count = issuer_values(s, v);
    qsort(v, count, sizeof *v, descending);
    for (size_t i = 0; i < count; i++) {
        sum += v[i];
        if (i < (size_t)n) top += v[i];
    }
    return 100 * top / sum;
}

size_t simulation_most_volatile(const struct simulation *s)
{
    size_t best = s->leader_stocks[0];
    for (size_t k = 1; k < LEADERS; k++)
        if (s->motion[s->leader_stocks[k]].gamma > s->motion[best].gamma)
            best = s->leader_stocks[k];
    return best;
}
