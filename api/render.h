/* render.h - rows of a query as JSON: the fields of a schema say what each column is called and how it is written.
 *
 * So the shape that /openapi.json shows is the shape that is written, in that order. A row of the query HISTORY_UP
 *
 *     1234 | 1517860800000000000 | 181.2 | 1 | ok
 *
 * under the fields of Point (seq INT, time TIME, value REAL, coverage REAL, status TEXT) becomes
 *
 *     {"seq":1234,"time":"2018-02-05T20:00:00Z","value":181.2,"coverage":1,"status":"ok"}
 *
 * TIME is ns since 1970, BOOL begins with t or f; LIST, ONE and OBJECT are JSON text, whose values are written anew.
 * A NULL column is null. Text that is no JSON fails the writer's buf. Pure. */
#ifndef TOCSIN_API_RENDER_H
#define TOCSIN_API_RENDER_H
#include "api/schema.h"

/* An object with the fields of `s`; `columns` are in their order. */
void render_row(struct json_writer *w, const char *key, const struct schema *s,
                const char *const *columns);
/* The members of an object that is JSON text, into an object that was begun: those of `order` (NULL-ended), in that
 * order; all, as they stand, when that is NULL. */
void render_members(struct json_writer *w, const char *text, const char *const *order);
#endif
