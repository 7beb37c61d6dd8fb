/* backtest.c - `tocsin backtest`: rules over what is stored, through the same step as live; the alerts they would have made. */
#include "alerts/rules/rule_text.h"
#include "app/app.h"
#include "app/recover.h"
#include "core/arena.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RULES_MAX = 256 };

struct backtest {
    struct step *s;
    const char *rules[RULES_MAX]; /* definitions, JSON */
    size_t rules_n;
    bool made[RULES_MAX];
    int64_t from_ns, to_ns;
    bool json, past;
    size_t fires;
    struct arena arena;
    enum err err;
    struct why why;
};

static void print_fire(void *ctx, const struct row_type *type, const void *row)
{
    struct backtest *b = ctx;
    const struct alert *a = row;
    assert(type == &alert_row);
    char at[WHEN_TEXT_MAX];
    when_format(a->event_ns, at);
    if (b->json) {
        AUTO_BUF struct buf o = { 0 };
        buf_puts(&o, b->fires ? ",\n  " : "\n  ");
        buf_printf(&o, "{\"time\":\"%s\",\"seq\":%" PRIu64 ",\"state\":\"%s\",\"value\":", at,
                   a->seq, alert_state_name(a->state));
        buf_json_double(&o, a->value);
        buf_puts(&o, ",\"rule\":");
        buf_json_string(&o, a->rule_text, strlen(a->rule_text));
        buf_printf(&o, ",\"inputs\":%s}", a->inputs);
        fwrite(o.data, 1, o.len, stdout);
    } else {
        if (!b->fires) printf("%-30s  %-8s  %18s  %s\n", "time", "state", "value", "rule");
        printf("%-30s  %-8s  %18.10g  %s\n", at, alert_state_name(a->state), a->value,
               a->rule_text);
    }
    b->fires++;
}

/* Rules begin as soon as the range and their subject do; a rule is no part of what is stored, so it takes the seq of no record. */
static void make_rules(struct backtest *b)
{
    for (size_t i = 0; i < b->rules_n && !b->err; i++) {
        struct record r;
        struct why why = { 0 };
        if (b->made[i]) continue;
        struct uuid id = uuid_derive((struct uuid){ { 1 } }, i, 0);
        enum err e = step_rule_put(b->s, (struct uuid){ { 1 } }, id, b->rules[i],
                                   strlen(b->rules[i]), &b->arena, &r, &why);
        if (e == ERR_UNKNOWN_SYMBOL || e == ERR_UNKNOWN_INDEX) continue;
        if (!e) e = step_apply(b->s, &r, &why);
        if (e) {
            b->err = e;
            b->why = why;
            return;
        }
        b->made[i] = true;
    }
}

static bool backtest_each(void *ctx, struct record *r)
{
    struct backtest *b = ctx;
    if (b->err || r->kind == RECORD_RULE_PUT || r->kind == RECORD_RULE_DELETE) return false;
    if (r->event_ns > b->to_ns) b->past = true;
    if (b->past) return false;
    if (r->event_ns >= b->from_ns) make_rules(b);
    return b->err == ERR_OK;
}

static enum err add_rule(struct backtest *b, const char *text, const char *clear, const char *hold,
                         const char *cooldown)
{
    AUTO_BUF struct buf o = { 0 };
    buf_puts(&o, "{\"rule\":");
    buf_json_string(&o, text, strlen(text));
    if (clear) {
        buf_puts(&o, ",\"clear\":");
        buf_json_string(&o, clear, strlen(clear));
    }
    if (hold) buf_printf(&o, ",\"hold_s\":%s", hold);
    if (cooldown) buf_printf(&o, ",\"cooldown_s\":%s", cooldown);
    buf_puts(&o, "}");
    if (b->rules_n == RULES_MAX || !(b->rules[b->rules_n] = arena_copy(&b->arena, o.data, o.len)))
        return ERR_LIMIT;
    b->rules_n++;
    return ERR_OK;
}

static int refuse_rule(const char *text, const struct why *why)
{
    fprintf(stderr, "tocsin: %s\n  %s\n", why->text, text);
    if (why->at > 0) fprintf(stderr, "  %*s^\n", why->at - 1, "");
    return EXIT_WRONG_USAGE;
}

const char backtest_usage[] =
    "usage: tocsin backtest -c FILE --rule TEXT [--clear X] [--hold S] [--cooldown S] [--rule ...] [--from TIME] [--to TIME] [--json]\n"
    "  --clear, --hold and --cooldown belong to the --rule before them; TIME is RFC 3339 or a date\n";

static int read_backtest(int argc, char **argv, struct backtest *b, const char **config)
{
    const char *rule = NULL, *clear = NULL, *hold = NULL, *cooldown = NULL;
    struct why why = { 0 };
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(o, "--json") == 0) {
            b->json = true;
            continue;
        }
        if (!v) return EXIT_WRONG_USAGE;
        i++;
        enum err e = ERR_OK;
        if (strcmp(o, "-c") == 0) *config = v;
        else if (strcmp(o, "--rule") == 0) {
            if (rule && add_rule(b, rule, clear, hold, cooldown)) return EXIT_WRONG_USAGE;
            rule = v;
            clear = hold = cooldown = NULL;
        } else if (strcmp(o, "--clear") == 0) clear = v;
        else if (strcmp(o, "--hold") == 0) hold = v;
        else if (strcmp(o, "--cooldown") == 0) cooldown = v;
        else if (strcmp(o, "--from") == 0) e = when_parse(v, strlen(v), &b->from_ns, &why);
        else if (strcmp(o, "--to") == 0) e = when_parse(v, strlen(v), &b->to_ns, &why);
        else return EXIT_WRONG_USAGE;
        if (e) {
            fprintf(stderr, "tocsin: %s %s: %s\n", o, v, why.text);
            return EXIT_WRONG_USAGE;
        }
    }
    if (!rule || !*config || add_rule(b, rule, clear, hold, cooldown)) return EXIT_WRONG_USAGE;
    for (size_t i = 0; i < b->rules_n; i++) {
        struct rule_definition d;
        struct measure m;
        struct term term;
        enum err e = rule_parse(b->rules[i], strlen(b->rules[i]), &d, &why);
        if (!e) e = measure_parse(d.text, d.measure_n, &m, &why);
        if (!e && measure_is_book(&m))
            e = err_set(&why, ERR_INVALID, "a book belongs to a tenant; a back-test has none");
        if (!e) e = rule_term(&d, measure_is_price(&m), &term, &why);
        if (e)
            return refuse_rule(why.at ? d.text[0] && e != ERR_INVALID ? d.text : rule : rule, &why);
    }
    return EXIT_FINE;
}

int cmd_backtest(int argc, char **argv)
{
    struct step s = { 0 };
    struct backtest b = { .s = &s, .to_ns = INT64_MAX };
    struct config c;
    struct db d = { 0 };
    struct why why = { 0 };
    struct history *h = NULL;
    const char *config = NULL;
    int code = read_backtest(argc, argv, &b, &config);
    if (code) {
        if (!why.text[0]) fputs(backtest_usage, stderr);
        arena_release(&b.arena);
        return code;
    }
    code = load_config(config, &c);
    if (code) {
        config_release(&c);
        arena_release(&b.arena);
        return code;
    }
    enum err e = step_init(&s);
    static const struct row_type *const alerts_alone[] = { &alert_row, NULL };
    step_hear(&s, &(struct step_sink){ .ctx = &b, .row = print_fire, .wanted = alerts_alone });
    if (!e) e = db_open(c.database_conninfo, "tocsin_engine", "tocsin backtest", &d, &why);
    if (!e) e = history_open(&d, 0, UINT64_MAX, &h, &why);
    if (b.json && !e) printf("{\"alerts\":[");
    if (!e) e = replay_stored(h, &s, backtest_each, &b, &why);
    if (b.json && !e)
        printf("%s],\"records\":%" PRIu64 "}\n", b.fires ? "\n" : "", engine_seq(s.engine));
    if (!e && b.err) {
        e = b.err;
        why = b.why;
    }
    if (e) fprintf(stderr, "tocsin: %s\n", why.text);
    else {
        for (size_t i = 0; i < b.rules_n; i++)
            if (!b.made[i])
                fprintf(stderr,
                        "tocsin: rule %zu: nothing stored knows its subject in that range\n",
                        i + 1);
        if (!b.json)
            printf("%zu alert%s over %" PRIu64 " records\n", b.fires, b.fires == 1 ? "" : "s",
                   engine_seq(s.engine));
    }
    history_close(h);
    db_close(&d);
    step_release(&s);
    config_release(&c);
    arena_release(&b.arena);
    return e ? (e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN) : EXIT_FINE;
}
