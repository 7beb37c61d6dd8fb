"""The oracle itself, held to numbers that others published or that a pencil gives."""
import datetime as dt
import math
from fractions import Fraction

import pytest

import oracle
import sp500
from oracle import Market
from reference_rules import Rule, owed

DAY = 86_400 * 10 ** 9


def market(lines, base=1000):
    """lines: symbol -> (issuer, shares)."""
    m = Market()
    m.apply({"kind": "index", "index": "X", "base": base, "ts": 0})
    for s, (issuer, shares) in lines.items():
        m.apply({"kind": "instrument", "symbol": s, "issuer": issuer, "ts": 0})
        m.apply({"kind": "shares", "symbol": s, "shares": shares, "ts": 0})
        m.apply({"kind": "membership", "index": "X", "symbol": s, "ts": 0})
    return m


def session(m, day, **prices):
    for s, p in prices.items():
        m.apply({"kind": "close", "symbol": s, "price": p, "date": day, "ts": 0})
    m.apply({"kind": "clock", "session_end": day, "ts": 0})
    return m.index("X")


def test_five_stocks_at_ten_percent():
    """504.95, published as 505. The weights as printed add up to 99.5 %; as shares of one whole they give 510.04."""
    weights = [Fraction(10, 100)] * 5 + [Fraction(1, 1000)] * 495
    assert sum(weights) == Fraction(995, 1000)
    assert 10_000 * sum(w * w for w in weights) == Fraction(50495, 100)
    assert oracle.hhi_exact([100] * 5 + [1] * 495) == Fraction(50495, 100) / Fraction(995, 1000) ** 2
    # 5 * 10 % and 495 sharing the other half, exactly: 505.05
    assert round(float(oracle.hhi_exact([99] * 5 + [1] * 495)), 2) == 505.05


def test_five_hundred_equal():
    assert oracle.hhi_exact([7] * 500) == 20
    assert oracle.hhi([7] * 500) == 20.0
    assert oracle.effective_number([7] * 500) == 500.0


def test_four_companies_by_hand():
    """50, 25, 15 and 10 of 100."""
    four = [15, 50, 10, 25]
    assert oracle.hhi_exact(four) == 3450
    assert oracle.adjusted_hhi(four) == 1.38
    assert oracle.normalised_hhi(four) == float(Fraction(345, 1000) - Fraction(1, 4)) / 0.75
    assert oracle.gini(four) == 0.325                              # (2 * (10 + 2 * 15 + 3 * 25 + 4 * 50) / 100 - 5) / 4
    assert oracle.hall_tideman(four) == float(Fraction(100, 270))  # 1 / (2 * (50 + 2 * 25 + 3 * 15 + 4 * 10) / 100 - 1)
    assert [oracle.names_to(four, p) for p in (1, 50, 51, 75, 76, 90, 91, 100)] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert oracle.tail_equivalence(four) == 3
    assert oracle.entropy(four) == pytest.approx(1.2079736875922321, rel=1e-15)
    assert oracle.theil(four) == pytest.approx(0.17832067352765857, rel=1e-14)
    assert [oracle.hannah_kay(four, a) for a in ("2", "inf")] == [pytest.approx(1 / 0.345), 2]
    assert oracle.hannah_kay(four, "0.5") == pytest.approx((0.5 ** 0.5 + 0.25 ** 0.5 + 0.15 ** 0.5 + 0.1 ** 0.5) ** 2)


def test_equal_names_and_one_alone():
    assert [oracle.CONCENTRATION[f]([7] * 500) for f in ("adjusted_hhi", "normalised_hhi", "gini", "hall_tideman", "names_to", "tail_equivalence")] == [1, 0, 0, 1 / 500, 250, 1]
    assert [oracle.CONCENTRATION[f]([7]) for f in ("adjusted_hhi", "normalised_hhi", "gini", "hall_tideman", "names_to", "tail_equivalence")] == [1, 1, 0, 1, 1, 0]


def test_issuer_is_one_weight():
    m = market({"A1": ("A", 50), "A2": ("A", 50), "B": ("B", 100)})
    x = session(m, "2024-01-02", A1="10", A2="10", B="10")
    assert (x.hhi(), x.hhi("line")) == (5000.0, 3750.0)
    assert (x.top_weight(1), x.top_weight(1, "line")) == (50.0, 50.0)
    assert x.effective_number() == 2.0


def test_level_starts_at_the_first_complete_session_end():
    m = market({"A": ("A", 1), "B": ("B", 1)})
    assert session(m, "2024-01-02", A="10").level() is None
    assert session(m, "2024-01-03", B="30").level() == 1000.0
    assert session(m, "2024-01-04", A="20").level() == 1250.0


def test_level_does_not_jump_when_members_or_shares_change():
    m = market({"A": ("A", 1), "B": ("B", 1), "C": ("C", 5)})
    x = session(m, "2024-01-02", A="10", B="30", C="8")
    x = session(m, "2024-01-03", A="12")
    before = x.level()
    m.apply({"kind": "membership", "index": "X", "symbol": "B", "member": False, "ts": 0})
    assert x.level() == before and x.level_exact() == Fraction(1000 * 82, 80)
    m.apply({"kind": "shares", "symbol": "C", "shares": 500, "float": "0.5", "ts": 0})
    assert x.shares("C") == 250 and x.level() == before
    m.apply({"kind": "trade", "symbol": "A", "price": "24", "ts": 0})
    assert x.level_exact() == Fraction(1000 * 82, 80) * Fraction(2024, 2012)


def test_equal_daily_is_the_mean_return_and_held_is_not():
    m = market({"A": ("A", 1), "B": ("B", 99)})
    session(m, "2024-01-02", A="10", B="10")
    session(m, "2024-01-03", A="20", B="10")       # +50 % on average
    assert m.index("X").ew_level("daily") == m.index("X").ew_level("held") == 1500
    x = session(m, "2024-01-04", A="10", B="10")   # -25 % on average, of halves again: 1125; held is back at 1000
    assert x.ew_level("daily", "line") == pytest.approx(1125, rel=1e-12)
    assert x.ew_level("held", "line") == pytest.approx(1000, rel=1e-12)
    assert float(x.ew_level_exact("daily", "line")) == pytest.approx(1125, rel=1e-15)


def test_equal_by_issuer_shares_one_weight_between_lines():
    m = market({"A1": ("A", 1), "A2": ("A", 1), "B": ("B", 1)})
    session(m, "2024-01-02", A1="10", A2="5", B="1")
    x = session(m, "2024-01-03", A1="20")          # A1 doubles: 1/4 of the weight by issuer, 1/3 by line
    assert x.ew_level("held", "issuer") == pytest.approx(1250, rel=1e-12)
    assert x.ew_level("held", "line") == pytest.approx(1000 * 4 / 3, rel=1e-12)


@pytest.mark.parametrize("rebalance,changes", [
    ("monthly", {dt.date(2024, 2, 1), dt.date(2024, 3, 1), dt.date(2024, 4, 1)}),
    ("quarterly", {dt.date(2024, 4, 1)}),
    ("third_friday", {dt.date(2024, 3, 16)}),
    ("held", set()),
])
def test_periods_change_where_the_calendar_says(rebalance, changes):
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(120)]
    assert {b for a, b in zip(days, days[1:]) if oracle.period(rebalance, a) != oracle.period(rebalance, b)} == changes


def test_third_fridays_and_the_turn_of_the_year():
    assert [oracle.third_friday(2024, m) for m in (3, 6, 9, 12)] == [dt.date(2024, m, d) for m, d in ((3, 15), (6, 21), (9, 20), (12, 20))]
    assert oracle.period("third_friday", dt.date(2024, 12, 23)) == oracle.period("third_friday", dt.date(2025, 3, 21))


def test_months_earlier_stays_inside_the_month():
    assert oracle.months_earlier(dt.date(2024, 5, 31), 3) == dt.date(2024, 2, 29)
    assert oracle.months_earlier(dt.date(2024, 1, 15), 3) == dt.date(2023, 10, 15)
    assert oracle.months_earlier(dt.date(2024, 12, 31), 12) == dt.date(2023, 12, 31)


def test_spread_kinds_on_the_published_peaks():
    """Two three-year peaks nearly tie under arith and do not under geom (metrics: 38.96 and 41.20; 24.0 and 30.4)."""
    for c, e, arith, geom in ((1.0146, 0.6250, 38.96, 24.0), (0.7664, 0.3544, 41.20, 30.4)):
        assert 100 * oracle.spread("arith", c, e) == pytest.approx(arith, abs=0.005)
        assert 100 * oracle.spread("geom", c, e) == pytest.approx(geom, abs=0.05)
        assert oracle.spread("log", c, e) == pytest.approx(math.log1p(oracle.spread("geom", c, e)))
        assert oracle.spread("ann", c, e, years=1) == pytest.approx(c - e)


def test_windows_count_sessions_months_and_years():
    m = market({"A": ("A", 1)})
    days = [dt.date(2023, 12, 20) + dt.timedelta(days=n) for n in range(120)]
    for n, day in enumerate(d for d in days if d.weekday() < 5):
        x = session(m, day.isoformat(), A=str(100 + n))
    assert x.sessions[oracle.window_start(x.sessions, "1d")] == x.sessions[-2]
    assert x.sessions[oracle.window_start(x.sessions, "ytd")] == dt.date(2023, 12, 29)
    assert x.sessions[-1] == dt.date(2024, 4, 17) and x.sessions[oracle.window_start(x.sessions, "3mo")] == dt.date(2024, 1, 17)
    assert m.ret("A", "5d") == 500 / (100 + n - 5)
    assert oracle.window_start(x.sessions, "12mo") is None and oracle.window_start(x.sessions, "all") == 0


# ---- the real prices ----

@sp500.needs_prices
def test_the_sp500_table():
    m = Market()
    first = last = None
    for message in sp500.messages():
        m.apply(message)
        if "session_end" in message:
            x = m.index("SP500")
            first = first or (x.hhi(), x.hhi("line"), x.top_weight())
    x = m.index("SP500")
    last = (x.hhi(), x.hhi("line"), x.top_weight())
    assert len(x.members) == 470 and len(x.issuer_values()) == 469 and len(x.sessions) == 1259
    gain = lambda level: round(level / 10 - 100, 3)
    assert gain(x.level()) == 79.263
    assert [gain(x.ew_level(r, "line")) for r in ("daily", "monthly", "quarterly", "held")] == [91.535, 89.862, 89.816, 97.616]
    assert gain(x.ew_level("third_friday", "line")) == 89.125
    assert [round(v, 1) for v in (first[0], last[0])] == [74.8, 89.9]
    assert [round(v, 2) for v in (first[1], last[1])] == [74.68, 89.85]
    assert [round(v, 2) for v in (first[2], last[2])] == [19.06, 22.54]
    assert round(x.effective_number(), 1) == 111.3
    values = x.issuer_values()
    top = sorted(values, key=values.get, reverse=True)[:10]
    assert [(s, round(100 * values[s] / x.total(), 2)) for s in top] == [
        ("AAPL", 3.51), ("ALPHABET", 3.24), ("MSFT", 3.06), ("AMZN", 3.03), ("FB", 2.32),
        ("JPM", 1.70), ("JNJ", 1.55), ("BAC", 1.42), ("XOM", 1.39), ("WMT", 1.32)]
    for r in oracle.REBALANCES:                    # the doubles stay within rounding of the rational numbers
        assert x.ew_level(r, "line") == pytest.approx(float(x.ew_level_exact(r, "line")), rel=1e-11)
    assert x.level() == pytest.approx(float(x.level_exact()), rel=1e-15)


@sp500.needs_prices
def test_all_lines_of_the_2018_file():
    caps = {s: int(row["Market Cap"]) for s, row in sp500.financials().items()}
    assert len(caps) == 505
    assert round(oracle.hhi(list(caps.values())), 2) == 85.90
    assert round(oracle.top_weight(list(caps.values())), 2) == 22.35
    # Each class of a company carries its whole market cap there, so a company is its largest line, not the sum.
    for other, line in {"GOOG": "GOOGL", "DISCK": "DISCA", "FOX": "FOXA", "NWS": "NWSA", "UA": "UAA"}.items():
        caps[line] = max(caps[line], caps.pop(other))
    assert (round(oracle.hhi(list(caps.values())), 2), round(oracle.top_weight(list(caps.values())), 2)) == (82.48, 21.33)


# ---- the reference evaluator of rules ----

def run(rule, *values):
    """values: (second, value) -> the alerts as (state, second, value)."""
    steps = [(n + 1, t * 10 ** 9, None, lambda v=v: (lambda _: v, None)) for n, (t, v) in enumerate(values)]
    return [(state, ns // 10 ** 9, v) for _, ns, _, state, v in owed([rule], steps)]


def test_rule_fires_once_a_crossing_and_resolves_below_its_clear_level():
    r = Rule("m", ">=", 100, clear=98)
    assert run(r, (0, 99), (1, 100), (2, 105), (3, 98.5), (4, 99), (5, 98), (6, 99), (7, 101)) == [
        ("firing", 1, 100), ("resolved", 5, 98), ("firing", 7, 101)]


def test_rule_without_a_clear_level_resolves_when_its_condition_is_false():
    assert run(Rule("m", ">=", 10), (0, 10), (1, 11), (2, 10), (3, 9)) == [("firing", 0, 10), ("resolved", 3, 9)]
    assert run(Rule("m", ">", 10), (0, 11), (1, 10)) == [("firing", 0, 11), ("resolved", 1, 10)]


def test_rule_downward():
    assert run(Rule("m", "<", 10, clear=11), (0, 10), (1, 9), (2, 10.5), (3, 11)) == [("firing", 1, 9), ("resolved", 3, 11)]


def test_hold_ends_at_its_due_time_whenever_the_next_record_comes():
    r = Rule("m", ">", 10, clear=9, hold_s=5)
    assert run(r, (0, 11), (3, 12), (4, 10), (6, 11), (10, 13), (12, 8)) == [("firing", 11, 13), ("resolved", 12, 8)]
    assert run(Rule("m", ">", 10, hold_s=5), (0, 11), (1000, 8)) == [("firing", 5, 11), ("resolved", 1000, 8)]


def test_a_rule_without_a_value_at_its_due_time_waits_for_the_next():
    assert run(Rule("m", ">", 10, hold_s=5), (0, 11), (3, None), (9, 12), (10, 8)) == [("firing", 9, 12), ("resolved", 10, 8)]
    assert run(Rule("m", ">", 10, hold_s=5), (0, 11), (3, None), (9, 8)) == []


def test_a_rules_time_does_not_go_back():
    assert run(Rule("m", ">", 10, hold_s=5), (10, 11), (20, 12), (14, 8), (13, 12), (30, 12)) == [
        ("firing", 15, 11), ("resolved", 20, 8), ("firing", 25, 12)]


def test_cooldown_makes_the_next_crossing_wait():
    r = Rule("m", ">", 10, clear=9, cooldown_s=10)
    assert run(r, (0, 11), (1, 9), (2, 12), (9, 13), (10, 14)) == [("firing", 0, 11), ("resolved", 1, 9), ("firing", 10, 13)]
    assert run(Rule("m", ">", 10, clear=9, cooldown_s=10), (0, 11), (1, 9), (2, 12), (9, 10), (11, 8), (12, 11)) == [
        ("firing", 0, 11), ("resolved", 1, 9), ("firing", 12, 11)]


def test_on_create_wait_needs_the_clear_level_first():
    r = Rule("m", ">", 10, clear=9, on_create="wait")
    r.created(20)
    assert run(r, (0, 21), (1, 9.5), (2, 11), (3, 9), (4, 11)) == [("firing", 4, 11)]


def test_no_value_changes_nothing():
    assert run(Rule("m", ">", 10), (0, None), (1, 11), (2, None), (3, 11), (4, 9)) == [("firing", 1, 11), ("resolved", 4, 9)]
