/* questions.h - what the commands ask of a database beside its history: each a call with a plain answer. Thread: the session's. */
#ifndef TOCSIN_STORE_QUESTIONS_H
#define TOCSIN_STORE_QUESTIONS_H
#include "core/uuid.h"
#include "ingest/record.h"
#include "store/db.h"

/* ---- for import ---- */
enum { BACKEND_TEXT = 24 };
/* The backend (its process id as text) of a service's writer on this database; "" when there is none. */
MUST_USE enum err ask_writer(struct db *d, char backend[BACKEND_TEXT], struct why *why);
struct stored_event {
    uint64_t seq;
    enum record_kind kind;
    int64_t event_ns;
    struct str text; /* as record_from_stored reads it; valid during the call */
};
/* Calls fn with every event of those kinds at or after an event time whose text holds `part` ("": all), in their order, until it
 * says no. */
MUST_USE enum err ask_events(struct db *d, const enum record_kind *kinds, size_t n,
                             int64_t since_ns, const char *part,
                             enum err (*fn)(void *ctx, const struct stored_event *e), void *ctx,
                             struct why *why);
/* The same with every official close of that session and later ones. */
MUST_USE enum err ask_closes(struct db *d, int32_t since_day,
                             enum err (*fn)(void *ctx, int32_t instrument, int32_t day,
                                            int64_t price_e8),
                             void *ctx, struct why *why);
/* The same with every symbol that an instrument has or had; days as in analytics/symbol.def. */
struct stored_symbol {
    int32_t instrument;
    const char *symbol; /* during the call */
    int32_t from_day, until_day;
    uint64_t from_seq, until_seq;
};
MUST_USE enum err ask_symbols(struct db *d,
                              enum err (*fn)(void *ctx, const struct stored_symbol *s), void *ctx,
                              struct why *why);

/* ---- for the demo ---- */
/* Makes the database unless it is there; `d` is a session in another one, whose user may. The name is ours: letters alone. */
MUST_USE enum err make_database(struct db *d, const char *name, struct why *why);
/* Makes a login that is a member of tocsin_engine and tocsin_api, and no superuser, unless it is there; `conninfo` is of a migrated
 * database, whose user may. The name is ours: letters and underscores. */
MUST_USE enum err make_login(const char *conninfo, const char *name, struct why *why);
/* ERR_NOT_FOUND: no tenant of that name. */
MUST_USE enum err ask_tenant(struct db *d, const char *name, struct uuid *out, struct why *why);
/* How many messages of the topic have been read, over all lives of its partitions. */
MUST_USE enum err ask_topic_position(struct db *d, const char *topic, int64_t *out,
                                     struct why *why);
/* The newest value of everybody's measure at or after an event time; NaN when there is none. */
MUST_USE enum err ask_newest_value(struct db *d, const char *measure, int64_t since_ns, double *out,
                                   struct why *why);
/* Calls fn with the last price of each instrument that has a tick after record `after`; *traded_ns is the last trade's event
 * time, -1 when there is none; returns in *n how many instruments there were. */
MUST_USE enum err ask_last_prices(struct db *d, uint64_t after,
                                  void (*fn)(void *ctx, const char *symbol, int64_t price_e8),
                                  void *ctx, size_t *n, int64_t *traded_ns, struct why *why);
#endif
