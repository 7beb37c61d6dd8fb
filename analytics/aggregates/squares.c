/* squares.c - the sum of squared values, by company and by line: what HHI and the effective
 * number are made of.
 *
 * A and B of two companies are worth 100 and 300 cents: the sum is 10,000 + 90,000 = 100,000,
 * the total 400, and HHI is 10,000 * 100,000 / 400^2 = 6,250. B falls to 200: the sum gets 200^2
 * - 300^2 = -50,000. */
#include "analytics/members.h"

static enum err rebuild_by_issuer(const struct universe_store *s, const struct universe *u,
                                  void *state)
{
    struct squares *q = state;
    q->sum = 0;
    for (uint32_t k = u->first_slot; k != NONE; k = s->slots[k].next_of_universe)
        q->sum += (i128)s->slots[k].value * s->slots[k].value;
    return ERR_OK;
}

static enum err rebuild_by_line(const struct universe_store *s, const struct universe *u,
                                void *state)
{
    struct squares *q = state;
    q->sum = 0;
    for (uint32_t l = u->first_line; l != NONE; l = s->lines[l].next_of_universe)
        q->sum += (i128)s->lines[l].value * s->lines[l].value;
    return ERR_OK;
}

static void move_issuer(struct universe_store *s, const struct universe *u, void *state,
                        const struct line_change *c)
{
    (void)s, (void)u;
    ((struct squares *)state)->sum +=
        (i128)c->issuer_is * c->issuer_is - (i128)c->issuer_was * c->issuer_was;
}

static void move_line(struct universe_store *s, const struct universe *u, void *state,
                      const struct line_change *c)
{
    (void)s, (void)u;
    ((struct squares *)state)->sum += (i128)c->is * c->is - (i128)c->was * c->was;
}

static enum err merge_squares(const struct universe_store *s, void *into, const void *other)
{
    (void)s;
    ((struct squares *)into)->sum += ((const struct squares *)other)->sum;
    return ERR_OK;
}

static bool same_squares(const struct universe_store *s, const void *a, const void *b)
{
    (void)s;
    return ((const struct squares *)a)->sum == ((const struct squares *)b)->sum;
}

const struct aggregate_kind aggregate_squares_by_issuer = {
    .name = "squares_by_issuer",
    .size = sizeof(struct squares),
    .rebuild = rebuild_by_issuer,
    .move = move_issuer,
    .merge = merge_squares,
    .equal = same_squares,
};

const struct aggregate_kind aggregate_squares_by_line = {
    .name = "squares_by_line",
    .size = sizeof(struct squares),
    .rebuild = rebuild_by_line,
    .move = move_line,
    .merge = merge_squares,
    .equal = same_squares,
};
