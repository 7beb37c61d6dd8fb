/* track.c - from here on compute this measure for everybody: one of engine.track whose subject
 * has become known.
 *
 *     {"kind":"track","ts":0,"measure":"ew_level(SP500, ew=daily)"}
 *
 * The measure is in its canonical text; whether it is one is the engine's to say. */
#include "ingest/kinds/kind.h"

enum { TRACK_TEXT_MAX = 4000 }; /* bytes; the longest canonical text is far shorter */

static const struct record_field fields[] = {
    { .name = "measure",
      .type = &field_text,
      .at = AT(track.measure),
      .min = 1,
      .max = TRACK_TEXT_MAX },
};

const struct record_type kind_track = { .about = "compute a measure from here on", FIELDS(fields) };
