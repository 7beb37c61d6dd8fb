#include "alerts/rules/rule_set.h"

#include "core/map.h"
#include "core/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum state { STATE_OK, STATE_PENDING, STATE_FIRING, STATE_DISARMED };
enum { SMALL_TAIL = 16 }; /* so many new edges are inserted; more are sorted in */

struct rule {
    struct uuid tenant, id;
    uint64_t no;
    int64_t enter, clear;
    int64_t hold_ns, cooldown_ns, due_ns, quiet_until_ns;
    uint32_t series, text, name; /* text and name: offsets into strings */
    int32_t version;
    uint8_t state, severity;
    bool above, wait, enabled, live;
    bool begun;   /* has looked at a usable value since it was put */
    bool overdue; /* came due while there was no usable value */
};

/* An edge: what happens to `rule` when the series passes `key`. */
struct edge {
    int64_t key;
    uint32_t rule;
    uint32_t clears;
};

struct ladder { /* of one series */
    struct edge *edges;
    size_t n, cap, sorted_n; /* edges beyond sorted_n wait to be sorted in */
    size_t rank;             /* edges with key <= last */
    int64_t last;
    bool has_value, usable;
    uint32_t
        attention; /* rules to look at by themselves at the next usable value: not begun, or overdue */
    uint32_t dead; /* edges of rules that are gone or replaced */
};

struct timer {
    int64_t due_ns;
    uint64_t no;
    uint32_t rule;
};
struct tenant {
    struct uuid id;
    uint64_t stream_no;
};

struct rule_set {
    struct rule *rules;
    size_t rules_n, rules_cap, live_n;
    struct ladder *ladders; /* by series */
    size_t ladders_n, ladders_cap;
    struct timer *timers; /* heap by (due, no); entries whose rule has moved on are skipped */
    size_t timers_n, timers_cap;
    int64_t *
        queued; /* by rule: when its entry in the heap is due, 0: none. So a rule that flaps has one, not many */
    size_t queued_cap;
    struct tenant *tenants;
    struct rule_set_count *counts; /* by tenant; follows from the rules */
    size_t tenants_n, tenants_cap, counts_cap;
    char *strings;
    size_t strings_n, strings_cap, strings_dead; /* dead: of versions that have been replaced */
    struct map by_id, by_tenant;
};

/* ---- looking up ---- */
struct rule_key {
    struct uuid tenant, id;
};
static bool rule_is(const void *ctx, uint32_t v, const void *key)
{
    const struct rule *r = &((const struct rule_set *)ctx)->rules[v];
    const struct rule_key *k = key;
    return uuid_equal(r->id, k->id) && uuid_equal(r->tenant, k->tenant);
}
static bool tenant_is(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct rule_set *)ctx)->tenants[v].id.b, key, 16) == 0;
}

static uint32_t find(const struct rule_set *r, struct uuid tenant, struct uuid id)
{
    struct rule_key k = { tenant, id };
    return map_find(&r->by_id, map_hash(id.b, 16), rule_is, r, &k);
}

static struct tenant *tenant_of(struct rule_set *r, struct uuid id)
{
    uint32_t v = map_find(&r->by_tenant, map_hash(id.b, 16), tenant_is, r, id.b);
    if (v != MAP_NONE) return &r->tenants[v];
    if (!VEC_GROW(&r->tenants, &r->tenants_cap, r->tenants_n + 1)
        || !VEC_GROW(&r->counts, &r->counts_cap, r->tenants_n + 1)
        || !map_add(&r->by_tenant, map_hash(id.b, 16), (uint32_t)r->tenants_n))
        return NULL;
    r->tenants[r->tenants_n] = (struct tenant){ .id = id };
    r->counts[r->tenants_n] = (struct rule_set_count){ 0, 0 };
    return &r->tenants[r->tenants_n++];
}

static struct rule_set_count *count_of(struct rule_set *r, struct uuid tenant)
{
    return &r->counts[tenant_of(r, tenant) - r->tenants];
}

struct rule_set_count rule_set_count(const struct rule_set *r, struct uuid tenant)
{
    uint32_t v = map_find(&r->by_tenant, map_hash(tenant.b, 16), tenant_is, r, tenant.b);
    return v == MAP_NONE ? (struct rule_set_count){ 0, 0 } : r->counts[v];
}

/* ---- timers: a binary heap ---- */
static bool sooner(const struct timer *a, const struct timer *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->no < b->no);
}

static void timer_push(struct rule_set *r, struct timer t)
{
    /* room was made by rule_set_put: at most one waiting entry a rule plus those skipped; grow here only doubles what put began */
    if (!VEC_GROW(&r->timers, &r->timers_cap, r->timers_n + 1)) abort();
    size_t i = r->timers_n++;
    for (size_t up; i > 0 && sooner(&t, &r->timers[up = (i - 1) / 2]); i = up)
        r->timers[i] = r->timers[up];
    r->timers[i] = t;
}

/* One entry a rule, at or before its time: what comes too soon is put back by rule_set_time. */
static void timer_want(struct rule_set *r, uint32_t rule)
{
    const struct rule *u = &r->rules[rule];
    if (r->queued[rule] && r->queued[rule] <= u->due_ns) return;
    r->queued[rule] = u->due_ns;
    timer_push(r, (struct timer){ u->due_ns, u->no, rule });
}

static struct timer timer_pop(struct rule_set *r)
{
    struct timer top = r->timers[0], last = r->timers[--r->timers_n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < r->timers_n; i = c) {
        if (c + 1 < r->timers_n && sooner(&r->timers[c + 1], &r->timers[c])) c++;
        if (!sooner(&r->timers[c], &last)) break;
        r->timers[i] = r->timers[c];
    }
    if (r->timers_n) r->timers[i] = last;
    return top;
}

static void due_below(const struct rule_set *r, size_t i, int64_t now_ns,
                      void (*each)(void *ctx, uint32_t series), void *ctx)
{
    if (i >= r->timers_n || r->timers[i].due_ns > now_ns) return;
    each(ctx, r->rules[r->timers[i].rule].series);
    due_below(r, 2 * i + 1, now_ns, each, ctx);
    due_below(r, 2 * i + 2, now_ns, each, ctx);
}

void rule_set_due(const struct rule_set *r, int64_t now_ns,
                  void (*each)(void *ctx, uint32_t series), void *ctx)
{
    due_below(r, 0, now_ns, each, ctx);
}

/* ---- one rule's steps ---- */
struct step {
    struct rule_set *r;
    int64_t key, now_ns;
    fire_fn *emit;
    void *ctx;
};

static void emit(const struct step *s, const struct rule *u, enum alert_state state)
{
    struct rule_set *r = s->r;
    struct tenant *t = tenant_of(r, u->tenant);
    assert(t); /* made when the rule was put */
    const struct fire f = { u->tenant,
                            u->id,
                            u->no,
                            ++t->stream_no,
                            u->version,
                            u->series,
                            (enum severity)u->severity,
                            state,
                            s->key,
                            r->strings + u->name,
                            r->strings + u->text };
    s->emit(s->ctx, &f);
}

/* the end of time is as late as it gets */
static int64_t later(int64_t ns, int64_t by)
{
    int64_t sum;
    return __builtin_add_overflow(ns, by, &sum) ? INT64_MAX : sum;
}

static void fire_now(const struct step *s, struct rule *u)
{
    u->state = STATE_FIRING;
    u->quiet_until_ns = later(s->now_ns, u->cooldown_ns);
    emit(s, u, ALERT_FIRING);
}

static void enter(const struct step *s, struct rule *u)
{
    if (u->state != STATE_OK) return;
    u->due_ns = later(s->now_ns, u->hold_ns);
    if (u->due_ns < u->quiet_until_ns) u->due_ns = u->quiet_until_ns;
    if (u->due_ns <= s->now_ns) {
        fire_now(s, u);
        return;
    }
    u->state = STATE_PENDING;
    timer_want(s->r, (uint32_t)(u - s->r->rules));
}

static void leave(const struct step *s, struct rule *u)
{
    if (u->state != STATE_PENDING) return;
    u->state = STATE_OK;
    if (u->overdue) s->r->ladders[u->series].attention--;
    u->overdue = false;
}

static void clear(const struct step *s, struct rule *u)
{
    if (u->state == STATE_FIRING) emit(s, u, ALERT_RESOLVED);
    if (u->state == STATE_FIRING || u->state == STATE_DISARMED) u->state = STATE_OK;
}

static bool holds(const struct rule *u, int64_t key)
{
    return u->above ? key >= u->enter : key < u->enter;
}

static void begin(const struct step *s, struct rule *u)
{
    u->begun = true;
    if (!holds(u, s->key)) return;
    if (u->wait) u->state = STATE_DISARMED;
    else enter(s, u);
}

/* ---- ladders ---- */
static int by_key(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->rule != y->rule) return x->rule < y->rule ? -1 : 1;
    return (int)x->clears - (int)y->clears;
}

static size_t rank_of(const struct ladder *l, int64_t key)
{
    size_t low = 0, high = l->sorted_n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (l->edges[mid].key <= key) low = mid + 1;
        else high = mid;
    }
    return low;
}

/* an edge its rule has left behind */
static bool dead(const struct rule_set *r, const struct ladder *l, const struct edge *e)
{
    const struct rule *u = &r->rules[e->rule];
    return !u->live || !u->enabled || &r->ladders[u->series] != l
           || e->key != (e->clears ? u->clear : u->enter);
}

static void cross(const struct step *s, const struct ladder *l, const struct edge *e, bool up)
{
    struct rule *u = &s->r->rules[e->rule];
    if (!u->begun || dead(s->r, l, e)) return;
    if (e->clears) {
        if (up != u->above) clear(s, u);
    } else if (up == u->above) enter(s, u);
    else leave(s, u);
}

/* New edges find their place: a few by insertion, many by one sort; one that is there already (a rule was put again) is dropped.
 * Rules are numbered in creation order, so the order of equal keys does not depend on how they came here. */
static void settle(struct rule_set *r, struct ladder *l)
{
    size_t fresh = l->n - l->sorted_n;
    if (l->dead > 64 && l->dead > l->n / 4) {
        size_t k = 0;
        for (size_t i = 0; i < l->n; i++)
            if (!dead(r, l, &l->edges[i])) l->edges[k++] = l->edges[i];
        l->n = k;
        l->dead = 0;
        fresh = SMALL_TAIL + 1;
    }
    size_t kept = l->sorted_n;
    if (fresh > SMALL_TAIL) {
        if (l->n) qsort(l->edges, l->n, sizeof *l->edges, by_key);
        kept = l->n > 0;
        for (size_t i = 1; i < l->n; i++)
            if (by_key(&l->edges[kept - 1], &l->edges[i]) != 0) l->edges[kept++] = l->edges[i];
    } else
        for (size_t i = l->sorted_n; i < l->n; i++) {
            struct edge e = l->edges[i];
            size_t low = 0, high = kept;
            while (low < high) {
                size_t mid = (low + high) / 2;
                if (by_key(&l->edges[mid], &e) < 0) low = mid + 1;
                else high = mid;
            }
            if (low < kept && by_key(&l->edges[low], &e) == 0) continue;
            memmove(&l->edges[low + 1], &l->edges[low], (kept - low) * sizeof e);
            l->edges[low] = e;
            kept++;
        }
    l->sorted_n = l->n = kept;
    l->rank = l->has_value ? rank_of(l, l->last) : 0;
}

void rule_set_move(struct rule_set *r, uint32_t series, int64_t key, int64_t now_ns,
                   fire_fn *emit_fn, void *ctx)
{
    if (series >= r->ladders_n) return;
    struct ladder *l = &r->ladders[series];
    if (l->sorted_n != l->n) settle(r, l);
    struct step s = { r, key, now_ns, emit_fn, ctx };
    l->usable = true;
    l->last = key;
    if (!l->has_value) { /* the first value is no crossing: every rule looks for itself, below */
        l->has_value = true;
        l->rank = rank_of(l, key);
    }
    while (l->rank < l->n && l->edges[l->rank].key <= key) cross(&s, l, &l->edges[l->rank++], true);
    while (l->rank > 0 && l->edges[l->rank - 1].key > key)
        cross(&s, l, &l->edges[--l->rank], false);
    for (size_t i = 0; l->attention && i < l->n; i++) {
        struct rule *u = &r->rules[l->edges[i].rule];
        if (l->edges[i].clears || dead(r, l, &l->edges[i]) || (u->begun && !u->overdue)) continue;
        l->attention--;
        if (!u->begun) begin(&s, u);
        else { /* came due in the dark, and still holds */ u->overdue = false;
            fire_now(&s, u);
        }
    }
}

void rule_set_unusable(struct rule_set *r, uint32_t series)
{
    if (series < r->ladders_n) r->ladders[series].usable = false;
}

void rule_set_time(struct rule_set *r, int64_t now_ns, fire_fn *emit_fn, void *ctx)
{
    while (r->timers_n && r->timers[0].due_ns <= now_ns) {
        struct timer t = timer_pop(r);
        struct rule *u = &r->rules[t.rule];
        if (u->no != t.no || r->queued[t.rule] != t.due_ns) continue;
        r->queued[t.rule] = 0;
        if (!u->live || u->state != STATE_PENDING || u->overdue) continue;
        if (u->due_ns != t.due_ns) {
            timer_want(r, t.rule);
            continue;
        }
        struct ladder *l = &r->ladders[u->series];
        if (!l->usable) {
            u->overdue = true;
            l->attention++;
            continue;
        }
        struct step s = { r, l->last, now_ns, emit_fn, ctx };
        fire_now(&s, u);
    }
}

/* ---- rules come, change and go ---- */
static uint32_t keep_string(struct rule_set *r, const char *s)
{
    size_t n = strlen(s) + 1, at = r->strings_n;
    if (!VEC_GROW(&r->strings, &r->strings_cap, at + n)) return UINT32_MAX;
    memcpy(r->strings + at, s, n);
    r->strings_n += n;
    return (uint32_t)at;
}

static size_t strings_of(const struct rule_set *r, const struct rule *u)
{
    return strlen(r->strings + u->name) + strlen(r->strings + u->text) + 2;
}

/* Strings nobody refers to are dropped when they are most of all. Out of memory: another time. */
static void sweep_strings(struct rule_set *r)
{
    if (r->strings_dead < 4096 || r->strings_dead < r->strings_n / 2) return;
    char *fresh = malloc(r->strings_n);
    if (!fresh) return;
    size_t n = 0;
    for (size_t i = 0; i < r->rules_n; i++) {
        struct rule *u = &r->rules[i];
        uint32_t *const of[] = { &u->name, &u->text };
        for (size_t k = 0; k < ARRAY_LEN(of); k++) {
            size_t len = u->live ? strlen(r->strings + *of[k]) + 1 : 0;
            memcpy(fresh + n, r->strings + *of[k], len);
            *of[k] = u->live ? (uint32_t)n : 0;
            n += len;
        }
    }
    free(r->strings);
    r->strings = fresh;
    r->strings_cap = r->strings_n;
    r->strings_n = n;
    r->strings_dead = 0;
}

static void detach(struct rule_set *r, struct rule *u)
{
    r->strings_dead += strings_of(r, u);
    if (!u->enabled) return;
    struct ladder *l = &r->ladders[u->series];
    l->dead += 2;
    if (u->overdue || !u->begun) l->attention--;
    u->overdue = false;
}

static enum err make_room(struct rule_set *r, const struct rule_spec *s)
{
    if (!VEC_GROW(&r->rules, &r->rules_cap, r->rules_n + 1)
        || !VEC_GROW(&r->timers, &r->timers_cap, r->timers_n + 1)
        || !VEC_GROW(&r->queued, &r->queued_cap, r->rules_n + 1) || !tenant_of(r, s->tenant))
        return ERR_NOMEM;
    size_t had = r->ladders_n;
    if (s->series >= had) {
        if (!VEC_GROW(&r->ladders, &r->ladders_cap, s->series + 1)) return ERR_NOMEM;
        memset(r->ladders + had, 0, (s->series + 1 - had) * sizeof *r->ladders);
        r->ladders_n = s->series + 1;
    }
    struct ladder *l = &r->ladders[s->series];
    if (l->n - l->sorted_n > 1024)
        settle(r, l); /* a series that is silent while rules are put again and again */
    sweep_strings(r);
    return VEC_GROW(&l->edges, &l->cap, l->n + 2) ? ERR_OK : ERR_NOMEM;
}

enum err rule_set_put(struct rule_set *r, const struct rule_spec *s, int64_t now_ns,
                      fire_fn *emit_fn, void *ctx, struct rule_set_change *changed, struct why *why)
{
    *changed = (struct rule_set_change){ UINT32_MAX, UINT32_MAX };
    enum err e = make_room(r, s);
    if (e) return e;
    uint32_t name = keep_string(r, s->name), text = keep_string(r, s->text),
             at = find(r, s->tenant, s->id);
    if (name == UINT32_MAX || text == UINT32_MAX) return err_set(why, ERR_NOMEM, "out of memory");
    if (at == MAP_NONE) {
        if (!map_add(&r->by_id, map_hash(s->id.b, 16), (uint32_t)r->rules_n))
            return err_set(why, ERR_NOMEM, "out of memory");
        at = (uint32_t)r->rules_n++;
        memset(&r->rules[at], 0, sizeof r->rules[at]);
        r->queued[at] = 0;
        r->live_n++;
        count_of(r, s->tenant)->live++;
        count_of(r, s->tenant)->made++;
    } else if (r->rules[at].live) {
        detach(r, &r->rules[at]);
        if (r->rules[at].enabled) changed->left = r->rules[at].series;
    } else {
        r->live_n++;
        count_of(r, s->tenant)->live++;
    }
    struct rule *u = &r->rules[at];
    int64_t quiet = u->quiet_until_ns;     /* a change does not end a cooldown */
    if (u->no != s->no) r->queued[at] = 0; /* an entry of another number is skipped */
    *u = (struct rule){ .tenant = s->tenant,
                        .id = s->id,
                        .no = s->no,
                        .enter = s->edges.enter,
                        .clear = s->edges.clear,
                        .hold_ns = s->hold_ns,
                        .cooldown_ns = s->cooldown_ns,
                        .quiet_until_ns = quiet,
                        .series = s->series,
                        .text = text,
                        .name = name,
                        .version = s->version,
                        .severity = (uint8_t)s->severity,
                        .above = s->edges.above,
                        .wait = s->wait,
                        .enabled = s->enabled,
                        .live = true };
    if (!u->enabled) return ERR_OK;
    changed->joined = s->series;
    struct ladder *l = &r->ladders[s->series];
    l->edges[l->n++] = (struct edge){ u->enter, at, 0 };
    l->edges[l->n++] = (struct edge){ u->clear, at, 1 };
    if (!l->has_value || !l->usable) l->attention++;
    else {
        struct step step = { r, l->last, now_ns, emit_fn, ctx };
        begin(&step, u);
    }
    return ERR_OK;
}

enum err rule_set_delete(struct rule_set *r, struct uuid tenant, struct uuid id,
                         struct rule_set_change *changed)
{
    *changed = (struct rule_set_change){ UINT32_MAX, UINT32_MAX };
    uint32_t at = find(r, tenant, id);
    if (at == MAP_NONE || !r->rules[at].live) return ERR_NOT_FOUND;
    struct rule *u = &r->rules[at];
    detach(r, u);
    if (u->enabled) changed->left = u->series;
    u->live = false;
    u->version++;
    r->live_n--;
    count_of(r, tenant)->live--;
    return ERR_OK;
}

bool rule_set_find(const struct rule_set *r, struct uuid tenant, struct uuid id,
                   struct rule_facts *out)
{
    static const char *const names[] = { "ok", "pending", "firing", "ok" };
    uint32_t at = find(r, tenant, id);
    if (at == MAP_NONE) return false;
    const struct rule *u = &r->rules[at];
    const struct ladder *l = &r->ladders[u->series];
    *out = (struct rule_facts){ u->no, u->version, !u->live,
                                !u->live                   ? NULL
                                : u->enabled && !l->usable ? "stale"
                                                           : names[u->state] };
    return true;
}

size_t rule_set_size(const struct rule_set *r) { return r->live_n; }

enum err rule_set_new(struct rule_set **out)
{
    struct rule_set *r = calloc(1, sizeof *r);
    if (!r) return ERR_NOMEM;
    *out = r;
    return ERR_OK;
}

void rule_set_free(struct rule_set *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->ladders_n; i++) free(r->ladders[i].edges);
    free(r->rules);
    free(r->ladders);
    free(r->timers);
    free(r->queued);
    free(r->tenants);
    free(r->counts);
    free(r->strings);
    map_release(&r->by_id);
    map_release(&r->by_tenant);
    free(r);
}

/* ---- saving: rules, tenants and where each ladder stands; edges, ranks and the heap follow from those ---- */
static const char MAGIC[8] = "TOCSRTR1";
struct saved_ladder {
    int64_t last;
    uint32_t has_value, usable;
};

void rule_set_save(const struct rule_set *r, struct buf *out)
{
    uint64_t counts[4] = { r->rules_n, r->ladders_n, r->tenants_n, r->strings_n };
    buf_put(out, MAGIC, sizeof MAGIC);
    buf_put(out, counts, sizeof counts);
    if (r->rules_n) buf_put(out, r->rules, r->rules_n * sizeof *r->rules);
    for (size_t i = 0; i < r->ladders_n; i++) {
        struct saved_ladder l = { r->ladders[i].last, r->ladders[i].has_value,
                                  r->ladders[i].usable };
        buf_put(out, &l, sizeof l);
    }
    if (r->tenants_n) buf_put(out, r->tenants, r->tenants_n * sizeof *r->tenants);
    if (r->strings_n) buf_put(out, r->strings, r->strings_n);
}

static enum err restore(struct rule_set *r)
{
    if (!VEC_GROW(&r->queued, &r->queued_cap, r->rules_n + 1)) return ERR_NOMEM;
    memset(r->queued, 0, (r->rules_n + 1) * sizeof *r->queued);
    r->strings_dead = r->strings_n;
    if (!VEC_GROW(&r->counts, &r->counts_cap, r->tenants_n + 1)) return ERR_NOMEM;
    memset(r->counts, 0, (r->tenants_n + 1) * sizeof *r->counts);
    for (size_t i = 0; i < r->tenants_n; i++)
        if (!map_add(&r->by_tenant, map_hash(r->tenants[i].id.b, 16), (uint32_t)i))
            return ERR_NOMEM;
    for (size_t i = 0; i < r->rules_n; i++) {
        struct rule *u = &r->rules[i];
        if (!map_add(&r->by_id, map_hash(u->id.b, 16), (uint32_t)i)) return ERR_NOMEM;
        r->live_n += u->live;
        uint32_t owner =
            map_find(&r->by_tenant, map_hash(u->tenant.b, 16), tenant_is, r, u->tenant.b);
        if (owner == MAP_NONE) return ERR_INVALID;
        r->counts[owner].live += u->live;
        r->counts[owner].made++;
        if (u->live) r->strings_dead -= strings_of(r, u);
        if (!u->live || !u->enabled) continue;
        struct ladder *l = &r->ladders[u->series];
        if (!VEC_GROW(&l->edges, &l->cap, l->n + 2)) return ERR_NOMEM;
        l->edges[l->n++] = (struct edge){ u->enter, (uint32_t)i, 0 };
        l->edges[l->n++] = (struct edge){ u->clear, (uint32_t)i, 1 };
        if (u->overdue || !u->begun) l->attention++;
        else if (u->state == STATE_PENDING) timer_want(r, (uint32_t)i);
    }
    for (size_t i = 0; i < r->ladders_n; i++)
        if (r->ladders[i].n) settle(r, &r->ladders[i]);
    return ERR_OK;
}

enum err rule_set_load(const void *p, size_t n, struct rule_set **out, size_t *used,
                       struct why *why)
{
    uint64_t counts[4];
    const char *at = p, *end = at + n;
    if (n < sizeof MAGIC + sizeof counts || memcmp(at, MAGIC, sizeof MAGIC) != 0)
        return err_set(why, ERR_INVALID, "not a state of rules of this version");
    memcpy(counts, at + sizeof MAGIC, sizeof counts);
    at += sizeof MAGIC + sizeof counts;
    for (int i = 0; i < 4; i++)
        if (counts[i] > n) return err_set(why, ERR_INVALID, "state of rules is cut short");
    size_t need = counts[0] * sizeof(struct rule) + counts[1] * sizeof(struct saved_ladder)
                  + counts[2] * sizeof(struct tenant) + counts[3];
    if ((size_t)(end - at) < need) return err_set(why, ERR_INVALID, "state of rules is cut short");
    struct rule_set *r;
    enum err e = rule_set_new(&r);
    if (e) return e;
    if (!VEC_GROW(&r->rules, &r->rules_cap, counts[0])
        || !VEC_GROW(&r->ladders, &r->ladders_cap, counts[1])
        || !VEC_GROW(&r->tenants, &r->tenants_cap, counts[2])
        || !VEC_GROW(&r->strings, &r->strings_cap, counts[3])) {
        rule_set_free(r);
        return ERR_NOMEM;
    }
    if (counts[0]) memcpy(r->rules, at, counts[0] * sizeof *r->rules);
    at += counts[0] * sizeof *r->rules;
    r->rules_n = counts[0];
    for (r->ladders_n = 0; r->ladders_n < counts[1];
         r->ladders_n++, at += sizeof(struct saved_ladder)) {
        struct saved_ladder l;
        memcpy(&l, at, sizeof l);
        r->ladders[r->ladders_n] =
            (struct ladder){ .last = l.last, .has_value = l.has_value, .usable = l.usable };
    }
    if (counts[2]) memcpy(r->tenants, at, counts[2] * sizeof *r->tenants);
    at += counts[2] * sizeof *r->tenants;
    r->tenants_n = counts[2];
    if (counts[3]) memcpy(r->strings, at, counts[3]);
    at += counts[3];
    r->strings_n = counts[3];
    e = restore(r);
    if (e) {
        rule_set_free(r);
        return err_set(why, e, "out of memory");
    }
    *used = (size_t)(at - (const char *)p);
    *out = r;
    return ERR_OK;
}
