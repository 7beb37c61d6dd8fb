/* timers.h - when pending rules come due, in the order of (time, rule's number); event time.
 *
 * A rule has one timer. It may come too early, never too late: a rule that goes in and out of its
 * condition all day asks for a later time on each entry, and instead of moving its timer is told
 * of the old time and asks again. So a rule that flaps costs nothing until then:
 *
 *     at 10 rule 7 wants 70      heap 70/7
 *     at 20 it left, at 30 it wants 90     70 is soon enough: nothing
 *     at 70 timers_next gives 70/7; the rule is not due before 90 and wants 90     heap 90/7
 *
 * One that wants an earlier time gets a second entry; the first is skipped when its turn
 * comes. Pure; thread: one. */
#ifndef TOCSIN_ALERTS_RULES_TIMERS_H
#define TOCSIN_ALERTS_RULES_TIMERS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t due_ns;
    uint64_t no; /* the rule's number, which orders those due at one time */
    uint32_t rule;
};

struct timers { /* all zero: none */
    struct timer *heap;
    size_t n, cap;
    struct timer *of; /* by rule: the one that counts; due_ns TIMER_NONE: none */
    size_t of_cap, rules;
};

/* Room for rules 0 .. rules - 1; nothing below allocates. false: out of memory. */
bool timers_reserve(struct timers *t, size_t rules);
void timers_release(struct timers *t);
/* Rule number `no` is to be told at due_ns, or before. */
void timers_want(struct timers *t, struct timer want);
/* May one be due by now_ns? */
static inline bool timers_any(const struct timers *t, int64_t now_ns)
{
    return t->n && t->heap[0].due_ns <= now_ns;
}
/* Takes the first that is due by now_ns; false: none is. */
bool timers_next(struct timers *t, int64_t now_ns, struct timer *out);
/* Calls each(ctx, rule) for every timer due by now_ns, in no order; a rule may come twice, or
 * for nothing. */
void timers_due(const struct timers *t, int64_t now_ns, void (*each)(void *ctx, uint32_t rule),
                void *ctx);
#endif
