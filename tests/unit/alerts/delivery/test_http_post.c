/* One POST: what goes out, what a receiver that misbehaves can do to us (nothing), and that no
 * name leads inside.
 *
 * This program is its own name server: it defines getaddrinfo, so names can resolve to where
 * they should not. */
#include "alerts/delivery/http_post.h"
#include "alerts/delivery/url.h"
#include "core/when.h"
#include "tests/unit/alerts/delivery/fault_server.h"

#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- names ---- */

static atomic_bool rebound;

static struct addrinfo *answer(const char *ip, const char *service, struct addrinfo *next)
{
    struct addrinfo *a = calloc(1, sizeof *a);
    struct sockaddr_storage *sa = calloc(1, sizeof *sa);
    assert(a && sa);
    uint16_t port = htons((uint16_t)strtoul(service ? service : "0", NULL, 10));
    if (strchr(ip, ':')) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)sa;
        in->sin6_family = AF_INET6, in->sin6_port = port;
        inet_pton(AF_INET6, ip, &in->sin6_addr);
        *a = (struct addrinfo){ .ai_family = AF_INET6, .ai_addrlen = sizeof *in };
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)sa;
        in->sin_family = AF_INET, in->sin_port = port;
        inet_pton(AF_INET, ip, &in->sin_addr);
        *a = (struct addrinfo){ .ai_family = AF_INET, .ai_addrlen = sizeof *in };
    }
    a->ai_socktype = SOCK_STREAM, a->ai_protocol = IPPROTO_TCP, a->ai_addr = (struct sockaddr *)sa,
    a->ai_next = next;
    return a;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)hints;
    static const struct {
        const char *name, *ip, *second;
    } names[] = {
        { "loopback.test", "127.0.0.1", NULL },
        { "metadata.test", "169.254.169.254", NULL },
        { "private.test", "10.1.2.3", "127.0.0.1" },
        { "mapped.test", "::ffff:127.0.0.1", NULL },
        { "six.test", "::1", NULL },
        { "nat64.test", "64:ff9b::7f00:1", NULL },
        { "zero.test", "0.0.0.0", NULL },
        { "unique.test", "fd00::1", "::1" },
    };
    if (strcmp(name, "rebind.test") == 0) { /* public when it is looked at, inside when it counts */
        *out = answer(atomic_load(&rebound) ? "127.0.0.1" : "192.0.3.1", service, NULL);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i].name) != 0) continue;
        *out = answer(names[i].ip, service,
                      names[i].second ? answer(names[i].second, service, NULL) : NULL);
        return 0;
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *a)
{
    while (a) {
        struct addrinfo *next = a->ai_next;
        free(a->ai_addr);
        free(a);
        a = next;
    }
}

/* ---- attempts ---- */

struct world {
    struct fault_server *server;
    struct http_client *client;
};

static const char body_text[] = "{\"type\":\"alert.firing\",\"name\":\"caf\xC3\xA9 \\u0000\"}";

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->server = fault_server_start();
    const struct channel_setup setup = { .limits = { .allow_plain = true, .allow_private = true },
                                         .connect_timeout_ms = 2000,
                                         .timeout_ms = 3000 };
    assert_int_equal(http_client_new(&setup, &w->client), ERR_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    http_client_free(w->client);
    fault_server_stop(w->server);
    free(w);
    return 0;
}

static struct sent send_url(struct http_client *client, const char *url)
{
    struct sent r = { 0 };
    const struct http_request q = { .url = url,
                                    .headers = { "content-type: text/x-test", "x-id: 7" },
                                    .body = body_text,
                                    .body_n = sizeof body_text - 1 };
    http_post(client, &q, &r);
    return r;
}

static struct sent send_path(struct world *w, const char *path)
{
    char url[128];
    fault_url(w->server, path, url);
    return send_url(w->client, url);
}

static void a_status_means_what_the_table_says(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum outcome outcome;
    } rows[] = {
        { 0, OUTCOME_RETRY },       { 199, OUTCOME_RETRY },     { 200, OUTCOME_DELIVERED },
        { 204, OUTCOME_DELIVERED }, { 299, OUTCOME_DELIVERED }, { 300, OUTCOME_RETRY },
        { 301, OUTCOME_RETRY },     { 302, OUTCOME_RETRY },     { 307, OUTCOME_RETRY },
        { 400, OUTCOME_RETRY },     { 401, OUTCOME_RETRY },     { 404, OUTCOME_RETRY },
        { 409, OUTCOME_RETRY },     { 410, OUTCOME_GONE },      { 411, OUTCOME_RETRY },
        { 428, OUTCOME_RETRY },     { 429, OUTCOME_THROTTLED }, { 430, OUTCOME_RETRY },
        { 500, OUTCOME_RETRY },     { 501, OUTCOME_RETRY },     { 502, OUTCOME_THROTTLED },
        { 503, OUTCOME_THROTTLED }, { 504, OUTCOME_THROTTLED }, { 505, OUTCOME_RETRY },
        { 599, OUTCOME_RETRY },     { 999, OUTCOME_RETRY },     { -1, OUTCOME_RETRY },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (http_outcome(rows[i].status) != rows[i].outcome) fail_msg("status %d", rows[i].status);
}

static void the_request_goes_out_as_it_was_given(void **state)
{
    struct world *w = *state;
    setenv("http_proxy", "http://127.0.0.1:1/", 1); /* must not matter */
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    struct sent r = send_path(w, "/ok/a?b=c");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(r.outcome, OUTCOME_DELIVERED);
    assert_int_equal(r.code, 200);
    assert_string_equal(r.detail, "");

    const struct fault_request *q = fault_request_at(w->server, "/ok/a?b=c", 0);
    assert_non_null(q);
    assert_string_equal(q->content_type, "text/x-test");
    assert_non_null(strcasestr(q->headers, "\nx-id: 7\r\n"));
    assert_string_equal(q->user_agent, "tocsin");
    assert_int_equal(q->body_n, sizeof body_text - 1);
    assert_memory_equal(q->body, body_text, q->body_n);
    assert_true(strncmp(q->headers, "POST /ok/a?b=c HTTP/1.1\r\n", 25) == 0);
    assert_null(strcasestr(q->headers, "\nexpect:"));
    assert_null(strcasestr(q->headers, "\ncookie:"));
    assert_null(strcasestr(q->headers, "\naccept-encoding:"));
    assert_null(strcasestr(q->headers, "\nauthorization:"));
}

static void what_each_behaviour_comes_to(void **state)
{
    struct world *w = *state;
    enum {
        LONGEST_MS = 10000
    }; /* the timeout is 3 s; a busy machine may need some more to notice */
    static const struct {
        const char *path;
        int code;
        int64_t wait_s;
        enum outcome outcome;
    } rows[] = {
        { "/ok", 200, 0, OUTCOME_DELIVERED },
        { "/status/204", 204, 0, OUTCOME_DELIVERED },
        { "/status/500", 500, 0, OUTCOME_RETRY },
        { "/status/410", 410, 0, OUTCOME_GONE },
        { "/after/429/17", 429, 17, OUTCOME_THROTTLED },
        { "/after/503/9", 503, 9, OUTCOME_THROTTLED },
        { "/redirect", 302, 0, OUTCOME_RETRY },
        { "/early", 200, 0, OUTCOME_DELIVERED },
        { "/hang", 0, 0, OUTCOME_TIMED_OUT },
        { "/trickle", 0, 0, OUTCOME_TIMED_OUT },
        { "/slowbody", 200, 0, OUTCOME_DELIVERED }, /* taken: the body does not matter */
        { "/big", 200, 0, OUTCOME_DELIVERED },
        { "/crashbody", 500, 0, OUTCOME_RETRY },
        { "/reset", 0, 0, OUTCOME_RETRY },
        { "/cut", 0, 0, OUTCOME_RETRY },
        { "/headers", 0, 0, OUTCOME_RETRY },
        { "/1xx", 0, 0, OUTCOME_RETRY },
        { "/garbage", 0, 0, OUTCOME_RETRY },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t from = mono_ns();
        struct sent r = send_path(w, rows[i].path);
        int64_t took_ms = (mono_ns() - from) / NS_PER_MS;
        if (r.code != rows[i].code || r.wait_s != rows[i].wait_s || r.outcome != rows[i].outcome
            || took_ms > LONGEST_MS || (r.gone != NULL) != (r.outcome == OUTCOME_GONE)
            || (r.detail[0] == '\0') != (r.outcome == OUTCOME_DELIVERED))
            fail_msg("%s: code %d, wait %d s, %d ms, outcome %d, detail '%s'", rows[i].path, r.code,
                     (int)r.wait_s, (int)took_ms, (int)r.outcome, r.detail);
        assert_null(strstr(r.detail, "127.0.0.1"));
    }
    assert_int_equal(fault_count(w->server, "/ok/redirected"), 0);
    assert_int_equal(fault_count(w->server, "/reset"),
                     1);                             /* libcurl made no second try of its own */
    assert_int_equal(send_path(w, "/ok").code, 200); /* and the client is as good as new */
    assert_int_equal(atomic_load(&w->server->accepts), (int)ARRAY_LEN(rows) + 1);
}

static void a_stop_ends_a_send(void **state)
{
    struct world *w = *state;
    static atomic_bool stop;
    atomic_store(&stop, true);
    const struct channel_setup cfg = { .limits = { .allow_plain = true, .allow_private = true },
                                       .timeout_ms = 20000,
                                       .stop = &stop };
    struct http_client *c;
    char url[128];
    fault_url(w->server, "/hang", url);
    assert_int_equal(http_client_new(&cfg, &c), ERR_OK);
    int64_t from = mono_ns();
    struct sent r = send_url(c, url);
    http_client_free(c);
    assert_int_equal(r.outcome, OUTCOME_CUT_OFF);
    assert_true(mono_ns() - from < 15 * NS_PER_S);
}

static void no_name_leads_inside(void **state)
{
    (void)state;
    static const char *const inside[] = { "loopback", "metadata", "private", "mapped",
                                          "six",      "nat64",    "zero",    "unique" };
    const struct channel_setup cfg = { .connect_timeout_ms = 3000, .timeout_ms = 20000 };
    struct http_client *c;
    struct fault_server *canary = NULL;
    assert_int_equal(http_client_new(&cfg, &c), ERR_OK);
    bool canary_sings = fault_server_try(8443, &canary);
    for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
        char url[64];
        snprintf(url, sizeof url, "https://%s.test:8443/", inside[i]);
        assert_int_equal(url_check(url, false, false, NULL), ERR_OK); /* the text tells nothing */
        struct sent r = send_url(c, url);
        if (r.outcome != OUTCOME_REFUSED || r.code) fail_msg("%s: %s", url, r.detail);
    }
    struct sent first = send_url(c, "https://rebind.test:8443/");
    atomic_store(&rebound, true);
    struct sent second = send_url(c, "https://rebind.test:8443/");
    assert_int_not_equal(first.outcome, OUTCOME_REFUSED); /* a public address nobody answers at */
    assert_int_equal(first.code, 0);
    assert_int_equal(second.outcome, OUTCOME_REFUSED);
    assert_int_equal(send_url(c, "http://example.com/").outcome,
                     OUTCOME_REFUSED); /* settings are checked again at each send */
    assert_int_equal(send_url(c, "https://127.0.0.1:8443/").outcome, OUTCOME_REFUSED);
    assert_int_not_equal(send_url(c, "https://no-such-name.test/").outcome, OUTCOME_REFUSED);
    if (canary_sings) {
        assert_int_equal(atomic_load(&canary->accepts), 0);
        fault_server_stop(canary);
    }
    http_client_free(c);
}

static void plain_http_on_a_tls_port_fails(void **state)
{
    struct world *w = *state;
    char url[128];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", w->server->port);
    struct sent r = send_url(w->client, url);
    assert_int_equal(r.code, 0);
    assert_int_not_equal(r.outcome, OUTCOME_REFUSED);
    assert_int_not_equal(r.outcome, OUTCOME_DELIVERED);
    assert_true(r.detail[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_means_what_the_table_says),
        cmocka_unit_test_setup_teardown(the_request_goes_out_as_it_was_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_each_behaviour_comes_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_send, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_name_leads_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plain_http_on_a_tls_port_fails, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
