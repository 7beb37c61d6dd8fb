/* step.h - one record through engine and rules: the very same step live, in a back-test and in verify.
 *
 * What a record causes are rows (core/row.h), and they go to one function, the sink: live it fills a write batch, verify
 * compares, a back-test prints alerts. A record's rows come in this order: the tick or event it is, the instrument it
 * changed and what it is called, what looked wrong in it (analytics/quality.h), what divisors it changed, what actions it said or applied, the series that began or became everybody's, its article's score, the readings, then rules, their versions and alerts as they happen.
 * Pure but for memory. Thread: one at a time. */
#ifndef TOCSIN_APP_STEP_H
#define TOCSIN_APP_STEP_H
#include "alerts/rules/rule_set.h"
#include "analytics/engine.h"
#include "analytics/rows.h"
#include "app/rule_draft.h"
#include "core/state_image.h"
#include "ingest/stored.h"

struct step_sink {
    void *ctx;
    /* `row` is one of `type`; it and its texts live during the call. */
    void (*row)(void *ctx, const struct row_type *type, const void *row);
    /* NULL: every row. Else these alone, NULL-ended: what is not wanted is not even computed. */
    const struct row_type *const *wanted;
};

/* The rows a step says; STEP_ROW(type). */
enum step_row {
#define STEP_ROW(name) STEP_##name,
#include "app/step_rows.def"
#undef STEP_ROW
    STEP_ROW_COUNT
};

struct step {
    struct engine *engine;
    struct rule_set *rules;
    struct step_sink sink; /* set by step_hear alone */
    bool wanted[STEP_ROW_COUNT];
    size_t series_told; /* series up to here have been given to the sink */
    /* Of the alert that is being said, and of others: ten thousand rules of one series may fire at
     * one record. */
    struct buf inputs; /* of inputs_series at the record inputs_seq */
    uint32_t inputs_series;
    uint64_t inputs_seq;
    char *
        *definitions; /* by series, which has the same for ever; NULL until the first alert of it */
    size_t definitions_n, definitions_cap;
    struct evidence { /* of series whose rules come due before the record, as they stood then */
        int64_t due_ns;
        uint32_t series;
        bool usable;
        int64_t key;
        size_t at; /* its inputs, in held_text */
    } *held;
    size_t held_n, held_cap;
    struct buf held_text;
    /* What the last record has caused and could not say: the BURST records behind it do. In this
     * order, for a rule that came due is to look before its series moves on. */
    enum step_owes { OWES_NOTHING, OWES_TIME, OWES_LOOKS } owes;
    int64_t due_ns, moved_ns; /* when it was for the rules: before it was applied, and after */
    uint64_t owes_seq;        /* the record */
    int64_t owes_received_ms; /* likewise */
    bool
        sessions_changed; /* by the record in hand: holds in session time are due anew when it is over */
    bool piecewise;       /* the caller applies them, by step_go_on or as they are stored */
    bool due_then;        /* held as of the due times, else as of just before the record */
    bool timing;          /* what fires now fires with what is held */
    struct picture_list
        *list; /* of the series and who sees them as of list_generation; NULL: none yet */
    uint64_t list_generation;
    uint64_t imaged_seq; /* of the image before; 0: the next one holds everything */
    bool sights_changed; /* since then a tenant has begun or ceased to see a series */
};

MUST_USE enum err step_init(struct step *s);
void step_release(struct step *s);

/* From now on `sink` hears. Without one no record can be applied: who wants none of the rows says so, by step_deaf. A type in
 * `wanted` that no step says is our own mistake. */
void step_hear(struct step *s, const struct step_sink *sink);
extern const struct step_sink
    step_deaf; /* nobody listens: recovery, and tests of the state alone */

/* Gives r the next seq and applies it. On failure nothing has changed, no seq is used, and the reason is the sender's to hear
 * (a dead letter, a problem body); ERR_NOMEM alone is the end of the process. */
MUST_USE enum err step_apply(struct step *s, struct record *r, struct why *why);
/* A record may make ten million rules fire. It says engine.burst_alerts of them, and BURST records right behind it, which the
 * service makes itself, so many each, until all is said. step_apply applies them too, unless `piecewise`: then its caller does,
 * before it applies anything else, and what it has so far may be committed in between. */
/* As step_apply(r) would first do: ends one session that is over before r; *ended: there was one. */
MUST_USE enum err step_end_session(struct step *s, const struct record *r, bool *ended,
                                   struct why *why);
bool step_owes(const struct step *s);
MUST_USE enum err step_go_on(struct step *s, struct why *why);
/* An instrument or index that names no calendar gets this one ("": none). For records that come in, not for stored ones: what is
 * stored names its calendar, so that another configuration changes no replay. */
void step_name_calendar(struct record *r, const char *calendar);
bool step_has_calendar(const struct record *r); /* is it of a kind that may name one? */
/* The same of a record that step_rule_put has made of `draft`, whose definition so need not be
 * read again. */
MUST_USE enum err step_apply_put(struct step *s, struct record *r, const struct rule_draft *draft,
                                 struct why *why);

/* What others may see of the state now. NULL: out of memory. The caller holds the one reference. */
struct picture *step_picture(struct step *s);

void step_save(const struct step *s, struct buf *out);
/* The same to be cut into pages, without those that are as they were in the image before, which is so to be stored first
 * (out->since). false: out of memory; the caller releases it either way. */
MUST_USE bool step_image(struct step *s, struct state_image *out);
/* Before the first image of a state that was loaded: pages of what was read, the state after record `seq`, may be left out. *out is
 * what would then be left out; who read it says whether that is there, and if not calls step_image_anew. false: out of memory. */
MUST_USE bool step_image_known(struct step *s, uint64_t seq, struct state_image *out);
void step_image_anew(struct step *s); /* the next image holds everything */
MUST_USE enum err step_load(struct step *s, const void *p, size_t n, struct why *why);
/* As if nobody had ever made a rule: for a back-test that begins at a checkpoint. Series that only rules asked for are gone. */
MUST_USE enum err step_forget_rules(struct step *s, struct why *why);
enum { STEP_STATE_VERSION = 6 };

/* ---- the records the service itself makes; strings in `arena`, seq still to be given ---- */
struct arena;
/* The rule's canonical JSON is the record's definition. ERR_UNKNOWN_SYMBOL and its like when the
 * engine does not know what the draft is about; ERR_INVALID when no value of that comes to what it
 * asks for (rule_draft_reachable), unless the rule asks for it already. */
MUST_USE enum err step_rule_put(const struct step *s, struct uuid tenant, struct uuid rule,
                                const struct rule_draft *draft, struct arena *arena,
                                struct record *out, struct why *why);
MUST_USE enum err step_rule_delete(const struct step *s, struct uuid tenant, struct uuid rule,
                                   struct record *out, struct why *why);
MUST_USE enum err step_track(const struct step *s, const char *measure, struct arena *arena,
                             struct record *out, struct why *why);
struct record step_quality_release(const struct step *s, struct uuid flag);
/* A price of that symbol was set aside, and why, of a message that was sent then; the reason is the caller's. */
struct record step_refusal(const struct step *s, const struct symbol *of, struct str reason,
                           int64_t received_ms);
struct record step_settings(const struct step *s, const struct market_settings *v);
struct record step_clock(const struct step *s, int64_t event_ns);
#endif
