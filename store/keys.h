/* keys.h - API keys: their text, and what `tocsin keys` does with them.
 *
 * A key is  mk_live_<id: 12 base62>_<secret: 43 base62 of 32 random bytes>_<check: 6 base62 of CRC-32>.  The check is over all
 * that precedes its underscore and catches typing errors before the database is asked; scanners find the prefix. Only the
 * SHA-256 of the whole text is stored: the text is shown once and cannot be had again. */
#ifndef TOCSIN_STORE_KEYS_H
#define TOCSIN_STORE_KEYS_H
#include "core/digest.h"
#include "core/uuid.h"
#include "store/db.h"

enum {
    KEY_ID_LEN = 12,
    KEY_SECRET_LEN = 43,
    KEY_CHECK_LEN = 6,
    KEY_RANDOM_SIZE = 64,
    KEY_TEXT_LEN = 8 + KEY_ID_LEN + 1 + KEY_SECRET_LEN + 1 + KEY_CHECK_LEN
};

struct key {
    char id[KEY_ID_LEN + 1];
    uint8_t sha256[SHA256_SIZE];
};

/* The key text made of these random bytes: a pure function. */
void key_format(const uint8_t random[KEY_RANDOM_SIZE], char out[KEY_TEXT_LEN + 1]);
/* False when the shape or the check is wrong. Says nothing about whether the key is known. Pure. */
bool key_parse(const char *text, size_t n, struct key *out);

/* The functions below speak as role tocsin_engine: `d` is such a session. They log nothing. */

/* Makes the tenant when there is none of that name. `days` 0: never expires. The text goes to *out_text and nowhere else. */
MUST_USE enum err keys_create(struct db *d, const char *tenant, const char *label, int days,
                              char out_text[KEY_TEXT_LEN + 1], struct uuid *out_tenant,
                              struct why *why);

struct key_row {
    const char *tenant, *id, *label, *created_at, *expires_at, *revoked_at;
}; /* "" for null */
/* Calls fn once a key, oldest first; tenant NULL: all tenants. */
MUST_USE enum err keys_list(struct db *d, const char *tenant,
                            void (*fn)(void *ctx, const struct key_row *row), void *ctx,
                            struct why *why);

/* Is it the text of a key that lives? */
MUST_USE enum err keys_check(struct db *d, const char *text, size_t n, bool *out, struct why *why);

/* ERR_NOT_FOUND when that tenant has no such key; revoking twice is fine. */
MUST_USE enum err keys_revoke(struct db *d, const char *tenant, const char *key_id,
                              struct why *why);
#endif
