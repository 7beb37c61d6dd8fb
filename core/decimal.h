/* decimal.h - exact decimals at 1e-8 in an int64, never through double. */
#ifndef TOCSIN_CORE_DECIMAL_H
#define TOCSIN_CORE_DECIMAL_H
#include "core/err.h"

#include <stdint.h>

enum { DECIMAL_TEXT_MAX = 24 }; /* sign, 11 digits, point, 8 digits, NUL */

/* Reads [-]digits[.digits][e[+-]digits] exactly. ERR_INVALID when it is not a JSON number, has more
 * than 8 decimals that are not zero, or does not fit; *out_e8 is written only on ERR_OK. */
MUST_USE enum err decimal_parse(const char *s, size_t n, int64_t *out_e8, struct why *why);

/* Shortest text, "172.5", "0", "-0.00000001"; returns its length. */
size_t decimal_format(int64_t e8, char out[DECIMAL_TEXT_MAX]);
#endif
