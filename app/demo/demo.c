/* demo.c - `tocsin demo`: a broker, a database, a market and the service in one process, for one machine without any set-up. */
#include "app/app.h"
#include "app/demo/feed.h"
#include "app/demo/private_pg.h"
#include "api/api.h"
#include "core/decimal.h"
#include "core/log.h"
#include "core/seal.h"
#include "core/when.h"
#include "ingest/kafka/embedded.h"
#include "store/api_login.h"
#include "store/keys.h"
#include "store/migrate.h"
#include "store/questions.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 3800, SEED = 2, SPEED = 500, SPEED_MAX = 50000, STALE_MS = 15000 };
#define TENANT "demo"
#define SERVICE "tocsin_service" /* whom the service logs in as: no superuser */

struct demo {
    char folder[PATH_SIZE];
    long port, speed;
    uint64_t seed;
    bool seed_given;
    int lock;
    int32_t last_day;
    struct private_pg *pg;
    struct embedded_broker *broker;
    struct feed *feed;
    struct config config;
    char conninfo[1024], key[KEY_TEXT_LEN + 1], seal_key[PATH_SIZE + 32];
    int listens_on;
    struct why why;
    atomic_bool broken;
};

const char demo_usage[] =
    "usage: tocsin demo [--port N] [--data DIR] [--seed N] [--speed N]\n\n"
    "  --port N    port of the page and the HTTP API on 127.0.0.1 (8080; 0: any free one)\n"
    "  --data DIR  where the database and the API key are kept ($XDG_DATA_HOME/tocsin-demo or ~/.local/share/tocsin-demo; as root /var/lib/tocsin-demo)\n"
    "  --seed N    another simulated market (2); a data folder keeps the one it was made with\n"
    "  --speed N   trades a second (500)\n";

/* ---- arguments ---- */
static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    if (text[0] < '0' || text[0] > '9') return false;
    *out = strtoull(text, &end, 10);
    return !*end && !errno && *out <= max;
}

static bool read_arguments(struct demo *d, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        uint64_t n = 0;
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value)
            fprintf(stderr, "tocsin demo: %s needs a value, or is no option; try --help\n",
                    argv[i]);
        else if (strcmp(argv[i], "--port") == 0 && read_number(value, 65535, &n)) {
            d->port = (long)n;
            continue;
        } else if (strcmp(argv[i], "--speed") == 0 && read_number(value, SPEED_MAX, &n) && n > 0) {
            d->speed = (long)n;
            continue;
        } else if (strcmp(argv[i], "--seed") == 0 && read_number(value, INT64_MAX, &n)) {
            d->seed = n;
            d->seed_given = true;
            continue;
        } else if (strcmp(argv[i], "--data") == 0 && value[0] && strlen(value) < PATH_SIZE / 2) {
            snprintf(d->folder, sizeof d->folder, "%s", value);
            continue;
        } else
            fprintf(stderr, "tocsin demo: %s %s is not understood; try --help\n", argv[i], value);
        return false;
    }
    return true;
}

/* ---- the data folder ---- */
static enum err choose_folder(struct demo *d)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (d->folder[0]) return ERR_OK;
    const size_t cap = sizeof d->folder;
    int n;
    if (geteuid() == 0) n = snprintf(d->folder, cap, "/var/lib/tocsin-demo");
    else if (data && data[0] == '/') n = snprintf(d->folder, cap, "%s/tocsin-demo", data);
    else if (home && home[0] == '/')
        n = snprintf(d->folder, cap, "%s/.local/share/tocsin-demo", home);
    else return err_set(&d->why, ERR_IO, "no HOME: say where the data go with --data DIR");
    return n < PATH_SIZE / 2 ? ERR_OK
                             : err_set(&d->why, ERR_IO,
                                       "HOME is very long: say where the data go with --data DIR");
}

/* PostgreSQL's own user must be able to pass through when we are root. */
static enum err make_folder(struct demo *d)
{
    mode_t mode = geteuid() == 0 ? 0755 : 0700, old = umask(022);
    enum err e = ERR_OK;
    for (char *p = d->folder + 1; !e; p++) {
        char c = *p;
        if (c != '/' && c != '\0') continue;
        *p = '\0';
        if (mkdir(d->folder, c ? 0755 : mode) && errno != EEXIST)
            e = err_set(&d->why, ERR_IO, "%s: %s; give another folder with --data", d->folder,
                        strerror(errno));
        *p = c;
        if (!c) break;
    }
    umask(old);
    char real[PATH_MAX];
    if (!e && (!realpath(d->folder, real) || strlen(real) >= sizeof d->folder))
        e = err_set(&d->why, ERR_IO, "%s: %s", d->folder, strerror(errno));
    if (!e) memcpy(d->folder, real, strlen(real) + 1);
    return e;
}

static void path_of(const struct demo *d, const char *file, char out[PATH_SIZE + 32])
{
    snprintf(out, PATH_SIZE + 32, "%s/%s", d->folder, file);
}

static enum err lock_folder(struct demo *d)
{
    char path[PATH_SIZE + 32];
    path_of(d, "lock", path);
    d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock < 0) return err_set(&d->why, ERR_IO, "%s: %s", path, strerror(errno));
    if (flock(d->lock, LOCK_EX | LOCK_NB) == 0) return ERR_OK;
    return err_set(
        &d->why, ERR_CONFLICT,
        "another demo is running with the data folder %s: end that one, or give another folder with --data",
        d->folder);
}

/* Small files of ours are replaced whole, so that a kill leaves the old one or the new one. */
static enum err write_file(struct demo *d, const char *file, const char *text)
{
    char path[PATH_SIZE + 32], fresh[PATH_SIZE + 40];
    path_of(d, file, path);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(text);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0 && close(fd)) ok = false;
    if (ok && rename(fresh, path) == 0) return ERR_OK;
    return err_set(&d->why, ERR_IO, "%s: %s", path, strerror(ok ? errno : error));
}

static bool read_file(const struct demo *d, const char *file, char *out, size_t cap)
{
    char path[PATH_SIZE + 32];
    path_of(d, file, path);
    FILE *f = fopen(path, "re");
    if (!f) return false;
    size_t n = fread(out, 1, cap - 1, f);
    fclose(f);
    out[n] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return n > 0;
}

/* Which market this folder holds: its seed, and the day its history ends. */
static enum err read_market(struct demo *d)
{
    char text[100];
    uint64_t seed;
    int32_t day;
    if (!read_file(d, "market", text, sizeof text)) {
        d->last_day = feed_last_weekday(day_of_ns(wall_ns()));
        snprintf(text, sizeof text, "seed %" PRIu64 " last_day %" PRId32 "\n", d->seed,
                 d->last_day);
        return write_file(d, "market", text);
    }
    if (sscanf(text, "seed %" SCNu64 " last_day %" SCNd32, &seed, &day) != 2
        || day < FEED_SESSIONS * 2)
        return err_set(&d->why, ERR_IO,
                       "%s/market is not readable; give another folder with --data", d->folder);
    if (d->seed_given && seed != d->seed)
        return err_set(&d->why, ERR_CONFLICT,
                       "%s holds the market of seed %" PRIu64
                       "; give another folder with --data for seed %" PRIu64,
                       d->folder, seed, d->seed);
    d->seed = seed;
    d->last_day = day;
    return ERR_OK;
}

/* ---- the port, looked at before anything takes time ---- */
static enum err check_port(struct demo *d)
{
    struct why why = { 0 };
    if (api_port_check("127.0.0.1", (int)d->port, &why) == ERR_OK) return ERR_OK;
    return err_set(&d->why, ERR_CONFLICT, "%s; give another one: --port %ld, or --port 0 for any",
                   why.text, d->port < 65535 ? d->port + 1 : 8080);
}

/* ---- the database ---- */
/* The superuser makes and migrates it; the service needs no more than this. */
static enum err open_database(struct demo *d)
{
    char admin[1024];
    struct db db;
    int applied;
    private_pg_conninfo(d->pg, NULL, "postgres", admin, sizeof admin);
    private_pg_conninfo(d->pg, NULL, "tocsin", d->conninfo, sizeof d->conninfo);
    enum err e = db_open(admin, NULL, "tocsin demo", &db, &d->why);
    if (!e) e = make_database(&db, "tocsin", &d->why);
    db_close(&db);
    if (!e) e = migrate_run(d->conninfo, &applied, &d->why);
    if (!e) e = api_login_make(d->conninfo, &d->why);
    if (!e) e = make_login(d->conninfo, SERVICE, &d->why);
    private_pg_conninfo(d->pg, SERVICE, "tocsin", d->conninfo, sizeof d->conninfo);
    return e;
}

static enum err make_key(struct demo *d)
{
    struct db db;
    struct uuid tenant;
    bool known = false;
    char text[KEY_TEXT_LEN + 16] = "";
    enum err e = db_open(d->conninfo, "tocsin_engine", "tocsin demo", &db, &d->why);
    if (e) return e;
    if (read_file(d, "api-key", text, sizeof text))
        e = keys_check(&db, text, strlen(text), &known, &d->why);
    if (!e && known) snprintf(d->key, sizeof d->key, "%.*s", KEY_TEXT_LEN, text);
    else if (!e) {
        e = keys_create(&db, TENANT, "made by tocsin demo", 0, d->key, &tenant, &d->why);
        snprintf(text, sizeof text, "%s\n", d->key);
        if (!e) e = write_file(d, "api-key", text);
    }
    db_close(&db);
    return e;
}

/* ---- the service and its market ---- */
static enum err make_broker(struct demo *d)
{
    /* One partition each: the embedded broker finds a fetch's place by walking its list of produced batches, and those of few
     * messages, as four partitions would have here, make it a list that takes a whole core. */
    static const char *const topics[] = { "reference", "ticks", "news", "facts" };
    enum err e = embedded_start(1, &d->broker, &d->why);
    for (size_t i = 0; i < ARRAY_LEN(topics) && !e; i++)
        e = embedded_topic(d->broker, topics[i], 1, &d->why);
    return e;
}

static bool set_text(char **field, const char *value)
{
    char *copy = strdup(value);
    if (!copy) return false;
    free(*field);
    *field = copy;
    return true;
}

/* Made once: the channels of this folder's database open with it alone. */
static enum err make_seal_key(struct demo *d)
{
    path_of(d, "secrets.key", d->seal_key);
    if (access(d->seal_key, F_OK) == 0) return ERR_OK;
    return seal_key_make(d->seal_key, false, &d->why);
}

/* How the index stands against its own past: said in the tiles of the page. */
static const char tracked[] =
    "percentile(hhi(" FEED_INDEX "), over=120d); highest_since(hhi(" FEED_INDEX ")); "
    "percentile(top_weight(" FEED_INDEX "), over=120d); highest_since(spread(" FEED_INDEX ")); "
    "drawdown(level(" FEED_INDEX "), over=120d); streak(level(" FEED_INDEX "))";

static enum err make_config(struct demo *d)
{
    AUTO_BUF struct buf errors = { 0 };
    struct config *c = &d->config;
    if (config_load(NULL, c, &errors))
        return err_set(&d->why, ERR_INVALID, "%s", errors.data ? errors.data : "out of memory");
    bool ok =
        set_text(&c->kafka_brokers, embedded_bootstrap(d->broker)) && set_text(&c->kafka_group, "")
        && set_text(&c->kafka_topics, "reference,ticks,news,facts")
        && set_text(&c->kafka_first, "reference") && set_text(&c->database_conninfo, d->conninfo)
        && set_text(&c->secrets_key_file, d->seal_key) && set_text(&c->api_bind, "127.0.0.1");
    size_t n = c->properties_n;
    assert(n < CONFIG_PROPERTIES_MAX); /* those of no file */
    if (ok) { /* the embedded broker answers an empty fetch only after this long */
        c->properties[n].name = strdup("fetch.wait.max.ms");
        c->properties[n].value = strdup("5");
        c->properties_n++;
        ok = c->properties[n].name && c->properties[n].value;
    }
    c->api_port = d->port;
    c->engine_clock_ms = 1000;
    if (!c->engine_track[0]) { /* what the user says instead is taken */
        free(c->engine_track);
        c->engine_track = strdup(tracked);
        ok = ok && c->engine_track;
    }
    const long quiet_ms = 20000l * SIMULATION_ISSUERS
                          / d->speed; /* between two trades of a small name, with room to spare */
    c->engine_stale_after_ms = quiet_ms > STALE_MS ? quiet_ms : STALE_MS;
    c->webhooks_allow_http = c->webhooks_allow_private = true;
    return ok ? ERR_OK : err_set(&d->why, ERR_NOMEM, "out of memory");
}

static void on_progress(void *ctx, int percent)
{
    const struct demo *d = ctx;
    if (percent == 0)
        printf("Writing a year of history of %d simulated companies (seed %" PRIu64 ") ...\n",
               SIMULATION_ISSUERS, d->seed);
    else if (isatty(STDOUT_FILENO)) printf("\r  %d %%%s", percent, percent == 100 ? "\n" : "");
    else if (percent % 25 == 0) printf("  %d %%\n", percent);
    fflush(stdout);
}

/* The rule that the demo offers its user. */
#define OFFERED "hhi(" FEED_INDEX ")"

static void on_live(void *ctx, const struct feed_start *s)
{
    const struct demo *d = ctx;
    const double hhi = isfinite(s->watched) ? s->watched : s->hhi;
    const double below = floor(hhi * 0.99 * 10) / 10;
    char price[DECIMAL_TEXT_MAX];
    decimal_format(s->price_e8, price);
    printf(
        "\nTocsin is running. The market is simulated (seed %" PRIu64
        ", %ld trades a second), everything else is real.\n\n"
        "  Page   http://127.0.0.1:%d/#key=%s\n"
        "  Key    %s\n"
        "  SQL    %s/psql \"%s\"\n\n"
        "Concentration, " OFFERED ", is %.1f. A rule that fires at once:\n\n"
        "  curl -s http://127.0.0.1:%d/v1/rules -H 'Authorization: Bearer %s' \\\n"
        "       -H 'Content-Type: application/json' -d '{\"name\":\"Concentration\",\"rule\":\"" OFFERED
        " >= %.1f\"}'\n\n"
        "One that fires each time the market swings that way: last(%s) >= %s\n"
        "Alerts as they fire:\n\n"
        "  curl -sN http://127.0.0.1:%d/v1/stream -H 'Authorization: Bearer %s'\n\n"
        "Ctrl-C stops everything. The data stay in %s.\n\n",
        d->seed, d->speed, d->listens_on, d->key, d->key, private_pg_programs(d->pg), d->conninfo,
        hhi, d->listens_on, d->key, below, s->stock->symbol.s, price, d->listens_on, d->key,
        d->folder);
    fflush(stdout);
}

static void on_failed(void *ctx)
{
    struct demo *d = ctx;
    atomic_store(&d->broken, true);
    service_stop();
}

static void on_listening(void *ctx, int port)
{
    struct demo *d = ctx;
    d->listens_on = port;
    const struct feed_config cfg = { .brokers = embedded_bootstrap(d->broker),
                                     .watched = OFFERED,
                                     .conninfo = d->conninfo,
                                     .tenant = TENANT,
                                     .seed = d->seed,
                                     .last_day = d->last_day,
                                     .ticks_per_s = d->speed,
                                     .progress = on_progress,
                                     .live = on_live,
                                     .failed = on_failed,
                                     .ctx = d };
    if (feed_open(&cfg, &d->feed, &d->why) == ERR_OK) return;
    log_error("cannot start the demo's market", "detail", d->why.text);
    on_failed(d);
}

/* ---- from start to end ---- */
/* What needs root is done: the service, which listens and decodes what others send, runs without. Before the broker: the signal by
 * which all threads change their user would interrupt its poll, and it takes that for its end. */
static enum err give_up_root(struct demo *d)
{
    static const char *const files[] = { "", "lock", "market", "api-key", "secrets.key", "pg.log" };
    return private_pg_become_user(d->pg, d->folder, files, ARRAY_LEN(files), &d->why);
}

static enum err prepare(struct demo *d)
{
    enum err e = choose_folder(d);
    if (!e) e = make_folder(d);
    if (!e) e = lock_folder(d);
    if (!e) e = check_port(d);
    if (!e) e = read_market(d);
    if (e) return e;
    printf("Starting PostgreSQL in %s ...\n", d->folder);
    fflush(stdout);
    e = private_pg_open(d->folder, &d->pg, &d->why);
    if (!e) e = open_database(d);
    if (!e) e = make_key(d);
    if (!e) e = make_seal_key(d);
    if (!e) e = give_up_root(d);
    if (!e) e = make_broker(d);
    if (!e) e = make_config(d);
    return !e && interrupted_within(0) ? ERR_STOPPING : e;
}

/* The market first: it asks the service's database and speaks to the broker. Then the broker, whose clients are all gone, then PostgreSQL. */
static void end(struct demo *d)
{
    feed_close(d->feed);
    embedded_stop(d->broker);
    private_pg_close(d->pg);
    config_release(&d->config);
    if (d->lock >= 0) close(d->lock);
}

int cmd_demo(int argc, char **argv)
{
    struct demo d = { .port = 8080, .seed = SEED, .speed = SPEED, .lock = -1 };
    if (!read_arguments(&d, argc, argv)) return EXIT_WRONG_USAGE;

    sigset_t set; /* before any thread: they inherit it. Waiting looks for the two itself */
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (!getenv("TOCSIN_LOG_LEVEL")) log_level_set(LOG_WARN);

    enum err e = prepare(&d);
    int code = EXIT_FINE;
    if (e && e != ERR_STOPPING) {
        fprintf(stderr, "tocsin demo: %s\n", d.why.text);
        code = e == ERR_INVALID ? EXIT_CONFIG : EXIT_UNAVAILABLE;
    } else if (!e) code = service_run(&d.config, NULL, on_listening, &d);
    if (atomic_load(&d.broken)) code = EXIT_BROKEN;
    end(&d);
    if (code == EXIT_FINE) printf("Stopped.\n");
    return code;
}
