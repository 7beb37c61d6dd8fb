#include "core/log.h"

#include "core/buf.h"
#include "core/utf8.h"
#include "core/when.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int lowest_level = LOG_INFO;

void log_level_set(enum log_level lowest) { atomic_store(&lowest_level, (int)lowest); }

enum { NUMBER_MARK = 1 };

const char *log_i64(char out[24], int64_t v)
{
    snprintf(out, 24, "%c%" PRId64, NUMBER_MARK, v);
    return out;
}

const char *log_f64(char out[32], double v)
{
    if (isfinite(v) && fabs(v) < 1e15) snprintf(out, 32, "%c%.3f", NUMBER_MARK, v);
    else snprintf(out, 32, "%cnull", NUMBER_MARK);
    return out;
}

/* Other people's texts may begin with that byte too: what is no number is a string. */
static bool is_number(const char *value)
{
    if (value[0] != NUMBER_MARK) return false;
    const char *digits = value + 1 + (value[1] == '-');
    const size_t n = strspn(digits, "0123456789");
    if (n == 0) return strcmp(value + 1, "null") == 0;
    const size_t after = digits[n] == '.' ? 1 + strspn(digits + n + 1, "0123456789") : 0;
    return after != 1 && digits[n + after] == '\0' && (n == 1 || digits[0] != '0');
}

static void put_value(struct buf *b, const char *value)
{
    if (!value) value = "";
    size_t n = strlen(value);
    if (is_number(value)) {
        buf_put(b, value + 1, n - 1);
        return;
    }
    if (n > 2000) n = 2000;
    buf_json_string(b, value, utf8_valid_prefix(value, n));
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
        buf_put(&b, ",", 1);
        buf_json_string(&b, key, strlen(key));
        buf_put(&b, ":", 1);
        put_value(&b, value);
    }
    va_end(ap);
    buf_put(&b, "}\n", 2);
    if (buf_ok(&b)) {
        ssize_t ignored = write(STDERR_FILENO, b.data,
                                b.len); /* one write a line, so that lines of threads do not mix */
        (void)ignored;
    }
}
