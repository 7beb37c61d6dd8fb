/* kind.h - what a record kind is made of. A kind is one file here that ends in one `const struct
 * record_type kind_NAME`, and one row of ingest/records.def that names it.
 *
 * A kind is its list of fields, and all else follows from the list: reading a record from a
 * message of any format, writing it as canonical JSON, the table of messages in
 * ingest/README.md. A field is a row:
 *
 *     { .name = "float", .type = &field_decimal, .at = AT(shares.float_e8),
 *       .min = 1, .max = E8, .missing = E8, .about = "the part of them that floats freely" }
 *
 * so that {"float":"0.99"} becomes u.shares.float_e8 = 99000000 and back, a message without it
 * gets 100000000, and {"float":"1.5"} is refused with: field "float" must be from 0.00000001 to
 * 1, is 1.5.
 *
 * Canonical JSON is a message like any other: "kind", "ts", then the fields in the order of the
 * list, without blanks. Every value is written, a default too, so that a later default changes
 * no record that is stored; only what is nothing (an empty text, no date, no tags, a number that
 * means "none" and lies out of bounds) is left out. Reading what was written gives the same
 * record, bit for bit. */
#ifndef TOCSIN_INGEST_KINDS_KIND_H
#define TOCSIN_INGEST_KINDS_KIND_H
#include "core/json_write.h"
#include "ingest/fields.h"

#include <stddef.h>

struct field_type;

struct record_field {
    const char *name;
    const struct field_type *type;
    size_t at;        /* of its value in struct record: AT(shares.float_e8) */
    int64_t min, max; /* bytes of a text, units of record.h of a number */
    int64_t missing;  /* when it is not there; FIELD_REQUIRED: it must be. Of a text its min says */
    const char *about; /* for the reader of the page, after its type and bounds; may be NULL */
};

/* How a value is read, written and described. Those below do for most; an odd one is made in its
 * kind's own file. */
struct field_type {
    void (*read)(struct fields *f, const struct record_field *d, struct record *r);
    void (*write)(struct json_writer *w, const struct record_field *d, const struct record *r);
    void (*describe)(const struct record_field *d, struct buf *out); /* "decimal, 0 to 1" */
};

extern const struct field_type
    field_text,    /* struct str, min to max bytes; min 0: may be left out, and is "" then */
    field_name,    /* struct str, 1 to max bytes of A-Z a-z 0-9 . - _ */
    field_symbol,  /* struct symbol */
    field_decimal, /* int64_t at 1e-8 */
    field_integer, /* int64_t */
    field_flag,    /* bool; missing 0 or 1 */
    field_day,     /* int32_t; missing NO_DAY: none, DAY_OF_TS: that of the record's time */
    field_uuid,    /* struct uuid, not all zero */
    field_tenant;  /* struct uuid, the record's owner: u.tenant */

/* A symbol out of one value, for field_symbol and for lists of symbols. */
void symbol_of_field(struct fields *f, const char *name, const struct field *v, struct symbol *out);

#define DAY_OF_TS INT64_MAX

/* Bounds that several kinds share. */
#define E8 100000000ll
#define PRICE_MIN_E8 1ll
#define QUANTITY_MAX_E8 (90000000000 * E8)
#define SHARES_MAX (1ll << 42)
enum { INDEX_NAME_MAX = 31, SOURCE_MAX = 100, TITLE_MAX = 200 }; /* bytes */

#define AT(member) offsetof(struct record, u.member)

/* What every corporate action says beside what it does. */
enum { SPLIT_SHARES_MAX = 1000000 };
#define EFFECTIVE(kind)                                                                            \
    { .name = "effective",                                                                         \
      .type = &field_day,                                                                          \
      .at = AT(kind.day),                                                                          \
      .missing = FIELD_REQUIRED,                                                                   \
      .about = "the session at whose open it takes effect" }
#define ANNOUNCED(kind)                                                                            \
    { .name = "announced", .type = &field_day, .at = AT(kind.announced), .missing = NO_DAY }
#define ACTION_SOURCE(kind)                                                                        \
    { .name = "source", .type = &field_text, .at = AT(kind.source), .max = SOURCE_MAX }

struct record_type {
    const char *about; /* one line, for the page */
    const struct record_field *fields;
    unsigned fields_n;
};

/* The last line of a kind's file. */
#define FIELDS(list) .fields = (list), .fields_n = ARRAY_LEN(list)

#define RECORD(number, id, name, origin, place, owner) extern const struct record_type kind_##name;
#include "ingest/records.def"
#undef RECORD

/* Of a kind there is. */
const struct record_type *record_type(enum record_kind k);

/* A message into a record: its kind, which must be one a feed may say, its time, its fields, and
 * nothing else. Strings lie in the arena of `f`. Of a price that is refused *out gets kind and
 * symbol, if it has them, so that it can be said whose it was; of anything else it is not written. */
MUST_USE enum err record_read(struct fields *f, struct record *out);

/* A stored text into the record it was: see record_from_stored. */
MUST_USE enum err record_read_stored(struct fields *f, const struct record *columns,
                                     struct uuid tenant, struct record *out);

/* The kinds a feed may say, with their fields, as Markdown: `tocsin --help-messages`, a part of
 * ingest/README.md. */
void kinds_reference(struct buf *out);
/* The same as a JSON array, for programs: kind, help, and of each field name, form and help. */
void kinds_definitions(struct json_writer *w, const char *key);
#endif
