/* json.h - strict JSON on jansson, whose header everybody gets from here and nowhere else.
 *
 * Strict: one value, UTF-8, no duplicate keys, no NUL byte and no \u0000, depth at most 64, no trailing bytes.
 * A field reader takes fields out of an object and at the end refuses what nobody asked for:
 *
 *     struct json_fields f = json_fields_begin(object, why);
 *     const char *name = json_want_string(&f, "name", 1, 200, NULL);
 *     int64_t hold = json_want_int(&f, "hold_s", 0, 86400, 0);
 *     return json_fields_end(&f);                         // the first thing wrong, or an unknown field
 */
#ifndef TOCSIN_CORE_JSON_H
#define TOCSIN_CORE_JSON_H
#include "core/err.h"

#include <jansson.h>
#include <stdint.h>

static inline void json_end(json_t **j) { json_decref(*j); }
#define AUTO_JSON __attribute__((cleanup(json_end)))

/* *out is the caller's, to end with json_decref. Reals lose their text: exact numbers travel as strings or
 * integers. ERR_SYNTAX with the byte position in why->at. */
MUST_USE enum err json_load_strict(const char *s, size_t n, json_t **out, struct why *why);

struct json_fields {
    json_t *object;
    struct why *why;
    enum err err;          /* the first failure; later calls do nothing */
    const char *asked[32]; /* the fields asked for so far: literals */
    unsigned asked_n;
};

struct json_fields json_fields_begin(json_t *object,
                                     struct why *why); /* ERR_INVALID when it is no object */
/* Each returns `missing` when the field is absent; pass JSON_REQUIRED / JSON_REQUIRED_INT to refuse that. A JSON null counts as absent. */
extern const char JSON_REQUIRED[];
#define JSON_REQUIRED_INT INT64_MIN
const char *json_want_string(struct json_fields *f, const char *key, size_t min, size_t max,
                             const char *missing);
int64_t json_want_int(struct json_fields *f, const char *key, int64_t min, int64_t max,
                      int64_t missing);
bool json_want_bool(struct json_fields *f, const char *key, bool missing);
/* One of `names` (NULL-ended); returns its index, `missing` (-1 is "required") when absent. */
int json_want_choice(struct json_fields *f, const char *key, const char *const *names, int missing);
json_t *json_want_any(struct json_fields *f, const char *key); /* borrowed; NULL when absent */
enum err json_fail(struct json_fields *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
MUST_USE enum err json_fields_end(struct json_fields *f);
#endif
