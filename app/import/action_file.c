/* action_file.c - see action_file.h. The columns are the fields of the kinds, each name once: "effective" is a split's and a
 * merger's. A row is written as a message of its kind's fields, and the decoder has the last word on it:
 *
 *     split,AAPL,7,1,09.06.2014   {"kind":"split","ts":...,"symbol":"AAPL","new":7,"old":1,"effective":"2014-06-09"}
 */
#include "app/import/action_file.h"

#include "core/decimal.h"
#include "core/json_write.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "ingest/kinds/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const enum record_kind action_kinds[ACTION_KINDS] = { RECORD_SPLIT,     RECORD_DIVIDEND,
                                                      RECORD_SPIN_OFF,  RECORD_MERGER,
                                                      RECORD_DELISTING, RECORD_RENAME };

/* A time with which a message is whole, to be read before its own is known. */
#define ANY_NS (DAY_1971 * NS_PER_DAY)

struct reading_actions {
    struct action_file *f;
    struct dialect *dialect;
    struct problems *problems;
    struct csv c;
    struct csv_column columns[CSV_COLUMNS_MAX]; /* the first is `kind` */
    size_t columns_n;
    const struct str *fields; /* of the row at hand */
    struct buf message;
    char fault[FAULT_MAX];
};

/* ---- columns ---- */
static size_t find_column(const struct reading_actions *g, const char *name)
{
    size_t i = 0;
    while (i < g->columns_n && strcmp(g->columns[i].name, name) != 0) i++;
    return i;
}

static void name_columns(struct reading_actions *g)
{
    g->columns[g->columns_n++] = (struct csv_column){ "kind", true };
    for (size_t k = 0; k < ACTION_KINDS; k++) {
        const struct record_type *t = record_type(action_kinds[k]);
        for (unsigned i = 0; i < t->fields_n; i++)
            if (find_column(g, t->fields[i].name) == g->columns_n)
                g->columns[g->columns_n++] = (struct csv_column){ t->fields[i].name, false };
    }
}

/* ---- records ---- */
enum { NO_CHILD = 0 }; /* no member lies there */
static const struct place {
    size_t symbol, child, day; /* in struct record */
} places[RECORD_KIND_COUNT] = {
    [RECORD_SPLIT] = { AT(split.symbol), NO_CHILD, AT(split.day) },
    [RECORD_DIVIDEND] = { AT(dividend.symbol), NO_CHILD, AT(dividend.day) },
    [RECORD_SPIN_OFF] = { AT(spin_off.parent), AT(spin_off.child), AT(spin_off.day) },
    [RECORD_MERGER] = { AT(delisting.symbol), NO_CHILD, AT(delisting.day) },
    [RECORD_DELISTING] = { AT(delisting.symbol), NO_CHILD, AT(delisting.day) },
    [RECORD_RENAME] = { AT(rename.symbol), NO_CHILD, AT(rename.effective_day) },
};

static void *member(struct record *r, size_t at) { return (char *)r + at; }

struct action_symbols action_symbols(struct record *r)
{
    const struct place *p = &places[r->kind];
    return (struct action_symbols){ member(r, p->symbol), p->child ? member(r, p->child) : NULL };
}

int32_t action_day(const struct record *r)
{
    int32_t day;
    memcpy(&day, (const char *)r + places[r->kind].day, sizeof day);
    return day;
}

void action_only_effect(struct record *r)
{
    static const char *const said[] = { "announced", "source", "currency", "acquirer" };
    const struct record_type *t = record_type(r->kind);
    for (unsigned i = 0; i < t->fields_n; i++)
        for (size_t k = 0; k < ARRAY_LEN(said); k++) {
            if (strcmp(t->fields[i].name, said[k]) != 0) continue;
            if (t->fields[i].type == &field_day) *(int32_t *)member(r, t->fields[i].at) = NO_DAY;
            else *(struct str *)member(r, t->fields[i].at) = (struct str){ "", 0 };
        }
    r->event_ns = 0;
    *action_symbols(r).of = (struct symbol){ { 0 } };
}

/* ---- a row ---- */
static void refuse(struct reading_actions *g, size_t column, const char *fault)
{
    problem_add(g->problems, "%s:%ld:%ld: %s %s", g->f->name, g->c.at[column].line,
                g->c.at[column].column, g->columns[column].name, fault);
}

static bool is_word(struct str s, const char *word)
{
    return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* A field into the message, as its type is written there. False: it is wrong, and the fault says how. */
static bool put_field(struct reading_actions *g, struct json_writer *w,
                      const struct record_field *d, struct str s)
{
    struct number n;
    int64_t number = 0;
    int32_t day;
    bool flag;
    if (d->type == &field_day) {
        if (!dialect_date(g->dialect, s, &day, g->fault)) return false;
        json_put_date(w, d->name, day);
    } else if (d->type == &field_flag) {
        snprintf(g->fault, sizeof g->fault, "is neither true nor false");
        if (!dialect_flag(s, &flag)) return false;
        json_put_bool(w, d->name, flag);
    } else if (d->type == &field_integer || d->type == &field_decimal) {
        const bool whole = d->type == &field_integer;
        if (dialect_number(g->dialect, s, &n, g->fault) != NUMBER_READ) return false;
        snprintf(g->fault, sizeof g->fault, "%s",
                 whole ? "is not a whole number" : "has more than 8 decimals, or is too large");
        if (!(whole ? number_whole(&n, &number) : number_e8(&n, &number))) return false;
        if (whole) json_put_int(w, d->name, number);
        else json_put_decimal(w, d->name, number);
    } else json_put_bytes(w, d->name, s.p, s.n);
    return true;
}

static const struct record_field *find_field(const struct record_type *t, const char *name)
{
    for (unsigned i = 0; i < t->fields_n; i++)
        if (strcmp(t->fields[i].name, name) == 0) return &t->fields[i];
    return NULL;
}

/* The fields that are there; false: one is wrong, and that has been said. */
static bool put_fields(struct reading_actions *g, enum record_kind kind)
{
    struct json_writer w = json_write(&g->message);
    bool fine = true;
    json_put_object(&w, NULL);
    json_put_text(&w, "kind", record_kind_name(kind));
    json_put_int(&w, "ts", ANY_NS);
    for (size_t i = 1; i < g->columns_n; i++) {
        if (g->fields[i].n == 0) continue;
        const struct record_field *d = find_field(record_type(kind), g->columns[i].name);
        if (!d) snprintf(g->fault, sizeof g->fault, "is no field of a %s", record_kind_name(kind));
        if (d && put_field(g, &w, d, g->fields[i])) continue;
        refuse(g, i, g->fault);
        fine = false;
    }
    json_put_end(&w);
    return fine;
}

/* One of the kinds there are here; 0: none. */
static enum record_kind read_kind(struct str s)
{
    for (size_t k = 0; k < ACTION_KINDS; k++)
        if (is_word(s, record_kind_name(action_kinds[k]))) return action_kinds[k];
    return 0;
}

/* The decoder's verdict; and a session, which a message of some kinds may leave out. */
static enum err decode(struct reading_actions *g, struct record *out, struct why *why)
{
    enum err e = record_decode(g->message.data, g->message.len, &g->f->arena, out, why);
    if (e) return e;
    const size_t effective = find_column(g, "effective");
    const bool said = g->fields[effective].n || out->kind == RECORD_DIVIDEND;
    if (!said) return err_set(why, ERR_INVALID, "field \"effective\" is missing");
    if (action_day(out) < DAY_1971) return err_set(why, ERR_INVALID, "its session is before 1971");
    return ERR_OK;
}

/* False only when out of memory; what is wrong with the row is a problem. */
static bool keep_row(struct reading_actions *g)
{
    struct action_file *f = g->f;
    struct record r;
    struct why why;
    const enum record_kind kind = read_kind(g->fields[0]);
    if (!kind) {
        snprintf(g->fault, sizeof g->fault,
                 "\"%.*s\" is none of split, dividend, spin_off, merger, delisting, rename",
                 (int)(g->fields[0].n > 40 ? 40 : g->fields[0].n), g->fields[0].p);
        refuse(g, 0, g->fault);
        return true;
    }
    buf_clear(&g->message);
    if (!put_fields(g, kind)) return true;
    const enum err e = buf_ok(&g->message) ? decode(g, &r, &why) : ERR_NOMEM;
    if (e == ERR_NOMEM) return false;
    if (e) {
        problem_add(g->problems, "%s:%ld: %s", f->name, g->c.line, why.text);
        return true;
    }
    if (!VEC_GROW(&f->rows, &f->cap, f->n + 1)) return false;
    r.event_ns = action_day(&r) * NS_PER_DAY;
    f->rows[f->n++] = (struct action_row){ .record = r, .day = action_day(&r), .line = g->c.line };
    return true;
}

static enum err read_rows(struct reading_actions *g, struct why *why)
{
    struct str fields[CSV_COLUMNS_MAX];
    g->fields = fields;
    for (bool more = true;;) {
        if (csv_next(&g->c, fields, &more, why)) problem_add(g->problems, "%s", why->text);
        else if (!more) return ERR_OK;
        else if (!keep_row(g)) return err_set(why, ERR_NOMEM, "%s: out of memory", g->f->name);
    }
}

/* ---- the file ---- */
enum err action_file_load(const char *path, struct dialect *d, struct action_file *out,
                          struct problems *problems, struct why *why)
{
    struct reading_actions g = { .f = out, .dialect = d, .problems = problems };
    name_columns(&g);
    enum err e = csv_open(path, d, g.columns, g.columns_n, &g.c, why);
    if (e == ERR_INVALID) problem_add(problems, "%s", why->text);
    if (e) return e;
    out->name = g.c.name;
    csv_print_unused(&g.c);
    e = read_rows(&g, why);
    csv_release(&g.c);
    buf_release(&g.message);
    return e;
}

void action_file_release(struct action_file *f)
{
    free(f->rows);
    arena_release(&f->arena);
    *f = (struct action_file){ 0 };
}

static int in_order(const void *a, const void *b)
{
    const struct action_row *x = a, *y = b;
    const int64_t at = x->record.event_ns, other = y->record.event_ns;
    if (at != other) return at < other ? -1 : 1;
    if (action_row_is_rename(x) != action_row_is_rename(y)) return action_row_is_rename(x) ? -1 : 1;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

void action_file_date(struct action_file *f, int64_t now_ns)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->rows[i].record.event_ns < now_ns) f->rows[i].record.event_ns = now_ns;
    if (f->n) qsort(f->rows, f->n, sizeof *f->rows, in_order);
}
