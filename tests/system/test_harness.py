"""The tools that the other tests lean on do what they say."""
import base64
import hashlib
import hmac
import time
import urllib.request

import psycopg
import pytest

from harness import webhook


def test_kafka_keeps_order_keys_and_partitions(kafka):
    topic = kafka.create_topic("harness", partitions=2)
    assert kafka.produce(topic, [("a", {"n": 1}, 0), ("b", b"two", 1), ("a", "three", 0)]) == 3
    assert kafka.produce([(topic, None, "four", 0)]) == 1
    assert kafka.consume(topic, 3) == [(b"a", b'{"n": 1}'), (b"a", b"three"), (None, b"four")]
    assert kafka.end_offset(topic, 1) == 1


@pytest.mark.real_kafka
def test_kafka_survives_a_kill_and_forgets_a_deleted_topic(kafka):
    topic = kafka.create_topic("harness")
    kafka.produce(topic, [("k", "before")])
    kafka.restart(hard=True)
    assert kafka.consume(topic, 1, seconds=30) == [(b"k", b"before")]
    kafka.recreate_topic(topic)
    assert kafka.end_offset(topic) == 0
    kafka.produce(topic, [("k", str(n)) for n in range(5)])
    kafka.delete_records(topic, before=3)
    kafka.produce(topic, [("k", "5")])
    assert kafka.end_offset(topic) == 6


def test_postgres_comes_back_from_a_crash_with_what_was_committed(postgres, database):
    database.execute("CREATE TABLE t (x integer)")
    with database.connect() as open_one:
        database.execute("INSERT INTO t VALUES (%s)", 7)
        postgres.restart("immediate")
        with pytest.raises(psycopg.OperationalError):
            open_one.execute("SELECT 1")
    assert database.rows("SELECT x FROM t") == [(7,)]
    assert database.one("SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()") == "UTF8"
    assert database.one("SHOW fsync") == "on"


def test_webhook_receiver_writes_down_and_follows_its_script(webhook_receiver):
    def post(body):
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return direct.open(urllib.request.Request(webhook_receiver.url, data=body, headers={"Webhook-Id": "m1"}), timeout=5).status

    webhook_receiver.behave(webhook.reply(503), webhook.reset, webhook.reply(204))
    with pytest.raises(OSError):
        post(b"first")
    with pytest.raises(OSError):
        post(b"second")
    assert [post(b"third"), post(b"fourth")] == [204, 204]
    assert [r.body for r in webhook_receiver.wait(4)] == [b"first", b"second", b"third", b"fourth"]
    assert webhook_receiver.requests[0].id == "m1"


def test_the_foreign_verifier_agrees_with_ours(node):
    secret = "whsec_" + base64.b64encode(bytes(range(24))).decode()
    body, at = '{"name": "Zürich"}'.encode(), str(int(time.time()))
    signature = base64.b64encode(hmac.new(bytes(range(24)), b"m1." + at.encode() + b"." + body, hashlib.sha256).digest()).decode()
    request = webhook.Request("/", {"webhook-id": "m1", "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}, body, 0)
    tampered = webhook.Request("/", request.headers, body.replace(b"Z", b"z"), 0)
    assert [webhook.signed_by(r, secret) for r in (request, tampered)] == [True, False]
    assert [v == "ok" for v in webhook.verdicts(node, secret, [request, tampered])] == [True, False]
