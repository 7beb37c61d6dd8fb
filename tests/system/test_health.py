"""Does work move? Who owns the shard, what /readyz, /metrics and the log say of it, and the true name of what stands in the way."""
import contextlib
import signal
import subprocess
import time

import psycopg
import pytest

import drive
from drive import QUIET
from harness.base import SLOW, wait_until
from harness.postgres import Database, Postgres
from harness.service import Service

FENCED = 77
IDLE_TAKEOVER_S = 15                       # what was found: never


def reasons(service):
    return service.api("GET", "/readyz", key="").json()["reasons"]


def metrics(service):
    """name or name{labels} -> value."""
    rows = (line.rsplit(" ", 1) for line in service.api("GET", "/metrics", key="").text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in rows}


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


def test_a_full_disk_is_called_a_full_disk(one):
    """As PostgreSQL says it (53100): the service holds back, names it, and goes on by itself when there is room again."""
    service, database = one.service, one.service.database
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    database.execute("""
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON tocsin.alert EXECUTE FUNCTION full_disk()""")
    one.trades(90, 110)
    wait_until(lambda: any("disk full" in r for r in reasons(service)), "it says disk full")
    shown = metrics(service)
    assert shown["tocsin_ready"] == 0 and shown["tocsin_database_ok"] == 0 and shown["tocsin_oldest_uncommitted_seconds"] > 0
    database.execute("DROP TRIGGER full_disk ON tocsin.alert")
    service.wait_ready()
    one.settle()
    assert database.rows("SELECT state, value FROM tocsin.alert") == [("firing", 110)]
    assert said(service, "database trouble; holding back")[0]["trouble"] == "disk full"
    shown = metrics(service)
    assert shown["tocsin_ready"] == 1 and shown["tocsin_database_ok"] == 1 and shown["tocsin_oldest_uncommitted_seconds"] == 0


def test_work_that_does_not_move_is_not_ready(one):
    """A backend that answers nothing any more is no error yet; what was read and is not committed says it."""
    service, database = one.service, one.service.database
    with locked(database, "tocsin.alert"):                      # nothing is wrong with the shard: only the writer waits
        drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
        one.trades(90, 110)

        def told():
            answer = service.api("GET", "/readyz", key="")
            return answer.status_code == 503 and any("lock" in r or "is not committed" in r for r in answer.json()["reasons"])

        wait_until(told, "not ready, because of that", 40)
        wait_until(lambda: said(service, "not ready"), "so does the log")
    service.wait_ready()
    one.settle()
    assert database.rows("SELECT state, value FROM tocsin.alert") == [("firing", 110)]
    turns = lambda: [e["message"] for e in service.log_entries if e["message"] in ("ready", "not ready")]
    wait_until(lambda: turns()[-1] == "ready", "the log says ready again")
    assert turns()[:2] == ["ready", "not ready"]


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


# ---- /metrics ----

def test_metrics_say_what_went_through_and_when(kafka, service_factory, webhook_receiver):
    """Every trade is in the histogram of commits, the delivery in that of sending; each partition has its lag; refusals have their reason."""
    topic = kafka.create_topic("metrics", 3)
    service = service_factory(topics=[topic], config=QUIET)
    one = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70)
    drive.make_channel(service, webhook_receiver.url)
    wait_until(lambda: service.measure("last(FEEDA)"), "the session is there")
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    with service.stream() as first, service.stream() as second:
        one.trades(90, 110)
        assert [s.next().json()["state"] for s in (first, second)] == ["firing"] * 2
    kafka.produce(topic, [("k", b"no json", 1), ("k", {"kind": "trade", "symbol": "NOBODY", "price": "1", "ts": one.ns}, 2)])
    wait_until(lambda: webhook_receiver.requests, "the alert is delivered")
    wait_until(lambda: metrics(service)['tocsin_dead_letters_total{reason="unknown_symbol"}'] == 1, "the refusal is counted")
    shown = wait_until(lambda: (m := metrics(service))["tocsin_tick_to_send_seconds_count"] == 1 and m, "the delivery is counted")
    assert shown['tocsin_dead_letters_total{reason="syntax"}'] == 1
    assert {f'tocsin_kafka_lag_messages{{topic="{topic}",partition="{p}"}}' for p in range(3)} <= shown.keys()
    assert sum(v for k, v in shown.items() if k.startswith("tocsin_kafka_lag")) == 0
    assert shown["tocsin_tick_to_commit_seconds_count"] >= service.database.one("SELECT count(*) FROM tocsin.tick") > 0
    assert shown["tocsin_tick_to_commit_seconds_sum"] < 60 * SLOW
    assert shown['tocsin_tick_to_send_seconds_bucket{le="300"}'] == 0             # the market is of 2024
    assert shown["tocsin_tick_to_stream_seconds_count"] == 2 and shown['tocsin_tick_to_stream_seconds_bucket{le="300"}'] == 0
    assert shown["tocsin_last_event_timestamp_seconds"] == pytest.approx(one.ns / 1e9, abs=0.001)
    skews = {p: v for p in range(3) if (v := shown.get(f'tocsin_feed_skew_seconds{{topic="{topic}",partition="{p}"}}'))}
    assert skews and all(v < -86400 for v in skews.values()), "each partition's trades are of 2024"


def test_metrics_are_as_prometheus_wants_them(one):
    """promtool check metrics has nothing to say, and parses all of it."""
    page = one.service.api("GET", "/metrics", key="").text
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done


# ---- the log ----

def test_the_log_says_when_it_is_ready_what_it_found_and_how_much_goes_through(kafka, service_factory):
    """Numbers are numbers in it."""
    topic = kafka.create_topic("said", 2)
    service = service_factory(topics=[topic], config={**QUIET, "log": {"rates_s": 1}})
    one = drive.Feed(kafka, service).reference()
    found = said(service, "kafka: topic found")
    assert [(e["topic"], e["partitions"]) for e in found] == [(topic, 2)]
    wait_until(lambda: said(service, "ready"), "the log says that it is ready")
    assert [type(e["seq"]) for e in said(service, "ready")] == [int]
    one.session("2024-03-04", 50, 60, 70)
    rates = wait_until(lambda: [e for e in said(service, "rates") if e["records_per_s"] > 0], "a line of rates")
    numbers = {k: v for k, v in rates[0].items() if k not in ("time", "level", "message")}
    assert all(type(v) in (int, float) for v in numbers.values()) and numbers["lag"] == 0 and 0.9 < numbers["span_s"] < 5 * SLOW


def hang_up(service, message):
    """SIGHUP; the new line of the log with that message."""
    before = len(said(service, message))
    service.process.send_signal(signal.SIGHUP)
    return wait_until(lambda: said(service, message)[before:], message)[0]


def test_sighup_reads_what_can_be_read_anew_and_says_so(one):
    service = one.service
    service.config["api"]["port"] = "0"          # as it began: the harness keeps the port for the next start
    service.write_config()
    first = hang_up(service, "reloaded")
    assert (first["log_level"], first["keys"], first["takes_a_restart"]) == ("info", "as before", "")

    # the level, the rates; and what would take a restart is named and left as it is
    service.config.setdefault("log", {}).update(level="error", rates_s="1")
    service.config["engine"]["snapshot_s"] = "77"
    service.config["api"]["threads"] = "3"
    service.write_config()
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not said_lately(service, 2.5), "it is quiet at level error")
    service.config["log"]["level"] = "info"
    service.write_config()
    assert hang_up(service, "reloaded")["takes_a_restart"] == "api.threads, engine.snapshot_s"
    wait_until(lambda: said(service, "rates"), "rates every second")

    # a file with mistakes changes nothing
    service.config["log"]["level"] = "loud"
    service.config["log"]["rates_s"] = "0"
    service.write_config()
    refused = hang_up(service, "reload refused; nothing is changed")
    assert "log.level must be" in refused["reason"] and refused["level"] == "error"
    n = len(said(service, "rates"))
    wait_until(lambda: len(said(service, "rates")) > n, "rates as before")
    service.ini.unlink()
    assert "cannot be read" in hang_up(service, "reload refused; nothing is changed")["reason"]
    service.config["log"]["level"] = "info"
    service.write_config()

    one.trades(1, 2, 3).settle()
    assert service.alive and service.terminate() == 0


def test_sighup_takes_what_is_to_be_kept(one):
    """Old rows go at once, and at once again when it changes; not at the next full hour."""
    service, database = one.service, one.service.database
    service.config["api"]["port"] = "0"          # as it began

    def dead_letter(days):
        before = database.one("SELECT count(*) FROM tocsin.dead_letter")
        one.send(b"no json").settle()
        assert database.one("SELECT count(*) FROM tocsin.dead_letter") == before + 1
        database.execute(f"UPDATE tocsin.dead_letter SET refused_at = now() - interval '{days} days' WHERE dead_letter_id = (SELECT max(dead_letter_id) FROM tocsin.dead_letter)")

    def left():
        return [r[0] for r in database.rows("SELECT date_part('day', now() - refused_at)::int FROM tocsin.dead_letter ORDER BY 1")]

    for days in (1, 5, 9):
        dead_letter(days)
    service.config.setdefault("database", {})["keep_dead_letters_days"] = "7"
    service.write_config()
    assert hang_up(service, "reloaded")["takes_a_restart"] == ""
    wait_until(lambda: left() == [1, 5], "of nine days is gone")
    service.config["database"]["keep_dead_letters_days"] = "3"
    service.write_config()
    hang_up(service, "reloaded")
    wait_until(lambda: left() == [1], "of five days is gone, too")


def said_lately(service, seconds):
    """Does the log grow within that time?"""
    n = len(service.log)
    time.sleep(seconds)
    return len(service.log) > n


def test_sighup_takes_new_keys(one, webhook_receiver):
    """A key put before the old one: secrets are sealed anew without a stop; a key file with a slip changes nothing."""
    service, old, new = one.service, "00" * 32, "11" * 32
    sealed_with = lambda: {r[0] for r in service.database.rows("SELECT substr(secrets, 2, 8) FROM tocsin.channel WHERE secrets IS NOT NULL")}
    service.write_seal_keys(old)
    hang_up(service, "reloaded")
    drive.make_channel(service, webhook_receiver.url)
    before = sealed_with()
    service.write_seal_keys(new, "no key")
    assert "secrets.key:2" in hang_up(service, "reload refused; nothing is changed")["reason"]
    assert sealed_with() == before
    service.write_seal_keys(new, old)
    assert hang_up(service, "reloaded")["keys"] == "changed"
    assert sealed_with() != before and len(sealed_with()) == 1
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    one.trades(90, 110)
    wait_until(lambda: webhook_receiver.requests, "its alert is delivered, signed with the secret sealed anew")


# ---- new partitions ----

@pytest.mark.real_kafka
def test_new_partitions_are_read_within_5_s(one, kafka):
    from confluent_kafka.admin import NewPartitions
    one.kafka.admin.create_partitions([NewPartitions(one.topic, 3)])[one.topic].result(30)
    made = time.monotonic()
    one.kafka.produce(one.topic, [("k", {"kind": "trade", "symbol": "FEEDA", "price": "4321", "ts": one.ns + 10 ** 9}, 2)])
    wait_until(lambda: one.service.measure("last(FEEDA)")["value"] == 4321, "what lies in the new partition", 15)
    assert time.monotonic() - made < 5 * SLOW
    assert said(one.service, "kafka: topic has other partitions")[0]["partitions"] == 3
