"""Published examples through the whole service, where a pencil gives the answer."""
import pytest

import drive
import streams

START = 1_709_539_200_000_000_000


def market(kafka, service_factory, cents):
    """An index of as many companies as `cents` has values, each worth that much; the service once all of it is read."""
    topic = kafka.create_topic("example")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}},
                              env={"TOCSIN_ENGINE_TRACK": "effective_number(X); top_weight(X, n=5); top_weight(X)"})
    messages = [{"kind": "index", "index": "X", "ts": START}]
    for n, value in enumerate(cents):
        s = f"C{n}"
        messages += [{"kind": "instrument", "symbol": s, "issuer": s, "ts": START}, {"kind": "shares", "symbol": s, "shares": value, "ts": START},
                     {"kind": "membership", "index": "X", "symbol": s, "ts": START},
                     {"kind": "close", "symbol": s, "price": "0.01", "date": "2024-03-04", "ts": START}]
    messages.append({"kind": "clock", "session_end": "2024-03-04", "ts": START})
    n = kafka.produce(topic, [streams.encode(m) for m in messages])
    drive.drained(service, topic, n)
    return {m: row["value"] for m, row in drive.measures(service, "hhi(X)", "effective_number(X)", "top_weight(X, n=5)").items()}


def test_five_companies_of_ten_percent(kafka, service_factory):
    """5 at 10 %, 495 at 0.1 %; the half percent that is missing to a whole lies in 500 crumbs that add 0.0005."""
    got = market(kafka, service_factory, [10_000] * 5 + [100] * 495 + [1] * 500)
    assert got["hhi(X)"] == 504.9505 and round(got["hhi(X)"], 2) == 504.95
    assert got["top_weight(X, n=5)"] == 50
    assert got["effective_number(X)"] == pytest.approx(10_000 / 504.9505, rel=1e-15)


def test_five_hundred_equal_companies(kafka, service_factory):
    got = market(kafka, service_factory, [777] * 500)
    assert (got["hhi(X)"], got["effective_number(X)"], got["top_weight(X, n=5)"]) == (20, 500, 1)
