/* test_rule_set_save.c - a saved set of rules is read by names: other programs' field lists,
 * parts that are not ours, what points nowhere, and what is torn. */
#include "alerts/rules/rule_set_save.h"

#include "alerts/rules/rule_set.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static void ignore(void *ctx, const struct fire *f)
{
    (void)ctx;
    (void)f;
}

/* Every phase, both severities of a thing: rules of one to three terms, disabled, deleted,
 * pending, firing, in the dark. */
static struct rule_set *some_rules(void)
{
    struct rule_set *s;
    struct rule_set_change change;
    assert_int_equal(rule_set_new(&s), ERR_OK);
    for (unsigned i = 0; i < 60; i++) {
        const struct term terms[] = { { 5 + i % 4, 3, i % 6, true },
                                      { 6, 7, (i + 1) % 6, false },
                                      { 2, 2, 5, true } };
        const struct rule_spec spec = { .tenant = { { 1, (uint8_t)(i % 3) } },
                                        .id = { { 2, (uint8_t)i } },
                                        .no = 100 + i,
                                        .version = 1 + (int32_t)(i % 2),
                                        .terms = terms,
                                        .terms_n = 1 + i % 3,
                                        .need = i % 2,
                                        .clocks = { i % 5 ? 0 : 50, i % 7, i % 4 == 0,
                                                    i % 10 ? HOLD_CLOCK : HOLD_SESSION },
                                        .severity = (enum severity)(i % 3),
                                        .enabled = i % 9 != 0,
                                        .name = i % 2 ? "" : "a name",
                                        .text = "last(A) >= 5, a text that is longer than a line "
                                                "of the saved words, which is 64 bytes long" };
        assert_int_equal(rule_set_put(s, &spec, 0, ignore, NULL, &change, NULL), ERR_OK);
        if (i % 11 == 0)
            assert_int_equal(rule_set_delete(s, spec.tenant, spec.id, 0, ignore, NULL, &change),
                             ERR_OK);
    }
    for (int64_t now = 1; now < 40; now++) {
        const uint32_t series = upto(5); /* 5 never has a value */
        rule_set_time(s, now, NULL, ignore, NULL);
        rule_set_move(s, series, upto(10), now);
        if (now % 10 == 0) rule_set_unusable(s, upto(5));
        rule_set_decide(s, now, ignore, NULL);
    }
    return s;
}

static void save(const struct rule_set *s, struct buf *out)
{
    buf_clear(out);
    rule_set_save(s, out);
    assert_true(buf_ok(out));
}

/* ---- another program's field lists ---- */
enum { FIELDS_MAX = 40, ROW_MAX = 1024, EXTRA = 512 };

struct edit {
    struct state_field fields[FIELDS_MAX];
    struct state_part part;
};

/* The same part as a program knows it whose fields stand in another order, with some of its
 * own among them. */
static void edit_part(const struct state_part *from, struct edit *e)
{
    static const struct state_field news[] = {
        { .name = "news_a", .type = STATE_I64, .offset = EXTRA, .count = 1 },
        { .name = "news_b", .type = STATE_BYTE, .offset = EXTRA + 8, .count = 5 },
        { .name = "news_c", .type = STATE_F64, .offset = EXTRA + 16, .count = 3 },
    };
    size_t n = from->fields_n;
    memcpy(e->fields, from->fields, n * sizeof *e->fields);
    for (size_t i = 0; i < 3; i++)
        if (upto(2)) e->fields[n++] = news[i];
    for (size_t i = n; i > 1; i--) {
        const size_t k = upto((uint32_t)i);
        const struct state_field f = e->fields[k];
        e->fields[k] = e->fields[i - 1];
        e->fields[i - 1] = f;
    }
    assert_true(from->size <= EXTRA);
    e->part = (struct state_part){ from->name, ROW_MAX, e->fields, n };
}

/* `in` as the other program would have written it: the parts in random order, one of its own,
 * rows with its fields. `lose`: one field of ours that it does not know, or NULL. */
static void rewrite(const struct buf *in, const char *lose_part, const char *lose, struct buf *out)
{
    struct state_reader r;
    struct why why = { 0 };
    buf_clear(out);
    if (state_open(in->data, in->len, &r, &why)) fail_msg("%s", why.text);
    struct state_writer w = state_write(out);
    const uint32_t first = upto(PART_COUNT);
    for (uint32_t i = 0; i < PART_COUNT; i++) {
        static struct edit e;
        void *rows;
        size_t n, cap;
        const struct state_part *ours = &rule_set_parts[(first + i) % PART_COUNT];
        edit_part(ours, &e);
        if (state_get(&r, &e.part, &rows, &n, &cap, &why)) fail_msg("%s", why.text);
        for (size_t k = 0; k < n; k++) memset((char *)rows + k * ROW_MAX + EXTRA, (int)k, 64);
        for (size_t k = 0; lose && !strcmp(ours->name, lose_part) && k < e.part.fields_n; k++)
            if (strcmp(e.fields[k].name, lose) == 0) e.fields[k] = e.fields[--e.part.fields_n];
        state_put(&w, &e.part, rows, n);
        if (i == 1) state_put(&w, &(struct state_part){ "others", 8, NULL, 0 }, NULL, 0);
        free(rows);
    }
    state_write_end(&w);
    assert_true(buf_ok(out));
}

static struct rule_set *load(const struct buf *b)
{
    struct rule_set *s;
    struct why why = { 0 };
    size_t used = 0;
    if (rule_set_load(b->data, b->len, &s, &used, &why)) fail_msg("%s", why.text);
    assert_int_equal(used, b->len);
    return s;
}

static void fields_may_come_and_move(void **state)
{
    (void)state;
    AUTO_BUF struct buf mine = { 0 }, other = { 0 }, again = { 0 };
    seed = 4711;
    struct rule_set *s = some_rules();
    save(s, &mine);
    for (int i = 0; i < 200; i++) {
        rewrite(&mine, NULL, NULL, &other);
        struct rule_set *read = load(&other);
        save(read, &again);
        assert_int_equal(again.len, mine.len);
        assert_memory_equal(again.data, mine.data, mine.len);
        rule_set_free(read);
    }
    rule_set_free(s);
}

/* What a field holds where it has gone: nothing else has changed, or the whole is refused and
 * says why. */
static void compare_but(const struct buf *a, const struct buf *b, const struct state_part *part,
                        const struct state_field *gone)
{
    struct state_reader x, y;
    struct why why;
    assert_int_equal(state_open(a->data, a->len, &x, &why), ERR_OK);
    assert_int_equal(state_open(b->data, b->len, &y, &why), ERR_OK);
    for (size_t p = 0; p < PART_COUNT; p++) {
        void *rows, *others;
        size_t n, other_n, cap;
        const struct state_part *of = &rule_set_parts[p];
        assert_int_equal(state_get(&x, of, &rows, &n, &cap, &why), ERR_OK);
        assert_int_equal(state_get(&y, of, &others, &other_n, &cap, &why), ERR_OK);
        assert_int_equal(n, other_n);
        for (size_t i = 0; of == part && i < n; i++) {
            static const int bytes[STATE_TYPE_COUNT] = {
                [STATE_I64] = 8,   [STATE_U64] = 8,  [STATE_I32] = 4,  [STATE_U32] = 4,
                [STATE_U16] = 2,   [STATE_U8] = 1,   [STATE_BOOL] = 1, [STATE_F64] = 8,
                [STATE_I128] = 16, [STATE_BYTE] = 1, [STATE_ENUM] = 4,
            };
            const size_t at = i * of->size + gone->offset,
                         size = gone->count * (size_t)bytes[gone->type];
            memset((char *)rows + at, 0, size);
            memset((char *)others + at, 0, size);
        }
        if (n) assert_memory_equal(rows, others, n * of->size);
        free(rows);
        free(others);
    }
}

static void a_field_may_be_missing(void **state)
{
    (void)state;
    AUTO_BUF struct buf mine = { 0 }, other = { 0 }, again = { 0 };
    seed = 4712;
    struct rule_set *s = some_rules(), *read;
    save(s, &mine);
    size_t taken = 0, refused = 0;
    for (size_t p = 0; p < PART_WORDS; p++) /* of the words nothing would be left */
        for (size_t i = 0; i < rule_set_parts[p].fields_n; i++) {
            const struct state_field *gone = &rule_set_parts[p].fields[i];
            struct why why = { 0 };
            size_t used;
            rewrite(&mine, rule_set_parts[p].name, gone->name, &other);
            if (rule_set_load(other.data, other.len, &read, &used, &why)) {
                assert_non_null(strstr(why.text, "saved rules: "));
                refused++;
                continue;
            }
            save(read, &again);
            compare_but(&mine, &again, &rule_set_parts[p], gone);
            rule_set_free(read);
            taken++;
        }
    printf("%zu fields may be missing, %zu may not\n", taken, refused);
    assert_true(taken >= 18);
    rule_set_free(s);
}

/* ---- what is wrong ---- */
static void what_is_torn_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    seed = 4713;
    struct rule_set *s = some_rules(), *read;
    struct why why;
    size_t used;
    save(s, &b);
    for (size_t n = 0; n < b.len; n += n < 300 ? 1 : 37) {
        char *part = malloc(n ? n : 1);
        assert_non_null(part);
        memcpy(part, b.data, n);
        assert_int_equal(rule_set_load(part, n, &read, &used, &why), ERR_INVALID);
        free(part);
    }
    rule_set_free(s);
}

/* `in` with one field of one row set to `value`, as only a broken program would have written it. */
static void tamper(const struct buf *in, enum rule_set_part which, const char *field, size_t row,
                   const void *value, size_t size, struct buf *out)
{
    struct state_reader r;
    struct why why;
    buf_clear(out);
    assert_int_equal(state_open(in->data, in->len, &r, &why), ERR_OK);
    struct state_writer w = state_write(out);
    for (size_t p = 0; p < PART_COUNT; p++) {
        void *rows;
        size_t n, cap;
        const struct state_part *part = &rule_set_parts[p];
        assert_int_equal(state_get(&r, part, &rows, &n, &cap, &why), ERR_OK);
        for (size_t i = 0; p == which && i < part->fields_n; i++)
            if (strcmp(part->fields[i].name, field) == 0)
                memcpy((char *)rows + row * part->size + part->fields[i].offset, value, size);
        state_put(&w, part, rows, n);
        free(rows);
    }
    state_write_end(&w);
}

static void what_points_nowhere_is_refused(void **state)
{
    (void)state;
    static const uint32_t much = 1000, many = RULE_TERMS_MAX + 1, four = 4, none = 0;
    static const struct uuid nobody = { { 99 } }, first_tenant = { { 1, 0 } },
                             rule_3 = { { 2, 3 } };
    static const bool off = false;
    static const struct {
        enum rule_set_part part;
        const char *field;
        size_t row;
        const void *value;
        size_t size;
        const char *says;
    } rows[] = {
        { PART_RULES, "terms_n", 1, &many, 4, "rule 1 has a wrong number of terms" },
        { PART_RULES, "terms_n", 1, &none, 4, "rule 1 has a wrong number of terms" },
        { PART_RULES, "need", 1, &four, 4, "rule 1 has a wrong number of terms" },
        { PART_RULES, "live", 1, &off, 1, "rule 1 has a wrong number of terms" },
        { PART_RULES, "tenant", 1, &nobody, 16, "rule 1 is of a tenant that is none" },
        { PART_RULES, "id", 6, &rule_3, 16, "rule 6 is there twice" }, /* of the same tenant */
        { PART_TERMS, "series", 0, &much, 4, "rule 1 is about a series that is none" },
        { PART_TENANTS, "id", 1, &first_tenant, 16, "tenant 1 is there twice" },
    };
    AUTO_BUF struct buf b = { 0 }, bad = { 0 };
    seed = 4716;
    struct rule_set *s = some_rules(), *read;
    save(s, &b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct why why = { 0 };
        size_t used;
        tamper(&b, rows[i].part, rows[i].field, rows[i].row, rows[i].value, rows[i].size, &bad);
        enum err e = rule_set_load(bad.data, bad.len, &read, &used, &why);
        if (e != ERR_INVALID || !strstr(why.text, rows[i].says))
            fail_msg("row %zu: %s: %s", i, err_name(e), why.text);
    }
    rule_set_free(s);
}

/* The last text has no end: whatever stands behind it in memory is not read. */
static void a_text_without_an_end_is_refused(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    seed = 4715;
    struct rule_set *s = some_rules(), *read;
    struct why why;
    size_t used;
    save(s, &b);
    for (size_t at = b.len - 5; b.data[at] == 0; at--) b.data[at] = 'x'; /* 4: the end of parts */
    assert_int_equal(rule_set_load(b.data, b.len, &read, &used, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "saved rules: rule 59 has lost its texts"));
    rule_set_free(s);
}

/* Any byte may be another: then it is refused, or read as something that is whole. */
static void a_wrong_byte_breaks_nothing(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 }, again = { 0 };
    seed = 4714;
    struct rule_set *s = some_rules(), *read;
    struct why why;
    size_t used, refused = 0;
    save(s, &b);
    for (int i = 0; i < 4000; i++) {
        const size_t at = upto((uint32_t)b.len);
        const char was = b.data[at];
        b.data[at] = (char)upto(256);
        why.text[0] = 0;
        if (rule_set_load(b.data, b.len, &read, &used, &why)) {
            assert_true(why.text[0]);
            refused++;
        } else {
            for (uint32_t series = 0; series < 6; series++)
                rule_set_move(read, series, upto(10), 1000);
            rule_set_time(read, 1000, NULL, ignore, NULL);
            rule_set_decide(read, 1000, ignore, NULL);
            save(read, &again);
            rule_set_free(read);
        }
        b.data[at] = was;
    }
    assert_true(refused > 100);
    rule_set_free(s);
}

/* ---- what state version 1 wrote ---- */
struct old_words {
    char line[64];
};
static const struct state_field old_words_fields[] = { STATE_FIELD(BYTE, struct old_words, line) };
static const struct state_part old_words = { "rule_words", sizeof(struct old_words),
                                             old_words_fields, 1 };

static void field_across(const struct state_part *from, const char *row,
                         const struct state_part *to, char *into)
{
    for (size_t a = 0; a < from->fields_n; a++)
        for (size_t b = 0; b < to->fields_n; b++) {
            const struct state_field *f = &from->fields[a], *t = &to->fields[b];
            if (strcmp(f->name, t->name) != 0) continue;
            assert_int_equal(f->type, t->type);
            memcpy(into + t->offset, row + f->offset,
                   f->type == STATE_BOOL   ? 1
                   : f->type == STATE_ENUM ? 4
                                           : 8);
        }
}

/* States were fields of the rules, and texts lines of 64 bytes. */
static void as_version_1(const struct buf *in, struct buf *out)
{
    struct state_reader r;
    struct why why;
    buf_clear(out);
    assert_int_equal(state_open(in->data, in->len, &r, &why), ERR_OK);
    struct state_writer w = state_write(out);
    char *of[PART_COUNT];
    size_t n[PART_COUNT], cap;
    for (size_t p = 0; p < PART_COUNT; p++)
        assert_int_equal(state_get(&r, &rule_set_parts[p], (void **)&of[p], &n[p], &cap, &why),
                         ERR_OK);
    const struct state_part *rules = &rule_set_parts[PART_RULES],
                            *states = &rule_set_parts[PART_STATES];
    assert_int_equal(n[PART_STATES], n[PART_RULES]);
    for (size_t i = 0; i < n[PART_RULES]; i++)
        field_across(states, of[PART_STATES] + i * states->size, rules,
                     of[PART_RULES] + i * rules->size);
    struct old_words *lines = calloc(n[PART_WORDS] / 64 + 1, sizeof *lines);
    assert_non_null(lines);
    memcpy(lines, of[PART_WORDS], n[PART_WORDS]);
    static const enum rule_set_part as_it_is[] = { PART_RULES, PART_TERMS, PART_SERIES,
                                                   PART_TENANTS, PART_CLOSES };
    for (size_t i = 0; i < ARRAY_LEN(as_it_is); i++)
        state_put(&w, &rule_set_parts[as_it_is[i]], of[as_it_is[i]], n[as_it_is[i]]);
    state_put(&w, &old_words, lines, n[PART_WORDS] / 64 + 1);
    state_write_end(&w);
    free(lines);
    for (size_t p = 0; p < PART_COUNT; p++) free(of[p]);
}

static void state_version_1_is_read(void **state)
{
    (void)state;
    AUTO_BUF struct buf mine = { 0 }, old = { 0 }, again = { 0 };
    seed = 4717;
    struct rule_set *s = some_rules();
    save(s, &mine);
    as_version_1(&mine, &old);
    struct rule_set *read = load(&old);
    save(read, &again);
    assert_int_equal(again.len, mine.len);
    assert_memory_equal(again.data, mine.data, mine.len);
    rule_set_free(read);
    rule_set_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_may_come_and_move),
        cmocka_unit_test(a_field_may_be_missing),
        cmocka_unit_test(what_is_torn_is_refused),
        cmocka_unit_test(what_points_nowhere_is_refused),
        cmocka_unit_test(a_text_without_an_end_is_refused),
        cmocka_unit_test(a_wrong_byte_breaks_nothing),
        cmocka_unit_test(state_version_1_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
