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
#include "analytics/series.h"
#include "analytics/session.h"
#include "analytics/window.h"

#include <math.h>

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
 * begins. Its coverage, age and status are the subject's: of what is stale or low in coverage
 * it is no better. */
static void read_since(const struct market *m, const struct series *s, struct reading *out)
{
    const int32_t no = series_sessions(m, s)->no;
    struct window_since since;
    *out = *series_reading(m, s->subject);
    if (!reading_has_value(out->status)) return;
    if (!s->window || !window_since(s->window, no, out->value, &since)) {
        out->value = NAN;
        out->status = READING_NO_HISTORY;
        return;
    }
    out->value = (double)(no - since.at);
}

/* The day of a session by its number; of one that an older program forgot, none. */
static void put_day(const struct venue *v, int64_t no, const char *name, struct json_writer *w)
{
    char day[DATE_TEXT_MAX];
    if (no < 1 || (size_t)no > v->ended_n) return;
    date_format(v->ended[no - 1], day);
    json_put_text(w, name, day);
}

/* For the sentence of an alert: since which day, what it was then, from which day on there is a
 * history, and whether it may still change before the session's end. */
static void since_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    const struct series *inner = &m->series[s->subject];
    const struct venue *v = series_sessions(m, s);
    const double now = series_reading(m, s->subject)->value;
    struct window_since since;
    json_put_text(w, "of", inner->text);
    json_put_real(w, "now", now);
    if (s->window && isfinite(now) && window_since(s->window, v->no, now, &since)) {
        json_put_bool(w, "record", since.record);
        if (!since.record) {
            put_day(v, since.at, "since", w);
            json_put_real(w, "then", since.value);
        }
        put_day(v, s->window->first_at, "history_from", w);
        json_put_bool(w, "provisional", v->in_session);
    }
    json_put_object(w, "inputs");
    inner->kind->inputs(m, inner, w);
    json_put_end(w);
}

const struct measure_kind measure_highest_since = {
    .name = "highest_since",
    .unit = "sessions",
    .range = { RANGE_FROM(1) },
    .formula =
        "sessions since the last one at whose end x was as high as now or higher; where there is none, since the first",
    .source = "metrics.md 3: highest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .page = { .decimals = NO_DECIMALS },
    .begin = begin_highs,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = since_inputs,
};

const struct measure_kind measure_lowest_since = {
    .name = "lowest_since",
    .unit = "sessions",
    .range = { RANGE_FROM(1) },
    .formula =
        "sessions since the last one at whose end x was as low as now or lower; where there is none, since the first",
    .source = "metrics.md 3: lowest_since, by a monotone stack",
    .version = 1,
    .subjects = SUBJECT_SERIES,
    .moved_by = CAUSE_SUBJECT,
    .page = { .decimals = NO_DECIMALS },
    .begin = begin_lows,
    .end = series_drop_window,
    .subject_moved = put_reading,
    .read = read_since,
    .inputs = since_inputs,
};
