/* rule_draft.h - a rule that has been read, before the engine has been asked: everything its JSON
 * says, typed, and checked as far as the text alone can tell.
 *
 *     {"rule":"last( A ) >= 110", "clear":"105"}
 *
 *     d       text "last(A) >= 110", measure_n 7, OP_GE, threshold "110", clear "105", ...
 *     m       the measure last of the instrument A
 *     term    above, enter 110.00000000, clear just above 105; the series is the engine's to fill in
 *
 * So the JSON is read once, by the thread that has it, and what travels is this. Whether A is
 * there is the engine's to say. Plain data, no pointers but to the measure's kind: copied by
 * assignment. Pure; thread: any. */
#ifndef TOCSIN_APP_RULE_DRAFT_H
#define TOCSIN_APP_RULE_DRAFT_H
#include "alerts/rules/rule_text.h"
#include "analytics/measure.h"
#include "core/uuid.h"

struct rule_draft {
    struct rule_definition d; /* canonical */
    struct measure m;
    struct term term;
    int subject_at; /* the character, from 1, of the text as given where its innermost subject stands: A of max(last(A)) */
};

/* A definition as a tenant writes it. The errors of rule_parse, measure_parse and rule_term;
 * why->at points into the rule text where that is what is wrong. *out is written only on ERR_OK. */
MUST_USE enum err rule_draft_read(const char *json, size_t n, struct rule_draft *out,
                                  struct why *why);
/* A definition as a record keeps it, written by rule_render: the draft it was rendered from. */
MUST_USE enum err rule_draft_read_stored(const char *json, size_t n, struct rule_draft *out,
                                         struct why *why);
/* Can the measure come to be what the rule asks for, and what it clears at, when its values are those of `range`? ERR_INVALID
 * with the range; why->at is the threshold's character in the text as given, and 0 of clear. */
MUST_USE enum err rule_draft_reachable(const struct rule_draft *draft, const struct range *range,
                                       struct why *why);
/* The same rule about another symbol, which the measure has room for. A text that is longer than a rule's may be is an
 * ERR_INVALID, and *draft then as it was. */
MUST_USE enum err rule_draft_set_symbol(struct rule_draft *draft, const char *symbol,
                                        struct why *why);
/* Whose series it looks at: the tenant's own for a book, else nobody's, which is everybody's. */
struct uuid rule_draft_owner(const struct rule_draft *draft, struct uuid tenant);
#endif
