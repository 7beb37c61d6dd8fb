/* test_symbol.c - the characters of symbols and names. */
#include "ingest/symbol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define assert_symbol(symbol, text)                                                                \
    assert_memory_equal((symbol).s, ((char[SYMBOL_MAX + 1]){ text }), SYMBOL_MAX + 1)

static void symbols_are_padded_and_checked(void **state)
{
    (void)state;
    struct symbol s;
    memset(&s, 'x', sizeof s);
    assert_int_equal(symbol_from("BRK.B", 5, &s), ERR_OK);
    assert_symbol(s, "BRK.B");
    for (int c = 0; c < 256; c++) {
        char one = (char)c;
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                    || (c && strchr("._:/-", c));
        assert_int_equal(symbol_from(&one, 1, &s), good ? ERR_OK : ERR_INVALID);
    }
    assert_int_equal(symbol_from("", 0, &s), ERR_INVALID);
    assert_int_equal(symbol_from("ABCDEFGHIJKLMNO", 15, &s), ERR_OK);
    assert_symbol(s, "ABCDEFGHIJKLMNO");
    assert_int_equal(symbol_from("ABCDEFGHIJKLMNOP", 16, &s), ERR_INVALID);
    assert_symbol(s, "ABCDEFGHIJKLMNO"); /* a refusal leaves it alone */
}

static void names_are_symbols_without_slash_and_colon(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char text[3] = { 'a', (char)c, 'z' };
        struct symbol s;
        const bool good = symbol_from(text, 3, &s) == ERR_OK && c != '/' && c != ':';
        assert_int_equal(name_chars(text, 3), good);
    }
    assert_true(name_chars("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(symbols_are_padded_and_checked),
        cmocka_unit_test(names_are_symbols_without_slash_and_colon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
