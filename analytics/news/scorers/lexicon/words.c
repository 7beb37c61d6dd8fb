/* words.c - a hash table with open addressing over the forms of lexicon.def and
 * lexicon_2.def, one an edition, filled before main.
 *
 *     MOVE(0.75, 0.50, "rise|rises|edged up")     makes four slots:
 *
 *     rise       move  weight 0.75  alone 0.50    words_max 1
 *     rises      move  weight 0.75  alone 0.50    words_max 1
 *     edged up   move  weight 0.75  alone 0.50    words_max 1
 *     edged      prefix                           words_max 2
 *
 * A search begins at a slot that the hash says and goes on to the next while others sit there: with
 * 2,290 of 8,192 slots in use that is 1.2 looks for a word that is there. */
#include "analytics/news/scorers/lexicon/words.h"

#include "core/err.h"

#include <assert.h>
#include <string.h>

enum { SLOTS = 8192 }; /* a power of two */

/* ---- the rows ---- */
struct row {
    enum word_kind kind;
    double weight, alone;
    const char *forms; /* with '|' between */
};
#define TONE(weight, forms) { WORD_TONE, weight, 0, forms },
#define MOVE(strength, alone, forms) { WORD_MOVE, strength, alone, forms },
#define GRADE(strength, alone, forms) { WORD_GRADE, strength, alone, forms },
#define THING(sense, alone, forms) { WORD_THING, sense, alone, forms },
#define SWING(forms) { WORD_SWING, 0.8, 0, forms },
#define AIMED(weight, forms) { WORD_AIMED, weight, 0, forms },
#define CALL(weight, forms) { WORD_CALL, weight, 0, forms },
#define RIVAL(weight, forms) { WORD_RIVAL, weight, 0, forms },
#define NOT(forms) { WORD_NOT, 0, 0, forms },
#define SCALE(factor, forms) { WORD_SCALE, factor, 0, forms },
#define TURN(factor, forms) { WORD_TURN, factor, 0, forms },
#define COMPARE(forms) { WORD_COMPARE, 0, 0, forms },
#define STOP(forms) { WORD_STOP, 0, 0, forms },
#define QUIET(forms) { WORD_QUIET, 0, 0, forms },
#define UNDO(weight, forms) { WORD_UNDO, weight, 0, forms },
static const struct row rows_1[] = {
#include "analytics/news/scorers/lexicon.def"
};
static const struct row rows_2[] = {
#include "analytics/news/scorers/lexicon_2.def"
};

const struct word word_not = { .text = "n't", .bytes = 3, .kind = WORD_NOT };

/* ---- the tables, one an edition ---- */
static struct word tables[EDITION_NOW][SLOTS]; /* .text is NULL in an empty slot */

uint32_t word_hash_more(uint32_t hash, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)p[i]) * 16777619u;
    return hash;
}

uint32_t word_hash(const char *p, size_t n) { return word_hash_more(2166136261u, p, n); }

/* Where it is, or the empty slot where it belongs. */
static struct word *slot_of(int edition, const char *p, size_t n, uint32_t hash)
{
    struct word *table = tables[edition - 1];
    uint32_t i = (hash ^ hash >> 15) & (SLOTS - 1);
    while (table[i].text
           && (table[i].hash != hash || table[i].bytes != n || memcmp(table[i].text, p, n) != 0))
        i = (i + 1) & (SLOTS - 1);
    return &table[i];
}

const struct word *word_find(int edition, const char *p, size_t n, uint32_t hash)
{
    const struct word *w = slot_of(edition, p, n, hash);
    return w->text ? w : NULL;
}

/* ---- filling it ---- */
/* The slot of these bytes, made as a prefix when it is not there yet. */
static struct word *slot_made(int edition, const char *p, size_t n)
{
    uint32_t hash = word_hash(p, n);
    struct word *w = slot_of(edition, p, n, hash);
    if (!w->text)
        *w = (struct word){
            .text = p, .hash = hash, .bytes = (uint8_t)n, .kind = WORD_PREFIX, .words_max = 1
        };
    return w;
}

/* One form, "edged up", and its first word, which has to know how long its phrases get. */
static void add_form(int edition, uint8_t since, const struct row *row, const char *p, size_t n)
{
    size_t first = strcspn(p, " |");
    uint8_t words = 1;
    for (size_t i = 0; i < n; i++) words = (uint8_t)(words + (p[i] == ' '));
    struct word *form = slot_made(edition, p, n), *head = slot_made(edition, p, first);
    assert((form->kind == WORD_PREFIX || form->edition < since)
           && "a form appears twice in a file");
    form->kind = (uint8_t)row->kind;
    form->edition = since;
    form->weight = row->weight;
    form->alone = row->alone;
    if (head->words_max < words) head->words_max = words;
}

static void add_rows(int edition, uint8_t since, const struct row *rows, size_t n)
{
    for (size_t r = 0; r < n; r++)
        for (const char *p = rows[r].forms; *p;) {
            size_t bytes = strcspn(p, "|");
            add_form(edition, since, &rows[r], p, bytes);
            p += bytes + (p[bytes] == '|');
        }
}

/* Before main, so there is neither a lock nor an init to forget. */
__attribute__((constructor)) static void fill_tables(void)
{
    for (int edition = EDITION_FIRST; edition <= EDITION_NOW; edition++)
        add_rows(edition, EDITION_FIRST, rows_1, ARRAY_LEN(rows_1));
    add_rows(EDITION_NOW, EDITION_NOW, rows_2, ARRAY_LEN(rows_2));
}

/* ---- short lists ---- */
bool word_in(const char *list, const char *p, size_t n)
{
    char want[WORD_BYTES_MAX + 3] = "|";
    if (n == 0 || n > WORD_BYTES_MAX) return false;
    memcpy(want + 1, p, n);
    want[n + 1] = '|';
    return strstr(list, want) != NULL; /* want is as long as was filled: the rest is zero */
}
