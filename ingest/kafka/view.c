/* view.c - what other threads may ask: is everything being read, and how far behind is it. The
 * ingest thread writes it down every 250 ms, under the lock; whoever asks gets that, and never
 * waits for Kafka. */
#include "core/vec.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VIEW_NS (250 * NS_PER_MS)

static void part_reasons(const struct part *p, struct buf *b)
{
    const char *topic = p->topic->name;
    if (p->trouble)
        buf_json_item(b, "kafka: topic %s partition %" PRId32 ": %s", topic, p->no, p->trouble);
    if (p->poisoned)
        buf_json_item(
            b, "kafka: topic %s partition %" PRId32 ": more than %d %% of the messages are refused",
            topic, p->no, POISON_PERCENT);
}

static void topic_reasons(const struct kafka_source *s, const struct topic *t, struct buf *b)
{
    if (t->trouble) buf_json_item(b, "kafka: topic %s: %s", t->name, t->trouble);
    else if (!t->exists) buf_json_item(b, "kafka: topic %s does not exist", t->name);
    if (t->first && !s->gate_open && s->topics_n > 1)
        buf_json_item(b, "kafka: the other topics wait for topic %s to be read", t->name);
    size_t closed = 0;
    for (size_t k = 0; k < t->there_n; k++) {
        closed += t->parts[k].state == PART_WAITING;
        part_reasons(&t->parts[k], b);
    }
    if (t->exists && closed && (t->first || s->gate_open))
        buf_json_item(b, "kafka: topic %s: %zu of %zu partitions not open", t->name, closed,
                      t->there_n);
}

static int64_t part_lag(const struct kafka_source *s, const struct part *p)
{
    int64_t low, high = p->end_at_open;
    if (p->state != PART_WAITING
        && (rd_kafka_get_watermark_offsets(s->rk, p->topic->name, p->no, &low, &high)
            || high < p->end_at_open))
        high = p->end_at_open; /* nothing fetched yet */
    const int64_t at = p->eof > p->next ? p->eof : p->next;
    return high > at ? high - at : 0;
}

/* The lag of all of it; of each partition into the view, as far as there is memory. */
static int64_t topic_lag(struct kafka_source *s, const struct topic *t)
{
    int64_t sum = 0;
    struct view *v = &s->view;
    for (size_t k = 0; k < t->there_n; k++) {
        const int64_t lag = part_lag(s, &t->parts[k]);
        sum += lag;
        if (VEC_GROW(&v->parts, &v->parts_cap, v->parts_n + 1))
            v->parts[v->parts_n++] = (struct part_lag){ t->name, t->parts[k].no, lag };
    }
    return sum;
}

void view_publish(struct kafka_source *s, bool force)
{
    const int64_t now = s->clock();
    if (!force && now < s->view_due) return;
    s->view_due = now + VIEW_NS;
    pthread_mutex_lock(&s->lock);
    struct buf *b = &s->view.reasons;
    buf_clear(b);
    if (s->down) buf_json_item(b, s->mute ? "kafka: no broker answers" : "kafka: all brokers down");
    else if (s->fresh) buf_json_item(b, "kafka: not connected yet");
    if (s->error) buf_json_item(b, "kafka: %s", s->error);
    s->view.parts_n = 0;
    for (size_t i = 0; i < s->topics_n; i++) {
        if (s->cluster) topic_reasons(s, &s->topics[i], b);
        s->view.lags[i].messages = topic_lag(s, &s->topics[i]);
    }
    s->view.ready = b->len == 0 && buf_ok(b);
    pthread_mutex_unlock(&s->lock);
}

bool kafka_source_state(struct kafka_source *s, struct buf *reasons)
{
    pthread_mutex_lock(&s->lock);
    const bool ready = s->view.ready;
    if (!ready && s->view.reasons.len) buf_put(reasons, s->view.reasons.data, s->view.reasons.len);
    pthread_mutex_unlock(&s->lock);
    return ready;
}

size_t kafka_source_lags(struct kafka_source *s, struct kafka_lag *out, size_t cap)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->topics_n && i < cap; i++) out[i] = s->view.lags[i];
    pthread_mutex_unlock(&s->lock);
    return s->topics_n;
}

void kafka_source_part_lags(struct kafka_source *s,
                            void (*each)(void *ctx, const char *topic, int32_t part, int64_t lag),
                            void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->view.parts_n; i++)
        each(ctx, s->view.parts[i].topic, s->view.parts[i].part, s->view.parts[i].messages);
    pthread_mutex_unlock(&s->lock);
}
