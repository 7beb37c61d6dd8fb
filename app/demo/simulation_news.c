/* simulation_news.c - headlines about what moved, by a template for the way it moved.
 *
 *     Datavaris stands 1.4 of its daily moves above its trend, a peer is below its own
 *     shelf  good for the first company, bad for the second
 *     line   "$1 shares rise while $2 slumps on weak orders"
 *     out    "Datavaris Holdings shares rise while Balenta Networks slumps on weak orders"
 *            tagged with both symbols; and both prices are nudged on, a fifth of a daily move
 *
 * so whoever scores the text should find what the tape has shown. */
#include "app/demo/simulation_inside.h"

#include <math.h>
#include <string.h>

/* ---- the lines: $1 and $2 are companies, $p what the first one's trade is about ---- */
enum {
    GOOD_ONE,
    BAD_ONE,
    EITHER_ONE,
    GOOD_AI,
    BAD_AI,
    GOOD_BAD,
    BAD_GOOD,
    BOTH_GOOD,
    BOTH_BAD,
    SHELVES
};
static const char *const good_one[] = {
    "$1 shares surge after quarterly profit beats expectations",
    "$1 raises full-year guidance as $p demand accelerates",
    "$1 wins record $p order, shares climb",
    "Analysts upgrade $1 on stronger margin outlook",
    "$1 lifts dividend after earnings jump",
    "$1 revenue rises sharply on strong $p sales",
    "$1 rallies as cash flow improves",
    "$1 announces share buyback after record earnings",
};
static const char *const bad_one[] = {
    "$1 shares slump after quarterly revenue misses estimates",
    "$1 cuts full-year guidance as $p demand slows",
    "$1 warns of weaker margins amid rising costs",
    "Analysts downgrade $1 after profit warning",
    "$1 falls as regulators probe its $p business",
    "$1 tumbles on impairment charge",
    "$1 slides after losing a major $p contract",
    "$1 to cut jobs as orders decline",
};
static const char *const either_one[] = {
    "$1 revenue rises but margins shrink",   "$1 beats on profit but lowers its guidance",
    "$1 sales climb while costs jump",       "$1 names new chief financial officer",
    "$1 to present at annual $p conference", "$1 earnings grow, but debt increases",
};
static const char *const good_ai[] = {
    "$1 soars as AI infrastructure orders double",   "$1 lifts AI revenue forecast, shares rally",
    "$1 jumps on record demand for AI accelerators", "$1 shares gain as AI subscriptions surge",
    "Analysts upgrade $1, citing strong AI growth",
};
static const char *const bad_ai[] = {
    "$1 slides as AI orders are delayed",
    "$1 tumbles on doubts over returns from AI spending",
    "$1 falls after AI revenue misses expectations",
    "$1 shares drop as AI chip shortage worsens",
    "Analysts downgrade $1, warning of an AI bubble",
};
static const char *const good_bad[] = {
    "$1 beats $2 to major $p contract",
    "$1 gains as rival $2 cuts forecast",
    "$1 shares rise while $2 slumps on weak orders",
};
static const char *const bad_good[] = {
    "$1 loses market share to $2",
    "$1 falls as $2 wins major $p order",
    "$1 shares drop while $2 rallies on strong earnings",
};
static const char *const both_good[] = { "$1 and $2 shares climb as $p demand accelerates",
                                         "$1, $2 rally after strong earnings from both" };
static const char *const both_bad[] = { "$1 and $2 shares fall as $p demand weakens",
                                        "$1, $2 slump after both warn of falling profit" };

/* first, second: what the lines are for either company, good 1, bad -1, mixed or not in them 0. */
#define SHELF(texts) .lines = (texts), .n = ARRAY_LEN(texts)
static const struct shelf {
    const char *const *lines;
    size_t n;
    int first, second;
} shelves[SHELVES] = {
    [GOOD_ONE] = { SHELF(good_one), .first = 1 },
    [BAD_ONE] = { SHELF(bad_one), .first = -1 },
    [EITHER_ONE] = { SHELF(either_one) },
    [GOOD_AI] = { SHELF(good_ai), .first = 1 },
    [BAD_AI] = { SHELF(bad_ai), .first = -1 },
    [GOOD_BAD] = { SHELF(good_bad), .first = 1, .second = -1 },
    [BAD_GOOD] = { SHELF(bad_good), .first = -1, .second = 1 },
    [BOTH_GOOD] = { SHELF(both_good), .first = 1, .second = 1 },
    [BOTH_BAD] = { SHELF(both_bad), .first = -1, .second = -1 },
};

/* ---- picking and writing ---- */
/* How far a stock is from its trend, in its own daily moves. */
static double excitement(const struct simulation *s, size_t i)
{
    const struct motion *m = &s->motion[i];
    double vol = sqrt(m->vol * m->vol + m->gamma * m->gamma * SIM_AI_VOL * SIM_AI_VOL);
    return (m->own + sim_log_factors(s, m) - m->trend) / vol;
}

/* Of five, the one furthest from its trend; four times in ten they are all leaders. */
static size_t pick_for_news(struct simulation *s)
{
    size_t best = 0;
    bool lead = sim_uniform(s) < 0.4;
    for (int k = 0; k < 5; k++) {
        size_t i = lead ? s->leader_stocks[sim_below(s, LEADERS)] : sim_pick_by_size(s);
        if (k == 0 || fabs(excitement(s, i)) > fabs(excitement(s, best))) best = i;
    }
    return best;
}

/* Another issuer, of the same sector if one is found soon. */
static size_t pick_peer(struct simulation *s, size_t of)
{
    for (int k = 0;; k++) {
        size_t i = sim_pick_by_size(s);
        bool same = s->motion[i].issuer == s->motion[of].issuer;
        if (!same && (k > 60 || s->motion[i].sector == s->motion[of].sector)) return i;
    }
}

static void write_headline(const char *line, const struct simulation *s, size_t first,
                           size_t second, char *out, size_t cap)
{
    size_t n = 0;
    for (const char *p = line; *p && n + 1 < cap; p++) {
        if (*p != '$') {
            out[n++] = *p;
            continue;
        }
        const char *put = *++p == '1' ? s->stocks[first].name
                          : *p == '2' ? s->stocks[second].name
                                      : sim_sectors[s->motion[first].sector].product;
        size_t k = strlen(put);
        if (k > cap - 1 - n) k = cap - 1 - n;
        memcpy(out + n, put, k);
        n += k;
    }
    out[n] = '\0';
}

/* News moves the price of whom it is about: all classes of its shares. */
static void nudge(struct simulation *s, size_t i, double by)
{
    for (size_t k = 0; k < s->n; k++)
        if (s->motion[k].issuer == s->motion[i].issuer)
            s->motion[k].own += by * 0.2 * s->motion[k].vol;
}

/* Which shelf a headline comes from: `how` it moves, in its own daily moves, whether a second
 * company is in it and goes the other way, and whether it is about AI. */
static int shelf_of(double how, bool plain, bool pair, bool apart, bool ai)
{
    if (fabs(how) < 0.25 || plain) return EITHER_ONE;
    if (pair && how > 0) return apart ? GOOD_BAD : BOTH_GOOD;
    if (pair) return apart ? BAD_GOOD : BOTH_BAD;
    if (ai) return how > 0 ? GOOD_AI : BAD_AI;
    return how > 0 ? GOOD_ONE : BAD_ONE;
}

void simulation_article(struct simulation *s, struct sim_article *out)
{
    static const char *const sources[] = { "Harbour Wire", "Market Ledger", "Northgate News",
                                           "The Daily Tape" };
    size_t first = pick_for_news(s), second = pick_peer(s, first);
    double how = excitement(s, first) + 0.35 * sim_normal(s);
    bool pair = sim_uniform(s) < 0.25;
    bool ai = s->motion[first].gamma > 0.5 && sim_uniform(s) < 0.6;
    bool apart = excitement(s, second) * how < 0;
    bool plain = fabs(how) >= 0.25 && sim_uniform(s) < 0.08;
    const struct shelf *shelf = &shelves[shelf_of(how, plain, pair, apart, ai)];
    *out = (struct sim_article){ .source = sources[sim_below(s, ARRAY_LEN(sources))],
                                 .tone = shelf->first };
    write_headline(shelf->lines[sim_below(s, shelf->n)], s, first, second, out->headline,
                   sizeof out->headline);
    out->symbols[out->symbols_n++] = s->stocks[first].symbol;
    if (shelf->second) out->symbols[out->symbols_n++] = s->stocks[second].symbol;
    nudge(s, first, shelf->first);
    nudge(s, second, shelf->second);
}
