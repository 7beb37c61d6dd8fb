#!/usr/bin/env python3
"""flood.py [SIZE...] - turns that cause far more than they read, and messages that are refused, at full size through the whole service.

    make && build/venv/bin/python tests/bench/flood.py                 all five, ten minutes
    make && build/venv/bin/python tests/bench/flood.py hooks big       some: hooks, wide, one, big, small

A size: rows committed beside what arithmetic says (each of RULES is crossed by each of TICKS, so it fires at every second one and
resolves at the others; each alert is owed to each webhook; of a refused message a row), the largest resident size, the longest
statement of the service by pg_stat_statements, and the resident size before and a minute after. Counts are a verdict, the rest is
not. The webhooks answer nobody: what counts is what is owed.
"""
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import drive  # noqa: E402
import streams  # noqa: E402
from harness import kafka as kafka_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402

QUIET = {"clock_ms": 0, "stale_after_ms": 0}
MS, S = streams.MS, streams.S
BEGIN = 1_770_130_800 * S
STORMS = {"hooks": (60, 10_000, 8), "wide": (1000, 10_000, 0), "one": (600, 4000, 1)}      # rules, ticks, webhooks
REFUSED = {"big": (500, 999_000), "small": (200_000, 10_000)}                              # messages, bytes
SETTLE_S = 60


def memory_mb(service, field):
    with open(f"/proc/{service.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith(field)).split()[1]) / 1024


def forget_peak(service):
    pathlib.Path(f"/proc/{service.pid}/clear_refs").write_text("5", encoding="ascii")


def longest_statement_s(database):
    return (database.one("SELECT coalesce(max(max_exec_time), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
                         " WHERE d.datname = current_database()") or 0) / 1000


def trade(price, n):
    return streams.encode({"kind": "trade", "symbol": "S00", "price": str(price), "ts": BEGIN + n * MS})


class Run:
    """A service of its own with one instrument, whose price crosses everything between 99 and 111 at each tick."""

    def __init__(self, postgres, broker, name):
        self.broker = broker
        self.topic = broker.create_topic(name)
        self.database = Database(postgres)
        self.database.execute("CREATE EXTENSION pg_stat_statements")
        self.service = Service(self.database, broker.bootstrap, [self.topic], config={"engine": QUIET}).start()
        broker.produce(self.topic, [streams.encode({"kind": "instrument", "symbol": "S00", "issuer": "I00", "name": "Storm", "ts": BEGIN}), trade(99, 1)])
        drive.drained(self.service, self.topic, 2)

    def warm(self, ticks):
        """What a service that has worked holds anyhow is there before it is measured."""
        self.broker.produce(self.topic, [trade(99, 2 + n) for n in range(ticks)])
        drive.drained(self.service, self.topic, 2 + ticks)

    def measured(self, work, counts):
        """work() sends and waits; counts: what has to be there then, as {SQL: number}."""
        self.database.execute("SELECT pg_stat_statements_reset()")
        forget_peak(self.service)
        begin, began = memory_mb(self.service, "VmRSS"), time.monotonic()
        rows = work()
        took = time.monotonic() - began
        longest, peak = longest_statement_s(self.database), memory_mb(self.service, "VmHWM")
        time.sleep(SETTLE_S)
        after = memory_mb(self.service, "VmRSS")
        wrong = {sql: (got, want) for sql, want in counts.items() if (got := self.database.one(sql)) != want}
        print(f"  {rows:,} rows in {took:.1f} s; RSS {begin:.1f} MB before, at most {peak:.1f}, {after:.1f} a minute after ({after / begin:.2f} x); "
              f"longest statement {longest:.2f} s; counts {'exact' if not wrong else f'WRONG: {wrong}'}", flush=True)
        return not wrong

    def close(self):
        self.service.close()
        self.database.drop()


def storm(postgres, broker, name):
    rules, ticks, webhooks = STORMS[name]
    print(f"{name}: {rules} rules x {ticks:,} ticks x {webhooks} webhooks", flush=True)
    r = Run(postgres, broker, name)
    try:
        for i in range(rules):
            drive.make_rule(r.service, {"name": f"rule {i}", "rule": f"last(S00) >= {100 + 10 * i / rules:.4f}"})
        for n in range(webhooks):
            drive.make_channel(r.service, f"http://127.0.0.1:9/{n}")

        def work():
            broker.produce(r.topic, [trade(99 if n % 2 else 111, 2 + n) for n in range(ticks)])
            drive.drained(r.service, r.topic, 2 + ticks, 3000)
            return rules * ticks * (1 + webhooks)

        good = r.measured(work, {
            "SELECT count(*) FROM tocsin.tick": ticks + 1,
            "SELECT count(*) FROM tocsin.alert WHERE state = 'firing'": rules * (ticks - ticks // 2),
            "SELECT count(*) FROM tocsin.alert WHERE state = 'resolved'": rules * (ticks // 2),
            "SELECT count(*) FROM (SELECT FROM tocsin.alert GROUP BY rule_id HAVING count(DISTINCT seq) = count(*)) x": rules,
            "SELECT max(stream_no) FROM tocsin.alert": rules * ticks,
            "SELECT count(*) FROM tocsin.outbox": rules * ticks * webhooks,
        })
        began = time.monotonic()
        done = r.service.tocsin("verify", timeout=3600)
        same = " 0 differing values" in done.stdout
        print(f"  verify: {'0 differing values' if same else done.stdout + done.stderr} in {time.monotonic() - began:.1f} s", flush=True)
        return good and same
    finally:
        r.close()


def refused(postgres, broker, name):
    count, size = REFUSED[name]
    print(f"{name}: {count:,} refused messages of {size:,} bytes", flush=True)
    r = Run(postgres, broker, name)
    try:
        r.warm(1000)
        message, piece = b'{"kind":"nothing","filler":"' + b"x" * (size - 30) + b'"}', max(1, (32 << 20) // size)

        def work():
            for at in range(0, count, piece):
                broker.produce(r.topic, [(b"bad", message)] * min(piece, count - at))
            drive.drained(r.service, r.topic, 1002 + count, 900)
            return count

        return r.measured(work, {"SELECT count(*) FROM tocsin.dead_letter": count,
                                 "SELECT sum(length(message)) FROM tocsin.dead_letter": count * min(size, 64 << 10)})
    finally:
        r.close()


def main():
    names = sys.argv[1:] or [*STORMS, *REFUSED]
    postgres = Postgres(settings={"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all", "max_wal_size": "4GB"})
    broker = kafka_harness.start(print)
    try:
        return 0 if all([storm(postgres, broker, n) if n in STORMS else refused(postgres, broker, n) for n in names]) else 1
    finally:
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    sys.exit(main())
