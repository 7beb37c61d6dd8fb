/* test_configured.c - engine.track's measures begin when their subject is known, once; settings
 * become a record when they differ. */
#include "tests/unit/app/threads/loop.h"

static void bring(struct record r)
{
    struct ingest_batch *b;
    assert_int_equal(ingest_batch_new(&b), ERR_OK);
    add(b, r);
    engine_loop_apply(&loop, b);
    assert_int_equal(b->dead_n, 0);
    ingest_batch_free(b);
}
static bool tracked(const char *text)
{
    const uint32_t no = engine_find_series(loop.step.engine, tenant(0), text);
    return no != SERIES_NONE && engine_series_facts(loop.step.engine, no).configured;
}
static enum err read_tracks(const char *tracks, struct why *why)
{
    config.engine_track = (char *)tracks;
    return engine_loop_read_tracks(&loop, why);
}

static void a_measure_begins_with_its_subject(void **state)
{
    (void)state;
    struct why why = { 0 };
    assert_int_equal(read_tracks(" last( B ) ;; last(A);ret(A, window=1d);", &why), ERR_OK);
    assert_int_equal(loop.tracks_n, 3);
    engine_loop_try_tracks(&loop);
    assert_int_equal(loop.tracks_n, 3);
    assert_int_equal(engine_seq(loop.step.engine), 0);
    bring(stock("A"));
    assert_int_equal(engine_seq(loop.step.engine), 3); /* the instrument, and one record each */
    assert_true(tracked("last(A)") && tracked("ret(A)"));
    assert_int_equal(loop.tracks_n, 1);
    bring(stock("B"));
    assert_true(tracked("last(B)"));
    assert_int_equal(loop.tracks_n, 0);
    assert_int_equal(read_tracks("last(A); last(B)", &why), ERR_OK); /* a restart: they are there */
    assert_int_equal(loop.tracks_n, 0);
}

static void what_is_no_measure_is_said(void **state)
{
    (void)state;
    struct why why = { 0 };
    assert_int_equal(read_tracks("last(A); foo(B)", &why), ERR_UNKNOWN_MEASURE);
    assert_non_null(strstr(why.text, "foo"));
    AUTO_BUF struct buf many = { 0 };
    for (int i = 0; i < TRACKS_MAX; i++) buf_printf(&many, "last(S%d);", i);
    buf_puts(&many, " last(S) ");
    assert_int_equal(read_tracks(many.data, &why),
                     ERR_LIMIT); /* one more than TRACKS_MAX, with last(A) two */
    assert_non_null(strstr(why.text, "256"));
}

static void settings_are_a_record_when_they_differ(void **state)
{
    (void)state;
    config.engine_stale_after_ms = 5000;
    config.engine_sample_ms = 100;
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 1);
    const struct market_settings s = engine_settings(loop.step.engine);
    assert_int_equal(s.stale_after_ns, INT64_C(5000000000));
    assert_int_equal(s.sample_ns, INT64_C(100000000));
    assert_int_equal(s.coverage_gate_e8, 95000000); /* 95 % */
    assert_true(s.drop_unasked && s.hold_shares && s.readings_on_change);
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 1);
    config.engine_coverage_gate_pct = 90;
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 2);
    config.quality_shares = (char *)"take";
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 3);
    assert_false(engine_settings(loop.step.engine).hold_shares);
    config.engine_burst_alerts = 7;
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 4);
    assert_int_equal(engine_settings(loop.step.engine).burst_alerts, 7);
    config.engine_readings = (char *)"every";
    engine_loop_apply_settings(&loop);
    assert_int_equal(engine_seq(loop.step.engine), 5);
    assert_false(engine_settings(loop.step.engine).readings_on_change);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_measure_begins_with_its_subject),
        STORY(what_is_no_measure_is_said),
        STORY(settings_are_a_record_when_they_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
