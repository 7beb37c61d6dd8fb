/* measure_mistake.c - the slips that people make, each in words of its own:
 *
 *     hii(SP500)              1: there is no measure "hii": did you mean hhi?
 *     price(AAPL)             1: there is no measure "price": there are last, ret, level, ...
 *     hhi()                   5: hhi is measured on an index: name it, as in hhi(SP500)
 *     hhi(book:growth)        5: hhi is measured on an index, not on a book; on a book are ai_sentiment and ai_exposure
 *     spread(SP500, 60d)     15: a parameter is written NAME=VALUE: spread takes kind, window, ew, by
 *     spread(SP500, windw=5) 15: spread has no parameter "windw": did you mean window? */
#include "analytics/measure.h"
#include "core/near.h"

#include <assert.h>
#include <stdio.h>

enum { WORD_SHOWN = 40 }; /* characters of what was written */

static int shown(struct str word) { return (int)(word.n < WORD_SHOWN ? word.n : WORD_SHOWN); }

/* ---- names ---- */
enum err measure_mistake_name(int at, struct str word, struct why *why)
{
    struct near near = { .word = word, .slips = NEAR_NOT };
    AUTO_BUF struct buf all = { 0 };
    for (size_t i = 0; i < measure_kinds_n; i++) {
        near_try(&near, measure_kinds[i]->name);
        buf_printf(&all, "%s%s", i ? ", " : "", measure_kinds[i]->name);
    }
    if (near.best)
        return err_at(why, at, ERR_UNKNOWN_MEASURE,
                      "there is no measure \"%.*s\": did you mean %s?", shown(word), word.p,
                      near.best);
    return err_at(why, at, ERR_UNKNOWN_MEASURE, "there is no measure \"%.*s\": there are %s",
                  shown(word), word.p, all.data ? all.data : "none");
}

/* ---- subjects ---- */
/* What fits, and what a name of it may look like: measure.c's fits() in words. */
static const struct {
    enum subject type;
    const char *text, *name;
} subjects[] = {
    { SUBJECT_INSTRUMENT, "a symbol", ", which has at most 15 characters" },
    { SUBJECT_INDEX, "an index", ", whose name has at most 31 characters, no ':' and no '/'" },
    { SUBJECT_BOOK, "book:NAME", ", NAME being 1 to 31 characters, no ':' and no '/'" },
    { SUBJECT_SERIES, "another measure, such as last(AAPL)", "" },
};

/* "a symbol", "an index or book:NAME". */
static void subjects_text(unsigned types, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        if (types & subjects[i].type)
            buf_printf(out, "%s%s", out->len ? " or " : "", subjects[i].text);
}

/* "ai_sentiment and ai_exposure": those that a book has. */
static void of_a_book(struct buf *out)
{
    for (size_t i = 0; i < measure_kinds_n; i++)
        if (measure_kinds[i]->subjects & SUBJECT_BOOK)
            buf_printf(out, "%s%s", out->len ? " and " : "", measure_kinds[i]->name);
}

/* How the longest name that the kind takes may look: for a name that is none. */
static const char *name_of(unsigned types)
{
    const char *text = "";
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        if (types & subjects[i].type) text = subjects[i].name;
    return text;
}

enum err measure_mistake_subject(const struct measure_kind *k, int at, struct str word, bool inner,
                                 struct why *why)
{
    static const char BOOK[] = "book:";
    AUTO_BUF struct buf what = { 0 }, books = { 0 };
    subjects_text(k->subjects, &what);
    of_a_book(&books);
    const char *on = what.data ? what.data : "";
    const bool book = word.n > strlen(BOOK) && memcmp(word.p, BOOK, strlen(BOOK)) == 0;
    if (word.n == 0)
        return err_at(why, at, ERR_INVALID, "%s is measured on %s: name it, as in %s(%s)", k->name,
                      on, k->name, measure_example(k));
    if (inner)
        return err_at(why, at, ERR_INVALID, "%s is measured on %s, not on another measure", k->name,
                      on);
    if (book && !(k->subjects & (SUBJECT_BOOK | SUBJECT_SERIES)))
        return err_at(why, at, ERR_INVALID, "%s is measured on %s, not on a book; on a book are %s",
                      k->name, on, books.data ? books.data : "none");
    return err_at(why, at, ERR_INVALID, "%s is measured on %s%s", k->name, on,
                  name_of(k->subjects));
}

/* ---- parameters ---- */
enum err measure_mistake_param(const struct measure_kind *k, int at, struct str word, bool valued,
                               struct why *why)
{
    struct near near = { .word = word, .slips = NEAR_NOT };
    AUTO_BUF struct buf all = { 0 };
    for (int i = 0; i < measure_params_n(k); i++) {
        near_try(&near, k->params[i].name);
        buf_printf(&all, "%s%s", i ? ", " : "", k->params[i].name);
    }
    if (!all.data) return err_at(why, at, ERR_INVALID, "%s takes no parameters", k->name);
    if (near.best)
        return err_at(why, at, ERR_INVALID, "%s has no parameter \"%.*s\": did you mean %s?",
                      k->name, shown(word), word.p, near.best);
    if (!valued)
        return err_at(why, at, ERR_INVALID, "a parameter is written NAME=VALUE: %s takes %s",
                      k->name, all.data);
    return err_at(why, at, ERR_INVALID, "%s takes the parameters %s", k->name, all.data);
}
