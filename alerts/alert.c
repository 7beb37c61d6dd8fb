#include "alerts/alert.h"

#include "core/arena.h"
#include "core/when.h"

#include <inttypes.h>
#include <string.h>

const char *alert_state_name(enum alert_state s)
{
    return s == ALERT_FIRING ? "firing" : "resolved";
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = { "info", "warning", "critical" };
    return names[s];
}

bool alert_copy(const struct alert *a, struct arena *arena, struct alert *out)
{
    *out = *a;
    out->rule_name = arena_copy(arena, a->rule_name, strlen(a->rule_name));
    out->rule_text = arena_copy(arena, a->rule_text, strlen(a->rule_text));
    out->measure = arena_copy(arena, a->measure, strlen(a->measure));
    out->unit = arena_copy(arena, a->unit, strlen(a->unit));
    out->inputs = arena_copy(arena, a->inputs, strlen(a->inputs));
    return out->rule_name && out->rule_text && out->measure && out->unit && out->inputs;
}

static void string_field(struct buf *out, const char *before, const char *s)
{
    buf_puts(out, before);
    buf_json_string(out, s, strlen(s));
}

void alert_render(const struct alert *a, struct buf *out)
{
    char id[UUID_TEXT], rule[UUID_TEXT], at[WHEN_TEXT_MAX];
    uuid_format(a->id, id);
    uuid_format(a->rule, rule);
    when_format(a->event_ns, at);
    const char *state = alert_state_name(a->state);
    buf_printf(out,
               "{\"type\":\"alert.%s\",\"id\":\"%s\",\"stream_no\":%" PRIu64 ",\"seq\":%" PRIu64
               ",\"time\":\"%s\",\"rule\":{\"id\":\"%s\",\"version\":%d",
               state, id, a->stream_no, a->seq, at, rule, a->rule_version);
    string_field(out, ",\"name\":", a->rule_name);
    string_field(out, ",\"text\":", a->rule_text);
    buf_printf(out, "},\"severity\":\"%s\",\"state\":\"%s\"", severity_name(a->severity), state);
    string_field(out, ",\"measure\":", a->measure);
    buf_puts(out, ",\"value\":");
    buf_json_double(out, a->value);
    string_field(out, ",\"unit\":", a->unit);
    buf_printf(out, ",\"inputs\":%s}", a->inputs);
}
