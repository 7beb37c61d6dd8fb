/* engine.h - the pure engine: (state, record) -> (state, readings). No clock, lock, log or
 * socket; event time only.
 *
 * Records are applied one by one in the one order. The same records give the same state and the
 * same readings, bit for bit, live, in a back-test, or after a restart from engine_save. Sums
 * are integers (see universe.h); doubles appear only where a value is read. A record that fails
 * leaves the state as it was. Thread: one at a time owns it. */
#ifndef TOCSIN_ANALYTICS_ENGINE_H
#define TOCSIN_ANALYTICS_ENGINE_H
#include "analytics/market.h"
#include "analytics/measure.h"
#include "analytics/news/news.h"
#include "analytics/reading.h"
#include "core/state_image.h"
#include "ingest/record.h"

#define SERIES_NONE UINT32_MAX

struct engine;

struct engine_output {     /* of the last record applied; overwritten by the next */
    const uint32_t *moved; /* watched series that may have a new value, in a fixed order */
    size_t moved_n;
    const struct quality_flag *flags; /* what looks wrong in it, or what became of what did */
    size_t flags_n;
    const struct divisor_change *divisors; /* of indices, that it has changed */
    size_t divisors_n;
    const struct action_note *actions; /* that it says, or of which something has become */
    size_t actions_n;
    bool
        sample; /* a clock or session end at which readings are stored: of the series that say something new */
    int32_t instrument; /* a new or changed instrument, else -1 */
    /* Of that one: it has a symbol that it had not (engine_symbols); and the one that had the symbol until now, else -1. */
    bool named;
    int32_t retired;
    int32_t issuer; /* a company whose key or instruments are others, else -1: engine_is_of */
    enum trade_place trade; /* of a trade */
    bool ended;             /* a session has: engine_session_ended says of what */
    bool corrects;          /* an official close of a session that had ended */
    bool article;           /* it has been scored: `reading` is that of this record */
    bool retraction;        /* reading.change is, and nothing else of it */
    struct article_reading reading;
};

MUST_USE enum err engine_new(struct engine **out);
/* Its memory, for pictures, the saved state and tests. */
struct market *engine_market(struct engine *e);

void engine_free(struct engine *e); /* NULL is fine */

/* ERR_UNKNOWN_SYMBOL, ERR_UNKNOWN_INDEX, ERR_INVALID with the reason: the record does not count.
 * ERR_NOMEM: give up the process. Rule records are for alerts/; here they only move time. */
MUST_USE enum err engine_apply(struct engine *e, const struct record *r, struct why *why);
/* It takes a number and nothing else: engine_output() is still that of the record before. */
void engine_pass(struct engine *e, const struct record *r);
/* A session that is over before this record counts, though nobody has said so: the calendar's
 * close and the grace are past, or this is a price of a later session that will be applied. Who
 * stores records applies and stores a clock record first that ends it (`presumed`), so that
 * rules see its end, and asks again. */
struct presumed_end {
    int32_t day;
    const char *venue; /* lives as long as the engine does; "": that of UTC days */
    int64_t event_ns;
};
bool engine_presumes_end(struct engine *e, const struct record *r, struct presumed_end *out);
/* Is the instrument or index that it says there already? */
bool engine_knows(const struct engine *e, const struct record *r);
/* Do the sessions that this text says count already? *same is written on ERR_OK. ERR_INVALID: it
 * is no calendar, *problems has why, a line each. ERR_NOMEM. */
MUST_USE enum err engine_has_calendar(const struct engine *e, struct str text, bool *same,
                                      struct buf *problems, struct why *why);
/* Is exactly that history of a measure known (histories.h)? */
bool engine_has_history(const struct engine *e, struct str measure, struct str source,
                        struct str text);
/* The calendar that an instrument or index names and no record has brought yet; empty: none is
 * missing. */
struct str engine_lacks_calendar(const struct engine *e, const struct record *r);
const struct engine_output *engine_output(const struct engine *e);

int64_t engine_now_ns(const struct engine *e); /* the greatest event time so far */
uint64_t engine_seq(const struct engine *e);   /* of the last record applied */

/* Has a session of what the series is about ended with the last record? */
bool engine_session_ended(const struct engine *e, uint32_t series);

/* The first instant by which the market of what the series is about has been open for open_ns
 * since then: later by just that where it has no calendar, or beyond the years of it. */
int64_t engine_open_until(const struct engine *e, uint32_t series, int64_t since_ns,
                          int64_t open_ns);

/* ---- series: measures being computed (series.h) ---- */
/* Finds or adds. `tenant` is set for what a book stands at the bottom of, else none. The subject
 * must exist. Part of the state: call it, and the next two, only while applying a record, so
 * that a replay does the same. */
MUST_USE enum err engine_track(struct engine *e, struct uuid tenant, const struct measure *m,
                               uint32_t *out, struct why *why);
/* A live rule more (1) or less (-1) is on it: one that nobody asks for is dropped. ERR_NOMEM. */
MUST_USE enum err engine_ask(struct engine *e, uint32_t series, int by);
/* How many rules look at it on every move: +1 / -1. */
void engine_watch(struct engine *e, uint32_t series, int by);

/* Would engine_track succeed? Changes nothing. */
MUST_USE enum err engine_can_track(const struct engine *e, struct uuid tenant,
                                   const struct measure *m, struct why *why);
/* The values that it can have, of a subject that is known. */
struct range engine_range(const struct engine *e, const struct measure *m);
/* SERIES_NONE: nobody ever asked for it. */
uint32_t engine_find_series(const struct engine *e, struct uuid tenant, const char *canonical);

struct series_facts {
    struct uuid tenant; /* whose book it is of; none: no book's */
    const char *text, *unit;
    int version;
    bool price;      /* its values are exact decimals at 1e-8: engine_look */
    bool configured; /* everybody may see it; else those who have a rule on it */
    bool live;       /* somebody asks for it */
    bool tells;      /* of the last record that was a `sample`: its reading is stored */
    /* Of the values that it had when readings were stored: how many, the least and the greatest, and when the first was. */
    uint64_t seen_n;
    double low, high;
    int64_t seen_ns;
};
size_t engine_series_count(const struct engine *e);
/* Another number whenever a series has come, gone, or become everybody's. */
uint64_t engine_series_generation(const struct engine *e);
struct series_facts engine_series_facts(const struct engine *e, uint32_t series);
struct reading engine_reading(const struct engine *e, uint32_t series);
/* The same without a copy, valid until the next record; and the value as an exact decimal where
 * it is one: above 2^53 a double cannot tell neighbours apart. */
#define NOT_EXACT INT64_MIN
const struct reading *engine_look(const struct engine *e, uint32_t series, int64_t *exact_e8);
/* Readings and inputs are as of that moment from here on: what ages has aged until then, and
 * nothing else has happened. Returns the time before, which is to be put back so before the next
 * record. */
int64_t engine_stand_at(struct engine *e, int64_t at_ns);
/* What the value was computed from, as a JSON object. */
void engine_inputs(const struct engine *e, uint32_t series, struct buf *out);
/* Who moved it since the end of that session, as a JSON object: drivers.h. On failure `out` is as it was. */
MUST_USE enum err engine_drivers(const struct engine *e, uint32_t series, int32_t since, size_t n,
                                 struct buf *out, struct why *why);

/* ---- instruments ---- */
bool engine_is_of(const struct engine *e, int32_t id, int32_t issuer);     /* engine_output's */
int32_t engine_instrument(const struct engine *e, const struct symbol *s); /* -1: unknown */
/* Whose symbol it was on that day; -1: nobody's. */
int32_t engine_instrument_on(const struct engine *e, const struct symbol *s, int32_t day);
size_t engine_instrument_count(const struct engine *e);
struct instrument_facts {
    const char *symbol, *issuer, *name, *venue, *isin, *figi;
};
struct instrument_facts engine_instrument_facts(const struct engine *e, int32_t id);

/* By which number changes of divisors name it. */
const char *engine_index_name(const struct engine *e, uint32_t universe);

/* The symbol that it has, after the one that it had before if any: 1 or 2. */
size_t engine_symbols(const struct engine *e, int32_t id, struct dated_symbol out[2]);
/* A measure on an alias becomes the one on the symbol it is of; false: it is the one already. */
bool engine_canonical(const struct engine *e, struct measure *x);
/* After a rename, or when another is retired: the series whose text it has changed. */
const uint32_t *engine_renamed(const struct engine *e, size_t *n);

/* ---- settings that answers depend on ---- */
int64_t engine_burst_alerts(const struct engine *e); /* of them */
struct market_settings engine_settings(const struct engine *e);
enum meaning engine_meaning(const struct engine *e); /* of them */

/* ---- pictures of the state ---- */
/* A state of core/state.h. ERR_INVALID with the reason when it is none that this program can
 * read; *used: its bytes. */
void engine_save(const struct engine *e, struct buf *out);
/* The state as it would be if no rule had asked for anything, in an engine of its own: series
 * that nobody else asked for are not in it, and the others are numbered without them. */
MUST_USE enum err engine_unasked(struct engine *e, struct engine **out, struct why *why);
/* The same to be cut into pages; is part of an image that the caller ends. */
void engine_image(struct engine *e, struct state_image *out);
void engine_image_known(struct engine *e, bool known); /* market_image_known */
MUST_USE enum err engine_load(const void *p, size_t n, struct engine **out, size_t *used,
                              struct why *why);
#endif
