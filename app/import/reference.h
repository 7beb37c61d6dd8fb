/* reference.h - a CSV file of instruments into the messages that say them: issuer, instrument, shares, index, membership.
 *
 *     symbol,issuer,shares,index        {"kind":"issuer","issuer":"Apple",...}  {"kind":"instrument","symbol":"AAPL",...}
 *     AAPL,Apple,4275,SP500        ->   {"kind":"shares",...}  {"kind":"index",...}  {"kind":"membership",...}
 *
 * What the file says twice (an issuer's name, an index) becomes one message. The decoder has the last word on each. */
#ifndef TOCSIN_APP_IMPORT_REFERENCE_H
#define TOCSIN_APP_IMPORT_REFERENCE_H
#include "app/import/csv.h"
#include "app/import/problems.h"
#include "core/map.h"

enum { REFERENCE_INDEXES_MAX = 64 };

struct reference_message {
    size_t from, n;
    long line;
}; /* into `text` */

struct reference {
    const char *name;
    struct buf text;
    struct reference_message *messages;
    size_t n, cap, rows;
    int64_t ts;
    struct symbol *symbols; /* of its rows: what prices may name beside what is stored */
    size_t symbols_n, symbols_cap;
    struct map by_symbol;
    struct str *issuers; /* said already; they point into the file */
    size_t issuers_n, issuers_cap;
    struct map by_issuer;
    struct {
        char name[NAME_MAX_BYTES + 1];
        char base[32];
    } indexes[REFERENCE_INDEXES_MAX];
    size_t indexes_n;
    struct problems *problems;
};

/* Begin with all zero but `ts`, the time of every message, and `problems`. ERR_IO / ERR_NOMEM in `why`; ERR_INVALID: the header is
 * wrong. What is wrong with rows is in `problems` alone. Release it in any case. `path` must outlive it. */
MUST_USE enum err reference_load(const char *path, struct reference *r, struct why *why);
void reference_release(struct reference *r);
#endif
