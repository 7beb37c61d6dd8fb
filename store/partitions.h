/* partitions.h - the day partitions of tick and reading: which there are, by day. Made in transactions of their own, before a
 * batch needs them. A partition of long ago is a whole month's, so two days may share one. Thread: the writer's. */
#ifndef TOCSIN_STORE_PARTITIONS_H
#define TOCSIN_STORE_PARTITIONS_H
#include "store/db.h"
#include "store/write_batch.h"

struct partition_name {
    int32_t day;
    char name[48]; /* "tick_20260203", "tick_201802" */
};
/* Of each table by days, in the order they were asked for; {0} knows none. A day comes in when the
 * database has said its partition, and all go when the session does. Tables that are not by days
 * stay empty. */
struct partitions {
    struct {
        struct partition_name *days;
        size_t n, cap;
    } tables[TABLE_COUNT];
};

/* Makes what the batch's rows need and is not known to be there. */
MUST_USE enum err partitions_ensure(struct partitions *p, struct db *db,
                                    const struct write_batch *b, struct why *why);
/* The partition of a day that was ensured. */
const char *partitions_name(const struct partitions *p, enum table_id id, int32_t day);
/* After the session was lost somebody may have dropped one: all are asked for again. */
void partitions_forget(struct partitions *p);
void partitions_release(struct partitions *p);
#endif
