/* session.c - a session's life, with `ew=monthly`:
 *
 *   30 Jan 14:30  the first price of the day: day 30 Jan begins; nothing was due
 *   30 Jan 21:00  a clock record ends it: official closes settle, levels and closes of 30 Jan are kept (closes.h)
 *   30 Jan 22:00  a trade after hours moves `last` and the levels, but no window
 *    2 Feb 14:30  the first price of a later day: only now is it known that January is over, so the weights that were due
 *                 at the close of 30 Jan are made equal now, at the closes of 30 Jan, before this price is applied. Had nobody
 *                 said that 30 Jan ended, it would end here first, with the prices that stand */
#include "analytics/session.h"

#include "analytics/actions.h"
#include "analytics/calendars.h"
#include "analytics/closes.h"
#include "analytics/coverage.h"
#include "analytics/membership.h"
#include "analytics/quality.h"
#include "analytics/series.h"
#include "core/vec.h"
#include "core/when.h"

const char *const window_names[WINDOW_CHOICES + 1] = {
    [WINDOW_1D] = "1d",     [WINDOW_5D] = "5d",   [WINDOW_20D] = "20d",   [WINDOW_60D] = "60d",
    [WINDOW_3MO] = "3mo",   [WINDOW_6MO] = "6mo", [WINDOW_12MO] = "12mo", [WINDOW_18MO] = "18mo",
    [WINDOW_36MO] = "36mo", [WINDOW_YTD] = "ytd", [WINDOW_ALL] = "all",   NULL
};

const char *const window_words[WINDOW_CHOICES] = {
    [WINDOW_1D] = "1 day",         [WINDOW_5D] = "5 days",          [WINDOW_20D] = "20 days",
    [WINDOW_60D] = "60 days",      [WINDOW_3MO] = "3 months",       [WINDOW_6MO] = "6 months",
    [WINDOW_12MO] = "12 months",   [WINDOW_18MO] = "18 months",     [WINDOW_36MO] = "36 months",
    [WINDOW_YTD] = "year to date", [WINDOW_ALL] = "since the start"
};

static int32_t third_friday(struct civil c)
{
    int32_t first = day_from_civil(c.year, c.month, 1);
    return first + (4 - weekday_of_day(first) + 7) % 7 + 14;
}

/* Does one of the four third Fridays lie in [from, to)? */
static bool crosses_third_friday(int32_t from, int32_t to)
{
    struct civil last = civil_from_day(to);
    for (struct civil c = civil_from_day(from);
         c.year < last.year || (c.year == last.year && c.month <= last.month);) {
        if (c.month % 3 == 0 && third_friday(c) >= from && third_friday(c) < to) return true;
        c = c.month == 12 ? (struct civil){ c.year + 1, 1, 1 }
                          : (struct civil){ c.year, c.month + 1, 1 };
    }
    return false;
}

static void rebalance_all(struct market *m, uint32_t venue, enum ew ew)
{
    const bool at_close = m->settings.meaning >= MEANING_SECOND;
    m->venues[venue].rebalanced |= 1u << ew;
    for (size_t i = 0; i < m->universes_n; i++) {
        struct universe *u = &m->universes[i];
        if (!u->book && u->venue == venue) universe_rebalance(&m->store, u, ew, at_close);
    }
}

static void begin_session(struct market *m, uint32_t venue, int32_t day)
{
    struct venue *v = &m->venues[venue];
    struct civil was = civil_from_day(v->day), now = civil_from_day(day);
    bool month = was.month != now.month || was.year != now.year;
    bool quarter = (was.month - 1) / 3 != (now.month - 1) / 3 || was.year != now.year;
    v->rebalanced = 0;
    rebalance_all(m, venue, EW_DAILY);
    if (month) rebalance_all(m, venue, EW_MONTHLY);
    if (quarter) rebalance_all(m, venue, EW_QUARTERLY);
    if (crosses_third_friday(v->day, day)) rebalance_all(m, venue, EW_THIRD_FRIDAY);
}

static enum err close_universes(struct market *m, uint32_t venue, int32_t day)
{
    for (size_t i = 0; i < m->universes_n; i++) {
        struct universe *u = &m->universes[i];
        if (u->book || u->venue != venue) continue;
        if (!u->based && u->total > 0 && coverage_suffices(m, coverage_of(m, u)))
            universe_start(&m->store, u);
        enum err e = u->based ? universe_close_day(&m->store, u, day) : ERR_OK;
        if (e) return e;
    }
    return ERR_OK;
}

/* Of MEANING_FIRST. */
static enum err close_instruments(struct market *m, int32_t day)
{
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        if (!x->priced) continue;
        enum err e = market_add_close(m, x, day, x->price_e8);
        if (e) return e;
    }
    return ERR_OK;
}

/* The session in progress ends: levels and closes are its official closes', or the last prices. */
static enum err end_session(struct market *m, uint32_t venue)
{
    struct venue *v = &m->venues[venue];
    int32_t day = v->day;
    bool official = m->settings.meaning >= MEANING_SECOND;
    if (!VEC_GROW(&v->ended, &v->ended_cap, v->ended_n + 1)) return ERR_NOMEM;
    v->ended[v->ended_n++] = day;
    v->ended_turn = m->ended_turn = m->turn;
    v->in_session = false;
    v->official_ns = 0;
    venues_set_due(m);
    coverage_session_ends(m, venue);
    quality_session_ends(m, venue, day);
    if (official) closes_settle(m, venue, day);
    if (m->awaited_n) actions_children(m);
    if (m->awaited_n) quality_children(m, venue, day);
    enum err e = close_universes(m, venue, day);
    if (!e) membership_visits_end(m, venue, day);
    if (!e) e = official ? closes_kept(m, venue, day) : close_instruments(m, day);
    series_session(m);
    return e;
}

enum err session_price(struct market *m, uint32_t venue, int32_t day)
{
    struct venue *v = &m->venues[venue];
    if (v->day != NO_DAY && day <= v->day) return ERR_OK;
    if (session_would_end(m, venue, day)) {
        enum err e =
            end_session(m, venue); /* for who applies records without asking engine_presumes_end */
        if (e) return e;
        series_touch_all(m);
    }
    if (v->day != NO_DAY) begin_session(m, venue, day);
    coverage_session_begins(m, venue, v->day != NO_DAY ? v->day : day);
    v->day = day;
    v->no++;
    v->in_session = true;
    venues_set_due(m);
    actions_open(m, venue, day);
    series_session(m);
    return ERR_OK;
}

/* An end that was presumed, and the same end said; one that nothing began. */
static enum err end_again(const struct market *m, const struct venue *v, int32_t day,
                          struct why *why)
{
    char text[DATE_TEXT_MAX];
    if (m->settings.meaning < MEANING_SECOND || venue_has_ended(v, day)) return ERR_OK;
    date_format(day, text);
    return err_set(why, ERR_INVALID,
                   "session %s has no price that came before a later session began: it cannot end",
                   text);
}

static enum err end_at(struct market *m, uint32_t venue, int32_t day, bool presumed,
                       struct why *why)
{
    struct venue *v = &m->venues[venue];
    struct session s;
    enum err e = v->calendar ? calendar_on(v->calendar, day, &s, why) : ERR_OK;
    if (e) return ERR_INVALID;
    const bool over = v->day != NO_DAY && (day < v->day || (day == v->day && !v->in_session));
    e = over ? end_again(m, v, day, why) : session_price(m, venue, day);
    if (e) return e;
    if (!presumed && (v->said_day == NO_DAY || day > v->said_day)) v->said_day = day;
    return over ? ERR_OK : end_session(m, venue);
}

/* A feed that names no venue means those it has sent prices of: one of New York and Tokyo that
 * says 2024-07-04 has ended means Tokyo, since New York has no such session, and one that says
 * 2024-07-05 at 20:05 UTC both, Tokyo's having ended by its calendar fourteen hours before,
 * which changes nothing. */
static enum err end_everywhere(struct market *m, int32_t day, bool presumed, struct why *why)
{
    char text[DATE_TEXT_MAX];
    date_format(day, text);
    enum err last = err_set(why, ERR_INVALID,
                            "no venue has had a price in a session of %s: it cannot end", text);
    bool ended = false;
    for (uint32_t venue = 0; venue < m->venues_n; venue++) {
        if (m->venues[venue].day == NO_DAY) continue;
        enum err e = end_at(m, venue, day, presumed, why);
        if (e == ERR_NOMEM) return e;
        if (e) last = e;
        else ended = true;
    }
    return ended ? ERR_OK : last;
}

enum err session_end(struct market *m, uint32_t venue, int32_t day, bool presumed, struct why *why)
{
    if (venue == NONE && m->venues_n > 1) return end_everywhere(m, day, presumed, why);
    return end_at(m, venue == NONE ? 0 : venue, day, presumed, why);
}

bool session_would_end(const struct market *m, uint32_t venue, int32_t day)
{
    const struct venue *v = &m->venues[venue];
    return m->settings.meaning >= MEANING_SECOND && v->in_session && day > v->day;
}

/* ---- windows ---- */
static int32_t day_at(const struct days *d, long i)
{
    return *(const int32_t *)((const char *)d->first + (size_t)i * d->stride);
}

/* The last element at or before that day; -1: all are later. */
static long last_until(const struct days *d, int32_t day)
{
    long low = 0, high = (long)d->n;
    while (low < high) {
        long mid = (low + high) / 2;
        if (day_at(d, mid) <= day) low = mid + 1;
        else high = mid;
    }
    return low - 1;
}

/* The same day some months ago; 31 March less a month is the last of February. */
static int32_t months_before(int32_t day, int months)
{
    struct civil c = civil_from_day(day);
    int n = c.year * 12 + c.month - 1 - months;
    int32_t first = day_from_civil(n / 12, n % 12 + 1, 1),
            next = day_from_civil((n + 1) / 12, (n + 1) % 12 + 1, 1);
    return first + c.day - 1 < next ? first + c.day - 1 : next - 1;
}

/* Closes of Monday, Tuesday and Wednesday are kept, window 1d:
 *
 *     Thursday, in session         3 - 1 - 0 = 2, Wednesday's: how far Thursday has come
 *     Thursday's session is over   4 - 1 - 1 = 2, Wednesday's still: how far Thursday went
 *     Friday's first price         4 - 1 - 0 = 3, Thursday's
 *
 * and 5d has no start before there are five. Months count from the session's day, and start at the
 * last session at or before it; `ytd` starts at the last session of the year before. */
long window_start(const struct venue *v, enum window_choice w, const struct days *d)
{
    static const int sessions[] = {
        [WINDOW_1D] = 1, [WINDOW_5D] = 5, [WINDOW_20D] = 20, [WINDOW_60D] = 60, [WINDOW_ALL] = 0
    };
    static const int months[] = { [WINDOW_3MO] = 3,   [WINDOW_6MO] = 6,   [WINDOW_12MO] = 12,
                                  [WINDOW_18MO] = 18, [WINDOW_36MO] = 36, [WINDOW_ALL] = 0 };
    if (d->n == 0 || v->day == NO_DAY) return -1; /* nothing has begun: no day to count from */
    if (w == WINDOW_ALL) return 0;
    if (w == WINDOW_YTD)
        return last_until(d, day_from_civil(civil_from_day(v->day).year, 1, 1) - 1);
    if (months[w]) return last_until(d, months_before(v->day, months[w]));
    long at = (long)d->n - sessions[w] - (v->in_session ? 0 : 1);
    return at < 0 ? -1 : at;
}

double window_years(const struct venue *v, enum window_choice w, int32_t from)
{
    static const double years[] = {
        [WINDOW_1D] = 1 / 252.0,   [WINDOW_5D] = 5 / 252.0, [WINDOW_20D] = 20 / 252.0,
        [WINDOW_60D] = 60 / 252.0, [WINDOW_3MO] = 0.25,     [WINDOW_6MO] = 0.5,
        [WINDOW_12MO] = 1,         [WINDOW_18MO] = 1.5,     [WINDOW_36MO] = 3,
        [WINDOW_ALL] = 0
    };
    return years[w] > 0 ? years[w] : (double)(v->day - from) / 365.25;
}
