/* backtest_rules.h - the rules of a back-test: from the command line and from a file, read and checked.
 *
 * A file has a rule a line, either its text or, beginning with {, the definition that POST /v1/rules takes; empty lines and those
 * that begin with # are skipped:
 *
 *     # concentration
 *     hhi(SP500) >= 88.5
 *     {"name":"High","rule":"hhi(SP500) >= 88.5","clear":"87","hold_s":600}
 */
#ifndef TOCSIN_APP_BACKTEST_RULES_H
#define TOCSIN_APP_BACKTEST_RULES_H
#include "app/rule_draft.h"
#include "app/rule_warning.h"
#include "core/buf.h"

enum { BACKTEST_RULES_MAX = 10000 };

/* A rule as the command line has it; NULL: not said. */
struct rule_words {
    const char *text, *clear, *hold, *hold_in, *cooldown, *at;
};

struct backtest_rule {
    struct rule_draft draft;
    /* ---- what came of it ---- */
    bool made;              /* its subject was known, and could come to what it asks for */
    struct why unreachable; /* not made, though the subject is known: why; "" */
    uint32_t series;        /* of its measure, once made */
    size_t looks;           /* session ends and days at which its measure was looked at */
    size_t values, thin;    /* of those: with a value; without one for low or unknown coverage */
    enum reading_status status; /* of the last look */
    struct rule_past past;      /* the values of those looks */
    size_t firing, resolved;
};

struct backtest_rules {
    struct backtest_rule *rules;
    size_t n, cap;
};

/* Both append. ERR_INVALID: `problems` has a line for each wrong rule, and its text with a mark below it. ERR_IO, ERR_LIMIT,
 * ERR_NOMEM in `why`. */
MUST_USE enum err backtest_rules_add(struct backtest_rules *r, const struct rule_words *words,
                                     struct buf *problems, struct why *why);
MUST_USE enum err backtest_rules_read(struct backtest_rules *r, const char *path,
                                      struct buf *problems, struct why *why);
void backtest_rules_release(struct backtest_rules *r);
#endif
