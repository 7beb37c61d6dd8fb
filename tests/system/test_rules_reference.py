"""Generated streams: the service's alerts are the reference evaluator's, record by record."""
import os
import random

import pytest

import drive
import streams
from reference_rules import reference_alerts, rules

SEEDS = [int(os.environ["TOCSIN_SEED"])] if os.environ.get("TOCSIN_SEED") else [1, 2, random.SystemRandom().randrange(2 ** 32)]


@pytest.mark.parametrize("seed", SEEDS)
def test_alerts_are_the_owed_ones(kafka, service_factory, seed):
    print(f"TOCSIN_SEED={seed}")
    topic = kafka.create_topic("owed")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0}})
    messages = [streams.encode(m) for m in streams.market(seed, sessions=5, trades=3000)]
    head = streams.reference_count()
    kafka.produce(topic, messages[:head])
    drive.drained(service.database, topic, head)   # what a rule names must be there first
    wanted = rules(random.Random(seed))
    for r in wanted:
        drive.make_rule(service, r.body())
    kafka.produce(topic, messages[head:])
    drive.drained(service.database, topic, len(messages))
    owed = reference_alerts(wanted, drive.steps(service.database))
    got = service.database.rows("SELECT seq, event_ns, rule_name, state, value FROM tocsin.alert")
    assert set(owed) - set(got) == set(), "lost"
    assert set(got) - set(owed) == set(), "phantom"
    assert len(got) == len(owed) > 50
