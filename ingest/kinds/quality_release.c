/* quality_release.c - a person says that a share count which is held is right. Said by this service for a user of the API.
 *
 *     {"kind":"quality_release","ts":0,"quality_id":"0b7f1a52-..."}
 */
#include "ingest/kinds/kind.h"

static const struct record_field fields[] = {
    { .name = "quality_id", .type = &field_uuid, .at = AT(release.flag) },
};

const struct record_type kind_quality_release = { .about = "a share count that is held counts",
                                                  FIELDS(fields) };
