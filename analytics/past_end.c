/* past_end.c - a name that left two sessions ago, at the terms of a merger that nobody had said.
 * A, B and C, 100 shares each at 100, level 1000; A is taken over at 120 at Monday's open; B and
 * C close at 105 on Monday and at 110 on Tuesday. Said after that:
 *
 *   Friday     T = 30,000                  level 1000
 *   the open   A at 120: T = 32,000        level 1066.67, and A goes: what is left is 20,000 at that level
 *   Monday     T without A = 21,000        level 1066.67 * 21,000 / 20,000 = 1120; said was 1000 * 31,000 / 30,000
 *   Tuesday    T without A = 22,000        level 1173.33
 *
 * Had A but gone now, at 120, its gain would have been added to weights of today: 1133.33.
 *
 * Where something was chained on the way, a member come or the weights equal again, it is
 * chained to the right level, with A out of the sum that it was chained with. */
#include "analytics/past.h"

#include "core/ratio.h"

#include <string.h>

/* Levels are by caps, or of a variant of equal weights, which has its number. */
enum { CAPS = -1 };

struct base { /* what a level is measured from */
    double level_ref;
    i128 ref;
};

/* One level when a session had ended, or now: as it was said, and what it was made of. */
struct stand {
    struct base base;
    double level;
    i128 sum;
    i128 part;   /* the line's in it */
    i128 opened; /* and what that was worth at the close before */
};

static struct stand stand_then(struct universe *u, uint32_t line, size_t i, int k)
{
    const struct session_refs *r = &u->refs[i];
    const struct level_day *d = past_level(u, i);
    const struct session_line *x = universe_line_then(u, line, r->day),
                              *was = i ? universe_line_then(u, line, u->refs[i - 1].day) : NULL;
    const int64_t close_e8 = x ? x->close_e8 : 0, before_e8 = x && was ? was->close_e8 : 0;
    if (k == CAPS)
        return (struct stand){ .base = { r->level_ref, r->total_ref },
                               .level = d->level,
                               .sum = d->total,
                               .part = line_value(close_e8, x ? x->shares : 0),
                               .opened = line_value(before_e8, x ? x->shares : 0) };
    const i128 units = x ? x->q[k] : 0;
    return (struct stand){ .base = { r->ew_level_ref[k], r->ew_ref[k] },
                           .level = d->ew[k],
                           .sum = d->sums[k],
                           .part = units * close_e8,
                           .opened = units * before_e8 };
}

static struct stand stand_now(struct universe *u, const struct line *l, uint32_t line, int k)
{
    const struct session_line *was = universe_line_then(u, line, u->refs[u->refs_n - 1].day);
    const int64_t before_e8 = was ? was->close_e8 : 0;
    if (k == CAPS)
        return (struct stand){ .base = { u->level_ref, u->total_ref },
                               .level = universe_level(u),
                               .sum = u->total,
                               .part = l->value,
                               .opened = l->valued ? line_value(before_e8, l->shares) : 0 };
    const struct variant *v = equal_weight_of(u, k);
    return (struct stand){ .base = { v->level_ref, v->ref },
                           .level = equal_weight_level(u, k),
                           .sum = v->sum,
                           .part = (i128)l->q[k] * l->price_e8,
                           .opened = (i128)l->q[k] * before_e8 };
}

/* The level without the line, from the open on. */
struct path {
    struct base base;
    struct stand last; /* that was looked at, and its level put right */
    double right;
};

/* Was something chained since the last that was looked at? */
static bool chained(const struct path *p, const struct stand *x)
{
    return x->base.level_ref != p->last.base.level_ref || x->base.ref != p->last.base.ref;
}

/* At the open the line goes from its close to `by` times that, and then out. */
static void leave_at_open(struct path *p, const struct stand *x, double by)
{
    const bool anew = chained(p, x);
    const i128 sum = anew ? x->base.ref : p->last.sum, part = anew ? x->opened : p->last.part;
    const double level = anew ? x->base.level_ref : p->last.level;
    p->base = (struct base){ level * (1 + (by - 1) * ratio(part, sum)), sum - part };
}

static void go_on(struct path *p, const struct stand *x)
{
    if (chained(p, x))
        p->base = (struct base){ x->base.level_ref * (p->right / p->last.level),
                                 x->base.ref - x->opened };
}

static void put_right(struct universe *u, size_t i, int k, const struct path *p)
{
    struct session_refs *r = &u->refs[i];
    struct level_day *d = past_level(u, i);
    if (k == CAPS) {
        r->level_ref = p->base.level_ref;
        r->total_ref = p->base.ref;
        d->level = p->right;
        d->total -= p->last.part;
        return;
    }
    r->ew_level_ref[k] = p->base.level_ref;
    r->ew_ref[k] = p->base.ref;
    d->ew[k] = p->right;
    d->sums[k] -= p->last.part;
}

/* From the kept session `first` on, which follows the one before its end. What the level of now
 * is to be measured from, without it. */
static struct path walk(struct universe *u, const struct line *l, uint32_t line, size_t first,
                        int k, double by)
{
    struct path p = { .last = stand_then(u, line, first - 1, k) };
    for (size_t i = first; i <= u->refs_n; i++) {
        const struct stand x = i < u->refs_n ? stand_then(u, line, i, k) : stand_now(u, l, line, k);
        if (i == first) leave_at_open(&p, &x, by);
        else go_on(&p, &x);
        p.right = universe_level_from(p.base.level_ref, p.base.ref, x.sum - x.part);
        p.last = x;
        if (i < u->refs_n) put_right(u, i, k, &p);
    }
    return p;
}

/* Without it there is something left, all the way. */
static bool others_count(struct universe *u, const struct line *l, uint32_t line, size_t first,
                         int k)
{
    for (size_t i = first - 1; i <= u->refs_n; i++) {
        const struct stand x = i < u->refs_n ? stand_then(u, line, i, k) : stand_now(u, l, line, k);
        if (x.sum <= x.part || x.base.ref <= x.opened || !(x.level > 0)) return false;
    }
    return true;
}

/* Gone as of now: what it is worth moves the level of now. */
static double moved(const struct stand *now, double by)
{
    return now->sum > 0 ? now->level * (1 + (by - 1) * ratio(now->part, now->sum)) : now->level;
}

/* Of the kept sessions the first that it should not have been in; 0: none is kept before that,
 * or it was in none. */
static size_t first_without(struct universe *u, uint32_t line, int32_t day)
{
    const size_t i = past_first(u, day);
    return u->based && i && universe_line_then(u, line, u->refs[i - 1].day) ? i : 0;
}

static void leave_then(struct universe_store *s, struct universe *u, uint32_t line, size_t first,
                       int64_t price_e8)
{
    struct line *l = &s->lines[line];
    const bool heir = s->slots[l->slot].lines_n > (l->valued ? 1 : 0);
    const double by =
        (double)price_e8 / (double)universe_line_then(u, line, u->refs[first - 1].day)->close_e8;
    equal_weight_refresh(s, u);
    for (int k = CAPS; k < EW_VARIANTS; k++) {
        struct variant *v = k == CAPS ? NULL : (struct variant *)equal_weight_of(u, k);
        const bool inherits = k != CAPS && k % BY_COUNT == BY_ISSUER && heir;
        const i128 sum = k == CAPS ? u->total : v->sum;
        struct base base = { 0, sum };
        if (!inherits && others_count(u, l, line, first, k)) {
            const struct path p = walk(u, l, line, first, k, by);
            if (l->valued) base.level_ref = p.right;
            else base = p.base;
        } else if (l->valued) {
            const struct stand now = stand_now(u, l, line, k);
            base.level_ref = moved(&now, (double)price_e8 / (double)l->price_e8);
        } else continue;
        if (k == CAPS) universe_move_ref(s, u, line, base.level_ref, base.ref);
        else equal_weight_set_ref(v, base.level_ref, base.ref);
    }
    for (size_t i = first; i < u->refs_n; i++) {
        struct session_line *x = universe_line_then(u, line, u->refs[i].day);
        if (x) x->shares = 0, memset(x->q, 0, sizeof x->q);
    }
}

void past_leave(struct universe_store *s, struct universe *u, uint32_t line, int32_t day,
                int64_t price_e8)
{
    const struct line *l = &s->lines[line];
    const size_t first = first_without(u, line, day);
    if (first && (l->valued || l->left.since >= day)) leave_then(s, u, line, first, price_e8);
    else if (l->valued) universe_set_price(s, u, line, price_e8, 0);
    if (l->active) universe_remove_line(s, u, line);
}
