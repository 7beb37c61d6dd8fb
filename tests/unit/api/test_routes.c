/* The table: every path finds its row, every argument is checked against it, and the document made from it is whole. */
#include "api/routes.h"
#include "core/json.h"

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
        { "/v1/rules/" ID, METHOD_POST, NULL, "GET, HEAD, PUT, DELETE" },
        { "/v1/rules/" ID "/versions", METHOD_GET, "getRuleVersions", NULL },
        { "/v1/channels/" ID, METHOD_PUT, NULL, "GET, HEAD, DELETE" },
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
        const char *allow;
        const struct route *r = route_find(rows[i].path, rows[i].method, &id, &allow);
        if (rows[i].id) {
            assert_non_null(r);
            assert_string_equal(r->id, rows[i].id);
        } else {
            assert_null(r);
            if (rows[i].allow) assert_string_equal(allow, rows[i].allow);
            else assert_null(allow);
        }
    }
    struct uuid id;
    char text[UUID_TEXT];
    const char *allow;
    assert_non_null(route_find("/v1/alerts/" ID, METHOD_GET, &id, &allow));
    uuid_format(id, text);
    assert_string_equal(text, ID);
}

static enum err args(const char *target, int method, struct request *r, struct why *why)
{
    static char raw[1000];
    const char *allow;
    strcpy(raw, target);
    assert_int_equal(target_parse(raw, &r->target, why), ERR_OK);
    r->route = route_find(r->target.path, method, &r->path_id, &allow);
    assert_non_null(r->route);
    return route_args(r->route, r, why);
}

static void arguments(void **state)
{
    (void)state;
    struct request r = { 0 };
    struct why why;
    assert_int_equal(args("/v1/alerts", METHOD_GET, &r, &why), ERR_OK);
    assert_int_equal(request_arg(&r, "limit")->number, 100);
    assert_int_equal(request_arg(&r, "before")->number, -1);
    assert_int_equal(
        args("/v1/alerts?limit=1000&before=5&rule=" ID "&state=resolved", METHOD_GET, &r, &why),
        ERR_OK);
    assert_int_equal(request_arg(&r, "limit")->number, 1000);
    assert_string_equal(request_arg(&r, "state")->text, "resolved");
    assert_int_equal(args("/v1/measures?m=a&m=b", METHOD_GET, &r, &why), ERR_OK);
    assert_int_equal(
        args("/v1/measures/history?m=a&from=2018-01-02&order=desc", METHOD_GET, &r, &why), ERR_OK);
    assert_true(request_arg(&r, "from")->number
                == 1514851200ll * 1000000000ll); /* date -u -d 2018-01-02 +%s */
    static const char *const bad[] = {
        "/v1/alerts?limit=0",
        "/v1/alerts?limit=1001",
        "/v1/alerts?limit=",
        "/v1/alerts?limit=x",
        "/v1/alerts?limit=1&limit=1",
        "/v1/alerts?before=-1",
        "/v1/alerts?rule=x",
        "/v1/alerts?state=open",
        "/v1/alerts?state=",
        "/v1/alerts?state=fir",
        "/v1/alerts?nope=1",
        "/v1/alerts?=1",
        "/v1/measures?m=",
        "/v1/measures?M=a",
        "/v1/measures?m=%C3%A9",
        "/v1/measures/history",
        "/v1/measures/history?m=a&from=yesterday",
        "/v1/measures/history?m=a&order=up",
        "/healthz?a=1",
        "/v1/measures?If-None-Match=a",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (args(bad[i], METHOD_GET, &r, &why) != ERR_INVALID) fail_msg("accepted %s", bad[i]);
    static const struct {
        const char *key;
        enum err want;
    } keys[] = {
        { "a", ERR_OK }, { "", ERR_INVALID }, { "a b", ERR_INVALID }, { "\xc3\xa9", ERR_INVALID }
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        r.idempotency_key = keys[i].key;
        assert_int_equal(args("/v1/rules", METHOD_POST, &r, &why), keys[i].want);
    }
}

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
    for (size_t i = 0; i < routes_n; i++) {
        char method[8] = "";
        for (size_t k = 0; method_name(routes[i].method)[k]; k++)
            method[k] = (char)(method_name(routes[i].method)[k] | 0x20);
        json_t *op = json_object_get(json_object_get(paths, routes[i].path), method);
        assert_non_null(op);
        assert_string_equal(json_string_value(json_object_get(op, "operationId")), routes[i].id);
        char status[8];
        snprintf(status, sizeof status, "%d", routes[i].status);
        assert_non_null(json_object_get(json_object_get(op, "responses"), status));
        assert_true(!routes[i].request || routes[i].request_example);
        assert_true(!routes[i].response || routes[i].response_example);
        assert_true(!(routes[i].flags & ROUTE_KEY) == (json_object_get(op, "security") != NULL));
        assert_true(strncmp(routes[i].path, "/v1/", 4) != 0
                    || (routes[i].flags & ROUTE_KEY)); /* nothing of a tenant's without a key */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(paths), cmocka_unit_test(arguments),
                                        cmocka_unit_test(document) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
