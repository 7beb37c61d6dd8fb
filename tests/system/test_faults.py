"""Bad input and faults: each refused with its place and reason, or outlived with nothing lost and nothing twice."""
import json
import random
import re
import signal
import socket
import subprocess
import time

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

import drive
import streams
from drive import QUIET
from harness import webhook
from harness.base import SEED, SLOW, wait_until
from harness.service import Service, command as command_line
from reference_rules import reference_alerts, rules


def owed_alerts(*prices):
    """A rule, and what trades at these prices owe: firing at >= 10, resolved at <= 5."""
    out, firing = [], False
    for p in prices:
        if not firing and p >= 10:
            out.append(("firing", p))
        if firing and p <= 5:
            out.append(("resolved", p))
        firing = p >= 10 or firing and p > 5
    return out


def stored_alerts(database):
    """In the order of the tenant's stream, whose numbers have no gaps and whose ids no repeats."""
    rows = database.rows("SELECT stream_no, alert_id, state, value FROM tocsin.alert ORDER BY stream_no")
    assert [r[0] for r in rows] == list(range(1, len(rows) + 1))
    assert len({r[1] for r in rows}) == len(rows)
    return [r[2:] for r in rows]


# ---- configuration ----

@pytest.mark.parametrize("section,key,value,reason", [
    ("api", "port", "70000", "port"), ("api", "port", "http", "port"), ("api", "prot", "1", "prot"), ("apis", "port", "1", "apis"),
    ("kafka", "brokers", "", "brokers"), ("kafka", "topics", "", "topics"), ("kafka", "property.no.such.thing", "1", "no.such.thing"),
    ("kafka", "property.session.timeout.ms", "soon", "session.timeout.ms"), ("database", "conninfo", "host==1 =", "conninfo"), ("webhooks", "allow_http", "perhaps", "allow_http"),
    ("engine", "clock_ms", "-1", "clock_ms"), ("engine", "clock_ms", "1.5", "clock_ms"), ("engine", "track", "hhi(X); nonsense(Y)", "nonsense"),
])
def test_wrong_setting_is_named_with_its_line(service_factory, kafka, section, key, value, reason):
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    assert s.tocsin("check").returncode == 0
    s.config.setdefault(section, {})[key] = value
    s.write_config()
    lines = s.ini.read_text().splitlines()
    line = 1 + next(n for n, text in enumerate(lines) if n > lines.index(f"[{section}]") and text.startswith(f"{key} ="))
    for command in ("check", "serve", "migrate"):
        done = s.tocsin(command, timeout=60)
        assert done.returncode == 78, (command, done)
        found = re.search(rf"^{re.escape(str(s.ini))}:(\d+): (.*)$", done.stdout + done.stderr, re.M)
        assert found and reason in found[2], (done.stdout, done.stderr)
        assert int(found[1]) == line, s.ini.read_text()


def test_wrong_settings_are_all_named_at_once(service_factory, kafka):
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    s.config["api"]["port"] = "x"
    s.config["engine"]["clock_ms"] = "y"
    s.write_config()
    done = s.tocsin("check")
    assert done.returncode == 78 and len(re.findall(r"^\S+:\d+: ", done.stdout + done.stderr, re.M)) == 2


def test_long_setting_is_whole_or_refused(service_factory, kafka):
    """Line readers like to cut at some length: the second half of a list must not be lost without a word."""
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    s.config["engine"]["track"] = "; ".join(f"top_weight(SMALL, n={n})" for n in range(1, 50))
    s.write_config()
    done = s.tocsin("check")
    assert done.returncode == 0 or "long" in done.stdout + done.stderr, done


def test_wrong_environment_override_is_named(service_factory, kafka):
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    s.env["TOCSIN_API_PORT"] = "x"
    done = s.tocsin("check")
    assert done.returncode == 78 and "TOCSIN_API_PORT" in done.stdout + done.stderr


def test_missing_file_and_wrong_usage(service_factory, kafka, tmp_path):
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    s.ini = tmp_path / "nowhere.ini"
    done = s.tocsin("check")
    assert done.returncode == 78 and "nowhere.ini" in done.stdout + done.stderr
    assert s.tocsin("dance").returncode == 64
    for command in ("serve", "check", "migrate", "keys", "import", "replay", "backtest", "verify", "calendar", "demo"):
        asked = subprocess.run([*command_line(command), "--help"], capture_output=True, text=True, timeout=30, check=False)
        assert asked.returncode == 0 and asked.stdout.startswith(f"usage: tocsin {command} ") and not asked.stderr, asked
    assert s.tocsin("serve", "--no-such-flag").returncode == 64


def test_check_changes_nothing(database_factory, service_factory, kafka):
    s = service_factory(topics=[kafka.create_topic("config")], start=False)
    empty = database_factory()
    s.config["database"]["conninfo"] = empty.conninfo
    s.write_config()
    assert s.tocsin("check").returncode == 0
    assert empty.one("SELECT count(*) FROM pg_namespace WHERE nspname IN ('tocsin', 'market')") == 0


# ---- webhook targets ----

PRIVATE = ["http://127.0.0.1/", "https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://172.16.0.1/", "https://192.168.1.1/",
           "https://169.254.169.254/latest/meta-data/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://0.0.0.0/",
           "https://2130706433/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://100.64.0.1/", "https://198.18.0.1/",
           "https://224.0.0.1/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/"]
NO_URL = ["", "x", "ftp://example.org/", "file:///etc/passwd", "https://", "https://user:pw@example.org/", "https://example.org/\r\nX: y", "http://example.org/",
          "https://example.org:99999/", "gopher://127.0.0.1/", "javascript:alert(1)"]


@pytest.fixture(scope="module")
def strict(kafka, service_factory):
    """A service as it comes: https only, no private addresses."""
    return service_factory(topics=[kafka.create_topic("strict")], config={**QUIET, "webhooks": {"allow_http": "false", "allow_private": "false"}})


@pytest.mark.parametrize("url", PRIVATE + NO_URL)
def test_private_or_wrong_webhook_target_is_refused(strict, url):
    drive.problem(strict.api("POST", "/v1/channels", {"kind": "webhook", "url": url}), 400)
    assert strict.database.one("SELECT count(*) FROM tocsin.channel") == 0


def test_a_name_that_leads_inside_is_refused_when_connecting(kafka, service_factory, webhook_receiver):
    """Made while private targets were allowed, or by a name that changed its mind: the connection itself is refused."""
    service = service_factory(topics=[kafka.create_topic("rebind")], config=QUIET)
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 1, 1, 1).settle()
    made = drive.make_channel(service, webhook_receiver.url)
    drive.make_rule(service, {"rule": "last(FEEDA) > 5"})
    service.config["webhooks"]["allow_private"] = "false"
    service.write_config()
    service.restart()
    feed.trades(9)
    row = wait_until(lambda: [d for d in service.api("GET", f"/v1/channels/{made['id']}/deliveries").json()["deliveries"] if d["attempts"]], "tried")[0]
    assert row["status"] in ("waiting", "failed") and row["last_error"]
    assert webhook_receiver.requests == []


def test_failing_webhook_is_delivered_after_a_restart(one, webhook_receiver):
    """500, a hang, SIGTERM in the middle of it: one id, one body, and it arrives."""
    webhook_receiver.behave(webhook.reply(500), webhook.hang, webhook.reply(200))
    drive.make_channel(one.service, webhook_receiver.url)
    drive.make_rule(one.service, {"rule": "last(FEEDB) > 100"})
    one.trades(101, symbol="FEEDB")
    webhook_receiver.wait(2, 30)
    assert one.service.terminate() == 0
    one.service.start()
    requests = webhook_receiver.wait(3, 60)
    assert len({r.id for r in requests}) == len({r.body for r in requests}) == 1
    wait_until(lambda: one.service.database.one("SELECT status FROM tocsin.outbox") == "delivered", "delivered")


# ---- bad messages ----

def ts(text):
    return text.replace(b"TS", b"1709560900000000000")


BAD = [
    (b"", "syntax"), (b"null", "invalid"), (b"[]", "invalid"), (b"7", "invalid"), (b"{", "syntax"), (b"{}", "invalid"), (b"{} {}", "syntax"), (b"\xff\xfe", "syntax"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":TS}\x00', "syntax"),
    (b'{"kind":"trade","symbol":"FEED\\u0000A","price":"1","ts":TS}', "syntax"),
    (b'{"kind":"trade","symbol":"FEED\xc0\xafA","price":"1","ts":TS}', "syntax"),
    (b'{"kind":"trade","kind":"trade","symbol":"FEEDA","price":"1","ts":TS}', "syntax"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","price":"2","ts":TS}', "syntax"),
    (b'{"kind":"coupon","symbol":"FEEDA","ts":TS}', "unknown_kind"), (b'{"kind":"rule_put","symbol":"FEEDA","ts":TS}', "unknown_kind"),
    (b'{"kind":7,"ts":TS}', "invalid"), (b'{"symbol":"FEEDA","price":"1","ts":TS}', "invalid"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":TS,"venue":"X"}', "invalid"),
    *((b'{"kind":"trade","symbol":"FEEDA","price":' + p + b',"ts":TS}', r) for p, r in (
        (b'"0"', "invalid"), (b"0", "invalid"), (b'"-1"', "invalid"), (b'"NaN"', "invalid"), (b"NaN", "syntax"), (b"Infinity", "syntax"), (b"1e400", None),
        (b'"1e400"', "invalid"), (b'"90000000.00000001"', "invalid"), (b'"0.000000001"', "invalid"), (b"1.123456789", "invalid"), (b'"1,5"', "invalid"),
        (b'" 1"', "invalid"), (b'"+1"', "invalid"), (b'"0x10"', "invalid"), (b'""', "invalid"), (b"true", "invalid"), (b"null", "invalid"), (b"[1]", "invalid"))),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","size":-1,"ts":TS}', "invalid"), (b'{"kind":"trade","symbol":"FEEDA","price":"1","size":90000000001,"ts":TS}', "invalid"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1"}', "invalid"), (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":-1}', "invalid"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":1.5}', "invalid"), (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":9223372036854775808}', None),
    (b'{"kind":"trade","symbol":"","price":"1","ts":TS}', "invalid"), (b'{"kind":"trade","symbol":"SIXTEENCHARACTER","price":"1","ts":TS}', "invalid"),
    (b'{"kind":"trade","symbol":"FE EDA","price":"1","ts":TS}', "invalid"), (b'{"kind":"trade","symbol":"NOBODY","price":"1","ts":TS}', "unknown_symbol"),
    (b'{"kind":"close","symbol":"FEEDA","price":"1","date":"2024-02-30","ts":TS}', "invalid"), (b'{"kind":"close","symbol":"FEEDA","price":"1","ts":TS}', "invalid"),
    (b'{"kind":"clock","session_end":"yesterday","ts":TS}', "invalid"),
    (b'{"kind":"instrument","symbol":"NEW","ts":TS}', "invalid"), (b'{"kind":"instrument","symbol":"NEW","issuer":"' + b"i" * 64 + b'","ts":TS}', "invalid"),
    (b'{"kind":"shares","symbol":"FEEDA","shares":0,"ts":TS}', "invalid"), (b'{"kind":"shares","symbol":"FEEDA","shares":4398046511105,"ts":TS}', "invalid"),
    (b'{"kind":"shares","symbol":"FEEDA","shares":5,"float":"1.01","ts":TS}', "invalid"), (b'{"kind":"shares","symbol":"FEEDA","shares":5,"float":"0","ts":TS}', "invalid"),
    (b'{"kind":"shares","symbol":"NOBODY","shares":5,"ts":TS}', "unknown_symbol"),
    (b'{"kind":"index","index":"has space","ts":TS}', "invalid"), (b'{"kind":"index","index":"' + b"x" * 32 + b'","ts":TS}', "invalid"),
    (b'{"kind":"membership","index":"NONE","symbol":"FEEDA","ts":TS}', "unknown_index"), (b'{"kind":"membership","index":"SMALL","symbol":"NOBODY","ts":TS}', "unknown_symbol"),
    (b'{"kind":"membership","index":"SMALL","symbol":"FEEDA","member":"yes","ts":TS}', "invalid"),
    (b'{"kind":"article","id":"a","headline":"","ts":TS}', "invalid"), (b'{"kind":"article","headline":"h","ts":TS}', "invalid"),
    (b'{"kind":"article","id":"a","headline":"' + b"h" * 1001 + b'","ts":TS}', "invalid"), (b'{"kind":"article","id":"a","headline":"h","symbols":"FEEDA","ts":TS}', "invalid"),
    (b'{"kind":"exposure","issuer":"ONE","theme":"AI","value":"1.1","ts":TS}', "invalid"), (b'{"kind":"exposure","issuer":"ONE","theme":"' + b"t" * 32 + b'","value":"1","ts":TS}', "invalid"),
    (b'{"kind":"position","tenant":"me","book":"b","symbol":"FEEDA","quantity":"1","ts":TS}', "invalid"),
    (b'{"kind":"trade","symbol":"FEEDA","price":"1","ts":TS,"x":' + b"[" * 100 + b"]" * 100 + b"}", "syntax"),
]


def test_a_time_years_ahead_by_both_clocks_is_refused(one, kafka):
    """A producer whose clock is wrong sends a far ts under a CreateTime as far: it is kept as a dead letter, time does not jump
    and the service goes on."""
    database, config = one.service.database, {"bootstrap.servers": kafka.bootstrap}
    if kafka.real:                       # a broker refuses such a CreateTime, unless the topic's owner has allowed it
        allow = ConfigEntry("message.timestamp.after.max.ms", str(2 ** 63 - 1), incremental_operation=AlterConfigOpType.SET)
        for done in kafka.admin.incremental_alter_configs([ConfigResource("topic", one.topic, incremental_configs=[allow])]).values():
            done.result(30)
    producer, far = Producer(config), (2_366_841_600_000, (2 ** 63 - 1) // 10 ** 6)      # 2045; the last millisecond there is
    for ms in far:
        producer.produce(one.topic, json.dumps({"kind": "trade", "symbol": "FEEDA", "price": "9", "ts": ms * 10 ** 6}), "FEEDA", timestamp=ms)
    assert producer.flush(30) == 0
    one.sent += len(far)
    one.trades(51).settle()
    assert database.rows("SELECT reason FROM tocsin.dead_letter") == [("ahead",)] * len(far)
    assert database.one("SELECT max(event_ns) FROM tocsin.tick") == one.ns
    one.service.restart()
    one.trades(52).settle()
    assert one.service.measure("last(FEEDA)")["value"] == 52


def test_bad_messages_are_kept_with_the_reason_and_nothing_else_is_touched(one, kafka):
    database, service = one.service.database, one.service
    refusals = lambda: database.rows("SELECT payload::json->>'symbol' FROM tocsin.event WHERE kind = 26")
    state = lambda: (database.one("SELECT last_seq FROM tocsin.shard") - len(refusals()), database.one("SELECT count(*) FROM tocsin.tick"),
                     database.one("SELECT count(*) FROM tocsin.event WHERE kind <> 26"))
    before, offset = state(), one.sent
    one.send(*(ts(b) for b, _ in BAD))
    one.settle()
    assert state() == before
    assert set(refusals()) == {(one.symbol,)}, "of whose prices they were, and were known"
    rows = database.rows("SELECT kafka_offset, reason, message, detail, topic, part FROM tocsin.dead_letter ORDER BY kafka_offset")
    got = {r[0]: r for r in rows}
    for n, (message, reason) in enumerate(BAD):
        assert offset + n in got, f"accepted: {message[:80]}"
        _, name, stored, detail, topic, part = got[offset + n]
        assert reason is None or name == reason, (message[:100], name, detail)
        if name == "unknown_symbol" and b'"trade"' in message:     # refused after decoding: told again from what it said
            assert json.loads(ts(message)).items() <= json.loads(stored).items()
        else:
            assert bytes(stored or b"") == ts(message), (n, bytes(stored or b""), ts(message))
        assert detail and (topic, part) == (one.topic, 0)
    assert len(rows) == len(BAD)
    shown = dict(re.findall(r'^tocsin_dead_letters_total\{reason="(\w+)"\} (\d+)$', service.api("GET", "/metrics").text, re.M))
    stored = dict(service.database.rows("SELECT reason, count(*)::text FROM tocsin.dead_letter GROUP BY 1"))
    assert {k: v for k, v in shown.items() if v != "0"} == stored and sum(map(int, stored.values())) == len(BAD)
    one.trades(77).settle()
    assert service.measure(f"last({one.symbol})")["value"] == 77


def test_message_shells(one, kafka):
    """No key, no value, a megabyte."""
    n = one.sent
    one.sent += kafka.produce(one.topic, [(None, b'{"kind":"trade","symbol":"FEEDA","price":"31","ts":1709570000000000000}'), (b"k", None), (b"", b"x" * 900_000)])
    one.settle()
    assert [r[0] - n for r in one.service.database.rows("SELECT kafka_offset FROM tocsin.dead_letter ORDER BY 1")] == [1, 2]
    assert one.service.measure("last(FEEDA)")["value"] == 31


# ---- PostgreSQL and Kafka gone and back ----

@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_stopped_and_started(one, kafka, postgres, webhook_receiver, mode):
    service = one.service
    drive.make_channel(service, webhook_receiver.url)
    one.trades(1).settle()
    drive.make_rule(service, {"rule": "last(FEEDA) >= 10", "clear": "5"})
    prices = [p for n in range(50) for p in (12 + n, 4)]
    one.trades(*prices[:40])
    postgres.stop(mode)
    try:
        one.trades(*prices[40:])                       # Kafka goes on
        wait_until(lambda: service.api("GET", "/readyz", key="").status_code == 503, "not ready")
        assert any("database" in r or "postgres" in r.lower() for r in service.api("GET", "/readyz", key="").json()["reasons"])
        assert service.api("GET", "/v1/rules").status_code == 503
        assert service.api("GET", "/healthz", key="").status_code == 200
        assert service.alive
    finally:
        postgres.start()
    service.wait_ready(30)
    one.settle()
    want = owed_alerts(*prices)
    assert stored_alerts(service.database) == want
    wait_until(lambda: len({r.id for r in webhook_receiver.requests}) >= len(want), "every alert at the receiver", 60)
    assert len(webhook_receiver.requests) == len(want), "sent twice"
    drive.make_rule(service, {"rule": "last(FEEDA) >= 1000"})          # and it can be written to again


def test_start_without_postgresql_says_so(kafka, postgres, service_factory):
    service = service_factory(topics=[kafka.create_topic("nodb")], config=QUIET)
    service.terminate()
    postgres.stop()
    try:
        done = None
        try:
            service.start(wait=False)
            wait_until(lambda: not service.ready(), "not ready")
        except AssertionError as ended:                # or it ends with a clear message
            done = str(ended)
        assert done is None or "database" in done
    finally:
        postgres.start()
    service.kill9() if service.alive else None
    service.expected_dead = True
    service.start()


@pytest.mark.real_kafka
@pytest.mark.parametrize("hard", [False, True], ids=["stop", "kill"])
def test_kafka_restarted(one, kafka, hard):
    service = one.service
    one.trades(1).settle()
    drive.make_rule(service, {"rule": "last(FEEDA) >= 10", "clear": "5"})
    prices = [p for n in range(40) for p in (12 + n, 4)]
    one.trades(*prices[:30]).settle()
    kafka.kill9() if hard else kafka.stop()
    try:
        wait_until(lambda: service.api("GET", "/readyz", key="").status_code == 503, "not ready", 60)
        assert any("kafka" in r for r in service.api("GET", "/readyz", key="").json()["reasons"])
        assert service.api("GET", "/v1/measures").status_code == 200 and service.alive       # what is known is still served
    finally:
        kafka.start()
    one.trades(*prices[30:])
    service.wait_ready(60)
    one.settle(90)
    assert stored_alerts(service.database) == owed_alerts(*prices)
    assert service.database.one("SELECT max(source_epoch) FROM tocsin.source") == service.database.one("SELECT min(source_epoch) FROM tocsin.source")


def librdkafka():
    return subprocess.run(["pkg-config", "--modversion", "rdkafka"], capture_output=True, text=True, check=True).stdout.strip()


def started_again(service):
    """librdkafka 2.8 frees the entry of a topic whose id has changed unseen, keeps it in its metadata cache's tree, and may crash on it whatever we do
    (rdkafka_metadata_cache.c, rd_kafka_metadata_cache_insert). What keeps a service running starts it again then, and so does this; any other
    version, and any other end, fails the test. True: it was dead."""
    if service.alive:
        return False
    assert librdkafka().startswith("2.8.") and service.process.returncode in (-signal.SIGSEGV, -signal.SIGABRT), service.process.returncode
    service.start(wait=False)
    return True


@pytest.mark.real_kafka
@pytest.mark.parametrize("service_is", ["running", "stopped", "frozen"])
@pytest.mark.parametrize("longer", [True, False], ids=["longer", "shorter"])
def test_topic_made_anew_is_a_new_life(one, kafka, service_is, longer):
    """Deleted and made again under the same name: everything in it is read from its start, whether it is shorter or longer than the
    old position, and the change is shown and counted. A frozen service sees none of it happen: it wakes to a topic that goes on
    at its position."""
    service, database = one.service, one.service.database
    old = database.rows("SELECT source_id, source_epoch, next_offset FROM tocsin.source")
    assert len(old) == 1 and old[0][2] == one.sent
    ticks = database.one("SELECT count(*) FROM tocsin.tick")
    if service_is == "stopped":
        service.terminate()
    elif service_is == "frozen":
        service.process.send_signal(signal.SIGSTOP)
    kafka.recreate_topic(one.topic)
    one.sent = 0
    n = old[0][2] + 15 if longer else 5
    one.trades(*range(100, 100 + n))
    if service_is == "stopped":
        service.start()
    elif service_is == "frozen":
        service.process.send_signal(signal.SIGCONT)
    restarts = []                                                   # of a client that cannot take it
    lives = lambda: restarts.append(started_again(service)) or database.one("SELECT count(*) FROM tocsin.source WHERE topic = %s", one.topic) == 2
    wait_until(lives, "a second life", 90)
    one.settle(90)
    lives = database.rows("SELECT source_id, source_epoch, next_offset, reason FROM tocsin.source ORDER BY source_epoch")
    assert lives[0][:3] == old[0] and lives[1][1] > lives[0][1] and lives[1][2] == n and lives[1][3]
    assert database.one("SELECT count(*) FROM tocsin.tick") == ticks + n, "all of it, once"
    assert service.measure("last(FEEDA)")["value"] == 99 + n
    assert any(s["topic"] == one.topic and s["source_epoch"] == lives[1][1] for s in service.api("GET", "/v1/status").json()["sources"])
    if service_is != "stopped" and not any(restarts):
        assert re.search(r"^tocsin_source_epochs_total 1$", service.api("GET", "/metrics").text, re.M)
    kpos = database.rows("SELECT kpos FROM tocsin.tick ORDER BY seq")
    assert len(set(kpos)) == len(kpos)


@pytest.mark.real_kafka
def test_records_the_broker_deleted_are_a_gap(one, kafka):
    service, database = one.service, one.service.database
    service.terminate()
    stood = one.sent
    one.trades(*range(10, 30))
    kafka.delete_records(one.topic, stood + 12)
    service.start()
    one.settle()
    assert database.rows("SELECT from_offset, to_offset FROM tocsin.data_gap") == [(stood, stood + 12)]
    assert service.api("GET", "/v1/status").json()["gaps"]
    assert [p // 10 ** 8 for p, in database.rows("SELECT price_e8 FROM tocsin.tick WHERE day_or_kind = -2147483648 ORDER BY seq")] == list(range(22, 30))


# ---- stopping ----

def test_sigterm_in_the_middle(kafka, service_factory, webhook_receiver):
    """Ten times under load: exit 0 within 10 s with a message, and together the owed alerts, each sent once."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    topic = kafka.create_topic("sigterm")
    service = service_factory(topics=[topic], config=QUIET)
    messages = [streams.encode(m) for m in streams.market(SEED, sessions=5, trades=3000)]
    head = streams.reference_count()
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)
    wanted = rules(rng)
    for r in wanted:
        drive.make_rule(service, r.body())
    drive.make_channel(service, webhook_receiver.url)
    step = len(messages) // 10 + 1
    for start in range(head, len(messages), step):
        kafka.produce(topic, messages[start:start + step])
        time.sleep(rng.uniform(0, 0.15))               # the random instant itself
        began = time.monotonic()
        assert service.terminate() == 0
        assert time.monotonic() - began < 10
        service.start()
    drive.drained(service, topic, len(messages))
    owed = sorted(reference_alerts(wanted, drive.steps(service.database)))
    assert sorted(service.database.rows("SELECT seq, event_ns, rule_name, state, value FROM tocsin.alert")) == owed and owed
    wait_until(lambda: service.database.one("SELECT count(*) FROM tocsin.outbox WHERE status = 'waiting'") == 0, "outbox empty")
    ids = [r.id for r in webhook_receiver.requests]
    assert len(ids) == len(set(ids)) == len(owed), "a stop in good order sends nothing twice"
    assert sum("stop" in e["message"] for e in service.log_entries) >= 10


def test_one_wish_to_end_may_come_as_two_signals(one):
    """A signal to a process group reaches the service, and once more from a make or shell that passes it on: within a second that is one wish."""
    one.trades(1, 2, 3)
    for _ in range(20):                                # where this process itself was held up, they were two wishes: once more
        began = time.monotonic()
        for _ in range(3):
            one.service.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
        took = time.monotonic() - began
        one.service.expected_dead = True
        code = one.service.process.wait(15 * SLOW)
        if took < 0.9:
            break
        one.service.start()
    assert took < 0.9 and code == 0


def test_second_instance_fences_the_first(one, kafka, service_factory):
    """Two on one database: the later one owns the shard; the earlier one ends and says why; nothing is stored twice.

    When it ends is its own affair: with the first commit that is refused, before, amid or after the second one's."""
    first = one.service
    second = Service(first.database, kafka.bootstrap, first.topics, config=QUIET)
    try:
        first.expected_dead = True
        one.service = second.start()
        one.trades(*range(20, 40)).settle()
        assert first.process.wait(30 * SLOW) == 77
        assert "fenced" in first.log or "another instance" in first.log
        assert first.database.one("SELECT count(*) FROM tocsin.tick WHERE day_or_kind = -2147483648") == 20
    finally:
        second.close()


def test_port_in_use_is_a_clear_message(kafka, service_factory):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        service = service_factory(topics=[kafka.create_topic("port")], config={"api": {"port": s.getsockname()[1]}}, start=False)
        done = service.tocsin("serve", timeout=30)
        assert done.returncode not in (0, -6, -11) and str(s.getsockname()[1]) in done.stderr


def test_a_start_that_fails_leaves_the_running_service_alone(one):
    """The same settings once more: the port is taken, and that is found out before the shard is."""
    again = one.service.tocsin("serve", timeout=60)
    assert again.returncode not in (0, -6, -11) and f"port {one.service.port}" in again.stderr
    one.trades(1, 2, 3).settle()
    assert one.service.alive and one.service.ready()


def test_import_refuses_the_future(one, tmp_path):
    """Event time only goes forward: a year mistyped would make everything after it old for good."""
    service = one.service
    service.terminate()
    before = service.database.one("SELECT last_seq FROM tocsin.shard")
    (tmp_path / "prices.csv").write_text("date,symbol,close\n2024-03-05,FEEDA,51\n2204-03-06,FEEDA,52\n")
    done = service.tocsin("import", "--prices", str(tmp_path / "prices.csv"))
    assert done.returncode not in (0, -6, -11) and "prices.csv:3: is in the future" in done.stderr + done.stdout, done
    assert service.database.one("SELECT last_seq FROM tocsin.shard") == before


def test_import_beside_a_running_service_is_refused(one, tmp_path):
    """It takes the shard, which would end the service."""
    (tmp_path / "prices.csv").write_text("date,symbol,close\n2024-03-05,FEEDA,51\n")
    done = one.service.tocsin("import", "--prices", str(tmp_path / "prices.csv"))
    assert done.returncode not in (0, -6, -11) and "stop it first" in done.stderr, done
    one.trades(1, 2).settle()
    assert one.service.alive


def test_import_of_other_closes_of_a_session_that_is_over_is_refused(one, tmp_path):
    """They would be computed with later prices. The very same closes are no news, and said to be none."""
    service = one.service
    service.terminate()
    (tmp_path / "prices.csv").write_text("date,symbol,close\n2024-03-05,FEEDA,51\n2024-03-06,FEEDA,52\n")
    service.check_ran("import", "--prices", str(tmp_path / "prices.csv"))
    before = service.database.one("SELECT last_seq FROM tocsin.shard")
    for date, price, words in (("2024-03-05", 50, "is stored as 51, here it is 50"), ("2023-07-03", 51, "is not stored, but that session is over")):
        (tmp_path / "again.csv").write_text(f"date,symbol,close\n{date},FEEDA,{price}\n")
        done = service.tocsin("import", "--prices", str(tmp_path / "again.csv"))
        assert done.returncode == 65 and words in done.stderr, done
    assert "nothing new" in service.check_ran("import", "--prices", str(tmp_path / "prices.csv"))
    assert service.database.one("SELECT last_seq FROM tocsin.shard") == before
    (tmp_path / "next.csv").write_text("date,symbol,close\n2024-03-07,FEEDA,53\n")
    service.check_ran("import", "--prices", str(tmp_path / "next.csv"))
    assert service.database.one("SELECT last_seq FROM tocsin.shard") == before + 2
    assert "0 differing" in service.check_ran("verify")

def test_a_database_without_the_schema_is_named_by_every_command(service_factory, database_factory, kafka):
    service = service_factory(topics=[kafka.create_topic("bare")], start=False)
    service.config["database"]["conninfo"] = database_factory().conninfo
    service.write_config()
    for command in (("verify",), ("serve",), ("backtest", "--rule", "last(FEEDA) > 1"), ("keys", "list", "--tenant", "acme")):
        done = service.tocsin(*command, timeout=60)
        assert done.returncode > 0 and "tocsin migrate" in done.stderr + done.stdout, (command, done)


def test_rules_have_a_limit(kafka, service_factory):
    """engine.rules_max live rules a tenant; of deleted ones, whose ids are remembered, ten times as many."""
    service = service_factory(topics=[kafka.create_topic("limit")], config={"engine": {"clock_ms": 0, "rules_max": 3}})
    drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    body = {"rule": "last(FEEDA) >= 100"}
    made = [drive.make_rule(service, body) for _ in range(3)]
    full = drive.problem(service.api("POST", "/v1/rules", body), 429)
    assert "3 rules" in full["detail"] and "engine.rules_max" in full["detail"]
    drive.make_rule(service, body, key=service.new_key("other"))                # each tenant has its own
    assert service.api("PUT", f"/v1/rules/{made[0]['id']}", {"rule": "last(FEEDA) >= 101"}).status_code == 200
    for n in range(27):
        assert service.api("DELETE", f"/v1/rules/{made.pop()['id']}").status_code == 204
        if n == 13:
            service.restart()                                                    # the count is that of the rules, not of the process
        made.append(drive.make_rule(service, body))
    assert service.api("DELETE", f"/v1/rules/{made[0]['id']}").status_code == 204
    assert "30 rules have been made" in drive.problem(service.api("POST", "/v1/rules", body), 429)["detail"]
