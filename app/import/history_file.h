/* history_file.h - `--history CSV`: what a measure was before it is measured here, as the text of one history record.
 *
 *     date,value            becomes   1999-12-31,21.4
 *     1999-12-31,21.40                2000-03-24,30.4
 *     2000-03-24,30.4
 *
 * Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_HISTORY_FILE_H
#define TOCSIN_APP_IMPORT_HISTORY_FILE_H
#include "analytics/measure.h"
#include "app/import/problems.h"
#include "app/import/csv.h"

struct history_file {
    const char *name;
    struct buf text;
    size_t n, skipped; /* points; rows without a value */
    int32_t first_day, last_day;
    bool known; /* exactly that is stored already */
};

/* All that is wrong with its rows is a problem, with its line: a date twice or not in order, no number, or one that the measure
 * cannot be. ERR_IO, ERR_INVALID of the header, ERR_NOMEM. */
MUST_USE enum err history_file_load(const char *path, struct dialect *d, const struct measure *of,
                                    struct history_file *out, struct problems *problems,
                                    struct why *why);
void history_file_release(struct history_file *f);
#endif
