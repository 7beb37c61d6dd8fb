#include "core/state_image.h"

#include "core/vec.h"

#include <assert.h>
#include <stdlib.h>

struct state_image_part *state_image_part(struct state_image *m, const char *name, size_t pages_n)
{
    struct state_page *pages = calloc(pages_n + 1, sizeof *pages);
    if (!pages || !VEC_GROW(&m->parts, &m->parts_cap, m->parts_n + 1)) {
        free(pages);
        m->failed = true;
        return NULL;
    }
    struct state_image_part *p = &m->parts[m->parts_n++];
    *p = (struct state_image_part){ .name = name,
                                    .head_at = m->taken,
                                    .head_n = m->bytes.len - m->taken,
                                    .at = m->bytes.len,
                                    .pages = pages,
                                    .pages_n = pages_n };
    m->taken = m->bytes.len;
    return p;
}

void state_image_part_end(struct state_image *m) { m->taken = m->bytes.len; }

bool state_image_end(struct state_image *m)
{
    return state_image_part(m, "end", 0) && !m->failed && buf_ok(&m->bytes);
}

void state_image_release(struct state_image *m)
{
    for (size_t i = 0; i < m->parts_n; i++) free(m->parts[i].pages);
    free(m->parts);
    buf_release(&m->bytes);
    *m = (struct state_image){ 0 };
}
