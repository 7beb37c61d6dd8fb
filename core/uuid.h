/* uuid.h - 128-bit identities. Random ones name what a tenant owns; derived ones are pure functions of their inputs. */
#ifndef TOCSIN_CORE_UUID_H
#define TOCSIN_CORE_UUID_H
#include "core/err.h"

#include <stdint.h>
#include <string.h>

enum { UUID_TEXT = 37 }; /* 36 characters and a NUL */

struct uuid {
    uint8_t b[16];
}; /* all zero is "none" */

static inline bool uuid_equal(struct uuid a, struct uuid b) { return memcmp(a.b, b.b, 16) == 0; }
static inline bool uuid_is_none(struct uuid a) { return uuid_equal(a, (struct uuid){ { 0 } }); }

/* Version 4, from the kernel's generator. */
struct uuid uuid_random(void);
/* Version 8 (RFC 9562): a 128-bit mix of `a` and two numbers; the same inputs give the same id everywhere, for ever. Pure. */
struct uuid uuid_derive(struct uuid a, uint64_t x, uint64_t y);
void uuid_format(struct uuid u, char out[UUID_TEXT]);
MUST_USE enum err uuid_parse(const char *s, size_t n, struct uuid *out);
#endif
