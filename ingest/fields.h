/* fields.h - the fields of one record as a wire format found them, and how a kind asks for them.
 *
 * Between the formats and the kinds. A format knows how a message is cut into named values and
 * nothing of what they mean; a kind knows its fields, their bounds and what to say when one is
 * wrong, and nothing of JSON. So five formats and twenty kinds are twenty-five files and not a
 * hundred.
 *
 * A kind that wants "price" of {"kind":"trade","price":172.50,"oops":1} asks fields_find(f,
 * "price") and gets a NUMBER; fields_written(f, "price") is "172.50", every digit of it. The
 * first thing that is wrong sticks: later calls find nothing and change nothing, so a kind reads
 * all its fields without looking back, and fields_end() has the verdict. It is also where "oops",
 * which nobody asked for, is refused.
 *
 * Lifetime: what is found points into the message and is gone with it; fields_keep() copies into
 * the arena. Thread: any, one at a time. */
#ifndef TOCSIN_INGEST_FIELDS_H
#define TOCSIN_INGEST_FIELDS_H
#include "core/arena.h"
#include "ingest/record.h"

enum field_shape {
    FIELD_ABSENT, /* not there, or null, which is as good */
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_FLAG, /* true or false */
    FIELD_LIST,
    FIELD_OBJECT
};

struct field {
    enum field_shape shape;
    struct str text; /* TEXT: its bytes, valid UTF-8 */
    bool flag;       /* FLAG */
    bool whole;      /* NUMBER: written without fraction and exponent, and it is `integer` */
    int64_t integer;
    uint32_t items;  /* LIST: how many */
    const void *own; /* the format's */
};

/* What a format offers. `message` is the format's own, as given to fields_begin. */
struct field_source {
    struct field (*find)(const void *message, const char *name);
    /* A NUMBER as it was written, or an OBJECT as JSON. */
    struct str (*written)(const void *message, const char *name);
    struct field (*item)(const struct field *list, uint32_t i);
    /* The first field that is in the message and not among `asked`; NULL: none. */
    const char *(*stray)(const void *message, const char *const *asked, unsigned n);
};

enum { FIELDS_MAX = 32 }; /* of one kind, `kind` and `ts` among them */

struct fields {
    const struct field_source *source;
    const void *message;
    struct arena *arena;
    struct why *why;
    enum err err; /* the first failure */
    /* Of our own database, where kind, time and owner stand beside the text and may be left out
     * of it. */
    bool stored;
    const char *asked[FIELDS_MAX]; /* literals */
    unsigned asked_n;
};

struct fields fields_begin(const struct field_source *source, const void *message,
                           struct arena *arena, struct why *why);
/* The first failure, or ERR_INVALID for a field that nobody has asked for. */
MUST_USE enum err fields_end(struct fields *f);

struct field fields_find(struct fields *f, const char *name);
struct str fields_written(const struct fields *f, const char *name);
struct field fields_item(const struct fields *f, const struct field *list, uint32_t i);

/* Keeps the first detail, as ERR_INVALID. */
void fields_fail(struct fields *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Memory of the arena; NULL, and a failure of ERR_NOMEM, when there is none. */
void *fields_alloc(struct fields *f, size_t n);
/* A copy in the arena; "" for nothing. */
struct str fields_keep(struct fields *f, struct str s);

/* ---- the two that nearly every kind needs ---- */

/* Text of min to max bytes without NUL, where it lies; p NULL when it is absent, which `required`
 * makes a failure. */
struct str fields_text(struct fields *f, const char *name, size_t min, size_t max, bool required);
#define FIELD_REQUIRED INT64_MIN /* as `missing`: there is no default, the field must be there */
int64_t fields_integer(struct fields *f, const char *name, int64_t min, int64_t max,
                       int64_t missing);
#endif
