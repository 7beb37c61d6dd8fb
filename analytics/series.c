/* series.c - see series.h. One record's way, with rules on 1 last(A), 2 change(1, over=5m) and 3
 * max(2, over=20d):
 *
 *   a trade of A       touches the chain of A: series 1, since somebody looks at it (watched, or parents > 0)
 *   series_settle      1: read, 101.5; its parent 2 is told and now stands at +1.5; its parent 3 is told that. Moved are
 *                      1, 2, 3 as far as rules watch them, in this order
 *   a trade of B       touches nothing here: no reading of 1, 2 or 3 is made */
#include "analytics/series.h"

#include "analytics/books/books.h"
#include "analytics/calendars.h"
#include "analytics/symbols.h"
#include "analytics/window.h"
#include "core/vec.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const return_names[] = { [RETURN_PRICE] = "price", [RETURN_TOTAL] = "total", NULL };

/* ---- finding ---- */
struct series_key {
    struct uuid tenant;
    const char *text;
};

static bool series_matches(const void *ctx, uint32_t v, const void *key)
{
    const struct series *s = &((const struct market *)ctx)->series[v];
    const struct series_key *k = key;
    return uuid_equal(s->tenant, k->tenant) && strcmp(s->text, k->text) == 0;
}

static uint64_t series_hash(const struct series_key *k)
{
    return map_hash(k->text, strlen(k->text)) ^ map_hash(k->tenant.b, 16);
}

uint32_t series_find(const struct market *m, struct uuid tenant, const char *canonical)
{
    struct series_key key = { tenant, canonical };
    return map_find(&m->by_series, series_hash(&key), series_matches, m, &key);
}

const struct instrument *series_instrument(const struct market *m, const struct series *s)
{
    return &m->instruments[s->subject];
}
struct universe *series_universe(const struct market *m, const struct series *s)
{
    return &m->universes[s->subject];
}

static uint32_t first_venue(const struct market *m)
{
    for (size_t i = 0; i < m->universes_n; i++)
        if (!m->universes[i].book) return m->universes[i].venue;
    return 0;
}

uint32_t series_venue(const struct market *m, const struct series *s)
{
    while (s->subject_type == SUBJECT_SERIES) s = &m->series[s->subject];
    switch (s->subject_type) {
    case SUBJECT_INSTRUMENT: return series_instrument(m, s)->venue;
    case SUBJECT_INDEX: return series_universe(m, s)->venue;
    case SUBJECT_BOOK:
    case SUBJECT_SERIES: break;
    }
    return first_venue(m);
}

void series_drop_window(struct market *m, struct series *s)
{
    (void)m;
    window_free(s->window);
    s->window = NULL;
}

static struct str book_name(const struct measure *x)
{
    return str_of(x->subject + strlen("book:"));
}

static struct symbol symbol_named(const char *name)
{
    struct symbol s = { { 0 } };
    memcpy(s.s, name, strnlen(name, SYMBOL_MAX));
    return s;
}

static uint32_t instrument_named(const struct market *m, const char *name)
{
    const struct symbol s = symbol_named(name);
    return market_instrument(m, &s);
}

static enum err unknown_instrument(const struct market *m, const char *name, struct why *why)
{
    const struct symbol s = symbol_named(name);
    return symbols_unknown(m, &s, why);
}

/* The number of what the measure is taken of, NONE when there is none (and why). A book that has
 * no position yet is none. */
static uint32_t subject_number(const struct market *m, struct uuid tenant, const struct measure *x,
                               enum err *e, struct why *why)
{
    uint32_t no = NONE;
    switch (x->subject_type) {
    case SUBJECT_INSTRUMENT:
        no = instrument_named(m, x->subject);
        if (no == NONE) *e = unknown_instrument(m, x->subject, why);
        return no;
    case SUBJECT_INDEX: {
        const struct universe *u = market_index(m, str_of(x->subject));
        if (u) return (uint32_t)(u - m->universes);
        *e = err_set(why, ERR_UNKNOWN_INDEX, "index %s has no index record yet", x->subject);
        return NONE;
    }
    case SUBJECT_BOOK: return books_number(m, tenant, book_name(x));
    case SUBJECT_SERIES: return series_find(m, tenant, x->subject);
    }
    return NONE;
}

enum err series_can_track(const struct market *m, struct uuid tenant, const struct measure *x,
                          struct why *why)
{
    enum err e = ERR_OK;
    if (x->subject_type == SUBJECT_SERIES) {
        struct measure inner = measure_inner(x);
        return series_can_track(m, tenant, &inner, why);
    }
    if (x->subject_type == SUBJECT_BOOK)
        return uuid_is_none(tenant) ? err_set(why, ERR_INVALID, "a book belongs to a tenant")
                                    : ERR_OK;
    subject_number(m, tenant, x, &e, why);
    return e;
}

struct range series_range(const struct market *m, const struct measure *x)
{
    struct measure bottom = *x;
    while (bottom.subject_type == SUBJECT_SERIES) bottom = measure_inner(&bottom);
    const uint32_t no =
        bottom.subject_type == SUBJECT_INSTRUMENT ? instrument_named(m, bottom.subject) : NONE;
    return measure_range(x, no != NONE && m->instruments[no].negative_prices);
}

/* ---- beginning ---- */
static enum err set_live(struct market *m, uint32_t no);

static enum err find_subject(struct market *m, struct uuid tenant, const struct measure *x,
                             uint32_t *out, struct why *why)
{
    enum err e = ERR_OK;
    if (x->subject_type == SUBJECT_BOOK) return books_find(m, tenant, book_name(x), out);
    if (x->subject_type == SUBJECT_SERIES) {
        struct measure inner = measure_inner(x);
        return series_track(m, tenant, &inner, out, why);
    }
    *out = subject_number(m, tenant, x, &e, why);
    return e;
}

/* Where a move of the subject finds its series; NULL: it does not (news and facts go through
 * `slow`). */
static uint32_t *chain_of(struct market *m, const struct series *s)
{
    if (s->kind->moved_by & CAUSE_SUBJECT) return &m->series[s->subject].first_parent;
    if (!(s->kind->moved_by & CAUSE_PRICE)) return NULL;
    return s->subject_type == SUBJECT_INSTRUMENT ? &m->instruments[s->subject].first_series
                                                 : &m->universes[s->subject].first_series;
}

/* Into the map, into the chain that moves it, and room for it among what a record can touch and
 * move. Only what a tick may move hangs on a chain: a trade of one of 500 names looks at the series
 * of that name and of its indices, and at no others. */
static enum err link_series(struct market *m, uint32_t no)
{
    struct series *s = &m->series[no];
    struct series_key key = { s->tenant, s->text };
    if (!map_add(&m->by_series, series_hash(&key), no)) return ERR_NOMEM;
    uint32_t *chain = chain_of(m, s);
    if (chain) {
        s->next_of_subject = *chain;
        *chain = no;
    } else {
        if (!VEC_GROW(&m->slow, &m->slow_cap, m->slow_n + 1)) return ERR_NOMEM;
        m->slow[m->slow_n++] = no;
    }
    return VEC_GROW(&m->touched, &m->touched_cap, no + 1)
                   && VEC_GROW(&m->moved, &m->moved_cap, no + 1)
               ? ERR_OK
               : ERR_NOMEM;
}

/* max(last(A)): last(A) is found or added first, so that its number is smaller; then max itself.
 * The same text twice is one series, of a book one a tenant. Under drop_unasked it is not live
 * until somebody asks. */
enum err series_track(struct market *m, struct uuid tenant, const struct measure *asked,
                      uint32_t *out, struct why *why)
{
    struct measure canonical = *asked;
    const struct measure *x = &canonical;
    symbols_canonical(m, &canonical);
    struct series s = { .tenant = tenant,
                        .kind = x->kind,
                        .unit = measure_unit(x),
                        .args = x->args,
                        .subject_type = x->subject_type,
                        .next_of_subject = NONE,
                        .first_parent = NONE };
    measure_format(x, s.text);
    *out = series_find(m, tenant, s.text);
    if (*out != NONE) return ERR_OK;
    enum err e = find_subject(m, tenant, x, &s.subject, why);
    if (e) return e;
    if (!VEC_GROW(&m->series, &m->series_cap, m->series_n + 1)) return ERR_NOMEM;
    *out = (uint32_t)m->series_n++;
    m->series[*out] = s;
    e = link_series(m, *out);
    return e ? e : set_live(m, *out);
}

/* ---- another symbol at the bottom ---- */
static bool is_renamed(const struct market *m, uint32_t no)
{
    for (size_t i = 0; i < m->renamed_n; i++)
        if (m->renamed[i] == no) return true;
    return false;
}

/* Number, place in its chain, askers and window stay: only what it is called changes. The map has
 * room: one text goes before the other comes. */
static void set_text(struct market *m, uint32_t no, const char *subject)
{
    struct series *s = &m->series[no];
    struct measure x = { .kind = s->kind, .subject_type = s->subject_type, .args = s->args };
    memcpy(x.subject, subject, strlen(subject) + 1);
    struct series_key key = { s->tenant, s->text };
    map_remove(&m->by_series, series_hash(&key), no);
    memset(s->text, 0, sizeof s->text);
    measure_format(&x, s->text);
    const bool had_room = map_add(&m->by_series, series_hash(&key), no);
    assert(had_room);
}

/* FB is META now, with 4 last(FB) and 7 max(last(FB)): 4 becomes last(META), and so 7
 * max(last(META)). What a series is taken of has a smaller number, and so its new text already.
 * No two series can come to the same text, for no two instruments have the same symbol. */
enum err series_rename(struct market *m, uint32_t instrument)
{
    m->renamed_n = 0;
    if (!VEC_GROW(&m->renamed, &m->renamed_cap, m->series_n)) return ERR_NOMEM;
    for (uint32_t i = 0; i < m->series_n; i++) {
        const struct series *s = &m->series[i];
        const bool of_it = s->subject_type == SUBJECT_INSTRUMENT
                               ? s->subject == instrument
                               : s->subject_type == SUBJECT_SERIES && is_renamed(m, s->subject);
        if (!of_it) continue;
        set_text(m, i,
                 s->subject_type == SUBJECT_INSTRUMENT ? m->instruments[instrument].symbol.s
                                                       : m->series[s->subject].text);
        m->renamed[m->renamed_n++] = i;
    }
    m->generation++;
    return ERR_OK;
}

/* ---- who asks ---- */
static enum err begin_series(struct market *m, uint32_t no)
{
    struct series *s = &m->series[no];
    if (s->subject_type == SUBJECT_SERIES) {
        m->series[s->subject].parents++;
        m->parents_n++;
        enum err e = set_live(m, s->subject);
        if (e) return e;
    }
    enum err e = s->kind->begin ? s->kind->begin(m, s) : ERR_OK;
    s = &m->series[no]; /* it may have begun others, and all of them have moved */
    if (!e && s->kind->session) s->kind->session(m, s);
    return e;
}

static enum err end_series(struct market *m, uint32_t no)
{
    struct series *s = &m->series[no];
    if (s->kind->end) s->kind->end(m, s);
    if (s->subject_type != SUBJECT_SERIES) return ERR_OK;
    m->series[s->subject].parents--;
    m->parents_n--;
    return set_live(m, s->subject);
}

/* Live or not, by who asks now. A rule on 3 max(2), the only one, is deleted: 3 has nobody, ends,
 * lets go of its window, and 2 has a parent less; so 2 ends, and 1. All three keep number, text and
 * place in their chains: asked for again, 3 begins anew with an empty window, its history goes on.
 * */
static enum err set_live(struct market *m, uint32_t no)
{
    struct series *s = &m->series[no];
    bool live = !m->settings.drop_unasked || s->configured || s->asked > 0 || s->parents > 0;
    if (live == s->live) return ERR_OK;
    s->live = live;
    s->stored.ever = false;
    s->read_at = 0;
    m->generation++;
    return live ? begin_series(m, no) : end_series(m, no);
}

enum err series_configure(struct market *m, uint32_t no)
{
    if (!m->series[no].configured) m->generation++;
    m->series[no].configured = true;
    return set_live(m, no);
}

enum err series_ask(struct market *m, uint32_t no, int by)
{
    m->series[no].asked += by;
    assert(m->series[no].asked >= 0);
    return set_live(m, no);
}

enum err series_lean(struct market *m, uint32_t no, int by)
{
    m->series[no].parents += by;
    m->parents_n += (size_t)by;
    return set_live(m, no);
}

enum err series_unask(struct market *m)
{
    const bool had = m->settings.drop_unasked;
    for (size_t i = 0; i < m->series_n; i++) m->series[i].asked = m->series[i].watchers = 0;
    m->settings.drop_unasked = true;
    enum err e = series_review(m);
    m->settings.drop_unasked = had;
    return e;
}

void series_watch(struct market *m, uint32_t no, int by)
{
    m->series[no].watchers += by;
    assert(m->series[no].watchers >= 0);
}

/* From the end: what is taken of others goes before them, and so lets them go. */
enum err series_review(struct market *m)
{
    for (size_t i = m->series_n; i-- > 0;) {
        enum err e = set_live(m, (uint32_t)i);
        if (e) return e;
    }
    return ERR_OK;
}

/* ---- moves ---- */
static bool looked_at(const struct series *s)
{
    return s->live && (s->watchers > 0 || s->parents > 0);
}

void series_touch(struct market *m, uint32_t first)
{
    if (m->all_touched) return;
    for (uint32_t i = first; i != NONE; i = m->series[i].next_of_subject)
        if (looked_at(&m->series[i]))
            m->touched[m->touched_n++] = i; /* room for every series: see link_series */
}

void series_touch_cause(struct market *m, unsigned causes)
{
    if (m->all_touched) return;
    for (size_t k = 0; k < m->slow_n; k++) {
        const struct series *s = &m->series[m->slow[k]];
        if ((s->kind->moved_by & causes) && looked_at(s)) m->touched[m->touched_n++] = m->slow[k];
    }
}

/* For the clock, with which everything may age. What is taken of another is told by that one. */
void series_touch_all(struct market *m)
{
    m->all_touched = true;
    m->touched_n = 0;
    for (size_t i = 0; i < m->series_n; i++)
        if (m->series[i].subject_type != SUBJECT_SERIES && looked_at(&m->series[i]))
            m->touched[m->touched_n++] = (uint32_t)i;
}

/* Depth first, along chains whose order follows from the numbers alone (link_series puts the newest
 * first, after a load too): the order of moves, and so of alerts, is the same in every replay. A
 * series has one subject, so none is passed twice; how deep it goes is bounded by the text's
 * length. */
static enum err pass_on(struct market *m, uint32_t no)
{
    if (m->series[no].watchers > 0) m->moved[m->moved_n++] = no;
    if (m->series[no].parents == 0) return ERR_OK;
    const struct reading *r = series_reading(m, no);
    for (uint32_t p = m->series[no].first_parent; p != NONE; p = m->series[p].next_of_subject) {
        struct series *parent = &m->series[p];
        if (!parent->live) continue;
        enum err e = parent->kind->subject_moved(m, parent, r);
        if (!e) e = pass_on(m, p);
        if (e) return e;
    }
    return ERR_OK;
}

enum err series_settle(struct market *m)
{
    if (m->parents_n == 0) { /* nothing is taken of anything: what was touched is watched */
        uint32_t *moved = m->moved;
        size_t cap = m->moved_cap;
        m->moved = m->touched, m->moved_n = m->touched_n, m->moved_cap = m->touched_cap;
        m->touched = moved, m->touched_n = 0, m->touched_cap = cap;
        return ERR_OK;
    }
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->touched_n && !e; i++) e = pass_on(m, m->touched[i]);
    return e;
}

void series_session(struct market *m)
{
    for (size_t i = 0; i < m->series_n; i++) {
        struct series *s = &m->series[i];
        if (s->live && s->kind->session) s->kind->session(m, s);
    }
}

/* ---- reading ---- */
static const struct reading NO_READING = { .value = NAN, .status = READING_NO_DATA };

void reading_none(struct reading *out) { *out = NO_READING; }

static bool is_old(const struct market *m, uint32_t venue, const struct reading *r)
{
    const int64_t bound = m->settings.stale_after_ns;
    if (bound <= 0 || r->staleness_ns <= bound) return false;
    return calendars_age_ns(m, venue, r->event_ns, bound) > bound;
}

void reading_finish(const struct market *m, uint32_t venue, struct reading *r)
{
    r->staleness_ns = m->now_ns > r->event_ns ? m->now_ns - r->event_ns : 0;
    if (r->status == READING_OK)
        r->status = !isfinite(r->value)   ? READING_NO_DATA
                    : is_old(m, venue, r) ? READING_STALE
                                          : READING_OK;
    if (!reading_has_value(r->status)) r->value = NAN;
}

const struct reading *series_reading(const struct market *m, uint32_t no)
{
    struct series *s = &m->series[no]; /* remembering changes no answer */
    if (s->read_at == m->turn) return &s->reading;
    if (!s->live) return &NO_READING; /* what it needs may not be kept any more */
    s->kind->read(m, s, &s->reading);
    s->read_at = m->turn;
    return &s->reading;
}

static bool equal(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* hhi(X) is 2512.5 at 10:00:00, at 10:00:01 and, until A trades, at each second to 10:07:31: of
 * 452 samples two are stored, that of 10:00:00 and the first that differs. A session's end is
 * stored whatever it says: what an end was, nobody has to look back for. */
static bool says_new(const struct market *m, const struct series *s, const struct reading *r,
                     bool end)
{
    const struct stored_reading *t = &s->stored;
    return end || !m->settings.readings_on_change || !t->ever || t->status != r->status
           || t->version != s->kind->version || !equal(t->value, r->value)
           || !equal(t->coverage, r->coverage);
}

static void see_value(struct series *s, double value, int64_t now_ns)
{
    if (s->seen_n++ == 0) {
        s->low = s->high = value;
        s->seen_ns = now_ns;
    }
    if (value < s->low) s->low = value;
    if (value > s->high) s->high = value;
}

void series_sampled(struct market *m, bool end)
{
    for (size_t i = 0; i < m->series_n; i++) {
        struct series *s = &m->series[i];
        s->tells = false;
        if (!s->live) continue;
        const struct reading *r = series_reading(m, (uint32_t)i);
        if (reading_has_value(r->status)) see_value(s, r->value, m->now_ns);
        s->tells = says_new(m, s, r, end);
        if (s->tells)
            s->stored =
                (struct stored_reading){ true, r->value, r->coverage, r->status, s->kind->version };
    }
}

/* Of a series its text is saved, and kind, arguments and subject are read from it again: no place
 * in a list of measures is ever trusted. A measure that this program does not have makes the whole
 * state unreadable, with its name in the reason. */
enum err series_restore(struct market *m, uint32_t no, struct why *why)
{
    struct series *s = &m->series[no];
    struct measure x;
    enum err e = measure_parse(s->text, strnlen(s->text, sizeof s->text), &x, why);
    if (e) return ERR_INVALID;
    s->kind = x.kind;
    s->unit = measure_unit(&x);
    s->args = x.args;
    s->subject_type = x.subject_type;
    s->next_of_subject = s->first_parent = NONE;
    s->subject = subject_number(m, s->tenant, &x, &e, why);
    if (e || s->subject == NONE || (s->subject_type == SUBJECT_SERIES && s->subject >= no))
        return err_set(why, ERR_INVALID, "series %s is saved without what it is taken of", s->text);
    return link_series(m, no);
}
