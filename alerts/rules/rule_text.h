/* rule_text.h - a rule as a tenant writes it: JSON in, checked definition out. Pure; thread: any.
 *
 *   {"name":"HHI high","rule":"hhi(DEMO) >= 180","clear":"170","hold_s":0,"cooldown_s":0,"severity":"warning","on_create":"fire","enabled":true}
 *
 * The measure inside the rule text is found here and read by analytics (alerts/ does not know measures). Values are compared
 * as int64 keys, so that a comparison is exact and one instruction: prices as they are at 1e-8, other values by the bits of
 * the double, arranged so that keys have the order of the numbers. */
#ifndef TOCSIN_ALERTS_RULES_RULE_TEXT_H
#define TOCSIN_ALERTS_RULES_RULE_TEXT_H
#include "alerts/alert.h"

enum rule_op { OP_GE, OP_GT, OP_LE, OP_LT };

enum { RULE_NAME_MAX = 100, RULE_TEXT_MAX = 240, RULE_SECONDS_MAX = 30 * 86400 };

struct rule_definition {
    char name[RULE_NAME_MAX + 1];
    char text[RULE_TEXT_MAX + 1]; /* as given until rule_canonical, then canonical */
    uint32_t measure_n;           /* text[0..measure_n) is the measure */
    enum rule_op op;
    char threshold[40],
        clear[40]; /* decimal texts; clear is "" for "as soon as the condition is false" */
    int64_t hold_s, cooldown_s;
    enum severity severity;
    bool wait; /* on_create = wait: a condition that holds at creation must clear first */
    bool enabled;
};

/* Errors in the rule text point at its character (why->at). */
MUST_USE enum err rule_parse(const char *json, size_t n, struct rule_definition *out,
                             struct why *why);
/* Puts the canonical measure text into d->text. */
MUST_USE enum err rule_canonical(struct rule_definition *d, const char *measure, struct why *why);
/* The definition as stored and shown: canonical JSON, without id, version and state. */
void rule_render(const struct rule_definition *d, struct buf *out);
const char *rule_op_text(enum rule_op op);

int64_t key_of_double(double v); /* not NaN */
double key_to_double(int64_t key);

/* What the matcher compares with: the condition holds when above ? key >= enter : key < enter, and the rule re-arms when
 * above ? key < clear : key >= clear. */
struct rule_edges {
    bool above;
    int64_t enter, clear;
};
/* `price`: the measure is a price, thresholds are exact at 1e-8. ERR_INVALID when clear lies on the wrong side. */
MUST_USE enum err rule_edges(const struct rule_definition *d, bool price, struct rule_edges *out,
                             struct why *why);
#endif
