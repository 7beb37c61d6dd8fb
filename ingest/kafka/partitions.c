#include "ingest/kafka/partitions.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

/* All topics are asked for: a broker may make the one topic that is asked for by name. */
static enum err ask(rd_kafka_t *rk, const char *topic, int timeout_ms, int *out, struct why *why)
{
    const struct rd_kafka_metadata *m = NULL;
    rd_kafka_resp_err_t e = rd_kafka_metadata(rk, 1, NULL, &m, timeout_ms);
    if (e) return err_set(why, ERR_KAFKA, "topic %s: %s", topic, rd_kafka_err2str(e));
    *out = 0;
    for (int i = 0; i < m->topic_cnt; i++)
        if (strcmp(m->topics[i].topic, topic) == 0 && !m->topics[i].err)
            *out = m->topics[i].partition_cnt;
    rd_kafka_metadata_destroy(m);
    return *out ? ERR_OK : err_set(why, ERR_NOT_FOUND, "topic %s does not exist", topic);
}

enum err topic_partitions(const char *brokers, const struct kafka_property *properties,
                          size_t properties_n, const char *topic, int timeout_ms, int *out,
                          struct why *why)
{
    const struct kafka_property ours[] = { { "bootstrap.servers", brokers },
                                           { "log.connection.close", "false" } };
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
