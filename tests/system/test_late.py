"""Late and shuffled, through the real Kafka: a day of trades of which some come up to an hour late, and closes corrected for ten sessions back.

Alerts, `last` and levels are those of the sorted feed without them, windows those of closes that had been right from the beginning. tests/unit/app/test_late.c
has 1,000 seeds of the same in memory."""
import datetime as dt
import random

import pytest

import drive
from harness.base import SEED
from test_sessions import Fed, S, reference

SYMBOLS = ["LA", "LB", "LC", "LD"]
BACK, TRADES, LATE_MAX_S = 10, 300, 3600
DAY0 = dt.date(2024, 1, 8)
WINDOWS = [f"ret({s}, window={w})" for s in SYMBOLS for w in ("1d", "5d", "all")] + [f"spread(IX, kind={k}, window={w}, ew=held)" for k, w in
                                                                                       (("arith", "1d"), ("geom", "5d"), ("log", "all"))]
STANDING = [f"last({s})" for s in SYMBOLS] + ["level(IX)", "ew_level(IX, ew=held)", "hhi(IX)"]


def date(day):
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def at(day, hour, second=0):
    return int(dt.datetime.combine(DAY0 + dt.timedelta(days=day), dt.time(hour), dt.timezone.utc).timestamp() + second) * S


def cents(n):
    return f"{n // 100}.{n % 100:02}"


class Day:
    """What happens: .before(right), and .today(late) as messages in the order in which they come; .rules."""

    def __init__(self, rng):
        today = BACK + 1
        self.price = {(d, s): rng.randrange(5000, 15000) for d in range(today) for s in SYMBOLS}
        self.right = {k: p + rng.randrange(200) for k, p in self.price.items()}
        self.wrong = {k: p if k[0] == 0 or rng.randrange(3) else rng.choice([None, p + rng.randrange(1, 500)]) for k, p in self.right.items()}
        self.trades, ns = [], at(today, 14, 1800)
        for k in range(TRADES):
            symbol = SYMBOLS[k] if k < len(SYMBOLS) else rng.choice(SYMBOLS)
            ns += rng.randrange(1, 120) * S
            self.trades.append((symbol, ns, self.price[today - 1, symbol] * (10000 + rng.randrange(-400, 400)) // 10000))
        chosen = {k for k in range(len(SYMBOLS), TRADES) if rng.randrange(50) == 0}
        self.after = {k: self._after(rng, k, chosen) for k in chosen}
        self.after = {k: j for k, j in self.after.items() if j is not None}
        for k in self.after:                                           # far off: it would be seen in everything
            symbol, ns, price = self.trades[k]
            self.trades[k] = (symbol, ns, price * rng.choice([1, 3]) // 2)
        in_time = [k for k in range(len(SYMBOLS), TRADES) if k not in self.after]
        self.corrected = {k: rng.choice(in_time) for k, p in self.wrong.items() if p != self.right[k]}
        self.rules = [f"last({s}) {op} {cents(self.price[today - 1, s] * (10000 + rng.randrange(-250, 250)) // 10000)}" for s in SYMBOLS for op in (">=", "<")]
        self.rules += [f"hhi(IX) > {2600 + rng.randrange(-60, 60)}", f"top_weight(IX, n=1) <= {rng.randrange(300, 400) / 10}", f"level(IX) >= {rng.randrange(800, 1200)}"]
        self.clocks = {(r, i): rng.choice([0, rng.randrange(1, 900)]) for r in self.rules for i in ("hold_s", "cooldown_s")}

    def _after(self, rng, k, chosen):
        """The trade that one of k comes after: a newer one of its symbol has come by then, in time, and it is no more than an hour late."""
        soon = [j for j in range(k + 1, TRADES) if self.trades[j][1] - self.trades[k][1] <= LATE_MAX_S * S]
        newer = [j for j in soon if j not in chosen and self.trades[j][0] == self.trades[k][0]]
        return rng.choice([j for j in soon if j >= newer[0]]) if newer else None

    def before(self, right):
        out = []
        for d in range(BACK + 1):
            closes = self.right if right else self.wrong
            out += [{"kind": "trade", "symbol": s, "price": cents(self.price[d, s]), "ts": at(d, 15, i)} for i, s in enumerate(SYMBOLS)]
            out += [{"kind": "close", "symbol": s, "price": cents(closes[d, s]), "date": date(d), "ts": at(d, 21)} for s in SYMBOLS if closes[d, s] is not None]
            out.append({"kind": "clock", "ts": at(d, 21, 1), "session_end": date(d)})
        return out

    def today(self, late):
        out = []
        told = lambda k: {"kind": "trade", "symbol": self.trades[k][0], "price": cents(self.trades[k][2]), "ts": self.trades[k][1]}
        for k in range(TRADES):
            if k not in self.after:
                out.append(told(k))
            if late:
                out += [told(j) for j, after in self.after.items() if after == k]
                out += [{"kind": "close", "symbol": s, "price": cents(self.right[d, s]), "date": date(d), "ts": self.trades[k][1]}
                        for (d, s), after in self.corrected.items() if after == k]
        return out


def told(kafka, service_factory, day, name, right, late, killed=False):
    """(the service, alerts in their order, what stands at the end)"""
    f = Fed(kafka, service_factory, name, track="; ".join(STANDING + WINDOWS))
    f.send(reference(*SYMBOLS, ts=at(0, 10)) + day.before(right))
    for rule in day.rules:
        drive.make_rule(f.service, {"rule": rule, **{i: day.clocks[rule, i] for i in ("hold_s", "cooldown_s")}})
    messages = day.today(late)
    f.send(messages[:len(messages) // 2])
    if killed:
        f.service.restart(hard=True)
    f.send(messages[len(messages) // 2:])
    alerts = f.service.database.rows("SELECT rule_text, state, reason, event_ns, since_ns, value, previous FROM tocsin.alert ORDER BY stream_no")
    rows = drive.measures(f.service, *STANDING, *WINDOWS).values()        # as they were asked for, under their canonical texts
    values = dict(zip([*STANDING, *WINDOWS], (row["value"] for row in rows), strict=True))
    assert None not in values.values()
    return f, alerts, values


@pytest.mark.parametrize("number", [0, 1])
def test_late_and_shuffled_is_as_sorted_without_the_late(kafka, service_factory, number):
    day = Day(random.Random(SEED + number))
    print("seed", SEED + number, len(day.after), "late,", len(day.corrected), "corrected")
    shuffled, alerts, values = told(kafka, service_factory, day, f"shuffled-{number}", right=False, late=True, killed=number > 0)
    sorted_, want, standing = told(kafka, service_factory, day, f"sorted-{number}", right=False, late=False)
    assert alerts == want and len(want) > 10
    assert [values[m] for m in STANDING] == [standing[m] for m in STANDING]
    right, _, windows = told(kafka, service_factory, day, f"right-{number}", right=True, late=False)
    assert [values[m] for m in WINDOWS] == [windows[m] for m in WINDOWS]
    assert [values[m] for m in WINDOWS] != [standing[m] for m in WINDOWS], "nothing was corrected"
    count = lambda f: f.service.database.one("SELECT count(*) FROM market.trade WHERE late")
    assert (count(shuffled), count(sorted_), count(right)) == (len(day.after), 0, 0) and day.after
    shuffled.same_again()
