/* rule_text.h - a rule as a tenant writes it: JSON in, checked definition out. Pure; thread: any.
 *
 *     { "name": "High", "rule": "hhi(DEMO) >= 180", "clear": "170", "hold_s": 0, "hold_in": "clock",
 *       "cooldown_s": 0, "severity": "warning", "on_create": "fire", "at": "trade", "enabled": true }
 *
 * The measure inside the rule text is found here and read by analytics (alerts/ does not know
 * measures). */
#ifndef TOCSIN_ALERTS_RULES_RULE_TEXT_H
#define TOCSIN_ALERTS_RULES_RULE_TEXT_H
#include "alerts/alert.h"
#include "alerts/rules/term.h"

enum { RULE_NAME_MAX = 100, RULE_TEXT_MAX = 240, RULE_SECONDS_MAX = 30 * 86400 };

struct rule_definition {
    char name[RULE_NAME_MAX + 1];
    char text[RULE_TEXT_MAX + 1]; /* as given until rule_canonical, then canonical */
    uint32_t measure_n;           /* text[0..measure_n) is the measure */
    int threshold_at;             /* the character, from 1, of the text as given where it begins */
    enum rule_op op;
    /* Decimal texts, until rule_units perhaps with % or bps behind. Clear "": as soon as the
     * condition is false. */
    char threshold[40], clear[40];
    int64_t hold_s, cooldown_s;
    enum rule_hold hold_in;
    enum severity severity;
    enum rule_at at;
    bool wait; /* on_create = wait: a condition that holds at creation must clear first */
    bool enabled;
};

/* Errors in the rule text point at its character (why->at). */
MUST_USE enum err rule_parse(const char *json, size_t n, struct rule_definition *out,
                             struct why *why);
/* The same of a definition as rule_render wrote it: what it says beside the text because it
 * follows from it ("measure", "op", "threshold") is known, and the text is what counts. */
MUST_USE enum err rule_parse_stored(const char *json, size_t n, struct rule_definition *out,
                                    struct why *why);
/* "37%" and "50bps" become the plain numbers that they are in the measure's unit: of per cent 37 and
 * 0.5, of fractions ("0..1", "-1..1", "ratio") 0.37 and 0.005. ERR_INVALID, pointing at the
 * character, where the measure is in neither. Before rule_term and rule_canonical. */
bool rule_unit_is_fraction(const char *unit);
/* "20y" asks for a measure in years, "60d" for one in sessions: that unit; NULL: for none. */
const char *rule_unit_asked(const struct rule_definition *d);
MUST_USE enum err rule_units(struct rule_definition *d, const char *unit, struct why *why);
/* Puts the canonical measure text into d->text. */
MUST_USE enum err rule_canonical(struct rule_definition *d, const char *measure, struct why *why);
/* The definition as stored and shown: canonical JSON, without id, version and state. */
void rule_render(const struct rule_definition *d, struct buf *out);
/* What is compared: enter, clear and above; the series is the caller's to fill in. `price`:
 * the measure is a price, whose thresholds are exact at 1e-8. ERR_INVALID when clear lies on
 * the wrong side of the threshold. */
MUST_USE enum err rule_term(const struct rule_definition *d, bool price, struct term *out,
                            struct why *why);

/* The way back, for a reader: numbers in the measure's unit. `clear` is the threshold where no other level was given. */
struct rule_condition {
    enum rule_op op;
    double threshold, clear;
};
/* The text of a definition whose measure is its first measure_n characters: text, op, threshold and clear, the last as a plain
 * number. The rest of *out is left as it is. */
void rule_text_of(const char *text, size_t measure_n, const struct term *t, bool price,
                  struct rule_definition *out);
/* Of a canonical text and the term that rule_term made of it. */
struct rule_condition rule_condition(const char *text, const struct term *t, bool price);
#endif
