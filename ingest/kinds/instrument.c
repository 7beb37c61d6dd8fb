/* instrument.c - a symbol exists, and who its issuer is. It comes before the first tick of the
 * symbol.
 *
 *     {"kind":"instrument","ts":1704200000000000000,"symbol":"GOOGL","issuer":"ALPHABET",
 *      "name":"Alphabet Inc. Class A","venue":"XNAS","isin":"US02079K3059","figi":"BBG009S39JX6"}
 */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

#include <string.h>

/* ---- numbers that carry a check digit: ISIN (ISO 6166) and FIGI (Object Management Group), 12 characters each ----
 *
 *     US0378331005     letters are two digits: 30 28 0 3 7 8 3 3 1 0 0. From the right every other digit doubles, digits are
 *                      summed, and the last one fills up to a multiple of ten: Luhn's
 *     BBG000B9XRY4     letters are numbers from 10: every other character doubles, the digits of each are summed, the same
 *
 * A number that is not what its check digit says has a typing error in it, and would be some other instrument's. */
enum { ID_SIZE = 12 };

static int value_of(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }
static int digit_sum(int v) { return v / 10 + v % 10; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }

static int isin_check(const char *s)
{
    int digits[2 * ID_SIZE], n = 0, sum = 0;
    for (int i = 0; i < ID_SIZE - 1; i++) {
        const int v = value_of(s[i]);
        if (v >= 10) digits[n++] = v / 10;
        digits[n++] = v % 10;
    }
    for (int i = 0; i < n; i++) sum += (n - 1 - i) % 2 == 0 ? digit_sum(2 * digits[i]) : digits[i];
    return (10 - sum % 10) % 10;
}

static int figi_check(const char *s)
{
    int sum = 0;
    for (int i = 0; i < ID_SIZE - 1; i++) sum += digit_sum(value_of(s[i]) * (i % 2 ? 2 : 1));
    return (10 - sum % 10) % 10;
}

static bool isin_shape(const char *s)
{
    bool ok = is_letter(s[0]) && is_letter(s[1]) && is_digit(s[ID_SIZE - 1]);
    for (int i = 2; i < ID_SIZE - 1; i++) ok &= is_letter(s[i]) || is_digit(s[i]);
    return ok;
}

/* Consonants and digits; the third is G, and what begins as an ISIN of some islands does is none. */
static bool figi_shape(const char *s)
{
    static const char *const taken[] = { "BS", "BM", "GG", "GB", "GH", "KY", "VG" };
    bool ok = is_letter(s[0]) && is_letter(s[1]) && s[2] == 'G' && is_digit(s[ID_SIZE - 1]);
    for (int i = 0; i < ID_SIZE - 1; i++)
        ok &= (is_letter(s[i]) || is_digit(s[i])) && !memchr("AEIOU", s[i], 5);
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) ok &= memcmp(s, taken[i], 2) != 0;
    return ok;
}

static void number_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const bool isin = d->at == AT(instrument.isin);
    const struct str s = fields_text(f, d->name, 0, ID_SIZE, false);
    struct str *out = isin ? &r->u.instrument.isin : &r->u.instrument.figi;
    if (!f->err && s.n) {
        const int check = s.n != ID_SIZE ? 0 : isin ? isin_check(s.p) : figi_check(s.p);
        if (s.n != ID_SIZE || !(isin ? isin_shape(s.p) : figi_shape(s.p)))
            fields_fail(f, "field \"%s\" needs 12 characters: %s, and a check digit", d->name,
                        isin ? "two letters, nine of A-Z 0-9"
                             : "consonants and digits with G third, such as BBG000B9XRY4");
        else if (s.p[ID_SIZE - 1] - '0' != check)
            fields_fail(f, "field \"%s\": the check digit of %.11s is %d, not %c", d->name, s.p,
                        check, s.p[ID_SIZE - 1]);
    }
    *out = fields_keep(f, s);
}

static void number_write(struct json_writer *w, const struct record_field *d,
                         const struct record *r)
{
    const struct str s = d->at == AT(instrument.isin) ? r->u.instrument.isin : r->u.instrument.figi;
    if (s.n) json_put_bytes(w, d->name, s.p, s.n);
}

static void number_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "12 characters with a check digit; default none");
}

static const struct field_type field_number = { number_read, number_write, number_describe };

/* ---- a permission: given, taken back, or not spoken of ---- */
static void permission_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    if (v.shape != FIELD_ABSENT && v.shape != FIELD_FLAG)
        fields_fail(f, "field \"%s\" must be true or false", d->name);
    r->u.instrument.negative_prices = v.shape != FIELD_FLAG ? 0 : v.flag ? 1 : -1;
}

static void permission_write(struct json_writer *w, const struct record_field *d,
                             const struct record *r)
{
    const int8_t said = r->u.instrument.negative_prices;
    if (said) json_put_bool(w, d->name, said > 0);
}

static void permission_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "`true` or `false`; default: as it was, at first `false`");
}

static const struct field_type field_permission = { permission_read, permission_write,
                                                    permission_describe };

static const struct record_field fields[] = {
    { .name = "symbol", .type = &field_symbol, .at = AT(instrument.symbol) },
    { .name = "issuer",
      .type = &field_text,
      .at = AT(instrument.issuer),
      .min = 1,
      .max = NAME_MAX_BYTES },
    { .name = "name",
      .type = &field_text,
      .at = AT(instrument.name),
      .max = TITLE_MAX,
      .about = "shown to 63 bytes" },
    { .name = "venue",
      .type = &field_text,
      .at = AT(instrument.venue),
      .max = CALENDAR_NAME_MAX,
      .about = "whose calendar its sessions go by, such as XNYS; default `engine.calendar`" },
    { .name = "negative_prices",
      .type = &field_permission,
      .at = AT(instrument.negative_prices),
      .about =
          "prices of 0 and below are data (oil, power, spreads, rates), from now on; it can be in no index. `false` takes it back, while its price is above 0" },
    { .name = "isin", .type = &field_number, .at = AT(instrument.isin) },
    { .name = "figi", .type = &field_number, .at = AT(instrument.figi) },
};

const struct record_type kind_instrument = { .about = "a symbol and its issuer", FIELDS(fields) };
