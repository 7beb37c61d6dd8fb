"""A day that is over, by instrument: whoever asks or replays finds the same before, in the middle and after, kill -9 included."""
import json
import random
import re
import subprocess
import time

import psycopg
import pytest

import drive
import streams
from harness.base import LONG, SEED, spawn, wait_until
from harness.postgres import Database
from harness.service import command

KILLS = 40 if LONG else 8
# Every tick out of its chunk: as a quiet market, or an older program, leaves them.
UNPACK = ("INSERT INTO tocsin.tick_row SELECT t.* FROM tocsin.tick t WHERE NOT EXISTS (SELECT FROM tocsin.tick_row r WHERE r.seq = t.seq)", "DELETE FROM tocsin.tick_chunk")
# market.trade as it was before there was anything by instrument.
TRADES = """SELECT t.seq, market.at(t.event_ns), i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8), (t.size_e8 / 1e8::numeric)::numeric(20, 8),
    t.day_or_kind = -2147483647, t.day_or_kind = -2147483646 FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind <= -2147483646 ORDER BY t.seq"""


def contents(d):
    return {q: d.rows(q) for q in ("SELECT * FROM tocsin.tick ORDER BY seq", "SELECT * FROM market.trade ORDER BY seq", "SELECT * FROM market.close ORDER BY seq, symbol",
                                   "SELECT * FROM market.close_adjusted ORDER BY session, symbol",
                                   "SELECT * FROM market.trades('S03', '2024-01-01', '2025-01-01') ORDER BY seq")}


@pytest.fixture(scope="module")
def stopped(kafka, service_factory):
    topic = kafka.create_topic("compacted")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "track": "hhi(DEMO)"}, "database": {"compact_every_s": 0}})
    messages = [streams.encode(m) for m in streams.market(5, sessions=4, trades=2500, tenant=service.tenant_id)]
    kafka.produce(topic, messages)
    drive.drained(service, topic, len(messages))
    drive.make_rule(service, {"name": "one", "rule": "last(S03) > 100"})
    assert service.terminate() == 0
    service.topic = topic
    return service


@pytest.fixture
def copied(postgres, stopped):
    """A service on a copy; `of` is its database."""
    d = Database(postgres, template=stopped.database.name)
    own, database = stopped.env, stopped.database
    stopped.env, stopped.database = {**own, "TOCSIN_DATABASE_CONNINFO": d.conninfo}, d
    yield stopped
    if stopped.alive:
        stopped.terminate()
    stopped.env, stopped.database = own, database
    d.drop()


def unpack(d):
    with d.connect() as c:
        for sql in UNPACK:
            assert c.execute(sql).rowcount > 0


@pytest.mark.parametrize("rows_alone", [False, True])
def test_the_same_before_and_after(copied, rows_alone):
    d = copied.database
    if rows_alone:
        unpack(d)
    before = contents(d)
    assert len(before["SELECT * FROM market.trade ORDER BY seq"]) > 1000 and len(before["SELECT * FROM market.trades('S03', '2024-01-01', '2025-01-01') ORDER BY seq"]) > 50
    assert before["SELECT * FROM market.trade ORDER BY seq"] == d.rows(TRADES)
    said = copied.check_ran("compact")
    trades = len(before["SELECT * FROM market.trade ORDER BY seq"])
    assert f"{trades} trades written by instrument" in said, said
    assert contents(d) == before
    assert d.one("SELECT sum(trades) FROM tocsin.trade_chunk") == trades
    assert d.one("SELECT count(*) FROM (SELECT midnight FROM (SELECT tocsin.midnight(event_ns) FROM tocsin.tick_row) r GROUP BY 1 HAVING count(*) >= 16) few") == 0, "as rows are only days of few"
    assert " 0 differing values" in copied.check_ran("verify")
    assert "0 trades written by instrument, 0 ticks put into chunks" in copied.check_ran("compact")

    # One symbol is read by its chunks: of the others none is unpacked, and of the ticks in the order of seq none at all.
    sql = "SELECT * FROM market.trades('S03', '2024-01-01', '2025-01-01')"
    with d.connect() as c:
        c.execute("SET enable_seqscan = off")
        plan = json.dumps(c.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}").fetchone()[0])
    chunks = d.one("SELECT count(*) FROM tocsin.trade_chunk c JOIN tocsin.instrument i USING (instrument_id) WHERE symbol = 'S03'")
    unpacked = [n for n in walk(json.loads(plan)[0]["Plan"]) if n["Node Type"] == "Function Scan"]
    assert sum(n["Actual Loops"] for n in unpacked) == chunks > 0, unpacked
    assert "instrument_id" in plan and "_instrument_id_from_ns_idx" in plan


def walk(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from walk(child)


def test_killed_anywhere_it_goes_on(copied):
    d = copied.database
    unpack(d)
    before = contents(d)
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    done = []
    for _ in range(KILLS):
        child = spawn([*command("compact"), "-c", str(copied.ini)], env=copied.env, cwd=copied.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.02, 0.4))               # the random instant itself
        child.kill()
        child.wait()
        wait_until(lambda: d.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin compact' AND datname = current_database()") == 0, "its session is gone")
        assert contents(d) == before
        done.append(d.one("SELECT coalesce(max(done_ns), 0) FROM tocsin.tick_day"))
    copied.check_ran("compact")
    assert contents(d) == before
    assert d.one("SELECT sum(trades) FROM tocsin.trade_chunk") == d.one("SELECT count(*) FROM market.trade")
    assert " 0 differing values" in copied.check_ran("verify")
    print(f"{len(set(done))} places of {KILLS} kills")


def test_the_service_does_it(copied, kafka):
    """In the background, while more comes; and killed in the middle a start later."""
    d = copied.database
    unpack(d)
    before = contents(d)
    copied.env["TOCSIN_DATABASE_COMPACT_EVERY_S"] = "1"
    copied.start()
    wait_until(lambda: d.one("SELECT count(*) FROM tocsin.tick_day") > 0, "it has begun", 60)
    copied.kill9()
    copied.start()
    wait_until(lambda: d.one("SELECT count(*) FROM tocsin.tick_day WHERE done_ns = to_ns") == d.one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'tocsin.tick_row'::regclass"),
               "all are done", 120)
    assert contents(d) == before
    assert copied.terminate() == 0
    assert any(e["message"] == "ticks written by instrument" for e in copied.log_entries)
    assert " 0 differing values" in copied.check_ran("verify")


def test_what_comes_late_is_there_too(copied, kafka):
    """A trade of a day that is by instrument already, then another look."""
    d = copied.database
    copied.check_ran("compact")
    trades = d.one("SELECT count(*) FROM market.trade")
    day = d.one("SELECT max(event_ns) FROM tocsin.tick")
    copied.start()
    late = [streams.encode({"kind": "trade", "symbol": "S03", "price": "77.251234", "size": 3, "ts": day - n * 1_000_000_000}) for n in range(40)]
    kafka.produce(copied.topic, late)
    wait_until(lambda: d.one("SELECT count(*) FROM tocsin.tick WHERE price_e8 = 7725123400") == 40, "the late ones are in")
    assert copied.terminate() == 0
    for _ in range(2):
        assert d.rows("SELECT * FROM market.trade ORDER BY seq") == d.rows(TRADES)
        assert d.one("SELECT count(*) FROM market.trades('S03', '2024-01-01', '2025-01-01') WHERE price = 77.251234") == 40
        assert d.one("SELECT count(*) FROM market.trade") == trades + 40
        copied.check_ran("compact")
    assert " 0 differing values" in copied.check_ran("verify")


SYMBOL = "SELECT * FROM market.trades('{}', '2024-01-01', '2025-01-01') ORDER BY seq"
ALTERED = {
    "a price": "UPDATE tocsin.trade_chunk SET price[2] = price[2] + 1 WHERE {}",
    "an end": "UPDATE tocsin.trade_chunk SET price = price[1:trades - 1], size = size[1:trades - 1] WHERE {}",
    "its time": "UPDATE tocsin.trade_chunk SET from_ns = from_ns + 1 WHERE {}",
}


@pytest.mark.parametrize("what", ALTERED if LONG else ["an end"])
def test_a_copy_that_was_altered_is_found_and_made_anew(copied, what):
    """By whoever asks for that symbol, who gets nothing wrong; by verify; and the error's own hint mends it."""
    d = copied.database
    copied.check_ran("compact")
    before = contents(d)
    instrument, from_ns = d.rows("SELECT instrument_id, from_ns FROM tocsin.trade_chunk c JOIN tocsin.instrument i USING (instrument_id)"
                                 " WHERE symbol = 'S03' AND trades > 5 AND price IS NOT NULL AND size IS NOT NULL ORDER BY from_ns LIMIT 1")[0]
    d.execute(ALTERED[what].format(f"instrument_id = {instrument} AND from_ns = {from_ns}"))
    moved = from_ns + (what == "its time")
    with pytest.raises(psycopg.errors.DataCorrupted, match=f"the chunk of instrument {instrument} with from_ns {moved} is damaged") as found:
        d.rows(SYMBOL.format("S03"))
    assert d.rows(SYMBOL.format("S05"))
    done = copied.tocsin("verify")
    assert done.returncode == 1 and f"trade_chunk of instrument {instrument} with from_ns {moved}: stored " in done.stdout and " 1 differing values" in done.stdout, done
    d.execute(re.search(r"UPDATE tocsin.tick_day SET trades = NULL WHERE from_ns = -?\d+", found.value.diag.message_hint)[0])
    copied.check_ran("compact")
    assert contents(d) == before
    assert " 0 differing values" in copied.check_ran("verify")


def test_a_copy_that_was_cut_is_found(copied):
    d = copied.database
    copied.check_ran("compact")
    trades = d.one("SELECT sum(trades) FROM tocsin.trade_chunk")
    gone = d.one("WITH x AS (DELETE FROM tocsin.trade_chunk WHERE (instrument_id, from_ns) = (SELECT instrument_id, from_ns FROM tocsin.trade_chunk ORDER BY 2, 1 LIMIT 1) RETURNING trades)"
                 " SELECT sum(trades) FROM x")
    done = copied.tocsin("verify")
    assert done.returncode == 1 and f": stored {trades}, now {trades - gone}" in done.stdout and "trades by instrument of the day with from_ns" in done.stdout, done


def test_a_copy_without_checksums_is_made_anew(copied):
    """As a program before schema version 24 leaves it."""
    d = copied.database
    copied.check_ran("compact")
    before = contents(d)
    d.execute("UPDATE tocsin.trade_chunk SET checksum = NULL; UPDATE tocsin.tick_day SET trades = NULL")
    assert contents(d) == before
    assert " 0 differing values" in copied.check_ran("verify")
    trades = len(before["SELECT * FROM market.trade ORDER BY seq"])
    assert f"{trades} trades written by instrument" in copied.check_ran("compact")
    assert d.one("SELECT count(*) FROM tocsin.trade_chunk WHERE checksum IS NULL") == d.one("SELECT count(*) FROM tocsin.tick_day WHERE trades IS NULL") == 0
    assert contents(d) == before
    assert " 0 differing values" in copied.check_ran("verify")


@pytest.mark.parametrize("damage", ["price[2] = price[2] + 1", "price = price[1:ticks - 1]", "last_seq = last_seq + 1"][:3 if LONG else 1])
def test_a_chunk_that_was_altered_or_cut_is_named(copied, damage):
    """One that is replayed has no copy in its order: nothing goes on behind it, and it is said which it is. A start does not need it, behind its snapshot."""
    d = copied.database
    first = d.one("SELECT first_seq FROM tocsin.tick_chunk WHERE price IS NOT NULL AND ticks > 100 ORDER BY first_seq LIMIT 1")
    d.execute(f"UPDATE tocsin.tick_chunk SET {damage} WHERE first_seq = {first}")
    for command in (("verify",), ("backtest", "--rule", "last(S03) > 100")):
        done = copied.tocsin(*command)
        assert done.returncode == 70 and f"tocsin.tick_chunk: the chunk with first_seq {first} is damaged: " in done.stderr, done
    copied.start()
    assert copied.terminate() == 0
