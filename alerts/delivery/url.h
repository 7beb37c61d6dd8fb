/* url.h - may a channel have this URL? A check of its text, and libcurl's reading of it.
 *
 * It happens when a channel is made, to tell its owner what is wrong, and again before each
 * send, since the operator's settings may have changed. The check that counts is another one, of
 * the address itself, in the socket hook of http_post.c: a name's address is known only then. */
#ifndef TOCSIN_ALERTS_DELIVERY_URL_H
#define TOCSIN_ALERTS_DELIVERY_URL_H
#include "core/err.h"

enum { URL_MAX = 2048 };

/* https (http when allow_plain) in plain ASCII, a host, no user or password, port 443 or 8443
 * (80 for http), and no reserved address in any spelling (2130706433, 0x7f.1, 0177.0.0.1, 127.1,
 * [::ffff:7f00:1] ...) nor localhost. allow_private (development only) lifts the limits on port
 * and address. ERR_INVALID says what is wrong. Thread: any. */
MUST_USE enum err url_check(const char *url, bool allow_plain, bool allow_private, struct why *why);
#endif
