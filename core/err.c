#include "core/err.h"

#include "core/names.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    int http;
    bool retry;
} rows[ERR_COUNT] = {
#define ERR(id, name, http, retry, text) [ERR_##id] = { text, http, retry },
#include "core/errors.def"
#undef ERR
};

static const char *const err_texts[ERR_COUNT + 1] = {
#define ERR(id, name, http, retry, text) [ERR_##id] = name,
#include "core/errors.def"
#undef ERR
};
const struct names err_names = { "error", err_texts, ERR_COUNT };

const char *err_name(enum err e) { return names_text(&err_names, (int)e); }
const char *err_text(enum err e) { return rows[e].text; }
int err_http_status(enum err e) { return rows[e].http; }
bool err_retryable(enum err e) { return rows[e].retry; }

PRINTF_LIKE(4, 0)
static enum err set(struct why *why, int at, enum err e, const char *fmt, va_list ap)
{
    if (why) {
        char text[sizeof why
                      ->text]; /* a caller that adds to the reason has it among the arguments */
        vsnprintf(text, sizeof text, fmt, ap);
        memcpy(why->text, text, strlen(text) + 1);
        why->at = at;
        /* what quotes a foreign text may have cut it inside a character, and the detail goes to the database and to users */
        size_t n = strlen(why->text), i = 0;
        while ((i += utf8_valid_prefix(why->text + i, n - i)) < n) why->text[i] = '?';
    }
    return e;
}

enum err err_set(struct why *why, enum err e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(why, 0, e, fmt, ap);
    va_end(ap);
    return e;
}

enum err err_at(struct why *why, int at, enum err e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(why, at, e, fmt, ap);
    va_end(ap);
    return e;
}
