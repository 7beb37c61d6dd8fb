/* state.h - state that outlives the program that wrote it: named parts, each an array of structs told field by field.
 *
 * Nothing is found by its position. A part is found by its name, a field by its name, a value of an enum by its text; so a
 * program whose structs have changed reads what an older one wrote:
 *
 *     stored by the old program      rule { no=7, series=3, hold_ns=0 }
 *     fields of the new one          rule { series, no, quiet_until_ns }
 *     what it gets                   rule { series=3, no=7, quiet_until_ns=0 }
 *
 * A field that came is zero, a field that went is dropped, one that moved or grew (i32 to i64) is followed. Refused, and
 * named: an enum's text that this program does not know, a value that no longer fits, a type that became another, and a
 * field whose `meaning` was raised without an `upgrade` beside it. What a newer program wrote is refused when it has
 * anything that this one does not know, since dropping it could lose what the newer one leaned on.
 *
 *     static const struct state_field fields[] = {
 *         STATE_FIELD(U64, struct rule, no), STATE_FIELD(U32, struct rule, series),
 *         STATE_ENUM_FIELD(struct rule, state, rule_state),
 *     };
 *     static const struct state_part part = { "rule", sizeof(struct rule), fields, ARRAY_LEN(fields) };
 *
 *     struct state_writer w = state_write(&buf);             state_open(p, n, &reader, &why);
 *     state_put(&w, &part, rules, rules_n);                  state_get(&reader, &part, (void **)&rules, &n, &cap, &why);
 *     state_write_end(&w);                                   state_close(&reader);
 *
 * Numbers are in the host's byte order, which the header names: state is for the kind of machine that wrote it, records
 * are for all. Thread: one at a time. */
#ifndef TOCSIN_CORE_STATE_H
#define TOCSIN_CORE_STATE_H
#include "core/buf.h"
#include "core/names.h"
#include "core/state_image.h"
#include "core/str.h"

/* Raised with every change of any part or field: what a later number wrote was written by a newer program.
 * 2: rules' states are a part of their own, rule_state; a program that dropped it would take all rules for new. */
enum { STATE_VERSION = 2 };

enum state_type {
    STATE_I64,
    STATE_U64,
    STATE_I32,
    STATE_U32,
    STATE_U16,
    STATE_U8,
    STATE_BOOL,
    STATE_F64,
    STATE_I128,
    STATE_BYTE, /* bytes as they are: char arrays, struct uuid */
    STATE_ENUM, /* a C enum of 4 bytes */
    STATE_TYPE_COUNT
};

struct state_field {
    const char *name;
    enum state_type type;
    size_t offset, count;      /* count: elements of an array, 1 for a single value */
    const struct names *names; /* STATE_ENUM: the text of each value */
    int meaning; /* 0 at first; raised when the same name comes to mean another thing */
    void (*upgrade)(
        int from,
        void *
            row); /* turns what was stored under meaning `from` into today's, in the row just read */
};

struct state_part {
    const char *name;
    size_t size; /* of a row in memory */
    const struct state_field *fields;
    size_t fields_n;
};

enum {
    STATE_SIZE_I64 = 8,
    STATE_SIZE_U64 = 8,
    STATE_SIZE_I32 = 4,
    STATE_SIZE_U32 = 4,
    STATE_SIZE_U16 = 2,
    STATE_SIZE_U8 = 1,
    STATE_SIZE_BOOL = 1,
    STATE_SIZE_F64 = 8,
    STATE_SIZE_I128 = 16,
    STATE_SIZE_BYTE = 1,
    STATE_SIZE_ENUM = 4
};

/* One field of `type_of_row`, an array of it when it is one. */
#define STATE_FIELD(kind, type_of_row, field)                                                      \
    { .name = #field,                                                                              \
      .type = STATE_##kind,                                                                        \
      .offset = offsetof(type_of_row, field),                                                      \
      .count = sizeof(((type_of_row *)0)->field) / STATE_SIZE_##kind }
#define STATE_ENUM_FIELD(type_of_row, field, tag)                                                  \
    { .name = #field,                                                                              \
      .type = STATE_ENUM,                                                                          \
      .offset = offsetof(type_of_row, field),                                                      \
      .count = sizeof(((type_of_row *)0)->field) / STATE_SIZE_ENUM,                                \
      .names = &tag##_names }

/* ---- writing ---- */
struct state_writer {
    struct buf *out;
    size_t parts_n;
    struct state_image *image;     /* NULL: the bytes are all that is wanted */
    const struct state_part *part; /* being given page by page */
    size_t page, rows;             /* the next one; rows still to come */
};
struct state_writer state_write(struct buf *out);
/* The same, and where it may be cut into pages. */
struct state_writer state_write_image(struct state_image *out);
void state_put(struct state_writer *w, const struct state_part *part, const void *rows, size_t n);
/* A part page by page, where the caller says what rows a page has, and which pages are as they were in the image before:
 *
 *     state_put_pages(&w, &part, n, 3)      n rows in three pages
 *     state_put_same(&w, 512)               the first is as it was, with so many rows
 *     state_put_page(&w, rows, 512)         the second is this
 *     state_put_page(&w, rows, n - 1024)
 *
 * Without an image there is no image before. */
void state_put_pages(struct state_writer *w, const struct state_part *part, size_t n,
                     size_t pages_n);
void state_put_page(struct state_writer *w, const void *rows, size_t n);
void state_put_same(struct state_writer *w, size_t n);
/* Whole rows, as many as fit into a page; a row that is longer has a page to itself. */
size_t state_rows_of_page(const struct state_part *part);

/* After the last part. What comes behind in the buf is another's. */
void state_write_end(struct state_writer *w);

/* ---- reading ---- */
enum { STATE_PARTS_MAX = 64, STATE_FIELDS_MAX = 64, STATE_NAMES_MAX = 64 };

struct state_stored {
    struct str name, bytes;
    bool taken;
};

struct state_reader {
    int version;      /* of the program that wrote it */
    char program[32]; /* its name for people: "tocsin 0.1" */
    size_t used;      /* bytes of the whole state, end included */
    struct state_stored parts[STATE_PARTS_MAX];
    size_t parts_n;
};

/* Looks over what is there; the bytes must outlive the reader. ERR_INVALID when it is no state, or cut short. */
MUST_USE enum err state_open(const void *p, size_t n, struct state_reader *out, struct why *why);
/* The rows of a part, in an array that is the caller's to free; no rows and NULL when the part is not there. */
MUST_USE enum err state_get(struct state_reader *r, const struct state_part *part, void **rows,
                            size_t *n, size_t *cap, struct why *why);
/* Has everything been taken? A part that nobody asked for is dropped when an older program (or this one) wrote it, and
 * ERR_INVALID, by name and with the version that wrote it, when a newer one did. */
MUST_USE enum err state_close(const struct state_reader *r, struct why *why);
#endif
