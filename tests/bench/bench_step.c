/* bench_step.c - the engine's share of the drain job: one decoded tick after another through the step, 101,000 rules beside
 * it, every row thrown away.
 *
 *   bench_step [ticks]                   default 20000; says nanoseconds a tick, and whether the right rules fired
 *   instructions.py                      the same under valgrind: instructions a tick, gated
 *
 * The ticks before the measured ones warm up: arrays have grown, series stand. With that many ticks and WARM before them the
 * fires are held against those of the peers' reference; a number for wrong fires is worth nothing. */
#include "alerts/alert.h"
#include "app/step.h"
#include "bench.h"
#include "core/arena.h"
#include "core/when.h"
#include "drain_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

enum { WARM = 2000, TICKS = 20000, PRICE_RULES = SYMBOLS * RULES_A_SYMBOL };
/* `gen answer 22000` of the peers */
static const struct fires {
    uint64_t price, index;
} reference = { 2330, 139 };

static const char *const measures[MEASURES] = { "level(JOB)", "ew_level(JOB, ew=held)",
                                                "spread(JOB, kind=points, ew=held)", "hhi(JOB)",
                                                "top_weight(JOB)" };
static struct step step;
static struct arena arena;
static struct fires fires;
static uint64_t rows;

/* The one place that knows how a step tells what it does. */
static void hear(void *ctx, const struct row_type *type, const void *row)
{
    (void)ctx;
    rows++;
    if (type != &alert_row) return;
    const struct alert *a = row;
    if (a->state == ALERT_FIRING)
        *(atoi(a->rule_name) < PRICE_RULES ? &fires.price : &fires.index) += 1;
}

/* ---- the job's records ---- */
PRINTF_LIKE(1, 2) static struct record decoded(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const struct record r = record_said(&arena, format, args);
    va_end(args);
    return r;
}

static void apply(struct record r)
{
    struct why why = { 0 };
    must(step_apply(&step, &r, &why), &why);
}

#define AT "\"ts\":1699900000000000000"
static void reference_data(void)
{
    struct world w;
    world_begin(&w);
    apply(decoded("{\"kind\":\"index\",\"index\":\"JOB\",\"base\":1000," AT "}"));
    for (int i = 0; i < SYMBOLS; i++) {
        apply(decoded("{\"kind\":\"instrument\",\"symbol\":\"SYM%04d\",\"issuer\":\"SYM%04d\"," AT
                      "}",
                      i, i));
        apply(decoded("{\"kind\":\"shares\",\"symbol\":\"SYM%04d\",\"shares\":%d," AT "}", i,
                      (int)w.of[i].shares));
        apply(decoded("{\"kind\":\"membership\",\"index\":\"JOB\",\"symbol\":\"SYM%04d\"," AT "}",
                      i));
    }
    for (int i = 0; i < SYMBOLS; i++)
        apply(decoded(
            "{\"kind\":\"close\",\"symbol\":\"SYM%04d\",\"price\":\"%d.%02d\",\"date\":\"2023-11-13\"," AT
            "}",
            i, (int)w.of[i].cents / 100, (int)w.of[i].cents % 100));
    apply(decoded("{\"kind\":\"clock\",\"session_end\":\"2023-11-13\"," AT "}"));
}

static void make_rule(void *ctx, int number, const struct job_rule *r)
{
    char what[60], at[40], clear[40], text[300];
    struct record made;
    struct rule_draft draft;
    struct why why = { 0 };
    (void)ctx;
    if (r->price) snprintf(what, sizeof what, "last(SYM%04d)", r->target);
    else snprintf(what, sizeof what, "%s", measures[r->target]);
    snprintf(at, sizeof at, r->price ? "%.2f" : "%.17g",
             r->price ? r->threshold / 100 : r->threshold);
    snprintf(clear, sizeof clear, r->price ? "%.2f" : "%.17g",
             r->price ? r->clear / 100 : r->clear);
    int n =
        snprintf(text, sizeof text,
                 "{\"name\":\"%d\",\"rule\":\"%s %s %s\",\"clear\":\"%s\",\"on_create\":\"wait\"}",
                 number, what, r->above ? ">=" : "<=", at, clear);
    const struct uuid tenant = { .b = { 1 } }, id = uuid_derive(tenant, (uint64_t)number, 0);
    arena_clear(&arena);
    must(rule_draft_read(text, (size_t)n, &draft, &why), &why);
    must(step_rule_put(&step, tenant, id, &draft, &arena, &made, &why), &why);
    must(step_apply_put(&step, &made, &draft, &why), &why);
}

static void set_up(void)
{
    struct why why = { 0 };
    const struct market_settings settings = { .coverage_gate_e8 = 95000000,
                                              .meaning = MEANING_NOW };
    must(step_init(&step), &why);
    step_hear(&step, &(struct step_sink){ .row = hear });
    apply(step_settings(&step, &settings));
    reference_data();
    job_rules(make_rule, NULL);
    arena_clear(&arena);
}

/* ---- the measured loop ---- */
static void run(struct record *ticks, int n)
{
    struct why why = { 0 };
    for (int i = 0; i < n; i++) must(step_apply(&step, &ticks[i], &why), &why);
}

int main(int argc, char **argv)
{
    static struct world w;
    const int n = argc > 1 ? atoi(argv[1]) : TICKS;
    struct record *ticks = n > 0 ? calloc((size_t)(WARM + n), sizeof *ticks) : NULL;
    if (!ticks) return 64;
    set_up();
    world_begin(&w);
    for (int i = 0; i < WARM + n; i++) {
        const struct job_tick t = world_tick(&w);
        ticks[i] = decoded(
            "{\"kind\":\"trade\",\"symbol\":\"SYM%04d\",\"price\":\"%d.%02d\",\"size\":%d,\"ts\":%" PRId64
            "}",
            t.symbol, (int)t.cents / 100, (int)t.cents % 100, t.size, t.event_ns);
    }
    run(ticks, WARM);
    rows = 0;
    int64_t began = mono_ns();
    CALLGRIND_START_INSTRUMENTATION;
    run(ticks + WARM, n);
    CALLGRIND_STOP_INSTRUMENTATION;
    int64_t took = mono_ns() - began;
    bool right = n != TICKS || (fires.price == reference.price && fires.index == reference.index);
    printf("%d ticks, %.1f ns and %.2f rows a tick; %" PRIu64 " price rules and %" PRIu64
           " index rules fired%s\n",
           n, (double)took / n, (double)rows / n, fires.price, fires.index, right ? "" : ": WRONG");
    step_release(&step);
    arena_release(&arena);
    free(ticks);
    return right ? 0 : 1;
}
