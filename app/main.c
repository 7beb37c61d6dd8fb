/* main.c - one binary, its subcommands in a table. */
#include "app/app.h"
#include "app/secrets.h"

#include "alerts/rules/rule_text.h"
#include "analytics/measure.h"
#include "api/api.h"
#include "core/log.h"
#include "ingest/kinds/kind.h"
#include "store/api_login.h"
#include "store/keys.h"
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef TOCSIN_VERSION
#define TOCSIN_VERSION "0.1"
#endif

static const char check_usage[] = "usage: tocsin check -c FILE\n",
                  migrate_usage[] = "usage: tocsin migrate -c FILE\n";
static const char keys_usage[] =
    "usage: tocsin keys create -c FILE --tenant NAME [--label TEXT] [--days N] [--quiet]\n"
    "       tocsin keys list -c FILE [--tenant NAME]\n"
    "       tocsin keys revoke -c FILE --tenant NAME --key ID\n"
    "       tocsin keys seal-key --out FILE [--add]\n";

static const struct command {
    const char *name;
    int (*run)(int, char **);
    const char *usage, *args, *help;
} commands[] = {
    { "demo", cmd_demo, demo_usage, "[--port N] [--data DIR]",
      "everything on this machine: broker, database, a simulated market, the service" },
    { "serve", cmd_serve, serve_usage, "-c FILE",
      "the service, against your Kafka and PostgreSQL" },
    { "check", cmd_check, check_usage, "-c FILE",
      "says what is wrong with a configuration; does nothing else" },
    { "migrate", cmd_migrate, migrate_usage, "-c FILE",
      "brings the database to this program's schema" },
    { "keys", cmd_keys, keys_usage, "create|list|revoke -c FILE ... | seal-key ...",
      "API keys and their tenants; the key that keeps channels' secrets" },
    { "import", cmd_import, import_usage, "-c FILE [--reference CSV] [--prices CSV]",
      "reference data and prices from CSV into the database" },
    { "replay", cmd_replay, replay_usage, "-c FILE --prices CSV [--speed max|N]",
      "prices from CSV into Kafka as official closes" },
    { "backtest", cmd_backtest, backtest_usage, "-c FILE --rule TEXT ...",
      "when rules would have fired over what is stored" },
    { "verify", cmd_verify, verify_usage, "-c FILE [--from TIME]",
      "replays what is stored and compares every value bit for bit" },
    { "compact", cmd_compact, compact_usage, "-c FILE",
      "days of ticks that are over, by instrument: at once what serve does by and by" },
    { "retain", cmd_retain, retain_usage, "-c FILE [--dry-run]",
      "drops what is older than the configuration keeps, or says what would go" },
    { "calendar", cmd_calendar, calendar_usage, "list | show NAME [--from --to] | check FILE",
      "trading days of venues: shipped ones, and a CSV of your own" },
};

static void usage(FILE *out)
{
    fprintf(out, "usage: tocsin COMMAND ...\n\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-9s %-48s %s\n", commands[i].name, commands[i].args, commands[i].help);
    fprintf(
        out,
        "\n  --help-config    every setting, as Markdown\n  --help-measures  every measure, as Markdown\n"
        "  --help-messages  every kind of message, as Markdown\n"
        "  --openapi        the API's description, as /openapi.json says it\n  --version\n\n"
        "exit codes: 0 fine, 1 verify found differences, 64 wrong usage, 65 wrong data, or a back-test with warnings, 69 database not reachable, 70 cannot go on, 77 another instance has taken over, 78 wrong configuration\n");
}

int load_config(const char *path, struct config *out)
{
    AUTO_BUF struct buf errors = { 0 };
    if (config_load(path, out, &errors)) {
        fputs(errors.data ? errors.data : "out of memory\n", stderr);
        return EXIT_CONFIG;
    }
    log_level_set(config_log_level(out));
    return EXIT_FINE;
}

static int complain(const struct why *why, enum err e)
{
    fprintf(stderr, "tocsin: %s\n", why->text);
    return e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
}

int cmd_check(int argc, char **argv)
{
    struct config c;
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(check_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    struct seal_keys *keys = NULL;
    struct why why = { .text = "" };
    int code = load_config(argv[2], &c);
    if (!code && secrets_read(&c, &keys, &why)) {
        fprintf(stderr, "%s: %s\n", argv[2], why.text);
        code = EXIT_CONFIG;
    }
    if (!code) printf("%s: fine\n", argv[2]);
    seal_keys_free(keys);
    config_release(&c);
    return code;
}

int cmd_migrate(int argc, char **argv)
{
    struct config c;
    struct why why = { 0 };
    int applied = 0;
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(migrate_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    if (!code) {
        enum err e = migrate_run(c.database_conninfo, &applied, &why);
        if (e) code = complain(&why, e);
        else printf("%d migration%s applied\n", applied, applied == 1 ? "" : "s");
        if (!e && !c.database_api_conninfo[0] && api_login_make(c.database_conninfo, &why))
            fprintf(
                stderr,
                "tocsin: the API has no login of its own, and could become the engine: %s. Give its "
                "user CREATEROLE and run this again, or set database.api_conninfo\n",
                why.text);
    }
    config_release(&c);
    return code;
}

/* ---- keys ---- */
struct key_options {
    const char *verb, *config, *tenant, *label, *id;
    int days;
    bool quiet;
};

static bool read_key_options(int argc, char **argv, struct key_options *o)
{
    *o = (struct key_options){ .label = "" };
    if (argc < 2) return false;
    o->verb = argv[1];
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quiet") == 0) {
            o->quiet = true;
            continue;
        }
        if (!value) return false;
        if (strcmp(argv[i], "-c") == 0) o->config = value;
        else if (strcmp(argv[i], "--tenant") == 0) o->tenant = value;
        else if (strcmp(argv[i], "--label") == 0) o->label = value;
        else if (strcmp(argv[i], "--key") == 0) o->id = value;
        else if (strcmp(argv[i], "--days") == 0) {
            char *end;
            long n = strtol(value, &end, 10);
            if (end == value || *end || n < 1 || n > 36500) return false;
            o->days = (int)n;
        } else return false;
        i++;
    }
    bool create = strcmp(o->verb, "create") == 0, list = strcmp(o->verb, "list") == 0,
         revoke = strcmp(o->verb, "revoke") == 0;
    return o->config && (list || (o->tenant && (create || (revoke && o->id))));
}

static void print_key(void *ctx, const struct key_row *k)
{
    (void)ctx;
    printf("%s\t%s\t%s\tcreated %s%s%s%s%s\n", k->tenant, k->id, k->label, k->created_at,
           k->expires_at[0] ? "\texpires " : "", k->expires_at,
           k->revoked_at[0] ? "\trevoked " : "", k->revoked_at);
}

static enum err do_keys(const struct key_options *o, struct db *d, struct why *why)
{
    if (strcmp(o->verb, "list") == 0) return keys_list(d, o->tenant, print_key, NULL, why);
    if (strcmp(o->verb, "revoke") == 0) {
        enum err e = keys_revoke(d, o->tenant, o->id, why);
        if (!e) printf("revoked %s\n", o->id);
        return e;
    }
    char text[KEY_TEXT_LEN + 1], id[UUID_TEXT];
    struct uuid tenant;
    enum err e = keys_create(d, o->tenant, o->label, o->days, text, &tenant, why);
    if (e) return e;
    uuid_format(tenant, id);
    if (o->quiet) printf("%s\n", text);
    else
        printf("tenant %s (%s)\nkey    %s\nThe key is shown this once; only its SHA-256 is kept.\n",
               o->tenant, id, text);
    explicit_bzero(text, sizeof text);
    return ERR_OK;
}

int cmd_keys(int argc, char **argv)
{
    struct key_options o;
    struct config c;
    struct db d = { 0 };
    struct why why = { 0 };
    if (argc > 1 && strcmp(argv[1], "seal-key") == 0) {
        int made = cmd_seal_key(argc - 1, argv + 1);
        if (made == EXIT_WRONG_USAGE) fputs(keys_usage, stderr);
        return made;
    }
    if (!read_key_options(argc, argv, &o)) {
        fputs(keys_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(o.config, &c);
    if (!code) {
        enum err e = db_open(c.database_conninfo, "tocsin_engine", "tocsin keys", &d, &why);
        if (!e) e = do_keys(&o, &d, &why);
        if (e) code = complain(&why, e);
        db_close(&d);
    }
    config_release(&c);
    return code;
}

static int print_text(void (*make)(struct buf *))
{
    AUTO_BUF struct buf b = { 0 };
    make(&b);
    fwrite(b.data, 1, b.len, stdout);
    if (b.len && b.data[b.len - 1] != '\n') putchar('\n');
    return EXIT_FINE;
}

static bool asks_for_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0 || strcmp(arg, "help") == 0;
}

int main(int argc, char **argv)
{
    const struct rlimit no_core = { 0, 0 }; /* memory holds secrets */
    setrlimit(RLIMIT_CORE, &no_core);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc >= 2) {
        if (asks_for_help(argv[1])) {
            usage(stdout);
            return EXIT_FINE;
        }
        if (strcmp(argv[1], "--version") == 0) {
            printf("tocsin %s\n", TOCSIN_VERSION);
            return EXIT_FINE;
        }
        if (strcmp(argv[1], "--help-config") == 0) return print_text(config_reference);
        if (strcmp(argv[1], "--help-measures") == 0) return print_text(measures_reference);
        if (strcmp(argv[1], "--help-messages") == 0) return print_text(kinds_reference);
        if (strcmp(argv[1], "--openapi") == 0) return print_text(openapi_render);
        for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
            if (strcmp(argv[1], commands[i].name) != 0) continue;
            if (argc == 3 && asks_for_help(argv[2])) {
                fputs(commands[i].usage, stdout);
                return EXIT_FINE;
            }
            return commands[i].run(argc - 1, argv + 1);
        }
        fprintf(stderr, "tocsin: no command \"%s\"\n", argv[1]);
    }
    usage(stderr);
    return EXIT_WRONG_USAGE;
}
