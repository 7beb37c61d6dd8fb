"""tocsin verify: whatever is forged in what is stored, one value at a time, is found and named."""
import re

import pytest

import drive
import streams
from harness.postgres import Database

# Of each table one row, its key, and for every column what stands there instead.
ROWS = {
    "alert": "(tenant_id, stream_no) = (SELECT tenant_id, stream_no FROM tocsin.alert ORDER BY seq DESC, alert_id LIMIT 1)",
    "reading": "(seq, series_id) = (SELECT seq, series_id FROM tocsin.reading WHERE value IS NOT NULL AND tenant_id IS NULL ORDER BY seq DESC, series_id LIMIT 1)",
    "article_score": "seq = (SELECT max(seq) FROM tocsin.article_score WHERE label <> 'neutral')",
    "rule": "rule_id = (SELECT rule_id FROM tocsin.rule WHERE version = 2 AND NOT deleted)",
    "rule_version": "(rule_id, version) = (SELECT rule_id, 1 FROM tocsin.rule WHERE version = 2 AND NOT deleted)",
    "series": "series_id = 1",
    "series_viewer": "(tenant_id, series_id) = (SELECT tenant_id, series_id FROM tocsin.series_viewer ORDER BY 1, 2 LIMIT 1)",
    "instrument": "instrument_id = 3",
    "symbol": "instrument_id = 3",
    "quality": "quality_no = 1",
    "shard": "shard_id = 0",
    "event": "seq = (SELECT min(seq) FROM tocsin.event WHERE kind = 11)",
    "close": "seq = (SELECT max(seq) FROM tocsin.close)",
}
TABLES = [*ROWS, "tick_row", "tick_chunk"]
# The same ticks, none of them in a chunk.
UNPACKED = ("INSERT INTO tocsin.tick_row SELECT t.* FROM tocsin.tick t WHERE NOT EXISTS (SELECT FROM tocsin.tick_row r WHERE r.seq = t.seq)", "DELETE FROM tocsin.tick_chunk")
STRANGER = "(SELECT tenant_id FROM tocsin.tenant WHERE name = 'stranger')"
ULP = "float8 '1.0000000000000002' * "
FORGED = [(table, column, value) for table, columns in {
    "alert": {
        "tenant_id": STRANGER, "stream_no": "stream_no + 1000", "alert_id": "gen_random_uuid()", "seq": "seq - 1", "event_ns": "event_ns + 1",
        "state": "CASE state WHEN 'firing' THEN 'resolved' ELSE 'firing' END", "rule_id": "gen_random_uuid()", "rule_version": "rule_version + 1",
        "rule_no": "rule_no + 1", "rule_name": "rule_name || ' '", "rule_text": "rule_text || '0'", "severity": "'info'", "measure": "'last(S09)'",
        "unit": "unit || 's'", "value": ULP + "value", "inputs": "'{}'", "episode": "gen_random_uuid()",
        "reason": "CASE reason WHEN 'met' THEN 'cleared' ELSE 'met' END", "since_ns": "since_ns + 1", "previous": "coalesce(previous, 0) + 1",
        "op": "CASE op WHEN '>' THEN '<' ELSE '>' END", "threshold": ULP + "threshold", "clear": "clear - 1", "hold_s": "hold_s + 1", "definition": "'{}'",
        "looks_at": "CASE looks_at WHEN 'close' THEN 'trade' ELSE 'close' END", "hold_in": "CASE hold_in WHEN 'clock' THEN 'session' ELSE 'clock' END"},
    "reading": {
        "seq": "seq - 1", "event_ns": "event_ns + 1", "series_id": "series_id + 1000", "tenant_id": STRANGER, "value": ULP + "value",
        "coverage": "coverage / 2", "staleness_ns": "staleness_ns + 1", "status": "'stale'", "measure_version": "measure_version + 1"},
    "article_score": {
        "seq": "seq + 1", "article_id": "article_id || 'x'", "event_ns": "event_ns + 1", "headline": "headline || '!'", "source": "''",
        "positive": "0.99", "neutral": "0.99", "negative": "0.99", "score": "score / 2", "label": "'neutral'",
        "tickers": "jsonb_set(tickers, '{0,relevance}', '0.123')", "scorer": "'tocsin-lexicon 0'"},
    "rule": {
        "tenant_id": STRANGER, "rule_id": "gen_random_uuid()", "version": "version + 1", "seq": "seq - 1",
        "definition": "jsonb_set(definition, '{hold_s}', '1')", "deleted": "NOT deleted"},
    "rule_version": {
        "tenant_id": STRANGER, "rule_id": "gen_random_uuid()", "version": "7", "seq": "seq + 1", "change": "'deleted'",
        "definition": "jsonb_set(definition, '{threshold}', '\"0\"')"},
    "series": {"series_id": "1000", "tenant_id": STRANGER, "measure": "'last(S09)'", "unit": "unit || 's'", "version": "version + 1", "configured": "NOT configured"},
    "series_viewer": {"tenant_id": STRANGER, "series_id": "1000"},
    "instrument": {"instrument_id": "1000", "symbol": "'OTHER'", "issuer": "issuer || 'x'", "name": "name || 'x'", "venue": "venue || 'X'",
                   "isin": "isin || 'X'", "figi": "figi || 'X'"},
    "symbol": {"instrument_id": "1000", "from_seq": "from_seq + 1", "until_seq": "until_seq - 1", "symbol": "'OTHER'", "from_day": "from_day + 1", "until_day": "until_day - 1"},
    "quality": {
        "quality_no": "quality_no + 100000", "quality_id": "gen_random_uuid()", "seq": "seq + 1", "event_ns": "event_ns + 1",
        "reason": "CASE reason WHEN 'no_close' THEN 'same_cap' ELSE 'no_close' END", "instrument_id": "instrument_id + 1",
        "before": "coalesce(before, 0) + 1", "after": "coalesce(after, 0) + 1", "state": "CASE state WHEN 'held' THEN 'flagged' ELSE 'held' END",
        "state_seq": "state_seq + 1", "detail": "detail || '!'"},
    "shard": {"last_seq": "last_seq + 1"},
    "event": {"tenant_id": STRANGER},
    "close": {"seq": "seq + 1", "instrument_id": "instrument_id + 1", "session": "session + 1", "price_e8": "price_e8 + 1"},
}.items() for column, value in columns.items()]
# The wall clock, the fence, and what of an event is not said by the replay but replayed.
NOT_SAID = {("rule", "created_at"), ("rule", "updated_at"), ("rule_version", "made_at"), ("shard", "shard_id"), ("shard", "epoch"), ("shard", "commits"),
            ("shard", "taken_at"), *(("event", c) for c in ("seq", "event_ns", "received_ms", "kpos", "kind", "payload"))}
# The key of a table of what stands now: then there is one row too many and one too few.
KEYS = {("rule", "tenant_id"), ("rule", "rule_id"), ("series", "series_id"), ("series_viewer", "tenant_id"), ("series_viewer", "series_id"), ("instrument", "instrument_id"),
        ("symbol", "instrument_id"), ("symbol", "from_seq"), ("quality", "quality_no")}

CHUNK = "first_seq = (SELECT min(first_seq) FROM tocsin.tick_chunk)"
DELETED = {
    "last tick": ("shard.last_seq", "DELETE FROM tocsin.tick_row WHERE seq = (SELECT last_seq FROM tocsin.shard)"),
    "last ticks": ("shard.last_seq", "DELETE FROM tocsin.tick_row WHERE seq > (SELECT last_seq - 3 FROM tocsin.shard)"),
    "tick in the middle": ("tick or event: stored nothing before seq", "DELETE FROM tocsin.tick_row WHERE seq = (SELECT seq FROM tocsin.tick_row ORDER BY seq OFFSET 200 LIMIT 1)"),
    "event in the middle": ("tick or event: stored nothing before seq", "DELETE FROM tocsin.event WHERE seq = (SELECT max(seq) FROM tocsin.event WHERE kind = 9)"),
    "tick twice": ("tick or event: stored a second record", "INSERT INTO tocsin.tick_row SELECT * FROM tocsin.tick_row WHERE seq = (SELECT last_seq FROM tocsin.shard)"),
    "chunk altered": ("tocsin.tick_chunk: the chunk with first_seq {} is damaged: its ticks are not those of its checksum", "UPDATE tocsin.tick_chunk SET price_base = price_base + 1 WHERE " + CHUNK),
    "chunk cut": ("tocsin.tick_chunk: the chunk with first_seq {} is damaged: an array has not as many elements", "UPDATE tocsin.tick_chunk SET instrument = instrument[:ticks - 1] WHERE " + CHUNK),
    "chunk gone": ("tick or event: stored nothing before seq", "DELETE FROM tocsin.tick_chunk WHERE " + CHUNK),
    "chunk twice": ("tick or event: stored a second record", "INSERT INTO tocsin.tick_chunk SELECT * FROM tocsin.tick_chunk WHERE " + CHUNK),
    "shard": ("shard", "DELETE FROM tocsin.shard"),
    **{table: (table, f"DELETE FROM tocsin.{table} WHERE {ROWS[table]}")
       for table in ("alert", "reading", "article_score", "rule", "rule_version", "series", "series_viewer", "instrument")},
    "reading too many": ("reading", f"INSERT INTO tocsin.reading SELECT * FROM tocsin.reading WHERE {ROWS['reading']}"),
    "reading too many at the end": ("reading", "INSERT INTO tocsin.reading SELECT (SELECT last_seq FROM tocsin.shard), event_ns, series_id, tenant_id, value, coverage,"
                                               f" staleness_ns, status, measure_version FROM tocsin.reading WHERE {ROWS['reading']}"),
    "instrument too many": ("instrument", "INSERT INTO tocsin.instrument VALUES (1000, 'OTHER', '', '')"),
    "series too many": ("series", "INSERT INTO tocsin.series VALUES (1000, NULL, 'last(S09)', '', 1, false)"),
}


@pytest.fixture(scope="module")
def stopped(kafka, service_factory):
    """A service that has ended after a little of everything."""
    topic = kafka.create_topic("verified")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "readings": "every", "track": "hhi(DEMO); ew_level(DEMO); sentiment(S00)"}})
    other = service.new_key("other")
    service.new_key("stranger")
    messages = [streams.encode(m) for m in streams.market(5, sessions=3, trades=300, tenant=service.tenant_id)]
    messages += [streams.encode({"kind": "trade", "symbol": "S05", "price": p, "ts": streams.day_ns(streams.dt.date(2024, 3, 8), 15, n)})
                 for n, p in enumerate(("900", "1", "950", "950.5"))]
    head, half = streams.reference_count(), len(messages) // 2
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)
    changed = drive.make_rule(service, {"name": "to be changed", "rule": "last(S05) > 100", "severity": "critical"})
    gone = drive.make_rule(service, {"name": "to be deleted", "rule": "ew_level(DEMO) > 1"}, key=other)
    drive.make_rule(service, {"name": "Ä \"quoted\"", "rule": "last(S05) >= 100.0", "clear": "99.5", "cooldown_s": 5}, key=other)
    drive.make_rule(service, {"name": "a book", "rule": "ai_exposure(book:growth) > 0.5"})
    kafka.produce(topic, messages[head:half])
    drive.drained(service, topic, half)
    answer = service.api("PUT", f"/v1/rules/{changed['id']}", {"name": "changed", "rule": "last(S05) > 800", "severity": "critical"})
    assert answer.status_code == 200, answer.text
    assert service.api("DELETE", f"/v1/rules/{gone['id']}", key=other).status_code in (200, 204)
    kafka.produce(topic, messages[half:])
    drive.drained(service, topic, len(messages))
    assert service.terminate() == 0
    return service


def verify(service, database):
    own = service.env
    service.env = {**own, "TOCSIN_DATABASE_CONNINFO": database.conninfo}
    try:
        done = service.tocsin("verify")
    finally:
        service.env = own
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def one_copy(postgres, stopped):
    """A copy of the database that has every table twice: a copy for each of the tests would take a minute."""
    d = Database(postgres, template=stopped.database.name)
    d.execute("CREATE SCHEMA kept")
    for table in TABLES:
        d.execute(f"CREATE TABLE kept.{table} AS TABLE tocsin.{table}")
    yield d
    code, said = verify(stopped, d)
    d.drop()
    assert code == 0, f"not put back as it was: {said}"


@pytest.fixture
def copy(one_copy):
    yield one_copy
    with one_copy.connect() as c, c.transaction():
        c.execute("SET LOCAL session_replication_role = replica")        # no foreign keys while at it
        for table in TABLES:
            c.execute(f"DELETE FROM tocsin.{table}")
            c.execute(f"INSERT INTO tocsin.{table} TABLE kept.{table}")


def test_nothing_differs(stopped):
    counts = {t: stopped.database.one(f"SELECT count(*) FROM tocsin.{t}") for t in ("reading", "alert", "article_score", "dead_letter")}
    assert all(counts.values()), counts
    assert stopped.database.rows("SELECT DISTINCT state FROM tocsin.alert ORDER BY 1") == [("firing",), ("resolved",)]
    assert stopped.database.one("SELECT count(DISTINCT tenant_id) FROM tocsin.alert") == 2
    assert stopped.database.rows("SELECT DISTINCT change FROM tocsin.rule_version ORDER BY 1") == [("changed",), ("created",), ("deleted",)]
    assert stopped.database.one("SELECT count(*) FROM tocsin.series WHERE tenant_id IS NOT NULL") == 1
    assert stopped.database.one("SELECT count(*) FROM tocsin.tick_row") and stopped.database.one("SELECT count(*) FROM tocsin.tick_chunk")
    code, said = verify(stopped, stopped.database)
    assert code == 0 and " 0 differing values" in said, said


def test_every_column_is_forged_here(stopped):
    columns = set(stopped.database.rows("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'tocsin' AND table_name = ANY(%s)",
                                        list(ROWS)))
    assert columns == {(table, column) for table, column, _ in FORGED} | NOT_SAID


def test_ticks_out_of_chunks_are_the_same(stopped, copy):
    before = copy.rows("SELECT * FROM tocsin.tick ORDER BY seq")
    with copy.connect() as c:
        for unpack in UNPACKED:
            assert c.execute(unpack).rowcount > 0
    assert copy.rows("SELECT * FROM tocsin.tick ORDER BY seq") == before
    code, said = verify(stopped, copy)
    assert code == 0 and " 0 differing values" in said, said


@pytest.mark.parametrize("table, column, value", FORGED, ids=lambda x: x if x.isidentifier() else "")
def test_a_forged_value_is_found(stopped, copy, table, column, value):
    with copy.connect() as c:
        assert c.execute(f"UPDATE tocsin.{table} SET {column} = {value} WHERE {ROWS[table]}").rowcount == 1
    code, said = verify(stopped, copy)
    assert code != 0, said
    assert f"{table}.{column}" in said or (table, column) in KEYS and re.search(rf"\b{table}\b", said), said


@pytest.mark.parametrize("what", DELETED)
def test_a_missing_or_surplus_row_is_found(stopped, copy, what):
    named, sql = DELETED[what]
    named = named.format(copy.one("SELECT min(first_seq) FROM tocsin.tick_chunk"))
    with copy.connect() as c:
        for unpack in UNPACKED if "tick_row" in sql else ():
            assert c.execute(unpack).rowcount > 0
        assert c.execute(sql).rowcount > 0
    code, said = verify(stopped, copy)
    assert code != 0, said
    assert named in said, said
