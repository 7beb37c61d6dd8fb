#include "store/writer.h"

#include "alerts/alert.h"
#include "analytics/rows.h"
#include "core/digest.h"
#include "core/vec.h"
#include "core/when.h"
#include "ingest/stored.h"
#include "store/schema_files.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_ROW = 90,
    SMALL = 100
}; /* SMALL: so many ticks or alerts travel as JSON, more by COPY */

/* One statement each: $1 is a JSON array of objects. In order of execution. */
enum list {
    LIST_LIVES,
    LIST_MARKS,
    LIST_GAPS,
    LIST_DEAD,
    LIST_TICKS,
    LIST_EVENTS,
    LIST_INSTRUMENTS,
    LIST_SERIES,
    LIST_READINGS,
    LIST_ARTICLES,
    LIST_RULES,
    LIST_VERSIONS,
    LIST_ALERTS,
    LIST_OUTBOX,
    LIST_COUNT
};

static const char *const statements[LIST_COUNT] = {
    [LIST_LIVES] =
        "INSERT INTO tocsin.source (source_id, cluster_id, topic, part, source_epoch, next_offset, fingerprint, reason)"
        " SELECT source_id, cluster_id, topic, part, source_epoch, next_offset, fingerprint, reason"
        " FROM pg_catalog.json_populate_recordset(NULL::tocsin.source, $1)",
    [LIST_MARKS] =
        "UPDATE tocsin.source s SET next_offset = m.next_offset, fingerprint = m.fingerprint"
        " FROM pg_catalog.json_populate_recordset(NULL::tocsin.source, $1) m WHERE s.source_id = m.source_id",
    [LIST_GAPS] =
        "INSERT INTO tocsin.data_gap (source_id, from_offset, to_offset)"
        " SELECT source_id, from_offset, to_offset FROM pg_catalog.json_populate_recordset(NULL::tocsin.data_gap, $1)",
    [LIST_DEAD] =
        "INSERT INTO tocsin.dead_letter (topic, part, kafka_offset, source_id, reason, detail, message_key, message)"
        " SELECT d.topic, d.part, d.kafka_offset, d.source_id, d.reason, d.detail, pg_catalog.decode(d.k, 'base64'), pg_catalog.decode(d.m, 'base64')"
        " FROM pg_catalog.json_to_recordset($1) d(topic text, part int, kafka_offset bigint, source_id int, reason text, detail text, k text, m text)",
    [LIST_TICKS] =
        "INSERT INTO tocsin.tick SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.tick, $1)",
    [LIST_EVENTS] =
        "INSERT INTO tocsin.event SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.event, $1)",
    [LIST_INSTRUMENTS] =
        "INSERT INTO tocsin.instrument SELECT DISTINCT ON (n.instrument_id) n.instrument_id, n.symbol, n.issuer, n.name" /* of several changes the last */
        " FROM pg_catalog.json_populate_recordset(NULL::tocsin.instrument, $1) WITH ORDINALITY n(instrument_id, symbol, issuer, name, place)"
        " ORDER BY n.instrument_id, n.place DESC"
        " ON CONFLICT (instrument_id) DO UPDATE SET issuer = excluded.issuer, name = excluded.name",
    [LIST_SERIES] =
        "INSERT INTO tocsin.series SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.series, $1)",
    [LIST_READINGS] =
        "INSERT INTO tocsin.reading SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.reading, $1)",
    [LIST_ARTICLES] =
        "INSERT INTO tocsin.article_score SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.article_score, $1)",
    [LIST_RULES] =
        "INSERT INTO tocsin.rule AS r (tenant_id, rule_id, version, seq, definition, deleted)"
        " SELECT DISTINCT ON (n.tenant_id, n.rule_id) n.tenant_id, n.rule_id, n.version, n.seq, n.definition, n.deleted"
        " FROM pg_catalog.json_populate_recordset(NULL::tocsin.rule, $1) n ORDER BY n.tenant_id, n.rule_id, n.version DESC"
        " ON CONFLICT (tenant_id, rule_id) DO UPDATE SET version = excluded.version, seq = excluded.seq,"
        " definition = excluded.definition, deleted = excluded.deleted, updated_at = now()",
    [LIST_VERSIONS] =
        "INSERT INTO tocsin.rule_version (tenant_id, rule_id, version, seq, change, definition)"
        " SELECT tenant_id, rule_id, version, seq, change, definition FROM pg_catalog.json_populate_recordset(NULL::tocsin.rule_version, $1)",
    [LIST_ALERTS] =
        "INSERT INTO tocsin.alert SELECT * FROM pg_catalog.json_populate_recordset(NULL::tocsin.alert, $1)",
    [LIST_OUTBOX] =
        "INSERT INTO tocsin.outbox (tenant_id, alert_id, channel_id, stream_no)"
        " SELECT a.tenant_id, a.alert_id, c.channel_id, a.stream_no FROM pg_catalog.json_populate_recordset(NULL::tocsin.alert, $1) a"
        " JOIN tocsin.channel c USING (tenant_id) WHERE c.enabled AND NOT c.deleted ORDER BY a.tenant_id, a.stream_no",
};
/* Many alerts: COPY into a table of the session's own first, because COPY does not go through row-level security. */
static const char STAGE[] =
    "CREATE TEMPORARY TABLE IF NOT EXISTS alert_in (LIKE tocsin.alert) ON COMMIT DELETE ROWS";
static const char STAGED_ALERTS[] =
    "INSERT INTO tocsin.alert SELECT * FROM pg_temp.alert_in ORDER BY tenant_id, stream_no";
static const char STAGED_OUTBOX[] =
    "INSERT INTO tocsin.outbox (tenant_id, alert_id, channel_id, stream_no)"
    " SELECT a.tenant_id, a.alert_id, c.channel_id, a.stream_no FROM pg_temp.alert_in a"
    " JOIN tocsin.channel c USING (tenant_id) WHERE c.enabled AND NOT c.deleted ORDER BY a.tenant_id, a.stream_no";
static const char ADVANCE[] = "SELECT tocsin.advance($1, $2, $3, $4)";

/* ---- the batch ---- */
struct day_ticks {
    int32_t day;
    struct buf rows;
};

struct write_batch {
    struct buf lists[LIST_COUNT];
    struct day_ticks *days;
    size_t days_n, days_cap, last_day;
    size_t ticks_n, rows_n;
    int32_t *reading_days; /* distinct days of the readings */
    size_t reading_days_n, reading_days_cap;
    uint64_t first_seq, last_seq; /* 0: no records */
    struct buf snapshot;
    uint64_t snapshot_seq;
    int snapshot_version;
    struct alert *alerts;
    size_t alerts_n, alerts_cap;
    struct source_mark *marks;
    size_t marks_n, marks_cap;
    struct arena arena;
    bool failed;
};

enum err write_batch_new(struct write_batch **out)
{
    struct write_batch *b = calloc(1, sizeof *b);
    if (!b) return ERR_NOMEM;
    *out = b;
    return ERR_OK;
}

void write_batch_free(struct write_batch *b)
{
    if (!b) return;
    for (int i = 0; i < LIST_COUNT; i++) buf_release(&b->lists[i]);
    for (size_t i = 0; i < b->days_cap; i++) buf_release(&b->days[i].rows);
    free(b->days);
    buf_release(&b->snapshot);
    free(b->reading_days);
    free(b->alerts);
    free(b->marks);
    arena_release(&b->arena);
    free(b);
}

void write_batch_clear(struct write_batch *b)
{
    for (int i = 0; i < LIST_COUNT; i++) buf_clear(&b->lists[i]);
    for (size_t i = 0; i < b->days_n; i++) buf_clear(&b->days[i].rows);
    buf_clear(&b->snapshot);
    arena_clear(&b->arena);
    b->days_n = b->last_day = b->ticks_n = b->rows_n = b->reading_days_n = b->alerts_n =
        b->marks_n = 0;
    b->first_seq = b->last_seq = b->snapshot_seq = 0;
    b->failed = false;
}

bool write_batch_ok(const struct write_batch *b)
{
    bool ok = !b->failed && buf_ok(&b->snapshot);
    for (int i = 0; i < LIST_COUNT; i++) ok &= buf_ok(&b->lists[i]);
    for (size_t i = 0; i < b->days_n; i++) ok &= buf_ok(&b->days[i].rows);
    return ok;
}

bool write_batch_empty(const struct write_batch *b)
{
    return !b->failed && b->rows_n == 0 && b->marks_n == 0 && !b->lists[LIST_LIVES].len
           && !b->lists[LIST_GAPS].len && !b->lists[LIST_DEAD].len && !b->snapshot_seq;
}
size_t write_batch_rows(const struct write_batch *b) { return b->rows_n; }
void write_batch_spoil(struct write_batch *b) { b->failed = true; }
uint64_t write_batch_last_seq(const struct write_batch *b) { return b->last_seq; }
const struct alert *write_batch_alerts(const struct write_batch *b, size_t *n)
{
    *n = b->alerts_n;
    return b->alerts;
}
const struct source_mark *write_batch_marks(const struct write_batch *b, size_t *n)
{
    *n = b->marks_n;
    return b->marks;
}

size_t write_batch_bytes(const struct write_batch *b)
{
    size_t n = b->ticks_n * TICK_ROW + b->alerts_n * 1000 + b->snapshot.len;
    for (int i = 0; i < LIST_COUNT; i++) n += b->lists[i].len;
    return n;
}

static void count_record(struct write_batch *b, uint64_t seq)
{
    if (!b->first_seq) b->first_seq = seq;
    b->last_seq = seq;
    b->rows_n++;
}

static char *be16(char *p, int16_t v)
{
    uint16_t x = htobe16((uint16_t)v);
    memcpy(p, &x, 2);
    return p + 2;
}
static char *be32(char *p, int32_t v)
{
    uint32_t x = htobe32((uint32_t)v);
    memcpy(p, &x, 4);
    return p + 4;
}
static char *be64(char *p, int64_t v)
{
    uint64_t x = htobe64((uint64_t)v);
    memcpy(p, &x, 8);
    return p + 8;
}
static char *field64(char *p, int64_t v) { return be64(be32(p, 8), v); }
static char *field32(char *p, int32_t v) { return be32(be32(p, 4), v); }

static struct day_ticks *day_of(struct write_batch *b, int32_t day)
{
    if (b->last_day < b->days_n && b->days[b->last_day].day == day) return &b->days[b->last_day];
    for (size_t i = 0; i < b->days_n; i++)
        if (b->days[i].day == day) {
            b->last_day = i;
            return &b->days[i];
        }
    size_t had = b->days_cap;
    if (!VEC_GROW(&b->days, &b->days_cap, b->days_n + 1)) {
        b->failed = true;
        return NULL;
    }
    if (b->days_cap > had) memset(b->days + had, 0, (b->days_cap - had) * sizeof *b->days);
    b->last_day = b->days_n;
    b->days[b->days_n].day = day;
    return &b->days[b->days_n++];
}

static void write_tick(struct write_batch *b, const struct tick_row *r)
{
    struct day_ticks *d = day_of(b, day_of_ns(r->event_ns));
    if (!d || !buf_reserve(&d->rows, TICK_ROW)) return;
    char *p = be16(d->rows.data + d->rows.len, 8);
    p = field64(p, (int64_t)r->seq);
    p = field64(p, r->event_ns);
    p = field64(p, r->received_ms);
    p = field64(p, r->kpos);
    p = field64(p, r->price_e8);
    p = field64(p, r->size_e8);
    p = field32(p, r->instrument_id);
    field32(p, r->day_or_kind);
    d->rows.len += TICK_ROW;
    b->ticks_n++;
    count_record(b, r->seq);
}

/* ---- JSON rows ---- */
static struct buf *row(struct write_batch *b, enum list l)
{
    buf_puts(&b->lists[l], b->lists[l].len ? ",{" : "[{");
    return &b->lists[l];
}

static void text(struct buf *o, const char *before, const char *s, size_t n)
{
    buf_puts(o, before);
    buf_json_string(o, s ? s : "", s ? n : 0);
}

static void note_reading_day(struct write_batch *b, int64_t event_ns)
{
    int32_t day = day_of_ns(event_ns);
    size_t i = b->reading_days_n;
    while (i > 0 && b->reading_days[i - 1] != day) i--;
    if (i > 0) return;
    if (VEC_GROW(&b->reading_days, &b->reading_days_cap, b->reading_days_n + 1))
        b->reading_days[b->reading_days_n++] = day;
    else b->failed = true;
}

static void write_alert(struct write_batch *b, const struct alert *a)
{
    if (VEC_GROW(&b->alerts, &b->alerts_cap, b->alerts_n + 1))
        b->failed |= !row_copy(&alert_row, a, &b->arena, &b->alerts[b->alerts_n++]);
    else b->failed = true;
}

static void write_json(struct write_batch *b, enum list l, const struct row_type *type,
                       const void *row)
{
    struct buf *o = &b->lists[l];
    struct json_writer w = json_write(o);
    buf_puts(o, o->len ? "," : "[");
    row_json(&w, NULL, type, row);
}

void write_row(struct write_batch *b, const struct row_type *type, const void *row)
{
    static const struct {
        const struct row_type *type;
        enum list list;
    } lists[] = {
        { &event_row, LIST_EVENTS },           { &instrument_row, LIST_INSTRUMENTS },
        { &series_row, LIST_SERIES },          { &reading_row, LIST_READINGS },
        { &article_score_row, LIST_ARTICLES }, { &rule_row, LIST_RULES },
        { &rule_version_row, LIST_VERSIONS },
    };
    if (type == &tick_row) {
        write_tick(b, row);
        return;
    }
    if (type == &alert_row) {
        write_alert(b, row);
        return;
    }
    if (type == &event_row) count_record(b, ((const struct event_row *)row)->seq);
    if (type == &reading_row) note_reading_day(b, ((const struct reading_row *)row)->event_ns);
    size_t i = 0;
    while (i < ARRAY_LEN(lists) && lists[i].type != type) i++;
    assert(i < ARRAY_LEN(lists));
    write_json(b, lists[i].list, type, row);
}

static void base64_field(struct buf *o, const char *before, struct str s)
{
    buf_puts(o, before);
    if (!s.p) {
        buf_puts(o, "null");
        return;
    }
    buf_puts(o, "\"");
    if (buf_reserve(o, BASE64_TEXT_MAX((size_t)s.n)))
        o->len += base64_encode(s.p, s.n, o->data + o->len);
    buf_puts(o, "\"");
}

static void write_mark(struct write_batch *b, const struct source_mark *m)
{
    for (size_t i = 0; i < b->marks_n; i++)
        if (b->marks[i].source_id == m->source_id) {
            b->marks[i] = *m;
            return;
        }
    if (!VEC_GROW(&b->marks, &b->marks_cap, b->marks_n + 1)) {
        b->failed = true;
        return;
    }
    b->marks[b->marks_n++] = *m;
}

void write_ingest(struct write_batch *b, const struct ingest_batch *in)
{
    for (size_t i = 0; i < in->lives_n; i++) {
        const struct source_life *l = &in->lives[i];
        struct buf *o = row(b, LIST_LIVES);
        buf_printf(o,
                   "\"source_id\":%d,\"part\":%d,\"source_epoch\":%d,\"next_offset\":%" PRId64
                   ",\"fingerprint\":%" PRId64,
                   l->source_id, l->part, l->source_epoch, l->next_offset, l->fingerprint);
        text(o, ",\"cluster_id\":", l->cluster_id, strlen(l->cluster_id));
        text(o, ",\"topic\":", l->topic, strlen(l->topic));
        text(o, ",\"reason\":", l->reason, strlen(l->reason));
        buf_puts(o, "}");
    }
    for (size_t i = 0; i < in->gaps_n; i++)
        buf_printf(row(b, LIST_GAPS),
                   "\"source_id\":%d,\"from_offset\":%" PRId64 ",\"to_offset\":%" PRId64 "}",
                   in->gaps[i].source_id, in->gaps[i].from_offset, in->gaps[i].to_offset);
    for (size_t i = 0; i < in->dead_n; i++) {
        const struct dead_letter *d = &in->dead[i];
        struct buf *o = row(b, LIST_DEAD);
        buf_printf(o, "\"part\":%d,\"kafka_offset\":%" PRId64 ",\"source_id\":%d,\"reason\":\"%s\"",
                   d->part, d->offset, d->source_id, err_name(d->reason));
        text(o, ",\"topic\":", d->topic, strlen(d->topic));
        text(o, ",\"detail\":", d->detail, strlen(d->detail));
        base64_field(o, ",\"k\":", d->key);
        base64_field(o, ",\"m\":", d->message);
        buf_puts(o, "}");
    }
    for (size_t i = 0; i < in->marks_n; i++) write_mark(b, &in->marks[i]);
}

void write_snapshot(struct write_batch *b, uint64_t seq, int version, const void *state, size_t n)
{
    buf_clear(&b->snapshot);
    buf_put(&b->snapshot, state, n);
    b->snapshot_seq = seq;
    b->snapshot_version = version;
}

/* ---- the writer ---- */
struct part_name {
    int32_t day;
    char name[48];
};

struct writer {
    struct db db;
    int64_t epoch, commits;
    uint64_t last_seq;
    int outbox_at; /* place of the outbox statement among the answers; -1: not sent */
    struct part_name *tick_parts, *reading_parts; /* days whose partition is known to exist */
    size_t tick_parts_n, tick_parts_cap, reading_parts_n, reading_parts_cap;
    struct buf scratch;
};

static enum err prepare(struct writer *w, struct why *why)
{
    enum err e = db_script(&w->db, STAGE, why);
    if (!e) e = db_check(&w->db, PQprepare(w->db.conn, "advance", ADVANCE, 4, NULL), why);
    if (!e)
        e = db_check(&w->db, PQprepare(w->db.conn, "staged_alerts", STAGED_ALERTS, 0, NULL), why);
    if (!e)
        e = db_check(&w->db, PQprepare(w->db.conn, "staged_outbox", STAGED_OUTBOX, 0, NULL), why);
    for (int i = 0; i < LIST_COUNT && !e; i++) {
        char name[16];
        snprintf(name, sizeof name, "list%d", i);
        e = db_check(&w->db, PQprepare(w->db.conn, name, statements[i], 1, NULL), why);
    }
    return e;
}

static enum err check_server(struct writer *w, struct why *why)
{
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(
        &w->db,
        "SELECT pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes'),"
        " (SELECT coalesce(max(version), 0) FROM tocsin.schema_version)",
        0, NULL, &r, why);
    if (e)
        return strstr(why->text, "42P01") || strstr(why->text, "3F000")
                   ? err_set(why, ERR_CONFLICT,
                             "the database has no Tocsin schema; run: tocsin migrate")
                   : e;
    if (strcmp(PQgetvalue(r, 0, 0), "on") != 0 || strcmp(PQgetvalue(r, 0, 1), "on") != 0)
        return err_set(
            why, ERR_CONFLICT,
            "PostgreSQL runs with fsync=%s and full_page_writes=%s; both must be on, or committed alerts can be lost",
            PQgetvalue(r, 0, 0), PQgetvalue(r, 0, 1));
    int have = atoi(PQgetvalue(r, 0, 2)), want = schema_files[schema_files_n - 1].version;
    if (have != want)
        return err_set(
            why, ERR_CONFLICT,
            "the database has schema version %d, this program needs %d; run: tocsin migrate", have,
            want);
    return ERR_OK;
}

enum err writer_open(const char *conninfo, struct writer **out, uint64_t *last_seq, struct why *why)
{
    struct writer *w = calloc(1, sizeof *w);
    if (!w) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = db_open(conninfo, "tocsin_engine", "tocsin writer", &w->db, why);
    if (!e) e = check_server(w, why);
    AUTO_PGRESULT PGresult *r = NULL;
    if (!e)
        e = db_query(
            &w->db,
            "UPDATE tocsin.shard SET epoch = epoch + 1, taken_at = pg_catalog.now() WHERE shard_id = 0 RETURNING epoch, last_seq, commits",
            0, NULL, &r, why);
    if (!e && PQntuples(r) != 1) e = err_set(why, ERR_CONFLICT, "tocsin.shard has lost its row");
    if (!e) e = prepare(w, why);
    if (e) {
        writer_close(w);
        return e;
    }
    w->epoch = strtoll(PQgetvalue(r, 0, 0), NULL, 10);
    w->last_seq = strtoull(PQgetvalue(r, 0, 1), NULL, 10);
    w->commits = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
    *last_seq = w->last_seq;
    *out = w;
    return ERR_OK;
}

void writer_close(struct writer *w)
{
    if (!w) return;
    db_close(&w->db);
    buf_release(&w->scratch);
    free(w->tick_parts);
    free(w->reading_parts);
    free(w);
}

/* ---- partitions: made in a transaction of their own, before the batch needs them ---- */
static enum err ensure(struct writer *w, const char *parent, int32_t day, char name[48],
                       struct why *why)
{
    char date[DATE_TEXT_MAX];
    date_format(day, date);
    AUTO_PGRESULT PGresult *r = NULL;
    enum err e = db_query(&w->db, "SELECT tocsin.ensure_partition($1, $2)", 2,
                          (const char *const[]){ parent, date }, &r, why);
    if (!e) snprintf(name, 48, "%s", PQgetvalue(r, 0, 0));
    return e;
}

static const char *part_of(const struct part_name *parts, size_t n, int32_t day)
{
    for (size_t i = n; i-- > 0;)
        if (parts[i].day == day) return parts[i].name;
    return NULL;
}
static const char *tick_part(const struct writer *w, int32_t day)
{
    return part_of(w->tick_parts, w->tick_parts_n, day);
}

static enum err know(struct writer *w, const char *parent, int32_t day, struct part_name **parts,
                     size_t *n, size_t *cap, struct why *why)
{
    if (part_of(*parts, *n, day)) return ERR_OK;
    if (!VEC_GROW(parts, cap, *n + 1)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = ensure(w, parent, day, (*parts)[*n].name, why);
    if (!e) (*parts)[(*n)++].day = day;
    return e;
}

static enum err ensure_all(struct writer *w, const struct write_batch *b, struct why *why)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < b->days_n && !e; i++)
        e = know(w, "tick", b->days[i].day, &w->tick_parts, &w->tick_parts_n, &w->tick_parts_cap,
                 why);
    for (size_t i = 0; i < b->reading_days_n && !e; i++)
        e = know(w, "reading", b->reading_days[i], &w->reading_parts, &w->reading_parts_n,
                 &w->reading_parts_cap, why);
    return e;
}

/* ---- ticks ---- */
static int64_t from64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return (int64_t)be64toh(v);
}
static int32_t from32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return (int32_t)be32toh(v);
}

static void ticks_as_json(const struct write_batch *b, struct buf *o)
{
    for (size_t d = 0; d < b->days_n; d++)
        for (size_t at = 0; at < b->days[d].rows.len; at += TICK_ROW) {
            const char *p =
                b->days[d].rows.data + at + 6; /* past the field count and the first length */
            buf_printf(o,
                       "%s{\"seq\":%" PRId64 ",\"event_ns\":%" PRId64 ",\"received_ms\":%" PRId64
                       ",\"kpos\":%" PRId64 ",\"price_e8\":%" PRId64 ",\"size_e8\":%" PRId64
                       ",\"instrument_id\":%d,\"day_or_kind\":%d}",
                       o->len ? "," : "[", from64(p), from64(p + 12), from64(p + 24),
                       from64(p + 36), from64(p + 48), from64(p + 60), from32(p + 72),
                       from32(p + 80));
        }
    buf_puts(o, "]");
}

static enum err put_copy(struct writer *w, const char *p, size_t n, struct why *why)
{
    for (size_t at = 0; at < n;) { /* in pieces: libpq copies what it cannot send at once */
        size_t k = n - at < 65536 ? n - at : 65536;
        if (PQputCopyData(w->db.conn, p + at, (int)k) != 1)
            return db_check(&w->db, PQgetResult(w->db.conn), why)
                       ? ERR_DB_LOST
                       : err_set(why, ERR_DB_LOST, "08006: COPY broke off");
        at += k;
    }
    return ERR_OK;
}

struct piece {
    const char *p;
    size_t n;
};

static enum err copy_pieces(struct writer *w, const char *table, const struct piece *pieces,
                            size_t n, struct why *why)
{
    char sql[160];
    snprintf(sql, sizeof sql, "COPY %s FROM STDIN (FORMAT binary)", table);
    enum err e = db_script(&w->db, sql, why);
    if (e) return e;
    char header[19] = "PGCOPY\n\377\r\n\0", trailer[2];
    e = put_copy(w, header, sizeof header, why);
    for (size_t i = 0; i < n && !e; i++) e = put_copy(w, pieces[i].p, pieces[i].n, why);
    be16(trailer, -1);
    if (!e) e = put_copy(w, trailer, sizeof trailer, why);
    if (!e && PQputCopyEnd(w->db.conn, NULL) != 1)
        e = err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(w->db.conn));
    for (PGresult *r; (r = PQgetResult(w->db.conn)) != NULL;) {
        struct why mine;
        enum err f = db_check(&w->db, r, &mine);
        if (f && !e) {
            e = f;
            if (why) *why = mine;
        }
        if (PQstatus(w->db.conn) != CONNECTION_OK) break;
    }
    return e;
}

static enum err copy_ticks(struct writer *w, const struct write_batch *b, struct why *why)
{
    struct piece *pieces = calloc(b->days_n + 1, sizeof *pieces);
    enum err e = pieces ? ERR_OK : err_set(why, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < b->days_n && !e; i++) {
        const char *part = tick_part(w, b->days[i].day);
        char table[64];
        size_t k = 0, n = 0;
        while (k < i && strcmp(tick_part(w, b->days[k].day), part) != 0) k++;
        if (k < i) continue; /* the first day of a partition took its other days along */
        for (k = i; k < b->days_n; k++)
            if (strcmp(tick_part(w, b->days[k].day), part) == 0)
                pieces[n++] = (struct piece){ b->days[k].rows.data, b->days[k].rows.len };
        snprintf(table, sizeof table, "tocsin.%s", part);
        e = copy_pieces(w, table, pieces, n, why);
    }
    free(pieces);
    return e;
}

/* ---- alerts ---- */
static void alerts_as_json(struct write_batch *b)
{
    for (size_t i = 0; i < b->alerts_n; i++) write_json(b, LIST_ALERTS, &alert_row, &b->alerts[i]);
}

static void copy_field(struct buf *o, const void *p, size_t n)
{
    char length[4];
    be32(length, (int32_t)n);
    buf_put(o, length, 4);
    buf_put(o, p, n);
}
static void copy_text(struct buf *o, const char *s) { copy_field(o, s, strlen(s)); }
static void copy_int(struct buf *o, int64_t v)
{
    char p[12];
    buf_put(o, p, (size_t)(field64(p, v) - p));
}

/* the columns in the table's order */
static void alert_as_copy(struct buf *o, const struct alert *a)
{
    char count[2], version[8];
    int64_t value;
    memcpy(&value, &a->value, sizeof value);
    be16(count, 16);
    field32(version, a->rule_version);
    buf_put(o, count, 2);
    copy_field(o, a->tenant_id.b, 16);
    copy_int(o, (int64_t)a->stream_no);
    copy_field(o, a->alert_id.b, 16);
    copy_int(o, (int64_t)a->seq);
    copy_int(o, a->event_ns);
    copy_text(o, alert_state_name(a->state));
    copy_field(o, a->rule_id.b, 16);
    buf_put(o, version, sizeof version);
    copy_int(o, (int64_t)a->rule_no);
    copy_text(o, a->rule_name);
    copy_text(o, a->rule_text);
    copy_text(o, severity_name(a->severity));
    copy_text(o, a->measure);
    copy_text(o, a->unit);
    copy_int(o, value);
    copy_text(o, a->inputs);
}

static enum err copy_alerts(struct writer *w, const struct write_batch *b, struct why *why)
{
    if (b->alerts_n <= SMALL) return ERR_OK;
    buf_clear(&w->scratch);
    for (size_t i = 0; i < b->alerts_n; i++) alert_as_copy(&w->scratch, &b->alerts[i]);
    if (!buf_ok(&w->scratch)) return err_set(why, ERR_NOMEM, "out of memory");
    const struct piece all = { w->scratch.data, w->scratch.len };
    return copy_pieces(w, "pg_temp.alert_in", &all, 1, why);
}

/* ---- one transaction ---- */
static bool send_list(struct writer *w, enum list l, const char *json)
{
    char name[16];
    snprintf(name, sizeof name, "list%d", (int)l);
    return PQsendQueryPrepared(w->db.conn, name, 1, (const char *const[]){ json }, NULL, NULL, 0)
           == 1;
}

static bool send_all(struct writer *w, struct write_batch *b, bool begin, bool small)
{
    char epoch[24], commits[24], from[24], to[24];
    int sent = begin + 1;
    w->outbox_at = -1;
    snprintf(commits, sizeof commits, "%" PRId64, w->commits);
    snprintf(epoch, sizeof epoch, "%" PRId64, w->epoch);
    snprintf(from, sizeof from, "%" PRIu64, w->last_seq);
    snprintf(to, sizeof to, "%" PRIu64, b->last_seq ? b->last_seq : w->last_seq);
    bool ok = !begin || PQsendQueryParams(w->db.conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0) == 1;
    ok = ok
         && PQsendQueryPrepared(w->db.conn, "advance", 4,
                                (const char *const[]){ epoch, commits, from, to }, NULL, NULL, 0)
                == 1;
    for (int l = 0; l < LIST_COUNT && ok; l++) {
        const char *json = b->lists[l].len ? b->lists[l].data : NULL;
        if (b->alerts_n > SMALL && (l == LIST_ALERTS || l == LIST_OUTBOX)) {
            ok = PQsendQueryPrepared(w->db.conn,
                                     l == LIST_ALERTS ? "staged_alerts" : "staged_outbox", 0, NULL,
                                     NULL, NULL, 0)
                 == 1;
            if (l == LIST_OUTBOX) w->outbox_at = sent;
            sent++;
            continue;
        }
        if (l == LIST_OUTBOX) json = b->lists[LIST_ALERTS].len ? b->lists[LIST_ALERTS].data : NULL;
        if (l == LIST_TICKS) json = small && b->ticks_n ? w->scratch.data : NULL;
        if (!json) continue;
        ok = send_list(w, (enum list)l, json);
        if (l == LIST_OUTBOX) w->outbox_at = sent;
        sent++;
    }
    if (ok && b->snapshot_seq) {
        char seq[24], version[16];
        snprintf(seq, sizeof seq, "%" PRIu64, b->snapshot_seq);
        snprintf(version, sizeof version, "%d", b->snapshot_version);
        const char *const v[] = { seq, version, b->snapshot.data };
        const int len[] = { 0, 0, (int)b->snapshot.len }, format[] = { 0, 0, 1 };
        ok =
            PQsendQueryParams(
                w->db.conn,
                "INSERT INTO tocsin.snapshot (shard_id, seq, version, state) VALUES (0, $1, $2, $3)"
                " ON CONFLICT (shard_id, seq) DO UPDATE SET state = excluded.state, version = excluded.version",
                3, NULL, v, len, format, 0)
                == 1
            && PQsendQueryParams(
                   w->db.conn,
                   "DELETE FROM tocsin.snapshot WHERE shard_id = 0 AND seq NOT IN (SELECT seq FROM tocsin.snapshot WHERE shard_id = 0 ORDER BY seq DESC LIMIT 2)",
                   0, NULL, NULL, NULL, NULL, 0)
                   == 1;
    }
    ok = ok && PQsendQueryParams(w->db.conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) == 1;
    return ok && PQpipelineSync(w->db.conn) == 1;
}

/* Reads every answer up to the sync; keeps the first error, and the row count of the outbox insert. */
static enum err read_all(struct writer *w, int64_t *owed, struct why *why)
{
    enum err e = ERR_OK;
    bool committed = false;
    for (int at = 0;;) {
        PGresult *r = PQgetResult(w->db.conn);
        if (!r) {
            if (PQstatus(w->db.conn) != CONNECTION_OK)
                return e ? e
                         : err_set(why, ERR_DB_LOST,
                                   "08006: connection lost before the commit was answered");
            continue;
        }
        ExecStatusType s = PQresultStatus(r);
        if (s == PGRES_PIPELINE_SYNC) {
            PQclear(r);
            break;
        }
        if (s == PGRES_PIPELINE_ABORTED) {
            PQclear(r);
            continue;
        }
        if (s == PGRES_COMMAND_OK && strcmp(PQcmdStatus(r), "COMMIT") == 0) committed = true;
        if (at++ == w->outbox_at && s == PGRES_COMMAND_OK) *owed = atoll(PQcmdTuples(r));
        struct why mine;
        enum err f = db_check(&w->db, r, &mine);
        if (f && !e) {
            e = f;
            if (why) *why = mine;
        }
    }
    if (!e && !committed) e = err_set(why, ERR_DB, "XX000: the transaction did not commit");
    return e;
}

static void close_lists(struct write_batch *b)
{
    if (b->alerts_n <= SMALL && !b->lists[LIST_ALERTS].len) alerts_as_json(b);
    for (int l = 0; l < LIST_COUNT; l++)
        if (b->lists[l].len && b->lists[l].data[b->lists[l].len - 1] != ']')
            buf_puts(&b->lists[l], "]");
    if (b->marks_n && !b->lists[LIST_MARKS].len) {
        for (size_t i = 0; i < b->marks_n; i++)
            buf_printf(row(b, LIST_MARKS),
                       "\"source_id\":%d,\"next_offset\":%" PRId64 ",\"fingerprint\":%" PRId64 "}",
                       b->marks[i].source_id, b->marks[i].next_offset, b->marks[i].fingerprint);
        buf_puts(&b->lists[LIST_MARKS], "]");
    }
}

enum err writer_commit(struct writer *w, const struct write_batch *batch, int64_t *owed,
                       struct why *why)
{
    struct write_batch *b =
        (struct write_batch *)batch; /* closing the JSON arrays changes no content */
    close_lists(b);
    *owed = 0;
    if (!write_batch_ok(b)) return err_set(why, ERR_NOMEM, "out of memory");
    enum err e = ensure_all(w, b, why);
    if (e) return e;
    bool small = b->ticks_n <= SMALL && b->alerts_n <= SMALL;
    if (small && b->ticks_n) {
        buf_clear(&w->scratch);
        ticks_as_json(b, &w->scratch);
        if (!buf_ok(&w->scratch)) return err_set(why, ERR_NOMEM, "out of memory");
    }
    if (!small) {
        e = db_script(&w->db, "BEGIN", why);
        if (!e) e = copy_ticks(w, b, why);
        if (!e) e = copy_alerts(w, b, why);
        if (e) {
            if (PQstatus(w->db.conn) == CONNECTION_OK && db_script(&w->db, "ROLLBACK", NULL))
                return ERR_DB_LOST;
            return e;
        }
    }
    if (PQenterPipelineMode(w->db.conn) != 1)
        return err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(w->db.conn));
    e = send_all(w, b, small, small)
            ? read_all(w, owed, why)
            : err_set(why, ERR_DB_LOST, "08006: %s", PQerrorMessage(w->db.conn));
    if (PQstatus(w->db.conn) == CONNECTION_OK) PQexitPipelineMode(w->db.conn);
    if (e == ERR_DB && PQstatus(w->db.conn) == CONNECTION_OK && db_script(&w->db, "ROLLBACK", NULL))
        e = ERR_DB_LOST;
    if (e) return why && strncmp(why->text, "TF001", 5) == 0 ? ERR_FENCED : e;
    w->commits++;
    if (b->last_seq) w->last_seq = b->last_seq;
    return ERR_OK;
}

enum err writer_recover(struct writer *w, const struct write_batch *b, bool *committed,
                        struct why *why)
{
    *committed = false;
    enum err e = ERR_OK;
    if (!w->db.conn || PQstatus(w->db.conn) != CONNECTION_OK
        || PQpipelineStatus(w->db.conn) != PQ_PIPELINE_OFF
        || PQtransactionStatus(w->db.conn) != PQTRANS_IDLE) {
        e = db_reopen(&w->db, why);
        if (!e && (e = prepare(w, why)) != ERR_OK)
            db_close(&w->db); /* else the next look takes it for a session that is prepared */
        if (!e) w->tick_parts_n = w->reading_parts_n = 0;
    }
    AUTO_PGRESULT PGresult *r = NULL;
    if (!e)
        e = db_query(&w->db, "SELECT epoch, last_seq, commits FROM tocsin.shard WHERE shard_id = 0",
                     0, NULL, &r, why);
    if (e) return e;
    if (strtoll(PQgetvalue(r, 0, 0), NULL, 10) != w->epoch)
        return err_set(why, ERR_FENCED, "another instance has taken the shard");
    int64_t stands = strtoll(PQgetvalue(r, 0, 2), NULL, 10);
    if (stands == w->commits + 1) {
        *committed = true;
        w->commits = stands;
        if (b->last_seq) w->last_seq = b->last_seq;
    } else if (stands != w->commits)
        return err_set(why, ERR_FENCED, "another writer has committed to the shard");
    return ERR_OK;
}
