"""Faults around PostgreSQL, and an end in time whatever stands still: roles, lost sessions, locks, floods, SIGTERM, the command line."""
import contextlib
import os
import signal
import threading
import time

import psycopg
import pytest
import requests

import drive
from drive import QUIET
from harness.base import wait_until
from harness.postgres import Database, Postgres

WRITER = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tocsin writer' AND datname = current_database()"
END_S = 15                              # an orchestrator waits 30 s


@contextlib.contextmanager
def locked(database, table):
    """Nobody else reads or writes the table meanwhile."""
    with psycopg.connect(database.conninfo) as c:
        c.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        c.rollback()


def writer(database, waiting=False):
    """The process id of the writer's session; waiting: of one that waits for a lock. Else None."""
    rows = database.rows(WRITER + (" AND wait_event_type = 'Lock'" if waiting else ""))
    return rows[0][0] if rows else None


@contextlib.contextmanager
def clients(n, ask):
    """n threads that ask again and again until the block is over; what a dying service does to them is no matter."""
    over = threading.Event()

    def run(i):
        while not over.is_set():
            try:
                ask(i)
            except requests.RequestException:
                over.wait(0.01)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(n)]
    for t in threads:
        t.start()
    yield
    over.set()
    for t in threads:
        t.join()


def end_in_time(service):
    """SIGTERM; the exit code, which has come within END_S."""
    began = time.monotonic()
    code = service.terminate(60)
    assert time.monotonic() - began < END_S, f"exit {code} after {time.monotonic() - began:.1f} s"
    return code


def metric(service, name):
    return next(float(line.split()[-1]) for line in service.api("GET", "/metrics").text.splitlines() if line.startswith(name))


# ---- roles ----

def test_a_role_that_may_create_roles_is_enough(kafka, service_factory):
    """No superuser is needed: the owner of the database, with CREATEROLE, migrates, makes keys and runs the service."""
    server = Postgres()
    try:
        database = Database(server)
        with server.connect() as c:
            c.execute("CREATE ROLE plain LOGIN CREATEROLE")
            c.execute(f"ALTER DATABASE {database.name} OWNER TO plain")
        database.conninfo += " user=plain"
        service = service_factory(topics=[kafka.create_topic("role")], config=QUIET, database=database)    # migrate, keys create, serve
        drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
        assert drive.make_rule(service, {"rule": "last(FEEDA) >= 10"})["version"] == 1
        assert service.terminate() == 0
    finally:
        server.remove()


# ---- while PostgreSQL does not do its part ----

def test_a_new_session_that_cannot_be_prepared_is_tried_again(one):
    """The writer loses its session, and the next one is refused its statements: the service holds back, then nothing is lost."""
    service, database = one.service, one.service.database
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    with locked(database, "tocsin.alert"):
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({WRITER}) w")
        one.trades(90, 110)
        for _ in range(3):               # as if lock_timeout had passed
            pid = wait_until(lambda: writer(database, waiting=True), "a new session waits for the lock")
            database.execute("SELECT pg_cancel_backend(%s)", pid)
            wait_until(lambda: writer(database) != pid, "the session that could not be prepared is given up")
    one.trades(120).settle()
    assert database.rows("SELECT state, value FROM tocsin.alert") == [("firing", 110)]
    assert database.one("SELECT count(*) FROM tocsin.tick WHERE price_e8 / 100000000 IN (90, 110, 120)") == 3


def test_a_flood_of_bad_messages_while_commits_wait_takes_no_more_memory(kafka, service_factory):
    """Large messages that are no records, and a database that takes none: Kafka keeps them, not the service's memory."""
    little = {**QUIET, "kafka": {"property.queued.max.messages.kbytes": "4096"}}         # librdkafka's own share, small here
    service = service_factory(topics=[kafka.create_topic("flood")], config=little)
    one, database, junk = drive.Feed(kafka, service), service.database, [("k", b"x" * 20000)] * 1000
    held_back = lambda: metric(service, "tocsin_ingest_pauses_total") > pauses
    with locked(database, "tocsin.shard"):
        pauses = metric(service, "tocsin_ingest_pauses_total")
        for _ in range(30):              # 600 MB at most; without an end it would take them all
            if held_back():
                break
            one.sent += kafka.produce(one.topic, junk)
        wait_until(held_back, "it takes no more from Kafka")
    one.settle()
    assert database.one("SELECT count(*) FROM tocsin.dead_letter") == one.sent
    assert service.terminate() == 0


# ---- SIGTERM ----

def test_sigterm_while_many_list_their_rules(one):
    """Whoever asks for rules until the very end does not keep the service from ending in good order."""
    service = one.service
    drive.make_rule(service, {"rule": "last(FEEDA) >= 10"})
    asked = []
    with clients(16, lambda i: asked.append(service.api("GET", "/v1/rules").status_code)):
        wait_until(lambda: len(asked) >= 200, "all of them are at it")
        assert end_in_time(service) == 0


def test_sigterm_while_many_rules_wait_for_a_commit(one):
    """Rules on their way into a table that is locked do not keep the service from ending; none of them is half there."""
    service, database = one.service, one.service.database
    with clients(24, lambda i: service.api("POST", "/v1/rules", {"rule": f"last(FEEDA) >= {1000 + i}"})):
        with locked(database, "tocsin.shard"):
            wait_until(lambda: writer(database, waiting=True), "the writer waits for the lock")
            assert end_in_time(service) in (0, 70)
    wait_until(lambda: writer(database) is None, "what was sent before the end is stored or not")
    assert database.one("SELECT count(*) FROM tocsin.rule") == database.one("SELECT count(*) FROM tocsin.event WHERE kind = 12")


def test_sigterm_while_postgresql_stands_still(one):
    """A backend that says nothing any more: the service ends without it, says so with exit 70, and loses nothing."""
    service, database = one.service, one.service.database
    pid = writer(database)
    os.kill(pid, signal.SIGSTOP)
    try:
        one.trades(51, 52)
        wait_until(lambda: metric(service, "tocsin_records_consumed_total") >= one.sent, "it has read them")
        assert end_in_time(service) == 70
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: writer(database) is None, "the backend sees that nobody is there")
    service.start()
    one.trades(53).settle()
    assert database.one("SELECT count(*) FROM tocsin.tick WHERE price_e8 / 100000000 IN (51, 52, 53)") == 3


# ---- nothing to do ----

def test_waiting_for_the_broker_takes_little_cpu(service_factory):
    """An idle service with Kafka unreachable leaves the machine to others: under a third of a core."""
    service = service_factory(topics=["nothing"], bootstrap="127.0.0.1:1", start=False).start(wait=False)

    def cpu_s():
        with open(f"/proc/{service.pid}/stat", encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    wait_until(lambda: "all brokers down" in service.api("GET", "/readyz", key="").text, "it says that the broker is not there")
    began, used = time.monotonic(), cpu_s()
    time.sleep(4)                        # the span that is measured
    assert (cpu_s() - used) / (time.monotonic() - began) < 0.3
    assert service.terminate() == 0


# ---- the command line ----

def test_a_conninfo_too_long_is_refused_with_its_line(kafka, service_factory):
    """What the service cannot keep whole it refuses: a conninfo that is cut could lead to another database."""
    service = service_factory(topics=[kafka.create_topic("conninfo")], start=False)
    pad = 1023 - len(service.conninfo + " fallback_application_name=")
    for more, code in ((0, 0), (1, 78), (500, 78)):
        service.config["database"]["conninfo"] = service.conninfo.replace(" dbname=", f" fallback_application_name={'x' * (pad + more)} dbname=")
        service.write_config()
        line = 1 + next(n for n, text in enumerate(service.ini.read_text().splitlines()) if text.startswith("conninfo ="))
        for command in ("check", "migrate"):
            done = service.tocsin(command, timeout=60)
            assert done.returncode == code, (more, done)
            assert code == 0 or f"{service.ini}:{line}: " in done.stdout + done.stderr and "1023" in done.stdout + done.stderr, done


@pytest.mark.parametrize("days", ["0", "-7", "abc", "7x", "", "99999999999999999999"])
def test_a_wrong_number_of_days_makes_no_key(one_off, days):
    """A typing mistake must not make a key that never ends, or one that has ended already."""
    done = one_off.tocsin("keys", "create", "--tenant", "acme", "--days", days)
    assert done.returncode == 64 and "mk_live" not in done.stdout, done
    assert one_off.database.one("SELECT count(*) FROM tocsin.api_key") == 1


@pytest.fixture(scope="module")
def one_off(kafka, service_factory):
    """Configured, migrated, not started."""
    return service_factory(topics=[kafka.create_topic("commands")], config=QUIET, start=False)


def test_a_backtest_of_a_book_is_refused(one_off):
    """Books are a tenant's and a back-test has none: it says so, rather than 0 alerts."""
    done = one_off.tocsin("backtest", "--rule", "ai_exposure(book:growth) >= 0.1")
    assert done.returncode not in (0, -6, -11) and "a book belongs to a tenant" in done.stdout + done.stderr, done
