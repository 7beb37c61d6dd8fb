/* secrets.h - the key that keeps channels' secrets: where it is, and what a start does with it. */
#ifndef TOCSIN_APP_SECRETS_H
#define TOCSIN_APP_SECRETS_H
#include "app/config.h"
#include "core/seal.h"

/* The keys of secrets.key_file, else those of the systemd credential tocsin-secrets, if there is
 * one; *out is NULL when neither is. ERR_INVALID when there is one that is not fit, with the
 * reason. */
MUST_USE enum err secrets_read(const struct config *c, struct seal_keys **out, struct why *why);

/* Before anything is sent: seals what lies about unencrypted or under an older key, and logs
 * what cannot be (store/channel_secrets.h). A service without a key starts as well, delivers
 * what it could before, and makes no channel that has a secret. */
MUST_USE enum err secrets_settle(const struct config *c, const struct seal_keys *keys,
                                 struct why *why);

/* `tocsin keys seal-key --out FILE [--add]`: argv[0] is "seal-key". */
int cmd_seal_key(int argc, char **argv);
#endif
