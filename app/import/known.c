#include "app/import/known.h"

#include "core/buf.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "store/questions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static enum err no_memory(struct why *why) { return err_set(why, ERR_NOMEM, "out of memory"); }

/* ---- statements ---- */
/* What a record is about: a text that is another for every other thing */
static void about(const struct record *r, struct buf *out)
{
    buf_printf(out, "%s ", record_kind_name(r->kind));
    if (r->kind == RECORD_ISSUER) buf_put(out, r->u.issuer.issuer.p, r->u.issuer.issuer.n);
    if (r->kind == RECORD_INSTRUMENT) buf_puts(out, r->u.instrument.symbol.s);
    if (r->kind == RECORD_SHARES) buf_puts(out, r->u.shares.symbol.s);
    if (r->kind == RECORD_INDEX) buf_put(out, r->u.index.index.p, r->u.index.index.n);
    if (r->kind != RECORD_MEMBERSHIP) return;
    buf_printf(out, "%s ", r->u.membership.symbol.s);
    buf_put(out, r->u.membership.index.p, r->u.membership.index.n);
}

static void says(const struct record *r, struct buf *out)
{
    struct record undated = *r;
    undated.event_ns = 0;
    record_write(&undated, out);
}

static bool same_thing(const void *ctx, uint32_t thing, const void *key)
{
    const struct known *k = ctx;
    return str_equal(k->statements[k->newest[thing]].about, *(const struct str *)key);
}

static uint32_t find_thing(const struct known *k, struct str key)
{
    return map_find(&k->by_thing, map_hash(key.p, key.n), same_thing, k, &key);
}

enum err known_says(struct known *k, const struct record *r, bool *out, struct why *why)
{
    AUTO_BUF struct buf key = { 0 }, text = { 0 };
    about(r, &key);
    says(r, &text);
    if (!buf_ok(&key) || !buf_ok(&text)) return no_memory(why);
    const uint32_t thing = find_thing(k, (struct str){ key.data, (uint32_t)key.len });
    uint32_t no = thing == MAP_NONE ? MAP_NONE : k->newest[thing];
    while (no != MAP_NONE && k->statements[no].event_ns > r->event_ns)
        no = k->statements[no].previous;
    *out = no != MAP_NONE
           && str_equal(k->statements[no].says, (struct str){ text.data, (uint32_t)text.len });
    return ERR_OK;
}

static bool keep_text(struct known *k, const struct buf *b, struct str *out)
{
    *out =
        (struct str){ buf_ok(b) ? arena_copy(&k->arena, b->data, b->len) : NULL, (uint32_t)b->len };
    return out->p;
}

enum err known_say(struct known *k, const struct record *r, struct why *why)
{
    AUTO_BUF struct buf key = { 0 }, text = { 0 };
    struct statement s = { .event_ns = r->event_ns, .previous = MAP_NONE };
    about(r, &key);
    says(r, &text);
    if (!keep_text(k, &key, &s.about) || !keep_text(k, &text, &s.says)
        || !VEC_GROW(&k->statements, &k->statements_cap, k->statements_n + 1))
        return no_memory(why);
    const uint32_t thing = find_thing(k, s.about);
    if (thing != MAP_NONE) {
        s.previous = k->newest[thing];
        k->newest[thing] = (uint32_t)k->statements_n;
    } else {
        if (!VEC_GROW(&k->newest, &k->things_cap, k->things_n + 1)
            || !map_add(&k->by_thing, map_hash(s.about.p, s.about.n), (uint32_t)k->things_n))
            return no_memory(why);
        k->newest[k->things_n++] = (uint32_t)k->statements_n;
    }
    k->statements[k->statements_n++] = s;
    return ERR_OK;
}

/* ---- from the database ---- */
struct loading {
    struct known *k;
    struct arena arena;
    struct why *why;
};

static enum err on_event(void *ctx, const struct stored_event *x)
{
    struct loading *l = ctx;
    struct record r;
    const struct record columns = { .kind = x->kind, .event_ns = x->event_ns };
    arena_clear(&l->arena);
    enum err e = record_from_stored(&columns, (struct uuid){ { 0 } }, x->text.p, x->text.n,
                                    &l->arena, &r, l->why);
    if (e || r.kind != RECORD_CLOCK) return e ? e : known_say(l->k, &r, l->why);
    if (r.u.clock.session_end == NO_DAY) return ERR_OK;
    if (!VEC_GROW(&l->k->ends, &l->k->ends_cap, l->k->ends_n + 1)) return no_memory(l->why);
    l->k->ends[l->k->ends_n++] = r.u.clock.session_end;
    return ERR_OK;
}

static enum err on_close(void *ctx, const char *symbol, int32_t day, int64_t price_e8)
{
    struct loading *l = ctx;
    struct known *k = l->k;
    if (!VEC_GROW(&k->closes, &k->closes_cap, k->closes_n + 1)) return no_memory(l->why);
    struct known_close *c = &k->closes[k->closes_n];
    *c = (struct known_close){ .day = day, .nth = (uint32_t)k->closes_n, .price_e8 = price_e8 };
    memcpy(c->symbol.s, symbol, strnlen(symbol, SYMBOL_MAX));
    k->closes_n++;
    return ERR_OK;
}

static int by_day_and_symbol(const void *a, const void *b)
{
    const struct known_close *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    const int names = memcmp(x->symbol.s, y->symbol.s, sizeof x->symbol.s);
    return names ? names : x->nth < y->nth ? -1 : x->nth > y->nth;
}

enum err known_load(struct known *k, struct db *d, int32_t from, struct why *why)
{
    static const enum record_kind statements[] = { RECORD_ISSUER, RECORD_INSTRUMENT, RECORD_SHARES,
                                                   RECORD_INDEX, RECORD_MEMBERSHIP };
    static const enum record_kind clock[] = { RECORD_CLOCK };
    struct loading l = { .k = k, .why = why };
    enum err e = ask_events(d, statements, ARRAY_LEN(statements), INT64_MIN, "", on_event, &l, why);
    if (!e && from != NO_DAY) { /* a service that ran for a year said the time 30 million times */
        e = ask_events(d, clock, ARRAY_LEN(clock), (from - 1) * NS_PER_DAY, "session_end", on_event,
                       &l, why);
        if (!e) e = ask_closes(d, from, on_close, &l, why);
    }
    if (k->closes_n) qsort(k->closes, k->closes_n, sizeof *k->closes, by_day_and_symbol);
    arena_release(&l.arena);
    return e;
}

void known_release(struct known *k)
{
    free(k->closes);
    free(k->ends);
    free(k->statements);
    free(k->newest);
    map_release(&k->by_thing);
    arena_release(&k->arena);
    *k = (struct known){ 0 };
}

/* ---- closes ---- */
bool known_session_ended(const struct known *k, int32_t day)
{
    for (size_t i = k->ends_n; i-- > 0;)
        if (k->ends[i] == day) return true;
    return false;
}

/* The newest stored close of that symbol and session; NULL: none. */
static const struct known_close *find_close(const struct known *k, const struct price_row *row)
{
    const struct known_close wanted = { .day = row->day, .nth = UINT32_MAX, .symbol = row->symbol };
    size_t low = 0, high = k->closes_n;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (by_day_and_symbol(&k->closes[mid], &wanted) <= 0) low = mid + 1;
        else high = mid;
    }
    const struct known_close *c = low ? &k->closes[low - 1] : NULL;
    return c && c->day == row->day && memcmp(&c->symbol, &row->symbol, sizeof c->symbol) == 0
               ? c
               : NULL;
}

/* The first session that a close may still be added to. */
static int32_t open_from(const struct known *k)
{
    int32_t day = k->closes_n ? k->closes[k->closes_n - 1].day : NO_DAY;
    for (size_t i = 0; i < k->ends_n; i++)
        if (k->ends[i] >= day) day = k->ends[i] + 1;
    return day;
}

static void refuse(struct problems *p, const struct price_file *f, const struct price_row *row,
                   const struct known_close *stored)
{
    char date[DATE_TEXT_MAX], is[DECIMAL_TEXT_MAX], was[DECIMAL_TEXT_MAX];
    date_format(row->day, date);
    decimal_format(row->price_e8, is);
    if (stored) {
        decimal_format(stored->price_e8, was);
        problem_add(p,
                    "%s:%" PRId64 ": close of %s of %s is stored as %s, here it is %s: an import "
                    "changes no stored close",
                    f->name, row->line, row->symbol.s, date, was, is);
        return;
    }
    problem_add(p,
                "%s:%" PRId64 ": close of %s of %s is not stored, but that session is over: time "
                "only goes forward",
                f->name, row->line, row->symbol.s, date);
}

size_t known_prices(const struct known *k, struct price_file *f, struct problems *problems)
{
    const int32_t open = open_from(k);
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct price_row *row = &f->rows[i];
        const struct known_close *stored = find_close(k, row);
        row->stored = stored && stored->price_e8 == row->price_e8;
        n += row->stored;
        if (!row->stored && (stored || row->day < open)) refuse(problems, f, row, stored);
    }
    return n;
}
