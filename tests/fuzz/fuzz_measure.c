/* fuzz_measure.c - any bytes as a measure: what is read has one canonical text, which reads back
 * as the same measure; what is not points at a character of the text, or just behind it. */
#include "analytics/measure.h"

#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct measure m, again;
    struct why why = { .at = -1 };
    char text[MEASURE_TEXT_MAX], twice[MEASURE_TEXT_MAX];
    if (n > 10000) return 0;
    enum err e = measure_parse((const char *)data, n, &m, &why);
    if (e) {
        if (why.at < 1 || (size_t)why.at > n + 1 || !why.text[0]
            || !utf8_valid(why.text, strlen(why.text)))
            abort();
        if (e != ERR_SYNTAX && e != ERR_UNKNOWN_MEASURE && e != ERR_INVALID) abort();
        return 0;
    }
    size_t len = measure_format(&m, text);
    if (len != strlen(text) || len >= sizeof text) abort();
    if (measure_parse(text, len, &again, NULL) || measure_format(&again, twice) != len
        || strcmp(text, twice) != 0)
        abort();
    if (again.kind != m.kind || again.subject_type != m.subject_type
        || strcmp(again.subject, m.subject) != 0
        || memcmp(&again.args, &m.args, sizeof m.args) != 0)
        abort();
    if (measure_is_book(&m) != measure_is_book(&again)) abort();
    if (!measure_unit(&m) || measure_version(&m) < 1) abort();
    return 0;
}
