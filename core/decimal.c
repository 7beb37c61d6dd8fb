/* decimal.c - text to a number of 1e-8 and back, in whole numbers throughout.
 *
 * "-1250.50e-1" is read in two steps. The grammar first, which finds its parts:
 *
 *     negative   whole digits "1250"   fraction digits "50"   exponent -1
 *
 * then the digits as one integer. A zero is not multiplied in until another digit follows it, so
 * that zeros at the end cost no range:
 *
 *     1 2 5 0 5 0     v = 12505, one zero waits, two digits stand behind the point
 *
 * so the number is v * 10^(waiting + exponent - behind), which in units of 1e-8 is 8 places more:
 *
 *     shift = 8 - 2 + 1 - 1 = 6     12505 * 10^6 = 12505000000, that is -125.05
 *
 * A shift below 0 would need places finer than 1e-8 for a digit that is not zero: refused. */
#include "core/decimal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

/* ---- the grammar, as JSON has it ---- */
struct spelled {
    bool negative;
    size_t whole, frac, end; /* where the digits before and behind the point begin, and end */
    long exponent;
};

static size_t after_digits(const char *s, size_t n, size_t i)
{
    while (i < n && digit(s[i])) i++;
    return i;
}

/* "e-5" from *i on, if there is one. The number stops growing far beyond any text's length, so that
 * no count of digits ever makes up for it. */
static enum err spell_exponent(const char *s, size_t n, size_t *i, long *out, struct why *why)
{
    *out = 0;
    if (*i == n || (s[*i] != 'e' && s[*i] != 'E')) return ERR_OK;
    ++*i;
    bool minus = *i < n && s[*i] == '-';
    if (*i < n && (s[*i] == '-' || s[*i] == '+')) ++*i;
    size_t end = after_digits(s, n, *i);
    if (end == *i) return err_set(why, ERR_INVALID, "digits missing in the exponent");
    for (; *i < end; ++*i)
        if (*out < LONG_MAX / 100) *out = *out * 10 + (s[*i] - '0');
    if (minus) *out = -*out;
    return ERR_OK;
}

static enum err spell(const char *s, size_t n, struct spelled *out, struct why *why)
{
    out->negative = n && s[0] == '-';
    out->whole = out->negative;
    size_t i = after_digits(s, n, out->whole);
    if (i == out->whole || (s[out->whole] == '0' && i - out->whole > 1))
        return err_set(why, ERR_INVALID, "not a decimal number");
    out->frac = out->end = i;
    if (i < n && s[i] == '.') {
        out->frac = i + 1;
        out->end = i = after_digits(s, n, out->frac);
        if (out->end == out->frac)
            return err_set(why, ERR_INVALID, "digits missing after the decimal point");
    }
    enum err e = spell_exponent(s, n, &i, &out->exponent, why);
    if (e) return e;
    return i == n ? ERR_OK : err_set(why, ERR_INVALID, "not a decimal number");
}

/* ---- the value ---- */
/* v * 10^places; 0 when that does not fit, as v is not 0. */
static uint64_t scaled(uint64_t v, long places)
{
    for (; places > 0; places--) {
        if (v > (uint64_t)INT64_MAX / 10) return 0;
        v *= 10;
    }
    return v;
}

/* The digits as one integer without the zeros at its end; *shift: how many places it is to go up to
 * stand in units of 1e-8. False when it does not fit. */
static bool gather(const char *s, const struct spelled *p, uint64_t *out, long *shift)
{
    uint64_t v = 0;
    long zeros = 0; /* that wait */
    for (size_t k = p->whole; k < p->end; k++) {
        if (s[k] == '.') continue;
        if (s[k] == '0') {
            zeros += v != 0;
            continue;
        }
        uint64_t d = (uint64_t)(s[k] - '0');
        if (v && !(v = scaled(v, zeros + 1))) return false;
        if (v > INT64_MAX - d) return false;
        v += d;
        zeros = 0;
    }
    *out = v;
    *shift = 8 - (long)(p->end - p->frac) + zeros + p->exponent;
    return true;
}

enum err decimal_parse(const char *s, size_t n, int64_t *out_e8, struct why *why)
{
    struct spelled p = { 0 };
    uint64_t v;
    long shift;
    enum err e = spell(s, n, &p, why);
    if (e) return e;
    if (!gather(s, &p, &v, &shift))
        return err_set(why, ERR_INVALID, "number out of range or finer than 1e-8");
    if (v == 0) shift = 0; /* however many places it was given */
    if (v && !(v = scaled(v, shift))) return err_set(why, ERR_INVALID, "number out of range");
    if (shift < 0) return err_set(why, ERR_INVALID, "finer than 1e-8");
    *out_e8 = p.negative ? -(int64_t)v : (int64_t)v;
    return ERR_OK;
}

/* ---- back to text ---- */
size_t decimal_format(int64_t e8, char out[DECIMAL_TEXT_MAX])
{
    uint64_t v = e8 < 0 ? 0 - (uint64_t)e8 : (uint64_t)e8; /* INT64_MIN has no positive twin */
    int n = snprintf(out, DECIMAL_TEXT_MAX, "%s%" PRIu64 ".%08" PRIu64, e8 < 0 ? "-" : "",
                     v / 100000000u, v % 100000000u);
    while (out[n - 1] == '0') n--;
    if (out[n - 1] == '.') n--;
    out[n] = '\0';
    return (size_t)n;
}
