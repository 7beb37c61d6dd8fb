/* conf.c - three layers of settings, and the later one wins: what makes it quick (a user may say
 * otherwise), what the user says, what the promises of this folder rest on (nobody may).
 *
 *     kafka.property.fetch.wait.max.ms = 500
 *         taken, over the 50 of `tuning`
 *     kafka.property.enable.auto.commit = true
 *         refused by name: a position that Kafka moves by itself is one that PostgreSQL has not
 *         committed
 *     kafka.property.sasl.pasword = hunter2
 *         refused, not known to librdkafka; the value is not repeated, it may be a secret */
#include "ingest/kafka/conf.h"

#include "core/log.h"

#include <librdkafka/rdkafka.h>
#include <string.h>

static bool may_hold_secret(const char *name)
{
    static const char *const words[] = { "password", "secret", "key",  "pem",
                                         "jaas",     "token",  "oauth" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(name, words[i])) return true;
    return false;
}

static enum err apply_one(rd_kafka_conf_t *conf, const struct kafka_property *p, struct why *why)
{
    char text[256];
    switch (rd_kafka_conf_set(conf, p->name, p->value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK: return ERR_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return err_set(why, ERR_INVALID, "kafka property \"%s\" is not known to librdkafka %s",
                       p->name, rd_kafka_version_str());
    case RD_KAFKA_CONF_INVALID:
    default:
        if (may_hold_secret(p->name))
            return err_set(why, ERR_INVALID, "kafka property \"%s\": value refused", p->name);
        return err_set(why, ERR_INVALID, "kafka property \"%s\": %s", p->name, text);
    }
}

enum err kafka_conf_apply(struct rd_kafka_conf_s *conf, const struct kafka_property *p, size_t n,
                          const char *const *refused, struct why *why)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; refused && refused[r]; r++)
            if (strcmp(refused[r], p[i].name) == 0)
                return err_set(why, ERR_INVALID, "kafka property \"%s\" is fixed by this service",
                               p[i].name);
        enum err e = apply_one(conf, &p[i], why);
        if (e) return e;
    }
    return ERR_OK;
}

/* What the promises of this folder rest on; each is set below or must stay at its default. */
static const char *const refused[] = {
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "allow.auto.create.topics",
    "check.crcs",
    "isolation.level",
    "enable.partition.eof",
    "offset.store.method",
    "group.instance.id",
    "plugin.library.paths",
    "test.mock.num.brokers",
    NULL,
};

static const struct kafka_property ours[] = {
    { "enable.auto.commit", "false" },  { "enable.auto.offset.store", "false" },
    { "auto.offset.reset", "error" },   { "allow.auto.create.topics", "false" },
    { "check.crcs", "true" },           { "isolation.level", "read_committed" },
    { "enable.partition.eof", "true" },
};

/* One message is handed over at once (fetch.min.bytes 1); a backlog comes in large fetches. A
 * dead connection is found in 10 s. */
static const struct kafka_property tuning[] = {
    { "client.id", "tocsin" },
    { "fetch.min.bytes", "1" },
    { "fetch.wait.max.ms", "50" },
    { "fetch.error.backoff.ms", "100" },
    { "fetch.message.max.bytes", "8000000" },
    { "fetch.max.bytes", "32000000" },
    { "queued.max.messages.kbytes", "65536" },
    { "socket.receive.buffer.bytes", "4000000" },
    { "socket.timeout.ms", "10000" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.ms", "100" },
    { "reconnect.backoff.max.ms", "2000" },
    { "log.connection.close", "false" },
};

enum err kafka_property_check(const struct kafka_property *p, struct why *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum err e = kafka_conf_apply(conf, p, 1, refused, why);
    rd_kafka_conf_destroy(conf);
    return e;
}

/* A library that stops fetching on a full queue looks again only after up to a second, unless it
 * lets us say otherwise; one that does not must have a second's worth of messages in the queue. */
static enum err queue_depth(rd_kafka_conf_t *conf, struct why *why)
{
    const bool can_say =
        rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "5", NULL, 0) == RD_KAFKA_CONF_OK;
    return kafka_conf_apply(
        conf, &(struct kafka_property){ "queued.min.messages", can_say ? "250000" : "1000000" }, 1,
        NULL, why);
}

enum err kafka_conf_consumer(struct rd_kafka_conf_s *conf, const char *brokers, const char *group,
                             const struct kafka_property *p, size_t n, struct why *why)
{
    if (!brokers || !*brokers) return err_set(why, ERR_INVALID, "kafka: no brokers");
    const struct kafka_property where[] = { { "bootstrap.servers", brokers },
                                            { "group.id", group } };
    enum err e = kafka_conf_apply(conf, tuning, ARRAY_LEN(tuning), NULL, why);
    if (!e) e = queue_depth(conf, why);
    if (!e) e = kafka_conf_apply(conf, p, n, refused, why);
    if (!e) e = kafka_conf_apply(conf, ours, ARRAY_LEN(ours), NULL, why);
    return e ? e : kafka_conf_apply(conf, where, group && *group ? 2 : 1, NULL, why);
}

void kafka_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
    (void)rk;
    enum log_level l = level <= 4   ? LOG_WARN
                       : level <= 6 ? LOG_INFO
                                    : LOG_DEBUG; /* syslog's; ours decides what is an error */
    if (strcmp(fac, "AUTOCREATE") == 0)
        l = LOG_DEBUG; /* the embedded broker's old protocol, at every question */
    log_write(l, "librdkafka", "facility", fac, "text", text, (const char *)NULL);
}
