"""`at: close`: a rule that looks at the ends of sessions alone, live, back-tested, verified; and a hundred of them on the real closes
against pandas, which reads the CSV alone."""
import datetime as dt
import json
import random

import numpy as np
import pandas as pd
import pytest

import drive
import sp500
import streams
from harness.base import SEED
from test_sessions import Fed, reference

S = 10 ** 9
DAY = 86_400 * S
OPEN = streams.day_ns(dt.date(2024, 3, 4), 14, 30)
HHI_SESSIONS = 400


def trade(symbol, price, ns):
    return {"kind": "trade", "symbol": symbol, "price": str(price), "ts": ns}


def session(number, inside, closes):
    """Trades of a day, then its official closes one after the other, then its end."""
    start = OPEN + number * DAY
    day = (dt.date(2024, 3, 4) + dt.timedelta(days=number)).isoformat()
    yield from (trade(s, p, start + n * 60 * S) for n, (s, p) in enumerate(inside))
    yield from ({"kind": "close", "symbol": s, "price": str(p), "date": day, "ts": start + 23_000 * S + n} for n, (s, p) in enumerate(closes.items()))
    yield {"kind": "clock", "ts": start + 23_400 * S, "session_end": day}


def test_between_the_closes_it_sees_nothing(kafka, service_factory):
    """100 shares each of A and B. Inside the day, and between its two closes, A is half as dear again; at the end of a session only once."""
    f = Fed(kafka, service_factory, "atclose", stale_after_ms=0)
    f.send([*reference("A", "B", ts=OPEN - DAY), trade("A", 100, OPEN - S), trade("B", 100, OPEN - S)])
    made = {at: drive.make_rule(f.service, {"rule": "hhi(IX) >= 5100", "name": at, **({} if at is None else {"at": at})}) for at in (None, "trade", "close")}
    assert [(r["at"], r["state"]) for r in made.values()] == [("trade", "ok"), ("trade", "ok"), ("close", "waiting")]
    swings = [("A", 150), ("A", 100), ("A", 150), ("B", 150)]
    f.send([*session(0, swings, {"A": 160, "B": 160}), *session(1, swings, {"B": 100, "A": 150}), *session(2, swings, {"A": 101, "B": 100})])
    ends = [OPEN + n * DAY + 23_400 * S for n in range(3)]
    told = {at: [(a["state"], a["time"], a["value"]) for a in drive.alerts(f.service, rule=r["id"])] for at, r in made.items()}
    assert [state for state, *_ in told["trade"]] == [state for state, *_ in told[None]] and len(told["trade"]) > 6
    rows = f.service.database.rows("SELECT event_ns, state, value FROM tocsin.alert WHERE looks_at = 'close' ORDER BY seq")
    a, b = 150 ** 2 + 100 ** 2, 250 ** 2
    assert rows == [(ends[1], "firing", 10_000 * a / b), (ends[2], "resolved", pytest.approx(10_000 * (101 ** 2 + 100 ** 2) / 201 ** 2, rel=1e-15))]
    assert {x["condition"]["at"] for x in drive.alerts(f.service, rule=made["close"]["id"])} == {"close"}
    assert drive.alerts(f.service, rule=made["close"]["id"])[0]["summary"].endswith("at or above 5100, at the session's end; it was 5000")
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")
    done = f.service.tocsin("backtest", "--rule", "hhi(IX) >= 5100", "--at", "close", "--json")
    said = json.loads(done.stdout)
    assert [(x["state"], x["value"]) for x in said["alerts"]] == [(state, v) for _, state, v in rows] and said["rules"][0]["definition"]["at"] == "close"
    wrong = f.service.tocsin("backtest", "--rule", "hhi(IX) >= 5100", "--at", "noon")
    assert wrong.returncode == 64 and "--at" in wrong.stderr and "trade or close" in wrong.stderr


def test_a_change_of_when_it_looks(kafka, service_factory):
    """PATCH names it, PUT without it puts it back; what it means to a firing rule is seen when it next looks."""
    f = Fed(kafka, service_factory, "atchange")
    f.send([*reference("A", ts=OPEN - DAY), trade("A", 150, OPEN)])
    rule = drive.make_rule(f.service, {"rule": "last(A) >= 120"})
    assert rule["state"] == "firing"
    path = f"/v1/rules/{rule['id']}"
    changed = f.service.api("PATCH", path, {"at": "close"}).json()
    assert (changed["at"], changed["state"], changed["version"]) == ("close", "firing", 2)
    f.send([trade("A", 100, OPEN + S)])
    assert [a["state"] for a in drive.alerts(f.service)] == ["firing"]
    f.send([{"kind": "clock", "ts": OPEN + 60 * S, "session_end": "2024-03-04"}])
    assert [(a["state"], a["reason"], a["condition"]["at"]) for a in drive.alerts(f.service)] == [("firing", "met", "trade"), ("resolved", "changed", "close")]
    assert f.service.api("PUT", path, {"rule": "last(A) >= 120"}).json()["at"] == "trade"
    assert [v["at"] for v in f.service.api("GET", path + "/versions").json()["versions"]] == ["trade", "close", "trade"]
    refused = f.service.api("PATCH", path, {"at": "noon"})
    assert refused.status_code == 422 or refused.status_code == 400
    assert "at" in refused.json()["detail"]
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")


def hhi_by_pandas():
    """HHI by issuer after each session, from the two CSV files. A line's value is whole cents; integers, so that the one rounding is the
    last."""
    prices = pd.read_csv(sp500.PRICES, usecols=["date", "close", "Name"], dtype={"close": str})
    prices = prices.pivot(index="date", columns="Name", values="close").dropna(axis="columns").sort_index().iloc[:HHI_SESSIONS]
    e8 = prices.map(sp500.oracle.e8)
    shares = pd.Series({s: sp500.shares(s) for s in e8.columns}, dtype=object)
    caps = (e8.astype(object).mul(shares) // 10 ** 6).T.groupby(lambda s: sp500.ISSUER.get(s, s)).sum().T
    squares = caps.map(lambda x: x * x).sum(axis="columns")
    total = caps.sum(axis="columns")
    return (squares * 10_000).div(total.map(lambda x: x * x)).astype(float)


HOLDS = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}


def fires_by_pandas(hhi, op, threshold):
    """The sessions at whose end the condition comes true."""
    holds = pd.Series(HOLDS[op](hhi, threshold), index=hhi.index)
    return list(hhi.index[holds & ~holds.shift(fill_value=False)])


@sp500.needs_prices
@pytest.mark.timeout(1800)
def test_a_hundred_thresholds_are_those_of_pandas(kafka, service_factory, tmp_path):
    """Fire for fire, of all four operators, over trades in between that swing every name: at close there are only closes."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    hhi = hhi_by_pandas()
    rules = {}
    while len(rules) < 100:
        threshold = round(rng.uniform(hhi.min() - 0.5, hhi.max() + 0.5), rng.choice((1, 2, 6)))
        rules[f"hhi({sp500.INDEX}) {rng.choice('>= > <= <'.split())} {threshold}"] = threshold
    for n in range(8):                               # and some that the measure stands at exactly
        rules[f"hhi({sp500.INDEX}) {'>= > <= <'.split()[n % 4]} {float(hhi.iloc[rng.randrange(len(hhi))])!r}"] = None
    topic = kafka.create_topic("closes")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}})
    n = kafka.produce(topic, (streams.encode(m) for m in swinging(sp500.messages(HHI_SESSIONS), rng)))
    drive.drained(service, topic, n, seconds=900)
    (tmp_path / "rules.txt").write_text("\n".join(json.dumps({"rule": r, "at": "close"}) for r in rules), encoding="utf-8")
    done = service.tocsin("backtest", "--rules", str(tmp_path / "rules.txt"), "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["alerts"]
    fires = {r: [] for r in rules}
    for a in said:
        if a["state"] == "firing":
            day = a["time"][:10]
            fires[a["rule"]].append(day)
            assert a["value"] == hhi[day]
    assert sum(map(len, fires.values())) > 500
    for r in rules:
        _, op, threshold = r.rsplit(" ", 2)
        assert fires[r] == fires_by_pandas(hhi, op, float(threshold)), r


def swinging(messages, rng):
    """With trades before the closes of each session, of some names half as dear again and of others half as dear."""
    prices, traded = {}, None
    for m in messages:
        if m["kind"] == "close":
            if m["date"] != traded:
                traded = m["date"]
                for k, s in enumerate(rng.sample(sorted(prices), min(20, len(prices)))):
                    yield trade(s, round(prices[s] * rng.choice((0.5, 1.5)), 2), m["ts"] - 3600 * S + k)
            prices[m["symbol"]] = float(m["price"])
        yield m
