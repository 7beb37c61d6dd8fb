/* ratio.c - long division in words of 64 bits, as far as a double goes.
 *
 * Numerator and denominator are moved left until both begin with a bit that is set, the numerator
 * then one to the right if it is not the smaller one. So the quotient's first word is at least
 * 2^63:
 *
 *     5 / 3 in words of 4 bits     n = 1010, d = 1100     n < d: q = floor(10100000 / 1100) = 1101
 *
 * It is the one word that is looked for: 53 of its bits are the double's, the 11 below say how to
 * round it, together with whether anything remains. How far the two were moved is the exponent.
 * The word is guessed from the first two words of each and set right (Knuth, TAOCP 2, 4.3.1,
 * algorithm D). */
#include "core/ratio.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef unsigned __int128 u128;

enum { WORDS = 5, BITS = 64 }; /* a product has 4 words, and what multiplies it one more */

struct wide { /* unsigned, least word first */
    uint64_t w[WORDS];
};

/* ---- integers of 320 bits ---- */
static u128 magnitude(i128 v) { return v < 0 ? 0 - (u128)v : (u128)v; }

static struct wide wide_times(struct wide v, uint64_t by)
{
    u128 carry = 0;
    for (int i = 0; i < WORDS; i++) {
        carry += (u128)v.w[i] * by;
        v.w[i] = (uint64_t)carry;
        carry >>= BITS;
    }
    return v;
}

/* In words a = a1 a0 and b = b1 b0, four products at their places. */
static struct wide wide_product(u128 a, u128 b)
{
    const uint64_t a0 = (uint64_t)a, b0 = (uint64_t)b;
    const u128 a1 = a >> BITS, b1 = b >> BITS;
    const u128 low = (u128)a0 * b0, left = a1 * b0, right = b1 * a0;
    const u128 middle = (low >> BITS) + (uint64_t)left + (uint64_t)right;
    const u128 high = a1 * b1 + (left >> BITS) + (right >> BITS) + (middle >> BITS);
    return (struct wide){ { (uint64_t)low, (uint64_t)middle, (uint64_t)high,
                            (uint64_t)(high >> BITS) } };
}

/* a - b; true when that is below 0, and then it is too large by 2^320. */
static bool wide_difference(const struct wide *a, const struct wide *b, struct wide *out)
{
    uint64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        const u128 d = (u128)a->w[i] - b->w[i] - borrow;
        out->w[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> BITS) & 1;
    }
    return borrow;
}

static int wide_words(const struct wide *v)
{
    int n = WORDS;
    while (n > 0 && v->w[n - 1] == 0) n--;
    return n;
}

/* ---- the division ---- */
/* to[0..n) = from[0..n), the first `used` of which are not all 0, moved left as far as it goes;
 * returns how far. */
static int normalise(const uint64_t *from, int used, int n, uint64_t *to)
{
    const int by = __builtin_clzll(from[used - 1]), words = n - used;
    for (int i = n - 1; i >= 0; i--) {
        const uint64_t here = i >= words ? from[i - words] : 0;
        const uint64_t below = i > words ? from[i - words - 1] : 0;
        to[i] = by ? here << by | below >> (BITS - by) : here;
    }
    return words * BITS + by;
}

static bool not_below(const uint64_t *a, const uint64_t *b, int n)
{
    while (--n > 0 && a[n] == b[n]) {}
    return a[n] >= b[n];
}

/* One word of quotient from the first three of u and two of v; at most one too large. u < v. */
static uint64_t guess(const uint64_t *u, const uint64_t *v, int n)
{
    const u128 top = (u128)u[n] << BITS | u[n - 1];
    u128 q = u[n] < v[n - 1] ? top / v[n - 1] : UINT64_MAX, rest = top - q * v[n - 1];
    while (rest <= UINT64_MAX && q * v[n - 2] > (rest << BITS | u[n - 2])) {
        q--;
        rest += v[n - 1];
    }
    return (uint64_t)q;
}

/* u[0..n] -= q * v[0..n); true when that is below 0: q was one too large. */
static bool take_off(uint64_t *u, const uint64_t *v, int n, uint64_t q)
{
    u128 carry = 0;
    uint64_t borrow = 0;
    for (int i = 0; i <= n; i++) {
        carry += i < n ? (u128)q * v[i] : 0;
        const u128 d = (u128)u[i] - (uint64_t)carry - borrow;
        u[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> BITS) & 1;
        carry >>= BITS;
    }
    return borrow;
}

static void put_back(uint64_t *u, const uint64_t *v, int n)
{
    u128 carry = 0;
    for (int i = 0; i < n; i++) {
        carry += (u128)u[i] + v[i];
        u[i] = (uint64_t)carry;
        carry >>= BITS;
    }
}

static bool any(const uint64_t *u, int n)
{
    uint64_t all = 0;
    for (int i = 0; i < n; i++) all |= u[i];
    return all;
}

/* m * 2^exponent, where m is from 2^52 to 2^53: put together as a double's bits, where that is one. */
static double assembled(uint64_t m, int exponent)
{
    const int biased = exponent + 52 + 1023;
    if (biased < 1 || biased > 2045) return ldexp((double)m, exponent);
    const uint64_t bits =
        ((uint64_t)(biased - 1) << 52) + m; /* m's first bit is the 1 that is left out */
    double out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

enum { BEHIND = 11, HALF = 1 << (BEHIND - 1) }; /* bits of a word that a double does not have */

/* q * 2^exponent, where q >= 2^63 and a remainder stands behind it or not. */
static double rounded(uint64_t q, bool rest, int exponent)
{
    const uint64_t behind = q & (2 * HALF - 1);
    uint64_t m = q >> BEHIND;
    m += behind > HALF || (behind == HALF && (rest || (m & 1)));
    return assembled(m, exponent + BEHIND);
}

/* n / d * 2^exponent; n_words and d_words of them count, and the last of these is not 0. */
static double divide(const uint64_t *n, int n_words, const uint64_t *d, int d_words, int exponent)
{
    uint64_t u[WORDS + 1], v[WORDS];
    const int words = n_words > d_words ? (n_words > 1 ? n_words : 2) : d_words > 1 ? d_words : 2;
    u[0] = 0; /* what the step to the right pushes out */
    exponent -= normalise(n, n_words, words, u + 1);
    exponent += normalise(d, d_words, words, v);
    if (not_below(u + 1, v, words)) {
        for (int i = 0; i < words; i++) u[i] = u[i] >> 1 | u[i + 1] << (BITS - 1);
        u[words] >>= 1;
        exponent++;
    }
    uint64_t q = guess(u, v, words);
    if (take_off(u, v, words, q)) {
        put_back(u, v, words);
        q--;
    }
    return rounded(q, any(u, words), exponent - BITS);
}

/* ---- in one word, and whether that is enough ----
 * Of each number its first 64 bits, of a product the first 64 of theirs. What is cut off, in parts
 * of 2^63, is less than 1 of a number, 0 of a double. A product or quotient of two has the sum of
 * what its two have, doubled, and 1 more: 3 or 5 of a product of numbers, 21 of a quotient of
 * products. That matters only where the 11 bits behind the double's are as near to a half as that:
 * one time in fifty. Then the division is done in full. */
struct first {
    uint64_t m; /* the first bit is set */
    int e;      /* m * 2^e */
};
enum { DOUBT = 10, DOUBT_PRODUCTS = 22, DOUBT_DIFFERENCE = 18 };
#define RARELY __attribute__((noinline, cold))

static inline struct first first_of(u128 v)
{
    const uint64_t high = (uint64_t)(v >> BITS), low = (uint64_t)v;
    const int by = __builtin_clzll(high ? high : low);
    if (!high) return (struct first){ low << by, -by };
    return (struct first){ high << by | low >> 1 >> (BITS - 1 - by), BITS - by };
}

static inline struct first first_of_product(struct first a, struct first b)
{
    const u128 p = (u128)a.m * b.m;
    const uint64_t high = (uint64_t)(p >> BITS);
    if (high >> 63) return (struct first){ high, a.e + b.e + BITS };
    return (struct first){ (uint64_t)(p >> (BITS - 1)), a.e + b.e + BITS - 1 };
}

/* |x|, which is not 0. */
static inline struct first first_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int e = (int)(bits >> 52 & 2047);
    if (e) return (struct first){ bits << BEHIND | (uint64_t)1 << 63, e - 1075 - BEHIND };
    struct first subnormal = first_of(bits & 0xfffffffffffff);
    subnormal.e -= 1074;
    return subnormal;
}

/* False: it is too near to a half to say. */
static inline bool nearest(struct first v, unsigned doubt, double *out)
{
    if ((v.m + doubt - HALF) % (2 * HALF) < 2 * doubt) return false;
    *out = assembled((v.m >> BEHIND) + (v.m >> (BEHIND - 1) & 1), v.e + BEHIND);
    return true;
}

static inline struct first first_of_quotient(struct first n, struct first d)
{
    const bool below = n.m < d.m;
    const u128 shifted = (u128)(below ? n.m : n.m >> 1) << BITS | (below ? 0 : n.m << (BITS - 1));
    return (struct first){ (uint64_t)(shifted / d.m), n.e - d.e - BITS + !below };
}

static inline bool divide_first(struct first n, struct first d, unsigned doubt, double *out)
{
    return nearest(first_of_quotient(n, d), doubt, out);
}

/* ---- what is divided ---- */
static double exactly(const struct wide *n, const struct wide *d, int exponent)
{
    return divide(n->w, wide_words(n), d->w, wide_words(d), exponent);
}

static inline double with_sign(bool negative, double v) { return negative ? -v : v; }

static RARELY double products_exactly(u128 na, u128 nb, u128 da, u128 db, int exponent)
{
    const struct wide num = wide_product(na, nb), den = wide_product(da, db);
    return exactly(&num, &den, exponent);
}

double ratio_large(i128 n, i128 d)
{
    assert(d > 0);
    if (n == 0) return 0;
    double v;
    if (!divide_first(first_of(magnitude(n)), first_of((u128)d), DOUBT, &v))
        v = products_exactly(magnitude(n), 1, (u128)d, 1, 0);
    return with_sign(n < 0, v);
}

struct scale scale_of(double x, i128 d)
{
    assert(d > 0 && x > 0 && isfinite(x));
    const struct first q = first_of_quotient(first_of_double(x), first_of((u128)d));
    return (struct scale){ x, d, q.m, q.e };
}

double scale_times(const struct scale *s, i128 n)
{
    if (s->d == 0) return NAN;
    if (n == 0) return 0;
    const u128 a = magnitude(n);
    double v;
    if (!nearest(first_of_product(first_of(a), (struct first){ s->m, s->e }), DOUBT, &v)) {
        const struct first x = first_of_double(s->x);
        v = products_exactly(a, x.m, (u128)s->d, 1, x.e);
    }
    return with_sign(n < 0, v);
}

static inline struct first first_multiplied(struct product p)
{
    return first_of_product(first_of((u128)p.a), first_of((u128)p.b));
}

double ratio_of_products(struct product n, struct product d)
{
    assert((n.a | n.b) >= 0 && d.a > 0 && d.b > 0);
    if (n.a == 0 || n.b == 0) return 0;
    double v;
    if (!divide_first(first_multiplied(n), first_multiplied(d), DOUBT_PRODUCTS, &v))
        v = products_exactly((u128)n.a, (u128)n.b, (u128)d.a, (u128)d.b, 0);
    return v;
}

/* a * b; false when it has more than 126 bits. */
static inline bool small_product(struct product p, i128 *out)
{
    if (p.a >> BITS && p.b >> BITS) return false;
    const u128 one_word = (u128)(p.a >> BITS ? p.b : p.a), other = (u128)(p.a >> BITS ? p.a : p.b);
    const u128 low = one_word * (uint64_t)other,
               high = one_word * (uint64_t)(other >> BITS) + (low >> BITS);
    *out = (i128)(high << BITS | (uint64_t)low);
    return high >> 62 == 0;
}

static RARELY double difference_exactly(double x, struct product plus, struct product minus,
                                        struct product d)
{
    const struct wide a = wide_product((u128)plus.a, (u128)plus.b),
                      b = wide_product((u128)minus.a, (u128)minus.b),
                      den = wide_product((u128)d.a, (u128)d.b);
    struct wide n;
    const bool below = wide_difference(&a, &b, &n);
    if (below) wide_difference(&b, &a, &n);
    if (wide_words(&n) == 0) return 0;
    const struct first f = first_of_double(x);
    n = wide_times(n, f.m);
    return with_sign(below, exactly(&n, &den, f.e));
}

double ratio_of_difference(double x, struct product plus, struct product minus, struct product d)
{
    assert((plus.a | plus.b | minus.a | minus.b) >= 0 && d.a > 0 && d.b > 0 && x > 0
           && isfinite(x));
    i128 a, b;
    double v;
    if (!small_product(plus, &a) || !small_product(minus, &b))
        return difference_exactly(x, plus, minus, d);
    if (a == b) return 0;
    const struct first n =
        first_of_product(first_of((u128)(a > b ? a - b : b - a)), first_of_double(x));
    if (!divide_first(n, first_multiplied(d), DOUBT_DIFFERENCE, &v))
        return difference_exactly(x, plus, minus, d);
    return with_sign(a < b, v);
}
