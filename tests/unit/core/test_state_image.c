/* test_state_image.c - heads and pages, joined, are the state; a row that changes changes its page alone. */
#include "core/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct wide {
    int64_t a;
    uint32_t b;
    char text[40];
    bool yes;
};
static const struct state_field wide_fields[] = { STATE_FIELD(I64, struct wide, a),
                                                  STATE_FIELD(U32, struct wide, b),
                                                  STATE_FIELD(BYTE, struct wide, text),
                                                  STATE_FIELD(BOOL, struct wide, yes) };
static const struct state_part wide_part = { "wide", sizeof(struct wide), wide_fields,
                                             ARRAY_LEN(wide_fields) };
struct pair {
    int64_t a, b;
};
static const struct state_field pair_fields[] = { STATE_FIELD(I64, struct pair, a),
                                                  STATE_FIELD(I64, struct pair, b) };
static const struct state_part pair_part = { "pair", sizeof(struct pair), pair_fields,
                                             ARRAY_LEN(pair_fields) };

enum { ROWS = 10000, WIDE_PACKED = 8 + 4 + 40 + 1 };
static struct wide wides[ROWS];
static struct pair pairs[ROWS];

static int fill(void **state)
{
    (void)state;
    srand(20261130);
    for (int i = 0; i < ROWS; i++) {
        wides[i] = (struct wide){ .a = rand(), .b = (uint32_t)rand(), .yes = rand() % 2 };
        wides[i].text[rand() % 40] = 'x';
        pairs[i] = (struct pair){ rand(), rand() };
    }
    return 0;
}

static void put_all(struct state_writer w, size_t n)
{
    state_put(&w, &wide_part, wides, n);
    state_put(&w, &pair_part, pairs, n);
    state_write_end(&w);
}

static struct state_image image_of(size_t n)
{
    struct state_image m = { 0 };
    put_all(state_write_image(&m), n);
    assert_true(state_image_end(&m));
    return m;
}

/* Piece by piece, as who stores it reads it back. */
static void join(const struct state_image *m, struct buf *out)
{
    for (size_t i = 0; i < m->parts_n; i++) {
        const struct state_image_part *p = &m->parts[i];
        buf_put(out, m->bytes.data + p->head_at, p->head_n);
        size_t at = p->at;
        for (size_t k = 0; k < p->pages_n; at += p->pages[k++].n)
            buf_put(out, m->bytes.data + at, p->pages[k].n);
    }
}

static void joined_it_is_the_state(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 1236, 1237, 4096, 4097, ROWS };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        AUTO_BUF struct buf whole = { 0 }, joined = { 0 };
        struct state_image m = image_of(sizes[i]);
        put_all(state_write(&whole), sizes[i]);
        join(&m, &joined);
        assert_int_equal(joined.len, whole.len);
        assert_memory_equal(joined.data, whole.data, whole.len);
        assert_string_equal(m.parts[m.parts_n - 1].name, "end");
        state_image_release(&m);
    }
}

static void pages_are_whole_rows(void **state)
{
    (void)state;
    struct state_image m = image_of(ROWS);
    assert_int_equal(m.parts_n, 3);
    const size_t rows[] = { WIDE_PACKED, 16 };
    for (int i = 0; i < 2; i++) {
        const size_t per_page = STATE_PAGE_BYTES / rows[i];
        assert_int_equal(m.parts[i].pages_n, (ROWS + per_page - 1) / per_page);
        for (size_t k = 0; k + 1 < m.parts[i].pages_n; k++)
            assert_int_equal(m.parts[i].pages[k].n, per_page * rows[i]);
        assert_int_equal(m.parts[i].pages[m.parts[i].pages_n - 1].n, ROWS % per_page * rows[i]);
    }
    state_image_release(&m);
}

/* How many pages of the part differ, of those that both have. */
static size_t different(const struct state_image *a, const struct state_image *b, int part)
{
    const struct state_image_part *p = &a->parts[part], *q = &b->parts[part];
    size_t n = 0, at = p->at, bt = q->at;
    for (size_t k = 0; k < p->pages_n && k < q->pages_n; k++) {
        n += p->pages[k].n != q->pages[k].n
             || memcmp(a->bytes.data + at, b->bytes.data + bt, p->pages[k].n) != 0;
        at += p->pages[k].n;
        bt += q->pages[k].n;
    }
    return n;
}

static void a_row_changes_its_page_alone(void **state)
{
    (void)state;
    struct state_image before = image_of(ROWS - 1);
    wides[5000].b++;
    pairs[17].b++;
    struct state_image after = image_of(ROWS); /* and a row was appended */
    assert_int_equal(different(&before, &after, 0), 2);
    assert_int_equal(different(&before, &after, 1), 2);
    state_image_release(&before);
    state_image_release(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joined_it_is_the_state),
        cmocka_unit_test(pages_are_whole_rows),
        cmocka_unit_test(a_row_changes_its_page_alone),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
