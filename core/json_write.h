/* json_write.h - writing JSON: commas, quotes and escapes are kept here, and nowhere else.
 *
 * A writer puts values into a buf, one call a value. Inside an object each call names its key, inside an array and at the
 * top the key is NULL. The buf's failure sticks, as ever; a call that does not fit where it stands (a key in an array, an
 * end too many) is our own mistake and is asserted.
 *
 *     struct json_writer w = json_write(&out);
 *     json_put_object(&w, NULL);
 *     json_put_text(&w, "measure", "hhi(SP500)");
 *     json_put_real(&w, "value", 88.5);            // NaN and infinities are null
 *     json_put_array(&w, "drivers");
 *     json_put_int(&w, NULL, 7);
 *     json_put_end(&w);
 *     json_put_end(&w);                            // {"measure":"hhi(SP500)","value":88.5,"drivers":[7]}
 *     if (!json_write_done(&w)) return ERR_NOMEM;
 *
 * The dialect of every answer, alert and stored text: no blanks, keys in snake_case, times in RFC 3339 UTC, dates as
 * 2018-02-07, exact decimals and prices as strings, doubles as the shortest text that reads back to the same bits.
 * Thread: one at a time. */
#ifndef TOCSIN_CORE_JSON_WRITE_H
#define TOCSIN_CORE_JSON_WRITE_H
#include "core/buf.h"
#include "core/uuid.h"

enum { JSON_WRITE_DEPTH = 32 };

struct json_writer {
    struct buf *out;
    unsigned depth;
    uint32_t arrays, begun; /* bit d: level d is an array; has a member already */
};

struct json_writer json_write(struct buf *out);
/* Everything that was begun has ended, and the buf has it all. */
bool json_write_done(const struct json_writer *w);

void json_put_object(struct json_writer *w, const char *key);
void json_put_array(struct json_writer *w, const char *key);
void json_put_end(struct json_writer *w); /* of the innermost object or array */

void json_put_text(struct json_writer *w, const char *key, const char *s); /* NULL is null */
void json_put_bytes(struct json_writer *w, const char *key, const char *s, size_t n);
void json_put_int(struct json_writer *w, const char *key, int64_t v);
void json_put_uint(struct json_writer *w, const char *key, uint64_t v);
void json_put_real(struct json_writer *w, const char *key, double v);
void json_put_bool(struct json_writer *w, const char *key, bool v);
void json_put_null(struct json_writer *w, const char *key);
void json_put_uuid(struct json_writer *w, const char *key, struct uuid v); /* none is null */
void json_put_time(struct json_writer *w, const char *key, int64_t ns);
void json_put_date(struct json_writer *w, const char *key, int32_t day);
void json_put_decimal(struct json_writer *w, const char *key, int64_t e8); /* "172.5", a string */
/* A value that is JSON text already. */
void json_put_raw(struct json_writer *w, const char *key, const char *json, size_t n);
#endif
