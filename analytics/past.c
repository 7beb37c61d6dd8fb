/* past.c - a split of 4 for 1 on Monday, said on Wednesday; the index has A (100 shares at 400)
 * and B (300 at 100):
 *
 *   Friday     T = 40,000 + 30,000             level 1000, of T_ref = 70,000
 *   Monday     A at 100: T = 10,000 + 30,000   level 571.4 was said
 *   Tuesday    A at 105: T = 40,500            level 578.6 was said
 *   Wednesday  the split: Monday's and Tuesday's A counts with 400 shares: T = 70,000 and 72,000, levels 1000 and 1028.6
 *
 * A split changes no T_ref: T is right by itself with the right shares. But where something was
 * chained over a wrong level (a rebalance on Tuesday, at 571.4), what it was chained to is
 * multiplied by what that level was wrong by: 1000 / 571.4. */
#include "analytics/past.h"

#include "core/ratio.h"

#include <string.h>

/* Of a count; of equal weights' units to the nearest. */
static int64_t times(int64_t v, int64_t to, int64_t from, bool nearest)
{
    return (int64_t)(((i128)v * to + (nearest ? from / 2 : 0)) / from);
}

/* The levels of kept sessions are those at the end of `days`. */
struct level_day *past_level(const struct universe *u, size_t i)
{
    return &u->days[u->days_n - u->refs_n + i];
}

size_t past_first(const struct universe *u, int32_t day)
{
    size_t i = u->refs_n;
    while (i > 0 && u->refs[i - 1].day >= day) i--;
    return i;
}

/* What a level is measured from, as it was said and by how much it is wrong. */
struct measured {
    int32_t day;
    bool weights; /* of equal weights */
    double level_ref;
    i128 ref;
    double wrong;     /* its level_ref is to be multiplied by that */
    double at_end;    /* the level's, at the end of its session */
    i128 sum, extra;  /* at that end, as it was said and what is to be added */
    int64_t close_e8; /* the line's then; 0: it did not count */
    bool jumped;
};

struct correction {
    const struct universe_store *s;
    struct universe *u;
    struct line *l;
    uint32_t line;
    const struct split *x;
    int64_t shares_old; /* before the split */
    double
        jump; /* the level was chained over a count that the split explains: by how much too low it is measured */
    bool entered,
        left; /* the line came to count, or ceased to, between its session's open and now: see below */
};

/* Other lines' counts that jumped after session `day` and before the next, as if nothing
 * explained them. */
static double other_jumps(const struct correction *c, int32_t day)
{
    double by = 1;
    for (uint32_t no = c->u->first_line; no != NONE; no = c->s->lines[no].next_of_universe) {
        const struct line *l = &c->s->lines[no];
        if (no != c->line && l->shares_since == day && l->total_before > 0)
            by *= ratio(l->total_after, l->total_before);
    }
    return by;
}

/* Chained or not, a unit of the sum is worth the same in both: so it is wherever the sum did not
 * change, as equal weights do not when shares do, and hardly when a split has their units
 * rounded. Jumps that nothing explains yet count as if they were none: their own split takes
 * back what was chained over them. */
static bool same_scale(const struct correction *c, const struct measured *was,
                       const struct measured *is)
{
    if (was->level_ref == is->level_ref && was->ref == is->ref) return true;
    if (!(was->level_ref > 0) || !(is->level_ref > 0) || was->ref <= 0 || is->ref <= 0)
        return false;
    const double by = was->level_ref / is->level_ref * ratio(is->ref, was->ref);
    if (was->weights) return by > 1 - 1e-6 && by < 1 + 1e-6;
    const double others = other_jumps(c, was->day);
    return by > others * (1 - 1e-13) && by < others * (1 + 1e-13);
}

/* An index with A and B, A's split not known. A rebalance on Tuesday chained the level that
 * Monday's wrong price had made: what is measured from Tuesday on is as wrong as Monday's close,
 * and A's units were made of the new price, so that they are right.
 *
 * By how much what is measured from `is` is wrong, when what came before it was measured from
 * `was`: where something was chained in between, by what the level was wrong by; `counts`: and
 * the sum it was chained with as well. */
static double wrong_by(const struct correction *c, const struct measured *was,
                       const struct measured *is, bool counts)
{
    if (is->jumped && !was->jumped) return was->wrong * c->jump;
    if (same_scale(c, was, is)) return was->wrong;
    return counts && was->extra ? was->at_end * ratio(is->ref, is->ref + was->extra) : was->at_end;
}

/* By how much the level at the session's end is wrong: measured from a wrong level, and of a
 * wrong sum. */
static double grown_by(const struct measured *x)
{
    return x->extra && x->sum > 0 ? x->wrong * ratio(x->sum + x->extra, x->sum) : x->wrong;
}

/* Had the count that the split explains come when that session ended? */
static bool has_jumped(const struct correction *c, int32_t day)
{
    return c->x->jumped && (c->l->shares_since == NO_DAY || day > c->l->shares_since);
}

/* Nearer to the count after the split than to that before? */
static bool is_after(const struct correction *c, int64_t shares)
{
    const bool more = c->x->shares > c->shares_old;
    const i128 square = (i128)shares * shares, middle = (i128)c->shares_old * c->x->shares;
    return more ? square > middle : square < middle;
}

/* What the line should have counted with, of before the split or after it. */
static int64_t right_count(const struct correction *c, int64_t shares, bool after)
{
    if (is_after(c, shares) == after) return shares;
    if (after)
        return shares == c->shares_old ? c->x->shares : times(shares, c->x->to, c->x->from, false);
    return shares == c->x->shares ? c->shares_old : times(shares, c->x->from, c->x->to, false);
}

/* Is what it was closed at of after the split? While nobody trades, the price of before is carried. */
static bool closed_after(const struct correction *c, const struct session_line *x)
{
    return x->day >= c->x->day && !c->x->carried_e8;
}

/* ---- who comes or goes before the split is said ----
 *
 * A line that came to count after its session's open, at a price that was divided already, did
 * so with too small a count: had that been right, its universe would have been worth more from
 * that moment, and the level the same. So what is measured from there on is too large: of 100
 * shares at 104 in a total of 30,800, for which 400 should have stood, by 62,000 / 30,800, once
 * for all.
 *
 * One that has left took its wrong value out of a level that was as wrong: of 100 shares at 100
 * in a total of 20,000, for which 400 should have stood, by 20,000 / 50,000. */
static double lacking(const struct correction *c, const struct crossing *x, i128 total)
{
    const int64_t right = right_count(c, x->shares, true);
    return ratio(total + line_value(x->price_e8, right) - line_value(x->price_e8, x->shares),
                 total);
}

/* Did it happen after the session `was` (NULL: any) and before the end of `day`? */
static bool between(const struct crossing *x, const struct measured *was, int32_t day)
{
    return (!was || x->since >= was->day) && x->since < day;
}

/* By how much what is measured from `is` is wrong where the line came or went since `was` (NULL:
 * before what is kept), else `wrong`. Overnight others may have come and gone too: then the sum
 * that it was last chained with counts, and the level of the close. */
static double crossed(const struct correction *c, const struct measured *was,
                      const struct measured *is, double wrong)
{
    const struct crossing *entered = &c->l->entered, *left = &c->l->left;
    if (c->entered && between(entered, was, is->day))
        return wrong / lacking(c, entered, was ? is->ref : entered->total);
    if (!c->left || !between(left, was, is->day)) return wrong;
    if (was && was->close_e8 == left->price_e8) return was->at_end;
    return (was ? was->wrong : 1) * lacking(c, left, left->total);
}

/* The cap-weighted levels. Returns by how much what the level of now is measured from is wrong. */
static double correct_caps(const struct correction *c)
{
    struct universe *u = c->u;
    struct measured was = { .wrong = 1, .at_end = 1 };
    for (size_t i = 0; i < u->refs_n; i++) {
        struct session_refs *r = &u->refs[i];
        struct level_day *d = past_level(u, i);
        struct session_line *x = universe_line_then(u, c->line, r->day);
        struct measured is = { .day = r->day,
                               .level_ref = r->level_ref,
                               .ref = r->total_ref,
                               .sum = d->total,
                               .close_e8 = x ? x->close_e8 : 0,
                               .jumped = has_jumped(c, r->day) };
        const int64_t shares = x ? right_count(c, x->shares, closed_after(c, x)) : 0;
        if (x) is.extra = line_value(x->close_e8, shares) - line_value(x->close_e8, x->shares);
        is.wrong = i ? wrong_by(c, &was, &is, x != NULL) : is.jumped ? c->jump : 1;
        is.wrong = crossed(c, i ? &was : NULL, &is, is.wrong);
        is.at_end = grown_by(&is);
        if (is.wrong != 1) r->level_ref *= is.wrong;
        if (is.wrong != 1 || is.extra) {
            d->total += is.extra;
            d->level = universe_level_from(r->level_ref, r->total_ref, d->total);
        }
        if (x) x->shares = shares;
        was = is;
    }
    const struct measured now = {
        .day = INT32_MAX, .level_ref = u->level_ref, .ref = u->total_ref, .jumped = c->x->jumped
    };
    return crossed(c, u->refs_n ? &was : NULL, &now,
                   u->refs_n ? wrong_by(c, &was, &now, !c->left) : c->jump);
}

/* Those of one variant of equal weights; *before: the line's units of now are of its price
 * before the split. */
static double correct_weights(const struct correction *c, int k, bool *before)
{
    struct universe *u = c->u;
    const struct variant *v = equal_weight_of(u, k);
    struct measured was = { .wrong = 1, .at_end = 1 };
    const struct session_line *last = NULL;
    int64_t q_last = 0;
    *before = c->x->carried_e8 || c->l->close_e8 || c->left || c->entered;
    for (size_t i = 0; i < u->refs_n; i++) {
        struct session_refs *r = &u->refs[i];
        struct level_day *d = past_level(u, i);
        struct session_line *x = universe_line_then(u, c->line, r->day);
        struct measured is = { .day = r->day,
                               .weights = true,
                               .level_ref = r->ew_level_ref[k],
                               .ref = r->ew_ref[k],
                               .sum = d->sums[k] };
        if (x && closed_after(c, x)) {
            if (last ? last->day >= c->x->day && x->q[k] != q_last
                     : i > 0 && (c->entered || !c->l->entered.total))
                *before = false;
            const int64_t q = *before ? times(x->q[k], c->x->to, c->x->from, true) : x->q[k];
            is.extra = (i128)(q - x->q[k]) * x->close_e8;
        }
        is.wrong = i ? wrong_by(c, &was, &is, last && x && x->q[k] == q_last) : 1;
        is.at_end = grown_by(&is);
        if (x) q_last = x->q[k];
        last = x;
        if (is.wrong != 1) r->ew_level_ref[k] *= is.wrong;
        if (is.extra) {
            x->q[k] = times(x->q[k], c->x->to, c->x->from, true);
            d->sums[k] += is.extra;
        }
        if (is.wrong != 1 || is.extra)
            d->ew[k] = universe_level_from(r->ew_level_ref[k], r->ew_ref[k], d->sums[k]);
        was = is;
    }
    if (last && closed_after(c, last) && c->l->q[k] != q_last) *before = false;
    const struct measured now = { .level_ref = v->level_ref, .ref = v->ref };
    return u->refs_n ? wrong_by(c, &was, &now, last && c->l->q[k] == q_last) : 1;
}

/* One variant of equal weights: the units that were set by a price of before the split are
 * multiplied, those set since stay. */
static void split_weights(struct universe_store *s, const struct correction *c, int k)
{
    struct variant *v = (struct variant *)equal_weight_of(c->u, k);
    const double level = equal_weight_level(c->u, k);
    const i128 sum = v->sum;
    bool before;
    const double wrong = correct_weights(c, k, &before);
    if (c->left
        || c->entered) { /* of now it has no units, or such as its price of after the split made */
        if (wrong != 1) equal_weight_set_ref(v, v->level_ref * wrong, v->ref);
        return;
    }
    const int64_t price = c->x->carried_e8 ? c->x->carried_e8 : c->l->price_e8;
    const int64_t q = before ? times(c->l->q[k], c->x->to, c->x->from, true) : c->l->q[k];
    equal_weight_restate(s, c->u, c->line, k, q, c->l->price_e8, price);
    if (wrong != 1) equal_weight_set_ref(v, v->level_ref * wrong, v->ref);
    else if (c->x->carried_e8 && v->sum != sum && c->u->based) /* units and price were rounded */
        equal_weight_set_ref(v, level, v->sum);
}

/* A value that is carried goes on to the cent, with the price rounded under it; so nothing of a
 * split shows until somebody trades. */
static void split_cap(struct universe_store *s, const struct correction *c)
{
    struct universe *u = c->u;
    const int64_t price = c->x->carried_e8 ? c->x->carried_e8 : c->l->price_e8;
    const double wrong = correct_caps(c);
    if (c->left) {
        if (wrong != 1) universe_move_ref(s, u, c->line, u->level_ref * wrong, u->total_ref);
        return;
    }
    /* A carried price keeps its value, to the cent, until the next one comes. */
    const bool same = c->x->carried_e8 && !c->x->jumped;
    universe_restate(s, u, c->line, price, c->x->shares,
                     same ? c->l->value : line_value(price, c->x->shares));
    if (c->x->jumped && u->total_ref == c->l->total_after && wrong == c->jump)
        universe_move_ref(s, u, c->line, u->level_ref, c->l->total_before);
    else if (wrong != 1) universe_move_ref(s, u, c->line, u->level_ref * wrong, u->total_ref);
}

/* The last session with a level before `day`; NULL: none. */
static const struct level_day *level_before(const struct universe *u, int32_t day)
{
    size_t i = u->days_n;
    while (i > 0 && u->days[i - 1].day >= day) i--;
    return i ? &u->days[i - 1] : NULL;
}

/* Was it at a price of after the split? After the session before, unless overnight at that one's
 * close. */
static bool crossed_after(const struct universe *u, const struct crossing *crossing,
                          const struct split *x)
{
    const struct level_day *d = level_before(u, x->day);
    const int32_t before = d ? d->day : NO_DAY;
    return crossing->total > 0 && crossing->since >= before
           && !(crossing->since == before && crossing->price_e8 == x->close_before_e8);
}

/* It has come to count with its new price, so that the level was chained over its shares. */
static bool came_after(const struct universe *u, const struct line *l, uint32_t line,
                       const struct split *x)
{
    bool ever = false, before = false;
    if (x->carried_e8) return false;
    if (l->entered.total > 0) return crossed_after(u, &l->entered, x);
    for (size_t i = 0; i < u->closed_n; i++) { /* an older program's state */
        ever |= u->closed[i].line == line;
        before |= u->closed[i].line == line && u->closed[i].day < x->day;
    }
    return u->refs_n && u->refs[0].day < x->day ? !before : !ever;
}

/* It counts no more, and did at a price of after the split. */
static bool left_after(const struct universe *u, const struct line *l, const struct split *x)
{
    return !l->valued && !x->carried_e8 && u->based && crossed_after(u, &l->left, x);
}

/* The close that a rebalance of the session in progress counts at. */
static void divide_close(const struct universe *u, struct line *l, const struct split *x)
{
    const bool ended = u->days_n && u->days[u->days_n - 1].day >= x->day;
    if (l->close_e8 && !ended) l->close_e8 = times(l->close_e8, x->from, x->to, true);
}

void past_split(struct universe_store *s, struct universe *u, uint32_t line, const struct split *x)
{
    struct line *l = &s->lines[line];
    const bool entered = came_after(u, l, line, x), left = left_after(u, l, x);
    if (l->valued ? entered && (!l->entered.total || !u->based) : !left) {
        if (l->active) universe_set_shares(s, u, line, x->shares);
        if (l->active && x->carried_e8 && !l->valued) l->price_e8 = x->carried_e8;
        return;
    }
    const struct correction c = {
        .s = s,
        .u = u,
        .l = l,
        .line = line,
        .x = x,
        .shares_old = x->jumped || left ? times(x->shares, x->from, x->to, true) : l->shares,
        .jump = x->jumped && l->total_before > 0 ? ratio(l->total_after, l->total_before) : 1,
        .entered = entered,
        .left = left
    };
    equal_weight_refresh(s, u);
    for (int k = 0; k < EW_VARIANTS; k++) split_weights(s, &c, k);
    split_cap(s, &c);
    if (left) return;
    if (x->jumped) l->total_before = l->total_after = 0;
    divide_close(u, l, x);
}

/* ---- payments ----
 *
 * A pays 40 a share of 400 on Monday, said on Wednesday; A 100 shares, B 300 at 100: T on Friday
 * was 70,000, of which 4,000 went. Monday's and all later levels of X are 66,000 / 70,000 too
 * low, whatever was chained since: they are multiplied by its inverse. */
/* What a line counted with when that session had ended; where that is not kept any more, what it
 * counts with now. */
static struct session_line counted(struct universe *u, const struct line *l, uint32_t line,
                                   int32_t day)
{
    const struct session_line *x = universe_line_then(u, line, day);
    struct session_line now = { .day = day, .line = line, .shares = l->shares };
    memcpy(now.q, l->q, sizeof now.q);
    return x ? *x : now;
}

/* A payment out of a sum makes it so much smaller for all time: everything since is multiplied. */
static double without(i128 sum, i128 paid)
{
    return paid > 0 && paid < sum ? ratio(sum, sum - paid) : 1;
}

/* What the universe was worth at that session's open: at the close before, unless somebody has
 * come or gone overnight. */
static i128 total_at_open(const struct universe *u, const struct level_day *before, int32_t day)
{
    const size_t i = past_first(u, day);
    if (i == 0) return before->total;
    const struct session_refs *was = &u->refs[i - 1], *is = i < u->refs_n ? &u->refs[i] : NULL;
    const i128 ref = is ? is->total_ref : u->total_ref;
    const double level_ref = is ? is->level_ref : u->level_ref;
    return ref == was->total_ref && level_ref == was->level_ref ? before->total : ref;
}

/* The cap-weighted levels since, and that of now, as if they had been chained over it. */
static void chain_since(struct universe_store *s, struct universe *u, uint32_t line, int32_t day,
                        int64_t amount_e8)
{
    const struct level_day *d = level_before(u, day);
    if (!u->based || !d) return;
    const struct session_line x = counted(u, &s->lines[line], line, d->day);
    const double by = without(total_at_open(u, d, day), line_value(amount_e8, x.shares));
    for (size_t i = u->days_n; i-- > 0 && u->days[i].day >= day;) u->days[i].level *= by;
    for (size_t i = u->refs_n; i-- > 0 && u->refs[i].day >= day;) u->refs[i].level_ref *= by;
    universe_move_ref(s, u, line, u->level_ref * by, u->total_ref);
}

/* It was a member at the session's open, though it has left, or come anew, since. */
static bool was_in(struct universe *u, const struct line *l, uint32_t line, const struct split *x)
{
    const struct level_day *d = level_before(u, x->day);
    if (!u->based || !d || !universe_line_then(u, line, d->day)) return false;
    const size_t first = past_first(u, x->day);
    return first < u->refs_n ? universe_line_then(u, line, u->refs[first].day) != NULL
                             : left_after(u, l, x);
}

/* Of equal weights the line keeps its weight, as if what it paid had bought more of it: a split
 * in all but the count. */
void past_pay(struct universe_store *s, struct universe *u, uint32_t line, const struct split *x,
              int64_t amount_e8)
{
    struct line *l = &s->lines[line];
    const bool entered = l->valued && came_after(u, l, line, x);
    const bool since = (!l->valued || entered) && was_in(u, l, line, x);
    if ((!l->valued || entered) && !since) return;
    const struct correction c = { .s = s,
                                  .u = u,
                                  .l = l,
                                  .line = line,
                                  .x = x,
                                  .shares_old = l->shares,
                                  .jump = 1,
                                  .entered = entered,
                                  .left = !l->valued };
    equal_weight_refresh(s, u);
    for (int k = 0; k < EW_VARIANTS; k++) split_weights(s, &c, k);
    if (x->carried_e8 && !since) {
        const double level = universe_level(u);
        const i128 was = u->total;
        universe_restate(s, u, line, x->carried_e8, l->shares,
                         line_value(x->carried_e8, l->shares));
        if (u->based) universe_move_ref(s, u, line, level, u->total);
        /* Whose count has jumped and waits for its split: had that been known, so much would have gone from as much less. */
        for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe)
            if (s->lines[no].total_before > 0) {
                s->lines[no].total_before -= was - u->total;
                s->lines[no].total_after -= was - u->total;
            }
    } else chain_since(s, u, line, x->day, amount_e8);
    if (!since) divide_close(u, l, x);
}

/* The shares that a member had at the end of that session; 0: it was none. Where that is not
 * kept any more it was one if it was one at the first end that is kept, and is. */
static int64_t counted_then(struct universe *u, const struct line *l, uint32_t line, int32_t day)
{
    const bool kept = u->refs_n && u->refs[0].day <= day;
    const struct session_line *x = universe_line_then(u, line, day);
    if (x) return x->shares;
    return !kept && l->valued && u->refs_n && universe_line_then(u, line, u->refs[0].day)
               ? l->shares
               : 0;
}

void past_reinvest(const struct universe_store *s, struct universe *u, uint32_t line, int32_t day,
                   int64_t amount_e8)
{
    const struct level_day *d = NULL;
    for (size_t i = u->days_n; i-- > 0 && u->days[i].day >= day;) d = &u->days[i];
    if (!u->based || !d || d == u->days || d->total <= 0)
        return; /* the base is what was paid from */
    const int64_t shares = counted_then(u, &s->lines[line], line, d->day);
    u->reinvested *= ratio(d->total + line_value(amount_e8, shares), d->total);
}
