/* simulation_inside.h - the market's memory, for the three files that move it and nobody else:
 * simulation_market.c lists the companies, simulation.c moves prices, simulation_news.c tells of
 * it.
 *
 * A price is the exponential of three parts, of which the first is the stock's own:
 *
 *     log price = own + beta * market + gamma * (ai + flutter)
 *
 *     Neuralith Compute at 80.00: beta 1.1, gamma 1.25, own = ln 80 = 4.382, both factors still 0
 *     a day later market +0.002, ai +0.012:  4.382 + 0.0022 + 0.0150 = 4.3992, that is 81.39
 *
 * so one number moves all leaders at once, and a stock that has not traded for a while has moved
 * with the factors when it is looked at next; own moves when it trades. */
#ifndef TOCSIN_APP_DEMO_SIMULATION_INSIDE_H
#define TOCSIN_APP_DEMO_SIMULATION_INSIDE_H
#include "app/demo/simulation.h"

enum { ISSUERS = SIMULATION_ISSUERS, STOCKS_MAX = ISSUERS + 3, LEADERS = 8 };

#define SIM_AI_VOL 0.009 /* of the AI factor, a session */

struct sector {
    const char *name, *product; /* product: what its companies' headlines are about */
    const char *endings[4];     /* of its companies' names */
};
extern const struct sector sim_sectors[];

struct motion { /* of one stock */
    double beta, gamma, vol;
    double own;
    double trend;    /* average of its log price, which news compares it with */
    double moved_at; /* sim->now of its last move */
    double appetite; /* share of the trades that are picked by size */
    uint32_t issuer;
    int sector;
};

struct simulation {
    uint64_t random[4];
    double spare; /* the second normal of a pair */
    bool has_spare;
    double now; /* in sessions */
    double market, ai, flutter;
    bool pullback; /* the AI factor falls, for days */
    int crowding_age;
    double crowding; /* the leaders' share of the market, looked at now and then */
    size_t n;
    struct sim_stock stocks[STOCKS_MAX];
    struct motion motion[STOCKS_MAX];
    size_t leader_stocks[LEADERS];
    double appetite_sum[STOCKS_MAX]; /* running sums */
};

/* Random numbers, all from the one stream that the seed began. */
uint64_t sim_next(struct simulation *s);
double sim_uniform(struct simulation *s);         /* in (0, 1) */
size_t sim_below(struct simulation *s, size_t n); /* 0 to n - 1 */
double sim_normal(struct simulation *s);          /* mean 0, variance 1 */
size_t sim_pick_by_size(struct simulation *s);    /* a stock, by appetite */

/* What the factors add to a stock's log price. */
double sim_log_factors(const struct simulation *s, const struct motion *m);

/* Lists the companies of a new market. */
void sim_list_companies(struct simulation *s);
#endif
