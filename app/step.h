/* step.h - one record through engine and rules: the very same step live, in a back-test and in verify.
 *
 * What a record causes goes to a sink of plain functions: live it fills a write batch, verify compares, a back-test collects.
 * Pure but for memory. Thread: one at a time. */
#ifndef TOCSIN_APP_STEP_H
#define TOCSIN_APP_STEP_H
#include "alerts/rules/rule_set.h"
#include "analytics/engine.h"

struct step_sink { /* NULL functions are skipped */
    void *ctx;
    void (*tick)(void *ctx, const struct record *r, int32_t instrument);
    void (*event)(void *ctx, const struct record *r, const struct uuid *tenant);
    void (*instrument)(void *ctx, int32_t id, struct instrument_facts f);
    void (*series)(void *ctx, uint32_t id, struct uuid tenant, const char *measure,
                   const char *unit, int version);
    void (*reading)(void *ctx, const struct record *r, uint32_t series, struct uuid tenant,
                    const struct reading *v);
    void (*article)(void *ctx, const struct record *r, const struct article_reading *a);
    void (*rule)(void *ctx, const struct record *r, int32_t version, const char *change,
                 const char *definition);
    void (*alert)(void *ctx, const struct alert *a);
};

struct step {
    struct engine *engine;
    struct rule_set *rules;
    struct step_sink sink;
    size_t series_told; /* series up to here have been given to the sink */
    struct buf inputs;
    struct evidence {
        uint32_t series;
        size_t at;
    } *held; /* inputs before the record, in held_text, of series whose timers it makes due */
    size_t held_n, held_cap;
    struct buf held_text;
    bool timing; /* what fires now fires with the value held */
};

MUST_USE enum err step_init(struct step *s);
void step_release(struct step *s);

/* Gives r the next seq and applies it. On failure nothing has changed, no seq is used, and the reason is the sender's to hear
 * (a dead letter, a problem body); ERR_NOMEM alone is the end of the process. */
MUST_USE enum err step_apply(struct step *s, struct record *r, struct why *why);

void step_save(const struct step *s, struct buf *out);
MUST_USE enum err step_load(struct step *s, const void *p, size_t n, struct why *why);
enum { STEP_STATE_VERSION = 1 };

/* The tickers of an article as JSON: [{"symbol","score","label","relevance"}]. */
void article_tickers(const struct article_reading *a, struct buf *out);

/* ---- the records the service itself makes: payload and fields, in `arena`; seq still to be given ---- */
struct arena;
/* The rule's canonical JSON goes into the payload, {"rule_id","definition"}. Errors point into the rule text. */
MUST_USE enum err step_rule_put(const struct step *s, struct uuid tenant, struct uuid rule,
                                const char *definition, size_t n, struct arena *arena,
                                struct record *out, struct why *why);
MUST_USE enum err step_rule_delete(const struct step *s, struct uuid tenant, struct uuid rule,
                                   struct arena *arena, struct record *out, struct why *why);
MUST_USE enum err step_track(const struct step *s, const char *measure, struct arena *arena,
                             struct record *out, struct why *why);
MUST_USE enum err step_settings(const struct step *s, const struct engine_settings *v,
                                struct arena *arena, struct record *out, struct why *why);
MUST_USE enum err step_clock(int64_t event_ns, struct arena *arena, struct record *out);
/* A stored event back into a record; `kind` and `tenant` are its columns. */
MUST_USE enum err step_event(enum record_kind kind, struct uuid tenant, const char *payload,
                             size_t n, struct arena *arena, struct record *out, struct why *why);
#endif
