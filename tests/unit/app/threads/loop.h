/* loop.h - a pipeline and an engine's loop without threads, Kafka or database, for the tests of the
 * loop's parts: what would travel is looked at where it lies. */
#ifndef TOCSIN_TESTS_LOOP_H
#define TOCSIN_TESTS_LOOP_H
#include "app/app.h"
#include "app/threads/engine.h"
#include "core/when.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000 };
static const int64_t T0 =
    INT64_C(1770130800) * NS_PER_S; /* a Tuesday in February 2026, 15:00 UTC */

static struct config config;
static struct pipeline pipeline;
static struct engine_loop loop;

/* Whoever gives up sends SIGTERM: here it stays pending, to be looked at. */
static inline void block_stop(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
}
static inline bool gave_up(void)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    return sigtimedwait(&stop, NULL, &(struct timespec){ 0, 0 }) == SIGTERM;
}

static inline int begin(void **state)
{
    (void)state;
    block_stop();
    config = (struct config){ .engine_track = (char *)"",
                              .ingest_ahead_max_ms = 5000,
                              .engine_calendar = (char *)"",
                              .quality_shares = (char *)"hold",
                              .engine_readings = (char *)"changes",
                              .engine_rules_max = 3,
                              .engine_snapshot_s = 3600,
                              .engine_batch_records = 1000,
                              .engine_burst_alerts = 1000,
                              .engine_turn_rows = 100000,
                              .engine_turn_kb = 16384,
                              .engine_coverage_gate_pct = 95 };
    if (pipeline_init(&pipeline, &config) || engine_loop_init(&loop, &pipeline)) return -1;
    engine_loop_recovered(&loop);
    return 0;
}
static inline int end(void **state)
{
    (void)state;
    const bool ended_early = gave_up();
    if (loop.turn) turn_answer(loop.turn, ERR_STOPPING);
    engine_loop_release(&loop);
    pipeline_release(&pipeline);
    return ended_early ? -1 : 0;
}

static inline struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static inline struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static inline struct uuid tenant(int n) { return (struct uuid){ { (uint8_t)n } }; }
static inline struct uuid rule_id(int n) { return (struct uuid){ { 0xAA, (uint8_t)n } }; }

/* A record as Kafka brings it: from source 7, sent when it happened. */
static inline void add(struct ingest_batch *b, struct record r)
{
    struct record *to = ingest_batch_record(b);
    assert_non_null(to);
    *to = r;
    to->source_id = 7;
    to->offset = (int64_t)b->records_n;
    to->received_ms = r.event_ns / NS_PER_MS;
}
static inline struct record stock(const char *s)
{
    return (
        struct record){ .kind = RECORD_INSTRUMENT,
                        .event_ns = T0,
                        .u.instrument = { .symbol = symbol(s), .issuer = str(s), .name = str(s) } };
}
static inline struct record trade(const char *s, int64_t price, int64_t ns)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = ns,
                            .u.trade = { symbol(s), price * E8, 0 } };
}
#endif
