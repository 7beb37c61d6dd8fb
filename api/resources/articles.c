/* articles.c - the newest articles and what the scorer made of them. */
#include "api/answer.h"

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

static void get_articles(struct request *r)
{
    reply_list(
        r, &(struct list){ .name = "articles", .query = QUERY_ARTICLES, .row = &schemas[ARTICLE] });
}

static const struct arg_spec articles_args[] = {
    ARG_LIMIT(100, 20),
    ARG_BEFORE(NEXT_OF_PAGE),
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
