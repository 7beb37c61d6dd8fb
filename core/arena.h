/* arena.h - bump allocation for things that die together, such as the strings of one batch of records. */
#ifndef TOCSIN_CORE_ARENA_H
#define TOCSIN_CORE_ARENA_H
#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *first, *current;
};

void *arena_alloc(struct arena *a, size_t n); /* 16-byte aligned; NULL when out of memory */
char *arena_copy(struct arena *a, const void *p, size_t n); /* n bytes and a NUL */
void arena_clear(struct arena *a);                          /* keeps the chunks for reuse */
void arena_trim(struct arena *a); /* of a cleared one: keeps the usual chunk, gives back the rest */
void arena_release(struct arena *a);
#endif
