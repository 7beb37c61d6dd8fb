"""`tocsin calendar`: every session of the nine shipped calendars against exchange_calendars, where they begin against the time zones; a user's own."""
import datetime
import importlib.util
import pathlib
import subprocess
import zoneinfo

import exchange_calendars
import pytest

from harness.base import TOP, program

# pandas' words about the package, not about us
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex")

FOLDER = pathlib.Path(TOP, "ingest/calendars")
# name: (the package's name, first year, begin in local time, days from the session's date to the day it is on)
BEGINS = {
    "XNYS": ("XNYS", 1990, datetime.time(4), 0), "XNAS": ("XNAS", 1990, datetime.time(4), 0), "XLON": ("XLON", 1990, datetime.time(4), 0),
    "XETR": ("XETR", 1990, datetime.time(4), 0), "XTKS": ("XTKS", 1997, datetime.time(4), 0), "XHKG": ("XHKG", 1990, datetime.time(4), 0),
    "XASX": ("XASX", 1990, datetime.time(4), 0), "CMES": ("CMES", 1990, datetime.time(17), -1), "24-7": ("24/7", 1990, datetime.time(0), 0),
}
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def calendar(*arguments, code=0):
    done = subprocess.run([program(), "calendar", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done


def shown(*arguments):
    """What `show` prints: (date, weekday, begin, open, close, "early" or "")."""
    lines = calendar("show", *arguments).stdout.splitlines()
    assert lines[0].split() == ["session", "day", "begin", "(UTC)", "open", "close"]
    return [tuple(line.split() + [""] * (6 - len(line.split()))) for line in lines[1:]]


def utc(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def package(name):
    ours, first, _, _ = BEGINS[name]
    return exchange_calendars.get_calendar(ours, start=f"{first}-01-01", end="2030-12-31")


def regular_close(source, date):
    time = [time for since, time in source.close_times if since is None or since.date() <= date][-1]
    return datetime.datetime.combine(date + datetime.timedelta(days=source.close_offset), time, zoneinfo.ZoneInfo(str(source.tz)))


@pytest.mark.parametrize("name", BEGINS)
def test_every_session_is_the_packages(name):
    source, (_, first, begin, offset) = package(name), BEGINS[name]
    zone = zoneinfo.ZoneInfo(str(source.tz))
    expected = []
    for day, row in source.schedule.iterrows():
        date, close = day.date(), row["close"].to_pydatetime()
        begins = datetime.datetime.combine(date + datetime.timedelta(days=offset), begin, zone)
        expected.append((str(date), WEEKDAYS[date.weekday()], utc(begins), utc(row["open"].to_pydatetime()), utc(close),
                         "early" if close < regular_close(source, date) else ""))
    assert len(expected) > 250 * (2030 - first)
    assert shown(name) == expected


@pytest.mark.parametrize("name", BEGINS)
def test_the_script_makes_the_file(name):
    spec = importlib.util.spec_from_file_location("make_calendars", FOLDER / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    row = next(row for row in make.VENUES if row[0] == name)
    assert make.venue(*row) == (FOLDER / f"{name}.csv").read_text(encoding="ascii")
    assert len(make.VENUES) == len(BEGINS) == len(list(FOLDER.glob("*.csv")))


def test_list_names_the_nine():
    lines = calendar("list").stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(BEGINS)
    # the number of trading days that the package counts
    for line in lines:
        name = line.split()[0]
        assert f" {len(package(name).sessions)} sessions" in line, line


def test_show_from_and_to():
    # the week of 4 July 2024: NYSE closes at 13:00 on the 3rd
    assert [(row[0], row[5]) for row in shown("XNYS", "--from", "2024-07-01", "--to", "2024-07-07")] == [
        ("2024-07-01", ""), ("2024-07-02", ""), ("2024-07-03", "early"), ("2024-07-05", "")]
    assert shown("XNYS", "--from", "2024-07-04", "--to", "2024-07-04") == []
    assert [row[0] for row in shown("24/7", "--from", "2030-12-30")] == ["2030-12-30", "2030-12-31"]
    assert [row[0] for row in shown("XTKS", "--to", "1997-01-07")] == ["1997-01-06", "1997-01-07"]
    outside = calendar("show", "XTKS", "--from", "1996-12-30", code=65)
    assert "XTKS" in outside.stderr and "1997-01-01 to 2030-12-31" in outside.stderr and "1996-12-30" in outside.stderr and not outside.stdout
    assert "2031-01-01" in calendar("show", "XNYS", "--from", "2030-12-30", "--to", "2031-01-01", code=65).stderr
    assert "2024-07-05 is after 2024-07-04" in calendar("show", "XNYS", "--from", "2024-07-05", "--to", "2024-07-04", code=64).stderr
    assert "YYYY-MM-DD" in calendar("show", "XNYS", "--from", "yesterday", code=64).stderr


def test_wrong_usage_and_unknown_names():
    for arguments in ([], ["dance"], ["list", "XNYS"], ["show"], ["check"], ["check", "a", "b"], ["show", "XNYS", "--from"], ["show", "XNYS", "--until", "2024-01-01"]):
        assert calendar(*arguments, code=64).stderr.startswith("usage: tocsin calendar ")
    unknown = calendar("show", "XPAR", code=65).stderr
    assert "XPAR" in unknown and "tocsin calendar list" in unknown and unknown.count("\n") == 1
    assert "No such file" in calendar("check", "XNYS", code=65).stderr, "check is for files"


def test_the_shipped_files_pass_check():
    for name in BEGINS:
        assert f": fine: {name} " in calendar("check", str(FOLDER / f"{name}.csv")).stdout


OWN = """calendar,XSAU,Asia/Riyadh,2025,2026
hours,2025-01-01,2026-12-31,Sun-Thu,04:00,07:00,12:00
closed,2025-02-23,Founding Day
closed,2025-03-30,Eid al-Fitr
"""


def test_a_users_own(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(OWN, encoding="utf-8")
    assert OWN.replace("\n", "\n    ").strip() in (FOLDER / "README.md").read_text(encoding="utf-8"), "it is the page's example"
    # Sundays to Thursdays of the two years, less the two holidays
    days = [datetime.date(2025, 1, 1) + datetime.timedelta(days=i) for i in range(730)]
    assert f"{sum(day.weekday() not in (4, 5) for day in days) - 2} sessions,    0 of them early" in calendar("check", str(own)).stdout
    rows = shown(str(own), "--from", "2025-02-20", "--to", "2025-02-25")
    assert rows == [("2025-02-20", "Thu", "2025-02-20T04:00:00Z", "2025-02-20T07:00:00Z", "2025-02-20T12:00:00Z", ""),
                    ("2025-02-24", "Mon", "2025-02-24T04:00:00Z", "2025-02-24T07:00:00Z", "2025-02-24T12:00:00Z", ""),
                    ("2025-02-25", "Tue", "2025-02-25T04:00:00Z", "2025-02-25T07:00:00Z", "2025-02-25T12:00:00Z", "")]


def test_a_wrong_one_is_told_line_by_line(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(OWN + "closed,2025-02-30\nearly,2025-01-05,noon\nholiday,2025-01-06\n", encoding="utf-8")
    done = calendar("check", str(own), code=65)
    assert not done.stdout
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        [str(own), "line 5, column 8"], [str(own), "line 6, column 18"], [str(own), "line 7, column 1"]]
    own.write_text(OWN.replace("2025,2026\n", "2024,2026\n", 1), encoding="utf-8")
    assert "no hours from 2024-01-01 to 2024-12-31" in calendar("check", str(own), code=65).stderr
    own.write_text(OWN + "special,2025-01-06,04:00,07:00,29:00\n", encoding="utf-8")
    assert "sessions overlap: 2025-01-07" in calendar("show", str(own), code=65).stderr
    own.write_text(OWN + "#" * (1 << 20), encoding="utf-8")
    assert "at most 1048576 bytes" in calendar("check", str(own), code=65).stderr
    own.write_bytes(b"")
    assert "the first line must be calendar," in calendar("check", str(own), code=65).stderr
    assert "Is a directory" in calendar("check", str(tmp_path), code=65).stderr
