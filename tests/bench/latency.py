#!/usr/bin/env python3
"""latency.py [ROUNDS] - from the moment a tick is due to the alert's bytes at a subscriber, beside a null pipeline (consume, commit, send).

    make && TOCSIN_SHARED=../shared build/venv/bin/python tests/bench/latency.py 3

Open loop: ticks are due at a fixed RATE (500) a second for SECS (8) and carry their due time; both pipelines see the same generator, in turn. A
rule a symbol fires or resolves whenever its price passes the base price, so that about a third of the ticks end as an alert on the live stream. A
run whose generator was late is thrown away. Ratios are of medians of the rounds.
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


def null(work, broker, database):
    topic, port = broker.create_topic("lat"), base.free_port()
    receiver = subprocess.Popen([work / "null_pipe", "recv", str(port), str(RATE)], stdout=subprocess.PIPE, text=True)
    time.sleep(0.3)
    pipe = subprocess.Popen([work / "null_pipe", "pipe", broker.bootstrap, topic, "1", str(RATE * SECS), database.conninfo, "1000", str(port)], stdout=subprocess.DEVNULL)
    time.sleep(2)
    fine = pace(work, broker, topic)
    pipe.wait(60)
    out = json.loads(receiver.communicate(timeout=60)[0])
    return out if fine else None


def tocsin(work, broker, postgres, template, reference_topic):
    topic = broker.create_topic("lat")
    database = Database(postgres, template=template.name)
    service = Service(database, broker.bootstrap, [reference_topic, topic], [reference_topic], {"engine": {"clock_ms": 0, "sample_ms": 60000}}).start()
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
    fine = pace(work, broker, topic)
    time.sleep(1)
    service.terminate()
    database.drop()
    first = min(due for due, _ in arrived) + 10 ** 9           # the null subscriber leaves out its first second too
    return quantiles([late for due, late in arrived if due >= first]) if fine else None


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    work = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-latency-"))
    drain.build(work)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka", "libpq"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-o", work / "null_pipe", drain.PEERS / "null_pipe.c", *flags], check=True)
    postgres, broker = Postgres(), kafka_harness.start(print)
    try:
        template, scratch = Database(postgres), Database(postgres)
        records, names = drain.reference(work)
        topic = broker.create_topic("reference")
        broker.produce(topic, records)
        service = Service(template, broker.bootstrap, [topic], config={"engine": {"clock_ms": 0, "sample_ms": 0}}).start()
        base.wait_until(lambda: template.one("SELECT last_seq FROM tocsin.shard") >= len(records), "reference data is in", 60)
        at = {r[1]["symbol"]: r[1]["price"] for r in records if r[1]["kind"] == "close"}
        asyncio.run(drain.post_all(service, [{"rule": f"last({s}) >= {p}", "on_create": "wait"} for s, p in at.items()]))
        service.terminate()
        results = {"null": [], "tocsin": []}
        for _ in range(rounds):
            for name, out in (("null", null(work, broker, scratch)), ("tocsin", tocsin(work, broker, postgres, template, topic))):
                print(name, out or "generator late: thrown away", flush=True)
                if out:
                    results[name].append(out)
        for q in ("p50_ms", "p99_ms"):
            n, t = (statistics.median(r[q] for r in results[k]) for k in ("null", "tocsin"))
            print(f"{q}: null {n:.3f}, tocsin {t:.3f}, ratio {t / n:.2f}")
    finally:
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    main()
