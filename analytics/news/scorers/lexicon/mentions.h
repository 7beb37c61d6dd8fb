/* mentions.h - the companies an article is read for, and where a sentence mentions them.
 *
 * Company k is bit 1 << k. Looked for are Apple (bit 1) and Intel (bit 2):
 *
 *     "Apple, Intel and AMD rallied on Monday"
 *
 *     token      apple  intel  and  amd  rallied ...
 *     about        1      2     0    0      0         after mentions_find, which returns 3
 *     about        3      3     0    0      0         after mentions_join_lists: in one breath
 *     segment      0      0     0    0      0         was 0 1 1 1 1: "rallied" is said of both
 *
 * Two may share a mention, as "Alphabet" is both its share classes; of "Bank of America" and "Bank
 * of America Merrill" at one place the longer one has it. */
#ifndef TOCSIN_ANALYTICS_LEXICON_MENTIONS_H
#define TOCSIN_ANALYTICS_LEXICON_MENTIONS_H
#include "analytics/news/scorers/lexicon/company.h"
#include "analytics/news/scorers/lexicon/masses.h"

/* One company, and what the article has said of it so far. */
struct subject {
    struct company company;
    uint64_t first_at;                /* byte of its first mention, headline and body as one text */
    uint32_t mentions, head_mentions; /* by mentions_find */
    uint64_t lines;                   /* its company's, itself among them: mentioned together */
    struct evidence evidence;         /* by owners_share_out */
};

struct subjects {
    struct subject of[ARTICLE_SYMBOLS_MAX];
    size_t n;
    uint64_t first_words;    /* bit (hash & 63) of each name's first word: most tokens fail here */
    uint64_t base;           /* bytes of the texts before this one */
    uint32_t mentions;       /* of all of them; a shared one counts once */
    struct name_stops stops; /* of all their names, as far as there is room */
    uint64_t carry;          /* whom sentences without a name speak of; by owners_share_out */
    int carry_left;          /* for how many more sentences */
};

/* From n <= ARTICLE_SYMBOLS_MAX targets. *scratch is overwritten. */
void subjects_init(struct subjects *a, const struct sentiment_target *targets, size_t n,
                   struct sentence *scratch);

/* Marks and counts the mentions in a sentence of the reader's text; returns who has any. */
uint64_t mentions_find(struct subjects *a, const struct reader *r, struct sentence *s, bool head);

/* After tone_read, which numbers the segments. */
void mentions_join_lists(struct sentence *s);
#endif
