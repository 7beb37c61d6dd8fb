/* calendar.c - look-ups in a calendar, and putting years together. How it lies in memory:
 * calendar_inside.h. */
#include "core/calendar_inside.h"

#include "core/vec.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORD = 64 };

/* ---- bits: which days are sessions ---- */
/* Sessions with a date before `day`, which is covered or the first day behind. */
static uint32_t rank_of(const struct calendar *c, int32_t day)
{
    uint32_t i = (uint32_t)(day - c->first_day), word = i / WORD, bit = i % WORD;
    if (word == c->words_n) return c->before[word];
    uint64_t below = c->bits[word] & ((UINT64_C(1) << bit) - 1);
    return c->before[word] + (uint32_t)__builtin_popcountll(below);
}

static uint32_t sessions_n(const struct calendar *c) { return c->before[c->words_n]; }

/* The date of session i, i < sessions_n. */
static int32_t day_at(const struct calendar *c, uint32_t i)
{
    size_t low = 0, high = c->words_n; /* before[low] <= i < before[high] */
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (c->before[mid] <= i) low = mid;
        else high = mid;
    }
    uint64_t word = c->bits[low];
    for (uint32_t k = i - c->before[low]; k > 0; k--) word &= word - 1;
    return c->first_day + (int32_t)(low * WORD) + __builtin_ctzll(word);
}

/* ---- hours ---- */
const struct run *calendar_run(const struct calendar *c, int32_t day)
{
    size_t low = 0, high = c->runs_n;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (c->runs[mid].from <= day) low = mid;
        else high = mid;
    }
    return &c->runs[low];
}

/* The first exception that is not before `day`. */
static size_t exception_from(const struct calendar *c, int32_t day)
{
    size_t low = 0, high = c->exceptions_n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c->exceptions[mid].day < day) low = mid + 1;
        else high = mid;
    }
    return low;
}

static int64_t ns_at(int32_t day, int minutes)
{
    return day * NS_PER_DAY + minutes * 60 * NS_PER_S;
}

static struct session session_on(const struct calendar *c, int32_t day)
{
    const struct run *r = calendar_run(c, day);
    size_t i = exception_from(c, day);
    const struct hours *h =
        i < c->exceptions_n && c->exceptions[i].day == day ? &c->exceptions[i].hours : &r->hours;
    return (struct session){ .day = day,
                             .early = h->close < r->hours.close,
                             .begin = ns_at(day, h->begin),
                             .open = ns_at(day, h->open),
                             .close = ns_at(day, h->close) };
}

static struct session session_at(const struct calendar *c, uint32_t i)
{
    return session_on(c, day_at(c, i));
}

/* Where knowledge ends: a session of the day behind the last year may begin here. */
static int64_t covered_until(const struct calendar *c)
{
    int64_t until = ns_at(c->last_day + 1, c->runs[c->runs_n - 1].hours.begin);
    struct session last = session_at(c, sessions_n(c) - 1);
    return last.close > until ? last.close : until;
}

/* ---- what it covers ---- */
const char *calendar_name(const struct calendar *c) { return c->name; }
const char *calendar_zone(const struct calendar *c) { return c->zone; }
int32_t calendar_first_day(const struct calendar *c) { return c->first_day; }
int32_t calendar_last_day(const struct calendar *c) { return c->last_day; }
size_t calendar_sessions_n(const struct calendar *c) { return sessions_n(c); }

static bool covers(const struct calendar *c, int32_t day)
{
    return day >= c->first_day && day <= c->last_day;
}

/* Any day, those too that are no date of four digits. */
static void say_day(int32_t day, char out[DATE_TEXT_MAX])
{
    if (day >= day_from_civil(0, 1, 1) && day <= day_from_civil(9999, 12, 31))
        date_format(day, out);
    else snprintf(out, DATE_TEXT_MAX, "day %d", day);
}

static enum err outside(const struct calendar *c, int32_t day, struct why *why)
{
    char text[DATE_TEXT_MAX], first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
    say_day(day, text);
    date_format(c->first_day, first);
    date_format(c->last_day, last);
    return err_set(why, ERR_INVALID,
                   "calendar %s has %s to %s, and %s lies outside: add its year to the calendar",
                   c->name, first, last, text);
}

static enum err outside_ns(const struct calendar *c, int64_t ns, struct why *why)
{
    char text[WHEN_TEXT_MAX], from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
    when_format(ns, text);
    if (sessions_n(c) == 0)
        return err_set(why, ERR_INVALID, "calendar %s has no session at all, so none at %s",
                       c->name, text);
    when_format(session_at(c, 0).begin, from);
    when_format(covered_until(c), until);
    return err_set(why, ERR_INVALID,
                   "calendar %s covers %s up to %s, and %s lies outside: add its year to the "
                   "calendar",
                   c->name, from, until, text);
}

/* ---- look-ups ---- */
enum err calendar_find(const struct calendar *c, int64_t ns, struct calendar_cache *cache,
                       struct session *out, struct why *why)
{
    uint32_t n = sessions_n(c);
    if (n == 0 || ns < session_at(c, 0).begin || ns >= covered_until(c))
        return outside_ns(c, ns, why);

    /* A session begins a day before its date at the earliest: those behind tomorrow have not. */
    int32_t behind = day_of_ns(ns) + 2;
    uint32_t i = rank_of(c, behind > c->last_day + 1 ? c->last_day + 1 : behind) - 1;
    struct session s = session_at(c, i);
    while (s.begin > ns) s = session_at(c, --i);
    if (cache)
        *cache =
            (struct calendar_cache){ s, i + 1 < n ? session_at(c, i + 1).begin : covered_until(c) };
    *out = s;
    return ERR_OK;
}

static enum err no_session(const struct calendar *c, int32_t day, struct why *why)
{
    char text[DATE_TEXT_MAX], before[DATE_TEXT_MAX] = "none", after[DATE_TEXT_MAX] = "none";
    uint32_t i = rank_of(c, day);
    date_format(day, text);
    if (i > 0) date_format(day_at(c, i - 1), before);
    if (i < sessions_n(c)) date_format(day_at(c, i), after);
    return err_set(why, ERR_NOT_FOUND,
                   "%s is no session of calendar %s: the one before is %s, the one after %s", text,
                   c->name, before, after);
}

enum err calendar_on(const struct calendar *c, int32_t day, struct session *out, struct why *why)
{
    if (!covers(c, day)) return outside(c, day, why);
    if (rank_of(c, day + 1) == rank_of(c, day)) return no_session(c, day, why);
    *out = session_on(c, day);
    return ERR_OK;
}

enum err calendar_step(const struct calendar *c, int32_t day, int32_t n, struct session *out,
                       struct why *why)
{
    if (n == 0) return calendar_on(c, day, out, why);
    if (!covers(c, day)) return outside(c, day, why);
    int64_t i = n < 0 ? rank_of(c, day) + (int64_t)n : rank_of(c, day + 1) + (int64_t)n - 1;
    if (i < 0 || i >= sessions_n(c)) {
        char text[DATE_TEXT_MAX], first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
        date_format(day, text);
        date_format(c->first_day, first);
        date_format(c->last_day, last);
        return err_set(why, ERR_INVALID,
                       "calendar %s has %s to %s, and %lld sessions %s %s lies outside: add the "
                       "years %s to the calendar",
                       c->name, first, last, n < 0 ? -(long long)n : (long long)n,
                       n < 0 ? "before" : "after", text, n < 0 ? "before" : "after");
    }
    *out = session_at(c, (uint32_t)i);
    return ERR_OK;
}

enum err calendar_count(const struct calendar *c, int32_t from, int32_t to, int32_t *out,
                        struct why *why)
{
    if (!covers(c, from)) return outside(c, from, why);
    if (!covers(c, to)) return outside(c, to, why);
    *out = (int32_t)rank_of(c, to + 1) - (int32_t)rank_of(c, from + 1);
    return ERR_OK;
}

/* ---- building ---- */
static bool same_hours(const struct hours *a, const struct hours *b)
{
    return a->begin == b->begin && a->open == b->open && a->close == b->close;
}

bool calendar_add_run(struct calendar *c, const struct run *r)
{
    struct run *last = c->runs_n ? &c->runs[c->runs_n - 1] : NULL;
    if (last && last->to + 1 == r->from && last->weekdays == r->weekdays
        && same_hours(&last->hours, &r->hours)) {
        last->to = r->to;
        return true;
    }
    if (!VEC_GROW(&c->runs, &c->runs_cap, c->runs_n + 1)) return false;
    c->runs[c->runs_n++] = *r;
    return true;
}

bool calendar_add_exception(struct calendar *c, const struct exception *e)
{
    if (!VEC_GROW(&c->exceptions, &c->exceptions_cap, c->exceptions_n + 1)) return false;
    c->exceptions[c->exceptions_n++] = *e;
    return true;
}

static void set_bit(struct calendar *c, int32_t day, bool on)
{
    uint32_t i = (uint32_t)(day - c->first_day);
    uint64_t bit = UINT64_C(1) << i % WORD;
    if (on) c->bits[i / WORD] |= bit;
    else c->bits[i / WORD] &= ~bit;
}

bool calendar_index(struct calendar *c)
{
    size_t days = (size_t)(c->last_day - c->first_day + 1);
    c->words_n = (days + WORD - 1) / WORD;
    free(c->bits);
    free(c->before);
    c->bits = calloc(c->words_n, sizeof *c->bits);
    c->before = calloc(c->words_n + 1, sizeof *c->before);
    if (!c->bits || !c->before) return false;

    for (size_t i = 0; i < c->runs_n; i++)
        for (int32_t day = c->runs[i].from; day <= c->runs[i].to; day++)
            set_bit(c, day, run_has(&c->runs[i], day));
    for (size_t i = 0; i < c->exceptions_n; i++)
        set_bit(c, c->exceptions[i].day, !c->exceptions[i].closed);
    for (size_t i = 0; i < c->words_n; i++)
        c->before[i + 1] = c->before[i] + (uint32_t)__builtin_popcountll(c->bits[i]);
    return true;
}

bool calendar_overlap(const struct calendar *c, int32_t after, struct overlap *out)
{
    uint32_t i = after < c->first_day ? 0 : rank_of(c, after + 1);
    for (i = i > 0 ? i : 1; i < sessions_n(c); i++) {
        *out = (struct overlap){ session_at(c, i - 1), session_at(c, i) };
        if (out->second.begin < out->first.close) return true;
    }
    return false;
}

void calendar_say_overlap(const struct overlap *o, struct buf *out)
{
    char first[DATE_TEXT_MAX], second[DATE_TEXT_MAX], begin[WHEN_TEXT_MAX], close[WHEN_TEXT_MAX];
    date_format(o->first.day, first);
    date_format(o->second.day, second);
    when_format(o->second.begin, begin);
    when_format(o->first.close, close);
    buf_printf(out, "sessions overlap: %s begins at %s, before %s closes at %s", second, begin,
               first, close);
}

void calendar_release(struct calendar *c)
{
    free(c->runs);
    free(c->exceptions);
    free(c->bits);
    free(c->before);
    *c = (struct calendar){ 0 };
}

void calendar_free(struct calendar *c)
{
    if (c) calendar_release(c);
    free(c);
}

/* ---- putting years together ---- */
/* Adds what `from` says of the days from first to last. */
static bool add_days(struct calendar *c, const struct calendar *from, int32_t first, int32_t last)
{
    for (size_t i = 0; i < from->runs_n; i++) {
        struct run r = from->runs[i];
        if (r.from < first) r.from = first;
        if (r.to > last) r.to = last;
        r.line = 0;
        if (r.from <= r.to && !calendar_add_run(c, &r)) return false;
    }
    for (size_t i = exception_from(from, first);
         i < from->exceptions_n && from->exceptions[i].day <= last; i++)
        if (!calendar_add_exception(c, &from->exceptions[i])) return false;
    return true;
}

static enum err check_fit(const struct calendar *c, const struct calendar *add, struct why *why)
{
    char first[DATE_TEXT_MAX], last[DATE_TEXT_MAX];
    if (strcmp(c->name, add->name) != 0)
        return err_set(why, ERR_INVALID, "years of calendar %s cannot be added to calendar %s",
                       add->name, c->name);
    if (add->first_day <= c->last_day + 1 && add->last_day >= c->first_day - 1) return ERR_OK;
    date_format(c->first_day, first);
    date_format(c->last_day, last);
    return err_set(
        why, ERR_INVALID,
        "calendar %s has %s to %s, and the year %d would leave a gap: add the years "
        "between first",
        c->name, first, last,
        civil_from_day(add->first_day > c->last_day ? add->first_day : add->last_day).year);
}

enum err calendar_merge(struct calendar *c, const struct calendar *add, struct why *why)
{
    enum err e = check_fit(c, add, why);
    if (e) return e;

    struct calendar new = *add; /* name and zone */
    new.runs = NULL;
    new.exceptions = NULL;
    new.bits = NULL;
    new.before = NULL;
    new.runs_n = new.runs_cap = new.exceptions_n = new.exceptions_cap = 0;
    if (c->first_day < new.first_day) new.first_day = c->first_day;
    if (c->last_day > new.last_day) new.last_day = c->last_day;
    if (!add_days(&new, c, new.first_day, add->first_day - 1)
        || !add_days(&new, add, add->first_day, add->last_day)
        || !add_days(&new, c, add->last_day + 1, new.last_day) || !calendar_index(&new)) {
        calendar_release(&new);
        return err_set(why, ERR_NOMEM, "out of memory for calendar %s", c->name);
    }
    struct overlap o;
    if (calendar_overlap(&new, new.first_day - 1, &o)) {
        AUTO_BUF struct buf text = { 0 };
        calendar_say_overlap(&o, &text);
        calendar_release(&new);
        return err_set(why, ERR_INVALID, "calendar %s: %s", c->name,
                       buf_ok(&text) ? text.data : "sessions overlap");
    }
    calendar_release(c);
    *c = new;
    return ERR_OK;
}
