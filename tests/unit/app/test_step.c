/* test_step.c - one record through engine and rules: what a rule is told when it comes, and that a loaded state goes on bit for bit. */
#include "app/step.h"

#include "core/arena.h"
#include "core/when.h"
#include "ingest/formats/json.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { E8 = 100000000 };
static const int64_t T0 =
    INT64_C(1770130800) * NS_PER_S; /* a Tuesday in February 2026, 15:00 UTC */

/* ---- everything the sink hears, as text ---- */
static void on_row(void *ctx, const struct row_type *type, const void *row)
{
    struct json_writer w = json_write(ctx);
    buf_printf(ctx, "%s ", type->name);
    if (type == &alert_row) alert_render(row, NULL, ctx);
    else row_json(&w, NULL, type, row);
    buf_puts(ctx, "\n");
}
/* ---- records ---- */
static struct arena arena;
static struct buf said;
static struct step step;

static int begin(void **state)
{
    (void)state;
    buf_clear(&said);
    if (!said.data) buf_puts(&said, "");
    if (step_init(&step)) return -1;
    step_hear(&step, &(struct step_sink){ .ctx = &said, .row = on_row });
    return 0;
}
static int end(void **state)
{
    (void)state;
    step_release(&step);
    arena_clear(&arena);
    return 0;
}

static struct str str(const char *s) { return (struct str){ s, (uint32_t)strlen(s) }; }
static struct symbol symbol(const char *s)
{
    struct symbol x = { { 0 } };
    memcpy(x.s, s, strlen(s));
    return x;
}
static struct uuid tenant(int n) { return (struct uuid){ { (uint8_t)n } }; }
static struct uuid rule_id(int n)
{
    return (struct uuid){ { 0xAA, (uint8_t)(n >> 8), (uint8_t)n } };
}

static enum err apply(struct record r, struct why *why) { return step_apply(&step, &r, why); }
static void ok(struct record r)
{
    struct why why = { 0 };
    if (apply(r, &why)) fail_msg("record of kind %d: %s", (int)r.kind, why.text);
}
static struct record trade(const char *s, double price, int64_t ns)
{
    return (struct record){ .kind = RECORD_TRADE,
                            .event_ns = ns,
                            .u.trade = { symbol(s), llround(price * E8), 0 } };
}
static struct record clock_at(int64_t ns)
{
    return (struct record){ .kind = RECORD_CLOCK,
                            .event_ns = ns,
                            .u.clock = { .session_end = NO_DAY } };
}

static enum err put(int who, int id, const char *definition, struct why *why)
{
    struct record r;
    struct rule_draft draft;
    enum err e = rule_draft_read(definition, strlen(definition), &draft, why);
    if (!e) e = step_rule_put(&step, tenant(who), rule_id(id), &draft, &arena, &r, why);
    return e ? e : step_apply_put(&step, &r, &draft, why);
}
static void rule(int who, int id, const char *definition)
{
    struct why why = { 0 };
    if (put(who, id, definition, &why)) fail_msg("%s: %s", definition, why.text);
}
static enum err drop(int who, int id)
{
    struct record r;
    enum err e = step_rule_delete(&step, tenant(who), rule_id(id), &r, NULL);
    return e ? e : step_apply(&step, &r, NULL);
}
static const char *state_of(int who, int id)
{
    struct rule_facts f;
    assert_true(rule_set_find(step.rules, tenant(who), rule_id(id), &f));
    return f.deleted ? "deleted" : names_text(&rule_status_names, (int)f.status);
}

static size_t alerts(const char *of)
{
    size_t n = 0;
    for (const char *p = said.data; (p = strstr(p, of)); p++) n++;
    return n;
}
#define FIRED "\"type\":\"alert.firing\""
#define RESOLVED "\"type\":\"alert.resolved\""

static void two_stocks(void)
{
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str("X"), .name = str(""), .base_e8 = 1000ll * E8 } });
    static const char *const names[] = { "A", "B" };
    for (int i = 0; i < 2; i++) {
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(names[i]),
                                              .issuer = str(names[i]),
                                              .name = str(names[i]) } });
        ok((struct record){ .kind = RECORD_SHARES,
                            .u.shares = { symbol(names[i]), 1000, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str("X"), symbol(names[i]), true, 0 } });
        ok(trade(names[i], 100, T0));
    }
}

/* ---- stories ---- */
static void a_rule_fires_and_resolves(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"name\":\"dear\",\"rule\":\"last( A ) >= 110\",\"clear\":\"105\"}");
    assert_non_null(strstr(
        said.data,
        "\"change\":\"created\",\"definition\":{\"name\":\"dear\",\"rule\":\"last(A) >= 110\",\"measure\":\"last(A)\""));
    assert_string_equal(state_of(1, 1), "ok");
    ok(trade("A", 110, T0 + 1));
    assert_int_equal(alerts(FIRED), 1);
    assert_non_null(strstr(
        said.data, "\"value\":110,\"previous\":100,\"unit\":\"USD\",\"inputs\":{\"price\":110},"));
    assert_non_null(strstr(
        said.data,
        "\"definition\":{\"measure\":\"last\",\"of\":\"A\",\"version\":1,\"parameters\":{}},"
        "\"condition\":{\"op\":\">=\",\"threshold\":110,\"clear\":105,\"hold_s\":0,\"hold_in\":\"clock\",\"at\":\"trade\"}"));
    ok(trade("A", 105.00000001, T0 + 2));
    assert_int_equal(alerts(RESOLVED), 0);
    ok(trade("A", 105, T0 + 3));
    assert_int_equal(alerts(RESOLVED), 1);
    assert_int_equal(drop(1, 1), ERR_OK);
    assert_int_equal(drop(1, 1), ERR_NOT_FOUND);
    ok(trade("A", 120, T0 + 4));
    assert_int_equal(alerts(FIRED), 1);
}

/* A rule that fires, and what its owner may do to it then: each line says what the receiver hears of it, and what state it
 * leaves. */
static void what_ends_a_firing_is_said(void **state)
{
    (void)state;
#define HIGH "\"rule\":\"last(A) >= 110\",\"clear\":\"105\""
    static const struct {
        const char *definition; /* NULL: deleted; "": a trade, at `price` */
        double price;
        const char *reason; /* of the resolution, or "met", or NULL: nothing is said */
        const char *state;
        const char *why;
    } rows[] = {
        { "{" HIGH "}", 0, NULL, "ok", "made" },
        { "", 111, "met", "firing", "episode 1" },
        { "{" HIGH ",\"severity\":\"critical\"}", 0, NULL, "firing", "severity" },
        { "{" HIGH ",\"name\":\"dear\",\"cooldown_s\":0}", 0, NULL, "firing", "name" },
        { "{" HIGH ",\"hold_s\":60}", 0, NULL, "firing", "what fires has held" },
        { "{\"rule\":\"last(A) > 109\"}", 0, NULL, "firing", "another condition, still true" },
        { "{" HIGH "}", 0, NULL, "firing", "and back" },
        { "", 107, NULL, "firing", "not clear yet" },
        { "{\"rule\":\"last(A) >= 110\",\"clear\":\"106\"}", 0, NULL, "firing", "nor by 106" },
        { "{\"rule\":\"last(A) >= 110\",\"clear\":\"107\"}", 0, "changed", "ok", "but by 107" },
        { "{" HIGH "}", 0, NULL, "ok", "not true" },
        { "", 112, "met", "firing", "episode 2" },
        { "{\"rule\":\"last(A) >= 120\",\"clear\":\"105\"}", 0, "changed", "ok",
          "not true by 120" },
        { "{" HIGH "}", 0, "met", "firing", "true anew, episode 3" },
        { "{" HIGH ",\"enabled\":false}", 0, "disabled", "ok", "off" },
        { "", 113, NULL, "ok", "nobody looks" },
        { "{" HIGH "}", 0, "met", "firing", "on again, still true, episode 4" },
        { "{\"rule\":\"last(B) >= 90\"}", 0, NULL, "firing", "another series, true as well" },
        { "{\"rule\":\"last(B) >= 190\"}", 0, "changed", "ok", "and not" },
        { "{" HIGH "}", 0, "met", "firing", "episode 5" },
        { "", 105, "cleared", "ok", "cleared" },
        { "", 115, "met", "firing", "episode 6" },
        { NULL, 0, "deleted", "deleted", "gone" },
    };
    two_stocks();
    char last_episode[64] = "";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *definition = rows[i].definition;
        buf_clear(&said);
        buf_puts(&said, "");
        if (!definition) assert_int_equal(drop(1, 1), ERR_OK);
        else if (*definition) rule(1, 1, definition);
        else ok(trade("A", rows[i].price, T0 + (int64_t)i));
        char want[64];
        const char *alert = strstr(said.data, "alert {");
        snprintf(want, sizeof want, "\"reason\":\"%s\",\"episode\":\"",
                 rows[i].reason ? rows[i].reason : "");
        const char *episode = alert ? strstr(alert, want) : NULL;
        if (!rows[i].reason != !alert || !alert != !episode
            || strcmp(state_of(1, 1), rows[i].state) != 0)
            fail_msg("%s: %s; %s", rows[i].why, state_of(1, 1), alert ? alert : "nothing said");
        if (!alert) continue;
        assert_null(strstr(alert + 1, "alert {"));
        const bool met = strcmp(rows[i].reason, "met") == 0;
        const bool same = strncmp(last_episode, episode + strlen(want), 36) == 0;
        if (met == same) fail_msg("%s: the episode is %s", rows[i].why, same ? "the last" : "new");
        memcpy(last_episode, episode + strlen(want), 36);
    }
#undef HIGH
}

/* Cooldown: a change of it, or of anything else, starts none and ends none. */
static void a_cooldown_outlives_every_change(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"cooldown_s\":60}");
    ok(trade("A", 111, T0));
    ok(trade("A", 100, T0 + 1 * NS_PER_S));
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"cooldown_s\":0}");
    rule(1, 1, "{\"rule\":\"last(A) >= 109\",\"cooldown_s\":5,\"enabled\":false}");
    rule(1, 1, "{\"rule\":\"last(A) >= 109\",\"cooldown_s\":5}");
    ok(trade("A", 112, T0 + 2 * NS_PER_S));
    assert_string_equal(state_of(1, 1), "pending");
    ok(clock_at(T0 + 60 * NS_PER_S - 1));
    assert_int_equal(alerts(FIRED), 1);
    ok(clock_at(T0 + 60 * NS_PER_S));
    assert_int_equal(alerts(FIRED), 2);
}

/* A rule record of a program before schema 5 means what it meant then. */
static void older_records_end_in_silence(void **state)
{
    (void)state;
    two_stocks();
    struct record r = { .kind = RECORD_RULE_PUT,
                        .event_ns = T0,
                        .u.rule = { .tenant = tenant(1),
                                    .rule = rule_id(1),
                                    .definition = str("{\"rule\":\"last(A) >= 100\"}") } };
    ok(r);
    assert_int_equal(alerts(FIRED), 1);
    ok(r); /* a change began anew */
    assert_int_equal(alerts(FIRED), 2);
    r.kind = RECORD_RULE_DELETE;
    ok(r);
    assert_int_equal(alerts("alert {"), 2);
}

/* The record that carries time past the hold may move the value too: the alert is about the value that was held. */
static void a_timers_alert_says_what_was_held(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"hold_s\":60}");
    rule(1, 2, "{\"rule\":\"last(A) >= 111\",\"hold_s\":50}");
    rule(1, 3, "{\"rule\":\"last(B) >= 100\",\"hold_s\":60}");
    rule(1, 4, "{\"rule\":\"last(A) <= 7\"}");
    ok(trade("A", 120, T0 + 1));
    assert_int_equal(alerts(FIRED), 0);
    ok(trade("A", 7, T0 + 3600 * NS_PER_S));
    assert_int_equal(alerts(FIRED), 4);
    assert_int_equal(
        alerts("\"value\":120,\"previous\":100,\"unit\":\"USD\",\"inputs\":{\"price\":120},"), 2);
    assert_int_equal(
        alerts("\"value\":7,\"previous\":120,\"unit\":\"USD\",\"inputs\":{\"price\":7},"),
        3); /* rule 4 fires, 1 and 2 resolve */
    assert_int_equal(
        alerts("\"value\":100,\"previous\":null,\"unit\":\"USD\",\"inputs\":{\"price\":100},"), 1);
}

/* A rule on a series nobody has looked at for a while begins from the value that stands now, not from the one last looked at. */
static void a_new_rule_begins_from_the_value_that_stands(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 1000\"}");
    ok(trade("A", 200, T0 + 1)); /* looked at: 200 */
    assert_int_equal(drop(1, 1), ERR_OK);
    ok(trade("A", 100, T0 + 2)); /* not looked at */
    rule(1, 2, "{\"rule\":\"last(A) >= 150\"}");
    assert_int_equal(alerts("alert {"), 0);
    assert_string_equal(state_of(1, 2), "ok");
    assert_int_equal(drop(1, 2), ERR_OK);
    ok(trade("A", 200, T0 + 3));
    rule(
        1, 3,
        "{\"rule\":\"last(A) >= 150\",\"on_create\":\"wait\"}"); /* holds already: must clear first */
    assert_int_equal(alerts("alert {"), 0);
    ok(trade("A", 149, T0 + 4));
    ok(trade("A", 150, T0 + 5));
    assert_int_equal(alerts(FIRED), 1);
}

static void the_end_of_the_price_range_is_exact(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) >= 45035996.27370497\"}"); /* odd, just above 2^52 */
    rule(1, 2, "{\"rule\":\"last(A) >= 89999999.99999999\"}");
    struct record r = trade("A", 1, T0 + 1);
    r.u.trade.price_e8 = 4503599627370495;
    ok(r);
    assert_int_equal(alerts(FIRED), 0);
    r.u.trade.price_e8 = 4503599627370497;
    ok(r);
    assert_int_equal(alerts(FIRED), 1);
    r.u.trade.price_e8 = 8999999999999998;
    ok(r);
    assert_int_equal(alerts(FIRED), 1);
    r.u.trade.price_e8 = 8999999999999999;
    ok(r);
    assert_int_equal(alerts(FIRED), 2);
}

static void a_book_belongs_to_measures_of_books(void **state)
{
    (void)state;
    struct why why = { 0 };
    two_stocks();
    assert_int_equal(put(1, 1, "{\"rule\":\"last(book:x) > 1\"}", &why), ERR_UNKNOWN_SYMBOL);
    assert_int_equal(put(1, 1, "{\"rule\":\"sentiment(book:x) > 1\"}", &why), ERR_UNKNOWN_SYMBOL);
    rule(1, 1, "{\"rule\":\"ai_exposure(book:x) > 0.1\"}");
    rule(2, 1, "{\"rule\":\"ai_exposure(book:x) > 0.1\"}");
    ok((struct record){ .kind = RECORD_EXPOSURE,
                        .event_ns = T0,
                        .u.exposure = { str("A"), str("AI"), str(""), E8 / 2, 0 } });
    ok((struct record){ .kind = RECORD_POSITION,
                        .event_ns = T0,
                        .u.position = { tenant(2), str("x"), symbol("A"), E8 } });
    assert_int_equal(alerts(FIRED), 1); /* the other tenant's book of that name is another book */
    assert_string_equal(state_of(1, 1), "stale");
    assert_string_equal(state_of(2, 1), "firing");
    struct record r;
    assert_int_equal(step_track(&step, "ai_exposure(book:x)", &arena, &r, &why), ERR_INVALID);
}

static void pending_rules_wait_for_event_time(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 100\",\"hold_s\":10}");
    ok(trade("A", 101, T0));
    assert_string_equal(state_of(1, 1), "pending");
    ok(clock_at(T0 + 10 * NS_PER_S - 1));
    assert_int_equal(alerts(FIRED), 0);
    ok(trade("B", 99, T0 + 10 * NS_PER_S));
    assert_int_equal(alerts(FIRED), 1);
    assert_string_equal(state_of(1, 1), "firing");
}

static void what_is_refused_changes_nothing(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 100\",\"hold_s\":10}");
    AUTO_BUF struct buf before = { 0 }, after = { 0 };
    struct why why = { 0 };
    step_save(&step, &before);
    size_t heard = said.len;
    static const struct {
        const char *definition;
        enum err e;
        int at;
    } rows[] = {
        { "{\"rule\":\"last(NOPE) > 1\"}", ERR_UNKNOWN_SYMBOL, 6 },
        { "{\"rule\":\"hhi(NOPE) > 1\"}", ERR_UNKNOWN_INDEX, 5 },
        { "{\"rule\":\"max( last(  NOPE ), over=5d) > 1\"}", ERR_UNKNOWN_SYMBOL, 13 },
        { "{\"rule\":\"  hih(X) > 1\"}", ERR_UNKNOWN_MEASURE, 3 },
        { "{\"rule\":\"hhi(X, by=name) > 1\"}", ERR_INVALID, 11 },
        { "{\"rule\":\"hhi(X) > 1x\"}", ERR_SYNTAX, 10 },
        { "{\"rule\":\"last(A) > 0.000000001\"}", ERR_INVALID, 11 },
        { "{\"rule\":\"last(A) > 1\",\"clear\":\"2\"}", ERR_INVALID, 0 },
        { "{", ERR_SYNTAX, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum err e = put(1, 2, rows[i].definition, &why);
        if (e != rows[i].e || why.at != rows[i].at)
            fail_msg("%s: %s at %d: %s", rows[i].definition, err_name(e), why.at, why.text);
    }
    struct record r = trade("NOPE", 1, T0 + NS_PER_DAY);
    r.seq = 7;
    assert_int_equal(step_apply(&step, &r, &why), ERR_UNKNOWN_SYMBOL);
    assert_int_equal(r.seq, 0);
    static const char *const definitions[] = { "", "{}", "7", "{\"measure\":\"last(A)\"}",
                                               "{\"rule\":\"last(NOPE) > 1\"}" };
    for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
        assert_int_not_equal(
            apply((struct record){ .kind = RECORD_RULE_PUT,
                                   .event_ns = T0 + NS_PER_DAY,
                                   .u.rule = { .tenant = tenant(1),
                                               .rule = rule_id(3),
                                               .definition = str(definitions[i]) } },
                  &why),
            ERR_OK);
    assert_int_equal(apply((struct record){ .kind = RECORD_RULE_DELETE,
                                            .event_ns = T0 + NS_PER_DAY,
                                            .u.rule = { .tenant = tenant(2), .rule = rule_id(1) } },
                           &why),
                     ERR_NOT_FOUND);
    assert_int_equal(drop(2, 1), ERR_NOT_FOUND); /* another tenant's */
    step_save(&step, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    assert_int_equal(said.len, heard);
}

/* What the service makes and stores comes back as the record it was. */
/* It was made when nobody asked whether its bound can be reached. Its name may still change, and it may be disabled. */
static void a_rule_that_stands_goes_on_whatever_its_bound(void **state)
{
    (void)state;
    struct why why = { 0 };
    two_stocks();
    struct record stored = { .kind = RECORD_RULE_PUT, .event_ns = T0 };
    stored.u.rule.tenant = tenant(1);
    stored.u.rule.rule = rule_id(1);
    stored.u.rule.definition = str("{\"name\":\"\",\"rule\":\"last(A) < 0\"}");
    ok(stored);
    assert_string_equal(state_of(1, 1), "ok");
    rule(1, 1, "{\"rule\":\"last(A) < 0\",\"name\":\"below\",\"enabled\":false}");
    assert_int_equal(put(1, 1, "{\"rule\":\"last(A) < -1\"}", &why), ERR_INVALID);
    assert_int_equal(why.at, 11);
    assert_int_equal(put(1, 1, "{\"rule\":\"last(A) < 0\",\"clear\":\"1e9\"}", &why), ERR_INVALID);
    assert_int_equal(put(1, 2, "{\"rule\":\"last(A) < 0\"}", &why), ERR_INVALID);
    assert_int_equal(put(2, 1, "{\"rule\":\"last(A) < 0\"}", &why), ERR_INVALID);
    rule(1, 1, "{\"rule\":\"last(A) < 1\"}");
    assert_int_equal(put(1, 1, "{\"rule\":\"last(A) < 0\"}", &why), ERR_INVALID);
    assert_int_equal(drop(1, 1), ERR_OK);
    assert_string_equal(state_of(1, 1), "deleted");
}

static void own_records_survive_their_storage(void **state)
{
    (void)state;
    two_stocks();
    struct record made[5], back;
    struct why why = { 0 };
    const struct market_settings settings = { .stale_after_ns = 5 * NS_PER_S,
                                              .sample_ns = 7,
                                              .coverage_gate_e8 = 12345678,
                                              .drop_unasked = true,
                                              .meaning = MEANING_NOW,
                                              .session_grace_ns = 0 };
    struct rule_draft draft;
    assert_int_equal(rule_draft_read("{\"rule\":\"hhi(X) >= 1\"}", 22, &draft, &why), ERR_OK);
    assert_int_equal(step_rule_put(&step, tenant(3), rule_id(1), &draft, &arena, &made[0], &why),
                     ERR_OK);
    assert_int_equal(step_track(&step, "ew_level( X , ew=daily)", &arena, &made[1], &why), ERR_OK);
    made[2] = step_settings(&step, &settings);
    made[3] = step_clock(&step, T0 + 5);
    ok(made[0]);
    assert_int_equal(step_rule_delete(&step, tenant(3), rule_id(1), &made[4], &why), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        struct uuid whose = i == 0 || i == 4 ? tenant(3) : (struct uuid){ { 0 } };
        const struct record row = { .kind = made[i].kind, .event_ns = made[i].event_ns };
        AUTO_BUF struct buf text = { 0 };
        record_write(&made[i], &text);
        if (record_from_stored(&row, whose, text.data, text.len, &arena, &back, &why))
            fail_msg("%zu: %s", i, why.text);
        assert_int_equal(back.kind, made[i].kind);
        assert_int_equal(back.event_ns, made[i].event_ns);
        if (i == 0 || i == 4)
            assert_true(uuid_equal(back.u.rule.tenant, tenant(3))
                        && uuid_equal(back.u.rule.rule, rule_id(1)));
        if (i == 1) assert_memory_equal(back.u.track.measure.p, "ew_level(X, ew=daily)", 21);
        if (i == 2)
            assert_true(back.u.settings.stale_after_ns == settings.stale_after_ns
                        && back.u.settings.sample_ns == settings.sample_ns
                        && back.u.settings.coverage_gate_e8 == settings.coverage_gate_e8
                        && back.u.settings.drop_unasked && back.u.settings.meaning == MEANING_NOW);
        if (i == 3) assert_true(back.event_ns == T0 + 5 && back.u.clock.session_end == NO_DAY);
    }
}

/* Who wants some rows hears those alone; the state does not depend on who listens. */
static void what_is_not_wanted_is_not_said(void **state)
{
    (void)state;
    static const struct row_type *const alerts_alone[] = { &alert_row, NULL };
    AUTO_BUF struct buf loud = { 0 }, quiet = { 0 };
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 100\",\"hold_s\":1}");
    step_save(&step, &loud);
    step_release(&step);
    buf_clear(&said);
    assert_int_equal(step_init(&step), ERR_OK);
    step_hear(&step, &(struct step_sink){ .ctx = &said, .row = on_row, .wanted = alerts_alone });
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 100\",\"hold_s\":1}");
    assert_int_equal(said.len, 0);
    step_save(&step, &quiet);
    assert_int_equal(quiet.len, loud.len);
    assert_memory_equal(quiet.data, loud.data, loud.len);
    ok(trade("A", 101, T0 + 1));
    ok(trade("A", 102, T0 + 2 * NS_PER_S));
    assert_int_equal(alerts(FIRED), 1);
    assert_int_equal(alerts("\n"), 1);
    step_hear(&step, &step_deaf);
    ok(trade("A", 99, T0 + 3 * NS_PER_S));
    assert_int_equal(alerts("\n"), 1);
}

static void a_torn_state_is_refused(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1, "{\"rule\":\"last(A) > 100\"}");
    AUTO_BUF struct buf b = { 0 };
    struct step other;
    struct why why;
    step_save(&step, &b);
    assert_int_equal(step_init(&other), ERR_OK);
    for (size_t n = 0; n < b.len; n += 1 + n / 50)
        assert_int_equal(step_load(&other, b.data, n, &why), ERR_INVALID);
    assert_int_equal(step_load(&other, b.data, b.len - 1, &why), ERR_INVALID);
    buf_puts(&b, "x");
    assert_int_equal(step_load(&other, b.data, b.len, &why), ERR_INVALID);
    assert_int_equal(step_load(&other, b.data, b.len - 1, &why), ERR_OK);
    assert_true(engine_seq(other.engine) == engine_seq(step.engine));
    step_release(&other);
}

/* ---- thresholds that are exact in decimal ----
 * A of 3,000 shares and B of 1,000, both at 100 at the close. What comes then is exactly so many tenths of a per cent: of
 * ret(A) and of the spread (a rise of A by r is 3/4 r of the index and 1/2 r of equal weights), up and down; and of top_weight. */
static void expect_exactly(const char *measure, int tenths)
{
    static const struct {
        const char *op;
        bool holds;
    } ops[] = { { ">=", true }, { ">", false }, { "<=", true }, { "<", false } };
    static int id;
    for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
        char text[200];
        snprintf(text, sizeof text, "{\"rule\":\"%s %s %s%d.%d\"}", measure, ops[k].op,
                 tenths < 0 ? "-" : "", abs(tenths) / 10, abs(tenths) % 10);
        rule(1, id % 60000, text);
        if (strcmp(state_of(1, id % 60000), ops[k].holds ? "firing" : "ok"))
            fail_msg("%s: %s", text, state_of(1, id % 60000));
        assert_int_equal(drop(1, id++ % 60000), ERR_OK);
    }
    buf_clear(&said);
}

static void a_tenth_of_a_per_cent_is_what_a_person_takes_it_for(void **state)
{
    (void)state;
    const int64_t next = T0 + NS_PER_DAY;
    two_stocks();
    ok((struct record){ .kind = RECORD_SHARES, .u.shares = { symbol("A"), 3000, E8, NO_DAY } });
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = T0, .u.clock = { .session_end = day_of_ns(T0) } });
    for (int t = 1; t < 1000; t++) {
        const char *spread = "spread(X, kind=arith, window=1d, ew=daily)";
        ok(trade("B", 100, next));
        ok(trade("A", 100 + t * 0.1, next));
        expect_exactly("ret(A)", t);
        ok(trade("A", 100 - t * 0.1, next));
        expect_exactly("ret(A)", -t);
        ok(trade("A", 100 + t * 0.4, next));
        expect_exactly(spread, t);
        expect_exactly("spread(X, kind=points, ew=held)", 10 * t);
        ok(trade("A", 100, next));
        ok(trade("B", 100 + t * 0.4, next));
        expect_exactly(spread, -t);
        if (t < 500) continue;
        ok(trade("A", t * 0.1, next)); /* three times of this, and once 300 less that: all is 300 */
        ok(trade("B", 300 - t * 0.3, next));
        expect_exactly("top_weight(X, n=1)", t);
    }
}

/* A thousand companies worth 2,000 together. At t tenths of a per cent the largest is worth 2 t; the others were worth 2 each, and
 * two more of them 1 at each step: 998 * 1 + 2 are the other 1,000 when the largest is worth 1,000. Then they stay, and one of
 * them is worth what is missing. hhi of two, of weights t and 1,000 - t: (t^2 + (1,000 - t)^2) / 100. */
static void tenths_of_weights(void **state)
{
    (void)state;
    enum { N = 1000 };
    char name[N][8];
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str("W"), .name = str(""), .base_e8 = 1000ll * E8 } });
    for (int i = 0; i < N; i++) {
        snprintf(name[i], sizeof name[i], "S%d", i);
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(name[i]),
                                              .issuer = str(name[i]),
                                              .name = str(name[i]) } });
        ok((struct record){ .kind = RECORD_SHARES,
                            .u.shares = { symbol(name[i]), 100, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str("W"), symbol(name[i]), true, 0 } });
        ok(trade(name[i], 2, T0));
    }
    for (int t = 1; t < 500; t++) {
        ok(trade(name[0], 2 * t, T0));
        if (t > 1) ok(trade(name[2 * t - 3], 1, T0));
        if (t > 1) ok(trade(name[2 * t - 2], 1, T0));
        expect_exactly("top_weight(W, n=1)", t);
    }
    two_stocks();
    for (int t = 500; t < 1000; t++) {
        ok(trade("A", t * 0.1, T0));
        ok(trade("B", 100 - t * 0.1, T0));
        expect_exactly("top_weight(X, n=1)", t);
        const int hundredths = t * t + (1000 - t) * (1000 - t);
        static const char *const ops[] = { ">=", "<=", ">", "<" };
        for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
            char text[200];
            const int id = 4 * t + (int)k;
            snprintf(text, sizeof text, "{\"rule\":\"hhi(X) %s %d.%02d\"}", ops[k],
                     hundredths / 100, hundredths % 100);
            rule(2, id, text);
            if (strcmp(state_of(2, id), k < 2 ? "firing" : "ok"))
                fail_msg("%s: %s", text, state_of(2, id));
            assert_int_equal(drop(2, id), ERR_OK);
        }
    }
}

static void means_second(int64_t stale_after_ns)
{
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .event_ns = engine_now_ns(step.engine),
                        .u.settings = { .stale_after_ns = stale_after_ns,
                                        .sample_ns = NS_PER_S,
                                        .coverage_gate_e8 = 95000000,
                                        .meaning = MEANING_SECOND } });
}

/* What last(A) moved by since yesterday, from 80 and from 100.3, in its unit and in per cent: 100.4 less 100.3 is 0.1, which as
 * doubles it is not. A rule that is there all the time keeps the window. */
static void a_change_of_prices_is_what_a_person_takes_it_for(void **state)
{
    (void)state;
    const int64_t next = T0 + NS_PER_DAY;
    two_stocks();
    means_second(0);
    rule(3, 1, "{\"rule\":\"change(last(A)) > 1000\"}");
    rule(3, 2, "{\"rule\":\"change(last(B), unit=pct) > 1000\"}");
    ok(trade("A", 100.3, T0 + 1));
    ok(trade("B", 80, T0 + 1));
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = T0 + 2, .u.clock = { .session_end = day_of_ns(T0) } });
    for (int t = 1; t < 1000; t++)
        for (int sign = -1; sign <= 1; sign += 2) {
            ok(trade("A", 100.3 + sign * t * 0.1, next));
            expect_exactly("change(last(A))", sign * t);
            ok(trade("B", 80 + sign * t * 0.08, next));
            expect_exactly("change(last(B), unit=pct)", sign * t);
        }
}

/* ---- due times ---- */
/* An alert a line: "1 firing 600 51@0{...}": rule, state, second, value, since when, inputs. */
static void on_alert_line(void *ctx, const struct row_type *type, const void *row)
{
    const struct alert *a = row;
    if (type != &alert_row) return;
    buf_printf(ctx, "%d %s %.10g %.10g@%.10g%s\n", a->rule_id.b[2], alert_state_name(a->state),
               (double)(a->event_ns - T0) / NS_PER_S, a->value,
               (double)(a->since_ns - T0) / NS_PER_S, a->inputs);
}

static void said_are(const char *lines)
{
    if (strcmp(said.data, lines) != 0) fail_msg("said\n%swanted\n%s", said.data, lines);
    buf_clear(&said);
    buf_puts(&said, "");
}

static void hear_lines(void)
{
    static struct step_sink lines = { .ctx = &said, .row = on_alert_line };
    step_hear(&step, &lines);
    buf_clear(&said);
    buf_puts(&said, "");
}

static int64_t after(double s) { return T0 + (int64_t)(s * 1e9); }

/* cases/13: three days of silence. Each rule fires at its own due time, with what stood then; the record that comes at last
 * has its own effect after that. */
static void a_hold_ends_at_its_due_time(void **state)
{
    (void)state;
    two_stocks();
    means_second(0);
    rule(1, 1, "{\"rule\":\"last(A) >= 50\",\"clear\":\"50\",\"hold_s\":600}");
    rule(1, 2, "{\"rule\":\"last(A) >= 50.5\",\"hold_s\":90000}");
    rule(1, 3, "{\"rule\":\"last(A) >= 51\",\"hold_s\":300,\"cooldown_s\":500000}");
    hear_lines();
    ok(trade("A", 40, T0 + 1));
    ok(trade("A", 51, after(100)));
    said_are("");
    ok(trade("A", 10, after(259300)));
    said_are("3 firing 400 51@100{\"price\":51}\n"
             "1 firing 700 51@100{\"price\":51}\n"
             "2 firing 90100 51@100{\"price\":51}\n"
             "3 resolved 259300 10@100{\"price\":10}\n"
             "2 resolved 259300 10@100{\"price\":10}\n"
             "1 resolved 259300 10@100{\"price\":10}\n");
    ok(trade("A", 55, after(259400))); /* 3's cooldown ends 500,000 s after it fired, at 500,400 */
    ok(clock_at(after(800000)));
    said_are("1 firing 260000 55@259400{\"price\":55}\n"
             "2 firing 349400 55@259400{\"price\":55}\n"
             "3 firing 500400 55@259400{\"price\":55}\n");
}

/* What has aged by the due time: a value that is stale, so that the next one decides; a change over five minutes that is over. */
static void what_has_aged_by_the_due_time(void **state)
{
    (void)state;
    two_stocks();
    means_second(60 * NS_PER_S);
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"hold_s\":50}");
    rule(1, 2, "{\"rule\":\"last(A) >= 110\",\"hold_s\":70}");
    rule(1, 3, "{\"rule\":\"last(B) >= 110\",\"hold_s\":70}");
    hear_lines();
    ok(trade("A", 120, after(0)));
    ok(trade("B", 120, after(0)));
    ok(trade("A", 120, after(1000))); /* the same value: 2 has waited for it */
    ok(trade("B", 90, after(1000)));
    ok(trade("B", 120, after(1001)));
    said_are("1 firing 50 120@0{\"price\":120}\n"
             "2 firing 1000 120@0{\"price\":120}\n");
    means_second(0);
    rule(1, 4, "{\"rule\":\"change(last(A), over=5m) >= 10\",\"hold_s\":400}");
    rule(1, 5, "{\"rule\":\"change(last(A), over=5m) >= 10\",\"hold_s\":200}");
    ok(trade("A", 140, after(2000)));
    ok(trade("B", 120, after(90000)));
    said_are("3 firing 1071 120@1001{\"price\":120}\n"
             "5 firing 2200 20@2000{\"of\":\"last(A)\",\"now\":140,\"inputs\":{\"price\":140}}\n");
    assert_string_equal(state_of(1, 4), "ok");
    ok(trade("A", 141, after(90000)));
    said_are(
        "5 resolved 90000 1@2000{\"of\":\"last(A)\",\"now\":141,\"inputs\":{\"price\":141}}\n");
}

/* A record that is refused carries no time. */
static void what_is_refused_makes_nothing_due(void **state)
{
    (void)state;
    struct why why;
    two_stocks();
    means_second(0);
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"hold_s\":60}");
    hear_lines();
    ok(trade("A", 120, after(0)));
    const uint64_t seq = engine_seq(step.engine);
    assert_int_equal(apply(trade("NOPE", 1, after(1000)), &why), ERR_UNKNOWN_SYMBOL);
    assert_string_equal(state_of(1, 1), "pending");
    ok(trade("A", 100, after(30)));
    ok(trade("A", 120, after(40)));
    ok(trade("B", 100, after(1000)));
    said_are("1 firing 100 120@40{\"price\":120}\n");
    assert_int_equal(engine_seq(step.engine), seq + 3);
}

/* A price is of its own time: our clock, and other sources, may be ahead of it. */
static void a_price_counts_from_its_own_time(void **state)
{
    (void)state;
    two_stocks();
    means_second(0);
    rule(1, 1, "{\"rule\":\"last(A) >= 110\",\"hold_s\":60,\"cooldown_s\":30}");
    hear_lines();
    ok(clock_at(after(10)));
    ok(trade("A", 120, after(9.5)));
    ok(clock_at(after(69)));
    said_are("");
    ok(clock_at(after(70)));
    said_are("1 firing 69.5 120@9.5{\"price\":120}\n");
    ok(trade("A", 100, after(69.4))); /* it fired at 69.5, and does not end before that */
    said_are("1 resolved 69.5 100@9.5{\"price\":100}\n");
}

/* Sessions of two stocks whose trades cross the level and come back: at close it sees the ends alone, with the official closes of
 * both, whatever order they came in. */
static void at_close_sees_ends_of_sessions_alone(void **state)
{
    (void)state;
    two_stocks();
    means_second(0);
    rule(1, 1, "{\"rule\":\"hhi(X) >= 5100\",\"at\":\"close\"}");
    rule(1, 2, "{\"rule\":\"hhi(X) >= 5100\"}");
    rule(1, 3, "{\"rule\":\"last(A) >= 140\",\"at\":\"close\"}");
    hear_lines();
    const int32_t today = day_of_ns(T0);
    assert_string_equal(state_of(1, 1), "waiting");
    ok(trade("A", 150, after(1)));
    assert_int_equal(alerts("1 firing"), 0);
    assert_int_equal(alerts("2 firing 1 5200"), 1);
    ok(trade("A", 100, after(2)));
    ok(trade("A", 150, after(3)));
    for (int b = 0; b < 2; b++)
        ok((struct record){ .kind = RECORD_CLOSE,
                            .event_ns = after(10 + b),
                            .u.close = { symbol(b ? "A" : "B"), 150ll * E8, today } });
    buf_clear(&said);
    ok((struct record){
        .kind = RECORD_CLOCK, .event_ns = after(20), .u.clock = { .session_end = today } });
    assert_int_equal(alerts("3 firing 20 150@20{\"price\":150}"), 1);
    assert_int_equal(alerts("1 firing"), 0); /* both closed at 150 */
    assert_string_equal(state_of(1, 1), "ok");
    ok(trade("A", 50, after(86400)));
    ok(trade("B", 150, after(86400)));
    assert_int_equal(alerts("3 resolved"), 0);
    buf_clear(&said);
    ok(trade("A", 150, after(2 * 86400))); /* which ends the session before */
    assert_int_equal(alerts("1 firing 86400 6250@86400"), 1);
    assert_int_equal(alerts("3 resolved 86400 50@20"), 1);
}

/* ---- a random day, saved anywhere ---- */
static uint64_t seed;
static uint32_t upto(uint32_t n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 11) % n;
}
enum { STOCKS = 12 };
static char stock_names[STOCKS][4];
static int64_t prices[STOCKS];

static const char *random_rule(void)
{
    static const char *const measures[] = { "last(S%u)",
                                            "hhi(X)",
                                            "top_weight(X, n=3)",
                                            "level(X)",
                                            "spread(X, window=1d)",
                                            "spread(X, kind=points)",
                                            "ret(S%u)",
                                            "sentiment(S%u)",
                                            "ai_exposure(X)",
                                            "ai_exposure(book:b)",
                                            "ai_sentiment(X)",
                                            "effective_number(X, by=line)",
                                            "ew_level(X, ew=monthly)" };
    static const int thresholds[] = { 100, 1000, 40, 1000, 0, 0, 0, 0, 0, 0, 0, 10, 1000 };
    static const char *const ops[] = { ">=", ">", "<=", "<" };
    static char text[400];
    char measure[64];
    size_t m = upto(ARRAY_LEN(measures));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(measure, sizeof measure, measures[m], upto(STOCKS));
#pragma GCC diagnostic pop
    double at = thresholds[m]
                + (thresholds[m] ? thresholds[m] * ((int)upto(21) - 10) / 100.0
                                 : ((int)upto(21) - 10) / 10.0);
    snprintf(
        text, sizeof text,
        "{\"name\":\"rule %u\",\"rule\":\"%s %s %.4f\",\"hold_s\":%u,\"cooldown_s\":%u,\"on_create\":\"%s\",\"at\":\"%s\",\"enabled\":%s}",
        upto(100), measure, ops[upto(4)], at, upto(3) ? 0 : upto(300), upto(3) ? 0 : upto(600),
        upto(3) ? "fire" : "wait", upto(3) ? "trade" : "close", upto(6) ? "true" : "false");
    return text;
}

/* `draft` is that of a rule's record. */
static struct record random_record(struct step *s, int64_t *now, struct rule_draft *draft,
                                   bool *mine)
{
    static const char *const headlines[] = { "S1 shares surge after record profit",
                                             "S2 plunges on fraud probe",
                                             "S3 and S4 agree on merger, S5 cut to sell",
                                             "nothing happens" };
    static struct symbol tags[3];
    uint32_t op = upto(1000), i = upto(STOCKS);
    int32_t today = day_of_ns(*now);
    struct record r = { .event_ns = *now };
    *mine = true;
    *now += upto(20) * NS_PER_S;
    if (op < 700) {
        prices[i] += prices[i] / 1000 * ((int64_t)upto(41) - 20);
        return (struct record){ .kind = RECORD_TRADE,
                                .event_ns = *now - (upto(10) ? 0 : NS_PER_S),
                                .u.trade = { symbol(stock_names[i]), prices[i], 0 } };
    }
    if (op < 760) return clock_at(*now);
    if (op < 765) {
        r = (struct record){ .kind = RECORD_CLOCK,
                             .event_ns = *now,
                             .u.clock = { .session_end = today } };
        *now = (int64_t)(today + 1 + (int32_t)upto(3)) * NS_PER_DAY + 15 * 3600 * NS_PER_S;
        return r;
    }
    if (op < 790)
        return (struct record){ .kind = RECORD_SHARES,
                                .event_ns = *now,
                                .u.shares = { symbol(stock_names[i]), 1 + upto(100000),
                                              1 + upto(E8), NO_DAY } };
    if (op < 815)
        return (struct record){ .kind = RECORD_MEMBERSHIP,
                                .event_ns = *now,
                                .u.membership = { str("X"), symbol(stock_names[i]), upto(3) != 0,
                                                  upto(3) ? 0 : 1 + upto(10000) } };
    if (op < 840) {
        tags[0] = symbol(stock_names[i]);
        tags[1] = symbol("S1");
        tags[2] = symbol("NOPE");
        return (struct record){ .kind = RECORD_ARTICLE,
                                .event_ns = *now,
                                .u.article = { str("n"), str(headlines[upto(4)]), str(""), str(""),
                                               tags, 3 } };
    }
    if (op < 850)
        return (struct record){ .kind = RECORD_EXPOSURE,
                                .event_ns = *now,
                                .u.exposure = { str(stock_names[i]), str("AI"), str(""), upto(E8),
                                                today + (int32_t)upto(5) } };
    if (op < 860)
        return (struct record){ .kind = RECORD_POSITION,
                                .event_ns = *now,
                                .u.position = { tenant(1 + (int)upto(3)), str("b"),
                                                symbol(stock_names[i]),
                                                (int64_t)upto(1000) * E8 } };
    if (op < 865)
        return (struct record){ .kind = RECORD_SETTINGS,
                                .event_ns = *now,
                                .u.settings = { .stale_after_ns =
                                                    upto(2) ? 0 : (int64_t)upto(600) * NS_PER_S,
                                                .sample_ns = NS_PER_S,
                                                .coverage_gate_e8 = upto(3) ? 80000000 : 100000000,
                                                .drop_unasked = false,
                                                .readings_on_change = upto(2),
                                                .meaning = upto(2) } };
    if (op < 870) return trade("NOPE", 1, *now);
    struct why why = { 0 };
    int who = 1 + (int)upto(3), id = (int)upto(60);
    const char *definition = random_rule();
    if (rule_draft_read(definition, strlen(definition), draft, &why))
        fail_msg("%s: %s", definition, why.text);
    enum err e = op < 970 ? step_rule_put(s, tenant(who), rule_id(id), draft, &arena, &r, &why)
                          : step_rule_delete(s, tenant(who), rule_id(id), &r, &why);
    *mine = e == ERR_OK;
    return r;
}

/* The same prices with clock records between them and without: the same alerts, to the nanosecond. */
static void clocks_change_nothing(void **state)
{
    (void)state;
    static const char *const measures[] = { "last(A)", "last(B)", "level(X)", "hhi(X)" };
    static const int middle[] = { 100, 100, 1000, 5000 };
    for (uint64_t run = 1; run <= 40; run++) {
        AUTO_BUF struct buf first = { 0 };
        size_t fired = 0;
        for (int clocks = 0; clocks < 2; clocks++) {
            int64_t now = T0;
            seed = run * 0x9E3779B97F4A7C15ull;
            end(NULL);
            begin(NULL);
            two_stocks();
            means_second(run % 3 == 0 ? 40 * NS_PER_S : 0);
            for (int id = 1; id <= 60; id++) {
                char text[200];
                const uint32_t m = upto(ARRAY_LEN(measures));
                snprintf(text, sizeof text,
                         "{\"rule\":\"%s %s %d.5\",\"hold_s\":%u,\"cooldown_s\":%u}", measures[m],
                         upto(2) ? ">=" : "<", middle[m] + (int)upto(5) - 2, upto(3) * upto(60),
                         upto(2) * upto(200));
                rule(1, id, text);
            }
            hear_lines();
            uint64_t ticks = seed, between = run;
            for (int i = 0; i < 300; i++) {
                seed = ticks;
                const int64_t next = now + (int64_t)upto(4) * upto(30) * NS_PER_S + upto(1000);
                const struct record r = trade(upto(2) ? "A" : "B", 97 + upto(7), next);
                ticks = seed;
                seed = between += 0x9E3779B97F4A7C15ull;
                for (int64_t at = now; clocks && upto(4); ok(clock_at(at)))
                    if ((at += 1 + upto(20) * NS_PER_S) > next) break;
                ok(r);
                now = next;
            }
            ok(clock_at(now + 1000 * NS_PER_S));
            if (!clocks) buf_puts(&first, said.data);
            fired = alerts("firing");
        }
        if (strcmp(said.data, first.data) != 0)
            fail_msg("run %d: with clocks\n%swithout\n%s", (int)run, said.data, first.data);
        assert_true(fired > 20);
    }
}

/* Thousands of rules due at one instant are one look at each of their measures. */
static void thousands_come_due_at_once(void **state)
{
    (void)state;
    two_stocks();
    means_second(0);
    for (int id = 0; id < 5000; id++)
        rule(1, id,
             id % 2 ? "{\"rule\":\"last(A) >= 110\",\"hold_s\":60}"
                    : "{\"rule\":\"last(A) >= 111\",\"hold_s\":60}");
    ok(trade("A", 120, after(0)));
    buf_clear(&said);
    ok(trade("A", 100, after(1000)));
    assert_int_equal(alerts(FIRED), 5000);
    assert_int_equal(alerts(RESOLVED), 5000);
    assert_int_equal(step.held_n, 1);
}

static void renamed(const char *from, const char *to, int64_t ns)
{
    ok((struct record){ .kind = RECORD_RENAME,
                        .event_ns = ns,
                        .u.rename = { symbol(from), symbol(to), day_of_ns(ns), str("New Name") } });
}

/* FB becomes META while a rule on it fires: it goes on firing, says the new name, and resolves as the same episode. */
static void a_rule_goes_on_when_its_symbol_is_renamed(void **state)
{
    (void)state;
    two_stocks();
    rule(1, 1,
         "{\"name\":\"dear\",\"rule\":\"last(A) >= 110\",\"clear\":\"105\",\"cooldown_s\":7}");
    rule(
        2, 2,
        "{\"rule\":\"max(last(A)) >= 1000\",\"enabled\":false,\"on_create\":\"wait\",\"severity\":\"critical\",\"at\":\"close\"}");
    rule(2, 3, "{\"rule\":\"last(B) >= 110\"}");
    ok(trade("A", 110, T0 + 1));
    assert_int_equal(alerts(FIRED), 1);
    buf_clear(&said);
    renamed("A", "META", T0 + 2);
    assert_int_equal(alerts("alert"), 0);
    assert_int_equal(alerts("series {"), 2);
    assert_int_equal(alerts("rule {"), 2);
    assert_int_equal(alerts("rule_version {"), 0);
    assert_non_null(strstr(said.data, "\"name\":\"New Name\""));
    assert_non_null(strstr(
        said.data,
        "\"version\":1,\"seq\":14,\"definition\":{\"name\":\"dear\",\"rule\":\"last(META) >= 110\",\"measure\":\"last(META)\",\"op\":\">=\","
        "\"threshold\":\"110\",\"clear\":\"105\",\"hold_s\":0,\"cooldown_s\":7,\"severity\":\"warning\",\"on_create\":\"fire\",\"enabled\":true}"));
    assert_non_null(strstr(said.data, "\"rule\":\"max(last(META)) >= 1000\""));
    assert_non_null(strstr(
        said.data,
        "\"severity\":\"critical\",\"on_create\":\"wait\",\"at\":\"close\",\"enabled\":false"));
    assert_string_equal(state_of(1, 1), "firing");
    AUTO_BUF struct buf saved = { 0 };
    step_save(&step, &saved);
    struct why why = { 0 };
    if (step_load(&step, saved.data, saved.len, &why)) fail_msg("%s", why.text);
    buf_clear(&said);
    ok(trade("META", 104, T0 + 3));
    assert_int_equal(alerts(RESOLVED), 1);
    assert_non_null(strstr(said.data, "\"text\":\"last(META) >= 110\""));
    assert_non_null(
        strstr(said.data,
               "\"measure\":\"last(META)\",\"definition\":{\"measure\":\"last\",\"of\":\"META\""));
    assert_int_equal(put(1, 4, "{\"rule\":\"last(A) >= 1\"}", &why), ERR_UNKNOWN_SYMBOL);
    assert_string_equal(why.text, "symbol A is META since 2026-02-03");
}

static void twelve_stocks(void)
{
    ok((struct record){
        .kind = RECORD_INDEX,
        .u.index = { .index = str("X"), .name = str(""), .base_e8 = 1000ll * E8 } });
    for (unsigned i = 0; i < STOCKS; i++) {
        snprintf(stock_names[i], sizeof stock_names[i], "S%u", i % STOCKS);
        prices[i] = 100ll * E8;
        ok((struct record){ .kind = RECORD_INSTRUMENT,
                            .u.instrument = { .symbol = symbol(stock_names[i]),
                                              .issuer = str(i % 5 == 4 ? "S0" : stock_names[i]),
                                              .name = str("") } });
        ok((struct record){ .kind = RECORD_SHARES,
                            .u.shares = { symbol(stock_names[i]), 1000, E8, NO_DAY } });
        ok((struct record){ .kind = RECORD_MEMBERSHIP,
                            .u.membership = { str("X"), symbol(stock_names[i]), true, 0 } });
    }
}

static void saved_anywhere_it_goes_on_the_same(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 6; run++) {
        struct step second;
        struct buf heard = { 0 };
        int64_t now = T0;
        bool loaded = false;
        seed = run * 0x9E3779B97F4A7C15ull;
        printf("seed %" PRIu64 "\n", seed);
        begin(NULL);
        assert_int_equal(step_init(&second), ERR_OK);
        twelve_stocks();
        for (int k = 0; k < 8000; k++) {
            bool mine;
            struct rule_draft draft;
            struct record r = random_record(&step, &now, &draft, &mine), twin = r;
            if (!mine) continue;
            buf_clear(&said);
            /* The first is given the draft, as live; the second reads what is stored. */
            enum err e = r.kind == RECORD_RULE_PUT ? step_apply_put(&step, &r, &draft, NULL)
                                                   : step_apply(&step, &r, NULL);
            if (loaded) {
                buf_clear(&heard);
                step_hear(&second, &(struct step_sink){ .ctx = &heard, .row = on_row });
                assert_int_equal(step_apply(&second, &twin, NULL), e);
                assert_int_equal(twin.seq, r.seq);
                if (heard.len != said.len
                    || (said.len && memcmp(heard.data, said.data, said.len) != 0))
                    fail_msg("record %d:\n%s\nwanted:\n%s", k, heard.data, said.data);
            }
            if (upto(300) == 0) {
                AUTO_BUF struct buf a = { 0 }, b = { 0 };
                struct why why = { 0 };
                step_save(&step, &a);
                if (loaded) {
                    step_save(&second,
                              &b); /* the same state is the same bytes, wherever it came from */
                    assert_int_equal(b.len, a.len);
                    assert_memory_equal(a.data, b.data, a.len);
                }
                if (upto(2) || !loaded) {
                    if (step_load(&second, a.data, a.len, &why)) fail_msg("%s", why.text);
                    loaded = true;
                }
            }
        }
        buf_release(&heard);
        step_release(&second);
        end(NULL);
    }
    begin(NULL);
}

/* ---- bursts ---- */
enum { BURST_RULES = 120, BURST_RECORDS = 600 };

/* All of an alert but which record said it, and with that its id. */
struct burst_log {
    struct buf text;
    size_t here, most; /* alerts of the record in hand, and of any */
    size_t alerts, bursts;
};
static void log_row(void *ctx, const struct row_type *type, const void *row)
{
    struct burst_log *l = ctx;
    if (type == &event_row) {
        const struct event_row *e = row;
        l->bursts += e->kind == RECORD_BURST;
        l->here = 0;
    }
    if (type == &tick_row) l->here = 0;
    if (type != &alert_row) return;
    struct alert a = *(const struct alert *)row;
    a.seq = 0;
    memset(&a.alert_id, 0, sizeof a.alert_id);
    struct json_writer w = json_write(&l->text);
    row_json(&w, NULL, type, &a);
    buf_puts(&l->text, "\n");
    l->alerts++;
    if (++l->here > l->most) l->most = l->here;
}

static void burst_rule(int i)
{
    char text[200];
    static const char *const names[] = { "last(A)", "last(B)", "level(X)" };
    static const double at[] = { 90, 95, 900 };
    const uint32_t m = upto(ARRAY_LEN(names));
    snprintf(text, sizeof text,
             "{\"rule\":\"%s %s %.2f\",\"hold_s\":%d,\"cooldown_s\":%d,\"at\":\"%s\"}", names[m],
             upto(3) ? ">=" : "<", at[m] * (1 + upto(20) / 100.0), upto(3) ? 0 : (int)upto(5),
             upto(3) ? 0 : (int)upto(9), upto(4) ? "trade" : "close");
    rule(1, i, text);
}

/* As a start from a snapshot. */
static void go_on_from_what_is_saved(void)
{
    AUTO_BUF struct buf saved = { 0 };
    step_save(&step, &saved);
    assert_int_equal(step_load(&step, saved.data, saved.len, NULL), ERR_OK);
}

/* Prices that pass many thresholds at once, pauses in which holds run out, ends of sessions; and, every so many records, a start. */
static void burst_story(int64_t max, bool piecewise, int starts, struct burst_log *l)
{
    struct why why = { 0 };
    *l = (struct burst_log){ 0 };
    assert_int_equal(begin(NULL), 0);
    step.piecewise = piecewise;
    step_hear(&step, &(struct step_sink){ .ctx = l, .row = log_row });
    ok((struct record){ .kind = RECORD_SETTINGS,
                        .event_ns = T0,
                        .u.settings = { .stale_after_ns = 30 * NS_PER_S,
                                        .coverage_gate_e8 = 95000000,
                                        .meaning = MEANING_NOW,
                                        .burst_alerts = max } });
    two_stocks();
    for (int i = 0; i < BURST_RULES; i++) burst_rule(i);
    int64_t ns = T0;
    for (int i = 0; i < BURST_RECORDS; i++) {
        ns += upto(20) ? upto(1500) * NS_PER_MS : upto(60) * NS_PER_S;
        struct record r = upto(8) ? trade(upto(2) ? "A" : "B", 80 + upto(40), ns) : clock_at(ns);
        if (r.kind == RECORD_CLOCK && upto(3) == 0) r.u.clock.session_end = day_of_ns(ns);
        ok(r);
        while (step_owes(&step)) {
            assert_true(piecewise);
            assert_int_equal(step_go_on(&step, &why), ERR_OK);
        }
        if (upto(50) == 0) rule(1, (int)upto(BURST_RULES), "{\"rule\":\"last(A) >= 100\"}");
        if (starts && i % starts == 0) go_on_from_what_is_saved();
    }
}

/* However few alerts a record may say, the same are said, in the same order. */
static void a_burst_is_said_in_pieces(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 1, 2, 3, 10, 1000 };
    end(state);
    for (uint64_t k = 1; k <= 4; k++) {
        struct burst_log whole;
        printf("seed %" PRIu64 "\n", k);
        seed = k;
        burst_story(0, true, 0, &whole);
        end(NULL);
        assert_true(whole.most > 20 && whole.bursts == 0 && whole.alerts > 1000);
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct burst_log cut;
            seed = k;
            burst_story(sizes[i], i % 2 == k % 2, 0, &cut);
            printf("%" PRId64 " at most: %zu alerts, %zu bursts\n", sizes[i], cut.alerts,
                   cut.bursts);
            assert_true(cut.most <= (size_t)sizes[i] || sizes[i] == 1000);
            assert_int_equal(cut.bursts > 0, sizes[i] < 1000);
            assert_string_equal(cut.text.data, whole.text.data);
            buf_release(&cut.text);
            end(NULL);
        }
        buf_release(&whole.text);
    }
}

/* A record that had nothing left to say would move the seq of all that follow: what lies in memory beside the state, such as
 * timers that nobody waits for any more, must not make one. */
static void a_burst_is_of_the_state_alone(void **state)
{
    (void)state;
    end(state);
    for (uint64_t k = 1; k <= 4; k++) {
        struct burst_log through;
        seed = k;
        burst_story(1, true, 0, &through);
        const uint64_t last = engine_seq(step.engine);
        end(NULL);
        for (int starts = 1; starts <= 64; starts *= 4) {
            struct burst_log anew;
            seed = k;
            burst_story(1, true, starts, &anew);
            assert_int_equal(anew.bursts, through.bursts);
            assert_int_equal(engine_seq(step.engine), last);
            assert_string_equal(anew.text.data, through.text.data);
            buf_release(&anew.text);
            end(NULL);
        }
        buf_release(&through.text);
    }
    begin(NULL);
}

/* ---- readings ---- */
enum { SERIES = 400 };
struct heard_readings {
    struct reading_row newest[SERIES];
    size_t n;
    uint64_t seq;
};
static void on_reading(void *ctx, const struct row_type *type, const void *row)
{
    struct heard_readings *h = ctx;
    const struct reading_row *r = row;
    if (type != &reading_row) return;
    assert_true(r->series_id < SERIES);
    h->newest[r->series_id] = *r;
    h->seq = r->seq;
    h->n++;
}
static bool same_double(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Of what is stored where it differs each stands until the next: then all are there that would be stored at every sample. */
static void a_reading_stands_until_the_next(void **state)
{
    (void)state;
    static struct heard_readings every, changes;
    struct step second;
    int64_t now = T0;
    every = changes = (struct heard_readings){ 0 };
    seed = 0x9E3779B97F4A7C15ull;
    twelve_stocks();
    AUTO_BUF struct buf saved = { 0 };
    step_save(&step, &saved);
    assert_int_equal(step_init(&second), ERR_OK);
    assert_int_equal(step_load(&second, saved.data, saved.len, NULL), ERR_OK);
    for (int k = 0; k < 6000; k++) {
        bool mine;
        struct rule_draft draft;
        struct record r = random_record(&step, &now, &draft, &mine), twin;
        if (!mine) continue;
        if (r.kind == RECORD_SETTINGS) r.u.settings.readings_on_change = false;
        twin = r;
        if (r.kind == RECORD_SETTINGS) twin.u.settings.readings_on_change = true;
        const size_t before = every.n;
        step_hear(&step, &(struct step_sink){ .ctx = &every, .row = on_reading });
        step_hear(&second, &(struct step_sink){ .ctx = &changes, .row = on_reading });
        const enum err e = r.kind == RECORD_RULE_PUT ? step_apply_put(&step, &r, &draft, NULL)
                                                     : step_apply(&step, &r, NULL);
        assert_int_equal(step_apply(&second, &twin, NULL), e);
        for (size_t i = 0; every.n > before && i < SERIES; i++) {
            const struct reading_row *a = &every.newest[i], *b = &changes.newest[i];
            if (a->seq == every.seq
                && !(same_double(a->value, b->value) && same_double(a->coverage, b->coverage)
                     && a->status == b->status && a->measure_version == b->measure_version))
                fail_msg("record %d, series %zu: %.17g stands, %.17g is", k, i, b->value, a->value);
        }
    }
    assert_true(changes.n > 1000 && changes.n < every.n * 9 / 10);
    step_release(&second);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_burst_is_said_in_pieces),
        STORY(a_burst_is_of_the_state_alone),
        STORY(a_timers_alert_says_what_was_held),
        STORY(a_rule_fires_and_resolves),
        STORY(what_ends_a_firing_is_said),
        STORY(a_cooldown_outlives_every_change),
        STORY(older_records_end_in_silence),
        STORY(a_tenth_of_a_per_cent_is_what_a_person_takes_it_for),
        STORY(tenths_of_weights),
        STORY(a_change_of_prices_is_what_a_person_takes_it_for),
        STORY(a_new_rule_begins_from_the_value_that_stands),
        STORY(the_end_of_the_price_range_is_exact),
        STORY(a_book_belongs_to_measures_of_books),
        STORY(pending_rules_wait_for_event_time),
        STORY(what_is_refused_changes_nothing),
        STORY(a_rule_that_stands_goes_on_whatever_its_bound),
        STORY(own_records_survive_their_storage),
        STORY(what_is_not_wanted_is_not_said),
        STORY(a_torn_state_is_refused),
        STORY(a_hold_ends_at_its_due_time),
        STORY(what_has_aged_by_the_due_time),
        STORY(what_is_refused_makes_nothing_due),
        STORY(at_close_sees_ends_of_sessions_alone),
        STORY(a_price_counts_from_its_own_time),
        STORY(clocks_change_nothing),
        STORY(thousands_come_due_at_once),
        STORY(a_rule_goes_on_when_its_symbol_is_renamed),
        STORY(a_reading_stands_until_the_next),
        cmocka_unit_test_teardown(saved_anywhere_it_goes_on_the_same, end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_release(&said);
    arena_release(&arena);
    return failed;
}
