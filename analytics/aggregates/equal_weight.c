/* equal_weight.c - see equal_weight.h. With numbers, for EW by issuer, A at 100 and B at 50,
 * each one company:
 *
 *   rebalance   q_A = floor(1e18 / 1e10) = 1e8    q_B = floor(1e18 / 5e9) = 2e8     (prices at 1e-8)
 *               E = 1e8 * 1e10 + 2e8 * 5e9 = 2e18, and the level is 1000 at ref = 2e18
 *   A to 110    E = 2e18 + 1e8 * 1e9 = 2.1e18      level = 1000 * 2.1 / 2 = 1050: half of it rose by 10 %
 *   C comes     at the average weight, E / 2 = 1.05e18: q_C = floor(1.05e18 / price). Then ref is chained, so that the
 *               level stays at 1050
 *
 * q is floored once a rebalance and then only multiplied: a tick costs one multiplication a
 * variant and no division. */
#include "analytics/aggregates/equal_weight.h"

#include "analytics/members.h"

#include <string.h>

const char *const ew_names[] = { "quarterly", "monthly", "daily", "held", "third_friday", NULL };
const char *const by_names[] = { "issuer", "line", NULL };

static struct equal_weight *weights_of(const struct universe *u)
{
    return universe_kept(u, &aggregate_equal_weight);
}
static bool by_line(int variant) { return variant % BY_COUNT == BY_LINE; }

static i128 sum_afresh(const struct universe_store *s, const struct universe *u, int variant)
{
    i128 sum = 0;
    for (uint32_t l = u->first_line; l != NONE; l = s->lines[l].next_of_universe)
        if (s->lines[l].valued) sum += (i128)s->lines[l].q[variant] * s->lines[l].price_e8;
    return sum;
}

static enum err rebuild_weights(const struct universe_store *s, const struct universe *u,
                                void *state)
{
    struct equal_weight *w = state;
    for (int k = 0; k < EW_VARIANTS; k++) w->variants[k].sum = sum_afresh(s, u, k);
    w->behind = false;
    return ERR_OK;
}

void equal_weight_refresh(const struct universe_store *s, const struct universe *u)
{
    struct equal_weight *w = weights_of(u);
    if (!w->behind) return;
    for (int k = 0; k < EW_VARIANTS; k++)
        if (!w->variants[k].asked) w->variants[k].sum = sum_afresh(s, u, k);
    w->behind = false;
}

void equal_weight_ask(const struct universe_store *s, const struct universe *u, int variant, int by)
{
    struct equal_weight *w = weights_of(u);
    equal_weight_refresh(s, u);
    w->variants[variant].asked += (uint32_t)by;
    w->followed_n = 0;
    for (int k = 0; k < EW_VARIANTS; k++)
        if (w->variants[k].asked) w->followed[w->followed_n++] = (uint8_t)k;
}

const struct variant *equal_weight_of(const struct universe *u, int variant)
{
    return &weights_of(u)->variants[variant];
}

double equal_weight_level(const struct universe *u, int variant)
{
    const struct variant *v = &weights_of(u)->variants[variant];
    return scale_times(&v->scale, v->sum);
}

double equal_weight_level_now(const struct universe_store *s, const struct universe *u, int variant)
{
    const struct equal_weight *w = weights_of(u);
    const struct variant *v = &w->variants[variant];
    if (v->asked || !w->behind) return equal_weight_level(u, variant);
    return scale_times(&v->scale, sum_afresh(s, u, variant));
}

void equal_weight_set_ref(struct variant *v, double level_ref, i128 ref)
{
    v->level_ref = level_ref;
    v->ref = ref;
    v->scale = level_ref > 0 && ref > 0 ? scale_of(level_ref, ref) : (struct scale){ 0 };
}

static void move_weights(struct universe_store *s, const struct universe *u, void *state,
                         const struct line_change *c)
{
    (void)u;
    struct equal_weight *w = state;
    int64_t step = c->price_is - c->price_was;
    if (step == 0) return;
    const int64_t *q = s->lines[c->line].q;
    for (uint32_t i = 0; i < w->followed_n; i++)
        w->variants[w->followed[i]].sum += (i128)q[w->followed[i]] * step;
    w->behind = true;
}

/* ---- members come and go ---- */
static void enter(struct universe_store *s, const struct universe *u, uint32_t line, int variant)
{
    struct variant *v = &weights_of(u)->variants[variant];
    struct line *l = &s->lines[line];
    const uint32_t names = by_line(variant) ? u->valued_n : u->issuers_n;
    if (!by_line(variant) && s->slots[l->slot].lines_n > 0) return;
    l->q[variant] = (int64_t)(v->sum / names / l->price_e8);
    v->sum += (i128)l->q[variant] * l->price_e8;
}

void equal_weight_enter(struct universe_store *s, const struct universe *u, uint32_t line)
{
    if (!u->based) return; /* weights begin when the level does */
    for (int k = 0; k < EW_VARIANTS; k++) enter(s, u, line, k);
}

void equal_weight_arrive(struct universe_store *s, const struct universe *u, uint32_t line)
{
    for (int k = 0; k < EW_VARIANTS; k++)
        if (!by_line(k)) enter(s, u, line, k);
}

static struct line *other_line(struct universe_store *s, const struct universe *u,
                               const struct line *l)
{
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe)
        if (s->lines[no].slot == l->slot && s->lines[no].valued && &s->lines[no] != l)
            return &s->lines[no];
    return NULL;
}

static struct line *heir_of(struct universe_store *s, const struct universe *u,
                            const struct line *l)
{
    return s->slots[l->slot].lines_n > 1 ? other_line(s, u, l) : NULL;
}

static void leave(const struct universe *u, struct line *l, struct line *heir, int variant)
{
    struct variant *v = &weights_of(u)->variants[variant];
    const i128 weight = (i128)l->q[variant] * l->price_e8;
    v->sum -= weight;
    l->q[variant] = 0;
    if (!heir || by_line(variant)) return;
    const int64_t q = (int64_t)(weight / heir->price_e8);
    heir->q[variant] += q;
    v->sum += (i128)q * heir->price_e8;
}

void equal_weight_leave(struct universe_store *s, const struct universe *u, uint32_t line)
{
    struct line *l = &s->lines[line], *heir = heir_of(s, u, l);
    for (int k = 0; k < EW_VARIANTS; k++) leave(u, l, heir, k);
}

void equal_weight_part(struct universe_store *s, const struct universe *u, uint32_t line)
{
    struct line *l = &s->lines[line], *heir = heir_of(s, u, l);
    for (int k = 0; k < EW_VARIANTS; k++)
        if (!by_line(k)) leave(u, l, heir, k);
}

void equal_weight_restate(struct universe_store *s, const struct universe *u, uint32_t line,
                          int variant, int64_t q, int64_t price_was, int64_t price_is)
{
    struct variant *v = &weights_of(u)->variants[variant];
    int64_t *units = &s->lines[line].q[variant];
    v->sum += (i128)q * price_is - (i128)*units * price_was;
    *units = q;
}

void equal_weight_chain(const struct universe *u, const double levels[EW_VARIANTS])
{
    struct equal_weight *w = weights_of(u);
    for (int k = 0; k < EW_VARIANTS; k++) {
        equal_weight_set_ref(&w->variants[k], levels[k], w->variants[k].sum);
    }
}

void equal_weight_restore(struct universe_store *s, const struct universe *u, int variant,
                          double level)
{
    const i128 unit = (i128)1000000000000000000;
    struct variant *v = &weights_of(u)->variants[variant];
    v->sum = 0;
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe) {
        struct line *l = &s->lines[no];
        if (!l->valued) continue;
        i128 names = by_line(variant) ? 1 : s->slots[l->slot].lines_n;
        l->q[variant] = (int64_t)(unit / (names * l->price_e8));
        v->sum += (i128)l->q[variant] * l->price_e8;
    }
    equal_weight_set_ref(v, level, v->sum);
}

void equal_weight_restore_at_close(struct universe_store *s, const struct universe *u, int variant,
                                   double level)
{
    const i128 unit = (i128)1000000000000000000;
    struct variant *v = &weights_of(u)->variants[variant];
    const double now = equal_weight_level(u, variant);
    i128 at_close = 0, sum = 0;
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe) {
        struct line *l = &s->lines[no];
        l->q[variant] = 0;
        if (!l->valued || l->close_e8 == 0) continue;
        i128 names = by_line(variant) ? 1 : s->slots[l->slot].lines_n;
        l->q[variant] = (int64_t)(unit / (names * l->close_e8));
        at_close += (i128)l->q[variant] * l->close_e8;
        sum += (i128)l->q[variant] * l->price_e8;
    }
    if (at_close == 0) { /* closes were not kept yet when that session ended */
        equal_weight_restore(s, u, variant, now);
        return;
    }
    v->sum = sum;
    equal_weight_set_ref(v, level, at_close);
}

/* ---- shards ---- */
static enum err merge_weights(const struct universe_store *s, void *into, const void *other)
{
    (void)s;
    struct equal_weight *a = into;
    const struct equal_weight *b = other;
    for (int k = 0; k < EW_VARIANTS; k++) {
        a->variants[k].sum += b->variants[k].sum;
        equal_weight_set_ref(&a->variants[k], a->variants[k].level_ref,
                             a->variants[k].ref + b->variants[k].ref);
    }
    return ERR_OK;
}

static bool same_weights(const struct universe_store *s, const void *a, const void *b)
{
    (void)s;
    const struct equal_weight *x = a, *y = b;
    for (int k = 0; k < EW_VARIANTS; k++)
        if (x->variants[k].sum != y->variants[k].sum) return false;
    return true;
}

const struct aggregate_kind aggregate_equal_weight = {
    .name = "equal_weight",
    .size = sizeof(struct equal_weight),
    .rebuild = rebuild_weights,
    .move = move_weights,
    .merge = merge_weights,
    .equal = same_weights,
};
