/* seal.c - key files, and sealing with them.
 *
 * With the key 000102...1f the 2 bytes "hi" about "row 7" become 39:
 *
 *     01                  version
 *     5dbf58ec99524242    key id: 8 bytes of SHA-256("tocsin seal key", NUL, key)
 *     5e19 ...            nonce: 12 random bytes, others at each sealing
 *     a704                "hi" xor the cipher's stream
 *     d02f ...            tag: 16 bytes over all of this and "row 7"
 *
 * The version and the key id are authenticated with `about`, so no byte of the whole can be
 * changed: a wrong key id finds no key, anything else fails the tag. */
#include "core/seal.h"

#include "core/digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, FILE_MAX = 16 * 1024, LINE_MAX_BYTES = 2 * SEAL_KEY_SIZE };
/* Where things are in what is sealed; the tag follows the text. */
enum {
    KEY_ID_AT = 1,
    NONCE_AT = KEY_ID_AT + SEAL_KEY_ID_SIZE,
    TEXT_AT = NONCE_AT + SEAL_NONCE_SIZE
};

/* In the order of the file: the first one seals. */
struct seal_keys {
    struct seal_key {
        uint8_t id[SEAL_KEY_ID_SIZE], key[SEAL_KEY_SIZE];
        int line; /* of the file, to name it by */
    } at[SEAL_KEYS_MAX];
    size_t n;
    pthread_rwlock_t *lock; /* of its own memory, so that who only reads the keys may take it */
};

/* ---- the primitive ---- */

static inline void cipher_end(EVP_CIPHER_CTX **c) { EVP_CIPHER_CTX_free(*c); }
#define AUTO_CIPHER __attribute__((cleanup(cipher_end)))

bool gcm_encrypt(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                 const void *about, size_t about_n, const void *plain, size_t n, uint8_t *out,
                 uint8_t tag[SEAL_TAG_SIZE])
{
    AUTO_CIPHER EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t rest[SEAL_TAG_SIZE];
    int k = 0;
    return c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1
           && (about_n == 0 || EVP_EncryptUpdate(c, NULL, &k, about, (int)about_n) == 1)
           && (n == 0 || EVP_EncryptUpdate(c, out, &k, plain, (int)n) == 1)
           && EVP_EncryptFinal_ex(c, rest, &k) == 1
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, tag) == 1;
}

bool gcm_decrypt(const uint8_t key[SEAL_KEY_SIZE], const uint8_t nonce[SEAL_NONCE_SIZE],
                 const void *about, size_t about_n, const uint8_t *cipher, size_t n,
                 const uint8_t tag[SEAL_TAG_SIZE], uint8_t *out)
{
    AUTO_CIPHER EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t want[SEAL_TAG_SIZE], rest[SEAL_TAG_SIZE];
    int k = 0;
    memcpy(want, tag, sizeof want); /* libcrypto wants it writable */
    return c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1
           && (about_n == 0 || EVP_DecryptUpdate(c, NULL, &k, about, (int)about_n) == 1)
           && (n == 0 || EVP_DecryptUpdate(c, out, &k, cipher, (int)n) == 1)
           && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_SIZE, want) == 1
           && EVP_DecryptFinal_ex(c, rest, &k) == 1;
}

/* ---- keys ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool key_from_hex(const char *s, size_t n, uint8_t out[SEAL_KEY_SIZE])
{
    if (n != 2 * SEAL_KEY_SIZE) return false;
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++) {
        int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool key_from_text(const char *s, size_t n, uint8_t out[SEAL_KEY_SIZE])
{
    size_t got = 0;
    if (key_from_hex(s, n, out)) return true;
    return base64_decode(s, n, out, SEAL_KEY_SIZE, &got) && got == SEAL_KEY_SIZE;
}

/* Of the key alone, so that a file needs no names; says nothing of the key that would help. */
static void key_id(const uint8_t key[SEAL_KEY_SIZE], uint8_t out[SEAL_KEY_ID_SIZE])
{
    static const char label[] = "tocsin seal key";
    uint8_t text[sizeof label + SEAL_KEY_SIZE], sum[SHA256_SIZE];
    memcpy(text, label, sizeof label);
    memcpy(text + sizeof label, key, SEAL_KEY_SIZE);
    sha256(text, sizeof text, sum);
    memcpy(out, sum, SEAL_KEY_ID_SIZE);
    explicit_bzero(text, sizeof text);
}

static const struct seal_key *find_key(const struct seal_keys *k, const uint8_t *id)
{
    for (size_t i = 0; i < k->n; i++)
        if (memcmp(k->at[i].id, id, SEAL_KEY_ID_SIZE) == 0) return &k->at[i];
    return NULL;
}

/* One line of the file. What is there is never quoted: it may be a key with a slip of the pen. */
static enum err add_key(struct seal_keys *k, const char *line, size_t n, const char *name,
                        int number, struct why *why)
{
    struct seal_key key = { .line = number };
    if (!key_from_text(line, n, key.key))
        return err_set(why, ERR_INVALID, "%s:%d: not a key: 32 bytes as 64 hex digits or as base64",
                       name, number);
    key_id(key.key, key.id);
    const struct seal_key *same = find_key(k, key.id);
    enum err e = ERR_OK;
    if (same)
        e = err_set(why, ERR_INVALID, "%s:%d: the key of line %d again", name, number, same->line);
    else if (k->n == SEAL_KEYS_MAX)
        e = err_set(why, ERR_INVALID, "%s:%d: more than %d keys", name, number, SEAL_KEYS_MAX);
    else k->at[k->n++] = key;
    explicit_bzero(&key, sizeof key);
    return e;
}

/* A file that was edited elsewhere may have CR LF. */
static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static struct seal_keys *keys_new(void)
{
    struct seal_keys *k = calloc(1, sizeof *k);
    pthread_rwlock_t *lock = malloc(sizeof *lock);
    if (!k || !lock || pthread_rwlock_init(lock, NULL)) {
        free(lock);
        free(k);
        return NULL;
    }
    k->lock = lock;
    return k;
}

enum err seal_keys_parse(const char *text, size_t n, const char *name, struct seal_keys **out,
                         struct why *why)
{
    struct seal_keys *k = keys_new();
    enum err e = k ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
    const char *end = text + n;
    int number = 1;
    for (const char *p = text, *next; !e && p < end; p = next, number++) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        next = eol ? eol + 1 : end;
        const char *from = p, *to = eol ? eol : end;
        while (from < to && is_blank(*from)) from++;
        while (to > from && is_blank(to[-1])) to--;
        if (from < to && *from != '#') e = add_key(k, from, (size_t)(to - from), name, number, why);
    }
    if (!e && k->n == 0) e = err_set(why, ERR_INVALID, "%s: holds no key", name);
    if (e) seal_keys_free(k);
    else *out = k;
    return e;
}

void seal_keys_free(struct seal_keys *k)
{
    if (!k) return;
    pthread_rwlock_destroy(k->lock);
    free(k->lock);
    explicit_bzero(k, sizeof *k);
    free(k);
}

static bool same_keys(const struct seal_keys *a, const struct seal_keys *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = digest_equal(a->at[i].key, b->at[i].key, SEAL_KEY_SIZE);
    return same;
}

bool seal_keys_replace(struct seal_keys *k, struct seal_keys *from)
{
    pthread_rwlock_wrlock(k->lock);
    const bool others = !same_keys(k, from);
    memcpy(k->at, from->at, sizeof k->at);
    k->n = from->n;
    pthread_rwlock_unlock(k->lock);
    seal_keys_free(from);
    return others;
}

/* ---- the key file ---- */

/* Looks at the file that was opened, not at what has the name by then. */
static enum err check_file(int fd, const char *path, struct why *why)
{
    struct stat s;
    if (fstat(fd, &s)) return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(s.st_mode)) return err_set(why, ERR_INVALID, "%s: not a file", path);
    if (s.st_mode & S_IRWXO)
        return err_set(why, ERR_INVALID,
                       "%s: everybody on this machine may read it (mode %04o): chmod 600", path,
                       (unsigned)(s.st_mode & 07777));
    if (s.st_size > FILE_MAX)
        return err_set(why, ERR_INVALID, "%s: larger than a key file of %d bytes", path, FILE_MAX);
    return ERR_OK;
}

/* The bytes of the file, at most FILE_MAX. */
static enum err read_file(const char *path, char *text, size_t *n, struct why *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0) return err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = check_file(fd, path, why);
    ssize_t got = 1;
    *n = 0;
    while (!e && got > 0 && *n < FILE_MAX) {
        got = read(fd, text + *n, FILE_MAX - *n);
        if (got < 0) e = err_set(why, ERR_IO, "%s: %s", path, strerror(errno));
        else *n += (size_t)got;
    }
    close(fd);
    return e;
}

enum err seal_keys_read(const char *path, struct seal_keys **out, struct why *why)
{
    char text[FILE_MAX];
    size_t n = 0;
    enum err e = read_file(path, text, &n, why);
    if (!e) e = seal_keys_parse(text, n, path, out, why);
    explicit_bzero(text, sizeof text);
    return e;
}

/* Beside the file, then in its place: a crash leaves the old one or the new one. */
static enum err replace_file(const char *path, const char *text, size_t n, struct why *why)
{
    char fresh[4096];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return err_set(why, ERR_INVALID, "%.100s...: the path is too long", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return err_set(why, ERR_IO, "%s: %s", fresh, strerror(errno));
    bool ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    int error = errno;
    if (close(fd) && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(fresh, path) == 0) return ERR_OK;
    if (ok) error = errno;
    unlink(fresh);
    return err_set(why, ERR_IO, "%s: %s", path, strerror(error));
}

/* A new key's line, and behind it what is there. */
static size_t with_new_key(char *text, const char *had, size_t had_n)
{
    uint8_t key[SEAL_KEY_SIZE];
    size_t n = 0;
    random_bytes(key, sizeof key);
    for (size_t i = 0; i < sizeof key; i++) n += (size_t)sprintf(text + n, "%02x", key[i]);
    text[n++] = '\n';
    if (had_n) memcpy(text + n, had, had_n);
    explicit_bzero(key, sizeof key);
    return n + had_n;
}

enum err seal_key_make(const char *path, bool add, struct why *why)
{
    char had[FILE_MAX], text[FILE_MAX + LINE_MAX_BYTES + 2];
    struct seal_keys *keys = NULL;
    size_t n = 0;
    enum err e = ERR_OK;
    if (access(path, F_OK) == 0) {
        if (!add) return err_set(why, ERR_CONFLICT, "%s: is there already", path);
        e = seal_keys_read(path, &keys, why);
        if (!e) e = read_file(path, had, &n, why);
        if (!e && keys->n == SEAL_KEYS_MAX)
            e = err_set(why, ERR_INVALID, "%s: has %d keys already", path, SEAL_KEYS_MAX);
        seal_keys_free(keys);
    }
    if (!e) e = replace_file(path, text, with_new_key(text, had, n), why);
    explicit_bzero(had, sizeof had);
    explicit_bzero(text, sizeof text);
    return e;
}

/* ---- sealing ---- */

/* What is authenticated beside the text: the head of what is sealed, and what it is about. */
struct associated {
    uint8_t bytes[NONCE_AT + SEAL_ABOUT_MAX];
    size_t n;
};

static struct associated associate(const uint8_t *sealed, const void *about, size_t about_n)
{
    struct associated a = { .n = NONCE_AT + about_n };
    assert(about_n <= SEAL_ABOUT_MAX);
    memcpy(a.bytes, sealed, NONCE_AT);
    if (about_n) memcpy(a.bytes + NONCE_AT, about, about_n);
    return a;
}

static enum err seal_with(const struct seal_key *key, const void *about, size_t about_n,
                          const void *plain, size_t n, uint8_t *out)
{
    out[0] = VERSION;
    memcpy(out + KEY_ID_AT, key->id, SEAL_KEY_ID_SIZE);
    random_bytes(out + NONCE_AT, SEAL_NONCE_SIZE);
    const struct associated a = associate(out, about, about_n);
    return gcm_encrypt(key->key, out + NONCE_AT, a.bytes, a.n, plain, n, out + TEXT_AT,
                       out + TEXT_AT + n)
               ? ERR_OK
               : ERR_INTERNAL;
}

enum err seal(const struct seal_keys *k, const void *about, size_t about_n, const void *plain,
              size_t n, uint8_t *out)
{
    pthread_rwlock_rdlock(k->lock);
    enum err e = seal_with(&k->at[0], about, about_n, plain, n, out);
    pthread_rwlock_unlock(k->lock);
    return e;
}

static enum err no_such_key(const uint8_t *id, struct why *why)
{
    char text[SEAL_KEY_ID_TEXT] = "";
    for (size_t i = 0; i < SEAL_KEY_ID_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    return err_set(why, ERR_NOT_FOUND, "sealed with key %s, which is not in the key file", text);
}

static enum err open_with(const struct seal_key *key, const void *about, size_t about_n,
                          const uint8_t *sealed, size_t n, uint8_t *out, struct why *why)
{
    size_t text_n = n - SEAL_EXTRA;
    if (!key) return no_such_key(sealed + KEY_ID_AT, why);
    const struct associated a = associate(sealed, about, about_n);
    if (gcm_decrypt(key->key, sealed + NONCE_AT, a.bytes, a.n, sealed + TEXT_AT, text_n,
                    sealed + TEXT_AT + text_n, out))
        return ERR_OK;
    explicit_bzero(out, text_n); /* libcrypto writes before it knows */
    return err_set(why, ERR_INVALID, "what is sealed was changed, or belongs elsewhere");
}

enum err seal_open(const struct seal_keys *k, const void *about, size_t about_n,
                   const uint8_t *sealed, size_t n, uint8_t *out, struct why *why)
{
    if (n < SEAL_EXTRA || sealed[0] != VERSION)
        return err_set(why, ERR_INVALID, "not sealed by this program");
    pthread_rwlock_rdlock(k->lock);
    enum err e = open_with(find_key(k, sealed + KEY_ID_AT), about, about_n, sealed, n, out, why);
    pthread_rwlock_unlock(k->lock);
    return e;
}

bool seal_is_newest(const struct seal_keys *k, const uint8_t *sealed, size_t n)
{
    pthread_rwlock_rdlock(k->lock);
    const bool newest = n >= SEAL_EXTRA && sealed[0] == VERSION
                        && memcmp(sealed + KEY_ID_AT, k->at[0].id, SEAL_KEY_ID_SIZE) == 0;
    pthread_rwlock_unlock(k->lock);
    return newest;
}
