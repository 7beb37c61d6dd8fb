/* constituents.c - the largest issuers of an index, from the picture of the last commit. */
#include "api/answer.h"

#include <math.h>
#include <string.h>

static void put_constituent(struct json_writer *w, const struct picture_member *m)
{
    json_put_object(w, NULL);
    json_put_text(w, "issuer", m->issuer);
    json_put_text(w, "name", m->name);
    json_put_text(w, "symbol", m->symbol);
    if (m->price_e8 > 0) json_put_decimal(w, "price", m->price_e8);
    else json_put_null(w, "price");
    json_put_real(w, "weight", isfinite(m->weight) ? m->weight : 0);
    json_put_end(w);
}

static void reply_index(struct request *r, const struct picture *s, const struct picture_index *x)
{
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    json_put_text(&w, "index", x->name);
    json_put_uint(&w, "seq", s->seq);
    json_put_time_or_null(&w, "time", s->event_ns);
    json_put_uint(&w, "members", x->members_n);
    json_put_array(&w, "constituents");
    for (uint32_t i = 0; i < x->top_n && i < (uint32_t)request_arg(r, "n")->number; i++)
        put_constituent(&w, &x->top[i]);
    json_put_end(&w);
    json_put_end(&w);
    reply_json(r, 200);
}

static void get_constituents(struct request *r)
{
    struct picture *s = picture_or_problem(r);
    if (!s) return;
    const char *name = request_arg(r, "index")->text;
    const struct picture_index *x = picture_index_named(s, name);
    struct why why;
    if (x) reply_index(r, s, x);
    else reply_problem(r, err_set(&why, ERR_NOT_FOUND, "no index \"%s\"", name), &why);
    picture_release(s);
}

static const struct arg_spec constituents_args[] = {
    { .name = "index",
      .type = ARG_TEXT,
      .min = 1,
      .max = 63,
      .required = true,
      .help = "Name of an index",
      .example = "DEMO" },
    { .name = "n",
      .type = ARG_INT,
      .min = 1,
      .max = 50,
      .missing = 10,
      .help = "How many of the largest",
      .example = "10" },
    { 0 },
};

static const struct field constituent_fields[] = {
    { .name = "issuer", .type = FIELD_TEXT },
    { .name = "name", .type = FIELD_TEXT },
    { .name = "symbol", .type = FIELD_TEXT },
    { .name = "price",
      .type = FIELD_DECIMAL,
      .nullable = true,
      .help = "exact decimal; null before the first price" },
    { .name = "weight", .type = FIELD_REAL },
    { 0 },
};
static const struct field constituents_fields[] = {
    { .name = "index", .type = FIELD_TEXT },
    { .name = "seq", .type = FIELD_INT },
    { .name = "time", .type = FIELD_TIME, .nullable = true },
    { .name = "members", .type = FIELD_INT },
    { .name = "constituents", .type = FIELD_LIST, .of = "Constituent" },
    { 0 },
};
static const struct schema schemas[] = {
    { .name = "Constituent", .fields = constituent_fields },
    { .name = "Constituents", .fields = constituents_fields },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/constituents",
      .id = "getConstituents",
      .summary = "The largest issuers of an index",
      .help = "Issuers by weight, the largest first; `symbol` and `price` are of the issuer's"
              " largest line. As of the last commit.",
      .handler = get_constituents,
      .flags = ROUTE_KEY | ROUTE_404 | ROUTE_503,
      .args = constituents_args,
      .answers = { { .status = 200, .schema = "Constituents" } } },
};

const struct resource resource_constituents = { .name = "constituents",
                                                .help = "What an index is made of",
                                                RESOURCE_TABLES };
