/* test_refusals.c - whose prices are refused: until the next that is taken, over a restart, and for indices nothing at all. */
#include "analytics/engine.h"
#include "analytics/picture.h"
#include "analytics/series.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000 };
static const int64_t NOW = 1709820000 * NS_PER_S;
static const struct uuid NOBODY;
static struct engine *e;

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static enum err apply(struct record r)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, NULL);
}
static void ok(struct record r) { assert_int_equal(apply(r), ERR_OK); }
static void trade(const char *s, int64_t dollars, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_TRADE, .event_ns = ns, .u.trade = { symbol(s), dollars * E8, 0 } });
}
static enum err refuse(const char *s, const char *why)
{
    return apply((struct record){
        .kind = RECORD_REFUSAL, .event_ns = NOW, .u.refusal = { symbol(s), str_of(why) } });
}
static void is(const char *text, double value, enum reading_status status)
{
    struct measure m;
    uint32_t no = SERIES_NONE;
    assert_int_equal(measure_parse(text, strlen(text), &m, NULL), ERR_OK);
    assert_int_equal(engine_track(e, NOBODY, &m, &no, NULL), ERR_OK);
    assert_int_equal(series_configure(engine_market(e), no), ERR_OK);
    const struct reading r = engine_reading(e, no);
    assert_string_equal(reading_status_name(r.status), reading_status_name(status));
    assert_true(r.value == value);
}

static int begin(void **state)
{
    (void)state;
    if (engine_new(&e)) return -1;
    ok((struct record){ .kind = RECORD_SETTINGS, .u.settings = { .meaning = MEANING_NOW } });
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str_of("X"), .base_e8 = 1000ll * E8 } });
    for (const char *s = "AB"; *s; s++) {
        const char name[] = { *s, '\0' };
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(name), .issuer = str_of(name) } });
        ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol(name), 100, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str_of("X"), symbol(name), true, 0 } });
        trade(name, 10, NOW);
    }
    return 0;
}
static int finish(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

static void until_the_next_price(void **state)
{
    (void)state;
    is("last(A)", 10, READING_OK);
    assert_int_equal(refuse("A", "first"), ERR_OK);
    assert_int_equal(refuse("A", "second"), ERR_OK);
    is("last(A)", 10, READING_REFUSED);
    is("last(B)", 10, READING_OK);
    is("hhi(X)", 5000, READING_OK);
    trade("A", 11, NOW);
    is("last(A)", 11, READING_OK);
    assert_int_equal(engine_market(e)->refused_n, 0);
}

/* One of 100,000 bytes, and an unknown symbol's. */
static void any_reason_and_symbol(void **state)
{
    (void)state;
    char *big = malloc(100001);
    memset(big, 'x', 100000);
    big[100000] = '\0';
    assert_int_equal(refuse("A", big), ERR_OK);
    free(big);
    assert_int_equal(strlen(engine_market(e)->instruments[0].refused_why), REFUSED_WHY_MAX);
    assert_int_equal(refuse("NOPE", "x"), ERR_UNKNOWN_SYMBOL);
    assert_int_equal(engine_market(e)->refused_n, 1);
}

static void others_see_it_in_the_picture(void **state)
{
    (void)state;
    is("last(A)", 10, READING_OK);
    is("last(B)", 10, READING_OK);
    assert_int_equal(refuse("A", "first"), ERR_OK);
    assert_int_equal(refuse("A", "second"), ERR_OK);
    struct picture_list *l = picture_list_new(engine_market(e), NULL, 0);
    struct picture *p = picture_new(engine_market(e), l);
    struct picture_row row;
    assert_true(picture_find(p, NOBODY, "last(A)", &row));
    assert_string_equal(row.refusal->symbol, "A");
    assert_string_equal(row.refusal->why, "second");
    assert_int_equal(row.refusal->n, 2);
    assert_true(picture_find(p, NOBODY, "last(B)", &row));
    assert_null(row.refusal);
    assert_int_equal(p->refused_n, 1);
    picture_release(p);
    picture_list_release(l);
}

static void a_restart_knows_it(void **state)
{
    (void)state;
    is("last(A)", 10, READING_OK);
    assert_int_equal(refuse("A", "first"), ERR_OK);
    AUTO_BUF struct buf saved = { 0 };
    struct engine *loaded;
    size_t used;
    engine_save(e, &saved);
    assert_int_equal(engine_load(saved.data, saved.len, &loaded, &used, NULL), ERR_OK);
    engine_free(e);
    e = loaded;
    assert_int_equal(engine_market(e)->refused_n, 1);
    is("last(A)", 10, READING_REFUSED);
    trade("A", 11, NOW);
    is("last(A)", 11, READING_OK);
    assert_int_equal(engine_market(e)->refused_n, 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, finish)
int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(until_the_next_price),
        WITH(any_reason_and_symbol),
        WITH(others_see_it_in_the_picture),
        WITH(a_restart_knows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
