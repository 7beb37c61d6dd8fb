/* universe.c - the sums behind a universe, kept up to date price by price. An index X of A (100
 * shares) and B (300 shares):
 *
 *   A at 1.00, B at 1.00   v_A = 10,000 cents, v_B = 30,000, T = 40,000; at the session's end the level starts:
 *                          level_ref = 1000, T_ref = 40,000
 *   A to 1.10              T = 41,000, level = 1000 * 41,000 / 40,000 = 1025: a quarter of it rose by 10 %
 *   B issues 600 shares    v_B = 90,000, T = 101,000. Before the change the level was 1025, so it is after:
 *                          level_ref = 1025, T_ref = 101,000 */
#include "analytics/universe.h"

#include "core/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AGGREGATE(name) extern const struct aggregate_kind aggregate_##name;
#include "analytics/aggregates.def"
#undef AGGREGATE

const struct aggregate_kind *const aggregate_kinds[] = {
#define AGGREGATE(name) &aggregate_##name,
#include "analytics/aggregates.def"
#undef AGGREGATE
};
const size_t aggregate_kinds_n = ARRAY_LEN(aggregate_kinds);
_Static_assert(ARRAY_LEN(aggregate_kinds) < AGGREGATES_MAX, "room for every kind");

/* ---- what it keeps ---- */
static uint32_t place_of(const struct aggregate_kind *kind)
{
    uint32_t i = 0;
    while (aggregate_kinds[i] != kind) i++;
    return i;
}

enum err universe_ask(struct universe_store *s, struct universe *u,
                      const struct aggregate_kind *kind)
{
    uint32_t at = 0;
    while (at < u->kept_n && place_of(u->kept[at].kind) < place_of(kind)) at++;
    if (at < u->kept_n && u->kept[at].kind == kind) {
        u->kept[at].asked++;
        return ERR_OK;
    }
    void *state = calloc(1, kind->size);
    if (!state) return ERR_NOMEM;
    enum err e = kind->rebuild(s, u, state);
    if (e) {
        free(state);
        return e;
    }
    memmove(&u->kept[at + 1], &u->kept[at], (u->kept_n - at) * sizeof u->kept[0]);
    u->kept[at] = (struct kept){ kind, state, 1 };
    u->kept_n++;
    return ERR_OK;
}

static void drop_kept(struct universe *u, uint32_t at)
{
    if (u->kept[at].kind->release) u->kept[at].kind->release(u->kept[at].state);
    free(u->kept[at].state);
    memmove(&u->kept[at], &u->kept[at + 1], (u->kept_n - at - 1) * sizeof u->kept[0]);
    u->kept_n--;
}

void universe_leave(struct universe *u, const struct aggregate_kind *kind)
{
    uint32_t at = 0;
    while (u->kept[at].kind != kind) at++;
    if (--u->kept[at].asked == 0) drop_kept(u, at);
}

enum err universe_keep_standard(struct universe_store *s, struct universe *u)
{
    enum err e = universe_ask(s, u, &aggregate_equal_weight);
    return e ? e : universe_ask(s, u, &aggregate_order);
}

void universe_release(struct universe *u)
{
    while (u->kept_n) drop_kept(u, u->kept_n - 1);
    free(u->days);
    free(u->refs);
    free(u->closed);
}

/* ---- values ---- */
/* The one place where a line's value changes, so the one from which all sums follow. Of a company
 * with lines of 300 and 200, the first falls to 250: total and company lose 50, and squares are
 * told of 500 -> 450 by company, 300 -> 250 by line. */
static void set_value(struct universe_store *s, struct universe *u, uint32_t no, int64_t price_was,
                      int64_t value)
{
    struct line *l = &s->lines[no];
    struct slot *k = &s->slots[l->slot];
    const struct line_change c = { .line = no,
                                   .slot = l->slot,
                                   .price_was = price_was,
                                   .price_is = l->price_e8,
                                   .was = l->value,
                                   .is = value,
                                   .issuer_was = k->value,
                                   .issuer_is = k->value + value - l->value };
    u->total += value - l->value;
    if (!l->fresh) u->carried += value - l->value;
    l->value = value;
    k->value = c.issuer_is;
    for (uint32_t i = 0; i < u->kept_n; i++) u->kept[i].kind->move(s, u, u->kept[i].state, &c);
}

/* A line begins or ceases to count. Entering a running index it takes the average equal weight,
 * so that it neither waits for the next rebalance nor moves the level; a further line of a
 * company already in takes none until then, when by issuer. Leaving, it leaves its weight to
 * another line of its company. */
static void set_valued(struct universe_store *s, struct universe *u, uint32_t no, bool valued)
{
    struct line *l = &s->lines[no];
    struct slot *k = &s->slots[l->slot];
    if (!valued) {
        equal_weight_leave(s, u, no);
        set_value(s, u, no, l->price_e8, 0);
        l->valued = false;
        u->valued_n--;
        if (--k->lines_n == 0) u->issuers_n--;
        return;
    }
    equal_weight_enter(s, u, no);
    l->valued = true;
    u->valued_n++;
    if (k->lines_n++ == 0) u->issuers_n++;
    set_value(s, u, no, l->price_e8, line_value(l->price_e8, l->shares));
}

/* ---- levels and their chains ---- */
double universe_level(const struct universe *u) { return scale_times(&u->scale, u->total); }

double universe_total_return(const struct universe *u)
{
    return scale_times(&u->scale, u->total + u->dividends) * u->reinvested;
}

void universe_set_ref(struct universe *u, double level_ref, i128 total_ref)
{
    u->level_ref = level_ref;
    u->total_ref = total_ref;
    u->scale =
        level_ref > 0 && total_ref > 0 ? scale_of(level_ref, total_ref) : (struct scale){ 0 };
}

/* NaN: it has no level. */
static double divisor(const struct universe *u)
{
    return u->based ? divisor_of(u->level_ref, u->total_ref) : (double)NAN;
}

static void note_divisor(struct universe_store *s, const struct universe *u, uint32_t line,
                         double before)
{
    divisor_note(&s->divisors, s->lines[line].universe, s->lines[line].instrument,
                 s->divisors.cause.reason, before, divisor(u));
}

void universe_move_ref(struct universe_store *s, struct universe *u, uint32_t line,
                       double level_ref, i128 total_ref)
{
    const double before = divisor(u);
    universe_set_ref(u, level_ref, total_ref);
    note_divisor(s, u, line, before);
}

struct levels {
    double level, ew[EW_VARIANTS];
};

static struct levels levels_now(const struct universe *u)
{
    struct levels v = { .level = universe_level(u) };
    for (int k = 0; k < EW_VARIANTS; k++) v.ew[k] = equal_weight_level(u, k);
    return v;
}

/* From here the levels go on from `v` with the sums as they now are. An index that lost its last
 * member, or whose members are not worth a cent, waits for a new start. */
static void chain_levels(struct universe *u, const struct levels *v)
{
    if (u->valued_n == 0 || u->total == 0 || !(v->level > 0)) {
        u->based = false;
        return;
    }
    universe_set_ref(u, v->level, u->total);
    equal_weight_chain(u, v->ew);
}

/* ---- membership ---- */
static enum err tell_slot(struct universe_store *s, struct universe *u, uint32_t slot)
{
    enum err e = ERR_OK;
    for (uint32_t i = 0; i < u->kept_n && !e; i++)
        if (u->kept[i].kind->slot_added)
            e = u->kept[i].kind->slot_added(s, u, u->kept[i].state, slot);
    return e;
}

static enum err tell_line(struct universe_store *s, struct universe *u, uint32_t line)
{
    enum err e = ERR_OK;
    for (uint32_t i = 0; i < u->kept_n && !e; i++)
        if (u->kept[i].kind->line_added)
            e = u->kept[i].kind->line_added(s, u, u->kept[i].state, line);
    return e;
}

static uint32_t slot_of(const struct universe_store *s, const struct universe *u, uint32_t issuer)
{
    uint32_t k = u->first_slot;
    while (k != NONE && s->slots[k].issuer != issuer) k = s->slots[k].next_of_universe;
    return k;
}

/* A company is a slot from its first line on and for ever: with value 0 it counts nowhere. Found by
 * looking at all, which only a membership does. The aggregates make room before it is in the chain,
 * so that a failure leaves the chain as it was. */
static enum err find_slot(struct universe_store *s, struct universe *u, uint32_t issuer,
                          uint32_t *out)
{
    *out = slot_of(s, u, issuer);
    if (*out != NONE) return ERR_OK;
    if (!VEC_GROW(&s->slots, &s->slots_cap, s->slots_n + 1)) return ERR_NOMEM;
    uint32_t no = (uint32_t)s->slots_n;
    s->slots[no] = (struct slot){ .issuer = issuer, .next_of_universe = u->first_slot };
    enum err e = tell_slot(s, u, no);
    if (e) return e;
    s->slots_n++;
    u->first_slot = no;
    u->slots_n++;
    *out = no;
    return ERR_OK;
}

enum err universe_add_line(struct universe_store *s, struct universe *u, uint32_t universe_no,
                           uint32_t instrument, uint32_t issuer, int64_t own_shares, uint32_t *out)
{
    uint32_t slot;
    if (!VEC_GROW(&s->lines, &s->lines_cap, s->lines_n + 1)) return ERR_NOMEM;
    enum err e = find_slot(s, u, issuer, &slot);
    if (e) return e;
    const uint32_t no = (uint32_t)s->lines_n;
    s->lines[no] = (struct line){ .universe = universe_no,
                                  .instrument = instrument,
                                  .slot = slot,
                                  .next_of_instrument = NONE,
                                  .next_of_universe = u->first_line,
                                  .active = true,
                                  .own_shares = own_shares };
    e = tell_line(s, u, no);
    if (e) return e;
    s->lines_n++;
    u->first_line = no;
    u->lines_n++;
    u->waiting.known = false;
    *out = no;
    return ERR_OK;
}

static struct crossing crossing_of(const struct universe *u, const struct line *l)
{
    return (struct crossing){ .price_e8 = l->price_e8,
                              .shares = l->shares,
                              .total = u->total,
                              .since = u->days_n ? u->days[u->days_n - 1].day : NO_DAY };
}

/* Whatever changes who counts, or with how many shares, passes here: the levels before are the
 * levels after.
 *
 * The price at which a line enters is set before it counts, so its first price moves no level
 * either: an index whose members are priced one after the other does not climb while it fills. A
 * line that counts keeps the price it has, and one that leaves goes with it. */
static void recompose(struct universe_store *s, struct universe *u, uint32_t no, bool active,
                      int64_t shares, int64_t price_e8)
{
    struct line *l = &s->lines[no];
    struct levels v;
    bool based = u->based;
    const double before = divisor(u);
    const i128 total = u->total;
    equal_weight_refresh(s, u);
    if (based) v = levels_now(u);
    bool was = l->valued, is = active && shares > 0 && price_e8 > 0;
    if (was && !is) {
        l->left = crossing_of(u, l);
        set_valued(s, u, no, false);
    }
    l->shares = shares;
    if (!was || !is) l->price_e8 = price_e8;
    u->recomposed |= was != is;
    u->waiting.known = false;
    if (l->active && !active) u->lines_n--;
    l->active = active;
    if (!was && is) {
        set_valued(s, u, no, true);
        l->entered = crossing_of(u, l);
    }
    if (was && is) set_value(s, u, no, l->price_e8, line_value(l->price_e8, shares));
    if (based && (was || is)) chain_levels(u, &v);
    /* Chained over nothing, as when a membership is said again, the level is but measured otherwise. */
    if (based && (u->total != total || !u->based)) note_divisor(s, u, no, before);
}

void universe_remove_line(struct universe_store *s, struct universe *u, uint32_t no)
{
    recompose(s, u, no, false, s->lines[no].shares, s->lines[no].price_e8);
}

enum err universe_rejoin(struct universe_store *s, struct universe *u, uint32_t no, uint32_t issuer,
                         int64_t price_e8)
{
    uint32_t slot;
    enum err e = find_slot(s, u, issuer, &slot);
    if (e) return e;
    struct line *l = &s->lines[no];
    l->slot = slot;
    l->price_e8 = price_e8;
    l->active = true;
    l->fresh = false;
    u->lines_n++;
    u->waiting.known = false;
    return ERR_OK;
}

/* ---- a line of another company ---- */
/* Of one that counts, its value goes out of one company's sums and into another's. */
static void change_slot(struct universe_store *s, struct universe *u, uint32_t no, uint32_t slot,
                        bool anew)
{
    struct line *l = &s->lines[no];
    const int64_t value = l->value;
    if (l->valued) {
        if (anew) equal_weight_part(s, u, no);
        set_value(s, u, no, l->price_e8, 0);
        if (--s->slots[l->slot].lines_n == 0) u->issuers_n--;
    }
    l->slot = slot;
    if (l->valued) {
        if (anew) equal_weight_arrive(s, u, no);
        if (s->slots[slot].lines_n++ == 0) u->issuers_n++;
        set_value(s, u, no, l->price_e8, value);
    }
}

enum err universe_give_line(struct universe_store *s, struct universe *u, uint32_t no,
                            uint32_t issuer)
{
    uint32_t slot;
    struct levels v;
    enum err e = find_slot(s, u, issuer, &slot);
    const struct line *l = &s->lines[no];
    if (e || l->slot == slot) return e;
    const bool anew = u->based && l->valued && s->slots[l->slot].lines_n > 1;
    if (anew) {
        equal_weight_refresh(s, u);
        v = levels_now(u);
    }
    change_slot(s, u, no, slot, anew);
    if (anew) equal_weight_chain(u, v.ew);
    return ERR_OK;
}

enum err universe_merge_companies(struct universe_store *s, struct universe *u, uint32_t from,
                                  uint32_t to)
{
    const uint32_t old = slot_of(s, u, from);
    uint32_t slot;
    if (old == NONE) return ERR_OK;
    enum err e = find_slot(s, u, to, &slot);
    if (e) return e;
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe)
        if (s->lines[no].slot == old) change_slot(s, u, no, slot, false);
    return ERR_OK;
}

void universe_set_shares(struct universe_store *s, struct universe *u, uint32_t no, int64_t shares)
{
    struct line *l = &s->lines[no];
    const i128 before = u->total;
    const bool jumps = universe_jumps(l->shares, shares);
    recompose(s, u, no, l->active, shares, l->price_e8);
    if (!jumps) return;
    l->total_before = before;
    l->total_after = u->total;
    l->shares_since = u->days_n ? u->days[u->days_n - 1].day : NO_DAY;
}

void universe_set_price(struct universe_store *s, struct universe *u, uint32_t no, int64_t price_e8,
                        int64_t event_ns)
{
    struct line *l = &s->lines[no];
    if (!l->active) return;
    if (event_ns > u->last_ns) u->last_ns = event_ns;
    if (!l->valued) {
        recompose(s, u, no, true, l->shares, price_e8);
        return;
    }
    int64_t was = l->price_e8;
    /* After a split the line keeps its value until a price comes, be it the rounded one at which it stands (universe_restate). */
    if (price_e8 == was && l->value == line_value(price_e8, l->shares)) return;
    l->price_e8 = price_e8;
    set_value(s, u, no, was, line_value(price_e8, l->shares));
}

void universe_restate(struct universe_store *s, struct universe *u, uint32_t no, int64_t price_e8,
                      int64_t shares, int64_t value)
{
    s->lines[no].price_e8 = price_e8;
    s->lines[no].shares = shares;
    set_value(s, u, no, price_e8, value);
}

/* ---- sessions ---- */
void universe_start(struct universe_store *s, struct universe *u)
{
    u->based = true;
    u->reinvested = 1;
    u->dividends = 0;
    universe_set_ref(u, u->base, u->total);
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe)
        if (s->lines[no].valued) s->lines[no].entered = crossing_of(u, &s->lines[no]);
    divisor_note(&s->divisors, s->lines[u->first_line].universe, NONE, DIVISOR_START, (double)NAN,
                 divisor(u));
    for (int k = 0; k < EW_VARIANTS; k++) equal_weight_restore(s, u, k, u->base);
}

void universe_rebalance(struct universe_store *s, struct universe *u, enum ew ew, bool at_close)
{
    if (!u->based) return;
    equal_weight_refresh(s, u);
    for (int by = 0; by < BY_COUNT; by++) {
        int k = ew_variant(ew, (enum by)by);
        if (at_close && u->days_n && !u->recomposed)
            equal_weight_restore_at_close(s, u, k, u->days[u->days_n - 1].ew[k]);
        else equal_weight_restore(s, u, k, equal_weight_level(u, k));
    }
}

/* ---- what an ended session's levels were made of ---- */
static void drop_older(struct universe *u)
{
    if (u->refs_n <= SESSIONS_KEPT) return;
    size_t gone = u->refs_n - SESSIONS_KEPT, lines = 0;
    int32_t first = u->refs[gone].day;
    while (lines < u->closed_n && u->closed[lines].day < first) lines++;
    memmove(u->refs, u->refs + gone, SESSIONS_KEPT * sizeof u->refs[0]);
    memmove(u->closed, u->closed + lines, (u->closed_n - lines) * sizeof u->closed[0]);
    u->refs_n -= gone;
    u->closed_n -= lines;
}

static void keep_line(struct universe *u, const struct universe_store *s, uint32_t no, int32_t day)
{
    const struct line *l = &s->lines[no];
    struct session_line *x = &u->closed[u->closed_n++];
    *x = (struct session_line){
        .day = day, .line = no, .shares = l->shares, .close_e8 = l->price_e8
    };
    memcpy(x->q, l->q, sizeof x->q);
}

static enum err keep_session(struct universe_store *s, struct universe *u, int32_t day)
{
    if (!VEC_GROW(&u->refs, &u->refs_cap, u->refs_n + 1)
        || !VEC_GROW(&u->closed, &u->closed_cap, u->closed_n + u->valued_n))
        return ERR_NOMEM;
    struct session_refs *d = &u->refs[u->refs_n++];
    *d = (struct session_refs){ .day = day, .level_ref = u->level_ref, .total_ref = u->total_ref };
    for (int k = 0; k < EW_VARIANTS; k++) {
        d->ew_level_ref[k] = equal_weight_of(u, k)->level_ref;
        d->ew_ref[k] = equal_weight_of(u, k)->ref;
    }
    for (uint32_t no = u->first_line; no != NONE; no = s->lines[no].next_of_universe)
        if (s->lines[no].valued) keep_line(u, s, no, day);
    drop_older(u);
    return ERR_OK;
}

struct session_line *universe_line_then(struct universe *u, uint32_t line, int32_t day)
{
    for (size_t k = 0; k < u->closed_n; k++)
        if (u->closed[k].day == day && u->closed[k].line == line) return &u->closed[k];
    return NULL;
}

static const struct session_refs *refs_of_session(const struct universe *u, int32_t day)
{
    for (size_t i = 0; i < u->refs_n; i++)
        if (u->refs[i].day == day) return &u->refs[i];
    return NULL;
}

static struct level_day *level_of_session(struct universe *u, int32_t day)
{
    for (size_t i = u->days_n; i-- > 0 && u->days[i].day >= day;)
        if (u->days[i].day == day) return &u->days[i];
    return NULL;
}

bool universe_closed_at(struct universe *u, uint32_t line, int32_t day, int64_t price_e8)
{
    const struct session_line *x = universe_line_then(u, line, day);
    return x && x->close_e8 == price_e8;
}

void universe_correct_close(struct universe *u, uint32_t line, int32_t day, int64_t close_e8)
{
    struct session_line *x = universe_line_then(u, line, day);
    const struct session_refs *r = refs_of_session(u, day);
    struct level_day *d = level_of_session(u, day);
    if (!x || !r || !d || close_e8 <= 0)
        return; /* it counted there, when its prices were above 0 */
    d->total += line_value(close_e8, x->shares) - line_value(x->close_e8, x->shares);
    d->level = universe_level_from(r->level_ref, r->total_ref, d->total);
    for (int k = 0; k < EW_VARIANTS; k++) {
        d->sums[k] += (i128)x->q[k] * (close_e8 - x->close_e8);
        d->ew[k] = universe_level_from(r->ew_level_ref[k], r->ew_ref[k], d->sums[k]);
    }
    x->close_e8 = close_e8;
}

enum err universe_close_day(struct universe_store *s, struct universe *u, int32_t day)
{
    if (!VEC_GROW(&u->days, &u->days_cap, u->days_n + 1)) return ERR_NOMEM;
    equal_weight_refresh(s, u);
    struct levels v = levels_now(u);
    struct level_day *d = &u->days[u->days_n++];
    *d = (struct level_day){ .day = day, .level = v.level, .total = u->total };
    memcpy(d->ew, v.ew, sizeof d->ew);
    for (int k = 0; k < EW_VARIANTS; k++) d->sums[k] = equal_weight_of(u, k)->sum;
    u->recomposed = false;
    if (u->dividends && u->total > 0) u->reinvested *= ratio(u->total + u->dividends, u->total);
    u->dividends = 0;
    return keep_session(s, u, day);
}
