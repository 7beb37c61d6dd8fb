/* rule_set.h - all rules of all tenants: from moving values to what fires and resolves.
 *
 * One record of the engine is, in this order:
 *
 *     rule_set_time(set, now, ...)      pending rules that are due are looked at, each at its due time
 *     rule_set_move(set, series, key)   for each series that has moved: walks over the edges passed
 *     rule_set_unusable(set, series)    or this, where there is no value that counts
 *     rule_set_decide(set, now, ...)    rules whose edges were passed are looked at: fire, resolve
 *
 * So a rule of several terms is looked at once, with every series where the record has put it.
 * What is emitted has a fixed order: due timers by (time, rule number), then by series as moved,
 * within one by the edge that made it so: (key, rule), on the way down the highest first.
 *
 * `now` is the record's own time, and may be earlier than that of the record before: sources are
 * not in step. A rule's time never goes back for that: it is looked at no earlier than when its
 * series came to stand where they are, and than what it has said.
 *
 * Nothing that no edge passes is paid for: a move costs O(1 + passed). Event time only; no
 * clock, lock, log, and no allocation but in put and load. Thread: the engine's. */
#ifndef TOCSIN_ALERTS_RULES_RULE_SET_H
#define TOCSIN_ALERTS_RULES_RULE_SET_H
#include "alerts/rules/rule.h"
#include "core/buf.h"
#include "core/state_image.h"

#include <stddef.h>

struct rule_set;

MUST_USE enum err rule_set_new(struct rule_set **out);
void rule_set_free(struct rule_set *s); /* NULL is fine */

/* When a hold in session time is over: the first instant by which the series' subject has been in session for hold_ns since
 * since_ns. Given once, before all else; without it all time counts. */
typedef int64_t held_fn(void *ctx, uint32_t series, int64_t since_ns, int64_t hold_ns);
void rule_set_session_time(struct rule_set *s, held_fn *held, void *ctx);
/* Calendars may have changed, or whose they are: what is pending comes due by those of now, but not before now_ns. */
void rule_set_sessions_changed(struct rule_set *s, int64_t now_ns);

/* ---- rules come, change and go ---- */
/* Creates the rule, or changes the one with that id. It is looked at here, and so may emit:
 *
 *     another name, severity, text, cooldown, wait   nothing: it goes on as it was
 *     another hold                    what is pending comes due by the new one, from when it came true
 *     another clear level             what is firing resolves, if it is clear by the new one
 *     another threshold, way, series  what is firing goes on if the new condition holds, and else
 *                                     resolves; without a value as soon as there is one. What is
 *                                     not firing starts anew
 *     disabled                        what is firing resolves
 *     enabled                         it starts anew
 *
 * One that looks at session ends alone does all that with the next of them, and then begins; looking
 * at other times than before is another condition.
 *
 * A running cooldown goes on over all of these. ERR_NOMEM: nothing has changed. */
MUST_USE enum err rule_set_put(struct rule_set *s, const struct rule_spec *spec, int64_t now_ns,
                               fire_fn *emit, void *ctx, struct rule_set_change *change,
                               struct why *why);
/* Its version goes up by one; the id is remembered. What is firing resolves; `emit` NULL: without
 * saying so, as before schema 5. ERR_NOT_FOUND when that tenant has no such rule. */
MUST_USE enum err rule_set_delete(struct rule_set *s, struct uuid tenant, struct uuid id,
                                  int64_t now_ns, fire_fn *emit, void *ctx,
                                  struct rule_set_change *change);

/* The series' canonical text is `measure` now: the rules on it say so from now on, and are called out as they now are, in the
 * order they came. Nothing else of them changes, their version neither. ERR_NOMEM: some have not changed. */
MUST_USE enum err rule_set_rename(struct rule_set *s, uint32_t series, const char *measure,
                                  void (*each)(void *ctx, const struct rule_spec *now), void *ctx);

/* ---- a record ---- */
/* From now on a record says at most so many alerts (0: any number), and looks so often that it
 * takes no time that anybody would notice. rule_set_time and then rule_set_decide say whether they
 * have left something behind: then the record is over, and their next call goes on. Meanwhile no
 * series may move. */
void rule_set_allow(struct rule_set *s, size_t alerts);
/* Names the series of the rules that rule_set_time(now_ns) will look at, and when each is due; in
 * no order, and the same may come twice. */
void rule_set_due(const struct rule_set *s, int64_t now_ns,
                  void (*each)(void *ctx, uint32_t series, int64_t due_ns), void *ctx);
/* Where the series stood at that time; false: it had no usable value. */
typedef bool stood_fn(void *ctx, uint32_t series, int64_t due_ns, int64_t *key);
/* Each rule that is due by now_ns, as of its due time and what `stood` says of then: of each pair
 * that rule_set_due names. `stood` NULL: as of now_ns, with the value of the last move; so it was
 * until MEANING_SECOND. */
bool rule_set_time(struct rule_set *s, int64_t now_ns, stood_fn *stood, fire_fn *emit, void *ctx);
/* The series stands at `key` now. Costs nothing for a series without rules. */
void rule_set_move(struct rule_set *s, uint32_t series, int64_t key, int64_t now_ns);
/* The series has no usable value (no data, low coverage, stale): its rules are stale and hold
 * their breath. */
void rule_set_unusable(struct rule_set *s, uint32_t series);
/* For rules that look at session ends alone: a session of the series has ended, and it stands at
 * `key`, or has no usable value. They look now, also those that have come due since the last. */
void rule_set_close(struct rule_set *s, uint32_t series, int64_t key, int64_t now_ns);
void rule_set_close_unusable(struct rule_set *s, uint32_t series);
bool rule_set_decide(struct rule_set *s, int64_t now_ns, fire_fn *emit, void *ctx);

/* ---- what there is ---- */
/* The series of enabled rules that look at session ends alone, ascending. */
void rule_set_at_close(const struct rule_set *s, void (*each)(void *ctx, uint32_t series),
                       void *ctx);
/* false when that tenant never had such a rule. */
bool rule_set_find(const struct rule_set *s, struct uuid tenant, struct uuid id,
                   struct rule_facts *out);
/* Is there such a rule now, of that text and with those levels? Its series is not looked at: the text says it. */
bool rule_set_says(const struct rule_set *s, struct uuid tenant, struct uuid id, const char *text,
                   const struct term *t);
size_t rule_set_size(const struct rule_set *s); /* live rules */
struct rule_set_count rule_set_count(const struct rule_set *s, struct uuid tenant);

/* Has the tenant a live rule about that series? */
bool rule_set_sees(const struct rule_set *s, struct uuid tenant, uint32_t series);
/* Every tenant and series of which that is so, in the order they first came. */
void rule_set_sights(const struct rule_set *s,
                     void (*each)(void *ctx, const struct rule_sight *sight), void *ctx);

/* ---- state that lasts: named parts (core/state.h), nothing by position ---- */
void rule_set_save(const struct rule_set *s, struct buf *out);
/* The same to be cut into pages; is part of an image that the caller ends. It costs what has changed since the image before. */
void rule_set_image(struct rule_set *s, struct state_image *out);
/* Is what the set was loaded from the image before the next one? Else that holds everything. */
void rule_set_image_known(struct rule_set *s, bool known);
MUST_USE enum err rule_set_load(const void *p, size_t n, struct rule_set **out, size_t *used,
                                struct why *why);
#endif
