#include "app/import/csv.h"

#include "core/utf8.h"
#include "core/vec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- fields: unquoted in place ---- */
enum ending { FIELD_MORE, ROW_END, FILE_END };

static bool at_line_end(const struct csv *c)
{
    return *c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

static enum ending pass_separator(struct csv *c)
{
    if (c->p == c->end) return FILE_END;
    if (*c->p == ',') {
        c->p++;
        return FIELD_MORE;
    }
    c->p += *c->p == '\r' ? 2 : 1;
    c->next_line++;
    return ROW_END;
}

static void skip_row(struct csv *c)
{
    char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
    c->p = nl ? nl + 1 : c->end;
    c->next_line++;
}

static const char *take_quoted(struct csv *c, struct str *out)
{
    char *to = ++c->p;
    out->p = to;
    for (;; c->p++) {
        if (c->p == c->end) return "a quote is never closed";
        if (*c->p == '"' && (++c->p == c->end || *c->p != '"')) break;
        c->next_line += *c->p == '\n';
        *to++ = *c->p;
    }
    out->n = (uint32_t)(to - out->p);
    return c->p == c->end || *c->p == ',' || at_line_end(c) ? NULL : "text after a closing quote";
}

static const char *take_plain(struct csv *c, struct str *out)
{
    out->p = c->p;
    for (; c->p < c->end && *c->p != ',' && !at_line_end(c); c->p++) {
        if (*c->p == '"') return "a quote inside a field that does not begin with one";
        if (*c->p == '\r') return "a carriage return that ends no line";
    }
    out->n = (uint32_t)(c->p - out->p);
    return NULL;
}

/* Calls each(ctx, number, field) for the fields of one row. *fields_n counts them all. NULL, or what is wrong with the row. */
typedef void each_field(void *ctx, size_t no, struct str field);

static const char *take_row(struct csv *c, each_field *each, void *ctx, size_t *fields_n)
{
    c->line = c->next_line;
    for (size_t n = 0;; n++) {
        struct str f;
        const char *wrong = c->p < c->end && *c->p == '"' ? take_quoted(c, &f) : take_plain(c, &f);
        if (!wrong && (!utf8_valid(f.p, f.n) || memchr(f.p, '\0', f.n)))
            wrong = "a field is not valid UTF-8 text";
        if (wrong) {
            skip_row(c);
            return wrong;
        }
        each(ctx, n, f);
        *fields_n = n + 1;
        if (pass_separator(c) != FIELD_MORE) return NULL;
    }
}

static void skip_empty_lines(struct csv *c)
{
    while (c->p < c->end && at_line_end(c)) pass_separator(c);
}

/* ---- the header ---- */
struct heading {
    struct csv *c;
    const struct csv_column *columns;
    int twice;
};

static bool is_named(const char *names, struct str field)
{
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, "|");
        if (n == field.n && strncasecmp(p, field.p, n) == 0) return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static void on_heading(void *ctx, size_t no, struct str field)
{
    struct heading *h = ctx;
    if (no >= CSV_FIELDS_MAX) return;
    h->c->from_field[no] = -1;
    for (size_t i = 0; i < h->c->columns_n; i++) {
        if (!is_named(h->columns[i].name, field)) continue;
        for (size_t k = 0; k < no; k++)
            if (h->c->from_field[k] == (int)i) h->twice = (int)i;
        h->c->from_field[no] = (int)i;
    }
}

static bool has_column(const struct csv *c, size_t column)
{
    for (size_t i = 0; i < c->header_n; i++)
        if (c->from_field[i] == (int)column) return true;
    return false;
}

static enum err read_header(struct csv *c, const struct csv_column *columns, struct why *why)
{
    struct heading h = { c, columns, -1 };
    if (c->end - c->p >= 3 && memcmp(c->p, "\xef\xbb\xbf", 3) == 0) c->p += 3;
    skip_empty_lines(c);
    if (c->p == c->end)
        return err_set(why, ERR_INVALID, "%s:1: the file is empty; it needs a header line",
                       c->name);
    const char *wrong = take_row(c, on_heading, &h, &c->header_n);
    if (wrong) return err_set(why, ERR_INVALID, "%s:%ld: %s", c->name, c->line, wrong);
    if (c->header_n > CSV_FIELDS_MAX)
        return err_set(why, ERR_INVALID, "%s:%ld: %zu columns, at most %d are read", c->name,
                       c->line, c->header_n, CSV_FIELDS_MAX);
    if (h.twice >= 0)
        return err_set(why, ERR_INVALID, "%s:%ld: the header has column %s twice", c->name, c->line,
                       columns[h.twice].name);
    for (size_t i = 0; i < c->columns_n; i++)
        if (columns[i].required && !has_column(c, i))
            return err_set(why, ERR_INVALID, "%s:%ld: the header has no column %s", c->name,
                           c->line, columns[i].name);
    return ERR_OK;
}

static enum err begin(struct csv *made, const struct csv_column *columns, struct csv *out,
                      struct why *why)
{
    enum err e = read_header(made, columns, why);
    if (e) csv_release(made);
    else *out = *made;
    return e;
}

enum err csv_open_bytes(const char *name, const void *p, size_t size,
                        const struct csv_column *columns, size_t n, struct csv *out,
                        struct why *why)
{
    char *copy = malloc(size + 1);
    if (!copy) return err_set(why, ERR_NOMEM, "%s: out of memory", name);
    if (size) memcpy(copy, p, size);
    struct csv made = {
        .name = name, .bytes = copy, .p = copy, .end = copy + size, .next_line = 1, .columns_n = n
    };
    return begin(&made, columns, out, why);
}

static enum err read_all(FILE *f, const char *name, char **out, size_t *size, struct why *why)
{
    char *bytes = NULL;
    size_t cap = 0, n = 0, got = 1;
    while (got > 0) {
        if (!VEC_GROW(&bytes, &cap, n + 65536)) {
            free(bytes);
            return err_set(why, ERR_NOMEM, "%s: out of memory", name);
        }
        got = fread(bytes + n, 1, cap - n, f);
        n += got;
    }
    if (ferror(f)) {
        free(bytes);
        return err_set(why, ERR_IO, "%s: %s", name, strerror(errno));
    }
    *out = bytes;
    *size = n;
    return ERR_OK;
}

enum err csv_open(const char *path, const struct csv_column *columns, size_t n, struct csv *out,
                  struct why *why)
{
    bool in = strcmp(path, "-") == 0;
    const char *name = in ? "standard input" : path;
    FILE *f = in ? stdin : fopen(path, "re");
    if (!f) return err_set(why, ERR_IO, "%s: %s", name, strerror(errno));
    struct csv made = { .name = name, .next_line = 1, .columns_n = n };
    size_t size = 0;
    enum err e = read_all(f, name, &made.bytes, &size, why);
    if (!in) fclose(f);
    if (e) return e;
    made.p = made.bytes;
    made.end = made.bytes + size;
    return begin(&made, columns, out, why);
}

void csv_release(struct csv *c)
{
    free(c->bytes);
    *c = (struct csv){ 0 };
}

/* ---- rows ---- */
struct row {
    const struct csv *c;
    struct str *fields;
};

static void on_field(void *ctx, size_t no, struct str field)
{
    struct row *r = ctx;
    int column = no < r->c->header_n ? r->c->from_field[no] : -1;
    if (column >= 0) r->fields[column] = field;
}

enum err csv_next(struct csv *c, struct str *fields, bool *more, struct why *why)
{
    size_t n = 0;
    for (size_t i = 0; i < c->columns_n; i++) fields[i] = (struct str){ c->blank, 0 };
    skip_empty_lines(c);
    *more = c->p < c->end;
    if (!*more) return ERR_OK;
    const char *wrong = take_row(c, on_field, &(struct row){ c, fields }, &n);
    if (wrong) return err_set(why, ERR_INVALID, "%s:%ld: %s", c->name, c->line, wrong);
    if (n != c->header_n)
        return err_set(why, ERR_INVALID, "%s:%ld: %zu fields where the header has %zu", c->name,
                       c->line, n, c->header_n);
    return ERR_OK;
}
