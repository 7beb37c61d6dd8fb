"""An instrument whose prices are refused says so, with the count and the reason, where a person, a program and a rule look."""
import drive
from harness.base import wait_until
from test_sessions import S, Fed, reference

T0 = 1_704_378_600 * S          # 2024-01-04 14:30 UTC


def bad(symbol, at, **wrong):
    return {"kind": "trade", "symbol": symbol, "price": "10", "ts": T0 + at * S, **wrong}


def refused(service):
    ready = service.api("GET", "/readyz").json()
    return ready["refused_instruments"], [(r["symbol"], r["count"]) for r in ready["refused"]], ready["ready"]


def test_until_the_next_price_is_taken(kafka, service_factory):
    f = Fed(kafka, service_factory, "refused", track="last(A); last(B)")
    f.send([*reference("A", "B", ts=T0 - 3600 * S), bad("A", 0), bad("B", 0)])
    rule = drive.make_rule(f.service, {"rule": "last(A) >= 12"})
    state = lambda: f.service.api("GET", f"/v1/rules/{rule['id']}").json()["state"]  # noqa: E731
    assert refused(f.service) == (0, [], True)
    # by its text, by its time, by what the engine says of it, and by somebody whom nobody knows
    f.send([bad("A", 1, price="10,50"), bad("A", 1, ts=1_704_378_600), bad("A", 1, price="89999999", size="89999999999999999999"), bad("NOPE", 1, price="x")])
    wait_until(lambda: refused(f.service) == (1, [("A", 3)], True), "it is told")
    said = drive.measures(f.service, "last(A)", "last(B)")
    assert (said["last(A)"]["value"], said["last(A)"]["status"], said["last(A)"]["refused"]["count"]) == (10, "refused", 3), said
    assert "size" in said["last(A)"]["refused"]["reason"], said
    assert said["last(B)"]["status"] == "ok" and "refused" not in said["last(B)"]
    wait_until(lambda: state() == "stale", "its rules wait")
    assert "tocsin_instruments_refused 1" in f.service.api("GET", "/metrics").text
    f.service.restart(hard=True)
    wait_until(lambda: refused(f.service) == (1, [("A", 3)], True), "it is known after a kill")
    f.send([{**bad("A", 2), "price": "12"}])
    wait_until(lambda: refused(f.service) == (0, [], True), "it is over")
    assert drive.measures(f.service, "last(A)")["last(A)"]["status"] == "ok"
    assert [(s, v) for s, _, v in f.alerts()] == [("firing", 12)]
    f.same_again("last(A) >= 12")
