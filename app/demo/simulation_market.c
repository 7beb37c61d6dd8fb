/* simulation_market.c - the companies of an invented market: names, symbols, sizes.
 *
 * The one of rank 37, of which 37 are larger: a market value of 5.2e11 * 38^-0.68 = 43.8 billion,
 * give or take 10 %; a name of a beginning, a middle and an ending of its sector, "Bal" + "enta" +
 * " Networks"; a symbol of letters from it that nobody has yet, "BALE"; a price around 74; and as
 * many shares as come to that value. As one of three it has two classes of shares: BALE.A with 60 %
 * of the value, BALE.B with the rest. Eight leaders have names, ranks and a pull of the AI factor
 * that are the same in every market. */
#include "app/demo/simulation_inside.h"
#include "core/maths.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the setting ---- */
const struct sector sim_sectors[] = {
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

/* The leaders: their place in the ranking at the start, and how strongly the AI factor moves
 * them. */
struct leader {
    const char *name, *symbol;
    int rank;
    double gamma, exposure;
};
static const struct leader leaders[LEADERS] = {
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

enum { NAMES = (int)(ARRAY_LEN(beginnings) * ARRAY_LEN(middles)) };
_Static_assert((int)NAMES >= (int)ISSUERS, "more issuers than names");

/* ---- names ---- */
/* An issuer's key is its symbol without the class. */
static bool symbol_taken(const struct simulation *s, const char *symbol)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->stocks[i].issuer, symbol) == 0) return true;
    return false;
}

/* Four letters out of the name, the first always; up to twelve only if all of those are taken. */
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

/* ---- companies ---- */
enum { TWO_CLASS_LEADER = 3 }; /* Datavaris; of the others two, by rank */

/* A company before it has a stock. */
struct listing {
    char name[64], symbol[SYMBOL_MAX + 1];
    int sector; /* of sim_sectors[] */
    double cap; /* market value in USD */
    double gamma, exposure;
    bool leader;
};

/* What never changes of one line of shares. */
static void describe_line(struct simulation *s, const struct listing *l, const char *class,
                          struct sim_stock *k)
{
    snprintf(k->symbol.s, sizeof k->symbol.s, "%.11s%s%s", l->symbol, class[0] ? "." : "", class);
    snprintf(k->issuer, sizeof k->issuer, "%s", l->symbol);
    snprintf(k->name, sizeof k->name, "%s", l->name);
    snprintf(k->title, sizeof k->title, "%s%s%s", l->name, class[0] ? " Class " : "", class);
    k->sector = sim_sectors[l->sector].name;
    k->exposure_e8 = (int64_t)lround(l->exposure * 100) * 1000000;
    k->float_e8 = sim_below(s, 8) == 0 && !l->leader ? 85000000 : 100000000;
    k->first_line = class[0] == '\0' || class[0] == 'A';
}

/* Around 74, between 8 and 600. */
static double first_price(struct simulation *s)
{
    double price = maths_exp(4.3 + 0.75 * sim_normal(s));
    if (price < 8) price = 8 + 4 * sim_uniform(s);
    if (price > 600) price = 600 - 200 * sim_uniform(s);
    return price;
}

static void add_line(struct simulation *s, uint32_t issuer, const struct listing *l,
                     const char *class, double part)
{
    struct sim_stock *k = &s->stocks[s->n];
    struct motion *m = &s->motion[s->n];
    describe_line(s, l, class, k);
    double price = first_price(s);
    k->shares = (int64_t)(l->cap * part / price / 1e4 + 1) * 10000;
    m->issuer = issuer;
    m->sector = l->sector;
    m->beta = 0.7 + 0.6 * sim_uniform(s);
    m->gamma = l->gamma;
    m->vol = l->leader ? 0.011 + 0.004 * sim_uniform(s) : 0.010 + 0.012 * sim_uniform(s);
    m->own = m->trend = maths_log(price);
    m->appetite = sqrt(l->cap * part);
    s->n++;
}

static void shuffle(struct simulation *s, int *v, size_t n)
{
    for (size_t i = n - 1; i > 0; i--) {
        size_t k = sim_below(s, i + 1);
        int t = v[i];
        v[i] = v[k];
        v[k] = t;
    }
}

/* The leader of that rank, or LEADERS. */
static size_t leader_ranked(int rank)
{
    for (size_t i = 0; i < LEADERS; i++)
        if (leaders[i].rank == rank) return i;
    return LEADERS;
}

/* The same in every market, and of the first sector, technology. */
static void describe_leader(struct simulation *s, size_t no, struct listing *l)
{
    const struct leader *lead = &leaders[no];
    snprintf(l->name, sizeof l->name, "%s", lead->name);
    snprintf(l->symbol, sizeof l->symbol, "%s", lead->symbol);
    l->gamma = lead->gamma;
    l->exposure = lead->exposure;
    l->leader = true;
    s->leader_stocks[no] = s->n;
}

/* All others: technology has some AI in it, one in five of the rest a little; and what has none may
 * even fall a little when AI rises. */
static void invent(struct simulation *s, int name_no, struct listing *l)
{
    l->sector = (int)sim_below(s, ARRAY_LEN(sim_sectors));
    snprintf(l->name, sizeof l->name, "%s%s %s", beginnings[name_no / (int)ARRAY_LEN(middles)],
             middles[name_no % (int)ARRAY_LEN(middles)],
             sim_sectors[l->sector].endings[sim_below(s, 4)]);
    make_symbol(s, l->name, l->symbol);
    bool technology = l->sector == 0;
    l->exposure = technology             ? 0.10 + 0.30 * sim_uniform(s)
                  : sim_below(s, 5) == 0 ? 0.02 + 0.13 * sim_uniform(s)
                                         : 0;
    l->gamma = technology ? 0.25 * sim_uniform(s) : -0.06 + 0.10 * sim_uniform(s);
}

static void list_issuer(struct simulation *s, uint32_t rank, int name_no)
{
    struct listing l = { .cap = 5.2e11 * maths_pow(rank + 1.0, -0.68)
                                * maths_exp(0.10 * sim_normal(s)) };
    size_t no = leader_ranked((int)rank);
    if (no < LEADERS) describe_leader(s, no, &l);
    else invent(s, name_no, &l);
    bool two_classes = no == TWO_CLASS_LEADER || rank == 37 || rank == 118;
    add_line(s, rank, &l, two_classes ? "A" : "", two_classes ? 0.6 : 1);
    if (two_classes) add_line(s, rank, &l, "B", 0.4);
}

void sim_list_companies(struct simulation *s)
{
    int names[NAMES];
    double sum = 0;
    for (int i = 0; i < NAMES; i++) names[i] = i;
    shuffle(s, names, NAMES);
    for (uint32_t i = 0; i < ISSUERS; i++) list_issuer(s, i, names[i]);
    for (size_t i = 0; i < s->n; i++) s->appetite_sum[i] = sum += s->motion[i].appetite;
}
