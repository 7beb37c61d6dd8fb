#include "alerts/alert.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

NAMES(alert_state, ALERT_STATES);
NAMES(alert_reason, ALERT_REASONS);
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
    return !uuid_is_none(a->episode) || c->offset < offsetof(struct alert, episode);
}

void alert_render(const struct alert *a, struct buf *out)
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
    json_put_real(&w, "value", a->value);
    json_put_real(&w, "previous", a->previous);
    json_put_text(&w, "unit", a->unit);
    json_put_raw(&w, "inputs", a->inputs, strlen(a->inputs));
    json_put_end(&w);
}
