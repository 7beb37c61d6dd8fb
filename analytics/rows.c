/* rows.c - what the engine's answers are called when they are stored. Columns and their order are
 * in the .def files, once: a column more in reading.def is a field of struct reading_row, a column
 * of COPY, of reading back, and of verify. */
#include "analytics/rows.h"

static const struct column reading_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct reading_row, type, name)
#include "analytics/reading.def"
};
const struct row_type reading_row = ROW_TYPE("reading", struct reading_row, reading_columns);

static const struct column series_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct series_row, type, name)
#include "analytics/series.def"
};
const struct row_type series_row = ROW_TYPE("series", struct series_row, series_columns);

static const struct column instrument_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct instrument_row, type, name)
#include "analytics/instrument.def"
};
const struct row_type instrument_row =
    ROW_TYPE("instrument", struct instrument_row, instrument_columns);

static const struct column quality_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct quality_row, type, name)
#include "analytics/quality.def"
};
const struct row_type quality_row = ROW_TYPE("quality", struct quality_row, quality_columns);

static const struct column symbol_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct symbol_row, type, name)
#include "analytics/symbol.def"
};
const struct row_type symbol_row = ROW_TYPE("symbol", struct symbol_row, symbol_columns);

static const struct column divisor_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct divisor_row, type, name)
#include "analytics/divisor.def"
};
const struct row_type divisor_row = ROW_TYPE("divisor", struct divisor_row, divisor_columns);

static const struct column action_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct action_note_row, type, name)
#include "analytics/action.def"
};
const struct row_type action_note_row = ROW_TYPE("action", struct action_note_row, action_columns);

static const struct column article_score_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct article_score_row, type, name)
#include "analytics/article_score.def"
};
const struct row_type article_score_row =
    ROW_TYPE("article_score", struct article_score_row, article_score_columns);

static const struct column retraction_columns[] = {
#define COLUMN(type, name, what) ROW_COLUMN(struct retraction_row, type, name)
#include "analytics/retraction.def"
};
const struct row_type retraction_row =
    ROW_TYPE("retraction", struct retraction_row, retraction_columns);
