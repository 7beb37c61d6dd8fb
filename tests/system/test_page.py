"""The page over a service that has little to show: why there is no level, how old the data are. test_dashboard.py has it over a live market."""
import json
import pathlib
import time

import drive

HERE = pathlib.Path(__file__).parent
NS = 10 ** 9


def shown(node, service, section, words=""):
    """The text of a section of the page that is live, on one line; once it has the words, or it does not come to say them."""
    done = node.run(HERE / "browser" / "view.mjs", section, words, env={"TOCSIN_URL": f"{service.url}/#key={service.key}"})
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(json.loads(done.stdout)["live"].split())


def says(node, service, section, words):
    text = shown(node, service, section, words)
    assert words in text, text


def test_why_there_is_no_level(kafka, service_factory, node):
    service = service_factory(topics=[kafka.create_topic("no-level")], config={"engine": {"clock_ms": 0}})
    says(node, service, "chart-card", "No index is tracked yet.")
    feed = drive.Feed(kafka, service).reference().settle()
    level = drive.measures(service, f"level({feed.index})")[f"level({feed.index})"]
    assert level["value"] is None
    said = {s["name"]: s for s in service.api("GET", "/v1/definitions").json()["statuses"]}[level["status"]]
    says(node, service, "chart-card", f"No level: {said['words']}. {said['help']}")
    says(node, service, "age", "Data: No data yet")
    feed.session("2024-03-04", 50, 60, 70).settle()
    says(node, service, "chart-card", "1,000.00")
    assert "No level" not in shown(node, service, "chart-card", "1,000.00")


def test_silence_is_a_state(kafka, service_factory, node):
    """The feed's times are ours, as live; what is old enough is the engine's to say."""
    topic = kafka.create_topic("silence")
    service = service_factory(topics=[topic], config={"engine": {"clock_ms": 0, "stale_after_ms": 60_000}})
    began = time.time_ns() - 300 * NS
    feed = drive.Feed(kafka, service, start_ns=began).reference().session("2024-03-04", 50, 60, 70)
    feed.trades(51, 52).settle()
    says(node, service, "age", "Data: Quiet for 5 min")
    feed.send({"kind": "clock", "ts": time.time_ns()}).settle()
    says(node, service, "age", "Data: Silent for 5 min")
    feed.send({"kind": "trade", "symbol": feed.symbol, "price": "53", "ts": time.time_ns()}).settle()
    says(node, service, "age", "Data: Up to date ")



def test_what_looked_wrong_in_the_data_is_listed(kafka, service_factory, node):
    service = service_factory(topics=[kafka.create_topic("flags")], config={"engine": {"clock_ms": 0}})
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70).settle()
    says(node, service, "quality-card", "Nothing in the data has looked wrong so far.")
    feed.send({"kind": "shares", "symbol": feed.symbol, "shares": 4000}).trades(51).settle()
    flags = service.api("GET", "/v1/quality").json()["quality"]
    assert [(f["symbol"], f["reason"]) for f in flags] == [(feed.symbol, "shares_jump")], flags
    says(node, service, "quality-card", f"{feed.symbol} shares jump {flags[0]['state']}")
    says(node, service, "quality-card", flags[0]["detail"][1:])
