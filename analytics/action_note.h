/* action_note.h - a corporate action as it is kept, and what becomes of one as it is said:
 * actions.h says what each does. Plain data.
 *
 * AAPL's split of 2020-08-31, first said as 3 for 1 by record 100 and then as 4 for 1 by record
 * 120, in the order in which it is told:
 *
 *     record 100   no 1, 3 for 1     waiting
 *     record 120   no 1, 3 for 1     superseded, by 120
 *                  no 2, 4 for 1     waiting
 *     record 300   no 2, 4 for 1     applied, by 300: the first price of that session
 *
 * A row is replaced by the next of its number, so that who reads the list sees each once, as it
 * stands, with the record that said it (since when it was known) and the one that made it what
 * it is. */
#ifndef TOCSIN_ANALYTICS_ACTION_NOTE_H
#define TOCSIN_ANALYTICS_ACTION_NOTE_H
#include "core/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Saved by number: append only. Of one session they take effect in this order. */
#define ACTION_KINDS(X)                                                                            \
    X(ACTION_NONE, "none")                                                                         \
    X(ACTION_SPLIT, "split")                                                                       \
    X(ACTION_SHARES, "shares") /* a count that waits for its session; not said */                  \
    X(ACTION_DIVIDEND, "dividend")                                                                 \
    X(ACTION_SPECIAL, "special_dividend") /* price returns are adjusted by it */                   \
    X(ACTION_SPIN_OFF, "spin_off")                                                                 \
    X(ACTION_DELISTING, "delisting")                                                               \
    X(ACTION_MERGER, "merger")                                                                     \
    X(ACTION_RENAME, "rename") /* said, and not kept: symbols.h has what follows from it */
enum action_kind { ACTION_KINDS(NAMES_VALUE) ACTION_KIND_COUNT };
extern const struct names action_kind_names;

#define ACTION_STATES(X)                                                                           \
    X(ACTION_WAITING, "waiting") /* for its session */                                             \
    X(ACTION_APPLIED, "applied")                                                                   \
    X(ACTION_PRESUMED, "presumed")         /* applied, and nobody has said it: actions_presume */  \
    X(ACTION_AWAITS_PRICE, "awaits_price") /* a spin-off, for its child's first */                 \
    X(ACTION_REFUSED, "refused")           /* when its session opened it did not fit any more */   \
    X(ACTION_SUPERSEDED, "superseded")     /* it waited, and another record corrected it */
enum action_state { ACTION_STATES(NAMES_VALUE) };
extern const struct names action_state_names;

struct action {
    int64_t kind;
    uint32_t instrument;
    int32_t day;           /* from the open of that session on */
    uint64_t no;           /* 1, 2, 3 ... as they are said; one that is corrected gets another */
    uint64_t seq;          /* of the record that says it, or by which it was presumed */
    int64_t event_ns;      /* and its time */
    bool applied, refused; /* neither: it waits. Refused: by then it did not fit any more */
    bool presumed;         /* a split that nobody has said yet: actions_presume */
    bool awaits;           /* a spin-off in force but for its child's first price */
    int64_t a, b; /* split, spin-off, merger: new shares for old ones. Shares: count, float */
    int64_t
        amount_e8; /* paid for a share. Spin-off: the child's value, 0: to come. Delisting: its price, 0: the last */
    uint32_t child; /* of a spin-off; of a merger the acquirer whose shares are given; else NONE */
    /* In force, a price of before it is to be multiplied by from / to; both 0: it changes none. */
    int64_t to, from;
    uint32_t next; /* an earlier one of the instrument */
};

struct action_note {
    struct action of;
    enum action_state state;
};

/* What is to be said of actions when the record in hand has been applied: of each once. */
struct action_log {
    struct action_note *of;
    size_t n, cap;
    uint64_t made; /* ever: the number of the newest one */
    bool failed;   /* memory was out */
};
#endif
