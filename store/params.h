/* params.h - the parameters of one statement in PostgreSQL's binary format, the values one behind the other in one buffer. For the
 * writers of chunks, whose parameters are mostly arrays.
 *
 *     params_begin(&p, 3)                          all three are null
 *     params_i64(&p, 0, 41)
 *     to = params_array(&p, 2, OID_INT4, 2)        then an element each: to = params_element32(to, 7) ...
 *     params_end(&p)                               $1 is 41, $2 null, $3 {7, 8}
 *
 * They are put in the order of the parameters. {0} is ready; params_release ends it. Thread: any, an object's one at a time. */
#ifndef TOCSIN_STORE_PARAMS_H
#define TOCSIN_STORE_PARAMS_H
#include "core/buf.h"
#include "core/err.h"

#include <stdint.h>

enum {
    PARAMS_MAX = 28,
    ARRAY_HEAD = 20, /* bytes of an array before its elements */
    OID_INT4 = 23,   /* as in pg_type: they never change */
    OID_INT8 = 20,
};

struct params {
    const char *values
        [PARAMS_MAX]; /* NULL: null. In `bytes`; valid from params_end to the next params_begin */
    int lengths[PARAMS_MAX], formats[PARAMS_MAX], n;
    struct buf bytes;
};

void params_begin(struct params *p, int n);
void params_i64(struct params *p, int at, int64_t v);
void params_i32(struct params *p, int at, int32_t v);
/* One dimension, no nulls, counted from 1; then each of its n elements. NULL: out of memory. */
char *params_array(struct params *p, int at, uint32_t oid, size_t n);
char *params_element32(char *to, int32_t v);
char *params_element64(char *to, int64_t v);
/* False: out of memory. */
MUST_USE bool params_end(struct params *p);
void params_release(struct params *p);
#endif
