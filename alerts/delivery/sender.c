/* sender.c - from what was claimed to what its kind is given.
 *
 *     kind      "webhook"                               channel_webhook, its session of this worker
 *     settings  {"url":"https://example.com/hook"}      values[0] "https://example.com/hook"
 *     secrets   {"secret":"whsec_..."}                  values[1] "whsec_...", wiped after the send
 *     alert     as it was stored                        as it is; how it looks is up to the kind */
#include "alerts/delivery/sender.h"

enum err sender_open(struct sender *s, const struct channel_setup *setup)
{
    *s = (struct sender){ .page = setup->page };
    for (size_t i = 0; i < CHANNEL_KINDS; i++) {
        enum err e = channel_kinds[i]->open(setup, &s->sessions[i]);
        if (!e) continue;
        sender_close(s);
        return e;
    }
    return ERR_OK;
}

void sender_close(struct sender *s)
{
    for (size_t i = 0; i < CHANNEL_KINDS; i++) {
        channel_kinds[i]->close(s->sessions[i]);
        s->sessions[i] = NULL;
    }
}

/* A worker has a session of each kind from its start, so a send has nothing to set up. */
static void *session_of(const struct sender *s, const struct channel_kind *kind)
{
    size_t i = 0;
    while (channel_kinds[i] != kind) i++; /* it comes from that list */
    return s->sessions[i];
}

void sender_send(struct sender *s, const struct delivery *d, int64_t unix_s, struct sent *out)
{
    *out = (struct sent){ .outcome = OUTCOME_RETRY };
    const struct channel_kind *kind = channel_kind_find(d->kind);
    if (!kind) {
        sent_say(out, OUTCOME_HOPELESS, "no channel kind \"%.60s\" in this program", d->kind);
        return;
    }
    if (d->unreadable) {
        sent_say(out, OUTCOME_HOPELESS, "%s", d->unreadable);
        return;
    }
    if (d->problem) {
        sent_say(out, OUTCOME_REFUSED, "%s", d->problem);
        return;
    }
    struct channel_values values;
    struct why why = { .text = "" };
    if (channel_values_load(kind, d->settings, d->secrets, &values, &why)) {
        sent_say(out, OUTCOME_REFUSED, "the channel's settings: %s", why.text);
    } else {
        const struct channel_work work = { &d->alert, &values, unix_s, s->page };
        kind->send(session_of(s, kind), &work, out);
    }
    channel_values_release(&values);
}
