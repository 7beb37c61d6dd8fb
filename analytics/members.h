/* members.h - who is in a universe, as data: lines, companies, and the universe that they make
 * up. How they change is universe.h's; what is kept of them beside, the aggregates'. */
#ifndef TOCSIN_ANALYTICS_MEMBERS_H
#define TOCSIN_ANALYTICS_MEMBERS_H
#include "analytics/aggregate.h"
#include "analytics/divisor.h"
#include "core/uuid.h"
#include "ingest/record.h"

#include <stddef.h>

/* The variants of equal weights: when they are restored, and whether a company or each of its
 * lines counts as one. */
enum ew { EW_QUARTERLY, EW_MONTHLY, EW_DAILY, EW_HELD, EW_THIRD_FRIDAY, EW_COUNT };
enum by { BY_ISSUER, BY_LINE, BY_COUNT };
extern const char *const ew_names[], *const by_names[]; /* NULL-ended */

enum { EW_VARIANTS = EW_COUNT * BY_COUNT };
static inline int ew_variant(enum ew ew, enum by by) { return (int)ew * BY_COUNT + (int)by; }

#define NONE UINT32_MAX

/* A line came to count, or ceased to: at what price, with how many shares, when its universe was
 * worth `total` cents with it (0: never, or not known), and since which last session that had a
 * level. past.h may have to know. */
struct crossing {
    int64_t price_e8, shares;
    i128 total;
    int32_t since;
};

/* An instrument's place in a universe. GOOG and GOOGL of one company are two lines and one slot. */
struct line {
    uint32_t universe, instrument, slot, rank; /* rank: the order_by_line aggregate's */
    uint32_t next_of_instrument, next_of_universe;
    bool active; /* a member now; a line that has left stays in its chains and may come back */
    /* It counts: active, with a price and shares. universe.c's set_valued alone changes it, because
     * equal weights and counts of companies change with it. */
    bool valued;
    /* Its price is of this session, not carried on from an earlier one: coverage.h. */
    bool fresh;
    int64_t own_shares; /* index shares given with the membership; 0: the instrument's */
    int64_t shares;     /* effective: times float, floored: 1,001 shares at 0.5 are 500 */
    /* The price it is valued at, and what that makes in cents. The instrument's price, but for a
     * line that is not active: that one keeps the price at which it left. */
    int64_t price_e8, value;
    int64_t close_e8;       /* when the last session ended; 0: it did not count then */
    int64_t quantity_e8;    /* of a book's position, signed; 0 in an index */
    int64_t q[EW_VARIANTS]; /* see equal_weight.h; 0 while it is not valued */
    /* Its universe's total before and after the last jump of its shares, over which the level was chained, and the last
     * session that had a level before it: past.h may take it back. */
    i128 total_before, total_after;
    int32_t shares_since;
    struct crossing entered, left; /* the last time */
    /* The child of a spin-off of that session, which leaves when its first session has ended; 0: it stays. */
    int32_t leaves_day;
};

struct slot {                                /* a company's place in an index */
    uint32_t issuer, next_of_universe, rank; /* rank: the order aggregate's */
    uint32_t lines_n;                        /* valued lines */
    int64_t value;
};

struct level_day { /* at a session's end */
    int32_t day;
    double level, ew[EW_VARIANTS];
    i128 total, sums[EW_VARIANTS]; /* what the levels were made of */
};

enum { SESSIONS_KEPT = 10 }; /* so far back a corrected close corrects the level of its session */

/* What the levels of an ended session were measured from. */
struct session_refs {
    int32_t day;
    double level_ref, ew_level_ref[EW_VARIANTS];
    i128 total_ref, ew_ref[EW_VARIANTS];
};
/* And what each line counted with. */
struct session_line {
    int32_t day;
    uint32_t line;
    int64_t shares, close_e8, q[EW_VARIANTS];
};

/* What a universe keeps because `asked` series need it: comes with the first (universe_ask), moves
 * with every price (set_value), goes with the last (universe_leave). */
struct kept {
    const struct aggregate_kind *kind;
    void *state;
    uint32_t asked;
};

struct universe {
    char name[40], title[64];
    bool book;
    struct uuid owner;  /* of a book */
    double base;        /* level at the first complete session end */
    uint32_t venue;     /* whose sessions it counts: number in market.h's `venues` */
    uint32_t spin_offs; /* enum spin_offs: what becomes of its members' children */
    uint32_t first_line, first_slot, first_series;
    uint32_t lines_n, valued_n;  /* active lines; those that count */
    uint32_t slots_n, issuers_n; /* companies ever; those with a valued line */
    /* It has a level. From the first session end with enough members priced (universe_start) until
     * nothing in it counts any more; then it waits for another such end. */
    bool based;
    int64_t last_ns; /* event time of the newest price; of a book, of its newest position */
    /* In cents: now, and when level_ref was the level. The two refs move together, when it starts
     * and when the members change; `total` moves with every price. */
    i128 total, total_ref;
    i128
        carried; /* of the total, lines whose price is of an earlier session: follows from the lines */
    /* Members that do not count yet, when somebody asked (coverage.c); not known: to be looked up. */
    struct waiting {
        bool known;
        uint32_t without_cap;
        i128 caps;
    } waiting;
    double level_ref;
    struct scale scale;     /* level_ref / total_ref; all 0 without a level. Follows from these */
    struct level_day *days; /* ascending */
    size_t days_n, days_cap;
    struct session_refs *refs; /* of the last SESSIONS_KEPT days, ascending */
    size_t refs_n, refs_cap;
    struct session_line *closed; /* of the same days, ascending */
    size_t closed_n, closed_cap;
    /* Total return: the level times what dividends have added to it so far, and in cents those of the session in progress, which
     * are put back in at its end. */
    double reinvested;
    i128 dividends;
    bool recomposed;                  /* who counts has changed since the last session end */
    struct kept kept[AGGREGATES_MAX]; /* those that are asked for, in the order of aggregates.def */
    uint32_t kept_n;
};

/* The lines and slots of all universes live in two arrays; a universe is a chain through them. */
struct universe_store {
    struct line *lines;
    size_t lines_n, lines_cap;
    struct slot *slots;
    size_t slots_n, slots_cap;
    struct divisor_log divisors; /* of indices, as they change */
};

/* Its state; it must have been asked for. */
static inline void *universe_kept(const struct universe *u, const struct aggregate_kind *kind)
{
    uint32_t i = 0;
    while (u->kept[i].kind != kind) i++;
    return u->kept[i].state;
}
#endif
