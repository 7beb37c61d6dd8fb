/* producer.h - a small producer for `replay` and the demo: keyed messages, idempotent, every
 * delivery report counted.
 *
 * Keys go to partitions by murmur2 (as Java clients do), so a topic may be shared with them; a
 * message without key goes anywhere. A message counts as delivered only when all in-sync replicas
 * have it. Thread: one. */
#ifndef TOCSIN_INGEST_KAFKA_PRODUCER_H
#define TOCSIN_INGEST_KAFKA_PRODUCER_H
#include "ingest/kafka/conf.h"

#include <stdint.h>

struct producer_config {
    const char *brokers;
    const struct kafka_property *properties;
    size_t properties_n;
    int message_timeout_ms; /* a message not delivered by then counts as failed; 0: 30000 */
};

struct producer;

/* Does not wait for a broker. ERR_INVALID names the property that is wrong. */
MUST_USE enum err producer_open(const struct producer_config *cfg, struct producer **out,
                                struct why *why);

/* Copies and queues; blocks while the local queue is full. key NULL: none; value NULL: a
 * tombstone; timestamp_ms 0: now. ERR_FULL when the queue stayed full for the message timeout,
 * ERR_TOO_LARGE, ERR_KAFKA when the producer has failed for good or the topic or partition is not
 * there. */
MUST_USE enum err producer_send(struct producer *p, const char *topic, const void *key,
                                size_t key_n, const void *value, size_t value_n,
                                int64_t timestamp_ms, struct why *why);
/* The same to a partition of the caller's choice. */
MUST_USE enum err producer_send_to(struct producer *p, const char *topic, int32_t part,
                                   const void *key, size_t key_n, const void *value, size_t value_n,
                                   int64_t timestamp_ms, struct why *why);

/* Waits until every message is reported, at most timeout_ms. ERR_KAFKA when any failed since open
 * or is still under way; `why` has the numbers and the first failure. */
MUST_USE enum err producer_flush(struct producer *p, int timeout_ms, struct why *why);

struct producer_counts {
    int64_t queued, delivered, failed;
}; /* under way: queued - delivered - failed */
struct producer_counts producer_counts(const struct producer *p);

/* Drops what is still queued; at most about 3 s. NULL is fine. */
void producer_close(struct producer *p);
#endif
