/* test_digest.c - the published vectors: FIPS 180-4 examples, RFC 4231 (HMAC), RFC 4648 section 10 (base64). */
#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(a) (sizeof(a) / sizeof(a)[0])

static const char *hex(const uint8_t digest[SHA256_SIZE])
{
    static char text[2 * SHA256_SIZE + 1];
    for (int i = 0; i < SHA256_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static void sha256_of_the_standard(void **state)
{
    (void)state;
    uint8_t d[SHA256_SIZE];
    sha256("", 0, d);
    assert_string_equal(hex(d), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256("abc", 3, d);
    assert_string_equal(hex(d), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, d);
    assert_string_equal(hex(d), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    sha256(million, 1000000, d);
    assert_string_equal(hex(d), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

/* RFC 4231 test cases 1 to 4, 6 and 7; the fifth is about truncation, which we do not do. */
static void hmac_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t d[SHA256_SIZE], key[131], text[50], counting[25];
    for (int i = 0; i < 25; i++) counting[i] = (uint8_t)(i + 1);
    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, "Hi There", 8, d);
    assert_string_equal(hex(d), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, d);
    assert_string_equal(hex(d), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(text, 0xdd, 50);
    hmac_sha256(key, 20, text, 50, d);
    assert_string_equal(hex(d), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    memset(text, 0xcd, 50);
    hmac_sha256(counting, 25, text, 50, d);
    assert_string_equal(hex(d), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    hmac_sha256(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, d);
    assert_string_equal(hex(d), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac_sha256(
        key, 131,
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before "
        "being used by "
        "the HMAC algorithm.",
        152, d);
    assert_string_equal(hex(d), "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

static void base64_of_rfc_4648(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *text;
    } rows[] = {
        { "f", "Zg==" },        { "fo", "Zm8=" },        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
    };
    char text[BASE64_TEXT_MAX(64)], plain[64];
    size_t n;
    for (size_t i = 0; i < LEN(rows); i++) {
        assert_int_equal(base64_encode(rows[i].plain, strlen(rows[i].plain), text),
                         strlen(rows[i].text));
        assert_string_equal(text, rows[i].text);
        assert_true(base64_decode(text, strlen(text), plain, sizeof plain, &n));
        assert_int_equal(n, strlen(rows[i].plain));
        assert_memory_equal(plain, rows[i].plain, n);
        assert_true(base64_decode(text, strlen(text), plain, n, &n));
        assert_false(base64_decode(text, strlen(text), plain, n - 1, &n));
    }
    assert_int_equal(base64_encode("\xFB\xFF\xBF", 3, text), 4);
    assert_string_equal(text, "+/+/");
}

static void base64_has_one_spelling(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "Zg",   "Zg=",      "Zg===",    "Zh==",       "Zm9=",        "Zm9v=",     "=Zm9",
        "Z===", "====",     "Zm9 v",    " Zm9v",      "Zm9v\n",      "\tZm9vZ==", "Zm-v",
        "Zm_v", "Zm9v Zm9", "Zg==Zg==", "Zm\xC3\xA9", "Zm9v\r\n\r\n"
    };
    char plain[64];
    for (size_t i = 0; i < LEN(rows); i++) {
        size_t n = 42;
        if (base64_decode(rows[i], strlen(rows[i]), plain, sizeof plain, &n) || n != 42)
            fail_msg("%s", rows[i]);
    }
}

static void base64_reads_back(void **state)
{
    (void)state;
    unsigned char plain[510], back[510];
    char text[BASE64_TEXT_MAX(510)];
    for (size_t n = 1; n <= sizeof plain; n++) {
        for (size_t i = 0; i < n; i++) plain[i] = (unsigned char)(i * 131 + n * 7);
        size_t len = base64_encode(plain, n, text), got = 0;
        assert_int_equal(len + 1, BASE64_TEXT_MAX(n));
        assert_true(base64_decode(text, len, back, sizeof back, &got));
        assert_int_equal(got, n);
        assert_memory_equal(back, plain, n);
    }
    char longer[685], out[600];
    size_t n;
    memset(longer, 'A', sizeof longer);
    assert_true(base64_decode(longer, 680, out, sizeof out, &n));
    assert_false(base64_decode(longer, 684, out, sizeof out,
                               &n)); /* over 510 bytes: more than any secret has */
}

static void equality_and_randomness(void **state)
{
    (void)state;
    assert_true(digest_equal("abc", "abc", 3));
    assert_false(digest_equal("abc", "abd", 3));
    assert_false(digest_equal("bbc", "abc", 3));
    assert_true(digest_equal("abc", "abd", 2));
    uint8_t a[1000] = { 0 }, b[1000] = { 0 };
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    int seen = 0;
    bool has[256] = { false };
    for (size_t i = 0; i < sizeof a; i++) seen += !has[a[i]], has[a[i]] = true;
    assert_true(seen > 200); /* of 256 values 1000 draws miss about five */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_of_the_standard), cmocka_unit_test(hmac_of_rfc_4231),
        cmocka_unit_test(base64_of_rfc_4648),     cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(base64_reads_back),      cmocka_unit_test(equality_and_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
