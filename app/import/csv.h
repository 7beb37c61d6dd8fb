/* csv.h - a small strict CSV reader (RFC 4180): the header names the columns, the caller says which it wants.
 *
 * The whole file is in memory, so that it can be validated before anything is done with it. Quoted fields may hold delimiters,
 * line ends and doubled quotes; lines end with LF or CRLF; a byte order mark is skipped; empty lines are skipped. Refused, with
 * the place: a row with more or fewer fields than the header, a quote in the middle of a field, text after a closing quote,
 * a quote that never closes, NUL, bytes that are not UTF-8. What else a file may be, its dialect says. Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_CSV_H
#define TOCSIN_APP_IMPORT_CSV_H
#include "app/import/dialect.h"
#include "core/buf.h"

enum { CSV_COLUMNS_MAX = 32, CSV_FIELDS_MAX = 1000 };

struct csv_column {
    const char *
        name; /* as in the header, in any case; other names for it follow after '|': "symbol|Name" */
    bool required;
};

struct csv_place {
    long line, column; /* characters, from 1 */
};

struct csv {
    const char *name; /* what messages call the file: its path, or "standard input" */
    struct dialect *dialect;
    char *bytes, *p, *end;
    char *line_start; /* of the line that p is on */
    long line;        /* of the row csv_next gave last; the header is usually 1 */
    long next_line;   /* the line that p is on */
    size_t header_n, columns_n;
    bool has[CSV_COLUMNS_MAX];            /* which of the wanted columns there are */
    int from_field[CSV_FIELDS_MAX];       /* field of a row -> wanted column, -1: not wanted */
    struct csv_place at[CSV_COLUMNS_MAX]; /* of the fields that csv_next gave last */
    struct buf unused; /* names of the columns that are not wanted, each with its NUL */
    size_t unused_n;
    char blank[1]; /* what an absent column's fields point at */
};

/* Reads the file ("-": standard input) and its header. ERR_IO; ERR_INVALID "file:line: reason" when the text is not in its
 * encoding, or the header is no CSV, lacks a required column or has a wanted one twice. *out needs csv_release only after ERR_OK.
 * `path` and the dialect, in which it notes what columns it had, must outlive it. */
MUST_USE enum err csv_open(const char *path, struct dialect *d, const struct csv_column *columns,
                           size_t n, struct csv *out, struct why *why);
/* The same on bytes of the caller's, which are copied. */
MUST_USE enum err csv_open_bytes(const char *name, const void *p, size_t size, struct dialect *d,
                                 const struct csv_column *columns, size_t n, struct csv *out,
                                 struct why *why);
void csv_release(struct csv *c); /* fine on a zeroed one */

/* To stdout: a line for each column that is not among the wanted. */
void csv_print_unused(const struct csv *c);

/* The next row's wanted fields, in the order of `columns`; they live as long as `c`. A column that the file lacks gives empty
 * ones. *more false: there is no further row. ERR_INVALID "file:line: reason": this row is wrong, the next call goes on behind it. */
MUST_USE enum err csv_next(struct csv *c, struct str *fields, bool *more, struct why *why);
#endif
