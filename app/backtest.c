/* backtest.c - `tocsin backtest`: rules over what is stored, through the same step as live; the alerts they would have made. */
#include "app/app.h"
#include "app/recover.h"
#include "core/arena.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RULES_MAX = 256 };

/* A rule as the command line has it; NULL: not said. */
struct rule_words {
    const char *text, *clear, *hold, *cooldown;
};

struct backtest_rule {
    struct rule_words words;
    struct rule_draft draft;
    bool made;
};

struct backtest {
    struct step *s;
    struct backtest_rule rules[RULES_MAX];
    size_t rules_n;
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
        const struct rule_draft *draft = &b->rules[i].draft;
        if (b->rules[i].made) continue;
        struct uuid id = uuid_derive((struct uuid){ { 1 } }, i, 0);
        enum err e = step_rule_put(b->s, (struct uuid){ { 1 } }, id, draft, &b->arena, &r, &why);
        if (e == ERR_UNKNOWN_SYMBOL || e == ERR_UNKNOWN_INDEX) continue;
        if (!e) e = step_apply_put(b->s, &r, draft, &why);
        if (e) {
            b->err = e;
            b->why = why;
            return;
        }
        b->rules[i].made = true;
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

static void refuse_rule(const char *text, const struct why *why)
{
    fprintf(stderr, "tocsin: %s\n  %s\n", why->text, text);
    if (why->at > 0) fprintf(stderr, "  %*s^\n", why->at - 1, "");
}

/* A --rule and the options after it, as a tenant would write them. */
static void write_definition(const struct rule_words *w, struct buf *out)
{
    buf_puts(out, "{\"rule\":");
    buf_json_string(out, w->text, strlen(w->text));
    if (w->clear) {
        buf_puts(out, ",\"clear\":");
        buf_json_string(out, w->clear, strlen(w->clear));
    }
    if (w->hold) buf_printf(out, ",\"hold_s\":%s", w->hold);
    if (w->cooldown) buf_printf(out, ",\"cooldown_s\":%s", w->cooldown);
    buf_puts(out, "}");
}

/* false: it has been said why. */
static bool read_rule(const struct rule_words *w, struct rule_draft *out)
{
    AUTO_BUF struct buf definition = { 0 };
    struct why why = { 0 };
    write_definition(w, &definition);
    enum err e = buf_ok(&definition) ? rule_draft_read(definition.data, definition.len, out, &why)
                                     : err_set(&why, ERR_NOMEM, "out of memory");
    if (!e && measure_is_book(&out->m))
        e = err_set(&why, ERR_INVALID, "a book belongs to a tenant; a back-test has none");
    if (e) refuse_rule(w->text, &why);
    return !e;
}

const char backtest_usage[] =
    "usage: tocsin backtest -c FILE --rule TEXT [--clear X] [--hold S] [--cooldown S] [--rule ...] [--from TIME] [--to TIME] [--json]\n"
    "  --clear, --hold and --cooldown belong to the --rule before them; TIME is RFC 3339 or a date\n";

static bool add_rule(struct backtest *b, const char *text)
{
    if (b->rules_n == RULES_MAX) return false;
    b->rules[b->rules_n++] = (struct backtest_rule){ .words = { .text = text } };
    return true;
}

static int read_backtest(int argc, char **argv, struct backtest *b, const char **config)
{
    struct rule_words ignored, *rule = &ignored; /* that the options belong to */
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
            if (!add_rule(b, v)) return EXIT_WRONG_USAGE;
            rule = &b->rules[b->rules_n - 1].words;
        } else if (strcmp(o, "--clear") == 0) rule->clear = v;
        else if (strcmp(o, "--hold") == 0) rule->hold = v;
        else if (strcmp(o, "--cooldown") == 0) rule->cooldown = v;
        else if (strcmp(o, "--from") == 0) e = when_parse(v, strlen(v), &b->from_ns, &why);
        else if (strcmp(o, "--to") == 0) e = when_parse(v, strlen(v), &b->to_ns, &why);
        else return EXIT_WRONG_USAGE;
        if (e) {
            fprintf(stderr, "tocsin: %s %s: %s\n", o, v, why.text);
            return EXIT_WRONG_USAGE;
        }
    }
    if (!b->rules_n || !*config) return EXIT_WRONG_USAGE;
    for (size_t i = 0; i < b->rules_n; i++)
        if (!read_rule(&b->rules[i].words, &b->rules[i].draft)) return EXIT_WRONG_USAGE;
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
            if (!b.rules[i].made)
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
