#include "api/answer.h"

#include "api/render.h"
#include "core/digest.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *arg_number(const struct arg *a, char out[NUMBER_TEXT])
{
    if (a->number < 0) return NULL;
    snprintf(out, NUMBER_TEXT, "%" PRId64, a->number);
    return out;
}

const char *arg_uuid(const struct arg *a) { return a->given ? a->text : NULL; }

const char *limit_plus_one(int64_t limit, char out[NUMBER_TEXT])
{
    snprintf(out, NUMBER_TEXT, "%" PRId64, limit + 1);
    return out;
}

void json_put_time_or_null(struct json_writer *w, const char *key, int64_t ns)
{
    if (ns) json_put_time(w, key, ns);
    else json_put_null(w, key);
}

/* ---- from the database ---- */
struct one_row {
    struct json_writer w;
    const struct schema *schema;
    bool found;
};

static void put_one(void *ctx, const char *const *columns)
{
    struct one_row *one = ctx;
    one->found = true;
    render_row(&one->w, NULL, one->schema, columns);
}

void reply_row(struct request *r, enum query q, const char *const *params, const struct schema *s)
{
    struct one_row one = { .w = json_write(&r->reply.body), .schema = s };
    struct why why = { 0 };
    enum err e = reader_rows(r->db, r->tenant, q, params, put_one, &one, &why);
    if (!e && !one.found) e = err_set(&why, ERR_NOT_FOUND, "no such thing");
    if (e) reply_problem(r, e, &why);
    else reply_json(r, 200);
}

struct page_state {
    struct json_writer *w;
    const struct page *page;
    int64_t n;
    char cursor[UUID_TEXT];
};

static void put_row(void *ctx, const char *const *columns)
{
    struct page_state *p = ctx;
    if (p->n++ >= p->page->limit) return;
    if (p->page->row) render_row(p->w, NULL, p->page->row, columns);
    else p->page->put(p->w, columns);
    snprintf(p->cursor, sizeof p->cursor, "%s", columns[0]);
}

static void put_next(struct json_writer *w, enum cursor_type type, const char *cursor)
{
    switch (type) {
    case CURSOR_NUMBER: json_put_raw(w, "next", cursor, strlen(cursor)); return;
    case CURSOR_UUID: json_put_text(w, "next", cursor); return;
    }
}

void reply_page(struct request *r, struct json_writer *w, const struct page *page)
{
    struct page_state p = { .w = w, .page = page };
    struct why why = { 0 };
    json_put_array(w, page->name);
    enum err e = reader_rows(r->db, r->tenant, page->query, page->params, put_row, &p, &why);
    if (e) return reply_problem(r, e, &why);
    json_put_end(w);
    if (p.n > page->limit) put_next(w, page->cursor, p.cursor);
    else json_put_null(w, "next");
    json_put_end(w);
    reply_json(r, 200);
}

void reply_list(struct request *r, const struct list *list)
{
    const int64_t n = request_arg(r, "limit")->number;
    char limit[NUMBER_TEXT], before[NUMBER_TEXT];
    const char *params[2 + LIST_FILTERS_MAX] = { limit_plus_one(n, limit),
                                                 arg_number(request_arg(r, "before"), before) };
    for (size_t i = 0; list->filters && list->filters[i]; i++) {
        assert(i < LIST_FILTERS_MAX);
        const struct arg *a = request_arg(r, list->filters[i]);
        params[2 + i] = a->given ? a->text : NULL;
    }
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    reply_page(r, &w,
               &(struct page){ .name = list->name,
                               .query = list->query,
                               .params = params,
                               .limit = n,
                               .cursor = CURSOR_NUMBER,
                               .row = list->row });
}

/* ---- from the engine ---- */
struct picture *picture_or_problem(struct request *r)
{
    struct picture *s = r->api->backend.picture(r->api->backend.ctx);
    struct why why = { .text = "no snapshot yet: the engine is still starting" };
    if (!s) reply_problem_as(r, ERR_STOPPING, 503, "starting", &why);
    if (!s) r->reply.retry_after = true;
    return s;
}

enum err measure_canonical(const struct request *r, const char *text, char out[API_MEASURE_MAX],
                           struct why *why)
{
    const struct api_backend *b = &r->api->backend;
    if (b->measure) return b->measure(b->ctx, text, out, why);
    snprintf(out, API_MEASURE_MAX, "%s", text);
    return ERR_OK;
}

/* ---- what is made ---- */
struct uuid object_id(const struct request *r)
{
    const struct arg *key = request_arg(r, "Idempotency-Key");
    if (!key->given) return uuid_random();
    char text[512];
    uint8_t sum[SHA256_SIZE];
    int n = snprintf(text, sizeof text, "%s %s\n%s", method_name(r->route->method), r->route->path,
                     key->text);
    assert(n > 0 && (size_t)n < sizeof text); /* the key has a `max`, the path is a literal */
    sha256(text, (size_t)n, sum);
    uint64_t x = 0, y = 0;
    for (int i = 0; i < 8; i++) {
        x = x << 8 | sum[i];
        y = y << 8 | sum[8 + i];
    }
    return uuid_derive(r->tenant, x, y);
}
