/* calendar_text.c - a calendar from its text and back. The form is in calendar.h.
 *
 * A text is read in three steps, and a step is taken only when all before it found nothing to
 * complain of, so that one mistake is told once:
 *
 *     lines            what each says; hours follow each other without gap or overlap
 *     dates that differ  sorted, each once, and against the hours of their date
 *     sessions         none begins before the one before it has closed */
#include "core/calendar_inside.h"

#include "core/vec.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIELDS_MAX = 8, YEAR_MIN = 1700, YEAR_MAX = 2261 };

/* A piece of a line; column from 1. */
struct field {
    struct str text;
    int column;
};

/* A line that says how a date differs, as it was read. */
struct said {
    enum said_kind { SAID_CLOSED, SAID_EARLY, SAID_SPECIAL } kind;
    int32_t day, line, at;
    int column;
    struct hours hours; /* of SAID_EARLY only close */
};

struct reading {
    struct calendar c;
    struct said *said;
    size_t said_n, said_cap;
    bool headed;
    bool broken_run; /* an hours line could not be read, so the next one's place is unknown */
    bool nomem;

    /* the line at hand */
    const char *start, *line_start;
    int32_t line;
    struct field fields[FIELDS_MAX];
    int fields_n;

    struct buf *problems;
    struct why *why;
    enum err first; /* of all problems */
    int problems_n;
};

/* ---- problems ---- */
static void tell(struct reading *r, int32_t line, int column, int at, const char *text)
{
    r->problems_n++;
    if (!r->first)
        r->first = err_at(r->why, at, ERR_INVALID, "line %d, column %d: %s", line, column, text);
    if (!r->problems || r->problems_n > CALENDAR_PROBLEMS_MAX) return;
    struct why one;
    (void)err_set(&one, ERR_INVALID, "line %d, column %d: %s", line, column, text);
    buf_printf(r->problems, "%s\n", one.text);
}

/* Always false, so that a reader can end with it. */
PRINTF_LIKE(3, 4) static bool wrong(struct reading *r, int column, const char *fmt, ...)
{
    struct why text;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text.text, sizeof text.text, fmt, args);
    va_end(args);
    tell(r, r->line, column, (int)(r->line_start - r->start) + column, text.text);
    return false;
}

/* For %.*s: what was written, not all of it when it is long. */
#define QUOTED(f) (int)((f)->text.n > 40 ? 40 : (f)->text.n), (f)->text.p

/* ---- fields ---- */
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Cuts the line into fields. The last one has all that is left; empty ones at the end are none. */
static void cut(struct reading *r, const char *end)
{
    const char *p = r->line_start;
    r->fields_n = 0;
    for (bool more = true; more;) {
        const char *comma = r->fields_n + 1 < FIELDS_MAX ? memchr(p, ',', (size_t)(end - p)) : NULL;
        const char *stop = comma ? comma : end;
        more = comma != NULL;
        while (p < stop && is_blank(*p)) p++;
        while (stop > p && is_blank(stop[-1])) stop--;
        r->fields[r->fields_n++] =
            (struct field){ { p, (uint32_t)(stop - p) }, (int)(p - r->line_start) + 1 };
        if (more) p = comma + 1;
    }
    while (r->fields_n > 0 && r->fields[r->fields_n - 1].text.n == 0) r->fields_n--;
}

static bool read_date(struct reading *r, const struct field *f, int32_t *out)
{
    if (date_parse(f->text.p, f->text.n, out, NULL))
        return wrong(r, f->column, "\"%.*s\" is no date; write it as 2024-07-04", QUOTED(f));
    if (*out >= r->c.first_day && *out <= r->c.last_day) return true;
    return wrong(r, f->column,
                 "%.*s lies outside the years %d to %d of the first line; change one or the other",
                 QUOTED(f), civil_from_day(r->c.first_day).year,
                 civil_from_day(r->c.last_day).year);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool read_minutes(struct reading *r, const struct field *f, int16_t *out)
{
    const char *p = f->text.p;
    bool minus = f->text.n == 6 && *p == '-';
    if (minus) p++;
    if (f->text.n == 5u + minus && is_digit(p[0]) && is_digit(p[1]) && p[2] == ':' && is_digit(p[3])
        && is_digit(p[4]) && p[3] < '6') {
        int m = ((p[0] - '0') * 10 + p[1] - '0') * 60 + (p[3] - '0') * 10 + p[4] - '0';
        if (minus) m = -m;
        *out = (int16_t)m;
        if (m >= MINUTES_MIN && m <= MINUTES_MAX) return true;
    }
    return wrong(r, f->column,
                 "\"%.*s\" is no time; write it in UTC as 13:30, or -01:00 for 23:00 the evening "
                 "before; -24:00 to 48:00",
                 QUOTED(f));
}

static bool read_year(struct reading *r, const struct field *f, int *out)
{
    const char *p = f->text.p;
    bool good = f->text.n == 4;
    *out = 0;
    for (int i = 0; good && i < 4; i++) {
        good = is_digit(p[i]);
        *out = *out * 10 + p[i] - '0';
    }
    if (good && *out >= YEAR_MIN && *out <= YEAR_MAX) return true;
    return wrong(r, f->column, "\"%.*s\" is no year from %d to %d", QUOTED(f), YEAR_MIN, YEAR_MAX);
}

static bool read_name(struct reading *r, const struct field *f, const char *more, size_t max,
                      const char *what, char *out)
{
    bool good = f->text.n >= 1 && f->text.n <= max;
    for (uint32_t i = 0; good && i < f->text.n; i++) {
        char c = f->text.p[i];
        good = is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
               || (c && strchr(more, c));
    }
    if (!good)
        return wrong(r, f->column, "\"%.*s\" is no %s; write 1 to %zu of A-Z a-z 0-9 %s", QUOTED(f),
                     what, max, more);
    memcpy(out, f->text.p, f->text.n);
    out[f->text.n] = '\0';
    return true;
}

/* ---- weekdays: "Mon-Fri", "Sun-Thu", "Mon Wed Fri" ---- */
/* The first three letters are what a text says. */
static const char *const weekday_names[7] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                              "Friday", "Saturday", "Sunday" };

static int weekday_named(const char *p, const char *end)
{
    if (end - p >= 3)
        for (int i = 0; i < 7; i++)
            if (memcmp(p, weekday_names[i], 3) == 0) return i;
    return -1;
}

static bool read_weekdays(struct reading *r, const struct field *f, uint8_t *out)
{
    const char *p = f->text.p, *end = p + f->text.n;
    uint8_t days = 0;
    while (p < end) {
        int from = weekday_named(p, end), to = from;
        if (from < 0) break;
        p += 3;
        if (p < end && *p == '-') {
            to = weekday_named(p + 1, end);
            if (to < 0) break;
            p += 4;
        }
        if (p < end && *p != ' ') break;
        while (p < end && *p == ' ') p++;
        for (int i = from;; i = (i + 1) % 7) {
            days |= (uint8_t)(1 << i);
            if (i == to) break;
        }
    }
    *out = days;
    if (days && p == end) return true;
    return wrong(r, f->column,
                 "\"%.*s\" are no weekdays; write Mon-Fri, Sun-Thu or Mon Wed Fri with Mon Tue "
                 "Wed Thu Fri Sat Sun",
                 QUOTED(f));
}

static void write_weekdays(uint8_t days, struct buf *out)
{
    if (days == 0x7f) {
        buf_puts(out, "Mon-Sun");
        return;
    }
    const char *blank = "";
    for (int i = 0; i < 7; i++) {
        int yesterday = (i + 6) % 7, to = i;
        if (!(days >> i & 1) || days >> yesterday & 1) continue; /* not where a stretch begins */
        while (days >> (to + 1) % 7 & 1) to = (to + 1) % 7;
        buf_printf(out, "%s%.3s", blank, weekday_names[i]);
        if (to != i) buf_printf(out, "-%.3s", weekday_names[to]);
        blank = " ";
    }
}

/* ---- lines ---- */
/* From field `at` on: begin, open and close, in this order in time. */
static bool read_hours(struct reading *r, int at, struct hours *out)
{
    const struct field *f = &r->fields[at];
    bool good = read_minutes(r, &f[0], &out->begin);
    good = read_minutes(r, &f[1], &out->open) && good;
    good = read_minutes(r, &f[2], &out->close) && good;
    if (!good) return false;
    if (out->begin > out->open)
        return wrong(r, f[0].column,
                     "begins at %.*s, after it opens at %.*s; begin at the open or "
                     "before, such as -01:00 for the evening before",
                     QUOTED(&f[0]), QUOTED(&f[1]));
    if (out->close <= out->open)
        return wrong(r, f[2].column,
                     "closes at %.*s, not after it opens at %.*s; a close behind "
                     "midnight UTC is 24:00 and more",
                     QUOTED(&f[2]), QUOTED(&f[1]));
    return true;
}

static bool read_header(struct reading *r)
{
    int first, last;
    const struct field *f = r->fields;
    bool good = read_name(r, &f[1], ".-_", CALENDAR_NAME_MAX, "name of a calendar", r->c.name);
    good = read_name(r, &f[2], "/_+-", CALENDAR_ZONE_MAX, "time zone", r->c.zone) && good;
    good = read_year(r, &f[3], &first) && good;
    good = read_year(r, &f[4], &last) && good;
    if (!good) return false;
    if (last < first)
        return wrong(r, f[3].column, "the first year, %d, is after the last, %d", first, last);
    r->c.first_day = day_from_civil(first, 1, 1);
    r->c.last_day = day_from_civil(last, 12, 31);
    return true;
}

/* Hours follow each other: this line's first date is the day after the last line's last. */
static bool run_follows(struct reading *r, const struct run *run)
{
    char expected[DATE_TEXT_MAX], missing[DATE_TEXT_MAX];
    const struct field *f = r->fields;
    if (run->to < run->from)
        return wrong(r, f[2].column,
                     "%.*s is before %.*s; a line has its first date, then its last", QUOTED(&f[2]),
                     QUOTED(&f[1]));
    if (r->broken_run) return true;
    int32_t next = r->c.runs_n ? r->c.runs[r->c.runs_n - 1].to + 1 : r->c.first_day;
    if (run->from == next) return true;
    date_format(next, expected);
    date_format(run->from - 1, missing);
    return run->from < next ? wrong(r, f[1].column,
                                    "overlaps the hours before, which end the day before %s; "
                                    "begin on %s",
                                    expected, expected)
                            : wrong(r, f[1].column,
                                    "no hours from %s to %s; begin on %s, or add an hours line "
                                    "for them",
                                    expected, missing, expected);
}

static bool read_run(struct reading *r)
{
    struct run run = { .line = r->line };
    bool good = read_date(r, &r->fields[1], &run.from);
    good = read_date(r, &r->fields[2], &run.to) && good;
    good = good && run_follows(r, &run);
    good = read_weekdays(r, &r->fields[3], &run.weekdays) && good;
    good = read_hours(r, 4, &run.hours) && good;
    if (good && !calendar_add_run(&r->c, &run)) r->nomem = true;
    r->broken_run = !good;
    return good;
}

static bool keep(struct reading *r, enum said_kind kind, struct hours hours)
{
    struct said s = {
        .kind = kind, .line = r->line, .column = r->fields[1].column, .hours = hours
    };
    s.at = (int32_t)(r->line_start - r->start) + s.column;
    if (!read_date(r, &r->fields[1], &s.day)) return false;
    if (!VEC_GROW(&r->said, &r->said_cap, r->said_n + 1)) r->nomem = true;
    else r->said[r->said_n++] = s;
    return true;
}

static bool read_closed(struct reading *r) { return keep(r, SAID_CLOSED, (struct hours){ 0 }); }
static bool read_early(struct reading *r)
{
    struct hours h = { 0 };
    return read_minutes(r, &r->fields[2], &h.close) && keep(r, SAID_EARLY, h);
}
static bool read_special(struct reading *r)
{
    struct hours h;
    return read_hours(r, 2, &h) && keep(r, SAID_SPECIAL, h);
}

static const struct word {
    const char *word;
    int fields_n;
    bool why; /* a reason may follow */
    const char *form;
    bool (*read)(struct reading *);
} words[] = {
    { "calendar", 5, false, "calendar,NAME,TIME ZONE,FIRST YEAR,LAST YEAR", read_header },
    { "hours", 7, false, "hours,FROM,TO,WEEKDAYS,BEGIN,OPEN,CLOSE", read_run },
    { "closed", 2, true, "closed,DATE[,WHY]", read_closed },
    { "early", 3, true, "early,DATE,CLOSE[,WHY]", read_early },
    { "special", 5, true, "special,DATE,BEGIN,OPEN,CLOSE[,WHY]", read_special },
};

static const struct word *find_word(const struct field *f)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(f->text, words[i].word)) return &words[i];
    return NULL;
}

static bool no_header(struct reading *r, int column)
{
    return wrong(r, column,
                 "the first line must be %s, such as calendar,XNYS,America/New_York,2024,2026",
                 words[0].form);
}

/* False when there is no point in reading on: without a first line nothing can be judged. */
static bool read_line(struct reading *r)
{
    const struct field *f = r->fields;
    const struct word *w = find_word(&f[0]);
    bool header = w == &words[0];
    if (!r->headed && !header) return no_header(r, f[0].column);
    if (r->headed && header)
        return !wrong(r, f[0].column, "a second calendar line; one text is one calendar");
    if (!w)
        return !wrong(r, f[0].column, "\"%.*s\" is none of hours, closed, early, special",
                      QUOTED(&f[0]));
    bool good = r->fields_n >= w->fields_n && (w->why || r->fields_n == w->fields_n);
    if (!good)
        wrong(r, r->fields_n < w->fields_n ? f[r->fields_n - 1].column : f[w->fields_n].column,
              "too %s columns; the line is %s", r->fields_n < w->fields_n ? "few" : "many",
              w->form);
    else good = w->read(r);
    if (!good && w->read == read_run) r->broken_run = true;
    r->headed = true;
    return good || !header;
}

static void read_lines(struct reading *r, struct str text)
{
    const char *p = text.p, *end = p + text.n;
    if (text.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) p += 3;
    for (r->line = 1; p < end; r->line++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        r->line_start = p;
        cut(r, stop);
        bool empty = r->fields_n == 0 || r->fields[0].text.p[0] == '#';
        /* a line that begins with a comma has a first field without a byte, which is no comment */
        if (r->fields_n > 0 && r->fields[0].text.n == 0) empty = false;
        if (!empty && !read_line(r)) return;
        p = newline ? newline + 1 : end;
    }
    r->line_start = end;
    if (!r->headed) {
        no_header(r, 1);
        return;
    }
    int32_t next = r->c.runs_n ? r->c.runs[r->c.runs_n - 1].to + 1 : r->c.first_day;
    char from[DATE_TEXT_MAX], to[DATE_TEXT_MAX];
    if (r->broken_run || next > r->c.last_day) return;
    date_format(next, from);
    date_format(r->c.last_day, to);
    wrong(
        r, 1,
        "no hours from %s to %s; add an hours line for them, or change the years of the first line",
        from, to);
}

/* ---- dates that differ ---- */
static int said_order(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return x->day != y->day ? (x->day > y->day) - (x->day < y->day)
                            : (x->line > y->line) - (x->line < y->line);
}

/* What is wrong with it, into text; false when nothing is. */
static bool said_wrong(const struct reading *r, const struct said *s, const struct said *before,
                       struct why *out)
{
    char date[DATE_TEXT_MAX];
    const struct run *run = calendar_run(&r->c, s->day);
    date_format(s->day, date);
    if (before && before->day == s->day)
        return err_set(out, ERR_INVALID, "%s stands in line %d already; keep one of the two", date,
                       before->line);
    if (s->kind != SAID_SPECIAL && !run_has(run, s->day))
        return err_set(out, ERR_INVALID, "%s is a %s, no weekday of its hours in line %d; %s", date,
                       weekday_names[weekday_of_day(s->day)], run->line,
                       s->kind == SAID_CLOSED ? "it is closed without this line"
                                              : "for a session of its own write special");
    if (s->kind != SAID_EARLY) return false;
    if (s->hours.close <= run->hours.open)
        return err_set(out, ERR_INVALID,
                       "closes before its hours in line %d open; write closed, or "
                       "special with hours of its own",
                       run->line);
    if (s->hours.close >= run->hours.close)
        return err_set(out, ERR_INVALID,
                       "closes no earlier than its hours in line %d do; leave it out, "
                       "or write special with hours of its own",
                       run->line);
    return false;
}

static void judge_said(struct reading *r)
{
    if (r->said_n > 0) qsort(r->said, r->said_n, sizeof *r->said, said_order);
    for (size_t i = 0; i < r->said_n; i++) {
        const struct said *s = &r->said[i];
        const struct run *run = calendar_run(&r->c, s->day);
        struct why text;
        if (said_wrong(r, s, i ? s - 1 : NULL, &text)) {
            tell(r, s->line, s->column, s->at, text.text);
            continue;
        }
        struct exception e = { s->day, s->kind == SAID_CLOSED, s->hours, s->line };
        if (s->kind == SAID_EARLY) e.hours.begin = run->hours.begin, e.hours.open = run->hours.open;
        bool as_ever =
            !e.closed && run_has(run, e.day) && memcmp(&e.hours, &run->hours, sizeof e.hours) == 0;
        if (!as_ever && !calendar_add_exception(&r->c, &e)) r->nomem = true;
    }
}

/* ---- sessions ---- */
/* The line that says when the session of this day is. */
static int32_t line_of(const struct calendar *c, int32_t day)
{
    for (size_t i = 0; i < c->exceptions_n; i++)
        if (c->exceptions[i].day == day) return c->exceptions[i].line;
    return calendar_run(c, day)->line;
}

/* An hours line whose days overlap each other is told once. */
static void judge_sessions(struct reading *r)
{
    struct overlap o;
    int32_t told = 0;
    for (int32_t after = r->c.first_day - 1; calendar_overlap(&r->c, after, &o);
         after = o.second.day) {
        int32_t line = line_of(&r->c, o.second.day);
        AUTO_BUF struct buf text = { 0 };
        if (line == told) continue;
        told = line;
        calendar_say_overlap(&o, &text);
        if (!buf_ok(&text)) r->nomem = true;
        else tell(r, line, 1, 0, text.data);
        if (r->problems_n > CALENDAR_PROBLEMS_MAX) return;
    }
}

enum err calendar_parse(struct str text, struct calendar **out, struct buf *problems,
                        struct why *why)
{
    if (text.n > CALENDAR_TEXT_MAX)
        return err_set(why, ERR_TOO_LARGE,
                       "a calendar has at most %d bytes, this one has %u; give it fewer years",
                       CALENDAR_TEXT_MAX, text.n);
    if (!text.p) text = str_of("");
    struct reading r = { .start = text.p, .problems = problems, .why = why };
    struct calendar *c = NULL;
    read_lines(&r, text);
    if (!r.problems_n && !r.nomem) judge_said(&r);
    if (!r.problems_n && !r.nomem && !calendar_index(&r.c)) r.nomem = true;
    if (!r.problems_n && !r.nomem) judge_sessions(&r);
    free(r.said);
    if (!r.problems_n && !r.nomem) c = malloc(sizeof *c);
    if (c) {
        *c = r.c;
        *out = c;
        return ERR_OK;
    }
    calendar_release(&r.c);
    if (r.problems_n > CALENDAR_PROBLEMS_MAX && problems)
        buf_printf(problems, "and %d more\n", r.problems_n - CALENDAR_PROBLEMS_MAX);
    return r.first ? r.first : err_set(why, ERR_NOMEM, "out of memory for a calendar");
}

/* ---- writing ---- */
static void write_minutes(int minutes, struct buf *out)
{
    int m = minutes < 0 ? -minutes : minutes;
    buf_printf(out, ",%s%02d:%02d", minutes < 0 ? "-" : "", m / 60, m % 60);
}

static void write_hours(const struct hours *h, struct buf *out)
{
    write_minutes(h->begin, out);
    write_minutes(h->open, out);
    write_minutes(h->close, out);
}

static void write_date(int32_t day, struct buf *out)
{
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    buf_printf(out, ",%s", date);
}

static void write_exception(const struct exception *e, const struct run *run, struct buf *out)
{
    bool early = !e->closed && run_has(run, e->day) && e->hours.begin == run->hours.begin
                 && e->hours.open == run->hours.open && e->hours.close < run->hours.close;
    buf_puts(out, e->closed ? "closed" : early ? "early" : "special");
    write_date(e->day, out);
    if (early) write_minutes(e->hours.close, out);
    else if (!e->closed) write_hours(&e->hours, out);
    buf_puts(out, "\n");
}

void calendar_write(const struct calendar *c, int first_year, int last_year, struct buf *out)
{
    int32_t first = day_from_civil(first_year, 1, 1), last = day_from_civil(last_year, 12, 31);
    assert(first_year <= last_year && first >= c->first_day && last <= c->last_day);
    buf_printf(out, "calendar,%s,%s,%04d,%04d\n", c->name, c->zone, first_year, last_year);
    for (size_t i = 0; i < c->runs_n; i++) {
        const struct run *r = &c->runs[i];
        if (r->to < first || r->from > last) continue;
        buf_puts(out, "hours");
        write_date(r->from < first ? first : r->from, out);
        write_date(r->to > last ? last : r->to, out);
        buf_puts(out, ",");
        write_weekdays(r->weekdays, out);
        write_hours(&r->hours, out);
        buf_puts(out, "\n");
    }
    for (size_t i = 0; i < c->exceptions_n; i++) {
        const struct exception *e = &c->exceptions[i];
        if (e->day >= first && e->day <= last) write_exception(e, calendar_run(c, e->day), out);
    }
}
