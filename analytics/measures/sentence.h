/* sentence.h - a reading as a journalist would write it, among its inputs: for the sentence of
 * an alert.
 *
 *     "says":"SP500's concentration (HHI) is 89.9, the highest since 24 March 2000, when it was 91.2"
 *
 * For the kinds that hold a measure against its past. */
#ifndef TOCSIN_ANALYTICS_MEASURES_SENTENCE_H
#define TOCSIN_ANALYTICS_MEASURES_SENTENCE_H
#include "analytics/series.h"

#include <math.h>
#include <string.h>

/* "24.0312 %": a scale such as 0-10000, or a ratio, is no word to put behind a number. */
static inline void sentence_value(const struct series *of, double v, struct buf *out)
{
    const char c = of->unit[0];
    buf_printf(out, "%.6g", v);
    if (c && c != '-' && !(c >= '0' && c <= '9') && strcmp(of->unit, "ratio") != 0)
        buf_printf(out, " %s", of->unit);
}

/* What it is now, and `tail`, what is to be said of that. Nothing, when there is nothing. */
static inline void sentence_put(const struct series *of, double now, const struct buf *tail,
                                struct json_writer *w)
{
    AUTO_BUF struct buf text = { 0 };
    struct measure x;
    if (!isfinite(now) || !tail->len || measure_parse(of->text, strlen(of->text), &x, NULL)) return;
    measure_phrase(&x, &text);
    buf_puts(&text, " is ");
    sentence_value(of, now, &text);
    buf_printf(&text, ", %s", tail->data);
    if (buf_ok(&text) && buf_ok(tail)) json_put_bytes(w, "says", text.data, text.len);
}
#endif
