/* known.h - what the database has already of what files say, so that a file can be imported twice, or go on where it stopped.
 *
 *     a close      is stored when the newest one of its instrument and session is the very same: the instrument is the one that
 *                  had the row's symbol on that day, or last before it, whatever it is called now
 *     a statement  (issuer, instrument, shares, index, membership) is stored when the newest one about the same thing, as of its
 *                  date, says the same; one without a date is compared with the newest of all
 *                  of a symbol that another issuer had before its own alone count
 *     an action    is stored when the newest of its kind, instrument and session does the same, whoever said it
 *
 * Thread: one at a time. */
#ifndef TOCSIN_APP_IMPORT_KNOWN_H
#define TOCSIN_APP_IMPORT_KNOWN_H
#include "app/import/action_file.h"
#include "app/import/prices.h"
#include "core/arena.h"
#include "core/map.h"
#include "store/db.h"

enum { NO_INSTRUMENT = -1 };

struct known_close {
    int32_t day;
    int32_t instrument;
    uint32_t nth; /* in the order they were stored */
    int64_t price_e8;
};
struct known_symbol {
    struct symbol symbol;
    int32_t instrument;
    int32_t from_day, until_day; /* until: exclusive */
    uint64_t from_seq, until_seq;
    uint32_t next; /* of the same text */
};
struct known_alias {
    struct symbol alias, symbol;
};
struct statement {
    int64_t event_ns;
    struct str issuer;      /* of an instrument */
    struct str about, says; /* its kind and what it is about; its canonical JSON without the time */
    uint32_t previous;      /* about the same */
};

struct known {
    struct known_close *closes; /* sorted by day, instrument, nth */
    size_t closes_n, closes_cap;
    struct known_symbol *symbols;
    size_t symbols_n, symbols_cap;
    struct map by_symbol;
    struct known_alias *aliases; /* as they were said: the newest counts */
    size_t aliases_n, aliases_cap;
    int32_t *begun; /* day on which each instrument was first known; NO_DAY: it is not said */
    size_t begun_n, begun_cap;
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

/* The instrument that had that symbol on that day; NO_INSTRUMENT: nobody had. */
int32_t known_instrument(const struct known *k, const struct symbol *s, int32_t day);
/* Has any instrument that symbol, or had it? */
bool known_symbol(const struct known *k, const struct symbol *s);
/* Marks the rows that are stored, and those dated no later than their instrument was first known, which are left out: what was
 * known of it then is of after them. Returns how many are stored. ERR_NOMEM. */
MUST_USE enum err known_actions(struct known *k, struct action_file *f, size_t *stored,
                                struct why *why);

/* Marks the rows that are stored and returns how many; adds to `problems` those that contradict what is stored. */
size_t known_prices(const struct known *k, struct price_file *f, struct problems *problems);
bool known_session_ended(const struct known *k, int32_t day);

/* Is that stored? Its event_ns INT64_MAX: no date. */
MUST_USE enum err known_says(struct known *k, const struct record *r, bool *out, struct why *why);
/* From now on it is. */
MUST_USE enum err known_say(struct known *k, const struct record *r, struct why *why);
#endif
