/* Every path finds its row, and a row stands for one thing. */
#include "api/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11"

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int method;
        const char *id, *allow;
    } rows[] = {
        { "/v1/rules", METHOD_GET, "listRules", NULL },
        { "/v1/rules", METHOD_POST, "createRule", NULL },
        { "/v1/rules", METHOD_DELETE, NULL, "GET, HEAD, POST" },
        { "/v1/rules", METHOD_COUNT, NULL, "GET, HEAD, POST" },
        { "/v1/rules/" ID, METHOD_PUT, "replaceRule", NULL },
        { "/v1/rules/" ID, METHOD_PATCH, "changeRule", NULL },
        { "/v1/rules/" ID, METHOD_POST, NULL, "GET, HEAD, PUT, PATCH, DELETE" },
        { "/v1/rules/" ID "/versions", METHOD_GET, "getRuleVersions", NULL },
        { "/v1/channels/" ID, METHOD_PUT, NULL, "GET, HEAD, DELETE" },
        { "/", METHOD_GET, "getFile", NULL },
        { "/index.html", METHOD_GET, "getFile", NULL },
        { "/web/app.js", METHOD_GET, "getFile", NULL },
        { "/app.js", METHOD_PUT, NULL, "GET, HEAD" },
        { "/web/", METHOD_GET, NULL, NULL },
        { "/nothing.js", METHOD_GET, NULL, NULL },
        { "/metrics", METHOD_POST, NULL, "GET, HEAD" },
        { "/v1/rules/", METHOD_GET, NULL, NULL },
        { "/v1/rules/x", METHOD_GET, NULL, NULL },
        { "/v1/rules/" ID "0", METHOD_GET, NULL, NULL },
        { "/v1/rules/" ID "/", METHOD_GET, NULL, NULL },
        { "/v1", METHOD_GET, NULL, NULL },
        { "", METHOD_GET, NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct uuid id;
        char allow[ALLOW_MAX];
        const struct route *r = route_find(rows[i].path, rows[i].method, &id, allow);
        assert_true(!r == !rows[i].id);
        if (r) assert_string_equal(r->id, rows[i].id);
        assert_string_equal(allow, rows[i].allow ? rows[i].allow : "");
    }
    struct uuid id;
    char text[UUID_TEXT];
    char allow[ALLOW_MAX];
    assert_non_null(route_find("/v1/alerts/" ID, METHOD_GET, &id, allow));
    uuid_format(id, text);
    assert_string_equal(text, ID);
}

/* A name is said once: of a resource, of an operation, of a schema; and a path belongs to one resource. */
static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources_n; k++) {
            const struct resource *a = resources[i], *b = resources[k];
            if (i != k && strcmp(a->name, b->name) == 0) fail_msg("twice: %s", a->name);
            for (size_t x = 0; x < a->routes_n; x++)
                for (size_t y = 0; y < b->routes_n; y++) {
                    const struct route *one = &a->routes[x], *other = &b->routes[y];
                    if (one == other) continue;
                    if (strcmp(one->id, other->id) == 0) fail_msg("twice: %s", one->id);
                    if (i != k && strcmp(one->path, other->path) == 0)
                        fail_msg("%s is of %s and of %s", one->path, a->name, b->name);
                }
            for (size_t x = 0; x < a->schemas_n; x++)
                for (size_t y = 0; y < b->schemas_n; y++)
                    if (&a->schemas[x] != &b->schemas[y]
                        && strcmp(a->schemas[x].name, b->schemas[y].name) == 0)
                        fail_msg("twice: %s", a->schemas[x].name);
        }
}

/* What is a tenant's needs a key: all of /v1. */
static void keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->routes_n; k++) {
            const struct route *r = &resources[i]->routes[k];
            if (strncmp(r->path, "/v1/", 4) == 0 && !(r->flags & ROUTE_KEY))
                fail_msg("%s asks for no key", r->path);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(paths), cmocka_unit_test(names),
                                        cmocka_unit_test(keys) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
