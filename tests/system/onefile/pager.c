/* pager.c - a gateway of pagers: one line of text, posted with a token.
 *
 *     POST /page
 *     authorization: Bearer t0k3n...
 *     x-page: <the alert's id>; tone=loud; repeat=2; quiet=0
 *
 *     critical: hhi(SP500) >= 88.5 is firing at 89.25 */
#include "alerts/delivery/http_post.h"
#include "alerts/delivery/url.h"
#include "core/uuid.h"

#include <inttypes.h>
#include <stdio.h>

#define TONES(X) X(TONE_SOFT, "soft") X(TONE_LOUD, "loud")
enum tone { TONES(NAMES_VALUE) };
NAMES(tone, TONES);

enum { URL, TOKEN, TONE, REPEAT, QUIET };

static enum err pager_check(const struct channel_values *v, const struct channel_limits *limits,
                            struct why *why)
{
    return url_check(v->at[URL].text, limits->allow_plain, limits->allow_private, why);
}

static enum err pager_open(const struct channel_setup *setup, void **out)
{
    struct http_client *c = NULL;
    enum err e = http_client_new(setup, &c);
    *out = c;
    return e;
}

static void pager_close(void *session) { http_client_free(session); }

static void pager_send(void *session, const struct channel_work *work, struct sent *out)
{
    const struct setting_value *at = work->values->at;
    const struct alert *a = work->alert;
    AUTO_BUF struct buf body = { 0 };
    char id[UUID_TEXT], token[256], page[256];
    uuid_format(a->alert_id, id);
    buf_printf(&body, "%s: %s is %s at %.17g", severity_name(a->severity), a->rule_text,
               alert_state_name(a->state), a->value);
    snprintf(token, sizeof token, "authorization: Bearer %s", at[TOKEN].text);
    snprintf(page, sizeof page, "x-page: %s; tone=%s; repeat=%" PRId64 "; quiet=%" PRId64, id,
             at[TONE].text, at[REPEAT].number, at[QUIET].number);
    const struct http_request r = { .url = at[URL].text,
                                    .headers = { "content-type: text/plain", token, page },
                                    .body = body.data,
                                    .body_n = body.len };
    if (buf_ok(&body)) http_post(session, &r, out);
    else sent_say(out, OUTCOME_RETRY, "out of memory");
    explicit_bzero(token, sizeof token);
}

const struct channel_kind channel_pager = {
    .name = "pager",
    .help = "A line of text to a gateway of pagers",
    .settings = {
        [URL] = { .name = "url",
                  .type = SETTING_TEXT,
                  .required = true,
                  .min = 1,
                  .max = 2000,
                  .help = "https URL of the gateway",
                  .example = "'https://example.com/page'" },
        [TOKEN] = { .name = "token",
                    .type = SETTING_TEXT,
                    .required = true,
                    .secret = true,
                    .min = 8,
                    .max = 200,
                    .help = "what the gateway knows you by",
                    .example = "'t0k3nt0k3n'" },
        [TONE] = { .name = "tone",
                   .type = SETTING_CHOICE,
                   .choices = &tone_names,
                   .help = "of the pager",
                   .example = "'loud'" },
        [REPEAT] = { .name = "repeat",
                     .type = SETTING_NUMBER,
                     .min = 1,
                     .max = 9,
                     .missing = 1,
                     .help = "how often it sounds",
                     .example = "2" },
        [QUIET] = { .name = "quiet",
                    .type = SETTING_FLAG,
                    .help = "it only shows the text",
                    .example = "false" },
    },
    .check = pager_check,
    .open = pager_open,
    .send = pager_send,
    .close = pager_close,
};
