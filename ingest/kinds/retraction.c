/* retraction.c - an article is taken back: what it put into its issuers' sentiment leaves it.
 *
 *     {"kind":"retraction","ts":0,"id":"n-1","source":"wire"}
 *
 * A kind of its own and not a field of `article`: it has neither headline nor tags, which an article must have, and a feed that
 * retracts sends as little as an id. It may come before its article, which is then taken back when it comes. */
#include "ingest/kinds/kind.h"

enum { ID_MAX = 128 }; /* bytes; as an article's */

static const struct record_field fields[] = {
    { .name = "id",
      .type = &field_text,
      .at = AT(retraction.id),
      .min = 1,
      .max = ID_MAX,
      .about = "the article's" },
    { .name = "source", .type = &field_text, .at = AT(retraction.source), .max = SOURCE_MAX },
};

const struct record_type kind_retraction = { .about = "an article is taken back", FIELDS(fields) };
