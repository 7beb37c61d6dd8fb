/* order.c - companies by value, largest first, and lines: for top weights, the page's list, and
 * whatever looks at ranks.
 *
 * Kept by bubbling, because a tick moves a rank by little:   300 B | 200 A | 100 C     A rises to 310
 *   A is before B now: they change places                    310 A | 300 B | 100 C     and nobody else was looked at
 *
 * Each knows its rank, so a move begins where it stands. Ties go by issuer number, of lines by
 * instrument: the same members give the same order, whatever way they came.
 *
 * The sum of rank times value goes along: 1 * 300 + 2 * 200 + 3 * 100 = 1,000; A leaves 2 * 200
 * behind, B comes to the second place (+ 300), A goes to 1 * 310: 1,210, which is 310 + 2 * 300
 * + 3 * 100. */
#include "analytics/members.h"
#include "core/vec.h"

#include <stdlib.h>

/* Who stands in an order: its value, what decides a tie, and where it stands. */
struct seat {
    int64_t value;
    uint32_t tie;
};
typedef struct seat seat_fn(const struct universe_store *s, uint32_t who);
typedef uint32_t *rank_fn(struct universe_store *s, uint32_t who);

static inline struct seat slot_seat(const struct universe_store *s, uint32_t k)
{
    return (struct seat){ s->slots[k].value, s->slots[k].issuer };
}
static inline uint32_t *slot_rank(struct universe_store *s, uint32_t k)
{
    return &s->slots[k].rank;
}
static inline struct seat line_seat(const struct universe_store *s, uint32_t l)
{
    return (struct seat){ s->lines[l].value, s->lines[l].instrument };
}
static inline uint32_t *line_rank(struct universe_store *s, uint32_t l)
{
    return &s->lines[l].rank;
}

static inline bool before(struct seat a, struct seat b)
{
    return a.value > b.value || (a.value == b.value && a.tie < b.tie);
}

/* Inlined twice, so that a company's move asks nobody what a company is. */
#define INLINE static inline __attribute__((always_inline))
INLINE void put(struct universe_store *s, struct order *o, uint32_t j, uint32_t who, rank_fn *rank)
{
    o->who[j] = who;
    *rank(s, who) = j;
}

INLINE void move_in(struct universe_store *s, struct order *o, uint32_t me, int64_t was,
                    seat_fn *seat, rank_fn *rank)
{
    const struct seat mine = seat(s, me);
    uint32_t j = *rank(s, me);
    o->ranked -= (i128)(j + 1) * was;
    for (struct seat other; j > 0 && before(mine, other = seat(s, o->who[j - 1])); j--) {
        put(s, o, j, o->who[j - 1], rank);
        o->ranked += other.value;
    }
    for (struct seat other; j + 1 < o->n && before(other = seat(s, o->who[j + 1]), mine); j++) {
        put(s, o, j, o->who[j + 1], rank);
        o->ranked -= other.value;
    }
    put(s, o, j, me, rank);
    o->ranked += (i128)(j + 1) * mine.value;
}

INLINE enum err add_to(struct universe_store *s, struct order *o, uint32_t who, seat_fn *seat,
                       rank_fn *rank)
{
    if (!VEC_GROW(&o->who, &o->cap, o->n + 1)) return ERR_NOMEM;
    put(s, o, (uint32_t)o->n++, who, rank);
    move_in(s, o, who, 0, seat, rank);
    return ERR_OK;
}

/* ---- companies ---- */
static void move_slot(struct universe_store *s, const struct universe *u, void *state,
                      const struct line_change *c)
{
    (void)u;
    move_in(s, state, c->slot, c->issuer_was, slot_seat, slot_rank);
}

static enum err add_slot(struct universe_store *s, const struct universe *u, void *state,
                         uint32_t slot)
{
    (void)u;
    return add_to(s, state, slot, slot_seat, slot_rank);
}

/* Added one by one at their place: the newest first, as the chain has them. Ranks are this
 * aggregate's own. */
static enum err rebuild_slots(const struct universe_store *s, const struct universe *u, void *state)
{
    struct order *o = state;
    enum err e = ERR_OK;
    o->n = 0;
    o->ranked = 0;
    for (uint32_t k = u->first_slot; k != NONE && !e; k = s->slots[k].next_of_universe)
        e = add_slot((struct universe_store *)s, u, state, k);
    return e;
}

/* ---- lines ---- */
static void move_line(struct universe_store *s, const struct universe *u, void *state,
                      const struct line_change *c)
{
    (void)u;
    move_in(s, state, c->line, c->was, line_seat, line_rank);
}

static enum err add_line(struct universe_store *s, const struct universe *u, void *state,
                         uint32_t line)
{
    (void)u;
    return add_to(s, state, line, line_seat, line_rank);
}

static enum err rebuild_lines(const struct universe_store *s, const struct universe *u, void *state)
{
    struct order *o = state;
    enum err e = ERR_OK;
    o->n = 0;
    o->ranked = 0;
    for (uint32_t l = u->first_line; l != NONE && !e; l = s->lines[l].next_of_universe)
        e = add_line((struct universe_store *)s, u, state, l);
    return e;
}

/* ---- both ---- */
/* Two sorted lists into one. Ranks are of the universe whose members these are: a merged order
 * has none. */
INLINE enum err merge(const struct universe_store *s, struct order *a, const struct order *b,
                      seat_fn *seat)
{
    uint32_t *both = malloc((a->n + b->n + 1) * sizeof *both);
    if (!both) return ERR_NOMEM;
    size_t i = 0, j = 0, n = 0;
    i128 ranked = 0;
    while (i < a->n || j < b->n) {
        const bool left = j == b->n || (i < a->n && before(seat(s, a->who[i]), seat(s, b->who[j])));
        both[n] = left ? a->who[i++] : b->who[j++];
        ranked += (i128)(n + 1) * seat(s, both[n]).value;
        n++;
    }
    free(a->who);
    *a = (struct order){ both, n, n, ranked };
    return ERR_OK;
}

INLINE bool same(const struct universe_store *s, const struct order *a, const struct order *b,
                 seat_fn *seat)
{
    if (a->n != b->n || a->ranked != b->ranked) return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct seat x = seat(s, a->who[i]), y = seat(s, b->who[i]);
        if (x.tie != y.tie || x.value != y.value) return false;
    }
    return true;
}

static enum err merge_slots(const struct universe_store *s, void *into, const void *other)
{
    return merge(s, into, other, slot_seat);
}
static bool same_slots(const struct universe_store *s, const void *a, const void *b)
{
    return same(s, a, b, slot_seat);
}
static enum err merge_lines(const struct universe_store *s, void *into, const void *other)
{
    return merge(s, into, other, line_seat);
}
static bool same_lines(const struct universe_store *s, const void *a, const void *b)
{
    return same(s, a, b, line_seat);
}

static void release_order(void *state) { free(((struct order *)state)->who); }

const struct aggregate_kind aggregate_order = {
    .name = "order",
    .size = sizeof(struct order),
    .rebuild = rebuild_slots,
    .move = move_slot,
    .slot_added = add_slot,
    .merge = merge_slots,
    .equal = same_slots,
    .release = release_order,
};

const struct aggregate_kind aggregate_order_by_line = {
    .name = "order_by_line",
    .size = sizeof(struct order),
    .rebuild = rebuild_lines,
    .move = move_line,
    .line_added = add_line,
    .merge = merge_lines,
    .equal = same_lines,
    .release = release_order,
};
