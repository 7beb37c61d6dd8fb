/* since.c - highest_since, lowest_since: for how many sessions a measure has not been as high, or
 * as low, as it is now (metrics.md 3).
 *
 *     session ends   84   91   88   86   87        and now 89
 *     highest_since  3: at the end of the second it was 91; of the three ends after that none
 *                    reached 89
 *     now 92         5, and a record: it was never so high since the first; how far back that is,
 *                    is all that can be said
 *
 * Against the ends of sessions, and before its own end provisional: "now" may still fall. The
 * history is that of the series since somebody first asked for it: track it from the beginning of
 * the data to ask what the data know. */
#include "analytics/measures/since.h"

#include "analytics/measures/sentence.h"
#include "analytics/series.h"
#include "analytics/session.h"
#include "analytics/window.h"

#include <math.h>

enum { UNIT };
enum { UNIT_SESSIONS, UNIT_DAYS, UNIT_YEARS };
static const char *const unit_names[] = {
    [UNIT_SESSIONS] = "sessions", [UNIT_DAYS] = "days", [UNIT_YEARS] = "years", NULL
};

static const char *since_unit(const struct measure *x) { return unit_names[x->args.v[UNIT]]; }

static struct range since_range(const struct measure *x, bool negative)
{
    (void)negative;
    return x->args.v[UNIT] == UNIT_YEARS ? (struct range){ RANGE_ABOVE(0) }
                                         : (struct range){ RANGE_FROM(1) };
}

static enum err remember(const struct market *m, struct series *s, const struct reading *r)
{
    if (!reading_has_value(r->status)) return ERR_OK;
    return window_put(s->window, series_sessions(m, s)->no, r->value);
}

static enum err put_reading(const struct market *m, struct series *s, const struct reading *r)
{
    const struct venue *v = series_sessions(m, s);
    return session_has_moves(m, v) ? remember(m, s, r) : ERR_OK;
}

static enum err begin_ends(struct market *m, struct series *s, enum window_keeps keeps)
{
    s->window = window_of_ever(keeps);
    if (!s->window) return ERR_NOMEM;
    return remember(m, s, series_reading(m, s->subject));
}

static enum err begin_highs(struct market *m, struct series *s)
{
    return begin_ends(m, s, WINDOW_HIGH_ENDS);
}
static enum err begin_lows(struct market *m, struct series *s)
{
    return begin_ends(m, s, WINDOW_LOW_ENDS);
}

/* The day of a session by its number, from 1; NO_DAY: one that an older program forgot. */
static int32_t day_of_session(const struct venue *v, int64_t no)
{
    if (no == v->no) return v->day;
    return no < 1 || (size_t)no > v->ended_n ? NO_DAY : v->ended[no - 1];
}

static bool is_high(const struct series *s) { return s->window->keeps == WINDOW_HIGH_ENDS; }

/* Never so high since the seam: since when, in what lies before it. */
static void look_before_seam(const struct market *m, const struct series *s, double now,
                             int64_t since_seam, struct since_found *out)
{
    const size_t n = histories_before(m, out->history, out->seam);
    const long at = histories_reached(m, out->history, out->seam, now, is_high(s));
    if (n == 0) return;
    const struct history_point *p = histories_point(m, out->history, at < 0 ? 0 : (size_t)at);
    out->record = at < 0;
    out->day = p->day;
    out->value = at < 0 ? NAN : p->value;
    out->sessions = since_seam + (int64_t)n - (at < 0 ? 0 : at);
}

/* `no` is the session in progress, or the last one that ended: its own end is not among those
 * that it is held against, so that what is said at the end of a session stays until the next one
 * begins. false: there is nothing that it could be held against. */
bool since_find(const struct market *m, const struct series *s, struct since_found *out)
{
    const struct reading *now = series_reading(m, s->subject);
    const struct venue *v = series_sessions(m, s);
    const struct window *w = s->window;
    struct window_since own = { .record = true, .value = NAN };
    if (!reading_has_value(now->status) || !w || !w->begun) return false;
    const bool any = window_since(w, v->no, now->value, &own);
    *out = (struct since_found){ own.record,
                                 any ? day_of_session(v, own.at) : NO_DAY,
                                 own.value,
                                 any ? v->no - own.at : 0,
                                 day_of_session(v, w->first_at),
                                 histories_of(m, m->series[s->subject].text) };
    if (own.record && out->history && out->seam != NO_DAY)
        look_before_seam(m, s, now->value, v->no - w->first_at, out);
    return out->sessions > 0;
}

/* From the end of that session to this one's day: by the number of sessions, or by the calendar, a
 * year being 365.25 days. NAN: it is not known when that was. */
static double time_since(const struct venue *v, const struct series *s, const struct since_found *f)
{
    if (s->args.v[UNIT] == UNIT_SESSIONS) return (double)f->sessions;
    if (f->day == NO_DAY) return NAN;
    return (double)(v->day - f->day) / (s->args.v[UNIT] == UNIT_YEARS ? 365.25 : 1);
}

/* Its coverage, age and status are the subject's: of what is stale or low in coverage it is no
 * better. */
static void read_since(const struct market *m, const struct series *s, struct reading *out)
{
    struct since_found found;
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    out->value = since_find(m, s, &found) ? time_since(series_sessions(m, s), s, &found) : NAN;
    if (isnan(out->value)) out->status = READING_NO_HISTORY;
}

/* ---- where it came from ---- */

static void put_day(int32_t day, const char *name, struct json_writer *w)
{
    char text[DATE_TEXT_MAX];
    if (day == NO_DAY) return;
    date_format(day, text);
    json_put_text(w, name, text);
}

/* "the highest since 24 March 2000, when it was 91.2 (before 8 February 2016: the index provider)",
 * "the lowest on record, which begins 8 February 2013". */
void since_words(const struct market *m, const struct series *s, const struct since_found *f,
                 struct buf *out)
{
    char text[DATE_WORDS_MAX] = "";
    if (f->day == NO_DAY) return;
    date_words(f->day, text);
    buf_printf(out, "the %s %s %s", is_high(s) ? "highest" : "lowest",
               f->record ? "on record, which begins" : "since", text);
    if (!f->record) {
        buf_puts(out, ", when it was ");
        sentence_value(&m->series[s->subject], f->value, out);
    }
    if (f->history && f->day < f->seam) {
        date_words(f->seam, text);
        buf_printf(out, " (before %s: %s)", text,
                   f->history->source[0] ? f->history->source : "imported");
    }
}

/* For the sentence of an alert: since which day, what it was then, from which day on there is a
 * history, whose word that is before the seam, and whether it may still change before the
 * session's end. */
static void put_found(const struct market *m, const struct series *s, const struct since_found *f,
                      struct json_writer *w)
{
    json_put_bool(w, "record", f->record);
    if (!f->record) {
        put_day(f->day, "since", w);
        json_put_real(w, "then", f->value);
    }
    json_put_int(w, "sessions", f->sessions);
    if (f->history) {
        put_day(histories_point(m, f->history, 0)->day, "history_from", w);
        put_day(f->seam, "seam", w);
        json_put_text(w, "before_seam", f->history->source);
    } else put_day(f->seam, "history_from", w);
    json_put_bool(w, "provisional", series_sessions(m, s)->in_session);
}

static void since_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct series *inner = &m->series[s->subject];
    const double now = series_reading(m, s->subject)->value;
    struct since_found found;
    json_put_text(w, "of", inner->text);
    json_put_real(w, "now", now);
    if (since_find(m, s, &found)) {
        put_found(m, s, &found, w);
        AUTO_BUF struct buf tail = { 0 };
        since_words(m, s, &found, &tail);
        sentence_put(inner, now, &tail, w);
    }
    json_put_object(w, "inputs");
    inner->kind->inputs(m, inner, w);
    json_put_end(w);
}

#define UNIT_PARAM                                                                                     \
    { .name = "unit",                                                                                  \
      .help =                                                                                          \
          "sessions, days of the calendar, or years of 365.25 days; `> 20y` of a rule asks for years", \
      .type = PARAM_CHOICE,                                                                            \
      .choices = unit_names,                                                                           \
      .missing = UNIT_SESSIONS }

const struct measure_kind measure_highest_since = {
    .name = "highest_since",
    .units = "sessions, days or years",
    .unit_of = since_unit,
    .range_of = since_range,
    .ranges = "1 or more; of years, above 0",
    .formula =
        "sessions (days, years) since the last one at whose end x was as high as now or higher; where there is none, since the first. What was imported of x lies before its first session here",
    .source = "metrics.md 3: highest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [UNIT] = UNIT_PARAM },
    .page = { .words = "highest in {} {unit}", .decimals = NO_DECIMALS },
    .begin = begin_highs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = since_inputs,
};

const struct measure_kind measure_lowest_since = {
    .name = "lowest_since",
    .units = "sessions, days or years",
    .unit_of = since_unit,
    .range_of = since_range,
    .ranges = "1 or more; of years, above 0",
    .formula =
        "sessions (days, years) since the last one at whose end x was as low as now or lower; where there is none, since the first. What was imported of x lies before its first session here",
    .source = "metrics.md 3: lowest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [UNIT] = UNIT_PARAM },
    .page = { .words = "lowest in {} {unit}", .decimals = NO_DECIMALS },
    .begin = begin_lows,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = since_inputs,
};

bool since_is(const struct measure_kind *kind)
{
    return kind == &measure_highest_since || kind == &measure_lowest_since;
}
