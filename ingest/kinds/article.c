/* article.c - a piece of news, and the symbols its source says it is about.
 *
 *     {"kind":"article","ts":0,"id":"n-1","headline":"Apple beats estimates",
 *      "source":"wire","symbols":["AAPL","MSFT"]}
 *
 * The tags are the one field here that is a list, so its type is made here and not in types.c. A
 * tag that comes twice counts once: feeds repeat them, and a repeated tag is no second mention.
 * ["AAPL","MSFT","AAPL"] is two symbols in the record, and two in its canonical JSON. */
#include "ingest/kinds/kind.h"

#include <string.h>

enum { ID_MAX = 128, HEADLINE_MAX = 1000, BODY_MAX = 100000 }; /* bytes */

static void tags_read(struct fields *f, const struct record_field *d, struct record *r)
{
    const struct field v = fields_find(f, d->name);
    r->u.article.symbols = NULL;
    r->u.article.symbols_n = 0;
    if (v.shape == FIELD_ABSENT) return;
    if (v.shape != FIELD_LIST || v.items > ARTICLE_SYMBOLS_MAX) {
        fields_fail(f, "field \"%s\" must be an array of at most %d symbols", d->name,
                    ARTICLE_SYMBOLS_MAX);
        return;
    }
    struct symbol *tags = v.items ? fields_alloc(f, v.items * sizeof *tags) : NULL;
    if (!tags) return;
    uint32_t kept = 0, k;
    for (uint32_t i = 0; i < v.items; i++) {
        const struct field one = fields_item(f, &v, i);
        symbol_of_field(f, d->name, &one, &tags[kept]);
        for (k = 0; memcmp(&tags[k], &tags[kept], sizeof *tags) != 0; k++) {}
        kept += k == kept;
    }
    r->u.article.symbols = tags;
    r->u.article.symbols_n = kept;
}

static void tags_write(struct json_writer *w, const struct record_field *d, const struct record *r)
{
    if (r->u.article.symbols_n == 0) return;
    json_put_array(w, d->name);
    for (uint32_t i = 0; i < r->u.article.symbols_n; i++)
        json_put_text(w, NULL, r->u.article.symbols[i].s);
    json_put_end(w);
}

static void tags_describe(const struct record_field *d, struct buf *out)
{
    (void)d;
    buf_printf(out, "array of up to %d symbols; default none", ARTICLE_SYMBOLS_MAX);
}

static const struct field_type tags = { tags_read, tags_write, tags_describe };

static const struct record_field fields[] = {
    { .name = "id", .type = &field_text, .at = AT(article.id), .min = 1, .max = ID_MAX },
    { .name = "headline",
      .type = &field_text,
      .at = AT(article.headline),
      .min = 1,
      .max = HEADLINE_MAX },
    { .name = "body", .type = &field_text, .at = AT(article.body), .max = BODY_MAX },
    { .name = "source", .type = &field_text, .at = AT(article.source), .max = SOURCE_MAX },
    { .name = "symbols", .type = &tags, .about = "one that comes twice counts once" },
};

const struct record_type kind_article = { .about = "a piece of news", FIELDS(fields) };
