/* test_fetch.c - cursors of one session that are read side by side, each with a page on its way. On a real PostgreSQL. */
#include "scratch_db.h"

#include "core/buf.h"
#include "store/fetch.h"

#include <stdlib.h>
#include <string.h>

static void open(struct fetch *f, const char *select, int rows)
{
    struct why why = { .text = "" };
    if (fetch_open(f, &root, select, rows, &why)) fail_msg("%s", why.text);
}

/* The numbers of a column, be they in one page or many, until there are no more. */
static int64_t sum_of_page(struct fetch *f, int *rows)
{
    const PGresult *page;
    struct why why = { .text = "" };
    int64_t sum = 0;
    if (fetch_page(f, &page, &why)) fail_msg("%s", why.text);
    *rows = page ? PQntuples(page) : 0;
    for (int i = 0; i < *rows; i++) {
        uint32_t v;
        assert_int_equal(PQgetlength(page, i, 0), 4);
        memcpy(&v, PQgetvalue(page, i, 0), 4);
        sum += __builtin_bswap32(v);
    }
    return sum;
}

static void a_cursor_gives_its_pages(void **state)
{
    (void)state;
    struct fetch f;
    sql("BEGIN");
    open(&f, "SELECT n FROM pg_catalog.generate_series(1, 25) n", 10);
    int rows;
    assert_int_equal(sum_of_page(&f, &rows), 55);
    assert_int_equal(sum_of_page(&f, &rows), 155);
    assert_int_equal(sum_of_page(&f, &rows), 21 + 22 + 23 + 24 + 25);
    assert_int_equal(rows, 5);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sum_of_page(&f, &rows), 0);
        assert_int_equal(rows, 0);
    }
    fetch_close(&f);
    fetch_close(&f);
    sql("ROLLBACK");
}

/* Two cursors in turn, with questions in between: each gives its own, all of it. */
static void two_are_read_side_by_side(void **state)
{
    (void)state;
    struct fetch a, b;
    struct why why = { .text = "" };
    sql("BEGIN");
    open(&a, "SELECT n FROM pg_catalog.generate_series(1, 1000) n", 7);
    open(&b, "SELECT -n FROM pg_catalog.generate_series(1, 500) n", 11);
    int64_t sums[2] = { 0, 0 };
    for (int more[2] = { 1, 1 }, i = 0; more[0] || more[1]; i++) {
        AUTO_PGRESULT PGresult *r = NULL;
        if (i % 3 == 1) {
            assert_int_equal(db_query(&root, "SELECT 42", 0, NULL, &r, &why), ERR_OK);
            assert_string_equal(PQgetvalue(r, 0, 0), "42");
        }
        const int which = i % 2;
        sums[which] += (int32_t)sum_of_page(which ? &b : &a, &more[which]);
    }
    assert_int_equal(sums[0], 500500);
    fetch_close(&a);
    fetch_close(&b);
    sql("ROLLBACK");
}

/* What goes wrong on the way is said to whose it is, also when another has taken the answer in. */
static void an_error_is_its_owners(void **state)
{
    (void)state;
    struct fetch f;
    struct why why = { .text = "" };
    const PGresult *page;
    sql("BEGIN");
    open(&f, "SELECT 1 / (n - 15) FROM pg_catalog.generate_series(1, 25) n", 10);
    assert_int_equal(fetch_page(&f, &page, &why), ERR_OK);
    db_settle(&root);
    assert_int_equal(fetch_page(&f, &page, &why), ERR_DB);
    assert_memory_equal(why.text, "22012", 5); /* division by zero */
    assert_null(page);
    fetch_close(&f);
    sql("ROLLBACK");
}

/* One that is closed with a page on its way leaves the session in order. */
static void one_is_closed_with_a_page_on_its_way(void **state)
{
    (void)state;
    struct fetch f;
    struct why why = { .text = "" };
    sql("BEGIN");
    open(&f, "SELECT n FROM pg_catalog.generate_series(1, 100000) n", 1000);
    int rows;
    sum_of_page(&f, &rows);
    fetch_close(&f);
    AUTO_PGRESULT PGresult *r = NULL;
    assert_int_equal(db_query(&root, "SELECT 1", 0, NULL, &r, &why), ERR_OK);
    assert_int_equal(PQntuples(r), 1);
    sql("ROLLBACK");
}

int main(void)
{
    if (!scratch_open("fetch")) return 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_gives_its_pages),
        cmocka_unit_test(two_are_read_side_by_side),
        cmocka_unit_test(an_error_is_its_owners),
        cmocka_unit_test(one_is_closed_with_a_page_on_its_way),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    return failed;
}
