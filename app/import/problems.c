#include "app/import/problems.h"

#include <stdarg.h>
#include <stdio.h>

void problem_add(struct problems *p, const char *fmt, ...)
{
    if (p->count++ >= PROBLEMS_MAX) return;
    char text[600];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_puts(&p->text, text);
    buf_puts(&p->text, "\n");
}

void problems_print(const struct problems *p)
{
    if (p->text.len) fputs(p->text.data, stderr);
    if (p->count > PROBLEMS_MAX) fprintf(stderr, "and %zu more\n", p->count - PROBLEMS_MAX);
}
