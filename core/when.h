/* when.h - clocks and calendar. Event time is int64 nanoseconds since 1970 UTC; days are days since
 * 1970-01-01. */
#ifndef TOCSIN_CORE_WHEN_H
#define TOCSIN_CORE_WHEN_H
#include "core/err.h"

#include <stdint.h>

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000ll
#define NS_PER_DAY (86400ll * NS_PER_S)
#define DAY_1971 365 /* before it a bare integer is taken for another unit: when_is_ns */

enum { WHEN_TEXT_MAX = 40, DATE_TEXT_MAX = 16 };

int64_t wall_ns(void); /* for the edges only; the engine never calls it */
/* The wall clock, which is not set back: whoever does that while we run has mended it or spoiled it, and time has gone on. */
int64_t wall_onward_ns(void);
int64_t mono_ns(void); /* for timeouts and measuring */

/* "2018-02-07T21:00:00.000000000Z", with no more fraction digits than needed (0, 3, 6 or 9). */
size_t when_format(int64_t ns, char out[WHEN_TEXT_MAX]);
/* RFC 3339 with offset or Z, or a plain date (midnight UTC), or integer nanoseconds (when_is_ns; and 0). */
MUST_USE enum err when_parse(const char *s, size_t n, int64_t *out_ns, struct why *why);

/* Is a bare integer plausibly nanoseconds? One before 1971 is a time in another unit: ERR_INVALID, named. */
MUST_USE enum err when_is_ns(int64_t v, struct why *why);

struct civil {
    int year, month, day;
};
struct civil civil_from_day(int32_t day);
int32_t day_from_civil(int year, int month, int day);
int weekday_of_day(int32_t day);                          /* 0 Monday .. 6 Sunday */
int32_t day_of_ns(int64_t ns);                            /* floor: works before 1970 */
size_t date_format(int32_t day, char out[DATE_TEXT_MAX]); /* "2018-02-07" */
enum { DATE_WORDS_MAX = 24 };
size_t date_words(int32_t day, char out[DATE_WORDS_MAX]); /* "7 February 2018" */
MUST_USE enum err date_parse(const char *s, size_t n, int32_t *out_day, struct why *why);
#endif
