/* sender.h - a worker's hand: its sessions of every kind of channel, and one attempt from a
 * claimed delivery to what became of it. Thread: one worker's. */
#ifndef TOCSIN_ALERTS_DELIVERY_SENDER_H
#define TOCSIN_ALERTS_DELIVERY_SENDER_H
#include "alerts/delivery/channel.h"

struct sender {
    void *sessions[CHANNEL_KINDS]; /* place by place as channel_kinds */
    const char *page;              /* the setup's */
};

/* On failure what was opened is closed again. */
MUST_USE enum err sender_open(struct sender *s, const struct channel_setup *setup);
void sender_close(struct sender *s); /* fine on a zeroed one */

/* One attempt, `unix_s` its time. What cannot even be tried has its outcome too: a kind that this
 * program does not know is HOPELESS (it is never sent as another's), and so is an alert that it
 * cannot read; settings that do not fit and
 * secrets that cannot be had are REFUSED. */
void sender_send(struct sender *s, const struct delivery *d, int64_t unix_s, struct sent *out);
#endif
