/* quality.h - what looks wrong in what a feed says. It is flagged, as a row: prices are never
 * changed or kept out over it.
 *
 *   reason                what is seen, from MEANING_SECOND on                                        before, after
 *   shares_jump           a share count of 1.5 times the one before or more, or of 1/1.5 or less      shares
 *   same_cap              two lines of one issuer in an index within 1 % of the same cap:             cap of the other,
 *                         has the company's cap been entered twice?                                   cap of this
 *   split_like_price      the price goes to 2, 3, 4, 5, 10 or 20 times, or the like part, within 2 %  price
 *   cap_spike             a cap that jumped by 1.5 is back within 5 % of where it was, within a week  cap it jumped to, cap
 *   no_close              a session ends, others have a close of it and a member of an index has      last close, none
 *                         not; or nobody has one, and this one has not traded either
 *   close_outside_range   an official close beyond what was traded in its session                     nearest trade, close
 *   spin_off_unpriced     a parent's session ends and the child that it let go has no price yet:      price of the parent
 *                         until it has one the parent has fallen by what the child is worth
 *
 * A count is looked at when it takes effect, whenever it was said: one of a session to come
 * (`effective`) at the open of that, after the splits of the session. One that says a session of
 * the past counts from now on, and is looked at now. A no_close is taken back when the close
 * comes; so is no other flag, since what they are about was said.
 *
 * Looked for where a record has done something rare (a jump, a count, a session's end), so a
 * tick pays two comparisons. Pure; thread: the engine's. */
#ifndef TOCSIN_ANALYTICS_QUALITY_H
#define TOCSIN_ANALYTICS_QUALITY_H
#include "analytics/market.h"

/* Its number names a flag for ever, and its id follows from that. */
struct uuid quality_id(uint64_t no);

/* Is that a jump: 1.5 times or more, up or down? Both above 0 and below 2^60. */
static inline bool quality_is_jump(int64_t was, int64_t is)
{
    return 2 * is >= 3 * was || 2 * was >= 3 * is;
}

/* `last` is about to go from x->price_e8, which is not 0, by a jump. */
void quality_price_jumps(struct market *m, struct instrument *x, int64_t price_e8,
                         int64_t event_ns);
/* A count takes effect: it is kept aside where it is suspicious (setting quality.shares), and
 * its flag says `held`, until another count comes or one of the next three does; else it stands,
 * flagged if it jumps. False: it does not fit, and nothing has changed. */
MUST_USE bool quality_count(struct market *m, struct instrument *x, int64_t shares,
                            int64_t float_e8);
/* A price is about to stand while a count is held: when it has moved by the inverse within 10 %,
 * it is the split that nobody said. Returns the session that the price is of: where it told of
 * the next one's split, that. */
int32_t quality_price_comes(struct market *m, struct instrument *x, int64_t price_e8, int32_t day,
                            bool regular);
/* A corporate action may have changed its count. */
void quality_action(struct market *m, struct instrument *x);
/* A person says that it is right. ERR_NOT_FOUND: none is held under that id. ERR_INVALID: it
 * does not fit with the price of now. */
MUST_USE enum err quality_release(struct market *m, const struct uuid *id, struct why *why);

/* A price of a trade of that session, within its hours: the range that its official close is
 * held against. */
static inline void quality_traded(struct instrument *x, int64_t price_e8, int32_t day)
{
    if (day != x->range_day) {
        x->range_day = day;
        x->low_e8 = x->high_e8 = price_e8;
    } else if (price_e8 < x->low_e8) x->low_e8 = price_e8;
    else if (price_e8 > x->high_e8) x->high_e8 = price_e8;
}
/* The official close of a session, when that ends or is corrected. */
void quality_close(struct market *m, const struct instrument *x, int64_t close_e8, int32_t day);
/* An official close of a session that has ended comes: the flag that said it was missing is
 * `withdrawn`, and its `after` is the close. */
void quality_late_close(struct market *m, const struct instrument *x, int64_t close_e8,
                        int32_t day);
/* A session ends; its official closes still wait, or have just settled. */
void quality_session_ends(struct market *m, uint32_t venue, int32_t day);
/* The same, when all has settled that could bring a child its price: while m->awaited_n. */
void quality_children(struct market *m, uint32_t venue, int32_t day);
#endif
