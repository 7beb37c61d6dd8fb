#include "analytics/index.h"

#include "core/vec.h"

#include <string.h>

/* ---- the order of issuers: kept by bubbling, because a tick moves a rank by little ---- */
static bool before(const struct slot *a, const struct slot *b)
{
    return a->value > b->value || (a->value == b->value && a->issuer < b->issuer);
}

static void reorder(struct index_store *s, struct index *x, uint32_t no)
{
    struct slot *me = &s->slots[no];
    uint32_t j = me->rank;
    for (; j > 0 && before(me, &s->slots[x->order[j - 1]]); j--)
        s->slots[x->order[j] = x->order[j - 1]].rank = j;
    for (; j + 1 < x->slots_n && before(&s->slots[x->order[j + 1]], me); j++)
        s->slots[x->order[j] = x->order[j + 1]].rank = j;
    x->order[j] = no;
    me->rank = j;
}

static void set_value(struct index_store *s, struct index *x, struct line *l, int64_t value)
{
    struct slot *k = &s->slots[l->slot];
    int64_t step = value - l->value, issuer = k->value + step;
    x->total += step;
    x->squares[BY_LINE] += (i128)value * value - (i128)l->value * l->value;
    x->squares[BY_ISSUER] += (i128)issuer * issuer - (i128)k->value * k->value;
    l->value = value;
    k->value = issuer;
    reorder(s, x, l->slot);
}

/* ---- levels and their chains ---- */
double index_level(const struct index *x)
{
    return x->level_ref * (double)x->total / (double)x->total_ref;
}
double index_ew_level(const struct index *x, int k)
{
    return x->ew_level_ref[k] * cents(x->ew_sum[k]) / cents(x->ew_ref[k]);
}

struct levels {
    double level, ew[EW_VARIANTS];
};

static struct levels levels_now(const struct index *x)
{
    struct levels v = { .level = index_level(x) };
    for (int k = 0; k < EW_VARIANTS; k++) v.ew[k] = index_ew_level(x, k);
    return v;
}

/* From here the levels go on from `v` with the sums as they now are. An index that lost its last member, or whose members are
 * not worth a cent, waits for a new start. */
static void chain(struct index *x, const struct levels *v)
{
    if (x->valued_n == 0 || x->total == 0 || !(v->level > 0)) {
        x->based = false;
        return;
    }
    x->level_ref = v->level;
    x->total_ref = x->total;
    for (int k = 0; k < EW_VARIANTS; k++) {
        x->ew_level_ref[k] = v->ew[k];
        x->ew_ref[k] = x->ew_sum[k];
    }
}

static struct line *other_line(const struct index_store *s, const struct index *x,
                               const struct line *l)
{
    for (uint32_t no = x->first_line; no != NONE; no = s->lines[no].next_of_index)
        if (s->lines[no].slot == l->slot && s->lines[no].valued && &s->lines[no] != l)
            return &s->lines[no];
    return NULL;
}

/* A line begins or ceases to count. Entering a running index it takes the average equal weight, so that it neither waits for
 * the next rebalance nor moves the level; a further line of a company already in takes none until then, when by issuer. Leaving, it leaves
 * its weight to another line of its company. */
static void set_valued(struct index_store *s, struct index *x, struct line *l, bool valued)
{
    struct slot *k = &s->slots[l->slot];
    if (!valued) {
        struct line *heir = k->lines_n > 1 ? other_line(s, x, l) : NULL;
        for (int i = 0; i < EW_VARIANTS; i++) {
            i128 weight = (i128)l->q[i] * l->price_e8;
            x->ew_sum[i] -= weight;
            l->q[i] = 0;
            if (!heir || i % BY_COUNT == BY_LINE) continue;
            int64_t q = (int64_t)(weight / heir->price_e8);
            heir->q[i] += q;
            x->ew_sum[i] += (i128)q * heir->price_e8;
        }
        set_value(s, x, l, 0);
        l->valued = false;
        x->valued_n--;
        if (--k->lines_n == 0) x->issuers_n--;
        return;
    }
    if (x->based)
        for (int i = 0; i < EW_VARIANTS; i++) {
            bool by_line = i % BY_COUNT == BY_LINE;
            uint32_t names = by_line ? x->valued_n : x->issuers_n;
            if (!by_line && k->lines_n > 0) continue;
            l->q[i] = (int64_t)(x->ew_sum[i] / names / l->price_e8);
            x->ew_sum[i] += (i128)l->q[i] * l->price_e8;
        }
    l->valued = true;
    x->valued_n++;
    if (k->lines_n++ == 0) x->issuers_n++;
    set_value(s, x, l, line_value(l->price_e8, l->shares));
}

/* ---- membership ---- */
static enum err slot_of(struct index_store *s, struct index *x, uint32_t issuer, uint32_t *out)
{
    for (uint32_t k = x->first_slot; k != NONE; k = s->slots[k].next_of_index)
        if (s->slots[k].issuer == issuer) {
            *out = k;
            return ERR_OK;
        }
    if (!VEC_GROW(&s->slots, &s->slots_cap, s->slots_n + 1)
        || !VEC_GROW(&x->order, &x->order_cap, x->slots_n + 1))
        return ERR_NOMEM;
    uint32_t no = (uint32_t)s->slots_n++;
    s->slots[no] =
        (struct slot){ .issuer = issuer, .next_of_index = x->first_slot, .rank = x->slots_n };
    x->first_slot = no;
    x->order[x->slots_n++] = no;
    reorder(s, x, no);
    *out = no;
    return ERR_OK;
}

enum err index_add_line(struct index_store *s, struct index *x, uint32_t index_no,
                        uint32_t instrument, uint32_t issuer, int64_t own_shares, uint32_t *out)
{
    uint32_t slot;
    if (!VEC_GROW(&s->lines, &s->lines_cap, s->lines_n + 1)) return ERR_NOMEM;
    enum err e = slot_of(s, x, issuer, &slot);
    if (e) return e;
    uint32_t no = (uint32_t)s->lines_n++;
    memset(&s->lines[no], 0, sizeof s->lines[no]); /* padding too: the state is saved as bytes */
    struct line *l = &s->lines[no];
    l->index = index_no;
    l->instrument = instrument;
    l->slot = slot;
    l->next_of_instrument = NONE;
    l->next_of_index = x->first_line;
    l->active = true;
    l->own_shares = own_shares;
    x->first_line = no;
    x->lines_n++;
    *out = no;
    return ERR_OK;
}

/* Whatever changes who counts, or with how many shares, passes here: the levels before are the levels after. */
static void recompose(struct index_store *s, struct index *x, struct line *l, bool active,
                      int64_t shares, int64_t price_e8)
{
    struct levels v;
    bool based = x->based;
    if (based) v = levels_now(x);
    bool was = l->valued, is = active && shares > 0 && price_e8 > 0;
    if (was && !is) set_valued(s, x, l, false);
    l->shares = shares;
    if (!was || !is) l->price_e8 = price_e8;
    if (l->active && !active) x->lines_n--;
    l->active = active;
    if (!was && is) set_valued(s, x, l, true);
    if (was && is) set_value(s, x, l, line_value(l->price_e8, shares));
    if (based && (was || is)) chain(x, &v);
}

void index_remove_line(struct index_store *s, struct index *x, uint32_t no)
{
    struct line *l = &s->lines[no];
    recompose(s, x, l, false, l->shares, l->price_e8);
}

enum err index_rejoin(struct index_store *s, struct index *x, uint32_t no, uint32_t issuer,
                      int64_t price_e8)
{
    uint32_t slot;
    enum err e = slot_of(s, x, issuer, &slot);
    if (e) return e;
    struct line *l = &s->lines[no];
    l->slot = slot;
    l->price_e8 = price_e8;
    l->active = true;
    x->lines_n++;
    return ERR_OK;
}

void index_set_shares(struct index_store *s, struct index *x, uint32_t no, int64_t shares)
{
    struct line *l = &s->lines[no];
    recompose(s, x, l, l->active, shares, l->price_e8);
}

void index_set_price(struct index_store *s, struct index *x, uint32_t no, int64_t price_e8,
                     int64_t event_ns)
{
    struct line *l = &s->lines[no];
    if (!l->active) return;
    if (event_ns > x->last_ns) x->last_ns = event_ns;
    if (!l->valued) {
        recompose(s, x, l, true, l->shares, price_e8);
        return;
    }
    int64_t step = price_e8 - l->price_e8;
    if (step == 0) return;
    for (int k = 0; k < EW_VARIANTS; k++) x->ew_sum[k] += (i128)l->q[k] * step;
    l->price_e8 = price_e8;
    set_value(s, x, l, line_value(price_e8, l->shares));
}

/* ---- sessions ---- */
static void rebalance_variant(struct index_store *s, struct index *x, int variant)
{
    const i128 unit = (i128)1000000000000000000;
    bool by_line = variant % BY_COUNT == BY_LINE;
    x->ew_sum[variant] = 0;
    for (uint32_t no = x->first_line; no != NONE; no = s->lines[no].next_of_index) {
        struct line *l = &s->lines[no];
        if (!l->valued) continue;
        i128 names = by_line ? 1 : s->slots[l->slot].lines_n;
        l->q[variant] = (int64_t)(unit / (names * l->price_e8));
        x->ew_sum[variant] += (i128)l->q[variant] * l->price_e8;
    }
    x->ew_ref[variant] = x->ew_sum[variant];
}

void index_start(struct index_store *s, struct index *x)
{
    x->based = true;
    x->level_ref = x->base;
    x->total_ref = x->total;
    for (int k = 0; k < EW_VARIANTS; k++) {
        x->ew_level_ref[k] = x->base;
        rebalance_variant(s, x, k);
    }
}

void index_rebalance(struct index_store *s, struct index *x, enum ew ew)
{
    if (!x->based) return;
    for (int by = 0; by < BY_COUNT; by++) {
        int k = ew_variant(ew, (enum by)by);
        x->ew_level_ref[k] = index_ew_level(x, k);
        rebalance_variant(s, x, k);
    }
}

enum err index_close_day(struct index *x, int32_t day)
{
    if (!VEC_GROW(&x->days, &x->days_cap, x->days_n + 1)) return ERR_NOMEM;
    struct levels v = levels_now(x);
    struct level_day *d = &x->days[x->days_n++];
    memset(d, 0, sizeof *d);
    d->day = day;
    d->level = v.level;
    memcpy(d->ew, v.ew, sizeof d->ew);
    return ERR_OK;
}

/* ---- concentration ---- */
double index_hhi(const struct index *x, enum by by)
{
    double t = (double)x->total;
    return 10000.0 * (double)x->squares[by] / (t * t);
}

double index_effective_number(const struct index *x, enum by by)
{
    double t = (double)x->total;
    return t * t / (double)x->squares[by];
}

static int64_t top_lines(const struct index_store *s, const struct index *x, int n)
{
    int64_t top[TOP_N_MAX] = { 0 },
            sum = 0; /* ascending: top[0] is the smallest of the n largest */
    for (uint32_t no = x->first_line; no != NONE; no = s->lines[no].next_of_index) {
        int64_t v = s->lines[no].value;
        if (v <= top[0]) continue;
        int j = 0;
        for (; j + 1 < n && top[j + 1] < v; j++) top[j] = top[j + 1];
        top[j] = v;
    }
    for (int j = 0; j < n; j++) sum += top[j];
    return sum;
}

double index_top_weight(const struct index_store *s, const struct index *x, enum by by, int n)
{
    int64_t top = 0;
    if (by == BY_LINE) top = top_lines(s, x, n);
    else
        for (uint32_t j = 0; j < (uint32_t)n && j < x->slots_n; j++)
            top += s->slots[x->order[j]].value;
    return 100.0 * (double)top / (double)x->total;
}
