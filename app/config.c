#include "app/config.h"

#include "analytics/measure.h"
#include "core/when.h"
#include "ingest/formats/format.h"
#include "ingest/kafka/conf.h"
#include "store/db.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern char **environ;

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_FLAG };
static const struct row {
    enum type type;
    const char *section, *key, *preset, *help;
    long min, max;
    size_t offset;
} rows[] = {
#define TEXT(section, key, preset, help)                                                           \
    { TYPE_TEXT, #section, #key, preset, help, 0, 0, offsetof(struct config, section##_##key) },
#define NUMBER(section, key, preset, min, max, help)                                               \
    {                                                                                              \
        TYPE_NUMBER, #section, #key, #preset,                                                      \
        help,        min,      max,  offsetof(struct config, section##_##key)                      \
    },
#define FLAG(section, key, preset, help)                                                           \
    { TYPE_FLAG, #section, #key, #preset, help, 0, 0, offsetof(struct config, section##_##key) },
#include "app/config.def"
#undef TEXT
#undef NUMBER
#undef FLAG
};

struct loading {
    struct config *c;
    const char *file;
    struct buf *errors;
    bool seen[ARRAY_LEN(rows)];
};

static void complain(struct loading *l, int line, const char *reason, const char *detail)
{
    if (line) buf_printf(l->errors, "%s:%d: ", l->file, line);
    else buf_printf(l->errors, "%s: ", l->file);
    buf_printf(l->errors, "%s%s%s\n", reason, detail ? ": " : "", detail ? detail : "");
}

static bool set(const struct row *r, struct config *c, const char *value, char reason[160])
{
    void *field = (char *)c + r->offset;
    if (r->type == TYPE_TEXT) {
        char *copy = strdup(value);
        if (!copy) {
            snprintf(reason, 160, "out of memory");
            return false;
        }
        free(*(char **)field);
        *(char **)field = copy;
        return true;
    }
    if (r->type == TYPE_FLAG) {
        bool yes = strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0
                   || strcasecmp(value, "on") == 0 || strcmp(value, "1") == 0;
        bool no = strcasecmp(value, "false") == 0 || strcasecmp(value, "no") == 0
                  || strcasecmp(value, "off") == 0 || strcmp(value, "0") == 0;
        if (!yes && !no) {
            snprintf(reason, 160, "%s.%s must be true or false", r->section, r->key);
            return false;
        }
        *(bool *)field = yes;
        return true;
    }
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (end == value || *end || errno || v < r->min || v > r->max) {
        snprintf(reason, 160, "%s.%s must be a whole number from %ld to %ld", r->section, r->key,
                 r->min, r->max);
        return false;
    }
    *(long *)field = v;
    return true;
}

/* engine.track: measure texts with semicolons between */
static void check_track(struct loading *l, int line, const char *value)
{
    for (const char *p = value; *p;) {
        size_t n = strcspn(p, ";");
        struct measure m;
        struct why why = { 0 };
        char reason[520];
        if (strspn(p, " ") < n && measure_parse(p, n, &m, &why)) {
            snprintf(reason, sizeof reason, "engine.track, character %d: %s",
                     (int)(p - value) + why.at, why.text);
            complain(l, line, reason, NULL);
        }
        p += n + (p[n] == ';');
    }
}

static void check_topics(struct loading *l, int line, const char *value)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t topics = 0;
    for (const char *p = value;; p++) {
        size_t n = strcspn(p, ",");
        if (n == 0 || n > 249 || strspn(p, letters) < n) {
            complain(l, line,
                     "kafka.topics must be topic names with commas between, without spaces", NULL);
            return;
        }
        p += n;
        if (++topics > CONFIG_TOPICS_MAX) {
            complain(l, line, "kafka.topics names too many topics", NULL);
            return;
        }
        if (!*p) return;
    }
}

static void check_format(struct loading *l, int line, const char *value)
{
    const struct format *f;
    struct why why = { 0 };
    if (format_find(value, &f, &why)) complain(l, line, "kafka.format", why.text);
}

/* What the type alone does not say. */
/* It is put before "#alert=...", and into a link that people follow. */
static void check_url(struct loading *l, int line, const char *value)
{
    const bool scheme = strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0;
    if (value[0] && (!scheme || strpbrk(value, "# \"<>\\^`{|}")))
        complain(l, line, "api.public_url needs http:// or https://, a host, and no # or blank",
                 value);
}

static void check_value(struct loading *l, int line, const struct row *r, const char *value)
{
    struct why why = { 0 };
    size_t at = r->offset;
    if (at == offsetof(struct config, engine_track)) check_track(l, line, value);
    if (at == offsetof(struct config, kafka_topics)) check_topics(l, line, value);
    if (at == offsetof(struct config, kafka_format)) check_format(l, line, value);
    if (at == offsetof(struct config, api_public_url)) check_url(l, line, value);
    if (at == offsetof(struct config, kafka_brokers)
        && (!value[0] || strpbrk(value, ";#"))) /* librdkafka would read a port up to them */
        complain(l, line, "kafka.brokers must be bootstrap servers, host:port, with commas between",
                 NULL);
    if (at == offsetof(struct config, database_conninfo)) {
        if (!value[0])
            complain(
                l, line,
                "database.conninfo must be a connection string, such as host=127.0.0.1 dbname=tocsin",
                NULL);
        else if (db_conninfo_check(value, &why)) complain(l, line, "database.conninfo", why.text);
    }
    if (at == offsetof(struct config, database_api_conninfo) && value[0]
        && db_conninfo_check(value, &why))
        complain(l, line, "database.api_conninfo", why.text);
    if (at == offsetof(struct config, quality_shares) && strcmp(value, "hold")
        && strcmp(value, "take"))
        complain(l, line, "quality.shares must be hold or take", NULL);
    if (at == offsetof(struct config, engine_readings) && strcmp(value, "changes")
        && strcmp(value, "every"))
        complain(l, line, "engine.readings must be changes or every", NULL);
    if (at == offsetof(struct config, log_level) && strcmp(value, "debug") && strcmp(value, "info")
        && strcmp(value, "warn") && strcmp(value, "error"))
        complain(l, line, "log.level must be debug, info, warn or error", NULL);
}

static bool add_property(struct config *c, const char *name, const char *value)
{
    if (c->properties_n == CONFIG_PROPERTIES_MAX) return false;
    char *n = strdup(name), *v = strdup(value);
    if (!n || !v) {
        free(n);
        free(v);
        return false;
    }
    c->properties[c->properties_n].name = n;
    c->properties[c->properties_n++].value = v;
    return true;
}

static void on_pair(struct loading *l, const char *section, const char *key, const char *value,
                    int line)
{
    char reason[160];
    if (strcmp(section, "kafka") == 0 && strncmp(key, "property.", 9) == 0) {
        struct why why = { 0 };
        if (kafka_property_check(&(struct kafka_property){ key + 9, value }, &why))
            complain(l, line, why.text, NULL);
        else if (!add_property(l->c, key + 9, value))
            complain(l, line, "too many kafka properties", NULL);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].section, section) != 0 || strcmp(rows[i].key, key) != 0) continue;
        if (l->seen[i]) complain(l, line, "set twice", key);
        l->seen[i] = true;
        if (!set(&rows[i], l->c, value, reason)) complain(l, line, reason, NULL);
        else check_value(l, line, &rows[i], value);
        return;
    }
    snprintf(reason, sizeof reason, "no setting %.60s in section [%.40s]", key, section);
    complain(l, line, reason, NULL);
}

/* The few lines of INI that are needed. Debian's inih was tried and left: it passes no line numbers on and cuts lines at 200 bytes. */
static char *trim(char *s)
{
    while (isspace((unsigned char)*s)) s++;
    char *end = s + strlen(s);
    while (end > s && isspace((unsigned char)end[-1])) end--;
    *end = '\0';
    return s;
}

static void read_line(struct loading *l, char *text, char section[64], int line)
{
    char *s = trim(text), *eq = strchr(s, '=');
    size_t n = strlen(s);
    if (!n || *s == ';' || *s == '#')
        return; /* a comment has a line of its own: `a ; b` may be a list, or a password */
    if (s[0] == '[' && s[n - 1] == ']' && n - 2 < 64) {
        s[n - 1] = '\0';
        snprintf(section, 64, "%s", trim(s + 1));
    } else if (s[0] != '[' && eq && eq != s) {
        *eq = '\0';
        on_pair(l, section, trim(s), trim(eq + 1), line);
    } else complain(l, line, "neither [section] nor key = value", NULL);
}

static void read_file(struct loading *l, const char *path)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        complain(l, 0, "cannot be read", strerror(errno));
        return;
    }
    char *text = NULL, section[64] = "";
    size_t cap = 0;
    int line = 0;
    for (ssize_t n; (n = getline(&text, &cap, f)) >= 0;) {
        line++;
        if (strlen(text) != (size_t)n) complain(l, line, "holds a NUL byte", NULL);
        else read_line(l, text, section, line);
    }
    if (ferror(f)) complain(l, 0, "cannot be read", strerror(errno));
    free(text);
    fclose(f);
}

static void read_environment(struct loading *l)
{
    char reason[160];
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, "TOCSIN_", 7) != 0) continue;
        const char *eq = strchr(*e, '=');
        char name[80];
        for (size_t i = 0; i < ARRAY_LEN(rows) && eq; i++) {
            size_t n =
                (size_t)snprintf(name, sizeof name, "TOCSIN_%s_%s", rows[i].section, rows[i].key);
            assert(n < sizeof name); /* a row of config.def */
            for (size_t k = 0; k < n; k++) name[k] = (char)toupper((unsigned char)name[k]);
            if ((size_t)(eq - *e) != n || memcmp(*e, name, n) != 0) continue;
            l->file = name;
            if (!set(&rows[i], l->c, eq + 1, reason)) complain(l, 0, reason, NULL);
            else check_value(l, 0, &rows[i], eq + 1);
        }
    }
}

static bool first_is_a_topic(const struct config *c)
{
    size_t n = strlen(c->kafka_first);
    for (const char *p = c->kafka_topics; n && *p;) {
        size_t k = strcspn(p, ",");
        if (k == n && memcmp(p, c->kafka_first, n) == 0) return true;
        p += k + (p[k] == ',');
    }
    return n == 0;
}

enum err config_load(const char *path, struct config *out, struct buf *errors)
{
    *out = (struct config){ 0 };
    struct loading l = { .c = out, .file = path ? path : "defaults", .errors = errors };
    char reason[160];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!set(&rows[i], out, rows[i].preset, reason)) complain(&l, 0, reason, NULL);
    if (path) read_file(&l, path);
    read_environment(&l);
    l.file = path ? path : "settings";
    if (!errors->len && !first_is_a_topic(out))
        complain(&l, 0, "kafka.first must be one of kafka.topics, or empty", NULL);
    return errors->len ? ERR_INVALID : ERR_OK;
}

void config_release(struct config *c)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == TYPE_TEXT) free(*(char **)((char *)c + rows[i].offset));
    for (size_t i = 0; i < c->properties_n; i++) {
        free(c->properties[i].name);
        free(c->properties[i].value);
    }
    *c = (struct config){ 0 };
}

static bool same_value(const struct row *r, const struct config *a, const struct config *b)
{
    const char *x = (const char *)a + r->offset, *y = (const char *)b + r->offset;
    switch (r->type) {
    case TYPE_TEXT:
        return strcmp(*(char *const *)(const void *)x, *(char *const *)(const void *)y) == 0;
    case TYPE_NUMBER: return memcmp(x, y, sizeof(long)) == 0;
    case TYPE_FLAG: return memcmp(x, y, sizeof(bool)) == 0;
    }
    return false;
}

static bool same_properties(const struct config *a, const struct config *b)
{
    bool same = a->properties_n == b->properties_n;
    for (size_t i = 0; i < a->properties_n && same; i++)
        same = strcmp(a->properties[i].name, b->properties[i].name) == 0
               && strcmp(a->properties[i].value, b->properties[i].value) == 0;
    return same;
}

void config_changes(const struct config *a, const struct config *b,
                    void (*each)(void *ctx, const char *name), void *ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[100];
        snprintf(name, sizeof name, "%s.%s", rows[i].section, rows[i].key);
        if (!same_value(&rows[i], a, b)) each(ctx, name);
    }
    if (!same_properties(a, b)) each(ctx, "kafka.property");
}

void config_reference(struct buf *out)
{
    buf_puts(out, "| setting | default | range | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        buf_printf(out, "| `%s.%s` | %s%s%s | ", r->section, r->key, r->preset[0] ? "`" : "",
                   r->preset, r->preset[0] ? "`" : "");
        if (r->type == TYPE_NUMBER) buf_printf(out, "%ld to %ld", r->min, r->max);
        else if (r->type == TYPE_FLAG) buf_puts(out, "true, false");
        buf_printf(out, " | %s |\n", r->help);
    }
    buf_puts(
        out,
        "| `kafka.property.NAME` | | | any librdkafka property, verbatim, such as `property.security.protocol = SSL` |\n");
}

enum log_level config_log_level(const struct config *c)
{
    static const char *const levels[] = { "debug", "info", "warn", "error" };
    int i = 0;
    while (i < (int)ARRAY_LEN(levels) - 1 && strcmp(levels[i], c->log_level) != 0) i++;
    return (enum log_level)i;
}

struct retention config_retention(const struct config *c)
{
    return (struct retention){ .ticks = c->database_keep_ticks_days,
                               .readings = c->database_keep_readings_days,
                               .dead_letters = c->database_keep_dead_letters_days,
                               .deliveries = c->database_keep_deliveries_days,
                               .checkpoints = c->database_keep_checkpoints_days };
}

struct quota_limits config_tenant_limits(const struct config *c)
{
    return (struct quota_limits){ .requests_s = c->api_tenant_requests_s,
                                  .changes_s = c->api_tenant_changes_s,
                                  .connections = c->api_tenant_connections_max,
                                  .streams = c->api_tenant_streams_max };
}

/* ---- what the engine's answers depend on ---- */
struct market_settings config_market(const struct config *c)
{
    return (struct market_settings){
        .stale_after_ns = c->engine_stale_after_ms * NS_PER_MS,
        .sample_ns = c->engine_sample_ms * NS_PER_MS,
        .coverage_gate_e8 = c->engine_coverage_gate_pct * 1000000, /* 1 % is 0.01 */
        .drop_unasked = true,
        .meaning = MEANING_NOW,
        .session_grace_ns = c->engine_session_grace_ms * NS_PER_MS,
        .hold_shares = strcmp(c->quality_shares, "take") != 0,
        .burst_alerts = c->engine_burst_alerts,
        .readings_on_change = strcmp(c->engine_readings, "every") != 0,
    };
}

bool config_market_same(const struct market_settings *a, const struct market_settings *b)
{
    return a->stale_after_ns == b->stale_after_ns && a->sample_ns == b->sample_ns
           && a->coverage_gate_e8 == b->coverage_gate_e8 && a->drop_unasked == b->drop_unasked
           && a->meaning == b->meaning && a->session_grace_ns == b->session_grace_ns
           && a->hold_shares == b->hold_shares && a->burst_alerts == b->burst_alerts
           && a->readings_on_change == b->readings_on_change;
}
