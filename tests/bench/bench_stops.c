/* bench_stops.c - what keeps the engine's thread from its next record, in milliseconds of its processor: medians of ROUNDS, and
 * the longest.
 *
 *   bench_stops [rounds]                 default 5
 *
 * 10,000 instruments in four indices, with five measures of each index followed by everybody, `last` of every instrument
 * by one tenant, and 100,000 rules on one of them. Rows go into a write batch, as they do in the service, which is emptied
 * between records. What is timed is one call, in which nothing else can happen:
 *
 *   settle      the first move after a restart, when all edges of the 100,000 rules come into order at once
 *               and the first move after one rule more came, and after 2,000
 *   pass        a move that crosses all of them: the longest record of the burst, and all records together
 *   blind       the first value of a series that 100,000 rules wait for
 *   sweep       the first move after half of them were deleted: 100,000 dead edges go
 *   session     its end, which keeps 10,000 closes; and the first price of the next, when weights are made equal
 *   picture     what readers see, after records alone, and after somebody has begun to see another series
 *   page        the states of a hundred rules for a page of the list
 *   image       the state for a snapshot: all of it, and again after one session
 *
 * And of 100,000 rules made and deleted: what is left of one in memory. Counts are held against what they must be, times
 * are not. */
#include "alerts/alert.h"
#include "analytics/picture.h"
#include "app/step.h"
#include "bench.h"
#include "core/arena.h"
#include "core/when.h"
#include "store/write_batch.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    INSTRUMENTS = 10000,
    INDICES = 4,
    RULES = 100000,
    PAGE = 100,
    ROUNDS_MAX = 50,
    GONE = 100000
};
#define DAY0 19675 /* 2023-11-14, a Tuesday */

static struct step step;
static struct arena arena;
static struct write_batch *batch;
static uint64_t alerts, offset;
static int rounds = 5;
static const struct uuid tenant = { .b = { 1 } };

static void hear(void *ctx, const struct row_type *type, const void *row)
{
    (void)ctx;
    alerts += type == &alert_row;
    write_row(batch, type, row);
}

/* ---- times ---- */
/* Of this thread's processor: on a core of its own the stop is as long, and others on the machine do not count. */
static int64_t used_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static struct timed {
    const char *what;
    double ms[ROUNDS_MAX];
    int n;
} timed[32];
static int timed_n;

static void note(const char *what, int64_t began_ns)
{
    const double ms = (double)(used_ns() - began_ns) / 1e6;
    int i = 0;
    while (i < timed_n && strcmp(timed[i].what, what) != 0) i++;
    if (i == timed_n) timed[timed_n++].what = what;
    if (timed[i].n < ROUNDS_MAX) timed[i].ms[timed[i].n++] = ms;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void say_times(void)
{
    for (int i = 0; i < timed_n; i++) {
        struct timed *t = &timed[i];
        qsort(t->ms, (size_t)t->n, sizeof *t->ms, by_size);
        printf("%-70s %8.2f ms, at most %8.2f\n", t->what, t->ms[t->n / 2], t->ms[t->n - 1]);
    }
}

/* ---- records ---- */
static int64_t ns_of(int32_t day, int64_t s) { return ((int64_t)day * 86400 + s) * NS_PER_S; }

static void apply(struct record *r)
{
    struct why why = { 0 };
    must(step_apply(&step, r, &why), &why);
    write_cut(batch, 1, (int64_t)++offset);
}

static void go_on(void)
{
    struct why why = { 0 };
    while (step_owes(&step)) {
        must(step_go_on(&step, &why), &why);
        write_batch_clear(batch);
    }
}

PRINTF_LIKE(1, 2) static void say(const char *format, ...)
{
    va_list args;
    arena_clear(&arena);
    va_start(args, format);
    struct record r = record_said(&arena, format, args);
    va_end(args);
    apply(&r);
    go_on();
    write_batch_clear(batch);
}

/* The same, timed, with the alerts it may say; then the rest of them. */
static void say_timed(const char *what, const char *rest, const char *text)
{
    struct record r = { 0 };
    struct why why = { 0 };
    arena_clear(&arena);
    must(record_decode(text, strlen(text), &arena, &r, &why), &why);
    const int64_t began = used_ns();
    apply(&r);
    note(what, began);
    write_batch_clear(batch);
    double most = 0;
    while (step_owes(&step)) {
        const int64_t at = used_ns();
        must(step_go_on(&step, &why), &why);
        write_cut(batch, 0, 0);
        const double ms = (double)(used_ns() - at) / 1e6;
        if (ms > most) most = ms;
        write_batch_clear(batch);
    }
    if (!rest) return;
    note(rest, began);
    printf("  a record of the burst at most %.2f ms\n", most);
}

static const char *trade(int symbol, double price, int64_t ns)
{
    static char text[200];
    snprintf(text, sizeof text,
             "{\"kind\":\"trade\",\"symbol\":\"S%04d\",\"price\":\"%.2f\",\"ts\":%" PRId64 "}",
             symbol, price, ns);
    return text;
}

static struct uuid rule_id(int number) { return uuid_derive(tenant, (uint64_t)number, 0); }

static void make_rule(int number, const char *what, double at)
{
    char text[200];
    struct record made;
    struct rule_draft draft;
    struct why why = { 0 };
    const int n = snprintf(text, sizeof text,
                           "{\"name\":\"%d\",\"rule\":\"%s >= %.4f\",\"on_create\":\"wait\"}",
                           number, what, at);
    arena_clear(&arena);
    must(rule_draft_read(text, (size_t)n, &draft, &why), &why);
    must(step_rule_put(&step, tenant, rule_id(number), &draft, &arena, &made, &why), &why);
    must(step_apply_put(&step, &made, &draft, &why), &why);
    write_batch_clear(batch);
}

static void delete_rule(int number)
{
    struct record gone;
    struct why why = { 0 };
    must(step_rule_delete(&step, tenant, rule_id(number), &gone, &why), &why);
    apply(&gone);
    write_batch_clear(batch);
}

/* ---- the market ---- */
static void reference_data(void)
{
    const int64_t ts = ns_of(DAY0, 0);
    for (int i = 0; i < INDICES; i++)
        say("{\"kind\":\"index\",\"index\":\"X%d\",\"base\":1000,\"ts\":%" PRId64 "}", i, ts);
    for (int i = 0; i < INSTRUMENTS; i++) {
        say("{\"kind\":\"instrument\",\"symbol\":\"S%04d\",\"issuer\":\"I%04d\",\"ts\":%" PRId64
            "}",
            i, i, ts);
        say("{\"kind\":\"shares\",\"symbol\":\"S%04d\",\"shares\":%d,\"ts\":%" PRId64 "}", i,
            1000000 + 7919 * i, ts);
        for (int x = 0; x < INDICES; x++) /* all in the first, a third of them in the next ... */
            if (i % (2 * x + 1) == 0)
                say("{\"kind\":\"membership\",\"index\":\"X%d\",\"symbol\":\"S%04d\",\"ts\":%" PRId64
                    "}",
                    x, i, ts);
    }
}

static void track(const char *measure)
{
    struct why why = { 0 };
    struct record r;
    arena_clear(&arena);
    must(step_track(&step, measure, &arena, &r, &why), &why);
    apply(&r);
    write_batch_clear(batch);
}

static void set_up(void)
{
    struct why why = { 0 };
    const struct market_settings settings = { .coverage_gate_e8 = 95000000,
                                              .burst_alerts = 1000,
                                              .meaning = MEANING_NOW };
    must(step_init(&step), &why);
    must(write_batch_new(&batch), &why);
    step_hear(&step, &(struct step_sink){ .row = hear });
    step.piecewise = true;
    struct record r = step_settings(&step, &settings);
    apply(&r);
    reference_data();
    for (int i = 0; i < INDICES; i++) {
        static const char *const of[][2] = { { "level", "" },
                                             { "ew_level", ", ew=daily" },
                                             { "spread", ", ew=daily" },
                                             { "hhi", "" },
                                             { "top_weight", "" } };
        for (size_t k = 0; k < ARRAY_LEN(of); k++) {
            char text[MEASURE_TEXT_MAX];
            snprintf(text, sizeof text, "%s(X%d%s)", of[k][0], i, of[k][1]);
            track(text);
        }
    }
}

/* A session of that day up to its end: a price of each, and an official close of every second. */
static void trade_session(int32_t day)
{
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    for (int i = 0; i < INSTRUMENTS; i++) {
        const char *text =
            trade(i, 50 + i % 97 + (day - DAY0) * 0.01, ns_of(day, 53000) + i * NS_PER_MS);
        if (i == 0)
            say_timed("session: the first price of one, with weights made equal", NULL, text);
        else say("%s", text);
    }
    for (int i = 0; i < INSTRUMENTS; i += 2)
        say("{\"kind\":\"close\",\"symbol\":\"S%04d\",\"price\":\"%.2f\",\"date\":\"%s\",\"ts\":%" PRId64
            "}",
            i, 50.5 + i % 97, date, ns_of(day, 75700));
}

static void end_session(int32_t day)
{
    char date[DATE_TEXT_MAX], text[200];
    date_format(day, date);
    snprintf(text, sizeof text, "{\"kind\":\"clock\",\"ts\":%" PRId64 ",\"session_end\":\"%s\"}",
             ns_of(day, 75800), date);
    say_timed("session: its end", NULL, text);
}

static void take_picture(const char *what)
{
    const int64_t began = used_ns();
    struct picture *p = step_picture(&step);
    note(what, began);
    if (!p) abort();
    picture_release(p);
}

static void take_image(const char *what)
{
    struct state_image image = { 0 };
    const int64_t began = used_ns();
    if (!step_image(&step, &image)) abort();
    note(what, began);
    state_image_release(&image);
}

static void list_page(int from)
{
    struct rule_facts facts;
    const int64_t began = used_ns();
    for (int i = 0; i < PAGE; i++)
        if (!rule_set_find(step.rules, tenant, rule_id(from + i), &facts)) abort();
    note("page: the states of 100 rules", began);
}

/* Saved and read back: what a restart does. */
static void restart(void)
{
    AUTO_BUF struct buf state = { 0 };
    struct why why = { 0 };
    step_save(&step, &state);
    if (!buf_ok(&state)) abort();
    const int64_t began = used_ns();
    must(step_load(&step, state.data, state.len, &why), &why);
    note("(the state read back, before the service is ready)", began);
}

static void expect(const char *what, uint64_t got, uint64_t want)
{
    if (got == want) return;
    fprintf(stderr, "%s: %" PRIu64 " instead of %" PRIu64 "\n", what, got, want);
    exit(1);
}

/* ---- the 100,000 rules ---- */
#define CROWD "last(S0001)"
static double level_of(int rule) { return 200 + 100.0 * rule / RULES; }

static void crowd_round(int64_t ns)
{
    restart();
    say_timed("settle: the first move after a restart, 100,000 rules", NULL, trade(1, 100, ns));
    make_rule(RULES, CROWD, 400);
    say_timed("settle: after one rule more", NULL, trade(1, 101, ns + 1));
    for (int i = 0; i < 2000; i++) make_rule(RULES + 1 + i, CROWD, 400 + i * 0.01);
    say_timed("settle: after 2,000 rules more", NULL, trade(1, 102, ns + 2));
    for (int i = 0; i <= 2000; i++) delete_rule(RULES + i);
    uint64_t was = alerts;
    say_timed("pass: the record that crosses 100,000 rules",
              "pass: all that it causes, in pieces between turns", trade(1, 350, ns + 3));
    expect("rules that fired", alerts - was, RULES);
    was = alerts;
    say_timed("pass: the record that crosses 100,000 rules",
              "pass: all that it causes, in pieces between turns", trade(1, 100, ns + 4));
    expect("rules that resolved", alerts - was, RULES);
}

/* What is left of a rule that was made and deleted. */
static void say_rest_of_rules(void)
{
    malloc_trim(0);
    const struct mallinfo2 was = mallinfo2();
    for (int i = 0; i < GONE; i++) {
        make_rule(10 * RULES + i, "last(S0002)", 500);
        delete_rule(10 * RULES + i);
    }
    malloc_trim(0);
    const struct mallinfo2 is = mallinfo2();
    printf("of a rule made and deleted %.0f bytes stay (%d of them)\n",
           (double)(is.uordblks + is.hblkhd - was.uordblks - was.hblkhd) / GONE, GONE);
}

/* On an instrument that has had no price: the rules wait for the first. Then half of them go. */
static void blind_round(int round)
{
    const int first = 100 * RULES + round * 2 * RULES;
    const int64_t ns = ns_of(DAY0 + 1 + rounds, 60000 + round);
    char text[200];
    say("{\"kind\":\"instrument\",\"symbol\":\"B%02d\",\"issuer\":\"B%02d\",\"ts\":%" PRId64 "}",
        round, round, ns);
    snprintf(text, sizeof text, "last(B%02d)", round);
    for (int i = 0; i < RULES; i++) make_rule(first + i, text, level_of(i));
    const uint64_t was = alerts;
    snprintf(text, sizeof text,
             "{\"kind\":\"trade\",\"symbol\":\"B%02d\",\"price\":\"100\",\"ts\":%" PRId64 "}",
             round, ns + 1);
    say_timed("blind: the first value ever, 100,000 rules wait for it", NULL, text);
    for (int i = 0; i < RULES; i += 2) delete_rule(first + i);
    snprintf(text, sizeof text, "last(B%02d)", round);
    make_rule(first + RULES, text, 1000);
    snprintf(text, sizeof text,
             "{\"kind\":\"trade\",\"symbol\":\"B%02d\",\"price\":\"400\",\"ts\":%" PRId64 "}",
             round, ns + 2);
    say_timed("sweep: the first move after half of them went, which crosses the rest", NULL, text);
    expect("rules that fired", alerts - was, RULES / 2);
    for (int i = 1; i <= RULES; i += i == RULES - 1 ? 1 : 2) delete_rule(first + i);
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atoi(argv[1]);
    if (rounds < 1 || rounds > ROUNDS_MAX) return 64;
    set_up();
    trade_session(DAY0);
    end_session(DAY0);
    timed_n = 0; /* every index begins at the end of its first session */
    memset(timed, 0, sizeof timed);
    for (int i = 0; i < INSTRUMENTS; i++) {
        char what[60];
        snprintf(what, sizeof what, "last(S%04d)", i);
        make_rule(-1 - i, what, 10000);
    }
    take_picture("(first)");
    int64_t longest_ns = 0;
    const int64_t began = used_ns();
    for (int i = 0; i < RULES; i++) {
        const int64_t at = used_ns();
        make_rule(i, CROWD, level_of(i));
        if (used_ns() - at > longest_ns) longest_ns = used_ns() - at;
    }
    printf("100,000 rules on one series made in %.0f ms, one of them in at most %.2f ms\n",
           (double)(used_ns() - began) / 1e6, (double)longest_ns / 1e6);
    timed_n = 0;
    memset(timed, 0, sizeof timed);
    for (int r = 0; r < rounds; r++) {
        const int32_t day = DAY0 + 1 + r;
        trade_session(day);
        take_picture("picture: of 10,000 series, after records alone");
        make_rule(20 * RULES + r, "level(X1)", 1e6);
        take_picture("picture: after somebody has begun to see another series");
        take_image("image: all that there is");
        end_session(day);
        take_image("image: after a session");
        list_page(r * PAGE);
        crowd_round(ns_of(day, 80000));
    }
    say_rest_of_rules();
    for (int r = 0; r < rounds; r++) blind_round(r);
    say_times();
    write_batch_free(batch);
    step_release(&step);
    arena_release(&arena);
    return 0;
}
