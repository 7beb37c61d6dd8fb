"""The engine's state in pages: what is cut, altered or half written is found, and the service starts from what is whole.

After each fault the service reads the rest of the stream, and `verify` compares all that it stored since the first record."""
import pytest

import drive
import streams
from harness.base import SEED, wait_until

CONFIG = {"engine": {"clock_ms": 0, "snapshot_s": 1, "stale_after_ms": 0, "track": f"spread({streams.INDEX}, window=1d)"}}
NEWEST = "(SELECT max(page_id) FROM tocsin.snapshot_page)"
DAMAGED = {
    "altered": (f"UPDATE tocsin.snapshot_page SET bytes = set_byte(bytes, 7, get_byte(bytes, 7) # 1) WHERE page_id = {NEWEST}", "was cut or altered"),
    "cut": (f"UPDATE tocsin.snapshot_page SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE page_id = {NEWEST}", "was cut or altered"),
    "gone": (f"DELETE FROM tocsin.snapshot_page WHERE page_id = {NEWEST}", "is gone"),
}
# What a program of schema version 15 or before leaves: heads and pages in one piece, and no pages.
IN_ONE_PIECE = """
UPDATE tocsin.snapshot s SET event_ns = NULL, kept = false, state = (
    SELECT string_agg(p.head || coalesce((SELECT string_agg(g.bytes, ''::bytea ORDER BY u.n) FROM unnest(p.pages) WITH ORDINALITY AS u(id, n)
                                          JOIN tocsin.snapshot_page g ON g.page_id = u.id), ''::bytea), ''::bytea ORDER BY p.no)
    FROM tocsin.snapshot_part p WHERE p.seq = s.seq);
DELETE FROM tocsin.snapshot_part; DELETE FROM tocsin.snapshot_page"""


class Run:
    """A service, and a stream that it is given in pieces."""

    def __init__(self, kafka, service_factory):
        self.kafka, self.topic = kafka, kafka.create_topic("snapshots")
        self.service = service_factory(topics=[self.topic], config=CONFIG)
        self.messages = [streams.encode(m) for m in streams.market(SEED, sessions=4, trades=300, tenant=self.service.tenant_id)]
        self.fed = 0
        self.feed(streams.reference_count())
        for n in range(4):
            drive.make_rule(self.service, {"name": f"r{n}", "rule": f"last(S{n:02d}) >= {100 + 10 * n}"})

    def feed(self, upto):
        self.kafka.produce(self.topic, self.messages[self.fed:upto])
        self.fed = upto
        drive.drained(self.service, self.topic, upto)

    def part(self, of):
        return self.fed + (len(self.messages) - self.fed) // of

    def newest(self):
        return self.service.database.one("SELECT coalesce(max(seq), 0) FROM tocsin.snapshot")

    def stands(self):
        return self.service.database.one("SELECT last_seq FROM tocsin.shard")

    def start(self):
        """Starts it; the entry of its log about recovery."""
        self.service.start()
        return [e for e in self.service.log_entries if e["message"] == "state recovered"][-1]

    def snapshots(self, n):
        """Feeds until so many more snapshots are stored."""
        for k in range(n):
            before = self.newest()
            self.feed(self.part(8))
            wait_until(lambda: self.newest() > before or self.fed_again(), "a snapshot", 60)

    def fed_again(self):
        self.feed(self.fed + 1)                # a snapshot comes with the first record behind its time
        return False

    def rest_is_well(self):
        self.feed(len(self.messages))
        assert self.service.terminate() == 0
        assert self.newest() == self.stands()
        assert " 0 differing values" in self.service.check_ran("verify")
        database = self.service.database
        assert database.one("SELECT count(*) FROM tocsin.snapshot WHERE NOT kept") <= 2
        assert database.one("SELECT count(*) FROM tocsin.snapshot_page p WHERE NOT EXISTS (SELECT FROM tocsin.snapshot_part WHERE page_id = ANY (pages))") == 0
        assert database.one("SELECT count(*) FROM (SELECT unnest(pages) FROM tocsin.snapshot_part EXCEPT SELECT page_id FROM tocsin.snapshot_page) x") == 0
        recovered = self.start()
        assert int(recovered["snapshot_seq"]) == int(recovered["seq"]) == self.stands()


@pytest.fixture
def run(kafka, service_factory):
    return Run(kafka, service_factory)


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_page_costs_the_newest_snapshot_alone(run, damage):
    run.snapshots(2)
    run.service.kill9()
    sql, says = DAMAGED[damage]
    before, newest = run.service.database.rows("SELECT seq FROM (SELECT seq FROM tocsin.snapshot ORDER BY seq DESC LIMIT 2) x ORDER BY seq")
    run.service.database.execute(sql)
    recovered = run.start()
    told = [e for e in run.service.log_entries if e["message"] == "snapshot not readable; taking the one before"]
    assert len(told) == 1 and int(told[0]["seq"]) == newest[0] and says in told[0]["reason"]
    assert "of part \"" in told[0]["reason"] and f"of snapshot {newest[0]} (page_id " in told[0]["reason"]
    assert int(recovered["snapshot_seq"]) == before[0]
    run.rest_is_well()


def test_an_older_programs_state_is_gone_on_from(run):
    run.snapshots(2)
    run.service.kill9()
    newest = run.newest()
    run.service.database.execute(IN_ONE_PIECE)
    assert int(run.start()["snapshot_seq"]) == newest
    run.rest_is_well()


def test_killed_amid_the_pages(run):
    """The pages are in, and the rest of the snapshot is not: nothing of it is there after a kill."""
    run.snapshots(2)
    database, newest = run.service.database, run.newest()
    database.execute("CREATE FUNCTION tocsin.hang() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(60); RETURN NEW; END$$;"
                     " CREATE TRIGGER hang BEFORE INSERT ON tocsin.snapshot_part FOR EACH ROW WHEN (NEW.no = 5) EXECUTE FUNCTION tocsin.hang()")
    hangs = lambda: database.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin keeper' AND wait_event = 'PgSleep'") == 1
    wait_until(lambda: hangs() or run.fed_again(), "a snapshot half written", 60)
    fed = run.stands()
    run.feed(run.part(8))                      # nobody waits for it
    assert run.stands() > fed and hangs()
    run.service.kill9()
    database.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin keeper'")
    database.execute("DROP FUNCTION tocsin.hang() CASCADE")
    assert int(run.start()["snapshot_seq"]) == newest
    run.rest_is_well()


def test_no_room_for_a_snapshot_stops_nothing(run):
    """The disk is full as PostgreSQL says it: ticks go on being stored, and the snapshot when there is room."""
    run.snapshots(1)
    database, newest = run.service.database, run.newest()
    database.execute("CREATE FUNCTION tocsin.full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no space left' USING ERRCODE = '53100'; END$$;"
                     " CREATE TRIGGER no_room BEFORE INSERT ON tocsin.snapshot_page FOR EACH ROW EXECUTE FUNCTION tocsin.full()")
    told = lambda: [e for e in run.service.log_entries if e["message"] == "snapshot not stored; trying again"]
    wait_until(lambda: told() or run.fed_again(), "a warning", 60)
    run.feed(run.part(2))
    assert "53100: no space left" in told()[0]["detail"] and len(told()) == 1
    assert run.newest() == newest
    database.execute("DROP FUNCTION tocsin.full() CASCADE")
    wait_until(lambda: run.newest() > newest, "the snapshot", 60)
    run.service.kill9()
    assert int(run.start()["snapshot_seq"]) > newest
    run.rest_is_well()
