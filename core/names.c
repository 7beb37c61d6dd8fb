#include "core/names.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const err_texts[ERR_COUNT] = {
#define ERR(id, name, http, retry, text) [ERR_##id] = name,
#include "core/errors.def"
#undef ERR
};
const struct names err_names = { "error", err_texts, ERR_COUNT };

const char *names_text(const struct names *names, int value)
{
    assert(value >= 0 && value < names->n && names->texts[value]);
    return names->texts[value];
}

/* "firing, resolved" */
static void all_of(const struct names *names, char *out, size_t cap)
{
    size_t len = 0;
    out[0] = '\0';
    for (int i = 0; i < names->n && len < cap; i++)
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? ", " : "", names->texts[i]);
}

enum err names_value(const struct names *names, const char *text, size_t n, int *out,
                     struct why *why)
{
    for (int i = 0; i < names->n; i++)
        if (strlen(names->texts[i]) == n && memcmp(names->texts[i], text, n) == 0) {
            *out = i;
            return ERR_OK;
        }
    char known[200];
    all_of(names, known, sizeof known);
    return err_set(why, ERR_INVALID, "%s '%.*s' is none of %s", names->what, (int)(n < 60 ? n : 60),
                   text, known);
}
