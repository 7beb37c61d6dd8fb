/* definitions.c - what there is: measures with formula and parameters, why one has no value, messages, kinds of channels.
 *
 * A tool that builds rules asks this once and knows what it may offer: that spread takes an index, and a window of
 * which 60d need not be said. The lists are made from the very tables that rules, messages and channels are read by. */
#include "alerts/delivery/channel.h"
#include "api/answer.h"

static void put_setting(struct json_writer *w, const struct setting *s)
{
    static const char *const types[] = { [SETTING_TEXT] = "text",
                                         [SETTING_NUMBER] = "integer",
                                         [SETTING_FLAG] = "flag",
                                         [SETTING_CHOICE] = "choice" };
    json_put_object(w, NULL);
    json_put_text(w, "name", s->name);
    json_put_text(w, "type", types[s->type]);
    json_put_bool(w, "required", s->required);
    json_put_bool(w, "secret", s->secret);
    if (s->type == SETTING_CHOICE) {
        json_put_array(w, "choices");
        for (int i = 0; i < s->choices->n; i++) json_put_text(w, NULL, s->choices->texts[i]);
        json_put_end(w);
    }
    json_put_text(w, "help", s->help);
    json_put_end(w);
}

/* Those that a user may give. */
static void put_channels(struct json_writer *w)
{
    json_put_array(w, "channels");
    for (size_t i = 0; i < CHANNEL_KINDS; i++) {
        json_put_object(w, NULL);
        json_put_text(w, "kind", channel_kinds[i]->name);
        json_put_text(w, "help", channel_kinds[i]->help);
        json_put_array(w, "settings");
        for (const struct setting *s = channel_kinds[i]->settings; s->name; s++)
            if (!s->own) put_setting(w, s);
        json_put_end(w);
        json_put_end(w);
    }
    json_put_end(w);
}

static void get_definitions(struct request *r)
{
    const struct api_backend *b = &r->api->backend;
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    b->definitions(b->ctx, &w);
    put_channels(&w);
    json_put_end(&w);
    reply_json(r, 200);
}

static const struct field parameter_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "type",
      .type = FIELD_TEXT,
      .choices = "choice|integer|span|sessions",
      .help =
          "span: sessions as 20d, or clock time as 90s, 5m, 2h; sessions: as 60d, or years of 252 as 10y" },
    { .name = "default", .type = FIELD_TEXT, .help = "what a text without it means" },
    { .name = "choices", .type = FIELD_LIST, .optional = true, .help = "of a choice" },
    { .name = "words",
      .type = FIELD_LIST,
      .optional = true,
      .help = "of a choice: each as a title says it; {name} in one is that other parameter" },
    { .name = "min", .type = FIELD_INT, .optional = true, .help = "of an integer" },
    { .name = "max", .type = FIELD_INT, .optional = true, .help = "of an integer" },
    { .name = "help", .type = FIELD_TEXT },
    { 0 },
};
static const struct field page_fields[] = {
    { .name = "title",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "of its tile, {name} being that parameter; null: it has none" },
    { .name = "decimals",
      .type = FIELD_INT,
      .nullable = true,
      .help = "after the point; null: as the value's size asks for" },
    { .name = "sign", .type = FIELD_BOOL, .help = "a value above 0 has a plus" },
    { .name = "line",
      .type = FIELD_TEXT,
      .nullable = true,
      .choices = "cap|ew",
      .help = "the line of the chart that it draws" },
    { .name = "beside",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "the measure in whose tile it is said" },
    { .name = "words",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "how it is said there, {} being the value" },
    { 0 },
};
static const struct field measure_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "formula", .type = FIELD_TEXT },
    { .name = "source", .type = FIELD_TEXT, .help = "where the formula is from" },
    { .name = "unit", .type = FIELD_TEXT, .help = "of its values; where there are several, all" },
    { .name = "range",
      .type = FIELD_TEXT,
      .help = "in which its values lie: a rule that asks for another is refused" },
    { .name = "subjects",
      .type = FIELD_LIST,
      .help = "what it may be taken of: instrument, index, book, measure" },
    { .name = "parameters",
      .type = FIELD_LIST,
      .of = "ParameterDefinition",
      .help = "in the order of the canonical text" },
    { .name = "version",
      .type = FIELD_INT,
      .help = "raised when the same inputs give another value" },
    { .name = "standard", .type = FIELD_BOOL, .help = "every index has it from its first day" },
    { .name = "additive",
      .type = FIELD_BOOL,
      .help = "a sum over the members of its index: /v1/measures/explain tells who moved it" },
    { .name = "example", .type = FIELD_TEXT, .help = "a subject that it is measured on" },
    { .name = "page", .type = FIELD_ONE, .of = "PageDefinition", .help = "how a page shows it" },
    { 0 },
};
static const struct field status_fields[] = {
    { .name = "name", .type = FIELD_TEXT, .help = "what `status` of a measure says" },
    { .name = "words", .type = FIELD_TEXT, .help = "the same as a page says it; of ok: none" },
    { .name = "help", .type = FIELD_TEXT, .help = "what it means, and what to do about it" },
    { 0 },
};
static const struct field message_field_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "form", .type = FIELD_TEXT, .help = "type, bounds and default, in words" },
    { .name = "help", .type = FIELD_TEXT },
    { 0 },
};
static const struct field record_fields[] = {
    { .name = "kind", .type = FIELD_TEXT, .help = "what `kind` of the message says" },
    { .name = "help", .type = FIELD_TEXT },
    { .name = "fields", .type = FIELD_LIST, .of = "FieldDefinition" },
    { 0 },
};
static const struct field setting_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "type", .type = FIELD_TEXT, .choices = "text|integer|flag|choice" },
    { .name = "required", .type = FIELD_BOOL },
    { .name = "secret", .type = FIELD_BOOL, .help = "stored sealed, shown once" },
    { .name = "choices", .type = FIELD_LIST, .optional = true, .help = "of a choice" },
    { .name = "help", .type = FIELD_TEXT },
    { 0 },
};
static const struct field channel_fields[] = {
    { .name = "kind", .type = FIELD_TEXT },
    { .name = "help", .type = FIELD_TEXT },
    { .name = "settings", .type = FIELD_LIST, .of = "SettingDefinition" },
    { 0 },
};
static const struct field definitions_fields[] = {
    { .name = "measures", .type = FIELD_LIST, .of = "MeasureDefinition" },
    { .name = "statuses",
      .type = FIELD_LIST,
      .of = "StatusDefinition",
      .help = "why a measure has, or has not, a value" },
    { .name = "records",
      .type = FIELD_LIST,
      .of = "RecordDefinition",
      .help = "the messages that a feed may say" },
    { .name = "channels", .type = FIELD_LIST, .of = "ChannelDefinition" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "ParameterDefinition", .fields = parameter_fields },
    { .name = "PageDefinition", .fields = page_fields },
    { .name = "MeasureDefinition", .fields = measure_fields },
    { .name = "StatusDefinition", .fields = status_fields },
    { .name = "FieldDefinition", .fields = message_field_fields },
    { .name = "RecordDefinition", .fields = record_fields },
    { .name = "SettingDefinition", .fields = setting_fields },
    { .name = "ChannelDefinition", .fields = channel_fields },
    { .name = "Definitions", .fields = definitions_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/definitions",
      .id = "getDefinitions",
      .summary =
          "What there is: measures with formula and parameters, statuses, messages, channels",
      .help = "Made from the tables that the program itself goes by; it changes with the program "
              "only. A measure in a rule, a query or SQL is its name, a subject and parameters: "
              "`name(SUBJECT, parameter=value)`.",
      .handler = get_definitions,
      .flags = ROUTE_KEY,
      .answers = { { .status = 200, .schema = "Definitions" } } },
};

const struct resource resource_definitions = { .name = "definitions",
                                               .help = "What there is to ask for",
                                               RESOURCE_TABLES };
