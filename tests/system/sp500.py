"""sp500.py - the real prices in TOCSIN_SHARED (default ../shared beside the repository) as messages. Nothing of it is copied here.

470 names have all 1,259 sessions of 2013-02-08 to 2018-02-07. Shares of a name = market cap / price of the 2018-02-08 file."""
import collections
import csv
import datetime as dt
import functools
import gzip
import itertools
import os
import pathlib
from decimal import Decimal

import pytest

import oracle

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("TOCSIN_SHARED") or ROOT.parent / "shared")
PRICES = SHARED / "data/prices/sp500_daily_2013_2018.csv.gz"
FINANCIALS = SHARED / "data/prices/sp500_financials_2018-02-08.csv"
INDEX = "SP500"
ISSUER = {"DISCA": "DISCOVERY", "DISCK": "DISCOVERY", "GOOGL": "ALPHABET", "GOOG": "ALPHABET"}   # others: the symbol

needs_prices = pytest.mark.skipif(not PRICES.exists() or not FINANCIALS.exists(),
                                  reason=f"no real prices at {SHARED} (set TOCSIN_SHARED)")


def ns(day, hour=21, extra=0):
    """Event time of a session's close, 21:00 UTC."""
    return (dt.datetime(day.year, day.month, day.day, hour) - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1) * 1000 + extra


@functools.lru_cache(maxsize=None)
def closes():
    """date -> {symbol: price text}, sessions in order, symbols in alphabetical order, names with every session only."""
    by_name = collections.defaultdict(dict)
    with gzip.open(PRICES, "rt", newline="") as f:
        for row in csv.DictReader(f):
            by_name[row["Name"]][row["date"]] = row["close"]
    sessions = sorted(set().union(*by_name.values()))
    whole = sorted(s for s, days in by_name.items() if len(days) == len(sessions))
    return {dt.date.fromisoformat(d): {s: by_name[s][d] for s in whole} for d in sessions}


@functools.lru_cache(maxsize=None)
def financials():
    with open(FINANCIALS, newline="") as f:
        return {row["Symbol"]: row for row in csv.DictReader(f)}


def shares(symbol):
    row = financials()[symbol]
    return round(Decimal(row["Market Cap"]) / Decimal(row["Price"]))


def reference_messages(symbols, start_ns):
    """index, issuer, instrument, shares and membership of each line."""
    out = [{"kind": "index", "index": INDEX, "name": "470 names of the S&P 500", "ts": start_ns}]
    issuers = set()
    for s in symbols:
        row = financials()[s]
        issuer = ISSUER.get(s, s)
        if issuer not in issuers:
            issuers.add(issuer)
            out.append({"kind": "issuer", "issuer": issuer, "name": row["Name"], "sector": row["Sector"], "ts": start_ns})
        out.append({"kind": "instrument", "symbol": s, "issuer": issuer, "name": row["Name"], "ts": start_ns})
        out.append({"kind": "shares", "symbol": s, "shares": shares(s), "ts": start_ns})
        out.append({"kind": "membership", "index": INDEX, "symbol": s, "ts": start_ns})
    return out


def session_messages(day, prices):
    """Each official close, then the clock that ends the session."""
    t, text = ns(day), day.isoformat()
    for s, p in prices.items():
        yield {"kind": "close", "symbol": s, "price": p, "date": text, "ts": t}
    yield {"kind": "clock", "ts": t + 1_000_000_000, "session_end": text}


def messages(days=None):
    """Of all sessions, or of the first `days`."""
    sessions = closes()
    first = next(iter(sessions))
    yield from reference_messages(sessions[first], ns(first, hour=8))
    for day, prices in itertools.islice(sessions.items(), days):
        yield from session_messages(day, prices)


def hhi_after_every_session(days=None):
    """(event_ns, hhi by issuer) of each session's closes; None until enough of the 470 have a price."""
    lines, n = {}, len(next(iter(closes().values())))
    for m in messages(days):
        if m["kind"] == "close":
            lines[m["symbol"]] = oracle.line_value(oracle.e8(m["price"]), shares(m["symbol"]))
        elif "session_end" in m:
            values = {}
            for s, v in lines.items():
                values[ISSUER.get(s, s)] = values.get(ISSUER.get(s, s), 0) + v
            yield m["ts"], oracle.hhi(list(values.values())) if len(lines) * 100 >= 95 * n else None
