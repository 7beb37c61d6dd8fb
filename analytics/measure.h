/* measure.h - a measure's name, subject and parameters, and the one text that means exactly it.
 * Pure; thread: any.
 *
 *     spread(SP500, kind=geom, window=60d)
 *     max(change(last(NVDA), over=5m), over=20d)         a measure of a measure of a measure
 *
 * The canonical text leaves out parameters that have their default and puts the others in the
 * order of the measure's row, so two texts mean the same measure exactly when their canonical
 * texts are equal. It is the measure's identity: in rules, the API, back-tests, SQL, the saved
 * state.
 *
 * A kind of measure is one const struct at the end of a file of measures/, and one row of
 * measures.def. */
#ifndef TOCSIN_ANALYTICS_MEASURE_H
#define TOCSIN_ANALYTICS_MEASURE_H
#include "analytics/reading.h"
#include "core/buf.h"
#include "core/param.h"

struct market;
struct series;
struct drivers;

/* A text has room for its symbol at its longest, so that an instrument may be renamed whatever
 * is measured on it. */
enum { MEASURE_TEXT_MAX = 176, ARGS_MAX = 6, SYMBOL_SUBJECT_MAX = 15, NAME_SUBJECT_MAX = 31 };

/* What a measure may be taken of. */
enum subject {
    SUBJECT_INSTRUMENT = 1, /* a symbol: AAPL */
    SUBJECT_INDEX = 2,      /* a universe that everybody sees: SP500 */
    SUBJECT_BOOK = 4,       /* a universe of one tenant: book:growth */
    SUBJECT_SERIES = 8      /* another measure */
};

/* What may move its value, beside the clock: a record of such a cause has its series looked at. */
enum cause {
    CAUSE_PRICE = 1,    /* a price or share count of the instrument, or of a member */
    CAUSE_NEWS = 2,     /* an article */
    CAUSE_FACT = 4,     /* an exposure */
    CAUSE_POSITION = 8, /* a position of a book */
    CAUSE_SUBJECT = 16  /* the measure that it is taken of */
};

struct args {
    int64_t v[ARGS_MAX]; /* in the order of the kind's params; beyond them 0 */
};

struct measure {
    const struct measure_kind *kind;
    enum subject subject_type;
    struct args args;
    char subject
        [MEASURE_TEXT_MAX]; /* symbol, index, book:NAME, or the canonical text of a measure; NUL-padded */
};

/* The values that a measure can have: a rule's bound that none of them reaches is refused. All
 * zero: any number. In a row:
 *
 *     .range = { RANGE_ABOVE(0), RANGE_UP_TO(10000) }     of hhi: more than 0, 10,000 at most
 *     .range = { RANGE_FROM(1) }                    of effective_number: 1 or more */
enum range_end_kind { END_NONE, END_INCLUDED, END_EXCLUDED };
struct range_end {
    enum range_end_kind kind;
    double at;
};
struct range {
    struct range_end low, high;
};
#define RANGE_FROM(x) .low = { END_INCLUDED, (x) }
#define RANGE_ABOVE(x) .low = { END_EXCLUDED, (x) }
#define RANGE_UP_TO(x) .high = { END_INCLUDED, (x) }
#define RANGE_BELOW(x) .high = { END_EXCLUDED, (x) }

/* A line of the page's chart, by the name that style.css has for its colour. */
enum page_line { LINE_NONE, LINE_CAP, LINE_EW };

/* How a page shows a measure. It changes no value, and all of it may be left out: then the
 * measure is in the table of all measures, with as many decimals as its size asks for.
 *
 *     .page = { .title = "Top {n} weight", .decimals = 2 }          top_weight(SP500, n=5) = 31.25: "Top 5 weight  31.25"
 *     .page = { .beside = "hhi", .words = "as {} equal companies" } no tile of its own: said in that of hhi(SP500) */
enum { NO_DECIMALS = -1 };
struct measure_page {
    const char *title; /* of its tile; {window} is that parameter in words. NULL: it has no tile */
    int decimals; /* after the point; 0: as its size asks for; NO_DECIMALS: its values are whole */
    bool sign;    /* a value above 0 has a plus */
    enum page_line line;
    const char *beside; /* the measure in whose tile it is said, with the same parameters */
    const char *
        words; /* how it is said there, {} being the value, {over} that parameter; of a measure of another without
                         * `beside`: in the tile of the one that it is taken of */
};

struct measure_kind {
    const char *name;
    const char *unit;  /* of its values; NULL: unit_of says */
    const char *units; /* for the reference page, when there is more than one */
    const char *(*unit_of)(const struct measure *m);
    const char *formula, *source; /* what it is, and where that is from */
    /* What it is called in a sentence about its subject, a {name} being that parameter in words: "weight of the top {n}".
     * NULL: its canonical text. */
    const char *phrase;
    /* Of its values, whatever its parameters; else range_of says, and `ranges` for the reference page. `negative`: the
     * instrument at the bottom of it may have prices of 0 and below. */
    struct range range;
    struct range (*range_of)(const struct measure *m, bool negative);
    const char *ranges;
    int version;                 /* raised when the same inputs give another value */
    unsigned subjects, moved_by; /* bits of enum subject and enum cause */
    struct param params[ARGS_MAX];
    /* The parameters of those that every index has from its first day, "" for none; NULL-ended. NULL: no index has any. */
    const char *const *standard;
    struct measure_page page;

    /* Is it measured on this subject, with these parameters? Beyond what the row says. NULL: always. ERR_INVALID. `example`: a
     * subject that it is measured on. */
    enum err (*fits)(const struct measure *m, struct why *why);
    const char *example;
    /* Once, when its series begins: asks the market for what it needs. NULL: nothing. ERR_NOMEM. */
    enum err (*begin)(struct market *m, struct series *s);
    /* A session has begun or ended, or the series has: finds its window's start anew. NULL: it has none. */
    void (*session)(const struct market *m, struct series *s);
    /* What it is taken of stands at r now (CAUSE_SUBJECT): keeps what it needs of it. ERR_NOMEM. */
    enum err (*subject_moved)(const struct market *m, struct series *s, const struct reading *r);
    /* Its last asker has gone: lets go of what it kept. NULL: nothing. */
    void (*end)(struct market *m, struct series *s);
    /* The value as of the last record. */
    void (*read)(const struct market *m, const struct series *s, struct reading *out);
    /* What the value was computed from, as members of an object. */
    void (*inputs)(const struct market *m, const struct series *s, struct json_writer *w);
    /* Of an index's measure that is a sum over its members: each one's part of the change, and what the measure was then
     * (drivers.h). NULL: it is no such sum. */
    void (*drivers)(const struct market *m, const struct series *s, struct drivers *d);
    /* The value as an exact decimal at 1e-8, for rules on prices. NULL: its values are doubles. */
    int64_t (*exact_e8)(const struct market *m, const struct series *s);
};

extern const struct measure_kind *const measure_kinds[]; /* in the order of measures.def */
extern const size_t measure_kinds_n;

/* Reads all of s[0..n). On failure why->at is the 1-based character at fault: ERR_SYNTAX,
 * ERR_UNKNOWN_MEASURE, ERR_INVALID. */
MUST_USE enum err measure_parse(const char *s, size_t n, struct measure *out, struct why *why);
/* Canonical text with a NUL; returns its length. */
size_t measure_format(const struct measure *m, char out[MEASURE_TEXT_MAX]);

/* In a sentence: "SP500's weight of the top 10"; of what has no phrase the canonical text
 * (measure_phrase.c). */
void measure_phrase(const struct measure *m, struct buf *out);

/* With every parameter spelled out, the defaults too; the subject is a text, or a definition
 * like this one: {"measure":"spread","of":"SP500","version":1,"parameters":{"kind":"geom","windo
 * w":"60d","ew":"quarterly","by":"issuer"}} */
void measure_definition(const struct measure *m, struct json_writer *w, const char *key);

int measure_params_n(const struct measure_kind *k);
/* A subject that it is measured on, for an example. */
const char *measure_example(const struct measure_kind *k);
const char *measure_unit(const struct measure *m);
struct range measure_range(const struct measure *m, bool negative);
bool range_has(const struct range *r, double v);
/* "above 0 and at most 10000", "any number". */
void range_text(const struct range *r, struct buf *out);
int measure_version(const struct measure *m);
bool measure_is_price(const struct measure *m); /* its values are exact decimals at 1e-8 */
/* It is a tenant's: a book stands at the bottom of it. A symbol may begin with book: too. */
bool measure_is_book(const struct measure *m);
/* Has the kind a parameter of that name with that choice? Then it is so from now on, and true. */
bool measure_set_choice(struct measure *m, const char *name, const char *choice);
/* The symbol at the bottom of it into out[SYMBOL_SUBJECT_MAX + 1]; false: an index or a book is
 * there. */
bool measure_symbol(const struct measure *m, char *out);
/* Another symbol (1 to SYMBOL_SUBJECT_MAX bytes) in its place: the text has room for any. */
void measure_set_symbol(struct measure *m, const char *symbol);
/* The measure that m is taken of (SUBJECT_SERIES). */
struct measure measure_inner(const struct measure *m);

/* What is wrong with a text that is no measure, and what was perhaps meant (measure_mistake.c).
 * Each points (why->at) at character `at` of the text, from 1, and returns the error. `word` is
 * what stands there; it may be empty. _name: no kind has it; ERR_UNKNOWN_MEASURE. _subject: the
 * kind is not measured on that; `inner`: on another measure. _param: the kind has no parameter
 * of that name; `valued`: a '=' follows it. The two are ERR_INVALID. */
enum err measure_mistake_name(int at, struct str word, struct why *why);
enum err measure_mistake_subject(const struct measure_kind *k, int at, struct str word, bool inner,
                                 struct why *why);
enum err measure_mistake_param(const struct measure_kind *k, int at, struct str word, bool valued,
                               struct why *why);

/* The reference of all measures and parameters as Markdown (`tocsin --help-measures`). */
void measures_reference(struct buf *out);
/* The same as a JSON array, for programs, and how a page shows each. */
void measures_definitions(struct json_writer *w, const char *key);
#endif
