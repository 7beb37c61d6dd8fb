/* backtest.c - `tocsin backtest`: rules over what is stored, through the same step as live; the alerts they would have made.
 *
 *     --from 2024-01-05   the records before it are applied, for the state they leave, and no rule is there yet
 *                         at 2024-01-05 00:00 the rules are made, as by a POST at that moment: what holds then fires then
 *     --to 2024-01-10     records later than that are not read
 *
 * A rule whose subject is not known yet is made when it is; one that asks for prices of 0 and below when its instrument
 * may have such. A symbol that was not so called then, but was or will be, is the instrument under its name of then: ret(FB)
 * of a day in 2023 is made as ret(META), ret(META) of one in 2021 as ret(FB). Where A and B exchange symbols later, ret(B) waits for
 * B's first record: it is not about A, which comes before it and is called B today. */
#include "app/app.h"
#include "app/backtest_rules.h"
#include "app/checkpoint.h"
#include "app/recover.h"
#include "core/arena.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct backtest {
    struct step *s;
    struct backtest_rules rules;
    const char *config;
    int64_t from_ns, to_ns;
    bool json;
    const struct history *history;
    /* ---- while it runs ---- */
    bool look;     /* the last record ended a session or began a day: measures are looked at */
    bool may_make; /* a subject may have become known */
    size_t made;   /* rules */
    int32_t day;   /* of the last record in the range */
    uint64_t seq,
        records; /* the stored number of the last record; how many there were in the range */
    size_t alerts;
    size_t warned, gaps; /* warnings printed; of these, those of what the records lack */
    struct arena arena;
    enum err err;
    struct why why;
};

/* ---- a rule's identity is its place ---- */
static struct uuid rule_id(size_t no)
{
    struct uuid id = { { 1 } };
    memcpy(id.b + 8, &(uint64_t){ no }, 8);
    return id;
}
static size_t rule_no(struct uuid id)
{
    uint64_t no;
    memcpy(&no, id.b + 8, 8);
    return (size_t)no;
}

/* ---- what is printed ---- */
static void print_alert_json(const struct backtest *b, const struct alert *a, size_t no,
                             const char *at)
{
    AUTO_BUF struct buf o = { 0 };
    buf_puts(&o, b->alerts ? ",\n  " : "\n  ");
    buf_printf(
        &o, "{\"time\":\"%s\",\"seq\":%" PRIu64 ",\"rule_no\":%zu,\"state\":\"%s\",\"value\":", at,
        b->seq, no + 1, alert_state_name(a->state));
    buf_json_double(&o, a->value);
    buf_puts(&o, ",\"rule\":");
    buf_json_string(&o, a->rule_text, strlen(a->rule_text));
    AUTO_BUF struct buf sentence = { 0 };
    struct alert unnamed = *a; /* the same rule from a file and by hand says the same */
    unnamed.rule_name = "";
    alert_summary(&unnamed, &sentence);
    buf_puts(&o, ",\"summary\":");
    buf_json_string(&o, sentence.data, sentence.len);
    buf_printf(&o, ",\"inputs\":%s}", a->inputs);
    if (buf_ok(&sentence) && buf_ok(&o)) fwrite(o.data, 1, o.len, stdout);
}

static void on_alert(void *ctx, const struct row_type *type, const void *row)
{
    struct backtest *b = ctx;
    const struct alert *a = row;
    assert(type == &alert_row);
    const size_t no = rule_no(a->rule_id);
    char at[WHEN_TEXT_MAX];
    when_format(a->event_ns, at);
    if (b->json) print_alert_json(b, a, no, at);
    else {
        if (!b->alerts) printf("%-30s  %-8s  %18s  %s\n", "time", "state", "value", "rule");
        printf("%-30s  %-8s  %18.10g  %s\n", at, alert_state_name(a->state), a->value,
               a->rule_text);
    }
    b->alerts++;
    *(a->state == ALERT_FIRING ? &b->rules.rules[no].firing : &b->rules.rules[no].resolved) += 1;
}

static void print_rule(const struct backtest *b, size_t no)
{
    const struct backtest_rule *r = &b->rules.rules[no];
    AUTO_BUF struct buf definition = { 0 };
    rule_render(&r->draft.d, &definition);
    if (!buf_ok(&definition)) return;
    if (b->json)
        printf("%s\n  {\"rule_no\":%zu,\"firing\":%zu,\"resolved\":%zu,\"definition\":%s}",
               no ? "," : "", no + 1, r->firing, r->resolved, definition.data);
    else
        printf("rule %zu: %zu firing, %zu resolved: %s\n", no + 1, r->firing, r->resolved,
               definition.data);
}

static void warn(struct backtest *b, size_t no, const char *code, const char *detail)
{
    const char *text = b->rules.rules[no].draft.d.text;
    if (b->json) {
        AUTO_BUF struct buf o = { 0 };
        buf_printf(&o, "%s\n  {\"rule_no\":%zu,\"code\":\"%s\",\"detail\":", b->warned ? "," : "",
                   no + 1, code);
        buf_json_string(&o, detail, strlen(detail));
        buf_puts(&o, "}");
        if (buf_ok(&o)) fwrite(o.data, 1, o.len, stdout);
    } else fprintf(stderr, "tocsin backtest: rule %zu (%s): %s: %s\n", no + 1, text, code, detail);
    b->warned++;
}

static void warn_gap(struct backtest *b, size_t no, const char *code, const char *detail)
{
    warn(b, no, code, detail);
    b->gaps++;
}

/* Why a rule's silence may not mean what it seems to. */
static void warn_about(struct backtest *b, size_t no)
{
    const struct backtest_rule *r = &b->rules.rules[no];
    char detail[200];
    if (!r->made && r->unreachable.text[0]) {
        warn_gap(b, no, "unreachable", r->unreachable.text);
        return;
    }
    if (!r->made) {
        warn_gap(b, no, "unknown_subject",
                 b->records ? "nothing stored knows the subject of its measure in that range"
                            : "there is no record in that range");
        return;
    }
    if (r->values == 0) {
        snprintf(
            detail, sizeof detail,
            "its measure had no value at any of the %zu session ends and days looked at; the last said %s",
            r->looks, reading_status_name(r->status));
        warn_gap(b, no, "no_data", detail);
    }
    if (r->thin) {
        snprintf(
            detail, sizeof detail,
            "its measure had no value for low or unknown coverage at %zu of the %zu session ends and days looked at",
            r->thin, r->looks);
        warn_gap(b, no, "low_coverage", detail);
    }
    const struct rule_warning w = rule_warn(&r->draft, &r->past);
    if (w.code && (w.always ? r->resolved : r->firing) == 0) warn(b, no, w.code, w.detail);
}

static void print_end(struct backtest *b)
{
    if (b->json) printf("%s],\n\"rules\":[", b->alerts ? "\n" : "");
    for (size_t i = 0; i < b->rules.n; i++) print_rule(b, i);
    if (b->json) printf("\n],\n\"warnings\":[");
    for (size_t i = 0; i < b->rules.n; i++) warn_about(b, i);
    if (b->json) printf("%s],\n\"records\":%" PRIu64 "}\n", b->warned ? "\n" : "", b->records);
    else
        printf("%zu alert%s over %" PRIu64 " records\n", b->alerts, b->alerts == 1 ? "" : "s",
               b->records);
}

/* ---- record by record ---- */
/* By the name that its instrument has at the record in hand; false: it has no other, or one that is called so is still to come. */
static bool called_then(const struct backtest *b, const struct rule_draft *draft,
                        struct rule_draft *out)
{
    char symbol[SYMBOL_SUBJECT_MAX + 1];
    if (!measure_symbol(&draft->m, symbol)) return false;
    if (history_begins(b->history, symbol, engine_instrument_count(b->s->engine))) return false;
    const char *then = history_called(b->history, symbol, b->seq);
    *out = *draft;
    return *then && strcmp(then, symbol) != 0 && !rule_draft_set_symbol(out, then, NULL);
}

static enum err put(struct backtest *b, size_t no, const struct rule_draft *draft,
                    struct record *made, struct why *why)
{
    return step_rule_put(b->s, (struct uuid){ { 1 } }, rule_id(no), draft, &b->arena, made, why);
}

static enum err make_rule(struct backtest *b, size_t no, struct why *why)
{
    struct backtest_rule *r = &b->rules.rules[no];
    const struct rule_draft *draft = &r->draft;
    struct rule_draft then;
    struct record made;
    enum err e = put(b, no, draft, &made, why);
    if (e == ERR_UNKNOWN_SYMBOL && called_then(b, draft, &then)) {
        draft = &then;
        e = put(b, no, draft, &made, why);
    }
    if (e == ERR_INVALID) r->unreachable = *why;
    if (e == ERR_UNKNOWN_SYMBOL || e == ERR_UNKNOWN_INDEX || e == ERR_INVALID) return ERR_OK;
    if (e) return e;
    if (made.event_ns < b->from_ns) made.event_ns = b->from_ns;
    e = step_apply_put(b->s, &made, draft, why);
    if (e) return e;
    struct measure m = draft->m;
    char measure[MEASURE_TEXT_MAX];
    engine_canonical(b->s->engine, &m);
    measure_format(&m, measure);
    r->series = engine_find_series(b->s->engine, (struct uuid){ { 0 } }, measure);
    assert(r->series != SERIES_NONE);
    r->made = true;
    b->made++;
    return ERR_OK;
}

/* A rule is no part of what is stored, so it takes the number of no record. Only what is no price can have made a subject known. */
static void make_rules(struct backtest *b)
{
    if (!b->may_make || b->made == b->rules.n) return;
    b->may_make = false;
    for (size_t i = 0; i < b->rules.n && !b->err; i++)
        if (!b->rules.rules[i].made) b->err = make_rule(b, i, &b->why);
}

static void note(struct rule_past *p, double v, int64_t now_ns)
{
    if (p->seen_n++ == 0) *p = (struct rule_past){ 1, v, v, now_ns };
    p->low = fmin(p->low, v);
    p->high = fmax(p->high, v);
}

static void look(struct backtest *b)
{
    b->look = false;
    for (size_t i = 0; i < b->rules.n; i++) {
        struct backtest_rule *r = &b->rules.rules[i];
        if (!r->made) continue;
        const struct reading v = engine_reading(b->s->engine, r->series);
        r->looks++;
        if (reading_has_value(v.status)) note(&r->past, v.value, engine_now_ns(b->s->engine));
        r->values += reading_has_value(v.status);
        r->thin += v.status == READING_LOW_COVERAGE || v.status == READING_UNKNOWN_COVERAGE;
        r->status = v.status;
    }
}

static bool makes_subjects(const struct record *r)
{
    return r->kind != RECORD_TRADE && r->kind != RECORD_CLOSE && r->kind != RECORD_ARTICLE
           && r->kind != RECORD_RETRACTION;
}

static bool ends_session(const struct record *r)
{
    return r->kind == RECORD_CLOCK && r->u.clock.session_end != NO_DAY;
}

/* Before each stored record is applied: the state is that of the one before. */
static bool on_record(void *ctx, struct record *r)
{
    struct backtest *b = ctx;
    if (b->err || r->event_ns > b->to_ns) return false;
    if (r->event_ns >= b->from_ns) {
        const int32_t day = day_of_ns(r->event_ns);
        if (b->look || (b->records && day > b->day)) look(b);
        b->day = day;
        make_rules(b);
        b->records++;
        b->look = ends_session(r);
    }
    b->may_make |= makes_subjects(r);
    b->seq = r->seq;
    return b->err == ERR_OK;
}

/* ---- the command ---- */
const char backtest_usage[] =
    "usage: tocsin backtest -c FILE {--rule TEXT [--clear X] [--hold S] [--hold-in clock|session] [--cooldown S] [--at trade|close] | --rules FILE} ... [--from TIME] [--to TIME] [--json]\n\n"
    "  --rule TEXT    a measure, an operator, a threshold; --clear, --hold, --hold-in, --cooldown and --at belong to the --rule before them\n"
    "  --hold-in session  --hold counts the time in which its subject's market is open (clock: all)\n"
    "  --at close     it looks at the ends of its subject's sessions alone (trade: at each move of its measure)\n"
    "  --rules FILE   a rule a line: its text, or the JSON that POST /v1/rules takes; # begins a remark\n"
    "  --from TIME    rules are made then: what holds already fires then, and nothing earlier (the first record)\n"
    "  --to TIME      the last moment (the last record); TIME is RFC 3339 or a date, which is its midnight UTC\n"
    "  --json         {\"alerts\":[...],\"rules\":[...],\"warnings\":[...],\"records\":N}\n\n"
    "Exit code 65: the alerts are what the stored records say, but a rule had an unknown subject, no data or low coverage; \"warnings\" says which.\n";

static int complain(const char *option, const char *value, const char *text)
{
    fprintf(stderr, "tocsin backtest: %s%s%s%s%s\n", option, value ? " " : "", value ? value : "",
            *option ? ": " : "", text);
    return EXIT_WRONG_USAGE;
}

struct
    given { /* the --rule at hand, which the options after it belong to, and what is wrong with those before */
    struct rule_words rule;
    struct buf problems;
    struct why why;
    enum err err;
};

static void end_rule(struct backtest *b, struct given *g)
{
    if (!g->rule.text) return;
    enum err e = backtest_rules_add(&b->rules, &g->rule, &g->problems, &g->why);
    if (e) g->err = e;
    g->rule = (struct rule_words){ 0 };
}

static bool belongs_to_rule(struct given *g, const char *option, const char *value)
{
    const struct {
        const char *name;
        const char **at;
    } parts[] = { { "--clear", &g->rule.clear },
                  { "--hold", &g->rule.hold },
                  { "--hold-in", &g->rule.hold_in },
                  { "--cooldown", &g->rule.cooldown },
                  { "--at", &g->rule.at } };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcmp(option, parts[i].name) != 0) continue;
        *parts[i].at = value;
        return true;
    }
    return false;
}

static int take_option(struct backtest *b, struct given *g, const char *o, const char *v)
{
    struct why why = { 0 };
    enum err e = ERR_OK;
    if (!v) return complain(o, NULL, "needs a value, or is no option; try --help");
    if ((strcmp(o, "--hold") == 0 || strcmp(o, "--cooldown") == 0)
        && (!*v || v[strspn(v, "0123456789")]))
        return complain(o, v, "needs whole seconds");
    int at;
    if (strcmp(o, "--at") == 0 && names_value(&rule_at_names, v, strlen(v), &at, NULL))
        return complain(o, v, "is trade or close");
    if (strcmp(o, "--hold-in") == 0 && names_value(&rule_hold_names, v, strlen(v), &at, NULL))
        return complain(o, v, "is clock or session");
    if (belongs_to_rule(g, o, v))
        return g->rule.text ? EXIT_FINE : complain(o, v, "there is no --rule before it");
    end_rule(b, g);
    if (strcmp(o, "--rule") == 0) g->rule.text = v;
    else if (strcmp(o, "--rules") == 0) {
        e = backtest_rules_read(&b->rules, v, &g->problems, &g->why);
        if (e) g->err = e;
    } else if (strcmp(o, "-c") == 0) b->config = v;
    else if (strcmp(o, "--from") == 0) e = when_parse(v, strlen(v), &b->from_ns, &why);
    else if (strcmp(o, "--to") == 0) e = when_parse(v, strlen(v), &b->to_ns, &why);
    else return complain(o, v, "is not understood; try --help");
    return e && why.text[0] ? complain(o, v, why.text) : EXIT_FINE;
}

static int take_options(int argc, char **argv, struct backtest *b, struct given *g)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            b->json = true;
            continue;
        }
        int code = take_option(b, g, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (code) return code;
        i++;
    }
    end_rule(b, g);
    if (g->problems.len) fputs(g->problems.data, stderr);
    if (g->err && g->err != ERR_INVALID) return complain("", NULL, g->why.text);
    if (g->err) return EXIT_WRONG_USAGE;
    if (!b->config) return complain("", NULL, "-c FILE is missing; try --help");
    if (!b->rules.n) return complain("", NULL, "give --rule TEXT or --rules FILE; try --help");
    if (b->from_ns > b->to_ns) return complain("", NULL, "--from is later than --to");
    return EXIT_FINE;
}

/* Without --from it is the first record, or what retention has left; rules are then made at the first that is there. */
static enum err begin(struct backtest *b, struct db *d, struct why *why)
{
    struct beginning at;
    char text[WHEN_TEXT_MAX];
    enum err e = checkpoint_begin(d, b->s, b->from_ns ? b->from_ns : INT64_MIN, &at, why);
    if (e || !at.seq) return e;
    when_format(at.event_ns, text);
    if (!b->from_ns)
        fprintf(stderr, "tocsin backtest: the records before %s are no longer all there\n", text);
    b->seq = at.seq;
    return step_forget_rules(b->s, why);
}

static enum err replay(struct backtest *b, const struct config *c, struct why *why)
{
    static const struct row_type *const alerts_alone[] = { &alert_row, NULL };
    struct db d = { 0 };
    struct history *h = NULL;
    enum err e = db_open(c->database_conninfo, "tocsin_engine", "tocsin backtest", &d, why);
    if (!e) e = step_init(b->s);
    if (!e) e = begin(b, &d, why);
    if (!e) {
        step_hear(b->s, &(struct step_sink){ .ctx = b, .row = on_alert, .wanted = alerts_alone });
        e = history_open(&d, b->seq, UINT64_MAX, &h, why);
    }
    b->history = h;
    if (!e && b->json) printf("{\"alerts\":[");
    if (!e) e = replay_stored(h, b->s, &(struct replay){ .each = on_record, .ctx = b }, why);
    if (!e && b->err) {
        e = b->err;
        *why = b->why;
    }
    if (!e) {
        look(b);
        print_end(b);
    }
    history_close(h);
    db_close(&d);
    return e;
}

static int run(struct backtest *b)
{
    struct config c;
    struct why why = { 0 };
    int code = load_config(b->config, &c);
    enum err e = code ? ERR_OK : replay(b, &c, &why);
    if (e) {
        complain("", NULL, why.text);
        code = e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
    } else if (!code && b->gaps) code = EXIT_BAD_DATA;
    config_release(&c);
    return code;
}

int cmd_backtest(int argc, char **argv)
{
    struct step s = { 0 };
    struct backtest b = { .s = &s, .to_ns = INT64_MAX, .may_make = true };
    struct given g = { 0 };
    int code = take_options(argc, argv, &b, &g);
    if (!code) code = run(&b);
    buf_release(&g.problems);
    backtest_rules_release(&b.rules);
    arena_release(&b.arena);
    step_release(&s);
    return code;
}
