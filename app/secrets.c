#include "app/secrets.h"

#include "app/app.h"
#include "core/log.h"
#include "store/channel_secrets.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL "tocsin-secrets"

/* Where the key is; "" when nobody has said. */
static void key_path(const struct config *c, char out[PATH_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    snprintf(out, PATH_MAX, "%s", c->secrets_key_file);
    if (out[0] || !folder || !folder[0]) return;
    snprintf(out, PATH_MAX, "%s/" CREDENTIAL, folder);
    if (access(out, F_OK)) out[0] = '\0';
}

enum err secrets_read(const struct config *c, struct seal_keys **out, struct why *why)
{
    char path[PATH_MAX];
    struct why reason = { .text = "" };
    *out = NULL;
    key_path(c, path);
    if (!path[0] || seal_keys_read(path, out, &reason) == ERR_OK) return ERR_OK;
    return err_set(why, ERR_INVALID, "secrets.key_file: %s", reason.text);
}

enum err secrets_settle(const struct config *c, const struct seal_keys *keys, struct why *why)
{
    struct channel_secrets_state s;
    enum err e = channel_secrets_settle(c->database_conninfo, keys, &s, why);
    if (e) return e;
    if (s.sealed) log_info("secrets of channels sealed", "channels", LOG_I64(s.sealed));
    if (s.plain)
        log_warn("secrets of channels are stored unencrypted: secrets.key_file is not set",
                 "channels", LOG_I64(s.plain));
    if (s.closed)
        log_error("secrets of channels do not open; their alerts wait", "channels",
                  LOG_I64(s.closed), "reason", s.closed_why.text);
    return ERR_OK;
}

/* ---- tocsin keys seal-key ---- */

int cmd_seal_key(int argc, char **argv)
{
    const char *path = NULL;
    bool add = false;
    struct why why = { .text = "" };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--add") == 0) add = true;
        else if (strcmp(argv[i], "--out") == 0 && i + 1 < argc) path = argv[++i];
        else return EXIT_WRONG_USAGE;
    }
    if (!path || !path[0]) return EXIT_WRONG_USAGE;
    enum err e = seal_key_make(path, add, &why);
    if (e) {
        fprintf(stderr, "tocsin: %s%s\n", why.text,
                e == ERR_CONFLICT ? "; --add puts a new key before those in it" : "");
        return EXIT_BROKEN;
    }
    printf("%s holds a new key. Keep a copy: without it the channels' secrets are lost.\n", path);
    return EXIT_FINE;
}
