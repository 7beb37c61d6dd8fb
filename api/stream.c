#include "api/stream.h"

#include "core/metrics.h"
#include "core/when.h"

#include <assert.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };
static const char BEAT[] = ": beat\n\n";
#define KEEPS_UP_NS (2 * NS_PER_S) /* who had read all there was this long ago is no slow reader */
#define KEY_CHECK_NS (700 * NS_PER_MS)
#define PAGE_RETRY_NS (500 * NS_PER_MS)

struct event {
    atomic_int references;
    uint64_t no;
    int64_t
        live_ns; /* event time of an alert that has just been committed; 0: it was read from the table */
    size_t n;
    char text[];
};

struct stream {
    struct job page; /* first: the worker gets this */
    struct stream *prev, *next;
    struct hub *hub;
    int references; /* the request, the response, a page under way; under the hub's lock */
    struct MHD_Connection *connection; /* NULL once closed */
    struct conn *conn;
    struct uuid tenant;
    struct key key;
    bool live, paging, suspended, ended, beat, listed;
    uint64_t last;       /* newest number queued */
    uint64_t seen;       /* newest number published while catching up */
    struct event **ring; /* capacity is a power of two */
    size_t cap, head, len, bytes;
    size_t sent;      /* of the first event */
    int64_t empty_ns; /* when the queue was last empty */
    int64_t wrote_ns; /* when bytes last went out */
    int64_t retry_ns; /* no page before this */
    int empty_pages;  /* in a row, though something newer was published */
};

struct hub {
    pthread_mutex_t lock;
    struct stream *buckets[BUCKETS];
    struct work *work;
    const char *page; /* for alert_render */
    size_t open;
    int64_t heartbeat_ns, key_check_ns;
    bool checking, stopping;
    struct job key_check;
};

/* ---- events ---- */
static struct event *event_new(const struct hub *h, const struct alert *a)
{
    AUTO_BUF struct buf json = { 0 };
    alert_render(a, h->page, &json);
    if (!buf_ok(&json)) return NULL;
    size_t lines = 1;
    for (size_t i = 0; i < json.len; i++) lines += json.data[i] == '\n';
    struct event *e = malloc(sizeof *e + 64 + json.len + lines * 6);
    if (!e) return NULL;
    atomic_init(&e->references, 1);
    e->no = a->stream_no;
    e->live_ns = 0;
    e->n = (size_t)sprintf(e->text, "id: %" PRIu64 "\nevent: alert\n", a->stream_no);
    for (const char *line = json.data, *end; line;
         line = end ? end + 1 : NULL) { /* a newline in the data would end it */
        end = memchr(line, '\n', (size_t)(json.data + json.len - line));
        size_t n = (size_t)((end ? end : json.data + json.len) - line);
        memcpy(e->text + e->n, "data: ", 6);
        memcpy(e->text + e->n + 6, line, n);
        e->text[e->n + 6 + n] = '\n';
        e->n += n + 7;
    }
    e->text[e->n++] = '\n';
    return e;
}

/* What a stream begins with: where it stands, so that who loses it before its first alert comes back with that.
 * Nobody who listens for alerts hears it, but its id is remembered. `asked` is a cursor, or 0. */
static struct event *event_at(uint64_t from, uint64_t asked)
{
    struct event *e = malloc(sizeof *e + 256);
    if (!e) return NULL;
    atomic_init(&e->references, 1);
    e->no = from;
    e->live_ns = 0;
    e->n = (size_t)sprintf(e->text, "id: %" PRIu64 "\n", from);
    if (asked <= from) e->n += (size_t)sprintf(e->text + e->n, "event: position\ndata:\n\n");
    else
        e->n += (size_t)sprintf(e->text + e->n,
                                "event: reset\ndata: {\"asked\":%" PRIu64 ",\"newest\":%" PRIu64
                                ",\"detail\":\"there is no alert with that number: it is of "
                                "another service, or of a database that was restored\"}\n\n",
                                asked, from);
    return e;
}

static void event_release(struct event *e)
{
    if (e && atomic_fetch_sub_explicit(&e->references, 1, memory_order_acq_rel) == 1) free(e);
}

/* ---- one stream; all under the hub's lock ---- */
static bool queue_event(struct stream *s, struct event *e)
{
    if (s->len >= STREAM_EVENTS_MAX || (s->len && s->bytes + e->n > STREAM_BYTES_MAX)) return false;
    if (s->len == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 8;
        struct event **ring = malloc(cap * sizeof *ring);
        if (!ring) return false;
        for (size_t i = 0; i < s->len; i++) ring[i] = s->ring[(s->head + i) & (s->cap - 1)];
        free(s->ring);
        s->ring = ring;
        s->cap = cap;
        s->head = 0;
    }
    s->ring[(s->head + s->len++) & (s->cap - 1)] = e;
    s->bytes += e->n;
    s->last = e->no;
    atomic_fetch_add_explicit(&e->references, 1, memory_order_relaxed);
    return true;
}

static void drop_queue(struct stream *s)
{
    for (; s->len; s->len--) {
        event_release(s->ring[s->head]);
        s->head = (s->head + 1) & (s->cap - 1);
    }
    s->bytes = s->sent = 0;
}

static void unlist(struct stream *s)
{
    if (!s->listed) return;
    if (s->prev) s->prev->next = s->next;
    else s->hub->buckets[s->tenant.b[15]] = s->next;
    if (s->next) s->next->prev = s->prev;
    s->listed = false;
    metric_set(METRIC_STREAMS_OPEN, (int64_t)--s->hub->open);
}

static void unref(struct stream *s)
{
    if (--s->references) return;
    assert(!s->listed && !s->suspended);
    drop_queue(s);
    free(s->ring);
    free(s);
}

static void wake(struct stream *s)
{
    if (!s->suspended) return;
    s->suspended = false;
    MHD_resume_connection(s->connection);
}

static void end_stream(struct stream *s)
{
    s->ended = true;
    wake(s);
}

static void page_job(struct job *j, struct reader *db);

static void want_page(struct stream *s, int64_t now)
{
    if (s->live || s->paging || s->ended || s->hub->stopping || now < s->retry_ns) return;
    s->page.run = page_job;
    s->page.lane = s->tenant;
    if (work_push(s->hub->work, &s->page)) return; /* the ticker asks again */
    s->paging = true;
    s->references++;
}

static void catch_up(struct stream *s, uint64_t seen, int64_t now)
{
    s->live = false;
    if (seen > s->seen) s->seen = seen;
    if (s->len == 0) want_page(s, now);
}

static void offer(struct stream *s, struct event *e, int64_t now)
{
    if (e->no <= s->last || s->ended) return; /* the table gave it already */
    if (!s->live) {
        if (e->no > s->seen) s->seen = e->no;
        return;
    }
    if (e->no != s->last + 1) {
        catch_up(s, e->no, now);
        return;
    }
    if (s->len == 0) s->empty_ns = now;
    if (queue_event(s, e)) return wake(s);
    if (now - s->empty_ns < KEEPS_UP_NS) return catch_up(s, e->no, now);
    metric_add(METRIC_STREAMS_DROPPED, 1);
    s->ended = true;
    drop_queue(s);
    if (s->conn) conns_shut(s->conn);
    wake(s);
}

/* ---- catching up ---- */
struct page {
    const struct hub *hub;
    struct event *events[STREAM_PAGE];
    size_t n, bytes;
    bool failed;
};

static void page_row(void *ctx, const struct alert *a)
{
    struct page *p = ctx;
    if (p->failed || p->n == STREAM_PAGE) return;
    struct event *e = event_new(p->hub, a);
    if (!e) p->failed = true;
    else p->events[p->n++] = e;
}

static enum err read_page(struct reader *db, struct uuid tenant, uint64_t after, struct page *p,
                          struct why *why)
{
    char cursor[24], limit[24];
    snprintf(cursor, sizeof cursor, "%" PRIu64, after);
    snprintf(limit, sizeof limit, "%d", STREAM_PAGE);
    const char *const params[] = { cursor, limit };
    enum err e = reader_alerts(db, tenant, QUERY_ALERTS_AFTER, params, page_row, p, why);
    return !e && p->failed ? err_set(why, ERR_NOMEM, "out of memory") : e;
}

static void take_page(struct stream *s, struct page *p, int64_t now)
{
    bool all = true;
    if (s->len == 0) s->empty_ns = now;
    for (size_t i = 0; i < p->n; i++)
        all = all && p->events[i]->no > s->last && queue_event(s, p->events[i]);
    if (all && p->n < STREAM_PAGE && s->seen <= s->last) s->live = true;
    s->empty_pages = p->n || s->live ? 0 : s->empty_pages + 1;
    if (s->empty_pages > 2) s->retry_ns = now + PAGE_RETRY_NS;
}

static void free_page(struct page *p)
{
    for (size_t i = 0; i < p->n; i++) event_release(p->events[i]);
}

static void page_job(struct job *j, struct reader *db)
{
    struct stream *s = (struct stream *)j;
    struct hub *h = s->hub;
    struct page *p = calloc(1, sizeof *p);
    if (p) p->hub = h;
    pthread_mutex_lock(&h->lock);
    uint64_t after = s->last;
    bool gone = s->ended || !s->connection;
    pthread_mutex_unlock(&h->lock);
    struct why why;
    enum err e = !p ? ERR_NOMEM : gone ? ERR_OK : read_page(db, s->tenant, after, p, &why);

    pthread_mutex_lock(&h->lock);
    int64_t now = mono_ns();
    s->paging = false;
    if (e) s->retry_ns = now + PAGE_RETRY_NS;
    else if (!gone) take_page(s, p, now);
    if (s->len) wake(s);
    else if (!e) want_page(s, now); /* something was published that the page was too early for */
    unref(s);
    pthread_mutex_unlock(&h->lock);
    if (p) free_page(p);
    free(p);
}

/* ---- libmicrohttpd's side ---- */
static ssize_t read_stream(void *ctx, uint64_t pos, char *out, size_t max)
{
    struct stream *s = ctx;
    struct hub *h = s->hub;
    (void)pos;
    size_t n = 0;
    pthread_mutex_lock(&h->lock);
    int64_t now = mono_ns();
    if (s->ended || h->stopping || !s->connection) {
        pthread_mutex_unlock(&h->lock);
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    atomic_store(&s->conn->deadline_ns,
                 now + 2 * h->heartbeat_ns); /* it reads: the next two heartbeats are its own */
    while (n < max && s->len) {
        struct event *e = s->ring[s->head];
        size_t k = e->n - s->sent < max - n ? e->n - s->sent : max - n;
        memcpy(out + n, e->text + s->sent, k);
        n += k;
        s->sent += k;
        if (s->sent < e->n) break;
        if (e->live_ns)
            histogram_add(HISTOGRAM_TICK_TO_STREAM, (wall_ns() - e->live_ns) / NS_PER_MS, 1);
        s->head = (s->head + 1) & (s->cap - 1);
        s->len--;
        s->bytes -= e->n;
        s->sent = 0;
        event_release(e);
    }
    if (n == 0 && s->beat && max >= sizeof BEAT - 1) {
        memcpy(out, BEAT, sizeof BEAT - 1);
        n = sizeof BEAT - 1;
    }
    if (n) {
        s->beat = false;
        s->wrote_ns = now;
        if (s->len == 0) s->empty_ns = now;
    } else {
        s->suspended = true; /* before the page is asked for: its worker may be here at once */
        MHD_suspend_connection(s->connection);
        want_page(s, now);
    }
    pthread_mutex_unlock(&h->lock);
    return (ssize_t)n;
}

static void response_gone(void *ctx)
{
    struct stream *s = ctx;
    struct hub *h = s->hub;
    pthread_mutex_lock(&h->lock);
    unref(s);
    pthread_mutex_unlock(&h->lock);
}

void stream_close(struct stream *s)
{
    if (!s) return;
    struct hub *h = s->hub;
    pthread_mutex_lock(&h->lock);
    unlist(s);
    if (!s->ended && s->len && mono_ns() - s->wrote_ns >= h->heartbeat_ns)
        metric_add(METRIC_STREAMS_DROPPED, 1); /* it had stopped reading */
    s->ended = true;
    s->suspended = false; /* libmicrohttpd closes no suspended connection, so it is none */
    s->connection = NULL;
    s->conn = NULL;
    unref(s);
    pthread_mutex_unlock(&h->lock);
}

/* Where to begin. A cursor past the newest number comes from elsewhere, and the stream says so: nothing newer
 * than the newest can have been seen. */
static enum err first_cursor(struct reader *db, struct uuid tenant, const int64_t *cursor,
                             uint64_t *out, struct why *why)
{
    AUTO_BUF struct buf newest = { 0 };
    enum err e = reader_text(db, tenant, QUERY_ALERT_NEWEST, NULL, &newest, why);
    if (e) return e;
    uint64_t top = strtoull(newest.data, NULL, 10);
    *out = cursor && (uint64_t)*cursor < top ? (uint64_t)*cursor : top;
    return ERR_OK;
}

enum err stream_open(struct hub *h, struct reader *db, struct uuid tenant, const struct key *key,
                     const int64_t *cursor, struct MHD_Connection *connection, struct conn *conn,
                     struct stream **out, struct MHD_Response **out_response, struct why *why)
{
    struct stream *s = calloc(1, sizeof *s);
    struct MHD_Response *response =
        s ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, read_stream, s, response_gone)
          : NULL;
    if (!response) {
        free(s);
        return err_set(why, ERR_NOMEM, "out of memory");
    }
    int64_t now = mono_ns();
    *s = (struct stream){ .hub = h,
                          .references = 2,
                          .connection = connection,
                          .conn = conn,
                          .tenant = tenant,
                          .key = *key,
                          .paging = true,
                          .listed = true,
                          .empty_ns = now,
                          .wrote_ns = now };
    pthread_mutex_lock(
        &h->lock); /* listed first, asked then: what is committed in between shows as `seen` */
    struct stream **bucket = &h->buckets[tenant.b[15]];
    s->next = *bucket;
    if (*bucket) (*bucket)->prev = s;
    *bucket = s;
    metric_set(METRIC_STREAMS_OPEN, (int64_t)++h->open);
    pthread_mutex_unlock(&h->lock);

    uint64_t from = 0;
    enum err e = first_cursor(db, tenant, cursor, &from, why);
    struct event *at = e ? NULL : event_at(from, cursor ? (uint64_t)*cursor : 0);
    pthread_mutex_lock(&h->lock);
    if (!e && (!at || !queue_event(s, at))) e = err_set(why, ERR_NOMEM, "out of memory");
    event_release(at);
    s->live = !e && !cursor && s->seen <= from;
    s->paging = false;
    pthread_mutex_unlock(&h->lock);
    if (e) {
        stream_close(s);
        MHD_destroy_response(response);
        return e;
    }
    *out = s;
    *out_response = response;
    return ERR_OK;
}

/* ---- the hub ---- */
enum err hub_new(struct work *work, int heartbeat_ms, const char *page, struct hub **out)
{
    struct hub *h = calloc(1, sizeof *h);
    if (!h) return ERR_NOMEM;
    pthread_mutex_init(&h->lock, NULL);
    h->work = work;
    h->page = page;
    h->heartbeat_ns = heartbeat_ms * NS_PER_MS;
    *out = h;
    return ERR_OK;
}

void hub_free(struct hub *h)
{
    if (!h) return;
    assert(h->open == 0);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

void hub_publish(struct hub *h, const struct alert *alerts, size_t n)
{
    int64_t now = mono_ns();
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < n; i++) {
        struct event *e = NULL;
        for (struct stream *s = h->buckets[alerts[i].tenant_id.b[15]]; s; s = s->next) {
            if (!uuid_equal(s->tenant, alerts[i].tenant_id)) continue;
            if (!e) e = event_new(h, &alerts[i]); /* once, however many read it */
            if (e) e->live_ns = alerts[i].event_ns;
            if (e) offer(s, e, now);
            else catch_up(s, alerts[i].stream_no, now); /* no memory: the table has it */
        }
        event_release(e);
    }
    pthread_mutex_unlock(&h->lock);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct key *)a)->id, ((const struct key *)b)->id);
}

static void check_keys(struct job *j, struct reader *db)
{
    struct hub *h = (struct hub *)((char *)j - offsetof(struct hub, key_check));
    pthread_mutex_lock(&h->lock);
    const size_t most = h->open; /* a stream that opens from now on has just shown its key */
    pthread_mutex_unlock(&h->lock);
    struct key *keys = calloc(most + 1, sizeof *keys);
    const char **ids = calloc(most + 1, sizeof *ids);
    bool *dead = calloc(most + 1, sizeof *dead);
    size_t n = 0;
    pthread_mutex_lock(&h->lock);
    for (int b = 0; b < BUCKETS; b++)
        for (struct stream *s = h->buckets[b]; keys && s && n < most; s = s->next)
            keys[n++] = s->key;
    pthread_mutex_unlock(&h->lock);
    if (n) qsort(keys, n, sizeof *keys, by_id);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_id(&keys[i], &keys[kept - 1]) != 0) keys[kept++] = keys[i];
    n = kept;
    for (size_t i = 0; ids && i < n; i++) ids[i] = keys[i].id;
    struct why why;
    if (ids && dead && n
        && reader_dead_keys(db, ids, n, dead, &why)
               == ERR_OK) { /* nothing can be revoked while the database is away */
        pthread_mutex_lock(&h->lock);
        for (int b = 0; b < BUCKETS; b++)
            for (struct stream *s = h->buckets[b]; s; s = s->next) {
                const struct key *k = bsearch(&s->key, keys, n, sizeof *keys, by_id);
                if (k && dead[k - keys]) end_stream(s);
            }
        pthread_mutex_unlock(&h->lock);
    }
    free(keys);
    free(ids);
    free(dead);
    pthread_mutex_lock(&h->lock);
    h->checking = false;
    pthread_mutex_unlock(&h->lock);
}

void hub_tick(struct hub *h, int64_t now)
{
    pthread_mutex_lock(&h->lock);
    for (int b = 0; b < BUCKETS; b++)
        for (struct stream *s = h->buckets[b]; s; s = s->next) {
            if (now - s->wrote_ns >= h->heartbeat_ns && !s->beat) {
                s->beat = true;
                wake(s);
            }
            if (s->len == 0) want_page(s, now);
        }
    if (h->open && !h->checking && !h->stopping && now - h->key_check_ns >= KEY_CHECK_NS) {
        h->key_check.run = check_keys;
        if (!work_push(h->work, &h->key_check)) {
            h->checking = true;
            h->key_check_ns = now;
        }
    }
    pthread_mutex_unlock(&h->lock);
}

void hub_stop(struct hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    for (int b = 0; b < BUCKETS; b++)
        for (struct stream *s = h->buckets[b]; s; s = s->next) end_stream(s);
    pthread_mutex_unlock(&h->lock);
}
