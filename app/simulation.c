#include "app/simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the setting ---- */
struct sector {
    const char *name, *product;
    const char *endings[4];
};
static const struct sector sectors[] = {
    { "Technology", "data center", { "Systems", "Semiconductor", "Software", "Networks" } },
    { "Health Care",
      "clinical trial",
      { "Therapeutics", "Biosciences", "Medical", "Diagnostics" } },
    { "Financials", "lending", { "Bancorp", "Capital", "Insurance", "Financial" } },
    { "Industrials", "equipment", { "Industries", "Logistics", "Aerospace", "Engineering" } },
    { "Consumer Discretionary", "retail", { "Brands", "Motors", "Leisure", "Apparel" } },
    { "Consumer Staples", "packaged food", { "Foods", "Beverages", "Household", "Farms" } },
    { "Energy", "pipeline", { "Energy", "Petroleum", "Drilling", "Renewables" } },
    { "Materials", "specialty chemical", { "Chemicals", "Metals", "Packaging", "Paper" } },
    { "Utilities", "grid", { "Power", "Water", "Electric", "Gas" } },
    { "Communication Services",
      "streaming",
      { "Media", "Telecom", "Interactive", "Broadcasting" } },
    { "Real Estate", "office", { "Properties", "Realty", "Storage", "Residential" } },
};

/* The leaders: their place in the ranking at the start, and how strongly the AI factor moves them. */
struct leader {
    const char *name, *symbol;
    int rank;
    double gamma, exposure;
};
static const struct leader leaders[] = {
    { "Neuralith Compute", "NRLT", 3, 1.25, 0.90 },
    { "Omnivector Cloud", "OMVC", 2, 0.95, 0.55 },
    { "Silvaron Semiconductor", "SLVN", 6, 1.15, 0.75 },
    { "Datavaris Holdings", "DTVR", 4, 0.90, 0.50 },
    { "Helixmind Systems", "HXMD", 9, 1.05, 0.65 },
    { "Quantessa Devices", "QNTS", 1, 0.80, 0.35 },
    { "Lumenforge Networks", "LMFG", 14, 1.20, 0.80 },
    { "Aetherpoint Software", "ATHP", 20, 1.10, 0.70 },
};

static const char *const beginnings[] = {
    "Bal", "Bren", "Cal", "Cor", "Dal", "Dor", "El",  "Fen", "Gal", "Hal", "Ist",  "Jor",
    "Kal", "Kes",  "Lan", "Lor", "Mar", "Mel", "Nor", "Ond", "Ar",  "Pel", "Quin", "Ral",
    "Ser", "Sol",  "Tam", "Tor", "Ul",  "Vel", "Ver", "Wen", "Xan", "Yar", "Zel",  "Zor",
};
static const char *const middles[] = {
    "adon", "aquil", "avia", "axis",  "beth", "brio",  "dane", "drix", "ella", "enta", "etra",
    "gard", "idos",  "ilon", "intra", "ivar", "lyn",   "meda", "nova", "omar", "orin", "quen",
    "rith", "sana",  "tera", "ulex",  "una",  "vanta", "wick", "ydra", "zen",  "ovar",
};

enum {
    ISSUERS = SIMULATION_ISSUERS,
    STOCKS_MAX = ISSUERS + 3,
    NAMES = (int)(ARRAY_LEN(beginnings) * ARRAY_LEN(middles))
};

/* Per session. The build-up's drift fades as the leaders near CROWDED of the market, so a demo left running for days stays sane. */
#define MARKET_DRIFT 0.0003
#define MARKET_VOL 0.007
#define AI_DRIFT_BUILDING 0.0085
#define AI_DRIFT_PULLBACK -0.0075
#define AI_VOL 0.009
#define PULLBACK_BEGINS 0.035 /* chance a session */
#define PULLBACK_ENDS 0.20
#define CROWDED 0.55
#define FLUTTER_VOL                                                                                \
    0.004 /* of the AI factor, gone again within half a minute of live time: what makes alerts resolve */
#define FLUTTER_SESSIONS 0.08
#define TREND_SESSIONS 0.5 /* memory of the average that news compares a price with */
#define PRICE_MIN 0.5
#define PRICE_MAX 100000.0

struct motion { /* of one stock; log price = own + beta * market + gamma * ai */
    double beta, gamma, vol;
    double own, trend, moved_at; /* moved_at: sim->now of its last move */
    double appetite;             /* share of the trades that are picked by size */
    uint32_t issuer;
    int sector;
};

struct simulation {
    uint64_t random[4];
    double spare; /* the second normal of a pair */
    bool has_spare;
    double now, market, ai, flutter;
    bool pullback;
    int crowding_age;
    double crowding; /* the leaders' share of the market, looked at now and then */
    size_t n;
    struct sim_stock stocks[STOCKS_MAX];
    struct motion motion[STOCKS_MAX];
    size_t leader_stocks[ARRAY_LEN(leaders)];
    double appetite_sum[STOCKS_MAX]; /* running sums */
};

/* ---- random numbers: splitmix64 seeds xoshiro256** ---- */
static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

void simulation_reseed(struct simulation *s, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        s->random[i] = z ^ (z >> 31);
    }
    s->has_spare = false;
}

static uint64_t next(struct simulation *s)
{
    uint64_t *r = s->random, out = rotate(r[1] * 5, 7) * 9, t = r[1] << 17;
    r[2] ^= r[0];
    r[3] ^= r[1];
    r[1] ^= r[2];
    r[0] ^= r[3];
    r[2] ^= t;
    r[3] = rotate(r[3], 45);
    return out;
}

static double uniform(struct simulation *s)
{
    return ((double)(next(s) >> 11) + 0.5) * 0x1p-53;
} /* in (0, 1) */
static size_t below(struct simulation *s, size_t n) { return (size_t)(uniform(s) * (double)n); }

static double normal(struct simulation *s)
{
    if (s->has_spare) {
        s->has_spare = false;
        return s->spare;
    }
    double r = sqrt(-2 * log(uniform(s))), angle = 6.283185307179586 * uniform(s);
    s->spare = r * sin(angle);
    s->has_spare = true;
    return r * cos(angle);
}

/* ---- names ---- */
static bool symbol_taken(const struct simulation *s, const char *symbol)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->stocks[i].issuer, symbol) == 0)
            return true; /* an issuer's key is its symbol without the class */
    return false;
}

/* Three or four letters out of the name, the first always; longer ones only if all of those are taken. */
static void make_symbol(const struct simulation *s, const char *name, char out[SYMBOL_MAX + 1])
{
    char letters[64];
    size_t n = 0;
    for (; name[n] && name[n] != ' '; n++)
        letters[n] = (char)(name[n] >= 'a' ? name[n] - 32 : name[n]);
    for (size_t j = 1; j < n; j++)
        for (size_t k = j + 1; k < n; k++)
            for (size_t m = k + 1; m < n; m++) {
                snprintf(out, SYMBOL_MAX + 1, "%c%c%c%c", letters[0], letters[j], letters[k],
                         letters[m]);
                if (!symbol_taken(s, out)) return;
            }
    snprintf(out, SYMBOL_MAX + 1, "%.12s", letters);
}

/* ---- making the market ---- */
struct listing {
    const char *name;
    char symbol[SYMBOL_MAX + 1];
    int sector;
    double cap, gamma, exposure;
    bool leader;
};

static void add_line(struct simulation *s, uint32_t issuer, const struct listing *l,
                     const char *class, double part)
{
    size_t i = s->n;
    struct sim_stock *k = &s->stocks[i];
    struct motion *m = &s->motion[i];
    snprintf(k->symbol.s, sizeof k->symbol.s, "%.11s%s%s", l->symbol, class[0] ? "." : "", class);
    snprintf(k->issuer, sizeof k->issuer, "%s", l->symbol);
    snprintf(k->name, sizeof k->name, "%s", l->name);
    snprintf(k->title, sizeof k->title, "%s%s%s", l->name, class[0] ? " Class " : "", class);
    k->sector = sectors[l->sector].name;
    k->exposure_e8 = (int64_t)lround(l->exposure * 100) * 1000000;
    k->float_e8 = below(s, 8) == 0 && !l->leader ? 85000000 : 100000000;
    k->first_line = class[0] == '\0' || class[0] == 'A';
    double price = exp(4.3 + 0.75 * normal(s));
    if (price < 8) price = 8 + 4 * uniform(s);
    if (price > 600) price = 600 - 200 * uniform(s);
    k->shares = (int64_t)(l->cap * part / price / 1e4 + 1) * 10000;
    m->issuer = issuer;
    m->sector = l->sector;
    m->beta = 0.7 + 0.6 * uniform(s);
    m->gamma = l->gamma;
    m->vol = l->leader ? 0.011 + 0.004 * uniform(s) : 0.010 + 0.012 * uniform(s);
    m->own = m->trend = log(price);
    m->appetite = sqrt(l->cap * part);
    s->n++;
}

static void shuffle(struct simulation *s, int *v, size_t n)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = below(s, i + 1);
        int t = v[i];
        v[i] = v[k];
        v[k] = t;
    }
}

static const struct leader *leader_ranked(int rank, size_t *no)
{
    for (*no = 0; *no < ARRAY_LEN(leaders); ++*no)
        if (leaders[*no].rank == rank) return &leaders[*no];
    return NULL;
}

static void list_issuer(struct simulation *s, uint32_t rank, int name_no)
{
    struct listing l = { .cap = 5.2e11 * pow(rank + 1.0, -0.68) * exp(0.10 * normal(s)) };
    char name[64];
    size_t no;
    const struct leader *lead = leader_ranked((int)rank, &no);
    if (lead) {
        l.name = lead->name;
        l.gamma = lead->gamma;
        l.exposure = lead->exposure;
        l.leader = true;
        snprintf(l.symbol, sizeof l.symbol, "%s", lead->symbol);
        s->leader_stocks[no] = s->n;
    } else {
        l.sector = (int)below(s, ARRAY_LEN(sectors));
        snprintf(name, sizeof name, "%s%s %s", beginnings[name_no / (int)ARRAY_LEN(middles)],
                 middles[name_no % (int)ARRAY_LEN(middles)],
                 sectors[l.sector].endings[below(s, 4)]);
        make_symbol(s, name, l.symbol);
        bool technology = l.sector == 0;
        l.name = name;
        l.exposure = technology         ? 0.10 + 0.30 * uniform(s)
                     : below(s, 5) == 0 ? 0.02 + 0.13 * uniform(s)
                                        : 0;
        l.gamma = technology ? 0.25 * uniform(s) : -0.06 + 0.10 * uniform(s);
    }
    bool two = (lead && no == 3) || rank == 37 || rank == 118;
    add_line(s, rank, &l, two ? "A" : "", two ? 0.6 : 1);
    if (two) add_line(s, rank, &l, "B", 0.4);
}

static double price_of(const struct simulation *s, size_t i);
static double crowding(const struct simulation *s);

static void sum_appetites(struct simulation *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++) s->appetite_sum[i] = sum += s->motion[i].appetite;
}

enum err simulation_new(uint64_t seed, struct simulation **out)
{
    struct simulation *s = calloc(1, sizeof *s);
    if (!s) return ERR_NOMEM;
    simulation_reseed(s, seed);
    _Static_assert(NAMES >= ISSUERS, "more issuers than names");
    int names[NAMES];
    for (int i = 0; i < NAMES; i++) names[i] = i;
    shuffle(s, names, NAMES);
    for (uint32_t i = 0; i < ISSUERS; i++) list_issuer(s, i, names[i]);
    sum_appetites(s);
    s->crowding = crowding(s);
    *out = s;
    return ERR_OK;
}

void simulation_free(struct simulation *s) { free(s); }
size_t simulation_stocks(const struct simulation *s) { return s->n; }
const struct sim_stock *simulation_stock(const struct simulation *s, size_t i)
{
    return &s->stocks[i];
}

/* ---- prices ---- */
static double log_factors(const struct simulation *s, const struct motion *m)
{
    return m->beta * s->market + m->gamma * (s->ai + s->flutter);
}

static double price_of(const struct simulation *s, size_t i)
{
    double p = exp(s->motion[i].own + log_factors(s, &s->motion[i]));
    return p < PRICE_MIN ? PRICE_MIN : p > PRICE_MAX ? PRICE_MAX : p;
}

int64_t simulation_price_e8(const struct simulation *s, size_t i)
{
    return (int64_t)llround(price_of(s, i) * 100) * 1000000;
}

void simulation_set_price(struct simulation *s, size_t i, int64_t price_e8)
{
    struct motion *m = &s->motion[i];
    double level = log((double)price_e8 / 1e8);
    m->own = level - log_factors(s, m);
    m->trend = level;
    m->moved_at = s->now;
}

static double value_of(const struct simulation *s, size_t i)
{
    return price_of(s, i) * (double)s->stocks[i].shares * (double)s->stocks[i].float_e8;
}

static double crowding(const struct simulation *s)
{
    double all = 0, lead = 0;
    for (size_t i = 0; i < s->n; i++) {
        double v = value_of(s, i);
        all += v;
        if (s->motion[i].gamma > 0.5) lead += v;
    }
    return lead / all;
}

static void advance(struct simulation *s, double dt)
{
    enum { LOOK_EVERY = 2000 };
    s->now += dt;
    if (dt > 0.5 || ++s->crowding_age >= LOOK_EVERY) {
        s->crowding = crowding(s);
        s->crowding_age = 0;
    }
    double room = 1 - s->crowding / CROWDED, root = sqrt(dt);
    if (uniform(s) < (s->pullback ? PULLBACK_ENDS : PULLBACK_BEGINS) * dt)
        s->pullback = !s->pullback;
    s->market += MARKET_DRIFT * dt + MARKET_VOL * root * normal(s);
    s->ai += (s->pullback ? AI_DRIFT_PULLBACK : AI_DRIFT_BUILDING * room) * dt
             + AI_VOL * root * normal(s);
    double keeps = exp(-dt / FLUTTER_SESSIONS);
    s->flutter = s->flutter * keeps + FLUTTER_VOL * sqrt(1 - keeps * keeps) * normal(s);
}

static void move(struct simulation *s, size_t i)
{
    struct motion *m = &s->motion[i];
    double dt = s->now - m->moved_at, level = m->own + log_factors(s, m);
    m->trend += (level - m->trend) * (1 - exp(-dt / TREND_SESSIONS));
    m->own += m->vol * (sqrt(dt) * normal(s) - 0.5 * m->vol * dt);
    m->moved_at = s->now;
}

void simulation_open(struct simulation *s)
{
    s->pullback = false;
    s->flutter = 0;
}

void simulation_session(struct simulation *s)
{
    advance(s, 1);
    for (size_t i = 0; i < s->n; i++) move(s, i);
}

static size_t pick_by_size(struct simulation *s)
{
    double at = uniform(s) * s->appetite_sum[s->n - 1];
    size_t lo = 0, hi = s->n - 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (s->appetite_sum[mid] < at) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

struct sim_tick simulation_tick(struct simulation *s, double dt_sessions)
{
    advance(s, dt_sessions);
    size_t i = next(s) & 1 ? below(s, s->n) : pick_by_size(s);
    move(s, i);
    double lots = exp(1.2 + 1.1 * normal(s));
    return (struct sim_tick){ i, simulation_price_e8(s, i),
                              (int64_t)(lots < 1 ? 1 : lots) * 100 * 100000000 };
}

/* ---- news: $1 and $2 are companies, $p what the first one's trade is about ---- */
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

#define SHELF(a) { a, ARRAY_LEN(a) }
static const struct {
    const char *const *lines;
    size_t n;
} shelves[SHELVES] = {
    [GOOD_ONE] = SHELF(good_one), [BAD_ONE] = SHELF(bad_one),     [EITHER_ONE] = SHELF(either_one),
    [GOOD_AI] = SHELF(good_ai),   [BAD_AI] = SHELF(bad_ai),       [GOOD_BAD] = SHELF(good_bad),
    [BAD_GOOD] = SHELF(bad_good), [BOTH_GOOD] = SHELF(both_good), [BOTH_BAD] = SHELF(both_bad),
};

static double excitement(const struct simulation *s,
                         size_t i) /* how far from its trend, in its own daily moves */
{
    const struct motion *m = &s->motion[i];
    double vol = sqrt(m->vol * m->vol + m->gamma * m->gamma * AI_VOL * AI_VOL);
    return (m->own + log_factors(s, m) - m->trend) / vol;
}

static size_t pick_for_news(struct simulation *s)
{
    size_t best = 0;
    bool lead = uniform(s) < 0.4;
    for (int k = 0; k < 5; k++) {
        size_t i = lead ? s->leader_stocks[below(s, ARRAY_LEN(leaders))] : pick_by_size(s);
        if (k == 0 || fabs(excitement(s, i)) > fabs(excitement(s, best))) best = i;
    }
    return best;
}

static size_t pick_peer(struct simulation *s,
                        size_t of) /* another issuer, of the same sector if one is found soon */
{
    for (int k = 0;; k++) {
        size_t i = pick_by_size(s);
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
                                      : sectors[s->motion[first].sector].product;
        size_t k = strlen(put);
        if (k > cap - 1 - n) k = cap - 1 - n;
        memcpy(out + n, put, k);
        n += k;
    }
    out[n] = '\0';
}

static void nudge(struct simulation *s, size_t i, double by)
{
    for (size_t k = 0; k < s->n; k++)
        if (s->motion[k].issuer == s->motion[i].issuer)
            s->motion[k].own += by * 0.2 * s->motion[k].vol;
}

void simulation_article(struct simulation *s, struct sim_article *out)
{
    static const char *const sources[] = { "Harbour Wire", "Market Ledger", "Northgate News",
                                           "The Daily Tape" };
    static const struct {
        int first, second;
    } tones[SHELVES] = {
        [GOOD_ONE] = { 1, 0 },  [BAD_ONE] = { -1, 0 },   [GOOD_AI] = { 1, 0 },
        [BAD_AI] = { -1, 0 },   [GOOD_BAD] = { 1, -1 },  [BAD_GOOD] = { -1, 1 },
        [BOTH_GOOD] = { 1, 1 }, [BOTH_BAD] = { -1, -1 },
    };
    size_t first = pick_for_news(s), second = pick_peer(s, first);
    double how = excitement(s, first) + 0.35 * normal(s);
    bool pair = uniform(s) < 0.25, ai = s->motion[first].gamma > 0.5 && uniform(s) < 0.6,
         apart = excitement(s, second) * how < 0;
    int shelf = fabs(how) < 0.25 || uniform(s) < 0.08 ? EITHER_ONE
                : how > 0                             ? (pair ? (apart ? GOOD_BAD : BOTH_GOOD)
                                                         : ai ? GOOD_AI
                                                              : GOOD_ONE)
                                                      : (pair ? (apart ? BAD_GOOD : BOTH_BAD)
                                                         : ai ? BAD_AI
                                                              : BAD_ONE);
    *out = (struct sim_article){ .source = sources[below(s, ARRAY_LEN(sources))],
                                 .tone = tones[shelf].first };
    write_headline(shelves[shelf].lines[below(s, shelves[shelf].n)], s, first, second,
                   out->headline, sizeof out->headline);
    out->symbols[out->symbols_n++] = s->stocks[first].symbol;
    if (tones[shelf].second) out->symbols[out->symbols_n++] = s->stocks[second].symbol;
    nudge(s, first, tones[shelf].first);
    nudge(s, second, tones[shelf].second);
}

/* ---- looking at it ---- */
static size_t issuer_values(const struct simulation *s, double out[ISSUERS])
{
    memset(out, 0, ISSUERS * sizeof *out);
    for (size_t i = 0; i < s->n; i++) out[s->motion[i].issuer] += value_of(s, i);
    return ISSUERS;
}

double simulation_hhi(const struct simulation *s)
{
    double v[ISSUERS], sum = 0, squares = 0;
    size_t n = issuer_values(s, v);
    for (size_t i = 0; i < n; i++) {
        sum += v[i];
        squares += v[i] * v[i];
    }
    return 1e4 * squares / (sum * sum);
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

double simulation_top_weight(const struct simulation *s, int n)
{
    double v[ISSUERS], sum = 0, top = 0;
    size_t count = issuer_values(s, v);
    qsort(v, count, sizeof *v, descending);
    for (size_t i = 0; i < count; i++) {
        sum += v[i];
        if (i < (size_t)n) top += v[i];
    }
    return 100 * top / sum;
}

size_t simulation_most_volatile(const struct simulation *s)
{
    size_t best = s->leader_stocks[0];
    for (size_t k = 1; k < ARRAY_LEN(leaders); k++)
        if (s->motion[s->leader_stocks[k]].gamma > s->motion[best].gamma)
            best = s->leader_stocks[k];
    return best;
}
