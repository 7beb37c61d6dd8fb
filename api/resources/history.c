/* history.c - a measure over time, from the stored readings. */
#include "api/answer.h"
#include "api/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct field point_fields[] = {
    { .name = "seq", .type = FIELD_INT },
    { .name = "time", .type = FIELD_TIME },
    { .name = "value", .type = FIELD_REAL, .nullable = true },
    { .name = "coverage", .type = FIELD_REAL, .nullable = true },
    { .name = "status", .type = FIELD_TEXT, .names = &reading_status_names },
    { 0 },
};
static const struct field history_fields[] = {
    { .name = "measure", .type = FIELD_TEXT },
    { .name = "unit", .type = FIELD_TEXT },
    { .name = "points", .type = FIELD_LIST, .of = "Point" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
enum { POINT, HISTORY };
static const struct schema schemas[] = {
    [POINT] = { .name = "Point", .fields = point_fields },
    [HISTORY] = { .name = "History", .fields = history_fields },
};

struct series {
    char id[16]; /* "": none found */
    struct json_writer *w;
};

static void keep_series(void *ctx, const char *const *columns)
{
    struct series *s = ctx;
    snprintf(s->id, sizeof s->id, "%s", columns[0]);
    json_put_text(s->w, "unit", columns[1]);
}

/* An end of the range that is not given is the end of time. */
static const char *bound(const struct arg *a, int64_t missing, char out[NUMBER_TEXT])
{
    snprintf(out, NUMBER_TEXT, "%" PRId64, a->given ? a->number : missing);
    return out;
}

static void put_point(struct json_writer *w, const char *const *columns)
{
    render_row(w, NULL, &schemas[POINT], columns);
}

/* As the readings stood at evenly spaced times. */
static void reply_grid(struct request *r, struct json_writer *w, const char *series)
{
    char from[NUMBER_TEXT], to[NUMBER_TEXT], points[NUMBER_TEXT];
    const struct arg *n = request_arg(r, "points");
    const char *const params[] = { series, bound(request_arg(r, "from"), INT64_MIN, from),
                                   bound(request_arg(r, "to"), INT64_MAX, to),
                                   arg_number(n, points) };
    reply_page(r, w,
               &(struct page){ .name = "points",
                               .query = QUERY_HISTORY_GRID,
                               .params = params,
                               .limit = n->number,
                               .cursor = CURSOR_NUMBER,
                               .put = put_point });
}

static void reply_points(struct request *r, struct json_writer *w, const char *series)
{
    char from[NUMBER_TEXT], to[NUMBER_TEXT], after[NUMBER_TEXT], limit[NUMBER_TEXT];
    const struct arg *order = request_arg(r, "order");
    int64_t n = request_arg(r, "limit")->number;
    const char *const params[] = { series, bound(request_arg(r, "from"), INT64_MIN, from),
                                   bound(request_arg(r, "to"), INT64_MAX, to),
                                   arg_number(request_arg(r, "after"), after),
                                   limit_plus_one(n, limit) };
    bool down = order->given && strcmp(order->text, "desc") == 0;
    reply_page(r, w,
               &(struct page){ .name = "points",
                               .query = down ? QUERY_HISTORY_DOWN : QUERY_HISTORY_UP,
                               .params = params,
                               .limit = n,
                               .cursor = CURSOR_NUMBER,
                               .put = put_point });
}

static void get_history(struct request *r)
{
    char name[API_MEASURE_MAX];
    const char *measure = name;
    struct json_writer w = json_write(&r->reply.body);
    struct series s = { .w = &w };
    struct why why = { 0 };
    if (measure_canonical(r, request_arg(r, "m")->text, name, &why))
        return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    const bool grid = request_arg(r, "points")->given;
    if (grid
        && (request_arg(r, "after")->given || request_arg(r, "order")->given
            || request_arg(r, "limit")->given)) {
        err_set(
            &why, ERR_INVALID,
            "\"points\" are all in one page, the oldest first: \"after\", \"order\" and \"limit\" go without it");
        return reply_problem_as(r, ERR_INVALID, 400, NULL, &why);
    }
    json_put_object(&w, NULL);
    json_put_text(&w, "measure", measure);
    enum err e = reader_rows(r->db, r->tenant, QUERY_SERIES, &measure, keep_series, &s, &why);
    if (e) return reply_problem(r, e, &why);
    if (!s.id[0]) {
        err_set(&why, ERR_UNKNOWN_MEASURE, "no history of that measure");
        return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    }
    if (grid) reply_grid(r, &w, s.id);
    else reply_points(r, &w, s.id);
}

static const struct arg_spec history_args[] = {
    { .name = "m",
      .type = ARG_TEXT,
      .min = 1,
      .max = MEASURE_ARG_MAX,
      .required = true,
      .help = "Canonical text of a measure",
      .example = "hhi(DEMO)" },
    { .name = "from",
      .type = ARG_TIME,
      .help = "First event time: RFC 3339, a date, or ns since 1970",
      .example = "2018-01-02" },
    { .name = "to",
      .type = ARG_TIME,
      .help = "Event time to end before",
      .example = "2018-02-08T00:00:00Z" },
    { .name = "after",
      .type = ARG_INT,
      .min = 0,
      .max = INT64_MAX,
      .missing = -1,
      .help = "Cursor: the next of the page before",
      .example = "0" },
    { .name = "order",
      .type = ARG_CHOICE,
      .choices = "asc|desc",
      .help = "Oldest or newest first",
      .example = "asc" },
    ARG_LIMIT(10000, 1000),
    { .name = "points",
      .type = ARG_INT,
      .min = 1,
      .max = 10000,
      .help =
          "So many at most, evenly spaced and a second apart or more, instead of each stored reading: what stood then, as"
          " if each second had been stored",
      .example = "1500" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/measures/history",
      .id = "getHistory",
      .summary = "A measure over time: a point where it changed and at each session end",
      .help =
          "From the stored readings, which are what `market.reading` shows in SQL: one stands until the next. `next`"
          " is the `after` of the next page; null: that was all. With `points` a chart gets as many as it can draw.",
      .handler = get_history,
      .flags = ROUTE_KEY | ROUTE_DB | ROUTE_404,
      .args = history_args,
      .answers = { { .status = 200, .schema = "History" } } },
};

const struct resource resource_history = { .name = "history",
                                           .help = "Measures over time",
                                           RESOURCE_TABLES };
