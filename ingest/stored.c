#include "ingest/stored.h"

#include <assert.h>

static const struct column tick_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct tick_row, type, name)
#include "ingest/tick.def"
};
const struct row_type tick_row = ROW_TYPE("tick", struct tick_row, tick_columns);

static const struct column close_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct close_row, type, name)
#include "ingest/close.def"
};
const struct row_type close_row = ROW_TYPE("close", struct close_row, close_columns);

static const struct column event_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct event_row, type, name)
#include "ingest/event.def"
};
const struct row_type event_row = ROW_TYPE("event", struct event_row, event_columns);

enum {
    OFFSET_BITS = 40
}; /* a partition holds a million million messages, and there are 8 million lives of partitions */

static int64_t kpos_of(const struct record *r)
{
    return (int64_t)r->source_id << OFFSET_BITS | (r->offset & ((INT64_C(1) << OFFSET_BITS) - 1));
}

static void place(struct record *r, int64_t kpos)
{
    r->source_id = (int32_t)(kpos >> OFFSET_BITS);
    r->offset = kpos & ((INT64_C(1) << OFFSET_BITS) - 1);
}

struct tick_row tick_of_record(const struct record *r, int32_t instrument, enum trade_place at)
{
    assert(record_place(r->kind) == PLACE_TICK);
    const bool trade = r->kind == RECORD_TRADE;
    return (struct tick_row){
        .seq = r->seq,
        .event_ns = r->event_ns,
        .received_ms = r->received_ms,
        .kpos = kpos_of(r),
        .price_e8 = trade ? r->u.trade.price_e8 : r->u.close.price_e8,
        .size_e8 = trade ? r->u.trade.size_e8 : 0,
        .instrument_id = instrument,
        .day_or_kind = trade ? NO_DAY + (int32_t)at : r->u.close.day,
    };
}

bool tick_is_trade(const struct tick_row *t) { return t->day_or_kind < NO_DAY + TRADE_PLACE_COUNT; }

struct close_row close_of_tick(const struct tick_row *t)
{
    assert(!tick_is_trade(t));
    return (struct close_row){ .seq = t->seq,
                               .instrument_id = t->instrument_id,
                               .session = t->day_or_kind,
                               .price_e8 = t->price_e8 };
}

struct record record_of_tick(const struct tick_row *t, const struct symbol *symbol)
{
    struct record r = { .seq = t->seq, .event_ns = t->event_ns, .received_ms = t->received_ms };
    place(&r, t->kpos);
    if (tick_is_trade(t)) {
        r.kind = RECORD_TRADE;
        r.u.trade.symbol = *symbol;
        r.u.trade.price_e8 = t->price_e8;
        r.u.trade.size_e8 = t->size_e8;
    } else {
        r.kind = RECORD_CLOSE;
        r.u.close.symbol = *symbol;
        r.u.close.price_e8 = t->price_e8;
        r.u.close.day = t->day_or_kind;
    }
    return r;
}

struct event_row event_of_record(const struct record *r, struct str payload)
{
    assert(record_place(r->kind) == PLACE_EVENT);
    const struct uuid *owner = record_owner(r);
    return (struct event_row){
        .seq = r->seq,
        .event_ns = r->event_ns,
        .received_ms = r->received_ms,
        .kpos = kpos_of(r),
        .kind = (int16_t)r->kind,
        .tenant_id = owner ? *owner : (struct uuid){ { 0 } },
        .payload = payload,
    };
}

struct record record_of_event(const struct event_row *e)
{
    struct record r = { .seq = e->seq,
                        .event_ns = e->event_ns,
                        .received_ms = e->received_ms,
                        .kind = (enum record_kind)e->kind };
    place(&r, e->kpos);
    return r;
}
