/* reference.h - a CSV file of instruments into the messages that say them: issuer, instrument, shares, index, membership.
 *
 *     symbol,issuer,shares,index        {"kind":"issuer","issuer":"Apple",...}  {"kind":"instrument","symbol":"AAPL",...}
 *     AAPL,Apple,4275,SP500        ->   {"kind":"shares",...}  {"kind":"index",...}  {"kind":"membership",...}
 *
 * What the file says twice (an issuer's name, an index) becomes one message. With a column `date`, a symbol has a row for each date
 * at which something about it became known, the earliest first, and each says all of it anew: shares, and what it is a member of.
 *
 *     date,symbol,shares,index
 *     2013-02-07,DELL,1740,SP500
 *     2013-10-29,DELL,1740,             -> {"kind":"membership","member":false,...} of that date
 *
 * The decoder has the last word on each message. */
#ifndef TOCSIN_APP_IMPORT_REFERENCE_H
#define TOCSIN_APP_IMPORT_REFERENCE_H
#include "app/import/csv.h"
#include "app/import/problems.h"
#include "core/map.h"
#include "core/when.h"

enum { REFERENCE_INDEXES_MAX = 64 };
#define REFERENCE_UNDATED INT64_MIN
/* A time with which an undated message is whole, to be read before its own is known: 1971. */
#define REFERENCE_ANY_NS (DAY_1971 * NS_PER_DAY)

struct reference_message {
    size_t from, n; /* into `text`: without its time and end */
    long line;
    int64_t event_ns; /* REFERENCE_UNDATED: the file does not say */
    enum record_kind kind;
    size_t index;    /* that an index or membership is about, into `indexes` */
    uint32_t symbol; /* of its row, into `symbols` */
    bool stored;     /* the database has it */
    bool
        first_leaves; /* the end of a membership whose symbol the row's instrument record makes another's */
};

struct reference_symbol {
    struct symbol symbol;
    int32_t day;                /* of its last row; NO_DAY: undated */
    int64_t first_ns;           /* time of its first one */
    struct str issuer, indexes; /* of its last row; into the file, while it is read */
};

struct reference {
    const char *name;
    struct dialect *dialect;
    struct problems *problems;
    struct buf text;
    struct reference_message *messages;
    size_t n, cap, rows;
    struct reference_symbol *symbols;
    size_t symbols_n, symbols_cap;
    struct map by_symbol;
    struct str *issuers; /* said already; into the file, while it is read */
    size_t issuers_n, issuers_cap;
    struct map by_issuer;
    struct {
        char name[NAME_MAX_BYTES + 1];
        int64_t base_e8; /* 0: not said */
    } indexes[REFERENCE_INDEXES_MAX];
    size_t indexes_n;
};

/* Begin with all zero but `dialect` and `problems`. ERR_IO / ERR_NOMEM in `why`; ERR_INVALID: the header is wrong. What is wrong with
 * rows is in `problems` alone. Release it in any case. `path` must outlive it. Says on stdout which columns are not used. */
MUST_USE enum err reference_load(const char *path, struct reference *r, struct why *why);
void reference_release(struct reference *r);

/* Undated messages get this time; then all are in the order of their times, and within one in that of the file. */
void reference_date(struct reference *r, int64_t undated_ns);
/* A symbol's place in `symbols`; MAP_NONE: the file does not say it. */
uint32_t reference_find(const struct reference *r, const struct symbol *s);
/* The whole message, appended. */
void reference_message_text(const struct reference *r, size_t i, struct buf *out);
#endif
