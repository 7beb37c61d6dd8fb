/* test_prices.c - prices of 0 and below, of instruments that may have them: crude oil in April 2020, and who may not. */
#include "analytics/engine.h"
#include "analytics/series.h"

#include "core/when.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000, DAY0 = 18369 }; /* 2020-04-17, a Friday */
static const struct uuid NOBODY, OWNER = { { 7 } };
static struct engine *e;
static struct why why;

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static int64_t at(int day, int hour) { return (DAY0 + day) * NS_PER_DAY + hour * 3600 * NS_PER_S; }
static enum err apply(struct record r)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, &why);
}
static void ok(struct record r)
{
    if (apply(r)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}
static struct record instrument(const char *s, int8_t negative_prices)
{
    return (struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(s),
                                              .issuer = str_of(s),
                                              .name = str_of(""),
                                              .negative_prices = negative_prices } };
}
static struct record trade(const char *s, double price, int64_t ns)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = ns,
                            .u.trade = { symbol(s), llround(price * E8), 0 } };
}
static struct record official(const char *s, double price, int day, int64_t ns)
{
    return (struct record){ .kind = RECORD_CLOSE,
                            .event_ns = ns,
                            .u.close = { symbol(s), llround(price * E8), DAY0 + day } };
}
static struct record member(const char *s, bool is)
{
    return (struct record){ .kind = RECORD_MEMBERSHIP,
                            .event_ns = at(0, 9),
                            .u.membership = { str_of("X"), symbol(s), is, 0 } };
}
static void end(int day)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = at(day, 21), .u.clock = { .session_end = DAY0 + day } });
}
static struct reading reading(struct uuid tenant, const char *text)
{
    struct measure m;
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why) || engine_track(e, tenant, &m, &no, &why))
        fail_msg("%s: %s", text, why.text);
    if (series_configure(engine_market(e), no)) fail_msg("%s", text);
    return engine_reading(e, no);
}
/* Exactly: each value is a fraction of two decimals, or one of them. */
static void is(const char *text, double want)
{
    const struct reading r = reading(NOBODY, text);
    if (r.status != READING_OK || r.value != want)
        fail_msg("%s is %.17g (%s), wanted %.17g", text, r.value, reading_status_name(r.status),
                 want);
}
static void is_not(const char *text, enum reading_status because)
{
    const struct reading r = reading(NOBODY, text);
    if (r.status != because || !isnan(r.value))
        fail_msg("%s is %.17g (%s)", text, r.value, reading_status_name(r.status));
}

static int oil_and_a_stock(void **state)
{
    (void)state;
    assert_int_equal(engine_new(&e), ERR_OK);
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok(instrument("CL", true));
    ok(instrument("A", false));
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str_of("X"), .name = str_of(""), .base_e8 = E8 } });
    return 0;
}
static int done(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

/* 18.27 on Friday, -37.63 on Monday, 10.01 on Tuesday: what fell below 0 fell by 100 * 55.9 / 18.27 %, and from there no
 * per cent leads back; of the absolute value of then, as change counts, it rose by 476400.0 / 3763. */
static void a_price_below_0_is_a_price(void **state)
{
    (void)state;
    is_not("last(CL)", READING_NO_DATA);
    is_not("change(last(CL), unit=pct)", READING_NO_DATA);
    is_not("min(last(CL), over=1d)", READING_NO_DATA);
    ok(official("CL", 18.27, 0, at(0, 20)));
    end(0);
    is("last(CL)", 18.27);
    ok(trade("CL", 10.01, at(3, 14)));
    ok(trade("CL", 0, at(3, 15)));
    is("last(CL)", 0);
    is("ret(CL)", -100);
    ok(trade("CL", -37.63, at(3, 18)));
    is("last(CL)", -37.63);
    is("ret(CL)", -559000.0 / 1827);
    is("min(last(CL), over=1d)", -37.63);
    ok(official("CL", -37.63, 3, at(3, 20)));
    end(3);
    is("ret(CL)", -559000.0 / 1827);
    ok(trade("CL", 10.01, at(4, 14)));
    is("last(CL)", 10.01);
    is_not("ret(CL)", READING_NO_BASE);
    is_not("max(ret(CL))", READING_NO_BASE);
    assert_true(fabs(reading(NOBODY, "change(last(CL), unit=pct)").value - 476400.0 / 3763)
                < 1e-13);
    is("ret(CL, window=all)", -82600.0 / 1827);
    end(4);
    ok(trade("CL", 11.011, at(5, 14)));
    is("ret(CL)", 10);
}

/* 0 is a close like another: it waits for the end, is kept, corrected, and no base. */
static void a_close_of_0_is_a_close(void **state)
{
    (void)state;
    ok(trade("CL", 5, at(0, 14)));
    ok(official("CL", 0, 0, at(0, 20)));
    is("last(CL)", 5);
    end(0);
    is("last(CL)", 0);
    ok(trade("CL", 0, at(3, 14)));
    is("last(CL)", 0);
    is_not("ret(CL)", READING_NO_BASE);
    ok(official("CL", -4, 0, at(3, 15)));
    is_not("ret(CL)", READING_NO_BASE);
    ok(official("CL", 4, 0, at(3, 16)));
    is("ret(CL)", -100);
    ok(trade("CL", -1, at(3, 13)));
    is("last(CL)", 0); /* late: a price of 0 stands there */
}

static void without_permission_it_is_refused_and_nothing_changes(void **state)
{
    (void)state;
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    ok(trade("A", 1, at(0, 14)));
    engine_save(e, &before);
    const double prices[] = { 0, -0.00000001, -37.63 };
    for (size_t i = 0; i < ARRAY_LEN(prices); i++) {
        assert_int_equal(apply(trade("A", prices[i], at(3, 14))), ERR_INVALID);
        assert_non_null(strstr(why.text, "instrument record of it says \"negative_prices\":true"));
        assert_int_equal(apply(official("A", prices[i], 3, at(3, 14))), ERR_INVALID);
        const struct record later = trade("A", prices[i], at(3, 14));
        struct presumed_end none;
        assert_false(engine_presumes_end(e, &later, &none));
    }
    assert_non_null(strstr(why.text, "price -37.63 of A"));
    engine_save(e, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    ok(instrument("A", true));
    ok(instrument("A", 0)); /* says nothing about it */
    ok(trade("A", -37.63, at(3, 14)));
    is("last(A)", -37.63);
}

/* While its price is above 0 an explicit false takes it back: then it is as if it had never been, but for what is stored. */
static void taken_back(void **state)
{
    (void)state;
    ok(trade("CL", -5, at(0, 14)));
    assert_int_equal(apply(instrument("CL", -1)), ERR_INVALID);
    assert_string_equal(
        why.text,
        "the price of CL stands at -5: negative_prices can be taken back when it is above 0");
    ok(trade("CL", 5, at(0, 15)));
    ok(official("CL", 0, 0, at(0, 16))); /* waits for its session's end */
    assert_int_equal(apply(instrument("CL", -1)), ERR_INVALID);
    assert_non_null(strstr(why.text, "stands at 0:"));
    end(0);
    ok(trade("CL", 8, at(3, 14)));
    ok(instrument("CL", -1));
    is("last(CL)", 8);
    is_not("ret(CL)", READING_NO_BASE); /* the close of 0 was one */
    assert_int_equal(apply(trade("CL", -1, at(3, 15))), ERR_INVALID);
    assert_non_null(strstr(why.text, "\"negative_prices\":true"));
    ok(member("CL", true));
    end(3);
    ok(trade("CL", 10, at(4, 14)));
    is("ret(CL)", 25);
    assert_int_equal(apply(instrument("CL", 1)), ERR_INVALID); /* it is in an index */
}

static void it_is_in_no_index(void **state)
{
    (void)state;
    assert_int_equal(apply(member("CL", true)), ERR_INVALID);
    assert_non_null(strstr(why.text, "CL may have prices of 0 and below"));
    ok(member("A", true));
    assert_int_equal(apply(instrument("A", true)), ERR_INVALID);
    assert_non_null(strstr(why.text, "end its memberships"));
    assert_int_equal(apply(trade("A", -1, at(0, 14))), ERR_INVALID);
    ok(member("A", false));
    ok(instrument("A", true));
    ok(trade("A", -1, at(0, 14)));
    assert_int_equal(apply(member("A", true)), ERR_INVALID);
}

/* A session in which it counted has no close of 0 or below: levels that were right stay. */
static void a_session_in_which_it_counted_keeps_its_level(void **state)
{
    (void)state;
    ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol("A"), 100, E8, NO_DAY } });
    ok(member("A", true));
    ok(trade("A", 10, at(0, 14)));
    end(0);
    ok(member("A", false));
    ok(instrument("A", true));
    ok(official("A", -10, 0, at(0, 22)));
    const struct market *m = engine_market(e);
    assert_true(m->universes[0].days_n == 1 && m->universes[0].days[0].level == 1);
    is("last(A)", -10);
}

/* metrics.md 8: of gross, where what is owed counts as what is owned. 2 CL at -30 are 60, 3 A at 20 are 60: half of each. */
static void a_book_counts_what_it_owes(void **state)
{
    (void)state;
    const struct {
        const char *s;
        double price;
        int64_t quantity;
    } held[] = { { "CL", -30, 2 }, { "A", 20, -3 } };
    for (int i = 0; i < 2; i++) {
        ok(trade(held[i].s, held[i].price, at(0, 14)));
        ok((struct record){ .kind = RECORD_POSITION,
                            .event_ns = at(0, 14),
                            .u.position = { .tenant = OWNER,
                                            .book = str_of("b"),
                                            .symbol = symbol(held[i].s),
                                            .quantity_e8 = held[i].quantity * E8 } });
    }
    ok((struct record){ .kind = RECORD_EXPOSURE,
                        .event_ns = at(0, 14),
                        .u.exposure = { .issuer = str_of("CL"),
                                        .theme = str_of("AI"),
                                        .source = str_of(""),
                                        .value_e8 = E8,
                                        .effective_day = DAY0 } });
    const struct reading r = reading(OWNER, "ai_exposure(book:b)");
    assert_true(r.status == READING_OK && r.value == 0.5);
}

static void a_saved_price_of_0_is_one(void **state)
{
    (void)state;
    AUTO_BUF struct buf saved = { 0 }, again = { 0 };
    size_t used;
    ok(trade("CL", 0, at(0, 14)));
    ok(official("CL", 0, 0, at(0, 20)));
    engine_save(e, &saved);
    engine_free(e);
    e = NULL;
    if (engine_load(saved.data, saved.len, &e, &used, &why)) fail_msg("%s", why.text);
    engine_save(e, &again);
    assert_int_equal(saved.len, again.len);
    assert_memory_equal(saved.data, again.data, saved.len);
    is("last(CL)", 0);
    is_not("last(A)", READING_NO_DATA);
    ok(trade("CL", 7, at(0, 15)));
    end(0);
    is("last(CL)", 0); /* of the close that waited, which is later */
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, oil_and_a_stock, done)
    const struct CMUnitTest tests[] = {
        STORY(a_price_below_0_is_a_price),
        STORY(a_close_of_0_is_a_close),
        STORY(without_permission_it_is_refused_and_nothing_changes),
        STORY(taken_back),
        STORY(it_is_in_no_index),
        STORY(a_session_in_which_it_counted_keeps_its_level),
        STORY(a_book_counts_what_it_owes),
        STORY(a_saved_price_of_0_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
