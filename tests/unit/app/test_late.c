/* test_late.c - late and shuffled: a day of trades of which 2 % come up to an hour late, and closes
 * corrected for ten sessions back. Alerts, `last` and levels are those of the sorted feed without
 * them; windows those of closes that had been right from the beginning. TOCSIN_SEED repeats a run. */
#include "analytics/series.h"
#include "app/step.h"

#include "core/arena.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    E8 = 100000000,
    DAY0 = 19730, /* 2024-01-08, a Monday; the quarter ends after all of it */
    BACK = 10,    /* sessions whose closes are corrected */
    TODAY = 11,   /* the one before them sets the base */
    LINES = 4,
    TRADES = 150,
    RULES = 16,
    SEEDS = 1000,
    LATE_MAX_S = 3600,
    ALERTS_MAX = 4000
};
static const struct uuid NOBODY;

static uint64_t seed, dice;
static uint32_t upto(uint32_t n)
{
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return (uint32_t)(dice >> 11) % n;
}

/* ---- what happens, the same for all runs of a seed ---- */
struct said_close {
    int64_t right, wrong; /* wrong 0: none was said, and the last trade stood in */
    int corrected_after;  /* that trade of today; only of one that was not right */
};
static struct {
    int64_t price[TODAY][LINES];
    struct said_close close[TODAY][LINES];
    struct day_trade {
        int line;
        int64_t ns, price_e8;
        int after; /* comes after that trade; its own number: in time */
    } trade[TRADES];
    bool clock[TRADES]; /* a clock record goes before it */
    char rule[RULES][160];
    bool ends; /* today has its closes and its end too */
} day;

static int64_t at(int d, int hour, int second)
{
    return (DAY0 + d) * NS_PER_DAY + (hour * 3600ll + second) * NS_PER_S;
}

/* The trade that one of `k` comes after: a newer one of its line has come by then, in time, and it is
 * no more than an hour late. `k` itself: there is none. */
static int lateness(int k, const bool *chosen)
{
    int newer = k + 1;
    while (newer < TRADES && (chosen[newer] || day.trade[newer].line != day.trade[k].line)) newer++;
    int last = newer;
    while (last + 1 < TRADES && day.trade[last + 1].ns - day.trade[k].ns <= LATE_MAX_S * NS_PER_S)
        last++;
    if (newer >= TRADES || day.trade[newer].ns - day.trade[k].ns > LATE_MAX_S * NS_PER_S) return k;
    return newer + (int)upto((uint32_t)(last - newer) + 1);
}

static void make_trades(void)
{
    int64_t ns = at(TODAY, 14, 1800);
    for (int k = 0; k < TRADES; k++) {
        const int line = k < LINES ? k : (int)upto(LINES);
        ns += (1 + upto(k < LINES ? 2 : 300)) * NS_PER_S;
        const int64_t from = day.price[TODAY - 1][line];
        day.trade[k] = (struct day_trade){ line, ns, from + from / 10000 * (upto(800) - 400ll), k };
        day.clock[k] = upto(10) == 0;
    }
    bool chosen[TRADES] = { false };
    for (int k = LINES; k < TRADES; k++) chosen[k] = upto(50) == 0;
    for (int k = LINES; k < TRADES; k++) {
        if (chosen[k]) day.trade[k].after = lateness(k, chosen);
        if (day.trade[k].after != k) /* far off: it would be seen in everything */
            day.trade[k].price_e8 = day.trade[k].price_e8 / 2 * (1 + 2 * upto(2));
    }
}

static void make_closes(void)
{
    for (int d = 0; d < TODAY; d++)
        for (int i = 0; i < LINES; i++) {
            const int64_t price = (int64_t)(50 + upto(100)) * E8 + upto(100) * (E8 / 100);
            day.price[d][i] = price;
            struct said_close *c = &day.close[d][i];
            *c = (struct said_close){ price + upto(200) * (E8 / 100), 0, -1 };
            c->wrong = c->right;
            if (d == 0 || upto(3)) continue;
            c->wrong = upto(2) ? 0 : c->right + (1 + upto(500)) * (E8 / 100);
        }
}

/* Corrections come with the time of a trade that is there in the sorted feed too. */
static void make_corrections(void)
{
    for (int d = 1; d < TODAY; d++)
        for (int i = 0; i < LINES; i++) {
            struct said_close *c = &day.close[d][i];
            if (c->wrong == c->right) continue;
            do c->corrected_after = LINES + (int)upto(TRADES - LINES);
            while (day.trade[c->corrected_after].after != c->corrected_after);
        }
}

static void make_rules(void)
{
    static const char *const ops[] = { ">=", ">", "<=", "<" };
    for (int r = 0; r < RULES; r++) {
        const char *op = ops[upto(4)];
        const int line = (int)upto(LINES), off = (int)upto(500) - 250; /* of 10,000 */
        const double last = (double)day.price[TODAY - 1][line] / E8;
        char measure[40];
        double usual = 1000;
        switch (r % 4) {
        case 0:
        case 1:
            snprintf(measure, sizeof measure, "last(S%d)", line);
            usual = last;
            break;
        case 2:
            snprintf(measure, sizeof measure, "hhi(Y)");
            usual = 2600;
            break;
        default:
            snprintf(measure, sizeof measure, "top_weight(Y, n=1)");
            usual = 32;
            break;
        }
        snprintf(day.rule[r], sizeof day.rule[r],
                 "{\"rule\":\"%s %s %.2f\",\"hold_s\":%u,\"cooldown_s\":%u}", measure, op,
                 usual * (1 + off / 10000.0), upto(2) * upto(600), upto(2) * upto(900));
    }
}

/* ---- a run ---- */
struct told {
    struct heard {
        int rule, state, reason;
        int64_t event_ns, since_ns;
        double value, previous;
    } alert[ALERTS_MAX];
    int alerts;
    double last[LINES], level, ew_level, hhi; /* as they stand at the end */
    double ret[LINES][3], spread[3];
};

static struct step step;
static struct arena arena;
static int late_said;

static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    struct told *told = ctx;
    const struct alert *a = row;
    assert_ptr_equal(type, &alert_row);
    assert_true(told->alerts < ALERTS_MAX);
    struct heard *h = &told->alert[told->alerts++];
    *h = (struct heard){ a->rule_id.b[1], (int)a->state, (int)a->reason, a->event_ns,
                         a->since_ns,     a->value,      a->previous };
    if (isnan(h->value)) h->value = -1; /* to be compared as bytes */
    if (isnan(h->previous)) h->previous = -1;
}

static void ok(struct record r)
{
    struct why why = { 0 };
    if (step_apply(&step, &r, &why))
        fail_msg("seed %" PRIu64 ": record of kind %d: %s", seed, (int)r.kind, why.text);
}

static struct symbol symbol(int line)
{
    struct symbol x = { { 0 } };
    snprintf(x.s, sizeof x.s, "S%d", line);
    return x;
}
static void trade(int line, int64_t price_e8, int64_t ns)
{
    ok((struct record){ .kind = RECORD_TRADE,
                        .event_ns = ns,
                        .u.trade = { .symbol = symbol(line), .price_e8 = price_e8 } });
    late_said += engine_output(step.engine)->trade == TRADE_LATE;
}
static void official(int line, int64_t price_e8, int d, int64_t ns)
{
    ok((struct record){
        .kind = RECORD_CLOSE,
        .event_ns = ns,
        .u.close = { .symbol = symbol(line), .price_e8 = price_e8, .day = DAY0 + d } });
}
static void end(int d)
{
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = at(d, 21, 1), .u.clock = { .session_end = DAY0 + d } });
}

static void reference(void)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .u.settings = { .coverage_gate_e8 = 95000000, .meaning = MEANING_NOW } });
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str_of("Y"), .name = str_of(""), .base_e8 = 1000ll * E8 } });
    for (int i = 0; i < LINES; i++) {
        const struct symbol s = symbol(i);
        ok((struct record){
            .kind = RECORD_INSTRUMENT,
            .u.instrument = { .symbol = s, .issuer = str_of(s.s), .name = str_of("") } });
        ok((struct record){
            .kind = RECORD_SHARES,
            .u.shares = { .symbol = s, .shares = 100 + 10 * i, .float_e8 = E8, .day = NO_DAY } });
        ok((struct record){
            .kind = RECORD_MEMBERSHIP,
            .u.membership = { .index = str_of("Y"), .symbol = s, .member = true } });
    }
}

static void sessions_before(bool right)
{
    for (int d = 0; d < TODAY; d++) {
        for (int i = 0; i < LINES; i++) trade(i, day.price[d][i], at(d, 15, i));
        for (int i = 0; i < LINES; i++) {
            const int64_t close = right ? day.close[d][i].right : day.close[d][i].wrong;
            if (close) official(i, close, d, at(d, 21, 0));
        }
        end(d);
    }
}

static void rule(int no)
{
    struct why why = { 0 };
    struct rule_draft draft;
    struct record r;
    const struct uuid tenant = { { 1 } }, id = { { 0xAA, (uint8_t)no } };
    enum err e = rule_draft_read(day.rule[no], strlen(day.rule[no]), &draft, &why);
    if (!e) e = step_rule_put(&step, tenant, id, &draft, &arena, &r, &why);
    if (!e) e = step_apply_put(&step, &r, &draft, &why);
    if (e) fail_msg("seed %" PRIu64 ": %s: %s", seed, day.rule[no], why.text);
}

/* What comes after trade `k` of today: late trades, corrections. */
static void stragglers(int k)
{
    for (int j = 0; j < k; j++)
        if (day.trade[j].after == k)
            trade(day.trade[j].line, day.trade[j].price_e8, day.trade[j].ns);
    for (int d = 1; d < TODAY; d++)
        for (int i = 0; i < LINES; i++)
            if (day.close[d][i].corrected_after == k)
                official(i, day.close[d][i].right, d, day.trade[k].ns);
}

static void today(bool late)
{
    for (int k = 0; k < TRADES; k++) {
        const struct day_trade *t = &day.trade[k];
        if (day.clock[k])
            ok((struct record){ .kind = RECORD_CLOCK,
                                .event_ns = t->ns - 1,
                                .u.clock = { .session_end = NO_DAY } });
        if (t->after == k) trade(t->line, t->price_e8, t->ns);
        if (late) stragglers(k);
    }
    if (!day.ends) return;
    for (int i = 0; i < LINES; i++) official(i, day.price[TODAY - 1][i], TODAY, at(TODAY, 23, i));
    ok((struct record){ .kind = RECORD_CLOCK,
                        .event_ns = at(TODAY, 23, 60),
                        .u.clock = { .session_end = DAY0 + TODAY } });
}

static double value(const char *text)
{
    struct measure m;
    struct why why = { 0 };
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why)
        || engine_track(step.engine, NOBODY, &m, &no, &why)
        || series_configure(engine_market(step.engine), no))
        fail_msg("%s: %s", text, why.text);
    const struct reading r = engine_reading(step.engine, no);
    if (!reading_has_value(r.status))
        fail_msg("seed %" PRIu64 ": %s is %s", seed, text, reading_status_name(r.status));
    return r.value;
}

static void look(struct told *out)
{
    static const char *const windows[] = { "1d", "5d", "all" };
    static const char *const kinds[] = { "arith", "geom", "log" };
    char text[80];
    for (int i = 0; i < LINES; i++) {
        snprintf(text, sizeof text, "last(S%d)", i);
        out->last[i] = value(text);
        for (int w = 0; w < 3; w++) {
            snprintf(text, sizeof text, "ret(S%d, window=%s)", i, windows[w]);
            out->ret[i][w] = value(text);
        }
    }
    for (int w = 0; w < 3; w++) {
        snprintf(text, sizeof text, "spread(Y, kind=%s, window=%s, ew=held)", kinds[w], windows[w]);
        out->spread[w] = value(text);
    }
    out->level = value("level(Y)");
    out->ew_level = value("ew_level(Y, ew=held)");
    out->hhi = value("hhi(Y)");
}

/* right: closes were so from the beginning. late: what comes late comes. */
static void run(bool right, bool late, struct told *out)
{
    static const struct row_type *const wanted[] = { &alert_row, NULL };
    memset(out, 0, sizeof *out);
    late_said = 0;
    assert_int_equal(step_init(&step), ERR_OK);
    step_hear(&step, &(struct step_sink){ .ctx = out, .row = on_row, .wanted = wanted });
    reference();
    sessions_before(right);
    for (int r = 0; r < RULES; r++) rule(r);
    today(late);
    look(out);
    step_release(&step);
    arena_clear(&arena);
}

/* ---- the property ---- */
static void check_alerts(const struct told *sorted, const struct told *shuffled)
{
    for (int i = 0; i < sorted->alerts && i < shuffled->alerts; i++) {
        const struct heard *s = &sorted->alert[i], *t = &shuffled->alert[i];
        if (s->rule != t->rule || s->state != t->state || s->reason != t->reason
            || s->event_ns != t->event_ns || s->since_ns != t->since_ns || s->value != t->value
            || s->previous != t->previous)
            fail_msg("seed %" PRIu64 ": alert %d is of rule %d %s at %" PRId64
                     " with %.17g, sorted of rule %d at %" PRId64 " with %.17g",
                     seed, i, t->rule, day.rule[t->rule], t->event_ns, t->value, s->rule,
                     s->event_ns, s->value);
    }
    if (sorted->alerts != shuffled->alerts)
        fail_msg("seed %" PRIu64 ": %d alerts, sorted %d", seed, shuffled->alerts, sorted->alerts);
}

static void same(const char *what, const double *want, const double *got, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (want[i] != got[i])
            fail_msg("seed %" PRIu64 ": %s %zu is %.17g, and should be %.17g", seed, what, i,
                     got[i], want[i]);
}

static int delayed(void)
{
    int n = 0;
    for (int k = 0; k < TRADES; k++) n += day.trade[k].after != k;
    return n;
}

static void late_and_shuffled_is_as_sorted_without_the_late(void **state)
{
    (void)state;
    static struct told sorted, shuffled, right;
    const char *given = getenv("TOCSIN_SEED");
    const uint64_t first = given ? strtoull(given, NULL, 10) : 1;
    int late = 0, alerts = 0, corrected = 0;
    for (seed = first; seed < first + SEEDS; seed++) {
        dice = seed * 0x9E3779B97F4A7C15u | 1;
        make_closes();
        make_trades();
        make_corrections();
        make_rules();
        day.ends = upto(2);
        run(false, true, &shuffled);
        if (late_said != delayed())
            fail_msg("seed %" PRIu64 ": %d marked late of %d", seed, late_said, delayed());
        run(false, false, &sorted);
        assert_int_equal(late_said, 0);
        run(true, false, &right);
        check_alerts(&sorted, &shuffled);
        same("last", sorted.last, shuffled.last, LINES);
        same("level", &sorted.level, &shuffled.level, 1);
        same("ew_level", &sorted.ew_level, &shuffled.ew_level, 1);
        same("hhi", &sorted.hhi, &shuffled.hhi, 1);
        same("ret", right.ret[0], shuffled.ret[0], (size_t)LINES * 3);
        same("spread", right.spread, shuffled.spread, 3);
        late += delayed();
        alerts += sorted.alerts;
        corrected += memcmp(sorted.ret, right.ret, sizeof right.ret) != 0;
    }
    print_message("seeds from %" PRIu64 ": %d trades late, %d alerts, windows of %d corrected\n",
                  first, late, alerts, corrected);
    assert_true(late > 2 * SEEDS && alerts > 20 * SEEDS && corrected > SEEDS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_and_shuffled_is_as_sorted_without_the_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
