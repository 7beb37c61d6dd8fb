#include "core/entity.h"

#include "core/err.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 31 }; /* CounterClockwiseContourIntegral */

struct entity {
    const char *name, *text;
};

static const struct entity entities[] = {
#define ENTITY(name, text) { name, text },
#include "core/entities.def"
};

/* Characters at `p` that belong to a name, up to one more than any has. */
static uint32_t name_bytes(const char *p, uint32_t left)
{
    uint32_t n = 0;
    while (n < left && n <= NAME_BYTES_MAX
           && ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z')
               || (p[n] >= '0' && p[n] <= '9')))
        n++;
    return n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entity *)a)->name, ((const struct entity *)b)->name);
}

/* What a reference stands for. */
struct meant {
    char bytes[8];
    size_t n;
};

/* "&rsquo;" at p: what it stands for, and its bytes; or 0. */
static uint32_t take_named(const char *p, uint32_t left, struct meant *out)
{
    char name[NAME_BYTES_MAX + 1];
    const uint32_t n = name_bytes(p + 1, left - 1);
    if (n == 0 || n > NAME_BYTES_MAX || 1 + n >= left || p[1 + n] != ';') return 0;
    memcpy(name, p + 1, n);
    name[n] = '\0';
    const struct entity key = { name, NULL },
                        *e = bsearch(&key, entities, ARRAY_LEN(entities), sizeof key, by_name);
    if (!e) return 0;
    out->n = strlen(e->text);
    memcpy(out->bytes, e->text, out->n);
    return n + 2;
}

static int digit_of(char c, uint32_t base)
{
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return d < (int)base ? d : -1;
}

/* What a browser shows for 128 to 159; 0: nothing. */
static uint32_t windows_1252(uint32_t code)
{
    static const uint16_t of[32] = {
        0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178
    };
    return of[code - 128];
}

/* The character that a number stands for, or 0. */
static uint32_t character_of(uint32_t code)
{
    if (code >= 128 && code < 160) return windows_1252(code);
    if (code < 32) return code == '\t' || code == '\n' || code == '\r' ? code : 0;
    if (code == 127 || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) return 0;
    return code;
}

static void utf8_of(uint32_t c, struct meant *out)
{
    char *u = out->bytes;
    size_t n = 1;
    if (c < 0x80) u[0] = (char)c;
    else if (c < 0x800) {
        u[0] = (char)(0xC0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (char)(0xE0 | c >> 12);
        n = 3;
    } else {
        u[0] = (char)(0xF0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) u[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3F));
    out->n = n;
}

/* "&#39;" or "&#x27;" at p, as take_named. */
static uint32_t take_number(const char *p, uint32_t left, struct meant *out)
{
    const bool hex = left > 2 && (p[2] == 'x' || p[2] == 'X');
    const uint32_t base = hex ? 16 : 10, first = hex ? 3 : 2;
    uint32_t at = first, code = 0;
    for (; at < left && digit_of(p[at], base) >= 0; at++)
        if (code <= 0x10FFFF) code = code * base + (uint32_t)digit_of(p[at], base);
    if (at == first || at >= left || p[at] != ';') return 0;
    const uint32_t c = character_of(code);
    if (!c) return 0;
    utf8_of(c, out);
    return at + 1;
}

static uint32_t take(const char *p, uint32_t left, struct meant *out)
{
    return left > 1 && p[1] == '#' ? take_number(p, left, out) : take_named(p, left, out);
}

struct str entities_decode(struct str text, struct buf *scratch)
{
    const char *amp = text.n ? memchr(text.p, '&', text.n) : NULL;
    uint32_t done = 0; /* bytes of the text that are in scratch */
    bool any = false;
    buf_clear(scratch);
    while (amp) {
        struct meant meant;
        const uint32_t at = (uint32_t)(amp - text.p), taken = take(amp, text.n - at, &meant);
        const uint32_t next = at + (taken ? taken : 1);
        if (taken) {
            any = true;
            buf_put(scratch, text.p + done, at - done);
            buf_put(scratch, meant.bytes, meant.n);
            done = next;
        }
        amp = next < text.n ? memchr(text.p + next, '&', text.n - next) : NULL;
    }
    if (!any) return text;
    buf_put(scratch, text.p + done, text.n - done);
    return buf_ok(scratch) ? (struct str){ scratch->data, (uint32_t)scratch->len } : text;
}
