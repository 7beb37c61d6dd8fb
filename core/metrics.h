/* metrics.h - operational counters, gauges and histograms. The lists are metrics.def and histograms.def. Thread: any. */
#ifndef TOCSIN_CORE_METRICS_H
#define TOCSIN_CORE_METRICS_H
#include "core/buf.h"
#include "core/err.h"

#include <stdint.h>

enum metric {
#define METRIC(id, kind, name, labels, help) METRIC_##id,
#include "core/metrics.def"
#undef METRIC
    METRIC_COUNT
};

void metric_add(enum metric m, int64_t n);
void metric_set(enum metric m, int64_t v);
int64_t metric_get(enum metric m);

enum histogram {
#define HISTOGRAM(id, name, help) HISTOGRAM_##id,
#include "core/histograms.def"
#undef HISTOGRAM
    HISTOGRAM_COUNT
};
/* `n` things that took `ms` each; less than 0 is 0: clocks differ. */
void histogram_add(enum histogram h, int64_t ms, int64_t n);

/* A message was refused for `reason` and kept as a dead letter: tocsin_dead_letters_total{reason=...}. */
void metric_dead_letter(enum err reason);
int64_t metric_dead_letters(void); /* of all reasons */

void metrics_render(struct buf *out); /* Prometheus text format 0.0.4 */
#endif
