/* config.h - the settings: one INI file, overridden by the environment. The table is config.def.
 *
 *     [kafka]
 *     brokers = 10.0.0.1:9092
 *     property.security.protocol = SSL        ; any librdkafka property, verbatim
 *
 * Every wrong line is reported, not the first alone, as file:line: reason; nothing else happens then. */
#ifndef TOCSIN_APP_CONFIG_H
#define TOCSIN_APP_CONFIG_H
#include "api/quota.h"
#include "core/buf.h"
#include "core/log.h"
#include "ingest/record.h"
#include "store/retention.h"

enum { CONFIG_PROPERTIES_MAX = 64, CONFIG_TOPICS_MAX = 64 };

struct config {
#define TEXT(section, key, preset, help) char *section##_##key;
#define NUMBER(section, key, preset, min, max, help) long section##_##key;
#define FLAG(section, key, preset, help) bool section##_##key;
#include "app/config.def"
#undef TEXT
#undef NUMBER
#undef FLAG
    struct {
        char *name, *value;
    } properties[CONFIG_PROPERTIES_MAX];
    size_t properties_n;
};

/* `path` NULL: defaults and environment only. Problems go to `errors`, one line each; ERR_INVALID when there is any. */
MUST_USE enum err config_load(const char *path, struct config *out, struct buf *errors);
void config_release(struct config *c);
/* Calls `each` with "section.key" for every setting in which the two differ; librdkafka's properties are one, "kafka.property". */
void config_changes(const struct config *a, const struct config *b,
                    void (*each)(void *ctx, const char *name), void *ctx);
/* What is old, and goes. */
struct retention config_retention(const struct config *c);
/* What one tenant may have of the API. */
struct quota_limits config_tenant_limits(const struct config *c);
/* What the engine's answers depend on, as a SETTINGS record says it: of the service when it starts, and of an import. */
struct market_settings config_market(const struct config *c);
bool config_market_same(const struct market_settings *a, const struct market_settings *b);
enum log_level config_log_level(const struct config *c);
/* The reference as Markdown (tocsin --help-config). */
void config_reference(struct buf *out);
#endif
