"""The real prices with splits and payments planted into them: adjusted backwards to what would have been quoted, and the actions sent.

Nothing is rounded: ratios and amounts are such that every planted price has at most 8 decimals, and counts are whole before each split.
470 names, 1,259 sessions; of each name up to two splits, of every fourth a special dividend of a fifth of its price, of every seventh
a spin-off of a fifth, of every eleventh a new symbol, of all a dividend. Split, count and closes of a day come in random order, the
actions on that day or before it. A rule `ret(X) <= -20` a name looks at it, live and in a back-test: it fires where the adjusted file
falls so far, and nowhere else."""
import json
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
TOPS = (10, 1, 50)
MEASURES = [f"level({sp500.INDEX})", f"hhi({sp500.INDEX})", f"hhi({sp500.INDEX}, by=line)"] + [
    f"top_weight({sp500.INDEX}{'' if n == 10 else f', n={n}'})" for n in TOPS] + [
    f"ret({s}{w})" for s in LOOKED_AT for w in ("", ", window=60d", ", window=all")]
FALL = 20      # per cent


class Planted:
    """raw: day -> symbol -> price at 1e-8; shares: symbol -> [(from that session on, count)]; said: day -> actions in force from it."""

    def __init__(self, rng):
        self.days = list(sp500.closes())
        self.adjusted = {d: {s: oracle.e8(p) for s, p in prices.items()} for d, prices in sp500.closes().items()}
        self.raw = {d: dict(prices) for d, prices in self.adjusted.items()}
        self.shares, self.paid, self.said = {}, {}, {d: [] for d in self.days}
        self.renamed = {}      # symbol -> (from that session on, the new one)
        self.symbols = list(self.adjusted[self.days[0]])
        for i, s in enumerate(self.symbols):
            self.plant(rng, i, s)
            if i % 11 == 0 and s not in LOOKED_AT:
                self.renamed[s] = (self.days[rng.randrange(1, len(self.days))], f"{s}:NEW")

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

    def name(self, s, day):
        since, new = self.renamed.get(s, (None, None))
        return new if since and day >= since else s

    def count(self, s, day):
        return [n for since, n in self.shares[s] if since <= day][-1]


def text(e8):
    return str(Decimal(e8) / 10 ** 8)


def reference(x):
    first = x.days[0]
    for m in sp500.reference_messages(x.symbols, sp500.ns(first, hour=8)):
        yield m | {"shares": x.shares[m["symbol"]][0][1]} if m["kind"] == "shares" else m
    yield {"kind": "instrument", "symbol": "CHILD", "issuer": "CHILD", "ts": sp500.ns(first, hour=8)}


def messages(x, rng):
    early = {d: [] for d in x.days}
    renames = {}
    for s, (day, new) in x.renamed.items():
        renames.setdefault(day, []).append({"kind": "rename", "symbol": s, "to": new, "effective": day.isoformat(), "ts": sp500.ns(day, hour=8)})
    for n, day in enumerate(x.days):
        for action in x.said[day]:
            early[x.days[max(n - rng.randrange(10), 0)] if action["kind"] != "shares" and rng.random() < 0.3 else day].append(action)
    for day in x.days:
        t, date = sp500.ns(day), day.isoformat()
        yield from renames.get(day, [])
        today = [m | {k: x.name(m[k], day) for k in ("symbol", "parent") if k in m} for m in early[day]]
        today += [{"kind": "close", "symbol": x.name(s, day), "price": text(p), "date": date} for s, p in x.raw[day].items()]
        rng.shuffle(today)
        yield from (m | {"ts": t} for m in today)
        yield {"kind": "clock", "ts": t + 10 ** 9, "session_end": date}


def falls(x):
    """(date, symbol, per cent) of each fall of 20 % and more in the adjusted file, by date."""
    out = []
    for day, before in zip(x.days[1:], x.days):
        for s in x.symbols:
            now, then = x.adjusted[day][s], x.adjusted[before][s]
            if 100 * (now - then) <= -FALL * then:
                out.append((day.isoformat(), s, 100 * (now - then) / then))
    return sorted(out)


def raw_falls(x):
    """The same of what was quoted, to which nobody has applied an action: (date, symbol)."""
    return {(day.isoformat(), s) for day, before in zip(x.days[1:], x.days) for s in x.symbols
            if 100 * (x.raw[day][s] - x.raw[before][s]) <= -FALL * x.raw[before][s]}


def truth(x):
    """date -> measure -> value: from what was quoted, what was paid, and the adjusted prices."""
    level, before, out = None, None, {}
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
        row = {MEASURES[0]: level, MEASURES[1]: oracle.hhi(list(companies.values())), MEASURES[2]: oracle.hhi(list(values.values()))}
        for i, top in enumerate(TOPS):
            row[MEASURES[3 + i]] = 100 * sum(sorted(companies.values())[-top:]) / total
        for s in LOOKED_AT:
            for w, back in (("", 1), (", window=60d", 60), (", window=all", n)):
                then = x.adjusted[x.days[n - back]][s] if n >= back else None
                row[f"ret({s}{w})"] = 100 * (x.adjusted[day][s] - then) / then if then else None      # of integers: rounded once
        out[day.isoformat()] = row
    return out


def rule(s):
    return f"ret({s}) <= -{FALL}"


def firing(alerts):
    """(date, symbol, value) of what fired, in order."""
    return sorted(tuple(a[1:]) for a in alerts if a[0] == "firing")


def test_planted_actions_change_no_level_no_return_and_fire_nothing(kafka, service_factory, tmp_path):
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    x = Planted(rng)
    want, fell = truth(x), falls(x)
    planted = raw_falls(x) - {(day, s) for day, s, _ in fell}
    kinds = [m["kind"] for said in x.said.values() for m in said]
    assert kinds.count("split") > 200 and kinds.count("spin_off") > 30 and len(x.paid) > 100 and len(x.renamed) > 40, "too few fit"
    assert len(x.symbols) == 470 and len(fell) > 20 and len(planted) > 200, "what the rules are to tell apart"
    topic = kafka.create_topic("planted")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}}, env={"TOCSIN_ENGINE_TRACK": "; ".join(MEASURES)})
    n = kafka.produce(topic, (streams.encode(m) for m in reference(x)))
    drive.drained(service, topic, n, seconds=120)
    rule_of = {drive.make_rule(service, {"rule": rule(s)})["id"]: s for s in x.symbols}
    n += kafka.produce(topic, (streams.encode(m) for m in messages(x, rng)))
    drive.drained(service, topic, n, seconds=900)
    assert service.database.one("SELECT count(*) FROM tocsin.dead_letter") == 0
    said = service.database.rows("SELECT state, (at AT TIME ZONE 'UTC')::date::text, rule_id::text, value FROM market.alert ORDER BY seq")
    live = firing((state, day, rule_of[r], value) for state, day, r, value in said)
    assert live == fell, f"false: {sorted(set(live) - set(fell))[:5]}, missed: {sorted(set(fell) - set(live))[:5]}"
    for m in MEASURES:
        got = {p["time"][:10]: p["value"] for p in drive.history(service, m)}
        wrong = [(d, got[d], v[m]) for d, v in want.items()
                 if (got[d] is None) != (v[m] is None) or v[m] is not None and got[d] != pytest.approx(v[m], rel=1e-12, abs=0)]
        assert list(got) == list(want) and not wrong, f"{m}: {len(wrong)} differ, first {wrong[0]}"
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")
    (tmp_path / "rules.txt").write_text("\n".join(map(rule, x.symbols)), encoding="utf-8")
    done = service.tocsin("backtest", "--rules", str(tmp_path / "rules.txt"), "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    name_of = {rule(s): s for s in x.symbols} | {rule(new): s for s, (_, new) in x.renamed.items()}
    assert firing((a["state"], a["time"][:10], name_of[a["rule"]], a["value"]) for a in json.loads(done.stdout)["alerts"]) == fell
