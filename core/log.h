/* log.h - one JSON object a line on stderr; data as fields. Only the edges log. Thread: any.
 *
 *     log_warn("record rejected", "topic", topic, "reason", err_name(e), "offset", LOG_I64(offset));
 *
 * Values are strings, but those of LOG_I64 and LOG_F64, which are numbers in the line as well. A value that may hold a secret is
 * never logged. */
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

/* A number's text behind a byte that log_write knows it by: for log_write alone. */
const char *log_i64(char out[24], int64_t v);
const char *log_f64(char out[32], double v); /* three decimals; of what is no number: null */
#define LOG_I64(v) log_i64((char[24]){ 0 }, (int64_t)(v))
#define LOG_F64(v) log_f64((char[32]){ 0 }, (double)(v))
#endif
