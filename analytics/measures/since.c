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

/* `no` is the session in progress, or the last one that ended: its own end is not among those
 * that it is held against, so that what is said at the end of a session stays until the next one
 * begins. false: no session has ended since there is a history. */
static bool find_since(const struct market *m, const struct series *s, struct window_since *out)
{
    const struct reading *now = series_reading(m, s->subject);
    return reading_has_value(now->status) && s->window
           && window_since(s->window, series_sessions(m, s)->no, now->value, out);
}

/* The day of a session by its number, from 1; NO_DAY: one that an older program forgot. */
static int32_t day_of_session(const struct venue *v, int64_t no)
{
    return no < 1 || (size_t)no > v->ended_n ? NO_DAY : v->ended[no - 1];
}

/* From the end of that session to this one's day: by the number of sessions, or by the calendar, a
 * year being 365.25 days. NAN: it is not known when that was. */
static double time_since(const struct venue *v, const struct series *s, int64_t at)
{
    if (s->args.v[UNIT] == UNIT_SESSIONS) return (double)(v->no - at);
    const int32_t day = day_of_session(v, at);
    if (day == NO_DAY) return NAN;
    return (double)(v->day - day) / (s->args.v[UNIT] == UNIT_YEARS ? 365.25 : 1);
}

/* Its coverage, age and status are the subject's: of what is stale or low in coverage it is no
 * better. */
static void read_since(const struct market *m, const struct series *s, struct reading *out)
{
    struct window_since since;
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    out->value = find_since(m, s, &since) ? time_since(series_sessions(m, s), s, since.at) : NAN;
    if (isnan(out->value)) out->status = READING_NO_HISTORY;
}

/* ---- where it came from ---- */

static void put_day(const struct venue *v, int64_t no, const char *name, struct json_writer *w)
{
    char text[DATE_TEXT_MAX];
    const int32_t day = day_of_session(v, no);
    if (day == NO_DAY) return;
    date_format(day, text);
    json_put_text(w, name, text);
}

/* "the highest since 24 March 2000, when it was 91.2", "the lowest on record, which begins 8
 * February 2013". */
static void put_says(const struct venue *v, const struct series *inner, double now,
                     const struct window_since *since, bool high, struct json_writer *w)
{
    AUTO_BUF struct buf tail = { 0 };
    char text[DATE_WORDS_MAX] = "";
    const int32_t day = day_of_session(v, since->at);
    if (day == NO_DAY) return;
    date_words(day, text);
    buf_printf(&tail, "the %s %s %s", high ? "highest" : "lowest",
               since->record ? "on record, which begins" : "since", text);
    if (!since->record) {
        buf_puts(&tail, ", when it was ");
        sentence_value(inner, since->value, &tail);
    }
    sentence_put(inner, now, &tail, w);
}

/* For the sentence of an alert: since which day, what it was then, from which day on there is a
 * history, and whether it may still change before the session's end. */
static void put_inputs(const struct market *m, const struct series *s, bool high,
                       struct json_writer *w)
{
    const struct series *inner = &m->series[s->subject];
    const struct venue *v = series_sessions(m, s);
    const double now = series_reading(m, s->subject)->value;
    struct window_since since;
    json_put_text(w, "of", inner->text);
    json_put_real(w, "now", now);
    if (find_since(m, s, &since)) {
        json_put_bool(w, "record", since.record);
        if (!since.record) {
            put_day(v, since.at, "since", w);
            json_put_real(w, "then", since.value);
        }
        json_put_int(w, "sessions", v->no - since.at);
        put_day(v, s->window->first_at, "history_from", w);
        json_put_bool(w, "provisional", v->in_session);
        put_says(v, inner, now, &since, high, w);
    }
    json_put_object(w, "inputs");
    inner->kind->inputs(m, inner, w);
    json_put_end(w);
}

static void high_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    put_inputs(m, s, true, w);
}
static void low_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    put_inputs(m, s, false, w);
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
        "sessions (days, years) since the last one at whose end x was as high as now or higher; where there is none, since the first",
    .source = "metrics.md 3: highest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [UNIT] = UNIT_PARAM },
    .page = { .decimals = NO_DECIMALS },
    .begin = begin_highs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = high_inputs,
};

const struct measure_kind measure_lowest_since = {
    .name = "lowest_since",
    .units = "sessions, days or years",
    .unit_of = since_unit,
    .range_of = since_range,
    .ranges = "1 or more; of years, above 0",
    .formula =
        "sessions (days, years) since the last one at whose end x was as low as now or lower; where there is none, since the first",
    .source = "metrics.md 3: lowest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .params = { [UNIT] = UNIT_PARAM },
    .page = { .decimals = NO_DECIMALS },
    .begin = begin_lows,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = low_inputs,
};
