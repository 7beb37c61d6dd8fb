/* apply.c - a batch from Kafka through the step: what is refused becomes a dead letter, the rest
 * is in the turn, with the positions that the sources then have. */
#include "app/app.h"
#include "app/threads/engine.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/kafka/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The session that the record says it is of; NO_DAY: none. */
static int32_t session_of(const struct record *r)
{
    return r->kind == RECORD_CLOSE   ? r->u.close.day
           : r->kind == RECORD_CLOCK ? r->u.clock.session_end
                                     : NO_DAY;
}

/* Event time only goes forward: one message from the future would make everything else old, and
 * run out the hold times of rules that it has nothing to do with. "Now" is the earlier of two
 * clocks, the message's and ours; ours set back while we run is no reason to refuse everybody. */
static enum err plausible(const struct config *c, const struct record *r, int64_t now_ms,
                          struct why *why)
{
    const int64_t sent_ms = r->received_ms < now_ms ? r->received_ms : now_ms;
    const int32_t day = session_of(r);
    const int64_t ahead_ms = r->event_ns / NS_PER_MS - sent_ms;
    const bool ours = now_ms < r->received_ms;
    if (ahead_ms > c->ingest_ahead_max_ms)
        return err_set(why, ERR_AHEAD,
                       "ts is %" PRId64
                       " ms after %s, and ingest.ahead_max_ms is %ld: mend the sender's clock%s",
                       ahead_ms, ours ? "the time of this machine" : "the message was sent",
                       c->ingest_ahead_max_ms, ours ? ", or this machine's" : "");
    if (day != NO_DAY && day > day_of_ns(r->event_ns) + 1)
        return err_set(why, ERR_INVALID, "the session's date is more than a day after ts");
    return ERR_OK;
}

/* A record the engine refuses is kept like a message that cannot be read. */
static enum err refuse(const struct engine_loop *l, struct ingest_batch *in, const struct record *r,
                       enum err reason, const struct why *why)
{
    struct dead_letter *d = ingest_batch_dead(in);
    if (!d) return ERR_NOMEM;
    const struct source_name *at = source_names_find(&l->sources, r->source_id);
    *d = (struct dead_letter){ .topic = at ? at->topic : "",
                               .part = at ? at->part : 0,
                               .source_id = r->source_id,
                               .kafka_offset = r->offset,
                               .reason = reason };
    if (!dead_letter_keep(in, d, r->message, why->text,
                          (size_t)l->p->c->ingest_dead_letter_kb << 10))
        return ERR_NOMEM;
    metric_dead_letter(reason);
    return ERR_OK;
}

/* It becomes a record of its own, so that a replay knows it at the same place; of a symbol that nobody has there is nothing to know. */
static enum err tell_refusal(struct engine_loop *l, const struct record *refused,
                             const struct symbol *of, struct str reason)
{
    struct why why = { 0 };
    struct record r = step_refusal(&l->step, of, reason, refused->received_ms);
    return engine_knows(l->step.engine, &r) ? step_apply(&l->step, &r, &why) : ERR_OK;
}

/* What was applied and has moved less than it says. */
static void count_aside(const struct engine_output *o)
{
    if (o->trade == TRADE_LATE) metric_add(METRIC_TRADES_LATE, 1);
    if (o->corrects) metric_add(METRIC_CLOSES_CORRECTED, 1);
}

/* What the record was of the article whose id it has; of an id that nobody knows somebody should hear. */
static void count_article(const struct engine_loop *l, const struct record *r)
{
    static const enum metric of[] = {
        [ARTICLE_NEW] = METRIC_ARTICLES_NEW,
        [ARTICLE_REDELIVERED] = METRIC_ARTICLES_REDELIVERED,
        [ARTICLE_REVISED] = METRIC_ARTICLES_REVISED,
        [ARTICLE_SUPERSEDED] = METRIC_ARTICLES_SUPERSEDED,
        [ARTICLE_RETRACTED] = METRIC_ARTICLES_RETRACTED,
        [ARTICLE_UNKNOWN] = METRIC_ARTICLES_UNKNOWN,
        [ARTICLE_TOO_OLD] = METRIC_ARTICLES_TOO_OLD,
    };
    if (r->kind != RECORD_ARTICLE && r->kind != RECORD_RETRACTION) return;
    const enum article_change change = engine_output(l->step.engine)->reading.change;
    metric_add(of[change], 1);
    if (change != ARTICLE_UNKNOWN) return;
    char id[64];
    const struct str of_id = r->u.retraction.id;
    snprintf(id, sizeof id, "%.*s", (int)of_id.n, of_id.p);
    log_warn("retraction of an article that is not known", "id", id);
}

/* ---- a batch, message by message ----
 *
 * Three messages of source 7, and a turn that is full after two of them:
 *
 *     100   a trade      seq 41, three alerts     cut, 7 at 101
 *     101   refused      a dead letter, seq 42    cut, 7 at 102     the mark (7, 102); handed over
 *     102   a trade      seq 43                   cut, 7 at 103     the next turn's
 *
 * A crash behind the second begins with the message at 102: what came of each message is in one
 * turn whole, with the position behind it. */
struct batch_walk {
    struct engine_loop *l;
    struct ingest_batch *in;
    int64_t now_ms;
    size_t records, dead;    /* so many of the batch have been taken */
    size_t messages, marked; /* likewise; and so many had their positions in an earlier turn */
};

static int64_t fingerprint_of(const struct ingest_batch *in, const struct ingest_message *m)
{
    if (m->fingerprint) return m->fingerprint;
    const struct str value =
        m->records_end ? in->records[m->records_end - 1].message : (struct str){ 0 };
    return kafka_fingerprint(m->sent_ms, m->key.p, m->key.n, value.p, value.n);
}

/* Where the sources stand in the middle of the batch: each as behind the last of its messages. */
static void mark_messages(struct batch_walk *w)
{
    struct write_batch *b = w->l->turn->batch;
    for (size_t i = w->messages; i-- > w->marked;) {
        const struct ingest_message *m = &w->in->messages[i];
        size_t n, k = 0;
        const struct source_mark *marks = write_batch_marks(b, &n);
        while (k < n
               && (marks[k].source_id != m->source_id || marks[k].next_offset < m->next_offset))
            k++;
        if (k < n) continue;
        write_row(b, &source_mark_row,
                  &(struct source_mark){ m->source_id, m->next_offset, fingerprint_of(w->in, m) });
    }
    w->marked = w->messages;
}

/* Where the batch may be cut: is the turn to go? */
static void turn_over(struct engine_loop *l)
{
    if (!engine_loop_full(l)) return;
    if (l->walk) mark_messages(l->walk);
    engine_loop_hand_over(l);
}

void engine_loop_go_on(struct engine_loop *l)
{
    if (!step_owes(&l->step)) return; /* nearly always */
    const int64_t began = mono_ns();
    const uint64_t of = l->step.owes_seq;
    struct why why = { 0 };
    int64_t records = 0;
    for (; step_owes(&l->step); records++) {
        turn_over(l);
        if (step_go_on(&l->step, &why)) {
            log_error("out of memory", "at", "burst");
            engine_loop_broken(l);
            return;
        }
        write_cut(l->turn->batch, 0, 0);
    }
    metric_add(METRIC_BURSTS, records);
    log_warn("a record made more rules fire or resolve than one may say (engine.burst_alerts)",
             "seq", LOG_I64((int64_t)of), "records more", LOG_I64(records), "ms",
             LOG_I64((mono_ns() - began) / NS_PER_MS));
}

/* Sessions that are over before this record, each with all that it causes: the end of one may make
 * every rule look. */
static enum err end_sessions(struct engine_loop *l, const struct record *r, struct why *why)
{
    bool ended = true;
    enum err e = ERR_OK;
    while (ended && !e) {
        e = step_end_session(&l->step, r, &ended, why);
        if (!ended || e) continue;
        write_cut(l->turn->batch, 0, 0);
        engine_loop_go_on(l);
    }
    return e;
}

/* `first`: of its message, so that the batch may be cut before it. */
static enum err apply_one(struct engine_loop *l, struct ingest_batch *in, struct record *r,
                          int64_t now_ms, bool first)
{
    struct why why = { 0 };
    if (r->kind == RECORD_REFUSAL)
        return tell_refusal(l, r, &r->u.refusal.symbol, r->u.refusal.reason);
    enum err e = plausible(l->p->c, r, now_ms, &why);
    if (!e && step_has_calendar(r) && !engine_knows(l->step.engine, r))
        step_name_calendar(r,
                           l->p->c->engine_calendar); /* said again without one it keeps its own */
    if (!e && first) e = end_sessions(l, r, &why);
    if (!e) e = step_apply(&l->step, r, &why);
    if (e == ERR_NOMEM) return e;
    if (e) {
        const enum record_place place = record_place(r->kind);
        e = refuse(l, in, r, e, &why);
        return e || place != PLACE_TICK ? e : tell_refusal(l, r, &r->u.symbol, str_of(why.text));
    }
    count_aside(engine_output(l->step.engine));
    count_article(l, r);
    if (r->kind == RECORD_INDEX || r->kind == RECORD_INSTRUMENT || r->kind == RECORD_RENAME)
        engine_loop_try_tracks(l);
    return ERR_OK;
}

static enum err learn_sources(struct engine_loop *l, const struct ingest_batch *in)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < in->lives_n && !e; i++) {
        e = source_names_add(&l->sources, &in->lives[i]);
        write_row(l->turn->batch, &source_life_row, &in->lives[i]);
    }
    return e;
}

/* What the broker had deleted before this message. */
static void write_gaps(struct batch_walk *w, int32_t source_id, int64_t before)
{
    struct ingest_batch *in = w->in;
    for (size_t i = 0; i < in->gaps_n; i++) {
        struct data_gap *gap = &in->gaps[i];
        if (gap->source_id != source_id || gap->to_offset > before) continue;
        write_row(w->l->turn->batch, &data_gap_row, gap);
        gap->source_id = 0; /* written */
    }
}

static enum err apply_records(struct batch_walk *w, size_t end)
{
    const size_t from = w->records;
    enum err e = ERR_OK;
    for (; w->records < end && !e; w->records++)
        e = apply_one(w->l, w->in, &w->in->records[w->records], w->now_ms, w->records == from);
    return e;
}

/* Those that were refused before they were records, and those that the engine has refused since
 * `from`, which stand at the end. */
static void write_dead(struct batch_walk *w, size_t end, size_t from)
{
    struct write_batch *b = w->l->turn->batch;
    while (w->dead < end) write_row(b, &dead_letter_row, &w->in->dead[w->dead++]);
    for (size_t i = from; i < w->in->dead_n; i++) write_row(b, &dead_letter_row, &w->in->dead[i]);
}

static enum err apply_message(struct batch_walk *w, const struct ingest_message *m)
{
    const size_t refused = w->in->dead_n;
    enum err e = apply_records(w, m->records_end);
    if (e) return e;
    write_gaps(w, m->source_id, m->next_offset - 1);
    write_dead(w, m->dead_end, refused);
    write_cut(w->l->turn->batch, m->source_id, m->next_offset);
    w->messages++;
    engine_loop_go_on(w->l);
    turn_over(w->l);
    return ERR_OK;
}

/* What no message brought, and where the sources stand at the end. */
static enum err apply_rest(struct batch_walk *w, size_t dead_n)
{
    const struct ingest_batch *in = w->in;
    const size_t refused = in->dead_n;
    enum err e = apply_records(w, in->records_n);
    if (e) return e;
    write_dead(w, dead_n, refused);
    struct write_batch *b = w->l->turn->batch; /* another than before, perhaps */
    for (size_t i = 0; i < in->gaps_n; i++)
        if (in->gaps[i].source_id) write_row(b, &data_gap_row, &in->gaps[i]);
    for (size_t i = 0; i < in->marks_n; i++) write_row(b, &source_mark_row, &in->marks[i]);
    write_cut(b, 0, 0);
    return ERR_OK;
}

void engine_loop_apply(struct engine_loop *l, struct ingest_batch *in)
{
    struct batch_walk w = { .l = l, .in = in, .now_ms = wall_onward_ns() / NS_PER_MS };
    const size_t dead_n = in->dead_n;
    enum err e = learn_sources(l, in);
    l->walk = &w;
    while (w.messages < in->messages_n && !e) e = apply_message(&w, &in->messages[w.messages]);
    if (!e) e = apply_rest(&w, dead_n);
    l->walk = NULL;
    if (!e) engine_loop_go_on(l);
    if (e) { /* out of memory alone gets here */
        log_error("out of memory", "at", "engine");
        engine_loop_broken(l);
        return;
    }
    metric_add(METRIC_RECORDS_APPLIED, (int64_t)in->records_n);
}

void engine_loop_apply_own(struct engine_loop *l, struct record *r, const char *what)
{
    struct why why = { 0 };
    enum err e = step_apply(&l->step, r, &why);
    if (!e) return;
    log_error("record of our own refused", "what", what, "reason", err_name(e), "detail", why.text);
    pipeline_give_up(l->p, EXIT_BROKEN);
}
