/* test_calendars.c - trades and sessions by a venue's calendar: to which session a trade belongs, what it moves, when a session
 * ends that nobody ends. The hours are those of the shipped XNYS and XTKS; instants are written out in UTC. */
#include "analytics/calendars.h"
#include "analytics/engine.h"
#include "analytics/series.h"
#include "core/when.h"
#include "ingest/calendars/shipped.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000 };
static const int64_t GRACE_NS = 300 * NS_PER_S;
static const struct uuid NOBODY;
static struct engine *e;

static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static int64_t utc(const char *text)
{
    int64_t ns;
    if (when_parse(text, strlen(text), &ns, NULL)) fail_msg("%s", text);
    return ns;
}
static int32_t date(const char *text)
{
    int32_t day;
    if (date_parse(text, strlen(text), &day, NULL)) fail_msg("%s", text);
    return day;
}

static enum err apply(struct record r, struct why *why)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, why);
}
/* As app/step.c does: ends that are due go first. */
static void ok(struct record r)
{
    struct why why = { 0 };
    struct presumed_end over;
    while (engine_presumes_end(e, &r, &over)) {
        const struct record end = { .kind = RECORD_CLOCK,
                                    .event_ns = over.event_ns,
                                    .u.clock = { over.day, true, str_of(over.venue) } };
        if (apply(end, &why)) fail_msg("end: %s", why.text);
    }
    if (apply(r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}
static struct record trade_at(const char *s, double price, const char *when)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = utc(when),
                            .u.trade = { symbol(s), llround(price * E8), 0 } };
}
static void trade(const char *s, double price, const char *when) { ok(trade_at(s, price, when)); }
static struct record close_at(const char *s, double price, const char *day, const char *when)
{
    return (struct record){ .kind = RECORD_CLOSE,
                            .event_ns = utc(when),
                            .u.close = { symbol(s), llround(price * E8), date(day) } };
}
static void clock_to(const char *when)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = utc(when), .u.clock = { .session_end = NO_DAY } });
}

static double value(const char *text)
{
    struct measure m;
    struct why why = { 0 };
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why) || engine_track(e, NOBODY, &m, &no, &why))
        fail_msg("%s: %s", text, why.text);
    if (series_configure(engine_market(e), no)) fail_msg("%s", text);
    return engine_reading(e, no).value;
}
static void is(const char *text, double want)
{
    double v = value(text);
    if (!(fabs(v - want) <= 1e-12 * (1 + fabs(want))))
        fail_msg("%s is %.17g, wanted %.17g", text, v, want);
}
static void ended(const char *venue, const char *day, bool want)
{
    const struct market *m = engine_market(e);
    for (size_t i = 0; i < m->venues_n; i++)
        if (strcmp(m->venues[i].name, venue) == 0) {
            const struct venue *v = &m->venues[i];
            bool is_over = v->ended_n && v->ended[v->ended_n - 1] == date(day);
            if (is_over != want) fail_msg("%s %s: %s", venue, day, want ? "has not ended" : "has");
            return;
        }
    fail_msg("no venue %s", venue);
}

static void add(const char *s, const char *venue, const char *index, int64_t shares)
{
    ok((struct record){
        .kind = RECORD_INSTRUMENT,
        .u.instrument = { .symbol = symbol(s), .issuer = str_of(s), .venue = str_of(venue) } });
    ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol(s), shares, E8, NO_DAY } });
    ok((struct record){ .kind = RECORD_MEMBERSHIP,
                        .u.membership = { str_of(index), symbol(s), true, 0 } });
}
static void add_index(const char *name, const char *venue)
{
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str_of(name), .base_e8 = 1000ll * E8, .calendar = str_of(venue) } });
}
static void bring(const char *venue)
{
    ok((struct record){ .kind = RECORD_CALENDAR,
                        .u.calendar = { str_of(shipped_calendar(venue)) } });
}

static int begin(void **state)
{
    (void)state;
    if (engine_new(&e)) return -1;
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .coverage_gate_e8 = 95000000,
                                        .drop_unasked = true,
                                        .meaning = MEANING_NOW,
                                        .session_grace_ns = GRACE_NS } });
    bring("XNYS");
    add_index("IX", "XNYS");
    add("NVX", "XNYS", "IX", 100);
    add("OTH", "XNYS", "IX", 100);
    return 0;
}
static int finish(void **state)
{
    (void)state;
    engine_free(e);
    return 0;
}

/* The field case: 19:30 in New York is 00:30 UTC of the next day. Thursday 2024-03-07 ends at 21:00 UTC. */
static void a_trade_after_hours_is_of_the_session_of_that_evening(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("OTH", 50, "2024-03-07T15:00:01Z");
    trade("NVX", 101, "2024-03-07T20:59:59Z");
    trade("NVX", 120, "2024-03-08T00:30:00Z");
    ended("XNYS", "2024-03-07", true);
    is("last(NVX)", 120);
    is("level(IX)", 1000);                    /* as without it: an index goes on from its closes */
    trade("NVX", 90, "2024-03-08T09:30:00Z"); /* 04:30 in New York: before Friday's open */
    is("last(NVX)", 90);
    trade("NVX", 111.1, "2024-03-08T14:30:00Z");
    is("ret(NVX)", 10); /* of 101, Thursday's last regular trade */
    trade("OTH", 50, "2024-03-08T14:30:01Z");
    clock_to("2024-03-08T21:04:59.999999999Z");
    ended("XNYS", "2024-03-08", false);
    clock_to("2024-03-08T21:05:00Z");
    ended("XNYS", "2024-03-08", true);
    is("level(IX)", 1000.0 * 161.1 / 151);
}

/* Between a session's end and the next open `ret` is close against close, however trades go on. */
static void before_the_open_returns_are_of_closes(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("NVX", 110, "2024-03-08T15:00:00Z");
    clock_to("2024-03-08T22:00:00Z");
    is("ret(NVX)", 10);
    trade("NVX", 150, "2024-03-08T23:00:00Z");
    is("ret(NVX)", 10);
    trade("NVX", 160,
          "2024-03-11T09:00:00Z"); /* Monday, 05:00 in New York, summer time since Sunday */
    is("ret(NVX)", 10);
    is("last(NVX)", 160);
    trade("NVX", 121, "2024-03-11T13:30:00Z");
    is("ret(NVX)", 10);
    trade("NVX", 165, "2024-03-11T13:30:01Z");
    is("ret(NVX)", 50);
}

/* Nor are they before the session's end is said: it closed at 21:00, and 21:05 is when that is presumed. */
static void after_the_close_returns_are_of_regular_trades(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("NVX", 95,
          "2024-03-08T14:00:00Z"); /* Friday, before the open: still of Thursday's close */
    trade("OTH", 50,
          "2024-03-08T14:30:00Z"); /* the open; NVX's newest is what was paid before it */
    is("ret(NVX)", -5);
    trade("NVX", 110, "2024-03-08T20:59:59Z");
    is("ret(NVX)", 10);
    trade("NVX", 50, "2024-03-08T21:00:00Z");
    ended("XNYS", "2024-03-08", false);
    is("last(NVX)", 50);
    is("ret(NVX)", 10);
    is("ret(NVX, return=total)", 10);
    is("ret(NVX, window=all)", 10);
    clock_to("2024-03-08T21:05:00Z");
    is("ret(NVX)", 10);
}

/* NVX and OTH are 110 and 50 when Friday's hours are over: so much makes up IX through the grace, the weekend, and until each trades
 * in Monday's regular hours. A close that comes late is what it is made up of; a split of Monday, said after a trade of Monday's
 * morning, divides what is carried. */
static void indices_stand_at_regular_prices(void **state)
{
    (void)state;
    const double hhi = 10000 * (110 * 110 + 50 * 50) / (160.0 * 160);
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("OTH", 50, "2024-03-07T15:00:01Z");
    trade("NVX", 110, "2024-03-08T15:00:00Z");
    is("spread(IX, window=1d, kind=arith, ew=daily)", 10 * 2 / 3.0 - 5);
    trade("NVX", 300, "2024-03-08T21:02:00Z");
    trade("OTH", 10, "2024-03-08T21:02:00Z");
    is("last(NVX)", 300);
    is("hhi(IX)", hhi);
    is("level(IX)", 1000 * 160 / 150.0);
    is("spread(IX, window=1d, kind=arith, ew=daily)", 10 * 2 / 3.0 - 5);
    clock_to("2024-03-08T21:07:00Z");
    ended("XNYS", "2024-03-08", true);
    trade("NVX", 200, "2024-03-08T23:00:00Z");
    is("hhi(IX)", hhi);
    is("spread(IX, window=1d, kind=arith, ew=daily)", 10 * 2 / 3.0 - 5);
    ok(close_at("OTH", 48, "2024-03-08", "2024-03-08T23:01:00Z"));
    is("level(IX)", 1000 * 158 / 150.0);
    trade("NVX", 54, "2024-03-11T09:00:00Z");
    ok((struct record){ .kind = RECORD_SPLIT,
                        .event_ns = utc("2024-03-11T09:01:00Z"),
                        .u.split = { symbol("NVX"), 2, 1, date("2024-03-11"), NO_DAY, { 0 } } });
    trade("NVX", 56, "2024-03-11T09:02:00Z");
    is("last(NVX)", 56);
    is("level(IX)", 1000 * 158 / 150.0);
    trade("OTH", 50, "2024-03-11T13:30:00Z");
    is("level(IX)", 1000 * 160 / 150.0);
    trade("NVX", 56.5, "2024-03-11T13:30:01Z");
    is("level(IX)", 1000 * 163 / 150.0);
}

/* Half a day: 2024-07-03 closes at 17:00 UTC; trades at 18:00 are after hours. */
static void an_early_close_is_the_close(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-07-02T15:00:00Z");
    trade("NVX", 102, "2024-07-03T16:59:59Z");
    trade("NVX", 300, "2024-07-03T18:00:00Z");
    ended("XNYS", "2024-07-03", true);
    is("ret(NVX)", 2);
    trade("NVX", 103.02, "2024-07-05T13:30:00Z"); /* the 4th is a holiday */
    is("ret(NVX)", 1);
}

/* The grace is for official closes: it runs from the newest of them. */
static void official_closes_settle_at_the_end_and_put_it_off(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T20:00:00Z");
    trade("OTH", 100, "2024-03-07T20:00:01Z");
    ok(close_at("NVX", 104, "2024-03-07", "2024-03-07T21:04:00Z"));
    clock_to("2024-03-07T21:08:00Z");
    ended("XNYS", "2024-03-07", false);
    ok(close_at("OTH", 96, "2024-03-07", "2024-03-07T21:08:30Z"));
    is("last(OTH)", 100);
    clock_to("2024-03-07T21:13:30Z");
    ended("XNYS", "2024-03-07", true);
    is("last(OTH)", 96);
    is("level(IX)", 1000);
}

/* A session in which it did not trade carries on what the close before was corrected to, whatever was paid after hours. */
static void a_corrected_close_is_carried_on(void **state)
{
    (void)state;
    trade("NVX", 101, "2024-03-07T20:00:00Z");
    trade("OTH", 100, "2024-03-07T20:00:01Z");
    trade("NVX", 120, "2024-03-08T00:30:00Z");
    ended("XNYS", "2024-03-07", true);
    ok(close_at("NVX", 102, "2024-03-07", "2024-03-07T21:03:00Z"));
    is("last(NVX)", 120);
    trade("OTH", 100, "2024-03-08T15:00:00Z");
    clock_to("2024-03-08T21:05:00Z");
    is("ret(NVX)", 0); /* 102 to 102 */
}

/* One in which it traded at that very price does not: what was traded stands. */
static void a_trade_at_the_close_before_is_no_carried_close(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T20:00:00Z");
    trade("OTH", 100, "2024-03-07T20:00:01Z");
    trade("NVX", 100, "2024-03-08T15:00:00Z");
    ok(close_at("NVX", 80, "2024-03-07", "2024-03-08T15:30:00Z"));
    is("ret(NVX)", 25);
    clock_to("2024-03-08T21:05:00Z");
    is("ret(NVX)", 25); /* 80 to 100 */
}

static void what_is_no_session_is_refused(void **state)
{
    struct why why = { 0 };
    (void)state;
    trade("NVX", 100, "2024-03-07T20:00:00Z");
    const struct record saturday = close_at("NVX", 1, "2024-03-09", "2024-03-09T21:00:00Z");
    assert_int_equal(apply(saturday, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "XNYS"));
    const struct record end = { .kind = RECORD_CLOCK,
                                .event_ns = utc("2024-03-09T22:00:00Z"),
                                .u.clock = { .session_end = date("2024-03-09") } };
    assert_int_equal(apply(end, &why), ERR_INVALID);
    const struct record later = trade_at("NVX", 100, "2031-06-02T15:00:00Z");
    assert_int_equal(apply(later, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "up to 2031-01-0"));
    const struct record elsewhere = {
        .kind = RECORD_INSTRUMENT,
        .u.instrument = { .symbol = symbol("Z"), .issuer = str_of("Z"), .venue = str_of("XPAR") }
    };
    assert_int_equal(apply(elsewhere, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "XPAR"));
    assert_int_equal(engine_instrument(e, &elsewhere.u.symbol), -1);
    is("last(NVX)", 100);
}

/* Tokyo's Friday is over when New York's begins; each counts its own sessions. */
static void venues_keep_their_own_sessions(void **state)
{
    (void)state;
    bring("XTKS");
    add_index("JP", "XTKS");
    add("TYO", "XTKS", "JP", 100);
    add("DUAL", "XTKS", "IX", 100); /* a Tokyo line in a New York index */
    trade("TYO", 1000, "2024-03-07T05:00:00Z");
    trade("DUAL", 10, "2024-03-07T05:00:01Z");
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    ended("XTKS", "2024-03-07", true); /* closed at 06:00 */
    trade("OTH", 100, "2024-03-07T15:00:01Z");
    clock_to("2024-03-07T21:05:00Z");
    ended("XNYS", "2024-03-07", true);
    is("level(IX)", 1000);
    trade("TYO", 1100, "2024-03-08T00:30:00Z");
    trade("DUAL", 11, "2024-03-08T00:30:01Z");
    is("ret(TYO)", 10);
    is("level(JP)", 1100);
    is("level(IX)", 1000.0 * 211 / 210);
    ok(close_at("DUAL", 12, "2024-03-08", "2024-03-08T06:01:00Z"));
    clock_to("2024-03-08T12:00:00Z"); /* Tokyo has ended, New York has not begun */
    ended("XTKS", "2024-03-08", true);
    is("level(IX)", 1000.0 * 212 / 210);
    trade("NVX", 100, "2024-03-08T15:00:00Z");
    trade("DUAL", 9, "2024-03-08T15:30:00Z"); /* after hours in Tokyo */
    clock_to("2024-03-08T21:05:00Z");
    const struct universe *u = market_index(engine_market(e), str_of("IX"));
    if (u->days[u->days_n - 1].level != 1000.0 * 212 / 210) /* at Tokyo's close of that date */
        fail_msg("closed at %.17g", u->days[u->days_n - 1].level);
}

/* Saved in the middle of a session it goes on as it would have. */
static void settings(int64_t stale_ns)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .stale_after_ns = stale_ns,
                                        .meaning = MEANING_NOW,
                                        .session_grace_ns = GRACE_NS } });
}
static void says(const char *text, enum reading_status want)
{
    value(text);
    const uint32_t no = engine_find_series(e, NOBODY, text);
    const enum reading_status status = engine_reading(e, no).status;
    if (status != want)
        fail_msg("%s is %s, wanted %s", text, reading_status_name(status),
                 reading_status_name(want));
}
/* However late it is published, before the session's end or after it. */
static void an_evening_trade_is_newer_than_the_close(void **state)
{
    (void)state;
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("OTH", 50, "2024-03-07T15:00:01Z");
    trade("NVX", 120, "2024-03-07T21:01:00Z");
    ok(close_at("NVX", 101, "2024-03-07", "2024-03-07T21:02:00Z"));
    ok(close_at("OTH", 51, "2024-03-07", "2024-03-07T21:02:00Z"));
    clock_to("2024-03-07T21:30:00Z");
    ended("XNYS", "2024-03-07", true);
    is("last(NVX)", 120);
    is("last(OTH)", 51);
    ok(close_at("NVX", 102, "2024-03-07", "2024-03-07T22:00:00Z"));
    ok(close_at("OTH", 52, "2024-03-07", "2024-03-07T22:00:00Z"));
    is("last(NVX)", 120);
    is("last(OTH)", 52);
}

/* With a bound of 60 s: NVX's last trade of Thursday came ten minutes before the close. */
static void what_a_session_ended_with_is_of_now_until_the_next_one_opens(void **state)
{
    (void)state;
    settings(60 * NS_PER_S);
    trade("NVX", 10, "2024-01-04T20:50:00Z");
    says("last(NVX)", READING_OK);
    clock_to("2024-01-04T20:51:01Z");
    says("last(NVX)", READING_STALE);
    clock_to("2024-01-04T21:06:00Z"); /* the end, presumed */
    says("last(NVX)", READING_OK);
    clock_to("2024-01-05T14:31:00Z");
    says("last(NVX)", READING_OK);
    clock_to("2024-01-05T14:31:01Z"); /* nothing has come, though New York is open */
    says("last(NVX)", READING_STALE);
    trade("OTH", 10, "2024-01-05T15:00:00Z");
    clock_to("2024-01-05T21:06:00Z");
    says("last(NVX)", READING_STALE); /* that session ended without a price of it */
    says("last(OTH)", READING_OK);
}
/* Without a calendar a session's hours are not known: from its first price to its end. */
static void so_is_what_a_day_without_hours_ended_with(void **state)
{
    (void)state;
    settings(60 * NS_PER_S);
    add_index("UX", "");
    add("U", "", "UX", 1000);
    add("V", "", "UX", 1000);
    trade("U", 10, "2024-01-04T20:50:00Z");
    trade("V", 10, "2024-01-04T20:59:00Z");
    says("last(U)", READING_STALE);
    ok((struct record){ .kind = RECORD_CLOCK,
                        .event_ns = utc("2024-01-04T21:10:00Z"),
                        .u.clock = { date("2024-01-04"), false, { 0 } } });
    says("last(U)", READING_OK);
    clock_to("2024-01-06T12:00:00Z");
    says("last(U)", READING_OK);
    trade("V", 11, "2024-01-08T14:30:00Z");
    says("last(U)", READING_OK);
    clock_to("2024-01-08T14:31:00Z");
    says("last(U)", READING_OK);
    clock_to("2024-01-08T14:31:01Z");
    says("last(U)", READING_STALE);
    says("last(V)", READING_STALE);
}

static void a_saved_state_ends_its_sessions_at_the_same_instant(void **state)
{
    struct why why = { 0 };
    struct buf saved = { 0 };
    struct engine *again;
    size_t used;
    (void)state;
    trade("NVX", 100, "2024-03-07T15:00:00Z");
    trade("OTH", 100, "2024-03-07T15:00:01Z");
    ok(close_at("OTH", 96, "2024-03-07", "2024-03-07T21:04:00Z"));
    engine_save(e, &saved);
    if (engine_load(saved.data, saved.len, &again, &used, &why)) fail_msg("%s", why.text);
    buf_release(&saved);
    engine_free(e);
    e = again;
    clock_to("2024-03-07T21:08:59Z");
    ended("XNYS", "2024-03-07", false);
    clock_to("2024-03-07T21:09:00Z");
    ended("XNYS", "2024-03-07", true);
    is("last(OTH)", 96);
    trade("NVX", 50, "2024-03-08T02:00:00Z"); /* its calendar came along */
    trade("NVX", 110, "2024-03-08T15:00:00Z");
    is("ret(NVX)", 10);
}

/* Instants of New York by its published hours: a night, a weekend with the change of summer time, a day that closes at 13:00 before a
 * holiday, and a wait outside of all hours. */
static void the_market_has_been_open_for_so_long(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int64_t minutes;
        const char *until;
    } rows[] = {
        { "2024-01-04T15:00:00Z", 30, "2024-01-04T15:30:00Z" },
        { "2024-01-04T20:45:00Z", 15, "2024-01-04T21:00:00Z" }, /* over as it closes */
        { "2024-01-04T20:45:00Z", 30, "2024-01-05T14:45:00Z" },
        { "2024-01-05T20:45:00Z", 30, "2024-01-08T14:45:00Z" },
        { "2024-03-08T20:45:00Z", 30, "2024-03-11T13:45:00Z" },
        { "2024-11-01T19:45:00Z", 30, "2024-11-04T14:45:00Z" },
        { "2024-07-03T16:45:00Z", 30, "2024-07-05T13:45:00Z" },
        { "2024-01-05T03:00:00Z", 30, "2024-01-05T15:00:00Z" },
        { "2024-01-06T12:00:00Z", 390, "2024-01-08T21:00:00Z" },
        { "2024-01-06T12:00:00Z", 391, "2024-01-09T14:31:00Z" },
        { "2030-12-31T20:45:00Z", 30,
          "2030-12-31T21:15:00Z" }, /* beyond its years all time counts */
    };
    value("last(NVX)");
    const uint32_t no = engine_find_series(e, NOBODY, "last(NVX)");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int64_t got =
            engine_open_until(e, no, utc(rows[i].from), rows[i].minutes * 60 * NS_PER_S);
        char text[WHEN_TEXT_MAX];
        when_format(got, text);
        if (got != utc(rows[i].until))
            fail_msg("%s and %d min: %s, not %s", rows[i].from, (int)rows[i].minutes, text,
                     rows[i].until);
    }
    assert_true(engine_open_until(e, no, utc("2030-12-31T20:45:00Z"), INT64_MAX) == INT64_MAX);
    ok((struct record){ .kind = RECORD_INSTRUMENT, /* by no calendar */
                        .u.instrument = { .symbol = symbol("UTC"), .issuer = str_of("UTC") } });
    value("last(UTC)");
    assert_true(engine_open_until(e, engine_find_series(e, NOBODY, "last(UTC)"), 5, 7) == 12);
}

/* It is the way back of calendars_open_ns, which counts from the other end: so long by then, and not a nanosecond before. */
static void open_until_is_the_way_back(void **state)
{
    (void)state;
    uint64_t seed = 0x9E3779B97F4A7C15u;
    const struct market *m = engine_market(e);
    bring("XTKS");
    const int64_t first = utc("2023-12-01T00:00:00Z"), span = utc("2025-02-01T00:00:00Z") - first;
    for (int i = 0; i < 20000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        const uint32_t venue = i % 2 ? 1 : 2;
        const int64_t from = first + (int64_t)(seed >> 1) % span,
                      open = 1 + (int64_t)(seed >> 20) % (60 * 3600 * NS_PER_S),
                      until = calendars_open_until(m, venue, from, open);
        if (calendars_open_ns(m, venue, from, until, INT64_MAX) != open
            || calendars_open_ns(m, venue, from, until - 1, INT64_MAX) != open - 1)
            fail_msg("venue %u from %lld for %lld", venue, (long long)from, (long long)open);
    }
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, finish)
int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_trade_after_hours_is_of_the_session_of_that_evening),
        STORY(before_the_open_returns_are_of_closes),
        STORY(after_the_close_returns_are_of_regular_trades),
        STORY(indices_stand_at_regular_prices),
        STORY(an_early_close_is_the_close),
        STORY(official_closes_settle_at_the_end_and_put_it_off),
        STORY(a_corrected_close_is_carried_on),
        STORY(a_trade_at_the_close_before_is_no_carried_close),
        STORY(what_is_no_session_is_refused),
        STORY(venues_keep_their_own_sessions),
        STORY(what_a_session_ended_with_is_of_now_until_the_next_one_opens),
        STORY(so_is_what_a_day_without_hours_ended_with),
        STORY(an_evening_trade_is_newer_than_the_close),
        STORY(the_market_has_been_open_for_so_long),
        STORY(open_until_is_the_way_back),
        STORY(a_saved_state_ends_its_sessions_at_the_same_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
