/* maths.h - logarithm, exponential and power with the same bits on every machine and with every
 * libc.
 *
 * libm's differ in the last bit from one release to the next, and a replay compares bits. These are
 * fdlibm's, as in FreeBSD's msun and in newlib: e_log.c, e_exp.c and e_pow.c, in doubles and basic
 * operations alone. IEEE 754 fixes every bit of those, and the build keeps the compiler from fusing
 * them (-ffp-contract=off). Errors are below 1 ulp; test_maths.c says how far below. sqrt, fabs,
 * floor, ldexp and the like are exact everywhere: libm's may be used. Pure; thread: any. */
#ifndef TOCSIN_CORE_MATHS_H
#define TOCSIN_CORE_MATHS_H

/* ln x. Below 0: NaN; of 0: -infinity. */
double maths_log(double x);
/* e^x */
double maths_exp(double x);
/* x^y for x >= 0, and as C's pow for its special values. Below 0: NaN, but 1 when y is 0. */
double maths_pow(double x, double y);
#endif
