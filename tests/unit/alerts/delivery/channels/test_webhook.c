/* A webhook: its secrets and signatures, what its settings must be, and the request that goes
 * out. */
#include "alerts/delivery/channels/webhook.h"
#include "alerts/delivery/channel.h"
#include "core/when.h"
#include "tests/unit/alerts/delivery/fault_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- signatures ---- */

static void the_signature_is_the_standards(void **state)
{
    (void)state;
    /* the example of the Standard Webhooks specification and of its reference libraries' tests */
    struct webhook_secret secret, old;
    assert_int_equal(
        webhook_secret_parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 38, &secret, NULL), ERR_OK);
    char got[WEBHOOK_SIGNATURE_TEXT];
    static const char body[] = "{\"test\": 2432232314}";
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &secret, NULL, got),
                     ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    memset(&old, 0, sizeof old);
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &secret, &old, got),
                     ERR_OK);
    assert_string_equal(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    webhook_secret_random(&old);
    assert_int_equal(webhook_sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, sizeof body - 1,
                                  &old, &secret, got),
                     ERR_OK);
    assert_int_equal(strlen(got), 95);
    assert_string_equal(got + 47, " v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    assert_int_equal(webhook_sign("x", 1, body, 1, &(struct webhook_secret){ 0 }, &secret, got),
                     ERR_INVALID);
}

static void secrets_are_whsec_and_24_to_64_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 80; n++) {
        struct webhook_secret s, again;
        char text[160] = "whsec_";
        uint8_t bytes[80];
        random_bytes(bytes, sizeof bytes);
        size_t text_n = 6 + base64_encode(bytes, n, text + 6);
        enum err want = n >= 24 && n <= 64 ? ERR_OK : ERR_INVALID;
        struct why why = { .text = "" };
        assert_int_equal(webhook_secret_parse(text, text_n, &s, &why), want);
        if (want) continue;
        char out[WEBHOOK_SECRET_TEXT];
        assert_int_equal(webhook_secret_format(&s, out), text_n);
        assert_string_equal(out, text);
        assert_int_equal(webhook_secret_parse(out, text_n, &again, NULL), ERR_OK);
        assert_memory_equal(again.bytes, bytes, n);
    }
    static const char *const bad[] = { "",
                                       "whsec_",
                                       "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                       "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!",
                                       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
                                       "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct webhook_secret s = { .n = 99 };
        assert_int_equal(webhook_secret_parse(bad[i], strlen(bad[i]), &s, NULL), ERR_INVALID);
        assert_int_equal(s.n, 99);
    }
}

/* ---- settings ---- */

static enum err take(const char *json, struct channel_values *out, struct why *why)
{
    const struct channel_limits none = { 0 };
    const struct channel_kind *kind = channel_kind_find("webhook");
    AUTO_JSON json_t *body = NULL;
    assert_int_equal(json_load_strict(json, strlen(json), &body, why), ERR_OK);
    struct json_fields f = json_fields_begin(body, why);
    channel_values_take(kind, &f, out);
    enum err e = json_fields_end(&f);
    if (!e) e = kind->check(out, &none, why);
    return e ? e : kind->complete(out);
}

static void a_request_is_checked_by_its_fields(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says; /* NULL: fine */
    } rows[] = {
        { "{\"url\":\"https://example.com/hook\"}", NULL },
        { "{\"url\":\"https://example.com/\",\"secret\":null}", NULL },
        { "{\"url\":\"https://example.com/\",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
          NULL },
        { "{}", "field \"url\" is missing" },
        { "{\"url\":7}", "field \"url\" must be a string" },
        { "{\"url\":\"\"}", "field \"url\" must have 1 to 2000 bytes, has 0" },
        { "{\"url\":\"http://example.com/\"}", "the URL must begin with https://" },
        { "{\"url\":\"https://10.0.0.1/\"}",
          "the URL's host is not a public address: private use" },
        { "{\"url\":\"https://example.com/\",\"secret\":\"whsec_QQ==\"}",
          "field \"secret\" must be whsec_ and base64 of 24 to 64 bytes" },
        { "{\"url\":\"https://example.com/\",\"secret_old\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
          "unknown field \"secret_old\"" },
        { "{\"url\":\"https://example.com/\",\"colour\":1}", "unknown field \"colour\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct channel_values v;
        struct why why = { .text = "" };
        enum err e = take(rows[i].json, &v, &why);
        assert_int_equal(e, rows[i].says ? ERR_INVALID : ERR_OK);
        if (rows[i].says) assert_string_equal(why.text, rows[i].says);
        channel_values_release(&v);
    }
}

static void who_brings_no_secret_gets_one(void **state)
{
    (void)state;
    char first[WEBHOOK_SECRET_TEXT] = "";
    for (int i = 0; i < 2; i++) {
        struct channel_values v;
        struct webhook_secret secret;
        AUTO_BUF struct buf open = { 0 }, made = { 0 };
        assert_int_equal(take("{\"url\":\"https://example.com/hook\"}", &v, NULL), ERR_OK);
        struct json_writer w = json_write(&open), x = json_write(&made);
        json_put_object(&w, NULL);
        channel_values_write(&v, VALUES_OPEN, &w);
        json_put_end(&w);
        json_put_object(&x, NULL);
        channel_values_write(&v, VALUES_MADE, &x);
        json_put_end(&x);
        assert_string_equal(open.data, "{\"url\":\"https://example.com/hook\"}");
        assert_int_equal(strncmp(made.data, "{\"secret\":\"whsec_", 17), 0);
        char *text = made.data + 11;
        text[strlen(text) - 2] = '\0';
        assert_int_equal(webhook_secret_parse(text, strlen(text), &secret, NULL), ERR_OK);
        assert_int_equal(secret.n, 32);
        assert_string_not_equal(text, first);
        snprintf(first, sizeof first, "%s", text);
        channel_values_release(&v);
    }
}

/* ---- the request ---- */

struct world {
    struct fault_server *server;
    void *session;
    struct webhook_secret secret, old;
    struct alert alert;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->server = fault_server_start();
    webhook_secret_random(&w->secret);
    webhook_secret_random(&w->old);
    w->alert = (struct alert){ .alert_id = { { 0xA0, 1, 2, 3, 4, 5, 0x86, 7, 0x88, 9, 10, 11, 12,
                                               13, 14, 15 } },
                               .stream_no = 7,
                               .rule_name = "caf\xC3\xA9",
                               .rule_text = "last(A) >= 1",
                               .measure = "last(A)",
                               .unit = "USD",
                               .inputs = "{}",
                               .definition = "" };
    const struct channel_setup setup = { .limits = { .allow_plain = true, .allow_private = true },
                                         .connect_timeout_ms = 2000,
                                         .timeout_ms = 3000 };
    assert_int_equal(channel_kind_find("webhook")->open(&setup, &w->session), ERR_OK);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    channel_kind_find("webhook")->close(w->session);
    fault_server_stop(w->server);
    free(w);
    return 0;
}

/* With the stored secrets `secrets`. */
static struct sent send_path(struct world *w, const char *path, const char *secrets)
{
    const struct channel_kind *kind = channel_kind_find("webhook");
    char url[128], settings[160];
    struct channel_values v;
    struct sent out = { 0 };
    fault_url(w->server, path, url);
    snprintf(settings, sizeof settings, "{\"url\":\"%s\"}", url);
    assert_int_equal(channel_values_load(kind, settings, secrets, &v, NULL), ERR_OK);
    const struct channel_work work = { &w->alert, &v, 1700000000, NULL };
    kind->send(w->session, &work, &out);
    channel_values_release(&v);
    return out;
}

static const char *both_secrets(const struct world *w, char out[300])
{
    char now[WEBHOOK_SECRET_TEXT], old[WEBHOOK_SECRET_TEXT];
    webhook_secret_format(&w->secret, now);
    webhook_secret_format(&w->old, old);
    snprintf(out, 300, "{\"secret\":\"%s\",\"secret_old\":\"%s\"}", now, old);
    return out;
}

static void the_request_is_what_the_standard_asks_for(void **state)
{
    struct world *w = *state;
    char secrets[300], want[WEBHOOK_SIGNATURE_TEXT];
    struct sent r = send_path(w, "/ok/a?b=c", both_secrets(w, secrets));
    assert_int_equal(r.outcome, OUTCOME_DELIVERED);
    assert_int_equal(r.code, 200);
    assert_string_equal(r.detail, "");

    const struct fault_request *q = fault_request_at(w->server, "/ok/a?b=c", 0);
    AUTO_BUF struct buf body = { 0 };
    assert_non_null(q);
    alert_render(&w->alert, NULL, &body);
    assert_int_equal(webhook_sign("a0010203-0405-8607-8809-0a0b0c0d0e0f", 1700000000, body.data,
                                  body.len, &w->secret, &w->old, want),
                     ERR_OK);
    assert_string_equal(q->id, "a0010203-0405-8607-8809-0a0b0c0d0e0f");
    assert_string_equal(q->timestamp, "1700000000");
    assert_string_equal(q->signature, want);
    assert_string_equal(q->content_type, "application/json");
    assert_string_equal(q->user_agent, "tocsin");
    assert_int_equal(q->body_n, body.len);
    assert_memory_equal(q->body, body.data, body.len);
}

static void the_body_is_capped(void **state)
{
    struct world *w = *state;
    static char inputs[WEBHOOK_BODY_MAX + 1];
    char secrets[300];
    both_secrets(w, secrets);
    AUTO_BUF struct buf body = { 0 };
    alert_render(&w->alert, NULL, &body);
    size_t room = WEBHOOK_BODY_MAX - body.len + 2; /* for inputs, which have 2 bytes so far */
    memset(inputs, ' ', room);
    memcpy(inputs, "{}", 2);
    w->alert.inputs = inputs;
    struct sent r = send_path(w, "/ok", secrets);
    assert_int_equal(r.outcome, OUTCOME_DELIVERED);
    assert_int_equal(fault_request_at(w->server, "/ok", 0)->body_n, WEBHOOK_BODY_MAX);
    inputs[room] = ' ';
    r = send_path(w, "/ok", secrets);
    assert_int_equal(r.outcome, OUTCOME_HOPELESS);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.detail, "the alert is larger than 20480 bytes");
    assert_int_equal(fault_count(w->server, "/ok"), 1);
}

static void nothing_goes_out_unsigned(void **state)
{
    struct world *w = *state;
    static const char *const useless[] = { "{}", "{\"secret\":\"whsec_QQ==\"}",
                                           "{\"secret\":\"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}" };
    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        struct sent r = send_path(w, "/ok", useless[i]);
        assert_int_equal(r.outcome, OUTCOME_RETRY);
        assert_string_equal(r.detail, "the channel has no usable secret");
    }
    assert_int_equal(fault_count(w->server, "/ok"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_signature_is_the_standards),
        cmocka_unit_test(secrets_are_whsec_and_24_to_64_bytes),
        cmocka_unit_test(a_request_is_checked_by_its_fields),
        cmocka_unit_test(who_brings_no_secret_gets_one),
        cmocka_unit_test_setup_teardown(the_request_is_what_the_standard_asks_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_body_is_capped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_goes_out_unsigned, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
