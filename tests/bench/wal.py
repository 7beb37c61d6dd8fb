#!/usr/bin/env python3
"""wal.py [SECONDS] - the write-ahead log that the service makes of RATE (500) trades a second, a day, and what of.

    make && build/venv/bin/python tests/bench/wal.py 120

500 companies in one index, evenly paced trades, and RULES (20) of them with a rule on `last`; snapshots
and a session that ends in the middle: all settings are the defaults (SET="engine.commit_ms=0" says otherwise). It is looked at from one CHECKPOINT of the server to the end, so
the full-page images in it are those of SECONDS after a checkpoint. With the default checkpoint_timeout of 5 min they come 288 times a
day: `a day` below counts the other records by the second and those images once per 5 min, which for a shorter run says somewhat too
little of them; `as measured` counts all of it by the second, which says too much. With wal_compression they are less. By pg_walinspect.
"""
import json
import os
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
from confluent_kafka import Producer  # noqa: E402
from harness import base, kafka as kafka_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402

RATE, RULES, SYMBOLS = int(os.environ.get("RATE", 500)), int(os.environ.get("RULES", 20)), 500
OURS = {}
for text in os.environ.get("SET", "").split():
    key, _, value = text.partition("=")
    OURS.setdefault(key.split(".")[0], {})[key.split(".")[1]] = value
SETTINGS = {k: v for k, _, v in (s.partition("=") for s in os.environ.get("PG", "").split() if s)}      # PG="wal_compression=lz4"
CYCLE_S = 300
GB = 1e9

BY_RELATION = """
    WITH record AS (
        SELECT start_lsn, record_length, fpi_length, resource_manager, record_type, block_ref,
               substring(block_ref FROM 'rel [0-9]+/[0-9]+/([0-9]+)')::oid AS node
        FROM pg_get_wal_records_info(%(begin)s, %(end)s))
    SELECT coalesce(regexp_replace(regexp_replace(CASE WHEN c.relkind = 't' OR t.relname LIKE 'pg_toast%%' THEN 'toast' ELSE c.relname END,
                                                  '_[0-9]{6,8}', ''), '_(pkey|idx)$', ' index'), lower(resource_manager)) AS what,
           count(*), sum(record_length - fpi_length), sum(fpi_length)
    FROM record LEFT JOIN pg_class c ON pg_relation_filenode(c.oid) = node LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
    GROUP BY 1 ORDER BY sum(record_length) DESC"""


def reference(now_ns, first_price):
    yield "MKT", {"kind": "index", "index": "MKT", "base": 1000, "ts": now_ns}
    for i in range(SYMBOLS):
        s = f"S{i:04}"
        yield s, {"kind": "instrument", "symbol": s, "issuer": f"I{i:04}", "name": f"Company {i}", "ts": now_ns}
        yield s, {"kind": "shares", "symbol": s, "shares": 10_000_000 + 977 * i, "ts": now_ns}
        yield "MKT", {"kind": "membership", "index": "MKT", "symbol": s, "ts": now_ns}
        yield s, {"kind": "trade", "symbol": s, "price": f"{first_price[i] / 100:.2f}", "ts": now_ns}


class Feed(threading.Thread):
    """Trade k is due at start + k / RATE; prices wander by a few basis points."""

    def __init__(self, bootstrap, topic, prices):
        super().__init__(daemon=True)
        self.producer, self.topic, self.prices = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0}), topic, prices
        self.over, self.sent, self.late_s, self.random = threading.Event(), 0, 0.0, random.Random(base.SEED)

    def run(self):
        began = time.monotonic()
        while not self.over.is_set():
            due = began + self.sent / RATE
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
            else:
                self.late_s = max(self.late_s, now - due)
            i = self.random.randrange(SYMBOLS)
            self.prices[i] += self.random.randint(-3, 3)
            self.producer.produce(self.topic, json.dumps({"kind": "trade", "symbol": f"S{i:04}", "price": f"{self.prices[i] / 100:.2f}",
                                                          "size": self.random.randint(1, 900), "ts": time.time_ns()}), f"S{i:04}")
            self.producer.poll(0)
            self.sent += 1
        self.producer.flush(10)

    def say(self, record):
        self.producer.produce(self.topic, json.dumps(record), "clock")


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    postgres, broker = Postgres(settings={"checkpoint_timeout": "30min", "max_wal_size": "8GB", **SETTINGS}), kafka_harness.start(print)
    database = Database(postgres)
    service = feed = None
    try:
        database.execute("CREATE EXTENSION pg_walinspect")
        prices = [5000 + 90 * i for i in range(SYMBOLS)]
        topics = [broker.create_topic("reference"), broker.create_topic("ticks")]
        records = list(reference(time.time_ns(), prices))
        broker.produce(topics[0], records)
        service = Service(database, broker.bootstrap, topics, topics[:1], OURS).start()
        base.wait_until(lambda: database.one("SELECT last_seq FROM tocsin.shard") >= len(records), "reference data is in", 60)
        for i in range(RULES):
            service.api("POST", "/v1/rules", {"rule": f"last(S{i:04}) >= {prices[i] / 100 + 0.05:.2f}", "clear": f"{prices[i] / 100 - 0.05:.2f}"})
        feed = Feed(broker.bootstrap, topics[1], prices)
        feed.start()
        time.sleep(15)
        database.execute("CHECKPOINT")
        at = lambda: database.rows("SELECT pg_current_wal_lsn(), (SELECT last_seq FROM tocsin.shard), (SELECT commits FROM tocsin.shard), (SELECT count(*) FROM tocsin.alert)")[0]
        begin, began = at(), time.monotonic()
        time.sleep(seconds / 2)
        day = database.one("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')")
        feed.say({"kind": "clock", "ts": time.time_ns(), "session_end": day})
        time.sleep(max(0, began + seconds - time.monotonic()))
        end, took = at(), time.monotonic() - began
        feed.over.set()
        feed.join(20)
        rows = database.connect().execute(BY_RELATION, {"begin": begin[0], "end": end[0]}).fetchall()
        whole = database.one("SELECT pg_wal_lsn_diff(%s, %s)", end[0], begin[0])
        per_day = lambda record, fpi: (float(record) * 86400 / took + float(fpi) * 86400 / CYCLE_S) / GB
        print(f"{took:.0f} s, {(end[1] - begin[1]) / took:.0f} records a second in {(end[2] - begin[2]) / took:.0f} commits, "
              f"{(end[3] - begin[3]) / took:.1f} alerts a second; the feed at most {feed.late_s * 1000:.0f} ms late; {SETTINGS or 'the default settings of PostgreSQL'}, {OURS or 'and ours'}")
        print(f"{'':28}{'records/s':>10}{'bytes/s':>10}{'images/s':>10}{'GB a day':>10}")
        for what, n, record, fpi in rows[:16]:
            print(f"{what:28}{n / took:10.1f}{float(record) / took:10.0f}{float(fpi) / took:10.0f}{per_day(record, fpi):10.2f}")
        total = [sum(float(r[k]) for r in rows) for k in (1, 2, 3)]
        print(f"{'all':28}{total[0] / took:10.1f}{total[1] / took:10.0f}{total[2] / took:10.0f}{per_day(total[1], total[2]):10.2f}"
              f"   as measured {float(whole) * 86400 / took / GB:.2f}")
    finally:
        if service:
            service.close()
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    main()
