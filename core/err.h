/* err.h - one list of errors, and one line that explains and fails.
 *
 * The list is errors.def. Functions that can fail return enum err and write detail into a caller-owned
 * struct why (NULL where nobody will read it). Only the edges log. */
#ifndef TOCSIN_CORE_ERR_H
#define TOCSIN_CORE_ERR_H
#include <stdbool.h>
#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

enum err {
#define ERR(id, name, http, retry, text) ERR_##id,
#include "core/errors.def"
#undef ERR
    ERR_COUNT
};
extern const struct names err_names; /* core/names.c */

struct why {
    char text[400];
    int at; /* 1-based character the error points at; 0 when it points nowhere */
};

const char *err_name(
    enum err e); /* "not_found": stable, lower case; used in logs, problem codes and dead letters */
const char *err_text(enum err e); /* "no such thing" */
int err_http_status(enum err e);
bool err_retryable(enum err e);

/* Writes the detail and returns `e`, so one statement both explains and fails. Leaves why->at at 0. The detail is valid UTF-8
 * whatever was quoted and wherever it was cut: a byte that is not becomes '?'. The arguments may hold why->text: so a reason is added to. */
PRINTF_LIKE(3, 4) enum err err_set(struct why *why, enum err e, const char *fmt, ...);
/* The same, pointing at 1-based character `at` of the text that was refused. */
PRINTF_LIKE(4, 5) enum err err_at(struct why *why, int at, enum err e, const char *fmt, ...);
#endif
