"""Files with the symbols of their day, through the real binary: a close is its instrument's, whatever that was, is or will be called."""
import pytest

import drive
import streams
from test_import import closes, contents, fresh  # noqa: F401  (a fixture)

REFERENCE = ("date,symbol,issuer,shares,index,base\n2022-06-06,FB,META Inc.,100,IX,100\n2022-06-06,OTH,Other,100,IX,\n"
             "2022-06-13,FB,First Bank,50,IX,\n")
ACTIONS = "kind,symbol,to,effective,name\nrename,FB,META,2022-06-09,Meta Platforms\n"
PRICES = ("date,symbol,close\n2022-06-07,FB,100\n2022-06-07,OTH,100\n2022-06-08,FB,102\n2022-06-08,OTH,100\n2022-06-09,META,103\n2022-06-09,OTH,100\n"
          "2022-06-10,META,104\n2022-06-10,OTH,100\n2022-06-13,META,105\n2022-06-13,OTH,100\n2022-06-13,FB,20\n2022-06-14,META,106\n2022-06-14,OTH,100\n2022-06-14,FB,22\n")


def hhi(*caps):
    return pytest.approx(10000 * sum(c * c for c in caps) / sum(caps) ** 2, rel=1e-12)


def by_instrument(service, no):
    return [float(p) for p, in service.database.rows(f"SELECT price_e8 / 1e8 FROM tocsin.tick WHERE instrument_id = {no} ORDER BY seq")]


def test_a_rename_and_a_symbol_that_another_gets(fresh):
    """FB is META from 9 June on; First Bank gets FB on the 13th. 10 % is First Bank's, over one session; Meta's 6 of 100 are over all of them."""
    files = ["--reference", fresh.write("reference.csv", REFERENCE), "--actions", fresh.write("actions.csv", ACTIONS), "--prices", fresh.write("prices.csv", PRICES)]
    fresh.check_ran("import", *files)
    assert by_instrument(fresh, 0) == [100, 102, 103, 104, 105, 106] and by_instrument(fresh, 2) == [20, 22]
    at = lambda s, d: fresh.database.one(f"SELECT tocsin.instrument_at('{s}', '{d}')")
    assert [at("FB", "2022-06-08"), at("META", "2022-06-10"), at("FB", "2022-06-14")] == [0, 0, 2]
    for rule, value in (("ret(META, window=5d) >= 6", 6), ("ret(FB) >= 10", 10)):
        done = fresh.tocsin("backtest", "--rule", rule, "--from", "2022-06-14T00:00:00Z")
        assert done.stdout.splitlines()[1].split()[1:3] == ["firing", str(value)] and "1 alert " in done.stdout, done
    before = contents(fresh)
    assert "14 closes stored already\nnothing new" in fresh.check_ran("import", *files) and contents(fresh) == before
    # a part of it is as well known; and one that goes on goes on
    assert "nothing new" in fresh.check_ran("import", "--prices", fresh.write("part.csv", PRICES[:PRICES.index("2022-06-09")]))
    fresh.check_ran("import", "--prices", fresh.write("more.csv", PRICES + "2022-06-15,META,107\n2022-06-15,OTH,100\n2022-06-15,FB,23\n"))
    assert by_instrument(fresh, 0)[-1] == 107 and by_instrument(fresh, 2)[-1] == 23
    assert "0 differing" in fresh.check_ran("verify")


def test_it_is_matched_by_the_symbol_of_the_day_alone(fresh):
    files = ["--reference", fresh.write("reference.csv", REFERENCE), "--actions", fresh.write("actions.csv", ACTIONS), "--prices", fresh.write("prices.csv", PRICES)]
    fresh.check_ran("import", *files)
    for row, words in (("2022-06-08,META,102", "close of META of 2022-06-08 is not stored, but that session is over"),       # today's symbol
                       ("2022-06-13,FB,105", "close of FB of 2022-06-13 is stored as 20, here it is 105"),                  # First Bank's day
                       ("2022-06-10,META,20", "close of META of 2022-06-10 is stored as 104, here it is 20")):
        done = fresh.tocsin("import", "--prices", fresh.write("wrong.csv", f"date,symbol,close\n{row}\n"))
        assert done.returncode == 65 and words in done.stderr, done


def test_a_feed_that_goes_on_with_the_old_symbol_is_told(fresh):
    late = PRICES.replace("2022-06-10,META,104", "2022-06-10,FB,104")
    done = fresh.tocsin("import", "--reference", fresh.write("reference.csv", REFERENCE), "--actions", fresh.write("actions.csv", ACTIONS), "--prices", fresh.write("prices.csv", late))
    assert done.returncode == 65 and "prices.csv:8: symbol FB is META since 2022-06-09" in done.stderr and "nothing was written" in done.stderr, done
    assert fresh.database.one("SELECT count(*) FROM tocsin.event") == 0
    # stored before the rename was heard of it is no contradiction: the instrument is the same
    early, rest = late.replace("2022-06-09,META", "2022-06-09,FB").split("2022-06-13", 1)
    fresh.check_ran("import", "--reference", fresh.write("two.csv", REFERENCE[:REFERENCE.index("2022-06-13")]), "--prices", fresh.write("early.csv", early))
    fresh.check_ran("import", "--actions", fresh.write("actions.csv", ACTIONS))
    for text in (early, late.split("2022-06-13", 1)[0], PRICES.split("2022-06-13", 1)[0]):
        assert "8 closes stored already\nnothing new" in fresh.check_ran("import", "--prices", fresh.write("again.csv", text))


def test_a_symbol_goes_to_another_without_a_rename(fresh):
    """The member's line ends as its symbol does: what comes under it is the other company's."""
    reference = "date,symbol,issuer,shares,index\n2022-06-06,FB,META Inc.,100,IX\n2022-06-06,OTH,Other,100,IX\n2022-06-09,FB,First Bank,100,IX\n"
    prices = "date,symbol,close\n" + "".join(f"2022-06-{d:02},{s},{p}\n" for d, p in ((7, 100), (8, 101), (9, 20), (10, 21)) for s, p in (("FB", p), ("OTH", 100)))
    files = ["--reference", fresh.write("reference.csv", reference), "--prices", fresh.write("prices.csv", prices)]
    fresh.check_ran("import", *files)
    assert by_instrument(fresh, 0) == [100, 101] and by_instrument(fresh, 2) == [20, 21]
    assert fresh.database.rows("SELECT symbol FROM tocsin.instrument ORDER BY instrument_id") == [("FB:20220609",), ("OTH",), ("FB",)]
    value = lambda d, m: fresh.database.one(f"SELECT value FROM market.reading WHERE measure = '{m}' AND at::date = '{d}' ORDER BY seq DESC LIMIT 1")
    assert value("2022-06-08", "hhi(IX)") == hhi(101 * 100, 100 * 100) and value("2022-06-10", "hhi(IX)") == hhi(21 * 100, 100 * 100), "First Bank's 100 shares are its own"
    assert "8 closes stored already\nnothing new" in fresh.check_ran("import", *files)


def test_spellings(fresh, kafka):
    """BRK-B is BRK.B: what was stored as the one is known as the other, and both of one day are one too many."""
    messages = [{"kind": "instrument", "symbol": "BRK.B", "issuer": "BERKSHIRE", "ts": "2024-01-02T10:00:00Z"}, {"kind": "alias", "alias": "BRK-B", "symbol": "BRK.B", "ts": "2024-01-02T10:00:00Z"},
                {"kind": "close", "symbol": "BRK-B", "price": "362", "date": "2024-01-02", "ts": "2024-01-02T21:00:00Z"},
                {"kind": "clock", "session_end": "2024-01-02", "ts": "2024-01-02T21:01:00Z"}]
    fresh.start()
    kafka.produce(fresh.topics[0], [streams.encode(m) for m in messages])
    drive.drained(fresh, fresh.topics[0], len(messages))
    assert fresh.terminate() == 0
    for symbol in ("BRK-B", "BRK.B"):
        assert "1 closes stored already\nnothing new" in fresh.check_ran("import", "--prices", fresh.write("known.csv", f"date,symbol,close\n2024-01-02,{symbol},362\n"))
    done = fresh.tocsin("import", "--prices", fresh.write("both.csv", "date,symbol,close\n2024-01-03,BRK.B,363\n2024-01-03,BRK-B,363\n"))
    assert done.returncode == 65 and "both.csv:3: symbol BRK-B is another spelling of BRK.B, which has a row of this date already, line 2" in done.stderr, done
    fresh.check_ran("import", "--prices", fresh.write("next.csv", "date,symbol,close\n2024-01-03,BRK-B,363\n"))
    assert closes(fresh) == [362, 363]
