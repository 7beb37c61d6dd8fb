/* told.h - for unit tests: one engine, `e`, that is told records one by one, from which it is read, and which is saved and loaded on
 * the way. The test begins it (engine_new) and frees it. */
#ifndef TOCSIN_TESTS_UNIT_ANALYTICS_TOLD_H
#define TOCSIN_TESTS_UNIT_ANALYTICS_TOLD_H
#include "analytics/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000 };
static const struct uuid NOBODY;
static struct engine *e;

static inline struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static inline struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static inline enum err apply(struct record r, struct why *why)
{
    r.seq = engine_seq(e) + 1;
    return engine_apply(e, &r, why);
}
static inline void ok(struct record r)
{
    struct why why = { 0 };
    if (apply(r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}
/* In these words, and nothing has changed. */
static inline void refused_as(struct record r, enum err want, const char *text)
{
    struct why why = { 0 };
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    engine_save(e, &before);
    assert_int_equal(apply(r, &why), want);
    assert_string_equal(why.text, text);
    engine_save(e, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
}
/* After a restart: the same state, byte for byte. */
static inline void reload(void)
{
    AUTO_BUF struct buf a = { 0 }, b = { 0 };
    struct engine *again;
    struct why why = { 0 };
    size_t used;
    engine_save(e, &a);
    if (engine_load(a.data, a.len, &again, &used, &why)) fail_msg("%s", why.text);
    engine_free(e);
    e = again;
    engine_save(e, &b);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
}
static inline uint32_t track(const char *text)
{
    struct measure m;
    struct why why = { 0 };
    uint32_t no = SERIES_NONE;
    if (measure_parse(text, strlen(text), &m, &why) || engine_track(e, NOBODY, &m, &no, &why))
        fail_msg("%s: %s", text, why.text);
    return no;
}
#endif
