#!/usr/bin/env python3
"""year.py - a year of RATE (500) trades a second around the clock, by size: rows, bytes, and what it takes to ask it.

    make && TOCSIN_SHARED=../shared build/venv/bin/python tests/bench/year.py                    HOURS=24 DAYS=7, a quarter of an hour, 25 GB
    HOURS=1 DAYS=3 ... year.py                                                                   less of it

15.8 billion trades fit on no small machine. What is measured: HOURS of yesterday at full rate through Kafka and the service, 1,000 symbols and
five measures of an index; `tocsin compact` of them; `verify` of that day, and a restart. DAYS - 1 days before it are that day's chunks again, moved
by SQL, with their seq below zero; readings are a row a second and measure, of three measures, for 30 days, made by SQL. So a query meets the partitions, indexes and
chunks of a week and a month. What is extrapolated: the year's rows and bytes are the mean hour's times 24 times 365. The service got the day in large
turns; live it comes a few ticks at a time as rows, which the compaction makes chunks of as large.
Times are medians of 5, warm; each query's rows go to the client. PostgreSQL has 1 GB of shared buffers.
"""
import datetime as dt
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import drain  # noqa: E402
import latency  # noqa: E402
from harness import base, kafka as kafka_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402

RATE, HOURS, DAYS = (int(os.environ.get(k, v)) for k, v in (("RATE", 500), ("HOURS", 24), ("DAYS", 7)))
N = RATE * 3600 * HOURS
DAY_NS, MONTH_DAYS, READ, GB = 86_400_000_000_000, 30, 3, 1e9
TODAY_NS = time.time_ns() // DAY_NS * DAY_NS
MOVED = {"first_seq": "- %(seq)s", "last_seq": "- %(seq)s", "from_ns": "- %(ns)s", "to_ns": "- %(ns)s", "received_base": "- %(ns)s / 1000000",
         "seq_base": "- %(seq)s", "upto_seq": "- %(seq)s"}
MOVED_ARRAYS = {"event_wide": "%(ns)s", "received_wide": "%(ns)s / 1000000", "seq_wide": "%(seq)s"}


def day(n):
    """The date n days ago."""
    return dt.datetime.fromtimestamp(TODAY_NS // 10 ** 9, dt.timezone.utc).date() - dt.timedelta(days=n)


def load(work, broker):
    topic = broker.create_topic("ticks")
    source = (work / "gen.c").read_text()
    was = "1700000000000000000 + w->i++ * 100000 "
    assert source.count(was) == 1
    (work / "gen_day.c").write_text(source.replace(was, f"{TODAY_NS - DAY_NS} + w->i++ * {10 ** 9 // RATE} "))
    latency.compile_c(work / "gen_day.c", "-I", drain.PEERS)
    subprocess.run([work / "gen_day", "load", str(N), broker.bootstrap, topic], check=True)
    return topic


def fill(work, broker, database):
    """Yesterday through the service. Returns it, and seconds."""
    records, _ = drain.reference(work)
    topics = [broker.create_topic("reference"), load(work, broker)]
    broker.produce(topics[0], records)
    began = time.monotonic()
    service = Service(database, broker.bootstrap, topics, topics[:1],
                      {"engine": {"clock_ms": 0, "track": "; ".join(drain.MEASURES)}, "database": {"compact_every_s": 0}}).start()
    with database.connect() as c:
        base.wait_until(lambda: c.execute("SELECT last_seq FROM tocsin.shard").fetchone()[0] >= len(records) + N, "the day is in", 1800, 0.5)
    return service, time.monotonic() - began


def copy_day(c, table, ago):
    """Yesterday's rows of a chunk table as those of `ago` days before it."""
    shift = {"seq": ago * N, "ns": ago * DAY_NS}
    columns = [r[0] for r in c.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", (f"tocsin.{table}",))]
    moved = [f"{x} {MOVED[x]} AS {x}" if x in MOVED else
             f"CASE WHEN {x} IS NOT NULL THEN ARRAY(SELECT e - {MOVED_ARRAYS[x]} FROM unnest({x}) WITH ORDINALITY AS u(e, i) ORDER BY i) END AS {x}" if x in MOVED_ARRAYS else x for x in columns]
    sql = f"SELECT {', '.join(moved)} FROM tocsin.{table} WHERE from_ns >= {TODAY_NS - DAY_NS} AND from_ns < {TODAY_NS}"
    if table == "trade_chunk":                              # its checksum is looked at by whoever asks
        of = c.execute("SELECT proargnames FROM pg_proc WHERE oid = 'tocsin.trade_chunk_sum'::regproc").fetchone()[0]
        sql = f"SELECT {', '.join('m.' + x for x in columns if x != 'checksum')}, tocsin.trade_chunk_sum({', '.join('m.' + x for x in of)}) FROM ({sql}) m"
        columns = [x for x in columns if x != "checksum"] + ["checksum"]
    c.execute(f"INSERT INTO tocsin.{table} ({', '.join(columns)}) {sql}" % {k: v for k, v in shift.items()})


def copies(database):
    with database.connect() as c:
        for ago in range(1, DAYS):
            begin = TODAY_NS - (ago + 1) * DAY_NS
            c.execute("SELECT tocsin.ensure_partition('tick_row', %s)", (day(ago + 1),))
            name = f"trade_chunk_{day(ago + 1):%Y%m%d}"
            c.execute(f"CREATE TABLE tocsin.{name} PARTITION OF tocsin.trade_chunk FOR VALUES FROM ({begin}) TO ({begin + DAY_NS})")
            copy_day(c, "tick_chunk", ago)
            copy_day(c, "trade_chunk", ago)
            c.execute(f"INSERT INTO tocsin.tick_day SELECT from_ns - {ago * DAY_NS}, to_ns - {ago * DAY_NS}, upto_seq - {ago * N}, done_ns - {ago * DAY_NS}, began_at, trades"
                      f" FROM tocsin.tick_day WHERE from_ns = {TODAY_NS - DAY_NS}")
        for ago in range(1, MONTH_DAYS + 1):
            c.execute("SELECT tocsin.ensure_partition('reading', %s)", (day(ago),))
            c.execute(f"""INSERT INTO tocsin.reading (seq, event_ns, series_id, value, coverage, staleness_ns, status, measure_version)
                          SELECT {-ago} * 86400::bigint + s, {TODAY_NS - ago * DAY_NS} + s * 1000000000::bigint, r.series_id, 100 + random(), 1, 1000000, 'ok', r.version
                          FROM generate_series(0, 86399) s, (SELECT series_id, version FROM tocsin.series ORDER BY measure <> 'hhi(JOB)', series_id LIMIT {READ}) r""")
        c.execute("VACUUM ANALYZE")


def sizes(database, like):
    rows = database.rows("SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tocsin' AND c.relkind = 'r' AND c.relname ~ %s", like)
    return sum(r[1] for r in rows)


def asked(database, sql):
    """Median seconds and rows."""
    times, rows = [], 0
    with database.connect() as c:
        for _ in range(5):
            began, rows = time.monotonic(), 0
            with c.cursor().copy(f"COPY ({sql}) TO STDOUT") as copy:
                for piece in copy:
                    rows += bytes(piece).count(b"\n")
            times.append(time.monotonic() - began)
    return statistics.median(times), rows


def timed(service, *arguments):
    began = time.monotonic()
    done = service.tocsin(*arguments, timeout=3600)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - began, done.stdout


def restarted(service):
    times = []
    for _ in range(3):
        service.kill9()
        began = time.monotonic()
        service.start()
        times.append(time.monotonic() - began)
    return statistics.median(times)


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-year-"))
    work.chmod(0o755)
    drain.build(work)
    postgres, broker = Postgres(settings={"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "wal_level": "minimal", "max_wal_senders": "0"}), kafka_harness.start(print)
    database, service = Database(postgres), None
    out = []

    def say(what, *numbers):
        out.append((what, numbers))
        print(what, *numbers, flush=True)

    try:
        service, took = fill(work, broker, database)
        say("the day", f"{HOURS} hours, {N:,} trades in {took:.0f} s")
        say("restart, kill -9 under no load, to ready", f"{restarted(service):.2f} s")
        service.terminate()
        took, said = timed(service, "verify", "--from", day(1).isoformat())
        say("verify of the day", f"{took:.1f} s, {N / took:,.0f} trades/s", said.strip().splitlines()[-1])
        say("compact of the day", f"{timed(service, 'compact')[0]:.1f} s")
        copies(database)
        chunks, trades = (sizes(database, f"^{t}_[0-9]{{8}}$") / DAYS for t in ("tick_chunk", "trade_chunk"))
        rows, readings = sizes(database, "^tick_[0-9]{8}$") / DAYS, sizes(database, "^reading_[0-9]{8}$") / MONTH_DAYS
        n = {t: database.one(f"SELECT count(*) FROM tocsin.{t} WHERE from_ns >= {TODAY_NS - DAYS * DAY_NS}") / DAYS for t in ("tick_chunk", "trade_chunk")}
        n_readings = database.one("SELECT count(*) FROM tocsin.reading WHERE seq < 0") / MONTH_DAYS
        for what, count, size in (("ticks in the order of seq", n["tick_chunk"], chunks + rows), ("trades by instrument", n["trade_chunk"], trades),
                                  (f"readings of {n_readings / 86400:.0f} measures", n_readings, readings)):
            reading = what.startswith("readings")
            year = 365 if reading else 365 * 24 / HOURS
            say(what, f"a day {count:,.0f} rows, {size / GB:.2f} GB, {size / (count if reading else N):.1f} bytes a {'row' if reading else 'trade'};",
                f"a year {count * year:,.0f} rows, {size * year / GB:,.0f} GB")
        begin, end = day(1).isoformat(), day(0).isoformat()
        for what, sql in (("one symbol's day", f"SELECT * FROM market.trades('SYM0123', '{begin}', '{end}')"),
                          ("the same of a day of last week", f"SELECT * FROM market.trades('SYM0123', '{day(DAYS)}', '{day(DAYS - 1)}')"),
                          ("one symbol's hour", f"SELECT * FROM market.trades('SYM0123', '{begin}', '{begin} 01:00')"),
                          ("one symbol's five minutes", f"SELECT * FROM market.trades('SYM0123', '{begin} 00:50', '{begin} 00:55')"),
                          ("one measure's month, every second", f"SELECT * FROM market.readings('hhi(JOB)', '{day(MONTH_DAYS)}', '{end}')"),
                          ("one measure's month, a thousand times", "SELECT g.* FROM tocsin.series s, tocsin.reading_grid(s.series_id, "
                           f"{TODAY_NS - MONTH_DAYS * DAY_NS}, {TODAY_NS}, 1000) g WHERE s.measure = 'hhi(JOB)'")):
            seconds, got = asked(database, sql)
            say(what, f"{seconds * 1000:,.0f} ms, {got:,} rows")
        say("database", f"{database.one('SELECT pg_database_size(current_database())') / GB:.1f} GB")
        service.start()
        say("restart with all of it", f"{restarted(service):.2f} s")
        service.close()
    finally:
        if service and service.alive:
            service.terminate()
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    main()
