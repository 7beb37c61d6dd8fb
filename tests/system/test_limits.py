"""Limits that are fair: what one tenant asks is not taken from the others, though all come from one address, as behind a proxy."""
import concurrent.futures
import contextlib
import signal
import socket
import time

import psycopg
import pytest
import requests

import drive
from drive import QUIET
from harness.base import SLOW, wait_until

FEW = {"tenant_requests_s": 50, "tenant_changes_s": 5, "tenant_connections_max": 6, "tenant_streams_max": 3, "heartbeat_ms": 300}    # a closed stream is seen at the next


@pytest.fixture(scope="module")
def limited(kafka, service_factory):
    """With small limits; and the key of a second tenant."""
    service = service_factory(topics=[kafka.create_topic("limits")], config={**QUIET, "api": FEW})
    drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    return service, service.new_key("other")


def read_anew(service, **limits):
    """With these limits from now on; the log's entry about it."""
    service.config["api"].update({k: str(v) for k, v in limits.items()})
    service.write_config()
    before = service.log.count('"reloaded"')
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.log.count('"reloaded"') > before, "reloaded")
    return [e for e in service.log_entries if e["message"] == "reloaded"][-1]


def refused(answer, setting):
    p = drive.problem(answer, 429, "limit")
    assert setting in p["detail"] and answer.headers["Retry-After"] == "1", p
    return p


def test_requests_of_one_tenant_a_second(limited):
    """Some of a burst are refused; the other tenant's go through meanwhile; a second later it may again. Of five a second: the
    slowest machine asks faster than that."""
    service, other = limited
    read_anew(service, tenant_requests_s=5)
    time.sleep(1.1)
    with requests.Session() as s, requests.Session() as theirs:
        ask = lambda session, key: session.get(service.url + "/v1/measures", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        began = time.monotonic()
        answers = [ask(s, service.key) for _ in range(200)]
        took = time.monotonic() - began
        assert ask(theirs, other).status_code == 200
        codes = [a.status_code for a in answers]
        assert set(codes) == {200, 429} and 5 <= codes.count(200) <= 5 * (1 + took) + 2, (codes.count(200), took)
        refused(next(a for a in answers if a.status_code == 429), "api.tenant_requests_s")
        wait_until(lambda: ask(s, service.key).status_code == 200, "it may again", 5, 0.2)
    assert drive_metric(service, "tocsin_http_limited_total") >= codes.count(429)
    read_anew(service, **FEW)


def drive_metric(service, name):
    return next(float(line.split()[-1]) for line in service.api("GET", "/metrics", key="").text.splitlines() if line.startswith(name + " "))


def test_changes_of_one_tenant_a_second(limited):
    service, other = limited
    read_anew(service, tenant_changes_s=1)
    time.sleep(1.1)
    with requests.Session() as s:               # an answer that is kept keeps its connection
        made = [s.post(service.url + "/v1/rules", json={"rule": f"last(FEEDA) >= {100 + i}"}, headers={"Authorization": f"Bearer {service.key}"}, timeout=30)
                for i in range(12)]
    assert {a.status_code for a in made} == {201, 429}
    refused(next(a for a in made if a.status_code == 429), "api.tenant_changes_s")
    assert service.api("POST", "/v1/rules", {"rule": "last(FEEDA) >= 1"}, key=other).status_code == 201
    assert (a := service.api("GET", "/v1/rules")).status_code == 200, a.text      # it may still ask
    wait_until(lambda: service.api("POST", "/v1/rules", {"rule": "last(FEEDA) >= 2"}).status_code == 201, "it may again", 5, 0.3)
    read_anew(service, **FEW)


def test_streams_of_one_tenant(limited):
    """The fourth is refused; of another tenant it is not; an ended one makes room. Each has a connection, too."""
    service, other = limited
    time.sleep(1.1)
    with contextlib.ExitStack() as stack:
        mine = [stack.enter_context(service.stream()) for _ in range(3)]
        assert [s.status for s in mine] == [200] * 3
        refused(service.api("GET", "/v1/stream"), "api.tenant_streams_max")
        with service.stream(key=other) as theirs:
            assert theirs.status == 200
        mine[0].close()

        def again():
            with service.stream() as s:
                return s.status == 200
        wait_until(again, "room for one", 10, 0.2)


def test_connections_of_one_tenant(limited):
    """The seventh is told so and closed, the others live on; a connection that changes its tenant changes whose it is."""
    service, other = limited
    time.sleep(1.1)
    ask = lambda s, key: s.get(service.url + "/v1/measures", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(requests.Session()) for _ in range(8)]
        for s in sessions[:6]:                     # those of the tests before may not be over yet
            wait_until(lambda: ask(s, service.key).status_code == 200, "one of six", 10, 0.2)
        answer = ask(sessions[6], service.key)
        refused(answer, "api.tenant_connections_max")
        assert answer.headers["Connection"] == "close"
        assert ask(sessions[7], other).status_code == 200
        assert ask(sessions[0], service.key).status_code == 200
        assert ask(sessions[1], other).status_code == 200
        assert ask(sessions[6], service.key).status_code == 200
        sessions[2].close()
        with requests.Session() as one_more:
            wait_until(lambda: ask(one_more, service.key).status_code == 200, "a closed one makes room", 10, 0.2)


def test_limits_are_read_anew(kafka, service_factory):
    """SIGHUP: a lower number of streams and of changes counts at once, one that is open goes on; a higher one lets more in."""
    service = service_factory(topics=[kafka.create_topic("anew")], config=QUIET)
    drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    service.config["api"]["port"] = "0"          # as it began

    with service.stream() as first, service.stream() as second:
        assert (first.status, second.status) == (200, 200)
        assert read_anew(service, tenant_streams_max=2, tenant_changes_s=1)["takes_a_restart"] == ""
        refused(service.api("GET", "/v1/stream"), "api.tenant_streams_max")
        asked = [service.api("POST", "/v1/rules", {"rule": "nonsense"}) for _ in range(20)]
        refused(next(a for a in asked if a.status_code == 429), "api.tenant_changes_s")
        read_anew(service, tenant_streams_max=3, tenant_changes_s=0)
        assert {service.api("POST", "/v1/rules", {"rule": "nonsense"}).status_code for _ in range(20)} == {400}
        with service.stream() as third:
            assert third.status == 200
            rule = drive.make_rule(service, {"rule": "last(FEEDA) >= 1"})
            assert [s.next().json()["rule"]["id"] for s in (first, second, third)] == [rule["id"]] * 3


def test_who_asks_slowly_makes_nobody_else_wait(kafka, service_factory):
    """A hundred questions that hang in a lock are of one tenant; the other's are answered at once."""
    service = service_factory(topics=[kafka.create_topic("slow")], config=QUIET)
    other, n = service.new_key("other"), 100
    assert service.api("GET", "/v1/alerts", key=other).status_code == 200
    with concurrent.futures.ThreadPoolExecutor(n) as pool, psycopg.connect(service.conninfo) as c:
        c.execute("LOCK TABLE tocsin.rule IN ACCESS EXCLUSIVE MODE")
        slow = [pool.submit(service.api, "GET", "/v1/rules") for _ in range(n)]
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin api' AND wait_event_type = 'Lock' AND datname = current_database()"
        wait_until(lambda: service.database.one(waits) >= 3, "they wait for the lock")
        for _ in range(10):
            began = time.monotonic()
            assert service.api("GET", "/v1/alerts", key=other).status_code == 200
            assert time.monotonic() - began < 1 * SLOW
        assert service.database.one(waits) >= 3
        c.rollback()
        assert {f.result().status_code for f in slow} <= {200, 503}


def test_a_change_too_slow_says_how_to_repeat_it(kafka, service_factory):
    """The commit waits for longer than the caller may: 503, and what to do; with the same key it is then one rule."""
    service = service_factory(topics=[kafka.create_topic("tooslow")], config=QUIET)
    drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    key = {"Idempotency-Key": "once-and-only-once"}
    with psycopg.connect(service.conninfo) as c:
        c.execute("LOCK TABLE tocsin.rule_version IN ACCESS EXCLUSIVE MODE")
        p = drive.problem(service.api("POST", "/v1/rules", {"rule": "last(FEEDA) >= 100"}, headers=key), 503, "slow")
        assert "Idempotency-Key" in p["detail"]
        c.rollback()
    service.wait_ready()
    again = wait_until(lambda: (a := service.api("POST", "/v1/rules", {"rule": "last(FEEDA) >= 100"}, headers=key)).status_code in (200, 201) and a, "repeated")
    assert [r["id"] for r in drive.all_rules(service)] == [again.json()["id"]]


# ---- many parameters ----

def answer_of(service, target):
    """The status and whether the connection was closed; raw, for clients encode and give up in their own ways."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as s:
        s.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\n\r\n".encode())
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while b"\r\n\r\n" not in got and (more := s.recv(65536)):
                got += more
    assert got.startswith(b"HTTP/1.1 "), (target[:60], got[:200])
    return int(got.split()[1])


@pytest.mark.parametrize("n", [1, 256, 257, 499, 500, 1000, 3000, 8000])
def test_any_number_of_parameters_has_an_answer(service, n):
    """Up to 256 are looked at; more are 400, and what does not fit into the memory of a request 414. None is met with silence."""
    status = answer_of(service, "/v1/measures?" + "&".join(f"m=x{i % 10}" for i in range(n)))
    assert status in ((200, 400, 404) if n <= 256 else (400,) if 5 * n < 20000 else (414, 431)), status


def test_the_query_is_still_read(service):
    """What the library is not shown, we read."""
    assert answer_of(service, "/v1/alerts?limit=0") == 400 and answer_of(service, "/v1/alerts?limit=1") == 200
    assert answer_of(service, "/v1/alerts?") == 200 and answer_of(service, "/v1/alerts?nothing=1") == 400
