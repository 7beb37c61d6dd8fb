"""kill -9 at random instants: what is stored is row for row what an undisturbed run stores, and every owed alert arrives.

A database is prepared once (tenant, key, rules, channel) and copied, so both runs start with the same rules at the same seq. The
stream is fed while the first run is being killed, in turns of another size each time; the second run then reads the whole topic undisturbed.
TOCSIN_KILLS (20) and TOCSIN_SEED repeat a run."""
import os
import random
import threading
import time

import pytest

import drive
import streams
from harness.base import SEED, wait_until
from reference_rules import reference_alerts, rules

KILLS = int(os.environ.get("TOCSIN_KILLS", "20"))

# Every column but those of the wall clock (created_at, taken_at, refused_at ...), the attempts of the outbox, and the fence.
TABLES = {
    "tick": ("seq, event_ns, received_ms, kpos, price_e8, size_e8, instrument_id, day_or_kind", "seq"),
    "close": ("seq, instrument_id, session, price_e8", "instrument_id, session, seq"),
    "event": ("seq, event_ns, received_ms, kpos, kind, tenant_id, payload", "seq"),
    "instrument": ("instrument_id, symbol, issuer, name", "instrument_id"),
    "quality": ("quality_no, quality_id, seq, event_ns, reason, instrument_id, before, after, state, state_seq, detail", "quality_no"),
    "series": ("series_id, tenant_id, measure, unit, version", "series_id"),
    "reading": ("seq, event_ns, series_id, tenant_id, value, coverage, staleness_ns, status, measure_version", "seq, series_id"),
    "article_score": ("seq, article_id, event_ns, headline, source, positive, neutral, negative, score, label, tickers, scorer", "seq"),
    "rule": ("tenant_id, rule_id, version, seq, definition, deleted", "tenant_id, rule_id"),
    "rule_version": ("tenant_id, rule_id, version, seq, change, definition", "tenant_id, rule_id, version"),
    "alert": ("tenant_id, stream_no, alert_id, seq, event_ns, state, rule_id, rule_version, rule_no, rule_name, rule_text, severity, "
              "measure, unit, value, inputs, episode, reason, since_ns, previous, op, threshold, clear, hold_s, definition", "tenant_id, stream_no"),
    "outbox": ("tenant_id, alert_id, channel_id, stream_no", "tenant_id, alert_id, channel_id"),
    "dead_letter": ("topic, part, kafka_offset, source_id, reason, detail, encode(message_key, 'hex'), encode(message, 'hex')", "kafka_offset"),
    "source": ("source_id, topic, part, source_epoch, next_offset", "source_id"),
    "data_gap": ("source_id, from_offset, to_offset", "gap_id"),
    "shard": ("shard_id, last_seq", "shard_id"),
}


def dump(database):
    return {t: database.rows(f"SELECT {columns} FROM tocsin.{t} ORDER BY {order}") for t, (columns, order) in TABLES.items()}


def differences(a, b):
    for t in TABLES:
        if a[t] == b[t]:
            continue
        first = next((n for n, (x, y) in enumerate(zip(a[t], b[t])) if x != y), min(len(a[t]), len(b[t])))
        yield f"{t}: {len(a[t])} and {len(b[t])} rows, first difference at row {first}: {a[t][first:first + 1]} {b[t][first:first + 1]}"


def delivered_everything(service, receiver):
    """Every alert stored reached the receiver, under its own id and always with the same bytes; nothing else did."""
    ids = {str(row[0]) for row in service.database.rows("SELECT alert_id FROM tocsin.alert")}
    wait_until(lambda: service.database.one("SELECT count(*) FROM tocsin.outbox WHERE status = 'waiting'") == 0, "outbox empty", 120)
    bodies = {}
    for request in receiver.requests:
        bodies.setdefault(request.id, set()).add(request.body)
    assert ids - set(bodies) == set(), "owed but not delivered"
    assert set(bodies) - ids == set(), "delivered but not owed"
    assert all(len(b) == 1 for b in bodies.values()), "one id with two bodies"
    return {i: b.pop() for i, b in bodies.items()}


def feed(kafka, topic, messages, seconds):
    """In ten pieces over that time, so that engine snapshots are taken in the middle of the stream; or all at once."""
    pieces = 10 if seconds > 0.5 else 1
    for n in range(pieces):
        kafka.produce(topic, messages[len(messages) * n // pieces:len(messages) * (n + 1) // pieces])
        time.sleep(seconds / pieces)


def newest_snapshot(database):
    return database.one("SELECT coalesce(max(seq), 0) FROM tocsin.snapshot")


def worked(database, before, feeder, fed):
    """The life has a snapshot of its own behind it; or nothing to take one of: all that it was fed is stored, and in the last one."""
    newest = newest_snapshot(database)
    done = not feeder.is_alive() and database.one("SELECT max(next_offset) FROM tocsin.source") >= fed
    return newest > before or done and newest == database.one("SELECT last_seq FROM tocsin.shard")


@pytest.mark.timeout(1200)
def test_kills_leave_no_trace(database_factory, kafka, service_factory, webhook_receiver):
    print(f"TOCSIN_SEED={SEED} TOCSIN_KILLS={KILLS}")
    rng = random.Random(SEED)
    topic = kafka.create_topic("kills")
    first = database_factory()
    config = {"engine": {"clock_ms": 0, "snapshot_s": 1, "stale_after_ms": 0, "burst_alerts": 1, "track": f"ew_level({streams.INDEX}); spread({streams.INDEX}, window=1d); sentiment(S00); "
                                                 f"ai_sentiment({streams.INDEX}); top_weight({streams.INDEX}, n=3)"}}
    service = service_factory(database=first, topics=[topic], config=config)
    messages = [streams.encode(m) for m in streams.market(SEED, sessions=8, trades=4000, tenant=service.tenant_id)]
    head = streams.reference_count()
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)              # what a rule names must be there first
    wanted = rules(rng)
    for r in wanted:
        drive.make_rule(service, r.body(), idempotency_key=r.name.replace(" ", "-"))
    drive.make_channel(service, webhook_receiver.url)
    assert service.terminate() == 0
    second = drive.copy_of(first, database_factory())

    cuts = sorted(rng.sample(range(head, len(messages)), KILLS))
    for n, (start, end) in enumerate(zip([head, *cuts], [*cuts, len(messages)])):
        before = newest_snapshot(first)
        service.config["engine"]["turn_rows"] = str(rng.choice((1, 10, 100, 1000, 100_000)))     # a kill finds it in the middle of a batch, too
        service.write_config()
        service.start(wait=False)
        works = n % 3 == 2                     # a life in three lasts until it has taken a snapshot amid its messages; the others may not even have started
        pause = rng.uniform(2, 4) if works else rng.choice((rng.uniform(0.005, 0.3), rng.uniform(0.3, 2)))
        feeder = threading.Thread(target=feed, args=(kafka, topic, messages[start:end], pause * (0.9 if works else rng.choice((0, 0.9)))))
        feeder.start()
        if n < KILLS:
            print(f"kill {n + 1}: {pause * 1000:.0f} ms after exec, {end} messages produced or on their way, "
                  f"turns of {service.config['engine']['turn_rows']} rows")
            time.sleep(pause)                  # the random instant itself, not a wait for something
            if works:
                wait_until(lambda: worked(first, before, feeder, end), "a snapshot", 60)
            service.kill9()
        feeder.join()
    service.wait_ready()
    drive.drained(service, topic, len(messages))
    recovered = [int(e["snapshot_seq"]) for e in service.log_entries if e["message"] == "state recovered"]
    assert len(set(recovered)) >= min(4, KILLS // 5), f"hardly any recovery from a snapshot: {recovered}"
    killed_bodies = delivered_everything(service, webhook_receiver)
    killed_states = {r["id"]: r["state"] for r in drive.all_rules(service)}
    assert service.terminate() == 0

    webhook_receiver.clear()
    calm = service_factory(database=second, topics=[topic], config=config)
    drive.drained(calm, topic, len(messages))
    calm_bodies = delivered_everything(calm, webhook_receiver)
    calm_states = {r["id"]: r["state"] for r in drive.all_rules(calm)}

    found = list(differences(dump(first), dump(second)))
    assert not found, "\n".join(found)
    assert killed_bodies == calm_bodies
    assert killed_states == calm_states
    alerts = first.rows("SELECT seq, event_ns, rule_name, state, value, stream_no, alert_id FROM tocsin.alert ORDER BY stream_no")
    assert len({a[6] for a in alerts}) == len(alerts) > 100
    assert [a[5] for a in alerts] == list(range(1, len(alerts) + 1)), "stream numbers have gaps"

    # And they are the alerts that the definition owes, not merely the same ones twice.
    of = dict(first.rows("SELECT seq, (payload::json->>'of')::bigint FROM tocsin.event WHERE kind = 28"))     # a record says one alert here, bursts the rest
    owed = reference_alerts(wanted, drive.steps(first))
    got = sorted((of.get(a[0], a[0]), *a[1:5]) for a in alerts)
    assert len(of) > 20, "bursts were to be cut"
    assert got == sorted(owed)
    for r in wanted:
        assert next(x["state"] for x in drive.all_rules(calm) if x["name"] == r.name) == r.state
