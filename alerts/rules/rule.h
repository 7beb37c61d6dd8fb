/* rule.h - a rule as the callers of rule_set.h know it: what they give, what they hear, what they
 * can ask. Plain data. */
#ifndef TOCSIN_ALERTS_RULES_RULE_H
#define TOCSIN_ALERTS_RULES_RULE_H
#include "alerts/rules/rule_state.h"
#include "core/uuid.h"

#include <stddef.h>

/* ---- what goes in ---- */
struct rule_spec {
    struct uuid tenant, id;
    uint64_t no; /* seq of the record that created the rule; a change keeps it */
    int32_t version;
    const struct term *terms; /* 1 to RULE_TERMS_MAX; copied */
    uint32_t terms_n, need;   /* so many terms make it true; 0: all */
    struct rule_clocks clocks;
    enum rule_at at;
    enum severity severity;
    bool enabled; /* false: kept, counted and shown, but never looked at */
    bool silent;  /* as before schema 5: what the change ends is not said, and it starts anew */
    const char *name, *text; /* copied */
};

/* What a change means for one series. */
struct series_change {
    uint32_t series;
    int asked;   /* so many more, or fewer, terms of live rules: nobody asks for it at 0 in sum */
    int watched; /* of these, those of enabled rules: its moves are wanted while there are any */
    int seen;    /* +1: the rule's tenant begins to see it, -1: no longer does, 0: as before */
};
struct rule_set_change { /* each series once, and only those with something to say */
    struct series_change of[2 * RULE_TERMS_MAX];
    size_t n;
};

/* ---- what comes out ---- */
/* A rule fires, or resolves. One that is disabled or deleted is said as it was while it fired. */
struct fire {
    struct uuid tenant, rule;
    uint64_t no, stream_no; /* stream_no: the tenant's, 1, 2, 3 ... */
    int32_t version;
    enum severity severity;
    enum alert_state state;
    enum alert_reason reason;
    uint64_t episode;    /* how often the rule has fired, this time included */
    int64_t at_ns;       /* of the look that says so; never before that of the rule's last one */
    int64_t since_ns;    /* when the condition of this episode came true */
    uint32_t series;     /* of the rule's first term */
    int64_t key, before; /* where that series stands, and stood before: key.h */
    bool has_key,
        has_before; /* they are values; no key: it fired on another series, and ends here */
    int64_t hold_ns;
    enum rule_hold hold_in;
    enum rule_at at;
    /* valid until the next rule_set_put or _delete */
    const struct term *term; /* the rule's first */
    const char *name, *text;
};
typedef void fire_fn(void *ctx, const struct fire *f);

/* ---- what can be asked ---- */
struct rule_facts {
    uint64_t no;
    int32_t version;
    bool deleted;
    enum rule_status status; /* while it is not deleted */
};
struct rule_set_count {
    size_t live, made; /* made: deleted ones too */
};

/* So many terms of the tenant's live rules are about that series. */
struct rule_sight {
    struct uuid tenant;
    uint32_t series, terms;
};
#endif
