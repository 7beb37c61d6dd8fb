/* state.c - how a part lies in the bytes:
 *
 *   "TOCSTATE"  byte order 1  version 1  program "tocsin"
 *   part "rule"  size of all that follows  rows 2  fields 3
 *     field "no" U64 x1 meaning 0   field "series" U32 x1   field "state" ENUM x1 { "ok", "pending", "firing" }
 *     7 0 0 0 0 0 0 0 | 3 0 0 0 | 2 0 0 0        row 0: no=7, series=3, state=firing
 *     9 0 0 0 0 0 0 0 | 3 0 0 0 | 0 0 0 0        row 1
 *   part ""                                       the end
 *
 * Rows are packed, all of one length. Reading makes a plan of moves (stored place -> place in the struct) once a part, and
 * then goes through the rows with it. */
#include "core/state.h"

#include "core/str.h"
#include "core/vec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char MAGIC[8] = "TOCSTATE";
#define BYTE_ORDER_MARK 0x01020304u
static const char PROGRAM[] = "tocsin";

static const uint8_t sizes[STATE_TYPE_COUNT] = {
    [STATE_I64] = STATE_SIZE_I64,   [STATE_U64] = STATE_SIZE_U64,   [STATE_I32] = STATE_SIZE_I32,
    [STATE_U32] = STATE_SIZE_U32,   [STATE_U16] = STATE_SIZE_U16,   [STATE_U8] = STATE_SIZE_U8,
    [STATE_BOOL] = STATE_SIZE_BOOL, [STATE_F64] = STATE_SIZE_F64,   [STATE_I128] = STATE_SIZE_I128,
    [STATE_BYTE] = STATE_SIZE_BYTE, [STATE_ENUM] = STATE_SIZE_ENUM,
};

/* ---- writing ---- */
static void put_u32(struct buf *out, uint32_t v) { buf_put(out, &v, sizeof v); }
static void put_u64(struct buf *out, uint64_t v) { buf_put(out, &v, sizeof v); }
static void put_name(struct buf *out, const char *s)
{
    put_u32(out, (uint32_t)strlen(s));
    buf_puts(out, s);
}

struct state_writer state_write(struct buf *out)
{
    buf_put(out, MAGIC, sizeof MAGIC);
    put_u32(out, BYTE_ORDER_MARK);
    put_u32(out, STATE_VERSION);
    put_name(out, PROGRAM);
    return (struct state_writer){ .out = out };
}

struct state_writer state_write_image(struct state_image *out)
{
    struct state_writer w = state_write(&out->bytes);
    w.image = out;
    return w;
}

static void put_field(struct buf *out, const struct state_field *f)
{
    put_name(out, f->name);
    put_u32(out, (uint32_t)f->type);
    put_u32(out, (uint32_t)f->count);
    put_u32(out, (uint32_t)f->meaning);
    const int names = f->names ? f->names->n : 0;
    put_u32(out, (uint32_t)names);
    for (int i = 0; i < names; i++) put_name(out, f->names->texts[i]);
}

static size_t packed_size(const struct state_part *part)
{
    size_t n = 0;
    for (size_t i = 0; i < part->fields_n; i++)
        n += part->fields[i].count * sizes[part->fields[i].type];
    return n;
}

/* Fields that lie in the struct as they do in the packed row, one behind the other, are moved at once. */
struct move {
    size_t offset, n;
};

static size_t moves_of(const struct state_part *part, struct move out[STATE_FIELDS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < part->fields_n; i++) {
        const struct state_field *f = &part->fields[i];
        const size_t bytes = f->count * sizes[f->type];
        if (n && out[n - 1].offset + out[n - 1].n == f->offset) out[n - 1].n += bytes;
        else out[n++] = (struct move){ f->offset, bytes };
    }
    return n;
}

static void put_rows(struct buf *out, const struct state_part *part, const char *rows, size_t n)
{
    struct move moves[STATE_FIELDS_MAX];
    const size_t moves_n = moves_of(part, moves);
    if (!buf_reserve(out, n * packed_size(part))) return;
    if (moves_n == 1 && moves[0].n == part->size) {
        buf_put(out, rows, n * part->size);
        return;
    }
    char *to = out->data + out->len;
    for (size_t row = 0; row < n; row++)
        for (size_t i = 0; i < moves_n; i++) {
            memcpy(to, rows + row * part->size + moves[i].offset, moves[i].n);
            to += moves[i].n;
        }
    out->len = (size_t)(to - out->data);
    buf_put(out, "", 0); /* the NUL behind */
}

size_t state_rows_of_page(const struct state_part *part)
{
    const size_t row = packed_size(part);
    return row == 0 || row > STATE_PAGE_BYTES ? 1 : STATE_PAGE_BYTES / row;
}

/* All that comes before the rows. */
static void put_head(struct state_writer *w, const struct state_part *part, size_t n)
{
    struct buf *out = w->out;
    /* More than a reader has room for would be written, and never read. */
    w->parts_n++;
    assert(w->parts_n <= STATE_PARTS_MAX && part->fields_n <= STATE_FIELDS_MAX);
    for (size_t i = 0; i < part->fields_n; i++)
        assert(!part->fields[i].names || part->fields[i].names->n <= STATE_NAMES_MAX);
    put_name(out, part->name);
    const size_t length_at = out->len;
    put_u64(out, 0);
    put_u64(out, n);
    put_u32(out, (uint32_t)part->fields_n);
    for (size_t i = 0; i < part->fields_n; i++) put_field(out, &part->fields[i]);
    if (!buf_ok(out)) return;
    const uint64_t length = out->len - length_at - sizeof length + n * packed_size(part);
    memcpy(out->data + length_at, &length, sizeof length);
}

/* The bytes of its pages, when they were all here; NULL: memory was out. */
static struct state_image_part *put_part(struct state_writer *w, const struct state_part *part,
                                         size_t n, size_t pages_n)
{
    assert(w->rows == 0); /* the part before is whole */
    put_head(w, part, n);
    return w->image ? state_image_part(w->image, part->name, pages_n) : NULL;
}

void state_put(struct state_writer *w, const struct state_part *part, const void *rows, size_t n)
{
    const size_t per_page = state_rows_of_page(part), row = packed_size(part);
    struct state_image_part *p = put_part(w, part, n, n / per_page + (n % per_page != 0));
    for (size_t i = 0; p && i < p->pages_n; i++) {
        const size_t left = n - i * per_page;
        p->pages[i].n = (uint32_t)(row * (left < per_page ? left : per_page));
    }
    put_rows(w->out, part, rows, n);
    if (p) state_image_part_end(w->image);
}

void state_put_pages(struct state_writer *w, const struct state_part *part, size_t n,
                     size_t pages_n)
{
    put_part(w, part, n, pages_n);
    w->part = part;
    w->page = 0;
    w->rows = n;
}

static void put_one_page(struct state_writer *w, size_t n, bool same)
{
    struct state_image *m = w->image;
    assert(n <= w->rows);
    w->rows -= n;
    if (!m || m->failed) return;
    struct state_image_part *p = &m->parts[m->parts_n - 1];
    assert(w->page < p->pages_n);
    p->pages[w->page++] = (struct state_page){ (uint32_t)(n * packed_size(w->part)), same };
    assert(w->rows || w->page == p->pages_n);
    state_image_part_end(m);
}

void state_put_page(struct state_writer *w, const void *rows, size_t n)
{
    put_rows(w->out, w->part, rows, n);
    put_one_page(w, n, false);
}

void state_put_same(struct state_writer *w, size_t n)
{
    assert(w->image);
    put_one_page(w, n, true);
}

void state_write_end(struct state_writer *w) { put_name(w->out, ""); }

/* ---- reading ---- */
struct cursor {
    const char *p, *end;
    bool bad;
};

static void take(struct cursor *c, void *out, size_t n)
{
    memset(out, 0, n);
    if (c->bad || (size_t)(c->end - c->p) < n) {
        c->bad = true;
        return;
    }
    memcpy(out, c->p, n);
    c->p += n;
}

static uint32_t take_u32(struct cursor *c)
{
    uint32_t v;
    take(c, &v, sizeof v);
    return v;
}

static uint64_t take_u64(struct cursor *c)
{
    uint64_t v;
    take(c, &v, sizeof v);
    return v;
}

/* A name where it stands, not NUL-terminated. */
static struct str take_name(struct cursor *c)
{
    uint32_t n = take_u32(c);
    if (c->bad || (size_t)(c->end - c->p) < n) {
        c->bad = true;
        return (struct str){ "", 0 };
    }
    c->p += n;
    return (struct str){ c->p - n, n };
}

enum err state_open(const void *p, size_t n, struct state_reader *out, struct why *why)
{
    struct cursor c = { p, (const char *)p + n, false };
    char magic[sizeof MAGIC];
    *out = (struct state_reader){ 0 };
    take(&c, magic, sizeof magic);
    if (c.bad || memcmp(magic, MAGIC, sizeof magic) != 0 || take_u32(&c) != BYTE_ORDER_MARK)
        return err_set(why, ERR_INVALID, "not a state of this program on this kind of machine");
    out->version = (int)take_u32(&c);
    struct str by = take_name(&c);
    memcpy(out->program, by.p, by.n < sizeof out->program ? by.n : sizeof out->program - 1);
    for (;;) {
        struct str name = take_name(&c);
        if (c.bad) return err_set(why, ERR_INVALID, "the state is cut short");
        if (name.n == 0) break;
        uint64_t length = take_u64(&c);
        if (c.bad || length > (size_t)(c.end - c.p) || length > UINT32_MAX
            || out->parts_n == STATE_PARTS_MAX)
            return err_set(why, ERR_INVALID, "the state is cut short");
        out->parts[out->parts_n++] =
            (struct state_stored){ name, { c.p, (uint32_t)length }, false };
        c.p += length;
    }
    out->used = (size_t)(c.p - (const char *)p);
    return ERR_OK;
}

/* ---- the plan: from the packed row as stored to the struct as it is now ---- */
struct stored_field {
    struct str name;
    uint32_t type, count, meaning, names_n;
    struct str names[STATE_NAMES_MAX];
};

struct plan_step {
    const struct state_field *to;
    enum state_type type; /* as stored */
    size_t at;            /* in the packed row */
    uint32_t count;       /* as stored */
    int upgrade_from;     /* the meaning it was stored under; -1: today's */
    uint32_t names_n;
    uint32_t values[STATE_NAMES_MAX]; /* STATE_ENUM: stored value -> ours, UINT32_MAX: unknown */
};

struct plan {
    const struct state_part *part;
    const struct state_reader *reader;
    struct plan_step steps[STATE_FIELDS_MAX];
    size_t steps_n, row_bytes;
    uint64_t rows;
};

/* Whole numbers may become one another, as long as each value fits. */
static const bool integers[STATE_TYPE_COUNT] = {
    [STATE_I64] = true, [STATE_U64] = true, [STATE_I32] = true,  [STATE_U32] = true,
    [STATE_U16] = true, [STATE_U8] = true,  [STATE_BOOL] = true,
};

static enum err refuse(const struct plan *p, struct str field, const char *reason, struct why *why)
{
    return err_set(
        why, ERR_INVALID, "state part \"%s\" (written by %s, state version %d): field \"%.*s\" %s",
        p->part->name, p->reader->program, p->reader->version, (int)field.n, field.p, reason);
}

static struct stored_field take_field(struct cursor *c)
{
    struct stored_field f = { .name = take_name(c) };
    f.type = take_u32(c);
    f.count = take_u32(c);
    f.meaning = take_u32(c);
    f.names_n = take_u32(c);
    if (f.type >= STATE_TYPE_COUNT || f.names_n > STATE_NAMES_MAX) c->bad = true;
    for (uint32_t i = 0; i < f.names_n && !c->bad; i++) f.names[i] = take_name(c);
    return f;
}

static const struct state_field *field_named(const struct state_part *part, struct str name)
{
    for (size_t i = 0; i < part->fields_n; i++)
        if (str_is(name, part->fields[i].name)) return &part->fields[i];
    return NULL;
}

/* An unknown text is refused only where a row has it: a value that was taken out and stands nowhere does no harm. */
static void map_names(const struct stored_field *s, struct plan_step *step)
{
    step->names_n = s->names_n;
    for (uint32_t i = 0; i < s->names_n; i++) {
        const char *const *texts = step->to->names->texts;
        uint32_t k = 0;
        while (texts[k] && !str_is(s->names[i], texts[k])) k++;
        step->values[i] = texts[k] ? k : UINT32_MAX;
    }
}

static enum err plan_field(struct plan *p, const struct stored_field *s, struct why *why)
{
    const struct state_field *f = field_named(p->part, s->name);
    if (!f && p->reader->version > STATE_VERSION)
        return refuse(p, s->name, "is of a newer program and not known here", why);
    if (!f) return ERR_OK;
    bool same = s->type == (uint32_t)f->type, grows = integers[s->type] && integers[f->type];
    if (!same && !grows) return refuse(p, s->name, "was of another type", why);
    if (s->count != f->count && f->type != STATE_BYTE)
        return refuse(p, s->name, "had another number of elements", why);
    if (s->meaning > (uint32_t)f->meaning)
        return refuse(p, s->name, "means another thing in the newer program that wrote it", why);
    bool old = s->meaning < (uint32_t)f->meaning;
    if (old && !f->upgrade)
        return refuse(p, s->name, "has come to mean another thing, and nothing upgrades it", why);
    struct plan_step *step = &p->steps[p->steps_n++];
    *step = (struct plan_step){ .to = f,
                                .type = (enum state_type)s->type,
                                .at = p->row_bytes,
                                .count = s->count,
                                .upgrade_from = old ? (int)s->meaning : -1 };
    if (f->type == STATE_ENUM) map_names(s, step);
    return ERR_OK;
}

static enum err make_plan(struct plan *p, struct cursor *c, struct why *why)
{
    p->rows = take_u64(c);
    uint32_t fields = take_u32(c);
    if (fields > STATE_FIELDS_MAX) c->bad = true;
    for (uint32_t i = 0; i < fields && !c->bad; i++) {
        struct stored_field s = take_field(c);
        enum err e = c->bad ? ERR_OK : plan_field(p, &s, why);
        if (e) return e;
        if (!c->bad) p->row_bytes += (size_t)s.count * sizes[s.type];
    }
    uint64_t left = (uint64_t)(c->end - c->p);
    bool fits = p->row_bytes ? p->rows <= left / p->row_bytes && p->rows * p->row_bytes == left
                             : p->rows == 0;
    return c->bad || !fits
               ? err_set(why, ERR_INVALID, "state part \"%s\" is cut short", p->part->name)
               : ERR_OK;
}

/* ---- rows ---- */
/* Every integer type fits an i128. */
static __int128 integer_at(const char *p, enum state_type type)
{
    uint64_t raw = 0;
    memcpy(&raw, p,
           sizes[type]); /* little end first; on another machine the mark has refused the state */
    if (type == STATE_I64) return (int64_t)raw;
    if (type == STATE_I32) return (int32_t)(uint32_t)raw;
    return raw;
}

static bool integer_to(char *p, enum state_type type, __int128 v)
{
    uint64_t raw = (uint64_t)v;
    if (type == STATE_BOOL && v != 0 && v != 1) return false;
    memcpy(p, &raw, sizes[type]);
    return integer_at(p, type) == v;
}

static const char *copy_bytes(const struct plan_step *s, const char *from, char *to)
{
    size_t n = s->count < s->to->count ? s->count : s->to->count;
    memcpy(to, from, n);
    for (size_t i = n; i < s->count; i++)
        if (from[i]) return "no longer fits";
    return NULL;
}

static const char *copy_enums(const struct plan_step *s, const char *from, char *to)
{
    for (size_t i = 0; i < s->count; i++) {
        uint32_t v;
        memcpy(&v, from + i * sizeof v, sizeof v);
        if (v >= s->names_n || s->values[v] == UINT32_MAX)
            return "has a value that is not known here";
        memcpy(to + i * sizeof v, &s->values[v], sizeof v);
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *copy_field(const struct plan_step *s, const char *from, char *to)
{
    if (s->to->type == STATE_BYTE) return copy_bytes(s, from, to);
    if (s->to->type == STATE_ENUM) return copy_enums(s, from, to);
    if (s->type == s->to->type && s->type != STATE_BOOL) {
        memcpy(to, from, (size_t)s->count * sizes[s->type]);
        return NULL;
    }
    for (size_t i = 0; i < s->count; i++)
        if (!integer_to(to + i * sizes[s->to->type], s->to->type,
                        integer_at(from + i * sizes[s->type], s->type)))
            return "no longer fits";
    return NULL;
}

/* Rows that were stored as they lie in memory, of fields that take any bits. */
static bool is_as_stored(const struct plan *p)
{
    size_t at = 0;
    for (size_t i = 0; i < p->steps_n; i++) {
        const struct plan_step *s = &p->steps[i];
        if (s->at != at || s->to->offset != at || s->type != s->to->type || s->count != s->to->count
            || s->type == STATE_BOOL || s->type == STATE_ENUM || s->upgrade_from >= 0)
            return false;
        at += (size_t)s->count * sizes[s->type];
    }
    return at == p->row_bytes && at == p->part->size;
}

static enum err read_row(const struct plan *p, const char *from, char *row, struct why *why)
{
    for (size_t i = 0; i < p->steps_n; i++) {
        const struct plan_step *s = &p->steps[i];
        const char *wrong = copy_field(s, from + s->at, row + s->to->offset);
        if (wrong) return refuse(p, str_of(s->to->name), wrong, why);
    }
    for (size_t i = 0; i < p->steps_n; i++)
        if (p->steps[i].upgrade_from >= 0) p->steps[i].to->upgrade(p->steps[i].upgrade_from, row);
    return ERR_OK;
}

enum err state_get(struct state_reader *r, const struct state_part *part, void **rows, size_t *n,
                   size_t *cap, struct why *why)
{
    *rows = NULL;
    *n = *cap = 0;
    struct state_stored *stored = NULL;
    for (size_t i = 0; i < r->parts_n; i++)
        if (str_is(r->parts[i].name, part->name)) stored = &r->parts[i];
    if (!stored) return ERR_OK;
    stored->taken = true;
    struct cursor c = { stored->bytes.p, stored->bytes.p + stored->bytes.n, false };
    struct plan p = { .part = part, .reader = r };
    enum err e = make_plan(&p, &c, why);
    if (e || p.rows == 0) return e;
    const bool as_stored = is_as_stored(&p);
    char *memory = as_stored ? malloc(p.rows * part->size) : calloc(p.rows, part->size);
    if (!memory) return err_set(why, ERR_NOMEM, "out of memory");
    if (as_stored) memcpy(memory, c.p, p.rows * part->size);
    for (size_t i = 0; i < p.rows && !e && !as_stored; i++)
        e = read_row(&p, c.p + i * p.row_bytes, memory + i * part->size, why);
    if (e) {
        free(memory);
        return e;
    }
    *rows = memory;
    *n = *cap = p.rows;
    return ERR_OK;
}

enum err state_close(const struct state_reader *r, struct why *why)
{
    for (size_t i = 0; i < r->parts_n; i++)
        if (!r->parts[i].taken && r->version > STATE_VERSION)
            return err_set(
                why, ERR_INVALID,
                "state part \"%.*s\" is not known here: %s with state version %d wrote it, this program knows %d",
                (int)r->parts[i].name.n, r->parts[i].name.p, r->program, r->version, STATE_VERSION);
    return ERR_OK;
}
