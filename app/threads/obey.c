/* obey.c - a command of the API: is there such a rule, may there be one more, is the draft good;
 * then a record like any other.
 *
 * What is refused is refused in that order, so that whose id it is not learns nothing else. */
#include "app/threads/engine.h"

#include <stddef.h>

enum { RULES_MADE = 10 }; /* so many times engine.rules_max are remembered, deleted ones included */

static const char *state_of(const struct engine_loop *l, struct uuid tenant, struct uuid rule)
{
    struct rule_facts facts;
    const bool there = rule_set_find(l->step.rules, tenant, rule, &facts) && !facts.deleted;
    return there ? names_text(&rule_status_names, (int)facts.status) : NULL;
}

static enum err has_room(const struct engine_loop *l, struct uuid tenant, struct why *why)
{
    const long max = l->p->c->engine_rules_max;
    const struct rule_set_count n = rule_set_count(l->step.rules, tenant);
    if (n.live >= (size_t)max)
        return err_set(why, ERR_LIMIT, "at most %ld rules a tenant (engine.rules_max); delete some",
                       max);
    if (n.made >= RULES_MADE * (size_t)max)
        return err_set(why, ERR_LIMIT,
                       "%ld rules have been made, deleted ones included, whose ids are remembered; "
                       "change rules rather than delete and make them",
                       RULES_MADE * max);
    return ERR_OK;
}

/* Whatever the definition says: is this rule one that can be made, changed, deleted? */
static enum err may_change(const struct engine_loop *l, const struct command *c, struct why *why)
{
    struct rule_facts facts;
    const bool seen = rule_set_find(l->step.rules, c->tenant, c->rule, &facts);
    const bool there = seen && !facts.deleted;
    if (c->change != RULE_CREATE)
        return there ? ERR_OK : err_set(why, ERR_NOT_FOUND, "no such rule");
    if (there) return err_set(why, ERR_CONFLICT, "the rule is there already");
    if (seen) return err_set(why, ERR_NOT_FOUND, "the rule has been deleted");
    return has_room(l, c->tenant, why);
}

static bool is_at(const struct engine_loop *l, const struct command *c)
{
    struct rule_facts facts;
    return !c->if_version
           || (rule_set_find(l->step.rules, c->tenant, c->rule, &facts)
               && facts.version == c->if_version);
}

static enum err make_record(struct engine_loop *l, const struct command *c, struct record *out,
                            struct why *why)
{
    if (c->change == RULE_DELETE) return step_rule_delete(&l->step, c->tenant, c->rule, out, why);
    if (c->draft_err) {
        *why = c->draft_why;
        return c->draft_err;
    }
    arena_clear(&l->scratch);
    return step_rule_put(&l->step, c->tenant, c->rule, &c->draft, &l->scratch, out, why);
}

/* Is what the record would put what is there? Compared as the texts that a version keeps, so by all that a definition says. */
static enum err compare(struct command *c, const struct record *r, struct why *why)
{
    if (!c->has_standing) return ERR_OK;
    AUTO_BUF struct buf standing = { 0 };
    rule_render(&c->standing, &standing);
    if (!buf_ok(&standing)) return err_set(why, ERR_NOMEM, "out of memory");
    c->unchanged = str_is(r->u.rule.definition, standing.data);
    return ERR_OK;
}

static enum err apply(struct engine_loop *l, const struct command *c, struct record *r,
                      struct why *why)
{
    enum err e = c->change == RULE_DELETE ? step_apply(&l->step, r, why)
                                          : step_apply_put(&l->step, r, &c->draft, why);
    if (e == ERR_NOMEM) engine_loop_broken(l); /* the state may have changed by half */
    return e;
}

static void warn(const struct engine_loop *l, struct command *c)
{
    char measure[MEASURE_TEXT_MAX];
    measure_format(&c->draft.m, measure);
    const uint32_t no =
        engine_find_series(l->step.engine, rule_draft_owner(&c->draft, c->tenant), measure);
    if (no == SERIES_NONE) return;
    const struct series_facts f = engine_series_facts(l->step.engine, no);
    c->warning = rule_warn(&c->draft, &(struct rule_past){ f.seen_n, f.low, f.high, f.seen_ns });
}

static void change_rule(struct engine_loop *l, struct command *c)
{
    struct record r;
    struct why why = { 0 };
    enum err e = may_change(l, c, &why);
    if (!e) c->outdated = !is_at(l, c);
    if (!e && !c->outdated) e = make_record(l, c, &r, &why);
    if (!e && !c->outdated) e = compare(c, &r, &why);
    if (!e && turn_reserve(l->turn)) e = err_set(&why, ERR_NOMEM, "out of memory");
    const bool changes = !c->outdated && !c->unchanged;
    if (!e && changes) e = apply(l, c, &r, &why);
    if (!e && changes && c->change != RULE_DELETE) warn(l, c);
    c->state = state_of(l, c->tenant, c->rule);
    if (e) command_answer(c, e, &why);
    else turn_wait(l->turn, c);
}

static void release(struct engine_loop *l, struct command *c)
{
    struct record r = step_quality_release(&l->step, c->flag);
    struct why why = { 0 };
    enum err e = turn_reserve(l->turn) ? err_set(&why, ERR_NOMEM, "out of memory")
                                       : step_apply(&l->step, &r, &why);
    if (e == ERR_NOMEM) engine_loop_broken(l); /* the state may have changed by half */
    if (e) command_answer(c, e, &why);
    else turn_wait(l->turn, c);
}

static void tell_states(const struct engine_loop *l, struct command *c)
{
    for (size_t i = 0; i < c->ids_n; i++) c->states[i] = state_of(l, c->tenant, c->ids[i]);
    command_answer(c, ERR_OK, NULL);
}

/* An index's measure is everybody's: whether the asker may see it, who asked has looked. */
static void tell_drivers(const struct engine_loop *l, struct command *c)
{
    struct why why = { 0 };
    const uint32_t no = engine_find_series(l->step.engine, (struct uuid){ { 0 } }, c->measure);
    enum err e =
        no == SERIES_NONE
            ? err_set(&why, ERR_UNKNOWN_MEASURE, "%s is not tracked", c->measure)
            : engine_drivers(l->step.engine, no, c->since, c->drivers_n, &c->drivers, &why);
    command_answer(c, e, &why);
}

void engine_loop_obey(struct engine_loop *l, struct command *c)
{
    switch (c->kind) {
    case COMMAND_RULE_CHANGE: change_rule(l, c); break;
    case COMMAND_QUALITY_RELEASE: release(l, c); break;
    case COMMAND_RULE_STATES: tell_states(l, c); break;
    case COMMAND_DRIVERS: tell_drivers(l, c); break;
    }
}
