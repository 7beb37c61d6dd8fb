/* rule_state.c - one rule through a day: last(A) >= 100, clear 98, hold 5 s, cooldown 60 s.
 *
 *     time  value  truth    phase after           because
 *      0      90   clear    ok                    first look
 *     10     101   holds    pending, due 15       came true; 5 s to hold
 *     12      99   between  ok                    it did not hold; 98 is for firing rules
 *     20     102   holds    pending, due 25
 *     25     102   holds    firing    FIRES       the timer: true for 5 s. quiet until 85
 *     30      99   between  firing                not below 98 yet
 *     31      97   clear    ok        RESOLVES
 *     40     101   holds    pending, due 85       hold would be over at 45, the cooldown ends at 85
 *     85     101   holds    firing    FIRES
 *
 * Nothing here knows of edges or timers: a look that comes too early, or twice, does no harm. */
#include "alerts/rules/rule_state.h"

#include "core/err.h"

#include <assert.h>
#include <stdlib.h>

#define PHASE(value, saved, shown, minds) [value] = (saved),
static const char *const saved_texts[] = { RULE_PHASES(PHASE) NULL };
#undef PHASE
const struct names rule_phase_names = { "rule_phase", saved_texts, RULE_PHASE_COUNT };

#define PHASE(value, saved, shown, minds) [value] = (minds),
const uint8_t rule_phase_minds[RULE_PHASE_COUNT] = { RULE_PHASES(PHASE) };
#undef PHASE

enum rule_status rule_phase_status(enum rule_phase p)
{
#define PHASE(value, saved, shown, minds) [value] = (shown),
    static const enum rule_status statuses[] = { RULE_PHASES(PHASE) };
#undef PHASE
    assert(p < RULE_PHASE_COUNT);
    return statuses[p];
}

/* The end of time is as late as it gets: a hold near it does not wrap round to the past. */
static int64_t later(int64_t ns, int64_t by)
{
    int64_t sum;
    return __builtin_add_overflow(ns, by, &sum) ? INT64_MAX : sum;
}

/* When a rule that is pending since s->since_ns fires. */
static int64_t due_of(const struct rule_clocks *c, const struct rule_state *s)
{
    const int64_t held = later(s->since_ns, c->hold_ns);
    return held < s->quiet_until_ns ? s->quiet_until_ns : held;
}

static struct rule_step to_phase(struct rule_state s, enum rule_phase phase,
                                 enum rule_outcome outcome)
{
    s.phase = phase;
    s.due_ns = 0;
    s.overdue = false;
    return (struct rule_step){ s, outcome };
}

static struct rule_step to_firing(const struct rule_clocks *c, struct rule_state s, int64_t now_ns)
{
    s.quiet_until_ns = later(now_ns, c->cooldown_ns);
    return to_phase(s, RULE_FIRING, RULE_FIRES);
}

/* The condition has come true: hold and cooldown run side by side, and the later one counts. */
static struct rule_step enter_condition(const struct rule_clocks *c, struct rule_state s,
                                        int64_t now_ns)
{
    s.since_ns = now_ns;
    const int64_t due = due_of(c, &s);
    if (due <= now_ns) return to_firing(c, s, now_ns);
    struct rule_step step = to_phase(s, RULE_PENDING, RULE_QUIET);
    step.next.due_ns = due;
    return step;
}

/* The condition is over, and with it since when it has been so. */
static struct rule_step to_ok(struct rule_state s, enum rule_outcome outcome)
{
    s.since_ns = 0;
    return to_phase(s, RULE_OK, outcome);
}

struct rule_state rule_state_amend(const struct rule_clocks *now_on, struct rule_state s, bool same)
{
    if (!same && rule_state_is_open(&s)) s.phase = RULE_REVIEW;
    else if (!same) return (struct rule_state){ .quiet_until_ns = s.quiet_until_ns };
    else if (s.phase == RULE_PENDING) s.due_ns = due_of(now_on, &s);
    s.overdue = false;
    return s;
}

enum act { ACT_MISSING, STAY, TO_OK, RESOLVE, BEGIN, ENTER, FIRE_IF_DUE, GO_ON };

static const enum act acts[][TRUTH_COUNT] = {
    /*                 unknown  clear    between  holds */
    [RULE_NEW] = { STAY, TO_OK, TO_OK, BEGIN },
    [RULE_OK] = { STAY, STAY, STAY, ENTER },
    [RULE_PENDING] = { STAY, TO_OK, TO_OK, FIRE_IF_DUE },
    [RULE_FIRING] = { STAY, RESOLVE, STAY, STAY },
    [RULE_DISARMED] = { STAY, TO_OK, STAY, STAY },
    [RULE_REVIEW] = { STAY, RESOLVE, RESOLVE, GO_ON },
};
_Static_assert(ARRAY_LEN(acts) == RULE_PHASE_COUNT, "each phase has its row");

struct rule_step rule_state_step(const struct rule_clocks *c, struct rule_state s, enum truth truth,
                                 int64_t now_ns)
{
    s.dark = truth == TRUTH_UNKNOWN;
    switch (acts[s.phase][truth]) {
    case STAY: return (struct rule_step){ s, RULE_QUIET };
    case TO_OK: return to_ok(s, RULE_QUIET);
    case RESOLVE: return to_ok(s, RULE_RESOLVES);
    case GO_ON: return to_phase(s, RULE_FIRING, RULE_QUIET);
    case BEGIN:
        return c->wait ? to_phase(s, RULE_DISARMED, RULE_QUIET) : enter_condition(c, s, now_ns);
    case ENTER: return enter_condition(c, s, now_ns);
    case FIRE_IF_DUE:
        if (s.due_ns <= now_ns) return to_firing(c, s, now_ns);
        return (struct rule_step){ s, RULE_QUIET };
    case ACT_MISSING: break;
    }
    abort(); /* a phase or truth that is none */
}
