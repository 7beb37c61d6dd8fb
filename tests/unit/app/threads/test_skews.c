/* test_skews.c - of each partition the newest trade counts, whoever else is in the batch; a new life takes the old one's place. */
#include "app/threads/skews.h"

#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct skews skews;
static struct source_names names;
static struct ingest_batch *batch;

static void life(int32_t source_id, const char *topic, int32_t part)
{
    const struct source_life one = { .source_id = source_id, .part = part, .topic = topic };
    assert_int_equal(source_names_add(&names, &one), ERR_OK);
}
static int begin(void **state)
{
    (void)state;
    skews_init(&skews);
    life(1, "ticks", 0);
    life(2, "ticks", 1);
    life(3, "late", 0);
    return ingest_batch_new(&batch);
}
static int end(void **state)
{
    (void)state;
    ingest_batch_free(batch);
    source_names_release(&names);
    skews_release(&skews);
    return 0;
}

/* A record whose event was at `event_ms` and whose message is of `sent_ms`. */
static void add(int32_t source_id, enum record_kind kind, int64_t event_ms, int64_t sent_ms)
{
    struct record *r = ingest_batch_record(batch);
    r->source_id = source_id, r->kind = kind;
    r->event_ns = event_ms * NS_PER_MS, r->received_ms = sent_ms;
    ingest_batch_mark(batch, source_id);
}
static void note(void)
{
    skews_note(&skews, &names, batch);
    ingest_batch_clear(batch);
}

static void print(void *ctx, const char *topic, int32_t part, int64_t skew_ms)
{
    char *out = ctx;
    sprintf(out + strlen(out), "%s/%d %lld\n", topic, (int)part, (long long)skew_ms);
}
static void expect(const char *want)
{
    char got[512] = "";
    skews_each(&skews, print, got);
    assert_string_equal(got, want);
}

static void the_newest_trade_of_each_counts(void **state)
{
    (void)state;
    expect("");
    add(1, RECORD_TRADE, 1000, 1007);
    add(2, RECORD_TRADE, 5000, 1007);
    add(1, RECORD_TRADE, 1001, 1010);
    add(3, RECORD_ARTICLE, 1, 1010); /* no trade: an article is of when it was written */
    note();
    expect("ticks/0 -9\nticks/1 3993\n");
    add(3, RECORD_TRADE, 2000, 4000);
    note();
    expect("ticks/0 -9\nticks/1 3993\nlate/0 -2000\n");
}

static void a_new_life_takes_the_place(void **state)
{
    (void)state;
    add(1, RECORD_TRADE, 1000, 1007);
    note();
    life(9, "ticks", 0);
    add(9, RECORD_TRADE, 1000, 1001);
    note();
    expect("ticks/0 -1\n");
}

/* Of a flood the end is looked at, and no more; what was known of the others stays. */
static void of_a_flood_the_end(void **state)
{
    (void)state;
    add(1, RECORD_TRADE, 1000, 1007);
    note();
    add(1, RECORD_TRADE, 1000, 2000);
    for (int i = 0; i < SKEW_LOOK; i++) add(2, RECORD_TRADE, 1000 + i, 1000);
    note();
    expect("ticks/0 -7\nticks/1 255\n");
}

/* Records of the service's own have no partition, and an unknown source none that could be named. */
static void what_has_no_partition(void **state)
{
    (void)state;
    add(0, RECORD_TRADE, 1000, 1007);
    add(77, RECORD_TRADE, 1000, 1007);
    note();
    expect("");
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = { STORY(the_newest_trade_of_each_counts),
                                        STORY(a_new_life_takes_the_place),
                                        STORY(of_a_flood_the_end), STORY(what_has_no_partition) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
