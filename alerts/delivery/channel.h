/* channel.h - what a kind of channel is: its settings, described as data, and how it sends.
 *
 * A kind is one file of channels/ and one row of channels.def. From its list of settings come
 * the check of what a user asks for, the two JSON objects that are stored (settings in the open,
 * secrets sealed), what the API shows, and its documents. The dispatcher knows an attempt by its
 * outcome and nothing of how it was made. For example a webhook, whose settings are `url` and
 * the secret `secret`:
 *
 *     {"kind":"webhook","url":"https://example.com/hook"}      a user's request
 *     channel_values_take()      url is there and has 1 to 2000 bytes; nothing else is
 *     kind->check()              the URL leads outside
 *     kind->complete()           makes a secret, since none was given
 *     channel_values_write()     {"url":"https://example.com/hook"} and {"secret":"whsec_..."}
 *     ...                        stored; later an alert is owed, claimed, and given to a worker:
 *     channel_values_load()      the same values again
 *     kind->send()               OUTCOME_THROTTLED, wait_s 30, code 429, "HTTP status 429" */
#ifndef TOCSIN_ALERTS_DELIVERY_CHANNEL_H
#define TOCSIN_ALERTS_DELIVERY_CHANNEL_H
#include "alerts/delivery/outbox.h"
#include "core/json.h"
#include "core/json_write.h"
#include "core/names.h"

#include <stdatomic.h>

/* ---- what became of an attempt ---- */

enum outcome {
    OUTCOME_DELIVERED, /* the receiver has it */
    OUTCOME_RETRY,     /* not this time: no connection, or an answer that says no */
    OUTCOME_THROTTLED, /* the receiver has too much to do */
    OUTCOME_TIMED_OUT, /* no answer in time: it held a worker for nothing */
    OUTCOME_REFUSED,  /* by us: we do not send there, or cannot; tried again, settings may change */
    OUTCOME_GONE,     /* the receiver says: never again. The channel is turned off */
    OUTCOME_HOPELESS, /* this alert can never go there; says nothing of the channel */
    OUTCOME_CUT_OFF,  /* ended by our own stop: no attempt was made */
};

struct sent {
    enum outcome outcome;
    int64_t wait_s;   /* THROTTLED: how long the receiver asks for; 0: does not say */
    int code;         /* the receiver's own number for its answer, as its users know it; 0: none */
    const char *gone; /* GONE: what the channel's owner is told; outlives the attempt */
    char detail[128]; /* "" when delivered; never holds the answer, an address, or a secret */
};

/* Leaves an outcome and its detail, which is cut to fit. */
PRINTF_LIKE(3, 4)
void sent_say(struct sent *out, enum outcome outcome, const char *fmt, ...);

/* ---- settings ---- */

enum { CHANNEL_SETTINGS_MAX = 16 };

enum setting_type { SETTING_TEXT, SETTING_NUMBER, SETTING_FLAG, SETTING_CHOICE };

struct setting {
    const char *name; /* snake_case; NULL ends the list */
    enum setting_type type;
    bool required;
    bool secret;      /* TEXT alone: stored encrypted, shown once, in the answer to its creation */
    bool own;         /* a secret of the service's own keeping: no user gives it or is shown it */
    int64_t min, max; /* TEXT: its bytes; NUMBER: its range */
    int64_t missing;  /* NUMBER, FLAG, CHOICE: the value when absent (of a choice its place) */
    const struct names *choices; /* CHOICE */
    const char *help, *example;  /* for the API's document; `example` is JSON, ' for " */
    const char *pattern;         /* TEXT: a regular expression that says more; NULL: none */
};

struct setting_value {
    bool given;       /* else `text` is NULL, or the missing choice's; `number` as missing */
    const char *text; /* TEXT, CHOICE */
    int64_t number;   /* NUMBER; FLAG: 0 or 1; CHOICE: its place */
};

/* The values of one channel, place by place as its kind's settings. */
struct channel_values {
    const struct channel_kind *kind;
    struct setting_value at[CHANNEL_SETTINGS_MAX];
    struct arena memory; /* holds the texts */
};

/* What the operator allows; all false but in development. */
struct channel_limits {
    bool allow_plain;   /* without TLS */
    bool allow_private; /* to private and loopback addresses, any port */
};

/* ---- a kind ---- */

/* What the service gives every session. `ca_file` and `stop` outlive it. */
struct channel_setup {
    struct channel_limits limits;
    int connect_timeout_ms, timeout_ms; /* 0: 5000, 15000 */
    const char *ca_file;                /* NULL: the system's; a peer is always verified */
    const char *page;        /* what alerts link to (alert_render); outlives it. NULL: nothing */
    const atomic_bool *stop; /* NULL, or: once true a send ends within a second, CUT_OFF */
};

/* One attempt. */
struct channel_work {
    const struct alert *alert;
    const struct channel_values *values;
    int64_t unix_s;   /* now */
    const char *page; /* for alert_render; NULL: nothing to link to */
};

struct channel_kind {
    const char *name, *help;
    struct setting settings[CHANNEL_SETTINGS_MAX + 1];

    /* What types and ranges do not say. ERR_INVALID names the field. Thread: any. */
    enum err (*check)(const struct channel_values *v, const struct channel_limits *limits,
                      struct why *why);
    /* Makes what a user may leave out (a secret) and has. NULL: nothing. ERR_NOMEM. Thread: any. */
    enum err (*complete)(struct channel_values *v);

    /* A worker's own session, for as long as the service runs: connects to nothing. ERR_NOMEM. */
    enum err (*open)(const struct channel_setup *setup, void **out);
    /* One attempt, which ends by itself within the setup's timeout. *out is zeroed before. */
    void (*send)(void *session, const struct channel_work *work, struct sent *out);
    void (*close)(void *session); /* NULL is fine */
};

/* Every kind, in the order of channels.def. */
enum {
#define CHANNEL(name) CHANNEL_NO_##name,
#include "alerts/delivery/channels.def"
#undef CHANNEL
    CHANNEL_KINDS
};
extern const struct channel_kind *const channel_kinds[CHANNEL_KINDS];

/* NULL when there is no such kind: never another one. */
const struct channel_kind *channel_kind_find(const char *name);

/* ---- values: from a request, to and from what is stored ---- */

/* Takes the kind's settings out of a request's object, whose other fields are the caller's to ask
 * for; json_fields_end() then says what is wrong. *out is begun here; end it whatever happened. */
void channel_values_take(const struct channel_kind *kind, struct json_fields *f,
                         struct channel_values *out);

/* The values that were stored. A field that is no setting (any more) is passed over; ERR_INVALID
 * names one that is missing or does not fit (any more). End *out whatever happened. */
MUST_USE enum err channel_values_load(const struct channel_kind *kind, const char *settings,
                                      const char *secrets, struct channel_values *out,
                                      struct why *why);

/* Which of the values, in the settings' order. */
enum values_part {
    VALUES_OPEN,   /* what is stored as it is, and shown to its owner at any time */
    VALUES_SECRET, /* what is stored sealed */
    VALUES_MADE,   /* the secrets that the answer to its creation shows */
};
/* As members of the object that is begun; of those that were not given none. */
void channel_values_write(const struct channel_values *v, enum values_part part,
                          struct json_writer *w);

/* Gives a TEXT setting its value, copied. ERR_NOMEM. */
MUST_USE enum err channel_values_set(struct channel_values *v, size_t at, const char *text);

/* Secrets are wiped. Fine on a zeroed one. */
void channel_values_release(struct channel_values *v);
#endif
