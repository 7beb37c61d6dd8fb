#include "app/reload.h"

#include "app/app.h"
#include "app/secrets.h"
#include "app/threads/pipeline.h"
#include "core/log.h"
#include "core/seal.h"

#include <string.h>

/* What takes effect at once. Everything else is read by threads that do not expect it to change. */
static const char *const live[] = {
    "log.level",
    "log.rates_s",
    "api.tenant_connections_max",
    "api.tenant_streams_max",
    "api.tenant_requests_s",
    "api.tenant_changes_s",
    "database.keep_ticks_days",
    "database.keep_readings_days",
    "database.keep_dead_letters_days",
    "database.keep_deliveries_days",
    "database.keep_checkpoints_days",
};

struct changes {
    struct buf later; /* names with commas between */
};

static void note_change(void *ctx, const char *name)
{
    struct changes *c = ctx;
    for (size_t i = 0; i < ARRAY_LEN(live); i++)
        if (strcmp(live[i], name) == 0) return;
    buf_printf(&c->later, "%s%s", c->later.len ? ", " : "", name);
}

/* The file as it is now, and its keys; nothing is changed yet. */
static enum err read_all(const char *path, struct config *fresh, struct seal_keys **keys,
                         struct buf *errors)
{
    struct why why = { 0 };
    enum err e = config_load(path, fresh, errors);
    if (!e) e = secrets_read(fresh, keys, &why);
    if (e && why.text[0]) buf_printf(errors, "%s: %s\n", path, why.text);
    return e;
}

static bool take_keys(const struct config *fresh, struct seal_keys *keys, struct seal_keys *now)
{
    struct why why = { 0 };
    if (!keys || !now) {
        if (keys || now)
            log_warn(
                "reload: a key file where there was none, or none where there was one, takes a "
                "restart");
        seal_keys_free(now);
        return false;
    }
    if (!seal_keys_replace(keys, now)) return false;
    enum err e = secrets_settle(fresh, keys, &why);
    if (e)
        log_warn("reload: channels' secrets are not sealed anew", "reason", err_name(e), "detail",
                 why.text);
    return true;
}

static void apply(const struct config *running, const struct config *fresh, struct pipeline *p,
                  struct seal_keys *keys, struct seal_keys *now)
{
    struct changes c = { .later = { 0 } };
    const struct quota_limits tenant = config_tenant_limits(fresh);
    log_level_set(config_log_level(fresh));
    atomic_store(&p->rates_s, fresh->log_rates_s);
    pipeline_set_keep(p, config_retention(fresh));
    api_limit_tenants(p->api, &tenant);
    const bool changed = take_keys(fresh, keys, now);
    config_changes(running, fresh, note_change, &c);
    /* at this level, since who asked for it wants to read it */
    log_warn("reloaded", "log_level", fresh->log_level, "rates_s", LOG_I64(fresh->log_rates_s),
             "keys", changed ? "changed" : "as before", "takes_a_restart",
             c.later.len && buf_ok(&c.later) ? c.later.data : "");
    buf_release(&c.later);
}

void reload(const char *path, const struct config *running, struct pipeline *p,
            struct seal_keys *keys)
{
    AUTO_BUF struct buf errors = { 0 };
    struct config fresh;
    struct seal_keys *now = NULL;
    if (read_all(path, &fresh, &now, &errors))
        log_error("reload refused; nothing is changed", "reason",
                  buf_ok(&errors) && errors.len ? errors.data : "out of memory");
    else apply(running, &fresh, p, keys, now);
    config_release(&fresh);
}
