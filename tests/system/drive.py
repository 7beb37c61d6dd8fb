"""drive.py - what several tests do with a service: ask measures, make rules and channels, feed it, wait for its position."""
import datetime as dt
import json
import urllib.parse

import psycopg

import streams
from harness.base import wait_until

NO_DAY, LATE_TRADE, EXTENDED_TRADE = -2 ** 31, -2 ** 31 + 1, -2 ** 31 + 2
QUIET = {"engine": {"clock_ms": 0, "stale_after_ms": 0, "track": "last(FEEDA)"}}          # time is what the records say
EVENT_KINDS = {3: "clock", 4: "issuer", 5: "instrument", 6: "shares", 7: "index", 8: "membership", 9: "article", 10: "exposure", 11: "position", 26: "refusal"}


def query(**parameters):
    return urllib.parse.urlencode({k: v for k, v in parameters.items() if v is not None}, doseq=True)


def measures(service, *texts, key=None):
    """text -> row of /v1/measures."""
    answer = service.api("GET", "/v1/measures?" + query(m=texts), key=key)
    assert answer.status_code == 200, answer.text
    return {row["measure"]: row for row in answer.json()["measures"]}


def history(service, text, **parameters):
    """All points of a measure, page by page."""
    points, after = [], None
    while True:
        answer = service.api("GET", "/v1/measures/history?" + query(m=text, limit=10000, after=after, **parameters))
        assert answer.status_code == 200, answer.text
        points += answer.json()["points"]
        after = answer.json()["next"]
        if after is None:
            return points


def make_rule(service, body, idempotency_key=None, key=None):
    answer = service.api("POST", "/v1/rules", body, key=key, headers={"Idempotency-Key": idempotency_key} if idempotency_key else None)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def all_rules(service, key=None, limit=100):
    out, after = [], None
    while True:
        page = service.api("GET", "/v1/rules?" + query(limit=limit, after=after), key=key).json()
        assert len(page["rules"]) <= limit
        out += page["rules"]
        after = page["next"]
        if after is None:
            return out


def make_channel(service, url, key=None, **more):
    answer = service.api("POST", "/v1/channels", {"kind": "webhook", "url": url, **more}, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()


def alerts(service, rule=None, key=None):
    """All alerts, oldest first."""
    out, before = [], None
    while True:
        answer = service.api("GET", "/v1/alerts?" + query(limit=100, rule=rule, before=before), key=key)
        assert answer.status_code == 200, answer.text
        page = answer.json()["alerts"]
        if not page:
            return out[::-1]
        out += page
        before = page[-1]["stream_no"]


def problem(answer, status, code=None):
    """Checks an RFC 9457 answer and returns it."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    p = answer.json()
    assert p["status"] == status and p["title"] and p["request_id"] and (p["code"] == code if code else p["code"]), p
    return p


def drained(service, topic, messages, seconds=120):
    """Waits until the stored position of a single-partition topic is behind its last message, and what the API shows is as new.

    The order is the service's: what is committed is shown after it, a tenth of a second later when another picture was just taken."""
    def there():
        if not service.alive:
            raise AssertionError(f"tocsin ended with {service.process.returncode}:\n{service.log[-3000:]}")
        try:
            rows = service.database.rows("SELECT next_offset FROM tocsin.source WHERE topic = %s ORDER BY source_epoch DESC LIMIT 1", topic)
        except psycopg.OperationalError:
            return False
        return rows and rows[0][0] >= messages
    wait_until(there, f"position {messages} of {topic}", seconds, 0.05)
    stored = service.database.one("SELECT last_seq FROM tocsin.shard")
    wait_until(lambda: service.api("GET", "/v1/measures").json()["seq"] >= stored, f"record {stored} is shown")


def copy_of(database, copy):
    """Makes the new database `copy` one with everything that is in `database`, to which nobody may be connected."""
    with database.postgres.connect() as c:
        c.execute(f"DROP DATABASE {copy.name}")
        c.execute(f"CREATE DATABASE {copy.name} TEMPLATE {database.name}")
    return copy


def steps(database):
    """Every stored record in the engine's order, as messages again: (seq, message). Rule records come as {"kind": "rule"}."""
    rows = []
    for seq, ns, price, symbol, day in database.rows("""
            SELECT t.seq, t.event_ns, t.price_e8, i.symbol, t.day_or_kind FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id)"""):
        tick = {"symbol": symbol, "price": f"{price // 10 ** 8}.{price % 10 ** 8:08d}", "ts": ns}
        rows.append((seq, {"kind": "trade", **tick} if day in (NO_DAY, LATE_TRADE) else
                     {"kind": "close", **tick, "date": (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()}))
    rows += [(seq, {**json.loads(payload), "kind": EVENT_KINDS[kind], "ts": ns} if kind in EVENT_KINDS else {"kind": "rule", "ts": ns})
             for seq, ns, kind, payload in database.rows("SELECT seq, event_ns, kind, payload FROM tocsin.event")]
    rows.sort(key=lambda r: r[0])
    assert [r[0] for r in rows] == list(range(1, len(rows) + 1)), "seq is not dense"
    return rows


class Feed:
    """A small market on one topic: two lines of one company and one of another, in index `index`. Event time runs on its own."""

    def __init__(self, kafka, service, index="SMALL", start_ns=1_709_560_800_000_000_000):
        self.kafka, self.service, self.topic = kafka, service, service.topics[0]
        self.index, self.ns, self.sent = index, start_ns, 0
        self.symbols = ("FEEDA", "FEEDB", "FEEDC")
        self.symbol = self.symbols[0]

    def send(self, *messages):
        """Messages without a ts get the next second; bytes go as they are."""
        out = []
        for m in messages:
            if isinstance(m, dict) and "ts" not in m:
                self.ns += 10 ** 9
                m = {**m, "ts": self.ns}
            out.append(streams.encode(m))
        self.sent += self.kafka.produce(self.topic, out)
        return self

    def reference(self):
        return self.send(
            {"kind": "index", "index": self.index, "base": 1000},
            *({"kind": "instrument", "symbol": s, "issuer": "ONE" if n < 2 else "TWO"} for n, s in enumerate(self.symbols)),
            *({"kind": "shares", "symbol": s, "shares": 1000} for s in self.symbols),
            *({"kind": "membership", "index": self.index, "symbol": s} for s in self.symbols))

    def trades(self, *prices, symbol=None):
        return self.send(*({"kind": "trade", "symbol": symbol or self.symbol, "price": str(p), "size": 1} for p in prices))

    def session(self, date, *prices):
        return self.send(*({"kind": "close", "symbol": s, "price": str(p), "date": date} for s, p in zip(self.symbols, prices)),
                         {"kind": "clock", "session_end": date})

    def settle(self, seconds=60):
        """Waits until all of it is committed."""
        drained(self.service, self.topic, self.sent, seconds)
        return self
