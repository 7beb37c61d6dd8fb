/* test_csv.c - what the CSV reader takes and what it refuses, and where it says the fault is. */
#include "app/import/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct csv_column columns[] = { { "symbol|Name", true },
                                             { "close", true },
                                             { "note", false } };

/* Rows as "a;b;c/" and errors as "!message/", in order. */
static void read_all(const void *text, size_t n, char out[1000])
{
    struct csv c;
    struct why why;
    struct dialect plain = dialect_plain;
    size_t used = 0;
    out[0] = '\0';
    if (csv_open_bytes("f", text, n, &plain, columns, ARRAY_LEN(columns), &c, &why)) {
        snprintf(out, 1000, "!%s", why.text);
        return;
    }
    for (bool more = true;;) {
        struct str f[3];
        if (csv_next(&c, f, &more, &why))
            used += (size_t)snprintf(out + used, 1000 - used, "!%s/", why.text);
        else if (!more) break;
        else
            used += (size_t)snprintf(out + used, 1000 - used, "%.*s;%.*s;%.*s/", (int)f[0].n,
                                     f[0].p, (int)f[1].n, f[1].p, (int)f[2].n, f[2].p);
    }
    csv_release(&c);
}

static void rows_and_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "symbol,close\nA,1\nB,2\n", "A;1;/B;2;/" },
        { "symbol,close\r\nA,1\r\n", "A;1;/" },
        { "symbol,close\nA,1", "A;1;/" },
        { "\xef\xbb\xbfsymbol,close\nA,1\n", "A;1;/" },
        { "Close,open,NAME\n1,9,A\n", "A;1;/" }, /* any order, any case, others ignored */
        { "symbol,close,note\nA,1,\"x, y\"\n", "A;1;x, y/" },
        { "symbol,close,note\nA,1,\"say \"\"hi\"\"\"\n", "A;1;say \"hi\"/" },
        { "symbol,close,note\nA,1,\"two\nlines\"\nB,x\n",
          "A;1;two\nlines/!f:4: 2 fields where the header has 3 (--skip-last 1 leaves out the last line)/" },
        { "\"symbol\",\"close\"\n\"\",\"\"\n", ";;/" },
        { "symbol,close\n\nA,1\n\n\n", "A;1;/" },
        { "symbol,close\nA,1,2\nB,2\n", "!f:2: 3 fields where the header has 2/B;2;/" },
        { "symbol,close\nA\"B,1\nC,2\n",
          "!f:2: a quote inside a field that does not begin with one/C;2;/" },
        { "symbol,close\n\"A\"B,1\nC,2\n", "!f:2: text after a closing quote/C;2;/" },
        { "symbol,close\nA,\"1\nB,2\n", "!f:2: a quote is never closed/" },
        { "symbol,close\nA,1\rB,2\nC,3\n",
          "!f:2: a carriage return that ends no line (--line-ends cr says that it does)/C;3;/" },
        { "symbol,close\n\xff,1\nC,3\n",
          "!f:2: a field is not valid UTF-8 text (--encoding says what it is)/C;3;/" },
        { "symbol,close\n,\n", ";;/" },
        { "symbol,close\n", "" },
        { "", "!f:1: the file is empty; it needs a header line" },
        { "symbol,open\nA,1\n",
          "!f:1: the header has no column close; it has 'symbol', 'open' (--column close=HEADER says which it is)" },
        { "symbol,close,Name\nA,1,B\n", "!f:1: the header has column symbol|Name twice" },
        { "symbol,\"close\n", "!f:1: a quote is never closed" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[1000];
        read_all(cases[i].text, strlen(cases[i].text), got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, got, cases[i].want);
    }
}

/* Text in a dialect, as rows or as what is wrong with it. */
static void read_as(struct dialect d, const char *text, size_t n, char out[1000])
{
    struct csv c;
    struct why why;
    size_t used = 0;
    if (!d.delimiter) d.delimiter = ',';
    if (csv_open_bytes("f", text, n, &d, columns, ARRAY_LEN(columns), &c, &why)) {
        snprintf(out, 1000, "!%s", why.text);
        return;
    }
    out[0] = '\0';
    for (bool more = true;;) {
        struct str f[3];
        if (csv_next(&c, f, &more, &why))
            used += (size_t)snprintf(out + used, 1000 - used, "!%s/", why.text);
        else if (!more) break;
        else
            used += (size_t)snprintf(out + used, 1000 - used, "%.*s@%ld:%ld/", (int)f[1].n, f[1].p,
                                     c.at[1].line, c.at[1].column);
    }
    csv_release(&c);
}

#define D(...) ((struct dialect){ .decimal = '.', .strip = "", __VA_ARGS__ })

/* Each option takes what is refused without it; and a field's place is its line and its character. */
static void dialects(void **state)
{
    (void)state;
    static const char utf16[] = "\xff\xfes\0y\0m\0b\0o\0l\0,\0c\0l\0o\0s\0e\0\n\0A\0,\0"
                                "1\0\n";
    const struct dialect close_is_price =
        D(.columns = { { .name = { "close", 5 }, .header = "Price" } }, .columns_n = 1);
    const struct {
        struct dialect d;
        const char *text;
        size_t n;
        const char *want;
    } cases[] = {
        { D(.cr_ends = true), "symbol,close\rA,1\rB,2", 0, "1@2:3/2@3:3/" },
        { D(.delimiter = ';'), "symbol;close\nA;1,5\n", 0, "1,5@2:3/" },
        { D(.delimiter = '\t'), "symbol\tclose\nA\t1\n", 0, "1@2:3/" },
        { D(), "symbol;close\nA;1\n", 0,
          "!f:1: the header has no column symbol; it has 'symbol;close' (--delimiter ';' says what is between fields)" },
        { D(), "symbol, close\nA, 1\n", 0,
          "!f:1: the header has no column close; it has 'symbol', ' close' (--trim leaves out the spaces around them)" },
        { D(.trim = true), " symbol , close\nA , \"1\"\n", 0, "1@2:5/" },
        { D(.trailing_delimiter = true), "symbol,close\nA,1,\nB,2\nC,3,4\n", 0,
          "1@2:3/2@3:3/!f:4: 3 fields where the header has 2 (--skip-last 1 leaves out the last line)/" },
        { D(), "symbol,close\nA,1,\nB,2\n", 0,
          "!f:2: 3 fields where the header has 2 (--trailing-delimiter lets a row end with one more)/2@3:3/" },
        { D(.skip_first = 2), "a\n\nsymbol,close\nA,1\n", 0, "1@4:3/" },
        { D(.skip_last = 1), "symbol,close\nA,1\n\nTotal: 1\n\n", 0, "1@2:3/" },
        { D(.skip_last = 9), "symbol,close\nA,1\n", 0,
          "!f:1: the file is empty; it needs a header line" },
        { D(.encoding = "utf-16"), utf16, sizeof utf16 - 1 + 1, "1@2:3/" },
        { D(), utf16, sizeof utf16 - 1 + 1,
          "!f:1: begins like UTF-16 text, not UTF-8 (--encoding utf-16 reads it)" },
        { D(.encoding = "utf-16"), utf16, sizeof utf16 - 2 + 1, "!f: byte 35 is not utf-16 text" },
        { D(.encoding = "windows-1252"), "symbol,close\nM\xfcller,1\n", 0, "1@2:8/" },
        { D(.encoding = "none"), "symbol,close\n", 0,
          "!f: no encoding is called none (iconv -l lists them)" },
        { D(), "symbol,close\nM\xc3\xbcller,1\n\"a\nb\",2\n", 0, "1@2:8/2@4:4/" },
        { close_is_price, "symbol,close,price\nA,1,2\n", 0, "2@2:5/" },
        { close_is_price, "symbol,close\nA,1\n", 0, "1@2:3/" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[1000];
        read_as(cases[i].d, cases[i].text, cases[i].n ? cases[i].n : strlen(cases[i].text), got);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", i, got, cases[i].want);
    }
}

static void nul_is_refused(void **state)
{
    (void)state;
    char got[1000];
    static const char text[] = "symbol,close\nA\0B,1\nC,2\n";
    read_all(text, sizeof text - 1, got);
    assert_string_equal(got,
                        "!f:2: a field is not valid UTF-8 text (--encoding says what it is)/C;2;/");
}

/* Every prefix of a file ends, and nothing is read behind it (the sanitizers look). */
static void every_prefix_ends(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbfsymbol,close,note\r\n\"A\"\"\",1,\"x\r\ny\"\r\nB,2,\xc3\xa4\r\n";
    for (size_t n = 0; n < sizeof text; n++) {
        char got[1000], *exact = malloc(n ? n : 1);
        memcpy(exact, text, n);
        read_all(exact, n, got);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_refusals),
        cmocka_unit_test(dialects),
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(every_prefix_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
