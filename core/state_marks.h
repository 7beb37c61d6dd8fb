/* state_marks.h - which rows of an array have changed since the image before, so that the next one holds the pages of these alone.
 *
 *     struct state_marks marks;            beside the array; all zero: nothing is known, and all pages are written
 *     state_mark(&marks, 7);               row 7 is another; rows that are appended need no mark
 *     state_put_marked(&w, &part, rows, n, &marks)
 *
 * An array only grows. Whoever writes to a row marks it, in the one function through which its array is written; under
 * AddressSanitizer pages that nobody marked are held against what they were (STATE_WITNESS). Thread: the array's. */
#ifndef TOCSIN_CORE_STATE_MARKS_H
#define TOCSIN_CORE_STATE_MARKS_H
#include "core/state.h"

#if defined(__SANITIZE_ADDRESS__)
#define STATE_WITNESS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STATE_WITNESS 1
#endif
#endif
#ifndef STATE_WITNESS
#define STATE_WITNESS 0
#endif

struct state_marks {
    bool known; /* the image before has `rows` rows, and but for `changed` they are as they were */
    size_t rows;
    uint32_t *changed; /* in no order, and the same may come twice */
    size_t n, cap;
    uint64_t *sums; /* STATE_WITNESS: of each page; 0: not looked at yet */
    size_t sums_cap;
};

void state_mark(struct state_marks *k, size_t row);
/* All pages are written next time; or, true, those of the next `rows` rows are as in the image that was read. */
void state_marks_set(struct state_marks *k, bool known, size_t rows);
void state_marks_release(struct state_marks *k);
/* As state_put, and from now on marks count from here; without an image they stay as they are. */
void state_put_marked(struct state_writer *w, const struct state_part *part, const void *rows,
                      size_t n, struct state_marks *k);
#endif
