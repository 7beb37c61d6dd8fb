"""streams.py - generated markets as messages. The same seed gives the same stream, byte for byte; tests print the seed."""
import datetime as dt
import json
import random

MS, S = 10 ** 6, 10 ** 9
INDEX = "DEMO"
LINES = 12                                     # under 20, so that the coverage gate of 95 % means all of them
HEADLINES = ("beats estimates and raises guidance", "warns of weak demand", "faces lawsuit over losses", "reports record profit",
             "does not expect growth", "announces annual meeting", "shares plunge after downgrade", "upgraded on strong outlook")


def symbol(n):
    return f"S{n:02d}"


def issuer(n):
    """S00 and S01 are two lines of one company, S02 and S03 of another."""
    return f"I{n // 2 * 2:02d}" if n < 4 else f"I{n:02d}"


def day_ns(day, hour=0, minute=0):
    return ((day - dt.date(1970, 1, 1)).days * 86400 + hour * 3600 + minute * 60) * S


def encode(message):
    """(key, value) as Kafka gets them; bytes pass as they are."""
    if isinstance(message, bytes):
        return b"bad", message
    key = message.get("symbol") or message.get("id") or message.get("index") or message.get("issuer") or message["kind"]
    return key.encode(), json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def reference(rng, ts, lines=LINES, index=INDEX):
    out = [{"kind": "index", "index": index, "name": "Generated", "base": 1000, "ts": ts}]
    for n in range(lines):
        if n == 0 or issuer(n) != issuer(n - 1):
            out.append({"kind": "issuer", "issuer": issuer(n), "name": f"Company {issuer(n)} Aktiengesellschaft Ä", "sector": "Technology", "ts": ts})
        out.append({"kind": "instrument", "symbol": symbol(n), "issuer": issuer(n), "name": f"Line {n}", "ts": ts})
        out.append({"kind": "shares", "symbol": symbol(n), "shares": rng.randrange(10 ** 6, 10 ** 9),
                    "float": rng.choice(("1", "0.97", "0.85123")), "ts": ts})
        out.append({"kind": "membership", "index": index, "symbol": symbol(n), "ts": ts})
    return out


def reference_count():
    """How many messages market() begins with before the first price."""
    return len(reference(random.Random(0), 0))


def walk(rng, price_e4):
    """A price in steps of 0.05, so that thresholds are met exactly as well as crossed; moves up to 1 %, never under 1."""
    step = max(1, price_e4 // 50_000)
    return max(10_000, price_e4 // 500 * 500 + 500 * rng.randrange(-step, step + 1))


def text(price_e4):
    return f"{price_e4 / 10_000:.4f}"


def bad(rng, ts):
    """One message that must be refused, and why (the dead letter's reason)."""
    return rng.choice((
        (b"{not json", "syntax"),
        (b"\xff\xfe", "syntax"),
        (b'{"kind":"trade","kind":"trade","symbol":"S00","price":"1","ts":1}', "syntax"),
        (b'{"kind":"coupon","symbol":"S00","ts":1}', "unknown_kind"),
        (b'{"kind":"trade","symbol":"S00","price":"-1","ts":1}', "invalid"),
        (b'{"kind":"trade","symbol":"NOBODY","price":"1","ts":%d}' % ts, "unknown_symbol"),
        (b'{"kind":"membership","index":"NONE","symbol":"S00","ts":%d}' % ts, "unknown_index"),
    ))[0]


def market(seed, sessions=6, trades=1500, start=dt.date(2024, 3, 4), tenant=None, articles=True, bads=True, changes=True):
    """Reference data, then sessions of trades with clocks, articles and the rest among them, closes and a session end.
    The first session only has closes, so that everything is priced and the index has its base."""
    rng = random.Random(seed)
    out = reference(rng, day_ns(start, 8))
    prices = [rng.randrange(100_000, 5_000_000) for _ in range(LINES)]
    day = start
    for session in range(sessions):
        t = day_ns(day, 14, 30)
        for n in range(trades if session else 0):
            t += rng.choice((1, 20, 50, 200, 900)) * MS
            line = rng.randrange(LINES)
            prices[line] = walk(rng, prices[line])
            m = {"kind": "trade", "symbol": symbol(line), "price": text(prices[line]), "ts": t}
            if rng.random() < 0.7:
                m["size"] = rng.randrange(1, 1000)
            out.append(m)
            roll = rng.random()
            if n % 50 == 49:
                out.append({"kind": "clock", "ts": t})
            if articles and roll < 0.02:
                who = rng.randrange(LINES)
                out.append({"kind": "article", "id": f"n-{session}-{n}", "headline": f"{symbol(who)} {rng.choice(HEADLINES)}",
                            "source": "wire", "symbols": [symbol(who)], "ts": t})
            elif roll < 0.024:
                out.append({"kind": "exposure", "issuer": issuer(rng.randrange(LINES)), "theme": "AI", "value": f"0.{rng.randrange(10, 99)}",
                            "source": "analyst", "effective_from": day.isoformat(), "ts": t})
            elif tenant and roll < 0.028:
                out.append({"kind": "position", "tenant": tenant, "book": "growth", "symbol": symbol(rng.randrange(LINES)),
                            "quantity": str(rng.randrange(-500, 500)), "ts": t})
            elif bads and roll < 0.031:
                out.append(bad(rng, t))
            elif changes and roll < 0.033:
                line = rng.randrange(LINES)
                out.append({"kind": "shares", "symbol": symbol(line), "shares": rng.randrange(10 ** 6, 10 ** 9), "ts": t})
            elif changes and roll < 0.036:
                out.append({"kind": "membership", "index": INDEX, "symbol": symbol(line), "member": rng.random() < 0.6,
                            **({"shares": rng.randrange(10 ** 6, 10 ** 9)} if rng.random() < 0.3 else {}), "ts": t})
        for line in range(LINES):
            out.append({"kind": "close", "symbol": symbol(line), "price": text(prices[line]), "date": day.isoformat(), "ts": day_ns(day, 21)})
        out.append({"kind": "clock", "ts": day_ns(day, 21, 1), "session_end": day.isoformat()})
        day += dt.timedelta(days=3 if day.weekday() == 4 else 1)
    return out
