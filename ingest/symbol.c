#include "ingest/symbol.h"

const uint8_t char_class[256] = {
    ['0' ... '9'] = CHAR_SYMBOL | CHAR_NAME,
    ['A' ... 'Z'] = CHAR_SYMBOL | CHAR_NAME,
    ['a' ... 'z'] = CHAR_SYMBOL | CHAR_NAME,
    ['.'] = CHAR_SYMBOL | CHAR_NAME,
    ['-'] = CHAR_SYMBOL | CHAR_NAME,
    ['_'] = CHAR_SYMBOL | CHAR_NAME,
    ['/'] = CHAR_SYMBOL, /* currency pairs: EUR/USD */
    [':'] = CHAR_SYMBOL, /* venues: XNAS:AAPL */
};

enum err symbol_from(const char *s, size_t n, struct symbol *out)
{
    if (n == 0 || n > SYMBOL_MAX) return ERR_INVALID;
    struct symbol made = { { 0 } };
    for (size_t i = 0; i < n; i++) {
        if (!(char_class[(uint8_t)s[i]] & CHAR_SYMBOL)) return ERR_INVALID;
        made.s[i] = s[i];
    }
    *out = made;
    return ERR_OK;
}

bool name_chars(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(char_class[(uint8_t)s[i]] & CHAR_NAME)) return false;
    return true;
}
