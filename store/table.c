/* table.c - the statements of a table, made from its row of tables.def.
 *
 * Few rows travel as one JSON array, whatever their number: one prepared statement a table, one
 * parameter. The three ways, for source 3 that has come to offset 101, instrument 7 whose name
 * changed twice in one batch, and two dead letters:
 *
 *     UPDATE   UPDATE tocsin.source AS t SET next_offset = n.next_offset, ...
 *              FROM json_to_recordset($1) AS n(...) WHERE t.source_id = n.source_id
 *     UPSERT   INSERT INTO tocsin.instrument AS t (...) SELECT DISTINCT ON (instrument_id) ...
 *              FROM ROWS FROM (json_to_recordset($1) AS (...)) WITH ORDINALITY AS n(..., place)
 *              ORDER BY instrument_id, place DESC                    the last name alone is left
 *              ON CONFLICT (instrument_id) DO UPDATE SET symbol = excluded.symbol, ...
 *     APPEND   INSERT INTO tocsin.dead_letter AS t (...) SELECT ...
 *              FROM json_to_recordset($1) AS n(...)
 *
 * APPEND has no ON CONFLICT on purpose: a row that is there already means that the fence has
 * failed, and must be heard. */
#include "store/table.h"

#include "alerts/alert.h"
#include "analytics/rows.h"
#include "ingest/batch.h"
#include "ingest/stored.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct table tables[TABLE_COUNT] = {
#define TABLE(row_, table_, way_, bulk_, days_, check_, key_, also_)                               \
    [TABLE_##row_] = { .row = &row_,                                                               \
                       .name = table_,                                                             \
                       .way = WAY_##way_,                                                          \
                       .bulk = BULK_##bulk_,                                                       \
                       .days = TABLE_##days_,                                                      \
                       .check = CHECK_##check_,                                                    \
                       .key = key_,                                                                \
                       .also = also_ },
#include "store/tables.def"
#undef TABLE
};

enum table_id table_of(const struct row_type *row)
{
    enum table_id id = 0;
    while (id < TABLE_COUNT && tables[id].row != row) id++;
    assert(id < TABLE_COUNT);
    return id;
}

static bool in_key(const struct table *t, const struct column *c)
{
    const struct column *key[TABLE_KEY_MAX];
    size_t n = table_key(t, key);
    for (size_t i = 0; i < n; i++)
        if (key[i] == c) return true;
    return false;
}

size_t table_key(const struct table *t, const struct column *out[TABLE_KEY_MAX])
{
    size_t n = 0;
    for (const char *p = t->key; *p; p += strspn(p, ", ")) {
        char name[64];
        size_t len = strcspn(p, ",");
        assert(len < sizeof name && n < TABLE_KEY_MAX);
        snprintf(name, sizeof name, "%.*s", (int)len, p);
        out[n] = row_column(t->row, name);
        assert(out[n]);
        n++;
        p += len;
    }
    return n;
}

size_t table_order(const struct table *t, const struct column *out[TABLE_KEY_MAX])
{
    const struct column *key[TABLE_KEY_MAX], *seq = row_column(t->row, "seq");
    size_t n = table_key(t, key), k = 0;
    if (t->check == CHECK_STANDS || !seq) seq = NULL;
    else out[k++] = seq;
    for (size_t i = 0; i < n; i++) {
        assert(k < TABLE_KEY_MAX);
        if (key[i] != seq) out[k++] = key[i];
    }
    return k;
}

/* ---- SQL ---- */
static const char *sql_type(enum column_type type)
{
    switch (type) {
    case COLUMN_I64:
    case COLUMN_U64: return "bigint";
    case COLUMN_I32:
    case COLUMN_U32: return "integer";
    case COLUMN_I16: return "smallint";
    case COLUMN_BOOL: return "boolean";
    case COLUMN_F64: return "double precision";
    case COLUMN_UUID: return "uuid";
    case COLUMN_TEXT:
    case COLUMN_STR:
    case COLUMN_ENUM: return "text";
    case COLUMN_BYTES: return "bytea";
    case COLUMN_JSON: return "jsonb";
    }
    return NULL;
}

void table_columns(const struct row_type *row, struct buf *out)
{
    for (size_t i = 0; i < row->columns_n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", row->columns[i].name);
}

void table_definition(const struct row_type *row, struct buf *out)
{
    for (size_t i = 0; i < row->columns_n; i++)
        buf_printf(out, "%s%s %s", i ? ", " : "(", row->columns[i].name,
                   sql_type(row->columns[i].type));
    buf_puts(out, ")");
}

void table_order_text(const struct table *t, struct buf *out)
{
    const struct column *by[TABLE_KEY_MAX];
    size_t n = table_order(t, by);
    for (size_t i = 0; i < n; i++) buf_printf(out, "%s%s", i ? ", " : "", by[i]->name);
}

/* "a = n.a, b = n.b" of the columns outside the key */
static void set_columns(const struct table *t, const char *from, struct buf *out)
{
    const char *comma = "";
    for (size_t i = 0; i < t->row->columns_n; i++) {
        const struct column *c = &t->row->columns[i];
        if (in_key(t, c)) continue;
        buf_printf(out, "%s%s = %s.%s", comma, c->name, from, c->name);
        comma = ", ";
    }
}

static void insert_into(const struct table *t, struct buf *out)
{
    buf_printf(out, "INSERT INTO tocsin.%s AS t (", t->name);
    table_columns(t->row, out);
    buf_puts(out, ")");
}

static void from_json(const struct table *t, struct buf *out)
{
    buf_puts(out, " FROM pg_catalog.json_to_recordset($1) AS n");
    table_definition(t->row, out);
}

static void append_json(const struct table *t, struct buf *out)
{
    insert_into(t, out);
    buf_puts(out, " SELECT ");
    table_columns(t->row, out);
    from_json(t, out);
}

/* Of several rows with one key the last one stands: an INSERT may not touch a row twice. */
static void upsert_json(const struct table *t, struct buf *out)
{
    insert_into(t, out);
    buf_printf(out, " SELECT DISTINCT ON (%s) ", t->key);
    table_columns(t->row, out);
    buf_puts(out, " FROM ROWS FROM (pg_catalog.json_to_recordset($1) AS ");
    table_definition(t->row, out);
    buf_puts(out, ") WITH ORDINALITY AS n(");
    table_columns(t->row, out);
    buf_printf(out, ", place) ORDER BY %s, place DESC ON CONFLICT (%s) DO ", t->key, t->key);
    const struct column *key[TABLE_KEY_MAX];
    if (table_key(t, key) == t->row->columns_n) { /* it says no more than that it is there */
        buf_puts(out, "NOTHING");
        return;
    }
    buf_puts(out, "UPDATE SET ");
    set_columns(t, "excluded", out);
    buf_puts(out, t->also);
}

static void update_json(const struct table *t, struct buf *out)
{
    const struct column *key[TABLE_KEY_MAX];
    size_t n = table_key(t, key);
    buf_printf(out, "UPDATE tocsin.%s AS t SET ", t->name);
    set_columns(t, "n", out);
    from_json(t, out);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s t.%s = n.%s", i ? " AND" : " WHERE", key[i]->name, key[i]->name);
}

void table_write_json(const struct table *t, struct buf *out)
{
    switch (t->way) {
    case WAY_APPEND: append_json(t, out); return;
    case WAY_UPSERT: upsert_json(t, out); return;
    case WAY_UPDATE: update_json(t, out); return;
    }
}

void table_stage_name(const struct table *t, struct buf *out)
{
    assert(t->bulk == BULK_STAGED && t->way == WAY_APPEND);
    buf_printf(out, "%s_in", t->name);
}

void table_make_stage(const struct table *t, struct buf *out)
{
    buf_puts(out, "CREATE TEMPORARY TABLE IF NOT EXISTS ");
    table_stage_name(t, out);
    buf_puts(out, " ");
    table_definition(t->row, out);
    buf_puts(out, " ON COMMIT DELETE ROWS");
}

void table_write_staged(const struct table *t, struct buf *out)
{
    insert_into(t, out);
    buf_puts(out, " SELECT ");
    table_columns(t->row, out);
    buf_puts(out, " FROM pg_temp.");
    table_stage_name(t, out);
    buf_printf(out, " ORDER BY %s", t->key);
}
