/* test_batch.c - a batch is filled, handed over, emptied and filled again. */
#include "ingest/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void slots_come_zeroed_and_keep_their_content(void **state)
{
    (void)state;
    struct ingest_batch *b;
    assert_int_equal(ingest_batch_new(&b), ERR_OK);
    for (int turn = 0; turn < 2;
         turn++) { /* the second turn meets the memory that the first one wrote */
        for (int i = 0; i < 1000; i++) {
            static const struct record zero_record;
            static const struct dead_letter zero_dead;
            static const struct source_life zero_life;
            static const struct data_gap zero_gap;
            struct record *r = ingest_batch_record(b);
            assert_memory_equal(r, &zero_record, sizeof *r);
            r->offset = i;
            r->kind = RECORD_TRADE;
            r->u.trade.price_e8 = -1;
            struct dead_letter *d = ingest_batch_dead(b);
            assert_memory_equal(d, &zero_dead, sizeof *d);
            d->kafka_offset = i;
            d->detail = arena_copy(&b->arena, "field", 5);
            struct source_life *l = ingest_batch_life(b);
            assert_memory_equal(l, &zero_life, sizeof *l);
            l->next_offset = i;
            struct data_gap *g = ingest_batch_gap(b);
            assert_memory_equal(g, &zero_gap, sizeof *g);
            g->to_offset = i;
        }
        assert_int_equal(b->records_n, 1000);
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(b->records[i].offset, i);
            assert_int_equal(b->records[i].u.trade.price_e8, -1);
            assert_int_equal(b->dead[i].kafka_offset, i);
            assert_string_equal(b->dead[i].detail, "field");
            assert_int_equal(b->lives[i].next_offset, i);
            assert_int_equal(b->gaps[i].to_offset, i);
        }
        b->taken_ns = 5;
        const struct record *memory = b->records;
        ingest_batch_clear(b);
        assert_ptr_equal(b->records, memory);
        assert_int_equal(b->records_n + b->dead_n + b->lives_n + b->gaps_n + b->marks_n, 0);
        assert_int_equal(b->taken_ns, 0);
    }
    ingest_batch_free(b);
    ingest_batch_free(NULL);
}

static void a_source_has_one_mark(void **state)
{
    (void)state;
    struct ingest_batch *b;
    assert_int_equal(ingest_batch_new(&b), ERR_OK);
    for (int64_t offset = 1; offset <= 300; offset++)
        for (int32_t source = 1; source <= 20; source++)
            ingest_batch_mark(b, source)->next_offset = offset * source;
    assert_int_equal(b->marks_n, 20);
    for (size_t i = 0; i < b->marks_n; i++) {
        assert_int_equal(b->marks[i].source_id, (int32_t)i + 1);
        assert_int_equal(b->marks[i].next_offset, 300 * ((int64_t)i + 1));
        assert_int_equal(b->marks[i].fingerprint, 0);
    }
    ingest_batch_clear(b);
    assert_int_equal(ingest_batch_mark(b, 7)->next_offset, 0);
    assert_int_equal(b->marks_n, 1);
    ingest_batch_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_come_zeroed_and_keep_their_content),
        cmocka_unit_test(a_source_has_one_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
