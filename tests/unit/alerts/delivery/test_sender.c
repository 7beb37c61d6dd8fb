/* What cannot even be tried has its outcome too, and nothing goes out. */
#include "alerts/delivery/sender.h"
#include "tests/unit/alerts/delivery/fault_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define SECRET "{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"

static void each_that_cannot_be_sent_says_why(void **state)
{
    (void)state;
    struct fault_server *server = fault_server_start();
    struct sender sender;
    char url[128], settings[160], secrets[] = SECRET, none[] = "{}";
    fault_url(server, "/ok", url);
    snprintf(settings, sizeof settings, "{\"url\":\"%s\"}", url);
    const struct channel_setup setup = { .limits = { .allow_plain = true, .allow_private = true } };
    assert_int_equal(sender_open(&sender, &setup), ERR_OK);
    const struct alert alert = { .rule_name = "n",
                                 .rule_text = "t",
                                 .measure = "m",
                                 .unit = "u",
                                 .inputs = "{}",
                                 .definition = "" };
    const struct {
        struct delivery d;
        enum outcome outcome;
        const char *detail;
    } rows[] = {
        { { .kind = "pigeon", .settings = settings, .secrets = secrets },
          OUTCOME_HOPELESS,
          "no channel kind \"pigeon\" in this program" },
        { { .kind = "Webhook", .settings = settings, .secrets = secrets },
          OUTCOME_HOPELESS,
          "no channel kind \"Webhook\" in this program" },
        { { .kind = "webhook", .settings = settings, .secrets = secrets, .unreadable = "odd" },
          OUTCOME_HOPELESS,
          "odd" },
        { { .kind = "webhook", .settings = settings, .problem = "no key" },
          OUTCOME_REFUSED,
          "no key" },
        { { .kind = "webhook", .settings = "{}", .secrets = secrets },
          OUTCOME_REFUSED,
          "the channel's settings: field \"url\" is missing" },
        { { .kind = "webhook", .settings = "nonsense", .secrets = secrets },
          OUTCOME_REFUSED,
          "the channel's settings: not valid JSON" },
        { { .kind = "webhook", .settings = settings, .secrets = none, .alert = alert },
          OUTCOME_RETRY,
          "the channel has no usable secret" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sent out;
        sender_send(&sender, &rows[i].d, 1700000000, &out);
        assert_int_equal(out.outcome, rows[i].outcome);
        assert_int_equal(strncmp(out.detail, rows[i].detail, strlen(rows[i].detail)), 0);
        assert_int_equal(out.code, 0);
    }
    assert_int_equal(atomic_load(&server->accepts), 0);
    sender_close(&sender);
    sender_close(&(struct sender){ .page = NULL });
    fault_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_that_cannot_be_sent_says_why) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
