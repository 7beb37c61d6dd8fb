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


def test_a_share_count_that_is_held_is_released_on_the_page(kafka, service_factory, node):
    """By keyboard and by thumb; one press releases nothing, and what more than a page of other flags has pushed out of the newest is there to be released."""
    service = service_factory(topics=[kafka.create_topic("held")], config={"engine": {"clock_ms": 0}, "quality": {"shares": "hold"}})
    feed = drive.Feed(kafka, service).reference().session("2024-03-04", 50, 60, 70)
    for symbol in feed.symbols[:2]:
        feed.send({"kind": "shares", "symbol": symbol, "shares": 4000})
    for n in range(60):                                     # a price that halves and doubles is flagged each time
        feed.trades(35 if n % 2 == 0 else 70, symbol=feed.symbols[2])
    feed.settle()
    held = lambda: [q["symbol"] for q in service.api("GET", "/v1/quality?state=held").json()["quality"]]
    assert held() == [feed.symbols[1], feed.symbols[0]]
    assert not {q["state"] for q in service.api("GET", "/v1/quality?limit=50").json()["quality"]} & {"held"}
    done = node.run(HERE / "browser" / "release.mjs", env={"TOCSIN_URL": f"{service.url}/#key={service.key}"})
    assert done.returncode == 0, done.stdout + done.stderr
    keyboard, thumb = json.loads(done.stdout)
    b, a = feed.symbols[1], feed.symbols[0]
    assert keyboard == {"before": 2, "counted": "50 newest, 2 older held", "afterOne": 2, "labels": [f"Release the share count of {b}", f"Really release the share count of {b}"],
                        "asked": f"Press again: from then on {b} counts with 4,000 shares.", "said": f"Released: {b} counts with 4,000 shares.", "focused": "quality"}
    assert thumb["said"] == f"Released: {a} counts with 4,000 shares." and thumb["height"] >= 24 and thumb["past"] <= 0, thumb
    assert held() == [] and len(service.api("GET", "/v1/quality?state=released").json()["quality"]) == 2
