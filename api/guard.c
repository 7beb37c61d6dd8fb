#include "api/guard.h"

#include "core/utf8.h"

#include <string.h>
#include <strings.h>

/* headers of which a second one is an attack or a mistake */
enum once {
    ONCE_HOST,
    ONCE_LENGTH,
    ONCE_ENCODING,
    ONCE_AUTHORIZATION,
    ONCE_TYPE,
    ONCE_IDEMPOTENCY,
    ONCE_CURSOR,
    ONCE_EXPECT
};
static const char *const once[GUARD_ONCE_COUNT] = {
    [ONCE_HOST] = "Host",
    [ONCE_LENGTH] = "Content-Length",
    [ONCE_ENCODING] = "Transfer-Encoding",
    [ONCE_AUTHORIZATION] = "Authorization",
    [ONCE_TYPE] = "Content-Type",
    [ONCE_IDEMPOTENCY] = "Idempotency-Key",
    [ONCE_CURSOR] = "Last-Event-ID",
    [ONCE_EXPECT] = "Expect",
};

static bool is_token_char(unsigned char c) /* RFC 9110, 5.6.2 */
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *length_reason(const char *s, size_t n, uint64_t *out)
{
    if (n == 0 || n > 18) return "bad Content-Length";
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return "bad Content-Length";
        v = v * 10 + (uint64_t)(s[i] - '0');
    }
    *out = v;
    return NULL;
}

static const char *host_reason(const char *s, size_t n)
{
    if (n == 0) return "empty Host";
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z')
              || (s[i] >= 'a' && s[i] <= 'z') || strchr("-._:[]%~", s[i])))
            return "bad Host";
    return NULL;
}

void guard_header(struct guard *g, const char *name, size_t name_n, const char *value,
                  size_t value_n)
{
    if (g->reason) return;
    if (name_n == 0) g->reason = "empty header name";
    for (size_t i = 0; i < name_n; i++)
        if (!is_token_char((unsigned char)name[i])) g->reason = "bad header name";
    for (size_t i = 0; i < value_n; i++) {
        unsigned char c = (unsigned char)value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) g->reason = "control byte in a header";
    }
    if (g->reason) return;
    for (int i = 0; i < GUARD_ONCE_COUNT; i++) {
        if (strlen(once[i]) != name_n || strncasecmp(once[i], name, name_n) != 0) continue;
        if (++g->seen[i] > 1) g->reason = "a header that may come once came twice";
        else if (i == ONCE_HOST) g->reason = host_reason(value, value_n);
        else if (i == ONCE_LENGTH) g->reason = length_reason(value, value_n, &g->content_length);
        else if (i == ONCE_ENCODING && (value_n != 7 || strncasecmp(value, "chunked", 7) != 0))
            g->reason = "transfer encoding other than chunked";
        else if (i == ONCE_EXPECT && (value_n != 12 || strncasecmp(value, "100-continue", 12) != 0))
            g->reason = "expectation other than 100-continue";
    }
}

const char *guard_end(struct guard *g, const char *version)
{
    bool http11 = strcmp(version, "HTTP/1.1") == 0;
    if (g->reason) return g->reason;
    if (!http11 && strcmp(version, "HTTP/1.0") != 0)
        return g->reason = "HTTP version other than 1.0 and 1.1";
    if (g->seen[ONCE_LENGTH] && g->seen[ONCE_ENCODING])
        return g->reason = "Content-Length with Transfer-Encoding";
    if (http11 && !g->seen[ONCE_HOST]) return g->reason = "no Host";
    if (!http11 && g->seen[ONCE_ENCODING]) return g->reason = "Transfer-Encoding in HTTP/1.0";
    return NULL;
}

bool guard_has_body(const struct guard *g)
{
    return g->content_length > 0 || g->seen[ONCE_ENCODING] > 0;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes s in place; false for a bad escape, a control byte, or what is not UTF-8 */
static bool decode(char *s, bool plus_is_space)
{
    char *to = s;
    for (const char *from = s; *from; from++) {
        char c = *from;
        if (c == '%') {
            int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
            if (low < 0) return false;
            c = (char)(high << 4 | low);
            from += 2;
        } else if (c == '+' && plus_is_space) c = ' ';
        if ((unsigned char)c < 0x20 || c == 0x7F) return false;
        *to++ = c;
    }
    *to = '\0';
    return utf8_valid(s, (size_t)(to - s));
}

enum err target_parse(char *raw, struct target *out, struct why *why)
{
    struct target t = { 0 };
    for (const char *p = raw; *p; p++)
        if (*p <= 0x20 || *p > 0x7E || strchr("\"<>#", *p))
            return err_set(why, ERR_INVALID,
                           "a byte that must be percent-encoded in the request target");
    if (strncasecmp(raw, "http://", 7) == 0 || strncasecmp(raw, "https://", 8) == 0) {
        raw = strchr(strchr(raw, '/') + 2, '/');
        if (!raw) return err_set(why, ERR_INVALID, "request target without a path");
    }
    if (*raw != '/') return err_set(why, ERR_INVALID, "request target must begin with a slash");
    t.path = raw;
    char *query = strchr(raw, '?');
    if (query) *query++ = '\0';
    if (!decode(t.path, false)) return err_set(why, ERR_INVALID, "bad escape in the path");
    for (char *next; query; query = next) {
        next = strchr(query, '&');
        if (next) *next++ = '\0';
        if (!*query) continue;
        if (t.args_n == TARGET_ARGS_MAX)
            return err_set(why, ERR_INVALID, "more than %d query parameters", TARGET_ARGS_MAX);
        char *value = strchr(query, '=');
        if (value) *value++ = '\0';
        else value = query + strlen(query);
        if (!decode(query, true) || !decode(value, true))
            return err_set(why, ERR_INVALID, "bad escape in the query");
        t.args[t.args_n++] = (struct target_arg){ query, value };
    }
    *out = t;
    return ERR_OK;
}

const char *target_arg(const struct target *t, const char *name)
{
    for (size_t i = 0; i < t->args_n; i++)
        if (strcmp(t->args[i].name, name) == 0) return t->args[i].value;
    return NULL;
}

enum err number_parse(const char *s, int64_t *out)
{
    int64_t v = 0;
    if (!*s) return ERR_INVALID;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v)
            || __builtin_add_overflow(v, *s - '0', &v))
            return ERR_INVALID;
    }
    *out = v;
    return ERR_OK;
}
