/* bench.h - for the benches in C: what goes wrong ends them, and a record from the words of a feed. */
#ifndef TOCSIN_TESTS_BENCH_BENCH_H
#define TOCSIN_TESTS_BENCH_BENCH_H
#include "core/arena.h"
#include "core/err.h"
#include "ingest/formats/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(enum err e, const struct why *why)
{
    if (!e) return;
    fprintf(stderr, "%s: %s\n", err_name(e), why->text);
    exit(1);
}

/* Its texts are in `arena`. */
PRINTF_LIKE(2, 0)
static inline struct record record_said(struct arena *arena, const char *format, va_list args)
{
    char text[400];
    struct record r = { 0 };
    struct why why = { 0 };
    const int n = vsnprintf(text, sizeof text, format, args);
    const char *kept = arena_copy(arena, text, (size_t)n);
    if (!kept) abort();
    must(record_decode(kept, (size_t)n, arena, &r, &why), &why);
    return r;
}
#endif
