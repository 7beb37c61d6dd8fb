#!/usr/bin/env python3
"""make.py [FOLDER]: writes the shipped calendars, 1990 to 2030, into FOLDER (this one).

Sessions, opens and closes are those of exchange_calendars (the version in tests/requirements.txt); where a session begins is
said here, in the venue's own time. What is regular and what differs is decided from the hours that the package calls regular,
and the time zone's rules; README.md has the form. Run it as  build/venv/bin/python ingest/calendars/make.py"""
import datetime
import itertools
import pathlib
import sys
import zoneinfo

import exchange_calendars

FIRST, LAST = 1990, 2030
# name, its name in the package, first year that the package has, the local time at which a session begins and the day it does:
# 0 the session's own, -1 the one before. 04:00 is where New York's early trading begins; the others have nothing at
# that hour, so anything late at night is still the day before, and any trade before an opening auction the day's own.
VENUES = [
    ("XNYS", "XNYS", 1990, "04:00", 0),
    ("XNAS", "XNAS", 1990, "04:00", 0),
    ("XLON", "XLON", 1990, "04:00", 0),
    ("XETR", "XETR", 1990, "04:00", 0),
    ("XTKS", "XTKS", 1997, "04:00", 0),
    ("XHKG", "XHKG", 1990, "04:00", 0),
    ("XASX", "XASX", 1990, "04:00", 0),
    ("CMES", "CMES", 1990, "17:00", -1),
    ("24-7", "24/7", 1990, "00:00", 0),
]
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
DAY = datetime.timedelta(days=1)
UTC = datetime.timezone.utc


def minutes(date, moment):
    """From 00:00 UTC of the date; a moment of another second than 0 would not fit the form."""
    seconds = (moment - datetime.datetime.combine(date, datetime.time(), UTC)).total_seconds()
    assert seconds % 60 == 0
    return int(seconds) // 60


def text(m):
    return f"{'-' if m < 0 else ''}{abs(m) // 60:02d}:{abs(m) % 60:02d}"


def in_force(times, date):
    """The package has (since when, time) pairs; None is since ever."""
    return [time for since, time in times if since is None or since.date() <= date][-1]


def local(date, offset, time, zone):
    return datetime.datetime.combine(date + offset * DAY, time, zone).astimezone(UTC)


def weekdays(mask):
    """"1111100" is Mon-Fri."""
    first, last = mask.index("1"), mask.rindex("1")
    assert set(mask[first:last + 1]) == {"1"}
    return f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"


def reasons(calendar, first, last):
    """Names of holidays and of early closes, where the package names them."""
    rules = [calendar.regular_holidays] + [rule for _, rule in calendar.special_closes]
    found = {}
    for rule in rules:
        if hasattr(rule, "holidays"):
            found.update((day.date(), name.replace("Heakth", "Health")) for day, name in rule.holidays(first, last, return_name=True).items())
    return found


def sessions(calendar):
    return {day.date(): (row["open"].to_pydatetime(), row["close"].to_pydatetime()) for day, row in calendar.schedule[["open", "close"]].iterrows()}


def differs(regular, held):
    """The line's word and its times, or None where the day is as its hours say."""
    if held == regular:
        return None
    if held is None:
        return "closed", ()
    if regular and held[:2] == regular[:2] and held[2] < regular[2]:
        return "early", held[2:]
    return "special", held


def venue(name, package_name, first_year, begin, begin_offset):
    first, last = datetime.date(first_year, 1, 1), datetime.date(LAST, 12, 31)
    calendar = exchange_calendars.get_calendar(package_name, start=str(first), end=str(last))
    zone = zoneinfo.ZoneInfo(str(calendar.tz))
    begin = datetime.time.fromisoformat(begin)
    mask = calendar.weekmask

    def regular(date):
        return tuple(minutes(date, moment) for moment in (
            local(date, begin_offset, begin, zone),
            local(date, calendar.open_offset, in_force(calendar.open_times, date), zone),
            local(date, calendar.close_offset, in_force(calendar.close_times, date), zone)))

    dates = [first + i * DAY for i in range((last - first).days + 1)]
    hours = {date: regular(date) for date in dates if mask[date.weekday()] == "1"}
    # A run of hours begins on the first day that has them, and ends the day before the next one does.
    runs = [(next(group)[0], h) for h, group in itertools.groupby(hours.items(), key=lambda item: item[1])]
    runs[0] = (first, runs[0][1])
    ends = [start - DAY for start, _ in runs[1:]] + [last]

    lines = [f"# made by ingest/calendars/make.py from exchange_calendars {exchange_calendars.__version__}; README.md there says what the columns mean",
             f"calendar,{name},{zone.key},{first_year},{LAST}"]
    for (start, h), end in zip(runs, ends):
        lines.append(f"hours,{start},{end},{weekdays(mask)}," + ",".join(map(text, h)))
    why, held = reasons(calendar, str(first), str(last)), sessions(calendar)
    for date in dates:
        moments = held.get(date) and (local(date, begin_offset, begin, zone), *held[date])
        line = differs(hours.get(date), moments and tuple(minutes(date, moment) for moment in moments))
        if line:
            word, times = line
            lines.append(",".join([word, str(date), *map(text, times), *([why[date]] if date in why else [])]))
    return "\n".join(lines) + "\n"


def main(folder):
    for row in VENUES:
        path = pathlib.Path(folder) / f"{row[0]}.csv"
        path.write_text(venue(*row), encoding="utf-8")
        print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
