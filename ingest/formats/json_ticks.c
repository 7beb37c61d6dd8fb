/* json_ticks.c - the flat scanner: one pass over a tick in plain spelling, no DOM, no allocation,
 * no reasons. Every function answers false for "not mine", and then nothing is decided: it says
 * yes or leaves it to the law, json.c.
 *
 *     {"kind":"trade","symbol":"AAPL","price":"172.50","size":100,"ts":1518037200000000000}
 *
 * take_field after { or , reads "kind" and the colon follows; take_kind reads "trade". "price":
 * the digits 172, a point, 50 scaled up to 50000000 of 1e-8: 17250000000, without a division or a
 * double. At the } the fields seen are exactly those of a trade, each once, so it is one. Had it
 * said "price":1e2, take_decimal would stop at the e, the comma would not be there, and the DOM
 * decoder would read it, 30 times slower and as exactly. */
#include "core/when.h"
#include "ingest/formats/json.h"
#include "ingest/kinds/kind.h"
#include "ingest/symbol.h"

#include <string.h>

struct scan {
    const char *p, *end;
};

static inline void pass_spaces(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static inline bool take(struct scan *s, char c)
{
    pass_spaces(s);
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static inline bool take_word(struct scan *s, const char *word, size_t n)
{
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0) return false;
    s->p += n;
    return true;
}
#define TAKE_WORD(s, word) take_word(s, word, sizeof(word) - 1)

enum tick_field {
    F_NONE,
    F_KIND = 1,
    F_SYMBOL = 2,
    F_PRICE = 4,
    F_SIZE = 8,
    F_DATE = 16,
    F_TS = 32
};

static inline enum tick_field take_field(struct scan *s)
{
    if (!take(s, '"')) return F_NONE;
    if (TAKE_WORD(s, "price\"")) return F_PRICE;
    if (TAKE_WORD(s, "symbol\"")) return F_SYMBOL;
    if (TAKE_WORD(s, "kind\"")) return F_KIND;
    if (TAKE_WORD(s, "size\"")) return F_SIZE;
    if (TAKE_WORD(s, "ts\"")) return F_TS;
    if (TAKE_WORD(s, "date\"")) return F_DATE;
    return F_NONE;
}

static inline bool take_kind(struct scan *s, enum record_kind *out)
{
    pass_spaces(s);
    *out = TAKE_WORD(s, "\"trade\"") ? RECORD_TRADE : TAKE_WORD(s, "\"close\"") ? RECORD_CLOSE : 0;
    return *out != 0;
}

static inline bool take_symbol(struct scan *s, struct symbol *out)
{
    if (!take(s, '"')) return false;
    size_t n = 0;
    for (; n < SYMBOL_MAX && s->p < s->end && char_class[(uint8_t)*s->p] & CHAR_SYMBOL; s->p++)
        out->s[n++] = *s->p;
    return n > 0 && TAKE_WORD(s, "\"");
}

static inline bool take_date(struct scan *s, int32_t *out)
{
    if (!take(s, '"') || s->end - s->p < 10 || date_parse(s->p, 10, out, NULL)) return false;
    s->p += 10;
    return TAKE_WORD(s, "\"");
}

static inline unsigned digit_of(const struct scan *s)
{
    return s->p < s->end ? (unsigned)(uint8_t)*s->p - '0' : 10u;
}

/* 1 to `max` <= 19 digits, no leading zero; one digit more stays for the caller to stumble over */
static inline bool take_digits(struct scan *s, int max, uint64_t *out)
{
    const char *from = s->p;
    uint64_t v = 0;
    for (unsigned d; s->p - from < max && (d = digit_of(s)) < 10; s->p++) v = v * 10 + d;
    *out = v;
    return s->p > from && (*from != '0' || s->p - from == 1);
}

static inline bool take_time(struct scan *s, int64_t *out)
{
    uint64_t v;
    pass_spaces(s);
    if (!take_digits(s, 19, &v) || v > INT64_MAX || v < (uint64_t)(DAY_1971 * NS_PER_DAY))
        return false;
    *out = (int64_t)v;
    return true;
}

/* Up to 10 digits and 8 decimals: inside int64 at 1e-8 without looking. */
static inline bool take_decimal(struct scan *s, int64_t max_e8, int64_t *out)
{
    static const uint32_t scale[9] = {
        100000000, 10000000, 1000000, 100000, 10000, 1000, 100, 10, 1
    };
    const bool quoted = take(s, '"'); /* either way the blanks are behind us now */
    uint64_t whole, frac = 0;
    if (!take_digits(s, 10, &whole)) return false;
    if (s->p < s->end && *s->p == '.') {
        const char *from = ++s->p;
        for (unsigned d; s->p - from < 8 && (d = digit_of(s)) < 10; s->p++) frac = frac * 10 + d;
        if (s->p == from) return false;
        frac *= scale[s->p - from];
    }
    *out = (int64_t)(whole * E8 + frac);
    return *out <= max_e8 && (!quoted || TAKE_WORD(s, "\""));
}

/* The fields as they come. `seen`: bits of enum tick_field. */
struct tick {
    unsigned seen;
    enum record_kind kind;
    struct symbol symbol;
    int64_t price_e8, size_e8, event_ns;
    int32_t day;
};

static inline bool take_value(struct scan *s, enum tick_field field, struct tick *t)
{
    switch (field) {
    case F_KIND: return take_kind(s, &t->kind);
    case F_SYMBOL: return take_symbol(s, &t->symbol);
    case F_PRICE: return take_decimal(s, PRICE_MAX_E8, &t->price_e8);
    case F_SIZE: return take_decimal(s, QUANTITY_MAX_E8, &t->size_e8);
    case F_DATE: return take_date(s, &t->day);
    case F_TS: return take_time(s, &t->event_ns);
    case F_NONE: break;
    }
    return false;
}

/* The whole message, each field at most once. */
static inline bool take_object(struct scan *s, struct tick *t)
{
    if (!take(s, '{')) return false;
    do {
        const enum tick_field field = take_field(s);
        if (!field || t->seen & field || !take(s, ':')) return false;
        t->seen |= field;
        if (!take_value(s, field, t)) return false;
    } while (take(s, ','));
    if (!take(s, '}')) return false;
    pass_spaces(s);
    return s->p == s->end;
}

bool json_scan_tick(const char *bytes, size_t n, struct record *out)
{
    struct scan s = { bytes, bytes + n };
    struct tick t = { 0 };
    if (!take_object(&s, &t) || t.price_e8 < PRICE_MIN_E8) return false;

    const unsigned both = F_KIND | F_SYMBOL | F_PRICE | F_TS;
    if (t.kind == RECORD_TRADE && (t.seen & ~(unsigned)F_SIZE) == both) {
        *out = (struct record){ .kind = t.kind,
                                .event_ns = t.event_ns,
                                .u.trade = { t.symbol, t.price_e8, t.size_e8 } };
        return true;
    }
    if (t.kind == RECORD_CLOSE && t.seen == (both | F_DATE)) {
        *out = (struct record){ .kind = t.kind,
                                .event_ns = t.event_ns,
                                .u.close = { t.symbol, t.price_e8, t.day } };
        return true;
    }
    return false;
}
