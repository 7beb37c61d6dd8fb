#include "api/quota.h"

#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 1024 };

struct held {
    struct held *next;
    struct uuid tenant;
    int64_t n[QUOTA_COUNT]; /* of a rate: ns of it that are used up; of what is held: how many */
    int64_t at_ns[QUOTA_COUNT]; /* of a rate: when that was so */
};

struct quotas {
    pthread_mutex_t lock;
    int64_t limit[QUOTA_COUNT];
    struct held *buckets[BUCKETS];
};

static const struct {
    bool rate;
    const char *what, *setting;
} kinds[QUOTA_COUNT] = {
    [QUOTA_REQUEST] = { true, "requests a second", "api.tenant_requests_s" },
    [QUOTA_CHANGE] = { true, "changes a second", "api.tenant_changes_s" },
    [QUOTA_CONNECTION] = { false, "connections at once", "api.tenant_connections_max" },
    [QUOTA_STREAM] = { false, "live streams at once", "api.tenant_streams_max" },
};

enum err quotas_new(const struct quota_limits *limits, struct quotas **out)
{
    struct quotas *q = calloc(1, sizeof *q);
    if (!q) return ERR_NOMEM;
    pthread_mutex_init(&q->lock, NULL);
    quotas_set(q, limits);
    *out = q;
    return ERR_OK;
}

void quotas_set(struct quotas *q, const struct quota_limits *limits)
{
    pthread_mutex_lock(&q->lock);
    q->limit[QUOTA_REQUEST] = limits->requests_s;
    q->limit[QUOTA_CHANGE] = limits->changes_s;
    q->limit[QUOTA_CONNECTION] = limits->connections;
    q->limit[QUOTA_STREAM] = limits->streams;
    pthread_mutex_unlock(&q->lock);
}

void quotas_free(struct quotas *q)
{
    if (!q) return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct held *h = q->buckets[i], *next; h; h = next) {
            next = h->next;
            free(h);
        }
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* NULL when out of memory. */
static struct held *find(struct quotas *q, struct uuid tenant)
{
    struct held **bucket = &q->buckets[((size_t)tenant.b[14] << 8 | tenant.b[15]) % BUCKETS];
    for (struct held *h = *bucket; h; h = h->next)
        if (uuid_equal(h->tenant, tenant)) return h;
    struct held *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    *h = (struct held){ .next = *bucket, .tenant = tenant };
    return *bucket = h;
}

/* One of `limit` a second costs a second's `limit`th part, and a second's worth may be spent ahead. */
static bool spend(struct held *h, enum quota what, int64_t limit, int64_t now_ns)
{
    const int64_t passed = now_ns - h->at_ns[what], cost = NS_PER_S / limit;
    int64_t used = h->n[what] > passed ? h->n[what] - passed : 0;
    const bool fits = used + cost <= NS_PER_S;
    h->n[what] = fits ? used + cost : used;
    h->at_ns[what] = now_ns;
    return fits;
}

static bool take(struct held *h, enum quota what, int64_t limit, int64_t now_ns)
{
    if (kinds[what].rate) return limit == 0 || spend(h, what, limit, now_ns);
    if (limit && h->n[what] >= limit) return false;
    h->n[what]++;
    return true;
}

enum err quota_take(struct quotas *q, struct uuid tenant, enum quota what, int64_t now_ns,
                    struct why *why)
{
    pthread_mutex_lock(&q->lock);
    struct held *h = find(q, tenant);
    const int64_t limit = q->limit[what];
    const bool fits = h && take(h, what, limit, now_ns);
    pthread_mutex_unlock(&q->lock);
    if (!h) return err_set(why, ERR_NOMEM, "out of memory");
    return fits ? ERR_OK
                : err_set(why, ERR_LIMIT, "at most %" PRId64 " %s a tenant (%s); try again shortly",
                          limit, kinds[what].what, kinds[what].setting);
}

void quota_give(struct quotas *q, struct uuid tenant, enum quota what)
{
    pthread_mutex_lock(&q->lock);
    struct held *h = find(q, tenant);
    assert(h && !kinds[what].rate && h->n[what] > 0); /* what was taken */
    h->n[what]--;
    pthread_mutex_unlock(&q->lock);
}
