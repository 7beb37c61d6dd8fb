"""What trades, closes and session ends mean, through the real Kafka: cases from the field, live, back-tested and verified."""
import json
import time

import pytest

import drive
import streams
from cases import lines, needs_cases
from harness.base import wait_until

S = 10 ** 9


def reference(*symbols, ts):
    """100 shares and an issuer of its own each, all in IX."""
    out = [{"kind": "index", "index": "IX", "base": 1000, "ts": ts}]
    for s in symbols:
        out += [{"kind": "instrument", "symbol": s, "issuer": f"I{s}", "ts": ts}, {"kind": "shares", "symbol": s, "shares": 100, "ts": ts},
                {"kind": "membership", "index": "IX", "symbol": s, "ts": ts}]
    return out


class Fed:
    """A service on one topic; messages are sent and waited for."""

    def __init__(self, kafka, service_factory, name, track="", more=None, **engine):
        self.kafka, self.sent = kafka, 0
        self.service = service_factory(topics=[kafka.create_topic(name)], config={"engine": {"clock_ms": 0, "track": track, **engine}, **(more or {})})

    def send(self, messages):
        self.kafka.produce(self.service.topics[0], [streams.encode(m) for m in messages])
        self.sent += len(messages)
        drive.drained(self.service, self.service.topics[0], self.sent)

    def value(self, text):
        return next(iter(drive.measures(self.service, text).values()))["value"]

    def alerts(self):
        return self.service.database.rows("SELECT state, event_ns, value FROM tocsin.alert ORDER BY seq")

    def same_again(self, *rules):
        """verify finds nothing, and a back-test of the rules says what was said live."""
        assert self.service.terminate() == 0
        assert " 0 differing values" in self.service.check_ran("verify")
        for rule in rules:
            done = self.service.tocsin("backtest", "--rule", rule, "--json")
            said = [(a["state"], a["value"]) for a in json.loads(done.stdout)["alerts"]]
            assert said == [(state, v) for state, _, v in self.alerts()], (rule, done.stderr)


@needs_cases
def test_a_trade_reported_late(kafka, service_factory):
    """Case 09: 20.25 of 14:18 comes after 20.50 of 14:30. The rule on 20.30 says nothing, the trade is stored and marked."""
    messages = lines("09-late-trade/ticks.ndjson")
    f = Fed(kafka, service_factory, "late", track="last(TRF)")
    f.send(reference("OTH", "TRF", ts=messages[0]["ts"] - 3600 * S))
    drive.make_rule(f.service, {"rule": "last(TRF) <= 20.30"})
    f.send(messages)
    assert f.value("last(TRF)") == 20.5
    assert f.alerts() == []
    stored = f.service.database.rows("SELECT price, late FROM market.trade WHERE symbol = 'TRF' ORDER BY seq")
    assert [(float(p), late) for p, late in stored] == [(20.5, False), (20.25, True)]
    assert "tocsin_trades_late_total 1" in f.service.api("GET", "/metrics").text
    f.same_again("last(TRF) <= 20.30")


@needs_cases
@pytest.mark.parametrize("shares,table", [(100, 2.27), (151, 3.01)])
@pytest.mark.parametrize("file", ["clean", "afterhours"])
def test_after_hours_in_new_york(kafka, service_factory, file, shares, table):
    """Case 10: with or without a trade at 00:30 UTC between Thursday and its end, Friday is 10 % up, and the spread that of the closes.

    The table's 3.01 (and 6.24 where Thursday's end is lost) is that of 151 shares of NVX to 100 of OTH."""
    f = Fed(kafka, service_factory, f"hours-{file}-{shares}", track="ret(NVX); spread(IX, window=1d, kind=arith, ew=daily)")
    messages = lines(f"10-after-hours/{file}.ndjson")
    ts = messages[0]["ts"] - 3600 * S
    f.send([*reference("NVX", "OTH", ts=ts), {"kind": "shares", "symbol": "NVX", "shares": shares, "ts": ts}, *messages])
    assert f.value("ret(NVX)") == pytest.approx(10, abs=1e-12)
    cap = 100 * ((shares * 146.41 + 5000) / (shares * 133.10 + 5000) - 1)
    spread = f.value("spread(IX, window=1d, kind=arith, ew=daily)")
    assert spread == pytest.approx(cap - 5, abs=1e-6) and round(spread, 2) == table
    f.same_again()


@needs_cases
@pytest.mark.parametrize("unit,name", [("s", "seconds"), ("ms", "milliseconds"), ("us", "microseconds")])
def test_a_time_in_another_unit(kafka, service_factory, unit, name):
    """Case 07: refused by its unit, and `last` stays; the same time as RFC 3339 text is taken."""
    f = Fed(kafka, service_factory, f"unit-{unit}", track="last(AAA)")
    ts = 1_577_977_000 * S
    f.send(reference("AAA", ts=ts) + [{"kind": "trade", "symbol": "AAA", "price": "60", "ts": ts}])
    f.send(lines(f"07-epoch-unit/{unit}.ndjson"))
    dead = wait_until(lambda: f.service.database.rows("SELECT reason, detail FROM tocsin.dead_letter"), "it is refused")
    assert len(dead) == 1 and dead[0][0] == "invalid" and f"looks like {name}" in dead[0][1] and "nanoseconds" in dead[0][1]
    assert f.value("last(AAA)") == 60
    f.send([{"kind": "trade", "symbol": "AAA", "price": "66", "ts": "2020-01-02T16:01:40.000000001+01:00"}])
    assert f.value("last(AAA)") == 66
    assert f.service.database.one("SELECT max(event_ns) FROM tocsin.tick") == 1_577_977_300 * S + 1


def test_one_symbol_a_day_ahead(kafka, service_factory):
    """Case 32: a trade stamped 23 h ahead is set aside; holds of others go on."""
    f = Fed(kafka, service_factory, "ahead", track="last(A); last(B)")
    now = time.time_ns() - 60 * S
    f.send(reference("A", "B", ts=now))
    drive.make_rule(f.service, {"rule": "last(A) >= 50", "hold_s": 20})
    f.send([{"kind": "trade", "symbol": "A", "price": "51", "ts": now + S},
            {"kind": "trade", "symbol": "B", "price": "7", "ts": now + 23 * 3600 * S},
            {"kind": "trade", "symbol": "B", "price": "8", "ts": now + 2 * S},
            {"kind": "clock", "ts": now + 20 * S}])
    assert f.alerts() == []
    f.send([{"kind": "clock", "ts": now + 22 * S}])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 51)]
    assert f.value("last(B)") == 8
    dead = f.service.database.rows("SELECT reason, detail FROM tocsin.dead_letter")
    assert len(dead) == 1 and dead[0][0] == "ahead" and "ingest.ahead_max_ms" in dead[0][1]
    f.same_again()


@needs_cases
def test_a_member_that_comes_back(kafka, service_factory):
    """Case 24: out at 10, back half a year later, first trade 40. It is not counted until then, and the level stays 1000."""
    f = Fed(kafka, service_factory, "rejoin")
    out, back = lines("24-rejoin/reference.ndjson")
    ts, day = out["ts"] - 3600 * S, "2024-01-02"
    f.send([*reference("A", "B", ts=ts - 7200 * S), *({"kind": "close", "symbol": s, "price": "10", "date": day, "ts": ts - 60 * S} for s in "AB"),
            {"kind": "clock", "ts": ts, "session_end": day}])
    assert f.value("level(IX)") == 1000
    f.send([out, back])
    row = drive.measures(f.service, "level(IX)")["level(IX)"]
    assert row["status"] == "low_coverage" and row["coverage"] == 0.5
    f.send(lines("24-rejoin/first_trade.ndjson"))
    row = drive.measures(f.service, "level(IX)")["level(IX)"]
    assert (row["value"], row["status"], row["coverage"]) == (1000, "ok", 1)
    f.same_again()


def test_closes_settle_together(kafka, service_factory):
    """A rule on concentration sees a session's closes once, when it has ended; not between them, where A alone stands at 180."""
    f = Fed(kafka, service_factory, "together")
    ts = 1_704_200_000 * S
    day = ["2024-01-02", "2024-01-03"]
    f.send(reference("A", "B", ts=ts))
    drive.make_rule(f.service, {"rule": "top_weight(IX, n=1) > 60"})
    for n, (a, b) in enumerate(((100, 100), (180, 180))):
        at = ts + (n * 86400 + 30000) * S
        f.send([{"kind": "close", "symbol": "A", "price": str(a), "date": day[n], "ts": at}, {"kind": "close", "symbol": "B", "price": str(b), "date": day[n], "ts": at},
                {"kind": "clock", "ts": at + S, "session_end": day[n]}])
    assert f.value("top_weight(IX, n=1)") == 50
    assert f.alerts() == []
    f.same_again("top_weight(IX, n=1) > 60")


@needs_cases
def test_a_rise_of_exactly_so_many_per_cent(kafka, service_factory):
    """Case 11: P1 to P99 rise by exactly 1 to 99 %. Each `>=` fires and no `>` does; a back-test of both says the same."""
    f = Fed(kafka, service_factory, "percent")
    messages = lines("11-percent/ticks.ndjson")
    f.send(reference(*(f"P{i}" for i in range(100)), ts=messages[0]["ts"] - 3600 * S))
    rules = [f"ret(P{i}) {op} {i}" for i in range(1, 100) for op in (">=", ">")]
    for rule in rules:
        drive.make_rule(f.service, {"rule": rule})
    f.send(messages)
    fired = [text for text, in f.service.database.rows("SELECT rule_text FROM tocsin.alert WHERE state = 'firing' ORDER BY seq")]
    assert sorted(fired) == sorted(r for r in rules if ">=" in r)
    assert f.service.terminate() == 0
    done = f.service.tocsin("backtest", "--json", *(a for rule in rules for a in ("--rule", rule)))
    said = [a["rule"] for a in json.loads(done.stdout)["alerts"]]
    assert sorted(said) == sorted(fired), done.stderr[-500:]
    assert " 0 differing values" in f.service.check_ran("verify")
