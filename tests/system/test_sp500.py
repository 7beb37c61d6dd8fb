"""The real S&P 500 prices through the real Kafka: the printed numbers, the oracle bit for bit, SQL alone, verify and backtest.

470 names, 1,259 sessions, 591,730 official closes in date order on one partition, each session ended by a clock record."""
import csv
import datetime as dt
import itertools
import json

from fractions import Fraction

import pytest

import drive
import oracle
import sp500
import streams

pytestmark = [sp500.needs_prices, pytest.mark.timeout(1800)]

EQUAL = {"daily": 91.535, "monthly": 89.862, "quarterly": 89.816, "held": 97.616, "third_friday": 89.125}
WINDOWS = ("1d", "5d", "20d", "60d", "3mo", "6mo", "12mo", "18mo", "36mo", "ytd", "all")
SINCE = [f"{since}({x})" for x in ("hhi(SP500)", "top_weight(SP500)", "spread(SP500)", "last(AAPL)") for since in ("highest_since", "lowest_since")]
CONTEXT = ("percentile(hhi(SP500), over=60d)", "percentile(spread(SP500))", "percentile(last(AAPL), over=3y)", "rank(top_weight(SP500))", "rank(last(AAPL), over=5d)",
           "zscore(hhi(SP500), over=60d)", "zscore(spread(SP500), over=2y)", "vol(level(SP500))", "vol(last(AAPL), over=60d)", "streak(level(SP500))", "streak(hhi(SP500))",
           "drawdown(last(AAPL), over=252d)", "drawdown(last(AAPL), over=20d)")
MEMBERS = ("breadth(SP500)", "breadth(SP500, form=up)", "breadth(SP500, form=beating)", "dispersion(SP500)", "dispersion(SP500, weights=equal)")
KINDS = ("arith", "geom", "log", "ann", "ratio", "points")
RETURNS = ("1d", "60d", "12mo", "ytd", "all")


BY = ("issuer", "line")
RANKS = [(name, {"by": by, **more}) for by in BY for name, more in (
    ("adjusted_hhi", {}), ("normalised_hhi", {}), ("gini", {}), ("hall_tideman", {}), ("names_to", {}), ("names_to", {"p": 10}), ("names_to", {"p": 90}), ("tail_equivalence", {}),
    ("entropy", {}), ("theil", {}), *(("hannah_kay", {"alpha": a}) for a in ("0.5", "1", "1.5", "2", "inf")))]


def text(name, **options):
    """Canonical: options in the order kind, window, ew, by, n, p, alpha; defaults not printed."""
    defaults = {"kind": "geom", "window": "60d", "ew": "quarterly", "by": "issuer", "n": 10, "p": 50, "alpha": "1"}
    shown = [f"{k}={v}" for k in defaults if (v := options.get(k, defaults[k])) != defaults[k]]
    return f"{name}({', '.join([sp500.INDEX, *shown])})"


def tracked():
    yield from (text("level"), text("hhi"), text("hhi", by="line"), text("effective_number"), text("effective_number", by="line"),
                text("top_weight"), text("top_weight", by="line"), text("top_weight", n=1))
    yield from (text(name, **options) for name, options in RANKS)
    for ew in EQUAL:
        for by in ("line", "issuer"):
            yield text("ew_level", ew=ew, by=by)
    for kind in KINDS:
        for window in WINDOWS:
            yield text("spread", kind=kind, window=window)
    yield from SINCE
    yield from CONTEXT
    yield from MEMBERS
    yield "last(AAPL)"
    yield from (returns("AAPL", w) for w in RETURNS)


def returns(symbol, window):
    return f"ret({symbol})" if window == "1d" else f"ret({symbol}, window={window})"


@pytest.fixture(scope="module")
def truth():
    """session -> measure text -> value, by the oracle; and the market as it stands at the end."""
    market, out, before = oracle.Market(), {}, {}
    for message in sp500.messages():
        market.apply(message)
        if "session_end" in message:
            x = market.index(sp500.INDEX)
            row = {text("level"): x.level(), text("hhi"): x.hhi(), text("hhi", by="line"): x.hhi("line"),
                   text("effective_number"): x.effective_number(), text("effective_number", by="line"): x.effective_number("line"),
                   text("top_weight"): x.top_weight(), text("top_weight", by="line"): x.top_weight(10, "line"),
                   text("top_weight", n=1): x.top_weight(1), "last(AAPL)": market.measure("last(AAPL)")}
            row.update(zip(MEMBERS, oracle.members({k: x.prices()[k] for k in x.line_values()}, before, x.line_values())))
            before = dict(x.prices())
            for name, options in RANKS:
                row[text(name, **options)] = x.concentration(name, options["by"], *(options[k] for k in ("p", "alpha") if k in options))
            for (ew, by), levels in ((k, v) for k, v in x.history.items() if k != "level"):
                row[text("ew_level", ew=ew, by=by)] = levels[-1]
            for kind in KINDS:
                for window in WINDOWS:
                    v = x.spread(kind, window)
                    row[text("spread", kind=kind, window=window)] = v
            for window in RETURNS:
                row[returns("AAPL", window)] = market.ret("AAPL", window)
            out[message["session_end"]] = row
    for measure in SINCE:
        for row, value in zip(out.values(), sessions_since(measure, [row[measure.partition("(")[2][:-1]] for row in out.values()])):
            row[measure] = value
    for measure in CONTEXT:
        for row, value in zip(out.values(), oracle.context(measure, [row[oracle.subject_of(measure)] for row in out.values()])):
            row[measure] = value
    return out, market


def sessions_since(measure, values):
    """Of each session the number since the last whose value was as high (as low); of a record, since the first that had one."""
    reached = (lambda v, now: v >= now) if measure.startswith("highest") else (lambda v, now: v <= now)
    first = next(i for i, v in enumerate(values) if v is not None)
    for t, now in enumerate(values):
        before = [s for s in range(first, t) if reached(values[s], now)] if t > first else []
        yield None if t <= first else float(t - (before[-1] if before else first))


@pytest.fixture(scope="module")
def loaded(kafka, service_factory):
    """The service after it has read everything; yields (service, number of messages)."""
    topic = kafka.create_topic("ticks")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}}, env={"TOCSIN_ENGINE_TRACK": "; ".join(tracked())})
    n = kafka.produce(topic, (streams.encode(m) for m in sp500.messages()))
    drive.drained(service, topic, n, seconds=600)
    yield service, n


def test_everything_arrived(loaded):
    service, n = loaded
    assert service.database.one("SELECT count(*) FROM tocsin.tick") == 470 * 1259
    assert service.database.one("SELECT count(*) FROM tocsin.dead_letter") == 0
    own = service.database.one("SELECT count(*) FROM tocsin.event WHERE kind IN (14, 15)")      # tracked measures, settings: the service's own records
    assert service.database.one("SELECT last_seq FROM tocsin.shard") == n + own


def test_the_printed_numbers(loaded):
    service, _ = loaded
    now = {m: row["value"] for m, row in drive.measures(service, *tracked()).items()}
    gain = lambda level: round(level / 10 - 100, 3)
    assert gain(now[text("level")]) == 79.263
    for ew, printed in EQUAL.items():
        assert gain(now[text("ew_level", ew=ew, by="line")]) == printed, ew
    assert (round(now[text("hhi")], 1), round(now[text("hhi", by="line")], 2)) == (89.9, 89.85)
    assert (round(now[text("top_weight")], 2), round(now[text("effective_number")], 1)) == (22.54, 111.3)
    assert round(now[text("spread", kind="points", window="all")], 2) == round(now[text("level")] - now[text("ew_level")], 2)
    first = {m: drive.history(service, m)[0]["value"] for m in (text("hhi"), text("hhi", by="line"), text("top_weight"))}
    assert round(first[text("hhi")], 1) == 74.8 and round(first[text("hhi", by="line")], 2) == 74.68
    assert round(first[text("top_weight")], 2) == 19.06


def test_the_top_ten(loaded):
    service, _ = loaded
    rows = service.api("GET", f"/v1/constituents?index={sp500.INDEX}&n=10").json()["constituents"]
    assert [(r["symbol"], round(100 * r["weight"], 2)) for r in rows] == [
        ("AAPL", 3.51), ("GOOGL", 3.24), ("MSFT", 3.06), ("AMZN", 3.03), ("FB", 2.32),
        ("JPM", 1.70), ("JNJ", 1.55), ("BAC", 1.42), ("XOM", 1.39), ("WMT", 1.32)]


def test_five_years_equal_the_oracle_bit_for_bit(loaded, truth):
    """Every measure at all 1,259 session ends: the same doubles, and none where the window reaches behind the first session.

    log and ann go through the C library's log and pow, which may differ in the last place from one machine to another."""
    service, _ = loaded
    per_session, _ = truth
    for m in tracked():
        got = {p["time"][:10]: p for p in drive.history(service, m)}
        assert list(got) == list(per_session)
        if "kind=log" in m or "kind=ann" in m or m.startswith((*oracle.ROUNDED, "zscore", "vol", "dispersion")):
            same = lambda v, want: v == want or None not in (v, want) and v == pytest.approx(want, rel=1e-12, abs=1e-12)
        else:
            same = lambda v, want: v == want
        wrong = [(d, p["value"], per_session[d][m]) for d, p in got.items() if not same(p["value"], per_session[d][m])]
        assert not wrong, f"{m}: {len(wrong)} values differ, first {wrong[0]}"
        assert {p["status"] for p in got.values() if p["value"] is None} <= {"no_history"}, m


def test_the_stored_readings_are_what_the_api_gives(loaded):
    service, _ = loaded
    for m in (text("level"), text("hhi"), text("spread", kind="geom", window="12mo")):
        stored = service.database.rows(f"SELECT seq, value, status FROM market.reading WHERE measure = '{m}' ORDER BY seq", role="tocsin_api")
        assert stored == \
            [(p["seq"], p["value"], p["status"]) for p in drive.history(service, m)]


def test_who_moved_it_sums_to_the_change_as_fractions(loaded, truth):
    """Of each of the last nine session ends that are kept: cents of now and then are the oracle's, and what they make are the measure's own doubles."""
    service, _ = loaded
    per_session, market = truth
    days, now = list(per_session), {f"{k}": v for k, v in market.index(sp500.INDEX).issuer_values().items() if v}
    for since in days[-10:-1]:
        answer = service.api("GET", f"/v1/measures/explain?m={text('hhi')}&since={since}&n=1000").json()
        rows = answer["drivers"]
        assert answer["others"] == 0 and answer["since"] == since
        assert {r["issuer"]: r["value_cents"] for r in rows if r["value_cents"]} == now
        total, total_then = sum(r["value_cents"] for r in rows), sum(r["value_then_cents"] for r in rows)
        square = lambda v, of: Fraction(v, of) ** 2
        parts = [10_000 * (square(r["value_cents"], total) - square(r["value_then_cents"], total_then)) for r in rows]
        then = sum(10_000 * square(r["value_then_cents"], total_then) for r in rows)
        assert (float(then), float(then + sum(parts))) == (per_session[since][text("hhi")], per_session[days[-1]][text("hhi")]) == (answer["then"], answer["now"])
        assert all(abs(r["part"] - float(p)) < 1e-12 for r, p in zip(rows, parts))
        assert abs(answer["remainder"]) < 1e-11 and [abs(r["part"]) for r in rows] == sorted((abs(r["part"]) for r in rows), reverse=True)
    default = service.api("GET", f"/v1/measures/explain?m={text('level')}").json()
    assert default["since"] == days[-2] and len(default["drivers"]) == 20 and abs(default["remainder"]) < 1e-9
    assert (default["then"], default["now"]) == (per_session[days[-2]][text("level")], per_session[days[-1]][text("level")])


CAP_SQL = """
    WITH line AS (SELECT c.session, i.issuer, sum(floor(c.price * 1e8 * floor(s.shares * s.float_factor) / 1000000)) AS cents
                  FROM market.close c JOIN market.shares s USING (symbol) JOIN tocsin.instrument i USING (symbol)
                  WHERE c.session IN (date '2013-02-08', date '2018-02-07') GROUP BY 1, 2),
         ranked AS (SELECT *, row_number() OVER (PARTITION BY session ORDER BY cents DESC) AS place FROM line)
    SELECT session, sum(cents), sum(cents * cents), sum(cents) FILTER (WHERE place <= 10) FROM ranked GROUP BY 1 ORDER BY 1"""

EQUAL_SQL = """
    WITH ends AS (SELECT max(session) AS session FROM market.close GROUP BY {group}
                  UNION SELECT min(session) FROM market.close),
         held AS (SELECT c.session, c.price::float8 / lag(c.price::float8) OVER (PARTITION BY c.symbol ORDER BY c.session) AS ratio
                  FROM market.close c JOIN ends USING (session))
    SELECT 100 * (exp(sum(ln(mean))) - 1) FROM (SELECT avg(ratio) AS mean FROM held WHERE ratio IS NOT NULL GROUP BY session) AS spans"""


def test_sql_alone_gives_the_same_numbers(loaded, truth):
    """From the stored closes and shares, as a quant would ask; nothing the engine computed is looked at."""
    service, _ = loaded
    (_, t0, q0, top0), (_, t1, q1, top1) = service.database.rows(CAP_SQL, role="tocsin_api")
    t0, q0, top0, t1, q1, top1 = (int(v) for v in (t0, q0, top0, t1, q1, top1))
    assert round(100 * (t1 / t0 - 1), 3) == 79.263
    assert (round(10_000 * q0 / t0 ** 2, 1), round(10_000 * q1 / t1 ** 2, 1)) == (74.8, 89.9)
    assert (round(100 * top0 / t0, 2), round(100 * top1 / t1, 2)) == (19.06, 22.54)
    index = truth[1].index(sp500.INDEX)
    assert (t1, q1) == (index.total(), sum(v * v for v in index.issuer_values().values()))
    for ew, group in {"daily": "session", "monthly": "date_trunc('month', session)", "quarterly": "date_trunc('quarter', session)",
                      "held": "()"}.items():
        got = float(service.database.one(EQUAL_SQL.format(group=group), role="tocsin_api"))
        assert round(got, 3) == EQUAL[ew], ew


def test_verify_finds_no_difference(loaded):
    service, _ = loaded
    done = service.tocsin("verify")
    assert done.returncode == 0, done.stderr
    assert "0 differing" in done.stdout, done.stdout


@pytest.mark.parametrize("threshold,clear", [(85, 80), (88.5, 87)])
def test_backtest_fires_where_the_oracle_does(loaded, threshold, clear):
    service, _ = loaded
    want, firing, before = [], False, None
    for ns, v in sp500.hhi_after_every_session():
        if v is None or v == before:
            continue
        before = v
        if not firing and v >= threshold:
            firing = True
            want.append((ns, "firing", v))
        elif firing and v <= clear:
            firing = False
            want.append((ns, "resolved", v))
    assert want
    done = service.tocsin("backtest", "--rule", f"hhi({sp500.INDEX}) >= {threshold}", "--clear", str(clear), "--json")
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    fires = got["alerts"]
    assert [(f["state"], f["value"]) for f in fires if f["state"] == "firing"] == [(s, v) for _, s, v in want if s == "firing"]
    assert [f["time"][:19] for f in fires if f["state"] == "firing"] == [
        dt.datetime.fromtimestamp(ns // 10 ** 9, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") for ns, s, _ in want if s == "firing"]


# ---- the same through the commands that a user has ----

def csv_files(folder, days=None):
    """reference.csv and prices.csv of the 470 names, the first `days` sessions."""
    sessions = dict(itertools.islice(sp500.closes().items(), days))
    with open(folder / "reference.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(["symbol", "name", "issuer", "sector", "shares", "index"])
        for s in next(iter(sessions.values())):
            row = sp500.financials()[s]
            out.writerow([s, row["Name"], sp500.ISSUER.get(s, s), row["Sector"], sp500.shares(s), sp500.INDEX])
    with open(folder / "prices.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.writer(f)
        out.writerow(["date", "close", "Name"])
        for day, prices in sessions.items():
            out.writerows((day.isoformat(), p, s) for s, p in prices.items())
    return str(folder / "reference.csv"), str(folder / "prices.csv")


def at_session_ends(service):
    """(session, measure) -> value."""
    return {(str(day), m): v for day, m, v in service.database.rows("SELECT (at AT TIME ZONE 'UTC')::date, measure, value FROM market.reading")}


@pytest.mark.parametrize("way", ["replay", "import"])
def test_csv_files_give_the_same_history(loaded, kafka, service_factory, tmp_path, way):
    """`tocsin import --reference`, then prices by `tocsin replay` through Kafka over all five years, or by `tocsin import` over one."""
    reference, prices = csv_files(tmp_path, None if way == "replay" else 252)
    topic = kafka.create_topic("replayed")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}}, start=False, env={"TOCSIN_ENGINE_TRACK": "; ".join(tracked())})
    service.check_ran("import", "--reference", reference, "--as-of", "2013-02-07")
    service.start()
    if way == "replay":
        service.check_ran("replay", "--prices", prices, "--topic", topic)
        drive.drained(service, topic, 471 * 1259, seconds=600)
    else:
        service.terminate()
        service.check_ran("import", "--prices", prices)
    want, got = at_session_ends(loaded[0]), at_session_ends(service)
    sessions = 1259 if way == "replay" else 252
    assert len({day for day, _ in got}) == sessions
    last = sorted({day for day, _ in want})[sessions - 1]
    assert got == {k: v for k, v in want.items() if k[0] <= last}
    assert "0 differing" in service.check_ran("verify")
