/* ladder.h - the thresholds of one series, sorted, and a finger on where the series stands. See
 * ladder.c for an example.
 *
 * A move walks over exactly the edges it passes, so thresholds that nothing passes cost
 * nothing. It says which; what a passed edge means is for the owner. Pure; thread: one. */
#ifndef TOCSIN_ALERTS_RULES_LADDER_H
#define TOCSIN_ALERTS_RULES_LADDER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One level of one term of a rule. Edges are in order of (key, rule, which); rules are
 * numbered in the order they came. */
struct edge {
    int64_t key;
    uint32_t rule;
    uint32_t which; /* 4 * term, + EDGE_CLEARS, + EDGE_ABOVE */
};
enum {
    EDGE_ABOVE = 1, /* the term holds above */
    EDGE_CLEARS = 2 /* its clear level */
};
static inline uint32_t edge_term(const struct edge *e) { return e->which / 4; }
static inline bool edge_clears(const struct edge *e) { return e->which & EDGE_CLEARS; }
static inline bool edge_above(const struct edge *e) { return e->which & EDGE_ABOVE; }

struct ladder { /* all zero: nothing known of the series */
    /* first what every move looks at: half a cache line */
    struct edge *edges;
    int64_t last;
    uint32_t n, sorted_n; /* edges behind sorted_n came since the last settle */
    uint32_t rank;        /* the finger: so many sorted edges have key <= last */
    bool has_value;       /* `last` is one */
    bool usable;          /* and it still counts: not stale, covered */
    bool has_before;      /* `before` is one */
    bool unwatched;       /* nobody has looked on since `last` */
    bool recheck; /* a rule that waits saw another value than `last`: the next one, whichever it is,
                   * is to be looked at */
    uint32_t cap;
    int64_t before; /* the value before `last`, and another one */
    int64_t at_ns;  /* when it came to stand at `last` */
    /* the owner's counts */
    uint32_t terms;   /* that watch the series */
    uint32_t waiting; /* of these, those whose rule is to be looked at on the next usable value */
    uint32_t dead;    /* edges left behind, about; they go when there are many */
};

/* Has the rule left this edge behind? Such an edge is never reported and goes sooner or later. */
typedef bool edge_dead_fn(const void *ctx, const struct ladder *l, const struct edge *e);

/* Room for `more` edges; false: out of memory. */
bool ladder_reserve(struct ladder *l, size_t more);
void ladder_add(struct ladder *l, struct edge e); /* into room reserved */
/* New edges find their place, and an edge that is there already goes. Before any move, when
 * ladder_unsettled. */
void ladder_settle(struct ladder *l, edge_dead_fn *dead, const void *ctx);
static inline bool ladder_unsettled(const struct ladder *l) { return l->sorted_n != l->n; }

void ladder_place_finger(struct ladder *l); /* where `last` is, passing nothing */

/* The series stands at `key`. True when those that wait are to look: it had no usable value
 * before, or `recheck`. The first value ever passes no edge. */
static inline bool ladder_move(struct ladder *l, int64_t key, int64_t now_ns)
{
    const bool dark = !l->usable || l->recheck, first = !l->has_value;
    if (first || key != l->last) {
        if (!first && !l->unwatched) {
            l->before = l->last;
            l->has_before = true;
        }
        if (first || now_ns > l->at_ns) l->at_ns = now_ns;
    }
    l->unwatched = l->recheck = false;
    l->usable = l->has_value = true;
    l->last = key;
    if (first) ladder_place_finger(l);
    return dark;
}

/* The next edge on the finger's way to `last`, which has then passed it, up or down; NULL: it
 * has arrived. */
static inline const struct edge *ladder_pass(struct ladder *l, bool *up)
{
    *up = l->rank < l->n && l->edges[l->rank].key <= l->last;
    if (*up) return &l->edges[l->rank++];
    return l->rank > 0 && l->edges[l->rank - 1].key > l->last ? &l->edges[--l->rank] : NULL;
}

/* Forgets the edges, which are all dead, and gives their memory back; where the series stands
 * is kept, and is no value before the next one: nobody looks on until then. */
void ladder_empty(struct ladder *l);
#endif
