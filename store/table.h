/* table.h - where rows go: tables.def as a table, and the statements that follow from it.
 *
 * A statement takes its rows as one JSON array ($1) or from the session's staging table. For tocsin.data_gap:
 *
 *     INSERT INTO tocsin.data_gap AS t (source_id, from_offset, to_offset) SELECT source_id, from_offset, to_offset
 *     FROM pg_catalog.json_to_recordset($1) AS n(source_id integer, from_offset bigint, to_offset bigint)
 *
 * Pure; thread: any. */
#ifndef TOCSIN_STORE_TABLE_H
#define TOCSIN_STORE_TABLE_H
#include "core/row.h"

enum table_id {
#define TABLE(row, table, way, bulk, days, check, key, also) TABLE_##row,
#include "store/tables.def"
#undef TABLE
    TABLE_COUNT
};
enum table_way { WAY_APPEND, WAY_UPSERT, WAY_UPDATE };
enum table_bulk { BULK_COPY, BULK_STAGED, BULK_JSON };
enum table_days { TABLE_WHOLE, TABLE_DAYS };
enum table_check { CHECK_REPLAYED, CHECK_ALONG, CHECK_STANDS, CHECK_NEVER };

enum { BULK_MIN = 100, TABLE_KEY_MAX = 4 };

struct table {
    const struct row_type *row;
    const char *name; /* without its schema */
    enum table_way way;
    enum table_bulk bulk;
    enum table_days days;
    enum table_check check;
    const char *key, *also;
};

extern const struct table tables[TABLE_COUNT];

/* The table of a row; that there is none is our own mistake. */
enum table_id table_of(const struct row_type *row);
/* The columns of its key, in order; returns how many. */
size_t table_key(const struct table *t, const struct column *out[TABLE_KEY_MAX]);

/* The order its rows are read in: those that are read along by seq and then what else tells them apart, others by their key.
 * Returns how many columns. */
size_t table_order(const struct table *t, const struct column *out[TABLE_KEY_MAX]);
void table_order_text(const struct table *t, struct buf *out);

/* "seq, event_ns, value": the columns in the row's order. */
void table_columns(const struct row_type *row, struct buf *out);
/* "(seq bigint, event_ns bigint, value double precision)" */
void table_definition(const struct row_type *row, struct buf *out);
/* Writes the rows of a JSON array, $1. */
void table_write_json(const struct table *t, struct buf *out);
/* The name of the staging table, "alert_in", with what makes it and what empties it into its table. STAGED tables only. */
void table_stage_name(const struct table *t, struct buf *out);
void table_make_stage(const struct table *t, struct buf *out);
void table_write_staged(const struct table *t, struct buf *out);
#endif
