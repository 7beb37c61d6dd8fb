/* json.h - records as JSON: one object a message, strictly. Pure; thread: any.
 *
 * Refused with a reason that names the field: unknown kind or field, duplicate key, NUL, bad
 * UTF-8, a number that is not finite, is out of range or finer than 1e-8. Prices and quantities
 * are decimal strings or JSON numbers and are read exactly, never through double. Trades and
 * closes take a flat scanner without a DOM; whatever that one does not understand (escapes,
 * nesting, anything odd) goes to the DOM decoder, whose verdict counts. */
#ifndef TOCSIN_INGEST_FORMATS_JSON_H
#define TOCSIN_INGEST_FORMATS_JSON_H
#include "core/arena.h"
#include "ingest/record.h"

/* *out is written only on ERR_OK (seq, received_ms, offset and source_id are 0). Strings point
 * into `arena`. */
MUST_USE enum err record_decode(const char *bytes, size_t n, struct arena *arena,
                                struct record *out, struct why *why);

/* An event out of the database. `columns` is what stands beside its text: kind, times, source,
 * seq; `tenant` is its owner. The text is what record_write wrote, or what older programs stored:
 * a message as it came, or the service's own {"rule_id":..., "definition":...}, {"measure":...}
 * and the like, without kind and time. */
MUST_USE enum err record_from_stored(const struct record *columns, struct uuid tenant,
                                     const char *text, size_t n, struct arena *arena,
                                     struct record *out, struct why *why);

/* The DOM decoder alone: the fast path is held against it. */
MUST_USE enum err record_decode_dom(const char *bytes, size_t n, struct arena *arena,
                                    struct record *out, struct why *why);

/* The flat scanner alone: a trade or a close in plain spelling. False is "not mine", and then
 * nothing is decided. */
bool json_scan_tick(const char *bytes, size_t n, struct record *out);
#endif
