"""Readings are stored where they change, and history answers as if each second had been stored."""
import datetime as dt

import drive
import streams
from test_sessions import Fed, reference

S = 10 ** 9
T0 = streams.day_ns(dt.date(2020, 1, 3), 0, 10)
PRICES = {0: "10", 7: "11", 8: "11", 20: "9", 59: "9.5"}           # second: price; 8 says what stands


def stored(service, measure):
    return service.database.rows("SELECT (r.event_ns - %s) / 1000000000, value, status FROM tocsin.reading r JOIN tocsin.series s USING (series_id)"
                                 f" WHERE measure = '{measure}' ORDER BY seq", T0)


def ns_of(time):
    whole, _, fraction = time.rstrip("Z").partition(".")
    return int(dt.datetime.fromisoformat(whole + "+00:00").timestamp()) * S + int(fraction.ljust(9, "0"))


def the_first_90_seconds():
    for second in range(90):
        if second in PRICES:
            yield {"kind": "trade", "symbol": "A", "price": PRICES[second], "ts": T0 + second * S}
        yield {"kind": "clock", "ts": T0 + second * S}


def test_a_quiet_market_stores_nothing(kafka, service_factory):
    f = Fed(kafka, service_factory, "readings", track="last(A)", stale_after_ms=60_000)
    f.send(reference("A", ts=T0 - 3600 * S))
    f.send(list(the_first_90_seconds()))
    f.service.restart(hard=True)
    f.send([{"kind": "clock", "ts": T0 + second * S} for second in range(90, 130)])
    f.send([{"kind": "clock", "ts": T0 + 200 * S, "session_end": "2020-01-03"}])
    want = [(0, 10, "ok"), (7, 11, "ok"), (20, 9, "ok"), (59, 9.5, "ok"), (120, 9.5, "stale"), (200, 9.5, "ok")]
    got = [row for row in stored(f.service, "last(A)") if row[0] >= 0]
    assert got == want, "what a session ended with is of now until the next one opens"

    at = lambda second: next((v, s) for t, v, s in reversed(want) if t <= second)
    span = {"m": "last(A)", "from": T0, "to": T0 + 180 * S}
    points = f.service.api("GET", "/v1/measures/history?" + drive.query(**span, points=180)).json()
    assert points["next"] is None
    seconds = [(ns_of(p["time"]) - T0) / S for p in points["points"]]
    assert len(seconds) == 180 and {round(b - a, 9) for a, b in zip(seconds, seconds[1:])} == {1.0}
    assert [(p["value"], p["status"]) for p in points["points"]] == [at(t) for t in seconds]
    few = f.service.api("GET", "/v1/measures/history?" + drive.query(**span, points=7)).json()["points"]
    assert len(few) == 7 and few[-1] == points["points"][-1]
    whole = f.service.api("GET", "/v1/measures/history?" + drive.query(m="last(A)", points=10000)).json()["points"]
    assert whole[-1]["seq"] == drive.history(f.service, "last(A)")[-1]["seq"]
    wrong = f.service.api("GET", "/v1/measures/history?" + drive.query(**span, points=7, limit=5))
    assert wrong.status_code == 400 and '"limit" go without it' in wrong.json()["detail"]
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")
