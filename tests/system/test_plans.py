"""The functions for ranges give the rows of the views, and their plans touch the partitions of the range alone."""
import datetime as dt
import json

import pytest

DAY = 86_400_000_000_000
TODAY = dt.datetime.now(dt.timezone.utc).date()
DAYS = [dt.date(2018, 1, 30), dt.date(2018, 2, 14), *(TODAY - dt.timedelta(days=n) for n in (3, 2, 1))]     # two months, then a partition each
SYMBOLS = ["AAA", "BBB", "CCC"]
A_DAY = 240                                     # ticks, of which every tenth is a close
# Of the rows with seq in a range one chunk, as wide as can be. No replay reads it here, so that it needs no checksum.
CHUNK = """INSERT INTO tocsin.tick_chunk (first_seq, last_seq, ticks, from_ns, to_ns, kind_from, kind_to, checksum, event_unit, received_base, received_unit, price_base,
    price_unit, size_base, size_unit, seq, instrument, kind, event_wide, received_wide, price_wide, size_wide, run_at, run_kpos)
    SELECT min(seq), max(seq), count(*), min(event_ns), max(event_ns), min(day_or_kind), max(day_or_kind), 0, 1, 0, 1, 0, 1, 0, 1,
        array_agg((seq - %(a)s)::integer ORDER BY seq), array_agg(instrument_id ORDER BY seq), array_agg(day_or_kind ORDER BY seq), array_agg(event_ns ORDER BY seq),
        array_agg(received_ms ORDER BY seq), array_agg(price_e8 ORDER BY seq), array_agg(size_e8 ORDER BY seq),
        array_agg((seq - %(a)s)::integer ORDER BY seq), array_agg(kpos ORDER BY seq)
    FROM tocsin.tick_row WHERE seq BETWEEN %(a)s AND %(b)s"""


def ns(day):
    return (day - dt.date(1970, 1, 1)).days * DAY


@pytest.fixture(scope="module")
def filled(service_factory, kafka):
    """Per day: 60 rows, two chunks of 60, 60 rows; readings of two measures each second."""
    d = service_factory(topics=[kafka.create_topic("plans")], start=False).database
    with d.connect() as c:
        for n, symbol in enumerate(SYMBOLS):
            c.execute("INSERT INTO tocsin.instrument (instrument_id, symbol, issuer, name) VALUES (%s, %s, '', '')", (n, symbol))
        for n, measure in enumerate(("hhi(X)", "level(X)")):
            c.execute("INSERT INTO tocsin.series (series_id, measure, unit, version, configured) VALUES (%s, %s, '', 1, false)", (n, measure))
        for n, day in enumerate(DAYS):
            for table in ("tick_row", "reading"):
                c.execute("SELECT tocsin.ensure_partition(%s, %s)", (table, day))
            first = 1 + n * A_DAY
            c.execute("""INSERT INTO tocsin.tick_row SELECT %(first)s + i, %(at)s + i * 300000000000, 0, %(first)s + i, 100000000 + i * 1000000, CASE i %% 10 WHEN 0 THEN 0 ELSE i END, (i %% 3)::integer,
                CASE i %% 10 WHEN 0 THEN %(session)s ELSE (-2147483648 + i %% 3)::integer END FROM generate_series(0::bigint, %(n)s - 1) i""",
                      {"first": first, "at": ns(day), "session": (day - dt.date(1970, 1, 1)).days, "n": A_DAY})
            for a in (first + 60, first + 120):
                c.execute(CHUNK, {"a": a, "b": a + 59})
                c.execute("DELETE FROM tocsin.tick_row WHERE seq BETWEEN %s AND %s", (a, a + 59))
            c.execute("""INSERT INTO tocsin.reading (seq, event_ns, series_id, value, coverage, staleness_ns, status, measure_version)
                SELECT i, %s + i * 1000000000, (i %% 2)::integer, i, 1, 0, 'ok', 1 FROM generate_series(0::bigint, 1999) i""", (ns(day),))
        c.execute("INSERT INTO tocsin.close SELECT seq, instrument_id, day_or_kind, price_e8 FROM tocsin.tick WHERE day_or_kind > -2147483646")
        c.execute("ANALYZE")
    assert d.one("SELECT count(*) FROM tocsin.tick") == d.one("SELECT count(DISTINCT seq) FROM tocsin.tick") == A_DAY * len(DAYS)
    assert d.one("SELECT count(*) FROM tocsin.tick_chunk") == 2 * len(DAYS)
    return d


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def touched(database, sql):
    """Relations that the plan reads."""
    plan = database.one(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return {n["Relation Name"]: n for n in nodes(plan[0]["Plan"]) if "Relation Name" in n}


def partition(table, day):
    return f"{table}_{day:%Y%m}" if day.year == 2018 else f"{table}_{day:%Y%m%d}"


RANGES = [(0, 1), (1, 2), (2, 3), (3, 5), (0, 2)]             # of DAYS: from the first until before the second


@pytest.mark.parametrize("a, b", RANGES)
def test_trades_of_a_range(filled, a, b):
    begin, end = DAYS[a], DAYS[b - 1] + dt.timedelta(days=1)
    wanted = {partition(t, d) for t in ("tick", "tick_chunk") for d in DAYS[a:b]} | {"instrument"}
    for at in (f"'{begin} 00:00Z', '{end} 00:00Z'", f"'{begin} 03:00Z', '{DAYS[b - 1]} 17:00Z'"):
        sql = f"SELECT * FROM market.trades('BBB', {at})"
        low, high = at.split(", ")
        rows = filled.rows(f"{sql} ORDER BY seq")
        assert len(rows) > 10 * (b - a)
        assert rows == filled.rows(f"SELECT * FROM market.trade WHERE symbol = 'BBB' AND at >= {low} AND at < {high} ORDER BY seq")
        assert set(touched(filled, sql)) == wanted
    assert filled.rows(f"SELECT * FROM market.trades('BBB', '{end}', '{begin}')") == []
    assert filled.rows("SELECT * FROM market.trades('BBB', '-infinity', 'infinity') ORDER BY seq") == filled.rows("SELECT * FROM market.trade WHERE symbol = 'BBB' ORDER BY seq")


@pytest.mark.parametrize("a, b", RANGES)
def test_closes_of_a_range(filled, a, b):
    sql = f"SELECT * FROM market.closes('CCC', '{DAYS[a]}', '{DAYS[b - 1]}')"
    rows = filled.rows(f"{sql} ORDER BY seq")
    assert len(rows) == 8 * (b - a)
    assert rows == filled.rows(f"SELECT * FROM market.close WHERE symbol = 'CCC' AND session BETWEEN '{DAYS[a]}' AND '{DAYS[b - 1]}' ORDER BY seq")
    assert set(touched(filled, sql)) == {"instrument", "close"}
    with filled.connect() as c:
        c.execute("SET enable_seqscan = off")                    # which is cheaper for as few as are here
        plan = json.dumps(c.execute(f"EXPLAIN (FORMAT JSON) {sql}").fetchone()[0])
    assert "close_pkey" in plan and "session <=" in plan


@pytest.mark.parametrize("a, b", RANGES)
def test_readings_of_a_range(filled, a, b):
    begin, end = DAYS[a], DAYS[b - 1] + dt.timedelta(days=1)
    sql = f"SELECT * FROM market.readings('level(X)', '{begin} 00:00Z', '{end} 00:00Z')"
    rows = filled.rows(f"{sql} ORDER BY at")
    assert len(rows) == 1000 * (b - a)
    assert rows == filled.rows(f"SELECT * FROM market.reading WHERE measure = 'level(X)' AND at >= '{begin} 00:00Z' AND at < '{end} 00:00Z' ORDER BY at")
    read = touched(filled, sql)
    assert set(read) == {"series"} | {partition("reading", d) for d in DAYS[a:b]}
    few = touched(filled, f"SELECT * FROM market.readings('level(X)', '{begin} 00:10Z', '{begin} 00:11Z')")[partition("reading", begin)]
    assert "Scan" in few["Node Type"] and few["Node Type"] != "Seq Scan", few


def test_chunks_out_of_the_range_are_not_unpacked(filled):
    """The ranges of the chunks stand beside them: of a day's two the one of the time asked for is opened."""
    day = DAYS[-1]
    plan = filled.one(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM tocsin.ticks({ns(day) + 65 * 300_000_000_000}, {ns(day) + 100 * 300_000_000_000})")
    unpacked = [n for n in nodes(plan[0]["Plan"]) if n["Node Type"] == "Function Scan"]
    assert [n["Actual Loops"] for n in unpacked] == [1]


def test_moments_are_exact(filled):
    for at, value in (("1970-01-01 00:00Z", 0), ("2026-02-03 15:00:00.000001Z", 1770130800_000001000), ("1969-12-31 23:59:59.999999Z", -1000), ("infinity", 2**63 - 1), ("-infinity", -2**63)):
        assert filled.one("SELECT market.ns(%s)", at) == value
    assert [filled.one("SELECT tocsin.midnight(%s)", v) for v in (0, 1, DAY - 1, DAY, -1, -DAY, -2**63)] == [0, 0, 0, DAY, -DAY, -DAY, -2**63]
