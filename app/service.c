/* service.c - the running service: four threads of its own and the queues between them.
 *
 *   ingest --ingest_batch--> engine --turn--> writer --> streams, deliveries, waiting API calls
 *
 * A turn is what one transaction will hold. While the writer commits one, the engine fills the next, so batches grow with the
 * load by themselves; an idle writer gets whatever is there at once. Every queue is bounded: when PostgreSQL stands still the
 * engine stops, then ingest stops polling, and Kafka keeps what is not read. */
#include "alerts/delivery/dispatcher.h"
#include "api/api.h"
#include "app/app.h"
#include "app/recover.h"
#include "app/secrets.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/queue.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/kinds/kind.h"
#include "ingest/kafka/source.h"
#include "store/outbox.h"
#include "store/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INGEST_BATCHES = 4,
    TURNS = 3,
    POLL_RECORDS = 10000,
    COMMANDS_MAX = 1024,
    ANSWER_TIMEOUT_MS = 10000,
    PICTURE_MS = 100,
    TRACKS_MAX = 256,
    STOP_GRACE_MS = 4000,
    FUTURE_MS = 86400000,
    CLOCK_NEAR_S = 3600,
    TURN_BYTES = 32 << 20,
    STOP_S = 9,
    RULES_MADE = 10
};

/* ---- what the API asks of the engine ---- */
struct command {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    int holders; /* asker and answerer: the last one frees */
    bool done;
    enum err err;
    struct why why;
    /* a rule change */
    bool change;
    enum rule_change what;
    struct uuid tenant, rule;
    struct rule_draft draft;
    enum err draft_err; /* why there is none; said only when nothing else is wrong */
    struct why draft_why;
    const char *state; /* that the rule is in after it; NULL: there is none */
    /* or rule states */
    struct uuid *ids;
    const char **states;
    size_t ids_n;
};

struct turn {
    struct write_batch *batch;
    struct command **waiting; /* answered when the turn is committed */
    size_t waiting_n, waiting_cap;
    struct picture *picture; /* shown when the turn is committed; may be NULL */
};

struct place {
    int32_t source_id, part;
    char topic[250];
};

struct service {
    const struct config *c;
    struct step step; /* engine thread, once running */
    struct writer *writer;
    struct kafka_source *kafka;
    struct seal_keys *seal_keys; /* NULL: none are configured */
    struct outbox *outbox;
    struct dispatcher *delivery;
    struct api *api;
    struct queue *ingested, *spare_batches, *turns, *spare_turns, *commands;
    struct turn *turn; /* being filled */
    struct place *places;
    size_t places_n, places_cap;
    char *tracks[TRACKS_MAX]; /* asked for by the configuration, subject not known yet */
    size_t tracks_n;
    struct arena scratch;
    int64_t clock_due_ns, saved_ns, picture_ns;
    uint64_t saved_seq, picture_seq;
    pthread_t ingest_thread, engine_thread, writer_thread;
    atomic_bool stopping, writer_busy, database_down;
    atomic_bool caught_up; /* the sources have been read to their end once */
    atomic_int exit_code;
    pthread_mutex_t picture_lock;
    struct picture *picture; /* newest committed */
};

static void give_up(struct service *s, int code)
{
    int fine = EXIT_FINE;
    atomic_compare_exchange_strong(&s->exit_code, &fine, code);
    service_stop();
}

void service_stop(void) { kill(getpid(), SIGTERM); }

/* ---- commands ---- */
static void command_drop(struct command *c)
{
    pthread_mutex_lock(&c->lock);
    bool last = --c->holders == 0;
    pthread_mutex_unlock(&c->lock);
    if (!last) return;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->answered);
    free(c->ids);
    free(c->states);
    free(c);
}

static void command_answer(struct command *c, enum err err, const struct why *why)
{
    pthread_mutex_lock(&c->lock);
    c->err = err;
    if (why) c->why = *why;
    c->done = true;
    pthread_cond_signal(&c->answered);
    pthread_mutex_unlock(&c->lock);
    command_drop(c);
}

static struct command *command_new(void)
{
    struct command *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    pthread_condattr_t mono;
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->answered, &mono);
    pthread_condattr_destroy(&mono);
    c->holders = 1;
    return c;
}

/* Sends it to the engine and waits. The caller still drops it. */
static enum err command_ask(struct service *s, struct command *c, struct why *why)
{
    c->holders = 2;
    enum err e = queue_push(s->commands, c, 0);
    if (e) {
        c->holders = 1;
        return err_set(why, e,
                       e == ERR_FULL ? "too many changes are waiting; try again"
                                     : "the service is stopping");
    }
    queue_kick(s->ingested);
    int64_t deadline = mono_ns() + ANSWER_TIMEOUT_MS * NS_PER_MS;
    const struct timespec t = { deadline / NS_PER_S, deadline % NS_PER_S };
    pthread_mutex_lock(&c->lock);
    while (!c->done && pthread_cond_timedwait(&c->answered, &c->lock, &t) == 0) {}
    e = c->done ? c->err : ERR_DB;
    if (why && c->done) *why = c->why;
    else
        err_set(
            why, e,
            "the database has not committed it within %d s; it may still do so: ask again with the same Idempotency-Key",
            ANSWER_TIMEOUT_MS / 1000);
    pthread_mutex_unlock(&c->lock);
    return e;
}

/* The rule's JSON is read here, on the API's thread. That it is wrong is said by the engine's, which
 * first looks whether there is a rule to be changed at all. */
static enum err backend_rule_change(void *ctx, const struct rule_request *r, const char **state,
                                    struct why *why)
{
    *state = NULL;
    struct command *c = command_new();
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    c->change = true;
    c->what = r->change;
    c->tenant = r->tenant;
    c->rule = r->rule;
    if (r->change != RULE_DELETE)
        c->draft_err = rule_draft_read(r->definition ? r->definition : "", r->definition_n,
                                       &c->draft, &c->draft_why);
    enum err e = command_ask(ctx, c, why);
    if (!e || e == ERR_CONFLICT) *state = c->state;
    command_drop(c);
    return e;
}

static enum err backend_rule_states(void *ctx, struct uuid tenant, const struct uuid *rules,
                                    size_t n, const char **out)
{
    struct command *c = command_new();
    if (!c) return ERR_NOMEM;
    c->tenant = tenant;
    c->ids = calloc(n + 1, sizeof *c->ids);
    c->states = calloc(n + 1, sizeof *c->states);
    c->ids_n = n;
    enum err e = ERR_NOMEM;
    if (c->ids && c->states) {
        memcpy(c->ids, rules, n * sizeof *rules);
        e = command_ask(ctx, c, NULL);
        if (!e) memcpy(out, c->states, n * sizeof *out);
    }
    command_drop(c);
    return e;
}

static struct picture *backend_picture(void *ctx)
{
    struct service *s = ctx;
    pthread_mutex_lock(&s->picture_lock);
    struct picture *p = s->picture ? picture_retain(s->picture) : NULL;
    pthread_mutex_unlock(&s->picture_lock);
    return p;
}

static bool backend_ready(void *ctx, struct buf *out)
{
    struct service *s = ctx;
    AUTO_BUF struct buf reasons = { 0 };
    bool kafka = kafka_source_state(s->kafka, &reasons);
    bool database = !atomic_load(&s->database_down), going = !atomic_load(&s->stopping);
    if (!database)
        buf_printf(&reasons,
                   "%s\"database: not reachable; nothing is lost, Kafka keeps what is not read\"",
                   reasons.len ? "," : "");
    if (!going) buf_printf(&reasons, "%s\"stopping\"", reasons.len ? "," : "");
    bool ready = kafka && database && going;
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_bool(&w, "ready", ready);
    json_put_array(&w, "reasons"); /* they are JSON already */
    if (reasons.len) json_put_raw(&w, NULL, reasons.data, reasons.len);
    json_put_end(&w);
    json_put_end(&w);
    return ready;
}

static void backend_definitions(void *ctx, struct json_writer *w)
{
    (void)ctx;
    measures_definitions(w, "measures");
    kinds_definitions(w, "records");
}

static_assert((int)MEASURE_TEXT_MAX <= (int)API_MEASURE_MAX, "a canonical text fits");
static enum err backend_measure(void *ctx, const char *text, char out[API_MEASURE_MAX],
                                struct why *why)
{
    struct measure m;
    (void)ctx;
    enum err e = measure_parse(text, strlen(text), &m, why);
    if (!e) measure_format(&m, out);
    return e;
}

/* ---- the step's sink: into the write batch of the turn ---- */
static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    write_row(((struct service *)ctx)->turn->batch, type, row);
}

/* ---- the engine thread ---- */
static const struct place *place_of(const struct service *s, int32_t source_id)
{
    for (size_t i = s->places_n; i-- > 0;)
        if (s->places[i].source_id == source_id) return &s->places[i];
    return NULL;
}

static bool add_place(struct service *s, int32_t id, int32_t part, const char *topic)
{
    if (!VEC_GROW(&s->places, &s->places_cap, s->places_n + 1)) return false;
    struct place *p = &s->places[s->places_n++];
    *p = (struct place){ .source_id = id, .part = part };
    snprintf(p->topic, sizeof p->topic, "%s", topic);
    return true;
}

/* A record the engine refuses is kept like a message that cannot be read. */
static void refuse(struct service *s, struct ingest_batch *in, const struct record *r,
                   enum err reason, const struct why *why)
{
    const struct place *at = place_of(s, r->source_id);
    struct dead_letter *d = ingest_batch_dead(in);
    char *detail = d ? arena_copy(&in->arena, why->text, strlen(why->text)) : NULL;
    if (!detail) {
        if (d) in->dead_n--;
        write_batch_spoil(s->turn->batch);
        give_up(s, EXIT_BROKEN);
        return;
    }
    *d = (struct dead_letter){ .topic = at ? at->topic : "",
                               .part = at ? at->part : 0,
                               .source_id = r->source_id,
                               .kafka_offset = r->offset,
                               .reason = reason,
                               .detail = detail,
                               .message = r->message };
    metric_add(METRIC_DEAD_LETTERS, 1);
}

static bool apply_own(struct service *s, struct record *r, const char *what)
{
    struct why why = { 0 };
    enum err e = step_apply(&s->step, r, &why);
    if (!e) return true;
    log_error("record of our own refused", "what", what, "reason", err_name(e), "detail", why.text);
    give_up(s, EXIT_BROKEN);
    return false;
}

/* Measures the configuration asks for begin with the record after the one that makes their subject known, whatever the batches are:
 * so a replay puts them in the same place. */
static void try_tracks(struct service *s)
{
    for (size_t i = 0; i < s->tracks_n;) {
        struct record r;
        arena_clear(&s->scratch);
        enum err e = step_track(&s->step, s->tracks[i], &s->scratch, &r, NULL);
        if (e) {
            i++;
            continue;
        }
        apply_own(s, &r, "track");
        free(s->tracks[i]);
        memmove(&s->tracks[i], &s->tracks[i + 1], (--s->tracks_n - i) * sizeof s->tracks[0]);
    }
}

/* Event time only goes forward: one message from the far future would make everything else old for good. */
static enum err plausible(const struct record *r, int64_t now_ms, struct why *why)
{
    int32_t day = r->kind == RECORD_CLOSE   ? r->u.close.day
                  : r->kind == RECORD_CLOCK ? r->u.clock.session_end
                                            : NO_DAY;
    int64_t sent_ms =
        r->received_ms < now_ms ? r->received_ms : now_ms; /* a producer's clock, and ours */
    if (r->event_ns / NS_PER_MS > sent_ms + FUTURE_MS)
        return err_set(why, ERR_INVALID, "ts is more than a day after the message was sent");
    if (day != NO_DAY && day > day_of_ns(r->event_ns) + 1)
        return err_set(why, ERR_INVALID, "the session's date is more than a day after ts");
    return ERR_OK;
}

static void apply_batch(struct service *s, struct ingest_batch *in)
{
    for (size_t i = 0; i < in->lives_n; i++)
        if (!add_place(s, in->lives[i].source_id, in->lives[i].part, in->lives[i].topic)) {
            give_up(s, EXIT_BROKEN);
            return;
        }
    const int64_t now_ms = wall_ns() / NS_PER_MS;
    for (size_t i = 0; i < in->records_n; i++) {
        struct why why = { 0 };
        struct record *r = &in->records[i];
        enum err e = plausible(r, now_ms, &why);
        if (!e) e = step_apply(&s->step, r, &why);
        if (e == ERR_NOMEM) {
            log_error("out of memory", "at", "engine");
            write_batch_spoil(s->turn->batch);
            give_up(s, EXIT_BROKEN);
            return;
        }
        if (e) refuse(s, in, r, e, &why);
        else if (s->tracks_n && (r->kind == RECORD_INDEX || r->kind == RECORD_INSTRUMENT))
            try_tracks(s);
    }
    metric_add(METRIC_RECORDS_APPLIED, (int64_t)in->records_n);
    write_ingest(s->turn->batch, in);
}

static const char *state_of_rule(const struct service *s, struct uuid tenant, struct uuid rule)
{
    struct rule_facts facts;
    bool there = rule_set_find(s->step.rules, tenant, rule, &facts) && !facts.deleted;
    return there ? names_text(&rule_status_names, (int)facts.status) : NULL;
}

static void obey(struct service *s, struct command *c)
{
    struct why why = { 0 };
    struct record r;
    struct rule_facts facts;
    if (!c->change) {
        for (size_t i = 0; i < c->ids_n; i++) c->states[i] = state_of_rule(s, c->tenant, c->ids[i]);
        command_answer(c, ERR_OK, NULL);
        return;
    }
    arena_clear(&s->scratch);
    bool seen = rule_set_find(s->step.rules, c->tenant, c->rule, &facts),
         known = seen && !facts.deleted;
    enum err e = ERR_OK;
    if (c->what == RULE_CREATE && seen && !known)
        e = err_set(&why, ERR_NOT_FOUND, "the rule has been deleted");
    else if (c->what == RULE_CREATE && known)
        e = err_set(&why, ERR_CONFLICT, "the rule is there already");
    else if (c->what != RULE_CREATE && !known) e = err_set(&why, ERR_NOT_FOUND, "no such rule");
    else if (c->what == RULE_CREATE
             && rule_set_count(s->step.rules, c->tenant).live >= (size_t)s->c->engine_rules_max)
        e = err_set(&why, ERR_LIMIT, "at most %ld rules a tenant (engine.rules_max); delete some",
                    s->c->engine_rules_max);
    else if (c->what == RULE_CREATE
             && rule_set_count(s->step.rules, c->tenant).made
                    >= RULES_MADE * (size_t)s->c->engine_rules_max)
        e = err_set(
            &why, ERR_LIMIT,
            "%ld rules have been made, deleted ones included, whose ids are remembered; change rules rather than delete and make them",
            RULES_MADE * s->c->engine_rules_max);
    else if (c->what == RULE_DELETE) e = step_rule_delete(&s->step, c->tenant, c->rule, &r, &why);
    else if (c->draft_err) {
        e = c->draft_err;
        why = c->draft_why;
    } else e = step_rule_put(&s->step, c->tenant, c->rule, &c->draft, &s->scratch, &r, &why);
    if (!e && !VEC_GROW(&s->turn->waiting, &s->turn->waiting_cap, s->turn->waiting_n + 1))
        e = err_set(&why, ERR_NOMEM, "out of memory");
    if (!e
        && (e = c->what == RULE_DELETE ? step_apply(&s->step, &r, &why)
                                       : step_apply_put(&s->step, &r, &c->draft, &why))
               == ERR_NOMEM) { /* the state may have changed by half */
        write_batch_spoil(s->turn->batch);
        give_up(s, EXIT_BROKEN);
    }
    c->state = state_of_rule(s, c->tenant, c->rule);
    if (e) {
        command_answer(c, e, &why);
        return;
    }
    s->turn->waiting[s->turn->waiting_n++] = c;
}

/* Today's time has no place amid a backlog: a clock record there would age everything and be sampled with half the history applied.
 * So the clock begins when the sources have been read to their end and what they say is of this hour; from then on it keeps itself going. */
static void tick_clock(struct service *s)
{
    int64_t now = wall_ns();
    if (!s->c->engine_clock_ms || !atomic_load(&s->caught_up) || mono_ns() < s->clock_due_ns)
        return;
    s->clock_due_ns = mono_ns() + s->c->engine_clock_ms * NS_PER_MS;
    if (now <= engine_now_ns(s->step.engine)
        || now - engine_now_ns(s->step.engine) > CLOCK_NEAR_S * NS_PER_S)
        return;
    struct record r = step_clock(&s->step, now);
    apply_own(s, &r, "clock");
}

static void save_state(struct service *s, bool now)
{
    uint64_t seq = engine_seq(s->step.engine);
    int64_t due = s->saved_ns + s->c->engine_snapshot_s * NS_PER_S;
    if (seq == s->saved_seq || (!now && mono_ns() < due)) return;
    AUTO_BUF struct buf state = { 0 };
    step_save(&s->step, &state);
    if (!buf_ok(&state)) {
        log_error("out of memory", "at", "snapshot");
        give_up(s, EXIT_BROKEN);
        return;
    }
    write_snapshot(s->turn->batch, seq, STEP_STATE_VERSION, state.data, state.len);
    s->saved_seq = seq;
    s->saved_ns = mono_ns();
    metric_add(METRIC_SNAPSHOTS, 1);
}

static void take_picture(struct service *s)
{
    if (engine_seq(s->step.engine) == s->picture_seq
        || mono_ns() - s->picture_ns < PICTURE_MS * NS_PER_MS)
        return;
    picture_release(s->turn->picture);
    s->turn->picture = step_picture(&s->step);
    s->picture_seq = engine_seq(s->step.engine);
    s->picture_ns = mono_ns();
}

/* Hands the turn over when the writer has nothing to do, when it is full, or when it must (`now`); waits while all turns are out. */
static void hand_over(struct service *s, bool now)
{
    bool stale_picture = s->picture_seq != engine_seq(s->step.engine)
                         && mono_ns() - s->picture_ns >= PICTURE_MS * NS_PER_MS;
    if (write_batch_empty(s->turn->batch) && s->turn->waiting_n == 0 && !stale_picture) return;
    bool full = write_batch_rows(s->turn->batch) >= (size_t)s->c->engine_batch_records
                || write_batch_bytes(s->turn->batch) >= TURN_BYTES;
    if (!now && !full && (atomic_load(&s->writer_busy) || queue_len(s->turns) > 0)) return;
    save_state(s, false);
    take_picture(s);
    if (queue_push(s->turns, s->turn, -1)) return;
    s->turn = NULL;
    while (!s->turn) s->turn = queue_pop(s->spare_turns, -1);
}

static void *engine_main(void *arg)
{
    struct service *s = arg;
    pthread_setname_np(pthread_self(), "engine");
    for (;;) {
        int64_t wait = write_batch_empty(s->turn->batch) ? 50 : 5;
        if (s->c->engine_clock_ms && atomic_load(&s->caught_up)
            && (s->clock_due_ns - mono_ns()) / NS_PER_MS < wait)
            wait = (s->clock_due_ns - mono_ns()) / NS_PER_MS + 1;
        struct ingest_batch *in = queue_pop(s->ingested, wait > 0 ? wait : 0);
        if (in) {
            apply_batch(s, in);
            ingest_batch_clear(in);
            if (queue_push(s->spare_batches, in, 0)) ingest_batch_free(in);
        }
        for (struct command *c; (c = queue_pop(s->commands, 0)) != NULL;) obey(s, c);
        tick_clock(s);
        if (s->picture_seq != engine_seq(s->step.engine) && s->turn->waiting_n)
            s->picture_ns = 0; /* whoever waits sees what it did */
        hand_over(s, false);
        if (!in && atomic_load(&s->stopping) && queue_closed(s->ingested)
            && queue_len(s->ingested) == 0)
            break;
    }
    queue_close(
        s->commands); /* nobody answers any more: whoever asks from now on is told so at once */
    for (struct command *c; (c = queue_pop(s->commands, 0)) != NULL;)
        command_answer(c, ERR_STOPPING, NULL);
    save_state(s, true);
    s->picture_ns = 0;
    hand_over(s, true);
    queue_close(s->turns);
    return NULL;
}

/* ---- the ingest thread ---- */
static void look_at_lag(struct service *s)
{
    struct kafka_lag lags[CONFIG_TOPICS_MAX];
    AUTO_BUF struct buf reasons = { 0 };
    if (atomic_load(&s->caught_up) || !kafka_source_state(s->kafka, &reasons)) return;
    size_t n = kafka_source_lags(s->kafka, lags, ARRAY_LEN(lags));
    int64_t behind = 0;
    for (size_t i = 0; i < n; i++) behind += lags[i].messages;
    if (behind == 0 && queue_len(s->ingested) == 0) atomic_store(&s->caught_up, true);
}

static void *ingest_main(void *arg)
{
    struct service *s = arg;
    pthread_setname_np(pthread_self(), "ingest");
    struct ingest_batch *b = NULL;
    while (!atomic_load(&s->stopping)) {
        if (!b) b = queue_pop(s->spare_batches, 100);
        if (!b) {
            metric_add(METRIC_INGEST_PAUSES, 1);
            continue;
        }
        struct why why = { 0 };
        enum err e = kafka_source_poll(s->kafka, b, 100, POLL_RECORDS, &why);
        if (e) {
            log_error("kafka source failed", "reason", err_name(e), "detail", why.text);
            if (e == ERR_KAFKA) give_up(s, EXIT_BROKEN);
        }
        look_at_lag(s);
        if (!b->records_n && !b->dead_n && !b->marks_n && !b->lives_n && !b->gaps_n) continue;
        if (queue_push(s->ingested, b, -1)) break;
        b = NULL;
    }
    if (b) ingest_batch_free(b);
    queue_close(s->ingested);
    return NULL;
}

/* ---- the writer thread ---- */
/* Until the batch is in, or it cannot be: false. */
static bool commit(struct service *s, const struct write_batch *b, int64_t *owed)
{
    int64_t pause_ms = 50, give_up_ns = 0;
    struct why why = { 0 };
    enum err e = writer_commit(s->writer, b, owed, &why);
    while (e) {
        if (e == ERR_FENCED || e == ERR_NOMEM || (e == ERR_DB && !db_retryable(&why))) {
            log_error("batch not committed", "reason", err_name(e), "detail", why.text, "last_seq",
                      LOG_I64(write_batch_last_seq(b)));
            return false;
        }
        if (!atomic_exchange(&s->database_down, true))
            log_warn("database trouble; holding back", "reason", err_name(e), "detail", why.text);
        if (atomic_load(&s->stopping)) { /* what is not committed, Kafka still has */
            if (!give_up_ns) give_up_ns = mono_ns() + STOP_GRACE_MS * NS_PER_MS;
            if (mono_ns() > give_up_ns) return false;
        }
        usleep((useconds_t)(pause_ms * 1000));
        pause_ms = pause_ms * 2 < 2000 ? pause_ms * 2 : 2000;
        bool committed = false;
        e = writer_recover(s->writer, b, &committed, &why);
        if (e) continue;
        if (committed) {
            metric_add(METRIC_COMMITS_AMBIGUOUS, 1);
            *owed = 1; /* unknown: have delivery look */
            break;
        }
        metric_add(METRIC_COMMIT_RETRIES, 1);
        e = writer_commit(s->writer, b, owed, &why);
    }
    if (atomic_exchange(&s->database_down, false)) log_info("database is back");
    return true;
}

static void show(struct service *s, struct picture *picture)
{
    pthread_mutex_lock(&s->picture_lock);
    struct picture *old = s->picture;
    s->picture = picture;
    pthread_mutex_unlock(&s->picture_lock);
    picture_release(old);
}

static void announce(struct service *s, struct turn *t, int64_t owed)
{
    size_t n;
    const struct alert *alerts = write_batch_alerts(t->batch, &n);
    if (n) api_publish_alerts(s->api, alerts, n);
    if (owed) dispatcher_kick(s->delivery);
    if (t->picture) show(s, t->picture);
    t->picture = NULL;
    for (size_t i = 0; i < t->waiting_n; i++) command_answer(t->waiting[i], ERR_OK, NULL);
    for (size_t i = 0; i < n; i++)
        metric_add(alerts[i].state == ALERT_FIRING ? METRIC_ALERTS_FIRED : METRIC_ALERTS_RESOLVED,
                   1);
    if (!write_batch_empty(t->batch)) metric_add(METRIC_COMMITS, 1);
    if (write_batch_last_seq(t->batch))
        metric_set(METRIC_COMMITTED_SEQ, (int64_t)write_batch_last_seq(t->batch));
    const struct source_mark *marks = write_batch_marks(t->batch, &n);
    if (n) kafka_source_committed(s->kafka, marks, n);
}

static void *writer_main(void *arg)
{
    struct service *s = arg;
    pthread_setname_np(pthread_self(), "writer");
    bool good = true;
    for (;;) {
        struct turn *t = queue_pop(s->turns, 1000);
        if (!t) {
            if (queue_closed(s->turns)) break;
            continue;
        }
        atomic_store(&s->writer_busy, true);
        int64_t owed = 0;
        if (good && !write_batch_empty(t->batch)) good = commit(s, t->batch, &owed);
        if (good) announce(s, t, owed);
        else {
            for (size_t i = 0; i < t->waiting_n; i++)
                command_answer(t->waiting[i], ERR_STOPPING, NULL);
            picture_release(t->picture);
            t->picture = NULL;
            if (!atomic_load(&s->stopping)) give_up(s, EXIT_BROKEN);
        }
        t->waiting_n = 0;
        write_batch_clear(t->batch);
        atomic_store(&s->writer_busy, false);
        if (queue_push(s->spare_turns, t, 0)) {} /* as many places as turns: it always fits */
        queue_kick(s->ingested);
    }
    return NULL;
}

/* ---- starting and ending ---- */
static enum err read_tracks(struct service *s, struct why *why)
{
    for (const char *p = s->c->engine_track; *p;) {
        size_t n = strcspn(p, ";");
        const char *from = p, *to = p + n;
        p = *to ? to + 1 : to;
        while (from < to && *from == ' ') from++;
        while (to > from && to[-1] == ' ') to--;
        if (from == to) continue;
        struct measure m;
        enum err e = measure_parse(from, (size_t)(to - from), &m, why);
        if (e) return e;
        char text[MEASURE_TEXT_MAX];
        measure_format(&m, text);
        if (engine_find_series(s->step.engine, (struct uuid){ { 0 } }, text) != SERIES_NONE)
            continue;
        if (s->tracks_n == TRACKS_MAX)
            return err_set(why, ERR_LIMIT, "engine.track names more than %d measures", TRACKS_MAX);
        if (!(s->tracks[s->tracks_n++] = strdup(text)))
            return err_set(why, ERR_NOMEM, "out of memory");
    }
    return ERR_OK;
}

static enum err open_kafka(struct service *s, struct why *why)
{
    struct kafka_topic topics[CONFIG_TOPICS_MAX];
    struct kafka_property properties[CONFIG_PROPERTIES_MAX];
    struct arena arena = { 0 };
    struct db d;
    size_t topics_n = 0, lives_n = 0;
    struct source_life *lives = NULL;
    int32_t next_id = 1;
    for (const char *p = s->c->kafka_topics; *p && topics_n < ARRAY_LEN(topics);) {
        size_t n = strcspn(p, ",");
        char *name = arena_copy(&arena, p, n);
        if (!name) {
            arena_release(&arena);
            return err_set(why, ERR_NOMEM, "out of memory");
        }
        topics[topics_n++] = (struct kafka_topic){ name, strcmp(name, s->c->kafka_first) == 0 };
        p += n + (p[n] == ',');
    }
    for (size_t i = 0; i < s->c->properties_n; i++)
        properties[i] =
            (struct kafka_property){ s->c->properties[i].name, s->c->properties[i].value };
    enum err e = db_open(s->c->database_conninfo, "tocsin_engine", "tocsin start", &d, why);
    if (!e) e = history_sources(&d, &arena, &lives, &lives_n, &next_id, why);
    db_close(&d);
    for (size_t i = 0; i < lives_n && !e; i++)
        if (!add_place(s, lives[i].source_id, lives[i].part, lives[i].topic))
            e = err_set(why, ERR_NOMEM, "out of memory");
    const struct kafka_config cfg = { .brokers = s->c->kafka_brokers,
                                      .format = s->c->kafka_format,
                                      .group = s->c->kafka_group,
                                      .topics = topics,
                                      .topics_n = topics_n,
                                      .properties = properties,
                                      .properties_n = s->c->properties_n,
                                      .source_id_next = next_id };
    if (!e) e = kafka_source_open(&cfg, lives, lives_n, &s->kafka, why);
    arena_release(&arena);
    return e;
}

static enum err make_queues(struct service *s)
{
    enum err e = queue_new(INGEST_BATCHES, &s->ingested);
    if (!e) e = queue_new(INGEST_BATCHES, &s->spare_batches);
    if (!e) e = queue_new(1, &s->turns);
    if (!e) e = queue_new(TURNS, &s->spare_turns);
    if (!e) e = queue_new(COMMANDS_MAX, &s->commands);
    for (int i = 0; i < INGEST_BATCHES && !e; i++) {
        struct ingest_batch *b;
        e = ingest_batch_new(&b);
        if (!e) e = queue_push(s->spare_batches, b, 0);
    }
    for (int i = 0; i < TURNS && !e; i++) {
        struct turn *t = calloc(1, sizeof *t);
        e = t ? write_batch_new(&t->batch) : ERR_NOMEM;
        if (!e) e = queue_push(s->spare_turns, t, 0);
    }
    if (!e) s->turn = queue_pop(s->spare_turns, 0);
    return e;
}

static void apply_settings(struct service *s)
{
    const struct market_settings want = { .stale_after_ns = s->c->engine_stale_after_ms * NS_PER_MS,
                                          .sample_ns = s->c->engine_sample_ms * NS_PER_MS,
                                          .coverage_gate_e8 =
                                              s->c->engine_coverage_gate_pct * 1000000,
                                          .drop_unasked = true };
    const struct market_settings have = engine_settings(s->step.engine);
    if (have.stale_after_ns == want.stale_after_ns && have.sample_ns == want.sample_ns
        && have.coverage_gate_e8 == want.coverage_gate_e8 && have.drop_unasked == want.drop_unasked)
        return;
    struct record r = step_settings(&s->step, &want);
    apply_own(s, &r, "settings");
}

static enum err start(struct service *s, struct why *why)
{
    uint64_t last_seq;
    enum err e = make_queues(s);
    if (e) return err_set(why, e, "out of memory");
    e = api_port_check(s->c->api_bind, (int)s->c->api_port,
                       why); /* before the shard is taken from one that is well */
    if (!e) e = secrets_read(s->c, &s->seal_keys, why);
    if (!e) e = writer_open(s->c->database_conninfo, &s->writer, &last_seq, why);
    if (!e) e = secrets_settle(s->c, s->seal_keys, why);
    if (!e) e = step_init(&s->step);
    if (!e) e = recover_state(s->c->database_conninfo, &s->step, why);
    if (!e && engine_seq(s->step.engine) != last_seq)
        e = err_set(why, ERR_DB,
                    "the order stands at %" PRIu64 ", the stored records end at %" PRIu64, last_seq,
                    engine_seq(s->step.engine));
    if (e) return e;
    s->saved_seq = engine_seq(s->step.engine);
    s->saved_ns = mono_ns();
    metric_set(METRIC_COMMITTED_SEQ, (int64_t)last_seq);
    step_hear(&s->step, &(struct step_sink){ .ctx = s, .row = on_row });
    e = read_tracks(s, why);
    if (e) return e;
    apply_settings(s);
    try_tracks(s);
    s->picture = step_picture(&s->step);
    e = open_kafka(s, why);
    if (!e) e = outbox_new(s->c->database_conninfo, s->seal_keys, &s->outbox);
    const struct channel_limits may = { .allow_plain = s->c->webhooks_allow_http,
                                        .allow_private = s->c->webhooks_allow_private };
    const struct dispatcher_config delivery = { .workers = (int)s->c->webhooks_workers,
                                                .setup.limits = may };
    const struct outbox_calls outbox = e ? (struct outbox_calls){ 0 } : outbox_calls(s->outbox);
    if (!e) e = dispatcher_start(&delivery, &outbox, &s->delivery, why);
    const struct api_config api = { .bind_address = s->c->api_bind,
                                    .port = (int)s->c->api_port,
                                    .threads = (int)s->c->api_threads,
                                    .database = s->c->database_conninfo,
                                    .connections_max = (int)s->c->api_connections_max,
                                    .per_ip_max = (int)s->c->api_per_ip_max,
                                    .header_timeout_ms = (int)s->c->api_header_timeout_ms,
                                    .request_timeout_ms = (int)s->c->api_request_timeout_ms,
                                    .stream_heartbeat_ms = (int)s->c->api_heartbeat_ms,
                                    .channel_limits = may,
                                    .seal_keys = s->seal_keys };
    const struct api_backend backend = { .ctx = s,
                                         .rule_change = backend_rule_change,
                                         .rule_states = backend_rule_states,
                                         .picture = backend_picture,
                                         .ready = backend_ready,
                                         .definitions = backend_definitions,
                                         .measure = backend_measure };
    if (!e) e = api_start(&api, &backend, &s->api, why);
    if (e) return e;
    if (pthread_create(&s->writer_thread, NULL, writer_main, s)
        || pthread_create(&s->engine_thread, NULL, engine_main, s)
        || pthread_create(&s->ingest_thread, NULL, ingest_main, s)) {
        log_error("cannot start threads");
        _exit(EXIT_BROKEN);
    }
    return ERR_OK;
}

static void release(struct service *s)
{
    api_stop(s->api);
    dispatcher_stop(s->delivery, 2000);
    kafka_source_close(s->kafka);
    outbox_free(s->outbox);
    seal_keys_free(s->seal_keys);
    writer_close(s->writer);
    step_release(&s->step);
    if (s->commands)
        for (struct command *c; (c = queue_pop(s->commands, 0)) != NULL;)
            command_answer(c, ERR_STOPPING, NULL);
    if (s->spare_batches)
        for (struct ingest_batch *b; (b = queue_pop(s->spare_batches, 0)) != NULL;)
            ingest_batch_free(b);
    if (s->turn && queue_push(s->spare_turns, s->turn, 0)) {}
    if (s->spare_turns)
        for (struct turn *t; (t = queue_pop(s->spare_turns, 0)) != NULL;) {
            picture_release(t->picture);
            write_batch_free(t->batch);
            free(t->waiting);
            free(t);
        }
    queue_free(s->ingested);
    queue_free(s->spare_batches);
    queue_free(s->turns);
    queue_free(s->spare_turns);
    queue_free(s->commands);
    picture_release(s->picture);
    for (size_t i = 0; i < s->tracks_n; i++) free(s->tracks[i]);
    free(s->places);
    arena_release(&s->scratch);
    pthread_mutex_destroy(&s->picture_lock);
}

static void *second_signal(void *arg)
{
    const sigset_t *set = arg;
    int sig;
    int64_t began = mono_ns();
    do
        sig = sigtimedwait(
            set, NULL,
            &(struct timespec){
                1,
                0 }); /* within the first second it is the same wish: make passes a group's signal on */
    while (mono_ns() < began + (sig > 0 ? 1 : STOP_S) * NS_PER_S);
    log_warn(sig > 0 ? "second signal; ending at once"
                     : "not ended in time; what is not committed, Kafka still has");
    _exit(EXIT_BROKEN);
}

int service_run(const struct config *c, void (*started)(void *ctx, int port), void *ctx)
{
    static sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct service s = { .c = c };
    pthread_mutex_init(&s.picture_lock, NULL);
    struct why why = { 0 };
    enum err e = start(&s, &why);
    if (e) {
        log_error("cannot start", "reason", err_name(e), "detail", why.text);
        release(&s);
        return e == ERR_INVALID || e == ERR_SYNTAX || e == ERR_UNKNOWN_MEASURE ? EXIT_CONFIG
               : e == ERR_DB_LOST                                              ? EXIT_UNAVAILABLE
                                                                               : EXIT_BROKEN;
    }
    log_info("listening", "address", c->api_bind, "port", LOG_I64(api_port(s.api)), "seq",
             LOG_I64(metric_get(METRIC_COMMITTED_SEQ)));
    if (started) started(ctx, api_port(s.api));

    int sig;
    sigwait(&set, &sig);
    log_info("stopping", "exit_code", LOG_I64(atomic_load(&s.exit_code)));
    pthread_t impatient;
    bool watched = pthread_create(&impatient, NULL, second_signal, &set) == 0;
    atomic_store(&s.stopping, true);
    pthread_join(s.ingest_thread, NULL);
    pthread_join(s.engine_thread, NULL);
    pthread_join(s.writer_thread, NULL);
    uint64_t seq = engine_seq(s.step.engine);
    release(&s);
    if (watched) {
        pthread_cancel(impatient);
        pthread_join(impatient, NULL);
    }
    log_info("stopped", "seq", LOG_I64(seq));
    return atomic_load(&s.exit_code);
}

const char serve_usage[] = "usage: tocsin serve -c FILE\n";

int cmd_serve(int argc, char **argv)
{
    struct config c;
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(serve_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    if (!code) code = service_run(&c, NULL, NULL);
    config_release(&c);
    return code;
}
