"""Who sees a series: the configured ones everybody, those of a rule its tenant alone. Over the API, on the page, in SQL."""
import json
import pathlib

import pytest

import drive
from harness.base import wait_until
from test_tenants import rows_as

HERE = pathlib.Path(__file__).parent
CONFIGURED = "last(FEEDD)"                  # by engine.track; each index has series of its own beside it
OWN = {"acme": "last(FEEDA)", "bravo": "last(FEEDB)", "charlie": "last(FEEDC)"}
EVERYBODYS = {CONFIGURED, "level(SMALL)", "hhi(SMALL)"}
NOBODYS = "ret(FEEDA)"                       # could be asked for, and nobody does


@pytest.fixture(scope="module")
def market(kafka, service_factory):
    """(service, tenant -> key, tenant -> id): three tenants with a rule each, on a symbol each, and one with none."""
    service = service_factory(topics=[kafka.create_topic("who-sees")], config={"engine": {"clock_ms": 0, "track": CONFIGURED}})
    feed = drive.Feed(kafka, service).reference()
    feed.send({"kind": "instrument", "symbol": "FEEDD", "issuer": "FOUR"}).session("2024-03-04", 50, 60, 70).settle()
    keys = {"acme": service.key, **{tenant: service.new_key(tenant) for tenant in ("bravo", "charlie", "nobody")}}
    for tenant, measure in OWN.items():
        drive.make_rule(service, {"rule": f"{measure} > 1000000"}, key=keys[tenant])
    feed.trades(51, symbol="FEEDD")
    feed.session("2024-03-05", 51, 61, 71).session("2024-03-06", 52, 62, 72).settle()
    ids = {name: str(id_) for name, id_ in service.database.rows("SELECT name, tenant_id FROM tocsin.tenant")}
    wait_until(lambda: OWN["acme"] in shown(service, keys["acme"]), "the rule's series is shown")
    return service, keys, ids


def shown(service, key):
    return {m["measure"] for m in service.api("GET", "/v1/measures", key=key).json()["measures"]}


def foreign(tenant):
    return [measure for owner, measure in OWN.items() if owner != tenant]


def like(problem, measure):
    """A problem without what tells two requests apart."""
    return {k: v.replace(measure, "M") if isinstance(v, str) else v for k, v in problem.items() if k not in ("request_id", "instance")}


def test_a_tenant_without_rules_sees_what_is_configured(market):
    service, keys, _ = market
    seen = shown(service, keys["nobody"])
    assert EVERYBODYS <= seen and not seen & set(OWN.values()), seen


@pytest.mark.parametrize("tenant", OWN)
def test_over_the_api(market, tenant):
    service, keys, _ = market
    assert shown(service, keys[tenant]) == shown(service, keys["nobody"]) | {OWN[tenant]}
    assert drive.measures(service, OWN[tenant], key=keys[tenant])
    for path in ("/v1/measures", "/v1/measures/history"):
        own = service.api("GET", f"{path}?{drive.query(m=OWN[tenant])}", key=keys[tenant])
        assert own.status_code == 200 and (own.json().get("points") or own.json().get("measures")), own.text
        missing = drive.problem(service.api("GET", f"{path}?{drive.query(m=NOBODYS)}", key=keys[tenant]), 404)
        for measure in foreign(tenant):
            hidden = drive.problem(service.api("GET", f"{path}?{drive.query(m=measure)}", key=keys[tenant]), 404)
            assert like(hidden, measure) == like(missing, NOBODYS), "a foreign series can be told from one that is not there"


@pytest.mark.parametrize("tenant", OWN)
def test_on_the_page(market, tenant, node):
    service, keys, _ = market
    done = node.run(HERE / "browser" / "measures.mjs", env={"TOCSIN_URL": f"{service.url}/#key={keys[tenant]}"})
    assert done.returncode == 0, done.stdout + done.stderr
    page = json.loads(done.stdout)
    assert set(page["all"]) == shown(service, keys[tenant])
    assert not [m for m in foreign(tenant) if m in page["text"]]


def test_a_tile_is_as_its_definition_says(market, node):
    """Decimals, the parameter in the title, and what another measure has to say there."""
    service, keys, _ = market
    done = node.run(HERE / "browser" / "measures.mjs", env={"TOCSIN_URL": f"{service.url}/#key={keys['nobody']}"})
    assert done.returncode == 0, done.stdout + done.stderr
    tiles = {t["measure"]: t for t in json.loads(done.stdout)["tiles"]}
    value = lambda measure: drive.measures(service, measure, key=keys["nobody"])[measure]["value"]
    hhi = tiles["hhi(SMALL)"]
    assert (hhi["value"], hhi["more"]) == (f"{value('hhi(SMALL)'):,.1f}", f"as {value('effective_number(SMALL)'):.1f} equal companies")
    titles = {m: t["title"] for m, t in tiles.items()}
    assert titles["top_weight(SMALL)"] == "Top 10 weight" and titles["level(SMALL)"] == "Cap-weighted level"
    assert titles["spread(SMALL)"] == "Spread 60 days, geometric" and titles["spread(SMALL, window=all)"] == "Spread since the start, geometric"


@pytest.mark.parametrize("tenant", [*OWN, "nobody"])
@pytest.mark.parametrize("statement", ["SELECT DISTINCT measure FROM market.reading", "SELECT DISTINCT measure FROM tocsin.series",
                                       "SELECT DISTINCT s.measure FROM tocsin.reading r JOIN tocsin.series s USING (series_id)"])
def test_in_sql(market, tenant, statement):
    service, _, ids = market
    seen = {row[0] for row in rows_as(service, ids[tenant], statement)}
    assert EVERYBODYS <= seen
    assert seen & set(OWN.values()) == ({OWN[tenant]} if tenant in OWN else set()), seen


@pytest.mark.parametrize("tenant", [*OWN, "nobody"])
def test_readings_of_foreign_series_are_not_there_by_number_either(market, tenant):
    service, _, ids = market
    numbers = dict(service.database.rows("SELECT measure, series_id FROM tocsin.series"))
    for measure in foreign(tenant):
        assert rows_as(service, ids[tenant], f"SELECT 1 FROM tocsin.reading WHERE series_id = {numbers[measure]} LIMIT 1") == [], measure


def test_no_tenant_is_everybodys_only(market):
    service, _, _ = market
    assert not {row[0] for row in rows_as(service, "", "SELECT DISTINCT measure FROM market.reading")} & set(OWN.values())
