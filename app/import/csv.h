/* csv.h - a small strict CSV reader (RFC 4180): the header names the columns, the caller says which it wants.
 *
 * The whole file is in memory, so that it can be validated before anything is done with it. Quoted fields may hold commas, line
 * ends and doubled quotes; lines end with LF or CRLF; a byte order mark is skipped; empty lines are skipped. Refused, with the
 * line's number: a row with more or fewer fields than the header, a quote in the middle of a field, text after a closing quote,
 * a quote that never closes, NUL, bytes that are not UTF-8. Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_CSV_H
#define TOCSIN_APP_IMPORT_CSV_H
#include "core/err.h"
#include "ingest/record.h"

enum { CSV_COLUMNS_MAX = 16, CSV_FIELDS_MAX = 1000 };

struct csv_column {
    const char *
        name; /* as in the header, in any case; other names for it follow after '|': "symbol|Name" */
    bool required;
};

struct csv {
    const char *name; /* what messages call the file: its path, or "standard input" */
    char *bytes, *p, *end;
    long line; /* of the row csv_next gave last; the header is usually 1 */
    long next_line;
    size_t header_n, columns_n;
    int from_field[CSV_FIELDS_MAX]; /* field of a row -> wanted column, -1: not wanted */
    char blank[1];                  /* what an absent column's fields point at */
};

/* Reads the file ("-": standard input) and its header. ERR_IO; ERR_INVALID "file:line: reason" when the header is no CSV, lacks a
 * required column or has a wanted one twice. *out needs csv_release only after ERR_OK. `path` must outlive it. */
MUST_USE enum err csv_open(const char *path, const struct csv_column *columns, size_t n,
                           struct csv *out, struct why *why);
/* The same on bytes of the caller's, which are copied. */
MUST_USE enum err csv_open_bytes(const char *name, const void *p, size_t size,
                                 const struct csv_column *columns, size_t n, struct csv *out,
                                 struct why *why);
void csv_release(struct csv *c); /* fine on a zeroed one */

/* The next row's wanted fields, in the order of `columns`; they live as long as `c`. A column that the file lacks gives empty
 * ones. *more false: there is no further row. ERR_INVALID "file:line: reason": this row is wrong, the next call goes on behind it. */
MUST_USE enum err csv_next(struct csv *c, struct str *fields, bool *more, struct why *why);
#endif
