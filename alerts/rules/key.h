/* key.h - a value as rules compare it: an int64 whose order is that of the numbers.
 *
 * One sorted array then serves prices and everything else, and a comparison is exact and one
 * instruction:
 *
 *     a price, 172.50          17250000000         as it is at 1e-8
 *     any other value, 0.25    0x3FD0000000000000  the bits of the double
 *                     -0.25   -0x3FD0000000000000  bits without the sign, negated
 *
 * Neighbouring doubles have neighbouring keys, so "> x" is ">= key + 1". Pure; thread: any. */
#ifndef TOCSIN_ALERTS_RULES_KEY_H
#define TOCSIN_ALERTS_RULES_KEY_H
#include <stdint.h>

int64_t key_of_double(double v); /* not NaN; -0 and 0 have one key */
double key_to_double(int64_t key);
#endif
