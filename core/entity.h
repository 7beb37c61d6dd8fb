/* entity.h - HTML's character references in a text that is not HTML any more: "AT&amp;T", "McDonald&#39;s", "isn&#x2019;t".
 *
 *     &amp;  &rsquo;  &nbsp;      by name: all 2,125 of the HTML standard (entities.def)
 *     &#39;  &#x27;  &#X27;       by number. 128 to 159 are Windows-1252's, as browsers have it: &#146; is ’
 *
 * Whatever else begins with '&' stays as it stands: "R&D", "AT&T", "&bogus;", "&;", "&#;", "&#xZZ;", a reference without its
 * semicolon ("&copy" could be the start of a name: "Food&copyshop"), a number that is no character of a text (0 and other
 * controls but tab and line ends, surrogates, above 10FFFF), a reference cut off. Decoded once: "&amp;lt;" is "&lt;".
 * Pure; thread: any. */
#ifndef TOCSIN_CORE_ENTITY_H
#define TOCSIN_CORE_ENTITY_H
#include "core/buf.h"
#include "core/str.h"

/* The text decoded: `text` itself when there is nothing to decode, else in *scratch, which is cleared first and must outlive
 * the answer. It grows by a fifth at most ("&nGt;" is two characters of three bytes). Failure sticks in the buf, and the
 * answer is then `text`. */
struct str entities_decode(struct str text, struct buf *scratch);
#endif
