/* test_rule_set.c - the rule set against a slow evaluator written from rule_set.h alone: the
 * same fires in the same order. */
#include "alerts/rules/rule_set.h"

#include "alerts/rules/key.h"
#include "alerts/rules/rule_text.h"
#include "core/map.h"
#include "core/vec.h"

#include <inttypes.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERIES = 7, RULES = 600, TENANTS = 5, LOG_MAX = 4096 };

/* A rule of one term, in a row. */
struct spec {
    struct uuid tenant, id;
    uint64_t no;
    int32_t version;
    uint32_t series;
    struct {
        bool above;
        int64_t enter, clear;
    } edges;
    int64_t hold_ns, cooldown_ns;
    enum rule_hold hold_in;
    enum severity severity;
    bool wait, enabled;
    const char *name, *text;
};

static fire_fn on_fire;
static struct rule_set_change change;

/* A market that is open for 3 ns of 8, of series 1 two later: counted one by one. */
static int64_t opens_at;
static int64_t held_until(void *ctx, uint32_t series, int64_t since, int64_t hold)
{
    assert_ptr_equal(ctx, &opens_at);
    for (; hold > 0; since++) hold -= (since + opens_at + 6 * (series == 1)) % 8 < 3;
    return since;
}
static int64_t slow_held(const struct spec *s, int64_t since)
{
    return s->hold_in == HOLD_SESSION ? held_until(&opens_at, s->series, since, s->hold_ns)
                                      : since + s->hold_ns;
}

static enum err put_one(struct rule_set *r, const struct spec *s, int64_t now)
{
    struct term term = { s->edges.enter, s->edges.clear, s->series, s->edges.above };
    struct rule_spec spec = { .tenant = s->tenant,
                              .id = s->id,
                              .no = s->no,
                              .version = s->version,
                              .terms = &term,
                              .terms_n = 1,
                              .clocks = { s->hold_ns, s->cooldown_ns, s->wait, s->hold_in },
                              .severity = s->severity,
                              .enabled = s->enabled,
                              .name = s->name,
                              .text = s->text };
    return rule_set_put(r, &spec, now, on_fire, NULL, &change, NULL);
}

static void move(struct rule_set *r, uint32_t series, int64_t key, int64_t now)
{
    rule_set_move(r, series, key, now);
    rule_set_decide(r, now, on_fire, NULL);
}

static const char *text_of(struct rule_facts f)
{
    return f.deleted ? NULL : names_text(&rule_status_names, (int)f.status);
}

/* ---- the slow evaluator ---- */
enum state { OK, PENDING, FIRING, DISARMED };
struct slow_rule {
    struct spec s;
    bool live, known, begun;
    bool dark;    /* its last look found no value: one is due with the next */
    bool overdue; /* its timer came in the dark */
    bool review;  /* firing, but its condition is another by now */
    enum state state;
    int64_t due, quiet, since;
    int64_t said; /* the time of its last alert */
    uint64_t episode;
    int32_t version;
    char name[24], text[24];
};
struct slow_series {
    bool has, usable;
    int64_t last;
    int64_t at;            /* since when it stands there */
    bool has_before, left; /* left: no enabled rule has been about it since it moved */
    int64_t before;
};
struct fired {
    struct fire f;
    char name[24], text[24];
};
struct log {
    struct fired f[LOG_MAX];
    size_t n;
};

static struct slow_rule rules[RULES];
static size_t rules_n;
static struct slow_series series[SERIES];
static uint64_t stream_no[TENANTS];
static struct log want, got;

static uint64_t seed;
static uint64_t random64(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static uint32_t upto(uint32_t n) { return (uint32_t)(random64() >> 11) % n; }

static struct uuid id_of(unsigned kind, unsigned n)
{
    struct uuid u = { { (uint8_t)kind, (uint8_t)(n >> 8), (uint8_t)n, 1 } };
    return u;
}

static bool due_looks; /* rules come due at their due time */
static bool due_look;  /* a rule is being looked at as of its due time */

/* Records may come out of step; a rule's time does not go back. */
static int64_t rule_time(const struct slow_rule *u, int64_t now)
{
    if (u->said > now) now = u->said;
    if (due_looks && u->overdue && u->due > now) now = u->due;
    return !due_look && series[u->s.series].at > now ? series[u->s.series].at : now;
}

static void slow_emit(struct slow_rule *u, enum alert_state state, enum alert_reason reason,
                      int64_t key, int64_t now)
{
    const struct slow_series *at = &series[u->s.series];
    const bool other = due_look && key != at->last;
    u->said = rule_time(u, now);
    assert_true(want.n < LOG_MAX);
    struct fired *w = &want.f[want.n++];
    w->f = (struct fire){ .tenant = u->s.tenant,
                          .rule = u->s.id,
                          .no = u->s.no,
                          .stream_no = ++stream_no[u->s.tenant.b[2]],
                          .version = u->version,
                          .severity = u->s.severity,
                          .state = state,
                          .reason = reason,
                          .episode = u->episode,
                          .at_ns = u->said,
                          .since_ns = u->since,
                          .series = u->s.series,
                          .key = key,
                          .before = other ? at->last : at->before,
                          .has_before = other ? at->has : at->has_before };
    memcpy(w->name, u->name, sizeof w->name);
    memcpy(w->text, u->text, sizeof w->text);
}

static bool holds(const struct slow_rule *u, int64_t key)
{
    return u->s.edges.above ? key >= u->s.edges.enter : key < u->s.edges.enter;
}
static bool rearms(const struct slow_rule *u, int64_t key)
{
    return u->s.edges.above ? key < u->s.edges.clear : key >= u->s.edges.clear;
}

static void slow_fire(struct slow_rule *u, int64_t key, int64_t now)
{
    now = rule_time(u, now);
    u->state = FIRING;
    u->overdue = false;
    u->quiet = now + u->s.cooldown_ns;
    u->episode++;
    slow_emit(u, ALERT_FIRING, ALERT_MET, key, now);
}

static void slow_enter(struct slow_rule *u, int64_t key, int64_t now)
{
    now = u->since = rule_time(u, now);
    u->due = slow_held(&u->s, now) > u->quiet ? slow_held(&u->s, now) : u->quiet;
    if (u->due <= now) slow_fire(u, key, now);
    else u->state = PENDING;
}

static void slow_begin(struct slow_rule *u, int64_t key, int64_t now)
{
    u->begun = true;
    if (!holds(u, key)) return;
    if (u->s.wait) u->state = DISARMED;
    else slow_enter(u, key, now);
}

static bool counts(const struct slow_rule *u) { return u->live && u->s.enabled; }

static void slow_end(struct slow_rule *u, enum alert_reason reason, int64_t key, int64_t now)
{
    slow_emit(u, ALERT_RESOLVED, reason, key, now);
    u->state = OK;
    u->review = false;
}

/* A look by where the series stands alone: what puts and values after the dark bring. */
static void slow_look(struct slow_rule *u, int64_t key, int64_t now, enum alert_reason ends)
{
    now = rule_time(u, now);
    u->dark = u->overdue = false;
    if (!u->begun) slow_begin(u, key, now);
    else if (u->state == FIRING && u->review && !holds(u, key))
        slow_end(u, ALERT_CHANGED, key, now);
    else if (u->state == FIRING && u->review) u->review = false;
    else if (u->state == FIRING && rearms(u, key)) slow_end(u, ends, key, now);
    else if (u->state == DISARMED && rearms(u, key)) u->state = OK;
    else if (u->state == PENDING && !holds(u, key)) u->state = OK;
    else if (u->state == PENDING && u->due <= now) slow_fire(u, key, now);
    else if (u->state == OK && holds(u, key)) slow_enter(u, key, now);
}

/* ---- due times ---- */
static struct {
    uint32_t series;
    int64_t due;
} named[2 * RULES];
static size_t named_n;

static void name_due(void *ctx, uint32_t no, int64_t due_ns)
{
    (void)ctx;
    assert_true(named_n < ARRAY_LEN(named));
    named[named_n].series = no;
    named[named_n++].due = due_ns;
}

/* Some values have aged by their due time, and some are gone: by an arbitrary rule. */
static bool aged(uint32_t no, int64_t due_ns, int64_t *key)
{
    const uint64_t mix = map_hash(&(uint64_t[2]){ no, (uint64_t)due_ns }, 16);
    *key = mix % 4 == 1 ? (int64_t)(mix / 4 % 21) - 10 : series[no].last;
    if (mix % 4 == 1 && no % 2) *key = key_of_double((double)*key / 10);
    return mix % 4 == 1 || (mix % 4 && series[no].usable);
}

static bool stood(void *ctx, uint32_t no, int64_t due_ns, int64_t *key)
{
    (void)ctx;
    size_t i = 0;
    while (i < named_n && (named[i].series != no || named[i].due != due_ns)) i++;
    if (i == named_n) fail_msg("series %u at %" PRId64 " has not been named", no, due_ns);
    int64_t at_due;
    if (!aged(no, due_ns, &at_due)) return false;
    *key = at_due;
    return true;
}

static int truth(const struct slow_rule *u, int64_t key)
{
    return holds(u, key) ? 2 : rearms(u, key) ? 0 : 1;
}

static void slow_due(struct slow_rule *u)
{
    const struct slow_series *s = &series[u->s.series];
    int64_t key;
    const bool seen = aged(u->s.series, u->due, &key);
    u->overdue = !seen;
    u->dark = !seen || !s->usable || truth(u, key) != truth(u, s->last);
    due_look = true;
    if (seen && holds(u, key)) slow_fire(u, key, u->due);
    else if (seen) u->state = OK;
    due_look = false;
}

static void slow_time(int64_t now, bool then)
{
    for (;;) { /* due timers by (time, rule number) */
        struct slow_rule *first = NULL;
        for (size_t i = 0; i < rules_n; i++) {
            struct slow_rule *u = &rules[i];
            if (!counts(u) || u->state != PENDING || u->overdue || u->due > now) continue;
            if (!first || u->due < first->due || (u->due == first->due && u->s.no < first->s.no))
                first = u;
        }
        if (!first) return;
        if (then) slow_due(first);
        else if (series[first->s.series].usable)
            slow_fire(first, series[first->s.series].last, now);
        else first->overdue = first->dark = true;
    }
}

struct event {
    int64_t key;
    size_t rule;
    bool clears;
};
static int by_edge(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    return (int)x->clears - (int)y->clears;
}

static void slow_move(uint32_t no, int64_t key, int64_t now)
{
    static struct event events[RULES];
    struct slow_series *s = &series[no];
    size_t n = 0;
    bool down = s->has && key < s->last;
    if (s->has && key != s->last && !s->left) {
        s->before = s->last;
        s->has_before = true;
    }
    if ((!s->has || key != s->last) && now > s->at) s->at = now;
    s->left = false;
    for (size_t i = 0; i < rules_n;
         i++) { /* what changes for rules that look on already: in the order of their edges */
        struct slow_rule *u = &rules[i];
        if (!counts(u) || u->s.series != no || u->dark) continue;
        if ((u->state == FIRING || u->state == DISARMED) && rearms(u, key))
            events[n++] = (struct event){ u->s.edges.clear, i, true };
        else if (u->state == PENDING && !holds(u, key)) {
            u->state = OK;
        } else if (u->state == OK && holds(u, key))
            events[n++] = (struct event){ u->s.edges.enter, i, false };
    }
    qsort(events, n, sizeof *events, by_edge);
    for (size_t k = 0; k < n; k++) {
        const struct event *e = &events[down ? n - 1 - k : k];
        struct slow_rule *u = &rules[e->rule];
        if (!e->clears) {
            slow_enter(u, key, now);
            continue;
        }
        if (u->state == FIRING) slow_end(u, ALERT_CLEARED, key, now);
        u->state = OK;
    }
    s->has = s->usable = true;
    s->last = key;
    n = 0;
    for (size_t i = 0; i < rules_n; i++) /* then those that could not see when they last looked */
        if (counts(&rules[i]) && rules[i].s.series == no && rules[i].dark)
            events[n++] = (struct event){ rules[i].s.edges.enter, i, false };
    qsort(events, n, sizeof *events, by_edge);
    for (size_t k = 0; k < n; k++) slow_look(&rules[events[k].rule], key, now, ALERT_CLEARED);
}

/* Nobody looks at a series any more: where it stands is no value before the next one. */
static void slow_left(uint32_t no)
{
    for (size_t i = 0; i < rules_n; i++)
        if (counts(&rules[i]) && rules[i].s.series == no) return;
    series[no].left = true;
    series[no].has_before = false;
}

static void slow_put(size_t at, const struct spec *s, int64_t now)
{
    struct slow_rule *u = &rules[at];
    const bool goes_on = counts(u) && s->enabled, open = counts(u) && u->state == FIRING;
    const bool same = goes_on && u->begun && u->s.series == s->series
                      && u->s.edges.enter == s->edges.enter && u->s.edges.above == s->edges.above;
    if (open && !goes_on) slow_end(u, ALERT_DISABLED, series[u->s.series].last, now);
    const struct slow_rule was = *u;
    *u = (struct slow_rule){ .s = *s,
                             .live = true,
                             .known = true,
                             .dark = s->enabled,
                             .quiet = was.quiet,
                             .said = u->said,
                             .episode = was.episode,
                             .version = s->version };
    if (same || (goes_on && open)) {
        u->begun = true;
        u->state = was.state;
        u->since = was.since;
        u->review = was.review || !same;
        u->due = slow_held(s, was.since) > u->quiet ? slow_held(s, was.since) : u->quiet;
    }
    snprintf(u->name, sizeof u->name, "%s", s->name);
    snprintf(u->text, sizeof u->text, "%s", s->text);
    if (at == rules_n) rules_n++;
    if (was.live) slow_left(was.s.series);
    slow_left(s->series);
    if (u->s.enabled && series[s->series].has && series[s->series].usable)
        slow_look(u, series[s->series].last, now, ALERT_CHANGED);
}

static void slow_delete(struct slow_rule *u, int64_t now)
{
    if (counts(u) && u->state == FIRING) slow_end(u, ALERT_DELETED, series[u->s.series].last, now);
    u->live = false;
    u->version++;
    slow_left(u->s.series);
}

/* ---- comparing ---- */
static void on_fire(void *ctx, const struct fire *f)
{
    (void)ctx;
    assert_true(got.n < LOG_MAX);
    struct fired *g = &got.f[got.n++];
    g->f = *f;
    g->f.name = g->f.text = NULL;
    memset(g->name, 0, sizeof g->name);
    memset(g->text, 0, sizeof g->text);
    snprintf(g->name, sizeof g->name, "%s", f->name);
    snprintf(g->text, sizeof g->text, "%s", f->text);
}

static bool same(const struct fired *a, const struct fired *b)
{
    return uuid_equal(a->f.tenant, b->f.tenant) && uuid_equal(a->f.rule, b->f.rule)
           && a->f.no == b->f.no && a->f.stream_no == b->f.stream_no && a->f.version == b->f.version
           && a->f.series == b->f.series && a->f.severity == b->f.severity
           && a->f.state == b->f.state && a->f.key == b->f.key && a->f.reason == b->f.reason
           && a->f.episode == b->f.episode && a->f.since_ns == b->f.since_ns
           && a->f.at_ns == b->f.at_ns && a->f.has_before == b->f.has_before
           && (!a->f.has_before || a->f.before == b->f.before) && strcmp(a->name, b->name) == 0
           && strcmp(a->text, b->text) == 0;
}

#define NUMBERS(f)                                                                                 \
    (f).rule.b[1] * 256 + (f).rule.b[2], (int)(f).state, (int)(f).reason, (f).episode, (f).at_ns,  \
        (f).since_ns, (f).key, (f).has_before ? (f).before : INT64_MIN, (f).stream_no
static size_t compare(int step, const char *what)
{
    for (size_t i = 0; i < got.n && i < want.n; i++)
        if (!same(&got.f[i], &want.f[i]))
            fail_msg("step %d (%s), fire %zu of %zu: rule %d state %d reason %d episode %" PRIu64
                     " at %" PRId64 " since %" PRId64 " key %" PRId64 " before %" PRId64
                     " no %" PRIu64 "; wanted rule %d state %d reason %d episode %" PRIu64
                     " at %" PRId64 " since %" PRId64 " key %" PRId64 " before %" PRId64
                     " no %" PRIu64,
                     step, what, i, want.n, NUMBERS(got.f[i].f), NUMBERS(want.f[i].f));
    if (got.n != want.n) fail_msg("step %d (%s): %zu fires, wanted %zu", step, what, got.n, want.n);
    size_t n = got.n;
    got.n = want.n = 0;
    return n;
}

static void compare_sights(const struct rule_set *r);
static void compare_states(const struct rule_set *r, int step)
{
    static const char *const names[] = { "ok", "pending", "firing", "waiting" };
    size_t live = 0;
    for (size_t i = 0; i < rules_n; i++) {
        const struct slow_rule *u = &rules[i];
        struct rule_facts f;
        live += u->live;
        if (!rule_set_find(r, u->s.tenant, u->s.id, &f))
            fail_msg("step %d: rule %zu is lost", step, i);
        const char *state = !u->live                                      ? NULL
                            : u->s.enabled && !series[u->s.series].usable ? "stale"
                                                                          : names[u->state];
        if (f.deleted != !u->live || f.version != u->version || f.no != u->s.no
            || (state ? !text_of(f) || strcmp(text_of(f), state) != 0 : text_of(f) != NULL))
            fail_msg("step %d: rule %zu is version %d %s, wanted %d %s", step, i, f.version,
                     text_of(f) ? text_of(f) : "gone", u->version, state ? state : "gone");
        assert_false(rule_set_find(r, id_of(9, 9), u->s.id, &f));
    }
    assert_int_equal(rule_set_size(r), live);
    compare_sights(r);
}

static struct rule_set *reloaded(struct rule_set *r)
{
    struct buf a = { 0 }, b = { 0 };
    struct rule_set *again;
    size_t used;
    struct why why = { 0 };
    rule_set_save(r, &a);
    if (rule_set_load(a.data, a.len, &again, &used, &why)) fail_msg("%s", why.text);
    assert_int_equal(used, a.len);
    rule_set_session_time(again, held_until, &opens_at);
    rule_set_save(again, &b);
    assert_int_equal(b.len, a.len);
    assert_memory_equal(a.data, b.data, a.len);
    rule_set_free(r);
    buf_release(&a);
    buf_release(&b);
    return again;
}

/* Few distinct keys, so that edges and values meet often; odd series have the keys of doubles. */
static int64_t random_key(uint32_t no)
{
    int64_t k = (int64_t)upto(21) - 10;
    return no % 2 ? key_of_double((double)k / 10) : k;
}

static struct spec random_spec(size_t at, bool fresh)
{
    static char name[24], text[24];
    uint32_t no = upto(SERIES);
    enum rule_op op = (enum rule_op)upto(4);
    bool above = op == OP_GE || op == OP_GT;
    int64_t k = random_key(no), c = random_key(no);
    int64_t enter = op == OP_GE || op == OP_LT ? k : k + 1, clear = enter;
    if (upto(2) && (above ? c < enter : c > enter)) clear = c;
    snprintf(name, sizeof name, "name %u", upto(1000));
    snprintf(text, sizeof text, "text %u", upto(1000));
    struct spec s = { .tenant = id_of(1, (unsigned)at % TENANTS),
                      .id = id_of(2, (unsigned)at),
                      .series = no,
                      .edges = { above, enter, clear },
                      .severity = (enum severity)upto(3),
                      .wait = upto(4) == 0,
                      .enabled = upto(8) != 0,
                      .name = name,
                      .text = text };
    if (upto(2)) s.hold_ns = upto(6);
    if (upto(3) == 0) s.hold_in = HOLD_SESSION;
    if (upto(2)) s.cooldown_ns = upto(12);
    if (!fresh
        && upto(3)) { /* a change that leaves the condition alone, if not always its clear level */
        s.series = rules[at].s.series;
        if (upto(3)) s.edges = rules[at].s.edges;
        else {
            const int64_t clear_to = random_key(s.series);
            s.edges.above = rules[at].s.edges.above;
            s.edges.enter = s.edges.clear = rules[at].s.edges.enter;
            if (s.edges.above ? clear_to < s.edges.enter : clear_to > s.edges.enter)
                s.edges.clear = clear_to;
        }
    }
    s.no = fresh ? 0 : rules[at].s.no;
    return s;
}

/* What the change of rule `at` to `to` (NULL: deleted) means for the series it was about and
 * the one it will be about. */
static void expect_change(size_t at, const struct spec *to, const struct rule_set_change *c)
{
    const struct slow_rule *u = &rules[at];
    const struct uuid tenant = id_of(1, (unsigned)at % TENANTS);
    size_t n = 0;
    for (uint32_t no = 0; no < SERIES; no++) {
        int had = 0; /* the tenant's live rules about it */
        for (size_t i = 0; i < rules_n; i++)
            had +=
                rules[i].live && uuid_equal(rules[i].s.tenant, tenant) && rules[i].s.series == no;
        const bool was = u->live && u->s.series == no, is = to && to->series == no;
        const struct series_change want = {
            .series = no,
            .asked = is - was,
            .watched = (is && to->enabled) - (was && u->s.enabled),
            .seen = (had + is - was > 0) - (had > 0),
        };
        if (!want.asked && !want.watched) continue;
        n++;
        const struct series_change *got_it = NULL;
        for (size_t i = 0; i < c->n; i++)
            if (c->of[i].series == no) got_it = &c->of[i];
        assert_non_null(got_it);
        assert_memory_equal(got_it, &want, sizeof want);
    }
    assert_int_equal(c->n, n);
}

static void count_sight(void *ctx, const struct rule_sight *sight)
{
    uint32_t(*terms)[SERIES] = ctx;
    terms[sight->tenant.b[2]][sight->series] += sight->terms;
}

static void compare_sights(const struct rule_set *r)
{
    uint32_t told[TENANTS][SERIES] = { 0 }, want_terms[TENANTS][SERIES] = { 0 };
    for (size_t i = 0; i < rules_n; i++)
        want_terms[i % TENANTS][rules[i].s.series] += rules[i].live;
    rule_set_sights(r, count_sight, told);
    assert_memory_equal(told, want_terms, sizeof told);
    for (unsigned t = 0; t < TENANTS; t++)
        for (uint32_t no = 0; no < SERIES; no++)
            assert_int_equal(rule_set_sees(r, id_of(1, t), no), want_terms[t][no] > 0);
    assert_false(rule_set_sees(r, id_of(9, 9), 0));
}

static size_t differential(uint64_t start, int steps, size_t rules_max, bool reload, bool then)
{
    struct rule_set *r;
    seed = start;
    memset(rules, 0, sizeof rules);
    memset(series, 0, sizeof series);
    memset(stream_no, 0, sizeof stream_no);
    rules_n = got.n = want.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    rule_set_session_time(r, held_until, &opens_at);
    opens_at = 0;
    due_looks = then;
    int64_t now = 1000;
    uint64_t number = 0;
    size_t fires = 0;
    struct spec asleep = { .tenant = id_of(1, 0),
                           .id = id_of(2, 0),
                           .no = number++,
                           .version = 1,
                           .series = SERIES - 1,
                           .name = "",
                           .text = "" };
    /* values told before there is a rule at or beyond a series are not kept: so there is one,
     * disabled */
    assert_int_equal(put_one(r, &asleep, now), ERR_OK);
    slow_put(rules_n, &asleep, now);
    for (int step = 0; step < steps; step++) {
        const char *what = "time";
        if (upto(3)) now += upto(4);
        uint32_t op = upto(100);
        const int64_t at = then && op < 62 && upto(4) == 0 ? now - upto(8) : now;
        named_n = 0;
        rule_set_due(r, at, name_due, NULL);
        rule_set_time(r, at, then ? stood : NULL, on_fire, NULL);
        slow_time(at, then);
        number++;
        if (op < 62) {
            uint32_t no = upto(SERIES);
            int64_t key = random_key(no);
            if (upto(3) == 0 && series[no].has)
                key = series[no].last + (no % 2 ? 0 : (int64_t)upto(3) - 1);
            what = "move";
            move(r, no, key, at);
            slow_move(no, key, at);
        } else if (op < 68) {
            uint32_t no = upto(SERIES);
            what = "unusable";
            rule_set_unusable(r, no);
            series[no].usable = false;
        } else if (op < 90) {
            what = "put";
            for (uint32_t burst = upto(40) == 0 ? 30 + upto(30) : 1; burst;
                 burst--) { /* many new edges are settled another way than few */
                size_t at = rules_n < rules_max && upto(3) ? rules_n
                            : rules_n                      ? upto((uint32_t)rules_n)
                                                           : 0;
                bool fresh = at == rules_n || !rules[at].live;
                struct spec s = random_spec(at, fresh);
                if (fresh) s.no = number++;
                s.version = rules[at].version + 1;
                assert_int_equal(put_one(r, &s, now), ERR_OK);
                expect_change(at, &s, &change);
                slow_put(at, &s, now);
            }
        } else if (op < 95 && rules_n) {
            size_t at = upto((uint32_t)rules_n);
            what = "delete";
            enum err e =
                rule_set_delete(r, rules[at].s.tenant, rules[at].s.id, now, on_fire, NULL, &change);
            assert_int_equal(e, rules[at].live ? ERR_OK : ERR_NOT_FOUND);
            expect_change(at, NULL, &change);
            if (rules[at].live) slow_delete(&rules[at], now);
        }
        fires += compare(step, what);
        if (step % 97 == 0) compare_states(r, step);
        if (reload && upto(200) == 0) r = reloaded(r);
    }
    compare_states(r, steps);
    rule_set_free(r);
    return fires;
}

static void it_agrees_with_the_slow_evaluator(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        int steps;
        size_t rules;
        bool reload, then;
    } runs[] = {
        { 11, 60000, 12, false, false },    { 12, 60000, 60, true, false },
        { 13, 20000, RULES, false, false }, { 14, 20000, RULES, true, false },
        { 15, 60000, 3, true, false },      { 21, 60000, 12, false, true },
        { 22, 60000, 60, true, true },      { 23, 20000, RULES, true, true },
        { 24, 60000, 3, true, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
        size_t fires =
            differential(runs[i].seed, runs[i].steps, runs[i].rules, runs[i].reload, runs[i].then);
        printf("seed %" PRIu64 ": %d steps, %zu fires\n", runs[i].seed, runs[i].steps, fires);
        assert_true(fires > 1000);
    }
}

/* ---- one story each ---- */
static struct spec above(unsigned id, int64_t enter, int64_t clear)
{
    return (struct spec){ .tenant = id_of(1, id % TENANTS),
                          .id = id_of(2, id),
                          .no = id + 1,
                          .version = 1,
                          .edges = { true, enter, clear },
                          .enabled = true,
                          .name = "n",
                          .text = "t" };
}

static void put(struct rule_set *r, struct spec s, int64_t now)
{
    assert_int_equal(put_one(r, &s, now), ERR_OK);
}

static void a_rule_lives(void **state)
{
    (void)state;
    struct rule_set *r;
    struct rule_facts f;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    struct spec s = above(0, 100, 98);
    s.cooldown_ns = 10;
    put(r, s, 0);
    assert_true(rule_set_find(r, s.tenant, s.id, &f));
    assert_string_equal(text_of(f), "stale"); /* nothing usable yet */
    static const struct {
        int64_t at, value;
        size_t fires;
        const char *state;
    } rows[] = {
        { 0, 99, 0, "ok" },      { 1, 100, 1, "firing" },  { 2, 99, 1, "firing" },
        { 3, 101, 1, "firing" }, { 4, 97, 2, "ok" },       { 5, 100, 2, "pending" },
        { 6, 99, 2, "ok" },      { 7, 100, 2, "pending" }, { 11, 100, 3, "firing" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        rule_set_time(r, rows[i].at, NULL, on_fire, NULL);
        move(r, 0, rows[i].value, rows[i].at);
        assert_true(rule_set_find(r, s.tenant, s.id, &f));
        if (got.n != rows[i].fires || strcmp(text_of(f), rows[i].state) != 0)
            fail_msg("row %zu: %zu fires, %s", i, got.n, text_of(f));
    }
    rule_set_free(r);
}

static void rules_are_counted_by_tenant(void **state)
{
    (void)state;
    struct rule_set *r, *again;
    struct why why;
    size_t used;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    for (unsigned i = 0; i < 4 * TENANTS; i++) put(r, above(i, 10, 5), 0);
    put(r, above(TENANTS, 11, 5), 0); /* a change */
    struct spec gone = above(0, 10, 5);
    assert_int_equal(rule_set_delete(r, gone.tenant, gone.id, 0, on_fire, NULL, &change), ERR_OK);
    assert_int_equal(rule_set_count(r, id_of(1, 0)).live, 3);
    assert_int_equal(rule_set_count(r, id_of(1, 0)).made, 4);
    assert_int_equal(rule_set_count(r, id_of(1, 1)).live, 4);
    assert_int_equal(rule_set_count(r, id_of(1, TENANTS)).made, 0);
    AUTO_BUF struct buf b = { 0 };
    rule_set_save(r, &b);
    assert_int_equal(rule_set_load(b.data, b.len, &again, &used, &why), ERR_OK);
    assert_int_equal(rule_set_count(again, id_of(1, 0)).live, 3);
    assert_int_equal(rule_set_count(again, id_of(1, 0)).made, 4);
    put(again, above(0, 10, 5), 0); /* and back */
    assert_int_equal(rule_set_count(again, id_of(1, 0)).live, 4);
    assert_int_equal(rule_set_count(again, id_of(1, 0)).made, 4);
    rule_set_free(r);
    rule_set_free(again);
}

/* The same rules and values, whether all rules stood before the first value or came one by one
 * between values. */
static void order_does_not_depend_on_how_rules_came(void **state)
{
    (void)state;
    static struct log first;
    for (int way = 0; way < 3; way++) {
        struct rule_set *r;
        got.n = 0;
        assert_int_equal(rule_set_new(&r), ERR_OK);
        if (way) move(r, 0, 0, 1);
        for (unsigned i = 0; i < 50; i++) {
            put(r, above(i, 10 + i % 3, 5 + i % 3), 1);
            if (way == 2) move(r, 0, 0, 1); /* settles each by itself */
        }
        if (!way) move(r, 0, 0, 1);
        move(r, 0, 20, 2);
        move(r, 0, 0, 3);
        assert_int_equal(got.n, 100);
        for (size_t i = 0; i < got.n; i++) got.f[i].f.has_before = false; /* rules saw it, or not */
        if (!way) first = got;
        for (size_t i = 0; i < got.n; i++) assert_true(same(&got.f[i], &first.f[i]));
        rule_set_free(r);
    }
}

/* At the ends of sessions alone: moves are nothing to it, a hold and a cooldown that have run out are seen at the next end, and
 * so is what a change means. */
static void a_rule_at_close_looks_at_session_ends(void **state)
{
    (void)state;
    struct rule_set *r;
    struct rule_facts f;
    static const struct term term = { 100, 98, 3, true }, higher = { 200, 200, 3, true };
    struct rule_spec s = { .tenant = id_of(1, 0),
                           .id = id_of(2, 0),
                           .no = 1,
                           .version = 1,
                           .terms = &term,
                           .terms_n = 1,
                           .clocks = { .hold_ns = 10, .cooldown_ns = 40 },
                           .at = AT_CLOSE,
                           .enabled = true,
                           .name = "n",
                           .text = "t" };
    static const struct {
        int64_t at, moves, closes; /* 0: it does not */
        size_t fires;
        const char *state;
    } rows
        [] = {
            { 1, 120, 0, 0, "waiting" }, /* no session has ended yet */
            { 2, 120, 101, 0, "pending" },
            { 13, 90, 0, 0, "pending" },  /* due at 12, and nobody looks */
            { 14, 90, 102, 1, "firing" }, /* fires at 14, quiet until 54 */
            { 15, 90, 0, 1, "firing" },
            { 20, 120, 97, 2, "ok" },
            { 30, 90, 105, 2, "pending" },
            { 60, 90, 105, 3, "firing" }, /* the cooldown is over */
        };
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    assert_int_equal(rule_set_put(r, &s, 0, on_fire, NULL, &change, NULL), ERR_OK);
    assert_int_equal(change.of[0].asked, 1);
    assert_int_equal(change.of[0].watched, 0); /* its moves are nothing to anybody */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        named_n = 0;
        rule_set_due(r, rows[i].at, name_due, NULL);
        assert_int_equal(named_n, 0);
        rule_set_time(r, rows[i].at, stood, on_fire, NULL);
        rule_set_move(r, 3, rows[i].moves, rows[i].at);
        if (rows[i].closes) rule_set_close(r, 3, rows[i].closes, rows[i].at);
        rule_set_decide(r, rows[i].at, on_fire, NULL);
        assert_true(rule_set_find(r, s.tenant, s.id, &f));
        if (got.n != rows[i].fires || strcmp(text_of(f), rows[i].state) != 0)
            fail_msg("row %zu: %zu fires, %s", i, got.n, text_of(f));
        r = reloaded(r);
    }
    assert_int_equal(got.f[0].f.at_ns, 14);
    assert_int_equal(got.f[0].f.since_ns, 2);
    assert_int_equal(got.f[0].f.key, 102);
    assert_int_equal(got.f[0].f.before, 101);
    assert_int_equal(got.f[0].f.at, AT_CLOSE);
    s.version = 2;
    s.terms = &higher;
    assert_int_equal(rule_set_put(r, &s, 61, on_fire, NULL, &change, NULL), ERR_OK);
    assert_int_equal(got.n, 3); /* whether it goes on is seen when the session ends */
    rule_set_close(r, 3, 105, 70);
    rule_set_decide(r, 70, on_fire, NULL);
    assert_int_equal(got.n, 4);
    assert_int_equal(got.f[3].f.reason, ALERT_CHANGED);
    s.version = 3; /* from now on it looks at each move, and so begins anew */
    s.at = AT_TRADE;
    s.clocks = (struct rule_clocks){ 0 };
    rule_set_move(r, 3, 250, 80);
    assert_int_equal(rule_set_put(r, &s, 81, on_fire, NULL, &change, NULL), ERR_OK);
    assert_int_equal(change.of[0].asked, 0);
    assert_int_equal(change.of[0].watched, 1);
    move(r, 3, 250, 110);
    assert_int_equal(got.n, 5);
    rule_set_close(r, 3, 0, 120);
    rule_set_decide(r, 120, on_fire, NULL);
    assert_int_equal(got.n, 5);
    rule_set_free(r);
}

/* Event time may stand near the end of its range: a hold does not wrap round to the past. */
static void the_end_of_time_does_not_wrap(void **state)
{
    (void)state;
    struct rule_set *r;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    struct spec s = above(0, 100, 100);
    s.hold_ns = 1000;
    s.cooldown_ns = 1000;
    put(r, s, INT64_MAX - 5);
    move(r, 0, 100, INT64_MAX - 5);
    assert_int_equal(got.n, 0);
    s = above(1, 100, 100);
    s.cooldown_ns = 1000;
    put(r, s, INT64_MAX - 5);
    assert_int_equal(got.n, 1);
    move(r, 0, 99, INT64_MAX - 4);
    move(r, 0, 100, INT64_MAX - 3);
    assert_int_equal(got.n, 2); /* fired, resolved, and now quiet */
    rule_set_free(r);
}

static size_t in_use(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
} /* 0 where the allocator does not say */

/* It holds for 3 of session from 9 on, open at 9, 10, 16: due at 17. By another calendar, open at 9, 10, 11, it is due at 12: one
 * that comes at 15 has it due then, and not before. */
static void a_calendar_comes_while_a_hold_runs(void **state)
{
    (void)state;
    static const struct {
        int64_t opens, then_opens, comes, due;
    } rows[] = { { 0, 0, 10, 17 }, { 0, 7, 10, 12 }, { 0, 7, 15, 15 }, { 7, 0, 10, 17 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rule_set *r;
        got.n = 0;
        opens_at = rows[i].opens;
        assert_int_equal(rule_set_new(&r), ERR_OK);
        rule_set_session_time(r, held_until, &opens_at);
        struct spec s = above(0, 100, 98);
        s.hold_ns = 3;
        s.hold_in = HOLD_SESSION;
        put(r, s, 0);
        move(r, 0, 100, 9);
        opens_at = rows[i].then_opens;
        rule_set_sessions_changed(r, rows[i].comes);
        for (int64_t now = rows[i].comes; now < rows[i].due; now++)
            rule_set_time(r, now, NULL, on_fire, NULL);
        assert_int_equal(got.n, 0);
        r = reloaded(r);
        rule_set_time(r, rows[i].due, NULL, on_fire, NULL);
        assert_int_equal(got.n, 1);
        rule_set_free(r);
    }
    opens_at = 0;
}

/* A rule put again and again, or going in and out of its condition all day, does not make the
 * state grow without end. */
static void nothing_grows_without_end(void **state)
{
    (void)state;
    struct rule_set *r;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    struct spec s = above(0, 100, 98);
    s.hold_ns = INT64_C(86400000000000);
    put(r, s, 0);
    move(r, 0, 1, 0);
    size_t before = in_use();
    for (int64_t i = 1; i <= 200000; i++) {
        rule_set_time(r, i, NULL, on_fire, NULL);
        move(r, 0, i % 2 ? 100 : 97, i);
    }
    size_t timers = in_use() - before;
    for (int i = 2; i < 20000; i++) {
        s.version = i;
        put(r, s, 200000);
        move(r, 0, 50 + i % 2, 200000);
    }
    size_t puts = in_use() - before - timers;
    if (before && (timers > 100000 || puts > 200000))
        fail_msg("%zu bytes of timers, %zu bytes of versions", timers, puts);
    assert_int_equal(got.n, 0);
    AUTO_BUF struct buf b = { 0 };
    rule_set_save(r, &b);
    assert_true(b.len < 20000);
    rule_set_free(r);
}

/* A rule whose levels change with every version leaves none of the old ones behind. */
static void levels_left_behind_go(void **state)
{
    (void)state;
    struct rule_set *r;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    struct spec other = above(1, 900000000, 900000000), s = above(0, 0, 0);
    put(r, other, 0);
    move(r, 0, 1, 0);
    size_t before = in_use();
    for (int64_t i = 0; i < 20000; i++) { /* each version has levels of its own */
        s.edges.enter = s.edges.clear = 1000 + i;
        put(r, s, 0);
        if (i % 10 == 0) move(r, 0, 1 + i % 3, 0);
    }
    if (before && in_use() - before > 200000) fail_msg("%zu bytes of levels", in_use() - before);
    rule_set_free(r);
}

/* Twenty rules go from series to series, each of which has a disabled rule of its own: only the last has their levels. */
static void a_series_that_rules_have_left_keeps_nothing(void **state)
{
    (void)state;
    struct rule_set *r;
    size_t before = 0;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    for (uint32_t series = 0; series < 300; series++) {
        struct spec off = above(100 + series, 500, 500);
        off.series = series;
        off.enabled = false;
        put(r, off, 0);
    }
    r = reloaded(r);
    for (uint32_t series = 0; series < 300; series++) {
        for (unsigned i = 0; i < 20; i++) {
            struct spec s = above(i, 1000 + i, 1000 + i);
            s.series = series;
            put(r, s, 0);
        }
        if (series == 10) before = in_use();
    }
    if (before && in_use() - before > 100000) fail_msg("%zu bytes", in_use() - before);
    rule_set_free(r);
}

/* A rule that is touched by a move, and changed or deleted before the decision, is what it is then. */
static void a_rule_may_go_before_the_decision(void **state)
{
    (void)state;
    struct rule_set *r;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    put(r, above(0, 10, 5), 0);
    put(r, above(1, 10, 5), 0);
    put(r, above(2, 10, 5), 0);
    move(r, 0, 0, 0);
    rule_set_move(r, 0, 20, 1);
    struct spec gone = above(0, 10, 5), later = above(1, 30, 5);
    assert_int_equal(rule_set_delete(r, gone.tenant, gone.id, 1, on_fire, NULL, &change), ERR_OK);
    put(r, later, 1);
    rule_set_decide(r, 1, on_fire, NULL);
    assert_int_equal(got.n, 1);
    assert_int_equal(got.f[0].f.rule.b[2], 2);
    /* touched more often than there is room for: each is looked at once */
    for (int i = 0; i < 1000; i++) rule_set_move(r, 0, i % 2 ? 20 : 0, 2);
    rule_set_decide(r, 2, on_fire, NULL);
    assert_int_equal(got.n, 1); /* it stands where it stood */
    for (int i = 0; i < 1001; i++) rule_set_move(r, 0, i % 2 ? 40 : 0, 3);
    rule_set_decide(r, 3, on_fire, NULL);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.f[1].f.state, ALERT_RESOLVED);
    rule_set_free(r);
}

/* Series 1 moves once, series 0 again and again: what series 1 has touched is not forgotten over it. */
static void touches_are_not_forgotten(void **state)
{
    (void)state;
    struct rule_set *r;
    got.n = 0;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    for (unsigned i = 0; i < 8; i++) {
        struct spec s = above(i, 10, 5);
        s.series = i == 0;
        put(r, s, 0);
    }
    move(r, 0, 0, 0);
    move(r, 1, 0, 0);
    rule_set_move(r, 1, 20, 1);
    for (int i = 0; i < 101; i++) rule_set_move(r, 0, i % 2 ? 0 : 20, 1);
    rule_set_decide(r, 1, on_fire, NULL);
    assert_int_equal(got.n, 8);
    assert_int_equal(got.f[0].f.series, 1);
    rule_set_free(r);
}

static void a_torn_state_is_refused(void **state)
{
    (void)state;
    struct rule_set *r, *again;
    struct why why;
    size_t used;
    assert_int_equal(rule_set_new(&r), ERR_OK);
    for (unsigned i = 0; i < 5; i++) put(r, above(i, 10, 5), 0);
    AUTO_BUF struct buf b = { 0 };
    rule_set_save(r, &b);
    for (size_t n = 0; n < b.len; n++) {
        char *part = malloc(n ? n : 1);
        assert_non_null(part);
        memcpy(part, b.data, n);
        assert_int_equal(rule_set_load(part, n, &again, &used, &why), ERR_INVALID);
        free(part);
    }
    b.data[3] ^= 1;
    assert_int_equal(rule_set_load(b.data, b.len, &again, &used, &why), ERR_INVALID);
    rule_set_free(r);
    rule_set_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_agrees_with_the_slow_evaluator),
        cmocka_unit_test(a_rule_lives),
        cmocka_unit_test(order_does_not_depend_on_how_rules_came),
        cmocka_unit_test(the_end_of_time_does_not_wrap),
        cmocka_unit_test(a_rule_at_close_looks_at_session_ends),
        cmocka_unit_test(a_calendar_comes_while_a_hold_runs),
        cmocka_unit_test(nothing_grows_without_end),
        cmocka_unit_test(levels_left_behind_go),
        cmocka_unit_test(a_series_that_rules_have_left_keeps_nothing),
        cmocka_unit_test(a_rule_may_go_before_the_decision),
        cmocka_unit_test(touches_are_not_forgotten),
        cmocka_unit_test(a_torn_state_is_refused),
        cmocka_unit_test(rules_are_counted_by_tenant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
