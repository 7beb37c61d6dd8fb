/* compactor.c - the compactor's thread: when a day of ticks is over it is written once more by instrument (store/compact.h), in a
 * session of its own.
 *
 * A piece is a transaction. After each few milliseconds of work it rests three times as long, and its thread is a nice one: so that
 * the writer and whoever asks have a core when they want one. What fails is tried again at the next look: until then questions
 * about one instrument read more, and nothing else is worse. */
#include "app/threads/pipeline.h"
#include "core/log.h"
#include "core/when.h"
#include "store/compact.h"

#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

static const int64_t GRACE_NS = 3600 * NS_PER_S; /* for what comes late */
enum { RESTS = 3, NICE = 10, SLICE_MS = 50 };

struct compactor {
    struct pipeline *p;
    struct db db;
    bool prepared;
    bool trouble;           /* has been logged */
    int64_t folded, trades; /* of the day in hand */
};

/* False: the service ends. */
static bool pause_for(const struct compactor *c, int64_t ns)
{
    for (const int64_t until = mono_ns() + ns; mono_ns() < until;) {
        if (atomic_load(&c->p->stopping)) return false;
        nanosleep(&(struct timespec){ 0, SLICE_MS * NS_PER_MS }, NULL);
    }
    return !atomic_load(&c->p->stopping);
}

static enum err connect(struct compactor *c, struct why *why)
{
    if (c->prepared) return ERR_OK;
    enum err e = c->db.name[0] ? db_reopen(&c->db, why)
                               : db_open(c->p->c->database_conninfo, "tocsin_engine",
                                         "tocsin compactor", &c->db, why);
    if (!e) e = compact_prepare(&c->db, why);
    c->prepared = !e;
    return e;
}

static void tell(struct compactor *c, enum err e, const struct why *why)
{
    if (e && !c->trouble)
        log_warn("a day of ticks not written by instrument; trying again", "reason", err_name(e),
                 "detail", why->text);
    c->trouble = e != ERR_OK;
    if (e == ERR_DB_LOST) c->prepared = false;
}

static void note(struct compactor *c, const struct compacted *done)
{
    c->folded += done->folded;
    c->trades += done->trades;
    if (!done->day_done) return;
    char day[DATE_TEXT_MAX];
    date_format(day_of_ns(done->from_ns), day);
    if (c->folded || c->trades)
        log_info("ticks written by instrument", "from", day, "trades", LOG_I64(c->trades),
                 "into_chunks", LOG_I64(c->folded));
    c->folded = c->trades = 0;
}

/* Everything that is over; broken off by the end of the service. */
static void compact(struct compactor *c)
{
    struct compacted done = { .more = true };
    struct pace pace = { .rests = RESTS, .stop = &c->p->stopping };
    while (done.more) {
        struct why why = { 0 };
        enum err e = connect(c, &why);
        if (!e) e = compact_piece(&c->db, wall_ns() - GRACE_NS, &pace, &done, &why);
        if (e == ERR_STOPPING) return;
        tell(c, e, &why);
        if (e) return;
        note(c, &done);
    }
}

void *compactor_main(void *arg)
{
    struct compactor c = { .p = arg };
    pthread_setname_np(pthread_self(), "compactor");
    if (setpriority(PRIO_PROCESS, 0, NICE)) log_warn("the compactor's thread is as any other");
    const int64_t every_ns = c.p->c->database_compact_every_s * NS_PER_S;
    while (every_ns && pause_for(&c, every_ns)) compact(&c);
    db_close(&c.db);
    return NULL;
}
