/* history_file.c - see history_file.h. A monthly history with its missing values written as 0, of level(SP500):
 *
 *     --column value=SP500     1871-01-01,4.44    a point
 *                              2023-07-01,0       file:1832:12: 0 is no value of level(SP500), which is above 0
 *
 * Such lines are the reader's to leave out: nobody else knows that 0 means missing there. */
#include "app/import/history_file.h"

#include "core/decimal.h"
#include "core/vec.h"
#include "core/when.h"

#include <stdio.h>
#include <stdlib.h>

enum history_column { DATE, VALUE, COLUMNS };
static const char *const column_names[COLUMNS] = { "date", "value" };

struct row {
    int32_t day;
    int64_t value_e8;
    struct csv_place at[COLUMNS];
};

struct reading_history {
    struct history_file *f;
    const struct dialect *dialect;
    const struct measure *of;
    struct range range;
    struct problems *problems;
    struct csv c;
    struct row *rows;
    size_t n, cap;
    char fault[FAULT_MAX];
};

static void refuse(struct reading_history *r, const struct csv_place at[COLUMNS],
                   enum history_column i, const char *fault)
{
    problem_add(r->problems, "%s:%ld:%ld: %s %s", r->f->name, at[i].line, at[i].column,
                column_names[i], fault);
}

/* ---- a row ---- */

static bool read_value(struct reading_history *r, const struct number *n, struct row *row)
{
    double change;
    AUTO_BUF struct buf text = { 0 };
    const int64_t tick = r->dialect->round_e8;
    if (tick ? !number_round(n, tick, &row->value_e8, &change) : !number_e8(n, &row->value_e8)) {
        refuse(r, r->c.at, VALUE,
               "has more than 8 decimals, or is too large (--round 0.00000001 takes the nearest)");
        return false;
    }
    const double v = (double)row->value_e8 / 1e8;
    if (range_has(&r->range, v)) return true;
    char measure[MEASURE_TEXT_MAX];
    measure_format(r->of, measure);
    range_text(&r->range, &text);
    snprintf(
        r->fault, sizeof r->fault,
        "%.9g is no value of %.100s, which is %.60s; a line that means that none is known is to be left out",
        v, measure, buf_ok(&text) && text.data ? text.data : "");
    refuse(r, r->c.at, VALUE, r->fault);
    return false;
}

/* True: the row counts; *empty: for nothing but that it was there. */
static bool read_row(struct reading_history *r, const struct str *field, struct row *row,
                     bool *empty)
{
    struct number n;
    *empty = false;
    for (int i = 0; i < COLUMNS; i++) row->at[i] = r->c.at[i];
    if (!dialect_date(r->dialect, field[DATE], &row->day, r->fault)) {
        refuse(r, r->c.at, DATE, r->fault);
        return false;
    }
    const enum number_kind kind = dialect_number(r->dialect, field[VALUE], &n, r->fault);
    if (kind == NUMBER_READ) return read_value(r, &n, row);
    *empty = kind == NUMBER_EMPTY && r->dialect->skip_empty;
    if (*empty) return true;
    const size_t at = strlen(r->fault);
    if (kind == NUMBER_EMPTY)
        snprintf(r->fault + at, FAULT_MAX - at, " (--skip-empty leaves such rows out)");
    refuse(r, r->c.at, VALUE, r->fault);
    return false;
}

static enum err read_rows(struct reading_history *r, struct why *why)
{
    for (;;) {
        struct str field[COLUMNS];
        struct row row = { 0 };
        bool more, empty;
        if (csv_next(&r->c, field, &more, why)) {
            problem_add(r->problems, "%s", why->text);
            continue;
        }
        if (!more) return ERR_OK;
        if (!read_row(r, field, &row, &empty)) continue;
        r->f->skipped += empty;
        if (empty) continue;
        if (!VEC_GROW(&r->rows, &r->cap, r->n + 1))
            return err_set(why, ERR_NOMEM, "%s: out of memory", r->f->name);
        r->rows[r->n++] = row;
    }
}

/* ---- all of them ---- */

static int by_day(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->day != y->day) return x->day < y->day ? -1 : 1;
    return x->at[DATE].line < y->at[DATE].line ? -1 : 1;
}

static void check_order(struct reading_history *r)
{
    if (r->dialect->sort && r->n) qsort(r->rows, r->n, sizeof *r->rows, by_day);
    for (size_t i = 1; i < r->n; i++) {
        const struct row *row = &r->rows[i];
        if (row->day > row[-1].day) continue;
        snprintf(r->fault, sizeof r->fault,
                 row->day == row[-1].day
                     ? "is that of line %ld once more"
                     : "is before line %ld: rows are not sorted by date (--sort sorts them)",
                 row[-1].at[DATE].line);
        refuse(r, row->at, DATE, r->fault);
    }
}

static void write_text(struct reading_history *r)
{
    struct history_file *f = r->f;
    for (size_t i = 0; i < r->n; i++) {
        char date[DATE_TEXT_MAX], value[DECIMAL_TEXT_MAX];
        date_format(r->rows[i].day, date);
        decimal_format(r->rows[i].value_e8, value);
        buf_printf(&f->text, "%s,%s\n", date, value);
    }
    f->n = r->n;
    if (r->n) f->first_day = r->rows[0].day, f->last_day = r->rows[r->n - 1].day;
}

enum err history_file_load(const char *path, struct dialect *d, const struct measure *of,
                           struct history_file *out, struct problems *problems, struct why *why)
{
    static const struct csv_column columns[COLUMNS] = { { "date", true }, { "value", true } };
    struct reading_history r = {
        .f = out, .dialect = d, .of = of, .range = measure_range(of, true), .problems = problems
    };
    enum err e = csv_open(path, d, columns, COLUMNS, &r.c, why);
    if (e == ERR_INVALID) problem_add(problems, "%s", why->text);
    if (e) return e;
    out->name = r.c.name;
    csv_print_unused(&r.c);
    e = read_rows(&r, why);
    if (!e) {
        check_order(&r);
        write_text(&r);
        if (!r.n) problem_add(problems, "%s: no row has a value", out->name);
        if (!buf_ok(&out->text)) e = err_set(why, ERR_NOMEM, "%s: out of memory", out->name);
    }
    free(r.rows);
    csv_release(&r.c);
    return e;
}

void history_file_release(struct history_file *f) { buf_release(&f->text); }
