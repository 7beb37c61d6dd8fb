/* save.c - the market as parts of a saved state (core/state.h), and back.
 *
 * Saved is what nothing else says: what came in records, and what depends on the way it came
 * (levels' references, equal weights, windows). Not saved is what follows from that: maps, chains
 * of series, squares, orders, sums, starts of windows; market_load makes them anew from what is
 * there. Values of equal-weight variants are fields named after the variant ("q_monthly_line"), so
 * that no variant is known by its place.
 *
 * Index X of A and B after 20 sessions, and a rule on max(last(A), over=5d):
 *
 *     instrument 2   issuer 2   close 40   universe 1   line 2   slot 2
 *     level_day 20      X's levels at session ends, each with X's number in front
 *     equal_weight 1    what X's ten variants are measured from; their sums follow from the lines
 *     series            X's own, last(A), max(last(A), over=5d): text and who asks
 *     window 1, run ..  what max keeps, each run with the number of its series in front
 *
 * Loading goes in an order in which each step finds what it leans on: arrays; are all numbers in
 * range; maps; aggregates, summed afresh; series, which ask for what they need as they did when
 * they began; then the windows that they have so begun are filled with the saved runs. */
#include "analytics/save.h"

#include "analytics/actions.h"
#include "analytics/calendars.h"
#include "analytics/histories.h"
#include "analytics/coverage.h"
#include "analytics/refusals.h"
#include "analytics/issuers.h"
#include "analytics/news/articles.h"
#include "analytics/news/sums.h"
#include "analytics/series.h"
#include "analytics/window.h"
#include "core/vec.h"
#include "core/when.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts ---- */
static const struct state_field market_fields[] = {
    STATE_FIELD(I64, struct market, settings.stale_after_ns),
    STATE_FIELD(I64, struct market, settings.sample_ns),
    STATE_FIELD(I64, struct market, settings.coverage_gate_e8),
    STATE_FIELD(BOOL, struct market, settings.drop_unasked),
    STATE_FIELD(I64, struct market, now_ns),
    STATE_FIELD(I64, struct market, sampled_ns),
    STATE_FIELD(U64, struct market, seq),
    STATE_FIELD(I64, struct market, settings.meaning),
    STATE_FIELD(I64, struct market, settings.session_grace_ns),
    STATE_FIELD(BOOL, struct market, settings.hold_shares),
    STATE_FIELD(I64, struct market, settings.burst_alerts),
    STATE_FIELD(BOOL, struct market, settings.readings_on_change),
    STATE_FIELD(U64, struct market, flags.made),
    STATE_FIELD(U64, struct market, store.divisors.made),
    STATE_FIELD(U64, struct market, said.made),
};
static const struct state_field venue_fields[] = {
    STATE_FIELD(BYTE, struct venue, name),
    STATE_FIELD(I32, struct venue, day),
    STATE_FIELD(I32, struct venue, no),
    STATE_FIELD(BOOL, struct venue, in_session),
    STATE_FIELD(I64, struct venue, official_ns),
    STATE_FIELD(I32, struct venue, said_day),
    STATE_FIELD(U32, struct venue, rebalanced),
    STATE_FIELD(I32, struct venue, fresh_day),
    STATE_FIELD(I64, struct venue, carry_until_ns),
    STATE_FIELD(I64, struct venue, begun_ns),
};
/* A calendar as its own text, in pieces of some bytes, the last one filled up with zeros. */
struct saved_text {
    uint32_t venue;
    char bytes[252];
};
static const struct state_field calendar_fields[] = {
    STATE_FIELD(U32, struct saved_text, venue),
    STATE_FIELD(BYTE, struct saved_text, bytes),
};
static const struct state_field history_fields[] = {
    STATE_FIELD(BYTE, struct long_history, measure),
    STATE_FIELD(BYTE, struct long_history, source),
    STATE_FIELD(U32, struct long_history, n),
};
static const struct state_field history_point_fields[] = {
    STATE_FIELD(I32, struct history_point, day),
    STATE_FIELD(F64, struct history_point, value),
};
static const struct state_field instrument_fields[] = {
    STATE_FIELD(BYTE, struct instrument, symbol),
    STATE_FIELD(U32, struct instrument, issuer),
    STATE_FIELD(U32, struct instrument, first_line),
    STATE_FIELD(U32, struct instrument, last_close),
    STATE_FIELD(I64, struct instrument, price_e8),
    STATE_FIELD(I64, struct instrument, price_ns),
    STATE_FIELD(I64, struct instrument, shares),
    STATE_FIELD(I64, struct instrument, float_e8),
    STATE_FIELD(I64, struct instrument, shares_max),
    STATE_FIELD(BYTE, struct instrument, name),
    STATE_FIELD(BOOL, struct instrument, ended),
    STATE_FIELD(U32, struct instrument, refused),
    STATE_FIELD(BYTE, struct instrument, refused_why),
    STATE_FIELD(BYTE, struct instrument, isin),
    STATE_FIELD(BYTE, struct instrument, figi),
    STATE_FIELD(I64, struct instrument, official_e8),
    STATE_FIELD(I64, struct instrument, official_ns),
    STATE_FIELD(I32, struct instrument, official_day),
    STATE_FIELD(I32, struct instrument, price_day),
    STATE_FIELD(U32, struct instrument, venue),
    STATE_FIELD(I64, struct instrument, regular_e8),
    STATE_FIELD(BOOL, struct instrument, priced),
    STATE_FIELD(BOOL, struct instrument, extended),
    STATE_FIELD(BOOL, struct instrument, has_regular),
    STATE_FIELD(BOOL, struct instrument, negative_prices),
    STATE_FIELD(I32, struct instrument, regular_day),
    STATE_FIELD(I64, struct instrument, carried_e8),
    STATE_FIELD(I64, struct instrument, jump_was),
    STATE_FIELD(I64, struct instrument, jump_is),
    STATE_FIELD(I32, struct instrument, jump_day),
    STATE_FIELD(I64, struct instrument, low_e8),
    STATE_FIELD(I64, struct instrument, high_e8),
    STATE_FIELD(I32, struct instrument, range_day),
    STATE_FIELD(U32, struct instrument, twin),
    STATE_FIELD(I64, struct instrument, cap_before_jump),
    STATE_FIELD(I64, struct instrument, jump_ns),
    STATE_FIELD(I64, struct instrument, held.shares),
    STATE_FIELD(I64, struct instrument, held.float_e8),
    STATE_FIELD(I64, struct instrument, held.was),
    STATE_FIELD(I64, struct instrument, held.price_e8),
    STATE_FIELD(U64, struct instrument, held.no),
    STATE_FIELD(U64, struct instrument, held.seq),
    STATE_FIELD(I64, struct instrument, held.event_ns),
};
static const struct state_field action_fields[] = {
    STATE_FIELD(I64, struct action, kind),      STATE_FIELD(U32, struct action, instrument),
    STATE_FIELD(I32, struct action, day),       STATE_FIELD(BOOL, struct action, applied),
    STATE_FIELD(BOOL, struct action, refused),  STATE_FIELD(BOOL, struct action, presumed),
    STATE_FIELD(I64, struct action, a),         STATE_FIELD(I64, struct action, b),
    STATE_FIELD(I64, struct action, amount_e8), STATE_FIELD(U32, struct action, child),
    STATE_FIELD(BOOL, struct action, awaits),   STATE_FIELD(I64, struct action, to),
    STATE_FIELD(I64, struct action, from),      STATE_FIELD(U64, struct action, no),
    STATE_FIELD(U64, struct action, seq),       STATE_FIELD(I64, struct action, event_ns),
};
static const struct state_field former_fields[] = {
    STATE_FIELD(BYTE, struct dated_symbol, symbol),
    STATE_FIELD(U32, struct dated_symbol, instrument),
    STATE_FIELD(I32, struct dated_symbol, from_day),
    STATE_FIELD(I32, struct dated_symbol, until_day),
    STATE_FIELD(U64, struct dated_symbol, from_seq),
    STATE_FIELD(U64, struct dated_symbol, until_seq),
};
static const struct state_field missing_fields[] = {
    STATE_FIELD(U64, struct missing_close, no),
    STATE_FIELD(U64, struct missing_close, seq),
    STATE_FIELD(I64, struct missing_close, event_ns),
    STATE_FIELD(U32, struct missing_close, instrument),
    STATE_FIELD(I32, struct missing_close, day),
};
static const struct state_field alias_fields[] = {
    STATE_FIELD(BYTE, struct alias, alias),
    STATE_FIELD(BYTE, struct alias, symbol),
};
static const struct state_field issuer_fields[] = {
    STATE_FIELD(BYTE, struct issuer, key),
    STATE_FIELD(BYTE, struct issuer, name),
    STATE_FIELD(U32, struct issuer, first_exposure),
    STATE_FIELD(I64, struct issuer, news.ns),
    STATE_FIELD(F64, struct issuer, news.sum),
    STATE_FIELD(F64, struct issuer, news.weight),
    STATE_FIELD(F64, struct issuer, news.weight_squared),
    STATE_FIELD(I64, struct issuer, base.ns),
    STATE_FIELD(F64, struct issuer, base.sum),
    STATE_FIELD(F64, struct issuer, base.weight),
    STATE_FIELD(F64, struct issuer, base.weight_squared),
    STATE_FIELD(U32, struct issuer, became),
    STATE_FIELD(I32, struct issuer, until_day),
};
static const struct state_field article_fields[] = {
    STATE_FIELD(BYTE, struct known_article, id),
    STATE_FIELD(BYTE, struct known_article, content),
    STATE_FIELD(I64, struct known_article, event_ns),
    STATE_FIELD(U64, struct known_article, first_effect),
    STATE_FIELD(U32, struct known_article, effects_n),
    STATE_FIELD(BOOL, struct known_article, retracted),
};
static const struct state_field effect_fields[] = {
    STATE_FIELD(U32, struct article_effect, issuer),
    STATE_FIELD(BOOL, struct article_effect, gone),
    STATE_FIELD(F64, struct article_effect, score),
    STATE_FIELD(F64, struct article_effect, relevance),
    STATE_FIELD(I64, struct article_effect, event_ns),
};
/* How many effects have ever been forgotten: articles name theirs by number. */
struct saved_effects {
    uint64_t before;
};
static const struct state_field effects_fields[] = {
    STATE_FIELD(U64, struct saved_effects, before),
};
static const struct state_field close_fields[] = {
    STATE_FIELD(I32, struct close, day),
    STATE_FIELD(U32, struct close, previous),
    STATE_FIELD(I64, struct close, price_e8),
};
static const struct state_field exposure_fields[] = {
    STATE_FIELD(I32, struct exposure, effective_day),
    STATE_FIELD(U32, struct exposure, next),
    STATE_FIELD(I64, struct exposure, value_e8),
};
static const struct state_field universe_fields[] = {
    STATE_FIELD(BYTE, struct universe, name),      STATE_FIELD(BYTE, struct universe, title),
    STATE_FIELD(BOOL, struct universe, book),      STATE_FIELD(BYTE, struct universe, owner),
    STATE_FIELD(F64, struct universe, base),       STATE_FIELD(U32, struct universe, first_line),
    STATE_FIELD(U32, struct universe, first_slot), STATE_FIELD(U32, struct universe, lines_n),
    STATE_FIELD(U32, struct universe, valued_n),   STATE_FIELD(U32, struct universe, slots_n),
    STATE_FIELD(U32, struct universe, spin_offs),  STATE_FIELD(U32, struct universe, issuers_n),
    STATE_FIELD(BOOL, struct universe, based),     STATE_FIELD(I64, struct universe, last_ns),
    STATE_FIELD(I128, struct universe, total),     STATE_FIELD(I128, struct universe, total_ref),
    STATE_FIELD(F64, struct universe, level_ref),  STATE_FIELD(BOOL, struct universe, recomposed),
    STATE_FIELD(U32, struct universe, venue),      STATE_FIELD(F64, struct universe, reinvested),
    STATE_FIELD(I128, struct universe, dividends),
};
static const struct state_field slot_fields[] = {
    STATE_FIELD(U32, struct slot, issuer),
    STATE_FIELD(U32, struct slot, next_of_universe),
    STATE_FIELD(U32, struct slot, lines_n),
    STATE_FIELD(I64, struct slot, value),
};
static const struct state_field series_fields[] = {
    STATE_FIELD(BYTE, struct series, tenant),
    STATE_FIELD(BYTE, struct series, text),
    STATE_FIELD(I32, struct series, watchers),
    STATE_FIELD(I32, struct series, asked),
    STATE_FIELD(BOOL, struct series, configured),
    STATE_FIELD(BOOL, struct series, live),
    STATE_FIELD(U64, struct series, seen_n),
    STATE_FIELD(F64, struct series, low),
    STATE_FIELD(F64, struct series, high),
    STATE_FIELD(I64, struct series, seen_ns),
    STATE_FIELD(BOOL, struct series, stored.ever),
    STATE_FIELD(F64, struct series, stored.value),
    STATE_FIELD(F64, struct series, stored.coverage),
    STATE_ENUM_FIELD(struct series, stored.status, reading_status),
    STATE_FIELD(I32, struct series, stored.version),
};
/* Fields of the three below are followed by one for each variant: see with_variants. */
static const struct state_field line_fields[] = {
    STATE_FIELD(U32, struct line, universe),
    STATE_FIELD(U32, struct line, instrument),
    STATE_FIELD(U32, struct line, slot),
    STATE_FIELD(U32, struct line, next_of_instrument),
    STATE_FIELD(U32, struct line, next_of_universe),
    STATE_FIELD(BOOL, struct line, active),
    STATE_FIELD(BOOL, struct line, valued),
    STATE_FIELD(BOOL, struct line, fresh),
    STATE_FIELD(I64, struct line, own_shares),
    STATE_FIELD(I64, struct line, shares),
    STATE_FIELD(I64, struct line, price_e8),
    STATE_FIELD(I64, struct line, value),
    STATE_FIELD(I64, struct line, quantity_e8),
    STATE_FIELD(I64, struct line, close_e8),
    STATE_FIELD(I128, struct line, total_before),
    STATE_FIELD(I128, struct line, total_after),
    STATE_FIELD(I32, struct line, shares_since),
    STATE_FIELD(I64, struct line, entered.price_e8),
    STATE_FIELD(I64, struct line, entered.shares),
    STATE_FIELD(I128, struct line, entered.total),
    STATE_FIELD(I32, struct line, entered.since),
    STATE_FIELD(I64, struct line, left.price_e8),
    STATE_FIELD(I64, struct line, left.shares),
    STATE_FIELD(I128, struct line, left.total),
    STATE_FIELD(I32, struct line, left.since),
    STATE_FIELD(I32, struct line, leaves_day),
};
struct saved_day {
    uint32_t universe;
    struct level_day day;
};
static const struct state_field day_fields[] = {
    STATE_FIELD(U32, struct saved_day, universe),
    STATE_FIELD(I32, struct saved_day, day.day),
    STATE_FIELD(F64, struct saved_day, day.level),
    STATE_FIELD(I128, struct saved_day, day.total),
};
struct saved_refs {
    uint32_t universe;
    struct session_refs of;
};
static const struct state_field refs_fields[] = {
    STATE_FIELD(U32, struct saved_refs, universe),
    STATE_FIELD(I32, struct saved_refs, of.day),
    STATE_FIELD(F64, struct saved_refs, of.level_ref),
    STATE_FIELD(I128, struct saved_refs, of.total_ref),
};
struct saved_closed {
    uint32_t universe;
    struct session_line of;
};
static const struct state_field closed_fields[] = {
    STATE_FIELD(U32, struct saved_closed, universe),
    STATE_FIELD(I32, struct saved_closed, of.day),
    STATE_FIELD(U32, struct saved_closed, of.line),
    STATE_FIELD(I64, struct saved_closed, of.shares),
    STATE_FIELD(I64, struct saved_closed, of.close_e8),
};
struct saved_weights {
    uint32_t universe;
    double level_ref[EW_VARIANTS];
    i128 ref[EW_VARIANTS];
};
static const struct state_field weights_fields[] = { STATE_FIELD(U32, struct saved_weights,
                                                                 universe) };

struct saved_window {
    uint32_t series;
    struct window window;
};
static const struct state_field window_fields[] = {
    STATE_FIELD(U32, struct saved_window, series),
    STATE_FIELD(BOOL, struct saved_window, window.begun),
    STATE_FIELD(I64, struct saved_window, window.first_at),
    STATE_FIELD(I64, struct saved_window, window.last_at),
    STATE_FIELD(F64, struct saved_window, window.last),
};
struct saved_run {
    uint32_t series;
    struct run run;
};
static const struct state_field run_fields[] = {
    STATE_FIELD(U32, struct saved_run, series),
    STATE_FIELD(I64, struct saved_run, run.from),
    STATE_FIELD(I64, struct saved_run, run.to),
    STATE_FIELD(F64, struct saved_run, run.value),
};

#define PART(name, type, fields)                                                                   \
    static const struct state_part name##_part = { #name, sizeof(type), fields, ARRAY_LEN(fields) }
struct saved_end {
    uint32_t venue;
    int32_t day;
};
static const struct state_field ended_fields[] = {
    STATE_FIELD(U32, struct saved_end, venue),
    STATE_FIELD(I32, struct saved_end, day),
};
PART(market, struct market, market_fields);
PART(venue, struct venue, venue_fields);
PART(calendar, struct saved_text, calendar_fields);
PART(ended, struct saved_end, ended_fields);
PART(history, struct long_history, history_fields);
PART(history_point, struct history_point, history_point_fields);
PART(instrument, struct instrument, instrument_fields);
PART(former_symbol, struct dated_symbol, former_fields);
PART(alias, struct alias, alias_fields);
PART(missing_close, struct missing_close, missing_fields);
PART(issuer, struct issuer, issuer_fields);
PART(article, struct known_article, article_fields);
PART(article_effect, struct article_effect, effect_fields);
PART(article_effects, struct saved_effects, effects_fields);
PART(close, struct close, close_fields);
PART(exposure, struct exposure, exposure_fields);
PART(action, struct action, action_fields);
PART(universe, struct universe, universe_fields);
PART(slot, struct slot, slot_fields);
PART(series, struct series, series_fields);
PART(window, struct saved_window, window_fields);
PART(run, struct saved_run, run_fields);

/* A part with one more field a variant for each of its arrays over variants. */
struct variants {
    const char *prefix;
    enum state_type type;
    size_t offset, size; /* of the array, of an element */
};
struct wide_part {
    struct state_part part;
    struct state_field fields[STATE_FIELDS_MAX];
    char names[STATE_FIELDS_MAX][40];
};

static void with_variants(struct wide_part *w, const char *name, size_t size,
                          const struct state_field *fields, size_t n, const struct variants *arrays,
                          size_t arrays_n)
{
    assert(n + arrays_n * EW_VARIANTS <= STATE_FIELDS_MAX);
    memcpy(w->fields, fields, n * sizeof *fields);
    for (size_t a = 0; a < arrays_n; a++)
        for (int k = 0; k < EW_VARIANTS; k++, n++) {
            const int len = snprintf(w->names[n], sizeof w->names[n], "%s_%s_%s", arrays[a].prefix,
                                     ew_names[k / BY_COUNT], by_names[k % BY_COUNT]);
            assert(len > 0 && (size_t)len < sizeof w->names[n]); /* cut, two would be one */
            w->fields[n] =
                (struct state_field){ .name = w->names[n],
                                      .type = arrays[a].type,
                                      .offset = arrays[a].offset + (size_t)k * arrays[a].size,
                                      .count = 1 };
        }
    w->part = (struct state_part){ name, size, w->fields, n };
}

static void line_part(struct wide_part *w)
{
    static const struct variants q = { "q", STATE_I64, offsetof(struct line, q), sizeof(int64_t) };
    with_variants(w, "line", sizeof(struct line), line_fields, ARRAY_LEN(line_fields), &q, 1);
}

static void day_part(struct wide_part *w)
{
    static const struct variants arrays[] = {
        { "ew", STATE_F64, offsetof(struct saved_day, day.ew), sizeof(double) },
        { "sum", STATE_I128, offsetof(struct saved_day, day.sums), sizeof(i128) }
    };
    with_variants(w, "level_day", sizeof(struct saved_day), day_fields, ARRAY_LEN(day_fields),
                  arrays, ARRAY_LEN(arrays));
}

static void refs_part(struct wide_part *w)
{
    static const struct variants arrays[] = {
        { "level_ref", STATE_F64, offsetof(struct saved_refs, of.ew_level_ref), sizeof(double) },
        { "ref", STATE_I128, offsetof(struct saved_refs, of.ew_ref), sizeof(i128) }
    };
    with_variants(w, "session_refs", sizeof(struct saved_refs), refs_fields, ARRAY_LEN(refs_fields),
                  arrays, ARRAY_LEN(arrays));
}

static void closed_part(struct wide_part *w)
{
    static const struct variants q = { "q", STATE_I64, offsetof(struct saved_closed, of.q),
                                       sizeof(int64_t) };
    with_variants(w, "session_line", sizeof(struct saved_closed), closed_fields,
                  ARRAY_LEN(closed_fields), &q, 1);
}

static void weights_part(struct wide_part *w)
{
    static const struct variants arrays[] = {
        { "level_ref", STATE_F64, offsetof(struct saved_weights, level_ref), sizeof(double) },
        { "ref", STATE_I128, offsetof(struct saved_weights, ref), sizeof(i128) }
    };
    with_variants(w, "equal_weight", sizeof(struct saved_weights), weights_fields, 1, arrays, 2);
}

/* ---- saving ---- */
static void save_universes(const struct market *m, struct state_writer *w)
{
    struct wide_part wide;
    state_put(w, &universe_part, m->universes, m->universes_n);
    line_part(&wide);
    state_put(w, &wide.part, m->store.lines, m->store.lines_n);
    state_put(w, &slot_part, m->store.slots, m->store.slots_n);
}

/* Without what is forgotten, which is so no part of the state wherever it still lies. */
static void save_articles(const struct articles *a, struct state_writer *w)
{
    const struct saved_effects effects = { a->effects_before + a->effects_head };
    state_put(w, &article_part, a->known + a->known_head, a->known_n - a->known_head);
    state_put(w, &article_effect_part, a->effects + a->effects_head,
              a->effects_n - a->effects_head);
    state_put(w, &article_effects_part, &effects, 1);
}

static struct saved_weights weights_of(const struct market *m, uint32_t universe)
{
    const struct equal_weight *e = universe_kept(&m->universes[universe], &aggregate_equal_weight);
    struct saved_weights s = { .universe = universe };
    for (int k = 0; k < EW_VARIANTS; k++) {
        s.level_ref[k] = e->variants[k].level_ref;
        s.ref[k] = e->variants[k].ref;
    }
    return s;
}

static size_t pages_of(size_t rows, size_t per_page)
{
    return rows / per_page + (rows % per_page != 0);
}

/* Three indices with 250 days each are 750 rows, in the order of the indices and then of the
 * days, in which load_days puts them back. Each index begins a page of its own: a session more
 * of the first would else move the rows of all behind it. */
static void save_days(const struct market *m, struct state_writer *w)
{
    struct wide_part wide;
    day_part(&wide);
    const size_t per_page = state_rows_of_page(&wide.part);
    size_t days_n = 0, pages_n = 0;
    for (size_t i = 0; i < m->universes_n; i++) {
        days_n += m->universes[i].days_n;
        pages_n += pages_of(m->universes[i].days_n, per_page);
    }
    struct saved_day *page = malloc(per_page * sizeof *page);
    w->out->failed |= !page;
    state_put_pages(w, &wide.part, page ? days_n : 0, page ? pages_n : 0);
    for (uint32_t i = 0; i < m->universes_n && page; i++) {
        const struct universe *u = &m->universes[i];
        for (size_t d = 0, n = 0; d < u->days_n; d++) {
            page[n++] = (struct saved_day){ i, u->days[d] };
            if (n < per_page && d + 1 < u->days_n) continue;
            state_put_page(w, page, n);
            n = 0;
        }
    }
    free(page);
}

/* Rows that lie in many places are gathered in one array first: a part is one array. */
static void save_levels(const struct market *m, struct state_writer *w)
{
    struct wide_part wide;
    size_t weights_n = 0;
    struct saved_weights *weights = malloc((m->universes_n + 1) * sizeof *weights);
    w->out->failed |= !weights;
    for (uint32_t i = 0; i < m->universes_n && weights; i++)
        if (!m->universes[i].book) weights[weights_n++] = weights_of(m, i);
    save_days(m, w);
    weights_part(&wide);
    state_put(w, &wide.part, weights, weights_n);
    free(weights);
}

static void save_ended(const struct market *m, struct state_writer *w)
{
    size_t n = 0, i = 0;
    for (size_t v = 0; v < m->venues_n; v++) n += m->venues[v].ended_n;
    struct saved_end *ends = malloc((n + 1) * sizeof *ends);
    w->out->failed |= !ends;
    for (uint32_t v = 0; v < m->venues_n && ends; v++)
        for (size_t k = 0; k < m->venues[v].ended_n; k++)
            ends[i++] = (struct saved_end){ v, m->venues[v].ended[k] };
    state_put(w, &ended_part, ends, i);
    free(ends);
}

static void put_text(struct saved_text **pieces, size_t *n, size_t *cap, uint32_t venue,
                     const struct buf *text, struct state_writer *w)
{
    for (size_t at = 0; at < text->len; at += sizeof(*pieces)->bytes) {
        if (!VEC_GROW(pieces, cap, *n + 1)) {
            w->out->failed = true;
            return;
        }
        struct saved_text *p = &(*pieces)[(*n)++];
        const size_t left = text->len - at;
        *p = (struct saved_text){ .venue = venue };
        memcpy(p->bytes, text->data + at, left < sizeof p->bytes ? left : sizeof p->bytes);
    }
}

static void save_calendars(const struct market *m, struct state_writer *w)
{
    struct saved_text *pieces = NULL;
    size_t n = 0, cap = 0;
    for (uint32_t v = 0; v < m->venues_n; v++) {
        const struct calendar *c = m->venues[v].calendar;
        AUTO_BUF struct buf text = { 0 };
        if (!c) continue;
        calendar_write(c, civil_from_day(calendar_first_day(c)).year,
                       civil_from_day(calendar_last_day(c)).year, &text);
        if (!buf_ok(&text)) w->out->failed = true;
        else put_text(&pieces, &n, &cap, v, &text, w);
    }
    state_put(w, &calendar_part, pieces, n);
    free(pieces);
}

/* The ended sessions whose closes may still be corrected. */
static void save_sessions(const struct market *m, struct state_writer *w)
{
    struct wide_part wide;
    size_t refs_n = 0, closed_n = 0, n = 0, c = 0;
    for (size_t i = 0; i < m->universes_n; i++)
        refs_n += m->universes[i].refs_n, closed_n += m->universes[i].closed_n;
    struct saved_refs *refs = malloc((refs_n + 1) * sizeof *refs);
    struct saved_closed *closed = malloc((closed_n + 1) * sizeof *closed);
    w->out->failed |= !refs || !closed;
    for (uint32_t i = 0; i < m->universes_n && refs && closed; i++) {
        const struct universe *u = &m->universes[i];
        for (size_t d = 0; d < u->refs_n; d++) refs[n++] = (struct saved_refs){ i, u->refs[d] };
        for (size_t d = 0; d < u->closed_n; d++)
            closed[c++] = (struct saved_closed){ i, u->closed[d] };
    }
    refs_part(&wide);
    state_put(w, &wide.part, refs, n);
    closed_part(&wide);
    state_put(w, &wide.part, closed, c);
    free(refs);
    free(closed);
}

/* The number under which a series is saved, by series; NONE: it is not. NULL: out of memory. */
static uint32_t *saved_numbers(const struct market *m, bool live_alone)
{
    uint32_t *numbers = malloc((m->series_n + 1) * sizeof *numbers), n = 0;
    for (size_t i = 0; i < m->series_n && numbers; i++)
        numbers[i] = live_alone && !m->series[i].live ? NONE : n++;
    return numbers;
}

static void save_windows(const struct market *m, struct state_writer *w, const uint32_t *numbers)
{
    size_t windows_n = 0, runs_n = 0, n = 0, r = 0;
    for (size_t i = 0; i < m->series_n; i++)
        if (m->series[i].window) windows_n++, runs_n += window_runs_n(m->series[i].window);
    struct saved_window *windows = malloc((windows_n + 1) * sizeof *windows);
    struct saved_run *runs = malloc((runs_n + 1) * sizeof *runs);
    w->out->failed |= !windows || !runs;
    for (uint32_t i = 0; i < m->series_n && windows && runs; i++) {
        const struct window *x = m->series[i].window;
        if (!x || numbers[i] == NONE) continue;
        windows[n++] = (struct saved_window){ numbers[i], *x };
        for (size_t k = 0; k < window_runs_n(x); k++)
            runs[r++] = (struct saved_run){ numbers[i], window_run(x, k) };
    }
    state_put(w, &window_part, windows, n);
    state_put(w, &run_part, runs, r);
    free(windows);
    free(runs);
}

static void save_series(const struct market *m, struct state_writer *w, bool live_alone)
{
    uint32_t *numbers = saved_numbers(m, live_alone);
    struct series *live = live_alone ? malloc((m->series_n + 1) * sizeof *live) : NULL;
    size_t n = 0;
    if (!numbers || (live_alone && !live)) w->out->failed = true;
    else {
        for (size_t i = 0; i < m->series_n && live; i++)
            if (m->series[i].live) live[n++] = m->series[i];
        state_put(w, &series_part, live ? live : m->series, live ? n : m->series_n);
        save_windows(m, w, numbers);
    }
    free(numbers);
    free(live);
}

/* `closes`: what is known of the image before; NULL: there is none. */
static void save(const struct market *m, struct state_writer *w, bool live_alone,
                 struct state_marks *closes)
{
    state_put(w, &market_part, m, 1);
    state_put(w, &instrument_part, m->instruments, m->instruments_n);
    state_put(w, &former_symbol_part, m->former, m->former_n);
    state_put(w, &alias_part, m->aliases, m->aliases_n);
    state_put(w, &missing_close_part, m->missing, m->missing_n);
    state_put(w, &issuer_part, m->issuers, m->issuers_n);
    save_articles(&m->articles, w);
    if (closes) state_put_marked(w, &close_part, m->closes, m->closes_n, closes);
    else state_put(w, &close_part, m->closes, m->closes_n);
    state_put(w, &venue_part, m->venues, m->venues_n);
    save_calendars(m, w);
    save_ended(m, w);
    state_put(w, &history_part, m->histories, m->histories_n);
    state_put(w, &history_point_part, m->history_points, m->history_points_n);
    state_put(w, &exposure_part, m->exposures, m->exposures_n);
    state_put(w, &action_part, m->actions, m->actions_n);
    save_universes(m, w);
    save_levels(m, w);
    save_sessions(m, w);
    save_series(m, w, live_alone);
    state_write_end(w);
}

void market_save(const struct market *m, struct state_writer *w) { save(m, w, false, NULL); }
void market_save_live(const struct market *m, struct state_writer *w) { save(m, w, true, NULL); }

void market_image(struct market *m, struct state_image *out)
{
    struct state_writer w = state_write_image(out);
    save(m, &w, false, &m->closes_marks);
}

void market_image_known(struct market *m, bool known)
{
    state_marks_set(&m->closes_marks, known, m->closes_n);
}

/* ---- loading ---- */
#define GET(r, part, m, array, why)                                                                \
    state_get(r, part, (void **)&(m)->array, &(m)->array##_n, &(m)->array##_cap, why)

static enum err load_scalars(struct state_reader *r, struct market *m, struct why *why)
{
    struct market *saved;
    size_t n, cap;
    enum err e = state_get(r, &market_part, (void **)&saved, &n, &cap, why);
    if (!e && n != 1) e = err_set(why, ERR_INVALID, "not an engine's state");
    if (!e) {
        m->settings = saved->settings;
        m->gate = (double)saved->settings.coverage_gate_e8 / 1e8;
        m->now_ns = saved->now_ns;
        m->sampled_ns = saved->sampled_ns;
        m->seq = saved->seq;
        m->flags.made = saved->flags.made;
        m->store.divisors.made = saved->store.divisors.made;
        m->said.made = saved->said.made;
    }
    free(saved);
    return e;
}

/* The one of UTC days is there already, in a market that is new. */
static enum err load_venues(struct state_reader *r, struct market *m, struct why *why)
{
    struct venue *saved;
    size_t n, cap;
    enum err e = state_get(r, &venue_part, (void **)&saved, &n, &cap, why);
    if (!e && (n == 0 || !VEC_GROW(&m->venues, &m->venues_cap, n)))
        e = n ? ERR_NOMEM : err_set(why, ERR_INVALID, "no venue of UTC days");
    for (size_t i = 0; i < n && !e; i++) {
        struct venue *v = &m->venues[i];
        *v = saved[i];
        v->name[sizeof v->name - 1] = '\0';
    }
    if (!e) m->venues_n = n;
    free(saved);
    return e;
}

static enum err load_calendars(struct state_reader *r, struct market *m, struct why *why)
{
    struct saved_text *pieces = NULL;
    size_t n = 0, cap;
    enum err e = state_get(r, &calendar_part, (void **)&pieces, &n, &cap, why);
    for (size_t i = 0; i < n && !e;) {
        const uint32_t venue = pieces[i].venue;
        AUTO_BUF struct buf text = { 0 };
        for (; i < n && pieces[i].venue == venue; i++)
            buf_put(&text, pieces[i].bytes, strnlen(pieces[i].bytes, sizeof pieces[i].bytes));
        if (!buf_ok(&text)) e = ERR_NOMEM;
        else if (venue >= m->venues_n || m->venues[venue].calendar)
            e = err_set(why, ERR_INVALID, "a calendar of a venue that is not there");
        else
            e = calendar_parse((struct str){ text.data, (uint32_t)text.len },
                               &m->venues[venue].calendar, NULL, why);
    }
    free(pieces);
    venues_set_due(m);
    return e;
}

static enum err load_ended(struct state_reader *r, struct market *m, struct why *why)
{
    struct saved_end *ends;
    size_t n, cap;
    enum err e = state_get(r, &ended_part, (void **)&ends, &n, &cap, why);
    for (size_t i = 0; i < n && !e; i++) {
        struct venue *v = ends[i].venue < m->venues_n ? &m->venues[ends[i].venue] : NULL;
        if (!v) e = err_set(why, ERR_INVALID, "a session of a venue that is not there");
        else if (!VEC_GROW(&v->ended, &v->ended_cap, v->ended_n + 1)) e = ERR_NOMEM;
        else v->ended[v->ended_n++] = ends[i].day;
    }
    free(ends);
    return e;
}

static enum err load_articles(struct state_reader *r, struct market *m, struct why *why)
{
    struct articles *a = &m->articles;
    struct saved_effects *effects = NULL;
    size_t n = 0, cap;
    enum err e = GET(r, &article_part, a, known, why);
    if (!e) e = GET(r, &article_effect_part, a, effects, why);
    if (!e) e = state_get(r, &article_effects_part, (void **)&effects, &n, &cap, why);
    if (!e && n == 1) a->effects_before = effects->before;
    free(effects);
    if (!e && !articles_restore(m))
        e = err_set(why, ERR_INVALID, "articles whose effects are not there");
    return e;
}

/* An older program wrote of an instrument without a price, or a close that waits, that it is 0:
 * then no price was. */
static void know_what_is_priced(struct market *m)
{
    for (size_t i = 0; i < m->instruments_n; i++) {
        struct instrument *x = &m->instruments[i];
        if (!x->priced && x->price_e8 != 0) {
            x->priced = x->has_regular = true;
            if (x->regular_e8 == 0) x->regular_e8 = x->price_e8;
        }
        if (x->official_e8 == 0 && !x->negative_prices) x->official_day = NO_DAY;
    }
}

static enum err load_arrays(struct state_reader *r, struct market *m, struct why *why)
{
    struct wide_part wide;
    enum err e = GET(r, &instrument_part, m, instruments, why);
    if (!e) e = GET(r, &former_symbol_part, m, former, why);
    if (!e) e = GET(r, &alias_part, m, aliases, why);
    if (!e) e = GET(r, &missing_close_part, m, missing, why);
    if (!e) e = GET(r, &issuer_part, m, issuers, why);
    if (!e) e = load_articles(r, m, why);
    if (!e) e = GET(r, &close_part, m, closes, why);
    if (!e) e = load_venues(r, m, why);
    if (!e) e = load_calendars(r, m, why);
    if (!e) e = load_ended(r, m, why);
    if (!e) e = GET(r, &history_part, m, histories, why);
    if (!e) e = GET(r, &history_point_part, m, history_points, why);
    if (!e && !histories_restore(m))
        e = err_set(why, ERR_INVALID, "histories and their points do not fit each other");
    if (!e) e = GET(r, &exposure_part, m, exposures, why);
    if (!e) e = GET(r, &action_part, m, actions, why);
    if (!e) e = GET(r, &universe_part, m, universes, why);
    line_part(&wide);
    if (!e) e = GET(r, &wide.part, m, store.lines, why);
    if (!e) e = GET(r, &slot_part, m, store.slots, why);
    if (!e) know_what_is_priced(m);
    return e ? e : GET(r, &series_part, m, series, why);
}

/* A number that names a thing which is not there would be read out of bounds: the bytes are
 * damaged. Every chain runs from greater numbers to smaller ones, because a thing is put before
 * those that were there: so it is enough that each next is smaller to know that no chain runs in a
 * circle. But a close may be put among those that were there: along its chain days fall. */
static bool names_what_is_there(const struct market *m)
{
#define IN(number, array) ((number) == NONE || (number) < m->array##_n)
    bool ok = true;
    for (size_t i = 0; i < m->instruments_n; i++) {
        const struct instrument *x = &m->instruments[i];
        ok &= x->issuer < m->issuers_n && x->venue < m->venues_n && IN(x->first_line, store.lines)
              && IN(x->last_close, closes) && memchr(x->symbol.s, '\0', sizeof x->symbol.s)
              && memchr(x->name, '\0', sizeof x->name) && memchr(x->isin, '\0', sizeof x->isin)
              && memchr(x->figi, '\0', sizeof x->figi);
    }
    for (size_t i = 0; i < m->former_n; i++)
        ok &= m->former[i].instrument < m->instruments_n
              && memchr(m->former[i].symbol.s, '\0', sizeof m->former[i].symbol.s);
    for (size_t i = 0; i < m->aliases_n; i++)
        ok &= memchr(m->aliases[i].alias.s, '\0', sizeof m->aliases[i].alias.s)
              && memchr(m->aliases[i].symbol.s, '\0', sizeof m->aliases[i].symbol.s);
    for (size_t i = 0; i < m->missing_n; i++) ok &= m->missing[i].instrument < m->instruments_n;
    for (size_t i = 0; i < m->issuers_n; i++)
        ok &= IN(m->issuers[i].first_exposure, exposures) && m->issuers[i].became <= m->issuers_n
              && (!m->issuers[i].became || !m->issuers[m->issuers[i].became - 1].became)
              && memchr(m->issuers[i].key, '\0', sizeof m->issuers[i].key)
              && memchr(m->issuers[i].name, '\0', sizeof m->issuers[i].name);
    for (size_t i = 0; i < m->closes_n; i++)
        ok &= m->closes[i].previous == NONE /* days fall along the chain, so that it ends */
              || (m->closes[i].previous < m->closes_n
                  && m->closes[m->closes[i].previous].day < m->closes[i].day);
    for (size_t i = 0; i < m->actions_n; i++)
        ok &= m->actions[i].instrument < m->instruments_n && IN(m->actions[i].child, instruments)
              && m->actions[i].kind > ACTION_NONE && m->actions[i].kind < ACTION_KIND_COUNT
              && (m->actions[i].kind != ACTION_SPIN_OFF || m->actions[i].child != NONE)
              && (m->actions[i].kind != ACTION_MERGER || m->actions[i].child == NONE
                  || m->actions[i].b > 0);
    for (size_t i = 0; i < m->exposures_n; i++)
        ok &= m->exposures[i].next == NONE || m->exposures[i].next < i;
    for (size_t i = 0; i < m->universes_n; i++)
        ok &= IN(m->universes[i].first_line, store.lines) && m->universes[i].venue < m->venues_n
              && IN(m->universes[i].first_slot, store.slots)
              && memchr(m->universes[i].name, '\0', sizeof m->universes[i].name);
    for (size_t i = 0; i < m->store.lines_n; i++) {
        const struct line *l = &m->store.lines[i];
        ok &= l->universe < m->universes_n && l->instrument < m->instruments_n
              && IN(l->slot, store.slots);
        ok &= (l->next_of_instrument == NONE || l->next_of_instrument < i)
              && (l->next_of_universe == NONE || l->next_of_universe < i);
    }
    for (size_t i = 0; i < m->store.slots_n; i++)
        ok &= m->store.slots[i].issuer < m->issuers_n
              && (m->store.slots[i].next_of_universe == NONE
                  || m->store.slots[i].next_of_universe < i);
    return ok;
#undef IN
}

static bool rebuild_maps(struct market *m)
{
    bool ok = true;
    for (size_t i = 0; i < m->instruments_n; i++)
        ok &= map_add(&m->by_symbol,
                      map_hash(m->instruments[i].symbol.s, sizeof m->instruments[i].symbol.s),
                      (uint32_t)i);
    for (size_t i = 0; i < m->aliases_n; i++)
        ok &= map_add(&m->by_alias, map_hash(m->aliases[i].alias.s, sizeof m->aliases[i].alias.s),
                      (uint32_t)i);
    for (size_t i = 0; i < m->issuers_n; i++)
        ok &= map_add(&m->by_issuer, map_hash(m->issuers[i].key, strlen(m->issuers[i].key)),
                      (uint32_t)i);
    return ok;
}

static void put_weights(struct market *m, const struct saved_weights *s)
{
    struct equal_weight *e = universe_kept(&m->universes[s->universe], &aggregate_equal_weight);
    for (int k = 0; k < EW_VARIANTS; k++) {
        equal_weight_set_ref(&e->variants[k], s->level_ref[k], s->ref[k]);
    }
}

static enum err load_weights(struct state_reader *r, struct market *m, struct why *why)
{
    struct wide_part wide;
    struct saved_weights *weights;
    size_t n, cap;
    weights_part(&wide);
    enum err e = state_get(r, &wide.part, (void **)&weights, &n, &cap, why);
    for (size_t i = 0; i < n && !e; i++) {
        if (weights[i].universe >= m->universes_n || m->universes[weights[i].universe].book)
            e = err_set(why, ERR_INVALID, "equal weights of an index that is not there");
        else put_weights(m, &weights[i]);
    }
    free(weights);
    return e;
}

static enum err load_days(struct state_reader *r, struct market *m, struct why *why)
{
    struct wide_part wide;
    struct saved_day *days;
    size_t n, cap;
    day_part(&wide);
    enum err e = state_get(r, &wide.part, (void **)&days, &n, &cap, why);
    for (size_t i = 0; i < n && !e; i++) {
        struct universe *u =
            days[i].universe < m->universes_n ? &m->universes[days[i].universe] : NULL;
        if (!u) e = err_set(why, ERR_INVALID, "levels of an index that is not there");
        else if (!VEC_GROW(&u->days, &u->days_cap, u->days_n + 1)) e = ERR_NOMEM;
        else u->days[u->days_n++] = days[i].day;
    }
    free(days);
    return e;
}

static enum err load_refs(struct state_reader *r, struct market *m, struct why *why)
{
    struct wide_part wide;
    struct saved_refs *refs;
    size_t n, cap;
    refs_part(&wide);
    enum err e = state_get(r, &wide.part, (void **)&refs, &n, &cap, why);
    for (size_t i = 0; i < n && !e; i++) {
        struct universe *u =
            refs[i].universe < m->universes_n ? &m->universes[refs[i].universe] : NULL;
        if (!u) e = err_set(why, ERR_INVALID, "a session of an index that is not there");
        else if (!VEC_GROW(&u->refs, &u->refs_cap, u->refs_n + 1)) e = ERR_NOMEM;
        else u->refs[u->refs_n++] = refs[i].of;
    }
    free(refs);
    return e;
}

static enum err load_closed(struct state_reader *r, struct market *m, struct why *why)
{
    struct wide_part wide;
    struct saved_closed *closed;
    size_t n, cap;
    closed_part(&wide);
    enum err e = state_get(r, &wide.part, (void **)&closed, &n, &cap, why);
    for (size_t i = 0; i < n && !e; i++) {
        struct universe *u =
            closed[i].universe < m->universes_n ? &m->universes[closed[i].universe] : NULL;
        if (!u || closed[i].of.line >= m->store.lines_n)
            e = err_set(why, ERR_INVALID, "a session of a line that is not there");
        else if (!VEC_GROW(&u->closed, &u->closed_cap, u->closed_n + 1)) e = ERR_NOMEM;
        else u->closed[u->closed_n++] = closed[i].of;
    }
    free(closed);
    return e;
}

static enum err load_levels(struct state_reader *r, struct market *m, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->universes_n; i++) {
        struct universe *u = &m->universes[i];
        u->first_series = NONE;
        universe_set_ref(u, u->level_ref, u->total_ref);
        if (u->based && !(u->reinvested > 0))
            u->reinvested = 1; /* saved before there were dividends */
        if (!u->book && !e) e = universe_keep_standard(&m->store, u);
    }
    for (size_t i = 0; i < m->instruments_n; i++) m->instruments[i].first_series = NONE;
    if (!e) e = load_weights(r, m, why);
    if (!e) e = load_days(r, m, why);
    if (!e) e = load_refs(r, m, why);
    return e ? e : load_closed(r, m, why);
}

/* Live series ask the market again for what they need; each after what it is taken of, because a
 * series has a greater number than its subject. A window that is begun here has one value, of now,
 * if any, which load_windows replaces. */
static enum err begin_series(struct market *m, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < m->series_n && !e; i++) e = series_restore(m, (uint32_t)i, why);
    for (size_t i = 0; i < m->series_n && !e; i++) {
        struct series *s = &m->series[i];
        if (!s->live) continue;
        if (s->subject_type == SUBJECT_SERIES) m->series[s->subject].parents++, m->parents_n++;
        if (s->kind->begin) e = s->kind->begin(m, s);
        s = &m->series[i];
        if (!e && s->kind->session) s->kind->session(m, s);
    }
    return e;
}

static struct window *window_of(struct market *m, uint32_t series)
{
    return series < m->series_n ? m->series[series].window : NULL;
}

static enum err load_windows(struct state_reader *r, struct market *m, struct why *why)
{
    struct saved_window *windows = NULL;
    struct saved_run *runs = NULL;
    size_t windows_n = 0, runs_n = 0, cap;
    enum err e = state_get(r, &window_part, (void **)&windows, &windows_n, &cap, why);
    if (!e) e = state_get(r, &run_part, (void **)&runs, &runs_n, &cap, why);
    for (size_t i = 0; i < windows_n && !e; i++) {
        struct window *w = window_of(m, windows[i].series);
        if (!w) e = err_set(why, ERR_INVALID, "a window of a series that has none");
        else {
            w->begun = windows[i].window.begun;
            w->first_at = windows[i].window.first_at;
            w->last_at = windows[i].window.last_at;
            w->last = windows[i].window.last;
            w->head = w->n = 0;
        }
    }
    for (size_t i = 0; i < runs_n && !e; i++) {
        struct window *w = window_of(m, runs[i].series);
        if (!w) e = err_set(why, ERR_INVALID, "a run of a series that has no window");
        else if (!VEC_GROW(&w->runs, &w->cap, w->n + 1)) e = ERR_NOMEM;
        else w->runs[w->n++] = runs[i].run;
    }
    for (size_t i = 0; i < windows_n && !e; i++)
        e = window_restored(window_of(m, windows[i].series));
    free(windows);
    free(runs);
    return e;
}

static enum err load_all(struct state_reader *r, struct market *m, struct why *why)
{
    enum err e = load_scalars(r, m, why);
    if (!e) e = load_arrays(r, m, why);
    if (!e && !names_what_is_there(m))
        e = err_set(why, ERR_INVALID, "the engine's state names what is not in it");
    if (!e && (!rebuild_maps(m) || !issuers_restore(m))) e = ERR_NOMEM;
    if (!e) actions_restore(m);
    if (!e) coverage_restore(m);
    if (!e) refusals_restore(m);
    if (!e) e = load_levels(r, m, why);
    if (!e) e = begin_series(m, why);
    if (!e) e = load_windows(r, m, why);
    return e ? e : state_close(r, why);
}

enum err market_load(const void *p, size_t n, struct market *m, size_t *used, struct why *why)
{
    struct state_reader r;
    enum err e = state_open(p, n, &r, why);
    if (!e) e = load_all(&r, m, why);
    m->turn++; /* readings made meanwhile are not remembered */
    *used = r.used;
    return e;
}
