/* feed.h - the demo's market data vendor: a thread that sends the simulation to Kafka.
 *
 * First history: instruments, exposures and a year of official closes, all on topic `reference`, whose one partition keeps their order. Only
 * what the database has not taken yet is sent, so an interrupted start goes on where it stopped. Then live: trades on `ticks` at
 * the wall clock, news on `news`, and at midnight UTC the session's closes on `reference`. A later run goes on from the
 * last prices stored. Never far ahead of what the database has committed: the embedded broker keeps little. */
#ifndef TOCSIN_APP_DEMO_FEED_H
#define TOCSIN_APP_DEMO_FEED_H
#include "app/demo/simulation.h"

#define FEED_INDEX "DEMO"
enum { FEED_SESSIONS = 260 };

struct feed_start {                /* what the user may want to know once trading is live */
    double watched;                /* the measure, as the service last stored it; NaN: not yet */
    double hhi;                    /* simulation_hhi */
    const struct sim_stock *stock; /* one that moves fast */
    int64_t price_e8;
};

struct feed_config {
    const char *brokers, *conninfo; /* both outlive the feed */
    const char *tenant;             /* whose book "growth" is sent */
    const char *watched;            /* the measure whose value feed_start says; outlives the feed */
    uint64_t seed;
    int32_t last_day; /* history's last session: the same at every start of one database */
    long ticks_per_s;
    /* Called from the feed's thread: how much history is stored, in percent; then once when live. */
    void (*progress)(void *ctx, int percent);
    void (*live)(void *ctx, const struct feed_start *start);
    void (*failed)(void *ctx); /* it has logged why and sends nothing more */
    void *ctx;
};

struct feed;
MUST_USE enum err feed_open(const struct feed_config *cfg, struct feed **out, struct why *why);
void feed_close(struct feed *f); /* ends the thread; NULL is fine */

/* The newest weekday before `today` (days since 1970). */
int32_t feed_last_weekday(int32_t today);
#endif
