/* handle.c - librdkafka started, ended, and started anew.
 *
 * Ending it may wait for brokers that are gone, so a thread of its own does it, for at most 3 s
 * of ours:
 *
 *     handle_end    collects what must go into one block; the source lets go of all of it
 *     take_apart    (its thread) stops each partition, destroys topics, queue, client
 *     3 s later     done, or left behind to end by itself; either way the source is free to open
 *                   a new client
 *
 * A new client is what the source falls back on whenever this one knows too much: brokers of two
 * clusters under the same numbers, a topic id that has changed. */
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <stdlib.h>
#include <time.h>

enum { CLOSE_S = 3 };

/* ---- what librdkafka says of itself ---- */

static void general_error(struct kafka_source *s, const char *name, const char *reason)
{
    if (s->error != name) log_warn("kafka: error", "code", name, "detail", reason);
    s->error = name;
    if (s->metadata_due > s->clock() + RETRY_MAX_NS)
        s->metadata_due = s->clock() + RETRY_MAX_NS; /* is it over? */
}

void handle_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    struct kafka_source *s = opaque;
    metric_add(METRIC_KAFKA_ERRORS, 1);
    const bool one_connection =
        err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__RESOLVE;
    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (!s->down) log_warn("kafka: all brokers down", "detail", reason);
        s->down = s->down_new = true;
        s->mute = false;
    } else if (err == RD_KAFKA_RESP_ERR__FATAL) {
        log_error("kafka: librdkafka failed", "detail", reason);
        s->fatal = true;
    } else if (!one_connection || !s->cluster)
        /* one of several connections: librdkafka logs it, and its partitions move or lag */
        general_error(s, rd_kafka_err2name((rd_kafka_resp_err_t)err), reason);
}

/* ---- started ---- */

static enum err open_topic(struct kafka_source *s, struct topic *t, struct why *why)
{
    rd_kafka_topic_conf_t *tc = rd_kafka_default_topic_conf_dup(s->rk);
    rd_kafka_topic_conf_set_opaque(tc, t);
    t->handle = rd_kafka_topic_new(s->rk, t->name, tc);
    if (t->handle) return ERR_OK;
    rd_kafka_topic_conf_destroy(tc);
    return err_set(why, ERR_KAFKA, "topic %s: %s", t->name,
                   rd_kafka_err2str(rd_kafka_last_error()));
}

enum err handle_open(struct kafka_source *s, struct why *why)
{
    char text[300] = "out of memory";
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(s->conf);
    s->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!s->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(why, ERR_INVALID, "kafka consumer: %s", text);
    }
    s->queue = rd_kafka_queue_new(s->rk);
    for (size_t i = 0; i < s->topics_n; i++) {
        enum err e = open_topic(s, &s->topics[i], why);
        if (e) return e;
    }
    s->fresh = true;
    s->down = s->down_new = s->fatal = false;
    s->metadata_due = 0;
    s->metadata_wait = RETRY_MIN_NS;
    return ERR_OK;
}

/* ---- ended ---- */

struct ending { /* what take_apart takes apart: each of its calls may wait for librdkafka */
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    size_t topics_n, stops_n;
    struct stop {
        rd_kafka_topic_t *topic;
        int32_t part;
    } *stops;
    rd_kafka_topic_t *topics[];
};

static void *take_apart(void *arg)
{
    struct ending *e = arg;
    for (size_t i = 0; i < e->stops_n; i++) /* else destroying takes for ever */
        rd_kafka_consume_stop(e->stops[i].topic, e->stops[i].part);
    for (size_t i = 0; i < e->topics_n; i++) rd_kafka_topic_destroy(e->topics[i]);
    if (e->queue) rd_kafka_queue_destroy(e->queue);
    rd_kafka_destroy(e->rk);
    free(e->stops);
    free(e);
    return NULL;
}

/* The topic's partitions and handle change hands. */
static void give_topic(struct ending *e, struct topic *t)
{
    for (size_t k = 0; k < t->parts_n; k++) {
        if (part_fetching(&t->parts[k]) && e->stops)
            e->stops[e->stops_n++] = (struct stop){ t->handle, t->parts[k].no };
        t->parts[k].state = PART_WAITING;
    }
    if (t->handle) e->topics[e->topics_n++] = t->handle;
    t->handle = NULL;
}

static void wait_for_end(struct ending *e)
{
    pthread_t thread;
    struct timespec until;
    /* pthread_clockjoin_np is unknown to ThreadSanitizer of gcc 12 */
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLOSE_S;
    if (pthread_create(&thread, NULL, take_apart, e))
        log_warn("kafka: no thread to end librdkafka; it is left behind");
    else if (pthread_timedjoin_np(thread, NULL, &until)) {
        log_warn("kafka: librdkafka did not end in time and is left behind");
        pthread_detach(thread);
    }
}

void handle_end(struct kafka_source *s)
{
    for (; s->msgs_at < s->msgs_n; s->msgs_at++) rd_kafka_message_destroy(s->msgs[s->msgs_at]);
    struct ending *e = s->rk ? calloc(1, sizeof *e + s->topics_n * sizeof e->topics[0]) : NULL;
    if (!e) return; /* without memory the process is at its end as well */
    *e = (struct ending){ .rk = s->rk,
                          .queue = s->queue,
                          .stops = calloc(s->parts_total + 1, sizeof *e->stops) };
    for (size_t i = 0; i < s->topics_n; i++) give_topic(e, &s->topics[i]);
    s->rk = NULL;
    s->queue = NULL;
    wait_for_end(e);
}

/* Clients that have met two clusters stall; 2.8 keeps a freed entry of the topic whose id has
 * changed in its metadata cache, and crashes on it: at the next answer about it, or, which is
 * rarer, while it is destroyed here. Then the next start of the service begins the new life. */
enum err handle_rebuild(struct kafka_source *s, struct why *why)
{
    s->counts.rebuilds++;
    log_info("kafka: starting librdkafka anew");
    handle_end(s);
    return handle_open(s, why);
}
