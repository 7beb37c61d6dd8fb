/* dialect.c - the options, and what they make of dates and numbers:
 *
 *     --dates 'Mon DD, YYYY'             "Mar 02, 2021"   -> 2021-03-02
 *     --decimal , --thousands .          "1.234,50"       -> 123450 / 10^2
 *     (nothing)                          "1.58E+10"       -> 15800000000 / 10^0
 *     (nothing)                          "1,234.50"       -> refused: --thousands , reads it */
#include "app/import/dialect.h"

#include "core/decimal.h"
#include "core/when.h"
#include "ingest/symbol.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct dialect dialect_plain = { .delimiter = ',', .decimal = '.', .strip = "" };

/* ---- options ---- */
static bool character(const char *v, const char *allowed, char *out)
{
    static const struct {
        const char *word;
        char c;
    } words[] = {
        { "tab", '\t' }, { "comma", ',' }, { "point", '.' }, { "space", ' ' }, { "semicolon", ';' }
    };
    char c = v[0] && !v[1] ? v[0] : '\0';
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(v, words[i].word) == 0) c = words[i].c;
    if (!c || !strchr(allowed, c)) return false;
    *out = c;
    return true;
}

static bool count(const char *v, long *out)
{
    char *end;
    errno = 0;
    *out = strtol(v, &end, 10);
    return *v >= '0' && *v <= '9' && !*end && !errno;
}

static bool set_delimiter(struct dialect *d, const char *v)
{
    return character(v, ",;|\t:", &d->delimiter);
}
static bool set_decimal(struct dialect *d, const char *v)
{
    return character(v, ".,", &d->decimal);
}
static bool set_thousands(struct dialect *d, const char *v)
{
    return character(v, ",.' _", &d->thousands);
}
static bool set_encoding(struct dialect *d, const char *v)
{
    d->encoding = v;
    return *v;
}
static bool set_line_ends(struct dialect *d, const char *v)
{
    d->cr_ends = strcmp(v, "cr") == 0;
    return d->cr_ends;
}
static bool set_dates(struct dialect *d, const char *v)
{
    d->dates = v;
    return strstr(v, "YYYY") && (strstr(v, "MM") || strstr(v, "Mon")) && strstr(v, "DD");
}
static bool set_column(struct dialect *d, const char *v)
{
    const char *equals = strchr(v, '=');
    if (!equals || equals == v || !equals[1] || d->columns_n == DIALECT_COLUMNS_MAX) return false;
    d->columns[d->columns_n].name = (struct str){ v, (uint32_t)(equals - v) };
    d->columns[d->columns_n++].header = equals + 1;
    return true;
}
static bool set_symbol(struct dialect *d, const char *v)
{
    return symbol_from(v, strlen(v), &d->symbol) == ERR_OK;
}
static bool set_trim(struct dialect *d, const char *v)
{
    (void)v;
    return d->trim = true;
}
static bool set_strip(struct dialect *d, const char *v)
{
    d->strip = v;
    return *v && !strpbrk(v, "0123456789+-.,eE");
}
static bool set_trailing_delimiter(struct dialect *d, const char *v)
{
    (void)v;
    return d->trailing_delimiter = true;
}
static bool set_skip_first(struct dialect *d, const char *v) { return count(v, &d->skip_first); }
static bool set_skip_last(struct dialect *d, const char *v) { return count(v, &d->skip_last); }
static bool set_skip_empty(struct dialect *d, const char *v)
{
    (void)v;
    return d->skip_empty = true;
}
static bool set_sort(struct dialect *d, const char *v)
{
    (void)v;
    return d->sort = true;
}
static bool set_round(struct dialect *d, const char *v)
{
    return decimal_parse(v, strlen(v), &d->round_e8, NULL) == ERR_OK && d->round_e8 > 0
           && d->round_e8 <= 100000000000;
}

static const struct {
    const char *name, *value;
    bool (*set)(struct dialect *d, const char *value);
} options[] = {
#define DIALECT(option, value, setter, help) { option, value, set_##setter },
#include "app/import/dialect.def"
#undef DIALECT
};

enum err dialect_option(struct dialect *d, int argc, char **argv, int *i, struct why *why)
{
    const char *name = argv[*i], *value = NULL;
    size_t no = 0;
    while (no < ARRAY_LEN(options) && strcmp(name, options[no].name) != 0) no++;
    if (no == ARRAY_LEN(options)) return ERR_NOT_FOUND;
    if (*options[no].value) {
        if (*i + 1 == argc)
            return err_set(why, ERR_INVALID, "%s needs a value: %s", name, options[no].value);
        value = argv[++*i];
    }
    if (!options[no].set(d, value))
        return err_set(why, ERR_INVALID, "%s %s is not understood; try --help", name, value);
    return ERR_OK;
}

bool dialect_conflicts(const struct dialect *d) { return d->thousands == d->decimal; }

const char *dialect_header(const struct dialect *d, struct str name, size_t *at)
{
    for (size_t i = 0; i < d->columns_n; i++) {
        const struct str *x = &d->columns[i].name;
        if (x->n != name.n || strncasecmp(x->p, name.p, name.n) != 0) continue;
        *at = i;
        return d->columns[i].header;
    }
    return NULL;
}

const char *dialect_unused(const struct dialect *d)
{
    for (size_t i = 0; i < d->columns_n; i++)
        if (!d->columns[i].used) return d->columns[i].header;
    return NULL;
}

/* ---- dates ---- */
static bool digits_of(const char **p, const char *end, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++, ++*p) {
        if (*p == end || !isdigit((unsigned char)**p)) return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool month_name(const char **p, const char *end, int *out)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (end - *p < 3) return false;
    for (*out = 1; *out <= 12; ++*out)
        if (strncasecmp(*p, names + (*out - 1) * 3, 3) == 0) {
            *p += 3;
            return true;
        }
    return false;
}

static bool matches(const char *pattern, struct str s, int32_t *out)
{
    const char *p = s.p, *end = s.p + s.n;
    int year = 0, month = 0, day = 0;
    for (const char *f = pattern; *f;) {
        bool fine = true;
        if (strncmp(f, "YYYY", 4) == 0) fine = digits_of(&p, end, 4, &year), f += 4;
        else if (strncmp(f, "MM", 2) == 0) fine = digits_of(&p, end, 2, &month), f += 2;
        else if (strncmp(f, "DD", 2) == 0) fine = digits_of(&p, end, 2, &day), f += 2;
        else if (strncmp(f, "Mon", 3) == 0) fine = month_name(&p, end, &month), f += 3;
        else if (strcmp(f, "*") == 0) p = end, f++;
        else fine = p < end && *p++ == *f++;
        if (!fine) return false;
    }
    char text[DATE_TEXT_MAX];
    snprintf(text, sizeof text, "%04d-%02d-%02d", year % 10000, month % 100, day % 100);
    return p == end && date_parse(text, 10, out, NULL) == ERR_OK;
}

bool dialect_date(const struct dialect *d, struct str s, int32_t *out, char fault[FAULT_MAX])
{
    static const char *const known[] = { "YYYY-MM-DD*",  "DD.MM.YYYY",  "YYYYMMDD",   "YYYY/MM/DD",
                                         "Mon DD, YYYY", "DD Mon YYYY", "DD-Mon-YYYY" };
    const char *pattern = d->dates ? d->dates : "YYYY-MM-DD";
    int32_t ignored;
    if (matches(pattern, s, out)) return true;
    int n = snprintf(fault, FAULT_MAX, "\"%.*s\" is no date %s", (int)(s.n > 40 ? 40 : s.n), s.p,
                     pattern);
    if (matches("MM/DD/YYYY", s, &ignored) || matches("DD/MM/YYYY", s, &ignored))
        snprintf(fault + n, FAULT_MAX - (size_t)n,
                 " (--dates MM/DD/YYYY or --dates DD/MM/YYYY says which it is)");
    else
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            if (matches(known[i], s, &ignored)) {
                snprintf(fault + n, FAULT_MAX - (size_t)n, " (--dates '%s' reads it)", known[i]);
                break;
            }
    return false;
}

/* ---- numbers ---- */
static bool is_no_number(struct str s)
{
    static const char *const words[] = { "nan", "null", "na", "n/a", "#n/a", "none", "nil", "-" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0) return true;
    return false;
}

static struct str stripped(const struct dialect *d, struct str s)
{
    while (s.n && *d->strip && strchr(d->strip, s.p[0])) s.p++, s.n--;
    while (s.n && *d->strip && strchr(d->strip, s.p[s.n - 1])) s.n--;
    return s;
}

/* One more digit; false: more than fit. */
static bool put_digit(struct number *n, int digit)
{
    const number_digits most = (number_digits)1000000000000000000 * 10000000000;
    if (n->digits >= most) return false;
    n->digits = n->digits * 10 + digit;
    return true;
}

/* The digits before the decimal sign: groups of three where there are any separators. */
static bool whole_part(const char **p, const char *end, char thousands, struct number *out)
{
    int run = 0, groups = 0;
    bool any = false;
    for (; *p < end; ++*p) {
        if (isdigit((unsigned char)**p)) {
            if (!put_digit(out, **p - '0')) return false;
            run++;
            any = true;
        } else if (thousands && **p == thousands) {
            if (run == 0 || run > 3 || (groups > 0 && run != 3)) return false;
            groups++;
            run = 0;
        } else break;
    }
    return any && (groups == 0 || run == 3);
}

static bool fraction(const char **p, const char *end, struct number *out)
{
    const char *from = ++*p;
    int zeros = 0; /* not yet put: those at the end say nothing */
    for (; *p < end && isdigit((unsigned char)**p); ++*p) {
        if (**p == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0; zeros--, out->scale++)
            if (!put_digit(out, 0)) return false;
        if (!put_digit(out, **p - '0')) return false;
        out->scale++;
    }
    return *p > from;
}

/* e+10 moves the point; what then is no decimal becomes digits. */
static bool exponent(const char **p, const char *end, struct number *out)
{
    const char *q = *p + 1;
    bool minus = q < end && *q == '-';
    int e = 0;
    if (q < end && (*q == '-' || *q == '+')) q++;
    if (q == end) return false;
    for (; q < end; q++) {
        if (!isdigit((unsigned char)*q) || e > 99) return false;
        e = e * 10 + (*q - '0');
    }
    *p = q;
    for (; !minus && e > 0 && out->scale > 0; e--) out->scale--;
    for (; !minus && e > 0 && out->digits; e--)
        if (!put_digit(out, 0)) return false;
    if (minus) out->scale += e;
    return true;
}

static bool parse(struct str s, char decimal, char thousands, struct number *out)
{
    const char *p = s.p, *end = s.p + s.n;
    *out = (struct number){ 0 };
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    if (!whole_part(&p, end, thousands, out)) return false;
    if (p < end && *p == decimal && !fraction(&p, end, out)) return false;
    if (p < end && (*p == 'e' || *p == 'E') && !exponent(&p, end, out)) return false;
    if (minus) out->digits = -out->digits;
    for (; out->scale > 0 && out->digits % 10 == 0; out->scale--) out->digits /= 10;
    out->decimals = out->scale;
    return p == end && out->scale <= NUMBER_DECIMALS_MAX;
}

/* What is wrong with a number that does not read, by trying what the user may have meant. */
static void explain(const struct dialect *d, struct str s, char fault[FAULT_MAX])
{
    struct number n;
    const int shown = (int)(s.n > 60 ? 60 : s.n);
    struct str trimmed = s;
    while (trimmed.n && isspace((unsigned char)trimmed.p[0])) trimmed.p++, trimmed.n--;
    while (trimmed.n && isspace((unsigned char)trimmed.p[trimmed.n - 1])) trimmed.n--;
    struct str behind = { s.p + 1, s.n - 1 };
    while (behind.n && (behind.p[0] & 0xc0) == 0x80) behind.p++, behind.n--;
    const char *hint = NULL;
    char made[80] = "";
    if (trimmed.n != s.n) hint = "has spaces around it (--trim leaves them out)";
    else if ((s.n >= 3 && strncasecmp(s.p, "inf", 3) == 0)
             || (s.n >= 4 && strncasecmp(s.p + 1, "inf", 3) == 0))
        hint = "is infinite";
    else if (!d->thousands && parse(s, d->decimal, d->decimal == '.' ? ',' : '.', &n))
        snprintf(made, sizeof made, "has thousands separators (--thousands %c reads them)",
                 d->decimal == '.' ? ',' : '.');
    else if (parse(s, d->decimal == '.' ? ',' : '.', '\0', &n))
        snprintf(made, sizeof made, "has another decimal sign (--decimal %c reads it)",
                 d->decimal == '.' ? ',' : '.');
    else if (!isalnum((unsigned char)s.p[0]) && !strchr("+-.,", s.p[0])
             && (parse(behind, d->decimal, d->thousands, &n) || parse(behind, '.', ',', &n)))
        snprintf(made, sizeof made, "begins with %.*s (--strip '%.*s' leaves it out)",
                 (int)(s.n - behind.n), s.p, (int)(s.n - behind.n), s.p);
    if (made[0]) hint = made;
    snprintf(fault, FAULT_MAX, "\"%.*s\" %s", shown, s.p,
             hint ? hint : "is not a number that can be read exactly");
}

enum number_kind dialect_number(const struct dialect *d, struct str s, struct number *out,
                                char fault[FAULT_MAX])
{
    s = stripped(d, s);
    if (s.n == 0) {
        snprintf(fault, FAULT_MAX, "is empty");
        return NUMBER_EMPTY;
    }
    if (is_no_number(s)) {
        snprintf(fault, FAULT_MAX, "is \"%.*s\", not a number", (int)s.n, s.p);
        return NUMBER_EMPTY;
    }
    if (parse(s, d->decimal, d->thousands, out)) return NUMBER_READ;
    explain(d, s, fault);
    return NUMBER_WRONG;
}

static number_digits power(int n)
{
    number_digits v = 1;
    while (n-- > 0) v *= 10;
    return v;
}

static bool fits(number_digits v, int64_t *out)
{
    if (v > INT64_MAX || v < -INT64_MAX) return false;
    *out = (int64_t)v;
    return true;
}

bool number_e8(const struct number *n, int64_t *out)
{
    if (n->scale > 8) return false;
    const number_digits factor = power(8 - n->scale), most = (number_digits)INT64_MAX / factor;
    if (n->digits > most || n->digits < -most) return false;
    return fits(n->digits * factor, out);
}

/* digits * 10^8 stays below 10^37: put_digit stops at 29 digits. */
bool number_round(const struct number *n, int64_t tick_e8, int64_t *out, double *change)
{
    const number_digits unit = tick_e8 * power(n->scale), value = n->digits * 100000000;
    number_digits times = value / unit, rest = value % unit;
    if (rest * 2 >= unit) times++;
    if (-rest * 2 >= unit) times--;
    if (times > INT64_MAX / tick_e8 || times < -INT64_MAX / tick_e8) return false;
    const number_digits moved = value - times * unit;
    *change = (double)(moved < 0 ? -moved : moved) / (double)power(n->scale) / 1e8;
    return fits(times * tick_e8, out);
}

bool number_whole(const struct number *n, int64_t *out)
{
    return n->scale == 0 && n->digits < (number_digits)1000000000000000000
           && n->digits > -(number_digits)1000000000000000000 && fits(n->digits, out);
}

static bool is_word(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

bool dialect_flag(struct str s, bool *out)
{
    *out = is_word(s, "true") || is_word(s, "yes") || is_word(s, "1");
    return *out || is_word(s, "false") || is_word(s, "no") || is_word(s, "0");
}
