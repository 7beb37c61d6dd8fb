/* test_snapshots.c - a state in pages: what changed is written, what nothing names is gone, and what was cut or altered is found
 * and named. On a real PostgreSQL. */
#include "scratch_db.h"

#include "core/state.h"
#include "core/when.h"
#include "store/snapshots.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

struct number {
    int64_t v;
};
static const struct state_field number_fields[] = { STATE_FIELD(I64, struct number, v) };
#define PART(name) { name, sizeof(struct number), number_fields, 1 }
static const struct state_part parts[] = { PART("few"), PART("many") };
enum { VERSION = 6, PER_PAGE = STATE_PAGE_BYTES / 8, PAGES = 10 };

static struct number rows[2][PAGES * PER_PAGE];
static size_t rows_n[2];
static struct snapshots *snapshots;
static struct db db;
static struct snapshot_written written;

static struct state_snapshot state_now(uint64_t seq, int64_t event_ns)
{
    struct state_snapshot x = { .seq = seq, .event_ns = event_ns, .version = VERSION };
    struct state_writer w = state_write_image(&x.image);
    for (int i = 0; i < 2; i++) state_put(&w, &parts[i], rows[i], rows_n[i]);
    state_write_end(&w);
    assert_true(state_image_end(&x.image));
    return x;
}

static enum err try_write(uint64_t seq, int64_t event_ns, int keep_days, struct why *why)
{
    struct state_snapshot x = state_now(seq, event_ns);
    enum err e = snapshots_write(snapshots, &db, &x, keep_days, &written, why);
    state_image_release(&x.image);
    return e;
}

static void write_now(uint64_t seq)
{
    struct why why = { .text = "" };
    if (try_write(seq, (int64_t)seq * NS_PER_S, 0, &why)) fail_msg("%s", why.text);
}

static void assert_state_is(const struct buf *state)
{
    AUTO_BUF struct buf want = { 0 };
    struct state_writer w = state_write(&want);
    for (int i = 0; i < 2; i++) state_put(&w, &parts[i], rows[i], rows_n[i]);
    state_write_end(&w);
    assert_int_equal(state->len, want.len);
    assert_memory_equal(state->data, want.data, want.len);
}

static enum err read_before(uint64_t before, struct snapshot_found *found, struct buf *state,
                            struct why *why)
{
    const struct snapshot_wish wish = { VERSION, before, INT64_MAX, 0 };
    return snapshots_read(snapshots, &db, &wish, found, state, why);
}

static void assert_reads(uint64_t seq)
{
    struct why why = { .text = "" };
    struct snapshot_found found;
    AUTO_BUF struct buf state = { 0 };
    if (read_before(UINT64_MAX, &found, &state, &why)) fail_msg("%s", why.text);
    assert_int_equal(found.seq, seq);
    if (seq) assert_state_is(&state);
}

/* Every page that is there is named, and every page that is named is there. */
static void assert_no_page_is_lost_or_left(void)
{
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot_page p WHERE NOT EXISTS"
                            " (SELECT FROM tocsin.snapshot_part WHERE p.page_id = ANY (pages))"),
                     0);
    assert_int_equal(number("SELECT count(*) FROM (SELECT unnest(pages) FROM tocsin.snapshot_part"
                            " EXCEPT SELECT page_id FROM tocsin.snapshot_page) x"),
                     0);
}

static int begin(void **state)
{
    (void)state;
    struct why why;
    sql("TRUNCATE tocsin.snapshot, tocsin.snapshot_part, tocsin.snapshot_page");
    rows_n[0] = 100, rows_n[1] = PAGES * PER_PAGE - 50;
    for (size_t i = 0; i < rows_n[1]; i++) rows[0][i].v = (int64_t)i, rows[1][i].v = -(int64_t)i;
    if (snapshots_new(&snapshots) || db_open(conninfo, "tocsin_engine", "test", &db, &why))
        return -1;
    assert_reads(0);
    return 0;
}
static int end(void **state)
{
    (void)state;
    snapshots_free(snapshots);
    db_close(&db);
    return 0;
}

static void what_changed_is_written(void **state)
{
    (void)state;
    write_now(100);
    assert_int_equal(written.pages, 1 + PAGES);
    assert_int_equal(written.all_pages, 1 + PAGES);
    assert_reads(100);
    rows[1][3 * PER_PAGE].v++; /* one row */
    rows_n[1] += 50;           /* and some more at the end */
    write_now(200);
    assert_int_equal(written.pages, 2);
    assert_reads(200);
    write_now(300); /* nothing */
    assert_int_equal(written.pages, 0);
    assert_reads(300);
    rows_n[1] = PER_PAGE; /* fewer */
    write_now(400);
    assert_int_equal(written.pages, 0);
    assert_reads(400);
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot"), 2);
    assert_no_page_is_lost_or_left();
}

/* A hundred states at random, each read back; and from each the next goes on as after a restart, or as before it. */
static void random_changes_come_back(void **state)
{
    (void)state;
    srand(20261130);
    for (uint64_t seq = 1; seq <= 100; seq++) {
        const size_t n = (size_t)(rand() % (PAGES * PER_PAGE));
        if (rand() % 4 == 0) rows_n[rand() % 2] = n;
        for (int k = rand() % 5; k > 0; k--)
            rows[rand() % 2][(size_t)rand() % (PAGES * PER_PAGE)].v = rand();
        const int64_t day = (int64_t)(seq / 10);
        struct why why = { .text = "" };
        if (try_write(seq, day * NS_PER_DAY + (int64_t)seq, 2, &why)) fail_msg("%s", why.text);
        assert_int_equal(written.kept, seq == 1 || seq % 20 == 0);
        if (rand() % 2) assert_reads(seq);
        if (rand() % 3 == 0) { /* another program's memory of it */
            snapshots_free(snapshots);
            assert_int_equal(snapshots_new(&snapshots), ERR_OK);
            assert_reads(seq);
        }
        if (seq % 10 == 0) assert_no_page_is_lost_or_left();
    }
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot WHERE kept"), 6);
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot"),
                     7); /* the newest is kept too */
    struct snapshot_found found;
    AUTO_BUF struct buf old = { 0 };
    const struct snapshot_wish wish = { VERSION, UINT64_MAX, 5 * NS_PER_DAY, 0 };
    assert_int_equal(snapshots_read(snapshots, &db, &wish, &found, &old, NULL), ERR_OK);
    assert_int_equal(found.seq, 40); /* day 4 */
}

static void damage_is_found_and_named(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *says;
    } damages[] = {
        { "UPDATE tocsin.snapshot_page SET bytes = set_byte(bytes, 4711, get_byte(bytes, 4711) # 1)"
          " WHERE page_id = (SELECT max(page_id) FROM tocsin.snapshot_page)",
          "page 7 of part \"many\" of snapshot 200 (page_id 12) was cut or altered" },
        { "UPDATE tocsin.snapshot_page SET bytes = substr(bytes, 1, 65000)"
          " WHERE page_id = (SELECT max(page_id) FROM tocsin.snapshot_page)",
          "page 7 of part \"many\" of snapshot 200 (page_id 12) was cut or altered" },
        { "DELETE FROM tocsin.snapshot_page"
          " WHERE page_id = (SELECT max(page_id) FROM tocsin.snapshot_page)",
          "page 7 of part \"many\" of snapshot 200 (page_id 12) is gone" },
        { "UPDATE tocsin.snapshot_part SET pages[8] = pages[7] WHERE seq = 200 AND part = 'many'",
          "part \"many\" of snapshot 200 was altered" },
        { "UPDATE tocsin.snapshot_part SET pages = '{}', sums = '{}' WHERE seq = 200 AND part = 'many'",
          "part \"many\" of snapshot 200 was altered" },
        { "UPDATE tocsin.snapshot_part SET head = set_byte(head, 5, 1) WHERE seq = 200 AND part = 'few'",
          "part \"few\" of snapshot 200 was altered" },
        { "DELETE FROM tocsin.snapshot_part WHERE seq = 200 AND part = 'few'",
          "part \"many\" of snapshot 200 was altered" },
        { "DELETE FROM tocsin.snapshot_part WHERE seq = 200 AND part = 'end'",
          "snapshot 200 has lost parts" },
    };
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct why why = { .text = "" };
        struct snapshot_found found;
        AUTO_BUF struct buf state_read = { 0 };
        end(NULL);
        begin(NULL);
        write_now(100);
        rows[1][7 * PER_PAGE].v++;
        write_now(200);
        sql(damages[i].sql);
        assert_int_equal(read_before(UINT64_MAX, &found, &state_read, &why), ERR_INVALID);
        assert_string_equal(why.text, damages[i].says);
        assert_int_equal(found.seq, 200);
        rows[1][7 * PER_PAGE].v--; /* the one before */
        buf_clear(&state_read);
        assert_int_equal(read_before(found.seq, &found, &state_read, &why), ERR_OK);
        assert_int_equal(found.seq, 100);
        assert_state_is(&state_read);
        write_now(300); /* goes on from there, and the damaged one goes */
        assert_int_equal(written.pages, 0);
        assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot WHERE seq = 200"), 0);
        assert_reads(300);
        assert_no_page_is_lost_or_left();
    }
}

static void an_older_programs_is_read(void **state)
{
    (void)state;
    struct snapshot_found found;
    struct why why = { .text = "" };
    AUTO_BUF struct buf read = { 0 };
    sql("INSERT INTO tocsin.snapshot (shard_id, seq, version, state) VALUES (0, 505, 6, 'old'),"
        " (0, 1343, 6, '\\x610062'), (0, 1344, 5, 'other')");
    assert_int_equal(read_before(UINT64_MAX, &found, &read, &why), ERR_OK);
    assert_true(found.whole && found.seq == 1343); /* as text 505 would be the greater */
    assert_int_equal(read.len, 3);
    assert_memory_equal(read.data, "a\0b", 3);
    write_now(1400);
    assert_int_equal(written.pages, written.all_pages);
    assert_reads(1400);
    write_now(1500);
    assert_reads(1500);
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot WHERE state IS NOT NULL"), 0);
}

static void one_that_failed_is_written_again(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    write_now(100);
    sql("CREATE FUNCTION tocsin.no_room() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'no room' USING ERRCODE = '53100'; END$$;"
        "CREATE TRIGGER no_room BEFORE INSERT ON tocsin.snapshot_part FOR EACH ROW"
        " WHEN (NEW.no = 2) EXECUTE FUNCTION tocsin.no_room()");
    rows[0][5].v = 77;
    rows[1][5].v = 77;
    assert_int_equal(try_write(200, 1, 0, &why), ERR_DB);
    assert_true(db_retryable(&why));
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot_page"), 1 + PAGES);
    sql("DROP FUNCTION tocsin.no_room() CASCADE");
    write_now(200);
    assert_int_equal(written.pages, 2);
    assert_reads(200);
    assert_no_page_is_lost_or_left();
}

/* The answer to COMMIT was lost: it is in, and nothing is written twice. */
static void one_that_is_in_is_not_written_twice(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    write_now(100);
    rows[1][5].v = 78;
    sql("CREATE FUNCTION tocsin.gone() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE 'gone'; END$$;"
        "CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON tocsin.snapshot DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION tocsin.gone()");
    assert_int_equal(try_write(200, 1, 0, &why), ERR_DB);
    sql("DROP FUNCTION tocsin.gone() CASCADE");
    struct snapshots *mine =
        snapshots; /* what a commit without an answer leaves is another's that knew the same */
    assert_int_equal(snapshots_new(&snapshots), ERR_OK);
    rows[1][5].v = -5;
    assert_reads(100);
    rows[1][5].v = 78;
    write_now(200);
    snapshots_free(snapshots);
    snapshots = mine;
    write_now(200);
    assert_reads(200);
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot_page"), 2 + PAGES);
}

static void another_owner_fences_it(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    sql("UPDATE tocsin.shard SET epoch = epoch + 1");
    assert_int_equal(try_write(100, 1, 0, &why), ERR_FENCED);
    assert_int_equal(number("SELECT count(*) FROM tocsin.snapshot"), 0);
}

/* An image that leaves out what is as it was: as in what is stored, or it is refused. */
static struct state_snapshot all_the_same(uint64_t seq, uint64_t since)
{
    struct state_snapshot x = { .seq = seq, .event_ns = (int64_t)seq, .version = VERSION };
    struct state_writer w = state_write_image(&x.image);
    x.image.since = since;
    for (int i = 0; i < 2; i++) {
        const size_t pages = (rows_n[i] + PER_PAGE - 1) / PER_PAGE;
        state_put_pages(&w, &parts[i], rows_n[i], pages);
        for (size_t k = 0; k < pages; k++)
            state_put_same(&w, k + 1 < pages ? PER_PAGE : rows_n[i] - k * PER_PAGE);
    }
    state_write_end(&w);
    assert_true(state_image_end(&x.image));
    return x;
}

static void what_is_left_out_is_as_it_was(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    write_now(100);
    struct state_snapshot x = all_the_same(200, 100);
    if (snapshots_write(snapshots, &db, &x, 0, &written, &why)) fail_msg("%s", why.text);
    assert_int_equal(written.pages, 0);
    assert_int_equal(written.all_pages, 1 + PAGES);
    assert_reads(200);
    assert_true(snapshots_have(snapshots, &x.image)); /* as who has read it sees it */
    state_image_release(&x.image);
    x = all_the_same(300, 100); /* 200 is what is stored */
    assert_int_equal(snapshots_write(snapshots, &db, &x, 0, &written, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "goes on from that of record 100"));
    state_image_release(&x.image);
    assert_reads(200);
    rows_n[1]--; /* a page of another length, a part of other rows */
    x = all_the_same(300, 200);
    assert_false(snapshots_have(snapshots, &x.image));
    state_image_release(&x.image);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(what_changed_is_written),
        STORY(random_changes_come_back),
        STORY(what_is_left_out_is_as_it_was),
        STORY(damage_is_found_and_named),
        STORY(an_older_programs_is_read),
        STORY(one_that_failed_is_written_again),
        STORY(one_that_is_in_is_not_written_twice),
        STORY(another_owner_fences_it),
    };
    if (!scratch_open("snapshots")) return 0;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    return failed;
}
