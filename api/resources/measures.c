/* measures.c - measures as they stand, each with its evidence.
 *
 * They come from the picture of the last commit, so nothing waits here. */
#include "api/answer.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_refusal(struct json_writer *w, const struct picture_refusal *of)
{
    json_put_object(w, "refused");
    json_put_uint(w, "count", of->n);
    json_put_text(w, "reason", of->why);
    json_put_end(w);
}

static void put_measure(struct json_writer *w, const struct picture_row *row)
{
    const struct reading *g = &row->reading;
    bool has_value = reading_has_value(g->status);
    json_put_object(w, NULL);
    json_put_text(w, "measure", row->measure);
    json_put_real(w, "value", has_value ? g->value : NAN);
    json_put_text(w, "unit", row->unit);
    json_put_time_or_null(w, "time", g->event_ns);
    json_put_real(w, "coverage", g->coverage);
    json_put_int(w, "staleness_ms", g->staleness_ns / NS_PER_MS);
    json_put_text(w, "status", reading_status_name(g->status));
    json_put_int(w, "version", row->version);
    if (row->refusal) put_refusal(w, row->refusal);
    json_put_end(w);
}

static void put_one(void *ctx, const struct picture_row *row) { put_measure(ctx, row); }

/* By any text that means it. */
static bool find_measure(const struct request *r, const struct picture *p, const char *text,
                         struct picture_row *out, struct why *why)
{
    char name[API_MEASURE_MAX];
    if (picture_find(p, r->tenant, text, out)) return true;
    if (measure_canonical(r, text, name, why)) return false;
    if (picture_find(p, r->tenant, name, out)) return true;
    err_set(why, ERR_UNKNOWN_MEASURE,
            "%s is not tracked; a rule on it makes it so, or engine.track", name);
    return false;
}

/* The measures asked for; false and the reason when one is not there. */
static bool put_asked(struct json_writer *w, const struct request *r, const struct picture *p,
                      struct why *why)
{
    for (size_t i = 0; i < r->target.args_n; i++) {
        struct picture_row row;
        if (!find_measure(r, p, r->target.args[i].value, &row, why)) return false;
        put_measure(w, &row);
    }
    return true;
}

static void reply_measures(struct request *r, const struct picture *s)
{
    struct why why = { 0 };
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_uint(&w, "seq", s->seq);
    json_put_time_or_null(&w, "time", s->event_ns);
    json_put_array(&w, "measures");
    if (!put_asked(&w, r, s, &why)) {
        r->reply.etag[0] = '\0';
        return reply_problem_as(r, ERR_UNKNOWN_MEASURE, 404, NULL, &why);
    }
    if (r->target.args_n == 0) picture_each(s, r->tenant, put_one, &w);
    json_put_end(&w);
    json_put_end(&w);
    const char *known = request_header(r, "If-None-Match");
    if (known && (strcmp(known, "*") == 0 || strstr(known, r->reply.etag))) {
        buf_clear(&r->reply.body);
        r->reply.status = 304;
        return;
    }
    reply_json(r, 200);
}

static void get_measures(struct request *r)
{
    struct picture *s = picture_or_problem(r);
    if (!s) return;
    snprintf(r->reply.etag, sizeof r->reply.etag, "\"m-%" PRIu64 "\"", s->seq);
    reply_measures(r, s);
    picture_release(s);
}

static const struct arg_spec measures_args[] = {
    { .name = "m",
      .type = ARG_TEXT,
      .min = 1,
      .max = MEASURE_ARG_MAX,
      .many = true,
      .help = "Canonical text of a measure; all that you may see when absent",
      .example = "hhi(DEMO)" },
    { .name = "If-None-Match",
      .where = IN_HEADER,
      .type = ARG_TEXT,
      .min = 0,
      .max = 1000,
      .help = "ETag of an earlier answer: 304 when nothing is newer",
      .example = "\"m-0\"" },
    { 0 },
};

static const struct field measure_fields[] = {
    { .name = "measure", .type = FIELD_TEXT },
    { .name = "value", .type = FIELD_REAL, .nullable = true },
    { .name = "unit", .type = FIELD_TEXT },
    { .name = "time", .type = FIELD_TIME, .nullable = true },
    { .name = "coverage", .type = FIELD_REAL, .nullable = true },
    { .name = "staleness_ms", .type = FIELD_INT },
    { .name = "status", .type = FIELD_TEXT, .names = &reading_status_names },
    { .name = "version", .type = FIELD_INT },
    { .name = "refused", .type = FIELD_ONE, .of = "Refusal", .optional = true },
    { 0 },
};
static const struct field refusal_fields[] = {
    { .name = "count", .type = FIELD_INT },
    { .name = "reason", .type = FIELD_TEXT },
    { 0 },
};
static const struct field measures_fields[] = {
    { .name = "seq", .type = FIELD_INT },
    { .name = "time", .type = FIELD_TIME, .nullable = true },
    { .name = "measures", .type = FIELD_LIST, .of = "Measure" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "Measure", .fields = measure_fields },
    { .name = "Measures", .fields = measures_fields },
    { .name = "Refusal",
      .fields = refusal_fields,
      .help = "Prices of the instrument that were refused since the last that was taken, and why "
              "the newest was." },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/measures",
      .id = "getMeasures",
      .summary = "Measures as they stand, each with its evidence",
      .help = "As of the last commit: `seq` and `time` are those of its newest record. A "
              "measure without a value says why in `status`. Poll it with If-None-Match: the "
              "ETag changes with `seq` only.",
      .handler = get_measures,
      .flags = ROUTE_KEY | ROUTE_404 | ROUTE_304 | ROUTE_503,
      .args = measures_args,
      .answers = { { .status = 200, .schema = "Measures" } } },
};

const struct resource resource_measures = { .name = "measures",
                                            .help = "Measures as they stand",
                                            RESOURCE_TABLES };
