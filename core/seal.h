/* seal.h - secrets at rest: AES-256-GCM with keys from a file, on libcrypto.
 *
 * A key file has a key a line: 32 bytes, as 64 hex digits or as base64. Blank lines and lines that
 * begin with # are passed over. The first key seals, every one opens. So a key is changed without
 * a stop: put the new one first, let everything be sealed anew, take the old one out.
 *
 *     # tocsin keys seal-key --out secrets.key
 *     8f2c...  (64 hex digits)            seals and opens
 *     b1d0...                             opens what was sealed before
 *
 * What is sealed says which key it wants (8 bytes of the key's SHA-256), and is bound to what it
 * is about: who opens it has to say the same `about`, so that a sealed secret which was moved to
 * another row opens there no more than one that was changed.
 *
 *     1        8        12             n            16        bytes
 *     version  key id   random nonce   ciphertext   tag
 *
 * A nonce is random: one key may seal some 2^32 times. Keys and plain texts are wiped where they
 * pass through here. Thread: any; keys change by seal_keys_replace alone. */
#ifndef TOCSIN_CORE_SEAL_H
#define TOCSIN_CORE_SEAL_H
#include "core/err.h"

#include <stdint.h>

enum {
    SEAL_KEY_SIZE = 32,
    SEAL_KEYS_MAX = 16,
    SEAL_KEY_ID_SIZE = 8,
    SEAL_KEY_ID_TEXT = 2 * SEAL_KEY_ID_SIZE + 1,
    SEAL_NONCE_SIZE = 12,
    SEAL_TAG_SIZE = 16,
    SEAL_ABOUT_MAX = 128,
    SEAL_EXTRA = 1 + SEAL_KEY_ID_SIZE + SEAL_NONCE_SIZE + SEAL_TAG_SIZE, /* more than the text */
};

struct seal_keys;

/* From a file that nobody but its owner and group may touch. ERR_IO when it cannot be read,
 * ERR_INVALID when others may read it or it is no key file; the detail begins with the path and
 * the line and never quotes what is there. */
MUST_USE enum err seal_keys_read(const char *path, struct seal_keys **out, struct why *why);
/* The same from its text; `name` is what the detail calls it. */
MUST_USE enum err seal_keys_parse(const char *text, size_t n, const char *name,
                                  struct seal_keys **out, struct why *why);
void seal_keys_free(struct seal_keys *k); /* NULL is fine */
/* From now on k holds the keys of `from`, which it takes; whoever is sealing or opening ends first.
 * True when they are others than before. */
bool seal_keys_replace(struct seal_keys *k, struct seal_keys *from);

/* Makes a new key and puts it into the file, which only its owner may then read: first, before
 * the keys that are there, when `add`, else ERR_CONFLICT when there is a file. The file is
 * replaced whole or not at all. */
MUST_USE enum err seal_key_make(const char *path, bool add, struct why *why);

/* Seals n bytes into out, which holds n + SEAL_EXTRA. `about`: at most SEAL_ABOUT_MAX bytes.
 * ERR_INTERNAL when libcrypto fails. */
MUST_USE enum err seal(const struct seal_keys *k, const void *about, size_t about_n,
                       const void *plain, size_t n, uint8_t *out);

/* Opens n bytes into out, which holds n - SEAL_EXTRA. ERR_NOT_FOUND when its key is not there,
 * ERR_INVALID when it is not what was sealed, or not about that; out is then all zero. */
MUST_USE enum err seal_open(const struct seal_keys *k, const void *about, size_t about_n,
                            const uint8_t *sealed, size_t n, uint8_t *out, struct why *why);

/* Whether the key that seals now has sealed it. */
bool seal_is_newest(const struct seal_keys *k, const uint8_t *sealed, size_t n);

/* ---- the primitive, for the test's vectors ---- */
/* Encrypts n bytes into out and leaves the tag. */
MUST_USE bool gcm_encrypt(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                          const void *about, size_t about_n, const void *plain, size_t n,
                          uint8_t *out, uint8_t tag[SEAL_TAG_SIZE]);
/* False when the tag does not fit: out is then not to be looked at. */
MUST_USE bool gcm_decrypt(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                          const void *about, size_t about_n, const uint8_t *cipher, size_t n,
                          const uint8_t tag[SEAL_TAG_SIZE], uint8_t *out);
#endif
