/* when.c - time as text. What when_parse takes, and the nanoseconds it gives:
 *
 *     1518037200000000000                   themselves
 *     2018-02-07                            midnight UTC of day 17569: 1517961600000000000
 *     2018-02-07T22:00:00.5+01:00           + 22 h + 0.5 s - 1 h:      1518037200500000000
 *
 * A text of digits alone is nanoseconds; anything else begins with a date of ten bytes. An offset
 * is what the clock there shows more than UTC, so it is taken away again. Second 60, the leap second,
 * is refused: nanoseconds since 1970 do not count it, and taken for the second after it a trade
 * would be of the next day. */
#include "core/when.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t c)
{
    struct timespec t;
    clock_gettime(c, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}
int64_t wall_ns(void) { return read_clock(CLOCK_REALTIME); }
int64_t mono_ns(void) { return read_clock(CLOCK_MONOTONIC); }

/* What the wall clock said when it was first asked, and what has gone by since. */
int64_t wall_onward_ns(void)
{
    static _Atomic int64_t began; /* on the wall clock, when the monotonic one was 0 */
    const int64_t wall = wall_ns(), mono = mono_ns();
    int64_t none = 0;
    atomic_compare_exchange_strong(&began, &none, wall - mono);
    const int64_t onward = atomic_load(&began) + mono;
    return wall > onward ? wall : onward;
}

/* ---- the calendar ---- */
/* After Howard Hinnant, "chrono-compatible low-level date algorithms": years are taken to begin on
 * 1 March, so that the leap day is the last one, in eras of 400 years, 146,097 days each. */
int32_t day_from_civil(int y, int m, int d)
{
    y -= m <= 2;
    int era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1,
        doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct civil civil_from_day(int32_t z)
{
    z += 719468;
    int era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
        doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153, m = mp < 10 ? mp + 3 : mp - 9;
    return (struct civil){ yoe + era * 400 + (m <= 2), m, doy - (153 * mp + 2) / 5 + 1 };
}

int weekday_of_day(int32_t day) { return ((day + 3) % 7 + 7) % 7; }
int32_t day_of_ns(int64_t ns) { return (int32_t)(ns / NS_PER_DAY - (ns % NS_PER_DAY < 0)); }

size_t date_format(int32_t day, char out[DATE_TEXT_MAX])
{
    struct civil c = civil_from_day(day);
    return (size_t)snprintf(out, DATE_TEXT_MAX, "%04d-%02d-%02d", c.year % 10000, c.month, c.day);
}

size_t date_words(int32_t day, char out[DATE_WORDS_MAX])
{
    static const char *const months[] = { "January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December" };
    struct civil c = civil_from_day(day);
    return (size_t)snprintf(out, DATE_WORDS_MAX, "%d %s %d", c.day, months[c.month - 1],
                            c.year % 10000);
}

size_t when_format(int64_t ns, char out[WHEN_TEXT_MAX])
{
    int32_t day = day_of_ns(ns);
    int64_t in_day = ns % NS_PER_DAY + (ns % NS_PER_DAY < 0 ? NS_PER_DAY : 0);
    int s = (int)(in_day / NS_PER_S), frac = (int)(in_day % NS_PER_S);
    char date[DATE_TEXT_MAX], tail[16] = "";
    date_format(day, date);
    if (frac % 1000 != 0) snprintf(tail, sizeof tail, ".%09d", frac);
    else if (frac % 1000000 != 0) snprintf(tail, sizeof tail, ".%06d", frac / 1000);
    else if (frac != 0) snprintf(tail, sizeof tail, ".%03d", frac / 1000000);
    return (size_t)snprintf(out, WHEN_TEXT_MAX, "%sT%02d:%02d:%02d%sZ", date, s / 3600, s / 60 % 60,
                            s % 60, tail);
}

/* ---- text ---- */
/* n digits, all of them. */
static bool digits(const char *s, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        *out = *out * 10 + (s[i] - '0');
    }
    return true;
}

enum err date_parse(const char *s, size_t n, int32_t *out_day, struct why *why)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int y, m, d;
    if (n != 10 || s[4] != '-' || s[7] != '-' || !digits(s, 4, &y) || !digits(s + 5, 2, &m)
        || !digits(s + 8, 2, &d))
        return err_set(why, ERR_INVALID, "expected a date as YYYY-MM-DD");
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (y < 1700 || y > 2261 || m < 1 || m > 12 || d < 1
        || d > month_days[m - 1] + (m == 2 && leap))
        return err_set(why, ERR_INVALID, "no such date between 1700 and 2261");
    *out_day = day_from_civil(y, m, d);
    return ERR_OK;
}

/* 1577977300000 as nanoseconds is half an hour into 1970; as milliseconds it is a day of 2020, as one would send. */
enum err when_is_ns(int64_t v, struct why *why)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = { { "seconds", NS_PER_S },
                  { "milliseconds", NS_PER_MS },
                  { "microseconds", 1000 } };
    const int64_t ns_1971 = DAY_1971 * NS_PER_DAY, ns_2100 = 47482 * NS_PER_DAY;
    if (v >= ns_1971) return ERR_OK;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (v >= ns_1971 / units[i].ns && v < ns_2100 / units[i].ns)
            return err_set(why, ERR_INVALID,
                           "%" PRId64 " looks like %s: send nanoseconds since 1970, or RFC 3339", v,
                           units[i].name);
    return err_set(
        why, ERR_INVALID,
        "%" PRId64
        " is no time in nanoseconds since 1970 (it lies before 1971): send those, or RFC 3339",
        v);
}

/* ---- times: what stands after the date, each part from *i on, which moves behind it ---- */
static const char expected[] = "expected RFC 3339 time, a date, or nanoseconds since 1970";

static enum err parse_ns(const char *s, size_t n, int64_t *out_ns, struct why *why)
{
    if (n > 18 && (n > 19 || memcmp(s, "9223372036854775807", 19) > 0))
        return err_set(why, ERR_INVALID, "time out of range");
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v * 10 + (s[i] - '0');
    enum err e = v == 0 ? ERR_OK : when_is_ns(v, why); /* 0 is 1970 in every unit */
    if (!e) *out_ns = v;
    return e;
}

/* "T21:00:00", and a byte behind it: without Z or an offset it is no time. */
static enum err add_clock(const char *s, size_t n, size_t *i, int64_t *ns, struct why *why)
{
    int h, m, sec;
    const char *t = s + *i;
    if (n < *i + 10 || (t[0] != 'T' && t[0] != 't') || t[3] != ':' || t[6] != ':'
        || !digits(t + 1, 2, &h) || !digits(t + 4, 2, &m) || !digits(t + 7, 2, &sec) || h > 23
        || m > 59 || sec > 60)
        return err_set(why, ERR_INVALID, "%s", expected);
    if (sec == 60)
        return err_set(
            why, ERR_INVALID,
            "second 60: time since 1970 has no leap seconds; send second 59, or the minute after");
    *ns += (h * 3600ll + m * 60 + sec) * NS_PER_S;
    *i += 9;
    return ERR_OK;
}

/* ".5", ".123456789", or nothing. */
static enum err add_fraction(const char *s, size_t n, size_t *i, int64_t *ns, struct why *why)
{
    if (s[*i] != '.') return ERR_OK;
    size_t from = ++*i;
    int64_t unit = NS_PER_S / 10;
    for (; *i < n && s[*i] >= '0' && s[*i] <= '9'; ++*i, unit /= 10) *ns += unit * (s[*i] - '0');
    if (*i == from || *i - from > 9)
        return err_set(why, ERR_INVALID, "expected 1 to 9 digits of a second's fraction");
    return ERR_OK;
}

/* "Z" or "+01:00", and then the end. */
static enum err add_offset(const char *s, size_t n, size_t i, int64_t *ns, struct why *why)
{
    int h, m;
    if (i + 1 == n && (s[i] == 'Z' || s[i] == 'z')) return ERR_OK;
    if (i + 6 != n || (s[i] != '+' && s[i] != '-') || s[i + 3] != ':' || !digits(s + i + 1, 2, &h)
        || !digits(s + i + 4, 2, &m) || h > 23 || m > 59)
        return err_set(why, ERR_INVALID,
                       "expected Z or an offset such as +01:00 at the end of the time");
    *ns -= (s[i] == '-' ? -1 : 1) * (h * 3600ll + m * 60) * NS_PER_S;
    return ERR_OK;
}

enum err when_parse(const char *s, size_t n, int64_t *out_ns, struct why *why)
{
    size_t i = 0;
    int32_t day;
    while (i < n && s[i] >= '0' && s[i] <= '9') i++;
    if (n > 0 && i == n) return parse_ns(s, n, out_ns, why);
    if (date_parse(s, n < 10 ? n : 10, &day, NULL))
        return err_set(why, ERR_INVALID, "%s", expected);
    int64_t ns = day * NS_PER_DAY;
    enum err e = ERR_OK;
    if (n > 10) {
        i = 10;
        e = add_clock(s, n, &i, &ns, why);
        if (!e) e = add_fraction(s, n, &i, &ns, why);
        if (!e) e = add_offset(s, n, i, &ns, why);
    }
    if (!e) *out_ns = ns;
    return e;
}
