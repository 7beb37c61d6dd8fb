/* Authorization headers, and the cache that forgets within a second. */
#include "api/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void headers(void **state)
{
    (void)state;
    uint8_t random[KEY_RANDOM_SIZE] = { 1, 2, 3 };
    char text[KEY_TEXT_LEN + 1], line[200];
    struct key key;
    key_format(random, text);
    static const struct {
        const char *format;
        bool ok;
    } rows[] = {
        { "Bearer %s", true },   { "bearer %s", true },     { "Bearer   %s", true },
        { "%s", false },         { "Basic %s", false },     { "Bearer%s", false },
        { "Bearer %s ", false }, { "Bearer %.70s", false }, { "Bearer %sx", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(line, sizeof line, rows[i].format, text);
#pragma GCC diagnostic pop
        if (auth_header_key(line, &key) != rows[i].ok) fail_msg("row %zu", i);
    }
    assert_false(auth_header_key(NULL, &key));
    assert_false(auth_header_key("", &key));
    assert_false(auth_header_key("Bearer ", &key));
}

static void cache(void **state)
{
    (void)state;
    struct auth_cache c;
    assert_int_equal(auth_init(&c), ERR_OK);
    uint8_t random[KEY_RANDOM_SIZE] = { 9 };
    char text[KEY_TEXT_LEN + 1];
    struct key key, other;
    struct uuid tenant, want = uuid_random();
    key_format(random, text);
    assert_true(key_parse(text, KEY_TEXT_LEN, &key));
    assert_false(auth_cached(&c, &key, 1000, &tenant));
    c.slots[((size_t)key.sha256[0] << 8 | key.sha256[1]) % AUTH_SLOTS] =
        (struct auth_slot){ key, want, 1000 + AUTH_CACHE_NS };
    assert_true(auth_cached(&c, &key, 1000, &tenant));
    assert_true(uuid_equal(tenant, want));
    assert_true(auth_cached(&c, &key, 999 + AUTH_CACHE_NS, &tenant));
    assert_false(auth_cached(&c, &key, 1000 + AUTH_CACHE_NS, &tenant));
    other = key; /* the same slot and id, another secret */
    other.sha256[31] ^= 1;
    assert_false(auth_cached(&c, &other, 1000, &tenant));
    auth_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(headers), cmocka_unit_test(cache) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
