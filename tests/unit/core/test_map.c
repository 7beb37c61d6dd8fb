/* test_map.c - every key is found again, and only those, however hashes collide. */
#include "core/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 20000 };
static uint32_t keys[N];

static bool is(const void *ctx, uint32_t v, const void *key)
{
    return ((const uint32_t *)ctx)[v] == *(const uint32_t *)key;
}

static void fill(uint64_t (*hash)(uint32_t), uint32_t n)
{
    struct map m = { 0 };
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = i * 2654435761u;
        assert_int_equal(map_find(&m, hash(keys[i]), is, keys, &keys[i]), MAP_NONE);
        assert_true(map_add(&m, hash(keys[i]), i));
    }
    assert_int_equal(m.n, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t absent = keys[i] + 1;
        assert_int_equal(map_find(&m, hash(keys[i]), is, keys, &keys[i]), i);
        assert_int_equal(map_find(&m, hash(absent), is, keys, &absent), MAP_NONE);
    }
    map_release(&m);
    assert_int_equal(m.n, 0);
    map_release(&m);
}

static uint64_t good(uint32_t k) { return map_hash(&k, sizeof k); }
static uint64_t high_bits_only(uint32_t k) { return (uint64_t)k << 32; }
static uint64_t three_values(uint32_t k) { return k % 3 + UINT32_MAX - 1ull; }

static void good_hashes(void **state) { (void)state, fill(good, N); }
static void hashes_that_all_collide(void **state)
{
    (void)state, fill(high_bits_only, 800), fill(three_values, 800);
}

/* What is taken out is gone, and all else is found: in a table that is as full as tables get, with chains that run over its end. */
static void take_out(uint64_t (*hash)(uint32_t), uint32_t n)
{
    struct map m = { 0 };
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = i * 2654435761u;
        assert_true(map_add(&m, hash(keys[i]), i));
    }
    for (uint32_t i = 0; i < n; i += 3) map_remove(&m, hash(keys[i]), i);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(map_find(&m, hash(keys[i]), is, keys, &keys[i]), i % 3 ? i : MAP_NONE);
    assert_int_equal(m.n, n - (n + 2) / 3);
    for (uint32_t i = 0; i < n; i += 3) assert_true(map_add(&m, hash(keys[i]), i));
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(map_find(&m, hash(keys[i]), is, keys, &keys[i]), i);
    for (uint32_t i = 0; i < n; i++) map_remove(&m, hash(keys[i]), i);
    assert_int_equal(m.n, 0);
    for (size_t i = 0; i < m.cap; i++) assert_int_equal(m.slots[i].value, MAP_NONE);
    map_release(&m);
}

static void what_is_removed_is_gone(void **state)
{
    (void)state;
    take_out(good, 64 * 128);
    take_out(high_bits_only, 256);
    take_out(three_values, 256);
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct map m = { 0 };
    uint32_t key = 1;
    assert_int_equal(map_find(&m, 0, is, keys, &key), MAP_NONE);
    map_release(&m);
}

/* Every byte and the length count, and the address does not. */
static void hashes_depend_on_the_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        char *a = calloc(n + 1, 1), *b = calloc(n + 9, 1);
        assert_true(a && b);
        assert_true(map_hash(a, n) == map_hash(b + 1, n));
        if (n) assert_true(map_hash(a, n) != map_hash(a, n - 1));
        for (size_t i = 0; i < n; i++) {
            uint64_t was = map_hash(a, n);
            a[i] ^= 1;
            assert_true(map_hash(a, n) != was);
            a[i] ^= 1;
        }
        free(a);
        free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(good_hashes),
                                        cmocka_unit_test(hashes_that_all_collide),
                                        cmocka_unit_test(what_is_removed_is_gone),
                                        cmocka_unit_test(an_empty_map_has_nothing),
                                        cmocka_unit_test(hashes_depend_on_the_bytes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
