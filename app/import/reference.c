#include "app/import/reference.h"

#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_INDEX SIZE_MAX
enum { SYMBOL, NAME, ISSUER, SECTOR, SHARES, FLOAT, VENUE, INDEX, BASE, DATE, NEGATIVE, COLUMNS };
static const struct csv_column columns[COLUMNS] = {
    [SYMBOL] = { "symbol", true },
    [NAME] = { "name", false },
    [ISSUER] = { "issuer", false },
    [SECTOR] = { "sector", false },
    [SHARES] = { "shares", false },
    [FLOAT] = { "float", false },
    [VENUE] = { "venue", false },
    [INDEX] = { "index", false },
    [BASE] = { "base", false },
    [DATE] = { "date", false },
    [NEGATIVE] = { "negative_prices", false },
};

struct reading { /* a row at hand */
    struct reference *r;
    struct csv *c;
    const struct str *f;
    int64_t event_ns;
    uint32_t symbol;
    bool first_leaves;
    struct arena arena;
    struct buf check;
    char fault[FAULT_MAX];
};

static void refuse(struct reading *g, int column, const char *fault)
{
    problem_add(g->r->problems, "%s:%ld:%ld: %.*s %s", g->r->name, g->c->at[column].line,
                g->c->at[column].column, (int)strcspn(columns[column].name, "|"),
                columns[column].name, fault);
}

/* ---- what the file has said already ---- */
static bool same_symbol(const void *ctx, uint32_t v, const void *key)
{
    const struct reference_symbol *all = ctx;
    return memcmp(all[v].symbol.s, key, SYMBOL_MAX + 1) == 0;
}

uint32_t reference_find(const struct reference *r, const struct symbol *s)
{
    return map_find(&r->by_symbol, map_hash(s->s, sizeof s->s), same_symbol, r->symbols, s->s);
}

static struct reference_symbol *find_symbol(const struct reference *r, const struct symbol *s)
{
    const uint32_t no = reference_find(r, s);
    return no == MAP_NONE ? NULL : &r->symbols[no];
}

static bool keep_symbol(struct reference *r, const struct symbol *s, int64_t first_ns)
{
    if (!VEC_GROW(&r->symbols, &r->symbols_cap, r->symbols_n + 1)) return false;
    r->symbols[r->symbols_n] =
        (struct reference_symbol){ .symbol = *s, .day = NO_DAY, .first_ns = first_ns };
    return map_add(&r->by_symbol, map_hash(s->s, sizeof s->s), (uint32_t)r->symbols_n++);
}

static bool same_issuer(const void *ctx, uint32_t v, const void *key)
{
    return str_equal(((const struct str *)ctx)[v], *(const struct str *)key);
}

/* The first row of an issuer says its name and sector. False: out of memory. */
static bool is_first(struct reference *r, struct str issuer, bool *first)
{
    uint64_t hash = map_hash(issuer.p, issuer.n);
    *first = map_find(&r->by_issuer, hash, same_issuer, r->issuers, &issuer) == MAP_NONE;
    if (!*first) return true;
    if (!VEC_GROW(&r->issuers, &r->issuers_cap, r->issuers_n + 1)) return false;
    r->issuers[r->issuers_n] = issuer;
    return map_add(&r->by_issuer, hash, (uint32_t)r->issuers_n++);
}

/* ---- messages ---- */
static void put_string(struct buf *b, const char *key, struct str s)
{
    if (s.n == 0) return;
    buf_printf(b, ",\"%s\":", key);
    buf_json_string(b, s.p, s.n);
}

static void put_decimal(struct buf *b, const char *key, int64_t e8)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(e8, text);
    buf_printf(b, ",\"%s\":\"%s\"", key, text);
}

static size_t begin(struct reading *g, enum record_kind kind)
{
    const size_t from = g->r->text.len;
    buf_printf(&g->r->text, "{\"kind\":\"%s\"", record_kind_name(kind));
    return from;
}

static void put_end(int64_t event_ns, struct buf *out)
{
    buf_printf(out, ",\"ts\":%" PRId64 "}", event_ns);
}

/* Ends the message that began at `from`; the decoder has the last word on it. False: out of memory. */
static bool finish(struct reading *g, size_t from, enum record_kind kind, size_t index)
{
    struct reference *r = g->r;
    struct record record;
    struct why why;
    if (!buf_ok(&r->text) || !VEC_GROW(&r->messages, &r->cap, r->n + 1)) return false;
    r->messages[r->n] = (struct reference_message){ .from = from,
                                                    .n = r->text.len - from,
                                                    .line = g->c->line,
                                                    .event_ns = g->event_ns,
                                                    .kind = kind,
                                                    .index = index,
                                                    .symbol = g->symbol,
                                                    .first_leaves = g->first_leaves };
    buf_clear(&g->check);
    buf_put(&g->check, r->text.data + from, r->text.len - from);
    put_end(REFERENCE_ANY_NS, &g->check);
    arena_clear(&g->arena);
    enum err e = buf_ok(&g->check)
                     ? record_decode(g->check.data, g->check.len, &g->arena, &record, &why)
                     : ERR_NOMEM;
    if (e == ERR_NOMEM) return false;
    if (e) problem_add(r->problems, "%s:%ld: %s", r->name, g->c->line, why.text);
    r->n++;
    return true;
}

void reference_message_text(const struct reference *r, size_t i, struct buf *out)
{
    buf_put(out, r->text.data + r->messages[i].from, r->messages[i].n);
    put_end(r->messages[i].event_ns, out);
}

/* ---- numbers ---- */
/* False: it is not there, or it is wrong and that has been said. */
static bool read_decimal(struct reading *g, int column, int64_t *out)
{
    struct number n;
    *out = 0;
    if (g->f[column].n == 0) return false;
    if (dialect_number(g->r->dialect, g->f[column], &n, g->fault) != NUMBER_READ)
        refuse(g, column, g->fault);
    else if (!number_e8(&n, out)) refuse(g, column, "has more than 8 decimals, or is too large");
    else return true;
    return false;
}

static bool read_shares(struct reading *g, int64_t *out)
{
    struct number n;
    const struct str s = g->f[SHARES];
    if (dialect_number(g->r->dialect, s, &n, g->fault) != NUMBER_READ) refuse(g, SHARES, g->fault);
    else if (!number_whole(&n, out) || *out <= 0) {
        snprintf(g->fault, sizeof g->fault, "\"%.*s\" is not a whole number above 0",
                 (int)(s.n > 60 ? 60 : s.n), s.p);
        refuse(g, SHARES, g->fault);
    } else return true;
    return false;
}

/* ---- a row: false only when out of memory; what is wrong with it is a problem ---- */
static bool put_shares(struct reading *g)
{
    int64_t shares, part;
    if (g->f[SHARES].n == 0) {
        if (g->f[FLOAT].n) refuse(g, FLOAT, "is said without shares");
        return true;
    }
    if (!read_shares(g, &shares)) return true;
    size_t from = begin(g, RECORD_SHARES);
    put_string(&g->r->text, "symbol", g->f[SYMBOL]);
    buf_printf(&g->r->text, ",\"shares\":%" PRId64, shares);
    if (read_decimal(g, FLOAT, &part)) put_decimal(&g->r->text, "float", part);
    return finish(g, from, RECORD_SHARES, NO_INDEX);
}

static size_t find_index(const struct reference *r, struct str name)
{
    size_t i = 0;
    while (i < r->indexes_n && !str_is(name, r->indexes[i].name)) i++;
    return i;
}

/* One named before: its base may be left out, not changed. */
static bool put_index(struct reading *g, struct str name)
{
    struct reference *r = g->r;
    const size_t i = find_index(r, name);
    int64_t base;
    const bool has_base = read_decimal(g, BASE, &base);
    if (i < r->indexes_n) {
        if (has_base && base != r->indexes[i].base_e8)
            refuse(g, BASE, "of an index that was given another one before");
        return true;
    }
    if (name.n > NAME_MAX_BYTES) refuse(g, INDEX, "has a name that is too long");
    else if (i == REFERENCE_INDEXES_MAX) refuse(g, INDEX, "is the 65th, and at most 64 are read");
    if (name.n > NAME_MAX_BYTES || i == REFERENCE_INDEXES_MAX) return true;
    memcpy(r->indexes[i].name, name.p, name.n);
    r->indexes[i].base_e8 = base;
    r->indexes_n++;
    const size_t from = begin(g, RECORD_INDEX);
    put_string(&r->text, "index", name);
    put_string(&r->text, "calendar", g->f[VENUE]); /* of its first member's venue */
    if (has_base) put_decimal(&r->text, "base", base);
    return finish(g, from, RECORD_INDEX, i);
}

static bool put_membership(struct reading *g, struct str name, bool member)
{
    const size_t from = begin(g, RECORD_MEMBERSHIP);
    put_string(&g->r->text, "index", name);
    put_string(&g->r->text, "symbol", g->f[SYMBOL]);
    if (!member) buf_puts(&g->r->text, ",\"member\":false");
    return finish(g, from, RECORD_MEMBERSHIP, find_index(g->r, name));
}

/* The next of "A|B|C"; false at the end. */
static bool next_name(struct str *list, struct str *out)
{
    if (!list->p) return false;
    const char *bar = memchr(list->p, '|', list->n);
    *out = (struct str){ list->p, bar ? (uint32_t)(bar - list->p) : list->n };
    *list = bar ? (struct str){ bar + 1, list->n - out->n - 1 } : (struct str){ NULL, 0 };
    return true;
}

static bool lists(struct str list, struct str name)
{
    for (struct str x; next_name(&list, &x);)
        if (str_equal(x, name)) return true;
    return false;
}

/* It is no more in those of before that are not among those of now. */
static bool put_leaves(struct reading *g, struct str before, struct str now)
{
    for (struct str name; next_name(&before, &name);)
        if (!lists(now, name) && !put_membership(g, name, false)) return false;
    return true;
}

static bool put_memberships(struct reading *g, struct str before)
{
    struct str now = g->f[INDEX], name;
    if (now.n == 0) now.p = NULL;
    for (struct str left = now; next_name(&left, &name);) {
        if (name.n == 0) {
            refuse(g, INDEX, "has an empty name between |");
            return true;
        }
        if (!put_index(g, name) || !put_membership(g, name, true)) return false;
    }
    return put_leaves(g, before, now);
}

static struct str issuer_of(const struct reading *g)
{
    return g->f[ISSUER].n ? g->f[ISSUER] : g->f[SYMBOL];
}

static bool put_names(struct reading *g)
{
    const struct str issuer = issuer_of(g);
    bool first;
    if (!is_first(g->r, issuer, &first)) return false;
    if (first) {
        const size_t from = begin(g, RECORD_ISSUER);
        put_string(&g->r->text, "issuer", issuer);
        put_string(&g->r->text, "name", g->f[NAME]);
        put_string(&g->r->text, "sector", g->f[SECTOR]);
        if (!finish(g, from, RECORD_ISSUER, NO_INDEX)) return false;
    }
    const size_t from = begin(g, RECORD_INSTRUMENT);
    put_string(&g->r->text, "symbol", g->f[SYMBOL]);
    put_string(&g->r->text, "issuer", issuer);
    put_string(&g->r->text, "name", g->f[NAME]);
    put_string(&g->r->text, "venue", g->f[VENUE]);
    bool negative;
    if (g->f[NEGATIVE].n && !dialect_flag(g->f[NEGATIVE], &negative))
        refuse(g, NEGATIVE, "is neither true nor false");
    else if (g->f[NEGATIVE].n)
        buf_printf(&g->r->text, ",\"negative_prices\":%s", negative ? "true" : "false");
    return finish(g, from, RECORD_INSTRUMENT, NO_INDEX);
}

static bool read_date(struct reading *g, int32_t *out)
{
    *out = NO_DAY;
    g->event_ns = REFERENCE_UNDATED;
    if (g->f[DATE].n == 0) return true;
    if (!dialect_date(g->r->dialect, g->f[DATE], out, g->fault)) refuse(g, DATE, g->fault);
    else if (*out < DAY_1971) refuse(g, DATE, "is before 1971");
    else {
        g->event_ns = *out * NS_PER_DAY;
        return true;
    }
    return false;
}

static bool put_row(struct reading *g)
{
    struct reference *r = g->r;
    struct symbol s;
    int32_t day;
    if (!read_date(g, &day)) return true;
    if (symbol_from(g->f[SYMBOL].p, g->f[SYMBOL].n, &s)) {
        refuse(g, SYMBOL, "needs 1 to 15 characters of A-Z a-z 0-9 . - _ / :");
        return true;
    }
    struct reference_symbol *known = find_symbol(r, &s);
    const struct str none = { NULL, 0 };
    struct str before = known ? known->indexes : none;
    if (known && (day == NO_DAY || known->day == NO_DAY || day <= known->day)) {
        refuse(g, SYMBOL, "has a row already: another one needs a later date");
        return true;
    }
    if (!known && !keep_symbol(r, &s, g->event_ns)) return false;
    known = find_symbol(r, &s);
    g->symbol = (uint32_t)(known - r->symbols);
    if (before.p && !str_equal(known->issuer, issuer_of(g))) { /* another's: the first leaves */
        g->first_leaves = true;
        if (!put_leaves(g, before, none)) return false;
        g->first_leaves = false;
        before = none;
    }
    known->day = day;
    known->issuer = issuer_of(g);
    known->indexes = g->f[INDEX].n ? g->f[INDEX] : none;
    r->rows++;
    return put_names(g) && put_shares(g) && put_memberships(g, before);
}

/* ---- the file ---- */
static enum err read_rows(struct reading *g, struct why *why)
{
    struct str fields[COLUMNS];
    g->f = fields;
    for (bool more = true;;) {
        if (csv_next(g->c, fields, &more, why)) problem_add(g->r->problems, "%s", why->text);
        else if (!more) return ERR_OK;
        else if (!put_row(g)) return err_set(why, ERR_NOMEM, "%s: out of memory", g->r->name);
    }
}

/* An index is said when its first member is, wherever in the file that stands. */
static void date_indexes(struct reference *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct reference_message *index = &r->messages[i];
        if (index->kind != RECORD_INDEX) continue;
        for (size_t k = 0; k < r->n; k++)
            if (r->messages[k].index == index->index && r->messages[k].event_ns < index->event_ns)
                index->event_ns = r->messages[k].event_ns;
    }
}

enum err reference_load(const char *path, struct reference *r, struct why *why)
{
    struct csv c;
    struct reading g = { .r = r, .c = &c };
    enum err e = csv_open(path, r->dialect, columns, COLUMNS, &c, why);
    if (e == ERR_INVALID) problem_add(r->problems, "%s", why->text);
    if (e) return e;
    r->name = c.name;
    csv_print_unused(&c);
    e = read_rows(&g, why);
    date_indexes(r);
    csv_release(&c);
    arena_release(&g.arena);
    buf_release(&g.check);
    return e;
}

static int by_time(const void *a, const void *b)
{
    const struct reference_message *x = a, *y = b;
    if (x->event_ns != y->event_ns) return x->event_ns < y->event_ns ? -1 : 1;
    return x->from < y->from ? -1 : x->from > y->from;
}

void reference_date(struct reference *r, int64_t undated_ns)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->messages[i].event_ns == REFERENCE_UNDATED) r->messages[i].event_ns = undated_ns;
    for (size_t i = 0; i < r->symbols_n; i++)
        if (r->symbols[i].first_ns == REFERENCE_UNDATED) r->symbols[i].first_ns = undated_ns;
    if (r->n) qsort(r->messages, r->n, sizeof *r->messages, by_time);
}

void reference_release(struct reference *r)
{
    buf_release(&r->text);
    free(r->messages);
    free(r->symbols);
    map_release(&r->by_symbol);
    free(r->issuers);
    map_release(&r->by_issuer);
}
