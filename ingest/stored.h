/* stored.h - a record as it is stored, and back: a trade or close as numbers (a tick), every
 * other kind as its JSON (an event). Pure; thread: any. */
#ifndef TOCSIN_INGEST_STORED_H
#define TOCSIN_INGEST_STORED_H
#include "core/row.h"
#include "ingest/record.h"

struct tick_row {
#define COLUMN ROW_FIELD
#include "ingest/tick.def"
};
extern const struct row_type tick_row;

struct close_row {
#define COLUMN ROW_FIELD
#include "ingest/close.def"
};
extern const struct row_type close_row;

struct event_row {
#define COLUMN ROW_FIELD
#include "ingest/event.def"
};
extern const struct row_type event_row;

/* Of a record whose place is TICK; `instrument` is the engine's number for its symbol, `place` what it said of a trade. */
struct tick_row tick_of_record(const struct record *r, int32_t instrument, enum trade_place place);
bool tick_is_trade(const struct tick_row *t); /* else it is a close */
/* Of the tick of a RECORD_CLOSE. */
struct close_row close_of_tick(const struct tick_row *t);
struct record record_of_tick(const struct tick_row *t, const struct symbol *symbol);

/* Of one whose place is EVENT; `payload` is what record_write wrote of it. */
struct event_row event_of_record(const struct record *r, struct str payload);
/* Its times, source, seq and kind alone: what it says is in the payload. */
struct record record_of_event(const struct event_row *e);
#endif
