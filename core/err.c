#include "core/err.h"

#include "core/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
    int http;
    bool retry;
} rows[ERR_COUNT] = {
#define ERR(id, name, http, retry, text) [ERR_##id] = { name, text, http, retry },
#include "core/errors.def"
#undef ERR
};

const char *err_name(enum err e)
{
    assert((unsigned)e < ERR_COUNT);
    return rows[e].name;
}
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
