/* alert.h - what alerts/ says, as rows: the alert with the one JSON text every channel carries, a rule as it stands, and each of
 * its versions. Plain data; their columns are in alert.def, rule.def, rule_version.def and series_viewer.def. */
#ifndef TOCSIN_ALERTS_ALERT_H
#define TOCSIN_ALERTS_ALERT_H
#include "core/row.h"

#define ALERT_STATES(X) X(ALERT_FIRING, "firing") X(ALERT_RESOLVED, "resolved")
enum alert_state { ALERT_STATES(NAMES_VALUE) };
extern const struct names alert_state_names;

/* Why it says so: a firing because its condition is met; a resolution because it was, and no longer
 * is by what the rule says, or because the rule was changed, disabled or deleted. */
#define ALERT_REASONS(X)                                                                           \
    X(ALERT_MET, "met")                                                                            \
    X(ALERT_CLEARED, "cleared")                                                                    \
    X(ALERT_CHANGED, "changed") X(ALERT_DISABLED, "disabled") X(ALERT_DELETED, "deleted")
enum alert_reason { ALERT_REASONS(NAMES_VALUE) };
extern const struct names alert_reason_names;

/* How a value is compared with a threshold. */
#define RULE_OPS(X) X(OP_GE, ">=") X(OP_GT, ">") X(OP_LE, "<=") X(OP_LT, "<")
enum rule_op { RULE_OPS(NAMES_VALUE) };
extern const struct names rule_op_names;

/* When a rule looks: at each move of its measure, or at the ends of its subject's sessions alone. */
#define RULE_ATS(X) X(AT_TRADE, "trade") X(AT_CLOSE, "close")
enum rule_at { RULE_ATS(NAMES_VALUE) };
enum { RULE_AT_COUNT = AT_CLOSE + 1 };
extern const struct names rule_at_names;

/* What time a hold counts: all of it, or that in which the market of the rule's subject is open. */
#define RULE_HOLDS(X) X(HOLD_CLOCK, "clock") X(HOLD_SESSION, "session")
enum rule_hold { RULE_HOLDS(NAMES_VALUE) };
extern const struct names rule_hold_names;

#define SEVERITIES(X)                                                                              \
    X(SEVERITY_INFO, "info") X(SEVERITY_WARNING, "warning") X(SEVERITY_CRITICAL, "critical")
enum severity { SEVERITIES(NAMES_VALUE) };
extern const struct names severity_names;

#define RULE_VERBS(X)                                                                              \
    X(RULE_CREATED, "created") X(RULE_CHANGED, "changed") X(RULE_DELETED, "deleted")
enum rule_verb { RULE_VERBS(NAMES_VALUE) };
extern const struct names rule_verb_names;

/* What a tenant sees of a live rule. Waiting: for its condition, which held when the rule came, to
 * clear, or for the first end of a session; stale: a value is missing that would decide. */
#define RULE_STATUSES(X)                                                                           \
    X(RULE_IS_OK, "ok")                                                                            \
    X(RULE_IS_PENDING, "pending")                                                                  \
    X(RULE_IS_FIRING, "firing") X(RULE_IS_STALE, "stale") X(RULE_IS_WAITING, "waiting")
enum rule_status { RULE_STATUSES(NAMES_VALUE) };
extern const struct names rule_status_names;

struct alert {
#define COLUMN ROW_FIELD
#include "alerts/alert.def"
};
extern const struct row_type alert_row;

struct rule_row {
#define COLUMN ROW_FIELD
#include "alerts/rule.def"
};
extern const struct row_type rule_row;

/* Said when a tenant begins to have a rule on a series; it stays when the rule goes. */
struct series_viewer_row {
#define COLUMN ROW_FIELD
#include "alerts/series_viewer.def"
};
extern const struct row_type series_viewer_row;

struct rule_version_row {
#define COLUMN ROW_FIELD
#include "alerts/rule_version.def"
};
extern const struct row_type rule_version_row;

const char *alert_state_name(enum alert_state s); /* "firing", "resolved" */
const char *severity_name(enum severity s);       /* "info", "warning", "critical" */
const char *alert_reason_name(enum alert_reason r);

/* Had the program that made this alert that column, in the units of now? Those that came with schemas 5 and 7 are null, or
 * nothing, in what was stored before; weights among the inputs were fractions. */
bool alert_has_column(const struct alert *a, const struct column *c);

/* The body of webhook and stream, byte for byte the same at every delivery:
 * {"type":"alert.firing","id":"<uuid>","stream_no":7,"seq":1234,"time":"<event time>",
 *  "rule":{"id":..,"version":1,"name":"..","text":".."},"severity":"warning","state":"firing",
 *  "reason":"met","episode":"<uuid>","since":"<event time>","measure":"hhi(DEMO)",
 *  "definition":{"measure":"hhi","of":"DEMO","version":1,"parameters":{"by":"issuer"}},
 *  "condition":{"op":">=","threshold":180,"clear":175,"hold_s":0,"hold_in":"clock","at":"trade"},"value":181.2,"previous":179.9,
 *  "unit":"..","inputs":{..},"summary":"..","link":"https://tocsin.example.com/#alert=<uuid>"}
 * Null where it is not known: episode, since and definition of what an older program stored. `page` is where a person's
 * browser finds the service; NULL or empty: nobody has said, and there is no link. */
void alert_render(const struct alert *a, const char *page, struct buf *out);
/* The alert in a sentence for a person: "High: hhi(DEMO) is 181.2, at or above 180; it was 179.9". */
void alert_summary(const struct alert *a, struct buf *out);
#endif
