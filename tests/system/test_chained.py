"""Spreads across changes of members and shares and across rebalances: levels are chained there, as doubles, and how far that may lead from the exact
spread is what analytics/measures/level.c says. The exact one is made of Fractions here, from prices and counts alone."""
import datetime as dt
import random
from fractions import Fraction

import drive
import streams
from harness.base import SEED
from test_sessions import S, Fed, reference

SYMBOLS = ("A", "B", "C", "D", "E")
SESSIONS = 26
WINDOWS = {"1d": 1, "5d": 5, "20d": 20, "all": None}
# Closes of which 1e10 is a multiple: weights are then equal without a rest, and the bound of what is rounded is what is seen.
CLOSES = [Fraction(2 ** a * 5 ** b, 32) for a in range(12) for b in range(5) if 20 <= Fraction(2 ** a * 5 ** b, 32) <= 400]
U = Fraction(1, 2 ** 53)


class Exact:
    """What each session grew by, by value and equally weighted, and how often each level was chained in it."""

    def __init__(self):
        self.ended = []                                  # (C, E, chains of the one, chains of the other) of each session that has ended

    def since(self, sessions, now):
        first = 1 if sessions is None else len(self.ended) + 1 - sessions
        if first < 1:
            return None
        c, e, m, k = now
        for of in self.ended[first:]:
            c, e, m, k = c * of[0], e * of[1], m + of[2], k + of[3]
        return c, e, m, k


def growth(shares, before, now):
    members = sorted(shares)
    cap = sum(shares[s] * now[s] for s in members) / sum(shares[s] * before[s] for s in members)
    return cap, sum(now[s] / before[s] for s in members) / len(members)


def arith(c, e, m, k):
    return 100 * (c - e), 100 * U * ((m + 3) * c + (k + 3) * e + 2 * abs(c - e))


def geom(c, e, m, k):
    return 100 * (c / e - 1), 100 * U * ((m + k + 7) * c / e + 2 * abs(c / e - 1))


def test_a_chained_spread_is_within_its_bound(kafka, service_factory):
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    texts = {(kind, w): f"spread(IX{said}, window={w}, ew=daily)" for kind, said in ((arith, ", kind=arith"), (geom, "")) for w in WINDOWS}
    f = Fed(kafka, service_factory, "chained", track="; ".join(texts.values()), more={"quality": {"shares": "take"}}, stale_after_ms=0)
    days = [d for d in (dt.date(2024, 1, 8) + dt.timedelta(n) for n in range(60)) if d.weekday() < 5][:SESSIONS]
    f.send(reference(*SYMBOLS, ts=streams.day_ns(days[0], 9)))
    shares, close, exact, seen, used = dict.fromkeys(SYMBOLS, 100), {}, Exact(), 0, Fraction(0)
    for n, day in enumerate(days):
        at = lambda hour: streams.day_ns(day, hour)
        chained, before = 0, []
        if n and n % 2 == 0:
            for s in rng.sample(sorted(shares), 2):
                shares[s] = 100 * rng.randrange(1, 50)        # worth whole cents at any of these closes
                before.append({"kind": "shares", "symbol": s, "shares": shares[s], "ts": at(10)})
                chained += 1
        left = n == 9
        if left:
            del shares["E"]
            before.append({"kind": "membership", "index": "IX", "symbol": "E", "member": False, "ts": at(11)})
        live = {s: Fraction(rng.randrange(2000, 40000), 100) for s in shares}
        f.send(before + [{"kind": "trade", "symbol": s, "price": str(float(p)), "ts": at(15) + i * S} for i, (s, p) in enumerate(sorted(live.items()))])
        if n:
            now = (*growth(shares, close, live), chained + left, 1 + left)
            said = drive.measures(f.service, *texts.values())
            for (kind, w), text in texts.items():
                of = exact.since(WINDOWS[w], now)
                if of is None:
                    assert said[text]["status"] == "no_history", (day, text, said[text])
                    continue
                right, bound = kind(*of)
                off = abs(Fraction(said[text]["value"]) - right)
                assert off <= bound * (1 + U * 1024), (day, text, said[text]["value"], float(right), float(off / bound))
                seen, used = seen + 1, max(used, off / bound)
        ends = {s: rng.choice(CLOSES) for s in shares}
        f.send([{"kind": "close", "symbol": s, "price": str(float(p)), "date": str(day), "ts": at(21)} for s, p in sorted(ends.items())]
               + [{"kind": "clock", "session_end": str(day), "ts": at(21) + 60 * S}])
        exact.ended.append((*growth(shares, close, ends), chained + left, 1 + left) if n else (Fraction(1), Fraction(1), 0, 0))
        close = ends
    print(f"{seen} spreads, off by at most {float(used):.2f} of the bound")
    assert seen > 120 and used > Fraction(1, 20), "the bound is so wide that nothing comes near it"
    f.same_again()
