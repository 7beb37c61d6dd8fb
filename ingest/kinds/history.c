/* history.c - what a measure was before it was measured here, by somebody's word: points of a day and a value.
 *
 *     {"kind":"history","ts":1518037200000000000,"measure":"spread(SP500, window=36mo)","source":"the index provider",
 *      "text":"1999-12-31,21.4\n2000-03-24,30.4\n"}
 *
 * tocsin import --history makes one of a CSV file. The next one of the same measure replaces it. */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "measure",
      .type = &field_text,
      .at = AT(history.measure),
      .min = 1,
      .max = 175,
      .about = "of which it is" },
    { .name = "source",
      .type = &field_text,
      .at = AT(history.source),
      .max = SOURCE_MAX,
      .about = "who says so: shown with every answer that reaches back to it" },
    { .name = "text",
      .type = &field_text,
      .at = AT(history.text),
      .min = 1,
      .max = 1048576,
      .about =
          "lines `DATE,VALUE` in the measure's unit, ascending by date; `none` and no source: it is taken back" },
};

const struct record_type kind_history = { .about = "a measure's past, from elsewhere",
                                          FIELDS(fields) };
