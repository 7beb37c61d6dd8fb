/* recover.h - the state as the database has it: newest whole snapshot, then the records after it, outputs suppressed. */
#ifndef TOCSIN_APP_RECOVER_H
#define TOCSIN_APP_RECOVER_H
#include "app/step.h"
#include "store/history.h"
#include "store/snapshots.h"

/* `s` is initialised and empty. Afterwards engine_seq(s->engine) is the last stored record, and nobody listens: step_hear.
 * `kept` knows what the database has of the state from then on. */
MUST_USE enum err recover_state(const char *conninfo, struct step *s, struct snapshots *kept,
                                struct why *why);
/* What is stored, in its order, calling each(ctx, record) before a record is applied; where it says false the replay ends. `rules`
 * false: the records of rules, which a back-test has of its own, are passed over unread. The sink is called. */
struct replay {
    bool rules;
    bool (*each)(void *ctx, struct record *r);
    void *ctx;
};
MUST_USE enum err replay_stored(struct history *h, struct step *s, const struct replay *x,
                                struct why *why);
#endif
