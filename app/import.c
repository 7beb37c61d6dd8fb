/* import.c - `tocsin import`: reference data and prices from CSV straight into the database, through the same step and the same
 * write batches as live. Everything is checked, applied and laid out in memory before the first row is written. */
#include "app/app.h"
#include "app/prices.h"
#include "app/recover.h"
#include "core/decimal.h"
#include "core/log.h"
#include "core/map.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/formats/json.h"
#include "ingest/symbol.h"
#include "store/questions.h"
#include "store/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH_RECORDS = 50000, BATCH_SESSIONS = 50, INDEXES_MAX = 64, COMMIT_TRIES = 20 };

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

/* ---- the reference file ---- */
enum { SYMBOL, NAME, ISSUER, SECTOR, SHARES, FLOAT, INDEX, BASE, COLUMNS };
static const struct csv_column columns[COLUMNS] = {
    [SYMBOL] = { "symbol", true },  [NAME] = { "name", false },     [ISSUER] = { "issuer", false },
    [SECTOR] = { "sector", false }, [SHARES] = { "shares", false }, [FLOAT] = { "float", false },
    [INDEX] = { "index", false },   [BASE] = { "base", false },
};

struct message {
    size_t from, n;
    long line;
}; /* into `text` */

struct reference {
    const char *name;
    struct buf text;
    struct message *messages;
    size_t n, cap, rows;
    int64_t ts;
    struct symbol *symbols; /* of its rows: what prices may name beside what is stored */
    size_t symbols_n, symbols_cap;
    struct map by_symbol;
    struct str *issuers; /* said already; they point into the file */
    size_t issuers_n, issuers_cap;
    struct map by_issuer;
    struct {
        char name[NAME_MAX_BYTES + 1];
        char base[32];
    } indexes[INDEXES_MAX];
    size_t indexes_n;
    struct problems *problems;
};

static bool same_symbol(const void *ctx, uint32_t v, const void *key)
{
    return memcmp(((const struct symbol *)ctx)[v].s, key, SYMBOL_MAX + 1) == 0;
}
static bool has_symbol(const struct reference *r, const struct symbol *s)
{
    return map_find(&r->by_symbol, map_hash(s->s, sizeof s->s), same_symbol, r->symbols, s->s)
           != MAP_NONE;
}

static bool keep_symbol(struct reference *r, const struct symbol *s)
{
    if (!VEC_GROW(&r->symbols, &r->symbols_cap, r->symbols_n + 1)) return false;
    r->symbols[r->symbols_n] = *s;
    return map_add(&r->by_symbol, map_hash(s->s, sizeof s->s), (uint32_t)r->symbols_n++);
}

static bool same_issuer(const void *ctx, uint32_t v, const void *key)
{
    const struct str *a = &((const struct str *)ctx)[v], *b = key;
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The first row of an issuer says its name and sector. False: out of memory. */
static bool is_first(struct reference *r, struct str issuer, bool *first)
{
    uint64_t hash = map_hash(issuer.p, issuer.n);
    *first = map_find(&r->by_issuer, hash, same_issuer, r->issuers, &issuer) == MAP_NONE;
    if (!*first) return true;
    if (!VEC_GROW(&r->issuers, &r->issuers_cap, r->issuers_n + 1)) return false;
    r->issuers[r->issuers_n] = issuer;
    return map_add(&r->by_issuer, hash, (uint32_t)r->issuers_n++);
}

static void put_string(struct buf *b, const char *key, struct str s)
{
    if (s.n == 0) return;
    buf_printf(b, ",\"%s\":", key);
    buf_json_string(b, s.p, s.n);
}

/* Ends the message that began at `from`; the decoder has the last word on it. */
static bool finish(struct reference *r, size_t from, long line, struct arena *arena)
{
    struct record record;
    struct why why;
    buf_printf(&r->text, ",\"ts\":%" PRId64 "}", r->ts);
    if (!buf_ok(&r->text) || !VEC_GROW(&r->messages, &r->cap, r->n + 1)) return false;
    arena_clear(arena);
    enum err e = record_decode(r->text.data + from, r->text.len - from, arena, &record, &why);
    if (e == ERR_NOMEM) return false;
    if (e) problem_add(r->problems, "%s:%ld: %s", r->name, line, why.text);
    r->messages[r->n++] = (struct message){ from, r->text.len - from, line };
    return true;
}

static bool put_index(struct reference *r, struct str name, struct str base, long line,
                      struct arena *arena)
{
    size_t i = 0, from = r->text.len;
    if (name.n > NAME_MAX_BYTES || base.n >= sizeof r->indexes[0].base) {
        problem_add(r->problems, "%s:%ld: index or base is too long", r->name, line);
        return true;
    }
    while (i < r->indexes_n
           && !(strlen(r->indexes[i].name) == name.n
                && memcmp(r->indexes[i].name, name.p, name.n) == 0))
        i++;
    if (i < r->indexes_n) { /* named before: its base may be left out, not changed */
        if (base.n
            && !(strlen(r->indexes[i].base) == base.n
                 && memcmp(r->indexes[i].base, base.p, base.n) == 0))
            problem_add(r->problems, "%s:%ld: index %s was given another base before", r->name,
                        line, r->indexes[i].name);
        return true;
    }
    if (i == INDEXES_MAX) {
        problem_add(r->problems, "%s:%ld: more than %d indexes", r->name, line, INDEXES_MAX);
        return true;
    }
    memcpy(r->indexes[i].name, name.p, name.n);
    memcpy(r->indexes[i].base, base.p, base.n);
    r->indexes_n++;
    buf_puts(&r->text, "{\"kind\":\"index\"");
    put_string(&r->text, "index", name);
    put_string(&r->text, "base", base);
    return finish(r, from, line, arena);
}

static bool put_memberships(struct reference *r, const struct str *f, long line,
                            struct arena *arena)
{
    for (const char *p = f[INDEX].p, *end = p + f[INDEX].n; p < end;) {
        const char *bar = memchr(p, '|', (size_t)(end - p)), *to = bar ? bar : end;
        const struct str name = { p, (uint32_t)(to - p) };
        p = bar ? bar + 1 : end;
        if (name.n == 0 || (bar && p == end)) {
            problem_add(r->problems, "%s:%ld: an index name between | is empty", r->name, line);
            return true;
        }
        if (!put_index(r, name, f[BASE], line, arena)) return false;
        size_t from = r->text.len;
        buf_puts(&r->text, "{\"kind\":\"membership\"");
        put_string(&r->text, "index", name);
        put_string(&r->text, "symbol", f[SYMBOL]);
        if (!finish(r, from, line, arena)) return false;
    }
    return true;
}

static bool put_shares(struct reference *r, const struct str *f, long line, struct arena *arena)
{
    size_t from = r->text.len;
    for (uint32_t i = 0; i < f[SHARES].n; i++)
        if (f[SHARES].p[i] < '0' || f[SHARES].p[i] > '9' || f[SHARES].n > 13
            || (f[SHARES].p[0] == '0')) {
            problem_add(r->problems, "%s:%ld: shares must be a whole number above 0", r->name,
                        line);
            return true;
        }
    if (f[SHARES].n == 0) {
        if (f[FLOAT].n) problem_add(r->problems, "%s:%ld: float without shares", r->name, line);
        return true;
    }
    buf_puts(&r->text, "{\"kind\":\"shares\"");
    put_string(&r->text, "symbol", f[SYMBOL]);
    buf_printf(&r->text, ",\"shares\":%.*s", (int)f[SHARES].n, f[SHARES].p);
    put_string(&r->text, "float", f[FLOAT]);
    return finish(r, from, line, arena);
}

/* False only when out of memory; what is wrong with the row is a problem. */
static bool put_row(struct reference *r, const struct str *f, long line, struct arena *arena)
{
    struct symbol s;
    const struct str issuer = f[ISSUER].n ? f[ISSUER] : f[SYMBOL];
    if (symbol_from(f[SYMBOL].p, f[SYMBOL].n, &s)) {
        problem_add(r->problems,
                    "%s:%ld: symbol needs 1 to %d characters of A-Z a-z 0-9 . - _ / :", r->name,
                    line, SYMBOL_MAX);
        return true;
    }
    if (has_symbol(r, &s)) {
        problem_add(r->problems, "%s:%ld: symbol %s has a row already", r->name, line, s.s);
        return true;
    }
    bool first;
    if (!keep_symbol(r, &s) || !is_first(r, issuer, &first)) return false;
    r->rows++;
    size_t from = r->text.len;
    if (first) {
        buf_puts(&r->text, "{\"kind\":\"issuer\"");
        put_string(&r->text, "issuer", issuer);
        put_string(&r->text, "name", f[NAME]);
        put_string(&r->text, "sector", f[SECTOR]);
        if (!finish(r, from, line, arena)) return false;
    }
    from = r->text.len;
    buf_puts(&r->text, "{\"kind\":\"instrument\"");
    put_string(&r->text, "symbol", f[SYMBOL]);
    put_string(&r->text, "issuer", issuer);
    put_string(&r->text, "name", f[NAME]);
    return finish(r, from, line, arena) && put_shares(r, f, line, arena)
           && put_memberships(r, f, line, arena);
}

static enum err reference_load(const char *path, struct reference *r, struct why *why)
{
    struct csv c;
    struct arena arena = { 0 };
    enum err e = csv_open(path, columns, COLUMNS, &c, why);
    if (e == ERR_INVALID) problem_add(r->problems, "%s", why->text);
    if (e) return e;
    r->name = c.name;
    for (bool more = true; more && !e;) {
        struct str f[COLUMNS];
        if (csv_next(&c, f, &more, why)) problem_add(r->problems, "%s", why->text);
        else if (more && !put_row(r, f, c.line, &arena))
            e = err_set(why, ERR_NOMEM, "%s: out of memory", path);
    }
    csv_release(&c);
    arena_release(&arena);
    return e;
}

static void reference_release(struct reference *r)
{
    buf_release(&r->text);
    free(r->messages);
    free(r->symbols);
    map_release(&r->by_symbol);
    free(r->issuers);
    map_release(&r->by_issuer);
}

/* ---- the step's sink: into the newest of a row of write batches ---- */
struct layout {
    struct step step;
    struct write_batch **batches;
    size_t n, cap;
    struct arena arena;
    size_t records,
        sessions; /* sessions: ended in the newest batch, which takes readings of few days only */
};

static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    struct layout *l = ctx;
    write_row(l->batches[l->n - 1], type, row);
}

static enum err next_batch(struct layout *l, struct why *why)
{
    if (l->n && write_batch_rows(l->batches[l->n - 1]) < BATCH_RECORDS
        && l->sessions < BATCH_SESSIONS)
        return ERR_OK;
    if (l->n && !write_batch_ok(l->batches[l->n - 1]))
        return err_set(why, ERR_NOMEM, "out of memory");
    if (!VEC_GROW(&l->batches, &l->cap, l->n + 1)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = write_batch_new(&l->batches[l->n]);
    if (e) return err_set(why, e, "out of memory");
    l->n++;
    l->sessions = 0;
    return ERR_OK;
}

/* ERR_NOMEM, or what the engine has against the message: then nothing has been written yet, and nothing will be. */
static enum err apply(struct layout *l, const char *p, size_t n, struct why *why)
{
    struct record r;
    arena_clear(&l->arena);
    enum err e = next_batch(l, why);
    if (!e) e = record_decode(p, n, &l->arena, &r, why);
    if (e) return e;
    r.received_ms = wall_ns() / NS_PER_MS;
    if (r.event_ns / NS_PER_MS > r.received_ms + NS_PER_DAY / NS_PER_MS)
        return err_set(why, ERR_INVALID, "is in the future: event time only goes forward");
    e = step_apply(&l->step, &r, why);
    l->records += !e;
    l->sessions += !e && r.kind == RECORD_CLOCK;
    return e;
}

static enum err apply_reference(struct layout *l, const struct reference *r,
                                struct problems *problems, struct why *why)
{
    for (size_t i = 0; i < r->n; i++) {
        enum err e = apply(l, r->text.data + r->messages[i].from, r->messages[i].n, why);
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
        enum err e = buf_ok(&text) ? apply(l, text.data, text.len, why) : ERR_NOMEM;
        if (e && e != ERR_NOMEM)
            problem_add(problems, "%s:%" PRId64 ": %s", f->name, f->rows[i].line, why->text);
        if (e == ERR_NOMEM) return err_set(why, e, "out of memory");
        if (!prices_ends_day(f, i)) continue;
        buf_clear(&text);
        prices_clock_message(f, i, &text);
        e = buf_ok(&text) ? apply(l, text.data, text.len, why) : ERR_NOMEM;
        if (e) return e;
    }
    return ERR_OK;
}

/* ---- into the database ---- */
static enum err commit_one(struct writer *w, const struct write_batch *b, struct why *why)
{
    int64_t owed;
    enum err e = writer_commit(w, b, &owed, why);
    for (int i = 0; e && i < COMMIT_TRIES; i++) {
        bool committed = false;
        if (e == ERR_FENCED || e == ERR_NOMEM || (e == ERR_DB && !db_retryable(why))) return e;
        nanosleep(&(struct timespec){ 0, 500000000 }, NULL);
        e = writer_recover(w, b, &committed, why);
        if (!e && committed) return ERR_OK;
        if (!e) e = writer_commit(w, b, &owed, why);
    }
    return e;
}

static enum err commit_all(struct layout *l, struct writer *w, struct why *why)
{
    AUTO_BUF struct buf state = { 0 };
    if (l->n == 0) return ERR_OK;
    step_save(&l->step, &state);
    if (!buf_ok(&state)) return err_set(why, ERR_NOMEM, "out of memory");
    write_snapshot(l->batches[l->n - 1], engine_seq(l->step.engine), STEP_STATE_VERSION, state.data,
                   state.len);
    for (size_t i = 0; i < l->n; i++)
        if (!write_batch_ok(l->batches[i])) return err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < l->n; i++) {
        enum err e = commit_one(w, l->batches[i], why);
        if (e) return e;
        write_batch_free(l->batches[i]);
        l->batches[i] = NULL;
    }
    return ERR_OK;
}

static void layout_release(struct layout *l)
{
    for (size_t i = 0; i < l->n; i++) write_batch_free(l->batches[i]);
    free(l->batches);
    arena_release(&l->arena);
    step_release(&l->step);
}

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
    if (!e) step_hear(&l->step, &(struct step_sink){ .ctx = l, .row = on_row });
    return e;
}

static enum err import(const struct arguments *a, const struct config *c, struct problems *problems,
                       struct why *why)
{
    struct price_file prices = { 0 };
    struct reference reference = { .problems = problems,
                                   .ts = a->as_of == NO_DAY ? 0 : a->as_of * NS_PER_DAY };
    struct layout l = { 0 };
    struct writer *w = NULL;
    enum err e = ERR_OK;
    if (a->prices
        && (e = prices_load(a->prices, &a->options, &prices, problems, why)) == ERR_INVALID)
        e = ERR_OK;
    if (!e && a->reference && (e = reference_load(a->reference, &reference, why)) == ERR_INVALID)
        e = ERR_OK; /* both files' problems in one go */
    if (!e && problems->count) e = ERR_INVALID;
    if (!e) e = nothing_in_the_way(c, &prices, why);
    if (!e) e = begin(c, &l, &w, why);
    if (!e && a->reference && a->as_of == NO_DAY
        && engine_now_ns(l.step.engine) > 0) { /* said again, as known now */
        struct reference again = { .problems = problems, .ts = engine_now_ns(l.step.engine) };
        reference_release(&reference);
        reference = again;
        e = reference_load(a->reference, &reference, why);
    }
    if (!e) e = apply_reference(&l, &reference, problems, why);
    if (!e) e = apply_prices(&l, &prices, problems, why);
    if (!e && problems->count) e = ERR_INVALID;
    if (!e) e = commit_all(&l, w, why);
    if (!e)
        printf(
            "%zu records: %zu reference rows, %zu closes of %zu sessions, %zu rows without a close left out; the order stands at %" PRIu64
            "\n",
            l.records, reference.rows, prices.n, prices.days, prices.skipped,
            engine_seq(l.step.engine));
    writer_close(w);
    layout_release(&l);
    reference_release(&reference);
    prices_release(&prices);
    return e;
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
        enum err e = import(&a, &c, &problems, &why);
        problems_print(&problems);
        if (problems.count) fprintf(stderr, "tocsin import: nothing was written\n");
        else if (e) fprintf(stderr, "tocsin import: %s\n", why.text[0] ? why.text : err_text(e));
        code = !e                              ? EXIT_FINE
               : problems.count || e == ERR_IO ? EXIT_BAD_DATA
               : e == ERR_DB_LOST              ? EXIT_UNAVAILABLE
                                               : EXIT_BROKEN;
        buf_release(&problems.text);
    }
    config_release(&c);
    return code;
}
