"""News through the real Kafka: headlines from the field, the real names, the same article again; live, back-tested, verified."""
import csv
import html
import json
import os
import pathlib

import pytest

import drive
import streams

TOP = pathlib.Path(__file__).resolve().parents[2]
SHARED = pathlib.Path(os.environ.get("TOCSIN_SHARED") or TOP.parent / "shared")
CASES = SHARED / "cases"
NAMES = SHARED / "data" / "prices" / "sp500_financials_2018-02-08.csv"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES} (set TOCSIN_SHARED)")
needs_names = pytest.mark.skipif(not NAMES.exists(), reason=f"no real names at {NAMES} (set TOCSIN_SHARED)")
ALLOWED = {"positive": {"positive"}, "negative": {"negative"}, "notpositive": {"negative", "neutral", "mixed"}, "notnegative": {"positive", "neutral", "mixed"}}


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


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
    articles, want = lines(CASES / "16-headlines" / "news.ndjson"), json.loads((CASES / "16-headlines" / "expected.json").read_text())
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
    with open(NAMES, encoding="utf-8") as f:
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
