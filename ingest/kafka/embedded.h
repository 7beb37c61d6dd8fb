/* embedded.h - a small Kafka inside this process: librdkafka's mock cluster, for `tocsin demo`
 * and the tests.
 *
 * It listens on 127.0.0.1, holds everything in memory, keeps about 5 MB a partition (older
 * messages are deleted, as a broker with short retention would), and forgets all at the end. An
 * empty fetch is answered only after the whole fetch.wait.max.ms, so give its consumers a small
 * one. Not for anything that matters. */
#ifndef TOCSIN_INGEST_KAFKA_EMBEDDED_H
#define TOCSIN_INGEST_KAFKA_EMBEDDED_H
#include "core/err.h"

struct embedded_broker;

MUST_USE enum err embedded_start(int brokers, struct embedded_broker **out, struct why *why);
/* ERR_CONFLICT when it is there already. */
MUST_USE enum err embedded_topic(struct embedded_broker *b, const char *name, int partitions,
                                 struct why *why);
/* "127.0.0.1:39211,...": lives as long as the broker. */
const char *embedded_bootstrap(const struct embedded_broker *b);
/* Clients must have been closed. NULL is fine. */
void embedded_stop(struct embedded_broker *b);

/* librdkafka's own handle, for tests that inject faults. */
struct rd_kafka_mock_cluster_s;
struct rd_kafka_mock_cluster_s *embedded_mock(struct embedded_broker *b);
#endif
