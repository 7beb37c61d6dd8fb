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
    size_t used = 0;
    out[0] = '\0';
    if (csv_open_bytes("f", text, n, columns, ARRAY_LEN(columns), &c, &why)) {
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
          "A;1;two\nlines/!f:4: 2 fields where the header has 3/" },
        { "\"symbol\",\"close\"\n\"\",\"\"\n", ";;/" },
        { "symbol,close\n\nA,1\n\n\n", "A;1;/" },
        { "symbol,close\nA,1,2\nB,2\n", "!f:2: 3 fields where the header has 2/B;2;/" },
        { "symbol,close\nA\"B,1\nC,2\n",
          "!f:2: a quote inside a field that does not begin with one/C;2;/" },
        { "symbol,close\n\"A\"B,1\nC,2\n", "!f:2: text after a closing quote/C;2;/" },
        { "symbol,close\nA,\"1\nB,2\n", "!f:2: a quote is never closed/" },
        { "symbol,close\nA,1\rB,2\nC,3\n", "!f:2: a carriage return that ends no line/C;3;/" },
        { "symbol,close\n\xff,1\nC,3\n", "!f:2: a field is not valid UTF-8 text/C;3;/" },
        { "symbol,close\n,\n", ";;/" },
        { "symbol,close\n", "" },
        { "", "!f:1: the file is empty; it needs a header line" },
        { "symbol,open\nA,1\n", "!f:1: the header has no column close" },
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

static void nul_is_refused(void **state)
{
    (void)state;
    char got[1000];
    static const char text[] = "symbol,close\nA\0B,1\nC,2\n";
    read_all(text, sizeof text - 1, got);
    assert_string_equal(got, "!f:2: a field is not valid UTF-8 text/C;2;/");
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
        cmocka_unit_test(nul_is_refused),
        cmocka_unit_test(every_prefix_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
