"""News through the real Kafka: headlines from the field, the real names, the same article again; live, back-tested, verified."""
import csv
import html
import json
import pathlib
import re

import pytest

import drive
import streams
from cases import CASES, lines, needs_cases
from sp500 import FINANCIALS

needs_names = pytest.mark.skipif(not FINANCIALS.exists(), reason=f"no real names at {FINANCIALS} (set TOCSIN_SHARED)")
ALLOWED = {"positive": {"positive"}, "negative": {"negative"}, "notpositive": {"negative", "neutral", "mixed"}, "notnegative": {"positive", "neutral", "mixed"}}


def fed(kafka, service_factory, name, messages, **config):
    """A service that has taken these messages, and the topic they came on."""
    service = service_factory(topics=[kafka.create_topic(name)], config={"engine": {"clock_ms": 0, **config}})
    kafka.produce(service.topics[0], [streams.encode(m) for m in messages])
    drive.drained(service, service.topics[0], len(messages))
    return service


def instrument(symbol, name="", issuer=None, ts=1_704_000_000 * 10 ** 9):
    return [{"kind": "issuer", "issuer": issuer or symbol, "name": name, "ts": ts},
            {"kind": "instrument", "symbol": symbol, "issuer": issuer or symbol, "name": name, "ts": ts}]


@needs_cases
def test_headlines_from_the_field(kafka, service_factory):
    articles, want = lines("16-headlines/news.ndjson"), json.loads((CASES / "16-headlines" / "expected.json").read_text())
    assert len(articles) == len(want) == 27
    symbols = sorted({s for a in articles for s in a["symbols"]})
    service = fed(kafka, service_factory, "headlines", [m for s in symbols for m in instrument(s)] + articles)
    said = {i: (label, headline) for i, label, headline in service.database.rows("SELECT article_id, label, headline FROM tocsin.article_score")}
    assert said.keys() == want.keys()
    wrong = {i: said[i] for i in want if said[i][0] not in ALLOWED[want[i]]}
    assert not wrong
    # Python's own decoder says what the headlines are; the records are as they came
    assert {a["id"]: html.unescape(a["headline"]) for a in articles} == {i: headline for i, (_, headline) in said.items()}
    stored = {p["id"]: p["headline"] for (p,) in service.database.rows("SELECT payload::jsonb FROM tocsin.event WHERE kind = 9")}
    assert stored == {a["id"]: a["headline"] for a in articles}
    shown = {a["id"]: a["headline"] for a in service.api("GET", "/v1/articles?limit=100").json()["articles"]}
    assert shown == {i: headline for i, (_, headline) in said.items()}
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")


@needs_names
def test_the_real_names_are_no_sentiment(kafka, service_factory):
    """Each of the names with a bad and a good headline: their own score is that of a name which is a plain word."""
    with open(FINANCIALS, encoding="utf-8") as f:
        names = {row["Symbol"]: row["Name"] for row in csv.DictReader(f)}
    assert len(names) == 505
    names["XQZA"] = "Xqzcorp"
    articles = [{"kind": "article", "id": f"{symbol}-{what}", "headline": f"{name} {what}", "symbols": [symbol], "ts": (1_704_200_000 + n) * 10 ** 9}
                for n, (symbol, name) in enumerate(names.items()) for what in ("slides", "surges")]
    service = fed(kafka, service_factory, "names", [m for s, n in names.items() for m in instrument(s, n, f"I-{s}")] + articles)
    said = {i: t[0] for i, t in service.database.rows("SELECT article_id, tickers FROM tocsin.article_score")}
    assert len(said) == 2 * len(names)
    down, up = said["XQZA-slides"]["score"], said["XQZA-surges"]["score"]
    assert down < -0.3 and up > 0.3
    wrong = {i: t for i, t in said.items() if t["score"] != (down if i.endswith("slides") else up) or t["relevance"] < 0.95}
    assert not wrong
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")


# ---- the same article again ----

T0 = 1_714_575_600 * 10 ** 9
MINUTE = 60 * 10 ** 9


def article(id, headline, minute, *symbols):
    return {"kind": "article", "id": id, "headline": headline, "symbols": symbols or ["IBM"], "ts": T0 + minute * MINUTE}


def sentiment(service, symbol):
    return drive.measures(service, f"sentiment({symbol})")[f"sentiment({symbol})"]


def counted(service):
    found = {}
    for line in service.api("GET", "/metrics").text.splitlines():
        if line.startswith("tocsin_articles_total{"):
            found[line.split('"')[1]] = int(float(line.split()[-1]))
    return found


def same_story():
    if CASES.is_dir():
        return lines("17-same-story/same_id_again.ndjson")
    return [article("b1", "IBM profit surges, shares jump to a record", 0)] * 5


def test_the_same_article_again_counts_once(kafka, service_factory):
    again = same_story()
    service = fed(kafka, service_factory, "same-story", [*instrument("IBM"), *again], track="sentiment(IBM)")
    assert abs(sentiment(service, "IBM")["value"] - 0.2959) < 5e-5
    assert (counted(service)["new"], counted(service)["redelivered"]) == (1, len(again) - 1)
    assert service.database.one("SELECT count(*) FROM tocsin.article_score") == 1
    assert service.database.one("SELECT count(*) FROM tocsin.event WHERE kind = 9") == len(again)         # nothing is lost
    service.restart(hard=True)
    kafka.produce(service.topics[0], [streams.encode(m) for m in again])
    drive.drained(service, service.topics[0], 2 + 2 * len(again))
    assert abs(sentiment(service, "IBM")["value"] - 0.2959) < 5e-5
    assert counted(service)["redelivered"] == len(again)
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")


def test_revisions_and_retractions_live_back_tested_and_verified(kafka, service_factory, node):
    """Each step's right value is a fresh service's that hears only what stands; the rule fires live as it does back-tested."""
    steps = [
        [article("a", "IBM profit surges", 0)],
        [article("a", "IBM profit plunges", 1)],                                             # a revision
        [article("a", "IBM profit surges", 0)],                                              # the older version again
        [article("g", "Alphabet profit surges", 2, "GOOGL", "GOOG")],
        [{"kind": "retraction", "id": "a", "ts": T0 + 3 * MINUTE}],
        [article("a", "IBM profit plunges", 1)],
        [{"kind": "retraction", "id": "late", "ts": T0 + 4 * MINUTE}, article("late", "IBM crashes", 4)],   # it overtook its article
        [article("b", "IBM&#39;s profit surges", 5)],
    ]
    stands = [[0], [1], [1], [1, 3], [3], [3], [3], [3, 7]]
    reference = [m for s, i in (("IBM", "IBM"), ("GOOGL", "ALPHABET"), ("GOOG", "ALPHABET")) for m in instrument(s, i.title(), i)]
    service = fed(kafka, service_factory, "revisions", reference, track="sentiment(IBM); sentiment(GOOG)")
    rule = drive.make_rule(service, {"rule": "sentiment(IBM) >= 0.1", "clear": "0"})
    sent, said = len(reference), []
    for n, step in enumerate(steps):
        sent += kafka.produce(service.topics[0], [streams.encode(m) for m in step])
        drive.drained(service, service.topics[0], sent)
        if n in (1, 4):
            service.restart(hard=True)
        said.append([sentiment(service, s).get("value") for s in ("IBM", "GOOG")])
    want = {}
    for which in {tuple(w) for w in stands}:
        fresh = fed(kafka, service_factory, "stands", [*reference, *(steps[i][0] for i in which)], track="sentiment(IBM); sentiment(GOOG)")
        want[which] = [sentiment(fresh, s).get("value") for s in ("IBM", "GOOG")]
        assert fresh.terminate() == 0
    assert said == [want[tuple(w)] for w in stands]
    assert want[(0,)][0] > 0.1 and want[(1,)][0] < -0.1 and want[(3,)][0] is None and want[(1, 3)][1] > 0.1
    fired = [(a["state"], a["time"]) for a in drive.alerts(service, rule["id"])]
    assert [state for state, _ in fired][:2] == ["firing", "resolved"] and fired[-1][0] == "firing"
    scores = service.database.rows("SELECT article_id, headline FROM tocsin.article_score ORDER BY seq")
    assert scores == [("a", "IBM profit surges"), ("a", "IBM profit plunges"), ("g", "Alphabet profit surges"), ("b", "IBM's profit surges")]
    shown = service.api("GET", "/v1/articles").json()["articles"]
    seq = [seq for seq, in service.database.rows("SELECT seq FROM tocsin.article_score ORDER BY seq")]
    taken = service.database.one("SELECT min(seq) FROM tocsin.event WHERE kind = 16")
    ends = [("b", "stands", None), ("g", "stands", None), ("a", "retracted", taken), ("a", "superseded", seq[1])]
    assert [(a["id"], a["state"], a["ended_seq"]) for a in shown] == ends
    assert service.database.rows("SELECT article_id, state, ended_seq FROM market.article ORDER BY seq DESC", role="tocsin_api") == ends
    words = " ".join(json.loads(node.run(pathlib.Path(__file__).parent / "browser" / "view.mjs", "news", "retracted",
                                         env={"TOCSIN_URL": f"{service.url}/#key={service.key}"}).stdout)["live"].split())
    assert re.search(r"retracted IBM profit plunges .* revised since IBM profit surges", words), words
    assert service.terminate() == 0
    assert " 0 differing values" in service.check_ran("verify")
    tried = json.loads(service.check_ran("backtest", "--rule", "sentiment(IBM) >= 0.1", "--clear", "0", "--json"))["alerts"]
    assert [(a["state"], a["time"]) for a in tried] == fired
