"""GET /v1/measures/explain: who moved a measure, what it is asked, and what it refuses. That the parts sum to the change is tests/unit/analytics/test_drivers.c's
and, on the real file, test_sp500.py's."""
import pytest

import drive


@pytest.fixture(scope="module")
def market(kafka, service_factory):
    service = service_factory(topics=[kafka.create_topic("explain")], config={**drive.QUIET, "engine": {**drive.QUIET.get("engine", {}), "track": "top_weight(SMALL, by=line, n=1)"}})
    feed = drive.Feed(kafka, service).reference()
    feed.session("2024-03-04", 50, 60, 70).session("2024-03-05", 55, 60, 70)
    feed.ns = 1_709_737_200 * 10 ** 9                                       # the next session: 6 March, 15:00 UTC
    return feed.trades(80).settle()


def ask(market, query, status=200):
    answer = market.service.api("GET", f"/v1/measures/explain?{query}")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_since_the_close_before_unless_another_is_named(market):
    told = ask(market, "m=hhi(SMALL)")
    assert told["since"] == "2024-03-05" and [d["issuer"] for d in told["drivers"]] == ["ONE", "TWO"]
    now, then = (80 + 60, 70), (55 + 60, 70)
    hhi = lambda v: 10_000 * sum((x / sum(v)) ** 2 for x in v)
    assert told["then"] == pytest.approx(hhi(then)) and told["now"] == pytest.approx(hhi(now)) == market.service.measure("hhi(SMALL)")["value"]
    assert sum(d["part"] for d in told["drivers"]) + told["remainder"] == pytest.approx(told["change"], abs=1e-12)
    assert told["drivers"][0]["part"] > 0 > told["drivers"][1]["part"]
    assert ask(market, "m=hhi(%20SMALL%20)&since=2024-03-04")["then"] == pytest.approx(hhi((110, 70)))
    lines = ask(market, "m=top_weight(SMALL,by=line,n=1)")
    assert [d["symbol"] for d in lines["drivers"][:2]] == ["FEEDA", "FEEDC"], "FEEDA has come to be the largest in place of FEEDC"


def test_what_is_refused_says_why(market):
    for query, status, words in (("m=gini(SMALL)", 404, "is not tracked"), ("m=nosuch(SMALL)", 404, "nosuch"), ("m=hhi(SMALL)&since=2024-02-30", 400, "since: "), ("m=hhi(SMALL)&since=yesterday", 400, "since: "),
                                 ("m=hhi(SMALL)&since=2023-03-04", 400, "no session end that is kept"), ("m=effective_number(SMALL)", 400, "is not a sum"),
                                 ("m=hhi(SMALL)&n=0", 400, "n"), ("", 400, "m")):
        assert words in ask(market, query, status)["detail"], query
    assert market.service.api("GET", "/v1/measures/explain?m=hhi(SMALL)", key="").status_code == 401
