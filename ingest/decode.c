/* decode.c - two readers of one format: the DOM decoder, which is the law, and a flat scanner for ticks, which only says
 * yes to what it fully understands and leaves every refusal, and so every reason, to the first. */
#include "ingest/decode.h"

#include "core/decimal.h"
#include "core/json.h"
#include "core/when.h"

#include <string.h>

/* Bounds, in the units of record.h; ingest/README.md has them for users. */
#define E8 100000000ll
#define PRICE_MIN_E8 1ll
#define PRICE_MAX_E8 (90000000 * E8)
#define QUANTITY_MAX_E8 (90000000000 * E8)
#define SHARES_MAX (1ll << 42)
#define REQUIRED INT64_MIN /* as a default: there is none, the field must be there */
enum { INDEX_NAME_MAX = 31, THEME_MAX = 31, SOURCE_MAX = 100, TITLE_MAX = 200 }; /* bytes */
enum { ARTICLE_ID_MAX = 128, HEADLINE_MAX = 1000, BODY_MAX = 100000 };

enum { IN_SYMBOL = 1, IN_NAME = 2 };
static const uint8_t char_class[256] = {
    ['0' ... '9'] = IN_SYMBOL | IN_NAME,
    ['A' ... 'Z'] = IN_SYMBOL | IN_NAME,
    ['a' ... 'z'] = IN_SYMBOL | IN_NAME,
    ['.'] = IN_SYMBOL | IN_NAME,
    ['-'] = IN_SYMBOL | IN_NAME,
    ['_'] = IN_SYMBOL | IN_NAME,
    ['/'] = IN_SYMBOL,
    [':'] = IN_SYMBOL,
};

enum err symbol_from(const char *s, size_t n, struct symbol *out)
{
    if (n == 0 || n > SYMBOL_MAX) return ERR_INVALID;
    struct symbol made = { { 0 } };
    for (size_t i = 0; i < n; i++) {
        if (!(char_class[(uint8_t)s[i]] & IN_SYMBOL)) return ERR_INVALID;
        made.s[i] = s[i];
    }
    *out = made;
    return ERR_OK;
}

/* ---- the text of a number ----
 * jansson keeps a real as a double, whose text is gone. It has already said that the bytes are valid JSON without duplicate
 * keys, so a walk over the members of the outermost object finds the one value of that name as it was written. */

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t skip_spaces(const char *s, size_t n, size_t i)
{
    while (i < n && is_space(s[i])) i++;
    return i;
}

static size_t skip_string(const char *s, size_t n,
                          size_t i) /* from its opening quote to past its closing one */
{
    for (i++; i < n && s[i] != '"'; i++) i += s[i] == '\\';
    return i + 1;
}

static size_t skip_value(const char *s, size_t n, size_t i)
{
    int depth = 0;
    while (i < n) {
        if (s[i] == '"') i = skip_string(s, n, i);
        else if (depth == 0 && (s[i] == ',' || s[i] == '}' || is_space(s[i]))) break;
        else if (s[i] == '{' || s[i] == '[') depth++, i++;
        else if (s[i] == '}' || s[i] == ']') depth--, i++;
        else i++;
        if (depth == 0 && (s[i - 1] == '"' || s[i - 1] == '}' || s[i - 1] == ']')) break;
    }
    return i;
}

/* `raw` is a key with its quotes. One written with escapes is read by jansson, as it was the first time. */
static bool key_is(struct str raw, const char *key)
{
    size_t n = strlen(key);
    if (!memchr(raw.p, '\\', raw.n)) return raw.n == n + 2 && memcmp(raw.p + 1, key, n) == 0;
    AUTO_JSON json_t *j = NULL;
    return json_load_strict(raw.p, raw.n, &j, NULL) == ERR_OK
           && strcmp(json_string_value(j), key) == 0;
}

static struct str span(const char *s, size_t from, size_t to)
{
    return (struct str){ s + from, (uint32_t)(to - from) };
}

static struct str value_text(const char *s, size_t n, const char *key)
{
    size_t i = skip_spaces(s, n, 0) + 1; /* past { */
    while (i < n) {
        size_t key_at = skip_spaces(s, n, i), key_end = skip_string(s, n, key_at);
        size_t value_at = skip_spaces(s, n, skip_spaces(s, n, key_end) + 1),
               value_end = skip_value(s, n, value_at);
        if (value_end > n) break;
        if (key_is(span(s, key_at, key_end), key)) return span(s, value_at, value_end);
        i = skip_spaces(s, n, value_end) + 1; /* past the comma */
    }
    return (struct str){ NULL, 0 };
}

/* ---- the DOM decoder ---- */

struct message {
    const char *bytes;
    size_t n;
    struct arena *arena;
    struct json_fields f; /* carries the first failure; after one, what is read means nothing */
};

static struct str keep(struct message *m, const char *p, size_t n)
{
    if (m->f.err || n == 0) return (struct str){ "", 0 };
    char *copy = arena_copy(m->arena, p, n);
    if (!copy)
        m->f.err = err_set(m->f.why, ERR_NOMEM, "no memory for a message of %zu bytes", m->n);
    return (struct str){ copy, (uint32_t)n };
}

/* min 0: the field is optional and by default empty. */
static struct str want_text(struct message *m, const char *key, size_t min, size_t max)
{
    const char *s = json_want_string(&m->f, key, min, max, min ? JSON_REQUIRED : "");
    return keep(m, s, m->f.err ? 0 : strlen(s));
}

static struct str want_name(struct message *m, const char *key) /* of an index or a book */
{
    struct str s = want_text(m, key, 1, INDEX_NAME_MAX);
    for (uint32_t i = 0; !m->f.err && i < s.n; i++)
        if (!(char_class[(uint8_t)s.p[i]] & IN_NAME))
            json_fail(&m->f, "field \"%s\" may hold A-Z a-z 0-9 . - _ only", key);
    return s;
}

static struct symbol to_symbol(struct message *m, const char *key, json_t *v)
{
    struct symbol s = { { 0 } };
    if (!m->f.err
        && (!json_is_string(v) || symbol_from(json_string_value(v), json_string_length(v), &s)))
        json_fail(&m->f, "field \"%s\" needs 1 to %d characters of A-Z a-z 0-9 . - _ / :", key,
                  SYMBOL_MAX);
    return s;
}

static struct symbol want_symbol(struct message *m)
{
    json_t *v = json_want_any(&m->f, "symbol");
    if (!v) json_fail(&m->f, "field \"symbol\" is missing");
    return to_symbol(m, "symbol", v);
}

static int64_t want_decimal(struct message *m, const char *key, int64_t min_e8, int64_t max_e8,
                            int64_t missing)
{
    json_t *v = json_want_any(&m->f, key);
    if (!v && missing == REQUIRED) json_fail(&m->f, "field \"%s\" is missing", key);
    if (!v || m->f.err) return missing;

    struct str text = { NULL, 0 };
    if (json_is_string(v))
        text = (struct str){ json_string_value(v), (uint32_t)json_string_length(v) };
    else if (json_is_number(v)) text = value_text(m->bytes, m->n, key);
    else json_fail(&m->f, "field \"%s\" must be a decimal string or a number", key);

    int64_t e8 = 0;
    struct why why;
    if (!m->f.err && decimal_parse(text.p, text.n, &e8, &why))
        json_fail(&m->f, "field \"%s\": %s", key, why.text);
    if (!m->f.err && (e8 < min_e8 || e8 > max_e8)) {
        char lo[DECIMAL_TEXT_MAX], hi[DECIMAL_TEXT_MAX], is[DECIMAL_TEXT_MAX];
        decimal_format(min_e8, lo);
        decimal_format(max_e8, hi);
        decimal_format(e8, is);
        json_fail(&m->f, "field \"%s\" must be from %s to %s, is %s", key, lo, hi, is);
    }
    return e8;
}

static int32_t want_day(struct message *m, const char *key, int64_t missing)
{
    const char *s =
        json_want_string(&m->f, key, 10, 10, missing == REQUIRED ? JSON_REQUIRED : NULL);
    int32_t day = NO_DAY;
    struct why why;
    if (m->f.err) return day;
    if (!s) return (int32_t)missing;
    if (date_parse(s, strlen(s), &day, &why)) json_fail(&m->f, "field \"%s\": %s", key, why.text);
    return day;
}

static struct uuid want_uuid(struct message *m, const char *key)
{
    const char *s = json_want_string(&m->f, key, UUID_TEXT - 1, UUID_TEXT - 1, JSON_REQUIRED);
    struct uuid u = { { 0 } };
    if (!m->f.err && (uuid_parse(s, strlen(s), &u) || uuid_is_none(u)))
        json_fail(&m->f, "field \"%s\" must be a UUID that is not all zero", key);
    return u;
}

/* A tag that comes twice counts once: feeds repeat them, and a repeated tag is no second mention. */
static void want_tags(struct message *m, struct record *r)
{
    json_t *v = json_want_any(&m->f, "symbols"), *one;
    if (!v || m->f.err) return;
    size_t n = json_array_size(v), i;
    if (!json_is_array(v) || n > ARTICLE_SYMBOLS_MAX) {
        json_fail(&m->f, "field \"symbols\" must be an array of at most %d symbols",
                  ARTICLE_SYMBOLS_MAX);
        return;
    }
    struct symbol *tags = n ? arena_alloc(m->arena, n * sizeof *tags) : NULL;
    if (n && !tags) {
        m->f.err = err_set(m->f.why, ERR_NOMEM, "no memory for %zu symbols", n);
        return;
    }
    uint32_t kept = 0, k;
    json_array_foreach(v, i, one)
    {
        tags[kept] = to_symbol(m, "symbols", one);
        for (k = 0; memcmp(&tags[k], &tags[kept], sizeof *tags) != 0; k++) {}
        kept += k == kept;
    }
    r->u.article.symbols = tags;
    r->u.article.symbols_n = kept;
}

static void read_trade(struct message *m, struct record *r)
{
    r->u.trade.symbol = want_symbol(m);
    r->u.trade.price_e8 = want_decimal(m, "price", PRICE_MIN_E8, PRICE_MAX_E8, REQUIRED);
    r->u.trade.size_e8 = want_decimal(m, "size", 0, QUANTITY_MAX_E8, 0);
}

static void read_close(struct message *m, struct record *r)
{
    r->u.close.symbol = want_symbol(m);
    r->u.close.price_e8 = want_decimal(m, "price", PRICE_MIN_E8, PRICE_MAX_E8, REQUIRED);
    r->u.close.day = want_day(m, "date", REQUIRED);
}

static void read_clock(struct message *m, struct record *r)
{
    r->u.clock.session_end = want_day(m, "session_end", NO_DAY);
}

static void read_issuer(struct message *m, struct record *r)
{
    r->u.issuer.issuer = want_text(m, "issuer", 1, NAME_MAX_BYTES);
    r->u.issuer.name = want_text(m, "name", 0, TITLE_MAX);
    r->u.issuer.sector = want_text(m, "sector", 0, TITLE_MAX);
}

static void read_instrument(struct message *m, struct record *r)
{
    r->u.instrument.symbol = want_symbol(m);
    r->u.instrument.issuer = want_text(m, "issuer", 1, NAME_MAX_BYTES);
    r->u.instrument.name = want_text(m, "name", 0, TITLE_MAX);
}

static void read_shares(struct message *m, struct record *r)
{
    r->u.shares.symbol = want_symbol(m);
    r->u.shares.shares = json_want_int(&m->f, "shares", 1, SHARES_MAX, JSON_REQUIRED_INT);
    r->u.shares.float_e8 = want_decimal(m, "float", 1, E8, E8);
}

static void read_index(struct message *m, struct record *r)
{
    r->u.index.index = want_name(m, "index");
    r->u.index.name = want_text(m, "name", 0, TITLE_MAX);
    r->u.index.base_e8 = want_decimal(m, "base", PRICE_MIN_E8, PRICE_MAX_E8, 1000 * E8);
}

static void read_membership(struct message *m, struct record *r)
{
    r->u.membership.index = want_name(m, "index");
    r->u.membership.symbol = want_symbol(m);
    r->u.membership.member = json_want_bool(&m->f, "member", true);
    r->u.membership.shares = json_want_int(&m->f, "shares", 1, SHARES_MAX, 0);
}

static void read_article(struct message *m, struct record *r)
{
    r->u.article.id = want_text(m, "id", 1, ARTICLE_ID_MAX);
    r->u.article.headline = want_text(m, "headline", 1, HEADLINE_MAX);
    r->u.article.body = want_text(m, "body", 0, BODY_MAX);
    r->u.article.source = want_text(m, "source", 0, SOURCE_MAX);
    want_tags(m, r);
}

static void read_exposure(struct message *m, struct record *r)
{
    r->u.exposure.issuer = want_text(m, "issuer", 1, NAME_MAX_BYTES);
    r->u.exposure.theme = want_text(m, "theme", 1, THEME_MAX);
    r->u.exposure.source = want_text(m, "source", 0, SOURCE_MAX);
    r->u.exposure.value_e8 = want_decimal(m, "value", 0, E8, REQUIRED);
    r->u.exposure.effective_day = want_day(m, "effective_from", day_of_ns(r->event_ns));
}

static void read_position(struct message *m, struct record *r)
{
    r->u.position.tenant = want_uuid(m, "tenant");
    r->u.position.book = want_name(m, "book");
    r->u.position.symbol = want_symbol(m);
    r->u.position.quantity_e8 =
        want_decimal(m, "quantity", -QUANTITY_MAX_E8, QUANTITY_MAX_E8, REQUIRED);
}

static void (*const readers[RECORD_KIND_COUNT])(struct message *m, struct record *r) = {
    [RECORD_TRADE] = read_trade,           [RECORD_CLOSE] = read_close,
    [RECORD_CLOCK] = read_clock,           [RECORD_ISSUER] = read_issuer,
    [RECORD_INSTRUMENT] = read_instrument, [RECORD_SHARES] = read_shares,
    [RECORD_INDEX] = read_index,           [RECORD_MEMBERSHIP] = read_membership,
    [RECORD_ARTICLE] = read_article,       [RECORD_EXPOSURE] = read_exposure,
    [RECORD_POSITION] = read_position,
};

/* What the service tells itself is unknown here: no message may say it. */
static enum err kind_from(const char *name, enum record_kind *out, struct why *why)
{
    for (enum record_kind k = 1; k < RECORD_KIND_COUNT; k++)
        if (record_origin(k) == ORIGIN_FEED && strcmp(record_kind_name(k), name) == 0) {
            *out = k;
            return ERR_OK;
        }
    return err_set(why, ERR_UNKNOWN_KIND, "unknown kind \"%.40s\"", name);
}

enum err record_decode_dom(const char *bytes, size_t n, struct arena *arena, struct record *out,
                           struct why *why)
{
    if (n > MESSAGE_MAX)
        return err_set(why, ERR_TOO_LARGE, "message of %zu bytes, at most %d are taken", n,
                       MESSAGE_MAX);
    if (n == 0) return err_set(why, ERR_SYNTAX, "empty message");
    AUTO_JSON json_t *root = NULL;
    enum err e = json_load_strict(bytes, n, &root, why);
    if (e) return e;

    struct message m = { bytes, n, arena, json_fields_begin(root, why) };
    struct record r = { 0 };
    const char *kind = json_want_string(&m.f, "kind", 0, MESSAGE_MAX, JSON_REQUIRED);
    if (m.f.err) return m.f.err;
    if ((e = kind_from(kind, &r.kind, why))) return e;

    r.event_ns = json_want_int(&m.f, "ts", 0, INT64_MAX, JSON_REQUIRED_INT);
    readers[r.kind](&m, &r);
    if ((e = json_fields_end(&m.f))) return e;
    if (record_place(r.kind) != PLACE_TICK)
        r.payload = keep(&m, bytes, n); /* decoded again by a replay */
    if (m.f.err) return m.f.err;
    *out = r;
    return ERR_OK;
}

/* ---- the flat scanner ----
 * One pass, no DOM, no allocation, no reasons. Every function answers false for "not mine", and then nothing was decided. */

struct scan {
    const char *p, *end;
};

static inline void pass_spaces(struct scan *s)
{
    while (s->p < s->end && is_space(*s->p)) s->p++;
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

enum field { F_NONE, F_KIND = 1, F_SYMBOL = 2, F_PRICE = 4, F_SIZE = 8, F_DATE = 16, F_TS = 32 };

static inline enum field take_field(struct scan *s)
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
    for (; n < SYMBOL_MAX && s->p < s->end && char_class[(uint8_t)*s->p] & IN_SYMBOL; s->p++)
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
    if (!take_digits(s, 19, &v) || v > INT64_MAX) return false;
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

static bool scan_tick(const char *bytes, size_t n, struct record *out)
{
    struct scan s = { bytes, bytes + n };
    struct symbol symbol = { { 0 } };
    enum record_kind kind = 0;
    int64_t price = 0, size = 0, ts = 0;
    int32_t day = 0;
    unsigned seen = 0;

    if (!take(&s, '{')) return false;
    do {
        const enum field field = take_field(&s);
        if (!field || seen & field || !take(&s, ':')) return false;
        seen |= field;
        bool ok = false;
        switch (field) {
        case F_KIND: ok = take_kind(&s, &kind); break;
        case F_SYMBOL: ok = take_symbol(&s, &symbol); break;
        case F_PRICE: ok = take_decimal(&s, PRICE_MAX_E8, &price); break;
        case F_SIZE: ok = take_decimal(&s, QUANTITY_MAX_E8, &size); break;
        case F_DATE: ok = take_date(&s, &day); break;
        case F_TS: ok = take_time(&s, &ts); break;
        case F_NONE: break;
        }
        if (!ok) return false;
    } while (take(&s, ','));
    if (!take(&s, '}')) return false;
    pass_spaces(&s);
    if (s.p != s.end || price < PRICE_MIN_E8) return false;

    const unsigned both = F_KIND | F_SYMBOL | F_PRICE | F_TS;
    if (kind == RECORD_TRADE && (seen & ~(unsigned)F_SIZE) == both) {
        *out = (struct record){ .event_ns = ts, .kind = kind, .u.trade = { symbol, price, size } };
        return true;
    }
    if (kind == RECORD_CLOSE && seen == (both | F_DATE)) {
        *out = (struct record){ .event_ns = ts, .kind = kind, .u.close = { symbol, price, day } };
        return true;
    }
    return false;
}

enum err record_decode(const char *bytes, size_t n, struct arena *arena, struct record *out,
                       struct why *why)
{
    if (n > 0 && n <= MESSAGE_MAX && scan_tick(bytes, n, out)) return ERR_OK;
    return record_decode_dom(bytes, n, arena, out, why);
}
