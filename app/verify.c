/* verify.c - `tocsin verify` and `tocsin backtest`: what is stored, through the same step as live. */
#include "alerts/rules/rule_text.h"
#include "app/app.h"
#include "app/recover.h"
#include "core/arena.h"
#include "core/json.h"
#include "core/when.h"
#include "core/vec.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- verify: everything the step says against the rows that were stored when it said it ----
 * tick and event are what is replayed, so of them only the order and the owner can be wrong. Rows that never change are read along, a cursor
 * a table; of the three tables that hold what stands now, small ones, the last that was said of each row is kept to the end. */
enum { SHOWN = 20 };

struct verify {
    const struct step *step;
    const struct history *history;
    struct row_cursor events, readings, alerts, articles, versions;
    json_t *instruments, *series, *rules; /* key -> { column: text } */
    struct alert *said; /* of the record in hand: compared by id when the next one begins */
    size_t said_n, said_cap;
    struct arena said_text;
    uint64_t last_seq; /* as stored */
    int64_t values, differing, records, readings_n, alerts_n, articles_n;
    enum err err;
    struct why why;
};

static void differ(struct verify *v, uint64_t seq, const char *what, const char *stored,
                   const char *now)
{
    if (v->differing++ < SHOWN)
        printf("seq %" PRIu64 ": %s: stored %s, now %s\n", seq, what, stored, now);
}

static void same_text(struct verify *v, uint64_t seq, const char *what, const char *stored,
                      const char *now)
{
    v->values++;
    if (strcmp(stored, now) != 0) differ(v, seq, what, stored, now);
}

static void same_str(struct verify *v, uint64_t seq, const char *what, const char *stored,
                     struct str now)
{
    v->values++;
    if (strlen(stored) == now.n && (!now.n || memcmp(stored, now.p, now.n) == 0)) return;
    char text[200];
    snprintf(text, sizeof text, "%.*s", (int)(now.n < sizeof text ? now.n : sizeof text - 1),
             now.n ? now.p : "");
    differ(v, seq, what, stored, text);
}

static void same_int(struct verify *v, uint64_t seq, const char *what, const char *stored,
                     int64_t now)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, now);
    same_text(v, seq, what, stored, text);
}

/* None is an SQL null, which libpq gives as an empty text. */
static const char *uuid_text(struct uuid u, char out[UUID_TEXT])
{
    if (uuid_is_none(u)) return "";
    uuid_format(u, out);
    return out;
}

static void same_uuid(struct verify *v, uint64_t seq, const char *what, const char *stored,
                      struct uuid now)
{
    same_text(v, seq, what, stored, uuid_text(now, (char[UUID_TEXT]){ 0 }));
}

/* jsonb keeps neither the order of keys nor how a number was written: by value, and 1e3 is 1000. */
static void same_json(struct verify *v, uint64_t seq, const char *what, const char *stored,
                      const char *now)
{
    AUTO_JSON json_t *a = json_loads(stored, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL),
                     *b = json_loads(now, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    v->values++;
    if (!json_equal(a, b)) differ(v, seq, what, stored, now);
}

static void same_double(struct verify *v, uint64_t seq, const char *what, const PGresult *r,
                        int row, int col, double now)
{
    v->values++;
    bool null = PQgetisnull(r, row, col);
    double stored = null ? NAN : strtod(PQgetvalue(r, row, col), NULL);
    if ((null && !isfinite(now)) || memcmp(&stored, &now, sizeof now) == 0
        || (stored == 0 && now == 0))
        return;
    char text[40];
    snprintf(text, sizeof text, "%.17g", now);
    differ(v, seq, what, null ? "null" : PQgetvalue(r, row, col), text);
}

/* The next stored row, which must belong to `seq`; NULL (and a difference) when there is none. */
static const PGresult *next_row(struct verify *v, struct row_cursor *c, uint64_t seq,
                                const char *what, int *row)
{
    const PGresult *r = v->err ? NULL : row_cursor_next(c, row, &v->err, &v->why);
    if (v->err) return NULL;
    if (!r) {
        differ(v, seq, what, "nothing", "a row");
        return NULL;
    }
    char column[40];
    snprintf(column, sizeof column, "%s.seq", what);
    same_int(v, seq, column, PQgetvalue(r, *row, 0), (int64_t)seq);
    return r;
}

static void verify_event(struct verify *v, const struct event_row *rec)
{
    int row;
    const PGresult *r = next_row(v, &v->events, rec->seq, "event", &row);
    if (r) same_uuid(v, rec->seq, "event.tenant_id", PQgetvalue(r, row, 1), rec->tenant_id);
}

static void verify_reading(struct verify *v, const struct reading_row *x)
{
    int row;
    const PGresult *r = next_row(v, &v->readings, x->seq, "reading", &row);
    if (!r) return;
    v->readings_n++;
    same_int(v, x->seq, "reading.series_id", PQgetvalue(r, row, 1), x->series_id);
    same_double(v, x->seq, "reading.value", r, row, 2, x->value);
    same_double(v, x->seq, "reading.coverage", r, row, 3, x->coverage);
    same_int(v, x->seq, "reading.staleness_ns", PQgetvalue(r, row, 4), x->staleness_ns);
    same_text(v, x->seq, "reading.status", PQgetvalue(r, row, 5), reading_status_name(x->status));
    same_int(v, x->seq, "reading.event_ns", PQgetvalue(r, row, 6), x->event_ns);
    same_uuid(v, x->seq, "reading.tenant_id", PQgetvalue(r, row, 7), x->tenant_id);
}

static void verify_article(struct verify *v, const struct article_score_row *a)
{
    int row;
    const PGresult *r = next_row(v, &v->articles, a->seq, "article_score", &row);
    if (!r) return;
    v->articles_n++;
    same_double(v, a->seq, "article_score.positive", r, row, 1, a->positive);
    same_double(v, a->seq, "article_score.neutral", r, row, 2, a->neutral);
    same_double(v, a->seq, "article_score.negative", r, row, 3, a->negative);
    same_double(v, a->seq, "article_score.score", r, row, 4, a->score);
    same_text(v, a->seq, "article_score.label", PQgetvalue(r, row, 5),
              sentiment_label_name(a->label));
    same_int(v, a->seq, "article_score.event_ns", PQgetvalue(r, row, 6), a->event_ns);
    same_str(v, a->seq, "article_score.article_id", PQgetvalue(r, row, 7), a->article_id);
    same_str(v, a->seq, "article_score.headline", PQgetvalue(r, row, 8), a->headline);
    same_str(v, a->seq, "article_score.source", PQgetvalue(r, row, 9), a->source);
    same_json(v, a->seq, "article_score.tickers", PQgetvalue(r, row, 10), a->tickers);
    same_text(v, a->seq, "article_score.scorer", PQgetvalue(r, row, 11), a->scorer);
}

/* What was said last of a row stands. `columns` is the caller's no more. */
static void stands(struct verify *v, json_t *table, const char *key, json_t *columns)
{
    if (json_object_set_new(table, key, columns) != 0)
        v->err = err_set(&v->why, ERR_NOMEM, "out of memory");
}

static void verify_instrument(struct verify *v, const struct instrument_row *f)
{
    char key[16];
    snprintf(key, sizeof key, "%" PRId32, f->instrument_id);
    /* at once: by a wrong symbol the replay would not get to the end */
    same_text(v, engine_seq(v->step->engine), "instrument.symbol",
              history_symbol(v->history, f->instrument_id), f->symbol);
    stands(v, v->instruments, key,
           json_pack("{s:s,s:s,s:s}", "symbol", f->symbol, "issuer", f->issuer, "name", f->name));
}

static void verify_series(struct verify *v, const struct series_row *x)
{
    char key[16], number[16], owner[UUID_TEXT];
    snprintf(key, sizeof key, "%" PRIu32, x->series_id);
    snprintf(number, sizeof number, "%d", x->version);
    stands(v, v->series, key,
           json_pack("{s:s,s:s,s:s,s:s}", "tenant_id", uuid_text(x->tenant_id, owner), "measure",
                     x->measure, "unit", x->unit, "version", number));
}

static void verify_rule(struct verify *v, const struct rule_row *x)
{
    char key[2 * UUID_TEXT], number[16], seq[24], a[UUID_TEXT], b[UUID_TEXT];
    snprintf(number, sizeof number, "%" PRId32, x->version);
    snprintf(seq, sizeof seq, "%" PRIu64, x->seq);
    snprintf(key, sizeof key, "%s %s", uuid_text(x->tenant_id, a), uuid_text(x->rule_id, b));
    stands(v, v->rules, key,
           json_pack("{s:s,s:s,s:s,s:s}", "version", number, "seq", seq, "definition",
                     x->definition, "deleted", x->deleted ? "t" : "f"));
}

static void verify_version(struct verify *v, const struct rule_version_row *x)
{
    int row;
    const PGresult *r = next_row(v, &v->versions, x->seq, "rule_version", &row);
    if (!r) return;
    same_int(v, x->seq, "rule_version.version", PQgetvalue(r, row, 1), x->version);
    same_text(v, x->seq, "rule_version.change", PQgetvalue(r, row, 2),
              names_text(&rule_verb_names, (int)x->change));
    same_uuid(v, x->seq, "rule_version.tenant_id", PQgetvalue(r, row, 3), x->tenant_id);
    same_uuid(v, x->seq, "rule_version.rule_id", PQgetvalue(r, row, 4), x->rule_id);
    same_json(v, x->seq, "rule_version.definition", PQgetvalue(r, row, 5), x->definition);
}

static void keep_alert(struct verify *v, const struct alert *a)
{
    if (VEC_GROW(&v->said, &v->said_cap, v->said_n + 1)
        && row_copy(&alert_row, a, &v->said_text, &v->said[v->said_n]))
        v->said_n++;
    else v->err = err_set(&v->why, ERR_NOMEM, "out of memory");
}

static void verify_row(void *ctx, const struct row_type *type, const void *row)
{
    struct verify *v = ctx;
    if (type == &event_row) verify_event(v, row);
    else if (type == &instrument_row) verify_instrument(v, row);
    else if (type == &series_row) verify_series(v, row);
    else if (type == &reading_row) verify_reading(v, row);
    else if (type == &article_score_row) verify_article(v, row);
    else if (type == &rule_row) verify_rule(v, row);
    else if (type == &rule_version_row) verify_version(v, row);
    else if (type == &alert_row) keep_alert(v, row);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct alert *)a)->alert_id.b, ((const struct alert *)b)->alert_id.b, 16);
}

static void settle_alerts(struct verify *v)
{
    if (v->said_n) qsort(v->said, v->said_n, sizeof *v->said, by_id);
    for (size_t i = 0; i < v->said_n; i++) {
        const struct alert *a = &v->said[i];
        int row;
        const PGresult *r = next_row(v, &v->alerts, a->seq, "alert", &row);
        if (!r) continue;
        v->alerts_n++;
        same_uuid(v, a->seq, "alert.alert_id", PQgetvalue(r, row, 1), a->alert_id);
        same_int(v, a->seq, "alert.stream_no", PQgetvalue(r, row, 2), (int64_t)a->stream_no);
        same_int(v, a->seq, "alert.event_ns", PQgetvalue(r, row, 3), a->event_ns);
        same_text(v, a->seq, "alert.state", PQgetvalue(r, row, 4), alert_state_name(a->state));
        same_double(v, a->seq, "alert.value", r, row, 5, a->value);
        same_int(v, a->seq, "alert.rule_version", PQgetvalue(r, row, 6), a->rule_version);
        same_text(v, a->seq, "alert.inputs", PQgetvalue(r, row, 7), a->inputs);
        same_uuid(v, a->seq, "alert.tenant_id", PQgetvalue(r, row, 8), a->tenant_id);
        same_uuid(v, a->seq, "alert.rule_id", PQgetvalue(r, row, 9), a->rule_id);
        same_int(v, a->seq, "alert.rule_no", PQgetvalue(r, row, 10), (int64_t)a->rule_no);
        same_text(v, a->seq, "alert.rule_name", PQgetvalue(r, row, 11), a->rule_name);
        same_text(v, a->seq, "alert.rule_text", PQgetvalue(r, row, 12), a->rule_text);
        same_text(v, a->seq, "alert.severity", PQgetvalue(r, row, 13), severity_name(a->severity));
        same_text(v, a->seq, "alert.measure", PQgetvalue(r, row, 14), a->measure);
        same_text(v, a->seq, "alert.unit", PQgetvalue(r, row, 15), a->unit);
    }
    v->said_n = 0;
    arena_clear(&v->said_text);
}

static bool verify_each(void *ctx, struct record *r)
{
    struct verify *v = ctx;
    settle_alerts(v);
    char next[48];
    snprintf(next, sizeof next, "nothing before seq %" PRIu64, r->seq);
    v->values++;
    if (r->seq > v->last_seq + 1) differ(v, v->last_seq + 1, "tick or event", next, "a record");
    if (r->seq <= v->last_seq) differ(v, r->seq, "tick or event", "a second record", "one");
    if (r->seq > v->last_seq) v->last_seq = r->seq;
    v->records++;
    return v->err == ERR_OK;
}

static void nothing_left(struct verify *v, struct row_cursor *c, const char *what)
{
    int row;
    while (!v->err && row_cursor_next(c, &row, &v->err, &v->why))
        differ(v, (uint64_t)strtoull(PQgetvalue(c->page, row, 0), NULL, 10), what, "a row",
               "nothing");
}

/* A table of what stands now, its first column the key, against what was said last. Takes the rows that it finds out of `said`. */
static void same_standing(struct verify *v, struct db *d, const char *table, const char *sql,
                          json_t *said)
{
    struct row_cursor c = { 0 };
    const PGresult *r;
    const char *key;
    json_t *now;
    char what[200];
    int row;
    if (!v->err) v->err = row_cursor_open(d, table, sql, &c, &v->why);
    while (!v->err && (r = row_cursor_next(&c, &row, &v->err, &v->why)) != NULL) {
        key = PQgetvalue(r, row, 0);
        now = json_object_get(said, key);
        snprintf(what, sizeof what, "%s %s", table, key);
        if (!now) differ(v, v->last_seq, what, "a row", "nothing");
        for (int i = 1; now && i < PQnfields(r); i++) {
            const char *column = PQfname(r, i),
                       *text = json_string_value(json_object_get(now, column));
            snprintf(what, sizeof what, "%s.%s of %s", table, column, key);
            (strcmp(column, "definition") == 0 ? same_json : same_text)(
                v, v->last_seq, what, PQgetvalue(r, row, i), text);
        }
        json_object_del(said, key);
    }
    if (!v->err) json_object_foreach(said, key, now)
        {
            snprintf(what, sizeof what, "%s %s", table, key);
            differ(v, v->last_seq, what, "nothing", "a row");
        }
    row_cursor_close(&c);
}

static void same_shard(struct verify *v, struct db *d)
{
    AUTO_PGRESULT PGresult *r = NULL;
    if (!v->err)
        v->err = db_query(d, "SELECT last_seq FROM tocsin.shard WHERE shard_id = 0", 0, NULL, &r,
                          &v->why);
    if (!v->err)
        same_int(v, v->last_seq, "shard.last_seq", PQntuples(r) ? PQgetvalue(r, 0, 0) : "nothing",
                 (int64_t)v->last_seq);
}

static enum err verify_all(struct verify *v, struct db *d, struct step *s, struct why *why)
{
    struct history *h = NULL;
    v->instruments = json_object();
    v->series = json_object();
    v->rules = json_object();
    enum err e = v->instruments && v->series && v->rules ? history_open(d, 0, UINT64_MAX, &h, why)
                                                         : err_set(why, ERR_NOMEM, "out of memory");
    v->history = h;
    if (!e)
        e = row_cursor_open(d, "event_rows", "SELECT seq, tenant_id FROM tocsin.event ORDER BY seq",
                            &v->events, why);
    if (!e)
        e = row_cursor_open(
            d, "reading_rows",
            "SELECT seq, series_id, value, coverage, staleness_ns, status, event_ns, tenant_id FROM tocsin.reading ORDER BY seq, series_id",
            &v->readings, why);
    if (!e)
        e = row_cursor_open(
            d, "alert_rows",
            "SELECT seq, alert_id, stream_no, event_ns, state, value, rule_version, inputs, tenant_id, rule_id, rule_no, rule_name, rule_text,"
            " severity, measure, unit FROM tocsin.alert ORDER BY seq, alert_id",
            &v->alerts, why);
    if (!e)
        e = row_cursor_open(
            d, "article_rows",
            "SELECT seq, positive, neutral, negative, score, label, event_ns, article_id, headline, source, tickers, scorer"
            " FROM tocsin.article_score ORDER BY seq",
            &v->articles, why);
    if (!e)
        e = row_cursor_open(
            d, "version_rows",
            "SELECT seq, version, change, tenant_id, rule_id, definition FROM tocsin.rule_version ORDER BY seq",
            &v->versions, why);
    if (!e) e = replay_stored(h, s, verify_each, v, why);
    settle_alerts(v);
    if (!e) { /* of a replay that broke off nothing can be missing */
        nothing_left(v, &v->events, "event");
        nothing_left(v, &v->readings, "reading");
        nothing_left(v, &v->alerts, "alert");
        nothing_left(v, &v->articles, "article_score");
        nothing_left(v, &v->versions, "rule_version");
        same_standing(v, d, "instrument",
                      "SELECT instrument_id, symbol, issuer, name FROM tocsin.instrument",
                      v->instruments);
        same_standing(v, d, "series",
                      "SELECT series_id, tenant_id, measure, unit, version FROM tocsin.series",
                      v->series);
        same_standing(
            v, d, "rule",
            "SELECT tenant_id || ' ' || rule_id, version, seq, definition, deleted FROM tocsin.rule",
            v->rules);
        same_shard(v, d);
    }
    if (!e && v->err) {
        e = v->err;
        *why = v->why;
    }
    row_cursor_close(&v->events);
    row_cursor_close(&v->readings);
    row_cursor_close(&v->alerts);
    row_cursor_close(&v->articles);
    row_cursor_close(&v->versions);
    json_decref(v->instruments);
    json_decref(v->series);
    json_decref(v->rules);
    arena_release(&v->said_text);
    history_close(h);
    free(v->said);
    return e;
}

const char verify_usage[] = "usage: tocsin verify -c FILE\n";

int cmd_verify(int argc, char **argv)
{
    struct config c;
    struct why why = { 0 };
    struct db d = { 0 };
    struct step s = { 0 };
    struct verify v = { .step = &s };
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(verify_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    if (code) {
        config_release(&c);
        return code;
    }
    enum err e = step_init(&s);
    if (!e) e = db_open(c.database_conninfo, "tocsin_engine", "tocsin verify", &d, &why);
    step_hear(&s, &(struct step_sink){ .ctx = &v, .row = verify_row });
    if (!e) e = verify_all(&v, &d, &s, &why);
    if (e) fprintf(stderr, "tocsin: %s\n", why.text);
    else
        printf("%" PRId64 " records, %" PRId64 " readings, %" PRId64 " alerts, %" PRId64
               " article scores: %" PRId64 " values compared, %" PRId64 " differing values\n",
               v.records, v.readings_n, v.alerts_n, v.articles_n, v.values, v.differing);
    code = e             ? (e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN)
           : v.differing ? EXIT_DIFFERENT
                         : EXIT_FINE;
    db_close(&d);
    step_release(&s);
    config_release(&c);
    return code;
}

/* ---- backtest ---- */
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
