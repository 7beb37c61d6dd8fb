#include "app/command.h"

#include "core/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct command *command_new(enum command_kind kind, struct uuid tenant)
{
    struct command *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->kind = kind;
    c->tenant = tenant;
    c->holders = 1;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->answered, &mono);
    pthread_condattr_destroy(&mono);
    return c;
}

/* One that cannot be read is nobody's standing: then the change is made, whatever it is. */
static void read_standing(struct command *c, const char *definition)
{
    struct rule_draft standing;
    c->has_standing =
        !c->draft_err && !rule_draft_read_stored(definition, strlen(definition), &standing, NULL);
    if (c->has_standing) c->standing = standing.d;
}

struct command *command_rule_change(const struct rule_request *r)
{
    struct command *c = command_new(COMMAND_RULE_CHANGE, r->tenant);
    if (!c) return NULL;
    c->change = r->change;
    c->rule = r->rule;
    c->if_version = r->if_version;
    if (r->change != RULE_DELETE)
        c->draft_err = rule_draft_read(r->definition ? r->definition : "", r->definition_n,
                                       &c->draft, &c->draft_why);
    if (r->standing) read_standing(c, r->standing);
    return c;
}

struct command *command_quality_release(struct uuid tenant, struct uuid flag)
{
    struct command *c = command_new(COMMAND_QUALITY_RELEASE, tenant);
    if (c) c->flag = flag;
    return c;
}

struct command *command_rule_states(struct uuid tenant, const struct uuid *rules, size_t n)
{
    struct command *c = command_new(COMMAND_RULE_STATES, tenant);
    if (!c) return NULL;
    c->ids = calloc(n + 1, sizeof *c->ids);
    c->states = calloc(n + 1, sizeof *c->states);
    if (!c->ids || !c->states) {
        command_drop(c);
        return NULL;
    }
    if (n) memcpy(c->ids, rules, n * sizeof *rules);
    c->ids_n = n;
    return c;
}

struct command *command_drivers(const char *measure, int32_t since, size_t n)
{
    struct command *c = command_new(COMMAND_DRIVERS, (struct uuid){ { 0 } });
    if (!c) return NULL;
    snprintf(c->measure, sizeof c->measure, "%s", measure);
    c->since = since;
    c->drivers_n = n;
    return c;
}

void command_drop(struct command *c)
{
    pthread_mutex_lock(&c->lock);
    bool last = --c->holders == 0;
    pthread_mutex_unlock(&c->lock);
    if (!last) return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->answered);
    free(c->ids);
    free(c->states);
    buf_release(&c->drivers);
    free(c);
}

void command_answer(struct command *c, enum err err, const struct why *why)
{
    pthread_mutex_lock(&c->lock);
    c->err = err;
    if (why) c->why = *why;
    c->done = true;
    pthread_cond_signal(&c->answered);
    pthread_mutex_unlock(&c->lock);
    command_drop(c);
}

/* false: not answered in time. */
static bool wait_for_answer(struct command *c, int64_t timeout_ms, enum err *err, struct why *why)
{
    const int64_t deadline = mono_ns() + timeout_ms * NS_PER_MS;
    const struct timespec t = { deadline / NS_PER_S, deadline % NS_PER_S };
    pthread_mutex_lock(&c->lock);
    while (!c->done && pthread_cond_timedwait(&c->answered, &c->lock, &t) == 0) {}
    const bool done = c->done;
    if (done) *err = c->err;
    if (done && why) *why = c->why;
    pthread_mutex_unlock(&c->lock);
    return done;
}

enum err command_ask(struct command *c, struct queue *commands, struct queue *sleeper,
                     int64_t timeout_ms, struct why *why)
{
    c->holders = 2;
    enum err e = queue_push(commands, c, 0);
    if (e) {
        c->holders = 1;
        return err_set(why, e,
                       e == ERR_FULL ? "too many changes are waiting; try again"
                                     : "the service is stopping");
    }
    queue_kick(sleeper);
    if (wait_for_answer(c, timeout_ms, &e, why)) return e;
    return err_set(why, ERR_SLOW,
                   "the database has not committed it within %" PRId64
                   " s; it may still do so: repeat it with the same Idempotency-Key",
                   timeout_ms / 1000);
}
