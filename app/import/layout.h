/* layout.h - records through the step into write batches, all in memory, before the first row is written. */
#ifndef TOCSIN_APP_IMPORT_LAYOUT_H
#define TOCSIN_APP_IMPORT_LAYOUT_H
#include "app/config.h"
#include "app/step.h"
#include "core/arena.h"
#include "store/snapshots.h"
#include "store/writer.h"

struct layout {
    struct step step;
    struct snapshots *snapshots; /* what the database has of the state */
    const char *calendar;        /* of instruments and indices that name none; NULL: none */
    struct write_batch **batches;
    size_t n, cap;
    struct arena arena;
    size_t records,
        sessions; /* sessions: ended in the newest batch, which takes readings of few days only */
};

/* From here on what the step says goes into the batches; before, while it recovers, it is silent. */
void layout_hear(struct layout *l);
/* A history record, unless exactly that is known. */
MUST_USE enum err layout_history(struct layout *l, struct str measure, struct str source,
                                 struct str text, bool *same, struct why *why);
/* From here on records mean what they would through Kafka, to a service of this configuration: a record of its own, unless that
 * stands already. ERR_NOMEM. */
MUST_USE enum err layout_settings(struct layout *l, const struct config *c);

/* The next record may stand in another transaction than the last. To be said before the first, and wherever a kill may leave the
 * import: between sessions, not within one. ERR_NOMEM. */
MUST_USE enum err layout_next(struct layout *l, struct why *why);

/* A calendar, unless its sessions count already: *same. ERR_INVALID: it is none, *problems has a line each. ERR_NOMEM. */
MUST_USE enum err layout_calendar(struct layout *l, struct str text, bool *same,
                                  struct buf *problems, struct why *why);
/* Decodes and applies one JSON message. ERR_NOMEM, or what decoder or engine have against it: it then left nothing behind. */
MUST_USE enum err layout_apply(struct layout *l, const char *p, size_t n, struct why *why);
/* The same of one that is decoded already. */
MUST_USE enum err layout_apply_record(struct layout *l, struct record *r, struct why *why);

/* Writes all batches in order, each a transaction. */
MUST_USE enum err layout_commit(struct layout *l, struct writer *w, struct why *why);
/* The state after them, in a session of its own. Nothing is lost without it: the next start replays. */
MUST_USE enum err layout_snapshot(struct layout *l, const struct config *c, struct why *why);

void layout_release(struct layout *l); /* fine on a zeroed one */
#endif
