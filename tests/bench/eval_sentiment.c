/* eval_sentiment.c - accuracy of the sentiment scorer on labelled sentences, and its speed.
 *
 * Reads $TOCSIN_SHARED/data/news (Financial PhraseBank and SEntFiN, licensed for evaluation only: nothing of them is in
 * this repository and the lexicon is not trained on them). Each part is skipped, with a line saying so, when its file is
 * absent. A `mixed` answer counts as neutral, which no file but SEntFiN's several-company headlines asks for. */
#include "analytics/news/sentiment.h"
#include "core/when.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 4, LINE_MAX_BYTES = 4096, CLASSES = 3 };
enum { NEUTRAL, POSITIVE, NEGATIVE };

/* One line of comma-separated values, split in place; no field of these files holds a line break. */
static int split_csv(char *line, char *field[FIELDS_MAX])
{
    int n = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *p = line; n < FIELDS_MAX;) {
        bool quoted = *p == '"';
        char *to = p += quoted;
        field[n++] = to;
        while (*p && (quoted || *p != ',')) {
            if (quoted && *p == '"' && p[1] != '"') {
                quoted = false;
                p++;
                continue;
            }
            if (quoted && *p == '"') p++;
            *to++ = *p++;
        }
        bool more = *p == ',';
        *to = '\0';
        if (!more) break;
        p++;
    }
    return n;
}

static FILE *open_gz(const char *name)
{
    const char *dir = getenv("TOCSIN_SHARED");
    char path[1024], command[1100];
    if (!dir || strchr(dir, '\'')) {
        printf("skipped %s: TOCSIN_SHARED is not set\n", name);
        return NULL;
    }
    snprintf(path, sizeof path, "%s/data/news/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("skipped %s: no such file under TOCSIN_SHARED\n", name);
        return NULL;
    }
    fclose(f);
    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    return popen(command, "r");
}

static int class_of_text(const char *label)
{
    return label[0] == 'p' ? POSITIVE : label[2] == 'g' ? NEGATIVE : NEUTRAL;
}
static int class_of_label(enum sentiment_label l)
{
    return l == SENTIMENT_POSITIVE ? POSITIVE : l == SENTIMENT_NEGATIVE ? NEGATIVE : NEUTRAL;
}

struct table {
    int n[CLASSES][CLASSES];
}; /* [truth][answer] */

static double accuracy(const struct table *t, int *total)
{
    int right = 0;
    *total = 0;
    for (int a = 0; a < CLASSES; a++)
        for (int b = 0; b < CLASSES; b++) {
            *total += t->n[a][b];
            right += a == b ? t->n[a][b] : 0;
        }
    return *total ? (double)right / *total : 0;
}

static double macro_f1(const struct table *t)
{
    double sum = 0;
    for (int a = 0; a < CLASSES; a++) {
        int truth = 0, said = 0;
        for (int b = 0; b < CLASSES; b++) {
            truth += t->n[a][b];
            said += t->n[b][a];
        }
        sum += truth + said ? 2.0 * t->n[a][a] / (truth + said) : 0;
    }
    return sum / CLASSES;
}

static void phrasebank(void)
{
    static const struct {
        int least;
        double vader, lm;
    } published[] = {
        { 100, 0.5707, 0.649 },
        { 75, 0.5627, 0.657 },
        { 66, 0.5563, 0.637 },
        { 50, 0.543, 0.624 },
    };
    struct table t[ARRAY_LEN(published)] = { 0 };
    char line[LINE_MAX_BYTES], *f[FIELDS_MAX];
    FILE *in = open_gz("financial_phrasebank_public.csv.gz");
    if (!in) return;
    while (fgets(line, sizeof line, in)) {
        if (split_csv(line, f) != 3 || atoi(f[0]) == 0) continue;
        struct sentiment got;
        sentiment_score(str_of(f[2]), (struct str){ 0 }, &got);
        int truth = class_of_text(f[1]), said = class_of_label(got.label);
        for (size_t k = 0; k < ARRAY_LEN(published); k++)
            if (atoi(f[0]) >= published[k].least) t[k].n[truth][said]++;
    }
    pclose(in);
    printf("Financial PhraseBank     sentences  accuracy  macro F1   VADER  Loughran-McDonald\n");
    for (size_t k = 0; k < ARRAY_LEN(published); k++) {
        int total;
        double a = accuracy(&t[k], &total);
        printf("agreement >= %3d %%        %8d    %.4f    %.4f  %.4f  %.3f\n", published[k].least,
               total, a, macro_f1(&t[k]), published[k].vader, published[k].lm);
    }
    for (int a = 0; a < CLASSES; a++)
        printf("  100 %%: truth %s -> neutral %d, positive %d, negative %d\n",
               (const char *[]){ "neutral ", "positive", "negative" }[a], t[0].n[a][0],
               t[0].n[a][1], t[0].n[a][2]);
}

/* One headline with its entities, scored together as the engine does. */
struct headline {
    char text[LINE_MAX_BYTES], entity[ARTICLE_SYMBOLS_MAX][256], id[32];
    int truth[ARTICLE_SYMBOLS_MAX];
    size_t n;
};

static void score_headline(const struct headline *h, struct table *all, struct table *differing,
                           int *unmentioned)
{
    struct sentiment_target target[ARTICLE_SYMBOLS_MAX] = { 0 };
    struct sentiment_ticker got[ARTICLE_SYMBOLS_MAX];
    bool differ = false;
    for (size_t i = 0; i < h->n; i++) {
        target[i].issuer = str_of(h->entity[i]);
        differ |= h->truth[i] != h->truth[0];
    }
    sentiment_score_targets(str_of(h->text), (struct str){ 0 }, target, h->n, got);
    for (size_t i = 0; i < h->n; i++) {
        int said = class_of_label(got[i].tone.label);
        *unmentioned += got[i].mentions == 0;
        all->n[h->truth[i]][said]++;
        if (differ) differing->n[h->truth[i]][said]++;
    }
}

static void sentfin(void)
{
    static struct headline h;
    struct table all = { 0 }, differing = { 0 };
    int unmentioned = 0, total;
    char line[LINE_MAX_BYTES], *f[FIELDS_MAX];
    FILE *in = open_gz("sentfin_entities_public.csv.gz");
    if (!in) return;
    while (fgets(line, sizeof line, in)) {
        if (split_csv(line, f) != 4 || atoi(f[0]) == 0) continue;
        if (strcmp(h.id, f[0]) != 0) {
            if (h.n) score_headline(&h, &all, &differing, &unmentioned);
            h.n = 0;
            snprintf(h.id, sizeof h.id, "%s", f[0]);
            snprintf(h.text, sizeof h.text, "%s", f[3]);
        }
        if (h.n == ARTICLE_SYMBOLS_MAX) continue;
        snprintf(h.entity[h.n], sizeof h.entity[0], "%s", f[1]);
        h.truth[h.n++] = class_of_text(f[2]);
    }
    pclose(in);
    if (h.n) score_headline(&h, &all, &differing, &unmentioned);
    double a = accuracy(&all, &total);
    printf(
        "SEntFiN by entity: %d, accuracy %.4f, macro F1 %.4f (VADER 0.511); %d not found by name\n",
        total, a, macro_f1(&all), unmentioned);
    a = accuracy(&differing, &total);
    printf("  where entities differ: %d, accuracy %.4f, macro F1 %.4f\n", total, a,
           macro_f1(&differing));
}

static void speed(void)
{
    static const char *const lines[] = {
        "Apple soars to record high while Intel slumps after weak guidance",
        "Operating profit rose to EUR 13.1 mn from EUR 8.7 mn",
        "Shares of regional banks fell sharply on Tuesday as bond yields climbed",
        "Company to hold its annual general meeting in Helsinki on March 3",
    };
    static char body[100000];
    struct sentiment_target two[] = { { .symbol = str_of("AAPL"), .issuer = str_of("Apple Inc.") },
                                      { .symbol = str_of("INTC"),
                                        .issuer = str_of("Intel Corporation") } };
    struct sentiment_ticker got[2];
    struct sentiment out;
    double sum = 0;
    enum { ROUNDS = 100000 };
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = lines[1][i % (strlen(lines[1]) + 1)] ? lines[1][i % (strlen(lines[1]) + 1)] : ' ';

    int64_t t0 = mono_ns();
    for (int i = 0; i < ROUNDS; i++) {
        sentiment_score(str_of(lines[i % 4]), (struct str){ 0 }, &out);
        sum += out.score;
    }
    int64_t t1 = mono_ns();
    for (int i = 0; i < ROUNDS; i++) {
        sentiment_score_targets(str_of(lines[i % 4]), (struct str){ 0 }, two, 2, got);
        sum += got[0].tone.score;
    }
    int64_t t2 = mono_ns();
    for (int i = 0; i < 20; i++) {
        sentiment_score(str_of(lines[0]), (struct str){ body, sizeof body }, &out);
        sum += out.score;
    }
    int64_t t3 = mono_ns();
    printf(
        "speed: headline %.2f us, with two targets %.2f us, 100 kB body %.0f us (checksum %.3f)\n",
        (double)(t1 - t0) / ROUNDS / 1e3, (double)(t2 - t1) / ROUNDS / 1e3,
        (double)(t3 - t2) / 20 / 1e3, sum);
}

int main(void)
{
    printf("%s %d\n", scorer_in_use()->name, scorer_in_use()->version);
    phrasebank();
    sentfin();
    speed();
    return 0;
}
