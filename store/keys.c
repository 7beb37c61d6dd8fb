/* keys.c - the text of an API key, and the rows that say which live.
 *
 * The key of 64 random bytes that happen to be all ff:
 *
 *     mk_live_  SkYaaiXSSTS3  _  yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1  _  27dwS3
 *     prefix    bytes 0 to 8     bytes 32 to 63                                  CRC-32
 *
 * Each part is a big-endian number in base 62, in as many digits as its largest value takes: 32 bytes
 * of ff take 43. The id is the exception: 9 bytes of ff would take 13 and have 12, so its top is
 * cut off. It is a name to look a key up by and no secret.
 *
 * Stored is the SHA-256 of the whole text, plain: a slow hash is for passwords that can be guessed,
 * and 32 random bytes cannot. So a check costs microseconds, and a copy of the table is worth
 * nothing. */
#include "store/keys.h"

#include "store/pg.h"

#include <stdio.h>
#include <string.h>

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char prefix[] = "mk_live_";
enum {
    PREFIX_LEN = sizeof prefix - 1,
    ID_BYTES = 9,
    SECRET_BYTES = 32,
    SIGNED_LEN = PREFIX_LEN + KEY_ID_LEN + 1 + KEY_SECRET_LEN
};

static uint32_t crc32_of(const char *s, size_t n) /* IEEE 802.3, reflected */
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint8_t)s[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (0xEDB88320u & -(crc & 1));
    }
    return ~crc;
}

/* `bytes` as one big-endian number in exactly n digits; what does not fit is cut off at the top */
static void base62(const uint8_t *bytes, size_t bytes_n, char *out, size_t n)
{
    uint8_t number[SECRET_BYTES];
    memcpy(number, bytes, bytes_n);
    for (size_t i = n; i-- > 0;) {
        unsigned rest = 0;
        for (size_t k = 0; k < bytes_n; k++) {
            unsigned v = rest << 8 | number[k];
            number[k] = (uint8_t)(v / 62);
            rest = v % 62;
        }
        out[i] = digits[rest];
    }
}

static void check_of(const char *text, char out[KEY_CHECK_LEN])
{
    uint32_t crc = crc32_of(text, SIGNED_LEN);
    const uint8_t bytes[4] = { (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
                               (uint8_t)crc };
    base62(bytes, sizeof bytes, out, KEY_CHECK_LEN);
}

void key_format(const uint8_t random[KEY_RANDOM_SIZE], char out[KEY_TEXT_LEN + 1])
{
    char *p = out;
    memcpy(p, prefix, PREFIX_LEN);
    p += PREFIX_LEN;
    base62(random, ID_BYTES, p, KEY_ID_LEN); /* 72 bits into 12 digits: uniform enough for a name */
    p += KEY_ID_LEN;
    *p++ = '_';
    base62(random + SECRET_BYTES, SECRET_BYTES, p, KEY_SECRET_LEN);
    p += KEY_SECRET_LEN;
    check_of(out, p + 1);
    *p = '_';
    out[KEY_TEXT_LEN] = '\0';
}

static bool all_base62(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!s[i] || !strchr(digits, s[i])) return false;
    return true;
}

bool key_parse(const char *text, size_t n, struct key *out)
{
    const char *id = text + PREFIX_LEN, *secret = id + KEY_ID_LEN + 1,
               *check = secret + KEY_SECRET_LEN + 1;
    char want[KEY_CHECK_LEN];
    if (n != KEY_TEXT_LEN || memcmp(text, prefix, PREFIX_LEN) != 0 || id[KEY_ID_LEN] != '_'
        || secret[KEY_SECRET_LEN] != '_')
        return false;
    if (!all_base62(id, KEY_ID_LEN) || !all_base62(secret, KEY_SECRET_LEN)) return false;
    check_of(text, want);
    if (memcmp(check, want, KEY_CHECK_LEN) != 0) return false;
    memcpy(out->id, id, KEY_ID_LEN);
    out->id[KEY_ID_LEN] = '\0';
    sha256(text, n, out->sha256);
    return true;
}

/* The tenant first, in a statement of its own: of two that make the same one at once neither fails,
 * and both find it. A key whose INSERT fails leaves at most a tenant without keys. */
enum err keys_create(struct db *d, const char *tenant, const char *label, int days,
                     char out_text[KEY_TEXT_LEN + 1], struct uuid *out_tenant, struct why *why)
{
    if (!tenant[0] || strlen(tenant) > 63)
        return err_set(why, ERR_INVALID, "a tenant's name has 1 to 63 bytes");
    uint8_t random[KEY_RANDOM_SIZE];
    char text[KEY_TEXT_LEN + 1], hex[2 * SHA256_SIZE + 1], fresh[UUID_TEXT], life[16] = "";
    struct key key;
    random_bytes(random, sizeof random);
    key_format(random, text);
    if (!key_parse(text, KEY_TEXT_LEN, &key))
        return err_set(why, ERR_INTERNAL, "made a key that does not read back");
    for (size_t i = 0; i < SHA256_SIZE; i++) snprintf(hex + 2 * i, 3, "%02x", key.sha256[i]);
    uuid_format(uuid_random(), fresh);
    if (days > 0) snprintf(life, sizeof life, "%d", days);

    const char *const who[] = { fresh, tenant };
    enum err e = db_exec(
        d,
        "INSERT INTO tocsin.tenant (tenant_id, name) VALUES ($1::uuid, $2) ON CONFLICT (name) DO NOTHING",
        2, who, why);
    if (e) return e;
    AUTO_PGRESULT PGresult *r = NULL;
    const char *const what[] = { tenant, key.id, hex, label ? label : "", days > 0 ? life : NULL };
    e = db_query(
        d,
        "INSERT INTO tocsin.api_key (tenant_id, key_id, sha256, label, expires_at)"
        " SELECT tenant_id, $2, decode($3, 'hex'), $4, now() + make_interval(days => $5::int) FROM tocsin.tenant WHERE name = $1"
        " RETURNING tenant_id",
        5, what, &r, why);
    if (e) return e;
    if (PQntuples(r) != 1 || uuid_parse(PQgetvalue(r, 0, 0), UUID_TEXT - 1, out_tenant))
        return err_set(why, ERR_INTERNAL, "tenant vanished");
    memcpy(out_text, text, sizeof text);
    return ERR_OK;
}

enum err keys_list(struct db *d, const char *tenant,
                   void (*fn)(void *ctx, const struct key_row *row), void *ctx, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(
        d,
        "SELECT t.name, k.key_id, k.label, k.created_at, k.expires_at, k.revoked_at"
        " FROM tocsin.api_key k JOIN tocsin.tenant t USING (tenant_id) WHERE $1::text IS NULL OR t.name = $1"
        " ORDER BY k.created_at, k.key_id",
        1, &tenant, &r, why);
    if (e) return e;
    for (int i = 0; i < PQntuples(r); i++) {
        const struct key_row row = {
            PQgetvalue(r, i, 0), PQgetvalue(r, i, 1), PQgetvalue(r, i, 2),
            PQgetvalue(r, i, 3), PQgetvalue(r, i, 4), PQgetvalue(r, i, 5)
        };
        fn(ctx, &row);
    }
    return ERR_OK;
}

/* The hash is compared by the database and not in constant time: who asks is the operator's own
 * program with a key that it keeps. Requests go through reader_find_key(). */
enum err keys_check(struct db *d, const char *text, size_t n, bool *out, struct why *why)
{
    struct key k;
    char hex[2 * SHA256_SIZE + 1];
    AUTO_PGRESULT PGresult *r = NULL;
    *out = false;
    if (!key_parse(text, n, &k)) return ERR_OK;
    for (size_t i = 0; i < SHA256_SIZE; i++) snprintf(hex + 2 * i, 3, "%02x", k.sha256[i]);
    enum err e = db_query(d, "SELECT 1 FROM tocsin.find_key($1) WHERE sha256 = decode($2, 'hex')",
                          2, (const char *const[]){ k.id, hex }, &r, why);
    if (!e) *out = PQntuples(r) == 1;
    return e;
}

enum err keys_revoke(struct db *d, const char *tenant, const char *key_id, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    const char *const params[] = { tenant, key_id };
    enum err e = db_query(
        d,
        "UPDATE tocsin.api_key k SET revoked_at = coalesce(k.revoked_at, now()) FROM tocsin.tenant t"
        " WHERE t.tenant_id = k.tenant_id AND t.name = $1 AND k.key_id = $2 RETURNING 1",
        2, params, &r, why);
    if (e) return e;
    return PQntuples(r)
               ? ERR_OK
               : err_set(why, ERR_NOT_FOUND, "tenant \"%s\" has no key \"%s\"", tenant, key_id);
}
