/* calendar.c - `tocsin calendar`: which calendars there are, what their sessions are, and what is wrong with one of the user's. */
#include "app/app.h"

#include "core/calendar.h"
#include "ingest/calendars/shipped.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char calendar_usage[] =
    "usage: tocsin calendar list\n"
    "       tocsin calendar show NAME|FILE [--from DATE] [--to DATE]\n"
    "       tocsin calendar check FILE\n"
    "       tocsin calendar import -c CONFIG FILE\n\n"
    "  list   the calendars that this program brings along\n"
    "  show   the sessions from a date to a date (all of them without): begin, open and close in UTC, and which close early\n"
    "  check  whether a CSV is a calendar; else each line that is wrong, and exit code 65\n"
    "  import its sessions count from now on, in a database no service runs on; through Kafka: a record of kind calendar\n\n"
    "The form of the CSV: ingest/calendars/README.md\n";

/* The file's bytes, a calendar's at most and one more. */
enum err calendar_file(const char *path, struct buf *out, struct why *why)
{
    FILE *f = fopen(path, "rb");
    if (!f) return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    size_t got =
        buf_reserve(out, CALENDAR_TEXT_MAX + 1) ? fread(out->data, 1, CALENDAR_TEXT_MAX + 1, f) : 0;
    bool failed = ferror(f);
    int number = errno;
    fclose(f);
    if (!buf_ok(out)) return err_set(why, ERR_NOMEM, "%s: out of memory", path);
    if (failed) return err_set(why, ERR_IO, "%s: %s", path, strerror(number));
    out->len = got;
    return ERR_OK;
}

/* One of the shipped ones, or a file; what is wrong stands on stderr, a line each. */
static struct calendar *load(const char *name, bool shipped_too, int *code)
{
    AUTO_BUF struct buf file = { 0 }, problems = { 0 };
    struct calendar *c = NULL;
    struct why why;
    const char *text = shipped_too ? shipped_calendar(name) : NULL;
    enum err e = ERR_OK;
    *code = EXIT_BAD_DATA;
    if (!text && (e = calendar_file(name, &file, &why))) {
        fprintf(stderr, "tocsin: %s%s\n", why.text,
                shipped_too
                    ? "; no calendar of that name is shipped (tocsin calendar list), and no "
                      "such file can be read"
                    : "");
        return NULL;
    }
    struct str s = text ? str_of(text) : (struct str){ file.data, (uint32_t)file.len };
    e = calendar_parse(s, &c, &problems, &why);
    if (!e) {
        *code = EXIT_FINE;
        return c;
    }
    if (e == ERR_NOMEM) *code = EXIT_BROKEN;
    const char *p = problems.len ? problems.data : why.text;
    while (*p) {
        size_t n = strcspn(p, "\n");
        fprintf(stderr, "%s: %.*s\n", name, (int)n, p);
        p += n + (p[n] == '\n');
    }
    return NULL;
}

/* "XNYS  America/New_York  1990 to 2030  10322 sessions, 88 of them early" */
static void print_summary(const struct calendar *c)
{
    struct session s;
    int early = 0;
    for (int32_t day = calendar_first_day(c); day <= calendar_last_day(c); day++)
        if (!calendar_on(c, day, &s, NULL)) early += s.early;
    printf("%-6s  %-18s  %d to %d  %6zu sessions, %4d of them early\n", calendar_name(c),
           calendar_zone(c), civil_from_day(calendar_first_day(c)).year,
           civil_from_day(calendar_last_day(c)).year, calendar_sessions_n(c), early);
}

static int list(void)
{
    for (size_t i = 0; i < shipped_calendars_n; i++) {
        int code;
        struct calendar *c = load(shipped_calendars[i].name, true, &code);
        if (!c) return code;
        print_summary(c);
        calendar_free(c);
    }
    return EXIT_FINE;
}

static int check(const char *path)
{
    int code;
    struct calendar *c = load(path, false, &code);
    if (!c) return code;
    printf("%s: fine: ", path);
    print_summary(c);
    calendar_free(c);
    return EXIT_FINE;
}

static void print_session(const struct session *s)
{
    static const char weekdays[] = "MonTueWedThuFriSatSun";
    char date[DATE_TEXT_MAX], begin[WHEN_TEXT_MAX], open[WHEN_TEXT_MAX], close[WHEN_TEXT_MAX];
    date_format(s->day, date);
    when_format(s->begin, begin);
    when_format(s->open, open);
    when_format(s->close, close);
    printf("%s  %.3s  %s  %s  %s%s\n", date, weekdays + 3 * weekday_of_day(s->day), begin, open,
           close, s->early ? "  early" : "");
}

/* NULL texts: from the first day, to the last. */
static int show(const char *name, const char *from_text, const char *to_text)
{
    struct why why;
    struct session s;
    int32_t from = 0, to = 0;
    if ((from_text && date_parse(from_text, strlen(from_text), &from, &why))
        || (to_text && date_parse(to_text, strlen(to_text), &to, &why))
        || (from_text && to_text && from > to
            && err_set(&why, ERR_INVALID, "%s is after %s", from_text, to_text))) {
        fprintf(stderr, "tocsin: --from and --to: %s\n", why.text);
        return EXIT_WRONG_USAGE;
    }
    int code;
    struct calendar *c = load(name, true, &code);
    if (!c) return code;
    if (!from_text) from = calendar_first_day(c);
    if (!to_text) to = calendar_last_day(c);
    /* either end outside is said, rather than a table that ends without a word */
    int32_t n;
    if (calendar_count(c, from, to, &n, &why)) {
        fprintf(stderr, "tocsin: %s\n", why.text);
        code = EXIT_BAD_DATA;
    } else {
        printf("session     day  begin (UTC)           open                  close\n");
        for (int32_t day = from; day <= to; day++)
            if (!calendar_on(c, day, &s, NULL)) print_session(&s);
    }
    calendar_free(c);
    return code;
}

int cmd_calendar(int argc, char **argv)
{
    const char *name = argc > 2 ? argv[2] : NULL, *from = NULL, *to = NULL;
    if (argc == 2 && strcmp(argv[1], "list") == 0) return list();
    if (argc == 3 && strcmp(argv[1], "check") == 0) return check(name);
    if (argc == 5 && strcmp(argv[1], "import") == 0) {
        const bool config_first = strcmp(argv[2], "-c") == 0;
        char *config = argv[config_first ? 3 : 4], *file = argv[config_first ? 4 : 2];
        if (config_first || strcmp(argv[3], "-c") == 0)
            return cmd_import(5, (char *[]){ argv[1], "-c", config, "--calendar", file, NULL });
    }
    bool good = argc >= 3 && argc % 2 == 1 && strcmp(argv[1], "show") == 0;
    for (int i = 3; good && i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--from") == 0) from = argv[i + 1];
        else if (strcmp(argv[i], "--to") == 0) to = argv[i + 1];
        else good = false;
    }
    if (good) return show(name, from, to);
    fputs(calendar_usage, stderr);
    return EXIT_WRONG_USAGE;
}
