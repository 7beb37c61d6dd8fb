/* rule_mistake.h - a text that is no rule: what is wrong with it, at which character (why->at, from 1), and what would fit there.
 * Each returns ERR_SYNTAX. Pure; thread: any. */
#ifndef TOCSIN_ALERTS_RULES_RULE_MISTAKE_H
#define TOCSIN_ALERTS_RULES_RULE_MISTAKE_H
#include "core/err.h"

/* Where a measure begins there is none that ends. */
enum err rule_mistake_measure(const char *text, struct why *why);
/* Behind the measure, at `at` within the text, there is no operator. */
enum err rule_mistake_operator(const char *text, const char *at, struct why *why);
/* What is left behind the operator, without blanks at its end, is no number. "": nothing is left. */
enum err rule_mistake_threshold(const char *found, int at, struct why *why);
#endif
