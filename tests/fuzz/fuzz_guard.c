/* fuzz_guard.c - request targets, headers, arguments, key texts: nothing reads past its input,
 * and what is accepted is clean. */
#include "api/auth.h"
#include "api/resource.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    if (!text) return 0;
    memcpy(text, data, n);
    text[n] = '\0';

    struct guard g = { 0 }; /* the input as lines of name:value */
    for (const char *line = text; line < text + n;) {
        const char *end = memchr(line, '\n', (size_t)(text + n - line));
        size_t k = (size_t)((end ? end : text + n) - line);
        const char *colon = memchr(line, ':', k);
        if (colon)
            guard_header(&g, line, (size_t)(colon - line), colon + 1,
                         k - (size_t)(colon - line) - 1);
        line += k + 1;
    }
    if (!guard_end(&g, "HTTP/1.1") && g.seen[1] && g.seen[2])
        abort(); /* Content-Length with Transfer-Encoding never passes */

    struct key key;
    if (auth_header_key(text, &key) && strlen(key.id) != KEY_ID_LEN) abort();

    struct request r = { 0 };
    request_keep_header(&r, "Last-Event-ID", text);
    request_keep_header(&r, "Idempotency-Key", text);
    request_keep_header(&r, "If-None-Match", text);
    char *raw = strdup(text);
    struct why why;
    if (raw && !target_parse(raw, &r.target, &why)) {
        for (const char *p = r.target.path; *p; p++)
            if ((unsigned char)*p < 0x20 || *p == 0x7F) abort();
        if (r.target.path[0] != '/' || !utf8_valid(r.target.path, strlen(r.target.path))) abort();
        for (size_t i = 0; i < resources_n; i++) /* the arguments against every row */
            for (size_t k = 0; k < resources[i]->routes_n; k++) {
                r.route = &resources[i]->routes[k];
                enum err e = route_args(r.route, &r, &why);
                if (e && !why.text[0]) abort();
            }
        char allow[ALLOW_MAX];
        route_find(r.target.path, METHOD_GET, &r.path_id, allow);
    }
    free(raw);
    free(text);
    return 0;
}
