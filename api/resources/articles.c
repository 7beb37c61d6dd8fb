/* articles.c - the newest articles and what the scorer made of them. */
#include "api/answer.h"
#include "api/render.h"

static const struct field ticker_fields[] = {
    { .name = "symbol", .type = FIELD_TEXT },
    { .name = "score", .type = FIELD_REAL, .optional = true },
    { .name = "label", .type = FIELD_TEXT, .optional = true },
    { .name = "relevance", .type = FIELD_REAL, .optional = true },
    { 0 },
};
static const struct field article_fields[] = {
    { .name = "seq", .type = FIELD_INT },
    { .name = "id", .type = FIELD_TEXT },
    { .name = "time", .type = FIELD_TIME },
    { .name = "headline", .type = FIELD_TEXT },
    { .name = "source", .type = FIELD_TEXT },
    { .name = "label", .type = FIELD_TEXT },
    { .name = "score", .type = FIELD_REAL },
    { .name = "positive", .type = FIELD_REAL },
    { .name = "neutral", .type = FIELD_REAL },
    { .name = "negative", .type = FIELD_REAL },
    { .name = "tickers", .type = FIELD_LIST, .of = "TickerScore" },
    { .name = "scorer", .type = FIELD_TEXT },
    { .name = "state",
      .type = FIELD_TEXT,
      .choices = "stands|superseded|retracted",
      .help =
          "superseded: a newer version with this id has come; retracted: its sender took it back. "
          "Neither counts" },
    { .name = "ended_seq",
      .type = FIELD_INT,
      .nullable = true,
      .help = "the record that superseded or retracted it; null: it stands" },
    { 0 },
};
static const struct field articles_fields[] = {
    { .name = "articles", .type = FIELD_LIST, .of = "Article" },
    { .name = "next", .type = FIELD_INT, .nullable = true },
    { 0 },
};
enum { TICKER, ARTICLE, ARTICLES };
static const struct schema schemas[] = {
    [TICKER] = { .name = "TickerScore",
                 .fields = ticker_fields,
                 .open = true,
                 .help = "the ticker and its own score" },
    [ARTICLE] = { .name = "Article", .fields = article_fields },
    [ARTICLES] = { .name = "Articles", .fields = articles_fields },
};

static void put_article(struct json_writer *w, const char *const *columns)
{
    render_row(w, NULL, &schemas[ARTICLE], columns);
}

static void get_articles(struct request *r)
{
    int64_t n = request_arg(r, "limit")->number;
    char limit[NUMBER_TEXT], before[NUMBER_TEXT];
    const char *const params[] = { limit_plus_one(n, limit),
                                   arg_number(request_arg(r, "before"), before) };
    struct json_writer w = json_write(&r->reply.body);
    json_put_object(&w, NULL);
    reply_page(r, &w,
               &(struct page){ .name = "articles",
                               .query = QUERY_ARTICLES,
                               .params = params,
                               .limit = n,
                               .cursor = CURSOR_NUMBER,
                               .put = put_article });
}

static const struct arg_spec articles_args[] = {
    ARG_LIMIT(100, 20),
    { .name = "before",
      .type = ARG_INT,
      .min = 0,
      .max = INT64_MAX,
      .missing = -1,
      .help = "Cursor: the next of the page before",
      .example = "1000000" },
    { 0 },
};

static const struct route routes[] = {
    { .method = METHOD_GET,
      .path = "/v1/articles",
      .id = "getArticles",
      .summary = "Newest articles with their sentiment",
      .help = "Newest first, each version of an article, with what became of it. `score` is of the "
              "whole article, each of `tickers` has its own. "
              "`next` is the `before` of the next page.",
      .handler = get_articles,
      .flags = ROUTE_KEY | ROUTE_DB,
      .args = articles_args,
      .answers = { { .status = 200, .schema = "Articles" } } },
};

const struct resource resource_articles = { .name = "articles",
                                            .help = "News and its sentiment",
                                            RESOURCE_TABLES };
