"""A new measure, record kind, channel, resource or page view is one file and one row: each is added to a copy of the tree, which is
built, and then is everywhere where the others are. The files are in onefile/."""
import json
import pathlib
from fractions import Fraction

import pytest

import drive
import oracle
import streams
from harness.base import FLAVOUR, wait_until
from harness.tree import Tree

HERE = pathlib.Path(__file__).parent
pytestmark = [pytest.mark.skipif(FLAVOUR != "release", reason="one flavour is enough: what is shown is in the sources"), pytest.mark.timeout(900)]


@pytest.fixture
def tree():
    t = Tree()
    yield t
    t.remove()


# ---- a measure ----

def gini(values):
    """The definition, pair by pair: the mean difference of two companies, over twice their mean."""
    return float(Fraction(sum(abs(a - b) for a in values for b in values), 2 * len(values) * sum(values)))


def ginis(service, index):
    """seq -> what gini(index) is after that record."""
    market, out = oracle.Market(), {}
    for seq, message in drive.steps(service.database):
        if message["kind"] != "rule":
            market.apply(message)
        if index in market.indexes and market.index(index).covered():
            out[seq] = gini(market.index(index).values())
    return out


def stored(service, measure):
    return dict(service.database.rows("SELECT seq, value FROM market.reading WHERE measure = %s AND value IS NOT NULL", measure))


def test_a_measure(tree, kafka, service_factory, node):
    tree.add("analytics/measures/gini.c", "onefile/gini.c")
    tree.row("analytics/measures.def", "MEASURE(hhi)", "MEASURE(gini)")        # in the middle
    compiled = tree.make("all")
    assert "analytics/measures/gini.c" in compiled and len(compiled) < 10, compiled
    tree.make("generated")
    assert tree.touched() == ["README.md", "analytics/measures.def", "analytics/measures/gini.c"]
    assert "| `gini(SP500)` | 0..1 |" in (tree.top / "README.md").read_text(encoding="utf-8")

    # The program before it has run on this database, and has a rule: it is taken over as it stands.
    topic = kafka.create_topic("measure")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "snapshot_s": 1}})
    messages = [streams.encode(m) for m in streams.market(7, sessions=4, trades=400)]
    head, half = streams.reference_count(), len(messages) // 2
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)
    old = drive.make_rule(service, {"name": "old", "rule": "hhi(DEMO) >= 1"})
    drive.problem(service.api("POST", "/v1/rules", {"rule": "gini(DEMO) > 0"}), 400, "unknown_measure")
    kafka.produce(topic, messages[head:half])
    drive.drained(service, topic, half)
    before = {m: service.measure(m)["value"] for m in ("hhi(DEMO)", "top_weight(DEMO)", "ew_level(DEMO)")}
    assert service.terminate() == 0

    service.binary = tree.program
    service.start()
    assert {m: service.measure(m)["value"] for m in before} == before
    assert service.api("GET", f"/v1/rules/{old['id']}").json()["state"] == "firing"
    defined = {d["name"]: d for d in service.api("GET", "/v1/definitions").json()["measures"]}
    assert (defined["gini"]["unit"], defined["gini"]["version"], defined["gini"]["subjects"]) == ("0..1", 1, ["index"]) and "pairs" in defined["gini"]["formula"]
    new = drive.make_rule(service, {"name": "new", "rule": "gini(DEMO) > 0"})
    deep = drive.make_rule(service, {"name": "deep", "rule": "max(gini(DEMO), over=5m) > 0"})
    alert = wait_until(lambda: drive.alerts(service, new["id"]), "the rule fires")[0]
    assert (alert["measure"], alert["unit"], alert["state"]) == ("gini(DEMO)", "0..1", "firing") and alert["inputs"]["coverage"] == 1
    kafka.produce(topic, messages[half:])
    drive.drained(service, topic, len(messages))

    want = ginis(service, streams.INDEX)
    now = service.measure("gini(DEMO)")["value"]
    assert now == pytest.approx(want[max(want)], rel=1e-14)
    assert service.measure("max(gini(DEMO), over=5m)")["value"] >= now
    readings = stored(service, "gini(DEMO)")
    assert len(readings) > 2 and readings == {seq: pytest.approx(want[seq], rel=1e-14) for seq in readings}
    assert [p["value"] for p in drive.history(service, "gini(DEMO)")] == [readings[seq] for seq in sorted(readings)]
    assert drive.alerts(service, deep["id"])
    page = node.run(HERE / "browser" / "measures.mjs", env={"TOCSIN_URL": f"{service.url}/#key={service.key}"})
    tile = {t["measure"]: t for t in json.loads(page.stdout)["tiles"]}["gini(DEMO)"]
    assert (tile["title"], tile["value"]) == ("Inequality (Gini)", f"{now:.4f}"), tile

    service.restart(hard=True)                                                 # from its saved state
    assert service.measure("gini(DEMO)")["value"] == now
    tried = json.loads(service.check_ran("backtest", "--rule", f"gini(DEMO) >= {now:.12f}", "--json"))["alerts"]
    assert tried and tried[0]["value"] >= round(now, 12)
    assert "0 differing" in service.check_ran("verify")


# ---- a record kind: what the engine does with it is the one thing more that must be said ----

APPLY_RENAME = """
static enum err apply_rename(struct engine *e, const struct record *r, struct why *why)
{
    uint32_t no = market_instrument(&e->market, &r->u.instrument.symbol);
    if (no == NONE) return err_set(why, ERR_UNKNOWN_SYMBOL, "no such instrument");
    copy_name(e->market.instruments[no].name, sizeof e->market.instruments[no].name, r->u.instrument.name);
    e->out.instrument = (int32_t)no;
    return ERR_OK;
}
"""


def test_a_record_kind(tree, kafka, service_factory):
    tree.add("ingest/kinds/rename.c", "onefile/rename.c")
    tree.row("ingest/records.def", "RECORD(15, SETTINGS", "RECORD(16, RENAME, rename, FEED, EVENT, NOBODY)")
    with pytest.raises(AssertionError, match="apply_rename.*undeclared"):      # a kind that nobody applies is no program
        tree.make("all")
    tree.row("analytics/engine.c", "/* ---- records, one function a kind ---- */", APPLY_RENAME)
    tree.make("all", "generated")
    assert tree.touched() == ["analytics/engine.c", "ingest/README.md", "ingest/kinds/rename.c", "ingest/records.def"]
    assert "`rename`" in (tree.top / "ingest/README.md").read_text(encoding="utf-8")

    service = service_factory(topics=[kafka.create_topic("kind")], config=drive.QUIET, binary=tree.program)
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70)
    feed.send({"kind": "rename", "symbol": "FEEDB", "name": "Bär AG"}).trades(51).settle()
    feed.send({"kind": "rename", "symbol": "NOBODY", "name": "x"}, {"kind": "rename", "symbol": "FEEDB", "name": ""}, {"kind": "rename", "symbol": "FEEDB"}).settle()
    name = lambda: service.database.one("SELECT name FROM tocsin.instrument WHERE symbol = 'FEEDB'")
    kind, payload = service.database.rows("SELECT kind, payload FROM tocsin.event ORDER BY seq DESC LIMIT 1")[0]
    assert kind == 16 and json.loads(payload) == {"kind": "rename", "ts": json.loads(payload)["ts"], "symbol": "FEEDB", "name": "Bär AG"}
    refused = service.database.rows("SELECT reason, detail FROM tocsin.dead_letter ORDER BY kafka_offset")
    assert [r for r, _ in refused] == ["unknown_symbol", "invalid", "invalid"] and all('"name"' in d for _, d in refused[1:]), refused
    assert name() == "Bär AG"
    service.restart(hard=True)
    feed.trades(52).settle()
    assert name() == "Bär AG" and "0 differing" in service.check_ran("verify")

    service.binary = None                                                      # the program before it says what it does not know
    done = service.tocsin("verify")
    assert done.returncode not in (0, -6, -11) and "kind 16" in done.stdout + done.stderr, done


# ---- a resource of the API ----

def test_a_resource(tree, kafka, service_factory):
    tree.add("api/resources/pulse.c", "onefile/pulse.c")
    tree.add("api/examples/Pulse.json", "onefile/Pulse.json")
    tree.row("api/resources.def", "RESOURCE(status)", "RESOURCE(pulse)")
    tree.make("all", "generated")
    assert tree.touched() == ["api/examples/Pulse.json", "api/resources.def", "api/resources/pulse.c"]

    service = service_factory(topics=[kafka.create_topic("resource")], config=drive.QUIET, binary=tree.program)
    drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    assert service.api("GET", "/v1/pulse").json() == {"seq": service.database.one("SELECT last_seq FROM tocsin.shard")}
    drive.problem(service.api("GET", "/v1/pulse", key=""), 401)
    drive.problem(service.api("GET", "/v1/pulse?n=1"), 400)
    assert drive.problem(service.api("POST", "/v1/pulse", {}), 405) and service.api("POST", "/v1/pulse", {}).headers["Allow"] == "GET, HEAD"
    said = service.api("GET", "/openapi.json").json()
    answer = said["paths"]["/v1/pulse"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/Pulse"} and answer["example"] == {"seq": 4711}, answer
    assert said["components"]["schemas"]["Pulse"]["properties"] == {"seq": {"type": "integer", "format": "int64"}}
    assert {"name": "pulse", "description": "A heartbeat"} in said["tags"]
