/* partitions.c - the days of a batch, and the partitions they need.
 *
 * On 3 February 2026 a batch has ticks of today and, from an import, closes of 14 and 15 February
 * 2018:
 *
 *     ensure_partition('tick_row', '2026-02-03')    tick_20260203    made: a day of its own
 *     ensure_partition('tick_row', '2018-02-14')    tick_201802      made: long ago, a month at a time
 *     ensure_partition('tick_row', '2018-02-15')    tick_201802      was there
 *
 * More than 45 days is long ago. Thirty years of closes are so 360 partitions and not 11,000. Which
 * it is to be is the database's decision; here is only remembered what it said, so that a day is
 * asked for once a session.
 *
 * It is done before the batch's transaction and not in it: making a partition locks the parent
 * table against every reader until the end of the transaction. If the batch then fails, an empty
 * partition is all that is left behind. */
#include "store/partitions.h"

#include "core/vec.h"
#include "core/when.h"
#include "store/pg.h"

#include <assert.h>
#include <stdio.h>

/* From the end: the days of now were asked for last. */
static const struct partition_name *find(const struct partitions *p, enum table_id id, int32_t day)
{
    for (size_t i = p->tables[id].n; i-- > 0;)
        if (p->tables[id].days[i].day == day) return &p->tables[id].days[i];
    return NULL;
}

static enum err make(struct db *db, const char *table, int32_t day, struct partition_name *out,
                     struct why *why)
{
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(db, "SELECT tocsin.ensure_partition($1, $2)", 2,
                          (const char *const[]){ table, date }, &r, why);
    if (e) return e;
    out->day = day;
    const int n = snprintf(out->name, sizeof out->name, "%s", PQgetvalue(r, 0, 0));
    assert(n > 0 && (size_t)n < sizeof out->name); /* our own table's name, and a day */
    return ERR_OK;
}

static enum err ensure_day(struct partitions *p, struct db *db, enum table_id id, int32_t day,
                           struct why *why)
{
    if (find(p, id, day)) return ERR_OK;
    if (!VEC_GROW(&p->tables[id].days, &p->tables[id].cap, p->tables[id].n + 1))
        return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = make(db, tables[id].name, day, &p->tables[id].days[p->tables[id].n], why);
    if (!e) p->tables[id].n++;
    return e;
}

enum err partitions_ensure(struct partitions *p, struct db *db, const struct write_batch *b,
                           struct why *why)
{
    enum err e = ERR_OK;
    for (enum table_id id = 0; id < TABLE_COUNT && !e; id++) {
        size_t n;
        const struct row_run *runs = write_batch_runs(b, id, &n);
        for (size_t i = 0; i < n && !e && tables[id].days == TABLE_DAYS; i++)
            e = ensure_day(p, db, id, runs[i].day, why);
    }
    return e;
}

const char *partitions_name(const struct partitions *p, enum table_id id, int32_t day)
{
    const struct partition_name *found = find(p, id, day);
    assert(found);
    return found->name;
}

void partitions_forget(struct partitions *p)
{
    for (int t = 0; t < TABLE_COUNT; t++) p->tables[t].n = 0;
}

void partitions_release(struct partitions *p)
{
    for (int t = 0; t < TABLE_COUNT; t++) free(p->tables[t].days);
    *p = (struct partitions){ 0 };
}
