/* test_actions.c - splits, and the share counts that come with them, in any order and however late: by hand, and against an
 * engine that got prices and counts adjusted from the first day and no split at all. */
#include "tests/unit/analytics/stories.h"

/* ---- ../shared/cases/04-split: AAPL 4,275 at 499.23, OTH 10,000 at 200; then 17,100 at 129.04 ---- */
static int field_case(void **state)
{
    (void)state;
    begin();
    member("AAPL", 4275);
    member("OTH", 10000);
    trade("AAPL", 499.23, at(0, 15, 0));
    trade("OTH", 200, at(0, 15, 0));
    ok(end_of(0));
    return 0;
}

/* 17,100 * 129.04 + 2,000,000 = 4,206,584 after 4,134,208.25: 1017.506...; AAPL 4 * 129.04 / 499.23. */
static void it_came_right(const char *order)
{
    order_now = order;
    is("level(X)", 1000 * 4206584.0 / 4134208.25);
    is("ret(AAPL)", 100 * (4 * 129.04 / 499.23 - 1));
    is("ret(AAPL, window=all)", 100 * (4 * 129.04 / 499.23 - 1));
    is("top_weight(X, n=1)", 100 * 2206584.0 / 4206584);
    is_about("spread(X, kind=arith, window=all, ew=held)",
             100 * (4206584.0 / 4134208.25 - 1) - 100 * (4 * 129.04 / 499.23 - 1) / 2);
    is_about("ew_level(X, ew=held)", 1000 + 500 * (4 * 129.04 / 499.23 - 1));
    is_about("ew_level(X, ew=daily)", 1000 + 500 * (4 * 129.04 / 499.23 - 1));
}

/* Every order of the five records, the session's end among them but after its closes; `sold`: AAPL by a trade. */
static void a_split_its_count_and_the_prices_in_every_order(void **state)
{
    for (int sold = 0; sold < 2; sold++)
        for (int code = 0; code < 120; code++) {
            static const char *const names[] = { "split", "shares", "AAPL", "OTH", "end" };
            const int64_t price = 12904000000;
            const struct record all[] = { split_of("AAPL", 4, 1, 4, at(4, 8, 0)),
                                          shares_of("AAPL", 17100, at(4, 8, 0)),
                                          sold ? trade_of("AAPL", price, at(4, 15, 0))
                                               : close_of("AAPL", price, 4, at(4, 21, 0)),
                                          close_of("OTH", 200ll * E8, 4, at(4, 21, 0)), end_of(4) };
            int left[] = { 0, 1, 2, 3, 4 }, order[5], rest = code, place[5];
            char text[64] = "";
            for (int n = 5; n > 0; n--) {
                const int k = rest % n;
                rest /= n;
                order[5 - n] = left[k];
                place[left[k]] = 5 - n;
                memmove(&left[k], &left[k + 1], (size_t)(n - 1 - k) * sizeof *left);
            }
            if (place[4] < place[2] || place[4] < place[3]) continue;
            field_case(state);
            for (int i = 0; i < 5; i++) {
                ok(all[order[i]]);
                if (code % 2) reload();
                snprintf(text + strlen(text), sizeof text - strlen(text), " %s", names[order[i]]);
            }
            it_came_right(text);
            ok(trade_of("OTH", 200ll * E8, at(5, 15, 0)));
            is("level(X)", 1000 * 4206584.0 / 4134208.25);
            done(state);
        }
}

/* ---- by hand ---- */
static int two_stocks(void **state)
{
    (void)state;
    begin();
    member("A", 100);
    member("B", 300);
    trade("A", 400, at(0, 15, 0));
    trade("B", 100, at(0, 15, 0));
    ok(end_of(0));
    return 0;
}

/* A of 40,000 beside B of 30,000. */
static void a_split_said_before_waits_for_its_session(void **state)
{
    (void)state;
    value("max(last(A), over=2d)");
    value("change(last(A), over=1d)");
    value("change(last(A), over=1d, unit=pct)");
    value("avg(last(A), over=2d)");
    ok(split_of("A", 4, 1, 4, at(0, 22, 0)));
    is("last(A)", 400);
    trade("A", 404, at(1, 15, 0)); /* of a session before it */
    is("last(A)", 404);
    is("ret(A)", 1);
    ok(end_of(1));
    trade("B", 100, at(4, 14, 0)); /* whoever is first opens the session */
    is("last(A)", 101);
    is("ret(A)", 0);
    is("ret(A, window=all)", 1);
    is("level(X)", 1000 * 70400.0 / 70000);
    is("top_weight(X, n=1)", 100 * 40400.0 / 70400);
    is("change(last(A), over=1d)", 0);
    is("max(last(A), over=2d)", 101);
    reload();
    trade("A", 103.02, at(4, 15, 0));
    is("ret(A)", 2);
    is("ret(A, window=all)", 100 * (412.08 / 400 - 1));
    is("level(X)", 1000 * (41208.0 + 30000) / 70000);
    is("change(last(A), over=1d)", 103.02 - 101);
    is("change(last(A), over=1d, unit=pct)", 2);
    is("avg(last(A), over=2d)", (101 + 103.02) / 2);
    ok(shares_of("A", 400, at(4, 16, 0))); /* the count that stands already */
    is("level(X)", 1000 * (41208.0 + 30000) / 70000);
}

/* 100 / 3 is no price: the line keeps its value of 10,000.00 and its return of 0 until the next trade. */
static void what_cannot_be_divided_is_not_moved(void **state)
{
    (void)state;
    begin();
    member("A", 100);
    trade("A", 100, at(0, 15, 0));
    member("B", 1);
    trade("B", 100, at(0, 15, 0));
    ok(end_of(0));
    const double ew = value("ew_level(X, ew=daily)");
    ok(split_of("A", 3, 1, 1, at(0, 22, 0)));
    trade("B", 100, at(1, 14, 0));
    is("last(A)", 33.33333333);
    assert_true(value("level(X)") == 1000);
    assert_true(value("ret(A)") == 0);
    is("ew_level(X, ew=daily)", ew);
    reload();
    assert_true(value("level(X)") == 1000);
    assert_true(value("ret(A)") == 0);
    trade("A", 33.33333333, at(1, 15, 0)); /* now it is one's: 300 of them are 9999.99 */
    is("level(X)", 1000 * (9999.99 + 100) / 10100);
    is("ret(A)", 100 * (99.99999999 / 100 - 1));
}

/* A count with its own day waits for it, and an issue on the way moves no level. */
static void a_count_may_say_from_when(void **state)
{
    (void)state;
    ok((struct record){ .kind = RECORD_SHARES,
                        .event_ns = at(0, 22, 0),
                        .u.shares = { symbol("A"), 120, E8, DAY0 + 2 } });
    trade("A", 440, at(1, 15, 0));
    is("top_weight(X, n=1)", 100 * 44000.0 / 74000);
    reload();
    trade("B", 100, at(2, 15, 0));
    is("top_weight(X, n=1)", 100 * 52800.0 / 82800);
    is("level(X)", 1000 * 74000.0 / 70000);
    ok((struct record){ .kind = RECORD_SHARES,
                        .event_ns = at(2, 22, 0),
                        .u.shares = { symbol("A"), 100, E8, DAY0 + 2 } }); /* late: at once */
    is("top_weight(X, n=1)", 100 * 44000.0 / 74000);
    is("level(X)", 1000 * 74000.0 / 70000);
}

static void refused(struct record r, enum err want, const char *text)
{
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    struct why why = { 0 };
    engine_save(e, &before);
    assert_int_equal(apply(r, &why), want);
    if (!strstr(why.text, text)) fail_msg("says \"%s\", wanted \"%s\"", why.text, text);
    engine_save(e, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len); /* and nothing has changed */
}

static void a_split_that_cannot_be_is_refused(void **state)
{
    (void)state;
    refused(split_of("NEW", 4, 1, 1, at(1, 0, 0)), ERR_UNKNOWN_SYMBOL, "no instrument record");
    refused(split_of("A", 3, 3, 1, at(1, 0, 0)), ERR_INVALID, "3 for 3 changes nothing");
    ok(split_of("A", 4, 1, 1, at(0, 22, 0)));
    refused(split_of("A", 4, 1, 1, at(0, 23, 0)), ERR_INVALID, "is known, 4 for 1");
    ok(split_of("A", 5, 1, 1, at(0, 23, 0))); /* it waits still: corrected */
    trade("B", 100, at(1, 15, 0));
    is("last(A)", 80);
    refused(split_of("A", 5, 1, 1, at(1, 16, 0)), ERR_INVALID, "is known, 5 for 1");
    refused(split_of("A", 4, 1, 1, at(1, 16, 0)), ERR_INVALID, "is known, 5 for 1");
    ok(shares_of("B", (int64_t)1 << 40, at(1, 17, 0)));
    refused(split_of("B", 10, 1, 1, at(1, 17, 0)), ERR_INVALID, "more shares of B");
    is("level(X)", 1000);
}

/* Trades of the session before that come after the open are per share of then. */
static void a_trade_from_before_the_split_is_divided_too(void **state)
{
    (void)state;
    ok(split_of("A", 4, 1, 1, at(0, 22, 0)));
    trade("B", 100, at(1, 0, 1));
    trade("A", 408, at(0, 23, 59));
    is("last(A)", 102);
    is("ret(A)", 2);
    is("level(X)", 1000 * 70800.0 / 70000);
    ok(close_of("A", 404ll * E8, 0, at(0, 23, 59))); /* and so is a corrected close */
    is("ret(A)", 0);
    is("last(A)", 101);
    trade("A", 102.01, at(1, 15, 0));
    is("ret(A)", 1);
}

/* ---- dividends ---- */
static struct record dividend_of(const char *s, double amount, int day, bool special)
{
    return (struct record){ .kind = RECORD_DIVIDEND,
                            .event_ns = engine_now_ns(e),
                            .u.dividend = { .symbol = symbol(s),
                                            .amount_e8 = llround(amount * E8),
                                            .special = special,
                                            .day = DAY0 + day,
                                            .announced = NO_DAY } };
}

/* 4 a share on day 1, at whose close A is at 398: said before it, on the day, or afterwards. */
static void a_dividend_is_put_back_in_at_the_close_of_its_ex_session(void **state)
{
    for (int said = 0; said < 4; said++) {
        two_stocks(state);
        value("level(X, return=total)");
        if (said == 0) ok(dividend_of("A", 4, 1, false));
        trade("A", 398, at(1, 15, 0));
        trade("B", 100, at(1, 15, 0));
        if (said == 1) ok(dividend_of("A", 4, 1, false));
        if (said < 2) {
            is("ret(A)", -0.5);
            is("ret(A, return=total)", 100 * (402.0 / 400 - 1));
            is("level(X)", 1000 * 69800.0 / 70000);
            is("level(X, return=total)", 1000 * 70200.0 / 70000);
        }
        if (said % 2) reload();
        ok(end_of(1));
        if (said == 2) ok(dividend_of("A", 4, 1, false));
        is("level(X, return=total)", said < 3 ? 1000 * 70200.0 / 70000 : 1000 * 69800.0 / 70000);
        trade("A", 402, at(4, 15, 0));
        if (said == 3) ok(dividend_of("A", 4, 1, false));
        reload();
        is("level(X)", 1000 * 70200.0 / 70000);
        is("level(X, return=total)", 1000 * (70200.0 / 70000) * (70200.0 / 69800));
        is("ret(A, window=all)", 0.5);
        is("ret(A, window=all, return=total)", 100 * (402.0 / 398 * 402 / 400 - 1));
        is("ret(A, return=total)", 100 * (402.0 / 398 - 1));
        done(state);
    }
}

/* Of an index's total return is what its members of the ex-session were paid: C has come since, A has left. */
static void a_late_dividend_is_its_members_of_then(void **state)
{
    for (
        int kept = 0; kept < 2;
        kept++) { /* and when the ex-session's weights are not kept any more: C has come since, for sure */
        two_stocks(state);
        value("level(X, return=total)");
        member("C", 100);
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str_of("X"), symbol("C"), false, 0 } });
        trade("A", 398, at(1, 15, 0));
        trade("B", 100, at(1, 15, 0));
        trade("C", 50, at(1, 15, 0));
        ok(end_of(1));
        const int last = kept ? 2 : 2 + SESSIONS_KEPT;
        for (int day = 2; day <= last; day++) {
            if (day == last - 1 || (kept && day == 2))
                ok((struct record){ .kind = RECORD_MEMBERSHIP,
                                    .u.membership = { str_of("X"), symbol("C"), true, 0 } });
            if (kept && day == 2)
                ok((struct record){ .kind = RECORD_MEMBERSHIP,
                                    .u.membership = { str_of("X"), symbol("A"), false, 0 } });
            trade("B", 100, at(day, 15, 0));
            trade("C", 50, at(day, 15, 0));
            ok(end_of(day));
        }
        is("level(X, return=total)", 1000 * 69800.0 / 70000);
        ok(dividend_of("C", 5, 1, false));
        ok(dividend_of("B", 5, 0, false)); /* the base is B without it */
        is("level(X, return=total)", 1000 * 69800.0 / 70000);
        if (kept) ok(dividend_of("A", 4, 1, false));
        if (kept) is("level(X, return=total)", 1000 * 70200.0 / 70000);
        done(state);
    }
}

/* 40 a share of 400 on day 1: nothing has fallen, whenever it is said. A spin-off of half a share at 80 does the same. */
enum payment { SPECIAL, VALUED, PRICED, PAYMENTS };
static void pay(enum payment how)
{
    struct record r = { .kind = RECORD_SPIN_OFF,
                        .event_ns = engine_now_ns(e),
                        .u.spin_off = { .parent = symbol("A"),
                                        .child = symbol("C"),
                                        .to = 1,
                                        .from = 2,
                                        .value_e8 = how == VALUED ? 80ll * E8 : 0,
                                        .day = DAY0 + 1,
                                        .announced = NO_DAY } };
    ok(how == SPECIAL ? dividend_of("A", 40, 1, true) : r);
}

static void what_is_paid_out_is_no_fall(void **state)
{
    for (int code = 0; code < 4 * PAYMENTS; code++) {
        const int said = code % 4;
        const enum payment how = (enum payment)(code / 4);
        char text[64];
        snprintf(text, sizeof text, "payment %d said at %d", (int)how, said);
        order_now = text;
        two_stocks(state);
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol("C"), .issuer = str_of("C") } });
        if (said == 0) pay(how);
        trade("B", 100, at(1, 14, 0));
        if (said == 1) pay(how);
        if (how == PRICED && code % 2) trade("C", 80, at(1, 14, 1));
        if (how != PRICED && said < 2) {
            is("last(A)", 360);
            is("ret(A)", 0);
            is("level(X)", 1000);
            is_about("ew_level(X, ew=daily)", 1000);
        }
        reload();
        trade("A", 363.6, at(1, 15, 0));
        if (how == PRICED && code % 2 == 0) trade("C", 80, at(1, 15, 1));
        if (said == 2) pay(how);
        ok(end_of(1));
        if (said == 3) pay(how);
        is("ret(A)", 1);
        is("level(X)", 1000 * 66360.0 / 66000);
        is_about("ew_level(X, ew=daily)", 1005);
        is_about("ew_level(X, ew=held)", 1005);
        reload();
        trade("A", 367.236, at(4, 15, 0));
        is("ret(A)", 1);
        is("ret(A, window=all)", 100 * (367.236 / 360 - 1));
        is("ret(A, window=all, return=total)", 100 * (367.236 / 360 - 1));
        is("level(X)", 1000 * (36723.6 + 30000) / 66000);
        is("level(X, return=total)", 1000 * (36723.6 + 30000) / 66000);
        is_about("spread(X, window=1d, kind=arith, ew=daily)", 100 * (66723.6 / 66360 - 1) - 0.5);
        done(state);
    }
    order_now = "";
}

static void payments_that_cannot_be_are_refused(void **state)
{
    (void)state;
    refused(dividend_of("NEW", 1, 1, false), ERR_UNKNOWN_SYMBOL, "no instrument record");
    refused(dividend_of("A", 400, 1, false), ERR_INVALID,
            "400 for a share of A, which is worth 400: it must be less");
    refused(dividend_of("A", 401, 1, true), ERR_INVALID, "401 for a share of A");
    ok(dividend_of("A", 4, 1, false));
    refused(dividend_of("A", 4, 1, false), ERR_INVALID, "a dividend of A of 2024-01-26 is known");
    ok(dividend_of("A", 5, 1, false)); /* corrected, since it waits */
    struct record r = { .kind = RECORD_SPIN_OFF,
                        .u.spin_off = { .parent = symbol("A"),
                                        .child = symbol("A"),
                                        .to = 1,
                                        .from = 1,
                                        .day = DAY0 + 1 } };
    refused(r, ERR_INVALID, "parent and child are A");
    r.u.spin_off.child = symbol("NEW");
    refused(r, ERR_UNKNOWN_SYMBOL, "NEW has no instrument record");
    r.u.spin_off.child = symbol("B");
    r.u.spin_off.value_e8 = 400ll * E8;
    refused(r, ERR_INVALID, "400 for a share of A");
    trade("A", 400, at(1, 15, 0));
    is("ret(A, return=total)", 100 * (405.0 / 400 - 1));
    refused(dividend_of("A", 6, 1, false), ERR_INVALID, "is known");
}

/* A child that never trades leaves its parent as it is, and the day goes on. */
static void a_child_without_a_price_is_waited_for(void **state)
{
    (void)state;
    ok((struct record){ .kind = RECORD_INSTRUMENT,
                        .u.instrument = { .symbol = symbol("C"), .issuer = str_of("C") } });
    pay(PRICED);
    trade("A", 380, at(1, 15, 0));
    reload();
    ok(end_of(1));
    trade("A", 384, at(4, 15, 0));
    is("ret(A, window=all)", -4);
    ok(trade_of("C", 32ll * E8, at(4, 16, 0))); /* 16 a share of A */
    is("ret(A, window=all)", 0);
    is("level(X)", 1000 * (38400.0 + 30000) / (38400 + 30000));
    trade("C", 64, at(4, 16, 1));
    is("ret(A, window=all)", 0);
}

/* Until it trades, a child that came at its value lowers coverage: here levels are asked for all the same. */
static void keeps(enum spin_offs what)
{
    engine_market(e)->settings.coverage_gate_e8 = E8 / 4;
    engine_market(e)->gate = 0.25;
    ok((struct record){
        .kind = RECORD_INDEX,
        .event_ns = engine_now_ns(e),
        .u.index = { .index = str_of("X"), .base_e8 = 1000ll * E8, .spin_offs = what } });
}

static void ledger_is(size_t n, const double (*rows)[2])
{
    const struct engine_output *o = engine_output(e);
    assert_int_equal(o->divisors_n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(o->divisors[i].cause.reason, DIVISOR_SPIN_OFF);
        assert_true(fabs(o->divisors[i].before - rows[i][0]) < 1e-9);
        assert_true(fabs(o->divisors[i].after - rows[i][1]) < 1e-9);
    }
}

/* A of 40,000 and B of 30,000 are X, 1000 of a divisor of 70. A lets C go, one for two, worth 80: A falls by 40 to 36,000, and 50 C come
 * for 4,000. So X is 70,000 of 70 before and after, 66,000 of 66 in between. C at 88 makes it 70,400. */
static void an_index_keeps_the_child(void **state)
{
    for (int code = 0; code < 12; code++) {
        const bool close = code % 2, priced = code / 2 % 2;
        const int said = code / 4;
        char text[64];
        snprintf(text, sizeof text, "close %d priced %d said at %d", close, priced, said);
        order_now = text;
        two_stocks(state);
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol("C"), .issuer = str_of("C") } });
        keeps(close ? SPIN_OFFS_CLOSE : SPIN_OFFS_KEEP);
        keeps(SPIN_OFFS_UNSAID); /* said again without: as it was */
        if (said == 0) pay(priced ? PRICED : VALUED);
        reload();
        trade("B", 100, at(1, 14, 0));
        if (said == 1) pay(priced ? PRICED : VALUED);
        static const double comes[][2] = { { 70, 66 }, { 66, 70 } };
        if (!priced && said < 2) ledger_is(2, comes);
        if (said == 1) reload();
        if (priced) { /* A has fallen, since nobody knows yet by what it may */
            trade("A", 360, at(1, 14, 1));
            trade("C", 80, at(1, 14, 1));
        }
        if (said == 2) pay(priced ? PRICED : VALUED);
        if (priced || said == 2) ledger_is(2, comes);
        reload();
        is("level(X)", 1000);
        is("ret(A)", 0);
        is("last(A)", 360);
        is("hhi(X)", 1e4 * (36. * 36 + 30 * 30 + 4 * 4) / (70 * 70));
        is_about("ew_level(X, ew=held)", 1000);
        if (!priced) assert_true(isnan(value("last(C)"))); /* a value is no price */
        trade("C", 88, at(1, 15, 0));
        trade("A", 363.6, at(1, 15, 0));
        is("ret(A)", 1);
        is("level(X)", 1000 * 70760. / 70000);
        ok(end_of(1));
        is("level(X)", 1000 * 70760. / 70000);
        if (close) ledger_is(1, (const double[][2]){ { 70, 66360 / 1000. * 70000 / 70760 } });
        else ledger_is(0, NULL);
        reload();
        trade("B", 200, at(4, 15, 0));
        trade("A", 363.6, at(4, 15, 0));
        trade("C", 44, at(4, 15, 0));
        is("level(X)",
           close ? 1000 * 70760. / 70000 * 96360 / 66360 : 1000 * (36360. + 60000 + 2200) / 70000);
        done(state);
    }
    order_now = "";
}

/* Its own count counts where one was said; a member it is already stays as it is; one that has closed by then is no visitor any more; and by a
 * value it waits for its price over the end of a session. */
static void a_child_that_is_known_already(void **state)
{
    for (int code = 0; code < 4; code++) {
        two_stocks(state);
        member("C", 1000);
        if (code != 1)
            ok((struct record){ .kind = RECORD_MEMBERSHIP,
                                .event_ns = at(0, 22, 0),
                                .u.membership = { str_of("X"), symbol("C"), false, 0 } });
        keeps(code == 2 ? SPIN_OFFS_CLOSE : SPIN_OFFS_KEEP);
        if (code == 1) pay(VALUED);
        trade("A", 360, at(1, 14, 0));
        trade("B", 100, at(1, 14, 0));
        if (code < 3) trade("C", 80, at(1, 14, 0));
        if (code == 2) ok(end_of(1));
        if (code != 1) pay(VALUED);
        reload();
        const double c = code == 2 ? 0 : 80000, all = 66000 + c;
        char text[32];
        snprintf(text, sizeof text, "known %d", code);
        order_now = text;
        is("level(X)", 1000);
        is("hhi(X)", 1e4 * (36000. * 36000 + 30000. * 30000 + c * c) / (all * all));
        if (code == 3) {
            ok(end_of(1));
            reload();
            is("level(X)", 1000);
        }
        trade("C", 88, at(code >= 2 ? 4 : 1, 15, 0));
        is("level(X)", 1000 * (all + c / 10) / all);
        done(state);
    }
}

/* ---- the end of an instrument ---- */
static void who_is_delisted_leaves_at_what_it_is_worth(void **state)
{
    for (int said = 0; said < 2; said++) {
        const struct record r = { .kind = said ? RECORD_MERGER : RECORD_DELISTING,
                                  .event_ns = at(0, 22, 0),
                                  .u.delisting = { .symbol = symbol("A"),
                                                   .price_e8 = 380ll * E8,
                                                   .day = DAY0 + 1,
                                                   .announced = NO_DAY } };
        two_stocks(state);
        if (said == 0) ok(r);
        trade("B", 100, at(1, 14, 0));
        if (said == 1) ok(r);
        refused(r, ERR_INVALID, "the end of A of 2024-01-26 is known");
        is("last(A)", 380);
        is("ret(A)", -5);
        is("level(X)", 1000 * 68000.0 / 70000);
        is("top_weight(X, n=1)", 100);
        is_about("ew_level(X, ew=daily)", 975);
        reload();
        trade("B", 110, at(1, 15, 0));
        is("level(X)", 1100 * 68000.0 / 70000);
        ok(end_of(1));
        is("ret(A)", -5);
        done(state);
    }
}

/* ---- against prices and counts that were adjusted from the first day ---- */
enum { SESSIONS = 14, LINES = 5, TEXTS = 24 };
static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}

static const struct ratio_of {
    int to, from;
} ratios[] = { { 4, 1 }, { 2, 1 }, { 3, 2 }, { 1, 10 }, { 1, 4 } };

static struct planted {
    int day, to, from, said,
        counted; /* session of the split; when it and its count are said; 0: no split, no count */
} planted[LINES];
static int64_t price_at[SESSIONS][LINES], count_of[LINES]; /* adjusted */

static const char *name_of(int i)
{
    static const char *const names[LINES] = { "S0", "S1", "S2", "S3", "S4" };
    return names[i];
}

static int64_t raw_price(int d, int i)
{
    const struct planted *x = &planted[i];
    return x->day && d < x->day ? price_at[d][i] / x->from * x->to : price_at[d][i];
}

struct told {
    double exact[TEXTS], about[TEXTS];
};
static void look(struct told *out)
{
    static const char *const exact[] = { "level(X)", "hhi(X)", "top_weight(X, n=1)",
                                         "effective_number(X)" };
    static const char *const rets[] = { "1d", "5d", "all" };
    static const char *const about[] = { "ew_level(X)",
                                         "ew_level(X, ew=daily)",
                                         "ew_level(X, ew=monthly)",
                                         "ew_level(X, ew=held, by=line)",
                                         "spread(X, window=1d, ew=daily)",
                                         "spread(X, window=5d)",
                                         "spread(X, window=5d, ew=daily, kind=arith)",
                                         "spread(X, window=all, ew=monthly)" };
    size_t n = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) out->exact[n++] = value(exact[i]);
    for (size_t w = 0; w < 3; w++)
        for (int i = 0; i < LINES; i++) {
            char text[64];
            snprintf(text, sizeof text, "ret(%s, window=%s)", name_of(i), rets[w]);
            out->exact[n++] = value(text);
        }
    for (size_t i = 0; i < sizeof about / sizeof *about; i++) out->about[i] = value(about[i]);
}

static void shuffle(struct record *all, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t k = upto((uint32_t)i);
        const struct record x = all[i - 1];
        all[i - 1] = all[k];
        all[k] = x;
    }
}

static void feed(bool raw, struct told *out)
{
    begin();
    for (int i = 0; i < LINES; i++) {
        const struct planted *x = &planted[i];
        member(name_of(i), raw && x->day ? count_of[i] / x->to * x->from : count_of[i]);
    }
    for (int d = 0; d < SESSIONS; d++) {
        struct record today[4 * LINES];
        size_t n = 0;
        for (int i = 0; i < LINES; i++) {
            const struct planted *x = &planted[i];
            const int64_t price = raw ? raw_price(d, i) : price_at[d][i];
            today[n++] = trade_of(name_of(i), price, at(d, 15, 0));
            today[n++] = close_of(name_of(i), price, d, at(d, 21, 0));
            if (raw && x->day && x->said == d)
                today[n++] = split_of(name_of(i), x->to, x->from, x->day, at(d, 12, 0));
            if (raw && x->day && x->counted > 0 && x->counted == d)
                today[n++] = shares_of(name_of(i), count_of[i], at(d, 12, 0));
        }
        shuffle(today, n);
        for (size_t k = 0; k < n; k++) ok(today[k]);
        if (d < SESSIONS - 1) ok(end_of(d));
        if (raw && upto(4) == 0) reload();
    }
    look(out);
    engine_free(e);
}

/* The split is said a session before, on the day, or up to eight after; its count on the day or later, or never. */
static void plant(void)
{
    for (int i = 0; i < LINES; i++) {
        struct planted *x = &planted[i];
        *x = (struct planted){ 0 };
        count_of[i] = 1200 * (1 + (int64_t)upto(9));
        for (int d = 0; d < SESSIONS; d++)
            price_at[d][i] = (int64_t)(2000 + upto(3000)) * E8 / 100 * 60;
        if (upto(3) == 0) continue;
        const struct ratio_of *r = &ratios[upto(sizeof ratios / sizeof *ratios)];
        x->day = 4 + (int)upto(SESSIONS - 4);
        x->to = r->to;
        x->from = r->from;
        x->said = x->day - 1 + (int)upto(10);
        x->counted = upto(3) ? x->day + (int)upto(3) : 0;
        if (x->said >= SESSIONS) x->said = SESSIONS - 1;
        if (x->counted >= SESSIONS) x->counted = SESSIONS - 1;
    }
}

static bool near(double a, double b, double within)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= within * (1 + fabs(b));
}

static void splits_are_as_if_all_had_been_adjusted(void **state)
{
    (void)state;
    for (int s = 1; s <= 1000; s++) {
        struct told right, got;
        seed = (uint64_t)s * 0x9E3779B97F4A7C15u;
        plant();
        feed(false, &right);
        feed(true, &got);
        for (int i = 0; i < TEXTS; i++)
            if (!near(got.exact[i], right.exact[i], 1e-12)
                || !near(got.about[i], right.about[i], i < 4 ? 1e-6 : 2e-5)) {
                for (int k = 0; k < LINES; k++)
                    print_message("%s: %d:%d on %d, said on %d, counted on %d\n", name_of(k),
                                  planted[k].to, planted[k].from, planted[k].day, planted[k].said,
                                  planted[k].counted);
                fail_msg("seed %d, value %d: %.17g for %.17g, about %.17g for %.17g", s, i,
                         got.exact[i], right.exact[i], got.about[i], right.about[i]);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_split_its_count_and_the_prices_in_every_order),
        cmocka_unit_test_setup_teardown(a_split_said_before_waits_for_its_session, two_stocks,
                                        done),
        cmocka_unit_test_teardown(what_cannot_be_divided_is_not_moved, done),
        cmocka_unit_test_setup_teardown(a_count_may_say_from_when, two_stocks, done),
        cmocka_unit_test_setup_teardown(a_split_that_cannot_be_is_refused, two_stocks, done),
        cmocka_unit_test_setup_teardown(a_trade_from_before_the_split_is_divided_too, two_stocks,
                                        done),
        cmocka_unit_test(a_dividend_is_put_back_in_at_the_close_of_its_ex_session),
        cmocka_unit_test(a_late_dividend_is_its_members_of_then),
        cmocka_unit_test(what_is_paid_out_is_no_fall),
        cmocka_unit_test_setup_teardown(payments_that_cannot_be_are_refused, two_stocks, done),
        cmocka_unit_test_setup_teardown(a_child_without_a_price_is_waited_for, two_stocks, done),
        cmocka_unit_test(an_index_keeps_the_child),
        cmocka_unit_test(a_child_that_is_known_already),
        cmocka_unit_test(who_is_delisted_leaves_at_what_it_is_worth),
        cmocka_unit_test(splits_are_as_if_all_had_been_adjusted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
