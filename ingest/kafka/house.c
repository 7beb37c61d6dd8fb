/* house.c - what is due at each poll, in this order: a client that failed, or that may have met a
 * topic made anew, is started anew, brokers that went away are taken for strangers, metadata is asked for, partitions are opened,
 * positions are told, and partitions that stand still are looked for.
 *
 * A stall, as it is found: at 10:00:00 nothing comes, partition 3 is at 120 and its broker says
 * the end is 500. At 10:00:15 it is still at 120: a stall, it is closed and opened again at once.
 * At 10:00:30 it is looked at afresh, at 10:00:45 it is at 120 still: a second stall without a
 * message in between. librdkafka itself must be stuck, and is started anew. */
#include "core/log.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#define STALL_NS (15 * NS_PER_S) /* seen behind and unmoved twice in a row is a stall */
#define FATAL_NS (60 * NS_PER_S)
#define HINT_NS (1 * NS_PER_S)

/* ---- partitions that stand still ---- */

static void note_stall(struct kafka_source *s, struct part *p, int64_t at)
{
    p->stalls++;
    s->counts.stalls++;
    log_warn("kafka: partition stands still", "topic", p->topic->name, "part", LOG_I64(p->no), "at",
             LOG_I64(at), "end", LOG_I64(p->seen_high));
    const unsigned kept = p->stalls;
    part_failed(s, p, RD_KAFKA_RESP_ERR__TIMED_OUT, "stalled");
    p->stalls = kept;
    p->retry_ns = 0;
    p->seen_next = -1;
}

enum look { LOOK_FINE, LOOK_STALLED, LOOK_NO_ANSWER };

static enum look look_at(struct kafka_source *s, struct part *p)
{
    const int64_t at = p->eof > p->next ? p->eof : p->next;
    int64_t high;
    if (at == p->seen_next && p->seen_high > at) {
        note_stall(s, p, at);
        return LOOK_STALLED;
    }
    if (part_ask_offset(s, p, RD_KAFKA_OFFSET_END, &high)) return LOOK_NO_ANSWER;
    p->seen_next = at;
    p->seen_high = high;
    return LOOK_FINE;
}

/* Nothing is coming. Does the broker have more of a partition that has not moved since the last
 * look? */
static enum err look_for_stalls(struct kafka_source *s, struct why *why)
{
    bool start_anew = false;
    for (size_t i = 0; i < s->topics_n; i++)
        for (size_t k = 0; k < s->topics[i].parts_n; k++) {
            struct part *p = &s->topics[i].parts[k];
            const enum look seen = part_fetching(p) ? look_at(s, p) : LOOK_FINE;
            if (seen == LOOK_NO_ANSWER) {
                s->metadata_due = s->clock(); /* does anybody answer? */
                return ERR_OK;
            }
            start_anew = start_anew || (seen == LOOK_STALLED && p->stalls > 1);
        }
    return start_anew ? handle_rebuild(s, why) : ERR_OK;
}

/* ---- clients that are no good any more ---- */

static enum err mend_fatal(struct kafka_source *s, int64_t now, struct why *why)
{
    if (!s->fatal) return ERR_OK;
    if (s->fatal_ns && now - s->fatal_ns < FATAL_NS)
        return err_set(why, ERR_KAFKA, "librdkafka failed twice within a minute");
    s->fatal_ns = now;
    return handle_rebuild(s, why);
}

/* Whoever comes back may be somebody else: every partition proves itself again, and to a client
 * that has not met the brokers of before. */
static enum err distrust(struct kafka_source *s, int64_t now, struct why *why)
{
    if (!s->down_new) return ERR_OK;
    s->down_new = false;
    s->metadata_due = now;
    topics_close_parts(s);
    if (s->fresh) return ERR_OK;
    enum err e = handle_rebuild(s, why);
    if (!e) s->down = true;
    return e;
}

/* What is in hand was fetched from who knows whom; each partition proves itself when it is opened. */
static enum err start_anew(struct kafka_source *s, struct why *why)
{
    if (!s->anew) return ERR_OK;
    s->anew = false;
    return handle_rebuild(s, why);
}

/* ---- all of it ---- */

static bool answered(const struct kafka_source *s) { return !s->fresh && !s->down; }

enum err house_keep(struct kafka_source *s, struct ingest_batch *batch, bool idle, struct why *why)
{
    const int64_t now = s->clock();
    enum err e = mend_fatal(s, now, why);
    if (!e) e = start_anew(s, why);
    if (!e) e = distrust(s, now, why);
    if (!e && now >= s->metadata_due) e = topics_refresh(s, why);
    /* messages of a closed partition among them must find it closed */
    const bool in_hand = s->msgs_at < s->msgs_n;
    if (!e && answered(s) && !in_hand) e = topics_open_parts(s, batch);
    if (!e && s->hints && answered(s) && now >= s->hint_due) {
        hints_send(s);
        s->hint_due = now + HINT_NS;
    }
    if (!e && idle && !s->down && now >= s->stall_due) {
        e = look_for_stalls(s, why);
        s->stall_due = s->clock() + STALL_NS;
    }
    return e;
}
