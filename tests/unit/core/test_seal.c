/* Sealing: AES-256-GCM by its published vectors, key files right and wrong, and nothing that was
 * changed or moved opens. */
#include "core/seal.h"
#include "core/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        const char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

/* McGrew and Viega, The Galois/Counter Mode of Operation (the document submitted to NIST),
 * appendix B, test cases 13 to 16. */
#define PLAIN                                                                                      \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6" \
    "b525b16aedf5aa0de657ba637b39"
#define CIPHER                                                                                     \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682" \
    "8838c5f61e6393ba7a0abcc9f662"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"

static void the_cipher_is_aes_256_gcm(void **state)
{
    (void)state;
    static const struct {
        const char *key, *nonce, *plain, *about, *cipher, *tag;
    } vectors[] = {
        { ZEROS, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
        { ZEROS, "000000000000000000000000", "00000000000000000000000000000000", "",
          "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919" },
        { KEY, "cafebabefacedbaddecaf888", PLAIN "1aafd255", "", CIPHER "898015ad",
          "b094dac5d93471bdec1a502270e3cc6c" },
        { KEY, "cafebabefacedbaddecaf888", PLAIN, "feedfacedeadbeeffeedfacedeadbeefabaddad2",
          CIPHER, "76fc6ece0f4e1768cddf8853bb2d551b" },
    };
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        uint8_t key[32], nonce[12], plain[64], about[64], cipher[64], tag[16], out[64], got[16];
        from_hex(vectors[i].key, key);
        from_hex(vectors[i].nonce, nonce);
        from_hex(vectors[i].cipher, cipher);
        from_hex(vectors[i].tag, tag);
        size_t n = from_hex(vectors[i].plain, plain), about_n = from_hex(vectors[i].about, about);
        assert_true(gcm_encrypt(key, nonce, about, about_n, plain, n, out, got));
        assert_memory_equal(out, cipher, n);
        assert_memory_equal(got, tag, sizeof tag);
        assert_true(gcm_decrypt(key, nonce, about, about_n, cipher, n, tag, out));
        assert_memory_equal(out, plain, n);
        tag[15] ^= 1;
        assert_false(gcm_decrypt(key, nonce, about, about_n, cipher, n, tag, out));
    }
}

/* ---- sealing ---- */

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BASE64_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX_B "FFFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0ffFEFDFCFBFAF9F8F7F6F5F4F3F2F1F0"

static struct seal_keys *keys_of(const char *text)
{
    struct seal_keys *k = NULL;
    struct why why = { .text = "" };
    if (seal_keys_parse(text, strlen(text), "keys", &k, &why)) fail_msg("%s", why.text);
    return k;
}

static const char secret[] = "{\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}";
enum { SECRET_N = sizeof secret - 1, SEALED_N = SECRET_N + SEAL_EXTRA };

static void what_is_sealed_opens_and_says_nothing(void **state)
{
    (void)state;
    struct seal_keys *k = keys_of(HEX_A);
    uint8_t one[SEALED_N], two[SEALED_N], out[SECRET_N], empty[SEAL_EXTRA];
    assert_int_equal(seal(k, "row 1", 5, secret, SECRET_N, one), ERR_OK);
    assert_int_equal(seal(k, "row 1", 5, secret, SECRET_N, two), ERR_OK);
    assert_memory_not_equal(one + 9, two + 9, 12);         /* another nonce each time */
    assert_memory_not_equal(one + 21, two + 21, SECRET_N); /* and so all of it */
    assert_null(memmem(one, sizeof one, "whsec", 5));
    assert_int_equal(seal_open(k, "row 1", 5, one, sizeof one, out, NULL), ERR_OK);
    assert_memory_equal(out, secret, SECRET_N);
    assert_int_equal(seal_open(k, "row 1", 5, two, sizeof two, out, NULL), ERR_OK);
    assert_memory_equal(out, secret, SECRET_N);
    assert_int_equal(seal(k, NULL, 0, NULL, 0, empty), ERR_OK);
    assert_int_equal(seal_open(k, NULL, 0, empty, sizeof empty, out, NULL), ERR_OK);
    seal_keys_free(k);
}

static void no_changed_bit_opens(void **state)
{
    (void)state;
    struct seal_keys *k = keys_of(HEX_A);
    uint8_t sealed[SEALED_N], out[SECRET_N];
    assert_int_equal(seal(k, "row 1", 5, secret, SECRET_N, sealed), ERR_OK);
    for (size_t i = 0; i < sizeof sealed; i++)
        for (int bit = 0; bit < 8; bit++) {
            struct why why = { .text = "" };
            sealed[i] ^= (uint8_t)(1 << bit);
            memset(out, 0xAA, sizeof out);
            enum err e = seal_open(k, "row 1", 5, sealed, sizeof sealed, out, &why);
            bool of_key_id = i >= 1 && i < 9;
            assert_int_equal(e, of_key_id ? ERR_NOT_FOUND : ERR_INVALID);
            assert_true(why.text[0]);
            assert_null(memmem(out, sizeof out, "whsec", 5));
            sealed[i] ^= (uint8_t)(1 << bit);
        }
    for (size_t n = 0; n < sizeof sealed; n++) /* nor a part of it */
        assert_int_equal(seal_open(k, "row 1", 5, sealed, n, out, NULL), ERR_INVALID);
    assert_int_equal(seal_open(k, "row 1", 5, sealed, sizeof sealed, out, NULL), ERR_OK);
    seal_keys_free(k);
}

static void what_is_moved_elsewhere_does_not_open(void **state)
{
    (void)state;
    struct seal_keys *k = keys_of(HEX_A);
    uint8_t sealed[SEALED_N], out[SECRET_N];
    struct why why = { .text = "" };
    assert_int_equal(seal(k, "row 1", 5, secret, SECRET_N, sealed), ERR_OK);
    static const char *const others[] = { "row 2", "row", "row 12", "" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(
            seal_open(k, others[i], strlen(others[i]), sealed, sizeof sealed, out, &why),
            ERR_INVALID);
    assert_string_equal(why.text, "what is sealed was changed, or belongs elsewhere");
    seal_keys_free(k);
}

static void a_key_is_changed_without_a_stop(void **state)
{
    (void)state;
    struct seal_keys *old = keys_of(HEX_A "\n"), *both = keys_of(HEX_B "\n" HEX_A "\n"),
                     *new = keys_of(HEX_B "\n");
    uint8_t before[SEALED_N], after[SEALED_N], out[SECRET_N];
    struct why why = { .text = "" };
    assert_int_equal(seal(old, "x", 1, secret, SECRET_N, before), ERR_OK);
    assert_int_equal(seal(both, "x", 1, secret, SECRET_N, after), ERR_OK);
    assert_int_equal(seal_open(both, "x", 1, before, SEALED_N, out, NULL), ERR_OK);
    assert_int_equal(seal_open(both, "x", 1, after, SEALED_N, out, NULL), ERR_OK);
    assert_int_equal(seal_open(new, "x", 1, after, SEALED_N, out, NULL), ERR_OK);
    assert_int_equal(seal_open(new, "x", 1, before, SEALED_N, out, &why), ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "which is not in the key file"));
    assert_int_equal(seal_open(old, "x", 1, after, SEALED_N, out, NULL), ERR_NOT_FOUND);
    assert_false(seal_is_newest(both, before, SEALED_N));
    assert_true(seal_is_newest(both, after, SEALED_N));
    assert_true(seal_is_newest(old, before, SEALED_N));
    assert_false(seal_is_newest(old, before, SEAL_EXTRA - 1));
    seal_keys_free(old);
    seal_keys_free(both);
    seal_keys_free(new);
}

/* ---- key files ---- */

static void a_key_has_two_spellings(void **state)
{
    (void)state;
    struct seal_keys *hex = keys_of("# ours\r\n\r\n  " HEX_A "  \r\n"), *base64 = keys_of(BASE64_A);
    uint8_t sealed[SEALED_N], out[SECRET_N];
    assert_int_equal(seal(hex, "x", 1, secret, SECRET_N, sealed), ERR_OK);
    assert_int_equal(seal_open(base64, "x", 1, sealed, SEALED_N, out, NULL), ERR_OK);
    seal_keys_free(hex);
    seal_keys_free(base64);
}

static void a_wrong_key_file_is_told_by_its_line_and_not_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "", "f: holds no key" },
        { "\n# nothing\n", "f: holds no key" },
        { "hunter2\n", "f:1: not a key: 32 bytes as 64 hex digits or as base64" },
        { HEX_A "\n" HEX_A "0", "f:2: not a key: 32 bytes as 64 hex digits or as base64" },
        { HEX_A "\n\n" HEX_A "\n", "f:3: the key of line 1 again" },
        { HEX_A "\n" BASE64_A "\n", "f:2: the key of line 1 again" },
        { "00010203040506070809\n", "f:1: not a key: 32 bytes as 64 hex digits or as base64" },
        { "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
          "f:1: not a key: 32 bytes as 64 hex digits or as base64" },
        { "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
          "f:1: not a key: 32 bytes as 64 hex digits or as base64" }, /* not canonical */
        { HEX_A " " HEX_B, "f:1: not a key: 32 bytes as 64 hex digits or as base64" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seal_keys *k = NULL;
        struct why why = { .text = "" };
        assert_int_equal(seal_keys_parse(rows[i].text, strlen(rows[i].text), "f", &k, &why),
                         ERR_INVALID);
        assert_string_equal(why.text, rows[i].says);
        assert_null(k);
    }
    char many[17 * 66] = "";
    for (int i = 0; i < 17; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%064x\n", i);
    struct seal_keys *k = NULL;
    struct why why = { .text = "" };
    assert_int_equal(seal_keys_parse(many, strlen(many), "f", &k, &why), ERR_INVALID);
    assert_string_equal(why.text, "f:17: more than 16 keys");
    assert_int_equal(seal_keys_parse(HEX_A "\0", 65, "f", &k, &why), ERR_INVALID);
}

static char folder[] = "/tmp/tocsin-seal-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const files[] = { "key", "open", "big", "fifo" };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) unlink(path_of(files[i]));
    return rmdir(folder);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path_of(name), mode), 0);
}

static void a_key_is_made_and_another_put_first(void **state)
{
    (void)state;
    struct why why = { .text = "" };
    struct seal_keys *one = NULL, *two = NULL;
    uint8_t sealed[SEALED_N], out[SECRET_N];
    struct stat s;
    assert_int_equal(seal_key_make(path_of("key"), false, &why), ERR_OK);
    assert_int_equal(stat(path_of("key"), &s), 0);
    assert_int_equal(s.st_mode & 07777, 0600);
    assert_int_equal(s.st_size, 65);
    assert_int_equal(seal_keys_read(path_of("key"), &one, &why), ERR_OK);
    assert_int_equal(seal(one, "x", 1, secret, SECRET_N, sealed), ERR_OK);

    assert_int_equal(seal_key_make(path_of("key"), false, &why), ERR_CONFLICT); /* never over one */
    assert_int_equal(seal_key_make(path_of("key"), true, &why), ERR_OK);
    assert_int_equal(seal_keys_read(path_of("key"), &two, &why), ERR_OK);
    assert_int_equal(seal_open(two, "x", 1, sealed, SEALED_N, out, &why), ERR_OK);
    assert_false(seal_is_newest(two, sealed, SEALED_N));
    seal_keys_free(one);
    seal_keys_free(two);

    for (int i = 2; i < SEAL_KEYS_MAX; i++)
        assert_int_equal(seal_key_make(path_of("key"), true, &why), ERR_OK);
    assert_int_equal(seal_key_make(path_of("key"), true, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "has 16 keys already"));
    assert_int_equal(seal_key_make("/nonexistent/folder/key", false, &why), ERR_IO);
}

static void a_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool fine;
    } rows[] = { { 0600, true },  { 0400, true },  { 0440, true },
                 { 0644, false }, { 0604, false }, { 0602, false } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct seal_keys *k = NULL;
        struct why why = { .text = "" };
        write_file("open", HEX_A "\n", rows[i].mode);
        enum err e = seal_keys_read(path_of("open"), &k, &why);
        assert_int_equal(e, rows[i].fine ? ERR_OK : ERR_INVALID);
        assert_true(rows[i].fine || strstr(why.text, "everybody on this machine may read it"));
        seal_keys_free(k);
        unlink(path_of("open"));
    }
}

static void what_is_no_key_file_is_refused(void **state)
{
    (void)state;
    struct seal_keys *k = NULL;
    struct why why = { .text = "" };
    assert_int_equal(seal_keys_read(path_of("missing"), &k, &why), ERR_IO);
    assert_non_null(strstr(why.text, "/missing: No such file or directory"));
    assert_int_equal(seal_keys_read(folder, &k, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, ": not a file"));
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(seal_keys_read(path_of("fifo"), &k, &why), ERR_INVALID);
    static char big[20000];
    memset(big, '#', sizeof big - 1);
    write_file("big", big, 0600);
    assert_int_equal(seal_keys_read(path_of("big"), &k, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "larger than a key file"));
    assert_null(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cipher_is_aes_256_gcm),
        cmocka_unit_test(what_is_sealed_opens_and_says_nothing),
        cmocka_unit_test(no_changed_bit_opens),
        cmocka_unit_test(what_is_moved_elsewhere_does_not_open),
        cmocka_unit_test(a_key_is_changed_without_a_stop),
        cmocka_unit_test(a_key_has_two_spellings),
        cmocka_unit_test(a_wrong_key_file_is_told_by_its_line_and_not_quoted),
        cmocka_unit_test(a_key_is_made_and_another_put_first),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(what_is_no_key_file_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
