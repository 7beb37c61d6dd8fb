"""kafka.py - a real Apache Kafka for the run (kafka.sh), or librdkafka's mock cluster where there is no Java or no registry."""
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from harness.base import BUILD, PORTS, accepts, end, program, spawn, wait_until

QUIET = {"log_level": 2}                # restarts are part of the tests
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "kafka.sh"
ENV = {**os.environ, "KAFKA_CACHE": os.environ.get("KAFKA_CACHE", str(BUILD / "kafka")), "KAFKA_PORTS": f"{PORTS[0]}-{PORTS[-1]}"}


class Broker:
    """What both kinds can do."""
    real = False
    _numbers = itertools.count(1)
    _kept = None                           # a producer: an idempotent one takes half a second to begin

    def create_topic(self, name, partitions=1, exact=False):
        """Makes a topic and returns its name: `name` with a number, so that no test meets another's messages."""
        if not exact:
            name = f"{name}-{os.getpid()}-{next(self._numbers)}"
        self._create(name, partitions)
        return name

    def produce(self, *what):
        """produce(topic, [(key, value[, partition])...]) or produce([(topic, key, value[, partition])...]).

        Values: bytes, str, or anything else as JSON. Returns how many, all acknowledged, in order within a partition."""
        messages = ((what[0], *m) for m in what[1]) if len(what) == 2 else what[0]
        failed = []

        def report(error, _message):
            if error:
                failed.append(error)

        producer = self._producer()
        n, looked = 0, set()
        for topic, key, value, *partition in messages:
            if partition and topic not in looked:
                producer.list_topics(topic, timeout=30)        # there may be more of them than it knows
                looked.add(topic)
            if value is not None and not isinstance(value, (bytes, str)):
                value = json.dumps(value)
            while True:
                try:
                    producer.produce(topic, value, key, *partition, on_delivery=report)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
            n += 1
        left = producer.flush(60)
        if failed or left:
            self._forget_producer()
        assert not failed and not left, f"{len(failed)} messages failed ({failed[:1]}), {left} unanswered"
        return n

    def _producer(self):
        """May be used by several threads at once."""
        if not self._kept:
            self._kept = Producer({"bootstrap.servers": self.bootstrap, "enable.idempotence": self.real, "acks": "all", "linger.ms": 5, **QUIET})
        return self._kept

    def _forget_producer(self):
        """What it knows of the broker or of a topic is over: the next begins anew."""
        self._kept = None

    def end_offset(self, topic, partition=0):
        """The offset that the next message will get."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "looks-only", **QUIET})
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
        finally:
            consumer.close()

    def consume(self, topic, n, seconds=10, partition=0):
        """The first n messages of a partition, as (key, value)."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "reads-only", "enable.auto.commit": False, **QUIET})
        try:
            consumer.assign([TopicPartition(topic, partition, 0)])
            got = []
            wait_until(lambda: got.extend(consumer.consume(n - len(got), 0.2)) or len(got) >= n, f"{n} messages in {topic}", seconds)
            return [(m.key(), m.value()) for m in got]
        finally:
            consumer.close()


class RealKafka(Broker):
    real = True

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-kafka-"))
        self.process = None
        self.start()
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap, **QUIET})

    @staticmethod
    def fetch():
        """None when the jars are there, else why not."""
        done = subprocess.run(["bash", str(SCRIPT), "fetch"], env=ENV, capture_output=True, text=True, timeout=300, check=False)
        return None if done.returncode == 0 else done.stderr.strip()

    def start(self):
        with open(self.folder / "broker.log", "ab") as log:
            self.process = spawn(["bash", SCRIPT, "run", self.folder], env=ENV, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._answers, f"Kafka answers; see {self.folder}/broker.log", 90)
        self.port = int((self.folder / "port").read_text())
        self.bootstrap = f"127.0.0.1:{self.port}"

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("Kafka ended:\n" + (self.folder / "broker.log").read_text(errors="replace")[-2000:])
        port = self.folder / "port"
        return port.exists() and port.read_text().strip().isdigit() and accepts(int(port.read_text()))

    def _create(self, name, partitions):
        self.admin.create_topics([NewTopic(name, partitions, 1)])[name].result(30)
        wait_until(lambda: len(self.admin.list_topics(name, timeout=10).topics[name].partitions) == partitions, f"topic {name}")

    def delete_topic(self, name):
        """And waits until it is gone: the same name made again is another topic."""
        self._forget_producer()
        self.admin.delete_topics([name])[name].result(30)
        wait_until(lambda: name not in self.admin.list_topics(timeout=10).topics, f"topic {name} gone")

    def recreate_topic(self, name, partitions=1):
        self.delete_topic(name)
        self._create(name, partitions)

    def delete_records(self, topic, before, partition=0):
        """The broker forgets everything before that offset."""
        where = TopicPartition(topic, partition, before)
        list(self.admin.delete_records([where]).values())[0].result(30)

    def kill9(self):
        self._forget_producer()
        self.process.kill()
        self.process.wait()

    def stop(self):
        self._forget_producer()
        end(self.process, seconds=30)

    def restart(self, hard=False):
        """On the same port, with the same data."""
        self.kill9() if hard else self.stop()
        self.start()

    def remove(self):
        self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)


class MockKafka(Broker):
    """In memory, a client's idea of a broker: no groups to speak of, no restart."""

    def __init__(self):
        self.process = spawn([program("tests/system/mockbroker")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.bootstrap = self.process.stdout.readline().strip()
        assert self.bootstrap, "the mock cluster did not start"

    def _create(self, name, partitions):
        self.process.stdin.write(f"topic {name} {partitions}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", answer

    def remove(self):
        self.process.stdin.close()
        end(self.process)


def start(say):
    why_not = "TOCSIN_KAFKA=mock" if os.environ.get("TOCSIN_KAFKA") == "mock" else RealKafka.fetch()
    if why_not is None:
        return RealKafka()
    say(f"real Kafka not available: mock cluster used ({why_not})")
    return MockKafka()
