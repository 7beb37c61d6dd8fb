#include "app/threads/health.h"

#include "core/json_write.h"
#include "core/when.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int64_t age_ms(int64_t since_ns, int64_t now_ns)
{
    return since_ns && now_ns > since_ns ? (now_ns - since_ns) / NS_PER_MS : 0;
}

int64_t health_uncommitted_ms(const struct pipeline *p)
{
    const int64_t now = mono_ns();
    int64_t oldest = age_ms(atomic_load(&p->batch_ns), now);
    for (int i = 0; i < TURNS; i++) {
        const int64_t age = age_ms(atomic_load(&p->every_turn[i]->since_ns), now);
        if (age > oldest) oldest = age;
    }
    return oldest;
}

int64_t health_delivery_due_ms(const struct pipeline *p) { return atomic_load(&p->due_ms); }

static void database_reasons(struct pipeline *p, struct buf *b)
{
    const char *writer = atomic_load(&p->writer_trouble), *watch = atomic_load(&p->watch_trouble);
    if (writer)
        buf_json_item(b, "database: %s; nothing is lost, Kafka keeps what is not read", writer);
    if (watch && watch != writer)
        buf_json_item(b, "database: whose the shard is cannot be looked at: %s", watch);
}

static void standing_reasons(struct pipeline *p, struct buf *b)
{
    const int64_t waits_s = health_uncommitted_ms(p) / 1000;
    const int64_t rests_s = age_ms(atomic_load(&p->round_ns), mono_ns()) / 1000;
    if (waits_s >= HEALTH_STUCK_S)
        buf_json_item(b, "work: what was read %" PRId64 " s ago is not committed", waits_s);
    else if (rests_s >= HEALTH_STUCK_S)
        buf_json_item(b, "work: the engine has been at one thing for %" PRId64 " s", rests_s);
}

bool health_ready(struct pipeline *p, struct buf *reasons)
{
    const size_t before = reasons->len;
    const bool kafka = kafka_source_state(p->kafka, reasons);
    database_reasons(p, reasons);
    standing_reasons(p, reasons);
    if (atomic_load(&p->stopping)) buf_json_item(reasons, "stopping");
    return kafka && reasons->len == before;
}

/* ---- as metrics ---- */
static void gauge(struct buf *out, const char *name, const char *help, double value)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %.3f\n", name, help, name, name, value);
}

static void lag_row(void *ctx, const char *topic, int32_t part, int64_t lag)
{
    buf_printf(ctx,
               "tocsin_kafka_lag_messages{topic=\"%s\",partition=\"%" PRId32 "\"} %" PRId64 "\n",
               topic, part, lag); /* a topic's name has no quotes */
}

static void skew_row(void *ctx, const char *topic, int32_t part, int64_t ms)
{
    buf_printf(ctx, "tocsin_feed_skew_seconds{topic=\"%s\",partition=\"%" PRId32 "\"} %.3f\n",
               topic, part, (double)ms / 1000);
}

void health_metrics(struct pipeline *p, struct buf *out)
{
    AUTO_BUF struct buf reasons = { 0 };
    const bool ready = health_ready(p, &reasons);
    const bool trouble = atomic_load(&p->writer_trouble) || atomic_load(&p->watch_trouble);
    gauge(out, "tocsin_ready", "1 when work moves, as /readyz says", ready);
    gauge(out, "tocsin_database_ok", "0 while PostgreSQL does not take commits or cannot be asked",
          !trouble);
    gauge(out, "tocsin_oldest_uncommitted_seconds",
          "for how long the oldest record that was read and is not committed has been in hand; 0: "
          "there is none",
          (double)health_uncommitted_ms(p) / 1000);
    gauge(out, "tocsin_oldest_delivery_due_seconds",
          "for how long the oldest delivery that could be sent now has been due; 0: there is none",
          (double)health_delivery_due_ms(p) / 1000);
    gauge(out, "tocsin_last_event_timestamp_seconds",
          "the engine's time: that of the newest event it has seen",
          (double)(atomic_load(&p->event_ns) / NS_PER_MS) / 1000);
    buf_puts(out, "# HELP tocsin_kafka_lag_messages messages in Kafka that have not been read\n"
                  "# TYPE tocsin_kafka_lag_messages gauge\n");
    kafka_source_part_lags(p->kafka, lag_row, out);
    buf_puts(
        out,
        "# HELP tocsin_feed_skew_seconds the event time of a partition's newest trade less its Kafka "
        "timestamp: above 0 it lies ahead\n# TYPE tocsin_feed_skew_seconds gauge\n");
    skews_each(&p->skews, skew_row, out);
}
