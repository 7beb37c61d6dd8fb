/* wire.h - a row as PostgreSQL's binary format has it: out as a tuple of COPY, in from a result. Big-endian numbers, each field
 * behind its length; null is length -1. Pure; thread: any. */
#ifndef TOCSIN_STORE_WIRE_H
#define TOCSIN_STORE_WIRE_H
#include "core/row.h"

#include <libpq-fe.h>

/* What goes before the first tuple and after the last one. */
void wire_begin(struct buf *out);
void wire_end(struct buf *out);

/* Appends the row as one tuple. */
void wire_put(const struct row_type *t, const void *row, struct buf *out);

/* Row `i` of a binary result whose columns from `first` on are the row's, in order. Its texts live in the result, and end in a NUL there.
 * ERR_DB: not this type's columns. ERR_INVALID: a text that is none of its enum's; the detail names the column. */
MUST_USE enum err wire_get_at(const struct row_type *t, const PGresult *r, int i, int first,
                              void *out, struct why *why);
/* The same of a result that has no other columns. */
MUST_USE enum err wire_get(const struct row_type *t, const PGresult *r, int i, void *out,
                           struct why *why);
#endif
