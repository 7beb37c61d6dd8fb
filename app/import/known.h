/* known.h - what the database has already of what files say, so that a file can be imported twice, or go on where it stopped.
 *
 *     a close      is stored when the newest one of its symbol and session is the very same
 *     a statement  (issuer, instrument, shares, index, membership) is stored when the newest one about the same thing, as of its
 *                  date, says the same; one without a date is compared with the newest of all
 *
 * Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_KNOWN_H
#define TOCSIN_APP_IMPORT_KNOWN_H
#include "app/import/prices.h"
#include "core/arena.h"
#include "core/map.h"
#include "store/db.h"

struct known_close {
    int32_t day;
    uint32_t nth; /* in the order they were stored */
    struct symbol symbol;
    int64_t price_e8;
};
struct statement {
    int64_t event_ns;
    struct str about, says; /* its kind and what it is about; its canonical JSON without the time */
    uint32_t previous;      /* about the same */
};

struct known {
    struct known_close *closes; /* sorted by day, symbol, nth */
    size_t closes_n, closes_cap;
    int32_t *ends; /* sessions that have ended */
    size_t ends_n, ends_cap;
    struct statement *statements;
    size_t statements_n, statements_cap;
    uint32_t *newest; /* statement about each thing */
    size_t things_n, things_cap;
    struct map by_thing;
    struct arena arena;
};

/* Begin with all zero. Closes and session ends from that session on; NO_DAY: none. Release it in any case. */
MUST_USE enum err known_load(struct known *k, struct db *d, int32_t from, struct why *why);
void known_release(struct known *k);

/* Marks the rows that are stored and returns how many; adds to `problems` those that contradict what is stored. */
size_t known_prices(const struct known *k, struct price_file *f, struct problems *problems);
bool known_session_ended(const struct known *k, int32_t day);

/* Is that stored? Its event_ns INT64_MAX: no date. */
MUST_USE enum err known_says(struct known *k, const struct record *r, bool *out, struct why *why);
/* From now on it is. */
MUST_USE enum err known_say(struct known *k, const struct record *r, struct why *why);
#endif
