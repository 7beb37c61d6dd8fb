#include "app/import/known.h"

#include "core/buf.h"
#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "store/questions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err no_memory(struct why *why) { return err_set(why, ERR_NOMEM, "out of memory"); }

/* ---- instruments ---- */
static bool same_text(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(&((const struct known_symbol *)ctx)[v].symbol, key, sizeof(struct symbol)) == 0;
}

static uint32_t first_called(const struct known *k, const struct symbol *s)
{
    return map_find(&k->by_symbol, map_hash(s->s, sizeof s->s), same_text, k->symbols, s);
}

/* What it is another spelling of, by what was said last of it. */
static const struct symbol *spelled(const struct known *k, const struct symbol *s)
{
    for (size_t i = k->aliases_n; i-- > 0;)
        if (memcmp(&k->aliases[i].alias, s, sizeof *s) == 0) return &k->aliases[i].symbol;
    return s;
}

static const struct known_symbol *had(const struct known *k, const struct symbol *s, int32_t day,
                                      bool or_last)
{
    const struct known_symbol *last = NULL;
    for (uint32_t no = first_called(k, s); no != MAP_NONE; no = k->symbols[no].next) {
        const struct known_symbol *x = &k->symbols[no];
        if (x->from_day <= day && day < x->until_day) return x;
        if (x->until_day <= day && (!last || x->until_day > last->until_day)) last = x;
    }
    return or_last ? last : NULL;
}

int32_t known_instrument(const struct known *k, const struct symbol *s, int32_t day)
{
    const struct known_symbol *x = had(k, s, day, false);
    if (!x) x = had(k, spelled(k, s), day, false);
    return x ? x->instrument : NO_INSTRUMENT;
}

bool known_symbol(const struct known *k, const struct symbol *s)
{
    return first_called(k, s) != MAP_NONE || first_called(k, spelled(k, s)) != MAP_NONE;
}

/* A feed that wrote the old symbol for some days more is stored under the same instrument. */
static int32_t instrument_of_close(const struct known *k, const struct symbol *s, int32_t day)
{
    const int32_t is = known_instrument(k, s, day);
    const struct known_symbol *was = is == NO_INSTRUMENT ? had(k, s, day, true) : NULL;
    return was ? was->instrument : is;
}

static int32_t instrument_at_seq(const struct known *k, const struct symbol *s, uint64_t seq)
{
    for (uint32_t no = first_called(k, s); no != MAP_NONE; no = k->symbols[no].next)
        if (k->symbols[no].from_seq <= seq && seq < k->symbols[no].until_seq)
            return k->symbols[no].instrument;
    const struct symbol *of = spelled(k, s);
    return memcmp(of, s, sizeof *s) == 0 ? NO_INSTRUMENT : instrument_at_seq(k, of, seq);
}

/* ---- statements ---- */
static uint32_t find_thing(const struct known *k, struct str key);

/* Whose the symbol is at that time, by the newest instrument record of it. */
static void put_issuer(const struct known *k, const struct symbol *s, int64_t at_ns,
                       struct buf *out)
{
    char key[40];
    const int n = snprintf(key, sizeof key, "%s %s", record_kind_name(RECORD_INSTRUMENT), s->s);
    const uint32_t thing = find_thing(k, (struct str){ key, (uint32_t)n });
    uint32_t no = thing == MAP_NONE ? MAP_NONE : k->newest[thing];
    while (no != MAP_NONE && k->statements[no].event_ns > at_ns) no = k->statements[no].previous;
    if (no == MAP_NONE) return;
    buf_puts(out, " of ");
    buf_put(out, k->statements[no].issuer.p, k->statements[no].issuer.n);
}

/* What a record is about: a text that is another for every other thing. Of an action its instrument is said. */
static void about(const struct known *k, const struct record *r, int32_t instrument,
                  struct buf *out)
{
    struct record copy = *r;
    buf_printf(out, "%s ", record_kind_name(r->kind));
    if (r->kind == RECORD_ISSUER) buf_put(out, r->u.issuer.issuer.p, r->u.issuer.issuer.n);
    else if (r->kind == RECORD_INSTRUMENT) buf_puts(out, r->u.instrument.symbol.s);
    else if (r->kind == RECORD_SHARES) {
        buf_puts(out, r->u.shares.symbol.s);
        put_issuer(k, &r->u.shares.symbol, r->event_ns, out);
    } else if (r->kind == RECORD_INDEX) buf_put(out, r->u.index.index.p, r->u.index.index.n);
    else if (r->kind == RECORD_MEMBERSHIP) {
        buf_printf(out, "%s ", r->u.membership.symbol.s);
        buf_put(out, r->u.membership.index.p, r->u.membership.index.n);
        put_issuer(k, &r->u.membership.symbol, r->event_ns, out);
    } else {
        buf_printf(out, "%d ", (int)action_day(r));
        if (instrument != NO_INSTRUMENT) buf_printf(out, "#%d", (int)instrument);
        else buf_puts(out, action_symbols(&copy).of->s);
        if (r->kind == RECORD_DIVIDEND && r->u.dividend.special) buf_puts(out, " special");
    }
}

static bool is_action(enum record_kind kind)
{
    for (size_t i = 0; i < ACTION_KINDS; i++)
        if (action_kinds[i] == kind) return true;
    return false;
}

static void says(const struct record *r, struct buf *out)
{
    struct record undated = *r;
    undated.event_ns = 0;
    if (is_action(r->kind)) action_only_effect(&undated);
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

static enum err is_said(struct known *k, const struct record *r, int32_t instrument, bool *out,
                        struct why *why)
{
    AUTO_BUF struct buf key = { 0 }, text = { 0 };
    about(k, r, instrument, &key);
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

enum err known_says(struct known *k, const struct record *r, bool *out, struct why *why)
{
    return is_said(k, r, NO_INSTRUMENT, out, why);
}

static bool keep_text(struct known *k, const struct buf *b, struct str *out)
{
    *out =
        (struct str){ buf_ok(b) ? arena_copy(&k->arena, b->data, b->len) : NULL, (uint32_t)b->len };
    return out->p;
}

static enum err say(struct known *k, const struct record *r, int32_t instrument, struct why *why)
{
    AUTO_BUF struct buf key = { 0 }, text = { 0 };
    struct statement s = { .event_ns = r->event_ns, .previous = MAP_NONE };
    about(k, r, instrument, &key);
    says(r, &text);
    if (r->kind == RECORD_INSTRUMENT) {
        const struct str issuer = r->u.instrument.issuer;
        s.issuer = (struct str){ arena_copy(&k->arena, issuer.p, issuer.n), issuer.n };
        if (!s.issuer.p) return no_memory(why);
    }
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

enum err known_say(struct known *k, const struct record *r, struct why *why)
{
    return say(k, r, NO_INSTRUMENT, why);
}

/* ---- from the database ---- */
struct loading {
    struct known *k;
    struct arena arena;
    struct why *why;
};

static enum err on_symbol(void *ctx, const struct stored_symbol *x)
{
    struct loading *l = ctx;
    struct known *k = l->k;
    struct known_symbol s = { .instrument = x->instrument,
                              .from_day = x->from_day,
                              .until_day = x->until_day,
                              .from_seq = x->from_seq,
                              .until_seq = x->until_seq,
                              .next = MAP_NONE };
    memcpy(s.symbol.s, x->symbol, strnlen(x->symbol, SYMBOL_MAX));
    if (!VEC_GROW(&k->symbols, &k->symbols_cap, k->symbols_n + 1)) return no_memory(l->why);
    const uint32_t first = first_called(k, &s.symbol), no = (uint32_t)k->symbols_n++;
    k->symbols[no] = s;
    if (first == MAP_NONE)
        return map_add(&k->by_symbol, map_hash(s.symbol.s, sizeof s.symbol.s), no)
                   ? ERR_OK
                   : no_memory(l->why);
    k->symbols[no].next = k->symbols[first].next;
    k->symbols[first].next = no;
    return ERR_OK;
}

static enum err on_alias(struct loading *l, const struct record *r)
{
    struct known *k = l->k;
    if (!VEC_GROW(&k->aliases, &k->aliases_cap, k->aliases_n + 1)) return no_memory(l->why);
    k->aliases[k->aliases_n++] = (struct known_alias){ r->u.alias.alias, r->u.alias.symbol };
    return ERR_OK;
}

/* The first record of an instrument is when it was first known. */
static enum err on_instrument(struct loading *l, const struct record *r, uint64_t seq)
{
    struct known *k = l->k;
    const int32_t no = instrument_at_seq(k, &r->u.instrument.symbol, seq);
    if (no == NO_INSTRUMENT) return ERR_OK;
    if (!VEC_GROW(&k->begun, &k->begun_cap, (size_t)no + 1)) return no_memory(l->why);
    while (k->begun_n <= (size_t)no) k->begun[k->begun_n++] = NO_DAY;
    if (k->begun[no] == NO_DAY) k->begun[no] = day_of_ns(r->event_ns);
    return ERR_OK;
}

static enum err on_action(struct loading *l, struct record *r, uint64_t seq)
{
    const bool rename = r->kind == RECORD_RENAME; /* its symbol is the one of before it */
    return say(l->k, r, instrument_at_seq(l->k, action_symbols(r).of, seq - rename), l->why);
}

static enum err on_end(struct loading *l, int32_t day)
{
    if (day == NO_DAY) return ERR_OK;
    if (!VEC_GROW(&l->k->ends, &l->k->ends_cap, l->k->ends_n + 1)) return no_memory(l->why);
    l->k->ends[l->k->ends_n++] = day;
    return ERR_OK;
}

static enum err on_event(void *ctx, const struct stored_event *x)
{
    struct loading *l = ctx;
    struct record r;
    const struct record columns = { .kind = x->kind, .event_ns = x->event_ns };
    arena_clear(&l->arena);
    enum err e = record_from_stored(&columns, (struct uuid){ { 0 } }, x->text.p, x->text.n,
                                    &l->arena, &r, l->why);
    if (e) return e;
    if (r.kind == RECORD_CLOCK) return on_end(l, r.u.clock.session_end);
    if (r.kind == RECORD_ALIAS) return on_alias(l, &r);
    if (is_action(r.kind)) return on_action(l, &r, x->seq);
    if (r.kind == RECORD_INSTRUMENT) e = on_instrument(l, &r, x->seq);
    return e ? e : known_say(l->k, &r, l->why);
}

static enum err on_close(void *ctx, int32_t instrument, int32_t day, int64_t price_e8)
{
    struct loading *l = ctx;
    struct known *k = l->k;
    if (!VEC_GROW(&k->closes, &k->closes_cap, k->closes_n + 1)) return no_memory(l->why);
    k->closes[k->closes_n] = (struct known_close){
        .day = day, .instrument = instrument, .nth = (uint32_t)k->closes_n, .price_e8 = price_e8
    };
    k->closes_n++;
    return ERR_OK;
}

static int by_day_and_instrument(const void *a, const void *b)
{
    const struct known_close *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    if (x->instrument != y->instrument) return x->instrument < y->instrument ? -1 : 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

enum err known_load(struct known *k, struct db *d, int32_t from, struct why *why)
{
    static const enum record_kind statements[] = {
        RECORD_ISSUER,     RECORD_INSTRUMENT, RECORD_SHARES, RECORD_INDEX,
        RECORD_MEMBERSHIP, RECORD_ALIAS,      RECORD_SPLIT,  RECORD_RENAME,
        RECORD_DIVIDEND,   RECORD_SPIN_OFF,   RECORD_MERGER, RECORD_DELISTING
    };
    static const enum record_kind clock[] = { RECORD_CLOCK };
    struct loading l = { .k = k, .why = why };
    enum err e = ask_symbols(d, on_symbol, &l, why);
    if (!e) e = ask_events(d, statements, ARRAY_LEN(statements), INT64_MIN, "", on_event, &l, why);
    if (!e && from != NO_DAY) { /* a service that ran for a year said the time 30 million times */
        e = ask_events(d, clock, ARRAY_LEN(clock), (from - 1) * NS_PER_DAY, "session_end", on_event,
                       &l, why);
        if (!e) e = ask_closes(d, from, on_close, &l, why);
    }
    if (k->closes_n) qsort(k->closes, k->closes_n, sizeof *k->closes, by_day_and_instrument);
    arena_release(&l.arena);
    return e;
}

void known_release(struct known *k)
{
    free(k->closes);
    free(k->ends);
    free(k->statements);
    free(k->newest);
    free(k->symbols);
    free(k->aliases);
    free(k->begun);
    map_release(&k->by_thing);
    map_release(&k->by_symbol);
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

/* The newest stored close of that row's instrument and session; NULL: none. */
static const struct known_close *find_close(const struct known *k, const struct price_row *row)
{
    const struct known_close wanted = { .day = row->day,
                                        .instrument =
                                            instrument_of_close(k, &row->symbol, row->day),
                                        .nth = UINT32_MAX };
    size_t low = 0, high = k->closes_n;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (by_day_and_instrument(&k->closes[mid], &wanted) <= 0) low = mid + 1;
        else high = mid;
    }
    const struct known_close *c = low ? &k->closes[low - 1] : NULL;
    return c && c->day == row->day && c->instrument == wanted.instrument ? c : NULL;
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

/* ---- actions ---- */
enum err known_actions(struct known *k, struct action_file *f, size_t *stored, struct why *why)
{
    *stored = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct action_row *row = &f->rows[i];
        const int32_t no = known_instrument(k, action_symbols(&row->record).of,
                                            row->day - action_row_is_rename(row));
        struct record newest = row->record;
        newest.event_ns = INT64_MAX;
        const enum err e = is_said(k, &newest, no, &row->stored, why);
        if (e) return e;
        *stored += row->stored;
        row->before = !row->stored && no != NO_INSTRUMENT && (size_t)no < k->begun_n
                      && k->begun[no] != NO_DAY && row->day <= k->begun[no];
    }
    return ERR_OK;
}
