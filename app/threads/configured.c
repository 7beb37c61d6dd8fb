/* configured.c - what the configuration asks of the engine: its settings, and the measures that
 * everybody sees. Both become records, so that a replay has them without the configuration.
 *
 *     engine.track = hhi(SP500); spread(SP500, window=36mo)
 *
 * SP500 may not be there yet. A measure begins with the record after the one that makes its subject
 * known, whatever the batches are: so a replay puts it in the same place. */
#include "app/threads/engine.h"
#include "core/when.h"

#include <stdlib.h>
#include <string.h>

/* The next text between semicolons, without the spaces around it; *at moves behind it. */
static struct str next_text(const char **at)
{
    size_t n = strcspn(*at, ";");
    const char *p = *at;
    *at += n + (p[n] == ';');
    while (n && *p == ' ') p++, n--;
    while (n && p[n - 1] == ' ') n--;
    return (struct str){ p, (uint32_t)n };
}

static enum err add_track(struct engine_loop *l, struct str text, struct why *why)
{
    struct measure m;
    char canonical[MEASURE_TEXT_MAX];
    enum err e = measure_parse(text.p, text.n, &m, why);
    if (e) return e;
    engine_canonical(l->step.engine, &m);
    measure_format(&m, canonical);
    if (engine_find_series(l->step.engine, (struct uuid){ { 0 } }, canonical) != SERIES_NONE)
        return ERR_OK;
    if (l->tracks_n == TRACKS_MAX)
        return err_set(why, ERR_LIMIT, "engine.track names more than %d measures", TRACKS_MAX);
    char *kept = strdup(canonical);
    if (!kept) return err_set(why, ERR_NOMEM, "out of memory");
    l->tracks[l->tracks_n++] = kept;
    return ERR_OK;
}

enum err engine_loop_read_tracks(struct engine_loop *l, struct why *why)
{
    enum err e = ERR_OK;
    for (const char *at = l->p->c->engine_track; *at && !e;) {
        const struct str text = next_text(&at);
        if (text.n) e = add_track(l, text, why);
    }
    return e;
}

static bool begin_track(struct engine_loop *l, const char *measure)
{
    struct record r;
    arena_clear(&l->scratch);
    if (step_track(&l->step, measure, &l->scratch, &r, NULL)) return false;
    engine_loop_apply_own(l, &r, "track");
    return true;
}

void engine_loop_try_tracks(struct engine_loop *l)
{
    size_t left = 0;
    for (size_t i = 0; i < l->tracks_n; i++) {
        if (begin_track(l, l->tracks[i])) free(l->tracks[i]);
        else l->tracks[left++] = l->tracks[i];
    }
    l->tracks_n = left;
}

void engine_loop_apply_settings(struct engine_loop *l)
{
    const struct market_settings have = engine_settings(l->step.engine),
                                 want = config_market(l->p->c);
    if (config_market_same(&have, &want)) return;
    struct record r = step_settings(&l->step, &want);
    engine_loop_apply_own(l, &r, "settings");
}
