/* alert.h - an alert as it leaves the rules: plain data, and the one JSON text every channel carries. */
#ifndef TOCSIN_ALERTS_ALERT_H
#define TOCSIN_ALERTS_ALERT_H
#include "core/buf.h"
#include "core/err.h"
#include "core/uuid.h"

#include <stdint.h>

enum alert_state { ALERT_FIRING, ALERT_RESOLVED };
enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

struct alert {
    struct uuid tenant, id, rule; /* id: a pure function of (rule number, version, seq, state) */
    uint64_t stream_no;           /* per tenant 1, 2, 3 ...: Last-Event-ID */
    uint64_t seq;                 /* the record that made it so */
    int64_t event_ns;
    uint64_t rule_no; /* seq of the record that created the rule */
    int32_t rule_version;
    enum alert_state state;
    enum severity severity;
    double value;
    const char *rule_name, *rule_text, *measure, *unit,
        *inputs; /* NUL-terminated; inputs is a JSON object */
};

struct arena;
/* A copy whose texts are in `arena`. false: out of memory. */
MUST_USE bool alert_copy(const struct alert *a, struct arena *arena, struct alert *out);

const char *alert_state_name(enum alert_state s); /* "firing", "resolved" */
const char *severity_name(enum severity s);       /* "info", "warning", "critical" */

/* The body of webhook and stream, byte for byte the same at every delivery:
 * {"type":"alert.firing","id":"<uuid>","stream_no":7,"seq":1234,"time":"<event time>","rule":{"id":..,"version":1,"name":"..","text":".."},
 *  "severity":"warning","state":"firing","measure":"hhi(DEMO)","value":181.2,"unit":"..","inputs":{..}} */
void alert_render(const struct alert *a, struct buf *out);
#endif
