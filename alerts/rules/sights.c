/* sights.c - one count a pair, found by a hash of both numbers. Pairs are never taken out: a
 * tenant has as many as its rules, deleted ones included, ever had series, and after a restart
 * only those of live ones. */
#include "alerts/rules/sights.h"

#include "core/vec.h"

#include <assert.h>

static bool same_pair(const void *ctx, uint32_t v, const void *key)
{
    const struct sight *a = &((const struct sights *)ctx)->all[v], *b = key;
    return a->tenant == b->tenant && a->series == b->series;
}

static uint64_t hash_of(uint32_t tenant, uint32_t series)
{
    const uint64_t pair = (uint64_t)tenant << 32 | series;
    return map_hash(&pair, sizeof pair);
}

static uint32_t sight_number(const struct sights *s, uint32_t tenant, uint32_t series)
{
    const struct sight key = { .tenant = tenant, .series = series };
    return map_find(&s->by_pair, hash_of(tenant, series), same_pair, s, &key);
}

bool sights_reserve(struct sights *s, uint32_t tenant, uint32_t series)
{
    if (sight_number(s, tenant, series) != MAP_NONE) return true;
    if (!VEC_GROW(&s->all, &s->cap, s->n + 1)
        || !map_add(&s->by_pair, hash_of(tenant, series), (uint32_t)s->n))
        return false;
    s->all[s->n++] = (struct sight){ tenant, series, 0 };
    return true;
}

int sights_change(struct sights *s, uint32_t tenant, uint32_t series, int by)
{
    uint32_t at = sight_number(s, tenant, series);
    assert(at != MAP_NONE && (int64_t)s->all[at].terms + by >= 0);
    const bool was = s->all[at].terms > 0;
    s->all[at].terms += (uint32_t)by;
    return (s->all[at].terms > 0) - was;
}

bool sights_has(const struct sights *s, uint32_t tenant, uint32_t series)
{
    uint32_t at = sight_number(s, tenant, series);
    return at != MAP_NONE && s->all[at].terms > 0;
}

void sights_release(struct sights *s)
{
    free(s->all);
    map_release(&s->by_pair);
    *s = (struct sights){ 0 };
}
