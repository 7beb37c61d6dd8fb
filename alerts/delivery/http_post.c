/* http_post.c - one attempt with libcurl, in the order of what happens:
 *
 *     url_check()       the text, with the operator's limits of today
 *     set_way() ...     a handle that knows nothing of the attempt before
 *     open_socket()     once an address: reserved, private, ours? Then no socket, and the next one
 *     on_header()       "HTTP/1.1 103 Early Hints", "", "HTTP/1.1 200 OK", ..., "": the blank line
 *                       after a status of 200 or more completes the answer, which counts from there
 *     on_body()         counted and thrown away
 *     on_progress()     about once a second: has the service stopped? is the body 2 s old?
 *     judge()           the outcome, from what the hooks have noted and libcurl's result
 *
 * So a receiver that answers 200 and then sends for ever has the alert after its headers, and
 * our worker for 2 s more; one that sends headers for ever is cut off at 32 kB; one that accepts
 * and says nothing is TIMED_OUT after 15 s. */
#include "alerts/delivery/http_post.h"

#include "alerts/delivery/address.h"
#include "alerts/delivery/url.h"
#include "core/when.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <ifaddrs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 5000, TIMEOUT_MS = 15000, ANSWER_BODY_MS = 2000 };

/* First match wins. Redirects are not followed: they are failures like any other, and are tried
 * again. */
static const struct {
    int from, to;
    enum outcome outcome;
} statuses[] = {
    { 200, 299, OUTCOME_DELIVERED },
    { 410, 410, OUTCOME_GONE }, /* the receiver says: never again */
    { 429, 429, OUTCOME_THROTTLED },
    { 502, 504, OUTCOME_THROTTLED }, /* 503 because RFC 9110 defines Retry-After for it */
};

enum outcome http_outcome(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (status >= statuses[i].from && status <= statuses[i].to) return statuses[i].outcome;
    return OUTCOME_RETRY;
}

/* The first two last as long as the worker; the rest is of the attempt being made: http_post()
 * zeroes it, the hooks below note what they see while libcurl works, judge() reads it. */
struct http_client {
    CURL *easy;
    struct channel_setup setup;
    int64_t answered_ns;           /* when the final headers were complete; 0: not yet */
    int block_status, http_status; /* of the header block being read; of the final answer */
    size_t header_bytes, body_bytes;
    bool refused, stopped;
};

/* ---- what libcurl calls ---- */

/* An address of this machine, though public: our own listeners are not for tenants to reach from
 * inside. */
static bool own_address(int family, const void *bytes, size_t n)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all)) return true; /* cannot tell: no */
    bool own = false;
    for (const struct ifaddrs *i = all; i && !own; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != family) continue;
        const void *here =
            family == AF_INET
                ? (const void *)&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr
                : (const void *)&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)
                      ->sin6_addr;
        own = memcmp(here, bytes, n) == 0;
    }
    freeifaddrs(all);
    return own;
}

/* The address as the kernel is about to use it. */
static bool may_connect(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        return !address_denied(AF_INET, &in.sin_addr)
               && !own_address(AF_INET, &in.sin_addr, sizeof in.sin_addr);
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, sa, sizeof in);
        const uint8_t *b = in.sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && own_address(AF_INET, b + 12, 4))
            return false; /* the kernel connects to the IPv4 address */
        return !address_denied(AF_INET6, &in.sin6_addr)
               && !own_address(AF_INET6, &in.sin6_addr, sizeof in.sin6_addr);
    }
    return false;
}

/* Where nobody may send us there is no socket, and libcurl tries the next address. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_client *c = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN
        || (!c->setup.limits.allow_private && !may_connect(&a->addr))) {
        c->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* One call a header line. Counts all of them, also those of 1xx answers, and notes where the final
 * answer's end. */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct http_client *c = ctx;
    size_t n = size * count;
    c->header_bytes += n;
    if (c->header_bytes > HTTP_ANSWER_HEADERS_MAX) return 0;

    if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', n); /* "HTTP/1.1 200 OK" */
        c->block_status = space && line + n - space > 3
                              ? (space[1] - '0') * 100 + (space[2] - '0') * 10 + (space[3] - '0')
                              : 0;
    } else if (n <= 2 && (line[0] == '\r' || line[0] == '\n') && c->block_status >= 200
               && !c->http_status) {
        c->http_status = c->block_status;
        c->answered_ns = mono_ns();
    }
    return n;
}

/* What a receiver says beside its status is of no interest, however much it is. */
static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    struct http_client *c = ctx;
    c->body_bytes += size * count;
    return c->body_bytes > HTTP_ANSWER_MAX ? 0 : size * count;
}

/* About once a second, or oftener. A low-speed limit would also cut off a receiver that thinks
 * before it answers, so the answer's body has a time limit of its own and the rest has the total
 * timeout. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    (void)down_all, (void)down, (void)up_all, (void)up;
    struct http_client *c = ctx;
    if (c->setup.stop && atomic_load_explicit(c->setup.stop, memory_order_relaxed))
        c->stopped = true;
    return c->stopped
           || (c->answered_ns && mono_ns() - c->answered_ns > ANSWER_BODY_MS * NS_PER_MS);
}

/* ---- a client ---- */

static void init_libcurl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

enum err http_client_new(const struct channel_setup *setup, struct http_client **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_libcurl);

    struct http_client *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->setup = *setup;
    if (!c->setup.connect_timeout_ms) c->setup.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (!c->setup.timeout_ms) c->setup.timeout_ms = TIMEOUT_MS;
    c->easy = curl_easy_init();
    if (!c->easy) {
        http_client_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void http_client_free(struct http_client *c)
{
    if (!c) return;
    curl_easy_cleanup(c->easy);
    free(c);
}

/* ---- the settings of one attempt, on a handle that has just been reset ---- */

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (!rc) rc = curl_easy_setopt(c->easy, CURLOPT_##option, value);                          \
    } while (0)

/* Where it may go, and how it gets there. A reset keeps nothing but the cache of CA
 * certificates. */
static CURLcode set_way(struct http_client *c, const char *url)
{
    CURLcode rc = CURLE_OK;
    SET(URL, url);
    SET(PROTOCOLS_STR, c->setup.limits.allow_plain ? "http,https" : "https");
    SET(FOLLOWLOCATION, 0L);
    SET(PROXY, ""); /* also not from the environment: a proxy would connect past our check */
    SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->setup.ca_file) SET(CAINFO, c->setup.ca_file);
    SET(SSL_SESSIONID_CACHE, 0L);
    SET(DNS_CACHE_TIMEOUT, 0L);
    /* A reused connection might be another tenant's, and libcurl repeats a POST when one breaks. */
    SET(FRESH_CONNECT, 1L);
    SET(FORBID_REUSE, 1L);
    SET(OPENSOCKETFUNCTION, open_socket);
    SET(OPENSOCKETDATA, c);
    return rc;
}

/* How long it may take, and who watches it. */
static CURLcode set_watch(struct http_client *c)
{
    CURLcode rc = CURLE_OK;
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L); /* a name server that hangs does not hold us past the timeout */
    SET(CONNECTTIMEOUT_MS, (long)c->setup.connect_timeout_ms);
    SET(TIMEOUT_MS, (long)c->setup.timeout_ms);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, c);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, c);
    SET(XFERINFOFUNCTION, on_progress);
    SET(XFERINFODATA, c);
    SET(NOPROGRESS, 0L);
    return rc;
}

static CURLcode set_message(struct http_client *c, const struct http_request *r,
                            struct curl_slist *headers)
{
    CURLcode rc = CURLE_OK;
    SET(USERAGENT, "tocsin");
    SET(HTTPHEADER, headers);
    SET(POST, 1L);
    SET(POSTFIELDSIZE, (long)r->body_n);
    SET(POSTFIELDS, r->body); /* not copied: the signed bytes are the sent bytes */
    return rc;
}
#undef SET

/* ---- one attempt ---- */

/* NULL when out of memory. */
static struct curl_slist *header_list(const struct http_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* send at once */
    for (size_t i = 0; list && r->headers[i]; i++) {
        struct curl_slist *more = curl_slist_append(list, r->headers[i]);
        if (!more) curl_slist_free_all(list);
        list = more;
    }
    return list;
}

/* There was an answer. */
static void judge_status(struct http_client *c, struct sent *out)
{
    curl_off_t after = 0;
    out->code = c->http_status;
    out->outcome = http_outcome(c->http_status);
    if (out->outcome == OUTCOME_GONE) out->gone = "the endpoint answered 410 Gone";
    if (out->outcome == OUTCOME_THROTTLED
        && !curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after) && after > 0)
        out->wait_s = after;
    if (out->outcome != OUTCOME_DELIVERED)
        sent_say(out, out->outcome, "HTTP status %d", c->http_status);
}

/* Whatever took as long as a connection may held a worker for nothing: so a name server that is
 * slow to tell an address we refuse counts as a timeout too. */
static void judge(struct http_client *c, CURLcode rc, int64_t took_ms, struct sent *out)
{
    bool slow = rc == CURLE_OPERATION_TIMEDOUT || took_ms >= c->setup.connect_timeout_ms;
    enum outcome failed = slow ? OUTCOME_TIMED_OUT : OUTCOME_RETRY;
    if (c->http_status) judge_status(c, out);
    else if (c->stopped) sent_say(out, OUTCOME_CUT_OFF, "stopping");
    else if (c->refused)
        sent_say(out, slow ? failed : OUTCOME_REFUSED, "the address behind the URL is not allowed");
    else if (c->header_bytes > HTTP_ANSWER_HEADERS_MAX)
        sent_say(out, failed, "the answer's headers are too large");
    else sent_say(out, failed, "%s", rc ? curl_easy_strerror(rc) : "no final answer");
}

void http_post(struct http_client *c, const struct http_request *r, struct sent *out)
{
    const struct channel_limits *may = &c->setup.limits;
    struct why why;
    if (url_check(r->url, may->allow_plain, may->allow_private, &why))
        return sent_say(out, OUTCOME_REFUSED, "%s", why.text);
    struct curl_slist *headers = header_list(r);
    if (!headers) return sent_say(out, OUTCOME_RETRY, "out of memory");

    c->answered_ns = 0;
    c->block_status = c->http_status = 0;
    c->header_bytes = c->body_bytes = 0;
    c->refused = c->stopped = false;
    int64_t from = mono_ns();
    curl_easy_reset(c->easy);
    CURLcode rc = set_way(c, r->url);
    if (!rc) rc = set_watch(c);
    if (!rc) rc = set_message(c, r, headers);
    if (!rc) rc = curl_easy_perform(c->easy);
    judge(c, rc, (mono_ns() - from) / NS_PER_MS, out);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}
