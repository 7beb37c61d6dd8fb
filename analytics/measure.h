/* measure.h - a measure's name and parameters, and the one text that means exactly it. Pure; thread: any.
 *
 *     spread(SP500, kind=geom, window=60d)
 *
 * The canonical text leaves out parameters that have their default and puts the others in the order of measures.def, so two
 * texts mean the same measure exactly when their canonical texts are equal. */
#ifndef TOCSIN_ANALYTICS_MEASURE_H
#define TOCSIN_ANALYTICS_MEASURE_H
#include "core/buf.h"

#include <stdint.h>

enum measure_id {
#define MEASURE(id, name, subject, params, unit, version, formula) MEASURE_##id,
#include "analytics/measures.def"
#undef MEASURE
    MEASURE_COUNT
};

enum measure_subject { SUBJECT_INSTRUMENT, SUBJECT_INDEX, SUBJECT_HOLDINGS };
enum measure_param { PARAM_KIND = 1, PARAM_WINDOW = 2, PARAM_EW = 4, PARAM_BY = 8, PARAM_N = 16 };

enum spread_kind {
    SPREAD_GEOM,
    SPREAD_ARITH,
    SPREAD_LOG,
    SPREAD_ANN,
    SPREAD_RATIO,
    SPREAD_POINTS,
    SPREAD_KIND_COUNT
};
enum window {
    WINDOW_1D,
    WINDOW_5D,
    WINDOW_20D,
    WINDOW_60D,
    WINDOW_3MO,
    WINDOW_6MO,
    WINDOW_12MO,
    WINDOW_18MO,
    WINDOW_36MO,
    WINDOW_YTD,
    WINDOW_ALL,
    WINDOW_COUNT
};
enum ew {
    EW_QUARTERLY,
    EW_MONTHLY,
    EW_DAILY,
    EW_HELD,
    EW_THIRD_FRIDAY,
    EW_COUNT
}; /* when the equal weights are restored */
enum by { BY_ISSUER, BY_LINE, BY_COUNT };

enum { MEASURE_TEXT_MAX = 160, SUBJECT_MAX = 63, TOP_N_MAX = 50 };

struct measure {
    enum measure_id id;
    char subject[SUBJECT_MAX + 1]; /* symbol, index, or "book:NAME" */
    enum spread_kind kind;
    enum window window;
    enum ew ew;
    enum by by;
    int n;
};

/* Reads all of s[0..n). On failure why->at is the 1-based character at fault: ERR_SYNTAX, ERR_UNKNOWN_MEASURE, ERR_INVALID. */
MUST_USE enum err measure_parse(const char *s, size_t n, struct measure *out, struct why *why);
/* Canonical text with a NUL; returns its length. */
size_t measure_format(const struct measure *m, char out[MEASURE_TEXT_MAX]);

const char *measure_unit(const struct measure *m);
int measure_version(const struct measure *m);
enum measure_subject measure_subject(const struct measure *m);
bool measure_is_price(const struct measure *m); /* its values are exact decimals at 1e-8 */
bool measure_is_book(const struct measure *
                         m); /* its subject is a tenant's book; a symbol may begin with book: too */

/* The reference of all measures and parameters as Markdown (`tocsin --help-measures`). */
void measures_reference(struct buf *out);
#endif
