/* The outbox on a real PostgreSQL: leases, order, marks, and two claimers at once. Needs
 * TOCSIN_TEST_DATABASE, the conninfo of a server and a user who may create databases; makes its
 * own database and drops it. */
#include "alerts/delivery/schedule.h"
#include "core/when.h"
#include "store/channel_secrets.h"
#include "store/outbox.h"
#include "store/pg.h"
#include "tests/unit/store/scratch_db.h"

#include <inttypes.h>
#include <pthread.h>

static struct seal_keys *keys;

static struct uuid tenant_id(int t) { return uuid_derive((struct uuid){ { 1 } }, (uint64_t)t, 0); }
static struct uuid channel_id(int c) { return uuid_derive((struct uuid){ { 2 } }, (uint64_t)c, 0); }
static struct uuid alert_id(int t, int64_t no)
{
    return uuid_derive((struct uuid){ { 3 } }, (uint64_t)t, (uint64_t)no);
}

static void add_tenant(int t)
{
    char text[200], id[UUID_TEXT];
    uuid_format(tenant_id(t), id);
    snprintf(text, sizeof text,
             "INSERT INTO tocsin.tenant (tenant_id, name) VALUES ('%s', 'tenant %d')", id, t);
    sql(text);
}

/* The secrets of channel `about` of that tenant, sealed, as SQL. */
static const char *sealed_for(int t, int about, char out[400])
{
    AUTO_BUF struct buf hex = { 0 };
    char json[100];
    struct why why = { .text = "" };
    snprintf(json, sizeof json, "{\"secret\":\"whsec_of channel %d\"}", about);
    if (channel_secrets_seal(keys, tenant_id(t), channel_id(about), json, &hex, &why))
        fail_msg("%s", why.text);
    snprintf(out, 400, "decode('%s', 'hex')", hex.data);
    return out;
}

static void add_channel(int t, int c)
{
    char text[800], tenant[UUID_TEXT], channel[UUID_TEXT], sealed[400];
    uuid_format(tenant_id(t), tenant);
    uuid_format(channel_id(c), channel);
    snprintf(text, sizeof text,
             "INSERT INTO tocsin.channel (tenant_id, channel_id, kind, settings, secrets)"
             " VALUES ('%s', '%s', 'webhook', '{\"url\":\"https://example.com/%d\"}', %s)",
             tenant, channel, c, sealed_for(t, c, sealed));
    sql(text);
}

static void add_alert(int t, int64_t no)
{
    char text[1000], tenant[UUID_TEXT], alert[UUID_TEXT];
    uuid_format(tenant_id(t), tenant);
    uuid_format(alert_id(t, no), alert);
    snprintf(
        text, sizeof text,
        "INSERT INTO tocsin.alert VALUES ('%s', %" PRId64 ", '%s', %" PRId64
        ", 1518037200000000000, 'resolved', '%s', 3, 77,"
        " 'caf\xC3\xA9 \"quoted\"', 'hhi(DEMO) >= 180', 'critical', 'hhi(DEMO)', 'points', 0.1::float8 + 0.2::float8, '{ \"b\": 1,  \"a\": [2.50] }',"
        " NULL, 'cleared', 0, NULL, '>=', 180, 170, 0, '', 'trade', 'clock')",
        tenant, no, alert, no * 10, alert);
    sql(text);
}

static void owe(int t, int c, int64_t no)
{
    char text[400], tenant[UUID_TEXT], alert[UUID_TEXT], channel[UUID_TEXT];
    uuid_format(tenant_id(t), tenant);
    uuid_format(alert_id(t, no), alert);
    uuid_format(channel_id(c), channel);
    snprintf(
        text, sizeof text,
        "INSERT INTO tocsin.outbox (tenant_id, alert_id, channel_id, stream_no) VALUES ('%s', '%s', '%s', %" PRId64
        ")",
        tenant, alert, channel, no);
    sql(text);
}

static int set_up(void **state)
{
    sql("TRUNCATE tocsin.outbox, tocsin.alert, tocsin.channel; DELETE FROM tocsin.tenant");
    struct outbox *o = NULL;
    assert_int_equal(outbox_new(conninfo, keys, &o), ERR_OK);
    *state = o;
    return 0;
}

static int tear_down(void **state)
{
    outbox_free(*state);
    return 0;
}

static size_t claim(struct outbox *o, const struct uuid *busy, size_t busy_n, struct delivery *out,
                    size_t max, int64_t *due)
{
    size_t n = 0;
    int64_t next = 0;
    struct why why = { .text = "" };
    memset(out, 0, max * sizeof *out);
    if (outbox_claim(o, busy, busy_n, out, max, &n, &next, &why)) fail_msg("claim: %s", why.text);
    if (due) *due = next;
    return n;
}

static void mark(struct outbox *o, const struct delivery *d, enum delivery_status status,
                 int64_t delay_ms, int code, const char *disable)
{
    const struct delivery_mark m = { .tenant = d->alert.tenant_id,
                                     .alert = d->alert.alert_id,
                                     .channel = d->channel,
                                     .status = status,
                                     .attempt = d->attempt,
                                     .delay_ms = delay_ms,
                                     .code = code,
                                     .error = status == DELIVERY_DELIVERED ? "" : "said no",
                                     .disable = disable };
    struct why why = { .text = "" };
    if (outbox_mark(o, &m, 1, &why)) fail_msg("mark: %s", why.text);
}

static void a_claim_carries_the_alert_as_it_was_stored(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    sql("UPDATE tocsin.channel SET failing_since = now() - interval '1 hour'");
    struct delivery d;
    int64_t due;
    assert_int_equal(claim(o, NULL, 0, &d, 1, &due), 1);
    assert_int_equal(due, -1);
    assert_string_equal(d.kind, "webhook");
    assert_string_equal(d.settings, "{\"url\": \"https://example.com/1\"}");
    assert_int_equal(d.attempt, 1);
    assert_true(d.failing_s >= 3599 && d.failing_s < 3700);
    assert_null(d.problem);
    assert_string_equal(d.secrets, "{\"secret\":\"whsec_of channel 1\"}");

    char id[UUID_TEXT], want[1200];
    uuid_format(alert_id(1, 1), id);
    snprintf(
        want, sizeof want,
        "{\"type\":\"alert.resolved\",\"id\":\"%s\",\"stream_no\":1,\"seq\":10,\"time\":\"2018-02-07T21:00:00Z\",\"rule\":{\"id\":\"%s\",\"version\":3,"
        "\"name\":\"caf\xC3\xA9 \\\"quoted\\\"\",\"text\":\"hhi(DEMO) >= 180\"},\"severity\":\"critical\",\"state\":\"resolved\",\"reason\":\"cleared\",\"episode\":null,\"since\":null,\"measure\":\"hhi(DEMO)\",\"definition\":null,\"condition\":{\"op\":\">=\",\"threshold\":180,\"clear\":170,\"hold_s\":0,\"hold_in\":\"clock\",\"at\":\"trade\"},"
        "\"value\":0.30000000000000004,\"previous\":null,\"unit\":\"points\",\"inputs\":{ \"b\": 1,  \"a\": [2.50] },"
        "\"summary\":\"caf\xC3\xA9 \\\"quoted\\\": resolved: hhi(DEMO) is 0.3 points, no longer at or above 180\",\"link\":null}",
        id, id);
    AUTO_BUF struct buf body = { 0 };
    alert_render(&d.alert, NULL, &body);
    assert_string_equal(body.data, want);
    assert_true(uuid_equal(d.alert.tenant_id, tenant_id(1))
                && uuid_equal(d.channel, channel_id(1)));
    assert_int_equal(d.alert.rule_no, 77);
    delivery_release(&d);
}

static struct delivery claim_one(struct outbox *o)
{
    struct delivery d;
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    assert_int_equal(outbox_release_all(o, NULL), ERR_OK);
    return d;
}

/* Of a database from before version 3, until a start has sealed it. */
static void plain_secrets_are_read_as_well(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    sql("UPDATE tocsin.channel SET secrets = NULL, secret = decode(repeat('01', 64), 'hex'),"
        " secret_old = decode(repeat('ab', 24), 'hex')");
    struct delivery d = claim_one(o); /* base64 by coreutils; PostgreSQL's has a line break at 76 */
    assert_string_equal(d.secrets, "{\"secret\": \"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
                                   "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==\","
                                   " \"secret_old\": \"whsec_q6urq6urq6urq6urq6urq6urq6urq6ur\"}");
    assert_null(d.problem);
    delivery_release(&d);
    sql("UPDATE tocsin.channel SET secret = NULL, secret_old = NULL");
    d = claim_one(o); /* a kind that has none */
    assert_string_equal(d.secrets, "{}");
    assert_null(d.problem);
    delivery_release(&d);
}

static void secrets_that_do_not_open_are_that_channels_problem(void **state)
{
    struct outbox *o = *state;
    char text[600], sealed[400];
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    snprintf(text, sizeof text, "UPDATE tocsin.channel SET secrets = %s", sealed_for(1, 2, sealed));
    sql(text); /* another channel's */
    struct delivery d = claim_one(o);
    assert_null(d.secrets);
    assert_string_equal(d.problem,
                        "the channel's secrets do not open: what is sealed was changed, or"
                        " belongs elsewhere");
    delivery_release(&d);
    snprintf(text, sizeof text, "UPDATE tocsin.channel SET secrets = %s", sealed_for(2, 1, sealed));
    sql(text); /* another tenant's */
    d = claim_one(o);
    assert_null(d.secrets);
    delivery_release(&d);
    sql("UPDATE tocsin.channel SET secrets = '\\x01'");
    d = claim_one(o);
    assert_string_equal(d.problem, "the channel's secrets do not open: not sealed by this program");
    delivery_release(&d);

    struct outbox *keyless;
    assert_int_equal(outbox_new(conninfo, NULL, &keyless), ERR_OK);
    d = claim_one(keyless);
    assert_string_equal(d.problem,
                        "the channel's secrets are sealed, and secrets.key_file is not set");
    delivery_release(&d);
    outbox_free(keyless);
}

/* By its name, for the dispatcher to say that it does not know it. */
static void a_kind_is_handed_out_whatever_it_is(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    sql("UPDATE tocsin.channel SET kind = 'pigeon', settings = '{\"loft\":\"attic\"}'");
    struct delivery d = claim_one(o);
    assert_string_equal(d.kind, "pigeon");
    assert_string_equal(d.settings, "{\"loft\": \"attic\"}");
    delivery_release(&d);
}

/* A severity of a newer program: its delivery says so, and nobody else's is held up. */
static void an_alert_that_cannot_be_read_is_handed_out_as_that(void **state)
{
    struct outbox *o = *state;
    struct delivery d[2];
    add_tenant(1);
    for (int c = 1; c <= 2; c++) add_channel(1, c), add_alert(1, c), owe(1, c, c);
    sql("UPDATE tocsin.alert SET severity = 'apocalypse' WHERE stream_no = 1");
    assert_int_equal(claim(o, NULL, 0, d, 2, NULL), 2);
    int bad = uuid_equal(d[0].channel, channel_id(1)) ? 0 : 1;
    assert_string_equal(d[bad].unreadable,
                        "alert.severity: severity 'apocalypse' is none of info, warning, critical");
    assert_true(uuid_equal(d[bad].alert.alert_id, alert_id(1, 1)));
    assert_null(d[1 - bad].unreadable);
    mark(o, &d[bad], DELIVERY_FAILED, 0, 0, NULL);
    assert_int_equal(number("SELECT count(*) FROM tocsin.outbox WHERE status = 'failed'"), 1);
    delivery_release(&d[0]);
    delivery_release(&d[1]);
}

static void one_a_channel_lowest_first_the_longest_due_channel_first(void **state)
{
    struct outbox *o = *state;
    for (int t = 1; t <= 2; t++) {
        add_tenant(t);
        for (int64_t no = 1; no <= 4; no++) add_alert(t, no);
    }
    add_channel(1, 1);
    add_channel(1, 2);
    add_channel(2, 3);
    for (int64_t no = 4; no >= 1; no--) {
        owe(1, 1, no);
        owe(1, 2, no);
        owe(2, 3, no);
    }
    char text[200], id[UUID_TEXT];
    uuid_format(channel_id(3), id);
    snprintf(
        text, sizeof text,
        "UPDATE tocsin.outbox SET next_attempt = now() - interval '1 hour' WHERE channel_id = '%s'",
        id);
    sql(text);

    struct delivery d[8];
    assert_int_equal(claim(o, NULL, 0, d, 1, NULL), 1);
    assert_true(uuid_equal(d[0].channel, channel_id(3)));
    assert_int_equal(d[0].alert.stream_no, 1);
    const struct uuid busy[] = { channel_id(1) };
    assert_int_equal(claim(o, busy, 1, d + 1, 8 - 1, NULL),
                     1); /* channel 3 is leased, channel 1 busy */
    assert_true(uuid_equal(d[1].channel, channel_id(2)));
    assert_int_equal(claim(o, NULL, 0, d + 2, 6, NULL), 1);
    assert_true(uuid_equal(d[2].channel, channel_id(1)));
    assert_int_equal(d[2].alert.stream_no, 1);
    assert_int_equal(claim(o, NULL, 0, d + 3, 5, NULL), 0);

    for (int i = 0; i < 3; i++)
        mark(o, &d[i], DELIVERY_DELIVERED, 0, 200, NULL), delivery_release(&d[i]);
    for (uint64_t no = 2; no <= 4; no++) {
        assert_int_equal(claim(o, NULL, 0, d, 8, NULL), 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(d[i].alert.stream_no, no);
            mark(o, &d[i], DELIVERY_DELIVERED, 0, 200, NULL);
            delivery_release(&d[i]);
        }
    }
    assert_int_equal(claim(o, NULL, 0, d, 8, NULL), 0);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE status = 'delivered' AND attempts = 1 AND finished_at IS NOT NULL AND lease_until IS NULL"
            " AND last_status = 200 AND last_error IS NULL"),
        12);
}

static void a_failure_waits_its_time_and_is_counted(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    add_alert(1, 2);
    owe(1, 1, 1);
    owe(1, 1, 2);
    struct delivery d;
    int64_t due;
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    mark(o, &d, DELIVERY_WAITING, 60000, 503, NULL);
    delivery_release(&d);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.channel WHERE failing_since > now() - interval '5 seconds'"),
        1);
    int64_t since =
        number("SELECT 1000000 * extract(epoch FROM failing_since)::numeric FROM tocsin.channel");

    assert_int_equal(claim(o, NULL, 0, &d, 1, &due), 1); /* the next one is not held up */
    assert_int_equal(d.alert.stream_no, 2);
    assert_true(due > 55000 && due <= 60000);
    mark(o, &d, DELIVERY_WAITING, 0, 0, NULL);
    delivery_release(&d);
    assert_int_equal(
        number("SELECT 1000000 * extract(epoch FROM failing_since)::numeric FROM tocsin.channel"),
        since); /* kept */

    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    assert_int_equal(d.attempt, 2);
    mark(o, &d, DELIVERY_DELIVERED, 0, 204, NULL);
    mark(o, &d, DELIVERY_WAITING, 5, 500,
         NULL); /* a late second mark changes nothing that is finished */
    delivery_release(&d);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE stream_no = 2 AND status = 'delivered' AND attempts = 2"),
        1);
    assert_int_equal(
        number(
            "SELECT attempts FROM tocsin.outbox WHERE stream_no = 1 AND status = 'waiting' AND last_status = 503 AND last_error = 'said no'"),
        1);

    sql("UPDATE tocsin.outbox SET next_attempt = now() - interval '1 second' WHERE stream_no = 1");
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    mark(o, &d, DELIVERY_EXPIRED, 0, 500, NULL);
    delivery_release(&d);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE stream_no = 1 AND status = 'expired' AND finished_at IS NOT NULL"),
        1);
    assert_int_equal(claim(o, NULL, 0, &d, 1, &due), 0);
    assert_int_equal(due, -1);
}

static void success_ends_failing_and_an_alert_too_large_does_not_begin_it(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    for (int64_t no = 1; no <= 2; no++) add_alert(1, no), owe(1, 1, no);
    struct delivery d;
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    mark(o, &d, DELIVERY_FAILED, 0, 0, NULL);
    delivery_release(&d);
    assert_int_equal(number("SELECT count(*) FROM tocsin.channel WHERE failing_since IS NULL"), 1);
    sql("UPDATE tocsin.channel SET failing_since = now()");
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    mark(o, &d, DELIVERY_DELIVERED, 0, 200, NULL);
    delivery_release(&d);
    assert_int_equal(number("SELECT count(*) FROM tocsin.channel WHERE failing_since IS NULL"), 1);
}

static void a_lease_runs_out_or_is_released(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    struct delivery d;
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    delivery_release(&d);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE lease_until - now() BETWEEN interval '25 s' AND interval '30 s'"),
        1);
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 0);

    sql("UPDATE tocsin.outbox SET lease_until = now() - interval '1 millisecond'"); /* 30 s later */
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    assert_int_equal(d.attempt, 1);
    delivery_release(&d);

    struct outbox *next; /* the next start */
    assert_int_equal(outbox_new(conninfo, keys, &next), ERR_OK);
    assert_int_equal(outbox_release_all(next, NULL), ERR_OK);
    assert_int_equal(claim(next, NULL, 0, &d, 1, NULL), 1);
    const struct delivery_mark back = {
        .tenant = tenant_id(1), .alert = alert_id(1, 1), .channel = channel_id(1), .error = ""
    };
    assert_int_equal(outbox_mark(next, &back, 1, NULL),
                     ERR_OK); /* a stop gives it back, not attempted */
    delivery_release(&d);
    assert_int_equal(claim(next, NULL, 0, &d, 1, NULL), 1);
    assert_int_equal(d.attempt, 1);
    delivery_release(&d);
    outbox_free(next);
}

static void a_disabled_channel_is_owed_nothing_more(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_channel(1, 2);
    add_channel(1, 3);
    for (int64_t no = 1; no <= 3; no++) {
        add_alert(1, no);
        for (int c = 1; c <= 3; c++) owe(1, c, no);
    }
    char text[200], id[UUID_TEXT];
    uuid_format(channel_id(2), id);
    snprintf(text, sizeof text, "UPDATE tocsin.channel SET deleted = true WHERE channel_id = '%s'",
             id);
    sql(text);

    struct delivery d[3];
    assert_int_equal(claim(o, NULL, 0, d, 3, NULL), 2); /* the first claim also sweeps */
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE status = 'failed' AND last_error = 'channel disabled or deleted'"),
        3);
    int gone = uuid_equal(d[0].channel, channel_id(1)) ? 0 : 1;
    mark(o, &d[gone], DELIVERY_FAILED, 0, 410, "the endpoint answered 410 Gone");
    mark(o, &d[1 - gone], DELIVERY_DELIVERED, 0, 200, NULL);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.channel WHERE NOT enabled AND disabled_reason = 'the endpoint answered 410 Gone'"),
        1);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE status = 'failed' AND last_error = 'the endpoint answered 410 Gone'"),
        2);
    assert_int_equal(
        number(
            "SELECT count(*) FROM tocsin.outbox WHERE status = 'failed' AND last_error = 'said no' AND last_status = 410"),
        1);
    delivery_release(&d[0]);
    delivery_release(&d[1]);
    assert_int_equal(claim(o, NULL, 0, d, 3, NULL), 1);
    assert_true(uuid_equal(d[0].channel, channel_id(3)));
    delivery_release(&d[0]);
}

static void a_lost_session_is_made_anew(void **state)
{
    struct outbox *o = *state;
    add_tenant(1);
    add_channel(1, 1);
    add_alert(1, 1);
    owe(1, 1, 1);
    struct delivery d;
    assert_int_equal(claim(o, NULL, 0, &d, 1, NULL), 1);
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin outbox'");
    const struct delivery_mark m = { .tenant = d.alert.tenant_id,
                                     .alert = d.alert.alert_id,
                                     .channel = d.channel,
                                     .status = DELIVERY_DELIVERED,
                                     .attempt = 1,
                                     .error = "" };
    struct why why = { .text = "" };
    assert_int_not_equal(outbox_mark(o, &m, 1, &why), ERR_OK);
    assert_int_equal(outbox_mark(o, &m, 1, &why), ERR_OK);
    assert_int_equal(number("SELECT count(*) FROM tocsin.outbox WHERE status = 'delivered'"), 1);
    delivery_release(&d);

    struct outbox *nowhere;
    size_t n;
    int64_t due;
    assert_int_equal(outbox_new("host=/nonexistent dbname=x", keys, &nowhere), ERR_OK);
    assert_int_equal(outbox_claim(nowhere, NULL, 0, &d, 1, &n, &due, &why), ERR_DB_LOST);
    assert_int_equal(outbox_release_all(nowhere, &why), ERR_DB_LOST);
    outbox_free(nowhere);
}

/* ---- two processes at once ---- */

static struct {
    pthread_mutex_t lock;
    int held[8];
    int delivered, clashes;
} race = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int channel_number(struct uuid id)
{
    for (int c = 0; c < 8; c++)
        if (uuid_equal(id, channel_id(c))) return c;
    return 0;
}

static void *claimer(void *arg)
{
    struct outbox *o = NULL;
    (void)arg;
    if (outbox_new(conninfo, keys, &o)) return NULL;
    for (int empty = 0; empty < 20;) {
        struct delivery d[3] = { 0 };
        struct delivery_mark m[3];
        size_t n = 0;
        int64_t due;
        if (outbox_claim(o, NULL, 0, d, 3, &n, &due, NULL)) break;
        empty = n ? 0 : empty + 1;
        pthread_mutex_lock(&race.lock);
        for (size_t i = 0; i < n; i++)
            race.clashes += race.held[channel_number(d[i].channel)]++ != 0;
        pthread_mutex_unlock(&race.lock);
        usleep(500);
        for (size_t i = 0; i < n; i++)
            m[i] = (struct delivery_mark){ .tenant = d[i].alert.tenant_id,
                                           .alert = d[i].alert.alert_id,
                                           .channel = d[i].channel,
                                           .status = DELIVERY_DELIVERED,
                                           .attempt = d[i].attempt,
                                           .code = 200,
                                           .error = "" };
        pthread_mutex_lock(&race.lock);
        for (size_t i = 0; i < n; i++) race.held[channel_number(d[i].channel)]--, race.delivered++;
        pthread_mutex_unlock(&race.lock);
        bool bad = n > 0 && outbox_mark(o, m, n, NULL);
        for (size_t i = 0; i < n; i++) delivery_release(&d[i]);
        if (bad) break;
    }
    outbox_free(o);
    return NULL;
}

static void two_claimers_share_without_a_clash(void **state)
{
    (void)state;
    add_tenant(1);
    for (int c = 0; c < 5; c++) add_channel(1, c);
    for (int64_t no = 1; no <= 60; no++) {
        add_alert(1, no);
        for (int c = 0; c < 5; c++) owe(1, c, no);
    }
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claimer, NULL), 0);
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_int_equal(race.clashes, 0);
    assert_int_equal(race.delivered, 300);
    assert_int_equal(
        number("SELECT count(*) FROM tocsin.outbox WHERE status = 'delivered' AND attempts = 1"),
        300);
}

int main(void)
{
    static const char key[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    if (seal_keys_parse(key, sizeof key - 1, "key", &keys, NULL)) return 1;
    if (!scratch_open("outbox")) return 0;
#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(a_claim_carries_the_alert_as_it_was_stored),
        STORY(plain_secrets_are_read_as_well),
        STORY(secrets_that_do_not_open_are_that_channels_problem),
        STORY(a_kind_is_handed_out_whatever_it_is),
        STORY(an_alert_that_cannot_be_read_is_handed_out_as_that),
        STORY(one_a_channel_lowest_first_the_longest_due_channel_first),
        STORY(a_failure_waits_its_time_and_is_counted),
        STORY(success_ends_failing_and_an_alert_too_large_does_not_begin_it),
        STORY(a_lease_runs_out_or_is_released),
        STORY(a_disabled_channel_is_owed_nothing_more),
        STORY(a_lost_session_is_made_anew),
        STORY(two_claimers_share_without_a_clash),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    seal_keys_free(keys);
    return failures;
}
