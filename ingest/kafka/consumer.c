/* consumer.c - the consumer opened, polled and closed: see source.h for what it promises,
 * internal.h for who does what. */
#include "ingest/kafka/source.h"

#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    WAIT_SLICE_MS = 100, /* longest wait without looking at errors and intervals */
    TOPIC_NAME_MAX = 249
};

struct kafka_counts kafka_source_counts(const struct kafka_source *s) { return s->counts; }

/* ---- open ---- */

static bool topic_name_ok(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n <= TOPIC_NAME_MAX
           && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static enum err copy_topics(struct kafka_source *s, const struct kafka_config *cfg, struct why *why)
{
    if (cfg->topics_n == 0) return err_set(why, ERR_INVALID, "kafka: no topics");
    s->topics = calloc(cfg->topics_n, sizeof *s->topics);
    s->view.lags = calloc(cfg->topics_n, sizeof *s->view.lags);
    if (!s->topics || !s->view.lags) return ERR_NOMEM;
    for (size_t i = 0; i < cfg->topics_n; i++) {
        const char *name = cfg->topics[i].name;
        if (!topic_name_ok(name))
            return err_set(why, ERR_INVALID, "kafka: \"%.250s\" is no topic name", name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->topics[k].name, name) == 0)
                return err_set(why, ERR_INVALID, "kafka: topic %s is listed twice", name);
        name = arena_copy(&s->strings, name, strlen(name));
        if (!name) return ERR_NOMEM;
        s->topics[s->topics_n++] = (struct topic){ .name = name, .first = cfg->topics[i].first };
        s->view.lags[i].topic = name;
    }
    return ERR_OK;
}

static enum err copy_known(struct kafka_source *s, const struct source_life *known, size_t n)
{
    s->known = calloc(n ? n : 1, sizeof *s->known);
    if (!s->known) return ERR_NOMEM;
    for (; s->known_n < n; s->known_n++) {
        struct source_life k = known[s->known_n];
        k.topic = arena_copy(&s->strings, k.topic, strlen(k.topic));
        k.cluster_id = arena_copy(&s->strings, k.cluster_id, strlen(k.cluster_id));
        k.reason = NULL;
        if (!k.topic || !k.cluster_id) return ERR_NOMEM;
        s->known[s->known_n] = k;
    }
    return ERR_OK;
}

/* Fetches that wait for longer than usual make nobody suspicious. */
static int64_t quiet_ns(const rd_kafka_conf_t *conf)
{
    char text[24] = "0";
    size_t n = sizeof text;
    rd_kafka_conf_get(conf, "fetch.wait.max.ms", text, &n);
    const int64_t waits = 2 * strtoll(text, NULL, 10) * NS_PER_MS;
    return waits > QUIET_NS ? waits : QUIET_NS;
}

static enum err make_conf(struct kafka_source *s, const struct kafka_config *cfg, struct why *why)
{
    s->conf = rd_kafka_conf_new();
    s->hints = cfg->group && *cfg->group;
    rd_kafka_conf_set_opaque(s->conf, s);
    rd_kafka_conf_set_error_cb(s->conf, handle_error);
    rd_kafka_conf_set_log_cb(s->conf, kafka_log);
    enum err e = kafka_conf_consumer(s->conf, cfg->brokers, cfg->group, cfg->properties,
                                     cfg->properties_n, why);
    if (!e) s->quiet_ns = quiet_ns(s->conf);
    return e;
}

static enum err open_format(struct kafka_source *s, const char *name, struct why *why)
{
    const struct format *f;
    enum err e = format_find(name, &f, why);
    if (!e && f->open) e = f->open(&s->format_state, why);
    if (!e) s->format = f;
    return e;
}

enum err kafka_source_open(const struct kafka_config *cfg, const struct source_life *known,
                           size_t known_n, struct kafka_source **out, struct why *why)
{
    struct kafka_source *s = calloc(1, sizeof *s);
    if (!s) return err_set(why, ERR_NOMEM, "kafka source");
    pthread_mutex_init(&s->lock, NULL);
    s->clock = cfg->clock ? cfg->clock : mono_ns;
    s->source_id_next = cfg->source_id_next > 0 ? cfg->source_id_next : 1;
    s->dead_bytes = cfg->dead_bytes;
    s->batch_bytes = cfg->batch_bytes ? cfg->batch_bytes : SIZE_MAX;
    s->msgs = calloc(CHUNK, sizeof *s->msgs);

    enum err e = s->msgs ? ERR_OK : ERR_NOMEM;
    if (!e) e = copy_topics(s, cfg, why);
    if (!e) e = copy_known(s, known, known_n);
    if (!e) e = open_format(s, cfg->format, why);
    if (!e) e = make_conf(s, cfg, why);
    if (!e) e = handle_open(s, why);
    if (e) {
        if (e == ERR_NOMEM) err_set(why, e, "kafka source");
        kafka_source_close(s);
        return e;
    }
    view_publish(s, true);
    *out = s;
    return ERR_OK;
}

/* ---- poll ---- */

/* 0 when there is something to hand over, or no time left. */
static int wait_for(int64_t deadline_ns, bool grown)
{
    const int64_t left_ms = (deadline_ns - mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
    if (grown || left_ms <= 0) return 0;
    return left_ms < WAIT_SLICE_MS ? (int)left_ms : WAIT_SLICE_MS;
}

enum err kafka_source_poll(struct kafka_source *s, struct ingest_batch *batch, int timeout_ms,
                           size_t max_records, struct why *why)
{
    const int64_t deadline = mono_ns() + timeout_ms * NS_PER_MS;
    const size_t lives = batch->lives_n, gaps = batch->gaps_n;
    size_t taken = 0;
    bool idle = false;
    enum err e = ERR_OK;
    while (taken < max_records && batch->bytes < s->batch_bytes) {
        e = house_keep(s, batch, idle, why);
        if (e) break;
        const bool grown = taken || batch->lives_n != lives || batch->gaps_n != gaps;
        const int wait_ms = wait_for(deadline, grown);
        idle = s->msgs_at == s->msgs_n && !take_fetch(s, max_records - taken, wait_ms);
        if (!idle) e = take_chunk(s, batch, max_records - taken, &taken);
        if (e) break;
        if (idle && wait_ms == 0) break;
    }
    view_publish(s, false);
    if (e == ERR_NOMEM) err_set(why, e, "batch of records");
    return e;
}

/* ---- close ---- */

void kafka_source_close(struct kafka_source *s)
{
    if (!s) return;
    if (s->rk && s->hints && !s->down) hints_send(s);
    handle_end(s);
    if (s->conf) rd_kafka_conf_destroy(s->conf);
    if (s->format && s->format->close) s->format->close(s->format_state);
    for (size_t i = 0; i < s->topics_n; i++) free(s->topics[i].parts);
    free(s->topics);
    free(s->view.lags);
    free(s->view.parts);
    buf_release(&s->view.reasons);
    free(s->known);
    free(s->touched);
    free(s->msgs);
    free(s->hint);
    arena_release(&s->strings);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
