/* explain.c - who moved a measure: its members' parts of the change since a session's end.
 *
 * The engine is asked, as it stands, so this waits its turn behind what the feeds say. */
#include "api/answer.h"
#include "core/when.h"

#include <string.h>

enum { DRIVERS_SHOWN = 20, DRIVERS_MOST = 1000 };

/* Whoever may ask for a measure's value may ask who moved it. */
static enum err find_visible(const struct request *r, const char *name, struct why *why)
{
    struct picture_row row;
    const struct api_backend *b = &r->api->backend;
    struct picture *p = b->picture(b->ctx);
    const bool there = p && picture_find(p, r->tenant, name, &row);
    picture_release(p);
    return there ? ERR_OK
                 : err_set(why, ERR_UNKNOWN_MEASURE,
                           "%s is not tracked; a rule on it makes it so, or engine.track", name);
}

static enum err since_day(const struct request *r, int32_t *out, struct why *why)
{
    const struct arg *since = request_arg(r, "since");
    struct why mine;
    *out = API_NO_DAY;
    if (!since->given) return ERR_OK;
    if (!date_parse(since->text, strlen(since->text), out, &mine)) return ERR_OK;
    return err_set(why, ERR_INVALID, "since: %s", mine.text);
}

static void get_explain(struct request *r)
{
    char name[API_MEASURE_MAX];
    struct why why = { 0 };
    int32_t since;
    const struct api_backend *b = &r->api->backend;
    enum err e = measure_canonical(r, request_arg(r, "m")->text, name, &why);
    if (!e) e = find_visible(r, name, &why);
    if (e) return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    e = since_day(r, &since, &why);
    if (!e)
        e = b->drivers(b->ctx, name, since, (size_t)request_arg(r, "n")->number, &r->reply.body,
                       &why);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

static const struct arg_spec explain_args[] = {
    { .name = "m",
      .type = ARG_TEXT,
      .min = 1,
      .max = MEASURE_ARG_MAX,
      .required = true,
      .help = "A measure of an index that is a sum over its members: `additive` in /v1/definitions",
      .example = "hhi(DEMO)" },
    { .name = "since",
      .type = ARG_TEXT,
      .min = 1,
      .max = 10,
      .help = "The session at whose end it begins, one of the last ten; the one before the session"
              " in progress when absent",
      .example = "2024-03-04" },
    { .name = "n",
      .type = ARG_INT,
      .min = 1,
      .max = DRIVERS_MOST,
      .missing = DRIVERS_SHOWN,
      .help = "How many of the largest parts",
      .example = "10" },
    { 0 },
};

static const struct field driver_fields[] = {
    { .name = "issuer", .type = FIELD_TEXT, .optional = true },
    { .name = "name", .type = FIELD_TEXT, .optional = true },
    { .name = "symbol", .type = FIELD_TEXT, .optional = true, .help = "with by=line" },
    { .name = "part", .type = FIELD_REAL, .help = "of the change, in the measure's unit" },
    { .name = "weight_pct", .type = FIELD_REAL },
    { .name = "weight_then_pct", .type = FIELD_REAL },
    { .name = "value_cents", .type = FIELD_INT, .help = "0: it does not count now" },
    { .name = "value_then_cents", .type = FIELD_INT, .help = "0: it did not count then" },
    { 0 },
};
static const struct field explained_fields[] = {
    { .name = "seq", .type = FIELD_INT },
    { .name = "measure", .type = FIELD_TEXT },
    { .name = "unit", .type = FIELD_TEXT },
    { .name = "since",
      .type = FIELD_TEXT,
      .nullable = true,
      .help = "the session at whose end it begins" },
    { .name = "then", .type = FIELD_REAL, .nullable = true },
    { .name = "now", .type = FIELD_REAL, .nullable = true },
    { .name = "change", .type = FIELD_REAL, .nullable = true },
    { .name = "drivers", .type = FIELD_LIST, .of = "Driver", .help = "the largest parts first" },
    { .name = "others", .type = FIELD_INT, .help = "members that are not listed" },
    { .name = "others_part", .type = FIELD_REAL, .nullable = true },
    { .name = "remainder",
      .type = FIELD_REAL,
      .nullable = true,
      .help = "change less all parts: rounding, and of a level what members that came or went"
              " did to its divisor" },
    { .name = "reason",
      .type = FIELD_TEXT,
      .optional = true,
      .help = "why there is nothing to tell: no session has ended yet, or there is no value" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "Driver", .fields = driver_fields },
    { .name = "Explained", .fields = explained_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/measures/explain",
      .id = "explainMeasure",
      .summary = "Who moved a measure",
      .help = "The members of its index by their part of its change since a session's end. As"
              " fractions the parts sum to the change exactly; as numbers each is rounded, and"
              " `remainder` is what that leaves.",
      .handler = get_explain,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404 | ROUTE_503,
      .args = explain_args,
      .answers = { { .status = 200, .schema = "Explained" } } },
};

const struct resource resource_explain = { .name = "explain",
                                           .help = "Who moved a measure",
                                           RESOURCE_TABLES };
