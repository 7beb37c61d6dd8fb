"""over_market.py - a generated market for windows: what makes the edges of a window matter happens often in it.

Four lines A to D in indexes X and Y, some forty sessions within one calendar quarter. Prices move in coarse
steps, so that they stand still and come back; times are uneven, from none to five minutes apart, and some
are late. Clock records are among the trades. In some sessions a line has no trade, some have no end that
is said, and after some an official close comes on the next day. U joins Y before it has a price, so that Y has no value for a while, and leaves it again."""
import datetime as dt
import random

import streams

MS, S = 10 ** 6, 10 ** 9
LINES, LATER = ("A", "B", "C", "D"), "U"
JOINS, PRICED, LEAVES = (12, 30), (14, 20), (22, 10)     # session and trade at which U does
REFERENCE = 2 + 2 * 5 + 2 * 4                            # messages before the first price
GAPS = (0, MS, 20 * MS, 90 * MS, 300 * MS, S, 7 * S, 60 * S, 300 * S)
MOVES = (-9, -2, -1, 0, 0, 1, 2, 9)                      # in units of 0.05


def reference(rng, ts):
    out = [{"kind": "index", "index": i, "base": 1000, "ts": ts} for i in ("X", "Y")]
    for s in (*LINES, LATER):
        out += [{"kind": "instrument", "symbol": s, "issuer": f"I{s}", "ts": ts},
                {"kind": "shares", "symbol": s, "shares": rng.randrange(10 ** 6, 10 ** 7), "ts": ts}]
    return out + [{"kind": "membership", "index": i, "symbol": s, "ts": ts} for i in ("X", "Y") for s in LINES]


def text(units):
    return f"{units * 5 / 100:.2f}"


class Market:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.prices = {s: self.rng.randrange(400, 4000) for s in (*LINES, LATER)}
        self.messages = []
        self.before = None                               # the day of the session before

    def trade(self, symbol, ns):
        self.prices[symbol] = max(200, self.prices[symbol] + self.rng.choice(MOVES))
        late = self.rng.randrange(2 * S) if self.rng.random() < 0.03 else 0
        self.messages.append({"kind": "trade", "symbol": symbol, "price": text(self.prices[symbol]), "size": 1, "ts": ns - late})

    def close(self, symbol, day, ns):
        self.messages.append({"kind": "close", "symbol": symbol, "price": text(self.prices[symbol] + self.rng.choice((0, 0, 1))),
                              "date": day.isoformat(), "ts": ns})

    def beside(self, session, n, ns):
        """What comes among the trades; the time then."""
        out, rng = self.messages, self.rng
        if rng.random() < 0.15:
            ns += rng.choice((0, 45 * MS, 20 * S))
            out.append({"kind": "clock", "ts": ns})
        if rng.random() < 0.01 and not JOINS[0] <= session <= PRICED[0]:       # Y has no level in between
            out.append({"kind": "shares", "symbol": rng.choice(LINES), "shares": rng.randrange(10 ** 6, 10 ** 7), "ts": ns})
        if (session, n) in (JOINS, LEAVES):
            out.append({"kind": "membership", "index": "Y", "symbol": LATER, "member": (session, n) == JOINS, "ts": ns})
        if (session, n) == PRICED:
            self.trade(LATER, ns)
        return ns

    def session(self, number, day, last):
        rng = self.rng
        lines = [s for s in LINES if number < 2 or rng.random() < 0.8] or ["A"]
        ns = streams.day_ns(day, 14, 30)
        if self.before and rng.random() < 0.2:
            self.close(rng.choice(LINES), self.before, ns)
        for n in range(60):
            ns += rng.choice(GAPS)
            self.trade(lines[n] if n < len(lines) else rng.choice(lines), ns)
            ns = self.beside(number, n, ns)
        if number % 5 != 4:
            for s in lines:
                self.close(s, day, streams.day_ns(day, 21))
        if number < 2 or last or rng.random() < 0.8:
            self.messages.append({"kind": "clock", "ts": streams.day_ns(day, 21, 1), "session_end": day.isoformat()})
        self.before = day


def market(seed, sessions=40):
    day, m = dt.date(2024, 4, 2), Market(seed)
    m.messages = reference(m.rng, streams.day_ns(day, 8))
    for number in range(sessions):
        m.session(number, day, number == sessions - 1)
        day += dt.timedelta(days=3 if day.weekday() == 4 else 1)
    return m.messages
