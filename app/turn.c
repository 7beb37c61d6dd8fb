#include "app/turn.h"

#include "core/vec.h"

#include <assert.h>
#include <stdlib.h>

enum err turn_new(struct turn **out)
{
    struct turn *t = calloc(1, sizeof *t);
    if (!t) return ERR_NOMEM;
    enum err e = write_batch_new(&t->batch);
    if (e) free(t);
    else *out = t;
    return e;
}

void turn_free(struct turn *t)
{
    if (!t) return;
    assert(t->waiting_n == 0);
    picture_release(t->picture);
    state_snapshot_free(t->snapshot);
    write_batch_free(t->batch);
    free(t->waiting);
    free(t);
}

enum err turn_reserve(struct turn *t)
{
    return VEC_GROW(&t->waiting, &t->waiting_cap, t->waiting_n + 1) ? ERR_OK : ERR_NOMEM;
}

void turn_wait(struct turn *t, struct command *c)
{
    assert(t->waiting_n < t->waiting_cap);
    t->waiting[t->waiting_n++] = c;
}

void turn_took(struct turn *t, int64_t taken_ns, int64_t sent_ms, size_t n)
{
    if (!atomic_load(&t->since_ns)) atomic_store(&t->since_ns, taken_ns);
    if (n == 0) return;
    if (t->parts_n < TURN_PARTS) t->parts[t->parts_n++] = (struct turn_part){ sent_ms, 0 };
    struct turn_part *p =
        &t->parts[t->parts_n - 1]; /* when all are used, the newest takes the rest */
    if (sent_ms < p->sent_ms) p->sent_ms = sent_ms;
    p->n += (int64_t)n;
}

void turn_answer(struct turn *t, enum err err)
{
    for (size_t i = 0; i < t->waiting_n; i++) command_answer(t->waiting[i], err, NULL);
    t->waiting_n = 0;
}

bool turn_idle(const struct turn *t)
{
    return write_batch_empty(t->batch) && !t->snapshot && t->waiting_n == 0;
}

void turn_clear(struct turn *t)
{
    assert(t->waiting_n == 0);
    picture_release(t->picture);
    t->picture = NULL;
    state_snapshot_free(t->snapshot);
    t->snapshot = NULL;
    write_batch_clear(t->batch);
    t->parts_n = 0;
    atomic_store(&t->since_ns, 0);
}
