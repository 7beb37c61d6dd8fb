/* timers.c - a binary heap: the entry at i is not later than those at 2i + 1 and 2i + 2.
 *
 * `of` says which timer of a rule counts, the heap may hold others that were overtaken:
 *
 *     rule 7 wants 90      of[7] 90     heap 90/7
 *     it is changed to a shorter hold, and wants 70     of[7] 70     heap 70/7 90/7
 *     timers_next(100)     70/7, and of[7] none; then 90/7, which is not what of[7] says: skipped
 *
 * There is room for two entries a rule. When it is used up, overtaken ones are in it, and the
 * heap is made anew from `of`. */
#include "alerts/rules/timers.h"

#include "core/vec.h"

static const int64_t TIMER_NONE = INT64_MIN; /* what is wanted lies in the future */

bool timers_reserve(struct timers *t, size_t rules)
{
    if (!VEC_GROW(&t->of, &t->of_cap, rules) || !VEC_GROW(&t->heap, &t->cap, 2 * rules))
        return false;
    for (; t->rules < rules; t->rules++) t->of[t->rules].due_ns = TIMER_NONE;
    return true;
}

void timers_release(struct timers *t)
{
    free(t->heap);
    free(t->of);
    *t = (struct timers){ 0 };
}

static bool sooner(const struct timer *a, const struct timer *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->no < b->no);
}

/* Up from the end, until what stands above is not later. */
static void heap_push(struct timers *t, struct timer new)
{
    size_t i = t->n++;
    for (size_t up; i > 0 && sooner(&new, &t->heap[up = (i - 1) / 2]); i = up)
        t->heap[i] = t->heap[up];
    t->heap[i] = new;
}

/* The last entry fills the hole at the top, and goes down where the sooner child comes up. */
static struct timer heap_pop(struct timers *t)
{
    const struct timer top = t->heap[0], last = t->heap[--t->n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < t->n; i = c) {
        if (c + 1 < t->n && sooner(&t->heap[c + 1], &t->heap[c])) c++;
        if (!sooner(&t->heap[c], &last)) break;
        t->heap[i] = t->heap[c];
    }
    if (t->n) t->heap[i] = last;
    return top;
}

/* Only the timers that count, one a rule: the heap is then at most half full. */
static void heap_rebuild(struct timers *t)
{
    t->n = 0;
    for (size_t i = 0; i < t->rules; i++)
        if (t->of[i].due_ns != TIMER_NONE) heap_push(t, t->of[i]);
}

void timers_want(struct timers *t, struct timer want)
{
    struct timer *has = &t->of[want.rule];
    if (has->due_ns != TIMER_NONE && has->no == want.no && has->due_ns <= want.due_ns) return;
    *has = want;
    if (t->n == t->cap) heap_rebuild(t);
    else heap_push(t, want);
}

bool timers_next(struct timers *t, int64_t now_ns, struct timer *out)
{
    while (timers_any(t, now_ns)) {
        *out = heap_pop(t);
        struct timer *has = &t->of[out->rule];
        if (has->due_ns != out->due_ns || has->no != out->no) continue; /* overtaken */
        has->due_ns = TIMER_NONE;
        return true;
    }
    return false;
}

/* A subtree whose top is not due has nothing due: O(due). */
static void heap_due_below(const struct timers *t, size_t i, int64_t now_ns,
                           void (*each)(void *ctx, uint32_t rule), void *ctx)
{
    if (i >= t->n || t->heap[i].due_ns > now_ns) return;
    each(ctx, t->heap[i].rule);
    heap_due_below(t, 2 * i + 1, now_ns, each, ctx);
    heap_due_below(t, 2 * i + 2, now_ns, each, ctx);
}

void timers_due(const struct timers *t, int64_t now_ns, void (*each)(void *ctx, uint32_t rule),
                void *ctx)
{
    heap_due_below(t, 0, now_ns, each, ctx);
}
