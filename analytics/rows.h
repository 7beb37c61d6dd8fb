/* rows.h - what analytics says, as the rows that are stored of it. Plain data; each row's
 * columns are in the .def of its name. */
#ifndef TOCSIN_ANALYTICS_ROWS_H
#define TOCSIN_ANALYTICS_ROWS_H
#include "analytics/action_note.h"
#include "analytics/divisor.h"
#include "analytics/quality_flag.h"
#include "analytics/reading.h"
#include "analytics/news/sentiment.h"
#include "core/row.h"

/* A series' reading at a clock record or session end. Not struct reading, which is what a
 * measure says at any moment. */
struct reading_row {
#define COLUMN ROW_FIELD
#include "analytics/reading.def"
};
extern const struct row_type reading_row;

/* Said once, when the series begins. */
struct series_row {
#define COLUMN ROW_FIELD
#include "analytics/series.def"
};
extern const struct row_type series_row;

/* Said when the instrument is first heard of, and at every change. */
struct instrument_row {
#define COLUMN ROW_FIELD
#include "analytics/instrument.def"
};
extern const struct row_type instrument_row;

/* Said when something looks wrong, and again when its state changes. */
struct quality_row {
#define COLUMN ROW_FIELD
#include "analytics/quality.def"
};
extern const struct row_type quality_row;

/* Said when an instrument gets a symbol, and again when it has given it up. */
struct symbol_row {
#define COLUMN ROW_FIELD
#include "analytics/symbol.def"
};
extern const struct row_type symbol_row;

/* Said when an index's level is measured otherwise from then on. */
struct divisor_row {
#define COLUMN ROW_FIELD
#include "analytics/divisor.def"
};
extern const struct row_type divisor_row;

/* Said when a corporate action is, and again when something becomes of it. */
struct action_note_row {
#define COLUMN ROW_FIELD
#include "analytics/action.def"
};
extern const struct row_type action_note_row;

struct article_score_row {
#define COLUMN ROW_FIELD
#include "analytics/article_score.def"
};
extern const struct row_type article_score_row;

/* Said when an article is taken back, known (yet) or not; not of one that is older than what
 * stands. */
struct retraction_row {
#define COLUMN ROW_FIELD
#include "analytics/retraction.def"
};
extern const struct row_type retraction_row;
#endif
