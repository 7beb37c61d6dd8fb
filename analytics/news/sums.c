#include "analytics/news/sums.h"

#include <math.h>

static const double HALF_LIFE_NS = 24.0 * 3600 * 1e9;

/* 2^-x for x >= 0, by basic operations only: libm's last bit differs between releases, and a replay
 * must not. The whole part goes into the exponent, the rest, y in (-ln 2, 0], through the series of
 * e^y by Horner's rule. Relative error < 1e-15. */
static double half_to(double x)
{
    if (x > 1000) return 0;
    double whole = floor(x), y = -(x - whole) * 0.693147180559945309417, sum = 1;
    for (int k = 18; k >= 1; k--) sum = 1 + sum * y / k;
    return ldexp(sum, -(int)whole);
}

static void fade_to(struct news_sums *s, int64_t ns)
{
    const double by = half_to((double)(ns - s->ns) / HALF_LIFE_NS);
    s->sum *= by;
    s->weight *= by;
    s->weight_squared *= by * by;
    s->ns = ns;
}

struct news_sums news_sums_join(struct news_sums a, struct news_sums b)
{
    if (!(b.weight > 0)) return a;
    if (!(a.weight > 0)) return b;
    if (a.ns < b.ns) fade_to(&a, b.ns);
    if (b.ns < a.ns) fade_to(&b, a.ns);
    a.sum += b.sum;
    a.weight += b.weight;
    a.weight_squared += b.weight_squared;
    return a;
}

struct news_sums news_sums_add(struct news_sums s, double score, double relevance, int64_t at_ns)
{
    double a = relevance;
    if (s.weight > 0 && at_ns > s.ns) {
        double fade = half_to((double)(at_ns - s.ns) / HALF_LIFE_NS);
        s.sum *= fade;
        s.weight *= fade;
        s.weight_squared *= fade * fade;
    } else if (at_ns < s.ns) a *= half_to((double)(s.ns - at_ns) / HALF_LIFE_NS);
    s.sum += a * score;
    s.weight += a;
    s.weight_squared += a * a;
    if (at_ns > s.ns) s.ns = at_ns;
    return s;
}
