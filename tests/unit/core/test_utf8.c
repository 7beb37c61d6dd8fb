/* test_utf8.c - RFC 3629, held against a decoder that works the other way round: encode every code point. */
#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The encoder of RFC 3629 section 3; 0 for what has no encoding. */
static size_t encode(uint32_t c, unsigned char out[4])
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (unsigned char)(0xC0 | c >> 6);
        out[1] = (unsigned char)(0x80 | (c & 63));
        return 2;
    }
    if (c >= 0xD800 && c <= 0xDFFF) return 0;
    if (c < 0x10000) {
        out[0] = (unsigned char)(0xE0 | c >> 12);
        out[1] = (unsigned char)(0x80 | (c >> 6 & 63));
        out[2] = (unsigned char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | c >> 18);
    out[1] = (unsigned char)(0x80 | (c >> 12 & 63));
    out[2] = (unsigned char)(0x80 | (c >> 6 & 63));
    out[3] = (unsigned char)(0x80 | (c & 63));
    return 4;
}

/* All code points are valid, cut short they are not; and of the 2^32 sequences of 4 bytes whose first is not ASCII no more are
 * valid than the encodings of one, two or more characters can be: counted for each pair of first bytes. */
static void every_code_point_and_nothing_else(void **state)
{
    (void)state;
    static unsigned char
        three[256 * 256 * 32]; /* a bit for every sequence of 3 bytes that encodes a character */
    static unsigned char two[256 * 32];
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        unsigned char s[4];
        size_t n = encode(c, s);
        if (n == 0) continue;
        if (!utf8_valid((const char *)s, n)) fail_msg("U+%04X", c);
        for (size_t cut = 1; cut < n; cut++)
            assert_int_equal(utf8_valid_prefix((const char *)s, cut), 0);
        if (n == 2) two[s[0] * 32 + s[1] / 8] |= (unsigned char)(1 << s[1] % 8);
        if (n == 3) three[(s[0] * 256 + s[1]) * 32 + s[2] / 8] |= (unsigned char)(1 << s[2] % 8);
    }
    for (int a = 0x80; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            char s[4] = { (char)a, (char)b, 0, 0 };
            bool want = two[a * 32 + b / 8] >> b % 8 & 1;
            if (utf8_valid(s, 2) != want) fail_msg("%02X %02X", a, b);
            for (int c = 0x80; c < 256; c++) {
                s[2] = (char)c;
                if (!want && utf8_valid(s, 3) != (three[(a * 256 + b) * 32 + c / 8] >> c % 8 & 1))
                    fail_msg("%02X %02X %02X", a, b, c);
            }
        }
}

static void prefix_ends_before_the_first_bad_byte(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t n, prefix;
    } rows[] = {
        { "", 0, 0 },
        { "plain", 5, 5 },
        { "a\0b", 3, 3 },
        { "ab\xFF"
          "cd",
          5, 2 },
        { "\xC3\xA9t\xC3", 4, 3 },
        { "\xC0\x80", 2, 0 },
        { "\xC1\xBF", 2, 0 }, /* overlong, 2 bytes */
        { "\xE0\x9F\xBF", 3, 0 },
        { "\xE0\xA0\x80", 3, 3 }, /* overlong and first, 3 bytes */
        { "\xF0\x8F\xBF\xBF", 4, 0 },
        { "\xF0\x90\x80\x80", 4, 4 },
        { "\xED\x9F\xBF", 3, 3 },
        { "\xED\xA0\x80", 3, 0 },
        { "\xED\xBF\xBF", 3, 0 },
        { "\xEE\x80\x80", 3, 3 }, /* around the surrogates */
        { "\xF4\x8F\xBF\xBF", 4, 4 },
        { "\xF4\x90\x80\x80", 4, 0 },
        { "\xF5\x80\x80\x80", 4, 0 }, /* around U+10FFFF */
        { "\xF8\x88\x80\x80\x80", 5, 0 },
        { "\x80", 1, 0 },
        { "\xEF\xBF\xBE", 3, 3 },
        { "\xF0\x9F\x93\x88!", 5, 5 },
        { "\xF0\x9F\x93"
          "a",
          4, 0 },
        { "\xF0\x9F"
          "aa",
          4, 0 },
        { "ok\xE2\x82", 4, 2 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *exact = malloc(rows[i].n + !rows[i].n);
        assert_non_null(exact);
        memcpy(exact, rows[i].s, rows[i].n);
        if (utf8_valid_prefix(exact, rows[i].n) != rows[i].prefix) fail_msg("row %zu", i);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_code_point_and_nothing_else),
                                        cmocka_unit_test(prefix_ends_before_the_first_bad_byte) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
