/* part.c - one partition: opened in the life it is in, closed, tried again.
 *
 * A partition of which PostgreSQL says: cluster k1, next offset 120, the message at 119 hashes to
 * f. What the broker says, and what becomes of it:
 *
 *     low 0, high 500     fetched from 119 on. The message there hashes to f: read on from 120, in
 *                         the same life. It hashes to another: the topic was deleted and made
 *                         anew. New life, from 0
 *     low 200, high 500   the broker has deleted [120, 200): a data_gap, the life goes on at 200
 *     low 0, high 60      120 is beyond the end: not the log we knew. New life, from 0
 *     cluster k2          whatever the offsets say: new life
 *     no answer           asked again after 0.5 s, 1 s, 2 s, 4 s, then every 5 s
 *
 * While it is open all of that can happen behind our back: see QUIET_NS. A partition of thin traffic:
 *
 *     10:00:00.0  message 119 is taken, f its hash; the queue is seen empty again and again
 *     10:00:07.0  a message 120: of the log that had 119, or of another, which is at 400 by now?
 *                 part_doubt: dropped, and fetched again from 119 on, without asking for low and
 *                 high, which would hold up the others. At most one fetch.wait.max.ms later
 *     10:00:07.1  119 hashes to f, and 120 is taken; or it does not, and that is a new life
 *     (119 has been deleted meanwhile: out of range, and opened as at the start)
 *
 * A process that stood still (stopped, starved) and a partition that is another start librdkafka
 * anew: its cache knows the old topic's id (handle_rebuild). */
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <string.h>

#define REOPEN_MIN_NS (500 * NS_PER_MS) /* a partition with errors: doubled each time */
#define REOPEN_MAX_NS (5 * NS_PER_S)

void part_close(struct part *p)
{
    /* from here on whatever is queued of it is outdated for librdkafka */
    if (part_fetching(p)) rd_kafka_consume_stop(p->topic->handle, p->no);
    p->state = PART_WAITING;
}

void part_doubt(struct kafka_source *s, struct part *p)
{
    s->counts.doubts++;
    part_close(p);
    p->state = PART_DOUBTED;
}

void part_retry_later(struct kafka_source *s, struct part *p)
{
    int64_t delay = REOPEN_MIN_NS << (p->tries < 8 ? p->tries : 8);
    if (delay > REOPEN_MAX_NS) delay = REOPEN_MAX_NS;
    p->tries++;
    p->retry_ns = s->clock() + delay;
}

void part_failed(struct kafka_source *s, struct part *p, rd_kafka_resp_err_t err,
                 const char *detail)
{
    metric_add(METRIC_KAFKA_ERRORS, 1);
    const char *name = rd_kafka_err2name(err);
    if (p->trouble != name)
        log_warn("kafka: partition error", "topic", p->topic->name, "part", LOG_I64(p->no), "code",
                 name, "detail", detail);
    p->trouble = name;
    s->counts.reopened += p->state != PART_WAITING;
    part_close(p);
    part_retry_later(s, p);
}

/* ---- lives ---- */

/* The row of the new life, in the batch; NULL when out of memory. */
static struct source_life *life_row(struct kafka_source *s, const struct part *p,
                                    const char *reason, struct ingest_batch *batch)
{
    const char *topic = arena_copy(&batch->arena, p->topic->name, strlen(p->topic->name));
    const char *cluster = arena_copy(&batch->arena, s->cluster, strlen(s->cluster));
    const char *text = arena_copy(&batch->arena, reason, strlen(reason));
    struct source_life *life = topic && cluster && text ? ingest_batch_life(batch) : NULL;
    if (!life) return NULL;
    life->topic = topic;
    life->cluster_id = cluster;
    life->reason = text;
    return life;
}

/* A new life from offset `low`: into the batch, then into the partition. On failure neither has
 * it. */
static enum err begin_life(struct kafka_source *s, struct part *p, const char *reason, int64_t low,
                           struct ingest_batch *batch)
{
    struct source_life *life = life_row(s, p, reason, batch);
    if (!life) return ERR_NOMEM;
    if (p->alive) {
        metric_add(METRIC_SOURCE_EPOCHS, 1);
        log_warn("kafka: new life of a partition", "topic", p->topic->name, "part", LOG_I64(p->no),
                 "reason", reason, "was at", LOG_I64(p->next), "starts at", LOG_I64(low));
    }
    p->source_epoch = p->alive ? p->source_epoch + 1 : 1;
    p->source_id = s->source_id_next++;
    p->alive = true;
    p->cluster = s->cluster;
    p->next = low;
    p->fingerprint = 0;
    p->reborn = NULL;
    p->caught_up = false;
    life->source_id = p->source_id;
    life->part = p->no;
    life->source_epoch = p->source_epoch;
    life->next_offset = low;
    return ERR_OK;
}

/* The broker no longer has [next, low). */
static enum err leave_gap(struct part *p, int64_t low, struct ingest_batch *batch)
{
    struct source_mark *mark = ingest_batch_mark(batch, p->source_id);
    if (!mark) return ERR_NOMEM;
    *mark = (struct source_mark){ p->source_id, p->next, p->fingerprint };
    struct data_gap *gap = ingest_batch_gap(batch);
    if (!gap) return ERR_NOMEM;

    *gap = (struct data_gap){ p->source_id, p->next, low };
    *mark = (struct source_mark){ p->source_id, low, 0 };
    metric_add(METRIC_DATA_GAPS, 1);
    log_error("kafka: the broker has deleted messages before they were read", "topic",
              p->topic->name, "part", LOG_I64(p->no), "from", LOG_I64(p->next), "to", LOG_I64(low));
    p->next = low;
    p->fingerprint = 0;
    return ERR_OK;
}

/* ---- opening ---- */

/* The call made for this, rd_kafka_query_watermark_offsets, does not keep to its time limit when
 * the leader goes away (2.0.2), this one does: -2 and -1 are the "times" of the lowest and of the
 * next offset. */
rd_kafka_resp_err_t part_ask_offset(struct kafka_source *s, const struct part *p, int64_t which,
                                    int64_t *out)
{
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, p->topic->name, p->no)->offset = which;
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(s->rk, l, ASK_MS);
    if (!err) err = l->elems[0].err;
    if (!err && l->elems[0].offset < 0) err = RD_KAFKA_RESP_ERR__NO_OFFSET;
    if (!err) *out = l->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(l);
    return err;
}

/* Why it is not the life we know; NULL: it may be, as far as the broker's answer goes. */
static const char *why_new_life(const struct kafka_source *s, const struct part *p, int64_t high)
{
    if (!p->alive) return "first seen";
    if (strcmp(p->cluster, s->cluster)) return "other cluster";
    if (p->reborn) return p->reborn;
    return p->next > high ? "offsets out of range" : NULL;
}

static void start_fetching(struct kafka_source *s, struct part *p, int64_t low, int64_t high)
{
    const bool verify = p->fingerprint != 0 && p->next > low;
    if (rd_kafka_consume_start_queue(p->topic->handle, p->no, verify ? p->next - 1 : p->next,
                                     s->queue)) {
        part_failed(s, p, rd_kafka_last_error(), "start");
        return;
    }
    p->state = verify ? PART_VERIFYING : PART_READING;
    p->proved = false;
    p->heard_ns = s->clock();
    p->end_at_open = high;
    p->eof = -1;
    if (p->next >= high) p->caught_up = true;
    p->seen_next = -1;
}

enum err part_open(struct kafka_source *s, struct part *p, struct ingest_batch *batch)
{
    int64_t low, high;
    if (p->state == PART_DOUBTED) {
        start_fetching(s, p, p->next - 1, p->end_at_open);
        return ERR_OK;
    }
    rd_kafka_resp_err_t err = part_ask_offset(s, p, RD_KAFKA_OFFSET_BEGINNING, &low);
    if (!err) err = part_ask_offset(s, p, RD_KAFKA_OFFSET_END, &high);
    if (err) {
        part_failed(s, p, err, "watermarks");
        return ERR_OK;
    }
    const char *reason = why_new_life(s, p, high);
    enum err e = reason          ? begin_life(s, p, reason, low, batch)
                 : p->next < low ? leave_gap(p, low, batch)
                                 : ERR_OK;
    if (!e) start_fetching(s, p, low, high);
    return e;
}
