/* buf.h - a growable byte buffer. A failed allocation sticks: later writes do nothing and buf_ok() is false,
 * so callers check once at the end. The bytes are always followed by a NUL that is not counted. */
#ifndef TOCSIN_CORE_BUF_H
#define TOCSIN_CORE_BUF_H
#include "core/err.h"

#include <stdint.h>

struct buf {
    char *data; /* NULL until the first write */
    size_t len, cap;
    bool failed;
};

void buf_release(struct buf *b); /* frees; the struct is then an empty buffer again */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data) b->data[0] = '\0';
}
static inline bool buf_ok(const struct buf *b) { return !b->failed; }
#define AUTO_BUF __attribute__((cleanup(buf_release)))

bool buf_reserve(struct buf *b,
                 size_t more); /* room for `more` bytes beyond len; false when out of memory */
void buf_put(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
PRINTF_LIKE(2, 3) void buf_printf(struct buf *b, const char *fmt, ...);

/* JSON pieces. Strings are escaped and quoted; invalid UTF-8 is the caller's mistake (validate at the door). */
void buf_json_string(struct buf *b, const char *s, size_t n);
/* One more string of a list, written as printf does, with a comma before it where the buffer holds another already; the list's brackets
 * are the caller's. At most 399 bytes of it. */
PRINTF_LIKE(2, 3) void buf_json_item(struct buf *b, const char *fmt, ...);
/* The shortest of %.15g, %.16g, %.17g that reads back as the same double; null for NaN and infinities. */
void buf_json_double(struct buf *b, double v);
#endif
