/* verify.c - `tocsin verify`: what is stored, through the same step as live, and everything the step says against the rows that
 * were stored when it said it.
 *
 * An example. tocsin.event holds record 43, a clock; tocsin.reading two rows with seq 43. The replay applies record 43, and
 * the step says its event row and two reading rows. When record 44 begins they are sorted and compared with the next event and
 * the next two readings as they are stored: 7 + 8 + 8 values. Had somebody changed a coverage, the output would be
 *     seq 43: reading.coverage: stored 0.5, now 1
 * and the exit code 1. A record that is missing shows at once: "stored nothing before seq 45, now a record". */
#include "app/app.h"
#include "app/checkpoint.h"
#include "app/recover.h"
#include "app/said.h"
#include "core/when.h"
#include "store/compact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct verify {
    struct step *step;
    struct db *db;
    const struct history *history;
    struct said said;
    int64_t from_ns;   /* INT64_MIN: the first record */
    uint64_t last_seq; /* as stored */
    int64_t records;
};

/* By a wrong symbol the replay would not get to the end: it is looked at at once. */
static void look_at_symbol(struct verify *v, const struct instrument_row *row)
{
    const char *stored =
        history_symbol(v->history, row->instrument_id, engine_seq(v->step->engine));
    if (strcmp(stored, row->symbol) != 0)
        said_differ(&v->said, engine_seq(v->step->engine), "instrument.symbol", stored,
                    row->symbol);
}

static void verify_row(void *ctx, const struct row_type *type, const void *row)
{
    struct verify *v = ctx;
    if (type == &instrument_row) look_at_symbol(v, row);
    said_row(&v->said, type, row);
}

static void look_at_seq(struct verify *v, uint64_t seq)
{
    char next[48];
    if (seq > v->last_seq + 1) {
        snprintf(next, sizeof next, "nothing before seq %" PRIu64, seq);
        said_differ(&v->said, v->last_seq + 1, "tick or event", next, "a record");
    }
    if (seq <= v->last_seq) said_differ(&v->said, seq, "tick or event", "a second record", "one");
    else v->last_seq = seq;
    v->said.values++;
}

/* The order is dense: each record's seq is one more than the last one's. */
static bool verify_each(void *ctx, struct record *r)
{
    struct verify *v = ctx;
    said_settle(&v->said);
    look_at_seq(v, r->seq);
    v->records++;
    return v->said.err == ERR_OK;
}

static void verify_shard(struct verify *v)
{
    uint64_t stands = 0;
    char stored[24], now[24];
    struct said *s = &v->said;
    enum err e = s->err ? s->err : history_last_seq(v->db, &stands, &s->why);
    if (e && e != ERR_CONFLICT) s->err = e;
    if (s->err) return;
    s->values++;
    snprintf(stored, sizeof stored, "%" PRIu64, stands);
    snprintf(now, sizeof now, "%" PRIu64, v->last_seq);
    if (e || stands != v->last_seq)
        said_differ(s, v->last_seq, "shard.last_seq", e ? "nothing" : stored, now);
}

/* Copies by instrument are said by nobody, and read by whoever asks for a symbol. */
static void differing_copy(void *ctx, uint64_t seq, const char *what, const char *stored,
                           const char *now)
{
    said_differ(ctx, seq, what, stored, now);
}

static void verify_copies(struct verify *v, uint64_t after)
{
    struct said *s = &v->said;
    if (!s->err) s->err = compact_look(v->db, after, differing_copy, s, &s->why);
}

static void tell_beginning(const struct verify *v, const struct beginning *b)
{
    char text[WHEN_TEXT_MAX];
    when_format(b->event_ns, text);
    if (b->seq)
        printf("from the checkpoint after record %" PRIu64 ", %s%s\n", b->seq, text,
               v->from_ns == INT64_MIN ? ": the records before it are no longer all there" : "");
    else if (v->from_ns != INT64_MIN)
        printf("from the first record: there is no checkpoint before that time\n");
    if (b->retained.readings > b->seq)
        printf("readings of records up to %" PRIu64
               " are no longer all there, and are not compared\n",
               b->retained.readings);
}

static enum err verify_all(struct verify *v, struct why *why)
{
    struct history *h = NULL;
    struct beginning begin;
    enum err e = checkpoint_begin(v->db, v->step, v->from_ns, &begin, why);
    if (!e) tell_beginning(v, &begin);
    v->last_seq = begin.seq;
    if (!e) e = history_open(v->db, begin.seq, UINT64_MAX, &h, why);
    v->history = h;
    if (!e) e = said_open(&v->said, v->db, begin.seq, begin.retained.readings, why);
    if (!e)
        e = replay_stored(h, v->step,
                          &(struct replay){ .rules = true, .each = verify_each, .ctx = v }, why);
    said_settle(&v->said);
    if (!e) { /* of a replay that broke off nothing can be missing */
        said_end(&v->said, v->db, v->last_seq);
        verify_shard(v);
        verify_copies(v, begin.seq);
    }
    if (!e && v->said.err) {
        e = v->said.err;
        *why = v->said.why;
    }
    history_close(h);
    return e;
}

static void print_result(const struct verify *v)
{
    const struct said *s = &v->said;
    printf("%" PRId64 " records, %" PRId64 " readings, %" PRId64 " alerts, %" PRId64
           " article scores: %" PRId64 " values compared, %" PRId64 " differing values\n",
           v->records, s->tables[TABLE_reading_row].compared, s->tables[TABLE_alert_row].compared,
           s->tables[TABLE_article_score_row].compared, s->values, s->differing);
    if (s->earlier)
        printf(
            "%" PRId64
            " readings are of earlier versions of their measures: their values were not compared\n",
            s->earlier);
}

const char verify_usage[] =
    "usage: tocsin verify -c FILE [--from TIME]\n\n"
    "  --from TIME    begins at the newest checkpoint not later than that, and says at which; TIME is RFC 3339 or a date\n";

/* false: not understood, and said so. */
static bool take_options(int argc, char **argv, const char **config, int64_t *from_ns)
{
    struct why why = { 0 };
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *v = argv[i + 1];
        if (strcmp(argv[i], "-c") == 0) *config = v;
        else if (strcmp(argv[i], "--from") != 0 || when_parse(v, strlen(v), from_ns, &why)) {
            if (why.text[0]) fprintf(stderr, "tocsin verify: --from %s: %s\n", v, why.text);
            else fputs(verify_usage, stderr);
            return false;
        }
    }
    if (*config && argc % 2) return true;
    fputs(verify_usage, stderr);
    return false;
}

int cmd_verify(int argc, char **argv)
{
    struct config c;
    struct why why = { 0 };
    struct db d = { 0 };
    struct step s = { 0 };
    struct verify v = { .step = &s, .db = &d, .from_ns = INT64_MIN };
    const char *config = NULL;
    if (!take_options(argc, argv, &config, &v.from_ns)) return EXIT_WRONG_USAGE;
    int code = load_config(config, &c);
    if (code) {
        config_release(&c);
        return code;
    }
    enum err e = step_init(&s);
    s.piecewise = true; /* what was stored of a burst is what is compared */
    if (!e) e = db_open(c.database_conninfo, "tocsin_engine", "tocsin verify", &d, &why);
    step_hear(&s, &(struct step_sink){ .ctx = &v, .row = verify_row });
    if (!e) e = verify_all(&v, &why);
    if (e) fprintf(stderr, "tocsin: %s\n", why.text);
    else print_result(&v);
    code = e                  ? (e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN)
           : v.said.differing ? EXIT_DIFFERENT
                              : EXIT_FINE;
    said_close(&v.said);
    db_close(&d);
    step_release(&s);
    config_release(&c);
    return code;
}
