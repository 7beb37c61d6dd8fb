/* channel_secrets.c - sealing one channel's secrets, and all of them at a start.
 *
 * The secret whsec_MfKQ... of tenant 0b54b2a4-..., channel 5d1c0d0e-...:
 *
 *     text     {"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}       51 bytes
 *     about    "tocsin.channel", the tenant's 16 bytes, the channel's 16  48 bytes, stored nowhere
 *     secrets  01, key id, nonce, 51 bytes, tag                          88 bytes: the column
 *
 * Whoever copies the column into a channel of their own gains nothing: opening says another
 * `about`. At a start with the keys B, A (B is new): what key A sealed is opened and sealed with
 * B, what is plain is sealed with B, what B sealed is left, and what neither opens is counted. */
#include "store/channel_secrets.h"

#include "store/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one row ---- */

/* The label: what is sealed here for another purpose one day does not open as this. */
enum { LABEL_SIZE = 16, ABOUT_SIZE = LABEL_SIZE + 2 * sizeof(struct uuid) };

/* What the secrets of a channel are about. */
static void about_channel(struct uuid tenant, struct uuid channel, uint8_t out[ABOUT_SIZE])
{
    static const char label[LABEL_SIZE] = "tocsin.channel";
    memcpy(out, label, LABEL_SIZE);
    memcpy(out + LABEL_SIZE, &tenant, sizeof tenant);
    memcpy(out + LABEL_SIZE + sizeof tenant, &channel, sizeof channel);
}

enum err channel_secrets_seal(const struct seal_keys *keys, struct uuid tenant, struct uuid channel,
                              const char *json, struct buf *hex, struct why *why)
{
    if (!keys) return err_set(why, ERR_FORBIDDEN, "there is no key: secrets.key_file is not set");
    uint8_t about[ABOUT_SIZE];
    size_t n = strlen(json);
    uint8_t *sealed = malloc(n + SEAL_EXTRA);
    if (!sealed) return err_set(why, ERR_NOMEM, "out of memory");
    about_channel(tenant, channel, about);
    enum err e = seal(keys, about, sizeof about, json, n, sealed);
    for (size_t i = 0; !e && i < n + SEAL_EXTRA; i++) buf_printf(hex, "%02x", sealed[i]);
    free(sealed);
    if (e) return err_set(why, e, "libcrypto does not seal");
    return buf_ok(hex) ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

enum err channel_secrets_open(const struct seal_keys *keys, struct uuid tenant, struct uuid channel,
                              struct str sealed, struct arena *memory, char **out, struct why *why)
{
    if (!keys)
        return err_set(why, ERR_FORBIDDEN,
                       "the channel's secrets are sealed, and secrets.key_file is not set");
    uint8_t about[ABOUT_SIZE];
    size_t text_n = sealed.n > SEAL_EXTRA ? sealed.n - SEAL_EXTRA : 0;
    char *text = arena_alloc(memory, text_n + 1);
    if (!text) return err_set(why, ERR_NOMEM, "out of memory");
    about_channel(tenant, channel, about);
    struct why detail = { .text = "" };
    enum err e = seal_open(keys, about, sizeof about, (const uint8_t *)sealed.p, sealed.n,
                           (uint8_t *)text, &detail);
    if (e) return err_set(why, e, "the channel's secrets do not open: %s", detail.text);
    text[text_n] = '\0';
    *out = text;
    return ERR_OK;
}

/* ---- all of them, at a start ---- */

static const char sql_count[] =
    "SELECT count(*) FILTER (WHERE secret IS NOT NULL), count(secrets) FROM tocsin.channel";

static const char sql_all[] =
    "SELECT tenant_id, channel_id, " SQL_PLAIN_SECRETS "::text, secrets"
    " FROM tocsin.channel c WHERE secret IS NOT NULL OR secrets IS NOT NULL"
    " ORDER BY tenant_id, channel_id FOR UPDATE";
enum { C_TENANT, C_CHANNEL, C_PLAIN, C_SEALED };

static const char sql_store[] =
    "UPDATE tocsin.channel SET secrets = decode($3, 'hex'), secret = NULL, secret_old = NULL"
    " WHERE tenant_id = $1::uuid AND channel_id = $2::uuid";

/* Without keys nothing can be done: how many channels wait for one, and in what state. */
static enum err count_secrets(struct db *d, struct channel_secrets_state *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(d, sql_count, 0, NULL, &r, why);
    if (e) return e;
    out->plain = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    out->closed = strtoll(PQgetvalue(r, 0, 1), NULL, 10);
    if (out->closed) err_set(&out->closed_why, ERR_FORBIDDEN, "secrets.key_file is not set");
    return ERR_OK;
}

/* One channel on its way through settling. */
struct settling {
    struct uuid tenant, channel;
    struct str sealed; /* in the result; p NULL: plain */
    /* The secrets in the clear: set by read_row where they were plain, by settle_one where they
     * were sealed with an older key; NULL where neither needs doing. Wiped by settling_release
     * before its memory goes. */
    char *json;
    struct arena memory;
};

static enum err read_row(const PGresult *r, int row, struct settling *s, struct why *why)
{
    *s = (struct settling){ .json = NULL };
    memcpy(&s->tenant, PQgetvalue(r, row, C_TENANT), sizeof s->tenant);
    memcpy(&s->channel, PQgetvalue(r, row, C_CHANNEL), sizeof s->channel);
    if (!PQgetisnull(r, row, C_SEALED)) {
        s->sealed.p = PQgetvalue(r, row, C_SEALED);
        s->sealed.n = (uint32_t)PQgetlength(r, row, C_SEALED);
        return ERR_OK;
    }
    s->json =
        arena_copy(&s->memory, PQgetvalue(r, row, C_PLAIN), (size_t)PQgetlength(r, row, C_PLAIN));
    return s->json ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err store_sealed(struct db *d, const struct seal_keys *keys, const struct settling *s,
                             struct why *why)
{
    AUTO_BUF struct buf hex = { 0 };
    char tenant[UUID_TEXT], channel[UUID_TEXT];
    uuid_format(s->tenant, tenant);
    uuid_format(s->channel, channel);
    enum err e = channel_secrets_seal(keys, s->tenant, s->channel, s->json, &hex, why);
    const char *const params[] = { tenant, channel, hex.data };
    return e ? e : db_exec(d, sql_store, 3, params, why);
}

/* Opens it if it is sealed, and seals it with the first key if it is not yet. */
static enum err settle_one(struct db *d, const struct seal_keys *keys, struct settling *s,
                           struct channel_secrets_state *out, struct why *why)
{
    struct why closed = { .text = "" };
    if (s->sealed.p && seal_is_newest(keys, (const uint8_t *)s->sealed.p, s->sealed.n))
        return ERR_OK;
    enum err e = s->sealed.p ? channel_secrets_open(keys, s->tenant, s->channel, s->sealed,
                                                    &s->memory, &s->json, &closed)
                             : ERR_OK;
    if (e == ERR_NOT_FOUND || e == ERR_INVALID) { /* it stays: its key may come back */
        if (out->closed++ == 0) out->closed_why = closed;
        return ERR_OK;
    }
    if (e) return err_set(why, e, "%s", closed.text);
    e = store_sealed(d, keys, s, why);
    if (!e) out->sealed++;
    return e;
}

static void settling_release(struct settling *s)
{
    if (s->json) explicit_bzero(s->json, strlen(s->json));
    arena_release(&s->memory);
}

/* All in one transaction: a start that is cut short leaves everything readable as it was. The
 * rows are locked, so that a channel which is deleted meanwhile does not get its secrets back. */
static enum err settle(struct db *d, const struct seal_keys *keys,
                       struct channel_secrets_state *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_script(d, "BEGIN", why);
    if (!e) e = db_query_binary(d, sql_all, 0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++) {
        struct settling s;
        e = read_row(r, i, &s, why);
        if (!e) e = settle_one(d, keys, &s, out, why);
        settling_release(&s);
    }
    return e ? e : db_script(d, "COMMIT", why);
}

enum err channel_secrets_settle(const char *conninfo, const struct seal_keys *keys,
                                struct channel_secrets_state *out, struct why *why)
{
    struct db d;
    *out = (struct channel_secrets_state){ .sealed = 0 };
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin secrets", &d, why);
    if (!e) e = keys ? settle(&d, keys, out, why) : count_secrets(&d, out, why);
    db_close(&d); /* takes back what is not committed */
    return e;
}
