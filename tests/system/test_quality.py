"""Coverage by weight and what looks wrong, through the real Kafka: live, back-tested and verified."""
import datetime as dt

import drive
import streams
from test_sessions import S, Fed

DAY0 = dt.date(2024, 1, 8)                     # a Monday


def ns(day, hour=15, second=0):
    return streams.day_ns(DAY0 + dt.timedelta(days=day), hour) + second * S


def reference(**shares):
    """An issuer of its own each, all in IX."""
    out = [{"kind": "index", "index": "IX", "base": 1000, "ts": ns(-1)}]
    for s, n in shares.items():
        out += [{"kind": "instrument", "symbol": s, "issuer": f"I{s}", "ts": ns(-1)}, {"kind": "shares", "symbol": s, "shares": n, "ts": ns(-1)},
                {"kind": "membership", "index": "IX", "symbol": s, "ts": ns(-1)}]
    return out


def trade(symbol, price, ts):
    return {"kind": "trade", "symbol": symbol, "price": price, "ts": ts}


def close(symbol, price, day):
    return {"kind": "close", "symbol": symbol, "price": price, "date": str(DAY0 + dt.timedelta(days=day)), "ts": ns(day, 21)}


def end(day):
    return {"kind": "clock", "session_end": str(DAY0 + dt.timedelta(days=day)), "ts": ns(day, 21, 60)}


def row(f, text="hhi(IX)"):
    return drive.measures(f.service, text)[text]


def flags(f, **parameters):
    """Oldest first, without what is of the run."""
    answer = f.service.api("GET", "/v1/quality?" + drive.query(**parameters))
    assert answer.status_code == 200, answer.text
    return [(q["reason"], q["symbol"], q["before"], q["after"], q["state"]) for q in answer.json()["quality"][::-1]]


def test_coverage_is_a_share_of_weight(kafka, service_factory):
    """Of 60, 30 and 10 per cent the last has not traded today: of now in the first minute, 0.9 after it, and back with its next price."""
    f = Fed(kafka, service_factory, "weight", stale_after_ms=60_000)
    f.send(reference(A=600, B=300, C=100))
    f.send([trade("A", "10", ns(0)), trade("B", "10", ns(0))])
    assert (row(f)["coverage"], row(f)["status"], row(f)["value"]) == (None, "unknown_coverage", None)
    f.send([trade("C", "10", ns(0)), end(0)])
    drive.make_rule(f.service, {"rule": "hhi(IX) >= 5000", "on_create": "wait"})
    f.send([trade("A", "10", ns(1)), trade("B", "10", ns(1, 15, 59))])
    assert (row(f)["coverage"], row(f)["status"]) == (1, "ok")
    f.send([trade("A", "20", ns(1, 15, 60))])      # 12,000 + 3,000 of 16,000; C counts at its last price
    assert (row(f)["coverage"], row(f)["status"]) == (15 / 16, "low_coverage") and f.alerts() == []
    f.send([trade("C", "10", ns(1, 15, 61))])
    assert (row(f)["coverage"], row(f)["status"]) == (1, "ok")
    assert [state for state, _, _ in f.alerts()] == ["firing"]
    f.send([end(1), trade("A", "20", ns(2)), trade("B", "10", ns(2)), end(2)])
    assert row(f)["coverage"] == 15 / 16, "C had no price in the session that ended"
    assert f.service.database.one("SELECT count(*) FROM market.reading WHERE measure = 'hhi(IX)' AND coverage = 0.9375") > 0
    f.same_again()


def test_a_close_that_comes_late_takes_its_flag_back(kafka, service_factory):
    """After a restart too; and a count of a session to come is held when that opens, beside a split of it is what the split makes."""
    f = Fed(kafka, service_factory, "late-close", more={"quality": {"shares": "hold"}}, stale_after_ms=0)
    f.send(reference(A=100, B=100, C=50))
    f.send([trade(s, "20", ns(0, 15, n)) for n, s in enumerate("ABC")] + [close("A", "20", 0), close("C", "20", 0), end(0)])
    assert flags(f) == [("no_close", "B", None, None, "flagged")]
    f.service.restart(hard=True)
    f.send([close("B", "20.5", 0) | {"ts": ns(0, 22)}])
    assert flags(f, reason="no_close") == [("no_close", "B", None, 20.5, "withdrawn")] == flags(f, state="withdrawn")
    assert 'tocsin_quality_flags_total{reason="no_close"} 0' in f.service.api("GET", "/metrics").text, "once, when it was found: before the restart"
    day = str(DAY0 + dt.timedelta(days=1))
    f.send([{"kind": "shares", "symbol": "A", "shares": 300, "effective": day, "ts": ns(0, 23)}, {"kind": "shares", "symbol": "C", "shares": 100, "effective": day, "ts": ns(0, 23)},
            {"kind": "split", "symbol": "C", "new": 2, "old": 1, "effective": day, "ts": ns(0, 23)}])
    assert flags(f, reason="shares_jump") == [], "none counts yet"
    f.send([trade("B", "21", ns(1))])
    assert flags(f, reason="shares_jump") == [("shares_jump", "A", 100, 300, "held")]
    assert f.value("level(IX)") == 1000 * (2000 + 2100 + 1000) / (2000 + 2000 + 1000), "C at 10 twice as often, A as before, B at 21; today's level does not move by the correction"
    f.same_again()


def test_a_child_that_never_trades(kafka, service_factory):
    """KID is let go by A and has no price: that is said at the end of the session, once, and stays to be read; its price ends the fall."""
    f = Fed(kafka, service_factory, "no-child", stale_after_ms=0, track="ret(A)")
    f.send(reference(A=100, B=100) + [{"kind": "instrument", "symbol": "KID", "issuer": "IKID", "ts": ns(-1)}])
    f.send([trade("A", "100", ns(0)), trade("B", "100", ns(0)), end(0)])
    f.send([{"kind": "spin_off", "parent": "A", "child": "KID", "new": 1, "old": 1, "effective": str(DAY0 + dt.timedelta(days=1)), "ts": ns(0, 23)}])
    f.send([trade("A", "80", ns(1)), trade("B", "100", ns(1))])
    assert flags(f, reason="spin_off_unpriced") == [] and f.value("ret(A)") == -20
    f.send([end(1), trade("A", "80", ns(2)), trade("B", "100", ns(2)), end(2)])
    assert flags(f, reason="spin_off_unpriced") == [("spin_off_unpriced", "A", 80, None, "flagged")]
    detail = f.service.api("GET", "/v1/quality?reason=spin_off_unpriced").json()["quality"][0]["detail"]
    assert detail == 'KID has had no price since A spun it off: until it has, or the spin_off says its "value", A has fallen by it'
    assert f.service.api("GET", "/v1/actions?symbol=A").json()["actions"][0]["state"] == "awaits_price"
    f.send([trade("KID", "20", ns(3)), trade("A", "80", ns(3)), end(3)])
    assert f.value("ret(A)") == 0
    assert f.service.api("GET", "/v1/actions?symbol=A").json()["actions"][0]["state"] == "applied"
    f.same_again()


def test_what_looks_wrong_is_flagged(kafka, service_factory):
    f = Fed(kafka, service_factory, "flags", stale_after_ms=0)
    f.send(reference(A=100, B=100, C=50))
    f.send([{"kind": "instrument", "symbol": "B2", "issuer": "IB", "ts": ns(-1)}, {"kind": "shares", "symbol": "B2", "shares": 100, "ts": ns(-1)},
            {"kind": "membership", "index": "IX", "symbol": "B2", "ts": ns(-1)}])
    f.send([trade(s, "20", ns(0, 15, n)) for n, s in enumerate(("A", "B", "B2", "C"))])
    f.send([close("A", "20", 0), close("B", "21", 0), close("C", "20", 0), end(0)])
    assert sorted(flags(f)) == [("close_outside_range", "B", 20, 21, "flagged"), ("no_close", "B2", None, None, "flagged"),
                                ("same_cap", "B2", 2000, 2000, "flagged")]
    f.send([trade("A", "10", ns(1)), {"kind": "shares", "symbol": "C", "shares": 75, "ts": ns(1)}, trade("C", "13.3", ns(1))])
    assert flags(f, symbol="A") == [("split_like_price", "A", 20, 10, "flagged")]
    assert flags(f, reason="cap_spike") == [("cap_spike", "C", 1500, 997.5, "flagged")]
    assert flags(f, symbol="C")[0] == ("shares_jump", "C", 50, 75, "flagged") and flags(f, symbol="NONE") == []
    first = f.service.api("GET", "/v1/quality?limit=2").json()
    rest = f.service.api("GET", f"/v1/quality?limit=100&before={first['next']}").json()
    numbers = [q["no"] for q in first["quality"] + rest["quality"]]
    assert numbers == list(range(len(flags(f)), 0, -1)) and rest["next"] is None
    drive.problem(f.service.api("GET", "/v1/quality?reason=other"), 400)
    text = f.service.api("GET", "/metrics").text
    assert 'tocsin_quality_flags_total{reason="same_cap"} 1' in text and 'tocsin_quality_flags_total{reason="no_close"} 1' in text
    assert f.service.database.one("SELECT count(*) FROM market.quality WHERE symbol = 'C'") == len(flags(f, symbol="C"))
    f.service.restart(hard=True)
    before = flags(f)
    f.send([trade("A", "40.1", ns(1, 16))])        # four times, within 2 %
    assert flags(f)[:len(before)] == before and flags(f)[-1] == ("split_like_price", "A", 10, 40.1, "flagged")
    f.same_again()


def held(kafka, service_factory, name):
    """A of 4,000, B of 6,000: the session has ended and the level stands at 1,000; counts that jump are held."""
    f = Fed(kafka, service_factory, name, more={"quality": {"shares": "hold"}})
    f.send(reference(A=100, B=100))
    f.send([trade("A", "40", ns(0)), trade("B", "60", ns(0)), end(0)])
    f.send([{"kind": "shares", "symbol": "A", "shares": 400, "ts": ns(0, 22)}])
    assert flags(f, symbol="A") == [("shares_jump", "A", 100, 400, "held")] and f.value("level(IX)") == 1000
    return f


def test_a_count_is_held_until_the_price_confirms_it(kafka, service_factory):
    """A split of 4 for 1 that nobody says: A opens at 10.50, 5 % up, and the level is 1,020; a rule on half of it says nothing."""
    f = held(kafka, service_factory, "held")
    drive.make_rule(f.service, {"rule": "level(IX) <= 900"})
    drive.make_rule(f.service, {"rule": "ret(A) <= -20"})
    f.service.restart(hard=True)
    f.send([trade("A", "10.5", ns(1)), trade("B", "60", ns(1))])
    assert flags(f, symbol="A") == [("shares_jump", "A", 100, 400, "confirmed_by_price")]
    assert abs(f.value("level(IX)") - 1020) < 1e-9 and f.alerts() == []
    f.send([{"kind": "split", "symbol": "A", "new": 4, "old": 1, "effective": str(DAY0 + dt.timedelta(days=1)), "ts": ns(1, 16)}, end(1)])
    assert abs(f.value("level(IX)") - 1020) < 1e-9
    assert f.service.database.rows("SELECT detail FROM tocsin.dead_letter") == []
    f.same_again("level(IX) <= 900")


def test_a_count_is_held_until_a_person_releases_it(kafka, service_factory):
    f = held(kafka, service_factory, "released")
    flag = f.service.api("GET", "/v1/quality?state=held").json()["quality"][0]
    drive.problem(f.service.api("POST", f"/v1/quality/{f.service.tenant_id}:release"), 404)
    for _ in range(2):                             # a repeat is no mistake
        answer = f.service.api("POST", f"/v1/quality/{flag['id']}:release")
        assert answer.status_code == 200 and answer.json()["state"] == "released" and answer.json()["no"] == flag["no"], answer.text
    f.send([trade("A", "44", ns(1))])              # 400 shares at 40 before: 16,000 of 22,000, 10 % up
    assert abs(f.value("level(IX)") - 1000 * 23.6 / 22) < 1e-9
    assert flags(f, state="held") == [] and flags(f, state="released") == [("shares_jump", "A", 100, 400, "released")]
    f.service.restart(hard=True)
    assert abs(f.value("level(IX)") - 1000 * 23.6 / 22) < 1e-9
    f.same_again()
