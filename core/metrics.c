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
}
