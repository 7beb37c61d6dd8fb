/* row.h - a row described once: its columns, in one .def file next to its owner, and all that follows from them.
 *
 * alerts/alert.def says, in the order of the SQL table and under the names it has there:
 *
 *     COLUMN(UUID, tenant_id, "whose it is")
 *     COLUMN(U64, seq, "the record that made it so")
 *     COLUMN(ENUM(alert_state), state, "firing or resolved")
 *     COLUMN(F64, value, "the value it is about; in the measure's unit")
 *     #undef COLUMN
 *
 * The struct is made from it in the owner's header, the description in the owner's .c file:
 *
 *     struct alert {
 *     #define COLUMN ROW_FIELD
 *     #include "alerts/alert.def"
 *     };
 *     extern const struct row_type alert_row;
 *
 *     static const struct column alert_columns[] = {
 *     #define COLUMN(type, name, what) ROW_COLUMN(struct alert, type, name)
 *     #include "alerts/alert.def"
 *     };
 *     const struct row_type alert_row = ROW_TYPE("alert", struct alert, alert_columns);
 *
 * From the description come the deep copy, JSON and comparison here, and in store/ the COPY, the statements, reading back,
 * and what `tocsin verify` compares. A new column is one line and one migration. Pure; thread: any. */
#ifndef TOCSIN_CORE_ROW_H
#define TOCSIN_CORE_ROW_H
#include "core/arena.h"
#include "core/json_write.h"
#include "core/names.h"
#include "core/str.h"
#include "core/uuid.h"

/* What a column is, in C and in SQL. Null exists where the comment says so, and nowhere else. */
enum column_type {
    COLUMN_I64,   /* int64_t, bigint */
    COLUMN_U64,   /* uint64_t below 2^63, bigint */
    COLUMN_I32,   /* int32_t, integer */
    COLUMN_U32,   /* uint32_t below 2^31, integer */
    COLUMN_I16,   /* int16_t, smallint */
    COLUMN_BOOL,  /* bool, boolean */
    COLUMN_F64,   /* double, double precision; null: NaN, and an infinity is stored as that */
    COLUMN_UUID,  /* struct uuid, uuid; null: the one that is all zero */
    COLUMN_TEXT,  /* const char *, NUL-terminated, text */
    COLUMN_STR,   /* struct str, text; p NULL is the empty text */
    COLUMN_BYTES, /* struct str, bytea; null: p NULL */
    COLUMN_JSON, /* const char *, NUL-terminated JSON text, jsonb: compared by value; not the JSON null */
    COLUMN_ENUM, /* an enum with names, text: never a number */
};

struct column {
    const char *name; /* of the field and of the SQL column */
    enum column_type type;
    size_t offset;
    const struct names *names; /* of an ENUM */
};

struct row_type {
    const char *name; /* of the SQL table, in messages too: "alert" */
    size_t size;
    const struct column *columns;
    size_t columns_n;
};

/* ---- from a .def to a struct and its description ---- */
#define ROW_C_I64 int64_t
#define ROW_C_U64 uint64_t
#define ROW_C_I32 int32_t
#define ROW_C_U32 uint32_t
#define ROW_C_I16 int16_t
#define ROW_C_BOOL bool
#define ROW_C_F64 double
#define ROW_C_UUID struct uuid
#define ROW_C_TEXT const char *
#define ROW_C_STR struct str
#define ROW_C_BYTES struct str
#define ROW_C_JSON const char *
#define ROW_C_ENUM(tag) enum tag
#define ROW_FIELD(type, name, what) ROW_C_##type name;

#define COLUMN_ENUM(tag) COLUMN_ENUM, .names = &tag##_names
#define ROW_COLUMN(owner, type_, name_)                                                            \
    { .name = #name_, .offset = offsetof(owner, name_), .type = COLUMN_##type_ },
#define ROW_TYPE(table, owner, columns) { table, sizeof(owner), columns, ARRAY_LEN(columns) }

/* ---- what follows ---- */
/* The column of that name; NULL when there is none. */
const struct column *row_column(const struct row_type *t, const char *name);

/* *out becomes `row` with its texts in the arena. false: out of memory, and *out is not to be looked at. */
MUST_USE bool row_copy(const struct row_type *t, const void *row, struct arena *arena, void *out);
/* A copy of its own in one piece, to end with free(). NULL: out of memory. */
MUST_USE void *row_new(const struct row_type *t, const void *row);
/* Bytes of its texts: about what row_copy takes from the arena. */
size_t row_text_bytes(const struct row_type *t, const void *row);

/* An object with a member a column. BYTES are "\\x0a0b", as PostgreSQL reads them. */
void row_json(struct json_writer *w, const char *key, const struct row_type *t, const void *row);

/* One column as a person reads it, at most `cap` - 1 bytes: "firing", "0.25", "null". */
void row_text(const struct column *c, const void *row, char *out, size_t cap);

/* Calls differ(ctx, column, a, b) for every column in which the two differ. Doubles by their bits, except that 0 is -0 and
 * whatever is null is null; JSON by value, so that 1e3 is 1000 and the order of keys does not matter. */
void row_compare(const struct row_type *t, const void *a, const void *b,
                 void (*differ)(void *ctx, const struct column *c, const void *a, const void *b),
                 void *ctx);
/* <0, 0, >0: one column of two rows, in PostgreSQL's order. I64 U64 I32 U32 and UUID only: what keys are made of. */
int row_order(const struct column *c, const void *a, const void *b);

/* ---- a field of a row, by its column ---- */
static inline const void *row_field(const struct column *c, const void *row)
{
    return (const char *)row + c->offset;
}
#endif
