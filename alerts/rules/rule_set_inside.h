/* rule_set_inside.h - what rule_set*.c share; for nobody else.
 *
 * A rule's life at its fields: rule_set_change.c makes, replaces and deletes it (all but
 * `state` and `touched`); rule_set.c moves `state` on each look, and `touched` between a move
 * and the decision; rule_set_save.c writes and reads all of it. */
#ifndef TOCSIN_ALERTS_RULES_RULE_SET_INSIDE_H
#define TOCSIN_ALERTS_RULES_RULE_SET_INSIDE_H
#include "alerts/rules/ladder.h"
#include "alerts/rules/rule.h"
#include "alerts/rules/rule_set.h"
#include "alerts/rules/sights.h"
#include "alerts/rules/timers.h"
#include "core/map.h"

struct rule {
    /* first what a passed edge needs */
    struct term *terms; /* owns them, name and text: one block, NULL when deleted */
    uint32_t terms_n, need;
    uint32_t touched; /* its place among the touched, from 1; 0: it is not there */
    bool live, enabled;
    enum rule_at at;
    struct rule_clocks clocks;
    struct rule_state state;
    /* then who it is */
    struct uuid tenant, id;
    uint64_t no;
    uint64_t episode; /* how often it has fired; goes on over changes and deletion */
    int64_t said_ns;  /* the time of the last that it said, likewise */
    uint32_t owner;   /* its tenant's number */
    int32_t version;
    enum severity severity;
    const char *name, *text;
};

struct tenant {
    struct uuid id;
    uint64_t stream_no;          /* of its last alert */
    struct rule_set_count count; /* follows from the rules */
};

/* Where series stand: as of the last move, or as of the last end of their session. */
struct ladders {
    struct ladder *of; /* by series */
    size_t n, cap;
};

/* What the image of the state before has of RULES_A_PAGE rules in a row. All zero: nothing. */
enum { RULES_A_PAGE = 512 };
struct rule_page {
    bool defined; /* its rules, terms and texts, as they are */
    uint32_t
        states;     /* how many states, which are as they are but for those that have moved since */
    uint32_t moved; /* so many have */
    uint32_t terms, texts; /* while defined: rows of it in these parts */
    uint64_t sum;          /* STATE_WITNESS: of its definitions */
};
struct rule_marks {
    struct rule_page *pages;
    size_t pages_cap, rules_cap;
    bool *moved;          /* by rule: its state is another than in the page of its state */
    size_t moved_n, next; /* next: page, from where on pages of states are written anew */
    bool as_read;         /* the next image is the one that was read: no page is written anew */
    uint64_t *sums;       /* STATE_WITNESS: by rule, of its state as its page has it */
};

struct rule_set {
    struct rule *rules; /* by number, in the order they came; a deleted one keeps its place */
    size_t rules_n, rules_cap, live_n;
    struct ladders ladders[RULE_AT_COUNT]; /* by when rules look at them */
    /* By rule: which passed edges its state minds (enum passed, MINDS_ANY). What rule_moved makes of the state, in a byte: of a
     * hundred thousand rules all these are in the cache, and the rules are not. */
    uint8_t *minds;
    size_t minds_cap;
    struct timers timers; /* of pending rules; those that look at session ends alone have none */
    uint32_t *touched; /* rules to decide; one that is touched again is decided at its last place */
    size_t touched_n, touched_cap;
    size_t decided; /* so many of them have been; the rest waits for the next call */
    size_t max;     /* alerts of a record at most; 0: any number */
    size_t said,
        looks; /* of the record in hand: from 0 by rule_set_time, to 0 by rule_set_decide */
    struct tenant *tenants; /* by number */
    size_t tenants_n, tenants_cap;
    struct sights sights;
    struct map by_id, by_tenant; /* numbers of rules and tenants */
    held_fn *held;               /* rule_set_session_time */
    void *held_ctx;
    struct rule_marks marks; /* what of all this is in the image before: rule_set_save.c */
};

enum { MINDS_ANY = 0x80 }; /* a rule in the dark: each edge may make known what was not */
static inline uint8_t rule_minds(const struct rule_state *state)
{
    return state->dark ? MINDS_ANY : rule_phase_minds[state->phase];
}

/* Whoever has written to a rule says so, by one of the two, afterwards: an image takes what nobody spoke of for what it was, and an
 * edge is judged by `minds`. rule_moved: its state, or when and how often it spoke. rule_defined: the rest. */
static inline void rule_defined(struct rule_set *s, uint32_t rule)
{
    s->marks.pages[rule / RULES_A_PAGE].defined = false;
}
static inline void rule_moved(struct rule_set *s, uint32_t rule)
{
    s->minds[rule] = rule_minds(&s->rules[rule].state);
    if (s->marks.moved[rule]) return;
    s->marks.moved[rule] = true;
    s->marks.pages[rule / RULES_A_PAGE].moved++;
    s->marks.moved_n++;
}
/* Room for the marks of so many rules; false: out of memory. */
MUST_USE bool rule_marks_room(struct rule_marks *k, size_t rules);
void rule_marks_release(struct rule_marks *k);

/* MAP_NONE: there is none. */
uint32_t rule_number(const struct rule_set *s, struct uuid tenant, struct uuid id);
uint32_t tenant_number(const struct rule_set *s, struct uuid id);
/* Finds or adds; MAP_NONE: out of memory. */
uint32_t tenant_keep(struct rule_set *s, struct uuid id);

/* The block of a rule's terms, name and text. false: out of memory, and *u is as it was. */
MUST_USE bool rule_keep(struct rule *u, const struct term *terms, uint32_t terms_n,
                        const char *name, const char *text);
/* Room for all that so many rules need while records go by. */
MUST_USE bool rule_set_room(struct rule_set *s, size_t rules);
/* The ladder of `series`, with room for so many more edges. */
MUST_USE bool ladder_room(struct ladders *s, uint32_t series, size_t edges);
/* That of the rule's term. */
static inline struct ladder *rule_ladder(const struct rule_set *s, const struct rule *u,
                                         uint32_t term)
{
    return &s->ladders[u->at].of[u->terms[term].series];
}
/* The same clocks, for a condition on that series that came true then: a hold in session time is so long by the clock. */
struct rule_clocks rule_clocks_since(const struct rule_set *s, const struct rule_clocks *c,
                                     uint32_t series, int64_t since_ns);
/* A pending rule is to be looked at when it is due. */
void rule_want_timer(struct rule_set *s, uint32_t rule);
/* An enabled rule's edges join their ladders, into room that is there. */
void rule_join(struct rule_set *s, uint32_t rule);
edge_dead_fn rule_set_edge_dead;

/* A moment: where series stand, and where what is emitted goes. */
struct rule_moment {
    struct rule_set *s;
    int64_t now_ns;
    stood_fn *stood; /* where series stood at now_ns; NULL: where the last move has put them */
    fire_fn *emit;
    void *ctx;
    enum alert_reason ends; /* why a rule that resolves now does */
};
/* An open rule resolves, for m->ends. */
void rule_end(const struct rule_moment *m, struct rule *u);
/* Looks at a live, enabled rule: its state moves on, and what comes of it is emitted. */
void rule_look(const struct rule_moment *m, uint32_t rule);
/* After state.dark has changed. */
void rule_count_waiting(struct rule_set *s, const struct rule *u);
/* By the last moves. */
enum truth rule_truth(const struct rule_set *s, const struct rule *u);
#endif
