/* burst.c - a record has made more rules fire or resolve than one record may say: the next of them. Said by this service right
 * behind it, as often as it takes, so that a replay says the same alerts under the same numbers.
 *
 *     {"kind":"burst","ts":1709820000000000000,"of":41}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "of", .type = &field_integer, .at = AT(burst.of), .max = INT64_MAX },
};

const struct record_type kind_burst = { .about = "more of what a record caused", FIELDS(fields) };
