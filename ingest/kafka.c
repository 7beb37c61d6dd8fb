#include "ingest/kafka.h"

#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/formats/json.h"

#include <endian.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CHUNK = 10000,       /* messages taken from librdkafka in one go */
    WAIT_SLICE_MS = 100, /* longest wait without looking at errors and intervals */
    ASK_MS = 1000,       /* longest wait for an answer to metadata and watermarks */
    POISON_MIN = 200,
    POISON_PERCENT = 5,
    CLOSE_S = 3,
    TOPIC_NAME_MAX = 249,
};

#define REFRESH_NS (30 * NS_PER_S)     /* metadata when all is well: new partitions and topics */
#define RETRY_MIN_NS (100 * NS_PER_MS) /* and when it is not */
#define RETRY_MAX_NS (1 * NS_PER_S)
#define REOPEN_MIN_NS (500 * NS_PER_MS) /* a partition with errors: doubled each time */
#define REOPEN_MAX_NS (5 * NS_PER_S)
#define STALL_NS (15 * NS_PER_S) /* seen behind and unmoved twice in a row is a stall */
#define POISON_NS (60 * NS_PER_S)
#define FATAL_NS (60 * NS_PER_S)
#define HINT_NS (1 * NS_PER_S)
#define VIEW_NS (250 * NS_PER_MS)

enum part_state {
    PART_WAITING,   /* not fetched; what still arrives of it is stale */
    PART_VERIFYING, /* fetched from next - 1: its first message must be the one we know */
    PART_READING
};

struct part {
    struct topic *topic;
    int32_t no;
    enum part_state state;

    bool alive; /* has a life: the fields below */
    int32_t source_id, source_epoch;
    const char *cluster;
    int64_t next, fingerprint;
    const char *reborn; /* why the next opening starts a new life; NULL: not known to need one */

    int64_t end_at_open; /* high watermark then; a `first` partition has caught up from there on */
    bool caught_up;
    int64_t eof; /* the end last reported; past markers that are no messages */

    int64_t retry_ns;
    unsigned tries;
    const char *trouble; /* stable name of its last error; NULL once it moves again */

    const rd_kafka_message_t *last; /* newest one taken of the chunk in hand, not yet in the mark */
    int64_t window_ns, window_n, window_refused;
    bool poisoned;
    int64_t seen_next, seen_high; /* at the last look for stalls */
    unsigned stalls;
};

struct topic {
    const char *name;
    bool first, exists;
    bool warned;
    const char *trouble; /* stable name of the broker's error about it */
    struct part *parts;
    size_t parts_n; /* ever seen */
    size_t there_n; /* of the topic as it is now: one made anew may have fewer */
    rd_kafka_topic_t *handle;
};

struct view { /* what other threads may ask for */
    struct buf reasons;
    bool ready;
    struct kafka_lag *lags;
};

struct kafka_source {
    struct arena strings;  /* names that live as long as this */
    rd_kafka_conf_t *conf; /* to start librdkafka from, again if need be */
    int64_t (*clock)(void);
    struct topic *topics;
    size_t topics_n;
    struct source_life *known;
    size_t known_n;
    int32_t source_id_next;
    bool hints; /* a group is configured */

    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;   /* all partitions lead here */
    rd_kafka_message_t **msgs; /* taken from librdkafka, [msgs_at, msgs_n) still to be applied */
    size_t msgs_at, msgs_n;
    struct part **touched; /* have a `last` */
    size_t touched_n, parts_total;

    const char *cluster; /* id of the cluster that answered last; NULL before the first answer */
    bool fresh;          /* this client has not been answered yet: whose it is, is not known */
    bool down, down_new, fatal;
    int64_t fatal_ns;  /* when librdkafka was last rebuilt for it; 0: never */
    const char *error; /* stable name of the last general error; NULL once metadata came */
    int64_t metadata_due, metadata_wait, stall_due, hint_due, view_due;
    bool gate_open; /* the `first` topics are through */
    struct kafka_counts counts;

    pthread_mutex_t lock; /* guards what follows */
    struct view view;
    struct source_mark *hint;
    size_t hint_n, hint_cap;
};

/* ---- pure ---- */

static uint64_t mix(uint64_t x) /* splitmix64's finaliser */
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n)
{
    h = mix(h ^ (p ? (uint64_t)n + 1 : 0)); /* NULL is not the empty string */
    const unsigned char *b = p;
    for (; n >= 8 && p; b += 8, n -= 8) {
        uint64_t w;
        memcpy(&w, b, 8);
        h = mix(h ^ le64toh(w)) + 0x9e3779b97f4a7c15u;
    }
    uint64_t tail = 0;
    if (p) memcpy(&tail, b, n);
    return mix(h ^ le64toh(tail));
}

int64_t kafka_fingerprint(int64_t timestamp_ms, const void *key, size_t key_n, const void *value,
                          size_t value_n)
{
    uint64_t h = mix((uint64_t)timestamp_ms + 0x9e3779b97f4a7c15u);
    h = mix_bytes(mix_bytes(h, key, key_n), value, value_n);
    return h ? (int64_t)h : 1;
}

static int64_t message_ms(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(m, &type);
}

static int64_t message_fingerprint(const rd_kafka_message_t *m)
{
    return kafka_fingerprint(message_ms(m), m->key, m->key_len, m->payload, m->len);
}

static bool topic_name_ok(const char *s)
{
    size_t n = strlen(s);
    return n > 0 && n <= TOPIC_NAME_MAX
           && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

/* ---- settings ---- */

static bool may_hold_secret(const char *name)
{
    static const char *const words[] = { "password", "secret", "key",  "pem",
                                         "jaas",     "token",  "oauth" };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(name, words[i])) return true;
    return false;
}

enum err kafka_conf_apply(struct rd_kafka_conf_s *conf, const struct kafka_property *p, size_t n,
                          const char *const *refused, struct why *why)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t r = 0; refused && refused[r]; r++)
            if (strcmp(refused[r], p[i].name) == 0)
                return err_set(why, ERR_INVALID, "kafka property \"%s\" is fixed by this service",
                               p[i].name);
        char text[256];
        switch (rd_kafka_conf_set(conf, p[i].name, p[i].value, text, sizeof text)) {
        case RD_KAFKA_CONF_OK: break;
        case RD_KAFKA_CONF_UNKNOWN:
            return err_set(why, ERR_INVALID, "kafka property \"%s\" is not known to librdkafka %s",
                           p[i].name, rd_kafka_version_str());
        case RD_KAFKA_CONF_INVALID:
        default:
            if (may_hold_secret(p[i].name))
                return err_set(why, ERR_INVALID, "kafka property \"%s\": value refused", p[i].name);
            return err_set(why, ERR_INVALID, "kafka property \"%s\": %s", p[i].name, text);
        }
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

enum err kafka_property_check(const struct kafka_property *p, struct why *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum err e = kafka_conf_apply(conf, p, 1, refused, why);
    rd_kafka_conf_destroy(conf);
    return e;
}

static const struct kafka_property ours[] = {
    { "enable.auto.commit", "false" },  { "enable.auto.offset.store", "false" },
    { "auto.offset.reset", "error" },   { "allow.auto.create.topics", "false" },
    { "check.crcs", "true" },           { "isolation.level", "read_committed" },
    { "enable.partition.eof", "true" },
};

/* One message is handed over at once (fetch.min.bytes 1); a backlog comes in large fetches. A dead connection is found in 10 s. */
static const struct kafka_property tuning[] = {
    { "client.id", "tocsin" },
    { "fetch.min.bytes", "1" },
    { "fetch.wait.max.ms", "50" },
    { "fetch.error.backoff.ms", "100" },
    { "fetch.message.max.bytes", "8000000" },
    { "fetch.max.bytes", "64000000" },
    { "queued.max.messages.kbytes", "131072" },
    { "socket.receive.buffer.bytes", "4000000" },
    { "socket.timeout.ms", "10000" },
    { "socket.keepalive.enable", "true" },
    { "reconnect.backoff.ms", "100" },
    { "reconnect.backoff.max.ms", "2000" },
    { "log.connection.close", "false" },
};

/* A library that stops fetching on a full queue looks again only after up to a second, unless it lets us say otherwise; one that
 * does not must have a second's worth of messages in the queue. */
static enum err conf_queue_depth(rd_kafka_conf_t *conf, struct why *why)
{
    const bool can_say =
        rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "5", NULL, 0) == RD_KAFKA_CONF_OK;
    return kafka_conf_apply(
        conf, &(struct kafka_property){ "queued.min.messages", can_say ? "250000" : "1000000" }, 1,
        NULL, why);
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

/* From inside rd_kafka_poll: the ingest thread. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    (void)rk;
    struct kafka_source *s = opaque;
    metric_add(METRIC_KAFKA_ERRORS, 1);
    const char *name = rd_kafka_err2name((rd_kafka_resp_err_t)err);
    switch (err) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (!s->down) log_warn("kafka: all brokers down", "detail", reason);
        s->down = s->down_new = true;
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        log_error("kafka: librdkafka failed", "detail", reason);
        s->fatal = true;
        break;
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
        if (s->cluster)
            break; /* one connection of several: librdkafka logs it, and its partitions move or lag */
        /* fall through */
    default:
        if (s->error != name) log_warn("kafka: error", "code", name, "detail", reason);
        s->error = name;
        if (s->metadata_due > s->clock() + RETRY_MAX_NS)
            s->metadata_due = s->clock() + RETRY_MAX_NS; /* is it over? */
    }
}

/* ---- librdkafka, started and ended ---- */

static enum err handle_open(struct kafka_source *s, struct why *why)
{
    char text[300] = "out of memory";
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(s->conf);
    s->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!s->rk) {
        rd_kafka_conf_destroy(conf);
        return err_set(why, ERR_INVALID, "kafka consumer: %s", text);
    }
    s->queue = rd_kafka_queue_new(s->rk);
    for (size_t i = 0; i < s->topics_n; i++) {
        rd_kafka_topic_conf_t *tc = rd_kafka_default_topic_conf_dup(s->rk);
        rd_kafka_topic_conf_set_opaque(tc, &s->topics[i]);
        s->topics[i].handle = rd_kafka_topic_new(s->rk, s->topics[i].name, tc);
        if (!s->topics[i].handle) {
            rd_kafka_topic_conf_destroy(tc);
            return err_set(why, ERR_KAFKA, "topic %s: %s", s->topics[i].name,
                           rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    s->fresh = true;
    s->down = s->down_new = s->fatal = false;
    s->metadata_due = 0;
    s->metadata_wait = RETRY_MIN_NS;
    return ERR_OK;
}

struct
    ending { /* what a thread of its own takes apart: each of these calls may wait for librdkafka */
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    size_t topics_n, stops_n;
    struct {
        rd_kafka_topic_t *topic;
        int32_t part;
    } *stops;
    rd_kafka_topic_t *topics[];
};

static void *take_apart(void *arg)
{
    struct ending *e = arg;
    for (size_t i = 0; i < e->stops_n; i++)
        rd_kafka_consume_stop(e->stops[i].topic,
                              e->stops[i].part); /* else destroying takes for ever */
    for (size_t i = 0; i < e->topics_n; i++) rd_kafka_topic_destroy(e->topics[i]);
    if (e->queue) rd_kafka_queue_destroy(e->queue);
    rd_kafka_destroy(e->rk);
    free(e->stops);
    free(e);
    return NULL;
}

/* What is in hand but not applied is dropped: it will be fetched again. */
static void handle_end(struct kafka_source *s)
{
    for (; s->msgs_at < s->msgs_n; s->msgs_at++) rd_kafka_message_destroy(s->msgs[s->msgs_at]);
    struct ending *e = s->rk ? calloc(1, sizeof *e + s->topics_n * sizeof e->topics[0]) : NULL;
    if (!e) return; /* without memory the process is at its end as well */
    *e = (struct ending){ .rk = s->rk,
                          .queue = s->queue,
                          .stops = calloc(s->parts_total + 1, sizeof *e->stops) };
    for (size_t i = 0; i < s->topics_n; i++) {
        struct topic *t = &s->topics[i];
        for (size_t k = 0; k < t->parts_n; k++) {
            if (t->parts[k].state != PART_WAITING && e->stops) {
                e->stops[e->stops_n].topic = t->handle;
                e->stops[e->stops_n++].part = t->parts[k].no;
            }
            t->parts[k].state = PART_WAITING;
        }
        if (t->handle) e->topics[e->topics_n++] = t->handle;
        t->handle = NULL;
    }
    s->rk = NULL;
    s->queue = NULL;

    pthread_t thread;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME,
                  &until); /* pthread_clockjoin_np is unknown to ThreadSanitizer of gcc 12 */
    until.tv_sec += CLOSE_S;
    if (pthread_create(&thread, NULL, take_apart, e))
        log_warn("kafka: no thread to end librdkafka; it is left behind");
    else if (pthread_timedjoin_np(thread, NULL, &until)) {
        log_warn("kafka: librdkafka did not end in time and is left behind");
        pthread_detach(thread);
    }
}

/* For whatever a client cannot forget. Those that have met two clusters stall; 2.8 keeps a freed entry of the topic whose id
 * has changed in its metadata cache, and crashes on it. */
static enum err rebuild(struct kafka_source *s, struct why *why)
{
    s->counts.rebuilds++;
    log_info("kafka: starting librdkafka anew");
    handle_end(s);
    return handle_open(s, why);
}

/* ---- lives ---- */

/* It will be opened again by a later turn, and prove itself again. */
static void part_close(struct part *p)
{
    if (p->state == PART_WAITING) return;
    rd_kafka_consume_stop(
        p->topic->handle,
        p->no); /* from here on whatever is queued of it is outdated for librdkafka */
    p->state = PART_WAITING;
}

static void part_retry_later(struct kafka_source *s, struct part *p)
{
    int64_t delay = REOPEN_MIN_NS << (p->tries < 8 ? p->tries : 8);
    if (delay > REOPEN_MAX_NS) delay = REOPEN_MAX_NS;
    p->tries++;
    p->retry_ns = s->clock() + delay;
}

static void part_failed(struct kafka_source *s, struct part *p, rd_kafka_resp_err_t err,
                        const char *detail)
{
    metric_add(METRIC_KAFKA_ERRORS, 1);
    const char *name = rd_kafka_err2name(err);
    if (p->trouble != name)
        log_warn("kafka: partition error", "topic", p->topic->name, "part", LOG_I64(p->no), "code",
                 name, "detail", detail);
    p->trouble = name;
    s->counts.reopened += p->state != PART_WAITING;
    part_close(p);
    part_retry_later(s, p);
}

static void part_moved(struct part *p)
{
    p->tries = 0;
    p->trouble = NULL;
    p->stalls = 0;
}

/* A new life from offset `low`: into the batch, then into the partition. On failure neither has it. */
static enum err part_begin_life(struct kafka_source *s, struct part *p, const char *reason,
                                int64_t low, struct ingest_batch *batch)
{
    const char *topic = arena_copy(&batch->arena, p->topic->name, strlen(p->topic->name));
    const char *cluster = arena_copy(&batch->arena, s->cluster, strlen(s->cluster));
    const char *text = arena_copy(&batch->arena, reason, strlen(reason));
    struct source_life *life = topic && cluster && text ? ingest_batch_life(batch) : NULL;
    if (!life) return ERR_NOMEM;

    if (p->alive) {
        metric_add(METRIC_SOURCE_EPOCHS, 1);
        log_warn("kafka: new life of a partition", "topic", p->topic->name, "part", LOG_I64(p->no),
                 "reason", reason, "was at", LOG_I64(p->next), "starts at", LOG_I64(low));
    }
    p->source_epoch = p->alive ? p->source_epoch + 1 : 1;
    p->source_id = s->source_id_next++;
    p->alive = true;
    p->cluster = s->cluster;
    p->next = low;
    p->fingerprint = 0;
    p->reborn = NULL;
    p->caught_up = false;
    *life = (struct source_life){
        .source_id = p->source_id,
        .part = p->no,
        .source_epoch = p->source_epoch,
        .cluster_id = cluster,
        .topic = topic,
        .reason = text,
        .next_offset = low,
    };
    return ERR_OK;
}

/* The broker no longer has [next, low). */
static enum err part_gap(struct part *p, int64_t low, struct ingest_batch *batch)
{
    struct source_mark *mark = ingest_batch_mark(batch, p->source_id);
    if (!mark) return ERR_NOMEM;
    *mark = (struct source_mark){ p->source_id, p->next, p->fingerprint };
    struct data_gap *gap = ingest_batch_gap(batch);
    if (!gap) return ERR_NOMEM;

    *gap = (struct data_gap){ p->source_id, p->next, low };
    *mark = (struct source_mark){ p->source_id, low, 0 };
    metric_add(METRIC_DATA_GAPS, 1);
    log_error("kafka: the broker has deleted messages before they were read", "topic",
              p->topic->name, "part", LOG_I64(p->no), "from", LOG_I64(p->next), "to", LOG_I64(low));
    p->next = low;
    p->fingerprint = 0;
    return ERR_OK;
}

/* Asks for one end of a partition. The call made for this, rd_kafka_query_watermark_offsets, does not keep to its time limit
 * when the leader goes away (2.0.2), this one does: -2 and -1 are the "times" of the lowest and of the next offset. */
static rd_kafka_resp_err_t ask_offset(struct kafka_source *s, const struct part *p, int64_t which,
                                      int ask_ms, int64_t *out)
{
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, p->topic->name, p->no)->offset = which;
    rd_kafka_resp_err_t err = rd_kafka_offsets_for_times(s->rk, l, ask_ms);
    if (!err) err = l->elems[0].err;
    if (!err && l->elems[0].offset < 0) err = RD_KAFKA_RESP_ERR__NO_OFFSET;
    if (!err) *out = l->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(l);
    return err;
}

/* Decides which life this is, and starts fetching. Whatever the broker does not answer is tried again later. */
static enum err part_open(struct kafka_source *s, struct part *p, int ask_ms,
                          struct ingest_batch *batch)
{
    int64_t low, high;
    rd_kafka_resp_err_t err = ask_offset(s, p, RD_KAFKA_OFFSET_BEGINNING, ask_ms, &low);
    if (!err) err = ask_offset(s, p, RD_KAFKA_OFFSET_END, ask_ms, &high);
    if (err) {
        part_failed(s, p, err, "watermarks");
        return ERR_OK;
    }

    const char *reason = !p->alive                        ? "first seen"
                         : strcmp(p->cluster, s->cluster) ? "other cluster"
                         : p->reborn                      ? p->reborn
                         : p->next > high                 ? "offsets out of range"
                                                          : NULL;
    enum err e = reason          ? part_begin_life(s, p, reason, low, batch)
                 : p->next < low ? part_gap(p, low, batch)
                                 : ERR_OK;
    if (e) return e;

    const bool verify = p->fingerprint != 0 && p->next > low;
    if (rd_kafka_consume_start_queue(p->topic->handle, p->no, verify ? p->next - 1 : p->next,
                                     s->queue)) {
        part_failed(s, p, rd_kafka_last_error(), "start");
        return ERR_OK;
    }
    p->state = verify ? PART_VERIFYING : PART_READING;
    p->end_at_open = high;
    p->eof = -1;
    if (p->next >= high) p->caught_up = true;
    p->seen_next = -1;
    return ERR_OK;
}

/* ---- messages ---- */

static void poison_count(struct part *p, int64_t now, bool refused_one)
{
    if (now - p->window_ns >= POISON_NS) {
        p->poisoned = p->poisoned && p->window_n >= POISON_MIN
                      && p->window_refused * 100 > p->window_n * POISON_PERCENT;
        p->window_ns = now;
        p->window_n = p->window_refused = 0;
    }
    p->window_n++;
    p->window_refused += refused_one;
    if (!p->poisoned && refused_one && p->window_n >= POISON_MIN
        && p->window_refused * 100 > p->window_n * POISON_PERCENT) {
        p->poisoned = true;
        log_error("kafka: too many messages refused", "topic", p->topic->name, "part",
                  LOG_I64(p->no), "refused", LOG_I64(p->window_refused), "of",
                  LOG_I64(p->window_n));
    }
}

static enum err refuse(const struct part *p, const rd_kafka_message_t *m, enum err reason,
                       const char *detail, struct ingest_batch *batch)
{
    struct arena *a = &batch->arena;
    const char *topic = arena_copy(a, p->topic->name, strlen(p->topic->name));
    const char *text = arena_copy(a, detail, strlen(detail));
    const char *key = m->key ? arena_copy(a, m->key, m->key_len) : NULL;
    const char *bytes = m->payload ? arena_copy(a, m->payload, m->len) : NULL;
    if (!topic || !text || (m->key && !key) || (m->payload && !bytes)) return ERR_NOMEM;
    struct dead_letter *d = ingest_batch_dead(batch);
    if (!d) return ERR_NOMEM;
    *d = (struct dead_letter){
        .topic = topic,
        .part = p->no,
        .source_id = p->source_id,
        .kafka_offset = m->offset,
        .reason = reason,
        .detail = text,
        .message_key = { key, (uint32_t)m->key_len },
        .message = { bytes, (uint32_t)m->len },
    };
    metric_add(METRIC_DEAD_LETTERS, 1);
    return ERR_OK;
}

/* One message at or past the position: a record or a dead letter. ERR_NOMEM leaves it to be taken again. */
static enum err take_message(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m,
                             int64_t now, struct ingest_batch *batch)
{
    if (!p->last) { /* room for the position first: records without it would come twice */
        struct source_mark *mark = ingest_batch_mark(batch, p->source_id);
        if (!mark) return ERR_NOMEM;
        *mark = (struct source_mark){ p->source_id, p->next, p->fingerprint };
    }

    struct record r;
    struct why why = { .text = "" };
    enum err e = !m->payload ? err_set(&why, ERR_INVALID, "no value")
                 : m->len > MESSAGE_MAX
                     ? err_set(&why, ERR_TOO_LARGE, "%zu bytes, at most %d", m->len, MESSAGE_MAX)
                     : record_decode(m->payload, m->len, &batch->arena, &r, &why);
    if (e == ERR_NOMEM) return e;
    if (e) {
        const enum err kept = refuse(p, m, e, why.text, batch);
        if (kept) return kept;
    } else {
        struct record *slot = ingest_batch_record(batch);
        if (!slot) return ERR_NOMEM;
        /* its bytes are kept in case the engine refuses it */
        r.message = (struct str){ arena_copy(&batch->arena, m->payload, m->len), (uint32_t)m->len };
        if (!r.message.p) {
            batch->records_n--;
            return ERR_NOMEM;
        }
        *slot = r;
        slot->source_id = p->source_id;
        slot->offset = m->offset;
        slot->received_ms = message_ms(m);
        if (slot->received_ms < 0)
            slot->received_ms = wall_ns() / NS_PER_MS; /* a producer that sets none */
    }
    poison_count(p, now, e != ERR_OK);
    if (!p->last) s->touched[s->touched_n++] = p;
    p->last = m;
    p->next = m->offset + 1;
    if (p->next >= p->end_at_open) p->caught_up = true;
    return ERR_OK;
}

/* The end of the partition, or an error of it. */
static void take_event(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m)
{
    if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        const char *detail = m->payload; /* librdkafka puts its text there */
        part_failed(s, p, m->err, detail ? detail : "");
        if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
            || m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
            if (p->tries == 1)
                p->retry_ns =
                    0; /* the watermarks will say what happened; only a repetition waits */
        }
        if (m->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION
            || m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            || m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            s->metadata_due = 0;
        return;
    }
    if (m->offset < p->next) { /* the log ends before our position: it is not the log we knew */
        part_close(p);
        part_retry_later(s, p);
        if (p->tries == 1) p->retry_ns = 0;
        return;
    }
    p->state = PART_READING;
    p->eof = m->offset;
    p->caught_up = true;
    part_moved(p);
}

static enum err take(struct kafka_source *s, const rd_kafka_message_t *m, int64_t now,
                     struct ingest_batch *batch, size_t *taken)
{
    struct topic *t = rd_kafka_topic_opaque(m->rkt);
    if (m->partition < 0 || (size_t)m->partition >= t->parts_n) return ERR_OK;
    struct part *p = &t->parts[m->partition];
    if (p->state == PART_WAITING) return ERR_OK;
    if (m->err) {
        take_event(s, p, m);
        return ERR_OK;
    }
    if (p->state == PART_VERIFYING) {
        if (m->offset == p->next - 1 && message_fingerprint(m) != p->fingerprint) {
            p->reborn = "other message at the position";
            part_close(p);
            return ERR_OK;
        }
        p->state = PART_READING;
        if (m->offset == p->next - 1) return ERR_OK;
    }
    if (m->offset < p->next) {
        s->counts.repeats++;
        return ERR_OK;
    }
    if (batch->taken_ns == 0) batch->taken_ns = mono_ns();
    enum err e = take_message(s, p, m, now, batch);
    if (e) return e;
    part_moved(p);
    ++*taken;
    return ERR_OK;
}

/* Applies what is in hand, at most `max`; the positions reached go into the marks. */
static enum err take_chunk(struct kafka_source *s, struct ingest_batch *batch, size_t max,
                           size_t *taken)
{
    const int64_t now = s->clock();
    const size_t from = s->msgs_at;
    size_t n = 0;
    enum err e = ERR_OK;
    while (n < max && s->msgs_at < s->msgs_n && !(e = take(s, s->msgs[s->msgs_at], now, batch, &n)))
        s->msgs_at++;

    for (size_t i = 0; i < s->touched_n; i++) {
        struct part *p = s->touched[i];
        p->fingerprint = message_fingerprint(p->last);
        p->last = NULL;
        *ingest_batch_mark(batch, p->source_id) =
            (struct source_mark){ p->source_id, p->next, p->fingerprint };
    }
    s->touched_n = 0;
    for (size_t i = from; i < s->msgs_at; i++) rd_kafka_message_destroy(s->msgs[i]);
    metric_add(METRIC_RECORDS_CONSUMED, (int64_t)n);
    *taken += n;
    return e;
}

/* Waits for the first message only: the batch call would wait until it is full. True when something came. */
static bool fetch(struct kafka_source *s, size_t want, int wait_ms)
{
    rd_kafka_poll(s->rk, 0);
    if (s->down_new || s->fatal)
        return false; /* what is queued may be of another cluster: decided before it is taken */
    if (want > CHUNK) want = CHUNK;
    size_t n = 0;
    if (wait_ms > 0) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(s->queue, wait_ms);
        if (!m) return false;
        s->msgs[n++] = m;
    }
    if (n < want) {
        ssize_t k = rd_kafka_consume_batch_queue(s->queue, 0, s->msgs + n, want - n);
        if (k > 0) n += (size_t)k;
    }
    s->msgs_at = 0;
    s->msgs_n = n;
    return n > 0;
}

/* ---- keeping house ---- */

static void close_all(struct kafka_source *s)
{
    for (size_t i = 0; i < s->topics_n; i++)
        for (size_t k = 0; k < s->topics[i].parts_n; k++) {
            part_close(&s->topics[i].parts[k]);
            s->topics[i].parts[k].retry_ns = 0;
        }
}

static enum err topic_grow(struct kafka_source *s, struct topic *t, size_t n)
{
    if (n <= t->parts_n) return ERR_OK; /* what is there no longer keeps its place: see there_n */
    struct part **touched =
        realloc(s->touched, (s->parts_total + n - t->parts_n) * sizeof *touched);
    if (!touched) return ERR_NOMEM;
    s->touched = touched;
    struct part *parts = realloc(t->parts, n * sizeof *parts);
    if (!parts) return ERR_NOMEM;
    t->parts = parts;
    for (; t->parts_n < n; t->parts_n++, s->parts_total++) {
        struct part *p = &parts[t->parts_n];
        *p = (struct part){ .topic = t, .no = (int32_t)t->parts_n, .eof = -1, .seen_next = -1 };
        for (size_t i = 0; i < s->known_n; i++) {
            const struct source_life *k = &s->known[i];
            if (k->part != p->no || strcmp(k->topic, t->name)) continue;
            p->alive = true;
            p->source_id = k->source_id;
            p->source_epoch = k->source_epoch;
            p->cluster = k->cluster_id;
            p->next = k->next_offset;
            p->fingerprint = k->fingerprint;
        }
    }
    return ERR_OK;
}

static enum err topic_learn(struct kafka_source *s, struct topic *t,
                            const struct rd_kafka_metadata_topic *m)
{
    const bool missing = m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                         || m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    t->trouble = NULL;
    if (m->err && !missing) t->trouble = rd_kafka_err2name(m->err);
    if (missing && !t->warned)
        log_warn("kafka: topic does not exist; waiting for it", "topic", t->name);
    t->warned = missing;
    t->exists = !m->err;
    if (m->err) return ERR_OK;
    enum err e = topic_grow(s, t, (size_t)m->partition_cnt);
    if (e) return e;
    t->there_n = (size_t)m->partition_cnt;
    for (size_t k = t->there_n; k < t->parts_n; k++) {
        part_close(&t->parts[k]);
        t->parts[k].trouble = NULL;
        t->parts[k].end_at_open = 0;
    }
    return ERR_OK;
}

/* Everything read so far was somebody else's. */
static void cluster_changed(struct kafka_source *s, const char *id)
{
    log_warn("kafka: another cluster answers", "was", s->cluster, "is", id);
    close_all(s);
    for (size_t k = 0; k < s->topics_n; k++)
        for (size_t i = 0; i < s->topics[k].parts_n; i++) s->topics[k].parts[i].caught_up = false;
    s->gate_open = false;
}

/* Asks what there is. Without an answer everything stays as it is. One topic at a time: asking for several at once lets
 * librdkafka permit the broker to create one that has just been deleted. */
static enum err refresh(struct kafka_source *s, int ask_ms, struct why *why)
{
    bool whole = true, mixed = false;
    for (size_t i = 0; i < s->topics_n; i++) {
        struct topic *t = &s->topics[i];
        const struct rd_kafka_metadata *md;
        if (rd_kafka_metadata(s->rk, 0, t->handle, &md, ask_ms)) {
            s->metadata_due = s->clock() + s->metadata_wait;
            s->metadata_wait =
                s->metadata_wait * 2 < RETRY_MAX_NS ? s->metadata_wait * 2 : RETRY_MAX_NS;
            return ERR_OK;
        }
        enum err e = md->topic_cnt == 1 ? topic_learn(s, t, &md->topics[0]) : ERR_OK;
        rd_kafka_metadata_destroy(md);
        if (e) return e;
        whole = whole && t->exists;
    }

    enum err e = ERR_OK;
    char *id = rd_kafka_clusterid(s->rk, 0);
    const char *now = id ? id : ""; /* brokers older than 0.10.1 have none */
    if (!s->cluster || strcmp(s->cluster, now)) {
        const char *copy = arena_copy(&s->strings, now, strlen(now));
        if (!copy) e = ERR_NOMEM;
        else if (s->cluster) {
            cluster_changed(s, copy);
            mixed = !s->fresh;
        }
        if (copy) s->cluster = copy;
    }
    if (id) rd_kafka_mem_free(s->rk, id);
    if (e) return e;
    s->fresh = false;
    if (s->down) log_info("kafka: brokers are back");
    s->down = false;
    s->error = NULL;
    s->metadata_wait = RETRY_MIN_NS;
    s->metadata_due = s->clock() + (whole ? REFRESH_NS : RETRY_MAX_NS);
    return mixed ? rebuild(s, why)
                 : ERR_OK; /* it knows brokers of two clusters now, by the same numbers */
}

static bool first_topics_read(const struct kafka_source *s)
{
    for (size_t i = 0; i < s->topics_n; i++) {
        const struct topic *t = &s->topics[i];
        if (!t->first) continue;
        if (!t->exists) return false;
        for (size_t k = 0; k < t->there_n; k++)
            if (!t->parts[k].caught_up) return false;
    }
    return true;
}

static enum err open_waiting(struct kafka_source *s, int ask_ms, struct ingest_batch *batch)
{
    if (!s->gate_open) s->gate_open = first_topics_read(s);
    const int64_t now = s->clock();
    for (size_t i = 0; i < s->topics_n; i++) {
        struct topic *t = &s->topics[i];
        if (!t->exists || (!t->first && !s->gate_open)) continue;
        for (size_t k = 0; k < t->there_n; k++) {
            struct part *p = &t->parts[k];
            if (p->state != PART_WAITING || now < p->retry_ns) continue;
            enum err e = part_open(s, p, ask_ms, batch);
            if (e) return e;
            if (p->state == PART_WAITING)
                return ERR_OK; /* no answer: one such wait a turn is enough */
        }
    }
    return ERR_OK;
}

/* Nothing is coming. Does the broker have more of a partition that has not moved since the last look? */
static enum err look_for_stalls(struct kafka_source *s, struct why *why)
{
    bool start_anew = false;
    for (size_t i = 0; i < s->topics_n; i++)
        for (size_t k = 0; k < s->topics[i].parts_n; k++) {
            struct part *p = &s->topics[i].parts[k];
            if (p->state == PART_WAITING) continue;
            const int64_t at = p->eof > p->next ? p->eof : p->next;
            int64_t high;
            const bool moved = at != p->seen_next;
            if (!moved && p->seen_high > at) {
                p->stalls++;
                s->counts.stalls++;
                start_anew = start_anew || p->stalls > 1;
                log_warn("kafka: partition stands still", "topic", p->topic->name, "part",
                         LOG_I64(p->no), "at", LOG_I64(at), "end", LOG_I64(p->seen_high));
                const unsigned kept = p->stalls;
                part_failed(s, p, RD_KAFKA_RESP_ERR__TIMED_OUT, "stalled");
                p->stalls = kept;
                p->retry_ns = 0;
                p->seen_next = -1;
                continue;
            }
            if (ask_offset(s, p, RD_KAFKA_OFFSET_END, ASK_MS, &high)) return ERR_OK;
            p->seen_next = at;
            p->seen_high = high;
        }
    return start_anew ? rebuild(s, why) : ERR_OK;
}

static void send_hints(struct kafka_source *s)
{
    pthread_mutex_lock(&s->lock);
    struct source_mark *hint = s->hint;
    const size_t n = s->hint_n;
    s->hint = NULL;
    s->hint_n = s->hint_cap = 0;
    pthread_mutex_unlock(&s->lock);
    if (!n) return;

    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < s->topics_n; i++)
        for (size_t k = 0; k < s->topics[i].parts_n; k++)
            for (size_t h = 0; h < n; h++)
                if (s->topics[i].parts[k].source_id == hint[h].source_id)
                    rd_kafka_topic_partition_list_add(list, s->topics[i].name, (int32_t)k)->offset =
                        hint[h].next_offset;
    if (list->cnt) rd_kafka_commit(s->rk, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
    free(hint);
}

static enum err keep_house(struct kafka_source *s, struct ingest_batch *batch, bool idle,
                           struct why *why)
{
    const int64_t now = s->clock();
    if (s->fatal) {
        if (s->fatal_ns && now - s->fatal_ns < FATAL_NS)
            return err_set(why, ERR_KAFKA, "librdkafka failed twice within a minute");
        s->fatal_ns = now;
        enum err e = rebuild(s, why);
        if (e) return e;
    }
    if (s->down_new) { /* whoever comes back may be somebody else: every partition proves itself again, */
        s->down_new = false;
        s->metadata_due = now;
        close_all(s);
        if (!s->fresh) { /* and to a client that has not met the brokers of before */
            enum err e = rebuild(s, why);
            if (e) return e;
            s->down = true;
        }
    }
    enum err e = ERR_OK;
    if (now >= s->metadata_due) e = refresh(s, ASK_MS, why);
    const bool in_hand =
        s->msgs_at < s->msgs_n; /* messages of a closed partition among them must find it closed */
    if (!e && !s->fresh && !s->down && !in_hand) e = open_waiting(s, ASK_MS, batch);
    if (!e && s->hints && !s->fresh && !s->down && now >= s->hint_due) {
        send_hints(s);
        s->hint_due = now + HINT_NS;
    }
    if (!e && idle && !s->down && now >= s->stall_due) {
        e = look_for_stalls(s, why);
        s->stall_due = s->clock() + STALL_NS;
    }
    return e;
}

/* ---- what others may ask ---- */

static void reason(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void reason(struct buf *b, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (b->len) buf_puts(b, ",");
    buf_json_string(b, text, strlen(text));
}

static void topic_reasons(const struct kafka_source *s, const struct topic *t, struct buf *b)
{
    if (t->trouble) reason(b, "kafka: topic %s: %s", t->name, t->trouble);
    else if (!t->exists) reason(b, "kafka: topic %s does not exist", t->name);
    if (t->first && !s->gate_open && s->topics_n > 1)
        reason(b, "kafka: the other topics wait for topic %s to be read", t->name);
    size_t closed = 0;
    for (size_t k = 0; k < t->there_n; k++) {
        const struct part *p = &t->parts[k];
        closed += p->state == PART_WAITING;
        if (p->trouble)
            reason(b, "kafka: topic %s partition %" PRId32 ": %s", t->name, p->no, p->trouble);
        if (p->poisoned)
            reason(b,
                   "kafka: topic %s partition %" PRId32
                   ": more than %d %% of the messages are refused",
                   t->name, p->no, POISON_PERCENT);
    }
    if (t->exists && closed && (t->first || s->gate_open))
        reason(b, "kafka: topic %s: %zu of %zu partitions not open", t->name, closed, t->there_n);
}

static int64_t part_lag(const struct kafka_source *s, const struct part *p)
{
    int64_t low, high = p->end_at_open;
    if (p->state != PART_WAITING
        && (rd_kafka_get_watermark_offsets(s->rk, p->topic->name, p->no, &low, &high)
            || high < p->end_at_open))
        high = p->end_at_open; /* nothing fetched yet */
    const int64_t at = p->eof > p->next ? p->eof : p->next;
    return high > at ? high - at : 0;
}

static void publish(struct kafka_source *s, bool force)
{
    const int64_t now = s->clock();
    if (!force && now < s->view_due) return;
    s->view_due = now + VIEW_NS;
    pthread_mutex_lock(&s->lock);
    struct buf *b = &s->view.reasons;
    buf_clear(b);
    if (s->down) reason(b, "kafka: all brokers down");
    else if (s->fresh) reason(b, "kafka: not connected yet");
    if (s->error) reason(b, "kafka: %s", s->error);
    for (size_t i = 0; i < s->topics_n; i++) {
        const struct topic *t = &s->topics[i];
        if (s->cluster) topic_reasons(s, t, b);
        int64_t lag = 0;
        for (size_t k = 0; k < t->there_n; k++) lag += part_lag(s, &t->parts[k]);
        s->view.lags[i].messages = lag;
    }
    s->view.ready = b->len == 0 && buf_ok(b);
    pthread_mutex_unlock(&s->lock);
}

bool kafka_source_state(struct kafka_source *s, struct buf *reasons)
{
    pthread_mutex_lock(&s->lock);
    const bool ready = s->view.ready;
    if (!ready && s->view.reasons.len) buf_put(reasons, s->view.reasons.data, s->view.reasons.len);
    pthread_mutex_unlock(&s->lock);
    return ready;
}

size_t kafka_source_lags(struct kafka_source *s, struct kafka_lag *out, size_t cap)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->topics_n && i < cap; i++) out[i] = s->view.lags[i];
    pthread_mutex_unlock(&s->lock);
    return s->topics_n;
}

void kafka_source_committed(struct kafka_source *s, const struct source_mark *marks, size_t n)
{
    if (!s->hints) return;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < s->hint_n && s->hint[k].source_id != marks[i].source_id) k++;
        if (k == s->hint_cap) {
            const size_t cap = s->hint_cap ? s->hint_cap * 2 : 64;
            struct source_mark *more = realloc(s->hint, cap * sizeof *more);
            if (!more) break; /* only a hint */
            s->hint = more;
            s->hint_cap = cap;
        }
        if (k == s->hint_n) s->hint_n++;
        s->hint[k] = marks[i];
    }
    pthread_mutex_unlock(&s->lock);
}

struct kafka_counts kafka_source_counts(const struct kafka_source *s) { return s->counts; }

/* ---- open, poll, close ---- */

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

static enum err make_conf(struct kafka_source *s, const struct kafka_config *cfg, struct why *why)
{
    if (!cfg->brokers || !*cfg->brokers) return err_set(why, ERR_INVALID, "kafka: no brokers");
    s->conf = rd_kafka_conf_new();
    const struct kafka_property where[] = { { "bootstrap.servers", cfg->brokers },
                                            { "group.id", cfg->group } };
    s->hints = cfg->group && *cfg->group;

    enum err e = kafka_conf_apply(s->conf, tuning, ARRAY_LEN(tuning), NULL, why);
    if (!e) e = conf_queue_depth(s->conf, why);
    if (!e) e = kafka_conf_apply(s->conf, cfg->properties, cfg->properties_n, refused, why);
    if (!e) e = kafka_conf_apply(s->conf, ours, ARRAY_LEN(ours), NULL, why);
    if (!e) e = kafka_conf_apply(s->conf, where, s->hints ? 2 : 1, NULL, why);
    rd_kafka_conf_set_opaque(s->conf, s);
    rd_kafka_conf_set_error_cb(s->conf, on_error);
    rd_kafka_conf_set_log_cb(s->conf, kafka_log);
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
    s->msgs = calloc(CHUNK, sizeof *s->msgs);

    enum err e = s->msgs ? ERR_OK : ERR_NOMEM;
    if (!e) e = copy_topics(s, cfg, why);
    if (!e) e = copy_known(s, known, known_n);
    if (!e) e = make_conf(s, cfg, why);
    if (!e) e = handle_open(s, why);
    if (e) {
        if (e == ERR_NOMEM) err_set(why, e, "kafka source");
        kafka_source_close(s);
        return e;
    }
    publish(s, true);
    *out = s;
    return ERR_OK;
}

enum err kafka_source_poll(struct kafka_source *s, struct ingest_batch *batch, int timeout_ms,
                           size_t max_records, struct why *why)
{
    const int64_t deadline = mono_ns() + timeout_ms * NS_PER_MS;
    const size_t lives = batch->lives_n, gaps = batch->gaps_n;
    size_t taken = 0;
    bool idle = false;
    enum err e = ERR_OK;
    while (taken < max_records) {
        e = keep_house(s, batch, idle, why);
        if (e) break;
        const bool grown = taken || batch->lives_n != lives || batch->gaps_n != gaps;
        const int64_t left_ms = (deadline - mono_ns() + NS_PER_MS - 1) / NS_PER_MS;
        const int wait_ms = grown || left_ms <= 0     ? 0
                            : left_ms < WAIT_SLICE_MS ? (int)left_ms
                                                      : WAIT_SLICE_MS;
        idle = s->msgs_at == s->msgs_n && !fetch(s, max_records - taken, wait_ms);
        if (!idle) e = take_chunk(s, batch, max_records - taken, &taken);
        if (e) break;
        if (idle && wait_ms == 0) break;
    }
    publish(s, false);
    if (e == ERR_NOMEM) err_set(why, e, "batch of records");
    return e;
}

void kafka_source_close(struct kafka_source *s)
{
    if (!s) return;
    if (s->rk && s->hints && !s->down) send_hints(s);
    handle_end(s);
    if (s->conf) rd_kafka_conf_destroy(s->conf);
    for (size_t i = 0; i < s->topics_n; i++) free(s->topics[i].parts);
    free(s->topics);
    free(s->view.lags);
    buf_release(&s->view.reasons);
    free(s->known);
    free(s->touched);
    free(s->msgs);
    free(s->hint);
    arena_release(&s->strings);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
