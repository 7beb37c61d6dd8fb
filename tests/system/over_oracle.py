"""over_oracle.py - change, max, min and avg of a measure again, from their definitions: slow, exact.

x is any measure, these four included. It is looked at when a record of its own input comes (a price
of the instrument or of a member, a member that joins or leaves) and at every clock record. What it
stood at then is kept for ever, and every answer is searched for in that list.

A window is cut into steps, the step now and the n - 1 before:
    over=20d   20 sessions. One begins with the first price of a later day and lasts until the next
    over=5m    1,000 steps of 300 ms: a thousandth of the window

    change   x now less what x stood at when the step n steps ago ended; unit=pct: 100 times that by
             the absolute value of then. Of last(X) an exact fraction of prices, rounded once
    max min  over what x became in those steps and what it stood at as each of them ended. By the
             clock what stood when the window began counts as well
    avg      mean of what x stood at as each step ended, the last as it stands: the exact sum as a
             double, by the number of steps

Where the window reaches behind x's first value there is no_history; where x has none, x's status says
why, and coverage is x's. What has no value is not looked at: the last one stands.

    w = Watch("max(change(last(A), over=5m), over=3d)")
    for message in stream:
        w.apply(message)
        w["max(change(last(A), over=5m), over=3d)"]        # a Reading
"""
import bisect
import datetime as dt
import itertools
import re
from dataclasses import dataclass
from fractions import Fraction

import oracle

CLOCK_STEPS = 1000
UNIT_NS = {"s": 10 ** 9, "m": 60 * 10 ** 9, "h": 3600 * 10 ** 9}
DAY_NS = 86_400 * 10 ** 9
EPOCH = dt.date(1970, 1, 1)
DEFAULT_OVER = {"change": "1d", "max": "20d", "min": "20d", "avg": "20d"}


@dataclass(frozen=True)
class Reading:
    value: float            # None when there is none: status says why
    status: str
    coverage: float


def split(text):
    """A canonical text of one of the four as (name, text of x, {parameter: value}); else None."""
    name, _, inside = text.removesuffix(")").partition("(")
    if name not in DEFAULT_OVER:
        return None
    x, options = re.fullmatch(r"(.*\))((?:, \w+=\w+)*)", inside).groups()
    given = dict(o.split("=") for o in options.split(", ")[1:])
    return name, x, {"over": DEFAULT_OVER[name], "unit": "absolute", **given}


class Seen:
    """What x stood at each time it was looked at and had a value: values[i] in step steps[i]."""

    def __init__(self):
        self.steps, self.values, self.became = [], [], []

    def add(self, step, value):
        self.became.append(not self.values or self.values[-1] != value)
        self.steps.append(step)
        self.values.append(value)

    def at_end(self, step):
        """What x stood at as that step ended; None before its first value."""
        n = bisect.bisect_right(self.steps, step)
        return self.values[n - 1] if n else None

    def became_in(self, first, last):
        """What x became in those steps."""
        span = range(bisect.bisect_left(self.steps, first), bisect.bisect_right(self.steps, last))
        return [self.values[i] for i in span if self.became[i]]

    def ends(self, first, last):
        """(value, number of steps) for what x stood at as each of those steps ended."""
        inside = range(bisect.bisect_left(self.steps, first), bisect.bisect_right(self.steps, last))
        cuts = [first, *(self.steps[i] for i in inside), last + 1]
        for a, b in itertools.pairwise(cuts):
            if b > a:
                yield self.at_end(a), b - a


class Base:
    """A measure of the market itself."""

    def __init__(self, text, market):
        self.text, self.market, self.x = text, market, None
        self.name, _, inner = text.rstrip(")").partition("(")
        self.subject, *options = inner.split(", ")
        self.options = dict(o.split("=") for o in options)

    def read(self):
        if self.name == "last":
            value = self.market.measure(self.text)
            return Reading(value, "no_data" if value is None else "ok", float(value is not None))
        index = self.market.indexes.get(self.subject)
        if index is None or not index.priced():
            return Reading(None, "no_data", 0.0)
        value, coverage = self.of_index(index), index.coverage()
        coverage = None if coverage is None else float(coverage)
        if not index.covered():
            return Reading(None, "unknown_coverage" if coverage is None else "low_coverage", coverage)
        if index.total_ref is None and self.name in ("level", "spread"):
            return Reading(None, "no_session_end", coverage)
        return Reading(value, "no_history" if value is None else "ok", coverage)

    read_anew = read

    def of_index(self, index):
        if self.name != "spread":
            return self.market.measure(self.text)
        if index.level() is None or index.ew_level() is None:
            return None
        return index.spread_of_levels(self.options["kind"])

    def moved_by(self, m):
        """Is it looked at after that message?"""
        if m["kind"] in ("trade", "close"):
            return self.is_of(m["symbol"])
        if m["kind"] == "shares":
            return self.name != "last" and self.is_of(m["symbol"])
        return m["kind"] == "membership" and self.subject == m["index"]

    def is_of(self, symbol):
        if self.name == "last":
            return self.subject == symbol
        return symbol in self.market.index(self.subject).members


class Over:
    """One of the four, of the measure x."""

    def __init__(self, text, x, watch):
        self.text, self.x, self.watch, self.seen = text, x, watch, Seen()
        self.name, _, parameters = split(text)
        number, unit = re.fullmatch(r"(\d+)([dsmh])", parameters["over"]).groups()
        self.pct = parameters["unit"] == "pct"
        self.clock = unit != "d"
        self.n = CLOCK_STEPS if self.clock else int(number)
        self.step_ns = int(number) * UNIT_NS[unit] // CLOCK_STEPS if self.clock else None

    def step(self):
        return self.watch.now // self.step_ns if self.clock else self.watch.session

    def look(self):
        """x was looked at."""
        if self.x.reading.value is not None:
            self.seen.add(self.step(), self.x.reading.value)

    def read_anew(self):
        """As of now, what it is taken of as well."""
        return self.read(self.x.read_anew())

    def read(self, x=None):
        x = x or self.x.reading
        if x.value is None:
            return x
        value = getattr(self, self.name)(x.value, self.step())
        if isinstance(value, str):
            return Reading(None, value, x.coverage)
        return Reading(value, x.status, x.coverage)

    # ---- each gives a value, or the status that says why there is none ----
    def change(self, x, now):
        then = self.seen.at_end(now - self.n)
        if then is None:
            return "no_history"
        if self.pct and not then:
            return "no_data"
        if not isinstance(self.x, Over) and self.x.name == "last":
            x, then = Fraction(repr(x)), Fraction(repr(then))    # prices: what was written, which a double's shortest text is
        return float(100 * (x - then) / abs(then) if self.pct else x - then)

    def reached(self, now):
        first = now - self.n + 1
        if self.seen.at_end(first) is None:
            return None
        out = self.seen.became_in(first, now) + [v for v, _ in self.seen.ends(first, now)]
        before = self.seen.at_end(first - 1) if self.clock else None
        return out if before is None else [*out, before]

    def max(self, _, now):
        values = self.reached(now)
        return "no_history" if values is None else max(values)

    def min(self, _, now):
        values = self.reached(now)
        return "no_history" if values is None else min(values)

    def avg(self, _, now):
        first = now - self.n + 1
        if self.seen.at_end(first) is None:
            return "no_history"
        return float(sum(Fraction(v) * n for v, n in self.seen.ends(first, now))) / self.n


class Watch:
    """The market, and the measures that somebody asked for, from when they did."""

    def __init__(self, *texts):
        self.market, self.now, self.day, self.session = oracle.Market(), 0, None, 0
        self.nodes = {}                        # by text; x before what is taken of it
        for text in texts:
            self.want(text)

    def want(self, text):
        """From now on it is looked at; what it is taken of as well."""
        if text in self.nodes:
            return self.nodes[text]
        over = split(text)
        node = Over(text, self.want(over[1]), self) if over else Base(text, self.market)
        if over:
            node.look()
        node.reading = node.read()
        self.nodes[text] = node
        return node

    def __getitem__(self, text):
        return self.nodes[text].reading

    def at(self, text, ns):
        """The value at that time, or now if that is later, with no message until then."""
        now, self.now = self.now, max(self.now, ns)
        reading = self.nodes[text].read_anew()
        self.now = now
        return reading.value

    def apply(self, m):
        """Gives the texts of what was looked at."""
        self.now = max(self.now, m["ts"])
        if m["kind"] in ("trade", "close"):
            day = m["date"] if "date" in m else str(EPOCH + dt.timedelta(days=m["ts"] // DAY_NS))
            if self.day is None or day > self.day:
                self.day, self.session = day, self.session + 1
        before = self.affected(m) if m["kind"] not in ("trade", "close") else set()    # a member that leaves is one before
        self.market.apply(m)
        return self.look(before | self.affected(m))

    def affected(self, m):
        moved = self.market.moved
        if m["kind"] in ("trade", "close"):
            if "end" in moved:                 # a session that nobody ended has ended
                return {t for t, n in self.nodes.items() if n.x is None}
            if "price" not in moved:           # late, or a close that waits for its session's end
                return {t for t, n in self.nodes.items()
                        if n.x is None and "close" in moved and n.name == "last" and n.moved_by(m)}
        return {t for t, n in self.nodes.items()
                if n.x is None and (m["kind"] == "clock" or n.moved_by(m))}

    def look(self, texts):
        for text, node in self.nodes.items():
            if node.x is not None and node.x.text in texts:
                texts.add(text)
                node.look()
            if text in texts:
                node.reading = node.read()
        return texts
