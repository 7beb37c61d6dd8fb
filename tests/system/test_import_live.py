"""One story told twice: record by record through Kafka to a service with rules, and as files to `tocsin import`, back-tested with the same rules. The alerts are the
same ones: as many, at the same times, with the same values."""
import datetime as dt
import json
import random

import pytest

import drive
import streams
from harness.base import SEED

DAY0 = dt.date(2024, 2, 26)                    # a Monday; New York goes to summer time on 10 March
SESSIONS = 15
SYMBOLS = "ABCDEF"
FIRST = ["last(A) >= 40", "ret(A) <= -2", "ret(A, window=5d) >= 3", "ret(B) >= 1", "ret(C) <= -20", "ret(C, window=5d) >= 3", "ret(D, window=5d, return=total) <= -1",
         "ret(OLD, window=5d) >= 1", "hhi(IX) >= 1750", "hhi(IX) >= 2200", "level(IX) >= 101", "level(IX, return=total) >= 101.5", "top_weight(IX, n=1) >= 25",
         "spread(IX) <= -0.5", "ret(A) >= 1.5"]


def session(n):
    """Weekdays: none is a holiday of New York."""
    return DAY0 + dt.timedelta(days=n // 5 * 7 + n % 5)


def story(seed):
    """reference, actions and prices as rows; and the messages that say the same, in the order of an import.

    A's count doubles on the 4th session for no reason that anybody gives, and stays held; B's doubles on the 5th and its price has halved: a split that nobody says.
    C's count trebles on the 6th, beside a split of it. D pays 2 on the 7th. OLD is NEW from the 8th on. E is taken over on the 10th. F's price misses on the 3rd and 9th."""
    rng = random.Random(seed)
    price = {s: rng.randint(20, 45) for s in SYMBOLS} | {"OLD": 30}
    shares = {s: rng.randint(900, 1100) for s in price}
    days = [session(n) for n in range(SESSIONS)]
    issuers = {s: f"I{s}" for s in price}
    reference = [(days[0], s, issuers[s], shares[s], "IX") for s in price]
    reference += [(days[3], "A", "IA", shares["A"] * 2, "IX"), (days[4], "B", "IB", shares["B"] * 2, "IX"), (days[5], "C", "IC", shares["C"] * 3, "IX")]
    actions = [("split", "C", 3, 1, days[5], "", "", "", ""), ("dividend", "D", "", "", "", "2", days[6], "", ""), ("rename", "OLD", "", "", days[7], "", "", "NEW", ""),
               ("merger", "E", "", "", days[9], "", "", "", "50")]
    prices = []
    for n, day in enumerate(days):
        for s in list(price):
            if s == "OLD" and n == 7:
                price["NEW"] = price.pop("OLD")
                s = "NEW"
            price[s] = round(price[s] * (1 + rng.gauss(0, 0.015)), 2)
            price[s] = round(price[s] / {("B", 4): 2, ("C", 5): 3}.get((s, n), 1), 2)
            if (s, n) not in (("F", 2), ("F", 8)) and not (s == "E" and n >= 9):
                prices.append((day, s, price[s]))
    return reference, actions, prices


def messages_of(reference, actions, prices):
    """What import says of the files, in its order: renames of a day, its reference data, other actions, closes, the session's end. Its first reference data with the index."""
    out = []
    ns = streams.day_ns
    for day in sorted({p[0] for p in prices}):
        at = ns(day)
        for kind, symbol, new, old, effective, amount, ex, to, price in sorted(actions, key=lambda a: a[0] != "rename"):
            if (effective or ex) == day and kind == "rename":
                out.append({"kind": "rename", "symbol": symbol, "to": to, "effective": str(day), "ts": at})
        for d, symbol, issuer, shares, index in reference:
            if d != day:
                continue
            if day == DAY0:
                out += [{"kind": "issuer", "issuer": issuer, "ts": at}, {"kind": "instrument", "symbol": symbol, "issuer": issuer, "ts": at}]
            out.append({"kind": "shares", "symbol": symbol, "shares": shares, "ts": at})
            if day == DAY0:
                if symbol == "A":
                    out.append({"kind": "index", "index": index, "base": "100", "ts": at})
                out.append({"kind": "membership", "index": index, "symbol": symbol, "ts": at})
        for kind, symbol, new, old, effective, amount, ex, to, price in actions:
            if (effective or ex) == day and kind != "rename":
                more = {"split": {"new": new, "old": old, "effective": str(effective)}, "dividend": {"amount": amount, "ex": str(ex)}, "merger": {"price": price, "effective": str(effective)}}
                out.append({"kind": kind, "symbol": symbol, **more[kind], "ts": at})
        closes = [p for p in prices if p[0] == day]
        close_ns = ns(day, 21)
        out += [{"kind": "close", "symbol": s, "price": str(p), "date": str(day), "ts": close_ns + i} for i, (_, s, p) in enumerate(closes)]
        out.append({"kind": "clock", "session_end": str(day), "ts": close_ns + len(closes)})
    return out


def csv(head, rows):
    return "\n".join([head, *(",".join(str(x) for x in row) for row in rows)]) + "\n"


@pytest.mark.parametrize("calendar", ["", "XNYS"])
def test_the_same_alerts_both_ways(kafka, service_factory, tmp_path, calendar):
    print(f"TOCSIN_SEED={SEED}")
    reference, actions, prices = story(SEED)
    messages = messages_of(reference, actions, prices)
    settings = {"engine": {"clock_ms": 0, "calendar": calendar}, "quality": {"shares": "hold"}}
    live = service_factory(topics=[kafka.create_topic("story")], config=settings)
    begin = next(i for i, m in enumerate(messages) if m["kind"] == "close")
    rules = {}
    for first, last in ((0, begin), (begin, len(messages))):
        kafka.produce(live.topics[0], [streams.encode(m) for m in messages[first:last]])
        drive.drained(live, live.topics[0], last)
        if not rules:
            rules = {drive.make_rule(live, {"rule": text})["id"]: n for n, text in enumerate(FIRST)}
    assert live.database.rows("SELECT detail FROM tocsin.dead_letter") == []
    said = live.database.rows("SELECT rule_id::text, event_ns, state, value FROM tocsin.alert ORDER BY seq, alert_id")
    want = sorted((rules[rule], at, state, value) for rule, at, state, value in said)
    quality = lambda s: s.database.rows("SELECT symbol, reason, state, before, after FROM market.quality ORDER BY quality_no")
    assert live.terminate() == 0
    assert {(s, r, state) for s, r, state, _, _ in quality(live)} >= {("A", "shares_jump", "held"), ("B", "shares_jump", "confirmed_by_price"), ("F", "no_close", "flagged")}, quality(live)

    imported = service_factory(topics=[kafka.create_topic("files")], start=False, config=settings)
    files = []
    for name, text in (("reference", csv("date,symbol,issuer,shares,index,base", [(*r, 100 if r[1] == "A" else "") for r in reference])),
                       ("actions", csv("kind,symbol,new,old,effective,amount,ex,to,price", actions)), ("prices", csv("date,symbol,close", prices))):
        (tmp_path / f"{name}.csv").write_text(text)
        files += [f"--{name}", str(tmp_path / f"{name}.csv")]
    imported.check_ran("import", *files)
    assert quality(imported) == quality(live)
    rule_file = tmp_path / "rules.txt"
    rule_file.write_text("".join(f"{text.replace('OLD', 'NEW')}\n" for text in FIRST))
    for service in (imported, live):           # and so says a back-test over what came through Kafka
        done = service.tocsin("backtest", "--rules", str(rule_file), "--json")
        got = sorted((a["rule_no"] - 1, ns_of(a["time"]), a["state"], a["value"]) for a in json.loads(done.stdout)["alerts"])
        assert got == want, done.stderr
        assert " 0 differing values" in service.check_ran("verify")
    fired = {n for n, *_ in want}
    assert len(fired) >= 8, sorted(fired)
    assert FIRST.index("ret(C) <= -20") not in fired, "three for one is no fall"


def ns_of(text):
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(dt.datetime.fromisoformat(whole).replace(tzinfo=dt.timezone.utc).timestamp())
    return seconds * 10 ** 9 + int(fraction.ljust(9, "0") or 0)
