/* The request guard: what two servers could read differently is refused; what is plain passes. */
#include "api/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct header {
    const char *name, *value;
};

static const char *verdict(const struct header *h, const char *version)
{
    struct guard g = { 0 };
    for (; h->name; h++) guard_header(&g, h->name, strlen(h->name), h->value, strlen(h->value));
    return guard_end(&g, version);
}

static void framing(void **state)
{
    (void)state;
    static const struct {
        struct header h[4];
        const char *version;
        bool pass;
    } rows[] = {
        { { { "Host", "x" } }, "HTTP/1.1", true },
        { { { "Host", "[::1]:8080" } }, "HTTP/1.1", true },
        { { { "X", "1" } }, "HTTP/1.0", true },
        { { { "Host", "x" }, { "Content-Length", "5" } }, "HTTP/1.1", true },
        { { { "Host", "x" }, { "Transfer-Encoding", "Chunked" } }, "HTTP/1.1", true },
        { { { "Host", "x" }, { "Expect", "100-Continue" } }, "HTTP/1.1", true },
        { { { "X", "1" } }, "HTTP/1.1", false },
        { { { "Host", "" } }, "HTTP/1.1", false },
        { { { "Host", "a/b" } }, "HTTP/1.1", false },
        { { { "Host", "a" }, { "hOST", "a" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Content-Length", "5" }, { "content-length", "5" } },
          "HTTP/1.1",
          false },
        { { { "Host", "x" }, { "Content-Length", "5" }, { "Transfer-Encoding", "chunked" } },
          "HTTP/1.1",
          false },
        { { { "Host", "x" }, { "Content-Length", "5, 5" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Content-Length", "" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Content-Length", "+5" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Content-Length", "9999999999999999999" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Content-Length ", "5" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "", "5" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "X\x7f", "5" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "X", "a\x01" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Transfer-Encoding", "gzip, chunked" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Transfer-Encoding", "identity" } }, "HTTP/1.1", false },
        { { { "Host", "x" }, { "Transfer-Encoding", "chunked" } }, "HTTP/1.0", false },
        { { { "Host", "x" }, { "Authorization", "a" }, { "Authorization", "b" } },
          "HTTP/1.1",
          false },
        { { { "Host", "x" }, { "Expect", "something" } }, "HTTP/1.1", false },
        { { { "Host", "x" } }, "HTTP/1.2", false },
        { { { "Host", "x" } }, "HTTP/2.0", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *reason = verdict(rows[i].h, rows[i].version);
        if ((reason == NULL) != rows[i].pass)
            fail_msg("row %zu: %s", i, reason ? reason : "passed");
    }
    struct guard g = { 0 };
    guard_header(&g, "X", 1, "a\0b", 3);
    assert_non_null(guard_end(&g, "HTTP/1.0"));
}

static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path, *name, *value;
    } good[] = {
        { "/", "/", NULL, NULL },
        { "/v1/measures?m=hhi(DEMO)", "/v1/measures", "m", "hhi(DEMO)" },
        { "/a%20b?x=1+2%2B3&y", "/a b", "x", "1 2+3" },
        { "/a?y", "/a", "y", "" },
        { "/a?&&=v", "/a", "", "v" },
        { "http://example.com/a?b=c", "/a", "b", "c" },
        { "/%C3%A9", "/\xc3\xa9", NULL, NULL },
    };
    static const char *const bad[] = { "",
                                       "a",
                                       "*",
                                       "x:80",
                                       "/\x01",
                                       "/a b",
                                       "/a#b",
                                       "/%",
                                       "/%4",
                                       "/%zz",
                                       "/%00",
                                       "/a?b=%00",
                                       "/%0a",
                                       "/%c0%af",
                                       "/%ff",
                                       "/\xc3\xa9",
                                       "http://example.com",
                                       "/%7f" };
    char raw[5 * TARGET_ARGS_MAX + 100];
    struct target t;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        strcpy(raw, good[i].raw);
        assert_int_equal(target_parse(raw, &t, NULL), ERR_OK);
        assert_string_equal(t.path, good[i].path);
        if (good[i].name) assert_string_equal(target_arg(&t, good[i].name), good[i].value);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        strcpy(raw, bad[i]);
        if (target_parse(raw, &t, NULL) != ERR_INVALID) fail_msg("accepted row %zu", i);
    }
    strcpy(raw, "/a?");
    for (int i = 0; i < TARGET_ARGS_MAX; i++) strcat(raw, "b=1&");
    char full[sizeof raw + 20];
    strcpy(full, raw);
    assert_int_equal(target_parse(full, &t, NULL), ERR_OK);
    strcat(raw, "b=1");
    assert_int_equal(target_parse(raw, &t, NULL), ERR_INVALID);
}

static void numbers(void **state)
{
    (void)state;
    int64_t v = -1;
    assert_int_equal(number_parse("9223372036854775807", &v), ERR_OK);
    assert_true(v == INT64_MAX);
    assert_int_equal(number_parse("007", &v), ERR_OK);
    assert_int_equal(v, 7);
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "1e3", "9223372036854775808", "99999999999999999999999"
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(number_parse(bad[i], &v), ERR_INVALID);
    assert_int_equal(v, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(framing), cmocka_unit_test(targets),
                                        cmocka_unit_test(numbers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
