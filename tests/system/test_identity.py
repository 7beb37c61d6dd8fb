"""Who an instrument is: renames through the real Kafka, live, back-tested, killed in between and verified."""
import json

import drive
from test_sessions import Fed, S, reference

DAY = 86400 * S
T0 = 1_654_700_400 * S              # 2022-06-08 15:00 UTC, a Wednesday


def trade(symbol, price, ts):
    return {"kind": "trade", "symbol": symbol, "price": str(price), "ts": ts}


def end(n):
    return {"kind": "clock", "ts": T0 + n * DAY + 6 * 3600 * S, "session_end": f"2022-06-{8 + n:02d}"}


def rename(symbol, to, n, **more):
    return {"kind": "rename", "symbol": symbol, "to": to, "ts": T0 + n * DAY - 3600 * S, **more}


def dead(f):
    return f.service.database.rows("SELECT reason, detail FROM tocsin.dead_letter ORDER BY kafka_offset")


def test_a_ticker_is_renamed(kafka, service_factory):
    """FB at 100 falls to 79 as META: the rule on ret(FB) fires as ret(META), history and level go on, before and after a kill."""
    f = Fed(kafka, service_factory, "rename", track="ret(FB); last(FB); change(last(FB), over=1d)")
    f.send(reference("FB", "OTH", ts=T0 - 3600 * S) + [trade("FB", 100, T0), trade("OTH", 100, T0), end(0)])
    rule = drive.make_rule(f.service, {"name": "crash", "rule": "ret(FB) <= -20", "clear": "-19.5", "cooldown_s": 9})
    first_series = f.service.database.one("SELECT series_id FROM tocsin.series WHERE measure = 'ret(FB)'")
    f.send([rename("FB", "META", 1, effective="2022-06-09", name="Meta Platforms"), trade("FB", 1, T0 + DAY), trade("META", 90, T0 + DAY + S)])
    assert dead(f) == [("unknown_symbol", "symbol FB is META since 2022-06-09")]
    f.service.kill9()
    f.service.start()
    f.send([trade("META", 79, T0 + DAY + 2 * S), trade("OTH", 101, T0 + DAY + 3 * S), end(1)])
    assert f.value("ret(META)") == -21
    assert f.value("change(last(META), over=1d)") == -21
    assert f.value("level(IX)") == 900
    [alert] = drive.alerts(f.service)
    assert alert["rule"]["text"] == "ret(META) <= -20" and alert["measure"] == "ret(META)" and alert["definition"]["of"] == "META"
    now = f.service.api("GET", f"/v1/rules/{rule['id']}").json()
    assert (now["rule"], now["measure"], now["clear"], now["cooldown_s"], now["version"], now["state"]) == ("ret(META) <= -20", "ret(META)", "-19.5", 9, 1, "firing")
    assert len(drive.history(f.service, "ret(META)")) == 2 and f.service.database.one("SELECT series_id FROM tocsin.series WHERE measure = 'ret(META)'") == first_series
    problem = drive.problem(f.service.api("POST", "/v1/rules", {"rule": "ret(FB) <= -30"}), 400, "unknown_symbol")
    assert problem["detail"] == "symbol FB is META since 2022-06-09"
    patched = f.service.api("PATCH", f"/v1/rules/{rule['id']}", {"name": "crashed"})
    assert patched.status_code == 200 and patched.json()["rule"] == "ret(META) <= -20" and patched.json()["version"] == 2
    for symbol in ("FB", "META"):
        [is_called] = f.service.api("GET", f"/v1/instruments?symbol={symbol}").json()["instruments"]
        assert is_called == {"id": 0, "symbol": "META", "issuer": "IFB", "name": "Meta Platforms", "venue": "", "isin": None, "figi": None, "symbols": [
            {"symbol": "FB", "from": None, "until": "2022-06-09"}, {"symbol": "META", "from": "2022-06-09", "until": None}]}
    drive.problem(f.service.api("GET", "/v1/instruments?symbol=FBX"), 404)
    # as of then, by either name; for quants by the one of today, with the dates of both
    sql = f.service.database
    assert sql.one("SELECT tocsin.instrument_at('FB', '2022-06-08')") == sql.one("SELECT tocsin.instrument_at('META', '2022-06-09')") is not None
    assert sql.one("SELECT tocsin.instrument_at('FB', '2022-06-09')") is None is sql.one("SELECT tocsin.instrument_at('META', '2022-06-08')")
    assert [(s, now, str(since), str(until)) for s, now, since, until in
            sql.rows("SELECT symbol, symbol_now, valid_from, valid_until FROM market.symbol WHERE issuer = 'IFB' ORDER BY valid_from NULLS FIRST")] == [
        ("FB", "META", "None", "2022-06-09"), ("META", "META", "2022-06-09", "None")]
    assert [float(p) for p, in sql.rows("SELECT price FROM market.trade WHERE symbol = 'META' ORDER BY seq")] == [100, 90, 79]
    f.same_again("ret(FB) <= -20", "ret(META) <= -20")
    for name in ("FB", "META"):
        for start in ("2022-06-08", "2022-06-09T15:00:01Z"):      # as FB, and when it was META already
            done = f.service.tocsin("backtest", "--rule", f"last({name}) <= 79", "--from", start, "--json")
            assert json.loads(done.stdout)["warnings"] == [], done.stdout
            assert done.returncode == 0


def test_symbols_change_hands(kafka, service_factory):
    """AAA and BBB exchange symbols over a third in one turn; then a free one goes to a company of its own. Series, rules and rows go with the companies."""
    f = Fed(kafka, service_factory, "exchange", track="last(AAA); last(BBB)")
    f.send(reference("AAA", "BBB", ts=T0 - 3600 * S) + [trade("AAA", 10, T0), trade("BBB", 20, T0), end(0)])
    drive.make_rule(f.service, {"rule": "last(AAA) >= 15"})
    f.send([rename("AAA", "TMP", 1), rename("BBB", "AAA", 1), rename("TMP", "BBB", 1), rename("BBB", "TMP", 1), rename("AAA", "AAA", 1), rename("AAA", "BBB", 1),
            trade("AAA", 21, T0 + DAY), trade("BBB", 11, T0 + DAY + S), end(1)])
    assert [d for _, d in dead(f)] == ["a circle: BBB was TMP until 2022-06-09, and may be again on a later day only", "AAA is renamed to itself",
                                       "AAA cannot become BBB, which is in use by an instrument of issuer \"IAAA\""]
    assert (f.value("last(AAA)"), f.value("last(BBB)")) == (21, 11) and f.alerts() == []
    f.send([rename("BBB", "ZZZ", 2), {"kind": "instrument", "symbol": "BBB", "issuer": "IAAA", "ts": T0 + 2 * DAY},
            {"kind": "instrument", "symbol": "BBB", "issuer": "NEW CO", "ts": T0 + 2 * DAY}, trade("BBB", 16, T0 + 2 * DAY), trade("ZZZ", 14, T0 + 2 * DAY), end(2)])
    assert dead(f)[-1] == ("invalid", "symbol BBB of issuer \"IAAA\" is ZZZ since 2022-06-10")
    assert f.alerts() == []
    f.send([trade("ZZZ", 15, T0 + 2 * DAY + 7 * 3600 * S)])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 15)]
    assert drive.alerts(f.service)[0]["rule"]["text"] == "last(ZZZ) >= 15"
    sql = f.service.database
    assert sql.rows("SELECT symbol, issuer FROM tocsin.instrument ORDER BY instrument_id") == [("ZZZ", "IAAA"), ("AAA", "IBBB"), ("BBB", "NEW CO")]
    assert sql.one("SELECT tocsin.instrument_at('BBB', '2022-06-09')") == 0 and sql.one("SELECT tocsin.instrument_at('BBB', '2022-06-10')") == 2
    assert [float(p) for p, in sql.rows("SELECT price FROM market.trade WHERE symbol = 'BBB'")] == [16]
    f.same_again("last(ZZZ) >= 15")


def test_an_action_under_the_old_symbol(kafka, service_factory):
    """It is refused with what became of the symbol, as a trade is; under the new one, and under the old one before the rename, it takes effect."""
    f = Fed(kafka, service_factory, "old-symbol", track="ret(FB)")
    f.send(reference("FB", "OTH", ts=T0 - 3600 * S) + [trade("FB", 400, T0), trade("OTH", 100, T0), end(0)])
    day = {"effective": "2022-06-09", "ts": T0 + DAY - 1800 * S}
    actions = [{"kind": "split", "new": 4, "old": 1, **day}, {"kind": "dividend", "amount": 1, "ex": "2022-06-09", "ts": day["ts"]},
               {"kind": "merger", "price": 9, **day}, {"kind": "delisting", **day}]
    f.send([rename("FB", "META", 1, effective="2022-06-09"), *({**a, "symbol": "FB"} for a in actions),
            {"kind": "spin_off", "parent": "FB", "child": "OTH", "new": 1, "old": 2, **day}, {"kind": "spin_off", "parent": "OTH", "child": "FB", "new": 1, "old": 2, **day}])
    assert dead(f) == [("unknown_symbol", "symbol FB is META since 2022-06-09")] * 6
    f.send([{**actions[0], "symbol": "META"}, trade("META", 103, T0 + DAY), trade("OTH", 100, T0 + DAY), end(1)])
    assert (f.value("ret(META)"), f.value("level(IX)")) == (3, 1000 * (41200 + 10000) / 50000)
    f.same_again()


def test_a_back_test_over_an_exchange(kafka, service_factory):
    """AAA's record is there before BBB's. AAA is called BBB today: a back-test of last(BBB) from the start is still about the first BBB, as live was."""
    f = Fed(kafka, service_factory, "exchanged")
    f.send(reference("AAA", "BBB", ts=T0 - 3600 * S))
    drive.make_rule(f.service, {"rule": "last(BBB) >= 30"})
    f.send([trade("AAA", 35, T0), trade("BBB", 20, T0), end(0), rename("AAA", "TMP", 1), rename("BBB", "AAA", 1), rename("TMP", "BBB", 1),
            trade("BBB", 36, T0 + DAY), trade("AAA", 31, T0 + DAY + S), end(1)])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 31)]
    f.same_again("last(BBB) >= 30")


def test_other_spellings(kafka, service_factory):
    """BRK-B and BRK/B are BRK.B because the table says so: in messages, rules, settings, questions and back-tests; before it says so they are nothing."""
    f = Fed(kafka, service_factory, "spellings", track="last(BRK/B)")
    f.send(reference("BRK.B", ts=T0 - 3600 * S) + [trade("BRK-B", 1, T0)])
    assert dead(f) == [("unknown_symbol", "symbol BRK-B has no instrument record yet")]
    f.send([{"kind": "alias", "alias": a, "symbol": "BRK.B", "ts": T0} for a in ("BRK-B", "BRK/B")] + [{"kind": "alias", "alias": "BRK.B", "symbol": "X", "ts": T0}])
    assert dead(f)[-1] == ("invalid", "BRK.B is the symbol of an instrument, and no alias")
    rule = drive.make_rule(f.service, {"rule": "last(BRK-B) >= 300"})
    assert rule["rule"] == "last(BRK.B) >= 300"
    f.send([trade("BRK/B", 299, T0 + S), trade("BRK-B", 301, T0 + 2 * S), end(0)])
    for spelling in ("BRK.B", "BRK-B", "BRK/B"):
        assert drive.measures(f.service, f"last({spelling})")["last(BRK.B)"]["value"] == 301
        assert [p["value"] for p in drive.history(f.service, f"last({spelling})")] == [301]
    assert f.service.database.rows("SELECT measure FROM tocsin.series WHERE measure LIKE 'last%'") == [("last(BRK.B)",)]
    f.service.kill9()
    f.service.start()
    f.send([trade("BRK-B", 299, T0 + 7 * 3600 * S)])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 301), ("resolved", 299)]
    f.same_again("last(BRK-B) >= 300", "last(BRK.B) >= 300")


def test_a_symbol_goes_to_another_company(kafka, service_factory):
    """ABC left its index, and another company trades as ABC: an instrument of its own. Rules of the first stay with it and are stale, those of the second begin."""
    f = Fed(kafka, service_factory, "reused", track="last(ABC)")
    f.send(reference("ABC", "OTH", ts=T0 - 3600 * S) + [trade("ABC", 100, T0), trade("OTH", 50, T0), end(0)])
    rule = drive.make_rule(f.service, {"rule": "last(ABC) <= 20"})
    gives = {"kind": "instrument", "symbol": "ABC", "issuer": "YOUNG CO", "isin": "US0378331005", "ts": T0 + DAY}
    f.send([{**gives, "issuer": "IABC", "isin": "US30303M1027"}, gives, {"kind": "membership", "index": "IX", "symbol": "ABC", "member": False, "ts": T0 + DAY}, gives, gives,
            {"kind": "instrument", "symbol": "ABC", "issuer": "IABC", "ts": T0 + DAY}, trade("ABC", 10, T0 + DAY + S), trade("OTH", 50, T0 + DAY + S)])
    assert [d for _, d in dead(f)] == ['symbol ABC is in an index as a line of issuer "IABC"; end its memberships before it moves to another',
                                       'symbol ABC of issuer "IABC" is ABC:20220609 since 2022-06-09']
    assert f.alerts() == []
    now = f.service.api("GET", f"/v1/rules/{rule['id']}").json()
    assert (now["rule"], now["state"]) == ("last(ABC:20220609) <= 20", "stale")
    row = drive.measures(f.service, "last(ABC:20220609)")["last(ABC:20220609)"]
    assert (row["status"], row["value"]) == ("ended", None)
    drive.make_rule(f.service, {"rule": "last(ABC) <= 20"})
    f.send([end(1)])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 10)]
    assert f.value("level(IX)") == 1000
    sql = f.service.database
    assert sql.rows("SELECT symbol, issuer FROM tocsin.instrument ORDER BY instrument_id") == [("ABC:20220609", "IABC"), ("OTH", "IOTH"), ("ABC", "YOUNG CO")]
    assert [sql.one(f"SELECT tocsin.instrument_at('ABC', '2022-06-{day}')") for day in ("08", "09")] == [0, 2]
    assert f.service.terminate() == 0
    assert " 0 differing values" in f.service.check_ran("verify")


def test_numbers_of_registries(kafka, service_factory):
    """ISIN and FIGI are kept over a rename; one that its check digit contradicts is refused, with the right digit."""
    f = Fed(kafka, service_factory, "numbers")
    gives = {"kind": "instrument", "symbol": "FB", "issuer": "META", "ts": T0}
    f.send([{**gives, "isin": "US30303M1027"}, {**gives, "figi": "BBG000MM2P62"}, {**gives, "isin": "US30303M1028"}, rename("FB", "META", 1)])
    assert dead(f) == [("invalid", 'field "isin": the check digit of US30303M102 is 7, not 8')]
    [is_called] = f.service.api("GET", "/v1/instruments?symbol=META").json()["instruments"]
    assert (is_called["isin"], is_called["figi"]) == ("US30303M1027", "BBG000MM2P62")
    assert f.service.database.rows("SELECT symbol, isin, figi FROM market.symbol ORDER BY valid_from NULLS FIRST") == [
        ("FB", "US30303M1027", "BBG000MM2P62"), ("META", "US30303M1027", "BBG000MM2P62")]
    f.same_again()


def test_companies_merge(kafka, service_factory):
    """AAA 30 %, BBB 40 %, CCC 20 %, DDD 10 %: HHI is 3000. AAA's company joins BBB's: 5400 from then on, level and divisor as before; DDD's is called otherwise,
    CCC goes to it by its instrument record. A kill in between, the old keys' facts and news, and what is refused."""
    f = Fed(kafka, service_factory, "companies", track="hhi(IX); top_weight(IX, n=1); sentiment(BBB); ai_exposure(IX)")
    f.send(reference("AAA", "BBB", "CCC", "DDD", ts=T0 - 3600 * S) + [{"kind": "issuer", "issuer": "IAAA", "name": "Aardvark Inc.", "ts": T0 - 3600 * S}]
           + [trade(s, p, T0) for s, p in (("AAA", 30), ("BBB", 40), ("CCC", 20), ("DDD", 10))] + [end(0)])
    drive.make_rule(f.service, {"rule": "hhi(IX) >= 5300"})
    before = f.service.database.one("SELECT count(*) FROM tocsin.divisor")
    becomes = {"kind": "issuer_rename", "ts": T0 + DAY - 3600 * S}
    f.send([{"kind": "article", "id": "n-1", "headline": "Aardvark profit surges", "symbols": ["AAA"], "ts": T0 + 7 * 3600 * S},
            {**becomes, "issuer": "NOBODY", "to": "IBBB"}, {**becomes, "issuer": "IAAA", "to": "IAAA"}, {**becomes, "issuer": "IAAA", "to": "IBBB", "effective": "2022-06-11"},
            {**becomes, "issuer": "IAAA", "to": "IBBB"}, {**becomes, "issuer": "IBBB", "to": "IAAA"}, {**becomes, "issuer": "IAAA", "to": "ICCC"}])
    assert dead(f) == [("invalid", detail) for detail in (
        'issuer "NOBODY" is named by no record yet', 'issuer "IAAA" is renamed to itself',
        "effective 2022-06-11 is more than a day after ts: send the issuer_rename when its day has come",
        'a circle: "IBBB" was "IAAA" until 2022-06-09, and may be again on a later day only', 'issuer "IAAA" is "IBBB" since 2022-06-09')]
    f.service.kill9()
    f.service.start()
    assert (f.value("hhi(IX)"), f.value("top_weight(IX, n=1)"), f.value("level(IX)")) == (5400, 70, 1000)
    alone = f.value("sentiment(BBB)")
    assert alone > 0
    f.send([{"kind": "exposure", "issuer": "IAAA", "theme": "AI", "value": "0.5", "ts": T0 + DAY}, {**becomes, "issuer": "IDDD", "to": "DELTA", "name": "Delta Corp."},
            {"kind": "article", "id": "n-2", "headline": "Aardvark profit surges", "symbols": ["BBB"], "ts": T0 + DAY},       # by the name of before
            {"kind": "instrument", "symbol": "CCC", "issuer": "IDDD", "ts": T0 + DAY}]
           + [trade(s, p, T0 + DAY) for s, p in (("AAA", 30), ("BBB", 40), ("CCC", 20), ("DDD", 10))] + [end(1)])
    assert (f.value("hhi(IX)"), f.value("level(IX)"), f.value("ai_exposure(IX)")) == (70 * 70 + 30 * 30, 1000, 0.35)
    assert f.value("sentiment(BBB)") > alone
    [named] = f.service.api("GET", "/v1/instruments?symbol=AAA").json()["instruments"]
    assert named["issuer"] == "IBBB"
    sql = f.service.database
    assert sql.rows("SELECT symbol, issuer FROM tocsin.instrument ORDER BY instrument_id") == [("AAA", "IBBB"), ("BBB", "IBBB"), ("CCC", "DELTA"), ("DDD", "DELTA")]
    top = f.service.api("GET", "/v1/constituents?index=IX&n=9").json()["constituents"]
    assert [(c["issuer"], c["symbol"], c["name"]) for c in top] == [("IBBB", "BBB", "IBBB"), ("DELTA", "CCC", "Delta Corp.")]
    f.send([trade(s, p, T0 + 2 * DAY) for s, p in (("BBB", 40), ("CCC", 20), ("DDD", 10), ("AAA", 1))])
    assert [(state, v) for state, _, v in f.alerts()] == [("firing", 5400), ("resolved", 1e4 * (41 ** 2 + 30 ** 2) / 71 ** 2)]
    assert sql.one("SELECT count(*) FROM tocsin.divisor") == before
    f.same_again("hhi(IX) >= 5300")
