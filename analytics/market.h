/* market.h - the engine's memory and how to find things in it: the one header that the kinds of analytics/ include.
 *
 * Flat arrays linked by numbers: a number is a thing's place in its array, stays what it is, and NONE is no thing. What each
 * part of it means is said where it is changed:
 *
 *     instruments, issuers, closes   reference.c, session.c
 *     universes, their lines, slots  universe.c (indices), books/books.c (books)
 *     series                         series.c
 *     exposures                      facts/exposure.c
 *     what news weighs               news/news.c
 *
 * Everything is saved (save.c) but what follows from the rest: maps, chains of series, aggregates but the lasting one, the
 * starts of windows. Thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_MARKET_H
#define TOCSIN_ANALYTICS_MARKET_H
#include "analytics/measure.h"
#include "analytics/universe.h"
#include "core/map.h"
#include "ingest/record.h"

struct instrument {
    struct symbol symbol;
    uint32_t issuer, first_line, first_series, last_close;
    int64_t price_e8, price_ns;           /* 0: never priced */
    int64_t shares, float_e8, shares_max; /* shares_max: the most that ever multiplied its price */
    char name[64];
};

struct issuer {
    char key[NAME_MAX_BYTES + 1], name[64];
    uint32_t first_exposure;
    int64_t news_ns;                    /* the sums are as of then */
    double sum, weight, weight_squared; /* of a*s, a, a^2: see news/news.c */
};

/* A session's last price of an instrument; its chain runs backwards. */
struct close {
    int32_t day;
    uint32_t previous;
    int64_t price_e8;
};

struct exposure {
    int32_t effective_day;
    uint32_t next;
    int64_t value_e8;
};

/* A measure being computed. Its number is its identity in what is stored: it stays when the series is dropped, and the
 * series that is asked for anew gets it back. */
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
    int32_t watchers;         /* rules that look at every move */
    int32_t asked;            /* live rules on it */
    int32_t parents;          /* live series that are taken of it */
    bool
        configured; /* asked for by an index itself or by the configuration: everybody may see it */
    bool live;      /* somebody asks for it */
    /* ---- from here on what follows from the rest ---- */
    int64_t start;         /* where its window begins, in the kind's own terms */
    struct window *window; /* what a measure of a measure keeps of its subject */
    uint64_t read_at;      /* the turn of `reading`; 0: none yet */
    struct reading reading;
};

struct market_settings {
    int64_t stale_after_ns, sample_ns, coverage_gate_e8;
    bool
        drop_unasked; /* series that nobody asks for any more go; before it was said, they stayed */
};

struct market {
    struct instrument *instruments;
    size_t instruments_n, instruments_cap;
    struct issuer *issuers;
    size_t issuers_n, issuers_cap;
    struct universe *universes;
    size_t universes_n, universes_cap;
    struct universe_store store;
    struct close *closes;
    size_t closes_n, closes_cap;
    struct series *series;
    size_t series_n, series_cap;
    struct exposure *exposures;
    size_t exposures_n, exposures_cap;

    struct map by_symbol, by_issuer, by_series;
    struct market_settings settings;
    double gate;         /* coverage_gate_e8 as 0..1 */
    int64_t now_ns;      /* the greatest event time so far */
    int64_t sampled_ns;  /* when readings were last stored */
    uint64_t seq;        /* of the last record applied */
    uint64_t turn;       /* counts states, for remembered readings */
    uint64_t generation; /* counts changes of who is live or configured, for pictures */
    int32_t session_day; /* the session in progress, or the last one ended */
    int32_t session_no;  /* sessions begun so far: the bucket of windows over sessions */
    bool in_session;

    size_t parents_n; /* live series that are taken of another */
    uint32_t *slow;   /* series that prices do not move, ascending: news, facts, positions do */
    size_t slow_n, slow_cap;
    uint32_t *touched; /* series that the record in hand may have moved, in order */
    size_t touched_n, touched_cap;
    uint32_t *moved; /* of those and what is taken of them: the watched ones */
    size_t moved_n, moved_cap;
};

/* ---- finding; NONE or NULL when there is none ---- */
uint32_t market_instrument(const struct market *m, const struct symbol *s);
struct universe *market_index(const struct market *m, struct str name);
/* Finds or adds; ERR_NOMEM. */
MUST_USE enum err market_issuer(struct market *m, struct str key, uint32_t *out);
/* Cut, where it must be, between two characters: names go to the database. */
void copy_name(char *out, size_t cap, struct str s);
#endif
