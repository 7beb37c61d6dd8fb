"""Does work move? Who owns the shard, what /readyz, /metrics and the log say of it, and the true name of what stands in the way."""
import contextlib
import time

import psycopg

import drive
from drive import QUIET
from harness.base import SLOW, wait_until
from harness.postgres import Database, Postgres
from harness.service import Service

FENCED = 77
IDLE_TAKEOVER_S = 15                       # what was found: never


def reasons(service):
    return service.api("GET", "/readyz", key="").json()["reasons"]


def said(service, message):
    return [e for e in service.log_entries if e["message"] == message]


# ---- ownership ----

def test_a_second_instance_takes_over_while_the_first_has_nothing_to_commit(one, kafka):
    """The first sees it without a commit of its own: it ends, says why, and its streams end with it; the second has them from there."""
    first = one.service
    with first.stream() as stream:
        stream.begun.get(timeout=30)
        second = Service(first.database, kafka.bootstrap, first.topics, config=QUIET)
        try:
            first.expected_dead = True
            one.service = second.start(wait=False)
            wait_until(lambda: said(second, "listening"), "the second has the shard")
            taken = time.monotonic()
            assert first.process.wait(IDLE_TAKEOVER_S * SLOW) == FENCED
            assert stream.ended.wait(5 * SLOW), "its stream goes on"
            assert time.monotonic() - taken < IDLE_TAKEOVER_S * SLOW
            told = said(first, "another instance has taken the shard; ending")
            assert told and told[0]["level"] == "error" and int(told[0]["stands_at"]) == int(told[0]["epoch"]) + 1
            second.wait_ready()
            drive.make_rule(second, {"rule": "last(FEEDA) >= 100"})
            with second.stream() as after:
                after.begun.get(timeout=30)
                one.trades(110)
                assert after.next()
        finally:
            second.close()


# ---- the true cause ----

@contextlib.contextmanager
def locked(database, table):
    with psycopg.connect(database.conninfo) as c:
        c.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        c.rollback()


def test_a_lock_is_called_a_lock(one):
    service = one.service
    with locked(service.database, "tocsin.shard"):
        wait_until(lambda: any("a lock that another session holds" in r for r in reasons(service)), "it says lock", 40)
        assert service.api("GET", "/readyz", key="").status_code == 503
    service.wait_ready()
    assert [e["trouble"] for e in said(service, "the shard cannot be looked at")] == ["a lock that another session holds"]


def test_work_that_does_not_move_is_not_ready(one):
    """A backend that answers nothing any more is no error yet; what was read and is not committed says it."""
    service, database = one.service, one.service.database
    with locked(database, "tocsin.alert"):                      # nothing is wrong with the shard: only the writer waits
        drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
        one.trades(90, 110)
        wait_until(lambda: service.api("GET", "/readyz", key="").status_code == 503, "not ready", 40)
        assert any("lock" in r or "is not committed" in r for r in reasons(service)), reasons(service)
    service.wait_ready()
    one.settle()
    assert database.rows("SELECT state, value FROM tocsin.alert") == [("firing", 110)]
    assert [bool(e) for e in said(service, "not ready")] and said(service, "ready")


def test_gone_is_called_gone(kafka, service_factory):
    """Also by an instance that has nothing to commit."""
    server = Postgres()
    try:
        service = service_factory(topics=[kafka.create_topic("gone")], config=QUIET, database=Database(server))
        server.stop("fast")
        wait_until(lambda: any("gone" in r for r in reasons(service)), "it says gone")
        server.start()
        service.wait_ready()
        assert service.terminate() == 0
    finally:
        server.remove()
