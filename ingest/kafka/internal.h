/* internal.h - the consumer's state, for the files that do its jobs:
 *
 *     handle.c     librdkafka itself: started, ended, started anew
 *     topics.c     what there is: topics, their partitions, the cluster they are of
 *     part.c       one partition: opened, in which of its lives, closed, tried again
 *     take.c       messages into the batch
 *     house.c      what is due at each poll, and partitions that stand still
 *     view.c       what other threads may ask: readiness, lags
 *     hints.c      positions back to Kafka, for its own tools
 *     consumer.c   open, poll, close
 *
 * A partition's state, and who moves it:
 *
 *     WAITING ----part_open----> VERIFYING --the message at next - 1 is the one we know--> READING
 *        ^  \                       |                                                        |
 *        |   ----part_open, nothing to compare with----------------------------------------> |
 *        |                          |                                                        |
 *        +--------part_close--------+------ an error, another message, all brokers down -----+
 *
 *     READING --part_doubt: what comes may be of another log--> DOUBTED --part_open--> VERIFYING
 *
 * All of it is the ingest thread's, but for what `lock` guards. Not for other folders. */
#ifndef TOCSIN_INGEST_KAFKA_INTERNAL_H
#define TOCSIN_INGEST_KAFKA_INTERNAL_H
#include "ingest/formats/format.h"
#include "ingest/kafka/source.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

enum {
    CHUNK = 10000,  /* messages taken from librdkafka in one go, at most */
    CHUNK_MIN = 16, /* however large they are */
    ASK_MS = 1000,  /* longest wait for an answer to metadata and watermarks */
    POISON_PERCENT = 5
};

enum part_state {
    PART_WAITING,   /* not fetched; what still arrives of it is stale */
    PART_DOUBTED,   /* nor is this, for the moment: to be fetched from next - 1, asking nothing */
    PART_VERIFYING, /* fetched from next - 1: its first message must be the one we know */
    PART_READING
};

/* While nobody looks a topic can be deleted, made anew and filled beyond our position: the fetch
 * that follows gets what is there, and nothing tells. So whatever comes after this long proves its
 * log first. A broker can do all that in 60 ms, of 40 messages (4.1, one node, measured); beyond a
 * position of millions it takes as long as they take to write. What fits between two messages that
 * come closer than QUIET_NS stays unseen: a shorter one would cost every message of a partition of
 * some ten a second a fetch of its own. */
#define QUIET_NS (250 * NS_PER_MS) /* nothing of the partition, though it was looked for */
#define AWAY_NS (1 * NS_PER_S)     /* not looked for anything: stopped, starved, or a slow commit */

struct part {
    struct topic *topic;
    int32_t no;
    enum part_state state;

    /* Its life: from PostgreSQL when the topic is learned, or begun by part_open; `next` and
     * `fingerprint` move with every message taken. */
    bool alive; /* has a life: the fields below */
    int32_t source_id, source_epoch;
    const char *cluster;
    int64_t next, fingerprint;
    const char *reborn; /* why the next opening starts a new life; NULL: not known to need one */

    /* What is known of its end. */
    int64_t end_at_open; /* high watermark then; a `first` partition has caught up from there on */
    bool caught_up;
    int64_t eof;      /* the end last reported; past markers that are no messages */
    int64_t heard_ns; /* when its last message, or its end, was taken */
    bool proved; /* by its first message since it was opened: the next one need not ask again */

    /* Trouble: set by part_failed, over when a message or its end comes. */
    int64_t retry_ns;
    unsigned tries;
    const char *trouble; /* stable name of its last error; NULL once it moves again */

    const rd_kafka_message_t *last; /* newest one taken of the chunk in hand, not yet in the mark */

    /* How many of the last minute's messages were refused. */
    int64_t window_ns, window_n, window_refused;
    bool poisoned;

    /* At the last look for stalls. */
    int64_t seen_next, seen_high;
    unsigned stalls;
};

static inline bool part_fetching(const struct part *p) { return p->state > PART_DOUBTED; }
/* Only a log of which a message is known can be told from another. */
static inline bool part_can_doubt(const struct part *p)
{
    return p->state == PART_READING && p->fingerprint != 0;
}

struct topic {
    const char *name;
    bool first, exists;
    bool warned;
    const char *trouble; /* stable name of the broker's error about it */
    struct part *parts;
    size_t parts_n; /* ever seen */
    size_t there_n; /* of the topic as it is now: one made anew may have fewer */
    rd_kafka_topic_t *handle;
};

struct view { /* what other threads may ask for */
    struct buf reasons;
    bool ready;
    struct kafka_lag *lags;
    struct part_lag {
        const char *topic;
        int32_t part;
        int64_t messages;
    } *parts; /* those that are there */
    size_t parts_n, parts_cap;
};

struct kafka_source {
    struct arena strings;  /* names that live as long as this */
    rd_kafka_conf_t *conf; /* to start librdkafka from, again if need be */
    const struct format *format;
    void *format_state;
    int64_t (*clock)(void);
    struct topic *topics;
    size_t topics_n;
    struct source_life *known;
    size_t known_n;
    int32_t source_id_next;
    bool hints; /* a group is configured */

    /* librdkafka: from handle_open to handle_end. */
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;   /* all partitions lead here */
    rd_kafka_message_t **msgs; /* taken from librdkafka, [msgs_at, msgs_n) still to be applied */
    size_t msgs_at, msgs_n;
    int64_t looked_ns;     /* when librdkafka was last asked for some; 0: never */
    int64_t empty_ns;      /* when it was last seen to have no more */
    int64_t bare_ns;       /* the same, before those in hand were asked for: they came later */
    int64_t quiet_ns;      /* QUIET_NS, or longer where fetches wait for longer */
    size_t message_bytes;  /* mean length of those taken last */
    size_t dead_bytes;     /* of a refused message are kept; 0: all */
    size_t batch_bytes;    /* a batch holds no more messages once it has so many bytes */
    struct part **touched; /* have a `last` */
    size_t touched_n, parts_total;

    /* Who answers, and whether anybody does. */
    const char *cluster; /* id of the cluster that answered last; NULL before the first answer */
    bool fresh;          /* this client has not been answered yet: whose it is, is not known */
    bool down, down_new, fatal;
    bool
        anew; /* librdkafka is to be started anew: it may have met another topic by a name it knows */
    int64_t
        silent_ns; /* since when no question for metadata has been answered; 0: the last one was */
    bool mute;     /* taken for down because of that, and not because librdkafka says so */
    int64_t fatal_ns;  /* when librdkafka was last rebuilt for it; 0: never */
    const char *error; /* stable name of the last general error; NULL once metadata came */
    int64_t metadata_due, metadata_wait, stall_due, hint_due, view_due;
    bool gate_open; /* the `first` topics are through */
    struct kafka_counts counts;

    pthread_mutex_t lock; /* guards what follows */
    struct view view;
    struct source_mark *hint;
    size_t hint_n, hint_cap;
};

#define RETRY_MIN_NS (100 * NS_PER_MS) /* asking for metadata again when all is not well */
#define RETRY_MAX_NS (1 * NS_PER_S)

/* ---- handle.c ---- */
MUST_USE enum err handle_open(struct kafka_source *s, struct why *why);
/* Closes every partition and gives librdkafka 3 s to end. What is in hand but not applied is
 * dropped: it will be fetched again. */
void handle_end(struct kafka_source *s);
/* For whatever a client cannot forget. */
MUST_USE enum err handle_rebuild(struct kafka_source *s, struct why *why);
/* librdkafka's error_cb; from inside rd_kafka_poll, so on the ingest thread. */
void handle_error(rd_kafka_t *rk, int err, const char *reason, void *opaque);

/* ---- topics.c ---- */
/* Asks what there is. Without an answer everything stays as it is. */
MUST_USE enum err topics_refresh(struct kafka_source *s, struct why *why);
/* Opens partitions that wait and may be opened now. */
MUST_USE enum err topics_open_parts(struct kafka_source *s, struct ingest_batch *batch);
void topics_close_parts(struct kafka_source *s);
void topics_doubt_parts(struct kafka_source *s);

/* ---- part.c ---- */
/* Decides which life this is, and starts fetching. Whatever the broker does not answer is tried
 * again later. */
MUST_USE enum err part_open(struct kafka_source *s, struct part *p, struct ingest_batch *batch);
/* It will be opened again by a later turn, and prove itself again. */
void part_close(struct part *p);
/* As part_close, but nothing has happened that anybody has to be told: one fetch later it goes on. */
void part_doubt(struct kafka_source *s, struct part *p);
void part_failed(struct kafka_source *s, struct part *p, rd_kafka_resp_err_t err,
                 const char *detail);
void part_retry_later(struct kafka_source *s, struct part *p);
/* Asks for one end of a partition: RD_KAFKA_OFFSET_BEGINNING or _END. */
MUST_USE rd_kafka_resp_err_t part_ask_offset(struct kafka_source *s, const struct part *p,
                                             int64_t which, int64_t *out);

/* ---- take.c ---- */
/* Waits for the first message only. True when something came. */
bool take_fetch(struct kafka_source *s, size_t want, int wait_ms);
/* Applies what is in hand, at most `max`; the positions reached go into the marks. */
MUST_USE enum err take_chunk(struct kafka_source *s, struct ingest_batch *batch, size_t max,
                             size_t *taken);

/* ---- house.c ---- */
MUST_USE enum err house_keep(struct kafka_source *s, struct ingest_batch *batch, bool idle,
                             struct why *why);

/* ---- view.c, hints.c ---- */
void view_publish(struct kafka_source *s, bool force);
void hints_send(struct kafka_source *s);
#endif
