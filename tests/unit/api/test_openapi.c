/* The document made from the tables is whole. */
#include "api/resource.h"
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything a $ref names is there, and each operation has an id, a success and an example. */
static void check_refs(json_t *node, json_t *schemas)
{
    const char *key;
    json_t *value;
    size_t i;
    if (json_is_array(node)) json_array_foreach(node, i, value) check_refs(value, schemas);
    if (!json_is_object(node)) return;
    const char *ref = json_string_value(json_object_get(node, "$ref"));
    if (ref && !json_object_get(schemas, strrchr(ref, '/') + 1)) fail_msg("no schema %s", ref);
    json_object_foreach(node, key, value) check_refs(value, schemas);
}

static void check_operation(json_t *paths, const struct route *r)
{
    char method[8] = "", status[12];
    const char *name = method_name(r->method);
    for (size_t i = 0; name[i]; i++) method[i] = (char)(name[i] | 0x20);
    json_t *op = json_object_get(json_object_get(paths, r->path), method);
    if (r->flags & ROUTE_PAGE) {
        assert_null(op);
        return;
    }
    assert_non_null(op);
    assert_non_null(json_string_value(json_object_get(op, "description")));
    assert_string_equal(json_string_value(json_object_get(op, "operationId")), r->id);
    for (int i = 0; i < ANSWERS_MAX && r->answers[i].status; i++) {
        snprintf(status, sizeof status, "%d", r->answers[i].status);
        json_t *answer = json_object_get(json_object_get(op, "responses"), status),
               *content = json_object_get(json_object_get(answer, "content"), "application/json");
        assert_non_null(answer);
        assert_true(!r->answers[i].schema || json_object_get(content, "example"));
    }
    assert_true(!r->body == !json_object_get(op, "requestBody"));
    assert_true(!(r->flags & ROUTE_KEY) == (json_object_get(op, "security") != NULL));
}

static void document(void **state)
{
    (void)state;
    AUTO_BUF struct buf out = { 0 };
    struct why why = { 0 };
    AUTO_JSON json_t *doc = NULL;
    openapi_render(&out);
    if (json_load_strict(out.data, out.len, &doc, &why))
        fail_msg("%s near %.80s", why.text, out.data + (why.at > 40 ? why.at - 40 : 0));
    json_t *schemas = json_object_get(json_object_get(doc, "components"), "schemas"),
           *paths = json_object_get(doc, "paths");
    check_refs(doc, schemas);
    for (size_t i = 0; i < resources_n; i++)
        for (size_t k = 0; k < resources[i]->routes_n; k++)
            check_operation(paths, &resources[i]->routes[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(document) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
