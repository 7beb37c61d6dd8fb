/* url.c - the text of a URL, by what is known to have fooled such checks.
 *
 *     https://example.com@127.0.0.1/      a user named example.com: no user or password at all
 *     https://127%2e0.0.1/                libcurl would decode the host: no % in the authority
 *     https://2130706433/                 libcurl reads an address, 127.0.0.1: it is in the table
 *     https://0x7f.1/                     the same, as is 0177.0.0.1
 *     https://example.com./               libcurl reads a name, others may not: no dot at the end
 *     https://1.2.3.4.5/                  no address, and no name could end in a number
 *     https://localhost/                  a name whose address is known
 *     https://inside.example.com/         a name like any other: its address is looked at when we
 *                                         connect, in http_post.c */
#include "alerts/delivery/url.h"

#include "alerts/delivery/address.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static inline void curl_url_end(CURLU **u) { curl_url_cleanup(*u); }
static inline void curl_text_end(char **s) { curl_free(*s); }
#define AUTO_CURLU __attribute__((cleanup(curl_url_end)))
#define AUTO_CURL_TEXT __attribute__((cleanup(curl_text_end)))

/* A last label of digits, or of 0x and hex digits, makes an address of the name, or nothing that
 * could ever resolve. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.'), *label = dot ? dot + 1 : host;
    if (strspn(label, "0123456789") == strlen(label)) return true;
    return label[0] == '0' && (label[1] | 32) == 'x'
           && strspn(label + 2, "0123456789abcdefABCDEF") == strlen(label + 2);
}

/* "localhost" and all names below it. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t n = strlen(host), k = sizeof name - 1;
    return n >= k && strcasecmp(host + n - k, name) == 0 && (n == k || host[n - k - 1] == '.');
}

/* `host` is as libcurl's parser leaves it: numeric spellings of IPv4 are dotted decimals, IPv6
 * is in brackets. */
static enum err check_host(char *host, bool allow_private, struct why *why)
{
    uint8_t address[16];
    const char *use = NULL;
    size_t n = strlen(host);
    if (n == 0) return err_set(why, ERR_INVALID, "the URL has no host");

    if (host[0] == '[') {
        host[n - 1] = '\0';
        if (inet_pton(AF_INET6, host + 1, address) != 1)
            return err_set(why, ERR_INVALID, "the URL's host is not an IPv6 address");
        use = address_denied(AF_INET6, address);
    } else if (inet_pton(AF_INET, host, address) == 1) {
        use = address_denied(AF_INET, address);
    } else {
        if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") != n
            || host[0] == '.' || host[n - 1] == '.' || strstr(host, "..") || ends_in_number(host))
            return err_set(why, ERR_INVALID, "the URL's host is not a host name");
        if (is_localhost(host)) use = "loopback";
    }
    if (use && !allow_private)
        return err_set(why, ERR_INVALID, "the URL's host is not a public address: %s", use);
    return ERR_OK;
}

/* What libcurl's parser would put up with, or would read as something else than it looks. */
static enum err check_text(const char *url, struct why *why)
{
    size_t n = strlen(url);
    if (n > URL_MAX) return err_set(why, ERR_INVALID, "the URL is longer than %d bytes", URL_MAX);
    for (size_t i = 0; i < n; i++)
        if (url[i] <= ' ' || url[i] >= 0x7F || url[i] == '\\')
            return err_set(why, ERR_INVALID,
                           "the URL has a character that must be percent-encoded");
    return ERR_OK;
}

/* `authority` is what stands between "//" and the path: "example.com:8443". */
static enum err check_authority(const char *authority, struct why *why)
{
    size_t n = strcspn(authority, "/?#");
    if (n == 0) return err_set(why, ERR_INVALID, "the URL has no host");
    if (memchr(authority, '@', n))
        return err_set(why, ERR_INVALID, "the URL must not hold a user or password");
    if (memchr(authority, '%', n))
        return err_set(why, ERR_INVALID, "the URL's host must be in plain ASCII");
    if (authority[n - 1] == ':') return err_set(why, ERR_INVALID, "the URL's port is missing");
    return ERR_OK;
}

/* Few ports: a webhook is no way to speak to whatever else a host has listening. */
static enum err check_port(const char *port, bool https, bool allow_plain, bool allow_private,
                           struct why *why)
{
    long p = strtol(port, NULL, 10);
    bool usual = https ? p == 443 || p == 8443 : p == 80;
    if (p >= 1 && p <= 65535 && (usual || allow_private)) return ERR_OK;
    return err_set(why, ERR_INVALID, "the URL's port must be 443 or 8443%s",
                   allow_plain ? " (http: 80)" : "");
}

enum err url_check(const char *url, bool allow_plain, bool allow_private, struct why *why)
{
    enum err e = check_text(url, why);
    if (e) return e;
    bool https = strncasecmp(url, "https://", 8) == 0, http = strncasecmp(url, "http://", 7) == 0;
    if (!https && !(http && allow_plain))
        return err_set(why, ERR_INVALID, "the URL must begin with %s",
                       allow_plain ? "https:// or http://" : "https://");
    e = check_authority(url + (https ? 8 : 7), why);
    if (e) return e;

    AUTO_CURLU CURLU *u = curl_url();
    AUTO_CURL_TEXT char *host = NULL, *port = NULL;
    if (!u) return err_set(why, ERR_NOMEM, "out of memory");
    CURLUcode rc = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    if (!rc) rc = curl_url_get(u, CURLUPART_HOST, &host, 0);
    if (!rc) rc = curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (rc == CURLUE_OUT_OF_MEMORY) return err_set(why, ERR_NOMEM, "out of memory");
    if (rc || !host || !port)
        return err_set(why, ERR_INVALID, "the URL cannot be read: %s", curl_url_strerror(rc));

    e = check_port(port, https, allow_plain, allow_private, why);
    return e ? e : check_host(host, allow_private, why);
}
