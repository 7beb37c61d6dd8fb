/* test_save.c - a state saved anywhere and loaded goes on bit for bit, its bytes say the same wherever they were made, and torn ones are refused. */
#include "analytics/engine.h"

#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000, STOCKS = 30 };
static const struct uuid NOBODY;
static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static struct symbol stock(uint32_t i)
{
    struct symbol s = { { 0 } };
    snprintf(s.s, sizeof s.s, "S%u", i);
    return s;
}

static struct record random_record(int64_t *now)
{
    static const char *const indexes[] = { "X", "Y" };
    static const char *const ids[] = { "n1", "n2", "n3", "n4", "n5" };
    static const char *const issuers[] = { "I0", "I1", "I2", "I3", "I4",
                                           "I5", "I6", "I7", "I8", "I9" };
    static struct symbol tags[2];
    uint32_t op = upto(1000), i = upto(STOCKS);
    int32_t today = day_of_ns(*now);
    struct record r = { .event_ns = *now += upto(60) * NS_PER_S };
    if (op < 700) {
        r.kind = RECORD_TRADE;
        r.u.trade.symbol = stock(i);
        r.u.trade.price_e8 = (int64_t)(50 + i) * E8 + (int64_t)upto(E8) * 10;
    } else if (op < 740) {
        r.kind = RECORD_CLOSE;
        r.u.close.symbol = stock(i);
        r.u.close.price_e8 = (int64_t)(50 + i) * E8 + upto(E8);
        r.u.close.day = today;
    } else if (op < 760) {
        r.kind = RECORD_CLOCK;
        r.u.clock.session_end = NO_DAY;
    } else if (op < 775) {
        r.kind = RECORD_CLOCK;
        r.u.clock.session_end = today;
        *now = (int64_t)(today + 1 + (int32_t)upto(9)) * NS_PER_DAY;
    } else if (op < 790) {
        r.kind = RECORD_INSTRUMENT;
        r.u.instrument.symbol = stock(i);
        r.u.instrument.issuer = str(issuers[i % 10]);
        r.u.instrument.name = str(upto(2) ? "" : "name");
    } else if (op < 840) {
        r.kind = RECORD_SHARES;
        r.u.shares.symbol = stock(i);
        r.u.shares.shares = 1 + upto(1000000);
        r.u.shares.float_e8 = 1 + upto(E8);
    } else if (op < 845) {
        r.kind = RECORD_INDEX;
        r.u.index.index = str(indexes[upto(2)]);
        r.u.index.base_e8 = 100ll * E8;
    } else if (op < 920) {
        r.kind = RECORD_MEMBERSHIP;
        r.u.membership.index = str(indexes[upto(2)]);
        r.u.membership.symbol = stock(i);
        r.u.membership.member = upto(4) != 0;
        r.u.membership.shares = upto(2) * (1 + upto(9999));
    } else if (op < 940) {
        r.kind = RECORD_ISSUER;
        r.u.issuer.issuer = str(issuers[upto(10)]);
        r.u.issuer.name = str("Issuer & Co.");
    } else if (op < 960) {
        tags[0] = stock(i);
        tags[1] = stock(upto(STOCKS));
        r.kind = RECORD_ARTICLE;
        r.u.article.headline = str("S1 and S2 beat estimates while S3 warns of losses");
        r.u.article.symbols = tags;
        r.u.article.symbols_n = 1 + upto(2);
        r.u.article.id = str(ids[upto(5)]);
        if (upto(3) == 0) r.u.article.body = str("Weak outlook");
    } else if (op < 963) {
        r.kind = RECORD_RETRACTION;
        r.u.retraction.id = str(ids[upto(5)]);
    } else if (op < 975) {
        r.kind = RECORD_EXPOSURE;
        r.u.exposure.issuer = str(issuers[upto(10)]);
        r.u.exposure.theme = str("AI");
        r.u.exposure.value_e8 = upto(E8);
        r.u.exposure.effective_day = today + (int32_t)upto(9) - 4;
    } else if (op < 990) {
        r.kind = RECORD_POSITION;
        r.u.position.tenant.b[0] = (uint8_t)(1 + upto(2));
        r.u.position.book = str("b");
        r.u.position.symbol = stock(i);
        r.u.position.quantity_e8 = ((int64_t)upto(2000) - 1000) * E8;
    } else if (op < 994) {
        r.kind = RECORD_SETTINGS;
        r.u.settings.stale_after_ns = upto(2) * NS_PER_DAY;
        r.u.settings.coverage_gate_e8 = upto(E8);
        r.u.settings.drop_unasked = upto(2);
        r.u.settings.meaning = upto(2);
    } else {
        r.kind = RECORD_TRACK;
        static const char *const texts[] = { "spread(X, kind=ann, window=5d, ew=daily)",
                                             "top_weight(Y, by=line, n=4)",
                                             "max(change(last(S1), over=3h), over=4d)",
                                             "avg(hhi(X, by=line), over=5d)",
                                             "min(last(S2), over=2h)",
                                             "change(avg(ret(S3), over=90s), over=1d, unit=pct)" };
        r.u.track.measure = str(texts[upto(ARRAY_LEN(texts))]);
    }
    return r;
}

static void same_readings(const struct engine *a, const struct engine *b)
{
    assert_int_equal(engine_series_count(a), engine_series_count(b));
    for (uint32_t i = 0; i < engine_series_count(a); i++) {
        struct reading x = engine_reading(a, i), y = engine_reading(b, i);
        assert_string_equal(engine_series_facts(a, i).text, engine_series_facts(b, i).text);
        assert_int_equal(x.status, y.status);
        assert_true(memcmp(&x.value, &y.value, sizeof x.value) == 0
                    || (isnan(x.value) && isnan(y.value)));
        assert_memory_equal(&x.coverage, &y.coverage, sizeof x.coverage);
        assert_true(x.event_ns == y.event_ns && x.staleness_ns == y.staleness_ns);
        AUTO_BUF struct buf p = { 0 }, q = { 0 };
        engine_inputs(a, i, &p);
        engine_inputs(b, i, &q);
        assert_string_equal(p.data, q.data);
    }
}

static void same_bytes(const struct engine *a, const struct engine *b)
{
    AUTO_BUF struct buf p = { 0 }, q = { 0 };
    engine_save(a, &p);
    engine_save(b, &q);
    assert_int_equal(p.len, q.len);
    assert_memory_equal(p.data, q.data, p.len);
}

static void a_loaded_state_goes_on_the_same(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 5; run++) {
        struct engine *a, *twin, *b = NULL;
        int rules[100] = { 0 };
        int64_t now = INT64_C(1767362400) * NS_PER_S;
        seed = run * 0x9E3779B97F4A7C15ull;
        printf("seed %" PRIu64 "\n", seed);
        assert_int_equal(engine_new(&a), ERR_OK);
        assert_int_equal(engine_new(&twin), ERR_OK);
        for (int k = 0; k < 20000; k++) {
            struct record r = random_record(&now);
            r.seq = engine_seq(a) + 1;
            enum err e = engine_apply(a, &r, NULL);
            assert_int_equal(engine_apply(twin, &r, NULL), e);
            if (b) assert_int_equal(engine_apply(b, &r, NULL), e);
            if (b && e == ERR_OK) {
                const struct engine_output *x = engine_output(a), *y = engine_output(b);
                assert_true(x->moved_n == y->moved_n && x->sample == y->sample
                            && x->instrument == y->instrument && x->article == y->article);
                if (x->moved_n)
                    assert_memory_equal(x->moved, y->moved, x->moved_n * sizeof *x->moved);
            }
            if (e == ERR_OK && engine_series_count(a)
                && upto(20) == 0) { /* rules come and go: in all of them */
                uint32_t s = upto((uint32_t)engine_series_count(a));
                struct engine *const all[] = { a, twin, b };
                int by = rules[s] && upto(2) ? -1 : 1;
                rules[s] += by;
                for (int x = 0; x < (b ? 3 : 2); x++) {
                    engine_watch(all[x], s, by);
                    assert_int_equal(engine_ask(all[x], s, by), ERR_OK);
                }
            }
            if (k % 500 == 0 && b) same_readings(a, b);
            if (k % 2000 == 0 && b) same_bytes(a, b);
            if (upto(1500) == 0) {
                AUTO_BUF struct buf saved = { 0 };
                struct why why = { 0 };
                size_t used;
                engine_save(a, &saved);
                engine_free(b);
                if (engine_load(saved.data, saved.len, &b, &used, &why)) fail_msg("%s", why.text);
                assert_int_equal(used, saved.len);
                same_readings(a, b);
            }
        }
        assert_non_null(b);
        same_readings(a, b);
        same_bytes(a, b);
        same_bytes(a, twin); /* no address of this process is in it */
        engine_free(a);
        engine_free(twin);
        engine_free(b);
    }
}

static void torn_states_are_refused(void **state)
{
    (void)state;
    struct engine *a, *b;
    struct why why;
    size_t used;
    int64_t now = INT64_C(1767362400) * NS_PER_S;
    seed = 7;
    assert_int_equal(engine_new(&a), ERR_OK);
    for (int k = 0; k < 500; k++) {
        struct record r = random_record(&now);
        r.seq = engine_seq(a) + 1;
        if (engine_apply(a, &r, NULL)) continue;
    }
    AUTO_BUF struct buf saved = { 0 };
    engine_save(a, &saved);
    for (size_t n = 0; n < saved.len; n += 1 + n / 100) {
        char *part = malloc(n ? n : 1);
        assert_non_null(part);
        memcpy(part, saved.data, n);
        assert_int_equal(engine_load(part, n, &b, &used, &why), ERR_INVALID);
        free(part);
    }
    saved.data[0] ^= 1;
    assert_int_equal(engine_load(saved.data, saved.len, &b, &used, &why), ERR_INVALID);
    engine_free(a);
}

static void the_empty_state_survives(void **state)
{
    (void)state;
    struct engine *a, *b;
    size_t used;
    assert_int_equal(engine_new(&a), ERR_OK);
    AUTO_BUF struct buf saved = { 0 };
    engine_save(a, &saved);
    assert_int_equal(engine_load(saved.data, saved.len, &b, &used, NULL), ERR_OK);
    same_bytes(a, b);
    assert_int_equal(engine_find_series(b, NOBODY, "hhi(X)"), SERIES_NONE);
    engine_free(a);
    engine_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_loaded_state_goes_on_the_same),
                                        cmocka_unit_test(torn_states_are_refused),
                                        cmocka_unit_test(the_empty_state_survives) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
