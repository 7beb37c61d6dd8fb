/* reader.h - what the API asks of PostgreSQL, as role tocsin_api under row-level security. The statements are queries.def.
 *
 * A reader is one session for one thread. Each call is a transaction of its own with the tenant set in it, READ ONLY unless
 * the statement says otherwise. A lost session is opened again, at most twice a second, and the
 * call tried once more. All calls give ERR_DB or ERR_DB_LOST when the database fails: never an empty answer. Their detail
 * names SQL and is for the log only. */
#ifndef TOCSIN_STORE_READER_H
#define TOCSIN_STORE_READER_H
#include "alerts/alert.h"
#include "core/buf.h"
#include "core/digest.h"

enum query {
#define QUERY(id, mode, params, sql) QUERY_##id,
#include "store/queries.def"
#undef QUERY
    QUERY_COUNT
};

struct reader;

/* Connects at the first call, so a database that is down does not stop the start. `name` outlives it. NULL when out of memory. */
struct reader *reader_new(const char *conninfo, const char *name);
void reader_free(struct reader *r); /* NULL is fine */

/* Calls fn once a row with its columns as text (NULL for null), valid during the call. The number of `params` is the row's. */
MUST_USE enum err reader_rows(struct reader *r, struct uuid tenant, enum query q,
                              const char *const *params,
                              void (*fn)(void *ctx, const char *const *columns), void *ctx,
                              struct why *why);
/* Appends the first column of the only row. ERR_NOT_FOUND when there is no row, or null in it. */
MUST_USE enum err reader_text(struct reader *r, struct uuid tenant, enum query q,
                              const char *const *params, struct buf *out, struct why *why);
/* The same rows as alerts (for the ALERT_ queries); the strings live during the call. */
MUST_USE enum err reader_alerts(struct reader *r, struct uuid tenant, enum query q,
                                const char *const *params,
                                void (*fn)(void *ctx, const struct alert *a), void *ctx,
                                struct why *why);

/* Whose key it is: ERR_UNAUTHORIZED unless a live key has that id and hash. Takes the same time for an unknown id as for a wrong
 * secret: the hash is compared with something either way, in constant time. */
MUST_USE enum err reader_find_key(struct reader *r, const char *key_id,
                                  const uint8_t sha256[SHA256_SIZE], struct uuid *out_tenant,
                                  struct why *why);
/* Of the n key ids, which live no longer: dead[i]. */
MUST_USE enum err reader_dead_keys(struct reader *r, const char *const *key_ids, size_t n,
                                   bool *dead, struct why *why);
#endif
