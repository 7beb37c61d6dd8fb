/* One delivery attempt: what is signed, which URLs are refused, and what a receiver that misbehaves can do to us (nothing).
 *
 * This program is its own name server: it defines getaddrinfo, so names can resolve to where they should not. */
#include "alerts/delivery/channels/webhook.h"
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

/* ---- signatures ---- */

static void the_signature_is_the_standards(void **state)
{
    (void)state;
    /* the example of the Standard Webhooks specification and of its reference libraries' tests */
    struct delivery_secret secret, old;
    assert_int_equal(
        webhook_secret_parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, &secret, NULL), ERR_OK);
    char got[WEBHOOK_SIGNATURE_TEXT];
    static const char body[] = "{\"test\": 2432232314}";
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &secret, NULL, got),
                     ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    memset(&old, 0, sizeof old);
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &secret, &old, got),
                     ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    webhook_secret_random(&old);
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &old, &secret, got),
                     ERR_OK);
    assert_int_equal(strlen(got), 95);
    assert_string_equal(got + 47, " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    assert_int_equal(webhook_sign("x", 1, body, 1, &(struct delivery_secret){ 0 }, &secret, got),
                     ERR_INVALID);
}

static void secrets_are_whsec_and_24_to_64_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 80; n++) {
        struct delivery_secret s, again;
        char text[160] = "whsec_";
        uint8_t bytes[80];
        random_bytes(bytes, sizeof bytes);
        size_t text_n = 6 + base64_encode(bytes, n, text + 6);
        enum err want = n >= 24 && n <= 64 ? ERR_OK : ERR_INVALID;
        struct why why = { .text = "" };
        assert_int_equal(webhook_secret_parse(text, text_n, &s, &why), want);
        if (want) continue;
        char out[WEBHOOK_SECRET_TEXT];
        assert_int_equal(webhook_secret_format(&s, out), text_n);
        assert_string_equal(out, text);
        assert_int_equal(webhook_secret_parse(out, text_n, &again, NULL), ERR_OK);
        assert_memory_equal(again.bytes, bytes, n);
    }
    static const char *const bad[] = { "",
                                       "whsec_",
                                       "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                       "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
                                       "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct delivery_secret s = { .n = 99 };
        assert_int_equal(webhook_secret_parse(bad[i], strlen(bad[i]), &s, NULL), ERR_INVALID);
        assert_int_equal(s.n, 99);
    }
}

/* ---- URLs ---- */

static void urls_that_are_fine(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "https://example.com",
        "https://example.com/",
        "https://example.com:443/a/b?c=d#e",
        "https://example.com:8443/x",
        "HTTPS://EXAMPLE.COM/x",
        "https://a-b.c_d.example.co.uk/hook?x=%20%40",
        "https://93.184.216.34/hook",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hook",
        "https://1.1.1.1.example.com/",
        "https://xn--bcher-kva.example/",
        "https://example.com/a@b",
        "https://example.com?x=a@b",
        "https://0xabc.example/",
        "https://localhost.example.com/",
        "https://notlocalhost/",
        "https://[::ffff:93.184.216.34]/",
        "https://1.2.3/0x",
    };
    struct why why = { .text = "" };
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        if (webhook_url_check(fine[i], false, false, &why)) fail_msg("%s: %s", fine[i], why.text);
    assert_int_equal(webhook_url_check("http://example.com/", true, false, &why), ERR_OK);
    assert_int_equal(webhook_url_check("http://example.com:80/", true, false, &why), ERR_OK);
    static const char *const development[] = { "http://127.0.0.1:8080/x", "http://localhost:3000/x",
                                               "https://[::1]:9/", "http://10.0.0.1/",
                                               "http://2130706433:5/" };
    for (size_t i = 0; i < ARRAY_LEN(development); i++) {
        if (webhook_url_check(development[i], true, true, &why))
            fail_msg("%s: %s", development[i], why.text);
        assert_int_equal(webhook_url_check(development[i], true, false, &why), ERR_INVALID);
    }
}

static void urls_that_are_refused(void **state)
{
    (void)state;
    static const char *const forms[] = {
        /* not a URL of ours */
        "",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///x",
        "https:example.com",
        "https:/example.com",
        "//example.com/",
        "example.com",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "dict://example.com/",
        "unix:///run/x.sock",
        " https://example.com/",
        "https ://example.com/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/\t",
        "https://example.com\\@127.0.0.1/",
        "https:\\\\example.com\\",
        "https://b\xC3\xBCx.example/",
        "https://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.1/",
        "https://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/",
        "https://example.com/\xFF",
        "https://example.com/\x7F",
        /* user and password */
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com:443@127.0.0.1/",
        "https://a@b@example.com/",
        /* ports */
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:8080/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999999999/",
        "https://example.com:/",
        "https://example.com:-443/",
        "https://example.com:443x/",
        "https://example.com:4 43/",
        "https://example.com:0x1bb/",
        "https://example.com:443:443/",
        "https://:443/",
        /* loopback in every spelling */
        "https://127.0.0.1/",
        "https://127.0.0.1:8443/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.255.255.254/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7F.1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://0177.1/",
        "https://127.0.0.01/",
        "https://0/",
        "https://0.0.0.0/",
        "https://0x0/",
        "https://00000000000000000000000000000000000177.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1./",
        "https://0x7f.1./",
        "https://2130706433./",
        "https://%31%32%37.0.0.1/",
        "https://127%2e0%2e0%2e1/",
        "https://%6c%6f%63%61%6c%68%6f%73%74/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.localhost/",
        "https://localhost:443/",
        "https://[::1]/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::]/",
        "https://[0000::0001]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::FFFF:7F00:0001]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001::1]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[::1",
        "https://::1/",
        "https://[::1]x/",
        "https://[127.0.0.1]/",
        "https://[]/",
        "https://[::1%00]/",
        /* the rest of the inside */
        "https://10.0.0.1/",
        "https://10.1/",
        "https://167772161/",
        "https://012.0.0.1/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.0.1/",
        "https://192.168.257/",
        "https://3232235521/",
        "https://169.254.169.254/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
        "https://169.254.43518/",
        "https://100.64.0.1/",
        "https://192.0.0.8/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://4294967295/",
        "https://0xffffffff/",
        "https://240.0.0.1/",
        /* numbers that are no address */
        "https://4294967296/",
        "https://256.1.1.1/",
        "https://1.2.3.4.5/",
        "https://0x100000000/",
        "https://127.0.0.1.0x/",
        "https://08.1/",
        "https://127.0.0.256/",
        /* names that are no name */
        "https://./",
        "https://../",
        "https://.example.com/",
        "https://example..com/",
        "https://exa(mple.com/",
        "https://exa$mple.com/",
        "https://a,b.com/",
        "https://a;b.com/",
    };
    struct why why;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        why.text[0] = '\0';
        enum err e = webhook_url_check(forms[i], false, false, &why);
        if (e != ERR_INVALID || !why.text[0]) fail_msg("'%s': %s", forms[i], err_name(e));
    }
    char longer[WEBHOOK_URL_MAX + 2] = "https://example.com/";
    memset(longer + 20, 'a', sizeof longer - 21);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(webhook_url_check(longer, false, false, NULL), ERR_INVALID);
    longer[sizeof longer - 2] = '\0';
    assert_int_equal(webhook_url_check(longer, false, false, NULL), ERR_OK);
}

/* ---- attempts ---- */

struct world {
    struct fault_server *server;
    struct webhook_client *client;
    struct delivery_secret secret;
};

static const char body_text[] = "{\"type\":\"alert.firing\",\"name\":\"caf\xC3\xA9 \\u0000\"}";
static const struct uuid id_a = { { 0xA0, 1, 2, 3, 4, 5, 0x86, 7, 0x88, 9, 10, 11, 12, 13, 14,
                                    15 } };

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->server = fault_server_start();
    webhook_secret_random(&w->secret);
    const struct webhook_config cfg = {
        .allow_http = true, .allow_private = true, .connect_timeout_ms = 2000, .timeout_ms = 3000
    };
    assert_int_equal(webhook_client_new(&cfg, &w->client), ERR_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    webhook_client_free(w->client);
    fault_server_stop(w->server);
    free(w);
    return 0;
}

static struct webhook_result send_url(struct world *w, struct webhook_client *client,
                                      const char *url)
{
    struct webhook_result r;
    const struct webhook_request q = { .url = url,
                                       .id = id_a,
                                       .body = body_text,
                                       .body_n = sizeof body_text - 1,
                                       .secret = &w->secret };
    webhook_send(client, &q, 1700000000, &r);
    return r;
}

static struct webhook_result send_path(struct world *w, const char *path)
{
    char url[128];
    fault_url(w->server, path, url);
    return send_url(w, w->client, url);
}

static void the_request_is_what_the_standard_asks_for(void **state)
{
    struct world *w = *state;
    setenv("http_proxy", "http://127.0.0.1:1/", 1); /* must not matter */
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    struct webhook_result r = send_path(w, "/ok/a?b=c");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(r.http_status, 200);
    assert_string_equal(r.error, "");

    const struct fault_request *q = fault_request_at(w->server, "/ok/a?b=c", 0);
    assert_non_null(q);
    char want[WEBHOOK_SIGNATURE_TEXT];
    assert_int_equal(webhook_sign("a0010203-0405-8607-8809-0a0b0c0d0e0f", 1700000000, body_text,
                                  sizeof body_text - 1, &w->secret, NULL, want),
                     ERR_OK);
    assert_string_equal(q->id, "a0010203-0405-8607-8809-0a0b0c0d0e0f");
    assert_string_equal(q->timestamp, "1700000000");
    assert_string_equal(q->signature, want);
    assert_string_equal(q->content_type, "application/json");
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
        int status;
        int64_t retry_after_s;
        bool timed_out;
    } rows[] = {
        { "/ok", 200, 0, false },
        { "/status/204", 204, 0, false },
        { "/status/500", 500, 0, false },
        { "/status/410", 410, 0, false },
        { "/after/429/17", 429, 17, false },
        { "/after/503/9", 503, 9, false },
        { "/redirect", 302, 0, false },
        { "/early", 200, 0, false },
        { "/hang", 0, 0, true },
        { "/trickle", 0, 0, true },
        { "/slowbody", 200, 0, false }, /* taken: the body does not matter */
        { "/big", 200, 0, false },
        { "/crashbody", 500, 0, false },
        { "/reset", 0, 0, false },
        { "/cut", 0, 0, false },
        { "/headers", 0, 0, false },
        { "/1xx", 0, 0, false },
        { "/garbage", 0, 0, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct webhook_result r = send_path(w, rows[i].path);
        if (r.http_status != rows[i].status || r.retry_after_s != rows[i].retry_after_s
            || r.timed_out != rows[i].timed_out || r.took_ms > LONGEST_MS || r.refused || r.aborted
            || (r.error[0] == '\0') != (r.http_status >= 200 && r.http_status <= 299))
            fail_msg("%s: status %d, after %d s, %d ms, timed_out %d, error '%s'", rows[i].path,
                     r.http_status, (int)r.retry_after_s, (int)r.took_ms, r.timed_out, r.error);
        assert_null(strstr(r.error, "127.0.0.1"));
    }
    assert_int_equal(fault_count(w->server, "/ok/redirected"), 0);
    assert_int_equal(fault_count(w->server, "/reset"),
                     1); /* libcurl made no second try of its own */
    assert_int_equal(send_path(w, "/ok").http_status, 200); /* and the client is as good as new */
    assert_int_equal(atomic_load(&w->server->accepts), (int)ARRAY_LEN(rows) + 1);
}

static void the_body_is_capped(void **state)
{
    struct world *w = *state;
    static char text[WEBHOOK_BODY_MAX + 1];
    memset(text, 'x', sizeof text);
    char url[128];
    fault_url(w->server, "/ok", url);
    struct webhook_result r;
    struct webhook_request q = {
        .url = url, .id = id_a, .body = text, .body_n = WEBHOOK_BODY_MAX, .secret = &w->secret
    };
    webhook_send(w->client, &q, 1, &r);
    assert_int_equal(r.http_status, 200);
    q.body_n++;
    webhook_send(w->client, &q, 1, &r);
    assert_true(r.too_large);
    assert_int_equal(r.http_status, 0);
    q.body_n = 2;
    q.secret = &(struct delivery_secret){ 0 };
    webhook_send(w->client, &q, 1, &r);
    assert_string_equal(r.error, "the channel has no usable secret");
    assert_int_equal(fault_count(w->server, "/ok"), 1);
}

static void a_stop_ends_a_send(void **state)
{
    struct world *w = *state;
    static atomic_bool stop;
    atomic_store(&stop, true);
    const struct webhook_config cfg = {
        .allow_http = true, .allow_private = true, .timeout_ms = 20000, .stop = &stop
    };
    struct webhook_client *c;
    char url[128];
    fault_url(w->server, "/hang", url);
    assert_int_equal(webhook_client_new(&cfg, &c), ERR_OK);
    struct webhook_result r = send_url(w, c, url);
    webhook_client_free(c);
    assert_true(r.aborted);
    assert_true(r.took_ms < 15000);
}

static void no_name_leads_inside(void **state)
{
    struct world *w = *state;
    static const char *const inside[] = { "loopback", "metadata", "private", "mapped",
                                          "six",      "nat64",    "zero",    "unique" };
    const struct webhook_config cfg = { .connect_timeout_ms = 300, .timeout_ms = 1000 };
    struct webhook_client *c;
    struct fault_server *canary = NULL;
    assert_int_equal(webhook_client_new(&cfg, &c), ERR_OK);
    bool canary_sings = fault_server_try(8443, &canary);
    for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
        char url[64];
        snprintf(url, sizeof url, "https://%s.test:8443/", inside[i]);
        assert_int_equal(webhook_url_check(url, false, false, NULL),
                         ERR_OK); /* the text tells nothing */
        struct webhook_result r = send_url(w, c, url);
        if (!r.refused || r.http_status) fail_msg("%s: %s", url, r.error);
    }
    struct webhook_result first = send_url(w, c, "https://rebind.test:8443/");
    atomic_store(&rebound, true);
    struct webhook_result second = send_url(w, c, "https://rebind.test:8443/");
    assert_false(first.refused); /* a public address nobody answers at */
    assert_int_equal(first.http_status, 0);
    assert_true(second.refused);
    assert_true(send_url(w, c, "http://example.com/")
                    .refused); /* settings are checked again at each send */
    assert_true(send_url(w, c, "https://127.0.0.1:8443/").refused);
    assert_false(send_url(w, c, "https://no-such-name.test/").refused);
    if (canary_sings) {
        assert_int_equal(atomic_load(&canary->accepts), 0);
        fault_server_stop(canary);
    }
    webhook_client_free(c);
}

static void plain_http_on_a_tls_port_fails(void **state)
{
    struct world *w = *state;
    char url[128];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/ok", w->server->port);
    struct webhook_result r = send_url(w, w->client, url);
    assert_int_equal(r.http_status, 0);
    assert_false(r.refused);
    assert_true(r.error[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_the_standards),
        cmocka_unit_test(secrets_are_whsec_and_24_to_64_bytes),
        cmocka_unit_test(urls_that_are_fine),
        cmocka_unit_test(urls_that_are_refused),
        cmocka_unit_test_setup_teardown(the_request_is_what_the_standard_asks_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_each_behaviour_comes_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_body_is_capped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_send, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_name_leads_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plain_http_on_a_tls_port_fails, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
