/* maths.c - log, exp and pow after fdlibm's e_log.c, e_exp.c and e_pow.c (here from newlib 3.3.0),
 * without fma, tables or flags:
 *
 *   ====================================================
 *   Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 *
 *   Developed at SunPro, a Sun Microsystems, Inc. business.
 *   Permission to use, copy, modify, and distribute this
 *   software is freely granted, provided that this notice
 *   is preserved.
 *   ====================================================
 *
 * Changed: words are taken and set by memcpy, special cases stand first, pow has no negative base,
 * and steps have functions of their own. The order of all operations on numbers is theirs, so the
 * bits are.
 *
 *   log  x = 2^k (1 + f), s = f / (2 + f): ln(1 + f) = 2s + 2/3 s^3 + ... by a polynomial in s^2
 *   exp  x = k ln 2 + r: e^r by a rational function, and k goes into the exponent
 *   pow  log2 x in two doubles, some 70 bits; times y likewise; and 2 to that */
#include "core/maths.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* ---- words of a double ---- */
static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static int32_t high_word(double x) { return (int32_t)(bits_of(x) >> 32); }
static double with_high(double x, int32_t high)
{
    return of_bits((uint64_t)(uint32_t)high << 32 | (bits_of(x) & 0xffffffff));
}
static double without_low(double x) { return of_bits(bits_of(x) & ~UINT64_C(0xffffffff)); }

/* ---- log ---- */
static const double ln2_hi = 6.93147180369123816490e-01, ln2_lo = 1.90821492927058770002e-10,
                    two54 = 1.80143985094819840000e+16;

/* ln(2^k (1 + f)) for f whose square does not count for much. */
static double log_near_1(double f, int32_t k)
{
    const double dk = k;
    if (f == 0) return k == 0 ? 0 : dk * ln2_hi + dk * ln2_lo;
    const double r = f * f * (0.5 - 0.33333333333333333 * f);
    return k == 0 ? f - r : dk * ln2_hi - ((r - dk * ln2_lo) - f);
}

static double log_series(double s)
{
    static const double lg1 = 6.666666666666735130e-01, lg2 = 3.999999999940941908e-01,
                        lg3 = 2.857142874366239149e-01, lg4 = 2.222219843214978396e-01,
                        lg5 = 1.818357216161805012e-01, lg6 = 1.531383769920937332e-01,
                        lg7 = 1.479819860511658591e-01;
    const double z = s * s, w = z * z;
    const double t1 = w * (lg2 + w * (lg4 + w * lg6));
    const double t2 = z * (lg1 + w * (lg3 + w * (lg5 + w * lg7)));
    return t2 + t1;
}

double maths_log(double x)
{
    if (isnan(x) || x < 0) return NAN;
    if (x == 0) return -INFINITY;
    if (isinf(x)) return x;
    int32_t k = 0, high = high_word(x);
    if (high < 0x00100000) { /* subnormal */
        k = -54;
        x *= two54;
        high = high_word(x);
    }
    k += (high >> 20) - 1023;
    high &= 0x000fffff;
    const int32_t halved = (high + 0x95f64) & 0x100000; /* x or x / 2, from sqrt(2)/2 to sqrt(2) */
    x = with_high(x, high | (halved ^ 0x3ff00000));
    k += halved >> 20;
    const double f = x - 1.0, dk = k;
    if ((0x000fffff & (2 + high)) < 3) return log_near_1(f, k);
    const double s = f / (2.0 + f), r = log_series(s);
    if (((high - 0x6147a) | (0x6b851 - high)) > 0) {
        const double hfsq = 0.5 * f * f;
        if (k == 0) return f - (hfsq - s * (hfsq + r));
        return dk * ln2_hi - ((hfsq - (s * (hfsq + r) + dk * ln2_lo)) - f);
    }
    if (k == 0) return f - s * (f - r);
    return dk * ln2_hi - ((s * (f - r) - dk * ln2_lo) - f);
}

/* ---- exp ---- */
/* x - x^2 * P(x^2): of exp's rational function, and of pow's */
static double exp_part(double x)
{
    static const double p1 = 1.66666666666666019037e-01, p2 = -2.77777777770155933842e-03,
                        p3 = 6.61375632143793436117e-05, p4 = -1.65339022054652515390e-06,
                        p5 = 4.13813679705723846039e-08;
    const double t = x * x;
    return x - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))));
}

double maths_exp(double x)
{
    static const double inv_ln2 = 1.44269504088896338700e+00;
    if (isnan(x)) return NAN;
    if (x > 7.09782712893383973096e+02) return INFINITY;
    if (x < -7.45133219101941108420e+02) return 0;
    const int32_t high = high_word(x) & 0x7fffffff;
    double hi = 0, lo = 0;
    int32_t k = 0;
    if (high > 0x3fd62e42) {     /* |x| > 0.5 ln 2 */
        if (high < 0x3ff0a2b2) { /* and < 1.5 ln 2 */
            k = x < 0 ? -1 : 1;
        } else k = (int32_t)(inv_ln2 * x + (x < 0 ? -0.5 : 0.5));
        hi = x - k * ln2_hi; /* k * ln2_hi is exact */
        lo = k * ln2_lo;
        x = hi - lo;
    } else if (high < 0x3e300000) return 1.0 + x; /* |x| < 2^-28 */
    const double c = exp_part(x);
    if (k == 0) return 1.0 - ((x * c) / (c - 2.0) - x);
    const double y = 1.0 - ((lo - (x * c) / (2.0 - c)) - hi);
    return ldexp(y, k);
}

/* ---- pow ---- */
struct pair { /* high + low; the low 32 bits of high are 0 */
    double high, low;
};

/* log2 x of x near 1, so that |log2 x * y| is not too large for |y| > 2^31 */
static struct pair log2_near_1(double x)
{
    static const double ivln2 = 1.44269504088896338700e+00, ivln2_h = 1.44269502162933349609e+00,
                        ivln2_l = 1.92596299112661746887e-08;
    const double t = x - 1; /* has 20 zeros at its end */
    const double w = (t * t) * (0.5 - t * (0.3333333333333333333333 - t * 0.25));
    const double u = ivln2_h * t, v = t * ivln2_l - w * ivln2;
    struct pair out = { .high = without_low(u + v) };
    out.low = v - (out.high - u);
    return out;
}

static double log2_series(double s2)
{
    static const double l1 = 5.99999999999994648725e-01, l2 = 4.28571428578550184252e-01,
                        l3 = 3.33333329818377432918e-01, l4 = 2.72728123808534006489e-01,
                        l5 = 2.30660745775561754067e-01, l6 = 2.06975017800338417784e-01;
    return s2 * s2 * (l1 + s2 * (l2 + s2 * (l3 + s2 * (l4 + s2 * (l5 + s2 * l6)))));
}

/* log2 x = n + dp[k] + (2 / (3 ln 2)) * (s + ...), s = (x - bp[k]) / (x + bp[k]) */
static struct pair log2_of(double x)
{
    static const double bp[] = { 1.0, 1.5 }, dp_h[] = { 0.0, 5.84962487220764160156e-01 },
                        dp_l[] = { 0.0, 1.35003920212974897128e-08 };
    static const double cp = 9.61796693925975554329e-01, cp_h = 9.61796700954437255859e-01,
                        cp_l = -7.02846165095275826516e-09;
    int32_t n = 0, high = high_word(x), k;
    if (high < 0x00100000) { /* subnormal */
        x *= 9007199254740992.0;
        n = -53;
        high = high_word(x);
    }
    n += (high >> 20) - 0x3ff;
    const int32_t j = high & 0x000fffff;
    high = j | 0x3ff00000;
    if (j <= 0x3988E) k = 0;     /* x < sqrt(3/2) */
    else if (j < 0xBB67A) k = 1; /* x < sqrt(3) */
    else {
        k = 0;
        n++;
        high -= 0x00100000;
    }
    x = with_high(x, high);

    const double u = x - bp[k], v = 1.0 / (x + bp[k]), s = u * v, s_h = without_low(s);
    /* t_h = x + bp[k], its first half */
    const double t_h = with_high(0, ((high >> 1) | 0x20000000) + 0x00080000 + (k << 18));
    const double t_l = x - (t_h - bp[k]);
    const double s_l = v * ((u - s_h * t_h) - s_h * t_l);

    const double r = log2_series(s * s) + s_l * (s_h + s), s2 = s_h * s_h;
    const double q_h = without_low(3.0 + s2 + r), q_l = r - ((q_h - 3.0) - s2);
    const double a = s_h * q_h, b = s_l * q_h + q_l * s; /* a + b = s * (1 + ...) */
    const double p_h = without_low(a + b), p_l = b - (p_h - a);
    const double z_h = cp_h * p_h, z_l = cp_l * p_h + p_l * cp + dp_l[k], t = n;
    struct pair out = { .high = without_low(((z_h + z_l) + dp_h[k]) + t) };
    out.low = z_l - (((out.high - t) - dp_h[k]) - z_h);
    return out;
}

/* 2^(p_h + p_l), whose sum is z. */
static double exp2_of(double p_h, double p_l, double z)
{
    static const double lg2 = 6.93147180559945286227e-01, lg2_h = 6.93147182464599609375e-01,
                        lg2_l = -1.90465429995776804525e-09;
    const int32_t j = high_word(z), size = j & 0x7fffffff;
    int32_t n = 0;
    if (size > 0x3fe00000) { /* |z| > 0.5: n = [z + 0.5] */
        n = j + (0x00100000 >> ((size >> 20) - 0x3ff + 1));
        const int32_t k = ((n & 0x7fffffff) >> 20) - 0x3ff;
        p_h -= with_high(0, n & ~(0x000fffff >> k));
        n = ((n & 0x000fffff) | 0x00100000) >> (20 - k);
        if (j < 0) n = -n;
    }
    const double t = without_low(p_l + p_h), u = t * lg2_h, v = (p_l - (t - p_h)) * lg2 + t * lg2_l,
                 x = u + v, w = v - (x - u);
    const double t1 = exp_part(x), r = (x * t1) / (t1 - 2.0) - (w + x * w);
    return ldexp(1.0 - (r - x), n);
}

static double pow_finite(double x, double y)
{
    static const double ovt = 8.0085662595372944372e-0017; /* -(1024 - log2(overflow + 0.5 ulp)) */
    const int32_t x_high = high_word(x);
    struct pair l;
    if (fabs(y) >= 0x1p31) { /* too large or too small unless x is near 1 */
        const bool far = x_high < 0x3fefffff || x_high > 0x3ff00000 || fabs(y) > 0x1p64;
        if (far) return (x < 1) == (y < 0) ? INFINITY : 0;
        l = log2_near_1(x);
    } else l = log2_of(x);
    const double y1 = without_low(y), p_l = (y - y1) * l.high + y * l.low, p_h = y1 * l.high;
    const double z = p_l + p_h;
    if (z > 1024 || (z == 1024 && p_l + ovt > z - p_h)) return INFINITY;
    if (z < -1075 || (z == -1075 && p_l <= z - p_h)) return 0;
    return exp2_of(p_h, p_l, z);
}

double maths_pow(double x, double y)
{
    if (y == 0 || x == 1) return 1;
    if (isnan(x) || isnan(y) || x < 0) return NAN;
    if (isinf(y)) return (x > 1) == (y > 0) ? INFINITY : 0;
    if (x == 0 || isinf(x)) return (x == 0) == (y < 0) ? INFINITY : 0;
    if (y == 1) return x;
    if (y == -1) return 1 / x;
    if (y == 2) return x * x;
    if (y == 0.5) return sqrt(x);
    return pow_finite(x, y);
}
