/* rule_set.h - from moving values to alerts: every rule's state, and one sorted array of edges a series.
 *
 * A finger remembers how many edges lie at or below a series' last value; a move walks over exactly the edges it crosses, so
 * a rule that nothing crosses costs nothing (O(1 + crossed), performance.md). Enter and clear edges are keys in one array.
 *
 * A rule is ok, pending (the condition holds, but not yet for hold_s, or the cooldown still runs), firing, or disarmed (made
 * with on_create=wait while its condition held). Event time only. Pure: no clock, lock, log. Emits in a fixed order: due
 * timers by (time, rule number), then the edges crossed. Thread: the engine's. */
#ifndef TOCSIN_ALERTS_RULES_RULE_SET_H
#define TOCSIN_ALERTS_RULES_RULE_SET_H
#include "alerts/rules/rule_text.h"

#include <stddef.h>

struct rule_set;

struct rule_spec {
    struct uuid tenant, id;
    uint64_t no; /* seq of the record that created the rule; a change keeps it */
    int32_t version;
    uint32_t series;
    struct rule_edges edges;
    int64_t hold_ns, cooldown_ns;
    enum severity severity;
    bool wait, enabled;
    const char *name, *text; /* copied */
};

struct fire {
    struct uuid tenant, rule;
    uint64_t no, stream_no;
    int32_t version;
    uint32_t series;
    enum severity severity;
    enum alert_state state;
    int64_t key;             /* the value, as the matcher compares it */
    const char *name, *text; /* valid until the next rule_set_put */
};
typedef void fire_fn(void *ctx, const struct fire *f);

MUST_USE enum err rule_set_new(struct rule_set **out);
void rule_set_free(struct rule_set *r); /* NULL is fine */

/* Creates the rule, or replaces the one with that id: the new version starts anew from the standing value. May emit. `changed`
 * gets the series whose watcher count changes: left -1 and joined +1 (SERIES_NONE when none). */
struct rule_set_change {
    uint32_t left, joined;
};
MUST_USE enum err rule_set_put(struct rule_set *r, const struct rule_spec *s, int64_t now_ns,
                               fire_fn *emit, void *ctx, struct rule_set_change *changed,
                               struct why *why);
/* Its version goes up by one; the id is remembered. ERR_NOT_FOUND when that tenant has no such rule. A firing rule resolves without an alert: its owner took it away. */
MUST_USE enum err rule_set_delete(struct rule_set *r, struct uuid tenant, struct uuid id,
                                  struct rule_set_change *changed);

struct rule_facts {
    uint64_t no;
    int32_t version;
    bool deleted;
    const char *state;
}; /* state NULL when deleted */
/* false when that tenant never had such a rule. */
bool rule_set_find(const struct rule_set *r, struct uuid tenant, struct uuid id,
                   struct rule_facts *out);
size_t rule_set_size(const struct rule_set *r);
struct rule_set_count {
    size_t live, made;
}; /* made: deleted ones too */
struct rule_set_count rule_set_count(const struct rule_set *r, struct uuid tenant);

/* Names the series of the rules that rule_set_time(now_ns) may fire; a series may come twice, or for nothing. */
void rule_set_due(const struct rule_set *r, int64_t now_ns,
                  void (*each)(void *ctx, uint32_t series), void *ctx);
/* Event time has reached now_ns: pending rules that are due fire with the value then standing. Call before the moves of a record. */
void rule_set_time(struct rule_set *r, int64_t now_ns, fire_fn *emit, void *ctx);
/* The series stands at `key` now. Costs nothing for a series without rules. */
void rule_set_move(struct rule_set *r, uint32_t series, int64_t key, int64_t now_ns, fire_fn *emit,
                   void *ctx);
/* The series has no usable value (no data, low coverage, stale): its rules are stale and hold their breath. */
void rule_set_unusable(struct rule_set *r, uint32_t series);

void rule_set_save(const struct rule_set *r, struct buf *out);
MUST_USE enum err rule_set_load(const void *p, size_t n, struct rule_set **out, size_t *used,
                                struct why *why);
#endif
