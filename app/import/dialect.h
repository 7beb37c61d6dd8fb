/* dialect.h - how a CSV file is written: what the user says of it, and reading fields accordingly.
 *
 * Nothing is guessed: a file that is not plain is refused, and the refusal names the option that would take it. The options are
 * rows of dialect.def. Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_DIALECT_H
#define TOCSIN_APP_IMPORT_DIALECT_H
#include "core/err.h"
#include "ingest/record.h"

enum { DIALECT_COLUMNS_MAX = 16, FAULT_MAX = 240, NUMBER_DECIMALS_MAX = 20 };

struct dialect {
    char delimiter, decimal, thousands; /* thousands 0: none */
    const char *encoding;               /* as iconv knows it; NULL: UTF-8 */
    const char *dates;                  /* a pattern; NULL: YYYY-MM-DD */
    const char *strip;                  /* "" : nothing */
    struct symbol symbol;               /* "" : a column says it */
    bool cr_ends, trim, trailing_delimiter, skip_empty, sort;
    long skip_first, skip_last; /* lines */
    int64_t round_e8;           /* 0: as they are */
    struct {
        struct str name; /* here */
        const char *header;
        bool used; /* a file had it */
    } columns[DIALECT_COLUMNS_MAX];
    size_t columns_n;
};

extern const struct dialect dialect_plain;

/* Is argv[*i] an option of the dialect? Then *i moves on over its value, and `why` says what is wrong with that: ERR_INVALID.
 * ERR_NOT_FOUND: it is none of ours. The texts must outlive the dialect. */
MUST_USE enum err dialect_option(struct dialect *d, int argc, char **argv, int *i, struct why *why);

/* Is a character both the decimal sign and between thousands? To be asked when all options are read. */
bool dialect_conflicts(const struct dialect *d);

/* The header's name for a column that is called `name` here, NULL: none was said. */
const char *dialect_header(const struct dialect *d, struct str name, size_t *at);
/* The first --column that no file had; NULL: none. */
const char *dialect_unused(const struct dialect *d);

/* ---- fields; on failure `fault` says what is wrong with the field, to stand behind its name, and which option takes it ---- */
bool dialect_date(const struct dialect *d, struct str s, int32_t *out, char fault[FAULT_MAX]);

/* Exactly what was written: digits / 10^scale. */
typedef __int128 number_digits;
struct number {
    number_digits digits;
    int scale;    /* 0 to NUMBER_DECIMALS_MAX */
    int decimals; /* of the text that are not zero, all of them */
};
enum number_kind { NUMBER_READ, NUMBER_EMPTY, NUMBER_WRONG };
/* NUMBER_EMPTY: nothing, or a word that says so, NaN, null ... : `fault` names it. */
enum number_kind dialect_number(const struct dialect *d, struct str s, struct number *out,
                                char fault[FAULT_MAX]);
/* At 1e-8: false when that is not exact or does not fit. */
bool number_e8(const struct number *n, int64_t *out);
/* The nearest multiple of tick_e8, halves away from zero; *change is how far it is. False: does not fit. */
bool number_round(const struct number *n, int64_t tick_e8, int64_t *out, double *change);
/* true, yes, 1; false, no, 0: in any case. False: it is none of them. */
bool dialect_flag(struct str s, bool *out);
/* A whole number of at most 18 digits. */
bool number_whole(const struct number *n, int64_t *out);
#endif
