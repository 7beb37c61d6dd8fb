/* definitions.c - what can be asked for: every measure with its formula and parameters, as the program itself has them.
 *
 * A tool that builds rules asks this once and knows what it may offer: that spread takes an index, and a window of
 * which 60d is the one that need not be said. The lists are made from the very tables that rules are parsed with. */
#include "api/answer.h"

static void get_definitions(struct request *r)
{
    const struct api_backend *b = &r->api->backend;
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    b->definitions(b->ctx, &w);
    json_put_end(&w);
    reply_json(r, 200);
}

static const struct field parameter_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "type",
      .type = FIELD_TEXT,
      .choices = "choice|integer|span",
      .help = "span: sessions as 20d, or clock time as 90s, 5m, 2h" },
    { .name = "default", .type = FIELD_TEXT, .help = "what a text without it means" },
    { .name = "choices", .type = FIELD_LIST, .optional = true, .help = "of a choice" },
    { .name = "min", .type = FIELD_INT, .optional = true, .help = "of an integer" },
    { .name = "max", .type = FIELD_INT, .optional = true, .help = "of an integer" },
    { .name = "help", .type = FIELD_TEXT },
    { 0 },
};
static const struct field measure_fields[] = {
    { .name = "name", .type = FIELD_TEXT },
    { .name = "formula", .type = FIELD_TEXT },
    { .name = "source", .type = FIELD_TEXT, .help = "where the formula is from" },
    { .name = "unit", .type = FIELD_TEXT, .help = "of its values; where there are several, all" },
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
    { 0 },
};
static const struct field definitions_fields[] = {
    { .name = "measures", .type = FIELD_LIST, .of = "MeasureDefinition" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "ParameterDefinition", .fields = parameter_fields },
    { .name = "MeasureDefinition", .fields = measure_fields },
    { .name = "Definitions", .fields = definitions_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/definitions",
      .id = "getDefinitions",
      .summary = "What can be asked for: every measure, with formula and parameters",
      .help = "Made from the tables that the program itself goes by; it changes with the program "
              "only. A measure in a rule, a query or SQL is its name, a subject and parameters: "
              "`spread(SP500, window=20d)`.",
      .handler = get_definitions,
      .flags = ROUTE_KEY,
      .answers = { { .status = 200, .schema = "Definitions" } } },
};

const struct resource resource_definitions = { .name = "definitions",
                                               .help = "What measures there are",
                                               RESOURCE_TABLES };
