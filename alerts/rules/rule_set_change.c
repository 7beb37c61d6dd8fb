/* rule_set_change.c - rules come, change and go. Tenant T changes its only rule from series 4 to
 * series 9:
 *
 *     make_room      all that can fail: the rule, series 9's ladder and two edges, T's sight of 9
 *     rule_leave     series 4: the two edges are left there, dead; asked -1, watched -1
 *     rule_begin     series 9: two edges appended; asked +1, watched +1
 *     change_finish  T sees 9 (seen +1), no longer 4 (-1). Nobody watches 4: its ladder is emptied
 *     rule_look      the new version looks at where 9 stands, and may fire at once
 *
 * A change that stays with its series says nothing of it: nobody drops a series between
 * leaving and joining. */
#include "alerts/rules/rule_set.h"

#include "alerts/rules/rule_set_inside.h"
#include "core/vec.h"

#include <assert.h>
#include <string.h>

/* A series that is silent while rules are put again and again settles after so many new edges. */
enum { UNSETTLED_MAX = 1024 };

/* ---- room ---- */
/* Terms first: they need the alignment. */
bool rule_keep(struct rule *u, const struct term *terms, uint32_t terms_n, const char *name,
               const char *text)
{
    const size_t terms_size = terms_n * sizeof *terms, name_n = strlen(name) + 1,
                 text_n = strlen(text) + 1;
    char *block = malloc(terms_size + name_n + text_n);
    if (!block) return false;
    u->terms = memcpy(block, terms, terms_size);
    u->terms_n = terms_n;
    u->name = memcpy(block + terms_size, name, name_n);
    u->text = memcpy(block + terms_size + name_n, text, text_n);
    return true;
}

bool rule_set_room(struct rule_set *s, size_t rules)
{
    return VEC_GROW(&s->rules, &s->rules_cap, rules) && VEC_GROW(&s->minds, &s->minds_cap, rules)
           && timers_reserve(&s->timers, rules) && rule_marks_room(&s->marks, s->rules_cap)
           && VEC_GROW(&s->touched, &s->touched_cap, 2 * rules); /* see drop_superseded */
}

bool ladder_room(struct ladders *s, uint32_t series, size_t edges)
{
    if (series >= s->n) {
        if (!VEC_GROW(&s->of, &s->cap, (size_t)series + 1)) return false;
        memset(s->of + s->n, 0, (series + 1 - s->n) * sizeof *s->of);
        s->n = (size_t)series + 1;
    }
    return ladder_reserve(&s->of[series], edges);
}

uint32_t tenant_keep(struct rule_set *s, struct uuid id)
{
    const uint32_t known = tenant_number(s, id);
    if (known != MAP_NONE) return known;
    if (!VEC_GROW(&s->tenants, &s->tenants_cap, s->tenants_n + 1)
        || !map_add(&s->by_tenant, map_hash(id.b, 16), (uint32_t)s->tenants_n))
        return MAP_NONE;
    s->tenants[s->tenants_n] = (struct tenant){ .id = id };
    return (uint32_t)s->tenants_n++;
}

/* All that joining and looking will need. The tenant's number, or MAP_NONE: out of memory. */
static uint32_t make_room(struct rule_set *s, const struct rule_spec *spec)
{
    const uint32_t owner = tenant_keep(s, spec->tenant);
    struct ladders *ladders = &s->ladders[spec->at];
    if (owner == MAP_NONE || !rule_set_room(s, s->rules_n + 1)) return MAP_NONE;
    for (uint32_t i = 0; i < spec->terms_n; i++) {
        const uint32_t series = spec->terms[i].series;
        if (!ladder_room(ladders, series, 2 * (size_t)spec->terms_n)
            || !sights_reserve(&s->sights, owner, series))
            return MAP_NONE;
        struct ladder *l = &ladders->of[series];
        if (l->n - l->sorted_n > UNSETTLED_MAX) ladder_settle(l, rule_set_edge_dead, s);
    }
    return owner;
}

/* ---- what a change says of its series ---- */
static struct series_change *change_of(struct rule_set_change *c, uint32_t series)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->of[i].series == series) return &c->of[i];
    c->of[c->n] = (struct series_change){ .series = series };
    return &c->of[c->n++];
}

static void change_note(struct rule_set_change *c, const struct rule *u, int by)
{
    for (uint32_t i = 0; i < u->terms_n; i++) {
        struct series_change *of = change_of(c, u->terms[i].series);
        of->asked += by;
        if (u->enabled && u->at == AT_TRADE) of->watched += by;
    }
}

/* Sights follow; what has come to nothing goes; a ladder that nobody watches is emptied. */
static void change_finish(struct rule_set *s, uint32_t owner, struct rule_set_change *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct series_change of = c->of[i];
        of.seen = sights_change(&s->sights, owner, of.series, of.asked);
        for (int at = 0; at < RULE_AT_COUNT; at++)
            if (of.series < s->ladders[at].n && s->ladders[at].of[of.series].terms == 0)
                ladder_empty(&s->ladders[at].of[of.series]);
        if (of.asked || of.watched || of.seen) c->of[n++] = of;
    }
    c->n = n;
}

/* ---- joining and leaving ---- */
void rule_join(struct rule_set *s, uint32_t rule)
{
    const struct rule *u = &s->rules[rule];
    for (uint32_t i = 0; i < u->terms_n; i++) {
        const struct term *t = &u->terms[i];
        struct ladder *l = rule_ladder(s, u, i);
        const uint32_t which = 4 * i + (t->above ? EDGE_ABOVE : 0);
        ladder_add(l, (struct edge){ t->enter, rule, which });
        ladder_add(l, (struct edge){ t->clear, rule, which + EDGE_CLEARS });
        l->terms++;
    }
    if (u->state.dark) rule_count_waiting(s, u);
}

/* What is left of a rule that goes or changes: who it was, and its cooldown. */
static void rule_leave(struct rule_set *s, struct rule *u)
{
    if (u->state.dark) {
        u->state.dark = false;
        rule_count_waiting(s, u);
    }
    for (uint32_t i = 0; u->enabled && i < u->terms_n; i++) {
        struct ladder *l = rule_ladder(s, u, i);
        l->terms--;
        l->dead += 2;
    }
    free(u->terms);
    u->terms = NULL;
    u->terms_n = u->need = 0;
    u->name = u->text = NULL;
    u->touched = 0;
    u->state = (struct rule_state){ .quiet_until_ns = u->state.quiet_until_ns };
    u->live = u->enabled = false;
    rule_defined(s, (uint32_t)(u - s->rules));
    rule_moved(s, (uint32_t)(u - s->rules));
    s->live_n--;
    s->tenants[u->owner].count.live--;
}

/* The number of the rule with that id, which is new if there is none; MAP_NONE: out of memory.
 * Room is there. */
static uint32_t rule_number_for(struct rule_set *s, const struct rule_spec *spec, uint32_t owner)
{
    const uint32_t known = rule_number(s, spec->tenant, spec->id);
    if (known != MAP_NONE) return known;
    if (!map_add(&s->by_id, map_hash(spec->id.b, 16), (uint32_t)s->rules_n)) return MAP_NONE;
    s->rules[s->rules_n] = (struct rule){ .tenant = spec->tenant, .id = spec->id, .owner = owner };
    s->tenants[owner].count.made++;
    rule_defined(s, (uint32_t)s->rules_n);
    return (uint32_t)s->rules_n++;
}

/* The new version takes over the block of terms and texts, and begins in the dark: the look
 * that follows finds out. */
static void rule_begin(struct rule_set *s, uint32_t rule, const struct rule_spec *spec,
                       const struct rule *block, struct rule_state state)
{
    struct rule *u = &s->rules[rule];
    u->terms = block->terms;
    u->terms_n = block->terms_n;
    u->name = block->name;
    u->text = block->text;
    u->need = spec->need;
    u->at = spec->at;
    u->clocks = spec->clocks;
    u->no = spec->no;
    u->version = spec->version;
    u->severity = spec->severity;
    u->live = true;
    u->state = state;
    u->enabled = u->state.dark = spec->enabled;
    rule_defined(s, rule);
    rule_moved(s, rule);
    s->live_n++;
    s->tenants[u->owner].count.live++;
    if (u->enabled) rule_join(s, rule);
}

static uint32_t needed(uint32_t need, uint32_t terms_n) { return need ? need : terms_n; }

/* Does it hold for the same values? Its clear levels may be others. */
static bool same_condition(const struct rule *u, const struct rule_spec *spec)
{
    if (u->at != spec->at || u->terms_n != spec->terms_n
        || needed(u->need, u->terms_n) != needed(spec->need, spec->terms_n))
        return false;
    for (uint32_t i = 0; i < u->terms_n; i++) {
        const struct term *a = &u->terms[i], *b = &spec->terms[i];
        if (a->series != b->series || a->enter != b->enter || a->above != b->above) return false;
    }
    return true;
}

/* The old version goes. What the new one begins with. */
static struct rule_state rule_hand_over(const struct rule_moment *m, uint32_t rule,
                                        const struct rule_spec *spec)
{
    struct rule *u = &m->s->rules[rule];
    struct rule_state next = { .quiet_until_ns = u->state.quiet_until_ns };
    if (!u->live) return next;
    const struct rule_clocks clocks =
        rule_clocks_since(m->s, &spec->clocks, spec->terms[0].series, u->state.since_ns);
    if (!spec->silent && u->enabled && spec->enabled)
        next = rule_state_amend(&clocks, u->state, same_condition(u, spec));
    else if (!spec->silent && rule_state_is_open(&u->state)) {
        const struct rule_moment off = { m->s, m->now_ns, NULL, m->emit, m->ctx, ALERT_DISABLED };
        rule_end(&off, u);
    }
    rule_leave(m->s, u);
    return next;
}

enum err rule_set_put(struct rule_set *s, const struct rule_spec *spec, int64_t now_ns,
                      fire_fn *emit, void *ctx, struct rule_set_change *change, struct why *why)
{
    assert(spec->terms_n >= 1 && spec->terms_n <= RULE_TERMS_MAX && spec->need <= spec->terms_n);
    struct rule block = { 0 };
    change->n = 0;
    const uint32_t owner = make_room(s, spec);
    if (owner == MAP_NONE || !rule_keep(&block, spec->terms, spec->terms_n, spec->name, spec->text))
        return err_set(why, ERR_NOMEM, "out of memory");
    const uint32_t at = rule_number_for(s, spec, owner);
    if (at == MAP_NONE) {
        free(block.terms);
        return err_set(why, ERR_NOMEM, "out of memory");
    }
    const struct rule_moment m = { s, now_ns, NULL, emit, ctx, ALERT_CHANGED };
    if (s->rules[at].live) change_note(change, &s->rules[at], -1);
    rule_begin(s, at, spec, &block, rule_hand_over(&m, at, spec));
    change_note(change, &s->rules[at], 1);
    change_finish(s, owner, change);
    const struct rule *u = &s->rules[at];
    if (u->state.phase == RULE_PENDING) rule_want_timer(s, at);
    if (spec->enabled && spec->at == AT_TRADE) rule_look(&m, at);
    return ERR_OK;
}

/* ---- another text ---- */
/* The operator and the threshold of a canonical text, from the blank before them on. */
static const char *condition_of(const char *text)
{
    const char *p = strrchr(text, ' ') - 1;
    while (*p != ' ') p--;
    return p;
}

static enum err rename_rule(struct rule *u, const char *measure)
{
    AUTO_BUF struct buf text = { 0 };
    struct rule block = { 0 };
    buf_printf(&text, "%s%s", measure, condition_of(u->text));
    if (!buf_ok(&text) || !rule_keep(&block, u->terms, u->terms_n, u->name, text.data))
        return ERR_NOMEM;
    free(u->terms);
    u->terms = block.terms;
    u->name = block.name;
    u->text = block.text;
    return ERR_OK;
}

enum err rule_set_rename(struct rule_set *s, uint32_t series, const char *measure,
                         void (*each)(void *ctx, const struct rule_spec *now), void *ctx)
{
    for (size_t i = 0; i < s->rules_n; i++) {
        struct rule *u = &s->rules[i];
        if (!u->live || u->terms[0].series != series) continue;
        enum err e = rename_rule(u, measure);
        if (e) return e;
        rule_defined(s, (uint32_t)i);
        each(ctx, &(struct rule_spec){ .tenant = u->tenant,
                                       .id = u->id,
                                       .no = u->no,
                                       .version = u->version,
                                       .terms = u->terms,
                                       .terms_n = u->terms_n,
                                       .need = u->need,
                                       .at = u->at,
                                       .clocks = u->clocks,
                                       .severity = u->severity,
                                       .enabled = u->enabled,
                                       .name = u->name,
                                       .text = u->text });
    }
    return ERR_OK;
}

enum err rule_set_delete(struct rule_set *s, struct uuid tenant, struct uuid id, int64_t now_ns,
                         fire_fn *emit, void *ctx, struct rule_set_change *change)
{
    change->n = 0;
    const uint32_t at = rule_number(s, tenant, id);
    if (at == MAP_NONE || !s->rules[at].live) return ERR_NOT_FOUND;
    struct rule *u = &s->rules[at];
    if (emit && rule_state_is_open(&u->state))
        rule_end(&(struct rule_moment){ s, now_ns, NULL, emit, ctx, ALERT_DELETED }, u);
    change_note(change, u, -1);
    rule_leave(s, u);
    u->version++;
    change_finish(s, u->owner, change);
    return ERR_OK;
}
