/* str.h - bytes that belong to somebody else: a pointer and a length, not NUL-terminated as a rule. */
#ifndef TOCSIN_CORE_STR_H
#define TOCSIN_CORE_STR_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    uint32_t n;
};

static inline struct str str_of(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static inline bool str_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *s) { return str_equal(a, str_of(s)); }
#endif
