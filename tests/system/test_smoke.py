"""The spine, end to end: reference data and ticks in; a measure polled; a rule fires; webhook and stream tell of it, once."""
import dataclasses

from harness import webhook
from harness.base import wait_until

SECOND = 10 ** 9
AT = 1_700_000_000 * SECOND


def feed(kafka, service):
    """An index of two companies, AA at 100 with a million shares, BB at 50 with two million."""
    reference = [
        ("AA", {"kind": "issuer", "issuer": "AAA", "name": "First Co", "ts": AT}),
        ("BB", {"kind": "issuer", "issuer": "BBB", "name": "Second Co", "ts": AT}),
        ("AA", {"kind": "instrument", "symbol": "AA", "issuer": "AAA", "ts": AT}),
        ("BB", {"kind": "instrument", "symbol": "BB", "issuer": "BBB", "ts": AT}),
        ("AA", {"kind": "shares", "symbol": "AA", "shares": 1_000_000, "ts": AT}),
        ("BB", {"kind": "shares", "symbol": "BB", "shares": 2_000_000, "ts": AT}),
        ("TWO", {"kind": "index", "index": "TWO", "ts": AT}),
        ("TWO", {"kind": "membership", "index": "TWO", "symbol": "AA", "ts": AT}),
        ("TWO", {"kind": "membership", "index": "TWO", "symbol": "BB", "ts": AT}),
    ]
    kafka.produce(service.topic["reference"], reference)
    tick(kafka, service, "AA", "100", 1)
    tick(kafka, service, "BB", "50", 2)


def tick(kafka, service, symbol, price, seconds):
    kafka.produce(service.topic["ticks"], [(symbol, {"kind": "trade", "symbol": symbol, "price": price, "ts": AT + seconds * SECOND})])


def last_is(service, symbol, price):
    row = service.measure(f"last({symbol})")
    return row is not None and row["value"] == price


def accepted(service, rule):
    """The rule, once the service knows the symbol in it."""
    answer = service.api("POST", "/v1/rules", rule)
    assert answer.status_code == 201 or "unknown_symbol" in answer.text, (answer.status_code, answer.text)
    return answer.json() if answer.status_code == 201 else None


def test_the_spine(kafka, service, webhook_receiver, node):
    channel = service.api("POST", "/v1/channels", {"kind": "webhook", "url": webhook_receiver.url})
    assert channel.status_code == 201, channel.text
    feed(kafka, service)
    rule = wait_until(lambda: accepted(service, {"name": "AA high", "rule": "last(AA) >= 120", "clear": "110", "severity": "critical"}),
                      "a rule about AA is accepted")
    wait_until(lambda: last_is(service, "AA", 100), "the price is polled")

    with service.stream() as stream:
        assert stream.status == 200
        tick(kafka, service, "AA", "125", 3)
        fired = stream.next()
        assert (fired.id, fired.event) == ("1", "alert")
        alert = fired.json()
        assert (alert["type"], alert["state"], alert["severity"]) == ("alert.firing", "firing", "critical")
        assert (alert["measure"], alert["value"], alert["rule"]["id"]) == ("last(AA)", 125, rule["id"])
        tick(kafka, service, "AA", "130", 4)     # still high: no second alert
        tick(kafka, service, "AA", "105", 5)
        assert stream.next().json()["state"] == "resolved"

    requests = webhook_receiver.wait(2)
    requests = sorted(requests, key=lambda r: r.json()["stream_no"])
    assert [r.body.decode() for r in requests][0] == fired.data, "webhook and stream carry the same bytes"
    assert requests[0].id == alert["id"]
    secret = channel.json()["secret"]
    assert webhook.verdicts(node, secret, requests) == ["ok", "ok"]
    first = requests[0]
    changed = [dataclasses.replace(first, body=first.body.replace(b'"value":125', b'"value":126')), dataclasses.replace(first, body=first.body + b" "),
               dataclasses.replace(first, headers={**first.headers, "webhook-id": requests[1].id})]
    assert all(c != first for c in changed) and "ok" not in webhook.verdicts(node, secret, changed), "what was changed on the way is refused"
    assert all(webhook.signed_by(r, secret) for r in requests)

    listed = service.api("GET", "/v1/alerts").json()
    assert [a["state"] for a in next(v for v in listed.values() if isinstance(v, list))] == ["resolved", "firing"]


def test_hhi_of_two_equal_companies(kafka, service):
    """After the test above: AA 105 x 1 million, BB 50 x 2 million. HHI = (105^2 + 100^2) / 205^2, times 10,000."""
    row = service.measure("hhi(TWO)")
    if row is None:                              # tracked from the moment a rule looks at it
        made = service.api("POST", "/v1/rules", {"name": "watch", "rule": "hhi(TWO) >= 9999"})
        assert made.status_code == 201, made.text
        row = wait_until(lambda: service.measure("hhi(TWO)"), "hhi(TWO) is tracked")
    assert abs(row["value"] - 10000 * (105 ** 2 + 100 ** 2) / 205 ** 2) < 1e-9
    assert row["coverage"] == 1


def test_a_restart_remembers(kafka, service):
    service.restart(hard=True)
    assert last_is(service, "AA", 105)
    with service.stream(last_event_id=1) as stream:
        assert stream.next().id == "2"
    assert service.terminate() == 0
    service.start()


def test_without_a_key_nothing_is_told(service):
    for path in ("/v1/measures", "/v1/rules", "/v1/alerts", "/v1/channels", "/v1/status"):
        refused = service.api("GET", path, key="")
        assert refused.status_code == 401, path
        assert refused.headers["Content-Type"].startswith("application/problem+json")
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert service.api("GET", path, key="").status_code == 200, path
