/* test_config.c - defaults, every kind of wrong line with its place, and the environment over the file. */
#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static enum err load(const char *text, size_t n, struct config *c, struct buf *errors)
{
    strcpy(path, "/tmp/tocsin-config-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    close(fd);
    enum err e = config_load(path, c, errors);
    unlink(path);
    return e;
}

static struct config loaded(const char *text)
{
    struct config c;
    AUTO_BUF struct buf errors = { 0 };
    if (load(text, strlen(text), &c, &errors)) fail_msg("%s", errors.data);
    return c;
}

/* The text's errors, with PATH for the file's name. */
static void refused(const char *text, const char *want)
{
    struct config c;
    AUTO_BUF struct buf errors = { 0 }, got = { 0 };
    assert_int_equal(load(text, strlen(text), &c, &errors), ERR_INVALID);
    for (const char *p = errors.data; *p;) {
        size_t n = strlen(path);
        if (strncmp(p, path, n) == 0) {
            buf_puts(&got, "PATH");
            p += n;
        } else buf_put(&got, p++, 1);
    }
    assert_string_equal(got.data, want);
    config_release(&c);
}

static void without_a_file_there_are_defaults(void **state)
{
    (void)state;
    struct config c;
    AUTO_BUF struct buf errors = { 0 };
    assert_int_equal(config_load(NULL, &c, &errors), ERR_OK);
    assert_string_equal(c.kafka_brokers, "127.0.0.1:9092");
    assert_string_equal(c.kafka_topics, "reference,ticks,news,facts");
    assert_string_equal(c.database_conninfo, "dbname=tocsin");
    assert_int_equal(c.api_port, 8080);
    assert_int_equal(c.engine_stale_after_ms, 60000);
    assert_int_equal(c.engine_coverage_gate_pct, 95);
    assert_string_equal(c.engine_track, "");
    assert_false(c.webhooks_allow_http);
    assert_string_equal(c.log_level, "info");
    assert_int_equal(c.properties_n, 0);
    config_release(&c);
    config_release(&c); /* twice is fine: the struct is empty then */
}

static void a_file_sets_what_it_names(void **state)
{
    (void)state;
    struct config c = loaded(
        "; a comment\n# another\n\n  [kafka]  \nbrokers = a:1,b:2\n  ; indented\nproperty.security.protocol = SSL\nproperty.ssl.ca.location=/x=y;z#w\ntopics=one,two\nfirst =\n"
        "[api]\nport=0\r\n[webhooks]\nallow_http = Yes\nallow_private = off\n[engine]\ntrack = hhi(X, by=line) ; last(A); ;\n[database]\nconninfo = host=h dbname='d' password='a #b'");
    assert_string_equal(c.kafka_brokers, "a:1,b:2");
    assert_int_equal(c.properties_n, 2);
    assert_string_equal(c.properties[0].name, "security.protocol");
    assert_string_equal(c.properties[0].value, "SSL");
    assert_string_equal(c.properties[1].name, "ssl.ca.location");
    assert_string_equal(c.properties[1].value, "/x=y;z#w");
    assert_string_equal(c.kafka_first, "");
    assert_int_equal(c.api_port, 0);
    assert_true(c.webhooks_allow_http);
    assert_false(c.webhooks_allow_private);
    assert_string_equal(c.database_conninfo, "host=h dbname='d' password='a #b'");
    assert_string_equal(c.engine_track, "hhi(X, by=line) ; last(A); ;");
    config_release(&c);
}

/* Long lines are whole: a list of brokers or measures passes 200 bytes easily. */
static void long_lines_are_whole(void **state)
{
    (void)state;
    char text[6000] = "[engine]\ntrack = ";
    for (int i = 0; i < 200; i++) strcat(text, "ew_level(SP500, by=line);");
    size_t n = strlen(text) - strlen("[engine]\ntrack = ");
    strcat(text, "\nbatch_records = 0\n");
    refused(text, "PATH:3: engine.batch_records must be a whole number from 1 to 1000000\n");
    *strrchr(text, '0') = '\0';
    strcat(text, "100");
    struct config c = loaded(text);
    assert_int_equal(strlen(c.engine_track), n);
    config_release(&c);
}

static void every_wrong_line_is_named(void **state)
{
    (void)state;
    refused(
        "[api]\nport = eighty\nport = 70000\nprot = 1\nthreads = 0\nthreads\n= 3\n[bogus\n[api]\nheartbeat_ms = 1.5\n[nothing]\nx = 1\n[webhooks]\nallow_http = maybe\n[log]\nlevel = loud\n"
        "[kafka]\ntopics = a b\nfirst = c\n",
        "PATH:2: api.port must be a whole number from 0 to 65535\n"
        "PATH:3: set twice: port\n"
        "PATH:3: api.port must be a whole number from 0 to 65535\n"
        "PATH:4: no setting prot in section [api]\n"
        "PATH:5: api.threads must be a whole number from 1 to 64\n"
        "PATH:6: neither [section] nor key = value\n"
        "PATH:7: neither [section] nor key = value\n"
        "PATH:8: neither [section] nor key = value\n"
        "PATH:10: api.heartbeat_ms must be a whole number from 100 to 15000\n"
        "PATH:12: no setting x in section [nothing]\n"
        "PATH:14: webhooks.allow_http must be true or false\n"
        "PATH:16: log.level must be debug, info, warn or error\n"
        "PATH:18: kafka.topics must be topic names with commas between, without spaces\n");
    refused("[kafka]\nformat = morse\n",
            "PATH:2: kafka.format: format \"morse\" is none of: json\n");
    refused("[kafka]\nfirst = c\n", "PATH: kafka.first must be one of kafka.topics, or empty\n");
    refused("port = 1\n", "PATH:1: no setting port in section []\n");
    static const char *const topics[] = { "", "a,", ",a", "a,,b", "a, b", "a/b" };
    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        char text[60];
        snprintf(text, sizeof text, "[kafka]\nfirst =\ntopics = %s\n", topics[i]);
        refused(text,
                "PATH:3: kafka.topics must be topic names with commas between, without spaces\n");
    }
    char many[400] = "[kafka]\nfirst =\ntopics = t";
    for (int i = 0; i < CONFIG_TOPICS_MAX; i++) strcat(many, ",t");
    refused(strcat(many, "\n"), "PATH:3: kafka.topics names too many topics\n");
    refused("[api]\nport = 99999999999999999999\n",
            "PATH:2: api.port must be a whole number from 0 to 65535\n");
    refused("[api]\nport =\n", "PATH:2: api.port must be a whole number from 0 to 65535\n");
    refused("[api]\nport = 8080 ; web\n[kafka]\nbrokers = a:1 ; ours\n",
            "PATH:2: api.port must be a whole number from 0 to 65535\n"
            "PATH:4: kafka.brokers must be bootstrap servers, host:port, with commas between\n");
}

static void measures_to_track_are_read_here(void **state)
{
    (void)state;
    refused(
        "[engine]\n\ntrack = hhi(X); hih(X);last()\n",
        "PATH:3: engine.track, character 9: there is no measure \"hih\": did you mean hhi?\n"
        "PATH:3: engine.track, character 21: last is measured on a symbol: name it, as in last(AAPL)\n");
}

static void too_many_properties_are_refused(void **state)
{
    (void)state;
    char text[4000] = "[kafka]\n";
    for (int i = 0; i <= CONFIG_PROPERTIES_MAX; i++) strcat(text, "property.client.id = me\n");
    refused(text, "PATH:66: too many kafka properties\n");
}

static void odd_files_are_refused(void **state)
{
    (void)state;
    struct config c;
    AUTO_BUF struct buf errors = { 0 };
    assert_int_equal(load("[api]\nport = 8\0"
                          "1\n",
                          17, &c, &errors),
                     ERR_INVALID);
    assert_non_null(strstr(errors.data, ":2: "));
    config_release(&c);
    buf_clear(&errors);
    assert_int_equal(config_load("/nonexistent/tocsin.ini", &c, &errors), ERR_INVALID);
    assert_string_equal(errors.data,
                        "/nonexistent/tocsin.ini: cannot be read: No such file or directory\n");
    config_release(&c);
    buf_clear(&errors);
    assert_int_equal(config_load("/tmp", &c, &errors), ERR_INVALID);
    config_release(&c);
}

static void the_environment_has_the_last_word(void **state)
{
    (void)state;
    setenv("TOCSIN_API_PORT", "9", 1);
    setenv("TOCSIN_ENGINE_TRACK", "last(A)", 1);
    setenv("TOCSIN_WEBHOOKS_ALLOW_PRIVATE", "1", 1);
    setenv("TOCSIN_SOMETHING_ELSE", "1", 1);
    struct config c = loaded("[api]\nport = 8\nthreads = 3\n[engine]\ntrack = hhi(X)\n");
    assert_int_equal(c.api_port, 9);
    assert_int_equal(c.api_threads, 3);
    assert_string_equal(c.engine_track, "last(A)");
    assert_true(c.webhooks_allow_private);
    config_release(&c);
    setenv("TOCSIN_API_PORT", "x", 1);
    setenv("TOCSIN_ENGINE_TRACK", "last()", 1);
    AUTO_BUF struct buf errors = { 0 };
    assert_int_equal(config_load(NULL, &c, &errors), ERR_INVALID);
    assert_non_null(
        strstr(errors.data, "TOCSIN_API_PORT: api.port must be a whole number from 0 to 65535\n"));
    assert_non_null(strstr(
        errors.data,
        "TOCSIN_ENGINE_TRACK: engine.track, character 6: last is measured on a symbol: name it, as in last(AAPL)\n"));
    config_release(&c);
    unsetenv("TOCSIN_API_PORT");
    unsetenv("TOCSIN_ENGINE_TRACK");
    unsetenv("TOCSIN_WEBHOOKS_ALLOW_PRIVATE");
    unsetenv("TOCSIN_SOMETHING_ELSE");
}

static void the_reference_has_a_row_a_setting(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    config_reference(&b);
    size_t rows = 0;
#define TEXT(section, key, preset, help)                                                           \
    rows++, assert_non_null(strstr(b.data, "| `" #section "." #key "` | "));
#define NUMBER(section, key, preset, min, max, help) TEXT(section, key, preset, help)
#define FLAG(section, key, preset, help) TEXT(section, key, preset, help)
#include "app/config.def"
    size_t lines = 0;
    for (const char *p = b.data; (p = strchr(p, '\n')); p++) lines++;
    assert_int_equal(lines, rows + 3); /* the head, and the properties */
}

int main(void)
{
    for (char **e = environ; *e;) { /* the caller's settings are not the test's */
        char name[100];
        size_t n = strcspn(*e, "=");
        if (strncmp(*e, "TOCSIN_", 7) != 0 || n >= sizeof name) {
            e++;
            continue;
        }
        memcpy(name, *e, n);
        name[n] = '\0';
        unsetenv(name);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_there_are_defaults),
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(long_lines_are_whole),
        cmocka_unit_test(every_wrong_line_is_named),
        cmocka_unit_test(measures_to_track_are_read_here),
        cmocka_unit_test(too_many_properties_are_refused),
        cmocka_unit_test(odd_files_are_refused),
        cmocka_unit_test(the_environment_has_the_last_word),
        cmocka_unit_test(the_reference_has_a_row_a_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
