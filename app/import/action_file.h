/* action_file.h - a CSV file of corporate actions into the records that say them, a row each: `kind`, and the fields of that kind
 * by their names (ingest/kinds/).
 *
 *     kind,symbol,new,old,effective,amount,ex,to
 *     split,AAPL,7,1,2014-06-09,,,
 *     dividend,AAPL,,,,0.47,2014-08-07,
 *     rename,FB,,,2022-06-09,,,META
 *
 * An action is known before the open of its session: from the midnight, UTC, with which the date of that begins, whatever was
 * announced. What is dated before the time at which stored records stand is known from then on. Of one time renames go first, so
 * that what else is said of the day finds the symbols of the day; then the reference data; then the other actions, each in the
 * order of their sessions and of the file.
 *
 * A row's symbols are those of its session, or of a rename those of the day before. Rows may come in any order. Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_ACTION_FILE_H
#define TOCSIN_APP_IMPORT_ACTION_FILE_H
#include "app/import/csv.h"
#include "app/import/problems.h"
#include "core/arena.h"

struct action_row {
    struct record record; /* its time is when it is known */
    int32_t day;          /* the session it is of */
    long line;
    bool stored; /* known.c: the database has it */
    bool before; /* dated no later than its instrument was first known: left out */
};

struct action_file {
    const char *name;
    struct action_row *rows;
    size_t n, cap;
    struct arena arena; /* texts of the records */
};

/* ERR_IO / ERR_NOMEM in `why`; ERR_INVALID: the header is wrong. What is wrong with rows is in `problems` alone. Begin with all
 * zero, release it in any case. `path` must outlive it. Says on stdout which columns are not used. */
MUST_USE enum err action_file_load(const char *path, struct dialect *d, struct action_file *out,
                                   struct problems *problems, struct why *why);
void action_file_release(struct action_file *f);

/* Time stands there: what is earlier is known from then on; rows come in the order in which they are applied. */
void action_file_date(struct action_file *f, int64_t now_ns);
static inline bool action_row_is_rename(const struct action_row *r)
{
    return r->record.kind == RECORD_RENAME;
}

/* The symbols that an action's record names, as pointers into it: its instrument's, and a spin-off's child, which else is NULL. */
struct action_symbols {
    struct symbol *of, *child;
};
struct action_symbols action_symbols(struct record *r);
/* What an action does is left of it, without its symbol, its time and who said it when: of two that do the same the same. */
void action_only_effect(struct record *r);
/* The session that an action's record is of. */
int32_t action_day(const struct record *r);

/* What a file may hold, in the order of the summary. */
enum { ACTION_KINDS = 6 };
extern const enum record_kind action_kinds[ACTION_KINDS];
#endif
