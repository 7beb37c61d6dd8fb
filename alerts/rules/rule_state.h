/* rule_state.h - what a rule does when it is looked at: pure, (rule, state, truth, time) ->
 * (state, outcome).
 *
 *     phase     looked at and...  clear           between   holds
 *     new       (never before)    ok              ok        enters, or disarmed when it is to wait
 *     ok                          .               .         enters
 *     pending                     ok              ok        fires once due
 *     firing                      ok, RESOLVES    .         .
 *     disarmed                    ok              .         .
 *     review                      ok, RESOLVES    (same)    firing
 *
 * Entering: it fires at once when neither hold nor cooldown has time left, else it is pending
 * until both have passed. A truth that is unknown changes nothing, but the rule stays in the
 * dark: whoever keeps it looks again at the next value. A rule is in review when its condition was
 * changed while it was firing: it goes on only if the new one holds. The whole table is
 * tests/unit/alerts/rules/test_rule_state.c. Times are event times. */
#ifndef TOCSIN_ALERTS_RULES_RULE_STATE_H
#define TOCSIN_ALERTS_RULES_RULE_STATE_H
#include "alerts/alert.h"
#include "alerts/rules/term.h"

/* What a term that moves may pass: into the condition, out of it, clear of it. */
enum passed { PASSED_IN = 1, PASSED_OUT = 2, PASSED_CLEAR = 4 };

/* PHASE(value, text in a saved state, what its tenant sees, what a term must pass for it to end) */
#define RULE_PHASES(PHASE)                                                                         \
    PHASE(RULE_NEW, "new", RULE_IS_OK, 0) /* is in the dark */                                     \
    PHASE(RULE_OK, "ok", RULE_IS_OK, PASSED_IN)                                                    \
    PHASE(RULE_PENDING, "pending", RULE_IS_PENDING, PASSED_OUT)                                    \
    PHASE(RULE_FIRING, "firing", RULE_IS_FIRING, PASSED_CLEAR)                                     \
    PHASE(RULE_DISARMED, "disarmed", RULE_IS_WAITING, PASSED_CLEAR)                                \
    PHASE(RULE_REVIEW, "review", RULE_IS_FIRING, 0) /* is in the dark */

enum rule_phase {
#define PHASE(value, saved, shown, minds) value,
    RULE_PHASES(PHASE)
#undef PHASE
        RULE_PHASE_COUNT
};
extern const struct names rule_phase_names; /* as saved */
enum rule_status rule_phase_status(enum rule_phase p);
/* A look at a rule for what its phase does not mind would change nothing, and can be spared;
 * unless it is in the dark. */
extern const uint8_t rule_phase_minds[RULE_PHASE_COUNT];

/* What time and birth do to a rule. */
struct rule_clocks {
    int64_t hold_ns;        /* the condition must hold so long before it fires */
    int64_t cooldown_ns;    /* so long from one firing to the next, at least */
    bool wait;              /* a condition that holds at the first look must clear first */
    enum rule_hold hold_in; /* rule_set.c makes time by the clock of it, before it comes here */
};

struct rule_state { /* all zero: a new rule */
    enum rule_phase phase;
    bool dark;      /* its last look found no value: due for another as soon as there is one */
    bool overdue;   /* pending: it came due while there was no value, so the next one decides */
    int64_t due_ns; /* pending: when it fires; else 0 */
    int64_t quiet_until_ns; /* cooldown ends; outlives a change of the rule */
    int64_t since_ns;       /* pending, firing, review: when the condition came true; else 0 */
};
/* Has it fired, and not resolved? */
static inline bool rule_state_is_open(const struct rule_state *s)
{
    return s->phase == RULE_FIRING || s->phase == RULE_REVIEW;
}

/* What a change makes of the state of a rule that goes on. `same`: it is true of the same values as before.
 * The look that follows says the rest. */
struct rule_state rule_state_amend(const struct rule_clocks *now_on, struct rule_state s,
                                   bool same);

enum rule_outcome { RULE_QUIET, RULE_FIRES, RULE_RESOLVES };

struct rule_step {
    struct rule_state next;
    enum rule_outcome outcome;
};

struct rule_step rule_state_step(const struct rule_clocks *c, struct rule_state s, enum truth truth,
                                 int64_t now_ns);
#endif
