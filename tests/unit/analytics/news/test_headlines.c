/* headlines.def as anybody would judge it, read as the engine reads it: decoded, then scored. The field's cases and those that
 * the scorer was mended by are all right; of those that were kept aside nine in ten. */
#include "analytics/news/sentiment.h"
#include "core/entity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { CASE, SEEN, HELD_OUT, SETS };
enum want { POSITIVE, NEGATIVE, NOT_POSITIVE, NOT_NEGATIVE };

static const struct {
    int set;
    enum want want;
    const char *text;
} headlines[] = {
#define HEADLINE(set, want, text) { set, want, text },
#include "tests/unit/analytics/news/headlines.def"
};

static bool is_right(enum want want, enum sentiment_label said)
{
    switch (want) {
    case POSITIVE: return said == SENTIMENT_POSITIVE;
    case NEGATIVE: return said == SENTIMENT_NEGATIVE;
    case NOT_POSITIVE: return said != SENTIMENT_POSITIVE;
    case NOT_NEGATIVE: return said != SENTIMENT_NEGATIVE;
    }
    return false;
}

static struct sentiment read_headline(const char *text)
{
    struct buf scratch = { 0 };
    struct sentiment s;
    sentiment_score(entities_decode(str_of(text), &scratch), (struct str){ 0 }, &s);
    buf_release(&scratch);
    return s;
}

static void headlines_are_read_right(void **state)
{
    (void)state;
    int right[SETS] = { 0 }, n[SETS] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(headlines); i++) {
        const struct sentiment s = read_headline(headlines[i].text);
        const bool ok = is_right(headlines[i].want, s.label);
        n[headlines[i].set]++;
        right[headlines[i].set] += ok;
        if (!ok && headlines[i].set != HELD_OUT)
            fail_msg("%s: %s %+.3f", headlines[i].text, sentiment_label_name(s.label), s.score);
    }
    print_message("headlines right: %d of %d from the field, %d of %d seen, %d of %d held out\n",
                  right[CASE], n[CASE], right[SEEN], n[SEEN], right[HELD_OUT], n[HELD_OUT]);
    assert_true(n[CASE] == 26 && n[SEEN] == 50 && n[HELD_OUT] == 50);
    assert_true(right[HELD_OUT] * 10 >= n[HELD_OUT] * 9);
}

/* The field's one with a body. */
static void a_headline_that_asks_and_a_body_that_answers(void **state)
{
    (void)state;
    struct sentiment s;
    sentiment_score(
        str_of("What's Going On With School Bus Manufacturer Blue Bird ( BLBD ) Shares Today?"),
        str_of("Blue Bird Corporation BLBD shares are trading lower on Wednesday."), &s);
    assert_int_equal(s.label, SENTIMENT_NEGATIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headlines_are_read_right),
        cmocka_unit_test(a_headline_that_asks_and_a_body_that_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
