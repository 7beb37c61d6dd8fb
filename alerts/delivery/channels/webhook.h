/* webhook.h - one signed HTTP POST to an endpoint somebody else chose: Standard Webhooks 1.0.0, and no way into our own network.
 *
 * libcurl's header appears in webhook.c only. Checks of a URL's text happen when a channel is made and again before each send;
 * the check that counts happens in the socket hook, on the address itself (alerts/delivery/address.h). */
#ifndef TOCSIN_ALERTS_DELIVERY_CHANNELS_WEBHOOK_H
#define TOCSIN_ALERTS_DELIVERY_CHANNELS_WEBHOOK_H
#include "alerts/delivery/outbox.h"
#include "core/digest.h"

#include <stdatomic.h>

enum {
    WEBHOOK_SECRET_MIN = 24,
    WEBHOOK_SECRET_MAX = DELIVERY_SECRET_MAX,                      /* bytes */
    WEBHOOK_SECRET_TEXT = 6 + BASE64_TEXT_MAX(WEBHOOK_SECRET_MAX), /* "whsec_", base64, NUL */
    WEBHOOK_SIGNATURE_TEXT =
        2 * (3 + BASE64_TEXT_MAX(SHA256_SIZE)), /* "v1,<base64> v1,<base64>" and NUL */
    WEBHOOK_URL_MAX = 2048,
    WEBHOOK_BODY_MAX = 20 * 1024,
    WEBHOOK_ANSWER_MAX = 64 * 1024, /* of the answer's body; the rest is not read */
    WEBHOOK_ANSWER_HEADERS_MAX = 32 * 1024,
};

/* May a channel have this URL? https (http when allow_http) in plain ASCII, a host, no user or password, port 443 or 8443 (80 for
 * http), and no reserved address in any spelling (2130706433, 0x7f.1, 0177.0.0.1, 127.1, [::ffff:7f00:1] ...) nor localhost. allow_private
 * (development only) lifts the limits on port and address. ERR_INVALID says what is wrong. Thread: any. */
MUST_USE enum err webhook_url_check(const char *url, bool allow_http, bool allow_private,
                                    struct why *why);

/* "whsec_" and canonical base64 of 24 to 64 bytes. *out is written only on ERR_OK. Thread: any. */
MUST_USE enum err webhook_secret_parse(const char *s, size_t n, struct delivery_secret *out,
                                       struct why *why);
size_t webhook_secret_format(const struct delivery_secret *secret, char out[WEBHOOK_SECRET_TEXT]);
void webhook_secret_random(struct delivery_secret *out); /* 32 bytes from the kernel */

/* The webhook-signature header: "v1,<base64 HMAC-SHA256(secret, id.timestamp.body)>", and a second one with the old secret while
 * there is one. Pure. ERR_NOMEM; ERR_INVALID without a secret. */
MUST_USE enum err webhook_sign(const char *id, int64_t unix_s, const char *body, size_t body_n,
                               const struct delivery_secret *secret,
                               const struct delivery_secret *old, char out[WEBHOOK_SIGNATURE_TEXT]);

struct webhook_config {
    bool allow_http, allow_private;     /* development only */
    int connect_timeout_ms, timeout_ms; /* 0: 5000, 15000 */
    const char *ca_file; /* NULL: the system's; the peer is always verified. Outlives the client */
    const atomic_bool
        *stop; /* NULL, or: when true a send ends within a second, `aborted`. Outlives the client */
};

struct webhook_request {
    const char *url;
    struct uuid id; /* of the alert: the same at every attempt */
    const char *body;
    size_t body_n;
    const struct delivery_secret *secret, *secret_old;
};

struct webhook_result {
    int http_status; /* of the final answer, once its headers were complete; 0: there was none */
    int64_t retry_after_s; /* 0: not asked for */
    int64_t took_ms;
    bool refused; /* by us: the URL or every address behind it is not allowed */
    bool timed_out, aborted,
        too_large;   /* too_large: our body is over WEBHOOK_BODY_MAX; nothing was sent */
    char error[128]; /* "" when delivered; never holds the answer, an address, or a secret */
};

/* One connection at a time; a worker owns one. */
struct webhook_client;
MUST_USE enum err webhook_client_new(const struct webhook_config *cfg, struct webhook_client **out);
void webhook_client_free(struct webhook_client *c); /* NULL is fine */

/* One attempt, at most timeout_ms. The answer counts as soon as its headers are complete: of its body at most WEBHOOK_ANSWER_MAX
 * bytes are read for at most 2 s, and cutting it off takes nothing from a 2xx (the receiver has taken the alert; a retry would only
 * repeat it). `unix_s` is the attempt's timestamp. Redirects are not followed; nothing is shared between attempts but the CA store. */
void webhook_send(struct webhook_client *c, const struct webhook_request *r, int64_t unix_s,
                  struct webhook_result *out);
#endif
