/* order.c - companies by value, largest first: for top weights, the page's list, and whatever looks at ranks.
 *
 * Kept by bubbling, because a tick moves a rank by little:   300 B | 200 A | 100 C     A rises to 310
 *   A is before B now: they change places                    310 A | 300 B | 100 C     and nobody else was looked at
 *
 * Each slot knows its rank, so a move begins where the company stands. Ties go by issuer number: the same members give the
 * same order, whatever way they came. */
#include "analytics/members.h"
#include "core/vec.h"

#include <stdlib.h>

static bool before(const struct slot *a, const struct slot *b)
{
    return a->value > b->value || (a->value == b->value && a->issuer < b->issuer);
}

static void move_order(struct universe_store *s, const struct universe *u, void *state,
                       const struct line_change *c)
{
    (void)u;
    struct order *o = state;
    struct slot *me = &s->slots[c->slot];
    uint32_t j = me->rank;
    for (; j > 0 && before(me, &s->slots[o->slots[j - 1]]); j--)
        s->slots[o->slots[j] = o->slots[j - 1]].rank = j;
    for (; j + 1 < o->n && before(&s->slots[o->slots[j + 1]], me); j++)
        s->slots[o->slots[j] = o->slots[j + 1]].rank = j;
    o->slots[j] = c->slot;
    me->rank = j;
}

static enum err add_slot(struct universe_store *s, const struct universe *u, void *state,
                         uint32_t slot)
{
    struct order *o = state;
    if (!VEC_GROW(&o->slots, &o->cap, o->n + 1)) return ERR_NOMEM;
    s->slots[slot].rank = (uint32_t)o->n;
    o->slots[o->n++] = slot;
    move_order(s, u, state, &(struct line_change){ .slot = slot });
    return ERR_OK;
}

static enum err rebuild_order(const struct universe_store *s, const struct universe *u, void *state)
{
    struct order *o = state;
    o->n = 0;
    if (!VEC_GROW(&o->slots, &o->cap, u->slots_n + 1)) return ERR_NOMEM;
    /* added one by one at their place: the newest first, as the chain has them */
    for (uint32_t k = u->first_slot; k != NONE; k = s->slots[k].next_of_universe) {
        enum err e =
            add_slot((struct universe_store *)s, u, state, k); /* ranks are this aggregate's own */
        if (e) return e;
    }
    return ERR_OK;
}

/* Two sorted lists into one. Ranks are of the universe whose slots these are: a merged order has none. */
static enum err merge_orders(const struct universe_store *s, void *into, const void *other)
{
    struct order *a = into;
    const struct order *b = other;
    uint32_t *both = malloc((a->n + b->n + 1) * sizeof *both);
    if (!both) return ERR_NOMEM;
    size_t i = 0, j = 0, n = 0;
    while (i < a->n || j < b->n) {
        bool left =
            j == b->n || (i < a->n && before(&s->slots[a->slots[i]], &s->slots[b->slots[j]]));
        both[n++] = left ? a->slots[i++] : b->slots[j++];
    }
    free(a->slots);
    *a = (struct order){ both, n, n };
    return ERR_OK;
}

static bool same_order(const struct universe_store *s, const void *a, const void *b)
{
    const struct order *x = a, *y = b;
    if (x->n != y->n) return false;
    for (size_t i = 0; i < x->n; i++) {
        const struct slot *p = &s->slots[x->slots[i]], *q = &s->slots[y->slots[i]];
        if (p->issuer != q->issuer || p->value != q->value) return false;
    }
    return true;
}

static void release_order(void *state) { free(((struct order *)state)->slots); }

const struct aggregate_kind aggregate_order = {
    .name = "order",
    .size = sizeof(struct order),
    .rebuild = rebuild_order,
    .move = move_order,
    .slot_added = add_slot,
    .merge = merge_orders,
    .equal = same_order,
    .release = release_order,
};
