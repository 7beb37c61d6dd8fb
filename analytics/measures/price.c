/* price.c - last and ret: what one instrument trades at, and how far that is from a close.
 *
 * Closes of 100 on Monday and 102 on Tuesday, and 105.06 on Wednesday: ret(A) is 100 * (105.06 /
 * 102 - 1) = 3, also when Wednesday is over; with Thursday's first price it is measured from
 * Wednesday's close.
 *
 * Closes of 18.27 and -37.63, of an instrument that may have such: -305.97 %, to below 0. From
 * -37.63 on there is no per cent, and no value: no_base, whatever comes; `last` goes on. */
#include "analytics/measures/returns.h"

#include "analytics/actions.h"
#include "analytics/series.h"
#include "analytics/session.h"

#include <math.h>

static void price_reading(const struct market *m, const struct instrument *x, double value,
                          enum reading_status status, struct reading *out)
{
    *out = (struct reading){ .value = value,
                             .coverage = 1,
                             .event_ns = x->price_ns,
                             .status = x->ended ? READING_ENDED : status };
    reading_finish(m, x->venue, out);
    if (x->refused && reading_has_value(out->status)) out->status = READING_REFUSED;
}

static void read_last(const struct market *m, const struct series *s, struct reading *out)
{
    const struct instrument *x = series_instrument(m, s);
    if (!x->priced) reading_none(out);
    else price_reading(m, x, (double)x->price_e8 / 1e8, READING_OK, out);
}

static int64_t last_e8(const struct market *m, const struct series *s)
{
    return series_instrument(m, s)->price_e8;
}

static struct range last_range(const struct measure *x, bool negative)
{
    const double largest = PRICE_MAX_E8 / 1e8;
    (void)x;
    return negative ? (struct range){ RANGE_FROM(-largest), RANGE_UP_TO(largest) }
                    : (struct range){ RANGE_ABOVE(0), RANGE_UP_TO(largest) };
}

static void price_inputs(const struct market *m, const struct series *s, struct json_writer *w)
{
    json_put_real(w, "price", (double)series_instrument(m, s)->price_e8 / 1e8);
}

/* ---- ret: the close its window starts at is looked up when a session begins or ends, not on each tick ---- */
enum { RET_WINDOW, RET_RETURN };
enum { CLOSES_MAX = 1200 }; /* 36 months of sessions, weekends too */

static uint32_t first_close(const struct market *m, uint32_t c)
{
    while (c != NONE && m->closes[c].previous != NONE) c = m->closes[c].previous;
    return c;
}

/* The chain of closes runs backwards: it is unrolled as far as a window can reach. */
static void find_close(const struct market *m, struct series *s)
{
    enum window_choice w = (enum window_choice)s->args.v[RET_WINDOW];
    int32_t day[CLOSES_MAX];
    uint32_t number[CLOSES_MAX], c = series_instrument(m, s)->last_close;
    size_t at = CLOSES_MAX;
    s->start = NONE;
    if (w == WINDOW_ALL) {
        s->start = first_close(m, c);
        return;
    }
    for (; c != NONE && at > 0; c = m->closes[c].previous) {
        day[--at] = m->closes[c].day;
        number[at] = c;
    }
    long start = window_start(&m->venues[series_instrument(m, s)->venue], w,
                              &(struct days){ day + at, sizeof *day, CLOSES_MAX - at });
    if (start >= 0) s->start = number[at + (size_t)start];
}

/* A price above 0 is more than no part of a close. */
static struct range ret_range(const struct measure *x, bool negative)
{
    (void)x;
    return negative ? (struct range){ 0 } : (struct range){ RANGE_ABOVE(-100) };
}

/* A price and the session that it is of. */
struct dated {
    int64_t e8;
    int32_t day;
};

/* While a session is open the price that stands; from its close on its last regular one, and
 * from its end to the next one's begin its close, however trades go on. As it came: the rounded
 * price that a split leaves standing until the next one comes is no one's. */
static struct dated newest(const struct market *m, const struct instrument *x)
{
    const struct venue *v = &m->venues[x->venue];
    bool closed = m->settings.meaning >= MEANING_SECOND && !v->in_session && x->last_close != NONE
                  && m->closes[x->last_close].day == v->day;
    if (closed) return (struct dated){ m->closes[x->last_close].price_e8, v->day };
    const bool traded = m->settings.meaning >= MEANING_SECOND && x->regular_day == x->price_day;
    if (traded && x->price_day == v->day) return (struct dated){ x->regular_e8, v->day };
    return (struct dated){ x->price_day < x->based_day ? x->carried_e8 : x->price_e8,
                           x->price_day };
}

/* 100 * (now - close) / close, in shares of then: a share at 400 that has become four at 103 has
 * risen by 3 per cent. */
static double return_pct(const struct market *m, const struct instrument *x, struct dated now,
                         struct dated then)
{
    if (x->based_day > then.day) {
        const struct basis b = actions_between(m, x, then.day, now.day);
        if (b.to != b.from && now.e8 < 0) /* it was split before it might have such prices */
            return 100 * (ratio(now.e8, then.e8) * ratio(b.to, b.from) - 1);
        if (b.to != b.from)
            return ratio_of_difference(100, (struct product){ now.e8, b.to },
                                       (struct product){ then.e8, b.from },
                                       (struct product){ then.e8, b.from });
    }
    return ratio(100 * ((i128)now.e8 - then.e8), then.e8);
}

/* The price at the end of that session, or of the first one after it that has one; while there
 * is none yet, the newest. */
static struct dated close_at(const struct market *m, const struct instrument *x, int32_t day)
{
    struct dated at = newest(m, x);
    for (uint32_t c = x->last_close; c != NONE && m->closes[c].day >= day;
         c = m->closes[c].previous)
        at = (struct dated){ m->closes[c].price_e8, m->closes[c].day };
    return at;
}

/* ---- return=total ----
 *
 * 400, ex-session with 4 paid and a close of 398, then 402. A share has become 1 + 4 / 398
 * shares, so that 402 are worth 402 * (1 + 4 / 398) = 406.04: 100 * (406.04 / 400 - 1) = 1.51
 * per cent. During the ex-session the price that stands is taken for its close: 402 then are 402
 * + 4. A split between the ex-session and the close taken for it divides the dividend too. */
/* What a share grew into by dividends of the sessions after `after` until `until`, each put back
 * in at its ex-session's close: 1 paid at 100 is 1.01 shares. */
static double shares_of_one(const struct market *m, const struct instrument *x, int32_t after,
                            int32_t until)
{
    double shares = 1;
    for (uint32_t no = x->first_action; no != NONE; no = m->actions[no].next) {
        const struct action *a = &m->actions[no];
        if (a->kind != ACTION_DIVIDEND || !a->applied || a->day <= after || a->day > until)
            continue;
        const struct dated at = close_at(m, x, a->day);
        if (at.e8 <= 0) continue; /* nothing can be bought with it */
        const struct basis b = actions_between(m, x, a->day, at.day);
        shares *= 1
                  + ratio_of_products((struct product){ a->amount_e8, b.from },
                                      (struct product){ at.e8, b.to });
    }
    return shares;
}

static double total_return_pct(const struct market *m, const struct instrument *x, struct dated now,
                               struct dated then)
{
    const double shares = shares_of_one(m, x, then.day, now.day);
    if (shares == 1 || now.e8 <= 0) return return_pct(m, x, now, then);
    const struct basis b = actions_between(m, x, then.day, now.day);
    return 100
           * (ratio_of_products((struct product){ now.e8, b.to },
                                (struct product){ then.e8, b.from })
                  * shares
              - 1);
}

bool returns_of_session(const struct market *m, const struct instrument *x, double *pct)
{
    const struct venue *v = &m->venues[x->venue];
    uint32_t c = x->last_close;
    while (c != NONE && m->closes[c].day >= v->day) c = m->closes[c].previous;
    if (!x->priced || c == NONE || m->closes[c].price_e8 <= 0) return false;
    *pct =
        return_pct(m, x, newest(m, x), (struct dated){ m->closes[c].price_e8, m->closes[c].day });
    return true;
}

static void read_ret(const struct market *m, const struct series *s, struct reading *out)
{
    const struct instrument *x = series_instrument(m, s);
    if (!x->priced) {
        reading_none(out);
        return;
    }
    if (s->start == NONE) {
        price_reading(m, x, NAN, READING_NO_HISTORY, out);
        return;
    }
    const struct close *c = &m->closes[s->start];
    if (c->price_e8 <= 0) { /* what rose from there, or fell further, did so by no part of it */
        price_reading(m, x, NAN, READING_NO_BASE, out);
        return;
    }
    const struct dated then = { c->price_e8, c->day };
    const bool total = s->args.v[RET_RETURN] == RETURN_TOTAL;
    price_reading(m, x,
                  total ? total_return_pct(m, x, newest(m, x), then)
                        : return_pct(m, x, newest(m, x), then),
                  READING_OK, out);
}

const struct measure_kind measure_last = {
    .name = "last",
    .phrase = "price",
    .unit = "USD",
    .range_of = last_range,
    .ranges = "above 0 and at most 90000000; of instruments with `negative_prices` from -90000000",
    .formula = "price of the newest trade or official close",
    .source = "metrics.md: a price as it came",
    .version = 1,
    .subjects = SUBJECT_INSTRUMENT,
    .moved_by = CAUSE_PRICE,
    .page = { .decimals = 2 },
    .read = read_last,
    .inputs = price_inputs,
    .exact_e8 = last_e8,
};

const struct measure_kind measure_ret = {
    .name = "ret",
    .phrase = "return, {window}",
    .unit = "%",
    .range_of = ret_range,
    .ranges =
        "above -100; of instruments with `negative_prices` any number, and none where the close is 0 or below",
    .formula =
        "100 * (last - close) / close, the close at the window's start, rounded once, a close of before a split or the like per share of now; return=total: times the shares that dividends buy at the close of their ex-session; once the venue has closed its last regular price, and from the session's end to the next one's begin its close, in place of last; default window 1d",
    .source = "metrics.md 2: k-period return",
    .version = 2,
    .subjects = SUBJECT_INSTRUMENT,
    .moved_by = CAUSE_PRICE,
    .params = { [RET_WINDOW] = { .name = "window",
                                 .help =
                                     "sessions or calendar months back, the year so far, or all that is kept",
                                 .type = PARAM_CHOICE,
                                 .choices = window_names,
                                 .words = window_words,
                                 .missing = WINDOW_1D },
                [RET_RETURN] = RETURN_PARAM },
    .page = { .decimals = 3, .sign = true },
    .session = find_close,
    .read = read_ret,
    .inputs = price_inputs,
};
