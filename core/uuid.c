#include "core/uuid.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

struct uuid uuid_random(void)
{
    struct uuid u;
    ssize_t n = getrandom(u.b, sizeof u.b, 0);
    assert(n == (ssize_t)sizeof u.b); /* requests up to 256 bytes are never cut short */
    u.b[6] = (uint8_t)((u.b[6] & 0x0F) | 0x40);
    u.b[8] = (uint8_t)((u.b[8] & 0x3F) | 0x80);
    return u;
}

/* the finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection with good avalanche */
static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | p[i];
    return v;
}

struct uuid uuid_derive(struct uuid a, uint64_t x, uint64_t y)
{
    uint64_t h = mix(mix(mix(load64(a.b)) ^ x) ^ y), g = mix(mix(mix(load64(a.b + 8) + 1) ^ y) ^ x);
    h = mix(h ^ (g << 1));
    g = mix(g ^ h);
    struct uuid u;
    for (int i = 0; i < 8; i++) {
        u.b[i] = (uint8_t)(h >> (56 - 8 * i));
        u.b[8 + i] = (uint8_t)(g >> (56 - 8 * i));
    }
    u.b[6] = (uint8_t)((u.b[6] & 0x0F) | 0x80);
    u.b[8] = (uint8_t)((u.b[8] & 0x3F) | 0x80);
    return u;
}

void uuid_format(struct uuid u, char out[UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *p++ = '-';
        *p++ = hex[u.b[i] >> 4];
        *p++ = hex[u.b[i] & 15];
    }
    *p = '\0';
}

enum err uuid_parse(const char *s, size_t n, struct uuid *out)
{
    struct uuid u;
    int half = 0;
    if (n != UUID_TEXT - 1) return ERR_INVALID;
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash != (s[i] == '-')) return ERR_INVALID;
        if (dash) continue;
        char c = s[i];
        int v = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (v < 0) return ERR_INVALID;
        u.b[half / 2] = (uint8_t)(half % 2 ? u.b[half / 2] << 4 | v : v);
        half++;
    }
    *out = u;
    return ERR_OK;
}
