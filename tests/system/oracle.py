"""oracle.py - the measures again, from their formulas alone: slow, exact, obvious.

Python integers and fractions; nothing here knows how the service computes. Every measure comes twice: `*_exact` gives the
rational number, and the plain name gives the double that the definition of the measure prescribes, so that the service can be
held to it bit for bit: the double nearest to the one fraction of integers (and of what an earlier session left as a double)
that it is, which `float` of a Fraction gives.

    m = Market()
    for message in stream:
        m.apply(message)              # the very objects that go to Kafka
        m.index("SP500").hhi()

Units: prices are integers at 1e-8, line values are whole cents, sessions are datetime.date.
An equal-weighted reading between two session ends is right only while both lie in one period of its rebalancing.
"""
import bisect
import datetime as dt
import itertools
import math
from decimal import Decimal
from fractions import Fraction

E8 = 10 ** 8
SESSION_WINDOWS = {"1d": 1, "5d": 5, "20d": 20, "60d": 60}
MONTH_WINDOWS = {"3mo": 3, "6mo": 6, "12mo": 12, "18mo": 18, "36mo": 36}
REBALANCES = ("daily", "monthly", "quarterly", "third_friday", "held")
COVERAGE_GATE = Fraction(95, 100)
KEPT = 10                                      # sessions whose levels follow a corrected close


def e8(value):
    """A decimal string or number as an integer at 1e-8; what does not fit exactly is a mistake of the test."""
    scaled = Decimal(str(value)) * E8
    assert scaled == int(scaled), value
    return int(scaled)


def line_value(price_e8, shares):
    """Whole cents."""
    return price_e8 * shares // 10 ** 6


def effective_shares(shares, float_factor="1"):
    return shares * e8(float_factor) // E8


# ---- concentration: all from a list of values ----

def hhi_exact(values):
    total = sum(values)
    return Fraction(10_000 * sum(v * v for v in values), total * total)


def hhi(values):
    return float(hhi_exact(values))


def effective_number(values):
    return float(10_000 / hhi_exact(values))


def top_weight_exact(values, n=10):
    return Fraction(100 * sum(sorted(values, reverse=True)[:n]), sum(values))


def top_weight(values, n=10):
    return float(top_weight_exact(values, n))


def adjusted_hhi(values):
    return float(len(values) * hhi_exact(values) / 10_000)


def normalised_hhi(values):
    """One name alone is all that there can be."""
    n = len(values)
    return float((hhi_exact(values) / 10_000 - Fraction(1, n)) / (1 - Fraction(1, n))) if n > 1 else 1.0


def gini(values):
    """Ranks from the smallest."""
    n = len(values)
    return float(Fraction(2 * sum(i * v for i, v in enumerate(sorted(values), 1)), n * sum(values)) - Fraction(n + 1, n))


def hall_tideman(values):
    """Ranks from the largest."""
    return float(1 / (2 * Fraction(sum(i * v for i, v in enumerate(sorted(values, reverse=True), 1)), sum(values)) - 1))


def names_to(values, p=50):
    largest = itertools.accumulate(sorted(values, reverse=True))
    return float(next(n for n, weight in enumerate(largest, 1) if 100 * weight >= p * sum(values)))


def tail_equivalence(values):
    """The largest is no part of the tail that it is held against."""
    *tail, largest = sorted(values)
    return float(sum(weight <= largest for weight in itertools.accumulate(tail)))


def entropy(values):
    total = sum(values)
    return math.fsum(-(v / total) * math.log(v / total) for v in values)


def theil(values):
    return math.log(len(values)) - entropy(values)


def hannah_kay(values, alpha="1"):
    total = sum(values)
    if alpha == "1":
        return math.exp(entropy(values))
    if alpha == "inf":
        return float(Fraction(total, max(values)))
    return math.fsum((v / total) ** float(alpha) for v in values) ** (1 / (1 - float(alpha)))


# By name, of the values alone; top_weight's n, names_to's p and hannah_kay's alpha as a further argument.
CONCENTRATION = {f.__name__: f for f in (hhi, effective_number, top_weight, adjusted_hhi, normalised_hhi, gini, hall_tideman, names_to, tail_equivalence,
                                         entropy, theil, hannah_kay)}
# Through the C library's log and pow, and sums of what is rounded: to be held to 1e-12, not to the bit.
ROUNDED = ("entropy", "theil", "hannah_kay")


# ---- the members' returns of a session ----

def members(now, then, values):
    """breadth: net, up, beating; dispersion by capitalisation, equal. `now`, `then`: price by symbol, at this session's end and the one before."""
    both = [k for k in now if then.get(k)]
    if not both:
        return (None,) * 5
    r = {k: 100 * (Fraction(now[k], then[k]) - 1) for k in both}
    w = {k: values[k] / (1 + r[k] / 100) for k in both}
    mean = sum(w[k] * r[k] for k in both) / sum(w.values())
    up, down = sum(v > 0 for v in r.values()), sum(v < 0 for v in r.values())
    equal = sum(r.values()) / len(both)
    spread = lambda weights, around: math.sqrt(sum(weights[k] * (r[k] - around) ** 2 for k in both) / sum(weights.values()))
    return (float(up - down), float(Fraction(100 * up, len(both))), float(Fraction(100 * sum(v > mean for v in r.values()), len(both))),
            spread(w, mean), spread(dict.fromkeys(both, 1), equal))


# ---- a measure against the ends of its own sessions ----

def subject_of(measure):
    """percentile(hhi(X), over=60d) -> hhi(X)"""
    inner = measure.partition("(")[2]
    return inner[:inner.index(")") + 1]


SPANS = {"percentile": 252, "rank": 252, "zscore": 252, "vol": 20, "drawdown": 252, "streak": None}


def percentile(past, now):
    return float(Fraction(50 * (sum(v < now for v in past) + sum(v <= now for v in past)), len(past)))


def rank(past, now):
    return 1.0 + sum(v > now for v in past)


def zscore(past, now):
    mean = sum(map(Fraction, past)) / len(past)
    variance = sum((Fraction(v) - mean) ** 2 for v in past) / (len(past) - 1)
    return float(Fraction(now) - mean) / math.sqrt(variance) if variance else None


def vol(past, now):
    values = [*past, now]
    returns = [math.log(b / a) for a, b in itertools.pairwise(values)]
    mean = math.fsum(returns) / len(returns)
    return 100 * math.sqrt(252 * math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1))


def streak(past, now):
    signs = [(b > a) - (b < a) for a, b in itertools.pairwise([*past[-1260:], now])][::-1]
    return float(signs[0] * len(list(itertools.takewhile(lambda sign: sign == signs[0], signs))))


def drawdown(past, now):
    high = max(*past, now)
    return 100 * (now - high) / high


CONTEXT = {f.__name__: f for f in (percentile, rank, zscore, vol, streak, drawdown)}


def context(measure, values):
    """Of each session's end, held against those before it; None while there are fewer than it asks for."""
    name, _, over = measure.partition("(")[0], *measure.partition("over=")[1:]
    n = int(over[:-2]) * (252 if over.endswith("y)") else 1) if over else SPANS[name]
    first = next(i for i, v in enumerate(values) if v is not None)
    for t, now in enumerate(values):
        if name == "drawdown":
            whole, past = t - first >= n - 1, values[max(t - n + 1, 0):t]
        else:
            whole, past = t - first >= (n or 1), values[max(t - n, 0) if n else first:t]
        yield CONTEXT[name](past, now) if whole else None


# ---- calendar ----

def third_friday(year, month):
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


def period(rebalance, day):
    """Sessions with the same period share one set of equal weights; the last session of a period rebalances."""
    if rebalance == "daily":
        return day
    if rebalance == "monthly":
        return (day.year, day.month)
    if rebalance == "quarterly":
        return (day.year, (day.month - 1) // 3)
    if rebalance == "third_friday":
        ends = [third_friday(day.year - 1, 12)] + [third_friday(day.year, m) for m in (3, 6, 9, 12)]
        return (day.year, bisect.bisect_left(ends, day)) if day <= ends[-1] else (day.year + 1, 1)
    assert rebalance == "held"
    return None


def day_of(ns):
    return dt.date(1970, 1, 1) + dt.timedelta(days=ns // (86_400 * 10 ** 9))


def months_earlier(day, months):
    """The same day of the month `months` earlier, or that month's last day."""
    y, m = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (dt.date(y + (m == 11), (m + 1) % 12 + 1, 1) - dt.timedelta(days=1)).day
    return dt.date(y, m + 1, min(day.day, last))


def window_start(sessions, window):
    """Position among the sessions of the close that the last one is compared with; None when the window reaches behind the first."""
    if window == "all":
        return 0
    if window in SESSION_WINDOWS:
        at = len(sessions) - 1 - SESSION_WINDOWS[window]
        return at if at >= 0 else None
    today = sessions[-1]
    day = dt.date(today.year - 1, 12, 31) if window == "ytd" else months_earlier(today, MONTH_WINDOWS[window])
    at = bisect.bisect_right(sessions, day) - 1
    return at if at >= 0 else None


# ---- spread of two window returns, as fractions ----

def spread(kind, c, e, years=None, cap_level=None, equal_level=None):
    if kind == "arith":
        return c - e
    if kind == "geom":
        return (1 + c) / (1 + e) - 1
    if kind == "log":
        return math.log((1 + c) / (1 + e))
    if kind == "ann":
        return (1 + c) ** (1 / years) - (1 + e) ** (1 / years)
    if kind == "ratio":
        return cap_level / equal_level
    assert kind == "points"
    return cap_level - equal_level


class EqualWeighted:
    """One equal-weighted series: units q of each line, bought at each rebalance so that every company weighs the same."""

    def __init__(self, rebalance, by, base):
        self.rebalance, self.by = rebalance, by
        self.level_ref, self.exact_ref = base, Fraction(base)
        self.units = None

    def buy(self, prices, issuer_of):
        """prices: symbol -> price_e8 of every member."""
        lines = {}
        for symbol in prices:
            company = issuer_of[symbol] if self.by == "issuer" else symbol
            lines.setdefault(company, []).append(symbol)
        self.units = {s: 10 ** 18 // (len(group) * prices[s]) for group in lines.values() for s in group}
        self.value_ref = self.value(prices)

    def members_changed(self, prices, market):
        """Who leaves is sold, for more of the company's other line when by issuer and there is one. Who joins gets as much as a company
        has on average; a further line of a company that is in gets nothing. Nobody else is touched until the next rebalance."""
        company = lambda s: market.issuer[s] if self.by == "issuer" else s
        for s in [s for s in self.units if s not in prices]:
            weight = self.units.pop(s) * market.prices[s]
            for other in sorted(o for o in self.units if company(o) == company(s))[:1]:
                self.units[other] += weight // prices[other]
        for s in prices.keys() - self.units.keys():
            companies = {company(x) for x in self.units}
            self.units[s] = 0 if company(s) in companies else self.value(prices) // len(companies) // prices[s]
        self.value_ref = self.value(prices)

    def value(self, prices):
        return sum(q * prices[s] for s, q in self.units.items())

    def level(self, prices):
        return float(Fraction(self.level_ref) * Fraction(self.value(prices), self.value_ref))

    def level_exact(self, prices):
        return self.exact_ref * Fraction(self.value(prices), self.value_ref)

    def rebalance_at(self, closes, issuer_of, level, exact):
        """Equal at the closes, when the level was that."""
        self.buy(closes, issuer_of)
        self.level_ref, self.exact_ref = level, exact

    def rebalance_now(self, prices, issuer_of):
        self.level_ref, self.exact_ref = self.level(prices), self.level_exact(prices)
        self.buy(prices, issuer_of)


class Index:
    def __init__(self, market, name, base=1000):
        self.market, self.name = market, name
        self.base = float(base)
        self.members = {}                      # symbol -> index shares in place of the instrument's, or None
        self.total_ref = None                  # set at the first session end with every member priced
        self.level_ref, self.exact_ref = self.base, Fraction(self.base)
        self.equal = {(r, by): EqualWeighted(r, by, self.base) for r in REBALANCES for by in ("line", "issuer")}
        self.sessions = []                     # dates of the session ends since the base
        self.history = {}                      # "level" or (rebalance, by) -> levels at those ends
        self.ends = []                         # what those levels were made of
        self.begun, self.recomposed = [], False
        self.waiting = set()                   # members that came in with a price older than a session

    # -- values --
    def shares(self, symbol):
        return effective_shares(self.members[symbol] or self.market.shares[symbol], self.market.floats.get(symbol, "1"))

    def priced(self):
        return [s for s in self.members
                if s in self.market.prices and s not in self.waiting and (self.members[s] or s in self.market.shares)]

    def prices(self):
        return {s: self.market.prices[s] for s in self.priced()}

    def coverage(self):
        """By weight, of those priced in this session. A member that waits has the weight of its last price; None when one never had a price."""
        priced, weights = self.priced(), {}
        if not priced:
            return Fraction(0)
        for s in self.members:
            if s not in self.market.prices or not (self.members[s] or s in self.market.shares):
                return None
            weights[s] = line_value(self.market.prices[s], self.shares(s))
        return Fraction(sum(weights[s] for s in priced if self.market.is_of_now(s)), sum(weights.values()))

    def line_values(self, prices=None):
        return {s: line_value(p, self.shares(s)) for s, p in (prices or self.prices()).items()}

    def issuer_values(self):
        out = {}
        for s, v in self.line_values().items():
            company = self.market.issuer[s]
            out[company] = out.get(company, 0) + v
        return out

    def values(self, by="issuer"):
        return list((self.issuer_values() if by == "issuer" else self.line_values()).values())

    def total(self, prices=None):
        return sum(self.line_values(prices).values())

    def covered(self):
        coverage = self.coverage() if self.members else 0
        return coverage is not None and coverage >= COVERAGE_GATE

    # -- measures: None when there is none --
    def level(self):
        return self.running_level() if self.total_ref is not None and self.covered() else None

    def running_level(self):
        """Covered or not."""
        return float(Fraction(self.level_ref) * Fraction(self.total(), self.total_ref))

    def level_exact(self):
        return self.exact_ref * Fraction(self.total(), self.total_ref)

    def ew_level(self, rebalance="quarterly", by="issuer"):
        series = self.equal[rebalance, by]
        return series.level(self.prices()) if series.units and self.covered() else None

    def ew_level_exact(self, rebalance="quarterly", by="issuer"):
        return self.equal[rebalance, by].level_exact(self.prices())

    def concentration(self, name, by="issuer", *more):
        return CONCENTRATION[name](self.values(by), *more) if self.covered() else None

    def hhi(self, by="issuer"):
        return hhi(self.values(by)) if self.covered() else None

    def effective_number(self, by="issuer"):
        return effective_number(self.values(by)) if self.covered() else None

    def top_weight(self, n=10, by="issuer"):
        return top_weight(self.values(by), n) if self.covered() else None

    def spread(self, kind="arith", window="60d", rebalance="quarterly", by="issuer"):
        """At a session end, in the unit of its kind: percent, ratio or points. None without the history it needs."""
        cap, equal, series = self.history.get("level", []), self.history.get((rebalance, by), []), self.equal[rebalance, by]
        if not cap:
            return None
        if kind in ("ratio", "points"):
            return self.spread_of_levels(kind, rebalance, by)
        then = window_start(self.sessions, window)
        if then is None:
            return None
        c = self.growth("level", then, self.level_ref, self.total_ref)
        e = self.growth((rebalance, by), then, series.level_ref, series.value_ref)
        exact = isinstance(c, Fraction) and isinstance(e, Fraction)
        if exact and kind in ("arith", "geom"):
            return float(100 * spread(kind, c - 1, e - 1))
        c, e, years = float(c), float(e), self.years(window, then)
        if kind == "arith":
            return 100 * (c - e)
        if kind == "geom":
            return 100 * (c / e - 1)
        if kind == "log":
            return 100 * math.log(float(c / e))
        return 100 * (c ** (1 / years) - e ** (1 / years)) if years else None

    def spread_of_levels(self, kind, rebalance="quarterly", by="issuer"):
        """Ratio or points, at any time. Two levels that start at the same one are that one times fractions of integers."""
        series, levels = self.equal[rebalance, by], (self.level(), self.ew_level(rebalance, by))
        if self.level_ref == series.level_ref:
            ref = Fraction(self.level_ref)
            levels = ref * Fraction(self.total(), self.total_ref), ref * Fraction(series.value(self.prices()), series.value_ref)
        return float(spread(kind, None, None, None, *levels))

    def growth(self, key, then, level_ref, ref):
        """A level now to that of session `then`: the fraction of what the two were made of, where today's references turn that day's sum into
        that day's level or are that day's level themselves. Else a double."""
        levels, now, before = self.history[key], self.sum_of_end(-1, key), self.sum_of_end(then, key)
        if levels[then] == level_ref:
            return Fraction(now, ref)
        if float(Fraction(level_ref) * Fraction(before, ref)) == levels[then]:
            return Fraction(now, before)
        return levels[-1] / levels[then]

    def years(self, window, then):
        if window in MONTH_WINDOWS:
            return MONTH_WINDOWS[window] / 12
        if window in SESSION_WINDOWS:
            return SESSION_WINDOWS[window] / 252
        return (self.sessions[-1] - self.sessions[then]).days / 365.25

    # -- changes --
    def change(self, symbol, make):
        """A change of the members that count or of their shares: the levels stay, the sums they refer to are the new ones."""
        counted = self.total_ref is not None and symbol in self.priced()
        if self.total_ref is not None:
            before, prices = (self.running_level(), self.level_exact()), self.prices()
        make()
        counts = symbol in self.priced()
        self.recomposed |= counted != counts
        if self.total_ref is None or not (counted or counts):
            return
        (self.level_ref, self.exact_ref), self.total_ref = before, self.total()
        for series in self.equal.values():
            series.level_ref, series.exact_ref = series.level(prices), series.level_exact(prices)
            series.members_changed(self.prices(), self.market)

    def session_end(self, day, closes):
        """The market's closes of that session."""
        prices = {s: closes[s] for s in self.priced()}
        if self.total_ref is None:
            if not self.covered():
                return
            self.total_ref = self.total(prices)
            for series in self.equal.values():
                series.buy(prices, self.market.issuer)
        self.sessions.append(day)
        self.ends.append({"prices": prices, "shares": {s: self.shares(s) for s in prices},
                          "refs": (self.level_ref, self.exact_ref, self.total_ref),
                          "equal": {k: (dict(x.units), x.level_ref, x.exact_ref, x.value_ref) for k, x in self.equal.items()}})
        for key in ("level", *self.equal):
            self.history.setdefault(key, []).append(self.level_of_end(-1, key)[0])
        self.recomposed = False

    def level_of_end(self, n, key):
        """(double, exact) of a kept session end."""
        end = self.ends[n]
        if key == "level":
            level_ref, exact_ref, total_ref = end["refs"]
            total = sum(line_value(p, end["shares"][s]) for s, p in end["prices"].items())
            return float(Fraction(level_ref) * Fraction(total, total_ref)), exact_ref * Fraction(total, total_ref)
        units, level_ref, exact_ref, value_ref = end["equal"][key]
        value = sum(q * end["prices"][s] for s, q in units.items())
        return float(Fraction(level_ref) * Fraction(value, value_ref)), exact_ref * Fraction(value, value_ref)

    def sum_of_end(self, n, key):
        end = self.ends[n]
        if key == "level":
            return sum(line_value(p, end["shares"][s]) for s, p in end["prices"].items())
        return sum(q * end["prices"][s] for s, q in end["equal"][key][0].items())

    def begin(self, before, day):
        """A session has begun after the session `before`: weights that were due at its close are bought at its closes."""
        self.begun = [x for x in self.equal.values() if period(x.rebalance, day) != period(x.rebalance, before)]
        self.rebalance()

    def rebalance(self):
        if self.total_ref is None:
            return
        for series in self.begun:
            if self.recomposed:                # since that end somebody has come or gone
                series.rebalance_now(self.prices(), self.market.issuer)
            else:
                series.rebalance_at(self.ends[-1]["prices"], self.market.issuer, *self.level_of_end(-1, (series.rebalance, series.by)))

    def correct(self, symbol, day, price_e8, again):
        """A close of an ended session was another; `again`: the weights bought at it are bought anew."""
        if day not in self.sessions[-KEPT:]:
            return
        n = self.sessions.index(day)
        if symbol not in self.ends[n]["prices"]:
            return
        self.ends[n]["prices"][symbol] = price_e8
        for key in ("level", *self.equal):
            self.history[key][n] = self.level_of_end(n, key)[0]
        if again and not self.recomposed:
            self.rebalance()


class Market:
    def __init__(self, stale_after_ns=0):
        self.stale_after_ns = stale_after_ns   # 0: any price is of now
        self.of_now, self.carried_until = None, None   # from this session on prices are of now; "begun": it has begun with this record
        self.prices, self.shares, self.floats, self.issuer = {}, {}, {}, {}
        self.refused = set()                   # a price of theirs was set aside after the one that stands: `last` has no value
        self.times = {}                        # symbol -> event time of the record its price is of
        self.of_session = {}                   # symbol -> the session its price is of
        self.official = {}                     # symbol -> (price_e8, ts) of the session in progress
        self.closes = {}                       # symbol -> [(session, price_e8)]
        self.session, self.open, self.ended, self.said = None, False, None, dt.date.min
        self.all_ended = set()
        self.moved = None                      # of a trade or close: {"price"}, {"close"}, all of {"price", "close", "end"}, or none moved
        self.indexes = {}
        self.event_ns = 0

    def index(self, name):
        return self.indexes[name]

    def is_of_now(self, symbol):
        return self.of_now is None or self.of_session[symbol] >= self.of_now

    def apply(self, m):
        self.event_ns = max(self.event_ns, m["ts"])
        self.take(m)
        if self.carried_until == "begun":
            self.carried_until = self.event_ns + self.stale_after_ns
        if self.carried_until is not None and self.event_ns >= self.carried_until:
            self.of_now, self.carried_until = self.session, None

    def take(self, m):
        kind = m["kind"]
        self.moved = set() if kind in ("trade", "close") else None
        if kind == "trade":
            if m["symbol"] in self.prices and m["ts"] < self.times[m["symbol"]]:
                return                          # late
            self.session_price(day_of(m["ts"]))
            self.stand(m["symbol"], e8(m["price"]), m["ts"], day_of(m["ts"]))
        elif kind == "close":
            self.close(m["symbol"], dt.date.fromisoformat(m["date"]), e8(m["price"]), m["ts"])
        elif kind == "refusal":
            self.refused.add(m["symbol"])
        elif kind == "instrument":
            self.issuer[m["symbol"]] = m["issuer"]
        elif kind == "shares":
            users = [x for x in self.indexes.values() if m["symbol"] in x.members]
            def make():
                self.shares[m["symbol"]], self.floats[m["symbol"]] = m["shares"], m.get("float", "1")
            for x in users[:-1]:                # several indexes: each keeps its level over the one change
                inner = make
                make = lambda x=x, inner=inner: x.change(m["symbol"], inner)
            users[-1].change(m["symbol"], make) if users else make()
        elif kind == "index":
            self.indexes[m["index"]] = Index(self, m["index"], m.get("base", 1000))
        elif kind == "membership":
            index = self.indexes[m["index"]]
            def make():
                if m.get("member", True):
                    if m["symbol"] not in index.members and not self.fresh(m["symbol"], m["ts"]):
                        index.waiting.add(m["symbol"])
                    index.members[m["symbol"]] = m.get("shares")
                else:
                    index.members.pop(m["symbol"], None)
            index.change(m["symbol"], make)
        elif kind == "clock" and "session_end" in m:
            day = dt.date.fromisoformat(m["session_end"])
            if not m.get("presumed"):
                self.said = max(self.said, day)
            if self.session is None or day > self.session or (day == self.session and self.open):
                self.session_price(day)
                self.session_end()

    # -- sessions --
    def stand(self, symbol, price_e8, ts, session):
        """A first price makes a member count."""
        if self.moved is not None:
            self.moved.add("price")
        self.refused.discard(symbol)
        def make():
            self.prices[symbol], self.times[symbol], self.of_session[symbol] = price_e8, ts, session
        waits = [x for x in self.indexes.values() if symbol in x.waiting]
        if symbol in self.prices and not waits:
            make()
            return
        inner_make = make
        def make():
            inner_make()
            for x in waits:
                x.waiting.discard(symbol)
        for x in waits if symbol in self.prices else [x for x in self.indexes.values() if symbol in x.members]:
            inner = make
            make = lambda x=x, inner=inner: x.change(symbol, inner)
        make()

    def fresh(self, symbol, ts):
        """No more than one weekday after its price."""
        if symbol not in self.prices:
            return True                        # it waits for its first price anyhow
        day, until = day_of(self.times[symbol]), day_of(ts)
        return sum((day + dt.timedelta(days=n)).weekday() < 5 for n in range(1, (until - day).days + 1)) <= 1

    def session_price(self, day):
        """The first price of a later day begins a session; the one before has ended, said or not."""
        if self.session is not None and day <= self.session:
            return
        if self.open:
            self.session_end()
        if self.session is not None:
            for index in self.indexes.values():
                index.begin(self.session, day)
        if self.stale_after_ns:                # the session before is of now still, for as long as the bound says
            self.of_now, self.carried_until = self.session or day, "begun"
        self.session, self.open = day, True

    def session_end(self):
        if self.moved is not None:
            self.moved.add("end")
        if self.stale_after_ns:
            self.of_now, self.carried_until = self.session, None
        closes = dict(self.prices)
        for symbol, (price_e8, ts) in sorted(self.official.items(), key=lambda x: x[0] not in self.prices):
            if symbol not in self.prices or ts >= self.times[symbol]:
                self.stand(symbol, price_e8, ts, self.session)
            closes[symbol] = price_e8
        self.official, self.open, self.ended = {}, False, self.session
        self.all_ended.add(self.session)
        for symbol, price_e8 in closes.items():
            self.closes.setdefault(symbol, []).append((self.session, price_e8))
        for index in self.indexes.values():
            index.session_end(self.session, closes)

    def close(self, symbol, day, price_e8, ts):
        self.session_price(day)
        if day == self.session and self.open:
            self.official[symbol] = (price_e8, ts)
            return
        if day not in self.all_ended:
            return                             # refused
        self.moved.add("close")
        kept = dict(self.closes.get(symbol, ()))
        kept[day] = price_e8
        self.closes[symbol] = sorted(kept.items())
        last = day == self.ended
        for index in self.indexes.values():
            index.correct(symbol, day, price_e8, last and self.open and self.said < day)
        if symbol not in self.prices or (ts >= self.times[symbol] and day >= self.of_session[symbol]):
            self.stand(symbol, price_e8, ts, day)

    def ret(self, symbol, window="1d"):
        """At a session end, in percent."""
        closes = self.closes.get(symbol)
        then = window_start([d for d, _ in closes], window) if closes else None
        return None if then is None else float(Fraction(100 * (closes[-1][1] - closes[then][1]), closes[then][1]))

    def measure(self, text):
        """The value by canonical text, for the measures that a rule may name here; None when there is none."""
        name, _, inner = text.rstrip(")").partition("(")
        subject, *options = [p.strip() for p in inner.split(",")]
        options = dict(o.split("=") for o in options)
        if name == "last":
            price = self.prices.get(subject)
            return None if price is None or subject in self.refused else float(price) / 1e8
        index = self.indexes.get(subject)
        if index is None:
            return None
        if name == "level":
            return index.level()
        if name == "ew_level":
            return index.ew_level(options.get("ew", "quarterly"), options.get("by", "issuer"))
        by = options.get("by", "issuer")
        if name in CONCENTRATION:
            return index.concentration(name, by, *(int(options[k]) for k in ("n", "p") if k in options), *(options[k] for k in ("alpha",) if k in options))
        raise KeyError(text)
