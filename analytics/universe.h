/* universe.h - a set of names and what it is worth: an index, a list of names, or a tenant's book.
 *
 * Everything summed is an integer, so a value is the same bits whether kept incrementally or computed afresh:
 *   line value   v = floor(P * Q / 1e6) in cents, P the price at 1e-8, Q the shares times float factor, floored
 *   T = sum v;  company's value = sum of its lines' v
 *   level = level_ref * T / T_ref; a change of members or shares moves the two refs, not the level
 * The divisor of metrics.md section 1 is T_ref / level_ref. What else is kept of the members (squares, order, equal weights)
 * are aggregates, see aggregate.h: kept when asked for.
 *
 * A list of names is an index whose level nobody asks for. A book differs in that its lines hold
 * signed quantities and that it has an owner; nothing of a book moves with each tick yet, so its
 * lines are not on their instruments' chains.
 *
 * A line's life: universe_add_line -> (shares and price known) valued -> universe_remove_line ->
 * universe_rejoin ... A line is never taken out of the chains, so that numbers stay. Thread: the
 * engine's. */
#ifndef TOCSIN_ANALYTICS_UNIVERSE_H
#define TOCSIN_ANALYTICS_UNIVERSE_H
#include "analytics/aggregates/equal_weight.h"
#include "analytics/members.h"

#define VALUE_MAX                                                                                  \
    ((int64_t)1 << 56) /* cents: keeps N squared values inside 128 bits for N < 2^15 */

/* floor(price * shares / 1e6) in 64 bits throughout; the caller has checked value_fits. */
static inline int64_t line_value(int64_t price_e8, int64_t shares)
{
    return price_e8 / 1000000 * shares + price_e8 % 1000000 * shares / 1000000;
}
static inline bool value_fits(int64_t price_e8, int64_t shares)
{
    return (i128)price_e8 * shares < (i128)VALUE_MAX * 1000000;
}
/* Half as many again, or a third less: so much that a split may explain it. */
static inline bool universe_jumps(int64_t was, int64_t is)
{
    return was > 0 && is > 0 && ((i128)is * 2 >= (i128)was * 3 || (i128)is * 3 <= (i128)was * 2);
}

/* What every index keeps from its first day: equal weights, and the order of companies that its
 * page shows. ERR_NOMEM. */
MUST_USE enum err universe_keep_standard(struct universe_store *s, struct universe *u);
void universe_release(struct universe *u);

/* ---- what it keeps ---- */
/* One asker more (ERR_NOMEM) or one less of an aggregate: kept from the first to the last. */
MUST_USE enum err universe_ask(struct universe_store *s, struct universe *u,
                               const struct aggregate_kind *kind);
void universe_leave(struct universe *u, const struct aggregate_kind *kind);

/* ---- members ---- */
/* A membership begins; ERR_NOMEM. The line counts once it has price and shares. */
MUST_USE enum err universe_add_line(struct universe_store *s, struct universe *u,
                                    uint32_t universe_no, uint32_t instrument, uint32_t issuer,
                                    int64_t own_shares, uint32_t *out);
void universe_remove_line(struct universe_store *s, struct universe *u, uint32_t line);
/* A membership that had ended begins anew, at the price of now and perhaps under another issuer;
 * shares are still to be set. */
MUST_USE enum err universe_rejoin(struct universe_store *s, struct universe *u, uint32_t line,
                                  uint32_t issuer, int64_t price_e8);
/* The line is another company's from now on. Nothing moves but what is counted by company; of
 * equal weights it takes its own with it, and where it leaves lines of the same company behind,
 * it leaves them its weight and enters anew, as a line that joins. ERR_NOMEM. */
MUST_USE enum err universe_give_line(struct universe_store *s, struct universe *u, uint32_t line,
                                     uint32_t issuer);
/* All lines of one company are another's, each with the weight that it has. ERR_NOMEM. */
MUST_USE enum err universe_merge_companies(struct universe_store *s, struct universe *u,
                                           uint32_t from, uint32_t to);
void universe_set_shares(struct universe_store *s, struct universe *u, uint32_t line,
                         int64_t shares);
void universe_set_price(struct universe_store *s, struct universe *u, uint32_t line,
                        int64_t price_e8, int64_t event_ns);
/* The line counts at another price, with other shares, for another value, and nothing is
 * chained: see past.h. Equal weights are the caller's. It counts. */
void universe_restate(struct universe_store *s, struct universe *u, uint32_t line, int64_t price_e8,
                      int64_t shares, int64_t value);

/* ---- sessions ---- */
/* The first complete session has ended: levels start at base. */
void universe_start(struct universe_store *s, struct universe *u);
/* Equal again. `at_close`: at the closes of the session that ended last, whose level the variant
 * goes on from; else, and where somebody has come to count or ceased to since then, at the
 * prices and the level that stand. */
void universe_rebalance(struct universe_store *s, struct universe *u, enum ew ew, bool at_close);
/* The levels that stand are kept as that session's, and what they were made of as long as closes
 * may be corrected. ERR_NOMEM. */
MUST_USE enum err universe_close_day(struct universe_store *s, struct universe *u, int32_t day);
/* The line's close of a session that has ended was another: so were the session's levels. Levels
 * of now stay. A session that is older than what is kept, or in which the line did not count,
 * stays as it is. */
void universe_correct_close(struct universe *u, uint32_t line, int32_t day, int64_t close_e8);
/* Was that line counted at that price when the session of that day ended, as far as is kept? */
bool universe_closed_at(struct universe *u, uint32_t line, int32_t day, int64_t price_e8);

/* What the line counted with when the session of that day had ended; NULL: it did not count, or
 * that is not kept any more. */
struct session_line *universe_line_then(struct universe *u, uint32_t line, int32_t day);
/* A level as it is made of what is kept: a session that is right gives the very same bits again.
 * level_ref and ref are above 0. */
static inline double universe_level_from(double level_ref, i128 ref, i128 sum)
{
    const struct scale s = scale_of(level_ref, ref);
    return scale_times(&s, sum);
}

/* From here on the level is level_ref * total / total_ref. */
void universe_set_ref(struct universe *u, double level_ref, i128 total_ref);
/* The same, over what has become of that line: it stands in the ledger (divisor.h). */
void universe_move_ref(struct universe_store *s, struct universe *u, uint32_t line,
                       double level_ref, i128 total_ref);
double universe_level(const struct universe *u);
/* With dividends put back in, at the close of their ex-session. */
double universe_total_return(const struct universe *u);
/* The price that it has is of this session: it no longer lowers coverage. */
static inline void universe_freshen(struct universe *u, struct line *l)
{
    l->fresh = true;
    u->carried -= l->value;
}
#endif
