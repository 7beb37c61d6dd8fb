"""Nine venues at once through the real Kafka: trades on each side of every cut, before, in and after hours, over changes of
summer time, holidays and early closes. Nobody says that a session ends. Expected is what exchange_calendars and the sentences of
market.md section 2 give, live, back-tested and verified."""
import datetime
import json
import math
import random
import zoneinfo

import exchange_calendars
import pytest

import drive
import streams
from harness.base import SEED

S = 10 ** 9
BEGAN = 1_704_200_000 * S                       # 2024-01-02
GRACE = 300 * S                                # engine.session_grace_ms
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex")    # pandas' words about the package, not about us
# name: (the package's name, when a session begins by its own clock, on which day from the session's date)
VENUES = {
    "XNYS": ("XNYS", datetime.time(4), 0), "XNAS": ("XNAS", datetime.time(4), 0), "XLON": ("XLON", datetime.time(4), 0),
    "XETR": ("XETR", datetime.time(4), 0), "XTKS": ("XTKS", datetime.time(4), 0), "XHKG": ("XHKG", datetime.time(4), 0),
    "XASX": ("XASX", datetime.time(4), 0), "CMES": ("CMES", datetime.time(17), -1), "24-7": ("24/7", datetime.time(0), 0),
}
# Both changes of summer time on either side of the Atlantic and in Sydney; the fourth of July; the end of a year.
SPANS = [("2024-03-07", "2024-03-13"), ("2024-03-28", "2024-04-09"), ("2024-07-02", "2024-07-08"),
         ("2024-10-03", "2024-10-08"), ("2024-10-24", "2024-11-06"), ("2024-12-23", "2025-01-03")]


def ns(moment):
    return round(moment.timestamp()) * S


def sessions(venue):
    """(date, begin, open, close, begin of the next) of the spans, by the package; begins by the time zones."""
    name, begins, offset = VENUES[venue]
    source = exchange_calendars.get_calendar(name, start="2024-01-01", end="2025-12-31")
    zone = zoneinfo.ZoneInfo(str(source.tz))
    rows = []
    for day, row in source.schedule.iterrows():
        begin = datetime.datetime.combine(day.date() + datetime.timedelta(days=offset), begins, zone)
        rows.append((day.date().isoformat(), ns(begin), ns(row["open"]), ns(row["close"])))
    return [(*row, after[1]) for row, after in zip(rows, rows[1:]) if any(first <= row[0] <= last for first, last in SPANS)]


def trades():
    """(ts, venue, session, regular, price in cents), in the order of time."""
    rng, out = random.Random(SEED), []
    for venue in VENUES:
        for date, begin, opens, close, next_begin in sessions(venue):
            times = {begin, begin + 1, opens - 1, opens, opens + 1, (opens + close) // 2, close - 1, close, close + 1, close + GRACE - 1,
                     close + GRACE, close + GRACE + 1, next_begin - 1}
            for t in sorted(times):
                if begin <= t < next_begin and not (rng.random() < 0.3 and t != begin):
                    out.append((t, venue, date, opens <= t < close, rng.randint(9000, 11000)))
    out.sort(key=lambda x: (x[0], x[1]))
    return out


class Venue:
    """What an instrument of the venue, alone in its index, is worth: plain and slow."""

    def __init__(self, name):
        self.name, self.closes_at = name, {date: close for date, _, _, close, _ in sessions(name)}
        self.last = self.regular = self.session = self.base = None
        self.open, self.closes = False, []

    def end(self):
        self.open = False
        self.closes.append(self.regular)
        if self.base is None:
            self.base = self.regular

    def time(self, now):
        if self.open and now >= self.closes_at[self.session] + GRACE:
            self.end()

    def trade(self, session, regular, price):
        if regular and session != self.session:
            if self.open:
                self.end()
            self.session, self.open = session, True
        if regular:
            self.regular = price
        self.last = price

    def ret(self):
        then = self.closes[-1:] if self.open else self.closes[-2:-1]
        now = self.regular if self.open else self.closes[-1] if self.closes else None     # after the close as well: trades there are extended
        return 100 * (now - then[0]) / then[0] if then and now else None

    def level(self):
        return None if self.base is None else 1000 * self.regular / self.base     # what is paid before and after hours moves `last` alone


@pytest.fixture(scope="module")
def run(kafka, service_factory):
    track = "; ".join(f"{measure}({prefix}{v})" for v in VENUES for measure, prefix in (("ret", "S"), ("level", "I"), ("last", "S")))
    service = service_factory(topics=[kafka.create_topic("venues")], config={"engine": {"clock_ms": 0, "sample_ms": 0, "readings": "every", "track": track}})
    sent = trades()
    messages = []
    for v in VENUES:
        messages += [{"kind": "index", "index": f"I{v}", "calendar": v, "ts": BEGAN}, {"kind": "instrument", "symbol": f"S{v}", "issuer": v, "venue": v, "ts": BEGAN},
                     {"kind": "shares", "symbol": f"S{v}", "shares": 1000, "ts": BEGAN}, {"kind": "membership", "index": f"I{v}", "symbol": f"S{v}", "ts": BEGAN}]
    for i, (ts, venue, _, _, cents) in enumerate(sent):
        messages.append({"kind": "trade", "symbol": f"S{venue}", "price": f"{cents / 100:.2f}", "ts": ts})
        if i + 1 == len(sent) or sent[i + 1][0] != ts:
            messages.append({"kind": "clock", "ts": ts})
    kafka.produce(service.topics[0], [streams.encode(m) for m in messages])
    drive.drained(service, service.topics[0], len(messages))
    return service, sent


def expected(sent):
    """time -> measure -> value, at the clock after all trades of that time."""
    venues, out = {v: Venue(v) for v in VENUES}, {}
    for ts, name, session, regular, cents in sent:
        for v in venues.values():
            v.time(ts)
        venues[name].trade(session, regular, cents)
        out[ts] = {f"{m}({p}{n})": f() for n, v in venues.items() for m, p, f in (("ret", "S", v.ret), ("level", "I", v.level))}
    return out, venues


def test_every_value_on_each_side_of_every_cut(run):
    service, sent = run
    want, _ = expected(sent)
    assert not service.database.rows("SELECT reason, detail FROM tocsin.dead_letter LIMIT 3")
    rows = service.database.rows("SELECT r.event_ns, s.measure, r.value FROM tocsin.reading r JOIN tocsin.series s USING (series_id)"
                                 " JOIN tocsin.event e USING (seq) WHERE NOT e.payload LIKE '%%\"presumed\":true%%'")
    got = {}
    for at, measure, value in rows:
        if at in want and measure in want[at]:
            got[at, measure] = value
    assert len(sent) > 1500 and len(got) == sum(len(v) for v in want.values())
    wrong = [(at, m, got[at, m], v) for at, row in want.items() for m, v in row.items()
             if (v is None) != (got[at, m] is None) or (v is not None and not math.isclose(got[at, m], v, rel_tol=1e-12, abs_tol=1e-12))]
    assert not wrong, (len(wrong), len(got), wrong[:3])
    assert sum(v is not None for row in want.values() for v in row.values()) > len(got) // 2


def test_sessions_end_by_themselves_and_trades_outside_hours_are_marked(run):
    service, sent = run
    _, venues = expected(sent)
    ends = service.database.rows("SELECT payload::json->>'venue', count(*) FROM tocsin.event WHERE kind = 3 AND payload LIKE '%%\"presumed\":true%%' GROUP BY 1")
    assert dict(ends) == {name: len(v.closes) for name, v in venues.items()}
    marked = service.database.rows("SELECT symbol, count(*) FILTER (WHERE extended), count(*) FROM market.trade GROUP BY 1")
    assert {s: (e, n) for s, e, n in marked} == {
        f"S{v}": (sum(x[1] == v and not x[3] for x in sent), sum(x[1] == v for x in sent)) for v in VENUES}


def test_back_tested_and_verified(run):
    """A rule on closes against closes fires as the values say; verify finds nothing."""
    service, sent = run
    want, _ = expected(sent)
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")
    for v in ("XNYS", "CMES"):
        done = service.tocsin("backtest", "--rule", f"last(S{v}) >= 109.5", "--json")
        said = [(a["state"], a["value"]) for a in json.loads(done.stdout)["alerts"]]
        fires, above = [], False
        for _, venue, _, _, cents in sent:
            if venue == v and (cents >= 10950) != above:
                above = not above
                fires.append(("firing" if above else "resolved", cents / 100))
        assert said == fires and len(fires) > 4
