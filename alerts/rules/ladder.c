/* ladder.c - a series at 99, and three rules on it:
 *
 *     rule 0: >= 100, clear 98      rule 1: >= 100      rule 2: < 95, clear 97
 *
 *     edges    95/2 enters  97/2 clears  98/0 clears  100/0 enters  100/1 enters  100/1 clears
 *     rank                                          ^ 3: three edges lie at or below 99
 *
 * The series moves to 101: the finger passes 100/0, 100/1 and 100/1, in this order, and stands at
 * 6. It moves to 96: back over all of them but 95/2, the highest first. It moves to 96.5: the
 * edges on either side of the finger are looked at, and that is all, whatever the number of
 * rules. So a move costs O(1 + passed).
 *
 * A rule that comes appends its edges; they find their place before the next move, a few by
 * insertion, many by a merge, very many by one sort. A rule that goes, or comes anew with other levels, leaves its
 * edges where they are, dead; when a quarter is, they go. The order is a pure function of the
 * edges, not of how they came. */
#include "alerts/rules/ladder.h"

#include "core/vec.h"

#include <string.h>

enum {
    SMALL_TAIL = 16, /* so many new edges are inserted; */
    TAIL_MAX = 2048, /* so many merged; more, as after a restart, are sorted in with the rest */
    DEAD_MIN = 64    /* fewer dead ones are not worth a sweep */
};

bool ladder_reserve(struct ladder *l, size_t more)
{
    size_t cap = l->cap;
    if (l->n + more > UINT32_MAX / 2 || !VEC_GROW(&l->edges, &cap, l->n + more)) return false;
    l->cap = (uint32_t)cap;
    return true;
}

void ladder_add(struct ladder *l, struct edge e) { l->edges[l->n++] = e; }

static int by_key(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    return (x->which > y->which) - (x->which < y->which);
}

void ladder_place_finger(struct ladder *l)
{
    uint32_t low = 0, high = l->sorted_n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (l->edges[mid].key <= l->last) low = mid + 1;
        else high = mid;
    }
    l->rank = low;
}

static void drop_dead(struct ladder *l, edge_dead_fn *dead, const void *ctx)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->n; i++)
        if (!dead(ctx, l, &l->edges[i])) l->edges[kept++] = l->edges[i];
    l->n = kept;
    l->dead = 0;
}

/* The same edge twice (a rule was put again) is one; the first `kept` are there once. */
static uint32_t drop_doubles(struct ladder *l, uint32_t kept)
{
    if (kept == 0) kept = l->n ? 1 : 0;
    for (uint32_t i = kept; i < l->n; i++)
        if (by_key(&l->edges[kept - 1], &l->edges[i]) != 0) l->edges[kept++] = l->edges[i];
    return kept;
}

/* All anew. */
static uint32_t sort_all(struct ladder *l)
{
    if (l->n) qsort(l->edges, l->n, sizeof *l->edges, by_key);
    return drop_doubles(l, 0);
}

/* The tail is sorted, put aside, and merged from the highest down: of two million edges and a thousand new ones it is a
 * walk, and no sort, that moves them. */
static uint32_t merge_tail(struct ladder *l)
{
    struct edge tail[TAIL_MAX];
    uint32_t n = l->n - l->sorted_n, at = l->sorted_n, to = l->n;
    memcpy(tail, l->edges + l->sorted_n, n * sizeof *tail);
    qsort(tail, n, sizeof *tail, by_key);
    while (n > 0)
        if (at > 0 && by_key(&l->edges[at - 1], &tail[n - 1]) > 0) l->edges[--to] = l->edges[--at];
        else l->edges[--to] = tail[--n];
    return drop_doubles(l, at);
}

/* Each of the tail to its place among the `kept` before it; one that is there already (a rule
 * was put again) is dropped. */
static uint32_t insert_one(struct ladder *l, uint32_t kept, struct edge e)
{
    uint32_t low = 0, high = kept;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (by_key(&l->edges[mid], &e) < 0) low = mid + 1;
        else high = mid;
    }
    if (low < kept && by_key(&l->edges[low], &e) == 0) return kept;
    memmove(&l->edges[low + 1], &l->edges[low], (kept - low) * sizeof e);
    l->edges[low] = e;
    return kept + 1;
}

void ladder_settle(struct ladder *l, edge_dead_fn *dead, const void *ctx)
{
    const bool sweep = l->dead > DEAD_MIN && l->dead > l->n / 4;
    const uint32_t tail = l->n - l->sorted_n;
    if (sweep) drop_dead(l, dead, ctx);
    if (sweep || tail > TAIL_MAX) l->n = sort_all(l);
    else if (tail > SMALL_TAIL) l->n = merge_tail(l);
    else {
        uint32_t kept = l->sorted_n;
        for (uint32_t i = l->sorted_n; i < l->n; i++) kept = insert_one(l, kept, l->edges[i]);
        l->n = kept;
    }
    l->sorted_n = l->n;
    ladder_place_finger(l);
}

void ladder_empty(struct ladder *l)
{
    free(l->edges);
    l->edges = NULL;
    l->n = l->cap = l->sorted_n = l->rank = 0;
    l->dead = 0;
    l->has_before = false;
    l->unwatched = true;
}
