"""From the commit to the subscriber: signed webhooks, retries under one id and body, the live stream with resume."""
import base64
import json
import pathlib
import queue
import socket
import threading
import time

import pytest

import drive
from harness import webhook
from harness.base import wait_until
from harness.webhook import WebhookReceiver, signed_by

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def feed(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("delivery")], config={"engine": {"clock_ms": 0}})
    return drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()


@pytest.fixture
def service(feed):
    return feed.service


@pytest.fixture
def rule(service, feed):
    """One that fires at 10 and resolves at 5; deleted with the test."""
    feed.trades(1).settle()
    r = drive.make_rule(service, {"name": "bell", "rule": f"last({feed.symbol}) >= 10", "clear": "5"})
    yield r
    service.api("DELETE", f"/v1/rules/{r['id']}")


@pytest.fixture
def channel(service):
    """channel(url): removed with the test, so that no test's receiver gets another's alerts."""
    made = []

    def make(url, **more):
        made.append(drive.make_channel(service, url, **more))
        return made[-1]
    yield make
    for c in made:
        service.api("DELETE", f"/v1/channels/{c['id']}")


def deliveries(service, channel):
    return service.api("GET", f"/v1/channels/{channel['id']}/deliveries").json()["deliveries"]


# ---- webhook ----

def test_signed_webhook(service, feed, rule, channel, webhook_receiver):
    made = channel(webhook_receiver.url)
    assert made["secret"].startswith("whsec_")
    assert "secret" not in service.api("GET", f"/v1/channels/{made['id']}").json()
    assert made["secret"] not in service.api("GET", "/v1/channels").text
    feed.trades(12)
    request = webhook_receiver.wait(1)[0]
    assert signed_by(request, made["secret"])
    assert abs(int(request.headers["webhook-timestamp"]) - time.time()) < 60
    assert request.headers["content-type"].startswith("application/json") and len(request.body) <= 20_000
    alert = request.json()
    assert (alert["type"], alert["state"], alert["value"], alert["measure"]) == ("alert.firing", "firing", 12, f"last({feed.symbol})")
    assert alert["id"] == request.id and alert["rule"] == {"id": rule["id"], "version": 1, "name": "bell", "text": rule["rule"]}
    assert drive.alerts(service, rule["id"])[-1]["id"] == alert["id"]
    feed.trades(4)
    second = webhook_receiver.wait(2)[1]
    assert second.json()["type"] == "alert.resolved" and second.id != request.id
    request.body = request.body.replace(b"12", b"13", 1)
    assert not signed_by(request, made["secret"])


def test_own_secret(feed, rule, channel, webhook_receiver):
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    channel(webhook_receiver.url, secret=secret)
    feed.trades(12)
    assert signed_by(webhook_receiver.wait(1)[0], secret)


@pytest.mark.parametrize("secret", ["whsec_" + base64.b64encode(b"k" * n).decode() for n in (23, 65)] + ["k" * 40, "whsec_***", 5])
def test_bad_secret_is_refused(service, secret):
    drive.problem(service.api("POST", "/v1/channels", {"kind": "webhook", "url": "http://127.0.0.1:9/", "secret": secret}), 400)


@pytest.mark.parametrize("behaviour", [webhook.reply(500), webhook.reply(404), webhook.reply(302, {"Location": "http://127.0.0.1:9/"}), webhook.reset],
                         ids=["500", "404", "302", "reset"])
def test_failed_delivery_comes_again_the_same(service, feed, rule, channel, webhook_receiver, behaviour):
    webhook_receiver.behave(behaviour, webhook.reply(204))
    made = channel(webhook_receiver.url)
    feed.trades(12)
    first, second = webhook_receiver.wait(2, 30)
    assert first.body == second.body and first.id == second.id
    assert second.at - first.at >= 3.9             # 5 s, less the 20 % of jitter
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert signed_by(second, made["secret"])
    done = wait_until(lambda: [d for d in deliveries(service, made) if d["status"] == "delivered"], "delivered")
    assert done[0]["attempts"] == 2 and len(webhook_receiver.requests) == 2


def test_gone_disables_the_channel(service, feed, rule, channel, webhook_receiver):
    webhook_receiver.behave(webhook.reply(410))
    made = channel(webhook_receiver.url)
    feed.trades(12)
    off = wait_until(lambda: (lambda c: not c["enabled"] and c)(service.api("GET", f"/v1/channels/{made['id']}").json()), "disabled")
    assert off["disabled_reason"]
    assert len(webhook_receiver.requests) == 1


@pytest.mark.parametrize("behaviour", [webhook.hang, webhook.trickle, webhook.flood], ids=lambda b: b.__name__)
def test_a_bad_receiver_does_not_hold_up_another(feed, rule, channel, webhook_receiver, behaviour):
    bad = WebhookReceiver()
    try:
        bad.behave(behaviour)
        channel(bad.url)
        channel(webhook_receiver.url)
        feed.trades(12)
        bad.wait(1)
        feed.trades(4, 12, 4, 12, 4, 12)
        webhook_receiver.wait(7)
        assert behaviour is webhook.flood or len(bad.requests) < 7, "one waited for the other, turn about"     # a flood begins with 200: it is taken
    finally:
        bad.close()


def test_nobody_listens(service, feed, rule, channel):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    made = channel(f"http://127.0.0.1:{port}/")
    feed.trades(12)
    row = wait_until(lambda: [d for d in deliveries(service, made) if d["attempts"] >= 1], "one attempt")[0]
    assert row["status"] == "waiting" and row["last_error"]


# ---- live stream ----

def test_live_stream_carries_the_webhook_bytes(service, feed, rule, channel, webhook_receiver):
    channel(webhook_receiver.url)
    with service.stream() as s:
        assert s.status == 200 and s.response.headers["content-type"].startswith("text/event-stream")
        feed.trades(12)
        e = s.next()
        assert e.event == "alert" and e.json()["stream_no"] == int(e.id) and e.json()["rule"]["id"] == rule["id"]
        assert webhook_receiver.wait(1)[0].body == e.data.encode()


def numbers(events):
    return [int(e.id) for e in events]


def test_resume_has_no_gap_and_no_repeat(service, feed, rule):
    feed.trades(*[p for _ in range(30) for p in (12, 4)]).settle()
    everything = [a["stream_no"] for a in drive.alerts(service)]
    assert everything == list(range(1, len(everything) + 1)) and len(everything) >= 60
    with service.stream(last_event_id=0) as s:
        assert numbers(s.take(len(everything))) == everything
    start = everything[-20]
    with service.stream(last_event_id=start) as s:
        got = numbers(s.take(7))
    maker = threading.Thread(target=feed.trades, args=[p for _ in range(20) for p in (12, 4)])     # goes on while the reader comes back
    maker.start()
    with service.stream(last_event_id=got[-1]) as s:
        got += numbers(s.take(12 + 40))
    maker.join()
    assert got == list(range(start + 1, everything[-1] + 41))


def test_resume_over_a_kill_of_the_service(service, feed, rule):
    feed.trades(12, 4)
    with service.stream(last_event_id=0) as s:
        first, second = s.take(2)
    service.restart(hard=True)
    with service.stream(last_event_id=first.id) as s:
        assert s.next() == second


def test_quiet_stream_beats(service):
    """A comment at least every 15 s, and a cursor from another world shows nobody else's alerts."""
    with service.stream(last_event_id=10 ** 9, key=service.new_key("reader")) as s:
        assert s.status == 200 and s.begun.get(timeout=10).event == "reset"
        wait_until(lambda: s.beats, "a beat", 16)
        assert s.events.empty()


def test_it_begins_with_its_position(service, feed, rule):
    """So that who is cut off before the first alert loses nothing; before anything else, and no alert."""
    feed.trades(12, 4).settle()
    newest = drive.alerts(service)[-1]["stream_no"]
    for cursor, at in ((None, newest), (0, 0), (newest - 1, newest - 1), (newest, newest)):
        with service.stream(last_event_id=cursor) as s:
            begun = s.begun.get(timeout=10)
            assert (begun.id, begun.event, begun.data) == (str(at), "position", "")
            assert numbers(s.take(newest - at)) == list(range(at + 1, newest + 1))
    with service.stream() as s:
        position = s.begun.get(timeout=10).id
    feed.trades(12, 4).settle()
    with service.stream(last_event_id=position) as s:
        assert numbers(s.take(2)) == [newest + 1, newest + 2]


def test_a_cursor_ahead_of_the_database_is_said(service, feed, rule):
    feed.trades(12, 4).settle()
    newest = drive.alerts(service)[-1]["stream_no"]
    with service.stream(last_event_id=newest + 5) as s:
        begun = s.begun.get(timeout=10)
        assert (begun.id, begun.event) == (str(newest), "reset")
        assert begun.json()["asked"] == newest + 5 and begun.json()["newest"] == newest and "database" in begun.json()["detail"]
        feed.trades(12)
        assert s.next().id == str(newest + 1)


def test_a_foreign_reader_loses_nothing_over_a_kill_before_its_first_event(service, feed, rule, node):
    """The npm eventsource client connects, the service is killed, two alerts are committed where it cannot see them, it comes back."""
    feed.trades(12, 4).settle()
    newest = drive.alerts(service)[-1]["stream_no"]
    with node.start(HERE / "eventsource_read.mjs", service.url, service.key, 3) as reader:
        assert reader.line() == "open"
        service.kill9()
        port, service.port, service.config["api"]["port"] = service.port, 0, "0"
        service.write_config()
        service.start()                    # at another door
        assert service.port != port
        feed.trades(12, 4).settle()
        assert service.terminate() == 0
        service.port, service.config["api"]["port"] = port, str(port)
        service.write_config()
        service.start()
        assert [reader.line(60), reader.line(60)] == [f"alert {newest + 1} firing", f"alert {newest + 2} resolved"]
        feed.trades(12)
        assert reader.line() == f"alert {newest + 3} firing"


@pytest.mark.parametrize("cursor", ["x", "-1", "1e3", "99999999999999999999", "' OR 1=1"])
def test_bad_cursor_is_refused(service, cursor):
    with service.stream(last_event_id=cursor) as s:
        assert s.status == 400


def test_stream_of_a_tenant_is_its_own(service, feed, rule):
    key = service.new_key("neighbour")
    theirs = drive.make_rule(service, {"name": "theirs", "rule": f"last({feed.symbol}) >= 20", "clear": "5"}, key=key)
    with service.stream(last_event_id=0, key=key) as s:
        feed.trades(12, 4, 25, 22).settle()
        data = s.next().json()
        assert (data["stream_no"], data["rule"]["id"], data["value"]) == (1, theirs["id"], 25)
        with pytest.raises(queue.Empty):
            s.next(0.2)


def test_stored_alert_is_the_sent_one(service, feed, rule, channel, webhook_receiver):
    channel(webhook_receiver.url)
    feed.trades("12.5", 4)
    for request in webhook_receiver.wait(2):
        assert service.api("GET", f"/v1/alerts/{request.id}").json() == json.loads(request.body)
