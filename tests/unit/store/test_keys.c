/* Key text: made, read back, and every single change to it noticed. */
#include "store/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void round_trip(void **state)
{
    (void)state;
    uint8_t random[KEY_RANDOM_SIZE];
    char text[KEY_TEXT_LEN + 1];
    struct key key;
    uint8_t sum[SHA256_SIZE];
    for (int fill = 0; fill < 256; fill += 51) { /* 0, 51 ... 255: the ends of the range too */
        memset(random, fill, sizeof random);
        key_format(random, text);
        assert_int_equal(strlen(text), KEY_TEXT_LEN);
        assert_true(key_parse(text, KEY_TEXT_LEN, &key));
        assert_memory_equal(key.id, text + 8, KEY_ID_LEN);
        sha256(text, KEY_TEXT_LEN, sum);
        assert_memory_equal(key.sha256, sum, SHA256_SIZE);
    }
}

/* python3: 2**256-1 in base 62 with digits 0-9A-Za-z, and zlib.crc32 of what precedes the last underscore likewise */
static void known_text(void **state)
{
    (void)state;
    uint8_t random[KEY_RANDOM_SIZE];
    char text[KEY_TEXT_LEN + 1];
    memset(random, 0xFF, sizeof random);
    key_format(random, text);
    assert_string_equal(text,
                        "mk_live_SkYaaiXSSTS3_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1_27dwS3");
}

static void every_change_is_noticed(void **state)
{
    (void)state;
    uint8_t random[KEY_RANDOM_SIZE];
    char text[KEY_TEXT_LEN + 1], wrong[KEY_TEXT_LEN + 2];
    struct key key;
    for (size_t i = 0; i < sizeof random; i++) random[i] = (uint8_t)(i * 7 + 1);
    key_format(random, text);
    for (size_t i = 0; i < KEY_TEXT_LEN; i++)
        for (const char *c = "0aZ_- \x80"; *c; c++) {
            if (text[i] == *c) continue;
            strcpy(wrong, text);
            wrong[i] = *c;
            assert_false(key_parse(wrong, KEY_TEXT_LEN, &key));
        }
    for (size_t n = 0; n < KEY_TEXT_LEN; n++) assert_false(key_parse(text, n, &key));
    strcpy(wrong, text);
    strcat(wrong, "x");
    assert_false(key_parse(wrong, KEY_TEXT_LEN + 1, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(round_trip), cmocka_unit_test(known_text),
                                        cmocka_unit_test(every_change_is_noticed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
