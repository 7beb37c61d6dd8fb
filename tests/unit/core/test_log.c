/* test_log.c - a line is one JSON object, whatever is in it; numbers are numbers, and other people's texts never become one. */
#include "core/log.h"

#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int pipe_of[2], stderr_was;

static int begin(void **state)
{
    (void)state;
    fflush(stderr);
    if (pipe(pipe_of)) return -1;
    stderr_was = dup(STDERR_FILENO);
    return dup2(pipe_of[1], STDERR_FILENO) < 0 ? -1 : 0;
}
static int end(void **state)
{
    (void)state;
    dup2(stderr_was, STDERR_FILENO);
    close(stderr_was);
    close(pipe_of[0]);
    close(pipe_of[1]);
    return 0;
}

/* What follows the message of the one line that was written. */
static const char *line(void)
{
    static char text[4096];
    const ssize_t n = read(pipe_of[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    const char *fields = strstr(text, "\"message\":\"m\"");
    assert_non_null(fields);
    return fields + strlen("\"message\":\"m\"");
}

static void numbers_are_numbers(void **state)
{
    (void)state;
    log_info("m", "a", LOG_I64(INT64_MIN), "b", LOG_I64(0), "c", LOG_F64(1.5), "d",
             LOG_F64(-0.0625), "e", LOG_F64(NAN), "f", LOG_F64(1e300));
    assert_string_equal(line(), ",\"a\":-9223372036854775808,\"b\":0,\"c\":1.500,\"d\":-0.062,"
                                "\"e\":null,\"f\":null}\n");
    log_info("m", "a", "12");
    assert_string_equal(line(), ",\"a\":\"12\"}\n"); /* a text stays one */
}

/* The byte by which a number is known may come from outside. */
static void no_text_slips_through_as_a_number(void **state)
{
    (void)state;
    static const char *const texts[] = { "\x01",
                                         "\x01-",
                                         "\x01"
                                         "1,\"x\":2",
                                         "\x01"
                                         "1.",
                                         "\x01"
                                         "01",
                                         "\x01"
                                         "1.5.5",
                                         "\x01nul",
                                         "\x01"
                                         "1 " };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char want[100];
        snprintf(want, sizeof want, ",\"a\":\"\\u0001");
        log_info("m", "a", texts[i]);
        assert_int_equal(strncmp(line(), want, strlen(want)), 0);
    }
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = { STORY(numbers_are_numbers),
                                        STORY(no_text_slips_through_as_a_number) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
