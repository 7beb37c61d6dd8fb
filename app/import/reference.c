#include "app/import/reference.h"

#include "core/vec.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYMBOL, NAME, ISSUER, SECTOR, SHARES, FLOAT, INDEX, BASE, COLUMNS };
static const struct csv_column columns[COLUMNS] = {
    [SYMBOL] = { "symbol", true },  [NAME] = { "name", false },     [ISSUER] = { "issuer", false },
    [SECTOR] = { "sector", false }, [SHARES] = { "shares", false }, [FLOAT] = { "float", false },
    [INDEX] = { "index", false },   [BASE] = { "base", false },
};

static bool same_symbol(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct symbol *)ctx)[v].s, key, SYMBOL_MAX + 1) == 0;
}
static bool has_symbol(const struct reference *r, const struct symbol *s)
{
    return map_find(&r->by_symbol, map_hash(s->s, sizeof s->s), same_symbol, r->symbols, s->s)
           != MAP_NONE;
}

static bool keep_symbol(struct reference *r, const struct symbol *s)
{
    if (!VEC_GROW(&r->symbols, &r->symbols_cap, r->symbols_n + 1)) return false;
    r->symbols[r->symbols_n] = *s;
    return map_add(&r->by_symbol, map_hash(s->s, sizeof s->s), (uint32_t)r->symbols_n++);
}

static bool same_issuer(const void *ctx, uint32_t v, const void *key)
{
    const struct str *a = &((const struct str *)ctx)[v], *b = key;
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
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

static void put_string(struct buf *b, const char *key, struct str s)
{
    if (s.n == 0) return;
    buf_printf(b, ",\"%s\":", key);
    buf_json_string(b, s.p, s.n);
}

/* Ends the message that began at `from`; the decoder has the last word on it. */
static bool finish(struct reference *r, size_t from, long line, struct arena *arena)
{
    struct record record;
    struct why why;
    buf_printf(&r->text, ",\"ts\":%" PRId64 "}", r->ts);
    if (!buf_ok(&r->text) || !VEC_GROW(&r->messages, &r->cap, r->n + 1)) return false;
    arena_clear(arena);
    enum err e = record_decode(r->text.data + from, r->text.len - from, arena, &record, &why);
    if (e == ERR_NOMEM) return false;
    if (e) problem_add(r->problems, "%s:%ld: %s", r->name, line, why.text);
    r->messages[r->n++] = (struct reference_message){ from, r->text.len - from, line };
    return true;
}

static bool put_index(struct reference *r, struct str name, struct str base, long line,
                      struct arena *arena)
{
    size_t i = 0, from = r->text.len;
    if (name.n > NAME_MAX_BYTES || base.n >= sizeof r->indexes[0].base) {
        problem_add(r->problems, "%s:%ld: index or base is too long", r->name, line);
        return true;
    }
    while (i < r->indexes_n
           && !(strlen(r->indexes[i].name) == name.n
                && memcmp(r->indexes[i].name, name.p, name.n) == 0))
        i++;
    if (i < r->indexes_n) { /* named before: its base may be left out, not changed */
        if (base.n
            && !(strlen(r->indexes[i].base) == base.n
                 && memcmp(r->indexes[i].base, base.p, base.n) == 0))
            problem_add(r->problems, "%s:%ld: index %s was given another base before", r->name,
                        line, r->indexes[i].name);
        return true;
    }
    if (i == REFERENCE_INDEXES_MAX) {
        problem_add(r->problems, "%s:%ld: more than %d indexes", r->name, line,
                    REFERENCE_INDEXES_MAX);
        return true;
    }
    memcpy(r->indexes[i].name, name.p, name.n);
    memcpy(r->indexes[i].base, base.p, base.n);
    r->indexes_n++;
    buf_puts(&r->text, "{\"kind\":\"index\"");
    put_string(&r->text, "index", name);
    put_string(&r->text, "base", base);
    return finish(r, from, line, arena);
}

static bool put_memberships(struct reference *r, const struct str *f, long line,
                            struct arena *arena)
{
    for (const char *p = f[INDEX].p, *end = p + f[INDEX].n; p < end;) {
        const char *bar = memchr(p, '|', (size_t)(end - p)), *to = bar ? bar : end;
        const struct str name = { p, (uint32_t)(to - p) };
        p = bar ? bar + 1 : end;
        if (name.n == 0 || (bar && p == end)) {
            problem_add(r->problems, "%s:%ld: an index name between | is empty", r->name, line);
            return true;
        }
        if (!put_index(r, name, f[BASE], line, arena)) return false;
        size_t from = r->text.len;
        buf_puts(&r->text, "{\"kind\":\"membership\"");
        put_string(&r->text, "index", name);
        put_string(&r->text, "symbol", f[SYMBOL]);
        if (!finish(r, from, line, arena)) return false;
    }
    return true;
}

static bool put_shares(struct reference *r, const struct str *f, long line, struct arena *arena)
{
    size_t from = r->text.len;
    for (uint32_t i = 0; i < f[SHARES].n; i++)
        if (f[SHARES].p[i] < '0' || f[SHARES].p[i] > '9' || f[SHARES].n > 13
            || (f[SHARES].p[0] == '0')) {
            problem_add(r->problems, "%s:%ld: shares must be a whole number above 0", r->name,
                        line);
            return true;
        }
    if (f[SHARES].n == 0) {
        if (f[FLOAT].n) problem_add(r->problems, "%s:%ld: float without shares", r->name, line);
        return true;
    }
    buf_puts(&r->text, "{\"kind\":\"shares\"");
    put_string(&r->text, "symbol", f[SYMBOL]);
    buf_printf(&r->text, ",\"shares\":%.*s", (int)f[SHARES].n, f[SHARES].p);
    put_string(&r->text, "float", f[FLOAT]);
    return finish(r, from, line, arena);
}

/* False only when out of memory; what is wrong with the row is a problem. */
static bool put_row(struct reference *r, const struct str *f, long line, struct arena *arena)
{
    struct symbol s;
    const struct str issuer = f[ISSUER].n ? f[ISSUER] : f[SYMBOL];
    if (symbol_from(f[SYMBOL].p, f[SYMBOL].n, &s)) {
        problem_add(r->problems,
                    "%s:%ld: symbol needs 1 to %d characters of A-Z a-z 0-9 . - _ / :", r->name,
                    line, SYMBOL_MAX);
        return true;
    }
    if (has_symbol(r, &s)) {
        problem_add(r->problems, "%s:%ld: symbol %s has a row already", r->name, line, s.s);
        return true;
    }
    bool first;
    if (!keep_symbol(r, &s) || !is_first(r, issuer, &first)) return false;
    r->rows++;
    size_t from = r->text.len;
    if (first) {
        buf_puts(&r->text, "{\"kind\":\"issuer\"");
        put_string(&r->text, "issuer", issuer);
        put_string(&r->text, "name", f[NAME]);
        put_string(&r->text, "sector", f[SECTOR]);
        if (!finish(r, from, line, arena)) return false;
    }
    from = r->text.len;
    buf_puts(&r->text, "{\"kind\":\"instrument\"");
    put_string(&r->text, "symbol", f[SYMBOL]);
    put_string(&r->text, "issuer", issuer);
    put_string(&r->text, "name", f[NAME]);
    return finish(r, from, line, arena) && put_shares(r, f, line, arena)
           && put_memberships(r, f, line, arena);
}

enum err reference_load(const char *path, struct reference *r, struct why *why)
{
    struct csv c;
    struct arena arena = { 0 };
    enum err e = csv_open(path, columns, COLUMNS, &c, why);
    if (e == ERR_INVALID) problem_add(r->problems, "%s", why->text);
    if (e) return e;
    r->name = c.name;
    for (bool more = true; more && !e;) {
        struct str f[COLUMNS];
        if (csv_next(&c, f, &more, why)) problem_add(r->problems, "%s", why->text);
        else if (more && !put_row(r, f, c.line, &arena))
            e = err_set(why, ERR_NOMEM, "%s: out of memory", path);
    }
    csv_release(&c);
    arena_release(&arena);
    return e;
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
