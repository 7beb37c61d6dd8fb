/* picture.h - what other threads see: every live measure as of one record, and the largest names
 * of each index. Plain data, never changed once published.
 *
 * Ten times a second the engine's thread takes one and hands it over; the last reader frees it.
 * Two parts, since most of it is the same as before:
 *
 *   struct picture_list   names, units, and who may see what; made anew only when series or their viewers have changed
 *   struct picture        the readings, one a row of its list
 *
 * A row is everybody's when the configuration or an index asks for it, else it is seen by its
 * viewers: tenants with a rule on it, and a book's owner with one. Asking for what one may not
 * see and for what is not there look the same. */
#ifndef TOCSIN_ANALYTICS_PICTURE_H
#define TOCSIN_ANALYTICS_PICTURE_H
#include "analytics/reading.h"
#include "core/uuid.h"

#include <stdatomic.h>
#include <stddef.h>

struct market;
struct alias;

struct viewer { /* a tenant that has a rule on a series */
    struct uuid tenant;
    uint32_t series;
};

struct picture_name {
    uint32_t series;
    const char *measure; /* canonical text */
    const char *unit;
    int version;
};

struct picture_entry { /* `tenant` (none: everybody) sees that row */
    struct uuid tenant;
    const char *measure;
    uint32_t row;
};

struct picture_list {
    /* One of who takes pictures, until names or viewers change; one of each picture made from it.
     * */
    atomic_int references;
    size_t rows_n, entries_n;
    struct picture_name *rows;
    struct picture_entry *entries; /* sorted by (tenant, measure) */
    char *text;                    /* owns the strings */
    struct alias *aliases;         /* of symbols */
    size_t aliases_n;
};

/* An instrument whose prices are being refused: refusals.h. */
struct picture_refusal {
    char symbol[16], why[160];
    uint32_t n;
};
enum { PICTURE_REFUSALS_MAX = 100 };

struct picture_row { /* one row as it is asked for; its strings live as long as the picture */
    const char *measure, *unit;
    int version;
    struct reading reading;
    const struct picture_refusal
        *refusal; /* of a reading that is refused; NULL too where there are too many */
};

struct picture_member {
    char symbol[16];
    char issuer[64];
    char name[64];
    int64_t price_e8;
    double weight; /* 0..1, of the issuer */
};

enum { PICTURE_TOP_MAX = 50 };
struct picture_index {
    char name[64];
    uint32_t members_n; /* issuers in the index */
    uint32_t top_n;
    struct picture_member
        top[PICTURE_TOP_MAX]; /* the largest issuers first; symbol is the issuer's largest line */
};

struct picture {
    /* The one it is made with goes from the engine's thread to the writer's with the batch, becomes
     * that of the shown picture when the batch is committed, and is released when the next is
     * shown. Who reads the shown one meanwhile holds one more. */
    atomic_int references;
    uint64_t seq; /* state after this record */
    int64_t event_ns;
    struct picture_list *list;
    struct reading *readings; /* by row of the list */
    size_t indexes_n;
    struct picture_index *indexes; /* sorted by name */
    size_t refused_n,
        refusals_n; /* all of them; those that are here, at most PICTURE_REFUSALS_MAX */
    struct picture_refusal *refusals;
};

/* ---- taken by the engine's thread ---- */
/* Every live series; those of `viewers` are the only ones that a tenant sees beside everybody's.
 * NULL: out of memory. */
struct picture_list *picture_list_new(const struct market *m, const struct viewer *viewers,
                                      size_t n);
void picture_list_release(struct picture_list *l); /* NULL is fine */
/* The list must be of the series as they are now; it is retained. NULL: out of memory. The
 * caller holds the one reference. */
struct picture *picture_new(const struct market *m, struct picture_list *list);

/* ---- any thread that holds a reference ---- */
struct picture *picture_retain(struct picture *p);
void picture_release(struct picture *p); /* NULL is fine */
/* false when that tenant may not see it, or nobody asks for it: the two look the same. */
bool picture_find(const struct picture *p, struct uuid tenant, const char *measure,
                  struct picture_row *out);
/* All that the tenant sees: everybody's by measure, then its own. */
void picture_each(const struct picture *p, struct uuid tenant,
                  void (*fn)(void *ctx, const struct picture_row *row), void *ctx);
/* For questions that are put by another spelling: last(BRK-B) is found as last(BRK.B).
 * What that symbol is an alias of, NULL when it is none. */
const char *picture_alias(const struct picture *p, const char *symbol);
/* NULL when there is no such index. */
const struct picture_index *picture_index_named(const struct picture *p, const char *name);
#endif
