#include "core/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, cap;
    alignas(16) char data[];
};

enum { CHUNK = 64 * 1024 };

void *arena_alloc(struct arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    struct arena_chunk *c = a->current;
    while (c && c->cap - c->used < n && c->next) {
        c = c->next;
        c->used = 0;
    }
    if (!c || c->cap - c->used < n) {
        size_t cap = n > CHUNK ? n : CHUNK;
        struct arena_chunk *fresh = malloc(sizeof *fresh + cap);
        if (!fresh) return NULL;
        *fresh = (struct arena_chunk){ .next = NULL, .cap = cap };
        if (c) c->next = fresh;
        else a->first = fresh;
        c = fresh;
    }
    a->current = c;
    void *p = c->data + c->used;
    c->used += n;
    return p;
}

char *arena_copy(struct arena *a, const void *p, size_t n)
{
    char *out = arena_alloc(a, n + 1);
    if (!out) return NULL;
    if (n) memcpy(out, p, n);
    out[n] = '\0';
    return out;
}

void arena_clear(struct arena *a)
{
    a->current = a->first;
    if (a->first) a->first->used = 0;
}

void arena_trim(struct arena *a)
{
    struct arena_chunk *keep = a->first;
    if (!keep) return;
    if (keep->cap > CHUNK) {
        arena_release(a);
        return;
    }
    struct arena rest = { .first = keep->next };
    arena_release(&rest);
    keep->next = NULL;
}

void arena_release(struct arena *a)
{
    for (struct arena_chunk *c = a->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    *a = (struct arena){ 0 };
}
