"""`tocsin import` through the real binary: files as people have them, and imports that are repeated, interrupted, or say when things were known.

Every file of the first two tables is a layout met in the field; each is either taken, with what is not used named and the rows counted, or refused
with the option that would take it."""
import csv
import datetime as dt
import os
import random
import signal
import subprocess
import time

import pytest

import drive
import streams
from cases import CASES, needs_cases
from harness.base import SEED, wait_until
from harness.service import command

REFERENCE = "symbol,name,issuer,shares,index,base\nXYZ,Xyz Corp,XYZ,1000000,IX,100\n"
YAHOO = ("Date,Symbol,Open,High,Low,Close,Adj Close,Volume\n"
         "2021-03-01,XYZ,101.10250183105469,103.48500061035156,100.8324966430664,102.01000213623047,99.1621856689453,15555240\n"
         "2021-03-02,XYZ,102.01249694824219,104.44249725341797,101.57749938964844,103.80750274658203,100.967712402344,18763000\n")
SAVED = ("Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits\n"
         "2021-03-01 00:00:00-05:00,101.10250183105469,103.48500061035156,100.8324966430664,102.01000213623047,99.1621856689453,15555240,0.0,0.0\n"
         "2021-03-02 00:00:00-05:00,102.01249694824219,104.44249725341797,101.57749938964844,103.80750274658203,100.967712402344,18763000,0.0,0.0\n")
MISSING = ('Date,Symbol,Close\n2021-03-01,XYZ,102.01\n2021-03-02,XYZ,\n2021-03-03,XYZ,NaN\n2021-03-04,XYZ,null\n2021-03-05,XYZ,"1,234.50"\n'
           "2021-03-08,XYZ,$99.10\n2021-03-09,XYZ,99.1\n")

# name: bytes, what the plain import says of it, options that take it (None: it is taken as it is), what is then said, closes
PRICES = {
    "with_symbol": (YAHOO, 'prices.csv:2:72: close "102.01000213623047" has 14 decimals, of which 8 are kept (--round 0.01', ["--round", "0.01"],
                    ["column 'Open' is not used", "column 'Adj Close' is not used", "column 'Volume' is not used", "2 rows: 2 closes of 2 sessions",
                     '2 closes rounded to 0.01, the largest change 0.002497253418: "103.80750274658203" to 103.81 at 3:73'], [102.01, 103.81]),
    "as_saved": (SAVED, "the header has no column symbol; it has 'Date', 'Open'", ["--symbol", "XYZ", "--dates", "YYYY-MM-DD*", "--round", "0.01"],
                 ["column 'Stock Splits' is not used", "2 closes of 2 sessions"], [102.01, 103.81]),
    "german": ("Date;Symbol;Close\r\n01.03.2021;XYZ;102,01\r\n", "--delimiter ';' says what is between fields",
               ["--delimiter", ";", "--decimal", "comma", "--dates", "DD.MM.YYYY"], ["1 closes of 1 sessions"], [102.01]),
    "missing": (MISSING, '"1,234.50" has thousands separators (--thousands , reads them)', ["--skip-empty", "--thousands", ",", "--strip", "$"],
                ["7 rows: 4 closes of 4 sessions, 3 rows without a close left out"], [102.01, 1234.5, 99.1, 99.1]),
    "newest_first": ("Date,Symbol,Close\n2021-03-02,XYZ,103.8\n2021-03-01,XYZ,102.01\n", "prices.csv:3:1: date is before the row above", ["--sort"],
                     ["2 closes of 2 sessions"], [102.01, 103.8]),
    "cr_only": ("date,symbol,close\r2021-03-01,XYZ,1\r", "--line-ends cr", ["--line-ends", "cr"], ["1 rows: 1 closes of 1 sessions"], [1]),
    "footer": ("date,symbol,close\n2021-03-01,XYZ,1\n\nTotal rows: 1\n", "prices.csv:4: 1 fields where the header has 3 (--skip-last 1", ["--skip-last", "1"],
               ["1 closes of 1 sessions"], [1]),
    "preamble": ("Report of 2021\nby somebody\ndate,symbol,close\n2021-03-01,XYZ,1\n", "the header has no column date", ["--skip-first", "2"],
                 ["1 closes of 1 sessions"], [1]),
    "investing": ('\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n"Mar 02, 2021","1,103.81","1,102.01","1,104.44","1,101.58","18.76M","1.76%"\n',
                  "the header has no column close", ["--column", "close=Price", "--symbol", "XYZ", "--dates", "Mon DD, YYYY", "--thousands", "comma"],
                  ["column 'Vol.' is not used", "column 'Change %' is not used"], [1103.81]),
    "nasdaq": ("Date,Close/Last,Volume,Open,High,Low\n03/02/2021,$103.81,18763000,$102.01,$104.44,$101.58\n", "--column close=HEADER says which it is",
               ["--column", "close=Close/Last", "--symbol", "XYZ", "--dates", "MM/DD/YYYY", "--strip", "$"], ["column 'Volume' is not used"], [103.81]),
    "spaces": ("date, symbol, close\n2021-03-01, XYZ, 1\n", "--trim leaves out the spaces", ["--trim"], ["1 closes of 1 sessions"], [1]),
    "stooq": ("<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nXYZ,D,20210301,000000,101,103,100,102.01,15555240,0\n",
              "it has '<TICKER>', '<PER>', '<DATE>'", ["--column", "symbol=<TICKER>", "--column", "date=<DATE>", "--column", "close=<CLOSE>", "--dates", "YYYYMMDD"],
              ["column '<PER>' is not used", "column '<OPENINT>' is not used"], [102.01]),
    "trailing": ("date,symbol,close\n2021-03-01,XYZ,1,\n", "prices.csv:2: 4 fields where the header has 3 (--trailing-delimiter", ["--trailing-delimiter"],
                 ["1 closes of 1 sessions"], [1]),
    "tsv": ("date\tsymbol\tclose\n2021-03-01\tXYZ\t1\n", "--delimiter 'tab'", ["--delimiter", "tab"], ["1 closes of 1 sessions"], [1]),
    "utf16": ("date,symbol,close\n2021-03-01,XYZ,1\n".encode("utf-16"), "begins like UTF-16 text, not UTF-8 (--encoding utf-16 reads it)", ["--encoding", "utf-16"],
              ["1 closes of 1 sessions"], [1]),
    "latin": ("date,symbol,close,note\n2021-03-01,XYZ,1,M\xfcller\n".encode("latin-1"), "is not valid UTF-8 text (--encoding", ["--encoding", "iso-8859-1"],
              ["column 'note' is not used"], [1]),
}

# name: text, options or None when it is refused, what is said, shares and memberships
REFERENCES = {
    "scientific": ("symbol,issuer,shares,index\nXYZ,XYZ,1.5787E+10,IX\n", [], "1 issuer, 1 instrument, 1 shares, 1 index, 1 membership records", 15787000000, 1),
    "float": ("symbol,issuer,shares,index\nXYZ,XYZ,15787154000.0,IX\n", [], "1 rows:", 15787154000, 1),
    "typo": ("symbol,issuer,Shares Outstanding,Index Name\nXYZ,XYZ,1000,IX\n", [], "0 shares, 0 index, 0 membership records", None, 0),
    "named": ("symbol,issuer,Shares Outstanding,Index Name\nXYZ,XYZ,1000,IX\n", ["--column", "shares=Shares Outstanding", "--column", "index=Index Name"],
              "1 shares, 1 index, 1 membership", 1000, 1),
    "comma": ('symbol,issuer,shares,index\nXYZ,XYZ,"15,787,154",IX\n', None, 'reference.csv:2:9: shares "15,787,154" has thousands separators (--thousands ,', None, 0),
    "comma_read": ('symbol,issuer,shares,index\nXYZ,XYZ,"15,787,154",IX\n', ["--thousands", "comma"], "1 shares", 15787154, 1),
    "half": ("symbol,issuer,shares,index\nXYZ,XYZ,10.5,IX\n", None, 'shares "10.5" is not a whole number above 0', None, 0),
    "tiny": ("symbol,issuer,shares,index\nXYZ,XYZ,1.57E-3,IX\n", None, "is not a whole number above 0", None, 0),
}


@pytest.fixture
def fresh(kafka, service_factory, tmp_path):
    """A migrated database that no service has run on, and a folder."""
    service = service_factory(topics=[kafka.create_topic("import")], start=False)
    service.place = tmp_path

    def write(name, text):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return str(tmp_path / name)
    service.write = write
    return service


# The tables above hold the files of these cases, whatever names they have there; Stooq's symbol is a line of the reference file here.
VERY_FILES = {"01-yfinance-csv/with_symbol.csv": PRICES["with_symbol"], "01-yfinance-csv/as_saved.csv": PRICES["as_saved"], "01-yfinance-csv/german.csv": PRICES["german"],
              "01-yfinance-csv/missing_words.csv": PRICES["missing"], "01-yfinance-csv/newest_first.csv": PRICES["newest_first"],
              "22-real-files/cr_only.csv": PRICES["cr_only"], "22-real-files/footer.csv": PRICES["footer"], "22-real-files/investing.csv": PRICES["investing"],
              "22-real-files/nasdaq.csv": PRICES["nasdaq"], "22-real-files/spaces.csv": PRICES["spaces"], "22-real-files/stooq.csv": PRICES["stooq"],
              "22-real-files/trailing_comma.csv": PRICES["trailing"], "22-real-files/tsv.csv": PRICES["tsv"], "22-real-files/utf16.csv": PRICES["utf16"],
              "22-real-files/comma_shares.csv": REFERENCES["comma"], "22-real-files/float_shares.csv": REFERENCES["float"],
              "22-real-files/sci_shares.csv": REFERENCES["scientific"], "22-real-files/typo_header.csv": REFERENCES["typo"]}


@needs_cases
@pytest.mark.parametrize("folder", ["01-yfinance-csv", "22-real-files"])
def test_the_files_of_the_field_are_among_them(folder):
    files = {f"{folder}/{f.name}" for f in (CASES / folder).glob("*.csv")} - {"01-yfinance-csv/reference.csv"}
    assert files == {name for name in VERY_FILES if name.startswith(folder)}
    for name in files:
        text = VERY_FILES[name][0]
        assert (CASES / name).read_bytes().replace(b"XYZ.US", b"XYZ") == (text if isinstance(text, bytes) else text.encode()), name


def closes(service):
    return [float(p) for p, in service.database.rows("SELECT price FROM market.close ORDER BY seq")]


@pytest.mark.parametrize("name", PRICES)
def test_prices_as_people_have_them(fresh, name):
    text, refusal, options, said, want = PRICES[name]
    reference, prices = fresh.write("reference.csv", REFERENCE), fresh.write("prices.csv", text)
    done = fresh.tocsin("import", "--reference", reference, "--prices", prices)
    assert done.returncode == 65 and refusal in done.stderr, done
    assert fresh.database.one("SELECT last_seq FROM tocsin.shard") == 0, "nothing was written"
    # the reference file is plain: it is imported by itself
    fresh.check_ran("import", "--reference", reference, "--as-of", "2021-02-26")
    out = fresh.check_ran("import", "--prices", prices, *options)
    for sentence in said:
        assert sentence in out, out
    assert closes(fresh) == want


@pytest.mark.parametrize("name", REFERENCES)
def test_references_as_people_have_them(fresh, name):
    text, options, said, shares, members = REFERENCES[name]
    done = fresh.tocsin("import", "--reference", fresh.write("reference.csv", text), "--as-of", "2021-02-26", *(options or []))
    assert done.returncode == (65 if options is None else 0) and said in done.stdout + done.stderr, done
    assert fresh.database.one("SELECT max(shares) FROM market.shares") == shares
    assert fresh.database.one("SELECT count(*) FROM market.membership") == members
    if name == "typo":
        assert "column 'Shares Outstanding' is not used" in done.stdout and "column 'Index Name' is not used" in done.stdout


def test_each_fault_of_a_price_in_its_own_words(fresh):
    wrong = [("102.01000213623047", "has 14 decimals, of which 8 are kept"), ("-90000001", "is too low: at least -90000000"),
             ("NaN", 'is "NaN", not a number (--skip-empty'), ("null", 'is "null", not a number (--skip-empty'), ("", "is empty (--skip-empty"),
             ("90000001", "is too large"), ("9e30", "is not a number that can be read"), ("abc", '"abc" is not a number'), ("inf", "is infinite"),
             ('"1,234.50"', "--thousands , reads"), ('"102,01"', "--decimal , reads"), ("$99.10", "--strip '$' leaves it out"), ("€99.10", "--strip '€'"),
             (" 1", "--trim leaves"), ("1.2.3", "is not a number"), ("0x10", "is not a number"), ("1e", "is not a number")]
    rows = [f"2021-03-{i + 1:02},S{i:02},{text}" for i, (text, _) in enumerate(wrong)]
    done = fresh.tocsin("import", "--prices", fresh.write("prices.csv", "date,symbol,close\n" + "\n".join(rows) + "\n"))
    assert done.returncode == 65, done
    lines = [line for line in done.stderr.splitlines() if "prices.csv:" in line]
    assert len(lines) == len(wrong), done.stderr
    for i, (line, (_, words)) in enumerate(zip(lines, wrong)):
        assert f"prices.csv:{i + 2}:16: close " in line and words in line, (line, words)
    assert "nothing was written" in done.stderr


def test_prices_of_0_and_below(fresh):
    """Of an instrument that may have them, by a column of the reference file; until a later row of it says that it may no more."""
    prices = fresh.write("prices.csv", "date,symbol,close\n2020-04-17,CL,18.27\n2020-04-20,CL,-37.63\n2020-04-21,CL,0\n2020-04-22,CL,13.78\n")
    plain = fresh.write("plain.csv", "symbol,issuer\nCL,NYMEX\n")
    done = fresh.tocsin("import", "--reference", plain, "--prices", prices)
    assert done.returncode == 65 and 'prices.csv:3: price -37.63 of CL: prices of 0 and below are data once an instrument record of it says "negative_prices":true' in done.stderr, done
    assert "prices.csv:4: price 0 of CL" in done.stderr and fresh.database.one("SELECT count(*) FROM tocsin.event") == 0
    reference = fresh.write("reference.csv", "date,symbol,issuer,negative_prices\n2020-04-17,CL,NYMEX,true\n2020-04-23,CL,NYMEX,no\n")
    fresh.check_ran("import", "--reference", reference, "--prices", prices)
    assert closes(fresh) == [18.27, -37.63, 0, 13.78]
    assert "nothing new" in fresh.check_ran("import", "--reference", reference, "--prices", prices)
    done = fresh.tocsin("import", "--prices", fresh.write("more.csv", "date,symbol,close\n2020-04-24,CL,-1\n"))
    assert done.returncode == 65 and "more.csv:2: price -1 of CL" in done.stderr, done
    done = fresh.tocsin("import", "--reference", fresh.write("wrong.csv", "symbol,issuer,negative_prices\nCL,NYMEX,maybe\n"))
    assert done.returncode == 65 and "wrong.csv:2:10: negative_prices is neither true nor false" in done.stderr, done
    assert "0 differing" in fresh.check_ran("verify")


def test_options_that_say_nothing_are_refused(fresh):
    prices = fresh.write("prices.csv", "date,symbol,close\n2021-03-01,XYZ,1\n")
    for options, words in ((["--round", "0"], "--round 0 is not understood"), (["--delimiter", "ab"], "is not understood"), (["--dates", "YYYY"], "is not understood"),
                           (["--thousands", "."], "are the same character"), (["--line-ends", "lf"], "is not understood")):
        done = fresh.tocsin("import", "--prices", prices, *options)
        assert done.returncode == 64 and words in done.stderr, done
    for options, words in ((["--column", "close=Clsoe"], "no file has a column 'Clsoe'"), (["--symbol", "A"], "--symbol is for those without"),
                           (["--encoding", "klingon"], "no encoding is called klingon")):
        done = fresh.tocsin("import", "--prices", prices, *options)
        assert done.returncode == 65 and words in done.stderr, done


# ---- again, and after a kill ----

def market(folder, sessions, symbols=6, seed=1):
    """reference.csv and prices.csv of some symbols over so many weekdays."""
    rng, day, rows = random.Random(seed), dt.date(2015, 1, 1), []
    price = {f"S{i}": 100.0 for i in range(symbols)}
    while len(rows) < sessions * symbols:
        if day.weekday() < 5:
            for s in price:
                price[s] = round(max(1, price[s] * (1 + rng.gauss(0, 0.02))), 2)
                rows.append([day, s, price[s]])
        day += dt.timedelta(1)
    with open(folder / "reference.csv", "w", encoding="utf-8") as f:
        f.write("symbol,issuer,shares,index\n" + "".join(f"{s},I{s},{1000 + 7 * i},IX\n" for i, s in enumerate(price)))
    with open(folder / "prices.csv", "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows([["date", "symbol", "close"], *rows])
    return ["--reference", str(folder / "reference.csv"), "--prices", str(folder / "prices.csv")]


TABLES = {"tick": "seq, event_ns, kpos, price_e8, size_e8, instrument_id, day_or_kind", "event": "seq, event_ns, kpos, kind, payload", "close": "*",
          "instrument": "*", "series": "*", "reading": "*"}


def contents(service):
    """Everything but when it was taken in."""
    return {t: service.database.rows(f"SELECT {c} FROM tocsin.{t} ORDER BY 1, 2") for t, c in TABLES.items()}


def no_writer(service):
    """What a killed one had sent the server still does: until its session is gone."""
    wait_until(lambda: service.database.one("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin writer' AND datname = current_database()") == 0,
               "no writer is left")


def test_the_same_files_again_change_nothing(fresh):
    files = market(fresh.place, 120)
    first = fresh.check_ran("import", *files)
    assert "720 closes of 120 sessions" in first and "0 closes stored already" in first
    before, shard = contents(fresh), fresh.database.rows("SELECT * FROM tocsin.shard")
    again = fresh.check_ran("import", *files)
    assert "nothing new: the order stands at" in again and "720 closes stored already" in again, again
    assert contents(fresh) == before and fresh.database.rows("SELECT * FROM tocsin.shard") == shard
    # the file has grown: its end is imported, and is as if it had been there from the start
    files = market(fresh.place, 130)
    grown = fresh.check_ran("import", *files)
    assert "780 closes of 130 sessions" in grown and "720 closes stored already" in grown and "70 records" in grown, grown
    assert "0 differing" in fresh.check_ran("verify")


def test_a_close_said_the_evening_before_is_known(fresh, kafka):
    """In Sydney it is 2 January while it is still the 1st in UTC: the feed says so, and the file is not imported again."""
    evening = "2024-01-01T22:00:00Z"
    messages = [{"kind": "instrument", "symbol": "XYZ", "issuer": "XYZ", "ts": evening},
                {"kind": "close", "symbol": "XYZ", "price": "102.01", "date": "2024-01-02", "ts": evening},
                {"kind": "clock", "session_end": "2024-01-02", "ts": "2024-01-01T22:01:00Z"}]
    fresh.start()
    kafka.produce(fresh.topics[0], [streams.encode(m) for m in messages])
    drive.drained(fresh, fresh.topics[0], len(messages))
    assert fresh.terminate() == 0
    said = fresh.check_ran("import", "--prices", fresh.write("prices.csv", "date,symbol,close\n2024-01-02,XYZ,102.01\n"))
    assert "nothing new" in said and "1 closes stored already" in said, said


def test_what_contradicts_what_is_stored_is_refused(fresh):
    files = market(fresh.place, 20)
    fresh.check_ran("import", *files)
    before = contents(fresh)
    text = (fresh.place / "prices.csv").read_text().splitlines()
    row = text[10].split(",")
    for changed, words in ((f"{row[0]},{row[1]},{float(row[2]) + 1}", f"prices.csv:11: close of {row[1]} of {row[0]} is stored as {row[2].rstrip('0')}"),
                           (f"{row[0]},OTHER,5", f"prices.csv:11: close of OTHER of {row[0]} is not stored, but that session is over")):
        (fresh.place / "prices.csv").write_text("\n".join([*text[:10], changed, *text[11:]]) + "\n")
        done = fresh.tocsin("import", *files)
        assert done.returncode == 65 and words in done.stderr and "nothing was written" in done.stderr, done
    assert contents(fresh) == before


def test_a_killed_import_goes_on_and_ends_as_in_one_go(fresh, service_factory, kafka, long):
    """Killed at random moments, most of them while sessions are being written; in the end every table is that of one that was left alone."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    files = market(fresh.place, 600, symbols=10, seed=SEED)
    whole = service_factory(topics=[kafka.create_topic("whole")], start=False)
    whole.check_ran("import", *files)
    want, kills, parts = contents(whole), 0, set()
    for _ in range(30 if long else 8):
        with subprocess.Popen([*command("import", *files), "-c", str(fresh.ini)], env=fresh.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
            stood = fresh.database.one("SELECT last_seq FROM tocsin.shard")
            deadline = time.monotonic() + 60
            while child.poll() is None and time.monotonic() < deadline and fresh.database.one("SELECT last_seq FROM tocsin.shard") == stood:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.02)
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
                kills += 1
            child.wait(60)
        no_writer(fresh)
        at = fresh.database.one("SELECT last_seq FROM tocsin.shard")
        parts.add(at)
        last = fresh.database.rows("SELECT kind, payload FROM tocsin.event ORDER BY seq DESC LIMIT 1")
        ticks = fresh.database.one("SELECT max(seq) FROM tocsin.tick")
        if at:
            assert last[0][0] == 3 and "session_end" in last[0][1] and ticks < at, "whole sessions are stored"
    said = fresh.check_ran("import", *files)
    assert kills >= 3 and len(parts) > 3, (kills, parts)
    assert "6000 closes of 600 sessions" in said and " 0 closes stored already" not in said
    got = contents(fresh)
    for table, rows in want.items():
        assert got[table] == rows, table
    assert "0 differing" in fresh.check_ran("verify")


# ---- when things were known ----

def test_reference_data_are_as_old_as_the_first_session(fresh):
    fresh.check_ran("import", *market(fresh.place, 5))
    assert {str(d) for d, in fresh.database.rows("SELECT DISTINCT at::date FROM market.shares UNION SELECT DISTINCT at::date FROM market.membership")} == {"2015-01-01"}


def test_without_prices_somebody_must_say_since_when(fresh):
    reference = fresh.write("reference.csv", REFERENCE)
    done = fresh.tocsin("import", "--reference", reference)
    assert done.returncode == 65 and "--as-of DATE" in done.stderr and fresh.database.one("SELECT count(*) FROM tocsin.event") == 0
    fresh.check_ran("import", "--reference", reference, "--as-of", "2020-06-30")
    assert {str(d) for d, in fresh.database.rows("SELECT DISTINCT at::date FROM market.shares")} == {"2020-06-30"}
    done = fresh.tocsin("import", "--reference", fresh.write("earlier.csv", REFERENCE.replace("1000000", "2000000")), "--as-of", "2020-01-02")
    assert done.returncode == 65 and "is dated before 2020-06-30" in done.stderr, done


def test_rows_with_a_date_are_known_from_then_on(fresh):
    """B doubles its shares on 6 January and leaves on the 8th; A is alone from then on: an HHI of 5000, then 3 : 2 and 10000."""
    reference = fresh.write("reference.csv", "date,symbol,issuer,shares,index\n2020-01-01,A,A,100,IX\n2020-01-01,B,B,100,IX\n"
                                             "2020-01-06,B,B,200,IX\n2020-01-08,B,B,200,\n")
    days = ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07", "2020-01-08", "2020-01-09"]
    prices = fresh.write("prices.csv", "date,symbol,close\n" + "".join(f"{d},{s},10\n" for d in days for s in "AB"))
    fresh.check_ran("import", "--reference", reference, "--prices", prices)
    rows = fresh.database.rows("SELECT at::date::text, value FROM market.reading WHERE measure = 'hhi(IX)' AND value IS NOT NULL ORDER BY seq")
    want = {"2020-01-02": 5000, "2020-01-03": 5000, "2020-01-06": 10000 * (1 + 4) / 9, "2020-01-07": 10000 * 5 / 9, "2020-01-08": 10000, "2020-01-09": 10000}
    assert {d: v for d, v in rows} == pytest.approx(want)
    assert [(str(d), m) for d, m in fresh.database.rows("SELECT at::date, member FROM market.membership WHERE symbol = 'B' ORDER BY seq")] == [
        ("2020-01-01", True), ("2020-01-08", False)]
    assert "nothing new" in fresh.check_ran("import", "--reference", reference, "--prices", prices)
    done = fresh.tocsin("import", "--reference", fresh.write("twice.csv", "date,symbol\n2020-01-01,C\n2020-01-01,C\n"))
    assert done.returncode == 65 and "twice.csv:3:12: symbol has a row already: another one needs a later date" in done.stderr, done



def test_a_calendar_of_ones_own(fresh):
    """Fridays are free: sessions are Sunday to Thursday. Imported once; again it changes nothing; what is wrong is said by its line."""
    text = ("calendar,XSAU,Asia/Riyadh,2025,2025\nhours,2025-01-01,2025-12-31,Sun-Thu,04:00,07:00,12:00\nclosed,2025-02-23,Founding Day\n")
    own = fresh.write("own.csv", text)
    done = fresh.tocsin("calendar", "import", own)
    assert done.returncode == 0 and "1 calendars; 0 stored already" in done.stdout, done
    again = fresh.tocsin("calendar", "import", own)
    assert again.returncode == 0 and "1 calendars; 1 stored already" in again.stdout and "nothing new" in again.stdout, again
    bad = fresh.write("bad.csv", text.replace("2025-02-23", "2025-02-21"))
    done = fresh.tocsin("calendar", "import", bad)
    assert done.returncode == 65 and f"{bad}: line 3" in done.stderr and "nothing was written" in done.stderr, done
    reference = fresh.write("reference.csv", "symbol,shares,index,venue\nSAU,1000,IX,XSAU\n")
    friday = fresh.write("friday.csv", "date,symbol,close\n2025-02-20,SAU,10\n2025-02-21,SAU,11\n")
    done = fresh.tocsin("import", "--reference", reference, "--prices", friday)
    assert done.returncode == 65 and "friday.csv:3" in done.stderr and "XSAU" in done.stderr, done
    sunday = fresh.write("sunday.csv", "date,symbol,close\n2025-02-20,SAU,10\n2025-02-24,SAU,11\n")
    fresh.check_ran("import", "--reference", reference, "--prices", sunday)
    assert fresh.database.rows("SELECT payload::json->>'venue' FROM tocsin.event WHERE kind = 5") == [("XSAU",)]
    assert "nothing new" in fresh.check_ran("import", "--reference", reference, "--prices", sunday)
    assert " 0 differing values" in fresh.check_ran("verify")
