#include "core/log.h"

#include "core/buf.h"
#include "core/utf8.h"
#include "core/when.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int lowest_level = LOG_INFO;

void log_level_set(enum log_level lowest) { atomic_store(&lowest_level, (int)lowest); }

const char *log_i64(char out[24], int64_t v)
{
    snprintf(out, 24, "%" PRId64, v);
    return out;
}

void log_write(enum log_level level, const char *message, ...)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    if ((int)level < atomic_load(&lowest_level)) return;

    char at[WHEN_TEXT_MAX];
    when_format(wall_ns() / NS_PER_MS * NS_PER_MS, at);
    AUTO_BUF struct buf b = { 0 };
    buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", at, names[level]);
    buf_json_string(&b, message, strlen(message));
    va_list ap;
    va_start(ap, message);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);
        if (!value) value = "";
        buf_put(&b, ",", 1);
        buf_json_string(&b, key, strlen(key));
        buf_put(&b, ":", 1);
        size_t n = strlen(value);
        if (n > 2000) n = 2000;
        buf_json_string(&b, value, utf8_valid_prefix(value, n));
    }
    va_end(ap);
    buf_put(&b, "}\n", 2);
    if (buf_ok(&b)) {
        ssize_t ignored = write(STDERR_FILENO, b.data,
                                b.len); /* one write a line, so that lines of threads do not mix */
        (void)ignored;
    }
}
