#include "api/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum err auth_init(struct auth_cache *c)
{
    c->slots = calloc(AUTH_SLOTS, sizeof *c->slots);
    if (!c->slots) return ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    return ERR_OK;
}

void auth_release(struct auth_cache *c)
{
    if (!c->slots) return;
    free(c->slots);
    c->slots = NULL;
    pthread_mutex_destroy(&c->lock);
}

bool auth_header_key(const char *authorization, struct key *out)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0) return false;
    const char *text = authorization + 7;
    while (*text == ' ') text++;
    return key_parse(text, strlen(text), out);
}

/* the hash is uniform: its first bytes choose the slot; who comes later takes it */
static struct auth_slot *slot_of(struct auth_cache *c, const struct key *key)
{
    return &c->slots[((size_t)key->sha256[0] << 8 | key->sha256[1]) % AUTH_SLOTS];
}

bool auth_cached(struct auth_cache *c, const struct key *key, int64_t now_ns,
                 struct uuid *out_tenant)
{
    pthread_mutex_lock(&c->lock);
    const struct auth_slot *s = slot_of(c, key);
    bool hit = s->until_ns > now_ns && digest_equal(s->key.sha256, key->sha256, SHA256_SIZE);
    if (hit) *out_tenant = s->tenant;
    pthread_mutex_unlock(&c->lock);
    return hit;
}

bool auth_known(struct auth_cache *c, const struct key *key, struct uuid *out_tenant)
{
    return auth_cached(c, key, 0, out_tenant); /* until_ns of a slot that was ever taken is more */
}

enum err auth_ask(struct auth_cache *c, struct reader *db, const struct key *key, int64_t now_ns,
                  struct uuid *out_tenant, struct why *why)
{
    struct uuid tenant;
    enum err e = reader_find_key(db, key->id, key->sha256, &tenant, why);
    if (e) return e;
    pthread_mutex_lock(&c->lock);
    *slot_of(c, key) =
        (struct auth_slot){ *key, tenant,
                            now_ns + AUTH_CACHE_NS }; /* from before the question was asked */
    pthread_mutex_unlock(&c->lock);
    *out_tenant = tenant;
    return ERR_OK;
}
