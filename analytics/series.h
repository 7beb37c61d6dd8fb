/* series.h - measures being computed: they begin, are asked for, are moved by records and by one
 * another, are read, and go.
 *
 * Series form a graph without cycles: each has one subject, which is an instrument, a universe,
 * or a series that was there before it. A record moves the sources (market_touch), then the
 * moves go through the graph (series_settle), each series after what it is taken of. A reading
 * is made at most once a record, and only for who looks: rules, a stored sample, a picture, or a
 * series that is taken of it.
 *
 * Who asks: an index for its own measures and the configuration (configured), rules (asked),
 * live series taken of it (parents). One that nobody asks for is not live: not moved, sampled or
 * shown; its number stays its own. */
#ifndef TOCSIN_ANALYTICS_SERIES_H
#define TOCSIN_ANALYTICS_SERIES_H
#include "analytics/market.h"

/* Finds or adds it, and what it is taken of. `tenant` is set for what a book stands at the
 * bottom of, else none. The subject must exist (a book need not). Asks for nothing yet. */
MUST_USE enum err series_track(struct market *m, struct uuid tenant, const struct measure *measure,
                               uint32_t *out, struct why *why);
/* Would series_track succeed? Changes nothing. */
MUST_USE enum err series_can_track(const struct market *m, struct uuid tenant,
                                   const struct measure *measure, struct why *why);
/* The values that a measure whose subject is known can have. */
struct range series_range(const struct market *m, const struct measure *x);
uint32_t series_find(const struct market *m, struct uuid tenant,
                     const char *canonical); /* NONE: there is none */

MUST_USE enum err series_configure(struct market *m, uint32_t series);
MUST_USE enum err series_ask(struct market *m, uint32_t series,
                             int by); /* a rule comes (1) or goes (-1) */
/* All rules are gone, and what only they asked for is not live any more. */
MUST_USE enum err series_unask(struct market *m);
/* Another series that is not taken of it looks at it (1), or no longer (-1). */
MUST_USE enum err series_lean(struct market *m, uint32_t series, int by);
void series_watch(struct market *m, uint32_t series,
                  int by); /* it looks at every move, or no longer */
/* Settings have come that say whether unasked series go. */
MUST_USE enum err series_review(struct market *m);

/* An instrument has another symbol: so have the texts of the series on it, which stay the series
 * they are; m->renamed lists them. ERR_NOMEM. */
MUST_USE enum err series_rename(struct market *m, uint32_t instrument);

/* ---- moves, while a record is applied ---- */
void series_touch(struct market *m, uint32_t first); /* of an instrument or universe: its chain */
void series_touch_cause(struct market *m, unsigned causes); /* those that prices do not move */
void series_touch_all(struct market *m);
MUST_USE enum err series_settle(struct market *m); /* touched -> moved */
/* A session has begun or ended: windows start anew. */
void series_session(struct market *m);
/* Readings are due, or a session has ended: which series' are stored (`tells`), and of each that
 * has a value how far its values reach. */
void series_sampled(struct market *m, bool end);

/* ---- reading ---- */
/* As of the last record, made at most once; valid until the next record. */
const struct reading *series_reading(const struct market *m, uint32_t series);
/* For the kinds: there is no value; or there is one (value, coverage, event_ns, status set), to
 * which age and gates apply: its age against the bound counts in the hours in which its venue
 * trades. */
void reading_none(struct reading *out);
void reading_finish(const struct market *m, uint32_t venue, struct reading *r);
/* Whose sessions its windows count: its instrument's or index's; of what has none, such as a
 * book or news, the first index's. */
uint32_t series_venue(const struct market *m, const struct series *s);
static inline const struct venue *series_sessions(const struct market *m, const struct series *s)
{
    return &m->venues[series_venue(m, s)];
}
/* The `end` of a kind that keeps no more than a window. */
void series_drop_window(struct market *m, struct series *s);
const struct instrument *series_instrument(const struct market *m, const struct series *s);
struct universe *series_universe(const struct market *m, const struct series *s);

/* For save.c: its place in the chains and maps, after the fields that are saved are there. */
MUST_USE enum err series_restore(struct market *m, uint32_t series, struct why *why);

/* return=price or total, of levels and returns. */
enum return_choice { RETURN_PRICE, RETURN_TOTAL };
extern const char *const return_names[]; /* NULL-ended */
#define RETURN_PARAM                                                                               \
    { .name = "return",                                                                            \
      .help =                                                                                      \
          "of the price alone, or with dividends put back in at the close of their ex-session",    \
      .type = PARAM_CHOICE,                                                                        \
      .choices = return_names,                                                                     \
      .missing = RETURN_PRICE }
#endif
