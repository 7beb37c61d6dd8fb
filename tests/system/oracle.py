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
import math
from decimal import Decimal
from fractions import Fraction

E8 = 10 ** 8
SESSION_WINDOWS = {"1d": 1, "5d": 5, "20d": 20, "60d": 60}
MONTH_WINDOWS = {"3mo": 3, "6mo": 6, "12mo": 12, "18mo": 18, "36mo": 36}
REBALANCES = ("daily", "monthly", "quarterly", "third_friday", "held")
COVERAGE_GATE = Fraction(95, 100)


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

    def rebalance_at(self, prices, issuer_of):
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
        self.sums = {}                         # the same -> what those levels were made of
        self.session_prices = None             # as they stood at the last session end
        self.fresh = False                     # nothing has happened since

    # -- values --
    def shares(self, symbol):
        return effective_shares(self.members[symbol] or self.market.shares[symbol], self.market.floats.get(symbol, "1"))

    def priced(self):
        return [s for s in self.members if s in self.market.prices and (self.members[s] or s in self.market.shares)]

    def prices(self):
        return {s: self.market.prices[s] for s in self.priced()}

    def coverage(self):
        return Fraction(len(self.priced()), len(self.members)) if self.members else Fraction(0)

    def line_values(self):
        return {s: line_value(self.market.prices[s], self.shares(s)) for s in self.priced()}

    def issuer_values(self):
        out = {}
        for s, v in self.line_values().items():
            company = self.market.issuer[s]
            out[company] = out.get(company, 0) + v
        return out

    def values(self, by="issuer"):
        return list((self.issuer_values() if by == "issuer" else self.line_values()).values())

    def total(self):
        return sum(self.line_values().values())

    def covered(self):
        return bool(self.members) and self.coverage() >= COVERAGE_GATE

    # -- measures: None when there is none --
    def level(self):
        if self.total_ref is None or not self.covered():
            return None
        return float(Fraction(self.level_ref) * Fraction(self.total(), self.total_ref))

    def level_exact(self):
        return self.exact_ref * Fraction(self.total(), self.total_ref)

    def ew_level(self, rebalance="quarterly", by="issuer"):
        series = self.equal[rebalance, by]
        return series.level(self.prices()) if series.units and self.covered() else None

    def ew_level_exact(self, rebalance="quarterly", by="issuer"):
        return self.equal[rebalance, by].level_exact(self.prices())

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
        levels, sums = self.history[key], self.sums[key]
        if levels[then] == level_ref:
            return Fraction(sums[-1], ref)
        if float(Fraction(level_ref) * Fraction(sums[then], ref)) == levels[then]:
            return Fraction(sums[-1], sums[then])
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
            before, prices = (self.level(), self.level_exact()), self.prices()
        make()
        if self.total_ref is None or not (counted or symbol in self.priced()):
            return
        (self.level_ref, self.exact_ref), self.total_ref = before, self.total()
        for series in self.equal.values():
            series.level_ref, series.exact_ref = series.level(prices), series.level_exact(prices)
            series.members_changed(self.prices(), self.market)

    def begin(self):
        """The first record after a session end: the daily series has been bought anew at its prices. The others learn that a session
        was the last of its period from the date of the next one."""
        if self.fresh:
            self.fresh = False
            for key, series in self.equal.items():
                if key[0] == "daily":
                    series.rebalance_at(self.session_prices, self.market.issuer)

    def session_end(self, day):
        if not self.members or len(self.priced()) < len(self.members):
            return
        prices, issuer_of = self.prices(), self.market.issuer
        if self.total_ref is None:
            self.total_ref = self.total()
            for series in self.equal.values():
                series.buy(prices, issuer_of)
        else:
            still = {s: p for s, p in self.session_prices.items() if s in self.members}    # who left since then is bought no more
            for series in self.equal.values():
                if series.rebalance != "daily" and period(series.rebalance, day) != period(series.rebalance, self.sessions[-1]):
                    series.rebalance_at(still, issuer_of)
        self.sessions.append(day)
        self.session_prices, self.fresh = prices, True
        self.history.setdefault("level", []).append(self.level())
        self.sums.setdefault("level", []).append(self.total())
        for key, series in self.equal.items():
            self.history.setdefault(key, []).append(series.level(prices))
            self.sums.setdefault(key, []).append(series.value(prices))


class Market:
    def __init__(self):
        self.prices, self.shares, self.floats, self.issuer = {}, {}, {}, {}
        self.closes = {}                       # symbol -> [(session, price_e8)]
        self.indexes = {}
        self.event_ns = 0

    def index(self, name):
        return self.indexes[name]

    def apply(self, m):
        kind = m["kind"]
        for index in self.indexes.values():
            index.begin()
        self.event_ns = max(self.event_ns, m["ts"])
        if kind in ("trade", "close"):
            self.prices[m["symbol"]] = e8(m["price"])
            if kind == "close":
                self.closes.setdefault(m["symbol"], []).append((dt.date.fromisoformat(m["date"]), e8(m["price"])))
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
                    index.members[m["symbol"]] = m.get("shares")
                else:
                    index.members.pop(m["symbol"], None)
            index.change(m["symbol"], make)
        elif kind == "clock" and "session_end" in m:
            for index in self.indexes.values():
                index.session_end(dt.date.fromisoformat(m["session_end"]))

    def ret(self, symbol, window="1d"):
        """At a session end, in percent."""
        closes = self.closes.get(symbol)
        then = window_start([d for d, _ in closes], window) if closes else None
        return None if then is None else float(Fraction(100 * (self.prices[symbol] - closes[then][1]), closes[then][1]))

    def measure(self, text):
        """The value by canonical text, for the measures that a rule may name here; None when there is none."""
        name, _, inner = text.rstrip(")").partition("(")
        subject, *options = [p.strip() for p in inner.split(",")]
        options = dict(o.split("=") for o in options)
        if name == "last":
            price = self.prices.get(subject)
            return None if price is None else float(price) / 1e8
        index = self.indexes.get(subject)
        if index is None:
            return None
        if name == "level":
            return index.level()
        if name == "ew_level":
            return index.ew_level(options.get("ew", "quarterly"), options.get("by", "issuer"))
        by = options.get("by", "issuer")
        if name == "hhi":
            return index.hhi(by)
        if name == "effective_number":
            return index.effective_number(by)
        if name == "top_weight":
            return index.top_weight(int(options.get("n", 10)), by)
        raise KeyError(text)
