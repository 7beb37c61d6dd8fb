"""`tocsin import --actions` through the real binary: corporate actions beside the prices of the same import, in their order, once, and by the symbols of their day."""
import signal
import subprocess
import time

import pytest

from harness.service import command
from test_import import contents, fresh  # noqa: F401  (a fixture)

pytestmark = pytest.mark.usefixtures("fresh")

# A of 100 shares at 400 is split four for one on the 8th, B of 50 pays 2 on the 9th, 10 of it special, and is C from the 10th on; D is taken over on the 11th.
REFERENCE = "symbol,issuer,shares,index,base\nA,A,100,IX,100\nB,B,50,IX,\nD,D,10,IX,\n"
DAYS = ["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10", "2024-01-11"]
PRICES = {"A": [400, 400, 100, 100, 110, 110], "B": [100, 100, 100, 88, None, None], "C": [None, None, None, None, 88, 99], "D": [50, 50, 50, 50, 50, None]}
ACTIONS = ("kind,symbol,new,old,effective,amount,ex,special,to,name,price,acquirer,source,note\n"
           "rename,B,,,2024-01-10,,,,C,Big C,,,,changed its name\n"
           "split,A,4,1,2024-01-08,,,,,,,,exchange,\n"
           "Merger,D,,,2024-01-11,,,,,,60,A,,\n"
           "dividend,B,,,,2,2024-01-09,,,,,,,\n"
           "dividend,B,,,,10,2024-01-09,yes,,,,,,\n")


def prices(skip=()):
    rows = [f"{d},{s},{p[i]}" for i, d in enumerate(DAYS) if d not in skip for s, p in PRICES.items() if p[i] is not None]
    return "date,symbol,close\n" + "\n".join(rows) + "\n"


def files(fresh, **texts):
    out = []
    for name, text in ({"reference": REFERENCE, "prices": prices(), "actions": ACTIONS} | texts).items():
        if text is not None:
            out += [f"--{name}", fresh.write(f"{name}.csv", text)]
    return out


def readings(fresh, measure):
    """Value of each session's end."""
    return {d: v for d, v in fresh.database.rows(f"SELECT at::date::text, value FROM market.reading WHERE measure = '{measure}' ORDER BY seq")}


def backtest(fresh, rule):
    done = fresh.tocsin("backtest", "--rule", rule)
    assert done.returncode == 0, done
    return [(line.split()[0][:10], line.split()[1], float(line.split()[2])) for line in done.stdout.splitlines() if " firing " in line or " resolved " in line]


# A 40,000, B 5,000 and D 500 on the 5th. The 9th: B opens at 90, at the level of 100, as index providers count a special dividend of 10, and closes at 88: the 2
# are of the total return alone. The 10th: A + 10 %.
# The 11th: C is 99 of 88, D leaves at 60 of 50.
LEVEL = {"2024-01-04": 100, "2024-01-05": 100, "2024-01-08": 100}
LEVEL["2024-01-09"] = LEVEL["2024-01-08"] * (40000 + 4400 + 500) / (40000 + 4500 + 500)
LEVEL["2024-01-10"] = LEVEL["2024-01-09"] * (44000 + 4400 + 500) / (40000 + 4400 + 500)
LEVEL["2024-01-11"] = LEVEL["2024-01-10"] * (44000 + 4400 + 600) / (44000 + 4400 + 500) * (44000 + 50 * 99) / (44000 + 4400)


def test_each_before_the_open_of_its_session(fresh):
    out = fresh.check_ran("import", *files(fresh))
    assert "actions.csv: column 'note' is not used" in out, out
    assert "actions.csv: 5 rows: 1 split, 2 dividend, 0 spin_off, 1 merger, 0 delisting, 1 rename; 0 stored already\n" in out, out
    assert readings(fresh, "level(IX)") == pytest.approx(LEVEL, rel=1e-12)
    assert fresh.database.rows("SELECT symbol, name FROM tocsin.instrument ORDER BY instrument_id") == [("A", ""), ("C", "Big C"), ("D", "")]
    assert [r for r in backtest(fresh, "ret(A) <= -20")] == [], "four for one is no fall"
    assert backtest(fresh, "ret(C) >= 12")[0] == ("2024-01-11", "firing", 12.5), "99 of 88, over the rename"
    assert "0 differing" in fresh.check_ran("verify")


def test_again_changes_nothing(fresh):
    arguments = files(fresh)
    fresh.check_ran("import", *arguments)
    before = contents(fresh)
    again = fresh.check_ran("import", *arguments)
    assert "5 stored already" in again and "nothing new: the order stands at" in again, again
    # who said it, and when, is not what it does; and rows may come in any order
    text = ACTIONS.splitlines()
    other = fresh.write("other.csv", "\n".join([text[0], *reversed(text[1:])]).replace("exchange", "a friend") + "\n")
    assert "5 stored already" in fresh.check_ran("import", "--actions", other)
    assert contents(fresh) == before


def test_known_late_it_counts_from_now_on(fresh):
    """The closes are stored when the split is heard of: the symbol is the one of its session, whatever it is called now."""
    late = "kind,symbol,new,old,effective\nsplit,B,2,1,2024-01-05\n"
    half = prices().replace("2024-01-04,B,100", "2024-01-04,B,200")
    fresh.check_ran("import", *files(fresh, prices=half))
    out = fresh.check_ran("import", "--actions", fresh.write("late.csv", late))
    assert "1 split" in out and "0 stored already\n1 records" in out, out
    assert fresh.database.rows("SELECT payload::json->>'symbol', payload::json->>'effective' FROM tocsin.event WHERE kind = 18 ORDER BY seq") == [
        ("A", "2024-01-08"), ("C", "2024-01-05")]
    assert "1 stored already\nnothing new" in fresh.check_ran("import", "--actions", fresh.write("late.csv", late))
    done = fresh.tocsin("import", "--actions", fresh.write("none.csv", late.replace("B,2", "C,2")))
    assert done.returncode == 65 and "none.csv:2: no instrument was called C on 2024-01-05" in done.stderr, done
    done = fresh.tocsin("import", "--actions", fresh.write("three.csv", late.replace("B,2", "B,3")))
    assert done.returncode == 65 and "three.csv:2: a split of C of 2024-01-05 is known, 2 for 1: nothing has changed" in done.stderr, done
    assert "0 differing" in fresh.check_ran("verify")


def test_what_is_of_before_an_instrument_was_known_is_left_out(fresh):
    """100 shares on the first session are the count of then: the split of 2020, and one of that very day, are in it."""
    early = ACTIONS + "split,A,7,1,2020-08-31,,,,,,,,,\nsplit,A,2,1,2024-01-04,,,,,,,,,\n"
    arguments = files(fresh, actions=early)
    out = fresh.check_ran("import", *arguments)
    assert "7 rows: 3 split" in out and "0 stored already; 2 left out, dated no later than their instruments were first known (line 7)" in out, out
    assert readings(fresh, "level(IX)") == pytest.approx(LEVEL, rel=1e-12)
    again = fresh.check_ran("import", *arguments)
    assert "5 stored already; 2 left out" in again and "nothing new" in again, again


def test_wrong_rows_are_named_each_in_its_own_words(fresh):
    rows = [("split,A,4,1,,,,", ': field "effective" is missing'), ("split,A,4,,2024-01-08,,,", ': field "old" is missing'),
            ("split,A,0,1,2024-01-08,,,", ': field "new" must be from 1 to 1000000'), ("split,A,4,1,08.01.2024,,,", ':13: effective "08.01.2024" is no date YYYY-MM-DD (--dates'),
            ("split,A,4.5,1,2024-01-08,,,", ":9: new is not a whole number"), ("split,A,4,1,2024-01-08,0.63,,", ":24: amount is no field of a split"),
            ("dividend,A,,,,0.63,,", ': field "ex" is missing'), ('dividend,A,,,,"1,000.5",2024-01-09,', ":15: amount \"1,000.5\" has thousands separators"),
            ("dividend,A,,,,-1,2024-01-09,", 'field "amount" must be from 0.00000001'), ("dividend,A,,,,1,2024-01-09,perhaps", ":28: special is neither true nor false"),
            ("buyback,A,,,2024-01-08,,,", ':1: kind "buyback" is none of split, dividend, spin_off, merger, delisting, rename'),
            ("rename,A,,,2024-01-08,,,", ': field "to" is missing'), ("split,A B,4,1,2024-01-08,,,", ': field "symbol" needs 1 to 15 characters')]
    head = "kind,symbol,new,old,effective,amount,ex,special"
    done = fresh.tocsin("import", *files(fresh, actions="\n".join([head, *(r for r, _ in rows)]) + "\n"))
    lines = done.stderr.splitlines()
    assert done.returncode == 65 and lines[-1] == "tocsin import: nothing was written", done
    assert len(lines) == len(rows) + 1, done.stderr
    for i, (line, (_, words)) in enumerate(zip(lines, rows)):
        assert f"actions.csv:{i + 2}:" in line and words in line, (line, words)
    # what the engine has against them is said the same way, and nothing is half applied
    wrong = ("kind,symbol,new,old,effective,amount,ex,to\nsplit,A,4,1,2024-01-08,,,\nsplit,A,4,1,2024-01-08,,,\nsplit,Z,4,1,2024-01-08,,,\n"
             "dividend,B,,,,500,2024-01-09,\nrename,B,,,2024-01-10,,,A\n")
    done = fresh.tocsin("import", *files(fresh, actions=wrong, prices=prices().replace(",C,", ",B,")))
    assert done.returncode == 65, done
    for words in ("actions.csv:3: a split of A of 2024-01-08 is known, 4 for 1: nothing has changed", "actions.csv:4: symbol Z has no instrument record yet",
                  "actions.csv:5: 500 for a share of B, which is worth 100: it must be less", "actions.csv:6: B cannot become A, which is in use"):
        assert words in done.stderr, done.stderr
    assert fresh.database.one("SELECT count(*) FROM tocsin.event") == 0


def test_dialect_and_columns(fresh):
    text = "Typ;Ticker;neu;alt;gültig\nsplit;A;4;1;08.01.2024\n"
    fresh.check_ran("import", *files(fresh, actions=None, prices=prices(DAYS[2:])))
    out = fresh.check_ran("import", "--actions", fresh.write("aktien.csv", text), "--delimiter", ";", "--dates", "DD.MM.YYYY", "--column", "kind=Typ", "--column", "symbol=Ticker",
                          "--column", "new=neu", "--column", "old=alt", "--column", "effective=gültig")
    assert "1 rows: 1 split" in out, out
    done = fresh.tocsin("import", "--actions", fresh.write("bare.csv", "symbol,new\nA,4\n"))
    assert done.returncode == 65 and "bare.csv:1: the header has no column kind" in done.stderr, done


def test_a_spin_off_finds_its_child(fresh):
    """P at 100 spins off one Q for two P, of which Q's first close is 40: P's close of 80 is what it was, 100 - 20."""
    reference = "date,symbol,issuer,shares,index,base\n2024-01-04,P,P,100,IX,100\n2024-01-08,Q,Q,50,,\n"
    actions = "kind,parent,child,new,old,effective\nspin_off,P,Q,1,2,2024-01-08\n"
    rows = "date,symbol,close\n2024-01-04,P,100\n2024-01-05,P,100\n2024-01-08,P,80\n2024-01-08,Q,40\n"
    arguments = files(fresh, reference=reference, actions=actions, prices=rows)
    assert "1 spin_off" in fresh.check_ran("import", *arguments)
    assert readings(fresh, "level(IX)") == pytest.approx({"2024-01-04": 100, "2024-01-05": 100, "2024-01-08": 100}, rel=1e-12)
    assert "nothing new" in fresh.check_ran("import", *arguments)


def test_killed_it_goes_on_and_ends_as_in_one_go(fresh, service_factory, kafka):
    """Splits there and back every tenth session of 400, a transaction's worth of sessions each: killed at the first that is written, again and again."""
    import datetime as dt
    day, days = dt.date(2015, 1, 1), []
    while len(days) < 400:
        if day.weekday() < 5:
            days.append(day)
        day += dt.timedelta(1)
    rows = "date,symbol,close\n" + "".join(f"{d},S{s},{100 + i % 7 + s}\n" for i, d in enumerate(days) for s in range(5))
    actions = "kind,symbol,new,old,effective\n" + "".join(f"split,S{i // 10 % 5},{'2,1' if i // 50 % 2 == 0 else '1,2'},{days[i]}\n" for i in range(10, 400, 10))
    reference = "symbol,issuer,shares,index\n" + "".join(f"S{s},I{s},{1000 + s},IX\n" for s in range(5))
    arguments = files(fresh, reference=reference, actions=actions, prices=rows)
    whole = service_factory(topics=[kafka.create_topic("whole")], start=False)
    whole.check_ran("import", *arguments)
    kills = 0
    for _ in range(4):
        with subprocess.Popen([*command("import", *arguments), "-c", str(fresh.ini)], env=fresh.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
            stood = fresh.database.one("SELECT last_seq FROM tocsin.shard")
            deadline = time.monotonic() + 60
            while child.poll() is None and time.monotonic() < deadline and fresh.database.one("SELECT last_seq FROM tocsin.shard") == stood:
                time.sleep(0.001)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            child.wait(60)
    said = fresh.check_ran("import", *arguments)
    assert kills >= 1 and "39 split" in said and "; 0 stored already" not in said, (kills, said)
    got, want = contents(fresh), contents(whole)
    for table in want:
        assert got[table] == want[table], table
    assert "0 differing" in fresh.check_ran("verify")
