/* replay.c - `tocsin replay`: a CSV of prices into Kafka as official closes, a session end behind each date. */
#include "app/app.h"
#include "app/import/prices.h"
#include "core/when.h"
#include "ingest/kafka/partitions.h"
#include "ingest/kafka/producer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FLUSH_MS = 60000, ASK_MS = 15000 };

const char replay_usage[] =
    "usage: tocsin replay -c FILE --prices CSV [--speed max|N] [--topic T] [--from DATE] [--to DATE] [--any-order] [options of how the file is written]\n\n"
    "  --prices CSV         columns date, close, and symbol or Name, by header; sorted by date; - reads standard input\n"
    "  --speed N            records a second (max)\n"
    "  --topic T            the topic to send to (ticks); one partition, so that each session's closes stay before its end\n"
    "  --from, --to         only these dates, both included\n"
    "  --any-order          send to a topic of several partitions all the same: a session may then end before its last closes are read\n\n"
#define DIALECT(option, value, set, help) help
#include "app/import/dialect.def"
#undef DIALECT
    ;

struct replay {
    const char *config, *prices, *topic;
    double per_s; /* 0: as fast as it goes */
    bool any_order;
    struct price_options options;
    struct dialect dialect;
};

/* The option's value when argv[*i] is it; moves *i on. */
static const char *value_of(int argc, char **argv, int *i, const char *name)
{
    return strcmp(argv[*i], name) == 0 && *i + 1 < argc ? argv[++*i] : NULL;
}

static bool read_speed(const char *text, double *out)
{
    char *end;
    errno = 0;
    if (strcmp(text, "max") == 0) {
        *out = 0;
        return true;
    }
    long n = strtol(text, &end, 10);
    *out = (double)n;
    return end != text && !*end && !errno && n > 0;
}

static bool read_argument(struct replay *r, int argc, char **argv, int *i)
{
    const char *name = argv[*i], *v;
    struct why why = { 0 };
    enum err e = dialect_option(&r->dialect, argc, argv, i, &why);
    bool fine = true;
    if (e == ERR_OK) return true;
    if (e == ERR_INVALID) {
        fprintf(stderr, "tocsin replay: %s\n", why.text);
        return false;
    }
    if ((v = value_of(argc, argv, i, "-c"))) r->config = v;
    else if ((v = value_of(argc, argv, i, "--prices"))) r->prices = v;
    else if ((v = value_of(argc, argv, i, "--topic"))) r->topic = v;
    else if ((v = value_of(argc, argv, i, "--speed"))) fine = read_speed(v, &r->per_s);
    else if ((v = value_of(argc, argv, i, "--from")))
        fine = date_parse(v, strlen(v), &r->options.from, NULL) == ERR_OK;
    else if ((v = value_of(argc, argv, i, "--to")))
        fine = date_parse(v, strlen(v), &r->options.to, NULL) == ERR_OK;
    else if (strcmp(name, "--any-order") == 0) r->any_order = true;
    else fine = false;
    if (!fine)
        fprintf(stderr, "tocsin replay: %s%s%s is not understood; try --help\n", name, v ? " " : "",
                v ? v : "");
    return fine;
}

static bool read_arguments(struct replay *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!read_argument(r, argc, argv, &i)) return false;
    const bool fine = !dialect_conflicts(&r->dialect);
    if (fine && r->config && r->prices) return true;
    fprintf(stderr, "tocsin replay: %s; try --help\n",
            !fine       ? "--thousands and --decimal are the same character"
            : r->config ? "--prices CSV is missing"
                        : "-c FILE is missing");
    return false;
}

/* ---- sending ---- */
struct sending {
    const struct replay *r;
    struct producer *producer;
    struct buf message;
    int64_t began_ns, sent;
};

static void hold_back(struct sending *s)
{
    if (s->r->per_s <= 0) return;
    const int64_t due = s->began_ns + (int64_t)((double)s->sent / s->r->per_s * 1e9);
    const struct timespec t = { due / NS_PER_S, due % NS_PER_S };
    if (due > mono_ns()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static enum err send(struct sending *s, const char *key, struct why *why)
{
    hold_back(s);
    s->sent++;
    if (!buf_ok(&s->message)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = producer_send(s->producer, s->r->topic, key, strlen(key), s->message.data,
                               s->message.len, 0, why);
    buf_clear(&s->message);
    return e;
}

static enum err send_all(struct sending *s, const struct price_file *f, struct why *why)
{
    enum err e = ERR_OK;
    s->began_ns = mono_ns();
    for (size_t i = 0; i < f->n && !e; i++) {
        prices_close_message(f, i, &s->message);
        e = send(s, f->rows[i].symbol.s, why);
        if (e || !prices_ends_day(f, i)) continue;
        prices_clock_message(f, i, &s->message);
        e = send(s, "clock", why);
    }
    return e ? e : producer_flush(s->producer, FLUSH_MS, why);
}

static enum err run(const struct replay *r, const struct config *c, const struct price_file *f,
                    struct why *why)
{
    struct kafka_property properties[CONFIG_PROPERTIES_MAX];
    for (size_t i = 0; i < c->properties_n; i++)
        properties[i] = (struct kafka_property){ c->properties[i].name, c->properties[i].value };
    const struct producer_config cfg = { .brokers = c->kafka_brokers,
                                         .properties = properties,
                                         .properties_n = c->properties_n };
    struct sending s = { .r = r };
    int partitions = 0;
    enum err e = topic_partitions(c->kafka_brokers, properties, c->properties_n, r->topic, ASK_MS,
                                  &partitions, why);
    if (!e && partitions > 1 && !r->any_order)
        e = err_set(
            why, ERR_INVALID,
            "topic %s has %d partitions, so a session could end before its closes are read: use a topic of one (--topic), or --any-order",
            r->topic, partitions);
    if (!e) e = producer_open(&cfg, &s.producer, why);
    if (!e) e = send_all(&s, f, why);
    if (!e) {
        const double took = (double)(mono_ns() - s.began_ns) / 1e9;
        printf(
            "%zu closes of %zu sessions sent to %s, %lld messages delivered, %zu rows without a close left out, in %.1f s\n",
            f->n, f->days, r->topic, (long long)producer_counts(s.producer).delivered, f->skipped,
            took);
    }
    if (!e) prices_print_rounding(f, &r->dialect);
    producer_close(s.producer);
    buf_release(&s.message);
    return e;
}

int cmd_replay(int argc, char **argv)
{
    struct replay r = { .topic = "ticks",
                        .dialect = dialect_plain,
                        .options = { .from = NO_DAY, .to = NO_DAY } };
    r.options.dialect = &r.dialect;
    if (!read_arguments(&r, argc, argv)) return EXIT_WRONG_USAGE;
    struct config c;
    int code = load_config(r.config, &c);
    if (code) {
        config_release(&c);
        return code;
    }
    struct why why = { 0 };
    struct problems problems = { 0 };
    struct price_file f = { 0 };
    enum err e = prices_load(r.prices, &r.options, &f, &problems, &why);
    problems_print(&problems);
    if (e) {
        if (!problems.count) fprintf(stderr, "tocsin replay: %s\n", why.text);
        code = EXIT_BAD_DATA;
    } else if ((e = run(&r, &c, &f, &why))) {
        fprintf(stderr, "tocsin replay: %s\n", why.text);
        code = e == ERR_INVALID || e == ERR_NOT_FOUND ? EXIT_WRONG_USAGE
               : e == ERR_KAFKA                       ? EXIT_UNAVAILABLE
                                                      : EXIT_BROKEN;
    }
    prices_release(&f);
    buf_release(&problems.text);
    config_release(&c);
    return code;
}
