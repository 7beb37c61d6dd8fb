/* market.h - the engine's memory and how to find things in it: the one header that the kinds of
 * analytics/ include.
 *
 * Flat arrays linked by numbers: a number is a thing's place in its array, stays what it is, and
 * NONE is no thing. What each part of it means is said where it is changed:
 *
 *     instruments, issuers           reference.c; what they are called: identity.c, issuers.c
 *     closes                         closes.c, session.c
 *     venues: how sessions go        session.c; their calendars calendars.c
 *     universes, their lines, slots  universe.c (indices), books/books.c (books)
 *     series                         series.c
 *     exposures                      facts/exposure.c
 *     actions                        actions.c, shares.c
 *     what news weighs               news/news.c
 *
 * Everything is saved (save.c) but what follows from the rest: maps, chains of series,
 * aggregates but the lasting one, the starts of windows. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_MARKET_H
#define TOCSIN_ANALYTICS_MARKET_H
#include "analytics/action_note.h"
#include "analytics/measure.h"
#include "analytics/news/known.h"
#include "analytics/quality_flag.h"
#include "analytics/universe.h"
#include "core/buf.h"
#include "core/calendar.h"
#include "core/map.h"
#include "core/state_marks.h"
#include "ingest/record.h"

enum { REFUSED_WHY_MAX = 159 }; /* bytes */

struct instrument {
    struct symbol symbol;
    uint32_t issuer;
    uint32_t first_line;        /* its lines in indices, the newest first; not those in books */
    uint32_t first_series;      /* series that its price moves, the newest first */
    uint32_t last_close;        /* of the last session that has ended with a price of it */
    int64_t price_e8, price_ns; /* `last` and the time of its record, once it is `priced` */
    bool priced;
    bool extended;        /* `last` is a trade outside regular hours */
    bool negative_prices; /* prices of 0 and below are data; then it is in no index */
    int32_t price_day;    /* the session that it is of */
    uint32_t venue;       /* whose sessions its prices are of: number in `venues` */
    /* Its newest price in regular hours, or a close, once there is one: what a session ends with that has no official one. */
    int64_t regular_e8;
    int32_t regular_day;
    bool has_regular;
    /* Official close of official_day: waits there until that session ends (closes.h); NO_DAY: none. */
    int64_t official_e8, official_ns;
    int32_t official_day;
    int64_t shares, float_e8;
    /* What quality.c looks at: lowest and highest trade of the session range_day; the cap before the last jump of it, 0: none
     * that is waited for, and when that was; the line of its issuer that had the same cap when it was last looked at. */
    int64_t low_e8, high_e8;
    int32_t range_day;
    uint32_t twin;
    int64_t cap_before_jump, jump_ns;
    /* A share count that is held (quality.h), with what stood then and the flag that says so; no 0: none. */
    struct held {
        int64_t shares, float_e8, was, price_e8;
        uint64_t no, seq;
        int64_t event_ns;
    } held;
    /* The most that ever multiplied its price, here or as an index's own share count. A price is
     * refused when it does not fit with these, so that no index can fail over it half-way. */
    int64_t shares_max;
    /* Prices of it that were refused since the last that was taken, and why the newest was: refusals.h. */
    uint32_t refused;
    char refused_why[REFUSED_WHY_MAX + 1];
    char name[64];
    char isin[13], figi[13]; /* "": not said */
    bool ended;              /* its symbol went to another company: it trades no more */
    /* ---- actions.c's ---- */
    uint32_t first_action; /* the newest first */
    int32_t waits_day;     /* the first session that one waits for; INT32_MAX: none */
    int32_t based_day; /* the newest session with which its price's basis changed; NO_DAY: none */
    int64_t
        carried_e8; /* the price that stands as it came, while it is of a session before based_day */
    /* The last jump of its count that no split explained, and the session in which it came. */
    int64_t jump_was, jump_is;
    int32_t jump_day;
};

/* What indices hold it at, and the session that this is of. A trade outside regular hours moves
 * `last` alone: an index goes on from its regular prices, and at a session's end from its
 * closes. Who has had no regular price yet comes in at what there is. */
static inline bool instrument_held_at_last(const struct instrument *x)
{
    return !x->extended || !x->has_regular;
}
static inline int64_t instrument_index_e8(const struct instrument *x)
{
    return instrument_held_at_last(x) ? x->price_e8 : x->regular_e8;
}
static inline int32_t instrument_index_day(const struct instrument *x)
{
    return instrument_held_at_last(x) ? x->price_day : x->regular_day;
}

/* What an instrument is called, from and until (exclusively) when: as days, and in the order of
 * records. */
enum { DAY_OPEN = INT32_MAX }; /* until_day of the symbol that it has; NO_DAY: it had it always */
struct dated_symbol {
    struct symbol symbol;
    uint32_t instrument;
    int32_t from_day, until_day;
    uint64_t from_seq, until_seq; /* open: INT64_MAX */
};

/* Another spelling of a symbol, whoever has it. */
struct alias {
    struct symbol alias, symbol;
};

/* An issuer's three sums, each fading with time: news/sums.h. */
struct news_sums {
    int64_t ns;                         /* as of when */
    double sum, weight, weight_squared; /* of a*s, a, a^2: see news/news.c */
};

struct issuer {
    char key[NAME_MAX_BYTES + 1], name[64];
    uint32_t first_exposure;
    struct news_sums news;
    struct news_sums base; /* without the articles that may still be revised: news/articles.h */
    bool adding_up;        /* while news/articles.c makes the sums anew */
    /* A key that was given up: number + 1 of the company that it means since, which is none such itself (issuers.c). */
    uint32_t became;
    int32_t until_day; /* the first day of that */
};

/* A session's last price of an instrument; its chain runs backwards. One a session and instrument
 * for ever: 500 names are 252 * 500 * 16 bytes, 2 MB a year. */
struct close {
    int32_t day;
    uint32_t previous;
    int64_t price_e8;
};

/* A session ended without a close of a member, and its flag says so: until that close comes. */
struct missing_close {
    uint64_t no, seq;
    int64_t event_ns;
    uint32_t instrument;
    int32_t day;
};

struct exposure {
    int32_t effective_day;
    uint32_t next; /* what was known before of the same issuer */
    int64_t value_e8;
};

/* A measure being computed. Its number is its identity in what is stored: it stays when the
 * series is dropped, and the series that is asked for anew gets it back. */
struct series {
    struct uuid tenant; /* whose book it is of; none: no book's */
    char text[MEASURE_TEXT_MAX];
    const struct measure_kind *kind;
    const char *unit;
    struct args args;
    enum subject subject_type;
    uint32_t subject;         /* number of the instrument, universe or series */
    uint32_t next_of_subject; /* the next series that a move of the subject moves */
    uint32_t first_parent;    /* series that are taken of this one */
    int32_t watchers;         /* rules that look at every move: series_watch */
    int32_t asked;            /* live rules on it: series_ask */
    int32_t parents;          /* live series that are taken of it */
    /* Asked for by an index itself or by the configuration: everybody may see it. Never taken back.
     * */
    bool configured;
    /* Somebody asks for it. set_live alone changes it, and begins or ends what the kind keeps. */
    bool live;
    /* Of the values that it had when readings were stored: how many, the least, the greatest, and when the first was. */
    uint64_t seen_n;
    double low, high;
    int64_t seen_ns;
    /* What the newest stored reading said, while it is live: one that says the same is not stored. */
    struct stored_reading {
        bool ever;
        double value, coverage;
        enum reading_status status;
        int version; /* of the measure's definition */
    } stored;
    bool tells; /* of the record in hand: its reading is stored */
    /* ---- from here on what follows from the rest ---- */
    int64_t start; /* where its window begins, in the kind's own terms: set at each session */
    struct window *window; /* of a measure of a measure: from its `begin` to its `end` */
    /* The reading as of turn `read_at` (0: none yet). Filled by series_reading() alone, for the
     * first who looks in a turn. */
    uint64_t read_at;
    struct reading reading;
};

/* What a series looks at beside its subject, from its `begin` to its `end` (measures/robustness.c). */
enum { LOOKED_AT_MAX = 20 };
struct looks {
    uint32_t series, n, at[LOOKED_AT_MAX];
};

enum { HISTORY_SOURCE_MAX = 100 };
/* Somebody's word on what a measure was before it was measured here (histories.h). */
struct history_point {
    int32_t day;
    double value;
};
struct long_history {
    char measure[MEASURE_TEXT_MAX]; /* canonical; NUL-padded */
    char source[HISTORY_SOURCE_MAX + 1];
    uint32_t first, n; /* of history_points; `first` follows from the rest */
};

/* How sessions go by one calendar. Number 0 is that of what names none: UTC days, each a session if
 * a price of it comes, all hours regular. */
struct venue {
    char name[CALENDAR_NAME_MAX + 1]; /* its calendar's, "XNYS"; "": UTC days */
    struct calendar *calendar;        /* NULL: UTC days */
    struct calendar_cache cache;
    /* A session begins with the first price of a later day and ends with a clock record that says
     * so; session.c alone moves these. in_session false: day is the last one ended, and a price of
     * that day no longer opens it. */
    int32_t day;
    int32_t no; /* sessions begun so far: the step of windows over sessions */
    bool in_session;
    int64_t official_ns; /* in session: time of the newest official close; 0: none yet */
    int64_t
        due_ns; /* in session: when its end is presumed; INT64_MAX: with the next one's first price alone */
    int32_t *ended; /* days of sessions that have ended, ascending */
    size_t ended_n, ended_cap;
    /* Prices of this session or a later one are of now, in indices of this venue; coverage.c alone moves it, and when it is due. */
    int32_t fresh_day;
    int64_t carry_until_ns;
    int64_t
        begun_ns; /* when it came to be known, with the first price of the session; where there is a staleness bound */
    int32_t said_day;    /* the last whose end was said, not only seen by the next one's begin */
    unsigned rebalanced; /* bits of enum ew: weights made equal as the session in progress began */
    uint64_t ended_turn; /* in which a session ended last; of this run of the program */
};

struct market {
    struct venue *venues;
    size_t venues_n, venues_cap;
    int64_t due_ns, carry_until_ns; /* the earliest of the venues' */
    /* Before it no trade ends a session: due_ns, or the first regular instant of a later one. */
    int64_t presumes_ns;
    struct instrument *instruments;
    size_t instruments_n, instruments_cap;
    struct issuer *issuers;
    size_t issuers_n, issuers_cap;
    struct universe *universes;
    size_t universes_n, universes_cap;
    struct universe_store store;
    const struct close *closes; /* market_add_close and market_set_close alone write to them */
    size_t closes_n, closes_cap;
    struct state_marks closes_marks;
    struct series *series;
    size_t series_n, series_cap;
    struct exposure *exposures;
    size_t exposures_n, exposures_cap;
    struct looks *looks; /* in no order; follows from the rest */
    size_t looks_n, looks_cap;
    struct long_history *histories;
    size_t histories_n, histories_cap;
    struct history_point *history_points; /* theirs, in the same order */
    size_t history_points_n, history_points_cap;
    struct action *actions; /* in the order they came */
    size_t actions_n, actions_cap;
    int32_t waits_day;      /* the first session that one waits for; INT32_MAX: none */
    size_t refused_n;       /* instruments whose prices are being refused */
    size_t awaited_n;       /* spin-offs whose child has had no price yet */
    struct action_log said; /* of actions, by the record in hand */

    struct dated_symbol
        *former; /* symbols that instruments no longer have, as they were given up */
    size_t former_n, former_cap;

    uint32_t *former_issuers; /* those that became another; follows from them, in no order */
    size_t former_issuers_n, former_issuers_cap;

    struct alias *aliases; /* one for ever, pointed at another symbol or at nothing (its own) */
    size_t aliases_n, aliases_cap;

    struct map by_symbol, by_issuer, by_series, by_alias;
    struct market_settings settings;
    double gate;        /* coverage_gate_e8 as 0..1 */
    int64_t now_ns;     /* the greatest event time so far */
    int64_t sampled_ns; /* when readings were last stored */
    uint64_t seq;       /* of the last record applied */
    uint64_t hand_seq;  /* and of the record in hand, with its time */
    int64_t hand_ns;
    uint64_t turn;       /* counts states, for remembered readings */
    uint64_t ended_turn; /* the latest of the venues' */
    uint64_t generation; /* counts changes of who is live or configured, for pictures */
    /* quality_count, set once: a count that waited takes effect in actions.c, which quality.c builds upon. */
    bool (*take_count)(struct market *m, struct instrument *x, int64_t shares, int64_t float_e8);
    struct missing_close *missing; /* in the order in which they were flagged: quality.c */
    size_t missing_n, missing_cap;
    struct {
        struct quality_flag *of; /* of the record in hand */
        size_t n, cap;
        uint64_t made; /* ever: the number of the newest one */
        bool failed;   /* memory was out */
    } flags;

    /* Of the article in hand, headline and body, where HTML had to be decoded. */
    struct buf news_text[2];
    struct articles articles;

    /* Live series that are taken of another. While there is none, which is the usual case, what was
     * touched is what moved, and settling is an exchange of two pointers. */
    size_t parents_n;
    uint32_t *slow; /* series that prices do not move, ascending: news, facts, positions do */
    size_t slow_n, slow_cap;
    /* Emptied when a record comes; filled by the series_touch_ calls while it is applied. There is
     * room for every series, made when it begins, so that a tick asks for no memory. */
    uint32_t *touched;
    size_t touched_n, touched_cap;
    bool all_touched; /* of this record: no one is touched twice, there is room for each once */
    /* Of those and what is taken of them the watched ones: filled by series_settle, read by rules
     * until the next record. */
    uint32_t *moved;
    size_t moved_n, moved_cap;
    /* Series whose text the last rename has changed, ascending. */
    uint32_t *renamed;
    size_t renamed_n, renamed_cap;
};

/* ---- finding; NONE or NULL when there is none ---- */
uint32_t market_instrument(const struct market *m, const struct symbol *s); /* or by an alias */
/* What it is an alias of, or itself. */
const struct symbol *market_symbol(const struct market *m, const struct symbol *s);
struct universe *market_index(const struct market *m, struct str name);
/* The newest session of its venue that has begun, or of which it has a price; before there is
 * any, the day on which time stands. */
int32_t market_day(const struct market *m, const struct instrument *x);
/* The company that is meant by a key of now or of then; NONE: nobody has spoken of it. */
uint32_t market_find_issuer(const struct market *m, struct str key);
/* Its entry, which is a former one where the key was given up. */
uint32_t market_issuer_entry(const struct market *m, struct str key);
/* Finds or adds, a key of then as well; ERR_NOMEM. */
MUST_USE enum err market_issuer(struct market *m, struct str key, uint32_t *out);
/* One more session's close of the instrument, its newest. ERR_NOMEM. */
MUST_USE enum err market_add_close(struct market *m, struct instrument *x, int32_t day,
                                   int64_t price_e8);
/* A close that is kept becomes another. Nobody else writes to one: an image of the state leaves
 * out what was not said to be new. */
void market_set_close(struct market *m, uint32_t no, struct close c);
/* Cut, where it must be, between two characters: names go to the database. */
void copy_name(char *out, size_t cap, struct str s);
#endif
