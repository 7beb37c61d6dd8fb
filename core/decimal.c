#include "core/decimal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

enum err decimal_parse(const char *s, size_t n, int64_t *out_e8, struct why *why)
{
    size_t i = 0;
    bool negative = n && s[0] == '-';
    i += negative;

    /* the grammar first, as JSON has it */
    size_t whole = i;
    while (i < n && digit(s[i])) i++;
    size_t whole_end = i, frac = i, frac_end = i;
    if (whole_end == whole || (s[whole] == '0' && whole_end - whole > 1))
        return err_set(why, ERR_INVALID, "not a decimal number");
    if (i < n && s[i] == '.') {
        frac = ++i;
        while (i < n && digit(s[i])) i++;
        frac_end = i;
        if (frac_end == frac)
            return err_set(why, ERR_INVALID, "digits missing after the decimal point");
    }
    long exponent =
        0; /* stops growing far beyond any text's length, so digits never make up for it */
    if (i < n && (s[i] == 'e' || s[i] == 'E')) {
        i++;
        bool minus = i < n && s[i] == '-';
        if (i < n && (s[i] == '-' || s[i] == '+')) i++;
        if (i >= n || !digit(s[i]))
            return err_set(why, ERR_INVALID, "digits missing in the exponent");
        for (; i < n && digit(s[i]); i++)
            if (exponent < LONG_MAX / 100) exponent = exponent * 10 + (s[i] - '0');
        if (minus) exponent = -exponent;
    }
    if (i != n) return err_set(why, ERR_INVALID, "not a decimal number");

    /* the digits as one integer, with `scale` saying where its last digit stands */
    uint64_t v = 0;
    const uint64_t limit = INT64_MAX;
    long zeros = 0; /* zeros seen but not yet multiplied in: trailing ones cost no range */
    long scale = 0; /* digits after the point among those counted, zeros included */
    for (size_t k = whole; k < frac_end; k++) {
        if (!digit(s[k])) continue;
        if (k >= frac) scale++;
        if (s[k] == '0') {
            zeros += v != 0;
            continue;
        }
        for (zeros++; zeros; zeros--) {
            if (v > limit / 10)
                return err_set(why, ERR_INVALID, "number out of range or finer than 1e-8");
            v *= 10;
        }
        uint64_t d = (uint64_t)(s[k] - '0');
        if (v > limit - d)
            return err_set(why, ERR_INVALID, "number out of range or finer than 1e-8");
        v += d;
    }
    long shift = 8 - scale + zeros + exponent;
    if (v == 0) {
        *out_e8 = 0;
        return ERR_OK;
    }
    for (; shift > 0; shift--) {
        if (v > limit / 10) return err_set(why, ERR_INVALID, "number out of range");
        v *= 10;
    }
    if (shift < 0) return err_set(why, ERR_INVALID, "finer than 1e-8");
    *out_e8 = negative ? -(int64_t)v : (int64_t)v;
    return ERR_OK;
}

size_t decimal_format(int64_t e8, char out[DECIMAL_TEXT_MAX])
{
    uint64_t v = e8 < 0 ? 0 - (uint64_t)e8 : (uint64_t)e8;
    int n = snprintf(out, DECIMAL_TEXT_MAX, "%s%" PRIu64 ".%08" PRIu64, e8 < 0 ? "-" : "",
                     v / 100000000u, v % 100000000u);
    while (out[n - 1] == '0') n--;
    if (out[n - 1] == '.') n--;
    out[n] = '\0';
    return (size_t)n;
}
