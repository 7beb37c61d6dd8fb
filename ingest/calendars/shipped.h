/* shipped.h - the calendars of this folder, compiled in (calendars.c is made by embed.py). Texts are those of core/calendar.h;
 * reading one is the caller's. Constant; thread: any. */
#ifndef TOCSIN_INGEST_CALENDARS_SHIPPED_H
#define TOCSIN_INGEST_CALENDARS_SHIPPED_H
#include <stddef.h>

struct shipped_calendar {
    const char *name; /* "XNYS" */
    const char *text; /* the whole file */
};

extern const struct shipped_calendar shipped_calendars[]; /* by name */
extern const size_t shipped_calendars_n;

/* The text of a calendar; "24/7" is the other way to say 24-7. NULL when none has that name. */
const char *shipped_calendar(const char *name);
#endif
