/* simulation.h - an invented market and its news, for the demo: a pure function of a seed.
 *
 * About 500 issuers, three with two share classes, rank-size market values. Prices follow a market
 * factor, an AI factor and noise of their own. The AI factor builds up for weeks and pulls back for
 * days, so a handful of leaders outgrow the rest and concentration rises, until they are so large
 * that the build-up fades. News follows the moves and moves prices a little itself.
 *
 * Time is counted in sessions: history advances whole ones, live trading fractions. No clock, no
 * I/O; the same calls give the same answers on the same machine. Thread: one at a time. */
#ifndef TOCSIN_APP_DEMO_SIMULATION_H
#define TOCSIN_APP_DEMO_SIMULATION_H
#include "core/err.h"
#include "ingest/record.h"

enum { SIMULATION_ISSUERS = 500, SIMULATION_ARTICLE_SYMBOLS = 3 };

struct sim_stock { /* what never changes */
    struct symbol symbol;
    char issuer[16], name[64]; /* the issuer's key and name; share classes have the same */
    char title[72];            /* of this line: "Datavaris Holdings Class A" */
    const char *sector;
    int64_t shares;
    int64_t float_e8;
    int64_t exposure_e8; /* to AI, 0 to 1 */
    bool first_line;     /* the first line of its issuer */
};

struct sim_article {
    char headline[300];
    const char *source;
    struct symbol symbols[SIMULATION_ARTICLE_SYMBOLS];
    uint32_t symbols_n;
    int tone; /* of the first company: 1, -1, 0 mixed or plain */
};

struct simulation;
MUST_USE enum err simulation_new(uint64_t seed, struct simulation **out);
void simulation_free(struct simulation *s); /* NULL is fine */

size_t simulation_stocks(const struct simulation *s);
const struct sim_stock *simulation_stock(const struct simulation *s, size_t i);
int64_t simulation_price_e8(const struct simulation *s, size_t i); /* whole cents */
/* Goes on from this price instead. Price > 0. */
void simulation_set_price(struct simulation *s, size_t i, int64_t price_e8);
/* Other random numbers from here on, so that a continued run does not repeat itself. */
void simulation_reseed(struct simulation *s, uint64_t seed);

void simulation_session(
    struct simulation *s); /* one whole session: every price moves to its next close */

/* Live trading begins: in a build-up, whatever history ended in. Prices may shift by a fraction of
 * a percent. */
void simulation_open(struct simulation *s);

struct sim_tick {
    size_t stock;
    int64_t price_e8, size_e8;
};
/* `dt_sessions` pass and one stock trades: each now and then, large ones more often. */
struct sim_tick simulation_tick(struct simulation *s, double dt_sessions);
/* A piece of news about what moved. It moves the price of those it is about a little further. */
void simulation_article(struct simulation *s, struct sim_article *out);

double simulation_hhi(const struct simulation *s); /* 10,000 * sum of squared issuer weights */
double simulation_top_weight(const struct simulation *s, int n); /* % of the n largest issuers */
size_t simulation_most_volatile(const struct simulation *s); /* a leader whose price moves fast */
#endif
