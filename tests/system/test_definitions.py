"""What /v1/definitions says can be asked for can be asked for, and nothing else can."""
import re

import pytest

import drive
import streams
from harness.base import wait_until

# what each type of subject is called in the small market of drive.Feed
SUBJECTS = {"instrument": "FEEDA", "index": "SMALL", "book": "book:growth", "measure": "last(FEEDA)"}
TEXT = re.compile(r"(\w+)\((.*)\)$")


@pytest.fixture(scope="module")
def service(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("definitions")], config=drive.QUIET)
    drive.Feed(kafka, service).reference().send(
        {"kind": "position", "tenant": service.tenant_id, "book": "growth", "symbol": "FEEDA", "quantity": 10}).session("2024-03-04", 50, 60, 70).settle()
    return service


@pytest.fixture(scope="module")
def definitions(service):
    answer = service.api("GET", "/v1/definitions")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def measures(definitions):
    return {m["name"]: m for m in definitions["measures"]}


def on(m, kind=None):
    """A subject of that kind, or the first of its kinds; of a measure that is not measured on every other, one that it is measured on."""
    kind = kind or m["subjects"][0]
    return m["example"].replace("SP500", "SMALL") if kind == "measure" and "(" in m["example"] and "last(" not in m["example"] else SUBJECTS[kind]


def try_rule(service, text, said="any number"):
    """With a bound that lies where its values do: a drawdown is never above 0."""
    return service.api("POST", "/v1/rules", {"rule": f"{text} {'< -0.5' if said == 'at most 0' else '> 0.5'}", "enabled": False})


def values(parameter):
    """Some that it takes, and one that it does not."""
    if parameter["type"] == "choice":
        return parameter["choices"], "neither"
    if parameter["type"] == "integer":
        return [parameter["min"], parameter["max"]], parameter["max"] + 1
    if parameter["type"] == "sessions":
        return [f"{parameter['min']}d", f"{parameter['max']}d", "10y"], f"{parameter['max'] + 1}d"
    return ["20d", "5m", "2h"], "5y"


def test_every_measure_says_where_its_values_lie(service, measures):
    """One bound beyond either end that a range says in numbers is refused; what is between is not."""
    said = {name: m["range"] for name, m in measures.items()}
    assert all(said.values()) and said["hhi"] == "above 0 and at most 10000" and said["effective_number"] == "at least 1", said
    for name, text in said.items():
        if found := re.fullmatch(r"(?:above|at least) (-?[0-9]+)(?: and (?:below|at most) ([0-9]+))?", text):
            subject = on(measures[name])
            for operator, beyond in (("<", found[1]), (">", found[2])):
                if beyond:
                    refused = service.api("POST", "/v1/rules", {"rule": f"{name}({subject}) {operator} {beyond}", "enabled": False})
                    assert refused.status_code == 400 and refused.json()["detail"].endswith(text), refused.text


def test_every_measure_is_taken_of_its_subjects_and_no_other(service, measures):
    assert len(measures) >= 11
    for name, m in measures.items():
        assert m["formula"] and m["source"] and m["unit"] and m["version"] >= 1 and m["subjects"]
        for kind in SUBJECTS:
            subject = on(m, kind)
            answer = try_rule(service, f"{name}({subject})", m["range"])
            assert (answer.status_code == 201) == (kind in m["subjects"]), (name, kind, answer.text)


def test_parameters_take_what_is_said_and_nothing_else(service, measures):
    for name, m in measures.items():
        subject = on(m)
        for p in m["parameters"]:
            good, bad = values(p)
            for value in [*good, p["default"]]:
                answer = try_rule(service, f"{name}({subject}, {p['name']}={value})", m["range"])
                assert answer.status_code == 201, (name, p["name"], value, answer.text)
            drive.problem(try_rule(service, f"{name}({subject}, {p['name']}={bad})"), 400)
        drive.problem(try_rule(service, f"{name}({subject}, unheard_of=1)"), 400)
    drive.problem(try_rule(service, "unheard_of(FEEDA)"), 400)


def test_a_default_is_left_out_of_the_canonical_text(service, measures):
    for name, m in measures.items():
        subject = on(m)
        for p in m["parameters"]:
            made = try_rule(service, f"{name}({subject}, {p['name']}={p['default']})", m["range"]).json()
            assert made["measure"] == f"{name}({subject})", (name, p)


def test_what_is_shown_is_defined(service, measures):
    for row in service.api("GET", "/v1/measures").json()["measures"]:
        name = TEXT.match(row["measure"]).group(1)
        assert row["version"] == measures[name]["version"], row


def test_titles_and_places_on_the_page_name_what_there_is(measures):
    """{name} in a title, or in the words of a choice, is a parameter; what is said in another's tile is said in one that has a tile and its parameters."""
    names = lambda text: set(re.findall(r"\{(\w+)\}", text or ""))
    assert {m["page"]["line"] for m in measures.values()} == {"cap", "ew", None}
    assert {name for name, m in measures.items() if m["page"]["decimals"] == 0} == {"names_to", "tail_equivalence", "highest_since", "lowest_since", "rank", "streak", "robustness"}, "counts are shown whole"
    for name, m in measures.items():
        parameters, page = {p["name"] for p in m["parameters"]}, m["page"]
        words = [w for p in m["parameters"] for w in p.get("words", [])]
        assert set().union(names(page["title"]), names(page["words"]), *map(names, words)) <= parameters, name
        assert all(len(p["words"]) == len(p["choices"]) and all(p["words"]) for p in m["parameters"] if "words" in p), name
        if page["beside"]:
            host = measures[page["beside"]]
            assert host["page"]["title"] and "{}" in page["words"] and parameters == {p["name"] for p in host["parameters"]}, name


def test_each_status_is_said_in_words_with_what_helps(service, definitions):
    statuses = {s["name"]: s for s in definitions["statuses"]}
    document = service.api("GET", "/openapi.json").json()
    assert list(statuses) == document["components"]["schemas"]["Measure"]["properties"]["status"]["enum"]
    for name, s in statuses.items():
        assert (name == "ok") == (s["words"] == "") == (s["help"] == "") and not s["words"].endswith(".") and (s["help"] or ".").endswith("."), s


def test_messages_are_those_that_are_read(kafka, service, definitions):
    """A message of each kind without any field is refused for the fields that it lacks, not for its kind; what the service says itself is not there."""
    kinds = {r["kind"]: [f["name"] for f in r["fields"]] for r in definitions["records"]}
    assert {"trade", "close", "clock", "article", "position"} <= set(kinds) and not {"rule_put", "track", "settings"} & set(kinds)
    before = len(service.database.rows("SELECT FROM tocsin.dead_letter"))
    wrong = [{"kind": kind, "ts": 1, "unheard_of": 1} for kind in kinds] + [{"kind": "rule_put", "ts": 1}]
    kafka.produce(service.topics[0], [streams.encode(m) for m in wrong])
    wait_until(lambda: len(service.database.rows("SELECT FROM tocsin.dead_letter")) == before + len(wrong), "all are refused")
    reasons = [r[0] for r in service.database.rows("SELECT reason FROM tocsin.dead_letter ORDER BY kafka_offset DESC LIMIT %s", len(wrong))]
    assert reasons[0] == "unknown_kind" and "unknown_kind" not in reasons[1:], reasons


def test_channels_are_made_of_their_settings(service, definitions):
    webhook = {c["kind"]: c for c in definitions["channels"]}["webhook"]
    required = [s["name"] for s in webhook["settings"] if s["required"]]
    assert required == ["url"]
    drive.problem(service.api("POST", "/v1/channels", {"kind": "webhook"}), 400)
    made = drive.make_channel(service, "http://127.0.0.1:9/x")
    secret = [s["name"] for s in webhook["settings"] if s["secret"]]
    shown = service.api("GET", f"/v1/channels/{made['id']}").json()
    assert secret and all(name in made and name not in shown for name in secret)
