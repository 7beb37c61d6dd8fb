/* channel_secrets.h - the secrets of channels as they are stored: sealed, and bound to their
 * row.
 *
 * What is sealed is the JSON object of a channel's secret settings, {"secret":"whsec_..."}, and
 * it is about this tenant and this channel: copied into another row it does not open. Rows from
 * before schema version 3 have a webhook's secrets in plain columns, which are read as well
 * until channel_secrets_settle() has sealed them. */
#ifndef TOCSIN_STORE_CHANNEL_SECRETS_H
#define TOCSIN_STORE_CHANNEL_SECRETS_H
#include "core/arena.h"
#include "core/buf.h"
#include "core/seal.h"
#include "core/str.h"
#include "core/uuid.h"

/* SQL: the JSON object in the plain columns of tocsin.channel c; null when there is nothing. A
 * secret's bytes are written as its owner knows them; encode() breaks base64 into lines. */
#define SQL_PLAIN_SECRETS                                                                          \
    "CASE WHEN c.secret IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object("                    \
    "'secret', 'whsec_' || replace(encode(c.secret, 'base64'), E'\\n', ''),"                       \
    " 'secret_old', 'whsec_' || replace(encode(c.secret_old, 'base64'), E'\\n', ''))) END"

/* Appends the sealed JSON as hex, which decode(..., 'hex') makes bytes of. ERR_FORBIDDEN without
 * keys. */
MUST_USE enum err channel_secrets_seal(const struct seal_keys *keys, struct uuid tenant,
                                       struct uuid channel, const char *json, struct buf *hex,
                                       struct why *why);

/* The JSON of what is sealed. *out lives in `memory`; who has it wipes it. The
 * detail of a failure is for the operator and names no secret: keys is NULL, or has not the key, or
 * what is there was changed or belongs elsewhere. */
MUST_USE enum err channel_secrets_open(const struct seal_keys *keys, struct uuid tenant,
                                       struct uuid channel, struct str sealed, struct arena *memory,
                                       char **out, struct why *why);

/* What settling found and did. */
struct channel_secrets_state {
    int64_t sealed; /* were in plain columns, or sealed with a key that is not the first; now are */
    int64_t plain;  /* still in plain columns: there is no key */
    int64_t closed; /* sealed, and do not open with these keys; left as they are */
    struct why closed_why; /* of the first of them */
};

/* Seals what is plain, and anew what another key than the first has sealed, all in one
 * transaction: so a migration ends with the first start, and an old key may leave the file after
 * one. `keys` NULL: counts only. A session of its own, as tocsin_engine. */
MUST_USE enum err channel_secrets_settle(const char *conninfo, const struct seal_keys *keys,
                                         struct channel_secrets_state *out, struct why *why);
#endif
