/* test_source.c - the consumer against librdkafka's mock cluster: nothing lost, nothing twice, no
 * life taken for another.
 *
 * Each test plays PostgreSQL itself: what a batch says is applied to a small table of lives, as
 * the store would, with the rules the store relies on checked on the way. ONLY='brokers_*' runs
 * some of the tests, LOUD=1 shows the log. */
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/kafka/embedded.h"
#include "ingest/kafka/internal.h"
#include "ingest/kafka/source.h"
#include "ingest/kafka/producer.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    FETCH = 1,
    LIST_OFFSETS = 2,
    METADATA = 3,
    ROWS_MAX = 200000,
    LIVES_MAX = 64,
    PATIENCE_MS = 20000
};

/* ---- a clock that can be pushed forward ---- */
static int64_t ahead_ns;
static int64_t test_clock(void) { return mono_ns() + ahead_ns; }

/* ---- the table of lives and what was applied ---- */
struct row {
    int32_t source_id;
    int64_t offset, value,
        received_ms; /* value: the size of the trade, which the tests number; -1: dead letter */
};

struct db {
    struct source_life lives[LIVES_MAX];
    size_t lives_n;
    struct row *rows;
    size_t rows_n;
    struct data_gap gaps[8];
    size_t gaps_n;
    struct {
        enum err reason;
        char detail[200], key[20];
        bool has_key, has_message;
        size_t message_n;
    } dead[600];
    size_t dead_n;
};

static struct source_life *life_of(struct db *d, int32_t source_id)
{
    for (size_t i = 0; i < d->lives_n; i++)
        if (d->lives[i].source_id == source_id) return &d->lives[i];
    fail_msg("source %" PRId32 " has no life", source_id);
    return NULL;
}

static void put_row(struct db *d, int32_t source_id, int64_t offset, int64_t value, int64_t ms)
{
    assert_true(d->rows_n < ROWS_MAX);
    d->rows[d->rows_n++] = (struct row){ source_id, offset, value, ms };
}

static void db_apply(struct db *d, const struct ingest_batch *b)
{
    for (size_t i = 0; i < b->lives_n; i++) {
        struct source_life l = b->lives[i];
        for (size_t k = 0; k < d->lives_n; k++) {
            assert_int_not_equal(d->lives[k].source_id, l.source_id);
            if (d->lives[k].part == l.part && strcmp(d->lives[k].topic, l.topic) == 0)
                assert_int_not_equal(d->lives[k].source_epoch, l.source_epoch);
        }
        l.topic = strdup(l.topic);
        l.cluster_id = strdup(l.cluster_id);
        l.reason = strdup(l.reason);
        assert_true(d->lives_n < LIVES_MAX);
        d->lives[d->lives_n++] = l;
    }
    for (size_t i = 0; i < b->gaps_n; i++) d->gaps[d->gaps_n++] = b->gaps[i];
    const size_t from = d->rows_n;
    for (size_t i = 0; i < b->records_n; i++) {
        const struct record *r = &b->records[i];
        put_row(d, r->source_id, r->offset,
                r->kind == RECORD_TRADE ? r->u.trade.size_e8 / 100000000 : -2, r->received_ms);
    }
    for (size_t i = 0; i < b->dead_n; i++) {
        const struct dead_letter *l = &b->dead[i];
        put_row(d, l->source_id, l->kafka_offset, -1, 0);
        assert_true(d->dead_n < ARRAY_LEN(d->dead));
        d->dead[d->dead_n].reason = l->reason;
        snprintf(d->dead[d->dead_n].detail, 200, "%s", l->detail);
        snprintf(d->dead[d->dead_n].key, 20, "%.*s", (int)l->message_key.n,
                 l->message_key.p ? l->message_key.p : "");
        d->dead[d->dead_n].has_key = l->message_key.p != NULL;
        d->dead[d->dead_n].has_message = l->message.p != NULL;
        d->dead[d->dead_n].message_n = l->message.n;
        d->dead_n++;
    }
    for (size_t i = from; i < d->rows_n;
         i++) { /* nothing below the position, every row covered by a mark of this batch */
        assert_true(d->rows[i].offset >= life_of(d, d->rows[i].source_id)->next_offset);
        bool covered = false;
        for (size_t k = 0; k < b->marks_n; k++)
            covered = covered
                      || (b->marks[k].source_id == d->rows[i].source_id
                          && b->marks[k].next_offset > d->rows[i].offset);
        assert_true(covered);
    }
    for (size_t i = 0; i < b->marks_n; i++) {
        struct source_life *l = life_of(d, b->marks[i].source_id);
        assert_true(b->marks[i].next_offset >= l->next_offset);
        l->next_offset = b->marks[i].next_offset;
        l->fingerprint = b->marks[i].fingerprint;
    }
    if (b->records_n + b->dead_n) assert_true(b->taken_ns != 0);
}

/* The newest life of each partition, as the store reads it at start. */
static size_t db_known(const struct db *d, struct source_life out[LIVES_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < d->lives_n; i++) {
        size_t k = 0;
        while (k < n
               && (out[k].part != d->lives[i].part || strcmp(out[k].topic, d->lives[i].topic)))
            k++;
        if (k == n) n++;
        else if (out[k].source_epoch > d->lives[i].source_epoch) continue;
        out[k] = d->lives[i];
    }
    return n;
}

/* ---- one test's world ---- */
struct rig {
    struct embedded_broker *broker;
    struct producer *producer;
    struct kafka_source *src;
    struct ingest_batch *batch;
    struct db db;
    const char *brokers; /* NULL: the broker's own */
    struct kafka_property props[4];
    size_t props_n;
};

static void produce(struct rig *r, const char *topic, int32_t part, int64_t value, int64_t ms)
{
    struct why why;
    char text[200];
    int n = snprintf(text, sizeof text,
                     "{\"kind\":\"trade\",\"symbol\":\"AAPL\",\"price\":\"1.5\",\"size\":%" PRId64
                     ",\"ts\":%" PRId64 "}",
                     value, value + 1518037200000000000);
    if (producer_send_to(r->producer, topic, part, "AAPL", 4, text, (size_t)n, ms, &why))
        fail_msg("%s", why.text);
}

static void produce_raw(struct rig *r, const char *topic, int32_t part, const char *key,
                        const void *value, size_t n)
{
    struct why why;
    if (producer_send_to(r->producer, topic, part, key, key ? strlen(key) : 0, value, n, 7, &why))
        fail_msg("%s", why.text);
}

static void flush(struct rig *r)
{
    struct why why;
    if (producer_flush(r->producer, PATIENCE_MS, &why)) fail_msg("%s", why.text);
}

static void produce_range(struct rig *r, const char *topic, int32_t part, int64_t from, int64_t to)
{
    for (int64_t v = from; v < to; v++) produce(r, topic, part, v, 1000000 + v);
    flush(r);
}

static void source_start_topics(struct rig *r, const struct kafka_topic *topics, size_t n)
{
    struct why why = { .text = "" };
    struct source_life known[LIVES_MAX];
    const size_t known_n = db_known(&r->db, known);
    int32_t free_id = 1;
    for (size_t i = 0; i < r->db.lives_n; i++)
        if (r->db.lives[i].source_id >= free_id) free_id = r->db.lives[i].source_id + 1;
    const struct kafka_config cfg = {
        .brokers = r->brokers ? r->brokers : embedded_bootstrap(r->broker),
        .group = "tocsin-test",
        .topics = topics,
        .topics_n = n,
        .properties = r->props,
        .properties_n = r->props_n,
        .source_id_next = free_id,
        .clock = test_clock,
    };
    if (kafka_source_open(&cfg, known, known_n, &r->src, &why)) fail_msg("%s", why.text);
}

static void source_start(struct rig *r)
{
    source_start_topics(r, &(struct kafka_topic){ "ticks", false }, 1);
}

static void source_stop(struct rig *r)
{
    kafka_source_close(r->src);
    r->src = NULL;
}

static void poll_once(struct rig *r, int timeout_ms)
{
    struct why why = { .text = "" };
    ingest_batch_clear(r->batch);
    if (kafka_source_poll(r->src, r->batch, timeout_ms, 50000, &why)) fail_msg("%s", why.text);
    db_apply(&r->db, r->batch);
}

static void poll_rows(struct rig *r, size_t n)
{
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (r->db.rows_n < n && mono_ns() < deadline) poll_once(r, 100);
    assert_int_equal(r->db.rows_n, n);
}

static void poll_lives(struct rig *r, size_t n)
{
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (r->db.lives_n < n && mono_ns() < deadline) poll_once(r, 100);
    assert_int_equal(r->db.lives_n, n);
}

static void poll_rebuilds(struct rig *r, int64_t n)
{
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (kafka_source_counts(r->src).rebuilds < n && mono_ns() < deadline) poll_once(r, 50);
    assert_int_equal(kafka_source_counts(r->src).rebuilds, n);
}

/* Long enough for a mistake to show: whatever was still under way has come. */
static void poll_quiet(struct rig *r, int ms)
{
    const int64_t deadline = mono_ns() + ms * NS_PER_MS;
    while (mono_ns() < deadline) poll_once(r, 50);
}

/* Polls until the state says `text` (NULL: ready). */
static void poll_state(struct rig *r, const char *text)
{
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    struct buf b = { 0 };
    bool seen = false;
    while (!seen && mono_ns() < deadline) {
        poll_once(r, 50);
        buf_clear(&b);
        const bool ready = kafka_source_state(r->src, &b);
        seen = text ? !ready && b.len && strstr(b.data, text) : ready;
    }
    if (!seen) fail_msg("wanted state %s, is %s", text ? text : "ready", b.len ? b.data : "ready");
    buf_release(&b);
}

static void assert_values(const struct rig *r, size_t from, int64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) assert_int_equal(r->db.rows[from + i].value, first + (int64_t)i);
}

static int rig_start(void **state)
{
    struct why why;
    struct rig *r = calloc(1, sizeof *r);
    r->db.rows = calloc(ROWS_MAX, sizeof *r->db.rows);
    ahead_ns = 0;
    log_level_set(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR + 1);
    if (embedded_start(3, &r->broker, &why) || ingest_batch_new(&r->batch)) return -1;
    const struct producer_config p = { .brokers = embedded_bootstrap(r->broker) };
    if (producer_open(&p, &r->producer, &why)) return -1;
    *state = r;
    return 0;
}

static int rig_stop(void **state)
{
    struct rig *r = *state;
    kafka_source_close(r->src);
    producer_close(r->producer);
    embedded_stop(r->broker);
    ingest_batch_free(r->batch);
    for (size_t i = 0; i < r->db.lives_n; i++) {
        free((void *)(uintptr_t)r->db.lives[i].topic);
        free((void *)(uintptr_t)r->db.lives[i].cluster_id);
        free((void *)(uintptr_t)r->db.lives[i].reason);
    }
    free(r->db.rows);
    free(r);
    return 0;
}

/* The mock makes every topic it is asked for, so a missing one is a topic that says it is not
 * there. */
static void topic_missing(struct rig *r, const char *name, bool missing)
{
    rd_kafka_mock_topic_set_error(embedded_mock(r->broker), name,
                                  missing ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART : 0);
}

static void topic(struct rig *r, const char *name, int parts)
{
    struct why why;
    if (embedded_topic(r->broker, name, parts, &why)) fail_msg("%s", why.text);
}

/* ---- stories ---- */

static void messages_become_records_with_their_source(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 2);
    produce_range(r, "ticks", 0, 0, 100);
    produce_range(r, "ticks", 1, 1000, 1050);
    source_start(r);
    poll_rows(r, 150);
    assert_int_equal(r->db.lives_n, 2);
    for (int32_t part = 0; part < 2; part++) {
        const struct source_life *l = &r->db.lives[part];
        assert_int_equal(l->source_id, part + 1);
        assert_int_equal(l->part, part);
        assert_int_equal(l->source_epoch, 1);
        assert_string_equal(l->topic, "ticks");
        assert_string_equal(l->reason, "first seen");
        assert_int_equal(l->next_offset, part ? 50 : 100);
        int64_t next = 0;
        for (size_t i = 0; i < r->db.rows_n; i++) {
            const struct row *row = &r->db.rows[i];
            if (row->source_id != l->source_id) continue;
            assert_int_equal(row->offset, next);
            assert_int_equal(row->value, next + (part ? 1000 : 0));
            assert_int_equal(row->received_ms, 1000000 + row->value);
            next++;
        }
    }
    char text[200];
    const int n = snprintf(
        text, sizeof text,
        "{\"kind\":\"trade\",\"symbol\":\"AAPL\",\"price\":\"1.5\",\"size\":99,\"ts\":1518037200000000099}");
    assert_int_equal(r->db.lives[0].fingerprint,
                     kafka_fingerprint(1000099, "AAPL", 4, text, (size_t)n));
    poll_state(r, NULL);
}

static void what_is_no_record_becomes_a_dead_letter_in_place(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    char *big = calloc(1, 999000); /* valid as bytes, refused as JSON */
    produce(r, "ticks", 0, 1, 1);
    produce_raw(r, "ticks", 0, "k", "{\"kind\":\"trade\"", 15);
    produce_raw(r, "ticks", 0, NULL, "{\"kind\":\"who\",\"ts\":1}", 21);
    produce_raw(r, "ticks", 0, "gone", NULL, 0);
    produce_raw(r, "ticks", 0, "", "", 0);
    produce_raw(r, "ticks", 0, "big", big, 999000);
    produce(r, "ticks", 0, 2, 1);
    flush(r);
    free(big);
    const int64_t before = metric_dead_letters();
    source_start(r);
    poll_rows(r, 7);
    assert_int_equal(r->db.dead_n, 5);
    assert_int_equal(r->db.lives[0].next_offset, 7);
    assert_int_equal(metric_dead_letters() - before, 5);
    assert_int_equal(r->db.dead[0].reason, ERR_SYNTAX);
    assert_string_equal(r->db.dead[0].key, "k");
    assert_int_equal(r->db.dead[0].message_n, 15);
    assert_int_equal(r->db.dead[1].reason, ERR_UNKNOWN_KIND);
    assert_false(r->db.dead[1].has_key);
    assert_int_equal(r->db.dead[2].reason, ERR_INVALID);
    assert_string_equal(r->db.dead[2].detail, "no value");
    assert_false(r->db.dead[2].has_message);
    assert_true(r->db.dead[3].has_key);
    assert_int_equal(r->db.dead[4].message_n, 999000);
}

/* A format for this test: as many trades as there are letters x, and a letter y is wrong. */
static enum err work_letters(void *state, const char *bytes, size_t n, const struct intake *to,
                             struct why *why)
{
    int64_t *made = state;
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == 'y') return err_set(why, ERR_SYNTAX, "a y at %zu", i + 1);
        struct record *rec = bytes[i] == 'x' ? intake_record(to) : NULL;
        if (!rec) continue;
        rec->kind = RECORD_TRADE;
        rec->u.trade.size_e8 = (*made)++ * 100000000;
    }
    return ERR_OK;
}

/* All of a message's records, all at its offset; or none of them and a dead letter. A message may
 * hold none at all. */
static void a_message_is_all_of_its_records_or_none(void **state)
{
    struct rig *r = *state;
    static const char *const messages[] = { "xx", "xxyx", "-", "xxx" };
    static const struct format letters = { .name = "letters", .work = work_letters };
    static int64_t made; /* the source has them until the rig is gone */
    topic(r, "ticks", 1);
    source_start(r);
    r->src->format = &letters;
    r->src->format_state = &made;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++)
        produce_raw(r, "ticks", 0, NULL, messages[i], strlen(messages[i]));
    flush(r);
    poll_rows(r, 2 + 1 + 3);
    static const struct {
        int64_t offset, value;
    } want[] = { { 0, 0 }, { 0, 1 }, { 3, 4 }, { 3, 5 }, { 3, 6 }, { 1, -1 } };
    /* the dead letter is last or third: records and dead letters are two lists of a batch */
    size_t dead = r->db.rows[5].value == -1 ? 5 : 2;
    for (size_t i = 0, k = 0; i < ARRAY_LEN(want); i++) {
        const struct row *got = &r->db.rows[i];
        const size_t w = i == dead ? 5 : k++;
        assert_int_equal(got->offset, want[w].offset);
        assert_int_equal(got->value, want[w].value);
        if (i != dead) assert_int_equal(got->received_ms, 7);
    }
    assert_int_equal(r->db.dead_n, 1);
    assert_string_equal(r->db.dead[0].detail, "a y at 3");
    assert_int_equal(r->db.lives[0].next_offset, 4);
}

static void a_restart_goes_on_where_the_database_stands(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 3);
    for (int32_t p = 0; p < 2; p++)
        produce_range(r, "ticks", p, 0, 500); /* the third stays empty */
    source_start(r);
    poll_rows(r, 1000);
    for (int round = 1; round <= 3; round++) {
        source_stop(r);
        for (int32_t p = 0; p < 2; p++)
            produce_range(r, "ticks", p, 500 * round, 500 * (round + 1));
        source_start(r);
        poll_rows(r, 1000 * (size_t)(round + 1));
        poll_quiet(r, 200);
        assert_int_equal(r->db.rows_n, 1000 * (round + 1));
    }
    poll_lives(r, 3);
    assert_int_equal(kafka_source_counts(r->src).reopened, 0);
    poll_state(r, NULL);
}

static void another_message_at_the_position_is_another_life(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 100);
    source_start(r);
    poll_rows(r, 100);
    source_stop(r);
    r->db.lives[0].fingerprint ^= 1;
    const int64_t before = metric_get(METRIC_SOURCE_EPOCHS);
    source_start(r);
    poll_rows(r, 200);
    assert_int_equal(r->db.lives_n, 2);
    assert_string_equal(r->db.lives[1].reason, "other message at the position");
    assert_int_equal(r->db.lives[1].source_epoch, 2);
    assert_int_equal(r->db.lives[1].source_id, 2);
    assert_int_equal(r->db.rows[100].offset, 0);
    assert_values(r, 100, 0, 100);
    assert_int_equal(metric_get(METRIC_SOURCE_EPOCHS) - before, 1);
}

/* A broker that forgot: fewer messages than we have read. One fewer is the hard case, for
 * fetching there is legal. */
static void a_log_that_ends_before_the_position_is_another_life(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 100);
    source_start(r);
    poll_rows(r, 100);
    static const int64_t beyond[] = { 1, 2, 1000000 };
    for (size_t i = 0; i < ARRAY_LEN(beyond); i++) {
        source_stop(r);
        r->db.lives[i].next_offset = 100 + beyond[i];
        source_start(r);
        poll_rows(r, 100 * (i + 2));
        assert_int_equal(r->db.lives_n, i + 2);
        assert_string_equal(r->db.lives[i + 1].reason, "offsets out of range");
        assert_int_equal(r->db.lives[i + 1].source_epoch, i + 2);
        assert_values(r, 100 * (i + 1), 0, 100);
    }
}

static void another_cluster_is_another_life_even_with_the_same_messages(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 50);
    source_start(r);
    poll_rows(r, 50);
    source_stop(r);
    free((void *)(uintptr_t)r->db.lives[0].cluster_id);
    r->db.lives[0].cluster_id = strdup("the one before");
    source_start(r);
    poll_rows(r, 100);
    assert_string_equal(r->db.lives[1].reason, "other cluster");
    assert_values(r, 50, 0, 50);
}

/* A new embedded broker, as when the demo is restarted on a database that is kept. Its cluster id
 * is made from an address and may well be the old one again: then the position, or the message
 * there, gives it away. */
static void a_restarted_embedded_broker_is_another_life(void **state)
{
    struct rig *r = *state;
    struct why why;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 50);
    source_start(r);
    poll_rows(r, 50);
    size_t rows = 50;
    for (size_t i = 1; i <= 4; i++) {
        source_stop(r);
        producer_close(r->producer);
        embedded_stop(r->broker);
        assert_int_equal(embedded_start(1, &r->broker, &why), ERR_OK);
        const struct producer_config p = { .brokers = embedded_bootstrap(r->broker) };
        assert_int_equal(producer_open(&p, &r->producer, &why), ERR_OK);
        topic(r, "ticks", 1);
        const int64_t n = i % 2 ? 80 : 30,
                      first = 5000 * (int64_t)i; /* past the old position, and short of it */
        produce_range(r, "ticks", 0, first, first + n);
        source_start(r);
        poll_rows(r, rows + (size_t)n);
        assert_int_equal(r->db.lives_n, i + 1);
        assert_values(r, rows, first, (size_t)n);
        rows += (size_t)n;
    }
}

/* Another cluster behind the same names, still down; and the change from the one to the other,
 * with 100 ticks to read there. */
struct second {
    struct embedded_broker *broker;
    struct producer *own;
    char both[400];
};

static void second_start(struct rig *r, struct second *s)
{
    struct why why;
    assert_int_equal(embedded_start(1, &s->broker, &why), ERR_OK);
    assert_int_equal(embedded_topic(s->broker, "ticks", 1, &why), ERR_OK);
    rd_kafka_mock_broker_set_down(embedded_mock(s->broker), 1);
    snprintf(s->both, sizeof s->both, "%s,%s", embedded_bootstrap(r->broker),
             embedded_bootstrap(s->broker));
    r->brokers = s->both;
}

static void second_takes_over(struct rig *r, struct second *s)
{
    struct why why;
    for (int i = 1; i <= 3; i++) rd_kafka_mock_broker_set_down(embedded_mock(r->broker), i);
    poll_rebuilds(r, 1); /* no client knows the brokers of both */
    poll_state(r, "kafka: all brokers down");
    rd_kafka_mock_broker_set_up(embedded_mock(s->broker), 1);
    s->own = r->producer;
    const struct producer_config p = { .brokers = embedded_bootstrap(s->broker) };
    assert_int_equal(producer_open(&p, &r->producer, &why), ERR_OK);
    produce_range(r, "ticks", 0, 7000, 7100);
    poll_rows(r, 160);
    assert_values(r, 60, 7000, 100);
}

static void second_stop(struct rig *r, struct second *s)
{
    source_stop(r);
    producer_close(r->producer);
    r->producer = s->own;
    embedded_stop(s->broker);
}

/* One cluster goes, another answers under the configured names, while this process runs. */
static void a_cluster_that_changes_while_running_is_noticed(void **state)
{
    struct rig *r = *state;
    struct second other;
    second_start(r, &other);
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 60);
    source_start(r);
    poll_rows(r, 60);
    second_takes_over(r, &other);
    assert_int_equal(r->db.lives_n, 2);
    assert_string_equal(r->db.lives[1].reason, "other cluster");
    assert_int_equal(kafka_source_counts(r->src).rebuilds, 1);
    second_stop(r, &other);
}

/* The topics were made anew with fewer partitions, here on another cluster: those that are gone
 * are not waited for. */
static void fewer_partitions_of_a_first_topic_hold_nothing_back(void **state)
{
    struct rig *r = *state;
    struct why why;
    struct second other;
    static const struct kafka_topic topics[] = { { "reference", true }, { "ticks", false } };
    second_start(r, &other);
    assert_int_equal(embedded_topic(other.broker, "reference", 1, &why), ERR_OK);
    topic(r, "ticks", 1);
    topic(r, "reference", 3);
    produce_range(r, "ticks", 0, 0, 60);
    source_start_topics(r, topics, 2);
    poll_rows(r, 60);
    second_takes_over(r, &other);
    poll_state(r, NULL); /* and nothing is said to be missing */
    second_stop(r, &other);
}

/* The mock keeps 5 MB a partition: 80 messages of 100 kB (none is a record, but each has its
 * place) push the oldest out. */
static void produce_8_mb(struct rig *r)
{
    char *big = calloc(1, 100000);
    for (int i = 0; i < 80; i++) {
        produce_raw(r, "ticks", 0, "big", big, 100000);
        if (i % 8 == 7) flush(r);
    }
    free(big);
}

/* Offsets 0 to 89 but for one gap, exactly as it was reported. */
static void assert_one_gap(struct rig *r)
{
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (r->db.rows[r->db.rows_n - 1].offset != 89 && mono_ns() < deadline) poll_once(r, 100);
    assert_int_equal(r->db.gaps_n, 1);
    assert_int_equal(r->db.lives_n, 1);
    const struct data_gap *g = &r->db.gaps[0];
    assert_int_equal(g->source_id, 1);
    assert_true(g->from_offset < g->to_offset);
    int64_t next = 0;
    for (size_t i = 0; i < r->db.rows_n; i++, next++) {
        if (next == g->from_offset) next = g->to_offset;
        assert_int_equal(r->db.rows[i].offset, next);
    }
    assert_int_equal(next, 90);
}

static void deleted_messages_are_a_gap(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 10);
    source_start(r);
    poll_rows(r, 10);
    source_stop(r);
    produce_8_mb(r);
    source_start(r);
    assert_one_gap(r);
    assert_int_equal(r->db.gaps[0].from_offset, 10);
}

/* The same while running: the service held back and the broker did not wait. */
static void deleted_while_holding_back_is_a_gap_too(void **state)
{
    struct rig *r = *state;
    r->props[r->props_n++] = (struct kafka_property){ "queued.min.messages", "1" };
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 10);
    source_start(r);
    poll_rows(r, 10);
    produce_8_mb(r); /* not polled meanwhile; librdkafka has at most the first ones */
    assert_one_gap(r);
}

static void reference_comes_before_everything_else(void **state)
{
    struct rig *r = *state;
    static const struct kafka_topic topics[] = { { "ticks", false },
                                                 { "reference", true },
                                                 { "news", false } };
    topic(r, "ticks", 2);
    topic(r, "news", 1);
    for (int32_t p = 0; p < 2; p++) produce_range(r, "ticks", p, 0, 300);
    topic(r, "reference", 2);
    topic_missing(r, "reference", true);
    source_start_topics(r, topics, 3);
    poll_state(r, "kafka: topic reference does not exist");
    assert_int_equal(r->db.rows_n, 0); /* a missing one holds the others back */

    topic_missing(r, "reference", false);
    produce_range(r, "reference", 0, 10000, 14000);
    poll_rows(r, 4600);
    for (size_t i = 0; i < 4600; i++) {
        const char *t = life_of(&r->db, r->db.rows[i].source_id)->topic;
        assert_string_equal(t, i < 4000 ? "reference" : "ticks");
    }
    poll_state(r, NULL);
    produce_range(r, "reference", 1, 20000, 20010); /* and from then on everything flows */
    produce_range(r, "ticks", 0, 300, 310);
    poll_rows(r, 4620);
}

static void a_missing_topic_is_waited_for(void **state)
{
    struct rig *r = *state;
    static const struct kafka_topic topics[] = { { "ticks", false }, { "news", false } };
    topic(r, "ticks", 1);
    topic(r, "news", 1);
    topic_missing(r, "news", true);
    produce_range(r, "ticks", 0, 0, 5);
    source_start_topics(r, topics, 2);
    poll_rows(r, 5); /* the others are read meanwhile */
    poll_state(r, "kafka: topic news does not exist");
    topic_missing(r, "news", false);
    produce_range(r, "news", 0, 5, 9);
    poll_rows(r, 9);
    poll_state(r, NULL);
}

static void brokers_that_go_and_come_back_cost_nothing(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 4);
    size_t n = 0;
    source_start(r);
    for (int64_t round = 0; round < 3; round++) {
        for (int32_t p = 0; p < 4; p++) produce_range(r, "ticks", p, round * 100, round * 100 + 50);
        poll_rows(r, n += 200);
        for (int32_t p = 0; p < 4; p++)
            produce_range(r, "ticks", p, round * 100 + 50, round * 100 + 100);
        for (int i = 1; i <= 3; i++) rd_kafka_mock_broker_set_down(embedded_mock(r->broker), i);
        poll_state(r, "kafka: all brokers down");
        for (int i = 1; i <= 3; i++) rd_kafka_mock_broker_set_up(embedded_mock(r->broker), i);
        const int64_t up = mono_ns();
        poll_rows(r, n += 200);
        assert_true(mono_ns() - up < 10 * NS_PER_S);
    }
    poll_state(r, NULL);
    assert_int_equal(r->db.lives_n, 4);
    for (int32_t id = 1; id <= 4; id++) assert_int_equal(life_of(&r->db, id)->next_offset, 300);
}

/* Connections that stand and carry nothing: librdkafka never says that all brokers are down. */
static void brokers_that_fall_silent_are_down(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    source_start(r);
    produce_range(r, "ticks", 0, 0, 50);
    poll_rows(r, 50);
    poll_state(r, NULL);
    for (int i = 1; i <= 3; i++) rd_kafka_mock_broker_set_rtt(embedded_mock(r->broker), i, 600000);
    for (int i = 0; i < 4; i++) { /* metadata are due, and nobody answers: for 11 s, 22 s ... */
        ahead_ns += i ? 11 * NS_PER_S : 31 * NS_PER_S;
        poll_once(r, 50);
    }
    poll_state(r, "kafka: no broker answers");
    poll_rebuilds(r, 1);
    for (int i = 1; i <= 3; i++) rd_kafka_mock_broker_set_rtt(embedded_mock(r->broker), i, 0);
    poll_state(r, NULL);
    produce_range(r, "ticks", 0, 50, 100);
    poll_rows(r, 100);
    assert_values(r, 0, 0, 100);
    assert_int_equal(r->db.lives_n, 1);
}

static void a_moved_leader_is_followed(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    source_start(r);
    for (int i = 0; i < 6; i++) {
        rd_kafka_mock_partition_set_leader(embedded_mock(r->broker), "ticks", 0, i % 3 + 1);
        produce_range(r, "ticks", 0, i * 50, i * 50 + 50);
        poll_rows(r, (size_t)(i + 1) * 50);
    }
    assert_values(r, 0, 0, 300);
    assert_int_equal(r->db.lives_n, 1);
}

/* Whatever code the broker answers with, and however the connection ends: every message once, in
 * order, in one life. */
static void every_broker_error_is_survived(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 100);
    source_start(r);
    poll_rows(r, 100);
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR_UNKNOWN,
        RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE,
        RD_KAFKA_RESP_ERR_INVALID_MSG,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
        RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
        RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_INVALID_REQUEST,
        RD_KAFKA_RESP_ERR__TRANSPORT,
    };
    static const int16_t apis[] = { FETCH, LIST_OFFSETS, METADATA };
    int64_t next = 100;
    for (size_t a = 0; a < ARRAY_LEN(apis); a++)
        for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
            if (apis[a] == METADATA && codes[i] != RD_KAFKA_RESP_ERR__TRANSPORT)
                continue; /* the mock has no other for it */
            rd_kafka_mock_push_request_errors(embedded_mock(r->broker), apis[a], 2, codes[i],
                                              codes[i]);
            ahead_ns +=
                60 * NS_PER_S; /* intervals are over: metadata and watermarks are asked again */
            produce_range(r, "ticks", 0, next, next + 10);
            next += 10;
            poll_rows(r, (size_t)next);
            rd_kafka_mock_clear_request_errors(embedded_mock(r->broker), apis[a]);
        }
    assert_values(r, 0, 0, (size_t)next);
    assert_int_equal(r->db.lives_n, 1);
    assert_int_equal(r->db.gaps_n, 0);
    poll_state(r, NULL);
}

/* The broker has more, says nothing wrong, and nothing comes: opened again, then librdkafka is
 * started anew. */
static void a_partition_that_stands_still_is_opened_again(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 10);
    source_start(r);
    poll_rows(r, 10);
    rd_kafka_resp_err_t *storm = malloc(20000 * sizeof *storm);
    for (size_t i = 0; i < 20000; i++)
        storm[i] = RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE; /* librdkafka retries these silently */
    rd_kafka_mock_push_request_errors_array(embedded_mock(r->broker), FETCH, 20000, storm);
    free(storm);
    produce_range(r, "ticks", 0, 10, 20);
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    while (kafka_source_counts(r->src).rebuilds == 0 && mono_ns() < deadline) {
        ahead_ns += 16 * NS_PER_S;
        poll_once(r, 150);
    }
    assert_int_equal(kafka_source_counts(r->src).stalls, 2);
    assert_int_equal(kafka_source_counts(r->src).rebuilds, 1);
    rd_kafka_mock_clear_request_errors(embedded_mock(r->broker), FETCH);
    poll_rows(r, 20);
    assert_values(r, 0, 0, 20);
    assert_int_equal(r->db.lives_n, 1);
}

static void not_polling_for_long_is_legal(void **state)
{
    struct rig *r = *state;
    r->props[r->props_n++] = (struct kafka_property){ "max.poll.interval.ms", "10000" };
    r->props[r->props_n++] = (struct kafka_property){ "session.timeout.ms", "6000" };
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 10);
    source_start(r);
    poll_rows(r, 10);
    produce_range(r, "ticks", 0, 10, 5000);
    ahead_ns +=
        3600
        * NS_PER_S; /* for the intervals of this service an hour; for librdkafka group limits do not apply */
    poll_rows(r, 5000);
    assert_values(r, 0, 0, 5000);
    assert_int_equal(kafka_source_counts(r->src).rebuilds, 0);
    assert_int_equal(kafka_source_counts(r->src).reopened, 0);
}

/* What comes after a silence, or after this process was away, proves its log: once, and nothing is
 * lost or comes twice. */
static void what_comes_after_a_silence_proves_its_log(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 2);
    produce_range(r, "ticks", 0, 0, 10);
    source_start(r);
    poll_rows(r, 10);
    const int64_t silent = mono_ns();
    while (mono_ns() - silent < 600 * NS_PER_MS) poll_once(r, 20); /* longer than QUIET_NS */
    const int64_t before = kafka_source_counts(r->src).doubts;
    produce_range(r, "ticks", 0, 10, 20);
    poll_rows(r, 20);
    assert_true(kafka_source_counts(r->src).doubts > before);
    assert_values(r, 0, 0, 20);

    const int64_t quiet = kafka_source_counts(r->src).doubts;
    produce_range(r, "ticks", 0, 20, 30);
    ahead_ns += 2 * NS_PER_S; /* longer than AWAY_NS */
    poll_rows(r, 30);
    assert_true(kafka_source_counts(r->src).doubts > quiet);
    assert_values(r, 0, 0, 30);
    produce_range(r, "ticks", 1, 30, 40); /* of this one no message is known: nothing to compare */
    poll_rows(r, 40);
    assert_values(r, 0, 0, 40);
    assert_int_equal(r->db.lives_n, 2);
    assert_int_equal(kafka_source_counts(r->src).reopened, 0);
    assert_int_equal(kafka_source_counts(r->src).repeats, 0);
}

static void batches_are_bounded_and_a_waiting_message_is_handed_over_at_once(void **state)
{
    struct rig *r = *state;
    struct why why;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 1000);
    source_start(r);
    size_t total = 0, most = 0;
    for (int i = 0; i < 2000 && total < 1000; i++) {
        ingest_batch_clear(r->batch);
        assert_int_equal(kafka_source_poll(r->src, r->batch, 100, 64, &why), ERR_OK);
        db_apply(&r->db, r->batch);
        total += r->batch->records_n;
        if (r->batch->records_n > most) most = r->batch->records_n;
    }
    assert_int_equal(total, 1000);
    assert_int_equal(most, 64);
    assert_values(r, 0, 0, 1000);

    const int64_t before = mono_ns();
    produce_range(r, "ticks", 0, 1000, 1001);
    while (r->db.rows_n < 1001) {
        assert_true(mono_ns() - before < 3 * NS_PER_S);
        ingest_batch_clear(r->batch);
        assert_int_equal(kafka_source_poll(r->src, r->batch, 10000, 64, &why),
                         ERR_OK); /* must not wait for 64, or for 10 s */
        db_apply(&r->db, r->batch);
    }
}

static void new_partitions_are_found(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 2);
    produce_range(r, "ticks", 1, 0, 10);
    /* The mock cannot grow a topic: let the database know the first partition of two, as if the
     * topic had had one. */
    source_start(r);
    poll_rows(r, 10);
    source_stop(r);
    r->db.lives[1].next_offset = 0;
    r->db.lives[1].fingerprint = 0;
    free((void *)(uintptr_t)r->db.lives[1].topic);
    r->db.lives[1].topic = strdup("not configured any more");
    source_start(r);
    poll_rows(r, 20);
    assert_int_equal(r->db.lives_n, 3);
    assert_int_equal(r->db.lives[2].part, 1);
    assert_int_equal(r->db.lives[2].source_id, 3);
}

static void committed_positions_reach_kafka_as_a_hint(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    produce_range(r, "ticks", 0, 0, 77);
    source_start(r);
    poll_rows(r, 77);
    const struct source_mark mark = { .source_id = 1, .next_offset = 77 };
    kafka_source_committed(r->src, &mark, 1);

    char text[100];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", embedded_bootstrap(r->broker), text, sizeof text);
    rd_kafka_conf_set(conf, "group.id", "tocsin-test", text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, "ticks", 0);
    const int64_t deadline = mono_ns() + PATIENCE_MS * NS_PER_MS;
    do {
        ahead_ns += 2 * NS_PER_S;
        poll_once(r, 50);
        assert_int_equal(rd_kafka_committed(rk, l, 5000), 0);
    } while (l->elems[0].offset != 77 && mono_ns() < deadline);
    assert_int_equal(l->elems[0].offset, 77);
    rd_kafka_topic_partition_list_destroy(l);
    rd_kafka_destroy(rk);
}

static void much_poison_raises_an_alarm_that_ends_with_it(void **state)
{
    struct rig *r = *state;
    topic(r, "ticks", 1);
    for (int i = 0; i < 190; i++) produce(r, "ticks", 0, i, 1);
    for (int i = 0; i < 9; i++) produce_raw(r, "ticks", 0, "k", "{", 1);
    flush(r);
    source_start(r);
    poll_rows(r, 199); /* 4.5 %, and too few to tell */
    poll_state(r, NULL);
    for (int i = 0; i < 2; i++) produce_raw(r, "ticks", 0, "k", "{", 1);
    flush(r);
    poll_rows(r, 201); /* 11 of 201: 5.5 % */
    poll_state(r, "kafka: topic ticks partition 0: more than 5 % of the messages are refused");
    ahead_ns += 61 * NS_PER_S;
    produce_range(r, "ticks", 0, 300, 600);
    poll_rows(r, 501);
    ahead_ns += 61 * NS_PER_S;
    produce_range(r, "ticks", 0, 600, 601);
    poll_rows(r, 502); /* a whole minute without */
    poll_state(r, NULL);
}

static void lag_is_counted_by_topic(void **state)
{
    struct rig *r = *state;
    struct why why;
    static const struct kafka_topic topics[] = { { "ticks", false }, { "news", false } };
    topic(r, "ticks", 1);
    topic(r, "news", 1);
    produce_range(r, "ticks", 0, 0, 1000);
    source_start_topics(r, topics, 2);
    struct kafka_lag lags[2];
    int64_t seen = 0;
    while (r->db.rows_n < 600) {
        ahead_ns += NS_PER_S; /* publishes every time */
        ingest_batch_clear(r->batch);
        assert_int_equal(kafka_source_poll(r->src, r->batch, 100, 100, &why), ERR_OK);
        db_apply(&r->db, r->batch);
        assert_int_equal(kafka_source_lags(r->src, lags, 2), 2);
        seen = lags[0].messages;
        if (r->db.rows_n) assert_int_equal(seen, 1000 - (int64_t)r->db.rows_n);
    }
    assert_string_equal(lags[0].topic, "ticks");
    assert_string_equal(lags[1].topic, "news");
    assert_int_equal(lags[1].messages, 0);
    assert_int_equal(seen, 400);
}

/* ---- without a broker ---- */

static void wrong_settings_are_named_and_secrets_are_not(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text;
    } bad[] = {
        { "enable.auto.commit", "true", "\"enable.auto.commit\" is fixed by this service" },
        { "auto.offset.reset", "earliest", "fixed by this service" },
        { "group.id", "x", "fixed by this service" },
        { "plugin.library.paths", "x.so", "fixed by this service" },
        { "fetch.min.byte", "1", "\"fetch.min.byte\" is not known to librdkafka" },
        { "fetch.min.bytes", "many", "\"fetch.min.bytes\": Invalid value" },
        { "security.protocol", "none", "\"security.protocol\": Invalid value" },
        { "dr_msg_cb", "f", "dr_msg_cb" },
        { "ssl.key.pem", "hush-hush", "ssl.key.pem" },
        { "sasl.oauthbearer.token.endpoint.url", "hush-hush", "sasl.oauthbearer" },
    };
    const struct kafka_topic t = { "ticks", false };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct why why = { .text = "" };
        struct kafka_source *out = NULL;
        const struct kafka_property p = { bad[i].name, bad[i].value };
        const struct kafka_config cfg = { .brokers = "127.0.0.1:1",
                                          .topics = &t,
                                          .topics_n = 1,
                                          .properties = &p,
                                          .properties_n = 1 };
        enum err e = kafka_source_open(&cfg, NULL, 0, &out, &why);
        assert_null(strstr(why.text, "hush-hush"));
        if (e) assert_non_null(strstr(why.text, i < 8 ? bad[i].text : ""));
        else kafka_source_close(out); /* a library that takes those two */
        if (i < 8) assert_int_equal(e, ERR_INVALID);
    }
    static const struct {
        const char *brokers;
        struct kafka_topic topics[2];
        size_t n;
        const char *text;
    } wrong[] = {
        { "", { { "ticks", false } }, 1, "no brokers" },
        { "127.0.0.1:1", { { "ticks", false } }, 0, "no topics" },
        { "127.0.0.1:1", { { "", false } }, 1, "no topic name" },
        { "127.0.0.1:1", { { "^tick.*", false } }, 1, "no topic name" },
        { "127.0.0.1:1", { { "ticks", false }, { "ticks", true } }, 2, "listed twice" },
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct why why = { .text = "" };
        struct kafka_source *out = NULL;
        const struct kafka_config cfg = { .brokers = wrong[i].brokers,
                                          .topics = wrong[i].topics,
                                          .topics_n = wrong[i].n };
        assert_int_equal(kafka_source_open(&cfg, NULL, 0, &out, &why), ERR_INVALID);
        assert_non_null(strstr(why.text, wrong[i].text));
        assert_null(out);
    }
}

static void without_brokers_it_opens_says_why_and_closes_in_time(void **state)
{
    (void)state;
    struct why why;
    struct kafka_source *s;
    struct ingest_batch *b;
    struct buf text = { 0 };
    const struct kafka_topic t = { "ticks", false };
    const struct kafka_config cfg = {
        .brokers = "127.0.0.1:1", .group = "g", .topics = &t, .topics_n = 1
    };
    assert_int_equal(kafka_source_open(&cfg, NULL, 0, &s, &why), ERR_OK);
    assert_int_equal(ingest_batch_new(&b), ERR_OK);
    assert_false(kafka_source_state(s, &text));
    assert_string_equal(text.data, "\"kafka: not connected yet\"");
    const int64_t before = mono_ns();
    while (buf_clear(&text),
           !kafka_source_state(s, &text) && !strstr(text.data, "all brokers down")) {
        assert_int_equal(kafka_source_poll(s, b, 50, 100, &why), ERR_OK);
        assert_true(mono_ns() - before < 10 * NS_PER_S);
    }
    assert_null(strstr(text.data, "127.0.0.1"));
    assert_int_equal(b->records_n + b->lives_n + b->marks_n, 0);
    const int64_t closing = mono_ns();
    kafka_source_close(s);
    assert_true(mono_ns() - closing < 3500 * NS_PER_MS);
    buf_release(&text);
    ingest_batch_free(b);
    kafka_source_close(NULL);
}

static void fingerprints_tell_messages_apart_and_never_change(void **state)
{
    (void)state;
    char text[65];
    memset(text, 'x', sizeof text);
    int64_t seen[200];
    size_t n = 0;
    for (size_t len = 0; len <= 64; len++)
        seen[n++] = kafka_fingerprint(1, "k", 1, text, len); /* every tail length */
    for (size_t i = 0; i < 64; i++) {
        text[i] ^= 1;
        seen[n++] = kafka_fingerprint(1, "k", 1, text, 64); /* every byte */
        text[i] ^= 1;
    }
    seen[n++] = kafka_fingerprint(2, "k", 1, text, 64);
    seen[n++] = kafka_fingerprint(1, "l", 1, text, 64);
    seen[n++] = kafka_fingerprint(1, "kx", 2, text, 63); /* same bytes, other border */
    seen[n++] = kafka_fingerprint(1, "", 0, text, 64);
    seen[n++] = kafka_fingerprint(1, NULL, 0, text, 64);
    seen[n++] = kafka_fingerprint(1, "k", 1, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        assert_true(seen[i] != 0);
        for (size_t k = 0; k < i; k++) assert_true(seen[i] != seen[k]);
    }
    /* Stored in databases: if this fails, every partition would begin a new life. */
    assert_int_equal(kafka_fingerprint(1518037200000, "AAPL", 4, "{\"kind\":\"trade\"}", 16),
                     (int64_t)0xbae63a895288effc);
}

#define RIG(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(messages_become_records_with_their_source),
        RIG(what_is_no_record_becomes_a_dead_letter_in_place),
        RIG(a_message_is_all_of_its_records_or_none),
        RIG(a_restart_goes_on_where_the_database_stands),
        RIG(another_message_at_the_position_is_another_life),
        RIG(a_log_that_ends_before_the_position_is_another_life),
        RIG(another_cluster_is_another_life_even_with_the_same_messages),
        RIG(a_restarted_embedded_broker_is_another_life),
        RIG(a_cluster_that_changes_while_running_is_noticed),
        RIG(fewer_partitions_of_a_first_topic_hold_nothing_back),
        RIG(deleted_messages_are_a_gap),
        RIG(deleted_while_holding_back_is_a_gap_too),
        RIG(reference_comes_before_everything_else),
        RIG(a_missing_topic_is_waited_for),
        RIG(brokers_that_go_and_come_back_cost_nothing),
        RIG(brokers_that_fall_silent_are_down),
        RIG(a_moved_leader_is_followed),
        RIG(every_broker_error_is_survived),
        RIG(a_partition_that_stands_still_is_opened_again),
        RIG(not_polling_for_long_is_legal),
        RIG(what_comes_after_a_silence_proves_its_log),
        RIG(batches_are_bounded_and_a_waiting_message_is_handed_over_at_once),
        RIG(new_partitions_are_found),
        RIG(committed_positions_reach_kafka_as_a_hint),
        RIG(much_poison_raises_an_alarm_that_ends_with_it),
        RIG(lag_is_counted_by_topic),
        cmocka_unit_test(wrong_settings_are_named_and_secrets_are_not),
        cmocka_unit_test(without_brokers_it_opens_says_why_and_closes_in_time),
        cmocka_unit_test(fingerprints_tell_messages_apart_and_never_change),
    };
    if (getenv("ONLY")) cmocka_set_test_filter(getenv("ONLY"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
