/* rule_set_save.h - the parts of a saved set of rules, for those who test that a program whose
 * fields differ still reads it. core/state.h says how a part is read by the names of its
 * fields. */
#ifndef TOCSIN_ALERTS_RULES_RULE_SET_SAVE_H
#define TOCSIN_ALERTS_RULES_RULE_SET_SAVE_H
#include "core/state.h"

/* In the order they are written:
 *     rule         by number: who and how; a live one takes the next terms_n terms and the next two
 *                  texts. Until state version 2 its state as well
 *     rule_term    the terms, rule after rule
 *     rule_state   by number: where it stood when the page was written
 *     rule_recent  where those stand that have moved since, with their numbers, ascending
 *     rule_series  by series number: where it stands
 *     rule_tenant  by number: its last stream_no
 *     rule_text    name and text, rule after rule, each ended by a NUL: its rows are bytes. Until
 *                  state version 2 it was rule_words, of lines of 64 bytes
 *     rule_close   by series number: where it stood when its session ended last
 * Edges, fingers, timers, sights and counts follow from these. */
enum rule_set_part {
    PART_RULES,
    PART_TERMS,
    PART_STATES,
    PART_RECENT,
    PART_SERIES,
    PART_TENANTS,
    PART_WORDS,
    PART_CLOSES,
    PART_COUNT
};
extern const struct state_part rule_set_parts[PART_COUNT];
#endif
