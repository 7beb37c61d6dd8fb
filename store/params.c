#include "store/params.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

void params_begin(struct params *p, int n)
{
    assert(n <= PARAMS_MAX);
    buf_clear(&p->bytes);
    p->n = n;
    for (int i = 0; i < n; i++) p->lengths[i] = -1, p->formats[i] = 1;
}

/* The pointers are set at the end, when the buffer moves no more. */
static char *room(struct params *p, int at, size_t n)
{
    if (!buf_reserve(&p->bytes, n)) return NULL;
    char *to = p->bytes.data + p->bytes.len;
    p->bytes.len += n;
    p->lengths[at] = (int)n;
    return to;
}

void params_i64(struct params *p, int at, int64_t v)
{
    char *to = room(p, at, 8);
    const uint64_t x = htobe64((uint64_t)v);
    if (to) memcpy(to, &x, 8);
}

void params_i32(struct params *p, int at, int32_t v)
{
    char *to = room(p, at, 4);
    const uint32_t x = htobe32((uint32_t)v);
    if (to) memcpy(to, &x, 4);
}

char *params_array(struct params *p, int at, uint32_t oid, size_t n)
{
    const size_t width = oid == OID_INT8 ? 8 : 4;
    const uint32_t head[ARRAY_HEAD / 4] = { htobe32(1), 0, htobe32(oid), htobe32((uint32_t)n),
                                            htobe32(1) };
    char *to = room(p, at, ARRAY_HEAD + n * (4 + width));
    if (!to) return NULL;
    memcpy(to, head, sizeof head);
    return to + ARRAY_HEAD;
}

char *params_element32(char *to, int32_t v)
{
    const uint32_t x[2] = { htobe32(4), htobe32((uint32_t)v) };
    memcpy(to, x, sizeof x);
    return to + sizeof x;
}

char *params_element64(char *to, int64_t v)
{
    const uint32_t width = htobe32(8);
    const uint64_t x = htobe64((uint64_t)v);
    memcpy(to, &width, 4);
    memcpy(to + 4, &x, 8);
    return to + 12;
}

bool params_end(struct params *p)
{
    const char *at = p->bytes.data;
    for (int i = 0; i < p->n; i++) {
        p->values[i] = p->lengths[i] < 0 ? NULL : at;
        if (p->lengths[i] > 0) at += p->lengths[i];
    }
    return buf_ok(&p->bytes);
}

void params_release(struct params *p) { buf_release(&p->bytes); }
