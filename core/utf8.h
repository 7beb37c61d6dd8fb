/* utf8.h - strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef TOCSIN_CORE_UTF8_H
#define TOCSIN_CORE_UTF8_H
#include <stdbool.h>
#include <stddef.h>

/* The length of the longest prefix that is whole, valid UTF-8. */
size_t utf8_valid_prefix(const char *s, size_t n);
static inline bool utf8_valid(const char *s, size_t n) { return utf8_valid_prefix(s, n) == n; }
#endif
