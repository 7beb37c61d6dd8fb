/* test_record.c - the list of kinds: what is stored about them never changes, and everything else
 * follows from the list. */
#include "ingest/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* As they stand in databases. A row here is never changed. */
static const struct {
    int number;
    const char *name;
    enum record_origin origin;
    enum record_place place;
    bool owned;
} stored[] = {
    { 1, "trade", ORIGIN_FEED, PLACE_TICK, false },
    { 2, "close", ORIGIN_FEED, PLACE_TICK, false },
    { 3, "clock", ORIGIN_FEED, PLACE_EVENT, false },
    { 4, "issuer", ORIGIN_FEED, PLACE_EVENT, false },
    { 5, "instrument", ORIGIN_FEED, PLACE_EVENT, false },
    { 6, "shares", ORIGIN_FEED, PLACE_EVENT, false },
    { 7, "index", ORIGIN_FEED, PLACE_EVENT, false },
    { 8, "membership", ORIGIN_FEED, PLACE_EVENT, false },
    { 9, "article", ORIGIN_FEED, PLACE_EVENT, false },
    { 10, "exposure", ORIGIN_FEED, PLACE_EVENT, false },
    { 11, "position", ORIGIN_FEED, PLACE_EVENT, true },
    { 12, "rule_put", ORIGIN_API, PLACE_EVENT, true },
    { 13, "rule_delete", ORIGIN_API, PLACE_EVENT, true },
    { 14, "track", ORIGIN_SERVICE, PLACE_EVENT, false },
    { 15, "settings", ORIGIN_SERVICE, PLACE_EVENT, false },
    { 16, "retraction", ORIGIN_FEED, PLACE_EVENT, false },
    { 17, "calendar", ORIGIN_FEED, PLACE_EVENT, false },
    { 18, "split", ORIGIN_FEED, PLACE_EVENT, false },
    { 19, "quality_release", ORIGIN_API, PLACE_EVENT, false },
    { 20, "rename", ORIGIN_FEED, PLACE_EVENT, false },
    { 21, "alias", ORIGIN_FEED, PLACE_EVENT, false },
    { 22, "dividend", ORIGIN_FEED, PLACE_EVENT, false },
    { 23, "spin_off", ORIGIN_FEED, PLACE_EVENT, false },
    { 24, "merger", ORIGIN_FEED, PLACE_EVENT, false },
    { 25, "delisting", ORIGIN_FEED, PLACE_EVENT, false },
    { 26, "refusal", ORIGIN_SERVICE, PLACE_EVENT, false },
    { 27, "issuer_rename", ORIGIN_FEED, PLACE_EVENT, false },
    { 28, "burst", ORIGIN_SERVICE, PLACE_EVENT, false },
    { 29, "history", ORIGIN_FEED, PLACE_EVENT, false },
};

static void what_is_stored_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stored); i++) {
        const enum record_kind k = (enum record_kind)stored[i].number;
        const struct record r = { .kind = k };
        assert_string_equal(record_kind_name(k), stored[i].name);
        assert_int_equal(record_origin(k), stored[i].origin);
        assert_int_equal(record_place(k), stored[i].place);
        assert_ptr_equal(record_owner(&r), stored[i].owned ? &r.u.tenant : NULL);
    }
}

static void names_are_different_words(void **state)
{
    (void)state;
    for (int k = 1; k < RECORD_KIND_COUNT; k++) {
        const char *name = record_kind_name((enum record_kind)k);
        assert_non_null(name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (int j = 1; j < k; j++)
            assert_string_not_equal(record_kind_name((enum record_kind)j), name);
    }
}

static void other_numbers_are_no_kind(void **state)
{
    (void)state;
    static const int numbers[] = { -1, 0, RECORD_KIND_COUNT, 32767, INT32_MIN };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        assert_null(record_kind_name((enum record_kind)numbers[i]));
}

static void an_owned_record_says_whose(void **state)
{
    (void)state;
    const struct uuid who = { { 7, 1 } };
    const struct record position = { .kind = RECORD_POSITION, .u.position = { .tenant = who } };
    const struct record rule = { .kind = RECORD_RULE_DELETE, .u.rule = { .tenant = who } };
    assert_true(uuid_equal(*record_owner(&position), who));
    assert_true(uuid_equal(*record_owner(&rule), who));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_stays),
        cmocka_unit_test(names_are_different_words),
        cmocka_unit_test(other_numbers_are_no_kind),
        cmocka_unit_test(an_owned_record_says_whose),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
