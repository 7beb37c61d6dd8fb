/* webhook.c - signed POSTs as Standard Webhooks 1.0.0 has them.
 *
 * For alert a0010203-0405-8607-8809-0a0b0c0d0e0f at 1700000000 with the secret whsec_MfKQ... the
 * request is
 *
 *     POST /hook HTTP/1.1
 *     content-type: application/json
 *     webhook-id: a0010203-0405-8607-8809-0a0b0c0d0e0f    the alert's, the same at every attempt
 *     webhook-timestamp: 1700000000                       the attempt's
 *     webhook-signature: v1,<base64 of HMAC-SHA256(secret, ID.1700000000.BODY)>
 *
 *     {"type":"alert.firing", ...}                        the JSON text, as on the stream */
#include "alerts/delivery/channels/webhook.h"

#include "alerts/delivery/http_post.h"
#include "alerts/delivery/url.h"

#include <inttypes.h>
#include <stdio.h>

static const char secret_prefix[] = "whsec_";
enum { SECRET_PREFIX_N = sizeof secret_prefix - 1 };

/* ---- secrets and signatures ---- */

/* The bytes sign, the text is what people pass on: "whsec_" says what it is, and base64 is
 * canonical, so that a secret has one spelling. */
enum err webhook_secret_parse(const char *s, size_t n, struct webhook_secret *out, struct why *why)
{
    struct webhook_secret secret = { 0 };
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

size_t webhook_secret_format(const struct webhook_secret *secret, char out[WEBHOOK_SECRET_TEXT])
{
    memcpy(out, secret_prefix, SECRET_PREFIX_N);
    return SECRET_PREFIX_N + base64_encode(secret->bytes, secret->n, out + SECRET_PREFIX_N);
}

void webhook_secret_random(struct webhook_secret *out)
{
    out->n = 32;
    random_bytes(out->bytes, out->n);
}

/* "v1," and the HMAC of "id.timestamp.body". */
static size_t sign_one(const struct webhook_secret *secret, const struct buf *text, char *out)
{
    uint8_t mac[SHA256_SIZE];
    hmac_sha256(secret->bytes, secret->n, text->data, text->len, mac);
    memcpy(out, "v1,", 3);
    return 3 + base64_encode(mac, sizeof mac, out + 3);
}

enum err webhook_sign(const char *id, int64_t unix_s, const char *body, size_t body_n,
                      const struct webhook_secret *secret, const struct webhook_secret *old,
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

/* ---- settings ---- */

enum { URL, SECRET, SECRET_OLD };

static enum err webhook_check(const struct channel_values *v, const struct channel_limits *limits,
                              struct why *why)
{
    const char *text = v->at[SECRET].text;
    struct webhook_secret secret = { 0 };
    if (text && webhook_secret_parse(text, strlen(text), &secret, NULL))
        return err_set(why, ERR_INVALID,
                       "field \"secret\" must be whsec_ and base64 of %d to %d bytes",
                       WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
    explicit_bzero(&secret, sizeof secret);
    return url_check(v->at[URL].text, limits->allow_plain, limits->allow_private, why);
}

/* Makes a secret for who brought none. */
static enum err webhook_complete(struct channel_values *v)
{
    if (v->at[SECRET].given) return ERR_OK;
    struct webhook_secret secret;
    char text[WEBHOOK_SECRET_TEXT];
    webhook_secret_random(&secret);
    webhook_secret_format(&secret, text);
    enum err e = channel_values_set(v, SECRET, text);
    explicit_bzero(&secret, sizeof secret);
    explicit_bzero(text, sizeof text);
    return e;
}

/* ---- sending ---- */

static enum err webhook_open(const struct channel_setup *setup, void **out)
{
    struct http_client *c = NULL;
    enum err e = http_client_new(setup, &c);
    *out = c;
    return e;
}

static void webhook_close(void *session) { http_client_free(session); }

/* One that cannot be read is none: the attempt then fails with a clear reason. */
static struct webhook_secret secret_of(const struct setting_value *v)
{
    struct webhook_secret secret = { .n = 0 };
    if (v->text && webhook_secret_parse(v->text, strlen(v->text), &secret, NULL)) secret.n = 0;
    return secret;
}

static enum err sign(const struct channel_work *work, const char *id, const struct buf *body,
                     char out[WEBHOOK_SIGNATURE_TEXT])
{
    struct webhook_secret secret = secret_of(&work->values->at[SECRET]);
    struct webhook_secret old = secret_of(&work->values->at[SECRET_OLD]);
    enum err e = webhook_sign(id, work->unix_s, body->data, body->len, &secret, &old, out);
    explicit_bzero(&secret, sizeof secret);
    explicit_bzero(&old, sizeof old);
    return e;
}

static void post_signed(struct http_client *c, const struct channel_work *work, const char *id,
                        const struct buf *body, const char *signature, struct sent *out)
{
    char lines[3][64 + WEBHOOK_SIGNATURE_TEXT];
    snprintf(lines[0], sizeof lines[0], "webhook-id: %s", id);
    snprintf(lines[1], sizeof lines[1], "webhook-timestamp: %" PRId64, work->unix_s);
    snprintf(lines[2], sizeof lines[2], "webhook-signature: %s", signature);
    const struct http_request r = {
        .url = work->values->at[URL].text,
        .headers = { "content-type: application/json", lines[0], lines[1], lines[2] },
        .body = body->data,
        .body_n = body->len,
    };
    http_post(c, &r, out);
}

static void webhook_send(void *session, const struct channel_work *work, struct sent *out)
{
    AUTO_BUF struct buf body = { 0 };
    char id[UUID_TEXT], signature[WEBHOOK_SIGNATURE_TEXT];
    uuid_format(work->alert->alert_id, id);
    alert_render(work->alert, work->page, &body);
    if (body.len > WEBHOOK_BODY_MAX) {
        sent_say(out, OUTCOME_HOPELESS, "the alert is larger than %d bytes", WEBHOOK_BODY_MAX);
        return;
    }
    enum err e = buf_ok(&body) ? sign(work, id, &body, signature) : ERR_NOMEM;
    if (!e) return post_signed(session, work, id, &body, signature, out);
    sent_say(out, OUTCOME_RETRY, "%s",
             e == ERR_INVALID ? "the channel has no usable secret" : "out of memory");
}

#define SECRET_PATTERN "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$"

const struct channel_kind channel_webhook = {
    .name = "webhook",
    .help = "Signed HTTPS POSTs to a URL, as Standard Webhooks 1.0.0 has them",
    .settings = {
        [URL] = { .name = "url",
                  .type = SETTING_TEXT,
                  .required = true,
                  .min = 1,
                  .max = 2000,
                  .help = "https URL of a public host",
                  .example = "'https://example.com/hook'",
                  .pattern = "^https?://[!-~]+$" },
        [SECRET] = { .name = "secret",
                     .type = SETTING_TEXT,
                     .secret = true,
                     .min = 1,
                     .max = 200,
                     .help = "whsec_ and base64 of 24 to 64 bytes: the signing key of Standard "
                             "Webhooks 1.0.0. Made for you when absent",
                     .example = "'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo='",
                     .pattern = SECRET_PATTERN },
        [SECRET_OLD] = { .name = "secret_old",
                         .type = SETTING_TEXT,
                         .secret = true,
                         .own = true,
                         .min = 1,
                         .max = 200,
                         .help = "the secret before, with which is signed as well" },
    },
    .check = webhook_check,
    .complete = webhook_complete,
    .open = webhook_open,
    .send = webhook_send,
    .close = webhook_close,
};
