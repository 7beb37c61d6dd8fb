/* metrics.h - operational counters and gauges. The list is metrics.def. Thread: any. */
#ifndef TOCSIN_CORE_METRICS_H
#define TOCSIN_CORE_METRICS_H
#include "core/buf.h"

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
void metrics_render(struct buf *out); /* Prometheus text format 0.0.4 */
#endif
