#include "app/demo/feed.h"

#include "core/buf.h"
#include "core/decimal.h"
#include "core/log.h"
#include "core/when.h"
#include "ingest/kafka/producer.h"
#include "store/history.h"
#include "store/questions.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKLOG_MAX = 20000, /* messages under way on one topic: about 2 MB of the 5 the broker keeps */
    LOOK_EVERY = 2000,
    LOOK_MS = 20,
    BEAT_MS = 10,
    NEWS_SESSIONS = 15,
    NEWS_A_SESSION = 6,
    NEWS_EVERY_MS = 4000,
    LIVE_BEFORE_WORD_MS = 3000,
};
#define SECONDS_A_SESSION                                                                          \
    390.0 /* live time is compressed: six and a half minutes are a session's worth of movement */
#define REFERENCE "reference"
#define TICKS "ticks"
#define NEWS "news"

struct feed {
    struct feed_config cfg;
    struct simulation *sim;
    struct producer *producer;
    struct db db;
    struct buf message;
    atomic_bool stopping;
    pthread_t thread;
    bool history;
    int64_t made, skip,
        total; /* messages of history: made so far, stored by earlier runs, all there are */
    int64_t sent_reference, sent_ticks;
    int64_t base_reference, base_ticks; /* positions before this run's first message */
    uint64_t run; /* last_seq when this run began: makes article ids its own */
    int64_t articles;
    int percent;
    int64_t failed_seen;
};

/* ---- waiting ---- */
static bool stopping(const struct feed *f) { return atomic_load(&f->stopping); }

/* Waits until at most `most` of the messages sent on the topic are not committed. ERR_STOPPING when told to end meanwhile. */
static enum err wait_for_backlog(struct feed *f, const char *topic, int64_t sent, int64_t base,
                                 int64_t most, struct why *why)
{
    for (;;) {
        int64_t at;
        if (stopping(f)) return ERR_STOPPING;
        enum err e = ask_topic_position(&f->db, topic, &at, why);
        if (e == ERR_DB_LOST) e = db_reopen(&f->db, why);
        else if (!e && sent - (at - base) <= most) return ERR_OK;
        if (e && e != ERR_DB_LOST) return e;
        if (producer_flush(f->producer, 0, NULL)) {} /* its verdict comes with the next message */
        usleep(LOOK_MS * 1000);
    }
}

/* ---- sending ---- */
static enum err send(struct feed *f, const char *topic, const char *key, struct why *why)
{
    if (!buf_ok(&f->message)) return err_set(why, ERR_NOMEM, "out of memory");
    return producer_send(f->producer, topic, key, strlen(key), f->message.data, f->message.len, 0,
                         why);
}

/* On `reference`, where everything goes whose order counts. */
static enum err send_ordered(struct feed *f, const char *key, struct why *why)
{
    if (f->history && f->made++ < f->skip) return ERR_OK;
    enum err e = send(f, REFERENCE, key, why);
    if (e || ++f->sent_reference % LOOK_EVERY) return e;
    int percent = (int)(100 * f->made / (f->total ? f->total : 1));
    if (f->history && percent != f->percent && f->cfg.progress)
        f->cfg.progress(f->cfg.ctx, f->percent = percent);
    return wait_for_backlog(f, REFERENCE, f->sent_reference, f->base_reference, BACKLOG_MAX, why);
}

#define SAY(f, ...) (buf_clear(&(f)->message), buf_printf(&(f)->message, __VA_ARGS__))

static enum err send_close(struct feed *f, size_t i, int32_t day, int64_t ts, struct why *why)
{
    char price[DECIMAL_TEXT_MAX], date[DATE_TEXT_MAX];
    const char *symbol = simulation_stock(f->sim, i)->symbol.s;
    decimal_format(simulation_price_e8(f->sim, i), price);
    date_format(day, date);
    SAY(f,
        "{\"kind\":\"close\",\"symbol\":\"%s\",\"price\":\"%s\",\"date\":\"%s\",\"ts\":%" PRId64
        "}",
        symbol, price, date, ts);
    return send_ordered(f, symbol, why);
}

static enum err send_session(struct feed *f, int32_t day, int64_t ts, struct why *why)
{
    size_t n = simulation_stocks(f->sim);
    char date[DATE_TEXT_MAX];
    enum err e = ERR_OK;
    for (size_t i = 0; i < n && !e; i++) e = send_close(f, i, day, ts + (int64_t)i, why);
    if (e) return e;
    date_format(day, date);
    SAY(f, "{\"kind\":\"clock\",\"ts\":%" PRId64 ",\"session_end\":\"%s\"}", ts + (int64_t)n, date);
    return send_ordered(f, "clock", why);
}

static void say_article(struct feed *f, const struct sim_article *a, const char *id, int64_t ts)
{
    buf_clear(&f->message);
    buf_printf(&f->message, "{\"kind\":\"article\",\"id\":\"%s\",\"headline\":", id);
    buf_json_string(&f->message, a->headline, strlen(a->headline));
    buf_printf(&f->message, ",\"source\":\"%s\",\"symbols\":[", a->source);
    for (uint32_t i = 0; i < a->symbols_n; i++)
        buf_printf(&f->message, "%s\"%s\"", i ? "," : "", a->symbols[i].s);
    buf_printf(&f->message, "],\"ts\":%" PRId64 "}", ts);
}

/* ---- history ---- */
static void say_issuer(struct feed *f, const struct sim_stock *k, int64_t ts)
{
    SAY(f,
        "{\"kind\":\"issuer\",\"issuer\":\"%s\",\"name\":\"%s\",\"sector\":\"%s\",\"ts\":%" PRId64
        "}",
        k->issuer, k->name, k->sector, ts);
}

static void say_instrument(struct feed *f, const struct sim_stock *k, int64_t ts)
{
    SAY(f,
        "{\"kind\":\"instrument\",\"symbol\":\"%s\",\"issuer\":\"%s\",\"name\":\"%s\",\"ts\":%" PRId64
        "}",
        k->symbol.s, k->issuer, k->title, ts);
}

static void say_shares(struct feed *f, const struct sim_stock *k, int64_t ts)
{
    char part[DECIMAL_TEXT_MAX];
    decimal_format(k->float_e8, part);
    SAY(f,
        "{\"kind\":\"shares\",\"symbol\":\"%s\",\"shares\":%" PRId64
        ",\"float\":\"%s\",\"ts\":%" PRId64 "}",
        k->symbol.s, k->shares, part, ts);
}

static void say_membership(struct feed *f, const struct sim_stock *k, int64_t ts)
{
    SAY(f,
        "{\"kind\":\"membership\",\"index\":\"" FEED_INDEX "\",\"symbol\":\"%s\",\"ts\":%" PRId64
        "}",
        k->symbol.s, ts);
}

static void say_exposure(struct feed *f, const struct sim_stock *k, int32_t day, int64_t ts)
{
    char part[DECIMAL_TEXT_MAX], date[DATE_TEXT_MAX];
    decimal_format(k->exposure_e8, part);
    date_format(day, date);
    SAY(f,
        "{\"kind\":\"exposure\",\"issuer\":\"%s\",\"theme\":\"AI\",\"value\":\"%s\",\"source\":\"simulation\",\"effective_from\":\"%s\",\"ts\":%" PRId64
        "}",
        k->issuer, part, date, ts);
}

static enum err send_stock(struct feed *f, const struct sim_stock *k, int32_t day, int64_t ts,
                           struct why *why)
{
    enum err e = ERR_OK;
    if (k->first_line) {
        say_issuer(f, k, ts);
        e = send_ordered(f, k->issuer, why);
    }
    if (e) return e;
    say_instrument(f, k, ts);
    if ((e = send_ordered(f, k->symbol.s, why)) != ERR_OK) return e;
    say_shares(f, k, ts);
    if ((e = send_ordered(f, k->symbol.s, why)) != ERR_OK) return e;
    say_membership(f, k, ts);
    e = send_ordered(f, k->symbol.s, why);
    if (e || !k->first_line || k->exposure_e8 == 0) return e;
    say_exposure(f, k, day, ts);
    return send_ordered(f, k->issuer, why);
}

/* A book of ten names for the tenant, so that its own measures have something to say. */
static enum err send_book(struct feed *f, int64_t ts, struct why *why)
{
    char tenant[UUID_TEXT];
    struct uuid id;
    enum err e = ask_tenant(&f->db, f->cfg.tenant, &id, why);
    if (e) return e;
    uuid_format(id, tenant);
    for (size_t i = 0; i < 10 && !e; i++) {
        const struct sim_stock *k = simulation_stock(f->sim, i);
        SAY(f,
            "{\"kind\":\"position\",\"tenant\":\"%s\",\"book\":\"growth\",\"symbol\":\"%s\",\"quantity\":%d,\"ts\":%" PRId64
            "}",
            tenant, k->symbol.s, 1000 * (int)(i + 1), ts);
        e = send_ordered(f, k->symbol.s, why);
    }
    return e;
}

static enum err send_reference(struct feed *f, int32_t day, struct why *why)
{
    int64_t ts = day * NS_PER_DAY + NS_PER_DAY / 2;
    SAY(f,
        "{\"kind\":\"index\",\"index\":\"" FEED_INDEX
        "\",\"name\":\"Demo 500\",\"base\":1000,\"ts\":%" PRId64 "}",
        ts);
    enum err e = send_ordered(f, FEED_INDEX, why);
    for (size_t i = 0; i < simulation_stocks(f->sim) && !e; i++)
        e = send_stock(f, simulation_stock(f->sim, i), day, ts, why);
    return e ? e : send_book(f, ts, why);
}

static enum err send_old_news(struct feed *f, int32_t day, struct why *why)
{
    enum err e = ERR_OK;
    for (int i = 0; i < NEWS_A_SESSION && !e; i++) {
        struct sim_article a;
        char id[40];
        simulation_article(f->sim, &a);
        snprintf(id, sizeof id, "demo-%d-%d", day, i);
        say_article(f, &a, id, day * NS_PER_DAY + (14 + i) * 3600 * NS_PER_S);
        e = send_ordered(f, a.symbols[0].s, why);
    }
    return e;
}

int32_t feed_last_weekday(int32_t today)
{
    do today--;
    while (weekday_of_day(today) > 4);
    return today;
}

static enum err send_history(struct feed *f, struct why *why)
{
    int32_t days[FEED_SESSIONS], day = f->cfg.last_day + 1;
    for (int i = FEED_SESSIONS; i-- > 0;) days[i] = day = feed_last_weekday(day);
    enum err e = send_reference(f, feed_last_weekday(days[0]), why);
    for (int i = 0; i < FEED_SESSIONS && !e; i++) {
        if (i) simulation_session(f->sim);
        if (i >= FEED_SESSIONS - NEWS_SESSIONS) e = send_old_news(f, days[i], why);
        if (!e) e = send_session(f, days[i], days[i] * NS_PER_DAY + 21 * 3600 * NS_PER_S, why);
    }
    return e;
}

/* A dry run of the same messages says how many there are. */
static enum err count_history(struct feed *f, struct why *why)
{
    f->skip = INT64_MAX;
    f->made = 0;
    f->history = true;
    enum err e = send_history(f, why);
    f->total = f->made;
    simulation_free(f->sim);
    f->sim = NULL;
    return e ? e : simulation_new(f->cfg.seed, &f->sim);
}

static enum err do_history(struct feed *f, struct why *why)
{
    enum err e = count_history(f, why);
    if (e) return e;
    f->made = 0;
    f->skip = f->base_reference;
    bool whole = f->skip >= f->total;
    if (!whole && f->cfg.progress) f->cfg.progress(f->cfg.ctx, f->percent);
    e = send_history(f, why);
    f->history = false;
    if (e || whole) return e;
    e = wait_for_backlog(f, REFERENCE, f->sent_reference, f->base_reference, 0, why);
    if (!e && f->cfg.progress && f->percent != 100) f->cfg.progress(f->cfg.ctx, 100);
    return e;
}

/* ---- going on from where an earlier run stopped ---- */
static void take_price(void *ctx, const char *symbol, int64_t price_e8)
{
    struct feed *f = ctx;
    for (size_t i = 0; i < simulation_stocks(f->sim); i++)
        if (strcmp(simulation_stock(f->sim, i)->symbol.s, symbol) == 0)
            simulation_set_price(f->sim, i, price_e8);
}

/* The last price of every instrument, looking back further until all are found. *traded: the day of the last trade, or NO_DAY. */
static enum err load_prices(struct feed *f, int32_t *traded, struct why *why)
{
    *traded = NO_DAY;
    for (uint64_t window = 500000;; window *= 16) {
        const uint64_t after = f->run > window ? f->run - window : 0;
        size_t n;
        int64_t traded_ns;
        enum err e = ask_last_prices(&f->db, after, take_price, f, &n, &traded_ns, why);
        if (e) return e;
        if (n < simulation_stocks(f->sim) && after > 0) continue;
        if (traded_ns >= 0) *traded = day_of_ns(traded_ns);
        return ERR_OK;
    }
}

/* Closes `day` at the prices as they are, and waits until that is stored: a trade of a later day must not overtake it. */
static enum err end_session(struct feed *f, int32_t day, struct why *why)
{
    int64_t last = (day + (int64_t)1) * NS_PER_DAY - 1;
    enum err e = send_session(f, day, last - (int64_t)simulation_stocks(f->sim), why);
    return e ? e : wait_for_backlog(f, REFERENCE, f->sent_reference, f->base_reference, 0, why);
}

/* ---- live ---- */
static enum err send_tick(struct feed *f, double dt, struct why *why)
{
    struct sim_tick t = simulation_tick(f->sim, dt);
    char price[DECIMAL_TEXT_MAX], size[DECIMAL_TEXT_MAX];
    const char *symbol = simulation_stock(f->sim, t.stock)->symbol.s;
    decimal_format(t.price_e8, price);
    decimal_format(t.size_e8, size);
    SAY(f, "{\"kind\":\"trade\",\"symbol\":\"%s\",\"price\":\"%s\",\"size\":%s,\"ts\":%" PRId64 "}",
        symbol, price, size, wall_ns());
    f->sent_ticks++;
    return send(f, TICKS, symbol, why);
}

static enum err send_news(struct feed *f, struct why *why)
{
    struct sim_article a;
    char id[60];
    simulation_article(f->sim, &a);
    snprintf(id, sizeof id, "demo-%" PRIu64 "-%" PRId64, f->run, ++f->articles);
    say_article(f, &a, id, wall_ns());
    return send(f, NEWS, a.symbols[0].s, why);
}

static void say_live(struct feed *f)
{
    size_t i = simulation_most_volatile(f->sim);
    struct feed_start s = { .watched = NAN,
                            .hhi = simulation_hhi(f->sim),
                            .stock = simulation_stock(f->sim, i),
                            .price_e8 = simulation_price_e8(f->sim, i) };
    const int64_t since = wall_ns() - 60 * NS_PER_S;
    if (ask_newest_value(&f->db, f->cfg.watched, since, &s.watched, NULL)) s.watched = NAN;
    if (f->cfg.live) f->cfg.live(f->cfg.ctx, &s);
}

static void look_at_failures(struct feed *f)
{
    if (producer_flush(f->producer, 0, NULL)) {}
    int64_t failed = producer_counts(f->producer).failed;
    if (failed > f->failed_seen) log_warn("demo messages not delivered", "count", LOG_I64(failed));
    f->failed_seen = failed;
}

struct live {
    int64_t began, last, news_due, look_due; /* mono_ns */
    int32_t today;
    double owed; /* trades that should have been sent by now */
    bool told;
};

/* How much time passed counts for at most a second: the machine slept, or the database did, and that is not made up for. */
static void pass_time(struct feed *f, struct live *l, int64_t now)
{
    const double passed = (double)(now - l->last) / 1e9;
    l->owed += (passed > 1 ? 1 : passed) * (double)f->cfg.ticks_per_s;
    l->last = now;
}

static enum err pass_midnight(struct feed *f, struct live *l, struct why *why)
{
    const int32_t day = day_of_ns(wall_ns()), ended = l->today;
    if (day <= ended) return ERR_OK;
    l->today = day;
    return end_session(f, ended, why);
}

static enum err send_owed(struct feed *f, struct live *l, struct why *why)
{
    enum err e = ERR_OK;
    for (; l->owed >= 1 && !e; l->owed -= 1)
        e = send_tick(f, 1 / (double)f->cfg.ticks_per_s / SECONDS_A_SESSION, why);
    return e;
}

/* Irregular, between a half and one and a half of the interval, and the same each run. */
static enum err send_due_news(struct feed *f, struct live *l, int64_t now, struct why *why)
{
    if (now < l->news_due) return ERR_OK;
    enum err e = send_news(f, why);
    const double wave = 0.5 + 0.5 * sin((double)f->articles * 1.7);
    l->news_due =
        now + NEWS_EVERY_MS / 2 * NS_PER_MS + (int64_t)((double)NEWS_EVERY_MS * NS_PER_MS * wave);
    return e;
}

static enum err look_around(struct feed *f, struct live *l, int64_t now, struct why *why)
{
    if (now < l->look_due) return ERR_OK;
    l->look_due = now + NS_PER_S;
    look_at_failures(f);
    return wait_for_backlog(f, TICKS, f->sent_ticks, f->base_ticks,
                            BACKLOG_MAX + f->cfg.ticks_per_s, why);
}

static enum err live_beat(struct feed *f, struct live *l, struct why *why)
{
    const int64_t now = mono_ns();
    pass_time(f, l, now);
    enum err e = pass_midnight(f, l, why);
    if (!e) e = send_owed(f, l, why);
    if (!e) e = send_due_news(f, l, now, why);
    if (!e) e = look_around(f, l, now, why);
    if (e || l->told || now - l->began <= LIVE_BEFORE_WORD_MS * NS_PER_MS) return e;
    say_live(f);
    l->told = true;
    return ERR_OK;
}

static enum err go_live(struct feed *f, struct why *why)
{
    const int64_t now = mono_ns();
    struct live l = { .began = now,
                      .last = now,
                      .news_due = now + NEWS_EVERY_MS * NS_PER_MS / 2,
                      .look_due = now,
                      .today = day_of_ns(wall_ns()) };
    enum err e = ERR_OK;
    simulation_open(f->sim);
    while (!e && !stopping(f)) {
        usleep(BEAT_MS * 1000);
        e = live_beat(f, &l, why);
    }
    return e;
}

static enum err run(struct feed *f, struct why *why)
{
    int32_t traded;
    enum err e = do_history(f, why);
    if (!e) e = load_prices(f, &traded, why);
    if (!e) simulation_reseed(f->sim, f->cfg.seed ^ f->run * 0x9e3779b97f4a7c15u);
    if (!e && traded != NO_DAY && traded < day_of_ns(wall_ns()))
        e = end_session(f, traded, why); /* the demo was stopped before midnight */
    return e ? e : go_live(f, why);
}

static void *feed_main(void *arg)
{
    struct feed *f = arg;
    struct why why = { 0 };
    enum err e = run(f, &why);
    if (!e || e == ERR_STOPPING || stopping(f)) return NULL;
    log_error("the demo's market has stopped", "reason", err_name(e), "detail", why.text);
    if (f->cfg.failed) f->cfg.failed(f->cfg.ctx);
    return NULL;
}

/* ---- opening and closing ---- */
static void release(struct feed *f)
{
    producer_close(f->producer);
    db_close(&f->db);
    simulation_free(f->sim);
    buf_release(&f->message);
    free(f);
}

static enum err begin(struct feed *f, struct why *why)
{
    const struct producer_config cfg = { .brokers = f->cfg.brokers };
    enum err e = simulation_new(f->cfg.seed, &f->sim);
    if (!e) e = db_open(f->cfg.conninfo, "tocsin_engine", "tocsin demo feed", &f->db, why);
    if (!e) e = ask_topic_position(&f->db, REFERENCE, &f->base_reference, why);
    if (!e) e = ask_topic_position(&f->db, TICKS, &f->base_ticks, why);
    if (!e) e = history_last_seq(&f->db, &f->run, why);
    if (!e) e = producer_open(&cfg, &f->producer, why);
    return e;
}

enum err feed_open(const struct feed_config *cfg, struct feed **out, struct why *why)
{
    struct feed *f = calloc(1, sizeof *f);
    if (!f) return err_set(why, ERR_NOMEM, "out of memory");
    f->cfg = *cfg;
    enum err e = begin(f, why);
    if (!e && pthread_create(&f->thread, NULL, feed_main, f))
        e = err_set(why, ERR_NOMEM, "cannot start a thread");
    if (e) release(f);
    else *out = f;
    return e;
}

void feed_close(struct feed *f)
{
    if (!f) return;
    atomic_store(&f->stopping, true);
    pthread_join(f->thread, NULL);
    release(f);
}
