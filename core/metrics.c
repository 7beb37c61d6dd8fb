#include "core/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

static _Atomic int64_t values[METRIC_COUNT];

static const struct {
    const char *kind, *name, *labels, *help;
} rows[METRIC_COUNT] = {
#define METRIC(id, kind, name, labels, help) [METRIC_##id] = { #kind, name, labels, help },
#include "core/metrics.def"
#undef METRIC
};

void metric_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}
void metric_set(enum metric m, int64_t v)
{
    atomic_store_explicit(&values[m], v, memory_order_relaxed);
}
int64_t metric_get(enum metric m) { return atomic_load_explicit(&values[m], memory_order_relaxed); }

/* ---- dead letters, by the reason ---- */
static _Atomic int64_t dead_letters[ERR_COUNT];

void metric_dead_letter(enum err reason)
{
    atomic_fetch_add_explicit(&dead_letters[reason], 1, memory_order_relaxed);
}

int64_t metric_dead_letters(void)
{
    int64_t n = 0;
    for (int i = 0; i < ERR_COUNT; i++)
        n += atomic_load_explicit(&dead_letters[i], memory_order_relaxed);
    return n;
}

/* What a message can be refused for is there from the start, so that a rate knows the first one. */
static bool is_reason(enum err e)
{
    const int status = err_http_status(e);
    return status == 400 || status == 409 || status == 413 || dead_letters[e] > 0;
}

static void render_dead_letters(struct buf *out)
{
    static const char name[] = "tocsin_dead_letters_total";
    buf_printf(out,
               "# HELP %s messages refused and kept in dead_letter, by the reason\n"
               "# TYPE %s counter\n",
               name, name);
    for (int i = 0; i < ERR_COUNT; i++)
        if (is_reason((enum err)i))
            buf_printf(out, "%s{reason=\"%s\"} %" PRId64 "\n", name, err_name((enum err)i),
                       atomic_load_explicit(&dead_letters[i], memory_order_relaxed));
}

/* ---- histograms ---- */
static const int64_t bounds_ms[] = { 1,   2,    5,    10,   20,    50,    100,   200,
                                     500, 1000, 2000, 5000, 10000, 30000, 60000, 300000 };
enum { BOUNDS = ARRAY_LEN(bounds_ms) };

static struct {
    _Atomic int64_t n[BOUNDS + 1], sum_ms; /* the last is above all bounds */
} histograms[HISTOGRAM_COUNT];

static const struct {
    const char *name, *help;
} histogram_rows[HISTOGRAM_COUNT] = {
#define HISTOGRAM(id, name, help) [HISTOGRAM_##id] = { name, help },
#include "core/histograms.def"
#undef HISTOGRAM
};

void histogram_add(enum histogram h, int64_t ms, int64_t n)
{
    size_t i = 0;
    if (ms < 0) ms = 0;
    while (i < BOUNDS && ms > bounds_ms[i]) i++;
    atomic_fetch_add_explicit(&histograms[h].n[i], n, memory_order_relaxed);
    atomic_fetch_add_explicit(&histograms[h].sum_ms, ms * n, memory_order_relaxed);
}

static void render_histogram(enum histogram h, struct buf *out)
{
    const char *name = histogram_rows[h].name;
    int64_t n = 0;
    buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, histogram_rows[h].help, name);
    for (size_t i = 0; i < BOUNDS; i++) {
        n += atomic_load_explicit(&histograms[h].n[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{le=\"%g\"} %" PRId64 "\n", name, (double)bounds_ms[i] / 1000, n);
    }
    n += atomic_load_explicit(&histograms[h].n[BOUNDS], memory_order_relaxed);
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %.3f\n%s_count %" PRId64 "\n", name,
               n, name,
               (double)atomic_load_explicit(&histograms[h].sum_ms, memory_order_relaxed) / 1000,
               name, n);
}

/* ---- the page ---- */
void metrics_render(struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name, rows[i].help,
                       rows[i].name, rows[i].kind);
        buf_puts(out, rows[i].name);
        if (rows[i].labels[0]) buf_printf(out, "{%s}", rows[i].labels);
        buf_printf(out, " %" PRId64 "\n", metric_get((enum metric)i));
    }
    render_dead_letters(out);
    for (int h = 0; h < HISTOGRAM_COUNT; h++) render_histogram((enum histogram)h, out);
}
