/* topics.c - what there is: which topics exist, with which partitions, in which cluster; and
 * which may be opened by now.
 *
 *     reference (first), ticks   both exist; ticks has partitions 0 and 1
 *     topics_refresh             asks for one topic at a time, and learns three partitions
 *     topics_open_parts          opens reference/0. The gate is shut: the others wait
 *     ...                        reference/0 passes the end it had when it was opened
 *     topics_open_parts          first_topics_read: the gate opens, and with it ticks/0, ticks/1
 *
 * Asking for several topics at once lets librdkafka permit the broker to create one that has
 * just been deleted. */
#include "core/log.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <stdlib.h>
#include <string.h>

#define REFRESH_NS                                                                                 \
    (3 * NS_PER_S) /* metadata when all is well: new partitions are read within 5 s */
#define SILENT_NS (10 * NS_PER_S) /* brokers that answer nothing for so long are down */

/* What comes back by its name may be another. */
static void close_all(struct topic *t)
{
    for (size_t k = 0; k < t->parts_n; k++) {
        part_close(&t->parts[k]);
        t->parts[k].retry_ns = 0;
    }
}

void topics_close_parts(struct kafka_source *s)
{
    for (size_t i = 0; i < s->topics_n; i++) close_all(&s->topics[i]);
}

void topics_doubt_parts(struct kafka_source *s)
{
    for (size_t i = 0; i < s->topics_n; i++)
        for (size_t k = 0; k < s->topics[i].parts_n; k++)
            if (part_can_doubt(&s->topics[i].parts[k])) part_doubt(s, &s->topics[i].parts[k]);
}

/* ---- a topic learned ---- */

/* The life that PostgreSQL knows of it, if any. */
static struct part new_part(const struct kafka_source *s, struct topic *t, int32_t no)
{
    struct part p = { .topic = t, .no = no, .eof = -1, .seen_next = -1 };
    for (size_t i = 0; i < s->known_n; i++) {
        const struct source_life *k = &s->known[i];
        if (k->part != no || strcmp(k->topic, t->name)) continue;
        p.alive = true;
        p.source_id = k->source_id;
        p.source_epoch = k->source_epoch;
        p.cluster = k->cluster_id;
        p.next = k->next_offset;
        p.fingerprint = k->fingerprint;
    }
    return p;
}

/* Nothing points at a part while this runs: no chunk is in hand half applied. */
static enum err grow(struct kafka_source *s, struct topic *t, size_t n)
{
    if (n <= t->parts_n) return ERR_OK; /* what is there no longer keeps its place: see there_n */
    struct part **touched =
        realloc(s->touched, (s->parts_total + n - t->parts_n) * sizeof *touched);
    if (!touched) return ERR_NOMEM;
    s->touched = touched;
    struct part *parts = realloc(t->parts, n * sizeof *parts);
    if (!parts) return ERR_NOMEM;
    t->parts = parts;
    for (; t->parts_n < n; t->parts_n++, s->parts_total++)
        parts[t->parts_n] = new_part(s, t, (int32_t)t->parts_n);
    return ERR_OK;
}

/* What a topic made anew with fewer partitions no longer has. */
static void close_gone(struct topic *t)
{
    for (size_t k = t->there_n; k < t->parts_n; k++) {
        part_close(&t->parts[k]);
        t->parts[k].trouble = NULL;
        t->parts[k].end_at_open = 0;
    }
}

static enum err learn(struct kafka_source *s, struct topic *t,
                      const struct rd_kafka_metadata_topic *m)
{
    const bool missing = m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                         || m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    t->trouble = m->err && !missing ? rd_kafka_err2name(m->err) : NULL;
    if (missing) close_all(t);
    if (missing && !t->warned)
        log_warn("kafka: topic does not exist; waiting for it", "topic", t->name);
    t->warned = missing;
    const bool was = t->exists;
    t->exists = !m->err;
    if (m->err) return ERR_OK;
    enum err e = grow(s, t, (size_t)m->partition_cnt);
    if (e) return e;
    if (!was || t->there_n != (size_t)m->partition_cnt)
        log_info(was ? "kafka: topic has other partitions" : "kafka: topic found", "topic", t->name,
                 "partitions", LOG_I64(m->partition_cnt));
    t->there_n = (size_t)m->partition_cnt;
    close_gone(t);
    return ERR_OK;
}

/* ---- the cluster ---- */

/* Everything read so far was somebody else's. */
static void cluster_changed(struct kafka_source *s, const char *id)
{
    log_warn("kafka: another cluster answers", "was", s->cluster, "is", id);
    topics_close_parts(s);
    for (size_t k = 0; k < s->topics_n; k++)
        for (size_t i = 0; i < s->topics[k].parts_n; i++) s->topics[k].parts[i].caught_up = false;
    s->gate_open = false;
}

/* *mixed: this client knows brokers of two clusters now, by the same numbers. */
static enum err learn_cluster(struct kafka_source *s, bool *mixed)
{
    char *id = rd_kafka_clusterid(s->rk, 0);
    const char *now = id ? id : ""; /* brokers older than 0.10.1 have none */
    enum err e = ERR_OK;
    if (!s->cluster || strcmp(s->cluster, now)) {
        const char *copy = arena_copy(&s->strings, now, strlen(now));
        if (copy && s->cluster) {
            cluster_changed(s, copy);
            *mixed = !s->fresh;
        }
        if (copy) s->cluster = copy;
        else e = ERR_NOMEM;
    }
    if (id) rd_kafka_mem_free(s->rk, id);
    return e;
}

/* ---- asking ---- */

/* librdkafka says once that all brokers are down, when the last connection breaks. One that hangs, or that it had not made
 * yet, keeps it from saying so: then it is their silence that tells. */
static void nobody_answered(struct kafka_source *s)
{
    const int64_t now = s->clock();
    if (!s->silent_ns) s->silent_ns = now;
    if (s->down || s->fresh || now - s->silent_ns < SILENT_NS) return;
    log_warn("kafka: no broker answers");
    s->down = s->down_new = s->mute = true;
}

/* *answered false: nobody did, and the next question waits twice as long. */
static enum err ask_topic(struct kafka_source *s, struct topic *t, bool *answered)
{
    const struct rd_kafka_metadata *md;
    *answered = rd_kafka_metadata(s->rk, 0, t->handle, &md, ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!*answered) {
        const int64_t longer = s->metadata_wait * 2;
        s->metadata_due = s->clock() + s->metadata_wait;
        s->metadata_wait = longer < RETRY_MAX_NS ? longer : RETRY_MAX_NS;
        nobody_answered(s);
        return ERR_OK;
    }
    s->silent_ns = 0;
    enum err e = md->topic_cnt == 1 ? learn(s, t, &md->topics[0]) : ERR_OK;
    rd_kafka_metadata_destroy(md);
    return e;
}

static void all_answered(struct kafka_source *s, bool whole)
{
    s->fresh = false;
    if (s->down) log_info("kafka: brokers are back");
    s->down = s->mute = false;
    s->error = NULL;
    s->metadata_wait = RETRY_MIN_NS;
    s->metadata_due = s->clock() + (whole ? REFRESH_NS : RETRY_MAX_NS);
}

enum err topics_refresh(struct kafka_source *s, struct why *why)
{
    bool whole = true, mixed = false;
    for (size_t i = 0; i < s->topics_n; i++) {
        bool answered;
        enum err e = ask_topic(s, &s->topics[i], &answered);
        if (e || !answered) return e;
        whole = whole && s->topics[i].exists;
    }
    enum err e = learn_cluster(s, &mixed);
    if (e) return e;
    all_answered(s, whole);
    return mixed ? handle_rebuild(s, why) : ERR_OK;
}

/* ---- opening ---- */

static bool first_topics_read(const struct kafka_source *s)
{
    for (size_t i = 0; i < s->topics_n; i++) {
        const struct topic *t = &s->topics[i];
        if (!t->first) continue;
        if (!t->exists) return false;
        for (size_t k = 0; k < t->there_n; k++)
            if (!t->parts[k].caught_up) return false;
    }
    return true;
}

enum err topics_open_parts(struct kafka_source *s, struct ingest_batch *batch)
{
    if (!s->gate_open) s->gate_open = first_topics_read(s);
    const int64_t now = s->clock();
    for (size_t i = 0; i < s->topics_n; i++) {
        struct topic *t = &s->topics[i];
        if (!t->exists || (!t->first && !s->gate_open)) continue;
        for (size_t k = 0; k < t->there_n; k++) {
            struct part *p = &t->parts[k];
            if (part_fetching(p) || (p->state == PART_WAITING && now < p->retry_ns)) continue;
            enum err e = part_open(s, p, batch);
            if (e) return e;
            if (p->state == PART_WAITING)
                return ERR_OK; /* no answer: one such wait a turn is enough */
        }
    }
    return ERR_OK;
}
