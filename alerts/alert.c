#include "alerts/alert.h"

#include "core/json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

NAMES(alert_state, ALERT_STATES);
NAMES(alert_reason, ALERT_REASONS);
NAMES(rule_op, RULE_OPS);
NAMES(rule_at, RULE_ATS);
NAMES(rule_hold, RULE_HOLDS);
NAMES(severity, SEVERITIES);
NAMES(rule_verb, RULE_VERBS);
NAMES(rule_status, RULE_STATUSES);

static const struct column alert_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct alert, type, name)
#include "alerts/alert.def"
};
const struct row_type alert_row = ROW_TYPE("alert", struct alert, alert_columns);

static const struct column rule_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct rule_row, type, name)
#include "alerts/rule.def"
};
const struct row_type rule_row = ROW_TYPE("rule", struct rule_row, rule_columns);

static const struct column series_viewer_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct series_viewer_row, type, name)
#include "alerts/series_viewer.def"
};
const struct row_type series_viewer_row =
    ROW_TYPE("series_viewer", struct series_viewer_row, series_viewer_columns);

static const struct column rule_version_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct rule_version_row, type, name)
#include "alerts/rule_version.def"
};
const struct row_type rule_version_row =
    ROW_TYPE("rule_version", struct rule_version_row, rule_version_columns);

const char *alert_state_name(enum alert_state s) { return names_text(&alert_state_names, (int)s); }
const char *severity_name(enum severity s) { return names_text(&severity_names, (int)s); }
const char *alert_reason_name(enum alert_reason r)
{
    return names_text(&alert_reason_names, (int)r);
}

bool alert_has_column(const struct alert *a, const struct column *c)
{
    return !uuid_is_none(a->episode)
           || (c->offset < offsetof(struct alert, episode)
               && c->offset != offsetof(struct alert, inputs));
}

/* ---- the sentence ---- */
static bool compare(enum rule_op op, double v, double x)
{
    switch (op) {
    case OP_GE: return v >= x;
    case OP_GT: return v > x;
    case OP_LE: return v <= x;
    case OP_LT: return v < x;
    }
    return false;
}

static const char *op_words(enum rule_op op)
{
    switch (op) {
    case OP_GE: return "at or above";
    case OP_GT: return "above";
    case OP_LE: return "at or below";
    case OP_LT: return "below";
    }
    return "";
}

/* Six digits are enough for a person, unless they would stand on the other side of the threshold than the value does,
 * or for so large a number that they would be written with an exponent. */
static void put_number(const struct alert *a, double v, struct buf *out)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", v);
    const double shown = strtod(text, NULL);
    if (strchr(text, 'e') || compare(a->op, shown, a->threshold) != compare(a->op, v, a->threshold)
        || (shown == a->threshold) != (v == a->threshold))
        buf_json_double(out, v);
    else buf_puts(out, text);
}

/* "12 USD", "7.25 %"; a scale such as 0-10000 is no word to put behind a number. */
static void put_value(const struct alert *a, double v, struct buf *out)
{
    if (isnan(v)) return buf_puts(out, "unknown");
    put_number(a, v, out);
    const char c = a->unit[0];
    if (c && !(c >= '0' && c <= '9') && c != '-') buf_printf(out, " %s", a->unit);
}

static void put_ending(const struct alert *a, struct buf *out)
{
    static const char *const words[] = { [ALERT_MET] = "",
                                         [ALERT_CLEARED] = "resolved: ",
                                         [ALERT_CHANGED] = "resolved, the rule was changed: ",
                                         [ALERT_DISABLED] = "resolved, the rule was disabled: ",
                                         [ALERT_DELETED] = "resolved, the rule was deleted: " };
    buf_puts(out, words[a->reason]);
}

/* What the measure itself says of its value, where it does: "SP500's concentration (HHI) is 89.9, the highest since ...: ". Of one
 * that has ended it would be said of the past. */
static void put_says(const struct alert *a, struct buf *out)
{
    AUTO_JSON json_t *j = NULL;
    if (a->reason != ALERT_MET || !a->inputs || !strstr(a->inputs, "\"says\"")
        || json_load_strict(a->inputs, strlen(a->inputs), &j, NULL))
        return;
    const char *says = json_string_value(json_object_get(j, "says"));
    if (says) buf_printf(out, "%s: ", says);
}

void alert_summary(const struct alert *a, struct buf *out)
{
    if (a->rule_name[0]) buf_printf(out, "%s: ", a->rule_name);
    put_ending(a, out);
    put_says(a, out);
    buf_printf(out, "%s is ", a->measure);
    put_value(a, a->value, out);
    const bool holds = compare(a->op, a->value, a->threshold);
    if (!isnan(a->value)) {
        buf_printf(out, ", %s%s ", holds ? "" : "no longer ", op_words(a->op));
        buf_json_double(out, a->threshold);
    }
    if (a->looks_at == AT_CLOSE) buf_puts(out, ", at the session's end");
    if (a->reason == ALERT_MET && a->hold_s)
        buf_printf(out, " for %" PRId64 " s%s", a->hold_s,
                   a->hold_in == HOLD_SESSION ? " of session" : "");
    if (isnan(a->previous)) return;
    buf_puts(out, "; it was ");
    put_value(a, a->previous, out);
}

/* ---- the body ---- */
static void put_condition(struct json_writer *w, const struct alert *a)
{
    json_put_object(w, "condition");
    json_put_text(w, "op", names_text(&rule_op_names, (int)a->op));
    json_put_real(w, "threshold", a->threshold);
    json_put_real(w, "clear", a->clear);
    json_put_int(w, "hold_s", a->hold_s);
    json_put_text(w, "hold_in", names_text(&rule_hold_names, (int)a->hold_in));
    json_put_text(w, "at", names_text(&rule_at_names, (int)a->looks_at));
    json_put_end(w);
}

static void put_summary(struct json_writer *w, const struct alert *a)
{
    AUTO_BUF struct buf text = { 0 };
    alert_summary(a, &text);
    if (!buf_ok(&text)) w->out->failed = true;
    else json_put_bytes(w, "summary", text.data, text.len);
}

static void put_link(struct json_writer *w, const struct alert *a, const char *page)
{
    if (!page || !page[0]) return json_put_null(w, "link");
    AUTO_BUF struct buf text = { 0 };
    char id[UUID_TEXT];
    uuid_format(a->alert_id, id);
    size_t n = strlen(page);
    buf_printf(&text, "%s%s#alert=%s", page, page[n - 1] == '/' ? "" : "/", id);
    if (!buf_ok(&text)) w->out->failed = true;
    else json_put_bytes(w, "link", text.data, text.len);
}

void alert_render(const struct alert *a, const char *page, struct buf *out)
{
    const char *state = alert_state_name(a->state);
    char type[32];
    snprintf(type, sizeof type, "alert.%s", state);
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_text(&w, "type", type);
    json_put_uuid(&w, "id", a->alert_id);
    json_put_uint(&w, "stream_no", a->stream_no);
    json_put_uint(&w, "seq", a->seq);
    json_put_time(&w, "time", a->event_ns);
    json_put_object(&w, "rule");
    json_put_uuid(&w, "id", a->rule_id);
    json_put_int(&w, "version", a->rule_version);
    json_put_text(&w, "name", a->rule_name);
    json_put_text(&w, "text", a->rule_text);
    json_put_end(&w);
    json_put_text(&w, "severity", severity_name(a->severity));
    json_put_text(&w, "state", state);
    json_put_text(&w, "reason", alert_reason_name(a->reason));
    json_put_uuid(&w, "episode", a->episode);
    if (uuid_is_none(a->episode)) json_put_null(&w, "since");
    else json_put_time(&w, "since", a->since_ns);
    json_put_text(&w, "measure", a->measure);
    if (a->definition[0]) json_put_raw(&w, "definition", a->definition, strlen(a->definition));
    else json_put_null(&w, "definition");
    put_condition(&w, a);
    json_put_real(&w, "value", a->value);
    json_put_real(&w, "previous", a->previous);
    json_put_text(&w, "unit", a->unit);
    json_put_raw(&w, "inputs", a->inputs, strlen(a->inputs));
    put_summary(&w, a);
    put_link(&w, a, page);
    json_put_end(&w);
}
