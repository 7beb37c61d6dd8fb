/* channel.c - the kinds there are, and values by their settings.
 *
 * A setting is read the same from a user's request and from what was stored. Only what happens with
 * a field that is no setting differs: json_fields_end() refuses it in a request, and nobody asks in
 * what was stored, where an earlier or later program may have left it. */
#include "alerts/delivery/channel.h"

#include <stdarg.h>
#include <stdio.h>

#define CHANNEL(name) extern const struct channel_kind channel_##name;
#include "alerts/delivery/channels.def"
#undef CHANNEL

const struct channel_kind *const channel_kinds[CHANNEL_KINDS] = {
#define CHANNEL(name) &channel_##name,
#include "alerts/delivery/channels.def"
#undef CHANNEL
};

const struct channel_kind *channel_kind_find(const char *name)
{
    for (size_t i = 0; i < CHANNEL_KINDS; i++)
        if (strcmp(channel_kinds[i]->name, name) == 0) return channel_kinds[i];
    return NULL;
}

void sent_say(struct sent *out, enum outcome outcome, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(out->detail, sizeof out->detail, fmt, ap);
    va_end(ap);
    out->outcome = outcome;
}

/* ---- one value ---- */

enum err channel_values_set(struct channel_values *v, size_t at, const char *text)
{
    char *copy = arena_copy(&v->memory, text, strlen(text));
    if (!copy) return ERR_NOMEM;
    v->at[at].given = true;
    v->at[at].text = copy;
    return ERR_OK;
}

/* The bounds are bytes. The copy outlives the JSON it came from. */
static void take_text(const struct setting *s, size_t at, struct json_fields *f,
                      struct channel_values *out)
{
    const char *text = json_want_string(f, s->name, (size_t)s->min, (size_t)s->max,
                                        s->required ? JSON_REQUIRED : NULL);
    if (f->err || !text) return;
    if (channel_values_set(out, at, text)) f->err = err_set(f->why, ERR_NOMEM, "out of memory");
}

/* A null is what was left out. */
static bool is_given(const struct json_fields *f, const char *name)
{
    const json_t *v = json_object_get(f->object, name);
    return v && !json_is_null(v);
}

/* Reads one setting of the object. The first thing wrong sticks in `f`. */
static void take_one(const struct setting *s, size_t at, struct json_fields *f,
                     struct channel_values *out)
{
    struct setting_value *v = &out->at[at];
    if (f->err) return;
    v->given = is_given(f, s->name);
    if (s->required && !v->given) {
        json_fail(f, "field \"%s\" is missing", s->name);
        return;
    }
    switch (s->type) {
    case SETTING_TEXT: take_text(s, at, f, out); return;
    case SETTING_NUMBER: v->number = json_want_int(f, s->name, s->min, s->max, s->missing); return;
    case SETTING_FLAG: v->number = json_want_bool(f, s->name, s->missing != 0); return;
    case SETTING_CHOICE:
        v->number = json_want_choice(f, s->name, s->choices->texts, (int)s->missing);
        if (!f->err) v->text = names_text(s->choices, (int)v->number);
        return;
    }
}

/* ---- all of them ---- */

void channel_values_take(const struct channel_kind *kind, struct json_fields *f,
                         struct channel_values *out)
{
    *out = (struct channel_values){ .kind = kind };
    for (size_t i = 0; kind->settings[i].name; i++)
        if (!kind->settings[i].own) take_one(&kind->settings[i], i, f, out);
}

/* Those of one stored object: the open ones, or the secret ones. */
static enum err load_part(const char *json, bool secret, struct channel_values *out,
                          struct why *why)
{
    AUTO_JSON json_t *object = NULL;
    enum err e = json_load_strict(json, strlen(json), &object, why);
    if (e) return e;
    struct json_fields f = json_fields_begin(object, why);
    for (size_t i = 0; out->kind->settings[i].name; i++)
        if (out->kind->settings[i].secret == secret) take_one(&out->kind->settings[i], i, &f, out);
    return f.err;
}

enum err channel_values_load(const struct channel_kind *kind, const char *settings,
                             const char *secrets, struct channel_values *out, struct why *why)
{
    *out = (struct channel_values){ .kind = kind };
    enum err e = load_part(settings, false, out, why);
    return e ? e : load_part(secrets, true, out, why);
}

/* The service's own secrets are stored with the others and shown to nobody. */
static bool belongs(const struct setting *s, enum values_part part)
{
    switch (part) {
    case VALUES_OPEN: return !s->secret;
    case VALUES_SECRET: return s->secret;
    case VALUES_MADE: return s->secret && !s->own;
    }
    return false;
}

void channel_values_write(const struct channel_values *v, enum values_part part,
                          struct json_writer *w)
{
    for (size_t i = 0; v->kind->settings[i].name; i++) {
        const struct setting *s = &v->kind->settings[i];
        if (!v->at[i].given || !belongs(s, part)) continue;
        switch (s->type) {
        case SETTING_TEXT:
        case SETTING_CHOICE: json_put_text(w, s->name, v->at[i].text); break;
        case SETTING_NUMBER: json_put_int(w, s->name, v->at[i].number); break;
        case SETTING_FLAG: json_put_bool(w, s->name, v->at[i].number != 0); break;
        }
    }
}

void channel_values_release(struct channel_values *v)
{
    for (size_t i = 0; v->kind && v->kind->settings[i].name; i++)
        if (v->kind->settings[i].secret && v->at[i].text)
            explicit_bzero((char *)(uintptr_t)v->at[i].text, strlen(v->at[i].text));
    arena_release(&v->memory);
    *v = (struct channel_values){ .kind = NULL };
}
