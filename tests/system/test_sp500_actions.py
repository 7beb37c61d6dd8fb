"""The real prices with splits and payments planted into them: adjusted backwards to what would have been quoted, and the actions sent.

Nothing is rounded: ratios and amounts are such that every planted price has at most 8 decimals, and counts are whole before each split.
470 names, 1,259 sessions; of each name up to two splits, of every fourth a special dividend of a fifth of its price, of every seventh
a spin-off of a fifth, of all a dividend. Split, count and closes of a day come in random order, the actions on that day or before it."""
import datetime as dt
import random
from decimal import Decimal

import pytest

import drive
import oracle
import sp500
import streams
from harness.base import SEED

pytestmark = [sp500.needs_prices, pytest.mark.timeout(1800)]

RATIOS = [(2, 1), (4, 1), (5, 1), (3, 2), (1, 10), (1, 4), (10, 1)]
WHOLE = 3600      # counts are multiples of it at last: so they are whole before two splits
LOOKED_AT = ("AAPL", "GOOGL", "JNJ", "XOM", "ZTS")
MEASURES = [f"{m}({sp500.INDEX})" for m in ("level", "hhi", "top_weight")] + [
    f"ret({s}{w})" for s in LOOKED_AT for w in ("", ", window=60d", ", window=all")]


class Planted:
    """raw: day -> symbol -> price at 1e-8; shares: symbol -> [(from that session on, count)]; said: day -> actions in force from it."""

    def __init__(self, rng):
        self.days = list(sp500.closes())
        self.adjusted = {d: {s: oracle.e8(p) for s, p in prices.items()} for d, prices in sp500.closes().items()}
        self.raw = {d: dict(prices) for d, prices in self.adjusted.items()}
        self.shares, self.paid, self.said = {}, {}, {d: [] for d in self.days}
        self.symbols = list(self.adjusted[self.days[0]])
        for i, s in enumerate(self.symbols):
            self.plant(rng, i, s)

    def plant(self, rng, i, s):
        """From the last action to the first, each changing the prices of before it."""
        count = max(1, sp500.shares(s) // WHOLE) * WHOLE
        kinds = ["split"] * rng.randrange(3) + ["special"] * (i % 4 == 0) + ["spin_off"] * (i % 7 == 0)
        rng.shuffle(kinds)
        self.shares[s] = [(self.days[0], count)]
        for n, kind in zip(sorted(rng.sample(range(1, len(self.days)), len(kinds)), reverse=True), kinds):
            day, before = self.days[n], self.days[:n]
            if kind == "split":
                to, of = rng.choice(RATIOS)
                if any(self.raw[d][s] * to % of for d in before):
                    continue
                self.times(before, s, to, of)
                self.shares[s][0] = (day, self.shares[s][0][1])
                self.shares[s].insert(0, (self.days[0], self.shares[s][0][1] * of // to))
                assert self.shares[s][0][1] * to == self.shares[s][1][1] * of
                self.said[day].append({"kind": "split", "symbol": s, "new": to, "old": of, "effective": day.isoformat()})
                self.said[day].append({"kind": "shares", "symbol": s, "shares": self.shares[s][1][1]})
            else:
                if any(self.raw[d][s] % 4 for d in before):
                    continue
                amount = self.raw[before[-1]][s] // 4      # of five parts one, where four remain
                self.times(before, s, 5, 4)
                self.paid[day, s] = amount
                if kind == "special":
                    self.said[day].append({"kind": "dividend", "symbol": s, "amount": text(amount), "special": True, "ex": day.isoformat()})
                else:
                    self.said[day].append({"kind": "spin_off", "parent": s, "child": "CHILD", "new": 1, "old": 2, "effective": day.isoformat(),
                                           "value": text(2 * amount)})
        day = self.days[rng.randrange(1, len(self.days))]
        self.said[day].append({"kind": "dividend", "symbol": s, "amount": "0.01", "ex": day.isoformat()})      # price returns do not see it

    def times(self, days, s, to, of):
        for d in days:
            self.raw[d][s] = self.raw[d][s] * to // of

    def count(self, s, day):
        return [n for since, n in self.shares[s] if since <= day][-1]


def text(e8):
    return str(Decimal(e8) / 10 ** 8)


def messages(x, rng):
    first = x.days[0]
    for m in sp500.reference_messages(x.symbols, sp500.ns(first, hour=8)):
        yield m | {"shares": x.shares[m["symbol"]][0][1]} if m["kind"] == "shares" else m
    yield {"kind": "instrument", "symbol": "CHILD", "issuer": "CHILD", "ts": sp500.ns(first, hour=8)}
    early = {d: [] for d in x.days}
    for n, day in enumerate(x.days):
        for action in x.said[day]:
            early[x.days[max(n - rng.randrange(10), 0)] if action["kind"] != "shares" and rng.random() < 0.3 else day].append(action)
    for day in x.days:
        t, date = sp500.ns(day), day.isoformat()
        today = early[day] + [{"kind": "close", "symbol": s, "price": text(p), "date": date} for s, p in x.raw[day].items()]
        rng.shuffle(today)
        yield from (m | {"ts": t} for m in today)
        yield {"kind": "clock", "ts": t + 10 ** 9, "session_end": date}


def truth(x):
    """date -> measure -> value, and the falls of 20 % and more: from what was quoted, what was paid, and the adjusted prices."""
    level, before, out, falls = None, None, {}, []
    for n, day in enumerate(x.days):
        values = {s: oracle.line_value(p, x.count(s, day)) for s, p in x.raw[day].items()}
        total = sum(values.values())
        if level is None:
            level = 1000.0
        else:
            opened = before[1] - sum(before[0][s] - oracle.line_value(x.raw[x.days[n - 1]][s] - x.paid[day, s], x.count(s, x.days[n - 1]))
                                     for s in x.symbols if (day, s) in x.paid)
            level *= total / opened
        before = values, total
        companies = {}
        for s, v in values.items():
            companies[sp500.ISSUER.get(s, s)] = companies.get(sp500.ISSUER.get(s, s), 0) + v
        row = {MEASURES[0]: level, MEASURES[1]: oracle.hhi(list(companies.values())),
               MEASURES[2]: 100 * sum(sorted(companies.values())[-10:]) / total}
        for s in LOOKED_AT:
            for w, back in (("", 1), (", window=60d", 60), (", window=all", n)):
                then = x.adjusted[x.days[n - back]][s] if n >= back else None
                row[f"ret({s}{w})"] = 100 * (x.adjusted[day][s] / then - 1) if then else None
        out[day.isoformat()] = row
        if n:
            falls += [(day, s) for s in x.symbols if 100 * (x.adjusted[day][s] - x.adjusted[x.days[n - 1]][s]) <= -20 * x.adjusted[x.days[n - 1]][s]]
    return out, falls


def test_planted_actions_change_no_level_no_return_and_fire_nothing(kafka, service_factory):
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    x = Planted(rng)
    want, falls = truth(x)
    topic = kafka.create_topic("planted")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}}, env={"TOCSIN_ENGINE_TRACK": "; ".join(MEASURES)})
    n = kafka.produce(topic, (streams.encode(m) for m in messages(x, rng)))
    drive.drained(service, topic, n, seconds=900)
    assert service.database.one("SELECT count(*) FROM tocsin.dead_letter") == 0
    kinds = [m["kind"] for said in x.said.values() for m in said]
    assert kinds.count("split") > 200 and kinds.count("spin_off") > 30 and len(x.paid) > 100, "too few fit"
    for m in MEASURES:
        got = {p["time"][:10]: p["value"] for p in drive.history(service, m)}
        wrong = [(d, got[d], v[m]) for d, v in want.items()
                 if (got[d] is None) != (v[m] is None) or v[m] is not None and got[d] != pytest.approx(v[m], rel=1e-12, abs=1e-10)]
        assert list(got) == list(want) and not wrong, f"{m}: {len(wrong)} differ, first {wrong[0]}"
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")
