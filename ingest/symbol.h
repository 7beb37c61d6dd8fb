/* symbol.h - the characters that symbols and names may have. Pure; thread: any. */
#ifndef TOCSIN_INGEST_SYMBOL_H
#define TOCSIN_INGEST_SYMBOL_H
#include "core/err.h"
#include "ingest/record.h"

enum { CHAR_SYMBOL = 1, CHAR_NAME = 2 }; /* bits of char_class[] */
extern const uint8_t char_class[256];

/* "AAPL" to its padded form; ERR_INVALID when empty, longer than SYMBOL_MAX, or of other
 * characters than A-Z a-z 0-9 . - _ / : and then *out is left alone. */
MUST_USE enum err symbol_from(const char *s, size_t n, struct symbol *out);

/* Is it all of A-Z a-z 0-9 . - _, as the names of indexes and books are? */
bool name_chars(const char *s, size_t n);
#endif
