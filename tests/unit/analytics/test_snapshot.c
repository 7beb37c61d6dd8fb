/* A tenant finds its own measures and everybody's, and no one else's. */
#include "analytics/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void find(void **state)
{
    (void)state;
    const struct uuid nobody = { { 0 } }, a = { { 1 } }, b = { { 2 } };
    struct snapshot *s = calloc(1, sizeof *s);
    atomic_init(&s->references, 1);
    s->rows_n = 5;
    s->rows = calloc(s->rows_n, sizeof *s->rows);
    const struct snapshot_row rows[] = { { .tenant = nobody, .measure = "hhi(X)" },
                                         { .tenant = nobody, .measure = "last(Y)" },
                                         { .tenant = a, .measure = "ai_exposure(book:g)" },
                                         { .tenant = a, .measure = "hhi(X)" },
                                         { .tenant = b, .measure = "ai_exposure(book:g)" } };
    memcpy(s->rows, rows, sizeof rows);
    static const struct {
        int tenant;
        const char *measure;
        int row;
    } cases[] = { { 0, "hhi(X)", 0 },
                  { 0, "last(Y)", 1 },
                  { 0, "ai_exposure(book:g)", -1 },
                  { 1, "hhi(X)", 3 },
                  { 1, "last(Y)", 1 },
                  { 1, "ai_exposure(book:g)", 2 },
                  { 2, "hhi(X)", 0 },
                  { 2, "ai_exposure(book:g)", 4 },
                  { 2, "nope", -1 },
                  { 1, "", -1 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct snapshot_row *got =
            snapshot_find(s, (struct uuid){ { (uint8_t)cases[i].tenant } }, cases[i].measure);
        assert_ptr_equal(got, cases[i].row < 0 ? NULL : &s->rows[cases[i].row]);
    }
    assert_ptr_equal(snapshot_retain(s), s);
    snapshot_release(s);
    assert_int_equal(atomic_load(&s->references), 1);
    snapshot_release(s); /* the last: freed, which the address sanitizer checks */
    snapshot_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(find) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
