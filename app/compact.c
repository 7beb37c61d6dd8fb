/* compact.c - `tocsin compact`: every day of ticks that is over by instrument, at once and without rests, as the service does it
 * by and by. Beside a running service too. */
#include "app/app.h"

#include "core/when.h"
#include "store/compact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char compact_usage[] =
    "usage: tocsin compact -c FILE\n\n"
    "Writes the ticks of every day (UTC) that is over once more by instrument, so that market.trades() and market.trade of one symbol\n"
    "read little, and puts what came few at a time into chunks. Broken off anywhere, the next call goes on.\n";

enum { TRIES = 100, TRY_MS = 100 };

/* A service that does the same takes a piece now and then, or a reader is in the way. */
static enum err piece(struct db *d, struct compacted *done, struct why *why)
{
    struct pace at_once = { 0 };
    enum err e = compact_piece(d, wall_ns(), &at_once, done, why);
    for (int tries = 0; e == ERR_DB && db_retryable(why) && tries < TRIES; tries++) {
        nanosleep(&(struct timespec){ 0, TRY_MS * NS_PER_MS }, NULL);
        e = compact_piece(d, wall_ns(), &at_once, done, why);
    }
    return e;
}

static enum err compact_all(struct db *d, struct why *why)
{
    int64_t days = 0, folded = 0, trades = 0;
    struct compacted done = { .more = true };
    enum err e = compact_prepare(d, why);
    while (!e && done.more) {
        e = piece(d, &done, why);
        days += done.day_done;
        folded += done.folded;
        trades += done.trades;
    }
    if (!e)
        printf("%" PRId64 " partitions of days that are over: %" PRId64
               " trades written by instrument, %" PRId64 " ticks put into chunks\n",
               days, trades, folded);
    return e;
}

int cmd_compact(int argc, char **argv)
{
    struct config c;
    struct why why = { 0 };
    struct db d = { 0 };
    if (argc != 3 || strcmp(argv[1], "-c") != 0) {
        fputs(compact_usage, stderr);
        return EXIT_WRONG_USAGE;
    }
    int code = load_config(argv[2], &c);
    enum err e =
        code ? ERR_OK : db_open(c.database_conninfo, "tocsin_engine", "tocsin compact", &d, &why);
    if (!code && !e) e = compact_all(&d, &why);
    if (e) {
        fprintf(stderr, "tocsin: %s\n", why.text);
        code = e == ERR_DB_LOST ? EXIT_UNAVAILABLE : EXIT_BROKEN;
    }
    db_close(&d);
    config_release(&c);
    return code;
}
