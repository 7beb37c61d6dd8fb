#include "analytics/engine.h"

#include "analytics/holdings.h"
#include "analytics/index.h"
#include "analytics/state.h"
#include "core/map.h"
#include "core/utf8.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NAMES(reading_status, READING_STATUSES);
const char *reading_status_name(enum reading_status s)
{
    return names_text(&reading_status_names, (int)s);
}

/* ---- finding things ---- */
struct series_key {
    struct uuid tenant;
    const char *text;
};

static bool symbol_is(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct engine *)ctx)->instruments[v].symbol.s, key, SYMBOL_MAX + 1) == 0;
}
static bool issuer_is(const void *ctx, uint32_t v, const void *key)
{
    return strcmp(((const struct engine *)ctx)->issuers[v].key, key) == 0;
}
static bool series_is(const void *ctx, uint32_t v, const void *key)
{
    const struct series *s = &((const struct engine *)ctx)->series[v];
    const struct series_key *k = key;
    return uuid_equal(s->tenant, k->tenant) && strcmp(s->text, k->text) == 0;
}
static uint64_t series_hash(const struct series_key *k)
{
    return map_hash(k->text, strlen(k->text)) ^ map_hash(k->tenant.b, 16);
}

int32_t engine_instrument(const struct engine *e, const struct symbol *s)
{
    uint32_t v = map_find(&e->by_symbol, map_hash(s->s, sizeof s->s), symbol_is, e, s->s);
    return v == MAP_NONE ? -1 : (int32_t)v;
}

static struct index *index_named(const struct engine *e, const char *name, size_t n)
{
    for (size_t i = 0; i < e->indexes_n; i++) /* a handful: no map */
        if (strlen(e->indexes[i].name) == n && memcmp(e->indexes[i].name, name, n) == 0)
            return &e->indexes[i];
    return NULL;
}

/* cut, where it must be, between two characters: names go to the database */
static void copy_text(char *out, size_t cap, struct str s)
{
    size_t n = s.n < cap ? s.n : utf8_valid_prefix(s.p, cap - 1);
    memset(out, 0, cap);
    if (n) memcpy(out, s.p, n);
}

static enum err issuer_of(struct engine *e, struct str text, uint32_t *out)
{
    char key[NAME_MAX_BYTES + 1];
    copy_text(key, sizeof key, text);
    uint64_t h = map_hash(key, strlen(key));
    uint32_t v = map_find(&e->by_issuer, h, issuer_is, e, key);
    if (v == MAP_NONE) {
        if (!VEC_GROW(&e->issuers, &e->issuers_cap, e->issuers_n + 1)
            || !map_add(&e->by_issuer, h, (uint32_t)e->issuers_n))
            return ERR_NOMEM;
        v = (uint32_t)e->issuers_n++;
        memset(&e->issuers[v], 0, sizeof e->issuers[v]);
        memcpy(e->issuers[v].key, key, sizeof key);
        memcpy(e->issuers[v].name, key, sizeof key);
        e->issuers[v].first_exposure = NONE;
    }
    *out = v;
    return ERR_OK;
}

/* ---- what a record touches ---- */
static void touch(struct engine *e, uint32_t first)
{
    for (uint32_t i = first; i != NONE; i = e->series[i].next_of_subject)
        if (e->series[i].watchers > 0)
            e->moved[e->moved_n++] = i; /* room for every series: see engine_track */
}

static void touch_slow(struct engine *e)
{
    for (size_t i = 0; i < e->series_n; i++) {
        enum measure_id id = e->series[i].measure.id;
        if (e->series[i].watchers > 0
            && (id == MEASURE_SENTIMENT || id == MEASURE_AI_SENTIMENT || id == MEASURE_AI_EXPOSURE))
            e->moved[e->moved_n++] = (uint32_t)i;
    }
}

static void touch_all(struct engine *e)
{
    for (size_t i = 0; i < e->series_n; i++)
        if (e->series[i].watchers > 0) e->moved[e->moved_n++] = (uint32_t)i;
}

/* ---- sessions ---- */
static int32_t third_friday(struct civil c)
{
    int32_t first = day_from_civil(c.year, c.month, 1);
    return first + (4 - weekday_of_day(first) + 7) % 7 + 14;
}

/* The first price of a new session: what was due at the last session's close happens now, at the prices of that close, because
 * only now is it known that the month or quarter is over. */
static void begin_session(struct engine *e, int32_t day)
{
    struct civil was = civil_from_day(e->session_day), is = civil_from_day(day);
    bool month = was.month != is.month || was.year != is.year;
    bool quarter = (was.month - 1) / 3 != (is.month - 1) / 3 || was.year != is.year;
    bool friday = false;
    for (struct civil c = was; c.year < is.year || (c.year == is.year && c.month <= is.month);) {
        if (c.month % 3 == 0 && third_friday(c) >= e->session_day && third_friday(c) < day)
            friday = true;
        c = c.month == 12 ? (struct civil){ c.year + 1, 1, 1 }
                          : (struct civil){ c.year, c.month + 1, 1 };
    }
    for (size_t i = 0; i < e->indexes_n; i++) {
        struct index *x = &e->indexes[i];
        index_rebalance(&e->store, x, EW_DAILY);
        if (month) index_rebalance(&e->store, x, EW_MONTHLY);
        if (quarter) index_rebalance(&e->store, x, EW_QUARTERLY);
        if (friday) index_rebalance(&e->store, x, EW_THIRD_FRIDAY);
    }
    e->in_session = true;
    e->session_day = day;
}

static void price_day(struct engine *e, int32_t day)
{
    if (e->session_day == NO_DAY) {
        e->session_day = day;
        e->in_session = true;
    } else if (day > e->session_day) begin_session(e, day);
}

static enum err end_session(struct engine *e, int32_t day)
{
    if (e->session_day != NO_DAY
        && (day < e->session_day || (day == e->session_day && !e->in_session)))
        return ERR_OK; /* said again */
    price_day(e, day);
    e->in_session = false;
    for (size_t i = 0; i < e->indexes_n; i++) {
        struct index *x = &e->indexes[i];
        if (!x->based && x->total > 0 && index_coverage(x) >= e->gate) index_start(&e->store, x);
        if (x->based) {
            enum err err = index_close_day(x, day);
            if (err) return err;
        }
    }
    for (size_t i = 0; i < e->instruments_n; i++) {
        struct instrument *m = &e->instruments[i];
        if (m->price_e8 == 0) continue;
        if (!VEC_GROW(&e->closes, &e->closes_cap, e->closes_n + 1)) return ERR_NOMEM;
        e->closes[e->closes_n] =
            (struct close){ .day = day, .previous = m->last_close, .price_e8 = m->price_e8 };
        m->last_close = (uint32_t)e->closes_n++;
    }
    return ERR_OK;
}

/* ---- records ---- */
static enum err apply_price(struct engine *e, const struct symbol *symbol, int64_t price_e8,
                            int32_t day, int64_t event_ns, struct why *why)
{
    int32_t id = engine_instrument(e, symbol);
    if (id < 0)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %.15s has no instrument record yet",
                       symbol->s);
    struct instrument *m = &e->instruments[id];
    if (!value_fits(price_e8, m->shares_max))
        return err_set(why, ERR_INVALID, "price times shares of %.15s is above %" PRId64 " cents",
                       symbol->s, VALUE_MAX);
    price_day(e, day);
    m->price_e8 = price_e8;
    if (event_ns > m->price_ns) m->price_ns = event_ns;
    for (uint32_t no = m->first_line; no != NONE; no = e->store.lines[no].next_of_instrument) {
        struct index *x = &e->indexes[e->store.lines[no].index];
        index_set_price(&e->store, x, no, price_e8, event_ns);
        touch(e, x->first_series);
    }
    touch(e, m->first_series);
    return ERR_OK;
}

static int64_t shares_of(const struct instrument *m, const struct line *l)
{
    int64_t shares = l->own_shares ? l->own_shares : m->shares;
    return (int64_t)((i128)shares * m->float_e8 / 100000000);
}

static enum err find_instrument(struct engine *e, const struct symbol *s, struct instrument **out,
                                struct why *why)
{
    int32_t id = engine_instrument(e, s);
    if (id < 0)
        return err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %.15s has no instrument record yet", s->s);
    *out = &e->instruments[id];
    return ERR_OK;
}

static bool is_member(const struct engine *e, const struct instrument *m)
{
    for (uint32_t no = m->first_line; no != NONE; no = e->store.lines[no].next_of_instrument)
        if (e->store.lines[no].active) return true;
    return false;
}

static enum err apply_instrument(struct engine *e, const struct record *r, struct why *why)
{
    uint32_t issuer;
    int32_t id = engine_instrument(e, &r->u.instrument.symbol);
    if (id >= 0 && is_member(e, &e->instruments[id])) {
        const char *key = e->issuers[e->instruments[id].issuer].key;
        if (strlen(key) != r->u.instrument.issuer.n
            || memcmp(key, r->u.instrument.issuer.p, r->u.instrument.issuer.n) != 0)
            return err_set(
                why, ERR_INVALID,
                "symbol %.15s is in an index as a line of issuer \"%s\"; end its memberships before it moves to another",
                r->u.instrument.symbol.s, key);
    }
    enum err err = issuer_of(e, r->u.instrument.issuer, &issuer);
    if (err) return err;
    if (id < 0) {
        uint64_t h = map_hash(r->u.instrument.symbol.s, sizeof r->u.instrument.symbol.s);
        if (!VEC_GROW(&e->instruments, &e->instruments_cap, e->instruments_n + 1)
            || !map_add(&e->by_symbol, h, (uint32_t)e->instruments_n))
            return ERR_NOMEM;
        id = (int32_t)e->instruments_n++;
        struct instrument *m = &e->instruments[id];
        memset(m, 0, sizeof *m);
        m->symbol = r->u.instrument.symbol;
        m->float_e8 = 100000000;
        m->first_line = m->first_series = m->last_close = NONE;
    }
    struct instrument *m = &e->instruments[id];
    m->issuer = issuer;
    if (r->u.instrument.name.n) copy_text(m->name, sizeof m->name, r->u.instrument.name);
    e->out.instrument = id;
    return ERR_OK;
}

static enum err apply_shares(struct engine *e, const struct record *r, struct why *why)
{
    struct instrument *m = NULL;
    enum err err = find_instrument(e, &r->u.shares.symbol, &m, why);
    if (err) return err;
    if (!value_fits(m->price_e8, r->u.shares.shares))
        return err_set(why, ERR_INVALID, "price times shares of %.15s is above %" PRId64 " cents",
                       m->symbol.s, VALUE_MAX);
    m->shares = r->u.shares.shares;
    m->float_e8 = r->u.shares.float_e8;
    if (m->shares > m->shares_max) m->shares_max = m->shares;
    for (uint32_t no = m->first_line; no != NONE; no = e->store.lines[no].next_of_instrument) {
        struct line *l = &e->store.lines[no];
        if (!l->active) continue;
        struct index *x = &e->indexes[l->index];
        index_set_shares(&e->store, x, no, shares_of(m, l));
        touch(e, x->first_series);
    }
    return ERR_OK;
}

static enum err track_defaults(struct engine *e, const char *index)
{
    static const char *const formats[] = { "level(%s)",      "ew_level(%s)",
                                           "spread(%s)",     "spread(%s, window=all)",
                                           "hhi(%s)",        "effective_number(%s)",
                                           "top_weight(%s)", "ai_sentiment(%s)",
                                           "ai_exposure(%s)" };
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char text[MEASURE_TEXT_MAX];
        struct measure m;
        uint32_t ignored;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, formats[i], index);
#pragma GCC diagnostic pop
        enum err err = measure_parse(text, strlen(text), &m, NULL);
        if (!err) err = engine_track(e, (struct uuid){ { 0 } }, &m, &ignored, NULL);
        if (err) return err;
    }
    return ERR_OK;
}

static enum err apply_index(struct engine *e, const struct record *r)
{
    struct index *x = index_named(e, r->u.index.index.p, r->u.index.index.n);
    if (x) { /* said again: the title may change, the base of a running level may not */
        copy_text(x->title, sizeof x->title, r->u.index.name);
        return ERR_OK;
    }
    if (!VEC_GROW(&e->indexes, &e->indexes_cap, e->indexes_n + 1)) return ERR_NOMEM;
    x = &e->indexes[e->indexes_n++];
    memset(x, 0, sizeof *x);
    copy_text(x->name, sizeof x->name, r->u.index.index);
    copy_text(x->title, sizeof x->title, r->u.index.name);
    x->base = (double)r->u.index.base_e8 / 1e8;
    x->first_line = x->first_slot = x->first_series = NONE;
    return track_defaults(e, x->name);
}

static enum err apply_membership(struct engine *e, const struct record *r, struct why *why)
{
    struct instrument *m = NULL;
    struct index *x = index_named(e, r->u.membership.index.p, r->u.membership.index.n);
    if (!x)
        return err_set(why, ERR_UNKNOWN_INDEX, "index %.*s has no index record yet",
                       (int)r->u.membership.index.n, r->u.membership.index.p);
    enum err err = find_instrument(e, &r->u.membership.symbol, &m, why);
    if (err) return err;
    uint32_t index_no = (uint32_t)(x - e->indexes), no = m->first_line;
    while (no != NONE && e->store.lines[no].index != index_no)
        no = e->store.lines[no].next_of_instrument;
    if (!r->u.membership.member) {
        if (no != NONE) index_remove_line(&e->store, x, no);
        touch(e, x->first_series);
        return ERR_OK;
    }
    int64_t own = r->u.membership.shares;
    if (!value_fits(m->price_e8, own))
        return err_set(why, ERR_INVALID, "price times shares of %.15s is above %" PRId64 " cents",
                       m->symbol.s, VALUE_MAX);
    if (own > m->shares_max) m->shares_max = own;
    if (no == NONE) {
        err = index_add_line(&e->store, x, index_no, (uint32_t)(m - e->instruments), m->issuer, own,
                             &no);
        if (err) return err;
        e->store.lines[no].next_of_instrument = m->first_line;
        m->first_line = no;
    }
    if (!e->store.lines[no].active) err = index_rejoin(&e->store, x, no, m->issuer, m->price_e8);
    if (err) return err;
    struct line *l = &e->store.lines[no];
    l->own_shares = own;
    index_set_shares(&e->store, x, no, shares_of(m, l));
    if (m->price_e8 > 0) index_set_price(&e->store, x, no, m->price_e8, m->price_ns);
    touch(e, x->first_series);
    return ERR_OK;
}

static enum err apply_clock(struct engine *e, const struct record *r)
{
    enum err err = ERR_OK;
    bool due = e->sampled_ns == 0 || r->event_ns - e->sampled_ns >= e->settings.sample_ns;
    if (r->u.clock.session_end != NO_DAY) err = end_session(e, r->u.clock.session_end);
    if (err) return err;
    if (due || r->u.clock.session_end != NO_DAY) {
        e->out.sample = true;
        e->sampled_ns = r->event_ns;
    }
    touch_all(e);
    return ERR_OK;
}

static enum err apply_track(struct engine *e, const struct record *r, struct why *why)
{
    struct measure m;
    uint32_t ignored;
    enum err err = measure_parse(r->u.track.measure.p, r->u.track.measure.n, &m, why);
    return err ? err : engine_track(e, r->u.track.tenant, &m, &ignored, why);
}

enum err engine_apply(struct engine *e, const struct record *r, struct why *why)
{
    enum err err = ERR_OK;
    e->moved_n = 0;
    e->out.sample = false;
    e->out.article = false;
    e->out.instrument = -1;
    switch (r->kind) {
    case RECORD_TRADE:
        err = apply_price(e, &r->u.trade.symbol, r->u.trade.price_e8, day_of_ns(r->event_ns),
                          r->event_ns, why);
        break;
    case RECORD_CLOSE:
        err = apply_price(e, &r->u.close.symbol, r->u.close.price_e8, r->u.close.day, r->event_ns,
                          why);
        break;
    case RECORD_ISSUER: {
        uint32_t id;
        err = issuer_of(e, r->u.issuer.issuer, &id);
        if (!err && r->u.issuer.name.n)
            copy_text(e->issuers[id].name, sizeof e->issuers[id].name, r->u.issuer.name);
        break;
    }
    case RECORD_INSTRUMENT: err = apply_instrument(e, r, why); break;
    case RECORD_SHARES: err = apply_shares(e, r, why); break;
    case RECORD_INDEX: err = apply_index(e, r); break;
    case RECORD_MEMBERSHIP: err = apply_membership(e, r, why); break;
    case RECORD_ARTICLE:
        holdings_article(e, r);
        touch_slow(e);
        break;
    case RECORD_EXPOSURE: {
        uint32_t id;
        err = issuer_of(e, r->u.exposure.issuer, &id);
        if (!err) err = holdings_exposure(e, id, r);
        touch_slow(e);
        break;
    }
    case RECORD_POSITION: {
        struct instrument *m = NULL;
        err = find_instrument(e, &r->u.position.symbol, &m, why);
        if (!err) err = holdings_position(e, (uint32_t)(m - e->instruments), r);
        touch_slow(e);
        break;
    }
    case RECORD_SETTINGS:
        e->settings =
            (struct engine_settings){ r->u.settings.stale_after_ns, r->u.settings.sample_ns,
                                      r->u.settings.coverage_gate_e8 };
        e->gate = (double)r->u.settings.coverage_gate_e8 / 1e8;
        break;
    case RECORD_TRACK: err = apply_track(e, r, why); break;
    case RECORD_RULE_PUT:
    case RECORD_RULE_DELETE: break;
    case RECORD_CLOCK: break; /* below: time first */
    default: return err_set(why, ERR_UNKNOWN_KIND, "record kind %d", (int)r->kind);
    }
    if (err) return err;
    if (r->event_ns > e->now_ns) e->now_ns = r->event_ns;
    e->seq = r->seq;
    if (r->kind == RECORD_CLOCK) err = apply_clock(e, r);
    e->out.moved = e->moved;
    e->out.moved_n = e->moved_n;
    return err;
}

/* ---- series ---- */
static uint32_t *subject_chain(struct engine *e, const struct measure *m, uint32_t *subject,
                               struct why *why, enum err *err)
{
    if (measure_subject(m) == SUBJECT_INSTRUMENT) {
        struct symbol s = { { 0 } };
        memcpy(s.s, m->subject, strlen(m->subject));
        int32_t id = engine_instrument(e, &s);
        if (id >= 0) {
            *subject = (uint32_t)id;
            return &e->instruments[id].first_series;
        }
        *err =
            err_set(why, ERR_UNKNOWN_SYMBOL, "symbol %s has no instrument record yet", m->subject);
        return NULL;
    }
    struct index *x = index_named(e, m->subject, strlen(m->subject));
    if (x) {
        *subject = (uint32_t)(x - e->indexes);
        return &x->first_series;
    }
    *err = err_set(why, ERR_UNKNOWN_INDEX, "index %s has no index record yet", m->subject);
    return NULL;
}

enum err engine_can_track(const struct engine *e, struct uuid tenant, const struct measure *m,
                          struct why *why)
{
    uint32_t subject;
    enum err err = ERR_OK;
    if (measure_is_book(m))
        return uuid_is_none(tenant) ? err_set(why, ERR_INVALID, "a book belongs to a tenant")
                                    : ERR_OK;
    subject_chain((struct engine *)e, m, &subject, why, &err); /* only looks */
    return err;
}

enum err engine_track(struct engine *e, struct uuid tenant, const struct measure *m, uint32_t *out,
                      struct why *why)
{
    struct series s;
    memset(&s, 0, sizeof s);
    s.tenant = tenant;
    s.measure = *m;
    s.next_of_subject = NONE;
    measure_format(m, s.text);
    struct series_key key = { tenant, s.text };
    uint32_t found = map_find(&e->by_series, series_hash(&key), series_is, e, &key);
    if (found != MAP_NONE) {
        *out = found;
        return ERR_OK;
    }

    enum err err = ERR_OK;
    bool book = measure_is_book(m);
    uint32_t *chain = NULL;
    if (book) err = holdings_book(e, tenant, m->subject + 5, &s.subject);
    else chain = subject_chain(e, m, &s.subject, why, &err);
    if (err) return err;
    s.book = book;
    bool per_tick =
        m->id != MEASURE_SENTIMENT && m->id != MEASURE_AI_SENTIMENT && m->id != MEASURE_AI_EXPOSURE;
    if (!VEC_GROW(&e->series, &e->series_cap, e->series_n + 1)
        || !VEC_GROW(&e->moved, &e->moved_cap, 2 * (e->series_n + 1))
        || !map_add(&e->by_series, series_hash(&key), (uint32_t)e->series_n))
        return ERR_NOMEM;
    if (chain
        && per_tick) { /* moved by prices; the others by what moves sentiment, see touch_slow */
        s.next_of_subject = *chain;
        *chain = (uint32_t)e->series_n;
    }
    e->series[e->series_n] = s;
    *out = (uint32_t)e->series_n++;
    return ERR_OK;
}

uint32_t engine_find_series(const struct engine *e, struct uuid tenant, const char *canonical)
{
    struct series_key key = { tenant, canonical };
    uint32_t v = map_find(&e->by_series, series_hash(&key), series_is, e, &key);
    return v == MAP_NONE ? SERIES_NONE : v;
}

void engine_watch(struct engine *e, uint32_t series, int by)
{
    e->series[series].watchers += by;
    assert(e->series[series].watchers >= 0);
}

size_t engine_series_count(const struct engine *e) { return e->series_n; }
const struct measure *engine_series_measure(const struct engine *e, uint32_t i)
{
    return &e->series[i].measure;
}
struct uuid engine_series_tenant(const struct engine *e, uint32_t i) { return e->series[i].tenant; }
const char *engine_series_text(const struct engine *e, uint32_t i) { return e->series[i].text; }

/* ---- readings ---- */
static const struct reading NO_READING = { .value = NAN, .status = READING_NO_DATA };

/* Where a window starts, counted back from the current session: the index into days[0..n) of its reference, or -1. */
struct span {
    const int32_t *day;
    size_t stride, n;
};

static int32_t day_at(const struct span *s, size_t i)
{
    return *(const int32_t *)((const char *)s->day + i * s->stride);
}

static long window_start(const struct engine *e, enum window w, const struct span *s)
{
    static const int sessions[] = {
        [WINDOW_1D] = 1, [WINDOW_5D] = 5, [WINDOW_20D] = 20, [WINDOW_60D] = 60
    };
    static const int months[] = { [WINDOW_3MO] = 3,
                                  [WINDOW_6MO] = 6,
                                  [WINDOW_12MO] = 12,
                                  [WINDOW_18MO] = 18,
                                  [WINDOW_36MO] = 36 };
    long n = (long)s->n;
    if (w == WINDOW_ALL) return n ? 0 : -1;
    if (w <= WINDOW_60D)
        return n - sessions[w] - (e->in_session ? 0 : 1) < 0
                   ? -1
                   : n - sessions[w] - (e->in_session ? 0 : 1);
    struct civil c = civil_from_day(e->session_day);
    int32_t target;
    if (w == WINDOW_YTD) target = day_from_civil(c.year, 1, 1) - 1;
    else {
        int m = c.year * 12 + c.month - 1 - months[w];
        int32_t first = day_from_civil(m / 12, m % 12 + 1, 1),
                next = day_from_civil((m + 1) / 12, (m + 1) % 12 + 1, 1);
        target = first + c.day - 1 < next
                     ? first + c.day - 1
                     : next - 1; /* 31 March less a month is the last of February */
    }
    long low = 0, high = n; /* the last day at or before target */
    while (low < high) {
        long mid = (low + high) / 2;
        if (day_at(s, (size_t)mid) <= target) low = mid + 1;
        else high = mid;
    }
    return low - 1;
}

static double window_years(const struct engine *e, enum window w, int32_t from)
{
    static const double years[] = {
        [WINDOW_1D] = 1 / 252.0,   [WINDOW_5D] = 5 / 252.0, [WINDOW_20D] = 20 / 252.0,
        [WINDOW_60D] = 60 / 252.0, [WINDOW_3MO] = 0.25,     [WINDOW_6MO] = 0.5,
        [WINDOW_12MO] = 1,         [WINDOW_18MO] = 1.5,     [WINDOW_36MO] = 3
    };
    return w <= WINDOW_36MO ? years[w] : (double)(e->session_day - from) / 365.25;
}

struct returns {
    double cap, equal, years;
};

static enum reading_status spread_returns(const struct engine *e, const struct index *x,
                                          const struct measure *m, struct returns *out)
{
    if (x->days_n == 0) return READING_NO_HISTORY;
    long at =
        window_start(e, m->window, &(struct span){ &x->days->day, sizeof *x->days, x->days_n });
    if (at < 0) return READING_NO_HISTORY;
    int k = ew_variant(m->ew, m->by);
    const struct level_day *d = &x->days[at];
    *out = (struct returns){ index_level(x) / d->level - 1, index_ew_level(x, k) / d->ew[k] - 1,
                             window_years(e, m->window, d->day) };
    return READING_OK;
}

static enum reading_status spread(const struct engine *e, const struct index *x,
                                  const struct measure *m, double *out)
{
    int k = ew_variant(m->ew, m->by);
    if (m->kind == SPREAD_POINTS) {
        *out = index_level(x) - index_ew_level(x, k);
        return READING_OK;
    }
    if (m->kind == SPREAD_RATIO) {
        *out = index_level(x) / index_ew_level(x, k);
        return READING_OK;
    }
    struct returns r;
    enum reading_status s = spread_returns(e, x, m, &r);
    if (s) return s;
    switch (m->kind) {
    case SPREAD_ARITH: *out = 100 * (r.cap - r.equal); break;
    case SPREAD_LOG: *out = 100 * log((1 + r.cap) / (1 + r.equal)); break;
    case SPREAD_ANN:
        if (r.years <= 0) return READING_NO_HISTORY;
        *out = 100 * (pow(1 + r.cap, 1 / r.years) - pow(1 + r.equal, 1 / r.years));
        break;
    default: *out = 100 * ((1 + r.cap) / (1 + r.equal) - 1);
    }
    return READING_OK;
}

static enum reading_status instrument_return(const struct engine *e, const struct instrument *m,
                                             enum window w, double *out)
{
    size_t n = 0;      /* the chain runs backwards: unroll as far as the window can reach */
    int32_t day[1200]; /* 36 months of sessions, weekends too */
    int64_t price[1200];
    for (uint32_t c = m->last_close; c != NONE && n < ARRAY_LEN(day);
         c = e->closes[c].previous, n++) {
        day[ARRAY_LEN(day) - 1 - n] = e->closes[c].day;
        price[ARRAY_LEN(day) - 1 - n] = e->closes[c].price_e8;
    }
    long at;
    size_t first = ARRAY_LEN(day) - n;
    if (w == WINDOW_ALL) {
        uint32_t c = m->last_close;
        if (c == NONE) return READING_NO_HISTORY;
        while (e->closes[c].previous != NONE) c = e->closes[c].previous;
        *out = 100 * ((double)m->price_e8 / (double)e->closes[c].price_e8 - 1);
        return READING_OK;
    }
    at = window_start(e, w, &(struct span){ day + first, sizeof *day, n });
    if (at < 0) return READING_NO_HISTORY;
    *out = 100 * ((double)m->price_e8 / (double)price[first + (size_t)at] - 1);
    return READING_OK;
}

static struct reading finish(const struct engine *e, struct reading r)
{
    r.staleness_ns = e->now_ns > r.event_ns ? e->now_ns - r.event_ns : 0;
    if (r.status == READING_OK && e->settings.stale_after_ns > 0
        && r.staleness_ns > e->settings.stale_after_ns)
        r.status = READING_STALE;
    if (r.status == READING_OK && !isfinite(r.value)) r.status = READING_NO_DATA;
    if (r.status > READING_STALE) r.value = NAN;
    return r;
}

static struct reading instrument_reading(const struct engine *e, const struct series *s)
{
    const struct instrument *m = &e->instruments[s->subject];
    if (m->price_e8 == 0) return NO_READING;
    struct reading r = { .coverage = 1, .event_ns = m->price_ns, .status = READING_OK };
    if (s->measure.id == MEASURE_LAST) r.value = (double)m->price_e8 / 1e8;
    else r.status = instrument_return(e, m, s->measure.window, &r.value);
    return finish(e, r);
}

static struct reading index_reading(const struct engine *e, const struct series *s)
{
    const struct index *x = &e->indexes[s->subject];
    const struct measure *m = &s->measure;
    struct reading r = { .coverage = index_coverage(x),
                         .event_ns = x->last_ns,
                         .status = READING_OK };
    bool levels = m->id == MEASURE_LEVEL || m->id == MEASURE_EW_LEVEL || m->id == MEASURE_SPREAD;
    if (x->valued_n == 0 || x->total == 0 || (levels && !x->based)) {
        r.value = NAN;
        r.status = READING_NO_DATA;
        return r;
    }
    if (r.coverage < e->gate) r.status = READING_LOW_COVERAGE;
    else switch (m->id) {
        case MEASURE_LEVEL: r.value = index_level(x); break;
        case MEASURE_EW_LEVEL: r.value = index_ew_level(x, ew_variant(m->ew, m->by)); break;
        case MEASURE_SPREAD: r.status = spread(e, x, m, &r.value); break;
        case MEASURE_HHI: r.value = index_hhi(x, m->by); break;
        case MEASURE_EFFECTIVE_NUMBER: r.value = index_effective_number(x, m->by); break;
        default: r.value = index_top_weight(&e->store, x, m->by, m->n); break;
        }
    return finish(e, r);
}

struct reading engine_reading(const struct engine *e, uint32_t series)
{
    const struct series *s = &e->series[series];
    switch (s->measure.id) {
    case MEASURE_LAST:
    case MEASURE_RET: return instrument_reading(e, s);
    case MEASURE_SENTIMENT: {
        const struct issuer *i = &e->issuers[e->instruments[s->subject].issuer];
        struct reading r = { .value = issuer_sentiment(i),
                             .coverage = i->weight > 0,
                             .event_ns = i->news_ns,
                             .status = i->weight > 0 ? READING_OK : READING_NO_DATA };
        if (r.status) r.value = NAN;
        r.staleness_ns = e->now_ns - r.event_ns;
        return r.status ? NO_READING : r; /* news ages by its half-life: it does not go stale */
    }
    case MEASURE_AI_SENTIMENT:
    case MEASURE_AI_EXPOSURE: return holdings_reading(e, s);
    default: return index_reading(e, s);
    }
}

int64_t engine_price_e8(const struct engine *e, uint32_t series)
{
    return e->instruments[e->series[series].subject].price_e8;
}

static void number(struct buf *out, const char *key, double v)
{
    buf_printf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", key);
    buf_json_double(out, v);
}

void engine_inputs(const struct engine *e, uint32_t series, struct buf *out)
{
    const struct series *s = &e->series[series];
    const struct measure *m = &s->measure;
    buf_puts(out, "{");
    if (!buf_ok(out)) return;
    if (m->id == MEASURE_LAST || m->id == MEASURE_RET)
        number(out, "price", (double)e->instruments[s->subject].price_e8 / 1e8);
    else if (m->id == MEASURE_SENTIMENT)
        number(out, "articles_effective",
               issuer_effective_count(&e->issuers[e->instruments[s->subject].issuer]));
    else if (m->id == MEASURE_AI_SENTIMENT || m->id == MEASURE_AI_EXPOSURE)
        number(out, "coverage", engine_reading(e, series).coverage);
    else {
        const struct index *x = &e->indexes[s->subject];
        if (m->id == MEASURE_LEVEL || m->id == MEASURE_EW_LEVEL || m->id == MEASURE_SPREAD) {
            number(out, "level", index_level(x));
            number(out, "ew_level", index_ew_level(x, ew_variant(m->ew, m->by)));
        }
        struct returns r;
        if (m->id == MEASURE_SPREAD && m->kind != SPREAD_POINTS && m->kind != SPREAD_RATIO
            && spread_returns(e, x, m, &r) == READING_OK) {
            number(out, "cap_return", r.cap);
            number(out, "equal_return", r.equal);
        }
        if (x->slots_n
            && (m->id == MEASURE_HHI || m->id == MEASURE_EFFECTIVE_NUMBER
                || m->id == MEASURE_TOP_WEIGHT)) {
            const struct slot *top = &e->store.slots[x->order[0]];
            const char *key = e->issuers[top->issuer].key;
            number(out, "market_value", (double)x->total / 100);
            buf_puts(out, ",\"largest\":");
            buf_json_string(out, key, strlen(key));
            number(out, "largest_weight", (double)top->value / (double)x->total);
        }
        number(out, "names", x->issuers_n);
        number(out, "coverage", index_coverage(x));
    }
    buf_puts(out, "}");
}

/* ---- small readers ---- */
const struct engine_output *engine_output(const struct engine *e) { return &e->out; }
int64_t engine_now_ns(const struct engine *e) { return e->now_ns; }
uint64_t engine_seq(const struct engine *e) { return e->seq; }
size_t engine_instrument_count(const struct engine *e) { return e->instruments_n; }
struct engine_settings engine_settings(const struct engine *e) { return e->settings; }

struct instrument_facts engine_instrument_facts(const struct engine *e, int32_t id)
{
    const struct instrument *m = &e->instruments[id];
    return (struct instrument_facts){ m->symbol.s, e->issuers[m->issuer].key, m->name };
}

enum err engine_new(struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    e->session_day = NO_DAY;
    e->settings = (struct engine_settings){ 0, 0, 95000000 };
    e->gate = 0.95;
    *out = e;
    return ERR_OK;
}

void engine_free(struct engine *e)
{
    if (!e) return;
    for (size_t i = 0; i < e->indexes_n; i++) {
        free(e->indexes[i].order);
        free(e->indexes[i].days);
    }
    free(e->instruments);
    free(e->issuers);
    free(e->indexes);
    free(e->store.lines);
    free(e->store.slots);
    free(e->closes);
    free(e->series);
    free(e->exposures);
    free(e->books);
    free(e->positions);
    free(e->moved);
    map_release(&e->by_symbol);
    map_release(&e->by_issuer);
    map_release(&e->by_series);
    free(e);
}

/* ---- a picture for other threads ---- */
static int by_tenant_and_text(const void *a, const void *b)
{
    const struct snapshot_row *x = a, *y = b;
    int c = memcmp(x->tenant.b, y->tenant.b, 16);
    return c ? c : strcmp(x->measure, y->measure);
}
static int by_index_name(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_index *)a)->name,
                  ((const struct snapshot_index *)b)->name);
}

static void picture_index(const struct engine *e, const struct index *x, struct snapshot_index *out)
{
    memcpy(out->name, x->name, sizeof x->name);
    out->members_n = x->issuers_n;
    for (uint32_t j = 0; j < x->slots_n && out->top_n < ARRAY_LEN(out->top); j++) {
        uint32_t no = x->order[j];
        const struct slot *k = &e->store.slots[no];
        if (k->value == 0) break;
        const struct line *big = NULL;
        for (uint32_t l = x->first_line; l != NONE; l = e->store.lines[l].next_of_index)
            if (e->store.lines[l].slot == no && (!big || e->store.lines[l].value > big->value))
                big = &e->store.lines[l];
        struct snapshot_member *m = &out->top[out->top_n++];
        const struct instrument *i = &e->instruments[big->instrument];
        memcpy(m->symbol, i->symbol.s, sizeof m->symbol);
        memcpy(m->issuer, e->issuers[k->issuer].key, sizeof m->issuer);
        memcpy(m->name, e->issuers[k->issuer].name, sizeof m->name);
        m->price_e8 = i->price_e8;
        m->weight = (double)k->value / (double)x->total;
    }
}

struct snapshot *engine_snapshot(const struct engine *e)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->references = 1;
    s->seq = e->seq;
    s->event_ns = e->now_ns;
    s->rows = calloc(e->series_n + 1, sizeof *s->rows);
    s->indexes = calloc(e->indexes_n + 1, sizeof *s->indexes);
    s->text = malloc(e->series_n * MEASURE_TEXT_MAX + 1);
    if (!s->rows || !s->indexes || !s->text) {
        snapshot_release(s);
        return NULL;
    }
    for (size_t i = 0; i < e->series_n; i++) {
        char *text = s->text + i * MEASURE_TEXT_MAX;
        memcpy(text, e->series[i].text, MEASURE_TEXT_MAX);
        s->rows[s->rows_n++] =
            (struct snapshot_row){ e->series[i].tenant, text, measure_unit(&e->series[i].measure),
                                   measure_version(&e->series[i].measure),
                                   engine_reading(e, (uint32_t)i) };
    }
    qsort(s->rows, s->rows_n, sizeof *s->rows, by_tenant_and_text);
    for (size_t i = 0; i < e->indexes_n; i++)
        picture_index(e, &e->indexes[i], &s->indexes[s->indexes_n++]);
    qsort(s->indexes, s->indexes_n, sizeof *s->indexes, by_index_name);
    return s;
}
