/* map.h - hash of something the caller keeps to a 32-bit number (an index into the caller's array).
 * Open addressing. Iteration order does not exist here: nothing may depend on it. */
#ifndef TOCSIN_CORE_MAP_H
#define TOCSIN_CORE_MAP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map_slot {
    uint32_t hash, value;
}; /* value MAP_NONE: empty */
struct map {
    struct map_slot *slots;
    size_t cap, n;
};

typedef bool map_equal(const void *ctx, uint32_t value, const void *key);

uint64_t map_hash(const void *p, size_t n);
/* MAP_NONE when absent. */
uint32_t map_find(const struct map *m, uint64_t hash, map_equal *equal, const void *ctx,
                  const void *key);
bool map_add(struct map *m, uint64_t hash,
             uint32_t value); /* the key must be absent; false when out of memory */
/* The entry with that value, whose key had that hash, goes; it must be there. So much room is there for another. */
void map_remove(struct map *m, uint64_t hash, uint32_t value);
void map_release(struct map *m);
#endif
