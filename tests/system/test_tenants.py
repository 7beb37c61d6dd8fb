"""Two tenants: a foreign id looks like a missing one, and nothing of the one reaches the other."""
import json
import secrets
import uuid

import pytest

import drive
from harness.base import wait_until


@pytest.fixture(scope="module")
def feed(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("tenants")], config={"engine": {"clock_ms": 0}})
    return drive.Feed(kafka, service).reference().session("2024-03-04", 1, 2, 3).settle()


@pytest.fixture(scope="module")
def two(feed):
    """The service, and the key of another tenant on it."""
    return feed.service, feed.service.new_key("other")


def same_404(service, method, path, foreign, missing, key, body=None):
    a = service.api(method, path.format(foreign), body, key=key)
    b = service.api(method, path.format(missing), body, key=key)
    pa, pb = drive.problem(a, 404, "not_found"), drive.problem(b, 404, "not_found")
    for p, id_ in ((pa, foreign), (pb, missing)):
        p.pop("request_id")
        p.pop("instance", None)
        p["detail"] = p.get("detail", "").replace(id_, "ID")
    assert pa == pb, "a foreign id can be told from a missing one"
    drop = ("date", "x-request-id", "content-length")
    assert {k: v for k, v in a.headers.items() if k.lower() not in drop} == \
        {k: v for k, v in b.headers.items() if k.lower() not in drop}


def test_foreign_rule_is_a_missing_rule(two):
    service, other = two
    rule = drive.make_rule(service, {"name": "mine", "rule": "last(FEEDA) > 1"})
    change = {"name": "theirs", "rule": "last(FEEDA) > 2"}
    for method, path, body in (("GET", "/v1/rules/{}", None), ("PUT", "/v1/rules/{}", change), ("PATCH", "/v1/rules/{}", change), ("DELETE", "/v1/rules/{}", None),
                               ("GET", "/v1/rules/{}/versions", None)):
        same_404(service, method, path, rule["id"], str(uuid.uuid4()), other, body)
    assert service.api("GET", f"/v1/rules/{rule['id']}").json()["name"] == "mine"
    assert rule["id"] not in service.api("GET", "/v1/rules", key=other).text


def test_foreign_channel_is_a_missing_channel(two, webhook_receiver):
    service, other = two
    channel = drive.make_channel(service, webhook_receiver.url)
    for method, path in (("GET", "/v1/channels/{}"), ("DELETE", "/v1/channels/{}"), ("GET", "/v1/channels/{}/deliveries")):
        same_404(service, method, path, channel["id"], str(uuid.uuid4()), other)
    assert service.api("GET", f"/v1/channels/{channel['id']}").status_code == 200
    assert channel["id"] not in service.api("GET", "/v1/channels", key=other).text


def test_same_idempotency_key_of_two_tenants_makes_two_rules(two):
    service, other = two
    body = {"name": "same key", "rule": "last(FEEDA) > 3"}
    a = drive.make_rule(service, body, idempotency_key="one-and-the-same")
    b = drive.make_rule(service, body, idempotency_key="one-and-the-same", key=other)
    assert a["id"] != b["id"]


def test_nothing_of_one_tenant_reaches_the_other(two, feed, webhook_receiver):
    """A canary in each name; every byte that the other tenant gets is searched for it."""
    service, other = two
    canary = "canary" + secrets.token_hex(16)
    rule = drive.make_rule(service, {"name": canary, "rule": f"last({feed.symbol}) > 5"})
    drive.make_channel(service, webhook_receiver.url + "/" + canary)
    feed.trades(10)
    alert = wait_until(lambda: next((a for a in service.api("GET", f"/v1/alerts?rule={rule['id']}").json()["alerts"]), None), "alert")
    same_404(service, "GET", "/v1/alerts/{}", alert["id"], str(uuid.uuid4()), other)
    paths = ("/v1/rules", "/v1/alerts", f"/v1/alerts?rule={rule['id']}", "/v1/channels", "/v1/measures", "/v1/articles", "/v1/status",
             f"/v1/constituents?index={feed.index}", "/metrics", "/openapi.json", "/readyz", "/")
    for path in paths:
        body = service.api("GET", path, key=other).text
        assert canary not in body and alert["id"] not in body and rule["id"] not in body, path
    assert canary in service.api("GET", "/v1/rules").text


def rows_as(service, tenant, statement):
    """As the API's role, with the tenant that the service would set."""
    with service.database.connect() as c:
        c.execute("SET ROLE tocsin_api")
        c.execute("SELECT set_config('tocsin.tenant', %s, false)", (tenant,))
        return c.execute(statement).fetchall()


def test_row_level_security_holds_without_the_service(two):
    """With the filter of the service gone: no tenant, no rows; and never those of another."""
    service, other = two
    drive.make_rule(service, {"rule": "last(FEEDA) > 4"})
    drive.make_rule(service, {"rule": "last(FEEDA) > 4"}, key=other)
    mine, theirs = service.tenant_id, str(service.database.one("SELECT tenant_id FROM tocsin.tenant WHERE name = 'other'"))
    for table in ("rule", "rule_version", "alert", "outbox", "tenant"):
        assert service.database.rows(f"SELECT 1 FROM tocsin.{table}", role="tocsin_api") == [], table
        assert rows_as(service, "", f"SELECT 1 FROM tocsin.{table}") == [], table
        assert {str(r[0]) for r in rows_as(service, theirs, f"SELECT tenant_id FROM tocsin.{table}")} <= {theirs}, table
    assert {str(r[0]) for r in rows_as(service, mine, "SELECT tenant_id FROM tocsin.rule")} == {mine}
    unprotected = service.database.rows("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE n.nspname = 'tocsin' AND a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""")
    assert unprotected == []
    leaky = service.database.rows("""
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('tocsin', 'market') AND c.relkind = 'v' AND NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'""")
    assert leaky == []


@pytest.mark.parametrize("key", ["", "nonsense", "mk_live_" + "a" * 12 + "_" + "b" * 43 + "_cccccc"])
def test_without_a_good_key_there_is_nothing(two, key):
    service, _ = two
    for path in ("/v1/measures", "/v1/rules", "/v1/alerts", "/v1/stream", "/v1/channels", "/v1/status"):
        p = drive.problem(service.api("GET", path, key=key), 401, "unauthorized")
        assert key == "" or key not in json.dumps(p)


def test_a_revoked_key_ends(two):
    service, _ = two
    key = service.new_key("leaver")
    assert service.api("GET", "/v1/rules", key=key).status_code == 200
    done = service.tocsin("keys", "revoke", "--tenant", "leaver", "--key", key.split("_")[2])
    assert done.returncode == 0, done.stderr
    wait_until(lambda: service.api("GET", "/v1/rules", key=key).status_code == 401, "key refused")


def test_only_the_hash_of_a_key_is_stored(two):
    service, other = two
    everything = service.database.rows("SELECT key_id, encode(sha256, 'hex'), label FROM tocsin.api_key")
    secret = other.split("_")[3]
    assert everything and secret not in str(everything) and secret not in service.log


def texts(answer):
    return {m["measure"] for m in answer.json()["measures"]}


def test_each_tenant_sees_its_own_series(kafka, service_factory):
    """Three tenants, three rules on three symbols: over the API and in SQL each sees its own, everybody the index's; a series goes with
    its last rule, and its history stays to be read by those whose it was."""
    service = service_factory(topics=[kafka.create_topic("seers")], config={"engine": {"clock_ms": 0, "track": "ret(FEEDB)"}})
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    keys = {s: service.new_key(f"tenant of {s}") for s in ("FEEDA", "FEEDB", "FEEDC")}
    ids = {s: str(service.database.one(f"SELECT tenant_id FROM tocsin.tenant WHERE name = 'tenant of {s}'")) for s in keys}
    rules = {s: drive.make_rule(service, {"rule": f"max(last({s}), over=2d) > 1"}, key=k)["id"] for s, k in keys.items()}
    alone = {s: drive.make_rule(service, {"rule": f"last({s}) > 1"}, key=k)["id"] for s, k in keys.items()}
    feed.ns += 86400 * 10 ** 9
    feed.session("2024-03-05", 51, 61, 71).settle()
    shared = {"ret(FEEDB)", "hhi(SMALL)", "level(SMALL)"}
    wait_until(lambda: all(f"last({s})" in texts(service.api("GET", "/v1/measures", key=k)) for s, k in keys.items()), "the pictures")
    for s, k in keys.items():
        own = {f"last({s})", f"max(last({s}), over=2d)"}
        seen = texts(service.api("GET", "/v1/measures", key=k))
        assert own | shared <= seen
        assert not any("last(" in m for m in seen - own), seen
        stored = {r[0] for r in rows_as(service, ids[s], "SELECT DISTINCT measure FROM market.reading")}
        assert own | shared <= stored and not any("last(" in m for m in stored - own), stored
        assert {r[0] for r in rows_as(service, ids[s], "SELECT measure FROM tocsin.series")} >= own
        for other in keys:
            for text in (f"last({other})", f"max(last({other}), over=2d)"):
                status = 200 if other == s else 404
                assert service.api("GET", "/v1/measures?" + drive.query(m=text), key=k).status_code == status
                assert service.api("GET", "/v1/measures/history?" + drive.query(m=text), key=k).status_code == status
    nobody = {r[0] for r in rows_as(service, "", "SELECT DISTINCT measure FROM market.reading")}
    assert shared <= nobody and not any("last(" in m for m in nobody)

    # the last rule on last(FEEDC) goes; the other keeps it alive through what is taken of it
    assert service.api("DELETE", f"/v1/rules/{alone['FEEDC']}", key=keys["FEEDC"]).status_code == 204
    before = service.database.one("SELECT max(seq) FROM market.reading WHERE measure = 'last(FEEDC)'")
    feed.ns += 86400 * 10 ** 9
    feed.session("2024-03-06", 52, 62, 72).settle()
    assert service.database.one("SELECT max(seq) FROM market.reading WHERE measure = 'last(FEEDC)'") > before
    assert service.api("DELETE", f"/v1/rules/{rules['FEEDC']}", key=keys["FEEDC"]).status_code == 204
    before = service.database.one("SELECT max(seq) FROM market.reading WHERE measure = 'last(FEEDC)'")
    feed.ns += 86400 * 10 ** 9
    feed.session("2024-03-07", 53, 63, 73).settle()
    assert service.database.one("SELECT max(seq) FROM market.reading WHERE measure = 'last(FEEDC)'") == before
    assert service.database.one("SELECT max(seq) FROM market.reading WHERE measure = 'last(FEEDA)'") > before
    assert not any("FEEDC" in m for m in texts(service.api("GET", "/v1/measures", key=keys["FEEDC"])))
    assert service.api("GET", "/v1/measures/history?" + drive.query(m="last(FEEDC)"), key=keys["FEEDC"]).status_code == 200
    assert service.terminate() == 0
    done = service.tocsin("verify")
    assert done.returncode == 0 and " 0 differing values" in done.stdout, done.stdout + done.stderr
