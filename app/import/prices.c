#include "app/import/prices.h"

#include "core/decimal.h"
#include "core/map.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/kinds/kind.h"
#include "ingest/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_OF_DAY_NS (21 * 3600 * NS_PER_S)

enum price_column { DATE, CLOSE, SYMBOL, COLUMNS };
static const char *const column_names[COLUMNS] = { "date", "close", "symbol" };

struct reading_file {
    struct price_file f;
    const struct price_options *o;
    struct problems *problems;
    struct csv c;
    int32_t last_day;
    char fault[FAULT_MAX];
};

/* ---- a row ---- */
static void refuse(struct reading_file *r, enum price_column i, const char *fault)
{
    problem_add(r->problems, "%s:%ld:%ld: %s %s", r->f.name, r->c.at[i].line, r->c.at[i].column,
                column_names[i], fault);
}

static bool read_date(struct reading_file *r, struct str s, int32_t *out)
{
    if (!dialect_date(r->o->dialect, s, out, r->fault)) refuse(r, DATE, r->fault);
    else if (*out < DAY_1971) refuse(r, DATE, "is before 1971");
    else if (!r->o->dialect->sort && r->last_day != NO_DAY && *out < r->last_day)
        refuse(r, DATE, "is before the row above: rows are not sorted by date (--sort sorts them)");
    else return true;
    return false;
}

static bool read_symbol(struct reading_file *r, struct str s, struct symbol *out)
{
    if (!r->c.has[SYMBOL]) {
        *out = r->o->dialect->symbol;
        return true;
    }
    if (symbol_from(s.p, s.n, out) == ERR_OK) return true;
    refuse(r, SYMBOL, "needs 1 to 15 characters of A-Z a-z 0-9 . - _ / :");
    return false;
}

/* More decimals than are kept: binary noise, or a finer tick than there is. */
static void refuse_decimals(struct reading_file *r, const struct number *n, struct str s)
{
    snprintf(r->fault, sizeof r->fault,
             "\"%.*s\" has %d decimals, of which 8 are kept (--round 0.01 takes the nearest cent)",
             (int)(s.n > 60 ? 60 : s.n), s.p, n->decimals);
    refuse(r, CLOSE, r->fault);
}

static void note_change(struct reading_file *r, struct str s, int64_t is_e8, double change)
{
    struct rounding *g = &r->f.rounding;
    if (change <= 0) return;
    g->n++;
    if (change <= g->most) return;
    g->most = change;
    g->at = r->c.at[CLOSE];
    g->is_e8 = is_e8;
    snprintf(g->was, sizeof g->was, "%.*s", (int)(s.n > 60 ? 60 : s.n), s.p);
}

static bool read_price(struct reading_file *r, const struct number *n, struct str s, int64_t *out)
{
    double change = 0;
    const int64_t tick = r->o->dialect->round_e8;
    const char *bound =
        n->digits < 0 ? "is too low: at least -90000000" : "is too large: at most 90000000";
    if (tick ? !number_round(n, tick, out, &change)
             : n->scale <= 8 && !number_e8(n, out)) /* does not fit */
        refuse(r, CLOSE, bound);
    else if (!tick && n->scale > 8) refuse_decimals(r, n, s);
    else if (*out > PRICE_MAX_E8 || *out < -PRICE_MAX_E8) refuse(r, CLOSE, bound);
    else if (*out == 0 && n->digits != 0)
        refuse(r, CLOSE, "is nearer to zero than to the first multiple of --round");
    else {
        note_change(r, s, *out, change);
        return true;
    }
    return false;
}

/* True: the row counts; *empty: for nothing but that it was there. */
static bool read_row(struct reading_file *r, const struct str *field, struct price_row *row,
                     bool *empty)
{
    struct number n;
    *empty = false;
    if (!read_date(r, field[DATE], &row->day) || !read_symbol(r, field[SYMBOL], &row->symbol))
        return false;
    r->last_day = row->day;
    const enum number_kind kind = dialect_number(r->o->dialect, field[CLOSE], &n, r->fault);
    if (kind == NUMBER_READ) return read_price(r, &n, field[CLOSE], &row->price_e8);
    *empty = kind == NUMBER_EMPTY && r->o->dialect->skip_empty;
    if (kind == NUMBER_EMPTY && !*empty) {
        const size_t at = strlen(r->fault);
        snprintf(r->fault + at, FAULT_MAX - at, " (--skip-empty leaves such rows out)");
    }
    if (!*empty) refuse(r, CLOSE, r->fault);
    return *empty;
}

static enum err read_rows(struct reading_file *r, struct why *why)
{
    for (;;) {
        struct str field[COLUMNS];
        struct price_row row = { 0 };
        bool more, empty;
        if (csv_next(&r->c, field, &more, why)) {
            problem_add(r->problems, "%s", why->text);
            r->f.read++;
            continue;
        }
        if (!more) return ERR_OK;
        r->f.read++;
        row.line = r->c.line;
        if (!read_row(r, field, &row, &empty)) continue;
        r->f.skipped += empty;
        if (empty) continue;
        if (r->f.n >= MAP_NONE || !VEC_GROW(&r->f.rows, &r->f.cap, r->f.n + 1))
            return err_set(why, ERR_NOMEM, "%s: out of memory", r->f.name);
        r->f.rows[r->f.n++] = row;
    }
}

/* ---- all rows: by date, as in the file within one, and each symbol once ---- */
static int by_day(const void *a, const void *b)
{
    const struct price_row *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool same_symbol(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct price_file *)ctx)->rows[v].symbol.s, key, SYMBOL_MAX + 1) == 0;
}

/* The rows of one date, from `i`; returns where they end, 0 when out of memory. */
static size_t number_day(struct reading_file *r, size_t i)
{
    struct price_file *f = &r->f;
    struct map today = { 0 };
    const size_t from = i;
    bool ok = true;
    for (; ok && i < f->n && f->rows[i].day == f->rows[from].day; i++) {
        struct price_row *row = &f->rows[i];
        const uint64_t hash = map_hash(row->symbol.s, sizeof row->symbol.s);
        row->nth = (uint32_t)(i - from);
        const uint32_t other = map_find(&today, hash, same_symbol, f, row->symbol.s);
        if (other == MAP_NONE) ok = map_add(&today, hash, (uint32_t)i);
        else
            problem_add(r->problems,
                        "%s:%" PRId64 ": symbol %s has a row of this date already, line %" PRId64,
                        f->name, row->line, row->symbol.s, f->rows[other].line);
    }
    map_release(&today);
    return ok ? i : 0;
}

static enum err arrange(struct reading_file *r, struct why *why)
{
    struct price_file *f = &r->f;
    if (r->o->dialect->sort && f->n) qsort(f->rows, f->n, sizeof *f->rows, by_day);
    for (size_t i = 0; i < f->n; f->days++)
        if ((i = number_day(r, i)) == 0)
            return err_set(why, ERR_NOMEM, "%s: out of memory", f->name);
    return ERR_OK;
}

/* Whole dates go, so the numbers within a date stay. */
static void keep_range(struct price_file *f, const struct price_options *o)
{
    size_t kept = 0;
    int32_t last = NO_DAY;
    f->days = 0;
    for (size_t i = 0; i < f->n; i++) {
        int32_t day = f->rows[i].day;
        if ((o->from != NO_DAY && day < o->from) || (o->to != NO_DAY && day > o->to)) continue;
        f->days += day != last;
        last = day;
        f->rows[kept++] = f->rows[i];
    }
    f->n = kept;
}

static enum err open_file(const char *path, struct reading_file *r, struct why *why)
{
    const bool by_option = r->o->dialect->symbol.s[0];
    const struct csv_column columns[] = { [DATE] = { "date", true },
                                          [CLOSE] = { "close", true },
                                          [SYMBOL] = { "symbol|name", !by_option } };
    enum err e = csv_open(path, r->o->dialect, columns, COLUMNS, &r->c, why);
    if (!e && by_option && r->c.has[SYMBOL]) {
        e = err_set(why, ERR_INVALID,
                    "%s:1: the file has a symbol column; --symbol is for those without", r->c.name);
        csv_release(&r->c);
    }
    if (e == ERR_INVALID) problem_add(r->problems, "%s", why->text);
    return e;
}

enum err prices_load(const char *path, const struct price_options *o, struct price_file *out,
                     struct problems *problems, struct why *why)
{
    struct why local;
    if (!why) why = &local;
    const size_t before = problems->count;
    struct reading_file r = { .o = o, .problems = problems, .last_day = NO_DAY };
    enum err e = open_file(path, &r, why);
    if (e) return e;
    r.f.name = r.c.name;
    csv_print_unused(&r.c);
    e = read_rows(&r, why);
    csv_release(&r.c);
    if (!e) e = arrange(&r, why);
    if (!e && problems->count > before)
        e = err_set(why, ERR_INVALID, "%s: %zu wrong rows", r.f.name, problems->count - before);
    if (e) {
        prices_release(&r.f);
        return e;
    }
    keep_range(&r.f, o);
    *out = r.f;
    return ERR_OK;
}

void prices_release(struct price_file *f)
{
    free(f->rows);
    *f = (struct price_file){ 0 };
}

void prices_print_rounding(const struct price_file *f, const struct dialect *d)
{
    const struct rounding *g = &f->rounding;
    char tick[DECIMAL_TEXT_MAX], is[DECIMAL_TEXT_MAX];
    if (g->n == 0) return;
    decimal_format(d->round_e8, tick);
    decimal_format(g->is_e8, is);
    printf("%s: %zu closes rounded to %s, the largest change %.10g: \"%s\" to %s at %ld:%ld\n",
           f->name, g->n, tick, g->most, g->was, is, g->at.line, g->at.column);
}

/* ---- messages ---- */
static int64_t row_ns(const struct price_row *r)
{
    return r->day * NS_PER_DAY + CLOSE_OF_DAY_NS + r->nth;
}

void prices_close_message(const struct price_file *f, size_t i, struct buf *out)
{
    const struct price_row *r = &f->rows[i];
    char price[DECIMAL_TEXT_MAX], date[DATE_TEXT_MAX];
    decimal_format(r->price_e8, price);
    date_format(r->day, date);
    buf_printf(
        out,
        "{\"kind\":\"close\",\"symbol\":\"%s\",\"price\":\"%s\",\"date\":\"%s\",\"ts\":%" PRId64
        "}",
        r->symbol.s, price, date, row_ns(r));
}

bool prices_ends_day(const struct price_file *f, size_t i)
{
    return i + 1 == f->n || f->rows[i + 1].day != f->rows[i].day;
}

void prices_clock_message(const struct price_file *f, size_t i, struct buf *out)
{
    const struct price_row *r = &f->rows[i];
    char date[DATE_TEXT_MAX];
    date_format(r->day, date);
    buf_printf(out, "{\"kind\":\"clock\",\"ts\":%" PRId64 ",\"session_end\":\"%s\"}", row_ns(r) + 1,
               date);
}
