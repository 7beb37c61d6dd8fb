#include "app/said.h"

#include "alerts/alert.h"
#include "analytics/rows.h"
#include "core/map.h"
#include "core/vec.h"
#include "ingest/stored.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 200 };

void said_differ(struct said *s, uint64_t seq, const char *what, const char *stored,
                 const char *now)
{
    if (s->differing++ < SAID_SHOWN)
        printf("seq %" PRIu64 ": %s: stored %s, now %s\n", seq, what, stored, now);
}

static void fail(struct said *s, enum err e)
{
    if (!s->err) s->err = err_set(&s->why, e, "out of memory");
}

/* ---- one row against another ---- */
struct pair {
    struct said *said;
    uint64_t seq;
    const struct row_type *type;
    const char *whose; /* " of <key>", or nothing */
    bool earlier;      /* an earlier version of the measure said it */
};

/* The version of its measure that a row was said by; NULL: no measure said it. */
static const struct column *version_of(const struct row_type *type)
{
    return type == &reading_row  ? row_column(type, "measure_version")
           : type == &series_row ? row_column(type, "version")
                                 : NULL;
}

/* What was said by an earlier version stays as it was said, and this program cannot say it again. */
static bool said_earlier(const struct row_type *type, const void *stored, const void *now)
{
    const struct column *c = version_of(type);
    return c && *(const int32_t *)row_field(c, stored) < *(const int32_t *)row_field(c, now);
}

static void column_differs(void *ctx, const struct column *c, const void *stored, const void *now)
{
    const struct pair *p = ctx;
    char what[2 * TEXT_MAX], a[TEXT_MAX], b[TEXT_MAX];
    if (p->type == &event_row && strcmp(c->name, "payload") == 0) return;
    if (p->type == &alert_row && !alert_has_column(stored, c)) return;
    if (p->earlier && (c == version_of(p->type) || strcmp(c->name, "value") == 0)) return;
    snprintf(what, sizeof what, "%s.%s%s", p->type->name, c->name, p->whose);
    row_text(c, stored, a, sizeof a);
    row_text(c, now, b, sizeof b);
    said_differ(p->said, p->seq, what, a, b);
}

static void compare(struct said *s, enum table_id id, uint64_t seq, const char *whose,
                    const void *stored, const void *now)
{
    const struct row_type *type = tables[id].row;
    struct pair p = { s, seq, type, whose, said_earlier(type, stored, now) };
    s->earlier += p.earlier && type == &reading_row;
    row_compare(type, stored, now, column_differs, &p);
    s->values += (int64_t)type->columns_n;
    s->tables[id].compared++;
}

static uint64_t seq_of(const struct row_type *type, const void *row)
{
    const struct column *c = row_column(type, "seq");
    return c ? *(const uint64_t *)row_field(c, row) : 0;
}

/* ---- rows in order ---- */
struct order {
    const struct column *by[TABLE_KEY_MAX];
    size_t n;
};

static int in_order(const void *a, const void *b, void *ctx)
{
    const struct order *o = ctx;
    int c = 0;
    for (size_t i = 0; i < o->n && !c; i++)
        c = row_order(o->by[i], *(void *const *)a, *(void *const *)b);
    return c;
}

static void sort(struct said *s, enum table_id id)
{
    struct order o;
    o.n = table_order(&tables[id], o.by);
    if (s->tables[id].n > 1)
        qsort_r(s->tables[id].rows, s->tables[id].n, sizeof(void *), in_order, &o);
}

static void forget(struct said *s, enum table_id id)
{
    for (size_t i = 0; i < s->tables[id].n; i++) free(s->tables[id].rows[i]);
    s->tables[id].n = 0;
}

static bool keep(struct said *s, enum table_id id, const void *row)
{
    void *own = row_new(tables[id].row, row);
    if (!own || !VEC_GROW(&s->tables[id].rows, &s->tables[id].cap, s->tables[id].n + 1)) {
        free(own);
        fail(s, ERR_NOMEM);
        return false;
    }
    s->tables[id].rows[s->tables[id].n++] = own;
    return true;
}

enum next { NEXT_NONE, NEXT_ROW, NEXT_BAD };

/* The next stored row. BAD: one that holds a text of no enum's, which is a difference already. Not to be asked after a failure. */
static enum next next_stored(struct said *s, struct row_cursor *c, uint64_t seq, void *out)
{
    bool more = false;
    struct why why = { 0 };
    enum err e = row_cursor_next(c, out, &more, &why);
    if (!e) return more ? NEXT_ROW : NEXT_NONE;
    if (e == ERR_INVALID) {
        said_differ(s, seq, why.text, "that", "another");
        return NEXT_BAD;
    }
    s->err = e;
    s->why = why;
    return NEXT_NONE;
}

/* ---- rows that are read along ---- */
static void settle_table(struct said *s, enum table_id id)
{
    const struct row_type *type = tables[id].row;
    void *stored = malloc(type->size);
    if (!stored) fail(s, ERR_NOMEM);
    sort(s, id);
    for (size_t i = 0; i < s->tables[id].n && !s->err; i++) {
        const void *now = s->tables[id].rows[i];
        const uint64_t seq = seq_of(type, now);
        const enum next next = next_stored(s, s->tables[id].stored, seq, stored);
        if (next == NEXT_ROW) compare(s, id, seq, "", stored, now);
        else if (next == NEXT_NONE && !s->err) said_differ(s, seq, type->name, "nothing", "a row");
    }
    forget(s, id);
    free(stored);
}

void said_settle(struct said *s)
{
    for (enum table_id id = 0; id < TABLE_COUNT; id++)
        if (tables[id].check == CHECK_ALONG && s->tables[id].n) settle_table(s, id);
}

static void nothing_left(struct said *s, enum table_id id)
{
    const struct row_type *type = tables[id].row;
    void *stored = malloc(type->size);
    if (!stored) fail(s, ERR_NOMEM);
    for (enum next next = NEXT_BAD; !s->err && next != NEXT_NONE;) {
        next = next_stored(s, s->tables[id].stored, 0, stored);
        if (next == NEXT_ROW) said_differ(s, seq_of(type, stored), type->name, "a row", "nothing");
    }
    free(stored);
}

/* ---- rows that stand ---- */
struct key {
    const struct said *said;
    enum table_id id;
};

static bool same_key(const void *ctx, uint32_t value, const void *row)
{
    const struct key *k = ctx;
    struct order o;
    o.n = table_key(&tables[k->id], o.by);
    return in_order(&k->said->tables[k->id].rows[value], &row, &o) == 0;
}

static uint64_t hash_key(const struct table *t, const void *row)
{
    const struct column *key[TABLE_KEY_MAX];
    uint64_t h = 0;
    size_t n = table_key(t, key);
    for (size_t i = 0; i < n; i++) {
        char text[TEXT_MAX];
        row_text(key[i], row, text, sizeof text);
        h = h * 31 + map_hash(text, strlen(text));
    }
    return h;
}

static void stand(struct said *s, enum table_id id, const void *row)
{
    const struct key key = { s, id };
    const uint64_t hash = hash_key(&tables[id], row);
    uint32_t had = map_find(s->tables[id].by_key, hash, same_key, &key, row);
    if (!keep(s, id, row)) return;
    void **rows = s->tables[id].rows;
    const size_t last = s->tables[id].n - 1;
    if (had != MAP_NONE) {
        free(rows[had]);
        rows[had] = rows[last];
        s->tables[id].n--;
    } else if (!map_add(s->tables[id].by_key, hash, (uint32_t)last)) fail(s, ERR_NOMEM);
}

/* " of 0a1b... 2c3d...": a row by its key, cut where it does not fit: it is for people */
static const char *whose_row(enum table_id id, const void *row, char out[TEXT_MAX])
{
    const struct column *key[TABLE_KEY_MAX];
    size_t n = table_key(&tables[id], key);
    int len = snprintf(out, TEXT_MAX, " of");
    for (size_t i = 0; i < n && len < TEXT_MAX; i++) {
        char text[60];
        row_text(key[i], row, text, sizeof text);
        len += snprintf(out + len, TEXT_MAX - (size_t)len, " %s", text);
    }
    return out;
}

static void one_missing(struct said *s, enum table_id id, uint64_t seq, const void *row,
                        const char *stored, const char *now)
{
    char whose[TEXT_MAX], what[2 * TEXT_MAX];
    snprintf(what, sizeof what, "%s%s", tables[id].row->name, whose_row(id, row, whose));
    said_differ(s, seq, what, stored, now);
}

/* The next stored row that can be read; false when there is none. */
static bool next_readable(struct said *s, struct row_cursor *c, uint64_t seq, void *out)
{
    enum next next;
    do next = next_stored(s, c, seq, out);
    while (next == NEXT_BAD);
    return next == NEXT_ROW;
}

/* Both sides in the order of their keys: the lower one has no partner. */
static void compare_standing(struct said *s, enum table_id id, uint64_t seq, struct row_cursor *c)
{
    char whose[TEXT_MAX];
    struct order o;
    o.n = table_order(&tables[id], o.by);
    void *stored = malloc(tables[id].row->size);
    if (!stored) fail(s, ERR_NOMEM);
    sort(s, id);
    bool more = stored && next_readable(s, c, seq, stored);
    for (size_t i = 0; !s->err && (more || i < s->tables[id].n);) {
        void *now = i < s->tables[id].n ? s->tables[id].rows[i] : NULL;
        const int order = !now ? -1 : !more ? 1 : in_order(&stored, &now, &o);
        if (order < 0 && s->after) {
        } /* said before the replay began */
        else if (order < 0)
            one_missing(s, id, seq, stored, "a row", "nothing");
        else if (order > 0) one_missing(s, id, seq, now, "nothing", "a row");
        else compare(s, id, seq, whose_row(id, now, whose), stored, now);
        if (order <= 0) more = next_readable(s, c, seq, stored);
        if (order >= 0) i++;
    }
    free(stored);
}

static void end_standing(struct said *s, struct db *d, enum table_id id, uint64_t seq)
{
    struct row_cursor *c = NULL;
    if (s->after && !s->tables[id].n) return; /* all of it was said before the replay began */
    if (!s->err) s->err = row_cursor_open(d, tables[id].row, &c, &s->why);
    if (!s->err) compare_standing(s, id, seq, c);
    row_cursor_close(c);
}

/* ---- the whole ---- */
enum err said_open(struct said *s, struct db *d, uint64_t after, uint64_t readings_after,
                   struct why *why)
{
    enum err e = ERR_OK;
    *s = (struct said){ .after = after };
    for (enum table_id id = 0; id < TABLE_COUNT && !e; id++) {
        if (tables[id].check == CHECK_STANDS) {
            s->tables[id].by_key = calloc(1, sizeof *s->tables[id].by_key);
            if (!s->tables[id].by_key) e = err_set(why, ERR_NOMEM, "out of memory");
        }
        if (tables[id].check != CHECK_ALONG) continue;
        s->tables[id].after =
            id == TABLE_reading_row && readings_after > after ? readings_after : after;
        if (!e)
            e = row_cursor_open_range(d, tables[id].row, s->tables[id].after, UINT64_MAX,
                                      &s->tables[id].stored, why);
    }
    return e;
}

void said_row(struct said *s, const struct row_type *type, const void *row)
{
    const enum table_id id = table_of(type);
    if (s->err) return;
    switch (tables[id].check) {
    case CHECK_ALONG:
        if (seq_of(type, row) > s->tables[id].after) keep(s, id, row);
        return;
    case CHECK_STANDS: stand(s, id, row); return;
    case CHECK_REPLAYED:
    case CHECK_NEVER: return;
    }
}

void said_end(struct said *s, struct db *d, uint64_t seq)
{
    for (enum table_id id = 0; id < TABLE_COUNT; id++) {
        if (tables[id].check == CHECK_ALONG) nothing_left(s, id);
        if (tables[id].check == CHECK_STANDS) end_standing(s, d, id, seq);
    }
}

void said_close(struct said *s)
{
    for (enum table_id id = 0; id < TABLE_COUNT; id++) {
        row_cursor_close(s->tables[id].stored);
        forget(s, id);
        free(s->tables[id].rows);
        if (s->tables[id].by_key) map_release(s->tables[id].by_key);
        free(s->tables[id].by_key);
    }
}
