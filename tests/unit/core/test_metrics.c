/* test_metrics.c - counts add up across threads, and the page is Prometheus text: HELP and TYPE once a name, then its rows. */
#include "core/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *count(void *arg)
{
    for (int i = 0; i < 100000; i++) metric_add(METRIC_COMMITS, 1);
    return arg;
}

static void threads_add_up(void **state)
{
    (void)state;
    pthread_t t[4];
    int64_t before = metric_get(METRIC_COMMITS);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&t[i], NULL, count, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    assert_true(metric_get(METRIC_COMMITS) == before + 400000);
    metric_set(METRIC_COMMITTED_SEQ, INT64_MAX);
    metric_set(METRIC_STREAMS_OPEN, -1);
    assert_true(metric_get(METRIC_COMMITTED_SEQ) == INT64_MAX
                && metric_get(METRIC_STREAMS_OPEN) == -1);
}

static void the_page_is_prometheus_text(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    metric_set(METRIC_ALERTS_FIRED, 3);
    metric_set(METRIC_ALERTS_RESOLVED, 2);
    metrics_render(&b);
    assert_non_null(strstr(
        b.data,
        "# HELP tocsin_alerts_total alerts committed\n# TYPE tocsin_alerts_total counter\n"
        "tocsin_alerts_total{state=\"firing\"} 3\ntocsin_alerts_total{state=\"resolved\"} 2\n"));
    char seen[64][64], name[64] = "";
    size_t seen_n = 0, rows = 0;
    for (char *line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line + 7, "%63s", name), 1);
            for (size_t i = 0; i < seen_n; i++) assert_string_not_equal(seen[i], name);
            strcpy(seen[seen_n++], name);
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_int_equal(strncmp(line + 7, name, strlen(name)), 0);
            assert_true(strstr(line, " counter") || strstr(line, " gauge")
                        || strstr(line, " histogram"));
            /* a counter's name ends in _total, a gauge's does not */
            assert_int_equal(strstr(line, " counter") != NULL,
                             strcmp(name + strlen(name) - 6, "_total") == 0);
        } else {
            assert_int_equal(strncmp(line, name, strlen(name)), 0);
            const char *rest = line + strlen(name);
            assert_true(*rest == '{' || *rest == ' ' || strncmp(rest, "_bucket{le=", 11) == 0
                        || strncmp(rest, "_sum ", 5) == 0 || strncmp(rest, "_count ", 7) == 0);
            rows++;
        }
    }
    assert_true(rows > METRIC_COUNT); /* and the dead letters and histograms */
}

static void what_is_refused_is_counted_by_its_reason(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    const int64_t before = metric_dead_letters();
    metric_dead_letter(ERR_SYNTAX);
    metric_dead_letter(ERR_SYNTAX);
    metric_dead_letter(ERR_AHEAD);
    assert_int_equal(metric_dead_letters() - before, 3);
    metrics_render(&b);
    assert_non_null(strstr(b.data, "tocsin_dead_letters_total{reason=\"syntax\"} 2\n"));
    assert_non_null(strstr(b.data, "tocsin_dead_letters_total{reason=\"ahead\"} 1\n"));
    assert_non_null(strstr(b.data, "tocsin_dead_letters_total{reason=\"unknown_symbol\"} 0\n"));
    assert_null(strstr(b.data, "reason=\"unauthorized\"")); /* no message is refused for that */
}

/* Buckets hold everything up to their bound, the bound included. */
static void a_histogram_adds_up(void **state)
{
    (void)state;
    AUTO_BUF struct buf b = { 0 };
    histogram_add(HISTOGRAM_COMMIT, -5, 1);
    histogram_add(HISTOGRAM_COMMIT, 10, 3);
    histogram_add(HISTOGRAM_COMMIT, 11, 1);
    histogram_add(HISTOGRAM_COMMIT, 1000000, 1);
    metrics_render(&b);
    static const char *const wanted[] = {
        "# TYPE tocsin_commit_seconds histogram\n",
        "tocsin_commit_seconds_bucket{le=\"0.001\"} 1\n",
        "tocsin_commit_seconds_bucket{le=\"0.005\"} 1\n",
        "tocsin_commit_seconds_bucket{le=\"0.01\"} 4\n",
        "tocsin_commit_seconds_bucket{le=\"0.02\"} 5\n",
        "tocsin_commit_seconds_bucket{le=\"300\"} 5\n",
        "tocsin_commit_seconds_bucket{le=\"+Inf\"} 6\n",
        "tocsin_commit_seconds_sum 1000.041\ntocsin_commit_seconds_count 6\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(b.data, wanted[i])) fail_msg("%s", wanted[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(threads_add_up),
                                        cmocka_unit_test(the_page_is_prometheus_text),
                                        cmocka_unit_test(what_is_refused_is_counted_by_its_reason),
                                        cmocka_unit_test(a_histogram_adds_up) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
