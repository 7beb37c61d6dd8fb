/* rest_list.c - a short list, searched from end to end: it has an entry a channel that fails. */
#include "alerts/delivery/rest_list.h"

#include "core/when.h"

static struct rest *find_rest(struct rest_list *l, struct uuid channel)
{
    for (size_t i = 0; i < l->n; i++)
        if (uuid_equal(l->at[i].channel, channel)) return &l->at[i];
    return NULL;
}

/* When full, the one that is over soonest makes room: it loses its count of failures, nothing
 * else. */
static struct rest *add_rest(struct rest_list *l, struct uuid channel)
{
    struct rest *r = &l->at[0];
    if (l->n < RESTS_MAX) {
        r = &l->at[l->n++];
    } else {
        for (size_t i = 1; i < RESTS_MAX; i++)
            if (l->at[i].until_ns < r->until_ns) r = &l->at[i];
    }
    *r = (struct rest){ .channel = channel };
    return r;
}

void rest_list_note(struct rest_list *l, struct uuid channel, const struct attempt *a,
                    const struct verdict *v, int64_t now_ns, int64_t unit_ms)
{
    struct rest *r = find_rest(l, channel);
    if (v->status == DELIVERY_DELIVERED || v->disable) {
        if (r) *r = l->at[--l->n];
        return;
    }
    if (a->outcome == OUTCOME_HOPELESS) return;
    if (!r) r = add_rest(l, channel);
    r->failures++;
    r->until_ns = now_ns + schedule_rest_ms(a, v, r->failures, unit_ms) * NS_PER_MS;
}

size_t rest_list_now(const struct rest_list *l, int64_t now_ns, struct uuid *out, int64_t *wait_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i].until_ns <= now_ns) continue;
        int64_t left_ms = (l->at[i].until_ns - now_ns) / NS_PER_MS + 1;
        if (left_ms < *wait_ms) *wait_ms = left_ms;
        out[n++] = l->at[i].channel;
    }
    return n;
}
