"""Prices of 0 and below, through the real Kafka: of an instrument that may have them, and of one that may not."""
from fractions import Fraction

import drive
from cases import lines, needs_cases
from harness.base import wait_until
from test_sessions import S, Fed, reference

FILE = "15-negative-price/ticks.ndjson"
RULES = ("last(CL) <= 0", "last(CL) < -10", "ret(CL) <= -300")


def oil(ts, **more):
    """OTH in IX; CL, which no index can hold."""
    return reference("OTH", ts=ts) + [{"kind": "instrument", "symbol": "CL", "issuer": "NYMEX", "ts": ts, **more}]


@needs_cases
def test_oil_below_0(kafka, service_factory):
    """Case 15: 18.27 on Friday, then 10.01, 0.50, -5 and -37.63: two rules on the price, and the return 100 * (-37.63 - 18.27) / 18.27."""
    messages = lines(FILE)
    f = Fed(kafka, service_factory, "oil", track="last(CL); ret(CL); min(last(CL), over=1d)")
    f.send(oil(messages[0]["ts"] - 3600 * S, negative_prices=True))
    for rule in RULES:
        drive.make_rule(f.service, {"rule": rule})
    f.send(messages)
    fell = float(100 * (Fraction("-37.63") - Fraction("18.27")) / Fraction("18.27"))
    assert (f.value("last(CL)"), f.value("min(last(CL), over=1d)"), f.value("ret(CL)")) == (-37.63, -37.63, fell)
    assert sorted(f.alerts()) == [("firing", messages[5]["ts"], -5), ("firing", messages[6]["ts"], fell), ("firing", messages[6]["ts"], -37.63)]
    assert f.service.database.one("SELECT count(*) FROM tocsin.dead_letter") == 0
    f.send([{"kind": "trade", "symbol": "CL", "price": "10.01", "ts": messages[-1]["ts"] + 20 * 3600 * S}])
    assert f.value("last(CL)") == 10.01
    said = drive.measures(f.service, "ret(CL)")["ret(CL)"]
    assert (said["value"], said["status"]) == (None, "no_base"), "no part of -37.63 leads to 10.01"
    assert [(s, v) for s, _, v in f.alerts()[3:]] == [("resolved", 10.01)] * 2
    f.same_again()
    for rule in RULES:
        tried = f.service.tocsin("backtest", "--rule", rule, "--json")
        assert tried.returncode == 0, tried.stderr
    both = f.service.tocsin("backtest", *(x for rule in RULES for x in ("--rule", rule)))
    assert both.stdout.count(" firing ") + both.stdout.count(" resolved ") >= 5 and "5 alerts over" in both.stdout, both.stdout


@needs_cases
def test_oil_that_may_not(kafka, service_factory):
    """Without permission the rules are refused, a trade is set aside, and each says what to send; with it sent both go on."""
    messages = lines(FILE)
    f = Fed(kafka, service_factory, "oil-not", track="last(CL)")
    f.send(oil(messages[0]["ts"] - 3600 * S) + messages)
    for text, position in (("last(CL) <= 0", 13), ("last(CL) < -10", 12), ("min(last(CL), over=5d) < -10", 26)):
        p = drive.problem(f.service.api("POST", "/v1/rules", {"rule": text}), 400, "invalid")
        assert p["position"] == position, p
        assert p["detail"].endswith('above 0 and at most 90000000, until an instrument record says "negative_prices":true'), p
    refused = f.service.database.rows("SELECT reason, detail FROM tocsin.dead_letter ORDER BY kafka_offset")
    assert [reason for reason, _ in refused] == ["invalid"] * 3 and f.value("last(CL)") == 0.5
    assert refused[0][1] == 'price -5 of CL: prices of 0 and below are data once an instrument record of it says "negative_prices":true'
    tried = f.service.tocsin("backtest", "--rule", "last(CL) <= 0", "--rule", "last(CL) < 1")
    assert tried.returncode == 65 and "rule 1 (last(CL) <= 0): unreachable: last(CL) is never <= 0" in tried.stderr, tried.stderr
    assert "1 alert over" in tried.stdout
    f.send(oil(messages[-1]["ts"], negative_prices=True)[-1:])
    drive.make_rule(f.service, {"rule": "last(CL) <= 0"})
    f.send([{"kind": "trade", "symbol": "CL", "price": 0, "ts": messages[-1]["ts"] + S}])
    assert [(s, v) for s, _, v in f.alerts()] == [("firing", 0)] and f.value("last(CL)") == 0
    f.same_again("last(CL) <= 0")


def test_it_is_taken_back(kafka, service_factory):
    """By a later record that says so; one that does not speak of it changes nothing."""
    ts = 1_587_157_200 * S
    f = Fed(kafka, service_factory, "oil-back", track="last(CL)")
    may = {"kind": "instrument", "symbol": "CL", "issuer": "NYMEX", "ts": ts}
    trade = lambda price, s: {"kind": "trade", "symbol": "CL", "price": price, "ts": ts + s * S}
    f.send(oil(ts, negative_prices=True) + [trade("-5", 1), may, trade("-6", 2), may | {"negative_prices": False}, trade("7", 3), may | {"negative_prices": False}, trade("-8", 4)])
    details = lambda: [d for d, in f.service.database.rows("SELECT detail FROM tocsin.dead_letter ORDER BY kafka_offset")]
    wait_until(lambda: len(details()) == 2, "two are refused")
    assert details()[0] == "the price of CL stands at -6: negative_prices can be taken back when it is above 0"
    assert details()[1].startswith("price -8 of CL") and f.value("last(CL)") == 7
    f.same_again()


def test_it_is_in_no_index(kafka, service_factory):
    ts = 1_587_157_200 * S
    f = Fed(kafka, service_factory, "oil-index")
    f.send(oil(ts, negative_prices=True))
    f.send([{"kind": "membership", "index": "IX", "symbol": "CL", "ts": ts},
            {"kind": "instrument", "symbol": "OTH", "issuer": "IOTH", "negative_prices": True, "ts": ts}])
    details = lambda: [d for d, in f.service.database.rows("SELECT detail FROM tocsin.dead_letter ORDER BY kafka_offset")]
    wait_until(lambda: len(details()) == 2, "both are refused")
    assert "CL may have prices of 0 and below (negative_prices): it can be in no index" in details()[0]
    assert "OTH is in an index" in details()[1] and "end its memberships before negative_prices" in details()[1]
