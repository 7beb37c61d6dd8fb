/* measure_reference.c - all measures and their parameters, for people (Markdown) and for
 * programs (JSON): what their tables say, and nothing else. */
#include "analytics/measure.h"

static void kind_range_text(const struct measure_kind *k, struct buf *out)
{
    if (k->ranges) buf_puts(out, k->ranges);
    else range_text(&k->range, out);
}

static void reference_row(const struct measure_kind *k, struct buf *out)
{
    buf_printf(out, "| `%s(%s)` | %s | ", k->name, measure_example(k),
               k->units ? k->units : k->unit);
    kind_range_text(k, out);
    buf_puts(out, " | ");
    for (int i = 0; i < measure_params_n(k); i++) {
        buf_printf(out, "%s`%s`: ", i ? "; " : "", k->params[i].name);
        param_values(&k->params[i], out);
    }
    buf_printf(out, " | %s | %d |\n", k->formula, k->version);
}

void measures_reference(struct buf *out)
{
    buf_puts(
        out,
        "| measure | unit | its values | parameters (default first) | formula | version |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < measure_kinds_n; i++) reference_row(measure_kinds[i], out);
    const char *between = "\n";
    for (size_t i = 0; i < measure_kinds_n; i++) {
        if (!(measure_kinds[i]->subjects & SUBJECT_BOOK)) continue;
        buf_printf(out, "%s`%s`", between, measure_kinds[i]->name);
        between = " and ";
    }
    buf_puts(out, " also take a book: `book:growth`.\n");
}

static void define_subjects(unsigned subjects, struct json_writer *w)
{
    static const struct {
        enum subject type;
        const char *name;
    } names[] = { { SUBJECT_INSTRUMENT, "instrument" },
                  { SUBJECT_INDEX, "index" },
                  { SUBJECT_BOOK, "book" },
                  { SUBJECT_SERIES, "measure" } };
    json_put_array(w, "subjects");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (subjects & names[i].type) json_put_text(w, NULL, names[i].name);
    json_put_end(w);
}

static void define_page(const struct measure_page *p, struct json_writer *w)
{
    static const char *const lines[] = { [LINE_NONE] = NULL, [LINE_CAP] = "cap", [LINE_EW] = "ew" };
    json_put_object(w, "page");
    json_put_text(w, "title", p->title);
    if (p->decimals) json_put_int(w, "decimals", p->decimals == NO_DECIMALS ? 0 : p->decimals);
    else json_put_null(w, "decimals");
    json_put_bool(w, "sign", p->sign);
    json_put_text(w, "line", lines[p->line]);
    json_put_text(w, "beside", p->beside);
    json_put_text(w, "words", p->words);
    json_put_end(w);
}

void measures_definitions(struct json_writer *w, const char *key)
{
    json_put_array(w, key);
    for (size_t i = 0; i < measure_kinds_n; i++) {
        const struct measure_kind *k = measure_kinds[i];
        json_put_object(w, NULL);
        json_put_text(w, "name", k->name);
        json_put_text(w, "formula", k->formula);
        json_put_text(w, "source", k->source);
        json_put_text(w, "unit", k->units ? k->units : k->unit);
        AUTO_BUF struct buf range = { 0 };
        kind_range_text(k, &range);
        json_put_text(w, "range", range.data);
        define_subjects(k->subjects, w);
        json_put_array(w, "parameters");
        for (int p = 0; p < measure_params_n(k); p++) param_describe(&k->params[p], w);
        json_put_end(w);
        json_put_int(w, "version", k->version);
        json_put_bool(w, "standard", k->standard != NULL);
        json_put_bool(w, "additive", k->drivers != NULL);
        json_put_text(w, "example", measure_example(k));
        define_page(&k->page, w);
        json_put_end(w);
    }
    json_put_end(w);
}
