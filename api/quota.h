/* quota.h - what one tenant may have of the API at once and a second, so that it leaves the others theirs.
 *
 * An address is no measure of that: behind a proxy all tenants have one. Requests and changes are
 * buckets of a second's worth that fill up as time passes; connections and streams are counted.
 * A tenant is remembered for ever once it has asked: they are few, and each had a key. Thread: any. */
#ifndef TOCSIN_API_QUOTA_H
#define TOCSIN_API_QUOTA_H
#include "core/uuid.h"

#include <stdint.h>

struct quota_limits { /* 0: none */
    int64_t requests_s, changes_s;
    int64_t connections, streams;
};

enum quota { QUOTA_REQUEST, QUOTA_CHANGE, QUOTA_CONNECTION, QUOTA_STREAM, QUOTA_COUNT };

struct quotas;
MUST_USE enum err quotas_new(const struct quota_limits *limits, struct quotas **out);
void quotas_free(struct quotas *q); /* NULL is fine */

/* From now on. What is held above a lower limit stays; nothing is added until it is below. */
void quotas_set(struct quotas *q, const struct quota_limits *limits);

/* One more of it. ERR_LIMIT: it has what it may; `why` names the limit and the setting. ERR_NOMEM. */
MUST_USE enum err quota_take(struct quotas *q, struct uuid tenant, enum quota what, int64_t now_ns,
                             struct why *why);
/* A connection or a stream that was taken is over. */
void quota_give(struct quotas *q, struct uuid tenant, enum quota what);
#endif
