#include "ingest/kafka/producer.h"

#include "core/when.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOPICS_MAX = 16, MESSAGE_TIMEOUT_MS = 30000, CLOSE_S = 3 };

struct producer {
    rd_kafka_t *rk;
    /* The handles in use: looking one up per message would cost more than sending. */
    rd_kafka_topic_t *topics[TOPICS_MAX];
    size_t topics_n;
    struct producer_counts counts;
    struct why first_failure;
    int timeout_ms;
};

static const char *const refused[] = {
    "bootstrap.servers",     "metadata.broker.list", "enable.idempotence",    "acks",
    "request.required.acks", "partitioner",          "message.timeout.ms",    "delivery.timeout.ms",
    "transactional.id",      "plugin.library.paths", "test.mock.num.brokers", NULL,
};

/* Called from inside rd_kafka_poll and rd_kafka_flush, on the caller's thread. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    struct producer *p = opaque;
    if (!m->err) {
        p->counts.delivered++;
        return;
    }
    if (!p->counts.failed++) err_set(&p->first_failure, ERR_KAFKA, "%s", rd_kafka_err2str(m->err));
}

/* Ours, the user's, and what its promises rest on. */
static enum err fill_conf(rd_kafka_conf_t *conf, const struct producer_config *cfg, int timeout_ms,
                          struct why *why)
{
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%d", timeout_ms);
    const struct kafka_property tuning[] = {
        { "client.id", "tocsin" },
        { "linger.ms", "5" },
        { "batch.num.messages", "10000" },
        { "reconnect.backoff.ms", "100" },
        { "reconnect.backoff.max.ms", "2000" },
        { "socket.keepalive.enable", "true" },
        { "log.connection.close", "false" },
        { "queue.buffering.max.messages", "500000" },
    };
    const struct kafka_property ours[] = {
        { "bootstrap.servers", cfg->brokers }, { "enable.idempotence", "true" },  { "acks", "all" },
        { "partitioner", "murmur2_random" },   { "message.timeout.ms", timeout },
    };
    enum err e = kafka_conf_apply(conf, tuning, ARRAY_LEN(tuning), NULL, why);
    if (!e) e = kafka_conf_apply(conf, cfg->properties, cfg->properties_n, refused, why);
    return e ? e : kafka_conf_apply(conf, ours, ARRAY_LEN(ours), NULL, why);
}

/* On ERR_OK the client has `conf`, otherwise it is still the caller's. */
static enum err start(struct producer *p, rd_kafka_conf_t *conf, struct why *why)
{
    char text[300];
    rd_kafka_conf_set_opaque(conf, p);
    rd_kafka_conf_set_log_cb(conf, kafka_log);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    return p->rk ? ERR_OK : err_set(why, ERR_INVALID, "kafka producer: %s", text);
}

enum err producer_open(const struct producer_config *cfg, struct producer **out, struct why *why)
{
    struct producer *p = calloc(1, sizeof *p);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!p || !conf) {
        free(p);
        if (conf) rd_kafka_conf_destroy(conf);
        return err_set(why, ERR_NOMEM, "producer");
    }
    p->timeout_ms = cfg->message_timeout_ms > 0 ? cfg->message_timeout_ms : MESSAGE_TIMEOUT_MS;
    enum err e = fill_conf(conf, cfg, p->timeout_ms, why);
    if (!e) e = start(p, conf, why);
    if (e) {
        rd_kafka_conf_destroy(conf);
        free(p);
        return e;
    }
    *out = p;
    return ERR_OK;
}

static rd_kafka_topic_t *topic_handle(struct producer *p, const char *name)
{
    for (size_t i = 0; i < p->topics_n; i++)
        if (strcmp(rd_kafka_topic_name(p->topics[i]), name) == 0) return p->topics[i];
    if (p->topics_n == TOPICS_MAX) return NULL;
    rd_kafka_topic_t *t = rd_kafka_topic_new(p->rk, name, NULL);
    if (t) p->topics[p->topics_n++] = t;
    return t;
}

enum err producer_send_to(struct producer *p, const char *topic, int32_t part, const void *key,
                          size_t key_n, const void *value, size_t value_n, int64_t timestamp_ms,
                          struct why *why)
{
    rd_kafka_topic_t *t = topic_handle(p, topic);
    if (!t)
        return err_set(why, ERR_KAFKA, "topic %s: no handle (at most %d topics a producer)", topic,
                       TOPICS_MAX);

    const int64_t deadline = mono_ns() + p->timeout_ms * NS_PER_MS;
    for (;;) {
        rd_kafka_resp_err_t e =
            rd_kafka_producev(p->rk, RD_KAFKA_V_RKT(t), RD_KAFKA_V_PARTITION(part),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_n),
                              RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value_n),
                              RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_END);
        if (!e) break;
        if (e == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            return err_set(why, ERR_TOO_LARGE, "topic %s: message of %zu bytes", topic, value_n);
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return err_set(why, ERR_KAFKA, "topic %s: %s", topic, rd_kafka_err2str(e));
        if (mono_ns() > deadline)
            return err_set(why, ERR_FULL, "topic %s: the producer's queue stays full", topic);
        rd_kafka_poll(p->rk, 50);
    }
    if ((++p->counts.queued & 1023) == 0)
        rd_kafka_poll(p->rk, 0); /* delivery reports come only when asked for */
    return ERR_OK;
}

enum err producer_send(struct producer *p, const char *topic, const void *key, size_t key_n,
                       const void *value, size_t value_n, int64_t timestamp_ms, struct why *why)
{
    return producer_send_to(p, topic, RD_KAFKA_PARTITION_UA, key, key_n, value, value_n,
                            timestamp_ms, why);
}

enum err producer_flush(struct producer *p, int timeout_ms, struct why *why)
{
    rd_kafka_flush(p->rk, timeout_ms); /* its verdict is in the counts */
    const struct producer_counts c = p->counts;
    if (c.delivered == c.queued) return ERR_OK;
    return err_set(why, ERR_KAFKA, "%lld of %lld messages not delivered (%lld refused%s%s)",
                   (long long)(c.queued - c.delivered), (long long)c.queued, (long long)c.failed,
                   c.failed ? ": " : "", c.failed ? p->first_failure.text : "");
}

struct producer_counts producer_counts(const struct producer *p) { return p->counts; }

static void *destroy(void *rk)
{
    rd_kafka_destroy(rk);
    return NULL;
}

void producer_close(struct producer *p)
{
    if (!p) return;
    rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(p->rk, 0);
    for (size_t i = 0; i < p->topics_n; i++) rd_kafka_topic_destroy(p->topics[i]);

    pthread_t t;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME,
                  &until); /* pthread_clockjoin_np is unknown to ThreadSanitizer of gcc 12 */
    until.tv_sec += CLOSE_S;
    if (pthread_create(&t, NULL, destroy, p->rk))
        return; /* no thread to end it: left behind, with its opaque */
    if (pthread_timedjoin_np(t, NULL, &until) == 0) free(p);
    else pthread_detach(t); /* it may still report into *p */
}
