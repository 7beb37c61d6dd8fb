/* verify.c - `tocsin verify` and `tocsin backtest`: what is stored, through the same step as live. */
#include "app/app.h"
#include "app/recover.h"
#include "core/arena.h"
#include "core/log.h"
#include "core/when.h"
#include "core/vec.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- verify: everything the step says against the rows that were stored when it said it ---- */
enum { SHOWN = 20 };

struct said_alert { struct uuid id, tenant, rule; uint64_t stream_no, seq; int64_t event_ns; double value; int32_t version; enum alert_state state; char *inputs; };

struct verify {
    const struct step *step;
    struct row_cursor readings, alerts, articles, rules;
    struct said_alert *said;             /* of the record in hand: compared by id when the next one begins */
    size_t said_n, said_cap;
    int64_t values, differing, records, readings_n, alerts_n, articles_n;
    enum err err;
    struct why why;
};

static void differ(struct verify *v, uint64_t seq, const char *what, const char *stored, const char *now)
{
    if (v->differing++ < SHOWN) printf("seq %" PRIu64 ": %s: stored %s, now %s\n", seq, what, stored, now);
}

static void same_text(struct verify *v, uint64_t seq, const char *what, const char *stored, const char *now)
{
    v->values++;
    if (strcmp(stored, now) != 0) differ(v, seq, what, stored, now);
}

static void same_int(struct verify *v, uint64_t seq, const char *what, const char *stored, int64_t now)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, now);
    same_text(v, seq, what, stored, text);
}

static void same_double(struct verify *v, uint64_t seq, const char *what, const PGresult *r, int row, int col, double now)
{
    v->values++;
    bool null = PQgetisnull(r, row, col);
    double stored = null ? NAN : strtod(PQgetvalue(r, row, col), NULL);
    if ((null && !isfinite(now)) || memcmp(&stored, &now, sizeof now) == 0 || (stored == 0 && now == 0)) return;
    char text[40];
    snprintf(text, sizeof text, "%.17g", now);
    differ(v, seq, what, null ? "null" : PQgetvalue(r, row, col), text);
}

/* The next stored row, which must belong to `seq`; NULL (and a difference) when there is none. */
static const PGresult *next_row(struct verify *v, struct row_cursor *c, uint64_t seq, const char *what, int *row)
{
    const PGresult *r = v->err ? NULL : row_cursor_next(c, row, &v->err, &v->why);
    if (v->err) return NULL;
    if (!r) { differ(v, seq, what, "nothing", "a row"); return NULL; }
    same_int(v, seq, what, PQgetvalue(r, *row, 0), (int64_t)seq);
    return r;
}

static void verify_reading(void *ctx, const struct record *rec, uint32_t series, struct uuid tenant, const struct reading *x)
{
    struct verify *v = ctx;
    int row;
    (void)tenant;
    const PGresult *r = next_row(v, &v->readings, rec->seq, "reading", &row);
    if (!r) return;
    v->readings_n++;
    same_int(v, rec->seq, "reading.series_id", PQgetvalue(r, row, 1), series);
    same_double(v, rec->seq, "reading.value", r, row, 2, x->value);
    same_double(v, rec->seq, "reading.coverage", r, row, 3, x->coverage);
    same_int(v, rec->seq, "reading.staleness_ns", PQgetvalue(r, row, 4), x->staleness_ns);
    same_text(v, rec->seq, "reading.status", PQgetvalue(r, row, 5), reading_status_name(x->status));
}

static void verify_article(void *ctx, const struct record *rec, const struct article_reading *a)
{
    struct verify *v = ctx;
    int row;
    const PGresult *r = next_row(v, &v->articles, rec->seq, "article_score", &row);
    if (!r) return;
    v->articles_n++;
    same_double(v, rec->seq, "article.positive", r, row, 1, a->whole.positive);
    same_double(v, rec->seq, "article.negative", r, row, 2, a->whole.negative);
    same_double(v, rec->seq, "article.score", r, row, 3, a->whole.score);
    same_text(v, rec->seq, "article.label", PQgetvalue(r, row, 4), sentiment_label_name(a->whole.label));
}

static void verify_rule(void *ctx, const struct record *rec, int32_t version, const char *change, const char *definition)
{
    struct verify *v = ctx;
    int row;
    (void)definition;
    const PGresult *r = next_row(v, &v->rules, rec->seq, "rule_version", &row);
    if (!r) return;
    same_int(v, rec->seq, "rule.version", PQgetvalue(r, row, 1), version);
    same_text(v, rec->seq, "rule.change", PQgetvalue(r, row, 2), change);
}

static void verify_alert(void *ctx, const struct alert *a)
{
    struct verify *v = ctx;
    if (!VEC_GROW(&v->said, &v->said_cap, v->said_n + 1)) { v->err = err_set(&v->why, ERR_NOMEM, "out of memory"); return; }
    v->said[v->said_n++] = (struct said_alert){ a->id, a->tenant, a->rule, a->stream_no, a->seq, a->event_ns, a->value, a->rule_version, a->state, strdup(a->inputs) };
}

static int by_id(const void *a, const void *b) { return memcmp(((const struct said_alert *)a)->id.b, ((const struct said_alert *)b)->id.b, 16); }

static void settle_alerts(struct verify *v)
{
    if (v->said_n) qsort(v->said, v->said_n, sizeof *v->said, by_id);
    for (size_t i = 0; i < v->said_n; i++) {
        struct said_alert *a = &v->said[i];
        char id[UUID_TEXT];
        int row;
        const PGresult *r = next_row(v, &v->alerts, a->seq, "alert", &row);
        uuid_format(a->id, id);
        if (r) {
            v->alerts_n++;
            same_text(v, a->seq, "alert.alert_id", PQgetvalue(r, row, 1), id);
            same_int(v, a->seq, "alert.stream_no", PQgetvalue(r, row, 2), (int64_t)a->stream_no);
            same_int(v, a->seq, "alert.event_ns", PQgetvalue(r, row, 3), a->event_ns);
            same_text(v, a->seq, "alert.state", PQgetvalue(r, row, 4), alert_state_name(a->state));
            same_double(v, a->seq, "alert.value", r, row, 5, a->value);
            same_int(v, a->seq, "alert.rule_version", PQgetvalue(r, row, 6), a->version);
            same_text(v, a->seq, "alert.inputs", PQgetvalue(r, row, 7), a->inputs ? a->inputs : "");
        }
        free(a->inputs);
    }
    v->said_n = 0;
}

static bool verify_each(void *ctx, struct record *r)
{
    struct verify *v = ctx;
    settle_alerts(v);
    same_int(v, r->seq, "record.seq", log_i64((char[24]){ 0 }, (int64_t)r->seq), (int64_t)engine_seq(v->step->engine) + 1);
    v->records++;
    return v->err == ERR_OK;
}

static void nothing_left(struct verify *v, struct row_cursor *c, const char *what)
{
    int row;
    while (!v->err && row_cursor_next(c, &row, &v->err, &v->why)) differ(v, (uint64_t)strtoull(PQgetvalue(c->page, row, 0), NULL, 10), what, "a row", "nothing");
}

static enum err verify_all(struct verify *v, struct db *d, struct step *s, struct why *why)
{
    struct history *h = NULL;
    enum err e = history_open(d, 0, UINT64_MAX, &h, why);
    if (!e) e = row_cursor_open(d, "reading_rows", "SELECT seq, series_id, value, coverage, staleness_ns, status FROM tocsin.reading ORDER BY seq, series_id", &v->readings, why);
    if (!e) e = row_cursor_open(d, "alert_rows", "SELECT seq, alert_id, stream_no, event_ns, state, value, rule_version, inputs FROM tocsin.alert ORDER BY seq, alert_id", &v->alerts, why);
    if (!e) e = row_cursor_open(d, "article_rows", "SELECT seq, positive, negative, score, label FROM tocsin.article_score ORDER BY seq", &v->articles, why);
    if (!e) e = row_cursor_open(d, "rule_rows", "SELECT seq, version, change FROM tocsin.rule_version ORDER BY seq", &v->rules, why);
    if (!e) e = replay_stored(h, s, verify_each, v, why);
    settle_alerts(v);
    nothing_left(v, &v->readings, "reading");
    nothing_left(v, &v->alerts, "alert");
    nothing_left(v, &v->articles, "article_score");
    nothing_left(v, &v->rules, "rule_version");
    if (!e && v->err) { e = v->err; *why = v->why; }
    row_cursor_close(&v->readings);
    row_cursor_close(&v->alerts);
    row_cursor_close(&v->articles);
    row_cursor_close(&v->rules);
    history_close(h);
    free(v->said);
    return e;
}

int cmd_verify(int argc, char **argv)
{
    struct config c;
    struct why why = { 0 };
    struct db d = { 0 };
    struct step s = { 0 };
    struct verify v = { .step = &s };
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fprintf(stderr, "usage: tocsin verify -c FILE\n");
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    if (code) { config_release(&c); return code; }
    enum err e = step_init(&s);
    if (!e) e = db_open(c.database_conninfo, "tocsin_engine", "tocsin verify", &d, &why);
    s.sink = (struct step_sink){ .ctx = &v, .reading = verify_reading, .article = verify_article, .rule = verify_rule, .alert = verify_alert };
    if (!e) e = verify_all(&v, &d, &s, &why);
    if (e) fprintf(stderr, "tocsin: %s\n", why.text);
    else printf("%" PRId64 " records, %" PRId64 " readings, %" PRId64 " alerts, %" PRId64 " article scores: %" PRId64 " values compared, %" PRId64 " differing values\n", v.records,
                v.readings_n, v.alerts_n, v.articles_n, v.values, v.differing);
    code = e ? (e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN) : v.differing ? EXIT_DIFFERENT : EXIT_FINE;
    db_close(&d);
    step_release(&s);
    config_release(&c);
    return code;
}

/* ---- backtest ---- */
enum { RULES_MAX = 256 };

struct backtest {
    struct step *s;
    const char *rules[RULES_MAX];        /* definitions, JSON */
    size_t rules_n;
    bool made[RULES_MAX];
    int64_t from_ns, to_ns;
    bool json, past;
    size_t fires;
    struct arena arena;
    enum err err;
    struct why why;
};

static void print_fire(void *ctx, const struct alert *a)
{
    struct backtest *b = ctx;
    char at[WHEN_TEXT_MAX];
    when_format(a->event_ns, at);
    if (b->json) {
        AUTO_BUF struct buf o = { 0 };
        buf_puts(&o, b->fires ? ",\n  " : "\n  ");
        buf_printf(&o, "{\"time\":\"%s\",\"seq\":%" PRIu64 ",\"state\":\"%s\",\"value\":", at, a->seq, alert_state_name(a->state));
        buf_json_double(&o, a->value);
        buf_puts(&o, ",\"rule\":");
        buf_json_string(&o, a->rule_text, strlen(a->rule_text));
        buf_printf(&o, ",\"inputs\":%s}", a->inputs);
        fwrite(o.data, 1, o.len, stdout);
    } else {
        if (!b->fires) printf("%-30s  %-8s  %18s  %s\n", "time", "state", "value", "rule");
        printf("%-30s  %-8s  %18.10g  %s\n", at, alert_state_name(a->state), a->value, a->rule_text);
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
        enum err e = step_rule_put(b->s, (struct uuid){ { 1 } }, id, b->rules[i], strlen(b->rules[i]), &b->arena, &r, &why);
        if (e == ERR_UNKNOWN_SYMBOL || e == ERR_UNKNOWN_INDEX) continue;
        if (!e) e = step_apply(b->s, &r, &why);
        if (e) { b->err = e; b->why = why; return; }
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

static enum err add_rule(struct backtest *b, const char *text, const char *clear, const char *hold, const char *cooldown)
{
    AUTO_BUF struct buf o = { 0 };
    buf_puts(&o, "{\"rule\":");
    buf_json_string(&o, text, strlen(text));
    if (clear) { buf_puts(&o, ",\"clear\":"); buf_json_string(&o, clear, strlen(clear)); }
    if (hold) buf_printf(&o, ",\"hold_s\":%s", hold);
    if (cooldown) buf_printf(&o, ",\"cooldown_s\":%s", cooldown);
    buf_puts(&o, "}");
    if (b->rules_n == RULES_MAX || !(b->rules[b->rules_n] = arena_copy(&b->arena, o.data, o.len))) return ERR_LIMIT;
    b->rules_n++;
    return ERR_OK;
}

static int refuse_rule(const char *text, const struct why *why)
{
    fprintf(stderr, "tocsin: %s\n  %s\n", why->text, text);
    if (why->at > 0) fprintf(stderr, "  %*s^\n", why->at - 1, "");
    return EXIT_WRONG_USAGE;
}

static const char BACKTEST_USAGE[] = "usage: tocsin backtest -c FILE --rule TEXT [--clear X] [--hold S] [--cooldown S] [--rule ...] [--from TIME] [--to TIME] [--json]\n"
                                     "  --clear, --hold and --cooldown belong to the --rule before them; TIME is RFC 3339 or a date\n";

static int read_backtest(int argc, char **argv, struct backtest *b, const char **config)
{
    const char *rule = NULL, *clear = NULL, *hold = NULL, *cooldown = NULL;
    struct why why = { 0 };
    for (int i = 1; i < argc; i++) {
        const char *o = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(o, "--json") == 0) { b->json = true; continue; }
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
        if (e) { fprintf(stderr, "tocsin: %s %s: %s\n", o, v, why.text); return EXIT_WRONG_USAGE; }
    }
    if (!rule || !*config || add_rule(b, rule, clear, hold, cooldown)) return EXIT_WRONG_USAGE;
    for (size_t i = 0; i < b->rules_n; i++) {
        struct rule_definition d;
        struct measure m;
        struct rule_edges edges;
        enum err e = rule_parse(b->rules[i], strlen(b->rules[i]), &d, &why);
        if (!e) e = measure_parse(d.text, d.measure_n, &m, &why);
        if (!e && measure_is_book(&m)) e = err_set(&why, ERR_INVALID, "a book belongs to a tenant; a back-test has none");
        if (!e) e = rule_edges(&d, measure_is_price(&m), &edges, &why);
        if (e) return refuse_rule(why.at ? d.text[0] && e != ERR_INVALID ? d.text : rule : rule, &why);
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
    if (code) { if (!why.text[0]) fputs(BACKTEST_USAGE, stderr); arena_release(&b.arena); return code; }
    code = load_config(config, &c);
    if (code) { config_release(&c); arena_release(&b.arena); return code; }
    enum err e = step_init(&s);
    s.sink = (struct step_sink){ .ctx = &b, .alert = print_fire };
    if (!e) e = db_open(c.database_conninfo, "tocsin_engine", "tocsin backtest", &d, &why);
    if (!e) e = history_open(&d, 0, UINT64_MAX, &h, &why);
    if (b.json && !e) printf("{\"alerts\":[");
    if (!e) e = replay_stored(h, &s, backtest_each, &b, &why);
    if (b.json && !e) printf("%s],\"records\":%" PRIu64 "}\n", b.fires ? "\n" : "", engine_seq(s.engine));
    if (!e && b.err) { e = b.err; why = b.why; }
    if (e) fprintf(stderr, "tocsin: %s\n", why.text);
    else {
        for (size_t i = 0; i < b.rules_n; i++)
            if (!b.made[i]) fprintf(stderr, "tocsin: rule %zu: nothing stored knows its subject in that range\n", i + 1);
        if (!b.json) printf("%zu alert%s over %" PRIu64 " records\n", b.fires, b.fires == 1 ? "" : "s", engine_seq(s.engine));
    }
    history_close(h);
    db_close(&d);
    step_release(&s);
    config_release(&c);
    arena_release(&b.arena);
    return e ? (e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN) : EXIT_FINE;
}
