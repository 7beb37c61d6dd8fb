/* reload.h - the configuration read anew while the service runs (SIGHUP): what can be changed is, what
 * cannot is named, and a file with a mistake changes nothing. */
#ifndef TOCSIN_APP_RELOAD_H
#define TOCSIN_APP_RELOAD_H
#include "app/config.h"

struct seal_keys;
struct pipeline;

/* `running`: the settings that the service began with. `keys`: NULL when it began with none. Says in
 * the log what it did. Thread: main. */
void reload(const char *path, const struct config *running, struct pipeline *p,
            struct seal_keys *keys);
#endif
