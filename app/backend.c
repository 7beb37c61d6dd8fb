#include "app/backend.h"

#include "app/threads/health.h"
#include "ingest/kinds/kind.h"

#include <assert.h>
#include <string.h>

enum { ANSWER_TIMEOUT_MS = 10000 };

static enum err ask(struct pipeline *p, struct command *c, struct why *why)
{
    return command_ask(c, p->commands, p->ingested, ANSWER_TIMEOUT_MS, why);
}

static enum err rule_change(void *ctx, const struct rule_request *r, const char **state,
                            struct buf *warnings, struct why *why)
{
    struct command *c = command_rule_change(r);
    *state = NULL;
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = ask(ctx, c, why);
    if (!e && c->outdated) e = err_set(why, ERR_CONFLICT, "the rule has been changed meanwhile");
    if (!e || e == ERR_CONFLICT) *state = c->state;
    rule_warning_put(&c->warning, warnings);
    command_drop(c);
    return e;
}

static enum err quality_release_of(void *ctx, struct uuid tenant, struct uuid flag, struct why *why)
{
    struct command *c = command_quality_release(tenant, flag);
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = ask(ctx, c, why);
    command_drop(c);
    return e;
}

static enum err rule_states(void *ctx, struct uuid tenant, const struct uuid *rules, size_t n,
                            const char **out)
{
    struct command *c = command_rule_states(tenant, rules, n);
    if (!c) return ERR_NOMEM;
    enum err e = ask(ctx, c, NULL);
    if (!e) memcpy(out, c->states, n * sizeof *out);
    command_drop(c);
    return e;
}

static_assert((int)API_NO_DAY == (int)NO_DAY, "the same");
static enum err drivers(void *ctx, const char *measure, int32_t since, size_t n, struct buf *out,
                        struct why *why)
{
    struct command *c = command_drivers(measure, since, n);
    if (!c) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = ask(ctx, c, why);
    if (!e) buf_put(out, c->drivers.data, c->drivers.len);
    command_drop(c);
    return e;
}

static struct picture *newest_picture(void *ctx) { return pipeline_picture(ctx); }

/* Takes the picture, if there is one. */
static void put_refused(struct json_writer *w, struct picture *p)
{
    json_put_int(w, "refused_instruments", p ? (int64_t)p->refused_n : 0);
    json_put_array(w, "refused");
    for (size_t i = 0; p && i < p->refusals_n; i++) {
        json_put_object(w, NULL);
        json_put_text(w, "symbol", p->refusals[i].symbol);
        json_put_int(w, "count", p->refusals[i].n);
        json_put_text(w, "reason", p->refusals[i].why);
        json_put_end(w);
    }
    json_put_end(w);
    picture_release(p);
}

static bool ready(void *ctx, struct buf *out)
{
    AUTO_BUF struct buf reasons = { 0 };
    const bool all = health_ready(ctx, &reasons);
    struct json_writer w = json_write(out);
    json_put_object(&w, NULL);
    json_put_bool(&w, "ready", all);
    json_put_array(&w, "reasons"); /* they are JSON already */
    if (reasons.len) json_put_raw(&w, NULL, reasons.data, reasons.len);
    json_put_end(&w);
    json_put_int(&w, "uncommitted_ms", health_uncommitted_ms(ctx));
    json_put_int(&w, "delivery_due_ms", health_delivery_due_ms(ctx));
    put_refused(&w, newest_picture(ctx));
    json_put_end(&w);
    return all;
}

static void metrics(void *ctx, struct buf *out) { health_metrics(ctx, out); }

static void definitions(void *ctx, struct json_writer *w)
{
    (void)ctx;
    measures_definitions(w, "measures");
    reading_statuses_definitions(w, "statuses");
    kinds_definitions(w, "records");
}

static_assert((int)MEASURE_TEXT_MAX <= (int)API_MEASURE_MAX, "a canonical text fits");
static enum err canonical_measure(void *ctx, const char *text, char out[API_MEASURE_MAX],
                                  struct why *why)
{
    struct measure m;
    char symbol[SYMBOL_SUBJECT_MAX + 1];
    enum err e = measure_parse(text, strlen(text), &m, why);
    if (e) return e;
    struct picture *p = newest_picture(ctx);
    const char *of = p && measure_symbol(&m, symbol) ? picture_alias(p, symbol) : NULL;
    if (of) measure_set_symbol(&m, of);
    picture_release(p);
    measure_format(&m, out);
    return ERR_OK;
}

struct api_backend backend_of(struct pipeline *p)
{
    return (struct api_backend){ .ctx = p,
                                 .rule_change = rule_change,
                                 .rule_states = rule_states,
                                 .drivers = drivers,
                                 .quality_release = quality_release_of,
                                 .picture = newest_picture,
                                 .ready = ready,
                                 .metrics = metrics,
                                 .definitions = definitions,
                                 .measure = canonical_measure };
}
