/* test_state.c - what one program wrote, another with other structs reads: by names, or not at all. */
#include "core/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum mood { CALM, TENSE, LOUD };
static const struct names mood_names = { "mood",
                                         (const char *const[]){ "calm", "tense", "loud", NULL },
                                         3 };
static const struct names with_one_before_names = {
    "mood", (const char *const[]){ "asleep", "calm", "tense", "loud", NULL }, 4
};
static const struct names without_tense_names = { "mood",
                                                  (const char *const[]){ "calm", "loud", NULL },
                                                  2 };

struct wide {
    char name[12];
    int64_t a;
    uint32_t b, list[3];
    enum mood mood;
    bool yes;
    double real;
    __int128 sum;
    uint8_t small;
    int64_t later;
};

static const struct state_field all_fields[] = {
    STATE_FIELD(BYTE, struct wide, name),      STATE_FIELD(I64, struct wide, a),
    STATE_FIELD(U32, struct wide, b),          STATE_FIELD(U32, struct wide, list),
    STATE_ENUM_FIELD(struct wide, mood, mood), STATE_FIELD(BOOL, struct wide, yes),
    STATE_FIELD(F64, struct wide, real),       STATE_FIELD(I128, struct wide, sum),
    STATE_FIELD(U8, struct wide, small),
};
enum { ALL = ARRAY_LEN(all_fields) };
static const struct state_part wide_part = { "wide", sizeof(struct wide), all_fields, ALL };

static struct wide rows[] = {
    { "one", -5, 7, { 1, 2, 3 }, LOUD, true, -0.0, -((__int128)1 << 100), 255, 0 },
    { "two", INT64_MAX, UINT32_MAX, { 0 }, CALM, false, 1e300, 12, 0, 0 },
    { "three", INT64_MIN, 0, { 9 }, TENSE, true, 0.1, 0, 1, 0 },
};

static void write_part(struct buf *out, const struct state_part *part, const void *p, size_t n)
{
    buf_clear(out);
    struct state_writer w = state_write(out);
    state_put(&w, part, p, n);
    state_write_end(&w);
    assert_true(buf_ok(out));
}

static enum err read_part(const struct buf *b, const struct state_part *part, struct wide **out,
                          size_t *n, struct why *why)
{
    struct state_reader r;
    size_t cap;
    enum err e = state_open(b->data, b->len, &r, why);
    if (e) return e;
    assert_int_equal(r.used, b->len);
    e = state_get(&r, part, (void **)out, n, &cap, why);
    return e ? e : state_close(&r, why);
}

/* The size of the value itself, without what pads it. */
static size_t size_of(const char *field)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {
        { "name", 12 }, { "a", 8 },    { "b", 4 },    { "list", 12 }, { "mood", 4 },
        { "yes", 1 },   { "real", 8 }, { "sum", 16 }, { "small", 1 },
    };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        if (strcmp(sizes[i].name, field) == 0) return sizes[i].size;
    fail_msg("no size of %s", field);
    return 0;
}

static bool has_field(const struct state_part *part, const char *name)
{
    for (size_t i = 0; i < part->fields_n; i++)
        if (strcmp(part->fields[i].name, name) == 0) return true;
    return false;
}

/* `got` holds what `was` held in the fields of both lists, and zero in those that came. */
static void assert_kept(const struct wide *was, const struct wide *got,
                        const struct state_part *old, const struct state_part *now)
{
    static const struct wide zero;
    for (size_t i = 0; i < now->fields_n; i++) {
        const struct state_field *f = &now->fields[i];
        const struct wide *want = has_field(old, f->name) ? was : &zero;
        assert_memory_equal((const char *)got + f->offset, (const char *)want + f->offset,
                            size_of(f->name));
    }
}

static void the_same_program_reads_the_same_bits(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct wide *got;
    size_t n;
    write_part(&b, &wide_part, rows, ARRAY_LEN(rows));
    assert_int_equal(read_part(&b, &wide_part, &got, &n, NULL), ERR_OK);
    assert_int_equal(n, ARRAY_LEN(rows));
    for (size_t i = 0; i < n; i++) assert_kept(&rows[i], &got[i], &wide_part, &wide_part);
    free(got);
}

/* Random edits: fields taken out, put in, moved, on either side. */
static void fields_come_go_and_move(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    srand(20261125);
    for (int round = 0; round < 2000; round++) {
        struct state_field old_fields[ALL], new_fields[ALL];
        struct state_part sides[2] = { { "wide", sizeof(struct wide), old_fields, 0 },
                                       { "wide", sizeof(struct wide), new_fields, 0 } };
        struct state_field *lists[2] = { old_fields, new_fields };
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < ALL; i++)
                if (rand() % 4) lists[side][sides[side].fields_n++] = all_fields[i];
            for (size_t i = sides[side].fields_n; i > 1; i--) {
                size_t k = (size_t)rand() % i;
                struct state_field t = lists[side][i - 1];
                lists[side][i - 1] = lists[side][k];
                lists[side][k] = t;
            }
        }
        struct wide *got;
        size_t n;
        write_part(&b, &sides[0], rows, ARRAY_LEN(rows));
        if (sides[0].fields_n == 0) continue;
        assert_int_equal(read_part(&b, &sides[1], &got, &n, NULL), ERR_OK);
        assert_int_equal(n, ARRAY_LEN(rows));
        for (size_t i = 0; i < n; i++) assert_kept(&rows[i], &got[i], &sides[0], &sides[1]);
        free(got);
    }
}

static void an_enum_is_found_by_its_text(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct why why;
    struct wide *got;
    size_t n;
    static const struct state_field wider[] = { STATE_ENUM_FIELD(struct wide, mood,
                                                                 with_one_before) };
    static const struct state_field fewer[] = { STATE_ENUM_FIELD(struct wide, mood,
                                                                 without_tense) };
    const struct state_part more = { "wide", sizeof(struct wide), wider, 1 };
    const struct state_part less = { "wide", sizeof(struct wide), fewer, 1 };
    write_part(&b, &wide_part, rows, ARRAY_LEN(rows));
    assert_int_equal(read_part(&b, &more, &got, &n, NULL), ERR_OK);
    assert_int_equal(got[0].mood, 3);
    assert_int_equal(got[1].mood, 1);
    assert_int_equal(got[2].mood, 2);
    free(got);
    assert_int_equal(read_part(&b, &less, &got, &n, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "field \"mood\" has a value that is not known here"));
    write_part(&b, &wide_part, rows, 2); /* nobody is tense: its going does no harm */
    assert_int_equal(read_part(&b, &less, &got, &n, NULL), ERR_OK);
    assert_int_equal(got[0].mood, 1);
    free(got);
}

struct narrow {
    char name[4];
    int32_t a;
    uint64_t b;
};

static void numbers_grow_and_shrink_as_long_as_they_fit(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct why why;
    struct narrow *got;
    size_t n;
    static const struct state_field fields[] = { STATE_FIELD(I32, struct narrow, a),
                                                 STATE_FIELD(U64, struct narrow, b) };
    const struct state_part part = { "wide", sizeof(struct narrow), fields, 2 };
    write_part(&b, &wide_part, rows, 1);
    assert_int_equal(read_part(&b, &part, (struct wide **)&got, &n, NULL), ERR_OK);
    assert_int_equal(got->a, -5);
    assert_int_equal(got->b, 7);
    free(got);
    write_part(&b, &wide_part, rows, 2);
    assert_int_equal(read_part(&b, &part, (struct wide **)&got, &n, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "field \"a\" no longer fits"));
    static const struct state_field name[] = { STATE_FIELD(BYTE, struct narrow, name) };
    const struct state_part short_name = { "wide", sizeof(struct narrow), name, 1 };
    assert_int_equal(read_part(&b, &short_name, (struct wide **)&got, &n, NULL), ERR_OK);
    assert_memory_equal(got[0].name, "one", 4);
    free(got);
    write_part(&b, &wide_part, rows, 3); /* "three" is longer than four */
    assert_int_equal(read_part(&b, &short_name, (struct wide **)&got, &n, &why), ERR_INVALID);
}

static void double_it(int from, void *row)
{
    struct wide *w = row;
    if (from == 0) w->b *= 2;
}

static void a_changed_meaning_needs_its_upgrade(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct why why;
    struct wide *got;
    size_t n;
    struct state_field f = STATE_FIELD(U32, struct wide, b);
    const struct state_part part = { "wide", sizeof(struct wide), &f, 1 };
    write_part(&b, &wide_part, rows, 1);
    f.meaning = 1;
    assert_int_equal(read_part(&b, &part, &got, &n, &why), ERR_INVALID);
    assert_non_null(
        strstr(why.text, "field \"b\" has come to mean another thing, and nothing upgrades it"));
    assert_non_null(strstr(why.text, "state part \"wide\" (written by tocsin"));
    f.upgrade = double_it;
    assert_int_equal(read_part(&b, &part, &got, &n, NULL), ERR_OK);
    assert_int_equal(got->b, 14);
    free(got);
    write_part(&b, &part, rows, 1);
    f.meaning = 0;
    assert_int_equal(read_part(&b, &part, &got, &n, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "newer program"));
}

/* The version stands behind magic and byte order. */
static void of_a_newer_program(struct buf *b)
{
    uint32_t version = STATE_VERSION + 4;
    memcpy(b->data + 12, &version, sizeof version);
}

static void what_a_newer_program_knew_is_not_dropped(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct why why;
    struct wide *got;
    size_t n;
    const struct state_part less = { "wide", sizeof(struct wide), all_fields, 2 };
    const struct state_part other = { "other", sizeof(struct wide), all_fields, 2 };
    write_part(&b, &wide_part, rows, 1);
    assert_int_equal(read_part(&b, &other, &got, &n, NULL), ERR_OK); /* ours: a part that went */
    assert_int_equal(n, 0);
    of_a_newer_program(&b);
    assert_int_equal(read_part(&b, &less, &got, &n, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "\"b\" is of a newer program"));
    assert_int_equal(read_part(&b, &other, &got, &n, &why), ERR_INVALID);
    char want[100];
    snprintf(want, sizeof want,
             "state part \"wide\" is not known here: tocsin with state version %d",
             STATE_VERSION + 4);
    assert_non_null(strstr(why.text, want));
    assert_int_equal(read_part(&b, &wide_part, &got, &n, NULL),
                     ERR_OK); /* all of it is known: taken */
    free(got);
}

static void cut_anywhere_it_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    struct why why;
    write_part(&b, &wide_part, rows, ARRAY_LEN(rows));
    for (size_t n = 0; n < b.len; n++) {
        char *copy = malloc(n + 1); /* exactly so long: the sanitizer sees a read beyond */
        struct state_reader r;
        memcpy(copy, b.data, n);
        assert_int_equal(state_open(copy, n, &r, &why), ERR_INVALID);
        free(copy);
    }
    srand(3);
    for (int round = 0; round < 20000; round++) { /* damaged: refused or read, never worse */
        char *copy = malloc(b.len);
        struct state_reader r;
        struct wide *got = NULL;
        size_t n, cap;
        memcpy(copy, b.data, b.len);
        copy[(size_t)rand() % b.len] = (char)rand();
        if (state_open(copy, b.len, &r, &why) == ERR_OK
            && state_get(&r, &wide_part, (void **)&got, &n, &cap, &why) == ERR_OK)
            free(got);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_program_reads_the_same_bits),
        cmocka_unit_test(fields_come_go_and_move),
        cmocka_unit_test(an_enum_is_found_by_its_text),
        cmocka_unit_test(numbers_grow_and_shrink_as_long_as_they_fit),
        cmocka_unit_test(a_changed_meaning_needs_its_upgrade),
        cmocka_unit_test(what_a_newer_program_knew_is_not_dropped),
        cmocka_unit_test(cut_anywhere_it_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
