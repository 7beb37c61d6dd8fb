/* fingerprint.c - one message as 64 bits, by which a partition is known again.
 *
 * The one before a stored position is hashed and stored with it. When the partition is opened
 * again and that message still hashes to the same, what follows is what follows; else the topic
 * was made anew and is another log by the same name. */
#include "ingest/kafka/source.h"

#include <endian.h>
#include <string.h>

static uint64_t mix(uint64_t x) /* splitmix64's finaliser */
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n)
{
    h = mix(h ^ (p ? (uint64_t)n + 1 : 0)); /* NULL is not the empty string */
    const unsigned char *b = p;
    for (; n >= 8 && p; b += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, b, 8);
        h = mix(h ^ le64toh(w)) + 0x9e3779b97f4a7c15u;
    }
    uint64_t tail = 0;
    if (p) memcpy(&tail, b, n);
    return mix(h ^ le64toh(tail));
}

int64_t kafka_fingerprint(int64_t timestamp_ms, const void *key, size_t key_n, const void *value,
                          size_t value_n)
{
    uint64_t h = mix((uint64_t)timestamp_ms + 0x9e3779b97f4a7c15u);
    h = mix_bytes(mix_bytes(h, key, key_n), value, value_n);
    return h ? (int64_t)h : 1;
}
