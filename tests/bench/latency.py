#!/usr/bin/env python3
"""latency.py [ROUNDS] - from the moment a tick is due to the alert's bytes at a subscriber, beside a null pipeline (consume, commit, send).

    make && TOCSIN_SHARED=../shared build/venv/bin/python tests/bench/latency.py 3

Open loop: ticks are due at a fixed RATE (500) a second for SECS (8) and carry their due time; both pipelines see the same generator, in turn. A
rule a symbol fires or resolves whenever its price passes the base price, so that about one tick in seven ends as an alert on the live stream. A
run whose generator was late is thrown away. Ratios are of medians of the rounds.

`null` commits and sends every tick, 500 times a second. `null 1/7` commits and sends every seventh: as often as Tocsin, which stores what nobody
waits for by and by (engine.commit_ms), so that the sessions of both have stood still as long when something comes.

`busy` is the same while a snapshot is written every second, yesterday's DAY_TICKS (2 000 000) ticks are written by instrument, and, at half time, the
session of all symbols ends. It says how much of each fell into the run; BUSY=0 leaves it out.
"""
import asyncio
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import drain  # noqa: E402
from harness import base, kafka as kafka_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402

RATE, SECS = int(os.environ.get("RATE", 500)), int(os.environ.get("SECS", 8))
SELDOM = 7    # one tick in so many ends as an alert
BUSY, DAY_TICKS = os.environ.get("BUSY", "1") != "0", int(os.environ.get("DAY_TICKS", 2_000_000))


def ns_of(text):
    """2026-11-22T04:10:41.656080121Z"""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return int(time.mktime(time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone) * 10 ** 9 + int(fraction.ljust(9, "0") or 0)


def quantiles(values):
    values = sorted(values)
    return {"records": len(values), "p50_ms": values[len(values) // 2] / 1e6, "p99_ms": values[len(values) * 99 // 100] / 1e6}


def pace(work, broker, topic):
    done = drain.said([work / "gen", "pace", RATE, SECS, broker.bootstrap, topic])
    return done["worst_late_ms"] < 20


def null(work, broker, database, every=1):
    program = work / ("null_pipe" if every == 1 else "null_seldom")
    topic, port = broker.create_topic("lat"), base.free_port()
    receiver = subprocess.Popen([program, "recv", str(port), str(RATE // every)], stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    pipe = subprocess.Popen([program, "pipe", broker.bootstrap, topic, "1", str(RATE * SECS // every), database.conninfo, "1000", str(port)], stdout=subprocess.DEVNULL)
    time.sleep(2)
    fine = pace(work, broker, topic)
    pipe.wait(60)
    out = json.loads(receiver.communicate(timeout=60)[0])
    return out if fine else None


def end_session(broker, topic):
    """Of the day that the paced ticks are of, amid them."""
    day = time.strftime("%Y-%m-%d", time.gmtime())
    broker.produce(topic, [("clock", {"kind": "clock", "ts": time.time_ns(), "session_end": day})])


class Meanwhile:
    """What is done beside a run: snapshots written, ticks written by instrument, sessions ended."""

    def __init__(self, database):
        self.database, self.snapshots, self.over = database, set(), threading.Event()
        self.before = self.counts()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.over.wait(0.4):
            self.snapshots.add(self.database.one("SELECT max(seq) FROM tocsin.snapshot"))

    def counts(self):
        return {"compacted": int(self.database.one("SELECT coalesce(sum(trades), 0) FROM tocsin.trade_chunk")),
                "sessions_ended": self.database.one("SELECT count(*) FROM tocsin.event WHERE kind = 3 AND payload LIKE '%session_end%'")}

    def end(self):
        self.over.set()
        self.thread.join()
        return {"snapshots": len(self.snapshots), **{k: n - self.before[k] for k, n in self.counts().items()}}


def tocsin(work, broker, postgres, template, reference_topics, busy=False):
    topic = broker.create_topic("lat")
    database = Database(postgres, template=template.name)
    config = {"engine": {"clock_ms": 0, "sample_ms": 60000, **({"snapshot_s": 1} if busy else {})}, "database": {"compact_every_s": 3 if busy else 0}}
    service = Service(database, broker.bootstrap, [*reference_topics, topic], reference_topics[:1], config).start()
    arrived = []

    def listen():
        s = socket.create_connection(("127.0.0.1", service.port))
        s.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\n\r\n".encode())
        rest = b""
        while True:
            piece = s.recv(1 << 16)
            at = time.time_ns()
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                found = line.find(b'"time":"')
                if line.startswith(b"data: ") and found > 0:
                    due = ns_of(line[found + 8:line.index(b'"', found + 8)].decode())
                    arrived.append((due, at - due))

    threading.Thread(target=listen, daemon=True).start()
    time.sleep(2)
    meanwhile = Meanwhile(database) if busy else None
    if busy:
        threading.Timer(SECS / 2, end_session, (broker, topic)).start()
    fine = pace(work, broker, topic)
    beside = meanwhile.end() if busy else {}
    time.sleep(1)
    service.terminate()
    database.drop()
    first = min(due for due, _ in arrived) + 10 ** 9           # the null subscriber leaves out its first second too
    out = quantiles([late for due, late in arrived if due >= first])
    return {**out, **beside} if fine else None


def load_yesterday(work, broker):
    """DAY_TICKS of yesterday, a thousand a second, in Kafka."""
    topic = broker.create_topic("yesterday")
    begin = (time.time_ns() // 86_400_000_000_000 - 1) * 86_400_000_000_000
    source = (work / "gen.c").read_text()
    assert source.count("1700000000000000000 + w->i++ * 100000 ") == 1
    (work / "gen_yesterday.c").write_text(source.replace("1700000000000000000 + w->i++ * 100000 ", f"{begin} + w->i++ * 1000000 "))
    compile_c(work / "gen_yesterday.c", "-I", drain.PEERS)
    subprocess.run([work / "gen_yesterday", "load", str(DAY_TICKS), broker.bootstrap, topic], check=True)
    return topic


def build_null(work):
    source = (drain.PEERS / "null_pipe.c").read_text()
    assert source.count("if (!m[i]->err) {") == 1
    seldom = source.replace("if (!m[i]->err) {", f"static long all; if (!m[i]->err && all++ % {SELDOM} == 0) {{")
    for name, text in (("null_pipe", source), ("null_seldom", seldom)):
        (work / f"{name}.c").write_text(text)
        compile_c(work / f"{name}.c", "-I", drain.PEERS)


def compile_c(source, *more):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka", "libpq"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", *more, "-o", source.with_suffix(""), source, *flags, "-lpthread", "-lm"], check=True)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    work = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-latency-"))
    drain.build(work)
    build_null(work)
    postgres, broker = Postgres(), kafka_harness.start(print)
    try:
        template, scratch = Database(postgres), Database(postgres)
        records, names = drain.reference(work)
        topic = broker.create_topic("reference")
        broker.produce(topic, records)
        topics = [topic, *([load_yesterday(work, broker)] if BUSY else [])]
        service = Service(template, broker.bootstrap, topics, topics[:1], {"engine": {"clock_ms": 0, "sample_ms": 0}, "database": {"compact_every_s": 0}}).start()
        want = len(records) + (DAY_TICKS if BUSY else 0)
        base.wait_until(lambda: template.one("SELECT last_seq FROM tocsin.shard") >= want, "reference data and yesterday are in", 120)
        at = {r[1]["symbol"]: r[1]["price"] for r in records if r[1]["kind"] == "close"}
        asyncio.run(drain.post_all(service, [{"rule": f"last({s}) >= {p}", "on_create": "wait"} for s, p in at.items()]))
        service.terminate()
        seldom = f"null 1/{SELDOM}"
        runs = {"null": lambda: null(work, broker, scratch), seldom: lambda: null(work, broker, scratch, SELDOM), "tocsin": lambda: tocsin(work, broker, postgres, template, topics)}
        if BUSY:
            runs["busy"] = lambda: tocsin(work, broker, postgres, template, topics, True)
        results = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                out = run()
                print(name, out or "generator late: thrown away", flush=True)
                if out:
                    results[name].append(out)
        median = {name: {q: statistics.median(r[q] for r in of) for q in ("p50_ms", "p99_ms")} for name, of in results.items()}
        for name in [*runs][2:]:
            for q, n in median[name].items():
                print(f"{name:6} {q}: {n:.3f}; " + "; ".join(f"{peer} {median[peer][q]:.3f}, ratio {n / median[peer][q]:.2f}" for peer in ("null", seldom)))
    finally:
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    main()
