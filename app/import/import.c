/* import.c - `tocsin import`: reference data and prices from CSV straight into the database, through the same step and the same
 * write batches as live. Everything is checked, applied and laid out in memory before the first row is written. */
#include "app/app.h"
#include "app/import/layout.h"
#include "app/import/prices.h"
#include "app/import/reference.h"
#include "app/recover.h"
#include "core/when.h"
#include "store/questions.h"
#include "store/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char import_usage[] =
    "usage: tocsin import -c FILE [--reference CSV] [--prices CSV] [--as-of DATE] [--skip-empty]\n\n"
    "  --reference CSV  columns by header: symbol, and if wanted name, issuer (default: the symbol), sector, shares, float, index (several with |\n"
    "                   between), base; makes issuer, instrument, shares, index and membership records\n"
    "  --prices CSV     columns date, close, and symbol or Name; sorted by date; official closes and a session end behind each date\n"
    "  --as-of DATE     when the reference data were known (default: the time the stored records stand at, so that time does not move)\n"
    "  --skip-empty     leave price rows without a close out instead of refusing the file\n\n"
    "Nothing is written unless every row of both files is right. The service must not be running.\n";

struct arguments {
    const char *config, *reference, *prices;
    int32_t as_of;
    struct price_options options;
};

static bool read_arguments(struct arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(name, "--skip-empty") == 0) {
            a->options.skip_empty = true;
            continue;
        }
        i++;
        if (v && strcmp(name, "-c") == 0) a->config = v;
        else if (v && strcmp(name, "--reference") == 0) a->reference = v;
        else if (v && strcmp(name, "--prices") == 0) a->prices = v;
        else if (v && strcmp(name, "--as-of") == 0
                 && date_parse(v, strlen(v), &a->as_of, NULL) == ERR_OK && a->as_of >= 0)
            continue;
        else {
            fprintf(stderr, "tocsin import: %s%s%s is not understood; try --help\n", name,
                    v ? " " : "", v ? v : "");
            return false;
        }
    }
    if (!a->config) fprintf(stderr, "tocsin import: -c FILE is missing; try --help\n");
    else if (!a->reference && !a->prices)
        fprintf(stderr, "tocsin import: give --reference CSV, --prices CSV or both; try --help\n");
    else return true;
    return false;
}

static enum err apply_reference(struct layout *l, const struct reference *r,
                                struct problems *problems, struct why *why)
{
    for (size_t i = 0; i < r->n; i++) {
        enum err e = layout_apply(l, r->text.data + r->messages[i].from, r->messages[i].n, why);
        if (e == ERR_NOMEM) return e;
        if (e) problem_add(problems, "%s:%ld: %s", r->name, r->messages[i].line, why->text);
    }
    return ERR_OK;
}

static enum err apply_prices(struct layout *l, const struct price_file *f,
                             struct problems *problems, struct why *why)
{
    AUTO_BUF struct buf text = { 0 };
    for (size_t i = 0; i < f->n; i++) {
        buf_clear(&text);
        prices_close_message(f, i, &text);
        enum err e = buf_ok(&text) ? layout_apply(l, text.data, text.len, why) : ERR_NOMEM;
        if (e && e != ERR_NOMEM)
            problem_add(problems, "%s:%" PRId64 ": %s", f->name, f->rows[i].line, why->text);
        if (e == ERR_NOMEM) return err_set(why, e, "out of memory");
        if (!prices_ends_day(f, i)) continue;
        buf_clear(&text);
        prices_clock_message(f, i, &text);
        e = buf_ok(&text) ? layout_apply(l, text.data, text.len, why) : ERR_NOMEM;
        if (e) return e;
    }
    return ERR_OK;
}

/* ---- taking the database ---- */
/* The backend of a service's writer. One that has just ended may still be seen for a moment. */
static enum err running_writer(struct db *d, char backend[BACKEND_TEXT], struct why *why)
{
    for (int tries = 0; tries < 10; tries++) {
        if (tries) nanosleep(&(struct timespec){ 0, 200000000 }, NULL);
        enum err e = ask_writer(d, backend, why);
        if (e) return e;
        if (!backend[0]) break;
    }
    return ERR_OK;
}

/* Both are found before the shard is taken, which would end a service that runs. */
static enum err nothing_in_the_way(const struct config *c, const struct price_file *prices,
                                   struct why *why)
{
    struct db d;
    char backend[BACKEND_TEXT] = "", date[DATE_TEXT_MAX];
    bool later = false;
    enum err e = db_open(c->database_conninfo, "tocsin_engine", "tocsin import", &d, why);
    if (!e) e = running_writer(&d, backend, why);
    if (!e && backend[0])
        e = err_set(
            why, ERR_CONFLICT,
            "a service is running on this database (backend %s): stop it first, or send the prices through Kafka with tocsin replay",
            backend);
    if (!e && prices->n) {
        date_format(prices->rows[0].day, date);
        e = ask_close_since(&d, prices->rows[0].day, &later, why);
        if (!e && later)
            e = err_set(
                why, ERR_CONFLICT,
                "%s: closes of %s or later are stored already, and time only goes forward: import only the sessions after them",
                prices->name, date);
    }
    db_close(&d);
    return e;
}

/* Takes the shard and the state it stands at. The sink is set only then: recovering is silent. */
static enum err begin(const struct config *c, struct layout *l, struct writer **w, struct why *why)
{
    uint64_t last_seq = 0;
    enum err e = step_init(&l->step);
    if (!e) e = writer_open(c->database_conninfo, w, &last_seq, why);
    if (!e) e = recover_state(c->database_conninfo, &l->step, why);
    if (!e && engine_seq(l->step.engine) != last_seq)
        e = err_set(why, ERR_DB,
                    "the order stands at %" PRIu64 ", the stored records end at %" PRIu64, last_seq,
                    engine_seq(l->step.engine));
    if (!e) layout_hear(l);
    return e;
}

struct import {
    const struct arguments *a;
    const struct config *c;
    struct problems *problems;
    struct price_file prices;
    struct reference reference;
    struct layout layout;
    struct writer *writer;
};

/* Both files' problems in one go. */
static enum err read_files(struct import *m, struct why *why)
{
    const struct arguments *a = m->a;
    enum err e = ERR_OK;
    m->reference = (struct reference){ .problems = m->problems,
                                       .ts = a->as_of == NO_DAY ? 0 : a->as_of * NS_PER_DAY };
    if (a->prices) e = prices_load(a->prices, &a->options, &m->prices, m->problems, why);
    if (e && e != ERR_INVALID) return e;
    e = a->reference ? reference_load(a->reference, &m->reference, why) : ERR_OK;
    if (e && e != ERR_INVALID) return e;
    return m->problems->count ? ERR_INVALID : ERR_OK;
}

/* Without --as-of the reference is as known now: read again with that time, which no longer is 1970. */
static enum err date_reference(struct import *m, struct why *why)
{
    const int64_t now = engine_now_ns(m->layout.step.engine);
    if (!m->a->reference || m->a->as_of != NO_DAY || now <= 0) return ERR_OK;
    reference_release(&m->reference);
    m->reference = (struct reference){ .problems = m->problems, .ts = now };
    return reference_load(m->a->reference, &m->reference, why);
}

static enum err apply_files(struct import *m, struct why *why)
{
    enum err e = apply_reference(&m->layout, &m->reference, m->problems, why);
    if (!e) e = apply_prices(&m->layout, &m->prices, m->problems, why);
    return !e && m->problems->count ? ERR_INVALID : e;
}

static void print_summary(const struct import *m)
{
    printf(
        "%zu records: %zu reference rows, %zu closes of %zu sessions, %zu rows without a close left out; the order stands at %" PRIu64
        "\n",
        m->layout.records, m->reference.rows, m->prices.n, m->prices.days, m->prices.skipped,
        engine_seq(m->layout.step.engine));
}

static enum err import(struct import *m, struct why *why)
{
    enum err e = read_files(m, why);
    if (!e) e = nothing_in_the_way(m->c, &m->prices, why);
    if (!e) e = begin(m->c, &m->layout, &m->writer, why);
    if (!e) e = date_reference(m, why);
    if (!e) e = apply_files(m, why);
    if (!e) e = layout_commit(&m->layout, m->writer, why);
    if (!e) print_summary(m);
    writer_close(m->writer);
    layout_release(&m->layout);
    reference_release(&m->reference);
    prices_release(&m->prices);
    return e;
}

static int exit_code(enum err e, const struct problems *problems)
{
    if (!e) return EXIT_FINE;
    if (problems->count || e == ERR_IO) return EXIT_BAD_DATA;
    return e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
}

int cmd_import(int argc, char **argv)
{
    struct arguments a = { .as_of = NO_DAY, .options = { .from = NO_DAY, .to = NO_DAY } };
    if (!read_arguments(&a, argc, argv)) return EXIT_WRONG_USAGE;
    struct config c;
    int code = load_config(a.config, &c);
    if (!code) {
        struct problems problems = { 0 };
        struct why why = { 0 };
        enum err e = import(&(struct import){ .a = &a, .c = &c, .problems = &problems }, &why);
        problems_print(&problems);
        if (problems.count) fprintf(stderr, "tocsin import: nothing was written\n");
        else if (e) fprintf(stderr, "tocsin import: %s\n", why.text[0] ? why.text : err_text(e));
        code = exit_code(e, &problems);
        buf_release(&problems.text);
    }
    config_release(&c);
    return code;
}
