/* rest_list.h - the channels that have failed since they last succeeded, and until when each is
 * left alone.
 *
 * In memory only: after a restart every channel gets a fresh start. Pure: the time is given.
 * Thread: the dispatcher's. */
#ifndef TOCSIN_ALERTS_DELIVERY_REST_LIST_H
#define TOCSIN_ALERTS_DELIVERY_REST_LIST_H
#include "alerts/delivery/schedule.h"

enum { RESTS_MAX = 1024 };

struct rest_list {
    struct rest {
        struct uuid channel;
        unsigned failures; /* in a row */
        int64_t until_ns;  /* monotonic */
    } at[RESTS_MAX];
    size_t n;
};

/* Counts what became of an attempt: a success ends the channel's entry, a failure lengthens its
 * rest (schedule_rest_ms), an alert that is hopeless says nothing of its channel. */
void rest_list_note(struct rest_list *l, struct uuid channel, const struct attempt *a,
                    const struct verdict *v, int64_t now_ns, int64_t unit_ms);

/* Those that rest now, into out[RESTS_MAX]; returns how many. *wait_ms is lowered to the end of the
 * first rest. */
size_t rest_list_now(const struct rest_list *l, int64_t now_ns, struct uuid *out, int64_t *wait_ms);
#endif
