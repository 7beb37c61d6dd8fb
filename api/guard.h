/* guard.h - refuses requests whose framing two servers could read differently, and breaks a request target into its parts.
 *
 * libmicrohttpd 0.9.75 parses leniently enough to smuggle one request inside another. The guard looks at what it made of the
 * request before anything acts on it; what it refuses is answered 400 and the connection closed, so that bytes after it are never
 * read as a request. Bare LF and folded headers cannot be seen from here: 1.0 refuses them itself. Pure. */
#ifndef TOCSIN_API_GUARD_H
#define TOCSIN_API_GUARD_H
#include "core/err.h"

#include <stdint.h>

enum { GUARD_ONCE_COUNT = 8 };

struct guard {
    const char *reason;              /* the first thing wrong; NULL so far */
    unsigned seen[GUARD_ONCE_COUNT]; /* how often each header that may come once did */
    uint64_t content_length;
};

/* Each header as it came. `value_n` is what the library says the length is: a NUL inside shows. */
void guard_header(struct guard *g, const char *name, size_t name_n, const char *value,
                  size_t value_n);
/* After all headers: the reason to refuse, or NULL. */
const char *guard_end(struct guard *g, const char *version);
bool guard_has_body(const struct guard *g);

struct target_arg {
    const char *name, *value;
};
enum { TARGET_ARGS_MAX = 256 };
struct target {
    char *path; /* decoded; begins with a slash, holds no control byte, is UTF-8 */
    size_t args_n;
    struct target_arg args[TARGET_ARGS_MAX]; /* decoded likewise, in the order they came */
};

/* The raw request target, decoded in place: `out` points into it. Accepts origin form and http absolute form.
 * ERR_INVALID for bytes outside the URI alphabet, bad or NUL escapes, invalid UTF-8, control bytes, too many arguments. */
MUST_USE enum err target_parse(char *raw, struct target *out, struct why *why);
const char *target_arg(const struct target *t, const char *name); /* the first; NULL when absent */

/* Digits only, at most 2^63 - 1. */
MUST_USE enum err number_parse(const char *s, int64_t *out);
#endif
