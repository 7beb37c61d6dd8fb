/* The worker pool against a receiver that misbehaves and an outbox in memory: everything owed is
 * told, nobody holds up the others, and a crash between send and mark repeats the same bytes. */
#include "alerts/delivery/dispatcher.h"
#include "alerts/delivery/channels/webhook.h"
#include "alerts/delivery/schedule.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "tests/unit/alerts/delivery/fault_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { OWED_MAX = 512, CHANNELS_MAX = 16 };

/* ---- an outbox in memory, with the contract of outbox.h ---- */

struct owed {
    uint64_t stream_no;
    int channel, attempts;
    enum delivery_status status;
    bool leased;
    int64_t due_ns, delays_ms[16];
    int code;
    char error[128];
};

struct memory {
    pthread_mutex_t lock;
    struct fault_server *server;
    char settings[CHANNELS_MAX][160]; /* {"url":"..."} */
    const char *kinds[CHANNELS_MAX];  /* NULL: webhook */
    char disabled[CHANNELS_MAX][64];
    struct webhook_secret secret;
    char secrets[WEBHOOK_SECRET_TEXT + 32]; /* {"secret":"whsec_..."} */
    struct owed owed[OWED_MAX];
    int owed_n, claims, releases, marks;
    int unsaid; /* claims that did not name a channel the pool still held: two workers for one endpoint */
    double delay_scale; /* what part of a retry delay is really waited for */
    int64_t failing_s;
    const char *inputs[CHANNELS_MAX];        /* NULL: "{}" */
    int fail_release, fail_claim, fail_mark; /* so many more calls fail; -1: all */
};

static struct uuid channel_id(int c) { return uuid_derive((struct uuid){ { 2 } }, (uint64_t)c, 0); }
static struct uuid alert_id(uint64_t stream_no)
{
    return uuid_derive((struct uuid){ { 3 } }, stream_no, 0);
}

static bool fails(int *left)
{
    if (*left == 0) return false;
    if (*left > 0) (*left)--;
    return true;
}

static enum err memory_release(void *ctx, struct why *why)
{
    struct memory *m = ctx;
    pthread_mutex_lock(&m->lock);
    bool bad = fails(&m->fail_release);
    m->releases++;
    for (int i = 0; i < m->owed_n && !bad; i++) m->owed[i].leased = false;
    pthread_mutex_unlock(&m->lock);
    return bad ? err_set(why, ERR_DB_LOST, "no server") : ERR_OK;
}

static bool says(const struct uuid *busy, size_t busy_n, struct uuid channel)
{
    for (size_t i = 0; i < busy_n; i++)
        if (uuid_equal(busy[i], channel)) return true;
    return false;
}

static bool channel_free(const struct memory *m, int c, const struct uuid *busy, size_t busy_n)
{
    if (says(busy, busy_n, channel_id(c))) return false;
    for (int i = 0; i < m->owed_n; i++)
        if (m->owed[i].channel == c && m->owed[i].leased) return false;
    return !m->disabled[c][0];
}

static enum err memory_claim(void *ctx, const struct uuid *busy, size_t busy_n,
                             struct delivery *out, size_t max, size_t *out_n, int64_t *next_due_ms,
                             struct why *why)
{
    struct memory *m = ctx;
    pthread_mutex_lock(&m->lock);
    m->claims++;
    for (int i = 0; i < m->owed_n; i++)
        m->unsaid += m->owed[i].leased && !says(busy, busy_n, channel_id(m->owed[i].channel));
    bool bad = fails(&m->fail_claim);
    int64_t now = mono_ns(), next = INT64_MAX;
    size_t n = 0;
    for (int i = 0; i < m->owed_n && !bad; i++) {
        struct owed *o = &m->owed[i];
        if (o->status != DELIVERY_WAITING) continue;
        if (o->due_ns > now) {
            next = o->due_ns < next ? o->due_ns : next;
            continue;
        }
        if (n == max || !channel_free(m, o->channel, busy, busy_n)) continue;
        o->leased = true;
        out[n++] = (struct delivery){
            .channel = channel_id(o->channel),
            .attempt = o->attempts + 1,
            .failing_s = m->failing_s,
            .kind = m->kinds[o->channel] ? m->kinds[o->channel] : "webhook",
            .settings = m->settings[o->channel],
            .alert = { .tenant_id = { { 9 } },
                       .alert_id = alert_id(o->stream_no),
                       .stream_no = o->stream_no,
                       .seq = 100,
                       .event_ns = 5,
                       .rule_version = 1,
                       .value = 1.5,
                       .rule_name = "n",
                       .rule_text = "last(A) >= 1",
                       .measure = "last(A)",
                       .unit = "USD",
                       .inputs = m->inputs[o->channel] ? m->inputs[o->channel] : "{}",
                       .definition = "" },
        };
        struct delivery *made = &out[n - 1]; /* its secrets are wiped with it */
        made->secrets = arena_copy(&made->memory, m->secrets, strlen(m->secrets));
    }
    *out_n = n;
    *next_due_ms = next == INT64_MAX ? -1 : (next - now) / NS_PER_MS + 1;
    pthread_mutex_unlock(&m->lock);
    return bad ? err_set(why, ERR_DB, "57P01: terminating") : ERR_OK;
}

static struct owed *find_owed(struct memory *m, struct uuid alert, struct uuid channel)
{
    for (int i = 0; i < m->owed_n; i++)
        if (uuid_equal(alert_id(m->owed[i].stream_no), alert)
            && uuid_equal(channel_id(m->owed[i].channel), channel))
            return &m->owed[i];
    fail_msg("a mark for nothing");
    return NULL;
}

static void memory_disable(struct memory *m, int c, const char *reason)
{
    snprintf(m->disabled[c], sizeof m->disabled[c], "%s", reason);
    for (int i = 0; i < m->owed_n; i++)
        if (m->owed[i].channel == c && m->owed[i].status == DELIVERY_WAITING)
            m->owed[i].status = DELIVERY_FAILED;
}

static enum err memory_mark(void *ctx, const struct delivery_mark *marks, size_t n, struct why *why)
{
    struct memory *m = ctx;
    pthread_mutex_lock(&m->lock);
    m->marks++;
    bool bad = fails(&m->fail_mark);
    for (size_t i = 0; i < n && !bad; i++) {
        struct owed *o = find_owed(m, marks[i].alert, marks[i].channel);
        o->leased = false;
        if (marks[i].attempt == 0) continue;
        o->status = marks[i].status;
        o->attempts = marks[i].attempt;
        o->code = marks[i].code;
        snprintf(o->error, sizeof o->error, "%s", marks[i].error);
        if (o->attempts < 16) o->delays_ms[o->attempts] = marks[i].delay_ms;
        o->due_ns = mono_ns() + (int64_t)((double)(marks[i].delay_ms * NS_PER_MS) * m->delay_scale);
        if (marks[i].disable) memory_disable(m, o->channel, marks[i].disable);
    }
    pthread_mutex_unlock(&m->lock);
    return bad ? err_set(why, ERR_DB_LOST, "08006: gone") : ERR_OK;
}

/* ---- a test's world ---- */

static int set_up(void **state)
{
    struct memory *m = calloc(1, sizeof *m);
    assert_non_null(m);
    pthread_mutex_init(&m->lock, NULL);
    m->server = fault_server_start();
    webhook_secret_random(&m->secret);
    char text[WEBHOOK_SECRET_TEXT];
    webhook_secret_format(&m->secret, text);
    snprintf(m->secrets, sizeof m->secrets, "{\"secret\":\"%s\"}", text);
    m->delay_scale = 1;
    *state = m;
    return 0;
}

static int tear_down(void **state)
{
    struct memory *m = *state;
    assert_int_equal(m->unsaid, 0);
    fault_server_stop(m->server);
    pthread_mutex_destroy(&m->lock);
    free(m);
    return 0;
}

static void channel_at(struct memory *m, int c, const char *path)
{
    char url[128];
    fault_url(m->server, path, url);
    snprintf(m->settings[c], sizeof m->settings[c], "{\"url\":\"%s\"}", url);
}

static void owe(struct memory *m, int channel, int count)
{
    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < count; i++) {
        assert_true(m->owed_n < OWED_MAX);
        m->owed[m->owed_n] =
            (struct owed){ .stream_no = (uint64_t)m->owed_n + 1, .channel = channel };
        m->owed_n++;
    }
    pthread_mutex_unlock(&m->lock);
}

static struct dispatcher *start(struct memory *m, int workers, int timeout_ms)
{
    const struct dispatcher_config cfg = { .workers = workers,
                                           .poll_ms = 60000,
                                           .rest_unit_ms = 1,
                                           .setup = { .limits = { .allow_plain = true,
                                                                  .allow_private = true },
                                                      .timeout_ms = timeout_ms } };
    const struct outbox_calls outbox = {
        .ctx = m, .release_all = memory_release, .claim = memory_claim, .mark = memory_mark
    };
    struct dispatcher *p = NULL;
    assert_int_equal(dispatcher_start(&cfg, &outbox, &p, NULL), ERR_OK);
    return p;
}

static int with_status(struct memory *m, int channel, enum delivery_status status)
{
    int n = 0;
    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < m->owed_n; i++)
        n += m->owed[i].channel == channel && m->owed[i].status == status;
    pthread_mutex_unlock(&m->lock);
    return n;
}

static int locked_int(struct memory *m, const int *v)
{
    pthread_mutex_lock(&m->lock);
    int n = *v;
    pthread_mutex_unlock(&m->lock);
    return n;
}

static void pause_ms(int ms) { poll(NULL, 0, ms); }

/* Fails the test when it takes longer than 20 s (a machine under sanitizers may be slow; nothing
 * here needs so long). */
static int64_t wait_for(struct memory *m, int channel, enum delivery_status status, int count)
{
    int64_t from = mono_ns();
    while (with_status(m, channel, status) < count) {
        if (mono_ns() - from > 20 * NS_PER_S)
            fail_msg("channel %d: %d of %d have status %d", channel,
                     with_status(m, channel, status), count, (int)status);
        pause_ms(1);
    }
    return (mono_ns() - from) / NS_PER_MS;
}

static uint64_t stream_no_of(const struct fault_request *q)
{
    const char *at = strstr(q->body, "\"stream_no\":");
    assert_non_null(at);
    return strtoull(at + 12, NULL, 10);
}

/* ---- the stories ---- */

static void a_kick_delivers_at_once_and_in_order(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/ok/0");
    channel_at(m, 1, "/ok/1");
    int64_t ok = metric_get(METRIC_DELIVERIES_OK);
    struct dispatcher *p = start(m, 4, 2000);
    while (locked_int(m, &m->claims) == 0) pause_ms(1);
    owe(m, 0, 40);
    owe(m, 1, 40);
    dispatcher_kick(p);
    wait_for(m, 0, DELIVERY_DELIVERED, 40);
    wait_for(m, 1, DELIVERY_DELIVERED, 40);
    dispatcher_stop(p, 1000);

    assert_int_equal(metric_get(METRIC_DELIVERIES_OK) - ok, 80);
    for (int c = 0; c < 2; c++) {
        const char *path = c ? "/ok/1" : "/ok/0";
        assert_int_equal(fault_count(m->server, path), 40); /* none twice */
        for (int i = 0; i < 40; i++) {
            const struct fault_request *q = fault_request_at(m->server, path, i);
            char id[UUID_TEXT], signature[WEBHOOK_SIGNATURE_TEXT];
            assert_int_equal(stream_no_of(q), c * 40 + i + 1);
            uuid_format(alert_id(stream_no_of(q)), id);
            assert_string_equal(q->id, id);
            assert_int_equal(webhook_sign(id, strtoll(q->timestamp, NULL, 10), q->body, q->body_n,
                                          &m->secret, NULL, signature),
                             ERR_OK);
            assert_string_equal(q->signature, signature);
            assert_true(llabs(strtoll(q->timestamp, NULL, 10) - wall_ns() / NS_PER_S) < 60);
        }
    }
}

static void bad_endpoints_hold_one_worker_each_and_the_others_go_on(void **state)
{
    struct memory *m = *state;
    static const char *const bad[] = {
        "/hang", "/trickle", "/big", "/slowbody", "/1xx", "/headers"
    };
    m->delay_scale = 0.1;
    for (int c = 0; c < (int)ARRAY_LEN(bad); c++) {
        channel_at(m, c, bad[c]);
        owe(m, c, 8);
    }
    channel_at(m, 6, "/ok/good");
    owe(m, 6, 100);
    struct dispatcher *p = start(m, 7, 10000);
    int64_t ms = wait_for(m, 6, DELIVERY_DELIVERED, 100);
    assert_int_equal(fault_count(m->server, "/hang"),
                     1); /* the good one was done before the hung one had timed out once */
    dispatcher_stop(p, 0);
    print_message("100 deliveries beside %d bad endpoints: %d ms\n", (int)ARRAY_LEN(bad), (int)ms);
}

static void more_hung_endpoints_than_workers_do_not_stop_the_good_one(void **state)
{
    struct memory *m = *state;
    for (int c = 0; c < 6; c++) {
        char path[24];
        snprintf(path, sizeof path, "/hang/%d", c);
        channel_at(m, c, path);
        owe(m, c, 5);
    }
    channel_at(m, 6, "/ok/good");
    owe(m, 6, 20);
    const struct dispatcher_config cfg = {
        .workers = 2,
        .poll_ms = 60000,
        .rest_unit_ms = 60000,
        .setup = { .limits = { .allow_plain = true, .allow_private = true }, .timeout_ms = 1000 }
    };
    const struct outbox_calls outbox = {
        .ctx = m, .release_all = memory_release, .claim = memory_claim, .mark = memory_mark
    };
    struct dispatcher *p = NULL;
    assert_int_equal(dispatcher_start(&cfg, &outbox, &p, NULL), ERR_OK);
    wait_for(m, 6, DELIVERY_DELIVERED, 20);
    dispatcher_stop(p, 0);
    for (int c = 0; c < 6; c++) {
        char path[24];
        snprintf(path, sizeof path, "/hang/%d", c);
        assert_true(fault_count(m->server, path) <= 1); /* one timeout, then rest */
    }
}

static void a_failing_alert_follows_the_schedule_and_expires(void **state)
{
    struct memory *m = *state;
    static const int64_t table_ms[] = { 0,        5000,     30000,    300000,   1800000, 7200000,
                                        18000000, 36000000, 50400000, 72000000, 86400000 };
    m->delay_scale = 0;
    channel_at(m, 0, "/status/500");
    owe(m, 0, 1);
    struct dispatcher *p = start(m, 2, 2000);
    wait_for(m, 0, DELIVERY_EXPIRED, 1);
    dispatcher_stop(p, 1000);

    assert_int_equal(fault_count(m->server, "/status/500"), SCHEDULE_ATTEMPTS);
    const struct fault_request *first = fault_request_at(m->server, "/status/500", 0);
    for (int i = 1; i < SCHEDULE_ATTEMPTS; i++) {
        const struct fault_request *q = fault_request_at(m->server, "/status/500", i);
        assert_string_equal(q->id, first->id);
        assert_string_equal(q->body, first->body);
        int64_t waited = m->owed[0].delays_ms[i]; /* after attempt i */
        assert_true(waited >= table_ms[i] - table_ms[i] / 5
                    && waited <= table_ms[i] + table_ms[i] / 5);
    }
    assert_int_equal(m->owed[0].attempts, SCHEDULE_ATTEMPTS);
    assert_int_equal(m->owed[0].code, 500);
    assert_string_equal(m->owed[0].error, "HTTP status 500");
}

static void a_flaky_endpoint_gets_everything_in_the_end(void **state)
{
    struct memory *m = *state;
    m->delay_scale = 0.001;
    channel_at(m, 0, "/flaky/7");
    owe(m, 0, 5);
    struct dispatcher *p = start(m, 3, 2000);
    wait_for(m, 0, DELIVERY_DELIVERED, 5);
    dispatcher_stop(p, 1000);
    assert_int_equal(fault_count(m->server, "/flaky/7"), 12);
}

static void gone_turns_the_channel_off(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/status/410");
    owe(m, 0, 10);
    struct dispatcher *p = start(m, 4, 2000);
    wait_for(m, 0, DELIVERY_FAILED, 10);
    dispatcher_stop(p, 1000);
    assert_int_equal(fault_count(m->server, "/status/410"), 1);
    assert_string_equal(m->disabled[0], "the endpoint answered 410 Gone");
}

static void failing_for_120_hours_turns_the_channel_off(void **state)
{
    struct memory *m = *state;
    m->failing_s = 120 * 3600;
    channel_at(m, 0, "/status/500");
    channel_at(m, 1, "/ok/after-all");
    owe(m, 0, 3);
    owe(m, 1, 3);
    struct dispatcher *p = start(m, 4, 2000);
    wait_for(m, 0, DELIVERY_FAILED, 3);
    wait_for(m, 1, DELIVERY_DELIVERED, 3);
    dispatcher_stop(p, 1000);
    assert_int_equal(fault_count(m->server, "/status/500"), 1);
    assert_true(m->disabled[0][0] && !m->disabled[1][0]);
}

static void a_throttling_endpoint_is_left_alone_as_long_as_it_asks(void **state)
{
    struct memory *m = *state;
    m->delay_scale = 0;
    channel_at(m, 0, "/after/429/1");
    owe(m, 0, 4);
    struct dispatcher *p = start(m, 4, 2000);
    while (fault_count(m->server, "/after/429/1") < 3) pause_ms(5);
    dispatcher_stop(p, 1000);
    for (int i = 0; i < 2; i++) {
        int64_t gap = fault_request_at(m->server, "/after/429/1", i + 1)->at_ns
                      - fault_request_at(m->server, "/after/429/1", i)->at_ns;
        assert_true(gap > 990 * NS_PER_MS);
    }
}

static void a_crash_between_send_and_mark_repeats_the_same_bytes(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/ok/x");
    owe(m, 0, 1);
    m->fail_mark = -1;
    struct dispatcher *p = start(m, 2, 2000);
    while (fault_count(m->server, "/ok/x") < 1 || locked_int(m, &m->marks) < 3)
        pause_ms(5); /* it keeps trying to store, and sends nothing meanwhile */
    dispatcher_stop(p, 1000);
    assert_int_equal(fault_count(m->server, "/ok/x"), 1);
    assert_true(m->owed[0].leased
                && m->owed[0].status == DELIVERY_WAITING); /* as a kill -9 leaves it */

    m->fail_mark = 0;
    p = start(m, 2, 2000);
    wait_for(m, 0, DELIVERY_DELIVERED, 1);
    dispatcher_stop(p, 1000);
    const struct fault_request *first = fault_request_at(m->server, "/ok/x", 0),
                               *again = fault_request_at(m->server, "/ok/x", 1);
    assert_non_null(again);
    assert_string_equal(first->id, again->id);
    assert_int_equal(first->body_n, again->body_n);
    assert_memory_equal(first->body, again->body, first->body_n);
    assert_int_equal(fault_count(m->server, "/ok/x"), 2);
}

static void a_failing_database_delays_and_loses_nothing(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/ok/x");
    owe(m, 0, 3);
    m->fail_release = 2;
    m->fail_claim = 2;
    m->fail_mark = 2;
    struct dispatcher *p = start(m, 2, 2000);
    wait_for(m, 0, DELIVERY_DELIVERED, 3);
    dispatcher_stop(p, 1000);
    assert_int_equal(m->releases, 3);
    assert_int_equal(fault_count(m->server, "/ok/x"), 3);
}

static void a_stop_is_bounded_and_gives_the_lease_back(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/hang");
    channel_at(m, 1, "/ok/x");
    owe(m, 0, 2);
    struct dispatcher *p = start(m, 2, 15000);
    while (fault_count(m->server, "/hang") < 1) pause_ms(1);
    int64_t from = mono_ns();
    dispatcher_stop(p, 200);
    assert_true(mono_ns() - from < 10 * NS_PER_S);
    assert_false(m->owed[0].leased);
    assert_int_equal(m->owed[0].attempts, 0);
    assert_int_equal(m->owed[0].status, DELIVERY_WAITING);
    assert_int_equal(fault_count(m->server, "/hang"), 1);

    p = start(m, 2, 15000); /* and at once, with nothing begun */
    dispatcher_stop(p, 0);
    dispatcher_stop(NULL, 0);
}

static void a_stop_lets_sends_in_hand_finish(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/slowbody"); /* answers at once, then holds the worker for a while */
    owe(m, 0, 1);
    struct dispatcher *p = start(m, 1, 15000);
    while (fault_count(m->server, "/slowbody") < 1) pause_ms(1);
    dispatcher_stop(p, 8000);
    assert_int_equal(m->owed[0].status, DELIVERY_DELIVERED);
}

static void an_alert_too_large_fails_alone(void **state)
{
    struct memory *m = *state;
    static char inputs[WEBHOOK_BODY_MAX + 1];
    memset(inputs, ' ', sizeof inputs - 1);
    memcpy(inputs, "{}", 2);
    m->inputs[0] = inputs;
    channel_at(m, 0, "/ok/x");
    channel_at(m, 1, "/ok/y");
    owe(m, 0, 1);
    owe(m, 1, 1);
    struct dispatcher *p = start(m, 2, 2000);
    wait_for(m, 0, DELIVERY_FAILED, 1);
    wait_for(m, 1, DELIVERY_DELIVERED, 1);
    dispatcher_stop(p, 1000);
    assert_int_equal(fault_count(m->server, "/ok/x"), 0);
    assert_string_equal(m->disabled[0], "");
}

static void a_refused_url_is_a_failure_like_any_other(void **state)
{
    struct memory *m = *state;
    int64_t refused = metric_get(METRIC_DELIVERIES_REFUSED);
    snprintf(m->settings[0], sizeof m->settings[0], "{\"url\":\"ftp://example.com/\"}");
    owe(m, 0, 1);
    struct dispatcher *p = start(m, 1, 2000);
    while (metric_get(METRIC_DELIVERIES_REFUSED) == refused) pause_ms(1);
    dispatcher_stop(p, 1000);
    assert_int_equal(m->owed[0].status, DELIVERY_WAITING);
    assert_int_equal(m->owed[0].attempts, 1);
    assert_true(m->owed[0].delays_ms[1] >= 4000);
}

static void a_kind_that_nobody_knows_fails_by_its_name(void **state)
{
    struct memory *m = *state;
    channel_at(m, 0, "/ok/x");
    channel_at(m, 1, "/ok/y");
    m->kinds[0] = "pigeon"; /* a newer program's */
    owe(m, 0, 2);
    owe(m, 1, 1);
    struct dispatcher *p = start(m, 2, 2000);
    wait_for(m, 0, DELIVERY_FAILED, 2);
    wait_for(m, 1, DELIVERY_DELIVERED, 1);
    dispatcher_stop(p, 1000);
    assert_string_equal(m->owed[0].error, "no channel kind \"pigeon\" in this program");
    assert_int_equal(fault_count(m->server, "/ok/x"), 0); /* never sent as another kind's */
    assert_string_equal(m->disabled[0], "");
}

static void workers_are_counted(void **state)
{
    struct memory *m = *state;
    const struct outbox_calls outbox = {
        .ctx = m, .release_all = memory_release, .claim = memory_claim, .mark = memory_mark
    };
    struct dispatcher *p = NULL;
    assert_int_equal(
        dispatcher_start(&(struct dispatcher_config){ .workers = 0 }, &outbox, &p, NULL),
        ERR_INVALID);
    assert_int_equal(
        dispatcher_start(&(struct dispatcher_config){ .workers = DELIVERY_WORKERS_MAX + 1 },
                         &outbox, &p, NULL),
        ERR_INVALID);
    assert_null(p);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    log_level_set(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        STORY(a_kick_delivers_at_once_and_in_order),
        STORY(bad_endpoints_hold_one_worker_each_and_the_others_go_on),
        STORY(more_hung_endpoints_than_workers_do_not_stop_the_good_one),
        STORY(a_failing_alert_follows_the_schedule_and_expires),
        STORY(a_flaky_endpoint_gets_everything_in_the_end),
        STORY(gone_turns_the_channel_off),
        STORY(failing_for_120_hours_turns_the_channel_off),
        STORY(a_throttling_endpoint_is_left_alone_as_long_as_it_asks),
        STORY(a_crash_between_send_and_mark_repeats_the_same_bytes),
        STORY(a_failing_database_delays_and_loses_nothing),
        STORY(a_stop_is_bounded_and_gives_the_lease_back),
        STORY(a_stop_lets_sends_in_hand_finish),
        STORY(an_alert_too_large_fails_alone),
        STORY(a_refused_url_is_a_failure_like_any_other),
        STORY(a_kind_that_nobody_knows_fails_by_its_name),
        STORY(workers_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
