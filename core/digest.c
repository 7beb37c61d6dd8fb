#include "core/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

void sha256(const void *p, size_t n, uint8_t out[SHA256_SIZE]) { SHA256(p, n, out); }

void hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[SHA256_SIZE])
{
    unsigned len = SHA256_SIZE;
    const uint8_t *ok = HMAC(EVP_sha256(), key, (int)key_n, p, n, out, &len);
    assert(ok);
    (void)ok;
}

bool digest_equal(const void *a, const void *b, size_t n) { return CRYPTO_memcmp(a, b, n) == 0; }

void random_bytes(void *out, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t k = getrandom((char *)out + got, n - got, 0);
        assert(k > 0);
        got += (size_t)k;
    }
}

size_t base64_encode(const void *p, size_t n, char *out)
{
    return (size_t)EVP_EncodeBlock((unsigned char *)out, p, (int)n);
}

bool base64_decode(const char *s, size_t n, void *out, size_t cap, size_t *out_n)
{
    unsigned char raw[512];
    char again[BASE64_TEXT_MAX(sizeof raw)];
    if (n == 0 || n % 4 || n / 4 * 3 > sizeof raw) return false;
    int k = EVP_DecodeBlock(raw, (const unsigned char *)s, (int)n);
    if (k < 0) return false;
    size_t len = (size_t)k - (s[n - 1] == '=') - (s[n - 2] == '=');
    if (len > cap || base64_encode(raw, len, again) != n || memcmp(again, s, n) != 0) return false;
    memcpy(out, raw, len);
    OPENSSL_cleanse(raw, sizeof raw);
    *out_n = len;
    return true;
}
