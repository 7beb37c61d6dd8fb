/* health.h - does work move? What is asked of the pipeline from outside: by /readyz, /metrics, and
 * the watch's log lines.
 *
 * Ready means: everything configured is being read, the shard is ours and can be looked at, and
 * what has been read is committed within HEALTH_STUCK_S. A channel whose receiver hangs is no
 * reason: no tenant's receiver takes the service away from the others. Its age is in /metrics. */
#ifndef TOCSIN_APP_THREADS_HEALTH_H
#define TOCSIN_APP_THREADS_HEALTH_H
#include "app/threads/pipeline.h"

enum { HEALTH_STUCK_S = 15 };

/* Since when the oldest that was read and is not committed is in hand, in ms; 0: nothing is. Thread: any. */
int64_t health_uncommitted_ms(const struct pipeline *p);
/* For how long the oldest delivery that could be sent has been due, at the watch's last look; 0: none. Thread: any. */
int64_t health_delivery_due_ms(const struct pipeline *p);
/* Appends in Prometheus text what is looked up rather than counted. Thread: any. */
void health_metrics(struct pipeline *p, struct buf *out);
/* True when ready. Else appends the reasons as JSON strings with commas between; none names a host. Thread: any. */
bool health_ready(struct pipeline *p, struct buf *reasons);
#endif
