/* test_picture.c - a tenant finds everybody's measures and those it has a rule on, and no one else's. */
#include "analytics/picture.h"

#include "analytics/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct uuid NOBODY, A = { { 1 } }, B = { { 2 } };

static void ok(struct engine *e, struct record r)
{
    struct why why = { 0 };
    r.seq = engine_seq(e) + 1;
    if (engine_apply(e, &r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}

static uint32_t track(struct engine *e, struct uuid tenant, const char *text)
{
    struct measure m;
    uint32_t no;
    assert_int_equal(measure_parse(text, strlen(text), &m, NULL), ERR_OK);
    assert_int_equal(engine_track(e, tenant, &m, &no, NULL), ERR_OK);
    return no;
}

/* X with Y and Z in it, priced; hhi(X) is X's own. */
static struct engine *market(void)
{
    struct engine *e;
    assert_int_equal(engine_new(&e), ERR_OK);
    ok(e, (struct record){
              .kind = RECORD_INDEX,
              .u.index = { .index = str_of("X"), .name = str_of(""), .base_e8 = 100000000000 } });
    for (int i = 0; i < 2; i++) {
        struct symbol s = { { i ? 'Z' : 'Y' } };
        ok(e, (struct record){
                  .kind = RECORD_INSTRUMENT,
                  .u.instrument = { .symbol = s, .issuer = str_of(s.s), .name = str_of("") } });
        ok(e, (struct record){ .kind = RECORD_SHARES, .u.shares = { s, 100, 100000000, NO_DAY } });
        ok(e, (struct record){ .kind = RECORD_MEMBERSHIP,
                               .u.membership = { str_of("X"), s, true, 0 } });
        ok(e, (struct record){ .kind = RECORD_TRADE,
                               .event_ns = 1 + i,
                               .u.trade = { s, 700000000 * (1 + 2 * i), 0 } });
    }
    return e;
}

static void each_sees_its_own(void **state)
{
    (void)state;
    struct engine *e = market();
    const struct viewer viewers[] = {
        { A, track(e, NOBODY, "last(Y)") },        { B, track(e, NOBODY, "last(Z)") },
        { A, track(e, A, "ai_exposure(book:g)") }, { B, track(e, B, "ai_exposure(book:g)") },
        { A, track(e, NOBODY, "hhi(X)") }, /* a rule on what everybody sees adds nothing */
    };
    track(e, NOBODY, "ret(Y)"); /* nobody's to see */
    struct picture_list *list = picture_list_new(engine_market(e), viewers, ARRAY_LEN(viewers));
    struct picture *p = picture_new(engine_market(e), list);
    static const struct {
        int tenant;
        const char *measure;
        bool seen;
    } cases[] = { { 0, "hhi(X)", true },
                  { 0, "last(Y)", false },
                  { 0, "ai_exposure(book:g)", false },
                  { 1, "hhi(X)", true },
                  { 1, "last(Y)", true },
                  { 1, "last(Z)", false },
                  { 1, "ai_exposure(book:g)", true },
                  { 1, "ret(Y)", false },
                  { 2, "last(Z)", true },
                  { 2, "last(Y)", false },
                  { 2, "ai_exposure(book:g)", true },
                  { 2, "nope", false },
                  { 1, "", false },
                  { 3, "last(Y)", false } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct picture_row row = { 0 };
        bool got =
            picture_find(p, (struct uuid){ { (uint8_t)cases[i].tenant } }, cases[i].measure, &row);
        if (got != cases[i].seen)
            fail_msg("tenant %d, %s: %d", cases[i].tenant, cases[i].measure, got);
        if (got) assert_string_equal(row.measure, cases[i].measure);
    }
    struct picture_row row;
    assert_true(picture_find(p, A, "last(Y)", &row) && row.reading.value == 7);
    assert_string_equal(row.unit, "USD");
    assert_true(picture_find(p, NOBODY, "hhi(X)", &row) && row.reading.value == 6250);
    picture_list_release(list);
    picture_release(p);
    engine_free(e);
}

struct seen {
    size_t n;
    const char *texts[40];
};
static void note(void *ctx, const struct picture_row *row)
{
    struct seen *s = ctx;
    s->texts[s->n++] = row->measure;
}

static void all_are_everybodys_then_ones_own(void **state)
{
    (void)state;
    struct engine *e = market();
    const struct viewer viewers[] = { { B, track(e, NOBODY, "last(Z)") },
                                      { A, track(e, NOBODY, "ret(Y)") },
                                      { A, track(e, NOBODY, "last(Y)") } };
    struct picture_list *list = picture_list_new(engine_market(e), viewers, ARRAY_LEN(viewers));
    struct picture *p = picture_new(engine_market(e), list);
    struct seen nobody = { 0 }, a = { 0 };
    picture_each(p, NOBODY, note, &nobody);
    picture_each(p, A, note, &a);
    assert_int_equal(a.n, nobody.n + 2);
    for (size_t i = 1; i < nobody.n; i++)
        assert_true(strcmp(nobody.texts[i - 1], nobody.texts[i]) < 0);
    assert_string_equal(a.texts[nobody.n], "last(Y)");
    assert_string_equal(a.texts[nobody.n + 1], "ret(Y)");
    const struct picture_index *x = picture_index_named(p, "X");
    assert_non_null(x);
    assert_int_equal(x->top_n, 2);
    assert_string_equal(x->top[0].symbol, "Z");
    assert_true(x->top[0].weight == 0.75);
    assert_null(picture_index_named(p, "Y"));
    /* the next picture has the same list; each lives as long as who holds it */
    ok(e, (struct record){
              .kind = RECORD_TRADE, .event_ns = 9, .u.trade = { { "Y" }, 800000000, 0 } });
    struct picture *next = picture_new(engine_market(e), list);
    struct picture_row row;
    picture_list_release(list);
    assert_ptr_equal(picture_retain(p), p);
    picture_release(p);
    assert_true(picture_find(p, A, "last(Y)", &row) && row.reading.value == 7);
    picture_release(p);
    assert_true(picture_find(next, A, "last(Y)", &row) && row.reading.value == 8);
    picture_release(next); /* the last: freed, which the address sanitizer checks */
    picture_release(NULL);
    picture_list_release(NULL);
    engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_sees_its_own),
                                        cmocka_unit_test(all_are_everybodys_then_ones_own) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
