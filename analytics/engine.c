/* engine.c - the apply table and what it leaves behind. One record's way:
 *
 *   1. apply_NAME   refuses it, or changes the market and touches the series it may move
 *   2. time         now is the greatest event time so far
 *   3. settle       moves go through the graph of series; the watched ones are the output
 *
 * A clock record's own time is in force before step 1: what ages, ages first.
 *
 * Index X of A and B, rules on hhi(X) and last(B), and a trade of A at 101.50, the first of its
 * day:
 *
 *   1. apply_trade finds A, begins the session, sets the price in each index that A is in (total,
 *      squares and order of X move), and touches what hangs on X and on A: hhi(X), which a rule
 *      watches, but not level(X), at which nobody looks on every move
 *   2. now is the trade's time, unless a later one has been seen
 *   3. moved is { hhi(X) }. Nothing has been computed yet: who looks at hhi(X) has it computed then,
 *      once, and level(X) waits for the next sample or picture */
#include "analytics/engine.h"

#include "analytics/actions.h"
#include "analytics/books/books.h"
#include "analytics/calendars.h"
#include "analytics/drivers.h"
#include "analytics/histories.h"
#include "analytics/coverage.h"
#include "analytics/facts/exposure.h"
#include "analytics/identity.h"
#include "analytics/issuers.h"
#include "analytics/news/articles.h"
#include "analytics/news/news.h"
#include "analytics/quality.h"
#include "analytics/reference.h"
#include "analytics/refusals.h"
#include "analytics/save.h"
#include "analytics/series.h"
#include "analytics/session.h"
#include "analytics/symbols.h"
#include "analytics/window.h"
#include "core/vec.h"
#include "core/when.h"

#include <stdlib.h>

struct engine {
    struct market market;
    struct engine_output out;
};

/* ---- records, one function a kind ---- */
static enum err apply_trade(struct engine *e, const struct record *r, struct why *why)
{
    return reference_trade(&e->market, r, &e->out.trade, why);
}

static enum err apply_close(struct engine *e, const struct record *r, struct why *why)
{
    return reference_close(&e->market, r, &e->out.corrects, why);
}

static void advance(struct market *m, const struct record *r)
{
    if (r->event_ns > m->now_ns) m->now_ns = r->event_ns;
}

/* Readings are due at clock records, sample_ns apart, and at session ends. With one second and
 * clocks at 10.0, 10.4, 11.0 s: stored at 10.0 and 11.0. A session's end at 11.2 stores as well,
 * and the next is then due at 12.2: by the records' own times, so that a replay stores the same. */
static enum err apply_clock(struct engine *e, const struct record *r, struct why *why)
{
    struct market *m = &e->market;
    bool due = m->sampled_ns == 0 || r->event_ns - m->sampled_ns >= m->settings.sample_ns;
    bool end = r->u.clock.session_end != NO_DAY;
    uint32_t venue = NONE; /* of every one */
    enum err err = ERR_OK;
    /* Of presumed ends of UTC days the venue is 0, said or not: they were there before venues. */
    if (r->u.clock.venue.n) err = calendars_find(m, r->u.clock.venue, &venue, why);
    else if (r->u.clock.presumed) venue = 0;
    if (err) return err;
    const int64_t before = m->now_ns;
    advance(m, r);
    if (end) err = session_end(m, venue, r->u.clock.session_end, r->u.clock.presumed, why);
    if (err) { /* no session: then its time is not in force either, as no replay will hear of it */
        m->now_ns = before;
        return err;
    }
    if (due || end) {
        e->out.sample = true;
        m->sampled_ns = r->event_ns;
    }
    series_touch_all(m);
    return err;
}

static enum err apply_issuer(struct engine *e, const struct record *r, struct why *why)
{
    return reference_issuer(&e->market, r, why);
}

static enum err apply_instrument(struct engine *e, const struct record *r, struct why *why)
{
    struct instrument_change c;
    enum err err = reference_instrument(&e->market, r, &c, why);
    if (err) return err;
    e->out.instrument = (int32_t)c.instrument;
    e->out.named = c.named;
    e->out.retired = c.retired == NONE ? -1 : (int32_t)c.retired;
    return ERR_OK;
}

static enum err apply_rename(struct engine *e, const struct record *r, struct why *why)
{
    uint32_t no;
    enum err err = identity_rename(&e->market, r, &no, why);
    if (!err) {
        e->out.instrument = (int32_t)no;
        actions_say_rename(&e->market, no, r->u.rename.effective_day);
    }
    e->out.named = true;
    e->out.retired = -1;
    return err;
}

static enum err apply_issuer_rename(struct engine *e, const struct record *r, struct why *why)
{
    uint32_t no;
    enum err err = issuers_rename(&e->market, r, &no, why);
    if (err) return err;
    e->out.issuer = (int32_t)no;
    series_touch_all(&e->market);
    return ERR_OK;
}

static enum err apply_alias(struct engine *e, const struct record *r, struct why *why)
{
    return identity_alias(&e->market, r, why);
}

static enum err apply_shares(struct engine *e, const struct record *r, struct why *why)
{
    return reference_shares(&e->market, r, why);
}
static enum err apply_split(struct engine *e, const struct record *r, struct why *why)
{
    enum err err = actions_split(&e->market, r, why);
    const uint32_t no = market_instrument(&e->market, &r->u.split.symbol);
    if (!err && no != NONE) quality_action(&e->market, &e->market.instruments[no]);
    return err;
}
static enum err apply_dividend(struct engine *e, const struct record *r, struct why *why)
{
    return actions_dividend(&e->market, r, why);
}
static enum err apply_spin_off(struct engine *e, const struct record *r, struct why *why)
{
    return actions_spin_off(&e->market, r, why);
}
static enum err apply_delisting(struct engine *e, const struct record *r, struct why *why)
{
    return actions_delisting(&e->market, r, why);
}
static enum err apply_merger(struct engine *e, const struct record *r, struct why *why)
{
    return actions_delisting(&e->market, r, why);
}
static enum err apply_index(struct engine *e, const struct record *r, struct why *why)
{
    return reference_index(&e->market, r, why);
}
static enum err apply_membership(struct engine *e, const struct record *r, struct why *why)
{
    return reference_membership(&e->market, r, why);
}

static enum err apply_article(struct engine *e, const struct record *r, struct why *why)
{
    (void)why;
    enum err err = news_article(&e->market, r, &e->out.reading);
    e->out.article =
        e->out.reading.change != ARTICLE_REDELIVERED && e->out.reading.change != ARTICLE_SUPERSEDED;
    series_touch_cause(&e->market, CAUSE_NEWS);
    return err;
}

static enum err apply_calendar(struct engine *e, const struct record *r, struct why *why)
{
    return calendars_record(&e->market, r, why);
}

static enum err apply_history(struct engine *e, const struct record *r, struct why *why)
{
    return histories_record(&e->market, r, why);
}

static enum err apply_retraction(struct engine *e, const struct record *r, struct why *why)
{
    (void)why;
    series_touch_cause(&e->market, CAUSE_NEWS);
    e->out.retraction = true;
    return news_retraction(&e->market, r, &e->out.reading);
}

static enum err apply_exposure(struct engine *e, const struct record *r, struct why *why)
{
    (void)why;
    series_touch_cause(&e->market, CAUSE_FACT);
    return exposure_add(&e->market, r);
}

static enum err apply_position(struct engine *e, const struct record *r, struct why *why)
{
    series_touch_cause(&e->market, CAUSE_POSITION);
    return books_position(&e->market, r, why);
}

/* Rules are for alerts/: here they only move time. */
static enum err apply_rule_put(struct engine *e, const struct record *r, struct why *why)
{
    (void)e, (void)r, (void)why;
    return ERR_OK;
}

static enum err apply_rule_delete(struct engine *e, const struct record *r, struct why *why)
{
    (void)e, (void)r, (void)why;
    return ERR_OK;
}

static enum err apply_quality_release(struct engine *e, const struct record *r, struct why *why)
{
    return quality_release(&e->market, &r->u.release.flag, why);
}

static enum err apply_refusal(struct engine *e, const struct record *r, struct why *why)
{
    return refusals_add(&e->market, r, why);
}

/* The market has nothing to do with it. */
static enum err apply_burst(struct engine *e, const struct record *r, struct why *why)
{
    (void)e, (void)r, (void)why;
    return ERR_OK;
}

/* What the configuration asks for is a record like any other, so a replay asks for it at the same
 * place. */
static enum err apply_track(struct engine *e, const struct record *r, struct why *why)
{
    struct measure x;
    uint32_t no;
    enum err err = measure_parse(r->u.track.measure.p, r->u.track.measure.n, &x, why);
    if (!err) err = series_track(&e->market, r->u.track.tenant, &x, &no, why);
    return err ? err : series_configure(&e->market, no);
}

/* Settings on which values depend come in records too, never from the configuration directly:
 * `verify` with another configuration gets the values of then. */
static enum err apply_settings(struct engine *e, const struct record *r, struct why *why)
{
    struct market *m = &e->market;
    (void)why;
    m->settings = r->u.settings;
    m->gate = (double)r->u.settings.coverage_gate_e8 / 1e8;
    venues_set_due(m);
    coverage_review(m);
    return series_review(m);
}

static enum err (*const apply[RECORD_KIND_COUNT])(struct engine *e, const struct record *r,
                                                  struct why *why) = {
#define RECORD(number, id, name, origin, place, owner) [RECORD_##id] = apply_##name,
#include "ingest/records.def"
#undef RECORD
};

/* What was said before MEANING_SECOND was said without a ledger, and actions were not. */
static void settle_ledgers(struct engine *e)
{
    struct market *m = &e->market;
    struct divisor_log *log = &m->store.divisors;
    if (m->settings.meaning < MEANING_SECOND) log->n = 0;
    if (log->n) divisor_settle(log);
    for (size_t i = 0; i < log->n; i++)
        if (log->of[i].cause.day == NO_DAY)
            log->of[i].cause.day = m->venues[m->universes[log->of[i].universe].venue].day;
    e->out.divisors = log->of;
    e->out.divisors_n = log->n;
    e->out.actions = m->said.of;
    e->out.actions_n = m->settings.meaning < MEANING_SECOND ? 0 : m->said.n;
}

/* The turn rises twice: what was remembered of the record before is void while this one is applied,
 * and what was read meanwhile, with the time of before, is void when its time has come into force.
 * */
enum err engine_apply(struct engine *e, const struct record *r, struct why *why)
{
    struct market *m = &e->market;
    m->touched_n = m->moved_n = m->flags.n = 0;
    divisor_begin(&m->store.divisors);
    m->said.n = 0;
    m->hand_seq = r->seq;
    m->hand_ns = r->event_ns;
    m->all_touched = false;
    e->out.sample = e->out.article = e->out.retraction = false;
    e->out.trade = TRADE_REGULAR;
    e->out.corrects = false;
    e->out.instrument = e->out.issuer = -1;
    if ((unsigned)r->kind >= RECORD_KIND_COUNT || !apply[r->kind])
        return err_set(why, ERR_UNKNOWN_KIND, "record kind %d", (int)r->kind);
    m->turn++;
    enum err err = apply[r->kind](e, r, why);
    if (err) return err;
    advance(m, r);
    if (m->now_ns >= m->carry_until_ns) coverage_due(m);
    m->seq = r->seq;
    m->turn++;
    settle_ledgers(e);
    err = m->flags.failed || m->store.divisors.failed || m->said.failed ? ERR_NOMEM
                                                                        : series_settle(m);
    if (!err && e->out.sample) series_sampled(m, r->u.clock.session_end != NO_DAY);
    e->out.flags = m->flags.of;
    e->out.flags_n = m->flags.n;
    e->out.ended = m->ended_turn + 1 == m->turn;
    e->out.moved = m->moved;
    e->out.moved_n = m->moved_n;
    return err;
}

void engine_pass(struct engine *e, const struct record *r) { e->market.seq = r->seq; }

/* Of two that are due at the same instant, as New York and Nasdaq are, the one with the smaller
 * number. */
static const struct venue *venue_due(const struct market *m)
{
    const struct venue *v = m->venues;
    while (v->due_ns != m->due_ns) v++;
    return v;
}

/* The venue whose session in progress this price ends, NONE if none's. */
static uint32_t venue_ended_by(struct market *m, const struct record *r)
{
    const uint32_t no = market_instrument(m, &r->u.symbol);
    if (no == NONE || !reference_takes(m, r)) return NONE;
    const uint32_t venue = m->instruments[no].venue;
    struct trading at = { .day = r->u.close.day, .regular = true };
    if (r->kind == RECORD_TRADE && calendars_trading(m, venue, r->event_ns, &at, NULL)) return NONE;
    if (r->kind == RECORD_CLOSE && calendars_has(m, venue, at.day, NULL)) return NONE;
    return at.regular && session_would_end(m, venue, at.day) ? venue : NONE;
}

bool engine_presumes_end(struct engine *e, const struct record *r, struct presumed_end *out)
{
    struct market *m = &e->market;
    if (r->event_ns < m->presumes_ns && r->kind != RECORD_CLOSE) return false;
    if (r->event_ns >= m->due_ns) {
        const struct venue *v = venue_due(m);
        *out = (struct presumed_end){ v->day, v->name, v->due_ns };
        return true;
    }
    if (r->kind != RECORD_TRADE && r->kind != RECORD_CLOSE) return false;
    const uint32_t venue = venue_ended_by(m, r);
    if (venue == NONE) return false;
    *out = (struct presumed_end){ m->venues[venue].day, m->venues[venue].name, m->now_ns };
    return true;
}

bool engine_knows(const struct engine *e, const struct record *r)
{
    const struct market *m = &e->market;
    if (r->kind == RECORD_INDEX) return market_index(m, r->u.index.index) != NULL;
    if (r->kind == RECORD_REFUSAL) return market_instrument(m, &r->u.refusal.symbol) != NONE;
    return r->kind == RECORD_INSTRUMENT && market_instrument(m, &r->u.instrument.symbol) != NONE;
}

enum err engine_has_calendar(const struct engine *e, struct str text, bool *same,
                             struct buf *problems, struct why *why)
{
    return calendars_same(&e->market, text, same, problems, why);
}

bool engine_has_history(const struct engine *e, struct str measure, struct str source,
                        struct str text)
{
    return histories_known(&e->market, measure, source, text);
}

struct str engine_lacks_calendar(const struct engine *e, const struct record *r)
{
    const struct str named = r->kind == RECORD_INSTRUMENT ? r->u.instrument.venue
                             : r->kind == RECORD_INDEX    ? r->u.index.calendar
                                                          : (struct str){ 0 };
    return calendars_venue(&e->market, named) == NONE ? named : (struct str){ 0 };
}

bool engine_session_ended(const struct engine *e, uint32_t series)
{
    const struct market *m = &e->market;
    const struct venue *v = &m->venues[series_venue(m, &m->series[series])];
    return e->out.ended && v->ended_turn == m->ended_turn;
}

int64_t engine_open_until(const struct engine *e, uint32_t series, int64_t since_ns,
                          int64_t open_ns)
{
    const struct market *m = &e->market;
    return calendars_open_until(m, series_venue(m, &m->series[series]), since_ns, open_ns);
}

/* ---- series ---- */
enum err engine_track(struct engine *e, struct uuid tenant, const struct measure *x, uint32_t *out,
                      struct why *why)
{
    return series_track(&e->market, tenant, x, out, why);
}
enum err engine_ask(struct engine *e, uint32_t series, int by)
{
    return series_ask(&e->market, series, by);
}
void engine_watch(struct engine *e, uint32_t series, int by)
{
    series_watch(&e->market, series, by);
}
enum err engine_can_track(const struct engine *e, struct uuid tenant, const struct measure *x,
                          struct why *why)
{
    return series_can_track(&e->market, tenant, x, why);
}
struct range engine_range(const struct engine *e, const struct measure *x)
{
    return series_range(&e->market, x);
}
uint32_t engine_find_series(const struct engine *e, struct uuid tenant, const char *canonical)
{
    return series_find(&e->market, tenant, canonical);
}
size_t engine_series_count(const struct engine *e) { return e->market.series_n; }
uint64_t engine_series_generation(const struct engine *e) { return e->market.generation; }

struct series_facts engine_series_facts(const struct engine *e, uint32_t no)
{
    const struct series *s = &e->market.series[no];
    return (struct series_facts){ .tenant = s->tenant,
                                  .text = s->text,
                                  .unit = s->unit,
                                  .version = s->kind->version,
                                  .price = s->kind->exact_e8 != NULL,
                                  .configured = s->configured,
                                  .live = s->live,
                                  .tells = s->tells,
                                  .seen_n = s->seen_n,
                                  .low = s->low,
                                  .high = s->high,
                                  .seen_ns = s->seen_ns };
}

struct reading engine_reading(const struct engine *e, uint32_t series)
{
    return *series_reading(&e->market, series);
}

const struct reading *engine_look(const struct engine *e, uint32_t series, int64_t *exact_e8)
{
    const struct series *s = &e->market.series[series];
    *exact_e8 = s->kind->exact_e8 ? s->kind->exact_e8(&e->market, s) : NOT_EXACT;
    return series_reading(&e->market, series);
}

int64_t engine_stand_at(struct engine *e, int64_t at_ns)
{
    const int64_t before = e->market.now_ns;
    e->market.now_ns = at_ns;
    e->market.turn++;
    return before;
}

enum err engine_drivers(const struct engine *e, uint32_t series, int32_t since, size_t n,
                        struct buf *out, struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    struct json_writer w = json_write(&text);
    json_put_object(&w, NULL);
    json_put_uint(&w, "seq", e->market.seq);
    enum err err = drivers_put(&e->market, series, since, n, &w, why);
    json_put_end(&w);
    if (!err && !buf_ok(&text)) err = err_set(why, ERR_NOMEM, "out of memory");
    if (!err) buf_put(out, text.data, text.len);
    return err;
}

void engine_inputs(const struct engine *e, uint32_t series, struct buf *out)
{
    struct json_writer w = json_write(out);
    const struct series *s = &e->market.series[series];
    json_put_object(&w, NULL);
    if (s->live) s->kind->inputs(&e->market, s, &w);
    json_put_end(&w);
}

bool engine_canonical(const struct engine *e, struct measure *x)
{
    return symbols_canonical(&e->market, x);
}
const uint32_t *engine_renamed(const struct engine *e, size_t *n)
{
    *n = e->market.renamed_n;
    return e->market.renamed;
}

/* ---- small readers ---- */
const struct engine_output *engine_output(const struct engine *e) { return &e->out; }
int64_t engine_now_ns(const struct engine *e) { return e->market.now_ns; }
uint64_t engine_seq(const struct engine *e) { return e->market.seq; }
size_t engine_instrument_count(const struct engine *e) { return e->market.instruments_n; }
int64_t engine_burst_alerts(const struct engine *e) { return e->market.settings.burst_alerts; }
struct market_settings engine_settings(const struct engine *e) { return e->market.settings; }
enum meaning engine_meaning(const struct engine *e)
{
    return (enum meaning)e->market.settings.meaning;
}

int32_t engine_instrument(const struct engine *e, const struct symbol *s)
{
    uint32_t no = market_instrument(&e->market, s);
    return no == NONE ? -1 : (int32_t)no;
}

int32_t engine_instrument_on(const struct engine *e, const struct symbol *s, int32_t day)
{
    const uint32_t no = symbols_on(&e->market, s, day);
    return no == NONE ? -1 : (int32_t)no;
}

size_t engine_symbols(const struct engine *e, int32_t id, struct dated_symbol out[2])
{
    const struct market *m = &e->market;
    size_t n = 0;
    for (size_t i = m->former_n; i-- > 0 && !n;)
        if (m->former[i].instrument == (uint32_t)id) out[n++] = m->former[i];
    out[n++] = symbols_of(m, (uint32_t)id);
    return n;
}

bool engine_is_of(const struct engine *e, int32_t id, int32_t issuer)
{
    return e->market.instruments[id].issuer == (uint32_t)issuer;
}

const char *engine_index_name(const struct engine *e, uint32_t universe)
{
    return e->market.universes[universe].name;
}

struct instrument_facts engine_instrument_facts(const struct engine *e, int32_t id)
{
    const struct instrument *x = &e->market.instruments[id];
    return (struct instrument_facts){ .symbol = x->symbol.s,
                                      .issuer = e->market.issuers[x->issuer].key,
                                      .name = x->name,
                                      .venue = e->market.venues[x->venue].name,
                                      .isin = x->isin,
                                      .figi = x->figi };
}

enum err engine_new(struct engine **out)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return ERR_NOMEM;
    if (calendars_add(&e->market, NULL)) {
        free(e);
        return ERR_NOMEM;
    }
    e->market.due_ns = e->market.presumes_ns = e->market.carry_until_ns = INT64_MAX;
    e->market.waits_day = INT32_MAX;
    e->market.take_count = quality_count;
    e->market.settings.coverage_gate_e8 = 95000000;
    e->market.gate = 0.95;
    e->market.turn = 1;
    *out = e;
    return ERR_OK;
}

static void release(struct market *m)
{
    for (size_t i = 0; i < m->venues_n; i++) {
        calendar_free(m->venues[i].calendar);
        free(m->venues[i].ended);
    }
    for (size_t i = 0; i < m->universes_n; i++) universe_release(&m->universes[i]);
    for (size_t i = 0; i < m->series_n; i++) window_free(m->series[i].window);
    void *const arrays[] = { m->instruments,
                             m->issuers,
                             m->universes,
                             m->store.lines,
                             m->store.slots,
                             (void *)m->closes,
                             m->series,
                             m->exposures,
                             m->slow,
                             m->touched,
                             m->moved,
                             m->venues,
                             m->actions,
                             m->histories,
                             m->looks,
                             m->history_points,
                             m->flags.of,
                             m->former,
                             m->renamed,
                             m->aliases,
                             m->said.of,
                             m->missing,
                             m->store.divisors.of,
                             m->former_issuers };
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) free(arrays[i]);
    for (int i = 0; i < 2; i++) buf_release(&m->news_text[i]);
    articles_release(&m->articles);
    state_marks_release(&m->closes_marks);
    map_release(&m->by_symbol);
    map_release(&m->by_issuer);
    map_release(&m->by_series);
    map_release(&m->by_alias);
}

void engine_free(struct engine *e)
{
    if (!e) return;
    release(&e->market);
    free(e);
}

struct market *engine_market(struct engine *e) { return &e->market; }

/* ---- the state that lasts ---- */
void engine_save(const struct engine *e, struct buf *out)
{
    struct state_writer w = state_write(out);
    market_save(&e->market, &w);
}

enum err engine_unasked(struct engine *e, struct engine **out, struct why *why)
{
    AUTO_BUF struct buf state = { 0 };
    size_t used;
    enum err err = series_unask(&e->market);
    struct state_writer w = state_write(&state);
    market_save_live(&e->market, &w);
    if (err || !buf_ok(&state)) return err_set(why, ERR_NOMEM, "out of memory");
    return engine_load(state.data, state.len, out, &used, why);
}

void engine_image(struct engine *e, struct state_image *out) { market_image(&e->market, out); }

void engine_image_known(struct engine *e, bool known) { market_image_known(&e->market, known); }

enum err engine_load(const void *p, size_t n, struct engine **out, size_t *used, struct why *why)
{
    struct engine *e;
    enum err err = engine_new(&e);
    if (err) return err;
    err = market_load(p, n, &e->market, used, why);
    if (err) engine_free(e);
    else *out = e;
    return err;
}
