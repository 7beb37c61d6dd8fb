/* Secrets at rest on a real PostgreSQL: what a start seals, what a change of keys seals anew, and what it cannot open. */
#include "store/channel_secrets.h"
#include "tests/unit/store/scratch_db.h"

#define KEY_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_B "f0f1f2f3f4f5f6f7f8f9fafbfcfdfefff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\n"

static struct seal_keys *keys_of(const char *text)
{
    struct seal_keys *k = NULL;
    struct why why = { .text = "" };
    if (seal_keys_parse(text, strlen(text), "keys", &k, &why)) fail_msg("%s", why.text);
    return k;
}

static struct uuid tenant_id(void) { return (struct uuid){ { 1 } }; }
static struct uuid channel_id(int c) { return uuid_derive((struct uuid){ { 2 } }, (uint64_t)c, 0); }

/* A channel whose columns secrets, secret and secret_old are these SQL texts. */
static void add_channel(int c, const char *secrets, const char *secret, const char *secret_old)
{
    char text[900], tenant[UUID_TEXT], channel[UUID_TEXT];
    uuid_format(tenant_id(), tenant);
    uuid_format(channel_id(c), channel);
    snprintf(text, sizeof text,
             "INSERT INTO tocsin.channel (tenant_id, channel_id, kind, settings, secrets, secret,"
             " secret_old) VALUES ('%s', '%s', 'webhook', '{}', %s, %s, %s)",
             tenant, channel, secrets, secret, secret_old);
    sql(text);
}

/* Seals `json` for channel `about`, as SQL. */
static const char *sealed_for(const struct seal_keys *k, int about, const char *json, char out[400])
{
    AUTO_BUF struct buf hex = { 0 };
    struct why why = { .text = "" };
    if (channel_secrets_seal(k, tenant_id(), channel_id(about), json, &hex, &why))
        fail_msg("%s", why.text);
    snprintf(out, 400, "decode('%s', 'hex')", hex.data);
    return out;
}

/* What channel c has, opened with these keys; "" when it does not open. */
static void opened(const struct seal_keys *k, int c, char out[300])
{
    char id[UUID_TEXT];
    const char *param = id;
    struct why why = { .text = "" };
    struct arena memory = { 0 };
    char *json = NULL;
    uuid_format(channel_id(c), id);
    AUTO_PGRESULT PGresult *r =
        PQexecParams(root.conn, "SELECT secrets FROM tocsin.channel WHERE channel_id = $1::uuid", 1,
                     NULL, &param, NULL, NULL, 1);
    assert_int_equal(PQntuples(r), 1);
    const struct str sealed = { PQgetvalue(r, 0, 0), (uint32_t)PQgetlength(r, 0, 0) };
    enum err e = channel_secrets_open(k, tenant_id(), channel_id(c), sealed, &memory, &json, &why);
    snprintf(out, 300, "%s", e ? "" : json);
    arena_release(&memory);
}

static struct channel_secrets_state settle(const struct seal_keys *k)
{
    struct channel_secrets_state s;
    struct why why = { .text = "" };
    if (channel_secrets_settle(conninfo, k, &s, &why)) fail_msg("%s", why.text);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    char text[200], tenant[UUID_TEXT];
    uuid_format(tenant_id(), tenant);
    snprintf(text, sizeof text, "INSERT INTO tocsin.tenant (tenant_id, name) VALUES ('%s', 'acme')",
             tenant);
    sql("TRUNCATE tocsin.outbox, tocsin.channel; DELETE FROM tocsin.tenant");
    sql(text);
    return 0;
}

static void a_start_seals_what_is_plain(void **state)
{
    (void)state;
    struct seal_keys *k = keys_of(KEY_A);
    char got[300];
    /* Standard Webhooks' example secret, MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, as bytes */
    add_channel(1, "NULL", "decode('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64')", "NULL");
    add_channel(2, "NULL", "decode(repeat('01', 32), 'hex')", "decode(repeat('ab', 24), 'hex')");
    add_channel(3, "NULL", "NULL", "NULL"); /* of a kind that has none */
    struct channel_secrets_state s = settle(k);
    assert_int_equal(s.sealed, 2);
    assert_int_equal(s.plain + s.closed, 0);
    assert_int_equal(number("SELECT count(*) FROM tocsin.channel WHERE secret IS NOT NULL"
                            " OR secret_old IS NOT NULL"),
                     0);
    assert_int_equal(number("SELECT count(secrets) FROM tocsin.channel"), 2);
    opened(k, 1, got);
    assert_string_equal(got, "{\"secret\": \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}");
    opened(k, 2, got);
    assert_string_equal(got, "{\"secret\": \"whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\","
                             " \"secret_old\": \"whsec_q6urq6urq6urq6urq6urq6urq6urq6ur\"}");
    s = settle(k); /* and there is nothing left to do */
    assert_int_equal(s.sealed + s.plain + s.closed, 0);
    seal_keys_free(k);
}

static void another_key_comes_first_and_the_old_one_may_leave(void **state)
{
    (void)state;
    struct seal_keys *a = keys_of(KEY_A), *ba = keys_of(KEY_B KEY_A), *b = keys_of(KEY_B);
    char sealed[400], got[300];
    add_channel(1, sealed_for(a, 1, "{\"secret\":\"one\"}", sealed), "NULL", "NULL");
    add_channel(2, sealed_for(ba, 2, "{\"secret\":\"two\"}", sealed), "NULL", "NULL");
    struct channel_secrets_state s = settle(ba);
    assert_int_equal(s.sealed, 1); /* the other one is under the first key already */
    assert_int_equal(s.closed, 0);
    opened(b, 1, got);
    assert_string_equal(got, "{\"secret\":\"one\"}");
    opened(b, 2, got);
    assert_string_equal(got, "{\"secret\":\"two\"}");
    s = settle(b);
    assert_int_equal(s.sealed + s.closed, 0);
    seal_keys_free(a);
    seal_keys_free(ba);
    seal_keys_free(b);
}

static void what_does_not_open_stays_and_is_told(void **state)
{
    (void)state;
    struct seal_keys *a = keys_of(KEY_A), *b = keys_of(KEY_B);
    char sealed[400];
    add_channel(1, sealed_for(a, 1, "{\"secret\":\"one\"}", sealed), "NULL", "NULL");
    add_channel(2, "NULL", "decode(repeat('01', 32), 'hex')", "NULL");
    struct channel_secrets_state s = settle(b);
    assert_int_equal(s.sealed, 1); /* one that fails does not hold up the others */
    assert_int_equal(s.closed, 1);
    assert_non_null(strstr(s.closed_why.text, "which is not in the key file"));
    s = settle(a); /* the key that was missing: all is well, or would be for the second */
    assert_int_equal(s.sealed, 0);
    assert_int_equal(s.closed, 1);
    seal_keys_free(a);
    seal_keys_free(b);
}

static void without_a_key_all_is_left_and_counted(void **state)
{
    (void)state;
    struct seal_keys *a = keys_of(KEY_A);
    AUTO_BUF struct buf hex = { 0 };
    struct why why = { .text = "" };
    char sealed[400];
    add_channel(1, sealed_for(a, 1, "{\"secret\":\"one\"}", sealed), "NULL", "NULL");
    add_channel(2, "NULL", "decode(repeat('01', 32), 'hex')", "NULL");
    struct channel_secrets_state s = settle(NULL);
    assert_int_equal(s.plain, 1);
    assert_int_equal(s.closed, 1);
    assert_int_equal(s.sealed, 0);
    assert_int_equal(number("SELECT count(*) FROM tocsin.channel WHERE secret IS NOT NULL"), 1);
    assert_int_equal(channel_secrets_seal(NULL, tenant_id(), channel_id(1), "{}", &hex, &why),
                     ERR_FORBIDDEN);
    assert_int_equal(hex.len, 0);
    seal_keys_free(a);
}

/* The columns are out of the API's reach, and a row has its secrets in one place. */
static void nobody_else_reads_them(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "SELECT secrets FROM tocsin.channel", "SELECT secret FROM tocsin.channel",
        "SELECT secret_old FROM tocsin.channel",
        "UPDATE tocsin.channel SET enabled = enabled RETURNING secrets"
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct db api;
        struct why why = { .text = "" };
        assert_int_equal(db_open(conninfo, "tocsin_api", "test", &api, &why), ERR_OK);
        assert_int_equal(db_script(&api, refused[i], &why), ERR_DB);
        assert_int_equal(strncmp(why.text, "42501", 5), 0); /* insufficient_privilege */
        db_close(&api);
    }
    add_channel(1, "NULL", "decode(repeat('01', 32), 'hex')", "NULL");
    struct why why = { .text = "" };
    assert_int_equal(db_script(&root, "UPDATE tocsin.channel SET secrets = '\\x01'", &why), ERR_DB);
    assert_non_null(strstr(why.text, "channel_sealed_check"));
}

int main(void)
{
    if (!scratch_open("secrets")) return 0;
#define STORY(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        STORY(a_start_seals_what_is_plain),
        STORY(another_key_comes_first_and_the_old_one_may_leave),
        STORY(what_does_not_open_stays_and_is_told),
        STORY(without_a_key_all_is_left_and_counted),
        STORY(nobody_else_reads_them),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_close();
    return failures;
}
