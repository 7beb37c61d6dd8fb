/* retain.c - `tocsin retain`: what the service does by itself every hour (threads/keeper.c), by hand and aloud. */
#include "app/app.h"
#include "app/step.h"
#include "store/retention.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char retain_usage[] =
    "usage: tocsin retain -c FILE [--dry-run]\n\n"
    "Drops what is older than the database.keep_..._days of the configuration, as the service does by itself every hour.\n\n"
    "  --dry-run      only says what would go\n\n"
    "Exit code 65: something is old, and must stay until a later checkpoint is kept; the output says why.\n";

struct told {
    bool dry;
    size_t gone, refused;
    int64_t bytes;
};

static void print_item(void *ctx, const struct retention_item *item)
{
    struct told *t = ctx;
    if (item->refused) {
        t->refused++;
        printf("%s: stays: %s\n", item->what, item->refused);
        return;
    }
    t->gone++;
    if (item->rows >= 0)
        printf("%s: %" PRId64 " rows %s\n", item->what, item->rows, t->dry ? "would go" : "went");
    else {
        t->bytes += item->bytes;
        printf("%s: %" PRId64 " bytes, records up to %" PRIu64 ": %s\n", item->what, item->bytes,
               item->last_seq, t->dry ? "would go" : "went");
    }
}

static enum err retain(const struct config *c, struct told *t, struct why *why)
{
    const struct retention k = config_retention(c);
    struct db d;
    if (!retention_any(&k)) {
        printf("everything is kept: no database.keep_..._days is set\n");
        return ERR_OK;
    }
    enum err e = db_open(c->database_conninfo, "tocsin_engine", "tocsin retain", &d, why);
    if (!e) e = retention_run(&d, &k, STEP_STATE_VERSION, t->dry, print_item, t, why);
    db_close(&d);
    if (!e && t->gone + t->refused == 0) printf("nothing is that old\n");
    return e;
}

int cmd_retain(int argc, char **argv)
{
    struct told t = { 0 };
    struct why why = { 0 };
    struct config c;
    const char *file = NULL;
    bool understood = true;
    for (int i = 1; i < argc && understood; i++) {
        if (strcmp(argv[i], "--dry-run") == 0) t.dry = true;
        else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) file = argv[++i];
        else understood = false;
    }
    if (!understood || !file) {
        fputs(retain_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(file, &c);
    enum err e = code ? ERR_OK : retain(&c, &t, &why);
    if (e) {
        fprintf(stderr, "tocsin: %s\n", why.text);
        code = e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
    } else if (!code && t.refused) code = EXIT_BAD_DATA;
    config_release(&c);
    return code;
}
