/* app.h - the subcommands; each is given its own arguments (argv[0] is its name) and returns the process's exit code. */
#ifndef TOCSIN_APP_APP_H
#define TOCSIN_APP_APP_H
#include "app/config.h"

enum {
    EXIT_FINE = 0,
    EXIT_DIFFERENT = 1,
    EXIT_WRONG_USAGE = 64,
    EXIT_BAD_DATA = 65,
    EXIT_UNAVAILABLE = 69,
    EXIT_BROKEN = 70,
    EXIT_FENCED = 77, /* another instance has the shard: starting again would only take it back */
    EXIT_CONFIG = 78
};

/* The commands: their wrong usage is EXIT_WRONG_USAGE; `--help` never reaches them. */
int cmd_serve(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_backtest(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_compact(int argc, char **argv);
int cmd_retain(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_calendar(int argc, char **argv);
extern const char serve_usage[], demo_usage[], import_usage[], replay_usage[], backtest_usage[],
    verify_usage[], compact_usage[], retain_usage[], calendar_usage[];

/* Loads the file and reports what is wrong on stderr: EXIT_FINE or EXIT_CONFIG. */
int load_config(const char *path, struct config *out);

/* The running service; serve and demo share it. Returns an exit code when it has ended: after SIGTERM or SIGINT (a second one ends the
 * process at once), or when it cannot go on. SIGHUP reads `path` anew; without one it ends the service, as whoever closes a terminal
 * expects. `started` (may be NULL) is called once the API listens. */
int service_run(const struct config *c, const char *path, void (*started)(void *ctx, int port),
                void *ctx);
/* Asks service_run to end. Async-signal-safe. */
void service_stop(void);
/* calendar.c: the file's bytes. ERR_IO, ERR_NOMEM with the file's name. */
struct buf;
enum err calendar_file(const char *path, struct buf *out, struct why *why);
#endif
