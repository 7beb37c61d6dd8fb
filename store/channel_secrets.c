#include "store/channel_secrets.h"

#include "store/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one row ---- */

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

/* PostgreSQL's own: always pairs of lower case digits. */
static void bytes_of_hex(const char *hex, size_t n, uint8_t *out)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        const char pair[3] = { hex[i], hex[i + 1], '\0' };
        out[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

enum err channel_secrets_open(const struct seal_keys *keys, struct uuid tenant, struct uuid channel,
                              const char *hex, size_t n, struct arena *memory, char **out,
                              struct why *why)
{
    if (!keys)
        return err_set(why, ERR_FORBIDDEN,
                       "the channel's secrets are sealed, and secrets.key_file is not set");
    uint8_t about[ABOUT_SIZE];
    size_t bytes = n / 2, text_n = bytes > SEAL_EXTRA ? bytes - SEAL_EXTRA : 0;
    uint8_t *sealed = arena_alloc(memory, bytes + 1);
    char *text = arena_alloc(memory, text_n + 1);
    if (!sealed || !text) return err_set(why, ERR_NOMEM, "out of memory");
    bytes_of_hex(hex, n, sealed);
    about_channel(tenant, channel, about);
    struct why detail = { .text = "" };
    enum err e = seal_open(keys, about, sizeof about, sealed, bytes, (uint8_t *)text, &detail);
    if (e) return err_set(why, e, "the channel's secrets do not open: %s", detail.text);
    text[text_n] = '\0';
    *out = text;
    return ERR_OK;
}

/* ---- all of them, at a start ---- */

static const char sql_count[] =
    "SELECT count(*) FILTER (WHERE secret IS NOT NULL), count(secrets) FROM tocsin.channel";

static const char sql_all[] = "SELECT tenant_id, channel_id, " SQL_PLAIN_SECRETS(
    "c") ", encode(secrets, 'hex')"
         " FROM tocsin.channel c WHERE secret IS NOT NULL OR secrets IS NOT NULL"
         " ORDER BY tenant_id, channel_id FOR UPDATE";
enum { C_TENANT, C_CHANNEL, C_PLAIN, C_SEALED };

static const char sql_store[] =
    "UPDATE tocsin.channel SET secrets = decode($3, 'hex'), secret = NULL, secret_old = NULL"
    " WHERE tenant_id = $1::uuid AND channel_id = $2::uuid";

/* Without keys: what waits for one. */
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

static bool sealed_by_newest(const struct seal_keys *keys, const PGresult *r, int row)
{
    uint8_t head[1 + SEAL_KEY_ID_SIZE];
    size_t n = (size_t)PQgetlength(r, row, C_SEALED) / 2;
    if (n < sizeof head) return false;
    bytes_of_hex(PQgetvalue(r, row, C_SEALED), 2 * sizeof head, head);
    return seal_is_newest(keys, head, n);
}

/* One row's secrets as they are, opened or plain. */
static enum err read_secrets(const struct seal_keys *keys, const PGresult *r, int row,
                             const struct uuid *tenant, const struct uuid *channel,
                             struct arena *memory, char **out, struct why *why)
{
    if (!PQgetisnull(r, row, C_SEALED))
        return channel_secrets_open(keys, *tenant, *channel, PQgetvalue(r, row, C_SEALED),
                                    (size_t)PQgetlength(r, row, C_SEALED), memory, out, why);
    *out = arena_copy(memory, PQgetvalue(r, row, C_PLAIN), (size_t)PQgetlength(r, row, C_PLAIN));
    return *out ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

static enum err store_sealed(struct db *d, const struct seal_keys *keys, const PGresult *r, int row,
                             struct channel_secrets_state *out, struct why *why)
{
    const char *tenant_text = PQgetvalue(r, row, C_TENANT);
    const char *channel_text = PQgetvalue(r, row, C_CHANNEL);
    struct arena memory = { NULL };
    AUTO_BUF struct buf hex = { 0 };
    struct why opening = { .text = "" };
    struct uuid tenant, channel;
    char *json = NULL;
    if (uuid_parse(tenant_text, UUID_TEXT - 1, &tenant)
        || uuid_parse(channel_text, UUID_TEXT - 1, &channel))
        return err_set(why, ERR_INTERNAL, "an id of a channel cannot be read");

    enum err e = read_secrets(keys, r, row, &tenant, &channel, &memory, &json, &opening);
    if (e == ERR_NOT_FOUND || e == ERR_INVALID) {
        if (out->closed++ == 0) out->closed_why = opening;
        arena_release(&memory);
        return ERR_OK;
    }
    if (!e) e = channel_secrets_seal(keys, tenant, channel, json, &hex, &opening);
    if (json) explicit_bzero(json, strlen(json));
    arena_release(&memory);
    if (e) return err_set(why, e, "%s", opening.text);
    const char *const params[] = { tenant_text, channel_text, hex.data };
    e = db_exec(d, sql_store, 3, params, why);
    if (!e) out->sealed++;
    return e;
}

static enum err settle(struct db *d, const struct seal_keys *keys,
                       struct channel_secrets_state *out, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_script(d, "BEGIN", why);
    if (!e) e = db_query(d, sql_all, 0, NULL, &r, why);
    for (int i = 0; !e && i < PQntuples(r); i++)
        if (PQgetisnull(r, i, C_SEALED) || !sealed_by_newest(keys, r, i))
            e = store_sealed(d, keys, r, i, out, why);
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
