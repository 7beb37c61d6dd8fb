#include "ingest/kafka/embedded.h"
#include "ingest/kafka/conf.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

struct embedded_broker {
    rd_kafka_t *rk; /* keeps the books of the cluster; a client of nothing */
    rd_kafka_mock_cluster_t *cluster;
};

enum err embedded_start(int brokers, struct embedded_broker **out, struct why *why)
{
    struct embedded_broker *b = calloc(1, sizeof *b);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[256] = "out of memory";
    if (b && conf) {
        rd_kafka_conf_set(conf, "log_level", "3", NULL,
                          0); /* it would say that it has no brokers to connect to */
        rd_kafka_conf_set_log_cb(conf, kafka_log);
        b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    }
    if (!b || !b->rk) {
        if (conf) rd_kafka_conf_destroy(conf);
        embedded_stop(b);
        return err_set(why, ERR_KAFKA, "embedded broker: %s", text);
    }
    b->cluster = rd_kafka_mock_cluster_new(b->rk, brokers);
    if (!b->cluster) {
        embedded_stop(b);
        return err_set(why, ERR_KAFKA, "embedded broker: cannot start %d brokers", brokers);
    }
    *out = b;
    return ERR_OK;
}

enum err embedded_topic(struct embedded_broker *b, const char *name, int partitions,
                        struct why *why)
{
    rd_kafka_resp_err_t e = rd_kafka_mock_topic_create(b->cluster, name, partitions, 1);
    if (e == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return err_set(why, ERR_CONFLICT, "topic %s exists", name);
    if (e) return err_set(why, ERR_KAFKA, "create topic %s: %s", name, rd_kafka_err2str(e));
    return ERR_OK;
}

const char *embedded_bootstrap(const struct embedded_broker *b)
{
    return rd_kafka_mock_cluster_bootstraps(b->cluster);
}

struct rd_kafka_mock_cluster_s *embedded_mock(struct embedded_broker *b) { return b->cluster; }

void embedded_stop(struct embedded_broker *b)
{
    if (!b) return;
    if (b->cluster) rd_kafka_mock_cluster_destroy(b->cluster);
    if (b->rk) rd_kafka_destroy(b->rk);
    free(b);
}
