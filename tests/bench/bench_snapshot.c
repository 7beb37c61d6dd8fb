/* bench_snapshot.c - a large state as a snapshot: bytes, how long the engine stands, the write, and the restart from it.
 *
 *   bench_snapshot [rules [instruments [years]]]    default 1000000 5000 25; TOCSIN_TEST_DATABASE is the server, without which
 *                                                   there is nothing to do: snapshot.py starts one
 *
 * Rules are on prices, 2 % of an instrument's at each step of its price, in an order in which neighbours in memory are of any
 * instrument; closes are one a session and instrument, and two indices have a level each. A round is a day: each price moves over
 * the levels of two of its rules in 200, so 1 % of all rules change state; then the session ends, and each instrument has one
 * close more. Each round's snapshot is written, and a process of its own starts from it. Verdict: what it starts from is what was
 * saved, to the byte. */
#include "analytics/market.h"
#include "app/recover.h"
#include "app/step.h"
#include "bench.h"
#include "core/arena.h"
#include "core/map.h"
#include "core/vec.h"
#include "core/when.h"
#include "store/migrate.h"
#include "store/pg.h"
#include "store/snapshots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS = 5, INDEX_MEMBERS = 500, INDICES = 2, LEVELS = 200 };
static const int32_t FIRST_DAY = 10000; /* 1997-05-19, and each day is a session */

static struct step step;
static struct arena arena;
static uint64_t said;
static int rules_n, instruments_n, years;

static void hear(void *ctx, const struct row_type *type, const void *row)
{
    (void)ctx;
    (void)row;
    said += type == &alert_row;
}

PRINTF_LIKE(1, 2) static void apply(const char *format, ...)
{
    struct why why = { 0 };
    va_list args;
    arena_clear(&arena);
    va_start(args, format);
    struct record r = record_said(&arena, format, args);
    va_end(args);
    must(step_apply(&step, &r, &why), &why);
}

/* ---- the state ---- */
static int day_text(char out[11], int32_t day)
{
    const struct civil c = civil_from_day(day);
    return snprintf(out, 11, "%04d-%02d-%02d", c.year, c.month, c.day);
}

#define AT "\"ts\":100000000000000000" /* before there are sessions */
static void make_market(void)
{
    struct why why = { 0 };
    const struct market_settings settings = { .coverage_gate_e8 = 95000000,
                                              .meaning = MEANING_NOW };
    struct record r = step_settings(&step, &settings);
    must(step_apply(&step, &r, &why), &why);
    for (int k = 0; k < INDICES; k++)
        apply("{\"kind\":\"index\",\"index\":\"IX%d\",\"base\":1000," AT "}", k);
    for (int i = 0; i < instruments_n; i++) {
        apply("{\"kind\":\"instrument\",\"symbol\":\"S%05d\",\"issuer\":\"S%05d\"," AT "}", i, i);
        apply("{\"kind\":\"shares\",\"symbol\":\"S%05d\",\"shares\":%d," AT "}", i, 1000 + i);
        if (i < INDICES * INDEX_MEMBERS)
            apply("{\"kind\":\"membership\",\"index\":\"IX%d\",\"symbol\":\"S%05d\"," AT "}",
                  i % INDICES, i);
    }
}

/* As sessions would leave them. */
static void make_history(void)
{
    struct market *m = engine_market(step.engine);
    for (int32_t d = 0; d < years * SESSIONS_A_YEAR; d++) {
        for (int i = 0; i < instruments_n; i++) {
            struct instrument *x = &m->instruments[i];
            const int64_t price_e8 = 10000000000 + (d * 7919 + i * 104729) % 100000 * 10000;

            if (market_add_close(m, x, FIRST_DAY + d, price_e8)) abort();
        }
        for (int k = 0; k < INDICES; k++) {
            struct universe *u = &m->universes[k];
            if (!VEC_GROW(&u->days, &u->days_cap, u->days_n + 1)) abort();
            u->days[u->days_n++] =
                (struct level_day){ .day = FIRST_DAY + d, .level = 1000 + d * 0.25 };
        }
    }
}

static uint32_t scattered(uint32_t i) { return (uint32_t)(map_hash(&i, sizeof i) >> 20); }

/* Threshold 100 + k/10 for k below LEVELS: a price that moves by 0.20 passes two of an instrument's. */
static void make_rule(int number)
{
    char text[200];
    struct record made;
    struct rule_draft draft;
    struct why why = { 0 };
    const uint32_t level = (uint32_t)number % LEVELS;
    const int n =
        snprintf(text, sizeof text,
                 "{\"name\":\"%d\",\"rule\":\"last(S%05d) >= %u.%u\",\"clear\":\"%u.%u\"}", number,
                 (int)(scattered((uint32_t)number) % (uint32_t)instruments_n), 100 + level / 10,
                 level % 10, 100 + level / 10, level % 10);
    const struct uuid tenant = { .b = { 1, (uint8_t)(number % 50) } },
                      id = uuid_derive(tenant, (uint64_t)number, 0);
    arena_clear(&arena);
    must(rule_draft_read(text, (size_t)n, &draft, &why), &why);
    must(step_rule_put(&step, tenant, id, &draft, &arena, &made, &why), &why);
    must(step_apply_put(&step, &made, &draft, &why), &why);
}

/* Prices go up by 0.20 from day to day, and begin in the middle of the levels. */
static void a_day(int number)
{
    const int32_t day = FIRST_DAY + years * SESSIONS_A_YEAR + number;
    const int64_t noon_ns = day * NS_PER_DAY + NS_PER_DAY / 2;
    char text[11];
    for (int i = 0; i < instruments_n; i++)
        apply(
            "{\"kind\":\"trade\",\"symbol\":\"S%05d\",\"price\":\"%d.%d5\",\"size\":100,\"ts\":%" PRId64
            "}",
            i, 110 + number / 5, number % 5 * 2, noon_ns + i);
    day_text(text, day);
    apply("{\"kind\":\"clock\",\"session_end\":\"%s\",\"ts\":%" PRId64 "}", text,
          (int64_t)(noon_ns + NS_PER_DAY / 4));
}

/* ---- measuring ---- */
static double ms_since(int64_t began) { return (double)(mono_ns() - began) / 1e6; }
static double now_mb(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}
static double peak_mb(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss * 1024 / 1e6;
}

static uint64_t state_hash(void)
{
    AUTO_BUF struct buf state = { 0 };
    step_save(&step, &state);
    if (!buf_ok(&state)) abort();
    return map_hash(state.data, state.len);
}

/* The other process: starts as the service does, says how long that took, and what it then has. */
static int restart(const char *conninfo)
{
    struct snapshots *s;
    struct why why = { 0 };
    must(step_init(&step), &why);
    must(snapshots_new(&s), &why);
    const int64_t began = mono_ns();
    must(recover_state(conninfo, &step, s, &why), &why);
    const double ms = ms_since(began), mb = now_mb(), peak = peak_mb();
    printf("%f %f %f %" PRIu64 "\n", ms, mb, peak, state_hash());
    snapshots_free(s);
    step_release(&step);
    return 0;
}

struct measured {
    double stop_ms, write_ms, mb, all_mb, wal_mb, restart_ms, restart_mb, restart_peak_mb;
    bool same;
};

static double wal_mb(struct db *root)
{
    struct why why = { 0 };
    AUTO_PGRESULT PGresult *r = NULL;
    must(db_query(root, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn", 0, NULL, &r, &why), &why);
    return strtod(PQgetvalue(r, 0, 0), NULL) / 1e6;
}

static struct measured measure(struct snapshots *s, struct db *d, struct db *root,
                               const char *conninfo)
{
    struct measured out = { 0 };
    struct why why = { 0 };
    struct snapshot_written w;
    char command[2000];
    struct state_snapshot x = { .seq = engine_seq(step.engine),
                                .event_ns = engine_now_ns(step.engine),
                                .version = STEP_STATE_VERSION };
    int64_t began = mono_ns();
    if (!step_image(&step, &x.image)) abort();
    out.stop_ms = ms_since(began);
    const double wal_before = wal_mb(root);
    began = mono_ns();
    must(snapshots_write(s, d, &x, 0, &w, &why), &why);
    out.write_ms = ms_since(began);
    out.wal_mb = wal_mb(root) - wal_before;
    out.mb = (double)w.bytes / 1e6;
    out.all_mb = (double)w.all_bytes / 1e6;
    state_image_release(&x.image);
    uint64_t hash = 0;
    snprintf(command, sizeof command, "/proc/%d/exe restart \"%s\" 2> /dev/null", (int)getpid(),
             conninfo);
    FILE *child = popen(command, "r");
    if (!child
        || fscanf(child, "%lf %lf %lf %" SCNu64, &out.restart_ms, &out.restart_mb,
                  &out.restart_peak_mb, &hash)
               != 4)
        fprintf(stderr, "the restart failed\n");
    if (child) pclose(child);
    out.same = hash == state_hash();
    return out;
}

static void show(const char *what, const struct measured *x)
{
    printf(
        "%-10s %9.2f MB of %.1f (%6.3f %%)  engine stands %7.1f ms  write %7.1f ms  WAL %7.1f MB  "
        "restart %6.0f ms, %.0f MB (peak %.0f)%s\n",
        what, x->mb, x->all_mb, 100 * x->mb / x->all_mb, x->stop_ms, x->write_ms, x->wal_mb,
        x->restart_ms, x->restart_mb, x->restart_peak_mb, x->same ? "" : "  NOT WHAT WAS SAVED");
    fflush(stdout);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(const struct measured *of, size_t offset)
{
    double v[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) v[i] = *(const double *)((const char *)&of[i] + offset);
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}
#define MEDIAN(of, field) median(of, offsetof(struct measured, field))

static bool rounds(const char *conninfo)
{
    struct measured of[ROUNDS];
    struct snapshots *s;
    struct db d, root;
    struct why why = { 0 };
    must(snapshots_new(&s), &why);
    must(db_open(conninfo, "tocsin_engine", "bench", &d, &why), &why);
    must(db_open(conninfo, NULL, "bench", &root, &why), &why);
    struct snapshot_found found;
    struct buf nothing = { 0 };
    const struct snapshot_wish wish = { STEP_STATE_VERSION, UINT64_MAX, INT64_MAX, 0 };
    must(snapshots_read(s, &d, &wish, &found, &nothing, &why), &why); /* takes the shard's epoch */
    printf("%d rules, %d instruments, %d years of closes; %.0f MB in memory\n", rules_n,
           instruments_n, years, now_mb());
    const struct measured first = measure(s, &d, &root, conninfo);
    show("first", &first);
    bool same = first.same;
    for (int i = 0; i < ROUNDS; i++) {
        char what[40];
        said = 0;
        a_day(i + 1);
        snprintf(what, sizeof what, "%.2f %%", 100.0 * (double)said / rules_n);
        of[i] = measure(s, &d, &root, conninfo);
        show(what, &of[i]);
        same &= of[i].same;
    }
    printf(
        "medians    %9.2f MB = %.3f %%; engine stands %.1f ms; write %.1f ms; WAL %.1f MB; restart "
        "%.0f ms; %.0f MB in memory, peak %.0f\n",
        MEDIAN(of, mb), 100 * MEDIAN(of, mb) / MEDIAN(of, all_mb), MEDIAN(of, stop_ms),
        MEDIAN(of, write_ms), MEDIAN(of, wal_mb), MEDIAN(of, restart_ms), now_mb(), peak_mb());
    snapshots_free(s);
    db_close(&d);
    db_close(&root);
    return same;
}

int main(int argc, char **argv)
{
    const char *server = getenv("TOCSIN_TEST_DATABASE");
    char conninfo[900], name[64], text[200];
    struct db admin;
    struct why why = { 0 };
    int applied;
    if (argc == 3 && strcmp(argv[1], "restart") == 0) return restart(argv[2]);
    if (!server) {
        puts("TOCSIN_TEST_DATABASE is not set: skipped; snapshot.py starts a server");
        return 0;
    }
    rules_n = argc > 1 ? atoi(argv[1]) : 1000000;
    instruments_n = argc > 2 ? atoi(argv[2]) : 5000;
    years = argc > 3 ? atoi(argv[3]) : 25;
    if (rules_n < 1 || instruments_n < INDICES * INDEX_MEMBERS || years < 1) return 64;
    snprintf(name, sizeof name, "tocsin_bench_%d", (int)getpid());
    snprintf(conninfo, sizeof conninfo, "%s dbname=%s", server, name);
    must(db_open(server, NULL, "bench", &admin, &why), &why);
    snprintf(text, sizeof text, "CREATE DATABASE %s", name);
    must(db_script(&admin, text, &why), &why);
    must(migrate_run(conninfo, &applied, &why), &why);
    must(step_init(&step), &why);
    step_hear(&step, &(struct step_sink){ .row = hear });
    make_market();
    make_history();
    for (int i = 0; i < rules_n; i++) make_rule(i);
    a_day(0);
    const bool same = rounds(conninfo);
    step_release(&step);
    arena_release(&arena);
    snprintf(text, sizeof text, "DROP DATABASE %s WITH (FORCE)", name);
    must(db_script(&admin, text, &why), &why);
    db_close(&admin);
    return same ? 0 : 1;
}
