"""The fixtures of the system tests; tests/system/README.md lists them."""
import os
import pathlib
import sys
import warnings

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import drive  # noqa: E402
from harness import base, kafka as kafka_harness, node as node_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import KINDS, Service  # noqa: E402
from harness.webhook import WebhookReceiver  # noqa: E402

os.environ["TOCSIN_SEED"] = str(base.SEED)       # this process is the first: its workers draw none of their own

# The files that take longest, in this order: they are handed out first, so that no worker is left alone with one at the end.
LONGEST = ("test_sp500", "test_faults", "test_kills", "test_page", "test_actions", "test_dashboard", "test_migrate", "test_alerts_delivery", "test_faults_database",
           "test_health", "test_sp500_actions", "test_snapshots", "test_over", "test_due_times", "test_onefile", "test_quality", "test_import", "test_channel_secrets",
           "test_chained", "test_sessions", "test_rules_api", "test_identity", "test_news", "test_late", "test_turns", "test_limits", "test_calendars", "test_retention")


def pytest_collection_modifyitems(config, items):
    if not base.LONG:
        kept = [item for item in items if "long" not in item.keywords]
        config.hook.pytest_deselected(items=[item for item in items if "long" in item.keywords])
        items[:] = kept
    if hasattr(config, "workerinput"):
        place = {name: n for n, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """What the services of a failed test complained of stands below it: their logs go with the machine."""
    report = (yield).get_result()
    if report.failed:
        for service in list(Service.running):
            report.sections.append((f"{', '.join(service.topics)}: warnings and errors", "\n".join(service.complaints)))


@pytest.fixture(scope="session")
def postgres():
    p = Postgres()
    yield p
    p.remove()


@pytest.fixture
def database(postgres):
    d = Database(postgres)
    yield d
    d.drop()


@pytest.fixture(scope="module")
def database_factory(postgres):
    made = []

    def make():
        made.append(Database(postgres))
        return made[-1]

    yield make
    for d in made:
        d.drop()


@pytest.fixture(scope="session")
def _broker():
    broker = kafka_harness.start(lambda text: warnings.warn(text, stacklevel=1))
    yield broker
    broker.remove()


@pytest.fixture
def _needs_real(request, _broker):
    if request.node.get_closest_marker("real_kafka") and not _broker.real:
        pytest.skip("real Kafka not available")


@pytest.fixture(autouse=True)
def _real_kafka(request):
    """Only tests that are marked real_kafka start a broker to find out."""
    if request.node.get_closest_marker("real_kafka"):
        request.getfixturevalue("_needs_real")


@pytest.fixture(scope="session")
def kafka(_broker):
    return _broker


def _factory(postgres, kafka):
    made = []

    def make(topics=None, config=None, tenant="acme", first=None, database=None, group=None, start=True, env=None, bootstrap=None, binary=None):
        """Topics: names that exist; without any, four new ones, named in .topic["ticks"] and so on."""
        named = {}
        if topics is None:
            named = {kind: kafka.create_topic(kind) for kind in KINDS}
            topics = list(named.values())
            first = [named["reference"]] if first is None else first
        own = Database(postgres) if database is None else None
        service = Service(database or own, bootstrap or kafka.bootstrap, topics, first or (), config, tenant, group, env, binary)
        service.topic = named or {name.split("-")[0]: name for name in topics}
        made.append((service, own))
        return service.start() if start else service

    def close():
        failures = []
        for service, own in reversed(made):
            try:
                service.close()
            except AssertionError as failure:
                failures.append(str(failure))
            if own:
                own.drop()
        assert not failures, "\n".join(failures)

    return make, close


@pytest.fixture(scope="module")
def service_factory(postgres, kafka, database_factory):
    """service_factory(topics=, config={"engine": {...}}, ...) for services that a whole file shares or that a test makes several of."""
    make, close = _factory(postgres, kafka)
    yield make
    close()


@pytest.fixture(scope="module")
def service(postgres, kafka):
    """One that is running, with a new database and four new topics; a file's tests share it."""
    make, close = _factory(postgres, kafka)
    yield make()
    close()


@pytest.fixture
def one(kafka, service_factory):
    """A service with a single topic, fed by a small market: the drive.Feed."""
    service = service_factory(topics=[kafka.create_topic("one")], config=drive.QUIET)
    yield drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    if service.alive:
        service.terminate()


@pytest.fixture
def webhook_receiver():
    r = WebhookReceiver()
    yield r
    r.close()


@pytest.fixture(scope="session")
def node():
    """node.run(script, *arguments): JavaScript with the packages of tests/system/package.json."""
    return node_harness.Node()


@pytest.fixture(scope="session")
def long():
    return base.LONG
