"""`tocsin backtest` through the real binary: it says what live would have said, and when its silence means nothing.

The prices are those of a field case: AAA and BBB rise by exactly 20 % on 3, 4, 8 and 10 January 2024."""
import csv
import datetime as dt
import json
import random

import pytest

import drive
from harness.base import SEED
from drive import QUIET

PRICES = {"AAA": [100, 120, 144, 130, 156, 150, 180], "BBB": [100, 120, 144, 130, 156, 150, 180], "CCC": [100, 101, 99, 101, 101, 101, 99]}
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-09", "2024-01-10"]
CLOSE = "T21:00:00"


def write_csv(path, *rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows(rows)
    return str(path)


@pytest.fixture(scope="module")
def service(kafka, service_factory, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    s = service_factory(topics=[kafka.create_topic("backtest")], start=False)
    reference = write_csv(folder / "reference.csv", ["symbol", "issuer", "shares", "index", "base"], ["AAA", "A", 1000, "IX", 1000],
                          ["BBB", "B", 1000, "IX", 1000], ["CCC", "C", 1, "SOLO", 1000], ["DDD", "D", 1, "THIN", 1000], ["EEE", "E", 1, "THIN", 1000],
                          ["FFF", "F", 1, "THIN", 1000])
    rows = [[d, s, p[i]] for i, d in enumerate(DAYS) for s, p in PRICES.items()]
    rows += [[DAYS[-1], "DDD", 5]]
    prices = write_csv(folder / "prices.csv", ["date", "symbol", "close"], *sorted(rows))
    s.check_ran("import", "--reference", reference, "--prices", prices)
    return s


def said(service, *arguments, code=0):
    done = service.tocsin("backtest", "--json", *arguments)
    assert done.returncode == code, done
    return json.loads(done.stdout)


def test_nothing_is_dated_before_from(service):
    """120 since the 3rd: a rule made at midnight of the 4th fires then, with the value that stands then; and again only after it has cleared."""
    got = said(service, "--rule", "last(AAA) >= 110", "--from", "2024-01-04")["alerts"]
    assert [(a["time"], a["state"], a["value"]) for a in got] == [("2024-01-04T00:00:00Z", "firing", 120)]
    got = said(service, "--rule", "last(AAA) >= 140", "--from", "2024-01-05")["alerts"]
    assert [(a["time"][:19], a["state"], a["value"]) for a in got] == [
        ("2024-01-05T00:00:00", "firing", 144), ("2024-01-05" + CLOSE, "resolved", 130), ("2024-01-08" + CLOSE, "firing", 156)]


def test_from_in_the_middle_of_a_session_and_to_are_moments(service):
    got = said(service, "--rule", "last(AAA) >= 150", "--from", "2024-01-08T21:00:00Z", "--to", "2024-01-09T12:00:00+01:00")["alerts"]
    assert [(a["time"][:19], a["state"]) for a in got] == [("2024-01-08" + CLOSE, "firing")]


def test_seq_is_that_of_the_stored_record(service):
    got = said(service, "--rule", "last(AAA) >= 150", "--rule", "last(BBB) >= 1000")["alerts"]
    row = service.database.one("""SELECT min(seq) FROM tocsin.event WHERE kind = 3 AND seq >    -- the end at which the session's closes settle
                                  (SELECT min(seq) FROM market.close WHERE symbol = 'AAA' AND price >= 150)""")
    assert got[0]["seq"] == row


@pytest.mark.parametrize("rule,code", [("ret(NOBODY) >= 1", "unknown_subject"), ("hhi(NOWHERE) >= 1", "unknown_subject"),
                                       ("ret(AAA, window=36mo) >= 1", "no_data"), ("hhi(THIN) >= 1", "low_coverage")])
def test_silence_that_means_nothing_is_said(service, rule, code):
    got = said(service, "--rule", rule, "--rule", "last(AAA) >= 110", code=65)
    assert got["alerts"], "the other rule goes on"
    assert (1, code) in [(w["rule_no"], w["code"]) for w in got["warnings"]] and {w["rule_no"] for w in got["warnings"]} == {1}
    plain = service.tocsin("backtest", "--rule", rule)
    assert plain.returncode == 65 and f"rule 1 ({rule}): {code}: " in plain.stderr


def test_a_range_without_records_is_no_answer(service):
    got = said(service, "--rule", "last(AAA) >= 110", "--from", "2025-01-01", code=65)
    assert got["alerts"] == [] and got["records"] == 0 and "no record in that range" in got["warnings"][0]["detail"]


def test_the_output_says_what_was_asked(service):
    got = said(service, "--rule", "last( AAA )  >= 110", "--clear", "105", "--hold", "60", "--cooldown", "3600", "--rule", "last(CCC) < 100")
    assert got["warnings"] == []
    first, second = got["rules"]
    assert first["rule_no"] == 1 and first["definition"] == {
        "name": "", "rule": "last(AAA) >= 110", "measure": "last(AAA)", "op": ">=", "threshold": "110", "clear": "105", "hold_s": 60, "cooldown_s": 3600,
        "severity": "warning", "on_create": "fire", "enabled": True}
    fires = [a for a in got["alerts"] if a["rule_no"] == 2]
    assert [a["time"][:10] for a in fires if a["state"] == "firing"] == ["2024-01-04", "2024-01-10"] and second["firing"] == 2 and second["resolved"] == 1


def test_rules_from_a_file_are_as_those_of_the_command_line(service, tmp_path):
    """100 thresholds, half of them as the API takes them."""
    thresholds = [100 + i for i in range(100)]
    lines = ["# thresholds", ""]
    lines += [json.dumps({"name": f"r{t}", "rule": f"last(AAA) >= {t}", "clear": str(t - 5)}) if t % 2 else f"  last(AAA) >= {t}  " for t in thresholds]
    (tmp_path / "rules.txt").write_text("\n".join(lines) + "\n")
    arguments = []
    for t in thresholds:
        arguments += ["--rule", f"last(AAA) >= {t}", *(["--clear", str(t - 5)] if t % 2 else [])]
    from_file, by_hand = said(service, "--rules", str(tmp_path / "rules.txt")), said(service, *arguments)
    assert len(by_hand["alerts"]) > 100 and from_file["alerts"] == by_hand["alerts"]


@pytest.mark.parametrize("seconds", ["x", "", "1.5", '5,"severity":"critical"'])
def test_a_hold_is_whole_seconds(service, seconds):
    done = service.tocsin("backtest", "--rule", "last(AAA) >= 1", "--hold", seconds)
    assert done.returncode == 64 and "--hold" in done.stderr and "needs whole seconds" in done.stderr, done


def test_each_wrong_rule_is_shown_with_its_own_text(service, tmp_path):
    done = service.tocsin("backtest", "--rule", "last(AAA) => 1", "--rule", "last(BBB) >= 1", "--rule", "nosuch(BBB) >= 1")
    assert done.returncode == 64 and "usage:" not in done.stderr
    assert "  last(AAA) => 1\n            ^\n" in done.stderr and "  nosuch(BBB) >= 1\n  ^\n" in done.stderr and "last(BBB)" not in done.stderr
    (tmp_path / "rules.txt").write_text('last(AAA) >= 1\nlast(AAA) >\n{"rule":"last(AAA) >= 1","hold":3}\n{"rule":"hhi(IX) = 3"}\n')
    done = service.tocsin("backtest", "--rules", str(tmp_path / "rules.txt"))
    assert done.returncode == 64 and done.stdout == ""
    for line, text in ((2, "expected a threshold"), (3, "hold"), (4, "\"=\" is no operator")):
        assert f"rules.txt:{line}: " in done.stderr and text in done.stderr, done.stderr
    done = service.tocsin("backtest", "--rule", "last(AAA) >= 1", "--rule", "hhi(IX) >= 10001")
    assert done.returncode == 64 and "  hhi(IX) >= 10001\n             ^\n" in done.stderr, done.stderr
    assert "hhi(IX) is never >= 10001: its values are above 0 and at most 10000" in done.stderr
    (tmp_path / "none.txt").write_text("# nothing\n")
    for arguments, text in ((("--rules", str(tmp_path / "none.txt")), "holds no rule"), (("--rules", str(tmp_path / "nowhere.txt")), "No such file"),
                            (("--clear", "3"), "no --rule before it"), (("--rule", "last(AAA) > 1", "--dance", "3"), "--dance 3: is not understood"), ((), "--rule"),
                            (("--rule", "last(AAA) > 1", "--from", "2024-01-03", "--to", "2024-01-02"), "--from is later than --to")):
        done = service.tocsin("backtest", *arguments)
        assert done.returncode == 64 and text in done.stderr and "usage:" not in done.stderr, (arguments, done)


def test_a_rule_made_in_the_middle_is_as_a_back_test_from_there(kafka, service_factory):
    """The same trades live and back-tested: one rule holds already when it is made, one is due, one waits, one never comes."""
    print(f"TOCSIN_SEED={SEED}")
    rng = random.Random(SEED)
    service = service_factory(topics=[kafka.create_topic("middle")], config=QUIET)
    feed = drive.Feed(kafka, service)
    feed.reference()
    feed.trades(*(rng.randint(90, 110) for _ in range(200)), 107).settle()
    rules = {"last(FEEDA) >= 105": ["--clear", "100"], "last(FEEDA) <= 95": ["--hold", "1"], "last(FEEDA) > 108": ["--cooldown", "30"], "last(FEEDA) > 1000": []}
    names = {"--clear": "clear", "--hold": "hold_s", "--cooldown": "cooldown_s"}
    for text, more in rules.items():
        body = {"rule": text, **({names[more[0]]: more[1] if more[0] == "--clear" else int(more[1])} if more else {})}
        assert service.api("POST", "/v1/rules", json=body).status_code in (200, 201)
    made = service.database.one("SELECT max(event_ns) FROM tocsin.event WHERE kind = 12")
    feed.trades(*(rng.randint(90, 110) for _ in range(300))).settle()
    live = [(ns, state, text, value) for ns, state, text, value in
            service.database.rows("SELECT event_ns, state, rule_text, value FROM tocsin.alert ORDER BY seq, rule_text, state")]
    moment = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=made // 10 ** 9)).isoformat() + f".{made % 10 ** 9 + 1:09d}Z"
    arguments = [x for text, more in rules.items() for x in ("--rule", text, *more)]
    tried = said(service, "--from", moment, *arguments)["alerts"]

    def key(state, text, value, second):
        return second, text, state, value
    assert live[0][0] == made and len({text for _, _, text, _ in live}) == 3, "one fires as it is made, three fire at all"
    assert sorted(key(s, r, v, ns // 10 ** 9) for ns, s, r, v in live) == sorted(
        key(a["state"], a["rule"], a["value"], int(dt.datetime.fromisoformat(a["time"][:19] + "+00:00").timestamp())) for a in tried)


def test_exact_fifth(service):
    """A rise of exactly 20 % satisfies >= 20: it is so on the 3rd, 4th, 8th and 10th, and on the 4th it has not ceased in between."""
    got = said(service, "--rule", "ret(AAA) >= 20")["alerts"]
    assert [a["time"][:10] for a in got if a["state"] == "firing"] == ["2024-01-03", "2024-01-08", "2024-01-10"]
    assert said(service, "--rule", "ret(AAA) > 20")["alerts"] == []
