"""Old rows go and nothing that is needed does: a service starts and verifies afterwards, and a range begins at a checkpoint with the same results."""
import datetime as dt
import json
import re


import drive
import streams
from harness.base import SEED, wait_until

SESSIONS, KEPT_DAYS = 6, 3
START = dt.date.today() - dt.timedelta(days=14)            # partitions of days: what is older than 45 days has those of months
RULES = ["last(S01) >= 100", "last(S02) >= 90", f"spread({streams.INDEX}, window=1d) > 0", "max(last(S03), over=2d) > 100"]


def partitions(database, like):
    return sorted(r[0] for r in database.rows("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent"
                                              " WHERE p.relkind = 'p' AND p.relname LIKE %s", like))


class Stored:
    """A stream of six sessions, read by a service that keeps a checkpoint of each day."""

    def __init__(self, kafka, service_factory):
        self.kafka, self.topic, self.fed = kafka, kafka.create_topic("retention"), 0
        config = {"engine": {"clock_ms": 0, "snapshot_s": 1, "stale_after_ms": 0, "track": f"spread({streams.INDEX}, window=1d)"}}
        self.service = service_factory(topics=[self.topic], config=config)
        self.database = self.service.database
        messages = [streams.encode(m) for m in streams.market(SEED, sessions=SESSIONS, trades=300, start=START, tenant=self.service.tenant_id)]
        head = streams.reference_count()
        self.feed(messages[:head])
        for n, rule in enumerate(RULES[:2]):
            drive.make_rule(self.service, {"name": f"r{n}", "rule": rule})
        rest = messages[head:]
        for n in range(SESSIONS):                      # a snapshot amid each
            before, upto = self.newest(), len(rest) * (n + 1) // SESSIONS
            piece = rest[self.fed - head:upto]
            self.feed(piece[:len(piece) // 2])
            one_by_one = iter(piece[len(piece) // 2:])
            wait_until(lambda: self.newest() > before or self.feed([next(one_by_one)]), "a snapshot", 60)
            self.feed(list(one_by_one))
        self.days = [r[0] for r in self.database.rows("SELECT DISTINCT event_ns / 86400000000000 FROM tocsin.tick ORDER BY 1")]

    def feed(self, messages):
        self.kafka.produce(self.topic, messages)
        self.fed += len(messages)
        drive.drained(self.service, self.topic, self.fed)

    def newest(self):
        return self.database.one("SELECT coalesce(max(seq), 0) FROM tocsin.snapshot")

    def configure(self, **database):
        self.service.config.setdefault("database", {}).update({k: str(v) for k, v in database.items()})
        self.service.write_config()

    def retain(self, *arguments):
        code, out, err = self.ran("retain", *arguments)
        return code, out + err

    def ran(self, *arguments):
        done = self.service.tocsin(arguments[0], "-c", self.service.ini, *arguments[1:])
        return done.returncode, done.stdout, done.stderr


def day(n):
    return (dt.date(1970, 1, 1) + dt.timedelta(days=n)).isoformat()


def refused(s, before):
    """Without a checkpoint that can be read nothing goes, and it is said why."""
    kept = [r[0] for r in s.database.rows("SELECT seq FROM tocsin.snapshot WHERE kept")]
    first = day(s.database.one("SELECT max(event_ns) FROM tocsin.snapshot") // 86400000000000 - KEPT_DAYS).replace("-", "")
    old = [p for p in before[0] + before[1] if p.rsplit("_", 1)[1] < first]
    s.database.execute("UPDATE tocsin.snapshot SET kept = false")
    code, said = s.retain()
    assert code == 65 and said.count("stays: no checkpoint is kept (engine.checkpoint_days)") == len(old) > 0
    s.database.execute("UPDATE tocsin.snapshot SET kept = true WHERE seq = ANY(%s)", kept)
    page = s.database.one("SELECT pages[1] FROM tocsin.snapshot_part WHERE part = 'instrument' AND seq = %s", max(kept))
    flip = "UPDATE tocsin.snapshot_page SET bytes = set_byte(bytes, 9, get_byte(bytes, 9) # 1) WHERE page_id = %s"
    s.database.execute(flip, page)
    code, said = s.retain()
    assert code == 65 and said.count("stays: the newest checkpoint is damaged: page 0 of part \"instrument\"") > 0
    s.database.execute(flip, page)
    assert (partitions(s.database, "tick%"), partitions(s.database, "reading")) == before


def test_old_ticks_go_and_the_service_goes_on(kafka, service_factory):
    s = Stored(kafka, service_factory)
    assert s.database.one("SELECT count(*) FROM tocsin.snapshot WHERE kept") >= SESSIONS // 2
    s.configure(keep_ticks_days=KEPT_DAYS, keep_readings_days=KEPT_DAYS)
    refused(s, (partitions(s.database, "tick%"), partitions(s.database, "reading")))
    s.configure(keep_dead_letters_days=1, keep_deliveries_days=1)
    s.database.execute("UPDATE tocsin.dead_letter SET refused_at = now() - interval '2 days' WHERE dead_letter_id % 2 = 0")
    dead = s.database.one("SELECT count(*) FROM tocsin.dead_letter WHERE refused_at < now() - interval '1 day'")
    assert dead > 0
    before = partitions(s.database, "tick%"), partitions(s.database, "reading")
    counts = s.database.one("SELECT count(*) FROM tocsin.tick")
    code, said = s.retain("--dry-run")
    assert code == 0 and "would go" in said and f"dead letters: {dead} rows would go" in said
    assert (partitions(s.database, "tick%"), partitions(s.database, "reading")) == before
    assert s.database.one("SELECT count(*) FROM tocsin.tick") == counts

    code, went = s.retain()
    assert code == 0 and went == said.replace("would go", "went")
    assert s.retain() == (0, "nothing is that old\n")
    left = partitions(s.database, "tick%")
    assert set(left) < set(before[0]) and set(partitions(s.database, "reading")) < set(before[1])
    newest = s.database.one("SELECT max(event_ns) FROM tocsin.snapshot") // 86400000000000
    assert s.database.one("SELECT min(event_ns) FROM tocsin.tick") // 86400000000000 >= newest - KEPT_DAYS
    assert s.database.one("SELECT count(*) FROM tocsin.dead_letter WHERE refused_at < now() - interval '1 day'") == 0

    # A late tick of a day that is gone finds its place again, while the service still takes the old partition to be there.
    old = s.days[0] * 86400 * 10 ** 9 + 15 * 3600 * 10 ** 9
    s.feed([streams.encode({"kind": "trade", "symbol": "S01", "price": "10", "ts": old + n}) for n in range(2)])
    assert s.database.one("SELECT count(*) FROM tocsin.tick WHERE event_ns BETWEEN %s AND %s", old, old + 1) == 2
    code, said = s.retain()
    assert code == 65 and "stays: it holds record" in said and "a replay from there needs it" in said

    s.service.kill9()
    s.service.start()
    said = s.service.check_ran("verify")
    assert " 0 differing values" in said
    assert re.match(r"from the checkpoint after record \d+, \S+: the records before it are no longer all there\n", said)
    code, _, told = s.ran("verify", "--from", day(s.days[0]))
    assert code != 0 and "are no longer all there (tocsin.retained): give a --from of" in told


def test_a_range_begins_at_a_checkpoint_with_the_same_results(kafka, service_factory):
    s = Stored(kafka, service_factory)
    assert s.service.terminate() == 0
    start = s.days[len(s.days) * 2 // 3]
    from_ns = start * 86400 * 10 ** 9
    checkpoint = s.database.one("SELECT max(seq) FROM tocsin.snapshot WHERE event_ns <= %s", from_ns)
    assert checkpoint > 0

    # What is forged behind the checkpoint is found from there as from the first record; what lies before it is not looked at.
    s.database.execute("UPDATE tocsin.reading SET value = value + 1 WHERE seq = (SELECT min(seq) FROM tocsin.reading WHERE seq > %s AND value IS NOT NULL)", checkpoint)
    s.database.execute("UPDATE tocsin.alert SET inputs = '{}' WHERE seq = (SELECT max(seq) FROM tocsin.alert)")
    s.database.execute("UPDATE tocsin.reading SET value = value + 1 WHERE seq = (SELECT min(seq) FROM tocsin.reading WHERE value IS NOT NULL)")
    _, whole, _ = s.ran("verify")
    code, part, _ = s.ran("verify", "--from", day(start))
    assert code == 1 and part.splitlines()[0].startswith(f"from the checkpoint after record {checkpoint}, ")
    found = lambda text: [line for line in text.splitlines() if line.startswith("seq ") and int(line.split()[1].rstrip(":")) > checkpoint]
    assert found(part) == found(whole) and len(found(part)) >= 2
    assert len([line for line in part.splitlines() if line.startswith("seq ")]) == len(found(part)) < len([x for x in whole.splitlines() if x.startswith("seq ")])

    rules = [x for rule in RULES for x in ("--rule", rule)]
    test = ("backtest", *rules, "--from", day(start), "--json")
    _, quick, _ = s.ran(*test)
    s.database.execute("DELETE FROM tocsin.snapshot")
    _, slow, _ = s.ran(*test)
    assert json.loads(quick) == json.loads(slow) and json.loads(quick)["alerts"]
    assert s.ran("verify", "--from", day(start))[1].startswith("from the first record: there is no checkpoint before that time\n")
