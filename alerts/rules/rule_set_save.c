/* rule_set_save.c - two rules as they are saved. Rule 0, "hot", is last(A) >= 100 on series 4;
 * rule 1 has been deleted:
 *
 *     rule         no 7  version 1  live  phase firing ... terms_n 1
 *                  no 9  version 2  not live           ... terms_n 0
 *     rule_term    series 4  enter 10000000000  clear 10000000000  above
 *     rule_series  0 0 0 0 (not known), 10100000000 usable, before it 9900000000
 *     rule_words   "hot\0last(A) >= 100\0"
 *
 * A live rule takes the next terms_n terms and the next two texts. What is read is believed
 * only where it fits together: a series, tenant or text that is not there is refused, and
 * named. */
#include "alerts/rules/rule_set_save.h"

#include "alerts/rules/rule_set.h"
#include "alerts/rules/rule_set_inside.h"
#include "core/vec.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

struct saved_rule {
    struct uuid tenant, id;
    uint64_t no;
    int32_t version;
    enum severity severity;
    enum rule_at at;
    bool live, enabled, wait, dark, overdue;
    uint32_t terms_n, need;
    int64_t hold_ns, cooldown_ns;
    enum rule_hold hold_in;
    enum rule_phase phase;
    int64_t due_ns, quiet_until_ns, since_ns;
    uint64_t episode;
    int64_t said_ns;
};

struct saved_series {
    int64_t last, before, at_ns;
    bool has_value, usable, has_before, unwatched, recheck;
};

struct saved_words {
    char line[64]; /* a part's rows have one length, and one copy of 64 bytes costs as one of 1 */
};

#define SAVED(kind, field) STATE_FIELD(kind, struct saved_rule, field)
static const struct state_field rule_fields[] = {
    SAVED(BYTE, tenant),
    SAVED(BYTE, id),
    SAVED(U64, no),
    SAVED(I32, version),
    STATE_ENUM_FIELD(struct saved_rule, severity, severity),
    SAVED(BOOL, live),
    SAVED(BOOL, enabled),
    SAVED(BOOL, wait),
    SAVED(BOOL, dark),
    SAVED(U32, terms_n),
    SAVED(U32, need),
    SAVED(I64, hold_ns),
    SAVED(I64, cooldown_ns),
    STATE_ENUM_FIELD(struct saved_rule, phase, rule_phase),
    SAVED(I64, due_ns),
    SAVED(I64, quiet_until_ns),
    SAVED(I64, since_ns),
    SAVED(U64, episode),
    SAVED(I64, said_ns),
    SAVED(BOOL, overdue),
    STATE_ENUM_FIELD(struct saved_rule, at, rule_at),
    STATE_ENUM_FIELD(struct saved_rule, hold_in, rule_hold),
};
#undef SAVED

static const struct state_field term_fields[] = {
    STATE_FIELD(I64, struct term, enter),
    STATE_FIELD(I64, struct term, clear),
    STATE_FIELD(U32, struct term, series),
    STATE_FIELD(BOOL, struct term, above),
};

static const struct state_field series_fields[] = {
    STATE_FIELD(I64, struct saved_series, last),
    STATE_FIELD(BOOL, struct saved_series, has_value),
    STATE_FIELD(BOOL, struct saved_series, usable),
    STATE_FIELD(I64, struct saved_series, before),
    STATE_FIELD(BOOL, struct saved_series, has_before),
    STATE_FIELD(BOOL, struct saved_series, unwatched),
    STATE_FIELD(I64, struct saved_series, at_ns),
    STATE_FIELD(BOOL, struct saved_series, recheck),
};

static const struct state_field tenant_fields[] = {
    STATE_FIELD(BYTE, struct tenant, id),
    STATE_FIELD(U64, struct tenant, stream_no),
};

static const struct state_field words_fields[] = {
    STATE_FIELD(BYTE, struct saved_words, line),
};

#define PART(name, type, fields) { name, sizeof(struct type), fields, ARRAY_LEN(fields) }
const struct state_part rule_set_parts[PART_COUNT] = {
    [PART_RULES] = PART("rule", saved_rule, rule_fields),
    [PART_TERMS] = PART("rule_term", term, term_fields),
    [PART_SERIES] = PART("rule_series", saved_series, series_fields),
    [PART_TENANTS] = PART("rule_tenant", tenant, tenant_fields),
    [PART_WORDS] = PART("rule_words", saved_words, words_fields),
    [PART_CLOSES] = PART("rule_close", saved_series, series_fields),
};
#undef PART

/* ---- saving ---- */
static struct saved_rule rule_to_save(const struct rule *u)
{
    return (struct saved_rule){ .tenant = u->tenant,
                                .id = u->id,
                                .no = u->no,
                                .version = u->version,
                                .severity = u->severity,
                                .live = u->live,
                                .enabled = u->enabled,
                                .wait = u->clocks.wait,
                                .dark = u->state.dark,
                                .terms_n = u->terms_n,
                                .need = u->need,
                                .hold_ns = u->clocks.hold_ns,
                                .hold_in = u->clocks.hold_in,
                                .cooldown_ns = u->clocks.cooldown_ns,
                                .phase = u->state.phase,
                                .due_ns = u->state.due_ns,
                                .quiet_until_ns = u->state.quiet_until_ns,
                                .since_ns = u->state.since_ns,
                                .episode = u->episode,
                                .said_ns = u->said_ns,
                                .overdue = u->state.overdue,
                                .at = u->at };
}

static void save_series(const struct ladders *s, const struct state_part *part,
                        struct state_writer *w, struct buf *rows)
{
    buf_clear(rows);
    for (size_t i = 0; i < s->n; i++) {
        const struct ladder *l = &s->of[i];
        const struct saved_series row = { .last = l->last,
                                          .before = l->before,
                                          .at_ns = l->at_ns,
                                          .has_value = l->has_value,
                                          .usable = l->usable,
                                          .has_before = l->has_before,
                                          .unwatched = l->unwatched,
                                          .recheck = l->recheck };
        buf_put(rows, &row, sizeof row);
    }
    state_put(w, part, rows->data, s->n);
}

static void save(const struct rule_set *s, struct state_writer *w)
{
    AUTO_BUF struct buf rules = { 0 }, terms = { 0 }, words = { 0 };
    for (size_t i = 0; i < s->rules_n; i++) {
        const struct rule *u = &s->rules[i];
        const struct saved_rule r = rule_to_save(u);
        buf_put(&rules, &r, sizeof r);
        if (!u->live) continue;
        buf_put(&terms, u->terms, u->terms_n * sizeof *u->terms);
        buf_put(&words, u->name, strlen(u->name) + 1);
        buf_put(&words, u->text, strlen(u->text) + 1);
    }
    static const char blank[sizeof(struct saved_words)];
    buf_put(&words, blank, sizeof blank - words.len % sizeof blank); /* and so ends with a NUL */
    state_put(w, &rule_set_parts[PART_RULES], rules.data, s->rules_n);
    state_put(w, &rule_set_parts[PART_TERMS], terms.data, terms.len / sizeof(struct term));
    save_series(&s->ladders[AT_TRADE], &rule_set_parts[PART_SERIES], w, &rules);
    save_series(&s->ladders[AT_CLOSE], &rule_set_parts[PART_CLOSES], w, &rules);
    state_put(w, &rule_set_parts[PART_TENANTS], s->tenants, s->tenants_n);
    state_put(w, &rule_set_parts[PART_WORDS], words.data, words.len / sizeof blank);
    state_write_end(w);
    if (!buf_ok(&rules) || !buf_ok(&terms) || !buf_ok(&words)) w->out->failed = true;
}

void rule_set_save(const struct rule_set *s, struct buf *out)
{
    struct state_writer w = state_write(out);
    save(s, &w);
}

void rule_set_image(struct rule_set *s, struct state_image *out)
{
    struct state_writer w = state_write_image(out);
    save(s, &w);
}

/* ---- loading ---- */
struct saved {
    struct saved_rule *rules;
    struct term *terms;
    struct saved_series *series[RULE_AT_COUNT];
    struct tenant *tenants;
    char *words;
    size_t n[PART_COUNT];      /* rows; of PART_WORDS lines */
    size_t terms_at, words_at; /* what the rules so far have taken */
};

static void saved_release(struct saved *v)
{
    free(v->rules);
    free(v->terms);
    for (int at = 0; at < RULE_AT_COUNT; at++) free(v->series[at]);
    free(v->tenants);
    free(v->words);
}

static enum err saved_read(struct state_reader *r, struct saved *v, struct why *why)
{
    void **const into[PART_COUNT] = {
        [PART_RULES] = (void **)&v->rules,
        [PART_TERMS] = (void **)&v->terms,
        [PART_SERIES] = (void **)&v->series[AT_TRADE],
        [PART_TENANTS] = (void **)&v->tenants,
        [PART_WORDS] = (void **)&v->words,
        [PART_CLOSES] = (void **)&v->series[AT_CLOSE],
    };
    enum err e = ERR_OK;
    for (size_t i = 0, cap; i < PART_COUNT && !e; i++)
        e = state_get(r, &rule_set_parts[i], into[i], &v->n[i], &cap, why);
    return e ? e : state_close(r, why);
}

/* The next text; NULL: there is none. */
static const char *next_words(struct saved *v)
{
    const size_t all = v->n[PART_WORDS] * sizeof(struct saved_words);
    const char *at = v->words + v->words_at;
    if (v->words_at >= all || !memchr(at, 0, all - v->words_at)) return NULL;
    v->words_at += strlen(at) + 1;
    return at;
}

static const int part_of[RULE_AT_COUNT] = { [AT_TRADE] = PART_SERIES, [AT_CLOSE] = PART_CLOSES };

/* NULL, or what is wrong with saved rule `r`. */
static const char *rule_fault(const struct rule_set *s, const struct saved *v,
                              const struct saved_rule *r)
{
    if (r->live != (r->terms_n > 0) || r->terms_n > RULE_TERMS_MAX || r->need > r->terms_n)
        return "has a wrong number of terms";
    if (r->terms_n > v->n[PART_TERMS] - v->terms_at) return "has lost its terms";
    for (uint32_t i = 0; i < r->terms_n; i++)
        if (v->terms[v->terms_at + i].series >= v->n[part_of[r->at]])
            return "is about a series that is none";
    if (tenant_number(s, r->tenant) == MAP_NONE) return "is of a tenant that is none";
    if (rule_number(s, r->tenant, r->id) != MAP_NONE) return "is there twice";
    return NULL;
}

/* What follows from a live rule: its place on the ladders, its timer, what its tenant sees. Until
 * MEANING_SECOND a pending rule that came due in the dark gets a timer too, whose look finds it in
 * the dark again. */
static enum err load_live(struct rule_set *s, uint32_t rule)
{
    const struct rule *u = &s->rules[rule];
    s->live_n++;
    s->tenants[u->owner].count.live++;
    for (uint32_t i = 0; i < u->terms_n; i++) {
        const uint32_t series = u->terms[i].series;
        if (!ladder_room(&s->ladders[u->at], series, 2 * (size_t)u->terms_n)
            || !sights_reserve(&s->sights, u->owner, series))
            return ERR_NOMEM;
        sights_change(&s->sights, u->owner, series, 1);
    }
    if (u->enabled) rule_join(s, rule);
    if (u->state.phase == RULE_PENDING && !u->state.overdue) rule_want_timer(s, rule);
    return ERR_OK;
}

static struct rule rule_from_saved(const struct saved_rule *r, uint32_t owner)
{
    return (struct rule){ .tenant = r->tenant,
                          .id = r->id,
                          .owner = owner,
                          .no = r->no,
                          .version = r->version,
                          .severity = r->severity,
                          .live = r->live,
                          .enabled = r->enabled,
                          .at = r->at,
                          .need = r->need,
                          .episode = r->episode,
                          .said_ns = r->said_ns,
                          .clocks = { r->hold_ns, r->cooldown_ns, r->wait, r->hold_in },
                          .state = { r->phase, r->dark, r->overdue, r->due_ns, r->quiet_until_ns,
                                     r->since_ns } };
}

/* Takes the rule's terms and texts. *fault: what is wrong with it, when that is what is wrong. */
static enum err load_rule(struct rule_set *s, struct saved *v, const struct saved_rule *r,
                          const char **fault)
{
    *fault = rule_fault(s, v, r);
    if (*fault) return ERR_INVALID;
    const uint32_t at = (uint32_t)s->rules_n, owner = tenant_number(s, r->tenant);
    if (!map_add(&s->by_id, map_hash(r->id.b, 16), at)) return ERR_NOMEM;
    struct rule *u = &s->rules[s->rules_n++];
    *u = rule_from_saved(r, owner);
    s->tenants[owner].count.made++;
    if (!u->live) return ERR_OK;
    const char *name = next_words(v), *text = next_words(v);
    if (!text) {
        *fault = "has lost its texts";
        return ERR_INVALID;
    }
    if (!rule_keep(u, v->terms + v->terms_at, r->terms_n, name, text)) return ERR_NOMEM;
    v->terms_at += r->terms_n;
    return load_live(s, at);
}

static enum err load_tenants(struct rule_set *s, const struct saved *v, struct why *why)
{
    for (size_t i = 0; i < v->n[PART_TENANTS]; i++) {
        if (tenant_number(s, v->tenants[i].id) != MAP_NONE)
            return err_set(why, ERR_INVALID, "saved rules: tenant %zu is there twice", i);
        const uint32_t at = tenant_keep(s, v->tenants[i].id);
        if (at == MAP_NONE) return err_set(why, ERR_NOMEM, "out of memory");
        s->tenants[at].stream_no = v->tenants[i].stream_no;
    }
    return ERR_OK;
}

static enum err load_series(struct ladders *s, const struct saved_series *rows, size_t n)
{
    if (n && !ladder_room(s, (uint32_t)n - 1, 0)) return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct ladder *l = &s->of[i];
        l->last = rows[i].last;
        l->usable = rows[i].usable;
        l->has_value = rows[i].has_value || l->usable;
        l->before = rows[i].before;
        l->has_before = rows[i].has_before;
        l->unwatched = rows[i].unwatched;
        l->at_ns = rows[i].at_ns;
        l->recheck = rows[i].recheck;
    }
    return ERR_OK;
}

static enum err load_all(struct rule_set *s, struct saved *v, struct why *why)
{
    enum err e = load_tenants(s, v, why);
    if (e) return e;
    for (int at = 0; at < RULE_AT_COUNT && !e; at++)
        e = load_series(&s->ladders[at], v->series[at], v->n[part_of[at]]);
    if (!e && !rule_set_room(s, v->n[PART_RULES] + 1)) e = ERR_NOMEM;
    for (size_t i = 0; i < v->n[PART_RULES] && !e; i++) {
        const char *fault;
        e = load_rule(s, v, &v->rules[i], &fault);
        if (fault) return err_set(why, e, "saved rules: rule %zu %s", i, fault);
    }
    return e ? err_set(why, e, "out of memory") : ERR_OK;
}

enum err rule_set_load(const void *p, size_t n, struct rule_set **out, size_t *used,
                       struct why *why)
{
    struct state_reader reader;
    struct saved saved = { 0 };
    struct rule_set *s = NULL;
    enum err e = state_open(p, n, &reader, why);
    if (e) return e;
    e = saved_read(&reader, &saved, why);
    if (!e) e = rule_set_new(&s);
    if (!e) e = load_all(s, &saved, why);
    saved_release(&saved);
    if (e) {
        rule_set_free(s);
        return e;
    }
    *used = reader.used;
    *out = s;
    return ERR_OK;
}
