/* stories.h - for unit tests that tell the engine a story: records of names in an index X of base 1000, one session a UTC day from
 * DAY0 on, and what measures are then. A failure says `order_now` too, which a test that tells one story in several orders sets. */
#ifndef TOCSIN_TESTS_UNIT_ANALYTICS_STORIES_H
#define TOCSIN_TESTS_UNIT_ANALYTICS_STORIES_H
#include "tests/unit/analytics/told.h"

#include "analytics/actions.h"
#include "analytics/series.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { DAY0 = 19747 }; /* 2024-01-25: January ends in the eighth session */

static inline int64_t at(int day, int hour, int second)
{
    return (DAY0 + day) * NS_PER_DAY + (hour * 3600ll + second) * NS_PER_S;
}
static inline struct record trade_of(const char *s, int64_t price_e8, int64_t ns)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = ns,
                            .u.trade = { symbol(s), price_e8, 0 } };
}
static inline struct record close_of(const char *s, int64_t price_e8, int day, int64_t ns)
{
    return (struct record){ .kind = RECORD_CLOSE,
                            .event_ns = ns,
                            .u.close = { symbol(s), price_e8, DAY0 + day } };
}
static inline struct record split_of(const char *s, int to, int from, int day, int64_t ns)
{
    return (struct record){ .kind = RECORD_SPLIT,
                            .event_ns = ns,
                            .u.split = { symbol(s), to, from, DAY0 + day, NO_DAY, { 0 } } };
}
static inline struct record shares_of(const char *s, int64_t shares, int64_t ns)
{
    return (struct record){ .kind = RECORD_SHARES,
                            .event_ns = ns,
                            .u.shares = { symbol(s), shares, E8, NO_DAY } };
}
static inline struct record end_of(int day)
{
    return (struct record){ .kind = RECORD_CLOCK,
                            .event_ns = at(day, 21, 30),
                            .u.clock = { .session_end = DAY0 + day } };
}
static inline void trade(const char *s, double price, int64_t ns)
{
    ok(trade_of(s, llround(price * E8), ns));
}

static inline double value(const char *text)
{
    const uint32_t no = track(text);
    if (series_configure(engine_market(e), no)) fail_msg("%s", text);
    return engine_reading(e, no).value;
}
static const char *order_now = "";
static inline void is(const char *text, double want)
{
    double v = value(text);
    if (!(fabs(v - want) <= 1e-12 * (1 + fabs(want))))
        fail_msg("%s is %.17g, wanted %.17g; order %s", text, v, want, order_now);
}
/* Equal weights are whole units: a ten millionth of a per cent at these prices. */
static inline void is_about(const char *text, double want)
{
    double v = value(text);
    if (!(fabs(v - want) <= 1e-6 * (1 + fabs(want))))
        fail_msg("%s is %.17g, wanted %.17g; order %s", text, v, want, order_now);
}

static inline void member(const char *s, int64_t shares)
{
    ok((struct record){ .kind = RECORD_INSTRUMENT,
                        .u.instrument = { .symbol = symbol(s), .issuer = str_of(s) } });
    ok(shares_of(s, shares, 0));
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str_of("X"), symbol(s), true, 0 } });
}
static inline void begin(void)
{
    assert_int_equal(engine_new(&e), ERR_OK);
    engine_market(e)->settings.meaning = MEANING_NOW;
    ok((struct record){ .kind = RECORD_INDEX,
                        .u.index = { .index = str_of("X"), .base_e8 = 1000ll * E8 } });
}
static inline int done(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

#endif
