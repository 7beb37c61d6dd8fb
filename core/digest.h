/* digest.h - SHA-256, HMAC, base64, random bytes: a thin face on libcrypto, whose headers appear here and in seal.c only. */
#ifndef TOCSIN_CORE_DIGEST_H
#define TOCSIN_CORE_DIGEST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

void sha256(const void *p, size_t n, uint8_t out[SHA256_SIZE]);
void hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[SHA256_SIZE]);
bool digest_equal(const void *a, const void *b, size_t n); /* constant time */
void random_bytes(void *out, size_t n);                    /* aborts if the kernel gives none */

#define BASE64_TEXT_MAX(n) (((n) + 2) / 3 * 4 + 1)
size_t base64_encode(const void *p, size_t n,
                     char *out); /* out holds BASE64_TEXT_MAX(n); returns the length */
/* False when it is not canonical base64 with padding, or longer than cap or 510 bytes. */
bool base64_decode(const char *s, size_t n, void *out, size_t cap, size_t *out_n);
#endif
