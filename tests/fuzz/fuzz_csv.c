/* fuzz_csv.c - any bytes as a price file in any dialect: reading ends, a field lies in the file and is UTF-8, its place is one
 * (lines from 1 that never go back, characters from 1), and a number that was read says the same when its exact value is written.
 *
 * The first two bytes choose the dialect; the rest is the file. */
#include "app/import/csv.h"

#include "core/decimal.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

static struct dialect choose(uint8_t a, uint8_t b)
{
    static const char *const dates[] = { NULL, "DD.MM.YYYY", "Mon DD, YYYY", "YYYYMMDD*" };
    static const char *const encodings[] = { NULL, NULL, "utf-16", "windows-1252" };
    struct dialect d = dialect_plain;
    d.delimiter = ",;\t|"[a & 3];
    d.decimal = ".,"[a >> 2 & 1];
    d.thousands = (const char[]){ '\0', d.decimal == '.' ? ',' : '.', ' ', '\'' }[a >> 3 & 3];
    d.trim = a >> 5 & 1;
    d.trailing_delimiter = a >> 6 & 1;
    d.cr_ends = a >> 7 & 1;
    d.skip_first = b & 3;
    d.skip_last = b >> 2 & 1;
    d.dates = dates[b >> 3 & 3];
    d.encoding = encodings[b >> 5 & 3];
    if (b >> 7) {
        d.columns[0].name = (struct str){ "close", 5 };
        d.columns[0].header = "Price";
        d.columns_n = 1;
        d.strip = "$";
    }
    return d;
}

static void check_number(const struct dialect *d, struct str s)
{
    struct number n, again;
    char fault[FAULT_MAX] = "", text[DECIMAL_TEXT_MAX];
    int64_t e8, same;
    double change;
    if (dialect_number(d, s, &n, fault) != NUMBER_READ) {
        if (!fault[0]) abort();
        return;
    }
    if (number_round(&n, 1000000, &e8, &change) && (e8 % 1000000 || change < 0)) abort();
    if (!number_e8(&n, &e8)) return;
    const struct str plain = { text, (uint32_t)decimal_format(e8, text) };
    if (dialect_number(&dialect_plain, plain, &again, fault) != NUMBER_READ
        || !number_e8(&again, &same) || same != e8)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct csv_column columns[] = { { "date", true },
                                                 { "close", true },
                                                 { "symbol|name", false } };
    if (n < 2 || n > 20000) return 0;
    struct dialect d = choose(data[0], data[1]);
    struct csv c;
    struct why why = { 0 };
    if (csv_open_bytes("f", data + 2, n - 2, &d, columns, ARRAY_LEN(columns), &c, &why)) {
        if (!why.text[0]) abort();
        return 0;
    }
    long line = 0;
    size_t rows = 0;
    for (bool more = true;; rows++) {
        struct str f[ARRAY_LEN(columns)];
        char fault[FAULT_MAX];
        int32_t day;
        if (rows > 4 * n + 16) abort();
        if (csv_next(&c, f, &more, &why)) continue;
        if (!more) break;
        if (c.line < line) abort();
        line = c.line;
        for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
            if (!utf8_valid(f[i].p, f[i].n) || (!c.has[i] && f[i].n)) abort();
            if (c.has[i]
                && (f[i].p < c.bytes || f[i].p + f[i].n > c.end || c.at[i].line < c.line
                    || c.at[i].column < 1))
                abort();
        }
        check_number(&d, f[1]);
        if (dialect_date(&d, f[0], &day, fault) && day == NO_DAY) abort();
    }
    csv_release(&c);
    return 0;
}
