"""`tocsin import --history`: what a measure was before it was measured here, and how far back highest_since then looks.

The Shiller file (1871 to 2026, monthly) of TOCSIN_SHARED: the dates of the table were looked up in the file by hand, and all others are held to a
slow look at it. The long spread is made here, month by month, with its peak in March 2000; the prices behind it are made too."""
import csv
import datetime as dt
import json
import math
import random

import pytest

import drive
import sp500

SHILLER = sp500.SHARED / "data" / "prices" / "sp500_monthly_1871_2026.csv"
YEARS = "highest_since(last(SPX), unit=years)"
HIGHEST = "highest_since(last(SPX), unit=days)"
LOWEST = "lowest_since(last(SPX), unit=days)"
# date, since when it was not as high: None, never since January 1871
BY_HAND = [("1973-01-01", None), ("1980-07-01", None), ("1987-08-01", None), ("1989-07-01", None), ("2000-08-01", None), ("2003-06-01", "2002-06-01"),
           ("2007-05-01", None), ("2009-12-01", "2008-09-01"), ("2013-01-01", "2007-10-01"), ("2020-04-01", "2020-02-01"), ("2022-10-01", "2022-09-01")]
LOW_BY_HAND = [("1974-12-01", "1963-03-01"), ("2003-02-01", "1997-05-01"), ("2009-03-01", "1996-12-01")]


def write_csv(path, *rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)
    return str(path)


@pytest.fixture(scope="module")
def shiller(kafka, service_factory, tmp_path_factory):
    """(service, [(date, value)]): prices since 1971, and what was before as a history."""
    if not SHILLER.exists():
        pytest.skip(f"no {SHILLER}")
    folder = tmp_path_factory.mktemp("shiller")
    with open(SHILLER, encoding="utf-8") as f:
        months = [(row["Date"], round(float(row["SP500"]), 2)) for row in csv.DictReader(f)]
    service = service_factory(topics=[kafka.create_topic("shiller")], start=False, config={"engine": {"clock_ms": 0, "stale_after_ms": 0}},
                              env={"TOCSIN_ENGINE_TRACK": f"{YEARS}; {HIGHEST}; {LOWEST}"})
    reference = write_csv(folder / "reference.csv", ["symbol", "shares", "index"], ["SPX", 1, "IX"])
    prices = write_csv(folder / "prices.csv", ["date", "symbol", "close"], *([d, "SPX", v] for d, v in months if d >= "1971"))
    early = write_csv(folder / "early.csv", ["Date", "SP500"], *((d, v) for d, v in months if d < "1971"))
    history = ["--history", early, "--measure", "last( SPX )", "--source", "R. Shiller", "--column", "value=SP500"]
    service.check_ran("import", "--reference", reference, "--as-of", "1971-01-01")
    service.start().terminate()                                      # tracked from before the first price
    said = service.check_ran("import", "--prices", prices, *history)
    assert f"{len([d for d, _ in months if d < '1971'])} points of last( SPX ), 1871-01-01 to 1970-12-01" in said
    again = service.check_ran("import", *history)
    assert "stored already" in again and "nothing new" in again
    return service.start(), months


def before(months, at, reached):
    """The last month before that of which reached(its value) holds, from the file alone."""
    found = [d for d, v in months if d < at and reached(v)]
    return found[-1] if found else None


def days(a, b):
    return (dt.date.fromisoformat(a) - dt.date.fromisoformat(b)).days


def test_the_shiller_file_by_hand_and_by_a_slow_look(shiller):
    service, months = shiller
    values = dict(months)
    for table, measure, reached in ((BY_HAND, HIGHEST, lambda v, now: v >= now), (LOW_BY_HAND, LOWEST, lambda v, now: v <= now)):
        got = {p["time"][:10]: p["value"] for p in drive.history(service, measure)}
        for date, since in table:
            assert got[date] == days(date, since or "1871-01-01"), (measure, date)
        own = [d for d, _ in months if d >= "1971"]
        assert len(got) == len(own)
        for date in own:
            since = before(months, date, lambda v, now=values[date]: reached(v, now))
            assert got[date] == days(date, since or "1871-01-01"), (measure, date)


def test_every_alert_shows_the_seam(shiller):
    """Whether it looks across it or not: 1982 was the highest since 1981, 1985 the highest ever."""
    service, _ = shiller
    alerts = json.loads(service.tocsin("backtest", "--json", "--rule", "highest_since(last(SPX)) > 1d", "--rule", "highest_since(last(SPX)) > 100y").stdout)["alerts"]
    assert {a["rule_no"] for a in alerts} == {1, 2}
    for a in alerts:
        if a["state"] == "firing":
            assert (a["inputs"]["history_from"], a["inputs"]["seam"], a["inputs"]["before_seam"]) == ("1871-01-01", "1971-01-01", "R. Shiller")
    ever = next(a for a in alerts if a["rule_no"] == 2)
    assert "the highest on record, which begins 1 January 1871 (before 1 January 1971: R. Shiller): " in ever["summary"]


def test_a_file_that_is_wrong_is_refused_with_its_lines(kafka, service_factory, tmp_path):
    service = service_factory(topics=[kafka.create_topic("wrong")], start=False)

    def refused(measure, *rows, options=()):
        path = write_csv(tmp_path / "h.csv", ["date", "value"], *rows)
        done = service.tocsin("import", "--history", path, "--measure", measure, *options)
        assert done.returncode == 65 and "nothing was written" in done.stderr, done
        return done.stderr

    good = ("2000-03-31", "91.2")
    assert "h.csv:3:12: value 0 is no value of level(X), which is above 0; a line that means that none is known is to be left out" in refused(
        "level(X)", good, ("2000-04-30", "0"))
    assert "h.csv:3:1: date is that of line 2 once more" in refused("level(X)", good, good)
    assert "h.csv:3:1: date is before line 2: rows are not sorted by date (--sort" in refused("level(X)", good, ("1999-03-31", "1"))
    assert "(--skip-empty leaves such rows out)" in refused("level(X)", good, ("2000-04-30", ""))
    assert "h.csv:2:1: date" in refused("level(X)", ("2000-02-30", "1"))
    assert "no row has a value" in refused("level(X)")
    assert "--measure levl(X): " in refused("levl(X)", good)
    assert "a book has no imported history" in refused("ai_exposure(book:mine)", good)
    done = service.tocsin("import", "--measure", "level(X)")
    assert done.returncode == 64 and "go together" in done.stderr


# ---- a rule over a long history ----

NAMES = {"A": 8000, "B": 4000, "C": 1000}
SPREAD = "spread(IX, window=36mo)"
RULE = f"highest_since({SPREAD}) > 15y"


def sessions():
    day = dt.date(2010, 1, 4)
    while day < dt.date(2017, 12, 30):
        if day.weekday() < 5:
            yield day
        day += dt.timedelta(days=1)


def made_prices(rng):
    """The largest name runs away from 2014 on, so that the cap-weighted index beats the equal-weighted one."""
    price = dict.fromkeys(NAMES, 100.0)
    for day in sessions():
        for name in NAMES:
            drift = 0.0012 if name == "A" and day.year >= 2014 else 0
            price[name] = round(price[name] * math.exp(rng.gauss(drift, 0.006)), 2)
            yield day.isoformat(), name, price[name]


def published():
    """Month ends from 1995: up to 16.25 % in March 2000, and down from there."""
    day = dt.date(1995, 1, 31)
    while day < dt.date(2012, 12, 31):
        months = (day.year - 2000) * 12 + day.month - 3
        yield day.isoformat(), round(16.25 - abs(months) * (0.25 if months < 0 else 0.2), 2)
        day = (day.replace(day=1) + dt.timedelta(days=62)).replace(day=1) - dt.timedelta(days=1)


def test_a_rule_fires_over_a_long_history_and_says_so_in_a_sentence(kafka, service_factory, tmp_path):
    service = service_factory(topics=[kafka.create_topic("long")], start=False,
                              config={"engine": {"clock_ms": 0, "stale_after_ms": 0, "track": f"{SPREAD}; highest_since({SPREAD}, unit=years)"}})
    points = list(published())
    reference = write_csv(tmp_path / "r.csv", ["symbol", "shares", "index"], *([n, s, "IX"] for n, s in NAMES.items()))
    prices = write_csv(tmp_path / "p.csv", ["date", "symbol", "close"], *made_prices(random.Random(7)))
    history = write_csv(tmp_path / "h.csv", ["date", "value"], *points)
    service.check_ran("import", "--reference", reference, "--as-of", "2010-01-04")
    service.start().terminate()                                      # tracked from before the first price
    service.check_ran("import", "--prices", prices, "--history", history, "--measure", SPREAD, "--source", "Index Provider")
    service.start()
    own = [(p["time"][:10], p["value"]) for p in drive.history(service, SPREAD) if p["value"] is not None]
    seam = own[0][0]
    past = [(d, v) for d, v in points if d < seam]
    want = {}
    for i, (date, now) in enumerate(own):
        earlier = [d for d, v in past + own[:i] if v >= now]
        want[date] = days(date, earlier[-1] if earlier else past[0][0]) / 365.25
    got = {p["time"][:10]: p["value"] for p in drive.history(service, f"highest_since({SPREAD}, unit=years)") if p["value"] is not None}
    assert got == {d: v for d, v in want.items() if d in got} and len(got) >= len(own) - 1
    fires = next(d for d, v in want.items() if v > 15)
    done = service.tocsin("backtest", "--json", "--rule", RULE)
    first = json.loads(done.stdout)["alerts"][0]
    assert (first["time"][:10], first["state"], first["rule"]) == (fires, "firing", f"highest_since({SPREAD}, unit=years) > 15")
    now, at = dict(own)[fires], dt.date.fromisoformat(first["inputs"]["since"])
    assert first["summary"].startswith(
        f"IX's spread of cap-weighted over equal-weighted returns, 36 months, geometric, is {now:.6g} %, the highest since {at.day} {at:%B %Y}, when it was "
        f"{dict(points)[at.isoformat()]:.6g} % (before {dt.date.fromisoformat(seam).day} {dt.date.fromisoformat(seam):%B %Y}: Index Provider): "), first["summary"]
    assert first["inputs"]["seam"] == seam and first["inputs"]["before_seam"] == "Index Provider"
    alone = json.loads(service.tocsin("backtest", "--json", "--rule", f"robustness(highest_since({SPREAD})) <= 1", "--from", fires).stdout)["alerts"][0]
    assert alone["state"] == "firing" and alone["value"] == len(alone["inputs"]["holds"]) <= 1 and len(alone["inputs"]["fails"]) == 20 - alone["value"]
    assert f", and so in {alone['value']:.0f} of 20 definitions: robustness(" in alone["summary"], "of what has no imported past, nothing is known so far back"
    service.terminate()
    service.check_ran("verify")
