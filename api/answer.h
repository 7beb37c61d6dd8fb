/* answer.h - what several resources answer with: a query's JSON, a page of rows, the picture of the engine.
 *
 * Each function leaves a whole reply in the request, or a problem, and the handler is then done. Internal to api/. */
#ifndef TOCSIN_API_ANSWER_H
#define TOCSIN_API_ANSWER_H
#include "api/api_internal.h"
#include "api/resource.h"

enum { NUMBER_TEXT = 24, MEASURE_ARG_MAX = 256 };
/* of a POST with an Idempotency-Key */
#define ANSWER_REPEAT "It is there already: the same Idempotency-Key"

/* Arguments as parameters of a query; NULL when they were not given. */
const char *arg_number(const struct arg *a, char out[NUMBER_TEXT]);
const char *arg_uuid(const struct arg *a);
/* The limit and one: a row more than was asked for says that there is a next page. */
const char *limit_plus_one(int64_t limit, char out[NUMBER_TEXT]);

/* The query's one row, as that schema says; 404 when there is none. */
void reply_row(struct request *r, enum query q, const char *const *params, const struct schema *s);

/* The rows of a query as the list `name` in an object that was begun with `w`, and after it "next": the first column
 * of the last row when there are more than `limit`, else null. */
enum cursor_type { CURSOR_NUMBER, CURSOR_UUID };
struct page {
    const char *name;
    enum query query;
    const char *const *params;
    int64_t limit;
    enum cursor_type cursor;
    /* One row's value, from its columns, the first of which is the cursor: as a schema says, or where that is NULL by `put`. */
    const struct schema *row;
    void (*put)(struct json_writer *w, const char *const *columns);
};
void reply_page(struct request *r, struct json_writer *w, const struct page *page);

/* The whole answer of a list whose newest rows come first. Its query takes the limit and one, `before`, and the texts of the
 * arguments named by `filters` (NULL-ended, LIST_FILTERS_MAX at most), NULL for those that were not given. */
enum { LIST_FILTERS_MAX = 4 };
struct list {
    const char *name;
    enum query query;
    const struct schema *row;
    const char *const *filters; /* NULL: none */
};
void reply_list(struct request *r, const struct list *list);

/* The picture of the last commit, to be released; NULL when there is none yet, and that is then answered. */
struct picture *picture_or_problem(struct request *r);
/* What a rule takes for a measure is one here too: hhi( DEMO ), or a parameter at its default. */
MUST_USE enum err measure_canonical(const struct request *r, const char *text,
                                    char out[API_MEASURE_MAX], struct why *why);

/* The id of what this request makes: a function of tenant, route and Idempotency-Key when there is one, so that a
 * repeat finds it; random without. */
struct uuid object_id(const struct request *r);

/* Times of 0 are null: nothing has happened yet. */
void json_put_time_or_null(struct json_writer *w, const char *key, int64_t ns);

#define ARG_LIMIT(most, usual)                                                                     \
    { .name = "limit",                                                                             \
      .type = ARG_INT,                                                                             \
      .min = 1,                                                                                    \
      .max = (most),                                                                               \
      .missing = (usual),                                                                          \
      .help = "How many, at most",                                                                 \
      .example = "10" }
#define ARG_BEFORE(about)                                                                          \
    { .name = "before",                                                                            \
      .type = ARG_INT,                                                                             \
      .min = 0,                                                                                    \
      .max = INT64_MAX,                                                                            \
      .missing = -1,                                                                               \
      .help = (about),                                                                             \
      .example = "1000000" }
#define NEXT_OF_PAGE "Cursor: the next of the page before"
#define ARG_AFTER_ID                                                                               \
    { .name = "after",                                                                             \
      .type = ARG_UUID,                                                                            \
      .help = NEXT_OF_PAGE,                                                                        \
      .example = "7f2c1f9e-64e4-4d3b-9d5c-0a6d5a0a9b11" }
#define ARG_IDEMPOTENCY_KEY                                                                        \
    { .name = "Idempotency-Key",                                                                   \
      .where = IN_HEADER,                                                                          \
      .type = ARG_TEXT,                                                                            \
      .min = 1,                                                                                    \
      .max = 200,                                                                                  \
      .help = "1 to 200 visible ASCII characters. The same key makes the same object: a repeat "   \
              "is answered 200 with what is there",                                                \
      .example = "order-2026-07-30-a" }
#endif
