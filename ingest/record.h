/* record.h - what ingest hands to the engine: one plain struct a record, whatever its kind.
 *
 * Strings and arrays point into an arena that lives as long as the batch the record came in; the
 * engine copies what it keeps. Prices and quantities are int64 at 1e-8 (1.25 is 125000000),
 * times are int64 ns since 1970 UTC, days are days since 1970-01-01. Message formats:
 * ingest/README.md. */
#ifndef TOCSIN_INGEST_RECORD_H
#define TOCSIN_INGEST_RECORD_H
#include "core/str.h"
#include "core/uuid.h"

#include <stdint.h>

/* The largest price that a message may say: 90,000,000, at 1e-8. */
#define PRICE_MAX_E8 9000000000000000ll

/* The kinds are rows of records.def; a number that is stored or comes from elsewhere is one of
 * them only if record_kind_name() has a name for it. No property of a kind follows from its
 * number: ask the functions below. */
enum record_kind {
#define RECORD(number, id, name, origin, place, owner) RECORD_##id = (number),
#include "ingest/records.def"
#undef RECORD
    RECORD_KIND_COUNT /* one past the newest: the size of a table by kind, and no kind */
};

/* What the records after a SETTINGS record mean to the engine. A database keeps what was said under
 * the meaning of its time: a replay goes by the number that stood then. Append only. */
enum meaning {
    MEANING_FIRST,  /* a session ends when it is said; each price moves what it names, late or not;
                    * an article counts whenever it comes, read by the lexicon's first edition */
    MEANING_SECOND, /* late trades stand aside; official closes settle at their session's end; an
                     * article has an id and counts once an issuer, read by the second edition */
    MEANING_NOW = MEANING_SECOND
};

/* What a trade is to the session that goes on: said by the engine, stored with it. Append only. */
enum trade_place {
    TRADE_REGULAR,
    TRADE_LATE,     /* it happened before the newest one of its instrument: nothing moves */
    TRADE_EXTENDED, /* before or after its venue's hours: moves `last` and what is of it alone */
    TRADE_PLACE_COUNT
};

enum record_origin { ORIGIN_FEED, ORIGIN_API, ORIGIN_SERVICE };
enum record_place { PLACE_TICK, PLACE_EVENT };
enum record_ownership { OWNER_NOBODY, OWNER_TENANT };

enum {
    SYMBOL_MAX = 15,     /* bytes of a symbol: A-Z a-z 0-9 . - _ / : */
    NAME_MAX_BYTES = 63, /* bytes of an issuer, index, book or tenant name */
    ARTICLE_SYMBOLS_MAX = 64,
    NO_DAY = INT32_MIN,
    MESSAGE_MAX = 1 << 20 /* bytes of one message */
};

/* What the engine's answers depend on beside the records, from a SETTINGS record on. */
struct market_settings {
    int64_t stale_after_ns, sample_ns, coverage_gate_e8;
    bool drop_unasked; /* series that nobody asks for any more go; of old records false */
    int64_t meaning;   /* enum meaning; of old records MEANING_FIRST */
    int64_t
        session_grace_ns; /* after a calendar's close its session's end is presumed; of old records 0 */
    bool
        hold_shares; /* a suspicious share count is kept aside (analytics/quality.h); of old records false */
    int64_t
        burst_alerts; /* a record says at most so many, BURST records the rest; 0: any number, as of old records */
    bool
        readings_on_change; /* a reading that says what the one before did is not stored; of old records false */
};

/* What an index does with the child of a member's spin-off. */
enum spin_offs {
    SPIN_OFFS_UNSAID, /* as it was; at first as the next */
    SPIN_OFFS_LEAVE,  /* not taken in: its value goes out of the index */
    SPIN_OFFS_CLOSE,  /* a member until the close of its first session */
    SPIN_OFFS_KEEP    /* a member */
};

struct symbol {
    char s[SYMBOL_MAX + 1];
}; /* NUL-padded to the end, so equality is memcmp */

struct record {
    uint64_t seq; /* given by the engine's order, 0 before */
    int64_t event_ns;
    int64_t received_ms; /* the Kafka message's timestamp; for other sources when it was taken in */
    int64_t offset;      /* position in its source */
    int32_t source_id;   /* row of tocsin.source; 0: this service itself (API, clock, import) */
    enum record_kind kind;
    union {
        struct symbol symbol; /* of a kind whose place is TICK: its struct begins with it */
        struct uuid tenant;   /* of a kind whose owner is a TENANT: its struct begins with it */
        struct {
            struct symbol symbol;
            int64_t price_e8, size_e8;
        } trade; /* price > 0, size >= 0 */
        struct {
            struct symbol symbol;
            int64_t price_e8;
            int32_t day;
        } close; /* official close of session `day` */
        struct {
            int32_t session_end;
            bool
                presumed; /* nobody said so: a price of a later session came, or the calendar says so */
            struct str venue; /* whose session; "": of every venue that has had prices in it */
        } clock;              /* NO_DAY, or the session that has ended */
        struct {
            struct str issuer, name, sector;
        } issuer;
        struct {
            struct symbol symbol;
            struct str issuer, name, venue; /* venue: its calendar's name; "": UTC days */
            int8_t
                negative_prices; /* from now on: 1 may have them, -1 may no more; 0 says nothing */
            struct str isin, figi; /* "": not said */
        } instrument;
        struct {
            struct symbol symbol, to;
            int32_t effective_day;
            struct str name; /* empty: as it was */
        } rename;
        struct {
            struct str issuer,
                to; /* keys; `to` may be one that is in use: then they are one company */
            int32_t effective_day;
            struct str name; /* empty: as it was */
        } issuer_rename;
        struct {
            struct symbol alias, symbol; /* the same twice: it is none any more */
        } alias;
        struct {
            struct symbol symbol;
            int64_t shares;
            int64_t float_e8;
            int32_t day; /* from the open of that session on; NO_DAY: from now on */
        } shares;        /* float factor in (0, 1] */
        struct {
            struct str index, name;
            int64_t base_e8;     /* level at its first complete session end */
            struct str calendar; /* whose sessions it counts; "": UTC days */
            enum spin_offs spin_offs;
        } index;
        struct {
            struct str index;
            struct symbol symbol;
            bool member;
            int64_t shares;
        } membership; /* shares 0: the instrument's own */
        struct {
            struct str id, headline, body, source;
            struct symbol *symbols; /* the tags that came with it */
            uint32_t symbols_n;
        } article;
        struct {
            struct str id, source;
        } retraction; /* of the article with this id */
        struct {
            struct str issuer, theme, source;
            int64_t value_e8;
            int32_t effective_day;
        } exposure; /* value in [0, 1] */
        struct {
            struct uuid tenant;
            struct str book;
            struct symbol symbol;
            int64_t quantity_e8;
        } position; /* 0 closes it */
        struct {
            struct uuid tenant, rule;
            struct str definition; /* of RULE_PUT: JSON, as the rules wrote it */
            bool ends; /* what the change ends is said; false: made before that was so */
        } rule;
        struct {
            struct str text; /* as core/calendar.h reads it */
        } calendar;
        struct {
            struct str measure, source;
            struct str text; /* lines DATE,VALUE: analytics/histories.h */
        } history;
        struct {
            struct symbol symbol;
            int64_t to, from; /* new shares for old ones, each at least 1 */
            int32_t day, announced;
            struct str source;
        } split; /* from the open of session `day` on */
        struct {
            struct symbol symbol;
            int64_t amount_e8;
            bool special; /* price returns are adjusted too */
            int32_t day, announced;
            struct str currency, source;
        } dividend; /* per share; `day` is the ex-session */
        struct {
            struct symbol parent, child;
            int64_t to, from; /* shares of the child for those of the parent */
            int64_t value_e8; /* of a share of the child; 0: its first price */
            int32_t day, announced;
            struct str source;
        } spin_off;
        struct {
            struct symbol symbol;
            int64_t price_e8; /* 0: its last one */
            int64_t to, from; /* of a MERGER: shares of the acquirer for old ones; both 0: none */
            int32_t day, announced;
            struct str acquirer, source; /* a symbol, when there are shares of it */
        } delisting;                     /* and of a MERGER */
        struct {
            struct uuid tenant;
            struct str measure;
        } track;
        struct market_settings settings;
        struct {
            struct uuid flag; /* the id of one that is held */
        } release;
        struct {
            struct symbol symbol; /* as the message had it; perhaps nobody's */
            struct str reason;
        } refusal;
        struct {
            int64_t of; /* seq of the record that caused it */
        } burst;
    } u;
    struct str
        message; /* the bytes it came as, for a dead letter; empty when no message brought it */
};

/* The kind's name in messages: "trade". NULL for a number that is no kind. */
const char *record_kind_name(enum record_kind k);
/* Of a kind there is; anything else is asserted. */
enum record_origin record_origin(enum record_kind k);
enum record_place record_place(enum record_kind k);
/* Whose this record is: NULL when it is nobody's. Points into *r. */
const struct uuid *record_owner(const struct record *r);

/* Appends the record's canonical JSON: what is stored of an event, and read back into the same
 * record. Failure sticks in the buf. Pure. */
struct buf;
void record_write(const struct record *r, struct buf *out);
#endif
