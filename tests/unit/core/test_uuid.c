/* test_uuid.c - text in and out, versions and variants of RFC 9562, and that derived ids never change. */
#include "core/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NIL "00000000-0000-0000-0000-000000000000"

static struct uuid parsed(const char *text)
{
    struct uuid u;
    if (uuid_parse(text, strlen(text), &u)) fail_msg("%s", text);
    return u;
}

static void text_in_and_out(void **state)
{
    (void)state;
    char text[UUID_TEXT];
    struct uuid u = parsed("f81D4fae-7dec-11d0-a765-00a0c91e6BF6"); /* RFC 4122's own */
    static const uint8_t want[16] = { 0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0,
                                      0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6 };
    assert_memory_equal(u.b, want, 16);
    uuid_format(u, text);
    assert_string_equal(text, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    assert_true(uuid_is_none(parsed(NIL)));
    assert_false(uuid_is_none(u));
    assert_false(uuid_equal(u, parsed(NIL)));
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "f81d4fae",
        "f81d4fae7dec11d0a76500a0c91e6bf6",
        "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf",
        "00000000-0000-0000-0000-0000000000000",
        " 0000000-0000-0000-0000-000000000000",
        "f81d4fag-7dec-11d0-a765-00a0c91e6bf6",
        "f81d4fae-7dec-11d0-a76500a0c91e6bf6--",
        "f81d4fae-7dec-11d0-a765 00a0c91e6bf6",
        "-81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct uuid u = parsed("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), was = u;
        if (uuid_parse(rows[i], strlen(rows[i]), &u) != ERR_INVALID || !uuid_equal(u, was))
            fail_msg("%s", rows[i]);
    }
}

static void random_ones_are_version_4(void **state)
{
    (void)state;
    struct uuid all[100];
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i] = uuid_random();
        assert_int_equal(all[i].b[6] >> 4, 4);
        assert_int_equal(all[i].b[8] >> 6, 2);
        for (size_t k = 0; k < i; k++) assert_false(uuid_equal(all[i], all[k]));
    }
}

static void derived_ones_are_a_pure_function(void **state)
{
    (void)state;
    const struct uuid a = parsed("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"), nil = parsed(NIL);
    const struct uuid one = uuid_derive(a, 1, 2);
    assert_true(uuid_equal(one, uuid_derive(a, 1, 2)));
    assert_int_equal(one.b[6] >> 4, 8);
    assert_int_equal(one.b[8] >> 6, 2);
    assert_false(uuid_equal(one, uuid_derive(a, 2, 1)));
    assert_false(uuid_equal(one, uuid_derive(nil, 1, 2)));

    /* stored alerts carry such ids: these texts may never change; worked out by a second implementation, in Python */
    char text[UUID_TEXT];
    uuid_format(one, text);
    assert_string_equal(text, "d7414ccf-5217-85e1-8829-35ae52f5c538");
    uuid_format(uuid_derive(nil, 0, 0), text);
    assert_string_equal(text, "ed15314b-7101-81c5-9c56-73bd948074a4");
}

static int by_bytes(const void *a, const void *b) { return memcmp(a, b, sizeof(struct uuid)); }

/* Every bit of every input matters: 2^17 neighbours, no two alike. */
static void derived_ones_do_not_collide(void **state)
{
    (void)state;
    enum { N = 1 << 17 };
    struct uuid *all = malloc(N * sizeof *all);
    assert_non_null(all);
    size_t n = 0;
    for (int byte = 0; byte < 16; byte++)
        for (int bit = 0; bit < 8; bit++)
            for (uint64_t x = 0; x < 32; x++)
                for (uint64_t y = 0; y < 32; y++) {
                    struct uuid a = { { 0 } };
                    a.b[byte] = (uint8_t)(1 << bit);
                    all[n++] = uuid_derive(a, x << 32, y);
                }
    assert_int_equal(n, N);
    qsort(all, n, sizeof *all, by_bytes);
    for (size_t i = 1; i < n; i++) assert_false(uuid_equal(all[i - 1], all[i]));
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_in_and_out),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(random_ones_are_version_4),
        cmocka_unit_test(derived_ones_are_a_pure_function),
        cmocka_unit_test(derived_ones_do_not_collide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
