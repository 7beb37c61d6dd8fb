/* state_image.h - a saved state with the places where it may be cut: a part into pages, each of whole rows.
 *
 * The bytes are those of core/state.h, one after the other; what is beside them says what is what:
 *
 *     head of "close": the marks of the format, name, number of rows, fields     its first page   its second page
 *     TOCSTATE ... "close" ...                                                    4,096 rows       17 rows
 *
 * So heads and pages, joined in their order, are the state again. A page holds as many rows as fit into
 * STATE_PAGE_BYTES, beginning with the part's first: a row that is appended or changed changes one page, and whoever
 * keeps the pages (store/snapshots.h) writes that one. Thread: one at a time. */
#ifndef TOCSIN_CORE_STATE_IMAGE_H
#define TOCSIN_CORE_STATE_IMAGE_H
#include "core/buf.h"

#include <stdint.h>

enum { STATE_PAGE_BYTES = 65536 };

struct state_page {
    uint32_t n; /* bytes */
    bool same;  /* as in the snapshot after record `since`, and so not here */
};

struct state_image_part {
    const char *name;       /* lives for ever */
    size_t head_at, head_n; /* what comes before its rows, from the end of the part before it */
    size_t at;              /* of its first page that is here; the others that are follow */
    struct state_page *pages;
    size_t pages_n;
};

struct state_image { /* all zero: empty */
    struct buf bytes;
    struct state_image_part *parts;
    size_t parts_n, parts_cap;
    uint64_t since; /* the record after which the image before this one was; 0: no page is `same` */
    size_t taken;   /* bytes up to here are some part's */
    bool failed;    /* memory was out */
};

/* Bytes up to here are the head of a new part, whose pages are given next; NULL: out of memory. */
struct state_image_part *state_image_part(struct state_image *m, const char *name, size_t pages_n);
/* The pages of the part begun last have been written. */
void state_image_part_end(struct state_image *m);
/* What is left, behind the last part, becomes the head of a part "end" without rows. false: memory was out, and the
 * image is of no use. */
MUST_USE bool state_image_end(struct state_image *m);
void state_image_release(struct state_image *m);
#endif
