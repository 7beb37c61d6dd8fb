/* Every argument is checked against the row that declares it. */
#include "api/resource.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11"

static enum err args(const char *target, int method, struct request *r, struct why *why)
{
    static char raw[1000];
    char allow[ALLOW_MAX];
    strcpy(raw, target);
    assert_int_equal(target_parse(raw, &r->target, why), ERR_OK);
    r->route = route_find(r->target.path, method, &r->path_id, allow);
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
        request_keep_header(&r, header_wanted("idempotency-key"), keys[i].key);
        assert_int_equal(args("/v1/rules", METHOD_POST, &r, &why), keys[i].want);
    }
}

/* Of the headers those are kept that somebody reads; the last of a name counts. */
static void headers(void **state)
{
    (void)state;
    struct request r = { 0 };
    assert_string_equal(header_wanted("AUTHORIZATION"), "Authorization");
    assert_string_equal(header_wanted("last-event-id"), "Last-Event-ID");
    assert_null(header_wanted("Accept"));
    assert_null(header_wanted("limit")); /* an argument, but of a query */
    assert_null(request_header(&r, "Authorization"));
    request_keep_header(&r, header_wanted("authorization"), "a");
    request_keep_header(&r, header_wanted("content-type"), "b");
    request_keep_header(&r, header_wanted("Authorization"), "c");
    assert_string_equal(request_header(&r, "Authorization"), "c");
    assert_string_equal(request_header(&r, "Content-Type"), "b");
    assert_int_equal(r.headers_n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(arguments), cmocka_unit_test(headers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
