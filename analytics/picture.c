/* picture.c - from the engine's state to what others see. Three tenants, rules of a on last(A),
 * of b on last(B), and the index X with hhi(X), which everybody sees:
 *
 *   rows      0 hhi(X)   1 last(A)   2 last(B)
 *   entries   (everybody, hhi(X)) -> 0   (a, last(A)) -> 1   (b, last(B)) -> 2
 *
 * b asks for last(A): not among b's entries, not among everybody's, so there is no such thing. A
 * tenant that asks for hhi(X) finds everybody's. */
#include "analytics/picture.h"

#include "analytics/series.h"
#include "core/ratio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct uuid EVERYBODY;

/* ---- lives ---- */
void picture_list_release(struct picture_list *l)
{
    if (!l) return;
    int before = atomic_fetch_sub_explicit(&l->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1) return;
    free(l->rows);
    free(l->entries);
    free(l->text);
    free(l->aliases);
    free(l);
}

struct picture *picture_retain(struct picture *p)
{
    int before = atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
    assert(before > 0); /* only who holds one may hand out another */
    (void)before;
    return p;
}

void picture_release(struct picture *p)
{
    if (!p) return;
    int before = atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1) return;
    picture_list_release(p->list);
    free(p->readings);
    free(p->indexes);
    free(p->refusals);
    free(p);
}

/* ---- looking ---- */
static int entry_order(const struct picture_entry *e, struct uuid tenant, const char *measure)
{
    int c = memcmp(e->tenant.b, tenant.b, sizeof tenant.b);
    return c ? c : strcmp(e->measure, measure);
}

/* The first entry that is not before (tenant, measure). */
static size_t entry_at(const struct picture_list *l, struct uuid tenant, const char *measure)
{
    size_t low = 0, high = l->entries_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (entry_order(&l->entries[mid], tenant, measure) < 0) low = mid + 1;
        else high = mid;
    }
    return low;
}

static const struct picture_refusal *refusal_of(const struct picture *p, const char *measure)
{
    struct measure m;
    char symbol[SYMBOL_SUBJECT_MAX + 1];
    if (measure_parse(measure, strlen(measure), &m, NULL) || !measure_symbol(&m, symbol))
        return NULL;
    for (size_t i = 0; i < p->refusals_n; i++)
        if (strcmp(p->refusals[i].symbol, symbol) == 0) return &p->refusals[i];
    return NULL;
}

static struct picture_row row_of(const struct picture *p, uint32_t row)
{
    const struct picture_name *n = &p->list->rows[row];
    const struct reading *r = &p->readings[row];
    return (struct picture_row){ n->measure, n->unit, n->version, *r,
                                 r->status == READING_REFUSED ? refusal_of(p, n->measure) : NULL };
}

static bool find_entry(const struct picture *p, struct uuid tenant, const char *measure,
                       struct picture_row *out)
{
    size_t i = entry_at(p->list, tenant, measure);
    if (i == p->list->entries_n || entry_order(&p->list->entries[i], tenant, measure) != 0)
        return false;
    *out = row_of(p, p->list->entries[i].row);
    return true;
}

bool picture_find(const struct picture *p, struct uuid tenant, const char *measure,
                  struct picture_row *out)
{
    return (!uuid_is_none(tenant) && find_entry(p, tenant, measure, out))
           || find_entry(p, EVERYBODY, measure, out);
}

static void each_of(const struct picture *p, struct uuid tenant,
                    void (*fn)(void *ctx, const struct picture_row *row), void *ctx)
{
    const struct picture_list *l = p->list;
    for (size_t i = entry_at(l, tenant, "");
         i < l->entries_n && uuid_equal(l->entries[i].tenant, tenant); i++) {
        const struct picture_row row = row_of(p, l->entries[i].row);
        fn(ctx, &row);
    }
}

void picture_each(const struct picture *p, struct uuid tenant,
                  void (*fn)(void *ctx, const struct picture_row *row), void *ctx)
{
    each_of(p, EVERYBODY, fn, ctx);
    if (!uuid_is_none(tenant)) each_of(p, tenant, fn, ctx);
}

const char *picture_alias(const struct picture *p, const char *symbol)
{
    for (size_t i = 0; i < p->list->aliases_n; i++)
        if (strcmp(p->list->aliases[i].alias.s, symbol) == 0) return p->list->aliases[i].symbol.s;
    return NULL;
}

const struct picture_index *picture_index_named(const struct picture *p, const char *name)
{
    for (size_t i = 0; i < p->indexes_n; i++)
        if (strcmp(p->indexes[i].name, name) == 0) return &p->indexes[i];
    return NULL;
}

/* ---- taking: the list ---- */
static int by_tenant_and_measure(const void *a, const void *b)
{
    const struct picture_entry *x = b;
    return entry_order(a, x->tenant, x->measure);
}

/* `text`: where its own goes, which ends before the text of the next. */
static char *add_row(struct picture_list *l, const struct series *s, uint32_t no, char *text)
{
    const size_t size = strlen(s->text) + 1;
    memcpy(text, s->text, size);
    if (s->configured)
        l->entries[l->entries_n++] = (struct picture_entry){ EVERYBODY, text, (uint32_t)l->rows_n };
    l->rows[l->rows_n++] = (struct picture_name){ no, text, s->unit, s->kind->version };
    return text + size;
}

/* Rows are in the order of series: the place of one. */
static const struct picture_name *row_of_series(const struct picture_list *l, uint32_t series)
{
    size_t low = 0, high = l->rows_n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (l->rows[mid].series < series) low = mid + 1;
        else high = mid;
    }
    return low < l->rows_n && l->rows[low].series == series ? &l->rows[low] : NULL;
}

static void add_viewers(struct picture_list *l, const struct market *m,
                        const struct viewer *viewers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct picture_name *row = row_of_series(l, viewers[i].series);
        if (!row || m->series[viewers[i].series].configured) continue;
        l->entries[l->entries_n++] =
            (struct picture_entry){ viewers[i].tenant, row->measure, (uint32_t)(row - l->rows) };
    }
}

struct picture_list *picture_list_new(const struct market *m, const struct viewer *viewers,
                                      size_t n)
{
    struct picture_list *l = calloc(1, sizeof *l);
    if (!l) return NULL;
    atomic_init(&l->references, 1);
    l->rows = calloc(m->series_n + 1, sizeof *l->rows);
    l->entries = calloc(m->series_n + n + 1, sizeof *l->entries);
    l->text = malloc(m->series_n * MEASURE_TEXT_MAX + 1);
    l->aliases = malloc((m->aliases_n + 1) * sizeof *l->aliases);
    if (!l->rows || !l->entries || !l->text || !l->aliases) {
        picture_list_release(l);
        return NULL;
    }
    char *text =
        l->text; /* most are much shorter than they may be: the rest of it is never touched */
    for (uint32_t i = 0; i < m->series_n; i++)
        if (m->series[i].live) text = add_row(l, &m->series[i], i, text);
    add_viewers(l, m, viewers, n);
    if (m->aliases_n) memcpy(l->aliases, m->aliases, m->aliases_n * sizeof *l->aliases);
    l->aliases_n = m->aliases_n;
    qsort(l->entries, l->entries_n, sizeof *l->entries, by_tenant_and_measure);
    return l;
}

/* ---- taking: the readings ---- */
/* The line of a company that is worth most stands for it: Alphabet is shown as GOOGL while
 * GOOGL's line is the larger. Of the n largest companies, in one walk over the index's lines;
 * `big` is all NULL before. */
static void find_largest_lines(const struct market *m, const struct universe *u, size_t n,
                               const struct line *big[])
{
    for (uint32_t l = u->first_line; l != NONE; l = m->store.lines[l].next_of_universe) {
        const struct line *x = &m->store.lines[l];
        const uint32_t rank = m->store.slots[x->slot].rank;
        if (rank < n && (!big[rank] || x->value > big[rank]->value)) big[rank] = x;
    }
}

static void take_member(const struct market *m, const struct universe *u, const struct slot *k,
                        const struct line *largest, struct picture_member *out)
{
    const struct instrument *i = &m->instruments[largest->instrument];
    memcpy(out->symbol, i->symbol.s, sizeof out->symbol);
    memcpy(out->issuer, m->issuers[k->issuer].key, sizeof out->issuer);
    memcpy(out->name, m->issuers[k->issuer].name, sizeof out->name);
    out->price_e8 = i->price_e8;
    out->weight = ratio(k->value, u->total);
}

static void take_index(const struct market *m, const struct universe *u, struct picture_index *out)
{
    const struct order *o = universe_kept(u, &aggregate_order);
    const struct line *big[PICTURE_TOP_MAX] = { NULL };
    memcpy(out->name, u->name, sizeof u->name);
    out->members_n = u->issuers_n;
    while (out->top_n < PICTURE_TOP_MAX && out->top_n < o->n
           && m->store.slots[o->who[out->top_n]].value != 0)
        out->top_n++;
    find_largest_lines(m, u, out->top_n, big);
    for (size_t j = 0; j < out->top_n; j++)
        take_member(m, u, &m->store.slots[o->who[j]], big[j], &out->top[j]);
}

static int by_index_name(const void *a, const void *b)
{
    return strcmp(((const struct picture_index *)a)->name, ((const struct picture_index *)b)->name);
}

/* False: out of memory. */
static bool take_refusals(const struct market *m, struct picture *p)
{
    p->refused_n = m->refused_n;
    if (m->refused_n == 0) return true;
    p->refusals = malloc(PICTURE_REFUSALS_MAX * sizeof *p->refusals);
    for (size_t i = 0; p->refusals && i < m->instruments_n; i++) {
        const struct instrument *x = &m->instruments[i];
        if (!x->refused || p->refusals_n == PICTURE_REFUSALS_MAX) continue;
        struct picture_refusal *out = &p->refusals[p->refusals_n++];
        memcpy(out->symbol, x->symbol.s, sizeof out->symbol);
        memcpy(out->why, x->refused_why, sizeof out->why);
        out->n = x->refused;
    }
    return p->refusals != NULL;
}

struct picture *picture_new(const struct market *m, struct picture_list *list)
{
    struct picture *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    atomic_init(&p->references, 1);
    p->seq = m->seq;
    p->event_ns = m->now_ns;
    p->readings = malloc((list->rows_n + 1) * sizeof *p->readings);
    p->indexes = calloc(m->universes_n + 1, sizeof *p->indexes);
    atomic_fetch_add_explicit(&list->references, 1, memory_order_relaxed);
    p->list = list;
    if (!p->readings || !p->indexes || !take_refusals(m, p)) {
        picture_release(p);
        return NULL;
    }
    for (size_t i = 0; i < list->rows_n; i++)
        p->readings[i] = *series_reading(m, list->rows[i].series);
    for (size_t i = 0; i < m->universes_n; i++)
        if (!m->universes[i].book) take_index(m, &m->universes[i], &p->indexes[p->indexes_n++]);
    qsort(p->indexes, p->indexes_n, sizeof *p->indexes, by_index_name);
    return p;
}
