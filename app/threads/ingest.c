/* ingest.c - the ingest thread: polls Kafka, which decodes, and hands batches of records to the
 * engine. It begins where the database says that the sources stand. */
#include "app/app.h"
#include "app/threads/ebb.h"
#include "app/threads/pipeline.h"
#include "app/threads/source_names.h"
#include "core/arena.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "store/history.h"

#include <pthread.h>
#include <string.h>

enum { LARGE_BYTES = 256 << 10, LARGE_RECORDS = 2000 };
enum { POLL_MS = 100, POLL_RECORDS = 10000, SPARE_WAIT_MS = 100 };

/* ---- opening ---- */
/* Where the sources stand, by the database; the texts are in `arena`. */
struct standing {
    struct source_life *lives;
    size_t n;
    int32_t next_id;
};

static enum err read_standing(const struct config *c, struct arena *arena, struct standing *out,
                              struct why *why)
{
    struct db d;
    *out = (struct standing){ .next_id = 1 };
    enum err e = db_open(c->database_conninfo, "tocsin_engine", "tocsin start", &d, why);
    if (!e) e = history_sources(&d, arena, &out->lives, &out->n, &out->next_id, why);
    db_close(&d);
    return e;
}

/* kafka.topics is a list with commas; the names are in `arena`. */
static enum err read_topics(const struct config *c, struct arena *arena,
                            struct kafka_topic out[CONFIG_TOPICS_MAX], size_t *n, struct why *why)
{
    *n = 0;
    for (const char *p = c->kafka_topics; *p && *n < CONFIG_TOPICS_MAX;) {
        size_t length = strcspn(p, ",");
        char *name = arena_copy(arena, p, length);
        if (!name) return err_set(why, ERR_NOMEM, "out of memory");
        out[(*n)++] = (struct kafka_topic){ name, strcmp(name, c->kafka_first) == 0 };
        p += length + (p[length] == ',');
    }
    return ERR_OK;
}

static enum err open_source(struct pipeline *p, const struct kafka_topic *topics, size_t topics_n,
                            const struct standing *at, struct why *why)
{
    const struct config *c = p->c;
    struct kafka_property properties[CONFIG_PROPERTIES_MAX];
    for (size_t i = 0; i < c->properties_n; i++)
        properties[i] = (struct kafka_property){ c->properties[i].name, c->properties[i].value };
    const struct kafka_config cfg = { .brokers = c->kafka_brokers,
                                      .format = c->kafka_format,
                                      .group = c->kafka_group,
                                      .topics = topics,
                                      .topics_n = topics_n,
                                      .properties = properties,
                                      .properties_n = c->properties_n,
                                      .dead_bytes = (size_t)c->ingest_dead_letter_kb << 10,
                                      .batch_bytes = (size_t)c->ingest_batch_kb << 10,
                                      .source_id_next = at->next_id };
    return kafka_source_open(&cfg, at->lives, at->n, &p->kafka, why);
}

enum err ingest_open(struct pipeline *p, struct source_names *names, struct why *why)
{
    struct arena arena = { 0 };
    struct kafka_topic topics[CONFIG_TOPICS_MAX];
    struct standing at;
    size_t topics_n;
    enum err e = read_topics(p->c, &arena, topics, &topics_n, why);
    if (!e) e = read_standing(p->c, &arena, &at, why);
    for (size_t i = 0; !e && i < at.n; i++)
        if (source_names_add(names, &at.lives[i])) e = err_set(why, ERR_NOMEM, "out of memory");
    if (!e) e = open_source(p, topics, topics_n, &at, why);
    arena_release(&arena);
    return e;
}

/* ---- the loop ---- */
/* Has everything that lies in Kafka been handed over and taken? It is asked until it was so once. */
static void look_at_lag(struct pipeline *p)
{
    struct kafka_lag lags[CONFIG_TOPICS_MAX];
    AUTO_BUF struct buf reasons = { 0 };
    if (atomic_load(&p->caught_up) || !kafka_source_state(p->kafka, &reasons)) return;
    size_t n = kafka_source_lags(p->kafka, lags, ARRAY_LEN(lags));
    int64_t behind = 0;
    for (size_t i = 0; i < n; i++) behind += lags[i].messages;
    if (behind == 0 && queue_len(p->ingested) == 0) atomic_store(&p->caught_up, true);
}

static bool has_something(const struct ingest_batch *b)
{
    return b->records_n || b->messages_n || b->dead_n || b->marks_n || b->lives_n || b->gaps_n;
}

static void poll_once(struct pipeline *p, struct ingest_batch *b)
{
    struct why why = { 0 };
    enum err e = kafka_source_poll(p->kafka, b, POLL_MS, POLL_RECORDS, &why);
    if (e) log_error("kafka source failed", "reason", err_name(e), "detail", why.text);
    if (e == ERR_KAFKA) pipeline_give_up(p, EXIT_BROKEN);
    look_at_lag(p);
}

/* ---- after a flood ----
 * Large messages that are refused fill no turn, so the writer does not hear of them; the fetches they
 * came in are librdkafka's, and go a while after. */
static bool is_large(const struct ingest_batch *b)
{
    return b->bytes >= LARGE_BYTES || b->records_n >= LARGE_RECORDS;
}

/* Nothing large has come for a while. `b`, in hand, may have something small, as it always has while
 * a feed is live: then its turn comes when it is among the spare ones. */
static void relax(struct pipeline *p, struct ebb *x, struct ingest_batch *b)
{
    if (!ebb_due(x)) return;
    if (!has_something(b)) ingest_batch_relax(b);
    for (size_t n = queue_len(p->spare_batches); n > 0; n--) {
        struct ingest_batch *spare = queue_pop(p->spare_batches, 0);
        if (!spare) break;
        ingest_batch_relax(spare);
        if (queue_push(p->spare_batches, spare, 0)) ingest_batch_free(spare);
    }
    ebb_trim();
}

void *ingest_main(void *arg)
{
    struct pipeline *p = arg;
    pthread_setname_np(pthread_self(), "ingest");
    struct ingest_batch *b = NULL;
    struct ebb ebb = { 0 };
    while (!atomic_load(&p->stopping)) {
        if (!b) b = queue_pop(p->spare_batches, SPARE_WAIT_MS);
        if (!b) {
            metric_add(METRIC_INGEST_PAUSES, 1);
            continue;
        }
        poll_once(p, b);
        relax(p, &ebb, b);
        if (!has_something(b)) continue;
        if (is_large(b)) ebb_flood(&ebb);
        if (queue_push(p->ingested, b, -1)) break;
        b = NULL;
    }
    ingest_batch_free(b);
    queue_close(p->ingested);
    return NULL;
}
