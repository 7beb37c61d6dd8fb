/* index.c - an index exists, and the level it begins with.
 *
 *     {"kind":"index","ts":1704200000000000000,"index":"SP500","name":"S&P 500","base":"1000",
 *      "calendar":"XNYS"}
 *
 * Its members come as membership records; its base counts from its first session end at which all
 * of them have a price. */
#include "core/calendar.h"
#include "ingest/kinds/kind.h"

/* ---- what becomes of the children of its members ---- */
static const char *const choices[] = { "", "leave", "close", "keep" }; /* enum spin_offs */

static void spin_offs_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct str s = fields_text(f, d->name, 1, 40, false);
    r->u.index.spin_offs = SPIN_OFFS_UNSAID;
    if (f->err || !s.n) return;
    for (size_t i = 1; i < ARRAY_LEN(choices); i++)
        if (str_is(s, choices[i])) r->u.index.spin_offs = (enum spin_offs)i;
    if (r->u.index.spin_offs == SPIN_OFFS_UNSAID)
        fields_fail(f, "field \"%s\" must be leave, close or keep", d->name);
}

static void spin_offs_write(struct json_writer *w, const struct record_field *d,
                            const struct record *r)
{
    if (r->u.index.spin_offs) json_put_text(w, d->name, choices[r->u.index.spin_offs]);
}

static void spin_offs_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_puts(out, "`leave`, `close` or `keep`; default: as it was, at first `leave`");
}

static const struct field_type field_spin_offs = { spin_offs_read, spin_offs_write,
                                                   spin_offs_describe };

static const struct record_field fields[] = {
    { .name = "index", .type = &field_name, .at = AT(index.index), .max = INDEX_NAME_MAX },
    { .name = "name",
      .type = &field_text,
      .at = AT(index.name),
      .max = TITLE_MAX,
      .about = "shown to 63 bytes" },
    { .name = "base",
      .type = &field_decimal,
      .at = AT(index.base_e8),
      .min = PRICE_MIN_E8,
      .max = PRICE_MAX_E8,
      .missing = 1000 * E8,
      .about = "its level at its first complete session end" },
    { .name = "calendar",
      .type = &field_text,
      .at = AT(index.calendar),
      .max = CALENDAR_NAME_MAX,
      .about = "whose sessions it counts, such as XNYS; default `engine.calendar`" },
    { .name = "spin_offs",
      .type = &field_spin_offs,
      .at = AT(index.spin_offs),
      .about =
          "a member's spun-off child is no member, one until the close of its first session, or one" },
};

const struct record_type kind_index = { .about = "an index", FIELDS(fields) };
