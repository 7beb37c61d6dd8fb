/* test_engine.c - 100,000 random records against sums recomputed from scratch; windows, rebalances, gates and refusals by hand. */
#include "analytics/engine.h"

#include "core/utf8.h"
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

static const struct uuid NOBODY;
enum { E8 = 100000000 };

/* ---- records ---- */
static struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static int64_t at(const char *when)
{
    int64_t ns = 0;
    assert_int_equal(when_parse(when, strlen(when), &ns, NULL), ERR_OK);
    return ns;
}
static int32_t day(const char *date)
{
    int32_t d = 0;
    assert_int_equal(date_parse(date, strlen(date), &d, NULL), ERR_OK);
    return d;
}

static struct record trade(const char *s, double price, int64_t ns)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = ns,
                            .u.trade = { symbol(s), llround(price * E8), 0 } };
}
static struct record shares(const char *s, int64_t n, double factor)
{
    return (struct record){ .kind = RECORD_SHARES,
                            .u.shares = { symbol(s), n, llround(factor * E8), NO_DAY } };
}
static struct record member(const char *index, const char *s, bool in, int64_t own)
{
    return (struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str(index), symbol(s), in, own } };
}
static struct record instrument(const char *s, const char *issuer, const char *name)
{
    return (struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = {
                                .symbol = symbol(s), .issuer = str(issuer), .name = str(name) } };
}
static struct record index_record(const char *name)
{
    return (struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str(name), .name = str("title"), .base_e8 = 1000ll * E8 }
    };
}
static struct record clock_record(int64_t ns, int32_t ended)
{
    return (
        struct record){ .kind = RECORD_CLOCK, .event_ns = ns, .u.clock = { .session_end = ended } };
}
static struct record settings(int64_t stale_ns, int64_t gate_e8)
{
    return (struct record){ .kind = RECORD_SETTINGS,
                            .u.settings = { .stale_after_ns = stale_ns,
                                            .sample_ns = 0,
                                            .coverage_gate_e8 = gate_e8,
                                            .drop_unasked = false,
                                            .meaning = MEANING_NOW } };
}

static enum err apply(struct engine *e, struct record r, struct why *why)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, why);
}
static void ok(struct engine *e, struct record r)
{
    struct why why = { 0 };
    if (apply(e, r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}

static uint32_t track(struct engine *e, const char *text)
{
    struct measure m;
    struct why why = { 0 };
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why) || engine_track(e, NOBODY, &m, &no, &why))
        fail_msg("%s: %s", text, why.text);
    return no;
}
static struct reading reading(struct engine *e, const char *text)
{
    return engine_reading(e, track(e, text));
}
static double value(struct engine *e, const char *text)
{
    struct reading r = reading(e, text);
    if (r.status != READING_OK) fail_msg("%s is %s", text, reading_status_name(r.status));
    return r.value;
}
static enum reading_status status(struct engine *e, const char *text)
{
    return reading(e, text).status;
}
static void near(double got, double want, double relative)
{
    if (!(fabs(got - want) <= relative * (fabs(want) + 1e-9)))
        fail_msg("%.17g, wanted %.17g", got, want);
}
static void is_near(struct engine *e, const char *text, double want, double relative)
{
    double v = value(e, text);
    if (!(fabs(v - want) <= relative * (fabs(want) + 1e-6)))
        fail_msg("%s is %.17g, wanted %.17g", text, v, want);
}

static struct engine *fresh(void)
{
    struct engine *e;
    assert_int_equal(engine_new(&e), ERR_OK);
    engine_market(e)->settings.meaning = MEANING_NOW;
    return e;
}

/* A and B of two companies in X, 100 shares each at 100 and 300 on `date`, whose session has ended. */
static struct engine *small(const char *date)
{
    struct engine *e = fresh();
    ok(e, index_record("X"));
    ok(e, instrument("A", "ACO", "A Co."));
    ok(e, instrument("B", "BCO", "B Co."));
    ok(e, shares("A", 100, 1));
    ok(e, shares("B", 100, 1));
    ok(e, member("X", "A", true, 0));
    ok(e, member("X", "B", true, 0));
    int64_t ns = (int64_t)day(date) * NS_PER_DAY + 15 * 3600 * NS_PER_S;
    ok(e, trade("A", 100, ns));
    ok(e, trade("B", 300, ns + 1));
    ok(e, clock_record(ns + 3600 * NS_PER_S, day(date)));
    return e;
}

/* ---- windows ---- */
/* Closes of A by hand: day k of January 2026 (weekdays from the 1st) closes at 100 + k; windows count sessions back. */
static void windows_reach_the_right_close(void **state)
{
    (void)state;
    struct engine *e = small("2025-12-31");
    static const double closes[] = { 101, 102, 103, 104, 105, 106, 107, 108 };
    const int32_t first = day("2026-01-05"); /* a Monday; 8 sessions: 5-9 and 12-14 January */
    assert_int_equal(status(e, "ret(A, window=1d)"),
                     READING_NO_HISTORY); /* after the first close: nothing before it */
    assert_int_equal(status(e, "ret(A, window=ytd)"), READING_NO_HISTORY);
    is_near(e, "ret(A, window=all)", 0, 1e-12);
    for (int i = 0; i < 8; i++) {
        int32_t d = first + (i < 5 ? i : i + 2);
        int64_t ns = (int64_t)d * NS_PER_DAY + 15 * 3600 * NS_PER_S;
        ok(e, trade("A", closes[i], ns));
        double before = i ? closes[i - 1] : 100;
        is_near(e, "ret(A, window=1d)", 100 * (closes[i] / before - 1),
                1e-12); /* in the session: against the last close */
        if (i == 4) is_near(e, "ret(A, window=5d)", 100 * (105 / 100.0 - 1), 1e-12);
        if (i < 4) assert_int_equal(status(e, "ret(A, window=5d)"), READING_NO_HISTORY);
        ok(e, clock_record(ns + 3600 * NS_PER_S, d));
        is_near(e, "ret(A, window=1d)", 100 * (closes[i] / before - 1),
                1e-12); /* after it: the same session's return still */
        if (i == 4) is_near(e, "ret(A, window=5d)", 100 * (105 / 100.0 - 1), 1e-12);
        if (i == 7) is_near(e, "ret(A, window=5d)", 100 * (108 / 103.0 - 1), 1e-12);
        is_near(e, "ret(A, window=ytd)", 100 * (closes[i] / 100 - 1), 1e-12);
        is_near(e, "ret(A, window=all)", 100 * (closes[i] / 100 - 1), 1e-12);
    }
    /* after hours the price moves on, the return stays that of the session; the next session's first price begins the next */
    ok(e, trade("A", 110, at("2026-01-14T22:00:00Z")));
    is_near(e, "last(A)", 110, 0);
    is_near(e, "ret(A, window=1d)", 100 * (108 / 107.0 - 1), 1e-12);
    ok(e, trade("A", 111, at("2026-01-15T14:30:00Z")));
    is_near(e, "ret(A, window=1d)", 100 * (111 / 108.0 - 1), 1e-12);
    is_near(e, "ret(A, window=5d)", 100 * (111 / 104.0 - 1), 1e-12);
    engine_free(e);
}

static void session(struct engine *e, const char *date, double a, double b)
{
    int64_t ns = (int64_t)day(date) * NS_PER_DAY + 15 * 3600 * NS_PER_S;
    ok(e, trade("A", a, ns));
    ok(e, trade("B", b, ns));
    ok(e, clock_record(ns + 6 * 3600 * NS_PER_S, day(date)));
}

/* Months go back to the last close at or before the same day; 31 March less a month is the last of February. */
static void months_reach_the_right_close(void **state)
{
    (void)state;
    struct engine *e = small("2024-11-29");
    session(e, "2024-12-30", 110, 300);
    session(e, "2024-12-31", 120, 300);
    session(e, "2025-02-27", 130, 300);
    session(e, "2025-02-28", 140, 300);
    session(e, "2025-03-03", 150, 300);
    session(e, "2025-05-30", 160, 300);
    is_near(e, "ret(A, window=3mo)", 100 * (160 / 140.0 - 1),
            1e-12); /* 30 February is 28 February */
    is_near(e, "ret(A, window=6mo)", 100 * (160 / 100.0 - 1),
            1e-12); /* 30 November, a Saturday: the close of the 29th */
    is_near(e, "ret(A, window=ytd)", 100 * (160 / 120.0 - 1), 1e-12);
    is_near(e, "ret(A, window=all)", 100 * (160 / 100.0 - 1), 1e-12);
    assert_int_equal(status(e, "ret(A, window=12mo)"), READING_NO_HISTORY);
    /* the index: level 1000 at 400, then 460; cap 15 %, equal 60 % and 0 % */
    is_near(e, "level(X)", 1150, 1e-12);
    is_near(e, "ew_level(X, ew=held)", 1300, 1e-7);
    is_near(e, "spread(X, kind=arith, window=all, ew=held)", 15 - 30, 1e-6);
    is_near(e, "spread(X, kind=geom, window=all, ew=held)", 100 * (1.15 / 1.30 - 1), 1e-6);
    is_near(e, "spread(X, kind=log, window=all, ew=held)", 100 * log(1.15 / 1.30), 1e-6);
    is_near(e, "spread(X, kind=ratio, ew=held)", 1.15 / 1.30, 1e-7);
    is_near(e, "spread(X, kind=points, ew=held)", 1150 - 1300, 1e-6);
    is_near(e, "spread(X, kind=ann, window=6mo, ew=held)", 100 * (pow(1.15, 2) - pow(1.30, 2)),
            1e-6);
    is_near(e, "spread(X, kind=arith, window=ytd, ew=held)",
            100 * (460 / 420.0 - 1) - 100 * (1300 / 1100.0 - 1), 1e-6);
    assert_int_equal(status(e, "spread(X)"), READING_NO_HISTORY); /* 60 sessions */
    engine_free(e);
}

/* Two companies from 100: A doubles and comes back. Rebalanced at the close in between, the equal-weighted level gains 12.5 %; not rebalanced, nothing. */
static void rebalances_happen_at_the_right_closes(void **state)
{
    (void)state;
    static const struct {
        const char *start, *high, *back;
        bool monthly, quarterly, third_friday;
    } rows[] = {
        { "2026-01-05", "2026-01-07", "2026-01-08", false, false, false },
        { "2026-01-05", "2026-01-30", "2026-02-02", true, false, false }, /* over a month's end */
        { "2026-03-02", "2026-03-31", "2026-04-01", true, true, false },  /* a quarter's */
        { "2025-12-29", "2025-12-31", "2026-01-02", true, true, false },
        { "2026-03-02", "2026-03-20", "2026-03-23", false, false,
          true }, /* the third Friday of March 2026 is the 20th */
        { "2026-03-02", "2026-03-19", "2026-03-20", false, false,
          false }, /* its own session still has the old weights */
        { "2026-03-02", "2026-03-19", "2026-03-23", false, false,
          true }, /* no session that day: the close before */
        { "2026-03-23", "2026-03-24", "2026-03-25", false, false, false },
        { "2026-01-12", "2026-01-16", "2026-01-20", false, false,
          false }, /* the third Friday of January is none of the four */
        { "2026-06-10", "2026-06-19", "2026-06-22", false, false, true },
        { "2026-02-02", "2026-02-03", "2026-12-21", true, true,
          true }, /* a long silence crosses them all */
        { "2025-05-05", "2025-05-06", "2026-05-05", true, true, true }, /* a year to the day */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct engine *e = small(rows[i].start);
        const char *names[] = { "ew_level(X, ew=held)", "ew_level(X, ew=daily)",
                                "ew_level(X, ew=monthly)", "ew_level(X)",
                                "ew_level(X, ew=third_friday)" };
        const bool balanced[] = { false, true, rows[i].monthly, rows[i].quarterly,
                                  rows[i].third_friday };
        session(e, rows[i].high, 200, 300);
        for (size_t k = 0; k < ARRAY_LEN(names); k++) is_near(e, names[k], 1500, 1e-7);
        session(e, rows[i].back, 100, 300);
        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            double v = value(e, names[k]), want = balanced[k] ? 1125 : 1000;
            if (fabs(v - want) > 1e-3)
                fail_msg("row %zu: %s is %.9g, wanted %g", i, names[k], v, want);
        }
        engine_free(e);
    }
}

/* ---- gates ---- */
static void coverage_is_a_gate(void **state)
{
    (void)state;
    struct engine *e = fresh();
    ok(e, index_record("X"));
    for (int i = 0; i < 20; i++) {
        char s[8];
        snprintf(s, sizeof s, "S%d", i);
        ok(e, instrument(s, s, ""));
        ok(e, shares(s, 10, 1));
        ok(e, member("X", s, true, 0));
        if (i < 18) ok(e, trade(s, 10, 1000));
    }
    assert_int_equal(status(e, "hhi(X)"), READING_UNKNOWN_COVERAGE);
    assert_true(isnan(reading(e, "hhi(X)").coverage));
    assert_true(isnan(reading(e, "hhi(X)").value));
    ok(e, clock_record(2000, 0)); /* a session's end does not start levels without it */
    assert_int_equal(status(e, "level(X)"), READING_UNKNOWN_COVERAGE);
    ok(e, trade("S18", 10, 3000)); /* what S19 weighs nobody knows still */
    assert_int_equal(status(e, "hhi(X)"), READING_UNKNOWN_COVERAGE);
    ok(e, trade("S19", 10, 3001));
    is_near(e, "hhi(X)", 500, 1e-12);
    assert_true(reading(e, "hhi(X)").coverage == 1);
    assert_int_equal(status(e, "level(X)"), READING_NO_SESSION_END);
    ok(e, clock_record(NS_PER_DAY + 1, 1));
    is_near(e, "level(X)", 1000, 1e-12);
    ok(e, instrument("NEW", "NEW", ""));
    ok(e, member("X", "NEW", true, 7)); /* a member without a price moves no level */
    assert_int_equal(status(e, "level(X)"), READING_UNKNOWN_COVERAGE);
    ok(e, settings(0, 0));
    is_near(e, "level(X)", 1000, 1e-12);
    engine_free(e);
}

static void old_values_are_stale(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    const int64_t ns = reading(e, "last(B)").event_ns + NS_PER_DAY;
    ok(e, trade("A", 100, ns - 1));
    ok(e, trade("B", 300, ns));
    ok(e, settings(NS_PER_DAY, 95000000));
    ok(e, clock_record(ns + NS_PER_DAY, NO_DAY));
    assert_int_equal(status(e, "last(B)"), READING_OK);
    assert_true(reading(e, "last(B)").staleness_ns == NS_PER_DAY);
    assert_int_equal(status(e, "last(A)"), READING_STALE); /* one nanosecond older */
    near(reading(e, "last(A)").value, 100, 0);             /* there is a value still */
    assert_int_equal(status(e, "hhi(X)"), READING_OK);
    ok(e, clock_record(ns + NS_PER_DAY + 1, NO_DAY));
    assert_int_equal(status(e, "hhi(X)"), READING_STALE);
    ok(e, clock_record(ns, NO_DAY)); /* event time does not go back */
    assert_true(engine_now_ns(e) == ns + NS_PER_DAY + 1);
    ok(e, trade("A", 100, ns + NS_PER_DAY));
    assert_int_equal(status(e, "hhi(X)"), READING_OK);
    assert_int_equal(status(e, "last(A)"), READING_OK);
    assert_int_equal(status(e, "last(B)"),
                     READING_OK); /* of the session before, and this has just begun */
    ok(e, trade("A", 100, ns + 2 * NS_PER_DAY + 1));
    assert_int_equal(status(e, "last(B)"), READING_STALE);
    engine_free(e);
}

/* ---- refusals ---- */
static void refused_records_change_nothing(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    struct record position = { .kind = RECORD_POSITION,
                               .event_ns = at("2027-01-01"),
                               .u.position = { { { 1 } }, str("growth"), symbol("NOPE"), E8 } };
    struct record tracked = { .kind = RECORD_TRACK,
                              .event_ns = at("2027-01-01"),
                              .u.track = { NOBODY, str("hhi(NOPE)") } };
    struct record tracked_badly = { .kind = RECORD_TRACK,
                                    .event_ns = at("2027-01-01"),
                                    .u.track = { NOBODY, str("hhi(X") } };
    struct record close = { .kind = RECORD_CLOSE,
                            .event_ns = at("2027-01-01"),
                            .u.close = { symbol("NOPE"), E8, day("2027-01-01") } };
    struct record nobody = { .kind = RECORD_ISSUER_RENAME,
                             .event_ns = at("2027-01-01"),
                             .u.issuer_rename = { str("SOMEBODY NEW"), str("ACO"), 0, str("") } };
    const struct {
        struct record r;
        enum err e;
    } rows[] = {
        { trade("NOPE", 1, at("2027-01-01")), ERR_UNKNOWN_SYMBOL },
        { close, ERR_UNKNOWN_SYMBOL },
        { shares("NOPE", 1, 1), ERR_UNKNOWN_SYMBOL },
        { shares("A", INT64_C(1) << 62, 1), ERR_INVALID },
        { member("NOPE", "A", true, 0), ERR_UNKNOWN_INDEX },
        { member("X", "NOPE", true, 0), ERR_UNKNOWN_SYMBOL },
        { member("X", "NOPE", false, 0), ERR_UNKNOWN_SYMBOL },
        { member("X", "A", true, INT64_C(1) << 62), ERR_INVALID },
        { nobody, ERR_INVALID },
        { position, ERR_UNKNOWN_SYMBOL },
        { tracked, ERR_UNKNOWN_INDEX },
        { tracked_badly, ERR_SYNTAX },
        { { .kind = RECORD_KIND_COUNT, .event_ns = at("2027-01-01") }, ERR_UNKNOWN_KIND },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf before = { 0 }, after = { 0 };
        struct why why = { 0 };
        engine_save(e, &before);
        enum err err = apply(e, rows[i].r, &why);
        engine_save(e, &after);
        if (err != rows[i].e || !why.text[0])
            fail_msg("row %zu: %s %s", i, err_name(err), why.text);
        if (before.len != after.len || memcmp(before.data, after.data, before.len) != 0)
            fail_msg("row %zu (%s) left its mark", i, why.text);
    }
    /* a price that would overflow the sums */
    ok(e, shares("A", INT64_C(1) << 42, 1));
    struct why why = { 0 };
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    engine_save(e, &before);
    assert_int_equal(apply(e, trade("A", 80000000, at("2027-01-01")), &why), ERR_INVALID);
    engine_save(e, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    engine_free(e);
}

/* What the rule book lists as bad input: sessions, names and corporate actions that cannot be. Of a clock record not even the time
 * counts, nor does it put off the next sample: a replay, which has no refused records, would say other than live. */
static void refused_sessions_and_actions_change_nothing(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    const int64_t later = at("2026-01-06T15:00:00Z");
    const int32_t d = day("2026-01-06");
    ok(e, settings(NS_PER_S, 95 * (E8 / 100)));
    ok(e, trade("A", 100, later));
    const struct symbol a = symbol("A"), b = symbol("B"), nobody = symbol("NOPE");
    const struct {
        struct record r;
        enum err e;
    } rows[] = {
        { clock_record(later + NS_PER_DAY / 4, day("2026-01-02")), ERR_INVALID },
        { { .kind = RECORD_CLOCK,
            .event_ns = later + NS_PER_DAY / 4,
            .u.clock = { .session_end = d, .venue = str("NOWHERE") } },
          ERR_INVALID },
        { { .kind = RECORD_CLOSE, .event_ns = later, .u.close = { a, E8, day("2026-01-02") } },
          ERR_INVALID },
        { { .kind = RECORD_TRADE, .event_ns = later, .u.trade = { a, -E8, 0 } }, ERR_INVALID },
        { { .kind = RECORD_CALENDAR,
            .event_ns = later,
            .u.calendar = { str(
                "calendar,XOWN,UTC,2026,2027\nhours,2026-01-01,2026-12-31,Mon-Fri,04:00,07:00,12:00\n") } },
          ERR_INVALID },
        { { .kind = RECORD_SPLIT,
            .event_ns = later,
            .u.split = { .symbol = a, .to = 2, .from = 2, .day = d } },
          ERR_INVALID },
        { { .kind = RECORD_SPLIT,
            .event_ns = later,
            .u.split = { .symbol = nobody, .to = 2, .from = 1, .day = d } },
          ERR_UNKNOWN_SYMBOL },
        { { .kind = RECORD_DIVIDEND,
            .event_ns = later,
            .u.dividend = { .symbol = a, .amount_e8 = 100ll * E8, .day = d } },
          ERR_INVALID },
        { { .kind = RECORD_SPIN_OFF,
            .event_ns = later,
            .u.spin_off = { .parent = a, .child = a, .to = 1, .from = 2, .day = d } },
          ERR_INVALID },
        { { .kind = RECORD_SPIN_OFF,
            .event_ns = later,
            .u.spin_off = { .parent = a,
                            .child = b,
                            .to = 1,
                            .from = 1,
                            .value_e8 = 100ll * E8,
                            .day = d } },
          ERR_INVALID },
        { { .kind = RECORD_DELISTING,
            .event_ns = later,
            .u.delisting = { .symbol = nobody, .day = d } },
          ERR_UNKNOWN_SYMBOL },
        { { .kind = RECORD_RENAME,
            .event_ns = later,
            .u.rename = { .symbol = a, .to = a, .effective_day = d } },
          ERR_INVALID },
        { { .kind = RECORD_RENAME,
            .event_ns = later,
            .u.rename = { .symbol = a, .to = b, .effective_day = d } },
          ERR_INVALID },
        { { .kind = RECORD_ALIAS, .event_ns = later, .u.alias = { a, b } }, ERR_INVALID },
        { { .kind = RECORD_QUALITY_RELEASE, .event_ns = later, .u.release = { { { 1 } } } },
          ERR_NOT_FOUND },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_BUF struct buf before = { 0 }, after = { 0 };
        struct why why = { 0 };
        engine_save(e, &before);
        const int64_t now = engine_now_ns(e);
        enum err err = apply(e, rows[i].r, &why);
        engine_save(e, &after);
        if (err != rows[i].e || !why.text[0])
            fail_msg("row %zu: %s %s", i, err_name(err), why.text);
        if (engine_now_ns(e) != now) fail_msg("row %zu (%s) moved time", i, why.text);
        if (before.len != after.len || memcmp(before.data, after.data, before.len) != 0)
            fail_msg("row %zu (%s) left its mark", i, why.text);
    }
    engine_free(e);
}

/* ---- members come and go ---- */
static void a_member_that_returns_does_not_move_the_level(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    ok(e, member("X", "A", false, 0));
    is_near(e, "level(X)", 1000, 1e-12);
    ok(e, trade("A", 500, at("2026-01-06T15:00:00Z"))); /* while it is out */
    ok(e, trade("B", 330, at("2026-01-06T15:00:01Z")));
    is_near(e, "level(X)", 1100, 1e-12);
    ok(e, member("X", "A", true, 0));
    is_near(e, "level(X)", 1100, 1e-12);
    is_near(e, "ew_level(X, ew=held)", value(e, "ew_level(X, ew=daily)") > 0 ? 1100 : 0, 1e-7);
    near(value(e, "hhi(X)"), 10000 * (500.0 * 500 + 330.0 * 330) / (830.0 * 830), 1e-12);
    ok(e, trade("A", 583, at("2026-01-06T15:00:02Z")));
    is_near(e, "level(X)", 1100 * 913 / 830.0, 1e-12);
    engine_free(e);
}

/* By the first meaning: what it is by the second, tests/unit/analytics/test_identity.c has. */
static void an_instrument_out_of_all_indices_may_change_its_issuer(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    engine_market(e)->settings.meaning = MEANING_FIRST;
    assert_int_equal(apply(e, instrument("A", "BCO", ""), NULL), ERR_INVALID);
    ok(e, member("X", "A", false, 0));
    ok(e, instrument("A", "BCO", ""));
    ok(e, member("X", "A", true, 0));
    is_near(e, "hhi(X)", 10000, 1e-12); /* one company now */
    is_near(e, "hhi(X, by=line)", 10000 * (0.25 * 0.25 + 0.75 * 0.75), 1e-12);
    is_near(e, "level(X)", 1000, 1e-12);
    engine_free(e);
}

/* Long names are cut, and never inside a character: they go to the database. */
static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    struct engine *e = fresh();
    for (int pad = 0; pad < 4; pad++) {
        char name[210] = "";
        memset(name, 'x', (size_t)pad);
        for (int i = 0; i < 60; i++) strcat(name, "\xE2\x82\xAC");
        ok(e, instrument("A", "ACO", name));
        ok(e, (struct record){ .kind = RECORD_ISSUER,
                               .u.issuer = { str("ACO"), str(name), str("") } });
        ok(e, (struct record){
                  .kind = RECORD_INDEX,
                  .u.index = { .index = str("X"), .name = str(name), .base_e8 = 1000ll * E8 } });
        const char *kept = engine_instrument_facts(e, 0).name;
        assert_true(strlen(kept) >= 60 && utf8_valid(kept, strlen(kept)));
        assert_true(utf8_valid(engine_market(e)->issuers[0].name,
                               strlen(engine_market(e)->issuers[0].name)));
        assert_true(utf8_valid(engine_market(e)->universes[0].title,
                               strlen(engine_market(e)->universes[0].title)));
    }
    engine_free(e);
}

/* A symbol may begin with book: too; only measures of holdings know books. */
static void a_book_is_no_symbol(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    struct uuid tenant = { { 9 } };
    static const char *const texts[] = { "last(book:x)", "ret(book:x)", "sentiment(book:x)" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct measure m;
        struct why why = { 0 };
        uint32_t no;
        if (measure_parse(texts[i], strlen(texts[i]), &m, &why)) continue;
        assert_int_equal(engine_can_track(e, tenant, &m, &why), ERR_UNKNOWN_SYMBOL);
        assert_int_equal(engine_track(e, tenant, &m, &no, &why), ERR_UNKNOWN_SYMBOL);
    }
    ok(e, instrument("book:x", "ACO", ""));
    ok(e, trade("book:x", 77, at("2026-01-06T15:00:00Z")));
    is_near(e, "last(book:x)", 77, 0);
    engine_free(e);
}

static void books_weigh_exposure(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    struct uuid tenant = { { 9 } };
    struct measure m;
    uint32_t no;
    assert_int_equal(measure_parse("ai_exposure(book:g)", 19, &m, NULL), ERR_OK);
    assert_int_equal(engine_can_track(e, NOBODY, &m, NULL), ERR_INVALID);
    assert_int_equal(engine_track(e, tenant, &m, &no, NULL), ERR_OK);
    assert_int_equal(engine_find_series(e, NOBODY, "ai_exposure(book:g)"), SERIES_NONE);
    assert_int_equal(engine_find_series(e, tenant, "ai_exposure(book:g)"), no);
    assert_int_equal(engine_reading(e, no).status, READING_NO_DATA);
    ok(e, (struct record){ .kind = RECORD_POSITION,
                           .event_ns = 1,
                           .u.position = { tenant, str("g"), symbol("A"), -3ll * E8 } });
    ok(e, (struct record){ .kind = RECORD_POSITION,
                           .event_ns = 1,
                           .u.position = { tenant, str("g"), symbol("B"), 1ll * E8 } });
    ok(e, (struct record){ .kind = RECORD_EXPOSURE,
                           .event_ns = 1,
                           .u.exposure = { str("ACO"), str("AI"), str(""), 40000000, 0 } });
    ok(e, (struct record){
              .kind = RECORD_EXPOSURE,
              .event_ns = 1,
              .u.exposure = { str("ACO"), str("AI"), str(""), 90000000, day("2026-06-01") } });
    ok(e, (struct record){ .kind = RECORD_EXPOSURE,
                           .event_ns = 1,
                           .u.exposure = { str("BCO"), str("power"), str(""), 90000000, 0 } });
    near(engine_reading(e, no).value, 0.2,
         1e-12); /* of gross 300 + 300, 40 % of A's; tomorrow's exposure is not today's */
    ok(e, clock_record(at("2026-06-01T00:00:00Z"), NO_DAY));
    near(engine_reading(e, no).value, 0.45, 1e-12);
    ok(e, (struct record){ .kind = RECORD_POSITION,
                           .event_ns = 1,
                           .u.position = { tenant, str("g"), symbol("A"), 0 } });
    near(engine_reading(e, no).value, 0, 0);
    is_near(e, "ai_exposure(X)", 0.9 * 0.25, 1e-12);
    engine_free(e);
}

static void watched_series_move_in_a_fixed_order(void **state)
{
    (void)state;
    struct engine *e = small("2026-01-05");
    uint32_t hhi = track(e, "hhi(X)"), last = track(e, "last(A)"), other = track(e, "last(B)"),
             feeling = track(e, "ai_sentiment(X)");
    engine_watch(e, hhi, 1);
    engine_watch(e, last, 2);
    engine_watch(e, other, 1);
    engine_watch(e, feeling, 1);
    ok(e, trade("A", 101, at("2026-01-06T15:00:00Z")));
    const struct engine_output *o = engine_output(e);
    assert_int_equal(o->moved_n, 2);
    assert_int_equal(o->moved[0], hhi);
    assert_int_equal(o->moved[1], last);
    engine_watch(e, last, -2);
    ok(e, trade("A", 102, at("2026-01-06T15:00:00Z")));
    assert_int_equal(engine_output(e)->moved_n, 1);
    ok(e, clock_record(at("2026-01-06T15:00:01Z"), NO_DAY));
    assert_int_equal(engine_output(e)->moved_n, 3);
    engine_free(e);
}

/* ---- 100,000 random records ---- */
enum { INSTRUMENTS = 60, ISSUERS = 40, INDEXES = 2 };
static struct {
    int issuer;
    int64_t price, shares, factor;
    struct {
        bool member;
        int64_t own;
    } in[INDEXES];
} mirror[INSTRUMENTS];
static struct {
    bool based;
    long double level, ew[EW_VARIANTS], w[EW_VARIANTS][INSTRUMENTS];
} model[INDEXES];
static int born[INDEXES][INSTRUMENTS],
    births; /* when each first joined: the youngest line of a company inherits */
static int32_t model_day;
static bool model_open;
static bool recomposed[INDEXES]; /* who counts has changed since then */
/* As the last session ended: prices, and the equal-weighted levels. */
static struct {
    int64_t price[INSTRUMENTS];
    long double ew[INDEXES][EW_VARIANTS];
} at_close;
static const char *const index_names[INDEXES] = { "X", "Y" };
static uint64_t seed = 0x2545F4914F6CDD1Dull;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static int64_t effective(int i, int x)
{
    if (!mirror[i].in[x].member || mirror[i].price == 0) return 0;
    return (int64_t)((i128)(mirror[i].in[x].own ? mirror[i].in[x].own : mirror[i].shares)
                     * mirror[i].factor / E8);
}
static int64_t line_worth(int i, int x)
{
    return (int64_t)((i128)mirror[i].price * effective(i, x) / 1000000);
}
static bool counts(int i, int x) { return effective(i, x) > 0; }
static i128 worth(int x)
{
    i128 t = 0;
    for (int i = 0; i < INSTRUMENTS; i++) t += line_worth(i, x);
    return t;
}
static long double weights(int x, int v)
{
    long double t = 0;
    for (int i = 0; i < INSTRUMENTS; i++) t += model[x].w[v][i];
    return t;
}

static void model_rebalance(int x, int v)
{
    if (!model[x].based) return;
    for (int i = 0; i < INSTRUMENTS; i++) {
        int lines = 0;
        for (int k = 0; k < INSTRUMENTS; k++)
            lines += counts(k, x) && mirror[k].issuer == mirror[i].issuer;
        model[x].w[v][i] = !counts(i, x) ? 0 : v % BY_COUNT == BY_LINE ? 1 : 1.0L / lines;
    }
}

/* Weights equal at the last session's close, carried on to the prices of now. */
static void model_rebalance_at_close(int x, int v)
{
    long double bought = 0, now = 0;
    if (!model[x].based) return;
    for (int i = 0; i < INSTRUMENTS; i++) {
        int lines = 0;
        for (int k = 0; k < INSTRUMENTS; k++)
            lines += counts(k, x) && mirror[k].issuer == mirror[i].issuer;
        long double share = !counts(i, x) ? 0 : v % BY_COUNT == BY_LINE ? 1 : 1.0L / lines;
        bought += share;
        model[x].w[v][i] =
            share > 0 ? share * (long double)mirror[i].price / (long double)at_close.price[i] : 0;
        now += model[x].w[v][i];
    }
    model[x].ew[v] = at_close.ew[x][v] * now / bought;
}

static void model_end(void)
{
    model_open = false;
    for (int k = 0; k < INDEXES; k++) {
        int members = 0, valued = 0;
        for (int j = 0; j < INSTRUMENTS; j++)
            members += mirror[j].in[k].member, valued += counts(j, k);
        if (!model[k].based && worth(k) > 0 && (double)valued / members >= 0.95) {
            model[k].based = true;
            model[k].level = 1000;
            for (int v = 0; v < EW_VARIANTS; v++) {
                model[k].ew[v] = 1000;
                model_rebalance(k, v);
            }
        }
        for (int v = 0; v < EW_VARIANTS; v++) at_close.ew[k][v] = model[k].ew[v];
        recomposed[k] = false;
    }
    for (int j = 0; j < INSTRUMENTS; j++) at_close.price[j] = mirror[j].price;
}

/* days from the last session to this: which rebalances were due at its close */
static void model_begin_day(int32_t d)
{
    if (d <= model_day && model_day != NO_DAY) return;
    if (model_open) model_end(); /* nobody said so */
    if (model_day != NO_DAY) {
        struct civil was = civil_from_day(model_day), is = civil_from_day(d);
        bool due[EW_COUNT] = { [EW_DAILY] = true };
        due[EW_MONTHLY] = was.month != is.month || was.year != is.year;
        due[EW_QUARTERLY] = (was.month - 1) / 3 != (is.month - 1) / 3 || was.year != is.year;
        for (int32_t k = model_day; k < d; k++) {
            struct civil c = civil_from_day(k);
            if (c.month % 3 == 0 && weekday_of_day(k) == 4 && c.day >= 15 && c.day <= 21)
                due[EW_THIRD_FRIDAY] = true;
        }
        for (int x = 0; x < INDEXES; x++)
            for (int v = 0; v < EW_VARIANTS; v++)
                if (due[v / BY_COUNT] && recomposed[x]) model_rebalance(x, v);
                else if (due[v / BY_COUNT]) model_rebalance_at_close(x, v);
    }
    model_day = d;
    model_open = true;
}

/* what a change of members, shares or a first price does to the equal weights: `was` counted before */
static void model_recompose(int i, int x, bool was)
{
    bool is = counts(i, x);
    recomposed[x] |= was != is;
    if (!model[x].based || (!was && !is)) return;
    int lines = 0, companies = 0, others = 0, heir = -1;
    bool seen[ISSUERS] = { false };
    for (int k = 0; k < INSTRUMENTS; k++) {
        if (k == i || !counts(k, x)) continue;
        lines++;
        companies += !seen[mirror[k].issuer];
        seen[mirror[k].issuer] = true;
        if (mirror[k].issuer == mirror[i].issuer) {
            others++;
            if (heir < 0 || born[x][k] > born[x][heir]) heir = k;
        }
    }
    if (lines + is == 0 || worth(x) == 0) {
        model[x].based = false;
        return;
    }
    for (int v = 0; v < EW_VARIANTS && was != is; v++) {
        bool by_line = v % BY_COUNT == BY_LINE;
        if (was) {
            if (!by_line && heir >= 0) model[x].w[v][heir] += model[x].w[v][i];
            model[x].w[v][i] = 0;
        } else if (by_line || !others)
            model[x].w[v][i] = weights(x, v) / (by_line ? lines : companies);
        else model[x].w[v][i] = 0;
    }
}

static void check_sums(struct engine *e, int step)
{
    for (int x = 0; x < INDEXES; x++) {
        const struct universe *n = &engine_market(e)->universes[x];
        equal_weight_refresh(&engine_market(e)->store, n);
        const struct order *order = universe_kept(n, &aggregate_order);
        const struct equal_weight *weights = universe_kept(n, &aggregate_equal_weight);
        i128 total = 0, squares[BY_COUNT] = { 0 }, ew[EW_VARIANTS] = { 0 },
             by_issuer[ISSUERS] = { 0 };
        uint32_t members = 0, valued = 0;
        for (int i = 0; i < INSTRUMENTS; i++) {
            i128 v = line_worth(i, x);
            total += v;
            squares[BY_LINE] += v * v;
            by_issuer[mirror[i].issuer] += v;
            members += mirror[i].in[x].member;
            valued += counts(i, x);
        }
        for (int i = 0; i < ISSUERS; i++) squares[BY_ISSUER] += by_issuer[i] * by_issuer[i];
        for (uint32_t no = n->first_line; no != NONE;
             no = engine_market(e)->store.lines[no].next_of_universe) {
            const struct line *l = &engine_market(e)->store.lines[no];
            for (int v = 0; v < EW_VARIANTS; v++) {
                if (!l->valued) assert_true(l->q[v] == 0);
                ew[v] += (i128)l->q[v] * l->price_e8;
            }
            if (l->valued)
                assert_true(l->price_e8 == engine_market(e)->instruments[l->instrument].price_e8);
        }
        if (n->total != total
            || ((const struct squares *)universe_kept(n, &aggregate_squares_by_line))->sum
                   != squares[BY_LINE]
            || ((const struct squares *)universe_kept(n, &aggregate_squares_by_issuer))->sum
                   != squares[BY_ISSUER]
            || n->lines_n != members || n->valued_n != valued)
            fail_msg("step %d: index %d's sums are off", step, x);
        for (int v = 0; v < EW_VARIANTS; v++)
            if (weights->variants[v].sum != ew[v] && n->based)
                fail_msg("step %d: index %d's equal-weighted sum %d is off", step, x, v);
        for (uint32_t k = 0; k < n->slots_n; k++) {
            const struct slot *s = &engine_market(e)->store.slots[order->who[k]],
                              *before =
                                  k ? &engine_market(e)->store.slots[order->who[k - 1]] : NULL;
            assert_int_equal(s->rank, k);
            assert_true((i128)s->value
                        == by_issuer[atoi(engine_market(e)->issuers[s->issuer].key + 1)]);
            if (before
                && !(before->value > s->value
                     || (before->value == s->value && before->issuer < s->issuer)))
                fail_msg("step %d: index %d is out of order at %u", step, x, k);
        }
    }
}

static void check_levels(struct engine *e, int step, const char *what)
{
    for (int x = 0; x < INDEXES; x++) {
        const struct universe *n = &engine_market(e)->universes[x];
        equal_weight_refresh(&engine_market(e)->store, n);
        if (n->based != model[x].based)
            fail_msg("step %d (%s): index %d is %sbased", step, what, x, n->based ? "" : "not ");
        if (!n->based) continue;
        if (fabsl(universe_level(n) - model[x].level) > 1e-10L * model[x].level)
            fail_msg("step %d (%s): level %.15g, wanted %.15Lg", step, what, universe_level(n),
                     model[x].level);
        for (int v = 0; v < EW_VARIANTS; v++)
            if (!(fabsl(equal_weight_level(n, v) - model[x].ew[v]) <= 2e-6L * model[x].ew[v]))
                fail_msg("step %d (%s): ew level %d of index %d is %.15g, wanted %.15Lg", step,
                         what, v, x, equal_weight_level(n, v), model[x].ew[v]);
    }
}

static void name_of(int i, char out[8]) { snprintf(out, 8, "S%d", i); }

static void random_step(struct engine *e, int step, int64_t *now)
{
    char s[8];
    int i = (int)upto(INSTRUMENTS), x = (int)upto(INDEXES);
    const char *what;
    uint32_t op = upto(1000);
    name_of(i, s);
    *now += upto(20) * NS_PER_S;
    if (op < 850) {
        what = "price";
        int64_t p = mirror[i].price
                        ? mirror[i].price + mirror[i].price / 1000 * ((int64_t)upto(61) - 30)
                        : (int64_t)(10 + upto(500)) * E8;
        if (p < 2 * E8) p = 2ll * E8 + upto(E8);
        if (p > 2000ll * E8) p = 1000ll * E8;
        model_begin_day(day_of_ns(*now));
        i128 before[INDEXES];
        bool was[INDEXES];
        for (int k = 0; k < INDEXES; k++) {
            before[k] = worth(k);
            was[k] = counts(i, k);
        }
        int64_t old = mirror[i].price;
        mirror[i].price = p;
        for (int k = 0; k < INDEXES; k++) {
            if (!model[k].based) continue;
            if (!was[k]) {
                model_recompose(i, k, false);
                continue;
            }
            model[k].level *= (long double)worth(k) / (long double)before[k];
            for (int v = 0; v < EW_VARIANTS; v++) {
                long double sum = weights(k, v);
                model[k].w[v][i] *= (long double)p / (long double)old;
                model[k].ew[v] *= weights(k, v) / sum;
            }
        }
        ok(e, (struct record){
                  .kind = RECORD_TRADE, .event_ns = *now, .u.trade = { symbol(s), p, 0 } });
    } else if (op < 900) {
        what = "shares";
        bool was[INDEXES];
        for (int k = 0; k < INDEXES; k++) was[k] = counts(i, k);
        mirror[i].shares = upto(20) ? 1 + upto(1000000) : 1;
        mirror[i].factor =
            upto(4) ? E8 : 1 + upto(E8); /* a share of one with a small float counts for nothing */
        for (int k = 0; k < INDEXES; k++) model_recompose(i, k, was[k]);
        ok(e, (struct record){
                  .kind = RECORD_SHARES,
                  .event_ns = *now,
                  .u.shares = { symbol(s), mirror[i].shares, mirror[i].factor, NO_DAY } });
    } else if (op < 990) {
        what = "membership";
        bool was = counts(i, x);
        mirror[i].in[x].member = upto(3) != 0;
        if (mirror[i].in[x].member && !born[x][i]) born[x][i] = ++births;
        if (mirror[i].in[x].member) mirror[i].in[x].own = upto(3) ? 0 : 1 + upto(100000);
        model_recompose(i, x, was);
        ok(e, member(index_names[x], s, mirror[i].in[x].member,
                     mirror[i].in[x].member ? mirror[i].in[x].own : 0));
    } else if (op < 995) {
        what = "session end";
        int32_t d = day_of_ns(*now);
        if (d > model_day || (d == model_day && model_open) || model_day == NO_DAY) {
            model_begin_day(d);
            model_end();
        }
        ok(e, clock_record(*now, d));
        if (upto(2)) /* else there are trades after hours, until the end is said once more */
            *now = (int64_t)(d + 1) * NS_PER_DAY + (int64_t)upto(5) * NS_PER_DAY
                   + 14 * 3600 * NS_PER_S;
    } else {
        what = "refused";
        AUTO_BUF struct buf before = { 0 }, after = { 0 };
        bool look = upto(20) == 0;
        if (look) engine_save(e, &before);
        const struct record bad[] = { trade("NOPE", 1, *now), shares(s, INT64_C(1) << 62, 1),
                                      member("NOPE", s, true, 0) };
        size_t which = mirror[i].price ? upto(3) : 0;
        assert_int_not_equal(apply(e, bad[which], NULL), ERR_OK);
        if (look) engine_save(e, &after);
        assert_int_equal(before.len, after.len);
        if (look) assert_memory_equal(before.data, after.data, before.len);
    }
    check_levels(e, step, what);
}

static void sums_equal_a_recomputation(void **state)
{
    (void)state;
    printf("seed %" PRIu64 "\n", seed);
    struct engine *e = fresh();
    int64_t now = at("2025-01-02T14:30:00Z");
    model_day = NO_DAY;
    for (int x = 0; x < INDEXES; x++) {
        ok(e, index_record(index_names[x]));
        assert_int_equal(universe_ask(&engine_market(e)->store, &engine_market(e)->universes[x],
                                      &aggregate_squares_by_line),
                         ERR_OK);
    }
    for (int i = 0; i < INSTRUMENTS; i++) {
        char s[8], issuer[8];
        name_of(i, s);
        mirror[i].issuer = i < ISSUERS ? i : i % 7; /* some companies have up to four lines */
        mirror[i].factor = E8;
        mirror[i].shares = 1 + upto(1000000);
        snprintf(issuer, sizeof issuer, "I%d", mirror[i].issuer);
        ok(e, instrument(s, issuer, ""));
        ok(e, shares(s, mirror[i].shares, 1));
    }
    for (int step = 1; step <= 100000; step++) {
        random_step(e, step, &now);
        if (step % 1000 == 0) check_sums(e, step);
    }
    printf("%d days, levels %.6g %.6g\n", (int)(day_of_ns(now) - day("2025-01-02")),
           universe_level(&engine_market(e)->universes[0]),
           universe_level(&engine_market(e)->universes[1]));
    engine_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_reach_the_right_close),
        cmocka_unit_test(months_reach_the_right_close),
        cmocka_unit_test(rebalances_happen_at_the_right_closes),
        cmocka_unit_test(coverage_is_a_gate),
        cmocka_unit_test(old_values_are_stale),
        cmocka_unit_test(refused_records_change_nothing),
        cmocka_unit_test(refused_sessions_and_actions_change_nothing),
        cmocka_unit_test(a_member_that_returns_does_not_move_the_level),
        cmocka_unit_test(an_instrument_out_of_all_indices_may_change_its_issuer),
        cmocka_unit_test(long_names_are_cut_between_characters),
        cmocka_unit_test(a_book_is_no_symbol),
        cmocka_unit_test(books_weigh_exposure),
        cmocka_unit_test(watched_series_move_in_a_fixed_order),
        cmocka_unit_test(sums_equal_a_recomputation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
