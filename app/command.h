/* command.h - what an API thread asks of the engine's thread, and the answer.
 *
 * A command's life: an API thread makes it and pushes it into the pipeline's commands, and there it
 * waits. The engine's thread pops it and does it. What has nothing to commit is answered at once: a
 * refusal, states. A change waits in the turn that holds its record, and the writer's thread answers
 * when the turn is committed. Nothing that an asker was told can so be lost.
 *
 * Two hold it meanwhile, asker and answerer, for the asker stops waiting after a while; whoever
 * lets go last frees it. */
#ifndef TOCSIN_APP_COMMAND_H
#define TOCSIN_APP_COMMAND_H
#include "api/api.h"
#include "app/rule_draft.h"
#include "app/rule_warning.h"
#include "core/queue.h"

#include <pthread.h>

enum command_kind {
    COMMAND_RULE_CHANGE,
    COMMAND_RULE_STATES,
    COMMAND_QUALITY_RELEASE,
    COMMAND_DRIVERS
};

struct command {
    /* ---- the question: written by the asker before the push, then read by the engine's thread ---- */
    enum command_kind kind;
    struct uuid tenant;
    /* COMMAND_RULE_CHANGE */
    enum rule_change change;
    struct uuid rule;
    int32_t if_version;      /* only where the rule is at that; 0: at any */
    struct rule_draft draft; /* of RULE_CREATE and RULE_REPLACE */
    enum err draft_err;      /* why there is no draft: said only when nothing else is wrong */
    struct why draft_why;
    struct rule_definition standing; /* at if_version: a draft of the same is no change */
    bool has_standing;
    /* COMMAND_QUALITY_RELEASE */
    struct uuid flag;
    /* COMMAND_RULE_STATES */
    struct uuid *ids;
    size_t ids_n;
    /* COMMAND_DRIVERS */
    char measure[MEASURE_TEXT_MAX]; /* canonical */
    int32_t since;                  /* a session's day; NO_DAY: the one before */
    size_t drivers_n;

    /* ---- the answer: written by the engine's thread before command_answer, read by the asker
     * once it is done; names, so nobody's to free ---- */
    bool
        outdated; /* RULE_CHANGE: the rule is not at if_version. Nothing is done, but the answer waits until what made
                    * the other version is committed */
    bool unchanged; /* RULE_CHANGE: it is so already. Nothing is done */
    struct rule_warning
        warning; /* RULE_CREATE, RULE_REPLACE: of one that was made, what is perhaps not meant */
    const char *state;   /* RULE_CHANGE: that the rule is in after it; NULL: there is none */
    const char **states; /* RULE_STATES: by ids; NULL where there is none */
    struct buf drivers;  /* DRIVERS: a JSON object */

    /* ---- between the two threads: command.c's ---- */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t answered;
    int holders;
    bool done; /* set once, by command_answer */
    enum err err;
    struct why why;
};

/* Reads the rule's JSON, here and nowhere else. NULL: out of memory. Thread: the asker's. */
struct command *command_rule_change(const struct rule_request *r);
struct command *command_quality_release(struct uuid tenant, struct uuid flag);
struct command *command_rule_states(struct uuid tenant, const struct uuid *rules, size_t n);
/* `measure` is canonical. */
struct command *command_drivers(const char *measure, int32_t since, size_t n);

/* Into `commands`, with a kick for `sleeper`, the queue at which their reader sleeps; then waits
 * for the answer, whose error it returns. ERR_FULL and ERR_STOPPING: it was not taken. ERR_DB: no
 * answer within timeout_ms; it may still be done. The asker still drops it. */
MUST_USE enum err command_ask(struct command *c, struct queue *commands, struct queue *sleeper,
                              int64_t timeout_ms, struct why *why);
/* The asker wakes; the answerer no longer holds it. `why` may be NULL. Thread: engine, writer. */
void command_answer(struct command *c, enum err err, const struct why *why);
/* The asker no longer holds it. */
void command_drop(struct command *c);
#endif
