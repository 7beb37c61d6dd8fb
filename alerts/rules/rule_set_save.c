/* rule_set_save.c - two rules as they are saved. Rule 0, "hot", is last(A) >= 100 on series 4;
 * rule 1 has been deleted:
 *
 *     rule         no 7  version 1  live      ... terms_n 1
 *                  no 9  version 2  not live  ... terms_n 0
 *     rule_term    series 4  enter 10000000000  clear 10000000000  above
 *     rule_state   phase ok ...
 *                  phase new ...
 *     rule_recent  rule 0  phase firing ...
 *     rule_series  0 0 0 0 (not known), 10100000000 usable, before it 9900000000
 *     rule_text    "hot\0last(A) >= 100\0"
 *
 * A live rule takes the next terms_n terms and the next two texts. What is read is believed
 * only where it fits together: a series, tenant or text that is not there is refused, and
 * named.
 *
 * What rules are changes seldom, and where they stand often, a few of them everywhere: of a million
 * rules on 5,000 symbols ten thousand move between two images, some in each page. So an image
 *
 *     rule, rule_term, rule_text   has a page for every RULES_A_PAGE rules, and those are left out
 *                                  in which no rule was put, changed or deleted
 *     rule_state                   likewise; its pages stay though their rules move on
 *     rule_recent                  says where these stand: it wins over rule_state
 *
 * Once an eighth of all rules stand in rule_recent, pages of rule_state are written anew, round and
 * round, as many as have to be. */
#include "alerts/rules/rule_set_save.h"

#include "alerts/rules/rule_set.h"
#include "alerts/rules/rule_set_inside.h"
#include "core/state_marks.h"
#include "core/vec.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct saved_state {
    enum rule_phase phase;
    bool dark, overdue;
    int64_t due_ns, quiet_until_ns, since_ns;
    uint64_t episode;
    int64_t said_ns;
};

struct saved_rule {
    struct uuid tenant, id;
    uint64_t no;
    int32_t version;
    enum severity severity;
    enum rule_at at;
    bool live, enabled, wait;
    uint32_t terms_n, need;
    int64_t hold_ns, cooldown_ns;
    enum rule_hold hold_in;
    struct saved_state state; /* read, where there is no rule_state; never written */
};

struct saved_recent {
    uint32_t rule;
    struct saved_state state;
};

struct saved_series {
    int64_t last, before, at_ns;
    bool has_value, usable, has_before, unwatched, recheck;
};

struct saved_byte {
    char byte;
};
struct saved_words { /* of state version 1 */
    char line[64];
};

#define SAVED(kind, field) STATE_FIELD(kind, struct saved_rule, field)
/* A state's field lies in `type` at `in`, and is called the same wherever that is. */
#define MOVES(kind, row, in, field)                                                                \
    { .name = #field,                                                                              \
      .type = STATE_##kind,                                                                        \
      .offset = offsetof(row, in) + offsetof(struct saved_state, field),                           \
      .count = 1 }
#define PHASE_OF(row, in)                                                                          \
    { .name = "phase",                                                                             \
      .type = STATE_ENUM,                                                                          \
      .offset = offsetof(row, in) + offsetof(struct saved_state, phase),                           \
      .count = 1,                                                                                  \
      .names = &rule_phase_names }
#define STATE_OF(row, in)                                                                          \
    PHASE_OF(row, in), MOVES(BOOL, row, in, dark), MOVES(BOOL, row, in, overdue),                  \
        MOVES(I64, row, in, due_ns), MOVES(I64, row, in, quiet_until_ns),                          \
        MOVES(I64, row, in, since_ns), MOVES(U64, row, in, episode), MOVES(I64, row, in, said_ns)

static const struct state_field rule_fields[] = {
    SAVED(BYTE, tenant),
    SAVED(BYTE, id),
    SAVED(U64, no),
    SAVED(I32, version),
    STATE_ENUM_FIELD(struct saved_rule, severity, severity),
    STATE_ENUM_FIELD(struct saved_rule, at, rule_at),
    SAVED(BOOL, live),
    SAVED(BOOL, enabled),
    SAVED(BOOL, wait),
    SAVED(U32, terms_n),
    SAVED(U32, need),
    SAVED(I64, hold_ns),
    SAVED(I64, cooldown_ns),
    STATE_ENUM_FIELD(struct saved_rule, hold_in, rule_hold),
    STATE_OF(struct saved_rule, state), /* these last: definition_part is without them */
};
#undef SAVED
enum { DEFINITION_FIELDS = 14 };

struct saved_state_row { /* a state in a row of its own */
    struct saved_state state;
};
static const struct state_field state_fields[] = { STATE_OF(struct saved_state_row, state) };
static const struct state_field recent_fields[] = {
    STATE_FIELD(U32, struct saved_recent, rule),
    STATE_OF(struct saved_recent, state),
};
#undef STATE_OF
#undef PHASE_OF
#undef MOVES

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

static const struct state_field byte_fields[] = {
    STATE_FIELD(BYTE, struct saved_byte, byte),
};
static const struct state_field words_fields[] = {
    STATE_FIELD(BYTE, struct saved_words, line),
};

#define PART(name, type, fields) { name, sizeof(struct type), fields, ARRAY_LEN(fields) }
const struct state_part rule_set_parts[PART_COUNT] = {
    [PART_RULES] = PART("rule", saved_rule, rule_fields),
    [PART_TERMS] = PART("rule_term", term, term_fields),
    [PART_STATES] = PART("rule_state", saved_state_row, state_fields),
    [PART_RECENT] = PART("rule_recent", saved_recent, recent_fields),
    [PART_SERIES] = PART("rule_series", saved_series, series_fields),
    [PART_TENANTS] = PART("rule_tenant", tenant, tenant_fields),
    [PART_WORDS] = PART("rule_text", saved_byte, byte_fields),
    [PART_CLOSES] = PART("rule_close", saved_series, series_fields),
};
static const struct state_part old_words_part = PART("rule_words", saved_words, words_fields);
#undef PART
static const struct state_part definition_part = { "rule", sizeof(struct saved_rule), rule_fields,
                                                   DEFINITION_FIELDS };

/* ---- marks ---- */
bool rule_marks_room(struct rule_marks *k, size_t rules)
{
    const size_t pages_had = k->pages_cap, pages = rules / RULES_A_PAGE + 1;
    if (rules <= k->rules_cap) return true;
    bool *moved = realloc(k->moved, rules * sizeof *moved);
    if (!moved) return false;
    k->moved = moved;
    if (STATE_WITNESS) {
        uint64_t *sums = realloc(k->sums, rules * sizeof *sums);
        if (!sums) return false;
        k->sums = sums;
        memset(k->sums + k->rules_cap, 0, (rules - k->rules_cap) * sizeof *k->sums);
    }
    if (!VEC_GROW(&k->pages, &k->pages_cap, pages)) return false;
    memset(k->pages + pages_had, 0, (k->pages_cap - pages_had) * sizeof *k->pages);
    memset(k->moved + k->rules_cap, 0, (rules - k->rules_cap) * sizeof *k->moved);
    k->rules_cap = rules;
    return true;
}

void rule_marks_release(struct rule_marks *k)
{
    free(k->pages);
    free(k->moved);
    free(k->sums);
}

/* ---- saving ---- */
/* Padding is zero: STATE_WITNESS looks at whole structs. */
static void rule_to_save(const struct rule *u, struct saved_rule *out)
{
    memset(out, 0, sizeof *out);
    out->tenant = u->tenant;
    out->id = u->id;
    out->no = u->no;
    out->version = u->version;
    out->severity = u->severity;
    out->at = u->at;
    out->live = u->live;
    out->enabled = u->enabled;
    out->wait = u->clocks.wait;
    out->terms_n = u->terms_n;
    out->need = u->need;
    out->hold_ns = u->clocks.hold_ns;
    out->cooldown_ns = u->clocks.cooldown_ns;
    out->hold_in = u->clocks.hold_in;
}

static void state_to_save(const struct rule *u, struct saved_state *out)
{
    memset(out, 0, sizeof *out);
    out->phase = u->state.phase;
    out->dark = u->state.dark;
    out->overdue = u->state.overdue;
    out->due_ns = u->state.due_ns;
    out->quiet_until_ns = u->state.quiet_until_ns;
    out->since_ns = u->state.since_ns;
    out->episode = u->episode;
    out->said_ns = u->said_ns;
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

/* A page's rules, terms and texts. */
struct definitions {
    struct buf rules, terms, texts;
};

static void gather(const struct rule_set *s, size_t from, size_t to, struct definitions *out)
{
    buf_clear(&out->rules);
    buf_clear(&out->terms);
    buf_clear(&out->texts);
    for (size_t i = from; i < to; i++) {
        const struct rule *u = &s->rules[i];
        struct saved_rule r;
        rule_to_save(u, &r);
        buf_put(&out->rules, &r, sizeof r);
        if (!u->live) continue;
        buf_put(&out->terms, u->terms, u->terms_n * sizeof *u->terms);
        buf_put(&out->texts, u->name, strlen(u->name) + 1);
        buf_put(&out->texts, u->text, strlen(u->text) + 1);
    }
}

/* An image of rules in hand. */
struct saving {
    const struct rule_set *s;
    struct rule_marks *k;
    struct state_writer *w;
    struct definitions d;
    size_t pages_n;
};

static size_t pages_of(const struct rule_set *s)
{
    return s->rules_n / RULES_A_PAGE + (s->rules_n % RULES_A_PAGE != 0);
}

static void definitions_release(struct definitions *d)
{
    buf_release(&d->rules);
    buf_release(&d->terms);
    buf_release(&d->texts);
}

static size_t page_end(const struct rule_set *s, size_t page)
{
    const size_t to = (page + 1) * RULES_A_PAGE;
    return to < s->rules_n ? to : s->rules_n;
}

static uint64_t definitions_sum(const struct definitions *d)
{
    const uint64_t of[] = { map_hash(d->rules.data, d->rules.len),
                            d->terms.len ? map_hash(d->terms.data, d->terms.len) : 0,
                            d->texts.len ? map_hash(d->texts.data, d->texts.len) : 0 };
    return map_hash(of, sizeof of) | 1;
}

/* How long the parts are comes first: so those pages that are written anew are gathered once to be measured, and once for each
 * part. They are few. */
static void measure(struct saving *x, size_t *terms, size_t *texts)
{
    *terms = *texts = 0;
    for (size_t i = 0; i < x->pages_n; i++) {
        struct rule_page *p = &x->k->pages[i];
        if (!p->defined || STATE_WITNESS) {
            gather(x->s, i * RULES_A_PAGE, page_end(x->s, i), &x->d);
            p->terms = (uint32_t)(x->d.terms.len / sizeof(struct term));
            p->texts = (uint32_t)x->d.texts.len;
        }
        if (STATE_WITNESS) { /* see state_marks.c */
            const uint64_t sum = definitions_sum(&x->d);
            assert(!p->defined || !p->sum || p->sum == sum);
            p->sum = sum;
        }
        *terms += p->terms;
        *texts += p->texts;
    }
}

static void save_definitions(struct saving *x, enum rule_set_part which, size_t rows)
{
    const struct state_part *part = which == PART_RULES ? &definition_part : &rule_set_parts[which];
    state_put_pages(x->w, part, rows, x->pages_n);
    for (size_t i = 0; i < x->pages_n; i++) {
        const struct rule_page *p = &x->k->pages[i];
        const size_t from = i * RULES_A_PAGE, to = page_end(x->s, i),
                     n = which == PART_RULES   ? to - from
                         : which == PART_TERMS ? p->terms
                                               : p->texts;
        if (p->defined) {
            state_put_same(x->w, n);
            continue;
        }
        gather(x->s, from, to, &x->d);
        state_put_page(x->w,
                       which == PART_RULES   ? x->d.rules.data
                       : which == PART_TERMS ? x->d.terms.data
                                             : x->d.texts.data,
                       n);
    }
}

/* Too many stand in rule_recent: pages with a sixteenth of theirs there, or more, go down to none. There are such while it is more
 * than an eighth of all. */
static void choose_pages(struct saving *x)
{
    struct rule_marks *k = x->k;
    size_t moved = k->moved_n;
    for (size_t i = 0; i < x->pages_n && moved > x->s->rules_n / 8 && !k->as_read; i++) {
        if (k->next >= x->pages_n) k->next = 0;
        struct rule_page *p = &k->pages[k->next++];
        if (p->moved * 16 < p->states) continue;
        moved -= p->moved;
        p->states = 0;
    }
    k->as_read = false;
}

static void save_state_page(struct saving *x, size_t page, size_t from, size_t to)
{
    struct rule_page *p = &x->k->pages[page];
    struct saved_state_row rows[RULES_A_PAGE];
    for (size_t i = from; i < to; i++) {
        state_to_save(&x->s->rules[i], &rows[i - from].state);
        if (x->k->moved) x->k->moved[i] = false;
        if (x->k->sums) x->k->sums[i] = map_hash(&rows[i - from], sizeof *rows) | 1;
    }
    state_put_page(x->w, rows, to - from);
    x->k->moved_n -= p->moved;
    p->moved = 0;
    p->states = (uint32_t)(to - from);
}

static void witness_states(struct saving *x, size_t from, size_t to)
{
    for (size_t i = from; i < to && x->k->sums; i++) {
        struct saved_state state;
        state_to_save(&x->s->rules[i], &state);
        const uint64_t sum = map_hash(&state, sizeof state) | 1;
        assert(x->k->moved[i] || !x->k->sums[i] || x->k->sums[i] == sum);
        if (!x->k->moved[i]) x->k->sums[i] = sum;
    }
}

static void save_states(struct saving *x)
{
    choose_pages(x);
    state_put_pages(x->w, &rule_set_parts[PART_STATES], x->s->rules_n, x->pages_n);
    for (size_t i = 0; i < x->pages_n; i++) {
        const size_t from = i * RULES_A_PAGE, to = page_end(x->s, i);
        if (x->k->pages[i].states != to - from) {
            save_state_page(x, i, from, to);
            continue;
        }
        witness_states(x, from, to);
        state_put_same(x->w, to - from);
    }
}

static void save_recent(struct saving *x)
{
    struct buf *rows = &x->d.rules;
    buf_clear(rows);
    for (size_t i = 0; i < x->pages_n && x->k->moved_n; i++)
        for (size_t r = i * RULES_A_PAGE; x->k->pages[i].moved && r < page_end(x->s, i); r++) {
            if (!x->k->moved[r]) continue;
            struct saved_recent row = { .rule = (uint32_t)r };
            state_to_save(&x->s->rules[r], &row.state);
            buf_put(rows, &row, sizeof row);
        }
    state_put(x->w, &rule_set_parts[PART_RECENT], rows->data,
              rows->len / sizeof(struct saved_recent));
}

/* What `k` says is in the image before is left out. */
static void save(const struct rule_set *s, struct rule_marks *k, struct state_writer *w)
{
    struct saving x = { .s = s, .k = k, .w = w, .pages_n = pages_of(s) };
    size_t terms, texts;
    measure(&x, &terms, &texts);
    save_definitions(&x, PART_RULES, s->rules_n);
    save_definitions(&x, PART_TERMS, terms);
    save_states(&x);
    save_recent(&x);
    save_series(&s->ladders[AT_TRADE], &rule_set_parts[PART_SERIES], w, &x.d.rules);
    save_series(&s->ladders[AT_CLOSE], &rule_set_parts[PART_CLOSES], w, &x.d.rules);
    state_put(w, &rule_set_parts[PART_TENANTS], s->tenants, s->tenants_n);
    save_definitions(&x, PART_WORDS, texts);
    state_write_end(w);
    for (size_t i = 0; i < x.pages_n; i++) k->pages[i].defined = true;
    if (!buf_ok(&x.d.rules) || !buf_ok(&x.d.terms) || !buf_ok(&x.d.texts)) w->out->failed = true;
    definitions_release(&x.d);
}

void rule_set_save(const struct rule_set *s, struct buf *out)
{
    struct state_writer w = state_write(out);
    struct rule_marks none = { .pages = calloc(s->rules_n / RULES_A_PAGE + 1,
                                               sizeof(struct rule_page)) };
    if (none.pages) save(s, &none, &w);
    else out->failed = true;
    rule_marks_release(&none);
}

void rule_set_image(struct rule_set *s, struct state_image *out)
{
    struct state_writer w = state_write_image(out);
    save(s, &s->marks, &w);
}

void rule_set_image_known(struct rule_set *s, bool known)
{
    struct saving x = { .s = s, .k = &s->marks, .pages_n = pages_of(s) };
    size_t terms, texts;
    for (size_t i = 0; i < x.pages_n; i++)
        s->marks.pages[i].defined = false, s->marks.pages[i].states = 0;
    if (!known) return;
    measure(&x, &terms, &texts);
    s->marks.as_read = true;
    for (size_t i = 0; i < x.pages_n; i++) {
        s->marks.pages[i].defined = true;
        s->marks.pages[i].states = (uint32_t)(page_end(s, i) - i * RULES_A_PAGE);
    }
    definitions_release(&x.d);
}

/* ---- loading ---- */
struct saved {
    struct saved_rule *rules;
    struct term *terms;
    struct saved_state_row *states;
    struct saved_recent *recent;
    struct saved_series *series[RULE_AT_COUNT];
    struct tenant *tenants;
    char *words;
    size_t n[PART_COUNT];      /* rows; of PART_WORDS bytes */
    size_t terms_at, words_at; /* what the rules so far have taken */
};

static void saved_release(struct saved *v)
{
    free(v->rules);
    free(v->terms);
    free(v->states);
    free(v->recent);
    for (int at = 0; at < RULE_AT_COUNT; at++) free(v->series[at]);
    free(v->tenants);
    free(v->words);
}

static enum err saved_read(struct state_reader *r, struct saved *v, struct why *why)
{
    void **const into[PART_COUNT] = {
        [PART_RULES] = (void **)&v->rules,
        [PART_TERMS] = (void **)&v->terms,
        [PART_STATES] = (void **)&v->states,
        [PART_RECENT] = (void **)&v->recent,
        [PART_SERIES] = (void **)&v->series[AT_TRADE],
        [PART_TENANTS] = (void **)&v->tenants,
        [PART_WORDS] = (void **)&v->words,
        [PART_CLOSES] = (void **)&v->series[AT_CLOSE],
    };
    enum err e = ERR_OK;
    for (size_t i = 0, cap; i < PART_COUNT && !e; i++)
        e = state_get(r, &rule_set_parts[i], into[i], &v->n[i], &cap, why);
    if (!e && !v->words) {
        size_t cap;
        e = state_get(r, &old_words_part, (void **)&v->words, &v->n[PART_WORDS], &cap, why);
        v->n[PART_WORDS] *= sizeof(struct saved_words);
    }
    return e ? e : state_close(r, why);
}

/* Into the rules as they were read: from the part of states, where there is one, and then what has moved since. */
static enum err merge_states(struct saved *v, struct why *why)
{
    const size_t rules = v->n[PART_RULES];
    if (v->n[PART_STATES] && v->n[PART_STATES] != rules)
        return err_set(why, ERR_INVALID, "saved rules: %zu rules have %zu states", rules,
                       v->n[PART_STATES]);
    for (size_t i = 0; i < v->n[PART_STATES]; i++) v->rules[i].state = v->states[i].state;
    for (size_t i = 0; i < v->n[PART_RECENT]; i++) {
        if (v->recent[i].rule >= rules)
            return err_set(why, ERR_INVALID,
                           "saved rules: a state is of rule %" PRIu32 ", and there are %zu",
                           v->recent[i].rule, rules);
        v->rules[v->recent[i].rule].state = v->recent[i].state;
    }
    return ERR_OK;
}

/* The next text; NULL: there is none. */
static const char *next_words(struct saved *v)
{
    const size_t all = v->n[PART_WORDS];
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
                          .episode = r->state.episode,
                          .said_ns = r->state.said_ns,
                          .clocks = { r->hold_ns, r->cooldown_ns, r->wait, r->hold_in },
                          .state = { r->state.phase, r->state.dark, r->state.overdue,
                                     r->state.due_ns, r->state.quiet_until_ns,
                                     r->state.since_ns } };
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
    s->minds[at] = rule_minds(&u->state); /* nothing has moved: it is as it was saved */
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
    if (!e) e = merge_states(v, why);
    if (e) return e;
    for (int at = 0; at < RULE_AT_COUNT && !e; at++)
        e = load_series(&s->ladders[at], v->series[at], v->n[part_of[at]]);
    if (!e && !rule_set_room(s, v->n[PART_RULES] + 1)) e = ERR_NOMEM;
    for (size_t i = 0; i < v->n[PART_RULES] && !e; i++) {
        const char *fault;
        e = load_rule(s, v, &v->rules[i], &fault);
        if (fault) return err_set(why, e, "saved rules: rule %zu %s", i, fault);
    }
    for (size_t i = 0; i < v->n[PART_RECENT] && !e; i++) rule_moved(s, v->recent[i].rule);
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
