#include "core/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){ 0 };
}

bool buf_reserve(struct buf *b, size_t more)
{
    if (b->failed) return false;
    if (b->cap - b->len > more) return true;
    size_t cap = b->cap ? b->cap : 256;
    while (cap - b->len <= more) {
        if (cap > SIZE_MAX / 2) {
            b->failed = true;
            return false;
        }
        cap *= 2;
    }
    char *p = realloc(b->data, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->data = p;
    b->data[b->len] = '\0';
    b->cap = cap;
    return true;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (!buf_reserve(b, n)) return;
    if (n) memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s) { buf_put(b, s, strlen(s)); }

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char small[512];
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        buf_put(b, small, (size_t)n);
        return;
    }
    if (!buf_reserve(b, (size_t)n)) return;
    va_start(ap, fmt);
    vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void buf_json_string(struct buf *b, const char *s, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    buf_put(b, "\"", 1);
    size_t from = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        buf_put(b, s + from, i - from);
        from = i + 1;
        switch (c) {
        case '"': buf_put(b, "\\\"", 2); break;
        case '\\': buf_put(b, "\\\\", 2); break;
        case '\n': buf_put(b, "\\n", 2); break;
        case '\r': buf_put(b, "\\r", 2); break;
        case '\t': buf_put(b, "\\t", 2); break;
        default: buf_put(b, (char[]){ '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] }, 6);
        }
    }
    buf_put(b, s + from, n - from);
    buf_put(b, "\"", 1);
}

void buf_json_item(struct buf *b, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (b->len) buf_puts(b, ",");
    buf_json_string(b, text, strlen(text));
}

/* A double that is the nearest of a decimal with at most six places and fifteen digits, as prices, thresholds and counts are:
 * that decimal is also what %.15g makes of it, at a twentieth of the cost. False: it is none. */
static bool put_short_decimal(struct buf *b, double v)
{
    const double size = fabs(v);
    if (!(size >= 1e-4 && size < 1e9)) return false;
    const int64_t millionths = llround(size * 1e6);
    if ((double)millionths / 1e6 != size) return false;
    char t[24], *end = t + sizeof t, *p = end;
    int64_t whole = millionths / 1000000, rest = millionths % 1000000;
    int places = 6;
    for (; rest && rest % 10 == 0; rest /= 10) places--;
    if (rest) {
        for (; places > 0; places--, rest /= 10) *--p = (char)('0' + rest % 10);
        *--p = '.';
    }
    do *--p = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    if (v < 0) *--p = '-';
    buf_put(b, p, (size_t)(end - p));
    return true;
}

void buf_json_double(struct buf *b, double v)
{
    if (put_short_decimal(b, v)) return;
    if (!isfinite(v)) {
        buf_puts(b, "null");
        return;
    }
    char t[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(t, sizeof t, "%.*g", digits, v);
        if (strtod(t, NULL) == v) break;
    }
    buf_puts(b, t);
}
