/* webhook.h - the secrets and signatures of Standard Webhooks 1.0.0. For webhook.c and its test;
 * everybody else has the kind by its name (channel.h). Pure but for the random secret. */
#ifndef TOCSIN_ALERTS_DELIVERY_CHANNELS_WEBHOOK_H
#define TOCSIN_ALERTS_DELIVERY_CHANNELS_WEBHOOK_H
#include "core/digest.h"
#include "core/err.h"

enum {
    WEBHOOK_SECRET_MIN = 24,
    WEBHOOK_SECRET_MAX = 64,                                       /* bytes */
    WEBHOOK_SECRET_TEXT = 6 + BASE64_TEXT_MAX(WEBHOOK_SECRET_MAX), /* "whsec_", base64, NUL */
    WEBHOOK_SIGNATURE_TEXT =
        2 * (3 + BASE64_TEXT_MAX(SHA256_SIZE)), /* "v1,<base64> v1,<base64>" and NUL */
    WEBHOOK_BODY_MAX = 20 * 1024,
};

struct webhook_secret {
    uint8_t bytes[WEBHOOK_SECRET_MAX];
    size_t n; /* 0: none */
};

/* "whsec_" and canonical base64 of 24 to 64 bytes. *out is written only on ERR_OK. */
MUST_USE enum err webhook_secret_parse(const char *s, size_t n, struct webhook_secret *out,
                                       struct why *why);
size_t webhook_secret_format(const struct webhook_secret *secret, char out[WEBHOOK_SECRET_TEXT]);
void webhook_secret_random(struct webhook_secret *out); /* 32 bytes from the kernel */

/* The webhook-signature header: "v1,<base64 HMAC-SHA256(secret, id.timestamp.body)>", and a
 * second one with the old secret while there is one. ERR_NOMEM; ERR_INVALID without a secret. */
MUST_USE enum err webhook_sign(const char *id, int64_t unix_s, const char *body, size_t body_n,
                               const struct webhook_secret *secret,
                               const struct webhook_secret *old, char out[WEBHOOK_SIGNATURE_TEXT]);
#endif
