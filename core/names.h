/* names.h - an enum whose values have texts: one list gives the enum, the texts, and the way back.
 *
 *     #define ALERT_STATES(X) X(ALERT_FIRING, "firing") X(ALERT_RESOLVED, "resolved")
 *     enum alert_state { ALERT_STATES(NAMES_VALUE) };          // in the header, with:
 *     extern const struct names alert_state_names;
 *     NAMES(alert_state, ALERT_STATES);                        // in one .c file
 *
 * A row may go on behind its text, for those who make more of the list. So a value without a text does not compile.
 * A text that is nobody's is an error, never another value's. */
#ifndef TOCSIN_CORE_NAMES_H
#define TOCSIN_CORE_NAMES_H
#include "core/err.h"

struct names {
    const char *what;         /* the enum's own name, for messages: "alert_state" */
    const char *const *texts; /* by value, from 0; NULL-ended */
    int n;
};

#define NAMES_VALUE(value, ...) value,
#define NAMES_FIRST(text, ...) (text)
#define NAMES_TEXT(value, ...) [value] = NAMES_FIRST(__VA_ARGS__, NULL),
#define NAMES(tag, LIST)                                                                           \
    static const char *const tag##_texts[] = { LIST(NAMES_TEXT) NULL };                            \
    const struct names tag##_names = { #tag, tag##_texts, ARRAY_LEN(tag##_texts) - 1 }

/* The text of a value of ours: one outside the list is our own mistake. */
const char *names_text(const struct names *names, int value);
/* ERR_INVALID names the text and what would have been one; *out is written only on ERR_OK. */
MUST_USE enum err names_value(const struct names *names, const char *text, size_t n, int *out,
                              struct why *why);
#endif
