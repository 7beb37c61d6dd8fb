/* test_rule_set_receiver.c - what a receiver keeps that opens an incident on "firing" and closes it
 * on "resolved", and knows nothing else: it never hears of one that is open already, or of the end
 * of one that is not, and when all conditions are false or their rules gone, it has none. Over any
 * sequence of moves, dark hours, edits and restarts. TOCSIN_SEED repeats a run. */
#include "alerts/rules/rule_set.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEQUENCES = 10000, SERIES = 3, RULES = 6, STEPS_MAX = 60, LOW = -100, HIGH = 100 };

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

/* ---- the receiver ---- */
struct incident {
    bool open;
    uint64_t episode, last_episode;
    int64_t since;
};
static struct incident incidents[RULES];
static size_t opened, closed[5]; /* by reason */
static int sequence;

static void receive(void *ctx, const struct fire *f)
{
    (void)ctx;
    const unsigned rule = f->rule.b[1];
    struct incident *i = &incidents[rule];
    if (f->state == ALERT_FIRING) {
        if (i->open || f->episode <= i->last_episode || f->reason != ALERT_MET)
            fail_msg("sequence %d: rule %u fires in episode %" PRIu64 " after %" PRIu64 "%s",
                     sequence, rule, f->episode, i->last_episode, i->open ? ", still open" : "");
        *i = (struct incident){ true, f->episode, f->episode, f->since_ns };
        opened++;
        return;
    }
    if (!i->open || f->episode != i->episode || f->since_ns != i->since || f->reason == ALERT_MET)
        fail_msg("sequence %d: rule %u resolves episode %" PRIu64 ", open is %" PRIu64, sequence,
                 rule, f->episode, i->open ? i->episode : 0);
    i->open = false;
    closed[f->reason]++;
}

/* ---- what a user and a market do ---- */
static struct {
    bool live;
    struct term term;
    struct rule_spec spec;
} rules[RULES];
static struct rule_set *set;
static struct rule_set_change change;
static int64_t now;

static struct term random_term(void)
{
    const int64_t a = upto(9), b = upto(2) ? a : (int64_t)upto(9);
    const bool above = upto(2);
    return (struct term){ .enter = above == (a > b) ? a : b,
                          .clear = above == (a > b) ? b : a,
                          .series = upto(SERIES),
                          .above = above };
}

static void put(unsigned rule)
{
    rules[rule].spec.terms = &rules[rule].term;
    rules[rule].spec.version++;
    rules[rule].live = true;
    assert_int_equal(rule_set_put(set, &rules[rule].spec, now, receive, NULL, &change, NULL),
                     ERR_OK);
}

static void create(unsigned rule)
{
    rules[rule].term = random_term();
    rules[rule].spec = (struct rule_spec){
        .tenant = { { 1 } },
        .id = { { 2, (uint8_t)rule } },
        .no = rule + 1,
        .version = rules[rule].spec.version,
        .terms_n = 1,
        .clocks = { upto(2) ? upto(6) : 0, upto(2) ? upto(12) : 0, upto(4) == 0, HOLD_CLOCK },
        .severity = (enum severity)upto(3),
        .enabled = upto(6) != 0,
        .name = "n",
        .text = "t",
    };
    put(rule);
}

static void delete(unsigned rule)
{
    const struct rule_spec *s = &rules[rule].spec;
    assert_int_equal(rule_set_delete(set, s->tenant, s->id, now, receive, NULL, &change), ERR_OK);
    rules[rule].live = false;
    rules[rule].spec.version++;
}

/* One field of it, or several. */
static void edit(unsigned rule)
{
    struct rule_spec *s = &rules[rule].spec;
    const bool was_open = incidents[rule].open;
    bool quiet = true;
    do switch (upto(8)) {
        case 0: s->severity = (enum severity)upto(3); break;
        case 1: s->name = upto(2) ? "another" : "n"; break;
        case 2: s->clocks.cooldown_ns = upto(12); break;
        case 3: s->clocks.wait = upto(2); break;
        case 4: s->clocks.hold_ns = upto(6), quiet = false; break;
        case 5: s->enabled = upto(2), quiet = false; break;
        case 6: rules[rule].term = random_term(), quiet = false; break;
        case 7: rules[rule].term.clear = rules[rule].term.enter, quiet = false; break;
        }
    while (upto(3) == 0);
    const size_t before = opened + closed[ALERT_CHANGED] + closed[ALERT_DISABLED];
    put(rule);
    if (quiet && opened + closed[ALERT_CHANGED] + closed[ALERT_DISABLED] != before)
        fail_msg("sequence %d: rule %u says something of a change of its looks", sequence, rule);
    if (quiet) assert_int_equal(incidents[rule].open, was_open);
}

static void restart(void)
{
    AUTO_BUF struct buf b = { 0 };
    struct why why = { 0 };
    size_t used;
    rule_set_save(set, &b);
    rule_set_free(set);
    if (rule_set_load(b.data, b.len, &set, &used, &why)) fail_msg("%s", why.text);
}

static void move(uint32_t series, int64_t key)
{
    rule_set_move(set, series, key, now);
    rule_set_decide(set, now, receive, NULL);
}

static void step(void)
{
    now += upto(4);
    rule_set_time(set, now, NULL, receive, NULL);
    const unsigned what = upto(20), rule = upto(RULES);
    if (what < 9) move(upto(SERIES), upto(10));
    else if (what == 9) rule_set_unusable(set, upto(SERIES));
    else if (what == 10) restart();
    else if (!rules[rule].live) create(rule);
    else if (what == 11) delete (rule);
    else edit(rule);
}

/* Every rule ends in one of the ways there are. */
static void end_all(void)
{
    for (unsigned i = 0; i < RULES; i++) {
        struct rule_spec *s = &rules[i].spec;
        const unsigned how = upto(4);
        if (!rules[i].live) continue;
        if (how == 0) delete (i);
        else if (how == 1) s->enabled = false, put(i);
        else if (how == 2) { /* a condition that nothing here meets */ rules[i].term.above = true;
            rules[i].term.enter = rules[i].term.clear = 2 * HIGH;
            put(i);
        } /* else the market ends it */
    }
    /* what is left is above or below: one goes, and the market clears the other */
    const bool fall = upto(2);
    for (unsigned i = 0; i < RULES; i++)
        if (rules[i].live && rules[i].spec.enabled && rules[i].term.above != fall) delete (i);
    for (uint32_t series = 0; series < SERIES; series++) move(series, fall ? LOW : HIGH);
}

static void a_receiver_ends_empty(void **state)
{
    (void)state;
    const char *given = getenv("TOCSIN_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20180205;
    printf("seed %" PRIu64 "\n", seed);
    for (sequence = 0; sequence < SEQUENCES; sequence++) {
        memset(incidents, 0, sizeof incidents);
        memset(rules, 0, sizeof rules);
        now = 1000;
        assert_int_equal(rule_set_new(&set), ERR_OK);
        for (uint32_t n = 1 + upto(STEPS_MAX); n; n--) step();
        end_all();
        for (unsigned i = 0; i < RULES; i++)
            if (incidents[i].open)
                fail_msg("sequence %d: rule %u stays open in episode %" PRIu64, sequence, i,
                         incidents[i].episode);
        rule_set_free(set);
    }
    printf("%zu opened; %zu cleared, %zu changed, %zu disabled, %zu deleted\n", opened,
           closed[ALERT_CLEARED], closed[ALERT_CHANGED], closed[ALERT_DISABLED],
           closed[ALERT_DELETED]);
    assert_true(opened > SEQUENCES);
    for (int reason = ALERT_CLEARED; reason <= ALERT_DELETED; reason++)
        assert_true(closed[reason] > SEQUENCES / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_receiver_ends_empty) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
