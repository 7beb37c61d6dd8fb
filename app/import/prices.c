#include "app/import/prices.h"

#include "core/decimal.h"
#include "core/map.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/symbol.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_OF_DAY_NS (21 * 3600 * NS_PER_S)
#define PRICE_MAX_E8 (90000000ll * 100000000)

/* ---- the rows of one date, to find a symbol that comes twice ---- */
struct reading_file {
    struct price_file f;
    const struct price_options *o;
    struct problems *problems;
    struct map today;
    size_t today_from; /* its first row */
    int32_t last_day;
};

static bool same_symbol(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct price_file *)ctx)->rows[v].symbol.s, key, SYMBOL_MAX + 1) == 0;
}

static const char *read_row(struct reading_file *r, const struct str *field, struct price_row *row,
                            bool *empty)
{
    struct str date = field[0], close = field[1], symbol = field[2];
    *empty = close.n == 0;
    if (date.n != 10 || date_parse(date.p, date.n, &row->day, NULL))
        return "date must be YYYY-MM-DD";
    if (symbol_from(symbol.p, symbol.n, &row->symbol))
        return "symbol needs 1 to 15 characters of A-Z a-z 0-9 . - _ / :";
    if (r->last_day != NO_DAY && row->day < r->last_day) return "rows are not sorted by date";
    if (row->day < 0) return "date is before 1970";
    if (*empty)
        return r->o->skip_empty ? NULL : "close is empty (--skip-empty leaves such rows out)";
    if (decimal_parse(close.p, close.n, &row->price_e8, NULL))
        return "close is not a decimal number of at most 8 places";
    if (row->price_e8 <= 0 || row->price_e8 > PRICE_MAX_E8)
        return "close must be above 0 and at most 90000000";
    return NULL;
}

static enum err keep_row(struct reading_file *r, const struct price_row *row, const char **wrong)
{
    struct price_file *f = &r->f;
    if (row->day != r->last_day) {
        map_release(&r->today);
        r->today_from = f->n;
        r->last_day = row->day;
        f->days++;
    }
    uint64_t hash = map_hash(row->symbol.s, sizeof row->symbol.s);
    if (map_find(&r->today, hash, same_symbol, f, row->symbol.s) != MAP_NONE) {
        *wrong = "the symbol has a row of this date already";
        return ERR_OK;
    }
    if (f->n >= MAP_NONE || !VEC_GROW(&f->rows, &f->cap, f->n + 1)
        || !map_add(&r->today, hash, (uint32_t)f->n))
        return ERR_NOMEM;
    f->rows[f->n] = *row;
    f->rows[f->n].nth = (uint32_t)(f->n - r->today_from);
    f->n++;
    return ERR_OK;
}

static enum err read_rows(struct reading_file *r, struct csv *c, struct why *why)
{
    for (;;) {
        struct str field[3];
        struct price_row row = { 0 };
        bool more, empty;
        enum err e = csv_next(c, field, &more, why);
        if (e) {
            problem_add(r->problems, "%s", why->text);
            continue;
        }
        if (!more) return ERR_OK;
        row.line = c->line;
        const char *wrong = read_row(r, field, &row, &empty);
        if (!wrong && empty) r->f.skipped++;
        else if (!wrong && keep_row(r, &row, &wrong))
            return err_set(why, ERR_NOMEM, "%s: out of memory", c->name);
        if (wrong) problem_add(r->problems, "%s:%ld: %s", c->name, c->line, wrong);
    }
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

enum err prices_load(const char *path, const struct price_options *o, struct price_file *out,
                     struct problems *problems, struct why *why)
{
    static const struct csv_column columns[] = { { "date", true },
                                                 { "close", true },
                                                 { "symbol|name", true } };
    struct csv c;
    struct why local;
    if (!why) why = &local;
    enum err e = csv_open(path, columns, ARRAY_LEN(columns), &c, why);
    if (e == ERR_INVALID) problem_add(problems, "%s", why->text);
    if (e) return e;
    size_t before = problems->count;
    struct reading_file r = {
        .f = { .name = c.name }, .o = o, .problems = problems, .last_day = NO_DAY
    };
    e = read_rows(&r, &c, why);
    csv_release(&c);
    map_release(&r.today);
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
