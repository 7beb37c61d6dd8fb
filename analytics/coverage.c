/* coverage.c - see coverage.h. With a bound of 60 s and sessions of 1 and 2 May:
 *
 *   2 May 09:30:00.0   A trades, the first of the day   fresh from 1 May on, until 09:31:00.0: all are covered
 *   2 May 09:31:00.2   the next record                  fresh from 2 May on: those that have not traded are carried
 *   2 May 16:00        the session ends                 those that have no price of 2 May stay carried
 *
 * A line is fresh or not, and a universe's `carried` is the sum of those that are not, kept
 * where values change (universe.c's set_value). Going over all lines is for two moments of a
 * session. */
#include "analytics/coverage.h"

#include "analytics/series.h"

#include <math.h>

/* ---- members that do not count yet ---- */
static struct waiting waiting_of(const struct market *m, const struct universe *u)
{
    struct waiting w = { .known = true };
    for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
        const struct line *l = &m->store.lines[no];
        if (!l->active || l->valued) continue;
        const int64_t price_e8 = m->instruments[l->instrument].price_e8;
        if (price_e8 == 0 || l->shares == 0) w.without_cap++;
        else w.caps += line_value(price_e8, l->shares);
    }
    return w;
}

static bool bounded(const struct market *m)
{
    return m->settings.meaning >= MEANING_SECOND && m->settings.stale_after_ns > 0;
}

static bool is_fresh(const struct market *m, const struct line *l, int32_t day)
{
    const struct instrument *x = &m->instruments[l->instrument];
    return l->active && x->price_e8 && instrument_index_day(x) >= day;
}

/* The bound has run out since the last record, whose prices `fresh` and `carried` still are of. */
static i128 carried_by_now(const struct market *m, const struct universe *u)
{
    const struct venue *v = &m->venues[u->venue];
    if (m->now_ns < v->carry_until_ns || !bounded(m)) return u->carried;
    i128 carried = 0;
    for (uint32_t no = u->first_line; no != NONE; no = m->store.lines[no].next_of_universe) {
        const struct line *l = &m->store.lines[no];
        if (!is_fresh(m, l, v->day)) carried += l->value;
    }
    return carried;
}

double coverage_of_part(const struct market *m, const struct universe *u)
{
    if (u->valued_n == 0) return 0;
    if (m->settings.meaning < MEANING_SECOND) return (double)u->valued_n / (double)u->lines_n;
    struct universe *kept = (struct universe *)u; /* remembering changes no answer */
    if (!u->waiting.known) kept->waiting = waiting_of(m, u);
    if (u->waiting.without_cap) return NAN;
    const i128 all = u->total + u->waiting.caps;
    return all > 0 ? ratio(u->total - carried_by_now(m, u), all) : 0;
}

/* ---- which prices are of now ---- */
static void fresh_from(struct market *m, uint32_t venue, int32_t day)
{
    m->venues[venue].fresh_day = day;
    for (size_t i = 0; i < m->store.lines_n; i++) {
        struct line *l = &m->store.lines[i];
        if (m->universes[l->universe].venue == venue) l->fresh = is_fresh(m, l, day);
    }
    coverage_restore(m);
}

static void find_earliest(struct market *m)
{
    m->carry_until_ns = INT64_MAX;
    for (size_t i = 0; i < m->venues_n; i++)
        if (m->venues[i].carry_until_ns < m->carry_until_ns)
            m->carry_until_ns = m->venues[i].carry_until_ns;
}

static void carry_until(struct market *m, uint32_t venue, int64_t ns)
{
    m->venues[venue].carry_until_ns = ns;
    find_earliest(m);
}

void coverage_restore(struct market *m)
{
    for (size_t i = 0; i < m->universes_n; i++) m->universes[i].carried = 0;
    for (size_t i = 0; i < m->store.lines_n; i++) {
        const struct line *l = &m->store.lines[i];
        if (!l->fresh) m->universes[l->universe].carried += l->value;
    }
    find_earliest(m);
}

/* It is not known yet until when: its first record is being applied. */
void coverage_session_begins(struct market *m, uint32_t venue, int32_t since)
{
    if (!bounded(m)) return;
    m->venues[venue].fresh_day = since;
    carry_until(m, venue, INT64_MIN);
}

void coverage_session_ends(struct market *m, uint32_t venue)
{
    const struct venue *v = &m->venues[venue];
    carry_until(m, venue, INT64_MAX);
    if (bounded(m) && v->fresh_day < v->day) fresh_from(m, venue, v->day);
}

static void come_due(struct market *m, uint32_t venue)
{
    struct venue *v = &m->venues[venue];
    int64_t until = INT64_MAX;
    if (v->carry_until_ns == INT64_MIN) {
        v->begun_ns = m->now_ns;
        if (__builtin_add_overflow(m->now_ns, m->settings.stale_after_ns, &until))
            until = INT64_MAX;
        carry_until(m, venue, until);
        return;
    }
    carry_until(m, venue, INT64_MAX);
    if (!bounded(m)) return; /* an older program's state, which had no such time */
    fresh_from(m, venue, v->day);
    series_touch_all(m);
}

void coverage_due(struct market *m)
{
    for (uint32_t venue = 0; venue < m->venues_n; venue++)
        if (m->now_ns >= m->venues[venue].carry_until_ns) come_due(m, venue);
}

void coverage_review(struct market *m)
{
    for (uint32_t venue = 0; venue < m->venues_n; venue++) {
        if (bounded(m) == (m->venues[venue].fresh_day != NO_DAY)) continue;
        carry_until(m, venue, INT64_MAX);
        fresh_from(m, venue, bounded(m) ? m->venues[venue].day : NO_DAY);
    }
}
