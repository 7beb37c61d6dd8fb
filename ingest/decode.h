/* decode.h - from the bytes of one message to a record, strictly. Pure; thread: any.
 *
 * Refused with a reason that names the field: unknown kind or field, duplicate key, NUL, bad UTF-8, a number that is not
 * finite, is out of range or finer than 1e-8. Prices and quantities are decimal strings or JSON numbers and are read
 * exactly, never through double. Trades and closes take a flat scanner without a DOM; whatever that one does not
 * understand (escapes, nesting, anything odd) goes to the DOM decoder, whose verdict counts. */
#ifndef TOCSIN_INGEST_DECODE_H
#define TOCSIN_INGEST_DECODE_H
#include "core/arena.h"
#include "ingest/record.h"

enum { MESSAGE_MAX = 1 << 20 }; /* bytes of one message */

/* *out is written only on ERR_OK (seq, received_ms, offset and source_id are 0). Strings point into `arena`. */
MUST_USE enum err record_decode(const char *bytes, size_t n, struct arena *arena,
                                struct record *out, struct why *why);

/* The DOM decoder alone: the fast path is held against it. */
MUST_USE enum err record_decode_dom(const char *bytes, size_t n, struct arena *arena,
                                    struct record *out, struct why *why);

/* "AAPL" to its padded form; ERR_INVALID when empty, longer than SYMBOL_MAX, or of other characters. */
MUST_USE enum err symbol_from(const char *s, size_t n, struct symbol *out);
#endif
