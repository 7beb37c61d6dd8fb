"""Rules over HTTP: create, read, list, change, delete, versions; refused with the place of the mistake; and that they fire."""
import concurrent.futures
import contextlib
import datetime as dt
import json
import re
import secrets
import uuid

import psycopg
import pytest

import drive
from harness.base import TOP, wait_until

GOOD = {"name": "AAPL high", "rule": "last(FEEDA) >= 100", "clear": "95.5", "hold_s": 0, "cooldown_s": 60, "severity": "critical",
        "on_create": "wait", "enabled": True}
SOME_ID = "0d4f6a62-51c5-4ce9-9d5e-64f9c4c3a7b1"     # the names of tests are the same in every worker


@pytest.fixture(scope="module")
def feed(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("rules")], config={"engine": {"clock_ms": 0}})
    return drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()


@pytest.fixture
def service(feed):
    """One for the whole file."""
    return feed.service


def test_the_wrong_rule_of_the_page_is_told_as_it_says(service):
    """README.md shows a rule with a slip and the answer to it."""
    page = (TOP / "README.md").read_text(encoding="utf-8")
    sent, told = re.search(r"A wrong rule is told where it is wrong:\n.*?-d '(\{.*?\})'\n```\n```\n(\{.*?\})\n```", page, re.S).groups()
    answer = drive.problem(service.api("POST", "/v1/rules", json.loads(sent)), 400)
    assert {**answer, "request_id": None} == {**json.loads(told), "request_id": None}


# ---- life of a rule ----

def test_create_read_change_delete(service):
    made = service.api("POST", "/v1/rules", GOOD)
    assert made.status_code == 201, made
    rule = made.json()
    assert rule.pop("warnings") == []
    assert rule["version"] == 1 and uuid.UUID(rule["id"])
    for k, v in GOOD.items():
        assert rule[k] == v or (k == "clear" and float(rule[k]) == float(v)), k
    assert (rule["measure"], rule["op"], float(rule["threshold"])) == ("last(FEEDA)", ">=", 100.0)
    assert rule["state"] in ("ok", "stale") and rule["created_at"] and rule["updated_at"]
    path = f"/v1/rules/{rule['id']}"
    assert service.api("GET", path).json() == rule

    changed = service.api("PUT", path, {"name": "AAPL higher", "rule": "last(FEEDA)>=200.25"})
    assert changed.status_code == 200, changed
    now = changed.json()
    assert (now["version"], now["name"], now["rule"], now["clear"]) == (2, "AAPL higher", "last(FEEDA) >= 200.25", None)
    assert (now["severity"], now["cooldown_s"]) == ("warning", 0), "PUT replaces the whole definition: what is not named is the default"
    assert service.api("GET", path).json()["version"] == 2

    versions = service.api("GET", path + "/versions").json()["versions"]
    assert {v["version"]: v["rule"] for v in versions} == {1: "last(FEEDA) >= 100", 2: "last(FEEDA) >= 200.25"}

    assert service.api("DELETE", path).status_code in (200, 204)
    drive.problem(service.api("GET", path), 404)
    drive.problem(service.api("PUT", path, GOOD), 404)
    drive.problem(service.api("DELETE", path), 404)


def test_patch_changes_what_it_names(service):
    rule = drive.make_rule(service, GOOD)
    path = f"/v1/rules/{rule['id']}"
    for change in ({"severity": "info"}, {"name": "renamed", "hold_s": 3}, {"rule": "last(FEEDA) >= 101"}, {"clear": "99"}, {"clear": None},
                   {"enabled": False}, {"enabled": True, "on_create": "wait"}):
        rule = {**rule, **change, "version": rule["version"] + 1}
        rule["threshold"] = rule["rule"].split()[-1]
        answer = service.api("PATCH", path, change)
        assert answer.status_code == 200, answer.text
        for of in (answer.json(), service.api("GET", path).json()):
            assert {k: v for k, v in of.items() if k not in ("state", "updated_at", "warnings")} == {k: v for k, v in rule.items() if k not in ("state", "updated_at", "warnings")}
    assert service.api("PATCH", path, {"cooldown_s": None, "severity": None}).json()["cooldown_s"] == 0, "null is the default"
    for wrong in ({"severity": "loud"}, {"rule": None}, {"clear": "102"}, {"version": 9}, {"measure": "last(FEEDB)"}, {"colour": 1}, [], 7, None):
        drive.problem(service.api("PATCH", path, data=json.dumps(wrong).encode(), headers={"Content-Type": "application/json"}), 400)
    assert drive.problem(service.api("PATCH", path, {"rule": "last(FEEDA) => 1"}), 400)["position"] == 13
    assert service.api("GET", path).json()["version"] == rule["version"] + 1, "what is refused changes nothing"
    drive.problem(service.api("PATCH", f"/v1/rules/{uuid.uuid4()}", {"name": "x"}), 404)
    service.api("DELETE", path)
    drive.problem(service.api("PATCH", path, {"name": "x"}), 404)


def test_a_patch_to_what_is_so_already_is_no_change(service):
    """No version, no record in the order, the same time of change: of nothing named, of values that stand, of defaults, of another spelling."""
    rule = drive.make_rule(service, {**GOOD, "severity": "critical", "clear": "99"})
    path = f"/v1/rules/{rule['id']}"
    made = lambda: service.database.one("SELECT count(*) FROM tocsin.event WHERE kind IN (12, 13)")
    before, events = service.api("GET", path).json(), made()
    same = {k: v for k, v in before.items() if k in ("name", "rule", "clear", "hold_s", "cooldown_s", "severity", "on_create", "at", "enabled")}
    for change in ({}, same, {"severity": "critical"}, {"at": None, "enabled": None}, {"rule": "  last(FEEDA)>=100"}, {"clear": 99}):
        answer = service.api("PATCH", path, change)
        assert answer.status_code == 200 and {k: v for k, v in answer.json().items() if k != "warnings"} == before, (change, answer.text)
    assert (made(), len(service.api("GET", path + "/versions").json()["versions"])) == (events, 1)
    assert service.api("PATCH", path, {"severity": None}).json()["version"] == 2 and made() == events + 1, "a default that is not so is a change"


def test_patches_at_once_lose_nothing(service):
    """Each names another field of the one rule; the versions are dense and the last one has them all."""
    rule = drive.make_rule(service, GOOD)
    path = f"/v1/rules/{rule['id']}"
    changes = [{"name": "at once"}, {"clear": "90"}, {"hold_s": 7}, {"cooldown_s": 9}, {"severity": "info"}, {"on_create": "fire"}, {"enabled": False}]
    with concurrent.futures.ThreadPoolExecutor(len(changes)) as pool:
        answers = list(pool.map(lambda c: service.api("PATCH", path, c), changes))
    assert [a.status_code for a in answers] == [200] * len(changes), [a.text for a in answers]
    now = service.api("GET", path).json()
    assert now["version"] == 1 + len(changes)
    for change in changes:
        for k, v in change.items():
            assert now[k] == v, k


def test_list_is_paged_without_gap_or_repeat(service):
    made = {drive.make_rule(service, {"rule": f"last(FEEDA) > {1000 + n}", "name": f"page {n}"})["id"] for n in range(25)}
    seen = [r["id"] for r in drive.all_rules(service, limit=7)]
    assert made <= set(seen) and len(seen) == len(set(seen)) == len(drive.all_rules(service))


def test_idempotency_key_makes_one_object(service):
    key = secrets.token_hex(16)
    first = service.api("POST", "/v1/rules", GOOD, headers={"Idempotency-Key": key})
    again = [service.api("POST", "/v1/rules", GOOD, headers={"Idempotency-Key": key}) for _ in range(3)]
    assert first.status_code == 201 and [a.status_code for a in again] == [200] * 3
    assert {a.json()["id"] for a in again} == {first.json()["id"]}
    drive.problem(service.api("POST", "/v1/rules", GOOD, headers={"Idempotency-Key": "k" * 201}), 400)


def test_defaults(service):
    rule = drive.make_rule(service, {"rule": "last(FEEDA) < 3.5"})
    assert (rule["clear"], rule["hold_s"], rule["cooldown_s"], rule["severity"], rule["on_create"], rule["enabled"]) == (
        None, 0, 0, "warning", "fire", True)


@pytest.mark.parametrize("given,canonical", [
    ("hhi(SMALL)>=180", "hhi(SMALL) >= 180"),
    ("  spread( SMALL ,window=60d, kind=arith )  <  -2.5 ", "spread(SMALL, kind=arith) < -2.5"),
    ("spread(SMALL, kind=geom, window=60d, ew=quarterly, by=issuer) > 1", "spread(SMALL) > 1"),
    ("top_weight(SMALL, n=10) > 22", "top_weight(SMALL) > 22"),
    ("top_weight(SMALL, n=5, by=line) > 22", "top_weight(SMALL, by=line, n=5) > 22"),
    ("last(FEEDA) <= 90000000", "last(FEEDA) <= 90000000"),
])
def test_canonical_text(service, given, canonical):
    assert drive.make_rule(service, {"rule": given})["rule"] == canonical


# ---- while commits wait ----

@contextlib.contextmanager
def commits_wait(service, changes):
    """Sends the rule changes (thunks) at once while none can be committed; gives their futures, all of them waiting."""
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tocsin writer' AND wait_event_type = 'Lock' AND datname = current_database()"
    with concurrent.futures.ThreadPoolExecutor(len(changes)) as pool:
        with psycopg.connect(service.conninfo) as lock:
            lock.execute("LOCK TABLE tocsin.rule_version IN EXCLUSIVE MODE")
            futures = [pool.submit(change) for change in changes]
            wait_until(lambda: service.database.one(blocked), "a commit waits for the lock")
            yield futures
            lock.rollback()


def test_changes_that_wait_for_a_commit_hold_nobody_else(service):
    """One tenant's rule changes wait for the database; another tenant reads measures meanwhile, before any of them is answered."""
    other = service.new_key("reader")
    post = lambda: service.api("POST", "/v1/rules", {**GOOD, "name": "waits"}).status_code
    with commits_wait(service, [post] * 6) as futures:
        for _ in range(10):              # more than there are worker threads; all within the time that a change waits for its commit
            assert service.api("GET", "/v1/measures", key=other).status_code == 200
            assert not any(f.done() for f in futures), "it had to wait for one of them"
    assert [f.result() for f in futures] == [201] * 6


def test_repeat_of_a_request_that_is_not_committed_yet(service):
    """A client that gave up and asks again is told to come back, not that its rule is missing; then it gets the first one's."""
    post = lambda key=secrets.token_hex(16): service.api("POST", "/v1/rules", GOOD, headers={"Idempotency-Key": key})
    with commits_wait(service, [post]) as futures:
        drive.problem(post(), 503)
        assert not futures[0].done()
    first, again = futures[0].result(), post()
    assert (first.status_code, again.status_code) == (201, 200) and first.json()["id"] == again.json()["id"]


# ---- refused, and where ----

@pytest.mark.parametrize("text,code,position", [
    ("hh(SMALL) >= 1", "unknown_measure", 1),
    ("  beta(SMALL) >= 1", "unknown_measure", 3),
    ("hhi SMALL) >= 1", None, 5),
    ("hhi(SMALL >= 1", None, 4),
    ("max(last(FEEDA), over=5d >= 1", None, 4),
    ("1 <= hhi(SMALL)", None, 1),
    ("hhi(SMALL) => 1", None, 12),
    ("hhi(SMALL) == 1", None, 12),
    ("hhi(SMALL) >=", None, 14),
    ("hhi(SMALL) >= abc", None, 15),
    ("hhi(SMALL) >= 1 and more", None, 15),
    ("hhi(SMALL, by=country) >= 1", None, 15),
    ("spread(SMALL, kind=arith, window=61d) >= 1", None, 34),
    ("spread(SMALL, flavour=arith) >= 1", None, 15),
    ("top_weight(SMALL, n=0) >= 1", None, 21),
    ("hhi() >= 1", None, 5),
    ("hhi(book:x) >= 1", None, 5),
    ("max( hhi( NOWHERE , by=line)) >= 1", "unknown_index", 11),
    ("last(NOBODY) >= 1", "unknown_symbol", 6),
])
def test_wrong_rule_text_points_at_the_character(service, text, code, position):
    p = drive.problem(service.api("POST", "/v1/rules", {"rule": text}), 400, code)
    assert p["position"] == position, p
    assert p["detail"]


@pytest.mark.parametrize("body,values,position", [
    ({"rule": "last(FEEDA) < 0"}, "above 0 and at most 90000000", 15),
    ({"rule": " last( FEEDA )  <=  -10"}, "above 0 and at most 90000000", 21),
    ({"rule": "hhi(SMALL) > 10000"}, "above 0 and at most 10000", 14),
    ({"rule": "top_weight(SMALL) >= 3700%"}, "above 0 and at most 100", 22),
    ({"rule": "effective_number(SMALL) < 1"}, "at least 1", 27),
    ({"rule": "sentiment(FEEDA) >= 1"}, "above -1 and below 1", 21),
    ({"rule": "ret(FEEDA) <= -100"}, "above -100", 15),
    ({"rule": "change(hhi(SMALL)) >= 10000"}, "above -10000 and below 10000", 23),
    ({"rule": "max(spread(SMALL, kind=ratio)) < 0"}, "above 0", 34),
    ({"rule": "hhi(SMALL) >= 180", "clear": "0"}, "above 0 and at most 10000", None),
])
def test_a_bound_that_no_value_reaches_is_refused_with_the_range(service, body, values, position):
    p = drive.problem(service.api("POST", "/v1/rules", body), 400, "invalid")
    oil = ', until an instrument record says "negative_prices":true' if body["rule"].strip().startswith(("last", "ret")) else ""
    assert p["detail"].endswith(f"its values are {values}{oil}") and p.get("position") == position, p
    assert ("clear: " in p["detail"]) == ("clear" in body)
    rule = drive.make_rule(service, {"rule": "last(FEEDA) > 0.5"})
    for method in ("PUT", "PATCH"):
        assert drive.problem(service.api(method, f"/v1/rules/{rule['id']}", body), 400, "invalid")["detail"] == p["detail"]
    service.api("DELETE", f"/v1/rules/{rule['id']}")


@pytest.mark.parametrize("text", ["last(NOBODY) >= 1", "hhi(NOWHERE) >= 1", ""])
def test_rule_on_what_is_not_there_is_refused(service, text):
    drive.problem(service.api("POST", "/v1/rules", {"rule": text}), 400)


@pytest.mark.parametrize("change", [
    {"rule": None}, {"rule": 7}, {"clear": "120"}, {"clear": "abc"}, {"clear": "0.0000000001"}, {"hold_s": -1}, {"hold_s": "5"}, {"cooldown_s": 1e30},
    {"severity": "loud"}, {"on_create": "maybe"}, {"enabled": "yes"}, {"name": "x" * 10_000}, {"name": "a\x00b"}, {"tenant_id": SOME_ID},
    {"id": SOME_ID}, {"state": "ok"}, {"version": 9},
], ids=lambda c: str(c)[:30])
def test_wrong_fields_are_refused(service, change):
    """A clear level on the wrong side of the threshold, wrong types, out of range, and fields that are not the caller's to set."""
    drive.problem(service.api("POST", "/v1/rules", {**GOOD, **change}), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"{} {}", b'{"rule":"last(FEEDA) > 1","rule":"last(FEEDA) > 2"}', b"\xff", b"[" * 100_000])
def test_wrong_json_is_refused(service, body):
    assert 400 <= service.api("POST", "/v1/rules", data=body, headers={"Content-Type": "application/json"}).status_code < 500


def test_wrong_ids_are_missing(service):
    for bad in ("1", "x", "%00", "..", "'", str(uuid.uuid4()), "0" * 5000):
        assert service.api("GET", f"/v1/rules/{bad}").status_code in (400, 404, 405, 414), bad


def test_wrong_measure_is_unknown(service):
    for bad in ("hh(SMALL)", "hhi(SMALL", "", "level(NOWHERE)"):
        assert service.api("GET", "/v1/measures?" + drive.query(m=bad)).status_code in (400, 404), bad
        assert service.api("GET", "/v1/measures/history?" + drive.query(m=bad)).status_code in (400, 404), bad


# ---- they work ----

def states(service, rule):
    return [(a["state"], a["value"]) for a in drive.alerts(service, rule["id"])]


def test_fires_once_a_crossing_and_resolves_at_its_clear_level(service, feed):
    feed.trades(50).settle()
    rule = drive.make_rule(service, {"rule": "last(FEEDA) >= 100", "clear": "98"})
    feed.trades(99, 100, 105, "98.5", 99, 98, 99, 101).settle()
    assert states(service, rule) == [("firing", 100), ("resolved", 98), ("firing", 101)]
    assert service.api("GET", f"/v1/rules/{rule['id']}").json()["state"] == "firing"
    alert = drive.alerts(service, rule["id"])[0]
    assert alert["rule"]["text"] == "last(FEEDA) >= 100" and alert["rule"]["version"] == 1 and alert["measure"] == "last(FEEDA)"
    assert service.api("GET", f"/v1/alerts/{alert['id']}").json() == alert


def test_on_create(service, feed):
    feed.trades(300).settle()
    now = drive.make_rule(service, {"rule": "last(FEEDA) > 200"})
    wait = drive.make_rule(service, {"rule": "last(FEEDA) > 200", "clear": "190", "on_create": "wait"})
    feed.trades(301, 195, 205, 190, 210).settle()
    assert states(service, now)[0][0] == "firing" and states(service, now)[0][1] == 300
    assert states(service, wait) == [("firing", 210)]


def test_the_answer_to_a_change_says_the_state_it_leads_to(service, feed):
    """A rule that holds fires at once, and the answer that made it says so; so does a repeat with the same Idempotency-Key."""
    feed.trades(300).settle()
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = service.api("POST", "/v1/rules", {"rule": "last(FEEDA) > 200"}, headers=key)
    again = service.api("POST", "/v1/rules", {"rule": "last(FEEDA) > 200"}, headers=key)
    assert (made.status_code, made.json()["state"], again.status_code, again.json()["state"]) == (201, "firing", 200, "firing")
    path = f"/v1/rules/{made.json()['id']}"
    for body, state in (({"rule": "last(FEEDA) > 400"}, "ok"), ({"rule": "last(FEEDA) > 200", "hold_s": 60}, "pending"), ({"rule": "last(FEEDA) > 200"}, "firing")):
        changed = service.api("PUT", path, body)
        assert (changed.status_code, changed.json()["state"]) == (200, state), (body, changed.text)
        assert {**service.api("GET", path).json(), "warnings": changed.json()["warnings"]} == changed.json()
    assert service.api("DELETE", path).status_code == 204


def test_what_is_not_there_is_said_before_what_is_wrong(service):
    """Whose id it is not is told nothing about the definition."""
    drive.problem(service.api("PUT", f"/v1/rules/{uuid.uuid4()}", {"rule": "nonsense"}), 404)
    gone = drive.make_rule(service, {"rule": "last(FEEDA) > 60"})
    assert service.api("DELETE", f"/v1/rules/{gone['id']}").status_code == 204
    drive.problem(service.api("PUT", f"/v1/rules/{gone['id']}", {"rule": 7}), 404)


def test_deleted_and_disabled_rules_are_silent(service, feed):
    feed.trades(50).settle()
    gone, off = drive.make_rule(service, {"rule": "last(FEEDA) > 60"}), drive.make_rule(service, {"rule": "last(FEEDA) > 60", "enabled": False})
    service.api("DELETE", f"/v1/rules/{gone['id']}")
    feed.trades(61, 62, 50).settle()
    assert states(service, gone) == [] and states(service, off) == []


def test_an_alert_names_the_version_that_fired(service, feed):
    feed.trades(50).settle()
    rule = drive.make_rule(service, {"rule": "last(FEEDA) > 60"})
    feed.trades(61, 59).settle()
    service.api("PUT", f"/v1/rules/{rule['id']}", {"rule": "last(FEEDA) > 80"})
    feed.trades(70, 81).settle()
    got = [(a["state"], a["rule"]["version"], a["value"]) for a in drive.alerts(service, rule["id"])]
    assert got == [("firing", 1, 61), ("resolved", 1, 59), ("firing", 2, 81)]


@pytest.mark.parametrize("change,ends", [({"severity": "critical"}, None), ({"name": "dear", "cooldown_s": 9}, None), ({"rule": "last(FEEDA) >= 110"}, None),
                                         ({"rule": "last(FEEDA) >= 130"}, "changed"), ({"enabled": False}, "disabled"), (None, "deleted")])
def test_what_ends_a_firing_is_said_once_and_nothing_else_is(service, feed, change, ends):
    """Case 23: a change that is only cosmetic, or leaves the condition true, says nothing; each of the others resolves, with its reason."""
    feed.trades(50).settle()
    rule = drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    feed.trades(120).settle()
    path = f"/v1/rules/{rule['id']}"
    answer = service.api("DELETE", path) if change is None else service.api("PATCH", path, change)
    assert answer.status_code in (200, 204), answer.text
    feed.trades(125).settle()
    told = [(a["state"], a["reason"]) for a in drive.alerts(service, rule["id"])]
    assert told == [("firing", "met")] + ([("resolved", ends)] if ends else [])
    feed.trades(50).settle()
    told = [(a["state"], a["reason"], a["episode"]) for a in drive.alerts(service, rule["id"])]
    assert [t[:2] for t in told] == [("firing", "met"), ("resolved", ends or "cleared")] and told[0][2] == told[1][2]


# ---- what a rule takes for a measure ----

@pytest.mark.parametrize("text,canonical", [("last( FEEDA )", "last(FEEDA)"), ("ret(FEEDA,window=5d)", "ret(FEEDA, window=5d)"), ("ret(FEEDA, window=1d)", "ret(FEEDA)")])
def test_a_measure_is_polled_by_any_text_a_rule_takes(service, text, canonical):
    made = drive.make_rule(service, {"rule": f"{text} > 1000000"})
    try:
        for asked in (text, canonical):
            answer = service.api("GET", "/v1/measures?" + drive.query(m=asked))
            assert answer.status_code == 200 and answer.json()["measures"][0]["measure"] == canonical, answer.text
    finally:
        service.api("DELETE", f"/v1/rules/{made['id']}")


@pytest.mark.parametrize("text,told", [("foo(FEEDA)", 'no measure "foo"'), ("last()", "symbol"), ("hhi(FEED", ""), ("last(FEEDB)", "not tracked")])
@pytest.mark.parametrize("path", ["/v1/measures", "/v1/measures/history"])
def test_what_is_no_measure_is_told_as_a_rule_is_told(service, path, text, told):
    p = drive.problem(service.api("GET", f"{path}?" + drive.query(m=text)), 404, "unknown_measure")
    assert told in p["detail"] or path.endswith("history") and told == "not tracked", p


def test_the_description_takes_every_date_there_is(service):
    """Clients are generated from it: a pattern that stops at the 28th would keep them from asking for the 31st."""
    parameters = service.api("GET", "/openapi.json").json()["paths"]["/v1/measures/history"]["get"]["parameters"]
    pattern = re.compile(next(p for p in parameters if p["name"] == "from")["schema"]["pattern"])
    day = dt.date(1999, 1, 1)
    while day < dt.date(2029, 1, 1):
        assert pattern.search(day.isoformat()) and pattern.search(f"{day}T23:59:59Z"), day
        day += dt.timedelta(days=1)
    for wrong in ("2025-02-29", "1900-02-29", "2025-02-30", "2025-04-31", "2025-13-01", "2025-00-10", "2025-01-32"):
        assert not pattern.search(wrong), wrong


# ---- what is perhaps not meant ----

def test_a_threshold_outside_all_that_has_been_is_said_with_the_answer(service, feed):
    """The larger of two companies, of two lines, weighs 75, then 70 and 74 %: three readings."""
    def named(answer):
        assert answer.status_code in (200, 201), answer.text
        return [(w["code"], w["detail"]) for w in answer.json()["warnings"]]
    drive.make_rule(service, {"rule": "top_weight(SMALL, n=1) > 99", "enabled": False, "name": "follows it"})
    for prices in ((100, 50, 50), (80, 60, 60), (96, 52, 52)):
        for symbol, price in zip(feed.symbols, prices):
            feed.trades(price, symbol=symbol)
        feed.ns += 60 * 10 ** 9
        feed.send({"kind": "clock"})
    feed.settle()
    answer = service.api("POST", "/v1/rules", {"rule": "top_weight(SMALL, n=1) >= 0.37", "enabled": False})
    [(code, detail)] = named(answer)
    assert code == "outside_history" and detail.startswith("top_weight(SMALL, n=1) has been from "), detail
    assert detail.endswith(": always >= 0.37 so far; did you mean 37?"), detail
    path = f"/v1/rules/{answer.json()['id']}"
    assert "warnings" not in service.api("GET", path).json() and "warnings" not in service.api("GET", "/v1/rules").json()["rules"][0]
    assert named(service.api("PATCH", path, {"rule": "top_weight(SMALL, n=1) < 0.37"}))[0][1].endswith(": never < 0.37 so far; did you mean 37?")
    assert named(service.api("PUT", path, {"rule": "top_weight(SMALL, n=1) >= 72", "enabled": False})) == []
    assert named(service.api("POST", "/v1/rules", {"rule": "min(top_weight(SMALL, n=1), over=5m) >= 0.37", "enabled": False})) == [], "it is new"
