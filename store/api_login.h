/* api_login.h - the login of the API's sessions: a role that can become tocsin_api and nothing else.
 *
 * `tocsin migrate` makes it, the service logs in with it. So whatever an API session is made to say,
 * RESET ROLE and SET ROLE included, it is not the engine. Thread: any; sessions of its own. */
#ifndef TOCSIN_STORE_API_LOGIN_H
#define TOCSIN_STORE_API_LOGIN_H
#include "core/buf.h"
#include "core/err.h"

/* Makes it in the migrated database of `conninfo`, if it is not there and whole. ERR_FORBIDDEN: the
 * user may not make roles; the detail says so. */
MUST_USE enum err api_login_make(const char *conninfo, struct why *why);

/* `conninfo` with the login's user and password in place of its own, appended to `out`; tried: it
 * connects, and cannot become the engine. ERR_NOT_FOUND: none was made. Otherwise why it is none. */
MUST_USE enum err api_login_find(const char *conninfo, struct buf *out, struct why *why);
/* The same question to any connection string: ERR_FORBIDDEN when its user can become the engine. */
MUST_USE enum err api_login_check(const char *conninfo, struct why *why);

/* Whether the user of `conninfo` is above row-level security: a superuser, or BYPASSRLS. */
MUST_USE enum err login_is_above_rows(const char *conninfo, bool *out, struct why *why);
#endif
