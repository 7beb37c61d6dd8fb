/* rules.c - a tenant's rules.
 *
 * What changes goes through the engine's one order and is answered when it is committed: a POST with the body
 * {"rule":"hhi(DEMO) >= 180"} becomes a record like any tick, and the answer comes once the transaction that holds
 * it has ended. What is read comes from the database, and the state a rule is in from the engine. */
#include "api/answer.h"
#include "api/render.h"
#include "core/arena.h"
#include "core/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what they look like ---- */
enum {
    SECONDS_MAX = 30 * 86400, /* of hold_s and cooldown_s */
    PATCH_TRIES = 20          /* while others change the same rule */
};
#define ON_CREATE "fire|wait"
#define AT_HELP                                                                                    \
    "trade: it looks at each move of its measure; close: at the ends of its subject's sessions alone"

#define HOLD_HELP                                                                                  \
    "what time hold_s counts. clock: all; session: that in which its subject's market is open, by its calendar"

/* a definition, as rules and their versions show it */
#define DEFINITION_FIELDS                                                                          \
    { .name = "name", .type = FIELD_TEXT }, { .name = "rule", .type = FIELD_TEXT },                \
        { .name = "measure", .type = FIELD_TEXT },                                                 \
        { .name = "op", .type = FIELD_TEXT, .names = &rule_op_names },                             \
        { .name = "threshold", .type = FIELD_DECIMAL },                                            \
        { .name = "clear",                                                                         \
          .type = FIELD_DECIMAL,                                                                   \
          .nullable = true,                                                                        \
          .help = "null: the threshold" },                                                         \
        { .name = "hold_s", .type = FIELD_INT }, { .name = "cooldown_s", .type = FIELD_INT },      \
        { .name = "severity", .type = FIELD_TEXT, .names = &severity_names },                      \
        { .name = "on_create", .type = FIELD_TEXT, .choices = ON_CREATE },                         \
        { .name = "at", .type = FIELD_TEXT, .names = &rule_at_names, .help = AT_HELP },            \
        { .name = "hold_in", .type = FIELD_TEXT, .names = &rule_hold_names, .help = HOLD_HELP },   \
    {                                                                                              \
        .name = "enabled", .type = FIELD_BOOL                                                      \
    }

/* what a rule has beside its name and text; what may be absent may be null too */
#define SETTING_FIELDS                                                                             \
    { .name = "clear", .type = FIELD_NUMERAL, .optional = true, .nullable = true },                \
        { .name = "hold_s",                                                                        \
          .type = FIELD_INT,                                                                       \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .max = SECONDS_MAX },                                                                    \
        { .name = "cooldown_s",                                                                    \
          .type = FIELD_INT,                                                                       \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .max = SECONDS_MAX },                                                                    \
        { .name = "severity",                                                                      \
          .type = FIELD_TEXT,                                                                      \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .names = &severity_names },                                                              \
        { .name = "on_create",                                                                     \
          .type = FIELD_TEXT,                                                                      \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .choices = ON_CREATE },                                                                  \
        { .name = "at",                                                                            \
          .type = FIELD_TEXT,                                                                      \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .names = &rule_at_names,                                                                 \
          .help = AT_HELP },                                                                       \
        { .name = "hold_in",                                                                       \
          .type = FIELD_TEXT,                                                                      \
          .optional = true,                                                                        \
          .nullable = true,                                                                        \
          .names = &rule_hold_names,                                                               \
          .help = HOLD_HELP },                                                                     \
    {                                                                                              \
        .name = "enabled", .type = FIELD_BOOL, .optional = true, .nullable = true                  \
    }
#define NAME_FIELD                                                                                 \
    { .name = "name", .type = FIELD_TEXT, .optional = true, .nullable = true, .max = 100 }

static const struct field input_fields[] = {
    NAME_FIELD,
    { .name = "rule",
      .type = FIELD_TEXT,
      .min = 1,
      .max = 240,
      .help = "measure, comparison, threshold" },
    SETTING_FIELDS,
    { 0 },
};
/* all of it may be left out: that stays as it is */
static const struct field patch_fields[] = {
    NAME_FIELD,
    { .name = "rule", .type = FIELD_TEXT, .optional = true, .min = 1, .max = 240 },
    SETTING_FIELDS,
    { 0 },
};
static const struct field rule_fields[] = {
    { .name = "id", .type = FIELD_UUID },
    { .name = "version", .type = FIELD_INT },
    DEFINITION_FIELDS,
    { .name = "state", .type = FIELD_TEXT, .names = &rule_status_names },
    { .name = "created_at", .type = FIELD_TIME },
    { .name = "updated_at", .type = FIELD_TIME },
    { .name = "warnings",
      .type = FIELD_LIST,
      .of = "RuleWarning",
      .optional = true,
      .help = "of an answer to a change: what is perhaps not meant" },
    { 0 },
};
static const struct field warning_fields[] = {
    { .name = "code", .type = FIELD_TEXT, .choices = "outside_history" },
    { .name = "detail", .type = FIELD_TEXT, .help = "a sentence for a person" },
    { 0 },
};
static const struct field rules_fields[] = {
    { .name = "rules", .type = FIELD_LIST, .of = "Rule" },
    { .name = "next", .type = FIELD_UUID, .nullable = true },
    { 0 },
};
static const struct field version_fields[] = {
    { .name = "version", .type = FIELD_INT },
    { .name = "seq", .type = FIELD_INT },
    { .name = "change", .type = FIELD_TEXT, .names = &rule_verb_names },
    { .name = "made_at", .type = FIELD_TIME },
    DEFINITION_FIELDS,
    { 0 },
};
static const struct field versions_fields[] = {
    { .name = "versions", .type = FIELD_LIST, .of = "RuleVersion" },
    { 0 },
};
enum { INPUT, PATCH, RULE, WARNING, RULES, VERSION, VERSIONS };
static const struct schema schemas[] = {
    [INPUT] = { .name = "RuleInput", .fields = input_fields },
    [PATCH] = { .name = "RulePatch",
                .fields = patch_fields,
                .help = "What is named changes; null: to its default." },
    [RULE] = { .name = "Rule", .fields = rule_fields },
    [WARNING] = { .name = "RuleWarning",
                  .fields = warning_fields,
                  .help =
                      "outside_history: the threshold lies outside all that the measure has ever "
                      "been; perhaps it is in another unit." },
    [RULES] = { .name = "Rules", .fields = rules_fields },
    [VERSION] = { .name = "RuleVersion", .fields = version_fields },
    [VERSIONS] = { .name = "RuleVersions", .fields = versions_fields },
};

/* ---- reading ---- */
/* of query RULES; the state comes before that one, and after them all the warnings of a change */
enum { RULE_COLUMNS = 17, STATE_COLUMN = 15, WARNINGS_COLUMN = RULE_COLUMNS + 1 };

struct rule_rows {
    struct uuid *ids;
    const char *(*columns)[WARNINGS_COLUMN + 1]; /* as the fields of Rule, the state among them */
    const char **states; /* the engine's; NULL for a rule that it does not know */
    size_t n, cap;
    struct arena memory;
    bool failed;
};

static bool keep_columns(struct rule_rows *rows, const char *const *columns)
{
    const char **out = rows->columns[rows->n];
    for (int i = 0; i < RULE_COLUMNS; i++) {
        const char **at = &out[i < STATE_COLUMN ? i : i + 1];
        *at = columns[i] ? arena_copy(&rows->memory, columns[i], strlen(columns[i])) : NULL;
        if (columns[i] && !*at) return false;
    }
    return true;
}

static void add_rule(void *ctx, const char *const *columns)
{
    struct rule_rows *rows = ctx;
    if (rows->failed) return;
    assert(rows->n < rows->cap); /* the query has that limit */
    rows->failed = uuid_parse(columns[0], strlen(columns[0]), &rows->ids[rows->n])
                   || !keep_columns(rows, columns);
    if (!rows->failed) rows->n++;
}

/* Up to `cap` rules, to be freed by free_rules in any case; their states are still to be asked. */
static enum err read_rules(struct request *r, enum query q, const char *const *params, size_t cap,
                           struct rule_rows *rows, struct why *why)
{
    *rows = (struct rule_rows){ .ids = calloc(cap, sizeof *rows->ids),
                                .columns = calloc(cap, sizeof *rows->columns),
                                .states = calloc(cap, sizeof *rows->states),
                                .cap = cap };
    if (!rows->ids || !rows->columns || !rows->states)
        return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = reader_rows(r->db, r->tenant, q, params, add_rule, rows, why);
    if (e) return e;
    return rows->failed ? err_set(why, ERR_NOMEM, "out of memory") : ERR_OK;
}

static enum err ask_states(struct request *r, struct rule_rows *rows)
{
    const struct api_backend *b = &r->api->backend;
    if (rows->n == 0) return ERR_OK;
    return b->rule_states(b->ctx, r->tenant, rows->ids, rows->n, rows->states);
}

static void free_rules(struct rule_rows *rows)
{
    arena_release(&rows->memory);
    free(rows->columns);
    free(rows->ids);
    free(rows->states);
}

static void put_rule(struct json_writer *w, const struct rule_rows *rows, size_t i)
{
    rows->columns[i][STATE_COLUMN] = rows->states[i] ? rows->states[i] : "stale";
    render_row(w, NULL, &schemas[RULE], rows->columns[i]);
}

static void list_rules(struct request *r)
{
    size_t n = (size_t)request_arg(r, "limit")->number;
    char limit[NUMBER_TEXT];
    const char *const params[] = { limit_plus_one((int64_t)n, limit),
                                   arg_uuid(request_arg(r, "after")) };
    struct rule_rows rows;
    struct why why = { 0 };
    enum err e = read_rules(r, QUERY_RULES, params, n + 1, &rows, &why);
    if (!e) e = ask_states(r, &rows);
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_array(&w, "rules");
    for (size_t i = 0; !e && i < rows.n && i < n; i++) put_rule(&w, &rows, i);
    json_put_end(&w);
    bool more = !e && rows.n > n;
    json_put_uuid(&w, "next", more ? rows.ids[n - 1] : (struct uuid){ 0 });
    json_put_end(&w);
    free_rules(&rows);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

/* The rule at r->path_id as it stands, answered with `status`. `state` is what the engine has just
 * said; NULL: it is asked. */
static void reply_rule(struct request *r, int status, const char *state, const struct buf *warnings)
{
    char id[UUID_TEXT];
    const char *param = id;
    uuid_format(r->path_id, id);
    struct rule_rows rows;
    struct why why = { 0 };
    struct json_writer w = json_write(&r->reply.body);
    enum err e = read_rules(r, QUERY_RULE, &param, 1, &rows, &why);
    if (!e && rows.n == 0) e = err_set(&why, ERR_NOT_FOUND, "no such rule");
    if (!e && state) rows.states[0] = state;
    else if (!e) e = ask_states(r, &rows);
    if (!e && warnings) rows.columns[0][WARNINGS_COLUMN] = warnings->len ? warnings->data : "[]";
    if (!e) put_rule(&w, &rows, 0);
    free_rules(&rows);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, status);
}

static void get_rule(struct request *r) { reply_rule(r, 200, NULL, NULL); }

static void add_version(void *ctx, const char *const *columns)
{
    render_row(ctx, NULL, &schemas[VERSION], columns);
}

static void get_rule_versions(struct request *r)
{
    char id[UUID_TEXT];
    const char *param = id;
    struct why why = { 0 };
    uuid_format(r->path_id, id);
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_array(&w, "versions");
    size_t before = r->reply.body.len;
    enum err e = reader_rows(r->db, r->tenant, QUERY_RULE_VERSIONS, &param, add_version, &w, &why);
    if (!e && r->reply.body.len == before) e = err_set(&why, ERR_NOT_FOUND, "no such rule");
    if (e) return reply_problem(r, e, &why);
    json_put_end(&w);
    json_put_end(&w);
    reply_json(r, 200);
}

/* ---- changing ---- */
static enum err ask_engine(struct request *r, enum rule_change change, const char **state,
                           struct buf *warnings, struct why *why)
{
    const struct api_backend *b = &r->api->backend;
    const struct rule_request q = { .tenant = r->tenant,
                                    .rule = r->path_id,
                                    .change = change,
                                    .definition = change == RULE_DELETE ? NULL : r->body.data,
                                    .definition_n = r->body.len };
    return b->rule_change(b->ctx, &q, state, warnings, why);
}

/* The Idempotency-Key has been here before: what it made is answered, if it is still there. */
static void reply_repeat(struct request *r, const char *state)
{
    struct why why = { 0 };
    reply_rule(r, 200, state, &(struct buf){ 0 });
    if (r->reply.status != 404) return;
    err_set(&why, ERR_DB, "the first request with this Idempotency-Key is not committed yet");
    reply_problem(r, ERR_DB, &why);
}

static void post_rule(struct request *r)
{
    char id[UUID_TEXT];
    const char *state;
    struct why why = { 0 };
    AUTO_BUF struct buf warnings = { 0 };
    r->path_id = object_id(r);
    enum err e = ask_engine(r, RULE_CREATE, &state, &warnings, &why);
    if (e == ERR_CONFLICT) return reply_repeat(r, state);
    if (e == ERR_NOT_FOUND)
        e = err_set(&why, ERR_CONFLICT, "what this Idempotency-Key made has been deleted");
    if (e) return reply_problem(r, e, &why);
    uuid_format(r->path_id, id);
    snprintf(r->reply.location, sizeof r->reply.location, "/v1/rules/%s", id);
    reply_rule(r, 201, state, &warnings);
}

static void replace_rule(struct request *r)
{
    const char *state;
    struct why why = { 0 };
    AUTO_BUF struct buf warnings = { 0 };
    enum err e = ask_engine(r, RULE_REPLACE, &state, &warnings, &why);
    if (e) reply_problem(r, e, &why);
    else reply_rule(r, 200, state, &warnings);
}

/* ---- a part of it ---- */
struct standing {
    int32_t version; /* 0: there is no such rule */
    char *definition;
};

static void take_standing(void *ctx, const char *const *columns)
{
    struct standing *s = ctx;
    s->version = (int32_t)strtol(columns[0], NULL, 10);
    s->definition = strdup(columns[1]);
}

/* What stands, with what the body names put in its place; what follows from the text goes. */
static enum err merge(const char *standing, const struct buf *body, char **out, struct why *why)
{
    static const char *const derived[] = { "measure", "op", "threshold" };
    AUTO_JSON json_t *rule = NULL;
    AUTO_JSON json_t *patch = NULL;
    enum err e = json_load_strict(body->data ? body->data : "", body->len, &patch, why);
    if (!e && !json_is_object(patch)) e = err_set(why, ERR_INVALID, "expected a JSON object");
    if (!e) e = json_load_strict(standing, strlen(standing), &rule, why);
    if (e) return e;
    for (size_t i = 0; i < ARRAY_LEN(derived); i++) json_object_del(rule, derived[i]);
    if (json_object_update(rule, patch)) return err_set(why, ERR_NOMEM, "out of memory");
    *out = json_dumps(rule, JSON_COMPACT);
    return *out ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
}

/* ERR_CONFLICT: somebody was faster, and what he made stands by now. */
static enum err patch_once(struct request *r, const char **state, struct buf *warnings,
                           struct why *why)
{
    char id[UUID_TEXT];
    const char *param = id;
    const struct api_backend *b = &r->api->backend;
    struct standing standing = { 0 };
    char *definition = NULL;
    uuid_format(r->path_id, id);
    enum err e =
        reader_rows(r->db, r->tenant, QUERY_RULE_DEFINITION, &param, take_standing, &standing, why);
    if (!e && !standing.version) e = err_set(why, ERR_NOT_FOUND, "no such rule");
    if (!e && !standing.definition) e = err_set(why, ERR_NOMEM, "out of memory");
    if (!e) e = merge(standing.definition, &r->body, &definition, why);
    const struct rule_request q = { .tenant = r->tenant,
                                    .rule = r->path_id,
                                    .change = RULE_REPLACE,
                                    .definition = definition,
                                    .definition_n = definition ? strlen(definition) : 0,
                                    .if_version = standing.version,
                                    .standing = standing.definition };
    buf_clear(warnings);
    if (!e) e = b->rule_change(b->ctx, &q, state, warnings, why);
    free(standing.definition);
    free(definition);
    return e;
}

static void patch_rule(struct request *r)
{
    const char *state = NULL;
    struct why why = { 0 };
    AUTO_BUF struct buf warnings = { 0 };
    enum err e = ERR_CONFLICT;
    for (int i = 0; i < PATCH_TRIES && e == ERR_CONFLICT; i++)
        e = patch_once(r, &state, &warnings, &why);
    if (e) reply_problem(r, e, &why);
    else reply_rule(r, 200, state, &warnings);
}

static void delete_rule(struct request *r)
{
    const char *state;
    struct why why = { 0 };
    AUTO_BUF struct buf warnings = { 0 };
    enum err e = ask_engine(r, RULE_DELETE, &state, &warnings, &why);
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 204);
}

/* ---- the tables ---- */
static const struct arg_spec list_args[] = { ARG_LIMIT(1000, 100), ARG_AFTER_ID, { 0 } };
static const struct arg_spec create_args[] = { ARG_IDEMPOTENCY_KEY, { 0 } };

#define FLAGS (ROUTE_KEY | ROUTE_DB | ROUTE_ENGINE)
static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/rules",
      .id = "listRules",
      .summary = "Your rules, oldest first",
      .help = "`next` is the `after` of the next page; null: that was all. `state` is the "
              "engine's, as it is now.",
      .handler = list_rules,
      .flags = FLAGS,
      .args = list_args,
      .answers = { { .status = 200, .schema = "Rules" } } },
    { .method = METHOD_POST,
      .path = "/v1/rules",
      .id = "createRule",
      .summary = "Create a rule",
      .help = "Answered when it is committed: it looks at every record from then on. A text "
              "that is no rule is refused with `position`, the character at fault. `warnings` says "
              "what is perhaps not meant.",
      .handler = post_rule,
      .flags = FLAGS | ROUTE_409 | ROUTE_429,
      .args = create_args,
      .body = "RuleInput",
      .answers = { { .status = 201, .schema = "Rule" },
                   { .status = 200, .schema = "Rule", .text = ANSWER_REPEAT } } },
    { .method = METHOD_GET,
      .path = "/v1/rules/{id}",
      .id = "getRule",
      .summary = "A rule",
      .help =
          "With the state that the engine has it in: ok, pending, firing, stale, or waiting: for a condition that held when it came "
          "to clear, or `at: close` for the first session to end.",
      .handler = get_rule,
      .flags = FLAGS | ROUTE_404,
      .answers = { { .status = 200, .schema = "Rule" } } },
    { .method = METHOD_PUT,
      .path = "/v1/rules/{id}",
      .id = "replaceRule",
      .summary = "Replace a rule's definition: a new version",
      .help = "The whole definition: what is not named has its default. Another name, severity, "
              "cooldown says nothing and fires nothing. Another condition is looked at where the "
              "value stands: a firing rule goes on while it is true, and else resolves, `changed`; "
              "one that is disabled resolves, `disabled`. A running cooldown goes on.",
      .handler = replace_rule,
      .flags = FLAGS | ROUTE_404 | ROUTE_409 | ROUTE_429,
      .body = "RuleInput",
      .answers = { { .status = 200, .schema = "Rule" } } },
    { .method = METHOD_PATCH,
      .path = "/v1/rules/{id}",
      .id = "changeRule",
      .summary = "Change what is named of a rule: a new version",
      .help = "What is not named stays as it is; null puts a field back to its default. What "
              "names only what is so already makes no version. Of two "
              "that change different fields at once neither is lost. What it means to a rule that "
              "is firing is said at replaceRule.",
      .handler = patch_rule,
      .flags = FLAGS | ROUTE_404 | ROUTE_409 | ROUTE_429,
      .body = "RulePatch",
      .answers = { { .status = 200, .schema = "Rule" } } },
    { .method = METHOD_DELETE,
      .path = "/v1/rules/{id}",
      .id = "deleteRule",
      .summary = "Delete a rule; its versions stay",
      .help = "If it is firing, an alert says that it is over: resolved, `deleted`. Its alerts "
              "and versions can still be read.",
      .handler = delete_rule,
      .flags = FLAGS | ROUTE_404 | ROUTE_409,
      .answers = { { .status = 204 } } },
    { .method = METHOD_GET,
      .path = "/v1/rules/{id}/versions",
      .id = "getRuleVersions",
      .summary = "Every version a rule has had, newest first",
      .help = "What each version said, the deletion too: an alert names the version that it "
              "is about.",
      .handler = get_rule_versions,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .answers = { { .status = 200, .schema = "RuleVersions" } } },
};

const struct resource resource_rules = { .name = "rules",
                                         .help = "When to be told",
                                         RESOURCE_TABLES };
