/* prices.h - a CSV file of official closes, checked whole before any of it is used. For `replay` and `import`.
 *
 * Columns by header: date, close, and symbol (or Name); others are named and not used. Rows are sorted by date, a symbol has one
 * row a date. Prices of 0 and below are read: whether an instrument may have them is for who applies them. A close goes out at 21:00 UTC of its date plus one nanosecond a row, so event times strictly increase; the clock
 * record that ends the session comes one nanosecond after its last close. */
#ifndef TOCSIN_APP_IMPORT_PRICES_H
#define TOCSIN_APP_IMPORT_PRICES_H
#include "app/import/csv.h"
#include "app/import/problems.h"

struct price_row {
    struct symbol symbol;
    int64_t price_e8;
    int32_t day;
    uint32_t nth; /* within its date: 0, 1, 2 ... */
    int64_t line; /* in the file */
    bool stored;  /* known.c: the database has this very close */
};

struct price_options {
    struct dialect *dialect;
    int32_t from, to; /* dates outside are checked and then left out; NO_DAY: no bound */
};

struct rounding { /* what --round did */
    size_t n;     /* closes that changed */
    double most;  /* the largest change */
    struct csv_place at;
    char was[64];
    int64_t is_e8;
};

struct price_file {
    const char *name;
    struct price_row *rows;
    size_t n, cap;
    size_t read;    /* rows in the file */
    size_t skipped; /* rows left out for want of a close */
    size_t days;
    struct rounding rounding;
};

/* ERR_IO / ERR_NOMEM in `why`; ERR_INVALID: every wrong row is in `problems` and *out is empty. `path` must outlive *out. Says on
 * stdout which columns are not used. */
MUST_USE enum err prices_load(const char *path, const struct price_options *o,
                              struct price_file *out, struct problems *problems, struct why *why);
void prices_release(struct price_file *f);
/* To stdout, nothing when nothing was rounded. */
void prices_print_rounding(const struct price_file *f, const struct dialect *d);

/* The close message of row i; and, when no row of its date follows, the clock message that ends the session. Both append. */
void prices_close_message(const struct price_file *f, size_t i, struct buf *out);
bool prices_ends_day(const struct price_file *f, size_t i);
void prices_clock_message(const struct price_file *f, size_t i, struct buf *out);
#endif
