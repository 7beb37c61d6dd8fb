/* rule_set.c - four records and three rules. Series 4 stands at 96:
 *
 *     rule 0: >= 100
 *     rule 1: >= 101, held for 5 s
 *     rule 2: < 95, clear 97; it is firing since the series was at 90
 *
 *     edges    95/2 enters  97/2 clears  100/0 enters  100/0 clears  101/1 enters  101/1 clears
 *
 *     time 10: series 4 moves to 102
 *       rule_set_time      no timer is due
 *       rule_set_move      the finger passes five edges, and touches rules 2, 0, 0, 1, 1
 *       rule_set_decide    rule 2: clear, firing -> ok, it resolves
 *                          rule 0: holds, ok -> firing, it fires
 *                          rule 1: holds, ok -> pending, due at 15: a timer
 *     time 17: a record of another series
 *       rule_set_time      rule 1's timer: at 15 it still held, pending -> firing, said of time 15
 *                          and the value of then
 *     time 18: series 4 is stale
 *       rule_set_unusable  one flag; rules 0 and 1 go on firing, and are shown as "stale"
 *     time 19: series 4 is back, at 98
 *       rule_set_move      down over the upper four edges
 *       rule_set_decide    rule 1 and then rule 0 resolve: the highest edge was passed first
 *
 * A look is level, not edge: it asks how the terms stand and lets rule_state_step say what
 * follows. So an edge is only a reason to look, and a look for nothing changes nothing. Two
 * kinds of looks have no edge: timers, and rules whose last look found no value, or at their due
 * time another than stands (state.dark), which are looked at with the next value of their series
 * (ladder.waiting counts them). */
#include "alerts/rules/rule_set.h"

#include "alerts/rules/rule_set_inside.h"
#include "core/state_marks.h"
#include "core/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- a look ---- */
enum { LOOKS_MAX = 100000 }; /* of a record, where alerts are limited: each is some 50 ns */

static enum truth truth_at(const struct rule_moment *m, const struct rule *u, uint32_t term)
{
    const struct term *t = &u->terms[term];
    const struct ladder *l = rule_ladder(m->s, u, term);
    int64_t key = l->last;
    const bool usable = m->stood ? m->stood(m->ctx, t->series, m->now_ns, &key) : l->usable;
    return usable ? term_truth(t, key) : TRUTH_UNKNOWN;
}

/* Counted afresh: nothing to keep in step, and a rule has one term, or a few. */
static enum truth truth_of(const struct rule_moment *m, const struct rule *u)
{
    if (u->terms_n == 1) return truth_at(m, u, 0);
    uint32_t counts[TRUTH_COUNT] = { 0 };
    for (uint32_t i = 0; i < u->terms_n; i++) counts[truth_at(m, u, i)]++;
    return terms_truth(counts, u->need);
}

enum truth rule_truth(const struct rule_set *s, const struct rule *u)
{
    const struct rule_moment now = { .s = (struct rule_set *)s }; /* which nothing writes to */
    return truth_of(&now, u);
}

static int64_t later_of(int64_t a, int64_t b) { return a > b ? a : b; }

/* Sources are not in step: a record of 10:00:01 may come after one of 10:00:02 by which another
 * series of the rule, or the same index, has moved. */
static int64_t time_of(const struct rule_moment *m, const struct rule *u)
{
    int64_t at = later_of(m->now_ns, u->said_ns);
    if (u->state.overdue) at = later_of(at, u->state.due_ns);
    for (uint32_t i = 0; i < u->terms_n && !m->stood; i++)
        at = later_of(at, rule_ladder(m->s, u, i)->at_ns);
    return at;
}

static void emit_alert(const struct rule_moment *m, struct rule *u, enum alert_state state,
                       enum alert_reason reason, int64_t since_ns, int64_t at_ns)
{
    struct rule_set *s = m->s;
    const uint32_t series = u->terms[0].series;
    const struct ladder *l = rule_ladder(s, u, 0);
    int64_t key = l->last;
    const bool other = m->stood && m->stood(m->ctx, series, m->now_ns, &key) && key != l->last;
    u->said_ns = at_ns;
    rule_moved(s, (uint32_t)(u - s->rules));
    s->said++;
    const struct fire f = {
        .tenant = u->tenant,
        .rule = u->id,
        .no = u->no,
        .stream_no = ++s->tenants[u->owner].stream_no,
        .version = u->version,
        .severity = u->severity,
        .state = state,
        .reason = reason,
        .episode = u->episode,
        .at_ns = at_ns,
        .since_ns = since_ns,
        .series = series,
        .key = key,
        .has_key = l->has_value,
        .before = other ? l->last : l->before,
        .has_before = other ? l->has_value : l->has_before,
        .hold_ns = u->clocks.hold_ns,
        .hold_in = u->clocks.hold_in,
        .at = u->at,
        .term = u->terms,
        .name = u->name,
        .text = u->text,
    };
    m->emit(m->ctx, &f);
}

void rule_end(const struct rule_moment *m, struct rule *u)
{
    emit_alert(m, u, ALERT_RESOLVED, m->ends, u->state.since_ns, time_of(m, u));
}

/* It waits with each of its terms: whichever series has a value next may be the one that was
 * missing. */
void rule_count_waiting(struct rule_set *s, const struct rule *u)
{
    const uint32_t by = u->state.dark ? 1 : UINT32_MAX; /* one more, or one less */
    for (uint32_t i = 0; i < u->terms_n; i++) rule_ladder(s, u, i)->waiting += by;
}

/* At its due time the rule saw what no move has told: a value that had aged, or none any more. So
 * no edge will tell when it is over, and the next value is to be looked at whichever it is. */
static void look_again(struct rule_set *s, struct rule *u)
{
    u->state.dark = true;
    for (uint32_t i = 0; i < u->terms_n; i++) rule_ladder(s, u, i)->recheck = true;
}

void rule_want_timer(struct rule_set *s, uint32_t rule)
{
    const struct rule *u = &s->rules[rule];
    if (u->at == AT_TRADE) timers_want(&s->timers, (struct timer){ u->state.due_ns, u->no, rule });
}

/* last(NVDA) >= 100 for 30 min of session, true since 15:45 in New York: due at 09:45 on the next trading day. */
struct rule_clocks rule_clocks_since(const struct rule_set *s, const struct rule_clocks *c,
                                     uint32_t series, int64_t since_ns)
{
    struct rule_clocks by = *c;
    if (c->hold_in == HOLD_SESSION && c->hold_ns && s->held)
        by.hold_ns = s->held(s->held_ctx, series, since_ns, c->hold_ns) - since_ns;
    return by;
}

/* The clocks by which it would begin to hold now; to a rule that holds already they are no matter. */
static struct rule_clocks clocks_of(const struct rule_moment *m, const struct rule *u,
                                    enum truth truth, int64_t at_ns)
{
    const bool begins =
        truth == TRUTH_HOLDS && (u->state.phase == RULE_OK || u->state.phase == RULE_NEW);
    return begins ? rule_clocks_since(m->s, &u->clocks, u->terms[0].series, at_ns) : u->clocks;
}

void rule_look(const struct rule_moment *m, uint32_t rule)
{
    struct rule *u = &m->s->rules[rule];
    const struct rule_state was = u->state;
    const enum truth truth = truth_of(m, u);
    const int64_t at_ns = time_of(m, u);
    const struct rule_clocks clocks = clocks_of(m, u, truth, at_ns);
    const struct rule_step step = rule_state_step(&clocks, u->state, truth, at_ns);
    u->state = step.next;
    if (m->stood && truth != rule_truth(m->s, u)) look_again(m->s, u);
    if (m->stood && u->state.phase == RULE_PENDING) u->state.overdue = true;
    if (memcmp(&u->state, &was, sizeof was) != 0) rule_moved(m->s, rule);
    if (u->state.dark != was.dark) rule_count_waiting(m->s, u);
    if (u->state.phase == RULE_PENDING && was.phase != RULE_PENDING) rule_want_timer(m->s, rule);
    switch (step.outcome) {
    case RULE_QUIET: break;
    case RULE_FIRES:
        u->episode++;
        emit_alert(m, u, ALERT_FIRING, ALERT_MET, u->state.since_ns, at_ns);
        break;
    case RULE_RESOLVES:
        emit_alert(m, u, ALERT_RESOLVED, was.phase == RULE_REVIEW ? ALERT_CHANGED : m->ends,
                   was.since_ns, at_ns);
        break;
    }
}

/* ---- moves ---- */
/* Replaced, deleted or disabled rules leave edges behind, and so does one whose level is now
 * another. */
bool rule_set_edge_dead(const void *ctx, const struct ladder *l, const struct edge *e)
{
    const struct rule_set *s = ctx;
    const struct rule *u = &s->rules[e->rule];
    if (!u->enabled || edge_term(e) >= u->terms_n) return true;
    const struct term *t = &u->terms[edge_term(e)];
    return rule_ladder(s, u, edge_term(e)) != l || edge_above(e) != t->above
           || e->key != (edge_clears(e) ? t->clear : t->enter);
}

static enum passed passed_by(const struct edge *e, bool up)
{
    if (!edge_clears(e)) return up == edge_above(e) ? PASSED_IN : PASSED_OUT;
    return up == edge_above(e) ? 0 : PASSED_CLEAR;
}

/* Is it worth a look that this edge has been passed? Mostly not, and that is seen without
 * looking at the rule. To a rule in the dark any edge is, which may make known what was not. */
static bool edge_matters(const struct rule_set *s, const struct ladder *l, const struct edge *e,
                         bool up)
{
    if (STATE_WITNESS) assert(s->minds[e->rule] == rule_minds(&s->rules[e->rule].state));
    return (s->minds[e->rule] & (passed_by(e, up) | MINDS_ANY)) && !rule_set_edge_dead(s, l, e);
}

/* Entries that were superseded go: each rule then stands there once, and there is room for
 * twice as many. */
static void drop_superseded(struct rule_set *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->touched_n; i++) {
        struct rule *u = &s->rules[s->touched[i]];
        if (u->touched != i + 1) continue;
        s->touched[n++] = s->touched[i];
        u->touched = (uint32_t)n;
    }
    s->touched_n = n;
    s->decided = 0;
}

static void touch_rule(struct rule_set *s, uint32_t rule)
{
    if (s->touched_n == s->touched_cap) drop_superseded(s);
    s->touched[s->touched_n++] = rule;
    s->rules[rule].touched = (uint32_t)s->touched_n;
}

/* Rules that saw nothing when they last looked, in the order of their edges. */
static void touch_waiting(struct rule_set *s, const struct ladder *l)
{
    uint32_t left = l->waiting;
    for (uint32_t i = 0; left && i < l->n; i++) {
        const struct edge *e = &l->edges[i];
        if (edge_clears(e) || rule_set_edge_dead(s, l, e) || !s->rules[e->rule].state.dark)
            continue;
        touch_rule(s, e->rule);
        left--;
    }
}

__attribute__((always_inline)) static inline void move_ladder(struct rule_set *s, struct ladder *l,
                                                              int64_t key, int64_t now_ns)
{
    if (ladder_unsettled(l)) ladder_settle(l, rule_set_edge_dead, s);
    const bool lit = ladder_move(l, key, now_ns);
    bool up;
    for (const struct edge *e; (e = ladder_pass(l, &up));)
        if (edge_matters(s, l, e, up)) touch_rule(s, e->rule);
    if (lit && l->waiting) touch_waiting(s, l);
}

static void no_value(struct ladders *s, uint32_t series)
{
    if (series < s->n) s->of[series].usable = false;
}

void rule_set_move(struct rule_set *s, uint32_t series, int64_t key, int64_t now_ns)
{
    const struct ladders *all = &s->ladders[AT_TRADE];
    if (series < all->n) move_ladder(s, &all->of[series], key, now_ns);
}

void rule_set_unusable(struct rule_set *s, uint32_t series)
{
    no_value(&s->ladders[AT_TRADE], series);
}

/* ---- ends of sessions ---- */
/* A hold or cooldown that has run out since the last end is seen at this one. It is the end of a
 * session: a walk over all rules of the series is nothing beside what else it does. */
static void touch_pending(struct rule_set *s, const struct ladder *l)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const struct edge *e = &l->edges[i];
        if (!edge_clears(e) && !rule_set_edge_dead(s, l, e)
            && s->rules[e->rule].state.phase == RULE_PENDING)
            touch_rule(s, e->rule);
    }
}

void rule_set_close(struct rule_set *s, uint32_t series, int64_t key, int64_t now_ns)
{
    const struct ladders *all = &s->ladders[AT_CLOSE];
    if (series >= all->n) return;
    struct ladder *l = &all->of[series];
    l->recheck = true; /* who came, or was changed, since the last end */
    move_ladder(s, l, key, now_ns);
    touch_pending(s, l);
}

void rule_set_close_unusable(struct rule_set *s, uint32_t series)
{
    no_value(&s->ladders[AT_CLOSE], series);
}

void rule_set_at_close(const struct rule_set *s, void (*each)(void *ctx, uint32_t series),
                       void *ctx)
{
    const struct ladders *all = &s->ladders[AT_CLOSE];
    for (size_t i = 0; i < all->n; i++)
        if (all->of[i].terms) each(ctx, (uint32_t)i);
}

/* ---- so many at once ---- */
void rule_set_allow(struct rule_set *s, size_t alerts) { s->max = alerts; }

/* May there be one more look? A pure function of what was looked at, and not of how long it took. */
static bool may_look(const struct rule_set *s)
{
    return s->max == 0 || (s->said < s->max && s->looks < LOOKS_MAX);
}

bool rule_set_decide(struct rule_set *s, int64_t now_ns, fire_fn *emit_fn, void *ctx)
{
    if (s->touched_n == 0) return false;
    const struct rule_moment m = { s, now_ns, NULL, emit_fn, ctx, ALERT_CLEARED };
    for (; s->decided < s->touched_n && may_look(s); s->decided++) {
        const uint32_t rule = s->touched[s->decided];
        struct rule *u = &s->rules[rule];
        if (u->touched != s->decided + 1) continue; /* touched again further on */
        u->touched = 0;
        s->looks++;
        rule_look(&m, rule);
    }
    s->said = s->looks = 0;
    if (s->decided < s->touched_n) return true;
    s->touched_n = s->decided = 0;
    return false;
}

/* ---- time ---- */
static bool waits_for_time(const struct rule *u)
{
    return u->live && u->state.phase == RULE_PENDING && !u->state.overdue;
}

/* A timer may come too early, or for a rule that is no longer pending (timers.h): whether such ones are there depends on when
 * this life began. So they are no looks, and what is left behind is a rule that waits: record 9 says one alert, and
 *
 *     rules 1 and 2 are due                            1 fires, 2 is left: true
 *     1 is due; 2 was, and has left its condition      1 fires, 2's timer goes: false, as after a start, which has no such timer */
bool rule_set_time(struct rule_set *s, int64_t now_ns, stood_fn *stood, fire_fn *emit_fn, void *ctx)
{
    s->said = s->looks = 0;
    if (!timers_any(&s->timers, now_ns)) return false;
    for (struct timer t; timers_next(&s->timers, now_ns, &t);) {
        const struct rule *u = &s->rules[t.rule];
        const struct rule_moment m = { s,     stood ? t.due_ns : now_ns,
                                       stood, emit_fn,
                                       ctx,   ALERT_CLEARED };
        if (!waits_for_time(u)) continue;
        const bool early = u->state.due_ns != t.due_ns;
        if (early || !may_look(s))
            timers_want(&s->timers, (struct timer){ u->state.due_ns, u->no, t.rule });
        if (early) continue;
        if (!may_look(s)) return true;
        s->looks++;
        rule_look(&m, t.rule);
    }
    return false;
}

/* Due times of now, and nothing else of the state. A timer that is too early for it asks again; one that is earlier comes beside it. */
static void come_due_anew(struct rule_set *s, uint32_t rule, int64_t now_ns)
{
    struct rule *u = &s->rules[rule];
    if (!waits_for_time(u) || u->clocks.hold_in != HOLD_SESSION) return;
    const struct rule_clocks c =
        rule_clocks_since(s, &u->clocks, u->terms[0].series, u->state.since_ns);
    const int64_t due_ns = rule_state_amend(&c, u->state, true).due_ns;
    u->state.due_ns = due_ns > now_ns ? due_ns : now_ns;
    rule_moved(s, rule);
    rule_want_timer(s, rule);
}

void rule_set_sessions_changed(struct rule_set *s, int64_t now_ns)
{
    for (size_t i = 0; i < s->rules_n; i++) come_due_anew(s, (uint32_t)i, now_ns);
}

void rule_set_session_time(struct rule_set *s, held_fn *held, void *ctx)
{
    s->held = held;
    s->held_ctx = ctx;
}

struct due {
    const struct rule_set *s;
    int64_t now_ns;
    void (*each)(void *ctx, uint32_t series, int64_t due_ns);
    void *ctx;
};

static void tell_series(void *ctx, uint32_t rule)
{
    const struct due *d = ctx;
    const struct rule *u = &d->s->rules[rule];
    if (!waits_for_time(u) || u->state.due_ns > d->now_ns) return;
    for (uint32_t i = 0; i < u->terms_n; i++) d->each(d->ctx, u->terms[i].series, u->state.due_ns);
}

void rule_set_due(const struct rule_set *s, int64_t now_ns,
                  void (*each)(void *ctx, uint32_t series, int64_t due_ns), void *ctx)
{
    struct due d = { s, now_ns, each, ctx };
    timers_due(&s->timers, now_ns, tell_series, &d);
}

/* ---- what there is ---- */
struct rule_key {
    struct uuid tenant, id;
};
static bool rule_has_key(const void *ctx, uint32_t v, const void *key)
{
    const struct rule *u = &((const struct rule_set *)ctx)->rules[v];
    const struct rule_key *k = key;
    return uuid_equal(u->id, k->id) && uuid_equal(u->tenant, k->tenant);
}
static bool tenant_has_id(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct rule_set *)ctx)->tenants[v].id.b, key, 16) == 0;
}

uint32_t rule_number(const struct rule_set *s, struct uuid tenant, struct uuid id)
{
    const struct rule_key k = { tenant, id };
    return map_find(&s->by_id, map_hash(id.b, 16), rule_has_key, s, &k);
}

uint32_t tenant_number(const struct rule_set *s, struct uuid id)
{
    return map_find(&s->by_tenant, map_hash(id.b, 16), tenant_has_id, s, id.b);
}

bool rule_set_find(const struct rule_set *s, struct uuid tenant, struct uuid id,
                   struct rule_facts *out)
{
    uint32_t at = rule_number(s, tenant, id);
    if (at == MAP_NONE) return false;
    const struct rule *u = &s->rules[at];
    *out = (struct rule_facts){ .no = u->no, .version = u->version, .deleted = !u->live };
    if (!u->live) return true;
    const bool to_look = u->enabled && u->at == AT_CLOSE && u->state.dark, /* when a session ends */
        stale = u->enabled && !to_look && rule_truth(s, u) == TRUTH_UNKNOWN;
    out->status = to_look && u->state.phase == RULE_NEW ? RULE_IS_WAITING
                  : stale                               ? RULE_IS_STALE
                                                        : rule_phase_status(u->state.phase);
    return true;
}

bool rule_set_says(const struct rule_set *s, struct uuid tenant, struct uuid id, const char *text,
                   const struct term *t)
{
    const uint32_t at = rule_number(s, tenant, id);
    if (at == MAP_NONE || !s->rules[at].live) return false;
    const struct rule *u = &s->rules[at];
    return u->terms_n == 1 && strcmp(u->text, text) == 0 && u->terms[0].clear == t->clear;
}

size_t rule_set_size(const struct rule_set *s) { return s->live_n; }

struct rule_set_count rule_set_count(const struct rule_set *s, struct uuid tenant)
{
    uint32_t v = tenant_number(s, tenant);
    return v == MAP_NONE ? (struct rule_set_count){ 0, 0 } : s->tenants[v].count;
}

bool rule_set_sees(const struct rule_set *s, struct uuid tenant, uint32_t series)
{
    uint32_t v = tenant_number(s, tenant);
    return v != MAP_NONE && sights_has(&s->sights, v, series);
}

void rule_set_sights(const struct rule_set *s,
                     void (*each)(void *ctx, const struct rule_sight *sight), void *ctx)
{
    for (size_t i = 0; i < s->sights.n; i++) {
        const struct sight *p = &s->sights.all[i];
        if (!p->terms) continue;
        const struct rule_sight sight = { s->tenants[p->tenant].id, p->series, p->terms };
        each(ctx, &sight);
    }
}

enum err rule_set_new(struct rule_set **out)
{
    struct rule_set *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    *out = s;
    return ERR_OK;
}

void rule_set_free(struct rule_set *s)
{
    if (!s) return;
    for (int at = 0; at < RULE_AT_COUNT; at++) {
        for (size_t i = 0; i < s->ladders[at].n; i++) ladder_empty(&s->ladders[at].of[i]);
        free(s->ladders[at].of);
    }
    for (size_t i = 0; i < s->rules_n; i++) free(s->rules[i].terms);
    free(s->rules);
    timers_release(&s->timers);
    free(s->touched);
    free(s->tenants);
    sights_release(&s->sights);
    rule_marks_release(&s->marks);
    free(s->minds);
    map_release(&s->by_id);
    map_release(&s->by_tenant);
    free(s);
}
