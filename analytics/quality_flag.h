/* quality_flag.h - something that looks wrong in what a feed says, as the engine finds it:
 * quality.h says what each reason means. Plain data. */
#ifndef TOCSIN_ANALYTICS_QUALITY_FLAG_H
#define TOCSIN_ANALYTICS_QUALITY_FLAG_H
#include "core/names.h"

#include <stdint.h>

#define QUALITY_REASONS(X)                                                                         \
    X(QUALITY_SHARES_JUMP, "shares_jump")                                                          \
    X(QUALITY_SAME_CAP, "same_cap")                                                                \
    X(QUALITY_SPLIT_LIKE_PRICE, "split_like_price")                                                \
    X(QUALITY_CAP_SPIKE, "cap_spike")                                                              \
    X(QUALITY_NO_CLOSE, "no_close")                                                                \
    X(QUALITY_CLOSE_OUTSIDE_RANGE, "close_outside_range")                                          \
    X(QUALITY_SPIN_OFF_UNPRICED, "spin_off_unpriced")
enum quality_reason { QUALITY_REASONS(NAMES_VALUE) };
extern const struct names quality_reason_names;

#define QUALITY_STATES(X)                                                                          \
    X(QUALITY_FLAGGED, "flagged")                                                                  \
    X(QUALITY_HELD, "held") /* a share count that does not count yet */                            \
    X(QUALITY_CONFIRMED_BY_PRICE, "confirmed_by_price")                                            \
    X(QUALITY_CONFIRMED_BY_ACTION, "confirmed_by_action")                                          \
    X(QUALITY_RELEASED, "released")     /* by a person */                                          \
    X(QUALITY_SUPERSEDED, "superseded") /* another count has come */                               \
    X(QUALITY_WITHDRAWN, "withdrawn")   /* what was missing has come */
enum quality_state { QUALITY_STATES(NAMES_VALUE) };
extern const struct names quality_state_names;

struct quality_flag {
    uint64_t no;
    uint64_t seq;     /* of the record that found it; 0: the one in hand */
    int64_t event_ns; /* and its time */
    uint32_t instrument;
    enum quality_reason reason;
    enum quality_state state;
    double before, after; /* NaN: nothing */
    char detail[200];
};
#endif
