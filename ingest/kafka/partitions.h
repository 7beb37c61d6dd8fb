/* partitions.h - how many partitions a topic has: one question to the brokers. Thread: any. */
#ifndef TOCSIN_INGEST_KAFKA_PARTITIONS_H
#define TOCSIN_INGEST_KAFKA_PARTITIONS_H
#include "ingest/kafka/conf.h"

/* ERR_NOT_FOUND when the topic is not there, ERR_KAFKA when no broker answers within timeout_ms,
 * ERR_INVALID names a wrong property. */
MUST_USE enum err topic_partitions(const char *brokers, const struct kafka_property *properties,
                                   size_t properties_n, const char *topic, int timeout_ms, int *out,
                                   struct why *why);
#endif
