/* param.h - typed, named arguments: `window=60d`, `n=10`, `over=5m`. A row of a table says one; text becomes an int64.
 *
 *     PARAM_CHOICE   the number of the word in `choices`              kind=geom
 *     PARAM_INT      a whole number from min to max                   n=10
 *     PARAM_SPAN     sessions or clock time, see struct span          over=20d, over=5m
 *     PARAM_SESSIONS sessions from min to max, or years of 252        over=60d, over=10y
 *
 * The text of a value is canonical: param_format(param_parse(text)) is the one way to write it. Pure; thread: any. */
#ifndef TOCSIN_CORE_PARAM_H
#define TOCSIN_CORE_PARAM_H
#include "core/buf.h"
#include "core/json_write.h"
#include "core/str.h"

enum param_type { PARAM_NONE, PARAM_CHOICE, PARAM_INT, PARAM_SPAN, PARAM_SESSIONS };

struct param {
    const char *name, *help;
    enum param_type type;       /* PARAM_NONE ends a list */
    const char *const *choices; /* PARAM_CHOICE: NULL-ended */
    /* PARAM_CHOICE: each choice as a title says it, "60 days"; {name} in one stands for that other
     * parameter. One for each of `choices`. NULL: as they are. */
    const char *const *words;
    int64_t min, max; /* PARAM_INT, PARAM_SESSIONS: of the value */
    int64_t missing;  /* the value when it is not given */
};

/* A stretch of time: `n` sessions (20d), or `n` nanoseconds by the clock (90s, 5m, 2h). */
struct span {
    bool clock;
    int64_t n;
};
enum { SPAN_SESSIONS_MAX = 1260 }; /* five years */
enum { SESSIONS_A_YEAR = 252 };
#define SPAN_CLOCK_MAX_NS (168 * 3600000000000ll) /* a week */

/* In one int64, as an argument is kept: sessions as they are, clock time as negative nanoseconds. */
#define SPAN_OF_SESSIONS(n) ((int64_t)(n))
#define SPAN_OF_SECONDS(s) (-(int64_t)(s) * 1000000000)
static inline struct span span_of(int64_t value)
{
    return value < 0 ? (struct span){ true, -value } : (struct span){ false, value };
}

enum { PARAM_TEXT_MAX = 32 };
/* ERR_INVALID with what fits: "window is one of 1d, 5d", "n is a whole number from 1 to 50". */
MUST_USE enum err param_parse(const struct param *p, struct str text, int64_t *out,
                              struct why *why);
size_t param_format(const struct param *p, int64_t value, char out[PARAM_TEXT_MAX]);
/* Every value it may have, the default first: "60d, 1d, 5d" or "10, 1 to 50". */
void param_values(const struct param *p, struct buf *out);
/* {"name":"n","type":"integer","default":"10","min":1,"max":50,"help":"..."} */
void param_describe(const struct param *p, struct json_writer *w);
#endif
