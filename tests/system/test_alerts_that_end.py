"""A firing ends, whatever ends it, and is said to: rules edited at random while prices move, through the real service.

A receiver that opens an incident on "firing" and closes it on "resolved" hears of none twice and ends empty; and what was said is what
reference_rules.py owes over the stored order of trades and changes. Some hundred rules, each a sequence of edits of its own; the same
over pure rules, 10,000 sequences: tests/unit/alerts/rules/test_rule_set_receiver.c. TOCSIN_SEED repeats a run."""
import concurrent.futures
import datetime as dt
import json
import random

import pytest

import drive
import streams
from harness.base import SEED
from reference_rules import Rule, S

SYMBOLS = ["E0", "E1", "E2"]
SEQUENCES, ROUNDS = 200, 9
T0 = streams.day_ns(dt.date(2024, 3, 4), 15)


def definition(rng):
    op = rng.choice((">=", ">", "<", "<="))
    threshold = rng.randrange(3, 9)          # a clear level of 0 is refused
    gap = rng.choice((0, 0, 1, 2))
    return {"rule": f"last({rng.choice(SYMBOLS)}) {op} {threshold}", "clear": str(threshold - gap if ">" in op else threshold + gap),
            "hold_s": rng.choice((0, 0, 3)), "cooldown_s": rng.choice((0, 0, 7)), "severity": rng.choice(("info", "critical")),
            "on_create": rng.choice(("fire", "fire", "wait")), "enabled": rng.random() < 0.9, "name": f"n{rng.randrange(9)}"}


def edited(rng, body):
    other = definition(rng)
    keys = rng.choice((("name",), ("severity",), ("cooldown_s",), ("hold_s",), ("on_create",), ("enabled",), ("rule", "clear"), tuple(other)))
    return {**body, **{k: other[k] for k in keys}}


class Receiver:
    """All it knows is what it is told."""

    def __init__(self):
        self.open, self.seen, self.ids = {}, set(), set()

    def hear(self, alert):
        rule, episode = alert["rule"]["id"], alert["episode"]
        assert alert["id"] not in self.ids, "the same alert twice"
        self.ids.add(alert["id"])
        if alert["state"] == "firing":
            assert rule not in self.open and episode not in self.seen and alert["reason"] == "met", alert
            self.open[rule] = (episode, alert["since"])
            self.seen.add(episode)
        else:
            assert self.open.pop(rule) == (episode, alert["since"]) and alert["reason"] != "met", alert


def rule_of(payload):
    d = payload["definition"]
    measure, op, threshold = d["measure"], d["op"], float(d["threshold"])
    return Rule(measure, op, threshold, None if d["clear"] is None else float(d["clear"]), d["hold_s"], d["cooldown_s"], d["on_create"],
                payload["rule_id"], d["enabled"])


def owed(database):
    """(seq, rule, version, state, reason, value, since, episode of the rule) over the stored order, alerts of one record sorted."""
    changes = {seq: (kind, json.loads(payload)) for seq, kind, payload in
               database.rows("SELECT seq, kind, payload FROM tocsin.event WHERE kind IN (12, 13)")}
    rules, versions, last, out, now = {}, {}, {}, [], 0

    def say(seq, r, version, state, reason, value, since):
        out.append((seq, r.name, version, state, reason, value, since, r.episode))
    for seq, message in drive.steps(database):
        now = max(now, message["ts"])
        for r in rules.values():
            hit = r.enabled and r.time(now, last.get(r.measure))
            if hit:
                say(seq, r, versions[r.name], "firing", "met", hit[2], r.since)
        if message["kind"] == "trade":
            measure = f"last({message['symbol']})"
            last[measure] = v = float(message["price"])
            for r in rules.values():
                since = r.since
                hit = r.measure == measure and r.enabled and r.value(now, v)
                if hit:
                    say(seq, r, versions[r.name], hit[0], "met" if hit[0] == "firing" else "cleared", v, r.since if hit[0] == "firing" else since)
        elif seq in changes:
            kind, payload = changes[seq]
            name = payload["rule_id"]
            new = rule_of(payload) if kind == 12 else None
            old = rules.pop(name, None)
            if old is None:
                old = Rule(new.measure, new.op, new.threshold, enabled=False)
            versions[name] = versions.get(name, 0) + 1
            going = new if new and new.enabled else old
            since = old.since
            after, said = old.changed(now, last.get(going.measure), new)
            if said:
                ended = said[1] in ("disabled", "deleted")
                say(seq, after or old, versions[name] - ended, said[0], said[1], said[2], since if said[0] == "resolved" else after.since)
            if after:
                after.name = name
                rules[name] = after
    return sorted(out)


@pytest.fixture(scope="module")
def ended(kafka, service_factory):
    """(service, what the stream told) after all the edits, with every condition false or its rule gone."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    topic = kafka.create_topic("ending")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "stale_after_ms": 0}})
    sent, clock = 0, T0

    def send(messages):
        nonlocal sent
        kafka.produce(topic, [streams.encode(m) for m in messages])
        sent += len(messages)

    def trades(n, price):
        nonlocal clock
        for _ in range(n):
            clock += rng.choice((1, 500, 1500)) * streams.MS
            yield {"kind": "trade", "symbol": rng.choice(SYMBOLS), "price": str(price(rng)), "ts": clock}

    def at_once(calls):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda c: service.api(*c), calls))

    send([{"kind": "instrument", "symbol": s, "issuer": s, "name": s, "ts": T0} for s in SYMBOLS]
         + [{"kind": "trade", "symbol": s, "price": "5", "ts": T0} for s in SYMBOLS])
    drive.drained(service, topic, sent)
    with service.stream(last_event_id=0) as stream:
        bodies = [definition(rng) for _ in range(SEQUENCES)]
        made = at_once([("POST", "/v1/rules", b) for b in bodies])
        live = {answer.json()["id"]: body for answer, body in zip(made, bodies)}
        for _ in range(ROUNDS):
            send(list(trades(12, lambda r: r.randrange(1, 10))))           # in whatever order with the edits
            calls = []
            for rule in rng.sample(sorted(live), len(live) * 2 // 3):
                if rng.random() < 0.02:
                    del live[rule]
                    calls.append(("DELETE", f"/v1/rules/{rule}"))
                else:
                    live[rule] = edited(rng, live[rule])
                    calls.append(("PUT", f"/v1/rules/{rule}", live[rule]))
            for answer in at_once(calls):
                assert answer.status_code in (200, 204), answer.text
        drive.drained(service, topic, sent)
        ending = []
        for rule, body in sorted(live.items()):                          # those that a rise clears go another way
            if ">" in body["rule"]:
                ending.append(rng.choice((("DELETE", f"/v1/rules/{rule}"), ("PUT", f"/v1/rules/{rule}", {**body, "enabled": False}),
                                          ("PUT", f"/v1/rules/{rule}", {**body, "rule": "last(E0) > 1000", "clear": None}))))
        assert all(a.status_code in (200, 204) for a in at_once(ending))
        clock += S
        send([{"kind": "trade", "symbol": s, "price": "100", "ts": clock + 1} for s in SYMBOLS])
        drive.drained(service, topic, sent)
        told = [e.json() for e in stream.take(service.database.one("SELECT count(*) FROM tocsin.alert"))]
    return service, told


def test_a_receiver_ends_empty(ended):
    _, told = ended
    receiver = Receiver()
    for alert in told:
        receiver.hear(alert)
    assert receiver.open == {}
    reasons = {r: sum(a["reason"] == r for a in told) for r in ("met", "cleared", "changed", "disabled", "deleted")}
    print(reasons)
    assert min(reasons.values()) > 3 and reasons["met"] > SEQUENCES


def test_what_was_said_is_what_was_owed(ended):
    service, _ = ended
    got = service.database.rows("""SELECT seq, rule_id::text, rule_version, state, reason, value, since_ns,
        dense_rank() OVER (PARTITION BY rule_id ORDER BY first) FROM (SELECT *, min(stream_no) OVER (PARTITION BY episode) AS first FROM tocsin.alert) a""")
    want = owed(service.database)
    got.sort()
    assert set(want) - set(got) == set(), "lost"
    assert set(got) - set(want) == set(), "phantom"
    assert got == want


def test_the_order_of_a_record_holds_change_and_alert(ended):
    """The alert that a change makes is stored with the change: the same seq, in the same transaction, and never without it."""
    service, _ = ended
    assert service.database.one("""SELECT count(*) FROM tocsin.alert a WHERE a.reason IN ('changed', 'disabled', 'deleted')
        AND NOT EXISTS (SELECT FROM tocsin.rule_version v WHERE (v.tenant_id, v.rule_id, v.seq) = (a.tenant_id, a.rule_id, a.seq)
                        AND v.xmin = a.xmin)""") == 0


def test_verify_agrees(ended):
    done = ended[0].tocsin("verify")
    assert done.returncode == 0 and "0 differing" in done.stdout, done.stdout + done.stderr
