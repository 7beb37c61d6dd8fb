#include "app/import/csv.h"

#include "core/utf8.h"
#include "core/vec.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { UNUSED_SHOWN = 50 };

/* ---- fields: unquoted in place ---- */
enum ending { FIELD_MORE, ROW_END, FILE_END };

static bool at_line_end(const struct csv *c)
{
    if (c->dialect->cr_ends && *c->p == '\r') return true;
    return *c->p == '\n' || (*c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n');
}

/* p stands behind a line end. */
static void begin_line(struct csv *c)
{
    c->next_line++;
    c->line_start = c->p;
}

static enum ending pass_separator(struct csv *c)
{
    if (c->p == c->end) return FILE_END;
    if (*c->p == c->dialect->delimiter) {
        c->p++;
        return FIELD_MORE;
    }
    c->p += *c->p == '\r' && c->p + 1 < c->end && c->p[1] == '\n' ? 2 : 1;
    begin_line(c);
    return ROW_END;
}

static void skip_row(struct csv *c)
{
    char *nl = memchr(c->p, c->dialect->cr_ends ? '\r' : '\n', (size_t)(c->end - c->p));
    c->p = nl ? nl + 1 : c->end;
    begin_line(c);
}

static const char *take_quoted(struct csv *c, struct str *out)
{
    char *to = ++c->p;
    out->p = to;
    for (;; c->p++) {
        if (c->p == c->end) return "a quote is never closed";
        if (*c->p == '"' && (++c->p == c->end || *c->p != '"')) break;
        *to++ = *c->p;
        if (*c->p == '\n') {
            c->next_line++;
            c->line_start = c->p + 1;
        }
    }
    out->n = (uint32_t)(to - out->p);
    return c->p == c->end || *c->p == c->dialect->delimiter || at_line_end(c)
               ? NULL
               : "text after a closing quote";
}

static const char *take_plain(struct csv *c, struct str *out)
{
    out->p = c->p;
    for (; c->p < c->end && *c->p != c->dialect->delimiter && !at_line_end(c); c->p++) {
        if (*c->p == '"') return "a quote inside a field that does not begin with one";
        if (*c->p == '\r')
            return "a carriage return that ends no line (--line-ends cr says that it does)";
    }
    out->n = (uint32_t)(c->p - out->p);
    return NULL;
}

static void trim(const struct csv *c, struct str *f)
{
    if (!c->dialect->trim) return;
    while (f->n && (f->p[0] == ' ' || f->p[0] == '\t')) f->p++, f->n--;
    while (f->n && (f->p[f->n - 1] == ' ' || f->p[f->n - 1] == '\t')) f->n--;
}

static struct csv_place place(const struct csv *c)
{
    struct csv_place at = { c->next_line, 1 };
    for (const char *p = c->line_start; p < c->p; p++) at.column += (*p & 0xc0) != 0x80;
    return at;
}

/* Calls each(ctx, number, field, place) for the fields of one row. *fields_n counts them all. NULL, or what is wrong with the row. */
typedef void each_field(void *ctx, size_t no, struct str field, struct csv_place at);

static const char *take_row(struct csv *c, each_field *each, void *ctx, size_t *fields_n)
{
    c->line = c->next_line;
    for (size_t n = 0;; n++) {
        struct str f;
        while (c->dialect->trim && c->p < c->end && *c->p == ' ') c->p++;
        const struct csv_place at = place(c);
        const char *wrong = c->p < c->end && *c->p == '"' ? take_quoted(c, &f) : take_plain(c, &f);
        if (!wrong && (!utf8_valid(f.p, f.n) || memchr(f.p, '\0', f.n)))
            wrong = "a field is not valid UTF-8 text (--encoding says what it is)";
        if (wrong) {
            skip_row(c);
            return wrong;
        }
        trim(c, &f);
        each(ctx, n, f, at);
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
    size_t said
        [CSV_COLUMNS_MAX]; /* --column of each, 1 more than its place; 0: none whose header is here */
    int twice;
    bool spaces;     /* a wanted name has spaces around it */
    char delimiter;  /* a character that looks like one */
    struct buf text; /* the columns' names, for messages */
};

static bool same_name(const char *name, size_t n, struct str field)
{
    return n == field.n && strncasecmp(name, field.p, n) == 0;
}

static bool is_named(const char *names, struct str field)
{
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, "|");
        if (same_name(p, n, field)) return true;
        p += n + (p[n] == '|');
    }
    return false;
}

static struct str first_name(const struct csv_column *k)
{
    return (struct str){ k->name, (uint32_t)strcspn(k->name, "|") };
}

/* First pass: which --column there are here, since such a column is called nothing else. */
static void on_said(void *ctx, size_t no, struct str field, struct csv_place at)
{
    struct heading *h = ctx;
    (void)no;
    (void)at;
    for (size_t i = 0; i < h->c->columns_n; i++) {
        size_t which;
        const char *header = dialect_header(h->c->dialect, first_name(&h->columns[i]), &which);
        if (!header || !same_name(header, strlen(header), field)) continue;
        h->said[i] = which + 1;
        h->c->dialect->columns[which].used = true;
    }
}

static bool is_column(const struct heading *h, size_t i, struct str field)
{
    if (!h->said[i]) return is_named(h->columns[i].name, field);
    const char *header = h->c->dialect->columns[h->said[i] - 1].header;
    return same_name(header, strlen(header), field);
}

static void look_for_hints(struct heading *h, struct str field)
{
    struct str bare = field;
    while (bare.n && bare.p[0] == ' ') bare.p++, bare.n--;
    while (bare.n && bare.p[bare.n - 1] == ' ') bare.n--;
    for (size_t i = 0; i < h->c->columns_n; i++)
        h->spaces |= bare.n != field.n && is_named(h->columns[i].name, bare);
    for (const char *d = ";\t|,"; *d; d++)
        if (*d != h->c->dialect->delimiter && memchr(field.p, *d, field.n)) h->delimiter = *d;
    buf_printf(&h->text, "%s'%.*s'", h->text.len ? ", " : "", (int)field.n, field.p);
}

static void on_heading(void *ctx, size_t no, struct str field, struct csv_place at)
{
    struct heading *h = ctx;
    (void)at;
    if (no >= CSV_FIELDS_MAX) return;
    h->c->from_field[no] = -1;
    look_for_hints(h, field);
    for (size_t i = 0; i < h->c->columns_n; i++) {
        if (!is_column(h, i, field)) continue;
        if (h->c->has[i]) h->twice = (int)i;
        h->c->has[i] = true;
        h->c->from_field[no] = (int)i;
        return;
    }
    h->c->unused_n++;
    buf_put(&h->c->unused, field.p, field.n);
    buf_put(&h->c->unused, "", 1);
}

static enum err lacks(const struct csv *c, const struct heading *h, struct str name,
                      struct why *why)
{
    char hint[80];
    if (h->delimiter && c->header_n == 1)
        snprintf(hint, sizeof hint, "--delimiter '%s' says what is between fields",
                 h->delimiter == '\t' ? "tab" : (const char[]){ h->delimiter, '\0' });
    else if (h->spaces) snprintf(hint, sizeof hint, "--trim leaves out the spaces around them");
    else
        snprintf(hint, sizeof hint, "--column %.*s=HEADER says which it is%s", (int)name.n, name.p,
                 name.n == 6 && memcmp(name.p, "symbol", 6) == 0
                     ? ", --symbol that all rows are of one"
                     : "");
    return err_set(why, ERR_INVALID, "%s:%ld: the header has no column %.*s; it has %.300s (%s)",
                   c->name, c->line, (int)name.n, name.p, h->text.data ? h->text.data : "none",
                   hint);
}

static enum err check_header(const struct csv *c, const struct heading *h, struct why *why)
{
    if (c->header_n > CSV_FIELDS_MAX)
        return err_set(why, ERR_INVALID, "%s:%ld: %zu columns, at most %d are read", c->name,
                       c->line, c->header_n, CSV_FIELDS_MAX);
    if (h->twice >= 0)
        return err_set(why, ERR_INVALID, "%s:%ld: the header has column %s twice", c->name, c->line,
                       h->columns[h->twice].name);
    for (size_t i = 0; i < c->columns_n; i++)
        if (h->columns[i].required && !c->has[i])
            return lacks(c, h, first_name(&h->columns[i]), why);
    return ERR_OK;
}

static void skip_first_lines(struct csv *c)
{
    for (long i = 0; i < c->dialect->skip_first && c->p < c->end; i++) skip_row(c);
}

/* Cuts off the last lines, and with each the empty ones behind it. */
static void cut_last_lines(struct csv *c)
{
    for (long i = 0; i < c->dialect->skip_last; i++) {
        while (c->end > c->p && (c->end[-1] == '\n' || c->end[-1] == '\r')) c->end--;
        while (c->end > c->p && c->end[-1] != '\n' && c->end[-1] != '\r') c->end--;
    }
}

/* Fields are unquoted in place, so the first pass reads a copy of the header. */
static const char *read_said(struct csv *c, struct heading *h)
{
    const size_t left = (size_t)(c->end - c->p);
    char *copy = malloc(left + 1);
    if (!copy) return "out of memory";
    memcpy(copy, c->p, left);
    struct csv first = *c;
    first.p = first.line_start = copy;
    first.end = copy + left;
    size_t n;
    const char *wrong = take_row(&first, on_said, h, &n);
    c->line = first.line;
    free(copy);
    return wrong;
}

static enum err read_header(struct csv *c, const struct csv_column *columns, struct why *why)
{
    struct heading h = { .c = c, .columns = columns, .twice = -1 };
    if (c->end - c->p >= 3 && memcmp(c->p, "\xef\xbb\xbf", 3) == 0) c->p += 3;
    c->line_start = c->p;
    skip_first_lines(c);
    cut_last_lines(c);
    skip_empty_lines(c);
    if (c->p == c->end)
        return err_set(why, ERR_INVALID, "%s:1: the file is empty; it needs a header line",
                       c->name);
    const char *wrong = c->dialect->columns_n ? read_said(c, &h) : NULL;
    if (!wrong) wrong = take_row(c, on_heading, &h, &c->header_n);
    enum err e = wrong ? err_set(why, ERR_INVALID, "%s:%ld: %s", c->name, c->line, wrong)
                       : check_header(c, &h, why);
    buf_release(&h.text);
    return e;
}

void csv_print_unused(const struct csv *c)
{
    const char *p = c->unused.data;
    size_t no = 0;
    for (; p && no < c->unused_n && no < UNUSED_SHOWN; p += strlen(p) + 1, no++)
        printf("%s: column '%s' is not used\n", c->name, p);
    if (c->unused_n > no) printf("%s: nor are %zu more columns\n", c->name, c->unused_n - no);
}

/* ---- the text ---- */
static enum err convert(const char *encoding, const char *name, char **bytes, size_t *size,
                        struct why *why)
{
    iconv_t to = iconv_open("UTF-8", encoding);
    if (to == (iconv_t)-1)
        return err_set(why, ERR_INVALID, "%s: no encoding is called %s (iconv -l lists them)", name,
                       encoding);
    size_t left = *size, room = *size * 4 + 16, cap = room;
    char *in = *bytes, *out = malloc(cap), *at = out;
    if (!out) {
        iconv_close(to);
        return err_set(why, ERR_NOMEM, "%s: out of memory", name);
    }
    bool fine = iconv(to, &in, &left, &at, &room) != (size_t)-1 && left == 0
                && iconv(to, NULL, NULL, &at, &room) != (size_t)-1;
    iconv_close(to);
    if (!fine) {
        free(out);
        return err_set(why, ERR_INVALID, "%s: byte %zu is not %s text", name,
                       (size_t)(in - *bytes) + 1, encoding);
    }
    free(*bytes);
    *bytes = out;
    *size = (size_t)(at - out);
    return ERR_OK;
}

static bool looks_like_utf16(const char *p, size_t n)
{
    return n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0);
}

/* Takes the bytes over in any case. */
static enum err begin(const char *name, char *bytes, size_t size, struct dialect *d,
                      const struct csv_column *columns, size_t n, struct csv *out, struct why *why)
{
    enum err e = d->encoding ? convert(d->encoding, name, &bytes, &size, why) : ERR_OK;
    if (!e && !d->encoding && looks_like_utf16(bytes, size))
        e = err_set(why, ERR_INVALID,
                    "%s:1: begins like UTF-16 text, not UTF-8 (--encoding utf-16 reads it)", name);
    struct csv made = { .name = name,
                        .dialect = d,
                        .bytes = bytes,
                        .p = bytes,
                        .line_start = bytes,
                        .end = bytes + size,
                        .next_line = 1,
                        .columns_n = n };
    if (!e) e = read_header(&made, columns, why);
    if (e) csv_release(&made);
    else *out = made;
    return e;
}

enum err csv_open_bytes(const char *name, const void *p, size_t size, struct dialect *d,
                        const struct csv_column *columns, size_t n, struct csv *out,
                        struct why *why)
{
    char *copy = malloc(size + 1);
    if (!copy) return err_set(why, ERR_NOMEM, "%s: out of memory", name);
    if (size) memcpy(copy, p, size);
    return begin(name, copy, size, d, columns, n, out, why);
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

enum err csv_open(const char *path, struct dialect *d, const struct csv_column *columns, size_t n,
                  struct csv *out, struct why *why)
{
    bool in = strcmp(path, "-") == 0;
    const char *name = in ? "standard input" : path;
    FILE *f = in ? stdin : fopen(path, "re");
    if (!f) return err_set(why, ERR_IO, "%s: %s", name, strerror(errno));
    char *bytes = NULL;
    size_t size = 0;
    enum err e = read_all(f, name, &bytes, &size, why);
    if (!in) fclose(f);
    return e ? e : begin(name, bytes, size, d, columns, n, out, why);
}

void csv_release(struct csv *c)
{
    free(c->bytes);
    buf_release(&c->unused);
    *c = (struct csv){ 0 };
}

/* ---- rows ---- */
struct row {
    struct csv *c;
    struct str *fields;
    bool last_is_empty;
};

static void on_field(void *ctx, size_t no, struct str field, struct csv_place at)
{
    struct row *r = ctx;
    int column = no < r->c->header_n ? r->c->from_field[no] : -1;
    r->last_is_empty = field.n == 0;
    if (column < 0) return;
    r->fields[column] = field;
    r->c->at[column] = at;
}

/* What the user can say of a row whose number of fields is not the header's. */
static const char *hint_of(const struct csv *c, size_t n, bool last_is_empty)
{
    if (n == c->header_n + 1 && last_is_empty)
        return " (--trailing-delimiter lets a row end with one more)";
    const char *p = c->p;
    while (p < c->end && (*p == '\n' || *p == '\r')) p++;
    return p == c->end ? " (--skip-last 1 leaves out the last line)" : "";
}

enum err csv_next(struct csv *c, struct str *fields, bool *more, struct why *why)
{
    size_t n = 0;
    for (size_t i = 0; i < c->columns_n; i++) fields[i] = (struct str){ c->blank, 0 };
    skip_empty_lines(c);
    *more = c->p < c->end;
    if (!*more) return ERR_OK;
    struct row row = { .c = c, .fields = fields };
    const char *wrong = take_row(c, on_field, &row, &n);
    if (wrong) return err_set(why, ERR_INVALID, "%s:%ld: %s", c->name, c->line, wrong);
    if (c->dialect->trailing_delimiter && n == c->header_n + 1 && row.last_is_empty) n--;
    if (n != c->header_n)
        return err_set(why, ERR_INVALID, "%s:%ld: %zu fields where the header has %zu%s", c->name,
                       c->line, n, c->header_n, hint_of(c, n, row.last_is_empty));
    return ERR_OK;
}
