/* auth.h - whose API key it is, remembered for at most a second so that a revoked key is refused a second later everywhere.
 * Only keys that were good are remembered. Thread: any. */
#ifndef TOCSIN_API_AUTH_H
#define TOCSIN_API_AUTH_H
#include "store/keys.h"
#include "store/reader.h"

#include <pthread.h>

enum { AUTH_SLOTS = 4096 };
#define AUTH_CACHE_NS 900000000ll

struct auth_slot {
    struct key key;
    struct uuid tenant;
    int64_t until_ns;
};
struct auth_cache {
    pthread_mutex_t lock;
    struct auth_slot *slots;
};

MUST_USE enum err auth_init(struct auth_cache *c);
void auth_release(struct auth_cache *c);

/* The key of an Authorization header ("Bearer <key>"); false when there is none of the right shape and check. Pure. */
bool auth_header_key(const char *authorization, struct key *out);
/* True when it was good less than AUTH_CACHE_NS ago. */
bool auth_cached(struct auth_cache *c, const struct key *key, int64_t now_ns,
                 struct uuid *out_tenant);
/* True when it was good once, as far as is remembered: whose work it is, and no more than that. */
bool auth_known(struct auth_cache *c, const struct key *key, struct uuid *out_tenant);
/* Asks the database and remembers a good one. ERR_UNAUTHORIZED, or ERR_DB* : never open when the store is down. */
MUST_USE enum err auth_ask(struct auth_cache *c, struct reader *db, const struct key *key,
                           int64_t now_ns, struct uuid *out_tenant, struct why *why);
#endif
