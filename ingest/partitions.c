#include "ingest/partitions.h"

#include <librdkafka/rdkafka.h>

static enum err ask(rd_kafka_t *rk, const char *topic, int timeout_ms, int *out, struct why *why)
{
    const struct rd_kafka_metadata *m = NULL;
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    if (!t) return err_set(why, ERR_INVALID, "topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_resp_err_t e = rd_kafka_metadata(rk, 0, t, &m, timeout_ms);
    rd_kafka_topic_destroy(t);
    if (e) return err_set(why, ERR_KAFKA, "topic %s: %s", topic, rd_kafka_err2str(e));
    enum err err = ERR_OK;
    if (m->topic_cnt != 1 || m->topics[0].err || m->topics[0].partition_cnt == 0) err = err_set(why, ERR_NOT_FOUND, "topic %s does not exist", topic);
    else *out = m->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(m);
    return err;
}

enum err topic_partitions(const char *brokers, const struct kafka_property *properties, size_t properties_n, const char *topic,
                          int timeout_ms, int *out, struct why *why)
{
    const struct kafka_property ours[] = { { "bootstrap.servers", brokers }, { "log.connection.close", "false" } };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk = NULL;
    char text[256] = "";
    if (!conf) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = kafka_conf_apply(conf, properties, properties_n, NULL, why);
    if (!e) e = kafka_conf_apply(conf, ours, ARRAY_LEN(ours), NULL, why);
    if (!e) {
        rd_kafka_conf_set_log_cb(conf, kafka_log);
        rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
        if (!rk) e = err_set(why, ERR_INVALID, "kafka: %s", text);
    }
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        return e;
    }
    e = ask(rk, topic, timeout_ms, out, why);
    rd_kafka_destroy(rk);
    return e;
}
