#include "app/step.h"

#include "alerts/rules/key.h"
#include "analytics/picture.h"
#include "analytics/quality.h"
#include "core/arena.h"
#include "core/calendar.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/calendars/shipped.h"
#include "ingest/formats/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Holds in session time are over by the calendars that the engine has. */
static int64_t held_until(void *engine, uint32_t series, int64_t since_ns, int64_t hold_ns)
{
    return engine_open_until(engine, series, since_ns, hold_ns);
}

enum err step_init(struct step *s)
{
    *s = (struct step){ 0 };
    enum err e = engine_new(&s->engine);
    if (!e) e = rule_set_new(&s->rules);
    if (e) step_release(s);
    else rule_set_session_time(s->rules, held_until, s->engine);
    return e;
}

void step_release(struct step *s)
{
    engine_free(s->engine);
    rule_set_free(s->rules);
    buf_release(&s->inputs);
    buf_release(&s->held_text);
    for (size_t i = 0; i < s->definitions_n; i++) free(s->definitions[i]);
    free(s->definitions);
    free(s->held);
    picture_list_release(s->list);
    *s = (struct step){ 0 };
}

/* ---- who hears ---- */
static const struct row_type *const row_types[STEP_ROW_COUNT] = {
#define STEP_ROW(name) [STEP_##name] = &name,
#include "app/step_rows.def"
#undef STEP_ROW
};

static void hear_nothing(void *ctx, const struct row_type *type, const void *row)
{
    (void)ctx, (void)type, (void)row;
}

static const struct row_type *const no_rows[] = { NULL };
const struct step_sink step_deaf = { .row = hear_nothing, .wanted = no_rows };

static void want(struct step *s, const struct row_type *type)
{
    size_t i = 0;
    while (i < STEP_ROW_COUNT && row_types[i] != type) i++;
    assert(i < STEP_ROW_COUNT);
    s->wanted[i] = true;
}

void step_hear(struct step *s, const struct step_sink *sink)
{
    assert(sink->row);
    s->sink = *sink;
    for (size_t i = 0; i < STEP_ROW_COUNT; i++) s->wanted[i] = !sink->wanted;
    for (size_t i = 0; sink->wanted && sink->wanted[i]; i++) want(s, sink->wanted[i]);
}

/* Say it, when somebody wants it; what it costs to make is the caller's to spare. */
static void say(struct step *s, enum step_row which, const void *row)
{
    if (s->wanted[which]) s->sink.row(s->sink.ctx, row_types[which], row);
}

/* ---- what a record causes ---- */
struct moment {
    struct step *s;
    const struct record *r;
    int64_t now_ns; /* for the rules: time_of */
};

static bool meaning_second(const struct step *s)
{
    return engine_meaning(s->engine) >= MEANING_SECOND;
}

/* When it is for the rules. A price is of its own time, whatever another source or our clock has
 * said meanwhile; what else comes is in force from now on. */
static int64_t time_of(const struct step *s, const struct record *r)
{
    const bool price = r->kind == RECORD_TRADE || r->kind == RECORD_CLOSE;
    const int64_t now = engine_now_ns(s->engine);
    return r->event_ns >= now || (price && meaning_second(s)) ? r->event_ns : now;
}

static struct moment moment_of(struct step *s, const struct record *r)
{
    return (struct moment){ s, r, time_of(s, r) };
}

/* A pure function of rule, version, seq and state. It begins with seq, so that an index over ids is appended to, not scattered. */
static struct uuid alert_id(const struct fire *f, uint64_t seq)
{
    struct uuid id = uuid_derive(f->rule, f->no << 16 ^ (uint64_t)f->version,
                                 seq << 1 | (f->state == ALERT_RESOLVED));
    for (int i = 0; i < 6; i++) id.b[i] = (uint8_t)(seq >> (40 - 8 * i));
    return id;
}

/* ---- due times ----
 *
 * last(A) at 51 since 10:00:00, and rules that it is >= 50 for 600 s and for 900 s. The next record
 * comes three days later, with A at 10. Before it is applied, where A stood at 10:10 and at 10:15
 * is held: twice 51, or nothing where that is stale by then. When it has been applied, and so is
 * not refused, the rules come due by what is held, and say 10:10 and 10:15; then they see the 10. */
static void hold_one(void *ctx, uint32_t series, int64_t due_ns)
{
    struct step *s = ctx;
    if (VEC_GROW(&s->held, &s->held_cap, s->held_n + 1))
        s->held[s->held_n++] = (struct evidence){ .due_ns = due_ns, .series = series };
    else s->held_text.failed = true;
}

static int by_time(const void *a, const void *b)
{
    const struct evidence *x = a, *y = b;
    if (x->due_ns != y->due_ns) return x->due_ns < y->due_ns ? -1 : 1;
    return (x->series > y->series) - (x->series < y->series);
}

/* Each once, in order. */
static void held_in_order(struct step *s)
{
    size_t n = 0;
    if (s->held_n > 1) qsort(s->held, s->held_n, sizeof *s->held, by_time);
    for (size_t i = 0; i < s->held_n; i++)
        if (i == 0 || by_time(&s->held[i], &s->held[n - 1]) != 0) s->held[n++] = s->held[i];
    s->held_n = n;
}

/* The value that counts of a series; false: it has none. */
static bool usable_value(const struct step *s, uint32_t series, int64_t *key)
{
    int64_t exact;
    const struct reading *v = engine_look(s->engine, series, &exact);
    if (v->status != READING_OK) return false;
    *key = exact != NOT_EXACT ? exact : key_of_double(v->value);
    return true;
}

static void hold_value(struct step *s, struct evidence *e)
{
    e->usable = usable_value(s, e->series, &e->key);
    e->at = s->held_text.len;
    if (!s->wanted[STEP_alert_row] && !s->piecewise) return; /* somebody may hear the rest of it */
    engine_inputs(s->engine, e->series, &s->held_text);
    buf_put(&s->held_text, "", 1);
}

/* Until MEANING_SECOND what stands just before the record is held. */
static void hold_values(struct step *s)
{
    const int64_t now = engine_now_ns(s->engine);
    s->due_then = meaning_second(s);
    buf_clear(&s->held_text);
    for (size_t i = 0; i < s->held_n && !s->due_then; i++) s->held[i].due_ns = 0;
    held_in_order(s);
    for (size_t i = 0; i < s->held_n; i++) {
        if (s->held[i].due_ns > now) engine_stand_at(s->engine, s->held[i].due_ns);
        hold_value(s, &s->held[i]);
    }
    engine_stand_at(s->engine, now);
}

/* Nearly always there is none. ERR_NOMEM: not all could be held. */
static enum err hold_evidence(struct step *s, int64_t now_ns)
{
    s->held_n = 0;
    rule_set_due(s->rules, now_ns, hold_one, s);
    if (s->held_n) hold_values(s);
    return buf_ok(&s->held_text) ? ERR_OK : ERR_NOMEM;
}

static const struct evidence *find_held(const struct step *s, uint32_t series, int64_t due_ns)
{
    const struct evidence key = { .due_ns = due_ns, .series = series };
    return s->held_n ? bsearch(&key, s->held, s->held_n, sizeof key, by_time) : NULL;
}

static bool stood(void *ctx, uint32_t series, int64_t due_ns, int64_t *key)
{
    const struct moment *m = ctx;
    const struct evidence *e = find_held(m->s, series, due_ns);
    assert(e); /* rule_set_due has named it */
    if (e->usable) *key = e->key;
    return e->usable;
}

static const char *inputs_of(struct step *s, uint32_t series, uint64_t seq, int64_t at_ns)
{
    const struct evidence *held = s->timing ? find_held(s, series, s->due_then ? at_ns : 0) : NULL;
    if (held) return s->held_text.data + held->at;
    if (s->inputs_seq != seq || s->inputs_series != series) {
        buf_clear(&s->inputs);
        engine_inputs(s->engine, series, &s->inputs);
        s->inputs_seq = seq;
        s->inputs_series = series;
    }
    return s->inputs.data ? s->inputs.data : "{}";
}

static double value_of(const struct series_facts *of, int64_t key)
{
    return of->price ? (double)key / 1e8 : key_to_double(key);
}

/* What a series' canonical text leaves out too; empty when memory is out, as its inputs are. */
static const char *definition_of(struct step *s, uint32_t series, const char *text)
{
    if (!VEC_GROW(&s->definitions, &s->definitions_cap, (size_t)series + 1)) return "";
    while (s->definitions_n <= series) s->definitions[s->definitions_n++] = NULL;
    if (s->definitions[series]) return s->definitions[series];
    struct measure m;
    AUTO_BUF struct buf b = { 0 };
    struct json_writer w = json_write(&b);
    if (!measure_parse(text, strlen(text), &m, NULL)) measure_definition(&m, &w, NULL);
    s->definitions[series] = buf_ok(&b) ? strdup(b.data) : NULL;
    return s->definitions[series] ? s->definitions[series] : "";
}

static void on_fire(void *ctx, const struct fire *f)
{
    const struct moment *m = ctx;
    struct step *s = m->s;
    if (!s->wanted[STEP_alert_row]) return;
    const struct series_facts of = engine_series_facts(s->engine, f->series);
    const struct rule_condition condition = rule_condition(f->text, f->term, of.price);
    const struct alert a = {
        .tenant_id = f->tenant,
        .rule_id = f->rule,
        .stream_no = f->stream_no,
        .seq = m->r->seq,
        .event_ns = meaning_second(s) ? f->at_ns : m->r->event_ns,
        .rule_no = f->no,
        .rule_version = f->version,
        .alert_id = alert_id(f, m->r->seq),
        .state = f->state,
        .severity = f->severity,
        .episode = uuid_derive(f->rule, f->no, f->episode),
        .reason = f->reason,
        .since_ns = f->since_ns,
        .value = f->has_key ? value_of(&of, f->key) : (double)NAN,
        .previous = f->has_before ? value_of(&of, f->before) : (double)NAN,
        .rule_name = f->name,
        .rule_text = f->text,
        .measure = of.text,
        .unit = of.unit,
        .inputs = inputs_of(s, f->series, m->r->seq, f->at_ns),
        .op = condition.op,
        .threshold = condition.threshold,
        .clear = condition.clear,
        .hold_s = f->hold_ns / NS_PER_S,
        .hold_in = f->hold_in,
        .looks_at = f->at,
        .definition = definition_of(s, f->series, of.text),
    };
    say(s, STEP_alert_row, &a);
}

static void move(const struct moment *m, uint32_t series)
{
    int64_t key;
    if (usable_value(m->s, series, &key)) rule_set_move(m->s->rules, series, key, m->now_ns);
    else rule_set_unusable(m->s->rules, series);
}

/* The rules look at where the series stands by now. */
static void look(struct moment *m, uint32_t series)
{
    move(m, series);
    rule_set_decide(m->s->rules, m->now_ns, on_fire, m);
}

static void tell_one_series(struct step *s, uint32_t i)
{
    const struct series_facts f = engine_series_facts(s->engine, i);
    say(s, STEP_series_row,
        &(struct series_row){ .series_id = i,
                              .tenant_id = f.tenant,
                              .measure = f.text,
                              .unit = f.unit,
                              .version = f.version,
                              .configured = f.configured });
}

/* Those that have begun. */
static void tell_series(struct step *s)
{
    for (; s->series_told < engine_series_count(s->engine); s->series_told++)
        tell_one_series(s, (uint32_t)s->series_told);
}

/* One that was there for its rules alone has become everybody's. */
static void tell_tracked(struct step *s, const struct record *r)
{
    struct measure m;
    char text[MEASURE_TEXT_MAX];
    if (measure_parse(r->u.track.measure.p, r->u.track.measure.n, &m, NULL)) return;
    engine_canonical(s->engine, &m);
    measure_format(&m, text);
    uint32_t no = engine_find_series(s->engine, r->u.track.tenant, text);
    if (no != SERIES_NONE && no < s->series_told) tell_one_series(s, no);
}

/* ---- rules ---- */
/* Whose rules look at which series has changed: the engine hears who asks, pictures who sees. ERR_NOMEM. */
static enum err take_change(struct step *s, struct uuid tenant, const struct rule_set_change *c)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < c->n && !e; i++) {
        const struct series_change *x = &c->of[i];
        if (x->watched) engine_watch(s->engine, x->series, x->watched);
        if (x->asked) e = engine_ask(s->engine, x->series, x->asked);
        s->sights_changed |= x->seen != 0;
        if (x->seen > 0)
            say(s, STEP_series_viewer_row,
                &(struct series_viewer_row){ .tenant_id = tenant, .series_id = x->series });
    }
    return e;
}

/* The rule as it now stands, and the version that made it so. */
static void tell_rule(struct step *s, const struct record *r, int32_t version, enum rule_verb verb,
                      const char *definition)
{
    say(s, STEP_rule_row,
        &(struct rule_row){ .tenant_id = r->u.rule.tenant,
                            .rule_id = r->u.rule.rule,
                            .version = version,
                            .seq = r->seq,
                            .definition = definition,
                            .deleted = verb == RULE_DELETED });
    say(s, STEP_rule_version_row,
        &(struct rule_version_row){ .tenant_id = r->u.rule.tenant,
                                    .rule_id = r->u.rule.rule,
                                    .version = version,
                                    .seq = r->seq,
                                    .change = verb,
                                    .definition = definition });
}

/* `had` is the rule before: of a new one the number that it gets, and version 0; of one that was
 * deleted its last version. */
static struct rule_spec spec_of(const struct record *r, const struct rule_draft *p,
                                const struct rule_facts *had, const struct term *term)
{
    return (struct rule_spec){
        .tenant = r->u.rule.tenant,
        .id = r->u.rule.rule,
        .no = had->no,
        .version = had->version + 1,
        .terms = term,
        .terms_n = 1,
        .clocks = { p->d.hold_s * NS_PER_S, p->d.cooldown_s * NS_PER_S, p->d.wait, p->d.hold_in },
        .at = p->d.at,
        .severity = p->d.severity,
        .enabled = p->d.enabled,
        .silent = !r->u.rule.ends,
        .name = p->d.name,
        .text = p->d.text,
    };
}

/* Into the rule set. It knows a value only as of the last time a rule looked at the series, and a
 * new rule begins from the one that stands now; so the series is held while the rule comes. */
static enum err bring_rule(struct step *s, const struct record *r, const struct rule_spec *spec,
                           struct why *why)
{
    const uint32_t series = spec->terms[0].series;
    struct moment m = moment_of(s, r);
    struct rule_set_change c;
    enum err e = engine_ask(s->engine, series, 1);
    if (e) return e;
    const bool looks = spec->enabled && spec->at == AT_TRADE;
    if (looks) look(&m, series);
    e = rule_set_put(s->rules, spec, m.now_ns, on_fire, &m, &c, why);
    if (!e) e = take_change(s, spec->tenant, &c);
    if (!e) e = engine_ask(s->engine, series, -1);
    if (!e && looks) look(&m, series);
    return e;
}

static enum err tell_put(struct step *s, const struct record *r, const struct rule_draft *p,
                         int32_t version, enum rule_verb verb, struct why *why)
{
    if (!s->wanted[STEP_rule_row] && !s->wanted[STEP_rule_version_row]) return ERR_OK;
    AUTO_BUF struct buf definition = { 0 };
    rule_render(&p->d, &definition);
    if (!buf_ok(&definition)) return err_set(why, ERR_NOMEM, "out of memory");
    tell_rule(s, r, version, verb, definition.data);
    return ERR_OK;
}

static enum err put_rule(struct step *s, const struct record *r, const struct rule_draft *p,
                         struct why *why)
{
    struct rule_facts had = { 0 };
    bool known = rule_set_find(s->rules, r->u.rule.tenant, r->u.rule.rule, &had) && !had.deleted;
    if (!known) had.no = r->seq;
    struct term term = p->term;
    enum err e =
        engine_track(s->engine, rule_draft_owner(p, r->u.rule.tenant), &p->m, &term.series, why);
    if (e) return e;
    const struct rule_spec spec = spec_of(r, p, &had, &term);
    tell_series(s);
    e = bring_rule(s, r, &spec, why);
    if (e) return e;
    return tell_put(s, r, p, spec.version, known ? RULE_CHANGED : RULE_CREATED, why);
}

/* `had`: the rule as it is. */
static enum err delete_rule(struct step *s, const struct record *r, const struct rule_facts *had)
{
    struct rule_set_change c;
    struct moment m = moment_of(s, r);
    enum err e = rule_set_delete(s->rules, r->u.rule.tenant, r->u.rule.rule, m.now_ns,
                                 r->u.rule.ends ? on_fire : NULL, &m, &c);
    if (!e) e = take_change(s, r->u.rule.tenant, &c);
    if (e) return e;
    tell_rule(s, r, had->version + 1, RULE_DELETED, "{}");
    return ERR_OK;
}

/* ---- the step ---- */
static enum err tell_event(struct step *s, const struct record *r)
{
    if (!s->wanted[STEP_event_row]) return ERR_OK;
    AUTO_BUF struct buf text = { 0 };
    record_write(r, &text);
    if (!buf_ok(&text)) return ERR_NOMEM;
    const struct event_row row = event_of_record(r, (struct str){ text.data, (uint32_t)text.len });
    say(s, STEP_event_row, &row);
    return ERR_OK;
}

static enum err tell_record(struct step *s, const struct record *r)
{
    if (record_place(r->kind) == PLACE_EVENT) return tell_event(s, r);
    if (!s->wanted[STEP_tick_row] && (r->kind != RECORD_CLOSE || !s->wanted[STEP_close_row]))
        return ERR_OK;
    const struct tick_row row = tick_of_record(r, engine_instrument(s->engine, &r->u.symbol),
                                               engine_output(s->engine)->trade);
    say(s, STEP_tick_row, &row);
    if (r->kind == RECORD_CLOSE) {
        const struct close_row close = close_of_tick(&row);
        say(s, STEP_close_row, &close);
    }
    return ERR_OK;
}

static void tell_instrument(struct step *s, int32_t id)
{
    const struct instrument_facts f = engine_instrument_facts(s->engine, id);
    say(s, STEP_instrument_row,
        &(struct instrument_row){ .instrument_id = id,
                                  .symbol = f.symbol,
                                  .issuer = f.issuer,
                                  .name = f.name,
                                  .venue = f.venue,
                                  .isin = f.isin,
                                  .figi = f.figi });
}

static void tell_symbols(struct step *s, int32_t id)
{
    struct dated_symbol has[2];
    const size_t n = engine_symbols(s->engine, id, has);
    for (size_t i = 0; i < n; i++)
        say(s, STEP_symbol_row,
            &(struct symbol_row){ .instrument_id = id,
                                  .from_seq = has[i].from_seq,
                                  .until_seq = has[i].until_seq,
                                  .symbol = has[i].symbol.s,
                                  .from_day = has[i].from_day,
                                  .until_day = has[i].until_day });
}

/* ---- another symbol ---- */
struct renaming {
    struct step *s;
    const struct record *r;
    struct series_facts of; /* the series that has another text */
    enum err err;
};

/* The rule as it stands has another text; what its versions said stays as it was said. */
static void tell_renamed_rule(void *ctx, const struct rule_spec *now)
{
    struct renaming *x = ctx;
    if (x->err || !x->s->wanted[STEP_rule_row]) return;
    struct rule_definition d = { .hold_s = now->clocks.hold_ns / NS_PER_S,
                                 .hold_in = now->clocks.hold_in,
                                 .cooldown_s = now->clocks.cooldown_ns / NS_PER_S,
                                 .severity = now->severity,
                                 .at = now->at,
                                 .wait = now->clocks.wait,
                                 .enabled = now->enabled };
    snprintf(d.name, sizeof d.name, "%s", now->name);
    rule_text_of(now->text, strlen(x->of.text), now->terms, x->of.price, &d);
    AUTO_BUF struct buf definition = { 0 };
    rule_render(&d, &definition);
    if (!buf_ok(&definition)) {
        x->err = ERR_NOMEM;
        return;
    }
    say(x->s, STEP_rule_row,
        &(struct rule_row){ .tenant_id = now->tenant,
                            .rule_id = now->id,
                            .version = now->version,
                            .seq = x->r->seq,
                            .definition = definition.data });
}

/* Series and rules on it are the same as before, and called otherwise. */
static enum err rename_series(struct step *s, const struct record *r, uint32_t series)
{
    struct renaming x = { s, r, engine_series_facts(s->engine, series), ERR_OK };
    if (series < s->definitions_n) {
        free(s->definitions[series]);
        s->definitions[series] = NULL;
    }
    tell_one_series(s, series);
    enum err e = rule_set_rename(s->rules, series, x.of.text, tell_renamed_rule, &x);
    return e ? e : x.err;
}

static enum err tell_rename(struct step *s, const struct record *r)
{
    size_t n;
    const uint32_t *renamed = engine_renamed(s->engine, &n);
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && !e; i++) e = rename_series(s, r, renamed[i]);
    return e;
}

static void tell_quality(struct step *s, const struct record *r, const struct quality_flag *f)
{
    say(s, STEP_quality_row,
        &(struct quality_row){ .quality_no = f->no,
                               .quality_id = quality_id(f->no),
                               .seq = f->seq ? f->seq : r->seq,
                               .event_ns = f->seq ? f->event_ns : r->event_ns,
                               .reason = f->reason,
                               .instrument_id = (int32_t)f->instrument,
                               .before = f->before,
                               .after = f->after,
                               .state = f->state,
                               .state_seq = r->seq,
                               .detail = f->detail });
}

static void tell_divisor(struct step *s, const struct record *r, const struct divisor_change *c)
{
    say(s, STEP_divisor_row,
        &(struct divisor_row){ .divisor_no = c->no,
                               .seq = r->seq,
                               .event_ns = r->event_ns,
                               .index_name = engine_index_name(s->engine, c->universe),
                               .session = c->cause.day,
                               .reason = c->cause.reason,
                               .instrument_id = c->instrument == NONE ? -1 : (int32_t)c->instrument,
                               .before = c->before,
                               .after = c->after });
}

static void tell_action(struct step *s, const struct record *r, const struct action_note *n)
{
    const struct action *a = &n->of;
    say(s, STEP_action_note_row,
        &(struct action_note_row){ .action_no = a->no,
                                   .seq = a->seq,
                                   .event_ns = a->event_ns,
                                   .instrument_id = (int32_t)a->instrument,
                                   .kind = (enum action_kind)a->kind,
                                   .effective = a->day,
                                   .new_shares = a->a,
                                   .old_shares = a->b,
                                   .amount_e8 = a->amount_e8,
                                   .other_id = a->child == NONE ? -1 : (int32_t)a->child,
                                   .state = n->state,
                                   .state_seq = r->seq,
                                   .adjust_to = a->to,
                                   .adjust_from = a->from });
}

/* "[{"symbol":"AAPL","score":0.5,"label":"positive","relevance":1}]" */
static void render_tickers(const struct article_reading *a, struct buf *out)
{
    struct json_writer w = json_write(out);
    json_put_array(&w, NULL);
    for (uint32_t i = 0; i < a->tickers_n; i++) {
        const struct sentiment_ticker *t = &a->tickers[i].reading;
        json_put_object(&w, NULL);
        json_put_text(&w, "symbol", a->tickers[i].symbol.s);
        json_put_real(&w, "score", t->tone.score);
        json_put_text(&w, "label", sentiment_label_name(t->tone.label));
        json_put_real(&w, "relevance", t->relevance);
        json_put_end(&w);
    }
    json_put_end(&w);
}

static enum err tell_article(struct step *s, const struct record *r,
                             const struct article_reading *a)
{
    if (!s->wanted[STEP_article_score_row]) return ERR_OK;
    AUTO_BUF struct buf tickers = { 0 };
    char scorer[60];
    snprintf(scorer, sizeof scorer, "%s %d", a->scorer->name, a->scorer->version);
    render_tickers(a, &tickers);
    if (!buf_ok(&tickers)) return ERR_NOMEM;
    say(s, STEP_article_score_row,
        &(struct article_score_row){ .seq = r->seq,
                                     .article_id = r->u.article.id,
                                     .event_ns = r->event_ns,
                                     .headline = a->headline,
                                     .source = r->u.article.source,
                                     .positive = a->whole.positive,
                                     .neutral = a->whole.neutral,
                                     .negative = a->whole.negative,
                                     .score = a->whole.score,
                                     .label = a->whole.label,
                                     .tickers = tickers.data,
                                     .scorer = scorer });
    return ERR_OK;
}

static void tell_retraction(struct step *s, const struct record *r, enum article_change change)
{
    if (change != ARTICLE_RETRACTED && change != ARTICLE_UNKNOWN) return;
    say(s, STEP_retraction_row,
        &(struct retraction_row){
            .seq = r->seq, .article_id = r->u.retraction.id, .event_ns = r->event_ns });
}

static void tell_readings(struct step *s, const struct record *r)
{
    if (!s->wanted[STEP_reading_row]) return;
    for (uint32_t i = 0; i < engine_series_count(s->engine); i++) {
        const struct series_facts f = engine_series_facts(s->engine, i);
        if (!f.live || !f.tells) continue;
        const struct reading v = engine_reading(s->engine, i);
        say(s, STEP_reading_row,
            &(struct reading_row){ .seq = r->seq,
                                   .event_ns = r->event_ns,
                                   .series_id = i,
                                   .tenant_id = f.tenant,
                                   .value = v.value,
                                   .coverage = v.coverage,
                                   .staleness_ns = v.staleness_ns,
                                   .status = v.status,
                                   .measure_version = f.version });
    }
}

static enum err tell(struct step *s, const struct record *r, const struct engine_output *o)
{
    enum err e = tell_record(s, r);
    if (o->instrument >= 0) tell_instrument(s, o->instrument);
    for (size_t i = 0; i < o->flags_n; i++) tell_quality(s, r, &o->flags[i]);
    for (size_t i = 0; i < o->divisors_n; i++) tell_divisor(s, r, &o->divisors[i]);
    for (size_t i = 0; i < o->actions_n; i++) tell_action(s, r, &o->actions[i]);
    if (o->issuer >= 0)
        for (size_t i = 0; i < engine_instrument_count(s->engine); i++)
            if (engine_is_of(s->engine, (int32_t)i, o->issuer)) tell_instrument(s, (int32_t)i);
    if (o->instrument >= 0 && o->named) tell_symbols(s, o->instrument);
    if (o->instrument >= 0 && o->retired >= 0) {
        tell_instrument(s, o->retired);
        tell_symbols(s, o->retired);
    }
    if (!e && o->instrument >= 0 && (o->retired >= 0 || r->kind == RECORD_RENAME))
        e = tell_rename(s, r);
    if (r->kind == RECORD_TRACK) tell_tracked(s, r);
    tell_series(s);
    if (!e && o->article) e = tell_article(s, r, &o->reading);
    if (r->kind == RECORD_RETRACTION) tell_retraction(s, r, o->reading.change);
    if (o->sample) tell_readings(s, r);
    return e;
}

/* One record through the engine. On failure no seq is used. */
static enum err apply_record(struct step *s, struct record *r, struct why *why)
{
    r->seq = engine_seq(s->engine) + 1;
    s->due_ns = time_of(s, r);
    enum err e = hold_evidence(s, s->due_ns);
    if (!e) e = engine_apply(s->engine, r, why);
    if (e) {
        r->seq = 0;
        return e;
    }
    return tell(s, r, engine_output(s->engine));
}

/* The rules that have come due by its time; true: not all of them yet. */
static bool look_at_time(struct moment *m)
{
    struct step *s = m->s;
    s->timing = true;
    const bool more = rule_set_time(s->rules, m->now_ns, s->due_then ? stood : NULL, on_fire, m);
    s->timing = false;
    return more;
}

static void allow_burst(struct step *s)
{
    rule_set_allow(s->rules, (size_t)engine_burst_alerts(s->engine));
}

/* A rule record is of now: what has come due by then has looked already. */
static enum err apply_rule_record(struct step *s, struct record *r, struct why *why)
{
    enum err e = apply_record(s, r, why);
    struct moment m = { s, r, s->due_ns };
    if (e) return e;
    rule_set_allow(s->rules, 0);
    look_at_time(&m);
    return ERR_OK;
}

static enum err apply_rule_delete(struct step *s, struct record *r, struct why *why)
{
    struct rule_facts had;
    if (!rule_set_find(s->rules, r->u.rule.tenant, r->u.rule.rule, &had) || had.deleted)
        return err_set(why, ERR_NOT_FOUND, "no such rule");
    enum err e = apply_rule_record(s, r, why);
    if (!e) e = delete_rule(s, r, &had);
    allow_burst(s);
    return e;
}

/* A rule on an alias is one on the symbol that it is of. */
static enum err canonical_draft(const struct step *s, struct rule_draft *d, struct why *why)
{
    struct measure m = d->m;
    char symbol[SYMBOL_SUBJECT_MAX + 1];
    if (!engine_canonical(s->engine, &m)) return ERR_OK;
    measure_symbol(&m, symbol);
    return rule_draft_set_symbol(d, symbol, why);
}

static enum err say_the_rest(struct step *s, struct why *why);

/* Everything that can be refused is refused before anything changes. */
enum err step_apply_put(struct step *s, struct record *r, const struct rule_draft *given,
                        struct why *why)
{
    struct rule_draft canonical = *given;
    const struct rule_draft *draft = &canonical;
    assert(s->sink.row && r->kind == RECORD_RULE_PUT);
    r->seq = 0;
    enum err e = say_the_rest(s, why);
    if (!e) e = canonical_draft(s, &canonical, why);
    if (e) return e;
    e = engine_can_track(s->engine, rule_draft_owner(draft, r->u.rule.tenant), &draft->m, why);
    if (!e) e = apply_rule_record(s, r, why);
    if (!e) e = put_rule(s, r, draft, why);
    allow_burst(s);
    return e;
}

/* As it comes back from the database: its definition is still to be read. */
static enum err apply_stored_put(struct step *s, struct record *r, struct why *why)
{
    struct rule_draft draft;
    const struct str text = r->u.rule.definition;
    enum err e = rule_draft_read_stored(text.p, text.n, &draft, why);
    return e ? e : step_apply_put(s, r, &draft, why);
}

/* For the rules that look at session ends alone: this is the one place that says what is one. */
static void close_one(void *ctx, uint32_t series)
{
    const struct moment *m = ctx;
    int64_t key;
    if (!engine_session_ended(m->s->engine, series)) return;
    if (usable_value(m->s, series, &key)) rule_set_close(m->s->rules, series, key, m->now_ns);
    else rule_set_close_unusable(m->s->rules, series);
}

/* ---- a burst ----
 *
 * Rules 1 to 5 are >= 100 on a series that record 41 moves to 101, and a record says two alerts:
 *
 *     41   trade            1 and 2 fire      owes looks: 3, 4, 5 have been touched
 *     42   burst, of 41     3 and 4
 *     43   burst, of 41     5                 owes nothing
 *
 * Nothing moves in between, so that each says what it would have said at once. What is left lies in
 * the rule set, and the engine's output stays that of record 41; neither is saved: nobody saves a
 * state that owes (app/threads), and a replay makes it again. */
static void move_all(struct moment *m)
{
    const struct engine_output *o = engine_output(m->s->engine);
    for (size_t i = 0; i < o->moved_n; i++) move(m, o->moved[i]);
    if (o->ended) rule_set_at_close(m->s->rules, close_one, m);
}

/* A hold in session time is over by the calendars of now, once what was due by those of before has been said. */
static void heed_calendars(struct step *s, int64_t now_ns)
{
    if (s->sessions_changed) rule_set_sessions_changed(s->rules, now_ns);
    s->sessions_changed = false;
}

static bool may_change_sessions(enum record_kind kind)
{
    return kind == RECORD_CALENDAR || kind == RECORD_INSTRUMENT || kind == RECORD_INDEX;
}

/* As far as one record may. */
static void look_on(struct step *s, const struct record *r)
{
    struct moment m = { s, r, s->due_ns };
    if (s->owes == OWES_TIME && look_at_time(&m)) return;
    m.now_ns = s->moved_ns;
    if (s->owes != OWES_LOOKS) move_all(&m);
    s->owes = rule_set_decide(s->rules, m.now_ns, on_fire, &m) ? OWES_LOOKS : OWES_NOTHING;
    if (!step_owes(s)) heed_calendars(s, m.now_ns);
}

static struct record own_record(const struct step *s, enum record_kind kind);

bool step_owes(const struct step *s) { return s->owes != OWES_NOTHING; }

/* Of another's stored order there may be nothing to say. */
static enum err apply_burst(struct step *s, struct record *r)
{
    r->seq = engine_seq(s->engine) + 1;
    engine_pass(s->engine, r);
    enum err e = tell_record(s, r);
    if (!e && step_owes(s)) look_on(s, r);
    return e;
}

enum err step_go_on(struct step *s, struct why *why)
{
    struct record r = own_record(s, RECORD_BURST);
    r.received_ms = s->owes_received_ms; /* our own clock has no part in it */
    r.u.burst.of = (int64_t)s->owes_seq;
    assert(step_owes(s));
    enum err e = apply_burst(s, &r);
    return e ? err_set(why, e, "out of memory") : ERR_OK;
}

static enum err say_the_rest(struct step *s, struct why *why)
{
    enum err e = ERR_OK;
    while (step_owes(s) && !e) e = step_go_on(s, why);
    return e;
}

/* More than a record may say. */
static enum err owe(const struct moment *m, enum step_owes what, struct why *why)
{
    struct step *s = m->s;
    s->owes = what;
    s->moved_ns = time_of(s, m->r);
    s->owes_seq = m->r->seq;
    s->owes_received_ms = m->r->received_ms;
    return s->piecewise ? ERR_OK : say_the_rest(s, why);
}

static enum err apply_and_look(struct step *s, struct record *r, struct why *why)
{
    enum err e = apply_record(s, r, why);
    if (e) return e;
    if (r->kind == RECORD_SETTINGS) allow_burst(s);
    s->sessions_changed = may_change_sessions(r->kind);
    struct moment m = { s, r, s->due_ns };
    if (look_at_time(&m)) return owe(&m, OWES_TIME, why);
    m.now_ns = time_of(s, r);
    move_all(&m);
    if (rule_set_decide(s->rules, m.now_ns, on_fire, &m)) return owe(&m, OWES_LOOKS, why);
    heed_calendars(s, m.now_ns);
    return ERR_OK;
}

static struct record own_record(const struct step *s, enum record_kind kind)
{
    return (struct record){ .kind = kind,
                            .event_ns = engine_now_ns(s->engine),
                            .received_ms = wall_ns() / NS_PER_MS };
}

bool step_has_calendar(const struct record *r)
{
    return r->kind == RECORD_INSTRUMENT || r->kind == RECORD_INDEX;
}

void step_name_calendar(struct record *r, const char *calendar)
{
    struct str *of = r->kind == RECORD_INSTRUMENT ? &r->u.instrument.venue : &r->u.index.calendar;
    if (step_has_calendar(r) && of->n == 0) *of = str_of(calendar);
}

/* One that is shipped comes with the first who names it, as a record: so a later edition of the data changes no replay. */
static enum err bring_calendar(struct step *s, const struct record *r, struct why *why)
{
    if (!step_has_calendar(r)) return ERR_OK;
    const struct str lacks = engine_lacks_calendar(s->engine, r);
    char name[CALENDAR_NAME_MAX + 1];
    if (lacks.n == 0 || lacks.n > CALENDAR_NAME_MAX) return ERR_OK;
    snprintf(name, sizeof name, "%.*s", (int)lacks.n, lacks.p);
    const char *text = shipped_calendar(name);
    if (!text) return ERR_OK; /* the engine says what lacks */
    struct record calendar = own_record(s, RECORD_CALENDAR);
    calendar.u.calendar.text = str_of(text);
    enum err e = apply_and_look(s, &calendar, why);
    return !e && step_owes(s) ? say_the_rest(s, why) : e;
}

static bool session_is_over(struct step *s, const struct record *r, struct presumed_end *over)
{
    const bool stored = r->kind == RECORD_CLOCK && r->u.clock.presumed;
    return !stored && engine_presumes_end(s->engine, r, over);
}

static enum err end_session(struct step *s, const struct presumed_end *over, struct why *why)
{
    struct record end = step_clock(s, over->event_ns);
    end.u.clock.session_end = over->day;
    end.u.clock.venue = str_of(over->venue);
    end.u.clock.presumed = true;
    return apply_and_look(s, &end, why);
}

enum err step_end_session(struct step *s, const struct record *r, bool *ended, struct why *why)
{
    struct presumed_end over;
    *ended = session_is_over(s, r, &over);
    return *ended ? end_session(s, &over, why) : ERR_OK;
}

/* Sessions that are over before this record counts. */
static enum err end_sessions(struct step *s, const struct record *r, struct why *why)
{
    struct presumed_end over;
    enum err e = ERR_OK;
    while (!e && session_is_over(s, r, &over)) {
        e = end_session(s, &over, why);
        if (!e && step_owes(s)) e = say_the_rest(s, why);
    }
    return e;
}

enum err step_apply(struct step *s, struct record *r, struct why *why)
{
    assert(s->sink.row);
    r->seq = 0;
    if (r->kind == RECORD_BURST) return apply_burst(s, r);
    enum err e = step_owes(s) ? say_the_rest(s, why) : ERR_OK;
    if (e) return e;
    if (r->kind == RECORD_RULE_PUT) return apply_stored_put(s, r, why);
    if (r->kind == RECORD_RULE_DELETE) return apply_rule_delete(s, r, why);
    e = bring_calendar(s, r, why);
    if (!e) e = end_sessions(s, r, why);
    return e ? e : apply_and_look(s, r, why);
}

void step_save(const struct step *s, struct buf *out)
{
    engine_save(s->engine, out);
    rule_set_save(s->rules, out);
}

bool step_image(struct step *s, struct state_image *out)
{
    out->since = s->imaged_seq;
    engine_image(s->engine, out);
    rule_set_image(s->rules, out);
    s->imaged_seq = engine_seq(s->engine);
    return state_image_end(out);
}

bool step_image_known(struct step *s, uint64_t seq, struct state_image *out)
{
    engine_image_known(s->engine, true);
    rule_set_image_known(s->rules, true);
    s->imaged_seq = seq;
    return step_image(s, out);
}

void step_image_anew(struct step *s)
{
    engine_image_known(s->engine, false);
    rule_set_image_known(s->rules, false);
    s->imaged_seq = 0;
}

enum err step_load(struct step *s, const void *p, size_t n, struct why *why)
{
    struct engine *engine;
    struct rule_set *rules;
    size_t used, rest;
    enum err e = engine_load(p, n, &engine, &used, why);
    if (e) return e;
    e = rule_set_load((const char *)p + used, n - used, &rules, &rest, why);
    if (!e && used + rest != n) {
        rule_set_free(rules);
        e = err_set(why, ERR_INVALID, "snapshot has bytes too many");
    }
    if (e) {
        engine_free(engine);
        return e;
    }
    engine_free(s->engine);
    rule_set_free(s->rules);
    s->owes = OWES_NOTHING;
    s->engine = engine;
    s->rules = rules;
    s->imaged_seq = 0;
    rule_set_session_time(s->rules, held_until, s->engine);
    allow_burst(s);
    s->series_told = engine_series_count(engine);
    s->sights_changed = true;
    return ERR_OK;
}

enum err step_forget_rules(struct step *s, struct why *why)
{
    struct engine *engine;
    struct rule_set *rules = NULL;
    enum err e = engine_unasked(s->engine, &engine, why);
    if (e) return e;
    e = rule_set_new(&rules);
    if (e) {
        engine_free(engine);
        return err_set(why, e, "out of memory");
    }
    engine_free(s->engine);
    rule_set_free(s->rules);
    s->engine = engine;
    s->rules = rules;
    s->series_told = engine_series_count(engine);
    s->sights_changed = true;
    return ERR_OK;
}

/* ---- records of our own ---- */
static enum err keep_text(struct arena *arena, const char *p, size_t n, struct str *out)
{
    *out = (struct str){ arena_copy(arena, p, n), (uint32_t)n };
    return out->p ? ERR_OK : ERR_NOMEM;
}

/* A rule that stands goes on as it is, whatever has come to be refused since it was made. */
static enum err check_reachable(const struct step *s, struct uuid tenant, struct uuid rule,
                                const struct rule_draft *draft, struct why *why)
{
    const struct range range = engine_range(s->engine, &draft->m),
                       negative = measure_range(&draft->m, true);
    if (rule_set_says(s->rules, tenant, rule, draft->d.text, &draft->term)) return ERR_OK;
    enum err e = rule_draft_reachable(draft, &range, why);
    if (!e || rule_draft_reachable(draft, &negative, NULL)) return e;
    const int at = why ? why->at : 0;
    return err_at(why, at, e, "%s, until an instrument record says \"negative_prices\":true",
                  why ? why->text : "");
}

enum err step_rule_put(const struct step *s, struct uuid tenant, struct uuid rule,
                       const struct rule_draft *given, struct arena *arena, struct record *out,
                       struct why *why)
{
    struct rule_draft canonical = *given;
    const struct rule_draft *draft = &canonical;
    enum err wrong = canonical_draft(s, &canonical, why);
    if (wrong) return wrong;
    enum err e = engine_can_track(s->engine, rule_draft_owner(draft, tenant), &draft->m, why);
    if (e && why) why->at = draft->subject_at;
    if (!e) e = check_reachable(s, tenant, rule, draft, why);
    if (e) return e;
    AUTO_BUF struct buf b = { 0 };
    rule_render(&draft->d, &b);
    if (!buf_ok(&b)) return ERR_NOMEM;
    *out = own_record(s, RECORD_RULE_PUT);
    out->u.rule.tenant = tenant;
    out->u.rule.rule = rule;
    out->u.rule.ends = true;
    return keep_text(arena, b.data, b.len, &out->u.rule.definition);
}

enum err step_rule_delete(const struct step *s, struct uuid tenant, struct uuid rule,
                          struct record *out, struct why *why)
{
    struct rule_facts had;
    if (!rule_set_find(s->rules, tenant, rule, &had) || had.deleted)
        return err_set(why, ERR_NOT_FOUND, "no such rule");
    *out = own_record(s, RECORD_RULE_DELETE);
    out->u.rule.tenant = tenant;
    out->u.rule.rule = rule;
    out->u.rule.ends = true;
    return ERR_OK;
}

enum err step_track(const struct step *s, const char *measure, struct arena *arena,
                    struct record *out, struct why *why)
{
    struct measure m;
    char canonical[MEASURE_TEXT_MAX];
    enum err e = measure_parse(measure, strlen(measure), &m, why);
    if (!e) engine_canonical(s->engine, &m);
    if (!e && measure_is_book(&m))
        e = err_set(why, ERR_INVALID, "a book belongs to a tenant: make a rule on it instead");
    if (!e) e = engine_can_track(s->engine, (struct uuid){ { 0 } }, &m, why);
    if (e) return e;
    *out = own_record(s, RECORD_TRACK);
    return keep_text(arena, canonical, measure_format(&m, canonical), &out->u.track.measure);
}

struct record step_quality_release(const struct step *s, struct uuid flag)
{
    struct record r = own_record(s, RECORD_QUALITY_RELEASE);
    r.u.release.flag = flag;
    return r;
}

struct record step_refusal(const struct step *s, const struct symbol *of, struct str reason,
                           int64_t received_ms)
{
    struct record r = own_record(s, RECORD_REFUSAL);
    r.received_ms = received_ms;
    r.u.refusal.symbol = *of;
    r.u.refusal.reason = reason;
    return r;
}

struct record step_settings(const struct step *s, const struct market_settings *v)
{
    struct record r = own_record(s, RECORD_SETTINGS);
    r.u.settings = *v;
    return r;
}

struct record step_clock(const struct step *s, int64_t event_ns)
{
    struct record r = own_record(s, RECORD_CLOCK);
    r.event_ns = event_ns;
    r.u.clock.session_end = NO_DAY;
    return r;
}

/* ---- what others see ---- */
static bool list_is_current(const struct step *s)
{
    return s->list && !s->sights_changed
           && s->list_generation == engine_series_generation(s->engine);
}

struct viewers {
    struct viewer *of;
    size_t n, cap;
    bool failed;
};

static void add_viewer(void *ctx, const struct rule_sight *sight)
{
    struct viewers *v = ctx;
    if (VEC_GROW(&v->of, &v->cap, v->n + 1))
        v->of[v->n++] = (struct viewer){ sight->tenant, sight->series };
    else v->failed = true;
}

static bool renew_list(struct step *s)
{
    struct viewers v = { 0 };
    rule_set_sights(s->rules, add_viewer, &v);
    struct picture_list *fresh =
        v.failed ? NULL : picture_list_new(engine_market(s->engine), v.of, v.n);
    free(v.of);
    if (!fresh) return false;
    picture_list_release(s->list);
    s->list = fresh;
    s->list_generation = engine_series_generation(s->engine);
    s->sights_changed = false;
    return true;
}

struct picture *step_picture(struct step *s)
{
    if (!list_is_current(s) && !renew_list(s)) return NULL;
    return picture_new(engine_market(s->engine), s->list);
}
