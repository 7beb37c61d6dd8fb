#include "core/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uint64_t map_hash(const void *p, size_t n)
{
    const unsigned char *s = p;
    uint64_t h = 0x9E3779B97F4A7C15ull ^ n;
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t v;
        memcpy(&v, s, 8);
        h = (h ^ v) * 0xBF58476D1CE4E5B9ull;
        h ^= h >> 32;
    }
    for (; n; s++, n--) h = (h ^ *s) * 0x94D049BB133111EBull;
    return h ^ (h >> 29);
}

uint32_t map_find(const struct map *m, uint64_t hash, map_equal *equal, const void *ctx,
                  const void *key)
{
    if (!m->cap) return MAP_NONE;
    for (size_t i = (uint32_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        const struct map_slot *s = &m->slots[i];
        if (s->value == MAP_NONE) return MAP_NONE;
        if (s->hash == (uint32_t)hash && equal(ctx, s->value, key)) return s->value;
    }
}

static void place(struct map *m, uint32_t hash, uint32_t value)
{
    size_t i = hash & (m->cap - 1);
    while (m->slots[i].value != MAP_NONE) i = (i + 1) & (m->cap - 1);
    m->slots[i] = (struct map_slot){ hash, value };
}

bool map_add(struct map *m, uint64_t hash, uint32_t value)
{
    if ((m->n + 1) * 2 > m->cap) {
        struct map bigger = { .cap = m->cap ? m->cap * 2 : 64 };
        bigger.slots = malloc(bigger.cap * sizeof *bigger.slots);
        if (!bigger.slots) return false;
        memset(bigger.slots, 0xFF, bigger.cap * sizeof *bigger.slots);
        for (size_t i = 0; i < m->cap; i++)
            if (m->slots[i].value != MAP_NONE) place(&bigger, m->slots[i].hash, m->slots[i].value);
        bigger.n = m->n;
        free(m->slots);
        *m = bigger;
    }
    place(m, (uint32_t)hash, value);
    m->n++;
    return true;
}

/* Those behind it move up as far as their own places, so that no search stops too early at the hole. */
void map_remove(struct map *m, uint64_t hash, uint32_t value)
{
    const size_t mask = m->cap - 1;
    size_t hole = (uint32_t)hash & mask;
    while (m->slots[hole].value != value) {
        assert(m->slots[hole].value != MAP_NONE);
        hole = (hole + 1) & mask;
    }
    for (size_t i = (hole + 1) & mask; m->slots[i].value != MAP_NONE; i = (i + 1) & mask) {
        const size_t home = m->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* it would come before its home */
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole].value = MAP_NONE;
    m->n--;
}

void map_release(struct map *m)
{
    free(m->slots);
    *m = (struct map){ 0 };
}
