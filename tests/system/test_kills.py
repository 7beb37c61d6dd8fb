"""kill -9 at random instants and at named ones: what is stored is row for row what an undisturbed run stores, and every owed alert arrives.

A database is prepared once (tenant, key, rules, channel) and copied, so both runs start with the same rules at the same seq. The
stream is fed while the first run is being killed, in turns of another size each time, with a snapshot a second, days written by
instrument and old ones dropped behind the checkpoints, and a receiver that refuses some alerts at first; the second run then reads the
whole topic undisturbed, and keeps everything. A third of the kills come where a session stands at a named place (POINTS): its
transaction then ends as if the connection broke, or goes on without its client, also beside the next life.
TOCSIN_KILLS (12, in make test-long 200) and TOCSIN_SEED repeat a run."""
import contextlib
import datetime as dt
import os
import random
import threading
import time

import pytest

import drive
import streams
from harness import webhook
from harness.base import FLAVOUR, LONG, SEED, wait_until
from reference_rules import reference_alerts, rules

KILLS = int(os.environ.get("TOCSIN_KILLS") or (200 if LONG and FLAVOUR == "release" else 12))
MANY = KILLS >= 100
SESSIONS, TRADES, KEPT_DAYS = (20, 1200, 3) if MANY else (7, 1500, 2)
START = dt.date.today() - dt.timedelta(days=35 if MANY else 14)       # partitions of days: what is older than 45 days has those of months

# Where a life may be stopped: the event of a table at which its session waits while the test holds the point's lock.
POINTS = {
    "a turn before its position": ("BEFORE UPDATE", "source"),
    "a turn at COMMIT": ("COMMIT UPDATE", "shard"),
    "a snapshot behind its pages": ("AFTER INSERT", "snapshot_page"),
    "a snapshot before an older one goes": ("BEFORE DELETE", "snapshot"),
    "a snapshot at COMMIT": ("COMMIT INSERT", "snapshot"),
    "a day whose rows went into chunks": ("AFTER DELETE", "tick_row"),
    "a day behind its copy": ("AFTER INSERT", "trade_chunk"),
    "a day's piece at COMMIT": ("COMMIT UPDATE", "tick_day"),
    "a partition that was dropped": ("AFTER INSERT", "retained"),
    "a partition's drop at COMMIT": ("COMMIT INSERT OR UPDATE", "retained"),
    "a delivery that is claimed or marked": ("BEFORE UPDATE", "outbox"),
}
NAMES = list(POINTS)
LOCK = 4711

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


# What retention may drop, and the views that read the copies by instrument.
TABLES["trade"] = ("seq, event_ns, symbol, price_e8, size_e8, kind", "seq")
DROPPED = {"tick": "tick", "trade": "tick", "reading": "reading"}


def dump(database, retained=None):
    """`retained`, of another database: without what it may have dropped."""
    out = {}
    for t, (columns, order) in TABLES.items():
        upto, before = (retained or {}).get(DROPPED.get(t), (0, 0))
        out[t] = database.rows(f"SELECT {columns} FROM tocsin.{t} {f'WHERE seq > {upto} OR event_ns >= {before}' if upto else ''} ORDER BY {order}")
    return out


def only_old_rows_went(killed, calm, retained):
    """Each row that is still there is one of the undisturbed run's: what came late for a day that had gone is kept."""
    for t, kind in DROPPED.items():
        if kind in retained:
            upto, before = retained[kind]
            columns, order = TABLES[t]
            old = f"SELECT {columns} FROM tocsin.{t} WHERE seq <= {upto} AND event_ns < {before} ORDER BY {order}"
            left, all_of_them = killed.rows(old), set(calm.rows(old))
            assert set(left) <= all_of_them and len(set(left)) == len(left) < len(all_of_them), t


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
    """The life has a snapshot of its own behind it; or all that it was fed is stored, and nothing comes that would bring one."""
    return newest_snapshot(database) > before or not feeder.is_alive() and database.one("SELECT max(next_offset) FROM tocsin.source") >= fed


class Points:
    """The named places in a database: hold(name) stops whoever comes there next."""

    def __init__(self, database):
        self.database, self.session, self.reached = database, database.connect(), dict.fromkeys(NAMES, 0)
        database.execute(f"""CREATE FUNCTION public.stand() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared({LOCK}, TG_ARGV[0]::int); RETURN NULL; END$$""")
        for n, (when, table) in enumerate(POINTS.values()):
            moment, event = when.split(" ", 1)
            database.execute(f"CREATE CONSTRAINT TRIGGER stand_{n} AFTER {event} ON tocsin.{table} DEFERRABLE INITIALLY DEFERRED"
                             f" FOR EACH ROW EXECUTE FUNCTION public.stand({n})" if moment == "COMMIT" else
                             f"CREATE TRIGGER stand_{n} {when} ON tocsin.{table} FOR EACH STATEMENT EXECUTE FUNCTION public.stand({n})")

    def hold(self, name):
        self.session.execute(f"SELECT pg_advisory_lock({LOCK}, {NAMES.index(name)})")

    def release(self):
        self.session.execute("SELECT pg_advisory_unlock_all()")

    def waiting(self):
        return [r[0] for r in self.database.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'")]

    def wait(self, name, seconds):
        """Whether somebody came."""
        with contextlib.suppress(AssertionError):
            wait_until(self.waiting, name, seconds)
            self.reached[name] += 1
            return True
        return False

    def end_waiting(self):
        """As if the connection broke: what stands at a point is rolled back."""
        for pid in self.waiting():
            self.database.execute("SELECT pg_terminate_backend(%s)", pid)

    def forget(self):
        """By the end nothing of it is left, and nobody waits."""
        self.session.close()
        self.database.execute("DROP FUNCTION public.stand() CASCADE")


def anew_by_instrument(database):
    """The day with most ticks that are rows still is to be written by instrument once more: the copy may go at any time."""
    database.execute("""WITH day AS (DELETE FROM tocsin.tick_day WHERE from_ns = (
            SELECT d.from_ns FROM tocsin.tick_day d ORDER BY (SELECT count(*) FROM tocsin.tick_row r WHERE r.event_ns >= d.from_ns AND r.event_ns < d.to_ns) DESC, 1 LIMIT 1)
            RETURNING from_ns, to_ns)
        DELETE FROM tocsin.trade_chunk c USING day WHERE c.from_ns >= day.from_ns AND c.from_ns < day.to_ns""")


def refusing_some(rng):
    """A receiver's behaviour: of one alert in twenty the first attempt is answered 503, or torn down."""
    seen, lock, salt = set(), threading.Lock(), rng.randrange(2 ** 32)

    def behave(handler):
        of = handler.headers["webhook-id"]
        with lock:
            first = of not in seen
            seen.add(of)
        chosen = random.Random(f"{salt} {of}").random()
        (webhook.reply(200) if not first or chosen > 0.05 else webhook.reply(503) if chosen > 0.02 else webhook.reset)(handler)
    return behave


def all_by_instrument(database):
    """Each partition of ticks that there is; and a day has its row exactly as long as its partition of trades by instrument, which is dropped on its own."""
    def partitions(parent):
        return {suffix if len(suffix) == 8 else f"{suffix}01" for suffix, in database.rows(f"SELECT substring(c.relname from '[0-9]+$') FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'tocsin.{parent}'::regclass")}
    days = dict(database.rows("SELECT to_char(to_timestamp(from_ns / 1e9) AT TIME ZONE 'UTC', 'YYYYMMDD'), done_ns = to_ns FROM tocsin.tick_day"))
    assert set(days) == partitions("trade_chunk")
    return set() < partitions("tick_row") <= {day for day, done in days.items() if done}


@pytest.mark.timeout(600 + 30 * KILLS)
def test_kills_leave_no_trace(database_factory, kafka, service_factory, webhook_receiver):
    print(f"TOCSIN_SEED={SEED} TOCSIN_KILLS={KILLS}")
    began = time.monotonic()
    rng = random.Random(SEED)
    topic = kafka.create_topic("kills")
    first = database_factory()
    calm_config = {"engine": {"clock_ms": 0, "snapshot_s": 1, "stale_after_ms": 0, "burst_alerts": 1, "track": f"ew_level({streams.INDEX}); spread({streams.INDEX}, window=1d); sentiment(S00); "
                                                 f"ai_sentiment({streams.INDEX}); top_weight({streams.INDEX}, n=3); percentile(hhi({streams.INDEX}), over=3d); "
                                                 f"zscore(last(S00), over=2d); vol(level({streams.INDEX}), over=2d); streak(hhi({streams.INDEX}))"}}
    config = {**calm_config, "database": {"compact_every_s": 1, "keep_ticks_days": KEPT_DAYS, "keep_readings_days": KEPT_DAYS}}
    service = service_factory(database=first, topics=[topic], config=config)
    messages = [streams.encode(m) for m in streams.market(SEED, sessions=SESSIONS, trades=TRADES, start=START, tenant=service.tenant_id)]
    head = streams.reference_count()
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)              # what a rule names must be there first
    wanted = rules(rng)
    for r in wanted:
        drive.make_rule(service, r.body(), idempotency_key=r.name.replace(" ", "-"))
    drive.make_channel(service, webhook_receiver.url)
    assert service.terminate() == 0
    second = drive.copy_of(first, database_factory())

    points = Points(first)
    webhook_receiver.behave(refusing_some(rng))
    order = [name for _ in range(KILLS // len(NAMES) + 1) for name in rng.sample(NAMES, len(NAMES))]
    cuts = sorted(rng.sample(range(head, len(messages)), KILLS))
    for n, (start, end) in enumerate(zip([head, *cuts], [*cuts, len(messages)])):
        before = newest_snapshot(first)
        service.config["engine"]["turn_rows"] = str(rng.choice((1, 10, 100, 1000, 100_000)))     # a kill finds it in the middle of a batch, too
        service.write_config()
        name = order.pop() if n % 3 == 0 and n < KILLS else None
        works = n % 3 == 2                     # a life in three lasts until it has taken a snapshot amid its messages; the others may not even have started
        pause = rng.uniform(1, 2) if works else rng.choice((rng.uniform(0.005, 0.3), rng.uniform(0.3, 1)))
        after = rng.choice(("broken off", "gone on with", "gone on with beside the next life"))
        if name:
            if "day" in name:
                anew_by_instrument(first)
            points.hold(name)
        service.start(wait=False)
        feeder = threading.Thread(target=feed, args=(kafka, topic, messages[start:end], 2 if name else pause * (0.9 if works else rng.choice((0, 0.9)))))
        feeder.start()
        if n < KILLS:
            beside = min(pause, rng.uniform(0, 0.5))
            time.sleep(beside)
            if not name:
                points.release()               # of the life before
            time.sleep(pause - beside)         # the random instant itself, not a wait for something
            if works:
                wait_until(lambda: worked(first, before, feeder, end), "a snapshot", 60)
            reached = name and points.wait(name, 10 if MANY and "rows" in name else 3)     # it comes to that day's trades by and by
            print(f"{time.monotonic() - began:.1f} s, kill {n + 1}: {pause * 1000:.0f} ms after exec, {end} messages produced or on their way, turns of {service.config['engine']['turn_rows']} rows"
                  + (f"; in {name}, {after}" if reached else f"; not in {name}" if name else ""))
            service.kill9()
            if name and after == "broken off":
                points.end_waiting()
            if name and not after.endswith("life"):
                points.release()
        feeder.join()
    points.release()
    service.wait_ready()
    drive.drained(service, topic, len(messages))
    print(f"{KILLS} kills in {time.monotonic() - began:.0f} s; named places: " + ", ".join(f"{k}: {v}" for k, v in points.reached.items()))
    points.forget()
    recovered = [int(e["snapshot_seq"]) for e in service.log_entries if e["message"] == "state recovered"]
    assert len(set(recovered)) >= min(4, KILLS // 5), f"hardly any recovery from a snapshot: {recovered}"
    killed_bodies = delivered_everything(service, webhook_receiver)
    killed_states = {r["id"]: r["state"] for r in drive.all_rules(service)}
    assert service.terminate() == 0
    service.check_ran("compact")               # at once, what the service does by and by
    assert all_by_instrument(first)
    assert " 0 differing values" in service.check_ran("verify")

    webhook_receiver.clear()
    webhook_receiver.behave(webhook.reply(200))
    calm = service_factory(database=second, topics=[topic], config=calm_config)
    drive.drained(calm, topic, len(messages))
    calm_bodies = delivered_everything(calm, webhook_receiver)
    calm_states = {r["id"]: r["state"] for r in drive.all_rules(calm)}

    retained = {kind: (upto, before) for kind, upto, before in first.rows("SELECT kind, upto_seq, before_ns FROM tocsin.retained")}
    assert set(retained) == {"tick", "reading"}, "old rows were to be dropped"
    found = list(differences(dump(first, retained), dump(second, retained)))
    assert not found, "\n".join(found)
    only_old_rows_went(first, second, retained)
    assert killed_bodies == calm_bodies
    assert killed_states == calm_states
    alerts = first.rows("SELECT seq, event_ns, rule_name, state, value, stream_no, alert_id FROM tocsin.alert ORDER BY stream_no")
    assert len({a[6] for a in alerts}) == len(alerts) > 100
    assert [a[5] for a in alerts] == list(range(1, len(alerts) + 1)), "stream numbers have gaps"

    # And they are the alerts that the definition owes, not merely the same ones twice.
    of = dict(first.rows("SELECT seq, (payload::json->>'of')::bigint FROM tocsin.event WHERE kind = 28"))     # a record says one alert here, bursts the rest
    owed = reference_alerts(wanted, drive.steps(second))
    got = sorted((of.get(a[0], a[0]), *a[1:5]) for a in alerts)
    assert len(of) > 20, "bursts were to be cut"
    assert got == sorted(owed)
    for r in wanted:
        assert next(x["state"] for x in drive.all_rules(calm) if x["name"] == r.name) == r.state
    reached = sum(v > 0 for v in points.reached.values())
    assert reached >= (len(NAMES) - 2 if MANY else 2), points.reached      # which of them a life gets to is a matter of time
