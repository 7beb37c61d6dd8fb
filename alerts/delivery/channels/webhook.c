#include "alerts/delivery/channels/webhook.h"

#include "alerts/delivery/address.h"
#include "core/when.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

enum { CONNECT_TIMEOUT_MS = 5000, TIMEOUT_MS = 15000, ANSWER_BODY_MS = 2000 };

static const char secret_prefix[] = "whsec_";
enum { SECRET_PREFIX_N = sizeof secret_prefix - 1 };

/* ---- secrets and signatures ---- */

enum err webhook_secret_parse(const char *s, size_t n, struct delivery_secret *out, struct why *why)
{
    struct delivery_secret secret = { 0 };
    if (n <= SECRET_PREFIX_N || memcmp(s, secret_prefix, SECRET_PREFIX_N) != 0)
        return err_set(why, ERR_INVALID, "a webhook secret begins with whsec_");
    bool ok = base64_decode(s + SECRET_PREFIX_N, n - SECRET_PREFIX_N, secret.bytes,
                            sizeof secret.bytes, &secret.n);
    if (!ok || secret.n < WEBHOOK_SECRET_MIN) {
        explicit_bzero(&secret, sizeof secret);
        return err_set(why, ERR_INVALID,
                       "a webhook secret is whsec_ and the base64 of 24 to 64 bytes");
    }
    *out = secret;
    explicit_bzero(&secret, sizeof secret);
    return ERR_OK;
}

size_t webhook_secret_format(const struct delivery_secret *secret, char out[WEBHOOK_SECRET_TEXT])
{
    memcpy(out, secret_prefix, SECRET_PREFIX_N);
    return SECRET_PREFIX_N + base64_encode(secret->bytes, secret->n, out + SECRET_PREFIX_N);
}

void webhook_secret_random(struct delivery_secret *out)
{
    out->n = 32;
    random_bytes(out->bytes, out->n);
}

static size_t sign_one(const struct delivery_secret *secret, const struct buf *text, char *out)
{
    uint8_t mac[SHA256_SIZE];
    hmac_sha256(secret->bytes, secret->n, text->data, text->len, mac);
    memcpy(out, "v1,", 3);
    return 3 + base64_encode(mac, sizeof mac, out + 3);
}

enum err webhook_sign(const char *id, int64_t unix_s, const char *body, size_t body_n,
                      const struct delivery_secret *secret, const struct delivery_secret *old,
                      char out[WEBHOOK_SIGNATURE_TEXT])
{
    if (secret->n == 0) return ERR_INVALID;
    AUTO_BUF struct buf text = { 0 };
    buf_printf(&text, "%s.%" PRId64 ".", id, unix_s);
    buf_put(&text, body, body_n);
    if (!buf_ok(&text)) return ERR_NOMEM;

    size_t n = sign_one(secret, &text, out);
    if (old && old->n > 0) {
        out[n++] = ' ';
        sign_one(old, &text, out + n);
    }
    return ERR_OK;
}

/* ---- may we send there ---- */

static inline void curl_url_end(CURLU **u) { curl_url_cleanup(*u); }
static inline void curl_text_end(char **s) { curl_free(*s); }
#define AUTO_CURLU __attribute__((cleanup(curl_url_end)))
#define AUTO_CURL_TEXT __attribute__((cleanup(curl_text_end)))

/* A last label of digits, or of 0x and hex digits, makes an address of the name, or nothing that could ever resolve. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.'), *label = dot ? dot + 1 : host;
    if (strspn(label, "0123456789") == strlen(label)) return true;
    return label[0] == '0' && (label[1] | 32) == 'x'
           && strspn(label + 2, "0123456789abcdefABCDEF") == strlen(label + 2);
}

static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t n = strlen(host), k = sizeof name - 1;
    return n >= k && strcasecmp(host + n - k, name) == 0 && (n == k || host[n - k - 1] == '.');
}

/* `host` is as libcurl's parser leaves it: numeric spellings of IPv4 are dotted decimals, IPv6 is in brackets. */
static enum err check_host(char *host, bool allow_private, struct why *why)
{
    uint8_t address[16];
    const char *use = NULL;
    size_t n = strlen(host);
    if (n == 0) return err_set(why, ERR_INVALID, "the URL has no host");

    if (host[0] == '[') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, address) != 1)
            return err_set(why, ERR_INVALID, "the URL's host is not an IPv6 address");
        use = address_denied(AF_INET6, address);
    } else if (inet_pton(AF_INET, host, address) == 1) {
        use = address_denied(AF_INET, address);
    } else {
        if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != n
            || host[0] == '.' || host[n - 1] == '.' || strstr(host, "..") || ends_in_number(host))
            return err_set(why, ERR_INVALID, "the URL's host is not a host name");
        if (is_localhost(host)) use = "loopback";
    }
    if (use && !allow_private)
        return err_set(why, ERR_INVALID, "the URL's host is not a public address: %s", use);
    return ERR_OK;
}

enum err webhook_url_check(const char *url, bool allow_http, bool allow_private, struct why *why)
{
    size_t n = strlen(url);
    if (n > WEBHOOK_URL_MAX)
        return err_set(why, ERR_INVALID, "the URL is longer than %d bytes", WEBHOOK_URL_MAX);
    for (size_t i = 0; i < n; i++)
        if (url[i] <= ' ' || url[i] >= 0x7F || url[i] == '\\')
            return err_set(why, ERR_INVALID,
                           "the URL has a character that must be percent-encoded");

    bool https = strncasecmp(url, "https://", 8) == 0, http = strncasecmp(url, "http://", 7) == 0;
    if (!https && !(http && allow_http))
        return err_set(why, ERR_INVALID, "the URL must begin with %s",
                       allow_http ? "https:// or http://" : "https://");
    const char *authority = url + (https ? 8 : 7);
    size_t authority_n = strcspn(authority, "/?#");
    if (authority_n == 0) return err_set(why, ERR_INVALID, "the URL has no host");
    if (memchr(authority, '@', authority_n))
        return err_set(why, ERR_INVALID, "the URL must not hold a user or password");
    if (memchr(authority, '%', authority_n))
        return err_set(why, ERR_INVALID, "the URL's host must be in plain ASCII");
    if (authority[authority_n - 1] == ':')
        return err_set(why, ERR_INVALID, "the URL's port is missing");

    AUTO_CURLU CURLU *u = curl_url();
    AUTO_CURL_TEXT char *host = NULL, *port = NULL;
    if (!u) return err_set(why, ERR_NOMEM, "out of memory");
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    if (!rc) rc = curl_url_get(u, CURLUPART_HOST, &host, 0);
    if (!rc) rc = curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (rc == CURLUE_OUT_OF_MEMORY) return err_set(why, ERR_NOMEM, "out of memory");
    if (rc || !host || !port)
        return err_set(why, ERR_INVALID, "the URL cannot be read: %s", curl_url_strerror(rc));

    long p = strtol(port, NULL, 10);
    bool usual = https ? p == 443 || p == 8443 : p == 80;
    if (p < 1 || p > 65535 || (!usual && !allow_private))
        return err_set(why, ERR_INVALID, "the URL's port must be 443 or 8443%s",
                       allow_http ? " (http: 80)" : "");
    return check_host(host, allow_private, why);
}

/* ---- one attempt ---- */

struct webhook_client {
    CURL *easy;
    struct webhook_config cfg;
    /* of the attempt being made */
    int64_t answered_ns;           /* when the final headers were complete; 0: not yet */
    int block_status, http_status; /* of the header block being read; of the final answer */
    size_t header_bytes, body_bytes;
    bool refused, stopped;
};

/* An address of this machine, though public: our own listeners are not for tenants to reach from inside. */
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

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct webhook_client *c = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN || (!c->cfg.allow_private && !may_connect(&a->addr))) {
        c->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* One call a header line. Counts all of them, also those of 1xx answers, and notes where the final answer's end. */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct webhook_client *c = ctx;
    size_t n = size * count;
    c->header_bytes += n;
    if (c->header_bytes > WEBHOOK_ANSWER_HEADERS_MAX) return 0;

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

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    struct webhook_client *c = ctx;
    c->body_bytes += size * count;
    return c->body_bytes > WEBHOOK_ANSWER_MAX ? 0 : size * count;
}

/* libcurl calls this about once a second, or oftener. A low-speed limit would also cut off a receiver that thinks before it
 * answers, so the answer's body has a time limit of its own and the rest has the total timeout. */
static int on_progress(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    (void)down_all, (void)down, (void)up_all, (void)up;
    struct webhook_client *c = ctx;
    if (c->cfg.stop && atomic_load_explicit(c->cfg.stop, memory_order_relaxed)) c->stopped = true;
    return c->stopped
           || (c->answered_ns && mono_ns() - c->answered_ns > ANSWER_BODY_MS * NS_PER_MS);
}

static void init_libcurl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

enum err webhook_client_new(const struct webhook_config *cfg, struct webhook_client **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_libcurl);

    struct webhook_client *c = calloc(1, sizeof *c);
    if (!c) return ERR_NOMEM;
    c->cfg = *cfg;
    if (!c->cfg.connect_timeout_ms) c->cfg.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (!c->cfg.timeout_ms) c->cfg.timeout_ms = TIMEOUT_MS;
    c->easy = curl_easy_init();
    if (!c->easy) {
        webhook_client_free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void webhook_client_free(struct webhook_client *c)
{
    if (!c) return;
    curl_easy_cleanup(c->easy);
    free(c);
}

/* Every setting of one attempt, on a handle that has just been reset (which keeps only its cache of CA certificates). */
static CURLcode prepare(struct webhook_client *c, const struct webhook_request *r,
                        struct curl_slist *headers)
{
    CURLcode rc = CURLE_OK;
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (!rc) rc = curl_easy_setopt(c->easy, CURLOPT_##option, value);                          \
    } while (0)
    SET(URL, r->url);
    SET(PROTOCOLS_STR, c->cfg.allow_http ? "http,https" : "https");
    SET(NOSIGNAL, 1L);
    SET(QUICK_EXIT, 1L); /* a name server that hangs does not hold us past the timeout */
    SET(FOLLOWLOCATION, 0L);
    SET(PROXY, ""); /* also not from the environment: a proxy would connect past our check */
    SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(SSL_VERIFYPEER, 1L);
    SET(SSL_VERIFYHOST, 2L);
    SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->cfg.ca_file) SET(CAINFO, c->cfg.ca_file);
    SET(SSL_SESSIONID_CACHE, 0L);
    SET(DNS_CACHE_TIMEOUT, 0L);
    SET(FRESH_CONNECT,
        1L); /* a reused connection might be another tenant's, and libcurl repeats a POST when it breaks */
    SET(FORBID_REUSE, 1L);
    SET(OPENSOCKETFUNCTION, open_socket);
    SET(OPENSOCKETDATA, c);
    SET(CONNECTTIMEOUT_MS, (long)c->cfg.connect_timeout_ms);
    SET(TIMEOUT_MS, (long)c->cfg.timeout_ms);
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, c);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, c);
    SET(XFERINFOFUNCTION, on_progress);
    SET(XFERINFODATA, c);
    SET(NOPROGRESS, 0L);
    SET(USERAGENT, "tocsin");
    SET(HTTPHEADER, headers);
    SET(POST, 1L);
    SET(POSTFIELDSIZE, (long)r->body_n);
    SET(POSTFIELDS, r->body); /* not copied: the signed bytes are the sent bytes */
#undef SET
    return rc;
}

/* NULL when out of memory. */
static struct curl_slist *request_headers(const char *id, int64_t unix_s, const char *signature)
{
    char lines[3][64 + WEBHOOK_SIGNATURE_TEXT];
    snprintf(lines[0], sizeof lines[0], "webhook-id: %s", id);
    snprintf(lines[1], sizeof lines[1], "webhook-timestamp: %" PRId64, unix_s);
    snprintf(lines[2], sizeof lines[2], "webhook-signature: %s", signature);
    const char *const all[] = { "content-type: application/json", lines[0], lines[1], lines[2],
                                "Expect:" /* send at once */ };

    struct curl_slist *list = NULL;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct curl_slist *more = curl_slist_append(list, all[i]);
        if (!more) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = more;
    }
    return list;
}

static void judge(struct webhook_client *c, CURLcode rc, struct webhook_result *out)
{
    out->http_status = c->http_status;
    out->timed_out =
        !c->http_status
        && (rc == CURLE_OPERATION_TIMEDOUT || out->took_ms >= c->cfg.connect_timeout_ms);
    curl_off_t after = 0;
    if (!curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &after) && after > 0)
        out->retry_after_s = after;

    if (c->http_status) {
        if (c->http_status < 200 || c->http_status > 299)
            snprintf(out->error, sizeof out->error, "HTTP status %d", c->http_status);
    } else if (c->stopped) {
        out->aborted = true;
        snprintf(out->error, sizeof out->error, "stopping");
    } else if (c->refused) {
        out->refused = true;
        snprintf(out->error, sizeof out->error, "the address behind the URL is not allowed");
    } else if (c->header_bytes > WEBHOOK_ANSWER_HEADERS_MAX) {
        snprintf(out->error, sizeof out->error, "the answer's headers are too large");
    } else {
        snprintf(out->error, sizeof out->error, "%s",
                 rc ? curl_easy_strerror(rc) : "no final answer");
    }
}

void webhook_send(struct webhook_client *c, const struct webhook_request *r, int64_t unix_s,
                  struct webhook_result *out)
{
    *out = (struct webhook_result){ 0 };
    if (r->body_n > WEBHOOK_BODY_MAX) {
        out->too_large = true;
        snprintf(out->error, sizeof out->error, "the alert is larger than %d bytes",
                 WEBHOOK_BODY_MAX);
        return;
    }
    struct why why;
    if (webhook_url_check(r->url, c->cfg.allow_http, c->cfg.allow_private,
                          &why)) { /* settings may have changed since it was made */
        out->refused = true;
        snprintf(out->error, sizeof out->error, "%.*s", (int)sizeof out->error - 1, why.text);
        return;
    }
    char id[UUID_TEXT], signature[WEBHOOK_SIGNATURE_TEXT];
    uuid_format(r->id, id);
    enum err e = webhook_sign(id, unix_s, r->body, r->body_n, r->secret, r->secret_old, signature);
    struct curl_slist *headers = e ? NULL : request_headers(id, unix_s, signature);
    if (!headers) {
        snprintf(out->error, sizeof out->error, "%s",
                 e == ERR_INVALID ? "the channel has no usable secret" : "out of memory");
        return;
    }

    c->answered_ns = 0;
    c->block_status = c->http_status = 0;
    c->header_bytes = c->body_bytes = 0;
    c->refused = c->stopped = false;
    int64_t from = mono_ns();
    curl_easy_reset(c->easy);
    CURLcode rc = prepare(c, r, headers);
    if (!rc) rc = curl_easy_perform(c->easy);
    out->took_ms = (mono_ns() - from) / NS_PER_MS;
    judge(c, rc, out);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
}
