#!/usr/bin/env python3
"""soak.py [SECONDS] - the whole service for 30 minutes (1800) with a fault every 30 s: whether memory, descriptors and threads grow, and whether
every alert is right in the end.

    make && build/venv/bin/python tests/bench/soak.py 1800

RATE (100) trades a second at the time they are made, 186 rules, a webhook, readers of the API and of the live stream. Faults in turn: the webhook
refuses or breaks off for 4 s; PostgreSQL crashes and comes back; the broker stops for 5 s; the database's disk is full for 8 s (where a file
system of a few MB can be mounted); the service is killed. Kills come in the first third and at the very end alone, so that one process lives through
the rest: its resident size is fitted by a line from a quarter of an hour's third (300 s, or a fifth of a shorter run) after its start.
Verdict (exit code 1): alerts stored other than a slow reference owes, alerts owed and not delivered or the other way round, `verify` that differs.
The slope, descriptors and threads are printed and never decide.
"""
import contextlib
import datetime as dt
import os
import pathlib
import random
import sys
import threading
import time

import requests
from confluent_kafka import Producer

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
import drive  # noqa: E402
import streams  # noqa: E402
from harness import kafka as kafka_harness, webhook  # noqa: E402
from harness.base import wait_until  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402
from reference_rules import reference_alerts, rules  # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 1800
RATE, EVERY_S, SMALL_MB = int(os.environ.get("RATE", 100)), 30, 700
SEED = int(os.environ.get("TOCSIN_SEED") or random.SystemRandom().randrange(2 ** 32))
BEGAN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", flush=True)


class Market(threading.Thread):
    """Trades at the time they are made, through one idempotent producer, whatever the broker does."""

    def __init__(self, broker, topic):
        super().__init__(daemon=True)
        self.rng, self.topic, self.sent, self.over = random.Random(SEED), topic, 0, threading.Event()
        self.failed = []
        self.prices = [self.rng.randrange(100_000, 5_000_000) for _ in range(streams.LINES)]
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": broker.real, "acks": "all", "linger.ms": 5, "log_level": 2})

    def send(self, message):
        key, value = streams.encode(message)
        self.producer.produce(self.topic, value, key, on_delivery=lambda error, _: error and self.failed.append(error))
        self.sent += 1

    def reference(self):
        self.yesterday = dt.datetime.now(dt.timezone.utc).date() - dt.timedelta(days=1)
        for message in streams.reference(self.rng, streams.day_ns(self.yesterday, 8)):
            self.send(message)
        self.producer.flush(30)

    def closes(self):
        """Of yesterday: everything is priced, and the index has its base."""
        yesterday = self.yesterday
        for n, price in enumerate(self.prices):
            self.send({"kind": "close", "symbol": streams.symbol(n), "price": streams.text(price), "date": yesterday.isoformat(), "ts": streams.day_ns(yesterday, 21)})
        self.send({"kind": "clock", "ts": streams.day_ns(yesterday, 21, 1), "session_end": yesterday.isoformat()})
        self.producer.flush(30)

    def run(self):
        due = time.monotonic()
        while not self.over.is_set():
            due += 1 / RATE
            self.over.wait(max(0, due - time.monotonic()))
            line = self.rng.randrange(streams.LINES)
            self.prices[line] = streams.walk(self.rng, self.prices[line])
            self.send({"kind": "trade", "symbol": streams.symbol(line), "price": streams.text(self.prices[line]), "size": self.rng.randrange(1, 1000), "ts": time.time_ns()})
            self.producer.poll(0)

    def end(self):
        self.over.set()
        self.join()
        assert self.producer.flush(120) == 0 and not self.failed, self.failed[:1]


class Readers(threading.Thread):
    """Somebody who asks five times a second, and holds a live stream that is taken up again when it ends."""
    ASKED = ("/v1/measures", "/metrics", "/readyz", "/v1/alerts?limit=100", "/v1/rules?limit=50")

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.over, self.answers, self.events = service, threading.Event(), 0, 0
        self.stream = threading.Thread(target=self._stream, daemon=True)

    def run(self):
        self.stream.start()
        n = 0
        while not self.over.wait(0.2):
            n += 1
            with contextlib.suppress(requests.RequestException):
                self.service.api("GET", self.ASKED[n % len(self.ASKED)])
                self.answers += 1

    def _stream(self):
        while not self.over.wait(0.5):
            with contextlib.suppress(requests.RequestException), \
                    requests.get(self.service.url + "/v1/stream", headers={"Authorization": f"Bearer {self.service.key}"}, stream=True, timeout=30) as answer:
                for line in answer.iter_lines():
                    self.events += line.startswith(b"data:")
                    if self.over.is_set():
                        return


class Samples(threading.Thread):
    """Every two seconds what the process takes; with the time since the last fault began."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.over, self.rows, self.fault_at = service, threading.Event(), [], 0.0

    def run(self):
        while not self.over.wait(2):
            pid = self.service.pid
            with contextlib.suppress(OSError, KeyError):
                with open(f"/proc/{pid}/status", encoding="ascii") as f:
                    fields = dict(line.split(":", 1) for line in f)
                now = time.monotonic()
                self.rows.append((now, pid, int(fields["VmRSS"].split()[0]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(fields["Threads"]), now - self.fault_at > 12))

    def result(self):
        pid = max({r[1] for r in self.rows}, key=[r[1] for r in self.rows].count)      # the longest life
        life = [r for r in self.rows if r[1] == pid]
        warm = life[0][0] + (300 if SECONDS >= 1500 else SECONDS / 5)
        life = [r for r in life if r[0] >= warm]
        if len(life) < 10:
            return "the longest life is too short to say anything of it"
        at, rss = [r[0] - life[0][0] for r in life], [r[2] for r in life]
        mean_t, mean_r = sum(at) / len(at), sum(rss) / len(rss)
        slope = sum((t - mean_t) * (r - mean_r) for t, r in zip(at, rss)) / sum((t - mean_t) ** 2 for t in at)
        quiet = [r for r in life if r[5]] or life
        tenth = max(1, len(quiet) // 10)
        ends = lambda column: f"{min(r[column] for r in quiet[:tenth])} to {max(r[column] for r in quiet[:tenth])} at first, " \
                              f"{min(r[column] for r in quiet[-tenth:])} to {max(r[column] for r in quiet[-tenth:])} at last"
        return (f"one process over {at[-1]:.0f} s after warm-up: RSS {rss[0]:.1f} MB, {rss[-1]:.1f} MB at the end, at most {max(rss):.1f} MB, slope {slope * 3600:+.2f} MB/h"
                f" (asked: at most 1); descriptors {ends(3)}; threads {ends(4)}")


class Faults:
    def __init__(self, service, postgres, broker, receiver, database):
        self.service, self.postgres, self.broker, self.receiver, self.database = service, postgres, broker, receiver, database
        self.rng, self.count = random.Random(SEED + 1), {}
        self.turn = [self.webhook, self.crash, self.stop_broker, *([self.full] if postgres.disk else [])]

    def webhook(self):
        self.receiver.behave(self.rng.choice((webhook.reply(503), webhook.reset)))
        time.sleep(4)
        self.receiver.behave(webhook.reply(200))

    def crash(self):
        self.postgres.stop("immediate")
        time.sleep(1)
        self.postgres.start()

    def stop_broker(self):
        self.broker.stop()
        time.sleep(5)
        with contextlib.suppress(AssertionError):
            self.broker.start()                # on a machine that is busy it may take more than one go
            return
        self.broker.restart(hard=True)

    def full(self):
        self.database.fill()
        time.sleep(8)
        self.database.make_room()

    def kill(self):
        time.sleep(self.rng.uniform(0, 1))
        self.service.kill9()
        self.service.start(wait=False)

    def make(self, n, may_kill):
        fault = self.kill if may_kill and n % 3 == 1 else self.turn[n % len(self.turn)]
        name = fault.__name__
        self.count[name] = self.count.get(name, 0) + 1
        began = time.monotonic()
        fault()
        self.service.wait_ready(120)
        say(f"fault {n + 1}: {name}; ready {time.monotonic() - began:.1f} s after it began")


def server():
    try:
        return Postgres(small_mb=SMALL_MB), "small"
    except OSError as why:
        say(f"no disk will be full: {why}")
        return Postgres(), None


def run(broker, postgres, tablespace, receiver):
    database = Database(postgres, tablespace=tablespace)
    topic = broker.create_topic("soak")
    config = {"engine": {"stale_after_ms": 0, "track": f"spread({streams.INDEX}, window=1d); ew_level({streams.INDEX})"}}
    service = Service(database, broker.bootstrap, [topic], (), config).start()
    market = Market(broker, topic)
    market.reference()
    drive.drained(service, topic, market.sent)
    wanted = rules(random.Random(SEED))
    for r in wanted:
        drive.make_rule(service, r.body())
    drive.make_channel(service, receiver.url)
    market.closes()                            # the reference takes rules to be there before any price is
    drive.drained(service, topic, market.sent)
    faults, samples, readers = Faults(service, postgres, broker, receiver, database), Samples(service), Readers(service)
    for thread in (market, samples, readers):
        thread.start()
    began = time.monotonic()
    for n in range(SECONDS // EVERY_S - 1):
        time.sleep(max(0, began + (n + 1) * EVERY_S - time.monotonic()))
        samples.fault_at = time.monotonic()
        faults.make(n, (n + 1) * EVERY_S < SECONDS / 3)
    time.sleep(max(0, began + SECONDS - time.monotonic()))
    samples.over.set()
    faults.make(1, True)                       # the last one is a kill
    market.end()
    readers.over.set()
    drive.drained(service, topic, market.sent, 120)
    wait_until(lambda: database.one("SELECT count(*) FROM tocsin.outbox WHERE status = 'waiting'") == 0, "all is delivered", 600)
    assert service.terminate() == 0
    say(f"{market.sent} messages, {readers.answers} answers, {readers.events} live events; faults: " + ", ".join(f"{k} {v}" for k, v in sorted(faults.count.items())))
    say(samples.result())
    return database, service, wanted


def verdict(database, service, wanted, receiver):
    """How many alerts are other than they should be."""
    stored = database.rows("SELECT seq, event_ns, rule_name, state, value, alert_id FROM tocsin.alert ORDER BY stream_no")
    of = dict(database.rows("SELECT seq, (payload::json->>'of')::bigint FROM tocsin.event WHERE kind = 28"))
    got = sorted((of.get(a[0], a[0]), *a[1:5]) for a in stored)
    owed = sorted(reference_alerts(wanted, drive.steps(database)))
    wrong = len(set(got) ^ set(owed)) + abs(len(got) - len(owed))
    ids, arrived = {str(a[5]) for a in stored}, {r.id for r in receiver.requests}
    say(f"{len(got)} alerts stored, {len(owed)} owed by the reference: {wrong} differ (asked: 0)")
    if wrong:
        say(f"first: {sorted(set(got) ^ set(owed))[:5]}")
    say(f"{len(receiver.requests)} requests for {len(arrived)} alerts: {len(ids - arrived)} owed and not delivered, {len(arrived - ids)} delivered and not owed (asked: 0)")
    said = service.check_ran("verify").strip()
    say(f"verify: {said}")
    return wrong + len(ids ^ arrived) + (" 0 differing values" not in said)


def main():
    say(f"TOCSIN_SEED={SEED}, {SECONDS} s, {RATE} trades/s")
    broker, (postgres, tablespace), receiver = kafka_harness.start(say), server(), webhook.WebhookReceiver()
    try:
        database, service, wanted = run(broker, postgres, tablespace, receiver)
        wrong = verdict(database, service, wanted, receiver)
        service.close()
    finally:
        receiver.close()
        broker.remove()
        postgres.remove()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
