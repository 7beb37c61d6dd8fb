"""A new measure, record kind, channel, resource or page view is one file and one row: each is added to a copy of the tree, which is
built, and then is everywhere where the others are. The files are in onefile/."""
import json
import re
import pathlib
from fractions import Fraction

import pytest

import drive
import oracle
import streams
from harness.base import FLAVOUR, TOP, wait_until
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
    tree.add("analytics/measures/inequality.c", "onefile/inequality.c")
    tree.row("analytics/measures.def", "MEASURE(hhi)", "MEASURE(inequality)")        # in the middle
    compiled = tree.make("all")
    assert "analytics/measures/inequality.c" in compiled and len(compiled) < 10, compiled
    tree.make("generated")
    assert tree.touched() == ["README.md", "analytics/measures.def", "analytics/measures/inequality.c"]
    assert "| `inequality(SP500)` | 0..1 |" in (tree.top / "README.md").read_text(encoding="utf-8")

    # The program before it has run on this database, and has a rule: it is taken over as it stands.
    topic = kafka.create_topic("measure")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "readings": "every", "snapshot_s": 1}})
    messages = [streams.encode(m) for m in streams.market(7, sessions=4, trades=400)]
    head, half = streams.reference_count(), len(messages) // 2
    kafka.produce(topic, messages[:head])
    drive.drained(service, topic, head)
    old = drive.make_rule(service, {"name": "old", "rule": "hhi(DEMO) >= 1"})
    drive.problem(service.api("POST", "/v1/rules", {"rule": "inequality(DEMO) > 0"}), 400, "unknown_measure")
    kafka.produce(topic, messages[head:half])
    drive.drained(service, topic, half)
    before = {m: service.measure(m)["value"] for m in ("hhi(DEMO)", "top_weight(DEMO)", "ew_level(DEMO)")}
    assert service.terminate() == 0

    service.binary = tree.program
    service.start()
    assert {m: service.measure(m)["value"] for m in before} == before
    assert service.api("GET", f"/v1/rules/{old['id']}").json()["state"] == "firing"
    defined = {d["name"]: d for d in service.api("GET", "/v1/definitions").json()["measures"]}
    assert (defined["inequality"]["unit"], defined["inequality"]["version"], defined["inequality"]["subjects"]) == ("0..1", 1, ["index"]) and "pairs" in defined["inequality"]["formula"]
    new = drive.make_rule(service, {"name": "new", "rule": "inequality(DEMO) > 0"})
    deep = drive.make_rule(service, {"name": "deep", "rule": "max(inequality(DEMO), over=5m) > 0"})
    alert = wait_until(lambda: drive.alerts(service, new["id"]), "the rule fires")[0]
    assert (alert["measure"], alert["unit"], alert["state"]) == ("inequality(DEMO)", "0..1", "firing") and alert["inputs"]["coverage"] == 1
    kafka.produce(topic, messages[half:])
    drive.drained(service, topic, len(messages))

    want = ginis(service, streams.INDEX)
    now = service.measure("inequality(DEMO)")["value"]
    assert now == pytest.approx(want[max(want)], rel=1e-14)
    assert service.measure("max(inequality(DEMO), over=5m)")["value"] >= now
    readings = stored(service, "inequality(DEMO)")
    assert len(readings) > 2 and readings == {seq: pytest.approx(want[seq], rel=1e-14) for seq in readings}
    assert [p["value"] for p in drive.history(service, "inequality(DEMO)")] == [readings[seq] for seq in sorted(readings)]
    assert drive.alerts(service, deep["id"])
    page = node.run(HERE / "browser" / "measures.mjs", env={"TOCSIN_URL": f"{service.url}/#key={service.key}"})
    tile = {t["measure"]: t for t in json.loads(page.stdout)["tiles"]}["inequality(DEMO)"]
    assert (tile["title"], tile["value"]) == ("Inequality (Gini)", f"{now:.4f}"), tile

    service.restart(hard=True)                                                 # from its saved state
    assert service.measure("inequality(DEMO)")["value"] == now
    tried = json.loads(service.check_ran("backtest", "--rule", f"inequality(DEMO) >= {now:.12f}", "--json"))["alerts"]
    assert tried and tried[0]["value"] >= round(now, 12)
    assert "0 differing" in service.check_ran("verify")


# ---- a record kind: what the engine does with it is the one thing more that must be said ----

APPLY_RELABEL = """
static enum err apply_relabel(struct engine *e, const struct record *r, struct why *why)
{
    uint32_t no = market_instrument(&e->market, &r->u.instrument.symbol);
    if (no == NONE) return err_set(why, ERR_UNKNOWN_SYMBOL, "no such instrument");
    copy_name(e->market.instruments[no].name, sizeof e->market.instruments[no].name, r->u.instrument.name);
    e->out.instrument = (int32_t)no;
    return ERR_OK;
}
"""


def test_a_record_kind(tree, kafka, service_factory):
    tree.add("ingest/kinds/relabel.c", "onefile/relabel.c")
    last, name = max((int(n), name) for n, name in re.findall(r"^RECORD\((\d+), (\w+)", (tree.top / "ingest/records.def").read_text(), re.M))
    number = last + 1
    tree.row("ingest/records.def", f"RECORD({last}, {name}", f"RECORD({number}, RELABEL, relabel, FEED, EVENT, NOBODY)")
    with pytest.raises(AssertionError, match="apply_relabel.*undeclared"):      # a kind that nobody applies is no program
        tree.make("all")
    tree.row("analytics/engine.c", "/* ---- records, one function a kind ---- */", APPLY_RELABEL)
    tree.make("all", "generated")
    assert tree.touched() == ["analytics/engine.c", "ingest/README.md", "ingest/kinds/relabel.c", "ingest/records.def"]
    assert "`relabel`" in (tree.top / "ingest/README.md").read_text(encoding="utf-8")

    service = service_factory(topics=[kafka.create_topic("kind")], config=drive.QUIET, binary=tree.program)
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70)
    feed.send({"kind": "relabel", "symbol": "FEEDB", "name": "Bär AG"}).trades(51).settle()
    feed.send({"kind": "relabel", "symbol": "NOBODY", "name": "x"}, {"kind": "relabel", "symbol": "FEEDB", "name": ""}, {"kind": "relabel", "symbol": "FEEDB"}).settle()
    name = lambda: service.database.one("SELECT name FROM tocsin.instrument WHERE symbol = 'FEEDB'")
    kind, payload = service.database.rows("SELECT kind, payload FROM tocsin.event ORDER BY seq DESC LIMIT 1")[0]
    assert kind == number and json.loads(payload) == {"kind": "relabel", "ts": json.loads(payload)["ts"], "symbol": "FEEDB", "name": "Bär AG"}
    refused = service.database.rows("SELECT reason, detail FROM tocsin.dead_letter ORDER BY kafka_offset")
    assert [r for r, _ in refused] == ["unknown_symbol", "invalid", "invalid"] and all('"name"' in d for _, d in refused[1:]), refused
    assert name() == "Bär AG"
    service.restart(hard=True)
    feed.trades(52).settle()
    assert name() == "Bär AG" and "0 differing" in service.check_ran("verify")

    service.binary = None                                                      # the program before it says what it does not know
    done = service.tocsin("verify")
    assert done.returncode not in (0, -6, -11) and f"kind {number}" in done.stdout + done.stderr, done


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


# ---- a channel ----

TOKEN = "t0k3n-t0k3n-t0k3n"


def test_a_channel(tree, kafka, service_factory, webhook_receiver):
    tree.add("alerts/delivery/channels/pager.c", "onefile/pager.c")
    tree.row("alerts/delivery/channels.def", "CHANNEL(webhook)", "CHANNEL(pager)")
    whole = f"build/{FLAVOUR}/tests/unit/alerts/delivery/test_channel"
    assert "alerts/delivery/channels/pager.c" in tree.make("all", "generated", whole)
    tree.run(whole)                                                            # what every kind has
    assert tree.touched() == ["alerts/delivery/channels.def", "alerts/delivery/channels/pager.c"]

    service = service_factory(topics=[kafka.create_topic("channel")], config=drive.QUIET, binary=tree.program)
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    asked = {"kind": "pager", "url": webhook_receiver.url, "token": TOKEN}
    for change, told in (({"token": None}, "token"), ({"token": "short"}, "token"), ({"tone": "shrill"}, "soft"), ({"repeat": 10}, "repeat"),
                         ({"quiet": 1}, "quiet"), ({"url": "ftp://example.com"}, "url"), ({"secret": "x"}, "secret"), ({"kind": "page"}, "pager")):
        refused = drive.problem(service.api("POST", "/v1/channels", {k: v for k, v in (asked | change).items() if v is not None}), 400)
        assert told in refused["detail"].lower(), refused
    assert service.database.one("SELECT count(*) FROM tocsin.channel") == 0

    made = service.api("POST", "/v1/channels", {**asked, "tone": "loud", "repeat": 2})
    assert made.status_code == 201 and made.json()["token"] == TOKEN, made.text
    [shown] = service.api("GET", "/v1/channels").json()["channels"]
    assert {k: shown[k] for k in ("kind", "url", "tone", "repeat")} == {"kind": "pager", "url": webhook_receiver.url, "tone": "loud", "repeat": 2}
    assert "token" not in shown and shown["id"] == made.json()["id"]
    [(kind, settings, whole)] = service.database.rows("SELECT kind, settings, channel::text FROM tocsin.channel")
    assert kind == "pager" and settings == {"url": webhook_receiver.url, "tone": "loud", "repeat": 2} and TOKEN not in whole
    assert bytes(service.database.one("SELECT secrets FROM tocsin.channel")).find(TOKEN.encode()) < 0 and TOKEN not in service.log

    rule = drive.make_rule(service, {"rule": f"last({feed.symbol}) >= 100", "clear": "90", "severity": "critical"})
    feed.trades(100.5)
    page = webhook_receiver.wait(1)[0]
    [alert] = drive.alerts(service, rule["id"])
    assert (page.headers["authorization"], page.headers["content-type"]) == (f"Bearer {TOKEN}", "text/plain")
    assert page.headers["x-page"] == f"{alert['id']}; tone=loud; repeat=2; quiet=0"
    assert page.body.decode() == f"critical: {rule['rule']} is firing at 100.5"
    deliveries = lambda: service.api("GET", f"/v1/channels/{shown['id']}/deliveries").json()["deliveries"]
    delivered = wait_until(lambda: [d for d in deliveries() if d["status"] == "delivered"], "the delivery is marked")
    assert len(delivered) == 1 and delivered[0]["alert_id"] == alert["id"], delivered

    bodies = service.api("GET", "/openapi.json").json()["components"]["schemas"]
    described = {s["properties"]["kind"]["const"] if "const" in s["properties"]["kind"] else s["properties"]["kind"]["enum"][0]: s["properties"]
                 for s in bodies["ChannelInput"]["oneOf"]}
    assert described.keys() == {"webhook", "pager"} and described["pager"].keys() == {"kind", "url", "token", "tone", "repeat", "quiet"}
    assert (described["pager"]["repeat"]["minimum"], described["pager"]["repeat"]["maximum"]) == (1, 9)

    service.restart(hard=True)                                                 # what is stored is read back, and opened
    feed.trades(80)
    assert "is resolved at 80" in webhook_receiver.wait(2)[1].body.decode() and webhook_receiver.requests[1].headers["authorization"] == f"Bearer {TOKEN}"
    assert "0 differing" in service.check_ran("verify")

    assert service.terminate() == 0
    service.binary = None                                                      # the program before it never takes it for another kind
    service.start()
    feed.trades(101)
    last = lambda: [d["last_error"] for d in deliveries() if d["last_error"]]
    assert "pager" in wait_until(last, "the delivery says that nobody knows its kind")[0]
    assert len(webhook_receiver.requests) == 2


# ---- a view of the page: the one that the head of views.js shows whole ----

def shown_whole():
    _, found, text = (TOP / "api/web/views.js").read_text(encoding="utf-8").partition("A view that counts the alerts, whole:\n *\n")
    assert found
    return "".join(line.removeprefix(" *     ") + "\n" for line in text.partition("\n */")[0].splitlines())


def test_a_page_view(tree, kafka, service_factory, node):
    tree.write("api/web/views/count.js", shown_whole())
    tree.row("api/web/views.js", "    'chart',", "    'count',")               # in the middle
    compiled = tree.make("all", "generated")
    assert compiled == [f"build/{FLAVOUR}/web_assets.c"]
    assert tree.touched() == ["api/web/views.js", "api/web/views/count.js"]

    service = service_factory(topics=[kafka.create_topic("view")], config=drive.QUIET, binary=tree.program)
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    for level in (100, 101, 102):
        drive.make_rule(service, {"rule": f"last({feed.symbol}) >= {level}"})
    feed.trades(150).settle()
    assert len(drive.alerts(service)) == 3
    done = node.run(HERE / "browser" / "view.mjs", "count", env={"TOCSIN_URL": f"{service.url}/#key={service.key}"})
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads(done.stdout)
    at = seen["sections"].index("count")
    assert at == 2 and len(seen["sections"]) == 10, seen                        # behind the chart, before the alerts
    assert seen["seen"] and seen["live"].split() == ["Count", "3"] and seen["left"] == "Count0", seen
