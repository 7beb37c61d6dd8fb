"""Faults of the machine below: a disk that is full, a clock that jumps, a PostgreSQL that was built without lz4."""
import datetime as dt
import pathlib
import subprocess
import time

import pytest

import drive
import streams
from harness.base import LONG, SEED, accepts, wait_until
from harness.postgres import Database, Postgres
from harness.service import SANITIZER_ENV, Service

# ---- the disk is full ----

START = dt.date.today() - dt.timedelta(days=10)            # partitions of days


@pytest.fixture(scope="module")
def small(kafka):
    """A service whose database is on a file system of a few MB, with half a stream behind it."""
    try:
        server = Postgres(small_mb=100)
    except OSError as why:
        pytest.skip(str(why))
    database = Database(server, tablespace="small")
    topic = kafka.create_topic("full")
    service = Service(database, kafka.bootstrap, [topic], (), {
        "engine": {"clock_ms": 0, "snapshot_s": 3600, "stale_after_ms": 0, "track": f"spread({streams.INDEX}, window=1d)"}, "database": {"compact_every_s": 0}}).start()
    service.messages = [streams.encode(m) for m in streams.market(SEED, sessions=3, trades=1500, start=START, tenant=service.tenant_id)]
    service.fed = 0
    feed(kafka, service, streams.reference_count())
    drive.drained(service, topic, service.fed)
    drive.make_rule(service, {"name": "r", "rule": "last(S01) > 100"})
    feed(kafka, service, len(service.messages) // 2)
    drive.drained(service, topic, service.fed)
    yield service
    service.close()
    server.remove()


def feed(kafka, service, upto):
    kafka.produce(service.topics[0], service.messages[service.fed:upto])
    service.fed = upto


def told(service, message):
    return [e for e in service.log_entries if e["message"] == message and "53100" in e.get("detail", "")]


def as_it_should_be(service):
    """All that was fed is stored, once, and the replay says the same."""
    database = service.database
    drive.drained(service, service.topics[0], service.fed)
    assert database.one("SELECT count(*) FROM tocsin.tick") == database.one("SELECT count(DISTINCT kpos) FROM tocsin.tick")
    assert " 0 differing values" in service.check_ran("verify")


def without_room(service, or_well=False):
    """A life that begins now waits, and says for what; or ends and says so: whoever supervises it starts it again. `or_well`: where what is left is
    enough for a life that has nothing to write it may be ready too."""
    def said():
        if not service.alive:
            return True
        if not accepts(service.port):
            return False
        answer = service.api("GET", "/readyz", key="")
        return "disk full" in answer.text or or_well and answer.status_code == 200
    wait_until(said, "it says that the disk is full", 60)
    service.expected_dead = not service.alive
    assert service.alive or service.process.returncode == 70 and any(e["message"] == "cannot start" and "No space left" in e["detail"] for e in service.log_entries)


def started(service):
    if not service.alive:
        service.start(wait=False)
    service.wait_ready()


def newest(database):
    return database.one("SELECT coalesce(max(seq), 0) FROM tocsin.snapshot")


def test_in_the_middle_of_a_snapshot(small, kafka):
    """There is room for a few ticks and not for the pages, which are all of them: it is the first snapshot. The ticks go on."""
    database = small.database
    assert newest(database) == 0
    small.kill9()
    small.config["engine"]["snapshot_s"] = "1"
    small.write_config()
    small.start()
    database.fill(leave_kb=32)
    failed = "snapshot not stored; trying again"

    def one_more():
        feed(kafka, small, small.fed + 1)
        drive.drained(small, small.topics[0], small.fed)

    wait_until(lambda: told(small, failed) or one_more(), "a snapshot finds no room", 60)
    before = newest(database)
    one_more()
    assert newest(database) == before
    small.kill9()
    small.start(wait=False)
    without_room(small, or_well=True)
    assert newest(database) == before
    database.make_room()
    started(small)
    wait_until(lambda: newest(database) > before or one_more(), "a snapshot", 60)
    as_it_should_be(small)


def test_in_the_middle_of_turns_and_a_days_close(small, kafka):
    """Some pages are left, so that a turn breaks off behind its beginning. Killed and started while it lasts, it waits; with room it goes on."""
    database = small.database
    database.fill(leave_kb=64)
    feed(kafka, small, len(small.messages))                # two closes are in it
    wait_until(lambda: "disk full" in small.api("GET", "/readyz", key="").text, "it says why it does not go on", 60)
    assert database.one("SELECT count(*) FROM market.close") < 3 * streams.LINES
    small.kill9()
    small.start(wait=False)
    without_room(small)
    database.make_room()
    started(small)
    as_it_should_be(small)
    assert database.one("SELECT count(*) FROM market.close") == 3 * streams.LINES
    assert small.terminate() == 0
    assert newest(database) == database.one("SELECT last_seq FROM tocsin.shard")
    small.start()


def test_in_the_middle_of_a_days_copy(small, kafka):
    """The ticks are rows again, so that a piece has to write twice as much as there is room for."""
    database = small.database
    if small.fed < len(small.messages):
        feed(kafka, small, len(small.messages))
        drive.drained(small, small.topics[0], small.fed)
    assert small.terminate() == 0
    database.execute("INSERT INTO tocsin.tick_row SELECT t.* FROM tocsin.tick t WHERE NOT EXISTS (SELECT FROM tocsin.tick_row r WHERE r.seq = t.seq)")
    database.execute("TRUNCATE tocsin.tick_chunk")
    trades = database.rows("SELECT * FROM market.trade ORDER BY seq")
    small.config["database"]["compact_every_s"] = "3"
    small.write_config()
    small.start()
    database.fill(leave_kb=24)
    done = small.tocsin("compact")
    assert done.returncode == 70 and "53100" in done.stderr and "No space left" in done.stderr, done
    failed = "a day of ticks not written by instrument; trying again"
    wait_until(lambda: told(small, failed), "the service says it too", 60)
    small.kill9()
    assert database.rows("SELECT * FROM market.trade ORDER BY seq") == trades
    database.make_room()
    small.start()
    small.check_ran("compact")
    assert database.rows("SELECT * FROM market.trade ORDER BY seq") == trades
    assert database.one("SELECT sum(trades) FROM tocsin.trade_chunk") == len(trades)
    as_it_should_be(small)


# ---- the clock jumps ----

class Wall:
    """The wall clock of a program that is started with .env, so many seconds off."""

    def __init__(self, folder):
        library, self.file = folder / "clockshift.so", folder / "shift"
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-std=c17", "-shared", "-fPIC", "-o", library, pathlib.Path(__file__).with_name("clockshift.c"), "-ldl"], check=True)
        self.file.write_bytes(b"0".ljust(32))
        self.env = {"LD_PRELOAD": str(library), "CLOCKSHIFT": str(self.file),
                    "ASAN_OPTIONS": SANITIZER_ENV["ASAN_OPTIONS"] + ":verify_asan_link_order=0"}    # ours comes before the runtime, and may

    def jump(self, seconds):
        with open(self.file, "r+b") as f:
            f.write(str(seconds).encode().ljust(32))


def test_a_clock_that_jumps_in_both_directions(kafka, service_factory, webhook_receiver, tmp_path):
    """The service's wall clock alone, by minutes and by years; the feed's times and the broker's clock are right. What waits and what is owed goes by other
    clocks: nothing is refused, late or twice, and the service's own clock records do not go back."""
    wall = Wall(tmp_path)
    service = service_factory(topics=[kafka.create_topic("clock")], config={"engine": {"clock_ms": 100, "stale_after_ms": 0, "snapshot_s": 1}}, env=wall.env)
    now = lambda: time.time_ns()
    one = drive.Feed(kafka, service, start_ns=now() - 60 * 10 ** 9)
    one.reference().session((dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=1)).isoformat(), 50, 60, 70).settle()
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100", "name": "high"})
    drive.make_channel(service, webhook_receiver.url)
    clocks = lambda: service.database.one("SELECT count(*) FROM tocsin.event WHERE kind = 3")
    expected = []
    for n, jump in enumerate((0, 1800, -1800, 86400 * 400, -86400 * 400, 0)):
        wall.jump(jump)
        before = clocks()
        price = 200 + n
        one.send(*({"kind": "trade", "symbol": "FEEDA", "price": str(p), "size": 1, "ts": now()} for p in (price, 50))).settle(20)
        expected += [("firing", price), ("resolved", 50)]
        webhook_receiver.wait(2 * (n + 1), 20)
        if n == 0:
            wait_until(lambda: clocks() > before + 3, "the clock runs", 20)
    assert service.database.rows("SELECT state, value FROM tocsin.alert ORDER BY stream_no") == expected
    assert len(webhook_receiver.requests) == len(expected)
    assert service.database.one("SELECT count(*) FROM tocsin.dead_letter") == 0
    times = [r[0] for r in service.database.rows("SELECT event_ns FROM tocsin.event WHERE kind = 3 AND payload::text NOT LIKE '%session_end%' ORDER BY seq")]
    assert times == sorted(times) and times[-1] < now() + 3600 * 10 ** 9
    service.restart(hard=True)
    one.send({"kind": "trade", "symbol": "FEEDA", "price": "300", "size": 1, "ts": now()}).settle(20)
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")


# ---- no lz4 ----

# What a server says that was built without it, at the same statement.
NO_LZ4 = """
CREATE FUNCTION public.no_lz4() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE c text;
BEGIN
    GET DIAGNOSTICS c = PG_CONTEXT;
    IF c LIKE '%SET COMPRESSION lz4%' THEN RAISE 'compression method lz4 not supported' USING ERRCODE = 'feature_not_supported'; END IF;
END $$;
CREATE EVENT TRIGGER no_lz4 ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION public.no_lz4()"""


def packed(database, table, columns):
    """By what anything in these columns is; what cannot be packed well is stored as it is."""
    return {r[0] for c in columns.split() for r in database.rows(f"SELECT DISTINCT pg_column_compression({c}) FROM tocsin.{table}")} - {None}


@pytest.mark.parametrize("has_lz4", [True, False] if LONG else [False])
def test_a_server_without_lz4(kafka, service_factory, database_factory, has_lz4):
    """Debian's servers have it: that one has not is played by an event trigger, which refuses what such a server refuses."""
    database = database_factory()
    if not has_lz4:
        database.execute(NO_LZ4)
    service = service_factory(topics=[kafka.create_topic("packed")], database=database, config={"engine": {"clock_ms": 0, "snapshot_s": 1}, "database": {"compact_every_s": 0}})
    messages = [streams.encode(m) for m in streams.market(SEED, sessions=2, trades=9000, tenant=service.tenant_id)]
    kafka.produce(service.topics[0], messages)
    drive.drained(service, service.topics[0], len(messages))
    assert service.terminate() == 0
    database.execute("INSERT INTO tocsin.tick_row SELECT t.* FROM tocsin.tick t WHERE NOT EXISTS (SELECT FROM tocsin.tick_row r WHERE r.seq = t.seq); TRUNCATE tocsin.tick_chunk")
    service.check_ran("compact")               # full chunks of both kinds
    arrays = "seq event price size "
    for table, columns in (("tick_chunk", arrays + "instrument received run_kpos"), ("trade_chunk", arrays + "kind"), ("snapshot_page", "bytes")):
        assert packed(database, table, columns) == ({"lz4"} if has_lz4 else {"pglz"}), table
    said = [e for e in service.log_entries if "lz4" in e["message"]]
    assert len(said) == (0 if has_lz4 else 1)
    assert " 0 differing values" in service.check_ran("verify")
