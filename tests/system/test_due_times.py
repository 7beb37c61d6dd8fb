"""Holds and cooldowns run out at their due time, whenever the next record comes: live, with clock records and without, killed,
back-tested and verified."""
import datetime as dt
import json
import random

import pytest

import drive
import streams
from cases import lines, needs_cases
from harness.base import LONG, SEED
from test_sessions import Fed, reference

S = 10 ** 9
T0 = streams.day_ns(dt.date(2020, 1, 3), 0, 10)


def stored(service):
    """(time, rule, state, value, value before, true since) of each alert."""
    return service.database.rows("SELECT event_ns, rule_text, state, value, previous, since_ns FROM tocsin.alert ORDER BY event_ns, rule_text, stream_no")


def backtested(service, rules, *options):
    arguments = [a for r in rules for a in ("--rule", r["rule"], "--hold", str(r["hold_s"]), "--cooldown", str(r["cooldown_s"]))]
    done = service.tocsin("backtest", "--json", *arguments, *options)
    assert done.returncode in (0, 65), done.stderr
    return [(a["time"], a["rule"], a["state"], a["value"]) for a in json.loads(done.stdout)["alerts"]]


@needs_cases
def test_a_silence_longer_than_the_hold(kafka, service_factory):
    """Case 13: 51 is held for 600 s, and the next record is the 10 of three days later."""
    messages = lines("13-hold-outage/ticks.ndjson")
    *_, at51, at10 = messages
    f = Fed(kafka, service_factory, "outage")
    f.send(reference("H", "OTH", ts=messages[0]["ts"] - 3600 * S))
    drive.make_rule(f.service, {"rule": "last(OTH) >= 50", "hold_s": 600})
    f.send(messages)
    assert (at51["price"], at10["price"]) == ("51", "10")
    assert f.alerts() == [("firing", at51["ts"] + 600 * S, 51), ("resolved", at10["ts"], 10)]
    firing, _ = drive.alerts(f.service)
    assert firing["inputs"] == {"price": 51} and firing["time"] == "2020-01-02T15:43:20Z"
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")
    said = backtested(f.service, [{"rule": "last(OTH) >= 50", "hold_s": 600, "cooldown_s": 0}])
    assert [(at, state, v) for at, _, state, v in said] == [("2020-01-02T15:43:20Z", "firing", 51), ("2020-01-05T15:33:20Z", "resolved", 10)]


def market(rng):
    """Trades of two lines within a day, from nothing to minutes apart."""
    ns, out = T0, []
    for _ in range(600):
        ns += rng.choice((0, 1, 7 * S, 20 * S, 90 * S, 400 * S)) + rng.randrange(1000)
        out.append({"kind": "trade", "symbol": rng.choice("AB"), "price": str(rng.randrange(97, 104)), "ts": ns})
    return [*out, {"kind": "clock", "ts": ns + 3600 * S}]


def clocked(messages, rng):
    """With a clock record at random instants, also at those of trades."""
    for now, then in zip(messages, messages[1:]):
        yield now
        for at in sorted(rng.randrange(now["ts"], then["ts"] + 1) for _ in range(rng.randrange(4))):
            yield {"kind": "clock", "ts": at}
    yield messages[-1]


@pytest.mark.parametrize("stale_after_ms", [0, 60_000])
def test_clocks_change_nothing(kafka, service_factory, stale_after_ms):
    """The same trades with clock records and kills, and without: the same alerts, and so says a back-test of each."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    messages = market(rng)
    rules = [{"rule": f"{m} {rng.choice(('>=', '<'))} {middle + rng.randrange(-2, 3)}.5", "hold_s": rng.choice((0, 5, 60, 300)),
              "cooldown_s": rng.choice((0, 0, 40, 700))} for m, middle in (("last(A)", 100), ("last(B)", 100), ("level(IX)", 1000), ("hhi(IX)", 5000)) for _ in range(12)]
    rules = list({r["rule"]: r for r in rules}.values())          # a text is one rule's
    runs = []
    for name, sent in (("still", messages), ("ticking", list(clocked(messages, rng)))):
        topic = kafka.create_topic(name)
        service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "sample_ms": 1000, "snapshot_s": 1, "stale_after_ms": stale_after_ms}})
        first = [*reference("A", "B", ts=T0 - 3600 * S), *({"kind": "trade", "symbol": s, "price": "100", "ts": T0 - 3600 * S} for s in "AB"),
                 {"kind": "clock", "ts": T0 - 1800 * S, "session_end": "2020-01-02"}, {"kind": "clock", "ts": T0 - 600 * S}]
        kafka.produce(topic, [streams.encode(m) for m in first])
        drive.drained(service, topic, len(first))
        for r in rules:
            drive.make_rule(service, r)
        half = len(sent) // 2 if name == "ticking" else len(sent)
        for part in (sent[:half], sent[half:]):
            kafka.produce(topic, [streams.encode(m) for m in part])
            if name == "ticking":
                service.restart(hard=True)
        drive.drained(service, topic, len(first) + len(sent))
        runs.append(stored(service))
        assert service.terminate() == 0
        assert " 0 differing values" in service.check_ran("verify")
        live = sorted((r, state, v) for _, r, state, v, *_ in runs[-1])
        assert sorted(a[1:] for a in backtested(service, rules, "--from", "2020-01-03")) == live     # they were made at midnight
    still, ticking = runs
    assert still == ticking and len(still) > 100
    ticks = {m["ts"] for m in messages}
    assert sum(at not in ticks for at, *_ in still) > 10, "none came due between two trades"


HOURS_2024 = """calendar,XNYS,America/New_York,2024,2024
hours,2024-01-01,2024-03-10,Mon-Fri,09:00,14:30,21:00
hours,2024-03-11,2024-11-03,Mon-Fri,08:00,13:30,20:00
hours,2024-11-04,2024-12-31,Mon-Fri,09:00,14:30,21:00
closed,2024-07-04,Independence Day
closed,2024-07-09,a day of mourning that nobody knew of
early,2024-07-03,17:00
"""
# trades of A, and when half an hour of it at 100 or more is over in New York's session time and by the clock (None: it was not held so long)
HELD = [("2024-01-04T20:45:00Z", 101, "2024-01-05T14:45:00Z", "2024-01-04T21:15:00Z"), ("2024-01-05T15:00:00Z", 90, None, None),       # a night
        ("2024-03-08T20:45:00Z", 102, "2024-03-11T13:45:00Z", "2024-03-08T21:15:00Z"), ("2024-03-11T16:00:00Z", 90, None, None),       # summer time comes on Sunday
        ("2024-07-03T16:45:00Z", 103, "2024-07-05T13:45:00Z", "2024-07-03T17:15:00Z"), ("2024-07-05T13:45:00Z", 90, None, None),       # early close, holiday; to the instant
        ("2024-07-05T19:45:00Z", 104, None, "2024-07-05T20:15:00Z"), ("2024-07-08T13:44:59Z", 90, None, None),                         # a weekend; a second too soon
        ("2024-07-08T19:45:00Z", 105, "2024-07-10T13:45:00Z", "2024-07-08T20:15:00Z"), ("2024-07-10T14:00:00Z", 90, None, None)]      # Tuesday is closed after all


@pytest.mark.parametrize("clocks", [False, True] if LONG else [True])
def test_holds_in_session_time(kafka, service_factory, clocks):
    """Half an hour of session over a night, a weekend, an early close, a change of summer time and a day that a calendar takes back while it runs, with clock records
    in between or without; beside the same rule by the clock. Live, killed within two, back-tested, verified."""
    rng = random.Random(SEED)
    at = {text: round(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * S for row in HELD for text in (row[0], row[2], row[3]) if text}
    f = Fed(kafka, service_factory, f"in-session-{clocks}", stale_after_ms=0)
    f.send([{"kind": "instrument", "symbol": "A", "issuer": "A", "venue": "XNYS", "ts": at[HELD[0][0]] - S}])
    text = {"rule": "last(A) >= 100", "hold_s": 1800}
    made = {name: drive.make_rule(f.service, {**text, "name": name, **more}) for name, more in (("session", {"hold_in": "session"}), ("clock", {}))}
    assert [r["hold_in"] for r in made.values()] == ["session", "clock"]
    for i, (now, price, _, _) in enumerate(HELD):
        f.send([{"kind": "trade", "symbol": "A", "price": str(price), "ts": at[now]}])
        if i == 8:
            f.send([{"kind": "calendar", "text": HOURS_2024, "ts": at[now] + 60 * S}])
        if i % 2:
            continue
        if i in (2, 8):
            f.service.kill9()
            f.service.start()
        f.send([{"kind": "clock", "ts": ts} for ts in sorted(rng.randrange(at[now], at[HELD[i + 1][0]]) for _ in range(5 * clocks))])
    assert f.service.database.rows("SELECT detail FROM tocsin.dead_letter") == []
    want = {"session": [], "clock": []}
    for (since, price, session, clock), (end, below, _, _) in zip(HELD[::2], HELD[1::2]):
        for name, due in (("session", session), ("clock", clock)):
            want[name] += [("firing", at[due], at[since], price), ("resolved", at[end], at[since], below)] if due else []
    for name, rule in made.items():
        assert f.service.database.rows("SELECT state, event_ns, since_ns, value FROM tocsin.alert WHERE rule_id = %s AND hold_in = %s ORDER BY seq, stream_no",
                                       rule["id"], name) == want[name]
    first = [a for a in drive.alerts(f.service, rule=made["session"]["id"]) if a["state"] == "firing"][-1]
    assert first["condition"] == {"op": ">=", "threshold": 100, "clear": 100, "hold_s": 1800, "hold_in": "session", "at": "trade"}
    assert "at or above 100 for 1800 s of session" in first["summary"]
    changed = f.service.api("PATCH", f"/v1/rules/{made['session']['id']}", {"hold_in": "clock"}).json()
    assert (changed["hold_in"], changed["version"]) == ("clock", 2)
    assert [v["hold_in"] for v in f.service.api("GET", f"/v1/rules/{made['session']['id']}/versions").json()["versions"]] == ["clock", "session"]
    assert "hold_in" in drive.problem(f.service.api("PATCH", f"/v1/rules/{made['session']['id']}", {"hold_in": "night"}), 400)["detail"]
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")
    for name in made:
        done = f.service.tocsin("backtest", "--json", "--rule", text["rule"], "--hold", "1800", "--hold-in", name, "--from", "2024-01-04T20:44:59Z")
        said = [(a["state"], round(dt.datetime.fromisoformat(a["time"].replace("Z", "+00:00")).timestamp()) * S, a["value"]) for a in json.loads(done.stdout)["alerts"]]
        assert said == [(state, ns, v) for state, ns, _, v in want[name]]
