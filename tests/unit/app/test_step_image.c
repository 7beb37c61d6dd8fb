/* test_step_image.c - images that leave out what is as it was: whoever keeps the pages has the whole state at any time, as store/snapshots.c
 * does; and what is left out is nearly all of it. */
#include "app/step.h"
#include "core/arena.h"
#include "core/when.h"
#include "ingest/formats/json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct step step;
static struct arena arena;
static uint64_t seed;
static size_t alerts;
static bool plain; /* rules that fire as soon as they hold */

static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static void hear(void *ctx, const struct row_type *type, const void *row)
{
    (void)ctx;
    (void)row;
    alerts += type == &alert_row;
}

/* ---- who keeps the pages: as a snapshot in the database, the bytes that were here replace what was at their place ---- */
struct stored_part {
    char name[64];
    struct buf head, *pages;
    size_t pages_n;
};
static struct pages_kept {
    struct stored_part of[STATE_PARTS_MAX];
    size_t n, written, all; /* bytes of pages, of the image taken last */
    uint64_t seq;
} kept;

static void forget_all(void)
{
    for (size_t i = 0; i < kept.n; i++) {
        for (size_t k = 0; k < kept.of[i].pages_n; k++) buf_release(&kept.of[i].pages[k]);
        free(kept.of[i].pages);
        buf_release(&kept.of[i].head);
    }
    kept = (struct pages_kept){ 0 };
}

static void keep_part(struct stored_part *to, const struct state_image *m,
                      const struct state_image_part *from, bool old)
{
    struct buf *pages = calloc(from->pages_n + 1, sizeof *pages);
    size_t at = from->at;
    assert_non_null(pages);
    snprintf(to->name, sizeof to->name, "%s", from->name);
    buf_clear(&to->head);
    buf_put(&to->head, m->bytes.data + from->head_at, from->head_n);
    for (size_t i = 0; i < from->pages_n; i++) {
        const uint32_t n = from->pages[i].n;
        kept.all += n;
        if (from->pages[i].same) {
            assert_true(old && i < to->pages_n && to->pages[i].len == n);
            buf_put(&pages[i], to->pages[i].data, n);
            continue;
        }
        const char *bytes = m->bytes.data + at;
        const bool as_was = old && i < to->pages_n && to->pages[i].len == n
                            && memcmp(to->pages[i].data, bytes, n) == 0;
        if (!as_was) kept.written += n;
        buf_put(&pages[i], bytes, n);
        at += n;
    }
    for (size_t i = 0; i < to->pages_n; i++) buf_release(&to->pages[i]);
    free(to->pages);
    to->pages = pages;
    to->pages_n = from->pages_n;
}

static void keep_image(const struct state_image *m)
{
    const bool old = kept.n > 0;
    assert_true(m->since == 0 || m->since == kept.seq);
    assert_true(m->parts_n <= STATE_PARTS_MAX && (!old || kept.n == m->parts_n));
    kept.written = kept.all = 0;
    kept.n = m->parts_n;
    for (size_t i = 0; i < m->parts_n; i++) keep_part(&kept.of[i], m, &m->parts[i], old);
    kept.seq = engine_seq(step.engine);
}

static void take_image(void)
{
    struct state_image m = { 0 };
    assert_true(step_image(&step, &m));
    keep_image(&m);
    state_image_release(&m);
}

static void join(struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < kept.n; i++) {
        buf_put(out, kept.of[i].head.data, kept.of[i].head.len);
        for (size_t k = 0; k < kept.of[i].pages_n; k++)
            buf_put(out, kept.of[i].pages[k].data, kept.of[i].pages[k].len);
    }
    assert_true(buf_ok(out));
}

/* Whoever starts from the pages has the state; `go_on`: and is who goes on. */
static void assert_kept_is_the_state(bool go_on)
{
    AUTO_BUF struct buf pages = { 0 }, want = { 0 }, have = { 0 };
    struct step second;
    struct why why = { 0 };
    join(&pages);
    step_save(&step, &want);
    assert_int_equal(step_init(&second), ERR_OK);
    if (step_load(&second, pages.data, pages.len, &why)) fail_msg("%s", why.text);
    step_save(&second, &have);
    assert_int_equal(have.len, want.len);
    assert_memory_equal(have.data, want.data, want.len);
    if (!go_on) {
        step_release(&second);
        return;
    }
    struct state_image known = { 0 };
    assert_true(step_image_known(&second, kept.seq, &known));
    for (size_t i = 0; i < known.parts_n; i++)
        for (size_t k = 0; k < known.parts[i].pages_n; k++)
            assert_true(!known.parts[i].pages[k].same
                        || known.parts[i].pages[k].n == kept.of[i].pages[k].len);
    state_image_release(&known);
    if (!plain && upto(4) == 0) step_image_anew(&second);
    step_release(&step);
    step = second;
    step_hear(&step, &(struct step_sink){ .row = hear });
}

/* ---- a market ---- */
#define HOUR_NS (3600 * NS_PER_S)
enum { SYMBOLS = 40, LEVELS = 200, DAYS_BEFORE = 150 };
static const int32_t FIRST_DAY = 20000; /* 2024-10-04 */
static int32_t day;
static int price_of[SYMBOLS];
static int64_t ticks; /* one later than the other: a late one moves nothing */

static void must(enum err e, const struct why *why)
{
    if (e) fail_msg("%s: %s", err_name(e), why->text);
}

/* What the market has no use for (a close of a day that never was, a symbol that is taken) is refused, and changes nothing. */
PRINTF_LIKE(1, 2) static enum err apply(const char *format, ...)
{
    char text[400];
    struct record r = { 0 };
    struct why why = { 0 };
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    arena_clear(&arena);
    must(record_decode(text, (size_t)n, &arena, &r, &why), &why);
    return step_apply(&step, &r, &why);
}

static int64_t noon(int32_t of) { return of * (int64_t)NS_PER_DAY + NS_PER_DAY / 2; }
static const char *date(int32_t of)
{
    static char text[40];
    const struct civil c = civil_from_day(of);
    snprintf(text, sizeof text, "%04d-%02d-%02d", c.year, c.month, c.day);
    return text;
}

static void trade(int i, int cents)
{
    price_of[i] = cents;
    apply("{\"kind\":\"trade\",\"symbol\":\"S%02d\",\"price\":\"%d.%02d\",\"ts\":%" PRId64 "}", i,
          cents / 100, cents % 100, noon(day) + ++ticks);
}

static void end_day(void)
{
    apply("{\"kind\":\"clock\",\"session_end\":\"%s\",\"ts\":%" PRId64 "}", date(day),
          noon(day) + (int64_t)HOUR_NS);
    day++;
}

static void put_rule(uint32_t number)
{
    char text[300];
    struct record made;
    struct rule_draft draft;
    struct why why = { 0 };
    static const char *const more[] = { "", ",\"hold_s\":30", ",\"cooldown_s\":60",
                                        ",\"enabled\":false", ",\"on_create\":\"wait\"" };
    const uint32_t level = upto(LEVELS), level_clear = level - (level ? upto(2) : 0);
    const int n = snprintf(
        text, sizeof text,
        "{\"name\":\"%.*s\",\"rule\":\"last(S%02u) >= %u.%u\",\"clear\":\"%u.%u\"%s}",
        (int)upto(20), "a name as long as that", number % SYMBOLS, 100 + level / 10, level % 10,
        100 + level_clear / 10, level_clear % 10, plain ? "" : more[upto(ARRAY_LEN(more))]);
    const struct uuid tenant = { .b = { 1, (uint8_t)(number % 3) } },
                      id = uuid_derive(tenant, number, 0);
    arena_clear(&arena);
    must(rule_draft_read(text, (size_t)n, &draft, &why), &why);
    if (step_rule_put(&step, tenant, id, &draft, &arena, &made, &why)) return; /* delisted */
    must(step_apply_put(&step, &made, &draft, &why), &why);
}

static void drop_rule(uint32_t number)
{
    struct record r;
    const struct uuid tenant = { .b = { 1, (uint8_t)(number % 3) } },
                      id = uuid_derive(tenant, number, 0);
    if (!step_rule_delete(&step, tenant, id, &r, NULL))
        assert_int_equal(step_apply(&step, &r, NULL), ERR_OK);
}

static void begin_market(uint32_t rules)
{
    struct why why = { 0 };
    const struct market_settings settings = { .coverage_gate_e8 = 95000000,
                                              .meaning = MEANING_NOW };
    forget_all();
    alerts = 0;
    ticks = 0;
    day = FIRST_DAY;
    must(step_init(&step), &why);
    step_hear(&step, &(struct step_sink){ .row = hear });
    struct record r = step_settings(&step, &settings);
    must(step_apply(&step, &r, &why), &why);
    apply("{\"kind\":\"index\",\"index\":\"IX\",\"base\":1000,\"ts\":%" PRId64 "}", noon(day));
    for (int i = 0; i < SYMBOLS; i++) {
        apply("{\"kind\":\"instrument\",\"symbol\":\"S%02d\",\"issuer\":\"I%02d\",\"ts\":%" PRId64
              "}",
              i, i, noon(day));
        apply("{\"kind\":\"shares\",\"symbol\":\"S%02d\",\"shares\":1000,\"ts\":%" PRId64 "}", i,
              noon(day));
        apply("{\"kind\":\"membership\",\"index\":\"IX\",\"symbol\":\"S%02d\",\"ts\":%" PRId64 "}",
              i, noon(day));
    }
    for (int d = 0; d < DAYS_BEFORE; d++) {
        for (int i = 0; i < SYMBOLS; i++) trade(i, 11000 + (int)upto(200));
        end_day();
    }
    for (uint32_t i = 0; i < rules; i++) put_rule(i);
}

static void end_market(void)
{
    step_release(&step);
    arena_release(&arena);
    arena = (struct arena){ 0 };
    forget_all();
}

static void something_happens(uint32_t rules)
{
    const int i = (int)upto(SYMBOLS);
    switch (upto(40)) {
    case 0: end_day(); break;
    case 1: put_rule(upto(rules + 20)); break;
    case 2: drop_rule(upto(rules)); break;
    case 3: /* a close is corrected, or comes late: behind others of its instrument */
        apply(
            "{\"kind\":\"close\",\"symbol\":\"S%02d\",\"price\":\"%u\",\"date\":\"%s\",\"ts\":%" PRId64
            "}",
            i, 100 + upto(20), date(day - 1 - (int32_t)upto(12)), noon(day));
        break;
    case 4: /* said late: closes that were carried become its last price */
        if (upto(10) == 0)
            apply(
                "{\"kind\":\"delisting\",\"symbol\":\"S%02d\",\"effective\":\"%s\",\"price\":\"101\",\"ts\":%" PRId64
                "}",
                i, date(day - 3), noon(day));
        break;
    case 5:
        apply("{\"kind\":\"clock\",\"ts\":%" PRId64 "}", noon(day) + (int64_t)HOUR_NS / 2);
        break;
    case 6: /* another symbol: its rules are called otherwise */
        if (upto(10) == 0)
            apply("{\"kind\":\"rename\",\"symbol\":\"S%02d\",\"to\":\"T%02d\",\"ts\":%" PRId64 "}",
                  i, i, noon(day));
        break;
    default: trade(i, 9900 + (int)upto(2300)); break;
    }
}

static void stories_are_whole_at_any_time(void **state)
{
    (void)state;
    enum { STORIES = 6, RULES = 1400 }; /* three pages of rules */
    for (uint64_t story = 1; story <= STORIES; story++) {
        seed = story * 7919;
        begin_market(RULES);
        for (int i = 0; i < 60; i++) {
            for (uint32_t k = upto(60); k > 0; k--) something_happens(RULES);
            if (engine_seq(step.engine) == kept.seq || step_owes(&step)) continue;
            take_image();
            assert_kept_is_the_state(upto(5) == 0);
        }
        assert_true(alerts > 1000);
        end_market();
    }
}

/* Counted, not timed: of 20,000 rules one in a hundred changes its state, and each instrument has a price. */
static void what_has_not_changed_is_not_written(void **state)
{
    (void)state;
    enum { RULES = 20000 };
    seed = 20261130;
    plain = true;
    begin_market(RULES);
    for (int i = 0; i < SYMBOLS; i++) trade(i, 11005);
    take_image();
    assert_int_equal(kept.written, kept.all);
    assert_kept_is_the_state(false);
    for (int round = 0; round < 30; round++) {
        const size_t before = alerts;
        for (int i = 0; i < SYMBOLS; i++) trade(i, price_of[i] + 20);
        take_image();
        if (round % 5 == 0) assert_kept_is_the_state(round % 10 == 0);
        printf("%zu alerts; %zu of %zu bytes: %.2f %%\n", alerts - before, kept.written, kept.all,
               100.0 * (double)kept.written / (double)kept.all);
        assert_in_range(alerts - before, RULES / 200, RULES / 50);
        /* 2 % at first. What has moved since its page was written stands in rule_recent, which grows until pages are written anew,
         * a few of them with each image. */
        assert_true(kept.written * (round < 4 ? 50 : 12) <= kept.all);
    }
    /* One rule more, and one that is gone: the pages they are in. */
    put_rule(RULES);
    drop_rule(7);
    take_image();
    assert_kept_is_the_state(false);
    assert_true(kept.written * 10 <= kept.all);
    end_market();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_are_whole_at_any_time),
        cmocka_unit_test(what_has_not_changed_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
