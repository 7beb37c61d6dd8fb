/* format.h - a wire format: how the bytes of one message are cut into the fields of 0..n
 * records.
 *
 * A format is one file here that ends in `const struct format format_NAME`, and the row
 * FORMAT(NAME) of formats.def. It offers its fields as a struct field_source (ingest/fields.h),
 * gives them to record_read() for each record that the message holds, and knows no kind by name.
 * The setting kafka.format says which one a source uses.
 *
 * One message through the JSON format, the one there is so far:
 *
 *     {"kind":"shares","symbol":"AAPL","shares":5109000000,"ts":1}
 *     work()         parses it, and asks intake_record() for the place of its one record
 *     record_read()  finds "kind", and reads the fields of kind_shares
 *     ERR_OK         the record is in the batch
 *
 * On an error the caller takes back what this message put there: a message is all of its records
 * or a dead letter, and never half of either. */
#ifndef TOCSIN_INGEST_FORMATS_FORMAT_H
#define TOCSIN_INGEST_FORMATS_FORMAT_H
#include "core/arena.h"
#include "ingest/record.h"

/* Where the records of a message go. */
struct intake {
    struct arena *arena; /* for their strings */
    struct record *(*next)(void *ctx);
    void *ctx;
};

/* The place of the message's next record; NULL when out of memory. */
static inline struct record *intake_record(const struct intake *to) { return to->next(to->ctx); }

struct format {
    const char *name, *help;

    /* What it needs for as long as a source is open. NULL: nothing. */
    enum err (*open)(void **state, struct why *why);
    /* `n` is at least 1 and at most MESSAGE_MAX. Fills fields, kind and event_ns of each record
     * it puts; where they came from is the caller's to add. An error other than ERR_NOMEM becomes
     * a dead letter's reason. Thread: one a state. */
    enum err (*work)(void *state, const char *bytes, size_t n, const struct intake *to,
                     struct why *why);
    void (*close)(void *state); /* NULL: nothing */
};

/* ERR_INVALID with the names there are, when it is none of them; then *out is NULL. NULL is the
 * first of them. */
MUST_USE enum err format_find(const char *name, const struct format **out, struct why *why);
#endif
