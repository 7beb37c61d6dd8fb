/* state_marks.c - 9,000 rows of which a page holds 4,096; 8,000 of them were in the image before, and row 17 has changed:
 *
 *     page 0    rows 0 to 4,095        17 is marked: written
 *     page 1    rows 4,096 to 8,191    it had 3,904 rows: written
 *     page 2    rows 8,192 to 8,999    new: written
 *
 * and the next time, with 9,000 rows and no mark, none. */
#include "core/state_marks.h"

#include "core/map.h"
#include "core/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* So many marks are as good as none: nobody takes an image, or all has changed. */
enum { MARKS_MAX = 65536 };

void state_marks_set(struct state_marks *k, bool known, size_t rows)
{
    free(k->changed);
    free(k->sums);
    *k = (struct state_marks){ .known = known, .rows = rows };
}

void state_marks_release(struct state_marks *k) { state_marks_set(k, false, 0); }

void state_mark(struct state_marks *k, size_t row)
{
    if (!k->known || row >= k->rows) return;
    if (k->n == MARKS_MAX || !VEC_GROW(&k->changed, &k->cap, k->n + 1))
        state_marks_set(k, false, 0);
    else k->changed[k->n++] = (uint32_t)row;
}

/* By page: is it another than in the image before? NULL: out of memory. */
static bool *changed_pages(const struct state_marks *k, size_t n, size_t per_page, size_t pages_n)
{
    bool *changed = calloc(pages_n + 1, sizeof *changed);
    const bool known = k->known && n >= k->rows;
    if (!changed) return NULL;
    const size_t from = !known ? 0 : n == k->rows ? pages_n : k->rows / per_page;
    for (size_t i = from; i < pages_n; i++) changed[i] = true;
    for (size_t i = 0; known && i < k->n; i++) changed[k->changed[i] / per_page] = true;
    return changed;
}

/* A page whose row was written without a mark would be lost: found where it happens in tests, and not after a restart. */
static void witness(struct state_marks *k, size_t page, size_t pages_n, bool changed,
                    const void *rows, size_t bytes)
{
    if (!STATE_WITNESS) return;
    const size_t had = k->sums_cap;
    if (!VEC_GROW(&k->sums, &k->sums_cap, pages_n + 1)) return;
    memset(k->sums + had, 0, (k->sums_cap - had) * sizeof *k->sums);
    const uint64_t sum = map_hash(rows, bytes) | 1;
    assert(changed || k->sums[page] == 0 || k->sums[page] == sum);
    k->sums[page] = sum;
}

static void put_pages(struct state_writer *w, const struct state_part *part, const char *rows,
                      size_t n, size_t pages_n, const bool *changed, struct state_marks *k)
{
    const size_t per_page = state_rows_of_page(part);
    state_put_pages(w, part, n, pages_n);
    for (size_t i = 0; i < pages_n; i++) {
        const size_t left = n - i * per_page, of_page = left < per_page ? left : per_page;
        const char *page = rows + i * per_page * part->size;
        witness(k, i, pages_n, changed[i], page, of_page * part->size);
        if (changed[i]) state_put_page(w, page, of_page);
        else state_put_same(w, of_page);
    }
}

void state_put_marked(struct state_writer *w, const struct state_part *part, const void *rows,
                      size_t n, struct state_marks *k)
{
    if (!w->image) {
        state_put(w, part, rows, n);
        return;
    }
    const size_t per_page = state_rows_of_page(part), pages_n = n / per_page + (n % per_page != 0);
    bool *changed = changed_pages(k, n, per_page, pages_n);
    if (!changed) w->image->failed = true;
    else put_pages(w, part, rows, n, pages_n, changed, k);
    free(changed);
    k->known = true;
    k->rows = n;
    k->n = 0;
}
