/* test_producer.c - messages arrive once, keys keep their partition, reports are counted, nothing
 * waits for ever. */
#include "core/when.h"
#include "ingest/kafka/embedded.h"
#include "ingest/kafka/producer.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PARTS = 4 };

static struct embedded_broker *broker;

static int start(void **state)
{
    (void)state;
    struct why why;
    if (embedded_start(2, &broker, &why)) return -1;
    return embedded_topic(broker, "ticks", PARTS, &why) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    embedded_stop(broker);
    return 0;
}

static struct producer *open_or_fail(int timeout_ms)
{
    struct why why;
    struct producer *p = NULL;
    const struct producer_config cfg = { .brokers = embedded_bootstrap(broker),
                                         .message_timeout_ms = timeout_ms };
    if (producer_open(&cfg, &p, &why)) fail_msg("%s", why.text);
    return p;
}

static int64_t end_of(struct producer *p, const char *topic, int32_t part)
{
    (void)p;
    char text[100];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", embedded_bootstrap(broker), text, sizeof text);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    int64_t low = -1, high = -1;
    assert_int_equal(rd_kafka_query_watermark_offsets(rk, topic, part, &low, &high, 10000), 0);
    rd_kafka_destroy(rk);
    return high;
}

static void keys_keep_their_partition_as_in_java(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct producer *p = open_or_fail(0);
    /* Murmur2 of Kafka's own UtilsTest: "foobar" -790332482, "a-little-bit-long-string"
     * -985981536, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8" -58897971; the partition is
     * (hash & 0x7fffffff) % 4. */
    static const struct {
        const char *key;
        uint32_t hash;
    } keys[] = {
        { "foobar", (uint32_t)-790332482 },
        { "a-little-bit-long-string", (uint32_t)-985981536 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", (uint32_t)-58897971 },
    };
    int64_t want[PARTS] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        want[(keys[i].hash & 0x7fffffff) % PARTS] += 1000;
        for (int k = 0; k < 1000; k++)
            assert_int_equal(
                producer_send(p, "ticks", keys[i].key, strlen(keys[i].key), "x", 1, 1000 + k, &why),
                ERR_OK);
    }
    assert_int_equal(producer_flush(p, 10000, &why), ERR_OK);
    const struct producer_counts c = producer_counts(p);
    assert_int_equal(c.queued, 3000);
    assert_int_equal(c.delivered, 3000);
    assert_int_equal(c.failed, 0);
    for (int32_t i = 0; i < PARTS; i++) assert_int_equal(end_of(p, "ticks", i), want[i]);
    producer_close(p);
}

/* The idempotent producer resends after errors that leave open whether the broker has the
 * message; none comes twice. */
static void errors_on_the_way_are_retried_without_duplicates(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct producer *p = open_or_fail(0);
    const int64_t before = end_of(p, "ticks", 1);
    rd_kafka_mock_push_request_errors(
        embedded_mock(broker), 0 /* Produce */, 4, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    for (int i = 0; i < 500; i++)
        assert_int_equal(producer_send_to(p, "ticks", 1, "k", 1, "y", 1, 0, &why), ERR_OK);
    if (producer_flush(p, 20000, &why)) fail_msg("%s", why.text);
    assert_int_equal(end_of(p, "ticks", 1), before + 500);
    producer_close(p);
}

static void without_brokers_messages_fail_and_nothing_hangs(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    const struct kafka_property none[] = { { "log_level", "0" } };
    const struct producer_config cfg = {
        .brokers = "127.0.0.1:1",
        .properties = none,
        .properties_n = 1,
        .message_timeout_ms = 300,
    };
    struct producer *p = NULL;
    assert_int_equal(producer_open(&cfg, &p, &why), ERR_OK);
    assert_int_equal(producer_send(p, "ticks", "k", 1, "v", 1, 0, &why), ERR_OK);
    assert_int_equal(producer_flush(p, 5000, &why), ERR_KAFKA);
    assert_non_null(strstr(why.text, "1 of 1 messages not delivered"));
    assert_int_equal(producer_counts(p).failed, 1);

    assert_int_equal(producer_send(p, "ticks", "k", 1, "v", 1, 0, &why), ERR_OK);
    const int64_t before = mono_ns();
    assert_int_equal(producer_flush(p, 10, &why),
                     ERR_KAFKA); /* still under way: also not delivered */
    producer_close(p);
    assert_true(mono_ns() - before < 5 * NS_PER_S);
}

static void a_full_queue_blocks_then_says_so(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    const struct kafka_property small[] = { { "queue.buffering.max.messages", "10" },
                                            { "log_level", "0" } };
    const struct producer_config cfg = {
        .brokers = "127.0.0.1:1",
        .properties = small,
        .properties_n = 2,
        .message_timeout_ms = 100000,
    };
    struct producer *p = NULL;
    assert_int_equal(producer_open(&cfg, &p, &why), ERR_OK);
    producer_close(p);

    p = open_or_fail(0); /* with a broker a small queue only slows the sender down */
    producer_close(p);
    const struct producer_config live = { .brokers = embedded_bootstrap(broker),
                                          .properties = small,
                                          .properties_n = 2 };
    assert_int_equal(producer_open(&live, &p, &why), ERR_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(producer_send_to(p, "ticks", 2, NULL, 0, "z", 1, 0, &why), ERR_OK);
    assert_int_equal(producer_flush(p, 10000, &why), ERR_OK);
    producer_close(p);
}

static void settings_that_break_the_promise_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text;
    } bad[] = {
        { "enable.idempotence", "false", "fixed by this service" },
        { "acks", "1", "fixed by this service" },
        { "no.such.thing", "1", "not known to librdkafka" },
        { "linger.ms", "soon", "linger.ms" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct why why = { .text = "" };
        const struct kafka_property p = { bad[i].name, bad[i].value };
        struct producer *out = NULL;
        const struct producer_config cfg = { .brokers = "127.0.0.1:1",
                                             .properties = &p,
                                             .properties_n = 1 };
        assert_int_equal(producer_open(&cfg, &out, &why), ERR_INVALID);
        assert_non_null(strstr(why.text, bad[i].text));
        assert_null(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_keep_their_partition_as_in_java),
        cmocka_unit_test(errors_on_the_way_are_retried_without_duplicates),
        cmocka_unit_test(without_brokers_messages_fail_and_nothing_hangs),
        cmocka_unit_test(a_full_queue_blocks_then_says_so),
        cmocka_unit_test(settings_that_break_the_promise_are_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
