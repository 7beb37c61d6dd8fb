/* test_rule_set_terms.c - rules of several terms on several series, against an evaluator that
 * counts every term of every rule after every record: the same fires in the same order, and no
 * look forgotten. */
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

enum { SERIES = 5, RULES = 120, TENANTS = 3, TERMS = 4, LOG_MAX = 2048, TOUCHES_MAX = 20000 };

static const char *text_of(struct rule_facts f)
{
    return f.deleted ? NULL : names_text(&rule_status_names, (int)f.status);
}

/* ---- the slow evaluator ---- */
enum phase { NEW, OK, PENDING, FIRING, DISARMED, REVIEW };
enum { UNKNOWN, CLEAR, BETWEEN, HOLDS };

struct slow {
    struct term terms[TERMS];
    struct rule_spec s;
    bool live, dark, timer_gone;
    enum phase phase;
    int64_t due, quiet, since;
    uint32_t episode;
};
struct standing {
    bool has, usable;
    int64_t last;
};
struct fired {
    uint32_t rule;
    enum alert_state state;
    enum alert_reason reason;
    uint32_t episode;
    int64_t since, key;
    uint64_t stream_no;
};
struct log {
    struct fired f[LOG_MAX];
    size_t n;
};

static struct slow rules[RULES];
static uint32_t rules_n;
static struct standing series[SERIES];
static uint64_t stream_no[TENANTS];
static struct log want, got;
static uint64_t seed;

static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}
static struct uuid id_of(unsigned kind, unsigned n)
{
    return (struct uuid){ { (uint8_t)kind, (uint8_t)(n >> 8), (uint8_t)n, 1 } };
}

static bool counts(const struct slow *u) { return u->live && u->s.enabled; }

static int truth(const struct slow *u)
{
    uint32_t holds = 0, clear = 0, unknown = 0, all = u->s.terms_n,
             need = u->s.need ? u->s.need : all;
    for (uint32_t i = 0; i < all; i++) {
        const struct term *t = &u->terms[i];
        const int64_t v = series[t->series].last;
        if (!series[t->series].usable) unknown++;
        else if (t->above ? v >= t->enter : v < t->enter) holds++;
        else if (t->above ? v < t->clear : v >= t->clear) clear++;
    }
    const bool may_hold = holds + unknown >= need, must_hold = holds >= need;
    const bool may_clear = clear + unknown > all - need, must_clear = clear > all - need;
    return must_hold ? HOLDS : must_clear ? CLEAR : may_hold || may_clear ? UNKNOWN : BETWEEN;
}

static void slow_emit(uint32_t at, enum alert_state state, enum alert_reason reason)
{
    const struct slow *u = &rules[at];
    assert_true(want.n < LOG_MAX);
    want.f[want.n++] = (struct fired){ .rule = at,
                                       .state = state,
                                       .reason = reason,
                                       .episode = u->episode,
                                       .since = u->since,
                                       .key = series[u->terms[0].series].last,
                                       .stream_no = ++stream_no[u->s.tenant.b[2]] };
}

static void slow_fire(uint32_t at, int64_t now)
{
    rules[at].phase = FIRING;
    rules[at].quiet = now + rules[at].s.clocks.cooldown_ns;
    rules[at].episode++;
    slow_emit(at, ALERT_FIRING, ALERT_MET);
}

static void slow_enter(uint32_t at, int64_t now)
{
    struct slow *u = &rules[at];
    const int64_t held = now + u->s.clocks.hold_ns;
    u->due = held > u->quiet ? held : u->quiet;
    u->timer_gone = false;
    u->since = now;
    u->phase = PENDING;
    if (u->due <= now) slow_fire(at, now);
}

/* `ends`: why what resolves by this look does. */
static void slow_look(uint32_t at, int64_t now, enum alert_reason ends)
{
    struct slow *u = &rules[at];
    const int t = truth(u);
    u->dark = t == UNKNOWN;
    if (t == UNKNOWN) return;
    if (u->phase == NEW && t == HOLDS && u->s.clocks.wait) u->phase = DISARMED;
    else if ((u->phase == NEW || u->phase == OK) && t == HOLDS) slow_enter(at, now);
    else if (u->phase == NEW) u->phase = OK;
    else if (u->phase == PENDING && t != HOLDS) u->phase = OK;
    else if (u->phase == PENDING && u->due <= now) slow_fire(at, now);
    else if (u->phase == REVIEW && t == HOLDS) u->phase = FIRING;
    else if (u->phase == REVIEW || (u->phase == FIRING && t == CLEAR)) {
        slow_emit(at, ALERT_RESOLVED, u->phase == REVIEW ? ALERT_CHANGED : ends);
        u->phase = OK;
    } else if (u->phase == DISARMED && t == CLEAR) u->phase = OK;
}

static void slow_time(int64_t now)
{
    for (;;) {
        const struct slow *first = NULL;
        for (uint32_t i = 0; i < rules_n; i++) {
            const struct slow *u = &rules[i];
            if (!counts(u) || u->phase != PENDING || u->timer_gone || u->due > now) continue;
            if (!first || u->due < first->due || (u->due == first->due && u->s.no < first->s.no))
                first = u;
        }
        if (!first) return;
        const uint32_t at = (uint32_t)(first - rules);
        rules[at].timer_gone = true;
        slow_look(at, now, ALERT_CLEARED);
    }
}

/* ---- a record: which rules have a reason to be looked at, and in which order ---- */
struct touch {
    int move, lit;
    int64_t key; /* turned round on the way down, and so are rule and which */
    int64_t rule, which;
    uint32_t at;
};
static struct touch touches[TOUCHES_MAX];
static size_t touches_n;

static int by_order(const void *a, const void *b)
{
    const struct touch *x = a, *y = b;
#define ORDER(field)                                                                               \
    if (x->field != y->field) return x->field < y->field ? -1 : 1
    ORDER(move);
    ORDER(lit);
    ORDER(key);
    ORDER(rule);
    ORDER(which);
    return 0;
}

static void add_touch(int move, bool lit, bool up, int64_t key, uint32_t at, uint32_t which)
{
    const int64_t way = up ? 1 : -1;
    assert_true(touches_n < TOUCHES_MAX);
    touches[touches_n++] =
        (struct touch){ move, lit, way * key, way * (int64_t)at, way * (int64_t)which, at };
}

/* Does an edge passed this way matter to a rule in this phase? In the dark all do. */
static bool matters(const struct slow *u, bool clears, bool inwards)
{
    if (u->dark) return true;
    switch (u->phase) {
    case NEW: return false; /* looked at, it would not be new */
    case OK: return !clears && inwards;
    case PENDING: return !clears && !inwards;
    case REVIEW: return false; /* looked at, it would be in none */
    case FIRING:
    case DISARMED: return clears && !inwards;
    }
    return false;
}

static void slow_move(int move, uint32_t no, int64_t key)
{
    struct standing *s = &series[no];
    const bool up = s->has && key > s->last, lit = !s->usable;
    for (uint32_t at = 0; at < rules_n; at++)
        for (uint32_t i = 0; counts(&rules[at]) && i < rules[at].s.terms_n; i++) {
            const struct term *t = &rules[at].terms[i];
            if (t->series != no) continue;
            for (uint32_t clears = 0; clears < 2; clears++) {
                const int64_t k = clears ? t->clear : t->enter;
                const bool passed =
                    s->has && (up ? s->last < k && k <= key : key < k && k <= s->last);
                if (passed && matters(&rules[at], clears, up == t->above))
                    add_touch(move, false, up, k, at, 2 * i + clears);
            }
            if (lit && rules[at].dark) add_touch(move, true, true, t->enter, at, 2 * i);
        }
    *s = (struct standing){ true, true, key };
}

static void slow_decide(int64_t now, int step)
{
    bool looked[RULES] = { 0 };
    qsort(touches, touches_n, sizeof *touches, by_order);
    for (size_t i = 0; i < touches_n; i++) {
        bool again = false;
        for (size_t k = i + 1; k < touches_n; k++) again |= touches[k].at == touches[i].at;
        if (!again) slow_look(touches[i].at, now, ALERT_CLEARED);
        looked[touches[i].at] = true;
    }
    touches_n = 0;
    for (uint32_t at = 0; at < rules_n; at++) { /* nobody else has anything to say */
        const struct slow was = rules[at];
        const size_t n = want.n;
        if (!counts(&was) || looked[at]) continue;
        slow_look(at, now, ALERT_CLEARED);
        if (rules[at].phase != was.phase || want.n != n)
            fail_msg("step %d: rule %u has no reason to be looked at, and changes", step, at);
        rules[at] = was;
    }
}

/* ---- comparing ---- */
static void on_fire(void *ctx, const struct fire *f)
{
    (void)ctx;
    assert_true(got.n < LOG_MAX);
    const uint32_t at = f->rule.b[1] * 256u + f->rule.b[2];
    assert_int_equal(f->no, rules[at].s.no);
    got.f[got.n++] = (struct fired){ .rule = at,
                                     .state = f->state,
                                     .reason = f->reason,
                                     .episode = (uint32_t)f->episode,
                                     .since = f->since_ns,
                                     .key = f->key,
                                     .stream_no = f->stream_no };
}

static size_t compare(int step, const char *what)
{
    for (size_t i = 0; i < got.n && i < want.n; i++)
        if (memcmp(&got.f[i], &want.f[i], sizeof got.f[i]) != 0)
            fail_msg("step %d (%s), fire %zu of %zu: rule %u state %d; wanted rule %u state %d",
                     step, what, i, want.n, got.f[i].rule, got.f[i].state, want.f[i].rule,
                     want.f[i].state);
    if (got.n != want.n) fail_msg("step %d (%s): %zu fires, wanted %zu", step, what, got.n, want.n);
    const size_t n = got.n;
    memset(&got, 0, offsetof(struct log, f) + n * sizeof *got.f);
    memset(&want, 0, offsetof(struct log, f) + n * sizeof *want.f);
    got.n = want.n = 0;
    return n;
}

static void compare_states(const struct rule_set *s, int step)
{
    static const char *const names[] = { "ok", "ok", "pending", "firing", "waiting", "firing" };
    for (uint32_t at = 0; at < rules_n; at++) {
        struct rule_facts f;
        const struct slow *u = &rules[at];
        assert_true(rule_set_find(s, u->s.tenant, u->s.id, &f));
        const char *state = !u->live                           ? "gone"
                            : counts(u) && truth(u) == UNKNOWN ? "stale"
                                                               : names[u->phase];
        if (strcmp(text_of(f) ? text_of(f) : "gone", state) != 0)
            fail_msg("step %d: rule %u is %s, wanted %s", step, at, text_of(f), state);
    }
}

static struct rule_set *reloaded(struct rule_set *s)
{
    AUTO_BUF struct buf a = { 0 };
    struct rule_set *again;
    struct why why = { 0 };
    size_t used;
    rule_set_save(s, &a);
    if (rule_set_load(a.data, a.len, &again, &used, &why)) fail_msg("%s", why.text);
    rule_set_free(s);
    return again;
}

/* ---- random rules ---- */
static bool same_condition(const struct slow *a, const struct slow *b)
{
    bool same = a->s.terms_n == b->s.terms_n
                && (a->s.need ? a->s.need : a->s.terms_n) == (b->s.need ? b->s.need : b->s.terms_n);
    for (uint32_t i = 0; same && i < a->s.terms_n; i++)
        same = a->terms[i].series == b->terms[i].series && a->terms[i].above == b->terms[i].above
               && a->terms[i].enter == b->terms[i].enter;
    return same;
}

/* Changes half of the time nothing of what it holds for. */
static void change_terms(struct slow *u, const struct slow *was)
{
    if (upto(2)) return;
    memcpy(u->terms, was->terms, sizeof u->terms);
    u->s.terms_n = was->s.terms_n;
    u->s.need = was->s.need;
    for (uint32_t i = 0; i < u->s.terms_n; i++) {
        struct term *t = &u->terms[i];
        const int64_t clear = upto(16);
        if (upto(3) == 0 && (t->above ? clear <= t->enter : clear >= t->enter)) t->clear = clear;
    }
}

static void random_terms(struct slow *u)
{
    u->s.terms = u->terms;
    u->s.terms_n = 1 + upto(TERMS);
    u->s.need = upto(u->s.terms_n + 1);
    for (uint32_t i = 0; i < u->s.terms_n; i++) {
        const int64_t a = upto(16), b = upto(2) ? a : (int64_t)upto(16);
        const bool above = upto(2);
        u->terms[i] = (struct term){ .enter = above == (a > b) ? a : b,
                                     .clear = above == (a > b) ? b : a,
                                     .series = upto(SERIES),
                                     .above = above };
    }
}

static void put(struct rule_set *s, uint64_t number, int64_t now)
{
    const uint32_t at = rules_n < RULES && upto(3) ? rules_n : rules_n ? upto(rules_n) : 0;
    struct slow *u = &rules[at];
    const bool change = at < rules_n && u->live;
    const uint64_t no = change ? u->s.no : number;
    const int32_t version = u->s.version + 1;
    struct slow was = *u;
    *u = (struct slow){ .live = true, .quiet = was.quiet, .episode = was.episode };
    random_terms(u);
    if (change) change_terms(u, &was);
    u->s.tenant = id_of(1, at % TENANTS);
    u->s.id = id_of(2, at);
    u->s.no = no;
    u->s.version = version;
    u->s.enabled = u->dark = upto(8) != 0;
    u->s.clocks =
        (struct rule_clocks){ upto(2) ? upto(6) : 0, upto(2) ? upto(12) : 0, !upto(4), HOLD_CLOCK };
    u->s.name = u->s.text = "x";
    if (at == rules_n) rules_n++;
    const bool goes_on = change && was.s.enabled && u->s.enabled,
               open = change && (was.phase == FIRING || was.phase == REVIEW);
    if (open && !goes_on) {
        const struct slow now_is = *u;
        *u = was;
        slow_emit(at, ALERT_RESOLVED, ALERT_DISABLED);
        *u = now_is;
        u->s.terms = u->terms;
    }
    if (goes_on && (open || same_condition(u, &was))) {
        u->phase = same_condition(u, &was) ? was.phase : REVIEW;
        u->since = was.since;
        u->due = was.since + u->s.clocks.hold_ns;
        if (u->due < u->quiet) u->due = u->quiet;
    }
    struct rule_set_change change_of;
    assert_int_equal(rule_set_put(s, &u->s, now, on_fire, NULL, &change_of, NULL), ERR_OK);
    if (u->s.enabled) slow_look(at, now, ALERT_CHANGED);
}

static void remove_one(struct rule_set *s, int64_t now)
{
    struct rule_set_change change;
    struct slow *u = &rules[upto(rules_n)];
    enum err e = rule_set_delete(s, u->s.tenant, u->s.id, now, on_fire, NULL, &change);
    assert_int_equal(e, u->live ? ERR_OK : ERR_NOT_FOUND);
    if (u->live && u->s.enabled && (u->phase == FIRING || u->phase == REVIEW))
        slow_emit((uint32_t)(u - rules), ALERT_RESOLVED, ALERT_DELETED);
    u->live = u->dark = false;
    u->s.version++;
}

/* Several series, each once, and each may be moved a little, moved far, or lose its value. */
static void record(struct rule_set *s, int64_t now, int step)
{
    const uint32_t first = upto(SERIES), n = 1 + upto(SERIES);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t no = (first + i * 2) % SERIES;
        if (upto(12) == 0) {
            rule_set_unusable(s, no);
            series[no].usable = false;
            continue;
        }
        const int64_t key =
            series[no].has && upto(2) ? series[no].last + (int64_t)upto(3) - 1 : (int64_t)upto(16);
        rule_set_move(s, no, key, now);
        slow_move((int)i, no, key);
    }
    rule_set_decide(s, now, on_fire, NULL);
    slow_decide(now, step);
}

/* Ladders exist from the highest series of a rule down: one disabled rule makes all of them,
 * so that both sides know as much. */
static void begin(struct rule_set *s)
{
    struct slow *u = &rules[0];
    memset(rules, 0, sizeof rules);
    memset(series, 0, sizeof series);
    memset(stream_no, 0, sizeof stream_no);
    got.n = want.n = 0;
    u->terms[0] = (struct term){ .series = SERIES - 1 };
    u->s = (struct rule_spec){ .tenant = id_of(1, 0),
                               .id = id_of(2, 0),
                               .no = 1,
                               .version = 1,
                               .terms = u->terms,
                               .terms_n = 1,
                               .name = "",
                               .text = "" };
    u->live = true;
    rules_n = 1;
    struct rule_set_change change;
    assert_int_equal(rule_set_put(s, &u->s, 1000, on_fire, NULL, &change, NULL), ERR_OK);
}

static size_t differential(uint64_t start, int steps, bool reload)
{
    struct rule_set *s;
    size_t fires = 0;
    int64_t now = 1000;
    seed = start;
    assert_int_equal(rule_set_new(&s), ERR_OK);
    begin(s);
    for (int step = 0; step < steps; step++) {
        if (upto(3)) now += upto(4);
        rule_set_time(s, now, NULL, on_fire, NULL);
        slow_time(now);
        fires += compare(step, "time");
        const uint32_t op = upto(100);
        if (op < 80) record(s, now, step);
        else if (op < 95) put(s, (uint64_t)step + 2, now);
        else remove_one(s, now);
        fires += compare(step, op < 80 ? "record" : op < 95 ? "put" : "delete");
        if (step % 53 == 0) compare_states(s, step);
        if (reload && upto(100) == 0) s = reloaded(s);
    }
    rule_set_free(s);
    return fires;
}

static void several_terms_agree_with_the_slow_evaluator(void **state)
{
    (void)state;
    for (uint64_t start = 1; start <= 6; start++) {
        size_t fires = differential(start * 7919, 12000, start % 2 == 0);
        printf("seed %" PRIu64 ": %zu fires\n", start * 7919, fires);
        assert_true(fires > 1000);
    }
}

/* a > 5 and b > 5: one record takes a over its level, and b under its own. Both together they
 * never held. */
static void a_record_is_one_moment(void **state)
{
    (void)state;
    struct rule_set *s;
    struct rule_set_change change;
    struct rule_facts f;
    const struct term terms[] = { { 6, 6, 0, true }, { 6, 6, 1, true } };
    const struct rule_spec spec = {
        .terms = terms, .terms_n = 2, .enabled = true, .version = 1, .name = "", .text = ""
    };
    assert_int_equal(rule_set_new(&s), ERR_OK);
    rules[0].terms[0] = terms[0]; /* on_fire looks there */
    rules[0].s.no = 0;
    got.n = 0;
    assert_int_equal(rule_set_put(s, &spec, 0, on_fire, NULL, &change, NULL), ERR_OK);
    assert_int_equal(change.n, 2);
    static const struct {
        int64_t a, b;
        size_t fires;
        const char *state;
    } records[] = {
        { 1, 9, 0, "ok" }, { 9, 1, 0, "ok" },     { 9, 9, 1, "firing" },
        { 1, 9, 2, "ok" }, { 9, 9, 3, "firing" }, { 7, 7, 3, "firing" },
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        rule_set_move(s, 0, records[i].a, (int64_t)i);
        rule_set_move(s, 1, records[i].b, (int64_t)i);
        rule_set_decide(s, (int64_t)i, on_fire, NULL);
        assert_true(rule_set_find(s, spec.tenant, spec.id, &f));
        if (got.n != records[i].fires || strcmp(text_of(f), records[i].state) != 0)
            fail_msg("record %zu: %zu fires, %s", i, got.n, text_of(f));
    }
    rule_set_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_terms_agree_with_the_slow_evaluator),
        cmocka_unit_test(a_record_is_one_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
