/* source.h - the consumer: topics of one Kafka cluster become batches of records.
 *
 * Who stands where. The position of a partition lives in PostgreSQL, in the transaction that
 * stores the effects of the messages before it; Kafka's committed offset is a hint for its own
 * tools. So: open with what PostgreSQL knows, poll, commit the batch, tell
 * kafka_source_committed(). Every partition of every topic is read by this process; there is no
 * consumer group membership, hence no rebalancing, no session to keep alive, and not polling for
 * an hour is legal: that is how the service holds back (librdkafka's own queue is bounded, its
 * pause is never used).
 *
 * Lives. A partition is continued where PostgreSQL left it only if it is provably the same one:
 * the same cluster id, the position within the broker's watermarks, and, when the message before
 * the position is still there, that message is the same one (fingerprint). It is looked at again
 * whenever a partition is opened: at start, after every broker was away, after any error
 * librdkafka cannot heal itself. And it is looked at before anything is taken that comes after a
 * quarter of a second without a message of the partition, or a second in which nobody polled: in
 * that time a topic can be deleted, made anew and filled beyond the position. That costs such a
 * message one more fetch: at most fetch.wait.max.ms, 50. What the broker deleted before it was
 * read is a data_gap and the life goes on. Anything else starts a new life: source_epoch + 1, a
 * new source_id, from the lowest offset there is. Topics are never created here, and an automatic
 * offset reset never happens.
 *
 * Order. Topics marked `first` are read up to the end they had when their partitions were opened
 * before any partition of another topic is opened, so that reference data comes before the ticks
 * that need it. A missing `first` topic holds the others back, and readiness says so.
 *
 * Losing brokers is no error: poll returns empty batches, kafka_source_state() says why,
 * reconnecting goes on for ever. Thread: one (ingest), except where a function says "any". */
#ifndef TOCSIN_INGEST_KAFKA_SOURCE_H
#define TOCSIN_INGEST_KAFKA_SOURCE_H
#include "core/buf.h"
#include "ingest/batch.h"
#include "ingest/kafka/conf.h"

struct kafka_topic {
    const char *name;
    bool first; /* read to its end before the topics that are not */
};

struct kafka_config {
    const char *brokers; /* "10.0.0.1:9092,10.0.0.2:9092" */
    const char *format;  /* of the messages: one of ingest/formats; NULL: the first of them */
    const char *group;   /* under which offset hints are committed; NULL or "": no hints */
    const struct kafka_topic *topics;
    size_t topics_n;
    const struct kafka_property *properties; /* librdkafka's, verbatim, last one wins */
    size_t properties_n;
    size_t dead_bytes;      /* of a refused message are kept at most; 0: all */
    size_t batch_bytes;     /* of messages in a batch, and one message more; 0: any number */
    int32_t source_id_next; /* the first source_id that is free in tocsin.source; at least 1 */
    int64_t (*clock)(void); /* for intervals; NULL: mono_ns. Waiting itself is always real time */
};

struct kafka_source;

/* Checks the settings and starts librdkafka; does not wait for a broker. `known` is the newest
 * life of each (topic, part); lives of topics not configured are ignored. Everything is copied.
 * ERR_INVALID names the setting that is wrong: a property librdkafka does not know or whose value
 * it refuses, or one this service depends on and does not let go of. */
MUST_USE enum err kafka_source_open(const struct kafka_config *cfg, const struct source_life *known,
                                    size_t known_n, struct kafka_source **out, struct why *why);

/* Stops fetching and ends librdkafka: at most 3 s, then it is left to end by itself. NULL is
 * fine. */
void kafka_source_close(struct kafka_source *src);

/* Appends what is there, at most `max_records` messages and batch_bytes; returns as soon as there is something,
 * else after timeout_ms (with brokers in trouble up to 3 s later). What is appended belongs
 * together: lives and gaps first, then records and dead letters, then the marks that say where
 * the sources stand after them. A batch may hold lives, gaps or marks and no record: it is to be
 * committed like any other. The marks are of this source's view: a batch once taken is not handed
 * out again.
 *
 * Every record has source_id, offset and received_ms (the message's own timestamp); the mark of
 * its source is in the same batch. ERR_NOMEM: what is in the batch is whole and counts; nothing
 * was lost, poll again. ERR_KAFKA: librdkafka failed for good twice within a minute: end the
 * process. */
MUST_USE enum err kafka_source_poll(struct kafka_source *src, struct ingest_batch *batch,
                                    int timeout_ms, size_t max_records, struct why *why);

/* These positions are committed in PostgreSQL: passed on to Kafka as a hint by a later poll,
 * without waiting. Thread: any. */
void kafka_source_committed(struct kafka_source *src, const struct source_mark *marks, size_t n);

/* True when everything configured is being read. Otherwise appends the reasons as JSON strings
 * with commas between:
 *     "kafka: all brokers down","kafka: topic news does not exist"
 * As of the last poll. No host name, no address. Thread: any. */
bool kafka_source_state(struct kafka_source *src, struct buf *reasons);

struct kafka_lag {
    const char *topic;
    int64_t messages;
}; /* the name lives as long as the source */
/* The lag of each topic in configured order, as of the last poll; returns how many there are.
 * Thread: any. */
size_t kafka_source_lags(struct kafka_source *src, struct kafka_lag *out, size_t cap);

/* The lag of each partition that has been seen, as of the last poll, one call each, under a lock that
 * poll takes too. Thread: any. */
void kafka_source_part_lags(struct kafka_source *src,
                            void (*each)(void *ctx, const char *topic, int32_t part, int64_t lag),
                            void *ctx);

/* For tests and the log: what happened since open. Thread: ingest. */
struct kafka_counts {
    int64_t repeats;  /* messages below the position: dropped */
    int64_t reopened; /* partitions closed and opened again because of an error */
    int64_t stalls;   /* of those: the broker had more and nothing came for 30 s */
    int64_t doubts;   /* partitions opened again to see whether it is the log it was */
    int64_t rebuilds; /* times librdkafka was started anew */
};
struct kafka_counts kafka_source_counts(const struct kafka_source *src);

/* 64-bit hash of one message; stored, so it never changes. NULL and empty differ. Never 0: that
 * is "none". Pure. */
int64_t kafka_fingerprint(int64_t timestamp_ms, const void *key, size_t key_n, const void *value,
                          size_t value_n);
#endif
