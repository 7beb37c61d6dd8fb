/* transaction.h - one write batch as one transaction, all of it or nothing; for writer.c. Thread: the writer's. */
#ifndef TOCSIN_STORE_TRANSACTION_H
#define TOCSIN_STORE_TRANSACTION_H
#include "store/partitions.h"

struct fence { /* what tocsin.shard must hold, or the transaction fails */
    int64_t epoch, commits;
    uint64_t last_seq;
};

/* Which tables have their staging table in this session: each is made when it is first wanted, because every one that is there is
 * emptied by PostgreSQL at each commit that touches any. */
struct stages {
    bool made[TABLE_COUNT];
};

/* The prepared statements, once a session, which has no staging table yet. */
MUST_USE enum err transaction_prepare(struct db *db, struct stages *stages, struct why *why);

/* The partitions are there. ERR_OK: committed; *owed is the number of deliveries it made. ERR_FENCED: the fence did not hold.
 * ERR_DB: rolled back, the session is well. ERR_DB_LOST: the session is gone, and whether it is committed is not known. */
MUST_USE enum err transaction_run(struct db *db, const struct fence *fence,
                                  const struct partitions *parts, struct stages *stages,
                                  const struct write_batch *b, int64_t *owed, struct why *why);
#endif
