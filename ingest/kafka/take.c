/* take.c - messages out of librdkafka into the batch: records, or dead letters, and the marks
 * that say how far.
 *
 * Three messages of partition 0 of `ticks`, which stands at 120, in one chunk:
 *
 *     119  {"kind":"trade",...}   below the position: a repetition, dropped and counted
 *     120  {"kind":"trade",...}   a record with offset 120; `next` is 121
 *     121  {"kind":"tarde",...}   a dead letter, unknown_kind, with its own bytes; `next` is 122
 *     the chunk's end             mark {source, 122, fingerprint of the message at 121}
 *
 * The mark's place is found before the first of them is taken: records without their mark would
 * come twice. Hashing only the chunk's last message of each partition is why `last` is kept
 * until the end. */
#include "core/log.h"
#include "core/metrics.h"
#include "core/when.h"
#include "ingest/kafka/internal.h"

#include <string.h>

enum { POISON_MIN = 200 }; /* messages of a minute before they are judged */
#define POISON_NS (60 * NS_PER_S)

static int64_t message_ms(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    return rd_kafka_message_timestamp(m, &type);
}

static int64_t message_fingerprint(const rd_kafka_message_t *m)
{
    return kafka_fingerprint(message_ms(m), m->key, m->key_len, m->payload, m->len);
}

/* ---- too many refused: a feed that has changed its format, say ---- */

static bool too_many_refused(const struct part *p)
{
    return p->window_n >= POISON_MIN && p->window_refused * 100 > p->window_n * POISON_PERCENT;
}

static void poison_count(struct part *p, int64_t now, bool refused_one)
{
    if (now - p->window_ns >= POISON_NS) {
        p->poisoned = p->poisoned && too_many_refused(p);
        p->window_ns = now;
        p->window_n = p->window_refused = 0;
    }
    p->window_n++;
    p->window_refused += refused_one;
    if (p->poisoned || !refused_one || !too_many_refused(p)) return;
    p->poisoned = true;
    log_error("kafka: too many messages refused", "topic", p->topic->name, "part", LOG_I64(p->no),
              "refused", LOG_I64(p->window_refused), "of", LOG_I64(p->window_n));
}

/* ---- one message ---- */

static enum err refuse(const struct kafka_source *s, const struct part *p,
                       const rd_kafka_message_t *m, enum err reason, const char *detail,
                       struct ingest_batch *batch)
{
    struct arena *a = &batch->arena;
    const char *topic = arena_copy(a, p->topic->name, strlen(p->topic->name));
    const char *key = m->key ? arena_copy(a, m->key, m->key_len) : NULL;
    if (!topic || (m->key && !key)) return ERR_NOMEM;
    struct dead_letter *d = ingest_batch_dead(batch);
    if (!d) return ERR_NOMEM;
    *d = (struct dead_letter){
        .topic = topic,
        .part = p->no,
        .source_id = p->source_id,
        .kafka_offset = m->offset,
        .reason = reason,
        .message_key = { key, (uint32_t)m->key_len },
    };
    const struct str message = { m->payload, (uint32_t)m->len };
    if (!dead_letter_keep(batch, d, message, detail, s->dead_bytes)) return ERR_NOMEM;
    metric_dead_letter(reason);
    return ERR_OK;
}

/* Of a producer that sets none it is now. */
static int64_t sent_ms(const rd_kafka_message_t *m)
{
    const int64_t ms = message_ms(m);
    return ms < 0 ? wall_ns() / NS_PER_MS : ms;
}

static struct record *next_record(void *batch) { return ingest_batch_record(batch); }

/* Whose price the refused message was, where that can be read, goes to the engine in its place: record_read. */
static enum err tell_refusal(const rd_kafka_message_t *m, const struct symbol *of,
                             const struct why *why, struct ingest_batch *batch)
{
    if (of->s[0] == '\0') return ERR_OK;
    const char *reason = arena_copy(&batch->arena, why->text, strlen(why->text));
    struct record *r = reason ? ingest_batch_record(batch) : NULL;
    if (!r) return ERR_NOMEM;
    r->kind = RECORD_REFUSAL;
    r->received_ms = sent_ms(m);
    r->u.refusal.symbol = *of;
    r->u.refusal.reason = str_of(reason);
    return ERR_OK;
}

/* The message's records into the batch, all of them or, when it is refused, none. */
static enum err work(struct kafka_source *s, const rd_kafka_message_t *m,
                     struct ingest_batch *batch, struct why *why)
{
    const struct intake to = { &batch->arena, next_record, batch };
    const size_t before = batch->records_n;
    if (!m->payload) return err_set(why, ERR_INVALID, "no value");
    if (m->len > MESSAGE_MAX)
        return err_set(why, ERR_TOO_LARGE, "%zu bytes, at most %d", m->len, MESSAGE_MAX);
    if (m->len == 0) return err_set(why, ERR_SYNTAX, "empty message");
    enum err e = s->format->work(s->format_state, m->payload, m->len, &to, why);
    if (!e) return e;
    const struct symbol of = batch->records_n > before
                                 ? batch->records[batch->records_n - 1].u.symbol
                                 : (struct symbol){ { 0 } };
    batch->records_n = before;
    return tell_refusal(m, &of, why, batch) ? ERR_NOMEM : e;
}

/* Where they came from, and the bytes they came as, in case the engine refuses one. */
static enum err sign(const struct part *p, const rd_kafka_message_t *m, size_t from,
                     struct ingest_batch *batch)
{
    const char *bytes = arena_copy(&batch->arena, m->payload, m->len);
    const int64_t ms = sent_ms(m);
    if (!bytes) {
        batch->records_n = from;
        return ERR_NOMEM;
    }
    for (size_t i = from; i < batch->records_n; i++) {
        struct record *r = &batch->records[i];
        r->source_id = p->source_id;
        r->offset = m->offset;
        r->received_ms = ms;
        r->message = (struct str){ bytes, (uint32_t)m->len };
    }
    return ERR_OK;
}

/* Room for the position first. */
static enum err reserve_mark(const struct part *p, struct ingest_batch *batch)
{
    struct source_mark *mark = ingest_batch_mark(batch, p->source_id);
    if (!mark) return ERR_NOMEM;
    *mark = (struct source_mark){ p->source_id, p->next, p->fingerprint };
    return ERR_OK;
}

/* What came of it, and where it leaves its source: here a turn may end. The bytes of one that was
 * refused, or of none, are not kept to be hashed later. */
static enum err note(const struct part *p, const rd_kafka_message_t *m, bool kept,
                     struct ingest_message *out, struct ingest_batch *batch)
{
    const bool now = !kept || message_ms(m) < 0;
    const char *key = m->key && !now ? arena_copy(&batch->arena, m->key, m->key_len) : NULL;
    if (m->key && !now && !key) return ERR_NOMEM;
    *out = (struct ingest_message){ .source_id = p->source_id,
                                    .records_end = (uint32_t)batch->records_n,
                                    .dead_end = (uint32_t)batch->dead_n,
                                    .next_offset = m->offset + 1,
                                    .fingerprint = now ? message_fingerprint(m) : 0,
                                    .sent_ms = message_ms(m),
                                    .key = { key, (uint32_t)m->key_len } };
    batch->bytes += m->len + m->key_len;
    return ERR_OK;
}

/* One message at or past the position: records or a dead letter. ERR_NOMEM leaves it to be taken
 * again. */
static enum err take_message(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m,
                             int64_t now, struct ingest_batch *batch)
{
    const size_t from = batch->records_n, dead = batch->dead_n, at = batch->messages_n;
    struct why why = { .text = "" };
    enum err e = p->last ? ERR_OK : reserve_mark(p, batch);
    if (!e && !ingest_batch_message(batch)) e = ERR_NOMEM;
    if (e) return e;
    const enum err verdict = work(s, m, batch, &why);
    if (verdict == ERR_NOMEM) e = ERR_NOMEM;
    else e = verdict ? refuse(s, p, m, verdict, why.text, batch) : sign(p, m, from, batch);
    if (!e) e = note(p, m, !verdict && batch->records_n > from, &batch->messages[at], batch);
    if (e) { /* as if it had not come */
        batch->records_n = from;
        batch->dead_n = dead;
        batch->messages_n = at;
        return e;
    }
    poison_count(p, now, verdict != ERR_OK);
    if (!p->last) s->touched[s->touched_n++] = p;
    p->last = m;
    p->next = m->offset + 1;
    p->heard_ns = now;
    p->proved = false;
    if (p->next >= p->end_at_open) p->caught_up = true;
    return ERR_OK;
}

/* ---- what is no message ---- */

static void part_moved(struct part *p)
{
    p->tries = 0;
    p->trouble = NULL;
    p->stalls = 0;
}

static void take_error(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m)
{
    const char *detail = m->payload; /* librdkafka puts its text there */
    part_failed(s, p, m->err, detail ? detail : "");
    const bool out_of_range = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
                              || m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
    if (out_of_range && p->tries == 1)
        p->retry_ns = 0; /* the watermarks will say what happened; only a repetition waits */
    if (m->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || m->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
        || m->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        s->metadata_due = 0;
}

static void take_end(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m)
{
    if (m->offset < p->next) { /* the log ends before our position: it is not the log we knew */
        part_close(p);
        part_retry_later(s, p);
        if (p->tries == 1) p->retry_ns = 0;
        return;
    }
    p->state = PART_READING;
    p->heard_ns = s->clock();
    p->proved = false;
    p->eof = m->offset;
    p->caught_up = true;
    part_moved(p);
}

/* ---- a chunk ---- */

/* The first message of a partition that has to prove itself: true when it is not ours to apply. */
static bool take_proof(struct kafka_source *s, struct part *p, const rd_kafka_message_t *m)
{
    if (m->offset == p->next - 1 && message_fingerprint(m) != p->fingerprint) {
        p->reborn = "other message at the position";
        part_close(p);
        s->anew = true; /* the topic's id has changed: see handle_rebuild */
        return true;
    }
    p->state = PART_READING;
    p->proved = true;
    return m->offset == p->next - 1;
}

/* Nothing came of it for so long, though the queue was looked into, that this may be of another
 * log. */
static bool after_quiet(const struct kafka_source *s, const struct part *p)
{
    return !p->proved && part_can_doubt(p) && s->bare_ns - p->heard_ns > s->quiet_ns;
}

static struct part *part_of(const rd_kafka_message_t *m)
{
    struct topic *t = rd_kafka_topic_opaque(m->rkt);
    return m->partition >= 0 && (size_t)m->partition < t->parts_n ? &t->parts[m->partition] : NULL;
}

static enum err take(struct kafka_source *s, const rd_kafka_message_t *m, int64_t now,
                     struct ingest_batch *batch, size_t *taken)
{
    struct part *p = part_of(m);
    if (!p || !part_fetching(p)) return ERR_OK;
    if (m->err) {
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) take_end(s, p, m);
        else take_error(s, p, m);
        return ERR_OK;
    }
    if (p->state == PART_VERIFYING && take_proof(s, p, m)) return ERR_OK;
    if (m->offset < p->next) {
        s->counts.repeats++;
        return ERR_OK;
    }
    if (after_quiet(s, p)) {
        part_doubt(s, p);
        return ERR_OK;
    }
    if (batch->taken_ns == 0) batch->taken_ns = mono_ns();
    enum err e = take_message(s, p, m, now, batch);
    if (e) return e;
    part_moved(p);
    ++*taken;
    return ERR_OK;
}

/* Their places were reserved: nothing here can fail. */
static void write_marks(struct kafka_source *s, struct ingest_batch *batch)
{
    for (size_t i = 0; i < s->touched_n; i++) {
        struct part *p = s->touched[i];
        p->fingerprint = message_fingerprint(p->last);
        p->last = NULL;
        *ingest_batch_mark(batch, p->source_id) =
            (struct source_mark){ p->source_id, p->next, p->fingerprint };
    }
    s->touched_n = 0;
}

enum err take_chunk(struct kafka_source *s, struct ingest_batch *batch, size_t max, size_t *taken)
{
    const int64_t now = s->clock();
    const size_t from = s->msgs_at;
    size_t n = 0;
    enum err e = ERR_OK;
    while (n < max && batch->bytes < s->batch_bytes && s->msgs_at < s->msgs_n
           && !(e = take(s, s->msgs[s->msgs_at], now, batch, &n)))
        s->msgs_at++;
    write_marks(s, batch);
    for (size_t i = from; i < s->msgs_at; i++) rd_kafka_message_destroy(s->msgs[i]);
    metric_add(METRIC_RECORDS_CONSUMED, (int64_t)n);
    *taken += n;
    return e;
}

/* As many as a batch may hold, by the size of those that came last: what is in hand counts no more
 * for librdkafka's own bound. */
static size_t at_a_time(const struct kafka_source *s)
{
    const size_t fit = s->batch_bytes / (s->message_bytes + 1); /* the next ones may be larger */
    return fit < CHUNK_MIN ? CHUNK_MIN : fit > CHUNK ? CHUNK : fit;
}

static void note_size(struct kafka_source *s)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->msgs_n; i++) bytes += s->msgs[i]->len;
    if (s->msgs_n) s->message_bytes = bytes / s->msgs_n;
}

/* The batch call would wait until it is full, so the first message is waited for by itself. */
static size_t fetch(struct kafka_source *s, size_t want, int wait_ms)
{
    size_t n = 0;
    if (wait_ms > 0) {
        rd_kafka_message_t *m = rd_kafka_consume_queue(s->queue, wait_ms);
        if (!m) return 0;
        s->msgs[n++] = m;
    }
    if (n < want) {
        ssize_t k = rd_kafka_consume_batch_queue(s->queue, 0, s->msgs + n, want - n);
        if (k > 0) n += (size_t)k;
    }
    return n;
}

bool take_fetch(struct kafka_source *s, size_t want, int wait_ms)
{
    rd_kafka_poll(s->rk, 0);
    if (s->down_new || s->fatal)
        return false; /* what is queued may be of another cluster: decided before it is taken */
    if (want > at_a_time(s)) want = at_a_time(s);
    const int64_t from = s->clock();
    if (s->looked_ns && from - s->looked_ns > AWAY_NS) topics_doubt_parts(s);
    s->bare_ns = s->empty_ns;
    s->msgs_at = 0;
    s->msgs_n = fetch(s, want, wait_ms);
    note_size(s);
    const int64_t now = s->clock();
    s->looked_ns = now;
    if (s->msgs_n < want) s->empty_ns = now;
    if (now - from <= AWAY_NS) return s->msgs_n > 0;
    s->anew = true; /* this is no wait of ours: the process stood still, and librdkafka with it */
    return false;
}
