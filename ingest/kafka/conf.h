/* conf.h - librdkafka's settings: which a user may set, which this service holds, and where its
 * log lines go. Thread: any. */
#ifndef TOCSIN_INGEST_KAFKA_CONF_H
#define TOCSIN_INGEST_KAFKA_CONF_H
#include "core/err.h"

struct kafka_property { /* librdkafka's, verbatim */
    const char *name, *value;
};

/* Would kafka_source_open take this property? ERR_INVALID says why not. Starts nothing. */
MUST_USE enum err kafka_property_check(const struct kafka_property *p, struct why *why);

/* ---- for this folder ---- */

/* Sets each property, refusing by name what `refused` (NULL-ended, NULL for none) lists. Secrets
 * stay out of `why`. */
struct rd_kafka_conf_s;
MUST_USE enum err kafka_conf_apply(struct rd_kafka_conf_s *conf, const struct kafka_property *p,
                                   size_t n, const char *const *refused, struct why *why);

/* All that a consumer needs: ours, the user's, where the brokers are. `group` NULL or "": none. */
MUST_USE enum err kafka_conf_consumer(struct rd_kafka_conf_s *conf, const char *brokers,
                                      const char *group, const struct kafka_property *p, size_t n,
                                      struct why *why);

/* librdkafka's own log lines into ours: its log_cb. */
struct rd_kafka_s;
void kafka_log(const struct rd_kafka_s *rk, int level, const char *fac, const char *text);
#endif
