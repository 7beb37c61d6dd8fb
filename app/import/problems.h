/* problems.h - what is wrong with a file, all of it in one go, so that it is mended in one go. */
#ifndef TOCSIN_APP_IMPORT_PROBLEMS_H
#define TOCSIN_APP_IMPORT_PROBLEMS_H
#include "core/buf.h"

enum { PROBLEMS_MAX = 100 };

/* Problems gather one line each, of which the first PROBLEMS_MAX are kept; *count counts them all. */
struct problems {
    struct buf text;
    size_t count;
};
PRINTF_LIKE(2, 3) void problem_add(struct problems *p, const char *fmt, ...);
/* To stderr, with how many more there are. */
void problems_print(const struct problems *p);
#endif
