/* snapshot.h - a frozen picture of every measure, for readers on other threads. Plain data, never changed once published.
 *
 * The engine thread fills one when asked (engine_snapshot) and hands it over; the last reader frees it. */
#ifndef TOCSIN_ANALYTICS_SNAPSHOT_H
#define TOCSIN_ANALYTICS_SNAPSHOT_H
#include "analytics/reading.h"
#include "core/uuid.h"

#include <stdatomic.h>
#include <stddef.h>

struct snapshot_row {
    struct uuid tenant;  /* none: everybody may see it */
    const char *measure; /* canonical text */
    const char *unit;
    int version;
    struct reading reading;
};

struct snapshot_member {
    char symbol[16];
    char issuer[64];
    char name[64];
    int64_t price_e8;
    double weight; /* 0..1, of the issuer */
};
struct snapshot_index {
    char name[64];
    uint32_t members_n; /* issuers in the index */
    uint32_t top_n;
    struct snapshot_member
        top[50]; /* the largest issuers, largest first; symbol is the issuer's largest line */
};

struct snapshot {
    atomic_int references;
    uint64_t seq; /* state after this record */
    int64_t event_ns;
    size_t rows_n, indexes_n;
    struct snapshot_row *rows;      /* sorted by (tenant, measure) */
    struct snapshot_index *indexes; /* sorted by name */
    char *text;                     /* owns the strings */
};

struct snapshot *snapshot_retain(struct snapshot *s);
void snapshot_release(struct snapshot *s); /* NULL is fine */
/* NULL when that tenant may not see it, or nobody tracks it: the two look the same. */
const struct snapshot_row *snapshot_find(const struct snapshot *s, struct uuid tenant,
                                         const char *measure);
#endif
