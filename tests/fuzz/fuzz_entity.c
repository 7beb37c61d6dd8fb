/* fuzz_entity.c - any bytes as a text with HTML's character references. What is decoded is valid UTF-8 where the text was,
 * grows by a fifth at most, and is the same the second time. */
#include "core/entity.h"
#include "core/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 200000) return 0;
    char *exact =
        malloc(size + !size); /* no byte more, so that the sanitizer sees one read too far */
    struct buf a = { 0 }, b = { 0 };
    if (!exact) return 0;
    if (size) memcpy(exact, data, size);
    const struct str text = { exact, (uint32_t)size };
    const struct str got = entities_decode(text, &a), again = entities_decode(text, &b);
    if (got.n != again.n || (got.n && memcmp(got.p, again.p, got.n) != 0)) abort();
    if (got.p != text.p && (size_t)got.n * 5 > size * 6) abort();
    if (got.p == text.p && got.n != text.n) abort();
    if (utf8_valid(exact, size) && !utf8_valid(got.p, got.n)) abort();
    if (!size || !memchr(exact, '&', size))
        if (got.p != text.p) abort();
    buf_release(&a);
    buf_release(&b);
    free(exact);
    return 0;
}
