"""change, max, min and avg of other measures, nested, against over_oracle.py: every stored reading and every alert, through
kills; history, back-test, verify; what is refused and where; a tenant's own book; the real prices.

TOCSIN_SEED repeats a run."""
import datetime as dt
import functools
import json
import math
import random
from fractions import Fraction

import pytest

import drive
import over_market
import sp500
import streams
from harness.base import SEED
from over_oracle import Reading, Watch
from reference_rules import Rule, owed, times

KILLS = 3
TRACKED = (
    "last(A)", "last(B)", "last(C)", "hhi(X)", "hhi(Y)", "level(X)", "spread(X, kind=ratio)",
    "change(last(A))",
    "change(last(A), over=5m)",
    "max(change(last(A), over=5m), over=3d)",
    "avg(hhi(X), over=5d)",
    "change(spread(X, kind=ratio), over=2d, unit=pct)",
    "avg(last(B), over=90s)",
    "min(avg(last(B), over=90s), over=2d)",
    "max(last(C), over=1d)",
    "min(last(C))",
    "max(last(A), over=2h)",
    "change(max(last(A), over=1h), over=10s)",
    "avg(change(avg(last(B), over=5m), over=90s, unit=pct), over=1h)",
    "max(min(max(last(C), over=2m), over=2m), over=2m)",
    "change(change(last(A)), unit=pct)",
    "avg(min(level(X), over=2d), over=1h)",
    "min(hhi(Y), over=3d)",
    "avg(hhi(Y))",
    "change(hhi(Y), over=12h, unit=pct)",
)
RULED = (*TRACKED[7:], "max(avg(last(A), over=3d), over=2d)", "min(change(last(B)), over=4d)",
         "change(avg(spread(X, kind=ratio), over=2d), over=1m)")
# Asked for in the middle, of what nobody looked at, of what somebody did, and of both.
LATE = ("max(last(D), over=3d)", "avg(max(last(A), over=2h), over=2d)", "change(avg(hhi(X), over=2d), over=1h)")
# Readings at clock records of the feed, not at the ends of sessions that the service presumes when a later day's price comes.
UNPRESUMED = "seq NOT IN (SELECT seq FROM tocsin.event WHERE kind = 3 AND payload::jsonb ->> 'presumed' = 'true')"
ALL = tuple(dict.fromkeys((*TRACKED, *RULED, *LATE)))


# ---- the oracle itself, held to what a pencil gives ----

DAY, HOUR, S, MS = 86_400 * 10 ** 9, 3600 * 10 ** 9, 10 ** 9, 10 ** 6


def told(text, *trades):
    """(ns, price or None for a clock) of A, and of B where the price is a string: what `text` says after each."""
    watch, out = Watch(text), []
    for ns, price in trades:
        watch.apply({"kind": "clock", "ts": ns} if price is None else
                    {"kind": "trade", "symbol": "B" if isinstance(price, str) else "A", "price": price, "ts": ns})
        out.append(watch[text].value if watch[text].status == "ok" else watch[text].status)
    return out


def test_windows_of_sessions():
    """105 and then 90 and 95; nothing on the third day, which B begins and so ends the second; 80 on the fourth."""
    trades = ((0, 100), (1, 105), (DAY, 90), (DAY + 1, 95), (2 * DAY, "1"), (2 * DAY + 1, None), (3 * DAY, 80))
    wait = ["no_history"] * 2
    assert told("change(last(A))", *trades) == wait + [-15, -10, 0, 0, -15]
    assert told("max(last(A), over=2d)", *trades) == wait + [105, 105, 95, 95, 95]
    assert told("min(last(A), over=2d)", *trades) == wait + [90, 90, 90, 90, 80]
    assert told("avg(last(A), over=2d)", *trades) == wait + [97.5, 100, 95, 95, 87.5]
    assert told("max(last(A), over=1d)", *trades) == [100, 105, 90, 95, 95, 95, 80]


def test_windows_of_clock_time():
    """1,000 steps of a millisecond. 100 stands until 1.5 s, then 90 for half a second."""
    trades = ((0, 100), (998 * MS, None), (999 * MS, None), (1000 * MS, None), (1500 * MS, 90), (2000 * MS, 100), (2400 * MS, None),
              (2499 * MS, None), (2500 * MS, None), (2999 * MS, None), (3000 * MS, None), (3001 * MS, None))
    assert told("change(last(A), over=1s)", *trades) == ["no_history"] * 3 + [0, -10, 0, 0, 0, 10, 10, 0, 0]
    assert told("max(last(A), over=1s)", *trades) == ["no_history"] * 2 + [100] * 10
    assert told("min(last(A), over=1s)", *trades) == ["no_history"] * 2 + [100, 100] + [90] * 6 + [100, 100]
    assert told("avg(last(A), over=1s)", *trades) == ["no_history"] * 2 + [100, 100, 99.99, 95, 95, 95, 95.01, 100, 100, 100]


def test_one_of_another():
    """By the session the highest 1 s change: 5 on the first day; on the next -15 and then 0 as it stands."""
    trades = ((0, 100), (S, None), (2 * S, 105), (DAY, 90), (DAY + 2 * S, None), (2 * DAY, 90))
    assert told("max(change(last(A), over=1s), over=1d)", *trades) == ["no_history", 0, 5, -15, 0, 0]
    assert told("change(change(last(A)), unit=pct)", *trades) == ["no_history"] * 5 + [100]


# ---- the generated market ----

def watched(records, begun):
    """(seq, event time, text -> Reading) after each record; `begun`: seq -> the texts asked for from there on."""
    watch = Watch(*TRACKED, *RULED)
    for seq, message in records:
        if message["kind"] != "rule":
            watch.apply(message)
        for text in begun.get(seq, ()):
            watch.want(text)
        yield seq, message, {text: watch[text] for text in ALL if text in watch.nodes}


def rules_where_it_goes(messages, rng):
    """Two rules a measure, at levels that it crosses."""
    values = {m: [] for m in ALL}
    for _, _, now in watched(enumerate(messages), {0: LATE}):
        for m in values:
            if now[m].value is not None:
                values[m].append(now[m].value)
    out = []
    for m in (*RULED, *LATE):
        moves = sorted(values[m])
        at = lambda q: round(moves[int(q * (len(moves) - 1))], 6)
        for op, q, q_clear in ((rng.choice((">", ">=")), 0.75, 0.5), (rng.choice(("<", "<=")), 0.2, 0.4)):
            clear = rng.choice((None, at(q_clear)))
            out.append(Rule(m, op, at(q), clear, rng.choice((0, 0, 7, 120)), rng.choice((0, 0, 30, 3600)), name=f"{len(out)} {m}"))
    return out


class Run:
    """A service that reads the stream and is killed now and then, and what it owes."""

    def __init__(self, kafka, service_factory):
        print(f"TOCSIN_SEED={SEED}")
        self.kafka, messages = kafka, over_market.market(SEED)
        self.rules = rules_where_it_goes(messages, random.Random(SEED))
        self.messages, self.sent, self.saved = [streams.encode(m) for m in messages], 0, []
        self.topic = kafka.create_topic("over")
        self.service = service_factory(topics=[self.topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "readings": "every", "snapshot_s": 1, "stale_after_ms": 0}},
                                       env={"TOCSIN_ENGINE_TRACK": "; ".join(TRACKED)})
        self.feed(over_market.REFERENCE)       # what a rule names must be there first
        self.make([r for r in self.rules if r.measure in RULED])
        for n in range(KILLS):
            self.feed(len(messages) * (2 * n + 1) // (2 * KILLS + 1))
            self.make([r for r in self.rules if r.measure == LATE[n]])
            self.feed_until_saved()
            self.send(self.sent + 200)         # being read as it dies
            self.service.restart(hard=True)
        self.feed(len(messages))

    def send(self, upto):
        self.kafka.produce(self.topic, self.messages[self.sent:upto])
        self.sent = max(self.sent, upto)

    def feed(self, upto):
        self.send(upto)
        drive.drained(self.service, self.topic, self.sent)

    def feed_until_saved(self):
        """The state is saved with a batch, when the last time is a second ago."""
        newest = lambda: self.service.database.one("SELECT coalesce(max(seq), 0) FROM tocsin.snapshot")
        before = newest()
        while newest() == before:
            self.feed(self.sent + 2)
        self.saved.append(newest())

    def make(self, rules):
        for r in rules:
            r.id = drive.make_rule(self.service, r.body())["id"]

    def remember(self):
        """What it owes, once all is there: .records, .readings of each record, .made: rule id -> seq."""
        self.records = drive.steps(self.service.database)
        self.made = {str(i): seq for i, seq in self.service.database.rows("SELECT rule_id, seq FROM tocsin.rule")}
        self.begun = {self.made[r.id]: [r.measure] for r in self.rules if r.measure in LATE}
        self.readings = list(watched(self.records, self.begun))
        return self

    def owed(self):
        """(seq, event time, rule name, state, value) of every alert. A rule looks from the record on that made it."""
        watch = Watch(*TRACKED, *RULED)

        def apply(seq, message):
            moved = watch.apply(message) if message["kind"] != "rule" else set()
            for text in self.begun.get(seq, ()):
                watch.want(text)
            return lambda text: watch[text].value if text in watch.nodes else None, moved
        return sorted(owed(self.rules, ((seq, t, watch.at, functools.partial(apply, seq, m)) for seq, m, t in times(self.records))))


@pytest.fixture(scope="module")
def run(kafka, service_factory):
    return Run(kafka, service_factory).remember()


def same(text, got, want):
    """To the bit. The sum of a mean keeps 2^-64 of each value: what is finer may be lost, and tip the rounding of the sum; divided by the
    number of steps, the last place of the sum is less than two of the mean (1.02 of a mean over 1,000 steps, 1.6 over five)."""
    return got == want or None not in (got, want) and text.startswith("avg(") and abs(got - want) <= 2.0 ** -64 + 2 * math.ulp(want)


def recovered(run):
    """seq of the saved state that each start began with."""
    return [int(e["snapshot_seq"]) for e in run.service.log_entries if e["message"] == "state recovered"]


def test_it_went_on_from_what_was_saved(run):
    assert len(recovered(run)) == KILLS + 1 and all(recovered(run)[1:])
    assert len(run.messages) == sum(m["kind"] != "rule" and not m.get("presumed") for _, m in run.records)


def test_it_went_on_from_what_was_saved_last(run):
    assert all(began >= saved for began, saved in zip(recovered(run)[1:], run.saved))


def test_every_stored_reading(run):
    """Of all of them at all clock records: value, status, coverage."""
    want = {(seq, text): r for seq, m, now in run.readings if m["kind"] == "clock" for text, r in now.items()}
    rows = run.service.database.rows("SELECT seq, measure, value, status, coverage FROM market.reading")
    got = {(seq, text): Reading(*rest) for seq, text, *rest in rows if text in ALL}
    assert got.keys() == want.keys()
    wrong = [(k, got[k], r) for k, r in want.items()
             if (got[k].status, got[k].coverage) != (r.status, r.coverage) or not same(k[1], got[k].value, r.value)]
    assert not wrong, f"{len(wrong)} of {len(want)} differ, first {wrong[0]}"
    assert {r.status for r in got.values()} == {"ok", "no_data", "no_history", "unknown_coverage", "no_session_end"}


def test_age_travels_up(run):
    """Staleness of one of another is that of what it is taken of, down to the price."""
    ages = {(seq, text): age for seq, text, age in run.service.database.rows("SELECT seq, measure, staleness_s FROM market.reading")}
    bottom = {text: next((b for b in TRACKED[:7] if b in text), None) for text in ALL}
    pairs = [(age, ages[seq, bottom[text]]) for (seq, text), age in ages.items() if bottom.get(text)]
    assert len(pairs) > 1000 and all(a == b for a, b in pairs)


def test_what_is_polled_is_what_stands(run):
    now = run.readings[-1][2]
    shown = drive.measures(run.service, *ALL)
    assert all(same(text, shown[text]["value"], now[text].value) and shown[text]["status"] == now[text].status for text in ALL)
    units = {"max(last(D), over=3d)": "USD", "change(last(A))": "USD", "avg(hhi(X), over=5d)": "0-10000",
             "change(change(last(A)), unit=pct)": "%", "change(spread(X, kind=ratio), over=2d, unit=pct)": "%"}
    assert {text: shown[text]["unit"] for text in units} == units


def test_history_is_what_is_stored(run):
    for text in (*LATE, "max(min(max(last(C), over=2m), over=2m), over=2m)", "avg(hhi(Y))"):
        stored = run.service.database.rows("SELECT seq, value, status FROM market.reading WHERE measure = %s ORDER BY seq", text)
        assert stored == [(p["seq"], p["value"], p["status"]) for p in drive.history(run.service, text)] and stored


def test_every_alert(run):
    want = run.owed()
    got = sorted(run.service.database.rows("SELECT seq, event_ns, rule_name, state, value FROM tocsin.alert"))
    key = lambda alert: alert[:4]
    assert sorted(map(key, got)) == sorted(map(key, want))
    text = {r.name: r.measure for r in run.rules}
    wrong = [(g, w) for g, w in zip(sorted(got, key=key), sorted(want, key=key)) if not same(text[g[2]], g[4], w[4])]
    assert not wrong, f"{len(wrong)} differ, first {wrong[0]}"
    assert len({alert[2] for alert in got}) > 0.8 * len(run.rules), "a rule that never fired shows nothing"


def time_ns(text):
    """Of RFC 3339 in UTC, up to nine decimals."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return int(dt.datetime.fromisoformat(whole + "+00:00").timestamp()) * S + int(fraction.ljust(9, "0"))


def test_backtest_gives_the_same_alerts(run):
    """Of the rules that stood before the first price. Their texts differ."""
    early = [r for r in run.rules if r.measure in RULED]
    texts = {r.body()["rule"]: r.name for r in early}
    assert len(texts) == len(early)
    arguments = []
    for r in early:
        body = r.body()
        arguments += ["--rule", body["rule"], *(["--clear", body["clear"]] if "clear" in body else []),
                      "--hold", str(r.hold_s), "--cooldown", str(r.cooldown_s)]
    done = run.service.tocsin("backtest", "--json", *arguments)
    said, warned = (json.loads(done.stdout)[part] for part in ("alerts", "warnings"))
    warned = [w for w in warned if w["code"] != "outside_history"]
    assert done.returncode == (65 if warned else 0) and {w["code"] for w in warned} <= {"low_coverage"}, warned     # an index may lose its prices
    live = run.service.database.rows("SELECT event_ns, rule_name, state, value FROM tocsin.alert")
    got = sorted((time_ns(a["time"]), texts[a["rule"]], a["state"], a["value"]) for a in said)
    assert got == sorted(a for a in live if a[1] in texts.values())


def test_verify_finds_no_difference(run):
    assert " 0 differing values" in run.service.check_ran("verify")


# ---- small markets ----

class Small:
    """A quiet service on one topic, stepped by hand: day d, second s."""
    START = streams.day_ns(dt.date(2024, 4, 2), 14, 30)

    def __init__(self, kafka, service_factory, track="last(A)", **engine):
        self.topic = kafka.create_topic("small")
        self.service = service_factory(topics=[self.topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "readings": "every", "track": track, "stale_after_ms": 0, **engine}})
        self.feed = drive.Feed(kafka, self.service)
        self.feed.send(*({"kind": "instrument", "symbol": s, "issuer": f"I{s}", "ts": self.START - S} for s in ("A", "B"))).settle()

    def at(self, day, second):
        return self.START + day * DAY + int(second * S)

    def trades(self, *what):
        """(day, second, symbol, price); a clock record where there is no symbol."""
        return self.feed.send(*({"kind": "trade", "symbol": s[0], "price": s[1], "ts": self.at(d, n)} if s else
                                {"kind": "clock", "ts": self.at(d, n)} for d, n, *s in what)).settle()

    def readings(self, text):
        return self.service.database.rows(f"SELECT value, status FROM market.reading WHERE measure = %s AND {UNPRESUMED} ORDER BY seq", text)

    def alerts(self):
        return [(a["seq"], a["state"], a["value"]) for a in drive.alerts(self.service)]


@pytest.fixture
def small(kafka, service_factory):
    made = []

    def make(*arguments, **engine):
        made.append(Small(kafka, service_factory, *arguments, **engine))
        return made[-1]
    yield make
    for m in made:
        m.service.terminate()


def test_a_stale_value_is_stale_all_the_way_up(small):
    """Bound 60 s. The window goes on meanwhile, and a rule that is due holds its breath until there is a value again."""
    m = small(stale_after_ms=60_000)
    rule = drive.make_rule(m.service, {"rule": "max(last(A), over=2d) > 1", "hold_s": 65})
    m.trades((0, 0, "A", "7"), (1, 0, "A", "9"), (1, 60), (1, 61), (1, 70))
    assert m.readings("max(last(A), over=2d)") == [(9, "ok"), (9, "stale"), (9, "stale")]
    assert m.service.api("GET", f"/v1/rules/{rule['id']}").json()["state"] == "stale" and m.alerts() == []
    m.trades((2, 0, "A", "5"), (2, 1))
    assert m.readings("max(last(A), over=2d)")[3:] == [(9, "ok")]
    assert [(state, value) for _, state, value in m.alerts()] == [("firing", 9)]


def test_what_nobody_asks_for_any_more_begins_anew(small):
    """Its window is let go with the last rule on it; what was stored of it stays."""
    m, text = small(), "max(last(A), over=2d)"
    rules = [drive.make_rule(m.service, {"rule": f"{text} > {n}"}) for n in (1, 2)]
    m.trades((0, 0, "A", "7"), (0, 1), (1, 0, "A", "9"), (1, 1))
    before = [(None, "no_history"), (9, "ok")]
    assert m.readings(text) == before
    m.service.api("DELETE", f"/v1/rules/{rules[0]['id']}")
    m.trades((1, 2))
    assert m.readings(text) == [*before, (9, "ok")]
    m.service.api("DELETE", f"/v1/rules/{rules[1]['id']}")
    m.trades((2, 0, "A", "5"), (2, 1))
    assert m.readings(text) == [*before, (9, "ok")] and m.service.measure(text) is None
    drive.make_rule(m.service, {"rule": f"{text} > 1"})
    m.trades((2, 2), (3, 0, "A", "4"), (3, 1))
    assert m.readings(text) == [*before, (9, "ok"), (None, "no_history"), (5, "ok")]
    assert " 0 differing values" in m.service.check_ran("verify")


def test_a_large_value_counts(small):
    """A price may rise from 0.00000001 to 90,000,000: by 9e17 %. Here by 9e15 %, then by -50 %."""
    texts = [f"{name}(change(last(A), unit=pct), over=2d)" for name in ("max", "avg", "change")]
    m = small("; ".join(["last(A)", *texts]))
    m.trades((0, 0, "A", "0.00000001"), (1, 0, "A", "900000"))
    m.service.restart()
    m.trades((2, 0, "A", "450000"), (2, 1), (3, 0, "A", "450000"), (3, 1))
    x1, x2, x3 = 100 * (900000 - 1e-8) / 1e-8, -50.0, 0.0
    assert [m.readings(t) for t in texts] == [[(x1, "ok"), (0, "ok")], [((x1 + x2) / 2, "ok"), (-25, "ok")],
                                              [(None, "no_history"), (x3 - x1, "ok")]]
    assert " 0 differing values" in m.service.check_ran("verify")


# ---- a tenant's own ----

def as_tenant(service, tenant, statement):
    """As the API asks for that tenant."""
    with service.database.connect() as c:
        c.execute("SET ROLE tocsin_api")
        c.execute("SELECT set_config('tocsin.tenant', %s, false)", (tenant,))
        return c.execute(statement).fetchall()


def test_a_window_of_a_book_is_its_tenants(small):
    """Two books of one name: 0.75 of A and 0.25 of B, and B alone. A's exposure goes from 0.5 to 0.75 and on to 0.25; B's is 0.25."""
    m, text = small(), "max(ai_exposure(book:b), over=2d)"
    key = m.service.new_key("other")
    mine, theirs = m.service.tenant_id, str(m.service.database.one("SELECT tenant_id FROM tocsin.tenant WHERE name = 'other'"))
    rules = [drive.make_rule(m.service, {"rule": f"{text} >= 0.5"}, key=k) for k in (None, key)]
    m.trades((0, 0, "A", "30"), (0, 1, "B", "10"))
    m.feed.send(*({"kind": "position", "tenant": t, "book": "b", "symbol": s, "quantity": "1", "ts": m.at(0, 2)}
                  for t, s in ((mine, "A"), (mine, "B"), (theirs, "B"))),
                *({"kind": "exposure", "issuer": i, "theme": "AI", "value": v, "ts": m.at(0, 3)} for i, v in (("IA", "0.5"), ("IB", "0.25"))))
    m.trades((0, 4), (1, 0, "B", "10"), (1, 1))
    for second, value in ((2, "0.75"), (4, "0.25")):
        m.feed.send({"kind": "exposure", "issuer": "IA", "theme": "AI", "value": value, "ts": m.at(1, second)})
        m.trades((1, second + 1))
    m.trades((2, 0, "B", "10"), (2, 1), (3, 0, "B", "10"), (3, 1))
    rows = f"SELECT value, status FROM market.reading WHERE measure = '{text}' ORDER BY seq"
    # three of them at the ends of days 0 to 2, which the next day's price says
    want = [(None, "no_history"), (None, "no_history"), (0.4375, "ok"), *[(0.625, "ok")] * 5, (0.25, "ok")]
    others = [(None, "no_history"), (None, "no_history"), *[(0.25, "ok")] * 7]
    assert as_tenant(m.service, mine, rows) == want and as_tenant(m.service, theirs, rows) == others
    assert as_tenant(m.service, "", rows) == []
    assert [(state, value) for _, state, value in m.alerts()] == [("firing", 0.625), ("resolved", 0.25)]
    assert drive.alerts(m.service, key=key) == []
    for k, expected in ((None, want), (key, others)):
        points = m.service.api("GET", "/v1/measures/history?" + drive.query(m=text), key=k).json()["points"]
        assert [(p["value"], p["status"]) for p in points] == expected and m.service.measure(text, key=k)["value"] == 0.25
    m.service.api("DELETE", f"/v1/rules/{rules[1]['id']}", key=key)
    assert m.service.measure(text, key=key) is None and m.service.measure(text) is not None
    assert " 0 differing values" in m.service.check_ran("verify")


# ---- refused, and where ----

@pytest.fixture(scope="module")
def texts(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("texts")], config={"engine": {"clock_ms": 0}})
    drive.Feed(kafka, service).reference().settle()
    return service


OVER = "1d to 1260d"


@pytest.mark.parametrize("marked,told", [
    ("max(^FEEDA, over=2d) > 1", "another measure"),
    ("avg(^SMALL) > 1", "another measure"),
    ("max(^) > 1", "another measure"),
    ("max(^nope(FEEDA)) > 1", 'no measure "nope"'),
    ("hhi(^last(FEEDA)) > 1", "an index"),
    ("change(hhi(^max(hhi(SMALL))), over=5m) > 1", "an index"),
    ("last(^max(last(FEEDA))) > 1", "symbol"),
    ("max(last(FEEDA), over=^1261d) > 1", OVER),
    ("max(last(FEEDA), over=^169h) > 1", "1s to 168h"),
    ("avg(max(last(FEEDA), over=^2000d), over=2d) > 1", OVER),
    ("avg(max(last(FEEDA), over=2d), over=^2000d) > 1", OVER),
    ("max(last(FEEDA), over=^0d) > 1", OVER),
    ("max(last(FEEDA), over=^0s) > 1", OVER),
    ("max(last(FEEDA), over=^3) > 1", OVER),
    ("max(last(FEEDA), over=^2w) > 1", OVER),
    ("max(last(FEEDA), over=^-2d) > 1", OVER),
    ("max(last(FEEDA), over=^2.5d) > 1", OVER),
    ("max(last(FEEDA), over=^99999999999999999999d) > 1", OVER),
    ("max(last(FEEDA), over=^18446744073710s) > 1", OVER),
    ("max(last(FEEDA), over=2d, ^over=3d) > 1", "twice"),
    ("max(last(FEEDA), ^unit=pct) > 1", "over"),
    ("max(last(FEEDA, ^over=2d)) > 1", "no parameters"),
    ("change(last(FEEDA), unit=^bps) > 1", "absolute, pct"),
])
def test_wrong_text_points_at_the_character(texts, marked, told):
    p = drive.problem(texts.api("POST", "/v1/rules", {"rule": marked.replace("^", "")}), 400)
    assert told in p["detail"]
    assert p["position"] == marked.index("^") + 1, p


@pytest.mark.parametrize("depth", [31, 32, 36])
def test_nested_too_deep(texts, depth):
    """A measure has at most 175 characters, its symbol counted as 15: 30 times max() of last(A) has 171. Told is the innermost that has more."""
    nested = lambda n: "max(" * n + "last(A)" + ")" * n
    p = drive.problem(texts.api("POST", "/v1/rules", {"rule": nested(depth) + " > 1"}), 400, "invalid")
    assert "too deep" in p["detail"] and "175" in p["detail"] and p["position"] == 4 * (depth - 31) + 1, p


@pytest.mark.parametrize("text", ["max(last(NOBODY)) > 1", "avg(max(hhi(NOWHERE), over=5m)) > 1", "max(hhi(FEEDA)) > 1", "max(last(SMALL)) > 1"])
def test_what_is_not_there_is_refused_at_the_bottom_too(texts, text):
    p = drive.problem(texts.api("POST", "/v1/rules", {"rule": text}), 400)
    assert p["code"] in ("unknown_symbol", "unknown_index")


@pytest.mark.parametrize("given,canonical", [
    ("max( last( FEEDA ) ,over=20d )>1", "max(last(FEEDA)) > 1"),
    ("change(last(FEEDA), unit=absolute, over=1d) > 1", "change(last(FEEDA)) > 1"),
    ("change(last(FEEDA), unit=pct, over=300s) > 1", "change(last(FEEDA), over=5m, unit=pct) > 1"),
    ("avg(max(last(FEEDA),over=90s),over=7200s) > 1", "avg(max(last(FEEDA), over=90s), over=2h) > 1"),
    ("min(hhi(SMALL), over=24h) > 1", "min(hhi(SMALL), over=24h) > 1"),
    ("min(spread(SMALL, window=60d, kind=ratio), over=1260d) > 1", "min(spread(SMALL, kind=ratio), over=1260d) > 1"),
    ("avg(last(FEEDA), over=168h) > 1", "avg(last(FEEDA), over=168h) > 1"),
    ("max(" * 29 + "last(FEEDA)" + ")" * 29 + " > 1", "max(" * 29 + "last(FEEDA)" + ")" * 29 + " > 1"),
])
def test_one_text_for_one_measure(texts, given, canonical):
    assert drive.make_rule(texts, {"rule": given})["rule"] == canonical


# ---- the real prices ----

NAMES = ("AAPL", "BAC", "F")                   # F and BAC often close where they closed the day before
REAL_DAYS = 130


def real_texts():
    for x in (*(f"last({s})" for s in NAMES), f"hhi({sp500.INDEX})"):
        yield from (f"{name}({x})" for name in ("max", "min", "avg"))
        yield from (f"change({x}, over=20d)", f"change({x}, over=20d, unit=pct)")
    yield from ("max(change(last(AAPL), over=5d))", f"avg(max(hhi({sp500.INDEX}), over=5d))")


@pytest.fixture(scope="module")
def real(kafka, service_factory):
    topic = kafka.create_topic("real")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}}, env={"TOCSIN_ENGINE_TRACK": "; ".join(real_texts())})
    n = kafka.produce(topic, (streams.encode(m) for m in sp500.messages(REAL_DAYS)))
    drive.drained(service, topic, n, 600)
    return service


def rolling(days, n, f):
    """f of the last n days, None where there are not as many. Each day: the values that x became in it, the last of them its close."""
    return [f(days[i - n + 1:i + 1]) if i >= n - 1 else None for i in range(len(days))]


def back(closes, n, pct=False):
    """Of Fractions rounded once; of floats in floats."""
    then = [None] * n + closes[:-n]
    return [None if b is None else float(100 * (a - b) / abs(b) if pct else a - b) for a, b in zip(closes, then)]


def every(days):
    return [v for day in days for v in day]


def mean_of_closes(days):
    return math.fsum(day[-1] for day in days) / len(days)


def plain(days, x):
    """text -> a value a day, from the list of what x became each day."""
    closes = [Fraction(repr(day[-1])) if x.startswith("last(") else day[-1] for day in days]
    return {f"max({x})": rolling(days, 20, lambda d: max(every(d))), f"min({x})": rolling(days, 20, lambda d: min(every(d))),
            f"avg({x})": rolling(days, 20, mean_of_closes),
            f"change({x}, over=20d)": back(closes, 20), f"change({x}, over=20d, unit=pct)": back(closes, 20, True)}


def hhi_by_day():
    """What hhi(SP500) became, session by session."""
    return [[v] for _, v in sp500.hhi_after_every_session(REAL_DAYS) if v is not None]


@sp500.needs_prices
@pytest.mark.timeout(900)
def test_twenty_sessions_of_real_prices(real):
    """As one would with lists of closes; the 470 closes of a session settle together, so that hhi moves once a session."""
    sessions = list(sp500.closes().values())[:REAL_DAYS]
    want = {}
    for s in NAMES:
        want |= plain([[float(day[s])] for day in sessions], f"last({s})")
    hhi = hhi_by_day()
    want |= plain(hhi, f"hhi({sp500.INDEX})")
    week = back([Fraction(day["AAPL"]) for day in sessions], 5)
    want["max(change(last(AAPL), over=5d))"] = rolling([[v] for v in week], 20, lambda d: None if None in every(d) else max(every(d)))
    high = rolling(hhi, 5, lambda d: max(every(d)))
    want[f"avg(max(hhi({sp500.INDEX}), over=5d))"] = rolling([[v] for v in high], 20, lambda d: None if None in every(d) else mean_of_closes(d))
    assert want.keys() == set(real_texts())
    assert any(a == b for a, b in zip(*[[day["F"] for day in sessions][i:] for i in (0, 1)])), "no close as the day before"
    for text, values in want.items():
        got = real.database.rows("SELECT value, status FROM market.reading WHERE measure = %s ORDER BY seq", text)
        assert [v for v, _ in got] == values, text
        assert {status for v, status in got if v is None} == {"no_history"}, text


@sp500.needs_prices
@pytest.mark.timeout(900)
def test_backtest_on_real_prices(real):
    """Concentration 1 % up in five sessions, cleared when it is down again."""
    ends, firing, want = [], False, []
    for ns, v in sp500.hhi_after_every_session(REAL_DAYS):
        ends.append(v)
        if v is None or len(ends) <= 5:
            continue
        change = 100.0 * (v - ends[-6]) / abs(ends[-6])
        if change <= 0 if firing else change >= 1:
            firing = not firing
            want.append((ns, "firing" if firing else "resolved", change))
    assert want
    said = json.loads(real.check_ran("backtest", "--json", "--rule", f"change(hhi({sp500.INDEX}), over=5d, unit=pct) >= 1", "--clear", "0"))
    assert [(time_ns(a["time"]), a["state"], a["value"]) for a in said["alerts"]] == want
    assert " 0 differing values" in real.check_ran("verify")
