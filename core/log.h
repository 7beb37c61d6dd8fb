/* log.h - one JSON object a line on stderr; data as fields. Only the edges log. Thread: any.
 *
 *     log_warn("record rejected", "topic", topic, "reason", err_name(e), "offset", LOG_I64(offset));
 *
 * Values are strings; LOG_I64 makes one of an integer. A value that may hold a secret is never logged. */
#ifndef TOCSIN_CORE_LOG_H
#define TOCSIN_CORE_LOG_H
#include <stdint.h>
#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_level_set(enum log_level lowest);
void log_write(enum log_level level, const char *message, ...) __attribute__((sentinel));

#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__, (const char *)NULL)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__, (const char *)NULL)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__, (const char *)NULL)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__, (const char *)NULL)

const char *log_i64(char out[24], int64_t v);
#define LOG_I64(v) log_i64((char[24]){ 0 }, (int64_t)(v))
#endif
