"""One dialect in all answers: every GET that the document names, with something in it, token by token.

No blanks; the keys of an object in the order of its schema; times as 2018-02-05T20:00:00.120Z, with no fraction digit too many; doubles as
the shortest of 15 to 17 digits that reads back to the same bits; escapes only where JSON wants them."""
import json
import re

import pytest
import requests

import drive

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z")
TOKEN = re.compile(r'("(?:[^"\\\x00-\x1f]|\\["\\nrt]|\\u00[01][0-9a-f])*")|(-?\d[0-9.eE+-]*)|(true|false|null)|([][{}:,])')
ID = "{id}"


def tokens(text):
    """The text is nothing but tokens of the dialect."""
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        assert found, f"not of the dialect at {at}: {text[max(at - 60, 0):at + 60]!r}"
        yield found
        at = found.end()


def shortest(number):
    value = float(number)
    return next(t for t in (f"{value:.{digits}g}" for digits in (15, 16, 17)) if float(t) == value)


def off_the_order(value, schema, schemas, where="$"):
    """Paths whose keys do not stand as the schema has them, or whose time is not written as all are."""
    schema = schemas[schema["$ref"].split("/")[-1]] if "$ref" in schema else schema
    if isinstance(value, dict) and "oneOf" in schema:
        schema = next(one for one in schema["oneOf"] if set(value) <= set(one["properties"]))
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from off_the_order(item, schema["items"], schemas, f"{where}[{i}]")
    elif isinstance(value, dict) and "properties" in schema:
        order = [key for key in schema["properties"] if key in value]
        if [key for key in value if key in order] != order:
            yield f"{where}: {list(value)}"
        for key in order:
            yield from off_the_order(value[key], schema["properties"][key], schemas, f"{where}.{key}")
    elif schema.get("format") == "date-time" and value is not None:
        if not TIME.fullmatch(value) or value.endswith("000Z"):
            yield f"{where}: {value}"


def check(text, schema, schemas):
    seen = list(tokens(text))
    for token in seen:
        number = token.group(2)
        assert not number or re.fullmatch(r"-?(0|[1-9]\d*)", number) or number == shortest(number), number
    wrong = list(off_the_order(json.loads(text), schema, schemas))
    assert not wrong, wrong[:5]
    return len(seen)


@pytest.fixture(scope="module")
def full(kafka, service_factory):
    """A service in which every list has something: (service, an id for each path)."""
    service = service_factory(topics=[kafka.create_topic("dialect")], config=drive.QUIET)
    feed = drive.Feed(kafka, service).reference().settle()
    channel = drive.make_channel(service, "http://127.0.0.1:9/nobody-listens")
    rule = drive.make_rule(service, {"rule": "last(FEEDA) >= 10.25", "clear": "10", "name": "\u00dcber \"10\"\n\u0001"})
    feed.session("2024-03-04", "50.1", 60, 70)
    feed.send({"kind": "article", "id": "n-1", "headline": "Ein \"Gewinn\"\t\u20ac", "body": "strong profit, record growth", "symbols": ["FEEDA"]})
    feed.send({"kind": "dividend", "symbol": "FEEDB", "amount": "0.1", "ex": "2024-03-05", "announced": "2024-03-01", "source": "the \"Exchange\""})
    feed.trades("33.33", "51.7").session("2024-03-05", 51, 61, 71).send({"kind": "trade", "symbol": "FEEDB", "price": "6,1"}).settle()
    drive.wait_until(lambda: drive.alerts(service), "the rule has fired")
    drive.wait_until(lambda: service.api("GET", f"/v1/channels/{channel['id']}/deliveries").json()["deliveries"], "it is to be delivered")
    service.database.execute("INSERT INTO tocsin.data_gap (source_id, from_offset, to_offset) SELECT min(source_id), 1, 2 FROM tocsin.source")
    return service, {"/v1/rules/{id}": rule["id"], "/v1/rules/{id}/versions": rule["id"], "/v1/alerts/{id}": drive.alerts(service)[0]["id"],
                     "/v1/channels/{id}": channel["id"], "/v1/channels/{id}/deliveries": channel["id"]}


QUERIES = {"/v1/measures/explain": "?m=hhi(SMALL)", "/v1/measures/history": "?m=last(FEEDA)", "/v1/constituents": "?index=SMALL", "/v1/instruments": "?symbol=FEEDA"}


def answers(service, ids):
    """(path, text, schema) of every GET whose answer is JSON."""
    document = requests.get(f"{service.url}/openapi.json", timeout=30).json()
    for path, operations in document["paths"].items():
        content = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        if "application/json" not in content:
            continue
        answer = service.api("GET", path.replace(ID, ids.get(path, ID)) + QUERIES.get(path, ""))
        assert answer.status_code == 200, (path, answer.text)
        yield path, answer.text, content["application/json"]["schema"], document["components"]["schemas"]


def test_every_get_is_of_the_dialect(full):
    counted = {path: check(text, schema, schemas) for path, text, schema, schemas in answers(*full)}
    assert len(counted) >= 17 and all(n >= 5 for n in counted.values()), counted


def test_nothing_was_looked_at_empty(full):
    for path, text, _, _ in answers(*full):
        for key, value in json.loads(text).items():
            if isinstance(value, list) and (path, key) != ("/readyz", "reasons"):
                assert value, f"{path} has nothing in {key}"


def test_problems_are_of_the_dialect(full):
    service, _ = full
    schema = {"$ref": "#/components/schemas/Problem"}
    schemas = requests.get(f"{service.url}/openapi.json", timeout=30).json()["components"]["schemas"]
    for answer in (service.api("GET", "/v1/rules/x"), service.api("POST", "/v1/rules", {"rule": "last(\u00e4) >> \"1\""}), service.api("GET", "/v1/status", key="no")):
        assert answer.status_code >= 400
        check(answer.text, schema, schemas)


@pytest.mark.parametrize("text", ['{"a": 1}', '{"a":1 }', '[1, 2]', '["\\u00e4"]', '["\\/"]', "[1.50]", "[0.30000000000000001]", "[1E5]"])
def test_what_is_not_of_the_dialect_is_seen(text):
    with pytest.raises(AssertionError):
        check(text, {"type": "array", "items": {}}, {})


def test_order_and_times_are_looked_at():
    schema = {"properties": {"a": {"format": "date-time"}, "b": {}}}
    assert not list(off_the_order({"a": "2018-02-05T20:00:00.120Z", "b": 1}, schema, {}))
    for wrong in ({"b": 1, "a": "2018-02-05T20:00:00Z"}, {"a": "2018-02-05T20:00:00.120000Z"}, {"a": "2018-02-05T20:00:00+00:00"}, {"a": "2018-02-05T20:00:00.1Z"}):
        assert list(off_the_order(wrong, schema, {})), wrong
